//! Queries in FROM that give the rows of their tables as they come, merged into the query around
//! them: `SELECT … FROM a JOIN (SELECT id, k FROM b WHERE x = 1) d ON d.id = a.b_id` is a join of
//! `a` and `b`, whose order is free and which indexes answer.
//!
//! This is done behind binding, so that what clients and errors are told is of the query as it was
//! written. Columns of the query around become the inner one's columns and expressions. A query
//! is left as it is, and its rows are made before they are read, if that would not do: beside
//! an outer join whose NULLs an expression would not have, or where a query within reads one.

use firn_mysql_semantics::SqlType;
use firn_mysql_semantics::expr::{Node, Op};

use super::pushed::{changes, is_kept};
use crate::bind::{BoundSelect, Derived, Item, JoinKind, TableSource};

/// Tables of one block at most, as of a join.
const TABLES_MAX: usize = 61;

/// Nodes that the expressions of a query that is merged may become at most: each time one is read
/// it is computed anew, and queries in queries would double them at each level.
const NODES_MAX: usize = 1000;

/// A column of a query that can be merged.
enum Read {
    /// A table's, at a place of the query's own row.
    Column(usize, SqlType),
    /// Computed, of so many nodes.
    Computed(usize, SqlType),
}

/// Merges what can be merged, and what is in that.
pub(crate) fn merge(select: &mut BoundSelect) {
    // What a query in FROM reads is not locked with the query around it.
    if select.locking.is_some() || select.rollup.is_some() {
        return;
    }
    let mut at = 0;
    while at < select.sources.len() {
        match places_of(select, at) {
            Some(places) => put(select, at, &places),
            None => at += 1,
        }
    }
}

/// Where the columns of a query in FROM are in its own row, if it can be merged; `None` in
/// the list for those that nothing reads.
fn places_of(select: &mut BoundSelect, at: usize) -> Option<Vec<Option<usize>>> {
    let source = &select.sources[at];
    let table = &select.tables[source.table];
    let (start, end) = (table.start, table.start + table.columns.len());
    let optional = source.kind == JoinKind::Left;
    if source.straight || source.apart || (table.optional && !optional) {
        return None;
    }
    let TableSource::Derived(rows) = &source.rows else { return None };
    let room = TABLES_MAX.saturating_sub(select.tables.len());
    let mut columns = None;
    match &**rows {
        Derived::Shared(shared) if shared.is_named_once() => {
            shared.before_planning(|rows| columns = columns_of_tables(rows, room, optional));
        }
        rows => columns = columns_of_tables(rows, room, optional),
    }
    let columns = columns?;
    let mut places = vec![None; columns.len()];
    let (mut all, mut nodes) = (true, 0);
    let mut read = |place: usize, ty: &SqlType, by_place: bool| {
        if !(start..end).contains(&place) {
            return;
        }
        match &columns[place - start] {
            Some(Read::Column(own, one)) if is_kept(one, ty) => places[place - start] = Some(*own),
            Some(Read::Computed(size, one)) if !by_place && is_told(one, ty) => nodes += size,
            _ => all = false,
        }
    };
    select.nodes(&mut |node| each_column(node, &mut |index, ty| read(*index, ty, false)));
    // To what is asked of queries within, places are given.
    for source in &mut select.sources {
        if let TableSource::Derived(rows) = &mut source.rows {
            rows.outer(&mut |node| each_column(node, &mut |index, ty| read(*index, ty, true)));
        }
    }
    for subquery in &select.subqueries {
        subquery.query.outer.iter().for_each(|column| read(column.index, &column.ty, true));
    }
    (all && nodes <= NODES_MAX).then_some(places)
}

/// What clients are told of one is what they are told of the other, and their values are the same.
fn is_told(one: &SqlType, other: &SqlType) -> bool {
    SqlType { derivation: other.derivation, ..*one } == *other && is_kept(one, other)
}

/// What the columns of a query are, if it can be merged.
fn columns_of_tables(rows: &Derived, room: usize, optional: bool) -> Option<Vec<Option<Read>>> {
    let Derived::Query { query, outer, lateral: false } = rows else { return None };
    // One table can be joined by LEFT JOIN, on its own conditions, too.
    let alone = query.sources.len() == 1 && query.subqueries.is_empty();
    if !outer.is_empty() || !is_plain(query) || query.tables.len() > room || (optional && !alone) {
        return None;
    }
    let column = |item: &Item| match &item.node.op {
        Op::Column(column) if column.index < query.aggregates_start => {
            Some(Read::Column(column.index, item.node.ty))
        }
        Op::Column(_) => None,
        // Beside a row that is not there, it would be computed of NULLs.
        _ if optional => None,
        _ => size_of(&item.node).map(|size| Read::Computed(size, item.node.ty)),
    };
    Some(query.items.iter().map(column).collect())
}

/// The nodes of an expression that asks no query.
fn size_of(node: &Node) -> Option<usize> {
    if matches!(node.op, Op::Subquery { .. }) {
        return None;
    }
    node.args.iter().map(size_of).try_fold(1, |sum, size| Some(sum + size?))
}

/// It gives the rows of its tables one by one, in any order, and nothing else.
fn is_plain(query: &BoundSelect) -> bool {
    query.is_plain()
        && query.order_by.is_empty()
        && query.locking.is_none()
        && query.outer.is_empty()
        && query.aggregates.is_empty()
        && !query.items.iter().any(|item| changes(&item.node))
        && !query.filter.iter().any(changes)
}

/// Puts a query's tables and conditions into the one around it. Its row comes behind those of the
/// other tables, in front of what is computed of them.
fn put(select: &mut BoundSelect, at: usize, places: &[Option<usize>]) {
    let table = &select.tables[select.sources[at].table];
    let (start, end) = (table.start, table.start + table.columns.len());
    let mut gone = select.sources.remove(at);
    let TableSource::Derived(rows) = gone.rows else { unreachable!("it was looked at") };
    let rows = match *rows {
        Derived::Shared(shared) => shared.take(),
        rows => Some(rows),
    };
    let Some(Derived::Query { mut query, .. }) = rows else { unreachable!("it was looked at") };
    let (begin, len) = (select.aggregates_start, query.aggregates_start);
    let to = |place: usize| match places.get(place.wrapping_sub(start)).copied().flatten() {
        Some(own) if (start..end).contains(&place) => begin + own,
        _ if place >= begin => place + len,
        _ => place,
    };
    moved(select, &to);
    for node in &mut gone.on {
        each_column(node, &mut |index, _| *index = to(*index));
    }
    select.make_room(len);
    moved(&mut query, &|place| begin + place);
    // The places that are left are those of what is computed.
    let computed = |place: usize, _: &SqlType| {
        (start..end).contains(&place).then(|| query.items[place - start].node.clone())
    };
    select.nodes(&mut |node| node.replace_columns(&computed));
    gone.on.iter_mut().for_each(|node| node.replace_columns(&computed));
    let optional = gone.kind == JoinKind::Left;
    if let (true, [only]) = (optional, &mut *query.sources) {
        only.kind = JoinKind::Left;
        // Rows that the query leaves out are compared with nothing.
        only.on = std::mem::take(&mut query.filter);
        only.on.append(&mut gone.on);
    }
    let tables = select.tables.len();
    select.tables.extend(query.tables.into_iter().map(|mut table| {
        table.start += begin;
        table.optional |= optional;
        table
    }));
    let sources = query.sources.into_iter().map(|mut source| {
        source.table += tables;
        source.after.iter_mut().for_each(|table| *table += tables);
        source
    });
    select.sources.splice(at..at, sources);
    select.filter.extend(query.filter);
    select.subqueries.extend(query.subqueries);
}

/// Gives all columns of a block's expressions other places.
fn moved(select: &mut BoundSelect, to: &dyn Fn(usize) -> usize) {
    select.nodes(&mut |node| each_column(node, &mut |index, _| *index = to(*index)));
    for subquery in &mut select.subqueries {
        subquery.query.outer.iter_mut().for_each(|column| column.index = to(column.index));
    }
}

/// The places of the columns in an expression, and their types.
fn each_column(node: &mut Node, each: &mut dyn FnMut(&mut usize, &SqlType)) {
    if let Op::Column(column) = &mut node.op {
        each(&mut column.index, &node.ty);
    }
    node.args.iter_mut().for_each(|arg| each_column(arg, each));
}
