//! Locks: who may touch what, who waits for whom.
//!
//! One table for everything that sessions wait for: rows, ranges of keys,
//! tables, names. So a deadlock is found whatever it goes through.
//!
//! # Waiting
//!
//! A lock that is free costs one shard's mutex. One that is not is waited for
//! in a queue of its key; before the wait begins, and under one mutex for all
//! waits, the table looks whether it closes a circle. Nothing else can close
//! one: a lock that is granted at once makes others wait for its owner, but he
//! does not wait himself, and ends of waits only take edges away. So every
//! deadlock is found, when it comes about, and by the one who brings it about.
//!
//! The victim is who has written and locked the fewest keys, of those the one who
//! came last.
//!
//! # Dropped futures
//!
//! Whoever stops waiting, by time, by KILL or because his future is dropped,
//! leaves nothing behind: [`Pending`] takes him out of the queue, or gives back
//! what was granted at the last moment.
//!
//! # Very many locks
//!
//! A set with very many rows packs them into hashes: see [`packed`]. Inserts become ranges
//! that have inserts somewhere. What all sets need comes out of the budget of memory.
//!
//! # Order of mutexes
//!
//! [`LockTable::waits`] → [`LockTable::packed`] → one shard of rows or of ranges → one
//! wait. Never two shards at a time.

mod key;
mod pack;
mod packed;
mod queue;
mod ranges;
mod set;
#[cfg(test)]
mod tests;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use firn_engine::{Env, SpaceId};
use foldhash::fast::FixedState;
use parking_lot::{Mutex, MutexGuard};

pub use key::{LockKey, LockMode, OwnerId};
pub use set::{Grant, LockSet};

use super::error::{Error, Result};
use super::interrupt::Interrupt;
use crate::memory::MemoryBudget;
use key::Who;
use packed::Packed;
use queue::Queue;
use ranges::{RangeWait, Ranges};
use wait::{Outcome, Wait};

/// Shards of keys; a power of two.
const SHARDS: usize = 64;

/// Owners from here on are lock sets whose session has gone on without them.
const ABANDONED: u64 = 1 << 63;

/// How many locks there may be.
#[derive(Debug, Clone, Copy)]
pub struct LockLimits {
    /// Held by one lock set.
    pub per_set: usize,
    /// Held by all together.
    pub total: usize,
    /// A lock set with so many rows, or inserts, packs them.
    pub pack_at: usize,
}

/// Memory for one lock besides its key, in bytes, roughly: in its set and in the table.
const LOCK_BYTES: usize = 384;

/// Six megabytes of locks are packed into two.
const PACK_AT: usize = 16 << 10;

impl Default for LockLimits {
    /// For a gigabyte.
    fn default() -> Self {
        Self::for_memory(1 << 30)
    }
}

impl LockLimits {
    /// Limits where all statements together have so many bytes of memory.
    #[must_use]
    pub fn for_memory(bytes: usize) -> Self {
        let total = bytes / LOCK_BYTES;
        Self {
            per_set: (total / 2).max(1000),
            total: total.max(2000),
            pack_at: PACK_AT.min(total / 16).max(64),
        }
    }
}

/// What to do when a lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// Wait this long.
    For(Duration),
    /// Fail: NOWAIT.
    NoWait,
    /// Go on without it: SKIP LOCKED.
    Skip,
}

/// What a request for a lock needs to know of its statement.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What to do when the lock is taken.
    pub wait: LockWait,
    /// Ends the wait from outside.
    pub interrupt: &'a Interrupt,
    /// Keys that the owner has written and locked: how much a rollback would lose.
    pub weight: u64,
}

/// What is waited for.
#[derive(Debug, Clone)]
enum Target {
    /// A key, in a mode; the mode it is held in already.
    Key { key: LockKey, mode: LockMode, held: Option<LockMode> },
    /// To insert a key, or to lock a range.
    Range { space: SpaceId, on: RangeWait },
}

#[derive(Debug)]
struct Waiting {
    who: Who,
    target: Target,
    wait: Arc<Wait>,
    weight: u64,
}

/// See the module.
#[derive(Debug)]
pub struct LockTable {
    env: Env,
    limits: LockLimits,
    memory: Arc<MemoryBudget>,
    keys: Box<[Mutex<BTreeMap<LockKey, Queue>>]>,
    packed: Packed,
    ranges: Box<[Mutex<BTreeMap<SpaceId, Ranges>>]>,
    /// Who waits. An entry may outlive its wait by a moment: the queue knows.
    waits: Mutex<BTreeMap<OwnerId, Waiting>>,
    scopes: AtomicU64,
    abandoned: AtomicU64,
    held: AtomicUsize,
}

impl LockTable {
    /// An empty table.
    #[must_use]
    pub fn new(env: Env, limits: LockLimits, memory: Arc<MemoryBudget>) -> Arc<Self> {
        Arc::new(Self {
            env,
            limits,
            memory,
            keys: (0..SHARDS).map(|_| Mutex::default()).collect(),
            packed: Packed::default(),
            ranges: (0..SHARDS).map(|_| Mutex::default()).collect(),
            waits: Mutex::default(),
            scopes: AtomicU64::new(1),
            abandoned: AtomicU64::new(ABANDONED),
            held: AtomicUsize::new(0),
        })
    }

    /// Locks held by all.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Owners that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waits.lock().len()
    }

    /// Who holds a key so that nobody else can: IS_USED_LOCK.
    #[must_use]
    pub fn exclusive_owner(&self, key: &LockKey) -> Option<OwnerId> {
        self.shard(key).get(key).and_then(Queue::exclusive_owner)
    }

    /// Whether somebody has a table as a whole in place of its rows.
    #[must_use]
    pub fn is_escalated(&self, key: &LockKey) -> bool {
        let mode = LockMode::SharedIntentionExclusive;
        self.shard(key).get(key).is_some_and(|queue| queue.is_held(mode))
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.packed.is_empty()
            && self.keys.iter().all(|shard| shard.lock().is_empty())
            && self.ranges.iter().all(|shard| shard.lock().is_empty())
    }

    fn shard(&self, key: &LockKey) -> MutexGuard<'_, BTreeMap<LockKey, Queue>> {
        let hash = FixedState::default().hash_one(key);
        self.keys[hash as usize % SHARDS].lock()
    }

    /// The shard of a key that nobody else has packed.
    fn unpacked_shard(
        &self,
        who: Who,
        key: &LockKey,
        mode: LockMode,
    ) -> MutexGuard<'_, BTreeMap<LockKey, Queue>> {
        loop {
            let generation = self.packed.generation();
            if self.packed.any() {
                self.unpack(who, key, mode);
            }
            let shard = self.shard(key);
            if self.packed.generation() == generation {
                return shard;
            }
        }
    }

    fn space(&self, space: SpaceId) -> MutexGuard<'_, BTreeMap<SpaceId, Ranges>> {
        self.ranges[space.0 as usize % SHARDS].lock()
    }

    /// Changes a key's queue, and forgets it when nobody needs it any more.
    fn with_key<T>(&self, key: &LockKey, change: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        let mut shard = self.shard(key);
        let queue = shard.get_mut(key)?;
        let result = change(queue);
        if queue.is_empty() {
            shard.remove(key);
        }
        Some(result)
    }

    /// As [`Self::with_key`], of a space.
    fn with_ranges<T>(&self, space: SpaceId, change: impl FnOnce(&mut Ranges) -> T) -> T {
        let mut shard = self.space(space);
        let ranges = shard.entry(space).or_default();
        let result = change(ranges);
        if ranges.is_empty() {
            shard.remove(&space);
        }
        result
    }

    /// Takes what is free; otherwise waits in its queue, if there is a `wait`.
    fn attempt(&self, who: Who, target: &Target, wait: Option<&Arc<Wait>>) -> bool {
        match target {
            Target::Key { key, mode, .. } => {
                let mut shard = self.unpacked_shard(who, key, *mode);
                if let Some(queue) = shard.get_mut(key) {
                    let locked = queue.try_lock(who, *mode);
                    if !locked && let Some(wait) = wait {
                        queue.enqueue(who, *mode, Arc::clone(wait));
                    }
                    return locked;
                }
                let mut queue = Queue::default();
                let locked = queue.try_lock(who, *mode);
                shard.insert(key.clone(), queue);
                locked
            }
            Target::Range { space, on } => self.with_ranges(*space, |ranges| {
                let free = match on {
                    RangeWait::Insert(key) => ranges.try_insert(who, key),
                    RangeWait::Range(range) => ranges.try_add(who, range),
                };
                if !free && let Some(wait) = wait {
                    ranges.enqueue(who, on.clone(), Arc::clone(wait));
                }
                free
            }),
        }
    }

    /// Ends a wait early, and gives back what it was granted meanwhile.
    fn withdraw(&self, who: Who, target: &Target, wait: &Wait) {
        match target {
            Target::Key { key, held, .. } => {
                self.with_key(key, |queue| match wait.outcome() {
                    None => queue.leave(who),
                    Some(Outcome::Granted) => queue.release(who, *held),
                    Some(Outcome::Victim) => {}
                });
            }
            Target::Range { space, on } => {
                self.with_ranges(*space, |ranges| match (wait.outcome(), on) {
                    (None, _) => ranges.leave(who),
                    (Some(Outcome::Granted), RangeWait::Insert(key)) => ranges.end_insert(who, key),
                    (Some(Outcome::Granted), RangeWait::Range(range)) => ranges.remove(who, range),
                    (Some(Outcome::Victim), _) => {}
                })
            }
        }
    }

    /// Picks one who waits as the victim. Nothing happens if his wait has just ended.
    fn sacrifice(&self, victim: &Waiting) {
        let (who, wait) = (victim.who, &victim.wait);
        match &victim.target {
            Target::Key { key, .. } => {
                self.with_key(key, |queue| {
                    if wait.outcome().is_none() {
                        wait.end(Outcome::Victim);
                        queue.leave(who);
                    }
                });
            }
            Target::Range { space, .. } => self.with_ranges(*space, |ranges| {
                if wait.outcome().is_none() {
                    wait.end(Outcome::Victim);
                    ranges.leave(who);
                }
            }),
        }
    }

    /// Begins a wait, unless the lock is free by now.
    ///
    /// # Errors
    /// `Deadlock` if the wait would close a circle and its owner is the victim.
    fn begin_wait(
        &self,
        who: Who,
        target: &Target,
        wait: &Arc<Wait>,
        weight: u64,
    ) -> Result<Option<Pending<'_>>> {
        let mut waits = self.waits.lock();
        if self.attempt(who, target, Some(wait)) {
            return Ok(None);
        }
        let waiting = Waiting { who, target: target.clone(), wait: Arc::clone(wait), weight };
        waits.insert(who.owner, waiting);
        while let Some(circle) = self.circle(&waits, who.owner) {
            let weight = |owner: &OwnerId| waits.get(owner).map_or(u64::MAX, |w| w.weight);
            // The first of the circle is who came last.
            let Some(victim) = circle.into_iter().min_by_key(weight) else { break };
            if let Some(victim) = waits.get(&victim) {
                self.sacrifice(victim);
            }
            if victim == who.owner {
                waits.remove(&victim);
                return Err(Error::Deadlock);
            }
        }
        let (target, wait) = (target.clone(), Arc::clone(wait));
        Ok(Some(Pending { table: self, who, target, wait, granted: false }))
    }

    /// Those who wait for each other in a circle that `start` closes, `start` first.
    fn circle(&self, waits: &BTreeMap<OwnerId, Waiting>, start: OwnerId) -> Option<Vec<OwnerId>> {
        let mut came_from = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![start];
        while let Some(owner) = todo.pop() {
            let Some(waiting) = waits.get(&owner) else { continue };
            let mut closed = false;
            let mut next = Vec::new();
            match &waiting.target {
                Target::Key { key, .. } => {
                    let shard = self.shard(key);
                    if let Some(queue) = shard.get(key) {
                        // Those ahead wait for what this queue's holders have:
                        // their own edges are among the ones given here.
                        queue.blockers(owner, |o| next.push(o), |o| closed |= o == start);
                    }
                }
                Target::Range { space, .. } => {
                    if let Some(ranges) = self.space(*space).get(space) {
                        ranges.blockers(owner, |o| next.push(o));
                    }
                }
            }
            if closed || next.contains(&start) {
                let mut circle = vec![owner];
                let mut at = owner;
                while let Some(from) = came_from.get(&at) {
                    circle.push(*from);
                    at = *from;
                }
                circle.reverse();
                return Some(circle);
            }
            for blocker in next {
                if seen.insert(blocker) {
                    came_from.insert(blocker, owner);
                    todo.push(blocker);
                }
            }
        }
        None
    }

    /// Takes a lock, waiting for it if so asked; `false` if it was skipped.
    async fn lock(&self, who: Who, target: Target, request: Request<'_>) -> Result<bool> {
        if self.attempt(who, &target, None) {
            return Ok(true);
        }
        let limit = match request.wait {
            LockWait::For(limit) => limit,
            LockWait::NoWait => return Err(Error::LockTaken),
            LockWait::Skip => return Ok(false),
        };
        request.interrupt.check()?;
        let wait = Arc::new(Wait::default());
        if let Some(pending) = self.begin_wait(who, &target, &wait, request.weight)? {
            wait.granted(&self.env, limit, request.interrupt).await?;
            pending.granted();
        }
        Ok(true)
    }

    fn count(&self, more: usize) -> Result<()> {
        let limit = self.limits.total;
        if self.held.fetch_add(more, Ordering::Relaxed) + more > limit {
            self.held.fetch_sub(more, Ordering::Relaxed);
            return Err(Error::TooManyLocks { limit });
        }
        Ok(())
    }

    fn uncount(&self, less: usize) {
        self.held.fetch_sub(less, Ordering::Relaxed);
    }
}

/// A wait that has begun. Dropped before it is granted, it is undone.
#[derive(Debug)]
struct Pending<'a> {
    table: &'a LockTable,
    who: Who,
    target: Target,
    wait: Arc<Wait>,
    granted: bool,
}

impl Pending<'_> {
    fn granted(mut self) {
        self.granted = true;
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.table.waits.lock().remove(&self.who.owner);
        if !self.granted {
            self.table.withdraw(self.who, &self.target, &self.wait);
        }
    }
}
