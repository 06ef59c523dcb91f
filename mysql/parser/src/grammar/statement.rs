//! Which statement it is.

use super::Grammar;
use crate::ast::{Statement, StatementKind};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn statement(&mut self) -> Result<Statement> {
        self.enter()?;
        let start = self.here();
        // A statement inside of another one starts with a clean slate.
        let outer = std::mem::take(&mut self.height);
        let kind = self.statement_kind()?;
        self.height = outer;
        self.leave();
        Ok(Statement { kind, span: self.span_from(start) })
    }

    fn statement_kind(&mut self) -> Result<StatementKind> {
        if self.in_program
            && let Some(kind) = self.program_statement()?
        {
            return Ok(kind);
        }
        match self.kind() {
            T::SELECT | T::LParen | T::VALUES | T::TABLE => self.query_statement(),
            T::WITH => self.with_statement(),
            T::INSERT | T::REPLACE => self.insert(),
            T::UPDATE => self.update(None),
            T::DELETE => self.delete(None),
            T::SET => self.set(),
            T::SHOW => self.show(),
            T::COMMIT => self.commit(),
            T::ROLLBACK => self.rollback(),
            T::START => self.start(),
            T::BEGIN => self.begin(),
            T::USE => {
                self.bump();
                Ok(StatementKind::Use(self.ident()?))
            }
            T::CREATE => self.create(),
            T::ALTER => self.alter(),
            T::DROP => self.drop_statement(),
            T::RENAME => self.rename(),
            T::TRUNCATE => {
                self.bump();
                self.eat(T::TABLE);
                Ok(StatementKind::TruncateTable(self.object_name()?))
            }
            T::CALL => self.call(),
            T::DO => self.do_statement(),
            T::HANDLER => self.handler(),
            T::LOAD => self.load(),
            T::EXPLAIN | T::DESCRIBE | T::DESC => self.explain(),
            T::SAVEPOINT => {
                self.bump();
                Ok(StatementKind::Savepoint(self.ident()?))
            }
            T::RELEASE => self.release(),
            T::LOCK => self.lock(),
            T::UNLOCK => self.unlock(),
            T::XA => self.xa(),
            T::PREPARE => self.prepare(),
            T::EXECUTE => self.execute(),
            T::DEALLOCATE => {
                self.bump();
                self.deallocate_name()
            }
            T::GRANT => self.grant(),
            T::REVOKE => self.revoke(),
            T::SIGNAL | T::RESIGNAL => self.signal(),
            T::GET => self.get_diagnostics(),
            _ => self.admin_statement(),
        }
    }

    fn query_statement(&mut self) -> Result<StatementKind> {
        self.allow_into = true;
        let query = self.query()?;
        self.allow_into = false;
        Ok(StatementKind::Query(query))
    }

    /// WITH before a query, an UPDATE or a DELETE.
    fn with_statement(&mut self) -> Result<StatementKind> {
        let start = self.here();
        let with = Some(self.with()?);
        match self.kind() {
            T::UPDATE => self.update(with),
            T::DELETE => self.delete(with),
            _ => {
                self.allow_into = true;
                let query = self.query_after(with, start)?;
                self.allow_into = false;
                Ok(StatementKind::Query(query))
            }
        }
    }

    fn admin_statement(&mut self) -> Result<StatementKind> {
        match self.kind() {
            T::ANALYZE => self.analyze(),
            T::CHECK => self.check_table(),
            T::CHECKSUM => self.checksum(),
            T::OPTIMIZE => self.optimize(),
            T::REPAIR => self.repair(),
            T::CACHE => self.cache_index(),
            T::FLUSH => self.flush(),
            T::RESET => self.reset(),
            T::KILL => self.kill(),
            T::SHUTDOWN => {
                self.bump();
                Ok(StatementKind::Shutdown)
            }
            T::RESTART => {
                self.bump();
                Ok(StatementKind::Restart)
            }
            T::CLONE => self.clone_statement(),
            T::INSTALL => self.install(),
            T::UNINSTALL => self.uninstall(),
            T::IMPORT => self.import_table(),
            T::HELP => {
                self.bump();
                Ok(StatementKind::Help(self.ident_or_text()?.text))
            }
            T::BINLOG => {
                self.bump();
                Ok(StatementKind::Binlog(self.text()?))
            }
            T::CHANGE => self.change(),
            T::STOP => self.stop(),
            T::PURGE => self.purge(),
            _ => Err(self.unexpected()),
        }
    }
}
