//! Window functions in EXPLAIN: what each computes, and over which rows.

use firn_mysql_parser::ast::AggregateKind;
use firn_mysql_semantics::expr::{Node, Op, printed};

use super::json::{Members, texts};
use super::print::Json;
use super::tree::{Branch, Tree};
use crate::bind::{
    Aggregate, AggregateFunction, Distance, Edge, Window, WindowCall, WindowFunction as F,
};
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
                let shown: Vec<_> =
                    of.iter().map(|call| self.call(call, &windows.list[*window])).collect();
                let line = format!("Window aggregate{how}: {}", shown.join(", "));
                branch = Branch::of(line, vec![branch]);
            }
        }
        branch
    }

    fn call(&self, call: &WindowCall, window: &Window) -> String {
        let shown = |node: &Node| self.outline.shown(node);
        let args: Vec<String> = match &call.function {
            F::RowNumber | F::Rank | F::DenseRank | F::PercentRank | F::CumeDist => Vec::new(),
            F::Ntile(groups) => vec![shown(groups)],
            F::First(value) | F::Last(value) => vec![shown(written(value))],
            F::Nth(value, at) => vec![shown(written(value)), shown(at)],
            F::Shift { value, distance, default, .. } => {
                let value = shown(written(value));
                let more = distance.iter().chain(default).map(|node| shown(written(node)));
                std::iter::once(value).chain(more).collect()
            }
            F::Aggregate(aggregate) if aggregate.args.is_empty() => vec!["0".to_owned()],
            F::Aggregate(aggregate) => aggregate.args.iter().map(shown).collect(),
        };
        format!("{}({}) OVER {}", name(call), args.join(","), self.window(window))
    }

    fn window(&self, window: &Window) -> String {
        if window.is_named() {
            return window.name.to_string();
        }
        let mut out = String::from("(");
        let list = |nodes: Vec<String>| nodes.join(",");
        if !window.partition_by.is_empty() {
            let parts = window.partition_by.iter().map(|node| self.outline.shown(node));
            out.push_str(&format!("PARTITION BY {} ", list(parts.collect())));
        }
        if !window.order_by.is_empty() {
            let keys = window.order_by.iter().map(|key| {
                let text = self.outline.shown(&key.node);
                if key.descending { format!("{text} desc") } else { text }
            });
            out.push_str(&format!("ORDER BY {} ", list(keys.collect())));
        }
        let frame = &window.frame;
        let usual = !frame.rows
            && matches!(frame.start, Edge::Unbounded)
            && matches!(frame.end, Edge::Unbounded | Edge::CurrentRow);
        if !usual {
            let unit = if frame.rows { "ROWS" } else { "RANGE" };
            let edge = |edge: &Edge, unbounded: &str| match edge {
                Edge::Unbounded => format!("UNBOUNDED {unbounded}"),
                Edge::CurrentRow => "CURRENT ROW".to_owned(),
                Edge::Distance(distance) => self.distance(distance),
            };
            let (start, end) = (edge(&frame.start, "PRECEDING"), edge(&frame.end, "FOLLOWING"));
            out.push_str(&format!("{unit} BETWEEN {start} AND {end}"));
        }
        out.push_str(") ");
        out
    }

    fn distance(&self, distance: &Distance) -> String {
        let amount = self.outline.shown(&distance.amount);
        let interval = distance.unit.map_or_else(String::new, |unit| format!(" {} ", unit.name()));
        let before = if distance.unit.is_some() { "INTERVAL " } else { "" };
        let word = if distance.following { "FOLLOWING" } else { "PRECEDING" };
        format!("{before}{amount}{interval} {word}")
    }
}

/// A value without what was put around it to keep it.
fn written(node: &Node) -> &Node {
    match (&node.op, &*node.args) {
        (Op::Coalesce, [arg]) => arg,
        _ => node,
    }
}

/// The name of a function as MySQL prints it.
pub(super) fn name(call: &WindowCall) -> &'static str {
    match &call.function {
        F::RowNumber => "row_number",
        F::Rank => "rank",
        F::DenseRank => "dense_rank",
        F::PercentRank => "percent_rank",
        F::CumeDist => "cume_dist",
        F::Ntile(_) => "ntile",
        F::First(_) => "first_value",
        F::Last(_) => "last_value",
        F::Nth(..) => "nth_value",
        F::Shift { lead: true, .. } => "lead",
        F::Shift { lead: false, .. } => "lag",
        F::Aggregate(aggregate) => name_of(aggregate),
    }
}

fn name_of(aggregate: &Aggregate) -> &'static str {
    use AggregateFunction as A;
    let kind = match aggregate.function {
        A::Count => AggregateKind::Count,
        A::SumDecimal | A::SumDouble => AggregateKind::Sum,
        A::AvgDecimal | A::AvgDouble => AggregateKind::Avg,
        A::Min => AggregateKind::Min,
        A::Max => AggregateKind::Max,
        A::BitAnd => AggregateKind::BitAnd,
        A::BitOr => AggregateKind::BitOr,
        A::BitXor => AggregateKind::BitXor,
        A::Variance { sample: false, root: true } => AggregateKind::StddevPop,
        A::Variance { sample: true, root: true } => AggregateKind::StddevSamp,
        A::Variance { sample: false, root: false } => AggregateKind::VarPop,
        A::Variance { sample: true, root: false } => AggregateKind::VarSamp,
        A::Concat => AggregateKind::GroupConcat,
        A::JsonArray => AggregateKind::JsonArrayAgg,
        A::JsonObject => AggregateKind::JsonObjectAgg,
    };
    kind.name()
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
            let names: Vec<String> = of.map(|call| name(call).to_owned()).collect();
            one.push(("functions", texts(&names)));
            told.push(Json::Object(one));
        }
    }
    let mut inner = vec![("windows", Json::List(told))];
    inner.extend(members);
    vec![("windowing", Json::Object(inner))]
}
