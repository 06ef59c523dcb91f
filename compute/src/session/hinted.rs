//! Hints for a whole statement: SET_VAR and MAX_EXECUTION_TIME.
//!
//! They are variables of the session that have another value while the statement runs. They count
//! in its first block. Statements that have some are compiled each time.

use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::types::SqlType;
use firn_mysql_semantics::value;

use super::Session;
use crate::hints::{Asked, Hint, Value, conflicting, read};
use crate::variables::{Assignment, NewValue, SetContext, VarId, id};

/// The hints of the first block, and whether time limits count in it.
fn first_block(kind: &S) -> (&[ast::Hint], bool) {
    fn of_body(body: &ast::QueryBody) -> &[ast::Hint] {
        match body {
            ast::QueryBody::Select(select) => &select.hints,
            ast::QueryBody::Nested(query) => of_body(&query.body),
            ast::QueryBody::Set { first, .. } => of_body(first),
            _ => &[],
        }
    }
    match kind {
        S::Query(query) => (of_body(&query.body), true),
        S::Insert(insert) => (&insert.hints, false),
        S::Update(update) => (&update.hints, false),
        S::Delete(delete) => (&delete.hints, false),
        _ => (&[], false),
    }
}

/// The statement of an EXPLAIN, or itself.
fn explained(kind: &S) -> &S {
    match kind {
        S::Explain(explain) => match &explain.target {
            ast::ExplainTarget::Statement(statement) => &statement.kind,
            ast::ExplainTarget::Connection(_) => kind,
        },
        _ => kind,
    }
}

/// Whether the session has to do something for a statement's hints, or to warn of them.
pub(super) fn is_hinted(kind: &S) -> bool {
    let (hints, _) = first_block(explained(kind));
    if hints.is_empty() {
        return false;
    }
    let (hints, wrong) = read(hints, b"");
    wrong.is_some() || hints.iter().any(is_for_all)
}

fn is_for_all(hint: &Hint) -> bool {
    matches!(hint.asked, Asked::Time(_) | Asked::Set(..) | Asked::Group(_))
}

impl Session {
    /// Sets what hints want set; what this returns gives it back.
    pub(super) fn set_by_hints(&mut self, sql: &[u8], kind: &S) -> Vec<Assignment> {
        let (hints, limits) = first_block(explained(kind));
        let (hints, wrong) = read(hints, sql);
        if let Some(wrong) = wrong {
            self.warnings.warn(wrong);
        }
        let mut given_back = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for hint in hints.iter().filter(|hint| is_for_all(hint)) {
            let (name, value) = match &hint.asked {
                Asked::Time(_) if !limits => {
                    let number = code::ER_WARN_UNSUPPORTED_MAX_EXECUTION_TIME;
                    self.warnings.warn(SqlError::new(number, &[]));
                    continue;
                }
                Asked::Time(limit_ms) => (hint.name, Value::Number(limit_ms.to_string())),
                Asked::Set(name, value) => (name.as_str(), value.clone()),
                Asked::Group(name) => {
                    let error = SqlError::new(code::ER_RESOURCE_GROUP_NOT_EXISTS, &[name.into()]);
                    self.warnings.warn(error);
                    continue;
                }
                _ => continue,
            };
            // The time limit and the variable of its name are told apart.
            let known = format!("{}({})", hint.name, name.to_ascii_lowercase());
            if seen.contains(&known) {
                self.warnings.warn(conflicting(hint));
                continue;
            }
            seen.push(known);
            match self.set_by_hint(name, &value) {
                Ok(before) => given_back.push(before),
                Err(error) => self.warnings.warn(error),
            }
        }
        self.refresh_settings();
        given_back
    }

    fn set_by_hint(&mut self, name: &str, value: &Value) -> Result<Assignment, SqlError> {
        let shown = format!("'{name}'");
        let Some(id) = VarId::by_name(name) else {
            let arguments = [(&shown).into(), "SET_VAR".into()];
            return Err(SqlError::new(code::ER_UNRESOLVED_HINT_NAME, &arguments));
        };
        // It has a hint of its own beside the variable's.
        if !id.definition().is_hintable() && id != id::max_execution_time {
            return Err(SqlError::new(code::ER_NOT_HINT_UPDATABLE_VARIABLE, &[(&shown).into()]));
        }
        let new = match value {
            Value::Number(number) => NewValue::Value(
                value::Value::UInt(bytes_of(number)),
                SqlType::plain(firn_mysql_semantics::TypeKind::BigInt, 20, 0).with_unsigned(true),
            ),
            Value::Text(word) | Value::Word(word) => NewValue::word(word),
        };
        let in_transaction = self.in_transaction();
        let access = &self.rights.access;
        let warnings = &mut self.warnings;
        let mut cx = SetContext { in_transaction, may: &|any| access.has_any(any), warnings };
        let assignment = self.values.variables.check(id, None, false, &new, &mut cx)?;
        let before = self.values.variables.given_back(id);
        self.values.variables.apply(assignment);
        Ok(before)
    }

    /// Gives back what was set for a statement.
    pub(super) fn give_back(&mut self, given_back: Vec<Assignment>) {
        for before in given_back.into_iter().rev() {
            self.values.variables.apply(before);
        }
    }
}

/// A number with its unit: 1K is 1024.
fn bytes_of(number: &str) -> u64 {
    let digits = number.trim_end_matches(|c: char| !c.is_ascii_digit());
    let power = match number[digits.len()..].to_ascii_lowercase().as_str() {
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        "e" => 6,
        _ => 0,
    };
    let number: u64 = digits.parse().unwrap_or(u64::MAX);
    number.saturating_mul(1024_u64.pow(power))
}
