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

/// What goes to temporary files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spilled {
    /// Files.
    Files,
    /// Rows that are looked up or read again, other than to be put in order.
    Tables,
    /// Sorted runs made of others.
    Merges,
    /// Bytes.
    Bytes,
}

const SPILLED: [(Spilled, Counter); 4] = [
    (Spilled::Files, Counter::CreatedTmpFiles),
    (Spilled::Tables, Counter::CreatedTmpDiskTables),
    (Spilled::Merges, Counter::SortMergePasses),
    (Spilled::Bytes, Counter::FirnSpilledBytes),
];

/// Reads of one statement, which counts them one after the other.
#[derive(Debug, Default)]
pub(crate) struct ReadCounts {
    reads: [AtomicU64; COUNTERS.len()],
    spilled: [AtomicU64; SPILLED.len()],
}

impl ReadCounts {
    /// Counts one. Nobody else does at the same time, so that it takes no locked instruction.
    #[inline]
    pub(crate) fn add(&self, read: Read) {
        let count = &self.reads[read as usize];
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Counts what goes to files, which several parts of a statement may do at once.
    pub(crate) fn count(&self, what: Spilled, amount: u64) {
        self.spilled[what as usize].fetch_add(amount, Ordering::Relaxed);
    }

    /// What was counted.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (Counter, u64)> {
        let reads = COUNTERS.iter().zip(&self.reads).map(|((_, counter), count)| (*counter, count));
        let spilled = SPILLED.iter().zip(&self.spilled);
        let spilled = spilled.map(|((_, counter), count)| (*counter, count));
        let counted = reads.chain(spilled);
        let counted = counted.map(|(counter, count)| (counter, count.load(Ordering::Relaxed)));
        counted.filter(|(_, count)| *count > 0)
    }
}
