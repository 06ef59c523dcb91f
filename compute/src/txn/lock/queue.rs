//! One key's lock: who holds it, who waits for it, who is next.
//!
//! - A request is granted if it is compatible with what others hold and with
//!   everybody who waits already, so nobody is overtaken for ever.
//! - An owner who holds the key already and wants more waits only for the other
//!   holders, ahead of those who hold nothing: they wait for him anyway.

use std::collections::VecDeque;
use std::sync::Arc;

use smallvec::SmallVec;

use super::key::{LockMode, OwnerId, Who};
use super::wait::{Outcome, Wait};

#[derive(Debug, Clone, Copy)]
struct Holder {
    who: Who,
    mode: LockMode,
}

#[derive(Debug)]
struct Waiter {
    who: Who,
    /// What it will hold when granted.
    mode: LockMode,
    /// It holds the key in some mode.
    holds: bool,
    wait: Arc<Wait>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// By owner and scope.
    holders: SmallVec<[Holder; 2]>,
    /// Holders of each mode.
    counts: [u32; LockMode::COUNT],
    waiters: VecDeque<Waiter>,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.waiters.is_empty()
    }

    /// Whether somebody has it in this mode.
    pub(super) fn is_held(&self, mode: LockMode) -> bool {
        self.counts[mode as usize] > 0
    }

    fn find(&self, who: Who) -> Result<usize, usize> {
        self.holders.binary_search_by_key(&who, |h| h.who)
    }

    fn of_owner(&self, owner: OwnerId) -> &[Holder] {
        let start = self.holders.partition_point(|h| h.who.owner < owner);
        let len = self.holders[start..].partition_point(|h| h.who.owner == owner);
        &self.holders[start..start + len]
    }

    /// Any owner of the key in a mode that excludes others.
    pub(super) fn exclusive_owner(&self) -> Option<OwnerId> {
        self.holders.iter().find(|h| h.mode == LockMode::Exclusive).map(|h| h.who.owner)
    }

    /// Modes that owners other than this one hold, as bits.
    fn modes_of_others(&self, owner: OwnerId) -> u8 {
        let mut counts = self.counts;
        for own in self.of_owner(owner) {
            counts[own.mode as usize] -= 1;
        }
        let bits = counts.iter().enumerate().map(|(mode, &n)| u8::from(n > 0) << mode);
        bits.fold(0, |all, bit| all | bit)
    }

    /// Whether nobody but this one holds it, and nobody waits.
    pub(super) fn is_only(&self, who: Who) -> bool {
        self.waiters.is_empty() && matches!(&self.holders[..], [holder] if holder.who == who)
    }

    /// Whether what others hold leaves room for this owner to have it in a mode.
    pub(super) fn allows(&self, owner: OwnerId, mode: LockMode) -> bool {
        self.modes_of_others(owner) & mode.conflicts() == 0
    }

    /// Makes someone a holder who is one already, elsewhere; in a stronger mode than here
    /// if he is one here, too.
    pub(super) fn put(&mut self, who: Who, mode: LockMode) {
        let held = self.find(who).ok().map(|at| self.holders[at].mode);
        self.set(who, held.map_or(mode, |held| held.union(mode)));
    }

    fn set(&mut self, who: Who, mode: LockMode) {
        match self.find(who) {
            Ok(at) => {
                self.counts[self.holders[at].mode as usize] -= 1;
                self.holders[at].mode = mode;
            }
            Err(at) => self.holders.insert(at, Holder { who, mode }),
        }
        self.counts[mode as usize] += 1;
    }

    fn unset(&mut self, who: Who) {
        if let Ok(at) = self.find(who) {
            let holder = self.holders.remove(at);
            self.counts[holder.mode as usize] -= 1;
        }
    }

    /// Takes the lock if that is possible at once. `mode` is all that `who`
    /// will hold.
    pub(super) fn try_lock(&mut self, who: Who, mode: LockMode) -> bool {
        if self.modes_of_others(who.owner) & mode.conflicts() != 0 {
            return false;
        }
        if self.of_owner(who.owner).is_empty()
            && self.waiters.iter().any(|w| !w.mode.is_compatible(mode))
        {
            return false;
        }
        self.set(who, mode);
        true
    }

    /// Waits. Call it after [`Self::try_lock`] has refused.
    pub(super) fn enqueue(&mut self, who: Who, mode: LockMode, wait: Arc<Wait>) {
        let holds = !self.of_owner(who.owner).is_empty();
        let waiter = Waiter { who, mode, holds, wait };
        if holds {
            let at = self.waiters.iter().take_while(|w| w.holds).count();
            self.waiters.insert(at, waiter);
        } else {
            self.waiters.push_back(waiter);
        }
    }

    /// Gives up a lock, or with a mode all of it but this mode.
    pub(super) fn release(&mut self, who: Who, keep: Option<LockMode>) {
        match keep {
            Some(mode) => self.set(who, mode),
            None => self.unset(who),
        }
        self.grant();
    }

    /// Ends a wait that was not granted.
    pub(super) fn leave(&mut self, who: Who) {
        self.waiters.retain(|w| w.who != who);
        self.grant();
    }

    /// Gives a lock set's locks to another owner.
    pub(super) fn rename(&mut self, from: Who, to: Who) {
        if let Ok(at) = self.find(from) {
            let mode = self.holders[at].mode;
            self.unset(from);
            self.set(to, mode);
            // An owner who waits on the same key waits for the new one now.
            self.grant();
        }
    }

    /// Grants whatever can be granted.
    fn grant(&mut self) {
        let mut ahead = 0;
        let mut at = 0;
        while at < self.waiters.len() {
            let Waiter { who, mode, holds, .. } = self.waiters[at];
            let blocked = (!holds && ahead & mode.conflicts() != 0)
                || self.modes_of_others(who.owner) & mode.conflicts() != 0;
            if !blocked && let Some(waiter) = self.waiters.remove(at) {
                self.set(who, mode);
                waiter.wait.end(Outcome::Granted);
                continue;
            }
            ahead |= mode.bit();
            at += 1;
            if ahead & LockMode::Exclusive.bit() != 0
                && self.waiters.get(at).is_none_or(|w| !w.holds)
            {
                return;
            }
        }
    }

    /// Calls `holder` for each owner whose lock keeps `owner` waiting, directly
    /// or through others who wait here ahead of him, and `ahead` for each of
    /// those. Nothing if `owner` does not wait here.
    pub(super) fn blockers(
        &self,
        owner: OwnerId,
        mut holder: impl FnMut(OwnerId),
        mut ahead: impl FnMut(OwnerId),
    ) {
        let Some(at) = self.waiters.iter().position(|w| w.who.owner == owner) else { return };
        let mut conflicts = self.waiters[at].mode.conflicts();
        if !self.waiters[at].holds {
            // Who is reached and holds nothing waits, in turn, for those ahead of him.
            for waiter in self.waiters.range(..at).rev() {
                if waiter.mode.bit() & conflicts != 0 {
                    ahead(waiter.who.owner);
                    conflicts |= waiter.mode.conflicts();
                }
            }
        }
        for h in &self.holders {
            if h.who.owner != owner && h.mode.bit() & conflicts != 0 {
                holder(h.who.owner);
            }
        }
    }
}
