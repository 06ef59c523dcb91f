//! The groups of a SELECT, however many.
//!
//! Groups are in memory, with what their aggregates have come to, as long as that goes. Once
//! there are too many, rows of further groups go to a file in the order of their keys, and
//! the groups in memory go on; if what one of these has seen becomes too much, all of them go
//! to the file, too, before any row of theirs. In the end each group of the file is gathered
//! by itself, its rows in the order in which they came.

use std::collections::BTreeMap;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::Cx;

use super::Result;
use super::aggregate::{Accumulator, Operands};
use super::gathered::{Gathered, too_much};
use super::reads::Spilled;
use super::select::bytes_of;
use super::sorter::{Sorted, Sorter, Wanted};
use super::view::View;
use crate::bind::BoundSelect;
use crate::spill::{broken, put_length, put_row, take_array, take_length, take_row};

/// A row of a group, of which it may be the first.
const ROW: u8 = 0;
/// A group as far as it was gathered.
const STATE: u8 = 1;
/// An operand that an aggregate with DISTINCT has seen.
const SEEN: u8 = 2;

/// Groups that are being gathered.
pub(super) struct Grouping<'p> {
    select: &'p BoundSelect,
    places: BTreeMap<Vec<u8>, usize>,
    groups: Vec<Group>,
    bytes: usize,
    memory: Gathered,
    /// What is not in memory.
    files: Option<Box<Sorter>>,
    /// What is in memory has become too much.
    crowded: bool,
    rows: u64,
}

/// A group, with the row that it began with.
pub(super) struct Group {
    pub(super) row: Vec<Value>,
    pub(super) accumulators: Vec<Accumulator>,
    /// Which row that was.
    first: u64,
}

/// Groups that were gathered.
pub(super) enum Groups {
    /// With the memory that they need.
    Memory { groups: std::vec::IntoIter<Group>, _memory: Gathered },
    /// Rows with the results of their aggregates, and how many they are.
    Sorted { groups: Box<Sorted>, rows: usize },
}

impl Groups {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Memory { groups, .. } => groups.len(),
            Self::Sorted { rows, .. } => *rows,
        }
    }
}

/// Nothing seen yet.
fn fresh(select: &BoundSelect) -> Vec<Accumulator> {
    select.aggregates.iter().map(Accumulator::new).collect()
}

impl<'p> Grouping<'p> {
    /// Without rows yet.
    pub(super) fn new(select: &'p BoundSelect, view: &View<'_>) -> Self {
        Self {
            select,
            places: BTreeMap::new(),
            groups: Vec::new(),
            bytes: 0,
            memory: Gathered::part_of(view, 2),
            files: None,
            crowded: false,
            rows: 0,
        }
    }

    /// Whether no row came.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.files.is_none()
    }

    /// Takes in a row of the group with a key, and its operands; `row` makes the row that the
    /// group begins with. `false` if [`Self::make_room`] comes before another one.
    ///
    /// # Errors
    /// 1690 for a sum of too many digits.
    pub(super) fn add(
        &mut self,
        key: &[u8],
        row: impl FnOnce() -> Vec<Value>,
        operands: &mut [Option<Operands>],
        view: &View<'_>,
        cx: &Cx<'_>,
    ) -> Result<bool> {
        self.rows += 1;
        let at = match self.places.get(key) {
            Some(at) => *at,
            None => {
                let row = row();
                let bytes = self.bytes + key.len() + 64 + bytes_of(&row);
                if self.files.is_some() || !self.memory.fits(bytes) {
                    return Ok(self.put_off(key, &row, operands, view));
                }
                self.bytes = bytes;
                let group = Group { row, accumulators: fresh(self.select), first: self.rows };
                self.groups.push(group);
                self.places.insert(key.to_vec(), self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        let accumulators = self.groups[at].accumulators.iter_mut().zip(&self.select.aggregates);
        let mut held = 0;
        for ((accumulator, aggregate), operand) in accumulators.zip(operands) {
            held += accumulator.add(aggregate, operand.take(), cx)?;
        }
        if held > 0 {
            self.bytes += held;
            self.crowded = !self.memory.fits(self.bytes);
        }
        Ok(!self.crowded)
    }

    fn files(&mut self, view: &View<'_>) -> &mut Sorter {
        self.files.get_or_insert_with(|| {
            view.counts().count(Spilled::Tables, 1);
            Box::new(Sorter::behind(view, Wanted::default()))
        })
    }

    fn put_off(
        &mut self,
        key: &[u8],
        row: &[Value],
        operands: &[Option<Operands>],
        view: &View<'_>,
    ) -> bool {
        let which = self.rows;
        let files = self.files(view);
        files.bytes().extend_from_slice(key);
        files.key_ends();
        let out = files.bytes();
        out.push(ROW);
        out.extend_from_slice(&which.to_be_bytes());
        put_row(row, out);
        for one in operands {
            out.push(u8::from(one.is_some()));
            if let Some(one) = one {
                one.put(out);
            }
        }
        files.row_ends()
    }

    /// Puts into a file what does not fit into memory.
    ///
    /// # Errors
    /// As [`Sorter::make_room`].
    pub(super) async fn make_room(&mut self, view: &mut View<'_>) -> Result<()> {
        if std::mem::take(&mut self.crowded) {
            let places = std::mem::take(&mut self.places);
            let mut groups: Vec<Option<Group>> =
                std::mem::take(&mut self.groups).into_iter().map(Some).collect();
            for (key, at) in places {
                let group = groups.get_mut(at).and_then(Option::take);
                let group = group.ok_or_else(|| broken("a group twice"))?;
                view.step().await?;
                Box::pin(self.put_off_group(&key, group, view)).await?;
            }
            self.bytes = 0;
            self.memory.needs(0);
        }
        match &mut self.files {
            Some(files) => Box::pin(files.make_room(view)).await,
            None => Ok(()),
        }
    }

    async fn put_off_group(&mut self, key: &[u8], mut group: Group, view: &View<'_>) -> Result<()> {
        let files = self.files(view);
        let mut seen = Vec::new();
        for (at, accumulator) in group.accumulators.iter_mut().enumerate() {
            seen.extend(accumulator.take_seen().map(|keys| (at, keys)));
        }
        let state = |out: &mut Vec<u8>| {
            out.push(STATE);
            out.extend_from_slice(&group.first.to_be_bytes());
            put_row(&group.row, out);
            group.accumulators.iter().for_each(|one| one.put(out));
        };
        files.push(view, key, state).await?;
        for (at, keys) in seen {
            for same in keys {
                let write = |out: &mut Vec<u8>| {
                    out.push(SEEN);
                    put_length(at, out);
                    out.extend_from_slice(&same);
                };
                files.push(view, key, write).await?;
            }
        }
        Ok(())
    }

    /// The groups: in the order of their first rows, or, of ROLLUP, of their keys.
    ///
    /// # Errors
    /// As [`Sorter::finish`], 1690, and 1038 if one group needs too much.
    pub(super) async fn finish(self, view: &mut View<'_>, cx: &mut Cx<'_>) -> Result<Groups> {
        if self.files.is_some() {
            return Box::pin(self.finish_in_files(view, cx)).await;
        }
        let Self { select, places, mut groups, memory, .. } = self;
        if select.rollup.is_some() {
            // Sums come behind what they are of.
            let mut order: Vec<usize> = vec![0; groups.len()];
            places.into_values().enumerate().for_each(|(to, from)| order[from] = to);
            let mut ordered: Vec<_> = order.into_iter().zip(groups).collect();
            ordered.sort_by_key(|(to, _)| *to);
            groups = ordered.into_iter().map(|(_, group)| group).collect();
        }
        Ok(Groups::Memory { groups: groups.into_iter(), _memory: memory })
    }

    /// The same if some of them are in files.
    async fn finish_in_files(self, view: &mut View<'_>, cx: &mut Cx<'_>) -> Result<Groups> {
        let Self { select, places, groups, memory, files, .. } = self;
        let files = files.ok_or_else(|| broken("groups without a file"))?;
        let by_key = select.rollup.is_some();
        let mut results = Sorter::behind(view, Wanted::default());
        let mut keys: Vec<Vec<u8>> = vec![Vec::new(); groups.len()];
        for (key, at) in places.into_iter().filter(|_| by_key) {
            keys[at] = key;
        }
        for (group, key) in groups.into_iter().zip(keys) {
            group.into_result(&key, select, &mut results, view, cx).await?;
        }
        drop(memory);
        let mut sorted = files.finish(view).await?;
        let mut now: Option<(Vec<u8>, Alone)> = None;
        while sorted.advance().await? {
            if now.as_ref().is_none_or(|(key, _)| key != sorted.key()) {
                if let Some((key, alone)) = now.take() {
                    let group = alone.finish(select, view, cx).await?;
                    let key = if by_key { &key[..] } else { &[] };
                    group.into_result(key, select, &mut results, view, cx).await?;
                }
                view.step().await?;
                now = Some((sorted.key().to_vec(), Alone::begin(sorted.payload(), select, view)?));
            }
            if let Some((_, alone)) = &mut now
                && !alone.add(sorted.payload(), select, cx)?
            {
                alone.make_room(view).await?;
            }
        }
        if let Some((key, alone)) = now {
            let group = alone.finish(select, view, cx).await?;
            let key = if by_key { &key[..] } else { &[] };
            group.into_result(key, select, &mut results, view, cx).await?;
        }
        drop(sorted);
        let rows = results.len();
        Ok(Groups::Sorted { groups: Box::new(results.finish(view).await?), rows })
    }
}

impl Group {
    /// Its row, with the results of the aggregates in their places.
    ///
    /// # Errors
    /// 1690 if one has too many digits.
    pub(super) fn into_row(self, select: &BoundSelect, cx: &mut Cx<'_>) -> Result<Vec<Value>> {
        let Self { mut row, accumulators, .. } = self;
        for (at, accumulator) in accumulators.into_iter().enumerate() {
            row[select.aggregates_start + at] = accumulator.finish(&select.aggregates[at], cx)?;
        }
        Ok(row)
    }

    /// Adds that to the results, under its key or else by its first row.
    async fn into_result(
        self,
        key: &[u8],
        select: &BoundSelect,
        results: &mut Sorter,
        view: &View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<()> {
        let first = self.first.to_be_bytes();
        let row = self.into_row(select, cx)?;
        let key = if key.is_empty() { &first[..] } else { key };
        results.push(view, key, |out| put_row(&row, out)).await
    }
}

/// A group that is gathered by itself.
struct Alone {
    group: Group,
    bytes: usize,
    memory: Gathered,
    /// Operands that DISTINCT may have seen: too many to be told in memory.
    later: Option<Box<Sorter>>,
    later_memory: Gathered,
    came: u64,
}

impl Alone {
    /// One that begins with this record.
    fn begin(record: &[u8], select: &BoundSelect, view: &View<'_>) -> Result<Self> {
        let mut from = record;
        let [_] = take_array(&mut from)?;
        let first = u64::from_be_bytes(take_array(&mut from)?);
        let row = take_row(&mut from)?;
        let group = Group { row, accumulators: fresh(select), first };
        let memory = Gathered::of(view);
        let later_memory = Gathered::part_of(view, 8);
        Ok(Self { group, bytes: 0, memory, later: None, later_memory, came: 0 })
    }

    /// Takes in a record of the group; `false` if [`Self::make_room`] comes before another
    /// one.
    fn add(&mut self, record: &[u8], select: &BoundSelect, cx: &Cx<'_>) -> Result<bool> {
        let mut from = record;
        let [kind] = take_array(&mut from)?;
        if kind == SEEN {
            let at = take_length(&mut from)?;
            let accumulator = self.group.accumulators.get_mut(at);
            accumulator.ok_or_else(|| broken("an aggregate too many"))?;
            return Ok(match self.is_new(at, from) {
                Some(_) => true,
                None => self.put_off(at, from, None),
            });
        }
        let _first: [u8; 8] = take_array(&mut from)?;
        let _row = take_row(&mut from)?;
        let mut fits = true;
        for (at, aggregate) in select.aggregates.iter().enumerate() {
            if kind == STATE {
                let accumulator = Accumulator::take(&mut from)?;
                self.bytes += accumulator.bytes();
                // What it has seen comes behind it.
                self.group.accumulators[at] = match aggregate.counts_once() {
                    true => accumulator.seeing(),
                    false => accumulator,
                };
                continue;
            }
            let [there] = take_array(&mut from)?;
            if there == 0 {
                continue;
            }
            let operands = Operands::take(&mut from)?;
            let new = match aggregate.counts_once() {
                true => self.is_new(at, operands.same()),
                false => Some(true),
            };
            match new {
                Some(true) => {
                    let accumulator = &mut self.group.accumulators[at];
                    self.bytes += accumulator.add_new(aggregate, operands, cx)?;
                }
                Some(false) => {}
                None => fits &= self.put_off(at, operands.same(), Some(&operands)),
            }
        }
        if self.bytes > self.memory.bytes() {
            self.memory.set(self.bytes)?;
        }
        Ok(fits)
    }

    /// Whether an aggregate with DISTINCT sees an operand for the first time; `None` if that
    /// is said later.
    fn is_new(&mut self, at: usize, same: &[u8]) -> Option<bool> {
        let seen = self.group.accumulators[at].seen()?;
        if seen.contains(same) {
            return Some(false);
        }
        let bytes = self.bytes + same.len() + 48;
        // The other half is for what the aggregates come to.
        let limit = self.memory.bytes_max() / 4;
        if self.later.is_some() || bytes > limit || !self.memory.fits(bytes) {
            return None;
        }
        self.bytes = bytes;
        seen.insert(same.to_vec());
        Some(true)
    }

    /// Without operands it was seen before.
    fn put_off(&mut self, at: usize, same: &[u8], operands: Option<&Operands>) -> bool {
        let memory = &mut self.later_memory;
        let later = self.later.get_or_insert_with(|| {
            let wanted = Wanted { distinct: true, ..Wanted::default() };
            Box::new(Sorter::new(wanted, std::mem::take(memory)))
        });
        later.bytes().extend_from_slice(&(at as u32).to_be_bytes());
        later.bytes().extend_from_slice(same);
        later.key_ends();
        if let Some(operands) = operands {
            self.came += 1;
            later.bytes().extend_from_slice(&self.came.to_be_bytes());
            operands.put(later.bytes());
        }
        later.row_ends()
    }

    async fn make_room(&mut self, view: &View<'_>) -> Result<()> {
        match &mut self.later {
            Some(later) => later.make_room(view).await,
            None => Err(too_much()),
        }
    }

    /// The group, all of it gathered.
    async fn finish(self, select: &BoundSelect, view: &View<'_>, cx: &mut Cx<'_>) -> Result<Group> {
        let Self { mut group, later, .. } = self;
        let Some(later) = later else { return Ok(group) };
        for accumulator in &mut group.accumulators {
            drop(accumulator.take_seen());
        }
        let mut new = later.finish(view).await?;
        let mut ordered = Sorter::behind(view, Wanted::default());
        while new.advance().await? {
            let (at, mut rest) = (&new.key()[..4], new.payload());
            if rest.is_empty() {
                continue;
            }
            let came: [u8; 8] = take_array(&mut rest)?;
            ordered.bytes().extend_from_slice(at);
            ordered.push(view, &came, |out| out.extend_from_slice(rest)).await?;
        }
        drop(new);
        let mut ordered = ordered.finish(view).await?;
        while ordered.advance().await? {
            let at = u32::from_be_bytes(take_array(&mut ordered.key())?) as usize;
            let operands = Operands::take(&mut ordered.payload())?;
            let pair = group.accumulators.get_mut(at).zip(select.aggregates.get(at));
            let (accumulator, aggregate) = pair.ok_or_else(|| broken("an aggregate too many"))?;
            accumulator.add_new(aggregate, operands, cx)?;
        }
        Ok(group)
    }
}
