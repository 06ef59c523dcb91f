//! Atomic write batches and their encoding.
//!
//! The encoding is what the journal stores and what the memtable is filled
//! from, so a write is encoded once, by the caller's task:
//!
//! ```text
//! batch = varint count, op*
//! op    = kind u8 (0 delete, 1 put, 2 delete range)
//!         varint key length, key            (delete range: start)
//!         [varint value length, value]      (put: value; delete range: end)
//! ```
//!
//! All operations of a batch share one seq. So a batch holds each key at most
//! once (the last operation wins), sorted, and a range deletion hides only
//! older seqs: what the same batch writes into the range is kept if it came
//! after the range deletion, and is removed here if it came before.

use bytes::BufMut;

use crate::error::{Error, Result};
use crate::key::{self, Hex, KEY_LEN_MAX, VALUE_LEN_MAX, ValueKind};
use crate::types::SpaceId;
use crate::varint;

/// Largest encoded batch, in bytes. Larger transactions write SSTs instead.
pub const BATCH_LEN_MAX: usize = 256 << 20;

const OP_DELETE_RANGE: u8 = 2;

/// One operation of a batch, borrowed from its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op<'a> {
    /// Sets a key.
    Put {
        /// User key with its space.
        key: &'a [u8],
        /// Its new value.
        value: &'a [u8],
    },
    /// Removes a key.
    Delete {
        /// User key with its space.
        key: &'a [u8],
    },
    /// Removes all keys from `start` up to, not including, `end`.
    DeleteRange {
        /// First user key of the range.
        start: &'a [u8],
        /// First user key after it.
        end: &'a [u8],
    },
}

/// Writes that take effect together or not at all.
///
/// ```
/// # use firn_engine::{SpaceId, WriteBatch};
/// let mut batch = WriteBatch::new();
/// batch.put(SpaceId(1), b"apple", b"red")?;
/// batch.delete(SpaceId(1), b"pear")?;
/// assert_eq!(batch.len(), 2);
/// # Ok::<(), firn_engine::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    /// Encoded operations, without the leading count.
    ops: Vec<u8>,
    count: usize,
    /// Whether a second operation was added, so that order and duplicates need a look.
    unsorted: bool,
}

impl WriteBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` of `space` to `value`.
    ///
    /// # Errors
    /// `BadRequest` if key or value are too long, or the batch would be.
    pub fn put(&mut self, space: SpaceId, key: &[u8], value: &[u8]) -> Result<()> {
        check_len("key", key, KEY_LEN_MAX)?;
        check_len("value", value, VALUE_LEN_MAX)?;
        self.begin(ValueKind::Put as u8, key.len() + value.len())?;
        self.push_key(space, key);
        self.push_bytes(value);
        Ok(())
    }

    /// Removes `key` of `space`, whether it exists or not.
    ///
    /// # Errors
    /// `BadRequest` if the key is too long, or the batch would be.
    pub fn delete(&mut self, space: SpaceId, key: &[u8]) -> Result<()> {
        check_len("key", key, KEY_LEN_MAX)?;
        self.begin(ValueKind::Delete as u8, key.len())?;
        self.push_key(space, key);
        Ok(())
    }

    /// Removes all keys of `space` from `start` up to, not including, `end`;
    /// to the last key of the space if there is no `end`.
    ///
    /// # Errors
    /// `BadRequest` if a key is too long, the batch would be, the range ends
    /// before it starts, or the space is the last one and has no end.
    pub fn delete_range(&mut self, space: SpaceId, start: &[u8], end: Option<&[u8]>) -> Result<()> {
        check_len("range start", start, KEY_LEN_MAX)?;
        check_len("range end", end.unwrap_or_default(), KEY_LEN_MAX)?;
        let first = key::user_key(space, start);
        let after = match end {
            Some(end) => key::user_key(space, end),
            None => key::prefix_end(&space.prefix())
                .ok_or_else(|| {
                    Error::bad_request(format!("{space:?}: the last space cannot be range-deleted"))
                })?
                .as_ref()
                .into(),
        };
        if after < first {
            return Err(Error::bad_request(format!(
                "delete range: the end {} comes before the start {}",
                Hex(end.unwrap_or_default()),
                Hex(start)
            )));
        }
        if after == first {
            return Ok(());
        }
        self.begin(OP_DELETE_RANGE, first.len() + after.len())?;
        self.push_bytes(&first);
        self.push_bytes(&after);
        Ok(())
    }

    /// Number of operations added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Encoded size in bytes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.ops.len()
    }

    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.ops.clear();
        self.count = 0;
        self.unsorted = false;
    }

    fn begin(&mut self, kind: u8, payload: usize) -> Result<()> {
        // Two length prefixes of at most five bytes, a space prefix, the kind.
        if self.ops.len() + payload + 16 > BATCH_LEN_MAX {
            return Err(Error::bad_request(format!(
                "write batch: larger than {BATCH_LEN_MAX} bytes"
            )));
        }
        self.unsorted = self.count > 0;
        self.count += 1;
        self.ops.push(kind);
        Ok(())
    }

    fn push_key(&mut self, space: SpaceId, key: &[u8]) {
        varint::put(&mut self.ops, (SpaceId::LEN + key.len()) as u64);
        self.ops.put_slice(&space.prefix());
        self.ops.put_slice(key);
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        varint::put(&mut self.ops, bytes.len() as u64);
        self.ops.put_slice(bytes);
    }

    /// Appends the encoded batch to `out`, each key once and sorted.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        if !self.unsorted {
            varint::put(out, self.count as u64);
            out.extend_from_slice(&self.ops);
            return;
        }
        let ops = normalised(&self.ops);
        varint::put(out, ops.len() as u64);
        for raw in ops {
            out.extend_from_slice(raw);
        }
    }
}

fn check_len(what: &str, bytes: &[u8], max: usize) -> Result<()> {
    if bytes.len() > max {
        return Err(Error::bad_request(format!(
            "{what} of {} bytes: the longest is {max}",
            bytes.len()
        )));
    }
    Ok(())
}

/// The operations that remain when later ones override earlier ones: range
/// deletions in the order given, then one operation a key, sorted.
fn normalised(ops: &[u8]) -> Vec<&[u8]> {
    let mut ranges = Vec::new();
    let mut points = Vec::new();
    let mut rest = ops;
    let mut index = 0;
    while !rest.is_empty() {
        let before = rest;
        let op = read_op(&mut rest).expect("a batch reads back what it encoded");
        let raw = &before[..before.len() - rest.len()];
        match op {
            Op::Put { key, .. } | Op::Delete { key } => points.push((key, index, raw)),
            Op::DeleteRange { start, end } => ranges.push((index, start, end, raw)),
        }
        index += 1;
    }
    points.sort_unstable_by(|a, b| a.0.cmp(b.0).then(b.1.cmp(&a.1)));
    points.dedup_by_key(|p| p.0);
    points.retain(|(key, at, _)| {
        !ranges.iter().any(|(i, start, end, _)| i > at && start <= key && key < end)
    });
    let ranges = ranges.into_iter().map(|(_, _, _, raw)| raw);
    ranges.chain(points.into_iter().map(|(_, _, raw)| raw)).collect()
}

fn read_op<'a>(input: &mut &'a [u8]) -> Option<Op<'a>> {
    let (&kind, rest) = input.split_first()?;
    *input = rest;
    let key = varint::take_bytes(input)?;
    if kind == OP_DELETE_RANGE {
        return Some(Op::DeleteRange { start: key, end: varint::take_bytes(input)? });
    }
    match ValueKind::from_u8(kind)? {
        ValueKind::Delete => Some(Op::Delete { key }),
        ValueKind::Put => Some(Op::Put { key, value: varint::take_bytes(input)? }),
    }
}

/// Gives each operation of encoded batches that stand one after the other,
/// with the index of its batch; returns the number of batches.
///
/// # Errors
/// `Corrupt` if the bytes are not batches; operations before the damage have
/// been given by then.
pub fn for_each_op<'a>(payload: &'a [u8], mut each: impl FnMut(u64, Op<'a>)) -> Result<u64> {
    let corrupt = || Error::corrupt("write batch: cut short or garbled");
    let mut rest = payload;
    let mut batches = 0;
    while !rest.is_empty() {
        let count = varint::take(&mut rest).ok_or_else(corrupt)?;
        for _ in 0..count {
            each(batches, read_op(&mut rest).ok_or_else(corrupt)?);
        }
        batches += 1;
    }
    Ok(batches)
}

/// Length in bytes of the first `count` batches of a payload.
///
/// # Errors
/// `Corrupt` if the bytes are not that many batches.
pub(crate) fn skip_batches(payload: &[u8], count: u64) -> Result<usize> {
    let corrupt = || Error::corrupt("write batch: cut short or garbled");
    let mut rest = payload;
    for _ in 0..count {
        let ops = varint::take(&mut rest).ok_or_else(corrupt)?;
        for _ in 0..ops {
            read_op(&mut rest).ok_or_else(corrupt)?;
        }
    }
    Ok(payload.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const SPACE: SpaceId = SpaceId(7);

    fn encoded(batch: &WriteBatch) -> Vec<u8> {
        let mut out = Vec::new();
        batch.encode_into(&mut out);
        out
    }

    #[test]
    fn the_last_operation_on_a_key_wins() {
        let mut batch = WriteBatch::new();
        batch.put(SPACE, b"b", b"1").unwrap();
        batch.put(SPACE, b"a", b"2").unwrap();
        batch.delete(SPACE, b"b").unwrap();
        let bytes = encoded(&batch);
        let mut ops = Vec::new();
        assert_eq!(for_each_op(&bytes, |batch, op| ops.push((batch, op))).unwrap(), 1);
        let (a, b) = (key::user_key(SPACE, b"a"), key::user_key(SPACE, b"b"));
        assert_eq!(ops, [(0, Op::Put { key: &a, value: b"2" }), (0, Op::Delete { key: &b })]);
    }

    #[test]
    fn too_long_is_refused_and_leaves_the_batch_as_it_was() {
        let mut batch = WriteBatch::new();
        let e = batch.put(SPACE, &[0; KEY_LEN_MAX + 1], b"").unwrap_err();
        assert_eq!(e.to_string(), "key of 16385 bytes: the longest is 16384");
        assert!(batch.is_empty());
    }

    #[test]
    fn cut_or_garbled_batches_are_corrupt_not_a_panic() {
        let mut batch = WriteBatch::new();
        batch.put(SPACE, b"key", b"value").unwrap();
        batch.delete_range(SPACE, b"a", None).unwrap();
        let bytes = encoded(&batch);
        for cut in 1..bytes.len() {
            assert!(for_each_op(&bytes[..cut], |_, _| {}).is_err(), "cut at {cut}");
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Put(u8, u8),
        Delete(u8),
        DeleteRange(u8, u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0u8..20, any::<u8>()).prop_map(|(k, v)| Step::Put(k, v)),
            (0u8..20).prop_map(Step::Delete),
            (0u8..20, 0u8..20).prop_map(|(a, b)| Step::DeleteRange(a.min(b), a.max(b))),
        ]
    }

    proptest! {
        /// Over a store where every key exists, the encoded batch does what its steps did.
        #[test]
        fn encoding_keeps_the_meaning(steps in prop::collection::vec(step(), 0..30)) {
            let mut model: BTreeMap<u8, Option<u8>> = BTreeMap::new();
            let mut batch = WriteBatch::new();
            for s in &steps {
                match *s {
                    Step::Put(k, v) => {
                        batch.put(SPACE, &[k], &[v]).unwrap();
                        model.insert(k, Some(v));
                    }
                    Step::Delete(k) => {
                        batch.delete(SPACE, &[k]).unwrap();
                        model.insert(k, None);
                    }
                    Step::DeleteRange(a, b) => {
                        batch.delete_range(SPACE, &[a], Some(&[b])).unwrap();
                        for k in a..b {
                            model.insert(k, None);
                        }
                    }
                }
            }
            let bytes = encoded(&batch);
            // Points of the batch are newer than its ranges: apply ranges first.
            let mut got: BTreeMap<u8, Option<u8>> = BTreeMap::new();
            let mut points = Vec::new();
            for_each_op(&bytes, |_, op| match op {
                Op::DeleteRange { start, end } => got.extend((start[4]..end[4]).map(|k| (k, None))),
                Op::Put { key, value } => points.push((key[4], Some(value[0]))),
                Op::Delete { key } => points.push((key[4], None)),
            })
            .unwrap();
            got.extend(points);
            prop_assert_eq!(got, model);
        }
    }
}
