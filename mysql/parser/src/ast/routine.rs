//! Stored programs and what they are made of.

use super::{
    DataType, Expr, Ident, ObjectName, Query, Security, SignalCondition, Statement, Text, User,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutineKind {
    Procedure,
    Function,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateRoutine {
    pub kind: RoutineKind,
    pub definer: Option<User>,
    pub if_not_exists: bool,
    pub name: ObjectName,
    pub params: Vec<Parameter>,
    /// Of a function, with its collation.
    pub returns: Option<(DataType, Option<Ident>)>,
    pub characteristics: Vec<Characteristic>,
    pub body: RoutineBody,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RoutineBody {
    Sql(Statement),
    /// AS 'text', in another language.
    Text(Text),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub mode: ParameterMode,
    pub name: Ident,
    pub data_type: DataType,
    pub collation: Option<Ident>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterMode {
    In,
    Out,
    InOut,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Characteristic {
    Comment(Text),
    Language(Ident),
    NoSql,
    ContainsSql,
    ReadsSqlData,
    ModifiesSqlData,
    Security(Security),
    Deterministic(bool),
}

/// CREATE FUNCTION … SONAME
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateLoadable {
    pub aggregate: bool,
    pub if_not_exists: bool,
    pub name: Ident,
    pub returns: LoadableType,
    pub library: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadableType {
    String,
    Integer,
    Real,
    Decimal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterRoutine {
    pub kind: RoutineKind,
    pub name: ObjectName,
    pub characteristics: Vec<Characteristic>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTrigger {
    pub definer: Option<User>,
    pub if_not_exists: bool,
    pub name: ObjectName,
    /// BEFORE, else AFTER.
    pub before: bool,
    pub event: TriggerEvent,
    pub table: ObjectName,
    /// FOLLOWS (else PRECEDES) another trigger.
    pub order: Option<(bool, Ident)>,
    pub body: Statement,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerEvent {
    Insert,
    Update,
    Delete,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateEvent {
    pub definer: Option<User>,
    pub if_not_exists: bool,
    pub name: ObjectName,
    pub schedule: Schedule,
    pub preserve: Option<bool>,
    pub status: Option<EventStatus>,
    pub comment: Option<Text>,
    pub body: Statement,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterEvent {
    pub definer: Option<User>,
    pub name: ObjectName,
    pub schedule: Option<Schedule>,
    pub preserve: Option<bool>,
    pub rename: Option<ObjectName>,
    pub status: Option<EventStatus>,
    pub comment: Option<Text>,
    pub body: Option<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    At(Expr),
    Every { amount: Expr, unit: super::IntervalUnit, starts: Option<Expr>, ends: Option<Expr> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStatus {
    Enable,
    Disable,
    DisableOnReplica,
}

/// BEGIN … END
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub label: Option<Ident>,
    /// Variables and conditions, then cursors, then handlers.
    pub declarations: Vec<Declaration>,
    pub body: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Declaration {
    Variables {
        names: Vec<Ident>,
        data_type: Box<DataType>,
        collation: Option<Ident>,
        default: Option<Expr>,
    },
    Condition {
        name: Ident,
        value: ConditionValue,
    },
    Cursor {
        name: Ident,
        query: Box<Query>,
    },
    Handler {
        action: HandlerKind,
        conditions: Vec<HandlerCondition>,
        body: Box<Statement>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionValue {
    Errno(u64),
    Sqlstate(Text),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandlerKind {
    Continue,
    Exit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandlerCondition {
    Errno(u64),
    State(SignalCondition),
    SqlWarning,
    NotFound,
    SqlException,
}

#[derive(Debug, Clone, PartialEq)]
pub struct If {
    pub branches: Vec<(Expr, Vec<Statement>)>,
    pub otherwise: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CaseStatement {
    pub operand: Option<Expr>,
    pub branches: Vec<(Expr, Vec<Statement>)>,
    pub otherwise: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Loop {
    pub label: Option<Ident>,
    pub body: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct While {
    pub label: Option<Ident>,
    pub condition: Expr,
    pub body: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    pub label: Option<Ident>,
    pub body: Vec<Statement>,
    pub until: Expr,
}
