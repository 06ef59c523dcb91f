//! Dates and times by their fields, as text and in binary.

/// A date; zero parts are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 0 to 12.
    pub month: u8,
    /// 0 to 31.
    pub day: u8,
}

/// A time of day, or a span of up to 838 hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Time {
    /// Below zero.
    pub negative: bool,
    /// 0 to 838; days are in here.
    pub hours: u32,
    /// 0 to 59.
    pub minutes: u8,
    /// 0 to 59.
    pub seconds: u8,
    /// Microseconds, 0 to 999,999.
    pub micros: u32,
}

/// A date and a time of that day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct DateTime {
    /// The day.
    pub date: Date,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Microseconds, 0 to 999,999.
    pub micros: u32,
}

fn two(out: &mut Vec<u8>, value: u8) {
    out.extend_from_slice(&[b'0' + value / 10 % 10, b'0' + value % 10]);
}

/// Appends `.ffffff`, cut to `decimals` digits; nothing for none.
fn fraction(out: &mut Vec<u8>, micros: u32, decimals: u8) {
    let digits = usize::from(decimals);
    if !(1..=6).contains(&digits) {
        return;
    }
    let mut text = [b'0'; 6];
    let mut rest = micros;
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.push(b'.');
    out.extend_from_slice(&text[..digits]);
}

fn clock(out: &mut Vec<u8>, hour: u8, minute: u8, second: u8) {
    two(out, hour);
    out.push(b':');
    two(out, minute);
    out.push(b':');
    two(out, second);
}

impl Date {
    /// `YYYY-MM-DD`.
    pub(crate) fn put_text(self, out: &mut Vec<u8>) {
        two(out, (self.year / 100 % 100) as u8);
        two(out, (self.year % 100) as u8);
        out.push(b'-');
        two(out, self.month);
        out.push(b'-');
        two(out, self.day);
    }

    fn put_fields(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.year.to_le_bytes());
        out.extend_from_slice(&[self.month, self.day]);
    }
}

impl DateTime {
    /// `YYYY-MM-DD hh:mm:ss.ffffff` with as many decimals.
    pub(crate) fn put_text(self, out: &mut Vec<u8>, decimals: u8) {
        self.date.put_text(out);
        out.push(b' ');
        clock(out, self.hour, self.minute, self.second);
        fraction(out, self.micros, decimals);
    }

    /// The length and as many fields as are not zero.
    pub(crate) fn put_binary(self, out: &mut Vec<u8>) {
        if self.micros != 0 {
            out.push(11);
        } else if (self.hour, self.minute, self.second) != (0, 0, 0) {
            out.push(7);
        } else if self.date != Date::default() {
            out.push(4);
            return self.date.put_fields(out);
        } else {
            return out.push(0);
        }
        self.date.put_fields(out);
        out.extend_from_slice(&[self.hour, self.minute, self.second]);
        if self.micros != 0 {
            out.extend_from_slice(&self.micros.to_le_bytes());
        }
    }
}

impl Time {
    /// `-hhh:mm:ss.ffffff` with as many decimals.
    pub(crate) fn put_text(self, out: &mut Vec<u8>, decimals: u8) {
        if self.negative {
            out.push(b'-');
        }
        if self.hours >= 100 {
            super::number::put_unsigned(out, u64::from(self.hours));
        } else {
            two(out, self.hours as u8);
        }
        out.push(b':');
        two(out, self.minutes);
        out.push(b':');
        two(out, self.seconds);
        fraction(out, self.micros, decimals);
    }

    /// The length and as many fields as are not zero.
    pub(crate) fn put_binary(self, out: &mut Vec<u8>) {
        if (self.hours, self.minutes, self.seconds, self.micros) == (0, 0, 0, 0) {
            return out.push(0);
        }
        out.push(if self.micros != 0 { 12 } else { 8 });
        out.push(u8::from(self.negative));
        out.extend_from_slice(&(self.hours / 24).to_le_bytes());
        out.extend_from_slice(&[(self.hours % 24) as u8, self.minutes, self.seconds]);
        if self.micros != 0 {
            out.extend_from_slice(&self.micros.to_le_bytes());
        }
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
    fn text_forms() {
        let date = Date { year: 2024, month: 2, day: 29 };
        assert_eq!(text(|o| date.put_text(o)), "2024-02-29");
        assert_eq!(text(|o| Date::default().put_text(o)), "0000-00-00");
        let moment = DateTime { date, hour: 3, minute: 4, second: 59, micros: 1_020 };
        assert_eq!(text(|o| moment.put_text(o, 0)), "2024-02-29 03:04:59");
        assert_eq!(text(|o| moment.put_text(o, 6)), "2024-02-29 03:04:59.001020");
        assert_eq!(text(|o| moment.put_text(o, 3)), "2024-02-29 03:04:59.001");
        let span = Time { negative: true, hours: 838, minutes: 59, seconds: 59, micros: 0 };
        assert_eq!(text(|o| span.put_text(o, 0)), "-838:59:59");
        assert_eq!(text(|o| Time { hours: 7, ..span }.put_text(o, 1)), "-07:59:59.0");
    }

    #[test]
    fn binary_forms_leave_out_zero_fields() {
        let bytes = |put: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            put(&mut out);
            out
        };
        let date = Date { year: 2024, month: 2, day: 29 };
        let day = DateTime { date, ..Default::default() };
        assert_eq!(bytes(&|o| day.put_binary(o)), [4, 0xe8, 7, 2, 29]);
        assert_eq!(bytes(&|o| DateTime::default().put_binary(o)), [0]);
        let second = DateTime { second: 1, ..day };
        assert_eq!(bytes(&|o| second.put_binary(o)), [7, 0xe8, 7, 2, 29, 0, 0, 1]);
        let micro = DateTime { micros: 2, ..day };
        assert_eq!(bytes(&|o| micro.put_binary(o)), [11, 0xe8, 7, 2, 29, 0, 0, 0, 2, 0, 0, 0]);
        let span = Time { negative: true, hours: 49, minutes: 2, seconds: 3, micros: 0 };
        assert_eq!(bytes(&|o| span.put_binary(o)), [8, 1, 2, 0, 0, 0, 1, 2, 3]);
    }
}
