//! The part of sql_mode that dates know.

use super::date::Date;

/// Which dates are taken. The default takes any that the packed form holds
/// except days that a month does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DateMode {
    /// A month or day of 0 is refused (NO_ZERO_IN_DATE, or where MySQL wants a
    /// date of the calendar).
    pub no_zero_in_date: bool,
    /// `0000-00-00` is refused (NO_ZERO_DATE).
    pub no_zero_date: bool,
    /// Days up to 31 are taken in any month (ALLOW_INVALID_DATES).
    pub allow_invalid: bool,
    /// Delimited text must have a space or `T` between date and time: what tells a
    /// full timestamp from a time.
    pub datetime_only: bool,
}

impl DateMode {
    /// Nothing but days of the calendar.
    pub const REAL: Self = Self {
        no_zero_in_date: true,
        no_zero_date: true,
        allow_invalid: false,
        datetime_only: false,
    };

    /// Does the mode take a date, whatever its time of day?
    #[must_use]
    pub fn takes(self, date: Date) -> bool {
        super::parse::check_date(date, !date.is_zero(), self).is_none()
    }
}

/// What was wrong with a value: bits that may come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TemporalWarnings(u8);

impl TemporalWarnings {
    /// Something was left out, or is no date or time at all.
    pub const TRUNCATED: Self = Self(1);
    /// Beyond the range, or a day that its month does not have.
    pub const OUT_OF_RANGE: Self = Self(2);
    /// `0000-00-00` where the mode refuses it.
    pub const ZERO_DATE: Self = Self(4);
    /// A month or day of 0 where the mode refuses it.
    pub const ZERO_IN_DATE: Self = Self(8);

    /// Nothing was wrong.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Are all bits of `other` set?
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Why MySQL warns of a delimiter that it still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelimiterFault {
    /// Another than `-` in dates, `:` in times, or a space between them (4095).
    Unusual {
        /// What it should be.
        instead: u8,
    },
    /// One too many (4096).
    Superfluous,
}

/// A delimiter that MySQL warns of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OddDelimiter {
    /// The byte, and where it stands in the text (from 0).
    pub byte: u8,
    /// Where it stands in the text, from 0.
    pub position: usize,
    /// Why.
    pub fault: DelimiterFault,
}
