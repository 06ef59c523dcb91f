//! The keys that a statement sees and changes, through its transaction.

use std::sync::Arc;

use bytes::Bytes;
use firn_engine::SpaceId;
use firn_engine::key::KeyRange;
use firn_mysql_semantics::error::SqlError;

use super::{Relations, Result};
use crate::session::{from_engine, from_transaction};
use crate::table::OpenTable;
use crate::txn::{
    Direction, Grant, LockMode, LockWait, LockedRow, LockingScan, ReadMode, RowLocks, Scan,
    Transaction,
};

/// How a statement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// What was committed when its snapshot was taken.
    Snapshot,
    /// The newest, each row locked.
    Locking(LockMode),
}

/// Finds the foreign keys of tables.
pub(crate) trait Relate: Send + Sync {
    /// Those of a table and to it; `None` if there are none, or they are not looked at.
    ///
    /// # Errors
    /// As opening the tables on the other side.
    fn relations(&self, table: &OpenTable) -> Result<Option<Arc<Relations>>>;
}

/// A transaction as one statement uses it.
pub(crate) struct View<'t> {
    transaction: &'t mut Transaction,
    reading: Reading,
    wait: LockWait,
    relate: Option<&'t dyn Relate>,
}

impl<'t> View<'t> {
    /// For a statement that reads so, and waits so for locks.
    pub(crate) fn new(transaction: &'t mut Transaction, reading: Reading, wait: LockWait) -> Self {
        Self { transaction, reading, wait, relate: None }
    }

    /// The same, minding foreign keys.
    pub(crate) fn relating(mut self, relate: &'t dyn Relate) -> Self {
        self.relate = Some(relate);
        self
    }

    /// The foreign keys of a table and to it.
    ///
    /// # Errors
    /// As [`Relate::relations`].
    pub(crate) fn relations(&self, table: &OpenTable) -> Result<Option<Arc<Relations>>> {
        self.relate.map_or(Ok(None), |relate| relate.relations(table))
    }

    /// The mode in which rows are locked, if they are.
    pub(crate) fn locks(&self) -> Option<LockMode> {
        match self.reading {
            Reading::Snapshot => None,
            Reading::Locking(mode) => Some(mode),
        }
    }

    fn mode(&self) -> ReadMode {
        match self.reading {
            Reading::Snapshot => ReadMode::Snapshot,
            Reading::Locking(_) => ReadMode::Current,
        }
    }

    /// Ends a statement that was killed. Long loops ask now and then.
    ///
    /// # Errors
    /// 1317, 3024.
    pub(crate) fn check(&self) -> Result<()> {
        self.transaction.interrupt().check().map_err(|error| from_transaction(&error))
    }

    /// The values of several keys.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn get_many(
        &mut self,
        space: SpaceId,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Bytes>>> {
        self.check()?;
        let mode = self.mode();
        if let [key] = keys {
            let value = self.transaction.get(space, key, mode).await;
            return Ok(vec![value.map_err(|error| from_transaction(&error))?]);
        }
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let values = self.transaction.get_many(space, &keys, mode).await;
        values.map_err(|error| from_transaction(&error))
    }

    /// Walks a range. Where rows are locked and others must not insert among them, a
    /// scan of rows locks each, and one of entries their range.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn scan(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
        backward: bool,
        of_rows: bool,
    ) -> Result<Entries> {
        self.check()?;
        let direction = if backward { Direction::Descending } else { Direction::Ascending };
        if let Reading::Locking(mode) = self.reading
            && self.transaction.locks_ranges()
        {
            let rows = if of_rows { RowLocks::Each(mode) } else { RowLocks::None };
            let scan =
                LockingScan::new(space, range.clone(), direction, rows, self.wait, LOCKED_AHEAD);
            return Ok(Entries::Locking { scan, row: None });
        }
        let mode = self.mode();
        let scan = self.transaction.scan(space, range, direction, mode).await;
        Ok(Entries::Plain(Box::new(scan.map_err(|error| from_transaction(&error))?)))
    }

    /// The last key of a range in the newest state, and its value.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn last(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
    ) -> Result<Option<(Bytes, Bytes)>> {
        let scan =
            self.transaction.scan(space, range, Direction::Descending, ReadMode::Current).await;
        let mut scan = scan.map_err(|error| from_transaction(&error))?;
        let row = scan.next().await.map_err(|error| from_transaction(&error))?;
        Ok(row.map(|(key, value)| (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))))
    }

    /// The first key of a range in the newest state, and its value.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn first(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
    ) -> Result<Option<(Bytes, Bytes)>> {
        let scan =
            self.transaction.scan(space, range, Direction::Ascending, ReadMode::Current).await;
        let mut scan = scan.map_err(|error| from_transaction(&error))?;
        let row = scan.next().await.map_err(|error| from_transaction(&error))?;
        Ok(row.map(|(key, value)| (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))))
    }

    /// Keeps a key from being changed by others.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub(crate) async fn lock_shared(&mut self, space: SpaceId, key: &[u8]) -> Result<()> {
        let granted = self.transaction.lock_row(space, key, LockMode::Shared, self.wait).await;
        granted.map(drop).map_err(|error| from_transaction(&error))
    }

    /// Locks a row; `false` if it is taken and SKIP LOCKED was asked for.
    ///
    /// # Errors
    /// 1205, 1213, 3572, 1317.
    pub(crate) async fn lock(&mut self, space: SpaceId, key: &[u8]) -> Result<bool> {
        let mode = self.locks().unwrap_or(LockMode::Exclusive);
        let granted = self.transaction.lock_row(space, key, mode, self.wait).await;
        Ok(granted.map_err(|error| from_transaction(&error))? != Grant::Skipped)
    }

    /// Gives a row back that turned out not to be wanted.
    pub(crate) fn unlock(&mut self, space: SpaceId, key: &[u8]) {
        self.transaction.unlock_row(space, key);
    }

    /// The newest value of a key that is locked.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn current(&mut self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>> {
        let value = self.transaction.get(space, key, ReadMode::Current).await;
        value.map_err(|error| from_transaction(&error))
    }

    /// Makes ready to put a key that must not be there: what is there, if it is.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub(crate) async fn vacant(&mut self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>> {
        let value = self.transaction.lock_for_insert(space, key, self.wait).await;
        value.map_err(|error| from_transaction(&error))
    }

    /// Makes ready to put an entry that ends with its row's key.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub(crate) async fn intend(&mut self, space: SpaceId, key: &[u8]) -> Result<()> {
        let granted = self.transaction.intend_insert(space, key, self.wait).await;
        granted.map(drop).map_err(|error| from_transaction(&error))
    }

    /// Sets a key.
    ///
    /// # Errors
    /// 1197 if the transaction has written too much.
    pub(crate) fn put(&mut self, space: SpaceId, key: &[u8], value: Vec<u8>) -> Result<()> {
        self.transaction.put(space, key, value).map_err(|error| from_transaction(&error))
    }

    /// Removes a key.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub(crate) fn delete(&mut self, space: SpaceId, key: &[u8]) -> Result<()> {
        self.transaction.delete(space, key).map_err(|error| from_transaction(&error))
    }
}

/// Rows that a locking scan locks before they are asked for, at first.
const LOCKED_AHEAD: usize = 16;

/// Entries of a range, one after the other.
pub(crate) enum Entries {
    /// As they were or are.
    Plain(Box<Scan>),
    /// Locked.
    Locking { scan: LockingScan, row: Option<LockedRow> },
}

impl Entries {
    /// The next key and value.
    ///
    /// # Errors
    /// The engine's and the locks'.
    pub(crate) async fn next(&mut self, view: &mut View<'_>) -> Result<Option<(&[u8], &[u8])>> {
        match self {
            Self::Plain(scan) => scan.next().await.map_err(|error| from_transaction(&error)),
            Self::Locking { scan, row } => {
                let next = scan.next(view.transaction).await;
                *row = next.map_err(|error| from_transaction(&error))?;
                Ok(row.as_ref().map(|row| (&row.key[..], &row.value[..])))
            }
        }
    }
}

/// An error of the engine or of what lies on it.
pub(crate) fn engine_error(error: firn_engine::Error) -> SqlError {
    from_engine(&error)
}
