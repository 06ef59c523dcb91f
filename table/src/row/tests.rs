//! Rows: what is written reads back, in every layout, and garbage is an error.

use std::sync::Arc;

use firn_engine::ErrorKind;
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use proptest::prelude::*;

use super::*;
use crate::testing::{column, int, row_types, table, text, values};

fn columns(types: &[SqlType]) -> Vec<ColumnDescriptor> {
    let name = |i: usize| format!("c{i}");
    types.iter().enumerate().map(|(i, ty)| column(i as u32 + 1, &name(i), *ty)).collect()
}

/// Values that are the same, -0 and 0 told apart.
fn same(a: &Value, b: &Value) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

/// Tables of up to 12 columns of any types, with one row.
fn rows() -> impl Strategy<Value = (Vec<SqlType>, Vec<Value>)> {
    let ty = (prop::sample::select(row_types()), any::<bool>());
    prop::collection::vec(ty, 0..12).prop_flat_map(|types| {
        let types: Vec<_> = types.into_iter().map(|(ty, null)| ty.with_nullable(null)).collect();
        let row: Vec<_> = types.iter().map(|ty| values(*ty)).collect();
        (Just(types), row)
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back((types, row) in rows()) {
        let codec = RowCodec::new(Arc::new(table(columns(&types), Vec::new()))).unwrap();
        let mut bytes = vec![7; 3];
        codec.write(&row, &mut bytes).unwrap();
        let reader = codec.read(&bytes[3..]).unwrap();
        for (i, value) in row.iter().enumerate() {
            let read = reader.value(i).unwrap();
            prop_assert!(same(&read, value), "{read:?} for {value:?} of {:?}", types[i]);
            prop_assert_eq!(reader.is_null(i).unwrap(), value.is_null());
        }
        let mut all = Vec::new();
        reader.values(&mut all).unwrap();
        prop_assert_eq!(all, row);
    }

    #[test]
    fn garbage_is_an_error_and_no_panic(
        (types, row) in rows(),
        garbage in prop::collection::vec(any::<u8>(), 0..80),
        change in any::<(prop::sample::Index, u8)>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let codec = RowCodec::new(Arc::new(table(columns(&types), Vec::new()))).unwrap();
        let mut bytes = Vec::new();
        codec.write(&row, &mut bytes).unwrap();
        let cut = bytes[..cut.index(bytes.len())].to_vec();
        prop_assert!(codec.read(&cut).is_err());
        let at = change.0.index(bytes.len());
        bytes[at] ^= change.1;
        for bytes in [&garbage, &bytes] {
            let Ok(reader) = codec.read(bytes) else { continue };
            for i in 0..types.len() {
                if let Err(error) = reader.value(i) {
                    prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
                }
            }
        }
    }
}

#[test]
fn values_that_a_column_does_not_hold_are_refused_by_its_name() {
    let ty = int(TypeKind::TinyInt).not_null();
    let codec = RowCodec::new(Arc::new(table(columns(&[ty]), Vec::new()))).unwrap();
    for value in [Value::Null, Value::Int(128), Value::from("1"), Value::UInt(1 << 63)] {
        let error = codec.write(&[value], &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert_eq!(error.to_string(), "`s`.`t`: column `c0` does not hold the value given");
    }
    // The other signedness is no matter.
    let mut bytes = Vec::new();
    codec.write(&[Value::UInt(127)], &mut bytes).unwrap();
    assert_eq!(codec.read(&bytes).unwrap().value(0).unwrap(), Value::Int(127));
}

#[test]
fn long_rows_have_wide_ends() {
    let types = [text(TypeKind::LongText, u32::MAX, "binary"); 3];
    let codec = RowCodec::new(Arc::new(table(columns(&types), Vec::new()))).unwrap();
    for len in [0, 21_845, 65_535, 65_536, 200_000] {
        let row: Vec<_> = (0..3_u8).map(|i| Value::from(vec![i; len])).collect();
        let mut bytes = Vec::new();
        codec.write(&row, &mut bytes).unwrap();
        let wide = len * 3 > 65_535;
        assert_eq!(bytes.len(), 2 + 3 * if wide { 4 } else { 2 } + 3 * len);
        let mut all = Vec::new();
        codec.read(&bytes).unwrap().values(&mut all).unwrap();
        assert_eq!(all, row);
    }
}

#[test]
fn a_layout_that_the_table_has_not_is_named() {
    let codec = RowCodec::new(Arc::new(table(columns(&[int(TypeKind::Int)]), vec![]))).unwrap();
    let error = codec.read(&[4, 0, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(error.to_string(), "row of `s`.`t`: it has no layout 2");
    let error = codec.read(&[0, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(error.to_string(), "row of `s`.`t`: its length is not that of its cells");
}

#[test]
fn older_layouts_are_read_as_todays_columns() {
    let utf8 = "utf8mb4_0900_ai_ci";
    let mut old = table(
        columns(&[
            int(TypeKind::SmallInt).not_null(),
            text(TypeKind::Varchar, 10, utf8).not_null(),
            SqlType::decimal(5, 2, false),
            int(TypeKind::BigInt),
            SqlType::plain(TypeKind::DateTime, 19, 0),
        ]),
        Vec::new(),
    );
    let written = RowCodec::new(Arc::new(old.clone())).unwrap();
    let at = firn_mysql_semantics::temporal::DateTime::from_packed(5 << 37).unwrap();
    let row = [
        Value::Int(-7),
        Value::from("abc"),
        Value::Decimal("1.50".parse_decimal()),
        Value::Int(9),
        Value::DateTime(at),
    ];
    let mut bytes = Vec::new();
    written.write(&row, &mut bytes).unwrap();

    // Wider types, one dropped, three added, one of them virtual, another order.
    old.columns[0].ty = int(TypeKind::BigInt);
    old.columns[1].ty = text(TypeKind::Varchar, 300, "utf8mb4_bin");
    old.columns[2].ty = SqlType::decimal(10, 4, false);
    old.columns[4].ty = SqlType::plain(TypeKind::DateTime, 26, 6);
    old.columns.remove(3);
    let mut added = column(6, "added", text(TypeKind::Varchar, 9, utf8).not_null());
    added.instant_default = encode_cell(&added.ty, &Value::from("new"));
    let mut computed = column(7, "computed", int(TypeKind::Int));
    computed.generated = Some(crate::descriptor::Generated { expr: "1".into(), stored: false });
    old.columns.insert(0, column(8, "nothing", int(TypeKind::Int)));
    old.columns.extend([added, computed]);
    old.layouts.push(old.wanted_layout());
    let codec = RowCodec::new(Arc::new(old)).unwrap();
    let mut all = Vec::new();
    codec.read(&bytes).unwrap().values(&mut all).unwrap();
    let expected = [
        Value::Null,
        Value::Int(-7),
        Value::from("abc"),
        Value::Decimal("1.5000".parse_decimal()),
        Value::DateTime(at),
        Value::from("new"),
        Value::Null,
    ];
    assert!(all.iter().zip(&expected).all(|(a, b)| same(a, b)), "{all:?}");
    let error = codec.read(&bytes).unwrap().value(6).unwrap_err();
    assert_eq!(error.to_string(), "`s`.`t`: rows have no column 6");

    // Written anew, it is of the new layout, and reads the same.
    bytes.clear();
    codec.write(&all, &mut bytes).unwrap();
    assert_eq!(bytes[0], 2);
    let mut again = Vec::new();
    codec.read(&bytes).unwrap().values(&mut again).unwrap();
    assert_eq!(again, all);
}

#[test]
fn types_that_rows_cannot_be_read_as_are_refused() {
    let utf8 = "utf8mb4_0900_ai_ci";
    let no = [
        (int(TypeKind::Int), int(TypeKind::SmallInt)),
        (int(TypeKind::Int), int(TypeKind::BigInt).with_unsigned(true)),
        (SqlType::decimal(5, 2, false), SqlType::decimal(6, 4, false)),
        (text(TypeKind::Varchar, 5, "latin1_bin"), text(TypeKind::Varchar, 5, utf8)),
        (text(TypeKind::Varchar, 5, utf8), text(TypeKind::Varchar, 4, utf8)),
        (text(TypeKind::Char, 5, "binary"), text(TypeKind::Char, 6, "binary")),
        (text(TypeKind::Varchar, 5, utf8), text(TypeKind::Char, 6, utf8)),
        (SqlType::plain(TypeKind::Time, 15, 6), SqlType::plain(TypeKind::Time, 10, 0)),
        (int(TypeKind::Int), SqlType::double()),
    ];
    for (old, new) in no {
        assert!(!reads_as(&old, &new), "{old:?} as {new:?}");
        let mut table = table(columns(&[old]), Vec::new());
        table.columns[0].ty = new;
        table.layouts.push(table.wanted_layout());
        let error = RowCodec::new(Arc::new(table)).unwrap_err().to_string();
        assert_eq!(error, "descriptor of `s`.`t`: column `c0` cannot be read as its type");
    }
    for ty in row_types() {
        assert!(reads_as(&ty, &ty.with_nullable(!ty.nullable)), "{ty:?}");
    }
}

trait ParseDecimal {
    fn parse_decimal(&self) -> firn_mysql_semantics::decimal::Decimal;
}

impl ParseDecimal for str {
    fn parse_decimal(&self) -> firn_mysql_semantics::decimal::Decimal {
        firn_mysql_semantics::decimal::Decimal::parse(self).unwrap()
    }
}
