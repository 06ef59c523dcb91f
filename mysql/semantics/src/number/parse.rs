//! Numbers from the beginning of texts. None of these fails: they say how much
//! they read and how, and the caller warns or refuses.

use crate::decimal::{Decimal, ParseStatus, Rounding};

/// How a number was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberStatus {
    /// The number is what the text's beginning says.
    Read,
    /// Beyond the range: the value is the nearest end of it.
    OutOfRange,
    /// No digits: the value is 0.
    NoNumber,
}

/// A number read from the beginning of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prefix<T> {
    /// The number.
    pub value: T,
    /// Bytes read, leading spaces included; 0 without a number.
    pub consumed: usize,
    /// How it was read.
    pub status: NumberStatus,
}

/// An integer of 64 bits and its sign, which together exceed every type's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntegerPrefix {
    /// A `-` came before the digits.
    pub negative: bool,
    /// The digits' number; at most 2^63 when negative.
    pub magnitude: u64,
}

impl IntegerPrefix {
    /// As MySQL's signed BIGINT shows it: numbers from 2^63 wrap.
    #[must_use]
    pub fn wrapping_i64(self) -> i64 {
        let value = self.magnitude as i64;
        if self.negative { value.wrapping_neg() } else { value }
    }
}

/// Bytes that MySQL takes for spaces around numbers: space, tab, newline,
/// vertical tab, form feed, carriage return.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// How many spaces `text` begins with.
#[must_use]
pub fn skip_spaces(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_space(**byte)).count()
}

/// True if nothing but spaces is left: no reason to warn of a truncated number.
#[must_use]
pub fn only_spaces(text: &[u8]) -> bool {
    text.iter().all(|byte| is_space(*byte))
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Sign and its length.
fn sign(text: &[u8]) -> (bool, usize) {
    match text.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    }
}

/// Reads `[spaces][sign]digits`: what a string is as an integer. A point, an
/// exponent or anything else ends it.
#[must_use]
pub fn parse_integer_prefix(text: &[u8]) -> Prefix<IntegerPrefix> {
    let start = skip_spaces(text);
    let (negative, sign_len) = sign(&text[start..]);
    let from = start + sign_len;
    let count = digits(&text[from..]);
    if count == 0 {
        let value = IntegerPrefix { negative: false, magnitude: 0 };
        return Prefix { value, consumed: 0, status: NumberStatus::NoNumber };
    }
    let limit = if negative { i64::MIN.unsigned_abs() } else { u64::MAX };
    let magnitude = text[from..from + count]
        .iter()
        .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .filter(|magnitude| *magnitude <= limit);
    let status = if magnitude.is_some() { NumberStatus::Read } else { NumberStatus::OutOfRange };
    Prefix {
        value: IntegerPrefix { negative, magnitude: magnitude.unwrap_or(limit) },
        consumed: from + count,
        status,
    }
}

/// An integer for a column: signed, or unsigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundedInteger {
    /// Below zero, or for a signed column.
    Signed(i64),
    /// For an unsigned column.
    Unsigned(u64),
}

/// Reads `[spaces][sign]digits[.digits][e[sign]digits]` and rounds it to an
/// integer, halves away from zero: what a string is for an integer column.
#[must_use]
pub fn parse_integer_rounded(text: &[u8], unsigned: bool) -> Prefix<RoundedInteger> {
    let wrap = |value: Result<RoundedInteger, RoundedInteger>, consumed| match value {
        Ok(value) => Prefix { value, consumed, status: NumberStatus::Read },
        Err(value) => Prefix { value, consumed, status: NumberStatus::OutOfRange },
    };
    let mut parsed = Decimal::parse_prefix(text);
    let has_exponent = text[..parsed.consumed].iter().any(|byte| matches!(byte, b'e' | b'E'));
    if parsed.consumed > 0
        && !has_exponent
        && matches!(text.get(parsed.consumed), Some(b'e' | b'E'))
    {
        // An exponent without digits is read and means nothing.
        parsed.consumed += 1 + sign(&text[parsed.consumed + 1..]).1;
    }
    match parsed.status {
        ParseStatus::NoNumber => {
            let value =
                if unsigned { RoundedInteger::Unsigned(0) } else { RoundedInteger::Signed(0) };
            Prefix { value, consumed: 0, status: NumberStatus::NoNumber }
        }
        _ if unsigned => wrap(
            parsed
                .value
                .to_u64(Rounding::HalfUp)
                .map(RoundedInteger::Unsigned)
                .map_err(RoundedInteger::Unsigned),
            parsed.consumed,
        ),
        _ => wrap(
            parsed
                .value
                .to_i64(Rounding::HalfUp)
                .map(RoundedInteger::Signed)
                .map_err(RoundedInteger::Signed),
            parsed.consumed,
        ),
    }
}

/// Reads `[spaces][sign]digits[.digits][e[sign]digits]` as the nearest double.
/// Beyond the range it is the largest finite double.
#[must_use]
pub fn parse_double_prefix(text: &[u8]) -> Prefix<f64> {
    let start = skip_spaces(text);
    let (negative, sign_len) = sign(&text[start..]);
    let mut at = start + sign_len;
    let whole = digits(&text[at..]);
    at += whole;
    let mut fraction = 0;
    if text.get(at) == Some(&b'.') {
        fraction = digits(&text[at + 1..]);
        if whole + fraction > 0 {
            at += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return Prefix { value: 0.0, consumed: 0, status: NumberStatus::NoNumber };
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let (_, power_sign) = sign(&text[at + 1..]);
        let power = digits(&text[at + 1 + power_sign..]);
        if power > 0 {
            at += 1 + power_sign + power;
        }
    }
    // Only ASCII was read, and it has the form that Rust's parser takes too.
    let value = std::str::from_utf8(&text[start..at])
        .ok()
        .and_then(|number| number.parse::<f64>().ok())
        .unwrap_or(0.0);
    if value.is_finite() {
        return Prefix { value, consumed: at, status: NumberStatus::Read };
    }
    let value = if negative { f64::MIN } else { f64::MAX };
    Prefix { value, consumed: at, status: NumberStatus::OutOfRange }
}
