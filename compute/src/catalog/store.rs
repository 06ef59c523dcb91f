//! Where the catalog lies: rows of the key space 1.
//!
//! ```text
//! 01 name                      a database: its descriptor
//! 02 database 00 name          a table: its id, u32 BE
//! 03 id u32 BE                 a table's descriptor
//! 04                           the next table id, u32 BE
//! 05 id u32 BE                 a table's AUTO_INCREMENT: no value at or above this one,
//!                              u64 BE, has been given out
//! 06 database 00 name          a view's descriptor
//! 07 user 00 host              an account or role, with what it has been granted
//! 08 id u32 BE                 a space that goes when the database is opened again: of a
//!                              temporary table, or of a copy that is being made
//! 08 id u32 BE index u16 BE    the same of one index's entries, while it is being made
//! 09 id u32 BE                 what ANALYZE TABLE gathered of a table
//! ```
//!
//! Descriptors are JSON. Names cannot contain a zero byte. Whatever one statement
//! changes is one write batch.

use firn_engine::key::prefix_end;
use firn_engine::{Context, Db, Error, ErrorKind, Result, SpaceId, WriteBatch};
use firn_table::descriptor::{IndexId, TableDescriptor};

use super::ViewDescriptor;
use super::snapshot::{CatalogSnapshot, Relation, Schema, SchemaDescriptor};

use std::collections::BTreeMap;
use std::sync::Arc;

/// The space of the catalog.
pub const CATALOG_SPACE: SpaceId = SpaceId(1);
/// The first id of a user's table.
pub const FIRST_TABLE_ID: u32 = 1024;
/// Most rows of one kind that are read at a time.
const CHUNK_ROWS: usize = 1024;

const SCHEMAS: u8 = 1;
const NAMES: u8 = 2;
const TABLES: u8 = 3;
const NEXT_ID: u8 = 4;
const AUTO_INCREMENTS: u8 = 5;
const VIEWS: u8 = 6;
pub(super) const ACCOUNTS: u8 = 7;
const SCRATCH: u8 = 8;
const STATISTICS: u8 = 9;

fn key(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind];
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

fn name_key(kind: u8, schema: &str, name: &str) -> Vec<u8> {
    key(kind, &[schema.as_bytes(), &[0], name.as_bytes()])
}

/// The key under which a table's AUTO_INCREMENT is kept, in [`CATALOG_SPACE`].
#[must_use]
pub fn auto_increment_key(table: u32) -> Vec<u8> {
    key(AUTO_INCREMENTS, &[&table.to_be_bytes()])
}

/// The key under which the statistics of a table are kept, in [`CATALOG_SPACE`].
#[must_use]
pub fn statistics_key(table: u32) -> Vec<u8> {
    key(STATISTICS, &[&table.to_be_bytes()])
}

/// What the keys of statistics begin with.
#[must_use]
pub fn statistics_prefix() -> Vec<u8> {
    vec![STATISTICS]
}

/// Remembers that a space is to go with the next start.
pub(super) fn put_scratch(space: u32, batch: &mut WriteBatch) -> Result<()> {
    batch.put(CATALOG_SPACE, &key(SCRATCH, &[&space.to_be_bytes()]), &[])
}

fn index_scratch(space: u32, index: IndexId) -> Vec<u8> {
    key(SCRATCH, &[&space.to_be_bytes(), &index.0.to_be_bytes()])
}

/// Remembers that the entries of an index are to go with the next start.
pub(super) fn put_scratch_index(space: u32, index: IndexId, batch: &mut WriteBatch) -> Result<()> {
    batch.put(CATALOG_SPACE, &index_scratch(space, index), &[])
}

/// Forgets that they are to go: in the batch that deletes them, or that names the index.
///
/// # Errors
/// The engine's, for too large a batch.
pub fn forget_scratch_index(space: u32, index: IndexId, batch: &mut WriteBatch) -> Result<()> {
    batch.delete(CATALOG_SPACE, &index_scratch(space, index))
}

/// Forgets that a space is to go: in the batch that deletes it, or that names it.
///
/// # Errors
/// The engine's, for too large a batch.
pub fn forget_scratch(space: u32, batch: &mut WriteBatch) -> Result<()> {
    batch.delete(CATALOG_SPACE, &key(SCRATCH, &[&space.to_be_bytes()]))
}

/// Deletes the spaces that were to go with the next start.
pub(super) async fn clear_scratch(db: &Db, catalog: &CatalogSnapshot) -> Result<()> {
    loop {
        let rows = db.scan_prefix(CATALOG_SPACE, &[SCRATCH]).await?.collect(CHUNK_ROWS).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut batch = WriteBatch::new();
        for (key, _) in &rows {
            let (space, index) = key.get(1..).unwrap_or_default().split_at(4.min(key.len() - 1));
            let space = u32_of(space)?;
            if !index.is_empty() {
                let index = index.try_into().map(u16::from_be_bytes);
                let index = IndexId(index.map_err(|_| corrupt("an index has no two bytes"))?);
                let table = catalog.table_by_id(space);
                let named = table.is_some_and(|table| {
                    table.descriptor.indexes.iter().any(|named| named.id == index)
                });
                if !named {
                    let start = index.0.to_be_bytes();
                    let end = prefix_end(&start);
                    batch.delete_range(SpaceId(space), &start, end.as_deref())?;
                }
                batch.delete(CATALOG_SPACE, key)?;
                continue;
            }
            // A table of the catalog is no scratch, whatever is written here.
            if space >= FIRST_TABLE_ID && catalog.table_by_id(space).is_none() {
                batch.delete_range(SpaceId(space), &[], None)?;
            }
            batch.delete(CATALOG_SPACE, key)?;
        }
        db.write(&batch).await?;
    }
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("catalog: {what}"))
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("catalog: {error}")))
}

fn from_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| corrupt(&error.to_string()))
}

/// Writes of the catalog, for one batch.
pub(super) struct Writes<'a>(pub(super) &'a mut WriteBatch);

impl Writes<'_> {
    pub(super) fn put_schema(&mut self, schema: &SchemaDescriptor) -> Result<()> {
        let key = key(SCHEMAS, &[schema.name.as_bytes()]);
        self.0.put(CATALOG_SPACE, &key, &json(schema)?)
    }

    pub(super) fn delete_schema(&mut self, name: &str) -> Result<()> {
        self.0.delete(CATALOG_SPACE, &key(SCHEMAS, &[name.as_bytes()]))
    }

    pub(super) fn put_name(&mut self, schema: &str, name: &str, id: u32) -> Result<()> {
        self.0.put(CATALOG_SPACE, &name_key(NAMES, schema, name), &id.to_be_bytes())
    }

    pub(super) fn delete_name(&mut self, schema: &str, name: &str) -> Result<()> {
        self.0.delete(CATALOG_SPACE, &name_key(NAMES, schema, name))
    }

    pub(super) fn put_table(&mut self, table: &TableDescriptor) -> Result<()> {
        self.0.put(CATALOG_SPACE, &key(TABLES, &[&table.id.to_be_bytes()]), &table.encode())
    }

    pub(super) fn delete_table(&mut self, id: u32) -> Result<()> {
        self.0.delete(CATALOG_SPACE, &key(TABLES, &[&id.to_be_bytes()]))?;
        self.0.delete(CATALOG_SPACE, &statistics_key(id))?;
        self.0.delete(CATALOG_SPACE, &auto_increment_key(id))
    }

    pub(super) fn put_next_id(&mut self, id: u32) -> Result<()> {
        self.0.put(CATALOG_SPACE, &[NEXT_ID], &id.to_be_bytes())
    }

    pub(super) fn put_view(&mut self, view: &ViewDescriptor) -> Result<()> {
        let key = name_key(VIEWS, &view.schema, &view.name);
        self.0.put(CATALOG_SPACE, &key, &json(view)?)
    }

    pub(super) fn delete_view(&mut self, schema: &str, name: &str) -> Result<()> {
        self.0.delete(CATALOG_SPACE, &name_key(VIEWS, schema, name))
    }
}

/// What is stored: the databases with their tables, and the next table's id.
pub(super) async fn load(db: &Db) -> Result<(CatalogSnapshot, u32)> {
    let snapshot = db.snapshot();
    let rows = |kind: u8| {
        let snapshot = &snapshot;
        async move {
            let mut scan = snapshot.scan_prefix(CATALOG_SPACE, &[kind]).await?;
            let mut all = Vec::new();
            loop {
                let chunk = scan.collect(CHUNK_ROWS).await?;
                if chunk.is_empty() {
                    return Result::Ok(all);
                }
                all.extend(chunk);
            }
        }
    };
    let mut catalog = CatalogSnapshot { version: snapshot.seq().0, ..Default::default() };
    for (_, value) in rows(SCHEMAS).await.context(|| "databases".to_owned())? {
        let descriptor: SchemaDescriptor = from_json(&value)?;
        let name: Arc<str> = descriptor.name.as_str().into();
        let schema = Schema { descriptor: Arc::new(descriptor), relations: BTreeMap::new() };
        catalog.schemas.insert(name, Arc::new(schema));
    }
    let mut named = BTreeMap::new();
    for (key, value) in rows(NAMES).await.context(|| "names of tables".to_owned())? {
        let id = u32_of(&value)?;
        named.insert(id, key);
    }
    for (_, value) in rows(TABLES).await.context(|| "tables".to_owned())? {
        let table = TableDescriptor::decode(&value)?;
        let wanted = name_key(NAMES, &table.schema, &table.name);
        if named.remove(&table.id).as_deref() != Some(&wanted[..]) {
            return Err(corrupt(&format!("table {} has no name of its own", table.id)));
        }
        if !catalog.schemas.contains_key(&table.schema[..]) {
            return Err(corrupt(&format!("table {} has no database", table.id)));
        }
        catalog.put_table(Arc::new(table));
    }
    if let Some(id) = named.keys().next() {
        return Err(corrupt(&format!("table {id} has a name and no descriptor")));
    }
    for (_, value) in rows(VIEWS).await.context(|| "views".to_owned())? {
        let view: ViewDescriptor = from_json(&value)?;
        let name: Arc<str> = view.name.as_str().into();
        let Some(schema) = catalog.schemas.get_mut(&view.schema[..]) else {
            return Err(corrupt(&format!("view {} has no database", view.name)));
        };
        Arc::make_mut(schema).relations.insert(name, Relation::View(Arc::new(view)));
    }
    let next_id = match snapshot.get(CATALOG_SPACE, &[NEXT_ID]).await? {
        Some(value) => u32_of(&value)?,
        None => FIRST_TABLE_ID,
    };
    Ok((catalog, next_id))
}

fn u32_of(bytes: &[u8]) -> Result<u32> {
    bytes.try_into().map(u32::from_be_bytes).map_err(|_| corrupt("a number has no four bytes"))
}
