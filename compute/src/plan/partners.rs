//! What IN and EXISTS say of the rows around them as a join: these have partners among the rows
//! of a query, or have none.
//!
//! Only plans over batches join so; row by row the query is asked for each row, or its rows are
//! put into a set ([`super::semi`]).

use firn_mysql_semantics::expr::{CompareOp, Node, Op};

use super::{Known, SelectPlan, Step, SubqueryPlan, cost};
use crate::bind::{Asked, JoinKind, columns_of};

/// `[NOT] EXISTS (SELECT …)` of rows of which some value equals one of the row around it, or
/// `IN (SELECT …)`: what a join says of its rows.
pub(crate) struct Partners<'p> {
    /// The query.
    pub(crate) plan: &'p SelectPlan,
    /// What it takes of the row around it or is compared with, over that row.
    pub(crate) values: &'p [Node],
    /// Rows without partners are those that are asked for.
    pub(crate) without: bool,
    /// What holds of the values and, behind them, of the query's own.
    compared: Option<&'p Node>,
}

impl<'p> Partners<'p> {
    /// What a condition says, if it is that.
    pub(crate) fn of(node: &'p Node, subqueries: &'p [SubqueryPlan]) -> Option<Self> {
        let (node, without) = match node.op {
            Op::Not => (node.args.first()?, true),
            _ => (node, false),
        };
        let Op::Subquery { slot, .. } = node.op else { return None };
        let asked = subqueries.iter().find(|one| one.slot == slot)?;
        let (select, values) = (&asked.plan.select, &*node.args);
        let simple = !select.grouped
            && select.limit.is_none()
            && select.windows.is_empty()
            && select.having.is_none()
            && select.locking.is_none()
            && !select.calc_found_rows
            && asked.plan.constant.is_empty()
            && asked.plan.subqueries.is_empty()
            && asked.plan.steps.iter().all(|step| {
                step.kind == JoinKind::Inner && step.stored().is_some() && step.known.is_some()
            });
        if asked.volatile || !simple || asked.plan.steps.is_empty() {
            return None;
        }
        let compared = match &asked.asked {
            Asked::Exists if select.outer.len() == values.len() => None,
            // Of NOT IN a NULL makes more than a join says.
            Asked::Any(condition) if select.outer.is_empty() && !without => Some(condition),
            _ => return None,
        };
        let this = Self { plan: &asked.plan, values, without, compared };
        this.has_equality().then_some(this)
    }

    /// Its rows are the same for all rows around it.
    pub(crate) fn is_same_for_all(&self) -> bool {
        self.compared.is_some()
    }

    /// The conditions of its own rows, by step.
    pub(crate) fn own(&self) -> Vec<Vec<Node>> {
        let of_step =
            |step: &Step| step.filter.iter().filter(|node| !self.takes(node)).cloned().collect();
        self.plan.steps.iter().map(of_step).collect()
    }

    /// The conditions of rows of both, over the row around it and, from `start` on, its own.
    pub(crate) fn over_both(&self, start: usize) -> Vec<Node> {
        let all = self.plan.steps.iter().flat_map(|step| &step.filter);
        let mut both: Vec<Node> = all.filter(|node| self.takes(node)).cloned().collect();
        both.iter_mut().for_each(|node| self.moved(node, start));
        if let Some(condition) = self.compared {
            let mut condition = condition.clone();
            self.with_items(&mut condition, start);
            both.push(condition);
        }
        both
    }

    fn takes(&self, node: &Node) -> bool {
        let mut takes = false;
        columns_of(node, &mut |place| takes |= place >= self.plan.select.outer_start);
        takes
    }

    /// Puts a condition of the query over rows of both.
    fn moved(&self, node: &mut Node, start: usize) {
        let Op::Column(column) = &mut node.op else {
            node.args.iter_mut().for_each(|arg| self.moved(arg, start));
            return;
        };
        let outer = column.index.checked_sub(self.plan.select.outer_start);
        match outer.and_then(|at| self.values.get(at)) {
            Some(value) => *node = value.clone(),
            None => column.index += start,
        }
    }

    /// The same for what compares values with the query's own.
    fn with_items(&self, node: &mut Node, start: usize) {
        let Op::Column(column) = &node.op else {
            node.args.iter_mut().for_each(|arg| self.with_items(arg, start));
            return;
        };
        *node = match column.index.checked_sub(self.values.len()) {
            None => self.values[column.index].clone(),
            Some(at) => {
                let mut item = self.plan.select.items[at].node.clone();
                self.moved(&mut item, start);
                item
            }
        };
    }

    fn has_equality(&self) -> bool {
        // Behind all places of the row around it.
        let mut start = 0;
        for value in self.values {
            columns_of(value, &mut |place| start = start.max(place + 1));
        }
        self.over_both(start).iter().any(|node| is_equality(node, start))
    }

    /// What it costs to ask for the partners of so many rows one by one, and to join them over
    /// batches.
    pub(crate) fn costs(&self, rows: f64) -> (f64, f64) {
        let (each, found) = self.plan.cost();
        let one_by_one = match self.is_same_for_all() {
            true => found * cost::GATHERED,
            false => rows * (each + cost::ASKED),
        };
        let known = || self.plan.steps.iter().filter_map(|step| step.known.as_ref());
        let mut joined =
            (known().map(|known| known.rows).sum::<f64>() + rows) * cost::BATCHES_JOINED;
        if !self.is_same_for_all() {
            // Else it is read either way.
            joined += known().map(Known::least_over_batches).sum::<f64>();
        }
        (one_by_one, joined)
    }
}

/// Whether a condition says that a value of one side equals one of the other, whose places begin
/// at `start`.
fn is_equality(node: &Node, start: usize) -> bool {
    let (Op::Compare(CompareOp::Eq, _), [left, right]) = (&node.op, &*node.args) else {
        return false;
    };
    let sides = |node: &Node| {
        let (mut ours, mut theirs) = (false, false);
        columns_of(node, &mut |place| match place >= start {
            true => theirs = true,
            false => ours = true,
        });
        (ours, theirs)
    };
    let (ours, theirs) = ((true, false), (false, true));
    let sides = (sides(left), sides(right));
    sides == (ours, theirs) || sides == (theirs, ours)
}
