//! IN and EXISTS with a query: what they say of the tables around, and in which of two ways
//! they are answered.
//!
//! A query that takes nothing of the row around it runs once, and its rows are kept: where a
//! column is to be among them, they are keys by which its table is searched ([`members_of`]).
//! One that takes a column is run for each row, by an index. `c IN (SELECT k …)` and
//! `EXISTS (SELECT … WHERE k = c)` say the same where they are conditions of WHERE, so each
//! can be turned into the other, whichever is estimated to read less ([`turn`]). Over batches
//! the latter can be a join ([`super::Partners`]).

use firn_mysql_semantics::expr::{Column, ColumnOp, CompareOp, Comparison, Node, Op};
use firn_mysql_semantics::{SqlType, TypeKind};

use super::condition::is_ordered;
use super::{Access, Condition, Known, SubqueryPlan, Term, cost};
use crate::bind::{Asked, BoundSelect, BoundSubquery, JoinKind, Source, TableSource, columns_of};
use crate::table::OpenTable;

/// What `column IN (SELECT …)` says of a column of the table whose columns are at
/// `start..end`: it is among the rows of a query that is run once.
pub(super) fn members_of(
    node: &Node,
    subqueries: &[SubqueryPlan],
    start: usize,
    end: usize,
) -> Option<Condition> {
    let (Op::Subquery { slot, .. }, [column]) = (&node.op, &*node.args) else { return None };
    let Op::Column(place) = &column.op else { return None };
    if !(start..end).contains(&place.index) {
        return None;
    }
    let asked = subqueries.iter().find(|one| one.slot == *slot)?;
    let Asked::Any(condition) = &asked.asked else { return None };
    if asked.volatile || !asked.plan.select.outer.is_empty() {
        return None;
    }
    let (with, ty) = equality(condition)?;
    let mut count = asked.plan.cost().1.max(1.0);
    if asked.plan.select.grouped && asked.plan.select.group_by.is_empty() {
        count = 1.0;
    }
    is_ordered(column, with).then(|| Condition {
        column: place.index - start,
        term: Term::Members { slot: *slot, with, column: column.clone(), ty, count },
    })
}

/// How a value is compared with the one column of a query's rows, if that is by equality, and
/// the type of that column.
fn equality(condition: &Node) -> Option<(Comparison, SqlType)> {
    let (Op::Compare(CompareOp::Eq, with), [left, right]) = (&condition.op, &*condition.args)
    else {
        return None;
    };
    let at = |node: &Node| match &node.op {
        Op::Column(column) if is_plain(&node.ty) => Some(column.index),
        _ => None,
    };
    match (at(left)?, at(right)?) {
        (0, 1) => Some((*with, right.ty)),
        (1, 0) => Some((*with, left.ty)),
        _ => None,
    }
}

/// Values of the type are what is compared.
fn is_plain(ty: &SqlType) -> bool {
    !matches!(ty.kind, TypeKind::Enum | TypeKind::Set)
}

/// Leaves of a query of which only matters whether it has a row what cannot fail to be
/// computed: nothing needs to be read for that.
pub(super) fn without_items(query: &mut BoundSelect) {
    if query.grouped || query.distinct || !query.windows.is_empty() || query.having.is_some() {
        return;
    }
    let is_plain = |node: &Node| matches!(node.op, Op::Column(_));
    if query.items.iter().all(|item| is_plain(&item.node)) {
        query.items.clear();
        query.order_by.clear();
    }
}

/// Turns what is asked of queries in the conditions of WHERE into the form that reads less.
pub(super) fn turn(select: &mut BoundSelect) {
    if select.subqueries.is_empty() {
        return;
    }
    let mut filter = std::mem::take(&mut select.filter);
    for at in 0..filter.len() {
        // What the others say counts when this one is weighed.
        select.filter = filter.clone();
        let mut node = select.filter.swap_remove(at);
        let mut given = std::mem::take(&mut select.subqueries);
        let asked = |slot: usize| given.iter().position(|one| one.slot == slot);
        let members = select.filter.iter().filter_map(|node| {
            let (Op::Subquery { slot, .. }, [column]) = (&node.op, &*node.args) else {
                return None;
            };
            few_members(&given[asked(*slot)?], column)
        });
        let members: Vec<Condition> = members.collect();
        turn_one(select, &mut node, &mut given, &members);
        select.subqueries = given;
        filter[at] = node;
    }
    select.filter = filter;
}

/// The same for one condition. `members` is what queries of the others say of columns.
fn turn_one(
    select: &BoundSelect,
    node: &mut Node,
    subqueries: &mut [BoundSubquery],
    members: &[Condition],
) {
    let (node, positive) = match node.op {
        Op::Not => (&mut node.args[0], false),
        _ => (node, true),
    };
    let Op::Subquery { slot, .. } = node.op else { return };
    let Some(asked) = subqueries.iter_mut().find(|one| one.slot == slot) else { return };
    if matches!(asked.asked, Asked::Exists) {
        if positive {
            once(select, node, asked, members);
        }
    } else {
        each(select, node, asked, positive, members);
    }
}

/// What `column IN (SELECT …)` says of a column, by its place in the flat row, if the rows of
/// the query are those of one table.
fn few_members(asked: &BoundSubquery, column: &Node) -> Option<Condition> {
    let Asked::Any(condition) = &asked.asked else { return None };
    let query = &asked.query;
    let [source] = &*query.sources else { return None };
    let TableSource::Stored(open) = &source.rows else { return None };
    if asked.volatile || !query.outer.is_empty() || !is_simple(query) {
        return None;
    }
    let (with, ty) = equality(condition)?;
    let Op::Column(place) = &column.op else { return None };
    let count = alone(query, source, open, source.known.as_ref()?, &[]).0;
    let column = column.clone();
    let term = Term::Members { slot: asked.slot, with, column, ty, count };
    Some(Condition { column: place.index, term })
}

/// The source whose columns have a place.
fn source_of(select: &BoundSelect, place: usize) -> Option<(&Source, &OpenTable, usize)> {
    let has = |source: &&Source| {
        let table = &select.tables[source.table];
        (table.start..table.start + table.columns.len()).contains(&place)
    };
    let source = select.sources.iter().find(has)?;
    let TableSource::Stored(open) = &source.rows else { return None };
    Some((source, open, place - select.tables[source.table].start))
}

/// The rows of a source that its own values leave, and the `members` of its columns that are
/// known; and what reading them costs.
fn alone(
    select: &BoundSelect,
    source: &Source,
    open: &OpenTable,
    known: &Known,
    members: &[Condition],
) -> (f64, f64) {
    let scope = &select.tables[source.table];
    let (start, end) = (scope.start, scope.start + scope.columns.len());
    let own = members.iter().filter(|one| (start..end).contains(&one.column));
    let own = own.map(|one| Condition { column: one.column - start, term: one.term.clone() });
    let conditions: Vec<Condition> = select
        .filter
        .iter()
        .filter_map(|node| Condition::of(node, start, end, &|_| false))
        .chain(own)
        .collect();
    let (mut rows, mut least) = (known.rows, known.rows);
    let codecs = std::iter::once(open.codec.row_index()).chain(open.codec.indexes());
    for codec in codecs {
        let access = Access::searching(codec, &conditions);
        if access.parts.is_empty() {
            continue;
        }
        let found = if access.single { 1.0 } else { known.found(codec, &access.parts) };
        rows = rows.min(found);
        least = least.min(cost::SEARCH + found * (cost::ENTRY + cost::BEHIND));
    }
    (rows, least)
}

/// What it costs to look for the rows of a column's value.
fn looked_up(open: &OpenTable, known: &Known, column: usize) -> f64 {
    let codecs = std::iter::once(open.codec.row_index()).chain(open.codec.indexes());
    let found = codecs
        .filter(|codec| codec.column(0) == Some(column))
        .filter_map(|codec| known.per_key(codec, 1))
        .fold(known.rows, f64::min);
    cost::SEARCH + found.min(known.rows) * (cost::ENTRY + cost::BEHIND)
}

/// Nothing stands between the rows that its conditions leave and those that it gives.
fn is_simple(query: &BoundSelect) -> bool {
    !query.grouped
        && query.limit.is_none()
        && query.windows.is_empty()
        && query.having.is_none()
        && query.locking.is_none()
        && !query.calc_found_rows
        && query.subqueries.is_empty()
        && query.sources.iter().all(|source| {
            source.kind == JoinKind::Inner
                && matches!(source.rows, TableSource::Stored(_))
                && source.known.as_ref().is_some_and(|known| !known.few)
        })
}

/// Whether equal values of a comparison are equal by their keys alone, and comparing them warns
/// of nothing.
fn is_quiet(with: Comparison, left: &SqlType, right: &SqlType) -> bool {
    match with {
        Comparison::Int => left.kind.is_integer() && right.kind.is_integer(),
        Comparison::Text(_) => {
            left.kind.is_string() && right.kind.is_string() && is_plain(left) && is_plain(right)
        }
        _ => false,
    }
}

/// `EXISTS (SELECT … WHERE k = c …)` as `c IN (SELECT k …)`, if the query's rows are cheaper
/// to gather once than to be looked for with each row.
fn once(
    select: &BoundSelect,
    node: &mut Node,
    asked: &mut BoundSubquery,
    members: &[Condition],
) -> Option<()> {
    let query = &mut asked.query;
    let [outer] = &*query.outer else { return None };
    if asked.volatile || !is_simple(query) || query.items.is_empty() {
        return None;
    }
    let outer_place = query.outer_start;
    let takes = |node: &Node| {
        let mut takes = false;
        columns_of(node, &mut |place| takes |= place >= outer_place);
        takes
    };
    let is_outer = |node: &Node| matches!(&node.op, Op::Column(one) if one.index == outer_place);
    let mut takers = (0..query.filter.len()).filter(|at| takes(&query.filter[*at]));
    let (at, None) = (takers.next()?, takers.next()) else { return None };
    let (Op::Compare(CompareOp::Eq, with), [left, right]) =
        (&query.filter[at].op, &*query.filter[at].args)
    else {
        return None;
    };
    let with = *with;
    let inner = match (is_outer(left), is_outer(right)) {
        (true, false) if !takes(right) => right,
        (false, true) if !takes(left) => left,
        _ => return None,
    };
    let Op::Column(inner_column) = &inner.op else { return None };
    if !is_quiet(with, &outer.ty, &inner.ty) || !is_quiet(with, &inner.ty, &outer.ty) {
        return None;
    }
    // What it costs either way.
    let [operand] = &*node.args else { return None };
    let Op::Column(place) = &operand.op else { return None };
    let (around, around_table, _) = source_of(select, place.index)?;
    let around_known = around.known.as_ref().filter(|known| !known.few)?;
    let (rows, _) = alone(select, around, around_table, around_known, members);
    let (within, within_table, column) = source_of(query, inner_column.index)?;
    let within_known = within.known.as_ref()?;
    let (_, whole) = match query.sources.len() {
        1 => alone(query, within, within_table, within_known, &[]),
        _ => {
            let all = query.sources.iter().filter_map(|source| {
                let TableSource::Stored(open) = &source.rows else { return None };
                Some(alone(query, source, open, source.known.as_ref()?, &[]).1)
            });
            (0.0, all.fold(f64::INFINITY, f64::min) * 2.0)
        }
    };
    if whole * 2.0 >= rows * looked_up(within_table, within_known, column) {
        return None;
    }
    let mut condition = query.filter.remove(at);
    let inner = if is_outer(&condition.args[0]) { 1 } else { 0 };
    let item = condition.args[inner].clone();
    condition.args[inner] = stand_in(&item, 1);
    condition.args[1 - inner] = stand_in(&condition.args[1 - inner], 0);
    query.items.truncate(1);
    query.items[0].node = item;
    query.items[0].column = None;
    query.distinct = false;
    query.order_by.clear();
    query.outer.clear();
    asked.asked = Asked::Any(condition);
    Some(())
}

/// `c IN (SELECT k …)` as `EXISTS (SELECT … WHERE k = c)`, if looking for the rows of each
/// value is cheaper than gathering all. NOT IN is that only where nothing can be NULL.
fn each(
    select: &BoundSelect,
    node: &mut Node,
    asked: &mut BoundSubquery,
    positive: bool,
    members: &[Condition],
) -> Option<()> {
    let query = &mut asked.query;
    let Asked::Any(condition) = &asked.asked else { return None };
    let (with, ty) = equality(condition)?;
    let ([operand], [item]) = (&*node.args, &*query.items) else { return None };
    if asked.volatile || !query.outer.is_empty() || !is_simple(query) {
        return None;
    }
    let (Op::Column(place), Op::Column(item_place)) = (&operand.op, &item.node.op) else {
        return None;
    };
    if !is_quiet(with, &operand.ty, &ty) || !is_quiet(with, &ty, &operand.ty) {
        return None;
    }
    if !positive && (operand.ty.nullable || item.node.ty.nullable) {
        return None;
    }
    let (around, around_table, own_column) = source_of(select, place.index)?;
    // A row of NULLs would be made of it.
    if around.kind != JoinKind::Inner {
        return None;
    }
    let around_known = around.known.as_ref().filter(|known| !known.few)?;
    let (rows, _) = alone(select, around, around_table, around_known, members);
    let (within, within_table, column) = source_of(query, item_place.index)?;
    let within_known = within.known.as_ref()?;
    let (found, mut whole) = match query.sources.len() {
        1 => alone(query, within, within_table, within_known, &[]),
        _ => return None,
    };
    if positive {
        // Its rows are keys of the table around, where that has such an index.
        let by_key = looked_up(around_table, around_known, own_column);
        let other = around_known.rows;
        whole += (found * by_key).min(other);
    }
    if whole <= 2.0 * rows * looked_up(within_table, within_known, column) {
        return None;
    }
    let outer_place = query.row_len;
    let mut compared = condition.clone();
    let theirs = match &compared.args[0].op {
        Op::Column(one) if one.index == 1 => 0,
        _ => 1,
    };
    compared.args[theirs] = item.node.clone();
    let ours = &mut compared.args[1 - theirs];
    *ours = stand_in(operand, outer_place);
    query.filter.push(compared);
    query.outer = vec![Column {
        index: place.index,
        ty: operand.ty,
        name: place.name.clone(),
        members: None,
    }];
    (query.outer_start, query.row_len) = (outer_place, outer_place + 1);
    query.distinct = false;
    query.order_by.clear();
    asked.asked = Asked::Exists;
    Some(())
}

/// A column in place of an expression, of the same type.
fn stand_in(node: &Node, index: usize) -> Node {
    let name = match &node.op {
        Op::Column(column) => column.name.clone(),
        _ => Box::from(""),
    };
    let mut column = node.clone();
    column.op = Op::Column(Box::new(ColumnOp { index, name, members: None }));
    column.args = Box::default();
    column
}
