//! The benchmark on a database with all its parts in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_benchmark::{
    Config, FirnTarget, Metered, Provider, Surroundings, Target, Topology, run_config,
};
use firn_compaction::Worker;
use firn_engine::merge::MergeCounts;
use firn_engine::{Env, Result};
use firn_storage::StorageService;
use object_store::memory::InMemory;

use crate::world::{Running, World};

struct Parts {
    storage: Arc<StorageService>,
    worker: Worker,
}

#[async_trait]
impl Surroundings for Parts {
    fn is_compacting(&self) -> bool {
        self.worker.busy() > 0
    }

    fn merge_counts(&self) -> Option<&MergeCounts> {
        Some(self.worker.counts())
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        assert!(self.worker.stop(limit).await);
        self.storage.close().await;
        Ok(())
    }
}

struct InMemoryFirn;

#[async_trait]
impl Provider for InMemoryFirn {
    fn commit(&self) -> String {
        "a test".into()
    }

    async fn open(&self, topology: &Topology, _: &Path) -> Result<Arc<dyn Target>> {
        let handle = tokio::runtime::Handle::current();
        let mut world = World::small(Env::tokio(handle.clone(), handle));
        let store = Metered::new(Arc::new(InMemory::new()));
        world.store = Arc::clone(&store) as _;
        world.options = firn_engine::Options {
            file_bytes_max: world.options.file_bytes_max,
            ..topology.engine_options()
        };
        let Running { db, storage, worker, .. } = world.open().await?;
        let parts = Box::new(Parts { storage, worker });
        Ok(FirnTarget::new(Arc::new(db), store, parts, true, Vec::new()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workload_runs_on_a_whole_database() {
    let text = "
name: whole
topology: {journal: memory, object_store: memory, memtables: {bytes: 64 KiB}}
data: {keys: 3000, key_bytes: 16, value_bytes: 100}
phases:
  - {kind: load, batch: 10, tasks: 8}
  - {kind: put, ops: 2000, tasks: 8}
  - {kind: flush}
  - {kind: settle, limit_s: 60}
  - {kind: get, ops: 4000, distribution: zipfian, tasks: 8}
  - {kind: scan, ops: 100, tasks: 4}
  - {kind: mixed, ops: 1000, mix: {put: 1, get: 1, scan: 0.1}, tasks: 8}
";
    let config = Config::parse(text, "whole.yaml").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let summary = run_config(&config, text, dir.path(), &InMemoryFirn).await.unwrap();
    assert_eq!(summary.errors(), Vec::<String>::new());
    let phase = |name| summary.report.phase("firn", name).unwrap();
    let (load, put) = (phase("load"), phase("put"));
    assert_eq!(load.counters.counts["commits"], 300);
    assert_eq!((put.counters.counts["commits"], put.ops), (2000, 2000));
    let amplification = put.write_amplification.unwrap();
    assert!((1.0..50.0).contains(&amplification), "{amplification}");
    assert!(load.counters.requests.unwrap().puts > 0);
    let settled = phase("settle");
    // A merge begins with two: one flushed last may stay alone.
    let alone = settled.counters.sizes["L0 files"];
    assert!(alone < 2, "{alone} files in L0 after settling");
    let space = settled.space_amplification.unwrap();
    assert!((0.3..20.0).contains(&space), "{space}");
    assert_eq!(phase("get").verified, 4000);
    let gets = &phase("get").counters.counts;
    assert_eq!(gets["row cache hits"] + gets["row cache misses"], 4000);
}

/// With members of the journal, a storage service and a worker, and beside it all in one
/// process.
#[test]
fn parts_that_are_processes_are_measured_with_the_database_and_each_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let text = "
name: remote
topology: {journal: members, members: 3, storage: services, compaction: workers}
data: {keys: 3000, key_bytes: 16, value_bytes: 100}
phases:
  - {kind: load, batch: 10, tasks: 8}
  - {kind: put, ops: 500, tasks: 1}
  - {kind: flush}
  - {kind: reopen}
  - {kind: get, ops: 1000, tasks: 8}
variants:
  - {name: local, topology: {journal: local}}
goals:
  - {phase: load, measure: ops_per_cpu_s, versus: local, at_least: 0}
  - {phase: put, measure: p50_over_two_fsyncs_us, at_most: 1000000}
";
    std::fs::write(folder.path().join("remote.yaml"), text).unwrap();
    let mut command = crate::wire::server::firn(folder.path(), &["bench", "remote.yaml"]);
    let out = command.args(["--out", "out"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    let report = std::fs::read(folder.path().join("out/remote.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let [remote, local] = &report["targets"].as_array().unwrap()[..] else { panic!("{said}") };
    assert_eq!((&remote["name"], &local["name"]), (&"firn".into(), &"local".into()));
    let load = &remote["phases"][0];
    let parts: Vec<_> = load["disk_by_process"].as_object().unwrap().keys().collect();
    assert_eq!(parts, ["compaction-1", "journal-1", "journal-2", "journal-3", "storage-1"]);
    assert!(load["disk_by_process"]["journal-2"]["written"].as_u64().unwrap() > 0, "{load:#}");
    let own: f64 =
        load["cpu_s_by_part"].as_object().unwrap().values().flat_map(|s| s.as_f64()).sum();
    assert!(load["cpu_s"].as_f64().unwrap() <= own + 0.1, "{load:#}");
    assert!(load["part_latencies"]["journal append"]["calls"].as_u64().unwrap() > 0, "{load:#}");
    let put = &remote["phases"][1];
    assert!(put["part_latencies"]["journal append"]["calls"].as_u64().unwrap() >= 500, "{put:#}");
    assert_eq!(local["phases"][0]["disk_by_process"], serde_json::json!({}));
    let reached: Vec<_> =
        report["goals"].as_array().unwrap().iter().map(|g| &g["reached"]).collect();
    assert_eq!(reached, [true, true], "{said}");
}
