//! What keys, rows and columns cost: `cargo bench -p firn-table --bench codec`.
//!
//! Prints nanoseconds per call, the least of many rounds, over rows that change from
//! call to call. `sbtest` is sysbench's table: INT primary key, an indexed INT, CHAR of
//! 119 and 59 characters, here as `utf8mb4_0900_ai_ci`; `mixed` has twelve columns of
//! most kinds.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::hint::black_box;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use firn_engine::column::RowSchemas;
use firn_engine::key::{ValueKind, user_key};
use firn_engine::{Seq, SpaceId};
use firn_mysql_semantics::Value;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::temporal::{Date, DateTime};
use firn_table::descriptor::{IndexId, TableDescriptor};
use firn_table::{RowDescription, Schemas, TableCodec};

const ROWS: usize = 1000;

/// Nanoseconds of one call over the inputs, one after another.
fn least<T>(inputs: &[T], mut work: impl FnMut(&T)) -> f64 {
    const PASSES: usize = 4;
    let mut best = f64::MAX;
    for _ in 0..60 {
        let start = Instant::now();
        for _ in 0..PASSES {
            for input in inputs {
                work(black_box(input));
            }
        }
        let calls = (PASSES * inputs.len()) as f64;
        best = best.min(start.elapsed().as_nanos() as f64 / calls);
    }
    best
}

fn report(what: &str, nanoseconds: f64) {
    println!("{what:44} {nanoseconds:9.1}");
}

/// A table of columns (type, length, decimals), the first the primary key, with an
/// index over the second.
fn table(columns: &[(&str, u32, u8)]) -> TableCodec {
    let strings = ["char", "varchar", "text"];
    let columns: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(i, (kind, length, decimals))| {
            let (kind, collation) = match *kind {
                "varbinary" => ("varchar", ",\"collation\":\"binary\""),
                kind if strings.contains(&kind) => {
                    (kind, ",\"collation\":\"utf8mb4_0900_ai_ci\"")
                }
                kind => (kind, ""),
            };
            let ty = format!(
                r#"{{"kind":"{kind}","not_null":{},"length":{length},"decimals":{decimals}{collation}}}"#,
                i < 4
            );
            format!(r#"{{"id":{},"name":"c{i}","ty":{ty}}}"#, i + 1)
        })
        .collect();
    let index = |id, name, kind| {
        let part = format!(r#"{{"column":{id}}}"#);
        format!(r#"{{"id":{id},"name":"{name}","kind":"{kind}","parts":[{part}]}}"#)
    };
    let text = format!(
        r#"{{"id":1024,"schema":"s","name":"t","version":1,"columns":[{}],"indexes":[{},{}],
        "collation":"utf8mb4_0900_ai_ci","layouts":[],"next_column_id":99,"next_index_id":3,
        "created_micros":0}}"#,
        columns.join(","),
        index(1, "PRIMARY", "primary"),
        index(2, "k", "plain"),
    );
    let mut table = TableDescriptor::decode(text.as_bytes()).expect("a descriptor");
    table.layouts.push(table.wanted_layout());
    TableCodec::new(Arc::new(table)).expect("a table")
}

/// Rows of a column copy, all different.
const COPIED: usize = 50_000;

/// Numbers that only have to differ.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0 >> 33
    }

    fn text(&mut self, len: usize) -> Value {
        let letters = (0..len).map(|_| b'a' + (self.next() % 26) as u8);
        Value::from(letters.collect::<Vec<_>>())
    }
}

fn keys(name: &str, codec: &TableCodec, rows: &[Vec<Value>]) {
    let mut out = Vec::with_capacity(4096);
    let primary = codec.row_index();
    let time = least(rows, |row| {
        out.clear();
        primary.row_key(row, &mut out).expect("a key");
        black_box(&out);
    });
    report(&format!("{name}: key of a row"), time);
    let time = least(rows, |row| {
        out.clear();
        primary.unique_key(&row[..1], &mut out).expect("a key");
        black_box(&out);
    });
    report(&format!("{name}: key of a look-up"), time);
    let time = least(rows, |row| {
        let range = primary.range(&[], Bound::Included(&row[0]), Bound::Excluded(&row[0]));
        black_box(range.expect("a range"));
    });
    report(&format!("{name}: range"), time);

    let index = codec.index(IndexId(2)).expect("an index");
    let mut row_key = Vec::new();
    primary.row_key(&rows[0], &mut row_key).expect("a key");
    let mut value = Vec::with_capacity(4096);
    let time = least(rows, |row| {
        out.clear();
        value.clear();
        let exclusive = index.entry_key(row, &row_key, &mut out).expect("a key");
        index.entry_value(row, &row_key, exclusive, &mut value).expect("a value");
        black_box((&out, &value));
    });
    report(&format!("{name}: entry of an index"), time);
    let mut found = Vec::with_capacity(64);
    let time = least(rows, |_| {
        found.clear();
        let entry = index.read(black_box(&out), &value).expect("an entry");
        entry.row_key(&mut found);
        black_box(&found);
    });
    report(&format!("{name}: row's key from an entry"), time);
    let time = least(rows, |_| {
        let entry = index.read(black_box(&out), &value).expect("an entry");
        black_box((entry.cell(0).expect("a cell"), entry.cell(1).expect("a cell")));
    });
    report(&format!("{name}: two columns from an entry"), time);
}

fn rows(name: &str, codec: &TableCodec, rows: &[Vec<Value>]) {
    let mut out = Vec::with_capacity(4096);
    let time = least(rows, |row| {
        out.clear();
        codec.rows().write(row, &mut out).expect("a row");
        black_box(&out);
    });
    report(&format!("{name}: row written"), time);
    let encoded: Vec<Vec<u8>> = rows
        .iter()
        .map(|row| {
            let mut out = Vec::new();
            codec.rows().write(row, &mut out).expect("a row");
            out
        })
        .collect();
    let last = rows[0].len() - 1;
    let bytes: usize = encoded.iter().map(Vec::len).sum();
    println!("{:44} {:9.1} bytes", format!("{name}: row"), bytes as f64 / encoded.len() as f64);
    for (what, column) in [("first", 0), ("last", last)] {
        let time = least(&encoded, |row| {
            let row = codec.rows().read(row).expect("a row");
            black_box(row.cell(column).expect("a cell"));
        });
        report(&format!("{name}: {what} column in place"), time);
    }
    let time = least(&encoded, |row| {
        let row = codec.rows().read(row).expect("a row");
        for column in 0..=last {
            black_box(row.cell(column).expect("a cell"));
        }
    });
    report(&format!("{name}: all columns in place"), time);
    let mut values = Vec::new();
    let time = least(&encoded, |row| {
        let row = codec.rows().read(row).expect("a row");
        row.values(&mut values).expect("values");
        black_box(&values);
    });
    report(&format!("{name}: all columns as values"), time);
}

fn columns(name: &str, codec: &TableCodec, mut row: impl FnMut(usize) -> Vec<Value>) {
    let mut encode = |i| {
        let mut out = Vec::new();
        codec.rows().write(&row(i), &mut out).expect("a row");
        out
    };
    let encoded: Vec<Vec<u8>> = (0..COPIED).map(&mut encode).collect();
    let description = RowDescription::table(codec.table()).expect("a description").encode();
    let schema = Schemas.open(&description).expect("a schema");
    let (mut best, mut stored) = (f64::MAX, 0);
    for _ in 0..3 {
        let mut writer = schema.writer().expect("a writer");
        stored = 0;
        let start = Instant::now();
        for (i, row) in encoded.iter().enumerate() {
            let key = [&[0, 1][..], &(i as u64).to_be_bytes()].concat();
            let key = user_key(SpaceId(1024), &key);
            writer.add(&key, Seq(i as u64), ValueKind::Put, row).expect("a row");
            if i.is_multiple_of(4096) {
                stored += writer.take().len();
            }
        }
        stored += writer.finish().expect("a file").len();
        best = best.min(start.elapsed().as_nanos() as f64 / COPIED as f64);
    }
    report(&format!("{name}: row to Parquet"), best);
    println!(
        "{:44} {:9.1} bytes",
        format!("{name}: row in Parquet"),
        stored as f64 / COPIED as f64
    );
}

fn main() {
    let mut numbers = Numbers(42);
    println!("{:44} {:>9}", "", "ns");
    let sbtest = table(&[("int", 11, 0), ("int", 11, 0), ("char", 120, 0), ("char", 60, 0)]);
    let mut row = |i: usize| {
        let number = Value::Int(numbers.next() as i64);
        vec![Value::Int(i as i64), number, numbers.text(119), numbers.text(59)]
    };
    let some: Vec<Vec<Value>> = (0..ROWS).map(&mut row).collect();
    keys("sbtest", &sbtest, &some);
    rows("sbtest", &sbtest, &some);
    columns("sbtest", &sbtest, row);

    let mixed = table(&[
        ("varchar", 64, 0),
        ("datetime", 19, 0),
        ("bigint", 20, 0),
        ("decimal", 14, 2),
        ("double", 23, 31),
        ("timestamp", 26, 6),
        ("date", 10, 0),
        ("tinyint", 4, 0),
        ("varbinary", 16, 0),
        ("decimal", 67, 30),
        ("text", 65_535, 0),
        ("year", 4, 0),
    ]);
    let mut row = |_: usize| {
        let date = Date::new(2024, 1 + (numbers.next() % 12) as u8, 5).expect("a date");
        let at = DateTime::new(date, 1, 2, 3, 0).expect("a time");
        let null = numbers.next().is_multiple_of(4);
        let number = numbers.next() as i64;
        vec![
            numbers.text(20),
            Value::DateTime(at),
            Value::Int(number),
            Value::Decimal(Decimal::new(i128::from(number), 2).expect("a decimal")),
            Value::Double(number as f64),
            Value::DateTime(at),
            if null { Value::Null } else { Value::Date(date) },
            Value::Int(number % 100),
            numbers.text(16),
            Value::Decimal(Decimal::new(i128::from(number), 30).expect("a decimal")),
            numbers.text(80),
            Value::UInt(2024),
        ]
    };
    let some: Vec<Vec<Value>> = (0..ROWS).map(&mut row).collect();
    keys("mixed", &mixed, &some);
    rows("mixed", &mixed, &some);
    columns("mixed", &mixed, row);
}
