//! What is known of tables without reading them: how many rows they have, and how many
//! different keys their indexes and values their columns.
//!
//! ANALYZE TABLE … UPDATE HISTOGRAM adds how the values of columns are distributed
//! ([`histogram`]).
//!
//! How many rows there are is asked of the engine, which knows it of its files and samples
//! its memtables. How different keys are is gathered by reading some of them ([`gather`]): by
//! ANALYZE TABLE, which stores it ([`store`]), and for a table of which nothing is known, or
//! whose size has changed much since, before the first plan that it matters to.

mod columns;
mod gather;
mod histogram;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::Db;
use firn_engine::key::KeyRange;
use firn_table::descriptor::{IndexId, TableDescriptor};
use serde::{Deserialize, Serialize};

pub(crate) use columns::ColumnStatistics;
pub(crate) use gather::{Effort, gather};
pub(crate) use histogram::{
    Histogram, Order as HistogramOrder, Place, can_have as can_have_histogram,
};
pub(crate) use store::{load, store};

use crate::table::{Numbers, OpenTable};

/// What is known of a table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct TableStatistics {
    /// About how many rows it had.
    pub(crate) rows: u64,
    /// By index: how many different keys there were, of its first part, of its first two
    /// parts, and so on.
    pub(crate) distinct: BTreeMap<u16, Vec<u64>>,
    /// ANALYZE TABLE gathered it.
    pub(crate) analyzed: bool,
    /// How different the values of columns are, by the columns' ids.
    #[serde(default)]
    pub(crate) columns: BTreeMap<u32, ColumnStatistics>,
    /// Histograms of columns, by the columns' ids.
    #[serde(default)]
    pub(crate) histograms: BTreeMap<u32, Histogram>,
}

impl TableStatistics {
    /// How many entries of an index are the same in so many leading parts, on average.
    pub(crate) fn entries_per_key(&self, index: IndexId, parts: usize) -> Option<f64> {
        let distinct = *self.distinct.get(&index.0)?.get(parts.checked_sub(1)?)?;
        Some((self.rows as f64 / distinct.max(1) as f64).max(1.0))
    }

    /// Whether it says little of a table that has so many rows now.
    pub(crate) fn is_stale(&self, rows: u64) -> bool {
        let (few, many) = (self.rows.min(rows), self.rows.max(rows));
        many > 2 * few + 64
    }
}

/// About how many rows a table has now.
pub(crate) fn rows_now(db: &Db, table: &OpenTable) -> u64 {
    rows_of(db, table.descriptor())
}

/// The same, of a table that need not be open.
pub(crate) fn rows_of(db: &Db, table: &TableDescriptor) -> u64 {
    let whole = KeyRange { start: bytes::Bytes::new(), end: None };
    let keys = db.estimate_keys(table.space(), &whole).unwrap_or_default();
    let indexes = table.indexes.iter().filter(|index| index.id != IndexId::ROWS).count();
    // Each row has an entry in each index.
    keys / (1 + indexes as u64)
}

/// Bytes of a table's files.
pub(crate) fn bytes_of(db: &Db, table: &TableDescriptor) -> u64 {
    let version = db.version();
    let Some(space) = version.space(table.space()) else { return 0 };
    space.files().map(|(_, file)| file.total_bytes()).sum()
}

impl Numbers {
    /// Takes what was gathered of the table. Histograms stay as they are by now.
    pub(crate) fn has_gathered(&self, gathered: &TableStatistics) {
        self.know(|known| {
            let histograms = std::mem::take(&mut known.histograms);
            *known = TableStatistics { histograms, ..gathered.clone() };
        });
    }

    /// Changes what is known of the table, of which others change parts at the same time.
    pub(crate) fn know(&self, change: impl Fn(&mut TableStatistics)) {
        self.statistics.rcu(|known| {
            let mut known = known.as_deref().cloned().unwrap_or_default();
            change(&mut known);
            Some(Arc::new(known))
        });
    }
}

impl OpenTable {
    /// The histograms of its columns, by the columns' ids.
    pub(crate) fn histograms(&self) -> BTreeMap<u32, Histogram> {
        let known = self.numbers.statistics.load_full();
        known.map_or_else(BTreeMap::new, |known| known.histograms.clone())
    }

    /// What is known of the table.
    pub(crate) fn statistics(&self) -> Option<Arc<TableStatistics>> {
        let known = self.numbers.statistics.load_full()?;
        let mut indexes = self.codec.indexes().iter();
        // Not of an index that was made since.
        indexes.all(|index| known.distinct.contains_key(&index.id().0)).then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gathering that takes long ends after others have changed what is known.
    #[test]
    fn histograms_that_came_and_went_while_a_table_was_read_stay_so() {
        let numbers = Numbers::default();
        numbers.know(|known| {
            known.rows = 10;
            known.histograms.insert(1, Histogram::default());
        });
        let read = TableStatistics {
            rows: 20,
            ..(*numbers.statistics.load_full().expect("known")).clone()
        };
        numbers.know(|known| {
            known.histograms.remove(&1);
            known.histograms.insert(2, Histogram::default());
        });
        numbers.has_gathered(&read);
        let known = numbers.statistics.load_full().expect("known");
        assert_eq!(known.rows, 20);
        assert_eq!(known.histograms.keys().collect::<Vec<_>>(), [&2]);
    }
}
