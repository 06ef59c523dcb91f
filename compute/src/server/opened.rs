//! Tables that are open: compiled once for each version of their descriptor.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_mysql_semantics::expr::Result;
use firn_table::descriptor::TableDescriptor;
use parking_lot::RwLock;

use crate::table::{Numbers, OpenTable};

/// Open tables by their ids: the newest version that was asked for.
#[derive(Debug, Default)]
pub(crate) struct OpenedTables {
    tables: RwLock<BTreeMap<u32, Entry>>,
    /// How many were opened since the start.
    opens: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    numbers: Arc<Numbers>,
    table: Arc<OpenTable>,
}

impl OpenedTables {
    /// The table of a descriptor, compiled if it is not yet.
    ///
    /// # Errors
    /// As [`OpenTable::new`].
    pub(crate) fn get(&self, descriptor: &Arc<TableDescriptor>) -> Result<Arc<OpenTable>> {
        let numbers = {
            let opened = self.tables.read();
            match opened.get(&descriptor.id) {
                Some(entry) if entry.table.descriptor().version == descriptor.version => {
                    return Ok(Arc::clone(&entry.table));
                }
                Some(entry) => Arc::clone(&entry.numbers),
                None => Arc::default(),
            }
        };
        let table = OpenTable::new(Arc::clone(descriptor), Arc::clone(&numbers))?;
        let table = Arc::new(table);
        self.opens.fetch_add(1, Ordering::Relaxed);
        let mut opened = self.tables.write();
        let entry = opened
            .entry(descriptor.id)
            .or_insert_with(|| Entry { numbers, table: Arc::clone(&table) });
        // Who was slower must not bring an old version back, nor numbers of its own.
        if entry.table.descriptor().version < descriptor.version {
            entry.table = Arc::clone(&table);
        } else if !Arc::ptr_eq(&entry.numbers, &table.numbers) {
            let (numbers, descriptor) = (Arc::clone(&entry.numbers), Arc::clone(descriptor));
            drop(opened);
            return Ok(Arc::new(OpenTable::new(descriptor, numbers)?));
        }
        Ok(table)
    }

    /// A table of a descriptor that is not in the catalog yet.
    ///
    /// # Errors
    /// As [`OpenTable::new`].
    pub(crate) fn compile(&self, descriptor: &Arc<TableDescriptor>) -> Result<Arc<OpenTable>> {
        Ok(Arc::new(OpenTable::new(Arc::clone(descriptor), Arc::default())?))
    }

    /// Forgets tables that are gone.
    pub(crate) fn retain(&self, is_there: impl Fn(u32) -> bool) {
        self.tables.write().retain(|id, _| is_there(*id));
    }

    /// How many were opened since the start, and how many are open.
    pub(crate) fn counts(&self) -> (u64, usize) {
        (self.opens.load(Ordering::Relaxed), self.tables.read().len())
    }
}
