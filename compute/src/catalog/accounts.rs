//! Accounts as rows of the catalog.

use std::sync::Arc;

use firn_engine::{Db, WriteBatch};

use super::store::{ACCOUNTS, CATALOG_SPACE};
use crate::accounts::{AccountStore, Row, RowChange, StoreFuture};
use crate::session::from_engine;

/// Most rows that are read at a time.
const CHUNK_ROWS: usize = 1024;

/// Rows `07 user 00 host` of the catalog.
pub(crate) struct StoredAccounts(Arc<Db>);

impl StoredAccounts {
    /// Those of a database.
    pub(crate) fn new(db: Arc<Db>) -> Self {
        Self(db)
    }

    async fn read(&self) -> firn_engine::Result<Vec<Row>> {
        let snapshot = self.0.snapshot();
        let mut scan = snapshot.scan_prefix(CATALOG_SPACE, &[ACCOUNTS]).await?;
        let mut rows = Vec::new();
        loop {
            let chunk = scan.collect(CHUNK_ROWS).await?;
            if chunk.is_empty() {
                return Ok(rows);
            }
            rows.extend(chunk.into_iter().map(|(key, value)| (key[1..].to_vec(), value.to_vec())));
        }
    }

    async fn put(&self, rows: Vec<RowChange>) -> firn_engine::Result<()> {
        let mut batch = WriteBatch::new();
        for (name, value) in rows {
            let key = [&[ACCOUNTS], &name[..]].concat();
            match value {
                Some(value) => batch.put(CATALOG_SPACE, &key, &value)?,
                None => batch.delete(CATALOG_SPACE, &key)?,
            }
        }
        self.0.write(&batch).await.map(drop)
    }
}

impl AccountStore for StoredAccounts {
    fn load(&self) -> StoreFuture<'_, Vec<Row>> {
        Box::pin(async { self.read().await.map_err(|error| from_engine(&error)) })
    }

    fn write(&self, rows: Vec<RowChange>) -> StoreFuture<'_, ()> {
        Box::pin(async { self.put(rows).await.map_err(|error| from_engine(&error)) })
    }
}
