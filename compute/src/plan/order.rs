//! In which order the tables of inner joins are read.
//!
//! Without statistics every table is taken to have the same number of rows, and every kind of
//! condition to leave the same share of them. What counts is what a condition needs: a table is
//! cheap to reach once the tables are there that its indexes are searched with, and what leaves
//! few rows comes early. From each table as the first one, the one that leaves the fewest rows
//! follows, and so on; the cheapest of these orders is taken, as written where they are equal.

use firn_mysql_semantics::expr::{CompareOp, Node, Op};
use firn_table::TableCodec;
use firn_table::descriptor::{IndexId, IndexState};

use super::Condition;
use crate::bind::{Source, TableSource, columns_of};

/// Rows of a table.
const ROWS: f64 = 1000.0;
/// Rows of what is no table on the engine: it is in memory.
const MADE_ROWS: f64 = 100.0;
/// Less than this is not told from nothing.
const ROWS_MIN: f64 = 1e-3;
/// A search of an index, in rows read.
const SEARCH: f64 = 1.0;
/// The row behind an entry, in rows read.
const BEHIND: f64 = 1.0;
/// An order has to be so much cheaper than one before it.
const CHEAPER: f64 = 0.999;
/// The same where it begins with all rows of another table than the order as written: what
/// is guessed of both says little.
const MUCH_CHEAPER: f64 = 0.1;

/// A set of tables, by their places among those that are put in order.
type Tables = u64;

/// What is known of a table.
struct Table {
    rows: f64,
    indexes: Vec<Index>,
    terms: Vec<Term>,
    /// Conditions that read it, by their places.
    conditions: Vec<usize>,
}

struct Index {
    /// Its columns, and whether a range of each can be searched.
    parts: Vec<(usize, bool)>,
    unique: bool,
    /// It has all columns that are read.
    covering: bool,
}

/// What a condition says of one column, once the tables that it `needs` are there.
struct Term {
    column: usize,
    equality: bool,
    constant: bool,
    needs: Tables,
    share: f64,
}

/// A condition: the tables that it reads, and the share of rows that it leaves.
struct Filter {
    reads: Tables,
    share: f64,
}

/// What it takes to read a table once, and how many rows are left of it.
#[derive(Clone, Copy)]
struct Reached {
    cost: f64,
    rows: f64,
}

/// The tables of an inner join, to be put in order.
pub(super) struct Joined {
    tables: Vec<Table>,
    filters: Vec<Filter>,
}

impl Joined {
    /// Gathers what is known. `places` are those of each source's columns in the flat row,
    /// `is_known` those that are there before any of them, `reads` those that are read at all.
    pub(super) fn new(
        sources: &[Source],
        places: &[std::ops::Range<usize>],
        conditions: &[&Node],
        is_known: &dyn Fn(usize) -> bool,
        reads: &[bool],
    ) -> Self {
        let mut this = Self { tables: Vec::new(), filters: Vec::new() };
        for (source, places) in sources.iter().zip(places) {
            let table = match &source.rows {
                TableSource::Stored(open) => Table {
                    rows: ROWS,
                    indexes: indexes(&open.codec, &reads[places.clone()]),
                    terms: Vec::new(),
                    conditions: Vec::new(),
                },
                _ => Table {
                    rows: MADE_ROWS,
                    indexes: Vec::new(),
                    terms: Vec::new(),
                    conditions: Vec::new(),
                },
            };
            this.tables.push(table);
        }
        for node in conditions {
            let mut tables: Tables = 0;
            let mut later = false;
            columns_of(
                node,
                &mut |place| match places.iter().position(|one| one.contains(&place)) {
                    Some(at) => tables |= 1 << at,
                    None => later |= !is_known(place),
                },
            );
            if later || tables == 0 {
                continue;
            }
            let share = share_of(node, tables.count_ones() > 1);
            for (at, table) in this.tables.iter_mut().enumerate() {
                if tables & 1 << at == 0 {
                    continue;
                }
                table.conditions.push(this.filters.len());
                let own = &places[at];
                let others = |place: usize| !own.contains(&place);
                if let Some(found) = Condition::of(node, own.start, own.end, &others) {
                    table.terms.push(Term {
                        column: found.column,
                        equality: found.is_equality(),
                        constant: found.is_constant(),
                        needs: tables & !(1 << at),
                        share,
                    });
                }
            }
            this.filters.push(Filter { reads: tables, share });
        }
        this
    }

    /// The order: places among the sources.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut best: Option<(f64, Vec<usize>)> = None;
        for first in 0..self.tables.len() {
            let searched = self.reached(first, 0).cost < self.tables[first].rows;
            let least = match &best {
                None => f64::INFINITY,
                Some((cost, order)) if order[0] == 0 && !searched => cost * MUCH_CHEAPER,
                Some((cost, _)) => cost * CHEAPER,
            };
            if let Some((cost, order)) = self.from(first, least) {
                best = Some((cost, order));
            }
        }
        best.map_or_else(|| (0..self.tables.len()).collect(), |(_, order)| order)
    }

    /// The order that begins with a table, and its cost; `None` if that is not below `max`.
    fn from(&self, first: usize, max: f64) -> Option<(f64, Vec<usize>)> {
        let mut order = vec![first];
        let reached = self.reached(first, 0);
        let (mut cost, mut rows) = (reached.cost, reached.rows);
        let mut known: Tables = 1 << first;
        let mut waiting: Vec<usize> = (0..self.tables.len()).filter(|at| *at != first).collect();
        while cost < max && !waiting.is_empty() {
            let mut next = 0;
            let mut least = self.reached(waiting[0], known);
            for (at, table) in waiting.iter().enumerate().skip(1) {
                let reached = self.reached(*table, known);
                if (reached.rows, reached.cost) < (least.rows, least.cost) {
                    (next, least) = (at, reached);
                }
            }
            let table = waiting.remove(next);
            cost += rows * least.cost;
            rows = (rows * least.rows).max(ROWS_MIN);
            known |= 1 << table;
            order.push(table);
        }
        (cost < max).then_some((cost, order))
    }

    /// What it takes to read a table for one row of those that are `known`.
    fn reached(&self, at: usize, known: Tables) -> Reached {
        let table = &self.tables[at];
        let there = |needs: Tables| needs & !known == 0;
        let mut share = 1.0;
        for filter in &table.conditions {
            let filter = &self.filters[*filter];
            if there(filter.reads & !(1 << at)) {
                share *= filter.share;
            }
        }
        let (mut cost, mut rows_max) = (table.rows, table.rows);
        for index in &table.indexes {
            let (found, parts) = index.searched(table, &there);
            if parts == 0 {
                continue;
            }
            let each = if index.covering { 1.0 } else { 1.0 + BEHIND };
            let this = SEARCH + found * each;
            if this < cost {
                cost = this;
            }
            rows_max = rows_max.min(found);
        }
        Reached { cost, rows: (table.rows * share).min(rows_max).max(ROWS_MIN) }
    }
}

impl Index {
    /// How many entries its search gives, and by how many parts.
    fn searched(&self, table: &Table, there: &dyn Fn(Tables) -> bool) -> (f64, usize) {
        let (mut share, mut used, mut constant) = (1.0, 0, 0);
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
            share *= here().map(|term| term.share).product::<f64>();
            used += 1;
            constant += usize::from(here().any(|term| term.constant));
            if !here().any(|term| term.equality) {
                break;
            }
        }
        let single = self.unique && constant == self.parts.len();
        (if single { 1.0 } else { (table.rows * share).max(1.0) }, used)
    }
}

/// The indexes of a table that can be searched.
fn indexes(codec: &TableCodec, reads: &[bool]) -> Vec<Index> {
    let table = codec.table();
    let mut all = Vec::with_capacity(table.indexes.len() + 1);
    let mut add = |index: &firn_table::key::IndexCodec, rows: bool| {
        let parts: Option<Vec<_>> = (0..index.parts())
            .map(|part| Some((index.column(part)?, index.keeps_order(part))))
            .collect();
        let read = |at: usize| reads.get(at) == Some(&true);
        let covering = rows || (0..table.columns.len()).all(|at| !read(at) || index.covers(at));
        if let Some(parts) = parts.filter(|parts| !parts.is_empty()) {
            all.push(Index { parts, unique: index.is_unique(), covering });
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

/// The share of rows, or of pairs of rows, for which a condition is taken to hold.
fn share_of(node: &Node, joins: bool) -> f64 {
    let equal = if joins { 0.01 } else { 0.1 };
    match (&node.op, &*node.args) {
        (Op::Compare(CompareOp::Eq | CompareOp::NullSafeEq, _), _) => equal,
        (Op::Compare(CompareOp::Ne, _), _) => 0.9,
        (Op::Compare(..), _) => 0.33,
        (Op::Between { negated, .. }, _) => {
            if *negated {
                0.89
            } else {
                0.11
            }
        }
        (Op::In { negated, .. }, [_, list @ ..]) => {
            let among = (list.len() as f64 * equal).min(0.5);
            if *negated { 1.0 - among } else { among }
        }
        (Op::IsNull { negated }, _) => {
            if *negated {
                0.9
            } else {
                0.1
            }
        }
        (Op::And, list) => list.iter().map(|one| share_of(one, joins)).product(),
        (Op::Or, list) => 1.0 - list.iter().map(|one| 1.0 - share_of(one, joins)).product::<f64>(),
        _ => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(tables: usize) -> Joined {
        let table = |_| Table {
            rows: ROWS,
            indexes: vec![Index { parts: vec![(0, true)], unique: true, covering: true }],
            terms: Vec::new(),
            conditions: Vec::new(),
        };
        Joined { tables: (0..tables).map(table).collect(), filters: Vec::new() }
    }

    impl Joined {
        /// Column `left.1` of table `left.0` is that of `right`, or a constant.
        fn equal(&mut self, left: (usize, usize), right: Option<(usize, usize)>) {
            let reads = 1 << left.0 | right.map_or(0, |(table, _)| 1 << table);
            let share = if right.is_some() { 0.01 } else { 0.1 };
            for (table, column) in [Some(left), right].into_iter().flatten() {
                let needs = reads & !(1 << table);
                let term = Term { column, equality: true, constant: true, needs, share };
                self.tables[table].terms.push(term);
                self.tables[table].conditions.push(self.filters.len());
            }
            self.filters.push(Filter { reads, share });
        }
    }

    #[test]
    fn tables_that_nothing_tells_apart_are_read_as_written() {
        assert_eq!(joined(4).order(), [0, 1, 2, 3]);
    }

    #[test]
    fn the_row_of_a_key_comes_first_and_what_it_leads_to_next() {
        let mut joined = joined(4);
        joined.equal((0, 0), Some((2, 1)));
        joined.equal((2, 0), Some((3, 1)));
        joined.equal((3, 0), None);
        // Nothing is said of table 1.
        assert_eq!(joined.order(), [3, 2, 0, 1]);
    }

    #[test]
    fn a_table_whose_key_others_have_is_read_behind_them() {
        let mut joined = joined(2);
        joined.equal((0, 0), Some((1, 1)));
        assert_eq!(joined.order(), [1, 0]);
    }

    #[test]
    fn a_search_for_each_row_is_as_good_as_another_order() {
        let mut joined = joined(2);
        // Either key leads to the other table.
        joined.equal((0, 0), Some((1, 0)));
        joined.tables[1].indexes[0].unique = false;
        assert_eq!(joined.order(), [0, 1]);
    }

    #[test]
    fn what_is_bound_comes_before_what_is_not() {
        let mut joined = joined(3);
        joined.equal((0, 1), None);
        joined.equal((0, 2), Some((2, 2)));
        assert_eq!(joined.order(), [0, 2, 1]);
    }

    /// Chains of sixty-one tables in any order are put in order at once.
    #[test]
    fn a_chain_of_all_tables_is_followed_from_its_constant() {
        let mut joined = joined(61);
        // 7, 14, 21, … each with the key of the one before it.
        for step in 1..61 {
            joined.equal((step * 7 % 61, 0), Some(((step - 1) * 7 % 61, 1)));
        }
        joined.equal((0, 0), None);
        let expected: Vec<usize> = (0..61).map(|step| step * 7 % 61).collect();
        assert_eq!(joined.order(), expected);
    }
}
