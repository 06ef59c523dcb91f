//! The end of a transaction, and what large ones do on the way: their writes go to files,
//! their locks become one of the table.

use firn_engine::{ErrorKind, Seq, SpaceId};

use super::error::{Error, Result};
use super::lock::{LockKey, LockMode, LockSet, LockWait};
use super::manager::TransactionManager;
use super::transaction::Transaction;

impl Transaction {
    /// Puts its writes into files if they need too much memory. Between rows: what one row
    /// writes has to fit.
    ///
    /// # Errors
    /// The engine's; nothing has changed then.
    pub async fn spill_if_large(&mut self) -> Result<()> {
        let bytes = self.writes.bytes();
        if bytes < self.manager.spill_bytes(bytes) {
            return Ok(());
        }
        self.check()?;
        Box::pin(self.spill()).await
    }

    async fn spill(&mut self) -> Result<()> {
        let spilled = {
            let _turn = self.manager.spills.acquire().await;
            self.writes.spill(&self.manager.db).await
        };
        self.weigh();
        spilled
    }

    /// Whether it holds so many locks that a table should be held as a whole.
    #[must_use]
    pub fn wants_escalation(&self) -> bool {
        self.locks.bytes() >= self.escalate_at
    }

    /// The space with the most locks of keys and ranges.
    #[must_use]
    pub fn most_locked(&self) -> Option<SpaceId> {
        self.locks.most_locked()
    }

    /// Holds a table as a whole in place of the rows of its space, if nobody else has locked
    /// any of it. `false` if somebody has: rows are locked one by one still.
    ///
    /// # Errors
    /// `TooManyLocks`, `RolledBack`.
    pub async fn escalate(&mut self, table: LockKey, space: SpaceId) -> Result<bool> {
        self.escalate_at = self.locks.bytes() + self.manager.limits.lock_bytes;
        let mode = LockMode::SharedIntentionExclusive;
        match self.lock(table, mode, LockWait::NoWait).await {
            Ok(_) => {
                self.cover(space);
                self.locks.release_space(space);
                self.escalate_at = self.locks.bytes() + self.manager.limits.lock_bytes;
                Ok(true)
            }
            Err(Error::LockTaken) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Forgets what was written to a space that is gone: nobody else knew of it.
    pub fn forget_space(&mut self, space: SpaceId) {
        self.writes.forget_space(space);
        self.weigh();
    }

    /// Commits: on return all writes are durable and visible, at the returned
    /// seq; `None` if there were none.
    ///
    /// Dropping the future does not undo a commit that has begun.
    ///
    /// # Errors
    /// The engine's: with [`Error::is_outcome_unknown`] it may have taken
    /// effect, otherwise nothing has, and the transaction is rolled back.
    pub async fn commit(self) -> Result<Option<Seq>> {
        self.check()?;
        let Self { manager, writes, snapshot, locks, mut noted, mut memory, .. } = self;
        drop(snapshot);
        // On its way to the journal and to the memtable it is there twice.
        let fits = writes.runs().is_empty() && memory.grow(writes.bytes()).is_ok();
        let result = if fits {
            let batch = writes.batch()?;
            drop(writes);
            if batch.is_empty() {
                return Ok(None);
            }
            let undecided = Undecided { manager: &manager, locks: Some(locks) };
            noted.commit();
            (manager.db.write(&batch).await, undecided)
        } else {
            let run = {
                let _turn = manager.spills.acquire().await;
                Box::pin(writes.into_run(&manager.db)).await?
            };
            drop(memory);
            let undecided = Undecided { manager: &manager, locks: Some(locks) };
            noted.commit();
            (Box::pin(manager.db.commit_run(run)).await, undecided)
        };
        let (result, mut undecided) = result;
        if !matches!(&result, Err(e) if e.kind() == ErrorKind::OutcomeUnknown) {
            noted.decided();
            drop(undecided.locks.take());
        }
        Ok(Some(result?))
    }

    /// Commits one that has written nothing, which nothing has to be waited for.
    ///
    /// # Errors
    /// `RolledBack`.
    pub fn end_unwritten(self) -> Result<()> {
        assert!(!self.has_written(), "what was written has to be committed");
        self.check()
    }
}

/// Locks of a commit that is under way.
struct Undecided<'a> {
    manager: &'a TransactionManager,
    locks: Option<LockSet>,
}

impl Drop for Undecided<'_> {
    fn drop(&mut self) {
        if let Some(locks) = self.locks.take() {
            self.manager.settle(locks);
        }
    }
}
