//! Single situations.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_engine::{SpaceId, TaskClass};

use super::{BoxFuture, WAIT, poll, request, set, table};
use crate::memory::MemoryBudget;
use crate::testing::simulated;
use crate::txn::lock::{
    Grant, LockKey, LockLimits, LockMode, LockSet, LockTable, LockWait, OwnerId,
};
use crate::txn::{Error, Interrupt, Result, Why};

const SPACE: SpaceId = SpaceId(5);

fn row(name: &'static str) -> LockKey {
    LockKey::Row(SPACE, Bytes::from_static(name.as_bytes()))
}

/// A request under way; the set comes back with the result.
fn asking(
    mut set: LockSet,
    key: LockKey,
    mode: LockMode,
    weight: u64,
) -> BoxFuture<(LockSet, Result<Grant>)> {
    Box::pin(async move {
        let interrupt = Interrupt::default();
        let result = set.lock(key, mode, request(&interrupt, WAIT, weight)).await;
        (set, result)
    })
}

async fn hold(table: &Arc<LockTable>, owner: u64, key: LockKey, mode: LockMode) -> LockSet {
    let mut set = set(table, owner);
    let interrupt = Interrupt::default();
    set.lock(key, mode, request(&interrupt, LockWait::NoWait, 0)).await.unwrap();
    set
}

#[test]
fn a_shared_request_does_not_overtake_an_exclusive_one() {
    simulated(1, |world| async move {
        let table = table(&world);
        let reader = hold(&table, 1, row("k"), LockMode::Shared).await;
        let mut writer = asking(set(&table, 2), row("k"), LockMode::Exclusive, 0);
        assert!(poll(&mut writer).is_none());
        let mut late = asking(set(&table, 3), row("k"), LockMode::Shared, 0);
        assert!(poll(&mut late).is_none());
        drop(reader);
        assert!(poll(&mut late).is_none());
        let (writer, result) = poll(&mut writer).unwrap();
        assert_eq!(result.unwrap(), Grant::New);
        drop(writer);
        assert_eq!(poll(&mut late).unwrap().1.unwrap(), Grant::New);
        drop(late);
        assert_eq!((table.held(), table.waiting()), (0, 0));
    });
}

#[test]
fn a_wait_that_is_dropped_lets_those_behind_it_go() {
    simulated(1, |world| async move {
        let table = table(&world);
        let _reader = hold(&table, 1, row("k"), LockMode::Shared).await;
        let mut writer = asking(set(&table, 2), row("k"), LockMode::Exclusive, 0);
        assert!(poll(&mut writer).is_none());
        let mut late = asking(set(&table, 3), row("k"), LockMode::Shared, 0);
        assert!(poll(&mut late).is_none());
        drop(writer);
        assert_eq!(poll(&mut late).unwrap().1.unwrap(), Grant::New);
    });
}

#[test]
fn a_grant_that_nobody_takes_is_given_back() {
    simulated(1, |world| async move {
        let table = table(&world);
        let first = hold(&table, 1, row("k"), LockMode::Exclusive).await;
        let mut second = asking(set(&table, 2), row("k"), LockMode::Exclusive, 0);
        assert!(poll(&mut second).is_none());
        drop(first);
        // It has the lock by now, but its task has not run since.
        drop(second);
        assert_eq!((table.held(), table.waiting()), (0, 0));
        let _third = hold(&table, 3, row("k"), LockMode::Exclusive).await;
    });
}

#[test]
fn an_upgrade_that_is_dropped_keeps_what_was_held() {
    simulated(1, |world| async move {
        let table = table(&world);
        let mut mine = hold(&table, 1, row("k"), LockMode::Shared).await;
        let other = hold(&table, 2, row("k"), LockMode::Shared).await;
        {
            let interrupt = Interrupt::default();
            let upgrade = mine.lock(row("k"), LockMode::Exclusive, request(&interrupt, WAIT, 0));
            let mut upgrade = std::pin::pin!(upgrade);
            let mut cx = Context::from_waker(Waker::noop());
            assert!(upgrade.as_mut().poll(&mut cx).is_pending());
            drop(other);
        }
        assert_eq!(mine.mode(&row("k")), Some(LockMode::Shared));
        let _reader = hold(&table, 3, row("k"), LockMode::Shared).await;
        let mut writer = set(&table, 4);
        let interrupt = Interrupt::default();
        let no_wait = request(&interrupt, LockWait::NoWait, 0);
        drop(_reader);
        assert!(writer.lock(row("k"), LockMode::Exclusive, no_wait).await.is_err());
        let _reader = hold(&table, 3, row("k"), LockMode::Shared).await;
        assert_eq!(table.held(), 2);
    });
}

#[test]
fn two_upgrades_are_a_deadlock_and_the_second_ends_it() {
    simulated(1, |world| async move {
        let table = table(&world);
        let a = hold(&table, 1, row("k"), LockMode::Shared).await;
        let b = hold(&table, 2, row("k"), LockMode::Shared).await;
        let mut a = asking(a, row("k"), LockMode::Exclusive, 1);
        assert!(poll(&mut a).is_none());
        let (b, result) = poll(&mut asking(b, row("k"), LockMode::Exclusive, 1)).unwrap();
        assert!(matches!(result, Err(Error::Deadlock)));
        assert!(poll(&mut a).is_none());
        drop(b);
        assert_eq!(poll(&mut a).unwrap().1.unwrap(), Grant::New);
    });
}

/// 3 waits behind the upgrade only; what 1 held before did not concern him.
#[test]
fn a_deadlock_with_those_behind_an_upgrade_is_found() {
    simulated(1, |world| async move {
        let table = table(&world);
        let key = LockKey::Table(7);
        let a = hold(&table, 1, key.clone(), LockMode::IntentionShared).await;
        let b = hold(&table, 2, key.clone(), LockMode::IntentionShared).await;
        let _writer = hold(&table, 4, key.clone(), LockMode::IntentionExclusive).await;
        let c = hold(&table, 3, row("k"), LockMode::Exclusive).await;
        let mut c = asking(c, key.clone(), LockMode::Shared, 0);
        assert!(poll(&mut c).is_none());
        let mut b = asking(b, row("k"), LockMode::Shared, 0);
        assert!(poll(&mut b).is_none());
        let (_, result) = poll(&mut asking(a, key, LockMode::Exclusive, 0)).unwrap();
        assert!(matches!(result, Err(Error::Deadlock)));
    });
}

#[test]
fn a_downgrade_lets_others_in() {
    simulated(1, |world| async move {
        let table = table(&world);
        let mut ddl = hold(&table, 1, LockKey::Table(7), LockMode::Exclusive).await;
        let mut dml = asking(set(&table, 2), LockKey::Table(7), LockMode::IntentionExclusive, 0);
        assert!(poll(&mut dml).is_none());
        ddl.downgrade(&LockKey::Table(7), LockMode::IntentionExclusive);
        let (_dml, result) = poll(&mut dml).unwrap();
        assert_eq!(result.unwrap(), Grant::New);
        let mut other = asking(set(&table, 3), LockKey::Table(7), LockMode::Shared, 0);
        assert!(poll(&mut other).is_none());
    });
}

/// Who has inserted into a range goes on doing so while somebody waits for it;
/// others stand behind.
#[test]
fn a_waiting_range_keeps_out_those_it_does_not_wait_for() {
    simulated(1, |world| async move {
        let table = table(&world);
        let interrupt = Interrupt::default();
        let no_wait = || request(&interrupt, LockWait::NoWait, 0);
        let mut first = set(&table, 1);
        first.intend_insert(SPACE, b"c", no_wait()).await.unwrap();
        let mut reader = set(&table, 2);
        let mut range: BoxFuture<(LockSet, Result<Grant>)> = Box::pin(async move {
            let interrupt = Interrupt::default();
            let range = KeyRange::new(&b"a"[..], &b"j"[..]);
            let result = reader.lock_range(SPACE, &range, request(&interrupt, WAIT, 0)).await;
            (reader, result)
        });
        assert!(poll(&mut range).is_none());
        first.intend_insert(SPACE, b"d", no_wait()).await.unwrap();
        let mut second = set(&table, 3);
        assert!(second.intend_insert(SPACE, b"e", no_wait()).await.is_err());
        drop(first);
        assert!(poll(&mut range).is_some_and(|(_, result)| result.is_ok()));
        second.intend_insert(SPACE, b"e", no_wait()).await.unwrap();
    });
}

/// 1 has the name and wants the row, 2 has the row and a range and wants the
/// table, 3 has the table and wants to insert into the range, then 1's name.
#[test]
fn deadlocks_are_found_across_all_kinds_of_locks() {
    simulated(1, |world| async move {
        let table = table(&world);
        let interrupt = Interrupt::default();
        let name = LockKey::Name(Bytes::from_static(b"job"));
        let a = hold(&table, 1, name.clone(), LockMode::Exclusive).await;
        let mut b = hold(&table, 2, row("k"), LockMode::Exclusive).await;
        let range = KeyRange::new(&b"a"[..], &b"j"[..]);
        b.lock_range(SPACE, &range, request(&interrupt, WAIT, 0)).await.unwrap();
        let c = hold(&table, 3, LockKey::Table(7), LockMode::Exclusive).await;
        let mut a = asking(a, row("k"), LockMode::Shared, 5);
        assert!(poll(&mut a).is_none());
        let mut b = asking(b, LockKey::Table(7), LockMode::IntentionExclusive, 0);
        assert!(poll(&mut b).is_none());
        // 2 has written least.
        let mut c: BoxFuture<(LockSet, Result<Grant>)> = Box::pin(async move {
            let (mut c, interrupt) = (c, Interrupt::default());
            let result = c.intend_insert(SPACE, b"c", request(&interrupt, WAIT, 2)).await;
            (c, result)
        });
        assert!(poll(&mut c).is_none());
        let (b, result) = poll(&mut b).unwrap();
        assert!(matches!(result, Err(Error::Deadlock)));
        drop(b);
        assert_eq!(poll(&mut a).unwrap().1.unwrap(), Grant::New);
        assert_eq!(poll(&mut c).unwrap().1.unwrap(), Grant::New);
    });
}

#[test]
fn the_session_s_own_sets_do_not_wait_for_each_other() {
    simulated(1, |world| async move {
        let table = table(&world);
        let tables = hold(&table, 1, LockKey::Table(7), LockMode::Exclusive).await;
        let mut other = asking(set(&table, 2), LockKey::Table(7), LockMode::Shared, 0);
        assert!(poll(&mut other).is_none());
        let own = hold(&table, 1, LockKey::Table(7), LockMode::IntentionExclusive).await;
        drop(tables);
        assert!(poll(&mut other).is_none());
        drop(own);
        assert!(poll(&mut other).is_some());
    });
}

#[test]
fn an_abandoned_set_is_somebody_else() {
    simulated(1, |world| async move {
        let table = table(&world);
        let interrupt = Interrupt::default();
        let mut old = hold(&table, 1, row("k"), LockMode::Exclusive).await;
        let range = KeyRange::new(&b"a"[..], &b"j"[..]);
        old.lock_range(SPACE, &range, request(&interrupt, WAIT, 0)).await.unwrap();
        old.intend_insert(SPACE, b"p", request(&interrupt, WAIT, 0)).await.unwrap();
        old.abandon();
        let mut new = set(&table, 1);
        let no_wait = || request(&interrupt, LockWait::NoWait, 0);
        let range = KeyRange::new(&b"n"[..], &b"q"[..]);
        assert!(new.lock(row("k"), LockMode::Shared, no_wait()).await.is_err());
        assert!(new.intend_insert(SPACE, b"b", no_wait()).await.is_err());
        assert!(new.lock_range(SPACE, &range, no_wait()).await.is_err());
        drop(old);
        assert_eq!(table.held(), 0);
        new.lock(row("k"), LockMode::Shared, no_wait()).await.unwrap();
        new.intend_insert(SPACE, b"b", no_wait()).await.unwrap();
        new.lock_range(SPACE, &range, no_wait()).await.unwrap();
    });
}

#[test]
fn names_are_held_as_often_as_they_were_asked_for() {
    simulated(1, |world| async move {
        let table = table(&world);
        let key = LockKey::Name(Bytes::from_static(b"job"));
        let mut mine = hold(&table, 1, key.clone(), LockMode::Exclusive).await;
        let interrupt = Interrupt::default();
        let again = mine.lock(key.clone(), LockMode::Exclusive, request(&interrupt, WAIT, 0));
        assert_eq!(again.await.unwrap(), Grant::Held);
        assert_eq!(table.exclusive_owner(&key), Some(OwnerId(1)));
        assert!(mine.unlock(&key));
        assert_eq!(table.exclusive_owner(&key), Some(OwnerId(1)));
        assert!(mine.unlock(&key));
        assert_eq!(table.exclusive_owner(&key), None);
        assert!(!mine.unlock(&key));
    });
}

#[test]
fn an_interrupt_ends_a_wait() {
    simulated(1, |world| async move {
        let table = table(&world);
        let _first = hold(&table, 1, row("k"), LockMode::Exclusive).await;
        let mut second = set(&table, 2);
        let interrupt = Interrupt::default();
        let killer = interrupt.clone();
        let env = world.env.clone();
        let kill = async {
            env.sleep(Duration::from_secs(3)).await;
            killer.set(Why::Query);
        };
        let wait = second.lock(row("k"), LockMode::Shared, request(&interrupt, WAIT, 0));
        let (result, ()) = tokio::join!(wait, kill);
        assert!(matches!(result, Err(Error::Interrupted(Why::Query))));
        assert_eq!(world.env.now().0 / 1_000_000_000, 3);
        assert_eq!((table.held(), table.waiting()), (1, 0));
        interrupt.clear();
        assert_eq!(interrupt.get(), None);
        interrupt.set(Why::Connection);
        interrupt.set(Why::Query);
        interrupt.clear();
        assert_eq!(interrupt.get(), Some(Why::Connection));
    });
}

#[test]
fn a_wait_may_move_to_another_task() {
    simulated(1, |world| async move {
        let (env, table) = (world.env.clone(), table(&world));
        let first = hold(&table, 1, row("k"), LockMode::Exclusive).await;
        let mut second = set(&table, 2);
        let mut wait = Box::pin(async move {
            let interrupt = Interrupt::default();
            second.lock(row("k"), LockMode::Shared, request(&interrupt, WAIT, 0)).await
        });
        let mut cx = Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        let wait = env.spawn(TaskClass::Foreground, "waiter", wait);
        env.sleep(Duration::from_secs(3)).await;
        drop(first);
        assert!(wait.await.unwrap().is_ok());
        assert_eq!(env.now().0 / 1_000_000_000, 3);
    });
}

#[test]
fn there_are_limits() {
    simulated(1, |world| async move {
        let table = LockTable::new(
            world.env.clone(),
            LockLimits { per_set: 2, total: 3, pack_at: 100 },
            MemoryBudget::new(1 << 20),
        );
        let mut a = hold(&table, 1, row("a"), LockMode::Shared).await;
        let interrupt = Interrupt::default();
        a.lock(row("b"), LockMode::Shared, request(&interrupt, WAIT, 0)).await.unwrap();
        let third = a.lock(row("c"), LockMode::Shared, request(&interrupt, WAIT, 0)).await;
        assert!(matches!(third, Err(Error::TooManyLocks { limit: 2 })));
        // Not a new lock.
        a.lock(row("b"), LockMode::Exclusive, request(&interrupt, WAIT, 0)).await.unwrap();
        let b = hold(&table, 2, row("c"), LockMode::Shared).await;
        let mut c = set(&table, 3);
        let fourth = c.lock(row("c"), LockMode::Shared, request(&interrupt, WAIT, 0)).await;
        assert!(matches!(fourth, Err(Error::TooManyLocks { limit: 3 })));
        drop((a, b));
        assert_eq!(table.held(), 0);
    });
}
