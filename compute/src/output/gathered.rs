//! What clients are told of columns that a MySQL server reads from a temporary table.
//!
//! For GROUP BY and DISTINCT without a fitting index it gathers rows in such a table, and its
//! columns are what the client sees: they are part of no key, and numbers are no longer
//! marked as computed. So it does for window functions.

use firn_mysql_protocol::result::Column;
use firn_mysql_protocol::{ColumnFlags, ColumnType};
use firn_mysql_semantics::TypeKind;
use firn_mysql_semantics::expr::{Node, Op};

use crate::bind::{Aggregate, AggregateFunction, BoundSelect, Item};
use crate::plan::SelectPlan;
use crate::table::{Default, OpenTable};

/// Of a key, or kept up to date by itself.
const OF_TABLE: ColumnFlags = ColumnFlags::PRIMARY_KEY
    .with(ColumnFlags::UNIQUE_KEY)
    .with(ColumnFlags::MULTIPLE_KEY)
    .with(ColumnFlags::PART_KEY)
    .with(ColumnFlags::AUTO_INCREMENT)
    .with(ColumnFlags::TIMESTAMP)
    .with(ColumnFlags::ON_UPDATE_NOW);

/// Changes what is told of a query's columns if its rows are gathered: of queries on one table.
pub(crate) fn tell_of_gathered(plan: &SelectPlan, columns: &mut [Column]) {
    let select = &plan.select;
    if !select.windows.is_empty() {
        tell_of_windowed(select, columns);
        return;
    }
    let [step] = &plan.steps[..] else { return };
    let (Some(table), Some(access)) = (step.stored(), &step.access) else { return };
    let keys: Vec<&Node> = if !select.group_by.is_empty() {
        select.group_by.iter().collect()
    } else if select.distinct && !select.grouped {
        select.items.iter().map(|item| &item.node).collect()
    } else {
        return;
    };
    // Rows that are few, or sorted, are not gathered.
    if select.rollup.is_some()
        || access.single
        || select.aggregates.iter().any(Aggregate::keeps_values)
    {
        return;
    }
    let column = |node: &&Node| match &node.op {
        Op::Column(column) => column.index.checked_sub(step.start),
        _ => None,
    };
    let places: Option<Vec<usize>> = keys.iter().map(column).collect();
    let bounded = access.parts.iter().any(|terms| !terms.is_empty());
    if places.is_some_and(|places| {
        in_order(table, &places, select.distinct, |id| !bounded || access.index == id)
    }) {
        return;
    }
    for (item, column) in select.items.iter().zip(columns) {
        let aggregate = aggregate_of(plan, item);
        tell(item, aggregate, table, step.start, column);
    }
}

/// Rows with window functions are gathered whatever else they have, but for constants.
fn tell_of_windowed(select: &BoundSelect, columns: &mut [Column]) {
    for (item, column) in select.items.iter().zip(columns) {
        let node = &item.node;
        if node.is_constant() {
            continue;
        }
        if item.column.is_some() {
            column.flags = column.flags.without(OF_TABLE);
            continue;
        }
        if is_number(node.ty.kind) {
            column.flags = column.flags.without(ColumnFlags::BINARY);
        }
        if node.ty.kind == TypeKind::Json {
            column.flags.set(ColumnFlags::BLOB, true);
        }
        if node.ty.kind.is_string() || node.ty.kind == TypeKind::Json {
            column.decimals = 0;
        }
    }
}

fn is_number(kind: TypeKind) -> bool {
    kind.is_integer()
        || matches!(kind, TypeKind::Decimal | TypeKind::Float | TypeKind::Double | TypeKind::Year)
}

/// Whether an index that can be used has these columns first.
fn in_order(
    table: &OpenTable,
    places: &[usize],
    distinct: bool,
    can_use: impl Fn(firn_table::descriptor::IndexId) -> bool,
) -> bool {
    let descriptor = table.descriptor();
    let ids: Vec<_> =
        places.iter().filter_map(|at| descriptor.columns.get(*at).map(|one| one.id)).collect();
    if ids.len() < places.len() {
        return false;
    }
    descriptor.indexes.iter().filter(|index| !index.invisible).any(|index| {
        let whole = |part: &firn_table::descriptor::IndexPart| part.prefix_len.is_none();
        let first = index.parts.len() >= ids.len()
            && index.parts.iter().zip(&ids).all(|(part, id)| part.column == *id && whole(part));
        // Rows that differ already are not gathered.
        let unique = distinct
            && index.is_unique()
            && index.parts.iter().all(|part| {
                let column = descriptor.columns.iter().position(|one| one.id == part.column);
                let null = column.is_none_or(|at| table.columns[at].ty.nullable);
                whole(part) && !null && ids.contains(&part.column)
            });
        unique || (first && can_use(index.id))
    })
}

fn aggregate_of<'p>(plan: &'p SelectPlan, item: &Item) -> Option<&'p Aggregate> {
    let Op::Column(column) = &item.node.op else { return None };
    let at = column.index.checked_sub(plan.select.aggregates_start)?;
    plan.select.aggregates.get(at)
}

fn tell(
    item: &Item,
    aggregate: Option<&Aggregate>,
    table: &OpenTable,
    start: usize,
    column: &mut Column,
) {
    use AggregateFunction::{Count, Max, Min, SumDecimal, SumDouble};
    let kind = item.node.ty.kind;
    let number = is_number(kind);
    if item.column.is_some() {
        column.flags = column.flags.without(OF_TABLE);
        return;
    }
    match aggregate.map(|one| one.function) {
        None | Some(Count | SumDecimal | SumDouble) => {
            column
                .flags
                .set(ColumnFlags::BINARY, column.flags.contains(ColumnFlags::BINARY) && !number);
        }
        Some(Min | Max) => {
            let of = aggregate.and_then(|one| one.args.first());
            tell_of_extreme(of, kind, number, table, start, column);
        }
        _ => {}
    }
}

/// The least or greatest value of a column is kept as the column keeps it.
fn tell_of_extreme(
    of: Option<&Node>,
    kind: TypeKind,
    number: bool,
    table: &OpenTable,
    start: usize,
    column: &mut Column,
) {
    if number {
        column.flags.set(ColumnFlags::BINARY, false);
        column.flags.set(ColumnFlags::ZEROFILL, kind == TypeKind::Year);
    }
    let Some(Op::Column(source)) = of.map(|node| &node.op) else { return };
    let Some(at) = source.index.checked_sub(start).filter(|at| *at < table.columns.len()) else {
        return;
    };
    let needed = !table.columns[at].ty.nullable
        && matches!(table.defaults[at], Default::None)
        && table.auto_increment != Some(at)
        && table.descriptor().columns[at].generated.is_none();
    column.flags.set(ColumnFlags::NO_DEFAULT_VALUE, needed);
    column.flags.set(ColumnFlags::ENUM, kind == TypeKind::Enum);
    column.flags.set(ColumnFlags::SET, kind == TypeKind::Set);
    if kind.is_text() {
        column.flags.set(ColumnFlags::BLOB, true);
        if let Some(blob) = ColumnType::from_wire(252) {
            column.kind = blob;
        }
    }
}
