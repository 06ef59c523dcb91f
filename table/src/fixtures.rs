//! Encodings as they were: bytes that some table holds already have to stay what they
//! are. `testdata/encodings.txt` has, for values of every type, the cell of a row and
//! the parts of keys, ascending and descending, in hex; and whole rows and entries.

use std::fmt::Write as _;
use std::sync::Arc;

use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::temporal::{Date, DateTime, Time};
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use crate::descriptor::{IndexId, IndexKind};
use crate::row::{decode_cell, encode_cell};
use crate::testing::{codec, column, descending, index, int, part, prefix, table, text};
use crate::{TableCodec, row_number_key};

const COMMITTED: &str = include_str!("../testdata/encodings.txt");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Types with some of their values.
fn samples() -> Vec<(String, SqlType, Vec<Value>)> {
    use TypeKind as K;
    let mut samples = Vec::new();
    let mut add = |name: &str, ty: SqlType, values: Vec<Value>| {
        samples.push((name.to_owned(), ty, values));
    };
    for (kind, bytes) in
        [(K::TinyInt, 1), (K::SmallInt, 2), (K::MediumInt, 3), (K::Int, 4), (K::BigInt, 8)]
    {
        let max = i64::MAX >> (64 - 8 * bytes);
        add(&format!("int{bytes}"), int(kind), [-max - 1, -1, 0, 5, max].map(Value::Int).into());
        let max = u64::MAX >> (64 - 8 * bytes);
        let ty = int(kind).with_unsigned(true);
        add(&format!("uint{bytes}"), ty, [0, 5, max].map(Value::UInt).into());
    }
    let decimal = |text: &str| Value::Decimal(Decimal::parse(text).unwrap());
    for (precision, scale, numbers) in [
        (2, 1, ["-9.9", "0.0", "1.5"]),
        (10, 2, ["-99999999.99", "0.01", "12.50"]),
        (20, 0, ["-99999999999999999999", "7", "99999999999999999999"]),
        (38, 30, ["-12345678.000000000000000000000000000001", "0", "1"]),
        (39, 0, ["-999999999999999999999999999999999999999", "0", "12"]),
        (65, 30, ["-12345678901234567890123456789012345.5", "0.25", "1"]),
    ] {
        let ty = SqlType::decimal(precision, scale, false);
        let fitted = numbers.map(|text| {
            let Value::Decimal(number) = decimal(text) else { unreachable!() };
            Value::Decimal(number.fit(precision, scale).0)
        });
        add(&format!("decimal({precision},{scale})"), ty, fitted.into());
    }
    let floats = [f32::MIN, -1.5, -0.0, 0.0, 1e-40, f32::MAX].map(Value::Float);
    add("float", SqlType::plain(K::Float, 12, 31), floats.into());
    let doubles = [f64::MIN, -1.5, -0.0, 0.0, 1e-310, f64::MAX].map(Value::Double);
    add("double", SqlType::double(), doubles.into());
    for bits in [1, 9, 64] {
        let values = [0, 1, u64::MAX >> (64 - bits)].map(Value::UInt);
        add(&format!("bit({bits})"), SqlType::plain(K::Bit, bits, 0), values.into());
    }
    add("year", SqlType::plain(K::Year, 4, 0), [0, 1901, 2155].map(Value::UInt).into());
    let dates = [Date::ZERO, Date::new(2024, 0, 31).unwrap(), Date::MAX];
    add("date", SqlType::plain(K::Date, 10, 0), dates.map(Value::Date).into());
    let time = |micros: i64| Value::Time(Time::from_micros(micros).unwrap());
    let (max, second) = (Time::MAX.micros(), 1_000_000);
    let whole = vec![time(-max), time(-second), time(0), time(max)];
    add("time", SqlType::plain(K::Time, 10, 0), whole);
    add("time(3)", SqlType::plain(K::Time, 14, 3), vec![time(-max), time(-1000), time(1000)]);
    let at = |date, micros: u32| Value::DateTime(DateTime::new(date, 23, 59, 58, micros).unwrap());
    let zero = Value::DateTime(DateTime::ZERO);
    add("datetime", SqlType::plain(K::DateTime, 19, 0), vec![zero.clone(), at(dates[1], 0)]);
    let exact = vec![zero, at(dates[1], 999_999), at(Date::MAX, 1)];
    add("datetime(6)", SqlType::plain(K::DateTime, 26, 6), exact.clone());
    add("timestamp(6)", SqlType::plain(K::Timestamp, 26, 6), exact);
    add("enum", text(K::Enum, 1, "utf8mb4_bin"), [0, 1, 300].map(Value::UInt).into());
    add("set", text(K::Set, 1, "utf8mb4_bin"), [0, 5, u64::MAX].map(Value::UInt).into());
    for collation in crate::testing::COLLATIONS {
        let values = match collation {
            "binary" => vec![Value::from(""), Value::bytes(b"\0a\xff\0")],
            "latin1_swedish_ci" | "latin1_bin" => {
                vec![Value::from(""), Value::from("aB "), Value::bytes(b"\xe4\0 x")]
            }
            "ascii_general_ci" => vec![Value::from(""), Value::from("aB "), Value::from("\0 x")],
            _ => vec![Value::from(""), Value::from("aB "), Value::from("ä\0 ß中")],
        };
        add(collation, text(K::Varchar, 20, collation), values);
    }
    samples
}

fn part_of_key(codec: &TableCodec, id: u16, value: &Value) -> String {
    let (mut row_key, mut key) = (Vec::new(), Vec::new());
    row_number_key(1, &mut row_key);
    let index = codec.index(IndexId(id)).unwrap();
    index.entry_key(std::slice::from_ref(value), &row_key, &mut key).unwrap();
    hex(&key[2..key.len() - 8])
}

fn encodings() -> String {
    let mut out = String::new();
    for (name, ty, values) in samples() {
        let columns = vec![column(1, "c", ty)];
        let both =
            [index(2, IndexKind::Plain, &[part(1)]), index(3, IndexKind::Plain, &[descending(1)])];
        let codec = codec(table(columns, both.into()));
        for value in &values {
            let cell = hex(&encode_cell(&ty, value).unwrap());
            let (up, down) = (part_of_key(&codec, 2, value), part_of_key(&codec, 3, value));
            writeln!(out, "{name}: {cell} {up} {down}").unwrap();
        }
        let null = part_of_key(&codec, 2, &Value::Null);
        writeln!(out, "{name}: NULL {null} {}", part_of_key(&codec, 3, &Value::Null)).unwrap();
    }
    whole_rows(&mut out);
    out
}

fn whole_rows(out: &mut String) {
    let utf8 = "utf8mb4_0900_ai_ci";
    let columns = vec![
        column(3, "name", text(TypeKind::Varchar, 20, utf8)),
        column(1, "id", int(TypeKind::Int).not_null()),
        column(2, "price", SqlType::decimal(10, 2, false)),
        column(4, "long", text(TypeKind::LongText, u32::MAX, utf8)),
    ];
    let indexes = vec![
        index(1, IndexKind::Primary, &[part(1)]),
        index(2, IndexKind::Unique, &[part(3), descending(2)]),
        index(3, IndexKind::Plain, &[prefix(4, 3)]),
    ];
    let codec = TableCodec::new(Arc::new(table(columns, indexes))).unwrap();
    let price = Value::Decimal(Decimal::parse("12.50").unwrap());
    let rows = [
        [Value::from("Bär"), Value::Int(7), price, Value::from("abcdef")],
        [Value::Null, Value::Int(-1), Value::Null, Value::Null],
    ];
    for row in rows {
        let (mut bytes, mut row_key) = (Vec::new(), Vec::new());
        codec.rows().write(&row, &mut bytes).unwrap();
        codec.row_index().row_key(&row, &mut row_key).unwrap();
        writeln!(out, "row: {} {}", hex(&row_key), hex(&bytes)).unwrap();
        for index in codec.indexes() {
            let (mut key, mut value) = (Vec::new(), Vec::new());
            let exclusive = index.entry_key(&row, &row_key, &mut key).unwrap();
            index.entry_value(&row, &row_key, exclusive, &mut value).unwrap();
            writeln!(out, "entry: {} {}", hex(&key), hex(&value)).unwrap();
        }
    }
}

/// If this fails, databases that exist can no longer be read: give the new form a
/// mark of its own instead.
#[test]
fn encodings_stay_as_they_are() {
    for (now, then) in encodings().lines().zip(COMMITTED.lines()) {
        assert_eq!(now, then);
    }
    assert_eq!(encodings().lines().count(), COMMITTED.lines().count());
}

#[test]
fn cells_as_they_were_are_read() {
    let mut lines = COMMITTED.lines();
    for (name, ty, values) in samples() {
        for value in values {
            let line = lines.next().unwrap();
            let cell = line.strip_prefix(&format!("{name}: ")).unwrap();
            let bytes = unhex(cell.split(' ').next().unwrap());
            let read = Value::from(decode_cell(&ty, &bytes).unwrap());
            assert_eq!(format!("{read:?}"), format!("{value:?}"), "{line}");
        }
        assert!(lines.next().unwrap().contains("NULL"));
    }
}

/// Writes the committed file anew, after types were added:
/// `cargo test -p firn-table --lib fixtures -- --ignored`.
#[test]
#[ignore = "writes testdata/encodings.txt"]
fn encodings_are_written() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/encodings.txt");
    std::fs::write(path, encodings()).unwrap();
}
