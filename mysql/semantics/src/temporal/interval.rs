//! INTERVAL: its units, its text form, and adding it.

use super::date::{Date, days_in_month};
use super::datetime::DateTime;
use super::time::{DAY, HOUR, MINUTE, SECOND, Time};

pub use firn_mysql_parser::ast::IntervalUnit;

use IntervalUnit as Unit;

/// Units of one number, not of several in a text.
#[must_use]
pub fn is_simple_unit(unit: IntervalUnit) -> bool {
    parts(unit).is_none()
}

/// Moves days or larger units only: a DATE stays a DATE.
#[must_use]
pub fn is_unit_of_dates(unit: IntervalUnit) -> bool {
    matches!(
        unit,
        Unit::Day | Unit::Week | Unit::Month | Unit::Quarter | Unit::Year | Unit::YearMonth
    )
}

/// The result has microseconds whatever the number's decimals.
#[must_use]
pub fn unit_has_microseconds(unit: IntervalUnit) -> bool {
    matches!(
        unit,
        Unit::Microsecond
            | Unit::SecondMicrosecond
            | Unit::MinuteMicrosecond
            | Unit::HourMicrosecond
            | Unit::DayMicrosecond
    )
}

/// Of a unit of several numbers: how many, and which is the first, counted in
/// the order day, hour, minute, second, microsecond.
fn parts(unit: IntervalUnit) -> Option<(usize, usize)> {
    Some(match unit {
        Unit::YearMonth => (2, 0),
        Unit::DayHour => (2, 0),
        Unit::DayMinute => (3, 0),
        Unit::DaySecond => (4, 0),
        Unit::DayMicrosecond => (5, 0),
        Unit::HourMinute => (2, 1),
        Unit::HourSecond => (3, 1),
        Unit::HourMicrosecond => (4, 1),
        Unit::MinuteSecond => (2, 2),
        Unit::MinuteMicrosecond => (3, 2),
        Unit::SecondMicrosecond => (2, 3),
        _ => return None,
    })
}

/// An amount of time to add: months, and everything below as microseconds. Both
/// have one sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    unit: IntervalUnit,
    months: i64,
    days: i64,
    micros: i128,
}

impl Interval {
    /// `number` of a simple unit, with `micros` (of the number's sign, below a
    /// million) of a second besides, which only SECOND takes. `None` for a unit of
    /// several numbers, and for numbers too large to be days or months.
    #[must_use]
    pub fn of_number(unit: IntervalUnit, number: i64, micros: i32) -> Option<Self> {
        let wide = i128::from(number);
        let zero = Self { unit, months: 0, days: 0, micros: 0 };
        Some(match unit {
            Unit::Microsecond => Self { micros: wide, ..zero },
            Unit::Second => Self { micros: wide * i128::from(SECOND) + i128::from(micros), ..zero },
            Unit::Minute => Self { micros: wide * i128::from(MINUTE), ..zero },
            Unit::Hour => Self { micros: wide * i128::from(HOUR), ..zero },
            Unit::Day => Self { days: number, ..zero },
            Unit::Week => Self { days: number.checked_mul(7)?, ..zero },
            Unit::Month => Self { months: number, ..zero },
            Unit::Quarter => Self { months: number.checked_mul(3)?, ..zero },
            Unit::Year => Self { months: number.saturating_mul(12), ..zero },
            _ => return None,
        })
    }

    /// A text for a unit of several numbers: an optional `-`, then numbers with
    /// anything between them. Too few count from the right. `None` for more numbers
    /// than the unit has, for numbers beyond 64 bits, and for simple units.
    #[must_use]
    pub fn of_text(unit: IntervalUnit, text: &[u8]) -> Option<Self> {
        let (count, first) = parts(unit)?;
        let start = text.iter().take_while(|byte| super::parse::is_space(**byte)).count();
        let text = &text[start..];
        let negative = text.first() == Some(&b'-');
        let mut at = usize::from(negative);
        let skip = |at: &mut usize| {
            while text.get(*at).is_some_and(|byte| !byte.is_ascii_digit()) {
                *at += 1;
            }
        };
        skip(&mut at);
        let mut values = [0_i64; 5];
        let mut found = 0;
        let mut last_digits = 0;
        while found < count && (at < text.len() || found == 0) {
            let from = at;
            while let Some(digit) = text.get(at).filter(|byte| byte.is_ascii_digit()) {
                values[found] =
                    values[found].checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
                at += 1;
            }
            last_digits = at - from;
            found += 1;
            skip(&mut at);
        }
        if at < text.len() {
            return None;
        }
        // What was found moves to the right, the zeros after it before it.
        values[..count].rotate_left(found % count);
        if unit_has_microseconds(unit) && last_digits < 6 {
            // A fraction: its digits count from the left.
            let scale = 10_i64.pow(6 - last_digits as u32);
            values[count - 1] = values[count - 1].checked_mul(scale)?;
        }
        let sign = if negative { -1 } else { 1 };
        let mut interval = Self { unit, months: 0, days: 0, micros: 0 };
        if unit == Unit::YearMonth {
            let months = values[0].checked_mul(12)?.checked_add(values[1])?;
            interval.months = sign * months;
            return Some(interval);
        }
        let worth = [DAY, HOUR, MINUTE, SECOND, 1];
        for (value, worth) in values[..count].iter().zip(&worth[first..]) {
            interval.micros += i128::from(*value) * i128::from(*worth);
        }
        interval.micros *= i128::from(sign);
        Some(interval)
    }

    /// The interval the other way: what subtraction adds.
    #[must_use]
    pub fn negated(self) -> Self {
        Self {
            months: self.months.saturating_neg(),
            days: self.days.saturating_neg(),
            micros: -self.micros,
            ..self
        }
    }
}

impl DateTime {
    /// DATE_ADD; `None` out of the range of dates (1441). Months end on their last
    /// day where the day is too late for them.
    #[must_use]
    pub fn add_interval(self, interval: &Interval) -> Option<Self> {
        let date = self.date();
        match interval.unit {
            Unit::Day | Unit::Week => {
                let number = date.day_number().checked_add(interval.days)?;
                Some(Self::from_parts(Date::from_day_number(number)?, self.day_micros()))
            }
            Unit::Month | Unit::Quarter | Unit::Year | Unit::YearMonth => {
                Some(Self::from_parts(add_months(date, interval)?, self.day_micros()))
            }
            _ => {
                // Counted from the first of the month, so that a day of 0 counts back.
                let first = Date::new(date.year(), date.month(), 1)?;
                let micros = i128::from(first.day_number() + i64::from(date.day()) - 1)
                    * i128::from(DAY)
                    + i128::from(self.day_micros())
                    + interval.micros;
                let number = i64::try_from(micros.div_euclid(i128::from(DAY))).ok()?;
                let rest = micros.rem_euclid(i128::from(DAY)) as i64;
                Some(Self::from_parts(Date::from_day_number(number)?, rest))
            }
        }
    }
}

fn add_months(date: Date, interval: &Interval) -> Option<Date> {
    if interval.unit == Unit::Year {
        // The month stays as it is, even if it is 0.
        let year = i64::from(date.year()).checked_add(interval.months / 12)?;
        let year = u16::try_from(year).ok()?;
        let leap_day = date.month() == 2 && date.day() == 29;
        let day = if leap_day { days_in_month(year, 2) } else { date.day() };
        return Date::new(year, date.month(), day);
    }
    let months = i64::from(date.year()) * 12 + i64::from(date.month()) - 1;
    let months = months.checked_add(interval.months)?;
    let year = u16::try_from(months.div_euclid(12)).ok()?;
    let month = (months.rem_euclid(12) + 1) as u8;
    Date::new(year, month, date.day().min(days_in_month(year, month)))
}

impl Time {
    /// Adds to a TIME; `None` out of its range, and for months (1441).
    #[must_use]
    pub fn add_interval(self, interval: &Interval) -> Option<Self> {
        if interval.months != 0 {
            return None;
        }
        let micros = i128::from(self.micros())
            + i128::from(interval.days) * i128::from(DAY)
            + interval.micros;
        Self::from_micros(i64::try_from(micros).ok()?).ok()
    }
}

/// TIMESTAMPDIFF: whole units from `from` to `to`, cut towards zero; `None` for
/// units of several numbers.
#[must_use]
pub fn timestamp_diff(unit: IntervalUnit, from: DateTime, to: DateTime) -> Option<i64> {
    let micros = to.linear_micros() - from.linear_micros();
    let months = || {
        let (first, last, sign) = if micros < 0 { (to, from, -1) } else { (from, to, 1) };
        let (a, b) = (first.date(), last.date());
        let index = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
        let incomplete = (b.day(), last.day_micros()) < (a.day(), first.day_micros());
        (index(b) - index(a) - i64::from(incomplete)) * sign
    };
    Some(match unit {
        Unit::Microsecond => micros,
        Unit::Second => micros / SECOND,
        Unit::Minute => micros / MINUTE,
        Unit::Hour => micros / HOUR,
        Unit::Day => micros / DAY,
        Unit::Week => micros / DAY / 7,
        Unit::Month => months(),
        Unit::Quarter => months() / 3,
        Unit::Year => months() / 12,
        _ => return None,
    })
}
