//! Archived segments: frames one after the other (see
//! `firn_engine::journal::frame`), in an object named by the first and last seq.
//! The salt is a hash of the branch: an object copied to another is noticed.

use std::sync::Arc;

use bytes::Bytes;
use firn_engine::journal::{Record, frame};
use firn_engine::object::{Cause, Layout, cause_of, from_store};
use firn_engine::{BranchName, Error, ErrorKind, Result, Seq};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use xxhash_rust::xxh3::xxh3_64;

/// The archived segments of one log.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    store: Arc<dyn ObjectStore>,
    layout: Layout,
    branch: BranchName,
    salt: u64,
}

/// A segment being put together.
#[derive(Debug, Default)]
pub(super) struct Building {
    pieces: Vec<Bytes>,
    bytes: usize,
    first: Seq,
    last: Seq,
}

impl Building {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(super) fn last(&self) -> Seq {
        self.last
    }
}

impl Segments {
    pub(super) fn new(store: Arc<dyn ObjectStore>, layout: Layout, branch: BranchName) -> Self {
        let salt = xxh3_64(format!("archive of {branch}").as_bytes());
        Self { store, layout, branch, salt }
    }

    fn failed(&self, op: &str, path: &Path, e: object_store::Error) -> Error {
        from_store(op, path, e).context(format!("archive of {}", self.branch))
    }

    fn corrupt(&self, path: &Path, why: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Corrupt, format!("archive of {}: {path}: {why}", self.branch))
    }

    /// Adds a record that follows those added before.
    pub(super) fn add(&self, building: &mut Building, record: &Record) {
        if building.is_empty() {
            building.first = record.first_seq;
        } else {
            assert_eq!(record.first_seq, building.last.next(), "records follow each other");
        }
        let header = Bytes::copy_from_slice(&frame::header(record, self.salt));
        building.bytes += header.len() + record.payload.len();
        building.pieces.extend([header, record.payload.clone()]);
        building.last = record.last_seq;
    }

    /// Stores a segment, or finds that it is stored.
    pub(super) async fn store(&self, building: Building) -> Result<()> {
        let path = self.layout.archived(&self.branch, building.first, building.last);
        let payload: PutPayload = building.pieces.into_iter().collect();
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&path, payload.clone(), options).await {
            Ok(_) => Ok(()),
            Err(e) if matches!(cause_of(&e), Cause::Exists | Cause::Precondition) => {
                let stored = self.get(&path).await?;
                if stored == Bytes::from(payload) {
                    Ok(())
                } else {
                    Err(self.corrupt(&path, "it is stored with other contents"))
                }
            }
            Err(e) => Err(self.failed("PUT", &path, e)),
        }
    }

    async fn get(&self, path: &Path) -> Result<Bytes> {
        let got = match self.store.get(path).await {
            Ok(got) => got.bytes().await,
            Err(e) => Err(e),
        };
        got.map_err(|e| self.failed("GET", path, e))
    }

    /// The records of a segment.
    pub(super) async fn load(&self, first: Seq, last: Seq) -> Result<Vec<Record>> {
        let path = self.layout.archived(&self.branch, first, last);
        let bytes = self.get(&path).await?;
        let (mut records, mut at, mut next) = (Vec::new(), 0, first);
        while at < bytes.len() {
            let (record, len) = frame::decode(&bytes.slice(at..), self.salt).map_err(|why| {
                self.corrupt(&path, format!("the record at offset {at} is damaged: {why:?}"))
            })?;
            if record.first_seq != next {
                let why =
                    format!("at offset {at} seq {} follows {}", record.first_seq, next.prev());
                return Err(self.corrupt(&path, why));
            }
            next = record.last_seq.next();
            at += len;
            records.push(record);
        }
        if next.prev() != last {
            return Err(self.corrupt(&path, format!("it ends at seq {}", next.prev())));
        }
        Ok(records)
    }

    /// First and last seqs of the segments whose first seq is after `after`, in order.
    pub(super) async fn list(&self, after: Option<Seq>) -> Result<Vec<(Seq, Seq)>> {
        let folder = self.layout.log(&self.branch);
        let mut listed = match after {
            // No segment has this name: none ends before it begins.
            Some(seq) => {
                let offset = self.layout.archived(&self.branch, seq.next(), Seq::ZERO);
                self.store.list_with_offset(Some(&folder), &offset)
            }
            None => self.store.list(Some(&folder)),
        };
        let mut found = Vec::new();
        while let Some(object) = listed.next().await {
            let object = object.map_err(|e| self.failed("LIST", &folder, e))?;
            // A journal in the object store has its objects below this folder, too.
            found.extend(Layout::parse_archived(&object.location));
        }
        found.sort();
        Ok(found)
    }
}
