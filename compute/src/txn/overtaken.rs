//! Rows that a transaction changes over versions that its snapshot does not see.
//!
//! A snapshot's index has entries of the row as it was. The transaction's own writes are
//! about the row as it is now: they take away entries that the snapshot has not, and leave
//! those that it has. So such rows are remembered. Who changes one puts all its entries,
//! changed or not; and of the snapshot's entries of it only those count that the transaction
//! has put itself. Under READ COMMITTED a statement's snapshot is as new as what it locks.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::SpaceId;

use super::error::{Error, Result};
use super::transaction::{IsolationLevel, ReadMode, Transaction};
use crate::memory::{Charge, MemoryBudget};

/// Memory for a row besides its key, in bytes, roughly.
const ROW_BYTES: usize = 112;

/// See the module.
#[derive(Debug)]
pub(super) struct Overtaken {
    rows: BTreeSet<(SpaceId, Bytes)>,
    memory: Charge,
}

impl Overtaken {
    pub(super) fn new(memory: &Arc<MemoryBudget>) -> Self {
        Self { rows: BTreeSet::new(), memory: Charge::new(memory) }
    }
}

impl Transaction {
    /// Called before the row at `key`, which is locked, is changed: whether others have
    /// changed it since the snapshot. Then all its entries have to be put.
    ///
    /// # Errors
    /// The engine's; `TooManyLocks` if there are too many such rows.
    pub async fn overtakes(&mut self, space: SpaceId, key: &[u8]) -> Result<bool> {
        if self.snapshot.is_none() || self.isolation == IsolationLevel::ReadCommitted {
            return Ok(false);
        }
        // Since its first change nobody else could.
        if self.own(space, key).await?.is_some() {
            return Ok(false);
        }
        let then = self.base(ReadMode::Snapshot).get(space, key).await?;
        let now = self.base(ReadMode::Current).get(space, key).await?;
        if then == now {
            return Ok(false);
        }
        // As with locks, too many are an error.
        if self.overtaken.memory.grow(ROW_BYTES + key.len()).is_err() {
            return Err(Error::TooManyLocks { limit: self.overtaken.rows.len() });
        }
        self.overtaken.rows.insert((space, Bytes::copy_from_slice(key)));
        Ok(true)
    }

    /// Whether entries of the snapshot may be of such rows.
    #[must_use]
    pub fn has_overtaken(&self) -> bool {
        !self.overtaken.rows.is_empty()
    }

    /// Whether an entry that a scan of the snapshot gave, of the row at `row_key`, is no
    /// longer one as the transaction sees that row.
    ///
    /// # Errors
    /// The engine's.
    pub async fn hides(&self, space: SpaceId, entry_key: &[u8], row_key: &[u8]) -> Result<bool> {
        let row = (space, Bytes::copy_from_slice(row_key));
        if !self.overtaken.rows.contains(&row) {
            return Ok(false);
        }
        // Rolled back to before the change, the row is again as the snapshot has it.
        if self.own(space, row_key).await?.is_none() {
            return Ok(false);
        }
        Ok(!matches!(self.own(space, entry_key).await?, Some(Some(_))))
    }
}
