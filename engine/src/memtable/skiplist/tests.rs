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
        let all: Vec<_> =
            std::iter::successors(list.first(), Entry::next_version).map(show).collect();
        prop_assert_eq!(&all, &model.clone().into_iter().collect::<Vec<_>>());
        prop_assert_eq!(list.len(), all.len());
        let snapshots = (0..=seq).step_by(7).chain([seq, Seq::MAX.0]).map(Seq);
        for at in snapshots {
            let mut seen: Vec<_> = all.iter().filter(|((_, seq), _)| seq.0 <= at).cloned().collect();
            seen.dedup_by(|a, b| a.0.0 == b.0.0);
            let forward: Vec<_> =
                std::iter::successors(list.seek(&[], at), |e| e.next(at)).map(show).collect();
            prop_assert_eq!(&forward, &seen);
            let mut backward: Vec<_> =
                std::iter::successors(list.seek_before(&[9], at), |e| e.prev(at)).map(show).collect();
            backward.reverse();
            prop_assert_eq!(&backward, &seen);
        }
        for (key, seq) in probes {
            let at = Seq(seq);
            let of_key = model.range((key.clone(), std::cmp::Reverse(at))..).next();
            let of_key = of_key.filter(|((k, _), _)| *k == key).map(|(k, v)| (k.clone(), *v));
            prop_assert_eq!(list.get(&key, at).map(show), of_key);
            let seen = model.iter().filter(|((_, seq), _)| seq.0 <= at).map(|(k, v)| (k.clone(), *v));
            let from = seen.clone().find(|((k, _), _)| *k >= key);
            prop_assert_eq!(list.seek(&key, at).map(show), from);
            let before = seen.clone().filter(|((k, _), _)| *k < key).map(|((k, _), _)| k).next_back();
            let before = before.and_then(|key| seen.clone().find(|((k, _), _)| *k == key));
            prop_assert_eq!(list.seek_before(&key, at).map(show), before);
        }
    }
}

#[test]
fn an_old_snapshot_finds_its_version_of_a_hot_key_in_few_steps() {
    let versions = if cfg!(miri) { 300 } else { 100_000u64 };
    let list = SkipList::new(versions as usize * entry_len_max(1, 0));
    for seq in 1..=versions {
        assert!(list.inserter().insert(&put(b"k", seq, b"")));
    }
    let head = list.first().unwrap().head;
    for at in (0..=versions).step_by(97) {
        let mut steps = 0;
        let found = list.newest_counted(head, Seq(at), &mut steps);
        assert_eq!(found != 0, at > 0);
        assert!(found == 0 || list.node(found).seq == at);
        assert!(steps <= 60, "{steps} steps to version {at} of {versions}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real threads are the point")]
fn a_snapshot_stays_the_same_while_its_keys_are_written_and_others_come_between() {
    const KEYS: u64 = 40;
    let rounds = if cfg!(miri) { 12u64 } else { 3_000 };
    let list = Arc::new(SkipList::new(64 << 20));
    // Up to here all has been added: as the engine publishes it.
    let published = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|backward| {
            let (list, done) = (Arc::clone(&list), Arc::clone(&done));
            let published = Arc::clone(&published);
            std::thread::spawn(move || {
                let mut scans = 0;
                while !done.load(Ordering::Acquire) || scans == 0 {
                    let at = Seq(published.load(Ordering::Acquire));
                    // Each round writes every old key once and adds one key.
                    let round = at.0 / (KEYS + 1);
                    let count = |entry: Entry<'_>| {
                        let written = entry.seq().0;
                        assert!(written <= at.0);
                        if entry.key().len() == 8 {
                            assert!(written > at.0 - (KEYS + 1), "{written} seen at {}", at.0);
                        }
                        entry.key().len()
                    };
                    let keys: Vec<_> = if backward == 1 {
                        let last = list.seek_before(&[0xff; 20], at);
                        std::iter::successors(last, |e| e.prev(at)).map(count).collect()
                    } else {
                        std::iter::successors(list.seek(&[], at), |e| e.next(at))
                            .map(count)
                            .collect()
                    };
                    if at.0 > 0 {
                        let old = keys.iter().filter(|len| **len == 8).count() as u64;
                        assert_eq!((old, keys.len() as u64 - old), (KEYS, round));
                    }
                    scans += 1;
                }
                scans
            })
        })
        .collect();
    let mut seq = 0;
    for round in 0..rounds {
        let mut keys: Vec<Vec<u8>> = (0..KEYS).map(|k| (k << 32).to_be_bytes().to_vec()).collect();
        // Between two of the others, in an order of its own.
        let extra = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (KEYS << 32);
        keys.push([&extra.to_be_bytes()[..], &round.to_be_bytes()[..]].concat());
        let entries = keys.iter().map(|key| {
            seq += 1;
            put(key, seq, b"")
        });
        let entries: Vec<_> = entries.collect();
        assert!(list.inserter().insert_many(&entries));
        published.store(seq, Ordering::Release);
    }
    done.store(true, Ordering::Release);
    for reader in readers {
        assert!(reader.join().unwrap() > 0);
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
                    for e in std::iter::successors(list.first(), Entry::next_version) {
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

#[test]
fn keys_of_a_range_are_counted_without_walking_them() {
    let list = SkipList::new(8 << 20);
    let mut inserter = list.inserter();
    for n in 0..20_000u64 {
        assert!(inserter.insert(&put(&(n * 7919 % 20_000).to_be_bytes(), n + 1, b"x")));
    }
    let count = |from: u64, to: u64| list.count_between(&from.to_be_bytes(), &to.to_be_bytes());
    // Few are counted exactly.
    for (from, to) in [(0, 0), (5, 6), (100, 115), (19_990, 30_000)] {
        assert_eq!(count(from, to), to.min(20_000) - from, "{from} to {to}");
    }
    for (from, to) in [(0, 20_000), (1000, 11_000), (15_000, 15_700)] {
        let (counted, right) = (count(from, to) as f64, (to - from) as f64);
        assert!((0.6..1.6).contains(&(counted / right)), "{counted} of {right}");
    }
    let deleted =
        |n: u64| NewEntry { key: &[], seq: Seq(30_000 + n), kind: ValueKind::Delete, value: &[] };
    for n in 100..110u64 {
        assert!(inserter.insert(&NewEntry { key: &n.to_be_bytes(), ..deleted(n) }));
    }
    assert_eq!(count(100, 115), 5, "what is deleted is not there");
}

#[test]
fn samples_of_a_range_are_far_apart() {
    let list = SkipList::new(8 << 20);
    let mut inserter = list.inserter();
    for n in 0..20_000u64 {
        assert!(inserter.insert(&put(&n.to_be_bytes(), n + 1, b"x")));
    }
    let end = 10_000u64.to_be_bytes();
    let keys = list.keys_between(&0u64.to_be_bytes(), &end, 16);
    assert!((8..=16).contains(&keys.len()), "{}", keys.len());
    assert!(keys.is_sorted());
    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
    let places: Vec<u64> =
        keys.iter().map(|key| u64::from_be_bytes((*key).try_into().unwrap())).collect();
    assert!(*places.last().unwrap() > 6000, "{places:?}");
    assert_eq!(list.keys_between(&5u64.to_be_bytes(), &8u64.to_be_bytes(), 16).len(), 3);
}
