//! Which keys transactions touch while somebody makes something of all of them.
//!
//! Who builds an index or copies a table beside writers reads all rows as of one snapshot
//! and then, in *passes*, those that have changed since: each pass is of one snapshot more,
//! and says which keys may differ between that one and the one before.
//!
//! # Order
//!
//! A transaction (1) *notes* a key here as *pending*, before it (2) commits, and (3) when
//! that is visible its keys become *settled*. A pass takes, in one step under the log's
//! mutex, a snapshot, all settled keys, which are forgotten, and all pending ones, which
//! are not.
//!
//! So a commit that the snapshot of a pass sees, and that of the pass before does not, was
//! noted before this pass, and not settled before the other one: it is in this pass.
//! Noting after 2 would let a pass see the commit and not the key; settling before 2 would
//! let a pass forget the key and not see the commit: the next one compares its snapshot
//! with one that has no more of what was there before. Neither would ever be made good. A
//! snapshot taken beside the mutex would allow both.
//!
//! # What else may happen
//!
//! Keys that are noted in vain (of statements and transactions that are rolled back, or that
//! are not committed yet) cost a comparison. A commit whose outcome is not known stays
//! pending until the log ends. All of it is in memory, and so is the log: a crash ends both.
//! Past its bound the log is given up, and whoever reads it with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use firn_engine::db::Snapshot;
use firn_engine::{Db, SpaceId};
use parking_lot::Mutex;

use crate::memory::{Charge, MemoryBudget};

/// Memory for a key besides its bytes, roughly.
const KEY_OVERHEAD: usize = 64;

/// The keys of one space with one prefix.
#[derive(Debug)]
pub(crate) struct ChangeLog {
    space: SpaceId,
    prefix: Bytes,
    bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By transaction.
    pending: BTreeMap<u64, BTreeSet<Bytes>>,
    settled: BTreeSet<Bytes>,
    bytes: usize,
    /// For them; `None` where the log is given up.
    memory: Option<Charge>,
    given_up: bool,
}

impl State {
    /// Takes memory for what is there now; `false` if there is none left.
    fn weigh(&mut self) -> bool {
        let bytes = self.bytes;
        self.memory.as_mut().is_none_or(|memory| memory.set(bytes).is_ok())
    }
}

/// Keys that may differ between a snapshot and the one before.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) snapshot: Snapshot,
    /// In order.
    pub(crate) keys: Vec<Bytes>,
}

fn size(key: &Bytes) -> usize {
    key.len() + KEY_OVERHEAD
}

impl ChangeLog {
    fn note(&self, writer: u64, key: &[u8]) {
        let mut state = self.state.lock();
        if state.given_up {
            return;
        }
        let keys = state.pending.entry(writer).or_default();
        if keys.contains(key) {
            return;
        }
        let key = Bytes::copy_from_slice(key);
        let bytes = size(&key);
        keys.insert(key);
        state.bytes += bytes;
        if state.bytes > self.bytes_max || !state.weigh() {
            *state = State { given_up: true, ..State::default() };
        }
    }

    fn settle(&self, writer: u64) {
        let mut state = self.state.lock();
        let keys = state.pending.remove(&writer).unwrap_or_default();
        let twice: usize = keys.iter().filter(|key| state.settled.contains(*key)).map(size).sum();
        state.bytes -= twice;
        state.settled.extend(keys);
        state.weigh();
    }

    fn forget(&self, writer: u64) {
        let mut state = self.state.lock();
        let keys = state.pending.remove(&writer).unwrap_or_default();
        state.bytes -= keys.iter().map(size).sum::<usize>();
        state.weigh();
    }

    /// The next pass; `None` if the log was given up.
    pub(crate) fn pass(&self, db: &Db) -> Option<Pass> {
        let mut state = self.state.lock();
        if state.given_up {
            return None;
        }
        let snapshot = db.snapshot();
        let mut keys = std::mem::take(&mut state.settled);
        state.bytes -= keys.iter().map(size).sum::<usize>();
        state.weigh();
        for pending in state.pending.values() {
            keys.extend(pending.iter().cloned());
        }
        Some(Pass { snapshot, keys: keys.into_iter().collect() })
    }
}

/// The logs that are kept at the moment.
#[derive(Debug, Default)]
pub(super) struct ChangeLogs {
    /// How many there are: usually none.
    count: AtomicUsize,
    list: Mutex<Vec<Arc<ChangeLog>>>,
    writers: AtomicU64,
}

impl ChangeLogs {
    /// Begins a log of the keys of a space with a prefix. Nobody may have written such a key
    /// and not committed it yet.
    pub(super) fn begin(
        &self,
        space: SpaceId,
        prefix: &[u8],
        bytes_max: usize,
        memory: &Arc<MemoryBudget>,
    ) -> Arc<ChangeLog> {
        let prefix = Bytes::copy_from_slice(prefix);
        let state = State { memory: Some(Charge::new(memory)), ..State::default() };
        let log = ChangeLog { space, prefix, bytes_max, state: Mutex::new(state) };
        let log = Arc::new(log);
        let mut list = self.list.lock();
        list.push(Arc::clone(&log));
        self.count.store(list.len(), Ordering::Release);
        log
    }

    pub(super) fn end(&self, log: &Arc<ChangeLog>) {
        let mut list = self.list.lock();
        list.retain(|one| !Arc::ptr_eq(one, log));
        self.count.store(list.len(), Ordering::Release);
    }
}

/// The logs that a transaction has noted keys in.
#[derive(Debug, Default)]
pub(super) struct Noted {
    writer: u64,
    logs: Vec<Arc<ChangeLog>>,
    /// It is being committed, and may become visible.
    committing: bool,
}

impl Noted {
    /// Notes a key that is about to be written.
    #[inline]
    pub(super) fn note(&mut self, logs: &ChangeLogs, space: SpaceId, key: &[u8]) {
        if logs.count.load(Ordering::Acquire) > 0 {
            self.note_in(logs, space, key);
        }
    }

    #[cold]
    fn note_in(&mut self, logs: &ChangeLogs, space: SpaceId, key: &[u8]) {
        let of_key = |log: &&Arc<ChangeLog>| log.space == space && key.starts_with(&log.prefix);
        let found = logs.list.lock().iter().find(of_key).cloned();
        let Some(log) = found else { return };
        if self.logs.is_empty() {
            self.writer = logs.writers.fetch_add(1, Ordering::Relaxed);
        }
        log.note(self.writer, key);
        if !self.logs.iter().any(|one| Arc::ptr_eq(one, &log)) {
            self.logs.push(log);
        }
    }

    /// The commit begins.
    pub(super) fn commit(&mut self) {
        self.committing = true;
    }

    /// The commit is visible, or never will be.
    pub(super) fn decided(&mut self) {
        for log in self.logs.drain(..) {
            log.settle(self.writer);
        }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if !self.committing {
            for log in &self.logs {
                log.forget(self.writer);
            }
        }
    }
}
