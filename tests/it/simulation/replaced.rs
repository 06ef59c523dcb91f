//! Two storage services on one bucket.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::compaction::Compaction;
use firn_engine::object::{Layout, MemoryStore, RetryOptions, RetryingStore};
use firn_engine::storage::Storage;
use firn_engine::{BranchName, Env};
use firn_storage::StorageService;
use firn_storage::picker::PickerOptions;
use object_store::path::Path;

#[tokio::test(start_paused = true)]
async fn a_worker_does_not_wait_at_a_service_that_was_replaced() {
    let (env, main) = (Env::simulated(1), BranchName::main());
    let memory = Arc::new(MemoryStore::new());
    let store = Arc::new(RetryingStore::new(memory, env.clone(), RetryOptions::default()));
    let picker = PickerOptions {
        l0_files: 2,
        base_bytes_max: 20 << 10,
        job_bytes_max: 200 << 10,
        level_job_bytes: 40 << 10,
        shard_bytes: 10 << 10,
    };
    let start = |name| {
        let layout = Layout::new(Path::from("db"));
        StorageService::start(env.clone(), name, Arc::clone(&store) as _, layout, picker.clone())
    };
    let (first, second) = (start("first"), start("second"));
    first.claim(&main, "writer").await.unwrap();
    second.claim(&main, "writer").await.unwrap();
    first.newest(&main).await.unwrap();
    let asked = env.timeout(Duration::from_secs(60), first.lease("worker", 1)).await;
    let refused = asked.expect("it does not wait").unwrap_err();
    assert!(refused.is_retryable(), "{refused}");
}
