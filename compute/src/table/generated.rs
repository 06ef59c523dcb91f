//! Expressions that a table keeps: generated columns, defaults, checks.

use std::cell::Cell;

use firn_mysql_parser::{Options, Parser};
use firn_mysql_semantics::expr::{Binder, Node, Result, Settings};
use firn_table::descriptor::TableDescriptor;

use super::corrupt;
use crate::bind::{
    Block, NoTables, NoVariables, ScopeColumn, ScopeTable, Statement, StatementScope, Used,
};

/// A generated column.
#[derive(Debug)]
pub(crate) struct Generated {
    /// Its place in the table.
    pub(crate) column: usize,
    /// What computes it, from the row.
    pub(crate) node: Node,
}

/// Binds a table's own expressions.
pub(super) struct Expressions<'a> {
    tables: [ScopeTable; 1],
    settings: &'a Settings,
}

impl<'a> Expressions<'a> {
    pub(super) fn new(
        table: &TableDescriptor,
        columns: &std::sync::Arc<[ScopeColumn]>,
        settings: &'a Settings,
    ) -> Self {
        let name = std::sync::Arc::from(table.name.as_str());
        let scope = ScopeTable {
            schema: std::sync::Arc::from(table.schema.as_str()),
            table: std::sync::Arc::clone(&name),
            alias: name,
            start: 0,
            columns: std::sync::Arc::clone(columns),
            optional: false,
            merged: Vec::new(),
            used: Used::default(),
        };
        Self { tables: [scope], settings }
    }

    /// A stored expression, over the table's row.
    pub(super) fn node(&self, sql: &str) -> Result<Node> {
        let expr = Parser::new(Options::default()).parse_expr(sql.as_bytes()).map_err(|error| {
            corrupt(&format!("an expression of a table cannot be read: {sql}: {error}"))
        })?;
        let (numbers, block) = (Cell::new(0), Block::without_queries());
        let statement = Statement::new(b"", self.settings, &NoTables, &NoVariables, &[], &numbers);
        let scope = StatementScope::of_tables(statement, &block, &self.tables, "field list");
        Binder::new(self.settings, &scope, &[]).bind(&expr)
    }
}
