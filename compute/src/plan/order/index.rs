//! What searching a table by an index gives and costs.

use firn_table::TableCodec;
use firn_table::descriptor::{IndexId, IndexState};

use super::{Table, Tables};
use crate::plan::{Known, cost};

/// An index that a table can be searched by.
pub(super) struct Index {
    /// Its columns, and whether a range of each can be searched.
    pub(super) parts: Vec<(usize, bool)>,
    pub(super) unique: bool,
    /// It has all columns that are read.
    pub(super) covering: bool,
    /// It is the rows themselves.
    pub(super) rows: bool,
    /// How many entries a key has, by how many parts; nothing if it is not known.
    pub(super) per_key: Vec<f64>,
    /// How many entries values of so many parts leave.
    pub(super) dive: Option<(usize, f64)>,
}

impl Index {
    /// What an entry costs that is found.
    pub(super) fn each(&self) -> f64 {
        match (self.rows, self.covering) {
            (true, _) => 1.0,
            (false, true) => cost::ENTRY,
            (false, false) => cost::ENTRY + cost::BEHIND,
        }
    }

    /// How many entries its search gives, and by how many parts.
    pub(super) fn searched(&self, table: &Table, there: &dyn Fn(Tables) -> bool) -> (f64, usize) {
        let (mut found, mut values, mut used, mut constant) = (table.rows, 1.0, 0, 0);
        let mut only_constants = true;
        for (column, ranges) in &self.parts {
            let here = || {
                let terms = table.terms.iter();
                terms.filter(|term| {
                    term.column == *column && there(term.needs) && (*ranges || term.equality)
                })
            };
            if here().next().is_none() {
                break;
            }
            used += 1;
            constant += usize::from(here().any(|term| term.constant));
            only_constants &= here().all(|term| term.needs == 0);
            let equal = here().filter(|term| term.equality).map(|term| term.values);
            match (equal.reduce(f64::min), self.per_key.get(used - 1)) {
                (Some(count), Some(each)) => {
                    values *= count;
                    found = found.min(each * values);
                }
                (Some(count), None) => {
                    values *= count;
                    found *= here().map(|term| term.share).product::<f64>();
                }
                (None, _) => {
                    found *= here().map(|term| term.share).product::<f64>();
                    break;
                }
            }
        }
        if let Some((parts, entries)) = self.dive {
            if parts == used && only_constants {
                return (entries.max(1.0), used);
            }
            if parts <= used {
                found = found.min(entries);
            }
        }
        let single = self.unique && constant == self.parts.len();
        (if single { 1.0 } else { found.max(1.0) }, used)
    }
}

/// The indexes of a table that can be searched.
pub(super) fn indexes(codec: &TableCodec, reads: &[bool], known: Option<&Known>) -> Vec<Index> {
    let table = codec.table();
    let mut all = Vec::with_capacity(table.indexes.len() + 1);
    let mut add = |index: &firn_table::key::IndexCodec, rows: bool| {
        let parts: Option<Vec<_>> = (0..index.parts())
            .map(|part| Some((index.column(part)?, index.keeps_order(part))))
            .collect();
        let read = |at: usize| reads.get(at) == Some(&true);
        let covering = rows || (0..table.columns.len()).all(|at| !read(at) || index.covers(at));
        let per_key = |known: &Known| -> Vec<f64> {
            (1..=index.parts()).map_while(|parts| known.per_key(index, parts)).collect()
        };
        let dive = known.and_then(|known| {
            let mut dives = known.dives().iter();
            dives.find(|dive| dive.index == index.id())
        });
        if let Some(parts) = parts.filter(|parts| !parts.is_empty()) {
            all.push(Index {
                parts,
                unique: index.is_unique(),
                covering,
                rows,
                per_key: known.map(per_key).unwrap_or_default(),
                dive: dive.map(|dive| (dive.columns.len(), dive.entries)),
            });
        }
    };
    add(codec.row_index(), true);
    for index in &table.indexes {
        let usable = index.state == IndexState::Public && !index.invisible;
        if let Some(entries) = codec.index(index.id).filter(|_| usable && index.id != IndexId::ROWS)
        {
            add(entries, false);
        }
    }
    all
}
