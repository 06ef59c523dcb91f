//! INTERVAL arithmetic, EXTRACT and TIMESTAMPDIFF.

use firn_mysql_parser::ast::IntervalUnit as U;

use super::context::{Cx, Row};
use super::eval::internal;
use super::node::Node;
use super::{Result, leaf};
use crate::error::SqlError;
use crate::temporal::{Date, DateTime, Time, days_in_month};
use crate::types::TypeKind;
use crate::value::Value;

/// The units of intervals.
pub type Unit = U;

const SECOND: i128 = 1_000_000;
const MINUTE: i128 = 60 * SECOND;
const HOUR: i128 = 60 * MINUTE;
const DAY: i128 = 24 * HOUR;

/// A length of time: months, and microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interval {
    months: i128,
    micros: i128,
    /// It has hours or less.
    timed: bool,
}

/// The unit's name, as texts have it.
pub(super) fn unit_name(unit: Unit) -> &'static str {
    match unit {
        U::Microsecond => "microsecond",
        U::Second => "second",
        U::Minute => "minute",
        U::Hour => "hour",
        U::Day => "day",
        U::Week => "week",
        U::Month => "month",
        U::Quarter => "quarter",
        U::Year => "year",
        U::SecondMicrosecond => "second_microsecond",
        U::MinuteMicrosecond => "minute_microsecond",
        U::MinuteSecond => "minute_second",
        U::HourMicrosecond => "hour_microsecond",
        U::HourSecond => "hour_second",
        U::HourMinute => "hour_minute",
        U::DayMicrosecond => "day_microsecond",
        U::DaySecond => "day_second",
        U::DayMinute => "day_minute",
        U::DayHour => "day_hour",
        U::YearMonth => "year_month",
    }
}

/// The unit has hours or less.
pub(crate) fn is_timed(unit: Unit) -> bool {
    !matches!(unit, U::Day | U::Week | U::Month | U::Quarter | U::Year | U::YearMonth)
}

/// The unit has days or more.
pub(crate) fn is_dated(unit: Unit) -> bool {
    matches!(
        unit,
        U::Day
            | U::Week
            | U::Month
            | U::Quarter
            | U::Year
            | U::YearMonth
            | U::DayMicrosecond
            | U::DaySecond
            | U::DayMinute
            | U::DayHour
    )
}

/// Decimals of the second that the unit's interval may have.
pub(crate) fn unit_decimals(unit: Unit, amount: &Node) -> u8 {
    match unit {
        U::Microsecond
        | U::SecondMicrosecond
        | U::MinuteMicrosecond
        | U::HourMicrosecond
        | U::DayMicrosecond => 6,
        U::Second if amount.ty.kind.is_string() => 6,
        U::Second => amount.ty.decimals.min(6),
        _ => 0,
    }
}

/// The parts of a unit that has several, in microseconds, from the first; months
/// for YEAR_MONTH.
fn parts(unit: Unit) -> Option<&'static [i128]> {
    Some(match unit {
        U::SecondMicrosecond => &[SECOND, 1],
        U::MinuteMicrosecond => &[MINUTE, SECOND, 1],
        U::MinuteSecond => &[MINUTE, SECOND],
        U::HourMicrosecond => &[HOUR, MINUTE, SECOND, 1],
        U::HourSecond => &[HOUR, MINUTE, SECOND],
        U::HourMinute => &[HOUR, MINUTE],
        U::DayMicrosecond => &[DAY, HOUR, MINUTE, SECOND, 1],
        U::DaySecond => &[DAY, HOUR, MINUTE, SECOND],
        U::DayMinute => &[DAY, HOUR, MINUTE],
        U::DayHour => &[DAY, HOUR],
        U::YearMonth => &[12, 1],
        _ => return None,
    })
}

fn interval(amount: &Node, unit: Unit, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<Interval>> {
    let timed = is_timed(unit);
    if let Some(sizes) = parts(unit) {
        let Some(text) = amount.eval_text(cx, row)? else { return Ok(None) };
        let micro = sizes.last() == Some(&1) && unit != U::YearMonth;
        let Some(total) = read_parts(&text, sizes, micro) else { return Ok(None) };
        return Ok(Some(if unit == U::YearMonth {
            Interval { months: total, micros: 0, timed }
        } else {
            Interval { months: 0, micros: total, timed }
        }));
    }
    if unit == U::Second {
        let Some(value) = amount.eval_decimal(cx, row)? else { return Ok(None) };
        let micros = crate::decimal::Decimal::from(1_000_000i64);
        let Ok(value) = value.mul(&micros) else { return Ok(None) };
        let micros = value.to_i64(crate::decimal::Rounding::Truncate).unwrap_or_else(|end| end);
        return Ok(Some(Interval { months: 0, micros: micros.into(), timed }));
    }
    let Some(count) = amount.eval_int(cx, row)? else { return Ok(None) };
    let (months, size) = match unit {
        U::Year => (12, 0),
        U::Quarter => (3, 0),
        U::Month => (1, 0),
        U::Week => (0, 7 * DAY),
        U::Day => (0, DAY),
        U::Hour => (0, HOUR),
        U::Minute => (0, MINUTE),
        _ => (0, 1),
    };
    Ok(Some(Interval { months: count * months, micros: count * size, timed }))
}

/// Numbers with anything between, from the right: fewer numbers than parts leave
/// out the first ones.
fn read_parts(text: &[u8], sizes: &[i128], micro: bool) -> Option<i128> {
    let trimmed = text.trim_ascii_start();
    let (negative, mut rest) = match trimmed.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, trimmed),
    };
    let mut numbers: Vec<(i128, usize)> = Vec::new();
    while numbers.len() < sizes.len() {
        let start = rest.iter().position(u8::is_ascii_digit);
        let Some(start) = start else { break };
        let digits = rest.get(start..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = rest.get(start..start + digits)?.iter().fold(0i128, |all, digit| {
            (all * 10 + i128::from(digit - b'0')).min(i128::from(i64::MAX))
        });
        numbers.push((number, digits));
        rest = rest.get(start + digits..)?;
    }
    let skip = sizes.len() - numbers.len();
    let mut total = 0i128;
    for (at, ((number, digits), size)) in numbers.iter().zip(sizes.get(skip..)?).enumerate() {
        let mut number = *number;
        // The microseconds are a fraction: .5 is half a second.
        if micro && at + 1 == numbers.len() && *digits < 6 {
            number *= 10i128.pow(6 - *digits as u32);
        }
        total += number * size;
    }
    Some(if negative { -total } else { total })
}

/// `date` moved by `months`: the last day of the month where the day is beyond it.
fn move_months(date: Date, months: i128) -> Option<Date> {
    let total = i128::from(date.year()) * 12 + i128::from(date.month()) - 1 + months;
    if total < 0 {
        return None;
    }
    let year = u16::try_from(total / 12).ok()?;
    let month = u8::try_from(total % 12).ok()? + 1;
    let last = days_in_month(year, month);
    Date::new(year, month, date.day().min(last))
}

fn moved(start: DateTime, by: Interval) -> Option<DateTime> {
    if by.micros == 0 && !by.timed {
        if by.months == 0 {
            return Some(start);
        }
        let date = move_months(start.date(), by.months)?;
        return DateTime::new(
            date,
            start.hour(),
            start.minute(),
            start.second(),
            start.microsecond(),
        );
    }
    let linear = i128::from(start.linear_micros()) + by.micros;
    DateTime::from_linear_micros(i64::try_from(linear).ok()?)
}

/// `date ± INTERVAL amount unit`
pub(super) fn date_arith(
    node: &Node,
    subtract: bool,
    unit: Unit,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Value> {
    let [date, amount] = &*node.args else { return Err(internal()) };
    if node.ty.kind == TypeKind::Time {
        let Some(start) = leaf::time(date, cx, row)? else { return Ok(Value::Null) };
        let Some(by) = interval(amount, unit, cx, row)? else { return Ok(Value::Null) };
        let by = if subtract { -by.micros } else { by.micros };
        let total = i64::try_from(i128::from(start.micros()) + by).ok();
        return Ok(match total.map(Time::from_micros) {
            Some(Ok(time)) => Value::Time(time),
            _ => {
                cx.warn(SqlError::datetime_overflow("time"));
                Value::Null
            }
        });
    }
    let Some(start) = leaf::datetime_of_calendar(date, cx, row)? else { return Ok(Value::Null) };
    let Some(by) = interval(amount, unit, cx, row)? else { return Ok(Value::Null) };
    let by = if subtract {
        Interval { months: -by.months, micros: -by.micros, timed: by.timed }
    } else {
        by
    };
    let Some(result) = moved(start.0, by) else {
        cx.warn(SqlError::datetime_overflow("datetime"));
        return Ok(Value::Null);
    };
    Ok(match node.ty.kind {
        TypeKind::Date => Value::Date(result.date()),
        kind if kind.is_string() => {
            let mut out = Vec::new();
            if start.1 || by.timed {
                let decimals = if result.microsecond() != 0 { 6 } else { 0 };
                result.write_text(decimals, &mut out);
            } else {
                result.date().write_text(&mut out);
            }
            Value::from(out)
        }
        _ => Value::DateTime(result),
    })
}

/// A part of a time; DAY_… units of a time have no days.
fn clock_part(time: Time, unit: Unit) -> i64 {
    let (h, m, s) = (i64::from(time.hour()), i64::from(time.minute()), i64::from(time.second()));
    let micro = i64::from(time.microsecond());
    let value = match unit {
        U::Hour | U::DayHour => h,
        U::Minute => m,
        U::Second => s,
        U::Microsecond => micro,
        U::HourMinute | U::DayMinute => h * 100 + m,
        U::HourSecond | U::DaySecond => h * 10_000 + m * 100 + s,
        U::MinuteSecond => m * 100 + s,
        U::SecondMicrosecond => s * 1_000_000 + micro,
        U::MinuteMicrosecond => (m * 100 + s) * 1_000_000 + micro,
        _ => (h * 10_000 + m * 100 + s) * 1_000_000 + micro,
    };
    if time.is_negative() { -value } else { value }
}

/// `EXTRACT(unit FROM date)`
pub(super) fn extract(node: &Node, unit: Unit, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Value> {
    let operand = node.first()?;
    if !is_dated(unit) || (operand.ty.kind == TypeKind::Time && is_timed(unit)) {
        let Some(time) = leaf::time(operand, cx, row)? else { return Ok(Value::Null) };
        return Ok(Value::Int(clock_part(time, unit)));
    }
    let value = if is_timed(unit) && operand.ty.kind.is_string() {
        use crate::temporal::TimeOrDateTime as T;
        match leaf::time_or_datetime(operand, cx, row)? {
            None => return Ok(Value::Null),
            Some(T::DateTime(value)) => value,
            Some(T::Time(time)) => return Ok(Value::Int(clock_part(time, unit))),
        }
    } else {
        let Some(value) = leaf::datetime(operand, cx, row)? else { return Ok(Value::Null) };
        value
    };
    let date = value.date();
    let (y, mo, d) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    let (h, m, s) = (i64::from(value.hour()), i64::from(value.minute()), i64::from(value.second()));
    let micro = i64::from(value.microsecond());
    Ok(Value::Int(match unit {
        U::Year => y,
        U::Quarter => (mo + 2) / 3,
        U::Month => mo,
        U::Week => {
            let mode = crate::temporal::WeekMode::new(cx.settings.week_format.into());
            date.week(mode).1.into()
        }
        U::Day => d,
        U::YearMonth => y * 100 + mo,
        U::DayHour => d * 100 + h,
        U::DayMinute => d * 10_000 + h * 100 + m,
        U::DaySecond => d * 1_000_000 + h * 10_000 + m * 100 + s,
        _ => (d * 1_000_000 + h * 10_000 + m * 100 + s) * 1_000_000 + micro,
    }))
}

/// `TIMESTAMPDIFF(unit, a, b)`
pub(super) fn timestamp_diff(
    node: &Node,
    unit: Unit,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Value> {
    let [from, to] = &*node.args else { return Err(internal()) };
    let Some((a, _)) = leaf::datetime_of_calendar(from, cx, row)? else { return Ok(Value::Null) };
    let Some((b, _)) = leaf::datetime_of_calendar(to, cx, row)? else { return Ok(Value::Null) };
    let micros = b.linear_micros() - a.linear_micros();
    let whole = |size: i128| (i128::from(micros) / size) as i64;
    Ok(Value::Int(match unit {
        U::Microsecond => micros,
        U::Second => whole(SECOND),
        U::Minute => whole(MINUTE),
        U::Hour => whole(HOUR),
        U::Day => whole(DAY),
        U::Week => whole(7 * DAY),
        U::Month => months_between(a, b),
        U::Quarter => months_between(a, b) / 3,
        _ => months_between(a, b) / 12,
    }))
}

/// Whole months from `a` to `b`.
fn months_between(a: DateTime, b: DateTime) -> i64 {
    let (from, to, sign) = if a <= b { (a, b, 1) } else { (b, a, -1) };
    let count = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
    let mut months = count(to.date()) - count(from.date());
    let within = |value: DateTime| (value.date().day(), value.day_micros());
    if within(to) < within(from) {
        months -= 1;
    }
    months * sign
}
