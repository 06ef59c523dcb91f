//! Texts of doubles and floats as MySQL prints them.

use std::io::Write as _;

/// The shortest digits that read back as the same double.
#[derive(Debug, Clone, Copy)]
pub struct ShortestDouble {
    negative: bool,
    digits: [u8; 17],
    len: u8,
    /// Where the point stands among the digits: the value is 0.DIGITS × 10^point.
    point: i16,
}

/// From this magnitude of the point on, and below its counterpart, MySQL writes
/// an exponent.
const LAST_POINT_WITHOUT_EXPONENT: i16 = 15;

/// With fewer digits no double lies in the middle between two shortest forms.
const TIED_DIGITS: u8 = 16;

/// Significant digits of a FLOAT.
const FLOAT_DIGITS: usize = 6;

/// Room for the digits of any double without an exponent, and its decimals.
const FIXED_LIMIT_BYTES: usize = 352;

impl ShortestDouble {
    /// The longest scientific form.
    pub const LIMIT_BYTES: usize = 32;

    /// The digits of `value`; those of zero if it is not finite, which MySQL's
    /// doubles always are.
    #[must_use]
    pub fn new(value: f64) -> Self {
        let mut text = [0_u8; Self::LIMIT_BYTES];
        let mut room = &mut text[..];
        let value = if value.is_finite() { value } else { 0.0 };
        let written = write!(room, "{value:e}");
        let shortest = Self::from_scientific(written.is_ok(), &text);
        // Between two that are as near, MySQL takes the even one.
        if shortest.len >= TIED_DIGITS {
            return Self::rounded(value, shortest.len.into());
        }
        shortest
    }

    /// The digits of `value` rounded to at most `digits` significant ones (1 to
    /// 17), without trailing zeros.
    #[must_use]
    pub fn rounded(value: f64, digits: usize) -> Self {
        let mut text = [0_u8; Self::LIMIT_BYTES];
        let mut room = &mut text[..];
        let value = if value.is_finite() { value } else { 0.0 };
        let written = write!(room, "{value:.*e}", digits.clamp(1, 17) - 1);
        Self::from_scientific(written.is_ok(), &text)
    }

    /// Takes Rust's `-d.ddde-dd` apart, which `text` holds with zero bytes after it.
    fn from_scientific(written: bool, text: &[u8; Self::LIMIT_BYTES]) -> Self {
        let mut this = Self { negative: false, digits: [b'0'; 17], len: 0, point: 0 };
        let mut exponent = 0_i16;
        let mut exponent_sign = 1;
        let mut in_exponent = false;
        for byte in text.iter().take_while(|byte| written && **byte != 0) {
            match byte {
                b'-' if in_exponent => exponent_sign = -1,
                b'-' => this.negative = true,
                b'e' => in_exponent = true,
                b'0'..=b'9' if in_exponent => exponent = exponent * 10 + i16::from(byte - b'0'),
                b'0'..=b'9' => {
                    if let Some(digit) = this.digits.get_mut(usize::from(this.len)) {
                        *digit = *byte;
                        this.len += 1;
                    }
                }
                _ => {}
            }
        }
        while this.len > 1 && this.digits[usize::from(this.len) - 1] == b'0' {
            this.len -= 1;
        }
        this.len = this.len.max(1);
        this.point = exponent_sign * exponent + 1;
        this
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.len)]
    }

    /// `-d.ddde-dd` in `buffer`, always with an exponent.
    pub fn scientific<'a>(&self, buffer: &'a mut [u8; Self::LIMIT_BYTES]) -> &'a [u8] {
        let mut text = Vec::with_capacity(Self::LIMIT_BYTES);
        self.write_scientific(&mut text);
        let len = text.len().min(buffer.len());
        buffer[..len].copy_from_slice(&text[..len]);
        &buffer[..len]
    }

    fn write_scientific(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        let (first, rest) = self.digits().split_at(1);
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        // Writing to a vector cannot fail.
        let _ = write!(out, "e{}", self.point - 1);
    }

    /// As MySQL prints a number without a fixed scale: plainly while the point is
    /// near the digits, else with an exponent.
    fn write(&self, out: &mut Vec<u8>) {
        let zero = self.digits() == b"0";
        let plain = -LAST_POINT_WITHOUT_EXPONENT < self.point
            && (self.point <= LAST_POINT_WITHOUT_EXPONENT
                || u16::from(self.len) > self.point.unsigned_abs());
        if !plain && !zero {
            return self.write_scientific(out);
        }
        if self.negative {
            out.push(b'-');
        }
        let digits = self.digits();
        if zero {
            out.push(b'0');
        } else if self.point <= 0 {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + usize::from(self.point.unsigned_abs()), b'0');
            out.extend_from_slice(digits);
        } else {
            let point = usize::from(self.point.unsigned_abs());
            if digits.len() <= point {
                out.extend_from_slice(digits);
                out.resize(out.len() + point - digits.len(), b'0');
            } else {
                out.extend_from_slice(&digits[..point]);
                out.push(b'.');
                out.extend_from_slice(&digits[point..]);
            }
        }
    }

    /// With exactly `decimals` digits after the point, if no more are needed.
    fn write_fixed(&self, decimals: usize, out: &mut Vec<u8>) -> bool {
        let digits = self.digits();
        let zero = digits == b"0";
        let point = if zero { 1 } else { isize::from(self.point) };
        if !zero && digits.len() as isize - point > decimals as isize {
            return false;
        }
        if self.negative {
            out.push(b'-');
        }
        if point <= 0 {
            out.push(b'0');
        }
        for at in 0..point {
            out.push(digits.get(at as usize).copied().unwrap_or(b'0'));
        }
        if decimals > 0 {
            out.push(b'.');
            for at in point..point + decimals as isize {
                let digit = usize::try_from(at).ok().and_then(|at| digits.get(at));
                out.push(digit.copied().unwrap_or(b'0'));
            }
        }
        true
    }
}

/// A double as [`write_double`] writes it, within so many bytes: digits that have no
/// room are rounded away.
pub fn write_double_short(value: f64, limit_bytes: usize, out: &mut Vec<u8>) {
    let shortest = ShortestDouble::new(value);
    let start = out.len();
    shortest.write(out);
    if out.len() - start <= limit_bytes {
        return;
    }
    out.truncate(start);
    let mut exponent = Vec::with_capacity(ShortestDouble::LIMIT_BYTES);
    shortest.write_scientific(&mut exponent);
    if exponent.len() > limit_bytes {
        let digits = usize::from(shortest.len).saturating_sub(exponent.len() - limit_bytes);
        exponent.clear();
        ShortestDouble::rounded(value, digits).write_scientific(&mut exponent);
    }
    out.extend_from_slice(&exponent);
}

/// Appends a DOUBLE without a fixed scale: the shortest digits that read back as
/// the same number, e.g. `0.1`, `1e20`, `-1.5e-20`.
pub fn write_double(value: f64, out: &mut Vec<u8>) {
    ShortestDouble::new(value).write(out);
}

/// Appends a DOUBLE in `width` bytes, with fewer digits or an exponent where that
/// helps: what goes into a string column. False if it does not fit even so; then
/// one digit and the exponent were written.
pub fn write_double_within(value: f64, width: usize, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    write_double(value, out);
    if out.len() - start <= width {
        return true;
    }
    out.truncate(start);
    let shortest = ShortestDouble::new(value);
    let (width, point) = (width as i64, i64::from(shortest.point));
    let sign = i64::from(shortest.negative);
    let near = i64::from(LAST_POINT_WITHOUT_EXPONENT);
    let plain = -near < point && point <= near;
    if plain && point > 0 && point + sign <= width {
        let decimals = (width - sign - point - 1).max(0);
        ShortestDouble::rounded(value, (point + decimals) as usize).write(out);
        return true;
    }
    let exponent = point - 1;
    let exponent_len = exponent.to_string().len() as i64;
    let several = i64::from(shortest.len > 1);
    let room = width - sign - 1 - exponent_len - several;
    if room > 0 {
        ShortestDouble::rounded(value, room.min(i64::from(shortest.len)) as usize)
            .write_scientific(out);
        return true;
    }
    if plain && point <= 0 && width > -point {
        out.push(b'0');
        return true;
    }
    ShortestDouble::rounded(value, 1).write_scientific(out);
    false
}

/// Appends a FLOAT without a fixed scale: at most 6 significant digits.
pub fn write_float(value: f32, out: &mut Vec<u8>) {
    ShortestDouble::rounded(f64::from(value), FLOAT_DIGITS).write(out);
}

/// A float as [`write_float`] writes it, with an exponent where it would be longer than
/// so many bytes.
pub fn write_float_short(value: f32, limit_bytes: usize, out: &mut Vec<u8>) {
    let digits = ShortestDouble::rounded(f64::from(value), FLOAT_DIGITS);
    let start = out.len();
    digits.write(out);
    if out.len() - start > limit_bytes {
        out.truncate(start);
        digits.write_scientific(out);
    }
}

/// Appends a DOUBLE(M, D) or the result of ROUND: exactly `decimals` (at most 30)
/// digits after the point and never an exponent.
pub fn write_double_fixed(value: f64, decimals: u8, out: &mut Vec<u8>) {
    let decimals = usize::from(decimals.min(30));
    // The shortest digits padded with zeros, as long as there are few enough.
    if ShortestDouble::new(value).write_fixed(decimals, out) {
        return;
    }
    let mut text = [0_u8; FIXED_LIMIT_BYTES];
    let mut room = &mut text[..];
    if write!(room, "{value:.decimals$}").is_ok() {
        let left = room.len();
        out.extend_from_slice(&text[..FIXED_LIMIT_BYTES - left]);
    }
}

/// Appends a FLOAT(M, D): exactly `decimals` (at most 30) digits after the point.
pub fn write_float_fixed(value: f32, decimals: u8, out: &mut Vec<u8>) {
    write_double_fixed(f64::from(value), decimals, out);
}
