//! Copies of tables: what is written is read, by any reader, and the same as the rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use bytes::Bytes;
use firn_engine::column::RowSchemas;
use firn_engine::key::{KeyRange, ValueKind, user_key};
use firn_engine::manifest::{ColumnCopy, SstMeta};
use firn_engine::{Epoch, ErrorKind, ObjectId, Seq, SpaceId};
use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::json::JsonRef;
use firn_mysql_semantics::temporal::{Date, DateTime};
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use super::*;
use crate::descriptor::{ColumnDescriptor, TableDescriptor};
use crate::row::{RowCodec, encode_cell};
use crate::testing::{block_on, column, int, object, row_types, table, text, values};
use crate::{RowDescription, Schemas, row_number_key, verify};

const SPACE: SpaceId = SpaceId(1024);

fn columns(types: &[SqlType]) -> Vec<ColumnDescriptor> {
    let column = |(i, ty): (usize, &SqlType)| {
        let mut column = column(i as u32 + 1, &format!("c{i}"), *ty);
        if matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
            column.members = (0..64).map(|i| format!("ä{i}")).collect();
        }
        column
    };
    types.iter().enumerate().map(column).collect()
}

/// Key with its space, seq, row or deletion.
type Version = (Vec<u8>, u64, Option<Vec<u8>>);

fn row_key(number: u64) -> Vec<u8> {
    let mut key = Vec::new();
    row_number_key(number, &mut key);
    user_key(SPACE, &key).to_vec()
}

/// An entry of index 2, which is no row.
fn entry(number: u64) -> Version {
    (user_key(SPACE, &[&[0, 2][..], &number.to_be_bytes()].concat()).to_vec(), 9, Some(vec![1]))
}

/// The copy, and how many versions it took.
fn write(table: &TableDescriptor, versions: &[Version]) -> (Vec<u8>, u64) {
    let description = RowDescription::table(table).unwrap().encode();
    let mut writer = Schemas.open(&description).unwrap().writer().unwrap();
    let (mut out, mut rows) = (Vec::new(), 0);
    for (i, (key, seq, row)) in versions.iter().enumerate() {
        let kind = if row.is_some() { ValueKind::Put } else { ValueKind::Delete };
        let row = row.as_deref().unwrap_or_default();
        rows += u64::from(writer.add(key, Seq(*seq), kind, row).unwrap());
        if i % 100 == 0 {
            out.append(&mut writer.take());
        }
    }
    out.append(&mut writer.finish().unwrap());
    (out, rows)
}

fn read(bytes: &[u8]) -> Vec<RecordBatch> {
    let bytes = Bytes::copy_from_slice(bytes);
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

fn meta(versions: &[Version], bytes: &[u8], rows: u64) -> SstMeta {
    SstMeta {
        id: ObjectId { branch: 1, counter: 2, epoch: Epoch(3) },
        space: SPACE,
        range: KeyRange::space(SPACE),
        seq_min: Seq(versions.iter().map(|v| v.1).min().unwrap_or_default()),
        seq_max: Seq(versions.iter().map(|v| v.1).max().unwrap_or_default()),
        bytes: 0,
        tail_bytes: 0,
        cut: false,
        raw_bytes: 0,
        entries: versions.len() as u64,
        deletes: versions.iter().filter(|v| v.2.is_none()).count() as u64,
        range_deletes: 0,
        widest: Vec::new(),
        column: Some(ColumnCopy { bytes: bytes.len() as u64, rows }),
    }
}

/// The value that a column shows, read back from Arrow by other ways than it was
/// written; `None` for NULL.
fn shown(column: &ColumnDescriptor, array: &dyn Array, at: usize) -> Option<Value> {
    if array.is_null(at) {
        return None;
    }
    let ty = &column.ty;
    let decimal = |text: String| Value::Decimal(Decimal::parse(&text).unwrap());
    let date_of = |days: i64| Date::from_day_number(days + 719_528).unwrap();
    Some(match array.data_type() {
        DataType::Int8 => Value::Int(array.as_primitive::<Int8Type>().value(at).into()),
        DataType::Int16 => Value::Int(array.as_primitive::<Int16Type>().value(at).into()),
        DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(at).into()),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(at)),
        DataType::UInt8 => Value::UInt(array.as_primitive::<UInt8Type>().value(at).into()),
        DataType::UInt16 => Value::UInt(array.as_primitive::<UInt16Type>().value(at).into()),
        DataType::UInt32 => Value::UInt(array.as_primitive::<UInt32Type>().value(at).into()),
        DataType::UInt64 => Value::UInt(array.as_primitive::<UInt64Type>().value(at)),
        DataType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(at)),
        DataType::Float64 => Value::Double(array.as_primitive::<Float64Type>().value(at)),
        DataType::Decimal128(..) => {
            decimal(array.as_primitive::<Decimal128Type>().value_as_string(at))
        }
        DataType::Decimal256(..) => {
            decimal(array.as_primitive::<Decimal256Type>().value_as_string(at))
        }
        DataType::Date32 => {
            Value::Date(date_of(array.as_primitive::<Date32Type>().value(at).into()))
        }
        DataType::Duration(_) => {
            let micros = array.as_primitive::<DurationMicrosecondType>().value(at);
            Value::Time(firn_mysql_semantics::temporal::Time::from_micros(micros).unwrap())
        }
        DataType::Timestamp(_, zone) => {
            assert_eq!(zone.is_some(), ty.kind == TypeKind::Timestamp);
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(at);
            let date = date_of(micros.div_euclid(86_400_000_000));
            let packed = u64::from(date.packed()) << 37 | micros.rem_euclid(86_400_000_000) as u64;
            Value::DateTime(DateTime::from_packed(packed).unwrap())
        }
        DataType::Binary => Value::bytes(array.as_binary::<i32>().value(at)),
        DataType::Utf8 => {
            let text = array.as_string::<i32>().value(at);
            match ty.kind {
                TypeKind::Enum => {
                    let member = column.members.iter().position(|member| member == text);
                    Value::UInt(member.unwrap() as u64 + 1)
                }
                TypeKind::Set => {
                    let bit = |name| column.members.iter().position(|member| member == name);
                    let names = text.split(',').filter(|name| !name.is_empty());
                    Value::UInt(names.map(|name| 1 << bit(name).unwrap()).sum())
                }
                TypeKind::Json => {
                    let document = firn_mysql_semantics::json::parse(text).unwrap();
                    Value::bytes(document.as_bytes())
                }
                _ => {
                    let charset = Collation::by_id(ty.collation.0).unwrap().charset();
                    let mut bytes = Vec::new();
                    let text = text.as_bytes();
                    assert_eq!(convert(text, Charset::utf8mb4(), charset, &mut bytes), Ok(0));
                    Value::from(bytes)
                }
            }
        }
        other => panic!("{other}"),
    })
}

/// Tables of up to 8 columns of any types, with rows (`None`: a deletion).
fn tables() -> impl Strategy<Value = (Vec<SqlType>, Vec<Option<Vec<Value>>>)> {
    let ty = (prop::sample::select(row_types()), any::<bool>());
    prop::collection::vec(ty, 0..8).prop_flat_map(|types| {
        let types: Vec<_> = types.into_iter().map(|(ty, null)| ty.with_nullable(null)).collect();
        let row: Vec<_> = types.iter().map(|ty| values(*ty)).collect();
        (Just(types), prop::collection::vec(prop::option::weighted(0.8, row), 0..12))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_copy_shows_what_the_rows_hold((types, rows) in tables()) {
        let mut table = table(columns(&types), Vec::new());
        table.id = SPACE.0;
        let codec = RowCodec::new(Arc::new(table.clone())).unwrap();
        let mut versions = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            let bytes = row.as_ref().map(|row| {
                let mut bytes = Vec::new();
                codec.write(row, &mut bytes).unwrap();
                bytes
            });
            versions.push((row_key(i as u64 / 2), 100 - i as u64 % 2, bytes));
        }
        versions.extend([entry(1), entry(2)]);
        let (bytes, taken) = write(&table, &versions);
        prop_assert_eq!(taken, rows.len() as u64);
        let meta = meta(&versions, &bytes, taken);
        let verified = block_on(verify(&meta, object(&bytes))).unwrap();
        prop_assert_eq!((verified.rows, verified.digest), (taken, None));

        let mut at = 0;
        for batch in read(&bytes) {
            let fields = batch.schema();
            let expected = arrow_schema(&table);
            for (field, expected) in fields.fields().iter().zip(expected.fields()) {
                prop_assert_eq!(field.name(), expected.name());
                prop_assert_eq!(field.data_type(), expected.data_type());
                prop_assert_eq!(field.metadata(), expected.metadata());
            }
            for i in 0..batch.num_rows() {
                let (key, seq, row) = &versions[at];
                prop_assert_eq!(batch["_firn_key"].as_binary::<i32>().value(i), &key[4..]);
                prop_assert_eq!(batch["_firn_seq"].as_primitive::<UInt64Type>().value(i), *seq);
                prop_assert_eq!(batch["_firn_deleted"].as_boolean().value(i), row.is_none());
                let whole = batch["_firn_row"].as_binary::<i32>();
                let whole = (!whole.is_null(i)).then(|| whole.value(i).to_vec());
                let mut hidden = false;
                for (c, column) in table.columns.iter().enumerate() {
                    let found = shown(column, batch.column(c), i).unwrap_or(Value::Null);
                    let held = rows[at].as_ref().map_or(&Value::Null, |row| &row[c]);
                    // -0 and 0 are told apart.
                    if format!("{found:?}") != format!("{held:?}") {
                        prop_assert!(found.is_null(), "{found:?} for {held:?} of {column:?}");
                        hidden = true;
                    }
                }
                prop_assert_eq!(whole, row.clone().filter(|_| hidden));
                at += 1;
            }
        }
        prop_assert_eq!(at, rows.len());
    }

    #[test]
    fn descriptions_read_back((types, _) in tables()) {
        let table = table(columns(&types), Vec::new());
        let stored = RowDescription::table(&table).unwrap();
        let decoded = RowDescription::decode(&stored.encode()).unwrap();
        prop_assert_eq!(&decoded, &stored);
        let RowDescription::Table(rows) = decoded else { panic!() };
        prop_assert_eq!(arrow_schema(&rows.table), arrow_schema(&table));
    }

    #[test]
    fn garbled_descriptions_are_no_panic(
        (types, _) in tables(),
        garbage in prop::collection::vec(any::<u8>(), 0..60),
        change in any::<(prop::sample::Index, u8)>(),
    ) {
        let mut bytes = Vec::new();
        stored::encode(&table(columns(&types), Vec::new()), &mut bytes).unwrap();
        let at = change.0.index(bytes.len());
        bytes[at] ^= change.1;
        for bytes in [garbage, bytes] {
            if let Some(table) = stored::decode(&bytes) {
                // Nonsense that reads is an error at the latest when it is compiled.
                drop(RowCodec::new(Arc::new(table)));
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn descriptions_stay_as_they_are_and_know_no_names_of_tables() {
    let mut types = table(
        columns(&[
            int(TypeKind::Int).not_null(),
            text(TypeKind::Varchar, 300, "utf8mb4_0900_ai_ci"),
        ]),
        Vec::new(),
    );
    let before = RowDescription::table(&types).unwrap().encode();
    let head = "0102";
    let ints = "8008020300".to_owned() + "0b003f";
    let texts = "0f02ac021fff01";
    let names = "02".to_owned() + "0100000263300002010002633100";
    let layouts = "010201000101";
    let expected = format!("{head}{ints}{texts}{names}{layouts}");
    assert_eq!(hex(&before[..before.len() - 4]), expected);
    types.name = "other".into();
    types.comment = "of no matter".into();
    types.version += 1;
    types.columns[0].comment = "of none either".into();
    assert_eq!(RowDescription::table(&types).unwrap().encode(), before);
}

#[test]
fn descriptions_are_bounded() {
    let mut wide = table(columns(&vec![int(TypeKind::Int); 4096]), Vec::new());
    let len = RowDescription::table(&wide).unwrap().encode().len();
    assert!(len < stored::LEN_MAX, "{len}");
    for _ in 0..8 {
        wide.layouts.push(wide.wanted_layout());
    }
    let error = RowDescription::table(&wide).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert!(error.to_string().contains("of 65536 at most"), "{error}");
    // Members with long names are left out, and shown by their numbers.
    let mut members = table(columns(&[text(TypeKind::Enum, 9, "utf8mb4_bin")]), Vec::new());
    members.columns[0].members = (0..3000).map(|i| format!("member {i}")).collect();
    let description = RowDescription::table(&members).unwrap();
    assert!(description.encode().len() < 100);
    let RowDescription::Table(rows) = description else { panic!() };
    assert_eq!(arrow_schema(&rows.table).field(0).data_type(), &DataType::UInt16);
}

#[test]
fn rows_of_older_layouts_are_in_todays_columns() {
    let utf8 = "utf8mb4_0900_ai_ci";
    let mut old = table(columns(&[int(TypeKind::Int), int(TypeKind::BigInt)]), Vec::new());
    old.id = SPACE.0;
    let mut row = Vec::new();
    let codec = RowCodec::new(Arc::new(old.clone())).unwrap();
    codec.write(&[Value::Int(-3), Value::Int(4)], &mut row).unwrap();
    old.columns.remove(1);
    old.columns[0].ty = int(TypeKind::BigInt);
    let mut added = column(3, "_FIRN_seq", text(TypeKind::Varchar, 9, utf8));
    added.instant_default = encode_cell(&added.ty, &Value::from("é"));
    old.columns.push(added);
    old.layouts.push(old.wanted_layout());
    let (bytes, rows) = write(&old, &[(row_key(1), 5, Some(row))]);
    assert_eq!(rows, 1);
    let batches = read(&bytes);
    let schema = batches[0].schema();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(
        names,
        ["c0", "_FIRN_seq.3", "_firn_key", "_firn_row", "_firn_seq", "_firn_deleted"]
    );
    assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().value(0), -3);
    assert_eq!(batches[0].column(1).as_string::<i32>().value(0), "é");
}

/// A short row of an old layout is long as columns.
#[test]
fn row_groups_stay_small_where_rows_have_long_defaults() {
    let mut of = table(columns(&[int(TypeKind::Int)]), Vec::new());
    of.id = SPACE.0;
    let mut row = Vec::new();
    RowCodec::new(Arc::new(of.clone())).unwrap().write(&[Value::Int(1)], &mut row).unwrap();
    let mut added = column(2, "added", text(TypeKind::Varchar, 60_000, "ascii_general_ci"));
    added.instant_default = Some(vec![b'x'; 60_000]);
    of.columns.push(added);
    of.layouts.push(of.wanted_layout());
    let versions: Vec<Version> = (0..2000).map(|i| (row_key(i), 5, Some(row.clone()))).collect();
    let (bytes, rows) = write(&of, &versions);
    assert_eq!(rows, 2000);
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
    // 120 MB in groups of 16 MiB.
    assert_eq!(reader.metadata().num_row_groups(), 8);
}

#[test]
fn json_is_shown_as_mysql_prints_it() {
    let json = SqlType::plain(TypeKind::Json, u32::MAX, 31);
    let mut of = table(columns(&[json]), Vec::new());
    of.id = SPACE.0;
    let document = firn_mysql_semantics::json::parse("{\"b\":1,\"a\":[1.50]}").unwrap();
    assert!(JsonRef::open(document.as_bytes()).is_ok());
    let mut row = Vec::new();
    let codec = RowCodec::new(Arc::new(of.clone())).unwrap();
    codec.write(&[Value::bytes(document.as_bytes())], &mut row).unwrap();
    let (bytes, _) = write(&of, &[(row_key(1), 5, Some(row))]);
    let batch = &read(&bytes)[0];
    assert_eq!(batch.column(0).as_string::<i32>().value(0), "{\"a\": [1.5], \"b\": 1}");
}

#[test]
fn keys_of_another_space_and_garbled_rows_are_refused() {
    let of = table(columns(&[int(TypeKind::Int)]), Vec::new());
    let description = RowDescription::table(&of).unwrap().encode();
    let schema = Schemas.open(&description).unwrap();
    let mut writer = schema.writer().unwrap();
    let foreign = user_key(SpaceId(7), &[0, 1, 1]);
    let error = writer.add(&foreign, Seq(1), ValueKind::Put, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let error = writer.add(&row_key(1), Seq(1), ValueKind::Put, &[0, 0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.to_string(), "row of `space`.`1024`: its length is not that of its cells");
}
