//! Which Arrow type holds the values of a MySQL type.
//!
//! | MySQL | Arrow | holds |
//! |---|---|---|
//! | TINYINT … BIGINT | Int8 … Int64, UInt8 … UInt64; MEDIUMINT as INT | |
//! | DECIMAL(p, s) | Decimal128(p, s) up to 38 digits, then Decimal256 | |
//! | FLOAT, DOUBLE | Float32, Float64 | |
//! | BIT, SET | UInt64 | the bits |
//! | YEAR, ENUM | UInt16 | the year, the member's number from 1 |
//! | DATE | UInt32 | [`Date::packed`](crate::temporal::Date::packed) |
//! | DATETIME, TIMESTAMP | UInt64 | [`DateTime::packed`](crate::temporal::DateTime::packed) |
//! | TIME | Int64 | microseconds |
//! | strings | BinaryView | bytes in the character set of the collation |
//! | JSON | BinaryView | the binary form |
//! | NULL | Null | |
//!
//! Arrow's own dates and timestamps have no zero dates, so dates are the packed
//! integers here; their order is the dates' order. Strings are bytes because their
//! character set need not be UTF-8, and because Arrow would have to check all of them
//! where MySQL takes what it gets.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef};
use datafusion_common::ScalarValue;

use super::array::ArrayBuilder;
use crate::collation::Collation;
use crate::error::SqlError;
use crate::expr::Result;
use crate::types::{CollationId, Derivation, NOT_FIXED_DECIMALS, SqlType, TypeKind};
use crate::value::Value;

/// Key of a field's metadata: the name of the collation, of strings alone.
pub const COLLATION_KEY: &str = "firn.collation";
/// Key of a field's metadata: the MySQL type, as [`sql_type`] reads it.
pub const TYPE_KEY: &str = "firn.type";

/// Digits of the widest Decimal128.
const DECIMAL128_DIGITS: u32 = 38;

/// The names of the kinds in metadata.
const KINDS: &[(TypeKind, &str)] = &[
    (TypeKind::Null, "null"),
    (TypeKind::TinyInt, "tinyint"),
    (TypeKind::SmallInt, "smallint"),
    (TypeKind::MediumInt, "mediumint"),
    (TypeKind::Int, "int"),
    (TypeKind::BigInt, "bigint"),
    (TypeKind::Decimal, "decimal"),
    (TypeKind::Float, "float"),
    (TypeKind::Double, "double"),
    (TypeKind::Bit, "bit"),
    (TypeKind::Year, "year"),
    (TypeKind::Date, "date"),
    (TypeKind::Time, "time"),
    (TypeKind::DateTime, "datetime"),
    (TypeKind::Timestamp, "timestamp"),
    (TypeKind::Char, "char"),
    (TypeKind::Varchar, "varchar"),
    (TypeKind::TinyText, "tinytext"),
    (TypeKind::Text, "text"),
    (TypeKind::MediumText, "mediumtext"),
    (TypeKind::LongText, "longtext"),
    (TypeKind::Enum, "enum"),
    (TypeKind::Set, "set"),
    (TypeKind::Json, "json"),
    (TypeKind::Geometry, "geometry"),
];

/// The Arrow type that holds values of a type.
///
/// # Errors
///
/// 1235 for GEOMETRY.
pub fn arrow_type(ty: &SqlType) -> Result<DataType> {
    use TypeKind as K;
    Ok(match (ty.kind, ty.unsigned) {
        (K::Null, _) => DataType::Null,
        (K::TinyInt, false) => DataType::Int8,
        (K::TinyInt, true) => DataType::UInt8,
        (K::SmallInt, false) => DataType::Int16,
        (K::SmallInt, true) => DataType::UInt16,
        (K::MediumInt | K::Int, false) => DataType::Int32,
        (K::MediumInt | K::Int, true) => DataType::UInt32,
        (K::BigInt, false) => DataType::Int64,
        (K::BigInt, true) => DataType::UInt64,
        (K::Decimal, _) => {
            let precision = ty.precision().clamp(1, 65).max(ty.decimals.into());
            let (digits, scale) = (precision as u8, ty.decimals as i8);
            if precision <= DECIMAL128_DIGITS {
                DataType::Decimal128(digits, scale)
            } else {
                DataType::Decimal256(digits, scale)
            }
        }
        (K::Float, _) => DataType::Float32,
        (K::Double, _) => DataType::Float64,
        (K::Year | K::Enum, _) => DataType::UInt16,
        (K::Bit | K::Set, _) => DataType::UInt64,
        (K::Date, _) => DataType::UInt32,
        (K::DateTime | K::Timestamp, _) => DataType::UInt64,
        (K::Time, _) => DataType::Int64,
        (K::Json, _) => DataType::BinaryView,
        (K::Geometry, _) => return Err(SqlError::not_supported_yet("GEOMETRY in a plan")),
        (_, _) => DataType::BinaryView,
    })
}

/// The field of a column of a type: its Arrow type, with the MySQL type and the
/// collation as metadata.
///
/// # Errors
///
/// As [`arrow_type`].
pub fn field(name: &str, ty: &SqlType) -> Result<Field> {
    let data_type = arrow_type(ty)?;
    let nullable = ty.nullable || ty.kind == TypeKind::Null;
    Ok(Field::new(name, data_type, nullable).with_metadata(metadata(ty)))
}

/// The same, of an expression: NULL may come out whatever MySQL's metadata says.
pub(super) fn result_field(name: &str, ty: &SqlType, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true).with_metadata(metadata(ty)))
}

fn metadata(ty: &SqlType) -> HashMap<String, String> {
    let kind = KINDS.iter().find(|(kind, _)| *kind == ty.kind).map_or("null", |(_, name)| name);
    let sign = if ty.unsigned { " unsigned" } else { "" };
    let text = format!("{kind}({},{}){sign}", ty.length, ty.decimals);
    let mut out = HashMap::from([(TYPE_KEY.to_owned(), text)]);
    if ty.kind.is_string()
        && let Some(collation) = Collation::by_id(ty.collation.0)
    {
        out.insert(COLLATION_KEY.to_owned(), collation.name().to_owned());
    }
    out
}

/// The type of a field: what its metadata says, or where there is none, the MySQL
/// type that comes nearest to the Arrow type.
///
/// # Errors
///
/// 1235 for Arrow types that have no MySQL type, and for metadata that is not ours.
pub fn sql_type(field: &Field) -> Result<SqlType> {
    let unknown = || {
        let what = format!("a column of Arrow's type {}", field.data_type());
        SqlError::not_supported_yet(&what)
    };
    let mut ty = match field.metadata().get(TYPE_KEY) {
        Some(text) => parsed(text).ok_or_else(unknown)?,
        None => nearest(field.data_type()).ok_or_else(unknown)?,
    };
    if let Some(name) = field.metadata().get(COLLATION_KEY) {
        let collation = Collation::by_name(name).ok_or_else(unknown)?;
        ty.collation = CollationId(collation.id());
    }
    if ty.kind.is_string() || ty.kind == TypeKind::Json {
        ty.derivation = Derivation::Implicit;
    }
    if ty.kind == TypeKind::Json {
        ty.collation = CollationId::UTF8MB4_BIN;
    }
    Ok(ty.with_nullable(field.is_nullable()))
}

/// `kind(length,decimals)[ unsigned]`
fn parsed(text: &str) -> Option<SqlType> {
    let (kind, rest) = text.split_once('(')?;
    let (numbers, sign) = rest.split_once(')')?;
    let (length, decimals) = numbers.split_once(',')?;
    let (kind, _) = KINDS.iter().find(|(_, name)| *name == kind)?;
    let mut ty = SqlType::plain(*kind, length.parse().ok()?, decimals.parse().ok()?);
    ty.unsigned = sign == " unsigned";
    if *kind == TypeKind::Null {
        ty.derivation = Derivation::Ignorable;
    }
    Some(ty)
}

fn nearest(data_type: &DataType) -> Option<SqlType> {
    use TypeKind as K;
    let number = |kind, length, unsigned| SqlType::plain(kind, length, 0).with_unsigned(unsigned);
    let text = |collation| {
        let mut ty = SqlType::varchar(u32::MAX, collation, Derivation::Implicit);
        ty.kind = K::LongText;
        ty
    };
    Some(match data_type {
        DataType::Null => SqlType::NULL,
        DataType::Boolean => SqlType::truth(),
        DataType::Int8 => number(K::TinyInt, 4, false),
        DataType::UInt8 => number(K::TinyInt, 3, true),
        DataType::Int16 => number(K::SmallInt, 6, false),
        DataType::UInt16 => number(K::SmallInt, 5, true),
        DataType::Int32 => number(K::Int, 11, false),
        DataType::UInt32 => number(K::Int, 10, true),
        DataType::Int64 => number(K::BigInt, 20, false),
        DataType::UInt64 => number(K::BigInt, 20, true),
        DataType::Float32 => SqlType::plain(K::Float, 12, NOT_FIXED_DECIMALS),
        DataType::Float64 => SqlType::plain(K::Double, 22, NOT_FIXED_DECIMALS),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            let scale = u8::try_from(*scale).ok().filter(|scale| *scale <= 30)?;
            SqlType::decimal((*precision).min(65), scale, false)
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            text(CollationId::UTF8MB4_0900_AI_CI)
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            text(CollationId::BINARY)
        }
        _ => return None,
    })
}

/// A value of a type as DataFusion has single values.
///
/// # Errors
///
/// As [`arrow_type`]; 1105 for a value that the type cannot hold.
pub fn scalar(value: &Value, ty: &SqlType) -> Result<ScalarValue> {
    let mut builder = ArrayBuilder::new(ty, 1)?;
    builder.push(value)?;
    let array = builder.finish()?;
    ScalarValue::try_from_array(&array, 0).map_err(|error| super::array::broken(&error.to_string()))
}
