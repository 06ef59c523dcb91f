//! Calendar dates, with MySQL's zero and partly zero ones.

/// A date: year 0 to 9999, month 0 to 12, day 0 to 31. Month and day may be 0
/// (`2024-00-00`), and with ALLOW_INVALID_DATES a day may be one that its month
/// does not have. Packed, so that comparing numbers compares dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(u32);

/// Day number of the first day after year 9999.
pub(super) const END_DAY: u32 = 3_652_425;

const DAYS_IN_MONTH: [u8; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// How WEEK counts. MySQL's mode argument, 0 to 7, has three bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekMode {
    /// Weeks begin on Monday, else on Sunday.
    pub monday_first: bool,
    /// Weeks are 1 to 53 and may belong to another year; else 0 to 53.
    pub week_year: bool,
    /// Week 1 begins with the first such weekday; else it has four days or more.
    pub first_weekday: bool,
}

impl WeekMode {
    /// From MySQL's mode; bits above the third are ignored.
    #[must_use]
    pub fn new(mode: i64) -> Self {
        let monday_first = mode & 1 != 0;
        Self {
            monday_first,
            week_year: mode & 2 != 0,
            // The bit's meaning turns around with the first day of the week.
            first_weekday: (mode & 4 != 0) == monday_first,
        }
    }
}

/// Whether `year` has a 29 February. Year 0 has none.
#[must_use]
pub fn is_leap_year(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || (year.is_multiple_of(400) && year != 0))
}

fn days_in_year(year: i32) -> i64 {
    if u16::try_from(year).is_ok_and(is_leap_year) { 366 } else { 365 }
}

/// Days of a month, 1 to 12; 0 for others.
#[must_use]
pub fn days_in_month(year: u16, month: u8) -> u8 {
    if month == 2 && is_leap_year(year) {
        return 29;
    }
    usize::from(month).checked_sub(1).and_then(|at| DAYS_IN_MONTH.get(at)).copied().unwrap_or(0)
}

impl Date {
    /// `0000-00-00`.
    pub const ZERO: Self = Self(0);
    /// `9999-12-31`.
    pub const MAX: Self = Self(9999 << 9 | 12 << 5 | 31);

    /// A date of these parts; `None` beyond 9999-12-31. Zeros and days that a
    /// month does not have are taken: see [`Self::is_real`].
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        (year <= 9999 && month <= 12 && day <= 31)
            .then(|| Self(u32::from(year) << 9 | u32::from(month) << 5 | u32::from(day)))
    }

    /// From [`Self::packed`]; `None` if it is no date's.
    #[must_use]
    pub fn from_packed(packed: u32) -> Option<Self> {
        let date = Self(packed);
        Self::new((packed >> 9).try_into().ok()?, date.month(), date.day())
    }

    /// Year × 512 + month × 32 + day: what MySQL's rows hold, below 2^23.
    #[must_use]
    pub fn packed(self) -> u32 {
        self.0
    }

    /// 0 to 9999.
    #[must_use]
    pub fn year(self) -> u16 {
        (self.0 >> 9) as u16
    }

    /// 0 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        (self.0 >> 5 & 15) as u8
    }

    /// 0 to 31.
    #[must_use]
    pub fn day(self) -> u8 {
        (self.0 & 31) as u8
    }

    /// Is it `0000-00-00`?
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Has it a month or a day of 0?
    #[must_use]
    pub fn has_zero(self) -> bool {
        self.month() == 0 || self.day() == 0
    }

    /// Is it a day of the calendar: no zeros, and the month has that day?
    #[must_use]
    pub fn is_real(self) -> bool {
        !self.has_zero() && self.day() <= days_in_month(self.year(), self.month())
    }

    /// As a number: 20240229.
    #[must_use]
    pub fn to_number(self) -> u32 {
        u32::from(self.year()) * 10_000 + u32::from(self.month()) * 100 + u32::from(self.day())
    }

    /// TO_DAYS: days since year 0, also for dates that are not real (MySQL
    /// counts on from the month before).
    #[must_use]
    pub fn day_number(self) -> i64 {
        day_number(i64::from(self.year()), i64::from(self.month()), i64::from(self.day()))
    }

    /// From 0001-01-01 on.
    fn from_day_of_era(number: i64) -> Option<Self> {
        if number <= 365 || number >= i64::from(END_DAY) {
            return None;
        }
        let mut year = number * 100 / 36525;
        let leap = (((year - 1) / 100 + 1) * 3) / 4;
        let mut day_of_year = (number - year * 365) - (year - 1) / 4 + leap;
        loop {
            let days = days_in_year(year as i32);
            if day_of_year <= days {
                break;
            }
            day_of_year -= days;
            year += 1;
        }
        let year = year as u16;
        let mut day = day_of_year;
        let mut month = 1;
        while day > i64::from(days_in_month(year, month)) {
            day -= i64::from(days_in_month(year, month));
            month += 1;
        }
        Self::new(year, month, day as u8)
    }

    /// FROM_DAYS: the date of a day number. Year 0 is a year like others here, day 0
    /// the zero date; `None` below it and beyond 9999-12-31.
    #[must_use]
    pub fn from_day_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::ZERO),
            1..=365 => {
                // Year 0 has 365 days, as year 1 has.
                let Self(next_year) = Self::from_day_of_era(number + 365)?;
                Some(Self(next_year - (1 << 9)))
            }
            _ => Self::from_day_of_era(number),
        }
    }

    /// WEEKDAY: 0 is Monday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        weekday(self.day_number(), false)
    }

    /// DAYOFYEAR: 1 to 366.
    #[must_use]
    pub fn day_of_year(self) -> u16 {
        (self.day_number() - day_number(i64::from(self.year()), 1, 1) + 1) as u16
    }

    /// LAST_DAY of the month; `None` for month 0.
    #[must_use]
    pub fn last_day(self) -> Option<Self> {
        match days_in_month(self.year(), self.month()) {
            0 => None,
            day => Self::new(self.year(), self.month(), day),
        }
    }

    /// QUARTER: 1 to 4, 0 for month 0.
    #[must_use]
    pub fn quarter(self) -> u8 {
        self.month().div_ceil(3)
    }

    /// WEEK, and the year that the week belongs to. Dates of month 0 lie before their
    /// year: the server counts their weeks down from 2^32 / 7.
    #[must_use]
    pub fn week(self, mode: WeekMode) -> (i32, u32) {
        let mut week_year = mode.week_year;
        let mut year = i32::from(self.year());
        let number = self.day_number();
        let mut first = day_number(i64::from(self.year()), 1, 1);
        let mut first_weekday = i64::from(weekday(first, !mode.monday_first));
        let belongs_before = |weekday: i64| {
            if mode.first_weekday { weekday != 0 } else { weekday >= 4 }
        };
        if self.month() == 1 && i64::from(self.day()) <= 7 - first_weekday {
            if !week_year && belongs_before(first_weekday) {
                return (year, 0);
            }
            week_year = true;
            year -= 1;
            let days = days_in_year(year);
            first -= days;
            first_weekday = (first_weekday + 53 * 7 - days) % 7;
        }
        let days = if belongs_before(first_weekday) {
            number - (first + 7 - first_weekday)
        } else {
            number - (first - first_weekday)
        };
        let days = days as u32;
        if week_year && days >= 52 * 7 {
            let weekday = (first_weekday + days_in_year(year)) % 7;
            if !belongs_before(weekday) {
                return (year + 1, 1);
            }
        }
        (year, days / 7 + 1)
    }

    /// YEARWEEK: year × 100 + week, counted 1 to 53.
    #[must_use]
    pub fn year_week(self, mode: i64) -> i32 {
        let (year, week) = self.week(WeekMode { week_year: true, ..WeekMode::new(mode) });
        year.wrapping_mul(100).wrapping_add(week as i32)
    }
}

/// Days since year 0 of any parts.
pub(super) fn day_number(year: i64, month: i64, day: i64) -> i64 {
    if year == 0 && month == 0 {
        return 0;
    }
    let mut days = 365 * year + 31 * (month - 1) + day;
    let mut year = year;
    if month <= 2 {
        year -= 1;
    } else {
        days -= (month * 4 + 23) / 10;
    }
    days + year / 4 - ((year / 100 + 1) * 3) / 4
}

/// 0 is Monday, or Sunday if weeks begin there.
pub(super) fn weekday(day_number: i64, sunday_first: bool) -> u8 {
    (day_number + 5 + i64::from(sunday_first)).rem_euclid(7) as u8
}
