//! INTERVAL arithmetic, EXTRACT and TIMESTAMPDIFF.

use firn_mysql_parser::ast::IntervalUnit as U;

use super::context::{Cx, Row};
use super::eval::internal;
use super::node::Node;
use super::{Result, leaf};
use crate::decimal::{Decimal, Rounding};
use crate::error::SqlError;
use crate::temporal::{Interval, Time, is_simple_unit, is_unit_of_dates, unit_has_microseconds};
use crate::types::TypeKind;
use crate::value::Value;

/// The units of intervals.
pub type Unit = U;

const SECOND_MICROS: i64 = 1_000_000;

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
    !is_unit_of_dates(unit)
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
        _ if unit_has_microseconds(unit) => 6,
        U::Second if amount.ty.kind.is_string() => 6,
        U::Second => amount.ty.decimals.min(6),
        _ => 0,
    }
}

/// An amount of time: `None` is NULL, `Some(None)` none that can be added.
fn interval(
    amount: &Node,
    unit: Unit,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Option<Interval>>> {
    if !is_simple_unit(unit) {
        let text = amount.eval_text(cx, row)?;
        return Ok(text.map(|text| Interval::of_text(unit, &text)));
    }
    if unit == U::Second {
        let Some(value) = amount.eval_decimal(cx, row)? else { return Ok(None) };
        let Ok(whole) = value.to_i64(Rounding::Truncate) else {
            let mut shown = Vec::new();
            value.write_text(&mut shown);
            cx.warn(SqlError::truncated_wrong_value("DECIMAL", &String::from_utf8_lossy(&shown)));
            return Ok(Some(None));
        };
        let rest = value.sub(&Decimal::from(whole)).ok();
        let rest = rest.and_then(|rest| rest.mul(&Decimal::from(SECOND_MICROS)).ok());
        let rest = rest.map_or(0, |rest| rest.to_i64(Rounding::Truncate).unwrap_or(0));
        return Ok(Some(number_of_units(unit, whole, rest as i32)));
    }
    let Some(count) = amount.eval_int(cx, row)? else { return Ok(None) };
    let count = match amount.ty.unsigned {
        // Beyond 63 bits it is taken as signed.
        true => count as i64,
        false => count.clamp(i64::MIN.into(), i64::MAX.into()) as i64,
    };
    Ok(Some(number_of_units(unit, count, 0)))
}

/// The least number has no sign that could be turned.
fn number_of_units(unit: Unit, count: i64, micros: i32) -> Option<Interval> {
    count.checked_neg()?;
    Interval::of_number(unit, count, micros)
}

/// An amount that cannot be added: a DATE is NULL without a word, a TIME but for DECIMALs.
fn no_interval(node: &Node, cx: &mut Cx<'_>) -> Value {
    let by_decimal = node.args.get(1).is_some_and(|by| by.ty.kind == TypeKind::Decimal);
    match node.ty.kind {
        TypeKind::Date => {}
        TypeKind::Time if !by_decimal => {}
        TypeKind::Time => cx.warn(out_of_range("TIME", node)),
        _ => cx.warn(out_of_range("DATETIME", node)),
    }
    Value::Null
}

/// 6527 for what the type of an expression cannot hold.
fn out_of_range(kind: &str, node: &Node) -> SqlError {
    let shown = super::printed(node);
    SqlError::with_message(6527, format!("{kind} value is out of range in '{shown}'"))
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
        let Some(by) = by else { return Ok(no_interval(node, cx)) };
        let by = if subtract { by.negated() } else { by };
        return Ok(match start.add_interval(&by) {
            Some(time) => Value::Time(time),
            _ => {
                cx.warn(out_of_range("TIME", node));
                Value::Null
            }
        });
    }
    let Some(start) = leaf::datetime_of_calendar(date, cx, row)? else { return Ok(Value::Null) };
    let Some(by) = interval(amount, unit, cx, row)? else { return Ok(Value::Null) };
    let Some(by) = by else { return Ok(no_interval(node, cx)) };
    let by = if subtract { by.negated() } else { by };
    let Some(result) = start.0.add_interval(&by) else {
        cx.warn(match node.ty.kind {
            TypeKind::Date => out_of_range("DATE", node),
            _ => SqlError::datetime_overflow("datetime"),
        });
        return Ok(Value::Null);
    };
    Ok(match node.ty.kind {
        TypeKind::Date => Value::Date(result.date()),
        kind if kind.is_string() => {
            let mut out = Vec::new();
            if start.1 || is_timed(unit) {
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
    let json = operand.ty.kind == TypeKind::Json;
    let value = if is_timed(unit) && !(json && is_dated(unit)) {
        use crate::temporal::TimeOrDateTime as T;
        match leaf::extracted_time(operand, cx, row)? {
            None => return Ok(Value::Null),
            Some(T::DateTime(value)) if !is_dated(unit) => {
                return Ok(Value::Int(clock_part(value.time(), unit)));
            }
            Some(T::DateTime(value)) => value,
            Some(T::Time(time)) => return Ok(Value::Int(clock_part(time, unit))),
        }
    } else {
        let Some(value) = leaf::fuzzy_datetime(operand, cx, row)? else { return Ok(Value::Null) };
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
    Ok(crate::temporal::timestamp_diff(unit, a, b).map_or(Value::Null, Value::Int))
}
