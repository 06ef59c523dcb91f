//! A sorted map of versions that one thread adds to while others read.
//!
//! The list links keys; the versions of a key hang on its newest one, which stands in
//! the list (see [`versions`]). So what is read costs the same however often it was
//! written before.
//!
//! Why our own: with 100-byte values and a million entries it takes a third
//! less memory than `crossbeam-skiplist` (nodes, keys and values lie together
//! in one arena: 153 bytes an entry against 229), takes ascending keys almost
//! twice as fast, random ones in groups three times as fast (see [`many`]),
//! scans a tenth faster, and its size is known exactly, which decides when to
//! flush. `cargo bench -p firn-engine` prints both.
//!
//! # Invariants that the `unsafe` rests on
//!
//! 1. A node's bytes are written before its offset is stored into any tower
//!    slot (`Release`), and never after. Readers get offsets only from tower
//!    slots (`Acquire`) or from nodes that they got so, so what they see of a node
//!    is complete and constant, but for its tower slots, which are atomics.
//! 2. Nodes are never moved or freed before the arena.
//! 3. Only the holder of the `writer` lock allocates nodes and stores slots.

mod count;
mod many;
mod versions;

use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use parking_lot::Mutex;

pub(crate) use self::many::SEARCHES;
use super::arena::Arena;
use crate::key::ValueKind;
use crate::types::Seq;

const HEIGHT_MAX: usize = 12;

/// Fixed part of a node; its tower, what [`versions`] keeps, key and value follow.
#[repr(C)]
struct Node {
    seq: u64,
    key_len: u32,
    value_len: u32,
    /// The version of the same key before this one; 0 if there is none.
    older: u32,
    height: u8,
    kind: ValueKind,
}

/// Where the tower starts.
const TOWER: usize = std::mem::size_of::<Node>();

impl Node {
    /// Where the key starts.
    #[inline]
    fn key_start(&self) -> usize {
        let jump = if self.older == 0 { 0 } else { versions::JUMP_LEN };
        TOWER + 4 * usize::from(self.height) + jump
    }
}

/// Most bytes that an entry takes.
pub(super) const fn entry_len_max(key_len: usize, value_len: usize) -> usize {
    TOWER + 4 * HEIGHT_MAX + versions::JUMP_LEN + key_len + value_len + 8
}

/// See the module.
pub(super) struct SkipList {
    arena: Arena,
    head: u32,
    writer: Mutex<Writer>,
    len: AtomicUsize,
}

/// What only the inserting thread knows.
struct Writer {
    /// The nodes before the last insertion's place, by level: the next key is
    /// often right after it.
    before: [u32; HEIGHT_MAX],
    rng: u32,
}

impl SkipList {
    pub(super) fn new(capacity: usize) -> Self {
        let arena = Arena::new(capacity.max(1024));
        let head = arena.alloc(TOWER + 4 * HEIGHT_MAX).expect("room for the head");
        // The head's tower is all zeroes, that is, links to nothing; its other
        // fields are never read.
        let writer = Writer { before: [head; HEIGHT_MAX], rng: 0x9e37_79b9 };
        Self { arena, head, writer: Mutex::new(writer), len: AtomicUsize::new(0) }
    }

    /// Entries inside.
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> usize {
        self.arena.used()
    }

    /// Bytes still free.
    pub(super) fn free(&self) -> usize {
        self.arena.free()
    }

    /// For adding many entries under one lock.
    pub(super) fn inserter(&self) -> Inserter<'_> {
        Inserter { list: self, writer: self.writer.lock() }
    }

    #[inline]
    fn node(&self, offset: u32) -> &Node {
        // SAFETY: offsets come from tower slots or the head, so the node is
        // complete (invariant 1), lives as long as `self` (2), is aligned to 8
        // by the arena, and its fixed part is never written again.
        unsafe { &*self.arena.at(offset).cast::<Node>() }
    }

    #[inline]
    fn slot(&self, offset: u32, level: usize) -> &AtomicU32 {
        debug_assert!(level < HEIGHT_MAX);
        // SAFETY: the tower has a slot for every level below the node's height,
        // and nodes are only reached on levels below it; slots are aligned to
        // 4 and only ever accessed as atomics once the node is published.
        unsafe { &*self.arena.at(offset).add(TOWER + 4 * level).cast::<AtomicU32>() }
    }

    #[inline]
    fn next(&self, offset: u32, level: usize) -> u32 {
        self.slot(offset, level).load(Ordering::Acquire)
    }

    #[inline]
    fn key(&self, offset: u32) -> &[u8] {
        let node = self.node(offset);
        // SAFETY: the key's bytes lie there and were written before the node was
        // published (invariant 1).
        unsafe {
            let key = self.arena.at(offset).add(node.key_start());
            std::slice::from_raw_parts(key, node.key_len as usize)
        }
    }

    #[inline]
    fn value(&self, offset: u32) -> &[u8] {
        let node = self.node(offset);
        // SAFETY: as for the key, behind which the value lies.
        unsafe {
            let key = self.arena.at(offset).add(node.key_start());
            std::slice::from_raw_parts(key.add(node.key_len as usize), node.value_len as usize)
        }
    }

    #[inline]
    fn compare(&self, offset: u32, key: &[u8]) -> Order {
        compare_keys(self.key(offset), key)
    }

    /// The last node before `key`, by level; the head where there is none.
    fn find_before(&self, key: &[u8], before: &mut [u32; HEIGHT_MAX]) {
        let mut at = self.head;
        for level in (0..HEIGHT_MAX).rev() {
            loop {
                let next = self.next(at, level);
                if next == 0 || self.compare(next, key) != Order::Less {
                    break;
                }
                at = next;
            }
            before[level] = at;
        }
    }

    /// The first node at or after `key`, and whether it is `key`'s; 0 if there is none.
    fn seek_offset(&self, key: &[u8]) -> (u32, bool) {
        let mut at = self.head;
        let mut seen = 0; // The node that ended the search a level up ends it here too.
        let mut same = false;
        let mut level = HEIGHT_MAX - 1;
        loop {
            let next = self.next(at, level);
            if next != 0 && next != seen {
                match self.compare(next, key) {
                    Order::Less => {
                        at = next;
                        continue;
                    }
                    order => same = order == Order::Equal,
                }
            }
            if level == 0 {
                return (next, next != 0 && same);
            }
            seen = next;
            level -= 1;
        }
    }

    /// The last node before `key`; 0 if there is none.
    fn seek_before_offset(&self, key: &[u8]) -> u32 {
        let mut before = [0; HEIGHT_MAX];
        self.find_before(key, &mut before);
        if before[0] == self.head { 0 } else { before[0] }
    }

    /// The newest version at or before `at` of the first key from the node `head` on that
    /// has one.
    #[inline]
    fn visible_from(&self, mut head: u32, at: Seq) -> Option<Entry<'_>> {
        while head != 0 {
            let offset = self.newest(head, at);
            if offset != 0 {
                return Some(Entry { list: self, head, offset });
            }
            head = self.next(head, 0);
        }
        None
    }

    /// As [`Self::visible_from`], going backward.
    fn visible_back_from(&self, mut head: u32, at: Seq) -> Option<Entry<'_>> {
        while head != 0 {
            let offset = self.newest(head, at);
            if offset != 0 {
                return Some(Entry { list: self, head, offset });
            }
            head = self.seek_before_offset(self.key(head));
        }
        None
    }

    /// The newest version of `key` at or before `at`.
    pub(super) fn get(&self, key: &[u8], at: Seq) -> Option<Entry<'_>> {
        let (head, same) = self.seek_offset(key);
        let offset = if same { self.newest(head, at) } else { 0 };
        (offset != 0).then_some(Entry { list: self, head, offset })
    }

    /// What `at` sees of the first key at or after `key` that has a version then.
    pub(super) fn seek(&self, key: &[u8], at: Seq) -> Option<Entry<'_>> {
        self.visible_from(self.seek_offset(key).0, at)
    }

    /// What `at` sees of the last key before `key` that has a version then.
    pub(super) fn seek_before(&self, key: &[u8], at: Seq) -> Option<Entry<'_>> {
        self.visible_back_from(self.seek_before_offset(key), at)
    }

    /// The newest version of the first key.
    pub(super) fn first(&self) -> Option<Entry<'_>> {
        let head = self.next(self.head, 0);
        (head != 0).then_some(Entry { list: self, head, offset: head })
    }

    /// The entry that [`Entry::position`] stood for.
    #[inline]
    pub(super) fn at(&self, position: Position) -> Entry<'_> {
        Entry { list: self, head: position.head, offset: position.offset }
    }
}

/// As `a.cmp(b)`, without a call for the first bytes, which decide most often.
#[inline]
fn compare_keys(mut a: &[u8], mut b: &[u8]) -> Order {
    while let (Some((x, a_rest)), Some((y, b_rest))) =
        (a.split_first_chunk::<8>(), b.split_first_chunk::<8>())
    {
        if x != y {
            return u64::from_be_bytes(*x).cmp(&u64::from_be_bytes(*y));
        }
        (a, b) = (a_rest, b_rest);
    }
    a.cmp(b)
}

/// A version to be added.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewEntry<'a> {
    pub(super) key: &'a [u8],
    pub(super) seq: Seq,
    pub(super) kind: ValueKind,
    pub(super) value: &'a [u8],
}

/// The right to add entries.
pub(super) struct Inserter<'a> {
    list: &'a SkipList,
    writer: parking_lot::MutexGuard<'a, Writer>,
}

impl Inserter<'_> {
    /// Adds a version; `false` if there is no room.
    ///
    /// # Panics
    /// If the same key has this seq or a later one already.
    pub(super) fn insert(&mut self, entry: &NewEntry<'_>) -> bool {
        if !self.fits_after_last(entry.key) {
            self.list.find_before(entry.key, &mut self.writer.before);
        }
        let height = self.random_height();
        self.link(entry, height).is_some()
    }

    /// Adds an entry behind the nodes that `before` names: of `height`, or of that of the
    /// node of the same key, whose place it takes and which is returned; 0 if the key is
    /// new. `None` if there is no room.
    fn link(&mut self, entry: &NewEntry<'_>, height: usize) -> Option<u32> {
        let NewEntry { key, seq, kind, value } = *entry;
        let list = self.list;
        let key_len = u32::try_from(key.len()).ok()?;
        let value_len = u32::try_from(value.len()).ok()?;
        let before = &mut self.writer.before;
        let after = list.next(before[0], 0);
        let order = if after == 0 { Order::Greater } else { list.compare(after, key) };
        assert!(order != Order::Less, "a version is added where it belongs");
        let (older, height) = match order {
            Order::Equal => (after, usize::from(list.node(after).height)),
            _ => (0, height),
        };
        assert!(older == 0 || list.node(older).seq < seq.0, "a key's versions come in order");
        let jump = (older != 0).then(|| list.jump_past(older));
        let node = Node { seq: seq.0, key_len, value_len, older, height: height as u8, kind };
        let key_start = node.key_start();
        let offset = list.arena.alloc(key_start + key.len() + value.len())?;
        // SAFETY: `alloc` gave that many bytes at `offset`, aligned to 8, that no one
        // else has; nothing refers to them before the stores to `slot` below.
        unsafe {
            let at = list.arena.at(offset);
            at.cast::<Node>().write(node);
            if let Some(jump) = jump {
                at.add(TOWER + 4 * height).cast::<versions::Jump>().write(jump);
            }
            let body = at.add(key_start);
            std::ptr::copy_nonoverlapping(key.as_ptr(), body, key.len());
            std::ptr::copy_nonoverlapping(value.as_ptr(), body.add(key.len()), value.len());
        }
        for (level, at) in before.iter_mut().enumerate().take(height) {
            let next = list.next(*at, level);
            let next = if older == 0 {
                next
            } else {
                assert_eq!(next, older, "what is replaced follows on each of its levels");
                list.next(older, level)
            };
            list.slot(offset, level).store(next, Ordering::Relaxed);
            list.slot(*at, level).store(offset, Ordering::Release);
            *at = offset;
        }
        list.len.fetch_add(1, Ordering::Relaxed);
        Some(older)
    }

    /// Whether the new entry belongs right behind the one added last, or takes the place
    /// of what is there. Then the nodes before it are known for every level: on level 0
    /// nothing lies in between, so neither does anything above.
    fn fits_after_last(&self, key: &[u8]) -> bool {
        let list = self.list;
        let last = self.writer.before[0];
        let next = list.next(last, 0);
        (last == list.head || list.compare(last, key) == Order::Less)
            && (next == 0 || list.compare(next, key) != Order::Less)
    }

    /// 1 with probability 3/4, 2 with 3/16, and so on.
    fn random_height(&mut self) -> usize {
        // Marsaglia's xorshift; a fixed start keeps runs alike.
        let mut x = self.writer.rng;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.writer.rng = x;
        (1 + x.trailing_zeros() as usize / 2).min(HEIGHT_MAX)
    }
}

/// Where an entry is; good for as long as its list lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    head: u32,
    offset: u32,
}

/// One version of a key.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    list: &'a SkipList,
    /// The node of this key in the list, which was its newest when it was reached.
    head: u32,
    offset: u32,
}

impl<'a> Entry<'a> {
    #[inline]
    pub(super) fn key(&self) -> &'a [u8] {
        self.list.key(self.offset)
    }

    #[inline]
    pub(super) fn seq(&self) -> Seq {
        Seq(self.list.node(self.offset).seq)
    }

    #[inline]
    pub(super) fn kind(&self) -> ValueKind {
        self.list.node(self.offset).kind
    }

    #[inline]
    pub(super) fn value(&self) -> &'a [u8] {
        self.list.value(self.offset)
    }

    pub(super) fn position(&self) -> Position {
        Position { head: self.head, offset: self.offset }
    }

    /// The next version: an older one of this key, or the newest of the next key.
    pub(super) fn next_version(&self) -> Option<Entry<'a>> {
        let list = self.list;
        let older = list.node(self.offset).older;
        if older != 0 {
            return Some(Entry { offset: older, ..*self });
        }
        let head = list.next(self.head, 0);
        (head != 0).then_some(Entry { list, head, offset: head })
    }

    /// What `at` sees of the next key that has a version then.
    #[inline]
    pub(super) fn next(&self, at: Seq) -> Option<Entry<'a>> {
        self.list.visible_from(self.list.next(self.head, 0), at)
    }

    /// What `at` sees of the last key before that has a version then.
    pub(super) fn prev(&self, at: Seq) -> Option<Entry<'a>> {
        self.list.seek_before(self.key(), at)
    }
}

#[cfg(test)]
mod tests;
