//! CHECK.

use firn_mysql_parser::ast::{Check as Written, Expr, Ident};
use firn_mysql_semantics::error::{Arg, SqlError, code};
use firn_table::descriptor::{Check, same_name};

use super::Builder;
use crate::catalog::expression::{Use, canonical, check_allowed, is_truth};
use crate::catalog::name::check_length;

/// A CHECK that waits for all columns.
pub(crate) struct CheckDraft<'a> {
    name: Option<String>,
    expr: &'a Expr,
    enforced: bool,
    /// The column that it is written with.
    column: Option<String>,
}

impl<'a> Builder<'a> {
    /// Adds a CHECK, of the table or of one column.
    pub(crate) fn check(&mut self, written: &'a Written, column: Option<&Ident>) {
        self.checks.push(CheckDraft {
            name: written.constraint.as_ref().map(|name| name.as_str().to_owned()),
            expr: &written.expr,
            enforced: written.enforced.unwrap_or(true),
            column: column.map(|name| name.as_str().to_owned()),
        });
    }

    pub(super) fn finish_checks(&mut self) -> Result<(), SqlError> {
        let drafts = std::mem::take(&mut self.checks);
        // Names are given first: `t_chk_1` is taken by whoever says so.
        let mut next = self.next_check_number();
        let mut names: Vec<String> = Vec::with_capacity(drafts.len());
        for draft in &drafts {
            let name = match &draft.name {
                Some(name) => {
                    check_length(name)?;
                    name.clone()
                }
                None => {
                    let name = format!("{}_chk_{next}", self.table.name);
                    next += 1;
                    check_length(&name)?;
                    name
                }
            };
            let taken = self.table.checks.iter().any(|check| same_name(&check.name, &name))
                || names.iter().any(|other| same_name(other, &name))
                || self.taken.has_check(&name);
            if taken {
                return Err(SqlError::new(code::ER_CHECK_CONSTRAINT_DUP_NAME, &[(&name).into()]));
            }
            names.push(name);
        }
        for (draft, name) in drafts.into_iter().zip(names) {
            let expr = self.check_expr(&draft, &name)?;
            self.table.checks.push(Check { name, expr, enforced: draft.enforced });
        }
        Ok(())
    }

    fn next_check_number(&self) -> u64 {
        let prefix = format!("{}_chk_", self.table.name);
        let numbers = self.table.checks.iter().filter_map(|check| {
            check.name.strip_prefix(&prefix).and_then(|number| number.parse::<u64>().ok())
        });
        numbers.max().unwrap_or(0) + 1
    }

    fn check_expr(&mut self, draft: &CheckDraft<'_>, name: &str) -> Result<String, SqlError> {
        let purpose = Use::Check(name);
        let named = check_allowed(draft.expr, purpose)?;
        for column in &named {
            let own = column.name.as_str();
            if let Some(only) = &draft.column
                && !same_name(own, only)
            {
                return Err(SqlError::new(
                    code::ER_COLUMN_CHECK_CONSTRAINT_REFERENCES_OTHER_COLUMN,
                    &[name.into()],
                ));
            }
            let Some(at) = self.table.column_named(own) else {
                let args = [Arg::Str(name), Arg::Str(own)];
                return Err(SqlError::new(code::ER_CHECK_CONSTRAINT_REFERS_UNKNOWN_COLUMN, &args));
            };
            if self.table.columns[at].auto_increment {
                return Err(SqlError::new(
                    code::ER_CHECK_CONSTRAINT_REFERS_AUTO_INCREMENT_COLUMN,
                    &[name.into()],
                ));
            }
        }
        if !is_truth(draft.expr) {
            return Err(SqlError::new(
                code::ER_NON_BOOLEAN_EXPR_FOR_CHECK_CONSTRAINT,
                &[name.into()],
            ));
        }
        self.bound(draft.expr, purpose)?;
        Ok(canonical(draft.expr, self.facts.settings, &self.table))
    }
}
