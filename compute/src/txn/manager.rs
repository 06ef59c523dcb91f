//! What all transactions of a database share.

use std::sync::{Arc, Weak};
use std::time::Duration;

use firn_engine::{Db, Env, SpaceId, TaskClass};

use super::change_log::{ChangeLog, ChangeLogs};
use super::interrupt::Interrupt;
use super::lock::{LockLimits, LockSet, LockTable, OwnerId};
use super::transaction::{IsolationLevel, Transaction};

/// Pause before a barrier is tried again.
const SETTLE_PAUSE: Duration = Duration::from_millis(100);

/// What one transaction, or all, may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory for what one row or statement writes at a time, in bytes; less than
    /// [`firn_engine::batch::BATCH_LEN_MAX`].
    pub write_bytes_max: usize,
    /// Memory for the writes of one transaction, in bytes: past it they go to files.
    pub spill_bytes: usize,
    /// Locks of one transaction: past it tables are locked as a whole where that is free.
    pub row_locks: usize,
    /// Locks.
    pub locks: LockLimits,
}

impl Default for Limits {
    fn default() -> Self {
        let (write_bytes_max, spill_bytes) = (128 << 20, 48 << 20);
        Self { write_bytes_max, spill_bytes, row_locks: 100_000, locks: LockLimits::default() }
    }
}

/// See the module of transactions.
#[derive(Debug)]
pub struct TransactionManager {
    pub(super) db: Arc<Db>,
    pub(super) limits: Limits,
    env: Env,
    locks: Arc<LockTable>,
    pub(super) logs: ChangeLogs,
}

impl TransactionManager {
    /// For a database that nobody else writes to.
    #[must_use]
    pub fn new(db: Arc<Db>, env: Env, limits: Limits) -> Arc<Self> {
        let locks = LockTable::new(env.clone(), limits.locks);
        Arc::new(Self { db, limits, env, locks, logs: ChangeLogs::default() })
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
        self.logs.begin(space, prefix, bytes_max)
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
