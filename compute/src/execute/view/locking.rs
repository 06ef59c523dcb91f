//! Keys that a statement locks, or waits for.

use bytes::Bytes;
use firn_engine::SpaceId;
use firn_engine::key::KeyRange;

use super::View;
use crate::execute::Result;
use crate::session::from_transaction;
use crate::txn::{Grant, LockMode};

impl View<'_> {
    /// Waits until nobody else uses a key that is about to go, and keeps it.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub(crate) async fn lock_exclusive(&mut self, space: SpaceId, key: &[u8]) -> Result<()> {
        let granted = self.transaction.lock_row(space, key, LockMode::Exclusive, self.wait).await;
        granted.map(drop).map_err(|error| from_transaction(&error))
    }

    /// Waits until the inserts of others into a range are decided.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub(crate) async fn await_inserts(&mut self, space: SpaceId, range: &KeyRange) -> Result<()> {
        let waited = self.transaction.await_inserts(space, range, self.wait).await;
        waited.map_err(|error| from_transaction(&error))
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
        if self.locks().is_some() {
            self.transaction.unlock_row(space, key);
        }
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
}
