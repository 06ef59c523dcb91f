//! Times of day and spans of time: their parts, sums and differences.

use super::super::{Function, arg};
use super::{out_of_range, sized, time_decimals};
use crate::decimal::{Decimal, Rounding};
use crate::error::{SqlError, code};
use crate::expr::{Call, Cx, Domain, Result, Site, leaf};
use crate::temporal::{DateTime, Time, TimeOrDateTime as T};
use crate::types::{Derivation, SqlType, TypeKind};
use crate::value::Value;

pub(in crate::functions) static FUNCTIONS: &[Function] = &[
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
    Function::new("time", (1, 1), time_type, time, "The time of a date with time").nullable(),
    Function::new(
        "timestamp",
        (1, 2),
        timestamp_type,
        timestamp,
        "A date with time, and a time added",
    )
    .nullable(),
    Function::new("timediff", (2, 2), timediff_type, timediff, "The time between two times")
        .nullable(),
    Function::new("addtime", (2, 2), add_type, |c, x| add_time(c, x, 1), "A time added").nullable(),
    Function::new("subtime", (2, 2), add_type, |c, x| add_time(c, x, -1), "A time taken away")
        .nullable(),
];

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

fn time_of(call: &Call<'_>, at: usize, cx: &mut Cx<'_>) -> Result<Option<Time>> {
    match call.arg(at) {
        Some(operand) => leaf::time(operand, cx, call.row),
        None => Ok(None),
    }
}

fn clock(call: &Call<'_>, cx: &mut Cx<'_>, of: fn(Time) -> i64) -> Result<Value> {
    Ok(Value::Int(of(arg!(time_of(call, 0, cx)))))
}

fn sec_to_time(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let seconds = arg!(call.decimal(0, cx));
    let micros = seconds.mul(&Decimal::from(1_000_000i64)).ok();
    let micros =
        micros.map_or(i64::MAX, |micros| micros.to_i64(Rounding::HalfUp).unwrap_or_else(|end| end));
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
        .mul(&Decimal::from(1_000_000i64))
        .map_or(-1, |m| m.to_i64(Rounding::HalfUp).unwrap_or(-1));
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

fn time(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let time = arg!(time_of(call, 0, cx));
    Ok(leaf::rounded_time(time, call.ty().decimals, cx))
}

fn timestamp(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    if call.len() == 1 {
        return Ok(Value::DateTime(arg!(leaf::datetime(operand, cx, call.row))));
    }
    let value = arg!(leaf::exact_datetime(operand, cx, call.row));
    let time = arg!(time_of(call, 1, cx));
    Ok(match DateTime::from_linear_micros(value.linear_micros() + time.micros()) {
        Some(value) => Value::DateTime(value),
        None => {
            cx.warn(out_of_range("DATETIME", call.node));
            Value::Null
        }
    })
}

fn timediff(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let (Some(left), Some(right)) = (call.arg(0), call.arg(1)) else { return Ok(Value::Null) };
    let a = arg!(leaf::time_or_datetime(left, cx, call.row));
    let b = arg!(leaf::time_or_datetime(right, cx, call.row));
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

/// 1292 for a date with zeros in the first operand.
fn not_taken(call: &Call<'_>, value: DateTime, cx: &mut Cx<'_>) -> Result<()> {
    let mut shown = Vec::new();
    let error = if call.arg(0).is_some_and(|node| node.numeric_class().is_some()) {
        let text = call.text(0, cx)?.unwrap_or_default();
        let message = format!("Incorrect datetime value: '{}'", String::from_utf8_lossy(&text));
        SqlError::with_message(code::ER_TRUNCATED_WRONG_VALUE, message)
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
