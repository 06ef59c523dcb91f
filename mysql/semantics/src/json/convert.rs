//! Between documents and the values of SQL that they are made of.

use super::build::Builder;
use super::error::{Argument, JsonError};
use super::scalar::{DecimalRef, PackedTime};
use crate::decimal::Decimal;
use crate::error::SqlError;
use crate::temporal::{Date, DateTime, Time};

impl JsonError {
    /// The error that a statement ends with.
    pub fn to_sql(&self, argument: Argument<'_>) -> SqlError {
        SqlError::with_message(self.number(), self.message(argument))
    }
}

impl Builder {
    /// Adds a DECIMAL.
    ///
    /// # Errors
    /// If it has more than 65 digits.
    pub fn sql_decimal(&mut self, value: &Decimal) -> Result<(), JsonError> {
        self.decimal(&value.to_string())
    }
}

impl DecimalRef<'_> {
    /// The number.
    pub fn to_decimal(&self) -> Option<Decimal> {
        Decimal::parse(&self.to_string())
    }
}

impl From<Date> for PackedTime {
    fn from(date: Date) -> Self {
        let date = [date.year().into(), date.month().into(), date.day().into()];
        Self::date_time(date, [0; 3], 0)
    }
}

impl From<DateTime> for PackedTime {
    fn from(at: DateTime) -> Self {
        let date = at.date();
        let date = [date.year().into(), date.month().into(), date.day().into()];
        let time = [at.hour().into(), at.minute().into(), at.second().into()];
        Self::date_time(date, time, at.microsecond())
    }
}

impl From<Time> for PackedTime {
    fn from(time: Time) -> Self {
        let parts = [time.hour().into(), time.minute().into(), time.second().into()];
        Self::time(time.is_negative(), parts, time.microsecond())
    }
}

impl PackedTime {
    /// The date of a DATE, DATETIME or TIMESTAMP; nothing if the bytes hold none.
    pub fn to_date(self) -> Option<Date> {
        let (date, _, _) = self.parts();
        let (month, day) = (date >> 5, date & 31);
        Date::new(u16::try_from(month / 13).ok()?, (month % 13) as u8, day as u8)
    }

    /// The date and time of a DATETIME or TIMESTAMP; nothing if the bytes hold none.
    pub fn to_date_time(self) -> Option<DateTime> {
        let (_, time, micro) = self.parts();
        let (hour, minute, second) = (time >> 12, time >> 6 & 63, time & 63);
        DateTime::new(self.to_date()?, hour as u8, minute as u8, second as u8, micro as u32)
    }

    /// The time of a TIME; nothing if the bytes hold none.
    pub fn to_time(self) -> Option<Time> {
        let all = self.0.unsigned_abs();
        let (time, micro) = (i64::try_from(all >> 24).ok()?, (all & 0xff_ffff) as i64);
        let seconds = (time >> 12).checked_mul(3600)? + (time >> 6 & 63) * 60 + (time & 63);
        let micros = seconds.checked_mul(1_000_000)?.checked_add(micro)?;
        Time::from_micros(if self.0 < 0 { -micros } else { micros }).ok()
    }
}
