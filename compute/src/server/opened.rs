//! Tables that are open: compiled once for each version of their descriptor.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_mysql_semantics::expr::Result;
use firn_table::descriptor::TableDescriptor;
use parking_lot::RwLock;

use crate::catalog::CatalogSnapshot;
use crate::statistics::TableStatistics;
use crate::table::{Numbers, OpenTable};

/// Open tables by their ids: the newest version that was asked for.
#[derive(Debug, Default)]
pub(crate) struct OpenedTables {
    tables: RwLock<BTreeMap<u32, Entry>>,
    /// How many were opened since the start.
    opens: AtomicU64,
    /// What ANALYZE TABLE had stored at the start, by table.
    statistics: BTreeMap<u32, Arc<TableStatistics>>,
}

#[derive(Debug)]
struct Entry {
    numbers: Arc<Numbers>,
    table: Arc<OpenTable>,
}

impl OpenedTables {
    /// None yet, with what is known of some.
    pub(crate) fn knowing(statistics: BTreeMap<u32, Arc<TableStatistics>>) -> Self {
        Self { statistics, ..Self::default() }
    }

    /// The table of a descriptor, compiled if it is not yet.
    ///
    /// # Errors
    /// As [`OpenTable::new`].
    pub(crate) fn get(&self, descriptor: &Arc<TableDescriptor>) -> Result<Arc<OpenTable>> {
        loop {
            let numbers = {
                let opened = self.tables.read();
                match opened.get(&descriptor.id) {
                    Some(entry) if entry.table.descriptor().version == descriptor.version => {
                        return Ok(Arc::clone(&entry.table));
                    }
                    Some(entry) => Arc::clone(&entry.numbers),
                    None => {
                        let known = self.statistics.get(&descriptor.id);
                        Arc::new(Numbers::knowing(known.map(Arc::clone)))
                    }
                }
            };
            let table = OpenTable::new(Arc::clone(descriptor), Arc::clone(&numbers))?;
            let table = Arc::new(table);
            self.opens.fetch_add(1, Ordering::Relaxed);
            let mut opened = self.tables.write();
            let entry = opened
                .entry(descriptor.id)
                .or_insert_with(|| Entry { numbers, table: Arc::clone(&table) });
            // Somebody was faster: all versions of a table count with the same numbers.
            if !Arc::ptr_eq(&entry.numbers, &table.numbers) {
                continue;
            }
            // Who was slower must not bring an old version back.
            if entry.table.descriptor().version < descriptor.version {
                entry.table = Arc::clone(&table);
            }
            return Ok(table);
        }
    }

    /// A table of a descriptor that is not in the catalog yet.
    ///
    /// # Errors
    /// As [`OpenTable::new`].
    pub(crate) fn compile(&self, descriptor: &Arc<TableDescriptor>) -> Result<Arc<OpenTable>> {
        Ok(Arc::new(OpenTable::new(Arc::clone(descriptor), Arc::default())?))
    }

    /// Forgets tables that are gone. The catalog is asked when nobody can add a table any
    /// more: one from before would lack tables that are open already, and what their next
    /// versions number rows by would begin anew beside what the others still count with.
    pub(crate) fn forget_gone(
        &self,
        newest: impl FnOnce() -> Arc<CatalogSnapshot>,
    ) -> Arc<CatalogSnapshot> {
        let mut tables = self.tables.write();
        let catalog = newest();
        tables.retain(|id, _| catalog.table_by_id(*id).is_some());
        catalog
    }

    /// How many were opened since the start, and how many are open.
    pub(crate) fn counts(&self) -> (u64, usize) {
        (self.opens.load(Ordering::Relaxed), self.tables.read().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a catalog from before, the forgetting of one session took tables of another's
    /// TRUNCATE: two statements gave their rows the same numbers, and snapshots from before it
    /// found the table empty instead of error 1412.
    #[test]
    fn the_catalog_is_asked_when_no_table_can_be_added_any_more() {
        let opened = OpenedTables::default();
        opened.forget_gone(|| {
            assert!(opened.tables.try_read().is_none(), "a table could be added now");
            Arc::default()
        });
    }
}
