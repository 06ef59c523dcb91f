//! SET.
//!
//! A [`SetStatement`] is prepared, the caller evaluates its expressions (there may be
//! subqueries among them), then it runs: all assignments are checked before the first
//! is carried out.

use firn_mysql_parser::ast::{self, ExprKind, SetItem, SetPassword, SetValue};
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_mysql_semantics::types::SqlType;
use firn_mysql_semantics::value::Value;

use super::values::SessionValues;
use crate::variables::{Assignment, Change, Names, NewValue, SetContext, VarId};

type Result<T> = std::result::Result<T, SqlError>;

enum Step<'a> {
    User(String, &'a ast::Expr),
    Variable(VarId, &'a ast::SystemVariable, bool, Source<'a>),
    Names(&'a ast::SetNames),
    CharacterSet(&'a ast::SetNames),
    Password(&'a SetPassword),
}

enum Source<'a> {
    Default,
    Word(&'a str),
    Expr(&'a ast::Expr),
}

enum Checked<'a> {
    User(String, Value, SqlType),
    Variable(Assignment),
    Names(Names),
    Password(&'a SetPassword),
}

/// A SET whose variables are known.
pub struct SetStatement<'a> {
    steps: Vec<Step<'a>>,
}

/// What a SET leaves to do.
#[derive(Debug, Default)]
pub struct SetOutcome<'a> {
    /// System variables that were set, in order; see [`Change::commits`].
    pub changes: Vec<Change>,
    /// Passwords to change.
    pub passwords: Vec<&'a SetPassword>,
}

impl<'a> SetStatement<'a> {
    /// Finds the variables of a SET.
    ///
    /// # Errors
    ///
    /// 1193; 1054 for names that are no variables of a stored program.
    pub fn prepare(items: &'a [SetItem]) -> Result<SetStatement<'a>> {
        let steps = items.iter().map(step).collect::<Result<_>>()?;
        Ok(SetStatement { steps })
    }

    /// The expressions to evaluate, in order.
    pub fn expressions(&self) -> impl Iterator<Item = &'a ast::Expr> {
        self.steps.iter().filter_map(|step| match step {
            Step::User(_, expr) | Step::Variable(.., Source::Expr(expr)) => Some(*expr),
            _ => None,
        })
    }

    /// Checks all assignments with the values of [`SetStatement::expressions`], then
    /// carries them out.
    ///
    /// # Errors
    ///
    /// As `SessionVariables::check` and `check_names`; 3170 for user variables. If one
    /// fails, nothing has changed; but 3170 may leave some of them set.
    pub fn run(
        self,
        values: Vec<(Value, SqlType)>,
        session: &mut SessionValues,
        cx: &mut SetContext<'_>,
    ) -> Result<SetOutcome<'a>> {
        let mut values = values.into_iter();
        let mut next =
            move || values.next().ok_or_else(|| SqlError::new(code::ER_UNKNOWN_ERROR, &[]));
        let mut checked = Vec::with_capacity(self.steps.len());
        for step in self.steps {
            checked.push(match step {
                Step::User(name, _) => {
                    let (value, ty) = next()?;
                    Checked::User(name, value, ty)
                }
                Step::Variable(id, variable, at_signs, source) => {
                    let new = match source {
                        Source::Default => NewValue::Default,
                        Source::Word(word) => NewValue::word(word),
                        Source::Expr(_) => {
                            let (value, ty) = next()?;
                            NewValue::Value(value, ty)
                        }
                    };
                    let variables = &session.variables;
                    Checked::Variable(variables.check(id, variable.scope, at_signs, &new, cx)?)
                }
                Step::Names(names) => {
                    Checked::Names(session.variables.check_names(names, cx.warnings)?)
                }
                Step::CharacterSet(names) => {
                    Checked::Names(session.variables.check_character_set(names, cx.warnings)?)
                }
                Step::Password(password) => Checked::Password(password),
            });
        }
        let mut outcome = SetOutcome::default();
        for one in checked {
            match one {
                Checked::User(name, value, ty) => session.user_variables.set(&name, value, ty)?,
                Checked::Variable(assignment) => {
                    outcome.changes.push(session.variables.apply(assignment));
                }
                Checked::Names(names) => session.variables.apply_names(names),
                Checked::Password(password) => outcome.passwords.push(password),
            }
        }
        Ok(outcome)
    }

    /// Evaluates the expressions by the session itself and runs: for SETs without
    /// subqueries.
    ///
    /// # Errors
    ///
    /// Those of the expressions, 1235 for subqueries, and as [`SetStatement::run`].
    pub fn run_simple(
        self,
        session: &mut SessionValues,
        cx: &mut SetContext<'_>,
    ) -> Result<SetOutcome<'a>> {
        let mut own = Warnings::default();
        let values: Result<Vec<_>> =
            self.expressions().map(|expr| session.evaluate(expr, &mut own)).collect();
        for condition in own.kept() {
            cx.warnings.push(condition.level, condition.error.clone());
        }
        self.run(values?, session, cx)
    }
}

fn step(item: &SetItem) -> Result<Step<'_>> {
    Ok(match item {
        SetItem::User { name, value } => Step::User(name.as_str().to_lowercase(), value),
        SetItem::Variable { name, at_signs, value } => {
            let bare = name.name.as_str();
            let unknown =
                |name: &str| Err(SqlError::new(code::ER_UNKNOWN_SYSTEM_VARIABLE, &[name.into()]));
            if let Some(prefix) = &name.prefix {
                // A component's variable, or one of several key caches.
                return unknown(&format!("{}.{bare}", prefix.as_str()));
            }
            let Some(id) = VarId::by_name(bare) else { return unknown(bare) };
            let source = match value {
                SetValue::Default => Source::Default,
                SetValue::Word(word) => Source::Word(word),
                SetValue::Expr(expr) => match &expr.kind {
                    // A bare name is its own text.
                    ExprKind::Column(column) if column.qualifier.is_none() => {
                        Source::Word(column.name.as_str())
                    }
                    _ => Source::Expr(expr),
                },
            };
            Step::Variable(id, name, *at_signs, source)
        }
        SetItem::Names(names) => Step::Names(names),
        SetItem::CharacterSet(names) => Step::CharacterSet(names),
        SetItem::Password(password) => Step::Password(password),
    })
}
