//! Numbers as text, and how they compare.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::scalar::DecimalRef;
use super::view::Kind;

/// Appends a double as JSON functions print it: the shortest digits that read back
/// the same, with `.0` behind an integer, and an exponent outside 1e-15 to 1e15 unless
/// there are digits behind the point.
pub fn print_double(value: f64, to: &mut String) {
    if value == 0.0 {
        to.push_str(if value.is_sign_negative() { "-0.0" } else { "0.0" });
        return;
    }
    let mut buffer = SmallText::default();
    // `d.ddde[-]dd`: never fails into a buffer of this size.
    let _ = write!(buffer, "{value:e}");
    let text = buffer.as_str();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    to.push_str(sign);
    let even = even_digits(value, mantissa);
    let (first, rest) = even.as_deref().unwrap_or(mantissa).split_at(1);
    let rest = rest.strip_prefix('.').unwrap_or("");
    let has_fraction = i32::try_from(rest.len()).is_ok_and(|len| len > exponent);
    if (0..15).contains(&exponent) || (exponent >= 15 && has_fraction) {
        let whole = exponent as usize;
        to.push_str(first);
        if rest.len() <= whole {
            to.push_str(rest);
            to.extend(std::iter::repeat_n('0', whole - rest.len()));
            to.push_str(".0");
        } else {
            let (whole, fraction) = rest.split_at(whole);
            to.push_str(whole);
            to.push('.');
            to.push_str(fraction);
        }
    } else if (-15..0).contains(&exponent) {
        to.push_str("0.");
        to.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
        to.push_str(first);
        to.push_str(rest);
    } else {
        to.push_str(first);
        if !rest.is_empty() {
            to.push('.');
            to.push_str(rest);
        }
        let _ = write!(to, "e{exponent}");
    }
}

/// Another last digit, if the value is just between two shortest forms: the server takes
/// the even one.
fn even_digits(value: f64, mantissa: &str) -> Option<String> {
    // Only values of few binary digits behind the point can be just between.
    if mantissa.len() < 16 || !(1e13..1e23).contains(&value.abs()) {
        return None;
    }
    let exact = format!("{:.40e}", value.abs());
    let (kept, dropped) = exact.split_once('e')?.0.split_at_checked(mantissa.len())?;
    let between = dropped.starts_with('5') && dropped[1..].bytes().all(|b| b == b'0');
    // What is kept is the lower of the two.
    let is_even = kept.ends_with(['0', '2', '4', '6', '8']);
    (between && is_even && kept != mantissa).then(|| kept.to_owned())
}

#[derive(Default)]
struct SmallText {
    bytes: [u8; 32],
    len: usize,
}

impl SmallText {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl std::fmt::Write for SmallText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Compares two decimals of any scales.
pub(super) fn compare_decimals(a: DecimalRef<'_>, b: DecimalRef<'_>) -> Ordering {
    let sign = |d: DecimalRef<'_>| match (d.is_zero(), d.is_negative()) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    let (sign_a, sign_b) = (sign(a), sign(b));
    if sign_a != sign_b || sign_a == 0 {
        return sign_a.cmp(&sign_b);
    }
    let (a, b) = (Digits::of_decimal(a), Digits::of_decimal(b));
    if sign_a < 0 { b.cmp(&a) } else { a.cmp(&b) }
}

/// A magnitude: digits without zeros at either end, and where the point is before them.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Digits {
    /// Digits before the point; negative if zeros follow it.
    pub(super) point: i32,
    pub(super) digits: Vec<u8>,
}

impl Digits {
    fn of(mut digits: Vec<u8>, mut point: i32) -> Self {
        let zeros = digits.iter().take_while(|&&d| d == 0).count();
        digits.drain(..zeros);
        point -= zeros as i32;
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            point = 0;
        }
        Self { point, digits }
    }

    pub(super) fn of_decimal(decimal: DecimalRef<'_>) -> Self {
        let whole = i32::from(decimal.digits()) - i32::from(decimal.scale());
        Self::of(decimal.each_digit().collect(), whole)
    }

    pub(super) fn of_uint(value: u64) -> Self {
        let digits: Vec<u8> = value.to_string().bytes().map(|b| b - b'0').collect();
        let point = digits.len() as i32;
        Self::of(digits, point)
    }

    /// The digits that a double prints with, as the server converts to DECIMAL.
    pub(super) fn of_double(value: f64) -> Self {
        let text = format!("{:e}", value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect();
        Self::of(digits, exponent + 1)
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => {
                self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits))
            }
        }
    }
}

/// Sign and magnitude of a number; nothing for other kinds.
pub(super) fn signed_digits(kind: &Kind<'_>) -> Option<(i8, Digits)> {
    let (negative, digits) = match *kind {
        Kind::Int(value) => (value < 0, Digits::of_uint(value.unsigned_abs())),
        Kind::UInt(value) => (false, Digits::of_uint(value)),
        Kind::Double(value) => (value < 0.0, Digits::of_double(value)),
        Kind::Decimal(value) => (value.is_negative(), Digits::of_decimal(value)),
        _ => return None,
    };
    let sign = if digits.digits.is_empty() { 0 } else { 1 - 2 * i8::from(negative) };
    Some((sign, digits))
}

/// Compares two numbers of any kinds by their decimal values; nothing for other kinds.
pub(super) fn compare_numbers(a: &Kind<'_>, b: &Kind<'_>) -> Option<Ordering> {
    Some(match (*a, *b) {
        (Kind::Int(a), Kind::Int(b)) => a.cmp(&b),
        (Kind::UInt(a), Kind::UInt(b)) => a.cmp(&b),
        (Kind::Int(a), Kind::UInt(b)) => i128::from(a).cmp(&i128::from(b)),
        (Kind::UInt(a), Kind::Int(b)) => i128::from(a).cmp(&i128::from(b)),
        // Never NaN.
        (Kind::Double(a), Kind::Double(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        _ => {
            let ((sign_a, a), (sign_b, b)) = (signed_digits(a)?, signed_digits(b)?);
            match sign_a.cmp(&sign_b) {
                Ordering::Equal if sign_a < 0 => b.cmp(&a),
                Ordering::Equal => a.cmp(&b),
                other => other,
            }
        }
    })
}
