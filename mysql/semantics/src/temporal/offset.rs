//! Offsets from UTC behind dates and times, taken off as the server does.

use super::datetime::DateTime;
use super::parse::ParsedDateTime;

/// A date that an offset cannot be taken off: the text of MySQL's error 1292.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetError(pub String);

/// A time at an offset of seconds, in the session's zone: `shift` gives that, or
/// `None` out of range.
///
/// # Errors
/// For dates with zeros, and beyond the years 0 to 9999.
pub fn take_offset(
    value: DateTime,
    offset_seconds: i32,
    shift: impl FnOnce(DateTime, i32) -> Option<DateTime>,
) -> Result<DateTime, OffsetError> {
    if value.date().has_zero() {
        return Err(OffsetError::of_zeros(value, offset_seconds));
    }
    shift(value, offset_seconds)
        // What comes before year 0 is the zero date.
        .filter(|shifted| !shifted.date().has_zero())
        .ok_or_else(|| OffsetError::out_of_range(value, offset_seconds))
}

impl ParsedDateTime {
    /// The same without its offset, by [`take_offset`].
    ///
    /// Where rounding to microseconds (which `truncate` does without) carries into
    /// the seconds, MySQL forgets the offset, and so do we:
    /// `22:00:36.9999995+05:30` is 22:00:37.
    ///
    /// # Errors
    /// For dates with zeros, and beyond the years 0 to 9999.
    pub fn without_offset(
        self,
        truncate: bool,
        shift: impl FnOnce(DateTime, i32) -> Option<DateTime>,
    ) -> Result<Self, OffsetError> {
        let (Some(value), Some(offset)) = (self.value, self.offset_seconds) else {
            return Ok(self);
        };
        let carries = !truncate && self.nanoseconds >= 500 && value.microsecond() == 999_999;
        let keep = |value, _| Some(value);
        let value = if carries {
            take_offset(value, offset, keep)?
        } else {
            take_offset(value, offset, shift)?
        };
        Ok(Self { value: Some(value), offset_seconds: None, ..self })
    }
}

impl OffsetError {
    /// The hours of the offset are printed as a number.
    fn of_zeros(value: DateTime, offset_seconds: i32) -> Self {
        let sign = if offset_seconds < 0 { '-' } else { '+' };
        let minutes = offset_seconds.abs() / 60;
        Self(format!("{}{sign}{}:{:02}", seconds(value), minutes / 60, minutes % 60))
    }

    /// Years -1 and 10000 are printed so.
    fn out_of_range(value: DateTime, offset_seconds: i32) -> Self {
        const DAY_SECONDS: i64 = 86_400;
        let of_day = value.day_micros() / 1_000_000 - i64::from(offset_seconds);
        let day = if offset_seconds > 0 { "0095-12-31" } else { "0000-01-01" };
        let of_day = of_day.rem_euclid(DAY_SECONDS);
        Self(format!("{day} {:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60))
    }
}

fn seconds(value: DateTime) -> String {
    let mut text = Vec::with_capacity(32);
    value.write_text(0, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
