//! From the syntax of a definition to descriptors, by MySQL's rules.

mod as_select;
mod charset;
mod check;
mod column;
mod data_type;
mod default;
mod default_value;
mod expr;
mod foreign_key;
mod key;
mod members;
mod option;
mod scope;
mod size;

pub use as_select::ResultColumn;
pub(crate) use as_select::create_table_as;
pub(crate) use charset::{Defaults, collation_of};
pub(crate) use column::alter_default;
pub(crate) use data_type::{TypeSite, Typed, charset_of};
pub use default_value::default_value;
pub(crate) use default_value::empty_value;
pub(crate) use expr::names_column;
pub(crate) use foreign_key::{check_compatible, check_parent};
pub(crate) use key::{check_visible_primary, serves};
pub(crate) use option::{apply as apply_options, collation as alter_collation};
pub use scope::TableScope;

use firn_mysql_parser::ast::{CreateTable, Expr, TableElement};
use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::error::{Arg, Level, SqlError, Warnings, code};
use firn_table::descriptor::{
    ColumnDefault, ColumnDescriptor, ColumnId, IndexKind, TableDescriptor, same_name,
};

use std::collections::BTreeMap;

use self::check::CheckDraft;
use self::foreign_key::ForeignKeyDraft;
use self::key::KeyDraft;
use super::{Facts, TableName};

/// Most columns of a table.
const COLUMNS_MAX: usize = 1017;

/// Names of constraints that other tables of the database have.
pub(crate) trait TakenNames {
    /// Whether another table has a CHECK of this name.
    fn has_check(&self, name: &str) -> bool;
    /// Whether another table has a foreign key of this name.
    fn has_foreign_key(&self, name: &str) -> bool;
}

/// A table that is being defined or altered.
pub(crate) struct Builder<'a> {
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) warnings: &'a mut Warnings,
    taken: &'a dyn TakenNames,
    pub(crate) table: TableDescriptor,
    /// Types of columns that were read before the columns were added, by address.
    typed: BTreeMap<usize, Typed>,
    /// Expressions to be looked at when all columns are known: of defaults and of
    /// generated columns.
    expressions: Vec<expr::Draft<'a>>,
    /// Constants of defaults, to be looked at when all else is right.
    constants: Vec<(ColumnId, &'a Expr)>,
    keys: Vec<KeyDraft<'a>>,
    checks: Vec<CheckDraft<'a>>,
    foreign_keys: Vec<ForeignKeyDraft<'a>>,
    /// Columns for which NULL was written.
    said_null: Vec<ColumnId>,
    /// Columns whose default was written.
    said_default: Vec<ColumnId>,
    /// What is said when all columns have been read.
    late: Vec<(Level, SqlError)>,
}

/// The descriptor of a CREATE TABLE with a list of columns. Its id, its version and its
/// time are the caller's to set; foreign keys are not yet checked against their parents.
///
/// # Errors
/// MySQL's for what is wrong with columns, keys, options and constraints; 1235 for what
/// Firn does not have (partitions, FULLTEXT, SPATIAL, geometries).
pub(crate) fn create_table<'a>(
    written: &'a CreateTable,
    name: &TableName,
    schema_collation: CollationId,
    facts: &'a Facts<'a>,
    taken: &'a dyn TakenNames,
    warnings: &'a mut Warnings,
) -> Result<TableDescriptor, SqlError> {
    if written.partitioning.is_some() {
        return Err(SqlError::not_supported_yet("PARTITION BY"));
    }
    // Options stand behind the columns, and hold for them.
    let mut of_options = Warnings::default();
    let collation = option::collation(&written.options, &mut of_options);
    let mut table = empty_table(name, schema_collation, facts);
    if let Ok(Some(collation)) = collation {
        table.collation = collation;
    }
    let mut builder = Builder::new(table, facts, taken, warnings);
    for element in &written.elements {
        if let TableElement::Column(column) = element {
            builder.read_type(column)?;
        }
    }
    collation?;
    for condition in of_options.kept() {
        builder.warnings.push(condition.level, condition.error.clone());
    }
    option::apply(&mut builder.table, &written.options, facts, builder.warnings)?;
    for element in &written.elements {
        builder.element(element)?;
    }
    builder.finish()
}

/// A table without columns.
pub(crate) fn empty_table(
    name: &TableName,
    collation: CollationId,
    facts: &Facts<'_>,
) -> TableDescriptor {
    TableDescriptor {
        id: 0,
        schema: name.schema.to_string(),
        name: name.name.to_string(),
        version: 1,
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        collation,
        comment: String::new(),
        options: Vec::new(),
        auto_increment_min: 0,
        layouts: Vec::new(),
        next_column_id: 1,
        next_index_id: 2,
        created_micros: facts.now_micros,
    }
}

impl<'a> Builder<'a> {
    /// On a table as it is so far.
    pub(crate) fn new(
        table: TableDescriptor,
        facts: &'a Facts<'a>,
        taken: &'a dyn TakenNames,
        warnings: &'a mut Warnings,
    ) -> Self {
        Self {
            facts,
            warnings,
            taken,
            table,
            typed: BTreeMap::new(),
            expressions: Vec::new(),
            constants: Vec::new(),
            keys: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            said_null: Vec::new(),
            said_default: Vec::new(),
            late: Vec::new(),
        }
    }

    /// Adds a column, an index or a constraint.
    pub(crate) fn element(&mut self, element: &'a TableElement) -> Result<(), SqlError> {
        match element {
            TableElement::Column(column) => self.column(column, None).map(drop),
            TableElement::Index(index) => self.key(index),
            TableElement::ForeignKey(key) => self.foreign_key(key),
            TableElement::Check(check) => {
                self.check(check, None);
                Ok(())
            }
        }
    }

    /// Looks at all of it together.
    pub(crate) fn finish(mut self) -> Result<TableDescriptor, SqlError> {
        for (level, condition) in std::mem::take(&mut self.late) {
            self.warnings.push(level, condition);
        }
        self.check_columns()?;
        self.imply_not_null()?;
        self.settle_defaults()?;
        self.finish_checks()?;
        self.finish_keys()?;
        self.check_auto_increment()?;
        self.finish_expressions()?;
        self.finish_foreign_keys()?;
        self.check_actions_against_checks()?;
        if !self.table.columns.iter().any(|column| !column.hidden && !column.invisible) {
            return Err(SqlError::new(code::ER_TABLE_MUST_HAVE_A_VISIBLE_COLUMN, &[]));
        }
        self.finish_constants()?;
        size::check_row(&self.table)?;
        key::sort(&mut self.table);
        key::check_visible_primary(&self.table)?;
        if self.facts.require_primary_key && self.table.primary().is_none() {
            return Err(SqlError::new(code::ER_TABLE_WITHOUT_PK, &[]));
        }
        let wanted = self.table.wanted_layout();
        if self.table.layouts.last() != Some(&wanted) {
            self.table.layouts.push(wanted);
        }
        Ok(self.table)
    }

    fn check_columns(&self) -> Result<(), SqlError> {
        let columns = &self.table.columns;
        if !columns.iter().any(|column| !column.hidden) {
            return Err(SqlError::new(code::ER_TABLE_MUST_HAVE_COLUMNS, &[]));
        }
        if columns.len() > COLUMNS_MAX {
            return Err(SqlError::new(code::ER_TOO_MANY_FIELDS, &[]));
        }
        for (at, column) in columns.iter().enumerate() {
            let same = |other: &ColumnDescriptor| same_name(&other.name, &column.name);
            if columns.iter().take(at).any(same) {
                return Err(SqlError::new(code::ER_DUP_FIELDNAME, &[(&column.name).into()]));
            }
        }
        Ok(())
    }

    /// Columns of a new primary key are NOT NULL.
    fn imply_not_null(&mut self) -> Result<(), SqlError> {
        let Some(primary) = self.keys.iter().find(|key| key.kind == IndexKind::Primary) else {
            return Ok(());
        };
        let inline = primary.inline;
        let names: Vec<String> = primary.column_names().map(str::to_owned).collect();
        for name in names {
            let Some(at) = self.table.column_named(&name) else { continue };
            let column = &mut self.table.columns[at];
            // That it was said to be NULL is told with the key's other mistakes.
            if !column.ty.nullable || self.said_null.contains(&column.id) {
                continue;
            }
            column.ty.nullable = false;
            if column.default == ColumnDefault::Null {
                if self.said_default.contains(&column.id) {
                    let args = [Arg::Str(&column.name)];
                    let number = if inline {
                        code::ER_INVALID_DEFAULT
                    } else {
                        code::ER_PRIMARY_CANT_HAVE_NULL
                    };
                    return Err(SqlError::new(number, &args));
                }
                column.default = ColumnDefault::None;
            }
        }
        Ok(())
    }

    /// What a column has that says nothing of its default.
    fn settle_defaults(&mut self) -> Result<(), SqlError> {
        for column in &mut self.table.columns {
            let silent = matches!(column.default, ColumnDefault::None | ColumnDefault::Null);
            if !silent || column.generated.is_some() {
                continue;
            }
            let said = self.said_default.contains(&column.id);
            if said && column.default == ColumnDefault::Null && !column.ty.nullable {
                return Err(SqlError::new(code::ER_INVALID_DEFAULT, &[(&column.name).into()]));
            }
            if column.auto_increment || !column.ty.nullable {
                column.default = ColumnDefault::None;
            }
        }
        Ok(())
    }

    /// Constants as the columns hold them.
    fn finish_constants(&mut self) -> Result<(), SqlError> {
        for (id, expr) in std::mem::take(&mut self.constants) {
            let Some(at) = self.table.columns.iter().position(|one| one.id == id) else {
                continue;
            };
            let column = &self.table.columns[at];
            let default = default::constant_of(column, expr, self.facts, self.warnings)?;
            self.table.columns[at].default = default;
        }
        Ok(())
    }

    fn check_auto_increment(&self) -> Result<(), SqlError> {
        let wrong = || SqlError::new(code::ER_WRONG_AUTO_KEY, &[]);
        let mut columns = self.table.columns.iter().filter(|column| column.auto_increment);
        let Some(column) = columns.next() else { return Ok(()) };
        if columns.next().is_some() {
            return Err(wrong());
        }
        let first_of_a_key = self
            .table
            .indexes
            .iter()
            .any(|index| index.parts.first().is_some_and(|part| part.column == column.id));
        if first_of_a_key { Ok(()) } else { Err(wrong()) }
    }

    /// A column of the primary key that was defined anew stays NOT NULL.
    ///
    /// Errors: 1171.
    pub(crate) fn keep_not_null(&mut self, at: usize) -> Result<(), SqlError> {
        let column = &mut self.table.columns[at];
        if !column.ty.nullable {
            return Ok(());
        }
        let said = self.said_null.contains(&column.id)
            || (column.default == ColumnDefault::Null && self.said_default.contains(&column.id));
        if said {
            return Err(SqlError::new(code::ER_PRIMARY_CANT_HAVE_NULL, &[]));
        }
        column.ty.nullable = false;
        if column.default == ColumnDefault::Null {
            column.default = ColumnDefault::None;
        }
        Ok(())
    }

    /// A column by a name that a key gives.
    fn key_column(&self, name: &str) -> Result<&ColumnDescriptor, SqlError> {
        match self.table.column_named(name) {
            Some(at) => Ok(&self.table.columns[at]),
            None => Err(SqlError::new(code::ER_KEY_COLUMN_DOES_NOT_EXITS, &[Arg::Str(name)])),
        }
    }
}
