//! The journal in the object store: no disk and no journal server at all, for
//! the price of one conditional PUT per group of commits.
//!
//! A log is a row of objects with consecutive numbers. Each is made by a
//! conditional create, so one number belongs to one maker for ever, and is one
//! of: a *record*; a *fence*, by which a writer takes the log; a *new
//! beginning*, which says that everything before it is trimmed. A small object
//! beside them, `live-start`, says where the kept ones begin.
//!
//! # Append
//!
//! The record is created at the number after the last one. One at a time: a
//! record on its way beside an earlier one could be stored where that one is
//! not, and there would be a hole to explain.
//!
//! - *Created*: durable, acknowledged.
//! - *The number is taken*, by a fence of a lower epoch: an opening that lost
//!   against ours; the next number is tried. By this very record: an earlier
//!   try won. By anything else: a later writer has the log, this one is fenced.
//! - *It is not known* (the store's own retries could not find out): the writer
//!   is dead. The record may be found by the next opening, or not; a copy
//!   of the request that arrives even later finds the number taken by that
//!   opening's fence.
//!
//! # Opening
//!
//! 1. *Survey*: `live-start`, then one list from there.
//! 2. *Fence*: a fence is created at the first free number. If that is taken
//!    meanwhile, the old writer is at work: survey again and fence further
//!    ahead each time, so that it runs into the fence however fast it is.
//! 3. *Fill*: a fence is created at each number before, unless taken. What is
//!    there under a higher epoch means: fenced ourselves.
//! 4. *Look again*: if `live-start` has passed our fence, numbers that we took
//!    for free had been used and trimmed: from 1 again.
//!
//! After 3 no number below ours is free, so no older writer can create
//! anything there, and what it did create we have seen. Filling before fencing
//! would chase a writer that is as fast as we are. Leaving 4 out would let an
//! opener that slept through a takeover write where nobody looks. A crash
//! between 2 and 3 leaves a hole before a fence; the next opening fills it, and
//! nothing after a hole is part of the log but fences.
//!
//! # Trimming
//!
//! 1. Past the end: a *new beginning* is created at the next number.
//! 2. `live-start` is replaced, by compare-and-swap, with a higher number.
//! 3. Objects of records below it are deleted.
//!
//! Deleting first would look like damage to a reader, and to the check in step
//! 4 of an opening like numbers never used. A crash between 2 and 3 leaves
//! objects that the next trim deletes: `live-start` says up to where deleting
//! is done. *The newest object and all fences are kept for ever*: the newest
//! tells where the log ends, and a fence is what stops the writer before it,
//! which may wake up at any time. A fence is 56 bytes, is not listed any more
//! once the log begins after it, and there is about one for each opening.
//!
//! # Costs
//!
//! An append is one PUT. An opening is two GETs, a list of one page for each
//! 1,000 kept objects, a PUT, and a GET for each fence at the end. A trim is
//! two GETs, some more of 56 bytes for finding the place in what earlier
//! writers left, one PUT, and a delete for each 1,000 objects.

mod format;
mod log;
mod open;
mod reader;
mod survey;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, RecordStream};
use firn_engine::object::Layout;
use firn_engine::{BranchName, Env, Epoch, Result, Seq};
use object_store::ObjectStore;
use parking_lot::Mutex;

use log::Log;

/// How an object journal waits.
#[derive(Debug, Clone)]
pub struct ObjectOptions {
    /// Pause between looks of a tail at the end of a log that another process writes.
    pub poll: Duration,
}

impl Default for ObjectOptions {
    fn default() -> Self {
        Self { poll: Duration::from_millis(250) }
    }
}

/// Logs in an object store. A clone is the same journal.
///
/// The store must create and replace conditionally, and resolve lost replies
/// as far as it can: `firn_engine::object::RetryingStore` does.
#[derive(Debug, Clone)]
pub struct ObjectJournal {
    env: Env,
    store: Arc<dyn ObjectStore>,
    layout: Layout,
    options: ObjectOptions,
    logs: Arc<Mutex<BTreeMap<BranchName, Arc<Log>>>>,
}

impl ObjectJournal {
    /// A journal under the names of `layout`.
    #[must_use]
    pub fn new(
        env: Env,
        store: Arc<dyn ObjectStore>,
        layout: Layout,
        options: ObjectOptions,
    ) -> Self {
        Self { env, store, layout, options, logs: Arc::default() }
    }

    fn log(&self, branch: &BranchName) -> Arc<Log> {
        let mut logs = self.logs.lock();
        let log = logs.entry(branch.clone()).or_insert_with(|| {
            Arc::new(Log::new(
                self.env.clone(),
                Arc::clone(&self.store),
                self.layout.clone(),
                branch.clone(),
                self.options.poll,
            ))
        });
        Arc::clone(log)
    }
}

#[async_trait]
impl Journal for ObjectJournal {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        Ok(Arc::new(open::open(self.log(branch), epoch).await?))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        Ok(self.log(branch).survey().await?.bounds())
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        reader::stream(self.log(branch), from, false).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        reader::stream(self.log(branch), from, true).await
    }
}
