//! MySQL's text form of decimals, in and out.

use super::{Decimal, MAX_DIGITS, Repr, Wide};

/// Sign, 81 digits, point, and a zero before the point.
const TEXT_LIMIT_BYTES: usize = 96;

/// How a text was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseStatus {
    /// The number is what the text says.
    Exact,
    /// Digits other than 0 after the point had no room.
    Truncated,
    /// Too large: the result has the largest magnitude of a DECIMAL(65,0).
    Overflow,
    /// There are no digits: the result is zero.
    NoNumber,
}

/// A number read from the beginning of a text.
#[derive(Debug, Clone)]
pub struct ParsedDecimal {
    /// The number.
    pub value: Decimal,
    /// Bytes read, leading spaces included; what follows is not of the number.
    pub consumed: usize,
    /// How it was read.
    pub status: ParseStatus,
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Bytes that MySQL skips before a number.
fn spaces(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count()
}

impl Decimal {
    /// Reads the longest number that `text` begins with:
    /// `[spaces][sign]digits[.digits][e[sign]digits]`. What follows it is the
    /// caller's to judge.
    #[must_use]
    pub fn parse_prefix(text: &[u8]) -> ParsedDecimal {
        let start = spaces(text);
        let mut at = start;
        let negative = text.get(at) == Some(&b'-');
        if negative || text.get(at) == Some(&b'+') {
            at += 1;
        }
        let whole = &text[at..at + digits(&text[at..])];
        at += whole.len();
        let mut fraction: &[u8] = &[];
        if text.get(at) == Some(&b'.') {
            fraction = &text[at + 1..at + 1 + digits(&text[at + 1..])];
            at += 1 + fraction.len();
        }
        if whole.is_empty() && fraction.is_empty() {
            return ParsedDecimal { value: Self::ZERO, consumed: 0, status: ParseStatus::NoNumber };
        }
        let mut exponent = 0_i64;
        if matches!(text.get(at), Some(b'e' | b'E')) {
            let signed = matches!(text.get(at + 1), Some(b'+' | b'-'));
            let from = at + 1 + usize::from(signed);
            let power = text.get(from..).unwrap_or_default();
            let power = &power[..digits(power)];
            if !power.is_empty() {
                exponent = power.iter().fold(0_i64, |sum, digit| {
                    (sum * 10 + i64::from(digit - b'0')).min(i64::from(i32::MAX))
                });
                if text.get(at + 1) == Some(&b'-') {
                    exponent = -exponent;
                }
                at = from + power.len();
            }
        }
        let (value, status) = from_digits(negative, whole, fraction, exponent);
        ParsedDecimal { value, consumed: at, status }
    }

    /// Reads a whole text without spaces; `None` unless all of it is a number that
    /// fits exactly. For literals and tests.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parsed = Self::parse_prefix(text.as_bytes());
        (parsed.status == ParseStatus::Exact
            && parsed.consumed == text.len()
            && spaces(text.as_bytes()) == 0)
            .then_some(parsed.value)
    }

    /// Appends the text: an optional `-`, at least one digit, and as many digits
    /// after a point as the scale says.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        let mut buffer = [0; TEXT_LIMIT_BYTES];
        out.extend_from_slice(self.text(&mut buffer));
    }

    /// The text, at the end of `buffer`.
    fn text<'a>(&self, buffer: &'a mut [u8; TEXT_LIMIT_BYTES]) -> &'a [u8] {
        let mut writer = BackWriter { buffer, at: TEXT_LIMIT_BYTES };
        let scale = usize::from(self.scale());
        match &self.0 {
            Repr::Small { low, high: 0, .. } => writer.digits(*low, 1, scale),
            _ => {
                let mut rest = self.magnitude();
                loop {
                    let (quotient, chunk) = rest.split_chunk();
                    let last = quotient.is_zero();
                    writer.digits(chunk, if last { 1 } else { 19 }, scale);
                    if last {
                        break;
                    }
                    rest = quotient;
                }
            }
        }
        // Zeros up to the point and one before it.
        while writer.written(scale) < scale + 1 {
            writer.digit(b'0', scale);
        }
        if self.is_negative() {
            writer.put(b'-');
        }
        let at = writer.at;
        &buffer[at..]
    }
}

/// Fills a buffer from its end.
struct BackWriter<'a> {
    buffer: &'a mut [u8; TEXT_LIMIT_BYTES],
    at: usize,
}

impl BackWriter<'_> {
    fn put(&mut self, byte: u8) {
        // The longest text is shorter than the buffer.
        if self.at > 0 {
            self.at -= 1;
            self.buffer[self.at] = byte;
        }
    }

    /// Digits written, the point not counted.
    fn written(&self, scale: usize) -> usize {
        let bytes = TEXT_LIMIT_BYTES - self.at;
        if scale > 0 && bytes > scale { bytes - 1 } else { bytes }
    }

    fn digit(&mut self, digit: u8, scale: usize) {
        if scale > 0 && TEXT_LIMIT_BYTES - self.at == scale {
            self.put(b'.');
        }
        self.put(digit);
    }

    /// Writes `value` with at least `least` digits.
    fn digits(&mut self, mut value: u64, least: usize, scale: usize) {
        let mut written = 0;
        while value != 0 || written < least {
            self.digit(b'0' + (value % 10) as u8, scale);
            value /= 10;
            written += 1;
        }
    }
}

/// The number whose digits are `whole` and `fraction`, times 10^`exponent`.
fn from_digits(
    negative: bool,
    whole: &[u8],
    fraction: &[u8],
    exponent: i64,
) -> (Decimal, ParseStatus) {
    let leading = whole.iter().take_while(|digit| **digit == b'0').count();
    let whole = &whole[leading..];
    if whole.is_empty() && fraction.iter().all(|digit| *digit == b'0') {
        // Zero keeps the digits after the point that its text has.
        let scale = (fraction.len() as i64).saturating_sub(exponent).clamp(0, 72);
        return (Decimal::small(false, 0, scale as u8), ParseStatus::Exact);
    }
    // What the first digit other than 0 is worth decides about the size first.
    let significant = if whole.is_empty() {
        -(fraction.iter().take_while(|digit| **digit == b'0').count() as i64)
    } else {
        whole.len() as i64
    };
    let integer_digits = significant.saturating_add(exponent);
    if integer_digits > i64::from(MAX_DIGITS) {
        return (Decimal::max_of(super::MAX_PRECISION, 0, negative), ParseStatus::Overflow);
    }
    let scale = (fraction.len() as i64).saturating_sub(exponent);
    // Nine words in all: those before the point first.
    let room = i64::from((9 - (integer_digits.max(0) as u32).div_ceil(9)) * 9);
    let cut = (scale - room).max(0);
    let all = whole.len() + fraction.len();
    let kept = usize::try_from(cut).map_or(0, |cut| all.saturating_sub(cut));
    let mut small = 0_u64;
    let mut taken = 0_u32;
    let mut magnitude = 0_u128;
    let mut wide: Option<Wide> = None;
    let mut flush = |small: &mut u64, taken: &mut u32| {
        let power = 10_u128.pow(*taken);
        match &mut wide {
            Some(wide) => {
                *wide = wide.mul_pow10(*taken).add(&Wide::from_u128(u128::from(*small)));
            }
            None => match magnitude
                .checked_mul(power)
                .and_then(|raised| raised.checked_add(u128::from(*small)))
            {
                Some(sum) => magnitude = sum,
                None => {
                    let sum = Wide::from_u128(magnitude)
                        .mul_pow10(*taken)
                        .add(&Wide::from_u128(u128::from(*small)));
                    wide = Some(sum);
                }
            },
        }
        *small = 0;
        *taken = 0;
    };
    for digit in whole.iter().chain(fraction).take(kept) {
        small = small * 10 + u64::from(digit - b'0');
        taken += 1;
        if taken == 19 {
            flush(&mut small, &mut taken);
        }
    }
    flush(&mut small, &mut taken);
    let lost = whole.iter().chain(fraction).skip(kept).any(|digit| *digit != b'0');
    let status = if lost { ParseStatus::Truncated } else { ParseStatus::Exact };
    let scale = scale.min(room);
    let mut magnitude = wide.unwrap_or_else(|| Wide::from_u128(magnitude));
    let scale = if scale < 0 {
        magnitude = magnitude.mul_pow10(scale.unsigned_abs() as u32);
        0
    } else {
        scale as u8
    };
    match Decimal::from_wide(negative, magnitude, scale) {
        Some(value) => (value, status),
        None => (Decimal::max_of(super::MAX_PRECISION, 0, negative), ParseStatus::Overflow),
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut buffer = [0; TEXT_LIMIT_BYTES];
        let text = self.text(&mut buffer);
        f.pad(std::str::from_utf8(text).unwrap_or_default())
    }
}

impl std::fmt::Debug for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decimal({self})")
    }
}
