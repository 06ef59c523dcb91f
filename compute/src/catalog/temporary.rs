//! Temporary tables of a session.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::{Result, WriteBatch};
use firn_mysql_parser::ast::CreateTable;
use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_table::descriptor::TableDescriptor;

use super::ddl::{TableIds, like_table};
use super::define::{self, TakenNames};
use super::snapshot::Relation;
use super::{CatalogChange, CatalogSnapshot, Facts, OpenTable, ResultColumn, TableName};

/// Tables that one session sees, in place of others of the same names. The catalog
/// knows nothing of them; they end with the session.
#[derive(Debug, Default)]
pub struct TemporaryTables {
    tables: BTreeMap<TableName, Arc<OpenTable>>,
}

/// Names of constraints of temporary tables are their own business.
struct NoNames;

impl TakenNames for NoNames {
    fn has_check(&self, _: &str) -> bool {
        false
    }

    fn has_foreign_key(&self, _: &str) -> bool {
        false
    }
}

impl TemporaryTables {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// A temporary table.
    #[must_use]
    pub fn get(&self, name: &TableName) -> Option<&Arc<OpenTable>> {
        self.tables.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&TableName, &Arc<OpenTable>)> {
        self.tables.iter()
    }

    /// The catalog as the session sees it: what [`plan_alter`](super::plan_alter) and
    /// binding take. To be made anew when the catalog or the tables here have changed.
    #[must_use]
    pub fn over(&self, catalog: &CatalogSnapshot) -> CatalogSnapshot {
        let mut seen = catalog.clone();
        for (name, table) in &self.tables {
            if let Some(schema) = seen.schemas.get_mut(&name.schema) {
                let relation = Relation::Table(Arc::clone(table));
                Arc::make_mut(schema).relations.insert(Arc::clone(&name.name), relation);
                seen.by_id.insert(table.descriptor.id, Arc::clone(table));
            }
        }
        seen
    }

    /// Makes a change that was planned for tables here, and gives the writes that take
    /// away rows of tables that are gone.
    ///
    /// # Errors
    /// The engine's, for too many tables at a time.
    pub fn apply(&mut self, change: &CatalogChange) -> Result<WriteBatch> {
        let mut batch = WriteBatch::new();
        for (was, now) in change.tables() {
            if let Some(was) = was {
                self.tables.remove(&TableName::new(&was.schema, &was.name));
                if now.is_none_or(|now| now.id != was.id) {
                    batch.delete_range(was.space(), &[], None)?;
                }
            }
            if let Some(now) = now {
                let name = TableName::new(&now.schema, &now.name);
                self.tables.insert(name, Arc::new(OpenTable::new(Arc::clone(now))));
            }
        }
        Ok(batch)
    }

    /// The change that drops the table of a name; `None` if it is not temporary.
    #[must_use]
    pub fn plan_drop(&self, name: &TableName) -> Option<CatalogChange> {
        let table = self.tables.get(name)?;
        let mut change = CatalogChange::default();
        change.drop_table(&table.descriptor);
        Some(change)
    }

    /// The change that drops all of them.
    #[must_use]
    pub fn plan_drop_all(&self) -> CatalogChange {
        let mut change = CatalogChange::default();
        for table in self.tables.values() {
            change.drop_table(&table.descriptor);
        }
        change
    }

    /// The change of a CREATE TEMPORARY TABLE with its columns, or with LIKE; empty if
    /// there is such a table already, and that is no error.
    ///
    /// # Errors
    /// As of any CREATE TABLE; 1215 for a foreign key.
    pub fn plan_create(
        &self,
        catalog: &CatalogSnapshot,
        ids: &dyn TableIds,
        create: &CreateTable,
        facts: &Facts<'_>,
        warnings: &mut Warnings,
    ) -> std::result::Result<CatalogChange, SqlError> {
        self.planned(catalog, ids, create, facts, warnings, |name, collation, warnings| {
            let Some(like) = &create.like else {
                return define::create_table(create, name, collation, facts, &NoNames, warnings);
            };
            let source = TableName::resolve(like, facts)?;
            let source = match self.tables.get(&source) {
                Some(table) => table,
                None => catalog.known_table(&source)?,
            };
            like_table(&source.descriptor, name, facts.now_micros, &NoNames)
        })
    }

    /// The change of a CREATE TEMPORARY TABLE … SELECT, for the columns that its query gives;
    /// empty as that of [`Self::plan_create`].
    ///
    /// # Errors
    /// As [`Self::plan_create`]; 1060 if the query has a name twice.
    pub fn plan_create_as(
        &self,
        catalog: &CatalogSnapshot,
        ids: &dyn TableIds,
        create: &CreateTable,
        result: &[ResultColumn<'_>],
        facts: &Facts<'_>,
        warnings: &mut Warnings,
    ) -> std::result::Result<CatalogChange, SqlError> {
        self.planned(catalog, ids, create, facts, warnings, |name, collation, warnings| {
            define::create_table_as(create, result, name, collation, facts, &NoNames, warnings)
        })
    }

    fn planned(
        &self,
        catalog: &CatalogSnapshot,
        ids: &dyn TableIds,
        create: &CreateTable,
        facts: &Facts<'_>,
        warnings: &mut Warnings,
        describe: impl FnOnce(
            &TableName,
            CollationId,
            &mut Warnings,
        ) -> std::result::Result<TableDescriptor, SqlError>,
    ) -> std::result::Result<CatalogChange, SqlError> {
        let mut change = CatalogChange::default();
        let name = TableName::resolve(&create.name, facts)?;
        let schema = catalog.known_schema(&name.schema)?;
        if self.tables.contains_key(&name) {
            let error = SqlError::table_exists(&name.name);
            if !create.if_not_exists {
                return Err(error);
            }
            warnings.note(error);
            return Ok(change);
        }
        let mut table = describe(&name, schema.descriptor.collation(), warnings)?;
        if !table.foreign_keys.is_empty() {
            return Err(SqlError::new(code::ER_CANNOT_ADD_FOREIGN, &[]));
        }
        table.id = ids.next_table_id()?;
        change.create_table(table);
        Ok(change)
    }
}
