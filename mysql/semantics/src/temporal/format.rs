//! Dates and times read by a format of `%` letters, as STR_TO_DATE does.

#[cfg(test)]
mod tests;

use super::date::{Date, day_number, weekday};
use super::datetime::DateTime;
use super::parse::is_space;
use crate::number::year_of_two_digits;

/// English names, as DATE_FORMAT has them too.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// English names from Monday on.
pub(crate) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// What the letters of a format make together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatParts {
    /// It asks for a part of a date; days alone do not count.
    pub date: bool,
    /// It asks for a time of day.
    pub time: bool,
    /// It asks for a fraction of the second.
    pub fraction: bool,
}

impl FormatParts {
    /// What `format` asks for.
    #[must_use]
    pub fn of(format: &[u8]) -> Self {
        let mut parts = Self { date: false, time: false, fraction: false };
        let mut bytes = format.iter();
        while let Some(byte) = bytes.next() {
            if *byte != b'%' {
                continue;
            }
            match bytes.next() {
                Some(b'f') => (parts.fraction, parts.time) = (true, true),
                Some(b'H' | b'I' | b'S' | b'T' | b'h' | b'i' | b'k' | b'l' | b'r' | b's') => {
                    parts.time = true;
                }
                Some(
                    b'M' | b'V' | b'U' | b'X' | b'Y' | b'W' | b'a' | b'b' | b'c' | b'j' | b'm'
                    | b'v' | b'u' | b'x' | b'y' | b'w',
                ) => parts.date = true,
                _ => {}
            }
        }
        parts
    }
}

/// What was read by a format. Its date may have zeros, and days that its month
/// does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formatted {
    /// The date and time of day.
    pub value: DateTime,
    /// The text goes on behind what the format asks for, not with spaces alone.
    pub has_more: bool,
}

/// A text that a format does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatMismatch {
    /// It was `%r` or `%T` that did not fit, and where the text for it began.
    pub time_at: Option<usize>,
}

/// What a format has set so far.
#[derive(Default)]
struct Parts {
    year: u32,
    month: u32,
    day: u32,
    clock: Clock,
    /// 1 to 7 from Monday on; 0 is none.
    weekday: u32,
    year_day: u32,
    week: Option<Week>,
    /// The year that %X or %x gave, and whether it was %X.
    week_year: Option<(u32, bool)>,
}

struct Week {
    number: u32,
    sunday_first: bool,
    /// %V and %v, which need the year of the week.
    of_week_year: bool,
}

#[derive(Default)]
struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    micros: u32,
    twelve_hours: bool,
    afternoon: bool,
}

impl Clock {
    /// Makes 24 hours of 12 where a letter asked for 12.
    fn settle(&mut self) -> Option<()> {
        if self.twelve_hours {
            if !(1..=12).contains(&self.hour) {
                return None;
            }
            self.hour = self.hour % 12 + if self.afternoon { 12 } else { 0 };
        }
        Some(())
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn is_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn skip(&mut self, is_skipped: impl Fn(u8) -> bool) {
        self.at += self.rest().iter().take_while(|byte| is_skipped(**byte)).count();
    }

    /// A number in the next `width` bytes, which may begin with a plus.
    fn number(&mut self, width: usize) -> Option<u32> {
        let rest = self.rest();
        let rest = rest.get(..width).unwrap_or(rest);
        let sign = usize::from(rest.first() == Some(&b'+'));
        let digits = rest.get(sign..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let value = rest[sign..sign + digits]
            .iter()
            .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        self.at += sign + digits;
        Some(value)
    }

    /// A year in the next `width` bytes; two digits stand for 1970 to 2069.
    fn year(&mut self, width: usize) -> Option<u32> {
        let from = self.at;
        let year = self.number(width)?;
        let is_short = self.at - from <= 2;
        Some(if is_short { year_of_two_digits(year as u16).into() } else { year })
    }

    /// Which of `names`, cut to `letters`, the next word is, or alone begins with.
    fn word(&mut self, names: &[&str], letters: usize) -> Option<u32> {
        let count = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0xc0)
            .count();
        let word = self.rest().get(..count)?;
        let begins = |name: &&str| {
            let name = name.get(..letters.min(name.len())).unwrap_or(name).as_bytes();
            name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let at = names.iter().position(begins).filter(|_| !word.is_empty())?;
        let is_whole = names.get(at).is_some_and(|name| name.len().min(letters) == word.len());
        if !is_whole && names.iter().skip(at + 1).any(begins) {
            return None;
        }
        self.at += count;
        u32::try_from(at).ok()
    }
}

/// Reads `text` by `format`. Where the text ends first, the rest of the format is
/// left out.
///
/// # Errors
/// [`FormatMismatch`] if the text does not fit, or the parts make no date.
pub fn parse_by_format(text: &[u8], format: &[u8]) -> Result<Formatted, FormatMismatch> {
    let mut reader = Reader { text, at: 0 };
    let mut parts = Parts::default();
    let mut time_at = None;
    read(&mut reader, format, &mut parts, &mut time_at)
        .and_then(|()| parts.settle())
        .map(|value| Formatted {
            value,
            has_more: reader.rest().iter().any(|byte| !is_space(*byte)),
        })
        .ok_or(FormatMismatch { time_at })
}

fn read(
    reader: &mut Reader<'_>,
    format: &[u8],
    parts: &mut Parts,
    time_at: &mut Option<usize>,
) -> Option<()> {
    let mut at = 0;
    while at < format.len() && !reader.is_end() {
        let byte = format[at];
        at += 1;
        reader.skip(is_space);
        if reader.is_end() {
            break;
        }
        let letter = format.get(at).copied().filter(|_| byte == b'%');
        let Some(letter) = letter else {
            if !is_space(byte) {
                (reader.rest().first() == Some(&byte)).then_some(())?;
                reader.at += 1;
            }
            continue;
        };
        at += 1;
        let clock = &mut parts.clock;
        match letter {
            b'r' | b'T' => {
                *time_at = Some(reader.at);
                let format: &[u8] = if letter == b'r' { b"%I:%i:%S %p" } else { b"%H:%i:%S" };
                // The 12 hours of %r are its own.
                let Clock { hour, minute, second, .. } = *clock;
                let clock_before = Clock { hour, minute, second, ..Clock::default() };
                let mut inner = Parts { clock: clock_before, ..Parts::default() };
                read(reader, format, &mut inner, &mut None)?;
                inner.clock.settle()?;
                let Clock { hour, minute, second, .. } = inner.clock;
                (clock.hour, clock.minute, clock.second) = (hour, minute, second);
                *time_at = None;
            }
            b'H' | b'k' => clock.hour = reader.number(2)?,
            b'h' | b'I' | b'l' => {
                clock.twelve_hours = true;
                clock.hour = reader.number(2)?;
            }
            b'i' => clock.minute = reader.number(2)?,
            b's' | b'S' => clock.second = reader.number(2)?,
            b'f' => {
                let from = reader.at;
                let value = reader.number(6)?;
                clock.micros = value * 10_u32.pow(6_u32.saturating_sub((reader.at - from) as u32));
            }
            b'p' => {
                let half = reader.rest().get(..2).filter(|_| clock.twelve_hours)?;
                clock.afternoon = half.eq_ignore_ascii_case(b"PM");
                (clock.afternoon || half.eq_ignore_ascii_case(b"AM")).then_some(())?;
                reader.at += 2;
            }
            b'.' => reader.skip(|byte| byte.is_ascii_punctuation()),
            b'@' => reader.skip(|byte| byte.is_ascii_alphabetic()),
            b'#' => reader.skip(|byte| byte.is_ascii_digit()),
            letter => read_date(reader, letter, parts)?,
        }
    }
    Some(())
}

fn read_date(reader: &mut Reader<'_>, letter: u8, parts: &mut Parts) -> Option<()> {
    match letter {
        b'Y' => parts.year = reader.year(4)?,
        b'y' => parts.year = year_of_two_digits(reader.number(2)? as u16).into(),
        b'm' | b'c' => parts.month = reader.number(2)?,
        b'M' => parts.month = reader.word(&MONTHS, usize::MAX)? + 1,
        b'b' => parts.month = reader.word(&MONTHS, 3)? + 1,
        b'd' | b'e' => parts.day = reader.number(2)?,
        b'D' => {
            parts.day = reader.number(2)?;
            // st, nd, rd, th, unread.
            reader.at = (reader.at + 2).min(reader.text.len());
        }
        b'W' => parts.weekday = reader.word(&DAYS, usize::MAX)? + 1,
        b'a' => parts.weekday = reader.word(&DAYS, 3)? + 1,
        b'w' => {
            let day = reader.number(1).filter(|day| *day < 7)?;
            parts.weekday = if day == 0 { 7 } else { day };
        }
        b'j' => parts.year_day = reader.number(3)?,
        b'U' | b'u' | b'V' | b'v' => {
            let of_week_year = matches!(letter, b'V' | b'v');
            let number = reader.number(2)?;
            (number <= 53 && (number > 0 || !of_week_year)).then_some(())?;
            let sunday_first = matches!(letter, b'U' | b'V');
            parts.week = Some(Week { number, sunday_first, of_week_year });
        }
        b'X' | b'x' => parts.week_year = Some((reader.number(4)?, letter == b'X')),
        _ => return None,
    }
    Some(())
}

impl Parts {
    fn settle(&mut self) -> Option<DateTime> {
        self.clock.settle()?;
        if self.year_day > 0 {
            let first = day_number(self.year.into(), 1, 1);
            self.set_day(first + i64::from(self.year_day) - 1)?;
        }
        if self.weekday > 0 {
            self.set_week()?;
        }
        let small = |part: u32| u8::try_from(part).ok();
        let date = Date::new(self.year as u16, small(self.month)?, small(self.day)?)?;
        let Clock { hour, minute, second, micros, .. } = self.clock;
        DateTime::new(date, small(hour)?, small(minute)?, small(second)?, micros)
    }

    fn set_day(&mut self, number: i64) -> Option<()> {
        let date = Date::from_day_number(number).filter(|_| number > 0)?;
        (self.year, self.month, self.day) =
            (date.year().into(), date.month().into(), date.day().into());
        Some(())
    }

    /// The day of a week's number and a weekday.
    fn set_week(&mut self) -> Option<()> {
        let Some(week) = &self.week else { return Some(()) };
        let year = match (week.of_week_year, self.week_year) {
            (true, Some((year, is_sunday))) if is_sunday == week.sunday_first => year,
            (false, None) => self.year,
            _ => return None,
        };
        let first = day_number(year.into(), 1, 1);
        let weekday_of_first = i64::from(weekday(first, week.sunday_first));
        let weeks = (i64::from(week.number) - 1) * 7;
        let day = i64::from(self.weekday);
        let number = if week.sunday_first {
            let skipped = if weekday_of_first == 0 { 0 } else { 7 };
            first + skipped - weekday_of_first + weeks + day % 7
        } else {
            let skipped = if weekday_of_first <= 3 { 0 } else { 7 };
            first + skipped - weekday_of_first + weeks + day - 1
        };
        self.set_day(number)
    }
}
