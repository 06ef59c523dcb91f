//! Values as times.

use super::date::{datetime, number_read, shown_number, split_number, written, year_column};
use super::moment::{no_datetime, refuse, shift, unfit, warn_of_delimiter, zoned};
use crate::decimal::{Decimal, Rounding};
use crate::expr::Result;
use crate::expr::context::{Cx, Row};
use crate::expr::json;
use crate::expr::node::Node;
use crate::temporal::{
    DateMode, DateTime, ParsedTime, Time, TimeOrDateTime, datetime_from_number, parse_datetime,
    parse_time, take_offset, time_from_number,
};
use crate::types::{CollationId, TypeKind};
use crate::value::Value;

/// As TIME: of a date with a time, the time of day.
pub(crate) fn time(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<Time>> {
    let Some(node) = node.read_from(cx, row)? else { return Ok(None) };
    let value = written(node, cx, row)?;
    if year_column(node, &value).is_some() {
        return Ok(Some(Time::ZERO));
    }
    match &*value {
        Value::Null => Ok(None),
        Value::Time(time) => Ok(Some(*time)),
        Value::Date(_) => Ok(Some(Time::ZERO)),
        Value::DateTime(value) => Ok(Some(value.time())),
        Value::Bytes(bytes) if node.ty.kind == TypeKind::Json => {
            json::coerced(node, bytes, cx, json::time)
        }
        Value::Bytes(text) => time_of_text(text, node.ty.collation, cx),
        _ => {
            let Some(number) = number_read(node, &value, cx, row)? else { return Ok(None) };
            let (whole, nanos) = match &*value {
                // Beyond 63 bits it is taken as signed.
                Value::UInt(value) => (*value as i64, 0),
                _ => split_number(&number),
            };
            let parsed = time_from_number(whole, nanos);
            if !parsed.warnings.is_empty() {
                let shown = match &*value {
                    Value::UInt(_) => whole.to_string().into_bytes(),
                    _ => shown_number(&value, node),
                };
                refuse("time", &shown, cx);
                return Ok(None);
            }
            let value = parsed.value.map(|value| signed(value, &number));
            settled_time(&ParsedTime { value, ..parsed }, cx)
        }
    }
}

/// The time that a text of this collation is.
pub(super) fn time_of_text(
    text: &[u8],
    from: CollationId,
    cx: &mut Cx<'_>,
) -> Result<Option<Time>> {
    let parsed = parse_time(text);
    let faulty = parsed.value.is_none() || !parsed.warnings.is_empty();
    if faulty || parsed.odd_delimiter.is_some() {
        let shown = super::shown_in_full(text, from);
        if faulty {
            refuse("time", &shown, cx);
        }
        warn_of_delimiter(parsed.odd_delimiter.as_ref(), &shown, cx);
    }
    settled_time(&parsed, cx)
}

/// The time of day in the session's zone, with what came after microseconds rounded in.
fn settled_time(parsed: &ParsedTime, cx: &mut Cx<'_>) -> Result<Option<Time>> {
    let time = match parsed.value {
        None => return Ok(None),
        Some(TimeOrDateTime::Time(time)) => time,
        Some(TimeOrDateTime::DateTime(value)) => {
            let zoned = parsed
                .offset_seconds
                .map(|offset| take_offset(value, offset, |value, by| shift(value, by, cx)));
            zoned.transpose().map_err(unfit)?.unwrap_or(value).time()
        }
    };
    if parsed.nanoseconds >= 500 && !cx.settings.truncate_fractions {
        let step = if time.is_negative() { -1 } else { 1 };
        let (Ok(time) | Err(time)) = Time::from_micros(time.micros() + step);
        return Ok(Some(time));
    }
    Ok(Some(time))
}

/// What EXTRACT takes hours and less of: a text with a date's delimiters is a date,
/// others are times.
pub(crate) fn extracted_time(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<TimeOrDateTime>> {
    let value = written(node, cx, row)?;
    let text = match &*value {
        Value::Bytes(text) => text,
        Value::Null | Value::Date(_) | Value::Time(_) | Value::DateTime(_) => {
            return time_or_datetime(node, cx, row);
        }
        _ => {
            let (number, shown) = match &*value {
                // Beyond 63 bits it is taken as signed.
                Value::UInt(value) => {
                    let number = *value as i64;
                    (Decimal::from(number), number.to_string().into_bytes())
                }
                value => {
                    let Some(number) = number_read(node, value, cx, row)? else { return Ok(None) };
                    (number, shown_number(value, node))
                }
            };
            let read = number_time_or_datetime(&number, &shown, cx);
            if read.is_none() {
                refuse("time", &shown, cx);
            }
            return Ok(read);
        }
    };
    let document = node.ty.kind == TypeKind::Json;
    if document || !text.iter().skip(1).any(|byte| *byte == b'-') {
        return Ok(time(node, cx, row)?.map(TimeOrDateTime::Time));
    }
    // It is read as a time all the same, which warnings of what follows say.
    let parsed = parse_datetime(text, DateMode::default());
    if parsed.value.is_some() && !parsed.warnings.is_empty() {
        refuse("time", &super::shown_in_full(text, node.ty.collation), cx);
        return Ok(parsed.value.map(TimeOrDateTime::DateTime));
    }
    Ok(datetime(node, cx, row)?.map(TimeOrDateTime::DateTime))
}

/// A time, or a date with a time: a text that is no whole time may be a date.
pub(crate) fn time_or_datetime(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<TimeOrDateTime>> {
    let value = written(node, cx, row)?;
    match &*value {
        Value::Date(date) => Ok(Some(TimeOrDateTime::DateTime(DateTime::from(*date)))),
        Value::DateTime(value) => Ok(Some(TimeOrDateTime::DateTime(*value))),
        Value::Bytes(text) if node.ty.kind != TypeKind::Json => {
            text_time_or_datetime(text, &super::shown_in_full(text, node.ty.collation), cx)
        }
        Value::Bytes(document) => {
            let text = json::text(document)?;
            text_time_or_datetime(&text, &super::shown_in_full(&text, node.ty.collation), cx)
        }
        Value::Null | Value::Time(_) => Ok(time(node, cx, row)?.map(TimeOrDateTime::Time)),
        _ => {
            let (number, shown) = match &*value {
                // Beyond 63 bits it is taken as signed.
                Value::UInt(value) => {
                    let number = *value as i64;
                    (Decimal::from(number), number.to_string().into_bytes())
                }
                value => {
                    let Some(number) = node.eval_decimal(cx, row)? else { return Ok(None) };
                    (number, shown_number(value, node))
                }
            };
            let read = number_time_or_datetime(&number, &shown, cx);
            if read.is_none() {
                // What has three digits of hours at most is a time, if a wrong one.
                let whole = number.to_i64(Rounding::Truncate).unwrap_or(i64::MAX);
                let wrong_parts = whole % 100 >= 60 || whole / 100 % 100 >= 60;
                let integer = matches!(&*value, Value::Int(_) | Value::UInt(_));
                let below = whole < 1_000_000 && (integer || whole > -10_000_000);
                let year = node.ty.kind == TypeKind::Year;
                if !year && (below || (0..10_000_000).contains(&whole) && !wrong_parts) {
                    refuse("time", &shown, cx);
                } else {
                    no_datetime(&shown, cx);
                }
            }
            Ok(read)
        }
    }
}

/// A number as a time, or else as a date with time.
fn number_time_or_datetime(
    number: &Decimal,
    shown: &[u8],
    cx: &mut Cx<'_>,
) -> Option<TimeOrDateTime> {
    let (whole, nanos) = split_number(number);
    let parsed = time_from_number(whole, nanos);
    if parsed.warnings.is_empty() {
        let value = signed(parsed.value?, number);
        return Some(match value {
            TimeOrDateTime::Time(time) => {
                let truncate = cx.settings.truncate_fractions;
                TimeOrDateTime::Time(time.with_nanoseconds(parsed.nanoseconds, truncate))
            }
            value => value,
        });
    }
    let dated = datetime_from_number(whole, nanos, DateMode::default());
    let value = dated.value?;
    if dated.has_time || nanos == 0 {
        return Some(TimeOrDateTime::DateTime(value));
    }
    refuse("date", shown, cx);
    Some(TimeOrDateTime::DateTime(DateTime::from(value.date())))
}

fn text_time_or_datetime(
    text: &[u8],
    shown: &[u8],
    cx: &mut Cx<'_>,
) -> Result<Option<TimeOrDateTime>> {
    let parsed = parse_time(text);
    if parsed.value.is_none() || !parsed.warnings.is_empty() {
        let dated = parse_datetime(text, DateMode::default());
        if dated.value.is_some() {
            warn_of_delimiter(dated.odd_delimiter.as_ref(), shown, cx);
            return Ok(zoned(dated, cx)?.value.map(TimeOrDateTime::DateTime));
        }
        match parsed.value {
            Some(_) => refuse("time", shown, cx),
            None => no_datetime(shown, cx),
        }
    }
    match parsed.value {
        Some(TimeOrDateTime::DateTime(value)) => {
            warn_of_delimiter(parsed.odd_delimiter.as_ref(), shown, cx);
            let offset = parsed.offset_seconds;
            let zoned = offset
                .map(|offset| take_offset(value, offset, |value, by| shift(value, by, cx)))
                .transpose()
                .map_err(unfit)?;
            Ok(Some(TimeOrDateTime::DateTime(zoned.unwrap_or(value))))
        }
        Some(TimeOrDateTime::Time(_)) => {
            // Spaces are taken for what does not belong there.
            if parsed.odd_delimiter.is_some() && parsed.warnings.is_empty() {
                refuse("time", shown, cx);
            }
            Ok(settled_time(&parsed, cx)?.map(TimeOrDateTime::Time))
        }
        None => Ok(None),
    }
}

/// Between -1 and 0 only the number has the sign.
fn signed(value: TimeOrDateTime, number: &Decimal) -> TimeOrDateTime {
    match value {
        TimeOrDateTime::Time(time) if number.is_negative() && !time.is_negative() => {
            TimeOrDateTime::Time(-time)
        }
        value => value,
    }
}
