//! What is hot stays hot.

use std::time::Duration;

use firn_engine::key::KeyRange;
use firn_engine::{Env, SpaceId};

use crate::world::World;

const SPACE: SpaceId = SpaceId(1);

#[tokio::test(start_paused = true)]
async fn a_compaction_does_not_cool_the_cache() {
    let mut world = World::small(Env::simulated(1));
    world.options.block_cache_bytes = 8 << 20;
    world.options.row_cache_bytes = 1;
    world.options.pinned_bytes = 8 << 20;
    let running = world.open().await.unwrap();
    let db = &running.db;
    let limit = Duration::from_secs(60);
    let key = |i: u32| i.to_be_bytes();
    for round in 0..2u8 {
        for i in 0..2000 {
            db.put(SPACE, &key(i), &[round; 100]).await.unwrap();
        }
        db.flush(limit).await.unwrap();
        world.settle(&running).await;
    }
    let settled = db.version();
    let all = KeyRange { start: "".into(), end: None };
    assert_eq!(db.scan(SPACE, &all).await.unwrap().collect(usize::MAX).await.unwrap().len(), 2000);
    // Overwrite some, so that everything is merged again.
    for _ in 0..2 {
        for i in (0..2000).step_by(7) {
            db.put(SPACE, &key(i), b"new").await.unwrap();
        }
        db.flush(limit).await.unwrap();
    }
    world.settle(&running).await;
    let merged = db.version();
    let kept = settled.files().filter(|(_, f)| merged.files().any(|(_, m)| m.id == f.id)).count();
    assert_eq!(kept, 0, "the files that were cached are gone");
    assert!(db.stats().cache.refilled_blocks > 0);
    let before = db.stats().cache.storage_reads;
    for i in 0..2000 {
        let want: &[u8] = if i % 7 == 0 { b"new" } else { &[1; 100] };
        assert_eq!(db.get(SPACE, &key(i)).await.unwrap().unwrap(), want);
    }
    // Keys between two cached blocks belong to neither.
    let missed = db.stats().cache.storage_reads - before;
    let refilled = db.stats().cache.refilled_blocks;
    assert!(missed * 5 < refilled, "{missed} reads although {refilled} blocks were read ahead");
    running.close().await;
}
