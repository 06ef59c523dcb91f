//! What the queries of a statement lock: each what its own clause says.

use firn_mysql_parser::ast;

use super::{Reading, View};
use crate::bind::{BoundSelect, Locked};
use crate::txn::{LockMode, LockWait};

/// How a query read before one within it did.
#[must_use]
pub(crate) struct Before {
    reading: Reading,
    wait: LockWait,
}

impl View<'_> {
    /// Reads as a query within another one does, or as the statement's own: what it locks
    /// itself, and of what is around it only what it does not stand apart from. Gives how
    /// it was read before.
    pub(crate) fn enter(&mut self, query: &BoundSelect) -> Before {
        let before = Before { reading: self.reading, wait: self.wait };
        if let Some((update, wait)) = query.locking {
            self.lock_by(update, wait);
        } else if query.apart && self.relate.is_none() {
            self.reading = self.plain;
            self.wait = self.usual_wait;
        }
        before
    }

    /// Reads a table as the clause says that names it, or none of the query's does; `None` if
    /// that is as before, else how it was.
    #[inline]
    pub(crate) fn enter_table(&mut self, locked: Locked) -> Option<Before> {
        if locked == Locked::AsAll {
            return None;
        }
        let before = Before { reading: self.reading, wait: self.wait };
        match locked {
            Locked::Own(update, wait) => self.lock_by(update, wait),
            Locked::Not | Locked::AsAll => {
                (self.reading, self.wait) = (self.plain, self.usual_wait)
            }
        }
        Some(before)
    }

    fn lock_by(&mut self, update: bool, wait: ast::LockWait) {
        let mode = if update { LockMode::Exclusive } else { LockMode::Shared };
        self.reading = Reading::Locking(mode);
        self.wait = match wait {
            ast::LockWait::Wait => self.usual_wait,
            ast::LockWait::NoWait => LockWait::NoWait,
            ast::LockWait::SkipLocked => LockWait::Skip,
        };
    }

    /// Reads as a subquery does: a SELECT that locks its rows does not lock theirs, and
    /// what a change depends on is kept from being changed. Gives what it was before.
    pub(crate) fn enter_subquery(&mut self, query: Option<&BoundSelect>) -> Before {
        let before = Before { reading: self.reading, wait: self.wait };
        if self.relate.is_none() {
            self.reading = self.plain;
            self.wait = self.usual_wait;
        } else if self.reading == Reading::Locking(LockMode::Exclusive) {
            let keeps = self.transaction.locks_ranges();
            self.reading =
                if keeps { Reading::Locking(LockMode::Shared) } else { Reading::Snapshot };
        }
        if let Some(query) = query {
            let _ = self.enter(query);
        }
        before
    }

    /// Reads as it did before.
    pub(crate) fn leave(&mut self, before: Before) {
        self.reading = before.reading;
        self.wait = before.wait;
    }
}
