//! UPDATE and DELETE.
//!
//! First the rows that the statement is about are found, then they are changed:
//! a change must not bring a row before the search again. Where it cannot do that,
//! some rows are found and changed at a time ([`Finder`]), so that a statement about
//! very many needs no memory for all of them.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{Level, SqlError, code};
use firn_mysql_semantics::expr::{Cx, Row};

use super::insert::{Change, is_ignored};
use super::store::Storing;
use super::stream::{RowStream, holds};
use super::subquery::Subqueries;
use super::view::View;
use super::write::{self, Duplicate, Stored};
use super::{Result, foreign_key, sort_key};
use crate::bind::{BoundDelete, BoundUpdate, Given, ViewCheck};
use crate::plan::{SelectPlan, Step, StepRows};
use crate::table::OpenTable;

/// Memory for the rows that one statement has found.
const FOUND_BYTES_MAX: usize = 256 << 20;

/// An UPDATE, planned.
pub(crate) struct UpdatePlan {
    pub(crate) rows: SelectPlan,
    /// Step, column, and what it gets, in the order of SET.
    pub(crate) assignments: Vec<(usize, usize, Given)>,
    /// The steps whose rows change.
    pub(crate) targets: Vec<usize>,
    /// What must hold for rows of views, by step.
    pub(crate) checks: Vec<(usize, ViewCheck)>,
    pub(crate) ignore: bool,
}

/// A DELETE, planned.
pub(crate) struct DeletePlan {
    pub(crate) rows: SelectPlan,
    /// The steps whose rows go.
    pub(crate) targets: Vec<usize>,
    /// Rows that foreign keys hold are left, with a warning.
    pub(crate) ignore: bool,
}

/// What an UPDATE did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Updated {
    /// Rows that the condition was true for.
    pub(crate) matched: u64,
    /// Rows that are different now.
    pub(crate) changed: u64,
}

impl UpdatePlan {
    /// Plans an UPDATE.
    ///
    /// # Errors
    /// As [`SelectPlan::new`].
    pub(crate) fn new(update: BoundUpdate) -> Result<Self> {
        let targets: Vec<usize> = update.assignments.iter().map(|(table, ..)| *table).collect();
        let starts: Vec<usize> = update.rows.tables.iter().map(|table| table.start).collect();
        let mut read: Vec<usize> = Vec::new();
        for (_, _, given) in &update.assignments {
            if let Given::Value(node) = given {
                crate::bind::columns_of(node, &mut |place| read.push(place));
            }
        }
        let rows = SelectPlan::for_change(update.rows, &targets, &read)?;
        let step = |table: usize| rows.step_at(starts[table]);
        let assignments = update.assignments.into_iter();
        let assignments: Vec<_> =
            assignments.map(|(table, column, given)| (step(table), column, given)).collect();
        let mut targets: Vec<usize> = assignments.iter().map(|(step, ..)| *step).collect();
        targets.sort_unstable();
        targets.dedup();
        let checks = update.checks.into_iter();
        let checks = checks.map(|(table, check)| (step(table), check)).collect();
        Ok(Self { assignments, targets, checks, rows, ignore: update.ignore })
    }
}

impl DeletePlan {
    /// Plans a DELETE.
    ///
    /// # Errors
    /// As [`SelectPlan::new`].
    pub(crate) fn new(delete: BoundDelete) -> Result<Self> {
        let starts: Vec<usize> = delete.rows.tables.iter().map(|table| table.start).collect();
        let rows = SelectPlan::for_change(delete.rows, &delete.targets, &[])?;
        let targets = delete.targets.iter().map(|table| rows.step_at(starts[*table])).collect();
        Ok(Self { targets, rows, ignore: delete.ignore })
    }
}

/// A combination of rows that the statement is about.
struct Found {
    /// Keys of its tables' rows, by step; none where an outer join made one up.
    keys: Vec<Option<Vec<u8>>>,
    /// The flat row.
    row: Vec<Value>,
}

/// Memory for the rows that are found at a time, where that may be fewer than all.
const CHUNK_BYTES: usize = 4 << 20;

/// Finds the rows, and locks those of the targets as they are now.
struct Finder<'p> {
    plan: &'p SelectPlan,
    targets: &'p [usize],
    params: &'p [Value],
    stream: RowStream<'p>,
    row: Vec<Value>,
    /// Rows may be changed before all are found.
    in_chunks: bool,
    begun: bool,
    done: bool,
    limit: Option<u64>,
}

impl<'p> Finder<'p> {
    /// `changes` are the columns that the statement sets, of a single table; all of a
    /// row's entries go with a DELETE.
    fn new(
        plan: &'p SelectPlan,
        targets: &'p [usize],
        params: &'p [Value],
        view: &View<'_>,
        changes: &[usize],
    ) -> Result<Self> {
        let alone = plan.ordered && plan.select.limit.is_none() && plan.subqueries.is_empty();
        let one = match &plan.steps[..] {
            [step] if alone => step.stored().zip(step.access.as_ref()),
            _ => None,
        };
        let in_chunks = match one {
            // Rows that hang on each other in one table may be changed by another one's change.
            Some((table, access)) => {
                view.relations(table)?.is_none() && stays(access, table, changes)
            }
            None => false,
        };
        Ok(Self {
            plan,
            targets,
            params,
            stream: RowStream::new(&plan.steps, params),
            row: vec![Value::Null; plan.select.row_len],
            in_chunks,
            begun: false,
            done: false,
            limit: None,
        })
    }

    async fn begin(
        &mut self,
        subqueries: &mut Subqueries<'p>,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<()> {
        self.begun = true;
        let (plan, params) = (self.plan, self.params);
        let constant = |cx: &mut Cx<'p>| holds(&plan.constant, cx, &self.row, params);
        if !subqueries.run(view, cx, constant).await? {
            self.done = true;
            return Ok(());
        }
        self.limit = match &plan.select.limit {
            Some(limit) => match limit.rows.eval(cx, Row { columns: &[], params })?.as_ref() {
                Value::UInt(number) => Some(*number),
                Value::Int(number) if *number >= 0 => Some(number.unsigned_abs()),
                _ => return Err(SqlError::new(code::ER_WRONG_ARGUMENTS, &["LIMIT".into()])),
            },
            None => None,
        };
        for (at, step) in plan.steps.iter().enumerate() {
            if let StepRows::Derived(query) = &step.rows
                && !query.is_lateral()
            {
                let reading = view.enter_subquery();
                let rows = super::derived::rows(query, &self.row, params, view, cx).await;
                view.leave_subquery(reading);
                self.stream.give(at, rows?);
            }
        }
        view.want_rows(self.limit.filter(|_| plan.ordered));
        Ok(())
    }

    /// The next rows: all of them, unless they may come in chunks. None at the end.
    async fn next(
        &mut self,
        subqueries: &mut Subqueries<'p>,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Vec<Found>> {
        if !self.begun {
            self.begin(subqueries, view, cx).await?;
        }
        let (plan, params) = (self.plan, self.params);
        let mut found: Vec<(Vec<u8>, Found)> = Vec::new();
        let mut bytes = 0;
        while !self.done {
            if self.limit.is_some_and(|limit| plan.ordered && found.len() as u64 >= limit)
                || !self.stream.next(view, cx, subqueries, &mut self.row).await?
            {
                self.done = true;
                break;
            }
            let keys: Vec<Option<Vec<u8>>> =
                (0..plan.steps.len()).map(|at| self.stream.key(at).map(<[u8]>::to_vec)).collect();
            if !self.settled(&keys, subqueries, view, cx).await? {
                continue;
            }
            let row = &self.row;
            let order = subqueries
                .run(view, cx, |cx| {
                    let mut order = Vec::new();
                    for key in &plan.select.order_by {
                        let value = key.node.eval(cx, Row { columns: row, params })?;
                        sort_key::push(&value, &key.node.ty, key.descending, &mut order);
                    }
                    Ok(order)
                })
                .await?;
            bytes += order.len() + 64 + super::select::bytes_of(&self.row);
            found.push((order, Found { keys, row: self.row.clone() }));
            if self.in_chunks && bytes >= CHUNK_BYTES {
                break;
            }
            if bytes > FOUND_BYTES_MAX {
                return Err(SqlError::new(code::ER_OUT_OF_SORTMEMORY, &[]));
            }
        }
        if !plan.ordered {
            found.sort_by(|a, b| a.0.cmp(&b.0));
        }
        if let Some(limit) = self.limit {
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }

    /// Locks the targets' rows. `false` if the row is not one of those that are meant, now
    /// that it is locked: what another transaction changed before counts as it is now.
    async fn settled(
        &mut self,
        keys: &[Option<Vec<u8>>],
        subqueries: &mut Subqueries<'p>,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<bool> {
        let (plan, params) = (self.plan, self.params);
        let mut still = true;
        for &at in self.targets {
            let (Some(key), Some(table)) = (&keys[at], plan.steps[at].stored()) else { continue };
            if !self.stream.is_locked(at) {
                still &= settle(view, cx, &plan.steps[at], table, key, &mut self.row).await?;
            }
        }
        let row = &self.row;
        let all = |cx: &mut Cx<'p>| all_hold(plan, cx, row, params);
        if still && subqueries.run(view, cx, all).await? {
            return Ok(true);
        }
        for &at in self.targets {
            if let (Some(key), Some(table)) = (&keys[at], plan.steps[at].stored()) {
                view.unlock(table.descriptor().space(), key);
            }
        }
        Ok(false)
    }
}

/// Whether rows keep their places in the index that they are found by when these columns
/// get other values.
fn stays(access: &crate::plan::Access, table: &OpenTable, changes: &[usize]) -> bool {
    let codec = table.codec.index(access.index).unwrap_or(table.codec.row_index());
    let places = |codec: &firn_table::key::IndexCodec| {
        (0..codec.parts()).filter_map(|part| codec.column(part)).collect::<Vec<_>>()
    };
    let (by, rows) = (places(codec), places(table.codec.row_index()));
    let descriptor = table.descriptor();
    by.iter().chain(&rows).all(|at| {
        let column = &descriptor.columns[*at];
        // Generated columns and those that ON UPDATE sets change with others.
        !changes.contains(at) && column.generated.is_none() && !column.on_update_now
    })
}

/// Locks a row and reads it as it is now. `false` if it is gone.
async fn settle(
    view: &mut View<'_>,
    cx: &mut Cx<'_>,
    step: &Step,
    table: &OpenTable,
    key: &[u8],
    row: &mut [Value],
) -> Result<bool> {
    if !view.lock(table.descriptor().space(), key).await? {
        return Ok(false);
    }
    let Some(values) = write::current(view, table, key, cx).await? else { return Ok(false) };
    row[step.start..step.end].clone_from_slice(&values);
    Ok(true)
}

fn all_hold(plan: &SelectPlan, cx: &mut Cx<'_>, row: &[Value], params: &[Value]) -> Result<bool> {
    for step in &plan.steps {
        if !holds(&step.filter, cx, row, params)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Runs an UPDATE.
///
/// # Errors
/// MySQL's of storing, 1062, and the transaction's.
pub(crate) async fn update<'p>(
    plan: &'p UpdatePlan,
    storing: &Storing<'_>,
    params: &'p [Value],
    view: &mut View<'_>,
    cx: &mut Cx<'p>,
) -> Result<Updated> {
    let targets = &plan.targets;
    view.look_first();
    let mut subqueries = Subqueries::new(&plan.rows.subqueries, params);
    let changes: Vec<usize> = plan.assignments.iter().map(|(_, column, _)| *column).collect();
    let mut finder = Finder::new(&plan.rows, targets, params, view, &changes)?;
    let mut done = Updated::default();
    // A row is changed once, by the first combination that it is found in.
    let mut seen: std::collections::BTreeSet<(usize, Vec<u8>)> = std::collections::BTreeSet::new();
    let mut chunk = Vec::new().into_iter();
    let mut count = 0;
    loop {
        let Some(Found { keys, mut row }) = chunk.next() else {
            let next = finder.next(&mut subqueries, view, cx).await?;
            if next.is_empty() {
                break;
            }
            chunk = next.into_iter();
            continue;
        };
        count += 1;
        cx.row_number = count;
        let before = row.clone();
        for &target in targets {
            let (Some(key), Some(table)) = (&keys[target], plan.rows.steps[target].stored()) else {
                continue;
            };
            let several = targets.len() > 1 || plan.rows.steps.len() > 1;
            if several && !seen.insert((target, key.clone())) {
                continue;
            }
            let step = &plan.rows.steps[target];
            let mut assigned = Vec::new();
            let mut failed = None;
            for (of, column, given) in plan.assignments.iter().filter(|(of, ..)| *of == target) {
                let _ = of;
                // A single table's assignments see what those before them gave.
                let columns = if targets.len() == 1 { &row } else { &before };
                let columns = Row { columns, params };
                let given = |cx: &mut Cx<'p>| storing.changed(table, *column, given, cx, columns);
                match subqueries.run(view, cx, given).await {
                    Ok(value) => row[step.start + column] = value,
                    Err(error) => failed = Some(error),
                }
                assigned.push(*column);
            }
            for (of, check) in &plan.checks {
                let conditions = &check.conditions;
                let holds = |cx: &mut Cx<'p>| holds(conditions, cx, &row, params);
                if *of == target && failed.is_none() && !subqueries.run(view, cx, holds).await? {
                    failed = Some(view_check_failed(check));
                }
            }
            if let Some(error) = failed {
                if plan.ignore && is_ignored(&error) {
                    cx.warnings.push(Level::Warning, error);
                    continue;
                }
                return Err(error);
            }
            let old = before[step.start..step.end].to_vec();
            let new = row[step.start..step.end].to_vec();
            let work = Change { key, old, new, assigned: &assigned };
            // A row that is left as it is leaves what hangs on it, too.
            let part = plan.ignore.then(|| view.begin_part());
            let outcome = change(view, table, storing, cx, work).await;
            if let Some(part) = part {
                view.end_part(part, matches!(&outcome, Ok(done) if done.result.is_ok()));
            }
            done.matched += 1;
            match outcome {
                Ok(Changed { result: Ok(changed), .. }) => done.changed += u64::from(changed),
                Ok(Changed { result: Err(taken), .. }) if plan.ignore => {
                    cx.warnings.push(Level::Warning, taken.error);
                }
                Ok(Changed { result: Err(taken), .. }) => return Err(taken.error),
                Err(error) if plan.ignore && is_ignored(&error) => {
                    cx.warnings.push(Level::Warning, error);
                }
                Err(error) => return Err(error),
            }
            view.make_room().await?;
        }
    }
    Ok(done)
}

/// 1369
pub(super) fn view_check_failed(check: &ViewCheck) -> SqlError {
    let (schema, name) = &check.view;
    let names = [schema.as_str().into(), name.as_str().into()];
    SqlError::new(code::ER_VIEW_CHECK_FAILED, &names)
}

/// How a row's change ended.
pub(crate) struct Changed {
    /// The row now.
    pub(crate) new: Vec<Value>,
    /// Whether it is different, or what stands in its way.
    pub(crate) result: Result<bool, Duplicate>,
}

/// Changes a row, which is locked, from one list of values to another.
///
/// # Errors
/// 3819, and the transaction's.
pub(crate) async fn change(
    view: &mut View<'_>,
    table: &OpenTable,
    storing: &Storing<'_>,
    cx: &mut Cx<'_>,
    change: Change<'_>,
) -> Result<Changed> {
    let Change { key, old, mut new, assigned } = change;
    // A row that stays the same keeps its ON UPDATE columns, too.
    if old == new {
        return Ok(Changed { new, result: Ok(false) });
    }
    for (at, column) in table.descriptor().columns.iter().enumerate() {
        if column.on_update_now && !assigned.contains(&at) {
            new[at] = storing.present(table, at);
        }
    }
    write::compute(table, storing, cx, &mut new)?;
    write::check(table, cx, &new)?;
    let before = Stored { key: key.to_vec(), values: write::in_utc(table, &old, cx) };
    let values = write::in_utc(table, &new, cx);
    let key = match table.descriptor().primary() {
        Some(_) => write::row_key(table, &values, None)?,
        None => key.to_vec(),
    };
    let after = Stored { key, values };
    foreign_key::follow(view, table, &before, Some(&after), cx, 0).await?;
    let replaced = write::replace(view, table, &before, &after).await?;
    if let (Ok(()), Some(at)) = (&replaced, table.auto_increment)
        && new[at] != old[at]
    {
        super::number::raise(view, table, &new[at]).await?;
    }
    Ok(Changed { new, result: replaced.map(|()| true) })
}

/// Runs a DELETE, and gives the number of rows that went.
///
/// # Errors
/// The transaction's.
pub(crate) async fn delete<'p>(
    plan: &'p DeletePlan,
    params: &'p [Value],
    view: &mut View<'_>,
    cx: &mut Cx<'p>,
) -> Result<u64> {
    let mut subqueries = Subqueries::new(&plan.rows.subqueries, params);
    let mut finder = Finder::new(&plan.rows, &plan.targets, params, view, &[])?;
    let mut seen: std::collections::BTreeSet<(usize, Vec<u8>)> = std::collections::BTreeSet::new();
    let mut deleted = 0;
    let several = plan.rows.steps.len() > 1;
    let mut chunk = Vec::new().into_iter();
    loop {
        let Some(Found { keys, row }) = chunk.next() else {
            let next = finder.next(&mut subqueries, view, cx).await?;
            if next.is_empty() {
                break;
            }
            chunk = next.into_iter();
            continue;
        };
        for &target in &plan.targets {
            let (Some(key), Some(table)) = (&keys[target], plan.rows.steps[target].stored()) else {
                continue;
            };
            if several && !seen.insert((target, key.clone())) {
                continue;
            }
            let step = &plan.rows.steps[target];
            let values = write::in_utc(table, &row[step.start..step.end], cx);
            let row = Stored { key: key.clone(), values };
            let part = plan.ignore.then(|| view.begin_part());
            let gone = foreign_key::delete(view, table, &row, cx).await;
            if let Some(part) = part {
                view.end_part(part, gone.is_ok());
            }
            match gone {
                Ok(()) => deleted += 1,
                Err(error) if plan.ignore && is_ignored(&error) => {
                    cx.warnings.push(Level::Warning, error);
                }
                Err(error) => return Err(error),
            }
            view.make_room().await?;
        }
    }
    Ok(deleted)
}
