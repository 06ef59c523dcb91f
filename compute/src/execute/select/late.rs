//! Which items are computed late: behind LIMIT, of the rows that are given.

use firn_mysql_semantics::expr::{Node, Op};

use crate::bind::{Aggregate, BoundSelect, Item};
use crate::plan::SelectPlan;

/// Whether an expression reads any of these places of the row; those with subqueries may.
pub(super) fn reads(node: &Node, places: &std::ops::Range<usize>) -> bool {
    match &node.op {
        Op::Column(column) if places.contains(&column.index) => true,
        Op::Subquery { .. } => true,
        _ => node.args.iter().any(|arg| reads(arg, places)),
    }
}

fn asks_query(node: &Node) -> bool {
    matches!(node.op, Op::Subquery { .. }) || node.args.iter().any(asks_query)
}

/// Items that a server computes of the rows alone that it gives, not of those that OFFSET and
/// LIMIT leave out. Of tables that are joined and sorted it keeps all but constants, of groups
/// in a temporary table all but those and what is computed of aggregates.
pub(super) fn late(plan: &SelectPlan) -> Vec<bool> {
    let select = &plan.select;
    let plain = !select.distinct && select.windows.is_empty() && select.rollup.is_none();
    if !plain || select.having.is_some() {
        return Vec::new();
    }
    // What EXISTS and IN look through is joined, too.
    let asks = |node: &Node| match (&node.op, &*node.args) {
        (Op::Not, [node]) => matches!(node.op, Op::Subquery { .. }),
        (op, _) => matches!(op, Op::Subquery { .. }),
    };
    let joined = plan.steps.len() > 1 || plan.steps.iter().any(|step| step.filter.iter().any(asks));
    let kept = match select.grouped {
        true => !gives_groups_in_order(select),
        false => joined && !select.order_by.is_empty(),
    };
    // Of a group it keeps the aggregates, not what is computed of them.
    let of_aggregates = |node: &Node| {
        let from = select.aggregates_start;
        let places = from..from + select.aggregates.len();
        select.grouped && !asks_query(node) && reads(node, &places)
    };
    let late = |(at, item): (usize, &Item)| {
        let place = select.items_start + at;
        let sorted = select.order_by.iter().any(|key| reads(&key.node, &(place..place + 1)));
        !sorted && (!kept || is_settled(&item.node) || of_aggregates(&item.node))
    };
    select.items.iter().enumerate().map(late).collect()
}

/// Whether a server gives each group as soon as it is complete: its rows are sorted, for an
/// aggregate that keeps values, and the groups are wanted in that order.
fn gives_groups_in_order(select: &BoundSelect) -> bool {
    // An item may be named for what it is.
    let place = |node: &Node| match &node.op {
        Op::Column(column) => {
            let at = column.index.checked_sub(select.items_start);
            match at.and_then(|at| select.items.get(at)).map(|item| &item.node.op) {
                Some(Op::Column(item)) => Some(item.index),
                Some(_) => None,
                None => Some(column.index),
            }
        }
        _ => None,
    };
    let in_order = select.order_by.len() <= select.group_by.len()
        && select
            .order_by
            .iter()
            .zip(&select.group_by)
            .all(|(key, group)| place(&key.node).is_some_and(|at| Some(at) == place(group)));
    !select.group_by.is_empty() && in_order && select.aggregates.iter().any(Aggregate::keeps_values)
}

/// Whether nothing in it depends on the row, subqueries included.
fn is_settled(node: &Node) -> bool {
    let own = match &node.op {
        Op::Column(_) | Op::UserVariable(_) | Op::Assign(_) => false,
        Op::Call(call) => call.function.deterministic,
        _ => true,
    };
    own && node.args.iter().all(is_settled)
}
