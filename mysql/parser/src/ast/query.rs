//! SELECT and everything it is made of.

use super::{Bytes, DataType, Expr, Ident, JsonOn, ObjectName, Span, Text};

/// A query expression: one that can stand in parentheses, with what may follow it.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub with: Option<With>,
    pub body: QueryBody,
    pub order_by: Vec<OrderItem>,
    pub limit: Option<Limit>,
    pub locking: Vec<Locking>,
    /// INTO, wherever it was written.
    pub into: Option<Box<IntoClause>>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct With {
    pub recursive: bool,
    pub tables: Vec<CommonTable>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CommonTable {
    pub name: Ident,
    pub columns: Vec<Ident>,
    pub query: Box<Query>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum QueryBody {
    Select(Box<Select>),
    /// `VALUES ROW(…), …`
    Values(Vec<Vec<Expr>>),
    /// `TABLE t`
    Table(ObjectName),
    /// Operands of one precedence, from left to right. INTERSECT binds tighter
    /// than UNION and EXCEPT.
    Set {
        first: Box<QueryBody>,
        rest: Vec<SetOperand>,
    },
    /// In parentheses, where these matter.
    Nested(Box<Query>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct SetOperand {
    pub op: SetOp,
    /// ALL, else DISTINCT.
    pub all: bool,
    pub body: QueryBody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOp {
    Union,
    Except,
    Intersect,
}

/// One block of SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    pub hints: Vec<Hint>,
    pub options: SelectOptions,
    pub items: Vec<SelectItem>,
    /// Empty without FROM, and for FROM DUAL.
    pub from: Vec<TableRef>,
    pub filter: Option<Expr>,
    pub group_by: Option<Box<GroupBy>>,
    pub having: Option<Expr>,
    pub windows: Vec<(Ident, WindowSpec)>,
    pub qualify: Option<Expr>,
}

/// The words between SELECT and the first column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SelectOptions {
    pub distinct: bool,
    /// ALL was written, which changes nothing.
    pub all: bool,
    pub straight_join: bool,
    pub high_priority: bool,
    pub small_result: bool,
    pub big_result: bool,
    pub buffer_result: bool,
    pub no_cache: bool,
    pub calc_found_rows: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// `*`
    All,
    /// `t.*` or `s.t.*`
    AllOf(ObjectName),
    Expr {
        expr: Expr,
        alias: Option<Ident>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct GroupBy {
    pub items: Vec<Expr>,
    pub rollup: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    pub expr: Expr,
    pub descending: bool,
}

/// Rows are literals, parameters or variables of a stored program.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    pub rows: Expr,
    pub offset: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Locking {
    /// FOR UPDATE, else FOR SHARE.
    pub update: bool,
    pub of: Vec<ObjectName>,
    pub wait: LockWait,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    Wait,
    NoWait,
    SkipLocked,
}

/// Where SELECT … INTO puts its rows.
#[derive(Debug, Clone, PartialEq)]
pub enum IntoClause {
    Outfile { file: Text, charset: Option<Ident>, format: FileFormat },
    Dumpfile(Text),
    Variables(Vec<IntoVariable>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntoVariable {
    /// `@name`
    User(Ident),
    /// A variable of a stored program.
    Local(Ident),
}

/// FIELDS and LINES of INTO OUTFILE and LOAD DATA.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileFormat {
    pub fields_terminated: Option<Bytes>,
    pub enclosed: Option<Bytes>,
    pub optionally_enclosed: bool,
    pub escaped: Option<Bytes>,
    pub lines_starting: Option<Bytes>,
    pub lines_terminated: Option<Bytes>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WindowSpec {
    /// The window it refines.
    pub base: Option<Ident>,
    pub partition_by: Vec<Expr>,
    pub order_by: Vec<OrderItem>,
    pub frame: Option<Box<Frame>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub unit: FrameUnit,
    pub start: FrameBound,
    pub end: Option<FrameBound>,
    pub exclude: Option<FrameExclude>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameUnit {
    Rows,
    Range,
    Groups,
}

#[derive(Debug, Clone, PartialEq)]
pub enum FrameBound {
    UnboundedPreceding,
    UnboundedFollowing,
    CurrentRow,
    Preceding(Expr, Option<super::IntervalUnit>),
    Following(Expr, Option<super::IntervalUnit>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameExclude {
    CurrentRow,
    Group,
    Ties,
    NoOthers,
}

/// One optimizer hint: its name and what is between its parentheses. Text that
/// is no hint is one without a name; MySQL warns and goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub name: Option<Text>,
    /// Without the outer parentheses; blanks at the ends are gone.
    pub body: Text,
    /// Where it stands.
    pub place: HintPlace,
}

/// Where a hint stands: no part of what it says, so that all are equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct HintPlace {
    /// The hint's first byte in the text.
    pub start: usize,
    /// Its body's first byte.
    pub body: usize,
    /// Which block of the statement, from 1 in the order of the text.
    pub block: u32,
}

impl PartialEq for HintPlace {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for HintPlace {}

#[derive(Debug, Clone, PartialEq)]
pub enum TableRef {
    Table(Box<TableFactor>),
    Derived(Box<Derived>),
    JsonTable(Box<JsonTable>),
    Join(Box<Join>),
    /// `(a, b)`: as if joined by CROSS JOIN. Two or more.
    List(Vec<TableRef>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct TableFactor {
    pub name: ObjectName,
    pub partitions: Vec<Ident>,
    pub alias: Option<Ident>,
    pub hints: Vec<IndexHint>,
    pub sample: Option<TableSample>,
}

/// TABLESAMPLE, which the community server refuses.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSample {
    /// SYSTEM, else BERNOULLI.
    pub system: bool,
    pub percent: Expr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexHint {
    pub action: IndexAction,
    pub scope: Option<IndexScope>,
    /// `PRIMARY` is the primary key. Empty for USE INDEX ().
    pub indexes: Vec<Ident>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexAction {
    Use,
    Force,
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexScope {
    Join,
    OrderBy,
    GroupBy,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    pub lateral: bool,
    pub query: Box<Query>,
    pub alias: Ident,
    pub columns: Vec<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    pub kind: JoinKind,
    pub left: TableRef,
    pub right: TableRef,
    pub condition: JoinCondition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// JOIN, INNER JOIN, CROSS JOIN
    Inner,
    /// STRAIGHT_JOIN
    Straight,
    Left,
    Right,
}

#[derive(Debug, Clone, PartialEq)]
pub enum JoinCondition {
    None,
    Natural,
    On(Expr),
    Using(Vec<Ident>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonTable {
    pub expr: Expr,
    /// A literal.
    pub path: Expr,
    pub columns: Vec<JsonColumn>,
    pub alias: Ident,
}

#[derive(Debug, Clone, PartialEq)]
pub enum JsonColumn {
    Ordinality(Ident),
    Path {
        name: Ident,
        data_type: Box<DataType>,
        collation: Option<Ident>,
        exists: bool,
        path: Expr,
        on_empty: Option<JsonOn>,
        on_error: Option<JsonOn>,
    },
    Nested {
        path: Expr,
        columns: Vec<JsonColumn>,
    },
}
