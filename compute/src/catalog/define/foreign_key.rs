//! Foreign keys.

use firn_mysql_parser::ast::{ForeignKey as Written, IndexKey, RefAction};
use firn_mysql_semantics::error::{Arg, SqlError, code};
use firn_table::descriptor::{
    ColumnDescriptor, ForeignKey, IndexKind, ReferentialAction, TableDescriptor, same_name,
};

use super::{Builder, names_column, serves, size};
use crate::catalog::name::{check_length, check_schema_name, check_table_name};

/// A foreign key that waits for all columns.
pub(crate) struct ForeignKeyDraft<'a> {
    name: Option<String>,
    written: &'a Written,
}

impl<'a> Builder<'a> {
    /// Adds a foreign key, and the index that it asks for.
    pub(crate) fn foreign_key(&mut self, written: &'a Written) -> Result<(), SqlError> {
        let name = written.constraint.as_ref().map(|name| name.as_str().to_owned());
        let mut columns = Vec::with_capacity(written.columns.len());
        for part in &written.columns {
            match &part.key {
                IndexKey::Column(name, None) => columns.push(name.as_str().to_owned()),
                IndexKey::Column(..) | IndexKey::Expr(_) => {
                    return Err(SqlError::new(code::ER_CANNOT_ADD_FOREIGN, &[]));
                }
            }
        }
        if written.references.columns.len() != columns.len() {
            let shown = match (&written.constraint, &written.name) {
                (Some(name), _) | (None, Some(name)) => name.as_str(),
                (None, None) => "foreign key without name",
            };
            let args = [Arg::Str(shown), Arg::Str("Key reference and table reference don't match")];
            return Err(SqlError::new(code::ER_WRONG_FK_DEF, &args));
        }
        let index = name.clone().or(written.name.as_ref().map(|name| name.as_str().to_owned()));
        self.key_for(index, columns);
        self.foreign_keys.push(ForeignKeyDraft { name, written });
        Ok(())
    }

    pub(super) fn finish_foreign_keys(&mut self) -> Result<(), SqlError> {
        let mut next = self.next_foreign_key_number();
        for draft in std::mem::take(&mut self.foreign_keys) {
            let name = match draft.name {
                Some(name) => name,
                None => {
                    let name = format!("{}_ibfk_{next}", self.table.name);
                    next += 1;
                    name
                }
            };
            check_length(&name)?;
            let taken = self.table.foreign_keys.iter().any(|key| same_name(&key.name, &name))
                || self.taken.has_foreign_key(&name);
            if taken {
                return Err(SqlError::new(code::ER_FK_DUP_NAME, &[(&name).into()]));
            }
            let key = self.resolved(name, draft.written)?;
            self.table.foreign_keys.push(key);
        }
        Ok(())
    }

    /// A CHECK would not be looked at when an action changes its column.
    ///
    /// Errors: 3823.
    pub(super) fn check_actions_against_checks(&self) -> Result<(), SqlError> {
        use ReferentialAction::{Cascade, SetNull};
        for key in &self.table.foreign_keys {
            let changes = matches!(key.on_update, Cascade | SetNull) || key.on_delete == SetNull;
            if !changes {
                continue;
            }
            for column in key.columns.iter().filter_map(|id| self.table.column(*id)) {
                for check in &self.table.checks {
                    if names_column(&check.expr, &column.name)? {
                        let args =
                            [Arg::Str(&column.name), Arg::Str(&check.name), Arg::Str(&key.name)];
                        let number = code::ER_CHECK_CONSTRAINT_CLAUSE_USING_FK_REFER_ACTION_COLUMN;
                        return Err(SqlError::new(number, &args));
                    }
                }
            }
        }
        Ok(())
    }

    fn next_foreign_key_number(&self) -> u64 {
        let prefix = format!("{}_ibfk_", self.table.name);
        let numbers = self.table.foreign_keys.iter().filter_map(|key| {
            key.name.strip_prefix(&prefix).and_then(|number| number.parse::<u64>().ok())
        });
        numbers.max().unwrap_or(0) + 1
    }

    fn resolved(&self, name: String, written: &Written) -> Result<ForeignKey, SqlError> {
        let references = &written.references;
        let schema = match &references.table.schema {
            Some(schema) => {
                check_schema_name(schema.as_str())?;
                schema.as_str().to_owned()
            }
            None => self.table.schema.clone(),
        };
        check_table_name(references.table.name.as_str())?;
        let mut columns = Vec::with_capacity(written.columns.len());
        for part in &written.columns {
            let IndexKey::Column(column, _) = &part.key else { continue };
            let said = column.as_str();
            let column = self.key_column(said)?;
            check_actions(column, said, &name, references.on_delete, references.on_update)?;
            columns.push(column.id);
        }
        Ok(ForeignKey {
            name,
            columns,
            parent_schema: schema,
            parent_table: references.table.name.as_str().to_owned(),
            parent_columns: references
                .columns
                .iter()
                .map(|column| column.as_str().to_owned())
                .collect(),
            on_delete: action(references.on_delete),
            on_update: action(references.on_update),
        })
    }
}

/// Errors: 1830, 3104, 3733.
fn check_actions(
    column: &ColumnDescriptor,
    said: &str,
    key: &str,
    on_delete: Option<RefAction>,
    on_update: Option<RefAction>,
) -> Result<(), SqlError> {
    if column.is_virtual() {
        let args = [Arg::Str(key), Arg::Str(&column.name)];
        return Err(SqlError::new(code::ER_FK_CANNOT_USE_VIRTUAL_COLUMN, &args));
    }
    let sets_null = [on_delete, on_update].contains(&Some(RefAction::SetNull));
    if column.generated.is_some() {
        let clause = match (on_delete, on_update) {
            (Some(RefAction::SetNull), _) => Some("ON DELETE SET NULL"),
            (_, Some(RefAction::SetNull)) => Some("ON UPDATE SET NULL"),
            (_, Some(RefAction::Cascade)) => Some("ON UPDATE CASCADE"),
            _ => None,
        };
        if let Some(clause) = clause {
            let args = [Arg::Str(clause)];
            return Err(SqlError::new(code::ER_WRONG_FK_OPTION_FOR_GENERATED_COLUMN, &args));
        }
    }
    if sets_null && !column.ty.nullable {
        let args = [Arg::Str(said), Arg::Str(key)];
        return Err(SqlError::new(code::ER_FK_COLUMN_NOT_NULL, &args));
    }
    Ok(())
}

fn action(written: Option<RefAction>) -> ReferentialAction {
    match written {
        None | Some(RefAction::NoAction) => ReferentialAction::NoAction,
        Some(RefAction::Restrict) => ReferentialAction::Restrict,
        Some(RefAction::Cascade) => ReferentialAction::Cascade,
        Some(RefAction::SetNull) => ReferentialAction::SetNull,
        Some(RefAction::SetDefault) => ReferentialAction::SetDefault,
    }
}

/// A foreign key against the table that it refers to.
///
/// # Errors
/// 3733, 3734, 3780, 6125.
pub(crate) fn check_parent(
    child: &TableDescriptor,
    key: &ForeignKey,
    parent: &TableDescriptor,
) -> Result<(), SqlError> {
    check_compatible(child, key, parent)?;
    // restrict_fk_on_non_standard_key, which is on: all of a unique key's columns.
    let unique = parent.indexes.iter().any(|index| {
        index.kind != IndexKind::Plain
            && index.parts.len() == key.parent_columns.len()
            && serves(parent, index, &key.parent_columns)
    });
    if unique {
        return Ok(());
    }
    let args = [Arg::Str(&key.name), Arg::Str(&parent.name)];
    Err(SqlError::new(code::ER_FK_NO_UNIQUE_INDEX_PARENT, &args))
}

/// The columns of a foreign key against those that they refer to.
///
/// # Errors
/// 3733, 3734, 3780.
pub(crate) fn check_compatible(
    child: &TableDescriptor,
    key: &ForeignKey,
    parent: &TableDescriptor,
) -> Result<(), SqlError> {
    for (id, name) in key.columns.iter().zip(&key.parent_columns) {
        let Some(at) = parent.column_named(name) else {
            let args = [Arg::Str(name), Arg::Str(&key.name), Arg::Str(&parent.name)];
            return Err(SqlError::new(code::ER_FK_NO_COLUMN_PARENT, &args));
        };
        let theirs = &parent.columns[at];
        if theirs.is_virtual() {
            let args = [Arg::Str(&key.name), Arg::Str(&theirs.name)];
            return Err(SqlError::new(code::ER_FK_CANNOT_USE_VIRTUAL_COLUMN, &args));
        }
        let Some(own) = child.column(*id) else { continue };
        if !compatible(own, theirs) {
            let args = [Arg::Str(&own.name), Arg::Str(&theirs.name), Arg::Str(&key.name)];
            return Err(SqlError::new(code::ER_FK_INCOMPATIBLE_COLUMNS, &args));
        }
    }
    Ok(())
}

/// Whether values of one column can be looked up among the other's.
fn compatible(one: &ColumnDescriptor, other: &ColumnDescriptor) -> bool {
    use firn_mysql_semantics::TypeKind;
    let (a, b) = (&one.ty, &other.ty);
    let family = |kind: TypeKind| match kind {
        TypeKind::Varchar => TypeKind::Char,
        kind => kind,
    };
    if family(a.kind) != family(b.kind) || a.unsigned != b.unsigned {
        return false;
    }
    match a.kind {
        kind if kind.is_string() => a.collation == b.collation,
        TypeKind::Decimal => size::key_bytes(a, 0) == size::key_bytes(b, 0),
        TypeKind::Bit => a.length == b.length,
        TypeKind::Time | TypeKind::DateTime | TypeKind::Timestamp => a.decimals == b.decimals,
        _ => true,
    }
}
