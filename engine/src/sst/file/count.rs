//! About how many keys of a range a file has, without reading them.
//!
//! A range's share of a file is told by the partitions in which it begins and ends, and that of
//! a short one by the blocks. Partitions and blocks come and go, so what was read for a count
//! need not be at hand a moment later: a count that takes reading is made of what was read.

use std::sync::Arc;

use bytes::Bytes;

use super::{File, Handle, Result};
use crate::cache::{BlockIo, Partition};
use crate::key::KeyRange;
use crate::sst::block::BlockCursor;
use crate::types::Seq;

/// A range of so few blocks is counted within them.
const NEAR_BLOCKS: usize = 3;

/// Where a key lies in a file.
#[derive(Debug, Clone, Copy)]
struct Place {
    part: usize,
    /// Blocks before it in its partition, and all blocks of that.
    before: usize,
    blocks: usize,
    /// The block; none if it lies before the first key or behind the last.
    handle: Option<Handle>,
    /// How much of the block lies before it.
    within: f64,
}

impl Place {
    /// Before the first key of a partition.
    fn before(part: usize) -> Self {
        Self { part, before: 0, blocks: 1, handle: None, within: 0.0 }
    }

    fn of(key: &[u8], part: usize, partition: &Partition) -> Self {
        let mut place = Self { blocks: 0, within: 0.5, ..Self::before(part) };
        let mut index = BlockCursor::new(Arc::clone(&partition.index));
        index.seek_first();
        while index.valid() {
            place.blocks += 1;
            if *index.key() < *key {
                place.before += 1;
            } else if place.handle.is_none() {
                place.handle = Handle::take(&mut index.value());
            }
            index.next();
        }
        place
    }

    /// The blocks at both ends, with the keys, of a range in which they matter.
    fn near<'p, 'k>(
        ends: &'p mut [Self; 2],
        range: &'k KeyRange,
    ) -> impl Iterator<Item = (&'p mut Self, Handle, &'k Bytes)> {
        let [start, end] = &*ends;
        let is_near = start.blocks_up_to(end) <= NEAR_BLOCKS;
        let keys = [Some(&range.start), range.end.as_ref()];
        let all = ends.iter_mut().zip(keys);
        all.filter_map(move |(place, key)| {
            let handle = place.handle.filter(|_| is_near)?;
            Some((place, handle, key?))
        })
    }

    /// Blocks from this place to a later one, as far as that is few.
    fn blocks_up_to(&self, end: &Self) -> usize {
        match end.part.saturating_sub(self.part) {
            0 => end.before.saturating_sub(self.before),
            1 => self.blocks.saturating_sub(self.before) + end.before,
            _ => usize::MAX,
        }
    }

    /// How much of a file of so many partitions lies before it.
    fn share(&self, parts: usize) -> f64 {
        let within = if self.handle.is_some() { self.within } else { 0.0 };
        let of_part = (self.before as f64 + within) / self.blocks.max(1) as f64;
        (self.part as f64 + of_part) / parts.max(1) as f64
    }
}

impl File {
    /// About how many keys of `range` the file has a value for, by its properties, the indexes
    /// of the two partitions in which the range begins and ends, and of a short range the
    /// blocks; `None` if these are not in memory.
    pub(crate) fn count_between(&self, io: &BlockIo, range: &KeyRange) -> Option<u64> {
        if let Some(count) = self.count_of_all(range) {
            return Some(count);
        }
        let open = self.open.get()?;
        let mut ends = [None; 2];
        for (end, key) in ends.iter_mut().zip([Some(&range.start), range.end.as_ref()]) {
            *end = Some(match self.edge(key, open.parts.len()) {
                Ok(place) => place,
                Err(key) => match open.parts.partition_point(|part| *part.last_key < *key) {
                    at if at == open.parts.len() => Place::before(at),
                    at => Place::of(key, at, open.parts[at].pinned.get()?),
                },
            });
        }
        let [Some(start), Some(end)] = ends else { return None };
        let mut ends = [start, end];
        for (place, handle, key) in Place::near(&mut ends, range) {
            place.within = io.cached(self.meta.id, handle)?.place_of(key);
        }
        Some(self.count_of(&ends, open.parts.len()))
    }

    /// The same, of what is read for it where it is not in memory.
    pub(crate) async fn read_count(&self, io: &BlockIo, range: &KeyRange) -> Result<u64> {
        if let Some(count) = self.count_of_all(range) {
            return Ok(count);
        }
        let parts = self.parts(io).await?;
        let mut ends = [Place::before(0), Place::before(parts)];
        for (end, key) in ends.iter_mut().zip([Some(&range.start), range.end.as_ref()]) {
            *end = match self.edge(key, parts) {
                Ok(place) => place,
                Err(key) => match self.part_of(io, key).await? {
                    at if at == parts => Place::before(at),
                    at => Place::of(key, at, &*self.partition(io, at).await?),
                },
            };
        }
        for (place, handle, key) in Place::near(&mut ends, range) {
            place.within = io.block(self.meta.id, handle).await?.place_of(key);
        }
        Ok(self.count_of(&ends, parts))
    }

    /// The count of a range that has all keys of the file, or none.
    fn count_of_all(&self, range: &KeyRange) -> Option<u64> {
        if range.covers(&self.meta.range) {
            return Some(self.values());
        }
        (!range.overlaps(&self.meta.range)).then_some(0)
    }

    /// The place of a range's end, if that is before all keys or behind them; else the key.
    fn edge<'k>(
        &self,
        key: Option<&'k Bytes>,
        parts: usize,
    ) -> std::result::Result<Place, &'k Bytes> {
        match key {
            None => Ok(Place::before(parts)),
            Some(key) if *key <= self.meta.range.start => Ok(Place::before(0)),
            Some(key) => Err(key),
        }
    }

    fn count_of(&self, [start, end]: &[Place; 2], parts: usize) -> u64 {
        let share = end.share(parts) - start.share(parts);
        (share.clamp(0.0, 1.0) * self.values() as f64).round() as u64
    }

    /// About how many keys have a value that is in the file.
    pub(crate) fn values(&self) -> u64 {
        // A deletion in one file is of a value in another.
        self.meta.entries.saturating_sub(2 * self.meta.deletes)
    }

    /// Up to `count` keys of `range`, in order and about equally far apart: keys with which
    /// blocks end.
    pub(crate) async fn keys_between(
        &self,
        io: &BlockIo,
        range: &KeyRange,
        count: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<()> {
        let parts = self.parts(io).await?;
        let first = self.part_of(io, &range.start).await?;
        let last = match &range.end {
            Some(end) => self.part_of(io, end).await?.min(parts.saturating_sub(1)),
            None => parts.saturating_sub(1),
        };
        let within = (last + 1).saturating_sub(first);
        let each = count.div_ceil(within.max(1)).max(1);
        for part in (first..=last).step_by(within.div_ceil(count.max(1)).max(1)) {
            if part >= parts {
                break;
            }
            let partition = self.partition(io, part).await?;
            let mut index = BlockCursor::new(Arc::clone(&partition.index));
            let mut keys = Vec::new();
            index.seek(&range.start, Seq::MAX);
            while index.valid() && range.ends_after(index.key()) {
                keys.push(Bytes::copy_from_slice(index.key()));
                index.next();
            }
            let step = keys.len().div_ceil(each).max(1);
            out.extend(keys.into_iter().step_by(step));
        }
        Ok(())
    }
}
