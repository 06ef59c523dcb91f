//! Which versions a merge keeps.
//!
//! Every reader reads at the GC watermark or later. So of each key, all
//! versions after the watermark are kept, and the newest at or below it; what
//! is older than that, nobody can see. At the bottom, where nothing older lies
//! below, a deletion at or below the watermark has done its work as well.

use crate::key::{KeyBuf, ValueKind};
use crate::types::Seq;

/// Decides version by version, in the order of the merge: keys ascending, seqs
/// descending.
#[derive(Debug)]
pub(super) struct Retention {
    watermark: Seq,
    bottom: bool,
    key: KeyBuf,
    started: bool,
    /// A version at or below the watermark was seen for `key`.
    settled: bool,
}

impl Retention {
    pub(super) fn new(watermark: Seq, bottom: bool) -> Self {
        Self { watermark, bottom, key: KeyBuf::new(), started: false, settled: false }
    }

    /// Whether to keep a version. `hidden` is the newest range deletion at or
    /// below the watermark that covers the key.
    pub(super) fn keep(
        &mut self,
        key: &[u8],
        seq: Seq,
        kind: ValueKind,
        hidden: Option<Seq>,
    ) -> bool {
        if !self.started || *self.key != *key {
            self.key.clear();
            self.key.extend_from_slice(key);
            self.started = true;
            self.settled = false;
        }
        if seq > self.watermark {
            return true;
        }
        let first = !std::mem::replace(&mut self.settled, true);
        let deleted = hidden.is_some_and(|at| at > seq);
        first && !deleted && !(self.bottom && kind == ValueKind::Delete)
    }

    /// Whether to keep a range deletion.
    pub(super) fn keep_range_delete(&self, seq: Seq) -> bool {
        !(self.bottom && seq <= self.watermark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `snapshot` sees of versions sorted newest first.
    fn visible(versions: &[(u64, ValueKind)], hide: Option<u64>, snapshot: u64) -> Option<u64> {
        let hide = hide.filter(|h| *h <= snapshot);
        let (seq, kind) = versions.iter().find(|(seq, _)| *seq <= snapshot)?;
        (*kind == ValueKind::Put && hide.is_none_or(|h| h <= *seq)).then_some(*seq)
    }

    proptest! {
        #[test]
        fn no_reader_at_or_after_the_watermark_notices(
            mut seqs in prop::collection::btree_map(1u64..20, any::<bool>(), 0..8),
            watermark in 0u64..20, hide in prop::option::of(1u64..20), bottom: bool,
        ) {
            // A range deletion is its own commit.
            if let Some(h) = hide { seqs.remove(&h); }
            let kind = |put: bool| if put { ValueKind::Put } else { ValueKind::Delete };
            let all: Vec<_> = seqs.iter().rev().map(|(s, p)| (*s, kind(*p))).collect();
            let mut retention = Retention::new(Seq(watermark), bottom);
            let hidden = hide.filter(|h| *h <= watermark).map(Seq);
            let kept: Vec<_> = all
                .iter()
                .copied()
                .filter(|(s, k)| retention.keep(b"key", Seq(*s), *k, hidden))
                .collect();
            let hide_after = hide.filter(|h| retention.keep_range_delete(Seq(*h)));
            for snapshot in watermark..21 {
                prop_assert_eq!(
                    visible(&kept, hide_after, snapshot), visible(&all, hide, snapshot),
                    "at {}: {:?} became {:?}", snapshot, all, kept
                );
            }
            let old = kept.iter().filter(|(s, _)| *s <= watermark).count();
            prop_assert!(old <= 1, "{old} versions below the watermark were kept");
        }
    }
}
