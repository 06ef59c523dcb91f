//! Statements that change rows, and the ones around them.

use super::{
    ColumnRef, Expr, FileFormat, Hint, Ident, Limit, ObjectName, OrderItem, Query, Statement,
    TableRef, Text, With,
};

/// INSERT and REPLACE.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    pub replace: bool,
    pub hints: Vec<Hint>,
    pub priority: Option<Priority>,
    pub ignore: bool,
    pub table: ObjectName,
    pub partitions: Vec<Ident>,
    pub columns: Vec<ColumnRef>,
    pub source: InsertSource,
    /// The row's name and its columns' names, for ON DUPLICATE KEY UPDATE.
    pub alias: Option<Box<(Ident, Vec<Ident>)>>,
    pub on_duplicate: Vec<Assignment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    Low,
    High,
    Delayed,
}

#[derive(Debug, Clone, PartialEq)]
pub enum InsertSource {
    Values(Vec<Vec<Expr>>),
    Set(Vec<Assignment>),
    Query(Box<Query>),
}

/// `column = value`
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    pub column: ColumnRef,
    pub value: Expr,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub with: Option<With>,
    pub hints: Vec<Hint>,
    pub low_priority: bool,
    pub ignore: bool,
    pub tables: Vec<TableRef>,
    pub assignments: Vec<Assignment>,
    pub filter: Option<Expr>,
    pub order_by: Vec<OrderItem>,
    pub limit: Option<Limit>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    pub with: Option<With>,
    pub hints: Vec<Hint>,
    pub low_priority: bool,
    pub quick: bool,
    pub ignore: bool,
    /// What to delete from, where that is named apart from the tables to read;
    /// empty for the form with one table.
    pub targets: Vec<ObjectName>,
    pub tables: Vec<TableRef>,
    pub filter: Option<Expr>,
    pub order_by: Vec<OrderItem>,
    pub limit: Option<Limit>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CallProcedure {
    pub name: ObjectName,
    pub args: Vec<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Handler {
    pub table: ObjectName,
    pub action: HandlerAction,
}

#[derive(Debug, Clone, PartialEq)]
pub enum HandlerAction {
    Open {
        alias: Option<Ident>,
    },
    Close,
    Read {
        index: Option<Ident>,
        position: HandlerPosition,
        filter: Option<Expr>,
        limit: Option<Limit>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum HandlerPosition {
    First,
    Next,
    Prev,
    Last,
    /// A comparison with the values of an index.
    Key(super::BinaryOp, Vec<Expr>),
}

/// LOAD DATA and LOAD XML.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    pub xml: bool,
    pub priority: Option<LoadPriority>,
    pub local: bool,
    pub source: LoadSource,
    pub file: Text,
    /// How many files (bulk load).
    pub count: Option<u64>,
    pub in_primary_key_order: bool,
    pub duplicates: Option<Duplicates>,
    pub table: ObjectName,
    pub partitions: Vec<Ident>,
    pub charset: Option<Ident>,
    pub compression: Option<Text>,
    pub rows_identified_by: Option<Text>,
    pub format: FileFormat,
    pub skip: u64,
    pub columns: Vec<LoadColumn>,
    pub set: Vec<Assignment>,
    pub parallel: Option<u64>,
    pub memory: Option<Text>,
    pub algorithm_bulk: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadPriority {
    Low,
    Concurrent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadSource {
    Infile,
    Url,
    S3,
}

/// What happens to rows whose key is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    Ignore,
    Replace,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadColumn {
    Column(ColumnRef),
    /// `@name`
    Variable(Ident),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Explain {
    pub analyze: bool,
    pub format: Option<Ident>,
    /// A variable to put the plan into.
    pub into: Option<Ident>,
    pub schema: Option<Ident>,
    pub target: ExplainTarget,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExplainTarget {
    Statement(Box<Statement>),
    Connection(u64),
}

/// DESCRIBE of a table, with a pattern or a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Describe {
    pub table: ObjectName,
    pub columns: Option<Text>,
}
