//! Conditions on the rows of a query in FROM, looked at where its own rows are read:
//! `SELECT … FROM (SELECT k, COUNT(*) FROM t GROUP BY k) d WHERE d.k = 1` reads the rows of `t`
//! whose `k` is 1, by its index.
//!
//! A condition goes down if it is of one such query's columns and of constants, and these are
//! plain columns of the query's own tables: with GROUP BY, of its groups; of a set, of each of
//! its queries. It is moved, not copied, so that it warns once. There the same is done again.

use firn_mysql_semantics::expr::{Node, Op};
use firn_mysql_semantics::vector::is_volatile;
use firn_mysql_semantics::{SqlType, TypeKind};

use crate::bind::{BoundSelect, BoundSet, Derived, JoinKind, TableSource, columns_of};

/// Moves what can be moved of a query's conditions into the queries of its FROM.
pub(super) fn push(select: &mut BoundSelect) {
    for at in 0..select.sources.len() {
        let source = &mut select.sources[at];
        let table = &select.tables[source.table];
        let (start, end) = (table.start, table.start + table.columns.len());
        let TableSource::Derived(rows) = &mut source.rows else { continue };
        let conditions = match source.kind {
            // Rows that it leaves out are those that ON leaves out.
            JoinKind::Left => &mut source.on,
            JoinKind::Inner if !table.optional => &mut select.filter,
            JoinKind::Inner => continue,
        };
        let is_own = |node: &Node| {
            let (mut some, mut all) = (false, true);
            columns_of(node, &mut |place| {
                some = true;
                all &= (start..end).contains(&place);
            });
            some && all && !is_volatile(node)
        };
        conditions.retain(|node| !(is_own(node) && go_down(rows, node, start)));
    }
}

/// Adds a condition over the columns from `start` on to those of FROM's query; `false` if that
/// would say something else.
fn go_down(rows: &mut Derived, condition: &Node, start: usize) -> bool {
    match rows {
        Derived::Query { query, .. } => match inside(query, condition, start) {
            Some(inner) => {
                query.filter.push(inner);
                true
            }
            None => false,
        },
        Derived::Set(set) => into_all(set, condition, start),
        Derived::Shared(shared) if shared.is_named_once() => {
            let mut gone = false;
            shared.before_planning(|rows| gone = go_down(rows, condition, start));
            gone
        }
        _ => false,
    }
}

/// The same for all queries of a set, or none.
fn into_all(set: &mut BoundSet, condition: &Node, start: usize) -> bool {
    let each = set.parts.iter().map(|part| {
        let places = replaced(condition, &|place, ty| {
            let column = part.columns.get(place - start)?;
            // The value as one of the type in common, which it is already.
            let column = match (&column.op, &*column.args) {
                (Op::Coalesce, [own]) if is_kept(&own.ty, &column.ty) => own,
                _ => column,
            };
            is_same(&column.ty, ty).then_some(column)
        });
        inside(&part.query, &places?, 0)
    });
    let Some(each) = each.collect::<Option<Vec<Node>>>() else { return false };
    for (part, inner) in set.parts.iter_mut().zip(each) {
        part.query.filter.push(inner);
    }
    true
}

/// A condition over a query's columns, of which the first is at `start`, as one over the rows
/// that it reads. `None` if it would say something else there.
fn inside(query: &BoundSelect, condition: &Node, start: usize) -> Option<Node> {
    let whole = query.limit.is_none()
        && query.windows.is_empty()
        && query.rollup.is_none()
        && query.locking.is_none()
        && !query.sources.is_empty()
        && (query.grouped || query.having.is_none())
        && !query.items.iter().any(|item| changes(&item.node))
        && !query.filter.iter().any(changes);
    if !whole {
        return None;
    }
    let is_key = |place: usize| {
        let is_it = |key: &Node| matches!(&key.op, Op::Column(column) if column.index == place);
        !query.grouped || query.group_by.iter().any(is_it)
    };
    replaced(condition, &|place, ty| {
        let node = &query.items.get(place - start)?.node;
        let Op::Column(column) = &node.op else { return None };
        (is_key(column.index) && column.index < query.outer_start && is_same(&node.ty, ty))
            .then_some(node)
    })
}

/// It gives something else each time, or changes what others see.
pub(super) fn changes(node: &Node) -> bool {
    let own = match &node.op {
        Op::UserVariable(_) | Op::Assign(_) => true,
        Op::Call(call) => !call.function.deterministic,
        _ => false,
    };
    own || node.args.iter().any(changes)
}

/// Values of both are compared alike.
fn is_same(one: &SqlType, other: &SqlType) -> bool {
    let kinds = one.kind == other.kind || (one.kind.is_integer() && other.kind.is_integer());
    kinds
        && one.kind != TypeKind::Null
        && one.unsigned == other.unsigned
        && one.collation == other.collation
}

/// Values of one type are the same as ones of the other.
pub(super) fn is_kept(one: &SqlType, other: &SqlType) -> bool {
    is_same(one, other) && (one.kind.is_integer() || one.decimals == other.decimals)
}

/// The condition with other nodes for its columns.
fn replaced<'n>(
    condition: &Node,
    by: &dyn Fn(usize, &SqlType) -> Option<&'n Node>,
) -> Option<Node> {
    if let Op::Column(column) = &condition.op {
        return by(column.index, &condition.ty).cloned();
    }
    let mut node = condition.clone();
    for arg in &mut node.args {
        *arg = replaced(arg, by)?;
    }
    Some(node)
}
