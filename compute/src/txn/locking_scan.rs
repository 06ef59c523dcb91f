//! Ranges that are read and locked: SELECT … FOR UPDATE, UPDATE, DELETE.
//!
//! A batch of rows at a time:
//!
//! 1. read the keys, without locks;
//! 2. lock them, in order;
//! 3. wait for the inserts of others into the range they were found in, and
//!    lock it, if the isolation level asks for that;
//! 4. if anything was committed since 1, read again, and if there are new rows,
//!    lock them, too, and read once more.
//!
//! In the end, no commit lies between the last read and the last lock, so what
//! was read is current and, with the range locked, complete: nobody else has
//! inserted into it since the first time that 3 was done. The range comes after
//! the rows, so that who waits for a row does not keep its owner from inserting
//! beside it.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use firn_engine::SpaceId;
use firn_engine::key::{KeyRange, successor};

use super::error::Result;
use super::lock::{Grant, LockMode, LockWait};
use super::transaction::{ReadMode, Transaction};
use super::view::Direction;

/// Rows of a batch at most.
const BATCH_MAX: usize = 256;

/// Whether a locking scan locks what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowLocks {
    /// Each key, in this mode.
    Each(LockMode),
    /// No key, the range only: for entries of an index whose rows the caller
    /// locks, and then looks whether the entry still holds.
    None,
}

/// A row as found by a [`LockingScan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedRow {
    /// Without its space.
    pub key: Bytes,
    /// Its newest value, or the transaction's own.
    pub value: Bytes,
    /// The lock was not held before.
    pub is_new: bool,
}

/// See the module. It does not see what the transaction writes into the batch
/// that it has read; what it writes further on is seen.
#[derive(Debug)]
pub struct LockingScan {
    space: SpaceId,
    direction: Direction,
    rows: RowLocks,
    wait: LockWait,
    /// What was not read yet.
    left: Option<KeyRange>,
    batch_rows: usize,
    /// Later batches are larger.
    grows: bool,
    batch: VecDeque<LockedRow>,
}

impl LockingScan {
    /// Over a range of a space. `expected_rows`: how many the caller wants
    /// first, so that not many more are locked.
    #[must_use]
    pub fn new(
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
        rows: RowLocks,
        wait: LockWait,
        expected_rows: usize,
    ) -> Self {
        let left = (!range.is_empty()).then_some(range);
        let batch_rows = expected_rows.clamp(1, BATCH_MAX);
        let batch = VecDeque::new();
        Self { space, direction, rows, wait, left, batch_rows, grows: true, batch }
    }

    /// The same, never with more rows at a time than were expected first.
    #[must_use]
    pub fn steady(mut self) -> Self {
        self.grows = false;
        self
    }

    /// The next row; `None` at the end. After an error, and after its future was
    /// dropped, the same rows are tried again.
    ///
    /// # Errors
    /// As [`Transaction::get_locked`].
    pub async fn next(&mut self, transaction: &mut Transaction) -> Result<Option<LockedRow>> {
        while self.batch.is_empty() {
            let Some(left) = self.left.clone() else { return Ok(None) };
            self.fill(transaction, left).await?;
        }
        Ok(self.batch.pop_front())
    }

    async fn fill(&mut self, transaction: &mut Transaction, left: KeyRange) -> Result<()> {
        let mut seen = transaction.manager.db.last_seq();
        let mut rows = self.read(transaction, &left, self.batch_rows).await?;
        // What the batch is about, and what comes after it.
        let (part, rest) = match rows.last() {
            Some((last, _)) if rows.len() >= self.batch_rows => split(&left, last, self.direction),
            _ => (left, None),
        };
        let ranges = transaction.locks_ranges();
        let mut locked = BTreeSet::new();
        let mut new = BTreeSet::new();
        let mut skipped = BTreeSet::new();
        let mut is_last = false;
        loop {
            if let RowLocks::Each(mode) = self.rows {
                for (key, _) in rows.iter().filter(|(key, _)| !locked.contains(key)) {
                    match transaction.lock_row(self.space, key, mode, self.wait).await? {
                        Grant::New => {
                            new.insert(key.clone());
                        }
                        Grant::Held => {}
                        Grant::Skipped => {
                            skipped.insert(key.clone());
                        }
                    }
                }
            }
            locked.extend(rows.iter().map(|(key, _)| key.clone()));
            if ranges {
                transaction.lock_range(self.space, &part, self.wait).await?;
            } else {
                transaction.await_inserts(self.space, &part, self.wait).await?;
            }
            let now = transaction.manager.db.last_seq();
            if now == seen {
                break;
            }
            seen = now;
            rows = self.read(transaction, &part, usize::MAX).await?;
            if is_last {
                rows.retain(|(key, _)| locked.contains(key));
            }
            if is_last || rows.iter().all(|(key, _)| locked.contains(key)) {
                break;
            }
            // With the range locked there can be no others. Without it others
            // insert as they like, and what they do now is not for this batch.
            is_last = true;
        }
        let rows = rows.into_iter().filter(|(key, _)| !skipped.contains(key));
        let row = |(key, value)| LockedRow { is_new: new.contains(&key), key, value };
        self.batch = rows.map(row).collect();
        self.left = rest;
        if self.grows {
            self.batch_rows = (self.batch_rows * 2).min(BATCH_MAX);
        }
        Ok(())
    }

    async fn read(
        &self,
        transaction: &mut Transaction,
        range: &KeyRange,
        max: usize,
    ) -> Result<Vec<(Bytes, Bytes)>> {
        let mode = ReadMode::Current;
        let mut scan = transaction.scan(self.space, range, self.direction, mode).await?;
        scan.collect(max).await
    }
}

/// The part of a range up to and including `last`, and what is left of it.
fn split(range: &KeyRange, last: &Bytes, direction: Direction) -> (KeyRange, Option<KeyRange>) {
    let (part, rest) = match direction {
        Direction::Ascending => {
            let after = successor(last);
            let part = KeyRange { start: range.start.clone(), end: Some(after.clone()) };
            (part, KeyRange { start: after, end: range.end.clone() })
        }
        Direction::Descending => {
            let part = KeyRange { start: last.clone(), end: range.end.clone() };
            (part, KeyRange { start: range.start.clone(), end: Some(last.clone()) })
        }
    };
    (part, (!rest.is_empty()).then_some(rest))
}
