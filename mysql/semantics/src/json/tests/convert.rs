//! Values of SQL in documents and back.

use crate::decimal::Decimal;
use crate::json::{self, Argument, Builder, JsonBuf, Kind, PackedTime};
use crate::temporal::{Date, DateTime, Time};

fn kind_of(build: impl FnOnce(&mut Builder)) -> JsonBuf {
    let mut builder = Builder::new();
    build(&mut builder);
    builder.finish().unwrap()
}

#[test]
fn decimals_come_back_digit_by_digit() {
    for text in ["0", "1.50", "-1.5", "0.000000000000000000000000000001", "-0.10", "12345"] {
        let decimal = Decimal::parse(text).unwrap();
        let buf = kind_of(|builder| builder.sql_decimal(&decimal).unwrap());
        let Kind::Decimal(back) = buf.root().unwrap().kind().unwrap() else { panic!("{text}") };
        assert_eq!(back.to_decimal(), Some(decimal), "{text}");
        assert_eq!(buf.root().unwrap().print().unwrap(), text);
    }
    let nines = "9".repeat(65);
    let buf = kind_of(|builder| builder.decimal(&nines).unwrap());
    assert_eq!(buf.root().unwrap().print().unwrap(), nines);
    for text in
        ["", "-", ".", "1e5", "1..2", " 1", &"9".repeat(66), &format!("0.{}", "1".repeat(31))]
    {
        assert!(Builder::new().decimal(text).is_err(), "{text}");
    }
}

#[test]
fn dates_and_times_come_back() {
    for (year, month, day) in [(0, 0, 0), (2020, 2, 29), (9999, 12, 31), (2020, 0, 5), (1, 1, 1)] {
        let date = Date::new(year, month, day).unwrap();
        assert_eq!(PackedTime::from(date).to_date(), Some(date));
        let at = DateTime::new(date, 23, 59, 58, 999_999).unwrap();
        assert_eq!(PackedTime::from(at).to_date_time(), Some(at));
    }
    for micros in [0, 1, -1, 3_020_399_000_000, -3_020_399_000_000, 36_000_500_000, -999_999] {
        let time = Time::from_micros(micros).unwrap();
        assert_eq!(PackedTime::from(time).to_time(), Some(time), "{micros}");
    }
    // Bytes that hold none.
    assert_eq!(PackedTime(i64::MAX).to_time(), None);
    assert_eq!(PackedTime(i64::MIN).to_date_time(), None);
}

#[test]
fn errors_carry_the_servers_number_state_and_text() {
    let argument = Argument { function: "json_extract", number: 1 };
    let error = json::parse("{").unwrap_err().to_sql(argument);
    assert_eq!((error.number(), error.sqlstate()), (3141, "22032"));
    let text = r#"Invalid JSON text in argument 1 to function json_extract: "Missing a name for object member." at position 1."#;
    assert_eq!(error.message(), text);
    let (number, text) = json::parse("[1").unwrap_err().message_for_column("t.c");
    assert_eq!(number, 3140);
    assert!(text.ends_with("at position 2 in value for column 't.c'."), "{text}");
}
