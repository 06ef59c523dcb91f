//! Expressions.

use super::{Bytes, DataType, Ident, OrderItem, Query, Span, Text, WindowSpec};

/// An expression and where it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    Literal(Literal),
    /// `?`, counted from 0 within the statement.
    Param(u32),
    Column(ColumnRef),
    /// `@name`
    UserVariable(Ident),
    /// `@@…`
    SystemVariable(Box<SystemVariable>),
    /// `@name := …`
    Assign(Box<Assign>),
    Unary(UnaryOp, Box<Expr>),
    Binary(Box<Binary>),
    /// AND, OR, XOR of two or more operands, from left to right. An operand of
    /// the same kind was in parentheses on the right.
    Logical(LogicalOp, Vec<Expr>),
    IsNull {
        expr: Box<Expr>,
        negated: bool,
    },
    IsTruth {
        expr: Box<Expr>,
        truth: Truth,
        negated: bool,
    },
    Like(Box<Like>),
    Regexp(Box<Regexp>),
    InList(Box<InList>),
    InQuery(Box<InQuery>),
    Between(Box<Between>),
    /// `= ANY (SELECT …)`
    Quantified(Box<Quantified>),
    Subquery(Box<Query>),
    Exists(Box<Query>),
    /// `(a, b)` or `ROW(a, b)`
    Row(Vec<Expr>),
    Case(Box<Case>),
    Cast(Box<Cast>),
    /// `CONVERT(… USING charset)`
    ConvertUsing(Box<(Expr, Ident)>),
    Collate(Box<(Expr, Ident)>),
    Call(Box<Call>),
    Aggregate(Box<Aggregate>),
    Match(Box<Match>),
    /// `… + INTERVAL … unit` and what means the same.
    DateArith(Box<DateArith>),
    Extract(IntervalUnit, Box<Expr>),
    Trim(Box<Trim>),
    /// TIMESTAMPADD and TIMESTAMPDIFF.
    UnitCall(Box<UnitCall>),
    GetFormat(FormatKind, Box<Expr>),
    /// `CHAR(… [USING charset])`
    Char(Box<(Vec<Expr>, Option<Ident>)>),
    WeightString(Box<WeightString>),
    /// DEFAULT as a value.
    Default,
    /// `DEFAULT(column)`
    DefaultOf(Box<ColumnRef>),
    /// `VALUES(column)` in ON DUPLICATE KEY UPDATE.
    Values(Box<ColumnRef>),
    /// `column -> '$.path'`
    JsonPath(Box<JsonPath>),
    JsonValue(Box<JsonValue>),
    /// An argument with a name: `f(a AS b)`, for loadable functions.
    Named(Box<(Expr, Ident)>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Null,
    Bool(bool),
    Int(u64),
    /// An exact number, as written: with a point, or an integer over 64 bits.
    Decimal(Text),
    /// An approximate number, as written.
    Float(Text),
    Text(TextLiteral),
    /// `0x…` and `x'…'`: the bytes.
    Hex(BytesLiteral),
    /// `0b…` and `b'…'`: the bytes.
    Bits(BytesLiteral),
    /// DATE, TIME or TIMESTAMP before a string, which is not checked here.
    Temporal(TemporalKind, Box<Bytes>),
}

/// A string: pieces that followed each other are joined, escapes are undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLiteral {
    /// In the character set of the text, or of the introducer.
    pub value: Bytes,
    /// The introducer's character set; `utf8mb3` for `N'…'`.
    pub charset: Option<Box<Text>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytesLiteral {
    pub value: Bytes,
    pub charset: Option<Box<Text>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporalKind {
    Date,
    Time,
    Timestamp,
}

/// `schema.table.column`, or a parameter or variable of a stored program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRef {
    pub qualifier: Option<Box<Qualifier>>,
    pub name: Ident,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualifier {
    pub schema: Option<Ident>,
    pub table: Ident,
}

/// Which variable `@@name` or SET is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemVariable {
    pub scope: Option<Scope>,
    /// A key cache, or the component of a variable with two names.
    pub prefix: Option<Ident>,
    pub name: Ident,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Global,
    Session,
    Persist,
    PersistOnly,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Assign {
    pub variable: Ident,
    pub value: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    Not,
    Minus,
    /// `~`
    BitNot,
    /// `BINARY expr`
    Binary,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    pub op: BinaryOp,
    pub left: Expr,
    pub right: Expr,
}

/// Operators of two operands. `||` as concatenation is a call of `concat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    Eq,
    NullSafeEq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    BitOr,
    BitAnd,
    BitXor,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    /// DIV
    IntDivide,
    /// `%` and MOD
    Modulo,
    SoundsLike,
    MemberOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogicalOp {
    And,
    Or,
    Xor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Unknown,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Like {
    pub expr: Expr,
    pub pattern: Expr,
    pub escape: Option<Expr>,
    pub negated: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Regexp {
    pub expr: Expr,
    pub pattern: Expr,
    pub negated: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct InList {
    pub expr: Expr,
    pub list: Vec<Expr>,
    pub negated: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct InQuery {
    pub expr: Expr,
    pub query: Box<Query>,
    pub negated: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Between {
    pub expr: Expr,
    pub low: Expr,
    pub high: Expr,
    pub negated: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Quantified {
    pub expr: Expr,
    /// A comparison.
    pub op: BinaryOp,
    /// ALL, else ANY.
    pub all: bool,
    pub query: Box<Query>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub operand: Option<Expr>,
    pub branches: Vec<(Expr, Expr)>,
    pub otherwise: Option<Expr>,
}

/// `CAST(expr AT TIME ZONE zone AS type ARRAY)` and `CONVERT(expr, type)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cast {
    pub expr: Expr,
    /// `CAST(timestamp AT TIME ZONE 'offset' AS DATETIME)`
    pub time_zone: Option<Text>,
    pub to: CastType,
    pub array: bool,
}

/// What CAST and CONVERT can make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CastType {
    Signed,
    Unsigned,
    /// Any of the types of columns that CAST takes: CHAR, BINARY, DATE, TIME,
    /// DATETIME, YEAR, DECIMAL, FLOAT, DOUBLE, JSON, geometries.
    Data(Box<DataType>),
}

/// A function call. Names of built-in functions that have words of their own in
/// the grammar are in lower case; synonyms of them have become one (`now`,
/// `curdate`, `curtime`, `locate` for POSITION, `substring`).
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub schema: Option<Ident>,
    pub name: Ident,
    /// A keyword of the grammar calls it, so it is the built-in function. Other
    /// names, these in quotes among them, may be those of stored functions.
    pub keyword: bool,
    pub args: Vec<Expr>,
    /// For window functions.
    pub window: Option<Box<WindowCall>>,
}

/// What a window function has after its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowCall {
    /// FROM LAST, which MySQL parses and refuses.
    pub from_last: bool,
    /// IGNORE NULLS, which MySQL parses and refuses.
    pub ignore_nulls: bool,
    pub over: Over,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Over {
    Name(Ident),
    Window(WindowSpec),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub kind: AggregateKind,
    pub distinct: bool,
    /// Empty for `COUNT(*)`.
    pub args: Vec<Expr>,
    /// GROUP_CONCAT only, as the separator.
    pub order_by: Vec<OrderItem>,
    pub separator: Option<Bytes>,
    pub over: Option<Box<Over>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregateKind {
    Avg,
    BitAnd,
    BitOr,
    BitXor,
    Count,
    GroupConcat,
    JsonArrayAgg,
    JsonObjectAgg,
    Max,
    Min,
    StCollect,
    /// STD, STDDEV, STDDEV_POP
    StddevPop,
    StddevSamp,
    Sum,
    /// VARIANCE, VAR_POP
    VarPop,
    VarSamp,
}

impl AggregateKind {
    /// The name by which MySQL prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avg => "avg",
            Self::BitAnd => "bit_and",
            Self::BitOr => "bit_or",
            Self::BitXor => "bit_xor",
            Self::Count => "count",
            Self::GroupConcat => "group_concat",
            Self::JsonArrayAgg => "json_arrayagg",
            Self::JsonObjectAgg => "json_objectagg",
            Self::Max => "max",
            Self::Min => "min",
            Self::StCollect => "st_collect",
            Self::StddevPop => "std",
            Self::StddevSamp => "stddev_samp",
            Self::Sum => "sum",
            Self::VarPop => "variance",
            Self::VarSamp => "var_samp",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    pub columns: Vec<ColumnRef>,
    pub against: Expr,
    pub mode: MatchMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchMode {
    Natural,
    NaturalWithExpansion,
    Boolean,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DateArith {
    pub date: Expr,
    pub subtract: bool,
    pub amount: Expr,
    pub unit: IntervalUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalUnit {
    Microsecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    SecondMicrosecond,
    MinuteMicrosecond,
    MinuteSecond,
    HourMicrosecond,
    HourSecond,
    HourMinute,
    DayMicrosecond,
    DaySecond,
    DayMinute,
    DayHour,
    YearMonth,
}

impl IntervalUnit {
    /// The name by which MySQL prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Microsecond => "microsecond",
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::SecondMicrosecond => "second_microsecond",
            Self::MinuteMicrosecond => "minute_microsecond",
            Self::MinuteSecond => "minute_second",
            Self::HourMicrosecond => "hour_microsecond",
            Self::HourSecond => "hour_second",
            Self::HourMinute => "hour_minute",
            Self::DayMicrosecond => "day_microsecond",
            Self::DaySecond => "day_second",
            Self::DayMinute => "day_minute",
            Self::DayHour => "day_hour",
            Self::YearMonth => "year_month",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Trim {
    pub side: TrimSide,
    pub remove: Option<Expr>,
    pub expr: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrimSide {
    Both,
    Leading,
    Trailing,
}

#[derive(Debug, Clone, PartialEq)]
pub struct UnitCall {
    /// TIMESTAMPDIFF, else TIMESTAMPADD.
    pub diff: bool,
    pub unit: IntervalUnit,
    pub first: Expr,
    pub second: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatKind {
    Date,
    Time,
    DateTime,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WeightString {
    pub expr: Expr,
    pub form: WeightForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightForm {
    Plain,
    Char(u64),
    Binary(u64),
    /// The undocumented form: three numbers.
    Numbers(u64, u64, u64),
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    pub column: ColumnRef,
    pub path: Bytes,
    /// `->>`
    pub unquote: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonValue {
    pub expr: Expr,
    /// A literal.
    pub path: Expr,
    pub returning: Option<CastType>,
    pub on_empty: Option<JsonOn>,
    pub on_error: Option<JsonOn>,
}

/// What JSON_VALUE and JSON_TABLE give where there is no value.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonOn {
    Error,
    Null,
    Default(Expr),
}
