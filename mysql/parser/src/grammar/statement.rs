//! Which statement it is.

use super::Grammar;
use crate::ast::{Statement, StatementKind};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn statement(&mut self) -> Result<Statement> {
        self.enter()?;
        let start = self.here();
        let kind = self.statement_kind()?;
        self.leave();
        Ok(Statement { kind, span: self.span_from(start) })
    }

    fn statement_kind(&mut self) -> Result<StatementKind> {
        match self.kind() {
            T::SELECT | T::LParen | T::VALUES | T::TABLE | T::WITH => {
                self.allow_into = true;
                let query = self.query()?;
                self.allow_into = false;
                Ok(StatementKind::Query(query))
            }
            _ => Err(self.unexpected()),
        }
    }
}
