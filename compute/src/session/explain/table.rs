//! The table that EXPLAIN gives: a row for each table of each query block.

use std::collections::BTreeSet;

use firn_mysql_parser::ast::SetOp;
use firn_mysql_semantics::Value;

use super::Explained;
use super::outline::{Clause, Outline, is_values, operation, over, place, subqueries, word};
use super::step::{Merged, Reach, Told};
use crate::information_schema::cell::{maybe, number, text};
use crate::plan::{DerivedPlan, SelectPlan, StepRows, SubqueryPlan};

/// What a block is: MySQL's `select_type`.
#[derive(Debug, Clone, Copy)]
struct Kind {
    base: &'static str,
    op: Option<SetOp>,
    /// It takes something of the row around it.
    dependent: bool,
    /// It may give something else each time.
    uncacheable: bool,
}

impl Kind {
    fn of(base: &'static str) -> Self {
        Self { base, op: None, dependent: false, uncacheable: false }
    }

    fn name(self) -> String {
        let word = match self.op {
            None => self.base,
            Some(SetOp::Union) => "UNION",
            Some(SetOp::Intersect) => "INTERSECT",
            Some(SetOp::Except) => "EXCEPT",
        };
        match (self.dependent, self.uncacheable) {
            (true, _) => format!("DEPENDENT {word}"),
            (false, true) => format!("UNCACHEABLE {word}"),
            (false, false) => word.to_owned(),
        }
    }
}

struct Rows<'o, 'p> {
    outline: &'o Outline<'p>,
    rows: Vec<Vec<Value>>,
    /// Common tables that were told already.
    common: BTreeSet<usize>,
    /// The steps whose rows change, and how.
    changes: Option<(&'static str, Vec<usize>)>,
}

/// The rows.
pub(super) fn rows(explained: &Explained, outline: &Outline<'_>) -> Vec<Vec<Value>> {
    let base = if outline.count() > 1 { "PRIMARY" } else { "SIMPLE" };
    let mut all =
        Rows { outline, rows: Vec::new(), common: BTreeSet::new(), changes: explained.changes() };
    if let Explained::Insert { table, replace, .. } = explained {
        let kind = if *replace { "REPLACE" } else { "INSERT" };
        let mut row = vec![number(1), text(kind), text(table), Value::Null, text("ALL")];
        row.resize(12, Value::Null);
        all.rows.push(row);
    }
    if let Some(plan) = explained.plan() {
        all.block(plan, Kind::of(base));
    }
    if let Explained::Insert { subqueries, .. } = explained {
        all.subqueries(&subqueries.iter().collect::<Vec<_>>());
    }
    all.rows
}

impl<'p> Rows<'_, 'p> {
    fn note(&mut self, id: u64, kind: Kind, extra: &str) {
        let mut row = vec![number(id), text(kind.name())];
        row.resize(11, Value::Null);
        row.push(text(extra));
        self.rows.push(row);
    }

    fn block(&mut self, plan: &'p SelectPlan, kind: Kind) {
        match over(plan) {
            Some(rows) => self.result(plan, rows, kind),
            None => self.tables(plan, kind),
        }
    }

    /// A block over the rows of others.
    fn result(&mut self, plan: &'p SelectPlan, rows: &'p DerivedPlan, kind: Kind) {
        let own = self.outline.number(plan);
        let (name, of) = match rows {
            DerivedPlan::Set(set) if is_values(set) => {
                self.note(own, kind, "No tables used");
                let inner: Vec<_> =
                    set.parts.iter().flat_map(|part| &part.plan.subqueries).collect();
                self.subqueries(&inner);
                return;
            }
            DerivedPlan::Set(set) => {
                for part in &set.parts {
                    let dependent = kind.dependent && !part.plan.select.outer.is_empty();
                    let op = part.op.map(|(op, _)| op);
                    self.block(&part.plan, Kind { op, dependent, ..kind });
                }
                let parts = set.parts.iter().map(|part| self.outline.number(&part.plan));
                let parts: Vec<String> = parts.map(|id| id.to_string()).collect();
                let word = word(operation(set).0);
                (format!("{} RESULT", word.to_uppercase()), format!("<{word}{}>", parts.join(",")))
            }
            DerivedPlan::Query { plan: inner, .. } => {
                self.block(inner, kind);
                let of = format!("<ordered/limited{}>", self.outline.number(inner));
                ("RESULT".to_owned(), of)
            }
            DerivedPlan::Shared(_)
            | DerivedPlan::Recursive(_)
            | DerivedPlan::Working(_)
            | DerivedPlan::JsonTable(_) => return,
        };
        let mut extra = "Using temporary".to_owned();
        if sorts(plan) {
            extra.push_str("; Using filesort");
        }
        let mut row = vec![number(own), text(name), text(of), Value::Null, text("ALL")];
        row.resize(11, Value::Null);
        row.push(text(extra));
        self.rows.push(row);
        self.subqueries(&subqueries(plan, |_| true));
    }

    fn tables(&mut self, plan: &'p SelectPlan, kind: Kind) {
        let id = self.outline.number(plan);
        let changes = self.changes.take();
        let mut inner: Vec<&'p DerivedPlan> = Vec::new();
        if self.outline.is_impossible(plan) {
            let base = changes.as_ref().map_or(kind.base, |(word, _)| word);
            self.note(id, Kind { base, ..kind }, "Impossible WHERE");
        } else if plan.steps.is_empty() {
            self.note(id, kind, "No tables used");
        } else {
            for at in 0..plan.steps.len() {
                let changed = changes.as_ref().filter(|(_, targets)| targets.contains(&at));
                let kind = changed.map_or_else(|| kind.name(), |(word, _)| (*word).to_owned());
                self.step(plan, at, id, kind, changed.is_some() && plan.steps.len() == 1);
                if let StepRows::Derived(rows) = &plan.steps[at].rows {
                    inner.push(rows);
                }
            }
        }
        inner.into_iter().for_each(|rows| self.derived(rows));
        self.subqueries(&subqueries(plan, |one| matches!(one, Clause::Step(_) | Clause::Constant)));
        let rest = [Clause::Order, Clause::Having, Clause::Group, Clause::List, Clause::Given];
        for clause in rest {
            self.subqueries(&subqueries(plan, |one| one == clause));
        }
    }

    fn step(&mut self, plan: &'p SelectPlan, at: usize, id: u64, kind: String, changes: bool) {
        let mut told = Told::new(plan, at, self.outline);
        // Of a table that is changed MySQL tells every search as one of ranges.
        if changes && matches!(told.reach, Reach::Const | Reach::Ref) {
            told.reach = Reach::Range;
        }
        let extra = self.extra(plan, at, &told);
        self.rows.push(vec![
            number(id),
            text(kind),
            text(&told.table),
            Value::Null,
            text(told.reach.name()),
            list(&told.possible),
            match told.reach {
                Reach::IndexMerge => merged(&told, |one| one.key.to_owned()),
                _ => maybe(told.key),
            },
            match told.reach {
                Reach::IndexMerge => merged(&told, |one| one.key_bytes.to_string()),
                _ => maybe((told.key.is_some()).then(|| told.key_bytes.to_string())),
            },
            list(&told.refs),
            match (told.single, told.rows) {
                (true, _) => number(1),
                (false, Some(rows)) => number(rows.round().max(1.0) as u64),
                (false, None) => Value::Null,
            },
            match told.left_percent {
                _ if told.filter.is_empty() => Value::Double(100.0),
                Some(percent) => Value::Double((percent * 100.0).round() / 100.0),
                None => Value::Null,
            },
            maybe(extra),
        ]);
    }

    fn derived(&mut self, rows: &'p DerivedPlan) {
        match rows {
            DerivedPlan::Query { plan, lateral, .. } => {
                self.block(plan, Kind { dependent: *lateral, ..Kind::of("DERIVED") });
            }
            DerivedPlan::Shared(shared) => {
                if self.common.insert(place(&**shared)) {
                    self.derived(shared.rows());
                }
            }
            DerivedPlan::Recursive(recursive) => {
                for part in recursive.seed.parts.iter().chain(&recursive.steps) {
                    let first = part.op.is_none() && place(part) == place(&recursive.seed.parts[0]);
                    let op = (!first).then_some(SetOp::Union);
                    self.block(&part.plan, Kind { op, ..Kind::of("DERIVED") });
                }
            }
            DerivedPlan::Set(_) | DerivedPlan::Working(_) | DerivedPlan::JsonTable(_) => {}
        }
    }

    fn subqueries(&mut self, list: &[&'p SubqueryPlan]) {
        for one in list {
            let dependent = !one.plan.select.outer.is_empty();
            let kind = Kind { dependent, uncacheable: one.volatile, ..Kind::of("SUBQUERY") };
            self.block(&one.plan, kind);
        }
    }

    /// `Extra`
    fn extra(&self, plan: &SelectPlan, at: usize, told: &Told<'_>) -> Option<String> {
        let mut words: Vec<String> = Vec::new();
        let mut say = |text: &str| words.push(text.to_owned());
        if told.working {
            say("Recursive");
        }
        if told.function {
            say("Table function: json_table");
            say("Using temporary");
        }
        if told.reach == Reach::IndexMerge {
            say(&format!("Using {}", union_of(told)));
        }
        if !told.filter.is_empty() || told.reach == Reach::Range {
            say("Using where");
        }
        if told.backward {
            say("Backward index scan");
        }
        if told.covering {
            say("Using index");
        }
        if at == 0 {
            let select = &plan.select;
            if !select.group_by.is_empty() || select.distinct {
                say("Using temporary");
            }
            let by_window = plan.windows.sorts.iter().any(|sort| !sort.keys.is_empty());
            if sorts(plan) || by_window {
                say("Using filesort");
            }
        }
        if let Some(StepRows::Derived(rows)) = plan.steps.get(at + 1).map(|step| &step.rows)
            && rows.is_lateral()
            && !matches!(**rows, DerivedPlan::JsonTable(_))
        {
            say(&format!("Rematerialize (<derived{}>)", self.outline.first_of(rows)));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// Something of each of the searches whose rows are put together.
fn merged(told: &Told<'_>, of: impl Fn(&Merged<'_>) -> String) -> Value {
    let all: Vec<String> = told.merged.iter().map(of).collect();
    text(all.join(","))
}

/// How they are put together, as MySQL says it.
pub(super) fn union_of(told: &Told<'_>) -> String {
    let keys: Vec<&str> = told.merged.iter().map(|one| one.key).collect();
    format!("{}({})", told.merge(), keys.join(","))
}

fn list<T: AsRef<str>>(names: &[T]) -> Value {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { Value::Null } else { text(names.join(",")) }
}

/// Rows are sorted.
pub(super) fn sorts(plan: &SelectPlan) -> bool {
    !plan.select.order_by.is_empty() && (!plan.ordered || plan.select.grouped)
}
