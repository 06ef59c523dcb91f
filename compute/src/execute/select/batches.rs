//! The rows and groups of a SELECT that are read over batches of columns, and the way back
//! to reading them one by one.

use firn_mysql_semantics::error::Mark;
use firn_mysql_semantics::expr::{Cx, Node};

use super::SelectRun;
use crate::execute::Result;
use crate::execute::stream::holds;
use crate::execute::subquery::Subqueries;
use crate::execute::view::View;
use crate::vector::{self, Failed, Settled, VectorRun, Way};

impl<'p> SelectRun<'p> {
    /// Begins to read what comes over batches, if anything does.
    pub(super) async fn begin_over_batches(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<()> {
        if view.locks().is_some() || view.is_measured() {
            return Ok(());
        }
        let scanned = match vector::way(self.plan, view.executor()) {
            Way::Rows => None,
            Way::Scan(scanned) => Some(scanned),
            Way::Batches => {
                Box::pin(self.begin_batches(true, view, cx)).await?;
                let none = self.vector.is_none();
                if none { vector::scan_of(self.plan, view.executor()) } else { None }
            }
        };
        if let Some(scanned) = scanned
            && let Some(run) = VectorRun::scan(self.plan, self.params, scanned, view, cx)
        {
            view.scans_over_batches();
            self.stream.scan(scanned, run);
        }
        Ok(())
    }

    /// Makes the plan over batches, if there is one; `gathers` says that it gathers the
    /// block's groups, too, if that can be.
    async fn begin_batches(
        &mut self,
        gathers: bool,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<()> {
        let Some(mut settled) = self.settled(view, cx).await? else { return Ok(()) };
        settled.once = self.once;
        let gathers = gathers && self.plan.select.grouped && settled.residual.is_empty();
        if gathers {
            settled.having = self.settled_having(view, cx).await?;
        }
        let made = self.stream.made();
        self.vector = VectorRun::begin(self.plan, self.params, made, &settled, gathers, view, cx);
        self.residual = std::mem::take(&mut settled.residual);
        if self.vector.is_some() {
            view.ran_over_batches();
        }
        Ok(())
    }

    /// The conditions with what they ask of subqueries; `None` if that warns or fails,
    /// which is said where rows are looked at.
    async fn settled(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<Option<Settled>> {
        let before = cx.warnings.mark();
        let settled = self.subqueries.settled(self.plan, view, cx).await;
        self.unless_said(settled, before, view, cx)
    }

    /// HAVING with what it asks of subqueries; `None` if that is asked of groups, warns or
    /// fails.
    async fn settled_having(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Option<Node>> {
        let before = cx.warnings.mark();
        let having = self.subqueries.settled_having(self.plan, view, cx).await;
        Ok(self.unless_said(having, before, view, cx)?.flatten())
    }

    /// What subqueries were asked before any row was looked at; `None` if that warned or failed:
    /// they are asked, and it is said, again where rows are.
    fn unless_said<T>(
        &mut self,
        asked: Result<T>,
        before: Mark,
        view: &View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<T>> {
        view.check()?;
        let asked = asked.ok().filter(|_| cx.warnings.mark() == before);
        cx.warnings.rewind(before);
        if asked.is_none() {
            self.subqueries = Subqueries::new(&self.plan.subqueries, self.params);
        }
        Ok(asked)
    }

    /// Brings the next row of the tables into the flat row: over batches as long as that
    /// goes, else one by one.
    pub(super) async fn next_row(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<bool> {
        loop {
            let Self { stream, subqueries, row, vector, residual, params, once, .. } = self;
            let Some(run) = vector else { return stream.next(view, cx, subqueries, row).await };
            match run.next(view, row).await {
                Ok(false) => return Ok(false),
                Ok(true) if residual.is_empty() => return Ok(true),
                Ok(true) => {
                    let before = cx.warnings.mark();
                    let remains = |cx: &mut Cx<'p>| holds(residual, cx, row, params);
                    let remains = subqueries.run(view, cx, remains).await?;
                    if cx.warnings.mark() == before {
                        if remains {
                            return Ok(true);
                        }
                        continue;
                    }
                    // They come in the order of the rows.
                    cx.warnings.rewind(before);
                }
                Err(Failed::Over(error)) => return Err(error),
                Err(Failed::GivenUp | Failed::OutOfMemory) => {}
            }
            view.gave_up();
            // Those of one table come in the same order one by one, unless some were left out.
            // Joined ones are gathered, and those that were are forgotten.
            self.begun_again = self.plan.steps.len() > 1 || !residual.is_empty() || *once;
            let given = if self.begun_again { 0 } else { run.given() };
            for _ in 0..given {
                stream.next(view, cx, subqueries, row).await?;
            }
            *vector = None;
        }
    }

    /// Gathers the groups over batches; `None` if they are not, or that was given up. If it
    /// was for lack of memory, the rows still come over batches.
    pub(super) async fn groups_of_batches(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Option<VectorRun>> {
        let Some(mut run) = self.vector.take() else { return Ok(None) };
        match run.gather(view).await {
            Ok(()) => Ok(Some(run)),
            Err(Failed::Over(error)) => Err(error),
            Err(Failed::GivenUp) => {
                view.gave_up();
                Ok(None)
            }
            Err(Failed::OutOfMemory) => {
                drop(run);
                self.begin_batches(false, view, cx).await?;
                Ok(None)
            }
        }
    }
}
