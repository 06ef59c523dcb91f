//! Aggregates over a frame that moves forwards.
//!
//! What can be taken out again exactly, is, and a least or greatest value is the first of
//! those that none behind them beats. Sums of floating point numbers are added up anew for
//! each frame whose beginning has moved, as MySQL does it: what was large would leave its
//! rounding behind (`windowing_use_high_precision`). So are variances and documents.

use std::collections::VecDeque;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::expr::Cx;

use super::super::Result;
use super::super::aggregate::{Accumulator, Operands, State, overflow};
use super::super::view::View;
use super::frames::Extent;
use super::{CHECK_ROWS, Kept};
use crate::bind::{Aggregate, AggregateFunction as F};

/// An aggregate over the rows of a frame.
pub(super) struct Moving<'r> {
    aggregate: &'r Aggregate,
    /// The call's number.
    at: usize,
    /// The rows that are in it.
    held: Extent,
    sum: Sum,
}

enum Sum {
    Count(u64),
    Decimal {
        sum: Decimal,
        count: u64,
    },
    /// Only without high precision.
    Double {
        sum: f64,
        count: u64,
    },
    /// How often each bit is set, in how many numbers.
    Bits {
        set: Box<[u64; 64]>,
        count: u64,
    },
    /// Rows, the best first; each is better than all behind it in the frame.
    Extreme(VecDeque<usize>),
    /// What is added up anew.
    Whole(Accumulator),
}

impl<'r> Moving<'r> {
    pub(super) fn new(aggregate: &'r Aggregate, at: usize, precise: bool) -> Self {
        let sum = fresh(aggregate, precise);
        Self { aggregate, at, held: Extent { from: 0, to: 0 }, sum }
    }

    /// Moves on to a frame.
    pub(super) fn move_to(
        &mut self,
        part: &[Kept],
        frame: Extent,
        view: &View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<()> {
        let whole = matches!(self.sum, Sum::Whole(_));
        let apart = frame.from >= self.held.to || frame.to <= frame.from;
        if apart || (whole && frame.from > self.held.from) {
            self.sum = match &self.sum {
                Sum::Double { .. } => fresh(self.aggregate, false),
                _ => fresh(self.aggregate, true),
            };
            self.held = Extent { from: frame.from, to: frame.from };
        }
        debug_assert!(frame.from >= self.held.from && frame.to >= self.held.to, "it goes back");
        for row in self.held.from..frame.from {
            self.remove(part, row)?;
        }
        for row in self.held.to..frame.to {
            if row % CHECK_ROWS == CHECK_ROWS - 1 {
                view.check()?;
            }
            self.add(part, row, cx)?;
        }
        self.held = frame;
        Ok(())
    }

    fn operands<'k>(&self, part: &'k [Kept], row: usize) -> Option<&'k Operands> {
        part.get(row)?.aggregates.get(self.at)?.as_ref()
    }

    fn add(&mut self, part: &[Kept], row: usize, cx: &mut Cx<'_>) -> Result<()> {
        let Some(operands) = self.operands(part, row) else { return Ok(()) };
        match (&mut self.sum, operands.value()) {
            (Sum::Count(count), _) => *count += 1,
            (Sum::Decimal { sum, count }, Value::Decimal(value)) => {
                *sum = sum.add(value).map_err(|_| overflow())?;
                *count += 1;
            }
            (Sum::Double { sum, count }, Value::Double(value)) => {
                *sum += value;
                *count += 1;
            }
            (Sum::Bits { set, count }, Value::UInt(value)) => {
                for_each_bit(*value, |bit| set[bit] += 1);
                *count += 1;
            }
            (Sum::Extreme(rows), _) => {
                let least = self.aggregate.function == F::Min;
                while let Some(last) = rows.back() {
                    let last = part[*last].aggregates[self.at].as_ref().map(Operands::order);
                    let beaten = last.is_none_or(|last| match least {
                        true => operands.order() < last,
                        false => operands.order() > last,
                    });
                    if !beaten {
                        break;
                    }
                    rows.pop_back();
                }
                rows.push_back(row);
            }
            (Sum::Whole(accumulator), _) => {
                accumulator.add(self.aggregate, Some(operands.clone()), cx)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn remove(&mut self, part: &[Kept], row: usize) -> Result<()> {
        let Some(operands) = self.operands(part, row) else { return Ok(()) };
        match (&mut self.sum, operands.value()) {
            (Sum::Count(count), _) => *count -= 1,
            (Sum::Decimal { sum, count }, Value::Decimal(value)) => {
                *sum = sum.sub(value).map_err(|_| overflow())?;
                *count -= 1;
            }
            (Sum::Double { sum, count }, Value::Double(value)) => {
                *sum -= value;
                *count -= 1;
            }
            (Sum::Bits { set, count }, Value::UInt(value)) => {
                for_each_bit(*value, |bit| set[bit] -= 1);
                *count -= 1;
            }
            (Sum::Extreme(rows), _) if rows.front() == Some(&row) => {
                rows.pop_front();
            }
            _ => {}
        }
        Ok(())
    }

    /// What the rows come to.
    ///
    /// # Errors
    /// 1690; those of making documents.
    pub(super) fn value(
        &self,
        part: &[Kept],
        frame: Extent,
        aggregate: &Aggregate,
        cx: &mut Cx<'_>,
    ) -> Result<Value> {
        debug_assert_eq!(self.held, frame);
        let state = match &self.sum {
            Sum::Count(count) => State::Count(*count),
            Sum::Decimal { sum, count } => State::Decimal { sum: sum.clone(), count: *count },
            Sum::Double { sum, count } => State::Double { sum: *sum, count: *count },
            Sum::Bits { set, count } => {
                let mut bits = 0;
                for (bit, set) in set.iter().enumerate() {
                    let is_set = match aggregate.function {
                        F::BitAnd => set == count,
                        F::BitOr => *set > 0,
                        _ => set % 2 == 1,
                    };
                    bits |= u64::from(is_set) << bit;
                }
                State::Bits(bits)
            }
            Sum::Extreme(rows) => {
                let best = rows.front().and_then(|row| self.operands(part, *row));
                return Ok(best.map_or(Value::Null, |best| best.value().clone()));
            }
            Sum::Whole(accumulator) => return accumulator.clone().finish(aggregate, cx),
        };
        Accumulator::of(state).finish(aggregate, cx)
    }
}

fn fresh(aggregate: &Aggregate, precise: bool) -> Sum {
    match aggregate.function {
        F::Count => Sum::Count(0),
        F::SumDecimal | F::AvgDecimal => Sum::Decimal { sum: Decimal::from(0i64), count: 0 },
        F::SumDouble | F::AvgDouble if !precise => Sum::Double { sum: 0.0, count: 0 },
        F::BitAnd | F::BitOr | F::BitXor if aggregate.is_of_bytes() => {
            Sum::Whole(Accumulator::new(aggregate))
        }
        F::BitAnd | F::BitOr | F::BitXor => Sum::Bits { set: Box::new([0; 64]), count: 0 },
        F::Min | F::Max => Sum::Extreme(VecDeque::new()),
        _ => Sum::Whole(Accumulator::new(aggregate)),
    }
}

fn for_each_bit(mut bits: u64, mut each: impl FnMut(usize)) {
    while bits != 0 {
        each(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}
