//! The lock table under real threads: what a simulation of one thread cannot show.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_engine::{Env, SpaceId, TaskClass};

use crate::memory::MemoryBudget;
use crate::txn::lock::{
    Grant, LockKey, LockLimits, LockMode, LockSet, LockTable, LockWait, OwnerId, Request,
};
use crate::txn::{Error, Interrupt};

const KEYS: usize = 6;
const OWNERS: u64 = 12;
const ROUNDS: u64 = 1500;
const SPACE: SpaceId = SpaceId(5);

/// Who is inside, by key: how many share it, or -1 for one alone.
type Inside = [AtomicI64; KEYS];

struct Guard<'a>(&'a AtomicI64, i64);

impl<'a> Guard<'a> {
    fn enter(inside: &'a AtomicI64, mode: LockMode) -> Self {
        let change = if mode == LockMode::Exclusive { -1 } else { 1 };
        let before = inside.fetch_add(change, Ordering::SeqCst);
        assert!(if change < 0 { before == 0 } else { before >= 0 }, "{before} were inside");
        Self(inside, change)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::SeqCst);
    }
}

async fn owner(
    env: Env,
    table: Arc<LockTable>,
    inside: Arc<Inside>,
    inserts: Arc<AtomicI64>,
    deadlocks: Arc<AtomicUsize>,
    id: u64,
) {
    let interrupt = Interrupt::default();
    for _ in 0..ROUNDS {
        let mut guards = Vec::new();
        let mut inserted = Vec::new();
        let mut set = LockSet::new(Arc::clone(&table), OwnerId(id));
        // A deadlock that is not found ends the test.
        let wait = LockWait::For(Duration::from_secs(60));
        let request = Request { wait, interrupt: &interrupt, weight: env.random_u64() % 3 };
        for _ in 0..3 {
            let n = env.random_u64() as usize % KEYS;
            let mode = [LockMode::Shared, LockMode::Exclusive][env.random_u64() as usize % 2];
            let key = LockKey::Row(SPACE, Bytes::copy_from_slice(&[n as u8]));
            if set.mode(&key).is_some() {
                continue;
            }
            let result = match env.random_u64() % 10 {
                // Dropped after a poll or two.
                0 => {
                    let mut polls = 0;
                    let mut lock = std::pin::pin!(set.lock(key, mode, request));
                    let once = std::future::poll_fn(|cx| {
                        polls += 1;
                        match lock.as_mut().poll(cx) {
                            std::task::Poll::Pending if polls > 1 => std::task::Poll::Ready(None),
                            other => {
                                cx.waker().wake_by_ref();
                                other.map(Some)
                            }
                        }
                    });
                    once.await.unwrap_or(Ok(Grant::Skipped))
                }
                1 => {
                    let range = KeyRange::new(&b"a"[..], &b"c"[..]);
                    let locked = set.lock_range(SPACE, &range, request).await;
                    if locked.is_ok() {
                        assert_eq!(
                            inserts.load(Ordering::SeqCst),
                            inserted.len() as i64,
                            "others have inserted into the range"
                        );
                    }
                    locked.map(|_| Grant::Skipped)
                }
                2 => {
                    let intended = set.intend_insert(SPACE, b"b", request).await;
                    if intended.is_ok() {
                        inserts.fetch_add(1, Ordering::SeqCst);
                        inserted.push(());
                    }
                    intended.map(|_| Grant::Skipped)
                }
                3 => {
                    let request = Request { wait: LockWait::Skip, ..request };
                    set.lock(key, mode, request).await
                }
                _ => set.lock(key, mode, request).await,
            };
            match result {
                Ok(Grant::New) => guards.push(Guard::enter(&inside[n], mode)),
                Ok(Grant::Held | Grant::Skipped) => {}
                Err(Error::Deadlock) => {
                    deadlocks.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Err(e) => panic!("{e}"),
            }
            env.yield_now().await;
        }
        drop(guards);
        inserts.fetch_sub(inserted.len() as i64, Ordering::SeqCst);
    }
}

#[test]
fn threads_exclude_each_other_and_none_is_forgotten() {
    exclude(1000);
}

#[test]
fn threads_exclude_each_other_where_locks_are_packed() {
    exclude(2);
}

fn exclude(pack_at: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let env = Env::tokio(runtime.handle().clone(), runtime.handle().clone());
    let table = LockTable::new(
        env.clone(),
        LockLimits { pack_at, ..LockLimits::default() },
        MemoryBudget::new(64 << 20),
    );
    let deadlocks = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let inside = Arc::new(Inside::default());
        let inserts = Arc::new(AtomicI64::new(0));
        let owners = (1..=OWNERS).map(|id| {
            let shared = (Arc::clone(&table), Arc::clone(&inside), Arc::clone(&inserts));
            let owner =
                owner(env.clone(), shared.0, shared.1, shared.2, Arc::clone(&deadlocks), id);
            env.spawn(TaskClass::Foreground, "owner", owner)
        });
        for owner in owners.collect::<Vec<_>>() {
            owner.await.expect("no owner panics");
        }
    });
    assert_eq!((table.held(), table.waiting()), (0, 0));
    assert!(table.is_empty(), "nothing is left behind");
    assert!(deadlocks.load(Ordering::Relaxed) > 0, "there was something to find");
}
