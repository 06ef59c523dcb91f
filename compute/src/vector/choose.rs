//! Which query blocks run over batches.

use firn_mysql_semantics::expr::{Node, Op};
use firn_mysql_semantics::vector::arrow_type;
use firn_mysql_semantics::{SqlType, TypeKind};

use super::alone::{Scanned, scan_of};
use super::join::has_key;
use crate::bind::{Aggregate, AggregateFunction as F, ScopeTable};
use crate::plan::{Partners, SelectPlan, Step, StepRows};

/// What `firn_executor` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Executor {
    /// What is cheaper, by what is estimated.
    Auto,
    /// Row by row.
    #[default]
    Direct,
    /// Over batches wherever that can be.
    Vector,
}

impl Executor {
    /// As the variable numbers them.
    pub(crate) fn from_index(index: u16) -> Self {
        match index {
            0 => Self::Auto,
            2 => Self::Vector,
            _ => Self::Direct,
        }
    }
}

/// How a query block runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Row by row.
    Rows,
    /// Row by row, with the rows of one table from a scan over batches.
    Scan(Scanned),
    /// As a whole over batches.
    Batches,
}

/// How a query block runs, as is asked for.
pub(crate) fn way(plan: &SelectPlan, executor: Executor) -> Way {
    let costs = &plan.costs;
    let scan = || scan_of(plan, executor).map(Way::Scan);
    let whole = || {
        let wanted = match executor {
            Executor::Direct => false,
            Executor::Auto => costs.favour_batches(),
            Executor::Vector => true,
        };
        (wanted && why_not(plan).is_none()).then_some(Way::Batches)
    };
    let way = match executor == Executor::Auto && costs.scanned < costs.over_batches {
        true => scan().or_else(whole),
        false => whole().or_else(scan),
    };
    way.unwrap_or(Way::Rows)
}

/// What EXPLAIN says of it; nothing where that is as ever.
pub(crate) fn told(plan: &SelectPlan, executor: Executor) -> Option<String> {
    let why = why_not(plan).filter(|_| executor == Executor::Vector);
    let why = why.map_or(String::new(), |why| format!(": {why}"));
    match way(plan, executor) {
        Way::Batches => {
            Some("The query block runs over batches of columns (firn_executor)".to_owned())
        }
        Way::Scan(scanned) => {
            let start = plan.steps.get(scanned.step)?.start;
            let name = &plan.select.tables.iter().rfind(|one| one.start == start)?.alias;
            Some(format!(
                "The query block runs row by row, '{name}' is scanned over batches of columns \
                 (firn_executor){why}"
            ))
        }
        Way::Rows if executor == Executor::Vector => {
            Some(format!("The query block runs row by row (firn_executor){why}"))
        }
        Way::Rows => None,
    }
}

/// Why a block cannot run over batches; `None` if it can.
pub(crate) fn why_not(plan: &SelectPlan) -> Option<&'static str> {
    let select = &plan.select;
    if select.locking.is_some() {
        return Some("its rows are locked");
    }
    if !select.outer.is_empty() {
        return Some("it takes values from the query around it");
    }
    if plan.steps.is_empty() {
        return Some("it reads no table");
    }
    let streams = streams(plan);
    if plan.steps.len() > 1 && streams {
        return Some("its joined rows go out as they come");
    }
    if plan.steps.len() > 1 && !select.grouped && !select.windows.is_empty() {
        return Some("its joined rows go to window functions as they come");
    }
    let waits = |node: &Node| takes_of_rows(node, plan);
    let residual = plan.steps.iter().any(|step| step.filter.iter().any(waits));
    if residual && streams {
        return Some("its rows go out as subqueries let them pass");
    }
    if select.rollup.is_some() {
        return Some("WITH ROLLUP");
    }
    for step in &plan.steps {
        if let Some(why) = why_not_step(step, plan) {
            return Some(why);
        }
    }
    if select.grouped {
        if !select.group_by.iter().all(fits) {
            return Some("GROUP BY is not one of batches");
        }
        if !select.aggregates.iter().all(aggregate_fits) {
            return Some("an aggregate is not one of batches");
        }
    }
    None
}

/// Whether the block's rows go out as they come, in an order that is seen.
fn streams(plan: &SelectPlan) -> bool {
    !plan.select.grouped && plan.ordered && !plan.any_order
}

fn why_not_step(step: &Step, plan: &SelectPlan) -> Option<&'static str> {
    if let Some(why) = why_not_rows(step, plan) {
        return Some(why);
    }
    if !step.on.iter().all(fits) {
        return Some("a condition is not one of batches");
    }
    if !step.filter.iter().all(|node| condition_fits(node, plan)) {
        return Some("a condition is not one of batches");
    }
    None
}

/// Why the rows of a step cannot come over batches.
pub(super) fn why_not_rows(step: &Step, plan: &SelectPlan) -> Option<&'static str> {
    match &step.rows {
        StepRows::Stored(table) => {
            if table.virtual_columns().iter().any(|one| step.columns.contains(&one.column)) {
                return Some("it reads virtual columns");
            }
        }
        StepRows::Derived(rows) if !rows.is_lateral() => {}
        StepRows::Derived(_) => return Some("a lateral table"),
        StepRows::Virtual(_) => return Some("a table of the server's own"),
    }
    // Tables that stand side by side as one begin where the first of them does.
    let whole = step.start..step.end;
    let is_its = |table: &&ScopeTable| (table.start..table.start + table.columns.len()) == whole;
    let Some(table) = plan.select.tables.iter().find(is_its) else {
        return Some("a table is not there");
    };
    if step.columns.iter().any(|at| !has_arrow(&table.columns[*at].ty)) {
        return Some("a column has no form in batches");
    }
    None
}

/// What a condition of a block says of its rows' partners, if that is to be a join.
pub(crate) fn partners_of<'p>(node: &'p Node, plan: &'p SelectPlan) -> Option<Partners<'p>> {
    let partners = Partners::of(node, &plan.subqueries)?;
    let (one_by_one, joined) = partners.costs(plan.asked_rows());
    let both = partners.over_both(plan.select.row_len);
    let fits = partners.values.iter().all(fits)
        && both.iter().all(fits)
        && both.iter().any(has_key)
        && partners.plan.steps.iter().all(|step| why_not_step(step, partners.plan).is_none());
    // What does not fit into memory comes out of a join in another order.
    (joined < one_by_one && fits && !streams(plan)).then_some(partners)
}

fn has_arrow(ty: &SqlType) -> bool {
    arrow_type(ty).is_ok()
}

/// Whether an expression gives the same over batches.
pub(super) fn fits(node: &Node) -> bool {
    fits_with(node, &|_| false)
}

/// Whether a subquery within an expression takes values of the rows around it.
pub(crate) fn takes_of_rows(node: &Node, plan: &SelectPlan) -> bool {
    let own = match &node.op {
        Op::Subquery { slot, .. } => plan
            .subqueries
            .iter()
            .find(|one| one.slot == *slot)
            .is_none_or(|one| !one.plan.select.outer.is_empty()),
        _ => false,
    };
    own || node.args.iter().any(|arg| takes_of_rows(arg, plan))
}

/// Whether a condition of WHERE can be looked at over batches, or behind them: one in which
/// subqueries stand.
fn condition_fits(node: &Node, plan: &SelectPlan) -> bool {
    fits_with(node, &|slot| {
        let asked = plan.subqueries.iter().find(|one| one.slot == slot);
        asked.is_some_and(|one| !one.volatile)
    })
}

fn fits_with(node: &Node, subquery: &dyn Fn(usize) -> bool) -> bool {
    let own = match &node.op {
        Op::UserVariable(_) | Op::Assign(_) | Op::SystemVariable(_) => false,
        Op::Subquery { slot, .. } => subquery(*slot),
        _ => true,
    };
    own && has_arrow(&node.ty)
        && !is_changing(node)
        && node.args.iter().all(|arg| fits_with(arg, subquery))
}

fn is_changing(node: &Node) -> bool {
    match &node.op {
        Op::Call(call) => !call.function.deterministic || call.function.name == "last_insert_id",
        _ => false,
    }
}

fn aggregate_fits(aggregate: &Aggregate) -> bool {
    if !aggregate.args.iter().all(fits) {
        return false;
    }
    let kind = aggregate.args.first().map(|arg| arg.ty.kind);
    match (aggregate.function, kind) {
        (F::Count, None) => true,
        (F::Count, Some(_)) => aggregate.args.len() == 1,
        (F::SumDecimal | F::AvgDecimal, Some(kind)) => {
            !aggregate.distinct && (kind.is_integer() || kind == TypeKind::Decimal)
        }
        (F::SumDouble | F::AvgDouble, Some(kind)) => {
            !aggregate.distinct && matches!(kind, TypeKind::Float | TypeKind::Double)
        }
        (F::Min | F::Max, Some(kind)) => {
            !matches!(kind, TypeKind::Enum | TypeKind::Set | TypeKind::Json | TypeKind::Null)
        }
        _ => false,
    }
}
