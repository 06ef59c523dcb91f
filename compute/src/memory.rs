//! The memory that all statements and transactions together may use.
//!
//! Whoever keeps something whose size a client decides takes its bytes here, and gives
//! them back when it goes: writes that are not committed, locks, rows that are gathered.
//! What is refused goes to files, or the statement fails.
//!
//! Small amounts cost nothing: only whole pieces are taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes are taken and given back in pieces of this size.
const PIECE: usize = 4 << 10;

/// Who has more than this leaves the last part of the budget to others.
const SMALL: usize = 256 << 10;

/// That part of it.
const LAST_PART: usize = 16;

/// See the module.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    used: AtomicUsize,
    peak: AtomicUsize,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0), peak: AtomicUsize::new(0) })
    }

    /// All there is, in bytes.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes that are taken.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// The most that were ever taken at once, in bytes.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// How much one who has what others need, too, may have: half of what he has and of
    /// what is left. However many there are, something is left for the next.
    #[must_use]
    pub fn fair_share(&self, has: usize) -> usize {
        (self.limit.saturating_sub(self.used()) + has) / 2
    }

    fn take(&self, more: usize, has: usize) -> bool {
        let limit = match has + more > SMALL {
            true => self.limit - self.limit / LAST_PART,
            false => self.limit,
        };
        let taken = self.used.fetch_add(more, Ordering::Relaxed) + more;
        if taken > limit {
            self.used.fetch_sub(more, Ordering::Relaxed);
            return false;
        }
        if taken > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(taken, Ordering::Relaxed);
        }
        true
    }
}

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

/// What one owner has of a budget. Dropping it gives it back.
#[derive(Debug)]
pub struct Charge {
    budget: Arc<MemoryBudget>,
    bytes: usize,
    taken: usize,
}

impl Charge {
    /// Of nothing yet.
    #[must_use]
    pub fn new(budget: &Arc<MemoryBudget>) -> Self {
        Self { budget: Arc::clone(budget), bytes: 0, taken: 0 }
    }

    /// Bytes that the owner has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The budget.
    #[must_use]
    pub fn budget(&self) -> &Arc<MemoryBudget> {
        &self.budget
    }

    /// From now on it is for so many bytes.
    ///
    /// # Errors
    /// `Exhausted`; it is for as many as before then. Never if they are fewer.
    #[inline]
    pub fn set(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let taken = bytes / PIECE * PIECE;
        if taken != self.taken {
            self.take(taken)?;
        }
        self.bytes = bytes;
        Ok(())
    }

    /// For so many bytes more.
    ///
    /// # Errors
    /// As [`Self::set`].
    #[inline]
    pub fn grow(&mut self, more: usize) -> Result<(), Exhausted> {
        self.set(self.bytes.saturating_add(more))
    }

    /// For so many bytes more, whether they are left or not: they are needed already.
    pub fn grow_anyway(&mut self, more: usize) {
        if self.grow(more).is_err() {
            self.bytes += more;
            let taken = self.bytes / PIECE * PIECE;
            let used = self.budget.used.fetch_add(taken - self.taken, Ordering::Relaxed);
            self.budget.peak.fetch_max(used + taken - self.taken, Ordering::Relaxed);
            self.taken = taken;
        }
    }

    /// For so many bytes less.
    #[inline]
    pub fn shrink(&mut self, less: usize) {
        // Less is never refused.
        let _ = self.set(self.bytes.saturating_sub(less));
    }

    #[cold]
    fn take(&mut self, taken: usize) -> Result<(), Exhausted> {
        match taken.checked_sub(self.taken) {
            Some(more) => {
                if !self.budget.take(more, self.taken) {
                    return Err(Exhausted);
                }
            }
            None => {
                self.budget.used.fetch_sub(self.taken - taken, Ordering::Relaxed);
            }
        }
        self.taken = taken;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.taken > 0 {
            self.budget.used.fetch_sub(self.taken, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back() {
        let budget = MemoryBudget::new(1 << 20);
        let mut one = Charge::new(&budget);
        one.grow(100).unwrap();
        assert_eq!((one.bytes(), budget.used()), (100, 0), "small amounts cost nothing");
        one.grow(100_000).unwrap();
        assert_eq!(budget.used(), 100_100 / PIECE * PIECE);
        one.shrink(50_000);
        assert_eq!(budget.used(), 50_100 / PIECE * PIECE);
        let mut two = Charge::new(&budget);
        two.set(200_000).unwrap();
        drop(one);
        assert_eq!(budget.used(), 200_000 / PIECE * PIECE);
        drop(two);
        assert_eq!(budget.used(), 0);
        assert!(budget.peak() >= 200_000 / PIECE * PIECE);
    }

    #[test]
    fn past_the_limit_nothing_changes_and_the_last_part_is_for_the_small() {
        let budget = MemoryBudget::new(4 << 20);
        let (mut large, mut small) = (Charge::new(&budget), Charge::new(&budget));
        large.set(3 << 20).unwrap();
        assert_eq!(large.set(4 << 20), Err(Exhausted));
        assert_eq!(large.bytes(), 3 << 20);
        large.set((4 << 20) - (4 << 20) / LAST_PART).unwrap();
        assert_eq!(large.grow(PIECE), Err(Exhausted));
        small.set(SMALL).unwrap();
        assert_eq!(small.grow(PIECE), Err(Exhausted));
        assert!(budget.peak() <= budget.limit());
    }

    #[test]
    fn those_who_take_half_of_what_is_left_leave_something_to_the_next() {
        let budget = MemoryBudget::new(64 << 20);
        let mut all: Vec<Charge> = Vec::new();
        for _ in 0..64 {
            let mut charge = Charge::new(&budget);
            charge.set(budget.fair_share(0)).unwrap_or_default();
            all.push(charge);
            for charge in &mut all {
                let share = budget.fair_share(charge.bytes());
                if charge.bytes() > share {
                    charge.set(share).unwrap();
                }
            }
        }
        assert!(budget.limit() - budget.used() > SMALL, "{} used", budget.used());
    }
}
