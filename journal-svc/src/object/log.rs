//! Requests to the objects of one log.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::object::{Cause, Layout, cause_of, from_store, is_not_found};
use firn_engine::watch;
use firn_engine::{BranchName, Env, Error, ErrorKind, Result};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion};

use super::format::{HEADER_LEN, Header, Start};

/// The log of one branch.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) env: Env,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) layout: Layout,
    pub(super) branch: BranchName,
    pub(super) poll: Duration,
    /// Counts what this process did to the log, for its tails.
    pub(super) changed: watch::Sender<u64>,
}

/// What became of a conditional create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Created {
    /// The object is there, and is ours.
    Yes,
    /// The number is taken.
    Taken,
}

impl Log {
    pub(super) fn new(
        env: Env,
        store: Arc<dyn ObjectStore>,
        layout: Layout,
        branch: BranchName,
        poll: Duration,
    ) -> Self {
        Self { env, store, layout, branch, poll, changed: watch::Sender::default() }
    }

    pub(super) fn path(&self, number: u64) -> Path {
        self.layout.live_segment(&self.branch, number)
    }

    pub(super) fn corrupt(&self, path: &Path, why: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Corrupt, format!("journal of {}: {path}: {why}", self.branch))
    }

    pub(super) fn failed(&self, op: &str, path: &Path, e: object_store::Error) -> Error {
        from_store(op, path, e).context(format!("journal of {}", self.branch))
    }

    fn checked(&self, path: &Path, number: u64, bytes: &[u8]) -> Result<Header> {
        let header = Header::decode(bytes, &self.branch).map_err(|why| self.corrupt(path, why))?;
        if header.number != number {
            return Err(self.corrupt(path, format!("its header is that of {}", header.number)));
        }
        Ok(header)
    }

    /// The header of an object; `None` if there is no such object.
    pub(super) async fn header(&self, number: u64) -> Result<Option<Header>> {
        let path = self.path(number);
        match self.store.get_range(&path, 0..HEADER_LEN as u64).await {
            Ok(bytes) => self.checked(&path, number, &bytes).map(Some),
            Err(e) if is_not_found(&e) => Ok(None),
            Err(e) => Err(self.failed("GET", &path, e)),
        }
    }

    /// A whole object; `None` if there is no such object.
    pub(super) async fn object(&self, number: u64) -> Result<Option<(Header, Bytes)>> {
        let path = self.path(number);
        let got = match self.store.get(&path).await {
            Ok(got) => got.bytes().await,
            Err(e) => Err(e),
        };
        match got {
            Ok(bytes) => Ok(Some((self.checked(&path, number, &bytes)?, bytes))),
            Err(e) if is_not_found(&e) => Ok(None),
            Err(e) => Err(self.failed("GET", &path, e)),
        }
    }

    /// Creates an object unless its number is taken.
    ///
    /// # Errors
    /// Retryable if nothing was stored, `OutcomeUnknown` if that is not known.
    pub(super) async fn create(&self, header: &Header, payload: PutPayload) -> Result<Created> {
        let path = self.path(header.number);
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&path, payload, options).await {
            Ok(_) => Ok(Created::Yes),
            Err(e) => match cause_of(&e) {
                Cause::Exists | Cause::Precondition => Ok(Created::Taken),
                cause if cause.is_ambiguous() => {
                    let what = format!("journal of {}: PUT {path}", self.branch);
                    Err(Error::with_source(ErrorKind::OutcomeUnknown, what, e))
                }
                // Refused: nothing was stored, and that may change.
                _ => Err(self.failed("PUT", &path, e).retryable()),
            },
        }
    }

    /// Where the log begins, and the version of the object that says so.
    pub(super) async fn start(&self) -> Result<(Start, Option<UpdateVersion>)> {
        let path = self.layout.live_start(&self.branch);
        let got = match self.store.get(&path).await {
            Ok(got) => {
                let version = UpdateVersion {
                    e_tag: got.meta.e_tag.clone(),
                    version: got.meta.version.clone(),
                };
                got.bytes().await.map(|bytes| (bytes, version))
            }
            Err(e) => Err(e),
        };
        match got {
            Ok((bytes, version)) => {
                let start = Start::decode(&bytes, &self.branch);
                Ok((start.map_err(|why| self.corrupt(&path, why))?, Some(version)))
            }
            Err(e) if is_not_found(&e) => Ok((Start::default(), None)),
            Err(e) => Err(self.failed("GET", &path, e)),
        }
    }

    /// Replaces `live-start` if it is still of this version; `None` if it is not.
    pub(super) async fn set_start(
        &self,
        start: &Start,
        version: Option<UpdateVersion>,
    ) -> Result<Option<UpdateVersion>> {
        let path = self.layout.live_start(&self.branch);
        let mode = version.map_or(PutMode::Create, PutMode::Update);
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.store.put_opts(&path, start.encode(&self.branch), options).await {
            Ok(put) => Ok(Some(put.into())),
            Err(e) => match cause_of(&e) {
                Cause::Exists | Cause::Precondition | Cause::OutcomeUnknown => Ok(None),
                _ => Err(self.failed("PUT", &path, e)),
            },
        }
    }

    pub(super) fn wake(&self) {
        self.changed.send_modify(|n| *n += 1);
    }
}
