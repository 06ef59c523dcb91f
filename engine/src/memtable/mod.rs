//! Commits that are not in files yet, sorted.
//!
//! Commits are added by the one commit task, before they are durable: nobody
//! reads at a seq that was not published. Range deletions are few and kept
//! apart.

mod arena;
mod skiplist;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::batch::Op;
use crate::key::{KeyRange, ValueKind};
use crate::manifest::{RangeDelete, TimePoint};
use crate::range_delete::RangeDeletes;
use crate::types::Seq;
use bytes::Bytes;
use skiplist::{Entry, NewEntry, Position, SkipList};
use smallvec::SmallVec;

/// Operations that are put into the list together.
const WAITING_MAX: usize = 4 * skiplist::SEARCHES;

/// Commit times that a memtable keeps at most; then it keeps every other one.
const TIMES_MAX: usize = 256;

/// See the module.
pub(crate) struct Memtable {
    list: SkipList,
    ranges: Mutex<Ranges>,
    range_count: AtomicUsize,
    /// Seq of the first commit inside; 0 while empty.
    first_seq: AtomicU64,
    last_seq: AtomicU64,
    times: Mutex<Vec<TimePoint>>,
}

#[derive(Default)]
struct Ranges {
    deletes: Vec<RangeDelete>,
    /// `deletes` cut into fragments, made anew after each change when asked for.
    fragments: Option<Arc<RangeDeletes>>,
}

impl std::fmt::Debug for Memtable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memtable({:?} to {:?})", self.first_seq(), self.last_seq())
    }
}

impl Memtable {
    /// An empty memtable with room for `capacity` bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            list: SkipList::new(capacity),
            ranges: Mutex::default(),
            range_count: AtomicUsize::new(0),
            first_seq: AtomicU64::new(0),
            last_seq: AtomicU64::new(0),
            times: Mutex::default(),
        }
    }

    /// Most bytes that commits of `encoded` bytes with `ops` operations need.
    pub(crate) fn room_for(encoded: usize, ops: usize) -> usize {
        encoded + ops * skiplist::entry_len_max(0, 0)
    }

    /// Whether that many bytes can still be added.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.list.free() >= bytes
    }

    /// Lets `fill` add operations; call [`Self::has_room`] before.
    pub(crate) fn insert_all<'a, T>(&'a self, fill: impl FnOnce(&mut Inserter<'a>) -> T) -> T {
        let list = self.list.inserter();
        let mut inserter = Inserter { table: self, list, waiting: SmallVec::new() };
        let filled = fill(&mut inserter);
        inserter.insert_waiting();
        filled
    }

    fn delete_range(&self, start: &[u8], end: &[u8], seq: Seq) {
        let range = KeyRange::new(Bytes::copy_from_slice(start), Bytes::copy_from_slice(end));
        let mut ranges = self.ranges.lock();
        ranges.deletes.push(RangeDelete { range, seq });
        ranges.fragments = None;
        self.range_count.fetch_add(1, Ordering::Release);
    }

    /// Says which seqs the operations added belong to, and when they were committed.
    pub(crate) fn note_seqs(&self, first: Seq, last: Seq, unix_ms: u64) {
        let _ = self.first_seq.compare_exchange(0, first.0, Ordering::AcqRel, Ordering::Acquire);
        self.last_seq.fetch_max(last.0, Ordering::Release);
        let mut times = self.times.lock();
        // One point a second is enough.
        if times.last().is_some_and(|t| unix_ms < t.unix_ms + 1000) {
            return;
        }
        if times.len() == TIMES_MAX {
            let mut index = 0;
            times.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        times.push(TimePoint { seq: last, unix_ms });
    }

    /// When some of the commits happened.
    pub(crate) fn times(&self) -> Vec<TimePoint> {
        self.times.lock().clone()
    }

    /// Range deletions, cut into fragments; `None` if there are none.
    pub(crate) fn range_deletes(&self) -> Option<Arc<RangeDeletes>> {
        if self.range_count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut ranges = self.ranges.lock();
        let Ranges { deletes, fragments } = &mut *ranges;
        Some(Arc::clone(fragments.get_or_insert_with(|| Arc::new(RangeDeletes::new(&*deletes)))))
    }

    /// The newest version of `key` that `snapshot` sees, without regard to range deletions.
    pub(crate) fn get(&self, key: &[u8], snapshot: Seq) -> Option<(Seq, ValueKind, &[u8])> {
        if self.list.len() == 0 {
            return None;
        }
        let entry = self.list.get(key, snapshot)?;
        Some((entry.seq(), entry.kind(), entry.value()))
    }

    /// About how many keys from `start` up to `end` have a value, without regard to range
    /// deletions.
    pub(crate) fn count_between(&self, start: &[u8], end: &[u8]) -> u64 {
        self.list.count_between(start, end)
    }

    /// Up to `count` keys from `start` up to `end`, in order and about equally far apart.
    pub(crate) fn keys_between(&self, start: &[u8], end: &[u8], count: usize) -> Vec<&[u8]> {
        self.list.keys_between(start, end, count)
    }

    /// The first of all versions: keys ascending, seqs descending.
    pub(crate) fn first(&self) -> Option<Version<'_>> {
        self.list.first().map(Version)
    }

    /// The newest range deletion of `key` that `snapshot` sees.
    pub(crate) fn range_deleted(&self, key: &[u8], snapshot: Seq) -> Option<Seq> {
        self.range_deletes()?.covering(key, snapshot)
    }

    /// Whether nothing was ever committed to it.
    pub(crate) fn is_empty(&self) -> bool {
        self.first_seq.load(Ordering::Acquire) == 0
    }

    /// Seq of the first commit inside; zero while empty.
    pub(crate) fn first_seq(&self) -> Seq {
        Seq(self.first_seq.load(Ordering::Acquire))
    }

    /// Seq of the last commit inside; zero while empty.
    pub(crate) fn last_seq(&self) -> Seq {
        Seq(self.last_seq.load(Ordering::Acquire))
    }

    /// Bytes that the contents take.
    pub(crate) fn bytes(&self) -> usize {
        self.list.bytes()
    }
}

/// The right to add operations.
pub(crate) struct Inserter<'a> {
    table: &'a Memtable,
    list: skiplist::Inserter<'a>,
    /// Not in the list yet.
    waiting: SmallVec<[NewEntry<'a>; WAITING_MAX]>,
}

impl<'a> Inserter<'a> {
    /// Adds one operation of the commit at `seq`.
    #[inline]
    pub(crate) fn add(&mut self, seq: Seq, op: Op<'a>) {
        let (key, kind, value) = match op {
            Op::Put { key, value } => (key, ValueKind::Put, value),
            Op::Delete { key } => (key, ValueKind::Delete, &[][..]),
            Op::DeleteRange { start, end } => return self.table.delete_range(start, end, seq),
        };
        self.waiting.push(NewEntry { key, seq, kind, value });
        if self.waiting.len() == WAITING_MAX {
            self.insert_waiting();
        }
    }

    fn insert_waiting(&mut self) {
        let fits = self.list.insert_many(&self.waiting);
        assert!(fits, "room was made for the batch");
        self.waiting.clear();
    }
}

/// One of all versions.
#[derive(Clone, Copy)]
pub(crate) struct Version<'a>(Entry<'a>);

impl<'a> Version<'a> {
    pub(crate) fn next(self) -> Option<Self> {
        self.0.next_version().map(Self)
    }

    pub(crate) fn key(&self) -> &'a [u8] {
        self.0.key()
    }

    pub(crate) fn seq(&self) -> Seq {
        self.0.seq()
    }

    pub(crate) fn kind(&self) -> ValueKind {
        self.0.kind()
    }

    pub(crate) fn value(&self) -> &'a [u8] {
        self.0.value()
    }
}

/// Walks what a snapshot sees of a memtable, one version of each key, both ways, and keeps
/// it alive.
pub(crate) struct MemtableCursor {
    table: Arc<Memtable>,
    snapshot: Seq,
    at: Option<Position>,
}

impl MemtableCursor {
    /// At no entry.
    pub(crate) fn new(table: Arc<Memtable>, snapshot: Seq) -> Self {
        Self { table, snapshot, at: None }
    }

    #[inline]
    fn entry(&self) -> Option<Entry<'_>> {
        self.at.map(|at| self.table.list.at(at))
    }

    /// To the first key at or after `key`.
    pub(crate) fn seek(&mut self, key: &[u8]) {
        self.at = self.table.list.seek(key, self.snapshot).map(|e| e.position());
    }

    /// To the last key before `key`.
    pub(crate) fn seek_before(&mut self, key: &[u8]) {
        self.at = self.table.list.seek_before(key, self.snapshot).map(|e| e.position());
    }

    /// To the next key.
    #[inline]
    pub(crate) fn next(&mut self) {
        self.at = self.entry().and_then(|e| e.next(self.snapshot)).map(|e| e.position());
    }

    /// To the key before.
    pub(crate) fn prev(&mut self) {
        self.at = self.entry().and_then(|e| e.prev(self.snapshot)).map(|e| e.position());
    }

    /// Whether it is at a version.
    #[inline]
    pub(crate) fn valid(&self) -> bool {
        self.at.is_some()
    }

    /// User key of the version; call only when valid.
    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        self.entry().map_or(&[], |e| e.key())
    }

    /// Seq of the version; call only when valid.
    #[inline]
    pub(crate) fn seq(&self) -> Seq {
        self.entry().map_or(Seq::ZERO, |e| e.seq())
    }

    /// Kind of the version; call only when valid.
    #[inline]
    pub(crate) fn kind(&self) -> ValueKind {
        self.entry().map_or(ValueKind::Delete, |e| e.kind())
    }

    /// Value of the version; call only when valid.
    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        self.entry().map_or(&[], |e| e.value())
    }
}
