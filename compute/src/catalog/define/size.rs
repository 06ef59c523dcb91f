//! Sizes in bytes that MySQL's limits on keys and rows count.

use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::{SqlType, TypeKind};
use firn_table::descriptor::{ColumnDescriptor, TableDescriptor};

use super::data_type::{ROW_BYTES_MAX, charset_of};

fn decimal_bytes(digits: u64) -> u64 {
    const LEFTOVER: [u64; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
    digits / 9 * 4 + LEFTOVER[(digits % 9) as usize]
}

/// Bytes of a value in a key, apart from its length and from whether it is NULL.
pub(super) fn key_bytes(ty: &SqlType, members: usize) -> u64 {
    let fraction = u64::from(ty.decimals).div_ceil(2);
    let chars = u64::from(ty.length);
    match ty.kind {
        TypeKind::Null => 0,
        TypeKind::TinyInt | TypeKind::Year => 1,
        TypeKind::SmallInt => 2,
        TypeKind::MediumInt | TypeKind::Date => 3,
        TypeKind::Int | TypeKind::Float => 4,
        TypeKind::BigInt | TypeKind::Double => 8,
        TypeKind::Decimal => {
            let scale = u64::from(ty.decimals);
            decimal_bytes(u64::from(ty.precision()).saturating_sub(scale)) + decimal_bytes(scale)
        }
        TypeKind::Bit => chars.div_ceil(8),
        TypeKind::Time => 3 + fraction,
        TypeKind::DateTime => 5 + fraction,
        TypeKind::Timestamp => 4 + fraction,
        TypeKind::Char | TypeKind::Varchar => chars * charset_of(ty.collation).max_bytes() as u64,
        TypeKind::TinyText | TypeKind::Text | TypeKind::MediumText | TypeKind::LongText => chars,
        TypeKind::Enum => 1 + u64::from(members > 255),
        TypeKind::Set => match members.div_ceil(8) as u64 {
            bytes @ 0..=4 => bytes.max(1),
            _ => 8,
        },
        TypeKind::Json | TypeKind::Geometry => u64::from(u32::MAX),
    }
}

/// Bytes of a column in MySQL's row.
fn row_bytes(column: &ColumnDescriptor) -> u64 {
    let ty = &column.ty;
    match ty.kind {
        TypeKind::Varchar => {
            let bytes = key_bytes(ty, 0);
            bytes + if bytes > 255 { 2 } else { 1 }
        }
        TypeKind::TinyText => 9,
        TypeKind::Text => 10,
        TypeKind::MediumText => 11,
        TypeKind::LongText | TypeKind::Json | TypeKind::Geometry => 12,
        _ => key_bytes(ty, column.members.len()),
    }
}

/// Errors: 1118.
pub(super) fn check_row(table: &TableDescriptor) -> Result<(), SqlError> {
    let columns = || table.columns.iter().filter(|column| !column.hidden);
    let nulls = columns().filter(|column| column.ty.nullable).count() as u64;
    let bytes = columns().map(row_bytes).sum::<u64>() + nulls.div_ceil(8);
    if bytes > ROW_BYTES_MAX {
        return Err(SqlError::new(code::ER_TOO_BIG_ROWSIZE, &[ROW_BYTES_MAX.into()]));
    }
    Ok(())
}
