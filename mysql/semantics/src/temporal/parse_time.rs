//! Times from text and numbers.

use super::datetime::DateTime;
use super::mode::{DateMode, DelimiterFault, OddDelimiter, TemporalWarnings};
use super::parse::{datetime_from_number, is_space, parse_datetime};
use super::time::Time;

/// The longest text that is surely no full timestamp is shorter than this.
const TIMESTAMP_MIN_BYTES: usize = 12;
/// 838:59:59 as a number.
const NUMBER_MAX: i64 = 8_385_959;
/// Numbers from here may be full timestamps.
const NUMBER_MIN_DATETIME: i64 = 10_000_000_000;

/// The date of a full timestamp does not matter.
const ANY_DATE: DateMode = DateMode {
    no_zero_in_date: false,
    no_zero_date: false,
    allow_invalid: true,
    datetime_only: false,
};

/// What a text for a time holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOrDateTime {
    /// A time.
    Time(Time),
    /// A date and a time of day: TIME takes the latter.
    DateTime(DateTime),
}

/// A time read from text or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedTime {
    /// What was read; `None` if it is no time, or a date alone.
    pub value: Option<TimeOrDateTime>,
    /// Digits of the fraction, 0 to 6.
    pub decimals: u8,
    /// What the digits after the sixth say, in nanoseconds: 0 to 900.
    pub nanoseconds: u16,
    /// The text had an offset: seconds east of UTC.
    pub offset_seconds: Option<i32>,
    /// What was wrong.
    pub warnings: TemporalWarnings,
    /// The first delimiter that MySQL warns of.
    pub odd_delimiter: Option<OddDelimiter>,
    /// The text is nothing like a time: not even a wrong one. CAST warns of it even
    /// where [`Self::warnings`] are empty; a column does not.
    pub is_other: bool,
}

impl ParsedTime {
    fn none(warnings: TemporalWarnings, is_other: bool) -> Self {
        Self {
            value: None,
            decimals: 0,
            nanoseconds: 0,
            offset_seconds: None,
            warnings,
            odd_delimiter: None,
            is_other,
        }
    }

    fn time(time: Result<Time, Time>) -> Self {
        let mut warnings = TemporalWarnings::default();
        if time.is_err() {
            warnings.add(TemporalWarnings::OUT_OF_RANGE);
        }
        let (Ok(time) | Err(time)) = time;
        Self { value: Some(TimeOrDateTime::Time(time)), ..Self::none(warnings, false) }
    }
}

/// Digits from `at` on as a number, and where they end; `None` beyond 32 bits.
fn number(text: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    while let Some(digit) = text.get(at).filter(|byte| byte.is_ascii_digit()) {
        value = value * 10 + u64::from(digit - b'0');
        if value > u64::from(u32::MAX) {
            return None;
        }
        at += 1;
    }
    Some((value, at))
}

/// Reads `[-][D ]hh:mm:ss.ffffff`, `hh:mm`, `hhmmss`, `mmss`, `ss`, or a full
/// date and time, as MySQL does.
#[must_use]
pub fn parse_time(text: &[u8]) -> ParsedTime {
    let leading = text.iter().take_while(|byte| is_space(**byte)).count();
    let first_space = text.first().copied().unwrap_or(b' ');
    let mut text = &text[leading..];
    let negative = text.first() == Some(&b'-');
    if negative {
        text = &text[1..];
    }
    let odd = |byte, position| OddDelimiter { byte, position, fault: DelimiterFault::Superfluous };
    // Spaces in front are told of even if no time follows.
    let in_front = (leading > 0).then(|| odd(first_space, 0));
    let none = |warnings, is_other| ParsedTime {
        odd_delimiter: in_front,
        ..ParsedTime::none(warnings, is_other)
    };
    let refused = none(TemporalWarnings::default(), true);
    if text.is_empty() {
        return refused;
    }
    if text.len() >= TIMESTAMP_MIN_BYTES {
        let parsed = parse_datetime(text, DateMode { datetime_only: true, ..ANY_DATE });
        if !parsed.is_other && negative {
            return ParsedTime::none(TemporalWarnings::TRUNCATED, false);
        }
        if !parsed.is_other {
            return ParsedTime {
                // A date alone is no time, though nothing is wrong with it.
                value: parsed.value.filter(|_| parsed.has_time).map(TimeOrDateTime::DateTime),
                decimals: parsed.decimals,
                nanoseconds: parsed.nanoseconds,
                offset_seconds: parsed.offset_seconds,
                warnings: parsed.warnings,
                odd_delimiter: parsed.odd_delimiter.filter(|_| parsed.value.is_some()),
                is_other: false,
            };
        }
    }
    let Some((first, mut at)) = number(text, 0) else {
        return none(TemporalWarnings::TRUNCATED, true);
    };
    let end_of_first = at;
    while text.get(at).is_some_and(|byte| is_space(*byte)) {
        at += 1;
    }
    let digit_at = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    // Days, hours, minutes, seconds.
    let mut parts = [0_u64; 4];
    let mut count;
    // One space behind the days has to be there.
    let mut spaces_min = 1;
    if text.len() - at > 1 && at != end_of_first && digit_at(at) {
        spaces_min = 2;
        parts[0] = first;
        count = 1;
    } else if text.get(at) == Some(&b':') && digit_at(at + 1) {
        parts[1] = first;
        count = 2;
        at += 1;
    } else {
        parts = [0, first / 10_000, first / 100 % 100, first % 100];
        count = 4;
    }
    while count < 4 {
        let Some((value, end)) = number(text, at) else {
            return none(TemporalWarnings::TRUNCATED, true);
        };
        parts[count] = value;
        count += 1;
        at = end;
        if count < 4 && text.get(at) == Some(&b':') && digit_at(at + 1) {
            at += 1;
        } else {
            break;
        }
    }
    let fraction = fraction(text, &mut at);
    if exponent_at(text, at) {
        return refused;
    }
    let hours = parts[1] + parts[0] * 24;
    let small = |part: u64| u8::try_from(part).unwrap_or(u8::MAX);
    let Some(time) = Time::new(negative, hours, small(parts[2]), small(parts[3]), fraction.micros)
    else {
        return none(TemporalWarnings::OUT_OF_RANGE, false);
    };
    let mut parsed = ParsedTime {
        decimals: fraction.decimals,
        nanoseconds: fraction.nanoseconds,
        ..ParsedTime::time(time)
    };
    let before = leading + usize::from(negative);
    if in_front.is_some() {
        parsed.odd_delimiter = in_front;
    } else if at == text.len() && count == 4 && is_space_at(text, end_of_first + spaces_min - 1) {
        parsed.odd_delimiter = Some(odd(text[end_of_first], before + end_of_first));
    } else if let Some(space) = text.get(at).filter(|byte| is_space(**byte)) {
        parsed.odd_delimiter = Some(odd(*space, before + at));
    }
    if text[at..].iter().any(|byte| !is_space(*byte)) {
        parsed.warnings.add(TemporalWarnings::TRUNCATED);
        if at == 0 {
            return none(parsed.warnings, true);
        }
    }
    parsed
}

fn is_space_at(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|byte| is_space(*byte))
}

struct Fraction {
    micros: u32,
    decimals: u8,
    nanoseconds: u16,
}

/// Reads `.ffffff…` and moves `at` behind it.
fn fraction(text: &[u8], at: &mut usize) -> Fraction {
    let mut fraction = Fraction { micros: 0, decimals: 0, nanoseconds: 0 };
    if text.get(*at) != Some(&b'.') {
        return fraction;
    }
    let count = text[*at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 && *at + 1 < text.len() {
        return fraction;
    }
    let digits = &text[*at + 1..*at + 1 + count];
    for place in 0..6 {
        let digit = digits.get(place).map_or(0, |byte| u32::from(byte - b'0'));
        fraction.micros = fraction.micros * 10 + digit;
    }
    fraction.decimals = count.min(6) as u8;
    fraction.nanoseconds = digits.get(6).map_or(0, |byte| u16::from(byte - b'0') * 100);
    *at += 1 + count;
    fraction
}

/// Does an exponent follow? Such numbers are no times.
fn exponent_at(text: &[u8], at: usize) -> bool {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    matches!(text.get(at), Some(b'e' | b'E'))
        && (digit(text.get(at + 1))
            || (matches!(text.get(at + 1), Some(b'+' | b'-')) && digit(text.get(at + 2))))
}

/// Reads a time given as a number: `hhmmss`, or a full date and time, with the
/// fraction of the second besides. Of a number beyond the range the nearest end is
/// given, which a column takes, while CAST makes it NULL.
#[must_use]
pub fn time_from_number(value: i64, nanos: u32) -> ParsedTime {
    let (micros, nanoseconds) = (nanos.min(999_999_999) / 1000, (nanos % 1000) as u16);
    if value >= NUMBER_MIN_DATETIME {
        let parsed = datetime_from_number(value, nanos, ANY_DATE);
        if let Some(datetime) = parsed.value {
            return ParsedTime {
                value: Some(TimeOrDateTime::DateTime(datetime)),
                decimals: 6,
                nanoseconds,
                ..ParsedTime::none(parsed.warnings, false)
            };
        }
    }
    if value > NUMBER_MAX {
        return ParsedTime::time(Err(Time::MAX));
    }
    if value < -NUMBER_MAX {
        return ParsedTime::time(Err(Time::MIN));
    }
    let parts = value.unsigned_abs();
    let time = Time::new(
        value < 0,
        parts / 10_000,
        (parts / 100 % 100) as u8,
        (parts % 100) as u8,
        micros,
    );
    match time {
        Some(time) => ParsedTime { decimals: 6, nanoseconds, ..ParsedTime::time(time) },
        None => ParsedTime::none(TemporalWarnings::OUT_OF_RANGE, false),
    }
}
