//! TIMESTAMP columns: UTC where they are stored, the session's zone where they are
//! computed with.

use firn_mysql_semantics::expr::Cx;
use firn_mysql_semantics::temporal::DateTime;
use firn_mysql_semantics::{SqlType, TypeKind, Value};

/// Seconds from year 0 to 1970, as [`DateTime::linear_micros`] counts.
fn epoch_micros() -> i64 {
    // The first of January is always a date.
    firn_mysql_semantics::temporal::Date::new(1970, 1, 1)
        .and_then(|day| DateTime::new(day, 0, 0, 0, 0))
        .map_or(0, DateTime::linear_micros)
}

/// A stored value in the session's zone.
pub(crate) fn from_utc(value: Value, ty: &SqlType, cx: &Cx<'_>) -> Value {
    if ty.kind != TypeKind::Timestamp {
        return value;
    }
    let Value::DateTime(at) = value else { return value };
    // Zero is zero everywhere.
    if at == DateTime::ZERO {
        return value;
    }
    let since_epoch = at.linear_micros() - epoch_micros();
    let offset = i64::from(cx.session.zone_offset_seconds(since_epoch)) * 1_000_000;
    match DateTime::from_linear_micros(at.linear_micros() + offset) {
        Some(local) => Value::DateTime(local),
        None => value,
    }
}

/// A value of the session's zone as it is stored.
pub(crate) fn to_utc(value: Value, cx: &mut Cx<'_>) -> Value {
    let Value::DateTime(at) = value else { return value };
    if at == DateTime::ZERO {
        return value;
    }
    let local = at.linear_micros() - epoch_micros();
    // The offset holds at the moment in UTC, which is what is looked for: two steps
    // settle everywhere but in the hours that a change leaves out.
    let first = i64::from(cx.session.zone_offset_seconds(local)) * 1_000_000;
    let second = i64::from(cx.session.zone_offset_seconds(local - first)) * 1_000_000;
    match DateTime::from_linear_micros(at.linear_micros() - second) {
        Some(utc) => Value::DateTime(utc),
        None => value,
    }
}
