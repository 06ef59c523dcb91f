//! Parameters of prepared statements, as values.

use firn_mysql_protocol::ColumnType;
use firn_mysql_protocol::command::{Parameter, ParameterValue};
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::temporal::{Date, DateTime, Time};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};

/// A parameter's value and type. Strings are in the connection's character set.
pub(crate) fn value_of(parameter: &Parameter<'_>, connection: CollationId) -> (Value, SqlType) {
    let temporal = |kind, length| SqlType::plain(kind, length, 6).not_null();
    match parameter.value {
        ParameterValue::Null => (Value::Null, SqlType::NULL),
        ParameterValue::Int(number) => (Value::Int(number), SqlType::bigint(20).not_null()),
        ParameterValue::UInt(number) => {
            (Value::UInt(number), SqlType::bigint(20).with_unsigned(true).not_null())
        }
        ParameterValue::Float(number) => {
            (Value::Double(f64::from(number)), SqlType::double().not_null())
        }
        ParameterValue::Double(number) => (Value::Double(number), SqlType::double().not_null()),
        ParameterValue::Bytes(bytes) => match parameter.kind {
            ColumnType::NewDecimal | ColumnType::Decimal => {
                let text = String::from_utf8_lossy(bytes);
                match Decimal::parse(&text) {
                    Some(number) => {
                        let (digits, scale) = (number.precision(), number.scale());
                        let ty = SqlType::decimal(digits.max(1), scale, false).not_null();
                        (Value::Decimal(number), ty)
                    }
                    None => text_of(bytes, connection),
                }
            }
            ColumnType::TinyBlob
            | ColumnType::MediumBlob
            | ColumnType::LongBlob
            | ColumnType::Blob
            | ColumnType::Bit => text_of(bytes, CollationId::BINARY),
            _ => text_of(bytes, connection),
        },
        ParameterValue::Date(date) => match day(date.year, date.month, date.day) {
            Some(date) => (Value::Date(date), SqlType::plain(TypeKind::Date, 10, 0).not_null()),
            None => (Value::Null, SqlType::NULL),
        },
        ParameterValue::DateTime(at) => {
            let date = day(at.date.year, at.date.month, at.date.day);
            let value =
                date.and_then(|date| DateTime::new(date, at.hour, at.minute, at.second, at.micros));
            match value {
                Some(value) => (Value::DateTime(value), temporal(TypeKind::DateTime, 26)),
                None => (Value::Null, SqlType::NULL),
            }
        }
        ParameterValue::Time(time) => {
            let seconds = u64::from(time.hours) * 3600
                + u64::from(time.minutes) * 60
                + u64::from(time.seconds);
            let micros = (seconds * 1_000_000 + u64::from(time.micros)).cast_signed();
            // Out of range, it is the greatest of its sign.
            let value = match Time::from_micros(if time.negative { -micros } else { micros }) {
                Ok(value) | Err(value) => value,
            };
            (Value::Time(value), temporal(TypeKind::Time, 17))
        }
    }
}

fn day(year: u16, month: u8, day: u8) -> Option<Date> {
    Date::new(year, month, day)
}

fn text_of(bytes: &[u8], collation: CollationId) -> (Value, SqlType) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let ty = SqlType::varchar(length, collation, Derivation::Coercible).not_null();
    (Value::bytes(bytes), ty)
}
