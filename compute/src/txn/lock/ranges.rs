//! Ranges of keys of one space into which others must not insert, and the
//! inserts that are on their way.
//!
//! Range locks are compatible with each other, whatever they are for. Who
//! inserts a key waits until no other owner has a range around it, and is then
//! remembered until his transaction ends; who locks a range waits for the
//! inserts of others inside. While he waits, no new owner begins to insert
//! there, so that he is not kept waiting for ever; those he waits for go on.
//!
//! Ranges are kept cut into fragments that do not overlap, each with those who
//! have it, so that an insert looks at one fragment however many ranges there
//! are.

use std::collections::BTreeMap;
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use smallvec::SmallVec;

use super::key::{OwnerId, ScopeId, Who};
use super::wait::{Outcome, Wait};

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fragment {
    end: Option<Bytes>,
    /// Sorted; how many ranges of each lock set cover the fragment.
    holders: SmallVec<[(Who, u32); 1]>,
}

/// What someone waits for.
#[derive(Debug, Clone)]
pub(super) enum RangeWait {
    /// To insert this key.
    Insert(Bytes),
    /// To lock this range.
    Range(KeyRange),
}

#[derive(Debug)]
struct Waiter {
    who: Who,
    on: RangeWait,
    wait: Arc<Wait>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// By start.
    fragments: BTreeMap<Bytes, Fragment>,
    inserts: BTreeMap<(Bytes, ScopeId), OwnerId>,
    /// Of lock sets with very many inserts.
    packed: BTreeMap<ScopeId, PackedInserts>,
    waiters: Vec<Waiter>,
}

/// Ranges of keys, both ends included, in each of which one lock set has inserted.
#[derive(Debug)]
struct PackedInserts {
    owner: OwnerId,
    runs: Vec<(Bytes, Bytes)>,
}

/// Runs of one lock set: with more, neighbours become one.
const RUNS_MAX: usize = 2048;

/// Inserts that become one run.
pub(super) const RUN_INSERTS: usize = 1024;

impl PackedInserts {
    fn touches(&self, range: &KeyRange) -> bool {
        self.runs.iter().any(|(first, last)| *last >= range.start && range.ends_after(first))
    }

    fn merge(&mut self) {
        if self.runs.len() <= RUNS_MAX {
            return;
        }
        self.runs.sort();
        let pairs = self.runs.chunks(2).filter_map(|pair| {
            let last = pair.iter().map(|(_, last)| last).max()?;
            Some((pair.first()?.0.clone(), last.clone()))
        });
        self.runs = pairs.collect();
    }
}

impl Ranges {
    pub(super) fn is_empty(&self) -> bool {
        self.fragments.is_empty()
            && self.inserts.is_empty()
            && self.packed.is_empty()
            && self.waiters.is_empty()
    }

    fn around(&self, key: &[u8]) -> Option<&Fragment> {
        let (_, fragment) =
            self.fragments.range::<[u8], _>((Unbounded, Included(key))).next_back()?;
        fragment.end.as_ref().is_none_or(|end| *key < **end).then_some(fragment)
    }

    /// Whether the lock set has every key of the range.
    pub(super) fn covers(&self, who: Who, range: &KeyRange) -> bool {
        let mut at = range.start.clone();
        loop {
            if range.end.as_ref().is_some_and(|end| *end <= at) {
                return true;
            }
            match self.around(&at) {
                Some(fragment) if fragment.holders.iter().any(|(w, _)| *w == who) => {
                    match &fragment.end {
                        Some(end) => at = end.clone(),
                        None => return true,
                    }
                }
                _ => return false,
            }
        }
    }

    /// Makes `key` the start of a fragment if it lies inside one.
    fn cut(&mut self, key: &[u8]) {
        let Some((start, fragment)) =
            self.fragments.range_mut::<[u8], _>((Unbounded, Excluded(key))).next_back()
        else {
            return;
        };
        if fragment.end.as_ref().is_some_and(|end| **end <= *key) {
            return;
        }
        debug_assert!(**start < *key);
        let key = Bytes::copy_from_slice(key);
        let right = Fragment { end: fragment.end.clone(), holders: fragment.holders.clone() };
        fragment.end = Some(key.clone());
        self.fragments.entry(key).or_insert(right);
    }

    /// Joins the fragments on both sides of `key` if the same have them.
    pub(super) fn join(&mut self, key: &[u8]) {
        let Some(right) = self.fragments.get(key) else { return };
        let Some((_, left)) =
            self.fragments.range::<[u8], _>((Unbounded, Excluded(key))).next_back()
        else {
            return;
        };
        if left.end.as_deref() != Some(key) || left.holders != right.holders {
            return;
        }
        let end = right.end.clone();
        self.fragments.remove(key);
        if let Some((_, left)) =
            self.fragments.range_mut::<[u8], _>((Unbounded, Excluded(key))).next_back()
        {
            left.end = end;
        }
    }

    /// Locks a range.
    pub(super) fn add(&mut self, who: Who, range: &KeyRange) {
        if range.is_empty() {
            return;
        }
        self.cut(&range.start);
        if let Some(end) = &range.end {
            self.cut(end);
        }
        let mut at = range.start.clone();
        loop {
            if range.end.as_ref().is_some_and(|end| *end <= at) {
                return;
            }
            if let Some(fragment) = self.fragments.get_mut(&at) {
                match fragment.holders.binary_search_by_key(&who, |(w, _)| *w) {
                    Ok(i) => fragment.holders[i].1 += 1,
                    Err(i) => fragment.holders.insert(i, (who, 1)),
                }
                match fragment.end.clone() {
                    Some(end) => at = end,
                    None => return,
                }
                continue;
            }
            // A gap up to the next fragment, or to the end.
            let next = self
                .fragments
                .range::<[u8], _>((Included(&at[..]), Unbounded))
                .next()
                .map(|(s, _)| s.clone());
            let end = match (&next, &range.end) {
                (Some(next), Some(end)) => Some(next.min(end).clone()),
                (Some(one), None) | (None, Some(one)) => Some(one.clone()),
                (None, None) => None,
            };
            let holders = SmallVec::from_buf([(who, 1)]);
            self.fragments.insert(at, Fragment { end: end.clone(), holders });
            match end {
                Some(end) => at = end,
                None => return,
            }
        }
    }

    /// Gives up a range that was locked before.
    pub(super) fn remove(&mut self, who: Who, range: &KeyRange) {
        self.take_out(who, range);
        self.grant();
    }

    /// As [`Self::remove`], before a [`Self::grant`].
    pub(super) fn take_out(&mut self, who: Who, range: &KeyRange) {
        if range.is_empty() {
            return;
        }
        self.cut(&range.start);
        if let Some(end) = &range.end {
            self.cut(end);
        }
        let starts = (Included(&range.start[..]), bound(range));
        let mut empty: Vec<Bytes> = Vec::new();
        for (start, fragment) in self.fragments.range_mut::<[u8], _>(starts) {
            if let Ok(i) = fragment.holders.binary_search_by_key(&who, |(w, _)| *w) {
                fragment.holders[i].1 -= 1;
                if fragment.holders[i].1 == 0 {
                    fragment.holders.remove(i);
                }
            }
            if fragment.holders.is_empty() {
                empty.push(start.clone());
            }
        }
        for start in empty {
            self.fragments.remove(&start);
        }
        self.join(&range.start);
        if let Some(end) = &range.end {
            self.join(end);
        }
    }

    pub(super) fn is_free(&self, owner: OwnerId, key: &[u8]) -> bool {
        self.around(key).is_none_or(|f| f.holders.iter().all(|(who, _)| who.owner == owner))
    }

    /// Those among the first `ahead` waiters who want a range around `key` and
    /// do not wait for `owner` himself.
    fn ahead_of_insert(
        &self,
        owner: OwnerId,
        key: &[u8],
        ahead: usize,
    ) -> impl Iterator<Item = OwnerId> {
        let wants = move |waiter: &&Waiter| match &waiter.on {
            RangeWait::Range(range) => {
                waiter.who.owner != owner
                    && range.contains(key)
                    && self.inserts_inside(waiter.who.owner, range).all(|o| o != owner)
            }
            RangeWait::Insert(_) => false,
        };
        self.waiters[..ahead].iter().filter(wants).map(|waiter| waiter.who.owner)
    }

    fn can_insert(&self, owner: OwnerId, key: &[u8], ahead: usize) -> bool {
        self.is_free(owner, key) && self.ahead_of_insert(owner, key, ahead).next().is_none()
    }

    /// Remembers an insert if nobody keeps it out.
    pub(super) fn try_insert(&mut self, who: Who, key: &Bytes) -> bool {
        self.insert_behind(who, key, self.waiters.len())
    }

    fn insert_behind(&mut self, who: Who, key: &Bytes, ahead: usize) -> bool {
        let can = self.can_insert(who.owner, key, ahead);
        if can {
            self.inserts.insert((key.clone(), who.scope), who.owner);
        }
        can
    }

    /// Locks a range if no other has inserted into it.
    pub(super) fn try_add(&mut self, who: Who, range: &KeyRange) -> bool {
        let quiet = self.is_quiet(who.owner, range);
        if quiet {
            self.add(who, range);
        }
        quiet
    }

    fn inserts_inside<'a>(
        &'a self,
        owner: OwnerId,
        range: &'a KeyRange,
    ) -> impl Iterator<Item = OwnerId> + 'a {
        let start = (range.start.clone(), ScopeId(0));
        let inside = self.inserts.range(start..).take_while(|((key, _), _)| range.ends_after(key));
        let inside = inside.map(|(_, inserter)| *inserter);
        let others = self.packed.values().filter(move |packed| packed.owner != owner);
        let packed = others.filter(|packed| packed.touches(range)).map(|packed| packed.owner);
        inside
            .filter(move |inserter| *inserter != owner && !range.is_empty())
            .chain(packed.filter(|_| !range.is_empty()))
    }

    /// Puts a lock set's inserts, in order, into runs.
    pub(super) fn pack_inserts(&mut self, who: Who, keys: &[Bytes]) {
        for key in keys {
            self.inserts.remove(&(key.clone(), who.scope));
        }
        let packed = self.packed.entry(who.scope);
        let packed = packed.or_insert_with(|| PackedInserts { owner: who.owner, runs: Vec::new() });
        for run in keys.chunks(RUN_INSERTS) {
            if let [first, ..] = run
                && let [.., last] = run
            {
                packed.runs.push((first.clone(), last.clone()));
            }
        }
        packed.merge();
    }

    /// As [`Self::take_out_insert`], of all that are packed.
    pub(super) fn take_out_packed(&mut self, who: Who) {
        self.packed.remove(&who.scope);
    }

    /// Gives a lock set's packed inserts to another owner.
    pub(super) fn rename_packed(&mut self, to: Who) {
        if let Some(packed) = self.packed.get_mut(&to.scope) {
            packed.owner = to.owner;
        }
    }

    /// Whether no other has inserted into the range.
    pub(super) fn is_quiet(&self, owner: OwnerId, range: &KeyRange) -> bool {
        self.inserts_inside(owner, range).next().is_none()
    }

    /// Forgets an insert.
    pub(super) fn end_insert(&mut self, who: Who, key: &Bytes) {
        self.take_out_insert(who, key);
        self.grant();
    }

    /// As [`Self::end_insert`], before a [`Self::grant`].
    pub(super) fn take_out_insert(&mut self, who: Who, key: &Bytes) {
        self.inserts.remove(&(key.clone(), who.scope));
    }

    pub(super) fn enqueue(&mut self, who: Who, on: RangeWait, wait: Arc<Wait>) {
        self.waiters.push(Waiter { who, on, wait });
    }

    /// Ends a wait that was not granted.
    pub(super) fn leave(&mut self, who: Who) {
        self.waiters.retain(|w| w.who != who);
        self.grant();
    }

    /// Gives a lock set's range to another owner.
    pub(super) fn rename_range(&mut self, from: Who, to: Who, range: &KeyRange) {
        self.take_out(from, range);
        self.add(to, range);
    }

    /// Gives a lock set's insert to another owner.
    pub(super) fn rename_insert(&mut self, from: Who, to: Who, key: &Bytes) {
        self.inserts.remove(&(key.clone(), from.scope));
        self.inserts.insert((key.clone(), to.scope), to.owner);
    }

    /// Grants whatever can be granted, in the order of arrival.
    pub(super) fn grant(&mut self) {
        let mut at = 0;
        while at < self.waiters.len() {
            let waiter = &self.waiters[at];
            let who = waiter.who;
            let granted = match waiter.on.clone() {
                RangeWait::Insert(key) => self.insert_behind(who, &key, at),
                RangeWait::Range(range) => self.try_add(who, &range),
            };
            if granted {
                self.waiters.remove(at).wait.end(Outcome::Granted);
            } else {
                at += 1;
            }
        }
    }

    /// Calls `each` for every owner who keeps `owner` waiting here.
    pub(super) fn blockers(&self, owner: OwnerId, each: impl FnMut(OwnerId)) {
        let Some(at) = self.waiters.iter().position(|w| w.who.owner == owner) else { return };
        match &self.waiters[at].on {
            RangeWait::Insert(key) => {
                let holders = self.around(key).map_or(&[][..], |f| &f.holders);
                let holders = holders.iter().map(|(who, _)| who.owner).filter(|o| *o != owner);
                holders.chain(self.ahead_of_insert(owner, key, at)).for_each(each);
            }
            RangeWait::Range(range) => self.inserts_inside(owner, range).for_each(each),
        }
    }

    #[cfg(test)]
    pub(super) fn fragments(&self) -> usize {
        self.fragments.len()
    }
}

fn bound(range: &KeyRange) -> Bound<&[u8]> {
    range.end.as_ref().map_or(Unbounded, |end| Excluded(end))
}
