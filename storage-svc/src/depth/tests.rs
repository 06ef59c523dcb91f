use std::time::Duration;

use bytes::Bytes;
use firn_engine::compaction::Compaction;
use firn_engine::key::{KeyRange, user_key};
use firn_engine::manifest::SstMeta;
use firn_engine::object::{Layout, MemoryStore, RetryOptions, RetryingStore};
use firn_engine::storage::{FlushCommit, Storage};
use firn_engine::{BranchName, Env, Error, ErrorKind, ObjectId, Seq, SpaceId};

use super::*;
use crate::queue::FAILURES_MAX;

const SPACE: SpaceId = SpaceId(1);

fn file(version: &Version, counter: u64, space: SpaceId) -> Arc<SstMeta> {
    let seq = Seq(version.flushed_seq.0 + 1);
    Arc::new(SstMeta {
        id: ObjectId { branch: version.branch_uid, counter, epoch: version.epoch },
        space,
        range: KeyRange {
            start: Bytes::copy_from_slice(&user_key(space, b"a")),
            end: Some(Bytes::copy_from_slice(&user_key(space, b"z"))),
        },
        seq_min: seq,
        seq_max: seq,
        bytes: 100,
        tail_bytes: 1,
        cut: false,
        raw_bytes: 100,
        entries: 1,
        deletes: 0,
        range_deletes: 0,
        widest: Vec::new(),
        column: None,
    })
}

async fn flush(service: &StorageService, counter: u64, spaces: &[SpaceId]) {
    let main = BranchName::main();
    let version = service.newest(&main).await.unwrap();
    let flush = FlushCommit {
        epoch: version.epoch,
        files: spaces.iter().zip(counter..).map(|(s, c)| file(&version, c, *s)).collect(),
        flushed_seq: Seq(version.flushed_seq.0 + 1),
        decided_counter: counter + 10,
        times: Vec::new(),
    };
    service.commit_flush(&main, flush).await.unwrap();
}

fn counts(service: &StorageService) -> Counts {
    let depth = &service.depth;
    Counts {
        shards_waiting: depth.shards_waiting.load(Ordering::Relaxed),
        shards_leased: depth.shards_leased.load(Ordering::Relaxed),
        jobs_parked: depth.jobs_parked.load(Ordering::Relaxed),
        levels_over: depth.levels_over.load(Ordering::Relaxed),
    }
}

/// What nobody has asked for yet counts, and a job that keeps failing is parked with its
/// reason, and no other.
#[test]
fn what_waits_is_counted_with_no_worker_and_a_job_that_keeps_failing_is_parked_alone() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let env = Env::simulated(1);
        let memory = Arc::new(MemoryStore::new());
        let store = Arc::new(RetryingStore::new(memory, env.clone(), RetryOptions::default()));
        let options = PickerOptions { l0_files: 2, ..PickerOptions::default() };
        let service =
            StorageService::start(env.clone(), "s", store, Layout::new("db".into()), options);
        let main = BranchName::main();
        service.claim(&main, "writer").await.unwrap();
        let other = SpaceId(2);
        for counter in [0, 10] {
            flush(&service, counter, &[SPACE, other]).await;
        }
        service.measure_depth().await;
        assert_eq!(counts(&service), Counts { levels_over: 2, ..Counts::default() });
        let mut failures = 0;
        let mut last = None;
        while failures < FAILURES_MAX {
            let leased = service.lease("worker", 1).await.unwrap();
            let [lease] = &leased[..] else { panic!("one shard, not {}", leased.len()) };
            service.measure_depth().await;
            assert_eq!(counts(&service).shards_leased, 1);
            match lease.job.space == SPACE {
                true => {
                    failures += 1;
                    let why = format!("block 7 is corrupt, try {failures}");
                    service.release(&lease.token, Some(why)).await.unwrap();
                    last = Some(lease.token.job);
                }
                false => service.release(&lease.token, None).await.unwrap(),
            }
            // Those that failed rest for a while.
            env.sleep(Duration::from_secs(64)).await;
        }
        service.measure_depth().await;
        assert_eq!(counts(&service).jobs_parked, 1);
        let version = service.newest(&main).await.unwrap();
        let parked = &version.jobs[&last.unwrap()];
        assert_eq!(parked.parked.as_deref(), Some("block 7 is corrupt, try 5"));
        // The other goes on.
        let leased = service.lease("worker", 1).await.unwrap();
        assert_eq!(leased[0].job.space, other);
        let refused: Error = service.cancel_job(&main, 99).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BadRequest);
        // An operator may have it picked anew.
        service.cancel_job(&main, last.unwrap()).await.unwrap();
        service.measure_depth().await;
        assert_eq!(counts(&service).jobs_parked, 0);
        service.close().await;
    });
}
