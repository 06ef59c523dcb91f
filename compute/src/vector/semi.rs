//! EXISTS with a query that takes values of the rows around it, and IN, as joins.
//!
//! Row by row such a query is asked for each row by an index, or its rows are put into a set.
//! Here they are read once, as those of any table that is joined: a row has partners, or has
//! none. The smaller side is in memory. Of a value that is NULL there are no partners, so NOT
//! EXISTS holds.

use datafusion_common::JoinType;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::Cx;

use super::asked::Settled;
use super::choose::partners_of;
use super::join::{Equal, Sides};
use super::plan::{Planner, Rows};
use crate::execute::View;
use crate::plan::Partners;

impl Planner<'_> {
    /// The rows that have partners, or have none, as the conditions of `settled.partners` say;
    /// `None` if there is no plan for that.
    pub(super) fn with_partners(
        &self,
        mut rows: Rows,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Rows>, SqlError> {
        for node in &self.settled.partners {
            let Some(partners) = partners_of(node, self.plan) else { return Ok(None) };
            match self.joined_to(rows, &partners, view, cx)? {
                Some(remain) => rows = remain,
                None => return Ok(None),
            }
        }
        Ok(Some(rows))
    }

    fn joined_to(
        &self,
        ours: Rows,
        partners: &Partners<'_>,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Rows>, SqlError> {
        // What rows of both are compared by is read of theirs as well.
        let settled = Settled {
            filters: partners.own(),
            residual: partners.over_both(0),
            ..Settled::default()
        };
        let within = Planner { plan: partners.plan, settled: &settled, made: &[], ..*self };
        let Some((mut theirs, size)) = within.joined_steps(view, cx)? else { return Ok(None) };
        // Their places come behind all of ours.
        let start = self.plan.select.row_len + self.settled.extras.len();
        theirs.places.iter_mut().for_each(|(place, _)| *place += start);
        let (mut equal, mut rest) = (Vec::new(), Vec::new());
        for node in partners.over_both(start) {
            match Equal::of(&node, &ours, &theirs) {
                Some(one) => equal.push(one),
                None => rest.push(node),
            }
        }
        if equal.is_empty() {
            return Ok(None);
        }
        let ours_first = self.plan.cost().1 <= size as f64;
        let join_type = match (ours_first, partners.without) {
            (true, false) => JoinType::LeftSemi,
            (true, true) => JoinType::LeftAnti,
            (false, false) => JoinType::RightSemi,
            (false, true) => JoinType::RightAnti,
        };
        let more = partners.plan.select.row_len;
        self.hashed(Sides { ours, theirs, equal, rest, join_type, more }, &|_| true).map(Some)
    }
}
