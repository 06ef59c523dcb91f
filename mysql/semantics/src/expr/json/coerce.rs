//! Documents as values of other types.

use crate::decimal::{Decimal, ParseStatus, Rounding};
use crate::json::{JsonError, JsonRef, Kind};
use crate::number::{self, NumberStatus};
use crate::temporal::{
    Date, DateMode, DateTime, TemporalWarnings, Time, TimeOrDateTime, parse_datetime, parse_time,
};

/// What is wrong with a document where a value of another type is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is no such value.
    Invalid,
    /// It is beyond the type's range.
    OutOfRange,
}

/// A document as a value of another type.
#[derive(Debug)]
pub(crate) struct Coerced<T> {
    pub(crate) value: T,
    /// The type as messages name it.
    pub(crate) to: &'static str,
    pub(crate) fault: Option<Fault>,
}

type Read<T> = Result<Coerced<T>, JsonError>;

fn whole<T>(value: T, to: &'static str) -> Coerced<T> {
    Coerced { value, to, fault: None }
}

fn invalid<T: Default>(to: &'static str) -> Coerced<T> {
    Coerced { value: T::default(), to, fault: Some(Fault::Invalid) }
}

/// A DATE, TIME or DATETIME within a document.
enum Moment {
    Date(Date),
    Time(Time),
    DateTime(DateTime),
}

fn moment(kind: &Kind<'_>) -> Option<Moment> {
    match kind {
        Kind::Date(value) => value.to_date().map(Moment::Date),
        Kind::Time(value) => value.to_time().map(Moment::Time),
        Kind::DateTime(value) | Kind::Timestamp(value) => {
            value.to_date_time().map(Moment::DateTime)
        }
        _ => None,
    }
}

/// As an integer of 64 bits.
pub(crate) fn int(value: JsonRef<'_>) -> Read<i128> {
    const TO: &str = "INTEGER";
    let out_of_range = |value: i128| Coerced { value, to: TO, fault: Some(Fault::OutOfRange) };
    let kind = value.kind()?;
    Ok(match kind {
        Kind::Int(value) => whole(value.into(), TO),
        Kind::UInt(value) => whole(value.into(), TO),
        Kind::Bool(value) => whole(value.into(), TO),
        Kind::String(text) => {
            let parsed = number::parse_integer_prefix(text.as_bytes());
            let magnitude = i128::from(parsed.value.magnitude);
            let value = if parsed.value.negative { -magnitude } else { magnitude };
            let fault = match parsed.status {
                NumberStatus::OutOfRange => Some(Fault::OutOfRange),
                NumberStatus::Read if parsed.consumed == text.len() => None,
                _ => Some(Fault::Invalid),
            };
            Coerced { value, to: TO, fault }
        }
        Kind::Double(value) => match number::double_to_i64(value) {
            Ok(value) => whole(value.into(), TO),
            Err(end) => out_of_range(end.into()),
        },
        Kind::Decimal(value) => {
            let value = value.to_decimal().unwrap_or_default();
            let exact = if value.is_negative() {
                value.to_i64(Rounding::HalfUp).map(i128::from).map_err(i128::from)
            } else {
                value.to_u64(Rounding::HalfUp).map(i128::from).map_err(i128::from)
            };
            match exact {
                Ok(value) => whole(value, TO),
                Err(end) => out_of_range(end),
            }
        }
        // Dates and times are no numbers, unlike those of SQL.
        _ => invalid(TO),
    })
}

/// As a double.
pub(crate) fn double(value: JsonRef<'_>) -> Read<f64> {
    const TO: &str = "DOUBLE";
    let kind = value.kind()?;
    Ok(match kind {
        Kind::Int(value) => whole(value as f64, TO),
        Kind::UInt(value) => whole(value as f64, TO),
        Kind::Bool(value) => whole(f64::from(u8::from(value)), TO),
        Kind::Double(value) => whole(value, TO),
        Kind::Decimal(value) => whole(value.to_f64(), TO),
        // Of no characters all are read.
        Kind::String("") => whole(0.0, TO),
        Kind::String(text) => {
            let parsed = number::parse_double_prefix(text.as_bytes());
            let fault = match parsed.status {
                NumberStatus::OutOfRange => Some(Fault::OutOfRange),
                NumberStatus::Read if parsed.consumed == text.len() => None,
                _ => Some(Fault::Invalid),
            };
            Coerced { value: parsed.value, to: TO, fault }
        }
        // Dates and times are no numbers, unlike those of SQL.
        _ => invalid(TO),
    })
}

/// As a decimal with as many digits as it has.
pub(crate) fn decimal(value: JsonRef<'_>) -> Read<Decimal> {
    const TO: &str = "DECIMAL";
    let kind = value.kind()?;
    Ok(match kind {
        Kind::Int(value) => whole(Decimal::from(value), TO),
        Kind::UInt(value) => whole(Decimal::from(value), TO),
        Kind::Bool(value) => whole(Decimal::from(i64::from(value)), TO),
        Kind::Double(value) => {
            let parsed = Decimal::from_f64(value);
            let overflow = parsed.status == ParseStatus::Overflow;
            let fault = overflow.then_some(Fault::OutOfRange);
            Coerced { value: parsed.value, to: TO, fault }
        }
        Kind::Decimal(value) => whole(value.to_decimal().unwrap_or_default(), TO),
        Kind::String(text) => {
            let parsed = Decimal::parse_prefix(text.as_bytes());
            let fault = match parsed.status {
                ParseStatus::Overflow => Some(Fault::OutOfRange),
                ParseStatus::NoNumber => Some(Fault::Invalid),
                _ if parsed.consumed < text.len() => Some(Fault::Invalid),
                _ => None,
            };
            Coerced { value: parsed.value, to: TO, fault }
        }
        // Dates and times are no numbers, unlike those of SQL.
        _ => invalid(TO),
    })
}

/// The double that a document is, if no decimal can be as large.
pub(crate) fn beyond_decimals(value: JsonRef<'_>) -> Result<Option<f64>, JsonError> {
    Ok(match value.kind()? {
        Kind::Double(value) if Decimal::from_f64(value).status == ParseStatus::Overflow => {
            Some(value)
        }
        _ => None,
    })
}

/// As a date and time, of which DATE takes the date.
pub(crate) fn datetime(
    value: JsonRef<'_>,
    for_date: bool,
    mode: DateMode,
) -> Read<Option<(DateTime, bool)>> {
    let to = if for_date { "DATE" } else { "DATETIME/TIMESTAMP" };
    let kind = value.kind()?;
    Ok(match kind {
        Kind::String(text) => {
            let parsed = parse_datetime(text.as_bytes(), mode);
            match parsed.value {
                Some(value) if parsed.warnings.is_empty() => {
                    whole(Some((value, parsed.has_time)), to)
                }
                // A day that no calendar has is NULL without a warning.
                None if !parsed.is_other && parsed.warnings != TemporalWarnings::TRUNCATED => {
                    whole(None, to)
                }
                _ => invalid(to),
            }
        }
        kind => match moment(&kind) {
            Some(Moment::Date(date)) => whole(Some((DateTime::from(date), false)), to),
            Some(Moment::DateTime(at)) => whole(Some((at, true)), to),
            Some(Moment::Time(_)) | None => invalid(to),
        },
    })
}

/// As a time of day.
pub(crate) fn time(value: JsonRef<'_>) -> Read<Option<Time>> {
    const TO: &str = "TIME";
    let kind = value.kind()?;
    Ok(match kind {
        Kind::String(text) => {
            // Digits without a colon are no time here.
            let parsed = parse_time(text.as_bytes());
            let is_time = text.contains(':') && parsed.warnings.is_empty();
            match parsed.value {
                Some(TimeOrDateTime::Time(time)) if is_time => whole(Some(time), TO),
                Some(TimeOrDateTime::DateTime(at)) if parsed.warnings.is_empty() => {
                    whole(Some(at.time()), TO)
                }
                _ => invalid(TO),
            }
        }
        kind => match moment(&kind) {
            Some(Moment::Time(time)) => whole(Some(time), TO),
            _ => invalid(TO),
        },
    })
}
