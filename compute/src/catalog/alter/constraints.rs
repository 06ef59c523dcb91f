//! Indexes and constraints that go or change.

use firn_mysql_parser::ast::AlterAction;
use firn_mysql_semantics::error::{Arg, SqlError, code};
use firn_table::descriptor::{
    ColumnId, ForeignKey, IndexDescriptor, IndexKind, TableDescriptor, same_name,
};

use super::{cannot_drop, index_place};
use crate::catalog::define::Builder;

/// Indexes that are renamed or hidden have to be there.
///
/// Errors: 1176.
pub(super) fn check_named(
    table: &TableDescriptor,
    actions: &[AlterAction],
) -> Result<(), SqlError> {
    for action in actions {
        if let AlterAction::SetIndexVisible(name, _) | AlterAction::RenameIndex(name, _) = action
            && index_place(table, name.as_str()).is_none()
        {
            return Err(unknown_key(name.as_str(), table));
        }
    }
    Ok(())
}

/// DROP of an index, a key, a check.
///
/// Errors: 1091, 1553, 3821, 3940.
pub(super) fn drop(
    builder: &mut Builder<'_>,
    before: &TableDescriptor,
    action: &AlterAction,
) -> Result<(), SqlError> {
    let table = &mut builder.table;
    match action {
        AlterAction::DropPrimaryKey => {
            let Some(at) = index_place(table, "PRIMARY") else {
                return Err(cannot_drop("PRIMARY"));
            };
            table.indexes.remove(at);
        }
        AlterAction::DropIndex(name) => {
            if index_place(before, name.as_str()).is_none() {
                return Err(cannot_drop(name.as_str()));
            }
            drop_index(table, name.as_str())?;
        }
        AlterAction::DropForeignKey(name) => drop_foreign_key(table, name.as_str())?,
        AlterAction::DropCheck(name) => {
            let found = table.checks.iter().position(|check| same_name(&check.name, name.as_str()));
            let Some(at) = found else {
                let args = [Arg::Str(name.as_str())];
                return Err(SqlError::new(code::ER_CHECK_CONSTRAINT_NOT_FOUND, &args));
            };
            table.checks.remove(at);
        }
        AlterAction::DropConstraint(name) => drop_constraint(table, name.as_str())?,
        _ => {}
    }
    Ok(())
}

fn drop_index(table: &mut TableDescriptor, name: &str) -> Result<(), SqlError> {
    let Some(at) = index_place(table, name) else { return Err(cannot_drop(name)) };
    let index = table.indexes.remove(at);
    // Hidden columns of its expressions go with it.
    let ids: Vec<_> = index.parts.iter().map(|part| part.column).collect();
    table.columns.retain(|column| !(column.hidden && ids.contains(&column.id)));
    Ok(())
}

fn drop_foreign_key(table: &mut TableDescriptor, name: &str) -> Result<(), SqlError> {
    let found = table.foreign_keys.iter().position(|key| same_name(&key.name, name));
    let Some(at) = found else { return Err(cannot_drop(name)) };
    table.foreign_keys.remove(at);
    Ok(())
}

/// Of whatever kind it is.
fn drop_constraint(table: &mut TableDescriptor, name: &str) -> Result<(), SqlError> {
    if let Some(at) = table.checks.iter().position(|check| same_name(&check.name, name)) {
        table.checks.remove(at);
        return Ok(());
    }
    if table.foreign_keys.iter().any(|key| same_name(&key.name, name)) {
        return drop_foreign_key(table, name);
    }
    match index_place(table, name) {
        Some(at) if table.indexes[at].kind != IndexKind::Plain => drop_index(table, name),
        _ => Err(SqlError::new(code::ER_CONSTRAINT_NOT_FOUND, &[name.into()])),
    }
}

fn unknown_key(name: &str, table: &TableDescriptor) -> SqlError {
    SqlError::new(code::ER_KEY_DOES_NOT_EXITS, &[name.into(), (&table.name).into()])
}

/// RENAME INDEX.
///
/// Errors: 1061, 1176, 1280.
pub(super) fn rename_index(
    table: &mut TableDescriptor,
    action: &AlterAction,
) -> Result<(), SqlError> {
    let AlterAction::RenameIndex(from, to) = action else { return Ok(()) };
    let Some(at) = index_place(table, from.as_str()) else {
        return Err(unknown_key(from.as_str(), table));
    };
    let name = to.as_str();
    if table.indexes[at].kind == IndexKind::Primary || same_name(name, "PRIMARY") {
        return Err(SqlError::new(code::ER_WRONG_NAME_FOR_INDEX, &[name.into()]));
    }
    crate::catalog::name::check_length(name)?;
    if let Some(other) = index_place(table, name).filter(|other| *other != at) {
        let known = &table.indexes[other].name;
        return Err(SqlError::new(code::ER_DUP_KEYNAME, &[known.into()]));
    }
    table.indexes[at].name = name.to_owned();
    Ok(())
}

/// Visibility, enforcement: when everything else is as it will be.
///
/// Errors: 1176, 3522, 3821, 3940, 3941.
pub(super) fn adjust(table: &mut TableDescriptor, action: &AlterAction) -> Result<(), SqlError> {
    match action {
        AlterAction::SetIndexVisible(name, visible) => {
            let Some(at) = index_place(table, name.as_str()) else {
                return Err(unknown_key(name.as_str(), table));
            };
            if table.indexes[at].kind == IndexKind::Primary && !visible {
                return Err(SqlError::new(code::ER_PK_INDEX_CANT_BE_INVISIBLE, &[]));
            }
            table.indexes[at].invisible = !visible;
        }
        AlterAction::SetCheckEnforced(name, enforced) => {
            let name = name.as_str();
            let found = table.checks.iter_mut().find(|check| same_name(&check.name, name));
            let Some(check) = found else {
                return Err(SqlError::new(code::ER_CHECK_CONSTRAINT_NOT_FOUND, &[name.into()]));
            };
            check.enforced = *enforced;
        }
        AlterAction::SetConstraintEnforced(name, enforced) => {
            let name = name.as_str();
            if let Some(check) = table.checks.iter_mut().find(|check| same_name(&check.name, name))
            {
                check.enforced = *enforced;
                return Ok(());
            }
            let unique = index_place(table, name)
                .is_some_and(|at| table.indexes[at].kind != IndexKind::Plain);
            let other = unique || table.foreign_keys.iter().any(|key| same_name(&key.name, name));
            let number = if other {
                code::ER_ALTER_CONSTRAINT_ENFORCEMENT_NOT_SUPPORTED
            } else {
                code::ER_CONSTRAINT_NOT_FOUND
            };
            return Err(SqlError::new(number, &[name.into()]));
        }
        _ => {}
    }
    Ok(())
}

/// Foreign keys need an index on either side. `referring` are those of other tables, by
/// the names that columns have now.
///
/// Errors: 1553.
pub(super) fn check_serving(
    before: &TableDescriptor,
    after: &TableDescriptor,
    referring: &[ForeignKey],
) -> Result<(), SqlError> {
    let lost = |columns: &[ColumnId]| {
        let serves = |index: &&IndexDescriptor| {
            index.parts.len() >= columns.len()
                && index.parts.iter().zip(columns).all(|(part, column)| part.column == *column)
        };
        let serving = before.indexes.iter().find(serves)?;
        let kept = after.indexes.iter().any(|index| serves(&index));
        (!kept).then(|| serving.name.clone())
    };
    let own = after.foreign_keys.iter().map(|key| key.columns.clone());
    let theirs = referring.iter().map(|key| {
        let places = key.parent_columns.iter().filter_map(|name| after.column_named(name));
        places.map(|at| after.columns[at].id).collect::<Vec<_>>()
    });
    for columns in own.chain(theirs) {
        if let Some(index) = lost(&columns) {
            return Err(SqlError::new(code::ER_DROP_INDEX_FK, &[(&index).into()]));
        }
    }
    Ok(())
}
