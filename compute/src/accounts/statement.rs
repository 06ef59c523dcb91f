//! What the statements about accounts look at, and what they leave.

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, Warnings, code};

use super::access::Access;
use super::account::{AccountName, Record};

/// What there is to grant privileges on.
pub trait Objects: Sync {
    /// Whether there is a table or view of the name.
    fn has_table(&self, database: &str, table: &str) -> bool;
    /// Whether a table has a column, name in lower case.
    fn has_column(&self, database: &str, table: &str, column: &str) -> bool;
    /// Whether there is a procedure, or else a function.
    fn has_routine(&self, procedure: bool, database: &str, name: &str) -> bool;
}

/// Who runs a statement about accounts, and where.
pub struct AccountContext<'a> {
    /// The session's rights.
    pub access: &'a Access,
    /// The database in use.
    pub database: Option<&'a str>,
    /// What there is to grant privileges on.
    pub objects: &'a dyn Objects,
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Chance, for random passwords.
    pub random: &'a (dyn Fn() -> Result<u64, SqlError> + Sync),
    /// `generated_random_password_length`
    pub random_password_chars: usize,
    /// `password_require_current`
    pub require_current: bool,
    /// `password_history`
    pub password_history: u64,
    /// `password_reuse_interval`, days.
    pub password_reuse_days: u64,
    /// Where warnings go.
    pub warnings: &'a mut Warnings,
}

/// A password that the server made up: a row of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomPassword {
    /// Whose.
    pub account: AccountName,
    /// The password.
    pub password: String,
}

impl AccountContext<'_> {
    pub(super) fn name(&self, user: &ast::User) -> Result<AccountName, SqlError> {
        AccountName::of(user, self.access.account())
    }

    /// Whether it is the account of the session.
    pub(super) fn is_own(&self, name: &AccountName) -> bool {
        name == self.access.account()
    }

    /// Whether an account may be changed: those with SYSTEM_USER by such alone.
    pub(super) fn may_change(&self, record: &Record) -> Result<(), SqlError> {
        if record.grants.dynamic.contains_key("SYSTEM_USER") {
            return self.access.check_any(&["SYSTEM_USER"]);
        }
        Ok(())
    }

    pub(super) fn database(&self) -> Result<String, SqlError> {
        let none = || SqlError::new(code::ER_NO_DB_ERROR, &[]);
        self.database.map(str::to_owned).ok_or_else(none)
    }

    /// A note that an account is there already, or is not there.
    pub(super) fn note(&mut self, number: u16, name: &AccountName) {
        self.warnings.note(SqlError::new(number, &[(&name.quoted()).into()]));
    }
}
