//! The object store goes away, and comes back.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::compaction::Compaction;
use firn_engine::object::FaultPlan;
use firn_engine::{Env, ErrorKind, SpaceId};

use crate::world::World;

const SPACE: SpaceId = SpaceId(1);

fn key(i: u32) -> [u8; 4] {
    i.to_be_bytes()
}

/// Writers go on for as long as there is memory, are told why when there is
/// none, and go on by themselves when the store is back.
#[tokio::test(start_paused = true)]
async fn writers_wait_then_hear_why_then_go_on_without_a_restart() {
    let mut world = World::small(Env::simulated(1)).with_faults(FaultPlan::default());
    world.options.admission_wait_max = Duration::from_secs(90);
    let faults = world.faults.clone().unwrap();
    let running = world.open().await.unwrap();
    let db = &running.db;
    let mut acked = 0;
    while acked < 500 {
        db.put(SPACE, &key(acked), &[1; 200]).await.unwrap();
        acked += 1;
    }

    faults.set_outage(true);
    let began = world.env.now();
    let error = loop {
        match db.put(SPACE, &key(acked), &[1; 200]).await {
            Ok(_) => acked += 1,
            Err(e) => break e,
        }
        assert!(acked < 100_000, "memory has no bound");
    };
    assert!(acked > 600, "writes did not go on while there was memory: {acked}");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    let text = error.to_string();
    assert!(text.contains("PUT") && !text.contains('\n'), "{text}");
    let waited = world.env.now().since(began);
    assert!(waited < Duration::from_secs(600), "{waited:?}");
    assert!(db.stats().write_pressure > 0.99 && db.failure().is_none());

    faults.set_outage(false);
    let deadline = world.env.now().after(Duration::from_secs(300));
    while db.put(SPACE, &key(acked), &[1; 200]).await.is_err() {
        assert!(world.env.now() < deadline, "it does not recover");
        world.env.sleep(Duration::from_millis(100)).await;
    }
    acked += 1;
    db.flush(Duration::from_secs(120)).await.unwrap();
    for i in 0..acked {
        assert_eq!(db.get(SPACE, &key(i)).await.unwrap().as_deref(), Some(&[1; 200][..]), "{i}");
    }
    running.close().await;
}

/// A read that needs the store ends with an error that names the object.
#[tokio::test(start_paused = true)]
async fn readers_get_an_error_in_bounded_time() {
    let mut world = World::small(Env::simulated(2)).with_faults(FaultPlan::default());
    world.options.row_cache_bytes = 1;
    let faults = world.faults.clone().unwrap();
    let running = world.open().await.unwrap();
    let db = &running.db;
    for i in 0..2000 {
        db.put(SPACE, &key(i), &[i as u8; 200]).await.unwrap();
    }
    db.flush(Duration::from_secs(60)).await.unwrap();
    faults.set_outage(true);
    let began = world.env.now();
    let mut failed = 0;
    for i in (0..2000).step_by(400) {
        match db.get(SPACE, &key(i)).await {
            Ok(value) => assert_eq!(value.as_deref(), Some(&[i as u8; 200][..])),
            Err(e) => {
                failed += 1;
                assert_eq!(e.kind(), ErrorKind::Unavailable, "{e:?}");
                assert!(e.to_string().contains("sst/"), "{e}");
            }
        }
    }
    assert!(failed > 0, "everything was cached");
    let waited = world.env.now().since(began);
    assert!(waited < Duration::from_secs(300), "{waited:?}");
    faults.set_outage(false);
    for i in 0..2000 {
        assert_eq!(db.get(SPACE, &key(i)).await.unwrap().as_deref(), Some(&[i as u8; 200][..]));
    }
    running.close().await;
}

/// A store that asks for fewer requests slows writers down; none is refused.
#[tokio::test(start_paused = true)]
async fn a_throttling_store_slows_writers_down() {
    let plan = FaultPlan { bursts: 40, burst_requests: 3, ..FaultPlan::default() };
    let world = World::small(Env::simulated(3)).with_faults(plan);
    let running = world.open().await.unwrap();
    for i in 0..5000 {
        running.db.put(SPACE, &key(i), &[2; 200]).await.unwrap();
    }
    assert!(running.db.stats().delayed_writes > 0, "nobody was slowed down");
    running.db.flush(Duration::from_secs(600)).await.unwrap();
    running.close().await;
}

/// With nobody to merge, the more files wait the longer a write does, until it is told what it
/// waits for; a worker that comes is all that is needed to go on.
#[tokio::test(start_paused = true)]
async fn with_no_worker_writers_slow_down_by_degrees_and_hear_why() {
    let slow =
        FaultPlan { delays: 1000, delay_max: Duration::from_millis(10), ..FaultPlan::default() };
    let mut world = World::small(Env::simulated(4)).with_faults(slow);
    world.options.admission_wait_max = Duration::from_secs(60);
    // A flush is one file.
    world.options.file_bytes_max = 1 << 20;
    let running = world.open().await.unwrap();
    assert!(running.worker.stop(Duration::from_secs(60)).await);
    let db = &running.db;
    let files = || db.version().space(SPACE).map_or(0, |space| space.l0.len());
    // Two megabytes a second, which flushes keep up with.
    let value = [1; 2000];
    // Writes, and how long they took, with fewer than 12, 24, 36 files.
    let mut waits = [(0u32, Duration::ZERO); 4];
    let mut written = 0;
    let error = loop {
        let (began, third) = (world.env.now(), files() / 12);
        match db.put(SPACE, &key(written % 500), &value).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        let (count, waited) = &mut waits[third.min(3)];
        (*count, *waited) = (*count + 1, *waited + world.env.now().since(began));
        world.env.sleep(Duration::from_millis(1)).await;
        assert!(written < 200_000, "files have no bound");
    };
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true), "{error:?}");
    let text = error.to_string();
    assert!(text.ends_with(" files of space 1 wait for compaction in L0"), "{text}");
    let [few, more, many] = [0, 1, 2].map(|at| waits[at].1 / waits[at].0.max(1));
    assert!(few < many && more < many, "{waits:?}");
    let longest = world.options.admission_wait_max / 10;
    assert!(many < longest, "writes stood still before there were too many files: {waits:?}");
    let worker = world.worker(Arc::clone(&running.storage) as _);
    for _ in 0..500 {
        while db.put(SPACE, &key(written % 500), &value).await.is_err() {}
        written += 1;
    }
    world.until("what waited is merged", || files() < 12).await;
    assert!(worker.stop(Duration::from_secs(60)).await);
    db.close(Duration::from_secs(60)).await.unwrap();
}

/// A worker that dies with all that can be merged in its hands fails no write: what it held is
/// taken over before writers give up.
#[tokio::test(start_paused = true)]
async fn what_a_worker_that_died_held_is_merged_before_writers_give_up() {
    let world = World::small(Env::simulated(5));
    let running = world.open().await.unwrap();
    assert!(running.worker.stop(Duration::from_secs(60)).await);
    let files = || running.db.version().space(SPACE).map_or(0, |space| space.l0.len());
    let mut written = 0;
    while files() < 8 {
        running.db.put(SPACE, &key(written % 100), &[1; 200]).await.unwrap();
        written += 1;
        world.env.sleep(Duration::from_millis(1)).await;
    }
    let dead = running.storage.lease("a worker that dies", 16);
    let held = world.env.timeout(Duration::from_secs(1), dead).await.expect("there is work");
    assert!(!held.unwrap().is_empty());
    let worker = world.worker(Arc::clone(&running.storage) as _);
    let began = world.env.now();
    let mut waited_most = Duration::ZERO;
    for i in 0..5000 {
        let before = world.env.now();
        running.db.put(SPACE, &key(i % 500), &[2; 200]).await.unwrap();
        waited_most = waited_most.max(world.env.now().since(before));
    }
    assert!(waited_most > Duration::from_secs(5), "nobody waited for it: {waited_most:?}");
    assert!(world.env.now().since(began) < Duration::from_secs(60));
    assert!(worker.stop(Duration::from_secs(60)).await);
    running.db.close(Duration::from_secs(60)).await.unwrap();
}
