//! Speed of merges, column copies included, on one core.
//!
//! ```text
//! cargo run --release --example merge_speed [rows] [value bytes] [half|hex] [columns|rows] [threads 1]
//! ```
//!
//! Two merges of the bottom are measured. *Fold*: six files of L0 that overlap
//! become the bottom. *Update*: one more file of L0, a tenth of the keys, is
//! merged into that. All is in memory and on one thread; what is printed is
//! its CPU time. Values are half random bytes and half zeros, or hex digits:
//! both can be made half as large, the second only by entropy coding.
#![expect(clippy::print_stdout, reason = "an example that prints")]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::compaction::{Compaction, LeaseToken, ShardLease};
use firn_engine::key::KeyRange;
use firn_engine::manifest::{Job, JobInput, LEVEL_MAX, Shard, SpaceOptions, SstMeta};
use firn_engine::merge::{MergeContext, MergeCounts, StopFlag, merge_shard};
use firn_engine::object::{Layout, StoreBlocks};
use firn_engine::{BranchName, Db, Env, Options, Parts, Result, SpaceId, WriteBatch};
use firn_journal::MemoryJournal;
use firn_storage::StorageService;
use firn_storage::picker::PickerOptions;
use firn_table::{RowDescription, Schemas};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

const SPACE: SpaceId = SpaceId(1);
const L0_FILES: usize = 6;
const LIMIT: Duration = Duration::from_secs(600);

struct Setting {
    rows: usize,
    value_len: usize,
    hex: bool,
    columns: bool,
}

struct World {
    env: Env,
    store: Arc<dyn ObjectStore>,
    layout: Layout,
    options: SpaceOptions,
}

/// Takes the reports of a merge.
#[derive(Debug, Default)]
struct Outputs(Mutex<Vec<Arc<SstMeta>>>);

#[async_trait]
impl Compaction for Outputs {
    async fn lease(&self, _: &str, _: usize) -> Result<Vec<ShardLease>> {
        Ok(Vec::new())
    }

    async fn heartbeat(&self, _: &[LeaseToken]) -> Result<Vec<LeaseToken>> {
        Ok(Vec::new())
    }

    async fn report(
        &self,
        _: &LeaseToken,
        outputs: Vec<Arc<SstMeta>>,
        _: Bytes,
        _: bool,
    ) -> Result<()> {
        self.0.lock().extend(outputs);
        Ok(())
    }

    async fn release(&self, _: &LeaseToken, _: Option<String>) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, or: usize| args.get(i).map_or(or, |a| a.parse().expect("a number"));
    let is = |i: usize, word: &str| args.get(i).is_some_and(|a| a == word);
    let setting = Setting {
        rows: number(0, 3_000_000),
        value_len: number(1, 100),
        hex: is(2, "hex"),
        columns: !is(3, "rows"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run(&setting)).expect("no errors in memory");
}

async fn run(setting: &Setting) -> Result<()> {
    let handle = tokio::runtime::Handle::current();
    let row_schema = if setting.columns { RowDescription::KeyValue.encode() } else { Bytes::new() };
    let world = World {
        env: Env::tokio(handle.clone(), handle),
        store: Arc::new(InMemory::new()),
        layout: Layout::new(Path::from("db")),
        options: SpaceOptions { row_schema, ..SpaceOptions::default() },
    };
    let storage = StorageService::start(
        world.env.clone(),
        "storage",
        Arc::clone(&world.store),
        world.layout.clone(),
        PickerOptions {
            l0_files: 1000,
            base_bytes_max: u64::MAX / 1000,
            ..PickerOptions::default()
        },
    );
    let parts = Parts {
        env: world.env.clone(),
        journal: Arc::new(MemoryJournal::default()),
        storage: Arc::clone(&storage) as _,
        store: Arc::clone(&world.store),
        layout: world.layout.clone(),
        blocks: world.blocks(),
        disk_cache: None,
    };
    let options = Options { memtable_bytes: 1 << 30, ..Options::for_memory(4 << 30) };
    let db = Db::open(parts, options).await?;
    let mut rng = SmallRng::seed_from_u64(1);
    for _ in 0..L0_FILES {
        load(&db, &mut rng, setting, setting.rows / L0_FILES).await?;
    }
    let fold = files(&db, &[]);
    let bottom = merge(&world, "fold", inputs(&fold, 0)).await?;
    load(&db, &mut rng, setting, setting.rows / 10).await?;
    let mut update = inputs(&files(&db, &fold), 0);
    update.extend(inputs(&bottom, LEVEL_MAX));
    merge(&world, "update", update).await?;
    db.close(LIMIT).await?;
    storage.close().await;
    Ok(())
}

/// Random keys, and flushes.
async fn load(db: &Db, rng: &mut SmallRng, setting: &Setting, rows: usize) -> Result<()> {
    let mut value = vec![0; setting.value_len];
    let half = value.len() / 2;
    let mut batch = WriteBatch::new();
    for i in 0..rows {
        if setting.hex {
            for byte in &mut value {
                *byte = b"0123456789abcdef"[rng.random_range(0..16)];
            }
        } else {
            rng.fill(&mut value[..half]);
        }
        let key = rng.random_range(0..setting.rows as u64 * 4).to_be_bytes();
        batch.put(SPACE, &key, &value)?;
        if i % 1000 == 999 || i + 1 == rows {
            db.write(&std::mem::replace(&mut batch, WriteBatch::new())).await?;
        }
    }
    db.flush(LIMIT).await
}

/// The files that are there and not among `known`, newest first.
fn files(db: &Db, known: &[Arc<SstMeta>]) -> Vec<Arc<SstMeta>> {
    let version = db.version();
    let new = version.files().filter(|(_, f)| known.iter().all(|k| k.id != f.id));
    new.map(|(_, f)| Arc::clone(f)).collect()
}

fn inputs(files: &[Arc<SstMeta>], level: usize) -> Vec<(JobInput, Arc<SstMeta>)> {
    files.iter().map(|f| (JobInput { level, id: f.id }, Arc::clone(f))).collect()
}

impl World {
    fn blocks(&self) -> Arc<StoreBlocks> {
        Arc::new(StoreBlocks::new(Arc::clone(&self.store), self.layout.clone()))
    }
}

/// Runs one merge and prints what it cost.
async fn merge(
    world: &World,
    name: &str,
    inputs: Vec<(JobInput, Arc<SstMeta>)>,
) -> Result<Vec<Arc<SstMeta>>> {
    let context = MergeContext {
        env: world.env.clone(),
        store: Arc::clone(&world.store),
        layout: world.layout.clone(),
        blocks: world.blocks(),
        schemas: Arc::new(Schemas),
        file_bytes_max: 64 << 20,
    };
    // Names of objects come from it.
    let attempt = if name == "fold" { 1 } else { 2 };
    let mut shard = Shard::new(KeyRange::space(SPACE));
    shard.attempt = Some(attempt);
    let job = Job {
        id: 1,
        space: SPACE,
        inputs: inputs.iter().map(|(input, _)| *input).collect(),
        target_level: LEVEL_MAX,
        bottom: true,
        watermark: firn_engine::Seq::MAX,
        shards: vec![shard],
        parked: None,
    };
    let first = inputs[0].1.id;
    let lease = ShardLease {
        token: LeaseToken { branch: BranchName::main(), job: 1, shard: 0, attempt },
        job: Arc::new(job),
        inputs: inputs.into_iter().map(|(_, meta)| meta).collect(),
        options: world.options.clone(),
        branch_uid: first.branch,
        epoch: first.epoch,
    };
    let (queue, counts) = (Outputs::default(), MergeCounts::default());
    let before = cpu_seconds();
    merge_shard(&context, &lease, &queue, &StopFlag::default(), &counts).await?;
    let seconds = cpu_seconds() - before;
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed) as f64;
    let raw = get(&counts.raw_bytes_in);
    println!(
        "{name:6} {:.2} M versions, {:.0} MB raw, {:.0} MB stored -> {:.0} MB rows + {:.0} MB columns \
         in {seconds:.2} s: {:.0} MB/s, {:.0} ns a version",
        get(&counts.entries_in) / 1e6,
        raw / 1e6,
        get(&counts.bytes_in) / 1e6,
        get(&counts.row_bytes_out) / 1e6,
        get(&counts.column_bytes_out) / 1e6,
        raw / seconds / 1e6,
        seconds * 1e9 / get(&counts.entries_in),
    );
    Ok(queue.0.into_inner())
}

/// CPU time of this thread, as Linux counts it.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|n| n.parse::<u64>().ok());
    nanos.unwrap_or_default() as f64 / 1e9
}
