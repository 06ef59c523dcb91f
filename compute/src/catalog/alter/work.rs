//! What has to be done with the rows that are there.

use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::{SqlType, Value};
use firn_table::descriptor::{
    ColumnDefault, ColumnDescriptor, IndexId, IndexKind, TableDescriptor,
};
use firn_table::key::same_key_form;
use firn_table::row::{encode_cell, reads_as};

use super::Asked;
use crate::catalog::Facts;
use crate::catalog::define::{default_value, empty_value};

/// Layouts that a table may have before its rows are written anew.
const LAYOUTS_MAX: usize = 64;

/// What has to be done before the new descriptor holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Work {
    /// Nothing: the rows that are there can be read by it.
    #[default]
    None,
    /// The rows are read, and stay.
    Scan {
        /// Indexes whose entries have to be made of them; unique ones may fail (1062).
        fill: Vec<IndexId>,
        /// Names of checks that they have to pass (3819).
        checks: Vec<String>,
        /// Names of foreign keys whose parents they must have (1452).
        foreign_keys: Vec<String>,
    },
    /// Every row is written anew into the space of the new descriptor: columns are
    /// matched by their ids, values stored into the new types as INSERT would
    /// (1265, 1406 and such), new columns take their defaults, stored generated columns
    /// are computed, and all indexes, checks and foreign keys are made and checked.
    Copy,
}

impl Work {
    /// Whether the rows are not looked at.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// What `after` asks for, and the values of instantly added columns in it.
pub(super) fn needed(
    before: &TableDescriptor,
    after: &mut TableDescriptor,
    asked: &Asked,
    facts: &Facts<'_>,
) -> Result<Work, SqlError> {
    if asked.force || after.layouts.len() > LAYOUTS_MAX || !same_rows_key(before, after) {
        return Ok(Work::Copy);
    }
    let mut copy = false;
    for at in 0..after.columns.len() {
        let column = &after.columns[at];
        match before.column(column.id) {
            Some(was) => copy |= !reads_alike(before, was, after, column),
            None if column.is_virtual() => {}
            None => match instant_default(column, facts)? {
                Some(value) => after.columns[at].instant_default = value,
                None => copy = true,
            },
        }
    }
    if copy {
        return Ok(Work::Copy);
    }
    let fill: Vec<_> = after
        .indexes
        .iter()
        .filter(|index| !before.indexes.iter().any(|was| was.id == index.id))
        .map(|index| index.id)
        .collect();
    let checks: Vec<_> = after
        .checks
        .iter()
        .filter(|check| check.enforced && !before.checks.iter().any(|was| was == *check))
        .map(|check| check.name.clone())
        .collect();
    let foreign_keys: Vec<_> = after
        .foreign_keys
        .iter()
        .filter(|key| facts.foreign_key_checks && !before.foreign_keys.contains(key))
        .map(|key| key.name.clone())
        .collect();
    if fill.is_empty() && checks.is_empty() && foreign_keys.is_empty() {
        return Ok(Work::None);
    }
    Ok(Work::Scan { fill, checks, foreign_keys })
}

/// Why nobody may write meanwhile, where MySQL copies the table.
pub(super) const COPY_LOCKS: &str = "COPY algorithm requires a lock";

/// Why nobody may write to the table while the work is done, in MySQL's words; empty where
/// it has none. `None` if others may write.
pub(super) fn hindrance(
    before: &TableDescriptor,
    after: &TableDescriptor,
    work: &Work,
) -> Option<&'static str> {
    let new_checks = after
        .checks
        .iter()
        .any(|check| check.enforced && !before.checks.iter().any(|was| was == check));
    let new_keys = after.foreign_keys.iter().any(|key| !before.foreign_keys.contains(key));
    match work {
        Work::None => return None,
        Work::Scan { checks, foreign_keys, .. } => {
            return if !checks.is_empty() {
                Some(COPY_LOCKS)
            } else if !foreign_keys.is_empty() {
                Some("Adding foreign keys needs foreign_key_checks=OFF")
            } else {
                None
            };
        }
        Work::Copy if new_checks || new_keys => return Some(COPY_LOCKS),
        Work::Copy => {}
    }
    for column in &after.columns {
        let was = before.column(column.id);
        if column.auto_increment && !was.is_some_and(|was| was.auto_increment) {
            return Some("Adding an auto-increment column requires a lock");
        }
        let Some(was) = was else {
            // Each row gets a value of its own.
            if column.is_stored() || matches!(column.default, ColumnDefault::Expr(_)) {
                return Some("");
            }
            continue;
        };
        let ty = SqlType { nullable: column.ty.nullable, ..was.ty };
        if ty != column.ty || was.members != column.members {
            return Some("Cannot change column type INPLACE");
        }
        if was.generated != column.generated {
            return Some("");
        }
    }
    if before.primary().is_some() && after.primary().is_none() {
        return Some("Dropping a primary key is not allowed without also adding a new primary key");
    }
    None
}

/// Whether rows are under the same keys.
fn same_rows_key(before: &TableDescriptor, after: &TableDescriptor) -> bool {
    match (before.primary(), after.primary()) {
        (None, None) => true,
        (Some(one), Some(other)) => one.parts == other.parts,
        _ => false,
    }
}

/// Whether stored values of a column, in rows and in indexes, are as good as before.
fn reads_alike(
    before: &TableDescriptor,
    was: &ColumnDescriptor,
    after: &TableDescriptor,
    now: &ColumnDescriptor,
) -> bool {
    let same_members = now.members.starts_with(&was.members);
    let same_expr = was.generated == now.generated;
    if was.is_virtual() && now.is_virtual() {
        let indexed =
            after.indexes.iter().any(|index| index.parts.iter().any(|part| part.column == now.id));
        return !indexed || (same_expr && was.ty == now.ty && same_members);
    }
    if !same_expr || !same_members || !reads_as(&was.ty, &now.ty) {
        return false;
    }
    // Rows may hold NULL.
    if was.ty.nullable && !now.ty.nullable {
        return false;
    }
    // What was no number of its own before has to be counted.
    if !was.auto_increment && now.auto_increment {
        return false;
    }
    let indexed = before
        .indexes
        .iter()
        .filter(|index| after.indexes.iter().any(|kept| kept.id == index.id))
        .any(|index| index.parts.iter().any(|part| part.column == now.id));
    if indexed && !same_key_form(&was.ty, &now.ty) {
        return false;
    }
    // Values computed from it may be others now.
    was.ty == now.ty || !feeds_stored(after, &now.name)
}

/// Whether something that is stored is computed from the column.
fn feeds_stored(table: &TableDescriptor, name: &str) -> bool {
    use crate::catalog::define::names_column;
    table
        .columns
        .iter()
        .filter(|column| {
            column.is_stored()
                || table
                    .indexes
                    .iter()
                    .any(|index| index.parts.iter().any(|part| part.column == column.id))
        })
        .filter_map(|column| column.generated.as_ref())
        .any(|generated| names_column(&generated.expr, name).unwrap_or(true))
}

/// The value of an added column in rows that are there: as a cell, `Some(None)` for
/// NULL. `None` if it differs from row to row, or has to be looked at for each.
fn instant_default(
    column: &ColumnDescriptor,
    facts: &Facts<'_>,
) -> Result<Option<Option<Vec<u8>>>, SqlError> {
    if column.auto_increment || column.generated.is_some() {
        return Ok(None);
    }
    let value = match &column.default {
        ColumnDefault::Expr(_) => return Ok(None),
        ColumnDefault::None => match empty_value(column, facts) {
            Some(value) if !column.ty.nullable => value,
            None if !column.ty.nullable => return Ok(None),
            _ => Value::Null,
        },
        _ => match default_value(column, facts)? {
            Some(value) => value,
            None => return Ok(None),
        },
    };
    if value.is_null() {
        return Ok(Some(None));
    }
    Ok(encode_cell(&column.ty, &value).map(Some))
}

/// Indexes of the old descriptor whose entries are of no use to the new one.
pub(in crate::catalog) fn gone(before: &TableDescriptor, after: &TableDescriptor) -> Vec<IndexId> {
    before
        .indexes
        .iter()
        .filter(|index| index.kind != IndexKind::Primary)
        .filter(|index| !after.indexes.iter().any(|kept| kept.id == index.id))
        .map(|index| index.id)
        .collect()
}
