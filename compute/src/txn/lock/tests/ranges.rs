//! Fragments against plain lists of ranges.

use bytes::Bytes;
use firn_engine::key::KeyRange;
use proptest::prelude::*;

use crate::txn::lock::key::{OwnerId, ScopeId, Who};
use crate::txn::lock::ranges::Ranges;

fn who(n: u64) -> Who {
    Who { owner: OwnerId(n), scope: ScopeId(n) }
}

fn key(n: u8) -> Bytes {
    Bytes::copy_from_slice(&[n])
}

fn range() -> impl Strategy<Value = KeyRange> {
    (0u8..12, prop::option::weighted(0.9, 0u8..13))
        .prop_map(|(start, end)| KeyRange { start: key(start), end: end.map(key) })
}

#[derive(Debug, Clone)]
enum Step {
    Add(u64, KeyRange),
    /// Of what is there, modulo.
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1u64..4, range()).prop_map(|(owner, range)| Step::Add(owner, range)),
        2 => any::<usize>().prop_map(Step::Remove),
    ]
}

proptest! {
    #[test]
    fn fragments_are_what_the_ranges_are(
        steps in prop::collection::vec(step(), 0..40), asked in range(),
    ) {
        let mut ranges = Ranges::default();
        let mut model: Vec<(u64, KeyRange)> = Vec::new();
        for step in steps {
            match step {
                Step::Add(owner, range) => {
                    ranges.add(who(owner), &range);
                    model.push((owner, range));
                }
                Step::Remove(at) if !model.is_empty() => {
                    let (owner, range) = model.swap_remove(at % model.len());
                    ranges.remove(who(owner), &range);
                }
                Step::Remove(_) => {}
            }
            let whole = model.iter().filter(|(_, r)| !r.is_empty());
            prop_assert!(ranges.fragments() <= 2 * whole.count(), "cuts are healed");
            for n in 0..14 {
                for owner in 1..4 {
                    let free = model.iter().all(|(o, r)| *o == owner || !r.contains(&key(n)));
                    prop_assert_eq!(ranges.is_free(OwnerId(owner), &key(n)), free);
                }
            }
        }
        for owner in 1..4 {
            let has = |n| model.iter().any(|(o, r)| *o == owner && r.contains(&key(n)));
            // Keys of one byte tell all pieces of these ranges apart, but for the end.
            let to_end = model.iter().any(|(o, r)| *o == owner && r.end.is_none());
            let expected = (0..14).filter(|n| asked.contains(&key(*n))).all(has)
                && (asked.end.is_some() || to_end);
            prop_assert_eq!(ranges.covers(who(owner), &asked), expected);
        }
        for (owner, range) in model {
            ranges.remove(who(owner), &range);
        }
        prop_assert!(ranges.is_empty());
    }
}
