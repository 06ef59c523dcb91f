//! One table alone over batches, in a block that runs row by row: which one, and its plan.

use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Cx, Node};

use super::choose::{Executor, fits, why_not_rows};
use super::output::missing;
use super::plan::{Built, Planner};
use crate::bind::columns_of;
use crate::execute::View;
use crate::plan::SelectPlan;

/// The table of a block that is scanned over batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Its step.
    pub(crate) step: usize,
    /// So many of the step's conditions, the first ones, are looked at over batches.
    pub(crate) conditions: usize,
}

/// The table of a block that is scanned over batches if the block itself does not run so.
pub(crate) fn scan_of(plan: &SelectPlan, executor: Executor) -> Option<Scanned> {
    match executor {
        Executor::Direct => None,
        // Of a scan that leaves out no row little is to be had.
        Executor::Auto if !plan.costs.favour_scan() => None,
        Executor::Auto => scanned(plan).filter(|one| one.conditions > 0),
        Executor::Vector => scanned(plan),
    }
}

/// The table that can be scanned over batches while all else goes on row by row.
fn scanned(plan: &SelectPlan) -> Option<Scanned> {
    if plan.select.locking.is_some() || !plan.select.outer.is_empty() {
        return None;
    }
    let at = plan.scanned_step()?;
    let step = plan.steps.get(at)?;
    // What is asked of subqueries is not known when the scan begins.
    let searches = step.access.as_ref().is_some_and(|access| !access.parts.is_empty());
    if searches && !plan.subqueries.is_empty() {
        return None;
    }
    if why_not_rows(step, plan).is_some() {
        return None;
    }
    let is_own = |node: &Node| {
        let mut own = true;
        columns_of(node, &mut |place| own &= (step.start..step.end).contains(&place));
        own
    };
    // What stands before a condition is looked at before it: it may warn, or change something.
    let conditions = step.filter.iter().take_while(|node| fits(node) && is_own(node)).count();
    Some(Scanned { step: at, conditions })
}

impl Planner<'_> {
    /// The plan of one table alone: the rows that some of its conditions leave, in their order;
    /// `None` if there is none after all.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub(super) fn build_scan(
        &self,
        scanned: Scanned,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Built>, SqlError> {
        let Some(step) = self.plan.steps.get(scanned.step) else { return Ok(None) };
        let conditions = step.filter.get(..scanned.conditions).ok_or_else(missing)?;
        let Some(rows) = self.rows_of(step, step.access.as_ref(), view, cx)? else {
            return Ok(None);
        };
        self.given(self.filtered(rows, conditions)?).map(Some)
    }
}
