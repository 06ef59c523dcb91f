//! The statement with all of its names, as note 1003 tells it.

use std::cell::Cell;

use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_semantics::SqlType;

use crate::bind::{BoundSelect, Statement};
use crate::catalog::{Resolutions, numbered_query};
use crate::session::Session;
use crate::session::tables::SessionTables;
use crate::session::values::VariablesScope;

impl Session {
    /// A query with its names resolved: what the statement says, not what became of it
    /// when it was planned. `None` for other statements.
    pub(super) fn rewritten(
        &self,
        sql: &[u8],
        statement: &ast::Statement,
        types: &[SqlType],
    ) -> Option<String> {
        let S::Query(query) = &statement.kind else { return None };
        let (names, numbers) = (Resolutions::default(), Cell::new(0));
        let tables = SessionTables::new(self);
        let variables = VariablesScope::new(&self.values);
        let plain = Statement::new(sql, &self.settings, &tables, &variables, types, &numbers);
        let statement = Statement { names: Some(&names), ..plain };
        BoundSelect::bind(&statement, query).ok()?;
        Some(numbered_query(query, &names, &self.settings))
    }
}
