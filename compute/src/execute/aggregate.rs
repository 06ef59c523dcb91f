//! Aggregates over rows.

use std::collections::BTreeSet;

use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Comparison, Cx, Node, Result, Row, compared_value};
use firn_mysql_semantics::json;
use firn_mysql_semantics::{TypeKind, Value};

use super::concat::Concat;
use super::sort_key;
use crate::bind::{Aggregate, AggregateFunction as F};

mod stored;

/// What an aggregate has seen so far.
#[derive(Debug, Clone)]
pub(crate) struct Accumulator {
    state: State,
    /// Operands seen, of DISTINCT.
    seen: Option<BTreeSet<Vec<u8>>>,
}

/// What an aggregate has come to that was gathered over batches.
pub(crate) enum Accumulated {
    /// No row counted.
    Nothing,
    /// How many counted.
    Count(u64),
    /// The sum, and of how many.
    Decimal(Decimal, u64),
    /// The sum, and of how many.
    Double(f64, u64),
    /// The least or the greatest; NULL of none.
    Extreme(Value),
}

/// What one has come to.
#[derive(Debug, Clone)]
pub(super) enum State {
    Count(u64),
    Decimal {
        sum: Decimal,
        count: u64,
    },
    Double {
        sum: f64,
        count: u64,
    },
    Extreme(Option<(Vec<u8>, Value)>),
    Bits(u64),
    /// The same of strings of bytes, all of one length.
    Bytes(Option<Vec<u8>>),
    /// The mean so far, and the squares of the distances from it.
    Variance {
        count: u64,
        mean: f64,
        squares: f64,
    },
    Concat(Concat),
    Documents(Vec<Value>),
}

/// What a row gives to an aggregate.
#[derive(Debug, Clone)]
pub(crate) struct Operands {
    /// In the form that the aggregate takes.
    value: Value,
    /// Its place among others: of MIN and MAX, and of GROUP_CONCAT with an order.
    order: Vec<u8>,
    /// Equal ones are equal operands; of DISTINCT.
    same: Vec<u8>,
}

impl Operands {
    /// The value in the form that the aggregate takes.
    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// Its place among others, of MIN and MAX.
    pub(super) fn order(&self) -> &[u8] {
        &self.order
    }

    /// Memory that they need beside themselves, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let text = match &self.value {
            Value::Bytes(text) => text.len(),
            _ => 0,
        };
        text + self.order.len() + self.same.len()
    }
}

impl Aggregate {
    /// Whether equal operands count once: the least of several equal ones is the same.
    pub(super) fn counts_once(&self) -> bool {
        self.distinct && !matches!(self.function, F::Min | F::Max | F::BitAnd | F::BitOr)
    }

    /// BIT_AND, BIT_OR and BIT_XOR of strings of bytes.
    pub(super) fn is_of_bytes(&self) -> bool {
        matches!(self.function, F::BitAnd | F::BitOr | F::BitXor) && self.ty.kind.is_string()
    }

    /// What a row gives; `None` if it does not count.
    ///
    /// # Errors
    /// Those of evaluating the operands.
    pub(crate) fn operands(&self, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<Operands>> {
        let mut order = Vec::new();
        let value = match (self.function, &*self.args) {
            (F::Count, []) => Value::Null,
            (F::Count, args) => {
                for arg in args {
                    if arg.eval(cx, row)?.is_null() {
                        return Ok(None);
                    }
                }
                Value::Null
            }
            (F::Concat, args) => {
                let mut text = Vec::new();
                for arg in args {
                    let value = arg.run(cx, row)?;
                    let Some(part) = arg.text(&value)? else { return Ok(None) };
                    text.extend_from_slice(&part);
                }
                for key in &self.order_by {
                    let value = key.node.eval(cx, row)?;
                    sort_key::push_order(&value, &key.node.ty, key.descending, &mut order);
                }
                Value::Bytes(text.into())
            }
            (_, []) => return Ok(None),
            (F::BitAnd | F::BitOr | F::BitXor, [arg, ..]) if self.is_of_bytes() => {
                let value = arg.run(cx, row)?;
                arg.text(&value)?.map_or(Value::Null, Value::from)
            }
            (F::BitAnd | F::BitOr | F::BitXor, [arg, ..]) => {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let bits = |number: i128| Value::UInt(number as u64);
                arg.int(cx, row)?.map_or(Value::Null, bits)
            }
            (F::SumDecimal | F::AvgDecimal, [arg, ..]) => {
                operand(Comparison::Decimal, arg, cx, row)?
            }
            (F::SumDouble | F::AvgDouble | F::Variance { .. }, [arg, ..]) => {
                operand(Comparison::Double, arg, cx, row)?
            }
            (F::Min | F::Max, [arg, ..]) => {
                let value = arg.eval(cx, row)?;
                let (mut ty, mut value) = (arg.ty, value.into_owned());
                // ENUM and SET are their texts.
                if matches!(ty.kind, TypeKind::Enum | TypeKind::Set)
                    && let Some(text) = arg.text(&value)?
                {
                    (ty.kind, value) = (TypeKind::Varchar, Value::from(text));
                }
                sort_key::push(&value, &ty, false, &mut order);
                value
            }
            (F::JsonArray | F::JsonObject, [arg, ..]) => arg.eval(cx, row)?.into_owned(),
        };
        if value.is_null() && self.function != F::Count {
            return Ok(None);
        }
        let mut same = Vec::new();
        if self.counts_once() {
            for arg in &self.args {
                let value = arg.eval(cx, row)?;
                sort_key::push(&value, &arg.ty, false, &mut same);
            }
        }
        Ok(Some(Operands { value, order, same }))
    }
}

impl Accumulator {
    /// Nothing seen yet.
    pub(crate) fn new(aggregate: &Aggregate) -> Self {
        let state = match aggregate.function {
            F::Count => State::Count(0),
            F::SumDecimal | F::AvgDecimal => State::Decimal { sum: Decimal::from(0i64), count: 0 },
            F::SumDouble | F::AvgDouble => State::Double { sum: 0.0, count: 0 },
            F::Min | F::Max => State::Extreme(None),
            F::BitAnd | F::BitOr | F::BitXor if aggregate.is_of_bytes() => State::Bytes(None),
            F::BitAnd => State::Bits(u64::MAX),
            F::BitOr | F::BitXor => State::Bits(0),
            F::Variance { .. } => State::Variance { count: 0, mean: 0.0, squares: 0.0 },
            F::Concat => State::Concat(Concat::new(!aggregate.order_by.is_empty())),
            F::JsonArray | F::JsonObject => State::Documents(Vec::new()),
        };
        Self { state, seen: aggregate.counts_once().then(BTreeSet::new) }
    }

    /// One that was gathered over batches.
    pub(super) fn gathered(aggregate: &Aggregate, accumulated: Accumulated) -> Self {
        Self::of(match accumulated {
            Accumulated::Nothing | Accumulated::Extreme(Value::Null) => {
                return Self::new(aggregate);
            }
            Accumulated::Count(count) => State::Count(count),
            Accumulated::Decimal(sum, count) => State::Decimal { sum, count },
            Accumulated::Double(sum, count) => State::Double { sum, count },
            // There is nothing left to compare it with.
            Accumulated::Extreme(value) => State::Extreme(Some((Vec::new(), value))),
        })
    }

    /// One that was gathered elsewhere.
    pub(super) fn of(state: State) -> Self {
        Self { state, seen: None }
    }

    /// Takes in a row. Gives the bytes that are held for it.
    ///
    /// # Errors
    /// 1690 for a sum of too many digits.
    pub(crate) fn add(
        &mut self,
        aggregate: &Aggregate,
        operands: Option<Operands>,
        cx: &Cx<'_>,
    ) -> Result<usize> {
        let Some(mut operands) = operands else { return Ok(0) };
        let mut held = 0;
        if let Some(seen) = &mut self.seen {
            held = operands.same.len() + 48;
            if !seen.insert(std::mem::take(&mut operands.same)) {
                return Ok(0);
            }
        }
        Ok(held + self.add_new(aggregate, operands, cx)?)
    }

    /// Takes in a row whose operands count. Gives the bytes that are held for it.
    ///
    /// # Errors
    /// 1690 for a sum of too many digits.
    pub(super) fn add_new(
        &mut self,
        aggregate: &Aggregate,
        operands: Operands,
        cx: &Cx<'_>,
    ) -> Result<usize> {
        let Operands { value, order, .. } = operands;
        let mut held = 0;
        match (&mut self.state, value) {
            (State::Count(count), _) => *count += 1,
            (State::Decimal { sum, count }, Value::Decimal(value)) => {
                *sum = sum.add(&value).map_err(|_| overflow())?;
                *count += 1;
            }
            (State::Double { sum, count }, Value::Double(value)) => {
                *sum += value;
                *count += 1;
            }
            (State::Variance { count, mean, squares }, Value::Double(value)) => {
                *count += 1;
                let before = value - *mean;
                #[allow(clippy::cast_precision_loss, reason = "as MySQL divides")]
                let step = before / *count as f64;
                *mean += step;
                *squares += before * (value - *mean);
            }
            (State::Extreme(best), value) => {
                let better = best.as_ref().is_none_or(|(old, _)| {
                    if aggregate.function == F::Min { order < *old } else { order > *old }
                });
                if better {
                    *best = Some((order, value));
                }
            }
            (State::Bits(bits), Value::UInt(number)) => match aggregate.function {
                F::BitAnd => *bits &= number,
                F::BitOr => *bits |= number,
                _ => *bits ^= number,
            },
            (State::Bytes(None), Value::Bytes(bytes)) => {
                held += bytes.len();
                self.state = State::Bytes(Some(bytes.to_vec()));
            }
            (State::Bytes(Some(all)), Value::Bytes(bytes)) => {
                if all.len() != bytes.len() {
                    return Err(SqlError::new(code::ER_INVALID_BITWISE_OPERANDS_SIZE, &[]));
                }
                for (all, byte) in all.iter_mut().zip(bytes.iter()) {
                    match aggregate.function {
                        F::BitAnd => *all &= byte,
                        F::BitOr => *all |= byte,
                        _ => *all ^= byte,
                    }
                }
            }
            (State::Concat(concat), Value::Bytes(text)) => {
                held += concat.add(text.to_vec(), order, &aggregate.separator, cx);
            }
            (State::Documents(all), value) => {
                held += match &value {
                    Value::Bytes(bytes) => bytes.len() + 32,
                    _ => 32,
                };
                all.push(value);
            }
            _ => {}
        }
        Ok(held)
    }

    /// The result.
    ///
    /// # Errors
    /// 1690 if it has too many digits.
    pub(crate) fn finish(self, aggregate: &Aggregate, cx: &mut Cx<'_>) -> Result<Value> {
        let increment = cx.settings.div_precision_increment;
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
                Value::Double(shown_sum(sum) / count as f64)
            }
            State::Double { sum, .. } => Value::Double(shown_sum(sum)),
            State::Variance { count, squares, .. } => {
                let F::Variance { sample, root } = aggregate.function else {
                    return Ok(Value::Null);
                };
                match count.checked_sub(u64::from(sample)).filter(|divisor| *divisor > 0) {
                    Some(divisor) => {
                        let variance = squares / divisor as f64;
                        Value::Double(if root { variance.sqrt() } else { variance })
                    }
                    None => Value::Null,
                }
            }
            State::Extreme(best) => best.map_or(Value::Null, |(_, value)| value),
            State::Bits(bits) => Value::UInt(bits),
            State::Bytes(Some(bytes)) => Value::from(bytes),
            State::Bytes(None) => {
                let none = if aggregate.function == F::BitAnd { 0xff } else { 0 };
                let bytes = usize::try_from(aggregate.ty.length.saturating_sub(1)).unwrap_or(0);
                Value::from(vec![none; bytes])
            }
            State::Concat(concat) => concat.finish(aggregate, cx),
            State::Documents(all) if all.is_empty() => Value::Null,
            State::Documents(all) => {
                let object = aggregate.function == F::JsonObject;
                Value::from(joined(&all, object).map_err(|error| {
                    SqlError::with_message(code::ER_INVALID_JSON_TEXT, error.to_string())
                })?)
            }
        })
    }
}

/// One document of the contents of several.
fn joined(all: &[Value], object: bool) -> std::result::Result<Vec<u8>, json::JsonError> {
    let mut builder = json::Builder::new();
    if object {
        builder.begin_object()?;
    } else {
        builder.begin_array()?;
    }
    for value in all {
        let Value::Bytes(bytes) = value else { continue };
        let root = json::JsonRef::open(bytes)?;
        if let Some(members) = root.as_object()? {
            for member in members.iter() {
                let (name, value) = member?;
                builder.name(name);
                builder.value(value)?;
            }
        } else if let Some(elements) = root.as_array()? {
            for element in elements.iter() {
                builder.value(element?)?;
            }
        }
    }
    builder.end()?;
    Ok(builder.finish()?.into_bytes())
}

fn operand(with: Comparison, arg: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Value> {
    Ok(compared_value(with, arg, arg, cx, row)?.unwrap_or(Value::Null))
}

/// A sum in floating point as it is shown: what no double holds is zero.
pub(crate) fn shown_sum(sum: f64) -> f64 {
    if sum.is_finite() { sum } else { 0.0 }
}

/// 1690 for a sum of too many digits.
pub(crate) fn overflow() -> SqlError {
    SqlError::new(code::ER_DATA_OUT_OF_RANGE, &["DECIMAL".into(), "sum".into()])
}
