//! Dates and times from text, in every form that MySQL takes.

use super::date::{Date, days_in_month};
use super::datetime::DateTime;
use super::mode::{DateMode, DelimiterFault, OddDelimiter, TemporalWarnings};
use super::time::SECOND;
use crate::number::{only_spaces, year_of_two_digits};

/// The largest number that a part of a date may show.
const PART_LIMIT: u32 = 999_999;
/// Offsets go from -13:59 to +14:00.
const OFFSET_MAX_MINUTES: i32 = 14 * 60;

/// A date, with or without a time of day, read from text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedDateTime {
    /// What was read; `None` if it is no date, then [`Self::warnings`] say why.
    pub value: Option<DateTime>,
    /// The text had a time of day.
    pub has_time: bool,
    /// The text had an offset: seconds east of UTC.
    pub offset_seconds: Option<i32>,
    /// Digits of the fraction, 0 to 6.
    pub decimals: u8,
    /// What the digits after the sixth say, in nanoseconds: 0 to 900.
    pub nanoseconds: u16,
    /// What was wrong.
    pub warnings: TemporalWarnings,
    /// The first delimiter that MySQL warns of.
    pub odd_delimiter: Option<OddDelimiter>,
    /// The text is nothing like a date: not even a wrong one.
    pub is_other: bool,
}

impl ParsedDateTime {
    pub(super) fn none(warnings: TemporalWarnings, is_other: bool) -> Self {
        Self {
            value: None,
            has_time: false,
            offset_seconds: None,
            decimals: 0,
            nanoseconds: 0,
            warnings,
            odd_delimiter: None,
            is_other,
        }
    }

    fn other() -> Self {
        Self::none(TemporalWarnings::TRUNCATED, true)
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The offset `+hh:mm` that is all of `text`, in seconds.
fn offset_seconds(text: &[u8]) -> Option<i32> {
    let end = text.iter().rposition(|byte| !is_space(*byte))? + 1;
    let [sign, h1, h2, b':', m1, m2] = text[..end] else { return None };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
    let hours = digit(h1)? * 10 + digit(h2)?;
    let minutes = digit(m1)? * 10 + digit(m2)?;
    let total = hours * 60 + minutes;
    match sign {
        _ if minutes > 59 || total > OFFSET_MAX_MINUTES => None,
        b'+' => Some(total * 60),
        // -00:00 is refused, and the west ends at -13:59.
        b'-' if total != 0 && total < OFFSET_MAX_MINUTES => Some(-total * 60),
        _ => None,
    }
}

/// The parts of a date and time: year, month, day, hour, minute, second, fraction.
const PARTS: usize = 7;
const DAY_PART: usize = 2;
const SECOND_PART: usize = 5;
const FRACTION_PART: usize = 6;

/// What splitting a text into its parts gave.
struct Split {
    values: [u32; PARTS],
    lengths: [u8; PARTS],
    /// Parts found.
    count: usize,
    /// Where what is not of the parts begins.
    end: usize,
    offset: Option<i32>,
    odd: Option<OddDelimiter>,
}

/// Reads `YYYY-MM-DD`, `YYYY-MM-DD hh:mm:ss.ffffff`, the same with other
/// punctuation, with `T`, with an offset, or without delimiters (`YYYYMMDD`,
/// `YYMMDDhhmmss` …), as MySQL does.
#[must_use]
pub fn parse_datetime(text: &[u8], mode: DateMode) -> ParsedDateTime {
    let start = text.iter().take_while(|byte| is_space(**byte)).count();
    if !text.get(start).is_some_and(u8::is_ascii_digit) {
        return ParsedDateTime::other();
    }
    let run =
        text[start..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'T').count();
    // Nothing but digits up to the end or a point: parts of fixed widths.
    let compact = matches!(text.get(start + run), None | Some(b'.'));
    let year_width = if !compact || run == 4 || run == 8 || run >= 14 { 4 } else { 2 };
    let Some(split) = split(text, start, compact, year_width, mode) else {
        return ParsedDateTime::other();
    };
    assemble(text, &split, compact, year_width, mode)
}

fn split(
    text: &[u8],
    start: usize,
    compact: bool,
    year_width: u8,
    mode: DateMode,
) -> Option<Split> {
    let mut split = Split {
        values: [0; PARTS],
        lengths: [0; PARTS],
        count: 0,
        end: start,
        offset: None,
        odd: None,
    };
    if start > 0 {
        note_odd(&mut split.odd, text[0], 0, true, 0);
    }
    let (mut found_delimiter, mut found_space) = (false, false);
    let mut at = start;
    let mut width = year_width;
    let mut part = 0;
    while part < PARTS && text.get(at).is_some_and(u8::is_ascii_digit) {
        let from = at;
        let fixed = compact || part == FRACTION_PART;
        let mut value = 0_u32;
        while let Some(digit) = text.get(at).filter(|byte| byte.is_ascii_digit()) {
            if fixed && at - from >= usize::from(width) {
                break;
            }
            value = (value * 10 + u32::from(digit - b'0')).min(PART_LIMIT + 1);
            at += 1;
        }
        if value > PART_LIMIT {
            return None;
        }
        split.values[part] = value;
        split.lengths[part] = (at - from).min(255) as u8;
        width = 2;
        split.end = at;
        part += 1;
        let Some(next) = text.get(at).copied() else { break };
        if part == DAY_PART + 1 && next == b'T' {
            at += 1;
            continue;
        }
        if part == SECOND_PART + 1 {
            if next == b'.' {
                at += 1;
                split.end = at;
                width = 6;
            } else if next.is_ascii_digit() {
                break;
            }
            if matches!(text.get(at), Some(b'+' | b'-')) {
                split.offset = Some(offset_seconds(&text[at..])?);
                at = text.len();
                split.end = at;
            }
            continue;
        }
        if part == FRACTION_PART + 1 {
            if next.is_ascii_digit() {
                // What follows the seventh digit counts only once the rest is right.
                break;
            }
            if matches!(next, b'+' | b'-') {
                split.offset = Some(offset_seconds(&text[at..])?);
                split.end = text.len();
                break;
            }
        }
        let first = at;
        while let Some(byte) = text.get(at).copied() {
            if is_space(byte) {
                // Spaces are for after the day, and at the end.
                if part != DAY_PART + 1 && part != FRACTION_PART + 1 {
                    return None;
                }
                found_space = true;
            } else if !byte.is_ascii_punctuation() {
                break;
            }
            found_delimiter = true;
            let superfluous =
                at > first || (is_space(byte) && (part > SECOND_PART || only_spaces(&text[at..])));
            // A point after the day of a text without delimiters is not odd.
            if !(compact && part == DAY_PART + 1) {
                note_odd(&mut split.odd, byte, at, superfluous, part);
            }
            at += 1;
        }
        split.end = at;
    }
    split.count = part;
    if found_delimiter && !found_space && mode.datetime_only {
        return None;
    }
    Some(split)
}

/// Remembers the first delimiter that MySQL warns of, `part` parts having been
/// read before it.
fn note_odd(
    odd: &mut Option<OddDelimiter>,
    byte: u8,
    position: usize,
    superfluous: bool,
    part: usize,
) {
    if odd.is_some() {
        return;
    }
    let instead = match part {
        1 | 2 => b'-',
        3 => b' ',
        _ => b':',
    };
    let fault = if superfluous {
        DelimiterFault::Superfluous
    } else if byte != instead || part > FRACTION_PART {
        DelimiterFault::Unusual { instead }
    } else {
        return;
    };
    *odd = Some(OddDelimiter { byte, position, fault });
}

fn assemble(
    text: &[u8],
    split: &Split,
    compact: bool,
    year_width: u8,
    mode: DateMode,
) -> ParsedDateTime {
    let [year, month, day, hour, minute, second, fraction] = split.values;
    let not_zero = split.values.iter().any(|value| *value != 0);
    let short_year = if compact { year_width == 2 } else { split.lengths[0] == 2 };
    let year = match u16::try_from(year) {
        Ok(year) if short_year && not_zero => year_of_two_digits(year),
        Ok(year) => year,
        Err(_) => u16::MAX,
    };
    let decimals = split.lengths[FRACTION_PART].min(6);
    let micros = fraction * 10_u32.pow(u32::from(6 - decimals));
    let rest = &text[split.end.min(text.len())..];
    let in_range =
        year <= 9999 && month <= 12 && day <= 31 && hour < 24 && minute < 60 && second < 60;
    let date = Date::new(year, month.min(255) as u8, day.min(255) as u8);
    let (Some(date), true, true) = (date, split.count >= 3, in_range) else {
        // A zero date warns of its zeros only, unless something follows it.
        let warned = not_zero || rest.iter().any(|byte| !is_space(*byte));
        let warning =
            if warned { TemporalWarnings::TRUNCATED } else { TemporalWarnings::ZERO_DATE };
        return ParsedDateTime::none(warning, false);
    };
    if let Some(warning) = check_date(date, not_zero, mode) {
        return ParsedDateTime::none(warning, false);
    }
    let mut parsed = ParsedDateTime {
        value: DateTime::new(date, hour as u8, minute as u8, second as u8, micros),
        has_time: split.count > 3,
        offset_seconds: split.offset,
        decimals,
        nanoseconds: 0,
        warnings: TemporalWarnings::default(),
        odd_delimiter: split.odd,
        is_other: false,
    };
    let mut rest = rest;
    if decimals == 6
        && let Some(digit) = rest.first().filter(|byte| byte.is_ascii_digit())
    {
        parsed.nanoseconds = u16::from(digit - b'0') * 100;
        let more = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = &rest[more..];
        if matches!(rest.first(), Some(b'+' | b'-')) {
            let Some(offset) = offset_seconds(rest) else { return ParsedDateTime::other() };
            parsed.offset_seconds = Some(offset);
            rest = &[];
        }
    }
    if let Some(space) = rest.first().filter(|byte| is_space(**byte)) {
        note_odd(&mut parsed.odd_delimiter, *space, text.len() - rest.len(), true, PARTS);
    }
    if rest.iter().any(|byte| !is_space(*byte)) {
        parsed.warnings.add(TemporalWarnings::TRUNCATED);
    }
    parsed
}

/// What the mode has against a date, if anything. `not_zero` says that some part
/// of the value, its time of day included, is not 0.
pub(super) fn check_date(date: Date, not_zero: bool, mode: DateMode) -> Option<TemporalWarnings> {
    if !not_zero {
        return mode.no_zero_date.then_some(TemporalWarnings::ZERO_DATE);
    }
    if date.has_zero() && mode.no_zero_in_date {
        return Some(TemporalWarnings::ZERO_IN_DATE);
    }
    let too_late = date.month() != 0 && date.day() > days_in_month(date.year(), date.month());
    (too_late && !mode.allow_invalid).then_some(TemporalWarnings::OUT_OF_RANGE)
}

/// Reads a date or date and time given as a number: `YYMMDD`, `YYYYMMDD`,
/// `YYMMDDhhmmss`, `YYYYMMDDhhmmss`, with the fraction of the second besides.
#[must_use]
pub fn datetime_from_number(number: i64, nanos: u32, mode: DateMode) -> ParsedDateTime {
    const TWO_DIGITS: i64 = 1_000_000;
    let refuse = |warning| ParsedDateTime::none(warning, false);
    let mut has_time = number == 0 || number >= 10_000_101_000_000;
    if number > 99_999_999_999_999 {
        return refuse(TemporalWarnings::OUT_OF_RANGE);
    }
    let full = match number {
        0 => 0,
        10_000_101_000_000.. => number,
        101..=691_231 => (number + 20_000_000) * TWO_DIGITS,
        700_101..=991_231 => (number + 19_000_000) * TWO_DIGITS,
        991_232..=99_991_231 => number * TWO_DIGITS,
        101_000_000.. => {
            has_time = true;
            match number {
                ..=691_231_235_959 => number + 20_000_000_000_000,
                691_231_235_960..700_101_000_000 => return refuse(TemporalWarnings::TRUNCATED),
                700_101_000_000..=991_231_235_959 => number + 19_000_000_000_000,
                _ => number,
            }
        }
        _ => return refuse(TemporalWarnings::TRUNCATED),
    };
    let (day_part, time_part) = (full / TWO_DIGITS, full % TWO_DIGITS);
    let date = u16::try_from(day_part / 10_000)
        .ok()
        .and_then(|year| Date::new(year, (day_part / 100 % 100) as u8, (day_part % 100) as u8));
    let value = date.and_then(|date| {
        DateTime::new(
            date,
            (time_part / 10_000) as u8,
            (time_part / 100 % 100) as u8,
            (time_part % 100) as u8,
            nanos.min(999_999_999) / 1000,
        )
    });
    let (Some(date), Some(value)) = (date, value) else {
        return refuse(TemporalWarnings::TRUNCATED);
    };
    if let Some(warning) = check_date(date, number != 0, mode) {
        // Numbers do not tell what is wrong with a date.
        return refuse(if number == 0 { warning } else { TemporalWarnings::TRUNCATED });
    }
    ParsedDateTime {
        value: Some(value),
        has_time,
        nanoseconds: (nanos % 1000) as u16,
        decimals: if i64::from(nanos) % SECOND == 0 && nanos == 0 { 0 } else { 6 },
        ..refuse(TemporalWarnings::default())
    }
}
