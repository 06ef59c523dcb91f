//! The peers do what is asked of them.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::Result;

use super::open;
use crate::config::{Config, Peer, Topology};
use crate::engine::{Provider, Target};
use crate::run::run_config;

/// A peer in Firn's place.
struct Instead(Peer);

#[async_trait]
impl Provider for Instead {
    fn commit(&self) -> String {
        "a test".into()
    }

    async fn open(&self, topology: &Topology, dir: &Path) -> Result<Arc<dyn Target>> {
        open(self.0, topology, dir).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_go_through_every_kind_of_phase() {
    for peer in [Peer::Rocksdb, Peer::Slatedb] {
        let text = "
name: peer
topology: {caches: {memory: 64 MiB, disk: 256 MiB}, memtables: {bytes: 1 MiB}}
data: {keys: 20000}
phases:
  - {kind: load, batch: 100}
  - {kind: put, tasks: 64, ops: 500}
  - {kind: flush}
  - {kind: settle, limit_s: 60}
  - {kind: get, ops: 5000, tasks: 4}
  - {kind: scan, ops: 200, tasks: 2}
  - {kind: reopen}
  - {kind: mixed, ops: 500, mix: {put: 1, get: 2, scan: 1}}
";
        let config = Config::parse(text, "peer").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let summary = run_config(&config, text, dir.path(), &Instead(peer)).await.unwrap();
        assert_eq!(summary.errors(), Vec::<String>::new());
        let target = &summary.report.targets[0];
        assert_eq!(target.phases.len(), 8);
        assert_eq!(target.phases[4].verified, 5000);
        assert!(target.phases[3].stored_bytes > Some(500_000));
    }
}
