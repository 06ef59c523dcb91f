//! Reads of one table of which nothing but columns, or sums of columns, goes to the client:
//! `SELECT a, b FROM t WHERE id BETWEEN ? AND ? ORDER BY c LIMIT ?`.
//!
//! Rows need not be taken apart into values for it: columns go to the client as they lie in
//! the row. Where the search of the index says all that the conditions say, these are not
//! looked at again.

use firn_mysql_semantics::expr::{CompareOp, Comparison, Node, Op};
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use firn_table::key::IndexCodec;

use super::access::RANGES_MAX;
use super::condition::Term;
use super::{SelectPlan, Step, StepRows};
use crate::bind::{Aggregate, AggregateFunction as F, JoinKind, columns_of};
use crate::table::OpenTable;

/// A read of some rows of one table.
#[derive(Debug)]
pub(crate) struct RangePlan {
    pub(crate) output: Output,
    /// Columns that conditions read, by their places in the table.
    pub(crate) conditions: Vec<usize>,
    /// What parameters have to be for the search to say all that the conditions say; `None`
    /// if it never does.
    exact: Option<Vec<(usize, Wanted)>>,
}

/// What goes to the client.
#[derive(Debug)]
pub(crate) enum Output {
    /// Columns of each row.
    Rows { items: Vec<Taken>, order: Vec<Key>, distinct: Distinct },
    /// What all rows come to: one for each aggregate.
    Totals(Vec<Total>),
}

/// A column that is taken from rows.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Its place in the table.
    pub(crate) column: usize,
    /// It is stored in UTC, and shown in the session's zone.
    pub(crate) is_timestamp: bool,
}

/// A column of ORDER BY.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) taken: Taken,
    pub(crate) ty: SqlType,
    pub(crate) descending: bool,
}

/// How rows that were given already are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distinct {
    /// They are given again.
    No,
    /// They are neighbours: the order is one of all that is given.
    Neighbours,
    /// All are remembered.
    Remembered,
}

/// An aggregate that rows add to as they lie.
#[derive(Debug)]
pub(crate) enum Total {
    /// COUNT(*)
    Rows,
    /// COUNT of a column.
    Count(usize),
    /// SUM and AVG of an integer or a DECIMAL.
    Exact(usize),
    /// SUM and AVG of a DOUBLE.
    Double(usize),
    /// MIN and MAX.
    Extreme { column: usize, ty: SqlType, least: bool },
}

/// What a parameter has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Integer,
    Text,
}

impl Wanted {
    fn is(self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Int(_) | Value::UInt(_) => self == Self::Integer,
            Value::Bytes(_) => self == Self::Text,
            _ => false,
        }
    }
}

impl RangePlan {
    /// The read that a SELECT is, if it is one.
    pub(crate) fn of(plan: &SelectPlan) -> Option<Self> {
        let select = &plan.select;
        let plain = select.having.is_none()
            && select.group_by.is_empty()
            && select.rollup.is_none()
            && select.groupings.is_empty()
            && select.windows.is_empty()
            && select.locking.is_none()
            && select.into.is_client()
            && select.outer.is_empty()
            && !select.calc_found_rows
            && plan.subqueries.is_empty()
            && plan.constant.is_empty();
        let [step] = &*plan.steps else { return None };
        let StepRows::Stored(table) = &step.rows else { return None };
        if !plain || step.kind != JoinKind::Inner || !step.on.is_empty() {
            return None;
        }
        let stored = |place: usize| {
            let column = place.checked_sub(step.start)?;
            let described = table.descriptor().columns.get(column)?;
            (place < step.end && !described.is_virtual()).then_some(column)
        };
        let mut conditions = Some(Vec::new());
        for node in &step.filter {
            columns_of(node, &mut |place| match (&mut conditions, stored(place)) {
                (Some(known), Some(column)) if known.contains(&column) => {}
                (Some(known), Some(column)) => known.push(column),
                (list, _) => *list = None,
            });
        }
        let taken = |node: &Node| match &node.op {
            Op::Column(column) => {
                let column = stored(column.index)?;
                let is_timestamp =
                    table.descriptor().columns[column].ty.kind == TypeKind::Timestamp;
                Some(Taken { column, is_timestamp })
            }
            _ => None,
        };
        let output = if select.grouped { totals(plan, &taken)? } else { rows(plan, &taken)? };
        Some(Self { output, conditions: conditions?, exact: exact(step, table) })
    }

    /// Whether the search says all that the conditions say.
    pub(crate) fn is_exact(&self, params: &[Value]) -> bool {
        let fits =
            |(at, wanted): &(usize, Wanted)| params.get(*at).is_some_and(|value| wanted.is(value));
        self.exact.as_ref().is_some_and(|params| params.iter().all(fits))
    }
}

/// Columns of each row.
fn rows(plan: &SelectPlan, taken: &dyn Fn(&Node) -> Option<Taken>) -> Option<Output> {
    let select = &plan.select;
    let items: Option<Vec<Taken>> = select.items.iter().map(|item| taken(&item.node)).collect();
    let items = items?;
    let mut order = Vec::with_capacity(select.order_by.len());
    for key in select.order_by.iter().filter(|_| !plan.ordered) {
        let node = match &key.node.op {
            Op::Column(column) if column.index >= select.items_start => {
                &select.items.get(column.index - select.items_start)?.node
            }
            _ => &key.node,
        };
        order.push(Key { taken: taken(node)?, ty: key.node.ty, descending: key.descending });
    }
    let orders = |item: &Taken| order.iter().any(|key| key.taken.column == item.column);
    let given = |key: &Key| items.iter().any(|item| item.column == key.taken.column);
    let distinct = match (select.distinct, order.is_empty()) {
        (false, _) => Distinct::No,
        (true, true) => Distinct::Remembered,
        (true, false) if items.iter().all(orders) && order.iter().all(given) => {
            Distinct::Neighbours
        }
        (true, false) => return None,
    };
    Some(Output::Rows { items, order, distinct })
}

/// What all rows come to.
fn totals(plan: &SelectPlan, taken: &dyn Fn(&Node) -> Option<Taken>) -> Option<Output> {
    let select = &plan.select;
    let results = select.aggregates_start..select.aggregates_start + select.aggregates.len();
    let mut sums_only = select.limit.is_none();
    for item in &select.items {
        columns_of(&item.node, &mut |place| sums_only &= results.contains(&place));
    }
    let total = |aggregate: &Aggregate| {
        let least_or_most = matches!(aggregate.function, F::Min | F::Max);
        if aggregate.distinct && !least_or_most {
            return None;
        }
        let column = || match &*aggregate.args {
            [arg] => taken(arg).map(|taken| (taken, arg.ty)),
            _ => None,
        };
        Some(match (aggregate.function, &*aggregate.args) {
            (F::Count, []) => Total::Rows,
            (F::Count, [arg]) if matches!(&arg.op, Op::Literal(one) if !one.is_null()) => {
                Total::Rows
            }
            (F::Count, _) => Total::Count(column()?.0.column),
            (F::SumDecimal | F::AvgDecimal, _) => {
                let (taken, ty) = column()?;
                let fits = ty.kind.is_integer() || ty.kind == TypeKind::Decimal;
                fits.then_some(Total::Exact(taken.column))?
            }
            (F::SumDouble | F::AvgDouble, _) => {
                let (taken, ty) = column()?;
                (ty.kind == TypeKind::Double).then_some(Total::Double(taken.column))?
            }
            (F::Min | F::Max, _) => {
                let (taken, ty) = column()?;
                // Members are compared by their texts, times in the session's zone.
                let plain =
                    !matches!(ty.kind, TypeKind::Enum | TypeKind::Set | TypeKind::Timestamp);
                let least = aggregate.function == F::Min;
                plain.then_some(Total::Extreme { column: taken.column, ty, least })?
            }
            _ => return None,
        })
    };
    let totals: Option<Vec<Total>> = select.aggregates.iter().map(total).collect();
    totals.filter(|_| sums_only).map(Output::Totals)
}

/// What parameters have to be for the search of the index to say all that the conditions
/// say; `None` if it never does.
fn exact(step: &Step, table: &OpenTable) -> Option<Vec<(usize, Wanted)>> {
    let access = step.access.as_ref()?;
    // Each term is of a condition of its own.
    let used: usize = access.parts.iter().map(Vec::len).sum();
    if used != step.filter.len() {
        return None;
    }
    let codec = table.codec.index(access.index).unwrap_or(table.codec.row_index());
    let (mut params, mut ranges) = (Vec::new(), 1usize);
    for (part, terms) in access.parts.iter().enumerate() {
        let wanted = wanted(codec, part, table)?;
        let mut values = 0;
        for term in terms {
            values += exact_term(term, wanted, &mut params)?;
        }
        ranges = ranges.saturating_mul(values.max(1));
    }
    // Beyond that the search leaves parts out.
    (ranges <= RANGES_MAX).then_some(params)
}

/// What values a part of an index can be searched for exactly.
fn wanted(codec: &IndexCodec, part: usize, table: &OpenTable) -> Option<Wanted> {
    use TypeKind::{Char, LongText, MediumText, Text, TinyText, Varchar};
    let ty = &table.descriptor().columns[codec.column(part)?].ty;
    if codec.is_prefix(part) || !codec.keeps_order(part) {
        return None;
    }
    match ty.kind {
        kind if kind.is_integer() => Some(Wanted::Integer),
        Char | Varchar | TinyText | Text | MediumText | LongText => Some(Wanted::Text),
        _ => None,
    }
}

/// How many values a condition names, if it is one that can be searched for exactly.
fn exact_term(term: &Term, wanted: Wanted, params: &mut Vec<(usize, Wanted)>) -> Option<usize> {
    let mut fits = |with: Comparison, value: &Node| {
        let same = match with {
            Comparison::Int => wanted == Wanted::Integer,
            Comparison::Text(_) => wanted == Wanted::Text,
            _ => false,
        };
        match &value.op {
            Op::Param(at) => params.push((*at, wanted)),
            Op::Literal(value) if wanted.is(value) => {}
            _ => return false,
        }
        same
    };
    match term {
        Term::Compare { op, with, value, .. } => {
            use CompareOp::{Eq, Ge, Gt, Le, Lt};
            (matches!(op, Eq | Lt | Le | Gt | Ge) && fits(*with, value)).then_some(1)
        }
        Term::Between { low, high, .. } => {
            (fits(low.0, &low.1) && fits(high.0, &high.1)).then_some(1)
        }
        Term::In { values, .. } => {
            values.iter().all(|(with, value)| fits(*with, value)).then_some(values.len())
        }
        Term::Any(terms) | Term::All(terms) => {
            terms.iter().map(|term| exact_term(term, wanted, params)).sum()
        }
        Term::IsNull { .. } | Term::Like { .. } | Term::Members { .. } => None,
    }
}
