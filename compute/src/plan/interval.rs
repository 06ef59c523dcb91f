//! Sets of key parts: sorted, disjoint ranges of encoded values.
//!
//! Encoded values of one part are prefix-free, so everything that starts with an
//! encoded value belongs to it.

use firn_engine::key::prefix_end;

/// From a first byte string up to, not including, another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) from: Vec<u8>,
    /// `None`: to the end.
    pub(crate) to: Option<Vec<u8>>,
    /// All keys in it have the same value.
    pub(crate) point: bool,
}

/// Sorted and disjoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Intervals(Vec<Interval>);

impl Intervals {
    /// Everything.
    pub(crate) fn all() -> Self {
        Self(vec![Interval { from: Vec::new(), to: None, point: false }])
    }

    /// Nothing.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// One value.
    pub(crate) fn point(value: Vec<u8>) -> Self {
        let to = prefix_end(&value).map(|end| end.to_vec());
        Self(vec![Interval { from: value, to, point: true }])
    }

    /// The values that begin with some bytes.
    pub(crate) fn beginning_with(bytes: Vec<u8>) -> Self {
        let to = prefix_end(&bytes).map(|end| end.to_vec());
        Self(vec![Interval { from: bytes, to, point: false }])
    }

    /// What sorts before a value; with the value itself if `inclusive`.
    pub(crate) fn below(value: &[u8], inclusive: bool) -> Self {
        let to = if inclusive {
            prefix_end(value).map(|end| end.to_vec())
        } else {
            Some(value.to_vec())
        };
        Self(vec![Interval { from: Vec::new(), to, point: false }])
    }

    /// What sorts after a value; with the value itself if `inclusive`.
    pub(crate) fn above(value: &[u8], inclusive: bool) -> Self {
        let from = if inclusive {
            value.to_vec()
        } else {
            match prefix_end(value) {
                Some(end) => end.to_vec(),
                None => return Self::none(),
            }
        };
        Self(vec![Interval { from, to: None, point: false }])
    }

    /// The ranges.
    pub(crate) fn list(&self) -> &[Interval] {
        &self.0
    }

    /// Whether it is no restriction.
    pub(crate) fn is_all(&self) -> bool {
        matches!(&*self.0, [one] if one.from.is_empty() && one.to.is_none())
    }

    /// What is in both.
    pub(crate) fn intersect(&self, other: &Self) -> Self {
        let mut out = Vec::new();
        let (mut a, mut b) = (0, 0);
        while let (Some(left), Some(right)) = (self.0.get(a), other.0.get(b)) {
            let from = left.from.clone().max(right.from.clone());
            let left_first = ends_before(&left.to, &right.to);
            let to = if left_first { left.to.clone() } else { right.to.clone() };
            if to.as_ref().is_none_or(|to| from < *to) {
                out.push(Interval { from, to, point: left.point || right.point });
            }
            if left_first {
                a += 1;
            } else {
                b += 1;
            }
        }
        Self(out)
    }

    /// What is in one of them.
    pub(crate) fn union(lists: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Interval> = lists.into_iter().flat_map(|one| one.0).collect();
        all.sort_by(|a, b| a.from.cmp(&b.from));
        let mut out: Vec<Interval> = Vec::with_capacity(all.len());
        for one in all {
            match out.last_mut() {
                Some(last) if last.to.as_ref().is_none_or(|to| one.from < *to) => {
                    if ends_before(&last.to, &one.to) {
                        last.to = one.to;
                        last.point = false;
                    } else {
                        last.point &= one.point;
                    }
                }
                _ => out.push(one),
            }
        }
        Self(out)
    }
}

/// Whether the first end comes before the second; no end is the last.
fn ends_before(a: &Option<Vec<u8>>, b: &Option<Vec<u8>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a < b,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sets over one-byte values, and the same as lists of booleans.
    fn set() -> impl Strategy<Value = Intervals> {
        let one = prop_oneof![
            any::<u8>().prop_map(|v| Intervals::point(vec![v])),
            (any::<u8>(), any::<bool>()).prop_map(|(v, i)| Intervals::below(&[v], i)),
            (any::<u8>(), any::<bool>()).prop_map(|(v, i)| Intervals::above(&[v], i)),
            (any::<u8>(), any::<u8>()).prop_map(|(a, b)| {
                Intervals::above(&[a], true).intersect(&Intervals::below(&[b], true))
            }),
        ];
        proptest::collection::vec(one, 0..5).prop_map(Intervals::union)
    }

    fn holds(set: &Intervals, value: u8) -> bool {
        let inside = |one: &&Interval| {
            one.from.as_slice() <= &[value][..]
                && one.to.as_ref().is_none_or(|to| [value][..] < to[..])
        };
        set.list().iter().filter(inside).count() == 1
    }

    fn is_sound(set: &Intervals) {
        for pair in set.list().windows(2) {
            assert!(pair[0].to.as_ref().unwrap() <= &pair[1].from, "{set:?}");
        }
    }

    proptest! {
        #[test]
        fn sets_are_sets(a in set(), b in set()) {
            let (both, one) = (a.intersect(&b), Intervals::union([a.clone(), b.clone()]));
            is_sound(&both);
            is_sound(&one);
            for value in 0..=255 {
                prop_assert_eq!(holds(&both, value), holds(&a, value) && holds(&b, value));
                prop_assert_eq!(holds(&one, value), holds(&a, value) || holds(&b, value));
            }
        }
    }

    #[test]
    fn points_stay_points_until_they_are_joined() {
        let three = Intervals::union([
            Intervals::point(vec![1]),
            Intervals::point(vec![3]),
            Intervals::point(vec![1]),
        ]);
        assert_eq!(three.list().len(), 2);
        assert!(three.list().iter().all(|one| one.point));
        let some = three.intersect(&Intervals::above(&[2], true));
        assert!(some.list().iter().all(|one| one.point));
    }
}
