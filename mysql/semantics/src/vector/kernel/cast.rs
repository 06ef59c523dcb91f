//! Numbers from one kind to another.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, UInt64Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;

use super::decimal::{Scaled, decimal_array};
use super::numbers::{Ints, Side, double_array, signed, signed_array, test, unsigned_array};
use super::{ByRows, Change, Outcome, Vector, ints_of_truths, truths_of};
use crate::decimal::{Decimal, Rounding};
use crate::number;
use crate::value::Value;

pub(super) fn change(change: Change, vector: &Vector) -> Outcome<Vector> {
    let array = match vector {
        Vector::One(Value::Null) => return Ok(Vector::One(Value::Null)),
        Vector::One(Value::UInt(value)) if change == (Change::Wrap { unsigned: false }) => {
            return Ok(Vector::One(Value::Int(value.cast_signed())));
        }
        Vector::One(Value::Int(_)) if change == (Change::Wrap { unsigned: false }) => {
            return Ok(vector.clone());
        }
        Vector::One(_) => return Err(ByRows),
        Vector::Many(array) => array,
    };
    let nulls = array.nulls().cloned();
    Ok(match change {
        Change::Round { unsigned } => return rounded(array, unsigned),
        Change::Fit { precision, scale } => return fitted(vector, array, precision, scale),
        Change::TruthToInt => Vector::Many(ints_of_truths(truths_of(vector)?)),
        Change::ToTruth => Vector::truths(BooleanArray::new(not_zero(array)?, nulls)),
        Change::ToDouble => match array.data_type() {
            DataType::Float64 => vector.clone(),
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>().values();
                double_array(values.iter().map(|value| f64::from(*value)).collect(), nulls)
            }
            DataType::Decimal128(_, scale) => {
                let scale = u8::try_from(*scale).map_err(|_| ByRows)?;
                let values = array.as_primitive::<Decimal128Type>().values();
                let double = |mantissa: &i128| Decimal::new(*mantissa, scale).map(|v| v.to_f64());
                let values = values.iter().map(double).collect::<Option<Vec<f64>>>();
                double_array(values.ok_or(ByRows)?, nulls)
            }
            DataType::UInt64 => {
                let values = array.as_primitive::<UInt64Type>().values();
                double_array(values.iter().map(|value| *value as f64).collect(), nulls)
            }
            _ => {
                let values = signed(array)?;
                double_array(values.iter().map(|value| *value as f64).collect(), nulls)
            }
        },
        #[allow(clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "wraps as CAST does")]
        Change::Wrap { unsigned } => match (Ints::of(vector)?, unsigned) {
            (Ints::Signed(Side::Many(values)), false) => {
                Vector::Many(Arc::new(Int64Array::new(values, nulls)))
            }
            (Ints::Unsigned(Side::Many(values)), true) => {
                Vector::Many(Arc::new(UInt64Array::new(values, nulls)))
            }
            (Ints::Signed(Side::Many(values)), true) => {
                unsigned_array(values.iter().map(|value| *value as u64).collect(), nulls)
            }
            (Ints::Unsigned(Side::Many(values)), false) => {
                signed_array(values.iter().map(|value| *value as i64).collect(), nulls)
            }
            _ => return Err(ByRows),
        },
    })
}

fn not_zero(array: &ArrayRef) -> Outcome<BooleanBuffer> {
    let rows = array.len();
    let some = |values: Side<i64>| test(&values, &Side::One(0), rows, |a, b| a != b);
    Ok(match array.data_type() {
        DataType::UInt64 => {
            let values = array.as_primitive::<UInt64Type>().values().clone();
            test(&Side::Many(values), &Side::One(0), rows, |a, b| a != b)
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values().clone();
            test(&Side::Many(values), &Side::One(0.0), rows, |a, b| a != b)
        }
        DataType::Decimal128(..) => {
            let values = array.as_primitive::<Decimal128Type>().values().clone();
            test(&Side::Many(values), &Side::One(0), rows, |a, b| a != b)
        }
        _ => some(Side::Many(signed(array)?)),
    })
}

/// CAST of doubles and decimals to integers. Those out of the range warn.
#[allow(clippy::cast_sign_loss, reason = "wraps as CAST does")]
fn rounded(array: &ArrayRef, unsigned: bool) -> Outcome<Vector> {
    let nulls = array.nulls().cloned();
    let mut out: Vec<i64> = Vec::with_capacity(array.len());
    match array.data_type() {
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            for (at, value) in values.iter().enumerate() {
                let value = if array.is_null(at) { 0.0 } else { *value };
                out.push(number::double_to_i64(value).map_err(|_| ByRows)?);
            }
        }
        DataType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).map_err(|_| ByRows)?;
            let values = array.as_primitive::<Decimal128Type>().values();
            for (at, mantissa) in values.iter().enumerate() {
                if array.is_null(at) {
                    out.push(0);
                    continue;
                }
                let value = Decimal::new(*mantissa, scale).ok_or(ByRows)?;
                out.push(if unsigned && !value.is_negative() {
                    value.to_u64(Rounding::HalfUp).map_err(|_| ByRows)? as i64
                } else {
                    value.to_i64(Rounding::HalfUp).map_err(|_| ByRows)?
                });
            }
        }
        _ => return Err(ByRows),
    }
    Ok(if unsigned {
        unsigned_array(out.into_iter().map(|value| value as u64).collect(), nulls)
    } else {
        signed_array(out, nulls)
    })
}

/// CAST of integers and decimals to DECIMAL; what does not fit warns.
fn fitted(vector: &Vector, array: &ArrayRef, precision: u8, scale: u8) -> Outcome<Vector> {
    let from = Scaled::of(vector)?;
    let Side::Many(values) = &from.mantissas else { return Err(ByRows) };
    let power = |by: u8| 10_i128.checked_pow(by.into()).ok_or(ByRows);
    let end = power(precision)?;
    let (up, down) = match scale.checked_sub(from.scale) {
        Some(by) => (power(by)?, 1),
        None => (1, power(from.scale - scale)?),
    };
    let mut out = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        let fits = value.checked_mul(up).map(|value| {
            let (whole, rest) = (value / down, value % down);
            // Halves away from zero.
            let more = i128::from(rest.unsigned_abs() >= down.unsigned_abs() - rest.unsigned_abs());
            whole + if rest == 0 { 0 } else { more * rest.signum() }
        });
        out.push(match fits.filter(|value| -end < *value && *value < end) {
            Some(value) => value,
            None if array.is_null(at) => 0,
            None => return Err(ByRows),
        });
    }
    decimal_array(out, scale, array.nulls().cloned())
}
