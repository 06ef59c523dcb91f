//! The newest versions of single keys, exact under MVCC.
//!
//! An entry says: this is what every snapshot at or after `seq` sees, as of
//! now. That holds because of two rules.
//!
//! 1. A commit calls [`RowCache::committed`] for each of its keys *before* its
//!    seq is published. So no snapshot that sees the commit can find what was
//!    there before it.
//! 2. A reader's value enters only if no commit later than the reader's
//!    snapshot has touched the key: each key belongs to a stripe that knows
//!    the last seq written to any of its keys, and check and insertion happen
//!    under the stripe's lock, as do a commit's update and removal.
//!
//! Commits from before the cache existed are told as one sweep when the
//! database is opened.
//!
//! The other way round (removing after publishing, or checking before taking
//! the lock), a reader could put back a value that a commit has just replaced,
//! and every later reader would see it.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use foldhash::fast::FixedState;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use quick_cache::{OptionsBuilder, Weighter};

use crate::sst::filter;
use crate::types::Seq;

/// Stripes; a power of two. A false conflict only costs one insertion.
const STRIPES: usize = 4096;

/// What a key is at and after `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// When it became so.
    pub(crate) seq: Seq,
    /// Its value; `None` if it does not exist.
    pub(crate) value: Option<Bytes>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Bytes, Row> for ByBytes {
    fn weight(&self, key: &Bytes, row: &Row) -> u64 {
        // Key, value, their headers, and what the cache adds.
        (key.len() + row.value.as_ref().map_or(0, Bytes::len) + 160) as u64
    }
}

/// See the module.
pub(crate) struct RowCache {
    rows: Cache<Bytes, Row, ByBytes, FixedState>,
    /// Last seq written to any key of the stripe.
    stripes: Box<[Mutex<Seq>]>,
    /// Last seq that wrote to more keys than it could name.
    swept: AtomicU64,
    pub(crate) hits: AtomicU64,
    pub(crate) misses: AtomicU64,
}

impl std::fmt::Debug for RowCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowCache({} rows)", self.rows.len())
    }
}

impl RowCache {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let options = OptionsBuilder::new()
            .weight_capacity(bytes_max)
            .estimated_items_capacity((bytes_max / 320) as usize)
            .build()
            .expect("both sizes are given");
        Self {
            rows: Cache::with_options(
                options,
                ByBytes,
                FixedState::default(),
                quick_cache::sync::DefaultLifecycle::default(),
            ),
            stripes: (0..STRIPES).map(|_| Mutex::new(Seq::ZERO)).collect(),
            swept: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Bytes inside.
    pub(crate) fn bytes(&self) -> u64 {
        self.rows.weight()
    }

    fn stripe(&self, key: &[u8]) -> &Mutex<Seq> {
        &self.stripes[filter::hash(key) as usize % STRIPES]
    }

    /// What `snapshot` sees of `key`, if that is known.
    #[inline]
    pub(crate) fn get(&self, key: &[u8], snapshot: Seq) -> Option<Row> {
        let row = self.rows.get(key).filter(|row| row.seq <= snapshot);
        let counter = if row.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        row
    }

    /// Offers what a reader at `snapshot` found. `seq` is that of the version,
    /// or zero if there was none at all.
    pub(crate) fn offer(&self, key: &[u8], snapshot: Seq, row: Row) {
        debug_assert!(row.seq <= snapshot);
        let stripe = self.stripe(key).lock();
        if *stripe <= snapshot && self.swept.load(Ordering::SeqCst) <= snapshot.0 {
            self.rows.insert(Bytes::copy_from_slice(key), row);
        }
    }

    /// A commit at `seq`, not yet published, has written `key`. What is cached
    /// is kept up to date, nothing is added.
    pub(crate) fn committed(&self, key: &[u8], seq: Seq, value: Option<&[u8]>) {
        let mut stripe = self.stripe(key).lock();
        debug_assert!(*stripe <= seq, "commits are told in order");
        *stripe = seq;
        if self.rows.contains_key(key) {
            let value = value.map(Bytes::copy_from_slice);
            self.rows.insert(Bytes::copy_from_slice(key), Row { seq, value });
        }
    }

    /// A commit at `seq`, not yet published, has written keys that it cannot name.
    pub(crate) fn swept(&self, seq: Seq) {
        self.swept.fetch_max(seq.0, Ordering::SeqCst);
        // Whoever checked before this store still holds his stripe.
        for stripe in &self.stripes {
            drop(stripe.lock());
        }
        self.rows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: u64, value: &'static str) -> Row {
        Row { seq: Seq(seq), value: Some(Bytes::from_static(value.as_bytes())) }
    }

    #[test]
    fn a_slow_reader_cannot_put_back_what_was_replaced() {
        let cache = RowCache::new(1 << 20);
        cache.committed(b"k", Seq(8), Some(b"new"));
        cache.offer(b"k", Seq(7), row(3, "old"));
        assert_eq!(cache.get(b"k", Seq(9)), None);
        cache.offer(b"k", Seq(8), row(8, "new"));
        assert_eq!(cache.get(b"k", Seq(9)), Some(row(8, "new")));
    }

    #[test]
    fn older_snapshots_do_not_see_newer_rows() {
        let cache = RowCache::new(1 << 20);
        cache.offer(b"k", Seq(9), row(5, "v"));
        assert_eq!(cache.get(b"k", Seq(4)), None);
        assert_eq!(cache.get(b"k", Seq(5)), Some(row(5, "v")));
        cache.committed(b"k", Seq(10), None);
        assert_eq!(cache.get(b"k", Seq(9)), None, "what 9 sees is not known any more");
        assert_eq!(cache.get(b"k", Seq(10)), Some(Row { seq: Seq(10), value: None }));
    }

    #[test]
    fn a_sweep_forgets_everything_older() {
        let cache = RowCache::new(1 << 20);
        cache.offer(b"k", Seq(5), row(5, "v"));
        cache.swept(Seq(6));
        assert_eq!(cache.get(b"k", Seq(6)), None);
        cache.offer(b"k", Seq(5), row(5, "v"));
        assert_eq!(cache.get(b"k", Seq(6)), None);
        cache.offer(b"k", Seq(6), Row { seq: Seq(6), value: None });
        assert_eq!(cache.get(b"k", Seq(6)), Some(Row { seq: Seq(6), value: None }));
    }
}
