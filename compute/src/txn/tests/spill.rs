//! Transactions larger than memory: what they wrote goes to files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_engine::object::FaultPlan;
use firn_engine::{Db, SpaceId};
use proptest::prelude::*;

use super::{SPACE, begin};
use crate::testing::{World, simulated};
use crate::txn::{
    Direction, IsolationLevel, Limits, LockKey, LockLimits, LockMode, LockWait, ReadMode,
    StatementMark, Transaction, TransactionManager,
};

/// Anything at all is too much.
fn small(world: &World, db: Arc<Db>) -> Arc<TransactionManager> {
    let limits = Limits { spill_bytes: 1, ..Limits::default() };
    TransactionManager::new(db, world.env.clone(), limits)
}

fn all() -> KeyRange {
    KeyRange { start: Bytes::new(), end: None }
}

async fn scanned(t: &mut Transaction, space: SpaceId, direction: Direction) -> Vec<(u8, u8)> {
    let mut scan = t.scan(space, &all(), direction, ReadMode::Current).await.unwrap();
    let rows = scan.collect(1000).await.unwrap();
    rows.into_iter().map(|(k, v)| (k[0], v[0])).collect()
}

async fn committed(db: &Db, space: SpaceId) -> Vec<(u8, u8)> {
    let rows = db.scan(space, &all()).await.unwrap().collect(1000).await.unwrap();
    rows.into_iter().map(|(k, v)| (k[0], v[0])).collect()
}

type Model = BTreeMap<(u32, u8), u8>;

fn of_space(model: &Model, space: SpaceId) -> Vec<(u8, u8)> {
    model.iter().filter(|((s, _), _)| *s == space.0).map(|((_, k), v)| (*k, *v)).collect()
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8, Option<u8>),
    Savepoint(u8),
    RollBackTo(u8),
    Release(u8),
    /// A statement that writes some keys, and fails or not.
    Statement(Vec<(u8, u8, Option<u8>)>, bool),
    Spill,
    /// Somebody else commits a key of his own.
    Other(u8),
}

fn write() -> impl Strategy<Value = (u8, u8, Option<u8>)> {
    (0u8..2, 0u8..8, prop::option::weighted(0.7, any::<u8>()))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => write().prop_map(|(s, k, v)| Step::Put(s, k, v)),
        1 => (0u8..3).prop_map(Step::Savepoint),
        1 => (0u8..3).prop_map(Step::RollBackTo),
        1 => (0u8..3).prop_map(Step::Release),
        2 => (prop::collection::vec(write(), 0..6), any::<bool>())
            .prop_map(|(writes, ok)| Step::Statement(writes, ok)),
        4 => Just(Step::Spill),
        1 => any::<u8>().prop_map(Step::Other),
    ]
}

fn put(t: &mut Transaction, model: &mut Model, (s, k, v): (u8, u8, Option<u8>)) {
    let space = SpaceId(SPACE.0 + u32::from(s));
    match v {
        Some(v) => {
            t.put(space, &[k], vec![v]).unwrap();
            model.insert((space.0, k), v);
        }
        None => {
            t.delete(space, &[k]).unwrap();
            model.remove(&(space.0, k));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_transaction_in_files_is_a_transaction(
        before in prop::collection::btree_map((0u8..2, 0u8..8), any::<u8>(), 0..10),
        steps in prop::collection::vec(step(), 0..40),
        commits in any::<bool>(),
    ) {
        simulated(1, |world| async move {
            let db = world.open().await;
            let manager = small(&world, Arc::clone(&db));
            let mut model = Model::new();
            for ((s, k), v) in before {
                let space = SpaceId(SPACE.0 + u32::from(s));
                db.put(space, &[k], &[v]).await.unwrap();
                model.insert((space.0, k), v);
            }
            let start = model.clone();
            let other = SpaceId(SPACE.0 + 9);
            let mut t = begin(&manager, 1, IsolationLevel::ReadCommitted);
            let mut savepoints: Vec<(u8, Model)> = Vec::new();
            for step in steps {
                match step {
                    Step::Put(s, k, v) => put(&mut t, &mut model, (s, k, v)),
                    Step::Savepoint(n) => {
                        t.savepoint(&[n]).unwrap();
                        savepoints.retain(|(name, _)| *name != n);
                        savepoints.push((n, model.clone()));
                    }
                    Step::RollBackTo(n) => {
                        let at = savepoints.iter().position(|(name, _)| *name == n);
                        assert_eq!(t.roll_back_to_savepoint(&[n]).is_ok(), at.is_some());
                        if let Some(at) = at {
                            model = savepoints[at].1.clone();
                            savepoints.truncate(at + 1);
                        }
                    }
                    Step::Release(n) => {
                        let at = savepoints.iter().position(|(name, _)| *name == n);
                        assert_eq!(t.release_savepoint(&[n]).is_ok(), at.is_some());
                        if let Some(at) = at {
                            savepoints.truncate(at);
                        }
                    }
                    Step::Statement(writes, ok) => {
                        let was = model.clone();
                        let mark: StatementMark = t.begin_statement();
                        for write in writes {
                            put(&mut t, &mut model, write);
                            t.spill_if_large().await.unwrap();
                        }
                        if ok {
                            t.end_statement(mark);
                        } else {
                            t.roll_back_statement(mark);
                            model = was;
                        }
                    }
                    Step::Spill => t.spill_if_large().await.unwrap(),
                    Step::Other(v) => {
                        db.put(other, &[v], &[v]).await.unwrap();
                    }
                }
                for s in 0..2 {
                    let space = SpaceId(SPACE.0 + s);
                    let expected = of_space(&model, space);
                    assert_eq!(scanned(&mut t, space, Direction::Ascending).await, expected);
                    let mut backward = scanned(&mut t, space, Direction::Descending).await;
                    backward.reverse();
                    assert_eq!(backward, expected);
                    let keys: Vec<[u8; 1]> = (0..8).map(|k| [k]).collect();
                    let keys: Vec<&[u8]> = keys.iter().map(|k| &k[..]).collect();
                    let many = t.get_many(space, &keys, ReadMode::Current).await.unwrap();
                    for (k, value) in many.into_iter().enumerate() {
                        let expected = model.get(&(space.0, k as u8)).copied();
                        assert_eq!(value.map(|v| v[0]), expected);
                        let one = t.get(space, &[k as u8], ReadMode::Current).await.unwrap();
                        assert_eq!(one.map(|v| v[0]), expected);
                    }
                    assert_eq!(committed(&db, space).await, of_space(&start, space), "nobody sees it");
                }
            }
            let others = committed(&db, other).await;
            let expected = if commits {
                t.commit().await.unwrap();
                model
            } else {
                t.roll_back();
                start
            };
            let check = |db: Arc<Db>| {
                let (expected, others) = (expected.clone(), others.clone());
                async move {
                    for s in 0..2 {
                        let space = SpaceId(SPACE.0 + s);
                        assert_eq!(committed(&db, space).await, of_space(&expected, space));
                    }
                    assert_eq!(committed(&db, other).await, others);
                }
            };
            check(Arc::clone(&db)).await;
            drop((manager, db));
            check(world.open().await).await;
        });
    }
}

/// Writes `rows` rows and puts them into files along the way.
async fn fill(t: &mut Transaction, rows: u32) {
    for row in 0..rows {
        t.put(SPACE, &row.to_be_bytes(), vec![7; 100]).unwrap();
        if row % 100 == 99 {
            t.spill_if_large().await.unwrap();
        }
    }
}

#[test]
fn many_layers_become_one_commit() {
    simulated(1, |world| async move {
        let manager = small(&world, world.open().await);
        let db = Arc::clone(manager.db());
        db.put(SPACE, &5u32.to_be_bytes(), b"old").await.unwrap();
        let snapshot = db.snapshot();
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        fill(&mut t, 5_000).await;
        assert!(t.written_bytes() < 50_000, "it is not in memory");
        t.delete(SPACE, &7u32.to_be_bytes()).unwrap();
        let seq = t.commit().await.unwrap();
        assert_eq!(seq, Some(db.last_seq()));
        let rows = db.scan(SPACE, &all()).await.unwrap().collect(10_000).await.unwrap();
        assert_eq!(rows.len(), 4_999);
        // Who looked before sees what was there then.
        let then = snapshot.get(SPACE, &5u32.to_be_bytes()).await.unwrap();
        assert_eq!(then.as_deref(), Some(&b"old"[..]));
        assert_eq!(snapshot.get(SPACE, &6u32.to_be_bytes()).await.unwrap(), None);
        let old = snapshot.scan(SPACE, &all()).await.unwrap().collect(10).await.unwrap();
        assert_eq!(old.len(), 1);
        // Later commits are later.
        db.put(SPACE, &5u32.to_be_bytes(), b"new").await.unwrap();
        drop((snapshot, manager, db));
        let db = world.open().await;
        let now = db.get(SPACE, &5u32.to_be_bytes()).await.unwrap();
        assert_eq!(now.as_deref(), Some(&b"new"[..]));
        let rows = db.scan(SPACE, &all()).await.unwrap().collect(10_000).await.unwrap();
        assert_eq!(rows.len(), 4_999);
        let now = db.get(SPACE, &6u32.to_be_bytes()).await.unwrap();
        assert_eq!(now.as_deref(), Some(&[7; 100][..]));
    });
}

/// With one layer for all that was merged before, each merge would write all of it again.
#[test]
fn layers_are_merged_with_others_of_their_size() {
    simulated(1, |world| async move {
        let manager = small(&world, world.open().await);
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        let mut most = 0;
        for row in 0..600u32 {
            t.put(SPACE, &row.to_be_bytes(), vec![7; 10]).unwrap();
            t.spill_if_large().await.unwrap();
            let tiers = t.writes.tiers();
            most = most.max(tiers.len());
            assert!(tiers.is_sorted_by(|a, b| a >= b), "{tiers:?}");
        }
        // 8 to the 3rd are 512 of them, merged three times.
        assert_eq!(t.writes.tiers().first(), Some(&3));
        assert!(most <= 4 * 8, "{most} layers");
        assert_eq!(scanned(&mut t, SPACE, Direction::Ascending).await.len(), 600);
        t.commit().await.unwrap();
        let rows = manager.db().scan(SPACE, &all()).await.unwrap().collect(1000).await.unwrap();
        assert_eq!(rows.len(), 600);
    });
}

#[test]
fn others_commit_before_and_behind_a_large_one() {
    simulated(1, |world| async move {
        let manager = small(&world, world.open().await);
        let db = Arc::clone(manager.db());
        let other = SpaceId(SPACE.0 + 1);
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        fill(&mut t, 1_000).await;
        let writes = async {
            for n in 0..200u32 {
                db.put(other, &n.to_be_bytes(), b"x").await.unwrap();
            }
        };
        let (committed, ()) = tokio::join!(t.commit(), writes);
        committed.unwrap();
        let count = |db: Arc<Db>| async move {
            let large = db.scan(SPACE, &all()).await.unwrap().collect(10_000).await.unwrap();
            let small = db.scan(other, &all()).await.unwrap().collect(10_000).await.unwrap();
            (large.len(), small.len())
        };
        assert_eq!(count(Arc::clone(&db)).await, (1_000, 200));
        drop((manager, db));
        assert_eq!(count(world.open().await).await, (1_000, 200));
    });
}

#[test]
fn merges_take_the_files_of_large_transactions() {
    simulated(1, |world| async move {
        let (db, worker) = world.open_merging().await;
        let manager = small(&world, Arc::clone(&db));
        let mut expected: BTreeMap<u32, u8> = BTreeMap::new();
        let mut old: Vec<(firn_engine::db::Snapshot, usize)> = Vec::new();
        for round in 0..8u8 {
            let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
            for row in (0..500u32).filter(|row| row % 8 <= u32::from(round)) {
                if row % 7 == u32::from(round) {
                    t.delete(SPACE, &row.to_be_bytes()).unwrap();
                    expected.remove(&row);
                } else {
                    t.put(SPACE, &row.to_be_bytes(), vec![round]).unwrap();
                    expected.insert(row, round);
                }
                if row % 50 == 0 {
                    t.spill_if_large().await.unwrap();
                }
            }
            t.commit().await.unwrap();
            old.push((db.snapshot(), expected.len()));
            // A small one on top, which is flushed beside it.
            db.put(SPACE, &u32::from(round).to_be_bytes(), b"x").await.unwrap();
            expected.insert(u32::from(round), b'x');
            db.flush(Duration::from_secs(10)).await.unwrap();
            world.env.sleep(Duration::from_secs(20)).await;
        }
        assert!(worker.counts().entries_in.load(std::sync::atomic::Ordering::Relaxed) > 0);
        for (snapshot, rows) in old {
            let seen = snapshot.scan(SPACE, &all()).await.unwrap().collect(1000).await.unwrap();
            assert_eq!(seen.len(), rows);
        }
        let rows = db.scan(SPACE, &all()).await.unwrap().collect(1000).await.unwrap();
        let rows: BTreeMap<u32, u8> = rows
            .iter()
            .map(|(k, v)| (u32::from_be_bytes(k[..].try_into().unwrap()), v[0]))
            .collect();
        assert_eq!(rows, expected);
    });
}

#[test]
fn what_is_rolled_back_leaves_no_objects() {
    simulated(1, |world| async move {
        let manager = small(&world, world.open().await);
        let before = world.files().await;
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        fill(&mut t, 2_000).await;
        assert!(world.files().await > before);
        t.roll_back();
        world.env.sleep(Duration::from_secs(1)).await;
        assert_eq!(world.files().await, before);
        // Nor do the layers of one that is committed.
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        fill(&mut t, 2_000).await;
        t.commit().await.unwrap();
        world.env.sleep(Duration::from_secs(1)).await;
        assert_eq!(world.files().await, before + 1);
    });
}

/// The process ends at one moment of a commit after the other: what is there afterwards is all
/// of the transaction or nothing, and all of it if somebody was told so.
#[test]
fn a_crash_at_any_moment_of_a_commit_leaves_all_or_nothing() {
    let outcomes = Arc::new(parking_lot::Mutex::new([0; 3]));
    for moment in 0..120u64 {
        let outcomes = Arc::clone(&outcomes);
        simulated(moment, |world| async move {
            let slow = FaultPlan {
                delays: 1000,
                delay_max: Duration::from_millis(20),
                ..FaultPlan::default()
            };
            let (world, store) = world.with_faults(slow);
            let db = world.open().await;
            db.put(SPACE, b"before", b"x").await.unwrap();
            let manager = small(&world, Arc::clone(&db));
            let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
            fill(&mut t, 300).await;
            let told = world.env.timeout(Duration::from_millis(moment * 2), t.commit()).await;
            let told = told.is_some_and(|told| told.is_ok());
            // From here on nothing of this process reaches the store.
            store.set_outage(true);
            drop((manager, db));
            world.env.sleep(Duration::from_secs(30)).await;
            store.set_outage(false);
            let db = world.open().await;
            let rows = db.scan(SPACE, &all()).await.unwrap().collect(10_000).await.unwrap();
            let all_of_it = match rows.len() {
                1 => false,
                301 => true,
                other => panic!("{other} rows"),
            };
            assert!(all_of_it || !told, "it was told that it is committed");
            outcomes.lock()[usize::from(all_of_it) + usize::from(told)] += 1;
            // What is written then is there, too.
            db.put(SPACE, b"behind", b"x").await.unwrap();
            drop(db);
            let db = world.open().await;
            assert_eq!(db.get(SPACE, b"behind").await.unwrap().as_deref(), Some(&b"x"[..]));
            let again = db.scan(SPACE, &all()).await.unwrap().collect(10_000).await.unwrap();
            assert_eq!(again.len(), rows.len() + 1);
        });
    }
    let [nothing, not_told, told] = *outcomes.lock();
    assert!(nothing > 5 && told > 5, "{nothing} times nothing, {not_told} untold, {told} told");
}

#[test]
fn locks_of_many_rows_become_one_of_the_table() {
    simulated(1, |world| async move {
        let limits = Limits {
            lock_bytes: 20_000,
            locks: LockLimits { per_set: 200, total: 1000, pack_at: 100 },
            ..Limits::default()
        };
        let manager = TransactionManager::new(world.open().await, world.env.clone(), limits);
        let table = || LockKey::Table(u64::from(SPACE.0));
        let wait = LockWait::NoWait;
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        t.lock(table(), LockMode::IntentionExclusive, wait).await.unwrap();
        // As long as somebody else has rows of it, they are locked one by one.
        let mut other = begin(&manager, 2, IsolationLevel::RepeatableRead);
        other.lock(table(), LockMode::RowsLocked, wait).await.unwrap();
        other.lock_row(SPACE, b"other", LockMode::Exclusive, wait).await.unwrap();
        for row in 0..60u32 {
            t.lock_row(SPACE, &row.to_be_bytes(), LockMode::Exclusive, wait).await.unwrap();
        }
        assert!(t.wants_escalation());
        assert_eq!(t.most_locked(), Some(SPACE));
        assert!(!t.escalate(table(), SPACE).await.unwrap());
        assert!(!t.wants_escalation());
        assert!(t.lock_row(SPACE, b"other", LockMode::Exclusive, wait).await.is_err());
        other.roll_back();
        let mut reader = begin(&manager, 3, IsolationLevel::RepeatableRead);
        reader.lock(table(), LockMode::IntentionShared, wait).await.unwrap();
        assert!(t.escalate(table(), SPACE).await.unwrap());
        assert_eq!(t.lock_count(), 1);
        for row in 0..1000u32 {
            t.lock_for_insert(SPACE, &row.to_be_bytes(), wait).await.unwrap();
        }
        assert_eq!(t.lock_count(), 1);
        // Nobody else locks any of it; who reads what is committed goes on.
        let mut late = begin(&manager, 4, IsolationLevel::RepeatableRead);
        for mode in [LockMode::RowsLocked, LockMode::IntentionExclusive] {
            assert!(late.lock(table(), mode, wait).await.is_err());
        }
        late.lock(table(), LockMode::IntentionShared, wait).await.unwrap();
        t.roll_back();
        late.lock(table(), LockMode::IntentionExclusive, wait).await.unwrap();
        drop((reader, late));
        assert_eq!(manager.locks().held(), 0);
    });
}

/// With everything that a store can do wrong, a large transaction is committed all the same.
#[test]
fn faults_of_the_store_are_survived() {
    for seed in 0..5 {
        simulated(seed, |world| async move {
            let (world, store) = world.with_faults(FaultPlan::default());
            let manager = small(&world, world.open().await);
            store.set_plan(FaultPlan::everything(20));
            let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
            fill(&mut t, 500).await;
            t.commit().await.unwrap();
            store.set_plan(FaultPlan::default());
            let db = Arc::clone(manager.db());
            let rows = db.scan(SPACE, &all()).await.unwrap().collect(10_000).await.unwrap();
            assert_eq!(rows.len(), 500);
            drop((manager, db));
            let db = world.open().await;
            let rows = db.scan(SPACE, &all()).await.unwrap().collect(10_000).await.unwrap();
            assert_eq!(rows.len(), 500);
        });
    }
}

/// A store where everything takes a while.
fn slow() -> FaultPlan {
    FaultPlan { delays: 1000, delay_max: Duration::from_millis(20), ..FaultPlan::default() }
}

#[test]
fn what_is_cancelled_while_it_is_stored_leaves_no_objects() {
    let cut = Arc::new(parking_lot::Mutex::new(0));
    for moment in 0..60u64 {
        let cut = Arc::clone(&cut);
        simulated(moment, |world| async move {
            let (world, _store) = world.with_faults(slow());
            let manager = small(&world, world.open().await);
            let before = world.files().await;
            let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
            let work = world.env.timeout(Duration::from_millis(moment * 10), fill(&mut t, 2_000));
            *cut.lock() += usize::from(work.await.is_none());
            t.roll_back();
            world.env.sleep(Duration::from_secs(5)).await;
            assert_eq!(world.files().await, before, "cut at {moment}");
        });
    }
    assert!(*cut.lock() > 20, "{} of 60 were cut", cut.lock());
}

#[test]
fn a_space_that_is_gone_leaves_nothing_in_the_commit() {
    simulated(1, |world| async move {
        let manager = small(&world, world.open().await);
        let gone = SpaceId(SPACE.0 + 1);
        let mut t = begin(&manager, 1, IsolationLevel::RepeatableRead);
        for row in 0..100u8 {
            t.put(SPACE, &[row], vec![1]).unwrap();
            t.put(gone, &[row], vec![1]).unwrap();
            t.spill_if_large().await.unwrap();
        }
        t.forget_space(gone);
        t.commit().await.unwrap();
        let db = manager.db();
        assert_eq!(committed(db, SPACE).await.len(), 100);
        assert_eq!(committed(db, gone).await.len(), 0);
        assert!(db.version().files().all(|(_, file)| file.space != gone));
    });
}

/// The store is away from some moment on: everybody is told something, in bounded time, and
/// what he is told is true.
#[test]
fn while_the_store_is_away_nobody_waits_for_ever_and_nobody_is_told_a_lie() {
    let told = Arc::new(parking_lot::Mutex::new([0; 3]));
    for moment in 0..40u64 {
        let told = Arc::clone(&told);
        simulated(moment, |world| async move {
            let (world, store) = world.with_faults(slow());
            let manager = small(&world, world.open().await);
            let db = Arc::clone(manager.db());
            let (one, two) = (SpaceId(SPACE.0 + 1), SpaceId(SPACE.0 + 2));
            let large = |owner, space: SpaceId| {
                let manager = &manager;
                async move {
                    let mut t = begin(manager, owner, IsolationLevel::RepeatableRead);
                    for row in 0..50u8 {
                        t.put(space, &[row], vec![1]).unwrap();
                    }
                    t.spill_if_large().await?;
                    t.commit().await
                }
            };
            let outage = async {
                world.env.sleep(Duration::from_millis(moment * 4)).await;
                store.set_outage(true);
            };
            let small = async {
                world.env.sleep(Duration::from_millis(moment * 4 + 1)).await;
                db.put(SPACE, b"s", b"s").await
            };
            let all = async { tokio::join!(large(1, one), large(2, two), small, outage) };
            let limit = Duration::from_secs(600);
            let (first, second, third, ()) =
                world.env.timeout(limit, all).await.expect("they are told in time");
            store.set_outage(false);
            world.env.sleep(Duration::from_secs(60)).await;
            for (outcome, space) in [(first, one), (second, two)] {
                let rows = committed(&db, space).await.len();
                assert!(rows == 0 || rows == 50, "{rows} rows");
                let kind = match outcome {
                    Ok(_) => {
                        assert_eq!(rows, 50, "it was told that it is committed");
                        0
                    }
                    Err(error) if error.is_outcome_unknown() => 1,
                    Err(error) => {
                        assert_eq!(rows, 0, "it was told {error}");
                        2
                    }
                };
                told.lock()[kind] += 1;
            }
            let there = db.get(SPACE, b"s").await.unwrap().is_some();
            match third {
                Ok(_) => assert!(there),
                Err(error) if error.kind() == firn_engine::ErrorKind::OutcomeUnknown => {}
                Err(_) => assert!(!there),
            }
            // Afterwards everything goes on.
            db.put(SPACE, b"t", b"t").await.unwrap();
            assert_eq!(large(3, SpaceId(SPACE.0 + 3)).await.unwrap(), Some(db.last_seq()));
        });
    }
    let told = *told.lock();
    assert!(told.iter().all(|times| *times > 0), "committed, unknown, not committed: {told:?}");
}
