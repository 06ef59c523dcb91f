//! Which rows an UPDATE or DELETE is about.
//!
//! First they are found, then they are changed: a change must not bring a row before the
//! search again. Where it cannot do that, some rows are found and changed at a time, so that
//! a statement about very many needs no memory for all of them.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Row};

use super::gathered::Gathered;
use super::sorter::{Sorted, Sorter, Wanted};
use super::stream::{RowStream, holds};
use super::subquery::Subqueries;
use super::view::View;
use super::{Result, sort_key, write};
use crate::plan::{SelectPlan, Step, StepRows};
use crate::spill::{put_bytes, put_length, put_row, take_array, take_bytes, take_length, take_row};
use crate::table::OpenTable;

/// A combination of rows that the statement is about.
pub(super) struct Found {
    /// Keys of its tables' rows, by step; none where an outer join made one up.
    pub(super) keys: Vec<Option<Vec<u8>>>,
    /// The flat row.
    pub(super) row: Vec<Value>,
}

/// Memory for the rows that are found at a time, where that may be fewer than all.
const CHUNK_BYTES: usize = 4 << 20;

/// Finds the rows, and locks those of the targets as they are now.
pub(super) struct Finder<'p> {
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
    /// For the rows that were found last.
    memory: Gathered,
    /// Rows that were found and are still to be given: there are too many for memory.
    waiting: Option<Box<Sorted>>,
}

impl<'p> Finder<'p> {
    /// `changes` are the columns that the statement sets, of a single table; all of a
    /// row's entries go with a DELETE.
    ///
    /// # Errors
    /// The transaction's.
    pub(super) fn new(
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
            memory: Gathered::part_of(view, 2),
            waiting: None,
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
                let reading = view.enter_subquery(None);
                let rows = super::derived::rows(query, &self.row, params, view, cx).await;
                view.leave(reading);
                self.stream.give(at, rows?);
            }
        }
        view.want_rows(self.limit.filter(|_| plan.ordered));
        Ok(())
    }

    /// The next rows: all of them, unless they may come in chunks, or are too many. None at
    /// the end.
    ///
    /// # Errors
    /// MySQL's of conditions, those of temporary files, and the transaction's.
    pub(super) async fn next(
        &mut self,
        subqueries: &mut Subqueries<'p>,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Vec<Found>> {
        if !self.begun {
            self.begin(subqueries, view, cx).await?;
        }
        let (plan, params) = (self.plan, self.params);
        let chunk_bytes = CHUNK_BYTES.min(view.gathered_bytes_max() / 8);
        if let Some(waiting) = &mut self.waiting {
            return chunk(waiting, chunk_bytes).await;
        }
        let mut found: Vec<(Vec<u8>, Found)> = Vec::new();
        let mut sorter: Option<Sorter> = None;
        let (mut bytes, mut count) = (0, 0u64);
        while !self.done {
            if self.limit.is_some_and(|limit| plan.ordered && count >= limit)
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
                    // Else they come in the order that is wanted.
                    for key in plan.select.order_by.iter().filter(|_| !plan.ordered) {
                        let value = key.node.eval(cx, Row { columns: row, params })?;
                        sort_key::push_order(&value, &key.node.ty, key.descending, &mut order);
                    }
                    Ok(order)
                })
                .await?;
            count += 1;
            if let Some(sorter) = &mut sorter {
                sorter.push(view, &order, |out| put(&keys, row, out)).await?;
                continue;
            }
            bytes += order.len() + 64 + super::select::bytes_of(&self.row);
            found.push((order, Found { keys, row: self.row.clone() }));
            if self.in_chunks && bytes >= chunk_bytes {
                break;
            }
            if !self.memory.fits(bytes) {
                let wanted = Wanted { rows: self.limit.unwrap_or(u64::MAX), ..Wanted::default() };
                let sorter = sorter.insert(Sorter::behind(view, wanted));
                for (order, one) in std::mem::take(&mut found) {
                    sorter.push(view, &order, |out| put(&one.keys, &one.row, out)).await?;
                    view.step().await?;
                }
                sorter.make_room(view).await?;
                self.memory.needs(0);
            }
        }
        if let Some(sorter) = sorter {
            let waiting = self.waiting.insert(Box::new(sorter.finish(view).await?));
            return chunk(waiting, chunk_bytes).await;
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

/// Appends what was found.
fn put(keys: &[Option<Vec<u8>>], row: &[Value], out: &mut Vec<u8>) {
    put_length(keys.len(), out);
    for key in keys {
        out.push(u8::from(key.is_some()));
        put_bytes(key.as_deref().unwrap_or_default(), out);
    }
    put_row(row, out);
}

/// Takes what [`put`] appended.
fn take(mut from: &[u8]) -> Result<Found> {
    let keys = (0..take_length(&mut from)?).map(|_| {
        let [there] = take_array(&mut from)?;
        let key = take_bytes(&mut from)?;
        Ok((there == 1).then(|| key.to_vec()))
    });
    let keys = keys.collect::<Result<_>>()?;
    Ok(Found { keys, row: take_row(&mut from)? })
}

/// Some rows of those that wait.
async fn chunk(waiting: &mut Sorted, bytes_max: usize) -> Result<Vec<Found>> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    while bytes < bytes_max && waiting.advance().await? {
        bytes += waiting.payload().len() + 128;
        found.push(take(waiting.payload())?);
    }
    Ok(found)
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
