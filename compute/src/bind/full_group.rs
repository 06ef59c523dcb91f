//! ONLY_FULL_GROUP_BY: what a group has one value of.
//!
//! A column may stand beside aggregates if the columns of GROUP BY determine it: it is
//! one of them, equals one or a constant, or is of a table whose primary or unique key
//! they determine.

use std::ops::Range;

use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{CompareOp, Node, Op, Result};

use super::{
    BoundSelect, Derived, Item, JoinKind, ScopeTable, TableSource, WindowCall, columns_of,
};

/// Columns that are the same, and columns that are constant.
#[derive(Default)]
struct Equal {
    pairs: Vec<(usize, usize)>,
    constant: Vec<usize>,
}

impl Equal {
    fn add(&mut self, condition: &Node) {
        let (left, right) = match (&condition.op, &*condition.args) {
            (Op::Compare(CompareOp::Eq, _), [left, right]) => (left, right),
            // Between a constant and the same.
            (Op::Between { negated: false, .. }, [value, low, high])
                if low.is_constant() && format!("{low:?}") == format!("{high:?}") =>
            {
                (value, low)
            }
            (Op::Not, [inner]) => match (&inner.op, &*inner.args) {
                (Op::Compare(CompareOp::Ne, _), [left, right]) => (left, right),
                _ => return,
            },
            _ => return,
        };
        match (&left.op, &right.op) {
            (Op::Column(left), Op::Column(right)) => self.pairs.push((left.index, right.index)),
            (Op::Column(column), _) if right.is_constant() => self.constant.push(column.index),
            (_, Op::Column(column)) if left.is_constant() => self.constant.push(column.index),
            _ => {}
        }
    }

    /// Adds what equals known columns and constants.
    fn close(&self, known: &mut [bool]) {
        self.constant.iter().for_each(|place| known[*place] = true);
        for &(left, right) in &self.pairs {
            if known[left] || known[right] {
                (known[left], known[right]) = (true, true);
            }
        }
    }
}

/// Whether it is NULL or false where these columns are NULL.
fn refuses_null(condition: &Node, own: &Range<usize>) -> bool {
    fn is_null_of(node: &Node, own: &Range<usize>) -> bool {
        match &node.op {
            Op::Column(column) => own.contains(&column.index),
            Op::Arith(..) | Op::Negate(_) => node.args.iter().any(|arg| is_null_of(arg, own)),
            _ => false,
        }
    }
    let first = || condition.args.first().is_some_and(|arg| is_null_of(arg, own));
    match &condition.op {
        Op::Compare(CompareOp::NullSafeEq, _) => false,
        Op::Compare(..) => condition.args.iter().any(|arg| is_null_of(arg, own)),
        Op::Between { .. } | Op::In { .. } | Op::Like { .. } | Op::IsNull { negated: true } => {
            first()
        }
        Op::Not => condition.args.first().is_some_and(|arg| {
            matches!(arg.op, Op::Compare(..) | Op::Between { .. } | Op::In { .. } | Op::Like { .. })
                && refuses_null(arg, own)
        }),
        _ => false,
    }
}

/// Of outer joins: the columns of other tables that ON reads, and what is equal where there is
/// a row of the optional side.
fn optional_sides(select: &BoundSelect) -> Vec<(Vec<usize>, Equal)> {
    let outer = select.sources.iter().filter(|source| source.kind == JoinKind::Left);
    outer
        .map(|source| {
            let table = &select.tables[source.table];
            let own = table.start..table.start + table.columns.len();
            // Where WHERE takes no row without this side, the join is an inner one.
            let is_inner = select.filter.iter().any(|one| refuses_null(one, &own));
            let mut reads: Vec<usize> = Vec::new();
            let mut equal = Equal::default();
            for condition in &source.on {
                columns_of(condition, &mut |place| reads.push(place));
                equal.add(condition);
            }
            reads.retain(|place| !own.contains(place) && !is_inner);
            (reads, equal)
        })
        .collect()
}

/// Which columns of the flat row the groups determine.
fn determined(select: &BoundSelect, rollup: bool) -> Vec<bool> {
    let mut known = vec![false; select.row_len];
    // What is computed of groups, and what comes from around.
    known[select.aggregates_start..].fill(true);
    for node in &select.group_by {
        if let Op::Column(column) = &node.op {
            known[column.index] = true;
        }
    }
    // In the sums of ROLLUP what is grouped by is NULL, and determines nothing.
    if !rollup {
        close(select, &mut known);
    }
    known
}

/// Adds the columns that those which are known determine.
fn close(select: &BoundSelect, known: &mut [bool]) {
    let mut equal = Equal::default();
    select.filter.iter().for_each(|condition| equal.add(condition));
    let optional = optional_sides(select);
    loop {
        let before = known.iter().filter(|known| **known).count();
        equal.close(known);
        for (reads, equal) in &optional {
            // What is not known may decide whether there is a row of this side.
            if reads.iter().all(|place| known[*place]) {
                equal.close(known);
            }
        }
        for source in &select.sources {
            let table = &select.tables[source.table];
            let own = table.start..table.start + table.columns.len();
            let whole = match &source.rows {
                TableSource::Stored(open) => {
                    let descriptor = open.descriptor();
                    descriptor.indexes.iter().filter(|index| index.is_unique()).any(|index| {
                        index.parts.iter().all(|part| {
                            let mut columns = descriptor.columns.iter();
                            let at = columns.position(|column| column.id == part.column);
                            at.is_some_and(|at| {
                                let not_null = !descriptor.columns[at].ty.nullable;
                                part.prefix_len.is_none() && not_null && known[own.start + at]
                            })
                        })
                    })
                }
                TableSource::Derived(rows) => {
                    let known = &mut known[own.clone()];
                    super::made::of_plain(&source.rows, &mut |query| {
                        // Constants are so wherever they stand.
                        if query.is_plain() {
                            let constant = |item: &Item| item.node.is_constant();
                            let all = query.items.iter().map(constant).zip(&mut *known);
                            all.for_each(|(constant, known)| *known |= constant);
                        }
                    });
                    let any = known.contains(&true);
                    let is_optional = table.optional;
                    // Where rows are kept, or there may be none, constants determine nothing.
                    let holds = |query: &BoundSelect| match query.is_plain() {
                        true => any || !is_optional,
                        false => any && !is_optional,
                    };
                    match &**rows {
                        Derived::Query { query, .. } if holds(query) => {
                            determined_within(query, known);
                        }
                        Derived::Shared(shared) => shared.before_planning(|rows| {
                            if let Derived::Query { query, .. } = rows
                                && holds(query)
                            {
                                determined_within(query, known);
                            }
                        }),
                        // One row of values is of constants.
                        Derived::Set(set) => {
                            if let [part] = &*set.parts {
                                determined_within(&part.query, known);
                            }
                        }
                        _ => {}
                    }
                    false
                }
                _ => false,
            };
            if whole {
                known[own].fill(true);
            }
        }
        if known.iter().filter(|known| **known).count() == before {
            return;
        }
    }
}

/// Adds the columns of a query in FROM that those which are known determine.
fn determined_within(query: &BoundSelect, known: &mut [bool]) {
    let mut inner = vec![false; query.row_len];
    for (item, known) in query.items.iter().zip(&*known) {
        if let (Op::Column(column), true) = (&item.node.op, *known) {
            inner[column.index] = true;
        }
    }
    close(query, &mut inner);
    let keys = query.group_by.iter().all(|node| reads_known(node, &inner));
    if query.grouped && query.rollup.is_none() && keys {
        inner[..query.items_start].fill(true);
    }
    for (item, known) in query.items.iter().zip(known) {
        *known |= reads_known(&item.node, &inner);
    }
}

/// Whether all columns that an expression reads are known.
fn reads_known(node: &Node, known: &[bool]) -> bool {
    match &node.op {
        Op::Column(column) => known.get(column.index) == Some(&true),
        Op::Call(call) if !call.function.deterministic => false,
        Op::Subquery { .. } => false,
        _ => node.args.iter().all(|arg| reads_known(arg, known)),
    }
}

/// A column's name as it stands in the query: of what it is computed there is another matter.
fn name_of(select: &BoundSelect, place: usize) -> Option<String> {
    let within =
        |table: &&ScopeTable| (table.start..table.start + table.columns.len()).contains(&place);
    let table = select.tables.iter().find(within)?;
    let column = &table.columns[place - table.start];
    let parts = [&table.schema, &table.alias, &column.name];
    let parts: Vec<&str> =
        parts.iter().map(|part| &***part).filter(|part| !part.is_empty()).collect();
    Some(parts.join("."))
}

/// A column in an expression that the groups do not determine.
fn undetermined(node: &Node, known: &[bool], groups: &[String]) -> Option<usize> {
    match &node.op {
        Op::Column(column) => {
            return (known.get(column.index) == Some(&false)).then_some(column.index);
        }
        Op::Call(call) if call.function.name == "any_value" => return None,
        _ => {}
    }
    if groups.contains(&format!("{node:?}")) {
        return None;
    }
    node.args.iter().find_map(|arg| undetermined(arg, known, groups))
}

/// Refuses what groups have several values of.
///
/// # Errors
/// 1055, 1140; 3065 for DISTINCT with an order by something else.
pub(super) fn check(select: &BoundSelect, rollup: bool) -> Result<()> {
    if !select.grouped {
        return if select.distinct { check_distinct(select) } else { Ok(()) };
    }
    let known = determined(select, rollup);
    let groups: Vec<String> = select
        .group_by
        .iter()
        .filter(|node| !matches!(node.op, Op::Column(_)))
        .map(|node| format!("{node:?}"))
        .collect();
    let refused = |at: usize, clause: &str, place: usize| {
        let name = name_of(select, place).unwrap_or_default();
        let at = at + 1;
        let (number, text) = match select.group_by.is_empty() {
            true => (
                code::ER_MIX_OF_GROUP_FUNC_AND_FIELDS,
                format!(
                    "In aggregated query without GROUP BY, expression #{at} of {clause} contains \
                     nonaggregated column '{name}'; this is incompatible with \
                     sql_mode=only_full_group_by"
                ),
            ),
            false => (
                code::ER_WRONG_FIELD_WITH_GROUP,
                format!(
                    "Expression #{at} of {clause} is not in GROUP BY clause and contains \
                     nonaggregated column '{name}' which is not functionally dependent on \
                     columns in GROUP BY clause; this is incompatible with \
                     sql_mode=only_full_group_by"
                ),
            ),
        };
        Err(SqlError::with_message(number, text))
    };
    // What window functions take of a group counts as the expression's own.
    let found = |node| {
        let operands = select.windows.calls_in(node).into_iter().flat_map(WindowCall::operands);
        let mut all = std::iter::once(node).chain(operands);
        all.find_map(|node| undetermined(node, &known, &groups))
    };
    for (at, item) in select.items.iter().enumerate() {
        if let Some(name) = found(&item.node) {
            return refused(at, "SELECT list", name);
        }
    }
    for window in &select.windows.list {
        // Each of the two lists is counted by itself.
        let order = window.order_by.iter().map(|key| &key.node);
        let lists = [window.partition_by.iter().collect::<Vec<_>>(), order.collect()];
        for list in lists {
            for (at, node) in list.into_iter().enumerate() {
                if let Some(name) = undetermined(node, &known, &groups) {
                    let clause =
                        format!("PARTITION BY or ORDER BY clause of window '{}'", window.name);
                    return refused(at, &clause, name);
                }
            }
        }
    }
    for (at, key) in select.order_by.iter().enumerate() {
        if let Some(name) = found(&key.node) {
            return refused(at, "ORDER BY clause", name);
        }
    }
    Ok(())
}

/// Of rows that count once, the order is of what is in them.
fn check_distinct(select: &BoundSelect) -> Result<()> {
    let mut known = vec![false; select.row_len];
    known[select.windows.start..].fill(true);
    for item in &select.items {
        if let Op::Column(column) = &item.node.op {
            known[column.index] = true;
        }
    }
    let items: Vec<String> = select.items.iter().map(|item| format!("{:?}", item.node)).collect();
    for (at, key) in select.order_by.iter().enumerate() {
        if let Some(name) = undetermined(&key.node, &known, &items) {
            let name = name_of(select, name).unwrap_or_default();
            return Err(SqlError::new(
                code::ER_FIELD_IN_ORDER_NOT_SELECT,
                &[(at as u64 + 1).into(), (&*name).into(), "DISTINCT".into()],
            ));
        }
    }
    Ok(())
}
