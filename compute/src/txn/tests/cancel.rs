//! Every call that waits, dropped at every poll: nothing is left behind, and
//! the transaction can go on.

use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use firn_engine::key::KeyRange;

use super::{SPACE, WAIT, begin, over};
use crate::testing::{World, simulated};
use crate::txn::{Direction, IsolationLevel, LockMode, LockingScan, Result, RowLocks, Transaction};

type Call = for<'a> fn(&'a mut Transaction) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

fn range() -> KeyRange {
    KeyRange::new(&b"a"[..], &b"z"[..])
}

async fn scan(t: &mut Transaction, rows: RowLocks) -> Result<()> {
    let mut scan = LockingScan::new(SPACE, range(), Direction::Ascending, rows, WAIT, 2);
    while scan.next(t).await?.is_some() {}
    Ok(())
}

const CALLS: [(&str, Call); 7] = [
    ("lock_row", |t| {
        Box::pin(async { t.lock_row(SPACE, b"b", LockMode::Shared, WAIT).await.map(drop) })
    }),
    ("get_locked", |t| {
        Box::pin(async { t.get_locked(SPACE, b"b", LockMode::Exclusive, WAIT).await.map(drop) })
    }),
    ("lock_for_insert", |t| {
        Box::pin(async { t.lock_for_insert(SPACE, b"c", WAIT).await.map(drop) })
    }),
    ("intend_insert", |t| Box::pin(async { t.intend_insert(SPACE, b"dd", WAIT).await.map(drop) })),
    ("lock_range", |t| Box::pin(async { t.lock_range(SPACE, &range(), WAIT).await.map(drop) })),
    ("locking scan", |t| Box::pin(scan(t, RowLocks::Each(LockMode::Exclusive)))),
    ("locking scan of a range", |t| Box::pin(scan(t, RowLocks::None))),
];

/// Drops a call after `polls`; returns whether it was done by then.
async fn drop_after(world: World, level: IsolationLevel, call: Call, polls: u64) -> bool {
    let env = world.env.clone();
    let manager = over(&world, world.open().await);
    for key in ["a", "b", "e"] {
        manager.db().put(SPACE, key.as_bytes(), b"v").await.unwrap();
    }
    // Somebody is in the way of each call, and commits after its first poll.
    let mut other = begin(&manager, 1, IsolationLevel::RepeatableRead);
    other.get_locked(SPACE, b"b", LockMode::Exclusive, WAIT).await.unwrap();
    other.lock_for_insert(SPACE, b"c", WAIT).await.unwrap();
    other.put(SPACE, b"c", "v").unwrap();
    other.lock_range(SPACE, &KeyRange::new(&b"d"[..], &b"e"[..]), WAIT).await.unwrap();
    let mut other = Some(other);
    let mut t = begin(&manager, 2, level);
    t.put(SPACE, b"own", "v").unwrap();
    let mut done = false;
    {
        let mut call = call(&mut t);
        for n in 0..polls {
            let poll = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if poll.is_ready() {
                done = true;
                break;
            }
            if n == 0 {
                other.take().expect("once").commit().await.unwrap();
            }
            env.sleep(Duration::from_micros(10)).await;
        }
    }
    drop(other);
    assert_eq!(manager.locks().waiting(), 0);
    assert_eq!(manager.locks().held(), t.lock_count());
    // It can be made again, and the transaction goes on.
    call(&mut t).await.unwrap();
    t.commit().await.unwrap();
    assert_eq!(manager.locks().held(), 0);
    assert!(manager.db().get(SPACE, b"own").await.unwrap().is_some());
    done
}

#[test]
fn calls_may_be_dropped_at_every_poll() {
    for level in super::LEVELS {
        for (name, call) in CALLS {
            let mut finished = None;
            for polls in 0..50 {
                let (sender, receiver) = std::sync::mpsc::channel();
                simulated(polls, |world| async move {
                    sender.send(drop_after(world, level, call, polls).await).unwrap();
                });
                if receiver.recv().unwrap() {
                    finished = Some(polls);
                    break;
                }
            }
            assert!(finished.is_some_and(|polls| polls > 1), "{name} at {level:?}: {finished:?}");
        }
    }
}
