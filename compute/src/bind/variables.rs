//! What binding asks of a session's variables.

use firn_mysql_semantics::SqlType;
use firn_mysql_semantics::expr::Scope;

/// Types of variables, as they are when a statement is bound.
pub(crate) trait VariableTypes {
    /// `@name`, in lower case; `None` if it was never set.
    fn user_variable(&self, name: &str) -> Option<SqlType>;
    /// `@@name`, `@@global.name`, `@@session.name`; `None` if there is no such one.
    fn system_variable(&self, name: &str) -> Option<SqlType>;
}

impl VariableTypes for crate::session::values::VariablesScope<'_> {
    fn user_variable(&self, name: &str) -> Option<SqlType> {
        Scope::user_variable(self, name)
    }

    fn system_variable(&self, name: &str) -> Option<SqlType> {
        Scope::system_variable(self, name)
    }
}

/// Where no variable can stand.
pub(crate) struct NoVariables;

impl VariableTypes for NoVariables {
    fn user_variable(&self, _: &str) -> Option<SqlType> {
        None
    }

    fn system_variable(&self, _: &str) -> Option<SqlType> {
        None
    }
}
