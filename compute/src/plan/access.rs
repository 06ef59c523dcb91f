//! Which index a table is read by.
//!
//! By what the read costs, where something is known of the table ([`Known`]). Otherwise an
//! index is judged by how many of its leading parts have conditions, whether it has all
//! columns that are read, and whether it gives the order that is asked for.

use firn_engine::key::{KeyRange, prefix_end};
use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Node, Result, Row};
use firn_mysql_semantics::{SqlType, Value};
use firn_table::TableCodec;
use firn_table::descriptor::{IndexDescriptor, IndexId, IndexState, TableDescriptor, same_name};
use firn_table::key::IndexCodec;

use super::condition::{Condition, Encoder, Term, keys};
use super::{Alternatives, Intervals, Known, Union, cost, union};

/// Ranges and keys of one read: where IN lists of several parts would make more,
/// fewer parts are used.
pub(super) const RANGES_MAX: usize = 20_000;

/// How a table is read.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// The index; that of the rows is the table itself.
    pub(crate) index: IndexId,
    /// Conditions on its leading parts: all of each part's hold.
    pub(crate) parts: Vec<Vec<Term>>,
    /// The index has all columns that are read.
    pub(crate) covering: bool,
    /// It is read from its end.
    pub(crate) backward: bool,
    /// Rows come in the order that was asked for.
    pub(crate) ordered: bool,
    /// At most one row is found.
    pub(crate) single: bool,
    /// Only rows that these searches find, in the order of their keys; by the rows' own index.
    pub(crate) union: Option<Box<Union>>,
}

/// What is asked of a table.
pub(crate) struct Wanted<'a> {
    /// Conditions on its columns.
    pub(crate) conditions: &'a [Condition],
    /// Conditions on one or the other of its columns.
    pub(crate) alternatives: &'a [Alternatives],
    /// Whether a column is read.
    pub(crate) reads: &'a dyn Fn(usize) -> bool,
    /// The order that is asked for, by columns of this table; none if any will do.
    pub(crate) order: &'a [(usize, bool)],
    /// So many rows of it are enough where they come in order.
    pub(crate) limited: Option<f64>,
    /// They have to come in order.
    pub(crate) in_order: bool,
    /// A row of what all rows are read of is one of batches, from copies where there are any.
    pub(crate) over_batches: bool,
    /// USE, FORCE and IGNORE INDEX.
    pub(crate) hints: &'a [ast::IndexHint],
    /// What is known of the table; without it an index is judged by its form alone.
    pub(crate) known: Option<&'a Known>,
}

/// Chooses an index.
///
/// # Errors
/// 1176 for a hint that names an index that does not exist.
pub(crate) fn choose(codec: &TableCodec, wanted: &Wanted<'_>) -> Result<Access> {
    let table = codec.table();
    let allowed = Allowed::new(table, wanted.hints)?;
    let rows = candidate(table, codec.row_index(), None, wanted);
    let primary = table.primary();
    let rows_allowed = primary.is_none_or(|index| allowed.allows(index));
    let mut best = Judged::new(rows, codec.row_index(), wanted);
    for index in &table.indexes {
        let usable = index.state == IndexState::Public
            && !index.invisible
            && index.id != IndexId::ROWS
            && allowed.allows(index);
        let Some(entries) = codec.index(index.id).filter(|_| usable) else { continue };
        let access = candidate(table, entries, primary.map(|_| codec.row_index()), wanted);
        // Without a condition or an order an index is read only if it has all columns.
        if access.parts.is_empty() && !access.ordered && !access.covering {
            continue;
        }
        let searched = !access.parts.is_empty() || access.ordered;
        if wanted.in_order && !access.ordered {
            continue;
        }
        let mut judged = Judged::new(access, entries, wanted);
        if allowed.forced && searched {
            judged.points += 10_000;
        }
        let instead = !rows_allowed && best.access.index == IndexId::ROWS && judged.points > 30;
        let instead = instead || (wanted.in_order && !best.access.ordered);
        if instead || judged.is_better_than(&best) {
            best = judged;
        }
    }
    if let Some(than) = best.cost.filter(|_| !allowed.forced && !wanted.in_order)
        && let Some(union) = union::cheapest(wanted.alternatives, codec, wanted.hints, wanted.known)
    {
        let sorted = if wanted.order.is_empty() { 0.0 } else { union.found * cost::SORTED };
        if union.cost + sorted < than {
            return Ok(Access::by_union(union));
        }
    }
    Ok(best.access)
}

/// The cheapest way to read a table in the order that is asked for: how many entries are read
/// at most, and what each costs.
pub(super) fn in_order(codec: &TableCodec, wanted: &Wanted<'_>) -> Option<(f64, f64)> {
    let known = wanted.known?;
    let access = choose(codec, &Wanted { in_order: true, ..*wanted }).ok()?;
    if !access.ordered {
        return None;
    }
    let index = codec.index(access.index).unwrap_or(codec.row_index());
    let found = if access.single { 1.0 } else { known.found(index, &access.parts) };
    Some((found, each_of(&access)))
}

/// A way to read the table, and what is to be said for it.
struct Judged {
    access: Access,
    points: u32,
    /// What it costs, if enough is known.
    cost: Option<f64>,
}

impl Judged {
    fn new(access: Access, codec: &IndexCodec, wanted: &Wanted<'_>) -> Self {
        let points = score(&access, codec, access.index == IndexId::ROWS, wanted);
        let known = wanted.known.filter(|known| !known.few);
        let cost = known.map(|known| cost_of(&access, codec, wanted, known));
        Self { access, points, cost }
    }

    fn is_better_than(&self, other: &Self) -> bool {
        let hinted = self.points >= 10_000 || other.points >= 10_000;
        match (self.cost, other.cost) {
            (Some(cost), Some(than)) if !hinted && (cost - than).abs() > 0.01 * than => cost < than,
            _ => self.points > other.points,
        }
    }
}

/// What an entry costs, with what is read of its row.
fn each_of(access: &Access) -> f64 {
    match (access.index == IndexId::ROWS, access.covering) {
        (true, _) => 1.0,
        (false, true) => cost::ENTRY,
        (false, false) => cost::ENTRY + cost::BEHIND,
    }
}

/// What reading the table so costs, up to the order that is asked for.
fn cost_of(access: &Access, codec: &IndexCodec, wanted: &Wanted<'_>, known: &Known) -> f64 {
    let each = match access.index == IndexId::ROWS && wanted.over_batches {
        true => known.row_over_batches(),
        false => each_of(access),
    };
    if access.single {
        return cost::SEARCH + each;
    }
    let found = known.found(codec, &access.parts);
    let read = cost::SEARCH + found * each;
    if wanted.order.is_empty() {
        return read;
    }
    // What other conditions leave of it.
    let used: Vec<usize> = (0..access.parts.len()).filter_map(|part| codec.column(part)).collect();
    let others = wanted.conditions.iter().filter(|one| !used.contains(&one.column));
    let share_of = |one: &Condition| known.share(one).unwrap_or_else(|| one.term.share());
    let share = others.map(share_of).product::<f64>().max(1e-6);
    match (access.ordered, wanted.limited) {
        (true, Some(enough)) => cost::SEARCH + (enough / share).min(found) * each,
        (true, None) => read,
        (false, _) => read + found * share * cost::SORTED,
    }
}

/// What hints leave.
pub(super) struct Allowed<'a> {
    only: Option<Vec<&'a str>>,
    without: Vec<&'a str>,
    forced: bool,
}

impl<'a> Allowed<'a> {
    pub(super) fn new(table: &TableDescriptor, hints: &'a [ast::IndexHint]) -> Result<Self> {
        let mut this = Self { only: None, without: Vec::new(), forced: false };
        for hint in hints {
            for name in &hint.indexes {
                if table.index_named(name.as_str()).is_none() {
                    let arguments = [name.as_str().into(), table.name.as_str().into()];
                    return Err(SqlError::new(code::ER_KEY_DOES_NOT_EXITS, &arguments));
                }
            }
            let names = hint.indexes.iter().map(ast::Ident::as_str);
            match hint.action {
                ast::IndexAction::Ignore => this.without.extend(names),
                ast::IndexAction::Use | ast::IndexAction::Force => {
                    this.only.get_or_insert_default().extend(names);
                    this.forced |= hint.action == ast::IndexAction::Force;
                }
            }
        }
        Ok(this)
    }

    pub(super) fn allows(&self, index: &IndexDescriptor) -> bool {
        let named = |list: &[&str]| list.iter().any(|name| same_name(name, &index.name));
        self.only.as_ref().is_none_or(|only| named(only)) && !named(&self.without)
    }
}

/// The leading parts of an index that conditions are on, and how many of these are of one
/// value.
fn searched(codec: &IndexCodec, conditions: &[Condition]) -> (Vec<Vec<Term>>, usize) {
    let mut parts: Vec<Vec<Term>> = Vec::new();
    // Parts of one value only: what is behind them is in order.
    let mut constant = 0;
    for part in 0..codec.parts() {
        let Some(column) = codec.column(part) else { break };
        let here = || conditions.iter().filter(move |one| one.column == column);
        // Of a prefix that keeps no order, only equal values can be found.
        let usable = |one: &&Condition| codec.keeps_order(part) || one.is_equality();
        let terms: Vec<Term> = here().filter(usable).map(|one| one.term.clone()).collect();
        if terms.is_empty() {
            break;
        }
        let equality = here().any(Condition::is_equality);
        if constant == part && here().any(Condition::is_constant) && !codec.is_prefix(part) {
            constant += 1;
        }
        parts.push(terms);
        if !equality {
            break;
        }
    }
    (parts, constant)
}

fn candidate(
    table: &TableDescriptor,
    codec: &IndexCodec,
    behind: Option<&IndexCodec>,
    wanted: &Wanted<'_>,
) -> Access {
    let rows = codec.id() == IndexId::ROWS;
    let (parts, constant) = searched(codec, wanted.conditions);
    let covering =
        rows || (0..table.columns.len()).all(|at| !(wanted.reads)(at) || codec.covers(at));
    let (ordered, backward) = order(codec, behind, constant, wanted.order);
    let single = codec.is_unique() && codec.parts() > 0 && constant == codec.parts();
    let ordered = ordered || (single && !wanted.order.is_empty());
    Access { index: codec.id(), parts, covering, backward, ordered, single, union: None }
}

/// Whether the index gives an order behind `constant` parts, and whether backward. Entries
/// of the same values are in the order of `behind`, the rows' own key.
fn order(
    codec: &IndexCodec,
    behind: Option<&IndexCodec>,
    constant: usize,
    order: &[(usize, bool)],
) -> (bool, bool) {
    if order.is_empty() {
        return (false, false);
    }
    let fixed: Vec<_> = (0..constant).filter_map(|part| codec.column(part)).collect();
    let mut part = constant;
    let mut direction = None;
    for &(column, descending) in order {
        // The same in all rows.
        if fixed.contains(&column) {
            continue;
        }
        let (codec, at) = match behind {
            Some(behind) if part >= codec.parts() => (behind, part - codec.parts()),
            _ => (codec, part),
        };
        if at >= codec.parts() || codec.column(at) != Some(column) || codec.is_prefix(at) {
            return (false, false);
        }
        let backward = descending != codec.is_descending(at);
        if *direction.get_or_insert(backward) != backward {
            return (false, false);
        }
        part += 1;
    }
    (true, direction.unwrap_or(false))
}

fn score(access: &Access, codec: &IndexCodec, rows: bool, wanted: &Wanted<'_>) -> u32 {
    if access.single {
        return if rows { 5_000 } else { 4_900 };
    }
    let last_is_range = access.parts.last().is_some_and(|terms| {
        let one = |term: &Term| Condition { column: 0, term: term.clone() }.is_equality();
        !terms.iter().any(one)
    });
    let conditions = access.parts.len() as u32 * 100 - if last_is_range { 50 } else { 0 };
    // Without a look at the row behind each entry.
    let direct = if rows {
        30
    } else if access.covering {
        35
    } else {
        0
    };
    let order = match (access.ordered, wanted.limited.is_some()) {
        (true, true) => 45,
        (true, false) => 10,
        (false, _) => 0,
    };
    let unique = if codec.is_unique() { 5 } else { 0 };
    conditions + direct + order + unique
}

/// Where to look.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// Keys that at most one row or entry has each, ascending.
    Keys(Vec<Vec<u8>>),
    /// Ranges, ascending.
    Ranges(Vec<KeyRange>),
}

impl Lookup {
    /// How many keys or ranges.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Keys(keys) => keys.len(),
            Self::Ranges(ranges) => ranges.len(),
        }
    }
}

/// Turns times of a session into UTC.
pub(crate) type InUtc<'a> = &'a dyn Fn(Value, &mut Cx<'_>) -> Value;

struct PartEncoder<'a> {
    codec: &'a IndexCodec,
    part: usize,
    ty: SqlType,
    in_utc: InUtc<'a>,
}

impl Encoder for PartEncoder<'_> {
    fn encode(&self, value: &Value) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(16);
        self.codec.encode_part(self.part, value, &mut out).then_some(out)
    }

    fn encode_beginning(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(16);
        self.codec.encode_beginning(self.part, text, &mut out).then_some(out)
    }

    fn descending(&self) -> bool {
        self.codec.is_descending(self.part)
    }

    fn is_prefix(&self) -> bool {
        self.codec.is_prefix(self.part)
    }

    fn ty(&self) -> &SqlType {
        &self.ty
    }

    fn in_utc(&self, value: Value, cx: &mut Cx<'_>) -> Value {
        (self.in_utc)(value, cx)
    }
}

impl Access {
    /// The search of an index by conditions, whatever is read of it.
    pub(crate) fn searching(codec: &IndexCodec, conditions: &[Condition]) -> Self {
        let (parts, constant) = searched(codec, conditions);
        let single = codec.is_unique() && codec.parts() > 0 && constant == codec.parts();
        let (covering, backward, ordered) = (false, false, false);
        let union = None;
        Self { index: codec.id(), parts, covering, backward, ordered, single, union }
    }

    fn by_union(union: Union) -> Self {
        Self {
            index: IndexId::ROWS,
            parts: Vec::new(),
            covering: true,
            backward: false,
            ordered: false,
            single: false,
            union: Some(Box::new(union)),
        }
    }

    /// The indexes that are read.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = IndexId> {
        let others = self.union.iter().flat_map(|union| &union.searches);
        std::iter::once(self.index).chain(others.map(|one| one.index))
    }

    /// The queries whose rows are searched for.
    pub(crate) fn asks(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().flatten().filter_map(|term| match term {
            Term::Members { slot, .. } => Some(*slot),
            _ => None,
        })
    }

    /// The same with the rows of a query in their place; any, if they are too many to be
    /// searched for one by one.
    pub(crate) fn with_members(&self, slot: usize, values: Option<&[Value]>) -> Self {
        let mut this = self.clone();
        for term in this.parts.iter_mut().flatten() {
            if let Term::Members { slot: own, with, column, ty, .. } = term
                && *own == slot
            {
                *term = match values {
                    Some(values) => {
                        let value = |value: &Value| (*with, Node::value(value.clone(), *ty));
                        let values = values.iter().map(value).collect();
                        Term::In { column: column.clone(), values }
                    }
                    None => Term::All(Vec::new()),
                };
            }
        }
        this
    }

    /// Where to look, with what the conditions compare with as it is now.
    ///
    /// # Errors
    /// Those of evaluating the conditions.
    pub(crate) fn lookup(
        &self,
        table: &TableCodec,
        in_utc: InUtc<'_>,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<Lookup> {
        let codec = table.index(self.index).unwrap_or(table.row_index());
        let mut prefixes = vec![codec.id().0.to_be_bytes().to_vec()];
        let mut exact = codec.is_unique() && codec.parts() > 0;
        for (part, terms) in self.parts.iter().enumerate() {
            let Some(column) = codec.column(part) else { break };
            let ty = table.table().columns[column].ty;
            let encoder = PartEncoder { codec, part, ty, in_utc };
            let mut set = Intervals::all();
            for term in terms {
                set = set.intersect(&keys(term, &encoder, cx, row)?);
            }
            let list = set.list();
            let many = prefixes.len().saturating_mul(list.len()) > RANGES_MAX;
            if set.is_all() || many {
                exact = false;
                break;
            }
            let null = if ty.nullable { encoder.encode(&Value::Null) } else { None };
            exact &= list.iter().all(|one| one.point && Some(&one.from) != null.as_ref());
            if list.iter().all(|one| one.point) {
                let with = |prefix: &Vec<u8>, value: &Vec<u8>| [&prefix[..], value].concat();
                prefixes = prefixes
                    .iter()
                    .flat_map(|prefix| list.iter().map(move |one| with(prefix, &one.from)))
                    .collect();
                continue;
            }
            let within = |prefix: &Vec<u8>, one: &super::Interval| KeyRange {
                start: [&prefix[..], &one.from].concat().into(),
                end: match &one.to {
                    Some(to) => Some([&prefix[..], to].concat().into()),
                    None => prefix_end(prefix),
                },
            };
            let ranges = prefixes
                .iter()
                .flat_map(|prefix| list.iter().map(move |one| within(prefix, one)))
                .collect();
            return Ok(Lookup::Ranges(ranges));
        }
        if exact && self.parts.len() == codec.parts() {
            return Ok(Lookup::Keys(prefixes));
        }
        let whole = |prefix: Vec<u8>| KeyRange { end: prefix_end(&prefix), start: prefix.into() };
        Ok(Lookup::Ranges(prefixes.into_iter().map(whole).collect()))
    }
}
