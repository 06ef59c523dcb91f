//! Values as dates and times.

use crate::decimal::{Decimal, Rounding};
use crate::error::{SqlError, code};
use crate::expr::context::{Cx, Row, Settings};
use crate::expr::json;
use crate::expr::node::{ColumnOp, ExtremeDates, Node, Op};
use crate::expr::{Out, Result};
use crate::temporal::{
    Date, DateMode, DateTime, OffsetError, ParsedDateTime, ParsedTime, Time, TimeOrDateTime,
    datetime_from_number, parse_datetime, parse_time, take_offset, time_from_number,
};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

/// The modes of the session for dates that are read.
pub(super) fn date_mode(settings: &Settings) -> DateMode {
    DateMode {
        no_zero_in_date: settings.no_zero_in_date,
        no_zero_date: settings.no_zero_date,
        allow_invalid: settings.allow_invalid_dates,
        datetime_only: false,
    }
}

/// Do the session's modes take a date, whatever its time of day?
pub(crate) fn is_taken(date: Date, settings: &Settings) -> bool {
    date_mode(settings).takes(date)
}

/// The statement's time in the session's zone.
pub(crate) fn now(cx: &Cx<'_>) -> DateTime {
    local(cx.session.statement_time_micros(), cx)
}

/// Days from year 0 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_528;
const DAY_MICROS: i64 = 86_400_000_000;

/// A moment in the session's zone.
pub(crate) fn local(at_micros: i64, cx: &Cx<'_>) -> DateTime {
    utc(at_micros + i64::from(cx.session.zone_offset_seconds(at_micros)) * 1_000_000)
}

/// A moment in UTC.
pub(crate) fn utc(at_micros: i64) -> DateTime {
    DateTime::from_linear_micros(at_micros + EPOCH_DAYS * DAY_MICROS).unwrap_or(DateTime::ZERO)
}

/// Microseconds since 1970 of a time in the session's zone; `None` out of range.
pub(crate) fn to_epoch(local: DateTime, cx: &Cx<'_>) -> i64 {
    let as_utc = local.linear_micros() - EPOCH_DAYS * DAY_MICROS;
    let offset = |at: i64| i64::from(cx.session.zone_offset_seconds(at)) * 1_000_000;
    // The offset at the moment sought is that at a first guess, or at the second.
    let first = as_utc - offset(as_utc);
    as_utc - offset(first)
}

/// 1292 for what is no date or time at all.
pub(super) fn no_datetime(value: &[u8], cx: &mut Cx<'_>) {
    let shown = String::from_utf8_lossy(value);
    let message = format!("Incorrect datetime value: '{shown}'");
    cx.warn(SqlError::with_message(code::ER_TRUNCATED_WRONG_VALUE, message));
}

fn refuse(kind: &str, value: &[u8], cx: &mut Cx<'_>) {
    cx.warn(SqlError::truncated_wrong_value(kind, &String::from_utf8_lossy(value)));
}

/// Microseconds with what came after them rounded in.
fn with_nanos(value: DateTime, nanoseconds: u16, cx: &Cx<'_>) -> Option<DateTime> {
    if nanoseconds < 500 || cx.settings.truncate_fractions {
        return Some(value);
    }
    if value.date().has_zero() {
        return Some(value);
    }
    DateTime::from_linear_micros(value.linear_micros() + 1)
}

/// A time of another offset in the session's zone; `None` out of range.
fn shift(value: DateTime, offset_seconds: i32, cx: &Cx<'_>) -> Option<DateTime> {
    let utc = value.linear_micros() - i64::from(offset_seconds) * 1_000_000;
    let zone = cx.session.zone_offset_seconds(utc - EPOCH_DAYS * DAY_MICROS);
    DateTime::from_linear_micros(utc + i64::from(zone) * 1_000_000)
}

/// 1292 for a date that its offset cannot be taken off.
fn unfit(error: OffsetError) -> SqlError {
    SqlError::truncated_wrong_value("temporal", &error.0)
}

/// A date in the session's zone where it has an offset.
fn zoned(parsed: ParsedDateTime, cx: &Cx<'_>) -> Result<ParsedDateTime> {
    let truncate = cx.settings.truncate_fractions;
    parsed.without_offset(truncate, |value, offset| shift(value, offset, cx)).map_err(unfit)
}

fn taken(parsed: &ParsedDateTime, shown: &[u8], kind: &str, cx: &mut Cx<'_>) -> Option<DateTime> {
    match parsed.value {
        Some(value) => {
            if !parsed.warnings.is_empty() {
                refuse(if parsed.has_time { "datetime" } else { "date" }, shown, cx);
            }
            with_nanos(value, parsed.nanoseconds, cx)
        }
        None => {
            if kind == "date" {
                refuse(kind, shown, cx)
            } else {
                no_datetime(shown, cx)
            }
            None
        }
    }
}

/// Whole part and nanoseconds of a number that stands for a time.
pub(crate) fn split_number(value: &Decimal) -> (i64, u32) {
    let whole = value.to_i64(Rounding::Truncate).unwrap_or_else(|end| end);
    let nanos = value
        .round(9, Rounding::Truncate)
        .and_then(|value| value.rem(&Decimal::from(1i64)).ok())
        .and_then(|rest| rest.mul(&Decimal::from(1_000_000_000i64)).ok())
        .map_or(0, |rest| rest.abs().to_i64(Rounding::Truncate).unwrap_or(0));
    (whole, nanos as u32)
}

/// A number that stands for a time: what is too large for a decimal is none, and
/// its warning says only that.
fn number_read(
    node: &Node,
    value: &Value,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Decimal>> {
    match value {
        Value::Double(value) => Ok(Some(Decimal::from_f64(*value).value)),
        _ => node.eval_decimal(cx, row),
    }
}

/// A value as dates and times are read of it: ENUM, SET and BIT are their texts.
fn written<'a>(node: &'a Node, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Out<'a>> {
    let value = node.eval(cx, row)?;
    Ok(match node.ty.kind {
        TypeKind::Enum | TypeKind::Set | TypeKind::Bit => {
            std::borrow::Cow::Owned(node.text(&value).map_or(Value::Null, Value::from))
        }
        _ => value,
    })
}

pub(super) fn read_datetime(
    node: &Node,
    kind: &str,
    mode: DateMode,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<(DateTime, bool)>> {
    let value = written(node, cx, row)?;
    let checked = |value: DateTime, timed: bool, cx: &mut Cx<'_>| {
        let date = value.date();
        let bad = (date.is_zero() && mode.no_zero_date)
            || (!date.is_zero() && date.has_zero() && mode.no_zero_in_date);
        if bad {
            let mut shown = Vec::new();
            if timed {
                value.write_text(0, &mut shown)
            } else {
                value.date().write_text(&mut shown)
            }
            if kind == "date" {
                refuse(kind, &shown, cx)
            } else {
                no_datetime(&shown, cx)
            }
            return None;
        }
        Some((value, timed))
    };
    Ok(match &*value {
        Value::Null => None,
        Value::Date(date) => checked(DateTime::from(*date), false, cx),
        Value::DateTime(value) => checked(*value, true, cx),
        Value::Time(time) => {
            let today = i128::from(DateTime::from(now(cx).date()).linear_micros());
            let micros = i64::try_from(today + i128::from(time.micros())).ok();
            micros.and_then(DateTime::from_linear_micros).map(|value| (value, true))
        }
        Value::Bytes(bytes) if node.ty.kind == TypeKind::Json => {
            let read = |root: crate::json::JsonRef<'_>| json::datetime(root, kind == "date", mode);
            json::coerced(node, bytes, cx, read)?
        }
        Value::Bytes(text) => {
            // The mode of the session holds for texts even where zeros are taken.
            let no_zero_date = mode.no_zero_date || cx.settings.no_zero_date;
            let parsed = parse_datetime(text, DateMode { no_zero_date, ..mode });
            let timed = parsed.has_time;
            let shown = super::shown_in_full(text, node.ty.collation);
            let parsed = zoned(parsed, cx)?;
            taken(&parsed, &shown, kind, cx).map(|value| (value, timed))
        }
        _ => {
            let Some(number) = number_read(node, &value, cx, row)? else { return Ok(None) };
            let (whole, nanos) = split_number(&number);
            let parsed = datetime_from_number(whole, nanos, mode);
            // A number that is a date alone has no fraction of a second.
            let parsed = match parsed.has_time {
                true => parsed,
                false => datetime_from_number(whole, 0, mode),
            };
            let shown = match &*value {
                Value::Double(_) | Value::Float(_) if node.is_literal() || kind == "date" => {
                    whole.to_string().into_bytes()
                }
                Value::UInt(value) => (*value as i64).to_string().into_bytes(),
                _ => super::text_of(&value, node).unwrap_or_default(),
            };
            let huge = matches!(&*value, Value::Double(value) if value.abs() >= 9.2e18);
            let shown = match (&*value, huge) {
                (_, true) => super::text_of(&value, node).unwrap_or_default(),
                _ => shown,
            };
            if let Value::Decimal(number) = &*value
                && kind == "date"
                && number.integer_digits() > 18
                && let Some(whole) = number.round(0, Rounding::Truncate)
            {
                let mut shown = Vec::new();
                whole.write_text(&mut shown);
                refuse("DECIMAL", &shown, cx);
            }
            // Integers are read as dates with times, others as what is asked for.
            let kind = match &*value {
                Value::Decimal(_) => kind,
                _ if huge => kind,
                _ => "datetime",
            };
            let timed = parsed.has_time;
            taken(&parsed, &shown, kind, cx).map(|value| (value, timed))
        }
    })
}

/// As DATETIME.
pub(crate) fn datetime(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<DateTime>> {
    let mode = date_mode(cx.settings);
    Ok(read_datetime(node, "datetime", mode, cx, row)?.map(|(value, _)| value))
}

/// As DATETIME, of which DATE takes the date.
pub(crate) fn datetime_for_date(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<DateTime>> {
    let mode = date_mode(cx.settings);
    Ok(read_datetime(node, "date", mode, cx, row)?.map(|(value, _)| value))
}

/// Any date, with zeros as the functions of parts take them.
pub(crate) fn fuzzy_datetime(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<DateTime>> {
    let mode = DateMode { allow_invalid: cx.settings.allow_invalid_dates, ..DateMode::default() };
    Ok(read_datetime(node, "datetime", mode, cx, row)?.map(|(value, _)| value))
}

/// The same for functions of dates, which say so in their warnings.
pub(crate) fn fuzzy_date(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<DateTime>> {
    // Numbers below 100 are days of no month in the year 2000.
    if node.numeric_class().is_some()
        && let Some(number) = node.eval_decimal(cx, row)?
        && let Some(day) = u8::try_from(split_number(&number).0).ok().filter(|day| *day <= 31)
        && let Some(date) = Date::new(2000, 0, day)
    {
        return Ok(Some(DateTime::from(date)));
    }
    let mode = DateMode { allow_invalid: cx.settings.allow_invalid_dates, ..DateMode::default() };
    Ok(read_datetime(node, "date", mode, cx, row)?.map(|(value, _)| value))
}

/// A day of the calendar for functions of dates.
pub(crate) fn calendar_date(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<(DateTime, bool)>> {
    read_datetime(node, "date", DateMode::REAL, cx, row)
}

/// A day of the calendar, and whether a time of day came with it.
pub(crate) fn datetime_of_calendar(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<(DateTime, bool)>> {
    read_datetime(node, "datetime", DateMode::REAL, cx, row)
}

/// An operand of GREATEST or LEAST of dates: `None` is NULL, `Some(None)` no date.
pub(crate) fn extreme_datetime(
    node: &Node,
    dates: &ExtremeDates,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Option<DateTime>>> {
    let value = node.eval(cx, row)?;
    let text = match &*value {
        Value::Null => return Ok(None),
        Value::Bytes(text) => text,
        _ if dates.date_only => return Ok(Some(fuzzy_date(node, cx, row)?)),
        _ => return Ok(Some(fuzzy_datetime(node, cx, row)?)),
    };
    let parsed = parse_datetime(text, date_mode(cx.settings));
    if parsed.value.is_none() || !parsed.warnings.is_empty() {
        let shown = super::shown_in_full(text, node.ty.collation);
        if dates.date_only {
            refuse("date", &shown, cx);
        } else {
            let (shown, name) = (String::from_utf8_lossy(&shown), &dates.name);
            let message =
                format!("Incorrect datetime value: '{shown}' for column '{name}' at row 1");
            cx.warn(SqlError::with_message(code::ER_TRUNCATED_WRONG_VALUE, message));
        }
    }
    Ok(Some(parsed.value))
}

/// The name of an operand as warnings have it: of a column, only its own.
pub(crate) fn operand_name(node: &Node) -> String {
    match &node.op {
        Op::Column(column) => own_name(column).to_owned(),
        _ => crate::expr::printed(node),
    }
}

pub(super) fn own_name(column: &ColumnOp) -> &str {
    column.name.rsplit('.').next().unwrap_or_default().trim_matches('`')
}

/// As TIME: of a date with a time, the time of day.
pub(crate) fn time(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<Time>> {
    let value = written(node, cx, row)?;
    match &*value {
        Value::Null => Ok(None),
        Value::Time(time) => Ok(Some(*time)),
        Value::Date(_) => Ok(Some(Time::ZERO)),
        Value::DateTime(value) => Ok(Some(value.time())),
        Value::Bytes(bytes) if node.ty.kind == TypeKind::Json => {
            json::coerced(node, bytes, cx, json::time)
        }
        Value::Bytes(text) => {
            time_of_text(text, &super::shown_in_full(text, node.ty.collation), cx)
        }
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
                    _ => super::text_of(&value, node).unwrap_or_default(),
                };
                refuse("time", &shown, cx);
                return Ok(None);
            }
            settled_time(&parsed, cx)
        }
    }
}

/// The time that a text is, `shown` so in warnings.
pub(super) fn time_of_text(text: &[u8], shown: &[u8], cx: &mut Cx<'_>) -> Result<Option<Time>> {
    let parsed = parse_time(text);
    if parsed.value.is_none() || !parsed.warnings.is_empty() {
        refuse("time", shown, cx);
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
    let with_micros = |whole: i128, micros: u32| {
        let sign = if whole < 0 { -1 } else { 1 };
        if micros == 0 {
            return Decimal::new(whole, 0);
        }
        Decimal::new(whole * 1_000_000 + sign * i128::from(micros), 6)
    };
    let decimal = match value {
        Value::Date(date) => Decimal::new(i128::from(date.to_number()), 0),
        Value::Time(time) => {
            let micros = i128::from(time.microsecond());
            let whole = i128::from(time.to_number()) * 1_000_000;
            Decimal::new(if time.is_negative() { whole - micros } else { whole + micros }, 6)
        }
        Value::DateTime(datetime) => {
            with_micros(i128::from(datetime.to_number()), datetime.microsecond())
        }
        _ => None,
    };
    decimal.unwrap_or(Decimal::ZERO)
}

/// A literal of DATE, TIME or TIMESTAMP and its type; 1525 if it is wrong.
pub(crate) fn temporal_literal(
    kind: firn_mysql_parser::ast::TemporalKind,
    text: &[u8],
    settings: &Settings,
) -> Result<(Value, SqlType)> {
    use firn_mysql_parser::ast::TemporalKind as K;
    let wrong = |what: &str| {
        let shown = String::from_utf8_lossy(text).into_owned();
        Err(SqlError::incorrect_value(what, &shown))
    };
    let sized = |kind: TypeKind, whole: u32, decimals: u8| {
        let length = if decimals == 0 { whole } else { whole + 1 + u32::from(decimals) };
        SqlType::plain(kind, length, decimals)
    };
    match kind {
        K::Date => {
            let parsed = parse_datetime(text, date_mode(settings));
            match parsed.value {
                Some(value) if parsed.warnings.is_empty() && !parsed.has_time => {
                    Ok((Value::Date(value.date()), sized(TypeKind::Date, 10, 0)))
                }
                _ => wrong("DATE"),
            }
        }
        K::Time => {
            let parsed = parse_time(text);
            match parsed.value {
                Some(TimeOrDateTime::Time(time)) if parsed.warnings.is_empty() => {
                    Ok((Value::Time(time), sized(TypeKind::Time, 10, parsed.decimals)))
                }
                _ => wrong("TIME"),
            }
        }
        K::Timestamp => {
            let parsed = parse_datetime(text, date_mode(settings));
            match parsed.value {
                Some(_) if parsed.offset_seconds.is_some() => {
                    Err(SqlError::not_supported_yet("a TIMESTAMP literal with an offset"))
                }
                Some(value) if parsed.warnings.is_empty() && parsed.has_time => {
                    Ok((Value::DateTime(value), sized(TypeKind::DateTime, 19, parsed.decimals)))
                }
                _ => wrong("DATETIME"),
            }
        }
    }
}

/// A date whose day may be 0, for LAST_DAY.
pub(crate) fn datetime_with_month(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<DateTime>> {
    let mode = DateMode { no_zero_date: true, ..DateMode::default() };
    Ok(read_datetime(node, "date", mode, cx, row)?.map(|(value, _)| value))
}

/// What EXTRACT takes hours and less of: a text with a date's delimiters is a date,
/// others are times.
pub(crate) fn extracted_time(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<TimeOrDateTime>> {
    let value = written(node, cx, row)?;
    let Value::Bytes(text) = &*value else { return time_or_datetime(node, cx, row) };
    let document = node.ty.kind == TypeKind::Json;
    if document || !text.iter().skip(1).any(|byte| *byte == b'-') {
        return Ok(time(node, cx, row)?.map(TimeOrDateTime::Time));
    }
    Ok(datetime(node, cx, row)?.map(TimeOrDateTime::DateTime))
}

/// A time, or a date with a time where the text or the type is one.
pub(crate) fn time_or_datetime(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<TimeOrDateTime>> {
    let value = node.eval(cx, row)?;
    match &*value {
        Value::Date(date) => Ok(Some(TimeOrDateTime::DateTime(DateTime::from(*date)))),
        Value::DateTime(value) => Ok(Some(TimeOrDateTime::DateTime(*value))),
        Value::Bytes(text) => {
            // A date where it has a date's delimiters.
            if text.iter().skip(1).any(|byte| *byte == b'-') {
                let mode = date_mode(cx.settings);
                let parsed = zoned(parse_datetime(text, mode), cx)?;
                return Ok(taken(&parsed, text, "date", cx).map(TimeOrDateTime::DateTime));
            }
            let parsed = parse_time(text);
            match parsed.value {
                None => no_datetime(text, cx),
                Some(_) if !parsed.warnings.is_empty() => refuse("time", text, cx),
                Some(_) => {}
            }
            Ok(parsed.value)
        }
        Value::Null | Value::Time(_) => Ok(time(node, cx, row)?.map(TimeOrDateTime::Time)),
        _ => {
            let Some(number) = number_read(node, &value, cx, row)? else { return Ok(None) };
            let (whole, nanos) = split_number(&number);
            let parsed = time_from_number(whole, nanos);
            if parsed.warnings.is_empty() {
                return Ok(parsed.value);
            }
            let dated = datetime_from_number(whole, nanos, DateMode::REAL);
            if let Some(value) = dated.value.filter(|_| dated.warnings.is_empty()) {
                return Ok(Some(TimeOrDateTime::DateTime(value)));
            }
            Ok(time(node, cx, row)?.map(TimeOrDateTime::Time))
        }
    }
}

/// Decimals of an operand where it becomes a time, or a date with time if `dated`.
pub(crate) fn decimals_as_time(node: &Node, dated: bool) -> u8 {
    if let Op::Literal(Value::Bytes(text)) = &node.op {
        if dated {
            let parsed = parse_datetime(text, DateMode::default());
            return if parsed.value.is_some() { parsed.decimals } else { 6 };
        }
        let parsed = parse_time(text);
        return if parsed.value.is_some() { parsed.decimals } else { 6 };
    }
    match node.ty.kind {
        kind if kind.is_temporal() => node.ty.decimals,
        kind if kind.is_integer() => 0,
        TypeKind::Null => 0,
        _ => node.ty.decimals.min(6),
    }
}
