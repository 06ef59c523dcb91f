//! Dates and times as text.

use super::date::Date;
use super::datetime::DateTime;
use super::time::Time;

/// Appends a number of at least `width` digits.
pub(super) fn digits(out: &mut Vec<u8>, number: u64, width: usize) {
    let mut buffer = [b'0'; 20];
    let mut at = buffer.len();
    let mut rest = number;
    while rest != 0 {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let at = at.min(buffer.len() - width.min(buffer.len()));
    out.extend_from_slice(&buffer[at..]);
}

/// Appends two digits; `number` is below 100.
fn two(out: &mut Vec<u8>, number: u8) {
    out.push(b'0' + number / 10 % 10);
    out.push(b'0' + number % 10);
}

/// Appends the point and `decimals` (0 to 6) digits of microseconds.
fn fraction(out: &mut Vec<u8>, micros: u32, decimals: u8) {
    let decimals = decimals.min(6);
    if decimals > 0 {
        out.push(b'.');
        let shown = micros / 10_u32.pow(u32::from(6 - decimals));
        digits(out, u64::from(shown), usize::from(decimals));
    }
}

impl Date {
    /// Appends `YYYY-MM-DD`.
    pub fn write_text(self, out: &mut Vec<u8>) {
        two(out, (self.year() / 100) as u8);
        two(out, (self.year() % 100) as u8);
        out.push(b'-');
        two(out, self.month());
        out.push(b'-');
        two(out, self.day());
    }
}

impl Time {
    /// Appends `[-]hh:mm:ss`, or `hhh`, with `decimals` (0 to 6) digits of the
    /// fraction, cut off.
    pub fn write_text(self, decimals: u8, out: &mut Vec<u8>) {
        if self.is_negative() {
            out.push(b'-');
        }
        digits(out, u64::from(self.hour()), 2);
        out.push(b':');
        two(out, self.minute());
        out.push(b':');
        two(out, self.second());
        fraction(out, self.microsecond(), decimals);
    }
}

impl DateTime {
    /// Appends `YYYY-MM-DD hh:mm:ss` with `decimals` (0 to 6) digits of the
    /// fraction, cut off.
    pub fn write_text(self, decimals: u8, out: &mut Vec<u8>) {
        self.date().write_text(out);
        out.push(b' ');
        two(out, self.hour());
        out.push(b':');
        two(out, self.minute());
        out.push(b':');
        two(out, self.second());
        fraction(out, self.microsecond(), decimals);
    }
}

fn display(f: &mut std::fmt::Formatter<'_>, text: &[u8]) -> std::fmt::Result {
    f.pad(std::str::from_utf8(text).unwrap_or_default())
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(10);
        self.write_text(&mut text);
        display(f, &text)
    }
}

impl std::fmt::Display for Time {
    /// With the fraction's six digits if there is one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(18);
        self.write_text(if self.microsecond() == 0 { 0 } else { 6 }, &mut text);
        display(f, &text)
    }
}

impl std::fmt::Display for DateTime {
    /// With the fraction's six digits if there is one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(26);
        self.write_text(if self.microsecond() == 0 { 0 } else { 6 }, &mut text);
        display(f, &text)
    }
}
