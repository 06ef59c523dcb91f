//! What all binding of one statement shares.

use firn_mysql_parser::ast;
use firn_mysql_semantics::SqlType;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::Settings;

use super::{Tables, VariableTypes};

/// A statement that is being bound.
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
}

impl Statement<'_> {
    /// The text of an expression, as the column of a result is named after it.
    pub(crate) fn text_of(&self, span: ast::Span) -> String {
        String::from_utf8_lossy(span.of(self.sql)).trim().to_owned()
    }
}

/// 1235 with what is missing.
pub(crate) fn not_yet<T>(what: &str) -> Result<T, SqlError> {
    Err(SqlError::not_supported_yet(what))
}
