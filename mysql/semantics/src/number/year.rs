//! YEAR: 0000 and 1901 to 2155.

use super::parse::{NumberStatus, RoundedInteger, only_spaces, parse_integer_rounded, skip_spaces};

/// The first year after 0000.
pub const YEAR_MIN: u16 = 1901;
/// The last year.
pub const YEAR_MAX: u16 = 2155;

/// The year that a date of two digits means: 70 to 99 are 1970 to 1999, 0 to 69
/// are 2000 to 2069. Larger numbers are the year itself.
#[must_use]
pub fn year_of_two_digits(year: u16) -> u16 {
    match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    }
}

/// The year of a number: 0 is 0000, 1 to 99 are years of two digits; `None` out
/// of range.
#[must_use]
pub fn year_from_number(number: i64) -> Option<u16> {
    let number = u16::try_from(number).ok()?;
    match number {
        0 => Some(0),
        1..100 => Some(year_of_two_digits(number)),
        YEAR_MIN..=YEAR_MAX => Some(number),
        _ => None,
    }
}

/// The year of a text, and whether all of it was read. A text of four bytes is
/// taken as it is, so `'0000'` is 0000, while `'0'` and `'00'` are 2000. `None` if
/// it is no year.
#[must_use]
pub fn year_from_text(text: &[u8]) -> Option<(u16, bool)> {
    let read = parse_integer_rounded(text, false);
    let RoundedInteger::Signed(number) = read.value else { return None };
    if read.status != NumberStatus::Read {
        return None;
    }
    let whole = only_spaces(&text[read.consumed..]);
    let length = text.len();
    let year = if number == 0 && length != 4 && skip_spaces(text) < length {
        Some(2000)
    } else {
        year_from_number(number)
    };
    year.map(|year| (year, whole))
}
