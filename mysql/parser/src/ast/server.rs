//! SIGNAL, RESIGNAL, GET DIAGNOSTICS.

use super::{Expr, Ident, Text};

/// SIGNAL and RESIGNAL. RESIGNAL may go without a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    pub condition: Option<SignalCondition>,
    pub set: Vec<(DiagnosticsItem, Expr)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalCondition {
    Sqlstate(Text),
    Name(Ident),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiagnosticsItem {
    ClassOrigin,
    SubclassOrigin,
    ReturnedSqlstate,
    MessageText,
    MysqlErrno,
    ConstraintCatalog,
    ConstraintSchema,
    ConstraintName,
    CatalogName,
    SchemaName,
    TableName,
    ColumnName,
    CursorName,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GetDiagnostics {
    /// STACKED, else CURRENT.
    pub stacked: bool,
    pub what: Diagnostics,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Diagnostics {
    Statement(Vec<(DiagnosticsTarget, StatementItem)>),
    Condition(Box<Expr>, Vec<(DiagnosticsTarget, DiagnosticsItem)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiagnosticsTarget {
    /// `@name`
    User(Ident),
    /// A variable of a stored program.
    Local(Ident),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementItem {
    Number,
    RowCount,
}
