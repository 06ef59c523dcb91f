//! INSERT and REPLACE, row by row.

use std::sync::atomic::{AtomicU64, Ordering};

use firn_engine::key::KeyRange;
use firn_mysql_semantics::error::{Level, SqlError, code};
use firn_mysql_semantics::expr::{Cx, Row};
use firn_mysql_semantics::{TypeKind, Value};
use firn_table::descriptor::IndexId;

use super::store::Storing;
use super::subquery::Subqueries;
use super::view::{View, engine_error};
use super::write::{self, Duplicate, Stored};
use super::{Result, SelectRun, foreign_key};
use crate::bind::{BoundInsert, Given, InsertSource};
use crate::plan::{SelectPlan, StepRows, SubqueryPlan};
use crate::table::{Numbers, OpenTable};

/// Values of AUTO_INCREMENT that are stored as given before they are: the first time, and
/// when very many are given.
const KEPT_AHEAD_MIN: u64 = 16;
const KEPT_AHEAD_MAX: u64 = 1 << 16;

/// What an INSERT did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// Rows that were given.
    pub(crate) records: u64,
    /// Rows that were in the way.
    pub(crate) duplicates: u64,
    /// Rows as the client counts them.
    pub(crate) affected: u64,
    /// The first value that AUTO_INCREMENT made.
    pub(crate) first_id: Option<u64>,
    /// The last value of the column with AUTO_INCREMENT that was given.
    pub(crate) given_id: Option<u64>,
}

/// An INSERT, planned.
pub(crate) struct InsertPlan {
    pub(crate) insert: BoundInsert,
    /// The query that gives the rows.
    pub(crate) query: Option<SelectPlan>,
    /// Subqueries in the values.
    pub(crate) subqueries: Vec<SubqueryPlan>,
}

impl InsertPlan {
    /// Plans an INSERT.
    ///
    /// # Errors
    /// As [`SelectPlan::new`].
    pub(crate) fn new(mut insert: BoundInsert) -> Result<Self> {
        let query = match std::mem::replace(&mut insert.source, InsertSource::Values(Vec::new())) {
            InsertSource::Query(query) => Some(SelectPlan::new(*query)?),
            values => {
                insert.source = values;
                None
            }
        };
        let subqueries = SubqueryPlan::all(std::mem::take(&mut insert.subqueries))?;
        Ok(Self { insert, query, subqueries })
    }
}

/// Runs an INSERT. `found_rows` counts rows that a duplicate left as they were, too.
///
/// # Errors
/// MySQL's of storing, 1062, and the transaction's.
pub(crate) async fn run<'p>(
    plan: &'p InsertPlan,
    storing: &Storing<'_>,
    found_rows: bool,
    params: &'p [Value],
    view: &mut View<'_>,
    cx: &mut Cx<'p>,
) -> Result<Inserted> {
    let mut subqueries = Subqueries::new(&plan.subqueries, params);
    let mut job = Job::new(plan, storing, found_rows, params);
    if let Some(query) = &plan.query {
        let mut source = Source::new(query, params, &plan.insert.table);
        let nodes: Vec<_> = query.select.items.iter().map(|item| &item.node).collect();
        while let Some(values) = Box::pin(source.next(view, cx)).await? {
            cx.row_number = job.done.records + 1;
            let mut row = vec![Value::Null; plan.insert.table.columns.len()];
            job.defaults(cx, &mut row)?;
            let stored = job.put_query(cx, &nodes, values, &mut row);
            job.take(stored, view, cx, &mut subqueries, row).await?;
        }
        return Ok(job.done);
    }
    if let InsertSource::Values(rows) = &plan.insert.source {
        for (at, given) in rows.iter().enumerate() {
            cx.row_number = at as u64 + 1;
            let mut row = vec![Value::Null; plan.insert.table.columns.len()];
            let put = |cx: &mut Cx<'p>| job.put_values(cx, given, &mut row);
            let stored = subqueries.run(view, cx, put).await;
            job.take(stored, view, cx, &mut subqueries, row).await?;
        }
    }
    Ok(job.done)
}

/// The rows of INSERT … SELECT.
enum Source<'p> {
    /// One by one.
    Coming(Box<SelectRun<'p>>),
    /// All of them first, where the table is read that they go to: what is inserted must not
    /// be read again.
    Gathered(Option<Box<SelectRun<'p>>>, std::vec::IntoIter<Vec<Value>>),
}

impl<'p> Source<'p> {
    fn new(query: &'p SelectPlan, params: &'p [Value], into: &OpenTable) -> Self {
        let run = Box::new(SelectRun::new(query, params));
        if reads(query, into.descriptor().id) {
            Self::Gathered(Some(run), Vec::new().into_iter())
        } else {
            Self::Coming(run)
        }
    }

    async fn next(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<Option<Vec<Value>>> {
        match self {
            Self::Gathered(run, rows) => {
                if let Some(run) = run.take() {
                    let reading = view.read_source();
                    let all = run.all(view, cx).await;
                    view.read_as(reading);
                    *rows = all?.into_iter();
                }
                Ok(rows.next())
            }
            Self::Coming(run) => {
                let reading = view.read_source();
                let row = run.next(view, cx).await.map(|row| row.map(<[Value]>::to_vec));
                view.read_as(reading);
                row
            }
        }
    }
}

/// Whether a query reads a table, or what it cannot be told of.
fn reads(query: &SelectPlan, table: u32) -> bool {
    !query.subqueries.is_empty()
        || query.steps.iter().any(|step| match &step.rows {
            StepRows::Stored(open) => open.descriptor().id == table,
            StepRows::Virtual(_) => false,
            StepRows::Derived(_) => true,
        })
}

/// Rows that are put into a table one by one.
pub(super) struct Job<'a> {
    plan: &'a InsertPlan,
    pub(super) storing: &'a Storing<'a>,
    found_rows: bool,
    params: &'a [Value],
    pub(super) done: Inserted,
}

impl<'a> Job<'a> {
    /// One that has put none.
    pub(super) fn new(
        plan: &'a InsertPlan,
        storing: &'a Storing<'a>,
        found_rows: bool,
        params: &'a [Value],
    ) -> Self {
        Self { plan, storing, found_rows, params, done: Inserted::default() }
    }

    fn table(&self) -> &OpenTable {
        &self.plan.insert.table
    }

    /// Defaults of the columns that are not given.
    pub(super) fn defaults(&self, cx: &mut Cx<'_>, row: &mut [Value]) -> Result<()> {
        let table = self.table();
        let descriptor = table.descriptor();
        let mut later = Vec::new();
        for (at, column) in descriptor.columns.iter().enumerate() {
            if self.plan.insert.columns.contains(&at) || column.generated.is_some() {
                continue;
            }
            if matches!(table.defaults[at], crate::table::Default::Expr(_)) {
                later.push(at);
                continue;
            }
            row[at] = self.storing.default(table, at, cx, Row::new(&[]))?;
        }
        // Expressions may read the other columns' defaults.
        for at in later {
            let columns = row.to_vec();
            row[at] = self.storing.default(table, at, cx, Row::new(&columns))?;
        }
        Ok(())
    }

    fn put_values(&self, cx: &mut Cx<'_>, given: &[Given], row: &mut [Value]) -> Result<()> {
        let insert = &self.plan.insert;
        if given.is_empty() {
            for at in &insert.columns {
                row[*at] = self.storing.default(self.table(), *at, cx, Row::new(&[]))?;
            }
        }
        self.defaults(cx, row)?;
        for (column, given) in insert.columns.iter().zip(given) {
            if self.table().descriptor().columns[*column].generated.is_some() {
                continue;
            }
            let columns = Row { columns: row, params: self.params };
            let value = self.storing.given(self.table(), *column, given, cx, columns)?;
            row[*column] = value;
        }
        Ok(())
    }

    fn put_query(
        &self,
        cx: &mut Cx<'_>,
        nodes: &[&firn_mysql_semantics::expr::Node],
        values: Vec<Value>,
        row: &mut [Value],
    ) -> Result<()> {
        let columns = self.plan.insert.columns.iter();
        for ((column, node), value) in columns.zip(nodes).zip(values) {
            row[*column] = self.storing.value(self.table(), *column, node, value, cx)?;
        }
        Ok(())
    }

    /// Puts a row into the table, whose values are there if `stored` says so.
    pub(super) async fn take<'q>(
        &mut self,
        stored: Result<()>,
        view: &mut View<'_>,
        cx: &mut Cx<'q>,
        subqueries: &mut Subqueries<'q>,
        mut row: Vec<Value>,
    ) -> Result<()> {
        self.done.records += 1;
        let plan = self.plan;
        let table = &*plan.insert.table;
        let ready = match stored {
            Ok(()) => {
                let numbered = self.number(view, &mut row).await;
                numbered.and_then(|()| write::complete(table, self.storing, cx, &mut row))
            }
            Err(error) => Err(error),
        };
        let mut ready = ready;
        for check in &plan.insert.checks {
            let holds =
                |cx: &mut Cx<'q>| super::stream::holds(&check.conditions, cx, &row, self.params);
            if ready.is_ok() && !subqueries.run(view, cx, holds).await? {
                ready = Err(super::update::view_check_failed(check));
            }
        }
        if let Err(error) = ready {
            // A row that IGNORE leaves out is only warned of.
            if plan.insert.ignore && is_ignored(&error) {
                cx.warnings.push(Level::Warning, error);
                return Ok(());
            }
            return Err(error);
        }
        let values = write::in_utc(table, &row, cx);
        let number = match table.descriptor().primary() {
            Some(_) => None,
            None => Some(next_row(view, table).await?),
        };
        let new = Stored { key: write::row_key(table, &values, number)?, values };
        let mut replaced = 0;
        loop {
            let Err(taken) = write::insert(view, table, &new).await? else { break };
            if plan.insert.replace {
                self.remove(view, cx, &taken).await?;
                replaced += 1;
                continue;
            }
            if !plan.insert.on_duplicate.is_empty() {
                return self.update(view, cx, subqueries, &taken, row).await;
            }
            if plan.insert.ignore {
                self.done.duplicates += 1;
                cx.warnings.push(Level::Warning, taken.error);
                return Ok(());
            }
            return Err(taken.error);
        }
        self.done.affected += 1 + replaced;
        self.done.duplicates += replaced;
        view.make_room().await
    }

    /// REPLACE: the row in the way goes.
    async fn remove(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
        taken: &Duplicate,
    ) -> Result<()> {
        let table = self.table();
        view.lock(table.descriptor().space(), &taken.row_key).await?;
        let Some(old) = write::current(view, table, &taken.row_key, cx).await? else {
            return Ok(());
        };
        let values = write::in_utc(table, &old, cx);
        let old = Stored { key: taken.row_key.to_vec(), values };
        foreign_key::delete(view, table, &old, cx).await
    }

    /// ON DUPLICATE KEY UPDATE.
    async fn update<'q>(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'q>,
        subqueries: &mut Subqueries<'q>,
        taken: &Duplicate,
        new: Vec<Value>,
    ) -> Result<()> {
        let plan = self.plan;
        let table = &*plan.insert.table;
        view.lock(table.descriptor().space(), &taken.row_key).await?;
        let Some(old) = write::current(view, table, &taken.row_key, cx).await? else {
            return Err(taken.error.clone());
        };
        let width = old.len();
        let mut both = old.clone();
        both.extend(new);
        for (column, given) in &plan.insert.on_duplicate {
            let row = Row { columns: &both, params: self.params };
            let given = |cx: &mut Cx<'q>| self.storing.given(table, *column, given, cx, row);
            let value = subqueries.run(view, cx, given).await?;
            both[*column] = value;
        }
        both.truncate(width);
        let assigned: Vec<usize> = plan.insert.on_duplicate.iter().map(|(at, _)| *at).collect();
        let outcome = super::update::change(
            view,
            table,
            self.storing,
            cx,
            Change { key: &taken.row_key, old, new: both, assigned: &assigned },
        )
        .await?;
        self.done.duplicates += 1;
        if let Some(at) = table.auto_increment {
            self.done.given_id = outcome.new.get(at).and_then(id_of);
        }
        match outcome.result {
            Ok(true) => self.done.affected += 2,
            Ok(false) => self.done.affected += u64::from(self.found_rows),
            Err(taken) if plan.insert.ignore => cx.warnings.push(Level::Warning, taken.error),
            Err(taken) => return Err(taken.error),
        }
        view.make_room().await
    }

    /// Takes the next value of AUTO_INCREMENT that `auto_increment_increment` allows.
    fn next_number(&self, counter: &AtomicU64) -> u64 {
        let (step, offset) = self.storing.numbering;
        if step <= 1 {
            return counter.fetch_add(1, Ordering::Relaxed);
        }
        let offset = if offset > step { 0 } else { offset % step };
        let next = |from: u64| from.saturating_add((offset + step - from % step) % step);
        let taken = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |from| {
            Some(next(from).saturating_add(step))
        });
        next(taken.unwrap_or_else(|from| from))
    }

    /// AUTO_INCREMENT.
    async fn number(&mut self, view: &mut View<'_>, row: &mut [Value]) -> Result<()> {
        let table = &*self.plan.insert.table;
        let Some(at) = table.auto_increment else { return Ok(()) };
        let wanted = match &row[at] {
            Value::Null => true,
            Value::Int(0) | Value::UInt(0) => !self.storing.zero_is_a_value,
            Value::Double(number) => *number == 0.0 && !self.storing.zero_is_a_value,
            _ => false,
        };
        let counter = &table.numbers.next_auto_increment;
        if !wanted {
            if let Some(id) = id_of(&row[at]) {
                prepare_auto_increment(view, table).await?;
                Numbers::raise(counter, id.saturating_add(1));
                keep_auto_increment(view, table, id).await?;
                self.done.given_id = Some(id);
            }
            return Ok(());
        }
        prepare_auto_increment(view, table).await?;
        let ty = &table.columns[at].ty;
        let id = self.next_number(counter);
        if id > id_max(ty) {
            counter.fetch_min(id_max(ty).saturating_add(1), Ordering::Relaxed);
            return Err(if ty.kind == TypeKind::BigInt {
                SqlError::new(code::ER_AUTOINC_READ_FAILED, &[])
            } else {
                // The last value is given again, and is taken.
                SqlError::duplicate_entry(
                    &id_max(ty).to_string(),
                    &format!("{}.PRIMARY", table.descriptor().name),
                )
            });
        }
        keep_auto_increment(view, table, id).await?;
        #[allow(clippy::cast_possible_wrap, clippy::cast_precision_loss, reason = "checked above")]
        let value = match ty.kind {
            TypeKind::Double => Value::Double(id as f64),
            TypeKind::Float => Value::Float(id as f32),
            _ if ty.unsigned => Value::UInt(id),
            _ => Value::Int(id as i64),
        };
        row[at] = value;
        self.done.first_id.get_or_insert(id);
        Ok(())
    }
}

/// A row to be changed.
pub(crate) struct Change<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) old: Vec<Value>,
    pub(crate) new: Vec<Value>,
    pub(crate) assigned: &'a [usize],
}

/// Errors of single rows that IGNORE turns into warnings.
pub(crate) fn is_ignored(error: &SqlError) -> bool {
    matches!(
        error.number(),
        code::ER_BAD_NULL_ERROR
            | code::ER_DUP_ENTRY
            | code::ER_CHECK_CONSTRAINT_VIOLATED
            | code::ER_NO_REFERENCED_ROW_2
            | code::ER_ROW_IS_REFERENCED_2
            | code::ER_SUBQUERY_NO_1_ROW
            | code::ER_VIEW_CHECK_FAILED
    )
}

fn id_of(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::UInt(number) => Some(*number),
        _ => None,
    }
}

/// The greatest value that AUTO_INCREMENT can give to a column.
fn id_max(ty: &firn_mysql_semantics::SqlType) -> u64 {
    let bits = match ty.kind {
        TypeKind::TinyInt => 8,
        TypeKind::SmallInt => 16,
        TypeKind::MediumInt => 24,
        TypeKind::Int => 32,
        _ => 64,
    };
    match (bits, ty.unsigned) {
        // The greatest of all is never given.
        (64, true) => u64::MAX - 1,
        (64, false) => i64::MAX as u64 - 1,
        (bits, true) => (1 << bits) - 1,
        (bits, false) => (1 << (bits - 1)) - 1,
    }
}

/// Makes sure that a value of AUTO_INCREMENT is not given again after a restart, even if
/// its row is deleted. That is stored ahead, for more values at a time the more are given.
async fn keep_auto_increment(view: &mut View<'_>, table: &OpenTable, id: u64) -> Result<()> {
    let numbers = &table.numbers;
    if table.temporary || id < numbers.kept_auto_increment.load(Ordering::Acquire) {
        return Ok(());
    }
    let mut ahead = numbers.keeping.lock().await;
    if id < numbers.kept_auto_increment.load(Ordering::Acquire) {
        return Ok(());
    }
    *ahead = (*ahead * 2).clamp(KEPT_AHEAD_MIN, KEPT_AHEAD_MAX);
    let next = id.saturating_add(*ahead);
    view.keep_auto_increment(table.descriptor().id, next).await?;
    numbers.kept_auto_increment.store(next, Ordering::Release);
    Ok(())
}

/// Finds the first value to give, if nobody has.
pub(crate) async fn prepare_auto_increment(view: &mut View<'_>, table: &OpenTable) -> Result<()> {
    let counter = &table.numbers.next_auto_increment;
    if counter.load(Ordering::Relaxed) != 0 {
        return Ok(());
    }
    let Some(at) = table.auto_increment else { return Ok(()) };
    let kept = view.kept_auto_increment(table.descriptor().id).await?;
    let mut first = table.descriptor().auto_increment_min.max(kept).max(1);
    let rows = table.codec.row_index();
    let all = std::iter::once(rows).chain(table.codec.indexes());
    let mut by_number = all.filter(|codec| codec.column(0) == Some(at));
    let last = match by_number.next() {
        Some(codec) => {
            let last = view.last(table.descriptor().space(), &codec.all()).await?;
            last.map(|(key, value)| (codec, key, value))
        }
        None => None,
    };
    if let Some((codec, key, value)) = last {
        let greatest = if codec.id() == IndexId::ROWS {
            let reader = table.codec.rows().read(&value).map_err(engine_error)?;
            reader.value(at).map_err(engine_error)?
        } else {
            codec.read(&key, &value).and_then(|entry| entry.value(at)).map_err(engine_error)?
        };
        if let Some(id) = id_of(&greatest) {
            first = first.max(id.saturating_add(1));
        }
    }
    Numbers::raise(counter, first);
    Ok(())
}

/// The next number of a row without a primary key.
async fn next_row(view: &mut View<'_>, table: &OpenTable) -> Result<u64> {
    let counter = &table.numbers.next_row;
    if counter.load(Ordering::Relaxed) == 0 {
        let range: KeyRange = table.codec.row_index().all();
        let first = match view.last(table.descriptor().space(), &range).await? {
            Some((key, _)) => firn_table::row_number(&key).map_err(engine_error)?.saturating_add(1),
            None => 1,
        };
        Numbers::raise(counter, first);
    }
    Ok(counter.fetch_add(1, Ordering::Relaxed))
}
