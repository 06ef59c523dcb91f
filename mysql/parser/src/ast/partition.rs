//! PARTITION BY.

use super::{Expr, Ident, Text};

#[derive(Debug, Clone, PartialEq)]
pub struct Partitioning {
    pub by: PartitionBy,
    pub count: Option<u64>,
    pub subpartition: Option<(PartitionBy, Option<u64>)>,
    pub partitions: Vec<PartitionDef>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PartitionBy {
    Hash { linear: bool, expr: Expr },
    Key { linear: bool, algorithm: Option<u64>, columns: Vec<Ident> },
    Range(Expr),
    RangeColumns(Vec<Ident>),
    List(Expr),
    ListColumns(Vec<Ident>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct PartitionDef {
    pub name: Ident,
    pub values: PartitionValues,
    pub options: Vec<PartitionOption>,
    pub subpartitions: Vec<(Ident, Vec<PartitionOption>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PartitionValues {
    None,
    /// VALUES LESS THAN MAXVALUE, without parentheses.
    LessThanMax,
    LessThan(Vec<PartitionValue>),
    /// VALUES IN: rows of one value, or of several in parentheses.
    In(Vec<Vec<PartitionValue>>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum PartitionValue {
    Max,
    Expr(Expr),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionOption {
    Tablespace(Ident),
    Engine(Ident),
    NodeGroup(u64),
    MaxRows(u64),
    MinRows(u64),
    DataDirectory(Text),
    IndexDirectory(Text),
    Comment(Text),
}
