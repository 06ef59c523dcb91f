//! Locks of very many rows.

use bytes::Bytes;
use firn_engine::SpaceId;
use firn_engine::key::KeyRange;

use super::{packing, request, set};
use crate::testing::simulated;
use crate::txn::lock::{Grant, LockKey, LockMode, LockWait};
use crate::txn::{Error, Interrupt};

const SPACE: SpaceId = SpaceId(5);
const ROWS: u32 = 100_000;

fn row(n: u32) -> LockKey {
    LockKey::Row(SPACE, Bytes::copy_from_slice(&n.to_be_bytes()))
}

#[test]
fn a_hundred_thousand_rows_need_little_memory_and_exclude_others_one_by_one() {
    simulated(1, |world| async move {
        let table = packing(&world, 64);
        let interrupt = Interrupt::default();
        let at_once = || request(&interrupt, LockWait::NoWait, 0);
        let (mut a, mut b) = (set(&table, 1), set(&table, 2));
        for n in 0..ROWS {
            assert_eq!(
                a.lock(row(2 * n), LockMode::Exclusive, at_once()).await.unwrap(),
                Grant::New
            );
        }
        assert_eq!(a.len(), ROWS as usize);
        assert!(table.held() < 100, "{} in queues", table.held());
        assert!(table.memory.used() < 8 * ROWS as usize, "{} bytes", table.memory.used());
        let used = table.memory.used();
        for n in (0..ROWS).step_by(997) {
            // Asking again is free, and what lies between is free for others.
            assert_eq!(a.lock(row(2 * n), LockMode::Shared, at_once()).await.unwrap(), Grant::Held);
            for mode in [LockMode::Shared, LockMode::Exclusive] {
                let taken = b.lock(row(2 * n), mode, at_once()).await;
                assert!(matches!(taken, Err(Error::LockTaken)), "{n}: {taken:?}");
            }
            let free = b.lock(row(2 * n + 1), LockMode::Exclusive, at_once()).await;
            assert_eq!(free.unwrap(), Grant::New);
            // It is out of its queue no more, and yet held once.
            assert_eq!(
                a.lock(row(2 * n), LockMode::Exclusive, at_once()).await.unwrap(),
                Grant::Held
            );
        }
        assert_eq!(a.len(), ROWS as usize);
        assert!(table.memory.used() < used + (64 << 10));
        drop(a);
        for n in (0..ROWS).step_by(997) {
            assert_eq!(b.lock(row(2 * n), LockMode::Shared, at_once()).await.unwrap(), Grant::New);
        }
        drop(b);
        assert!(table.is_empty());
        assert_eq!((table.held(), table.memory.used()), (0, 0));
    });
}

#[test]
fn what_is_packed_in_a_weaker_mode_can_be_had_in_a_stronger_one() {
    simulated(1, |world| async move {
        let table = packing(&world, 4);
        let interrupt = Interrupt::default();
        let at_once = || request(&interrupt, LockWait::NoWait, 0);
        let (mut a, mut b) = (set(&table, 1), set(&table, 2));
        for n in 0..20 {
            a.lock(row(n), LockMode::Shared, at_once()).await.unwrap();
            b.lock(row(n), LockMode::Shared, at_once()).await.unwrap();
        }
        let upgrade = a.lock(row(3), LockMode::Exclusive, at_once()).await;
        assert!(matches!(upgrade, Err(Error::LockTaken)));
        drop(b);
        let upgrade = a.lock(row(3), LockMode::Exclusive, at_once()).await;
        assert_eq!(upgrade.unwrap(), Grant::New);
        assert_eq!(a.mode(&row(3)), Some(LockMode::Exclusive));
        assert_eq!(a.mode(&row(4)), Some(LockMode::Shared));
        // Whoever goes on without his session keeps them.
        a.abandon();
        let mut again = set(&table, 1);
        let taken = again.lock(row(4), LockMode::Exclusive, at_once()).await;
        assert!(matches!(taken, Err(Error::LockTaken)));
        drop(a);
        again.lock(row(4), LockMode::Exclusive, at_once()).await.unwrap();
        drop(again);
        assert!(table.is_empty());
    });
}

#[test]
fn packed_inserts_are_waited_for_and_ranges_of_a_scan_are_one() {
    simulated(1, |world| async move {
        let table = packing(&world, 64);
        let interrupt = Interrupt::default();
        let at_once = || request(&interrupt, LockWait::NoWait, 0);
        let key = |n: u32| Bytes::copy_from_slice(&n.to_be_bytes());
        let range = |from: u32, to: u32| KeyRange::new(key(from), key(to));
        let (mut a, mut b) = (set(&table, 1), set(&table, 2));
        for n in 1000..ROWS {
            a.intend_insert(SPACE, &key(n), at_once()).await.unwrap();
        }
        assert!(table.held() < 100, "{} inserts", table.held());
        assert!(table.memory.used() < 1 << 20);
        for (from, to) in [(0, 1001), (50_000, 50_001), (ROWS - 1, ROWS + 10)] {
            let taken = b.lock_range(SPACE, &range(from, to), at_once()).await;
            assert!(matches!(taken, Err(Error::LockTaken)), "{from} to {to}");
        }
        b.lock_range(SPACE, &range(0, 1000), at_once()).await.unwrap();
        // Its own inserts are no obstacle.
        for n in 1000..2000 {
            a.lock_range(SPACE, &range(n, n + 1), at_once()).await.unwrap();
        }
        assert!(table.held() < 100, "{} ranges", table.held());
        drop(a);
        b.lock_range(SPACE, &range(0, ROWS), at_once()).await.unwrap();
        drop(b);
        let mut c = set(&table, 3);
        c.intend_insert(SPACE, &key(5), at_once()).await.unwrap();
        drop(c);
        assert!(table.is_empty());
        assert_eq!((table.held(), table.memory.used()), (0, 0));
    });
}
