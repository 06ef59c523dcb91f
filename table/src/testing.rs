//! What the tests of keys, rows and columns share: tables of every type and values
//! of them.

use std::cmp::Ordering;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::object::{BlockSource, ByteRange, ObjectKind};
use firn_engine::{ObjectId, Result};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::temporal::{Date, DateTime, Time};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};
use parking_lot::Mutex;
use proptest::prelude::*;

use crate::descriptor::{
    ColumnDefault, ColumnDescriptor, ColumnId, IndexDescriptor, IndexId, IndexKind, IndexPart,
    IndexState, TableDescriptor,
};

pub(crate) fn column(id: u32, name: &str, ty: SqlType) -> ColumnDescriptor {
    ColumnDescriptor {
        id: ColumnId(id),
        name: name.into(),
        ty,
        members: Vec::new(),
        zerofill: false,
        display_width: None,
        collation_written: false,
        default: ColumnDefault::None,
        on_update_now: false,
        auto_increment: false,
        generated: None,
        comment: String::new(),
        invisible: false,
        hidden: false,
        instant_default: None,
    }
}

/// A part of a column by its id.
pub(crate) fn part(column: u32) -> IndexPart {
    IndexPart { column: ColumnId(column), prefix_len: None, descending: false }
}

pub(crate) fn descending(column: u32) -> IndexPart {
    IndexPart { descending: true, ..part(column) }
}

pub(crate) fn prefix(column: u32, len: u32) -> IndexPart {
    IndexPart { prefix_len: Some(len), ..part(column) }
}

pub(crate) fn index(id: u16, kind: IndexKind, parts: &[IndexPart]) -> IndexDescriptor {
    let name = if kind == IndexKind::Primary { "PRIMARY".into() } else { format!("i{id}") };
    IndexDescriptor {
        id: IndexId(id),
        name,
        kind,
        parts: parts.to_vec(),
        comment: String::new(),
        invisible: false,
        using: None,
        state: IndexState::Public,
    }
}

/// A table with its columns' layout.
pub(crate) fn table(
    columns: Vec<ColumnDescriptor>,
    indexes: Vec<IndexDescriptor>,
) -> TableDescriptor {
    let mut table = TableDescriptor {
        id: 1024,
        schema: "s".into(),
        name: "t".into(),
        version: 1,
        next_column_id: columns.len() as u32 + 1,
        columns,
        indexes,
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        collation: CollationId::UTF8MB4_0900_AI_CI,
        comment: String::new(),
        options: Vec::new(),
        auto_increment_min: 0,
        layouts: Vec::new(),
        next_index_id: 10,
        created_micros: 0,
    };
    table.layouts.push(table.wanted_layout());
    table
}

pub(crate) fn text(kind: TypeKind, length: u32, collation: &str) -> SqlType {
    let collation = CollationId(Collation::by_name(collation).unwrap().id());
    SqlType { kind, ..SqlType::varchar(length, collation, Derivation::Implicit) }
}

pub(crate) fn int(kind: TypeKind) -> SqlType {
    SqlType::plain(kind, 11, 0)
}

/// Collations whose keys are made in different ways.
pub(crate) const COLLATIONS: [&str; 12] = [
    "utf8mb4_0900_ai_ci",
    "utf8mb4_0900_as_cs",
    "utf8mb4_0900_as_ci",
    "utf8mb4_0900_bin",
    "utf8mb4_bin",
    "utf8mb4_general_ci",
    "utf8mb4_unicode_ci",
    "utf8mb3_general_ci",
    "latin1_swedish_ci",
    "latin1_bin",
    "ascii_general_ci",
    "binary",
];

/// Types that keys can have.
pub(crate) fn key_types() -> Vec<SqlType> {
    use TypeKind as K;
    let mut types = Vec::new();
    for kind in [K::TinyInt, K::SmallInt, K::MediumInt, K::Int, K::BigInt] {
        types.extend([int(kind), int(kind).with_unsigned(true)]);
    }
    for (precision, scale) in
        [(1, 0), (5, 2), (10, 0), (18, 18), (20, 6), (38, 0), (38, 30), (39, 0), (65, 0), (65, 30)]
    {
        types.push(SqlType::decimal(precision, scale, precision % 2 == 0));
    }
    types.extend([SqlType::plain(K::Float, 12, 31), SqlType::double()]);
    types.extend([1, 7, 8, 9, 33, 64].map(|bits| SqlType::plain(K::Bit, bits, 0)));
    types.extend([SqlType::plain(K::Year, 4, 0), SqlType::plain(K::Date, 10, 0)]);
    for kind in [K::Time, K::DateTime, K::Timestamp] {
        types.extend([0, 1, 3, 6].map(|decimals| SqlType::plain(kind, 26, decimals)));
    }
    for collation in COLLATIONS {
        types.extend([text(K::Varchar, 40, collation), text(K::Text, 65535, collation)]);
        types.push(text(K::Char, 20, collation));
    }
    types.push(text(K::Enum, 5, "utf8mb4_0900_ai_ci"));
    types.push(text(K::Set, 5, "utf8mb4_0900_ai_ci"));
    types
}

/// Types that rows can have.
pub(crate) fn row_types() -> Vec<SqlType> {
    let mut types = key_types();
    types.push(SqlType::plain(TypeKind::Json, u32::MAX, 31));
    types.push(text(TypeKind::LongText, u32::MAX, "utf8mb4_0900_ai_ci"));
    types
}

/// Values of a type, NULL if it has it, extremes often.
pub(crate) fn values(ty: SqlType) -> BoxedStrategy<Value> {
    let some = not_null(ty);
    if ty.nullable { prop_oneof![1 => Just(Value::Null), 6 => some].boxed() } else { some }
}

fn not_null(ty: SqlType) -> BoxedStrategy<Value> {
    use TypeKind as K;
    let bytes = match ty.kind {
        K::TinyInt => 1,
        K::SmallInt => 2,
        K::MediumInt => 3,
        K::Int => 4,
        _ => 8,
    };
    match ty.kind {
        kind if kind.is_integer() && ty.unsigned => {
            uints(u64::MAX >> (64 - 8 * bytes)).prop_map(Value::UInt).boxed()
        }
        kind if kind.is_integer() => {
            let max = i64::MAX >> (64 - 8 * bytes);
            prop_oneof![Just(-max - 1), Just(max), -2..2_i64, -max - 1..=max]
                .prop_map(Value::Int)
                .boxed()
        }
        K::Bit => uints(u64::MAX >> (64 - ty.length)).prop_map(Value::UInt).boxed(),
        K::Enum => (0..6_u64).prop_map(Value::UInt).boxed(),
        K::Set => uints(u64::MAX).prop_map(Value::UInt).boxed(),
        K::Year => prop_oneof![Just(0), 1901..=2155_u64].prop_map(Value::UInt).boxed(),
        K::Decimal => decimals(ty),
        K::Float => prop_oneof![
            prop::sample::select(vec![0.0, -0.0, f32::MIN, f32::MAX, f32::MIN_POSITIVE, 1.5]),
            any::<f32>().prop_filter("finite", |number| number.is_finite())
        ]
        .prop_map(Value::Float)
        .boxed(),
        K::Double => prop_oneof![
            prop::sample::select(vec![0.0, -0.0, f64::MIN, f64::MAX, f64::MIN_POSITIVE, 1.5]),
            any::<f64>().prop_filter("finite", |number| number.is_finite())
        ]
        .prop_map(Value::Double)
        .boxed(),
        K::Date => dates().prop_map(Value::Date).boxed(),
        K::Time => {
            let max = Time::MAX.micros();
            let decimals = ty.decimals;
            prop_oneof![Just(max), Just(-max), -3_000_000..3_000_000_i64, -max..=max]
                .prop_map(move |micros| {
                    let time = Time::from_micros(micros).unwrap();
                    Value::Time(time.round(decimals, true).unwrap())
                })
                .boxed()
        }
        K::DateTime | K::Timestamp => {
            let decimals = ty.decimals;
            (dates(), prop_oneof![Just(0), Just(86_399_999_999), 0..86_400_000_000_i64])
                .prop_map(move |(date, micros)| {
                    let at = u64::from(date.packed()) << 37 | micros as u64;
                    let at = DateTime::from_packed(at).unwrap();
                    Value::DateTime(at.round(decimals, true).unwrap())
                })
                .boxed()
        }
        K::Json => {
            let texts = ["null", "[]", "{\"a\": 1.5}", "\"x\"", "[1, {\"b\": \"é\"}, -2]"];
            let document = |text| firn_mysql_semantics::json::parse(text).unwrap();
            prop::sample::select(texts.map(document).to_vec())
                .prop_map(|document| Value::bytes(document.as_bytes()))
                .boxed()
        }
        _ => texts(ty),
    }
}

fn uints(max: u64) -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(max), Just(max / 2 + 1), 0..=max.min(3), 0..=max]
}

fn dates() -> impl Strategy<Value = Date> {
    prop_oneof![
        Just(Date::ZERO),
        Just(Date::MAX),
        (0..=9999_u16, 0..=12_u8, 0..=31_u8).prop_map(|(y, m, d)| Date::new(y, m, d).unwrap()),
    ]
}

fn decimals(ty: SqlType) -> BoxedStrategy<Value> {
    let (precision, scale, unsigned) = (ty.precision() as u8, ty.decimals, ty.unsigned);
    let max = Decimal::max_of(precision, scale, false);
    let digits = prop::collection::vec(0..10_u8, 0..=usize::from(precision));
    let random = (digits, any::<bool>()).prop_map(move |(digits, negative)| {
        let mut text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        while text.len() <= usize::from(scale) {
            text.insert(0, '0');
        }
        if scale > 0 {
            text.insert(text.len() - usize::from(scale), '.');
        }
        let number = Decimal::parse(&text).unwrap().fit(precision, scale).0;
        if negative && !unsigned { number.neg() } else { number }
    });
    let low = if unsigned { Decimal::ZERO.fit(precision, scale).0 } else { max.neg() };
    prop_oneof![Just(max), Just(low), random].prop_map(Value::Decimal).boxed()
}

/// Short, over few letters, so that equal ones and prefixes happen.
fn texts(ty: SqlType) -> BoxedStrategy<Value> {
    let collation = Collation::by_id(ty.collation.0).unwrap();
    const UNICODE: [&str; 13] =
        ["\0", "a", "A", "ä", "b", " ", "\u{1f}", "ß", "s", "\u{ffff}", "中", "e\u{301}", "é"];
    let bytes = |text: &'static [u8]| text.iter().map(|byte| vec![*byte]).collect();
    let letters: Vec<Vec<u8>> = match collation.charset().name() {
        "binary" => bytes(b"\0\x01\xff\xfea "),
        "latin1" => bytes(b"\0aA\xe4b \x1f\xff"),
        "ascii" => bytes(b"\0aAb \x1f~"),
        _ => UNICODE.iter().map(|letter| letter.as_bytes().to_vec()).collect(),
    };
    let is_char = ty.kind == TypeKind::Char;
    let (length, binary) = (ty.length as usize, ty.is_binary_string());
    prop::collection::vec(prop::sample::select(letters), 0..8)
        .prop_map(move |letters| {
            let mut text = letters.concat();
            if is_char && binary {
                text.resize(length, 0);
            } else if is_char {
                let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1);
                text.truncate(end);
            }
            Value::from(text)
        })
        .boxed()
}

/// MySQL's order of two values of a column, NULL first.
pub(crate) fn compare(ty: &SqlType, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::UInt(a), Value::UInt(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).unwrap(),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b).unwrap(),
        (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => {
            Collation::by_id(ty.collation.0).unwrap().compare(a, b).unwrap()
        }
        _ => panic!("{a:?} and {b:?} are not of one type"),
    }
}

pub(crate) fn codec(table: TableDescriptor) -> crate::TableCodec {
    crate::TableCodec::new(Arc::new(table)).unwrap()
}

/// One column copy in memory, and how it was read.
#[derive(Debug)]
pub(crate) struct OneObject {
    pub(crate) bytes: Bytes,
    pub(crate) largest_read: Mutex<u64>,
}

#[async_trait]
impl BlockSource for OneObject {
    async fn read(
        &self,
        _: ObjectId,
        kind: ObjectKind,
        ranges: &[ByteRange],
    ) -> Result<Vec<Bytes>> {
        assert_eq!(kind, ObjectKind::Column);
        let total: u64 = ranges.iter().map(|r| r.len).sum();
        let mut largest = self.largest_read.lock();
        *largest = total.max(*largest);
        let part = |r: &ByteRange| self.bytes.slice(r.offset as usize..(r.offset + r.len) as usize);
        Ok(ranges.iter().map(part).collect())
    }
}

pub(crate) fn object(bytes: &[u8]) -> Arc<OneObject> {
    Arc::new(OneObject { bytes: Bytes::copy_from_slice(bytes), largest_read: Mutex::default() })
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
