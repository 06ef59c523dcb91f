//! What error 1062 says.

use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_mysql_semantics::temporal::{Date, DateTime, Time};

use super::*;

/// As MySQL 9.7 shows them.
#[test]
fn duplicates_are_shown_as_mysql_shows_them() {
    let varchar = text(TypeKind::Varchar, 200, "utf8mb4_0900_ai_ci");
    let varbinary = text(TypeKind::Varchar, 200, "binary");
    let binary = text(TypeKind::Char, 4, "binary");
    let int = int(TypeKind::Int);
    let bit = |len| SqlType::plain(TypeKind::Bit, len, 0);
    let shown = |columns: &[(SqlType, Value)]| {
        let of = |(i, (ty, _)): (usize, &(SqlType, Value))| {
            let mut column = column(i as u32 + 1, &format!("c{i}"), *ty);
            column.members = vec!["p".into(), "q".into()];
            (column.zerofill, column.display_width) = (ty.length == 5, Some(5));
            column
        };
        let parts: Vec<_> = (1..=columns.len() as u32).map(part).collect();
        let columns_of = columns.iter().enumerate().map(of).collect();
        let codec = codec(table(columns_of, vec![index(2, IndexKind::Unique, &parts)]));
        let values: Vec<_> = columns.iter().map(|(_, value)| value.clone()).collect();
        let zone = TimeZone::parse("+01:00").unwrap();
        codec.index(IndexId(2)).unwrap().duplicate_text(&values, &zone)
    };
    let date = Date::new(2024, 1, 2).unwrap();
    let at = DateTime::new(date, 3, 4, 5, 678_000).unwrap();
    let second = DateTime::new(date, 2, 4, 5, 0).unwrap();
    let decimal = |text: &str| Value::Decimal(Decimal::parse(text).unwrap());
    let cases: Vec<(Vec<(SqlType, Value)>, &str)> = vec![
        (vec![(int, Value::Int(1)), (varchar, Value::from("abc"))], "1-abc"),
        (vec![(int, Value::Int(-5)), (varchar, Value::from("a-b\0c"))], "-5-a-b"),
        (vec![(varchar, Value::from("a\nb"))], "a\nb"),
        (vec![(varbinary, Value::bytes(b"\0\xffA"))], "\\x00\\xFFA"),
        (vec![(varbinary, Value::from("é\\'x"))], "\\xC3\\xA9\\'x"),
        (vec![(varbinary, Value::from("abc\n"))], "abc\\x0A"),
        (vec![(varchar, Value::from("a")), (binary, Value::from("b\0\0\0"))], "a-b"),
        (vec![(varchar, Value::from("a")), (binary, Value::from("b\0c\0"))], "a-b\\x00c"),
        (vec![(varchar, Value::from("a")), (binary, Value::from("\0\0\0\0"))], "a-\\x00"),
        (vec![(bit(12), Value::UInt(65))], "\\x00A"),
        (vec![(bit(12), Value::UInt(3000))], "\\x0B\\xB8"),
        (
            vec![
                (SqlType::plain(TypeKind::Float, 12, 31), Value::Float(0.1)),
                (SqlType::double(), Value::Double(1e100)),
                (SqlType::decimal(10, 3, false), decimal("-2.000")),
            ],
            "0.1-1e100--2.000",
        ),
        (
            vec![
                (SqlType::plain(TypeKind::Float, 7, 2), Value::Float(1.25)),
                (SqlType::plain(TypeKind::Double, 20, 3), Value::Double(1.25)),
                (SqlType::double(), Value::Double(-0.0)),
            ],
            "1.25-1.250--0",
        ),
        (
            vec![
                (SqlType::plain(TypeKind::Date, 10, 0), Value::Date(date)),
                (
                    SqlType::plain(TypeKind::Time, 13, 2),
                    Value::Time(Time::from_micros(-45_296_780_000).unwrap()),
                ),
                (SqlType::plain(TypeKind::DateTime, 23, 3), Value::DateTime(at)),
                (SqlType::plain(TypeKind::Timestamp, 19, 0), Value::DateTime(second)),
                (SqlType::plain(TypeKind::Year, 4, 0), Value::UInt(2024)),
            ],
            "2024-01-02--12:34:56.78-2024-01-02 03:04:05.678-2024-01-02 03:04",
        ),
        (
            vec![
                (text(TypeKind::Enum, 1, "utf8mb4_0900_ai_ci"), Value::UInt(2)),
                (text(TypeKind::Set, 3, "utf8mb4_0900_ai_ci"), Value::UInt(3)),
            ],
            "q-p,q",
        ),
        (vec![(text(TypeKind::Enum, 1, "latin1_bin"), Value::UInt(0))], ""),
        (vec![(text(TypeKind::Varchar, 9, "latin1_bin"), Value::bytes(b"\xe9"))], "é"),
        (vec![(SqlType::plain(TypeKind::Int, 5, 0).with_unsigned(true), Value::UInt(5))], "00005"),
    ];
    for (columns, expected) in &cases {
        assert_eq!(shown(columns), *expected);
    }
    let long = Value::bytes("é".repeat(200).as_bytes());
    assert_eq!(
        shown(&[(int, Value::Int(2)), (varchar, long.clone())]),
        format!("2-{}", "é".repeat(31))
    );
    assert_eq!(shown(&[(int, Value::Int(22)), (varchar, long)]), format!("22-{}", "é".repeat(30)));
    let zeros = Value::from(vec![0; 100]);
    assert_eq!(shown(&[(varbinary, zeros)]), "\\x00".repeat(16));
    // A prefix alone is shown.
    let columns = vec![column(1, "t", varchar)];
    let cut = codec(table(columns, vec![index(2, IndexKind::Unique, &[prefix(1, 3)])]));
    let text = cut.index(IndexId(2)).unwrap();
    assert_eq!(text.duplicate_text(&["éabcdef".into()], &TimeZone::Offset(0)), "éab");
}
