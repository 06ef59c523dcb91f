//! Keys, their order, and ranges of them.
//!
//! A user key is `space u32 BE ++ the caller's bytes`. Every version of it is
//! ordered by user key ascending, then seq descending, so that the newest
//! version that a snapshot may see is the first at or after `(key, snapshot)`.

use std::cmp::Ordering;
use std::fmt;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::types::{Seq, SpaceId};

/// Longest key a caller may use, in bytes, without its space prefix.
pub const KEY_LEN_MAX: usize = 16 * 1024;

/// Longest value, in bytes. Larger ones belong in several keys.
pub const VALUE_LEN_MAX: usize = 128 * 1024 * 1024;

/// A user key on the stack when it is short, as nearly all are.
pub type KeyBuf = SmallVec<[u8; 64]>;

/// Puts the prefix of `space` in front of `key`.
#[must_use]
pub fn user_key(space: SpaceId, key: &[u8]) -> KeyBuf {
    let mut buf = KeyBuf::with_capacity(SpaceId::LEN + key.len());
    buf.extend_from_slice(&space.prefix());
    buf.extend_from_slice(key);
    buf
}

/// The smallest key greater than `key`: `key ++ 0x00`.
#[must_use]
pub fn successor(key: &[u8]) -> Bytes {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next.into()
}

/// The smallest key greater than all keys that start with `prefix`; `None` if
/// there is none, as after `ff ff`.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Option<Bytes> {
    let keep = prefix.iter().rposition(|&b| b != 0xff)?;
    let mut end = prefix[..=keep].to_vec();
    end[keep] += 1;
    Some(end.into())
}

/// What a version of a key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ValueKind {
    /// The key does not exist from this seq on.
    Delete = 0,
    /// The key has this value from this seq on.
    Put = 1,
}

impl ValueKind {
    /// From its stored form.
    #[must_use]
    pub fn from_u8(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Delete),
            1 => Some(Self::Put),
            _ => None,
        }
    }
}

/// Order of versions: user key ascending, then seq descending.
#[inline]
#[must_use]
pub fn compare(a: (&[u8], Seq), b: (&[u8], Seq)) -> Ordering {
    a.0.cmp(b.0).then_with(|| b.1.cmp(&a.1))
}

/// A half-open range of user keys, `start` to `end`; no `end` means to the last key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyRange {
    /// First key of the range.
    pub start: Bytes,
    /// First key after the range.
    pub end: Option<Bytes>,
}

impl KeyRange {
    /// From `start` up to, not including, `end`.
    pub fn new(start: impl Into<Bytes>, end: impl Into<Bytes>) -> Self {
        Self { start: start.into(), end: Some(end.into()) }
    }

    /// All keys of a space.
    #[must_use]
    pub fn space(space: SpaceId) -> Self {
        let start = Bytes::copy_from_slice(&space.prefix());
        let end = prefix_end(&start);
        Self { start, end }
    }

    /// The range that holds exactly the keys from `first` to `last`, both included.
    #[must_use]
    pub fn inclusive(first: &[u8], last: &[u8]) -> Self {
        Self { start: Bytes::copy_from_slice(first), end: Some(successor(last)) }
    }

    /// Whether no key is inside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// Whether `key` is inside.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        *self.start <= *key && self.ends_after(key)
    }

    /// Whether the range goes on past `key`, wherever it starts.
    #[must_use]
    pub fn ends_after(&self, key: &[u8]) -> bool {
        self.end.as_ref().is_none_or(|end| *key < **end)
    }

    /// Whether some key is in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        !self.is_empty()
            && !other.is_empty()
            && self.ends_after(&other.start)
            && other.ends_after(&self.start)
    }

    /// Whether every key of `other` is in `self`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let ends_late_enough = match (&self.end, &other.end) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(theirs)) => mine >= theirs,
        };
        other.is_empty() || (self.start <= other.start && ends_late_enough)
    }

    /// The smallest range that covers both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let end = match (&self.end, &other.end) {
            (Some(a), Some(b)) => Some(a.max(b).clone()),
            _ => None,
        };
        Self { start: (&self.start).min(&other.start).clone(), end }
    }

    /// The keys that are in both; possibly an empty range.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let end = match (&self.end, &other.end) {
            (Some(a), Some(b)) => Some(a.min(b).clone()),
            (Some(a), None) | (None, Some(a)) => Some(a.clone()),
            (None, None) => None,
        };
        Self { start: (&self.start).max(&other.start).clone(), end }
    }

    /// Orders two range ends, where `None` is after every key.
    #[must_use]
    pub fn compare_ends(a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
        match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => a.cmp(b),
        }
    }
}

impl fmt::Debug for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, ", Hex(&self.start))?;
        match &self.end {
            Some(end) => write!(f, "{})", Hex(end)),
            None => f.write_str("end)"),
        }
    }
}

/// Prints bytes as text where they are text, and as `\x..` where not; at most 64 of them.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(64)];
        write!(f, "{}", shown.escape_ascii())?;
        if shown.len() < self.0.len() {
            write!(f, "... ({} bytes)", self.0.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn newer_versions_come_first() {
        let mut versions = vec![
            (&b"b"[..], Seq(1)),
            (&b"a"[..], Seq(1)),
            (&b"ab"[..], Seq(9)),
            (&b"a"[..], Seq(3)),
        ];
        versions.sort_by(|a, b| compare(*a, *b));
        let expected = vec![
            (&b"a"[..], Seq(3)),
            (&b"a"[..], Seq(1)),
            (&b"ab"[..], Seq(9)),
            (&b"b"[..], Seq(1)),
        ];
        assert_eq!(versions, expected);
    }

    #[test]
    fn prefix_end_is_the_first_key_without_the_prefix() {
        assert_eq!(prefix_end(b"ab").unwrap(), "ac");
        assert_eq!(prefix_end(b"a\xff").unwrap(), "b");
        assert_eq!(prefix_end(b"\xff\xff"), None);
        assert_eq!(prefix_end(b""), None);
    }

    fn any_range() -> impl Strategy<Value = KeyRange> {
        let key = prop::collection::vec(0u8..4, 0..3);
        (key.clone(), prop::option::of(key))
            .prop_map(|(start, end)| KeyRange { start: start.into(), end: end.map(Into::into) })
    }

    fn all_keys() -> Vec<Vec<u8>> {
        let mut keys = vec![vec![]];
        for a in 0u8..5 {
            keys.push(vec![a]);
            for b in 0u8..5 {
                keys.push(vec![a, b]);
                keys.extend((0u8..5).map(|c| vec![a, b, c]));
            }
        }
        keys
    }

    proptest! {
        #[test]
        fn ranges_behave_as_sets_of_keys(a in any_range(), b in any_range()) {
            let inside = |r: &KeyRange| {
                all_keys().into_iter().filter(|k| r.contains(k)).collect::<Vec<_>>()
            };
            let (in_a, in_b) = (inside(&a), inside(&b));
            let both = in_a.iter().filter(|k| in_b.contains(k)).cloned().collect::<Vec<_>>();
            prop_assert_eq!(a.overlaps(&b), !both.is_empty());
            prop_assert_eq!(inside(&a.intersection(&b)), both);
            prop_assert_eq!(a.is_empty(), in_a.is_empty());
            if a.covers(&b) {
                prop_assert!(in_b.iter().all(|k| in_a.contains(k)));
            }
            let union = inside(&a.union(&b));
            prop_assert!(in_a.iter().chain(&in_b).all(|k| union.contains(k)));
        }
    }
}
