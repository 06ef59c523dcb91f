//! Rows of a result that are kept: those that DISTINCT has seen, and those in order.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Cx, Row};

use super::{Ordering, SelectRun};
use crate::execute::distinct::Offered;
use crate::execute::view::View;
use crate::execute::{Result, sort_key};
use crate::plan::SelectPlan;
use crate::spill::{put_row, take_row};

/// Results of this many rows are cut while they are sorted, if a LIMIT allows it.
const CUT_ROWS_MAX: u64 = 100_000;

impl<'p> SelectRun<'p> {
    /// Whether no row before had the same items. What cannot be told yet is put off.
    pub(super) async fn is_new(&mut self, view: &View<'_>) -> Result<bool> {
        let Self { plan, row, distinct, .. } = self;
        let select = &plan.select;
        let offered = distinct.offer(|key| {
            for (item, value) in select.items.iter().zip(&row[select.items_start..]) {
                sort_key::push(value, &item.node.ty, false, key);
            }
            Ok(())
        });
        match offered? {
            Offered::New => Ok(true),
            Offered::Seen => Ok(false),
            Offered::Later => {
                let put = |out: &mut Vec<u8>| {
                    put_row(row, out);
                    Ok::<_, SqlError>(())
                };
                if !distinct.put_off(put)? {
                    distinct.make_room(view).await?;
                }
                Ok(false)
            }
        }
    }

    /// Keeps the rows of DISTINCT that were put off.
    pub(super) async fn keep_later(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        rows: &mut Ordering,
    ) -> Result<()> {
        let Some(mut later) = self.distinct.later(view).await? else { return Ok(()) };
        while later.advance().await? {
            self.row = take_row(&mut later.payload())?;
            self.keep(view, cx, rows).await?;
        }
        Ok(())
    }

    /// Rows that are wanted of the result in order.
    pub(super) fn wanted(&self) -> u64 {
        match self.plan.select.calc_found_rows {
            true => u64::MAX,
            false => self.skip.saturating_add(self.left),
        }
    }

    /// Reads all rows and puts them in order.
    pub(super) async fn sort(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<Ordering> {
        let wanted = self.wanted();
        let mut rows = Ordering::new(view, wanted);
        let select = &self.plan.select;
        let cut = (wanted <= CUT_ROWS_MAX).then_some(usize::try_from(wanted).unwrap_or(usize::MAX));
        loop {
            let found = match self.try_advance(view, cx) {
                Some(found) => found?,
                None => Box::pin(self.advance(view, cx)).await?,
            };
            if std::mem::take(&mut self.begun_again) {
                rows.clear();
                self.distinct.clear(view);
            }
            if !found {
                break;
            }
            if select.distinct && !self.is_new(view).await? {
                continue;
            }
            if self.plan.subqueries.is_empty() {
                let key = order_key(self.plan, &self.row, self.params, cx)?;
                if !self.keep_by(key, &mut rows) {
                    rows.make_room(view).await?;
                }
            } else {
                Box::pin(self.keep(view, cx, &mut rows)).await?;
            }
            if let Some(wanted) = cut {
                rows.cut(wanted);
            }
        }
        self.keep_later(view, cx, &mut rows).await?;
        Ok(rows)
    }

    /// Keeps the flat row with its key.
    pub(super) async fn keep(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        rows: &mut Ordering,
    ) -> Result<()> {
        let Self { plan, params, row, subqueries, .. } = self;
        let key = subqueries.run(view, cx, |cx| order_key(plan, row, params, cx)).await?;
        if !self.keep_by(key, rows) {
            rows.make_room(view).await?;
        }
        Ok(())
    }

    fn keep_by(&mut self, key: Vec<u8>, rows: &mut Ordering) -> bool {
        // Nothing of the row is needed for the next one, if that is not of a join and
        // nothing around it gave a part.
        let len = self.row.len();
        let is_own = self.plan.steps.len() == 1 && self.plan.select.outer_start >= len;
        rows.keep(key, &mut self.row, is_own)
    }
}

/// What ORDER BY compares of a row.
fn order_key<'p>(
    plan: &'p SelectPlan,
    row: &[Value],
    params: &'p [Value],
    cx: &mut Cx<'p>,
) -> Result<Vec<u8>> {
    let mut key = Vec::with_capacity(32);
    for one in &plan.select.order_by {
        let value = one.node.eval(cx, Row { columns: row, params })?;
        sort_key::push_order(&value, &one.node.ty, one.descending, &mut key);
    }
    Ok(key)
}
