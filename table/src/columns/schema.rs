//! MySQL's types as Arrow's.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use firn_mysql_semantics::TypeKind;
use firn_mysql_semantics::collation::Collation;

use super::{ROW_COLUMN, ROW_KEY_COLUMN};
use crate::descriptor::{ColumnDescriptor, TableDescriptor};
use crate::{DELETED_COLUMN, SEQ_COLUMN};

/// What names of Firn's own columns begin with.
const RESERVED: &str = "_firn_";

/// Metadata in which Arrow keeps Parquet's `field_id`.
pub(crate) const FIELD_ID: &str = "PARQUET:field_id";

/// The Arrow type of a column's values.
#[must_use]
pub fn arrow_type(column: &ColumnDescriptor) -> DataType {
    let ty = &column.ty;
    let integer = |signed, unsigned| if ty.unsigned { unsigned } else { signed };
    match ty.kind {
        TypeKind::TinyInt => integer(DataType::Int8, DataType::UInt8),
        TypeKind::SmallInt => integer(DataType::Int16, DataType::UInt16),
        TypeKind::MediumInt | TypeKind::Int => integer(DataType::Int32, DataType::UInt32),
        TypeKind::BigInt => integer(DataType::Int64, DataType::UInt64),
        TypeKind::Decimal => {
            let precision = ty.precision().clamp(1, 76) as u8;
            let scale = ty.decimals.min(precision) as i8;
            if precision <= 38 {
                DataType::Decimal128(precision, scale)
            } else {
                DataType::Decimal256(precision, scale)
            }
        }
        TypeKind::Float => DataType::Float32,
        TypeKind::Double => DataType::Float64,
        TypeKind::Bit => DataType::UInt64,
        TypeKind::Year => DataType::UInt16,
        TypeKind::Date => DataType::Date32,
        TypeKind::Time => DataType::Duration(TimeUnit::Microsecond),
        TypeKind::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
        TypeKind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
        TypeKind::Enum if column.members.is_empty() => DataType::UInt16,
        TypeKind::Set if column.members.is_empty() => DataType::UInt64,
        TypeKind::Enum | TypeKind::Set | TypeKind::Json => DataType::Utf8,
        TypeKind::Char
        | TypeKind::Varchar
        | TypeKind::TinyText
        | TypeKind::Text
        | TypeKind::MediumText
        | TypeKind::LongText => {
            let charset = Collation::by_id(ty.collation.0).map(Collation::charset);
            match charset {
                Some(set) if set.is_supported() && !set.is_binary() => DataType::Utf8,
                _ => DataType::Binary,
            }
        }
        TypeKind::Null | TypeKind::Geometry => DataType::Binary,
    }
}

/// The columns of a table's copy.
#[must_use]
pub fn arrow_schema(table: &TableDescriptor) -> SchemaRef {
    let mut fields: Vec<Field> = table
        .columns
        .iter()
        .filter(|column| column.is_stored())
        .map(|column| {
            let reserved = column.name.get(..RESERVED.len());
            let name = if reserved.is_some_and(|name| name.eq_ignore_ascii_case(RESERVED)) {
                format!("{}.{}", column.name, column.id.0)
            } else {
                column.name.clone()
            };
            let id = HashMap::from([(FIELD_ID.to_owned(), column.id.0.to_string())]);
            // Deletions have no values.
            Field::new(name, arrow_type(column), true).with_metadata(id)
        })
        .collect();
    fields.extend([
        Field::new(ROW_KEY_COLUMN, DataType::Binary, false),
        Field::new(ROW_COLUMN, DataType::Binary, true),
        Field::new(SEQ_COLUMN, DataType::UInt64, false),
        Field::new(DELETED_COLUMN, DataType::Boolean, false),
    ]);
    Arc::new(Schema::new(fields))
}
