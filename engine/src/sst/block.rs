//! Sorted entries with shared prefixes.
//!
//! ```text
//! entry*  = varint shared, varint unshared, varint zigzag(seq - base seq),
//!           varint (value length << 1 | kind), key suffix, value
//! restart u32 LE *                 offsets of the entries that share nothing
//! base seq u64 LE, restart count u32 LE
//! ```
//!
//! Index blocks have the same form, with handles as values and seq 0.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::{BufMut, Bytes};

use crate::error::{Error, Result};
use crate::key::{self, KeyBuf, ValueKind};
use crate::types::Seq;
use crate::varint;

/// Every so many entries one shares nothing with the entry before.
const RESTART_EVERY: usize = 16;

const TAIL_LEN: usize = 12;

/// Fills a block, in key order.
#[derive(Debug, Default)]
pub(crate) struct BlockBuilder {
    out: Vec<u8>,
    restarts: Vec<u32>,
    last_key: Vec<u8>,
    base_seq: u64,
    count: usize,
}

impl BlockBuilder {
    pub(crate) fn add(&mut self, key: &[u8], seq: Seq, kind: ValueKind, value: &[u8]) {
        let mut shared = 0;
        if self.count.is_multiple_of(RESTART_EVERY) {
            if self.count == 0 {
                self.base_seq = seq.0;
            }
            self.restarts.push(self.out.len() as u32);
        } else {
            shared = shared_len(&self.last_key, key);
        }
        let delta = seq.0.wrapping_sub(self.base_seq).cast_signed();
        let zigzag = ((delta << 1) ^ (delta >> 63)).cast_unsigned();
        varint::put(&mut self.out, shared as u64);
        varint::put(&mut self.out, (key.len() - shared) as u64);
        varint::put(&mut self.out, zigzag);
        varint::put(&mut self.out, (value.len() as u64) << 1 | kind as u64);
        self.out.extend_from_slice(&key[shared..]);
        self.out.extend_from_slice(value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(&key[shared..]);
        self.count += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Size of the block as it would be now.
    pub(crate) fn len(&self) -> usize {
        self.out.len() + self.restarts.len() * 4 + TAIL_LEN
    }

    /// Key of the last entry.
    pub(crate) fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// Ends the block; valid until the next [`Self::clear`].
    pub(crate) fn finish(&mut self) -> &[u8] {
        for restart in &self.restarts {
            self.out.put_u32_le(*restart);
        }
        self.out.put_u64_le(self.base_seq);
        self.out.put_u32_le(self.restarts.len() as u32);
        &self.out
    }

    /// Begins a new block.
    pub(crate) fn clear(&mut self) {
        self.out.clear();
        self.restarts.clear();
        self.last_key.clear();
        self.count = 0;
    }
}

fn shared_len(a: &[u8], b: &[u8]) -> usize {
    let max = a.len().min(b.len());
    let (mut a, mut b) = (&a[..max], &b[..max]);
    let mut shared = 0;
    while let (Some((x, rest_a)), Some((y, rest_b))) =
        (a.split_first_chunk::<8>(), b.split_first_chunk::<8>())
    {
        let diff = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if diff != 0 {
            return shared + diff.trailing_zeros() as usize / 8;
        }
        shared += 8;
        (a, b) = (rest_a, rest_b);
    }
    shared + a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// A block that was checked when it was loaded.
#[derive(Debug)]
pub(crate) struct Block {
    data: Bytes,
    /// Where the entries end.
    entries_end: usize,
    restarts: usize,
    base_seq: u64,
}

/// One decoded entry header.
struct Raw {
    shared: usize,
    suffix: (usize, usize),
    seq: Seq,
    kind: ValueKind,
    value: (usize, usize),
}

impl Block {
    /// From the bytes of [`BlockBuilder::finish`].
    ///
    /// # Errors
    /// `Corrupt` if they are not such.
    pub(crate) fn new(data: Bytes) -> Result<Self> {
        let corrupt = || Error::corrupt("block: its restarts are garbled");
        let count_at = data.len().checked_sub(4).ok_or_else(corrupt)?;
        let restarts = u32::from_le_bytes(data[count_at..].try_into().expect("four")) as usize;
        let tail = restarts.checked_mul(4).and_then(|n| n.checked_add(TAIL_LEN));
        let entries_end = tail.and_then(|t| data.len().checked_sub(t)).ok_or_else(corrupt)?;
        let base_seq = u64::from_le_bytes(data[count_at - 8..count_at].try_into().expect("eight"));
        let block = Self { data, entries_end, restarts, base_seq };
        let mut previous = None;
        for i in 0..restarts {
            let at = block.restart(i);
            let starts_well = block.raw(at).is_some_and(|e| e.shared == 0);
            if !starts_well || previous.is_some_and(|p| p >= at) || (i == 0 && at != 0) {
                return Err(corrupt());
            }
            previous = Some(at);
        }
        if restarts == 0 && entries_end != 0 {
            return Err(corrupt());
        }
        Ok(block)
    }

    /// Memory that the block takes, roughly.
    pub(crate) fn weight(&self) -> usize {
        self.data.len() + 96
    }

    fn restart(&self, index: usize) -> usize {
        let at = self.entries_end + index * 4;
        u32::from_le_bytes(self.data[at..at + 4].try_into().expect("four")) as usize
    }

    /// Decodes the entry at `at`; `None` past the end. The checksum was right,
    /// so a garbled entry is a bug of the builder, and reads as the end.
    #[inline]
    fn raw(&self, at: usize) -> Option<Raw> {
        let mut rest = self.data.get(at..self.entries_end)?;
        let shared = varint::take(&mut rest)? as usize;
        let unshared = varint::take(&mut rest)? as usize;
        let zigzag = varint::take(&mut rest)?;
        let tagged = varint::take(&mut rest)?;
        let start = self.entries_end - rest.len();
        let key_end = start.checked_add(unshared)?;
        let value_end = key_end.checked_add((tagged >> 1) as usize)?;
        if value_end > self.entries_end {
            return None;
        }
        let delta = (zigzag >> 1) ^ 0u64.wrapping_sub(zigzag & 1);
        let kind = if tagged & 1 == 1 { ValueKind::Put } else { ValueKind::Delete };
        Some(Raw {
            shared,
            suffix: (start, key_end),
            seq: Seq(self.base_seq.wrapping_add(delta)),
            kind,
            value: (key_end, value_end),
        })
    }

    /// The last restart whose entry is before `(key, seq)`; the first if none is.
    /// Which share of the block lies before `key`, as closely as its restarts tell.
    pub(crate) fn place_of(&self, key: &[u8]) -> f64 {
        match self.restarts {
            0 => 0.0,
            restarts => self.restart_before(key, Seq::MAX) as f64 / restarts as f64,
        }
    }

    fn restart_before(&self, key: &[u8], seq: Seq) -> usize {
        let (mut low, mut high) = (0, self.restarts);
        while low + 1 < high {
            let mid = low.midpoint(high);
            let before = self.raw(self.restart(mid)).is_some_and(|e| {
                let own = &self.data[e.suffix.0..e.suffix.1];
                key::compare((own, e.seq), (key, seq)) == Ordering::Less
            });
            if before {
                low = mid;
            } else {
                high = mid;
            }
        }
        low
    }

    /// The first entry at or after `(key, seq)`: where it is, and whether its
    /// key is `key`. Compares without putting keys together: `matched` is how
    /// much the target shares with the entry before, which was smaller.
    #[inline]
    fn find(&self, key: &[u8], seq: Seq) -> Option<(Raw, bool)> {
        if self.restarts == 0 {
            return None;
        }
        let mut at = self.restart(self.restart_before(key, seq));
        let mut matched = 0;
        while let Some(entry) = self.raw(at) {
            at = entry.value.1;
            match entry.shared.cmp(&matched) {
                // A restart may match although it shares nothing.
                _ if entry.shared == 0 => matched = 0,
                // Differs from the target where the entry before did.
                Ordering::Greater => continue,
                // Differs from the entry before where that one still matched.
                Ordering::Less => return Some((entry, false)),
                Ordering::Equal => {}
            }
            let suffix = &self.data[entry.suffix.0..entry.suffix.1];
            let target = &key[matched..];
            let more = shared_len(suffix, target);
            match (suffix.get(more), target.get(more)) {
                (None, None) => {
                    if entry.seq <= seq {
                        return Some((entry, true));
                    }
                    matched += more;
                }
                (Some(a), Some(b)) if a > b => return Some((entry, false)),
                (Some(_), None) => return Some((entry, false)),
                _ => matched += more,
            }
        }
        None
    }

    /// The newest version of `key` at or below `snapshot`, if it is in this
    /// block. `Err` if the block ends before it could be told, so that the
    /// next block must be asked.
    #[inline]
    pub(crate) fn get(
        &self,
        key: &[u8],
        snapshot: Seq,
    ) -> std::result::Result<Option<(Seq, ValueKind, Bytes)>, AskNext> {
        match self.find(key, snapshot) {
            Some((entry, true)) => {
                let value = self.data.slice(entry.value.0..entry.value.1);
                Ok(Some((entry.seq, entry.kind, value)))
            }
            Some((_, false)) => Ok(None),
            None => Err(AskNext),
        }
    }

    /// Value of the first entry whose key is at or after `key`: for index blocks.
    pub(crate) fn value_at_or_after(&self, key: &[u8]) -> Option<&[u8]> {
        let (entry, _) = self.find(key, Seq::MAX)?;
        Some(&self.data[entry.value.0..entry.value.1])
    }
}

/// The block ended before the key was found or passed.
#[derive(Debug)]
pub(crate) struct AskNext;

/// Walks a block's entries both ways.
#[derive(Debug)]
pub(crate) struct BlockCursor {
    block: Arc<Block>,
    /// Offset of the current entry; `None` if there is none.
    at: Option<usize>,
    next_at: usize,
    key: KeyBuf,
    seq: Seq,
    kind: ValueKind,
    value: (usize, usize),
}

impl BlockCursor {
    pub(crate) fn new(block: Arc<Block>) -> Self {
        Self {
            block,
            at: None,
            next_at: 0,
            key: KeyBuf::new(),
            seq: Seq::ZERO,
            kind: ValueKind::Delete,
            value: (0, 0),
        }
    }

    /// Another cursor at the same entry.
    pub(crate) fn fork(&self) -> Self {
        Self { block: Arc::clone(&self.block), key: self.key.clone(), ..*self }
    }

    /// Goes to the entry at `at`, whose predecessor's key is in `self.key`.
    #[inline]
    fn enter(&mut self, at: usize) {
        let Some(entry) = self.block.raw(at) else {
            self.at = None;
            return;
        };
        self.key.truncate(entry.shared);
        self.key.extend_from_slice(&self.block.data[entry.suffix.0..entry.suffix.1]);
        self.at = Some(at);
        self.next_at = entry.value.1;
        self.seq = entry.seq;
        self.kind = entry.kind;
        self.value = entry.value;
    }

    pub(crate) fn seek_first(&mut self) {
        self.enter(0);
    }

    pub(crate) fn seek_last(&mut self) {
        if self.block.restarts == 0 {
            self.at = None;
            return;
        }
        self.enter(self.block.restart(self.block.restarts - 1));
        while self.next_at < self.block.entries_end && self.at.is_some() {
            self.enter(self.next_at);
        }
    }

    /// To the first entry at or after `(key, seq)`.
    pub(crate) fn seek(&mut self, key: &[u8], seq: Seq) {
        if self.block.restarts == 0 {
            self.at = None;
            return;
        }
        self.enter(self.block.restart(self.block.restart_before(key, seq)));
        while self.at.is_some() && key::compare((&self.key, self.seq), (key, seq)).is_lt() {
            self.enter(self.next_at);
        }
    }

    #[inline]
    pub(crate) fn next(&mut self) {
        self.enter(self.next_at);
    }

    pub(crate) fn prev(&mut self) {
        let Some(current) = self.at else { return };
        if current == 0 {
            self.at = None;
            return;
        }
        // Walk from the last restart before here.
        let (mut low, mut high) = (0, self.block.restarts);
        while low + 1 < high {
            let mid = low.midpoint(high);
            if self.block.restart(mid) < current {
                low = mid;
            } else {
                high = mid;
            }
        }
        self.enter(self.block.restart(low));
        while self.next_at < current && self.at.is_some() {
            self.enter(self.next_at);
        }
    }

    #[inline]
    pub(crate) fn valid(&self) -> bool {
        self.at.is_some()
    }

    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    #[inline]
    pub(crate) fn seq(&self) -> Seq {
        self.seq
    }

    #[inline]
    pub(crate) fn kind(&self) -> ValueKind {
        self.kind
    }

    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        &self.block.data[self.value.0..self.value.1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Reverse;
    use std::collections::BTreeMap;

    type Model = BTreeMap<(Vec<u8>, Reverse<Seq>), (ValueKind, Vec<u8>)>;

    fn any_block() -> impl Strategy<Value = Model> {
        let key = prop::collection::vec(0u8..3, 0..6);
        let value = prop::collection::vec(any::<u8>(), 0..3);
        let entry = ((key, (0u64..6).prop_map(|s| Reverse(Seq(s)))), (any::<bool>(), value));
        prop::collection::btree_map(entry.0, entry.1, 0..90).prop_map(|m| {
            let kind = |put| if put { ValueKind::Put } else { ValueKind::Delete };
            m.into_iter().map(|(k, (put, v))| (k, (kind(put), v))).collect()
        })
    }

    fn build(model: &Model) -> Arc<Block> {
        let mut builder = BlockBuilder::default();
        for ((key, Reverse(seq)), (kind, value)) in model {
            builder.add(key, *seq, *kind, value);
        }
        let len = builder.len();
        let bytes = Bytes::copy_from_slice(builder.finish());
        assert_eq!(bytes.len(), len);
        Arc::new(Block::new(bytes).unwrap())
    }

    type Entry = ((Vec<u8>, Reverse<Seq>), (ValueKind, Vec<u8>));

    fn show(c: &BlockCursor) -> Option<Entry> {
        c.valid().then(|| ((c.key().to_vec(), Reverse(c.seq())), (c.kind(), c.value().to_vec())))
    }

    proptest! {
        #[test]
        fn agrees_with_a_sorted_map(
            model in any_block(),
            probes in prop::collection::vec((prop::collection::vec(0u8..4, 0..7), 0u64..7), 1..20),
        ) {
            let block = build(&model);
            let mut c = BlockCursor::new(Arc::clone(&block));
            let mut forward = Vec::new();
            c.seek_first();
            while let Some(e) = show(&c) {
                forward.push(e);
                c.next();
            }
            let expected: Vec<_> = model.clone().into_iter().collect();
            prop_assert_eq!(&forward, &expected);
            let mut backward = Vec::new();
            c.seek_last();
            while let Some(e) = show(&c) {
                backward.push(e);
                c.prev();
            }
            backward.reverse();
            prop_assert_eq!(&backward, &expected);
            for (key, seq) in probes {
                let probe = (key.clone(), Reverse(Seq(seq)));
                let at = model.range(probe.clone()..).next();
                c.seek(&key, Seq(seq));
                prop_assert_eq!(show(&c), at.map(|(k, v)| (k.clone(), v.clone())));
                let before = model.range(..probe).next_back();
                c.prev();
                if at.is_some() {
                    prop_assert_eq!(show(&c), before.map(|(k, v)| (k.clone(), v.clone())));
                }
                match block.get(&key, Seq(seq)) {
                    Err(AskNext) => prop_assert!(at.is_none()),
                    Ok(None) => prop_assert!(at.is_some_and(|(k, _)| k.0 != key)),
                    Ok(Some((s, kind, value))) => {
                        let ((k, Reverse(model_seq)), (model_kind, v)) = at.unwrap();
                        prop_assert_eq!((&key, s, kind, &value[..]), (k, *model_seq, *model_kind, &v[..]));
                    }
                }
                let by_key = model.range((key.clone(), Reverse(Seq::MAX))..).next();
                prop_assert_eq!(block.value_at_or_after(&key), by_key.map(|(_, (_, v))| &v[..]));
            }
        }

        #[test]
        fn garbage_is_an_error_or_readable_but_never_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200), key in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            if let Ok(block) = Block::new(bytes.into()) {
                let block = Arc::new(block);
                let _ = block.get(&key, Seq(5));
                let mut c = BlockCursor::new(block);
                c.seek(&key, Seq(5));
                c.seek_last();
                for _ in 0..10 {
                    c.prev();
                }
            }
        }
    }
}
