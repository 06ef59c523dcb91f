//! The catalog as of one moment.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use firn_engine::Seq;
use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::error::{SqlError, code};
use firn_table::descriptor::{TableDescriptor, same_name};
use serde::{Deserialize, Serialize};

use super::define::TakenNames;
use super::{TableName, ViewDescriptor};

/// A database: what the catalog keeps of it, beside its tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaDescriptor {
    /// Its name.
    pub name: String,
    /// Collation of tables that name none: its number.
    pub collation: u16,
    /// READ ONLY = 1
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

impl SchemaDescriptor {
    /// Collation of tables that name none.
    #[must_use]
    pub fn collation(&self) -> CollationId {
        CollationId(self.collation)
    }
}

/// A table as sessions use it: its descriptor, and what is made of it once for all
/// of them.
pub struct OpenTable {
    /// What it is.
    pub descriptor: Arc<TableDescriptor>,
    /// Codecs and bound expressions; the executor's business.
    compiled: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl OpenTable {
    /// A table nobody has compiled anything for yet.
    #[must_use]
    pub fn new(descriptor: Arc<TableDescriptor>) -> Self {
        Self { descriptor, compiled: OnceLock::new() }
    }

    /// What `make` made of the descriptor the first time it was asked for. All callers
    /// ask for one type: a second one would get a thing of its own each time.
    ///
    /// # Errors
    /// Whatever `make` gives; the next caller tries again.
    pub fn compiled<T, E>(
        &self,
        make: impl FnOnce(&TableDescriptor) -> Result<T, E>,
    ) -> Result<Arc<T>, E>
    where
        T: Any + Send + Sync,
    {
        if let Some(made) = self.compiled.get()
            && let Ok(made) = Arc::clone(made).downcast::<T>()
        {
            return Ok(made);
        }
        let made = Arc::new(make(&self.descriptor)?);
        let shared: Arc<dyn Any + Send + Sync> = made.clone();
        // Who comes second has made the same.
        let _ = self.compiled.set(shared);
        Ok(made)
    }
}

impl fmt::Debug for OpenTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenTable").field(&self.descriptor).finish()
    }
}

/// What a name in a database stands for.
#[derive(Debug, Clone)]
pub enum Relation {
    /// A table.
    Table(Arc<OpenTable>),
    /// A view.
    View(Arc<ViewDescriptor>),
}

/// A database and what is in it.
#[derive(Debug, Clone)]
pub struct Schema {
    /// What is kept of itself.
    pub descriptor: Arc<SchemaDescriptor>,
    /// Tables and views by name.
    pub relations: BTreeMap<Arc<str>, Relation>,
}

impl Schema {
    /// Its tables by name.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<OpenTable>> {
        self.relations.values().filter_map(|relation| match relation {
            Relation::Table(table) => Some(table),
            Relation::View(_) => None,
        })
    }
}

/// All databases and tables as of one moment. Never changes.
#[derive(Debug, Clone, Default)]
pub struct CatalogSnapshot {
    /// Grows by one with every change of the catalog: what plans are cached by.
    pub version: u64,
    /// Databases by name.
    pub schemas: BTreeMap<Arc<str>, Arc<Schema>>,
    /// Tables by id.
    pub(super) by_id: BTreeMap<u32, Arc<OpenTable>>,
    /// The commits with which tables moved to the ids that they have, since the start.
    pub(super) rows_since: BTreeMap<u32, Seq>,
}

impl CatalogSnapshot {
    /// A database.
    #[must_use]
    pub fn schema(&self, name: &str) -> Option<&Arc<Schema>> {
        self.schemas.get(name)
    }

    /// A database that has to be there.
    ///
    /// # Errors
    /// 1049.
    pub fn known_schema(&self, name: &str) -> Result<&Arc<Schema>, SqlError> {
        self.schema(name).ok_or_else(|| SqlError::unknown_database(name))
    }

    /// A table or view.
    #[must_use]
    pub fn relation(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.schemas.get(schema)?.relations.get(name)
    }

    /// A table; not a view.
    #[must_use]
    pub fn table(&self, schema: &str, name: &str) -> Option<&Arc<OpenTable>> {
        match self.relation(schema, name)? {
            Relation::Table(table) => Some(table),
            Relation::View(_) => None,
        }
    }

    /// A table that has to be there.
    ///
    /// # Errors
    /// 1049, 1146; 1347 if it is a view.
    pub fn known_table(&self, name: &TableName) -> Result<&Arc<OpenTable>, SqlError> {
        match self.relation(&name.schema, &name.name) {
            Some(Relation::Table(table)) => Ok(table),
            Some(Relation::View(_)) => Err(wrong_object(name, "BASE TABLE")),
            None => {
                self.known_schema(&name.schema)?;
                Err(SqlError::no_such_table(&name.schema, &name.name))
            }
        }
    }

    /// A table by its id.
    #[must_use]
    pub fn table_by_id(&self, id: u32) -> Option<&Arc<OpenTable>> {
        self.by_id.get(&id)
    }

    /// The commit since which the rows of a table are where its id says: snapshots from
    /// before it find nothing there.
    #[must_use]
    pub fn rows_since(&self, id: u32) -> Seq {
        self.rows_since.get(&id).copied().unwrap_or_default()
    }

    /// Tables have moved to these ids, by the commit `seq`.
    pub(super) fn moved(&mut self, ids: impl IntoIterator<Item = u32>, seq: Seq) {
        let by_id = &self.by_id;
        self.rows_since.retain(|id, _| by_id.contains_key(id));
        self.rows_since.extend(ids.into_iter().map(|id| (id, seq)));
    }

    /// All tables.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<OpenTable>> {
        self.by_id.values()
    }

    /// Foreign keys of other tables that refer to this one, with their tables.
    pub fn referring<'a>(
        &'a self,
        schema: &'a str,
        name: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<OpenTable>, &'a firn_table::descriptor::ForeignKey)> {
        self.tables().flat_map(move |table| {
            let keys = table.descriptor.foreign_keys.iter();
            keys.filter(move |key| key.parent_schema == schema && key.parent_table == name)
                .map(move |key| (table, key))
        })
    }

    /// Adds or replaces a table.
    pub(super) fn put_table(&mut self, descriptor: Arc<TableDescriptor>) {
        let table = Arc::new(OpenTable::new(Arc::clone(&descriptor)));
        self.by_id.insert(descriptor.id, Arc::clone(&table));
        if let Some(schema) = self.schemas.get_mut(&descriptor.schema[..]) {
            let name: Arc<str> = descriptor.name.as_str().into();
            Arc::make_mut(schema).relations.insert(name, Relation::Table(table));
        }
    }

    /// Takes a name away; the table goes with it if the name is its own still.
    pub(super) fn remove(&mut self, schema: &str, name: &str) {
        let Some(schema) = self.schemas.get_mut(schema) else { return };
        if let Some(Relation::Table(table)) = Arc::make_mut(schema).relations.remove(name) {
            self.by_id.remove(&table.descriptor.id);
        }
    }
}

/// 1347
pub(super) fn wrong_object(name: &TableName, wanted: &str) -> SqlError {
    let args = [(&*name.schema).into(), (&*name.name).into(), wanted.into()];
    SqlError::new(code::ER_WRONG_OBJECT, &args)
}

/// Names of constraints in one database, but for one table's.
pub(super) struct SchemaNames<'a> {
    pub(super) schema: Option<&'a Schema>,
    /// The table that is being defined.
    pub(super) except: &'a str,
}

impl SchemaNames<'_> {
    fn others(&self) -> impl Iterator<Item = &TableDescriptor> {
        let tables = self.schema.into_iter().flat_map(Schema::tables);
        tables.map(|table| &*table.descriptor).filter(|table| table.name != self.except)
    }
}

impl TakenNames for SchemaNames<'_> {
    fn has_check(&self, name: &str) -> bool {
        self.others().any(|table| table.checks.iter().any(|check| same_name(&check.name, name)))
    }

    fn has_foreign_key(&self, name: &str) -> bool {
        self.others().any(|table| table.foreign_keys.iter().any(|key| same_name(&key.name, name)))
    }
}
