//! CREATE TABLE and CREATE TABLE … LIKE.

use firn_mysql_parser::ast::{CreateTable, ObjectName};
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_table::descriptor::TableDescriptor;

use super::{Planner, TableIds};
use crate::catalog::define::{self, ResultColumn, TakenNames};
use crate::catalog::snapshot::SchemaNames;
use crate::catalog::{CatalogChange, CatalogSnapshot, Facts, TableName};

impl Planner<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) -> Result<(), SqlError> {
        let name = TableName::resolve(&create.name, self.facts)?;
        self.check_changeable(&name.schema)?;
        if create.query.is_some() {
            return Err(SqlError::not_supported_yet("CREATE TABLE … SELECT without its columns"));
        }
        if let Some(like) = &create.like {
            return self.create_like(&name, like, create.if_not_exists);
        }
        if let Some(table) = self.new_table(create, &name)? {
            self.add(table)?;
        }
        Ok(())
    }

    /// The descriptor of a table with columns; `None` if there is one of its name
    /// already, and that is no error.
    pub(super) fn new_table(
        &mut self,
        create: &CreateTable,
        name: &TableName,
    ) -> Result<Option<TableDescriptor>, SqlError> {
        let schema = self.catalog.known_schema(&name.schema)?;
        if self.is_taken(name, create.if_not_exists)? {
            return Ok(None);
        }
        let taken = SchemaNames { schema: Some(schema), except: &name.name };
        let collation = schema.descriptor.collation();
        define::create_table(create, name, collation, self.facts, &taken, self.warnings).map(Some)
    }

    /// Whether there is something of the name; an error unless that is allowed for.
    pub(super) fn is_taken(
        &mut self,
        name: &TableName,
        if_not_exists: bool,
    ) -> Result<bool, SqlError> {
        if self.catalog.relation(&name.schema, &name.name).is_none() {
            return Ok(false);
        }
        let error = SqlError::new(code::ER_TABLE_EXISTS_ERROR, &[(&*name.name).into()]);
        if !if_not_exists {
            return Err(error);
        }
        self.warnings.note(error);
        Ok(true)
    }

    /// Puts a new table in, under an id of its own.
    pub(super) fn add(&mut self, mut table: TableDescriptor) -> Result<(), SqlError> {
        self.check_parents(&table)?;
        self.check_children(&table)?;
        table.id = self.ids.next_table_id()?;
        self.change.create_table(table);
        Ok(())
    }

    fn create_like(
        &mut self,
        name: &TableName,
        like: &ObjectName,
        if_not_exists: bool,
    ) -> Result<(), SqlError> {
        let source = TableName::resolve(like, self.facts)?;
        let source = std::sync::Arc::clone(&self.catalog.known_table(&source)?.descriptor);
        let schema = self.catalog.known_schema(&name.schema)?;
        if self.is_taken(name, if_not_exists)? {
            return Ok(());
        }
        let taken = SchemaNames { schema: Some(schema), except: &name.name };
        let table = like_table(&source, name, self.facts.now_micros, &taken)?;
        self.add(table)
    }
}

/// The change of a CREATE TABLE … SELECT whose query has these columns; empty if the
/// table is there already, and that is no error. [`CatalogChange::created`] has the
/// descriptor: rows are written to its space before the change is made, after
/// [`Catalog::keep_ids`](crate::catalog::Catalog::keep_ids).
///
/// # Errors
/// MySQL's.
pub fn plan_create_table_as(
    catalog: &CatalogSnapshot,
    ids: &dyn TableIds,
    create: &CreateTable,
    result: &[ResultColumn<'_>],
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<CatalogChange, SqlError> {
    let mut planner = Planner { catalog, ids, facts, warnings, change: CatalogChange::default() };
    let name = TableName::resolve(&create.name, facts)?;
    planner.check_changeable(&name.schema)?;
    let schema = catalog.known_schema(&name.schema)?;
    if planner.is_taken(&name, create.if_not_exists)? {
        return Ok(planner.change);
    }
    let taken = SchemaNames { schema: Some(schema), except: &name.name };
    let collation = schema.descriptor.collation();
    let table =
        define::create_table_as(create, result, &name, collation, facts, &taken, planner.warnings)?;
    planner.add(table)?;
    Ok(planner.change)
}

/// A table without rows that is made as another one is.
///
/// Errors: 3822.
pub(in crate::catalog) fn like_table(
    source: &TableDescriptor,
    name: &TableName,
    now_micros: i64,
    taken: &dyn TakenNames,
) -> Result<TableDescriptor, SqlError> {
    let mut table = source.clone();
    table.schema = name.schema.to_string();
    table.name = name.name.to_string();
    table.version = 1;
    table.created_micros = now_micros;
    table.auto_increment_min = 0;
    // References belong to one table.
    table.foreign_keys.clear();
    for column in &mut table.columns {
        column.instant_default = None;
    }
    for index in &mut table.indexes {
        index.state = Default::default();
    }
    table.checks.sort_by_key(|check| check.name.to_lowercase());
    for (at, check) in table.checks.iter_mut().enumerate() {
        check.name = format!("{}_chk_{}", table.name, at + 1);
        if taken.has_check(&check.name) {
            return Err(SqlError::new(code::ER_CHECK_CONSTRAINT_DUP_NAME, &[(&check.name).into()]));
        }
    }
    table.layouts = vec![table.wanted_layout()];
    Ok(table)
}
