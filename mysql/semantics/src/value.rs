//! One value at run time.
//!
//! The type of an expression ([`crate::types::SqlType`]) tells what a value means;
//! a value holds only what differs from row to row. So bytes do not know their
//! collation, ENUM, SET and BIT are numbers, and a DECIMAL or a time knows the
//! decimals it carries.

use crate::decimal::Decimal;
use crate::temporal::{Date, DateTime, Time};

/// Bytes of strings. Up to 16 lie inside the value.
pub type Bytes = smallvec::SmallVec<[u8; 16]>;

/// A value.
#[derive(Debug, Default, PartialEq)]
pub enum Value {
    /// NULL of any type.
    #[default]
    Null,
    /// Signed integers of all widths.
    Int(i64),
    /// Unsigned integers of all widths, YEAR, BIT, the index of an ENUM value
    /// (from 1; 0 is the empty error value), the bits of a SET value.
    UInt(u64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// An exact number with a point.
    Decimal(Decimal),
    /// DATE.
    Date(Date),
    /// TIME.
    Time(Time),
    /// DATETIME, and TIMESTAMP in the session's zone.
    DateTime(DateTime),
    /// A string in the character set of its type's collation.
    Bytes(Bytes),
}

impl Clone for Value {
    #[inline]
    fn clone(&self) -> Value {
        match self {
            Value::Null => Value::Null,
            Value::Int(number) => Value::Int(*number),
            Value::UInt(number) => Value::UInt(*number),
            Value::Float(number) => Value::Float(*number),
            Value::Double(number) => Value::Double(*number),
            Value::Decimal(number) => Value::Decimal(number.clone()),
            // `SmallVec` itself copies byte by byte.
            Value::Bytes(bytes) => Value::Bytes(Bytes::from_slice(bytes)),
            Value::Date(date) => Value::Date(*date),
            Value::Time(time) => Value::Time(*time),
            Value::DateTime(at) => Value::DateTime(*at),
        }
    }
}

impl Value {
    /// TRUE is 1.
    pub const TRUE: Value = Value::Int(1);
    /// FALSE is 0.
    pub const FALSE: Value = Value::Int(0);

    /// Whether it is NULL.
    #[inline]
    pub const fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// A string.
    #[inline]
    pub fn bytes(bytes: &[u8]) -> Value {
        Value::Bytes(Bytes::from_slice(bytes))
    }

    /// The bytes, if it is a string.
    #[inline]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl Value {
    /// A date, or NULL.
    pub fn from_date(date: Option<Date>) -> Value {
        date.map_or(Value::Null, Value::Date)
    }
}

impl From<bool> for Value {
    #[inline]
    fn from(value: bool) -> Value {
        Value::Int(i64::from(value))
    }
}

impl From<i64> for Value {
    #[inline]
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<u64> for Value {
    #[inline]
    fn from(value: u64) -> Value {
        Value::UInt(value)
    }
}

impl From<f64> for Value {
    #[inline]
    fn from(value: f64) -> Value {
        Value::Double(value)
    }
}

impl From<Vec<u8>> for Value {
    #[inline]
    fn from(value: Vec<u8>) -> Value {
        Value::Bytes(Bytes::from_vec(value))
    }
}

impl From<&str> for Value {
    #[inline]
    fn from(value: &str) -> Value {
        Value::bytes(value.as_bytes())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    #[inline]
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
