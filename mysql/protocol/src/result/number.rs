//! Numbers as text, in MySQL's forms.

use std::io::Write;

use super::column::DECIMALS_NOT_FIXED;

/// With fewer digits no double lies in the middle between two shortest forms.
const TIED_DIGITS: usize = 16;

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// Appends the decimal digits of `value`.
pub(crate) fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    let mut text = [0; 20];
    let mut at = text.len();
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value >= 10 {
        let pair = value as usize * 2;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        text[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&text[at..]);
}

/// Appends `value`, with its sign if it is negative.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    put_unsigned(out, value.unsigned_abs());
}

/// Appends a DOUBLE: the fewest digits that read back as the same value, or as
/// many decimals as the column has.
pub(crate) fn put_double(out: &mut Vec<u8>, value: f64, decimals: u8) {
    if decimals < DECIMALS_NOT_FIXED {
        put_fixed(out, value, decimals);
    } else {
        let mut text = [0; 32];
        let shortest = scientific(&mut text, format_args!("{value:e}"));
        let digits = shortest.iter().take_while(|&&b| b != b'e').filter(|b| b.is_ascii_digit());
        let digits = digits.count();
        if digits < TIED_DIGITS {
            return put_digits(out, shortest);
        }
        // Between two that are as near, MySQL takes the even one.
        let places = digits - 1;
        let mut text = [0; 32];
        put_digits(out, scientific(&mut text, format_args!("{value:.places$e}")));
    }
}

/// Appends a FLOAT: at most six significant digits, or as many decimals as the
/// column has.
pub(crate) fn put_float(out: &mut Vec<u8>, value: f32, decimals: u8) {
    if decimals < DECIMALS_NOT_FIXED {
        put_fixed(out, f64::from(value), decimals);
    } else {
        // The value's own shortest form may be shorter than six digits; if it
        // is not, six digits rounded from the exact value.
        let mut text = [0; 32];
        let digits = scientific(&mut text, format_args!("{:.5e}", f64::from(value)));
        put_digits(out, digits);
    }
}

fn put_fixed(out: &mut Vec<u8>, value: f64, decimals: u8) {
    // Writing to a vector does not fail.
    let _ = write!(out, "{value:.*}", usize::from(decimals));
}

fn scientific<'a>(text: &'a mut [u8; 32], form: std::fmt::Arguments<'_>) -> &'a [u8] {
    let mut rest = &mut text[..];
    // The longest form of a double has 24 bytes.
    let _ = rest.write_fmt(form);
    let left = rest.len();
    &text[..32 - left]
}

/// Writes the digits of `d.ddde±x` plainly while the point stays within 15
/// digits of them or there are some behind it, else as `d.ddde±x`.
fn put_digits(out: &mut Vec<u8>, scientific: &[u8]) {
    let Some(e) = scientific.iter().position(|&b| b == b'e') else {
        // Neither infinity nor NaN is a value of MySQL.
        return out.extend_from_slice(scientific);
    };
    let (mantissa, exponent) = (&scientific[..e], &scientific[e + 1..]);
    let exponent: i32 = str::from_utf8(exponent).ok().and_then(|e| e.parse().ok()).unwrap_or(0);
    let (sign, mantissa) = match mantissa.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, mantissa),
    };
    let mut digits = [0; 24];
    let mut count = 0;
    for &digit in mantissa.iter().filter(|&&b| b != b'.') {
        digits[count] = digit;
        count += 1;
    }
    while count > 1 && digits[count - 1] == b'0' {
        count -= 1;
    }
    let digits = &digits[..count];
    if sign {
        out.push(b'-');
    }
    // Where the point stands, counted from before the first digit.
    let point = exponent + 1;
    if digits == b"0" {
        out.push(b'0');
    } else if point < -14 || (point > 15 && count <= point as usize) {
        out.push(digits[0]);
        if count > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.push(b'e');
        put_signed(out, i64::from(exponent));
    } else if point <= 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + point.unsigned_abs() as usize, b'0');
        out.extend_from_slice(digits);
    } else if count <= point as usize {
        out.extend_from_slice(digits);
        out.resize(out.len() + point as usize - count, b'0');
    } else {
        out.extend_from_slice(&digits[..point as usize]);
        out.push(b'.');
        out.extend_from_slice(&digits[point as usize..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn integers_print_as_rust_prints_them() {
        let mut value = 1u64;
        for shift in 0..64 {
            for v in [value - 1, value, value + 1, u64::MAX >> shift] {
                assert_eq!(text(|o| put_unsigned(o, v)), v.to_string());
                assert_eq!(text(|o| put_signed(o, v as i64)), (v as i64).to_string());
            }
            value = value.wrapping_mul(3).max(1);
        }
    }

    /// Each pair is a literal and what a server shows for `SELECT literal + 0e0`.
    #[test]
    fn doubles_print_as_a_server_prints_them() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (123456.789, "123456.789"),
            (1e14, "100000000000000"),
            (999999999999999.0, "999999999999999"),
            (1e15, "1e15"),
            (1.5e15, "1.5e15"),
            (1e-14, "0.00000000000001"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (1.2e-15, "0.0000000000000012"),
            (1.7976931348623157e308, "1.7976931348623157e308"),
            (2.2250738585072014e-308, "2.2250738585072014e-308"),
            (5e-324, "5e-324"),
            (1.0 / 3.0, "0.3333333333333333"),
            (12345678901234.5, "12345678901234.5"),
            (1159679705151802.5, "1159679705151802.5"),
            (-1159679705151802.5, "-1159679705151802.5"),
            (572_957_795_130_823.0 + 0.25, "572957795130823.2"),
            (1e15 + 0.5, "1000000000000000.5"),
            (1e15 + 1.0, "1.000000000000001e15"),
            (11596797051518024.0, "1.1596797051518024e16"),
        ] {
            assert_eq!(text(|o| put_double(o, value, 31)), expected);
        }
        assert_eq!(text(|o| put_double(o, 2.5, 2)), "2.50");
    }

    #[test]
    fn floats_show_six_digits() {
        for (value, expected) in [
            (0.1f32, "0.1"),
            (16_777_216.0, "16777200"),
            (1.234_567_9, "1.23457"),
            (3.402_823_5e38, "3.40282e38"),
            (1e-10, "0.0000000001"),
        ] {
            assert_eq!(text(|o| put_float(o, value, 31)), expected);
        }
    }
}
