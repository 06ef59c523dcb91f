//! One transaction.

use std::sync::Arc;

use bytes::Bytes;
use firn_engine::db::Snapshot;
use firn_engine::key::KeyRange;
use firn_engine::{Env, Seq, SpaceId};

use super::change_log::Noted;
use super::error::{Error, Result};
use super::interrupt::Interrupt;
use super::lock::{Grant, LockKey, LockMode, LockSet, LockWait, Request};
use super::manager::TransactionManager;
use super::overtaken::Overtaken;
use super::savepoint::Savepoint;
use super::view::{Base, Direction, ReadView, Scan, scan};
use super::write_set::{WriteSet, get_spilled};
use crate::memory::{Charge, MemoryBudget};
use crate::spill::SpillArea;

/// What a transaction sees of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsolationLevel {
    /// Each statement sees what is committed when it begins. READ UNCOMMITTED
    /// is this, too.
    ReadCommitted,
    /// All statements see what was committed when the first one read.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

/// Which committed state a read sees, under the transaction's own writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMode {
    /// The snapshot: consistent reads.
    Snapshot,
    /// The newest: what UPDATE, DELETE and locking reads go by. It holds still
    /// only for keys that are locked.
    Current,
}

/// How a SELECT without a locking clause reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainRead {
    /// From the snapshot, without locks.
    Snapshot,
    /// As if it said FOR SHARE.
    Share,
}

/// The result of a read that locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// The key is locked.
    Row {
        /// Its newest value, or the transaction's own.
        value: Option<Bytes>,
        /// The lock was not held before.
        is_new: bool,
    },
    /// Somebody else has it, and SKIP LOCKED was asked for.
    Skipped,
}

/// See the module. Dropping it rolls it back.
///
/// Futures of all its calls may be dropped at any time; the transaction is then
/// as it was before the call, but for locks.
#[derive(Debug)]
pub struct Transaction {
    pub(super) manager: Arc<TransactionManager>,
    pub(super) isolation: IsolationLevel,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) writes: WriteSet,
    pub(super) savepoints: Vec<Savepoint>,
    /// Statements that were begun and not ended.
    pub(super) statements: u32,
    pub(super) locks: LockSet,
    /// Spaces that need no locks of single keys.
    covered: Vec<SpaceId>,
    pub(super) interrupt: Interrupt,
    /// Rolled back by a deadlock.
    is_over: bool,
    /// Bytes of locks at which it is tried again to hold a table as a whole.
    pub(super) escalate_at: usize,
    pub(super) noted: Noted,
    pub(super) overtaken: Overtaken,
    /// For its writes.
    pub(super) memory: Charge,
}

impl Transaction {
    pub(super) fn new(
        manager: Arc<TransactionManager>,
        locks: LockSet,
        isolation: IsolationLevel,
        interrupt: Interrupt,
    ) -> Self {
        let escalate_at = manager.limits.lock_bytes;
        let memory = Charge::new(manager.memory());
        let overtaken = Overtaken::new(manager.memory());
        Self {
            memory,
            manager,
            isolation,
            snapshot: None,
            writes: WriteSet::default(),
            savepoints: Vec::new(),
            statements: 0,
            locks,
            covered: Vec::new(),
            interrupt,
            is_over: false,
            escalate_at,
            noted: Noted::default(),
            overtaken,
        }
    }

    /// Its isolation level.
    #[must_use]
    pub fn isolation(&self) -> IsolationLevel {
        self.isolation
    }

    /// The switch that ends its waits.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// The database, for what is to stay whatever becomes of the transaction.
    #[must_use]
    pub fn db(&self) -> &firn_engine::Db {
        &self.manager.db
    }

    /// The world.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.manager.env
    }

    /// Number of keys it has written.
    #[must_use]
    pub fn written_keys(&self) -> usize {
        self.writes.len()
    }

    /// Whether it has written anything.
    #[must_use]
    pub fn has_written(&self) -> bool {
        self.writes.len() > 0 || !self.writes.runs().is_empty()
    }

    /// Memory that its writes need, in bytes, roughly.
    #[must_use]
    pub fn written_bytes(&self) -> usize {
        self.writes.bytes()
    }

    /// What all statements together may have in memory.
    #[must_use]
    pub fn memory(&self) -> &Arc<MemoryBudget> {
        self.memory.budget()
    }

    /// Where statements have their temporary files.
    #[must_use]
    pub fn spill_area(&self) -> &Arc<SpillArea> {
        self.manager.spill_area()
    }

    /// Memory for the rows that one statement gathers, in bytes.
    #[must_use]
    pub fn gathered_bytes_max(&self) -> usize {
        self.manager.gathered_bytes_max()
    }

    /// After its writes have become fewer.
    pub(super) fn weigh(&mut self) {
        let bytes = self.writes.bytes();
        self.memory.shrink(self.memory.bytes().saturating_sub(bytes));
    }

    /// After a write.
    fn weigh_more(&mut self) -> Result<()> {
        self.memory.set(self.writes.bytes()).map_err(|_| Error::OutOfMemory)
    }

    /// Number of locks it holds.
    #[must_use]
    pub fn lock_count(&self) -> usize {
        self.locks.len()
    }

    /// Whether it was rolled back already, by a deadlock.
    #[must_use]
    pub fn is_rolled_back(&self) -> bool {
        self.is_over
    }

    /// How much a rollback would lose.
    fn weight(&self) -> u64 {
        (self.writes.len() + self.locks.len()) as u64
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.is_over { Err(Error::RolledBack) } else { Ok(()) }
    }

    /// How a SELECT without a locking clause reads in a transaction of more
    /// than one statement. By itself, in autocommit mode, it always reads a snapshot.
    #[must_use]
    pub fn plain_read(&self) -> PlainRead {
        match self.isolation {
            IsolationLevel::Serializable => PlainRead::Share,
            _ => PlainRead::Snapshot,
        }
    }

    /// Whether locking reads of a range also keep others from inserting into it.
    #[must_use]
    pub fn locks_ranges(&self) -> bool {
        self.isolation != IsolationLevel::ReadCommitted
    }

    /// The snapshot, taken now if there is none: START TRANSACTION WITH
    /// CONSISTENT SNAPSHOT.
    pub fn snapshot(&mut self) -> &Snapshot {
        self.snapshot.get_or_insert_with(|| self.manager.db.snapshot())
    }

    /// What its snapshot sees, if it has one yet.
    #[must_use]
    pub fn snapshot_seq(&self) -> Option<Seq> {
        self.snapshot.as_ref().map(Snapshot::seq)
    }

    pub(super) fn base(&mut self, mode: ReadMode) -> Base<'_> {
        match mode {
            ReadMode::Current => Base::Newest(&self.manager.db),
            ReadMode::Snapshot => Base::At(self.snapshot()),
        }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// The engine's, `RolledBack`.
    pub async fn get(
        &mut self,
        space: SpaceId,
        key: &[u8],
        mode: ReadMode,
    ) -> Result<Option<Bytes>> {
        self.check()?;
        if let Some(own) = self.own(space, key).await? {
            return Ok(own);
        }
        self.base(mode).get(space, key).await
    }

    /// As [`Self::get`] of the snapshot if nothing has to be waited for; `None` if that one has
    /// to be asked.
    ///
    /// # Errors
    /// As [`Self::get`].
    #[inline]
    pub fn try_get(&mut self, space: SpaceId, key: &[u8]) -> Result<Option<Option<Bytes>>> {
        self.check()?;
        if self.has_written() {
            return Ok(None);
        }
        Ok(self.snapshot().try_get(space, key)?)
    }

    /// What it has written to a key itself.
    pub(super) async fn own(&self, space: SpaceId, key: &[u8]) -> Result<Option<Option<Bytes>>> {
        if let Some(write) = self.writes.get(space, key) {
            return Ok(Some(write.value.clone()));
        }
        if self.writes.runs().is_empty() {
            return Ok(None);
        }
        // Boxed, as all that only large transactions do: futures of small ones stay small.
        Box::pin(get_spilled(self.writes.runs(), space, key)).await
    }

    /// The values of several keys, in the order given.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_many(
        &mut self,
        space: SpaceId,
        keys: &[&[u8]],
        mode: ReadMode,
    ) -> Result<Vec<Option<Bytes>>> {
        self.check()?;
        let writes = self.writes.map().map(Arc::clone);
        let runs = Arc::clone(self.writes.runs());
        self.base(mode).get_many(space, keys, writes.as_deref(), &runs).await
    }

    /// Walks a range. The scan stands by itself and does not see what is
    /// written after it was opened.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn scan(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
        direction: Direction,
        mode: ReadMode,
    ) -> Result<Scan> {
        self.check()?;
        let writes = self.writes.map().map(Arc::clone);
        let runs = Arc::clone(self.writes.runs());
        let (db, at) = match mode {
            ReadMode::Current => (Arc::clone(&self.manager.db), None),
            ReadMode::Snapshot => {
                let at = self.snapshot().clone();
                (Arc::clone(&self.manager.db), Some(at))
            }
        };
        scan(&db, at.as_ref(), space, range, direction, writes.as_ref(), &runs).await
    }

    /// What it sees now, apart from it.
    ///
    /// # Errors
    /// `RolledBack`.
    pub fn view(&mut self, mode: ReadMode) -> Result<ReadView> {
        self.check()?;
        let snapshot = match mode {
            ReadMode::Snapshot => Some(self.snapshot().clone()),
            ReadMode::Current => None,
        };
        let writes = self.writes.map().map(Arc::clone);
        let runs = Arc::clone(self.writes.runs());
        Ok(ReadView { db: Arc::clone(&self.manager.db), snapshot, writes, runs })
    }

    /// The end of every call that may find a deadlock.
    fn after<T>(&mut self, result: Result<T>) -> Result<T> {
        if matches!(result, Err(Error::Deadlock)) {
            self.is_over = true;
            self.snapshot = None;
            self.writes.clear();
            self.weigh();
            self.savepoints.clear();
            self.locks.release_all();
        }
        result
    }

    /// Locks a key of any kind until the end of the transaction.
    ///
    /// # Errors
    /// `LockWaitTimeout`, `LockTaken`, `Interrupted`, `TooManyLocks`,
    /// `RolledBack`; and `Deadlock`, after which the transaction is rolled back.
    pub async fn lock(&mut self, key: LockKey, mode: LockMode, wait: LockWait) -> Result<Grant> {
        self.check()?;
        let weight = self.weight();
        let request = Request { wait, interrupt: &self.interrupt, weight };
        let locked = self.locks.lock(key, mode, request).await;
        self.after(locked)
    }

    /// Holds a key in a weaker mode from now on.
    pub(crate) fn downgrade(&mut self, key: &LockKey, mode: LockMode) {
        self.locks.downgrade(key, mode);
    }

    /// Says that a lock of something larger covers all keys of a space: from
    /// now on none of them is locked by itself. For statements that write too
    /// many rows to lock each: they hold their table exclusively.
    pub fn cover(&mut self, space: SpaceId) {
        if !self.is_covered(space) {
            self.covered.push(space);
        }
    }

    pub(super) fn is_covered(&self, space: SpaceId) -> bool {
        self.covered.contains(&space)
    }

    /// Locks a key of a space, whether it exists or not.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub async fn lock_row(
        &mut self,
        space: SpaceId,
        key: &[u8],
        mode: LockMode,
        wait: LockWait,
    ) -> Result<Grant> {
        if self.is_covered(space) {
            return self.check().map(|()| Grant::Held);
        }
        self.lock(LockKey::Row(space, Bytes::copy_from_slice(key)), mode, wait).await
    }

    /// Locks a key and reads it: what UPDATE, DELETE and locking reads do for
    /// each row.
    ///
    /// # Errors
    /// As [`Self::lock`]; the engine's.
    pub async fn get_locked(
        &mut self,
        space: SpaceId,
        key: &[u8],
        mode: LockMode,
        wait: LockWait,
    ) -> Result<Locked> {
        let is_new = match self.lock_row(space, key, mode, wait).await? {
            Grant::New => true,
            Grant::Held => false,
            Grant::Skipped => return Ok(Locked::Skipped),
        };
        let value = self.get(space, key, ReadMode::Current).await?;
        Ok(Locked::Row { value, is_new })
    }

    /// Makes ready to insert a key: locks it, reads what is there, and if
    /// nothing is, waits until nobody else keeps the place. `None`: go ahead
    /// and [`Self::put`] it.
    ///
    /// # Errors
    /// As [`Self::get_locked`].
    pub async fn lock_for_insert(
        &mut self,
        space: SpaceId,
        key: &[u8],
        wait: LockWait,
    ) -> Result<Option<Bytes>> {
        let mut intended = false;
        loop {
            let grant = self.lock_row(space, key, LockMode::Exclusive, wait).await?;
            let own = self.own(space, key).await?;
            if let Some(Some(value)) = own {
                return Ok(Some(value));
            }
            let committed = self.base(ReadMode::Current).get(space, key).await?;
            if own.is_none() && committed.is_some() {
                return Ok(committed);
            }
            // Over a row of one's own that is only deleted so far, the lock of the
            // row keeps others away.
            if intended || committed.is_some() {
                return Ok(None);
            }
            match self.intend_insert(space, key, LockWait::NoWait).await {
                Ok(_) => return Ok(None),
                Err(Error::LockTaken) if wait != LockWait::NoWait => {}
                Err(error) => return Err(error),
            }
            // Who keeps the place may insert the key himself meanwhile.
            if grant == Grant::New {
                self.locks.unlock(&LockKey::Row(space, Bytes::copy_from_slice(key)));
            }
            self.intend_insert(space, key, wait).await?;
            intended = true;
        }
    }

    /// Waits until nobody else keeps a place where a key is to be inserted.
    /// Enough by itself for entries of an index that include the row's own
    /// key: that one's lock keeps them unique.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub async fn intend_insert(
        &mut self,
        space: SpaceId,
        key: &[u8],
        wait: LockWait,
    ) -> Result<Grant> {
        self.check()?;
        if self.is_covered(space) {
            return Ok(Grant::Held);
        }
        let weight = self.weight();
        let request = Request { wait, interrupt: &self.interrupt, weight };
        let intended = self.locks.intend_insert(space, key, request).await;
        self.after(intended)
    }

    /// Keeps others from inserting into a range, after their inserts that are
    /// on their way are decided.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub async fn lock_range(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
        wait: LockWait,
    ) -> Result<Grant> {
        self.check()?;
        if self.is_covered(space) {
            return Ok(Grant::Held);
        }
        let weight = self.weight();
        let request = Request { wait, interrupt: &self.interrupt, weight };
        let locked = self.locks.lock_range(space, range, request).await;
        self.after(locked)
    }

    /// Waits until the inserts of others into a range are decided, and locks
    /// nothing: what READ COMMITTED does in place of [`Self::lock_range`].
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub async fn await_inserts(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
        wait: LockWait,
    ) -> Result<()> {
        self.check()?;
        if self.is_covered(space) {
            return Ok(());
        }
        let weight = self.weight();
        let request = Request { wait, interrupt: &self.interrupt, weight };
        let waited = self.locks.await_inserts(space, range, request).await;
        self.after(waited)
    }

    /// Takes back one lock of a row that turned out not to be wanted, if READ
    /// COMMITTED allows it and the row was not written. What an earlier
    /// statement has locked, too, stays locked.
    pub fn unlock_row(&mut self, space: SpaceId, key: &[u8]) {
        // What is in files is not looked at here: the lock stays.
        let may_be_written = self.writes.runs().iter().any(|run| run.has_space(space));
        if self.isolation == IsolationLevel::ReadCommitted
            && !may_be_written
            && self.writes.get(space, key).is_none()
        {
            self.locks.unlock(&LockKey::Row(space, Bytes::copy_from_slice(key)));
        }
    }

    /// Sets a key. The caller holds a lock that covers it: see the protocol of a write.
    /// After an error the statement has to be taken back.
    ///
    /// # Errors
    /// `TooLarge`, `OutOfMemory`, `RolledBack`.
    pub fn put(&mut self, space: SpaceId, key: &[u8], value: impl Into<Bytes>) -> Result<()> {
        self.check()?;
        let limit = self.manager.limits.write_bytes_max;
        self.noted.note(&self.manager.logs, space, key);
        self.writes.put(space, key, Some(value.into()), limit)?;
        self.weigh_more()
    }

    /// Removes a key. As [`Self::put`].
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn delete(&mut self, space: SpaceId, key: &[u8]) -> Result<()> {
        self.check()?;
        let limit = self.manager.limits.write_bytes_max;
        self.noted.note(&self.manager.logs, space, key);
        self.writes.put(space, key, None, limit)?;
        self.weigh_more()
    }

    /// Gives back all locks and the snapshot of a transaction that has written nothing.
    pub(super) fn begin_anew(&mut self) {
        self.snapshot = None;
        self.covered.clear();
        self.locks.release_all();
    }

    /// Takes everything back, and gives back all locks.
    pub fn roll_back(self) {
        drop(self);
    }
}
