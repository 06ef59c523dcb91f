//! The rows that INSERT … SELECT takes.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::Cx;

use super::rows::{Cursor, Rows};
use super::view::View;
use super::{Result, SelectRun};
use crate::plan::{SelectPlan, StepRows};
use crate::table::OpenTable;

/// The rows of INSERT … SELECT.
pub(super) enum Source<'p> {
    /// One by one.
    Coming(Box<SelectRun<'p>>),
    /// All of them first, where the table is read that they go to: what is inserted must not
    /// be read again.
    Gathered(Option<Box<SelectRun<'p>>>, Rows, Cursor),
}

impl<'p> Source<'p> {
    /// Rows of a query that go into a table.
    pub(super) fn new(query: &'p SelectPlan, params: &'p [Value], into: &OpenTable) -> Self {
        let run = Box::new(SelectRun::new(query, params));
        if reads(query, into.descriptor().id) {
            Self::Gathered(Some(run), Rows::default(), Cursor::default())
        } else {
            Self::Coming(run)
        }
    }

    /// The next row.
    ///
    /// # Errors
    /// The query's.
    pub(super) async fn next(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Option<Vec<Value>>> {
        match self {
            Self::Gathered(run, rows, cursor) => {
                if let Some(mut run) = run.take() {
                    let reading = view.read_source();
                    let all = run.all(view, cx).await;
                    view.read_as(reading);
                    *rows = all?;
                }
                Ok(cursor.next(rows).await?.map(<[Value]>::to_vec))
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
