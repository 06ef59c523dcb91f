//! The write set with its marks, and reads over it, against plain maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::SpaceId;
use firn_engine::key::KeyRange;
use proptest::prelude::*;

use super::{SPACE, begin, open};
use crate::testing::simulated;
use crate::txn::write_set::{Mark, WriteMap, WriteSet};
use crate::txn::{Direction, Error, IsolationLevel, ReadMode};

#[derive(Debug, Clone)]
enum Step {
    Put(u8, Option<u8>),
    Mark,
    /// Of the open marks, modulo.
    Forget(usize),
    RollBack(usize),
    /// Somebody keeps what is there now.
    View,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..6, prop::option::of(any::<u8>())).prop_map(|(k, v)| Step::Put(k, v)),
        2 => Just(Step::Mark),
        1 => any::<usize>().prop_map(Step::Forget),
        1 => any::<usize>().prop_map(Step::RollBack),
        1 => Just(Step::View),
    ]
}

type Model = BTreeMap<(SpaceId, Bytes), Option<Bytes>>;

/// Two spaces, three keys each.
fn key(n: u8) -> (SpaceId, Bytes) {
    (SpaceId(u32::from(n) / 3), Bytes::copy_from_slice(&[n]))
}

fn contents(map: Option<&Arc<WriteMap>>) -> Model {
    let mut all = Model::new();
    for space in [SpaceId(0), SpaceId(1)] {
        for (key, write) in map.and_then(|map| map.space(space)).into_iter().flatten() {
            all.insert((space, key.clone()), write.value.clone());
        }
    }
    all
}

proptest! {
    #[test]
    fn marks_bring_back_what_was_there(steps in prop::collection::vec(step(), 0..60)) {
        let mut set = WriteSet::default();
        let mut model = Model::new();
        let mut marks: Vec<(Mark, Model)> = Vec::new();
        let mut views = Vec::new();
        for step in steps {
            match step {
                Step::Put(n, value) => {
                    let value = value.map(|v| Bytes::from(vec![v; v as usize % 40]));
                    let (space, key) = key(n);
                    set.put(space, &key, value.clone(), usize::MAX).unwrap();
                    model.insert((space, key), value);
                }
                Step::Mark => marks.push((set.mark(), model.clone())),
                Step::Forget(at) if !marks.is_empty() => {
                    let at = at % marks.len();
                    set.forget(marks[at].0);
                    marks.truncate(at);
                }
                Step::RollBack(at) if !marks.is_empty() => {
                    let at = at % marks.len();
                    set.roll_back_to(marks[at].0);
                    model = marks[at].1.clone();
                    marks.truncate(at + 1);
                }
                Step::Forget(_) | Step::RollBack(_) => {}
                Step::View => views.push((set.map().cloned(), model.clone())),
            }
            prop_assert_eq!(&contents(set.map()), &model);
            prop_assert_eq!(set.len(), model.len());
        }
        for (view, then) in views {
            prop_assert_eq!(contents(view.as_ref()), then);
        }
        if let Some((first, before)) = marks.first() {
            set.roll_back_to(*first);
            set.forget(*first);
            model = before.clone();
        }
        // What it needs is what a set would need that has seen nothing else.
        let mut fresh = WriteSet::default();
        for ((space, key), value) in &model {
            fresh.put(*space, key, value.clone(), usize::MAX).unwrap();
        }
        prop_assert_eq!(set.bytes(), fresh.bytes());
        prop_assert_eq!(contents(set.map()), model);
    }

    #[test]
    fn scans_give_what_is_committed_under_what_is_written(
        committed in prop::collection::btree_map(0u8..30, any::<u8>(), 0..20),
        written in prop::collection::btree_map(0u8..30, prop::option::of(any::<u8>()), 0..20),
        start in 0u8..31, end in prop::option::of(0u8..31), descending in any::<bool>(),
    ) {
        simulated(1, |world| async move {
            let manager = open(&world).await;
            let mut expected = BTreeMap::new();
            for (k, v) in committed {
                manager.db().put(SPACE, &[k], &[v]).await.unwrap();
                expected.insert(k, v);
            }
            let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
            for (k, v) in written {
                match v {
                    Some(v) => {
                        t.put(SPACE, &[k], vec![v]).unwrap();
                        expected.insert(k, v);
                    }
                    None => {
                        t.delete(SPACE, &[k]).unwrap();
                        expected.remove(&k);
                    }
                }
            }
            let keys: Vec<[u8; 1]> = (0..30).map(|k| [k]).collect();
            let keys: Vec<&[u8]> = keys.iter().map(|k| &k[..]).collect();
            for (k, value) in t.get_many(SPACE, &keys, ReadMode::Snapshot).await.unwrap().iter().enumerate() {
                assert_eq!(value.as_ref().map(|v| v[0]), expected.get(&(k as u8)).copied());
            }
            expected.retain(|k, _| *k >= start && end.is_none_or(|end| *k < end));
            let mut expected: Vec<(u8, u8)> = expected.into_iter().collect();
            let direction = if descending { Direction::Descending } else { Direction::Ascending };
            if descending {
                expected.reverse();
            }
            let end = end.map(|end| Bytes::copy_from_slice(&[end]));
            let range = KeyRange { start: Bytes::copy_from_slice(&[start]), end };
            for mode in [ReadMode::Snapshot, ReadMode::Current] {
                let mut scan = t.scan(SPACE, &range, direction, mode).await.unwrap();
                let rows = scan.collect(100).await.unwrap();
                let rows: Vec<_> = rows.into_iter().map(|(k, v)| (k[0], v[0])).collect();
                assert_eq!(rows, expected);
                let mut scan = t.view(mode).unwrap().scan(SPACE, &range, direction).await.unwrap();
                assert_eq!(scan.collect(100).await.unwrap().len(), expected.len());
            }
        });
    }
}

/// A key that is written in a thousand statements after a savepoint is kept once.
#[test]
fn a_savepoint_keeps_each_key_once() {
    let mut set = WriteSet::default();
    let (space, key) = key(0);
    set.put(space, &key, Some("0".into()), usize::MAX).unwrap();
    let savepoint = set.mark();
    let mut bytes = 0;
    for n in 0..1000 {
        let statement = set.mark();
        set.put(space, &key, Some("1".into()), usize::MAX).unwrap();
        set.forget(statement);
        if n == 0 {
            bytes = set.bytes();
        }
    }
    assert_eq!(set.bytes(), bytes);
    set.roll_back_to(savepoint);
    assert_eq!(set.get(space, &key).unwrap().value, Some("0".into()));
}

#[test]
fn what_is_too_large_is_refused_and_changes_nothing() {
    let mut set = WriteSet::default();
    let (space, key) = key(0);
    set.put(space, &key, Some("small".into()), 1000).unwrap();
    let before = set.bytes();
    let large = Bytes::from(vec![0; 1000]);
    let refused = set.put(space, &key, Some(large), 1000);
    assert!(matches!(refused, Err(Error::TooLarge { limit: 1000 })));
    assert_eq!(set.bytes(), before);
    assert_eq!(set.get(space, &key).unwrap().value, Some("small".into()));
}
