//! The object store goes away, and comes back.

use std::time::Duration;

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
