//! What all binding of one statement shares.

use std::cell::Cell;

use firn_mysql_parser::ast;
use firn_mysql_semantics::SqlType;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Settings;

use super::{CommonTable, FoundTable, StatementScope, Tables, VariableTypes, ViewChain};
use crate::accounts::Command;
use crate::catalog::Resolutions;

/// Queries within queries, views and common tables counted in: no more than MySQL has.
const DEPTH_MAX: u32 = 63;

/// A statement that is being bound, or a query within one.
#[derive(Clone, Copy)]
pub(crate) struct Statement<'a> {
    /// Its text, in UTF-8: columns without a name are named after it.
    pub(crate) sql: &'a [u8],
    /// The session's settings.
    pub(crate) settings: &'a Settings,
    /// Tables by name.
    pub(crate) tables: &'a dyn Tables,
    /// Types of variables.
    pub(crate) variables: &'a dyn VariableTypes,
    /// Types of its parameters.
    pub(crate) params: &'a [SqlType],
    /// How many subqueries and common tables it has so far: each has a number.
    pub(crate) numbers: &'a Cell<usize>,
    /// Of a subquery: what names mean where it stands.
    pub(crate) outer: Option<&'a StatementScope<'a>>,
    /// Common tables that it can name, the nearest first.
    pub(crate) commons: Option<&'a CommonTable<'a>>,
    /// Queries around it.
    pub(crate) depth: u32,
    /// Of a view's query: where what its names mean is kept.
    pub(crate) names: Option<&'a Resolutions>,
    /// ONLY_FULL_GROUP_BY
    pub(crate) full_group: bool,
    /// It is an operand of a set operation.
    pub(crate) operand: bool,
    /// The views whose queries it is in.
    pub(crate) view: Option<&'a ViewChain<'a>>,
    /// What is wanted of the tables of the FROM that comes next.
    pub(crate) command: Command,
}

impl<'a> Statement<'a> {
    /// A statement as a client sends it.
    pub(crate) fn new(
        sql: &'a [u8],
        settings: &'a Settings,
        tables: &'a dyn Tables,
        variables: &'a dyn VariableTypes,
        params: &'a [SqlType],
        numbers: &'a Cell<usize>,
    ) -> Self {
        Self {
            sql,
            settings,
            tables,
            variables,
            params,
            numbers,
            outer: None,
            commons: None,
            depth: 0,
            names: None,
            full_group: false,
            operand: false,
            view: None,
            command: Command::READ,
        }
    }

    /// The same, with another command for the tables of the FROM that comes next.
    pub(crate) fn commanding(&self, command: Command) -> Self {
        Self { command, ..*self }
    }

    /// A table by its name, for a command. In a view's query it is looked at with the
    /// view's rights.
    ///
    /// # Errors
    /// As [`Tables::table_for`].
    pub(crate) fn find_table(
        &self,
        name: &ast::ObjectName,
        command: Command,
    ) -> Result<FoundTable, SqlError> {
        self.tables.table_for(name, command, self.view)
    }

    /// The text of an expression, as the column of a result is named after it.
    pub(crate) fn text_of(&self, span: ast::Span) -> String {
        String::from_utf8_lossy(span.of(self.sql)).trim().to_owned()
    }

    /// A number that nothing else in the statement has.
    pub(crate) fn number(&self) -> usize {
        let number = self.numbers.get();
        self.numbers.set(number + 1);
        number
    }

    /// The same one query further in.
    ///
    /// # Errors
    /// 1473 if that is too deep.
    pub(crate) fn deeper(self) -> Result<Self, SqlError> {
        if self.depth >= DEPTH_MAX {
            return Err(SqlError::new(
                code::ER_TOO_HIGH_LEVEL_OF_NESTING_FOR_SELECT,
                &[u64::from(DEPTH_MAX).into()],
            ));
        }
        Ok(Self { depth: self.depth + 1, operand: false, ..self })
    }
}

/// 1235 with what is missing.
pub(crate) fn not_yet<T>(what: &str) -> Result<T, SqlError> {
    Err(SqlError::not_supported_yet(what))
}
