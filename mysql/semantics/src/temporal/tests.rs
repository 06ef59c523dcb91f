//! Cases whose answers were read off a MySQL server.

use super::*;

fn datetime(text: &str) -> DateTime {
    parse_datetime(text.as_bytes(), DateMode::default()).value.unwrap()
}

fn read(text: &str, mode: DateMode) -> (Option<String>, TemporalWarnings) {
    let parsed = parse_datetime(text.as_bytes(), mode);
    (parsed.value.map(|value| value.to_string()), parsed.warnings)
}

#[test]
fn dates_are_read_in_all_forms() {
    let none = TemporalWarnings::default();
    let cut = TemporalWarnings::TRUNCATED;
    for (text, value, warnings) in [
        ("2010-11-23", "2010-11-23 00:00:00", none),
        ("20101123", "2010-11-23 00:00:00", none),
        ("101123", "2010-11-23 00:00:00", none),
        ("701123", "1970-11-23 00:00:00", none),
        ("2010/11/23", "2010-11-23 00:00:00", none),
        ("10-1-3", "2010-01-03 00:00:00", none),
        ("2010-11-23T10:11:12", "2010-11-23 10:11:12", none),
        ("20101123T101112", "2010-11-23 10:11:12", none),
        ("20101123101112.5", "2010-11-23 10:11:12.500000", none),
        ("2010-11-23 10:11:12.123456", "2010-11-23 10:11:12.123456", none),
        ("2010-11-23 10:11x", "2010-11-23 10:11:00", cut),
        ("2010-11-23x", "2010-11-23 00:00:00", cut),
        ("06122.5", "2006-12-02 05:00:00", none),
        ("0000-00-00", "0000-00-00 00:00:00", none),
        ("2010-00-00", "2010-00-00 00:00:00", none),
    ] {
        assert_eq!(read(text, DateMode::default()), (Some(value.to_owned()), warnings), "{text}");
    }
}

#[test]
fn the_mode_refuses_dates() {
    let invalid = DateMode { allow_invalid: true, ..DateMode::default() };
    assert_eq!(read("0000-00-00", DateMode::REAL), (None, TemporalWarnings::ZERO_DATE));
    assert_eq!(read("2010-00-01", DateMode::REAL), (None, TemporalWarnings::ZERO_IN_DATE));
    assert_eq!(read("2010-02-30", DateMode::default()), (None, TemporalWarnings::OUT_OF_RANGE));
    assert_eq!(read("2010-02-30", invalid).0.as_deref(), Some("2010-02-30 00:00:00"));
    assert_eq!(read("2010-13-01", invalid), (None, TemporalWarnings::TRUNCATED));
    assert!(parse_datetime(b"abc", invalid).is_other);
}

#[test]
fn offsets_are_read() {
    for (text, offset) in [
        ("2020-01-01 10:10:10+05:30", Some(19_800)),
        ("2020-01-01 10:10:10-13:59", Some(-50_340)),
        ("2020-01-01 10:10:10.5+14:00", Some(50_400)),
        ("2020-01-01 10:10:10", None),
    ] {
        let parsed = parse_datetime(text.as_bytes(), DateMode::REAL);
        assert_eq!((parsed.offset_seconds, parsed.is_other), (offset, false), "{text}");
    }
    for text in ["+14:01", "-14:00", "-00:00", "+5:00", "+"] {
        let text = format!("2020-01-01 10:10:10{text}");
        assert!(parse_datetime(text.as_bytes(), DateMode::REAL).is_other, "{text}");
    }
}

#[test]
fn odd_delimiters_are_told() {
    let odd = |text: &str| {
        parse_datetime(text.as_bytes(), DateMode::REAL).odd_delimiter.map(|odd| odd.position)
    };
    assert_eq!(odd("2010-11-23 10:11:12"), None);
    assert_eq!(odd("2010/11/23"), Some(4));
    assert_eq!(odd("2010-11-23  10:11:12"), Some(11));
    assert_eq!(odd(" 2010-11-23"), Some(0));
    assert_eq!(odd("2010-11-23 "), Some(10));
    assert_eq!(odd("2010-11-23 10:11:12 "), Some(19));
}

#[test]
fn times_are_read_in_all_forms() {
    let over = TemporalWarnings::OUT_OF_RANGE;
    let none = TemporalWarnings::default();
    for (text, value, warnings) in [
        ("10:11:12", "10:11:12", none),
        ("10:11", "10:11:00", none),
        ("101112", "10:11:12", none),
        ("1112", "00:11:12", none),
        ("12", "00:00:12", none),
        ("-1 02", "-26:00:00", none),
        ("34 22:59:59", "838:59:59", none),
        ("839:00:00", "838:59:59", over),
        ("10:11:12.5", "10:11:12.500000", none),
        ("7 .52", "00:00:07.520000", none),
        ("2010-11-23 10:11:12", "10:11:12", none),
        ("10:11:12x", "10:11:12", TemporalWarnings::TRUNCATED),
    ] {
        let parsed = parse_time(text.as_bytes());
        let time = match parsed.value {
            Some(TimeOrDateTime::Time(time)) => time,
            Some(TimeOrDateTime::DateTime(value)) => value.time(),
            None => panic!("{text} is no time"),
        };
        assert_eq!((time.to_string().as_str(), parsed.warnings), (value, warnings), "{text}");
    }
    for text in ["10:60:00", "x", "", "-", "1e5", "2010-11-23 x", "-2010-11-23 10:11:12"] {
        assert_eq!(parse_time(text.as_bytes()).value, None, "{text}");
    }
}

#[test]
fn fractions_round() {
    let value = datetime("2010-12-31 23:59:59.999999");
    assert_eq!(value.round(5, false).unwrap().to_string(), "2011-01-01 00:00:00");
    assert_eq!(value.round(0, true).unwrap().to_string(), "2010-12-31 23:59:59");
    assert_eq!(DateTime::max().round(0, false), None);
    assert_eq!(datetime("2010-00-01 00:00:59.9").round(0, false), None);
    let time = Time::new(true, 1, 2, 3, 450_000).unwrap().unwrap();
    assert_eq!(time.round(1, false).unwrap().to_string(), "-01:02:03.500000");
    assert_eq!(Time::from_micros(Time::MAX.micros()).unwrap().round(0, false), Ok(Time::MAX));
}

#[test]
fn day_numbers_come_back() {
    for number in 1..i64::from(date::END_DAY) {
        let date = Date::from_day_number(number).unwrap();
        assert!(date.is_real());
        assert_eq!(date.day_number(), number);
    }
    assert_eq!(Date::from_day_number(0), Some(Date::ZERO));
    assert_eq!(Date::from_day_number(-1), None);
    assert_eq!(Date::from_day_number(3_652_425), None);
    assert_eq!(Date::new(1970, 1, 1).unwrap().day_number(), 719_528);
}

#[test]
fn weeks_follow_the_mode() {
    // SELECT WEEK(d, 0), …, WEEK(d, 7), YEARWEEK(d, 0), YEARWEEK(d, 3)
    for (text, weeks, year_weeks) in [
        ("2008-02-20", [7, 8, 7, 8, 8, 7, 8, 7], [200_807, 200_808]),
        ("2000-01-01", [0, 0, 52, 52, 0, 0, 52, 52], [199_952, 199_952]),
        ("2008-12-31", [52, 53, 52, 1, 53, 52, 53, 52], [200_852, 200_901]),
        ("2024-12-30", [52, 53, 52, 1, 53, 53, 1, 53], [202_452, 202_501]),
    ] {
        let date = datetime(text).date();
        for (mode, week) in (0..).zip(weeks) {
            assert_eq!(date.week(WeekMode::new(mode)).1, week, "{text} {mode}");
        }
        assert_eq!([date.year_week(0), date.year_week(3)], year_weeks, "{text}");
    }
}

#[test]
fn intervals_of_texts() {
    let add = |text: &str, unit, interval: &str| {
        let interval = Interval::of_text(unit, interval.as_bytes())?;
        datetime(text).add_interval(&interval).map(|value| value.to_string())
    };
    let start = "2020-01-31 10:00:00";
    for (unit, interval, result) in [
        (IntervalUnit::YearMonth, "1-1", "2021-02-28 10:00:00"),
        (IntervalUnit::DaySecond, "1 1:1:1", "2020-02-01 11:01:01"),
        (IntervalUnit::DaySecond, "1:1", "2020-01-31 10:01:01"),
        (IntervalUnit::SecondMicrosecond, "1.5", "2020-01-31 10:00:01.500000"),
        (IntervalUnit::HourMinute, "-1:30", "2020-01-31 08:30:00"),
    ] {
        assert_eq!(add(start, unit, interval).as_deref(), Some(result), "{interval}");
    }
    assert_eq!(add(start, IntervalUnit::HourMinute, "1:2:3"), None);
    let day = Interval::of_number(IntervalUnit::Day, 1, 0).unwrap();
    assert_eq!(DateTime::max().add_interval(&day), None);
    let back = day.negated();
    assert_eq!(
        datetime("0001-01-01").add_interval(&back).unwrap().to_string(),
        "0000-12-31 00:00:00"
    );
    let forever = Interval::of_number(IntervalUnit::Year, i64::MIN, 0).unwrap();
    assert_eq!(datetime(start).add_interval(&forever.negated()), None);
}

#[test]
fn differences_are_cut_to_whole_units() {
    let diff = |unit, from: &str, to: &str| timestamp_diff(unit, datetime(from), datetime(to));
    assert_eq!(diff(IntervalUnit::Month, "2020-01-31", "2020-02-29"), Some(0));
    assert_eq!(diff(IntervalUnit::Month, "2020-02-29", "2020-01-29"), Some(-1));
    assert_eq!(diff(IntervalUnit::Year, "2020-02-29 00:00:01", "2021-02-28"), Some(0));
    assert_eq!(diff(IntervalUnit::Day, "2020-01-02 00:00:01", "2020-01-01"), Some(-1));
    assert_eq!(diff(IntervalUnit::Hour, "2020-01-01 01:00:00", "2020-01-01"), Some(-1));
}

#[test]
fn packed_forms_keep_the_order() {
    let texts = [
        "0000-00-00",
        "0000-00-01",
        "2010-01-01 00:00:00.000001",
        "2010-01-01 00:00:01",
        "2010-02-00",
        "9999-12-31 23:59:59",
    ];
    let packed: Vec<u64> = texts.iter().map(|text| datetime(text).packed()).collect();
    assert!(packed.is_sorted());
    for value in packed {
        assert_eq!(DateTime::from_packed(value).unwrap().packed(), value);
    }
    assert_eq!(DateTime::from_packed(u64::MAX), None);
    assert_eq!(Date::from_packed(13 << 5), None);
}

#[test]
fn offsets_are_taken_off_unless_a_carry_loses_them() {
    let utc = |value: DateTime, offset: i32| {
        DateTime::from_linear_micros(value.linear_micros() - i64::from(offset) * 1_000_000)
    };
    let read = |text: &str| {
        let parsed = parse_datetime(text.as_bytes(), DateMode::default());
        parsed.without_offset(false, utc).map(|parsed| {
            let value = parsed.value.unwrap().with_nanoseconds(parsed.nanoseconds, false);
            value.unwrap().to_string()
        })
    };
    for (text, value) in [
        ("2026-09-24 22:00:36+05:30", "2026-09-24 16:30:36"),
        ("2026-09-24 22:00:36.999999+05:30", "2026-09-24 16:30:36.999999"),
        ("2026-09-24 22:00:36.1234567-05:30", "2026-09-25 03:30:36.123457"),
        ("2026-09-24 22:00:36.9999994+05:30", "2026-09-24 16:30:36.999999"),
        ("2026-09-24 22:00:36.9999995+05:30", "2026-09-24 22:00:37"),
        ("1426-09-24 22:00:36.99999999+05:30", "1426-09-24 22:00:37"),
    ] {
        assert_eq!(read(text), Ok(value.to_owned()), "{text}");
    }
    for (text, shown) in [
        ("2026-00-24 22:00:36.12+05:30", "2026-00-24 22:00:36+5:30"),
        ("2026-01-00 22:00:36-11:05", "2026-01-00 22:00:36-11:05"),
        ("0000-01-01 10:00:00+11:05", "0095-12-31 22:55:00"),
        ("9999-12-31 23:00:00-11:05", "0000-01-01 10:05:00"),
    ] {
        assert_eq!(read(text), Err(OffsetError(shown.to_owned())), "{text}");
    }
}
