//! An open database: one writer on one branch.

mod admission;
mod commit;
mod completion;
mod estimate;
mod flush;
mod layers;
mod open;
mod options;
mod read;
mod refill;
mod run;
mod run_writer;
mod settle;
mod snapshot;
mod state;
mod stats;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

pub use layers::{Above, Layers, Piece};
pub use options::{FILE_BYTES_MAX, Options, Parts};
pub use read::Scan;
pub(crate) use run::OWN;
pub use run::{Run, RunWrite};
pub use snapshot::Snapshot;
pub use stats::{CacheStats, LevelStats, Stats};

use crate::batch::WriteBatch;
use crate::cache::{BlockIo, RowCache};
use crate::env::{Env, Task};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::JournalWriter;
use crate::key::KeyRange;
use crate::manifest::{SpaceOptions, Version};
use crate::object::Layout;
use crate::sst::file::PinBudget;
use crate::storage::Storage;
use crate::types::{Epoch, ManifestVersion, Seq, SpaceId};
use admission::Admission;
use commit::CommitQueue;
use object_store::ObjectStore;
use snapshot::Snapshots;
use state::State;
use stats::Counts;

/// However long flushing took, the journal is given this long to close.
const JOURNAL_CLOSE_MIN: Duration = Duration::from_secs(5);

/// An open database. Cheap to share behind an `Arc`.
///
/// Dropping it without [`Db::close`] is like a crash: everything acknowledged
/// is in the journal and is replayed by the next [`Db::open`].
#[derive(Debug)]
pub struct Db {
    inner: Arc<Inner>,
    tasks: Mutex<Vec<Task<()>>>,
}

struct Inner {
    env: Env,
    options: Options,
    store: Arc<dyn ObjectStore>,
    layout: Layout,
    storage: Arc<dyn Storage>,
    journal: Arc<dyn JournalWriter>,
    /// Name of this reader's lease.
    holder: String,
    epoch: Epoch,
    branch_uid: u64,
    queue: CommitQueue,
    /// Objects of runs so far.
    run_objects: AtomicU64,
    /// Last published seq.
    visible: AtomicU64,
    state: ArcSwap<State>,
    /// Held while `state` is replaced.
    state_change: Mutex<state::Views>,
    /// Held while commits are added to the memtable.
    applying: Mutex<()>,
    /// Told whenever `state` was replaced.
    state_changed: Notify,
    io: Arc<BlockIo>,
    rows: RowCache,
    pins: Arc<PinBudget>,
    snapshots: Snapshots,
    /// Why the database takes no more writes.
    failed: ArcSwapOption<Error>,
    /// Why writes fail for now.
    stalled: ArcSwapOption<Error>,
    /// Why flushing fails for now.
    flush_trouble: ArcSwapOption<Error>,
    closing: AtomicBool,
    /// Wakes the flush task.
    flush_wanted: Notify,
    admission: Admission,
    counts: Counts,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} at {:?}", self.options.branch, self.epoch, self.visible())
    }
}

impl Inner {
    /// The last seq that readers may see.
    fn visible(&self) -> Seq {
        Seq(self.visible.load(Ordering::Acquire))
    }

    /// Ends writing for good.
    fn fail(&self, reason: &Error) {
        tracing::error!(branch = %self.options.branch, epoch = %self.epoch, error = %reason, "writing has ended");
        self.failed.store(Some(Arc::new(reason.clone())));
        self.queue.close(reason);
        self.state_changed.notify_waiters();
        self.flush_wanted.notify_one();
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire) || self.failed.load().is_some()
    }

    fn check_open(&self) -> Result<()> {
        if self.closing.load(Ordering::Acquire) {
            return Err(Error::bad_request("the database is closed"));
        }
        Ok(())
    }
}

impl Db {
    /// Opens a branch for writing: takes it from any other writer, replays the
    /// journal, and starts the background work.
    ///
    /// # Errors
    /// `Fenced` if another writer takes the branch meanwhile, `Corrupt` if the
    /// manifest or the journal is damaged, `Unavailable` if a part cannot be
    /// reached.
    pub async fn open(parts: Parts, options: Options) -> Result<Self> {
        open::open(parts, options).await
    }

    /// Sets a key. On return it is durable and visible.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn put(&self, space: SpaceId, key: &[u8], value: &[u8]) -> Result<Seq> {
        let mut batch = WriteBatch::new();
        batch.put(space, key, value)?;
        self.write(&batch).await
    }

    /// Removes a key, whether it exists or not.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn delete(&self, space: SpaceId, key: &[u8]) -> Result<Seq> {
        let mut batch = WriteBatch::new();
        batch.delete(space, key)?;
        self.write(&batch).await
    }

    /// Removes all keys of a space from `start` up to `end`, or to its last key.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn delete_range(
        &self,
        space: SpaceId,
        start: &[u8],
        end: Option<&[u8]>,
    ) -> Result<Seq> {
        let mut batch = WriteBatch::new();
        batch.delete_range(space, start, end)?;
        self.write(&batch).await
    }

    /// Commits a batch: on return all of it is durable and visible, at the
    /// returned seq. An empty batch commits nothing and returns the last seq.
    ///
    /// # Errors
    /// `OutcomeUnknown` if the journal did not answer in time or failed;
    /// `Unavailable` if the write was not admitted, with the reason; `Fenced`
    /// if a newer writer has the branch. Only with `OutcomeUnknown` may the
    /// batch have been committed.
    pub async fn write(&self, batch: &WriteBatch) -> Result<Seq> {
        self.inner.write(batch).await
    }

    /// Commits nothing, behind everything that was begun before: on return,
    /// each earlier write has either become visible or never will.
    ///
    /// # Errors
    /// As [`Self::write`]; it says nothing about earlier writes then.
    pub async fn barrier(&self) -> Result<Seq> {
        self.inner.barrier().await
    }

    /// The value of a key now.
    ///
    /// # Errors
    /// `Corrupt` or `Unavailable` if the data cannot be read.
    #[inline]
    pub async fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>> {
        self.inner.check_open()?;
        self.inner.get(space, key, None).await
    }

    /// The values of several keys, all as of one moment, in the order given.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_many(&self, space: SpaceId, keys: &[&[u8]]) -> Result<Vec<Option<Bytes>>> {
        self.inner.check_open()?;
        self.inner.get_many(space, keys, None).await
    }

    /// Walks the keys of a space in a range, as of now, in ascending order. Keys
    /// are without the space, in the range as in the result.
    ///
    /// # Errors
    /// `BadRequest` if the range is malformed.
    pub async fn scan(&self, space: SpaceId, range: &KeyRange) -> Result<Scan> {
        self.inner.check_open()?;
        self.inner.scan(space, range, None, false).await
    }

    /// As [`Self::scan`], in descending order.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub async fn scan_backward(&self, space: SpaceId, range: &KeyRange) -> Result<Scan> {
        self.inner.check_open()?;
        self.inner.scan(space, range, None, true).await
    }

    /// Walks a range of committed data, as of `at` or as of now, under what a transaction
    /// has in `runs`.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub async fn scan_under(
        &self,
        space: SpaceId,
        range: &KeyRange,
        at: Option<&Snapshot>,
        runs: &[Arc<Run>],
        backward: bool,
    ) -> Result<Scan> {
        self.inner.check_open()?;
        self.inner.scan_under(space, range, at.map(Snapshot::seq), runs, backward).await
    }

    /// A range as of `at` or as of now, in its pieces: column copies and what lies above
    /// them; `None` where there are no copies that could be read for rows.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub async fn layers(
        &self,
        space: SpaceId,
        range: &KeyRange,
        at: Option<&Snapshot>,
    ) -> Result<Option<Layers>> {
        self.inner.check_open()?;
        Layers::of(&self.inner, space, range, at.map(Snapshot::seq)).await
    }

    /// Walks the keys that start with `prefix`, in ascending order.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub async fn scan_prefix(&self, space: SpaceId, prefix: &[u8]) -> Result<Scan> {
        self.inner.check_open()?;
        self.inner.scan_prefix(space, prefix, None).await
    }

    /// Holds what is visible now. Old versions are kept for it until it is dropped.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(Arc::clone(&self.inner))
    }

    /// A snapshot of the past, at a seq that a named snapshot keeps.
    ///
    /// # Errors
    /// `BadRequest` if what was visible then is not kept any more, or `seq` is
    /// in the future.
    pub fn snapshot_at(&self, seq: Seq) -> Result<Snapshot> {
        Snapshot::take_at(Arc::clone(&self.inner), seq)
    }

    /// Says what a space is: its value schema, its filters.
    ///
    /// # Errors
    /// `Fenced` if a newer writer has the branch.
    pub async fn declare_space(&self, space: SpaceId, options: SpaceOptions) -> Result<()> {
        let inner = &self.inner;
        let declared =
            inner.storage.declare_space(&inner.options.branch, inner.epoch, space, options);
        inner.install(declared.await?);
        Ok(())
    }

    /// Puts everything committed so far into files.
    ///
    /// # Errors
    /// `Fenced`, or why flushing has failed if it does so for `limit`.
    pub async fn flush(&self, limit: Duration) -> Result<()> {
        self.inner.flush(limit).await
    }

    /// Flushes, and keeps what is visible at the returned seq under a name
    /// until [`Self::drop_checkpoint`].
    ///
    /// # Errors
    /// `BadRequest` if the name is taken; otherwise as [`Self::flush`].
    pub async fn checkpoint(&self, name: &str, limit: Duration) -> Result<Seq> {
        // The snapshot holds the watermark back until the name does.
        let snapshot = self.snapshot();
        self.inner.flush(limit).await?;
        let seq = snapshot.seq();
        self.inner.storage.create_snapshot(&self.inner.options.branch, name, seq).await?;
        Ok(seq)
    }

    /// Ends a checkpoint.
    ///
    /// # Errors
    /// `BadRequest` if there is none of that name.
    pub async fn drop_checkpoint(&self, name: &str) -> Result<()> {
        self.inner.storage.drop_snapshot(&self.inner.options.branch, name).await
    }

    /// The last visible seq.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        self.inner.visible()
    }

    /// The files that reads run on at this moment.
    #[must_use]
    pub fn version(&self) -> Arc<Version> {
        Arc::clone(&self.inner.state.load().view.version)
    }

    /// Waits until reads run on version `number` or a later one; `false` if that took longer
    /// than `limit`.
    pub async fn wait_for_version(&self, number: ManifestVersion, limit: Duration) -> bool {
        let inner = &self.inner;
        let reached = inner.wait_until(|state| state.view.version.number >= number);
        inner.env.timeout(limit, reached).await.is_some()
    }

    /// Counters and sizes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.stats()
    }

    /// Why the database takes no more writes; `None` while it does.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.inner.failed.load().as_deref().cloned()
    }

    /// Flushes, so that the next open has nothing to replay, and stops all
    /// background work. What could not be flushed within `limit` stays in the
    /// journal.
    ///
    /// # Errors
    /// Why it was not flushed; the database is closed all the same.
    pub async fn close(&self, limit: Duration) -> Result<()> {
        let inner = &self.inner;
        if inner.closing.load(Ordering::Acquire) {
            return Ok(());
        }
        let start = inner.env.now();
        inner.queue.close(&Error::bad_request("the database is closed"));
        // The commit task, which is the first, ends when its last group is applied.
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        if tasks.is_empty() {
            return Ok(());
        }
        let commit = tasks.remove(0);
        if inner.failed.load().is_none() {
            let _ = inner.env.timeout(limit, commit).await;
        }
        let flushed = match self.failure() {
            Some(e) if e.kind() == ErrorKind::Fenced => Ok(()),
            Some(e) => Err(e),
            None => inner.flush(limit).await,
        };
        inner.closing.store(true, Ordering::Release);
        inner.flush_wanted.notify_one();
        inner.state_changed.notify_waiters();
        // The flush task trims the journal after its last flush, and ends.
        let mut flusher = tasks.remove(0);
        let left = limit.saturating_sub(inner.env.now().since(start));
        let _ = inner.env.timeout(left.max(JOURNAL_CLOSE_MIN), &mut flusher).await;
        tasks.push(flusher);
        for task in tasks {
            task.abort();
        }
        let ended = inner.storage.end_lease(&inner.options.branch, &inner.holder).await;
        let left = limit.saturating_sub(inner.env.now().since(start)).max(JOURNAL_CLOSE_MIN);
        let sealed = match inner.env.timeout(left, inner.journal.close()).await {
            // The journal has told why already; that is what ended the database.
            Some(_) if inner.failed.load().is_some() => Ok(()),
            Some(sealed) => sealed,
            None => Err(Error::new(ErrorKind::Unavailable, "the journal did not close in time")),
        };
        flushed.and(ended).and(sealed)
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        self.inner.closing.store(true, Ordering::Release);
        self.inner.queue.close(&Error::bad_request("the database is closed"));
        self.inner.flush_wanted.notify_one();
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }
}
