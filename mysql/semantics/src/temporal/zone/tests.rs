use super::*;
use crate::temporal::{DateMode, parse_datetime};

fn at(text: &str) -> DateTime {
    parse_datetime(text.as_bytes(), DateMode::REAL).value.unwrap()
}

fn convert(text: &str, from: &str, to: &str) -> String {
    let (from, to) = (TimeZone::parse(from).unwrap(), TimeZone::parse(to).unwrap());
    convert_zone(at(text), &from, &to).unwrap().to_string()
}

#[test]
fn names_and_offsets() {
    for (text, name) in [
        ("europe/berlin", Some("Europe/Berlin")),
        ("UTC", Some("UTC")),
        ("+5:30", Some("+05:30")),
        ("-13:59", Some("-13:59")),
        ("+14:00", Some("+14:00")),
        ("-00:00", Some("+00:00")),
        ("+14:01", None),
        ("-14:00", None),
        ("+5", None),
        ("5:00", None),
        ("+05:60", None),
        ("+005:00", None),
        ("SYSTEM", None),
        ("Nowhere/City", None),
        ("", None),
    ] {
        let zone = TimeZone::parse(text).map(|zone| zone.name());
        assert_eq!(zone.as_deref(), name, "{text}");
    }
}

#[test]
fn every_zone_of_the_database_is_read() {
    let mut count = 0;
    for name in NamedZone::names() {
        let zone = NamedZone::get(name).unwrap_or_else(|| panic!("{name}"));
        assert!(zone.forward.is_sorted_by_key(|(start, _)| *start), "{name}");
        assert!(zone.reverse.is_sorted_by_key(|range| range.local_start), "{name}");
        count += 1;
    }
    assert!(count > 500, "{count}");
}

#[test]
fn skipped_times_are_the_moment_of_the_skip() {
    let berlin = TimeZone::parse("Europe/Berlin").unwrap();
    for text in ["2024-03-31 02:00:00", "2024-03-31 02:30:00", "2024-03-31 02:59:59"] {
        let utc = berlin.to_utc(at(text)).unwrap();
        assert_eq!(utc, UtcSeconds { seconds: 1_711_846_800, in_gap: true }, "{text}");
    }
    let after = berlin.to_utc(at("2024-03-31 03:00:00")).unwrap();
    assert_eq!(after, UtcSeconds { seconds: 1_711_846_800, in_gap: false });
}

#[test]
fn repeated_times_are_the_first_ones() {
    assert_eq!(convert("2024-10-27 02:30:00", "Europe/Berlin", "+00:00"), "2024-10-27 00:30:00");
    assert_eq!(convert("2024-10-27 03:00:00", "Europe/Berlin", "+00:00"), "2024-10-27 02:00:00");
    assert_eq!(convert("2024-10-27 01:30:00", "+00:00", "Europe/Berlin"), "2024-10-27 02:30:00");
}

#[test]
fn moments_out_of_range_stay() {
    assert_eq!(convert("1969-12-31 23:59:59", "+00:00", "+05:00"), "1969-12-31 23:59:59");
    assert_eq!(convert("3002-01-01", "+00:00", "+05:00"), "3002-01-01 00:00:00");
    assert_eq!(convert("1970-01-01 00:00:01.5", "+00:00", "+05:00"), "1970-01-01 05:00:01.500000");
    let utc = TimeZone::UTC;
    assert_eq!(convert_zone(DateTime::ZERO, &utc, &utc), None);
}

#[test]
fn rules_in_the_south_and_across_midnight() {
    // Daylight time over the new year, and a rule that counts in negative hours.
    assert_eq!(convert("2037-01-01 00:00:00", "+00:00", "Australia/Sydney"), "2037-01-01 11:00:00");
    assert_eq!(convert("2037-07-01 00:00:00", "+00:00", "Australia/Sydney"), "2037-07-01 10:00:00");
    assert_eq!(convert("2036-07-01 00:00:00", "+00:00", "America/Nuuk"), "2036-06-30 23:00:00");
}
