//! Rows of queries in FROM, of set operations and of common tables.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use firn_mysql_parser::ast::SetOp;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Node, Row};
use firn_mysql_semantics::{SqlType, Value};

use super::gathered::Rows;
use super::measure::Part;
use super::select::bound;
use super::view::View;
use super::{Result, SelectRun, json_table, sort_key};
use crate::plan::{DerivedPlan, PartPlan, RecursivePlan, SetPlan};

/// Rows that were made and are read.
pub(crate) type Made = Arc<Rows>;

/// The rows of a query in FROM; `row` is the flat row around it.
///
/// # Errors
/// Those of running it; 1038 if there are too many.
pub(crate) fn rows<'a, 'p: 'a>(
    plan: &'p DerivedPlan,
    row: &'a [Value],
    params: &'p [Value],
    view: &'a mut View<'_>,
    cx: &'a mut Cx<'p>,
) -> Pin<Box<dyn Future<Output = Result<Made>> + Send + 'a>> {
    Box::pin(async move {
        let began = view.clock();
        let made = match plan {
            DerivedPlan::Query { plan, outer, .. } => {
                let outer = values(outer, row, params, cx)?;
                let run = SelectRun::new(plan, params).with_outer(outer);
                let before = view.enter(&plan.select);
                let rows = run.all(view, cx).await;
                view.leave(before);
                Ok(Arc::new(rows?))
            }
            DerivedPlan::Set(set) => Ok(Arc::new(put_together(set, row, params, view, cx).await?)),
            DerivedPlan::Shared(shared) => {
                if let Some(made) = view.made(shared.number) {
                    return Ok(made);
                }
                let made = rows(shared.rows(), row, params, view, cx).await?;
                view.keep_made(shared.number, Arc::clone(&made));
                Ok(made)
            }
            DerivedPlan::Recursive(plan) => {
                Ok(Arc::new(repeat(plan, row, params, view, cx).await?))
            }
            DerivedPlan::Working(number) => Ok(view.made(*number).unwrap_or_default()),
            DerivedPlan::JsonTable(table) => {
                Ok(Arc::new(json_table::rows(table, row, params, view, cx)?))
            }
        }?;
        if let (Some(began), Some(measures)) = (began, view.measures()) {
            measures.begin(plan, Part::Made);
            measures.spend(plan, Part::Made, measures.since(began));
            measures.rows(plan, Part::Made, made.len() as u64);
        }
        Ok(made)
    })
}

fn values(nodes: &[Node], row: &[Value], params: &[Value], cx: &mut Cx<'_>) -> Result<Vec<Value>> {
    let row = Row { columns: row, params };
    nodes.iter().map(|node| Ok(node.eval(cx, row)?.into_owned())).collect()
}

/// The rows of one part, in the types of the whole.
async fn part<'p>(
    plan: &'p PartPlan,
    row: &[Value],
    params: &'p [Value],
    view: &mut View<'_>,
    cx: &mut Cx<'p>,
) -> Result<Rows> {
    let outer = values(&plan.outer, row, params, cx)?;
    let before = view.enter(&plan.plan.select);
    let rows = part_rows(plan, outer, params, view, cx).await;
    view.leave(before);
    rows
}

async fn part_rows<'p>(
    plan: &'p PartPlan,
    outer: Vec<Value>,
    params: &'p [Value],
    view: &mut View<'_>,
    cx: &mut Cx<'p>,
) -> Result<Rows> {
    let mut run = SelectRun::new(&plan.plan, params).with_outer(outer);
    let mut rows = Rows::of(view);
    while let Some(columns) = run.next(view, cx).await? {
        let from = Row { columns, params };
        let run = plan.columns.iter().map(|node| Ok(node.run(cx, from)?.into_owned()));
        let row = run.collect::<Result<Vec<_>>>()?;
        rows.push(row)?;
    }
    Ok(rows)
}

fn key(row: &[Value], types: &[SqlType]) -> Vec<u8> {
    let mut key = Vec::with_capacity(32);
    for (value, ty) in row.iter().zip(types) {
        sort_key::push(value, ty, false, &mut key);
    }
    key
}

/// Leaves the first of equal rows.
fn distinct(rows: &mut Vec<Vec<Value>>, types: &[SqlType]) {
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert(key(row, types)));
}

/// How often each row is there.
fn counts(rows: &[Vec<Value>], types: &[SqlType]) -> BTreeMap<Vec<u8>, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(key(row, types)).or_default() += 1;
    }
    counts
}

async fn put_together<'p>(
    set: &'p SetPlan,
    row: &[Value],
    params: &'p [Value],
    view: &mut View<'_>,
    cx: &mut Cx<'p>,
) -> Result<Rows> {
    let types = &set.types;
    let mut rows = Rows::of(view);
    for one in &set.parts {
        let more = part(one, row, params, view, cx).await?;
        match one.op {
            None => rows = more,
            Some((SetOp::Union, all)) => {
                rows.append(more)?;
                if !all {
                    rows.change(|rows| distinct(rows, types))?;
                }
            }
            Some((op, all)) => {
                let mut others = counts(&more, types);
                rows.change(|rows| {
                    if !all {
                        distinct(rows, types);
                    }
                    rows.retain(|row| {
                        let left = others.get_mut(&key(row, types)).filter(|left| **left > 0);
                        let among = left.is_some();
                        if let (Some(left), true) = (left, all) {
                            *left -= 1;
                        }
                        among == (op == SetOp::Intersect)
                    });
                })?;
            }
        }
    }
    Ok(rows)
}

/// Makes rows from those of the step before, until there are none.
async fn repeat<'p>(
    plan: &'p RecursivePlan,
    row: &[Value],
    params: &'p [Value],
    view: &mut View<'_>,
    cx: &mut Cx<'p>,
) -> Result<Rows> {
    let types = &plan.seed.types;
    let steps_max = match cx.session.system_variable("cte_max_recursion_depth") {
        Some((Value::UInt(number), _)) => number,
        Some((Value::Int(number), _)) => number.unsigned_abs(),
        _ => 1000,
    };
    let (mut skip, mut left) = (0, u64::MAX);
    if let Some(limit) = &plan.limit {
        left = bound(&limit.rows, cx, params)?;
        if let Some(offset) = &limit.offset {
            skip = bound(offset, cx, params)?;
        }
    }
    let wanted = usize::try_from(skip.saturating_add(left)).unwrap_or(usize::MAX);
    let mut all = put_together(&plan.seed, row, params, view, cx).await?;
    let mut seen = BTreeSet::new();
    if plan.distinct {
        all.change(|rows| rows.retain(|row| seen.insert(key(row, types))))?;
    }
    let mut first = Rows::of(view);
    all.iter().try_for_each(|row| first.push(row.clone()))?;
    let mut working = Arc::new(first);
    let mut step = 0;
    while !working.is_empty() && all.len() < wanted {
        step += 1;
        if step > steps_max {
            let number = code::ER_CTE_MAX_RECURSION_DEPTH;
            return Err(SqlError::new(number, &[step.into()]));
        }
        view.check()?;
        view.keep_made(plan.number, working);
        let mut next = Rows::of(view);
        for one in &plan.steps {
            for row in part(one, row, params, view, cx).await?.into_rows() {
                check_lengths(&row, plan, types, cx)?;
                if !plan.distinct || seen.insert(key(&row, types)) {
                    next.push(row)?;
                }
            }
        }
        next.iter().try_for_each(|row| all.push(row.clone()))?;
        working = Arc::new(next);
    }
    view.keep_made(plan.number, Arc::default());
    let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(all.len());
    all.change(|rows| {
        rows.drain(..skip);
        rows.truncate(usize::try_from(left).unwrap_or(usize::MAX));
    })?;
    Ok(all)
}

/// 1406 for strings that are longer than those of the first query can be.
fn check_lengths(
    row: &[Value],
    plan: &RecursivePlan,
    types: &[SqlType],
    cx: &Cx<'_>,
) -> Result<()> {
    if !cx.settings.strict {
        return Ok(());
    }
    for ((value, ty), name) in row.iter().zip(types).zip(&plan.names) {
        let (Value::Bytes(bytes), true) = (value, ty.kind.is_string() && !ty.kind.is_text()) else {
            continue;
        };
        let wide =
            Collation::by_id(ty.collation.0).is_some_and(|one| one.charset().max_bytes() > 1);
        let length =
            if wide { String::from_utf8_lossy(bytes).chars().count() } else { bytes.len() };
        if length > ty.length as usize {
            let row = 1u64;
            return Err(SqlError::new(code::ER_DATA_TOO_LONG, &[(&**name).into(), row.into()]));
        }
    }
    Ok(())
}
