//! What all transactions of a database share.

use std::sync::{Arc, Weak};
use std::time::Duration;

use firn_engine::{Db, Env, SpaceId, TaskClass};
use tokio::sync::Semaphore;

use super::change_log::{ChangeLog, ChangeLogs};
use super::interrupt::Interrupt;
use super::lock::{LockLimits, LockSet, LockTable, OwnerId};
use super::transaction::{IsolationLevel, Transaction};
use crate::memory::MemoryBudget;
use crate::spill::SpillArea;

/// Pause before a barrier is tried again.
const SETTLE_PAUSE: Duration = Duration::from_millis(100);

/// Memory for all statements if nothing else is said, in bytes.
const MEMORY_BYTES: usize = 1 << 30;

/// A transaction with less than this in memory does not put it into files, in bytes.
const SPILL_BYTES_MIN: usize = 256 << 10;

/// What one transaction, or all, may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory for everything that statements and transactions keep, all together, in bytes.
    pub memory_bytes: usize,
    /// Memory for what one row or statement writes at a time, in bytes; less than
    /// [`firn_engine::batch::BATCH_LEN_MAX`].
    pub write_bytes_max: usize,
    /// Memory for the writes of one transaction, in bytes: past it they go to files. If
    /// others need much, a transaction has less.
    pub spill_bytes: usize,
    /// Memory for the rows that one statement gathers, in bytes.
    pub gathered_bytes_max: usize,
    /// Transactions that put writes into files, or merge such files, at the same time.
    pub spills_at_once: usize,
    /// Memory for the locks of one transaction, in bytes: past it tables are locked as a
    /// whole where that is free.
    pub lock_bytes: usize,
    /// Locks.
    pub locks: LockLimits,
}

impl Limits {
    /// Limits of statements that may have so many bytes of memory together.
    #[must_use]
    pub fn for_memory(bytes: usize) -> Self {
        Self {
            memory_bytes: bytes,
            write_bytes_max: (bytes / 2).min(128 << 20),
            spill_bytes: (bytes / 8).min(48 << 20),
            gathered_bytes_max: (bytes / 2).min(1 << 30),
            spills_at_once: if bytes < 256 << 20 { 1 } else { 2 },
            lock_bytes: bytes / 4,
            locks: LockLimits::for_memory(bytes),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::for_memory(MEMORY_BYTES)
    }
}

/// See the module of transactions.
#[derive(Debug)]
pub struct TransactionManager {
    pub(super) db: Arc<Db>,
    pub(super) limits: Limits,
    pub(super) env: Env,
    memory: Arc<MemoryBudget>,
    pub(super) spills: Semaphore,
    area: Arc<SpillArea>,
    locks: Arc<LockTable>,
    pub(super) logs: ChangeLogs,
}

impl TransactionManager {
    /// For a database that nobody else writes to.
    #[must_use]
    pub fn new(db: Arc<Db>, env: Env, limits: Limits) -> Arc<Self> {
        Self::spilling(db, env, limits, Arc::default())
    }

    /// The same, with temporary files in this folder.
    #[must_use]
    pub fn spilling(db: Arc<Db>, env: Env, limits: Limits, area: Arc<SpillArea>) -> Arc<Self> {
        let memory = MemoryBudget::new(limits.memory_bytes);
        let locks = LockTable::new(env.clone(), limits.locks, Arc::clone(&memory));
        let spills = Semaphore::new(limits.spills_at_once.max(1));
        let logs = ChangeLogs::default();
        Arc::new(Self { db, limits, env, memory, spills, area, locks, logs })
    }

    /// What all statements together have in memory.
    #[must_use]
    pub fn memory(&self) -> &Arc<MemoryBudget> {
        &self.memory
    }

    /// Where statements have their temporary files.
    #[must_use]
    pub fn spill_area(&self) -> &Arc<SpillArea> {
        &self.area
    }

    /// Memory for the rows that one statement gathers, in bytes.
    #[must_use]
    pub fn gathered_bytes_max(&self) -> usize {
        self.limits.gathered_bytes_max
    }

    /// At how many bytes a transaction's writes go to files, now.
    pub(super) fn spill_bytes(&self, has: usize) -> usize {
        let share = self.memory.fair_share(has).max(SPILL_BYTES_MIN);
        self.limits.spill_bytes.min(share)
    }

    /// The database. A single read of the newest committed state needs no
    /// transaction.
    #[must_use]
    pub fn db(&self) -> &Arc<Db> {
        &self.db
    }

    /// All locks.
    #[must_use]
    pub fn locks(&self) -> &Arc<LockTable> {
        &self.locks
    }

    /// Begins to note which keys of a space with a prefix are written. Nobody may have
    /// written such a key and not committed it yet.
    pub(crate) fn log_changes(
        &self,
        space: SpaceId,
        prefix: &[u8],
        bytes_max: usize,
    ) -> Arc<ChangeLog> {
        self.logs.begin(space, prefix, bytes_max, &self.memory)
    }

    /// Ends what [`Self::log_changes`] began.
    pub(crate) fn end_log(&self, log: &Arc<ChangeLog>) {
        self.logs.end(log);
    }

    /// Locks that a session holds beyond its transactions: LOCK TABLES,
    /// GET_LOCK. They never conflict with those of its transactions.
    #[must_use]
    pub fn lock_set(&self, session: OwnerId) -> LockSet {
        LockSet::new(Arc::clone(&self.locks), session)
    }

    /// Begins a transaction. It costs nothing until it reads or writes.
    #[must_use]
    pub fn begin(
        self: &Arc<Self>,
        session: OwnerId,
        isolation: IsolationLevel,
        interrupt: Interrupt,
    ) -> Transaction {
        Transaction::new(Arc::clone(self), self.lock_set(session), isolation, interrupt)
    }

    /// Holds the locks of a transaction until it is decided whether its commit
    /// takes effect.
    pub(super) fn settle(&self, mut locks: LockSet) {
        if locks.is_empty() {
            return;
        }
        locks.abandon();
        let (env, db) = (self.env.clone(), Arc::downgrade(&self.db));
        self.env.spawn(TaskClass::Foreground, "settle a commit", async move {
            while !is_decided(&db).await {
                env.sleep(env.jittered(SETTLE_PAUSE)).await;
            }
            drop(locks);
        });
    }
}

/// Whether all commits that were begun are visible by now or never will be.
async fn is_decided(db: &Weak<Db>) -> bool {
    // Closed, or failed for good: nobody commits what he reads any more.
    let Some(db) = db.upgrade() else { return true };
    match db.barrier().await {
        Ok(_) => true,
        Err(e) => db.failure().is_some() || e.kind() == firn_engine::ErrorKind::BadRequest,
    }
}
