//! Transactions over keys: snapshots, locks, savepoints, commit.
//!
//! It knows spaces and bytes, neither tables nor SQL, and behaves as InnoDB
//! does.
//!
//! # The protocol of a write
//!
//! 1. *lock*: the key's exclusive lock ([`Transaction::lock_row`] and what is
//!    built on it).
//! 2. *read*: the newest committed value, under own writes
//!    ([`ReadMode::Current`]), never the snapshot's.
//! 3. *write*: into memory of the transaction ([`Transaction::put`]).
//! 4. *commit*: all writes as one batch of the engine: durable, then applied.
//! 5. *publish*: the engine shows the batch to readers, all of it at once.
//! 6. *release*: the locks go, and who waited for them begins at 2.
//!
//! Reading before locking would lose the update of whoever held the lock.
//! Releasing before publishing would let the next owner read what was there
//! before. Whoever inserts a key that does not exist also asks, between 2 and
//! 3, for permission to insert ([`Transaction::lock_for_insert`]), which keeps
//! him out of ranges that others have locked.
//!
//! # What ends it early
//!
//! - *Cancelled* (dropped, killed, timed out) while it waits for a lock: the
//!   wait leaves nothing behind. Up to 4 a transaction that is dropped is rolled
//!   back: its writes are in memory only, its locks go with it.
//! - *Dropped during 4 or 5, or the engine does not know the outcome*: the
//!   batch may yet become visible, so nobody may read the keys for writing
//!   before that is decided. The locks are handed to a task that holds them
//!   until a barrier behind the batch is through, or the engine has failed for
//!   good and takes no more writes ([`TransactionManager::settle`]). The
//!   session itself waits for them like any other.
//! - *Crash*: before the batch is durable nothing of it is found afterwards;
//!   after that all of it. Locks are memory only and die with the process.
//! - *Deadlock*: the victim is rolled back at once, inside the call that
//!   returns the error, since the others wait for its locks.
//! - *Any other error* in 1 to 3 leaves the transaction as it was. The caller
//!   takes back its statement with [`Transaction::roll_back_statement`]; locks
//!   stay, as in InnoDB.
//!
//! # Isolation
//!
//! | level | consistent reads | locking reads of ranges |
//! |---|---|---|
//! | READ COMMITTED | a snapshot for each statement | lock rows |
//! | REPEATABLE READ | one snapshot, taken by the first | lock rows and keep others from inserting between them |
//! | SERIALIZABLE | none: [`Transaction::plain_read`] says to read with shared locks | as above |
//!
//! READ UNCOMMITTED is READ COMMITTED: writes of others are nowhere to be read.
//!
//! # What statements call
//!
//! Each between [`Transaction::begin_statement`] and
//! [`Transaction::end_statement`], or [`Transaction::roll_back_statement`].
//!
//! | statement | calls |
//! |---|---|
//! | SELECT | [`Transaction::get`], [`Transaction::scan`] or [`Transaction::view`] with [`ReadMode::Snapshot`]; FOR SHARE where [`Transaction::plain_read`] says so |
//! | FOR UPDATE, FOR SHARE, UPDATE, DELETE by key | [`Transaction::get_locked`], then [`Transaction::put`] or [`Transaction::delete`] |
//! | the same by range | [`LockingScan`] with [`RowLocks::Each`] |
//! | the same by an index | [`LockingScan`] with [`RowLocks::None`] over its entries, then `get_locked` of each row, and a look whether it still matches |
//! | INSERT | [`Transaction::lock_for_insert`] of the row and of each unique entry, which gives what is there already |
//! | an entry of another index comes | [`Transaction::intend_insert`], then `put` |
//! | an entry goes | `delete`; of a unique index after [`Transaction::lock_row`], so that who wants the same value waits |
//! | all of them | [`Transaction::lock`] of the [`LockKey::Table`] first: intention modes for rows, shared and exclusive for tables as a whole |
//!
//! What a statement writes is not seen by scans that are open; what it has not
//! reached of a [`LockingScan`] is. Who writes into the range that he scans
//! collects what he wants to change first.
//!
//! # Large transactions
//!
//! Between rows a statement calls [`Transaction::spill_if_large`], which puts
//! the writes into files when they need too much memory, and where
//! [`Transaction::wants_escalation`] says so [`Transaction::escalate`], which
//! holds the table in place of its rows. 4 and 5 are then one edit of the
//! manifest that names the files.
//!
//! # Where it differs from InnoDB
//!
//! - A locking read of a single key that does not exist locks that key, not
//!   the gap around it. A second such reader waits, where in InnoDB both
//!   go on and their inserts deadlock.
//! - A range is locked as it was asked for, not up to the next row behind it.
//! - A locking scan of READ COMMITTED looks at most twice: rows that come while
//!   it waits for those of the second look are not seen.
//! - An insert that finds a row with its key holds that row exclusively, where
//!   InnoDB holds it shared.
//! - An UPDATE of READ COMMITTED waits for rows that others have locked before
//!   it looks whether they match; InnoDB looks at what was committed first.

mod change_log;
mod commit;
mod error;
mod interrupt;
mod lock;
mod locking_scan;
mod manager;
mod overtaken;
mod savepoint;
#[cfg(test)]
mod tests;
mod transaction;
mod view;
mod write_set;

pub(crate) use change_log::ChangeLog;
pub use error::{Error, Result};
pub use interrupt::{Interrupt, Why};
pub use lock::{
    Grant, LockKey, LockLimits, LockMode, LockSet, LockTable, LockWait, OwnerId, Request,
};
pub use locking_scan::{LockedRow, LockingScan, RowLocks};
pub use manager::{Limits, TransactionManager};
pub use savepoint::StatementMark;
pub use transaction::{IsolationLevel, Locked, PlainRead, ReadMode, Transaction};
pub use view::{Direction, ReadView, Scan};
