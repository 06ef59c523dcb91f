//! EXPLAIN FORMAT=JSON, in the order of members that MySQL prints.

use firn_mysql_semantics::expr::printed;

use super::Explained;
use super::step::Told;
use super::table::sorts;
use crate::plan::{SelectPlan, StepRows};

/// A value whose members keep their order.
enum Json {
    Text(String),
    Number(u64),
    True,
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    fn print(&self, depth: usize, out: &mut String) {
        let line = |depth: usize, out: &mut String| {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        };
        match self {
            Self::Text(text) => out.push_str(&serde_json::Value::from(text.as_str()).to_string()),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::True => out.push_str("true"),
            Self::List(list) => {
                out.push('[');
                for (at, one) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    line(depth + 1, out);
                    one.print(depth + 1, out);
                }
                line(depth, out);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    line(depth + 1, out);
                    out.push_str(&format!("\"{name}\": "));
                    value.print(depth + 1, out);
                }
                line(depth, out);
                out.push('}');
            }
        }
    }
}

fn texts<T: AsRef<str>>(list: &[T]) -> Json {
    Json::List(list.iter().map(|one| Json::Text(one.as_ref().to_owned())).collect())
}

/// The text.
pub(super) fn text(explained: &Explained) -> String {
    let mut next = 2;
    let (plan, _) = explained.rows();
    let mut block = vec![("select_id", Json::Number(1))];
    if let Explained::Insert { table, .. } = explained {
        block.push((
            "table",
            Json::Object(vec![
                ("insert", Json::True),
                ("table_name", Json::Text(table.clone())),
                ("access_type", Json::Text("ALL".into())),
            ]),
        ));
        if let Some(plan) = plan {
            block.push(("insert_from", Json::Object(query(plan, None, &mut next))));
        }
    } else if let Some(plan) = plan {
        let changes = match explained {
            Explained::Update(_) => Some("update"),
            Explained::Delete(_) => Some("delete"),
            _ => None,
        };
        block.extend(query(plan, changes, &mut next));
    }
    let mut out = String::new();
    Json::Object(vec![("query_block", Json::Object(block))]).print(0, &mut out);
    out
}

/// What is inside of a query block.
fn query(
    plan: &SelectPlan,
    changes: Option<&'static str>,
    next: &mut u64,
) -> Vec<(&'static str, Json)> {
    let mut members = match plan.steps.len() {
        0 => vec![("message", Json::Text("No tables used".into()))],
        1 => vec![("table", table(plan, 0, changes, next))],
        count => {
            let tables = (0..count)
                .map(|at| Json::Object(vec![("table", table(plan, at, changes, next))]))
                .collect();
            vec![("nested_loop", Json::List(tables))]
        }
    };
    let select = &plan.select;
    if !select.group_by.is_empty() {
        members.insert(0, ("using_temporary_table", Json::True));
        members = vec![("grouping_operation", Json::Object(members))];
    }
    if select.distinct {
        members.insert(0, ("using_temporary_table", Json::True));
        members = vec![("duplicates_removal", Json::Object(members))];
    }
    if sorts(plan) {
        members.insert(0, ("using_filesort", Json::True));
        members = vec![("ordering_operation", Json::Object(members))];
    }
    members
}

fn table(plan: &SelectPlan, at: usize, changes: Option<&'static str>, next: &mut u64) -> Json {
    let step = &plan.steps[at];
    let derived = match &step.rows {
        StepRows::Derived(rows) => {
            let id = *next;
            *next += 1;
            rows.query().map(|query| (id, query))
        }
        _ => None,
    };
    let told = Told::new(plan, at, derived.map_or(0, |(id, _)| id as usize));
    let scope = plan.select.tables.iter().find(|table| table.start == step.start);
    let mut members = Vec::new();
    if let Some(changes) = changes {
        members.push((changes, Json::True));
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
    if told.backward {
        members.push(("backward_index_scan", Json::True));
    }
    if told.covering {
        members.push(("using_index", Json::True));
    }
    if let (Some(scope), Some(_)) = (scope, step.stored()) {
        let names = step.columns.iter().filter_map(|at| scope.columns.get(*at));
        let names: Vec<_> = names.map(|column| &*column.name).collect();
        if !names.is_empty() {
            members.push(("used_columns", texts(&names)));
        }
    }
    if !told.filter.is_empty() {
        let texts: Vec<_> = told.filter.iter().map(|node| printed(node)).collect();
        members.push(("attached_condition", Json::Text(texts.join(" and "))));
    }
    if let Some((id, inner)) = derived {
        let mut block = vec![("select_id", Json::Number(id))];
        block.extend(query(inner, None, next));
        let block = Json::Object(vec![
            ("using_temporary_table", Json::True),
            ("query_block", Json::Object(block)),
        ]);
        members.push(("materialized_from_subquery", block));
    }
    Json::Object(members)
}
