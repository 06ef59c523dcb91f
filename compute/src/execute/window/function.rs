//! The value of a window function for one row after the other.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::Cx;

use super::super::Result;
use super::super::view::View;
use super::fixed::Fixed;
use super::frames::Extent;
use super::moving::Moving;
use super::{Kept, WindowRun};
use crate::bind::{WindowCall, WindowFunction as F};
use crate::plan::{End, Operand};

/// Whether it looks at the rows of the frame only.
pub(super) fn is_framed(function: &F) -> bool {
    matches!(function, F::First(_) | F::Last(_) | F::Nth(..) | F::Aggregate(_))
}

/// A call in one partition, row by row from the first.
pub(super) struct Computed<'r> {
    call: &'r WindowCall,
    at: usize,
    fixed: Fixed,
    operands: &'r [Operand],
    /// Groups of equal rows before the row.
    ranks: usize,
    state: State<'r>,
}

enum State<'r> {
    None,
    /// An aggregate over the rows of the frame.
    Moving(Box<Moving<'r>>),
    /// The end of the frame, among the rows that have a value.
    End(End, Extent),
}

impl<'r> Computed<'r> {
    /// For the rows of a partition.
    pub(super) fn new(
        run: &'r WindowRun<'_>,
        at: usize,
        call: &'r WindowCall,
        part: &[Kept],
    ) -> Self {
        let has_value = |row: &Kept| row.aggregates[at].is_some();
        let state = match (&call.function, run.plan.ends[at]) {
            (F::Aggregate(_), Some(end)) => {
                let from = part.iter().position(has_value).unwrap_or(part.len());
                let to = part.iter().rposition(has_value).map_or(from, |last| last + 1);
                State::End(end, Extent { from, to })
            }
            (F::Aggregate(aggregate), None) => {
                State::Moving(Box::new(Moving::new(aggregate, at, run.precise)))
            }
            _ => State::None,
        };
        let operands = &run.plan.operands[at];
        Self { call, at, fixed: run.fixed[at], operands, ranks: 0, state }
    }

    fn operand(&self, row: &Kept, which: usize) -> Value {
        self.operands.get(which).map_or(Value::Null, |operand| row.value(*operand).clone())
    }

    /// The value for the row at `row`, the next one.
    ///
    /// # Errors
    /// Those of the aggregates.
    pub(super) fn at(
        &mut self,
        part: &[Kept],
        row: usize,
        peers: Extent,
        frame: Extent,
        view: &View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Value> {
        self.ranks += usize::from(peers.from == row);
        #[allow(clippy::cast_precision_loss, reason = "as MySQL divides")]
        let share = |of: usize, all: usize| Value::Double(of as f64 / all as f64);
        let in_frame = |at: Option<usize>| {
            at.and_then(|at| frame.from.checked_add(at)).filter(|at| *at < frame.to)
        };
        let number = |number: usize| Value::UInt(number as u64);
        Ok(match (&self.call.function, self.fixed) {
            (F::RowNumber, _) => number(row + 1),
            (F::Rank, _) => number(peers.from + 1),
            (F::DenseRank, _) => number(self.ranks),
            (F::PercentRank, _) if part.len() == 1 => Value::Double(0.0),
            (F::PercentRank, _) => share(peers.from, part.len() - 1),
            (F::CumeDist, _) => share(peers.to, part.len()),
            (F::Ntile(_), Fixed::Count(groups)) => number(group_of(row, part.len(), groups)),
            (F::Shift { lead, default, .. }, Fixed::Count(distance)) => {
                let distance = usize::try_from(distance).unwrap_or(usize::MAX);
                let wanted = match lead {
                    true => row.checked_add(distance),
                    false => row.checked_sub(distance),
                };
                match wanted.and_then(|wanted| part.get(wanted)) {
                    Some(other) => self.operand(other, 0),
                    None if default.is_some() => self.operand(&part[row], 1),
                    None => Value::Null,
                }
            }
            (F::First(_), _) => self.given(part, in_frame(Some(0))),
            (F::Last(_), _) => self.given(part, in_frame((frame.to - frame.from).checked_sub(1))),
            (F::Nth(..), Fixed::Count(at)) => {
                let at = usize::try_from(at).ok().and_then(|at| at.checked_sub(1));
                self.given(part, in_frame(at))
            }
            (F::Aggregate(aggregate), _) => match &mut self.state {
                State::Moving(moving) => {
                    moving.move_to(part, frame, view, cx)?;
                    moving.value(part, frame, aggregate, cx)?
                }
                State::End(end, values) => {
                    let from = frame.from.max(values.from);
                    let to = frame.to.min(values.to);
                    let at = if *end == End::First { from } else { to.saturating_sub(1) };
                    let row = part.get(at).filter(|_| from < to);
                    let operands = row.and_then(|row| row.aggregates[self.at].as_ref());
                    operands.map_or(Value::Null, |operands| operands.value().clone())
                }
                State::None => Value::Null,
            },
            _ => Value::Null,
        })
    }

    fn given(&self, part: &[Kept], at: Option<usize>) -> Value {
        at.and_then(|at| part.get(at)).map_or(Value::Null, |row| self.operand(row, 0))
    }
}

/// Which of `groups` a row is in, counted from 1: the first groups have one row more where
/// they cannot all have as many.
fn group_of(row: usize, rows: usize, groups: u64) -> usize {
    let Some(groups) = usize::try_from(groups).ok().filter(|groups| *groups < rows) else {
        return row + 1;
    };
    let (each, longer) = (rows / groups, rows % groups);
    let of_longer = longer * (each + 1);
    match row.checked_sub(of_longer) {
        Some(behind) => longer + behind / each + 1,
        None => row / (each + 1) + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::group_of;

    #[test]
    fn groups_differ_by_one_row_at_most_and_the_longer_come_first() {
        for rows in 1..40usize {
            for groups in 1..45u64 {
                let of: Vec<usize> = (0..rows).map(|row| group_of(row, rows, groups)).collect();
                assert_eq!(of[0], 1);
                assert!(of.windows(2).all(|two| two[0] <= two[1] && two[1] - two[0] <= 1));
                let last = *of.last().expect("there are rows");
                assert_eq!(last as u64, groups.min(rows as u64));
                let sizes: Vec<usize> = (1..=last)
                    .map(|group| of.iter().filter(|one| **one == group).count())
                    .collect();
                assert!(sizes.windows(2).all(|two| two[0] >= two[1]));
                assert!(sizes[0] - sizes[sizes.len() - 1] <= 1);
            }
        }
    }
}
