//! Transactions, locks, XA, prepared statements.

use super::Grammar;
use crate::ast::{
    Begin, Bytes, Completion, LockTable, PrepareSource, StatementKind, TableLock, Xa, Xid,
};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;

impl Grammar<'_> {
    /// START TRANSACTION, START REPLICA, START GROUP_REPLICATION.
    pub(super) fn start(&mut self) -> Result<StatementKind> {
        self.expect(T::START)?;
        match self.kind() {
            T::TRANSACTION => {
                self.bump();
                let mut begin = Begin::default();
                if self.at_any(&[T::WITH, T::READ]) {
                    loop {
                        if self.at(T::WITH) && !begin.consistent_snapshot {
                            self.expect_all(&[T::WITH, T::CONSISTENT, T::SNAPSHOT])?;
                            begin.consistent_snapshot = true;
                        } else if begin.read_only.is_some() {
                            return Err(self.unexpected());
                        } else {
                            let read_only = self.access_mode()?;
                            begin.read_only = Some(read_only);
                        }
                        if !self.eat(T::Comma) {
                            break;
                        }
                    }
                }
                Ok(StatementKind::Begin(begin))
            }
            T::GROUP_REPLICATION => self.start_group_replication(),
            _ => self.start_replica(),
        }
    }

    pub(super) fn begin(&mut self) -> Result<StatementKind> {
        self.expect(T::BEGIN)?;
        self.eat(T::WORK);
        Ok(StatementKind::Begin(Begin::default()))
    }

    /// What follows COMMIT and ROLLBACK.
    fn completion(&mut self) -> Result<Completion> {
        let mut completion = Completion::default();
        if self.eat(T::AND) {
            let no = self.eat(T::NO);
            self.expect(T::CHAIN)?;
            completion.chain = Some(!no);
        }
        if self.eat_all(&[T::NO, T::RELEASE]) {
            completion.release = Some(false);
        } else if completion.chain != Some(true) && self.eat(T::RELEASE) {
            completion.release = Some(true);
        }
        Ok(completion)
    }

    pub(super) fn commit(&mut self) -> Result<StatementKind> {
        self.expect(T::COMMIT)?;
        self.eat(T::WORK);
        Ok(StatementKind::Commit(self.completion()?))
    }

    pub(super) fn rollback(&mut self) -> Result<StatementKind> {
        self.expect(T::ROLLBACK)?;
        self.eat(T::WORK);
        if self.eat(T::TO) {
            self.eat(T::SAVEPOINT);
            return Ok(StatementKind::RollbackTo(self.ident()?));
        }
        Ok(StatementKind::Rollback(self.completion()?))
    }

    pub(super) fn release(&mut self) -> Result<StatementKind> {
        self.expect_all(&[T::RELEASE, T::SAVEPOINT])?;
        Ok(StatementKind::ReleaseSavepoint(self.ident()?))
    }

    pub(super) fn lock(&mut self) -> Result<StatementKind> {
        self.expect(T::LOCK)?;
        if self.eat(T::INSTANCE) {
            self.expect_all(&[T::FOR, T::BACKUP])?;
            return Ok(StatementKind::LockInstance);
        }
        self.one_of(&[T::TABLE, T::TABLES])?;
        Ok(StatementKind::LockTables(self.list(|g| {
            let table = g.object_name()?;
            let alias = g.table_alias()?;
            let kind = match g.one_of(&[T::READ, T::WRITE, T::LOW_PRIORITY])? {
                T::READ if g.eat(T::LOCAL) => TableLock::ReadLocal,
                T::READ => TableLock::Read,
                T::WRITE => TableLock::Write,
                _ => {
                    g.expect(T::WRITE)?;
                    TableLock::LowPriorityWrite
                }
            };
            Ok(LockTable { table, alias, kind })
        })?))
    }

    pub(super) fn unlock(&mut self) -> Result<StatementKind> {
        self.expect(T::UNLOCK)?;
        if self.one_of(&[T::TABLE, T::TABLES, T::INSTANCE])? == T::INSTANCE {
            return Ok(StatementKind::UnlockInstance);
        }
        Ok(StatementKind::UnlockTables)
    }

    pub(super) fn xa(&mut self) -> Result<StatementKind> {
        self.expect(T::XA)?;
        let kinds = [T::START, T::BEGIN, T::END, T::PREPARE, T::COMMIT, T::ROLLBACK, T::RECOVER];
        Ok(StatementKind::Xa(match self.one_of(&kinds)? {
            T::START | T::BEGIN => {
                let id = self.xid()?;
                let kind = self.eat_any(&[T::JOIN, T::RESUME]);
                Xa::Start { id, join: kind == Some(T::JOIN), resume: kind == Some(T::RESUME) }
            }
            T::END => {
                let id = self.xid()?;
                let suspend = self.eat(T::SUSPEND);
                let for_migrate = suspend && self.eat(T::FOR);
                if for_migrate {
                    self.expect(T::MIGRATE)?;
                }
                Xa::End { id, suspend, for_migrate }
            }
            T::PREPARE => Xa::Prepare(self.xid()?),
            T::COMMIT => {
                let id = self.xid()?;
                let one_phase = self.eat(T::ONE);
                if one_phase {
                    self.expect(T::PHASE)?;
                }
                Xa::Commit { id, one_phase }
            }
            T::ROLLBACK => Xa::Rollback(self.xid()?),
            _ => {
                let convert_xid = self.eat(T::CONVERT);
                if convert_xid {
                    self.expect(T::XID)?;
                }
                Xa::Recover { convert_xid }
            }
        }))
    }

    fn xid(&mut self) -> Result<Xid> {
        let start = self.here() as usize;
        let global = self.text_or_bytes()?;
        let (mut branch, mut format) = (None, None);
        if self.eat(T::Comma) {
            branch = Some(self.text_or_bytes()?);
            if self.eat(T::Comma) {
                format = Some(self.number()?);
            }
        }
        // What fits into an identifier of a transaction, by the standard.
        let fits = |part: &Bytes| part.len() <= 64;
        let format_fits = format.is_none_or(|format| format <= i64::MAX as u64);
        if !fits(&global) || !branch.as_ref().is_none_or(fits) || !format_fits {
            return Err(Error::at(ErrorKind::Syntax, self.sql, start));
        }
        Ok(Xid { global, branch, format })
    }

    pub(super) fn prepare(&mut self) -> Result<StatementKind> {
        self.expect(T::PREPARE)?;
        let name = self.ident()?;
        self.expect(T::FROM)?;
        let source = if self.at(T::At) {
            PrepareSource::Variable(self.user_variable()?)
        } else {
            PrepareSource::Text(self.text()?)
        };
        Ok(StatementKind::Prepare { name, source })
    }

    pub(super) fn execute(&mut self) -> Result<StatementKind> {
        self.expect(T::EXECUTE)?;
        let name = self.ident()?;
        let using = if self.eat(T::USING) { self.list(Self::user_variable)? } else { Vec::new() };
        Ok(StatementKind::Execute { name, using })
    }

    /// Behind DEALLOCATE or DROP.
    pub(super) fn deallocate_name(&mut self) -> Result<StatementKind> {
        self.expect(T::PREPARE)?;
        Ok(StatementKind::Deallocate(self.ident()?))
    }
}
