//! LOCK TABLES, UNLOCK TABLES, FLUSH TABLES WITH READ LOCK.
//!
//! Locks are on whole tables, in the same lock table that transactions use: those mark each
//! table that they write, so that whoever locks a table waits for them, and they for him.

use std::collections::BTreeMap;
use std::time::Duration;

use firn_mysql_parser::ast::{self, TableLock};
use firn_mysql_semantics::error::{SqlError, code};

use super::statement::{Done, Ended, Outcome};
use super::tables::SessionTables;
use super::{Session, from_transaction};
use crate::bind::{TableSource, Tables as _};
use crate::table::OpenTable;
use crate::txn::{LockKey, LockMode, LockWait, Request};

/// What a session has locked beyond its transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum TableLocks {
    /// Nothing.
    #[default]
    None,
    /// LOCK TABLES: database and name, and whether it may be written.
    Tables(BTreeMap<(String, String), bool>),
    /// FLUSH TABLES WITH READ LOCK: all tables, for reading.
    Everything,
}

impl Session {
    /// LOCK TABLES
    pub(crate) async fn lock_tables_by_name(
        &mut self,
        list: &[ast::LockTable],
    ) -> Result<Outcome, Ended> {
        self.commit_open().await?;
        if self.table_locks == TableLocks::Everything {
            return Err(SqlError::new(code::ER_CANT_UPDATE_WITH_READLOCK, &[]).into());
        }
        self.unlock_tables();
        let mut wanted: BTreeMap<(String, String), bool> = BTreeMap::new();
        let mut ids: BTreeMap<u32, bool> = BTreeMap::new();
        for one in list {
            let write = matches!(one.kind, TableLock::Write | TableLock::LowPriorityWrite);
            let found = SessionTables::unchecked(self).table(&one.table)?;
            let name = (found.schema.to_string(), found.name.to_string());
            if let TableSource::Stored(open) = &found.source {
                *ids.entry(open.descriptor().id).or_default() |= write;
            }
            *wanted.entry(name).or_default() |= write;
        }
        if ids.values().any(|write| *write) {
            self.reading_guard = Some(self.server.catalog.guard());
        }
        // In one order, so that two of these do not wait for each other.
        for (id, write) in ids {
            let mode = if write { LockMode::Exclusive } else { LockMode::Shared };
            if let Err(error) = self.lock_key(LockKey::Table(u64::from(id)), mode).await {
                self.unlock_tables();
                return Err(error);
            }
        }
        self.table_locks = TableLocks::Tables(wanted);
        Ok(Done::default().into())
    }

    /// FLUSH TABLES … WITH READ LOCK
    pub(crate) async fn lock_for_reading(
        &mut self,
        tables: &[ast::ObjectName],
    ) -> Result<Outcome, Ended> {
        let list: Vec<_> = tables
            .iter()
            .map(|table| ast::LockTable {
                table: table.clone(),
                alias: None,
                kind: TableLock::Read,
            })
            .collect();
        self.lock_tables_by_name(&list).await
    }

    /// FLUSH TABLES WITH READ LOCK: waits for all who write, and keeps others from it.
    pub(crate) async fn lock_everything(&mut self) -> Result<Outcome, Ended> {
        self.commit_open().await?;
        if matches!(self.table_locks, TableLocks::Tables(_)) {
            return Err(SqlError::new(code::ER_LOCK_OR_ACTIVE_TRANSACTION, &[]).into());
        }
        self.lock_key(LockKey::Global, LockMode::Shared).await?;
        self.table_locks = TableLocks::Everything;
        // Who changes the catalog asks for the global lock first: no table comes from here on.
        let ids: Vec<u32> =
            self.server.catalog.snapshot().tables().map(|table| table.descriptor.id).collect();
        for id in ids {
            let key = LockKey::Table(u64::from(id));
            if let Err(error) = self.lock_key(key, LockMode::Shared).await {
                self.unlock_tables();
                return Err(error);
            }
        }
        Ok(Done::default().into())
    }

    async fn lock_key(&mut self, key: LockKey, mode: LockMode) -> Result<(), Ended> {
        let seconds = self.values.variables.hot().lock_wait_timeout;
        let request = Request {
            wait: LockWait::For(Duration::from_secs(seconds)),
            interrupt: &self.process.interrupt,
            weight: 0,
        };
        let locked = self.locks.lock(key, mode, request).await;
        locked.map(drop).map_err(|error| from_transaction(&error).into())
    }

    /// UNLOCK TABLES
    pub(crate) async fn unlock_tables_statement(&mut self) -> Result<Outcome, Ended> {
        if matches!(self.table_locks, TableLocks::Tables(_)) {
            self.commit_open().await?;
        }
        self.unlock_tables();
        Ok(Done::default().into())
    }

    /// Lets go of all tables.
    pub(crate) fn unlock_tables(&mut self) {
        self.table_locks = TableLocks::None;
        self.reading_guard = None;
        let keys: Vec<LockKey> = self
            .locks
            .keys()
            .map(|(key, _)| key.clone())
            .filter(|key| matches!(key, LockKey::Table(_) | LockKey::Global))
            .collect();
        for key in keys {
            self.locks.release(&key);
        }
    }

    /// Whether the session's own locks allow a statement to use a table.
    ///
    /// # Errors
    /// 1099, 1100, 1223.
    pub(crate) fn may_use(&self, table: &OpenTable, write: bool) -> Result<(), SqlError> {
        let descriptor = table.descriptor();
        match &self.table_locks {
            TableLocks::None => Ok(()),
            TableLocks::Everything if write => {
                Err(SqlError::new(code::ER_CANT_UPDATE_WITH_READLOCK, &[]))
            }
            TableLocks::Everything => Ok(()),
            TableLocks::Tables(locked) => {
                let name = (descriptor.schema.clone(), descriptor.name.clone());
                let argument = [descriptor.name.as_str().into()];
                match locked.get(&name) {
                    None => Err(SqlError::new(code::ER_TABLE_NOT_LOCKED, &argument)),
                    Some(false) if write => {
                        Err(SqlError::new(code::ER_TABLE_NOT_LOCKED_FOR_WRITE, &argument))
                    }
                    Some(_) => Ok(()),
                }
            }
        }
    }
}
