//! SET, and what it does beyond the variables.

use firn_mysql_parser::ast::{self, StatementKind};
use firn_mysql_semantics::error::SqlError;

use super::Session;
use super::run::Arguments;
use super::set::SetStatement;
use super::statement::{Done, Ended, Outcome};
use crate::bind::has_query;
use crate::variables::SetContext;

/// What a SET leaves to do.
#[derive(Default)]
struct Assigned<'s> {
    /// The open transaction has to be committed.
    commits: bool,
    /// Passwords to change.
    passwords: Vec<&'s ast::SetPassword>,
}

impl Session {
    /// SET in all its forms.
    pub(crate) async fn set(&mut self, statement: &ast::Statement) -> Result<Outcome, Ended> {
        let assigned = match &statement.kind {
            StatementKind::Set(items) if with_queries(items)? => self.assign_queried(items).await?,
            _ => self.assign(statement)?,
        };
        if assigned.commits {
            self.commit_open().await?;
        }
        if !assigned.passwords.is_empty() {
            self.commit_open().await?;
            self.set_passwords(&assigned.passwords).await?;
        }
        Ok(Done::default().into())
    }

    /// Carries out a SET where a value is a query's.
    async fn assign_queried<'s>(
        &mut self,
        items: &'s [ast::SetItem],
    ) -> Result<Assigned<'s>, Ended> {
        let set = SetStatement::prepare(items)?;
        let mut values = Vec::new();
        for expr in set.expressions() {
            values.push(self.scalar(b"", expr, &Arguments::default()).await?);
        }
        let in_transaction = self.in_transaction();
        let warnings = &mut self.warnings;
        let access = &self.rights.access;
        let mut cx = SetContext { in_transaction, may: &|any| access.has_any(any), warnings };
        let outcome = set.run(values, &mut self.values, &mut cx)?;
        let commits = outcome.changes.iter().any(|change| change.commits);
        Ok(Assigned { commits, passwords: outcome.passwords })
    }

    /// Carries out a SET.
    fn assign<'s>(&mut self, statement: &'s ast::Statement) -> Result<Assigned<'s>, SqlError> {
        let in_transaction = self.in_transaction();
        let warnings = &mut self.warnings;
        let access = &self.rights.access;
        let mut cx = SetContext { in_transaction, may: &|any| access.has_any(any), warnings };
        match &statement.kind {
            StatementKind::Set(items) => {
                let set = SetStatement::prepare(items)?;
                let outcome = set.run_simple(&mut self.values, &mut cx)?;
                let commits = outcome.changes.iter().any(|change| change.commits);
                return Ok(Assigned { commits, passwords: outcome.passwords });
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
        Ok(Assigned::default())
    }
}

/// Whether a value of a SET has a query in it.
fn with_queries(items: &[ast::SetItem]) -> Result<bool, SqlError> {
    Ok(SetStatement::prepare(items)?.expressions().any(has_query))
}
