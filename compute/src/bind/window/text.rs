//! Window functions as MySQL prints them: in errors and in EXPLAIN.

use firn_mysql_parser::ast::AggregateKind;
use firn_mysql_semantics::expr::{Node, Op, printed};

use super::super::{Aggregate, AggregateFunction, ScopeTable};
use super::call::WindowFunction as F;
use super::{Distance, Edge, Window};

/// How expressions are printed.
type Shown<'s> = &'s dyn Fn(&Node) -> String;

/// An expression without the names of databases and without quotes.
pub(super) fn short(node: &Node, tables: &[ScopeTable]) -> String {
    let mut text = printed(node);
    for table in tables.iter().filter(|table| !table.schema.is_empty()) {
        text = text.replace(&format!("`{}`.`{}`", table.schema, table.alias), &table.alias);
    }
    text.replace('`', "")
}

impl F {
    /// The name of the function.
    pub(crate) fn name(&self) -> &'static str {
        match self {
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

    /// The call, looking through `over`.
    pub(crate) fn text(&self, over: &str, shown: Shown<'_>) -> String {
        let args: Vec<String> = match self {
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
        format!("{}({}) OVER {over}", self.name(), args.join(","))
    }
}

impl Window {
    /// Its name, or what it says.
    pub(crate) fn text(&self, shown: Shown<'_>) -> String {
        if self.is_named() {
            return self.name.to_string();
        }
        let mut out = String::from("(");
        if !self.partition_by.is_empty() {
            let parts: Vec<String> = self.partition_by.iter().map(shown).collect();
            out.push_str(&format!("PARTITION BY {} ", parts.join(",")));
        }
        if !self.order_by.is_empty() {
            let keys = self.order_by.iter().map(|key| {
                let text = shown(&key.node);
                if key.descending { format!("{text} desc") } else { text }
            });
            out.push_str(&format!("ORDER BY {} ", keys.collect::<Vec<_>>().join(",")));
        }
        let frame = &self.frame;
        let usual = !frame.rows
            && matches!(frame.start, Edge::Unbounded)
            && matches!(frame.end, Edge::Unbounded | Edge::CurrentRow);
        if !usual {
            let unit = if frame.rows { "ROWS" } else { "RANGE" };
            let edge = |edge: &Edge, unbounded: &str| match edge {
                Edge::Unbounded => format!("UNBOUNDED {unbounded}"),
                Edge::CurrentRow => "CURRENT ROW".to_owned(),
                Edge::Distance(distance) => distance.text(shown),
            };
            let (start, end) = (edge(&frame.start, "PRECEDING"), edge(&frame.end, "FOLLOWING"));
            out.push_str(&format!("{unit} BETWEEN {start} AND {end}"));
        }
        out.push_str(") ");
        out
    }
}

impl Distance {
    fn text(&self, shown: Shown<'_>) -> String {
        let amount = shown(&self.amount);
        let word = if self.following { "FOLLOWING" } else { "PRECEDING" };
        match self.unit {
            Some(unit) => format!("INTERVAL {amount} {}  {word}", unit.name()),
            None => format!("{amount} {word}"),
        }
    }
}

/// A value without what was put around it to keep it.
fn written(node: &Node) -> &Node {
    match (&node.op, &*node.args) {
        (Op::Coalesce, [arg]) => arg,
        _ => node,
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
