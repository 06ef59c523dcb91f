//! Commits whose outcome nobody was there to hear, or could not be known.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use firn_engine::BranchName;
use firn_journal::AppendFault;

use super::journal::SlowJournal;
use super::{SPACE, WAIT, begin, over};
use crate::testing::{World, simulated};
use crate::txn::{IsolationLevel, LockMode, Locked, TransactionManager};

async fn slow(world: World, wait_max: Duration) -> (SlowJournal, Arc<TransactionManager>) {
    let journal = SlowJournal::new(world.env.clone(), Duration::from_millis(10));
    let mut world = world.with_journal(Arc::new(journal.clone()));
    world.options.commit_wait_max = wait_max;
    let manager = over(&world, world.open().await);
    (journal, manager)
}

/// Adds one to a counter, as soon as its lock is to be had.
async fn increment(manager: &Arc<TransactionManager>, session: u64) -> crate::txn::Result<()> {
    let mut t = begin(manager, session, IsolationLevel::RepeatableRead);
    let Locked::Row { value, .. } = t.get_locked(SPACE, b"n", LockMode::Exclusive, WAIT).await?
    else {
        unreachable!("it waits")
    };
    let n = value.map_or(0, |v| v[0]);
    t.put(SPACE, b"n", vec![n + 1])?;
    t.commit().await.map(drop)
}

/// The second transaction read what was there before the first, whose commit
/// was reported as unknown and became visible later: its update was lost.
#[test]
fn locks_of_an_unknown_commit_are_kept_until_it_is_decided() {
    simulated(1, |world| async move {
        let env = world.env.clone();
        let (journal, manager) = slow(world, Duration::from_secs(1)).await;
        journal.hold(true);
        let unknown = increment(&manager, 1).await.unwrap_err();
        assert!(unknown.is_outcome_unknown());
        assert_eq!(manager.locks().held(), 1);
        let answers = async {
            env.sleep(Duration::from_secs(2)).await;
            journal.hold(false);
        };
        // The same session, too: it is told apart from its former transaction.
        let (next, ()) = tokio::join!(increment(&manager, 1), answers);
        next.unwrap();
        assert_eq!(manager.db().get(SPACE, b"n").await.unwrap(), Some(vec![2].into()));
        assert_eq!(manager.locks().held(), 0);
    });
}

#[test]
fn locks_go_when_the_database_has_failed_for_good() {
    simulated(1, |world| async move {
        let env = world.env.clone();
        let (journal, manager) = slow(world, Duration::from_secs(1)).await;
        journal.memory().fail_next_append(&BranchName::main(), AppendFault::ReplyLost);
        let unknown = increment(&manager, 1).await.unwrap_err();
        assert!(unknown.is_outcome_unknown());
        env.sleep(Duration::from_secs(1)).await;
        assert_eq!(manager.locks().held(), 0);
        assert!(!increment(&manager, 1).await.unwrap_err().is_outcome_unknown());
    });
}

#[test]
fn a_refused_commit_is_rolled_back() {
    simulated(1, |world| async move {
        let (journal, manager) = slow(world, Duration::from_secs(1)).await;
        journal.memory().fail_next_append(&BranchName::main(), AppendFault::Refused);
        let refused = increment(&manager, 1).await.unwrap_err();
        assert!(!refused.is_outcome_unknown());
        assert_eq!(manager.locks().held(), 0);
        increment(&manager, 1).await.unwrap();
        assert_eq!(manager.db().get(SPACE, b"n").await.unwrap(), Some(vec![1].into()));
    });
}

/// Wherever an increment is dropped, it has happened or it has not, and who
/// comes next counts on from there.
#[test]
fn an_increment_may_be_dropped_at_every_await() {
    let mut polls_max = 0;
    for polls in 0..100 {
        let mut was_done = false;
        simulated(polls, |world| async {
            let env = world.env.clone();
            let (journal, manager) = slow(world, Duration::from_secs(1)).await;
            increment(&manager, 1).await.unwrap();
            // It has to wait for its lock first, and for the journal later.
            let first = begin(&manager, 2, IsolationLevel::RepeatableRead);
            let mut first = Some(first);
            let t = first.as_mut().unwrap();
            t.get_locked(SPACE, b"n", LockMode::Exclusive, WAIT).await.unwrap();
            {
                let mut dropped = std::pin::pin!(increment(&manager, 1));
                for n in 0..polls {
                    if n == 1 {
                        drop(first.take());
                    }
                    let mut cx = Context::from_waker(Waker::noop());
                    if dropped.as_mut().poll(&mut cx).is_ready() {
                        was_done = true;
                        break;
                    }
                    env.sleep(Duration::from_millis(1)).await;
                }
            }
            drop(first);
            assert_eq!(manager.locks().waiting(), 0);
            let read = manager.db().get(SPACE, b"n").await.unwrap().unwrap()[0];
            increment(&manager, 1).await.unwrap();
            let done = manager.db().get(SPACE, b"n").await.unwrap().unwrap()[0];
            assert!(done == read + 1 || (read == 1 && done == 3), "{read}, then {done}");
            assert!(!was_done || done == 3);
            assert_eq!(manager.locks().held(), 0);
            drop(journal);
        });
        polls_max = polls;
        if was_done {
            break;
        }
    }
    assert!((4..99).contains(&polls_max), "{polls_max} polls");
}

/// A memtable that has only seen barriers can be flushed and replayed.
#[test]
fn a_barrier_leaves_nothing_behind() {
    simulated(1, |world| async move {
        let db = world.open().await;
        db.barrier().await.unwrap();
        db.flush(Duration::from_secs(10)).await.unwrap();
        let seq = db.barrier().await.unwrap();
        assert_eq!(db.last_seq(), seq);
        drop(db);
        let db = world.open().await;
        db.put(SPACE, b"k", b"v").await.unwrap();
        db.flush(Duration::from_secs(10)).await.unwrap();
        db.close(Duration::from_secs(10)).await.unwrap();
        drop(db);
        let db = world.open().await;
        assert_eq!(db.get(SPACE, b"k").await.unwrap(), Some("v".into()));
    });
}
