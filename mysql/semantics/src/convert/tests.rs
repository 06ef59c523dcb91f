//! Cases whose answers were read off a MySQL server.

use super::*;
use crate::number::parse_double_prefix;
use crate::types::{CollationId, Derivation};

fn context<'a>(strict: bool, warnings: &'a mut Warnings) -> StoreContext<'a> {
    StoreContext {
        strict,
        dates: DateMode::default(),
        truncate_fractions: false,
        zone: &TimeZone::UTC,
        today: Date::new(2026, 11, 21).unwrap(),
        row: 3,
        warnings,
    }
}

/// The stored value's text and the numbers of the warnings, or the error's number.
fn put(text: &str, ty: SqlType, strict: bool) -> Result<(String, Vec<u16>), u16> {
    let from = SqlType::varchar(50, CollationId::UTF8MB4_0900_AI_CI, Derivation::Coercible);
    let members: Vec<Box<[u8]>> = [&b"a"[..], b"b", b"5"].map(Into::into).to_vec();
    let column = Column { name: "c", ty: &ty, members: &members };
    let mut warnings = Warnings::default();
    let stored = store(&Value::from(text), &from, &column, &mut context(strict, &mut warnings))
        .map_err(|error| error.number())?;
    let shown = String::from_utf8(super::text(&stored, &ty)).unwrap();
    Ok((shown, warnings.kept().iter().map(|kept| kept.error.number()).collect()))
}

#[test]
fn a_note_of_a_date_s_lost_time_names_the_value_in_strict_mode() {
    let date = SqlType::plain(TypeKind::Date, 10, 0);
    let stored = |notes| Ok(("2010-01-01".to_owned(), notes));
    assert_eq!(put("2010-01-01 10:11:12.55", date, false), stored(vec![1265]));
    assert_eq!(put("2010-01-01 10:11:12.55", date, true), stored(vec![1292]));
    assert_eq!(put("2009-12-31 23:59:59.9", date, true), stored(vec![]));
}

#[test]
fn offsets_that_cannot_be_taken_off_are_errors_in_any_mode() {
    let datetime = SqlType::plain(TypeKind::DateTime, 19, 0);
    let time = SqlType::plain(TypeKind::Time, 10, 0);
    for text in ["0000-00-00 22:00:36+05:30", "9999-12-31 23:00:00-11:05"] {
        assert_eq!(put(text, datetime, false), Err(1292), "{text}");
        assert_eq!(put(text, time, false), Err(1292), "{text}");
    }
}

#[test]
fn columns_take_offsets_of_moments_from_1970_to_3001() {
    let datetime = SqlType::plain(TypeKind::DateTime, 19, 0);
    let time = SqlType::plain(TypeKind::Time, 10, 0);
    let out = vec![1264];
    for (text, stored, of_day, warnings) in [
        ("1426-09-24 22:00:36+05:30", "0000-00-00 00:00:00", "00:00:00", out.clone()),
        ("1970-01-01 05:30:00+05:30", "0000-00-00 00:00:00", "00:00:00", out.clone()),
        ("1970-01-01 05:30:01+05:30", "1970-01-01 00:00:01", "00:00:01", vec![]),
        ("3001-01-19 00:29:59+00:30", "3001-01-18 23:59:59", "23:59:59", vec![]),
        ("3001-01-20 00:00:00+05:30", "0000-00-00 00:00:00", "00:00:00", out),
        // The carry loses the offset, of dates but not of times.
        ("2026-09-24 22:00:36.9999999+05:30", "2026-09-24 22:00:37", "16:30:37", vec![]),
    ] {
        let expected = Ok((stored.to_owned(), warnings.clone()));
        assert_eq!(put(text, datetime, false), expected, "{text}");
        // A time notes its lost date.
        let warnings = if warnings.is_empty() { vec![1265] } else { warnings };
        assert_eq!(put(text, time, false), Ok((of_day.to_owned(), warnings)), "{text}");
    }
}

#[test]
fn texts_go_into_columns() {
    let tiny = SqlType::plain(TypeKind::TinyInt, 4, 0);
    let decimal = SqlType::decimal(5, 2, false);
    let date = SqlType::plain(TypeKind::Date, 10, 0);
    let time = SqlType::plain(TypeKind::Time, 10, 0);
    let varchar = SqlType::varchar(3, CollationId::UTF8MB4_0900_AI_CI, Derivation::Implicit);
    let set = SqlType { kind: TypeKind::Set, ..varchar };
    let enumeration = SqlType { kind: TypeKind::Enum, ..varchar };
    for (text, ty, stored, warnings, strict) in [
        ("1.5", tiny, "2", vec![], None),
        ("1.5x", tiny, "2", vec![1265], Some(1265)),
        ("300", tiny, "127", vec![1264], Some(1264)),
        ("abc", tiny, "0", vec![1366], Some(1366)),
        ("4e", tiny, "4", vec![], None),
        ("1e1e", tiny, "10", vec![1265], Some(1265)),
        ("1.5x", decimal, "1.50", vec![1265], Some(1366)),
        ("1.555", decimal, "1.56", vec![1265], None),
        ("1e400", decimal, "999.99", vec![1264], Some(1366)),
        ("999.995", decimal, "999.99", vec![1264], Some(1264)),
        ("", decimal, "0.00", vec![1366], Some(1366)),
        ("2010-02-30", date, "0000-00-00", vec![1264], Some(1292)),
        ("2010-01-01x", date, "2010-01-01", vec![1265], Some(1292)),
        ("", time, "00:00:00", vec![], None),
        ("900:00:00", time, "838:59:59", vec![1264], Some(1292)),
        ("abcd", varchar, "abc", vec![1265], Some(1406)),
        ("ab   ", varchar, "ab ", vec![1265], None),
        ("B ", enumeration, "2", vec![], None),
        ("2", enumeration, "2", vec![], None),
        ("5", enumeration, "3", vec![], None),
        ("-0", enumeration, "0", vec![], None),
        ("+2 ", enumeration, "2", vec![], None),
        ("-1", enumeration, "0", vec![1265], Some(1265)),
        ("-0", set, "0", vec![], None),
        ("+1", set, "1", vec![], None),
        ("+2 ", set, "0", vec![1265], Some(1265)),
        ("x", enumeration, "0", vec![1265], Some(1265)),
    ] {
        let expected = (stored.to_owned(), warnings);
        assert_eq!(put(text, ty, false), Ok(expected.clone()), "{text:?} into {:?}", ty.kind);
        let strictly = put(text, ty, true);
        match strict {
            Some(number) => assert_eq!(strictly, Err(number), "{text:?} into {:?}", ty.kind),
            None => assert_eq!(strictly, Ok(expected), "{text:?} into {:?}", ty.kind),
        }
    }
}

#[test]
fn a_date_before_a_time_is_noted() {
    let time = SqlType::plain(TypeKind::Time, 10, 0);
    let text = "2010-01-01 10:11:12.55";
    assert_eq!(put(text, time, false), Ok(("10:11:13".to_owned(), vec![1265])));
    assert_eq!(put(text, time, true), Ok(("10:11:13".to_owned(), vec![1292])));
}

#[test]
fn messages_name_the_row_and_the_column() {
    let ty = SqlType::plain(TypeKind::Int, 11, 0);
    let from = SqlType::varchar(9, CollationId::UTF8MB4_0900_AI_CI, Derivation::Coercible);
    let column = Column { name: "c", ty: &ty, members: &[] };
    let mut warnings = Warnings::default();
    let error = store(&Value::from("x"), &from, &column, &mut context(true, &mut warnings));
    assert_eq!(
        error.unwrap_err().message(),
        "Incorrect integer value: 'x' for column 'c' at row 3"
    );
}

#[test]
fn null_is_refused_where_the_column_refuses_it() {
    let ty = SqlType::plain(TypeKind::Int, 11, 0);
    let mut warnings = Warnings::default();
    for (ty, result) in [(ty, Ok(Value::Null)), (ty.not_null(), Err(1048))] {
        let column = Column { name: "c", ty: &ty, members: &[] };
        let mut cx = context(false, &mut warnings);
        let stored = store(&Value::Null, &SqlType::NULL, &column, &mut cx);
        assert_eq!(stored.map_err(|error| error.number()), result);
    }
}

#[test]
fn doubles_are_shortened_to_the_width_of_a_string() {
    for (value, width, text, fits) in [
        ("-1.5", 3, "-2", true),
        ("0.001", 3, "0", true),
        ("1e-10", 3, "1e-10", false),
        ("123456.789", 5, "1.2e5", true),
        ("1e-10", 5, "1e-10", true),
        ("101112.5", 3, "1e5", false),
        ("1e10", 3, "1e10", false),
    ] {
        let number = parse_double_prefix(value.as_bytes()).value;
        let mut out = Vec::new();
        let fitted = crate::number::write_double_within(number, width, &mut out);
        assert_eq!((out.as_slice(), fitted), (text.as_bytes(), fits), "{value}");
    }
}
