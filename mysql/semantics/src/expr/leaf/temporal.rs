//! Dates and times as numbers and literals, and how many decimals they have.

use firn_mysql_parser::ast::TemporalKind;

use crate::decimal::Decimal;
use crate::error::SqlError;
use crate::expr::Result;
use crate::expr::context::{Cx, Settings};
use crate::expr::node::{Node, Op};
use crate::temporal::{
    DateMode, DateTime, OddDelimiter, Time, TimeOrDateTime, parse_datetime, parse_time,
};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(crate) fn rounded_datetime(value: DateTime, decimals: u8, cx: &mut Cx<'_>) -> Value {
    match value.round(decimals, cx.settings.truncate_fractions) {
        Some(value) => Value::DateTime(value),
        None => {
            cx.warn(SqlError::datetime_overflow("datetime"));
            Value::Null
        }
    }
}

pub(crate) fn rounded_time(value: Time, decimals: u8, cx: &mut Cx<'_>) -> Value {
    let (Ok(time) | Err(time)) = value.round(decimals, cx.settings.truncate_fractions);
    Value::Time(time)
}

/// A date or time as a double: 20240229123456.5
pub(crate) fn temporal_double(value: &Value) -> f64 {
    temporal_decimal(value).to_f64()
}

/// A date or time as a decimal.
pub(crate) fn temporal_decimal(value: &Value) -> Decimal {
    let with_micros = |whole: i128, negative: bool, micros: u32| {
        if micros == 0 {
            return Decimal::new(whole, 0);
        }
        let sign = if negative { -1 } else { 1 };
        Decimal::new(whole * 1_000_000 + sign * i128::from(micros), 6)
    };
    let decimal = match value {
        Value::Date(date) => Decimal::new(i128::from(date.to_number()), 0),
        Value::Time(time) => {
            with_micros(i128::from(time.to_number()), time.is_negative(), time.microsecond())
        }
        Value::DateTime(datetime) => {
            with_micros(i128::from(datetime.to_number()), false, datetime.microsecond())
        }
        _ => None,
    };
    decimal.unwrap_or(Decimal::ZERO)
}

/// A literal of DATE, TIME or TIMESTAMP.
pub(crate) struct TemporalLiteral {
    /// `None` where only the session's zone tells: behind the text is an offset.
    pub(crate) value: Option<Value>,
    pub(crate) ty: SqlType,
    /// What its delimiters are warned of.
    pub(crate) warning: Option<SqlError>,
}

/// Reads a literal of DATE, TIME or TIMESTAMP; 1525 if it is wrong.
pub(crate) fn temporal_literal(
    kind: TemporalKind,
    text: &[u8],
    settings: &Settings,
) -> Result<TemporalLiteral> {
    let shown = String::from_utf8_lossy(text);
    let wrong = |what: &str| Err(SqlError::incorrect_value(what, &shown));
    let read = |value: Option<Value>, kind, whole: u32, decimals: u8, odd: Option<OddDelimiter>| {
        let length = if decimals == 0 { whole } else { whole + 1 + u32::from(decimals) };
        let ty = SqlType::plain(kind, length, decimals);
        let warning = odd.map(|odd| crate::convert::delimiter_warning(&odd, &shown, 1));
        Ok(TemporalLiteral { value, ty, warning })
    };
    if kind == TemporalKind::Time {
        let parsed = parse_time(text);
        let decimals = parsed.decimals;
        return match parsed.value {
            Some(TimeOrDateTime::Time(time)) if parsed.warnings.is_empty() => {
                let value = Some(Value::Time(time));
                read(value, TypeKind::Time, 10, decimals, parsed.odd_delimiter)
            }
            _ => wrong("TIME"),
        };
    }
    let parsed = parse_datetime(text, settings.date_mode());
    let (has_time, decimals) = (parsed.has_time, parsed.decimals);
    let value = parsed.value.filter(|_| parsed.warnings.is_empty());
    match (kind, value) {
        (TemporalKind::Date, Some(value)) if !has_time => {
            let value = Some(Value::Date(value.date()));
            read(value, TypeKind::Date, 10, 0, parsed.odd_delimiter)
        }
        (TemporalKind::Date, _) => wrong("DATE"),
        (_, Some(value)) if has_time => {
            let value = parsed.offset_seconds.is_none().then_some(Value::DateTime(value));
            read(value, TypeKind::DateTime, 19, decimals, parsed.odd_delimiter)
        }
        _ => wrong("DATETIME"),
    }
}

/// Decimals of an operand where it becomes a time, or a date with time if `dated`.
pub(crate) fn decimals_as_time(node: &Node, dated: bool) -> u8 {
    if let Op::Literal(Value::Bytes(text)) = &node.op {
        return decimals_of_text(text, dated);
    }
    if matches!(node.op, Op::Hex(_)) {
        return 0;
    }
    match node.ty.kind {
        kind if kind.is_temporal() => node.ty.decimals,
        kind if kind.is_integer() => 0,
        TypeKind::Null => 0,
        _ => node.ty.decimals.min(6),
    }
}

/// The same of a text that is known.
pub(crate) fn decimals_of_text(text: &[u8], dated: bool) -> u8 {
    const UNKNOWN: u8 = 6;
    if dated {
        let parsed = parse_datetime(text, DateMode::default());
        return if parsed.value.is_some() { parsed.decimals } else { UNKNOWN };
    }
    let parsed = parse_time(text);
    if parsed.value.is_some() { parsed.decimals } else { UNKNOWN }
}
