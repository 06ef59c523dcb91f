//! Days of the calendar: their parts, numbers and differences.

use super::super::{Function, arg};
use super::{date_type, out_of_range};
use crate::error::SqlError;
use crate::expr::{Call, Cx, Result, leaf};
use crate::temporal::{Date, DateTime, WeekMode};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(in crate::functions) static FUNCTIONS: &[Function] = &[
    Function::new(
        "year",
        (1, 1),
        |_| Ok(SqlType::plain(TypeKind::Year, 4, 0).with_unsigned(true)),
        |c, x| part(c, x, |v| v.date().year().into()),
        "The year",
    )
    .nullable(),
    Function::new(
        "quarter",
        (1, 1),
        |_| Ok(SqlType::bigint(2)),
        |c, x| part(c, x, |v| v.date().quarter().into()),
        "1 to 4",
    )
    .nullable(),
    Function::new(
        "month",
        (1, 1),
        |_| Ok(SqlType::bigint(3)),
        |c, x| part(c, x, |v| v.date().month().into()),
        "The month",
    )
    .nullable(),
    Function::new(
        "dayofmonth",
        (1, 1),
        |_| Ok(SqlType::bigint(3)),
        |c, x| part(c, x, |v| v.date().day().into()),
        "The day of the month",
    )
    .nullable(),
    Function::new(
        "dayofweek",
        (1, 1),
        |_| Ok(SqlType::bigint(2)),
        |c, x| calendar(c, x, |d| (i64::from(d.weekday()) + 1) % 7 + 1),
        "1 is Sunday",
    )
    .nullable(),
    Function::new(
        "weekday",
        (1, 1),
        |_| Ok(SqlType::bigint(2)),
        |c, x| calendar(c, x, |d| d.weekday().into()),
        "0 is Monday",
    )
    .nullable(),
    Function::new(
        "dayofyear",
        (1, 1),
        |_| Ok(SqlType::bigint(4)),
        |c, x| calendar(c, x, |d| d.day_of_year().into()),
        "1 to 366",
    )
    .nullable(),
    Function::new("week", (1, 2), |_| Ok(SqlType::bigint(3)), week, "The week of the year")
        .nullable(),
    Function::new(
        "weekofyear",
        (1, 1),
        |_| Ok(SqlType::bigint(3)),
        |c, x| calendar(c, x, |d| d.week(WeekMode::new(3)).1.into()),
        "The week as ISO 8601 counts",
    )
    .nullable(),
    Function::new("yearweek", (1, 2), |_| Ok(SqlType::bigint(7)), year_week, "Year and week")
        .nullable(),
    Function::new(
        "to_days",
        (1, 1),
        |_| Ok(SqlType::bigint(8)),
        |c, x| calendar(c, x, Date::day_number),
        "Days since year 0",
    )
    .nullable(),
    Function::new(
        "to_seconds",
        (1, 1),
        |_| Ok(SqlType::bigint(21)),
        to_seconds,
        "Seconds since year 0",
    )
    .nullable(),
    Function::new("from_days", (1, 1), date_type, from_days, "The date of a number of days")
        .nullable(),
    Function::new("last_day", (1, 1), date_type, last_day, "The last day of the month").nullable(),
    Function::new("makedate", (2, 2), date_type, makedate, "The n-th day of a year").nullable(),
    Function::new("date", (1, 1), date_type, date, "The date of a date with time").nullable(),
    Function::new(
        "datediff",
        (2, 2),
        |_| Ok(SqlType::bigint(9)),
        datediff,
        "Days between two dates",
    )
    .nullable(),
];

/// A part of a date that may have zeros.
fn part(call: &Call<'_>, cx: &mut Cx<'_>, of: fn(DateTime) -> i64) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let value = arg!(leaf::fuzzy_date(operand, cx, call.row));
    let value = of(value);
    Ok(if call.ty().unsigned { Value::UInt(value as u64) } else { Value::Int(value) })
}

/// A number of a day of the calendar.
fn calendar(call: &Call<'_>, cx: &mut Cx<'_>, of: fn(Date) -> i64) -> Result<Value> {
    let (value, _) = arg!(day(call, 0, cx));
    Ok(Value::Int(of(value.date())))
}

fn day(call: &Call<'_>, at: usize, cx: &mut Cx<'_>) -> Result<Option<(DateTime, bool)>> {
    match call.arg(at) {
        Some(operand) => leaf::calendar_date(operand, cx, call.row),
        None => Ok(None),
    }
}

fn week_mode(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Option<i64>> {
    if call.len() == 1 {
        return Ok(Some(cx.settings.week_format.into()));
    }
    // Of 32 bits, below zero as 0.
    Ok(Some(call.int(1, cx)?.map_or(0, |mode| i64::from(mode as i32).max(0) & 7)))
}

fn week(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let (value, _) = arg!(day(call, 0, cx));
    // No mode is no week.
    if call.len() > 1 && call.is_null(1, cx)? {
        return Ok(Value::Int(0));
    }
    let mode = arg!(week_mode(call, cx));
    Ok(Value::Int(value.date().week(WeekMode::new(mode)).1.into()))
}

fn year_week(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let (value, _) = arg!(day(call, 0, cx));
    if call.len() == 1 {
        return Ok(Value::Int(value.date().year_week(0).into()));
    }
    // A mode that is NULL makes it 0.
    let Some(mode) = call.int(1, cx)? else { return Ok(Value::Int(0)) };
    // One below zero is 0, where days before a year's first week are of its week 0.
    let (date, mode) = (value.date(), mode as i32);
    Ok(Value::Int(match mode < 0 {
        true => i64::from(date.year()) * 100 + i64::from(date.week(WeekMode::new(0)).1),
        false => date.year_week(i64::from(mode) & 7).into(),
    }))
}

fn to_seconds(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let (value, _) = arg!(leaf::datetime_of_calendar(operand, cx, call.row));
    Ok(Value::Int(value.linear_micros() / 1_000_000))
}

fn from_days(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let days = arg!(call.int(0, cx));
    let date = i64::try_from(days).ok().and_then(Date::from_day_number).filter(|d| !d.is_zero());
    if date.is_none() {
        cx.warn(out_of_range("DATE", call.node));
    }
    Ok(Value::from_date(date))
}

fn last_day(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let date = arg!(leaf::fuzzy_date(operand, cx, call.row)).date();
    Ok(match date.last_day() {
        Some(date) => Value::Date(date),
        None => {
            let mut shown = Vec::new();
            date.write_text(&mut shown);
            cx.warn(SqlError::truncated_wrong_value("date", &String::from_utf8_lossy(&shown)));
            Value::Null
        }
    })
}

fn makedate(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let day = arg!(call.int(1, cx));
    let year = arg!(call.int(0, cx));
    if !(0..=9999).contains(&year) || day <= 0 {
        return Ok(Value::Null);
    }
    let year = match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    };
    let first = Date::new(year as u16, 1, 1).map_or(0, Date::day_number);
    let number = i128::from(first) + day - 1;
    Ok(Value::from_date(i64::try_from(number).ok().and_then(Date::from_day_number)))
}

fn date(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let value = arg!(leaf::datetime_for_date(operand, cx, call.row));
    Ok(Value::Date(value.date()))
}

fn datediff(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    // Both are read, for the warnings of the second.
    let (to, from) = (day(call, 0, cx)?, day(call, 1, cx)?);
    let (Some((to, _)), Some((from, _))) = (to, from) else { return Ok(Value::Null) };
    Ok(Value::Int(to.date().day_number() - from.date().day_number()))
}
