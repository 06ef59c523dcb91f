//! What is known of the tables of a statement when it is planned: how many rows they have,
//! how different their keys are, and how many entries the ranges have that its values leave.
//!
//! It is gathered between binding and planning, for the values with which the statement comes
//! first: a plan that is kept for others was chosen by these.

use std::sync::Arc;

use firn_engine::key::{KeyRange, prefix_end};
use firn_engine::{Db, SpaceId};
use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::{Cx, Node, Op, Row};
use firn_table::descriptor::IndexId;
use firn_table::key::IndexCodec;

use super::share::{Values, share_of};
use super::{Access, Alternatives, Condition, Lookup, Term, cost};
use crate::bind::{BoundSelect, BoundSet, Derived, JoinKind, LimitBound, Source, TableSource};
use crate::statistics::{TableStatistics, rows_now};
use crate::table::OpenTable;
use crate::zone;

/// Ranges of one search that are looked at; of more, the first ones stand for all.
const RANGES_MAX: usize = 16;

/// A table is taken to have so many rows at least when an index is chosen.
const FEW_ROWS: f64 = 32.0;

/// What is known of a table.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// About how many rows it has.
    pub(crate) rows: f64,
    /// The share of them that has copies in columns.
    copied: f64,
    /// So few, as have all tables of its query, that nothing is weighed by it.
    pub(crate) few: bool,
    statistics: Option<Arc<TableStatistics>>,
    dives: Vec<Dive>,
    /// The same for sides of ORs, by what stands there.
    sides: Vec<(String, Vec<Dive>)>,
    /// The share of rows that conditions leave by the histograms of their columns, by what
    /// stands there.
    shares: Vec<(String, f64)>,
}

/// What a search of an index by values finds.
#[derive(Debug, Clone)]
pub(crate) struct Dive {
    pub(crate) index: IndexId,
    /// The columns of the parts that it searches.
    pub(crate) columns: Vec<usize>,
    /// Conditions of each part.
    conditions: usize,
    pub(crate) entries: f64,
}

impl Known {
    /// How many entries of an index a key of so many parts has.
    pub(crate) fn per_key(&self, codec: &IndexCodec, parts: usize) -> Option<f64> {
        if parts > 0 && parts == codec.parts() && codec.is_unique() {
            return Some(1.0);
        }
        self.statistics.as_ref()?.entries_per_key(codec.id(), parts)
    }

    /// How many different values a column has.
    pub(crate) fn distinct(&self, table: &OpenTable, column: usize) -> Option<f64> {
        let codecs = std::iter::once(table.codec.row_index()).chain(table.codec.indexes());
        let mut begin = codecs.filter(|codec| codec.column(0) == Some(column));
        if let Some(per_key) = begin.find_map(|codec| self.per_key(codec, 1)) {
            return Some((self.rows / per_key).max(1.0));
        }
        let id = table.descriptor().columns[column].id;
        let known = self.statistics.as_ref()?.columns.get(&id.0)?;
        Some((known.distinct as f64).max(1.0))
    }

    /// The share of rows that a condition leaves, if a histogram says it.
    pub(crate) fn share(&self, condition: &Condition) -> Option<f64> {
        if self.shares.is_empty() {
            return None;
        }
        let name = format!("{condition:?}");
        self.shares.iter().find(|(one, _)| *one == name).map(|(_, share)| *share)
    }

    /// The dives.
    pub(crate) fn dives(&self) -> &[Dive] {
        &self.dives
    }

    /// The cost of reading what the statement's own values leave of it.
    pub(crate) fn least(&self) -> f64 {
        let each = cost::ENTRY + cost::BEHIND;
        self.dives.iter().map(|dive| dive.entries * each).fold(self.rows, f64::min)
    }

    /// The same over batches, which find by an index what they do not read whole.
    pub(crate) fn least_over_batches(&self) -> f64 {
        let each = |dive: &Dive| match dive.index == IndexId::ROWS {
            true => self.row_over_batches(),
            false => cost::ENTRY + cost::BEHIND,
        };
        let whole = self.rows * self.row_over_batches();
        self.dives.iter().map(|dive| dive.entries * each(dive)).fold(whole, f64::min)
    }

    /// What a row costs that is read over batches.
    pub(crate) fn row_over_batches(&self) -> f64 {
        self.copied * cost::BATCHES_ROW + (1.0 - self.copied) * cost::BATCHES_UNCOPIED
    }

    /// How many entries a search finds.
    pub(crate) fn found(&self, codec: &IndexCodec, parts: &[Vec<Term>]) -> f64 {
        self.found_of(None, codec, parts)
    }

    /// The same by what a side of an OR says.
    pub(super) fn found_of(
        &self,
        side: Option<&str>,
        codec: &IndexCodec,
        parts: &[Vec<Term>],
    ) -> f64 {
        let dives = match side {
            None => &*self.dives,
            Some(name) => {
                let side = self.sides.iter().find(|(one, _)| one == name);
                side.map_or(&[][..], |(_, dives)| dives)
            }
        };
        let mut values = 1.0;
        // Of few rows it does not matter, and soon there may be more.
        let mut found = self.rows.max(FEW_ROWS);
        for (at, terms) in parts.iter().enumerate() {
            let equal = terms.iter().filter_map(Term::values).reduce(f64::min);
            match equal {
                Some(count) => {
                    values *= count;
                    found = match self.per_key(codec, at + 1) {
                        Some(each) => found.min(each * values),
                        None => found * (count * cost::EQUAL).min(1.0),
                    };
                }
                // What it depends on is not known: better by the index than all rows each time.
                None => found *= terms.iter().map(Term::share).product::<f64>().min(0.2),
            }
        }
        let conditions: usize = parts.iter().map(Vec::len).sum();
        for dive in dives.iter().filter(|dive| dive.index == codec.id()) {
            if dive.columns.len() == parts.len() && dive.conditions == conditions {
                return dive.entries.max(1.0);
            }
            if dive.columns.len() <= parts.len() {
                found = found.min(dive.entries);
            }
        }
        found.max(1.0)
    }
}

/// Gathers what is known.
pub(crate) struct Learner<'a, 'c> {
    pub(crate) db: &'a Db,
    pub(crate) cx: &'a mut Cx<'c>,
    pub(crate) params: &'a [Value],
    /// What was counted of ranges that were lacking when the statement was planned first.
    pub(crate) counted: &'a [(SpaceId, KeyRange, u64)],
    pub(crate) lacking: Lacking,
}

/// What would have to be read to know more.
#[derive(Default)]
pub(crate) struct Lacking {
    /// Tables of which too little is known.
    pub(crate) tables: Vec<Arc<OpenTable>>,
    /// Ranges whose entries could not be counted.
    pub(crate) ranges: Vec<(SpaceId, KeyRange)>,
}

impl Lacking {
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.ranges.is_empty()
    }
}

impl Learner<'_, '_> {
    /// For all tables of a query, and of those in it.
    pub(crate) fn learn(&mut self, select: &mut BoundSelect) {
        if select.locking.is_some() {
            return;
        }
        if let Some(limit) = &mut select.limit {
            limit.about = self.limit(limit);
        }
        select.imply();
        let mut sources = std::mem::take(&mut select.sources);
        for source in &mut sources {
            match &mut source.rows {
                TableSource::Stored(table) => {
                    let scope = &select.tables[source.table];
                    let places = scope.start..scope.start + scope.columns.len();
                    let conditions = match source.kind {
                        JoinKind::Inner => &select.filter,
                        JoinKind::Left => &source.on,
                    };
                    source.known = Some(self.table(table, conditions, &places));
                }
                TableSource::Derived(rows) => self.derived(rows),
                TableSource::Virtual(_) | TableSource::View(_) => {}
            }
        }
        let is_few = |source: &Source| source.known.as_ref().is_none_or(|one| one.rows <= FEW_ROWS);
        if sources.iter().all(is_few) {
            sources.iter_mut().filter_map(|one| one.known.as_mut()).for_each(|one| one.few = true);
        }
        select.sources = sources;
        select.subqueries.iter_mut().for_each(|one| self.learn(&mut one.query));
    }

    /// How many rows it lets through, with those that it skips.
    fn limit(&mut self, limit: &LimitBound) -> Option<f64> {
        let row = Row { columns: &[], params: self.params };
        let mark = self.cx.warnings.mark();
        let mut of = |node: &Node| match node.eval(self.cx, row).ok()?.as_ref() {
            Value::Int(rows) => Some(*rows as f64),
            Value::UInt(rows) => Some(*rows as f64),
            _ => None,
        };
        let rows = of(&limit.rows);
        let offset = limit.offset.as_ref().map_or(Some(0.0), of);
        self.cx.warnings.rewind(mark);
        Some(rows? + offset?)
    }

    fn derived(&mut self, rows: &mut Derived) {
        match rows {
            Derived::Query { query, .. } => self.learn(query),
            Derived::Set(set) => self.set(set),
            Derived::Recursive(recursive) => {
                self.set(&mut recursive.seed);
                recursive.steps.iter_mut().for_each(|part| self.learn(&mut part.query));
            }
            Derived::Shared(shared) => shared.before_planning(|rows| self.derived(rows)),
            Derived::Working(_) | Derived::JsonTable(_) => {}
        }
    }

    fn set(&mut self, set: &mut BoundSet) {
        set.parts.iter_mut().for_each(|part| self.learn(&mut part.query));
    }

    fn table(
        &mut self,
        table: &Arc<OpenTable>,
        conditions: &[Node],
        places: &std::ops::Range<usize>,
    ) -> Known {
        let rows = rows_now(self.db, table);
        let statistics = table.statistics();
        if statistics.as_ref().is_none_or(|known| known.is_stale(rows)) {
            self.lacking.tables.push(Arc::clone(table));
        }
        let rows = (rows as f64).max(1.0);
        let (dives, sides, shares) = (Vec::new(), Vec::new(), Vec::new());
        let copied = table.copied(&self.db.version());
        let mut known = Known { rows, copied, few: false, statistics, dives, sides, shares };
        for node in conditions.iter().filter(|node| !asks(node)) {
            let all = Alternatives::of(node, places.start, places.end, &|_| false);
            for (name, conditions) in all.iter().flat_map(Alternatives::sides) {
                let dives = self.dives(table, conditions, known.rows);
                known.sides.push((name.to_owned(), dives));
            }
        }
        let constant: Vec<Condition> = conditions
            .iter()
            .filter(|node| !asks(node))
            .filter_map(|node| Condition::of(node, places.start, places.end, &|_| false))
            .collect();
        if constant.is_empty() {
            return known;
        }
        known.dives = self.dives(table, &constant, known.rows);
        let gathered = table.numbers.statistics.load_full();
        for condition in &constant {
            let column = &table.descriptor().columns[condition.column];
            let Some(gathered) = &gathered else { break };
            let values = match gathered.histograms.get(&column.id.0) {
                Some(histogram) => Values::Spread(histogram),
                None => match gathered.columns.get(&column.id.0) {
                    Some(known) => Values::Sampled(known),
                    None => continue,
                },
            };
            let mark = self.cx.warnings.mark();
            let row = Row { columns: &[], params: self.params };
            let share = share_of(&condition.term, values, &column.ty, self.cx, row);
            self.cx.warnings.rewind(mark);
            if let Some(share) = share {
                known.shares.push((format!("{condition:?}"), share.clamp(0.0, 1.0)));
            }
        }
        known
    }

    fn dives(&mut self, table: &Arc<OpenTable>, conditions: &[Condition], rows: f64) -> Vec<Dive> {
        let codecs = std::iter::once(table.codec.row_index()).chain(table.codec.indexes());
        codecs.filter_map(|codec| self.dive(table, codec, conditions, rows)).collect()
    }

    /// Searches an index by the values that conditions name.
    fn dive(
        &mut self,
        table: &Arc<OpenTable>,
        codec: &IndexCodec,
        conditions: &[Condition],
        rows: f64,
    ) -> Option<Dive> {
        let access = Access::searching(codec, conditions);
        if access.parts.is_empty() || access.single {
            return None;
        }
        let mark = self.cx.warnings.mark();
        let row = Row { columns: &[], params: self.params };
        let lookup = access.lookup(&table.codec, &zone::to_utc, self.cx, row);
        self.cx.warnings.rewind(mark);
        let entries = match lookup.ok()? {
            Lookup::Keys(keys) => keys.len() as f64,
            Lookup::Ranges(ranges) => {
                let space = table.descriptor().space();
                let prefix = codec.id().0.to_be_bytes();
                let whole = KeyRange { start: prefix.to_vec().into(), end: prefix_end(&prefix) };
                let looked_at = &ranges[..ranges.len().min(RANGES_MAX)];
                // Whatever is not at hand is asked for, before any of it is done without.
                let all = self.count(space, &whole);
                let counts: Vec<_> =
                    looked_at.iter().map(|range| self.count(space, range)).collect();
                let all = all?.max(1.0);
                let found: f64 = counts.into_iter().sum::<Option<f64>>()?;
                // Entries of a key that is in a block with others are not told from these.
                let entries = found / all * rows;
                entries * (ranges.len() as f64 / looked_at.len().max(1) as f64)
            }
        };
        let columns = (0..access.parts.len()).filter_map(|part| codec.column(part)).collect();
        let conditions = access.parts.iter().map(Vec::len).sum();
        Some(Dive { index: codec.id(), columns, conditions, entries })
    }

    /// About how many entries a range has.
    fn count(&mut self, space: SpaceId, range: &KeyRange) -> Option<f64> {
        let counted = || {
            let of = |one: &&(SpaceId, KeyRange, u64)| one.0 == space && one.1 == *range;
            self.counted.iter().find(of).map(|(.., count)| *count)
        };
        let count = self.db.estimate_keys(space, range).or_else(counted);
        if count.is_none() {
            self.lacking.ranges.push((space, range.clone()));
        }
        count.map(|count| count as f64)
    }
}

/// Whether its value is known only when rows are read.
fn asks(node: &Node) -> bool {
    matches!(node.op, Op::Subquery { .. }) || node.args.iter().any(asks)
}
