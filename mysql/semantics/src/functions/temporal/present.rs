//! The present, moments since 1970, and zones.

use super::super::{Function, arg};
use super::{date_type, sized, time_decimals};
use crate::decimal::{Decimal, Rounding};
use crate::error::{SqlError, code};
use crate::expr::{Call, Cx, Domain, Result, Site, leaf};
use crate::temporal::DateTime;
use crate::temporal::zone::{TimeZone, convert_zone};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

/// The last second of UNIX_TIMESTAMP and FROM_UNIXTIME: 3001-01-18 23:59:59 UTC.
const LAST_SECOND: i64 = 32_536_771_199;

pub(in crate::functions) static FUNCTIONS: &[Function] = &[
    Function::new(
        "convert_tz",
        (3, 3),
        convert_tz_type,
        convert_tz,
        "A time of one zone in another",
    )
    .nullable(),
    Function::new(
        "at time zone",
        (1, 1),
        |_| Ok(sized(TypeKind::DateTime, 19, 0)),
        at_time_zone,
        "A time of the session's zone in UTC, in CAST alone",
    )
    .nullable(),
    Function::new(
        "from_unixtime",
        (1, 1),
        from_unixtime_type,
        from_unixtime,
        "The time so many seconds after 1970 began; in a format",
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

/// The precision that NOW(n) asks for: a server looks at the lowest byte.
fn asked_decimals(site: &Site<'_, '_>) -> Result<u8> {
    let [asked, ..] = site.constant_int(0).unwrap_or(0).to_le_bytes();
    if asked > 6 {
        let (asked, most) = (u64::from(asked), 6u64);
        let names = [asked.into(), site.name.into(), most.into()];
        return Err(SqlError::new(code::ER_TOO_BIG_PRECISION, &names));
    }
    Ok(asked)
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
    // Both zones are looked for, and the date is read once both are known.
    let (from, to) = (zone(call, 1, cx)?, zone(call, 2, cx)?);
    let (Some(from), Some(to)) = (from, to) else { return Ok(Value::Null) };
    let (value, _) = arg!(leaf::datetime_of_calendar(operand, cx, call.row));
    Ok(convert_zone(value, &from, &to).map_or(Value::Null, Value::DateTime))
}

/// The fraction of a second goes, as in MySQL.
fn at_time_zone(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let value = arg!(leaf::datetime(operand, cx, call.row));
    let micros = leaf::to_epoch(value, cx);
    Ok(cut(leaf::utc(micros), 0))
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

fn from_unixtime_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let node = site.node(0)?;
    let decimals = match node.ty.kind {
        _ if node.numeric_domain() == Domain::Int => 0,
        _ => node.ty.decimals.min(6),
    };
    Ok(sized(TypeKind::DateTime, 19, decimals))
}

fn from_unixtime(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    if call.domain(0) == Domain::Int {
        let seconds = arg!(call.int(0, cx));
        let known = (0..=i128::from(LAST_SECOND)).contains(&seconds);
        let moment = known.then(|| leaf::local(seconds as i64 * 1_000_000, cx));
        return Ok(moment.map_or(Value::Null, Value::DateTime));
    }
    let seconds = arg!(call.decimal(0, cx));
    if seconds.integer_digits() > 18 {
        let mut shown = Vec::new();
        seconds.write_text(&mut shown);
        cx.warn(SqlError::truncated_wrong_value("DECIMAL", &String::from_utf8_lossy(&shown)));
        return Ok(Value::Null);
    }
    // What is less than a nanosecond is nothing.
    let below_zero = seconds
        .round(9, Rounding::Truncate)
        .is_none_or(|seconds| seconds.is_negative() && !seconds.is_zero());
    let micros = seconds
        .round(6, Rounding::HalfUp)
        .filter(|_| !below_zero)
        .and_then(|seconds| seconds.mul(&Decimal::from(1_000_000i64)).ok())
        .and_then(|micros| micros.to_i64(Rounding::Truncate).ok())
        .filter(|micros| micros / 1_000_000 <= LAST_SECOND);
    Ok(micros.map_or(Value::Null, |micros| Value::DateTime(leaf::local(micros, cx))))
}

fn unix_timestamp(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    if call.len() == 0 {
        return Ok(Value::Int(cx.session.statement_time_micros().div_euclid(1_000_000)));
    }
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    if call.is_null(0, cx)? {
        return Ok(Value::Null);
    }
    let value = leaf::fuzzy_datetime(operand, cx, call.row)?.unwrap_or(DateTime::ZERO);
    let zero = |decimals: u8| {
        if decimals == 0 { Value::Int(0) } else { Value::Decimal(Decimal::ZERO) }
    };
    let decimals = call.ty().decimals;
    if value.date().has_zero() {
        return Ok(zero(decimals));
    }
    let micros = leaf::to_epoch(value, cx);
    let seconds = micros.div_euclid(1_000_000);
    if micros < 0 || seconds > LAST_SECOND {
        return Ok(zero(decimals));
    }
    if decimals == 0 {
        return Ok(Value::Int(seconds));
    }
    // Within functions it has microseconds always.
    Ok(Decimal::new(i128::from(micros), 6).map_or(Value::Null, Value::Decimal))
}
