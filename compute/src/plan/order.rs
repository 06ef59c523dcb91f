//! In which order the tables of inner joins are read.
//!
//! What reading a table costs, and how many rows are left of it, is estimated from what is
//! known of it ([`Known`]) and from the tables that are there before it. Of few tables all
//! orders are weighed; of more, from each table as the first one, the one that leaves the
//! fewest rows follows, and so on. The cheapest order is taken, as written where they are equal.
//!
//! Where a LIMIT wants few rows in an order that an index of one table gives, that table may
//! come first: it is then read only until there are enough.
//!
//! Of a table of which nothing is known, every one is taken to have the same number of rows, and
//! every kind of condition to leave the same share of them.

mod classes;
mod index;

use firn_mysql_semantics::expr::{CompareOp, Node, Op};
use smallvec::SmallVec;

use self::classes::{Classes, equal_columns};
use self::index::{Index, indexes};
use super::implied::quietly_implied;
use super::{Alternatives, Condition, Known, SubqueryPlan, Term, cost, semi, union};
use crate::bind::{JoinKind, Source, TableSource, columns_of};

/// Less than this is not told from nothing.
const ROWS_MIN: f64 = 1e-3;
/// An order has to be so much cheaper than one before it.
const CHEAPER: f64 = 0.999;
/// The same where it begins with all rows of another table than the order as written, and
/// nothing is known: what is guessed of both says little.
const MUCH_CHEAPER: f64 = 0.1;
/// Of so many tables all orders are weighed.
const ALL_ORDERS_MAX: usize = 9;

/// A set of tables, by their places among those that are put in order.
type Tables = u64;

/// What is known of a table.
struct Table {
    rows: f64,
    is_known: bool,
    indexes: Vec<Index>,
    terms: Vec<Said>,
    /// Conditions that read it, by their places.
    conditions: Vec<usize>,
    /// The share of its rows that its own values leave, and the conditions that say so.
    dived: Option<(f64, Vec<usize>)>,
    /// One row comes of it at least.
    outer: bool,
    /// What it costs to search it for the sides of an OR, and how many rows that finds.
    union: Option<(f64, f64)>,
    /// Those that hints have read before it.
    after: Tables,
}

/// Some rows are wanted in an order that an index of a table gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct InOrder {
    /// The table's place among those that are put in order.
    pub(super) table: usize,
    /// So many of the joined rows are wanted.
    pub(super) wanted: f64,
    /// Entries that the index has for it, and what each costs.
    pub(super) entries: f64,
    pub(super) each: f64,
}

/// The order that was found.
pub(super) struct Order {
    /// Places of the tables, and what reaching each of them takes.
    pub(super) tables: Vec<(usize, Reached)>,
    /// The first one is read in order: so many rows of it are enough.
    pub(super) enough: Option<f64>,
}

/// What a condition says of one column, once the tables that it `needs` are there.
struct Said {
    column: usize,
    equality: bool,
    constant: bool,
    /// How many values it names.
    values: f64,
    needs: Tables,
    share: f64,
    filter: usize,
}

/// A condition: the tables that it reads, and the share of rows that it leaves.
struct Filter {
    reads: Tables,
    share: f64,
    /// Columns that are equal to each other: another equality of two of them says nothing new.
    class: Option<usize>,
}

/// What it takes to read a table once, how many rows are looked at, and how many are left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    pub(super) cost: f64,
    pub(super) read: f64,
    pub(super) rows: f64,
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
        subqueries: &[SubqueryPlan],
    ) -> Self {
        let mut this = Self { tables: Vec::new(), filters: Vec::new() };
        for (source, places) in sources.iter().zip(places) {
            let known = known_of(source);
            let (rows, indexes, is_known) = match &source.rows {
                TableSource::Stored(open) => (
                    known.map_or(cost::ROWS, |known| known.rows),
                    indexes(&open.codec, &reads[places.clone()], known),
                    known.is_some(),
                ),
                _ => (cost::MADE_ROWS, Vec::new(), true),
            };
            this.tables.push(Table {
                rows,
                is_known,
                indexes,
                terms: Vec::new(),
                conditions: Vec::new(),
                dived: None,
                outer: source.kind == JoinKind::Left,
                union: union_of(source, places, conditions),
                after: sources.iter().enumerate().fold(0, |after, (at, one)| {
                    after | Tables::from(source.after.contains(&one.table)) << at
                }),
            });
        }
        let mut classes = Classes::default();
        for node in conditions {
            if let Some((one, other)) = equal_columns(node) {
                classes.join(one, other);
            }
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
            let table_of = |place: usize| places.iter().position(|one| one.contains(&place));
            let distinct = |place: usize| {
                let at = table_of(place)?;
                let TableSource::Stored(open) = &sources[at].rows else { return None };
                known_of(&sources[at])?.distinct(open, place - places[at].start)
            };
            let joins = |node: &Node| {
                let mut of: Tables = 0;
                columns_of(node, &mut |place| of |= table_of(place).map_or(0, |at| 1 << at));
                of.count_ones() > 1
            };
            let share = share_of(node, &joins, &distinct);
            // What it implies stands beside it.
            let implied = quietly_implied(node, places, is_known);
            let implied = implied.iter().map(|one| share_of(one, &joins, &distinct));
            let mut shares = (share / implied.product::<f64>()).min(1.0);
            for (at, table) in this.tables.iter_mut().enumerate() {
                if tables & 1 << at == 0 {
                    continue;
                }
                table.conditions.push(this.filters.len());
                let own = &places[at];
                let others = |place: usize| !own.contains(&place);
                let members = || semi::members_of(node, subqueries, own.start, own.end);
                let found = Condition::of(node, own.start, own.end, &others).or_else(members);
                if let Some(found) = found {
                    let share = match (&found.term, known_of(&sources[at]), &sources[at].rows) {
                        (Term::Members { count, .. }, Some(known), TableSource::Stored(open)) => {
                            let of = known.distinct(open, found.column).unwrap_or(known.rows);
                            (count / of).min(cost::OTHER)
                        }
                        _ => share,
                    };
                    let said = known_of(&sources[at]).and_then(|known| known.share(&found));
                    let share = said.unwrap_or(share);
                    shares = said.unwrap_or_else(|| shares.min(share));
                    table.terms.push(Said {
                        column: found.column,
                        equality: found.is_equality(),
                        constant: found.is_constant(),
                        values: found.term.values().unwrap_or(1.0),
                        needs: tables & !(1 << at),
                        share,
                        filter: this.filters.len(),
                    });
                }
            }
            let class = equal_columns(node).map(|(one, other)| classes.join(one, other));
            this.filters.push(Filter { reads: tables, share: shares, class });
        }
        for (table, source) in this.tables.iter_mut().zip(sources) {
            table.dived = dived(table, source);
        }
        this
    }

    /// Of all of them so much is known that orders are weighed by it.
    pub(super) fn are_known(&self) -> bool {
        self.tables.iter().all(|table| table.is_known)
    }

    /// The order in which they are read.
    pub(super) fn order(&self, in_order: Option<InOrder>) -> Order {
        let all_known = self.are_known();
        let weighed = self.tables.len() <= ALL_ORDERS_MAX && all_known;
        let mut order = match self.tables.len() {
            1 => vec![0],
            _ if weighed => self.best(None),
            _ => self.greedy(all_known),
        };
        let mut enough = None;
        let may_begin = |wanted: &InOrder| self.tables[wanted.table].after == 0;
        let in_order = in_order.filter(may_begin);
        if let Some(wanted) = in_order.filter(|_| all_known && self.tables.len() > 1) {
            let first = wanted.table;
            let other = match weighed {
                true => self.best(Some(first)),
                false => self.from(first, f64::INFINITY).map_or_else(Vec::new, |(_, all)| all),
            };
            if let Some(rows) = self.is_cheaper_in_order(&order, &other, wanted) {
                (order, enough) = (other, Some(rows));
            }
        }
        let mut known: Tables = 0;
        let reached = |at: usize| {
            let reached = self.reached(at, known);
            known |= 1 << at;
            (at, reached)
        };
        Order { tables: order.into_iter().map(reached).collect(), enough }
    }

    /// Whether an order costs less than another if its first table is read in order until
    /// there are enough rows; of how many of that table's these come.
    fn is_cheaper_in_order(&self, than: &[usize], order: &[usize], by: InOrder) -> Option<f64> {
        let (first, others, rows) = self.costs(than)?;
        let all = first.cost + others + rows * cost::SORTED;
        let (first, others, rows) = self.costs(order)?;
        let share = (by.wanted / rows).min(1.0);
        let until = cost::SEARCH + share * (by.entries * by.each + others);
        (until < all).then_some(first.rows * share)
    }

    /// What the first table takes, what all others cost, and how many rows there are in the end.
    fn costs(&self, order: &[usize]) -> Option<(Reached, f64, f64)> {
        let (first, others) = order.split_first()?;
        let first_reached = self.reached(*first, 0);
        let (mut known, mut cost, mut rows) = (1 << first, 0.0, first_reached.rows);
        for at in others {
            let reached = self.reached(*at, known);
            cost += rows * reached.cost;
            rows = (rows * reached.rows).max(ROWS_MIN);
            known |= 1 << at;
        }
        Some((first_reached, cost, rows))
    }

    /// The best of all orders, or of those that begin with one table.
    fn best(&self, first: Option<usize>) -> Vec<usize> {
        let count = self.tables.len();
        // By set of tables: the cost, the rows, and the table that comes last.
        let mut best: Vec<(f64, f64, usize)> = vec![(f64::INFINITY, 1.0, 0); 1 << count];
        best[0] = (0.0, 1.0, 0);
        for set in 1..1_usize << count {
            for last in (0..count).rev().filter(|last| set & 1 << last != 0) {
                let before = set & !(1 << last);
                if first.is_some_and(|first| (before == 0) != (last == first)) {
                    continue;
                }
                let (cost, rows, _) = best[before];
                if !self.may_follow(last, before as Tables) {
                    continue;
                }
                let reached = self.reached(last, before as Tables);
                let cost = cost + rows * reached.cost;
                if cost < best[set].0 * CHEAPER {
                    best[set] = (cost, (rows * reached.rows).max(ROWS_MIN), last);
                }
            }
        }
        let mut set = (1 << count) - 1;
        let mut order = Vec::with_capacity(count);
        while set != 0 {
            let last = best[set].2;
            order.push(last);
            set &= !(1 << last);
        }
        order.reverse();
        order
    }

    fn greedy(&self, all_known: bool) -> Vec<usize> {
        let mut best: Option<(f64, Vec<usize>)> = None;
        for first in (0..self.tables.len()).filter(|first| self.may_follow(*first, 0)) {
            let searched = self.reached(first, 0).read < self.tables[first].rows;
            let least = match &best {
                None => f64::INFINITY,
                Some((cost, order)) if order[0] == 0 && !searched && !all_known => {
                    cost * MUCH_CHEAPER
                }
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
            let mut best: Option<(usize, Reached)> = None;
            for (at, table) in waiting.iter().enumerate() {
                if !self.may_follow(*table, known) {
                    continue;
                }
                let reached = self.reached(*table, known);
                if best.is_none_or(|(_, least)| {
                    (reached.rows, reached.cost) < (least.rows, least.cost)
                }) {
                    best = Some((at, reached));
                }
            }
            // Hints contradict none of each other: one may always follow.
            let (next, least) = best?;
            let table = waiting.remove(next);
            cost += rows * least.cost;
            rows = (rows * least.rows).max(ROWS_MIN);
            known |= 1 << table;
            order.push(table);
        }
        (cost < max).then_some((cost, order))
    }

    /// Whether hints let a table be read behind those that are `known`.
    fn may_follow(&self, at: usize, known: Tables) -> bool {
        self.tables[at].after & !known == 0
    }

    /// What it takes to read a table for one row of those that are `known`.
    fn reached(&self, at: usize, known: Tables) -> Reached {
        let table = &self.tables[at];
        let there = |needs: Tables| needs & !known == 0;
        let mut share = table.dived.as_ref().map_or(1.0, |(share, _)| *share);
        let mut equal: SmallVec<[usize; 4]> = SmallVec::new();
        for which in &table.conditions {
            let filter = &self.filters[*which];
            let dived = table.dived.as_ref().is_some_and(|(_, by)| by.contains(which));
            if dived || !there(filter.reads & !(1 << at)) {
                continue;
            }
            match filter.class {
                Some(class) if equal.contains(&class) => {}
                class => {
                    share *= filter.share;
                    equal.extend(class);
                }
            }
        }
        let mut read = table.rows;
        let (mut cost, mut rows_max) = (cost::SEARCH + table.rows, table.rows);
        if table.indexes.is_empty() {
            cost = table.rows * cost::MADE;
        }
        for index in &table.indexes {
            let (found, parts) = index.searched(table, &there);
            if parts == 0 {
                continue;
            }
            let this = cost::SEARCH + found * index.each();
            if this < cost {
                (cost, read) = (this, found);
            }
            rows_max = rows_max.min(found);
        }
        if let Some((by_union, found)) = table.union {
            if by_union < cost {
                (cost, read) = (by_union, found);
            }
            rows_max = rows_max.min(found);
        }
        let least = if table.outer { 1.0 } else { ROWS_MIN };
        Reached { cost, read, rows: (table.rows * share).min(rows_max).max(least) }
    }
}

/// What is known of a table, if it counts.
fn known_of(source: &Source) -> Option<&Known> {
    source.known.as_ref().filter(|known| !known.few)
}

/// What searching a table for the sides of an OR costs, and how many rows that finds.
fn union_of(
    source: &Source,
    places: &std::ops::Range<usize>,
    conditions: &[&Node],
) -> Option<(f64, f64)> {
    let TableSource::Stored(open) = &source.rows else { return None };
    let of = |node: &&Node| Alternatives::of(node, places.start, places.end, &|_| false);
    let all: Vec<Alternatives> = conditions.iter().filter_map(of).collect();
    let union = union::cheapest(&all, &open.codec, &source.hints, known_of(source))?;
    Some((union.cost, union.found))
}

/// The share of a table's rows that values leave which an index was searched for, and the
/// conditions that name them.
fn dived(table: &Table, source: &Source) -> Option<(f64, Vec<usize>)> {
    let dives = known_of(source)?.dives().iter();
    let best = dives.min_by(|one, other| one.entries.total_cmp(&other.entries))?;
    let of_dive = |term: &&Said| term.needs == 0 && best.columns.contains(&term.column);
    let filters = table.terms.iter().filter(of_dive).map(|term| term.filter).collect();
    Some(((best.entries / table.rows).min(1.0), filters))
}

/// The share of rows, or of pairs of rows, for which a condition is taken to hold: `joins`
/// tells of which tables' rows it is. `distinct` knows how many different values some columns have.
fn share_of(
    node: &Node,
    joins: &dyn Fn(&Node) -> bool,
    distinct: &dyn Fn(usize) -> Option<f64>,
) -> f64 {
    let unknown = || if joins(node) { cost::JOINED } else { cost::EQUAL };
    let equal = || {
        let of = |arg: &Node| match &arg.op {
            Op::Column(column) => distinct(column.index),
            _ => None,
        };
        let most = node.args.iter().take(2).filter_map(of).reduce(f64::max);
        most.map_or_else(unknown, |most| 1.0 / most)
    };
    match (&node.op, &*node.args) {
        (Op::Compare(CompareOp::Eq | CompareOp::NullSafeEq, _), _) => equal(),
        (Op::Compare(CompareOp::Ne, _), _) => 1.0 - equal().min(cost::EQUAL),
        (Op::Compare(..), _) => cost::BEYOND,
        (Op::Between { negated, .. }, _) => {
            if *negated {
                1.0 - cost::WITHIN
            } else {
                cost::WITHIN
            }
        }
        (Op::In { negated, .. }, [column, list @ ..]) => {
            let of = match &column.op {
                Op::Column(column) => distinct(column.index),
                _ => None,
            };
            let each = of.map_or_else(unknown, |of| 1.0 / of);
            let among = (list.len() as f64 * each).min(0.5);
            if *negated { 1.0 - among } else { among }
        }
        (Op::IsNull { negated }, _) => {
            if *negated {
                1.0 - cost::EQUAL
            } else {
                cost::EQUAL
            }
        }
        (Op::Like { negated, .. }, _) => {
            if *negated {
                1.0 - cost::WITHIN
            } else {
                cost::WITHIN
            }
        }
        (Op::And, list) => list.iter().map(|one| share_of(one, joins, distinct)).product(),
        (Op::Or, list) => {
            1.0 - list.iter().map(|one| 1.0 - share_of(one, joins, distinct)).product::<f64>()
        }
        _ => cost::OTHER,
    }
}

#[cfg(test)]
mod tests;
