//! Columns that go, change and come.

use firn_mysql_parser::ast::{AlterAction, ColumnDef, Ident, Position, TableElement};
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::error::{Arg, SqlError, Warnings, code};
use firn_mysql_semantics::{CollationId, TypeKind};
use firn_table::descriptor::{
    ColumnDefault, ColumnDescriptor, ColumnId, TableDescriptor, same_name,
};

use super::{cannot_drop, place};
use crate::catalog::Facts;
use crate::catalog::define::{Builder, alter_default, charset_of, collation_of, names_column};

/// Types of all columns that are defined, before anything else is looked at.
pub(super) fn read_types<'a>(
    builder: &mut Builder<'a>,
    action: &'a AlterAction,
) -> Result<(), SqlError> {
    match action {
        AlterAction::AddColumn { column, .. }
        | AlterAction::Modify { column, .. }
        | AlterAction::Change { column, .. }
        | AlterAction::Add(TableElement::Column(column)) => builder.read_type(column),
        AlterAction::AddElements(elements) => {
            elements.iter().try_for_each(|element| match element {
                TableElement::Column(column) => builder.read_type(column),
                _ => Ok(()),
            })
        }
        _ => Ok(()),
    }
}

/// Dropping as many columns as there are, and adding none, is refused before anything else.
///
/// Errors: 1090.
pub(super) fn check_some_left(
    table: &TableDescriptor,
    actions: &[AlterAction],
) -> Result<(), SqlError> {
    let dropped =
        actions.iter().filter(|action| matches!(action, AlterAction::DropColumn(_))).count();
    let added = actions.iter().any(|action| match action {
        AlterAction::AddColumn { .. } | AlterAction::Add(TableElement::Column(_)) => true,
        AlterAction::AddElements(elements) => {
            elements.iter().any(|element| matches!(element, TableElement::Column(_)))
        }
        _ => false,
    });
    let columns = table.columns.iter().filter(|column| !column.hidden).count();
    if dropped >= columns && !added {
        return Err(SqlError::new(code::ER_CANT_REMOVE_ALL_FIELDS, &[]));
    }
    Ok(())
}

/// A column takes part in one of the actions only.
///
/// Errors: 1054.
pub(super) fn check_once(table: &TableDescriptor, actions: &[AlterAction]) -> Result<(), SqlError> {
    let mut taken: Vec<usize> = Vec::new();
    // As the server goes through them: definitions first, then defaults.
    let first = actions.iter().filter_map(|action| match action {
        AlterAction::Modify { column, .. } => Some(&column.name),
        AlterAction::Change { name, .. } | AlterAction::RenameColumn(name, _) => Some(name),
        _ => None,
    });
    let then = actions.iter().filter_map(|action| match action {
        AlterAction::SetDefault { column, .. }
        | AlterAction::DropDefault(column)
        | AlterAction::SetColumnVisible(column, _) => Some(column),
        _ => None,
    });
    let definitions = first.map(|name| (name, true));
    for (name, definition) in definitions.chain(then.map(|name| (name, false))) {
        let Some(at) = table.column_named(name.as_str()) else {
            if definition {
                return Err(SqlError::unknown_column(name.as_str(), &table.name));
            }
            continue;
        };
        if taken.contains(&at) {
            return Err(SqlError::unknown_column(name.as_str(), &table.name));
        }
        if definition {
            taken.push(at);
        }
    }
    Ok(())
}

/// Takes columns out, with what of indexes and checks depends on them alone.
///
/// Errors: 1091, 1828, 3108, 3766, 3837, 3959.
pub(super) fn drop(builder: &mut Builder<'_>, names: &[&Ident]) -> Result<(), SqlError> {
    let mut going: Vec<ColumnId> = Vec::new();
    for name in names {
        let Some(at) = builder.table.column_named(name.as_str()) else {
            return Err(cannot_drop(name.as_str()));
        };
        let id = builder.table.columns[at].id;
        if going.contains(&id) {
            return Err(cannot_drop(name.as_str()));
        }
        going.push(id);
    }
    if going.is_empty() {
        return Ok(());
    }
    for id in &going {
        let Some(column) = builder.table.column(*id) else { continue };
        let name = column.name.clone();
        check_not_used(&builder.table, &name, &going)?;
        if let Some(key) = builder.table.foreign_keys.iter().find(|key| key.columns.contains(id)) {
            let args = [Arg::Str(&name), Arg::Str(&key.name)];
            return Err(SqlError::new(code::ER_FK_COLUMN_CANNOT_DROP, &args));
        }
        drop_own_checks(&mut builder.table, &name)?;
    }
    let table = &mut builder.table;
    table.columns.retain(|column| !going.contains(&column.id));
    for index in &mut table.indexes {
        index.parts.retain(|part| !going.contains(&part.column));
    }
    table.indexes.retain(|index| !index.parts.is_empty());
    Ok(())
}

/// Expressions of other columns, and checks of more than this one, hold a column.
fn check_not_used(table: &TableDescriptor, name: &str, going: &[ColumnId]) -> Result<(), SqlError> {
    for other in &table.columns {
        if going.contains(&other.id) {
            continue;
        }
        if let Some(generated) = &other.generated
            && names_column(&generated.expr, name)?
        {
            let number = if other.hidden {
                code::ER_DEPENDENT_BY_FUNCTIONAL_INDEX
            } else {
                code::ER_DEPENDENT_BY_GENERATED_COLUMN
            };
            return Err(SqlError::new(number, &[name.into()]));
        }
        if let ColumnDefault::Expr(expr) = &other.default
            && names_column(expr, name)?
        {
            let args = [Arg::Str(name), Arg::Str(&table.name)];
            return Err(SqlError::new(code::ER_DEPENDENT_BY_DEFAULT_GENERATED_VALUE, &args));
        }
    }
    for check in &table.checks {
        if !names_column(&check.expr, name)? {
            continue;
        }
        let mut others = table.columns.iter().filter(|other| !same_name(&other.name, name));
        if others.try_fold(false, |found, other| {
            Ok::<_, SqlError>(found || names_column(&check.expr, &other.name)?)
        })? {
            let args = [Arg::Str(&check.name), Arg::Str(name)];
            return Err(SqlError::new(code::ER_DEPENDENT_BY_CHECK_CONSTRAINT, &args));
        }
    }
    Ok(())
}

/// Checks that are about no other column go with it.
fn drop_own_checks(table: &mut TableDescriptor, name: &str) -> Result<(), SqlError> {
    let mut kept = Vec::with_capacity(table.checks.len());
    for check in std::mem::take(&mut table.checks) {
        let mut others = table.columns.iter().filter(|other| !same_name(&other.name, name));
        let named = others.try_fold(false, |found, other| {
            Ok::<_, SqlError>(found || names_column(&check.expr, &other.name)?)
        })?;
        if named {
            kept.push(check);
        }
    }
    table.checks = kept;
    Ok(())
}

/// Old and new names of columns.
///
/// Errors: 1054.
pub(super) fn renames(
    table: &TableDescriptor,
    actions: &[AlterAction],
) -> Result<Vec<(String, String)>, SqlError> {
    let mut out = Vec::new();
    for action in actions {
        let (from, to) = match action {
            AlterAction::RenameColumn(from, to) => (from, to),
            AlterAction::Change { name, column, .. } => (name, &column.name),
            _ => continue,
        };
        let at = place(table, from)?;
        if !same_name(from.as_str(), to.as_str()) {
            out.push((table.columns[at].name.clone(), to.as_str().to_owned()));
        }
    }
    Ok(out)
}

/// No expression may name a column that is called otherwise now.
///
/// Errors: 3108, 3766, 3837, 3959.
pub(super) fn check_renames(
    table: &TableDescriptor,
    renames: &[(String, String)],
) -> Result<(), SqlError> {
    for (from, _) in renames {
        for check in &table.checks {
            if names_column(&check.expr, from)? {
                let args = [Arg::Str(&check.name), Arg::Str(from)];
                return Err(SqlError::new(code::ER_DEPENDENT_BY_CHECK_CONSTRAINT, &args));
            }
        }
        check_not_used(table, from, &[])?;
    }
    Ok(())
}

/// MODIFY, CHANGE, RENAME COLUMN, ALTER COLUMN.
pub(super) fn change<'a>(
    builder: &mut Builder<'a>,
    before: &TableDescriptor,
    action: &'a AlterAction,
) -> Result<(), SqlError> {
    match action {
        AlterAction::Modify { column, position } => {
            redefine(builder, before, &column.name, column, position.as_ref())
        }
        AlterAction::Change { name, column, position } => {
            redefine(builder, before, name, column, position.as_ref())
        }
        AlterAction::RenameColumn(from, to) => {
            // Names swap: the one meant is that of the table as it was.
            let id = before.columns[place(before, from)?].id;
            crate::catalog::name::check_column_name(to.as_str())?;
            let Some(column) = builder.table.columns.iter_mut().find(|column| column.id == id)
            else {
                return Err(SqlError::unknown_column(from.as_str(), &before.name));
            };
            column.name = to.as_str().to_owned();
            Ok(())
        }
        AlterAction::SetDefault { column, expr, parens } => {
            let at = place(&builder.table, column)?;
            alter_default(builder, at, expr, *parens)
        }
        AlterAction::DropDefault(column) => {
            let at = place(&builder.table, column)?;
            builder.table.columns[at].default = ColumnDefault::None;
            Ok(())
        }
        AlterAction::SetColumnVisible(column, visible) => {
            let at = place(&builder.table, column)?;
            builder.table.columns[at].invisible = !visible;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn redefine<'a>(
    builder: &mut Builder<'a>,
    before: &TableDescriptor,
    name: &Ident,
    column: &'a ColumnDef,
    position: Option<&Position>,
) -> Result<(), SqlError> {
    let id = before.columns[place(before, name)?].id;
    let Some(at) = builder.table.columns.iter().position(|column| column.id == id) else {
        return Err(SqlError::unknown_column(name.as_str(), &before.name));
    };
    let was = builder.table.columns[at].clone();
    let at = builder.column(column, Some(at))?;
    // A column of the primary key is NOT NULL whether that is said again or not.
    let primary = builder.table.primary();
    let in_primary = primary.is_some_and(|index| index.parts.iter().any(|part| part.column == id));
    if in_primary {
        builder.keep_not_null(at)?;
    }
    if was.is_stored() != builder.table.columns[at].is_stored() {
        return Err(SqlError::new(
            code::ER_UNSUPPORTED_ACTION_ON_GENERATED_COLUMN,
            &["Changing the STORED status".into()],
        ));
    }
    refit_prefixes(&mut builder.table, id)?;
    reposition(&mut builder.table, at, position)
}

/// Prefixes that are as long as the column now are none; longer ones are wrong.
fn refit_prefixes(table: &mut TableDescriptor, id: ColumnId) -> Result<(), SqlError> {
    let Some(column) = table.column(id).cloned() else { return Ok(()) };
    let chars = matches!(column.ty.kind, TypeKind::Char | TypeKind::Varchar);
    for index in &mut table.indexes {
        for part in &mut index.parts {
            if part.column != id {
                continue;
            }
            match part.prefix_len {
                // The whole column counts, as it does for MySQL.
                Some(length) if chars && length >= column.ty.length => part.prefix_len = None,
                Some(_) if !chars && !column.ty.kind.is_text() => part.prefix_len = None,
                Some(_) => {}
                None if column.ty.kind.is_text() => {
                    let args = [Arg::Str(&column.name)];
                    return Err(SqlError::new(code::ER_BLOB_KEY_WITHOUT_LENGTH, &args));
                }
                None if column.ty.kind == TypeKind::Json => {
                    let args = [Arg::Str(&column.name)];
                    return Err(SqlError::new(code::ER_JSON_USED_AS_KEY, &args));
                }
                None => {}
            }
        }
    }
    Ok(())
}

fn reposition(
    table: &mut TableDescriptor,
    at: usize,
    position: Option<&Position>,
) -> Result<(), SqlError> {
    let Some(position) = position else { return Ok(()) };
    let column = table.columns.remove(at);
    let to = match position {
        Position::First => 0,
        Position::After(name) => match table.column_named(name.as_str()) {
            Some(at) => at + 1,
            None => return Err(SqlError::unknown_column(name.as_str(), &table.name)),
        },
    };
    table.columns.insert(to, column);
    Ok(())
}

/// ADD COLUMN.
pub(super) fn add<'a>(builder: &mut Builder<'a>, action: &'a AlterAction) -> Result<(), SqlError> {
    match action {
        AlterAction::AddColumn { column, position } => {
            let at = builder.column(column, None)?;
            reposition(&mut builder.table, at, position.as_ref())
        }
        AlterAction::AddElements(elements) => {
            for element in elements {
                if let TableElement::Column(column) = element {
                    builder.column(column, None)?;
                }
            }
            Ok(())
        }
        AlterAction::Add(TableElement::Column(column)) => builder.column(column, None).map(|_| ()),
        _ => Ok(()),
    }
}

/// A new default collation of the table leaves its columns as they are.
pub(super) fn keep_collations(table: &mut TableDescriptor, collation: CollationId) {
    for column in &mut table.columns {
        let text = column.ty.kind.is_string() && !column.ty.collation.is_binary();
        if text && !column.hidden && column.ty.collation != collation {
            column.collation_written = true;
        }
    }
    table.collation = collation;
}

/// CONVERT TO CHARACTER SET: the columns as well.
///
/// Errors: 1115, 1253, 1273.
pub(super) fn convert(
    table: &mut TableDescriptor,
    charset: Option<&Ident>,
    collation: Option<&Ident>,
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<(), SqlError> {
    let to = collation_of(charset, collation, warnings)?.unwrap_or(facts.server_collation);
    table.collation = to;
    let set = charset_of(to);
    for column in &mut table.columns {
        let ty = &mut column.ty;
        if column.hidden || !ty.kind.is_string() || ty.collation.is_binary() {
            continue;
        }
        let from = charset_of(ty.collation);
        ty.collation = to;
        if set.is_binary() {
            continue;
        }
        reencode_default(column, from, set);
        let ty = &mut column.ty;
        // As many characters as before have to fit.
        if ty.kind.is_text() && from.max_bytes() < set.max_bytes() {
            let bytes = u64::from(ty.length) * set.max_bytes() as u64;
            let kind = match bytes {
                0..=255 => TypeKind::TinyText,
                256..=65_535 => TypeKind::Text,
                65_536..=16_777_215 => TypeKind::MediumText,
                _ => TypeKind::LongText,
            };
            if kind > ty.kind {
                ty.kind = kind;
                ty.length = match kind {
                    TypeKind::Text => 65_535,
                    TypeKind::MediumText => 16_777_215,
                    _ => u32::MAX,
                };
            }
        }
    }
    Ok(())
}

fn reencode_default(column: &mut ColumnDescriptor, from: &Charset, to: &Charset) {
    if let ColumnDefault::Constant(bytes) = &mut column.default {
        let mut out = Vec::with_capacity(bytes.len());
        if firn_mysql_semantics::charset::convert(bytes, from, to, &mut out).is_ok() {
            *bytes = out;
        }
    }
}
