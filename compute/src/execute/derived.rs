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

use super::measure::Part;
use super::rows::{Cursor, Rows};
use super::select::bound;
use super::sorter::{Sorter, Wanted};
use super::view::View;
use super::{Result, SelectRun, json_table, sort_key};
use crate::plan::{DerivedPlan, PartPlan, RecursivePlan, SetPlan};
use crate::spill::{broken, put_row, take_array, take_row};

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
                let mut run = SelectRun::new(plan, params).with_outer(outer);
                let before = view.enter(&plan.select);
                let rows = run.all(view, cx).await;
                view.leave(before);
                Ok(Arc::new(rows?))
            }
            DerivedPlan::Set(set) => {
                Ok(Arc::new(Box::pin(put_together(set, row, params, view, cx)).await?))
            }
            DerivedPlan::Shared(shared) => {
                if let Some(made) = view.made(shared.number) {
                    return Ok(made);
                }
                let made = rows(shared.rows(), row, params, view, cx).await?;
                view.keep_made(shared.number, Arc::clone(&made));
                Ok(made)
            }
            DerivedPlan::Recursive(plan) => {
                Ok(Arc::new(Box::pin(repeat(plan, row, params, view, cx)).await?))
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
        rows.add(row, view).await?;
    }
    rows.end(view).await
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
    let mut rows = Rows::of(view);
    for one in &set.parts {
        let more = part(one, row, params, view, cx).await?;
        rows = match one.op {
            None => more,
            Some((SetOp::Union, true)) => append(rows, more, view).await?,
            Some((op, all)) => combine((op, all), rows, more, &set.types, view).await?,
        };
    }
    Ok(rows)
}

/// Rows, and behind them others.
async fn append(mut rows: Rows, mut more: Rows, view: &mut View<'_>) -> Result<Rows> {
    if more.in_memory().is_some() {
        for row in more.take() {
            rows.add(row, view).await?;
        }
    } else {
        let mut cursor = Cursor::default();
        while let Some(row) = cursor.next(&more).await? {
            rows.add(row.to_vec(), view).await?;
        }
    }
    rows.end(view).await
}

/// What an operation, with ALL or without, leaves of rows and others.
async fn combine(
    (op, all): (SetOp, bool),
    mut rows: Rows,
    more: Rows,
    types: &[SqlType],
    view: &mut View<'_>,
) -> Result<Rows> {
    let bytes = rows.bytes().saturating_add(more.bytes());
    let (Some(_), Some(others)) = (rows.in_memory(), more.in_memory()) else {
        return combine_in_files((op, all), rows, more, types, view).await;
    };
    if bytes > view.gathered_bytes_max() / 4 {
        return combine_in_files((op, all), rows, more, types, view).await;
    }
    if op == SetOp::Union {
        rows = append(rows, more, view).await?;
        rows.change(|rows| distinct(rows, types));
        return Ok(rows);
    }
    let mut others = counts(others, types);
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
    });
    Ok(rows)
}

/// The same, with the rows of both in the order of their keys.
async fn combine_in_files(
    (op, all): (SetOp, bool),
    rows: Rows,
    more: Rows,
    types: &[SqlType],
    view: &mut View<'_>,
) -> Result<Rows> {
    // Others come before the rows that are the same, and have nothing behind their keys.
    let mut sorter = Sorter::behind(view, Wanted::default());
    let mut came = 0u64;
    for (side, from) in [rows, more].into_iter().enumerate() {
        let other = side == 1 && op != SetOp::Union;
        let mut cursor = Cursor::default();
        while let Some(row) = cursor.next(&from).await? {
            came += 1;
            let mut key = key(row, types);
            key.push(u8::from(!other));
            let write = |out: &mut Vec<u8>| {
                if !other {
                    out.extend_from_slice(&came.to_be_bytes());
                    put_row(row, out);
                }
            };
            sorter.push(view, &key, write).await?;
            view.step().await?;
        }
    }
    let mut sorted = sorter.finish(view).await?;
    let mut left = Sorter::behind(view, Wanted::default());
    let mut last: Vec<u8> = Vec::new();
    let (mut own, mut others) = (0u64, 0u64);
    while sorted.advance().await? {
        let (which, key) = sorted.key().split_last().ok_or_else(|| broken("a row without key"))?;
        if *key != *last || own + others == 0 {
            (own, others) = (0, 0);
            last.clear();
            last.extend_from_slice(key);
        }
        if *which == 0 {
            others += 1;
            continue;
        }
        own += 1;
        let stays = match (op, all) {
            (SetOp::Union, _) => own == 1,
            (SetOp::Intersect, true) => own <= others,
            (SetOp::Intersect, false) => own == 1 && others > 0,
            (SetOp::Except, true) => own > others,
            (SetOp::Except, false) => own == 1 && others == 0,
        };
        if stays {
            let mut rest = sorted.payload();
            let came: [u8; 8] = take_array(&mut rest)?;
            left.push(view, &came, |out| out.extend_from_slice(rest)).await?;
        }
    }
    drop(sorted);
    let mut left = left.finish(view).await?;
    let mut rows = Rows::of(view);
    while left.advance().await? {
        rows.add(take_row(&mut left.payload())?, view).await?;
    }
    rows.end(view).await
}

/// Some of the rows: `rows` behind the first `skip`.
async fn copy(from: &Rows, skip: u64, rows: u64, view: &View<'_>) -> Result<Rows> {
    let (mut some, mut cursor, mut at) = (Rows::of(view), Cursor::default(), 0);
    while at < skip.saturating_add(rows)
        && let Some(row) = cursor.next(from).await?
    {
        if at >= skip {
            some.add(row.to_vec(), view).await?;
        }
        at += 1;
    }
    some.end(view).await
}

/// Keys of rows that came already, as long as they are few.
struct Seen<'p> {
    types: &'p [SqlType],
    keys: Option<BTreeSet<Vec<u8>>>,
}

impl Seen<'_> {
    /// What is new of rows, among themselves and beside all others.
    async fn new_of(&mut self, mut rows: Rows, all: &Rows, view: &mut View<'_>) -> Result<Rows> {
        let bytes = rows.bytes().saturating_add(all.bytes());
        let few = rows.in_memory().is_some() && all.in_memory().is_some();
        if !few || bytes > view.gathered_bytes_max() / 4 {
            self.keys = None;
        }
        let types = self.types;
        if let Some(keys) = &mut self.keys {
            rows.change(|rows| rows.retain(|row| keys.insert(key(row, types))));
            return Ok(rows);
        }
        let others = copy(all, 0, u64::MAX, view).await?;
        combine_in_files((SetOp::Except, false), rows, others, types, view).await
    }
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
    let mut seen = Seen { types, keys: Some(BTreeSet::new()) };
    if plan.distinct {
        all = seen.new_of(all, &Rows::of(view), view).await?;
    }
    let mut working = Arc::new(copy(&all, 0, u64::MAX, view).await?);
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
            let more = part(one, row, params, view, cx).await?;
            let mut cursor = Cursor::default();
            while let Some(row) = cursor.next(&more).await? {
                check_lengths(row, plan, types, cx)?;
            }
            next = append(next, more, view).await?;
        }
        if plan.distinct {
            next = seen.new_of(next, &all, view).await?;
        }
        all = append(all, copy(&next, 0, u64::MAX, view).await?, view).await?;
        working = Arc::new(next);
    }
    view.keep_made(plan.number, Arc::default());
    match (skip, left) {
        (0, u64::MAX) => Ok(all),
        _ => copy(&all, skip, left, view).await,
    }
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
