//! INSERT and REPLACE, row by row.

mod in_the_way;

use std::sync::atomic::Ordering;

use firn_engine::key::KeyRange;
use firn_mysql_semantics::error::{Level, SqlError, code};
use firn_mysql_semantics::expr::{Cx, Row};
use firn_mysql_semantics::{TypeKind, Value};

use super::insert_source::Source;
use super::inserted::Inserted;
use super::number::{Numbering, id_of};
use super::store::Storing;
use super::subquery::Subqueries;
use super::view::{View, engine_error};
use super::write::{self, Stored};
use super::{Result, foreign_key};
use crate::bind::{BoundInsert, Given, InsertSource};
use crate::plan::{SelectPlan, SubqueryPlan};
use crate::table::{Numbers, OpenTable};

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

/// Runs an INSERT; what it did so far is in `done` if it fails.
///
/// # Errors
/// MySQL's of storing, 1062, and the transaction's.
pub(crate) async fn run<'p>(
    plan: &'p InsertPlan,
    storing: &'p Storing<'_>,
    params: &'p [Value],
    view: &mut View<'_>,
    cx: &mut Cx<'p>,
    done: &mut Inserted,
) -> Result<()> {
    let mut job = Job::new(plan, storing, params);
    let result = job.run(view, cx).await;
    *done = job.done;
    result
}

/// Rows that are put into a table one by one.
pub(super) struct Job<'a> {
    plan: &'a InsertPlan,
    pub(super) storing: &'a Storing<'a>,
    params: &'a [Value],
    numbering: Numbering,
    /// It was looked for columns without a value.
    checked: bool,
    /// What the query's row gives ON DUPLICATE KEY UPDATE beside the columns.
    beside: Vec<Value>,
    pub(super) done: Inserted,
}

impl<'a> Job<'a> {
    /// One that has put none.
    pub(super) fn new(plan: &'a InsertPlan, storing: &'a Storing<'a>, params: &'a [Value]) -> Self {
        let rows = match &plan.insert.source {
            InsertSource::Values(rows) if plan.query.is_none() => rows.len() as u64,
            _ => 0,
        };
        let numbering = Numbering::new(rows);
        let (beside, done) = (Vec::new(), Inserted::default());
        Self { plan, storing, params, numbering, checked: false, beside, done }
    }

    fn table(&self) -> &'a OpenTable {
        &self.plan.insert.table
    }

    async fn run(&mut self, view: &mut View<'_>, cx: &mut Cx<'a>) -> Result<()> {
        let (plan, params) = (self.plan, self.params);
        let mut subqueries = Subqueries::new(&plan.subqueries, params);
        let width = plan.insert.table.columns.len();
        if let Some(query) = &plan.query {
            let mut source = Source::new(query, params, &plan.insert.table);
            let nodes: Vec<_> = query.select.items.iter().map(|item| &item.node).collect();
            while let Some(mut values) = Box::pin(source.next(view, cx)).await? {
                self.beside = values.split_off(plan.insert.columns.len().min(values.len()));
                cx.row_number = self.done.records + 1;
                let mut row = vec![Value::Null; width];
                self.defaults(cx, &mut row)?;
                let stored = self.put_query(cx, &nodes, values, &mut row);
                if stored.is_err() {
                    // What is missing is told beside what is wrong.
                    self.given(cx, true)?;
                }
                self.take(stored, view, cx, &mut subqueries, row).await?;
            }
            return Ok(());
        }
        if let InsertSource::Values(rows) = &plan.insert.source {
            for given in rows {
                cx.row_number = self.done.records + 1;
                let mut row = vec![Value::Null; width];
                let put = |cx: &mut Cx<'a>| self.put_values(cx, given, &mut row);
                let stored = subqueries.run(view, cx, put).await;
                self.take(stored, view, cx, &mut subqueries, row).await?;
            }
        }
        Ok(())
    }

    /// Behind the first row's values: looks for columns that have neither a value nor a
    /// default. `failed` if there is an error already.
    fn given(&mut self, cx: &mut Cx<'_>, failed: bool) -> Result<()> {
        if std::mem::replace(&mut self.checked, true) {
            return Ok(());
        }
        let insert = &self.plan.insert;
        let table = &insert.table;
        let none = matches!(&insert.source, InsertSource::Values(rows)
            if rows.first().is_some_and(Vec::is_empty));
        for (at, column) in table.descriptor().columns.iter().enumerate() {
            let ty = &table.columns[at].ty;
            let named = insert.columns.contains(&at) && !none;
            if named
                || column.generated.is_some()
                || !matches!(table.defaults[at], crate::table::Default::None)
                || table.auto_increment == Some(at)
                || ty.kind == TypeKind::Enum
            {
                continue;
            }
            let error = SqlError::no_default(&table.columns[at].name);
            if self.storing.strict {
                return if failed { Ok(()) } else { Err(error) };
            }
            super::store::warn_once(cx, error);
        }
        Ok(())
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
            row[at] = self.storing.quiet_default(table, at);
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
                row[*at] = match self.table().defaults[*at] {
                    crate::table::Default::None => self.storing.quiet_default(self.table(), *at),
                    _ => self.storing.default(self.table(), *at, cx, Row::new(&[]))?,
                };
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
        let plan = self.plan;
        let table = &*plan.insert.table;
        let mut ready = stored
            .and_then(|()| write::compute(table, self.storing, cx, &mut row))
            .and_then(|()| self.given(cx, false))
            .and_then(|()| write::check(table, cx, &row));
        for check in &plan.insert.checks {
            let holds =
                |cx: &mut Cx<'q>| super::stream::holds(&check.conditions, cx, &row, self.params);
            if ready.is_ok() && !subqueries.run(view, cx, holds).await? {
                ready = Err(super::update::view_check_failed(check));
            }
        }
        // The client is told of the last row's value, whatever becomes of the row.
        if let (Some(at), None) = (table.auto_increment, &plan.query) {
            self.done.last_id = Some(told(&row[at]));
        }
        if let Err(error) = ready {
            // A row that IGNORE leaves out is only warned of.
            if plan.insert.ignore && is_ignored(&error) {
                cx.warnings.push(Level::Warning, error);
                return Ok(());
            }
            return Err(error);
        }
        // Neither counts a row without a parent, nor does it take a number.
        match check_parents(view, table, &row, cx).await {
            Err(error) if plan.insert.ignore && is_ignored(&error) => {
                cx.warnings.push(Level::Warning, error);
                return Ok(());
            }
            checked => checked?,
        }
        self.done.records += 1;
        let before = self.numbering.place();
        let made = match self.number(view, &mut row).await {
            Err(error) if plan.insert.ignore && is_ignored(&error) => {
                cx.warnings.push(Level::Warning, error);
                return Ok(());
            }
            made => made?,
        };
        let values = write::in_utc(table, &row, cx);
        let number = match table.descriptor().primary() {
            Some(_) => None,
            None => Some(next_row(view, table).await?),
        };
        let new = Stored { key: write::row_key(table, &values, number)?, values };
        loop {
            self.numbering.row_done();
            let Err(taken) = write::insert(view, table, &new).await? else { break };
            if plan.insert.replace || plan.query.is_some() {
                self.raise(view, &row).await?;
            }
            if plan.insert.replace {
                if made.is_some() && self.is_by_number(&taken) {
                    return Err(taken.error);
                }
                if self.is_same(view, cx, &taken, &row).await? {
                    self.done.copied += 1;
                    return Ok(());
                }
                self.remove(view, cx, &taken).await?;
                self.done.deleted += 1;
                continue;
            }
            if !plan.insert.on_duplicate.is_empty() {
                self.numbering.go_back(before, made);
                return self.update(view, cx, subqueries, &taken, row).await;
            }
            if plan.insert.ignore {
                self.numbering.go_back(before, made);
                cx.warnings.push(Level::Warning, taken.error);
                return Ok(());
            }
            return Err(taken.error);
        }
        self.raise(view, &row).await?;
        self.done.copied += 1;
        if let Some(made) = made {
            self.done.first_id.get_or_insert(made);
        }
        view.make_room().await
    }

    /// Values that follow are greater than the row's.
    async fn raise(&self, view: &mut View<'_>, row: &[Value]) -> Result<()> {
        let table = self.table();
        match table.auto_increment {
            Some(at) => super::number::raise(view, table, &row[at]).await,
            None => Ok(()),
        }
    }

    /// AUTO_INCREMENT: the value that was made for the row.
    async fn number(&mut self, view: &mut View<'_>, row: &mut [Value]) -> Result<Option<u64>> {
        let table = &*self.plan.insert.table;
        let Some(at) = table.auto_increment else { return Ok(None) };
        let wanted = match &row[at] {
            Value::Null => true,
            Value::Int(0) | Value::UInt(0) => !self.storing.zero_is_a_value,
            Value::Double(number) => *number == 0.0 && !self.storing.zero_is_a_value,
            _ => false,
        };
        if wanted {
            row[at] = self.numbering.give(view, table, at, self.storing.numbering).await?;
        } else if let Some(id) = id_of(&row[at]) {
            self.numbering.pass(id, self.storing.numbering);
        }
        self.done.last_id = Some(told(&row[at]));
        Ok(if wanted { self.done.last_id } else { None })
    }
}

/// Looks whether the parents of a new row are there, before it has a number.
async fn check_parents(
    view: &mut View<'_>,
    table: &OpenTable,
    row: &[Value],
    cx: &mut Cx<'_>,
) -> Result<()> {
    if view.relations(table)?.is_none_or(|all| all.parents.is_empty()) {
        return Ok(());
    }
    let values = write::in_utc(table, row, cx);
    let numbered = table.auto_increment.is_none_or(|at| !row[at].is_null());
    let key = match table.descriptor().primary() {
        Some(_) if numbered => write::row_key(table, &values, None)?,
        _ => Vec::new(),
    };
    foreign_key::check_parents(view, table, &Stored { key, values }, None).await
}

/// A value of AUTO_INCREMENT as clients are told it.
fn told(value: &Value) -> u64 {
    match value {
        Value::Int(number) => number.cast_unsigned(),
        Value::UInt(number) => *number,
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as integers")]
        Value::Double(number) => *number as u64,
        _ => 0,
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
