//! What the columns of a query become where its rows are kept before they are read, as a
//! server keeps them in a temporary table.

use firn_mysql_semantics::expr::{Node, Op};
use firn_mysql_semantics::{Derivation, SqlType, TypeKind};

use super::{BoundSelect, Derived, Item, TableSource};

/// The type of a query's column as that of a table which is made of its rows.
pub(super) fn column_type(query: &BoundSelect, item: &Item) -> SqlType {
    let mut ty = item.node.ty;
    let sets = query.sources.iter().filter_map(|source| match &source.rows {
        TableSource::Derived(rows) => match &**rows {
            Derived::Set(set) => Some(set.parts.len()),
            _ => None,
        },
        _ => None,
    });
    let parts = sets.max().unwrap_or(0);
    if parts == 0 && !is_kept(query) {
        return ty;
    }
    match ty.kind {
        TypeKind::Null if ty.is_null_column() || item.node.is_null_literal() => {
            SqlType::NULL_COLUMN
        }
        TypeKind::Null if is_gathered(query, &item.node) => {
            SqlType { derivation: Derivation::Implicit, ..SqlType::NULL_STRING }
        }
        TypeKind::Null => SqlType::NULL_STRING,
        TypeKind::BigInt if item.column.is_none() || parts > 0 => {
            if ty.length < 11 && parts < 2 && !is_gathered(query, &item.node) {
                (ty.kind, ty.length) = (TypeKind::Int, 11);
            } else {
                ty.length = ty.length.max(20);
            }
            ty
        }
        _ => ty.as_stored(),
    }
}

/// Whether the rows of FROM's table go on as its query finds them: its columns are those of
/// the query's own tables.
pub(super) fn goes_on(rows: &TableSource) -> bool {
    let mut merged = false;
    of_plain(rows, &mut |query| merged = is_merged(query));
    merged
}

/// Calls `each` with the query that is FROM's table, if it is one.
pub(super) fn of_plain(rows: &TableSource, each: &mut dyn FnMut(&BoundSelect)) {
    let TableSource::Derived(rows) = rows else { return };
    match &**rows {
        Derived::Query { query, .. } => each(query),
        Derived::Shared(shared) => shared.before_planning(|rows| {
            if let Derived::Query { query, .. } = rows {
                each(query);
            }
        }),
        _ => {}
    }
}

fn is_merged(query: &BoundSelect) -> bool {
    let is_set = |source: &super::Source| matches!(&source.rows, TableSource::Derived(rows) if matches!(**rows, Derived::Set(_)));
    !is_kept(query) && !query.sources.iter().any(is_set)
}

/// Whether the rows of a query in FROM are kept before others see them; those of other
/// queries go on as they come.
fn is_kept(query: &BoundSelect) -> bool {
    query.grouped
        || query.distinct
        || query.limit.is_some()
        || !query.group_by.is_empty()
        || query.having.is_some()
        || !query.windows.is_empty()
        || query.sources.is_empty()
        || query.items.iter().any(|item| assigns(&item.node))
}

fn assigns(node: &Node) -> bool {
    matches!(node.op, Op::Assign(_)) || node.args.iter().any(assigns)
}

/// Whether it is the result of an aggregate or of a window function, and nothing is computed
/// of it.
fn is_gathered(query: &BoundSelect, node: &Node) -> bool {
    let Op::Column(column) = &node.op else { return false };
    let aggregates = query.aggregates_start..query.aggregates_start + query.aggregates.len();
    let windows = query.windows.start..query.windows.start + query.windows.calls.len();
    aggregates.contains(&column.index) || windows.contains(&column.index)
}
