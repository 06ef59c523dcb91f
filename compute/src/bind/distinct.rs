//! What clients are told of constants under DISTINCT.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::Op;

use super::{BoundSelect, Derived, Item, Source, TableSource};

/// Constants that a query in FROM computes are of no table where DISTINCT keeps rows of several
/// tables, so many rows, or nothing but constants: over one table it is done as GROUP BY.
/// ORDER BY keeps rows of several tables, too.
pub(super) fn tell_constants(select: &mut BoundSelect) {
    let sorts = !select.distinct && !select.order_by.is_empty() && tables(select) > 1;
    if !(select.distinct || sorts) || select.grouped || !select.windows.is_empty() {
        return;
    }
    if select.takes_nothing() {
        return;
    }
    let constants: Vec<bool> = select.items.iter().map(|item| is_constant(select, item)).collect();
    let literal = |item: &Item| item.column.is_none() && item.node.is_constant();
    let all = select.items.iter().zip(&constants).all(|(item, known)| *known || literal(item));
    let cut = select.distinct && select.order_by.is_empty() && select.limit.is_some();
    if all || cut || tables(select) > 1 {
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

impl BoundSelect {
    /// Whether a server keeps the rows in a temporary table before it sends them.
    pub(crate) fn keeps_rows(&self) -> bool {
        if self.takes_nothing() {
            return false;
        }
        !self.group_by.is_empty()
            || self.distinct
            || !self.windows.is_empty()
            || (!self.grouped && !self.order_by.is_empty() && tables(self) > 1)
    }

    /// LIMIT 0
    fn takes_nothing(&self) -> bool {
        let limit = self.limit.as_ref().map(|limit| &limit.rows.op);
        matches!(limit, Some(Op::Literal(Value::Int(0) | Value::UInt(0))))
    }

    /// The name that a column of a plain query in FROM has there.
    pub(crate) fn name_within(&self, (table, at): (usize, usize)) -> Option<&str> {
        let source = self.sources.iter().find(|source| source.table == table)?;
        plain_query(source)?.items.get(at).map(|item| &*item.name)
    }

    /// Whether such a column is computed there, and never NULL.
    pub(crate) fn is_expression_within(&self, place: (usize, usize)) -> bool {
        let computed = |item: &Item| item.column.is_none() && !item.node.ty.nullable;
        self.merged_item(place, |item| computed(item).then_some(())).is_some()
    }

    /// What `of` makes of such a column, as it is computed there.
    pub(crate) fn merged_item<T>(
        &self,
        (table, at): (usize, usize),
        of: impl Fn(&Item) -> Option<T>,
    ) -> Option<T> {
        let source = self.sources.iter().find(|source| source.table == table)?;
        let mut found = None;
        super::made::of_plain(&source.rows, &mut |query| {
            if query.is_plain() {
                found = query.items.get(at).and_then(&of);
            }
        });
        found
    }

    /// Whether a table is a query in FROM that is none to a server: its columns are
    /// expressions.
    pub(crate) fn is_merged(&self, table: usize) -> bool {
        let source = self.sources.iter().find(|source| source.table == table);
        source.is_some_and(|source| super::made::goes_on(&source.rows))
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
