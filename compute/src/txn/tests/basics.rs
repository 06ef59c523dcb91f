//! What one transaction, or two, see and do.

use std::time::Duration;

use bytes::Bytes;
use firn_engine::key::KeyRange;

use super::{LEVELS, SPACE, WAIT, begin, open};
use crate::testing::simulated;
use crate::txn::{
    Direction, Error, Interrupt, IsolationLevel, LockKey, LockMode, LockWait, Locked, LockingScan,
    ReadMode, RowLocks, Why,
};

fn all() -> KeyRange {
    KeyRange { start: Bytes::new(), end: None }
}

#[test]
fn own_writes_lie_over_what_is_committed() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        for key in ["a", "c", "e"] {
            manager.db().put(SPACE, key.as_bytes(), b"old").await.unwrap();
        }
        for mode in [ReadMode::Snapshot, ReadMode::Current] {
            let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
            t.put(SPACE, b"b", "new").unwrap();
            t.put(SPACE, b"c", "new").unwrap();
            t.delete(SPACE, b"e").unwrap();
            t.put(SPACE, b"f", "new").unwrap();
            t.put(SPACE, b"g", "new").unwrap();
            t.delete(SPACE, b"g").unwrap();
            let expected = [("a", "old"), ("b", "new"), ("c", "new"), ("f", "new")];
            let expected: Vec<_> =
                expected.iter().map(|(k, v)| (Bytes::from(*k), Bytes::from(*v))).collect();
            let mut scan = t.scan(SPACE, &all(), Direction::Ascending, mode).await.unwrap();
            assert_eq!(scan.collect(10).await.unwrap(), expected);
            let mut scan = t.scan(SPACE, &all(), Direction::Descending, mode).await.unwrap();
            let backward: Vec<_> = expected.iter().rev().cloned().collect();
            assert_eq!(scan.collect(10).await.unwrap(), backward);
            let keys: Vec<&[u8]> = vec![b"e", b"f", b"a", b"x"];
            let values = t.get_many(SPACE, &keys, mode).await.unwrap();
            assert_eq!(values, [None, Some("new".into()), Some("old".into()), None]);
            assert_eq!(t.get(SPACE, b"g", mode).await.unwrap(), None);
            t.roll_back();
        }
        assert_eq!(manager.db().get(SPACE, b"b").await.unwrap(), None);
    });
}

#[test]
fn a_commit_is_visible_when_it_returns_and_its_locks_are_gone() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        assert_eq!(t.lock_for_insert(SPACE, b"k", WAIT).await.unwrap(), None);
        t.put(SPACE, b"k", "v").unwrap();
        assert_eq!(manager.locks().held(), 2);
        assert!(t.commit().await.unwrap().is_some());
        assert_eq!(manager.db().get(SPACE, b"k").await.unwrap(), Some("v".into()));
        assert_eq!(manager.locks().held(), 0);
    });
}

#[test]
fn snapshots_are_taken_when_the_level_says() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        let db = manager.db();
        for level in LEVELS {
            db.put(SPACE, b"k", b"1").await.unwrap();
            let mut t = begin(&manager, 1, level);
            // No read yet: this is seen.
            db.put(SPACE, b"k", b"2").await.unwrap();
            let mark = t.begin_statement();
            assert_eq!(t.get(SPACE, b"k", ReadMode::Snapshot).await.unwrap(), Some("2".into()));
            db.put(SPACE, b"k", b"3").await.unwrap();
            assert_eq!(t.get(SPACE, b"k", ReadMode::Snapshot).await.unwrap(), Some("2".into()));
            assert_eq!(t.get(SPACE, b"k", ReadMode::Current).await.unwrap(), Some("3".into()));
            t.end_statement(mark);
            let mark = t.begin_statement();
            let expected = if level == IsolationLevel::ReadCommitted { "3" } else { "2" };
            let value = t.get(SPACE, b"k", ReadMode::Snapshot).await.unwrap();
            assert_eq!(value, Some(expected.into()), "{level:?}");
            t.end_statement(mark);
        }
    });
}

#[test]
fn statements_and_savepoints_go_back() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        t.put(SPACE, b"a", "1").unwrap();
        t.savepoint(b"s1").unwrap();
        t.put(SPACE, b"a", "2").unwrap();
        let mark = t.begin_statement();
        t.put(SPACE, b"a", "3").unwrap();
        t.put(SPACE, b"b", "3").unwrap();
        t.roll_back_statement(mark);
        let get = async |t: &mut crate::txn::Transaction, key: &[u8]| {
            t.get(SPACE, key, ReadMode::Snapshot).await.unwrap()
        };
        assert_eq!(get(&mut t, b"a").await, Some("2".into()));
        assert_eq!(get(&mut t, b"b").await, None);
        t.savepoint(b"s2").unwrap();
        t.delete(SPACE, b"a").unwrap();
        t.roll_back_to_savepoint(b"s1").unwrap();
        assert_eq!(get(&mut t, b"a").await, Some("1".into()));
        assert!(matches!(t.roll_back_to_savepoint(b"s2"), Err(Error::NoSuchSavepoint)));
        t.release_savepoint(b"s1").unwrap();
        assert!(matches!(t.release_savepoint(b"s1"), Err(Error::NoSuchSavepoint)));
        t.commit().await.unwrap();
        assert_eq!(manager.db().get(SPACE, b"a").await.unwrap(), Some("1".into()));
    });
}

#[test]
fn taken_rows_are_waited_for_refused_or_skipped() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        let mut a = begin(&manager, 1, IsolationLevel::RepeatableRead);
        let mut b = begin(&manager, 2, IsolationLevel::RepeatableRead);
        a.get_locked(SPACE, b"k", LockMode::Exclusive, WAIT).await.unwrap();
        let taken = b.get_locked(SPACE, b"k", LockMode::Shared, LockWait::NoWait).await;
        assert!(matches!(taken, Err(Error::LockTaken)));
        let skipped = b.get_locked(SPACE, b"k", LockMode::Shared, LockWait::Skip).await.unwrap();
        assert_eq!(skipped, Locked::Skipped);
        let before = world.env.now();
        let late = b.get_locked(SPACE, b"k", LockMode::Shared, WAIT).await;
        assert!(matches!(late, Err(Error::LockWaitTimeout)));
        assert_eq!(world.env.now().since(before).as_secs(), 50);
        a.roll_back();
        let read = b.get_locked(SPACE, b"k", LockMode::Shared, LockWait::NoWait).await.unwrap();
        assert_eq!(read, Locked::Row { value: None, is_new: true });
    });
}

#[test]
fn a_victim_is_rolled_back_inside_the_call() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        let mut a = begin(&manager, 1, IsolationLevel::RepeatableRead);
        let mut b = begin(&manager, 2, IsolationLevel::RepeatableRead);
        for (t, key) in [(&mut a, b"a"), (&mut b, b"b")] {
            t.get_locked(SPACE, key, LockMode::Exclusive, WAIT).await.unwrap();
            t.put(SPACE, key, "v").unwrap();
        }
        let (first, second) = tokio::join!(
            a.get_locked(SPACE, b"b", LockMode::Exclusive, WAIT),
            b.get_locked(SPACE, b"a", LockMode::Exclusive, WAIT)
        );
        assert!(first.is_ok() && matches!(second, Err(Error::Deadlock)));
        assert!(b.is_rolled_back());
        assert_eq!((b.lock_count(), b.written_keys()), (0, 0));
        assert!(matches!(b.put(SPACE, b"c", "v"), Err(Error::RolledBack)));
        assert!(matches!(b.commit().await, Err(Error::RolledBack)));
        a.commit().await.unwrap();
        assert_eq!(manager.db().get(SPACE, b"b").await.unwrap(), None);
    });
}

/// Who scans an index locks its range first and its rows later: a row's owner
/// who puts back an entry that he has deleted must not wait for that.
#[test]
fn an_entry_may_be_put_back_into_a_locked_range() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        manager.db().put(SPACE, b"k", b"v").await.unwrap();
        let mut owner = begin(&manager, 1, IsolationLevel::RepeatableRead);
        owner.get_locked(SPACE, b"k", LockMode::Exclusive, WAIT).await.unwrap();
        owner.delete(SPACE, b"k").unwrap();
        let mut reader = begin(&manager, 2, IsolationLevel::RepeatableRead);
        reader.lock_range(SPACE, &all(), WAIT).await.unwrap();
        let there = owner.lock_for_insert(SPACE, b"k", LockWait::NoWait).await.unwrap();
        assert_eq!(there, None);
        let new = owner.lock_for_insert(SPACE, b"n", LockWait::NoWait).await;
        assert!(matches!(new, Err(Error::LockTaken)));
    });
}

#[test]
fn scans_skip_what_is_locked_or_refuse() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        for key in ["a", "b", "c", "d"] {
            manager.db().put(SPACE, key.as_bytes(), b"v").await.unwrap();
        }
        for level in LEVELS {
            let mut other = begin(&manager, 1, level);
            other.get_locked(SPACE, b"b", LockMode::Exclusive, WAIT).await.unwrap();
            other.lock_for_insert(SPACE, b"bb", WAIT).await.unwrap();
            other.put(SPACE, b"bb", "v").unwrap();
            let mut t = begin(&manager, 2, level);
            let rows = RowLocks::Each(LockMode::Exclusive);
            let ascending = Direction::Ascending;
            let mut scan = LockingScan::new(SPACE, all(), ascending, rows, LockWait::Skip, 10);
            let mut keys = Vec::new();
            while let Some(row) = scan.next(&mut t).await.unwrap() {
                assert!(row.is_new);
                keys.push(row.key);
            }
            assert_eq!(keys, ["a", "c", "d"], "{level:?}");
            t.roll_back();
            let mut t = begin(&manager, 2, level);
            let mut scan = LockingScan::new(SPACE, all(), ascending, rows, LockWait::NoWait, 10);
            assert!(matches!(scan.next(&mut t).await, Err(Error::LockTaken)));
        }
    });
}

/// UPDATE … WHERE at READ COMMITTED gives back rows that do not match.
#[test]
fn rows_that_are_not_wanted_are_given_back() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        for level in LEVELS {
            let mut t = begin(&manager, 1, level);
            for key in [b"a", b"b"] {
                t.get_locked(SPACE, key, LockMode::Exclusive, WAIT).await.unwrap();
            }
            t.put(SPACE, b"b", "v").unwrap();
            // A second statement gives back only what it has locked itself.
            t.get_locked(SPACE, b"a", LockMode::Shared, WAIT).await.unwrap();
            t.unlock_row(SPACE, b"a");
            assert_eq!(t.lock_count(), 2, "{level:?}");
            t.unlock_row(SPACE, b"a");
            t.unlock_row(SPACE, b"b");
            let expected = if level == IsolationLevel::ReadCommitted { 1 } else { 2 };
            assert_eq!(t.lock_count(), expected, "{level:?}");
        }
    });
}

/// Who holds a whole table needs no locks of its rows.
#[test]
fn covered_spaces_take_no_locks() {
    simulated(1, |world| async move {
        let manager = open(&world).await;
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        t.lock(LockKey::Table(1), LockMode::Exclusive, WAIT).await.unwrap();
        t.cover(SPACE);
        t.lock_for_insert(SPACE, b"a", WAIT).await.unwrap();
        t.lock_range(SPACE, &all(), WAIT).await.unwrap();
        t.get_locked(SPACE, b"b", LockMode::Exclusive, WAIT).await.unwrap();
        assert_eq!(t.lock_count(), 1);
    });
}

#[test]
fn an_interrupt_that_is_set_is_seen_at_once() {
    simulated(1, |world| async move {
        let interrupt = Interrupt::default();
        assert!(interrupt.check().is_ok());
        interrupt.set(Why::TimeLimit);
        let seen = world.env.timeout(Duration::from_secs(1), interrupt.interrupted()).await;
        assert_eq!(seen, Some(Why::TimeLimit));
        let error = interrupt.check().unwrap_err();
        assert_eq!(error.mysql_number(), Some(3024));
    });
}

/// Sessions are tasks of a runtime with several threads.
#[test]
fn futures_can_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    simulated(1, |world| async move {
        let manager = open(&world).await;
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        is_send(t.get_locked(SPACE, b"k", LockMode::Shared, WAIT));
        is_send(t.lock_for_insert(SPACE, b"k", WAIT));
        is_send(t.lock_range(SPACE, &all(), WAIT));
        let mut scan =
            LockingScan::new(SPACE, all(), Direction::Ascending, RowLocks::None, WAIT, 1);
        is_send(scan.next(&mut t));
        is_send(t.scan(SPACE, &all(), Direction::Ascending, ReadMode::Snapshot));
        is_send(t.commit());
    });
}
