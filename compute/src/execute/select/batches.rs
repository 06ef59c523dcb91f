//! The rows and groups of a SELECT that are read over batches of columns, and the way back
//! to reading them one by one.

use firn_mysql_semantics::expr::{Cx, Node};

use super::SelectRun;
use crate::execute::Result;
use crate::execute::stream::holds;
use crate::execute::subquery::Subqueries;
use crate::execute::view::View;
use crate::vector::{self, Executor, Failed, Settled, VectorRun};

impl<'p> SelectRun<'p> {
    /// Whether the block is to run over batches.
    pub(super) fn runs_over_batches(&self, view: &View<'_>) -> bool {
        let wanted = match view.executor() {
            Executor::Direct => false,
            Executor::Auto => self.plan.cheaper_over_batches,
            Executor::Vector => true,
        };
        let plain = view.locks().is_none() && !view.is_measured();
        wanted && plain && vector::why_not(self.plan).is_none()
    }

    /// Makes the plan over batches, if there is one; `gathers` says that it gathers the
    /// block's groups, too, if that can be.
    pub(super) async fn begin_batches(
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
        let (mark, before) = (cx.warnings.mark(), cx.warnings.total());
        let settled = self.subqueries.settled(self.plan, view, cx).await;
        view.check()?;
        let warned = cx.warnings.total() > before;
        cx.warnings.rewind(mark);
        let settled = settled.ok().filter(|_| !warned);
        if settled.is_none() {
            // They warn again where rows are looked at.
            self.subqueries = Subqueries::new(&self.plan.subqueries, self.params);
        }
        Ok(settled)
    }

    /// HAVING with what it asks of subqueries; `None` if that is asked of groups, warns or
    /// fails.
    async fn settled_having(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Option<Node>> {
        let (mark, before) = (cx.warnings.mark(), cx.warnings.total());
        let having = self.subqueries.settled_having(self.plan, view, cx).await;
        view.check()?;
        let warned = cx.warnings.total() > before;
        cx.warnings.rewind(mark);
        let having = having.ok().filter(|_| !warned);
        if having.is_none() {
            self.subqueries = Subqueries::new(&self.plan.subqueries, self.params);
        }
        Ok(having.flatten())
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
                    let (mark, before) = (cx.warnings.mark(), cx.warnings.total());
                    let remains = |cx: &mut Cx<'p>| holds(residual, cx, row, params);
                    let remains = subqueries.run(view, cx, remains).await?;
                    if cx.warnings.total() == before {
                        if remains {
                            return Ok(true);
                        }
                        continue;
                    }
                    // They come in the order of the rows.
                    cx.warnings.rewind(mark);
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
