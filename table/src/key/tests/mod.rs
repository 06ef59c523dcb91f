//! Keys: their order is that of the values, and what they hold can be had again.

mod duplicate;
mod oracle;
mod range;

use std::cmp::Ordering;

use firn_engine::ErrorKind;
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use proptest::prelude::*;

use crate::descriptor::{IndexId, IndexKind, IndexPart, TableDescriptor};
use crate::testing::{
    codec, column, compare, descending, index, int, key_types, part, prefix, table, text, values,
};
use crate::{TableCodec, row_number, row_number_key};

/// A table of these columns, with index 2 over all of them, in a table of which the
/// first column is the primary key, or that has none.
fn indexed(types: &[SqlType], parts: &[IndexPart], kind: IndexKind, primary: bool) -> TableCodec {
    let columns = types.iter().enumerate();
    let columns = columns.map(|(i, ty)| column(i as u32 + 1, &format!("c{i}"), *ty)).collect();
    let mut indexes = vec![index(2, kind, parts)];
    if primary {
        indexes.insert(0, index(1, IndexKind::Primary, &parts[..1]));
    }
    codec(table(columns, indexes))
}

#[derive(Debug, Clone)]
struct Case {
    types: Vec<SqlType>,
    parts: Vec<IndexPart>,
    rows: Vec<Vec<Value>>,
}

/// Up to three parts of any types, with some rows.
fn cases() -> impl Strategy<Value = Case> {
    let ty = (prop::sample::select(key_types()), any::<[bool; 2]>(), prop::option::of(1..4_u32));
    prop::collection::vec(ty, 1..=3).prop_flat_map(|columns| {
        let mut types = Vec::new();
        let mut parts = Vec::new();
        for (i, (ty, [nullable, descending], len)) in columns.into_iter().enumerate() {
            // The first column may be the primary key.
            types.push(ty.with_nullable(nullable && i > 0));
            let text = ty.kind.is_string() && !matches!(ty.kind, TypeKind::Enum | TypeKind::Set);
            let prefix_len = len.filter(|_| text);
            parts.push(IndexPart { prefix_len, descending, ..part(i as u32 + 1) });
        }
        let row: Vec<_> = types.iter().map(|ty| values(*ty)).collect();
        let rows = prop::collection::vec(row, 2..6);
        (Just(types), Just(parts), rows).prop_map(|(types, parts, rows)| Case {
            types,
            parts,
            rows,
        })
    })
}

/// What a part has of a value.
fn cut(ty: &SqlType, part: &IndexPart, value: &Value) -> Value {
    match (value, part.prefix_len) {
        (Value::Bytes(text), Some(len)) => {
            let charset = Collation::by_id(ty.collation.0).map(Collation::charset);
            let charset = charset.unwrap_or(Charset::binary());
            Value::bytes(&text[..charset.char_offset(text, len as usize).unwrap()])
        }
        _ => value.clone(),
    }
}

/// MySQL's order of two rows by an index.
fn order(case: &Case, a: &[Value], b: &[Value]) -> Ordering {
    let by_part = case.parts.iter().map(|part| {
        let at = part.column.0 as usize - 1;
        let ty = &case.types[at];
        let order = compare(ty, &cut(ty, part, &a[at]), &cut(ty, part, &b[at]));
        if part.descending { order.reverse() } else { order }
    });
    by_part.fold(Ordering::Equal, Ordering::then)
}

proptest! {
    #[test]
    fn keys_have_the_order_of_the_values(case in cases()) {
        let codec = indexed(&case.types, &case.parts, IndexKind::Plain, false);
        let index = codec.index(IndexId(2)).unwrap();
        let mut row_key = Vec::new();
        row_number_key(1, &mut row_key);
        let key = |row: &[Value]| {
            let mut key = Vec::new();
            index.entry_key(row, &row_key, &mut key).unwrap();
            key
        };
        for a in &case.rows {
            for b in &case.rows {
                prop_assert_eq!(key(a).cmp(&key(b)), order(&case, a, b), "{:?} {:?}", a, b);
            }
        }
    }

    #[test]
    fn primary_keys_have_the_order_of_the_values(mut case in cases()) {
        case.parts.truncate(1);
        let codec = indexed(&case.types, &case.parts, IndexKind::Plain, true);
        let key = |row: &[Value]| {
            let mut key = Vec::new();
            codec.row_index().row_key(row, &mut key).unwrap();
            key
        };
        for a in &case.rows {
            for b in &case.rows {
                prop_assert_eq!(key(a).cmp(&key(b)), order(&case, a, b), "{:?} {:?}", a, b);
            }
        }
    }

    #[test]
    fn entries_give_back_what_they_cover(case in cases(), unique: bool, primary: bool) {
        let kind = if unique { IndexKind::Unique } else { IndexKind::Plain };
        let codec = indexed(&case.types, &case.parts, kind, primary);
        let index = codec.index(IndexId(2)).unwrap();
        for row in &case.rows {
            let (mut row_key, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
            if primary {
                codec.row_index().row_key(row, &mut row_key).unwrap();
            } else {
                row_number_key(77, &mut row_key);
                prop_assert_eq!(row_number(&row_key).unwrap(), 77);
            }
            let exclusive = index.entry_key(row, &row_key, &mut key).unwrap();
            prop_assert_eq!(exclusive, unique && !row.iter().any(Value::is_null));
            prop_assert!(exclusive || key.ends_with(&row_key[2..]));
            index.entry_value(row, &row_key, exclusive, &mut value).unwrap();
            let entry = index.read(&key, &value).unwrap();
            let mut found = Vec::new();
            entry.row_key(&mut found);
            prop_assert_eq!(&found, &row_key);
            for (i, part) in case.parts.iter().enumerate() {
                prop_assert_eq!(index.covers(i), part.prefix_len.is_none());
                if index.covers(i) {
                    let read = entry.value(i).unwrap();
                    prop_assert_eq!(format!("{read:?}"), format!("{:?}", row[i]));
                } else {
                    prop_assert_eq!(entry.value(i).unwrap_err().kind(), ErrorKind::Internal);
                }
            }
            // The key that a look-up makes is the same.
            let mut wanted = Vec::new();
            let parts: Vec<_> =
                case.parts.iter().map(|part| row[part.column.0 as usize - 1].clone()).collect();
            prop_assert_eq!(index.unique_key(&parts, &mut wanted).unwrap(), exclusive);
            prop_assert!(!exclusive || wanted == key);
        }
    }

    #[test]
    fn garbled_entries_are_errors_and_no_panic(
        case in cases(),
        unique: bool,
        garbage in prop::collection::vec(any::<u8>(), 0..60),
        change in any::<(prop::sample::Index, u8)>(),
        of_value: bool,
    ) {
        let kind = if unique { IndexKind::Unique } else { IndexKind::Plain };
        let codec = indexed(&case.types, &case.parts, kind, true);
        let index = codec.index(IndexId(2)).unwrap();
        let (mut row_key, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
        codec.row_index().row_key(&case.rows[0], &mut row_key).unwrap();
        let exclusive = index.entry_key(&case.rows[0], &row_key, &mut key).unwrap();
        index.entry_value(&case.rows[0], &row_key, exclusive, &mut value).unwrap();
        let changed = if of_value { &mut value } else { &mut key };
        if !changed.is_empty() {
            let at = change.0.index(changed.len());
            changed[at] ^= change.1;
        }
        for (key, value) in [(&key, &value), (&garbage, &value), (&key, &garbage)] {
            match index.read(key, value) {
                Ok(entry) => {
                    for i in (0..case.types.len()).filter(|i| index.covers(*i)) {
                        if let Err(error) = entry.value(i) {
                            prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
                        }
                    }
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn sort_keys_of_the_collations_taken_as_raw_are_the_texts() {
    let raw = Collation::all().iter().filter(|collation| super::part::is_raw(collation));
    let names: Vec<_> = raw.clone().map(Collation::name).collect();
    assert_eq!(names, ["binary", "utf8mb4_0900_bin"]);
    for collation in raw {
        let text = "a\0b \u{ffff} é".as_bytes();
        let mut key = Vec::new();
        collation.sort_key(text, &mut key).unwrap();
        assert_eq!(key, text);
    }
}

#[test]
fn json_is_no_key() {
    let json = SqlType::plain(TypeKind::Json, u32::MAX, 31);
    let table: TableDescriptor =
        table(vec![column(1, "j", json)], vec![index(2, IndexKind::Plain, &[part(1)])]);
    let error = TableCodec::new(table.into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(error.to_string(), "`s`.`t`: column `j` of Json is not supported");
}

#[test]
fn keys_stay_as_they_are() {
    let types = [
        int(TypeKind::Int).not_null(),
        text(TypeKind::Varchar, 9, "utf8mb4_0900_ai_ci"),
        text(TypeKind::Varchar, 9, "binary"),
    ];
    let parts = [part(1), part(2), descending(3)];
    let codec = indexed(&types, &parts, IndexKind::Plain, true);
    let row = [Value::Int(5), Value::from("ab"), Value::from("\0x")];
    let mut row_key = Vec::new();
    codec.row_index().row_key(&row, &mut row_key).unwrap();
    assert_eq!(hex(&row_key), "000180000005");
    let index = codec.index(IndexId(2)).unwrap();
    let (mut key, mut value) = (Vec::new(), Vec::new());
    assert!(!index.entry_key(&row, &row_key, &mut key).unwrap());
    index.entry_value(&row, &row_key, false, &mut value).unwrap();
    let number = "0180000005";
    let text = "011c471c600001";
    let turned = "feff0087fffe";
    assert_eq!(hex(&key), format!("0002{number}{text}{turned}80000005"));
    assert_eq!(hex(&value), "000002006162");
}

#[test]
fn a_key_too_long_for_the_engine_is_refused() {
    let types = [text(TypeKind::LongText, u32::MAX, "binary")];
    let codec = indexed(&types, &[part(1)], IndexKind::Plain, false);
    let index = codec.index(IndexId(2)).unwrap();
    let mut row_key = Vec::new();
    row_number_key(1, &mut row_key);
    let error = index.entry_key(&[Value::from(vec![1; 17_000])], &row_key, &mut Vec::new());
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(error.to_string(), "`s`.`t`: a key of index 2 is too long");
}
