//! Durations and times of day: MySQL's TIME.

/// Microseconds of a second.
pub(super) const SECOND: i64 = 1_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// A TIME from -838:59:59 to 838:59:59, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

impl Time {
    /// `838:59:59`.
    pub const MAX: Self = Self(838 * HOUR + 59 * MINUTE + 59 * SECOND);
    /// `-838:59:59`.
    pub const MIN: Self = Self(-Self::MAX.0);
    /// `00:00:00`.
    pub const ZERO: Self = Self(0);

    /// From microseconds; `Err` with the nearest end of the range.
    ///
    /// # Errors
    /// [`Self::MAX`] or [`Self::MIN`] for what is beyond them.
    pub fn from_micros(micros: i64) -> Result<Self, Self> {
        if micros > Self::MAX.0 {
            Err(Self::MAX)
        } else if micros < Self::MIN.0 {
            Err(Self::MIN)
        } else {
            Ok(Self(micros))
        }
    }

    /// From parts, as MAKETIME takes them; `Err` with the nearest end of the range,
    /// `None` for minutes or seconds from 60 or a million microseconds.
    #[must_use]
    pub fn new(
        negative: bool,
        hours: u64,
        minutes: u8,
        seconds: u8,
        micros: u32,
    ) -> Option<Result<Self, Self>> {
        if minutes > 59 || seconds > 59 || micros > 999_999 {
            return None;
        }
        let hours = i64::try_from(hours).unwrap_or(i64::MAX).min(10_000);
        let micros = hours * HOUR
            + i64::from(minutes) * MINUTE
            + i64::from(seconds) * SECOND
            + i64::from(micros);
        Some(Self::from_micros(if negative { -micros } else { micros }))
    }

    /// All of it in microseconds.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// HOUR: 0 to 838, without the sign.
    #[must_use]
    pub fn hour(self) -> u16 {
        (self.0.abs() / HOUR) as u16
    }

    /// 0 to 59, without the sign.
    #[must_use]
    pub fn minute(self) -> u8 {
        (self.0.abs() / MINUTE % 60) as u8
    }

    /// 0 to 59, without the sign.
    #[must_use]
    pub fn second(self) -> u8 {
        (self.0.abs() / SECOND % 60) as u8
    }

    /// MICROSECOND: 0 to 999,999, without the sign.
    #[must_use]
    pub fn microsecond(self) -> u32 {
        (self.0.abs() % SECOND) as u32
    }

    /// TIME_TO_SEC: whole seconds, cut towards zero.
    #[must_use]
    pub fn to_seconds(self) -> i64 {
        self.0 / SECOND
    }

    /// As a number without its fraction: -12:34:56 is -123456.
    #[must_use]
    pub fn to_number(self) -> i64 {
        let number = i64::from(self.hour()) * 10_000
            + i64::from(self.minute()) * 100
            + i64::from(self.second());
        if self.is_negative() { -number } else { number }
    }

    /// With the nanoseconds (below 1000, of the time's sign) that a text had after
    /// its microseconds: rounded away from zero from half on, or cut off. Stays at
    /// the end of the range.
    #[must_use]
    pub fn with_nanoseconds(self, nanoseconds: u16, truncate: bool) -> Self {
        if truncate || nanoseconds < 500 {
            return self;
        }
        let one = if self.is_negative() { -1 } else { 1 };
        Self::from_micros(self.0 + one).unwrap_or_else(|limit| limit)
    }

    /// With `decimals` (0 to 6) digits of the second, halves away from zero, or cut
    /// off. `Err` with the end of the range that rounding went beyond.
    ///
    /// # Errors
    /// [`Self::MAX`] or [`Self::MIN`].
    pub fn round(self, decimals: u8, truncate: bool) -> Result<Self, Self> {
        let unit = unit_of(decimals);
        let rest = self.0 % unit;
        let cut = self.0 - rest;
        if truncate || rest.abs() * 2 < unit {
            return Ok(Self(cut));
        }
        Self::from_micros(cut + if rest < 0 { -unit } else { unit })
    }
}

impl std::ops::Neg for Time {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// Microseconds of the last digit of a fraction with `decimals` digits.
pub(super) fn unit_of(decimals: u8) -> i64 {
    10_i64.pow(u32::from(6_u8.saturating_sub(decimals)))
}
