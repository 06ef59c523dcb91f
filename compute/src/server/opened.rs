//! Tables that are open: compiled once for each version of their descriptor.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_mysql_semantics::expr::Result;
use firn_table::descriptor::TableDescriptor;
use parking_lot::RwLock;

use crate::table::{Numbers, OpenTable};

/// Open tables by their ids: the newest version that was asked for.
#[derive(Debug, Default)]
pub(crate) struct OpenedTables(RwLock<BTreeMap<u32, Entry>>);

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
            let opened = self.0.read();
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
        let mut opened = self.0.write();
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
        self.0.write().retain(|id, _| is_there(*id));
    }
}
