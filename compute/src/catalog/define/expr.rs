//! Expressions of columns: DEFAULT (…) and GENERATED ALWAYS AS.

use firn_mysql_parser::ast::Expr;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Node, Scope as _};
use firn_table::descriptor::{ColumnDefault, ColumnId};

use super::{Builder, TableScope};
use crate::catalog::expression::{Use, canonical, check_allowed};

/// An expression that waits for all columns.
pub(crate) struct Draft<'a> {
    pub(crate) column: ColumnId,
    expr: &'a Expr,
    generated: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn default(column: ColumnId, expr: &'a Expr) -> Self {
        Self { column, expr, generated: false }
    }

    pub(crate) fn generated(column: ColumnId, expr: &'a Expr) -> Self {
        Self { column, expr, generated: true }
    }
}

impl Builder<'_> {
    pub(super) fn finish_expressions(&mut self) -> Result<(), SqlError> {
        for draft in std::mem::take(&mut self.expressions) {
            let Some(at) = self.table.columns.iter().position(|one| one.id == draft.column) else {
                continue;
            };
            let name = self.table.columns[at].name.clone();
            let purpose = if draft.generated { Use::Generated(&name) } else { Use::Default(&name) };
            let (_, columns) = self.bound(draft.expr, purpose)?;
            for column in columns {
                let other = &self.table.columns[column];
                if other.auto_increment {
                    let number = if draft.generated {
                        code::ER_GENERATED_COLUMN_REF_AUTO_INC
                    } else {
                        code::ER_DEFAULT_VAL_GENERATED_REF_AUTO_INC
                    };
                    return Err(SqlError::new(number, &[(&name).into()]));
                }
                let computed = other.generated.is_some();
                if draft.generated && computed && column >= at {
                    return Err(SqlError::new(code::ER_GENERATED_COLUMN_NON_PRIOR, &[]));
                }
                let by_expr = computed || matches!(other.default, ColumnDefault::Expr(_));
                if !draft.generated && by_expr && column >= at {
                    let number = code::ER_DEFAULT_VAL_GENERATED_NON_PRIOR;
                    return Err(SqlError::new(number, &[(&name).into()]));
                }
            }
            let text = canonical(draft.expr, self.facts.settings, &self.table);
            let column = &mut self.table.columns[at];
            match &mut column.generated {
                Some(generated) => generated.expr = text,
                None => column.default = ColumnDefault::Expr(text),
            }
        }
        Ok(())
    }

    /// The typed form of an expression over the table's columns, and the places of the
    /// columns that it names.
    pub(super) fn bound(
        &mut self,
        expr: &Expr,
        purpose: Use<'_>,
    ) -> Result<(Node, Vec<usize>), SqlError> {
        let names = check_allowed(expr, purpose)?;
        let scope = TableScope { table: &self.table, clause: purpose.clause() };
        let mut columns = Vec::new();
        for name in names {
            columns.push(scope.column(name)?.index);
        }
        let binder = Binder::new(self.facts.settings, &scope, &[]);
        let bound = binder.bind(expr);
        let warnings = binder.take_warnings();
        for warning in warnings {
            // What every row would bring is not said of the definition.
            if warning.number() != code::ER_IMPLICIT_COMPARISON_FOR_JSON {
                self.warnings.warn(warning);
            }
        }
        match bound {
            Ok(node) => Ok((node, columns)),
            Err(error) if error.number() == code::ER_SP_DOES_NOT_EXIST => {
                // The name is the last word of the text: `FUNCTION db.name does not exist`.
                let name = error.message().split_whitespace().nth(1).unwrap_or_default();
                let name = name.rsplit('.').next().unwrap_or(name);
                Err(purpose.function_refused(&firn_mysql_parser::quote_name(name)))
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether an expression that the catalog keeps names a column.
pub(crate) fn names_column(text: &str, name: &str) -> Result<bool, SqlError> {
    use crate::catalog::expression::parse;
    // It was just written, and is looked at later.
    if text.is_empty() {
        return Ok(false);
    }
    let expr = parse(text)?;
    let columns =
        check_allowed(&expr, Use::Index("")).or_else(|_| check_allowed(&expr, Use::Default("")))?;
    Ok(columns.iter().any(|column| firn_table::descriptor::same_name(column.name.as_str(), name)))
}
