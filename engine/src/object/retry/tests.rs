#![allow(clippy::print_stdout, reason = "seeds are printed")]

mod backends;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::{Attribute, Attributes, ObjectStoreExt, UpdateVersion};

use self::backends::{Scripted, Slow, Step};
use super::*;
use crate::object::{FaultPlan, FaultStore, MemoryStore, cause_of};

/// Runs in a simulated world of one thread.
fn simulate<F: Future>(seed: u64, test: impl FnOnce(Env) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async { test(Env::simulated(seed)).await })
}

fn create() -> PutOptions {
    PutOptions { mode: PutMode::Create, ..PutOptions::default() }
}

fn update(of: &PutResult) -> PutOptions {
    let version = UpdateVersion { e_tag: of.e_tag.clone(), version: None };
    PutOptions { mode: PutMode::Update(version), ..PutOptions::default() }
}

async fn read(store: &RetryingStore, path: &Path) -> Bytes {
    store.get(path).await.unwrap().bytes().await.unwrap()
}

/// What a conditional create of `"mine"` comes to under a script.
fn created(script: &[Step]) -> (Result<PutResult>, u32, Option<Bytes>) {
    simulate(1, |env| async move {
        let (backend, store) = Scripted::store(&env, script);
        let path = Path::from("x");
        let result = store.put_opts(&path, "mine".into(), create()).await;
        let there = match store.get(&path).await {
            Ok(found) => Some(found.bytes().await.unwrap()),
            Err(_) => None,
        };
        (result, backend.puts.load(Ordering::Relaxed), there)
    })
}

/// The same for an update.
fn updated(script: &[Step]) -> (Result<PutResult>, Bytes) {
    simulate(1, |env| async move {
        let mut steps = vec![Step::Do];
        steps.extend(script);
        let (_, store) = Scripted::store(&env, &steps);
        let path = Path::from("x");
        let first = store.put_opts(&path, "first".into(), create()).await.unwrap();
        let result = store.put_opts(&path, "mine".into(), update(&first)).await;
        (result, read(&store, &path).await)
    })
}

fn cause(result: Result<PutResult>) -> Cause {
    cause_of(&result.unwrap_err())
}

#[test]
fn a_lost_reply_of_a_create_is_a_success() {
    for lost in [Cause::Failed, Cause::Timeout, Cause::Throttled, Cause::Conflict] {
        let (result, _, there) = created(&[Step::DoAndSay(lost)]);
        assert!(result.unwrap().e_tag.is_some(), "{lost:?}");
        assert_eq!(there.unwrap(), "mine");
    }
    // Even when the refusal comes at once: something on the way sent it twice.
    assert!(created(&[Step::DoAndSay(Cause::Exists)]).0.is_ok());
}

#[test]
fn a_create_that_hangs_is_tried_again() {
    let (result, puts, _) = created(&[Step::Hang, Step::Hang]);
    assert!(result.is_ok());
    assert_eq!(puts, 3);
}

#[test]
fn a_create_that_lost_says_so_even_after_ambiguous_tries() {
    let (result, _, there) = created(&[Step::Say(Cause::Failed), Step::OtherAndSay(Cause::Exists)]);
    assert_eq!((cause(result), there.unwrap()), (Cause::Exists, "other".into()));
    let (result, puts, _) = created(&[Step::OtherAndSay(Cause::Conflict)]);
    assert_eq!((cause(result), puts), (Cause::Exists, 1), "a 409 is looked into");
}

#[test]
fn a_409_that_nobody_won_is_tried_again() {
    let (result, puts, there) = created(&[Step::Say(Cause::Conflict)]);
    assert!(result.is_ok());
    assert_eq!((puts, there.unwrap()), (2, "mine".into()));
    let (result, there) = updated(&[Step::Say(Cause::Conflict)]);
    assert!(result.is_ok());
    assert_eq!(there, "mine");
}

#[test]
fn a_lost_reply_of_an_update_is_a_success() {
    for lost in [Cause::Failed, Cause::Timeout, Cause::Conflict, Cause::Precondition] {
        let (result, there) = updated(&[Step::DoAndSay(lost)]);
        assert!(result.unwrap().e_tag.is_some(), "{lost:?}");
        assert_eq!(there, "mine");
    }
}

#[test]
fn an_update_that_lost_to_another_of_the_same_version_says_so() {
    let (result, there) =
        updated(&[Step::Say(Cause::Failed), Step::OtherAndSay(Cause::Precondition)]);
    assert_eq!((cause(result), there), (Cause::Precondition, "other".into()));
    let (result, _) = updated(&[Step::OtherAndSay(Cause::Conflict)]);
    assert_eq!(cause(result), Cause::Precondition);
}

#[test]
fn a_put_that_may_have_won_and_been_replaced_is_not_called_lost() {
    for said in [Cause::Failed, Cause::Conflict] {
        let (result, there) = updated(&[Step::DoReplaceAndSay(said)]);
        assert_eq!((cause(result), there), (Cause::OutcomeUnknown, "replaced".into()));
    }
    let (result, _, _) = created(&[Step::DoReplaceAndSay(Cause::Timeout)]);
    assert_eq!(cause(result), Cause::OutcomeUnknown);
}

#[test]
fn an_ambiguous_create_that_never_ends_is_unknown_and_a_refused_one_is_not() {
    let (result, puts, _) = created(&[Step::Say(Cause::Failed); 100]);
    assert_eq!((cause(result), puts), (Cause::OutcomeUnknown, RetryOptions::default().write.tries));
    let (result, _, _) = created(&[Step::Say(Cause::Unreachable); 100]);
    assert_eq!(cause(result), Cause::Unreachable, "it was never sent");
    let (result, puts, _) = created(&[Step::Say(Cause::Denied)]);
    assert_eq!((cause(result), puts), (Cause::Denied, 1), "never repeated");
    let (result, puts, _) = created(&[Step::Say(Cause::NoSpace)]);
    assert_eq!((cause(result), puts), (Cause::NoSpace, 1), "never repeated");
}

#[test]
fn without_attributes_a_lost_reply_is_unknown() {
    simulate(1, |env| async move {
        let (_, store) = Scripted::with(&env, &[Step::DoAndSay(Cause::Failed)], false);
        let result = store.put_opts(&Path::from("x"), "mine".into(), create()).await;
        assert_eq!(cause(result), Cause::OutcomeUnknown);
    });
}

#[test]
fn throttling_is_waited_out_and_does_not_count_as_tries() {
    simulate(1, |env| async move {
        let (_, store) = Scripted::store(&env, &[Step::Say(Cause::Throttled); 15]);
        let started = env.now();
        store.put(&Path::from("x"), "mine".into()).await.unwrap();
        assert!(env.now().since(started) > Duration::from_secs(30));
        let stats = store.stats().snapshot();
        let put = stats.of(RequestKind::Put);
        assert_eq!((put.requests, put.throttled, put.retries), (16, 15, 15));
    });
}

#[test]
fn a_throttled_store_slows_all_requests_until_it_recovers() {
    simulate(1, |env| async move {
        let (_, store) = Scripted::store(&env, &[Step::Say(Cause::Throttled); 8]);
        store.put(&Path::from("x"), "mine".into()).await.unwrap();
        let started = env.now();
        for _ in 0..5 {
            read(&store, &Path::from("x")).await;
        }
        assert!(env.now().since(started) > Duration::from_millis(10));
        for _ in 0..500 {
            read(&store, &Path::from("x")).await;
        }
        let started = env.now();
        read(&store, &Path::from("x")).await;
        assert_eq!(env.now().since(started), Duration::ZERO);
    });
}

#[test]
fn an_outage_ends_in_a_clear_error_and_is_recovered_from() {
    simulate(3, |env| async move {
        let faults =
            FaultStore::new(Arc::new(MemoryStore::new()), env.clone(), FaultPlan::default());
        let store =
            RetryingStore::new(Arc::new(faults.clone()), env.clone(), RetryOptions::default());
        let path = Path::from("x");
        faults.set_outage(true);
        let started = env.now();
        let e = store.put(&path, "1".into()).await.unwrap_err();
        assert!(env.now().since(started) < RetryOptions::default().write.time);
        let e = crate::object::from_store("PUT", &path, e);
        assert!(e.is_retryable());
        let text = e.to_string();
        assert!(text.starts_with("PUT x: the store cannot be reached"), "{text}");
        assert!(text.contains("gave up after 10 tries"), "{text}");
        faults.set_outage(false);
        store.put(&path, "1".into()).await.unwrap();
    });
}

#[test]
fn slow_small_reads_get_a_second_request_and_few_do() {
    simulate(5, |env| async move {
        let slow = Arc::new(Slow {
            inner: MemoryStore::new(),
            env: env.clone(),
            reads: AtomicU32::new(0),
            slow_every: AtomicU32::new(0),
        });
        let store =
            RetryingStore::new(Arc::clone(&slow) as _, env.clone(), RetryOptions::default());
        let path = Path::from("x");
        store.put(&path, vec![7; 100].into()).await.unwrap();
        for _ in 0..256 {
            store.get_range(&path, 0..50).await.unwrap();
        }
        slow.slow_every.store(90, Ordering::Relaxed);
        for _ in 0..1000 {
            let started = env.now();
            store.get_range(&path, 0..50).await.unwrap();
            assert!(env.now().since(started) < Duration::from_millis(200), "hedged");
        }
        let stats = store.stats().snapshot();
        assert!(stats.hedges_won >= 10 && stats.hedges <= 25, "{stats:?}");
        // When every read is slow, the budget ends.
        slow.slow_every.store(1, Ordering::Relaxed);
        for _ in 0..50 {
            store.get_range(&path, 0..50).await.unwrap();
        }
        let hedges = store.stats().snapshot().hedges - stats.hedges;
        assert!(hedges <= 10, "{hedges}");
    });
}

#[test]
fn bodies_that_break_off_are_resumed() {
    for seed in 0..20 {
        println!("seed {seed}");
        simulate(seed, |env| async move {
            let plan = FaultPlan { cut_bodies: 700, ..FaultPlan::default() };
            let faults = FaultStore::new(Arc::new(MemoryStore::new()), env.clone(), plan);
            let mut options = RetryOptions::default();
            options.read.tries = 100;
            options.read.time = Duration::from_secs(1000);
            let store = RetryingStore::new(Arc::new(faults.clone()), env, options);
            let path = Path::from("x");
            let body: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
            store.put(&path, body.clone().into()).await.unwrap();
            for _ in 0..5 {
                assert_eq!(read(&store, &path).await, body);
                let ranges = [10..20, 50_000..90_000, 2_999_990..3_000_000];
                let read = store.get_ranges(&path, &ranges).await.unwrap();
                for (range, bytes) in ranges.iter().zip(read) {
                    assert_eq!(bytes, body[range.start as usize..range.end as usize]);
                }
            }
            assert!(faults.broken() > 0);
        });
    }
}

#[test]
fn a_body_is_never_resumed_from_another_version() {
    simulate(1, |env| async move {
        let plan = FaultPlan { cut_bodies: 1000, ..FaultPlan::default() };
        let faults = FaultStore::new(Arc::new(MemoryStore::new()), env.clone(), plan);
        let store = RetryingStore::new(Arc::new(faults.clone()), env, RetryOptions::default());
        let path = Path::from("x");
        store.put(&path, vec![1; 2 << 20].into()).await.unwrap();
        let body = store.get(&path).await.unwrap().into_stream();
        store.put(&path, vec![2; 2 << 20].into()).await.unwrap();
        faults.set_plan(FaultPlan::default());
        let e = body.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(cause_of(&e), Cause::Failed);
        assert!(e.to_string().contains("replaced while being read"), "{e}");
    });
}

#[test]
fn an_upload_that_the_store_gave_up_is_not_a_missing_object() {
    simulate(1, |env| async move {
        let memory = MemoryStore::new();
        let store = RetryingStore::new(Arc::new(memory.clone()), env, RetryOptions::default());
        let path = Path::from("x");
        let mut upload = store.put_multipart(&path).await.unwrap();
        upload.put_part("1".into()).await.unwrap();
        memory.abort_upload(&path, "1").await.unwrap();
        let part = upload.put_part("2".into()).await.unwrap_err();
        assert_eq!(cause_of(&part), Cause::UploadGone);
        let mut upload = store.put_multipart(&path).await.unwrap();
        upload.put_part("1".into()).await.unwrap();
        memory.abort_upload(&path, "2").await.unwrap();
        let e = upload.complete().await.unwrap_err();
        assert_eq!(cause_of(&e), Cause::UploadGone);
        let e = crate::object::from_store("PUT", &path, e);
        assert!(e.is_retryable(), "{e}");
    });
}

#[test]
fn callers_see_their_own_attributes_only() {
    simulate(1, |env| async move {
        let store = RetryingStore::new(Arc::new(MemoryStore::new()), env, RetryOptions::default());
        let path = Path::from("x");
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::Metadata("owner".into()), "me".into());
        let options = PutOptions { attributes: attributes.clone(), ..create() };
        store.put_opts(&path, "1".into(), options).await.unwrap();
        assert_eq!(store.get(&path).await.unwrap().attributes, attributes);
    });
}

#[test]
fn everything_breaks_and_nobody_notices() {
    for seed in 0..30 {
        println!("seed {seed}");
        simulate(seed, |env| async move {
            let memory = MemoryStore::new();
            let plan = FaultPlan::everything(60);
            let faults = FaultStore::new(Arc::new(memory.clone()), env.clone(), plan);
            let store =
                RetryingStore::new(Arc::new(faults.clone()), env.clone(), RetryOptions::default());
            let mut model = BTreeMap::new();
            for n in 0..250_u32 {
                let path = Path::from(format!("d/{n:05}"));
                let body = vec![n as u8; 100 + n as usize];
                match n % 3 {
                    0 => drop(store.put(&path, body.clone().into()).await.unwrap()),
                    1 => {
                        let put = store.put_opts(&path, body.clone().into(), create());
                        put.await.unwrap();
                        let again = store.put_opts(&path, "other".into(), create()).await;
                        assert_eq!(cause(again), Cause::Exists);
                    }
                    _ => {
                        let mut upload = store.put_multipart(&path).await.unwrap();
                        for piece in body.chunks(40) {
                            upload.put_part(piece.to_vec().into()).await.unwrap();
                        }
                        upload.complete().await.unwrap();
                    }
                }
                model.insert(path, body);
            }
            let doomed: Vec<_> = model.keys().step_by(2).cloned().collect();
            let asked = futures::stream::iter(doomed.clone()).map(Ok).boxed();
            let deleted: Vec<_> = store.delete_stream(asked).try_collect().await.unwrap();
            assert_eq!(deleted, doomed);
            doomed.iter().for_each(|path| drop(model.remove(path)));
            let listed: Vec<_> =
                store.list(None).map_ok(|o| o.location).try_collect().await.unwrap();
            assert!(listed.iter().eq(model.keys()), "{} listed", listed.len());
            for (path, body) in &model {
                assert_eq!(read(&store, path).await, body);
            }
            assert!(faults.broken() > 50, "{}", faults.broken());
        });
    }
}

#[test]
fn counters_raised_by_many_under_faults_lose_nothing() {
    for seed in 0..30 {
        println!("seed {seed}");
        simulate(seed, |env| async move {
            let faults = FaultStore::new(
                Arc::new(MemoryStore::new()),
                env.clone(),
                FaultPlan::everything(80),
            );
            let path = Path::from("counter");
            let plain =
                RetryingStore::new(Arc::new(faults.clone()), env.clone(), RetryOptions::default());
            plain.put(&path, "0".into()).await.unwrap();
            let workers = (0..4).map(|_| {
                let store = RetryingStore::new(
                    Arc::new(faults.clone()),
                    env.clone(),
                    RetryOptions::default(),
                );
                let path = path.clone();
                async move {
                    let (mut sure, mut unsure) = (0, 0);
                    while sure + unsure < 15 {
                        let found = store.get(&path).await.unwrap();
                        let version =
                            UpdateVersion { e_tag: found.meta.e_tag.clone(), version: None };
                        let text = found.bytes().await.unwrap();
                        let value: u32 = str::from_utf8(&text).unwrap().parse().unwrap();
                        let options =
                            PutOptions { mode: PutMode::Update(version), ..Default::default() };
                        let next = (value + 1).to_string();
                        match store.put_opts(&path, next.into(), options).await {
                            Ok(_) => sure += 1,
                            Err(e) => match cause_of(&e) {
                                Cause::Precondition => {}
                                Cause::OutcomeUnknown => unsure += 1,
                                _ => panic!("{e}"),
                            },
                        }
                    }
                    (sure, unsure)
                }
            });
            let counts = futures::future::join_all(workers).await;
            let sure: u32 = counts.iter().map(|c| c.0).sum();
            let unsure: u32 = counts.iter().map(|c| c.1).sum();
            let text = read(&plain, &path).await;
            let value: u32 = str::from_utf8(&text).unwrap().parse().unwrap();
            assert!((sure..=sure + unsure).contains(&value), "{sure} + {unsure}? {value}");
            assert!(unsure < 20, "hardly ever unsure: {unsure}");
        });
    }
}
