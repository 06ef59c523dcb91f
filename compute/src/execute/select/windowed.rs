//! A SELECT with window functions: its rows are kept, and given once these are computed.

use firn_mysql_semantics::expr::Cx;

use super::super::Result;
use super::super::view::View;
use super::super::window::WindowRun;
use super::{Ordering, SelectRun, bytes_of};

impl<'p> SelectRun<'p> {
    /// Looks at what windows say that is the same for all rows.
    pub(super) async fn begin_windows(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<()> {
        let Self { plan, params, row, subqueries, .. } = self;
        self.windows =
            Some(Box::pin(WindowRun::begin(plan, params, row, subqueries, view, cx)).await?);
        Ok(())
    }

    /// Reads all rows and puts them in order, window functions computed.
    pub(super) async fn windowed(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Ordering> {
        loop {
            let found = match self.try_advance(view, cx) {
                Some(found) => found?,
                None => Box::pin(self.advance(view, cx)).await?,
            };
            if std::mem::take(&mut self.begun_again) {
                self.windows.iter_mut().for_each(WindowRun::clear);
                self.bytes = 0;
            }
            if !found {
                break;
            }
            self.keep_for_windows(view, cx).await?;
        }
        self.behind_windows(view, cx).await
    }

    /// Keeps the flat row until all are there.
    pub(super) async fn keep_for_windows(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<()> {
        let Self { windows, subqueries, row, .. } = self;
        let Some(windows) = windows else { return Ok(()) };
        let mut kept = subqueries.run(view, cx, |cx| windows.of_row(row, cx)).await?;
        kept.row.clone_from(row);
        kept.bytes += bytes_of(row);
        self.bytes += windows.keep(kept);
        self.memory.set(self.bytes)
    }

    /// Computes the functions over the rows that are kept, and what is made of them.
    pub(super) async fn behind_windows(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Ordering> {
        let mut rows = Ordering::new(view, self.wanted());
        let Some(windows) = self.windows.take() else { return Ok(rows) };
        let kept = windows.finish(view, cx, &mut self.memory, self.bytes)?;
        self.bytes = kept.iter().map(|kept| kept.bytes).sum();
        self.behind = true;
        for kept in kept {
            self.row = kept.row;
            self.bytes = self.bytes.saturating_sub(kept.bytes);
            self.compute(view, cx).await?;
            if self.plan.select.distinct && !self.is_new(view).await? {
                continue;
            }
            self.keep(view, cx, &mut rows).await?;
        }
        self.keep_later(view, cx, &mut rows).await?;
        Ok(rows)
    }
}
