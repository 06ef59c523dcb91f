//! Scalars that JSON texts do not have: decimals, dates and times, opaque values.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

use super::error::JsonError;

/// Numbers of MySQL's column types, as an opaque value carries one.
pub mod field_type {
    /// BIT.
    pub const BIT: u8 = 16;
    /// TIMESTAMP.
    pub const TIMESTAMP: u8 = 7;
    /// DATE.
    pub const DATE: u8 = 10;
    /// TIME.
    pub const TIME: u8 = 11;
    /// DATETIME.
    pub const DATETIME: u8 = 12;
    /// YEAR.
    pub const YEAR: u8 = 13;
    /// VARBINARY.
    pub const VARCHAR: u8 = 15;
    /// DECIMAL.
    pub const NEWDECIMAL: u8 = 246;
    /// TINYBLOB.
    pub const TINY_BLOB: u8 = 249;
    /// MEDIUMBLOB.
    pub const MEDIUM_BLOB: u8 = 250;
    /// LONGBLOB.
    pub const LONG_BLOB: u8 = 251;
    /// BLOB.
    pub const BLOB: u8 = 252;
    /// What expressions of binary strings have.
    pub const VAR_STRING: u8 = 253;
    /// BINARY.
    pub const STRING: u8 = 254;
    /// GEOMETRY.
    pub const GEOMETRY: u8 = 255;
}

/// The most digits of a decimal.
pub(super) const MAX_DIGITS: usize = 65;
/// The most digits after a decimal's point.
pub(super) const MAX_SCALE: u8 = 30;

/// A DECIMAL in a document: sign, scale and decimal digits.
#[derive(Clone, Copy)]
pub struct DecimalRef<'a> {
    negative: bool,
    scale: u8,
    digits: u8,
    /// Two digits a byte; the first byte holds one if the number of digits is odd.
    packed: &'a [u8],
}

impl<'a> DecimalRef<'a> {
    /// Reads the stored form, which may have more bytes behind it.
    pub(super) fn read(from: &'a [u8]) -> Result<(Self, usize), JsonError> {
        let corrupt = JsonError::Corrupt("a malformed decimal");
        let (Some(&head), Some(&digits)) = (from.first(), from.get(1)) else {
            return Err(corrupt);
        };
        let (negative, scale) = (head & 0x80 != 0, head & 0x7f);
        let len = usize::from(digits).div_ceil(2);
        let Some(packed) = from.get(2..2 + len) else { return Err(corrupt) };
        let fits = scale <= MAX_SCALE && scale < digits && usize::from(digits) <= MAX_DIGITS + 1;
        if !fits || packed.iter().any(|&b| b > 99) || (digits % 2 == 1 && packed[0] > 9) {
            return Err(corrupt);
        }
        Ok((Self { negative, scale, digits, packed }, 2 + len))
    }

    /// Writes the stored form of a decimal given as text: an optional sign, digits,
    /// perhaps a point and more digits.
    ///
    /// # Errors
    /// If it is none, or has more than 65 digits or 30 of them behind the point.
    pub(super) fn write(text: &str, to: &mut Vec<u8>) -> Result<(), JsonError> {
        let malformed = JsonError::Value("malformed decimal");
        let (negative, text) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            all => (false, all),
        };
        let point = text.iter().position(|&b| b == b'.');
        let (whole, fraction) = match point {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, &text[..0]),
        };
        let skip = whole.iter().take_while(|&&b| b == b'0').count();
        let whole = &whole[skip..];
        if (whole.is_empty() && skip == 0 && fraction.is_empty())
            || whole.len() + fraction.len() > MAX_DIGITS
            || fraction.len() > usize::from(MAX_SCALE)
        {
            return Err(malformed);
        }
        let mut digits = [0u8; MAX_DIGITS + 2];
        let mut count = 0;
        // There is always a digit before the point.
        let zero: &[u8] = if whole.is_empty() { b"0" } else { b"" };
        for &byte in zero.iter().chain(whole).chain(fraction) {
            if !byte.is_ascii_digit() {
                return Err(malformed);
            }
            digits[count] = byte - b'0';
            count += 1;
        }
        let digits = &digits[..count];
        let negative = negative && digits.iter().any(|&d| d != 0);
        to.push(fraction.len() as u8 | if negative { 0x80 } else { 0 });
        to.push(count as u8);
        let (odd, pairs) = digits.split_at(count % 2);
        to.extend_from_slice(odd);
        to.extend(pairs.chunks_exact(2).map(|pair| pair[0] * 10 + pair[1]));
        Ok(())
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Digits behind the point.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// Digits in all, at least one of them before the point.
    pub fn digits(&self) -> u8 {
        self.digits
    }

    pub(super) fn is_zero(&self) -> bool {
        self.packed.iter().all(|&b| b == 0)
    }

    /// The digits' values, most significant first.
    pub(super) fn each_digit(&self) -> impl Iterator<Item = u8> + use<'a> {
        let skip = usize::from(self.digits % 2);
        self.packed.iter().flat_map(|&b| [b / 10, b % 10]).skip(skip)
    }

    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for DecimalRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = usize::from(self.digits) - usize::from(self.scale);
        let mut text = [0u8; MAX_DIGITS + 4];
        let mut len = 0;
        let mut put = |byte| {
            if let Some(slot) = text.get_mut(len) {
                *slot = byte;
                len += 1;
            }
        };
        if self.negative {
            put(b'-');
        }
        for (i, digit) in self.each_digit().enumerate() {
            if i == whole {
                put(b'.');
            }
            put(b'0' + digit);
        }
        f.write_str(std::str::from_utf8(&text[..len]).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for DecimalRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for DecimalRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        super::number::compare_decimals(*self, *other) == Ordering::Equal
    }
}

/// MySQL's packed integer of a DATE, DATETIME, TIMESTAMP or TIME.
///
/// A date and time is `((((year * 13 + month) << 5 | day) << 17 | hour << 12 | minute << 6 |
/// second) << 24) + microsecond`; a time is `((hour << 12 | minute << 6 | second) << 24) +
/// microsecond`, negated below zero. Both order as integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackedTime(pub i64);

impl PackedTime {
    /// Packs a date and time; parts beyond their ranges are the caller's mistake.
    pub fn date_time(date: [u32; 3], time: [u32; 3], microsecond: u32) -> Self {
        let date = (i64::from(date[0]) * 13 + i64::from(date[1])) << 5 | i64::from(date[2]);
        let time = i64::from(time[0]) << 12 | i64::from(time[1]) << 6 | i64::from(time[2]);
        Self(((date << 17 | time) << 24) + i64::from(microsecond))
    }

    /// Packs a time.
    pub fn time(negative: bool, time: [u32; 3], microsecond: u32) -> Self {
        let time = i64::from(time[0]) << 12 | i64::from(time[1]) << 6 | i64::from(time[2]);
        let packed = (time << 24) + i64::from(microsecond);
        Self(if negative { -packed } else { packed })
    }

    pub(super) fn parts(self) -> (u64, u64, u64) {
        let all = self.0.unsigned_abs();
        (all >> 41, all >> 24 & 0x1_ffff, all & 0xff_ffff)
    }

    /// Appends `YYYY-MM-DD`.
    pub(super) fn print_date(self, to: &mut String) {
        let (date, _, _) = self.parts();
        let (month, day) = (date >> 5, date & 31);
        let _ = write!(to, "{:04}-{:02}-{:02}", month / 13, month % 13, day);
    }

    /// Appends `YYYY-MM-DD hh:mm:ss.ffffff`.
    pub(super) fn print_date_time(self, to: &mut String) {
        self.print_date(to);
        let (_, time, micro) = self.parts();
        let (hour, minute, second) = (time >> 12, time >> 6 & 63, time & 63);
        let _ = write!(to, " {hour:02}:{minute:02}:{second:02}.{micro:06}");
    }

    /// Appends `[-]hh:mm:ss.ffffff`.
    pub(super) fn print_time(self, to: &mut String) {
        let all = self.0.unsigned_abs();
        let (time, micro) = (all >> 24, all & 0xff_ffff);
        let (hour, minute, second) = (time >> 12, time >> 6 & 63, time & 63);
        let sign = if self.0 < 0 { "-" } else { "" };
        let _ = write!(to, "{sign}{hour:02}:{minute:02}:{second:02}.{micro:06}");
    }
}
