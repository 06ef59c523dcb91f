//! Whole runs, on an engine that is a sorted map.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use firn_benchmark::measure::Counters;
use firn_benchmark::{
    Batch, Config, Engine, Provider, Summary, Target, Topology, Work, run, run_config, run_tasks,
    run_threads,
};
use firn_engine::{Error, ErrorKind, Result};
use parking_lot::{Mutex, RwLock};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// A map, with faults on demand.
#[derive(Default)]
struct MapEngine {
    map: RwLock<Map>,
    puts: AtomicU64,
    /// A put that fails.
    bad_put: Option<u64>,
    /// Gets give another value than was put.
    lies: AtomicBool,
    /// A put that takes long.
    slow_put: Option<(u64, Duration)>,
}

impl MapEngine {
    async fn before_put(&self) -> Result<()> {
        let put = self.puts.fetch_add(1, Ordering::Relaxed);
        if self.bad_put == Some(put) {
            return Err(Error::new(ErrorKind::Unavailable, "disk on fire"));
        }
        if let Some((at, long)) = self.slow_put
            && at == put
        {
            tokio::time::sleep(long).await;
        }
        Ok(())
    }
}

impl Engine for MapEngine {
    type Value<'a> = Vec<u8>;

    async fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.before_put().await?;
        self.map.write().insert(key.into(), value.into());
        Ok(())
    }

    async fn put_batch(&self, batch: &Batch) -> Result<()> {
        self.before_put().await?;
        let entries = batch.iter().map(|(key, value)| (key.to_vec(), value.to_vec()));
        self.map.write().extend(entries);
        Ok(())
    }

    async fn get<'a>(&'a self, key: &'a [u8]) -> Result<Option<Vec<u8>>> {
        let mut value = self.map.read().get(key).cloned();
        if self.lies.load(Ordering::Relaxed)
            && let Some(last) = value.as_mut().and_then(|v| v.last_mut())
        {
            *last ^= 1;
        }
        Ok(value)
    }

    async fn scan<F>(&self, start: &[u8], limit: usize, mut each: F) -> Result<()>
    where
        F: FnMut(&[u8], &[u8]) + Send,
    {
        let map = self.map.read();
        for (key, value) in map.range(start.to_vec()..).take(limit) {
            each(key, value);
        }
        Ok(())
    }
}

struct MapTarget {
    engine: Arc<MapEngine>,
    threads: bool,
}

#[async_trait]
impl Target for MapTarget {
    fn settings(&self) -> Vec<(String, String)> {
        vec![("kind".into(), "map <1>".into())]
    }

    async fn run(&self, work: &Arc<Work>) -> Result<()> {
        if self.threads {
            run_threads(&self.engine, work, 4).await
        } else {
            run_tasks(&self.engine, work).await
        }
    }

    async fn flush(&self, _: Duration) -> Result<()> {
        Ok(())
    }

    async fn settle(&self, _: Duration) -> Result<Duration> {
        Ok(Duration::ZERO)
    }

    fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        counters.written.insert("journal", self.engine.puts.load(Ordering::Relaxed) * 10);
        counters
    }

    async fn stored_bytes(&self) -> Result<Option<u64>> {
        let map = self.engine.map.read();
        Ok(Some(map.iter().map(|(k, v)| (k.len() + v.len()) as u64).sum()))
    }

    async fn close(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}

/// Opens the same map again and again.
#[derive(Default)]
struct MapProvider {
    engine: Arc<MapEngine>,
    threads: bool,
    opened: Mutex<Vec<Topology>>,
}

#[async_trait]
impl Provider for MapProvider {
    fn commit(&self) -> String {
        "abc123".into()
    }

    async fn open(&self, topology: &Topology, dir: &Path) -> Result<Arc<dyn Target>> {
        assert!(dir.is_dir());
        self.opened.lock().push(topology.clone());
        Ok(Arc::new(MapTarget { engine: Arc::clone(&self.engine), threads: self.threads }))
    }
}

async fn run_text(text: &str, provider: &MapProvider) -> Summary {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.yaml");
    std::fs::write(&path, text).unwrap();
    let summary = run(&path, dir.path(), provider).await.unwrap();
    let html = std::fs::read_to_string(&summary.html).unwrap();
    for want in ["abc123", "map &lt;1&gt;", "prefers-color-scheme", "seed"] {
        assert!(html.contains(want), "{want} is not in the page");
    }
    assert!(!html.contains("http"), "the page needs nothing else");
    let json = std::fs::read_to_string(&summary.json).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["commit"], "abc123");
    assert_eq!(json["config"], text);
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 3, "the data was removed: {left:?}");
    summary
}

const ALL_KINDS: &str = "
name: all
seed: 7
data: {keys: 2000, key_bytes: 16, value_bytes: 50}
phases:
  - {kind: load, tasks: 8, batch: 7}
  - {kind: put, ops: 1000, distribution: zipfian, tasks: 4}
  - {kind: get, ops: 3000, distribution: zipfian, tasks: 4}
  - {kind: scan, ops: 100, scan_entries: 20, tasks: 4}
  - {kind: scan, name: walk-by-scan, distribution: sequential, ops: 20, scan_entries: 100}
  - {kind: flush}
  - {kind: settle}
  - {kind: reopen, compaction: off}
  - {kind: mixed, ops: 1000, distribution: latest, mix: {put: 1, get: 2, scan: 1}, tasks: 4}
  - {kind: get, name: walk, ops: 4000, distribution: sequential, keys: 500, tasks: 3}
goals:
  - {phase: get, measure: ops_per_s, at_least: 1}
  - {phase: get, measure: p99_us, at_most: 0.001}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_phase_runs_and_counts_right() {
    for threads in [false, true] {
        let provider = MapProvider { threads, ..MapProvider::default() };
        let summary = run_text(ALL_KINDS, &provider).await;
        assert_eq!(summary.errors(), Vec::<String>::new());
        let phase = |name| summary.report.phase("firn", name).unwrap();
        let load = phase("load");
        assert_eq!((load.ops, load.user_bytes), (2000, 2000 * 66));
        // 2,000 keys by batches of 7; ten bytes counted for each call.
        assert_eq!(load.latency.unwrap().calls, 286);
        assert_eq!(load.counters.written["journal"], 2860);
        assert_eq!(load.live_bytes, load.stored_bytes);
        assert_eq!(load.space_amplification, Some(1.0));
        assert_eq!(phase("put").ops, 1000);
        let get = phase("get");
        assert_eq!((get.ops, get.verified, get.misses), (3000, 3000, 0));
        assert_eq!(phase("scan").ops, 100);
        // A scan that starts near the end gives fewer.
        assert!((1800..=2000).contains(&phase("scan").scanned_entries));
        assert_eq!(phase("walk-by-scan").scanned_entries, 2000);
        let mixed = phase("mixed");
        assert_eq!(mixed.ops, 1000);
        assert_eq!(mixed.latency_by_op.len(), 3);
        assert!(mixed.live_bytes.unwrap() > load.live_bytes.unwrap(), "latest puts add keys");
        assert_eq!(mixed.live_bytes, mixed.stored_bytes);
        assert_eq!(phase("walk").ops, 4000);
        let callers = phase("get").cpu_s_by_part.contains_key("caller");
        assert!(threads || !callers, "threads that ended are told by their name");
        let opened = provider.opened.lock();
        assert_eq!(opened.len(), 2);
        assert_ne!(opened[0].compaction, opened[1].compaction);
        let goals = &summary.report.goals;
        assert_eq!((goals[0].reached, goals[1].reached), (Some(true), Some(false)));
        assert_eq!(summary.missed_goals(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_round_starts_anew() {
    let provider = MapProvider::default();
    let text = "name: x\nrounds: 3\ndata: {keys: 100}\nphases:\n  - {kind: load}\n";
    let summary = run_text(text, &provider).await;
    assert_eq!(summary.errors(), Vec::<String>::new());
    assert_eq!(provider.opened.lock().len(), 3);
    let load = summary.report.phase("firn", "load").unwrap();
    assert_eq!((load.ops, load.rounds.len()), (100, 3));
    assert!(load.rounds.contains(&load.ops_per_s));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_puts_the_same_data() {
    let maps = async |seed: u64| {
        let provider = MapProvider::default();
        let text = format!(
            "name: x\nseed: {seed}\ndata: {{keys: 500}}\nphases:\n  - {{kind: load, tasks: 1}}\n\
             \x20 - {{kind: put, ops: 300, tasks: 1}}\n"
        );
        run_text(&text, &provider).await;
        provider.engine.map.read().clone()
    };
    let (one, again, two) = (maps(1).await, maps(1).await, maps(2).await);
    assert_eq!(one.len(), 500);
    assert!(one == again && one != two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_ends_the_phase_and_is_named() {
    let engine = MapEngine { bad_put: Some(500), ..MapEngine::default() };
    let provider = MapProvider { engine: Arc::new(engine), ..MapProvider::default() };
    let text = "name: x\ndata: {keys: 1000}\nphases:\n  - {kind: load}\n  - {kind: get, ops: 5}\n";
    let summary = run_text(text, &provider).await;
    let errors = summary.errors();
    assert_eq!(errors.len(), 1, "the next phase was not begun: {errors:?}");
    assert!(errors[0].starts_with("firn, phase load: put of key "), "{errors:?}");
    assert!(errors[0].ends_with(": disk on fire"), "{errors:?}");
    assert!(summary.report.phase("firn", "get").is_none());
    let html_label = &summary.report.labels;
    assert!(html_label.iter().any(|l| l.contains("DEBUG BUILD")) == cfg!(debug_assertions));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_and_missing_values_are_noticed() {
    let text = "name: x\ndata: {keys: 100}\nphases:\n  - {kind: load}\n  - {kind: get, ops: 50}\n";
    let lying = MapProvider::default();
    lying.engine.lies.store(true, Ordering::Relaxed);
    let errors = run_text(text, &lying).await.errors();
    assert!(errors[0].contains("a value that nobody has put"), "{errors:?}");

    // Keys are lost between load and get.
    let text = "name: x\ndata: {keys: 100}\nphases:\n  - {kind: load}\n  - {kind: reopen}\n  - {kind: KIND, ops: 5000}\n";
    for (kind, want) in [("get", "nothing, though it was put"), ("scan", "entries instead of")] {
        let forgetful = Forgetful(MapProvider::default());
        let config = Config::parse(&text.replace("KIND", kind), "x").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let summary = run_config(&config, text, dir.path(), &forgetful).await.unwrap();
        let errors = summary.errors();
        assert!(errors[0].contains(want), "{errors:?}");
    }
}

/// Loses a key at every opening.
struct Forgetful(MapProvider);

#[async_trait]
impl Provider for Forgetful {
    fn commit(&self) -> String {
        self.0.commit()
    }

    async fn open(&self, topology: &Topology, dir: &Path) -> Result<Arc<dyn Target>> {
        let key = self.0.engine.map.read().keys().nth(50).cloned();
        key.and_then(|key| self.0.engine.map.write().remove(&key));
        self.0.open(topology, dir).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_shows_in_the_latencies_of_a_rate_driven_phase() {
    let slow = Duration::from_millis(400);
    let engine = MapEngine { slow_put: Some((500, slow)), ..MapEngine::default() };
    let provider = MapProvider { engine: Arc::new(engine), ..MapProvider::default() };
    // One task: while it waits, 400 more operations become due.
    let text = "name: x\nphases:\n  - {kind: put, tasks: 1, rate: 1000, ops: 2000}\n";
    let summary = run_text(text, &provider).await;
    let put = summary.report.phase("firn", "put").unwrap();
    assert_eq!(put.rate_wanted, Some(1000.0));
    assert_eq!(put.ops, 2000);
    let latency = put.latency.unwrap();
    assert!(latency.max_us >= 390_000.0, "{latency:?}");
    // A fifth of the operations were due during the stall; counted from when they
    // were sent, only one would look slow.
    assert!(latency.p95_us >= 200_000.0, "{latency:?}");
    assert!(put.longest_stall_s >= 0.3, "{}", put.longest_stall_s);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_warm_up_does_not_count_and_shares_refer_to_earlier_phases() {
    let provider = MapProvider::default();
    let text = "name: x\ndata: {keys: 1000}\nphases:\n  \
        - {kind: put, name: peak, tasks: 2, rate: 2000, warmup_s: 1, duration_s: 1}\n  \
        - {kind: put, name: half, tasks: 2, rate: {of: peak, share: 0.5}, duration_s: 1}\n";
    let summary = run_text(text, &provider).await;
    assert_eq!(summary.errors(), Vec::<String>::new());
    let phase = |name| summary.report.phase("firn", name).unwrap();
    let (peak, half) = (phase("peak"), phase("half"));
    assert!((1_000.0..3_500.0).contains(&peak.ops_per_s), "{}", peak.ops_per_s);
    assert!((500..3_500).contains(&peak.ops), "{}: one second of two counts", peak.ops);
    assert!(peak.points[0].at_s <= 0.1, "the warm-up lies before zero");
    assert_eq!(half.rate_wanted, Some(peak.ops_per_s * 0.5));
}

#[tokio::test]
async fn a_peer_that_is_not_built_is_refused_before_anything_runs() {
    let text = "name: x\nphases:\n  - {kind: load}\ncompare_with: [rocksdb]\n";
    let config = Config::parse(text, "x").unwrap();
    if config.compare_with.iter().all(|peer| Config::peer_is_built(*peer)) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let provider = MapProvider::default();
    let e = run_config(&config, text, dir.path(), &provider).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::BadRequest);
    assert!(e.to_string().contains("`peers`"), "{e}");
    assert!(provider.opened.lock().is_empty());
}
