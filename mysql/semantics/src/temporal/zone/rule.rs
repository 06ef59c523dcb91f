//! The rule that a zone goes on by: POSIX's TZ strings, e.g.
//! `CET-1CEST,M3.5.0,M10.5.0/3`.

use super::super::date::{Date, days_in_month};
use super::EPOCH_DAY;

/// A standard offset, a daylight offset, and when one follows the other.
#[derive(Debug)]
pub(super) struct Rule {
    standard: i32,
    daylight: i32,
    start: Change,
    end: Change,
}

#[derive(Debug, Clone, Copy)]
struct Change {
    day: Day,
    /// Seconds of local time after that day's midnight; may be negative.
    seconds: i32,
}

#[derive(Debug, Clone, Copy)]
enum Day {
    /// The `week`th (5: last) `weekday` (0: Sunday) of a month.
    Weekday { month: u8, week: u8, weekday: u8 },
    /// Day of the year from 1, 29 February not counted.
    Julian(u16),
    /// Day of the year from 0.
    Ordinal(u16),
}

/// Takes characters off the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn accept(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn number(&mut self) -> Option<u16> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || digits > 4 {
            return None;
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        Some(number.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
    }

    fn name(&mut self) -> Option<()> {
        let len = if self.accept(b'<') {
            self.0.iter().position(|byte| *byte == b'>')? + 1
        } else {
            self.0.iter().take_while(|byte| byte.is_ascii_alphabetic()).count()
        };
        self.0 = self.0.get(len..)?;
        (len > 0).then_some(())
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    fn seconds(&mut self) -> Option<i32> {
        let negative = self.accept(b'-');
        if !negative {
            self.accept(b'+');
        }
        let mut seconds = i32::from(self.number()?) * 3600;
        for worth in [60, 1] {
            if !self.accept(b':') {
                break;
            }
            seconds += i32::from(self.number()?) * worth;
        }
        Some(if negative { -seconds } else { seconds })
    }

    fn change(&mut self) -> Option<Change> {
        let day = if self.accept(b'M') {
            let month = u8::try_from(self.number()?).ok()?;
            let week = self.accept(b'.').then(|| self.number())??;
            let weekday = self.accept(b'.').then(|| self.number())??;
            Day::Weekday {
                month: (1..=12).contains(&month).then_some(month)?,
                week: week.clamp(1, 5) as u8,
                weekday: (weekday % 7) as u8,
            }
        } else if self.accept(b'J') {
            Day::Julian(self.number()?.clamp(1, 365))
        } else {
            Day::Ordinal(self.number()?.min(365))
        };
        let seconds = if self.accept(b'/') { self.seconds()? } else { 7200 };
        Some(Change { day, seconds })
    }
}

impl Rule {
    /// A rule with daylight time; `None` for one without, or for no rule.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut reader = Reader(text);
        reader.name()?;
        // POSIX counts offsets to the west.
        let standard = -reader.seconds()?;
        reader.name()?;
        let daylight = match reader.0.first() {
            Some(b',') => standard + 3600,
            _ => -reader.seconds()?,
        };
        let start = reader.accept(b',').then(|| reader.change())??;
        let end = reader.accept(b',').then(|| reader.change())??;
        reader.0.is_empty().then_some(Self { standard, daylight, start, end })
    }

    /// The changes of a year, in their order: moments of UTC and new offsets.
    pub(super) fn changes_of(&self, year: i64) -> Vec<(i64, i32)> {
        let Some(first) = u16::try_from(year).ok().and_then(|year| Date::new(year, 1, 1)) else {
            return Vec::new();
        };
        let moment = |change: Change, offset: i32| {
            (change.day.number(first) - EPOCH_DAY) * 86_400 + i64::from(change.seconds)
                - i64::from(offset)
        };
        let mut changes = vec![
            (moment(self.start, self.standard), self.daylight),
            (moment(self.end, self.daylight), self.standard),
        ];
        changes.sort_unstable();
        changes
    }
}

impl Day {
    /// The day number in the year that begins with `first`.
    fn number(self, first: Date) -> i64 {
        let start = first.day_number();
        match self {
            Self::Ordinal(day) => start + i64::from(day),
            Self::Julian(day) => {
                let leap = days_in_month(first.year(), 2) == 29 && day >= 60;
                start + i64::from(day) - 1 + i64::from(leap)
            }
            Self::Weekday { month, week, weekday } => {
                let days = i64::from(days_in_month(first.year(), month));
                let month_start = Date::new(first.year(), month, 1).unwrap_or(first).day_number();
                // Day number 1 was a Sunday by MySQL's count of weekdays.
                let first_weekday = (month_start + 6) % 7;
                let mut day =
                    (i64::from(weekday) - first_weekday).rem_euclid(7) + (i64::from(week) - 1) * 7;
                while day >= days {
                    day -= 7;
                }
                month_start + day
            }
        }
    }
}
