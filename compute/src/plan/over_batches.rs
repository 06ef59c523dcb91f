//! What a query block is estimated to cost over batches of columns, against row by row.

use firn_mysql_semantics::expr::{Node, Op};
use firn_table::descriptor::IndexId;

use super::select::Estimate;
use super::{Partners, SelectPlan, Step, StepRows, cost};
use crate::bind::JoinKind;

/// What a query block is taken to cost, by how it runs. A way that is not taken by its cost
/// has an infinite one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Costs {
    /// Row by row.
    pub(crate) direct: f64,
    /// The whole block over batches.
    pub(crate) over_batches: f64,
    /// One table scanned over batches, and all else row by row.
    pub(crate) scanned: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { direct: 0.0, over_batches: f64::INFINITY, scanned: f64::INFINITY }
    }
}

impl Costs {
    /// By what is estimated of its steps.
    pub(super) fn of(plan: &SelectPlan) -> Self {
        // Row by row the few rows that a LIMIT wants may come first: what that saves is not
        // estimated. To be put in order all rows are needed.
        let few = plan.select.limit.is_some() && !plan.select.grouped && plan.ordered;
        if plan.steps.is_empty() || few {
            return Self::default();
        }
        let (mut direct, rows) = plan.cost();
        direct += plan.compared() * cost::COMPARED;
        direct += plan.partners().map(|one| one.costs(plan.asked_rows()).0).sum::<f64>();
        if plan.select.grouped {
            direct += rows * cost::GATHERED;
        }
        Self {
            direct,
            over_batches: plan.over_batches(rows).unwrap_or(f64::INFINITY),
            scanned: plan.saved_by_scan().map_or(f64::INFINITY, |saved| direct - saved),
        }
    }

    /// Whether the whole block is taken to cost less over batches than row by row.
    pub(crate) fn favour_batches(&self) -> bool {
        self.over_batches < self.direct
    }

    /// Whether a scan over batches is taken to cost less than row by row.
    pub(crate) fn favour_scan(&self) -> bool {
        self.scanned < self.direct
    }
}

impl SelectPlan {
    /// What its conditions say of the partners of its rows.
    fn partners(&self) -> impl Iterator<Item = Partners<'_>> {
        let filters = self.steps.iter().flat_map(|step| &step.filter);
        let partners = filters.filter_map(|node| Partners::of(node, &self.subqueries));
        partners.filter(|one| !one.is_same_for_all())
    }

    /// For how many rows partners are asked for: those that its other conditions leave.
    pub(crate) fn asked_rows(&self) -> f64 {
        let (_, left) = self.cost();
        self.partners().fold(left, |rows, _| rows / cost::OTHER)
    }

    /// About how many comparisons its conditions are row by row.
    fn compared(&self) -> f64 {
        let (mut compared, mut rows) = (0.0, 1.0);
        for step in &self.steps {
            compared += rows * step.estimate.read * comparisons_of_all(&step.filter);
            rows *= step.estimate.left;
        }
        compared
    }

    /// What it costs over batches, if it gathers so many rows; `None` if that cannot be told.
    fn over_batches(&self, gathered: f64) -> Option<f64> {
        // A query that takes values of rows is asked for as many either way, if it is no join,
        // and all others run once.
        if self.subqueries.iter().any(|one| one.volatile) {
            return None;
        }
        let (mut over, mut rows) = (cost::BATCHES_BEGIN, 1.0);
        for step in &self.steps {
            let read = match (&step.rows, &step.known) {
                // What an index finds by values alone it finds over batches as well.
                (StepRows::Stored(_), Some(known)) => known,
                (StepRows::Stored(_), None) | (StepRows::Virtual(_), _) => return None,
                (StepRows::Derived(_), _) => {
                    rows *= step.estimate.left;
                    over += cost::MADE_ROWS * cost::BATCHES_ROW;
                    continue;
                }
            };
            rows *= step.estimate.left;
            over += read.least_over_batches();
            if self.steps.len() > 1 {
                over += (read.least() + rows) * cost::BATCHES_JOINED;
            }
        }
        for (one_by_one, joined) in self.partners().map(|one| one.costs(self.asked_rows())) {
            over += joined.min(one_by_one);
        }
        if self.select.grouped {
            over += gathered * cost::BATCHES_GATHERED;
        }
        Some(over)
    }

    /// The step whose table may be scanned over batches while all else goes on row by row: it
    /// is read once, in the order of its rows, by values of the statement alone.
    pub(crate) fn scanned_step(&self) -> Option<usize> {
        let is_one = |step: &Step| step.access.as_ref().is_some_and(|access| access.single);
        let at = self.steps.iter().position(|step| !is_one(step))?;
        let step = &self.steps[at];
        let access = step.access.as_ref()?;
        let in_order = access.index == IndexId::ROWS && !access.backward;
        let by_values = access.parts.is_empty() || (at == 0 && access.asks().next().is_none());
        let fits = in_order && by_values && access.union.is_none();
        (fits && step.stored().is_some() && step.kind == JoinKind::Inner).then_some(at)
    }

    /// What is saved where that table is scanned over batches.
    fn saved_by_scan(&self) -> Option<f64> {
        let step = &self.steps[self.scanned_step()?];
        let known = step.known.as_ref()?;
        let Estimate { read, left, cost } = step.estimate;
        let direct = cost + read * comparisons_of_all(&step.filter) * cost::COMPARED;
        let over = cost::BATCHES_BEGIN + read * known.row_over_batches() + left * cost::HANDED;
        Some(direct - over)
    }
}

/// How often a row is compared by conditions that all have to hold: by each for fewer rows.
fn comparisons_of_all(all: &[Node]) -> f64 {
    all.iter().rev().fold(0.0, |others, one| comparisons(one) + others * cost::OTHER)
}

fn comparisons(node: &Node) -> f64 {
    match node.op {
        Op::And => comparisons_of_all(&node.args),
        // Few rows are let through, so all sides are looked at.
        Op::Or | Op::Xor | Op::Not => node.args.iter().map(comparisons).sum(),
        _ => 1.0,
    }
}
