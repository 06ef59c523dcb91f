//! What clients are told of constants under DISTINCT.

use super::{BoundSelect, Derived, Item, Source, TableSource};

/// Constants that a query in FROM computes are of no table where DISTINCT keeps rows of several
/// tables, or nothing but constants: over one table it is done as GROUP BY.
pub(super) fn tell_constants(select: &mut BoundSelect) {
    if !select.distinct || select.grouped || !select.windows.is_empty() {
        return;
    }
    let constants: Vec<bool> = select.items.iter().map(|item| is_constant(select, item)).collect();
    let literal = |item: &Item| item.column.is_none() && item.node.is_constant();
    let all = select.items.iter().zip(&constants).all(|(item, known)| *known || literal(item));
    if all || tables(select) > 1 {
        let items = select.items.iter_mut().zip(constants);
        items.filter(|(_, constant)| *constant).for_each(|(item, _)| item.column = None);
    }
}

/// Whether an item is a column for which a plain query in FROM has a constant.
fn is_constant(select: &BoundSelect, item: &Item) -> bool {
    let Some((table, at)) = item.column else { return false };
    let source = select.sources.iter().find(|source| source.table == table);
    let query = source.and_then(plain_query).filter(|_| !select.tables[table].optional);
    query.and_then(|query| query.items.get(at)).is_some_and(|item| item.node.is_constant())
}

fn plain_query(source: &Source) -> Option<&BoundSelect> {
    let TableSource::Derived(rows) = &source.rows else { return None };
    match &**rows {
        Derived::Query { query, .. } if query.is_plain() => Some(query),
        _ => None,
    }
}

/// How many tables are read, with those of plain queries in FROM; what has one row by itself
/// is a constant.
fn tables(select: &BoundSelect) -> usize {
    let of = |source: &Source| match plain_query(source) {
        Some(query) => tables(query),
        None => usize::from(!has_one_row(source)),
    };
    select.sources.iter().map(of).sum()
}

fn has_one_row(source: &Source) -> bool {
    let TableSource::Derived(rows) = &source.rows else { return false };
    let of_query = |query: &BoundSelect| match query.grouped {
        true => query.group_by.is_empty(),
        false => query.sources.iter().all(has_one_row),
    };
    match &**rows {
        Derived::Query { query, .. } => of_query(query),
        Derived::Set(set) => matches!(&*set.parts, [part] if of_query(&part.query)),
        _ => false,
    }
}
