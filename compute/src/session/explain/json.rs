//! EXPLAIN FORMAT=JSON: a statement's blocks, in the order of members that MySQL prints.

use std::collections::BTreeSet;

use firn_mysql_parser::ast::SetOp;

use super::Explained;
use super::outline::{Clause, Outline, clause, is_values, operation, over};
use super::print::Json;
use super::step::Told;
use super::table::{sorts, union_of};
use super::windows::windowing;
use crate::plan::{DerivedPlan, PartPlan, SelectPlan, StepRows, SubqueryPlan};

pub(super) type Members = Vec<(&'static str, Json)>;

pub(super) fn texts<T: AsRef<str>>(list: &[T]) -> Json {
    Json::List(list.iter().map(|one| Json::Text(one.as_ref().to_owned())).collect())
}

/// The text.
pub(super) fn text(explained: &Explained, outline: &Outline<'_>) -> String {
    let mut blocks = Blocks { outline, told: BTreeSet::new(), changes: explained.changes() };
    let mut block: Members = Vec::new();
    if let Explained::Insert { table, query, subqueries, .. } = explained {
        block.push(("select_id", Json::Number(1)));
        block.push((
            "table",
            Json::Object(vec![
                ("insert", Json::Bool(true)),
                ("table_name", Json::Text(table.clone())),
                ("access_type", Json::Text("ALL".into())),
            ]),
        ));
        if let Some(plan) = query {
            let mut from = blocks.block(plan);
            from.retain(|(name, _)| *name != "select_id");
            block.push(("insert_from", Json::Object(from)));
        }
        let asked: Vec<&SubqueryPlan> = subqueries.iter().collect();
        blocks.subqueries("insert_values_subqueries", &asked, &mut block);
    } else if let Some(plan) = explained.plan() {
        block = blocks.block(plan);
    }
    let mut out = String::new();
    Json::Object(vec![("query_block", Json::Object(block))]).print(0, &mut out);
    out
}

struct Blocks<'o, 'p> {
    outline: &'o Outline<'p>,
    /// Common tables that were told already.
    told: BTreeSet<usize>,
    /// The steps whose rows change, and how.
    changes: Option<(&'static str, Vec<usize>)>,
}

/// A block where others are put together, or asked for.
fn specification(dependent: bool, cacheable: bool, block: Members) -> Json {
    Json::Object(vec![
        ("dependent", Json::Bool(dependent)),
        ("cacheable", Json::Bool(cacheable)),
        ("query_block", Json::Object(block)),
    ])
}

impl Blocks<'_, '_> {
    fn block(&mut self, plan: &SelectPlan) -> Members {
        match over(plan) {
            Some(DerivedPlan::Set(set)) if !is_values(set) => {
                let (op, _) = operation(set);
                let name = match op {
                    SetOp::Union => "union_result",
                    SetOp::Intersect => "intersect_result",
                    SetOp::Except => "except_result",
                };
                let ids = set.parts.iter().map(|part| self.outline.number(&part.plan));
                let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
                let of = format!("<{}{}>", super::outline::word(op), ids.join(","));
                let parts = self.parts(&set.parts);
                vec![(name, self.result(plan, of, parts))]
            }
            Some(DerivedPlan::Query { plan: inner, .. }) => {
                let of = format!("<ordered/limited{}>", self.outline.number(inner));
                let block = self.block(inner);
                let parts = vec![specification(false, true, block)];
                vec![("unary_result", self.result(plan, of, parts))]
            }
            _ => {
                let mut members = vec![("select_id", Json::Number(self.outline.number(plan)))];
                members.extend(self.query(plan));
                members
            }
        }
    }

    fn parts(&mut self, parts: &[PartPlan]) -> Vec<Json> {
        let one = |part: &PartPlan| {
            let dependent = !part.plan.select.outer.is_empty();
            match over(&part.plan) {
                // What is put together itself stands there by its own name.
                Some(DerivedPlan::Set(set)) if !is_values(set) => {
                    Json::Object(self.block(&part.plan))
                }
                _ => specification(dependent, !dependent, self.block(&part.plan)),
            }
        };
        parts.iter().map(one).collect()
    }

    fn result(&mut self, plan: &SelectPlan, of: String, parts: Vec<Json>) -> Json {
        let mut members = vec![
            ("using_temporary_table", Json::Bool(true)),
            ("select_id", Json::Number(self.outline.number(plan))),
            ("table_name", Json::Text(of)),
            ("access_type", Json::Text("ALL".into())),
        ];
        if sorts(plan) {
            members.push(("using_filesort", Json::Bool(true)));
        }
        members.push(("query_specifications", Json::List(parts)));
        let asked: Vec<&SubqueryPlan> = plan.subqueries.iter().collect();
        self.subqueries("order_by_subqueries", &asked, &mut members);
        Json::Object(members)
    }

    fn subqueries(&mut self, name: &'static str, list: &[&SubqueryPlan], members: &mut Members) {
        if list.is_empty() {
            return;
        }
        let one = |one: &&SubqueryPlan| {
            let dependent = !one.plan.select.outer.is_empty();
            specification(dependent, !dependent && !one.volatile, self.block(&one.plan))
        };
        let list = list.iter().map(one).collect();
        members.push((name, Json::List(list)));
    }

    /// What is inside of a query block.
    fn query(&mut self, plan: &SelectPlan) -> Members {
        let changes = self.changes.take();
        let select = &plan.select;
        let of = |wanted: Clause| -> Vec<&SubqueryPlan> {
            plan.subqueries.iter().filter(|one| clause(plan, one.slot) == wanted).collect()
        };
        let impossible = self.outline.is_impossible(plan);
        let mut table = |at: usize| {
            let word = changes.as_ref().filter(|(_, targets)| targets.contains(&at));
            self.table(plan, at, word.map(|(word, _)| *word))
        };
        let count = plan.steps.len();
        let mut members = if over(plan).is_some() || count == 0 {
            vec![("message", Json::Text("No tables used".into()))]
        } else if impossible {
            vec![("message", Json::Text("Impossible WHERE".into()))]
        } else if count == 1 {
            vec![("table", table(0))]
        } else {
            let tables = (0..count).map(|at| Json::Object(vec![("table", table(at))])).collect();
            vec![("nested_loop", Json::List(tables))]
        };
        self.subqueries("attached_subqueries", &of(Clause::Constant), &mut members);
        self.subqueries("update_value_subqueries", &of(Clause::Given), &mut members);
        if !select.group_by.is_empty() {
            members.insert(0, ("using_temporary_table", Json::Bool(true)));
            self.subqueries("having_subqueries", &of(Clause::Having), &mut members);
            self.subqueries("group_by_subqueries", &of(Clause::Group), &mut members);
            members = vec![("grouping_operation", Json::Object(members))];
        } else {
            self.subqueries("having_subqueries", &of(Clause::Having), &mut members);
        }
        members = windowing(plan, members);
        if select.distinct {
            members.insert(0, ("using_temporary_table", Json::Bool(true)));
            members = vec![("duplicates_removal", Json::Object(members))];
        }
        if sorts(plan) {
            members.insert(0, ("using_filesort", Json::Bool(true)));
            self.subqueries("order_by_subqueries", &of(Clause::Order), &mut members);
            members = vec![("ordering_operation", Json::Object(members))];
        } else {
            self.subqueries("order_by_subqueries", &of(Clause::Order), &mut members);
        }
        self.subqueries("select_list_subqueries", &of(Clause::List), &mut members);
        members
    }

    fn table(&mut self, plan: &SelectPlan, at: usize, changes: Option<&'static str>) -> Json {
        let step = &plan.steps[at];
        let told = Told::new(plan, at, self.outline);
        let scope = plan.select.tables.iter().find(|table| table.start == step.start);
        let mut members = Vec::new();
        if let Some(changes) = changes {
            let word = if changes == "UPDATE" { "update" } else { "delete" };
            members.push((word, Json::Bool(true)));
        }
        let name = scope.map_or_else(|| told.table.clone(), |table| table.alias.to_string());
        members.push(("table_name", Json::Text(name)));
        members.push(("access_type", Json::Text(told.reach.name().to_owned())));
        if !told.possible.is_empty() {
            members.push(("possible_keys", texts(&told.possible)));
        }
        if let Some(key) = told.key {
            members.push(("key", Json::Text(key.to_owned())));
            if !told.key_columns.is_empty() {
                members.push(("used_key_parts", texts(&told.key_columns)));
            }
            members.push(("key_length", Json::Text(told.key_bytes.to_string())));
            if !told.refs.is_empty() {
                members.push(("ref", texts(&told.refs)));
            }
        }
        if !told.merged.is_empty() {
            members.push(("key", Json::Text(union_of(&told))));
            let bytes: Vec<_> = told.merged.iter().map(|one| one.key_bytes.to_string()).collect();
            members.push(("key_length", Json::Text(bytes.join(","))));
        }
        if told.backward {
            members.push(("backward_index_scan", Json::Bool(true)));
        }
        if told.covering {
            members.push(("using_index", Json::Bool(true)));
        }
        if let Some(next) = plan.steps.get(at + 1)
            && let StepRows::Derived(rows) = &next.rows
            && rows.is_lateral()
            && let Some(table) = plan.select.tables.iter().find(|one| one.start == next.start)
        {
            members.push(("rematerialize", Json::Text(table.alias.to_string())));
        }
        if let (Some(scope), Some(_)) = (scope, step.stored()) {
            let names = step.columns.iter().filter_map(|at| scope.columns.get(*at));
            let names: Vec<_> = names.map(|column| &*column.name).collect();
            if !names.is_empty() {
                members.push(("used_columns", texts(&names)));
            }
        }
        if !told.filter.is_empty() {
            let texts: Vec<_> = told.filter.iter().map(|node| self.outline.text(node)).collect();
            let text = if texts.len() == 1 {
                texts.concat()
            } else {
                format!("({})", texts.join(" and "))
            };
            members.push(("attached_condition", Json::Text(text)));
        }
        if let StepRows::Derived(rows) = &step.rows {
            self.made(rows, &mut members);
        }
        let asked = plan.subqueries.iter();
        let asked: Vec<_> =
            asked.filter(|one| clause(plan, one.slot) == Clause::Step(at)).collect();
        self.subqueries("attached_subqueries", &asked, &mut members);
        Json::Object(members)
    }

    /// How rows of FROM are made.
    fn made(&mut self, rows: &DerivedPlan, members: &mut Members) {
        let first = self.outline.first_of(rows);
        let (inner, number) = match rows {
            DerivedPlan::Shared(shared) => (shared.rows(), Some(shared.number)),
            rows => (rows, None),
        };
        let made = if number.is_some_and(|number| !self.told.insert(number)) {
            let with = Json::Object(vec![("select_id", Json::Number(first))]);
            vec![("sharing_temporary_table_with", with)]
        } else {
            let block = match inner {
                DerivedPlan::Query { plan, .. } => self.block(plan),
                DerivedPlan::Recursive(recursive) => {
                    let mut parts = self.parts(&recursive.seed.parts);
                    for part in &recursive.steps {
                        let mut block = self.block(&part.plan);
                        block.insert(1.min(block.len()), ("recursive", Json::Bool(true)));
                        parts.push(specification(false, true, block));
                    }
                    let members = vec![
                        ("using_temporary_table", Json::Bool(true)),
                        ("query_specifications", Json::List(parts)),
                    ];
                    vec![("union_result", Json::Object(members))]
                }
                // The rows of the step before are no block of their own.
                _ => return,
            };
            vec![
                ("using_temporary_table", Json::Bool(true)),
                ("dependent", Json::Bool(rows.is_lateral())),
                ("cacheable", Json::Bool(true)),
                ("query_block", Json::Object(block)),
            ]
        };
        members.push(("materialized_from_subquery", Json::Object(made)));
    }
}
