//! Values survive arrays, types survive fields.

use arrow_schema::{DataType, Field};
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::temporal::{Date, DateTime};
use firn_mysql_semantics::vector::{
    ArrayBuilder, ArrayReader, COLLATION_KEY, arrow_type, field, scalar, sql_type,
};
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::answer::columns;
use crate::oracle::number;
use crate::vector_batch::rows;

#[test]
fn types_come_back_from_their_fields() {
    for cell in columns() {
        let field = field(cell.name, &cell.ty).expect("an Arrow type");
        let mut back = sql_type(&field).expect("a type");
        back.derivation = cell.ty.derivation;
        assert_eq!(back, cell.ty, "{}", cell.name);
        let text = cell.ty.kind.is_string();
        assert_eq!(field.metadata().contains_key(COLLATION_KEY), text, "{}", cell.name);
    }
    let plain = sql_type(&Field::new("x", DataType::Int32, true)).expect("a type");
    assert_eq!((plain.kind, plain.unsigned), (TypeKind::Int, false));
    let utf8 = sql_type(&Field::new("x", DataType::Utf8, true)).expect("a type");
    assert_eq!(utf8.collation.0, 255);
    assert!(sql_type(&Field::new("x", DataType::Date32, true)).is_err());
    let mut bad = field("x", &SqlType::bigint(20)).expect("an Arrow type");
    bad.set_metadata([("firn.type".to_owned(), "number(1".to_owned())].into());
    assert!(sql_type(&bad).is_err());
    assert!(arrow_type(&SqlType::plain(TypeKind::Geometry, 0, 0)).is_err());
}

#[test]
fn values_come_back_from_arrays() {
    let seed = number("SEED", 11);
    println!("SEED={seed}");
    let some = rows(&mut SmallRng::seed_from_u64(seed), 300);
    for (at, cell) in columns().iter().enumerate() {
        let mut builder = ArrayBuilder::new(&cell.ty, some.len()).expect("an Arrow type");
        for row in &some {
            builder.push(&row[at]).expect("a value of the type");
        }
        let array = builder.finish().expect("an array");
        assert_eq!(*array.data_type(), arrow_type(&cell.ty).expect("an Arrow type"));
        let reader = ArrayReader::new(&array, &cell.ty).expect("a reader");
        for (row, values) in some.iter().enumerate() {
            assert_eq!(reader.get(row).expect("a value"), values[at], "{} {row}", cell.name);
        }
        assert_eq!(reader.get(some.len()).expect("nothing"), Value::Null);
        let one = scalar(&some[0][at], &cell.ty).expect("a scalar");
        assert_eq!(one.is_null(), some[0][at].is_null(), "{}", cell.name);
    }
}

#[test]
fn decimals_of_all_widths_come_back() {
    let wide = "-12345678901234567890123456789012345.123456789012345678901234567890";
    let cases = [(5, 2, "-123.45"), (38, 0, "99999999999999999999999999999999999999")];
    let more = [(65, 30, wide), (65, 0, "9".repeat(65).leak() as &str), (40, 30, "-0.5")];
    for (precision, scale, text) in cases.into_iter().chain(more) {
        let ty = SqlType::decimal(precision, scale, false);
        let value = Value::Decimal(Decimal::parse(text).expect("a number"));
        let mut builder = ArrayBuilder::new(&ty, 1).expect("an Arrow type");
        builder.push(&value).expect("a value of the type");
        let array = builder.finish().expect("an array");
        let read = ArrayReader::new(&array, &ty).expect("a reader").get(0).expect("a value");
        assert_eq!(read, value, "{text}");
        let Value::Decimal(read) = read else { panic!("{read:?}") };
        assert_eq!(read.scale(), scale);
    }
}

#[test]
fn what_a_type_does_not_hold_is_refused() {
    let tiny = SqlType::plain(TypeKind::TinyInt, 4, 0);
    let mut builder = ArrayBuilder::new(&tiny, 1).expect("an Arrow type");
    builder.push(&Value::Int(300)).expect("an integer");
    assert_eq!(builder.finish().expect_err("too large").number(), 1105);
    let date = SqlType::plain(TypeKind::Date, 10, 0);
    let mut builder = ArrayBuilder::new(&date, 1).expect("an Arrow type");
    assert_eq!(builder.push(&Value::from("2024-02-29")).expect_err("text").number(), 1105);
    // The zero date, and one with a zero month, are dates.
    for value in [Date::ZERO, Date::new(2024, 0, 0).expect("a date")] {
        builder.push(&Value::Date(value)).expect("a date");
    }
    let array = builder.finish().expect("an array");
    let reader = ArrayReader::new(&array, &date).expect("a reader");
    assert_eq!(reader.get(0).expect("a date"), Value::Date(Date::ZERO));
    // With all decimals of the type it has more digits than an array.
    let ty = SqlType::decimal(65, 30, false);
    let mut builder = ArrayBuilder::new(&ty, 1).expect("an Arrow type");
    let long = format!("{}.123456789012345678", "9".repeat(55));
    let long = Value::Decimal(Decimal::parse(&long).expect("a number"));
    assert_eq!(builder.push(&long).expect_err("too many digits").number(), 1105);
    // Numbers that are no packed dates are broken data.
    let packed = SqlType::plain(TypeKind::BigInt, 20, 0).with_unsigned(true);
    let mut builder = ArrayBuilder::new(&packed, 1).expect("an Arrow type");
    builder.push(&Value::UInt(u64::MAX)).expect("a number");
    let array = builder.finish().expect("an array");
    let moment = SqlType::plain(TypeKind::DateTime, 19, 0);
    let reader = ArrayReader::new(&array, &moment).expect("a reader");
    assert_eq!(reader.get(0).expect_err("no date").number(), 1105);
    assert!(DateTime::from_packed(u64::MAX).is_none());
    assert!(ArrayReader::new(&array, &date).is_err());
}
