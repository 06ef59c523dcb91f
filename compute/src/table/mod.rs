//! An open table: its descriptor, and all that is compiled from it once.

mod columns;
mod generated;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use firn_engine::manifest::Version;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Node, Result, Settings};
use firn_table::TableCodec;
use firn_table::descriptor::{ColumnDefault, IndexId, TableDescriptor};
use parking_lot::Mutex;

pub(crate) use columns::members_of;
pub(crate) use generated::Generated;

use crate::bind::ScopeColumn;
use crate::execute::{Relations, engine_error};
use crate::statistics::TableStatistics;

/// A table as one version of its descriptor has it.
#[derive(Debug)]
pub(crate) struct OpenTable {
    /// Keys and rows.
    pub(crate) codec: TableCodec,
    /// What names mean.
    pub(crate) columns: Arc<[ScopeColumn]>,
    /// Of ENUM and SET columns, by column: the members in the column's character set.
    pub(crate) members: Vec<Box<[Box<[u8]>]>>,
    /// What a row gets that says nothing of a column, by column.
    pub(crate) defaults: Vec<Default>,
    /// Generated columns that rows store, in the order in which they are computed.
    pub(crate) stored_generated: Vec<Generated>,
    /// Generated columns that are computed whenever they are read.
    virtual_generated: Vec<Generated>,
    /// CHECK constraints that are enforced: their names and conditions.
    pub(crate) checks: Vec<(String, Node)>,
    /// The column with AUTO_INCREMENT.
    pub(crate) auto_increment: Option<usize>,
    /// It is seen by one session only, and ends with it.
    pub(crate) temporary: bool,
    /// What all versions of the table share.
    pub(crate) numbers: Arc<Numbers>,
    /// Foreign keys, as the catalog of this version has them.
    relations: Mutex<(u64, Arc<Relations>)>,
}

/// DEFAULT, ready to be put into a row.
#[derive(Debug)]
pub(crate) enum Default {
    /// There is none.
    None,
    /// A value of the column's type.
    Value(Value),
    /// CURRENT_TIMESTAMP.
    Now,
    /// An expression over the row.
    Expr(Box<Node>),
}

/// Numbers that a table gives to its rows. All versions of a table share them.
#[derive(Debug, std::default::Default)]
pub(crate) struct Numbers {
    /// The next value of AUTO_INCREMENT; 0 if it is not known yet.
    pub(crate) next_auto_increment: AtomicU64,
    /// Values below this one may be given: it is stored that they were.
    pub(crate) kept_auto_increment: AtomicU64,
    /// The commits with which indexes were made: snapshots from before lack their history.
    indexes_valid_from: Mutex<Vec<(IndexId, u64)>>,
    /// How far ahead it was stored last. Held while it is stored.
    pub(crate) keeping: tokio::sync::Mutex<u64>,
    /// The next number of a row without a primary key; 0 if it is not known yet.
    pub(crate) next_row: AtomicU64,
    /// What was gathered of its rows last.
    pub(crate) statistics: ArcSwapOption<TableStatistics>,
    /// Held while that is stored: what is stored last is what was known last.
    pub(crate) keeping_statistics: tokio::sync::Mutex<()>,
}

impl Numbers {
    /// Those of a table of which this is known.
    pub(crate) fn knowing(statistics: Option<Arc<TableStatistics>>) -> Self {
        Self { statistics: ArcSwapOption::from(statistics), ..Self::default() }
    }

    /// Raises a counter to at least `next`.
    pub(crate) fn raise(counter: &AtomicU64, next: u64) {
        counter.fetch_max(next, Ordering::Relaxed);
    }
}

impl Numbers {
    /// Indexes were made, by a commit of this number.
    pub(crate) fn made_indexes(&self, indexes: &[IndexId], seq: u64) {
        let mut all = self.indexes_valid_from.lock();
        all.retain(|(index, _)| !indexes.contains(index));
        all.extend(indexes.iter().map(|index| (*index, seq)));
    }

    /// Whether a snapshot knows an index.
    pub(crate) fn has_index(&self, index: IndexId, seq: u64) -> bool {
        let all = self.indexes_valid_from.lock();
        !all.iter().any(|(made, from)| *made == index && seq < *from)
    }

    /// Forgets what AUTO_INCREMENT gives next: ALTER TABLE says something else.
    pub(crate) fn forget_auto_increment(&self) {
        self.next_auto_increment.store(0, Ordering::Relaxed);
        self.kept_auto_increment.store(0, Ordering::Relaxed);
    }
}

impl OpenTable {
    /// About how many rows files have, those included that newer ones replace.
    pub(crate) fn estimated_rows(&self, version: &Version) -> u64 {
        let Some(space) = version.space(self.descriptor().space()) else { return 0 };
        let entries: u64 = space.files().map(|(_, file)| file.entries).sum();
        entries / (1 + self.codec.indexes().len() as u64)
    }

    /// The share of its rows that have copies in columns, as files know it.
    pub(crate) fn copied(&self, version: &Version) -> f64 {
        let Some(space) = version.space(self.descriptor().space()) else { return 0.0 };
        let (mut rows, mut all) = (0, 0);
        for (_, file) in space.files() {
            // A copy has rows alone, its file the entries of indexes, too.
            let of_copy = file.column.as_ref().map(|copy| copy.rows);
            rows += of_copy.unwrap_or_default();
            all += of_copy.unwrap_or(file.entries / (1 + self.codec.indexes().len() as u64));
        }
        if all == 0 { 0.0 } else { rows as f64 / all as f64 }
    }

    /// Compiles a descriptor.
    ///
    /// # Errors
    /// The engine's for a descriptor whose parts do not fit together; the binder's for
    /// an expression of it that can be bound no more.
    pub(crate) fn new(table: Arc<TableDescriptor>, numbers: Arc<Numbers>) -> Result<Self> {
        let codec = TableCodec::new(Arc::clone(&table)).map_err(engine_error)?;
        let columns = columns::of(&table);
        let members = columns
            .iter()
            .map(|column| {
                let list = column.members.as_deref().unwrap_or_default();
                list.iter().map(|member| Box::from(&member[..])).collect()
            })
            .collect();
        let settings =
            Settings { database: Some(table.schema.as_str().into()), ..Settings::default() };
        let bind = generated::Expressions::new(&table, &columns, &settings);
        let mut defaults = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            defaults.push(match &column.default {
                ColumnDefault::None => Default::None,
                ColumnDefault::Null => Default::Value(Value::Null),
                ColumnDefault::Now => Default::Now,
                ColumnDefault::Constant(text) => Default::Value(columns::constant(column, text)?),
                ColumnDefault::Expr(sql) => Default::Expr(Box::new(bind.node(sql)?)),
            });
        }
        let (mut stored_generated, mut virtual_generated) = (Vec::new(), Vec::new());
        for (at, column) in table.columns.iter().enumerate() {
            let Some(generated) = &column.generated else { continue };
            let one = Generated { column: at, node: bind.node(&generated.expr)? };
            if generated.stored {
                stored_generated.push(one);
            } else {
                virtual_generated.push(one);
            }
        }
        let checks = table
            .checks
            .iter()
            .filter(|check| check.enforced)
            .map(|check| Ok((check.name.clone(), bind.node(&check.expr)?)))
            .collect::<Result<Vec<_>>>()?;
        let auto_increment = table.columns.iter().position(|column| column.auto_increment);
        Ok(Self {
            codec,
            columns,
            members,
            defaults,
            stored_generated,
            virtual_generated,
            checks,
            auto_increment,
            temporary: false,
            numbers,
            relations: Mutex::new((u64::MAX, Arc::default())),
        })
    }

    /// The same, of a temporary table.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn temporary(table: Arc<TableDescriptor>, numbers: Arc<Numbers>) -> Result<Self> {
        Ok(Self { temporary: true, ..Self::new(table, numbers)? })
    }

    /// The foreign keys of the table and to it, found once for each version of the catalog.
    ///
    /// # Errors
    /// Those of `find`.
    pub(crate) fn relations(
        &self,
        catalog_version: u64,
        find: impl FnOnce() -> Result<Relations>,
    ) -> Result<Arc<Relations>> {
        {
            let known = self.relations.lock();
            if known.0 == catalog_version {
                return Ok(Arc::clone(&known.1));
            }
        }
        let found = Arc::new(find()?);
        *self.relations.lock() = (catalog_version, Arc::clone(&found));
        Ok(found)
    }

    /// The descriptor.
    pub(crate) fn descriptor(&self) -> &Arc<TableDescriptor> {
        self.codec.table()
    }

    /// The place of the column of this name.
    pub(crate) fn column_named(&self, name: &str) -> Option<usize> {
        let (columns, name) = (&self.descriptor().columns, name.to_lowercase());
        columns.iter().position(|column| column.name.to_lowercase() == name)
    }

    /// Generated columns that are computed whenever they are read.
    pub(crate) fn virtual_columns(&self) -> &[Generated] {
        &self.virtual_generated
    }

    /// A column as an expression, by its id.
    pub(crate) fn node_of(&self, id: firn_table::descriptor::ColumnId) -> Option<Node> {
        let index = self.descriptor().columns.iter().position(|column| column.id == id)?;
        let column = &self.columns[index];
        Some(Node::column(firn_mysql_semantics::expr::Column {
            index,
            ty: column.ty,
            name: Box::from(&*column.name),
            members: column.members.clone(),
        }))
    }
}

/// An error for a part of the catalog that makes no sense.
pub(crate) fn corrupt(what: &str) -> SqlError {
    engine_error(firn_engine::Error::new(firn_engine::ErrorKind::Corrupt, what.to_owned()))
}
