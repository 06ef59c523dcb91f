//! How rows are read: what SHOW STATUS has as `Handler_read_…`.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::variables::Counter;

/// A way to a row or an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// The first entry of a whole index.
    First,
    /// By a key, or the beginning of a range.
    Key,
    /// The last entry of a whole index.
    Last,
    /// The next one in an index.
    Next,
    /// The one before in an index.
    Prev,
    /// The next row of a table that is read as a whole.
    RndNext,
}

const COUNTERS: [(Read, Counter); 6] = [
    (Read::First, Counter::HandlerReadFirst),
    (Read::Key, Counter::HandlerReadKey),
    (Read::Last, Counter::HandlerReadLast),
    (Read::Next, Counter::HandlerReadNext),
    (Read::Prev, Counter::HandlerReadPrev),
    (Read::RndNext, Counter::HandlerReadRndNext),
];

/// Reads of one statement, which counts them one after the other.
#[derive(Debug, Default)]
pub(crate) struct ReadCounts([AtomicU64; COUNTERS.len()]);

impl ReadCounts {
    /// Counts one. Nobody else does at the same time, so that it takes no locked instruction.
    #[inline]
    pub(crate) fn add(&self, read: Read) {
        let count = &self.0[read as usize];
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// What was counted.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (Counter, u64)> {
        let counted = COUNTERS
            .iter()
            .map(|(read, counter)| (*counter, self.0[*read as usize].load(Ordering::Relaxed)));
        counted.filter(|(_, count)| *count > 0)
    }
}
