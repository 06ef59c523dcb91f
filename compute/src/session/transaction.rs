//! Where transactions begin and end.
//!
//! A statement runs in the open transaction, or, with autocommit, in one of its own
//! that ends with it. A statement that fails takes back what it wrote; the open
//! transaction goes on, except after a deadlock.

use std::time::Duration;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};

use super::statement::{Done, Ended, Outcome};
use super::{Session, from_transaction};
use crate::txn::{IsolationLevel, LockWait, OwnerId, StatementMark, Transaction};

/// The transaction of the statement that runs.
pub(crate) struct Unit {
    pub(crate) transaction: Box<Transaction>,
    mark: Option<StatementMark>,
    /// It ends with the statement.
    pub(crate) single: bool,
}

fn level(isolation: ast::Isolation) -> IsolationLevel {
    match isolation {
        ast::Isolation::ReadUncommitted | ast::Isolation::ReadCommitted => {
            IsolationLevel::ReadCommitted
        }
        ast::Isolation::RepeatableRead => IsolationLevel::RepeatableRead,
        ast::Isolation::Serializable => IsolationLevel::Serializable,
    }
}

impl Session {
    /// How long statements wait for rows that are locked.
    pub(crate) fn lock_wait(&self) -> LockWait {
        let seconds = self.values.variables.hot().innodb_lock_wait_timeout;
        LockWait::For(Duration::from_secs(seconds))
    }

    fn new_transaction(&mut self) -> Box<Transaction> {
        let (isolation, read_only) = self.values.variables.begin_transaction();
        self.read_only = read_only;
        let owner = OwnerId(u64::from(self.id));
        let interrupt = self.process.interrupt.clone();
        Box::new(self.server.transactions.begin(owner, level(isolation), interrupt))
    }

    /// Whether a transaction is open beyond the statement that runs.
    pub(crate) fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// The transaction for a statement that reads or writes.
    pub(crate) fn unit(&mut self) -> Unit {
        let single = self.transaction.is_none() && self.values.variables.hot().autocommit;
        let mut transaction = match self.transaction.take() {
            Some(transaction) => transaction,
            None => self.new_transaction(),
        };
        let mark = (!single).then(|| transaction.begin_statement());
        Unit { transaction, mark, single }
    }

    /// Ends the statement's part of a transaction: commits it, or takes it back.
    ///
    /// # Errors
    /// `result`'s, or that of the commit.
    pub(crate) async fn end_unit<T>(
        &mut self,
        unit: Unit,
        result: Result<T, Ended>,
    ) -> Result<T, Ended> {
        let Unit { mut transaction, mark, single } = unit;
        if single {
            return match result {
                Ok(value) => {
                    let ended = match transaction.has_written() {
                        // By itself in memory: most statements only read.
                        true => Box::pin(transaction.commit()).await.map(drop),
                        false => transaction.end_unwritten(),
                    };
                    ended.map_err(|error| from_transaction(&error))?;
                    Ok(value)
                }
                Err(error) => {
                    transaction.roll_back();
                    Err(error)
                }
            };
        }
        if transaction.is_rolled_back() {
            self.explicit = false;
            return result;
        }
        if let Some(mark) = mark {
            match &result {
                Ok(_) => transaction.end_statement(mark),
                Err(_) => transaction.roll_back_statement(mark),
            }
        }
        self.transaction = Some(transaction);
        result
    }

    /// START TRANSACTION and BEGIN.
    pub(crate) async fn start_transaction(&mut self, begin: &ast::Begin) -> Result<Outcome, Ended> {
        self.commit_open().await?;
        // Locks on all tables stay: a dump takes them and then its snapshot.
        if matches!(self.table_locks, super::locks::TableLocks::Tables(_)) {
            self.unlock_tables();
        }
        let mut transaction = self.new_transaction();
        if let Some(read_only) = begin.read_only {
            self.read_only = read_only;
        }
        if begin.consistent_snapshot {
            if transaction.isolation() == IsolationLevel::RepeatableRead {
                transaction.snapshot();
            } else {
                self.warnings.warn(SqlError::with_message(
                    code::ER_UNKNOWN_ERROR,
                    "InnoDB: WITH CONSISTENT SNAPSHOT was ignored because this phrase can \
                     only be used with REPEATABLE READ isolation level.",
                ));
            }
        }
        self.transaction = Some(transaction);
        self.explicit = true;
        Ok(Done::default().into())
    }

    /// Commits what is open: before DDL, START TRANSACTION and the like.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn commit_open(&mut self) -> Result<(), Ended> {
        self.temporary.take_created();
        self.explicit = false;
        self.read_only = false;
        if let Some(transaction) = self.transaction.take()
            && !transaction.is_rolled_back()
        {
            transaction.commit().await.map_err(|error| from_transaction(&error))?;
        }
        Ok(())
    }

    /// COMMIT
    pub(crate) async fn commit(&mut self, completion: &ast::Completion) -> Result<Outcome, Ended> {
        let read_only = self.read_only;
        self.commit_open().await?;
        self.complete(completion, read_only).await
    }

    /// ROLLBACK
    pub(crate) async fn rollback(
        &mut self,
        completion: &ast::Completion,
    ) -> Result<Outcome, Ended> {
        let read_only = self.read_only;
        let in_transaction = self.explicit || self.in_transaction();
        let created = self.temporary.take_created();
        self.roll_back_open();
        if in_transaction && created {
            let warning = code::ER_WARNING_NOT_COMPLETE_ROLLBACK_WITH_CREATED_TEMP_TABLE;
            self.warnings.warn(SqlError::new(warning, &[]));
        }
        self.complete(completion, read_only).await
    }

    /// Takes back what is open.
    pub(crate) fn roll_back_open(&mut self) {
        self.explicit = false;
        self.read_only = false;
        if let Some(transaction) = self.transaction.take() {
            transaction.roll_back();
        }
    }

    /// AND CHAIN, RELEASE, and `completion_type`. A chained transaction is READ ONLY as the one
    /// before it.
    async fn complete(
        &mut self,
        completion: &ast::Completion,
        read_only: bool,
    ) -> Result<Outcome, Ended> {
        let default = self.values.variables.hot().completion_type;
        if completion.chain.unwrap_or(default == 1) {
            self.transaction = Some(self.new_transaction());
            self.explicit = true;
            self.read_only = read_only;
        }
        if completion.release.unwrap_or(default == 2) {
            self.process.control.kill();
        }
        Ok(Done::default().into())
    }

    /// SAVEPOINT
    pub(crate) async fn savepoint(&mut self, name: &str) -> Result<Outcome, Ended> {
        // With autocommit there is nothing that could be gone back to.
        if self.transaction.is_none() && !self.values.variables.hot().autocommit {
            self.transaction = Some(self.new_transaction());
        }
        if let Some(transaction) = &mut self.transaction {
            let name = name.to_lowercase();
            let made = transaction.savepoint(name.as_bytes());
            made.map_err(|error| from_transaction(&error))?;
        }
        Ok(Done::default().into())
    }

    /// ROLLBACK TO SAVEPOINT
    pub(crate) async fn rollback_to(&mut self, name: &str) -> Result<Outcome, Ended> {
        let lower = name.to_lowercase();
        let done = self
            .transaction
            .as_mut()
            .map(|transaction| transaction.roll_back_to_savepoint(lower.as_bytes()));
        savepoint_found(done, name)
    }

    /// RELEASE SAVEPOINT
    pub(crate) fn release_savepoint(&mut self, name: &str) -> Result<Outcome, Ended> {
        let lower = name.to_lowercase();
        let done = self
            .transaction
            .as_mut()
            .map(|transaction| transaction.release_savepoint(lower.as_bytes()));
        savepoint_found(done, name)
    }
}

fn savepoint_found(done: Option<crate::txn::Result<()>>, name: &str) -> Result<Outcome, Ended> {
    match done {
        Some(Ok(())) => Ok(Done::default().into()),
        None | Some(Err(crate::txn::Error::NoSuchSavepoint)) => {
            Err(SqlError::does_not_exist("SAVEPOINT", name).into())
        }
        Some(Err(error)) => Err(from_transaction(&error).into()),
    }
}
