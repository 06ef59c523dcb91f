//! SET, PREPARE.

use super::{Expr, Ident, Scope, SystemVariable, Text, User};

/// One assignment of SET.
#[derive(Debug, Clone, PartialEq)]
pub enum SetItem {
    /// `@name = …`
    User {
        name: Ident,
        value: Expr,
    },
    /// A system variable, or a variable of a stored program. DEFAULT and the words
    /// ON, ALL, BINARY, ROW and SYSTEM are values.
    Variable {
        name: SystemVariable,
        at_signs: bool,
        value: SetValue,
    },
    /// NAMES, CHARACTER SET, TRANSACTION among others: `SET a = 1, NAMES utf8mb4`.
    Names(SetNames),
    CharacterSet(SetNames),
    /// PASSWORD, the old way with `=`.
    Password(Box<SetPassword>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum SetValue {
    Default,
    Expr(Expr),
    /// ON, ALL, BINARY, ROW, SYSTEM: in upper case.
    Word(Text),
}

/// SET NAMES; without a character set it is DEFAULT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetNames {
    pub charset: Option<Ident>,
    pub collation: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPassword {
    pub user: Option<User>,
    /// None is TO RANDOM.
    pub password: Option<Text>,
    pub replace: Option<Text>,
    pub retain: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PrepareSource {
    Text(Text),
    /// `@name`
    Variable(Ident),
}

/// The characteristics of SET TRANSACTION and START TRANSACTION.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransactionCharacteristics {
    pub isolation: Option<Isolation>,
    pub read_only: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl Scope {
    /// Its keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Global => "GLOBAL",
            Scope::Session => "SESSION",
            Scope::Persist => "PERSIST",
            Scope::PersistOnly => "PERSIST_ONLY",
        }
    }
}
