//! About how many keys lie in a range, without walking them all.

use super::{HEIGHT_MAX, Order, SkipList};
use crate::key::ValueKind;

/// Nodes of a level in a range that are enough to tell how many there are below it: the
/// error is some 12 percent.
const SAMPLE_MIN: usize = 64;

impl SkipList {
    /// About how many keys from `start` up to `end` are there: those whose newest version is a
    /// deletion count as none. Exact for few of them.
    pub(in crate::memtable) fn count_between(&self, start: &[u8], end: &[u8]) -> u64 {
        let mut at = self.head;
        for level in (0..HEIGHT_MAX).rev() {
            loop {
                let next = self.next(at, level);
                if next == 0 || self.compare(next, start) != Order::Less {
                    break;
                }
                at = next;
            }
            let (mut nodes, mut puts) = (0usize, 0u64);
            let mut next = self.next(at, level);
            while next != 0 && self.compare(next, end) == Order::Less {
                nodes += 1;
                puts += u64::from(self.node(next).kind == ValueKind::Put);
                next = self.next(next, level);
            }
            if nodes >= SAMPLE_MIN || level == 0 {
                // A fourth of the nodes of a level reach the next one.
                return puts << (2 * level);
            }
        }
        0
    }
}

impl SkipList {
    /// Up to `count` keys from `start` up to `end`, in order and about equally far apart.
    pub(in crate::memtable) fn keys_between(
        &self,
        start: &[u8],
        end: &[u8],
        count: usize,
    ) -> Vec<&[u8]> {
        let wanted = count.max(1);
        let mut at = self.head;
        for level in (0..HEIGHT_MAX).rev() {
            loop {
                let next = self.next(at, level);
                if next == 0 || self.compare(next, start) != Order::Less {
                    break;
                }
                at = next;
            }
            let mut keys = Vec::new();
            let mut next = self.next(at, level);
            while next != 0 && self.compare(next, end) == Order::Less {
                keys.push(self.key(next));
                next = self.next(next, level);
            }
            if keys.len() >= wanted || level == 0 {
                let step = keys.len().div_ceil(wanted).max(1);
                return keys.into_iter().step_by(step).collect();
            }
        }
        Vec::new()
    }
}
