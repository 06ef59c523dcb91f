//! Aggregates over rows.

use std::collections::BTreeSet;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Comparison, Cx, Node, Result, Row, compared_value};

use super::sort_key;
use crate::bind::{Aggregate, AggregateFunction as F};

/// What an aggregate has seen so far.
#[derive(Debug)]
pub(crate) struct Accumulator {
    state: State,
    /// Operands seen, of DISTINCT.
    seen: Option<BTreeSet<Vec<u8>>>,
}

#[derive(Debug)]
enum State {
    Count(u64),
    Decimal { sum: Decimal, count: u64 },
    Double { sum: f64, count: u64 },
    Extreme(Option<(Vec<u8>, Value)>),
    Bits(u64),
}

impl Accumulator {
    /// Nothing seen yet.
    pub(crate) fn new(aggregate: &Aggregate) -> Self {
        let state = match aggregate.function {
            F::Count => State::Count(0),
            F::SumDecimal | F::AvgDecimal => State::Decimal { sum: Decimal::from(0i64), count: 0 },
            F::SumDouble | F::AvgDouble => State::Double { sum: 0.0, count: 0 },
            F::Min | F::Max => State::Extreme(None),
            F::BitAnd => State::Bits(u64::MAX),
            F::BitOr | F::BitXor => State::Bits(0),
        };
        // The least of several equal ones is the same.
        let counts = !matches!(aggregate.function, F::Min | F::Max | F::BitAnd | F::BitOr);
        let seen = (aggregate.distinct && counts).then(BTreeSet::new);
        Self { state, seen }
    }

    /// Takes in a row. Gives the bytes that are held for it.
    ///
    /// # Errors
    /// Those of evaluating the operands.
    pub(crate) fn add(
        &mut self,
        aggregate: &Aggregate,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<usize> {
        let mut held = 0;
        if let Some(seen) = &mut self.seen {
            let mut key = Vec::new();
            for arg in &aggregate.args {
                let value = arg.eval(cx, row)?;
                if value.is_null() {
                    return Ok(0);
                }
                sort_key::push(&value, &arg.ty, false, &mut key);
            }
            held = key.len() + 48;
            if !seen.insert(key) {
                return Ok(0);
            }
        }
        let Some(arg) = aggregate.args.first() else {
            if let State::Count(count) = &mut self.state {
                *count += 1;
            }
            return Ok(held);
        };
        match &mut self.state {
            State::Count(count) => {
                for arg in &aggregate.args {
                    if arg.eval(cx, row)?.is_null() {
                        return Ok(held);
                    }
                }
                *count += 1;
            }
            State::Decimal { sum, count } => {
                if let Value::Decimal(value) = operand(Comparison::Decimal, arg, cx, row)? {
                    *sum = sum.add(&value).map_err(|_| overflow())?;
                    *count += 1;
                }
            }
            State::Double { sum, count } => {
                if let Value::Double(value) = operand(Comparison::Double, arg, cx, row)? {
                    *sum += value;
                    *count += 1;
                }
            }
            State::Extreme(best) => {
                let value = arg.eval(cx, row)?;
                if value.is_null() {
                    return Ok(held);
                }
                let mut key = Vec::with_capacity(24);
                sort_key::push(&value, &arg.ty, false, &mut key);
                let better = best.as_ref().is_none_or(|(old, _)| {
                    if aggregate.function == F::Min { key < *old } else { key > *old }
                });
                if better {
                    // ENUM and SET are given by their texts.
                    let value = match arg.text(&value)? {
                        Some(text) if value_is_member(arg) => Value::from(text),
                        _ => value.into_owned(),
                    };
                    *best = Some((key, value));
                }
            }
            State::Bits(bits) => {
                let value = match operand(Comparison::Decimal, arg, cx, row)? {
                    Value::Decimal(value) => value,
                    _ => return Ok(held),
                };
                let number = match value
                    .round(0, firn_mysql_semantics::decimal::Rounding::HalfUp)
                    .and_then(|whole| whole.to_i128())
                {
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    Some((number, _)) => {
                        number.clamp(i128::from(i64::MIN), i128::from(u64::MAX)) as u64
                    }
                    None => u64::MAX,
                };
                match aggregate.function {
                    F::BitAnd => *bits &= number,
                    F::BitOr => *bits |= number,
                    _ => *bits ^= number,
                }
            }
        }
        Ok(held)
    }

    /// The result.
    ///
    /// # Errors
    /// 1690 if it has too many digits.
    pub(crate) fn finish(self, aggregate: &Aggregate, increment: u8) -> Result<Value> {
        #[allow(clippy::cast_precision_loss, reason = "as MySQL divides")]
        Ok(match self.state {
            #[allow(clippy::cast_possible_wrap, reason = "fewer rows than that")]
            State::Count(count) => Value::Int(count as i64),
            State::Decimal { count: 0, .. } | State::Double { count: 0, .. } => Value::Null,
            State::Decimal { sum, count } if aggregate.function == F::AvgDecimal => {
                let scale = aggregate.ty.decimals;
                let average = sum.div(&Decimal::from(count), increment, scale);
                Value::Decimal(average.map_err(|_| overflow())?)
            }
            State::Decimal { sum, .. } => Value::Decimal(sum),
            State::Double { sum, count } if aggregate.function == F::AvgDouble => {
                Value::Double(sum / count as f64)
            }
            State::Double { sum, .. } if !sum.is_finite() => return Err(overflow()),
            State::Double { sum, .. } => Value::Double(sum),
            State::Extreme(best) => best.map_or(Value::Null, |(_, value)| value),
            State::Bits(bits) => Value::UInt(bits),
        })
    }
}

fn value_is_member(arg: &Node) -> bool {
    use firn_mysql_semantics::TypeKind;
    matches!(arg.ty.kind, TypeKind::Enum | TypeKind::Set)
}

fn operand(with: Comparison, arg: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Value> {
    Ok(compared_value(with, arg, arg, cx, row)?.unwrap_or(Value::Null))
}

fn overflow() -> SqlError {
    SqlError::new(code::ER_DATA_OUT_OF_RANGE, &["DECIMAL".into(), "sum".into()])
}
