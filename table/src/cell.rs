//! A value as it lies in a row.

use std::borrow::Cow;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::temporal::{Date, DateTime, Time};

/// A [`Value`] whose bytes are still where they are stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// NULL
    Null,
    /// Signed integers.
    Int(i64),
    /// Unsigned integers, YEAR, BIT, the number of an ENUM's member, a SET's bits.
    UInt(u64),
    /// FLOAT
    Float(f32),
    /// DOUBLE
    Double(f64),
    /// DECIMAL, with the decimals of its column.
    Decimal(Decimal),
    /// DATE
    Date(Date),
    /// TIME
    Time(Time),
    /// DATETIME; TIMESTAMP in UTC.
    DateTime(DateTime),
    /// Strings in the column's character set, and JSON documents in their binary
    /// form. Owned only where a key had to be taken apart for them.
    Bytes(Cow<'a, [u8]>),
}

impl Cell<'_> {
    /// Whether it is NULL.
    #[inline]
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The same, with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Self::Null => Cell::Null,
            Self::Int(number) => Cell::Int(number),
            Self::UInt(number) => Cell::UInt(number),
            Self::Float(number) => Cell::Float(number),
            Self::Double(number) => Cell::Double(number),
            Self::Decimal(number) => Cell::Decimal(number),
            Self::Date(date) => Cell::Date(date),
            Self::Time(time) => Cell::Time(time),
            Self::DateTime(at) => Cell::DateTime(at),
            Self::Bytes(bytes) => Cell::Bytes(Cow::Owned(bytes.into_owned())),
        }
    }
}

impl<'a> From<Cell<'a>> for Value {
    #[inline]
    fn from(cell: Cell<'a>) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Int(number) => Self::Int(number),
            Cell::UInt(number) => Self::UInt(number),
            Cell::Float(number) => Self::Float(number),
            Cell::Double(number) => Self::Double(number),
            Cell::Decimal(number) => Self::Decimal(number),
            Cell::Date(date) => Self::Date(date),
            Cell::Time(time) => Self::Time(time),
            Cell::DateTime(at) => Self::DateTime(at),
            Cell::Bytes(Cow::Borrowed(bytes)) => Self::bytes(bytes),
            Cell::Bytes(Cow::Owned(bytes)) => Self::from(bytes),
        }
    }
}

impl<'a> From<&'a Value> for Cell<'a> {
    #[inline]
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(number) => Self::Int(*number),
            Value::UInt(number) => Self::UInt(*number),
            Value::Float(number) => Self::Float(*number),
            Value::Double(number) => Self::Double(*number),
            Value::Decimal(number) => Self::Decimal(number.clone()),
            Value::Date(date) => Self::Date(*date),
            Value::Time(time) => Self::Time(*time),
            Value::DateTime(at) => Self::DateTime(*at),
            Value::Bytes(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
        }
    }
}
