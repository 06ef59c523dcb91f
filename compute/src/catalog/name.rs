//! Names of databases and tables.

use std::fmt;
use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};

use super::Facts;

/// Longest name, in characters.
const LENGTH_MAX: usize = 64;

/// A table's, with its database's. Case counts (`lower_case_table_names=0`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The database.
    pub schema: Arc<str>,
    /// The table or view.
    pub name: Arc<str>,
}

impl TableName {
    /// From its parts, as they are.
    #[must_use]
    pub fn new(schema: &str, name: &str) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// What a name in a statement stands for.
    ///
    /// # Errors
    /// 1046 without a database; 1059, 1102, 1103 for a malformed name.
    pub fn resolve(name: &ast::ObjectName, facts: &Facts<'_>) -> Result<Self, SqlError> {
        let schema = match (&name.schema, facts.database) {
            (Some(schema), _) => {
                check_schema_name(schema.as_str())?;
                schema.as_str()
            }
            (None, Some(current)) => current,
            (None, None) => return Err(SqlError::new(code::ER_NO_DB_ERROR, &[])),
        };
        check_table_name(name.name.as_str())?;
        Ok(Self::new(schema, name.name.as_str()))
    }
}

impl fmt::Display for TableName {
    /// As lists in errors have it: `database.table`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

fn too_long(name: &str) -> bool {
    name.chars().count() > LENGTH_MAX
}

fn malformed(name: &str) -> bool {
    name.is_empty() || name.ends_with(' ')
}

/// Errors: 1059, 1102.
pub(crate) fn check_schema_name(name: &str) -> Result<(), SqlError> {
    if too_long(name) {
        return Err(SqlError::new(code::ER_TOO_LONG_IDENT, &[name.into()]));
    }
    if malformed(name) {
        return Err(SqlError::new(code::ER_WRONG_DB_NAME, &[name.into()]));
    }
    Ok(())
}

/// Errors: 1059, 1103.
pub(crate) fn check_table_name(name: &str) -> Result<(), SqlError> {
    if too_long(name) {
        return Err(SqlError::new(code::ER_TOO_LONG_IDENT, &[name.into()]));
    }
    if malformed(name) {
        return Err(SqlError::new(code::ER_WRONG_TABLE_NAME, &[name.into()]));
    }
    Ok(())
}

/// Errors: 1059, 1166.
pub(crate) fn check_column_name(name: &str) -> Result<(), SqlError> {
    if malformed(name) {
        return Err(SqlError::new(code::ER_WRONG_COLUMN_NAME, &[name.into()]));
    }
    check_length(name)
}

/// Errors: 1059.
pub(crate) fn check_length(name: &str) -> Result<(), SqlError> {
    if too_long(name) {
        return Err(SqlError::new(code::ER_TOO_LONG_IDENT, &[name.into()]));
    }
    Ok(())
}
