//! The list beside a sorted map, alone and while it is read.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn put<'a>(key: &'a [u8], seq: u64, value: &'a [u8]) -> NewEntry<'a> {
    NewEntry { key, seq: Seq(seq), kind: ValueKind::Put, value }
}

#[test]
fn says_when_it_is_full_and_stays_readable() {
    let list = SkipList::new(4096);
    let mut inserter = list.inserter();
    let mut n = 0u64;
    while inserter.insert(&put(&n.to_be_bytes(), 1, &[7; 50])) {
        n += 1;
    }
    assert!(n > 20, "{n} entries in 4 KiB");
    assert_eq!(list.len() as u64, n);
    assert!(list.bytes() <= 4096);
    let last = list.seek_before(&[0xff; 9], Seq::MAX).unwrap();
    assert_eq!(last.key(), (n - 1).to_be_bytes());
}

proptest! {
    #[test]
    fn keys_compare_as_slices_do(
        mut a in prop::collection::vec(0u8..3, 0..20),
        b in prop::collection::vec(0u8..3, 0..20),
        common in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        a.splice(0..0, common.iter().copied());
        let b = [common, b].concat();
        prop_assert_eq!(compare_keys(&a, &b), a.cmp(&b));
    }

    #[test]
    fn agrees_with_a_sorted_map(
        steps in prop::collection::vec((prop::collection::vec(0u8..3, 0..4), any::<u8>()), 0..80),
        probes in prop::collection::vec((prop::collection::vec(0u8..4, 0..5), 0u64..90), 0..20),
        group in 1usize..40,
    ) {
        let list = SkipList::new(1 << 16);
        let mut model = BTreeMap::new();
        let mut seq = 0;
        for steps in steps.chunks(group) {
            let entries = steps.iter().map(|(key, value)| {
                seq += 1;
                model.insert((key.clone(), std::cmp::Reverse(Seq(seq))), *value);
                put(key, seq, std::slice::from_ref(value))
            });
            let entries: Vec<_> = entries.collect();
            assert!(list.inserter().insert_many(&entries));
        }
        let show = |e: Entry<'_>| ((e.key().to_vec(), std::cmp::Reverse(e.seq())), e.value()[0]);
        let forward: Vec<_> = std::iter::successors(list.first(), |e| e.next()).map(show).collect();
        let expected: Vec<_> = model.clone().into_iter().collect();
        prop_assert_eq!(&forward, &expected);
        let mut backward: Vec<_> = std::iter::successors(list.seek_before(&[9], Seq::MAX), |e| e.prev()).map(show).collect();
        backward.reverse();
        prop_assert_eq!(&backward, &expected);
        for entry in std::iter::successors(list.first(), |e| e.next()) {
            for to in 0..entry.seq().0 {
                let passed = entry.pass(Seq(to)).map(show);
                let sought = list.seek(entry.key(), Seq(to)).map(show);
                prop_assert_eq!(passed, sought);
            }
        }
        for (key, seq) in probes {
            let probe = (key.clone(), std::cmp::Reverse(Seq(seq)));
            let at = list.seek(&key, Seq(seq)).map(show);
            let model_at = model.range(probe.clone()..).next().map(|(k, v)| (k.clone(), *v));
            prop_assert_eq!(at, model_at);
            let before = list.seek_before(&key, Seq(seq)).map(show);
            let model_before = model.range(..probe).next_back().map(|(k, v)| (k.clone(), *v));
            prop_assert_eq!(before, model_before);
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real threads are the point")]
fn readers_see_complete_entries_while_one_writes() {
    let entries = if cfg!(miri) { 200u64 } else { 20_000 };
    let list = Arc::new(SkipList::new(8 << 20));
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (list, done) = (Arc::clone(&list), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut seen = 0;
                while !done.load(Ordering::Acquire) || seen == 0 {
                    seen = 0;
                    let mut last = None;
                    for e in std::iter::successors(list.first(), |e| e.next()) {
                        assert_eq!(e.key(), e.value(), "key and value were written alike");
                        assert!(last < Some(e.key()), "in order");
                        last = Some(e.key());
                        seen += 1;
                    }
                }
                seen
            })
        })
        .collect();
    for i in 0..entries {
        let key = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        assert!(list.inserter().insert(&put(&key, i + 1, &key)));
    }
    done.store(true, Ordering::Release);
    for reader in readers {
        assert!(reader.join().unwrap() > 0);
    }
    assert_eq!(list.len() as u64, entries);
}
