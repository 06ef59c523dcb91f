//! Reads of some rows of one table, whose columns go to the client as they lie in the row.

use std::ops::ControlFlow;
use std::sync::Arc;

use firn_mysql_protocol::result::{Response, Rows, Summary};
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Cx, Row};
use firn_mysql_semantics::{SqlType, Value};
use firn_table::Cell;

use super::Session;
use super::compiled::QueryPlan;
use super::run::Arguments;
use super::statement::{Ended, Outcome};
use super::transaction::Unit;
use crate::execute::{
    Distinct as Remembered, Found, Gathered, Offered, RangeRun, Reading, Sorter, Totals, View,
    WantedRows, bound, push_cell,
};
use crate::output;
use crate::plan::{Distinct, Key, Output, RangePlan, Taken, Total};
use crate::zone;

/// Rows that LIMIT leaves.
struct Cut {
    skip: u64,
    left: u64,
}

impl Cut {
    /// Whether the next row is one of them; `None` if no more are.
    fn passes(&mut self) -> Option<bool> {
        if self.left == 0 {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Some(false);
        }
        self.left -= 1;
        Some(true)
    }
}

/// A run of a range plan.
struct Run<'r, 'p> {
    plan: &'p QueryPlan,
    range: RangeRun<'p>,
    view: View<'r>,
    cx: Cx<'p>,
}

impl Session {
    /// Runs a read of rows from the snapshot.
    pub(super) async fn run_range(
        &mut self,
        plan: &QueryPlan,
        range: &RangePlan,
        arguments: &Arguments,
        unit: &mut Unit,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let status = self.status_flags_in(unit);
        let params = &arguments.values[..];
        let mut cut = Cut { skip: 0, left: self.values.variables.hot().sql_select_limit };
        let settings = Arc::clone(&self.settings);
        let wait = self.lock_wait();
        let view = View::new(&mut unit.transaction, Reading::Snapshot, wait);
        let reads = Arc::clone(view.reads());
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let mut rows = response.rows(&plan.columns)?;
        if let Some(limit) = &plan.select.select.limit {
            cut.left = bound(&limit.rows, &mut cx, params)?;
            if let Some(offset) = &limit.offset {
                cut.skip = bound(offset, &mut cx, params)?;
            }
        }
        if let Some(read) = RangeRun::new(&plan.select, range, params, &view, &mut cx)? {
            let mut run = Run { plan, range: read, view, cx };
            match &range.output {
                Output::Totals(totals) => run.send_totals(totals, params, &mut rows).await?,
                Output::Rows { items, order, distinct } if order.is_empty() => {
                    run.send_as_found(items, *distinct, cut, &mut rows).await?;
                }
                Output::Rows { items, order, distinct } => {
                    run.send_in_order(items, order, *distinct, cut, &mut rows).await?;
                }
            }
        }
        let count = rows.count();
        rows.end(&Summary { warnings: self.warnings.packet_count(), ..Summary::new(status) })?;
        self.count_reads(&reads);
        self.values.found_rows = count;
        self.values.row_count = -1;
        Ok(Outcome::Sent)
    }
}

impl Run<'_, '_> {
    /// Sends rows in the order in which they are found.
    async fn send_as_found(
        &mut self,
        items: &[Taken],
        distinct: Distinct,
        mut cut: Cut,
        rows: &mut Rows<'_, '_, '_>,
    ) -> Result<(), Ended> {
        let Self { plan, range, view, cx } = self;
        let mut seen = (distinct == Distinct::Remembered).then(|| Remembered::new(view));
        while cut.left > 0 {
            let mut full = false;
            let mut each = |cx: &mut Cx<'_>, found: &Found<'_>| {
                if let Some(seen) = &mut seen {
                    let offered = seen.offer(|key| {
                        for (taken, item) in items.iter().zip(&plan.select.select.items) {
                            let cell = cell_of(found, taken, &item.node.ty, cx)?;
                            push_cell(cell, &item.node.ty, false, false, key);
                        }
                        Ok(())
                    });
                    match offered? {
                        Offered::New => {}
                        Offered::Seen => return Ok(ControlFlow::Continue(())),
                        Offered::Later => {
                            put_items(plan, items, found, cx, rows)?;
                            let put = |out: &mut Vec<u8>| rows.take_row(out).map_err(Ended::from);
                            full = !seen.put_off(put)?;
                            return Ok(if full {
                                ControlFlow::Break(())
                            } else {
                                ControlFlow::Continue(())
                            });
                        }
                    }
                }
                match cut.passes() {
                    Some(true) => {}
                    Some(false) => return Ok(ControlFlow::Continue(())),
                    None => return Ok(ControlFlow::Break(())),
                }
                put_items(plan, items, found, cx, rows)?;
                let pause = rows.finish_row()? || cut.left == 0;
                Ok::<_, Ended>(if pause {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            };
            if range.go(view, cx, &mut each).await?.is_continue() {
                break;
            }
            if let Some(seen) = seen.as_mut().filter(|_| full) {
                seen.make_room(view).await?;
            } else if cut.left > 0 {
                rows.flush().await?;
            }
        }
        let later = match &mut seen {
            Some(seen) if cut.left > 0 => seen.later(view).await?,
            _ => None,
        };
        if let Some(mut later) = later {
            while cut.left > 0 && later.advance().await? {
                if cut.passes() == Some(true) {
                    rows.put_row(later.payload())?;
                    if rows.finish_row()? {
                        rows.flush().await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Gathers rows and sends them in order.
    async fn send_in_order(
        &mut self,
        items: &[Taken],
        order: &[Key],
        distinct: Distinct,
        mut cut: Cut,
        rows: &mut Rows<'_, '_, '_>,
    ) -> Result<(), Ended> {
        if cut.left == 0 {
            return Ok(());
        }
        let Self { plan, range, view, cx } = self;
        // The order of one key can be turned round as a whole.
        let turned = matches!(order, [key] if key.descending);
        let last = order.len().saturating_sub(1);
        let wanted = cut.skip.saturating_add(cut.left);
        let wanted = WantedRows {
            rows: wanted,
            descending: turned,
            distinct: distinct == Distinct::Neighbours,
        };
        let mut sorter = Sorter::new(wanted, Gathered::of(view));
        loop {
            let mut each = |cx: &mut Cx<'_>, found: &Found<'_>| {
                let out = sorter.bytes();
                for (at, key) in order.iter().enumerate() {
                    let cell = cell_of(found, &key.taken, &key.ty, cx)?;
                    push_cell(cell, &key.ty, key.descending && !turned, at == last, out);
                }
                sorter.key_ends();
                put_items(plan, items, found, cx, rows)?;
                rows.take_row(sorter.bytes())?;
                Ok::<_, Ended>(match sorter.row_ends() {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                })
            };
            if range.go(view, cx, &mut each).await?.is_continue() {
                break;
            }
            sorter.make_room(view).await?;
        }
        let mut sorted = sorter.finish(view).await?;
        while match sorted.try_advance() {
            Some(there) => there,
            None => sorted.advance().await?,
        } {
            match cut.passes() {
                Some(true) => {}
                Some(false) => continue,
                None => break,
            }
            rows.put_row(sorted.payload())?;
            if rows.finish_row()? {
                rows.flush().await?;
            }
        }
        Ok(())
    }

    /// Sums rows up and sends one.
    async fn send_totals(
        &mut self,
        totals: &[Total],
        params: &[Value],
        rows: &mut Rows<'_, '_, '_>,
    ) -> Result<(), Ended> {
        let Self { plan, range, view, cx } = self;
        let select = &plan.select.select;
        let mut sums = Totals::new(totals);
        let mut each = |_: &mut Cx<'_>, found: &Found<'_>| {
            sums.add(found)?;
            Ok::<_, Ended>(ControlFlow::Continue(()))
        };
        while range.go(view, cx, &mut each).await?.is_break() {}
        let mut row = vec![Value::Null; select.row_len];
        let results = sums.finish(&select.aggregates, cx)?;
        row[select.aggregates_start..].iter_mut().zip(results).for_each(|(to, from)| *to = from);
        for (item, writer) in select.items.iter().zip(&plan.writers) {
            cx.item_name = Some(&item.name);
            let value = item.node.run(cx, Row { columns: &row, params })?;
            output::put(rows, writer, &item.node, &value)?;
        }
        Ok(rows.end_row().await?)
    }
}

/// A column of a row, in the session's zone.
fn cell_of<'r>(
    found: &Found<'r>,
    taken: &Taken,
    ty: &SqlType,
    cx: &Cx<'_>,
) -> Result<Cell<'r>, SqlError> {
    let cell = found.cell(taken.column)?;
    match cell {
        Cell::DateTime(at) if taken.is_timestamp => {
            match zone::from_utc(Value::DateTime(at), ty, cx) {
                Value::DateTime(local) => Ok(Cell::DateTime(local)),
                _ => Ok(cell),
            }
        }
        cell => Ok(cell),
    }
}

/// Writes the columns of a row.
fn put_items(
    plan: &QueryPlan,
    items: &[Taken],
    found: &Found<'_>,
    cx: &Cx<'_>,
    rows: &mut Rows<'_, '_, '_>,
) -> Result<(), Ended> {
    for ((taken, writer), item) in items.iter().zip(&plan.writers).zip(&plan.select.select.items) {
        let cell = cell_of(found, taken, &item.node.ty, cx)?;
        output::put_cell(rows, writer, &item.node, cell)?;
    }
    Ok(())
}
