//! Locks of very many rows of one lock set: 43 bits of a hash for each.
//!
//! A set with very many rows *packs* them: they leave the queues of their keys, and what
//! stays is which hashes it has, by space and mode. Whoever else asks for a key whose hash
//! is among them *unpacks* that one first: its owner is put into the key's queue as a
//! holder, and all goes on as with any other key: waiting, deadlocks, release.
//!
//! So a set holds all keys with such hashes, not only those that it asked for: of 10 million
//! packed rows, one other in a million seems locked, too. The other way round nothing is
//! lost: the owner takes a key for his own only if nobody else has it.
//!
//! # Order
//!
//! Packing makes the hashes known and takes the keys out of their queues under one mutex.
//! Who wants a key looks at `generation`, unpacks, locks the key's shard, and begins again
//! if the generation is another by then: what was packed meanwhile would be in neither
//! place that he looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use firn_engine::SpaceId;
use foldhash::fast::FixedState;
use parking_lot::Mutex;

use super::LockTable;
use super::key::{LockKey, LockMode, ScopeId, Who};

/// Buckets of hashes; by their first 11 bits.
const BUCKETS: usize = 1 << 11;

/// Hashes: 11 bits say where, 32 are kept.
#[derive(Debug, Default)]
struct Hashes {
    /// Sorted each; empty as long as there are none at all.
    buckets: Vec<Vec<u32>>,
    len: usize,
    bytes: usize,
}

fn hash(key: &[u8]) -> (usize, u32) {
    let hash = FixedState::with_seed(0x7061_636b).hash_one(key);
    ((hash >> 53) as usize % BUCKETS, hash as u32)
}

impl Hashes {
    fn contains(&self, (bucket, rest): (usize, u32)) -> bool {
        self.buckets.get(bucket).is_some_and(|all| all.binary_search(&rest).is_ok())
    }

    fn insert(&mut self, (bucket, rest): (usize, u32)) {
        if self.buckets.is_empty() {
            self.buckets.resize_with(BUCKETS, Vec::new);
            self.bytes = BUCKETS * size_of::<Vec<u32>>();
        }
        let Some(all) = self.buckets.get_mut(bucket) else { return };
        let Err(at) = all.binary_search(&rest) else { return };
        if all.len() == all.capacity() {
            let before = all.capacity();
            // Doubling would leave half of it unused.
            all.reserve_exact((before / 8).max(4));
            self.bytes += (all.capacity() - before) * size_of::<u32>();
        }
        all.insert(at, rest);
        self.len += 1;
    }
}

/// What one lock set has packed of a space, in one mode.
#[derive(Debug)]
struct Entry {
    who: Who,
    mode: LockMode,
    hashes: Hashes,
}

#[derive(Debug, Default)]
struct State {
    spaces: BTreeMap<SpaceId, Vec<Entry>>,
    /// Keys that are in their queues again.
    unpacked: BTreeMap<ScopeId, BTreeSet<LockKey>>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Packed {
    generation: AtomicU64,
    /// Whether anything is packed.
    any: AtomicBool,
    state: Mutex<State>,
}

impl Packed {
    #[inline]
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether anything is packed. Ask behind [`Self::generation`].
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let state = self.state.lock();
        state.spaces.is_empty() && state.unpacked.is_empty()
    }
}

impl LockTable {
    /// Packs rows that `who` holds in a mode, and gives the bytes that it needs more.
    pub(super) fn pack(&self, who: Who, space: SpaceId, mode: LockMode, keys: &[Bytes]) -> usize {
        let mut state = self.packed.state.lock();
        let State { spaces, unpacked } = &mut *state;
        let entries = spaces.entry(space).or_default();
        let at = match entries.iter().position(|e| e.who == who && e.mode == mode) {
            Some(at) => at,
            None => {
                entries.push(Entry { who, mode, hashes: Hashes::default() });
                entries.len() - 1
            }
        };
        let Some(entry) = entries.get_mut(at) else { return 0 };
        let before = entry.hashes.bytes;
        keys.iter().for_each(|key| entry.hashes.insert(hash(key)));
        let more = entry.hashes.bytes - before;
        // Before the first key leaves its queue.
        self.packed.any.store(true, Ordering::Release);
        self.packed.generation.fetch_add(1, Ordering::Release);
        for key in keys {
            let key = LockKey::Row(space, key.clone());
            let mut shard = self.shard(&key);
            let Some(queue) = shard.get_mut(&key) else { continue };
            if queue.is_only(who) {
                shard.remove(&key);
            } else {
                drop(shard);
                unpacked.entry(who.scope).or_default().insert(key);
            }
        }
        more
    }

    /// Puts all others who have a key packed in a mode that conflicts with `mode` into its
    /// queue.
    pub(super) fn unpack(&self, who: Who, key: &LockKey, mode: LockMode) {
        let LockKey::Row(space, bytes) = key else { return };
        let mut state = self.packed.state.lock();
        let State { spaces, unpacked } = &mut *state;
        let Some(entries) = spaces.get(space) else { return };
        let hash = hash(bytes);
        let others = entries.iter().filter(|entry| {
            entry.who.owner != who.owner
                && !entry.mode.is_compatible(mode)
                && entry.hashes.contains(hash)
        });
        for entry in others {
            let mut shard = self.shard(key);
            let queue = shard.entry(key.clone()).or_default();
            queue.put(entry.who, entry.mode);
            drop(shard);
            unpacked.entry(entry.who.scope).or_default().insert(key.clone());
        }
    }

    /// In which mode a set has a key among those that it has packed, if nobody else has it
    /// in one that conflicts. If that is not all that is wanted, it is in its queue again.
    pub(super) fn packed_mode(
        &self,
        who: Who,
        key: &LockKey,
        wanted: LockMode,
    ) -> Option<LockMode> {
        let LockKey::Row(space, bytes) = key else { return None };
        let state = self.packed.state.lock();
        let entries = state.spaces.get(space)?;
        let hash = hash(bytes);
        let has = |entry: &&Entry| entry.hashes.contains(hash);
        let own = entries.iter().filter(|entry| entry.who == who).filter(has);
        let mode = own.map(|entry| entry.mode).reduce(LockMode::union)?;
        let others = entries.iter().filter(|entry| entry.who.owner != who.owner);
        if others.filter(|entry| !entry.mode.is_compatible(mode)).any(|entry| has(&entry)) {
            return None;
        }
        let mut shard = self.shard(key);
        if let Some(queue) = shard.get(key)
            && !queue.allows(who.owner, mode)
        {
            return None;
        }
        if !mode.covers(wanted) {
            shard.entry(key.clone()).or_default().put(who, mode);
        }
        Some(mode)
    }

    /// In which mode a set has a key, or one with its hash, packed.
    pub(super) fn packed_as(&self, who: Who, key: &LockKey) -> Option<LockMode> {
        let LockKey::Row(space, bytes) = key else { return None };
        let state = self.packed.state.lock();
        let entries = state.spaces.get(space)?.iter().filter(|entry| entry.who == who);
        let entries = entries.filter(|entry| entry.hashes.contains(hash(bytes)));
        entries.map(|entry| entry.mode).reduce(LockMode::union)
    }

    /// Gives up what a set has packed, of one space or of all.
    pub(super) fn release_packed(&self, who: Who, of: Option<SpaceId>) {
        let keys = {
            let mut state = self.packed.state.lock();
            let State { spaces, unpacked } = &mut *state;
            spaces.retain(|space, entries| {
                if of.is_none_or(|of| of == *space) {
                    entries.retain(|entry| entry.who != who);
                }
                !entries.is_empty()
            });
            self.packed.any.store(!spaces.is_empty(), Ordering::Release);
            let mut keys = unpacked.remove(&who.scope).unwrap_or_default();
            if let Some(of) = of {
                let is_of = |key: &LockKey| matches!(key, LockKey::Row(space, _) if *space == of);
                let (gone, stay) = keys.into_iter().partition(is_of);
                keys = gone;
                let stay: BTreeSet<LockKey> = stay;
                if !stay.is_empty() {
                    unpacked.insert(who.scope, stay);
                }
            }
            keys
        };
        for key in keys {
            self.with_key(&key, |queue| queue.release(who, None));
        }
    }

    /// Gives what a set has packed to another owner.
    pub(super) fn rename_packed(&self, from: Who, to: Who) {
        let mut state = self.packed.state.lock();
        let State { spaces, unpacked } = &mut *state;
        for entry in spaces.values_mut().flatten().filter(|entry| entry.who == from) {
            entry.who = to;
        }
        // Under the mutex: nobody puts the old owner into a queue meanwhile.
        for key in unpacked.get(&from.scope).into_iter().flatten() {
            self.with_key(key, |queue| queue.rename(from, to));
        }
    }
}
