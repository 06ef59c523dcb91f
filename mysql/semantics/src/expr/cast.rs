//! CAST at run time, and bringing a branch to the type of the whole.

use std::borrow::Cow;

use super::context::{Cx, Row};
use super::eval::{Out, int_in};
use super::node::{Node, Op};
use super::{Result, domain, leaf};
use crate::decimal::{Fit, Rounding};
use crate::error::{SqlError, code};
use crate::number;
use crate::types::TypeKind;
use crate::value::Value;

/// What CAST makes; lengths and decimals are in the node's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CastTarget {
    /// SIGNED
    Signed,
    /// UNSIGNED
    Unsigned,
    /// DECIMAL
    Decimal,
    /// FLOAT
    Float,
    /// DOUBLE
    Double,
    /// CHAR, cut to so many characters
    Text {
        /// At most so many.
        characters: Option<u32>,
    },
    /// BINARY, cut or filled to so many bytes
    Binary {
        /// Exactly so many.
        bytes: Option<u32>,
    },
    /// DATE
    Date,
    /// TIME
    Time,
    /// DATETIME
    DateTime,
    /// YEAR
    Year,
    /// JSON
    Json,
}

pub(super) fn eval(
    node: &Node,
    target: &CastTarget,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Value> {
    let operand = node.first()?;
    Ok(match target {
        CastTarget::Signed | CastTarget::Unsigned => {
            int(operand, *target == CastTarget::Unsigned, cx, row)?
        }
        CastTarget::Decimal => decimal(node, None, cx, row)?,
        CastTarget::Double => Value::from(operand.eval_double(cx, row)?),
        CastTarget::Float => match operand.eval_double(cx, row)? {
            Some(value) => {
                let narrow = value as f32;
                if !narrow.is_finite() {
                    return Err(super::arith::out_of_range("DOUBLE", node));
                }
                Value::Float(narrow)
            }
            None => Value::Null,
        },
        CastTarget::Text { characters } => text(node, operand, *characters, cx, row)?,
        CastTarget::Binary { bytes } => binary(node, operand, *bytes, cx, row)?,
        CastTarget::Date => match leaf::datetime_for_date(operand, cx, row)? {
            Some(value) => Value::Date(value.date()),
            None => Value::Null,
        },
        CastTarget::DateTime => match leaf::datetime(operand, cx, row)? {
            Some(value) => leaf::rounded_datetime(value, node.ty.decimals, cx),
            None => Value::Null,
        },
        CastTarget::Time => match leaf::time(operand, cx, row)? {
            Some(value) => leaf::rounded_time(value, node.ty.decimals, cx),
            None => Value::Null,
        },
        CastTarget::Year => year(operand, cx, row)?,
        CastTarget::Json => super::json::cast(operand, cx, row)?,
    })
}

/// A number within DECIMAL(p, s); 1264 under the column's name if it had to be cut.
pub(super) fn decimal(
    node: &Node,
    name: Option<&str>,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Value> {
    let ty = &node.ty;
    let Some(value) = node.first()?.eval_decimal(cx, row)? else { return Ok(Value::Null) };
    let (fitted, how) = value.fit(ty.precision().min(65) as u8, ty.decimals);
    if how == Fit::OutOfRange {
        let name = name.unwrap_or("(null)");
        cx.warn(SqlError::out_of_range_column(name, cx.row_number));
    }
    Ok(Value::Decimal(fitted))
}

fn int(operand: &Node, unsigned: bool, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Value> {
    if let Op::Hex(bytes) = &operand.op {
        return Ok(int_in(i128::from(domain::number_of_hex(bytes, cx)), unsigned));
    }
    if operand.is_extreme_of_dates() {
        let value = operand.eval_int(cx, row)?;
        return Ok(value.map_or(Value::Null, |value| int_in(value, unsigned)));
    }
    let value = operand.eval(cx, row)?;
    Ok(match &*value {
        Value::Null => Value::Null,
        Value::Bytes(_) if operand.ty.kind == TypeKind::Json => match operand.eval_int(cx, row)? {
            Some(value) => int_in(value, unsigned),
            None => Value::Null,
        },
        Value::Bytes(text) => {
            let value = domain::int_of_text(text, operand, true, cx);
            if value < 0 && unsigned {
                let what = "Cast to unsigned converted negative integer to its positive complement";
                cx.warn(SqlError::with_message(code::ER_UNKNOWN_ERROR, what));
            } else if !unsigned && value > i128::from(i64::MAX) {
                // What no 64 bits hold is -1, and only cut off.
                let status = crate::number::parse_integer_prefix(text).status;
                if status == crate::number::NumberStatus::Read {
                    cx.warn(SqlError::cast_to_signed_wrapped());
                }
            }
            int_in(value, unsigned)
        }
        Value::Decimal(decimal) => {
            let fits = if unsigned && !decimal.is_negative() {
                decimal.to_u64(Rounding::HalfUp).map(i128::from).map_err(i128::from)
            } else {
                decimal.to_i64(Rounding::HalfUp).map(i128::from).map_err(i128::from)
            };
            let value = fits.unwrap_or_else(|end| {
                let mut shown = Vec::new();
                decimal.write_text(&mut shown);
                cx.warn(SqlError::truncated_wrong_value(
                    "DECIMAL",
                    &String::from_utf8_lossy(&shown),
                ));
                end
            });
            int_in(value, unsigned)
        }
        Value::Int(value) => int_in(i128::from(*value), unsigned),
        Value::UInt(value) => int_in(i128::from(*value), unsigned),
        Value::Double(value) => {
            operand.check_bigint(*value)?;
            int_in(operand.int_of_double_column(*value, cx), unsigned)
        }
        _ => match operand.eval_int(cx, row)? {
            Some(value) => int_in(value, unsigned),
            None => Value::Null,
        },
    })
}

fn text(
    node: &Node,
    operand: &Node,
    characters: Option<u32>,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Value> {
    let Some(text) = operand.eval_text(cx, row)? else { return Ok(Value::Null) };
    let to = node.ty.collation;
    let from = match operand.ty.kind {
        TypeKind::Json => operand.ty.collation,
        kind if kind.is_string() => operand.ty.collation,
        TypeKind::Bit => crate::types::CollationId::BINARY,
        _ => leaf::ASCII,
    };
    let value = leaf::to_charset(&text, from, to, cx)?;
    let Some(limit) = characters else { return Ok(value) };
    let Value::Bytes(bytes) = &value else { return Ok(value) };
    let end = leaf::char_offset(to, bytes, limit as usize);
    if end < bytes.len() {
        let shown = leaf::shown_text(bytes, to);
        // The server names the bytes that are left.
        let kind = format!("CHAR({end})");
        cx.warn(SqlError::truncated_wrong_value(&kind, &shown));
        return Ok(Value::bytes(bytes.get(..end).unwrap_or_default()));
    }
    Ok(value)
}

fn binary(
    node: &Node,
    operand: &Node,
    length: Option<u32>,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Value> {
    let Some(text) = operand.eval_text(cx, row)? else { return Ok(Value::Null) };
    let Some(length) = length else { return Ok(Value::bytes(&text)) };
    if u64::from(length) > cx.settings.max_allowed_packet_bytes {
        let limit = cx.settings.max_allowed_packet_bytes;
        cx.warn(SqlError::result_larger_than_packet("cast_as_binary", limit));
        return Ok(Value::Null);
    }
    let mut bytes = text.into_owned();
    if bytes.len() > length as usize {
        let kind = format!("BINARY({length})");
        let shown = leaf::shown_in_full(&bytes, node.ty.collation);
        cx.warn(SqlError::truncated_wrong_value(&kind, &String::from_utf8_lossy(&shown)));
    }
    bytes.resize(length as usize, 0);
    Ok(Value::from(bytes))
}

/// The year, and how a warning shows it.
fn year_of_date(date: crate::temporal::Date) -> (Option<i128>, Vec<u8>) {
    let year = date.year();
    // Two digits would mean another year.
    let number = (year == 0 || year > 99).then(|| i128::from(year));
    (number, year.to_string().into_bytes())
}

/// The digits at the start of a text, as 64 bits, and whether nothing follows them.
fn digits_of_year(text: &[u8]) -> Option<(i64, bool)> {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let digits = text.get(..end).and_then(|digits| std::str::from_utf8(digits).ok())?;
    #[allow(clippy::cast_possible_wrap, reason = "64 bits are meant")]
    let number = digits.parse::<u64>().ok()? as i64;
    Some((number, end == text.len()))
}

fn year(operand: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Value> {
    let value = operand.eval(cx, row)?;
    let (number, shown) = match &*value {
        Value::Null => return Ok(Value::Null),
        Value::Bytes(_) if matches!(operand.op, Op::Hex(_)) || operand.is_extreme_of_dates() => {
            let number = operand.eval_int(cx, row)?;
            (number, number.map_or_else(Vec::new, |number| number.to_string().into_bytes()))
        }
        Value::Date(date) => year_of_date(*date),
        Value::DateTime(datetime) => year_of_date(datetime.date()),
        Value::Time(_) => {
            let now = leaf::now(cx);
            return Ok(Value::UInt(now.date().year().into()));
        }
        Value::Bytes(text) if operand.ty.kind != TypeKind::Json => {
            let shown = leaf::shown_in_full(text, operand.ty.collation);
            let Some((number, whole)) = digits_of_year(text) else {
                cx.warn(SqlError::incorrect_value("YEAR", &String::from_utf8_lossy(&shown)));
                return Ok(Value::Null);
            };
            if !whole {
                cx.warn(SqlError::truncated_wrong_value("YEAR", &String::from_utf8_lossy(&shown)));
            }
            // In a text, 0 is of two digits.
            let number = if number == 0 { 2000 } else { number };
            (Some(i128::from(number)), number.to_string().into_bytes())
        }
        _ => {
            let number = match &*value {
                // It is not computed again: it may be by chance.
                Value::Double(value) => {
                    operand.check_bigint(*value)?;
                    Some(domain::int_of_double(*value))
                }
                _ => operand.eval_int(cx, row)?,
            };
            let shown = match (&*value, number) {
                // As a signed integer.
                (
                    Value::UInt(_) | Value::Double(_) | Value::Float(_) | Value::Decimal(_),
                    Some(number),
                ) => (number as i64).to_string().into_bytes(),
                _ => {
                    let shown = leaf::text_of(&value, operand).unwrap_or_default();
                    // Numbers of documents are rounded before they are looked at.
                    let counted = shown.first().is_some_and(|b| *b == b'-' || b.is_ascii_digit());
                    match number.filter(|_| counted) {
                        Some(number) => number.to_string().into_bytes(),
                        None => shown,
                    }
                }
            };
            (number, shown)
        }
    };
    let year = number.and_then(|n| i64::try_from(n).ok()).and_then(number::year_from_number);
    Ok(match year {
        Some(year) => Value::UInt(year.into()),
        None => {
            cx.warn(SqlError::truncated_wrong_value("YEAR", &String::from_utf8_lossy(&shown)));
            Value::Null
        }
    })
}

/// The value of `branch` as one of `whole`'s type: what CASE, COALESCE and
/// GREATEST do with branches of different types.
pub(super) fn in_type_of<'a>(
    whole: &Node,
    branch: &'a Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Out<'a>> {
    use TypeKind as K;
    // The branch is evaluated once: it may do something, or be by chance.
    let (ty, from) = (&whole.ty, &branch.ty);
    let number = |kind: K| kind.is_integer() || matches!(kind, K::Bit | K::Year);
    let owned = match ty.kind {
        kind if number(kind) && number(from.kind) => {
            let value = branch.eval(cx, row)?;
            match &*value {
                Value::Int(own) if ty.unsigned => int_in(i128::from(*own), true),
                Value::UInt(own) if !ty.unsigned => int_in(i128::from(*own), false),
                _ => return Ok(value),
            }
        }
        kind if number(kind) => {
            branch.eval_int(cx, row)?.map_or(Value::Null, |value| int_in(value, ty.unsigned))
        }
        K::Decimal => match branch.eval_decimal(cx, row)? {
            // COALESCE gives numbers the decimals of the whole.
            Some(value) if matches!(whole.op, Op::Coalesce) => {
                leaf::decimal_settled(&value, ty).unwrap_or(Value::Decimal(value))
            }
            value => value.map_or(Value::Null, Value::Decimal),
        },
        K::Double => Value::from(branch.eval_double(cx, row)?),
        K::Float => {
            branch.eval_double(cx, row)?.map_or(Value::Null, |value| Value::Float(value as f32))
        }
        K::Date => leaf::datetime_for_date(branch, cx, row)?
            .map_or(Value::Null, |value| Value::Date(value.date())),
        K::DateTime | K::Timestamp => {
            leaf::datetime(branch, cx, row)?.map_or(Value::Null, Value::DateTime)
        }
        K::Time => leaf::time(branch, cx, row)?.map_or(Value::Null, Value::Time),
        kind if kind.is_string() => {
            let text = from.kind.is_string() && !matches!(from.kind, K::Enum | K::Set | K::Bit);
            if text {
                return branch.eval(cx, row);
            }
            match branch.eval_text(cx, row)? {
                Some(text) => Value::bytes(&text),
                None => Value::Null,
            }
        }
        _ => return branch.eval(cx, row),
    };
    Ok(Cow::Owned(owned))
}
