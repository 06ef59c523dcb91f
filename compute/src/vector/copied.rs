//! A table's columns as their Parquet copies have them, in the types of plans.
//!
//! Copies are for any reader, so dates are Arrow's and ENUMs are texts there
//! (`firn_table::columns`); in plans both are MySQL's numbers (`mysql/semantics`, `vector`).
//! What has no such way back, or a slow one, is read from rows: JSON, SET, texts that are not
//! in UTF-8.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, DurationMicrosecondType, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Int64Array, UInt16Array, UInt32Array, UInt64Array};
use arrow_schema::{DataType, TimeUnit};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_mysql_semantics::expr::Cx;
use firn_mysql_semantics::temporal::{Date, DateTime};
use firn_mysql_semantics::vector::arrow_type;
use firn_mysql_semantics::{TypeKind, Value};
use firn_table::columns::arrow_type as copied_type;
use firn_table::descriptor::ColumnDescriptor;

use super::scan::Source;
use crate::zone;

/// Day number of 1970-01-01, as [`Date::day_number`] counts.
const EPOCH_DAY: i64 = 719_528;
const DAY_MICROS: i64 = 86_400_000_000;

/// Whether a column can be read from copies.
pub(super) fn is_copied(column: &ColumnDescriptor) -> bool {
    let (Ok(planned), copied) = (arrow_type(&column.ty), copied_type(column)) else { return false };
    match (&copied, column.ty.kind) {
        (_, TypeKind::Json | TypeKind::Set) => false,
        (DataType::Utf8, TypeKind::Enum) => true,
        (DataType::Utf8, _) => {
            let charset = Collation::by_id(column.ty.collation.0).map(Collation::charset);
            charset.is_some_and(|set| matches!(set.name(), "utf8mb4" | "utf8mb3" | "ascii"))
        }
        (DataType::Binary, _) => planned == DataType::BinaryView,
        (DataType::Date32 | DataType::Duration(_) | DataType::Timestamp(..), _) => true,
        (copied, _) => *copied == planned,
    }
}

/// Whether a copy that has a column as `found` has it as `column` is today.
pub(super) fn is_as_today(column: &ColumnDescriptor, found: &DataType) -> bool {
    match copied_type(column) {
        DataType::Utf8 => *found == DataType::Utf8,
        today => today == *found,
    }
}

#[cold]
fn unfit() -> SqlError {
    SqlError::with_message(code::ER_UNKNOWN_ERROR, "a copy holds what its column cannot")
}

/// A column of a copy, in the type that plans have it in.
///
/// # Errors
/// 1105 for what the column does not have.
pub(super) fn planned(
    array: &ArrayRef,
    column: &ColumnDescriptor,
    source: &Source,
) -> Result<ArrayRef, SqlError> {
    Ok(match array.data_type() {
        DataType::Utf8View if column.ty.kind == TypeKind::Enum => members(array, column)?,
        DataType::Utf8View => Arc::new(array.as_string_view().clone().to_binary_view()),
        DataType::Date32 => {
            let known = near_days();
            let packed: UInt32Array = array.as_primitive::<Date32Type>().try_unary(|day| {
                let near = usize::try_from(day - NEAR_FIRST).ok().and_then(|at| known.get(at));
                near.copied().map_or_else(|| packed_day(day), Ok)
            })?;
            Arc::new(packed)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            let micros: Int64Array = array.as_primitive::<DurationMicrosecondType>().unary(|it| it);
            Arc::new(micros)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let moments = array.as_primitive::<TimestampMicrosecondType>();
            let packed: UInt64Array = match column.ty.kind {
                TypeKind::Timestamp => {
                    let (mut session, mut warnings) = (source.session.lock(), Warnings::default());
                    let cx = Cx::new(&source.settings, &mut *session, &mut warnings);
                    moments.try_unary(|micros| {
                        let stored = Value::DateTime(moment(micros)?);
                        match zone::from_utc(stored, &column.ty, &cx) {
                            Value::DateTime(local) => Ok(local.packed()),
                            _ => Err(unfit()),
                        }
                    })?
                }
                _ => moments.try_unary(|micros| moment(micros).map(DateTime::packed))?,
            };
            Arc::new(packed)
        }
        _ => Arc::clone(array),
    })
}

/// Days since 1970 of 1950-01-01, and how many from there on are known by heart: a century.
const NEAR_FIRST: i32 = -7_305;
const NEAR_DAYS: i32 = 36_525;

/// Most dates: working out year and month costs more than reading the copy.
fn near_days() -> &'static [u32] {
    static KNOWN: LazyLock<Vec<u32>> = LazyLock::new(|| {
        let days = NEAR_FIRST..NEAR_FIRST + NEAR_DAYS;
        days.map(|day| packed_day(day).unwrap_or_default()).collect()
    });
    &KNOWN
}

fn packed_day(day: i32) -> Result<u32, SqlError> {
    let date = Date::from_day_number(i64::from(day) + EPOCH_DAY);
    date.map(Date::packed).ok_or_else(unfit)
}

fn moment(micros: i64) -> Result<DateTime, SqlError> {
    DateTime::from_linear_micros(micros + EPOCH_DAY * DAY_MICROS).ok_or_else(unfit)
}

/// The numbers of an ENUM's members.
fn members(array: &ArrayRef, column: &ColumnDescriptor) -> Result<ArrayRef, SqlError> {
    let names = column.members.iter().map(String::as_str);
    let numbers: BTreeMap<&str, u16> = names.zip(1..).collect();
    let number = |name: Option<&str>| match name {
        Some(name) => numbers.get(name).copied().map(Some).ok_or_else(unfit),
        None => Ok(None),
    };
    let numbers: UInt16Array =
        array.as_string_view().iter().map(number).collect::<Result<_, _>>()?;
    Ok(Arc::new(numbers))
}
