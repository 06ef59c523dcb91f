//! What a query block is estimated to cost over batches of columns, against row by row.

use firn_mysql_semantics::expr::{Node, Op};

use super::{Partners, SelectPlan, StepRows, cost};

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

    /// Whether running it over batches is taken to cost less than its steps row by row.
    pub(super) fn is_cheaper_over_batches(&self) -> bool {
        // Row by row the few rows that a LIMIT wants may come first: what that saves is not
        // estimated. To be put in order all rows are needed. A query that takes values of rows
        // is asked for as many either way, if it is no join, and all others run once.
        let few = self.select.limit.is_some() && !self.select.grouped && self.ordered;
        if self.steps.is_empty() || few || self.subqueries.iter().any(|one| one.volatile) {
            return false;
        }
        let (mut over, mut rows) = (cost::BATCHES_BEGIN, 1.0);
        let mut asked = 0.0;
        for step in &self.steps {
            let read = match (&step.rows, &step.known) {
                // What an index finds by values alone it finds over batches as well.
                (StepRows::Stored(_), Some(known)) => known,
                (StepRows::Stored(_), None) | (StepRows::Virtual(_), _) => return false,
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
        let (mut direct, rows) = self.cost();
        direct += self.compared() * cost::COMPARED;
        for (one_by_one, joined) in self.partners().map(|one| one.costs(self.asked_rows())) {
            asked += one_by_one;
            over += joined.min(one_by_one);
        }
        direct += asked;
        if self.select.grouped {
            direct += rows * cost::GATHERED;
            over += rows * cost::BATCHES_GATHERED;
        }
        over < direct
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
