//! A change of the catalog, planned and not yet made.

use std::sync::Arc;

use firn_engine::key::prefix_end;
use firn_engine::{Result, SpaceId, WriteBatch};
use firn_mysql_semantics::error::{SqlError, code};
use firn_table::descriptor::TableDescriptor;

use super::ViewDescriptor;
use super::alter::gone;
use super::snapshot::{CatalogSnapshot, Relation, Schema, SchemaDescriptor};
use super::store::Writes;

/// What a statement changes in the catalog. All of it is one write batch.
#[derive(Debug, Clone, Default)]
pub struct CatalogChange {
    edits: Vec<Edit>,
    /// Affected rows of the statement's OK packet.
    pub affected_rows: u64,
}

#[derive(Debug, Clone)]
enum Edit {
    PutSchema {
        schema: Arc<SchemaDescriptor>,
        new: bool,
    },
    DropSchema(Arc<str>),
    /// A table under a name that was free.
    CreateTable(Arc<TableDescriptor>),
    /// The same table, described anew; perhaps under another name.
    ChangeTable {
        was: Arc<TableDescriptor>,
        now: Arc<TableDescriptor>,
    },
    /// The table, and all of its keys.
    DropTable(Arc<TableDescriptor>),
    PutView {
        was: Option<Arc<ViewDescriptor>>,
        now: Arc<ViewDescriptor>,
    },
    DropView(Arc<ViewDescriptor>),
}

/// The catalog is not what the plan was made on.
fn moved(_name: &str) -> SqlError {
    SqlError::new(code::ER_TABLE_DEF_CHANGED, &[])
}

impl CatalogChange {
    /// Nothing is changed: IF EXISTS and its like.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    pub(super) fn put_schema(&mut self, schema: SchemaDescriptor, new: bool) {
        self.edits.push(Edit::PutSchema { schema: Arc::new(schema), new });
    }

    pub(super) fn drop_schema(&mut self, name: &str) {
        self.edits.push(Edit::DropSchema(name.into()));
    }

    pub(super) fn create_table(&mut self, table: TableDescriptor) {
        self.edits.push(Edit::CreateTable(Arc::new(table)));
    }

    pub(super) fn change_table(&mut self, was: &Arc<TableDescriptor>, mut now: TableDescriptor) {
        now.version = was.version + 1;
        self.edits.push(Edit::ChangeTable { was: Arc::clone(was), now: Arc::new(now) });
    }

    pub(super) fn drop_table(&mut self, table: &Arc<TableDescriptor>) {
        self.edits.push(Edit::DropTable(Arc::clone(table)));
    }

    pub(super) fn put_view(&mut self, was: Option<&Arc<ViewDescriptor>>, now: ViewDescriptor) {
        self.edits.push(Edit::PutView { was: was.cloned(), now: Arc::new(now) });
    }

    pub(super) fn drop_view(&mut self, view: &Arc<ViewDescriptor>) {
        self.edits.push(Edit::DropView(Arc::clone(view)));
    }

    /// The tables that it creates, as they will be: what CREATE TABLE … SELECT fills.
    pub fn created(&self) -> impl Iterator<Item = &Arc<TableDescriptor>> {
        self.edits.iter().filter_map(|edit| match edit {
            Edit::CreateTable(table) => Some(table),
            _ => None,
        })
    }

    /// The table that it describes anew or makes, if there is one.
    pub fn described(&self) -> Option<&Arc<TableDescriptor>> {
        self.tables().find_map(|(_, now)| now)
    }

    /// Tables that go on under another id.
    pub fn moved(&self) -> impl Iterator<Item = &Arc<TableDescriptor>> {
        self.tables()
            .filter_map(|(was, now)| now.filter(|now| was.is_some_and(|was| was.id != now.id)))
    }

    /// The ids of tables whose rows go.
    pub fn gone(&self) -> impl Iterator<Item = u32> {
        self.tables().filter_map(|(was, now)| {
            let was = was?.id;
            now.is_none_or(|now| now.id != was).then_some(was)
        })
    }

    /// Tables that it makes, changes and drops: as they were, and will be.
    pub(super) fn tables(
        &self,
    ) -> impl Iterator<Item = (Option<&Arc<TableDescriptor>>, Option<&Arc<TableDescriptor>>)> {
        self.edits.iter().filter_map(|edit| match edit {
            Edit::CreateTable(now) => Some((None, Some(now))),
            Edit::ChangeTable { was, now } => Some((Some(was), Some(now))),
            Edit::DropTable(was) => Some((Some(was), None)),
            _ => None,
        })
    }

    /// Names that it touches, as `(database, table)`: what has to be locked.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.edits.iter().flat_map(|edit| {
            let (one, two): ((&str, &str), Option<(&str, &str)>) = match edit {
                Edit::PutSchema { schema, .. } => ((&schema.name, ""), None),
                Edit::DropSchema(name) => ((name, ""), None),
                Edit::CreateTable(table) | Edit::DropTable(table) => {
                    ((&table.schema, &table.name), None)
                }
                Edit::ChangeTable { was, now } => {
                    ((&was.schema, &was.name), Some((&now.schema, &now.name)))
                }
                Edit::PutView { now: view, .. } | Edit::DropView(view) => {
                    ((&view.schema, &view.name), None)
                }
            };
            std::iter::once(one).chain(two)
        })
    }

    /// Makes the change in a copy of the catalog.
    ///
    /// # Errors
    /// 1412 if the catalog has changed since it was planned.
    pub(super) fn apply_to(
        &self,
        catalog: &mut CatalogSnapshot,
    ) -> std::result::Result<(), SqlError> {
        // Tables may swap their names: old ones are gone before new ones come.
        for edit in &self.edits {
            edit.take_from(catalog)?;
        }
        for edit in &self.edits {
            edit.apply_to(catalog)?;
        }
        catalog.version += 1;
        Ok(())
    }

    /// Its writes.
    pub(super) fn write_to(&self, batch: &mut WriteBatch) -> Result<()> {
        for edit in &self.edits {
            if let Edit::ChangeTable { was, .. } = edit {
                Writes(batch).delete_name(&was.schema, &was.name)?;
            }
        }
        for edit in &self.edits {
            edit.write_to(batch)?;
        }
        Ok(())
    }
}

impl Edit {
    /// Whether the catalog has this very version of the table.
    fn is_there(catalog: &CatalogSnapshot, table: &TableDescriptor) -> bool {
        let found = catalog.table(&table.schema, &table.name);
        found.is_some_and(|found| {
            found.descriptor.id == table.id && found.descriptor.version == table.version
        })
    }

    /// Takes away what gets another name or description.
    fn take_from(&self, catalog: &mut CatalogSnapshot) -> std::result::Result<(), SqlError> {
        if let Edit::ChangeTable { was, now } = self {
            if !Self::is_there(catalog, was) || catalog.schema(&now.schema).is_none() {
                return Err(moved(&was.name));
            }
            catalog.remove(&was.schema, &was.name);
        }
        Ok(())
    }

    fn apply_to(&self, catalog: &mut CatalogSnapshot) -> std::result::Result<(), SqlError> {
        match self {
            Edit::PutSchema { schema, new } => {
                let name: Arc<str> = schema.name.as_str().into();
                match catalog.schemas.get_mut(&name) {
                    Some(_) if *new => return Err(moved(&name)),
                    Some(known) => Arc::make_mut(known).descriptor = Arc::clone(schema),
                    None if !new => return Err(moved(&name)),
                    None => {
                        let fresh = Schema {
                            descriptor: Arc::clone(schema),
                            relations: Default::default(),
                        };
                        catalog.schemas.insert(name, Arc::new(fresh));
                    }
                }
            }
            Edit::DropSchema(name) => {
                // Its tables were dropped before, one by one.
                match catalog.schemas.remove(name) {
                    Some(schema) if schema.relations.is_empty() => {}
                    _ => return Err(moved(name)),
                }
            }
            Edit::CreateTable(table) => {
                if catalog.schema(&table.schema).is_none()
                    || catalog.relation(&table.schema, &table.name).is_some()
                {
                    return Err(moved(&table.name));
                }
                catalog.put_table(Arc::clone(table));
            }
            Edit::ChangeTable { now, .. } => {
                if catalog.relation(&now.schema, &now.name).is_some() {
                    return Err(moved(&now.name));
                }
                catalog.put_table(Arc::clone(now));
            }
            Edit::DropTable(table) => {
                if !Self::is_there(catalog, table) {
                    return Err(moved(&table.name));
                }
                catalog.remove(&table.schema, &table.name);
            }
            Edit::PutView { was, now } => {
                let known = match catalog.relation(&now.schema, &now.name) {
                    None => None,
                    Some(Relation::View(view)) => Some(view.version),
                    Some(Relation::Table(_)) => return Err(moved(&now.name)),
                };
                if known != was.as_ref().map(|view| view.version) {
                    return Err(moved(&now.name));
                }
                let name: Arc<str> = now.name.as_str().into();
                let Some(schema) = catalog.schemas.get_mut(&now.schema[..]) else {
                    return Err(moved(&now.name));
                };
                let relations = &mut Arc::make_mut(schema).relations;
                relations.insert(name, Relation::View(Arc::clone(now)));
            }
            Edit::DropView(view) => match catalog.relation(&view.schema, &view.name) {
                Some(Relation::View(known)) if known.version == view.version => {
                    catalog.remove(&view.schema, &view.name);
                }
                _ => return Err(moved(&view.name)),
            },
        }
        Ok(())
    }

    fn write_to(&self, batch: &mut WriteBatch) -> Result<()> {
        let mut writes = Writes(batch);
        match self {
            Edit::PutSchema { schema, .. } => writes.put_schema(schema),
            Edit::DropSchema(name) => writes.delete_schema(name),
            Edit::CreateTable(table) => {
                writes.put_name(&table.schema, &table.name, table.id)?;
                writes.put_table(table)
            }
            Edit::ChangeTable { was, now } => {
                writes.put_name(&now.schema, &now.name, now.id)?;
                writes.put_table(now)?;
                if was.id != now.id {
                    writes.delete_table(was.id)?;
                    return batch.delete_range(was.space(), &[], None);
                }
                for index in gone(was, now) {
                    let start = index.0.to_be_bytes();
                    let end = prefix_end(&start);
                    batch.delete_range(was.space(), &start, end.as_deref())?;
                }
                Ok(())
            }
            Edit::DropTable(table) => {
                writes.delete_name(&table.schema, &table.name)?;
                writes.delete_table(table.id)?;
                batch.delete_range(SpaceId(table.id), &[], None)
            }
            Edit::PutView { now, .. } => writes.put_view(now),
            Edit::DropView(view) => writes.delete_view(&view.schema, &view.name),
        }
    }
}
