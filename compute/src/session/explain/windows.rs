//! Window functions in EXPLAIN: what each computes, and over which rows.

use firn_mysql_semantics::expr::{Node, Op, printed};

use super::json::{Members, texts};
use super::print::Json;
use super::tree::{Branch, Tree};
use crate::bind::{Edge, Window, WindowCall, WindowFunction as F};
use crate::plan::SelectPlan;

impl Tree<'_, '_> {
    /// The windows, one over the other.
    pub(super) fn windows(&self, plan: &SelectPlan, rows: Branch) -> Branch {
        let windows = &plan.select.windows;
        let mut branch = rows;
        let mut first = true;
        for sort in &plan.windows.sorts {
            for (at, window) in sort.windows.iter().enumerate() {
                if !first {
                    let made = Branch::of("Temporary table", vec![branch]);
                    branch = Branch::of("Table scan on <temporary>", vec![made]);
                }
                first = false;
                if at == 0 && !sort.keys.is_empty() {
                    let line = format!("Sort: {}", self.keys(plan, &sort.keys));
                    branch = Branch::of(line, vec![branch]);
                }
                let of = windows.calls.iter().filter(|call| call.window == *window);
                let of: Vec<&WindowCall> = of.collect();
                let buffered = of.iter().any(|call| is_buffered(call, &windows.list[*window]));
                let how = if buffered { " with buffering" } else { "" };
                let shown = |node: &Node| self.outline.shown(node);
                let over = windows.list[*window].text(&shown);
                let shown: Vec<_> =
                    of.iter().map(|call| call.function.text(&over, &shown)).collect();
                let line = format!("Window aggregate{how}: {}", shown.join(", "));
                branch = Branch::of(line, vec![branch]);
            }
        }
        branch
    }
}

/// Whether a function needs rows behind the one that it is computed for.
fn is_buffered(call: &WindowCall, window: &Window) -> bool {
    match &call.function {
        F::RowNumber | F::Rank | F::DenseRank => false,
        F::PercentRank | F::CumeDist | F::Ntile(_) | F::Shift { .. } => true,
        F::First(_) | F::Last(_) | F::Nth(..) | F::Aggregate(_) => {
            let frame = &window.frame;
            !(frame.rows
                && matches!(frame.start, Edge::Unbounded)
                && matches!(frame.end, Edge::CurrentRow))
        }
    }
}

/// The windows around what gives their rows.
pub(super) fn windowing(plan: &SelectPlan, members: Members) -> Members {
    let windows = &plan.select.windows;
    if windows.is_empty() {
        return members;
    }
    let mut told = Vec::new();
    for sort in &plan.windows.sorts {
        for (at, window) in sort.windows.iter().enumerate() {
            let sorted = at == 0 && !sort.keys.is_empty();
            let mut one = vec![("name", Json::Text(windows.list[*window].name.to_string()))];
            one.push(("definition_position", Json::Number(*window as u64 + 1)));
            if told.len() + 1 == windows.list.len() {
                one.push(("last_executed_window", Json::Bool(true)));
            }
            if sorted {
                one.push(("using_filesort", Json::Bool(true)));
                let keys = sort.keys.iter().map(|key| {
                    let name = match &key.node.op {
                        Op::Column(column) => {
                            column.name.rsplit('.').next().unwrap_or_default().to_owned()
                        }
                        _ => printed(&key.node),
                    };
                    if key.descending { format!("{name} desc") } else { name }
                });
                one.push(("filesort_key", texts(&keys.collect::<Vec<_>>())));
            }
            let of = windows.calls.iter().filter(|call| call.window == *window);
            let names: Vec<String> = of.map(|call| call.function.name().to_owned()).collect();
            one.push(("functions", texts(&names)));
            told.push(Json::Object(one));
        }
    }
    let mut inner = vec![("windows", Json::List(told))];
    inner.extend(members);
    vec![("windowing", Json::Object(inner))]
}
