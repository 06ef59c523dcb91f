//! SET, and what it does beyond the variables.

use firn_mysql_parser::ast::{self, StatementKind};
use firn_mysql_semantics::error::SqlError;

use super::Session;
use super::set::SetStatement;
use super::statement::{Done, Ended, Outcome};
use crate::variables::SetContext;

impl Session {
    /// SET in all its forms.
    pub(crate) async fn set(&mut self, statement: &ast::Statement) -> Result<Outcome, Ended> {
        if self.assign(statement)? {
            self.commit_open().await?;
        }
        Ok(Done::default().into())
    }

    /// Carries out a SET; `true` if the open transaction has to be committed.
    fn assign(&mut self, statement: &ast::Statement) -> Result<bool, SqlError> {
        let in_transaction = self.in_transaction();
        let warnings = &mut self.warnings;
        // Accounts are not built yet: everybody is root.
        let mut cx = SetContext { in_transaction, may: &|_| true, warnings };
        match &statement.kind {
            StatementKind::Set(items) => {
                let set = SetStatement::prepare(items)?;
                let outcome = set.run_simple(&mut self.values, &mut cx)?;
                if !outcome.passwords.is_empty() {
                    return Err(SqlError::not_supported_yet("SET PASSWORD"));
                }
                return Ok(outcome.changes.iter().any(|change| change.commits));
            }
            StatementKind::SetNames(names) => {
                let names = self.values.variables.check_names(names, cx.warnings)?;
                self.values.variables.apply_names(names);
            }
            StatementKind::SetCharacterSet(names) => {
                let names = self.values.variables.check_character_set(names, cx.warnings)?;
                self.values.variables.apply_names(names);
            }
            StatementKind::SetTransaction { scope, characteristics } => {
                self.values.variables.set_transaction(*scope, *characteristics, &mut cx)?;
            }
            _ => return Err(SqlError::not_supported_yet("this SET")),
        }
        Ok(false)
    }
}
