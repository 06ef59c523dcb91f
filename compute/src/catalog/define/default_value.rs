//! The value of a column in rows that were there before it.

use firn_mysql_semantics::convert::{Column, StoreContext, store};
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_mysql_semantics::temporal::{Date, DateMode, DateTime};
use firn_mysql_semantics::{Derivation, SqlType, TypeKind, Value};
use firn_table::descriptor::{ColumnDefault, ColumnDescriptor};
use firn_table::timestamp_to_utc;

use super::members;
use crate::catalog::Facts;

/// What a row gets that says nothing of a column whose default is a constant or the
/// present: as the column holds it, TIMESTAMP in UTC. `None` if the default is an
/// expression, or if there is none.
///
/// # Errors
/// 1067 for a default that the column does not hold any more.
pub fn default_value(
    column: &ColumnDescriptor,
    facts: &Facts<'_>,
) -> Result<Option<Value>, SqlError> {
    let value = match &column.default {
        ColumnDefault::None | ColumnDefault::Expr(_) => return Ok(None),
        ColumnDefault::Null => return Ok(Some(Value::Null)),
        ColumnDefault::Now => {
            let micros = facts.now_micros;
            let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
            let Some(now) = facts.zone.from_utc(seconds, rest as u32) else {
                return Err(SqlError::new(code::ER_INVALID_DEFAULT, &[(&column.name).into()]));
            };
            stored(column, &Value::DateTime(cut(now, column.ty.decimals)), &column.ty, facts)?
        }
        ColumnDefault::Constant(bytes) if column.ty.kind == TypeKind::Bit => {
            let number = bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
            Value::UInt(number)
        }
        ColumnDefault::Constant(bytes) => {
            // A text of numbers and times is ASCII.
            let collation = if column.ty.kind.is_string() {
                column.ty.collation
            } else {
                firn_mysql_semantics::CollationId::UTF8MB4_BIN
            };
            let from = SqlType::varchar(bytes.len() as u32, collation, Derivation::Implicit);
            stored(column, &Value::bytes(bytes), &from, facts)?
        }
    };
    if let (TypeKind::Timestamp, Value::DateTime(local)) = (column.ty.kind, &value) {
        return Ok(Some(Value::DateTime(timestamp_to_utc(*local, facts.zone))));
    }
    Ok(Some(value))
}

/// Without digits that the column has not.
fn cut(now: DateTime, decimals: u8) -> DateTime {
    now.round(decimals, true).unwrap_or(now)
}

fn stored(
    column: &ColumnDescriptor,
    value: &Value,
    from: &SqlType,
    facts: &Facts<'_>,
) -> Result<Value, SqlError> {
    let members = members::stored(&column.members, column.ty.collation);
    let target =
        Column { name: &column.name, ty: &column.ty.with_nullable(true), members: &members };
    let mut notes = Warnings::default();
    let mut cx = StoreContext {
        strict: true,
        // It was looked at when it was defined.
        dates: DateMode::default(),
        truncate_fractions: facts.settings.truncate_fractions,
        zone: facts.zone,
        today: Date::from_day_number(719_528 + facts.now_micros.div_euclid(86_400_000_000))
            .unwrap_or_default(),
        row: 1,
        warnings: &mut notes,
    };
    store(value, from, &target, &mut cx)
        .map_err(|_| SqlError::new(code::ER_INVALID_DEFAULT, &[(&column.name).into()]))
}

/// What rows have in a column that is NOT NULL and has no default: the empty value of
/// its type. `None` if there is none that the mode takes: dates.
pub(crate) fn empty_value(column: &ColumnDescriptor, facts: &Facts<'_>) -> Option<Value> {
    let ty = &column.ty;
    Some(match ty.kind {
        kind if kind.is_integer() && !ty.unsigned => Value::Int(0),
        TypeKind::TinyInt
        | TypeKind::SmallInt
        | TypeKind::MediumInt
        | TypeKind::Int
        | TypeKind::BigInt
        | TypeKind::Bit
        | TypeKind::Year
        | TypeKind::Set => Value::UInt(0),
        // The first member.
        TypeKind::Enum => Value::UInt(1),
        TypeKind::Float => Value::Float(0.0),
        TypeKind::Double => Value::Double(0.0),
        TypeKind::Decimal => {
            Value::Decimal(firn_mysql_semantics::decimal::Decimal::new(0, ty.decimals)?)
        }
        TypeKind::Time => Value::Time(Default::default()),
        TypeKind::Date | TypeKind::DateTime | TypeKind::Timestamp => {
            if facts.settings.strict && facts.settings.no_zero_date {
                return None;
            }
            match ty.kind {
                TypeKind::Date => Value::Date(Date::default()),
                _ => Value::DateTime(DateTime::default()),
            }
        }
        TypeKind::Char if ty.is_binary_string() => Value::from(vec![0; ty.length as usize]),
        kind if kind.is_string() => Value::bytes(b""),
        _ => return None,
    })
}
