//! The locks of one transaction, or those that a session holds by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use firn_engine::SpaceId;
use firn_engine::key::KeyRange;

use super::key::{LockKey, LockMode, OwnerId, ScopeId, Who};
use super::pack::{Packed, key_bytes, range_bytes};
use super::ranges::RangeWait;
use super::{LOCK_BYTES, LockTable, Request, Target};
use crate::memory::Charge;
use crate::txn::error::{Error, Result};

/// How a lock was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// It is held now, or in a stronger mode than before.
    New,
    /// The set had it already.
    Held,
    /// Somebody else has it, and SKIP LOCKED was asked for.
    Skipped,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) mode: LockMode,
    /// How often it was asked for, less how often it was released.
    pub(super) times: u32,
}

/// Locks that are held together. Dropping it releases them all.
///
/// Asking again for what is held is free. Every wait may be dropped at any
/// time and leaves the set as it was before.
#[derive(Debug)]
pub struct LockSet {
    pub(super) table: Arc<LockTable>,
    pub(super) who: Who,
    pub(super) keys: BTreeMap<LockKey, Held>,
    ranges: Vec<(SpaceId, KeyRange)>,
    pub(super) inserts: Vec<(SpaceId, Bytes)>,
    pub(super) packed: Packed,
    pub(super) memory: Charge,
}

impl LockSet {
    /// An empty one. One owner's sets never wait for each other.
    #[must_use]
    pub fn new(table: Arc<LockTable>, owner: OwnerId) -> Self {
        let scope = ScopeId(table.scopes.fetch_add(1, Ordering::Relaxed));
        let who = Who { owner, scope };
        let memory = Charge::new(&table.memory);
        let at = table.limits.pack_at.max(1);
        let packed = Packed { rows_at: at, inserts_at: at, ..Packed::default() };
        let (keys, ranges, inserts) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { table, who, keys, ranges, inserts, packed, memory }
    }

    /// Whose it is.
    #[must_use]
    pub fn owner(&self) -> OwnerId {
        self.who.owner
    }

    /// Number of locks held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counted() + self.packed.len()
    }

    /// Those of them that are not packed.
    fn counted(&self) -> usize {
        self.keys.len() + self.ranges.len() + self.inserts.len()
    }

    /// Memory that they need, in bytes, roughly.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.memory.bytes()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In which mode a key is held.
    #[must_use]
    pub fn mode(&self, key: &LockKey) -> Option<LockMode> {
        let held = self.keys.get(key).map(|held| held.mode);
        match self.packed.rows.is_empty() {
            true => held,
            false => held.or_else(|| self.table.packed_as(self.who, key)),
        }
    }

    /// The keys held, but for rows that are packed.
    pub fn keys(&self) -> impl Iterator<Item = (&LockKey, LockMode)> {
        self.keys.iter().map(|(key, held)| (key, held.mode))
    }

    /// Makes sure that there is room for one lock more, of so many bytes.
    fn check_room(&mut self, bytes: usize) -> Result<()> {
        let limit = self.table.limits.per_set;
        if self.counted() >= limit || self.memory.grow(bytes).is_err() {
            return Err(Error::TooManyLocks { limit });
        }
        self.memory.shrink(bytes);
        Ok(())
    }

    /// Counts a lock that is held now.
    pub(super) fn add_bytes(&mut self, bytes: usize) {
        self.memory.grow_anyway(bytes);
    }

    /// Locks a key.
    ///
    /// # Errors
    /// `LockWaitTimeout`, `LockTaken`, `Deadlock`, `Interrupted`, `TooManyLocks`.
    pub async fn lock(
        &mut self,
        key: LockKey,
        mode: LockMode,
        request: Request<'_>,
    ) -> Result<Grant> {
        let held = match self.keys.get_mut(&key) {
            Some(held) if held.mode.covers(mode) => {
                held.times = held.times.saturating_add(1);
                return Ok(Grant::Held);
            }
            Some(held) => Some(held.mode),
            None => None,
        };
        let held = match held {
            None if !self.packed.rows.is_empty() => {
                match self.table.packed_mode(self.who, &key, mode) {
                    Some(held) if held.covers(mode) => return Ok(Grant::Held),
                    Some(held) => {
                        self.keep(key.clone(), held)?;
                        Some(held)
                    }
                    None => None,
                }
            }
            held => held,
        };
        let counted = if held.is_none() {
            self.check_room(key_bytes(&key))?;
            Some(Counted::new(&self.table)?)
        } else {
            None
        };
        let mode = held.map_or(mode, |held| held.union(mode));
        let target = Target::Key { key: key.clone(), mode, held };
        if !self.table.lock(self.who, target, request).await? {
            return Ok(Grant::Skipped);
        }
        counted.into_iter().for_each(Counted::keep);
        if held.is_none() {
            self.add_bytes(key_bytes(&key));
        }
        let entry = self.keys.entry(key).or_insert(Held { mode, times: 0 });
        entry.mode = mode;
        entry.times = entry.times.saturating_add(1);
        if self.keys.len() >= self.packed.rows_at {
            self.pack_rows();
        }
        Ok(Grant::New)
    }

    /// Keeps others from inserting into a range, and waits until their inserts
    /// into it are committed or rolled back. With [`super::LockWait::Skip`] it
    /// does not wait for those.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub async fn lock_range(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
        request: Request<'_>,
    ) -> Result<Grant> {
        let who = self.who;
        if range.is_empty() || self.table.with_ranges(space, |r| r.covers(who, range)) {
            return Ok(Grant::Held);
        }
        let bytes = range_bytes(range);
        self.check_room(bytes)?;
        let counted = Counted::new(&self.table)?;
        let target = Target::Range { space, on: RangeWait::Range(range.clone()) };
        if !self.table.lock(who, target, request).await? {
            self.table.with_ranges(space, |ranges| ranges.add(who, range));
        }
        // Scans lock one piece behind the other: all of them are one range.
        if let Some((_, last)) = self.ranges.last_mut().filter(|(of, _)| *of == space) {
            let at = if last.end.as_ref() == Some(&range.start) {
                last.end.clone_from(&range.end);
                Some(&range.start)
            } else if range.end.as_ref() == Some(&last.start) {
                last.start.clone_from(&range.start);
                range.end.as_ref()
            } else {
                None
            };
            if let Some(at) = at {
                self.table.with_ranges(space, |ranges| ranges.join(at));
                return Ok(Grant::New);
            }
        }
        counted.keep();
        self.add_bytes(bytes);
        self.ranges.push((space, range.clone()));
        Ok(Grant::New)
    }

    /// Waits until the inserts of others into a range are committed or rolled
    /// back, and locks nothing. With [`super::LockWait::Skip`] it does not wait.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub async fn await_inserts(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
        request: Request<'_>,
    ) -> Result<()> {
        let who = self.who;
        if self.table.with_ranges(space, |ranges| ranges.is_quiet(who.owner, range)) {
            return Ok(());
        }
        let target = Target::Range { space, on: RangeWait::Range(range.clone()) };
        if self.table.lock(who, target, request).await? {
            self.table.with_ranges(space, |ranges| ranges.remove(who, range));
        }
        Ok(())
    }

    /// Waits until no other owner has a range around a key that is about to be
    /// inserted, and lets those who lock such a range later wait for this set.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub async fn intend_insert(
        &mut self,
        space: SpaceId,
        key: &[u8],
        request: Request<'_>,
    ) -> Result<Grant> {
        self.check_room(LOCK_BYTES + key.len())?;
        let counted = Counted::new(&self.table)?;
        let key = Bytes::copy_from_slice(key);
        let target = Target::Range { space, on: RangeWait::Insert(key.clone()) };
        if !self.table.lock(self.who, target, request).await? {
            return Ok(Grant::Skipped);
        }
        counted.keep();
        self.add_bytes(LOCK_BYTES + key.len());
        self.inserts.push((space, key));
        if self.inserts.len() >= self.packed.inserts_at {
            self.pack_inserts();
        }
        Ok(Grant::New)
    }

    /// Takes back one [`Self::lock`] of a key; the last one releases it. `false`
    /// if it is not held.
    pub fn unlock(&mut self, key: &LockKey) -> bool {
        let Some(held) = self.keys.get_mut(key) else { return false };
        held.times -= 1;
        if held.times == 0 {
            self.release(key);
        }
        true
    }

    /// Releases a key, however often it was locked. `false` if it is not held.
    pub fn release(&mut self, key: &LockKey) -> bool {
        if self.keys.remove(key).is_none() {
            return false;
        }
        self.table.with_key(key, |queue| queue.release(self.who, None));
        self.table.uncount(1);
        self.memory.shrink(key_bytes(key));
        true
    }

    /// Holds a key in a weaker mode than before: what ALTER does before it
    /// copies. Nothing happens if it is not held in a stronger one.
    pub fn downgrade(&mut self, key: &LockKey, mode: LockMode) {
        if let Some(held) = self.keys.get_mut(key)
            && held.mode.covers(mode)
        {
            held.mode = mode;
            self.table.with_key(key, |queue| queue.release(self.who, Some(mode)));
        }
    }

    /// The space with the most keys and ranges.
    #[must_use]
    pub fn most_locked(&self) -> Option<SpaceId> {
        let mut counts: BTreeMap<SpaceId, usize> = BTreeMap::new();
        for key in self.keys.keys() {
            if let LockKey::Row(space, _) = key {
                *counts.entry(*space).or_default() += 1;
            }
        }
        for (space, _) in &self.ranges {
            *counts.entry(*space).or_default() += 1;
        }
        for (space, _) in &self.inserts {
            *counts.entry(*space).or_default() += 1;
        }
        for (space, count) in self.packed.rows.iter().chain(&self.packed.inserts) {
            *counts.entry(*space).or_default() += count;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(space, _)| space)
    }

    /// Releases all keys and ranges of a space: something larger covers them.
    pub fn release_space(&mut self, space: SpaceId) {
        let first = LockKey::Row(space, Bytes::new());
        let mut rows = self.keys.split_off(&first);
        let is_row = |key: &LockKey| matches!(key, LockKey::Row(of, _) if *of == space);
        let behind = rows.iter().find(|(key, _)| !is_row(key)).map(|(key, _)| key.clone());
        if let Some(behind) = behind {
            let mut others = rows.split_off(&behind);
            self.keys.append(&mut others);
        }
        let of_space = |all: usize, left: usize| all - left;
        let (ranges, inserts) = (self.ranges.len(), self.inserts.len());
        let mut gone = rows.len();
        let mut less = 0;
        for key in rows.into_keys() {
            less += key_bytes(&key);
            self.table.with_key(&key, |queue| queue.release(self.who, None));
        }
        let who = self.who;
        let (mut own_ranges, mut own_inserts) = (Vec::new(), Vec::new());
        self.ranges.retain(|(of, range)| {
            let keep = *of != space;
            if !keep {
                own_ranges.push(range.clone());
            }
            keep
        });
        self.inserts.retain(|(of, key)| {
            let keep = *of != space;
            if !keep {
                own_inserts.push(key.clone());
            }
            keep
        });
        gone += of_space(ranges, self.ranges.len()) + of_space(inserts, self.inserts.len());
        less += own_ranges.iter().map(range_bytes).sum::<usize>();
        less += own_inserts.iter().map(|key| LOCK_BYTES + key.len()).sum::<usize>();
        if self.packed.rows.remove(&space).is_some() {
            self.table.release_packed(who, Some(space));
        }
        self.packed.inserts.remove(&space);
        less += self.packed.bytes.remove(&space).unwrap_or_default();
        self.table.with_ranges(space, |held| {
            for range in &own_ranges {
                held.take_out(who, range);
            }
            for key in &own_inserts {
                held.take_out_insert(who, key);
            }
            held.take_out_packed(who);
            held.grant();
        });
        self.table.uncount(gone);
        self.memory.shrink(less);
    }

    /// Releases everything.
    pub fn release_all(&mut self) {
        let count = self.counted();
        let who = self.who;
        for key in std::mem::take(&mut self.keys).into_keys() {
            self.table.with_key(&key, |queue| queue.release(who, None));
        }
        if !std::mem::take(&mut self.packed.rows).is_empty() {
            self.table.release_packed(who, None);
        }
        for space in std::mem::take(&mut self.packed.inserts).into_keys() {
            self.table.with_ranges(space, |held| {
                held.take_out_packed(who);
                held.grant();
            });
        }
        self.packed.bytes.clear();
        let mut ranges = std::mem::take(&mut self.ranges);
        let mut inserts = std::mem::take(&mut self.inserts);
        ranges.sort_by_key(|(space, _)| *space);
        inserts.sort_by_key(|(space, _)| *space);
        let (mut ranges, mut inserts) =
            (ranges.into_iter().peekable(), inserts.into_iter().peekable());
        // All of a space at once: those who wait there are looked at once, in their order.
        while let Some(space) =
            ranges.peek().map(|r| r.0).into_iter().chain(inserts.peek().map(|i| i.0)).min()
        {
            self.table.with_ranges(space, |held| {
                while let Some((_, range)) = ranges.next_if(|(s, _)| *s == space) {
                    held.take_out(who, &range);
                }
                while let Some((_, key)) = inserts.next_if(|(s, _)| *s == space) {
                    held.take_out_insert(who, &key);
                }
                held.grant();
            });
        }
        self.table.uncount(count);
        self.memory.shrink(self.memory.bytes());
    }

    /// Parts with the owner, who goes on: from now on he, too, waits for these locks.
    pub fn abandon(&mut self) {
        let from = self.who;
        let owner = OwnerId(self.table.abandoned.fetch_add(1, Ordering::Relaxed));
        self.who = Who { owner, scope: from.scope };
        for key in self.keys.keys() {
            self.table.with_key(key, |queue| queue.rename(from, self.who));
        }
        if !self.packed.rows.is_empty() {
            self.table.rename_packed(from, self.who);
        }
        for space in self.packed.inserts.keys() {
            self.table.with_ranges(*space, |ranges| ranges.rename_packed(self.who));
        }
        for (space, key) in &self.inserts {
            self.table.with_ranges(*space, |ranges| ranges.rename_insert(from, self.who, key));
        }
        for (space, range) in &self.ranges {
            self.table.with_ranges(*space, |ranges| ranges.rename_range(from, self.who, range));
        }
    }
}

impl Drop for LockSet {
    fn drop(&mut self) {
        self.release_all();
    }
}

/// One lock counted ahead of its grant.
struct Counted<'a>(Option<&'a LockTable>);

impl<'a> Counted<'a> {
    fn new(table: &'a LockTable) -> Result<Self> {
        table.count(1)?;
        Ok(Self(Some(table)))
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if let Some(table) = self.0 {
            table.uncount(1);
        }
    }
}
