//! Values as dates, with and without a time.

use super::moment::{no_datetime, now, refuse, warn_of_delimiter, zoned};
use crate::decimal::{Decimal, Rounding};
use crate::expr::arith::ArithOp;
use crate::expr::context::{Cx, Row};
use crate::expr::json;
use crate::expr::node::{Node, Op};
use crate::expr::string_number::temporal_of;
use crate::expr::{Out, Result};
use crate::temporal::{
    Date, DateMode, DateTime, ParsedDateTime, datetime_from_number, parse_datetime,
};
use crate::types::TypeKind;
use crate::value::Value;

/// Numbers from here on have a date before their last six digits.
const DATE_WITH_TIME: i64 = 101_000_000;
/// 9999-99-99 99:99:99.
const LAST_NUMBER: i64 = 99_999_999_999_999;

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

/// What a text without any fault, and without an offset, was read as.
pub(super) fn plain(parsed: &ParsedDateTime, cx: &Cx<'_>) -> Option<DateTime> {
    let faultless = parsed.warnings.is_empty() && parsed.odd_delimiter.is_none();
    let value = parsed.value.filter(|_| faultless && parsed.offset_seconds.is_none())?;
    with_nanos(value, parsed.nanoseconds, cx)
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
pub(super) fn number_read(
    node: &Node,
    value: &Value,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Decimal>> {
    match value {
        Value::Double(value) => Ok(Some(Decimal::from_f64(*value).value)),
        Value::Int(value) => Ok(Some(Decimal::from(*value))),
        _ => node.eval_decimal(cx, row),
    }
}

/// A value as dates and times are read of it: ENUM, SET and BIT are their texts.
pub(super) fn written<'a>(node: &'a Node, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Out<'a>> {
    let value = node.eval(cx, row)?;
    let owned = match (node.ty.kind, &*value) {
        (TypeKind::Enum | TypeKind::Set | TypeKind::Bit, value) => {
            node.text(value)?.map_or(Value::Null, Value::from)
        }
        // CAST AS DOUBLE of NULL is zero to what reads dates.
        (TypeKind::Double | TypeKind::Float, Value::Null) if matches!(node.op, Op::Cast(_)) => {
            Value::Int(0)
        }
        // What functions of times print is a time or date still.
        (kind, Value::Bytes(text)) if kind.is_string() && node.computes_time() => {
            match temporal_of(text) {
                Some(temporal) => temporal,
                None => return Ok(value),
            }
        }
        _ => return Ok(value),
    };
    Ok(std::borrow::Cow::Owned(owned))
}

/// A column of YEAR is its first day.
pub(super) fn year_column(node: &Node, value: &Value) -> Option<DateTime> {
    if node.ty.kind != TypeKind::Year || !matches!(node.op, Op::Column(_)) {
        return None;
    }
    let year = match value {
        Value::Int(year) => u16::try_from(*year).ok()?,
        Value::UInt(year) => u16::try_from(*year).ok()?,
        _ => return None,
    };
    Date::new(year, 1, 1).map(DateTime::from)
}

/// A number as messages show it: all digits of a double.
pub(super) fn shown_number(value: &Value, node: &Node) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Double(value) => crate::number::write_double(*value, &mut out),
        Value::Float(value) => crate::number::write_double(f64::from(*value), &mut out),
        // What arithmetic gives is zero without decimals; an extreme keeps its own.
        Value::Decimal(number) if number.is_zero() && made_zero(node) => out.push(b'0'),
        Value::Decimal(number) if own_scale(node) => number.write_text(&mut out),
        _ => return super::text_of(value, node).unwrap_or_default(),
    }
    out
}

/// Arithmetic but addition gives zero without decimals.
pub(crate) fn made_zero(node: &Node) -> bool {
    matches!(&node.op, Op::Arith(op, _) if *op != ArithOp::Add)
}

/// Its decimals are settled only where a client gets them.
fn own_scale(node: &Node) -> bool {
    match &node.op {
        Op::Extreme { .. } => true,
        Op::Call(call) => call.function.name == "unix_timestamp",
        _ => false,
    }
}

/// What a value is read as, which decides how warnings show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    date_only: bool,
    /// A number that is a date alone should have no fraction.
    fraction_warns: bool,
}

impl Asked {
    pub(super) const DATE: Asked = Asked { date_only: true, fraction_warns: false };
    pub(super) const DATETIME: Asked = Asked { date_only: false, fraction_warns: false };
    pub(super) const EXACT_DATETIME: Asked = Asked { date_only: false, fraction_warns: true };

    fn kind(self) -> &'static str {
        if self.date_only { "date" } else { "datetime" }
    }
}

/// Whether a date comes from a column or expression of dates, of which nothing is said: DATE and
/// CAST hand on what they are given.
fn is_of_dates(node: &Node) -> bool {
    let hands_on = match &node.op {
        Op::Call(call) => call.function.name == "date",
        Op::Cast(_) => true,
        _ => false,
    };
    match node.args.first() {
        Some(arg) if hands_on => is_of_dates(arg),
        _ => node.ty.kind.has_date(),
    }
}

pub(super) fn read_datetime(
    node: &Node,
    asked: Asked,
    mode: DateMode,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<(DateTime, bool)>> {
    let Some(node) = node.read_from(cx, row)? else { return Ok(None) };
    let value = written(node, cx, row)?;
    if let Some(first) = year_column(node, &value) {
        return Ok(Some((first, true)));
    }
    let kind = asked.kind();
    let checked = |value: DateTime, timed: bool, cx: &mut Cx<'_>| {
        let date = value.date();
        let bad = (date.is_zero() && mode.no_zero_date)
            || (!date.is_zero() && date.has_zero() && mode.no_zero_in_date);
        if bad && is_of_dates(node) {
            return None;
        }
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
            // The date of a time that is none of today is counted from the moment,
            // everything else from midnight.
            let now = now(cx);
            let other_day = time.is_negative() || time.hour() >= 24;
            let start = match asked.date_only && other_day {
                true => now,
                false => DateTime::from(now.date()),
            };
            let start = i128::from(start.linear_micros());
            let micros = i64::try_from(start + i128::from(time.micros())).ok();
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
            if let Some(value) = plain(&parsed, cx) {
                return Ok(Some((value, timed)));
            }
            let shown = super::shown_in_full(text, node.ty.collation);
            if parsed.value.is_some() {
                warn_of_delimiter(parsed.odd_delimiter.as_ref(), &shown, cx);
            }
            let mut parsed = zoned(parsed, cx)?;
            // The warning of what follows says what was asked for.
            parsed.has_time &= !asked.date_only;
            taken(&parsed, &shown, kind, cx).map(|value| (value, timed))
        }
        _ => {
            let Some(number) = number_read(node, &value, cx, row)? else { return Ok(None) };
            let (whole, nanos) = split_number(&number);
            let parsed = datetime_from_number(whole, nanos, mode);
            // Whoever wants the date alone does not look at the time of day.
            let parsed = match parsed.value {
                None if asked.date_only && (DATE_WITH_TIME..=LAST_NUMBER).contains(&whole) => {
                    let date = datetime_from_number(whole / 1_000_000, 0, mode);
                    ParsedDateTime { has_time: parsed.has_time || date.value.is_some(), ..date }
                }
                _ => parsed,
            };
            // A number that is a date alone has no fraction of a second.
            let parsed = match parsed.has_time {
                true if number.is_negative() && nanos != 0 && !asked.date_only => {
                    datetime_from_number(-1, 0, mode)
                }
                true => parsed,
                false => datetime_from_number(whole, 0, mode),
            };
            let shown = match &*value {
                // Doubles are shown as the integers that they are cut to.
                #[allow(clippy::cast_possible_truncation, reason = "cut on purpose")]
                Value::Double(value) if asked.date_only => (*value as i64).to_string().into_bytes(),
                Value::Float(_) if asked.date_only => whole.to_string().into_bytes(),
                Value::UInt(value) => (*value as i64).to_string().into_bytes(),
                _ => shown_number(&value, node),
            };
            let huge = matches!(&*value, Value::Double(value) if value.abs() >= 1e18);
            let shown = match (&*value, huge) {
                (_, true) => shown_number(&value, node),
                _ => shown,
            };
            if let Value::Decimal(number) = &*value
                && kind == "date"
                && number.to_i64(Rounding::Truncate).is_err()
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
            if asked.fraction_warns && !timed && nanos != 0 && parsed.value.is_some() {
                refuse("date", &shown, cx);
            }
            taken(&parsed, &shown, kind, cx).map(|value| (value, timed))
        }
    })
}

/// As DATETIME.
pub(crate) fn datetime(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<DateTime>> {
    let mode = cx.settings.date_mode();
    Ok(read_datetime(node, Asked::DATETIME, mode, cx, row)?.map(|(value, _)| value))
}

/// As DATETIME; a number that is a date alone should have no fraction.
pub(crate) fn exact_datetime(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<DateTime>> {
    let mode = cx.settings.date_mode();
    Ok(read_datetime(node, Asked::EXACT_DATETIME, mode, cx, row)?.map(|(value, _)| value))
}

/// As DATETIME, of which DATE takes the date.
pub(crate) fn datetime_for_date(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<DateTime>> {
    let mode = cx.settings.date_mode();
    Ok(read_datetime(node, Asked::DATE, mode, cx, row)?.map(|(value, _)| value))
}

/// Any date, with zeros as the functions of parts take them.
pub(crate) fn fuzzy_datetime(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<DateTime>> {
    let mode = DateMode { allow_invalid: cx.settings.allow_invalid_dates, ..DateMode::default() };
    Ok(read_datetime(node, Asked::EXACT_DATETIME, mode, cx, row)?.map(|(value, _)| value))
}

/// The same for functions of dates, which say so in their warnings.
pub(crate) fn fuzzy_date(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<DateTime>> {
    // Numbers below 100 are days of no month in the year 2000.
    let number = match node.numeric_class() {
        Some(_) => {
            let value = written(node, cx, row)?;
            let number = !matches!(&*value, Value::Null | Value::Bytes(_));
            let number = number && year_column(node, &value).is_none();
            if number { number_read(node, &value, cx, row)? } else { None }
        }
        None => None,
    };
    if let Some(number) = number
        && let Some(day) = u8::try_from(split_number(&number).0).ok().filter(|day| *day <= 31)
        && let Some(date) = Date::new(2000, 0, day)
    {
        return Ok(Some(DateTime::from(date)));
    }
    let mode = DateMode { allow_invalid: cx.settings.allow_invalid_dates, ..DateMode::default() };
    Ok(read_datetime(node, Asked::DATE, mode, cx, row)?.map(|(value, _)| value))
}

/// A day of the calendar for functions of dates.
pub(crate) fn calendar_date(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<(DateTime, bool)>> {
    read_datetime(node, Asked::DATE, DateMode::REAL, cx, row)
}

/// A day of the calendar, and whether a time of day came with it.
pub(crate) fn datetime_of_calendar(
    node: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<(DateTime, bool)>> {
    read_datetime(node, Asked::EXACT_DATETIME, DateMode::REAL, cx, row)
}
