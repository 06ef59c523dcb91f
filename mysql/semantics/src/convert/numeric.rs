//! Numbers: integers, DECIMAL, FLOAT, DOUBLE, BIT, YEAR.

use super::{Column, Number, StoreContext, ascii, number, whole_number};
use crate::decimal::{Decimal, Fit, ParseStatus, Rounding};
use crate::error::SqlError;
use crate::number::{
    IntegerRange, NumberStatus, Prefix, RoundedInteger, bit_width_mask, double_to_i64,
    double_to_u64, number_of_bytes, only_spaces, parse_double_prefix, parse_integer_rounded,
    year_from_number,
};
use crate::types::{NOT_FIXED_DECIMALS, SqlType, TypeKind};
use crate::value::Value;

/// A result, and whether it is the nearest end of a range.
type Clamped<T> = Result<T, T>;

pub(super) fn integer(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    bytes: u8,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let range = IntegerRange::new(bytes, column.ty.unsigned);
    let unsigned = column.ty.unsigned;
    if let Value::Bytes(text) = value {
        let mut wide = Vec::new();
        let text = ascii(text, from, &mut wide)?;
        let read = parse_integer_rounded(text, unsigned);
        let clamped = match read.value {
            RoundedInteger::Signed(number) => {
                range.fit_i64(number).map(Value::Int).map_err(Value::Int)
            }
            RoundedInteger::Unsigned(number) => {
                range.fit_u64(number).map(Value::UInt).map_err(Value::UInt)
            }
        };
        return match (clamped, read.status) {
            (Ok(stored), NumberStatus::Read | NumberStatus::NoNumber) => {
                garbage(text, from, &read, column, cx)?;
                Ok(stored)
            }
            (Ok(stored) | Err(stored), _) => {
                cx.out_of_range(column)?;
                Ok(stored)
            }
        };
    }
    let number = match whole_number(value, from) {
        // What is beyond 64 bits warns of that first.
        Number::Decimal(number) if unsigned => match number.to_u64(Rounding::HalfUp) {
            Ok(number) => Number::UInt(number),
            Err(limit) => {
                cx.out_of_range(column)?;
                Number::UInt(limit)
            }
        },
        Number::Decimal(number) => match number.to_i64(Rounding::HalfUp) {
            Ok(number) => Number::Int(number),
            Err(limit) => {
                cx.out_of_range(column)?;
                Number::Int(limit)
            }
        },
        other => other,
    };
    let stored: Clamped<Value> = if unsigned {
        let fitted = match number {
            Number::Int(number) => match u64::try_from(number) {
                Ok(number) => range.fit_u64(number),
                Err(_) => Err(0),
            },
            Number::UInt(number) => range.fit_u64(number),
            Number::Double(number) => match double_to_u64(number) {
                Ok(number) => range.fit_u64(number),
                Err(limit) => Err(limit.min(range.max)),
            },
            Number::Decimal(_) => Ok(0),
        };
        fitted.map(Value::UInt).map_err(Value::UInt)
    } else {
        let fitted = match number {
            Number::Int(number) => range.fit_i64(number),
            Number::UInt(number) => match range.fit_u64(number) {
                Ok(number) | Err(number) if number > range.max => Err(range.max as i64),
                Ok(number) => Ok(number as i64),
                Err(limit) => Err(limit as i64),
            },
            Number::Double(number) => match double_to_i64(number) {
                Ok(number) => range.fit_i64(number),
                Err(limit) => Err(range.fit_i64(limit).unwrap_or_else(|limit| limit)),
            },
            Number::Decimal(_) => Ok(0),
        };
        fitted.map(Value::Int).map_err(Value::Int)
    };
    clamped(stored, column, cx)
}

fn clamped(
    stored: Clamped<Value>,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    if stored.is_err() {
        cx.out_of_range(column)?;
    }
    let (Ok(stored) | Err(stored)) = stored;
    Ok(stored)
}

/// Warns of a text that is no number, or goes on after one.
fn garbage<T>(
    text: &[u8],
    from: &SqlType,
    read: &Prefix<T>,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<(), SqlError> {
    if read.status == NumberStatus::NoNumber {
        return cx.incorrect("integer", text, from, column);
    }
    if only_spaces(&text[read.consumed..]) { Ok(()) } else { cx.truncated(column) }
}

pub(super) fn decimal(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let (precision, scale) = (column.ty.precision().min(65) as u8, column.ty.decimals);
    let mut range_warned = false;
    let number = if let Value::Bytes(text) = value {
        let mut wide = Vec::new();
        let text = ascii(text, from, &mut wide)?;
        let parsed = Decimal::parse_prefix(text);
        let garbage = !only_spaces(&text[parsed.consumed..]);
        let refused = garbage || parsed.status == ParseStatus::Overflow;
        if parsed.status == ParseStatus::NoNumber || (refused && cx.strict) {
            cx.incorrect("decimal", text, from, column)?;
        } else if parsed.status == ParseStatus::Overflow {
            cx.out_of_range(column)?;
            range_warned = true;
        } else if garbage || parsed.status == ParseStatus::Truncated {
            cx.note_truncated(column);
        }
        parsed.value
    } else {
        match number(value, from) {
            Number::Int(number) => Decimal::from(number),
            Number::UInt(number) => Decimal::from(number),
            Number::Decimal(number) => number,
            Number::Double(number) => {
                let parsed = Decimal::from_f64(number);
                if parsed.status == ParseStatus::Overflow {
                    cx.out_of_range(column)?;
                    range_warned = true;
                }
                parsed.value
            }
        }
    };
    if column.ty.unsigned && number.is_negative() {
        if !range_warned {
            cx.out_of_range(column)?;
        }
        return Ok(Value::Decimal(Decimal::ZERO.fit(precision, scale).0));
    }
    let (stored, fit) = number.fit(precision, scale);
    match fit {
        Fit::Exact => {}
        Fit::Rounded => cx.note_truncated(column),
        Fit::OutOfRange if range_warned => {}
        Fit::OutOfRange => cx.out_of_range(column)?,
    }
    Ok(Value::Decimal(stored))
}

pub(super) fn double(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let float = column.ty.kind == TypeKind::Float;
    let mut number = if let Value::Bytes(text) = value {
        let mut wide = Vec::new();
        let text = ascii(text, from, &mut wide)?;
        let read = parse_double_prefix(text);
        if read.status == NumberStatus::OutOfRange {
            cx.out_of_range(column)?;
        } else if read.status == NumberStatus::NoNumber || !only_spaces(&text[read.consumed..]) {
            cx.incorrect(if float { "FLOAT" } else { "DOUBLE" }, text, from, column)?;
        }
        read.value
    } else {
        match number(value, from) {
            Number::Int(number) => number as f64,
            Number::UInt(number) => number as f64,
            Number::Double(number) => number,
            Number::Decimal(number) => number.to_f64(),
        }
    };
    let mut limit = if float { f64::from(f32::MAX) } else { f64::MAX };
    if column.ty.decimals < NOT_FIXED_DECIMALS {
        // FLOAT(M, D) and DOUBLE(M, D).
        let scale = 10_f64.powi(i32::from(column.ty.decimals));
        let whole = column.ty.length.saturating_sub(u32::from(column.ty.decimals));
        limit = limit.min(10_f64.powi(whole.min(308) as i32) - 1.0 / scale);
        let fraction = number - number.floor();
        number = number.floor() + (fraction * scale).round_ties_even() / scale;
    }
    let low = if column.ty.unsigned { 0.0 } else { -limit };
    if number < low || number > limit {
        cx.out_of_range(column)?;
        number = number.clamp(low, limit);
    }
    Ok(if float { Value::Float(number as f32) } else { Value::Double(number) })
}

pub(super) fn bit(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let mask = bit_width_mask(column.ty.length.clamp(1, 64) as u8);
    let bits = match value {
        Value::Bytes(bytes) => {
            let significant = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
            let fits = bytes.len() - significant <= 8;
            fits.then(|| number_of_bytes(bytes))
        }
        Value::Date(_) | Value::Time(_) | Value::DateTime(_) => None,
        _ => Some(match number(value, from) {
            Number::Int(number) => number as u64,
            Number::UInt(number) => number,
            // Cut, not rounded.
            Number::Double(number) => number as i64 as u64,
            Number::Decimal(number) => match number.to_u64(Rounding::HalfUp) {
                Ok(number) => number,
                Err(limit) => {
                    cx.out_of_range(column)?;
                    limit
                }
            },
        }),
    };
    match bits {
        Some(bits) if bits <= mask => Ok(Value::UInt(bits)),
        _ => {
            let lenient = SqlError::out_of_range_column(column.name, cx.row);
            cx.too_long(column, lenient)?;
            Ok(Value::UInt(mask))
        }
    }
}

pub(super) fn year(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let number = match value {
        Value::Bytes(text) => {
            let mut wide = Vec::new();
            let text = ascii(text, from, &mut wide)?;
            return year_of_text(text, from, column, cx);
        }
        Value::Date(date) => i64::from(date.year()),
        Value::DateTime(value) => i64::from(value.date().year()),
        Value::Time(_) => i64::from(cx.today.year()),
        _ => match number(value, from) {
            Number::Int(number) => number,
            Number::UInt(number) => i64::try_from(number).unwrap_or(i64::MAX),
            // Cut, not rounded.
            Number::Double(number) => number as i64,
            Number::Decimal(number) => match number.to_i64(Rounding::HalfUp) {
                Ok(number) => number,
                Err(limit) => {
                    cx.out_of_range(column)?;
                    limit
                }
            },
        },
    };
    match year_from_number(number) {
        Some(year) => Ok(Value::UInt(u64::from(year))),
        None => {
            cx.out_of_range(column)?;
            Ok(Value::UInt(0))
        }
    }
}

fn year_of_text(
    text: &[u8],
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let read = parse_integer_rounded(text, false);
    let RoundedInteger::Signed(number) = read.value else { return Ok(Value::UInt(0)) };
    let year = year_from_number(number).filter(|_| read.status != NumberStatus::OutOfRange);
    let Some(year) = year else {
        cx.out_of_range(column)?;
        return Ok(Value::UInt(0));
    };
    if read.status == NumberStatus::NoNumber {
        cx.incorrect("integer", text, from, column)?;
        return Ok(Value::UInt(0));
    }
    garbage(text, from, &read, column, cx)?;
    // Only a text of four bytes means the year 0000.
    let year = if number == 0 && text.len() != 4 { 2000 } else { year };
    Ok(Value::UInt(u64::from(year)))
}
