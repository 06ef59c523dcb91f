//! Dates and times: their parts, sums and differences.

use super::{Function, arg};
use crate::error::SqlError;
use crate::expr::{Call, Cx, Domain, Result, Site, leaf};
use crate::temporal::zone::{TimeZone, convert_zone};
use crate::temporal::{Date, DateTime, Time, WeekMode};
use crate::types::{Derivation, SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
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
    Function::new(
        "hour",
        (1, 1),
        |_| Ok(SqlType::bigint(4)),
        |c, x| clock(c, x, |t| t.hour().into()),
        "The hour",
    )
    .nullable(),
    Function::new(
        "minute",
        (1, 1),
        |_| Ok(SqlType::bigint(3)),
        |c, x| clock(c, x, |t| t.minute().into()),
        "The minute",
    )
    .nullable(),
    Function::new(
        "second",
        (1, 1),
        |_| Ok(SqlType::bigint(3)),
        |c, x| clock(c, x, |t| t.second().into()),
        "The second",
    )
    .nullable(),
    Function::new(
        "microsecond",
        (1, 1),
        |_| Ok(SqlType::bigint(21)),
        |c, x| clock(c, x, |t| t.microsecond().into()),
        "The microseconds",
    )
    .nullable(),
    Function::new(
        "time_to_sec",
        (1, 1),
        |_| Ok(SqlType::bigint(10)),
        |c, x| clock(c, x, Time::to_seconds),
        "Seconds of a time",
    )
    .nullable(),
    Function::new("sec_to_time", (1, 1), sec_type, sec_to_time, "The time of so many seconds")
        .nullable(),
    Function::new("maketime", (3, 3), maketime_type, maketime, "A time of its parts").nullable(),
    Function::new("makedate", (2, 2), date_type, makedate, "The n-th day of a year").nullable(),
    Function::new("date", (1, 1), date_type, date, "The date of a date with time").nullable(),
    Function::new("time", (1, 1), time_type, time, "The time of a date with time").nullable(),
    Function::new(
        "timestamp",
        (1, 2),
        timestamp_type,
        timestamp,
        "A date with time, and a time added",
    )
    .nullable(),
    Function::new(
        "datediff",
        (2, 2),
        |_| Ok(SqlType::bigint(9)),
        datediff,
        "Days between two dates",
    )
    .nullable(),
    Function::new("timediff", (2, 2), timediff_type, timediff, "The time between two times")
        .nullable(),
    Function::new("addtime", (2, 2), add_type, |c, x| add_time(c, x, 1), "A time added").nullable(),
    Function::new("subtime", (2, 2), add_type, |c, x| add_time(c, x, -1), "A time taken away")
        .nullable(),
    Function::new(
        "period_add",
        (2, 2),
        |_| Ok(SqlType::bigint(21)),
        period_add,
        "Months added to YYYYMM",
    ),
    Function::new(
        "period_diff",
        (2, 2),
        |_| Ok(SqlType::bigint(21)),
        period_diff,
        "Months between two YYYYMM",
    ),
    Function::new(
        "convert_tz",
        (3, 3),
        convert_tz_type,
        convert_tz,
        "A time of one zone in another",
    )
    .nullable(),
    Function::new("now", (0, 1), now_type, now, "When the statement began").never_null(),
    Function::new("sysdate", (0, 1), now_type, sysdate, "The present").never_null().changing(),
    Function::new(
        "curdate",
        (0, 0),
        date_type,
        |_, cx| Ok(Value::Date(leaf::now(cx).date())),
        "Today",
    )
    .never_null(),
    Function::new("curtime", (0, 1), curtime_type, curtime, "The time of day").never_null(),
    Function::new(
        "utc_date",
        (0, 0),
        date_type,
        |_, cx| Ok(Value::Date(leaf::utc(cx.session.statement_time_micros()).date())),
        "Today in UTC",
    )
    .never_null(),
    Function::new("utc_time", (0, 1), curtime_type, utc_time, "The time of day in UTC")
        .never_null(),
    Function::new("utc_timestamp", (0, 1), now_type, utc_timestamp, "The statement's time in UTC")
        .never_null(),
    Function::new("unix_timestamp", (0, 1), unix_type, unix_timestamp, "Seconds since 1970")
        .own_nulls(),
];

fn date_type(_: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(SqlType::plain(TypeKind::Date, 10, 0))
}

fn sized(kind: TypeKind, whole: u32, decimals: u8) -> SqlType {
    let length = if decimals == 0 { whole } else { whole + 1 + u32::from(decimals) };
    SqlType::plain(kind, length, decimals)
}

/// Decimals of an argument where it becomes a time.
fn time_decimals(site: &Site<'_, '_>, at: usize, dated: bool) -> u8 {
    site.args.get(at).map_or(0, |arg| leaf::decimals_as_time(arg, dated))
}

fn time_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(sized(TypeKind::Time, 10, time_decimals(site, 0, false)))
}

fn timestamp_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let mut decimals = time_decimals(site, 0, true);
    if site.args.len() > 1 {
        decimals = decimals.max(time_decimals(site, 1, false));
    }
    Ok(sized(TypeKind::DateTime, 19, decimals))
}

fn timediff_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let decimals = time_decimals(site, 0, false).max(time_decimals(site, 1, false));
    Ok(sized(TypeKind::Time, 10, decimals))
}

fn add_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let kind = site.node(0)?.ty.kind;
    let decimals = time_decimals(site, 0, false).max(time_decimals(site, 1, false));
    Ok(match kind {
        TypeKind::Time => sized(TypeKind::Time, 10, decimals),
        TypeKind::Date | TypeKind::DateTime | TypeKind::Timestamp => {
            sized(TypeKind::DateTime, 19, decimals)
        }
        _ => {
            let mut ty = SqlType::varchar(29, site.binder.connection(), Derivation::Coercible);
            ty.kind = TypeKind::Char;
            ty
        }
    })
}

fn sec_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let decimals = match site.domain(0) {
        Domain::Int => 0,
        _ => site.node(0)?.ty.decimals.min(6),
    };
    Ok(sized(TypeKind::Time, 10, decimals))
}

fn maketime_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let decimals = match site.domain(2) {
        Domain::Int => 0,
        _ => site.node(2)?.ty.decimals.min(6),
    };
    Ok(sized(TypeKind::Time, 10, decimals))
}

/// The precision that NOW(n) asks for.
fn asked_decimals(site: &Site<'_, '_>) -> Result<u8> {
    let asked = site.constant_int(0).unwrap_or(0);
    match u8::try_from(asked) {
        Ok(decimals) if decimals <= 6 => Ok(decimals),
        _ => Err(SqlError::new(
            crate::error::code::ER_TOO_BIG_PRECISION,
            &[(asked as u64).into(), site.name.into(), 6u64.into()],
        )),
    }
}

fn now_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(sized(TypeKind::DateTime, 19, asked_decimals(site)?))
}

fn curtime_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(sized(TypeKind::Time, 8, asked_decimals(site)?))
}

fn convert_tz_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(sized(TypeKind::DateTime, 19, time_decimals(site, 0, true)))
}

fn unix_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    if site.args.is_empty() {
        return Ok(SqlType::bigint(21).not_null());
    }
    let decimals = time_decimals(site, 0, true);
    let ty = if decimals > 0 {
        SqlType::decimal(11 + decimals, decimals, false)
    } else {
        SqlType::bigint(21)
    };
    let nullable = site.args.first().is_some_and(|arg| arg.ty.nullable);
    Ok(ty.with_nullable(nullable))
}

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

fn time_of(call: &Call<'_>, at: usize, cx: &mut Cx<'_>) -> Result<Option<Time>> {
    match call.arg(at) {
        Some(operand) => leaf::time(operand, cx, call.row),
        None => Ok(None),
    }
}

fn clock(call: &Call<'_>, cx: &mut Cx<'_>, of: fn(Time) -> i64) -> Result<Value> {
    Ok(Value::Int(of(arg!(time_of(call, 0, cx)))))
}

fn week_mode(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Option<i64>> {
    if call.len() == 1 {
        return Ok(Some(cx.settings.week_format.into()));
    }
    Ok(Some(call.int(1, cx)?.map_or(0, |mode| (mode.max(0) & 7) as i64)))
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
    let mode = if call.len() == 1 { 0 } else { arg!(week_mode(call, cx)) };
    Ok(Value::Int(value.date().year_week(mode).into()))
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
        let shown = crate::expr::printed(call.node);
        let message = format!("DATE value is out of range in '{shown}'");
        cx.warn(SqlError::with_message(6527, message));
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

fn sec_to_time(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let seconds = arg!(call.decimal(0, cx));
    let micros = seconds.mul(&crate::decimal::Decimal::from(1_000_000i64)).ok();
    let micros = micros.map_or(i64::MAX, |micros| {
        micros.to_i64(crate::decimal::Rounding::HalfUp).unwrap_or_else(|end| end)
    });
    Ok(match Time::from_micros(micros) {
        Ok(time) => Value::Time(time),
        Err(end) => {
            let mut shown = Vec::new();
            seconds.write_text(&mut shown);
            cx.warn(SqlError::truncated_wrong_value("time", &String::from_utf8_lossy(&shown)));
            Value::Time(end)
        }
    })
}

fn maketime(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let hour = arg!(call.int(0, cx));
    let minute = arg!(call.int(1, cx));
    let second = arg!(call.decimal(2, cx));
    if second.integer_digits() > 18 {
        let mut shown = Vec::new();
        second.write_text(&mut shown);
        let shown = String::from_utf8_lossy(&shown);
        cx.warn(SqlError::truncated_wrong_value("DECIMAL", &shown));
        return Ok(Value::Null);
    }
    let micros = second
        .mul(&crate::decimal::Decimal::from(1_000_000i64))
        .map_or(-1, |m| m.to_i64(crate::decimal::Rounding::HalfUp).unwrap_or(-1));
    if !(0..60).contains(&minute) || !(0..60_000_000).contains(&micros) {
        return Ok(Value::Null);
    }
    let inner = minute as i64 * 60_000_000 + micros;
    let hours = hour.unsigned_abs().min(10_000) as i64;
    let total = hours * 3_600_000_000 + inner;
    Ok(match Time::from_micros(if hour < 0 { -total } else { total }) {
        Ok(time) => Value::Time(time),
        Err(end) => {
            let shown = format!("{hour}:{minute:02}:{:02}", micros / 1_000_000);
            cx.warn(SqlError::truncated_wrong_value("time", &shown));
            Value::Time(end)
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

fn time(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let time = arg!(time_of(call, 0, cx));
    Ok(leaf::rounded_time(time, call.ty().decimals, cx))
}

fn timestamp(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let value = arg!(leaf::datetime(operand, cx, call.row));
    if call.len() == 1 {
        return Ok(Value::DateTime(value));
    }
    let time = arg!(time_of(call, 1, cx));
    Ok(match DateTime::from_linear_micros(value.linear_micros() + time.micros()) {
        Some(value) => Value::DateTime(value),
        None => {
            cx.warn(out_of_range("DATETIME", call.node));
            Value::Null
        }
    })
}

fn datediff(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    // Both are read, for the warnings of the second.
    let (to, from) = (day(call, 0, cx)?, day(call, 1, cx)?);
    let (Some((to, _)), Some((from, _))) = (to, from) else { return Ok(Value::Null) };
    Ok(Value::Int(to.date().day_number() - from.date().day_number()))
}

fn timediff(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let (Some(left), Some(right)) = (call.arg(0), call.arg(1)) else { return Ok(Value::Null) };
    let a = arg!(leaf::time_or_datetime(left, cx, call.row));
    let b = arg!(leaf::time_or_datetime(right, cx, call.row));
    use crate::temporal::TimeOrDateTime as T;
    let micros = match (a, b) {
        (T::Time(a), T::Time(b)) => a.micros() - b.micros(),
        (T::DateTime(a), T::DateTime(b)) => a.linear_micros() - b.linear_micros(),
        _ => return Ok(Value::Null),
    };
    Ok(match Time::from_micros(micros) {
        Ok(time) => Value::Time(time),
        Err(end) => {
            let seconds = micros.abs() / 1_000_000;
            let sign = if micros < 0 { "-" } else { "" };
            let mut shown =
                format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
            let decimals = usize::from(call.ty().decimals.min(6));
            if decimals > 0 {
                let digits = format!("{:06}", micros.abs() % 1_000_000);
                shown.push('.');
                shown.push_str(digits.get(..decimals).unwrap_or_default());
            }
            cx.warn(SqlError::truncated_wrong_value("time", &shown));
            Value::Time(end)
        }
    })
}

/// 6527 for what the type of an expression cannot hold.
fn out_of_range(kind: &str, node: &crate::expr::Node) -> SqlError {
    let shown = crate::expr::printed(node);
    SqlError::with_message(6527, format!("{kind} value is out of range in '{shown}'"))
}

/// 1292 for a date with zeros in the first operand.
fn not_taken(call: &Call<'_>, value: DateTime, cx: &mut Cx<'_>) -> Result<()> {
    let mut shown = Vec::new();
    let error = if call.arg(0).is_some_and(|node| node.numeric_class().is_some()) {
        let text = call.text(0, cx)?.unwrap_or_default();
        let message = format!("Incorrect datetime value: '{}'", String::from_utf8_lossy(&text));
        SqlError::with_message(crate::error::code::ER_TRUNCATED_WRONG_VALUE, message)
    } else if value.day_micros() != 0 {
        value.write_text(0, &mut shown);
        SqlError::truncated_wrong_value("datetime", &String::from_utf8_lossy(&shown))
    } else {
        value.date().write_text(&mut shown);
        SqlError::truncated_wrong_value("date", &String::from_utf8_lossy(&shown))
    };
    cx.warn(error);
    Ok(())
}

fn add_time(call: &Call<'_>, cx: &mut Cx<'_>, sign: i64) -> Result<Value> {
    use crate::temporal::TimeOrDateTime as T;
    let (Some(left), Some(right)) = (call.arg(0), call.arg(1)) else { return Ok(Value::Null) };
    let kind = call.ty().kind;
    let start = if kind == TypeKind::DateTime {
        T::DateTime(arg!(leaf::datetime(left, cx, call.row)))
    } else {
        arg!(leaf::time_or_datetime(left, cx, call.row))
    };
    let text = kind == TypeKind::Char;
    if let T::DateTime(start) = start
        && text
        && !leaf::is_taken(start.date(), cx.settings)
    {
        not_taken(call, start, cx)?;
        return Ok(Value::Null);
    }
    let by = arg!(leaf::time(right, cx, call.row));
    let mut out = Vec::new();
    match start {
        T::Time(start) => {
            let micros = start.micros() + sign * by.micros();
            let time = match Time::from_micros(micros) {
                Ok(time) => time,
                Err(_) if !text => {
                    cx.warn(out_of_range("TIME", call.node));
                    return Ok(Value::Null);
                }
                Err(end) => {
                    cx.warn(out_of_range("TIME", call.node));
                    end
                }
            };
            if !text {
                return Ok(Value::Time(time));
            }
            time.write_text(if time.microsecond() > 0 { 6 } else { 0 }, &mut out);
        }
        T::DateTime(start) => {
            let linear = start.linear_micros() + sign * by.micros();
            let Some(value) = DateTime::from_linear_micros(linear) else {
                cx.warn(out_of_range("DATETIME", call.node));
                return Ok(Value::Null);
            };
            if !text {
                return Ok(Value::DateTime(value));
            }
            value.write_text(if value.microsecond() > 0 { 6 } else { 0 }, &mut out);
        }
    }
    Ok(Value::from(out))
}

/// Months since year 0 of a period YYYYMM or YYMM; `None` if it is none.
fn months_of_period(period: i128) -> Option<i64> {
    let period = i64::try_from(period).ok().filter(|period| *period > 0)?;
    let (year, month) = (period / 100, period % 100);
    if !(1..=12).contains(&month) {
        return None;
    }
    let year = match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    };
    Some(year * 12 + month - 1)
}

fn wrong_period(call: &Call<'_>) -> SqlError {
    let name = call.call.function.name;
    SqlError::wrong_arguments(name)
}

fn period_add(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let period = arg!(call.int(0, cx));
    let months = arg!(call.int(1, cx));
    let start = months_of_period(period).ok_or_else(|| wrong_period(call))?;
    let total = start.wrapping_add(months as i64);
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    let year = match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    };
    Ok(Value::Int(year.wrapping_mul(100).wrapping_add(month)))
}

fn period_diff(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let left = arg!(call.int(0, cx));
    let right = arg!(call.int(1, cx));
    let left = months_of_period(left).ok_or_else(|| wrong_period(call))?;
    let right = months_of_period(right).ok_or_else(|| wrong_period(call))?;
    Ok(Value::Int(left - right))
}

/// A zone by its name; SYSTEM is that of the session's offset at the moment.
fn zone(call: &Call<'_>, at: usize, cx: &mut Cx<'_>) -> Result<Option<TimeZone>> {
    let Some(text) = call.text(at, cx)? else { return Ok(None) };
    let name = leaf::to_utf8(&text, call.text_collation_shown(at));
    if name.eq_ignore_ascii_case("SYSTEM") {
        let now = cx.session.statement_time_micros();
        return Ok(Some(TimeZone::Offset(cx.session.zone_offset_seconds(now))));
    }
    Ok(TimeZone::parse(&name))
}

fn convert_tz(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let (value, _) = arg!(leaf::datetime_of_calendar(operand, cx, call.row));
    let (from, to) = (arg!(zone(call, 1, cx)), arg!(zone(call, 2, cx)));
    Ok(convert_zone(value, &from, &to).map_or(Value::Null, Value::DateTime))
}

fn cut(value: DateTime, decimals: u8) -> Value {
    Value::DateTime(value.round(decimals, true).unwrap_or(value))
}

fn now(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(cut(leaf::now(cx), call.ty().decimals))
}

fn sysdate(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(cut(leaf::local(cx.session.clock_micros(), cx), call.ty().decimals))
}

fn utc_timestamp(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(cut(leaf::utc(cx.session.statement_time_micros()), call.ty().decimals))
}

fn cut_time(value: DateTime, decimals: u8) -> Value {
    let (Ok(time) | Err(time)) = value.time().round(decimals, true);
    Value::Time(time)
}

fn curtime(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(cut_time(leaf::now(cx), call.ty().decimals))
}

fn utc_time(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(cut_time(leaf::utc(cx.session.statement_time_micros()), call.ty().decimals))
}

fn unix_timestamp(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    /// The last second that UNIX_TIMESTAMP gives: 3001-01-18 23:59:59 UTC.
    const LAST: i64 = 32_536_771_199;
    if call.len() == 0 {
        return Ok(Value::Int(cx.session.statement_time_micros().div_euclid(1_000_000)));
    }
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    if call.is_null(0, cx)? {
        return Ok(Value::Null);
    }
    let value = leaf::fuzzy_datetime(operand, cx, call.row)?.unwrap_or(DateTime::ZERO);
    let zero = |decimals: u8| {
        if decimals == 0 {
            Value::Int(0)
        } else {
            crate::decimal::Decimal::new(0, decimals).map_or(Value::Null, Value::Decimal)
        }
    };
    let decimals = call.ty().decimals;
    if value.date().has_zero() {
        return Ok(zero(decimals));
    }
    let micros = leaf::to_epoch(value, cx);
    let seconds = micros.div_euclid(1_000_000);
    if micros < 0 || seconds > LAST {
        return Ok(zero(decimals));
    }
    if decimals == 0 {
        return Ok(Value::Int(seconds));
    }
    let unit = 10i64.pow(u32::from(6 - decimals.min(6)));
    let decimal = crate::decimal::Decimal::new(i128::from(micros / unit), decimals.min(6));
    Ok(decimal.map_or(Value::Null, Value::Decimal))
}
