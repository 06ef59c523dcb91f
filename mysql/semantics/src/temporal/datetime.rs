//! Dates with times of day: MySQL's DATETIME.

use super::date::Date;
use super::time::{DAY, HOUR, MINUTE, SECOND, Time, unit_of};

/// A date and a time of day to the microsecond, packed so that comparing numbers
/// compares them. The date may be zero or have zeros, as [`Date`] may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DateTime(u64);

impl DateTime {
    /// `0000-00-00 00:00:00`.
    pub const ZERO: Self = Self(0);

    /// `9999-12-31 23:59:59.999999`.
    #[must_use]
    pub fn max() -> Self {
        Self::from_parts(Date::MAX, DAY - 1)
    }

    /// A date at a time; `None` for a time of day that there is not.
    #[must_use]
    pub fn new(date: Date, hour: u8, minute: u8, second: u8, micros: u32) -> Option<Self> {
        (hour < 24 && minute < 60 && second < 60 && micros < 1_000_000).then(|| {
            Self::from_parts(
                date,
                i64::from(hour) * HOUR
                    + i64::from(minute) * MINUTE
                    + i64::from(second) * SECOND
                    + i64::from(micros),
            )
        })
    }

    /// A date and the microseconds of the day, which must be within it.
    pub(super) fn from_parts(date: Date, micros: i64) -> Self {
        Self(u64::from(date.packed()) << 37 | micros as u64)
    }

    /// From [`Self::packed`]; `None` if it is no date and time.
    #[must_use]
    pub fn from_packed(packed: u64) -> Option<Self> {
        let date = Date::from_packed(u32::try_from(packed >> 37).ok()?)?;
        let micros = (packed & ((1 << 37) - 1)) as i64;
        (micros < DAY).then(|| Self::from_parts(date, micros))
    }

    /// The packed date × 2^37 + the microseconds of the day; below 2^60.
    #[must_use]
    pub fn packed(self) -> u64 {
        self.0
    }

    /// The date alone.
    #[must_use]
    pub fn date(self) -> Date {
        // What was packed is a date.
        Date::from_packed((self.0 >> 37) as u32).unwrap_or(Date::ZERO)
    }

    /// Microseconds of the day.
    #[must_use]
    pub fn day_micros(self) -> i64 {
        (self.0 & ((1 << 37) - 1)) as i64
    }

    /// The time of day.
    #[must_use]
    pub fn time(self) -> Time {
        Time::from_micros(self.day_micros()).unwrap_or_default()
    }

    /// 0 to 23.
    #[must_use]
    pub fn hour(self) -> u8 {
        (self.day_micros() / HOUR) as u8
    }

    /// 0 to 59.
    #[must_use]
    pub fn minute(self) -> u8 {
        (self.day_micros() / MINUTE % 60) as u8
    }

    /// 0 to 59.
    #[must_use]
    pub fn second(self) -> u8 {
        (self.day_micros() / SECOND % 60) as u8
    }

    /// 0 to 999,999.
    #[must_use]
    pub fn microsecond(self) -> u32 {
        (self.day_micros() % SECOND) as u32
    }

    /// As a number without its fraction: 20240229123456.
    #[must_use]
    pub fn to_number(self) -> u64 {
        u64::from(self.date().to_number()) * 1_000_000
            + u64::from(self.hour()) * 10_000
            + u64::from(self.minute()) * 100
            + u64::from(self.second())
    }

    /// Microseconds since the beginning of year 0.
    #[must_use]
    pub fn linear_micros(self) -> i64 {
        self.date().day_number() * DAY + self.day_micros()
    }

    /// The date and time of [`Self::linear_micros`]; `None` out of MySQL's range.
    #[must_use]
    pub fn from_linear_micros(micros: i64) -> Option<Self> {
        let date = Date::from_day_number(micros.div_euclid(DAY))?;
        Some(Self::from_parts(date, micros.rem_euclid(DAY)))
    }

    /// With the nanoseconds (below 1000) that a text had after its microseconds:
    /// rounded half up, or cut off. `None` as in [`Self::round`].
    #[must_use]
    pub fn with_nanoseconds(self, nanoseconds: u16, truncate: bool) -> Option<Self> {
        if truncate || nanoseconds < 500 {
            return Some(self);
        }
        self.carried(self.day_micros() + 1)
    }

    /// With the time of day that rounding up made. A carry beyond the fraction of
    /// the second needs a date of the calendar.
    fn carried(self, micros: i64) -> Option<Self> {
        let carry = micros % SECOND == 0;
        if carry && self.date().has_zero() {
            return None;
        }
        if micros < DAY && (!carry || self.date().is_real()) {
            return Some(Self::from_parts(self.date(), micros));
        }
        // A day that its month does not have becomes one of the next month.
        let day = self.date().day_number() + micros / DAY;
        Some(Self::from_parts(Date::from_day_number(day)?, micros % DAY))
    }

    /// With `decimals` (0 to 6) digits of the second, halves up, or cut off. `None`
    /// where rounding leaves year 9999, or carries into the next second of a date
    /// with a zero month or day.
    #[must_use]
    pub fn round(self, decimals: u8, truncate: bool) -> Option<Self> {
        let unit = unit_of(decimals);
        let micros = self.day_micros();
        let cut = micros - micros % unit;
        if truncate || micros % unit * 2 < unit {
            return Some(Self::from_parts(self.date(), cut));
        }
        self.carried(cut + unit)
    }
}

impl From<Date> for DateTime {
    /// At midnight.
    fn from(date: Date) -> Self {
        Self::from_parts(date, 0)
    }
}
