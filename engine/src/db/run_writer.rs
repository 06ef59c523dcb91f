//! Writing the files of a run: see [`super::run`].

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Inner;
use super::run::{RUN_OBJECTS, Run};
use crate::env::TaskClass;
use crate::error::{Context, Error, Result};
use crate::key::ValueKind;
use crate::manifest::{SpaceOptions, SstMeta};
use crate::merge::{FileWriter, Target};
use crate::range_delete::RangeDeletes;
use crate::sst::stored::Compression;
use crate::types::{ObjectId, Seq, SpaceId};

/// A file of a run is ended at about this size. Larger than others: they all begin in L0,
/// where files count.
const RUN_FILE_BYTES_MAX: u64 = 256 << 20;

/// And at so many entries: the hashes of their keys are in memory until it is stored.
const RUN_FILE_ENTRIES_MAX: u64 = 2 << 20;

/// Writes the files of a run. Dropping it deletes them.
pub(super) struct RunWriter<'a> {
    db: &'a Arc<Inner>,
    target: Target,
    file_bytes_max: u64,
    open: Option<(SpaceId, FileWriter)>,
    /// Entries of the file that is open.
    entries: u64,
    done: Vec<Arc<SstMeta>>,
    /// Objects that were begun, until the run has them.
    begun: Vec<ObjectId>,
}

impl Drop for RunWriter<'_> {
    fn drop(&mut self) {
        if let Some((_, file)) = self.open.take() {
            drop(self.db.env.spawn(TaskClass::Background, "drop a run", file.abort()));
        }
        if !self.begun.is_empty() {
            self.db.drop_objects(self.begun.drain(..));
        }
    }
}

impl<'a> RunWriter<'a> {
    pub(super) fn new(db: &'a Arc<Inner>) -> Self {
        let target =
            Target { env: db.env.clone(), store: Arc::clone(&db.store), layout: db.layout.clone() };
        let file_bytes_max = RUN_FILE_BYTES_MAX.max(db.options.file_bytes_max);
        let (open, done, begun) = (None, Vec::new(), Vec::new());
        Self { db, target, file_bytes_max, open, entries: 0, done, begun }
    }

    /// Adds a write; full keys in ascending order, each once.
    pub(super) async fn add(&mut self, key: &[u8], kind: ValueKind, value: &[u8]) -> Result<()> {
        let space =
            SpaceId::of(key).ok_or_else(|| Error::internal("a key of a run has no space"))?;
        if let Some((open, file)) = &mut self.open {
            let is_full =
                file.size() >= self.file_bytes_max || self.entries >= RUN_FILE_ENTRIES_MAX;
            if *open != space || is_full {
                self.end_file().await?;
            } else if file.wants_sending() {
                file.send().await?;
            }
        }
        if self.open.is_none() {
            let counter = self.db.run_objects.fetch_add(1, Ordering::Relaxed) + RUN_OBJECTS;
            let id = ObjectId { branch: self.db.branch_uid, counter, epoch: self.db.epoch };
            let state = self.db.state.load_full();
            let default = SpaceOptions::default();
            let options = state.view.version.space(space).map_or(&default, |s| &s.options);
            self.begun.push(id);
            let file = FileWriter::new(&self.target, id, space, options, Compression::Lz4, None)?;
            self.open = Some((space, file));
            self.entries = 0;
        }
        if let Some((_, file)) = &mut self.open {
            file.add(key, Seq::ZERO, kind, value)?;
            self.entries += 1;
        }
        Ok(())
    }

    async fn end_file(&mut self) -> Result<()> {
        if let Some((_, file)) = self.open.take() {
            self.done.push(file.finish(RangeDeletes::default()).await?);
        }
        Ok(())
    }

    /// The run, or after an error nothing.
    pub(super) async fn finish(mut self, order: u32, written: Result<()>) -> Result<Run> {
        let ended = match written {
            Ok(()) => self.end_file().await,
            Err(e) => Err(e),
        };
        if let Some((_, file)) = self.open.take() {
            file.abort().await;
        }
        ended.context(|| "storing the writes of a large transaction".to_owned())?;
        self.begun.clear();
        Ok(Run::new(self.db, std::mem::take(&mut self.done), order))
    }
}
