//! Statements and savepoints: points of a transaction to go back to.

use super::error::{Error, Result};
use super::transaction::{IsolationLevel, Transaction};
use super::write_set::Mark;

/// The begin of a statement.
#[derive(Debug)]
#[must_use = "a statement that was begun must be ended or rolled back"]
pub struct StatementMark(Mark);

/// A savepoint's name and place.
#[derive(Debug)]
pub(super) struct Savepoint {
    name: Box<[u8]>,
    mark: Mark,
    /// Nothing was read, written or locked before it.
    is_first: bool,
}

impl Transaction {
    /// Begins a statement, so that it can be taken back by itself. Statements
    /// may be nested, as those of triggers are: the outermost of READ
    /// COMMITTED sees what is committed by then.
    ///
    /// A transaction of one statement needs no mark: it is rolled back instead.
    pub fn begin_statement(&mut self) -> StatementMark {
        self.statements += 1;
        if self.statements == 1 && self.isolation == IsolationLevel::ReadCommitted {
            self.snapshot = None;
        }
        StatementMark(self.writes.mark())
    }

    /// Ends a statement and those begun within it; what it wrote stays.
    pub fn end_statement(&mut self, mark: StatementMark) {
        self.statements = self.statements.saturating_sub(1);
        self.writes.forget(mark.0);
        self.weigh();
    }

    /// Takes back what a statement wrote. Its locks stay.
    pub fn roll_back_statement(&mut self, mark: StatementMark) {
        self.writes.roll_back_to(mark.0);
        self.end_statement(mark);
    }

    /// SAVEPOINT: one of the same name is replaced. Names are compared as bytes.
    ///
    /// # Errors
    /// `RolledBack`.
    pub fn savepoint(&mut self, name: &[u8]) -> Result<()> {
        self.check()?;
        // The mark of one that is replaced stays: later ones count from it.
        self.savepoints.retain(|s| *s.name != *name);
        let mark = self.writes.mark();
        let is_first = self.snapshot.is_none() && self.lock_count() == 0;
        self.savepoints.push(Savepoint { name: name.into(), mark, is_first });
        Ok(())
    }

    fn find_savepoint(&self, name: &[u8]) -> Result<usize> {
        self.check()?;
        self.savepoints.iter().position(|s| *s.name == *name).ok_or(Error::NoSuchSavepoint)
    }

    /// ROLLBACK TO SAVEPOINT: it stays, later ones go. Locks stay, unless there was nothing
    /// before it: then the transaction is as new.
    ///
    /// # Errors
    /// `NoSuchSavepoint`.
    pub fn roll_back_to_savepoint(&mut self, name: &[u8]) -> Result<()> {
        let at = self.find_savepoint(name)?;
        self.writes.roll_back_to(self.savepoints[at].mark);
        self.weigh();
        self.savepoints.truncate(at + 1);
        if self.savepoints[at].is_first {
            self.begin_anew();
        }
        Ok(())
    }

    /// RELEASE SAVEPOINT: it and later ones go, what was written stays.
    ///
    /// # Errors
    /// `NoSuchSavepoint`.
    pub fn release_savepoint(&mut self, name: &[u8]) -> Result<()> {
        let at = self.find_savepoint(name)?;
        self.writes.forget(self.savepoints[at].mark);
        self.weigh();
        self.savepoints.truncate(at);
        Ok(())
    }
}
