//! Range deletions, cut into fragments that do not overlap.
//!
//! A deletion of `[a, z)` at seq 9 and one of `[m, p)` at seq 12 become the
//! fragments `[a, m) {9}`, `[m, p) {12, 9}`, `[p, z) {9}`, so that one binary
//! search answers which deletions cover a key.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::key::KeyRange;
use crate::manifest::RangeDelete;
use crate::types::Seq;

/// Keys from `start` up to `end` are deleted at each of `seqs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// First user key.
    pub(crate) start: Bytes,
    /// First user key after.
    pub(crate) end: Bytes,
    /// Newest first, never empty.
    pub(crate) seqs: Vec<Seq>,
}

/// Sorted fragments that do not overlap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RangeDeletes {
    fragments: Vec<Fragment>,
}

impl RangeDeletes {
    /// Cuts any range deletions into fragments. All must have an end.
    pub(crate) fn new<'a>(deletes: impl IntoIterator<Item = &'a RangeDelete>) -> Self {
        let deletes: Vec<&RangeDelete> =
            deletes.into_iter().filter(|d| !d.range.is_empty()).collect();
        let mut edges = BTreeSet::new();
        for delete in &deletes {
            let end = delete.range.end.as_ref().expect("a range deletion has an end");
            edges.insert(delete.range.start.clone());
            edges.insert(end.clone());
        }
        // Sweep: `open` holds the deletions that cover the keys after `start`.
        let mut starts: Vec<&RangeDelete> = deletes.clone();
        starts.sort_by(|a, b| a.range.start.cmp(&b.range.start));
        let mut starts = starts.into_iter().peekable();
        let mut open: Vec<&RangeDelete> = Vec::new();
        let mut fragments: Vec<Fragment> = Vec::new();
        let edges: Vec<Bytes> = edges.into_iter().collect();
        for pair in edges.windows(2) {
            let (start, end) = (&pair[0], &pair[1]);
            open.retain(|d| d.range.ends_after(start));
            while let Some(next) = starts.next_if(|d| d.range.start <= *start) {
                open.push(next);
            }
            if open.is_empty() {
                continue;
            }
            let mut seqs: Vec<Seq> = open.iter().map(|d| d.seq).collect();
            seqs.sort_unstable_by(|a, b| b.cmp(a));
            seqs.dedup();
            match fragments.last_mut() {
                // The edge belongs to a deletion that another one hides entirely.
                Some(Fragment { end: last_end, seqs: last_seqs, .. })
                    if *last_end == *start && *last_seqs == seqs =>
                {
                    *last_end = end.clone();
                }
                _ => fragments.push(Fragment { start: start.clone(), end: end.clone(), seqs }),
            }
        }
        Self { fragments }
    }

    /// From fragments as [`Self::fragments`] gave them out; `None` if they are not such.
    pub(crate) fn from_fragments(fragments: Vec<Fragment>) -> Option<Self> {
        let sane = fragments.iter().all(|f| {
            f.start < f.end && !f.seqs.is_empty() && f.seqs.windows(2).all(|w| w[0] > w[1])
        });
        let ordered = fragments.windows(2).all(|w| w[0].end <= w[1].start);
        (sane && ordered).then_some(Self { fragments })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fragments.is_empty()
    }

    pub(crate) fn fragments(&self) -> &[Fragment] {
        &self.fragments
    }

    /// Every deletion of every fragment.
    pub(crate) fn deletes(&self) -> impl Iterator<Item = RangeDelete> {
        self.fragments.iter().flat_map(|f| {
            let range = KeyRange { start: f.start.clone(), end: Some(f.end.clone()) };
            f.seqs.iter().map(move |seq| RangeDelete { range: range.clone(), seq: *seq })
        })
    }

    /// The deletions as they were before they were cut, as far as they lie
    /// here, each with the number of its fragments. Fragments are joined only
    /// where they share a seq: a wider range at the oldest of several seqs
    /// would claim, for a snapshot between them, more than is deleted.
    pub(crate) fn joined(&self) -> Vec<(usize, RangeDelete)> {
        let mut done = Vec::new();
        let mut open: Vec<(usize, RangeDelete)> = Vec::new();
        for fragment in &self.fragments {
            let (goes_on, ended) = open.into_iter().partition(|(_, delete)| {
                delete.range.end.as_ref() == Some(&fragment.start)
                    && fragment.seqs.contains(&delete.seq)
            });
            open = goes_on;
            done.extend::<Vec<_>>(ended);
            for seq in &fragment.seqs {
                match open.iter_mut().find(|(_, delete)| delete.seq == *seq) {
                    Some((count, delete)) => {
                        *count += 1;
                        delete.range.end = Some(fragment.end.clone());
                    }
                    None => {
                        let range = KeyRange {
                            start: fragment.start.clone(),
                            end: Some(fragment.end.clone()),
                        };
                        open.push((1, RangeDelete { range, seq: *seq }));
                    }
                }
            }
        }
        done.extend(open);
        done
    }

    /// The newest deletion of `key` that `snapshot` sees.
    pub(crate) fn covering(&self, key: &[u8], snapshot: Seq) -> Option<Seq> {
        if self.fragments.is_empty() {
            return None;
        }
        let at = self.fragments.partition_point(|f| *f.end <= *key);
        let fragment = self.fragments.get(at).filter(|f| *f.start <= *key)?;
        fragment.seqs.iter().copied().find(|seq| *seq <= snapshot)
    }

    /// Those at or below `seq`.
    pub(crate) fn up_to(&self, seq: Seq) -> Self {
        let cut = |f: &Fragment| {
            let seqs: Vec<Seq> = f.seqs.iter().copied().filter(|of| *of <= seq).collect();
            let (start, end) = (f.start.clone(), f.end.clone());
            (!seqs.is_empty()).then_some(Fragment { start, end, seqs })
        };
        Self { fragments: self.fragments.iter().filter_map(cut).collect() }
    }

    /// Whether any of them lies in `range`.
    pub(crate) fn overlaps(&self, range: &KeyRange) -> bool {
        let at = self.fragments.partition_point(|f| *f.end <= *range.start);
        self.fragments.get(at).is_some_and(|f| range.ends_after(&f.start))
    }

    /// The parts of the fragments that lie in `range`.
    pub(crate) fn within(&self, range: &KeyRange) -> Self {
        let clip = |f: &Fragment| {
            let whole = KeyRange { start: f.start.clone(), end: Some(f.end.clone()) };
            let part = whole.intersection(range);
            let end = part.end.clone().expect("a fragment has an end");
            (!part.is_empty()).then(|| Fragment { start: part.start, end, seqs: f.seqs.clone() })
        };
        Self { fragments: self.fragments.iter().filter_map(clip).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn deletes() -> impl Strategy<Value = Vec<RangeDelete>> {
        let one = (0u8..10, 0u8..10, 1u64..20).prop_map(|(a, b, seq)| RangeDelete {
            range: KeyRange::new(vec![a.min(b)], vec![a.max(b)]),
            seq: Seq(seq),
        });
        prop::collection::vec(one, 0..12)
    }

    /// Files were dropped that a snapshot between the two seqs still saw.
    #[test]
    fn neighbours_of_different_seqs_are_not_joined() {
        let delete = |a: &'static str, b: &'static str, seq| RangeDelete {
            range: KeyRange::new(a, b),
            seq: Seq(seq),
        };
        let (old, new) = (delete("m", "z", 1110), delete("a", "m", 1189));
        let joined = RangeDeletes::new([&old, &new]).joined();
        let joined: Vec<_> = joined.into_iter().map(|(_, d)| d).collect();
        assert_eq!(joined, [new, old]);
    }

    proptest! {
        #[test]
        fn fragments_cover_what_the_ranges_cover(
            all in deletes(), lo in 0u8..10, hi in 0u8..11,
        ) {
            let cut = RangeDeletes::new(&all);
            prop_assert!(RangeDeletes::from_fragments(cut.fragments().to_vec()).is_some());
            let clip = KeyRange::new(vec![lo.min(hi)], vec![lo.max(hi)]);
            let part = cut.within(&clip);
            prop_assert_eq!(&RangeDeletes::new(&cut.deletes().collect::<Vec<_>>()), &cut);
            let joined: Vec<_> = cut.joined().into_iter().map(|(_, d)| d).collect();
            prop_assert_eq!(&RangeDeletes::new(&joined), &cut);
            for key in 0u8..11 {
                for snapshot in 0u64..21 {
                    let snapshot = Seq(snapshot);
                    let expected = all
                        .iter()
                        .filter(|d| d.range.contains(&[key]) && d.seq <= snapshot)
                        .map(|d| d.seq)
                        .max();
                    prop_assert_eq!(cut.covering(&[key], snapshot), expected);
                    let inside = expected.filter(|_| clip.contains(&[key]));
                    prop_assert_eq!(part.covering(&[key], snapshot), inside);
                }
            }
        }
    }
}
