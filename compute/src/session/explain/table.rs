//! The table that EXPLAIN gives: a row for each table of the statement.

use firn_mysql_semantics::Value;

use super::Explained;
use super::step::{Reach, Told};
use crate::information_schema::cell::{maybe, number, text};
use crate::plan::{SelectPlan, StepRows};

/// The rows.
pub(super) fn rows(explained: &Explained) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    if let Explained::Insert { table, replace, .. } = explained {
        let kind = if *replace { "REPLACE" } else { "INSERT" };
        let mut row = vec![number(1), text(kind), text(table), Value::Null, text("ALL")];
        row.resize(12, Value::Null);
        rows.push(row);
    }
    if let (Some(plan), kind) = explained.rows() {
        let mut next = 2;
        select(plan, 1, kind, &mut next, &mut rows);
    }
    rows
}

fn select(plan: &SelectPlan, id: u64, kind: &str, next: &mut u64, rows: &mut Vec<Vec<Value>>) {
    let has_derived = plan.steps.iter().any(|step| matches!(step.rows, StepRows::Derived(_)));
    let kind = if kind == "SIMPLE" && has_derived { "PRIMARY" } else { kind };
    if plan.steps.is_empty() {
        let mut row = vec![number(id), text(kind)];
        row.resize(11, Value::Null);
        row.push(text("No tables used"));
        rows.push(row);
    }
    let mut inner = Vec::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let mut derived = 0;
        if let StepRows::Derived(rows) = &step.rows {
            derived = *next;
            *next += 1;
            inner.extend(rows.query().map(|query| (derived, query)));
        }
        let mut told = Told::new(plan, at, derived as usize);
        // Of tables that are changed MySQL tells every search as one of ranges.
        let changes = matches!(kind, "UPDATE" | "DELETE") && plan.steps.len() == 1;
        if changes && matches!(told.reach, Reach::Const | Reach::Ref) {
            told.reach = Reach::Range;
        }
        rows.push(vec![
            number(id),
            text(kind),
            text(&told.table),
            Value::Null,
            text(told.reach.name()),
            list(&told.possible),
            maybe(told.key),
            maybe((told.key.is_some()).then(|| told.key_bytes.to_string())),
            list(&told.refs),
            if told.single { number(1) } else { Value::Null },
            if told.filter.is_empty() { Value::Double(100.0) } else { Value::Null },
            maybe(extra(plan, at, &told)),
        ]);
    }
    for (id, query) in inner {
        select(query, id, "DERIVED", next, rows);
    }
}

fn list<T: AsRef<str>>(names: &[T]) -> Value {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { Value::Null } else { text(names.join(",")) }
}

/// `Extra`
fn extra(plan: &SelectPlan, at: usize, told: &Told<'_>) -> Option<String> {
    let mut words = Vec::new();
    if !told.filter.is_empty() || told.reach == Reach::Range {
        words.push("Using where");
    }
    if told.backward {
        words.push("Backward index scan");
    }
    if told.covering {
        words.push("Using index");
    }
    if at == 0 {
        let select = &plan.select;
        if !select.group_by.is_empty() || select.distinct {
            words.push("Using temporary");
        }
        if sorts(plan) {
            words.push("Using filesort");
        }
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// Rows are sorted.
pub(super) fn sorts(plan: &SelectPlan) -> bool {
    !plan.select.order_by.is_empty() && (!plan.ordered || plan.select.grouped)
}
