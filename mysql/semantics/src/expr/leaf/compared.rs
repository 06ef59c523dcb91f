//! Dates and times where they are compared.

use std::borrow::Cow;

use super::clock::{time, time_of_text};
use super::date::{Asked, fuzzy_date, fuzzy_datetime, plain, read_datetime};
use super::moment::{clipped, no_datetime, refuse, warn_of_delimiter};
use crate::error::{SqlError, code};
use crate::expr::compare::Comparison;
use crate::expr::context::{Cx, Row, Settings};
use crate::expr::node::{ColumnOp, ExtremeDates, ListReading, Node, Op};
use crate::expr::{Out, Result};
use crate::temporal::{DateMode, DateTime, Time, parse_datetime};
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Value;

fn incorrect(kind: &str, shown: &str, column: &str) -> SqlError {
    let shown = clipped(shown);
    let message = format!("Incorrect {kind} value: '{shown}' for column '{column}' at row 1");
    SqlError::with_message(code::ER_TRUNCATED_WRONG_VALUE, message)
}

/// 1292 for a constant that a column of dates or times, with which it is compared,
/// cannot hold.
pub(crate) fn not_for_column(ty: &SqlType, column: &ColumnOp, shown: &str) -> SqlError {
    let kind = match ty.kind {
        TypeKind::Date => "date",
        TypeKind::Time => "time",
        _ => "datetime",
    };
    incorrect(kind, shown, own_name(column))
}

/// What the server calls an operand: a column by its name, a literal by its text.
fn item_name(node: &Node) -> Option<String> {
    match &node.op {
        Op::Column(column) => Some(own_name(column).to_owned()),
        Op::Literal(Value::Null) => Some("NULL".to_owned()),
        Op::Literal(Value::Bytes(text)) => {
            // Names begin with what can be seen.
            let name = super::shown_text(text, node.ty.collation);
            let name = name.trim_start_matches(|c: char| c.is_ascii_whitespace() || c.is_control());
            Some(name.to_owned()).filter(|name| !name.is_empty() || text.is_empty())
        }
        Op::ToCharset { .. } => {
            node.args.first().filter(|arg| arg.is_literal()).and_then(item_name)
        }
        _ => None,
    }
}

/// Of DATE, DATETIME and TIMESTAMP, as errors have them.
fn kind_name(kind: TypeKind) -> &'static str {
    match kind {
        TypeKind::Date => "DATE",
        TypeKind::Timestamp => "TIMESTAMP",
        _ => "DATETIME",
    }
}

/// 1525 for a constant text that is no date, beside a date.
pub(crate) fn refuse_constant(text: &[u8], other: &Node, settings: &Settings) -> Result<()> {
    let parsed = parse_datetime(text, settings.date_mode());
    if parsed.value.is_some() && parsed.warnings.is_empty() {
        return Ok(());
    }
    Err(SqlError::incorrect_value(kind_name(other.ty.kind), &super::bytes_as_utf8mb4(text)))
}

/// One side of a comparison of dates, beside the `other`, which decides what is said
/// of strings that are none.
pub(crate) fn compared_datetime(
    node: &Node,
    other: &Node,
    with: Comparison,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<DateTime>> {
    if node.ty.kind.is_string() || node.ty.kind == TypeKind::Json {
        let value = written_text(node, cx, row)?;
        if let Value::Bytes(text) = &*value {
            let parsed = parse_datetime(text, cx.settings.date_mode());
            if let Some(value) = plain(&parsed, cx) {
                return Ok(Some(value));
            }
            if parsed.value.is_some() && parsed.odd_delimiter.is_some() {
                let shown = super::shown_in_full(text, node.ty.collation);
                warn_of_delimiter(parsed.odd_delimiter.as_ref(), &shown, cx);
            }
            if parsed.value.is_none() || !parsed.warnings.is_empty() {
                warn_of_text(node, text, other, with, cx)?;
                return Ok(Some(parsed.value.unwrap_or(DateTime::ZERO)));
            }
            // Here, and only here, zeros with an offset are no error.
            if parsed.offset_seconds.is_some()
                && let Some(value) = parsed.value.filter(|value| value.date().has_zero())
            {
                return Ok(Some(value));
            }
        }
    }
    let mode = DateMode { allow_invalid: true, ..DateMode::default() };
    Ok(read_datetime(node, Asked::DATETIME, mode, cx, row)?.map(|(value, _)| value))
}

/// The value; of a document, ENUM and SET its text.
fn written_text<'a>(node: &'a Node, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Out<'a>> {
    let value = node.eval(cx, row)?;
    Ok(match node.ty.kind {
        TypeKind::Json | TypeKind::Enum | TypeKind::Set => {
            Cow::Owned(node.text(&value).map_or(Value::Null, Value::from))
        }
        _ => value,
    })
}

fn warn_of_text(
    node: &Node,
    text: &[u8],
    other: &Node,
    with: Comparison,
    cx: &mut Cx<'_>,
) -> Result<()> {
    let strict = with != Comparison::LenientDateTime;
    if strict && node.is_constant() {
        let (kind, shown) = (kind_name(other.ty.kind), super::bytes_as_utf8mb4(text));
        return Err(SqlError::incorrect_value(kind, &shown));
    }
    let shown = super::shown_in_full(text, node.ty.collation);
    let shown = String::from_utf8_lossy(&shown);
    let kind = if other.ty.kind == TypeKind::Date { "date" } else { "datetime" };
    match with {
        Comparison::NamedDateTime => {
            cx.warn(incorrect(kind, &shown, &super::operand_name(other)));
        }
        Comparison::LenientDateTime => match item_name(other) {
            Some(name) => cx.warn(incorrect(kind, &shown, &name)),
            None => cx.warn(SqlError::truncated_wrong_value(kind, &shown)),
        },
        _ => match (&other.op, other.ty.kind) {
            (_, TypeKind::DateTime | TypeKind::Timestamp) if !other.is_constant() => {
                no_datetime(shown.as_bytes(), cx)
            }
            _ => cx.warn(SqlError::truncated_wrong_value(
                &kind_name(other.ty.kind).to_ascii_lowercase(),
                &shown,
            )),
        },
    }
    Ok(())
}

/// One side of a comparison of times: what is no time equals its like alone. A date
/// is read as its text, which is another time.
pub(crate) fn compared_time(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Option<Time>>> {
    let value = node.eval(cx, row)?;
    match &*value {
        Value::Null => Ok(None),
        Value::Date(date) => {
            let mut text = Vec::new();
            date.write_text(&mut text);
            Ok(Some(time_of_text(&text, super::ASCII, cx)?))
        }
        _ => Ok(Some(time(node, cx, row)?)),
    }
}

/// A value of a list of constants, or the value that is looked for among them.
pub(crate) fn list_key(
    node: &Node,
    value: &Node,
    reading: ListReading,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<i128>> {
    let of_datetime = |value: DateTime| i128::from(value.packed());
    Ok(match reading {
        ListReading::Integers => node.eval_int(cx, row)?,
        // Zero has one sign.
        ListReading::Doubles => {
            node.eval_double(cx, row)?.map(|value| i128::from((value + 0.0).to_bits()))
        }
        ListReading::Dates => {
            fuzzy_date(node, cx, row)?.map(|value| i128::from(value.date().packed()))
        }
        ListReading::Times => {
            let time = compared_time(node, cx, row)?.flatten();
            time.map(|time| i128::from(time.micros()))
        }
        ListReading::DateTimes if node.numeric_class().is_some() => {
            fuzzy_datetime(node, cx, row)?.map(of_datetime)
        }
        ListReading::DateTimes => {
            compared_datetime(node, value, Comparison::LenientDateTime, cx, row)?.map(of_datetime)
        }
    })
}

/// Dates and times as the server's integers that hold them, others as integers.
pub(crate) fn packed(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<i128>> {
    let clock = |hour: u16, minute: u8, second: u8, micros: u32| {
        let seconds = i128::from(hour) << 12 | i128::from(minute) << 6 | i128::from(second);
        seconds << 24 | i128::from(micros)
    };
    let value = node.eval(cx, row)?;
    let value = match &*value {
        Value::Date(date) => DateTime::from(*date),
        Value::DateTime(value) => *value,
        Value::Time(time) => {
            let packed = clock(time.hour(), time.minute(), time.second(), time.microsecond());
            return Ok(Some(if time.is_negative() { -packed } else { packed }));
        }
        _ => return node.eval_int(cx, row),
    };
    let date = value.date();
    let days =
        (i128::from(date.year()) * 13 + i128::from(date.month())) << 5 | i128::from(date.day());
    let (hour, micros) = (u16::from(value.hour()), value.microsecond());
    Ok(Some(days << 41 | clock(hour, value.minute(), value.second(), micros)))
}

/// An operand of GREATEST or LEAST of dates: `None` is NULL, `Some(None)` no date.
pub(crate) fn extreme_datetime(
    node: &Node,
    dates: &ExtremeDates,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Option<DateTime>>> {
    if dates.date_only && node.ty.kind == TypeKind::Json {
        if node.eval(cx, row)?.is_null() {
            return Ok(None);
        }
        return Ok(Some(fuzzy_date(node, cx, row)?));
    }
    let value = written_text(node, cx, row)?;
    let text = match &*value {
        Value::Null => return Ok(None),
        Value::Bytes(text) => text,
        _ if dates.date_only => {
            // A decimal beyond all integers is zero.
            let beyond = matches!(&*value, Value::Decimal(number) if number.integer_digits() > 18);
            let date = fuzzy_date(node, cx, row)?;
            return Ok(Some(if beyond { Some(DateTime::ZERO) } else { date }));
        }
        _ => return Ok(Some(fuzzy_datetime(node, cx, row)?)),
    };
    let parsed = parse_datetime(text, cx.settings.date_mode());
    let faulty = parsed.value.is_none() || !parsed.warnings.is_empty();
    if !faulty && parsed.odd_delimiter.is_none() {
        return Ok(Some(parsed.value));
    }
    // Bytes are shown as such, even if they have become text since.
    let bytes = dates.binary || dates.bytes.iter().any(|one| one == text);
    let collation = if bytes { CollationId::BINARY } else { node.ty.collation };
    let shown = super::shown_in_full(text, collation);
    if parsed.value.is_some() {
        warn_of_delimiter(parsed.odd_delimiter.as_ref(), &shown, cx);
    }
    if faulty && dates.date_only {
        refuse("date", &shown, cx);
    } else if faulty {
        cx.warn(incorrect("datetime", &String::from_utf8_lossy(&shown), &dates.name));
    }
    Ok(Some(parsed.value))
}

/// The name of an operand as warnings have it: of a column, only its own.
pub(crate) fn operand_name(node: &Node) -> String {
    match &node.op {
        Op::Column(column) => own_name(column).to_owned(),
        _ => match &node.name {
            Some(name) => name.to_string(),
            None => crate::expr::printed(node),
        },
    }
}

fn own_name(column: &ColumnOp) -> &str {
    column.name.rsplit('.').next().unwrap_or_default().trim_matches('`')
}
