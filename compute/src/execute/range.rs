//! Rows of one table that fit its conditions, as they lie there.

use std::ops::ControlFlow;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Cx, Row};
use firn_table::descriptor::IndexId;

use super::Result;
use super::found::Found;
use super::reader::Reader;
use super::stream::holds;
use super::view::View;
use crate::plan::{Access, RangePlan, SelectPlan, Step};
use crate::table::OpenTable;

/// Rows between two looks at whether to go on.
const STEPS: u32 = 1024;

/// A read of some rows of one table.
pub(crate) struct RangeRun<'p> {
    table: &'p OpenTable,
    access: &'p Access,
    reader: Reader,
    looked_at: Conditions<'p>,
    rows_read: u32,
}

/// What is done with a row that was found. `Break`: the read is to pause.
pub(crate) type Each<'f, E> =
    &'f mut (dyn FnMut(&mut Cx<'_>, &Found<'_>) -> Result<ControlFlow<()>, E> + Send);

impl<'p> RangeRun<'p> {
    /// Begins to read; `None` if the plan is none of one table.
    ///
    /// # Errors
    /// Those of evaluating the conditions.
    pub(crate) fn new(
        plan: &'p SelectPlan,
        range: &'p RangePlan,
        params: &'p [Value],
        view: &View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self>> {
        let Some(step) = plan.steps.first() else { return Ok(None) };
        let (Some(table), Some(access)) = (step.stored(), &step.access) else { return Ok(None) };
        let reader = Reader::new(table, access, cx, Row { columns: &[], params })?;
        // Entries of a snapshot may be older than rows that the transaction wrote itself.
        let behind = access.index != IndexId::ROWS && !access.covering;
        let row = match range.is_exact(params) && !(behind && view.has_written()) {
            true => Vec::new(),
            false => vec![Value::Null; plan.select.row_len],
        };
        let looked_at = Conditions { step, columns: &range.conditions, params, row };
        Ok(Some(Self { table, access, reader, looked_at, rows_read: 0 }))
    }

    /// Gives rows to `each` until it wants a pause, or there are none: `Continue`.
    ///
    /// # Errors
    /// The engine's, those of evaluating conditions, and those of `each`.
    pub(crate) async fn go<E: From<SqlError>>(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
        each: Each<'_, E>,
    ) -> Result<ControlFlow<()>, E> {
        let Self { table, access, reader, looked_at, rows_read } = self;
        loop {
            // A future for each row would cost more than the row.
            while let Some(done) =
                reader.try_with(table, access, |found| looked_at.look(table, found, cx, &mut *each))
            {
                if done?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                *rows_read = rows_read.wrapping_add(1);
                if rows_read.is_multiple_of(STEPS) {
                    view.check()?;
                    tokio::task::yield_now().await;
                }
            }
            view.step().await?;
            let next = reader
                .with(view, table, access, |found| looked_at.look(table, found, cx, &mut *each));
            match next.await? {
                None => return Ok(ControlFlow::Continue(())),
                Some(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
                Some(ControlFlow::Continue(())) => {}
            }
        }
    }
}

/// The conditions of the read.
struct Conditions<'p> {
    step: &'p Step,
    /// Columns that they read.
    columns: &'p [usize],
    params: &'p [Value],
    /// The flat row; empty if the search has said all.
    row: Vec<Value>,
}

impl Conditions<'_> {
    /// Gives a row to `each` if the conditions hold.
    #[inline]
    fn look<E: From<SqlError>>(
        &mut self,
        table: &OpenTable,
        found: &Found<'_>,
        cx: &mut Cx<'_>,
        each: Each<'_, E>,
    ) -> Result<ControlFlow<()>, E> {
        if !self.row.is_empty() {
            let out = &mut self.row[self.step.start..self.step.end];
            found.fill(table, self.columns, cx, out)?;
            if !holds(&self.step.filter, cx, &self.row, self.params)? {
                return Ok(ControlFlow::Continue(()));
            }
        }
        each(cx, found)
    }
}
