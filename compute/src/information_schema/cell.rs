//! Values of the columns of tables that are not stored.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::temporal::DateTime;
use firn_mysql_semantics::temporal::zone::TimeZone;

/// A text.
pub(crate) fn text(text: impl AsRef<[u8]>) -> Value {
    Value::bytes(text.as_ref())
}

/// A text, or NULL.
pub(crate) fn maybe(text: Option<impl AsRef<[u8]>>) -> Value {
    text.map_or(Value::Null, |text| Value::bytes(text.as_ref()))
}

/// A number that is not negative.
pub(crate) fn number(number: u64) -> Value {
    Value::UInt(number)
}

/// A number, or NULL.
pub(crate) fn maybe_number(number: Option<u64>) -> Value {
    number.map_or(Value::Null, Value::UInt)
}

/// `YES` or `NO`.
pub(crate) fn yes(is: bool) -> Value {
    text(if is { "YES" } else { "NO" })
}

/// A moment in UTC as the session's zone shows it, to the second.
pub(crate) fn moment(micros: i64, zone: &TimeZone) -> Value {
    let at: Option<DateTime> = zone.from_utc(micros.div_euclid(1_000_000), 0);
    at.map_or(Value::Null, Value::DateTime)
}
