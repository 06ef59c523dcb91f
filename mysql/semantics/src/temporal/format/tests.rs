//! Cases whose answers were read off a MySQL server.

use super::*;

fn read(text: &str, format: &str) -> Result<(String, bool), FormatMismatch> {
    parse_by_format(text.as_bytes(), format.as_bytes())
        .map(|read| (read.value.to_string(), read.has_more))
}

#[test]
fn formats_take_their_texts() {
    for (text, format, value, has_more) in [
        ("2009", "%Y-%m-%d", "2009-00-00 00:00:00", false),
        ("2009-02-31", "%Y-%m-%d", "2009-02-31 00:00:00", false),
        ("15 10:11:12", "%d %H:%i:%s", "0000-00-15 10:11:12", false),
        ("2009-01-02x", "%Y-%m-%d", "2009-01-02 00:00:00", true),
        ("20090102", "%Y%m%d", "2009-01-02 00:00:00", false),
        ("+5", "%Y", "2005-00-00 00:00:00", false),
        ("200442 Monday", "%X%V %W", "2004-10-18 00:00:00", false),
        ("12:00 PM", "%h:%i %p", "0000-00-00 12:00:00", false),
        ("12:11:10 am", "%r", "0000-00-00 00:11:10", false),
        ("2020 366", "%Y %j", "2020-12-31 00:00:00", false),
        ("2019 366", "%Y %j", "2020-01-01 00:00:00", false),
        ("10.123456789", "%s.%f", "0000-00-00 00:00:10.123456", true),
        ("", "%Y", "0000-00-00 00:00:00", false),
        ("a", "", "0000-00-00 00:00:00", true),
    ] {
        assert_eq!(read(text, format), Ok((value.to_owned(), has_more)), "{text} {format}");
    }
}

#[test]
fn formats_refuse_other_texts() {
    let other = FormatMismatch { time_at: None };
    let time = |at| FormatMismatch { time_at: Some(at) };
    for (text, format, mismatch) in [
        ("%", "%%", other),
        ("-5", "%Y", other),
        ("9999 366", "%Y %j", other),
        ("2009-13-02", "%Y-%m-%d", other),
        ("34 10:11:12", "%d %H:%i:%s", other),
        ("xx", "%T", time(0)),
        ("1 xx", "%d %T", time(2)),
        ("13:11:10 am", "%r", time(0)),
    ] {
        assert_eq!(read(text, format), Err(mismatch), "{text} {format}");
    }
}

#[test]
fn letters_tell_dates_from_times() {
    let parts = |date, time, fraction| FormatParts { date, time, fraction };
    for (format, expected) in [
        ("%Y-%m-%d", parts(true, false, false)),
        ("%d", parts(false, false, false)),
        ("%d %H:%i:%s", parts(false, true, false)),
        ("%s.%f", parts(false, true, true)),
        ("%Y %T", parts(true, true, false)),
    ] {
        assert_eq!(FormatParts::of(format.as_bytes()), expected, "{format}");
    }
}

#[test]
fn no_format_and_no_text_panics() {
    let mut random = crate::random::generator();
    let letters = b"%%%%YymdHhisfpWabMDejUuVvXxTrw.@# :-0123456789AaMmPp\xff";
    for _ in 0..20_000 {
        let mut bytes = |length: usize| -> Vec<u8> {
            use rand::RngExt as _;
            (0..length).map(|_| letters[random.random_range(0..letters.len())]).collect()
        };
        let (text, format) = (bytes(12), bytes(14));
        let _ = parse_by_format(&text, &format);
    }
}
