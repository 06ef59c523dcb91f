//! Decimals of up to 38 digits, in 128 bits.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, Decimal128Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::DataType;

use super::arith::Zeros;
use super::numbers::{Ints, Side, either_null, test, zip};
use super::{ByRows, Outcome, Run, Vector};
use crate::decimal::Decimal;
use crate::expr::{ArithOp, CompareOp};
use crate::value::Value;

/// Digits of every Decimal128 that kernels make; what is promised is set at the end.
const DIGITS: u8 = 38;

/// Numbers as mantissas of one scale.
pub(super) struct Scaled {
    pub(super) mantissas: Side<i128>,
    pub(super) scale: u8,
}

impl Scaled {
    pub(super) fn of(vector: &Vector) -> Outcome<Scaled> {
        Ok(match vector {
            Vector::One(Value::Decimal(value)) => {
                let (mantissa, scale) = value.to_i128().ok_or(ByRows)?;
                Scaled { mantissas: Side::One(mantissa), scale }
            }
            Vector::Many(array) => match array.data_type() {
                DataType::Decimal128(_, scale) => Scaled {
                    mantissas: Side::Many(array.as_primitive::<Decimal128Type>().values().clone()),
                    scale: u8::try_from(*scale).map_err(|_| ByRows)?,
                },
                _ => {
                    let ints = Ints::of(vector)?;
                    let values: Vec<i128> = (0..array.len()).map(|at| ints.get(at)).collect();
                    Scaled { mantissas: Side::Many(values.into()), scale: 0 }
                }
            },
            Vector::One(_) => {
                let value = match Ints::of(vector)? {
                    Ints::Signed(Side::One(value)) => i128::from(value),
                    Ints::Unsigned(Side::One(value)) => i128::from(value),
                    _ => return Err(ByRows),
                };
                Scaled { mantissas: Side::One(value), scale: 0 }
            }
        })
    }

    /// With at least so many digits after the point. What is NULL may overflow.
    fn at_scale(self, scale: u8) -> Outcome<Side<i128>> {
        let by = scale.checked_sub(self.scale).ok_or(ByRows)?;
        if by == 0 {
            return Ok(self.mantissas);
        }
        let power = 10_i128.checked_pow(by.into()).ok_or(ByRows)?;
        Ok(match self.mantissas {
            Side::One(value) => Side::One(value.checked_mul(power).ok_or(ByRows)?),
            Side::Many(values) => {
                let mut over = false;
                let out: Vec<i128> = values
                    .iter()
                    .map(|value| {
                        let (product, too_large) = value.overflowing_mul(power);
                        over |= too_large;
                        product
                    })
                    .collect();
                if over {
                    return Err(ByRows);
                }
                Side::Many(out.into())
            }
        })
    }
}

pub(super) fn decimal_array(
    values: Vec<i128>,
    scale: u8,
    nulls: Option<NullBuffer>,
) -> Outcome<Vector> {
    let array = Decimal128Array::new(values.into(), nulls);
    let array = array.with_precision_and_scale(DIGITS, scale as i8).map_err(|_| ByRows)?;
    Ok(Vector::Many(Arc::new(array)))
}

/// The result has `decimals` digits after the point.
pub(super) fn arith(
    op: ArithOp,
    decimals: u8,
    left: &Vector,
    right: &Vector,
    run: &mut Run<'_>,
    selection: Option<&BooleanBuffer>,
) -> Outcome<Vector> {
    if left.is_null() || right.is_null() {
        return Ok(Vector::One(Value::Null));
    }
    let (a, b) = (Scaled::of(left)?, Scaled::of(right)?);
    let nulls = either_null(left, right);
    if !matches!(op, ArithOp::Add | ArithOp::Subtract | ArithOp::Multiply) {
        return divided(op, decimals, &a, &b, nulls, run, selection);
    }
    let scale = match op {
        ArithOp::Multiply => a.scale.checked_add(b.scale).ok_or(ByRows)?,
        _ => a.scale.max(b.scale),
    };
    // Other scales are rounded, or change what the result prints as.
    if scale != decimals {
        return Err(ByRows);
    }
    let mut over = false;
    let mut keep = |(value, too_large): (i128, bool)| {
        over |= too_large;
        value
    };
    let rows = run.rows;
    let out = match op {
        ArithOp::Multiply => {
            zip(&a.mantissas, &b.mantissas, rows, |a, b| keep(a.overflowing_mul(b)))
        }
        ArithOp::Add | ArithOp::Subtract => {
            let (a, b) = (a.at_scale(scale)?, b.at_scale(scale)?);
            match op {
                ArithOp::Add => zip(&a, &b, rows, |a, b| keep(a.overflowing_add(b))),
                _ => zip(&a, &b, rows, |a, b| keep(a.overflowing_sub(b))),
            }
        }
        _ => return Err(ByRows),
    };
    if over {
        return Err(ByRows);
    }
    decimal_array(out, scale, nulls)
}

/// `/` and `%`, number by number.
fn divided(
    op: ArithOp,
    decimals: u8,
    a: &Scaled,
    b: &Scaled,
    nulls: Option<NullBuffer>,
    run: &mut Run<'_>,
    selection: Option<&BooleanBuffer>,
) -> Outcome<Vector> {
    let increment = run.execution.settings.div_precision_increment;
    let mut out = Vec::with_capacity(run.rows);
    let mut zeros = Zeros::default();
    for at in 0..run.rows {
        let divisor = b.mantissas.get(at);
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
            out.push(0);
            continue;
        }
        if divisor == 0 {
            zeros.push(at, selection);
            out.push(0);
            continue;
        }
        let x = Decimal::new(a.mantissas.get(at), a.scale).ok_or(ByRows)?;
        let y = Decimal::new(divisor, b.scale).ok_or(ByRows)?;
        let quotient = match op {
            ArithOp::Divide => x.div(&y, increment, decimals),
            ArithOp::Modulo => x.rem(&y),
            _ => return Err(ByRows),
        };
        let (mantissa, scale) = quotient.map_err(|_| ByRows)?.to_i128().ok_or(ByRows)?;
        let by = decimals.checked_sub(scale).ok_or(ByRows)?;
        let raised = 10_i128.checked_pow(by.into()).and_then(|power| mantissa.checked_mul(power));
        out.push(raised.ok_or(ByRows)?);
    }
    let nulls = zeros.settle(nulls, run);
    decimal_array(out, decimals, nulls)
}

pub(super) fn negate(vector: &Vector) -> Outcome<Vector> {
    let Scaled { mantissas: Side::Many(values), scale } = Scaled::of(vector)? else {
        return Err(ByRows);
    };
    let values = values.iter().map(|value| value.wrapping_neg()).collect();
    decimal_array(values, scale, vector.nulls().cloned())
}

/// The truths of a comparison.
pub(super) fn compare(
    op: CompareOp,
    left: &Vector,
    right: &Vector,
    rows: usize,
) -> Outcome<BooleanBuffer> {
    let (a, b) = (Scaled::of(left)?, Scaled::of(right)?);
    let scale = a.scale.max(b.scale);
    let (a, b) = (a.at_scale(scale)?, b.at_scale(scale)?);
    Ok(match op {
        CompareOp::Eq | CompareOp::NullSafeEq => test(&a, &b, rows, |a, b| a == b),
        CompareOp::Ne => test(&a, &b, rows, |a, b| a != b),
        CompareOp::Lt => test(&a, &b, rows, |a, b| a < b),
        CompareOp::Le => test(&a, &b, rows, |a, b| a <= b),
        CompareOp::Gt => test(&a, &b, rows, |a, b| a > b),
        CompareOp::Ge => test(&a, &b, rows, |a, b| a >= b),
    })
}

/// The fewest digits, so that `1.50` is compared with a column of one decimal.
pub(super) fn shortened(value: &Value) -> Value {
    match value {
        Value::Decimal(value) => Value::Decimal(Decimal::normalized(value)),
        other => other.clone(),
    }
}
