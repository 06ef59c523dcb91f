//! Column copies: there for every file of the bottom, in the same commit, with
//! the same rows, and gone with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::compaction::{Compaction, LeaseToken, ShardLease};
use firn_engine::key::KeyRange;
use firn_engine::manifest::{SpaceOptions, SstMeta, Version};
use firn_engine::object::ObjectKind;
use firn_engine::{BranchName, Env, Error, ErrorKind, ObjectId, Result, SpaceId, WriteBatch, sst};
use firn_table::RowDescription;
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::world::{Running, World};

/// Declared with a row schema.
const COPIED: SpaceId = SpaceId(1);
/// Not.
const PLAIN: SpaceId = SpaceId(2);

const LIMIT: Duration = Duration::from_secs(60);

type Map = BTreeMap<(SpaceId, Vec<u8>), Vec<u8>>;

/// What workers have reported.
#[derive(Debug, Default)]
struct Reports {
    /// Whether each leased job is for the bottom.
    bottom: BTreeMap<u64, bool>,
    /// Every output and whether its job is for the bottom.
    outputs: BTreeMap<ObjectId, (bool, Arc<SstMeta>)>,
    reports: usize,
    /// A worker has lost touch.
    lost: bool,
}

/// How a worker loses touch.
#[derive(Debug, Clone, Copy)]
enum Loss {
    /// Before the report arrives.
    Report(usize),
    /// After it has arrived.
    Reply(usize),
}

/// A queue that writes down what passes, and after which nothing passes.
#[derive(Debug)]
struct Observed {
    queue: Arc<dyn Compaction>,
    seen: Arc<Mutex<Reports>>,
    loss: Option<Loss>,
    lost: Mutex<bool>,
}

impl Observed {
    fn new(queue: Arc<dyn Compaction>, seen: &Arc<Mutex<Reports>>, loss: Option<Loss>) -> Self {
        Self { queue, seen: Arc::clone(seen), loss, lost: Mutex::new(false) }
    }

    fn lose(&self) {
        *self.lost.lock() = true;
        self.seen.lock().lost = true;
    }

    fn reach(&self) -> Result<()> {
        match *self.lost.lock() {
            true => Err(Error::new(ErrorKind::Unavailable, "the network is down")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Compaction for Observed {
    async fn lease(&self, worker: &str, max: usize) -> Result<Vec<ShardLease>> {
        self.reach()?;
        let leases = self.queue.lease(worker, max).await?;
        let mut seen = self.seen.lock();
        seen.bottom.extend(leases.iter().map(|l| (l.job.id, l.job.bottom)));
        Ok(leases)
    }

    async fn heartbeat(&self, leases: &[LeaseToken]) -> Result<Vec<LeaseToken>> {
        self.reach()?;
        self.queue.heartbeat(leases).await
    }

    async fn report(
        &self,
        token: &LeaseToken,
        outputs: Vec<Arc<SstMeta>>,
        resume_key: Bytes,
        done: bool,
    ) -> Result<()> {
        self.reach()?;
        let number = {
            let mut seen = self.seen.lock();
            let bottom = seen.bottom[&token.job];
            let named = outputs.iter().map(|f| (f.id, (bottom, Arc::clone(f))));
            seen.outputs.extend(named);
            seen.reports += 1;
            seen.reports
        };
        if matches!(self.loss, Some(Loss::Report(at)) if number >= at) {
            self.lose();
        }
        self.reach()?;
        let reported = self.queue.report(token, outputs, resume_key, done).await;
        if matches!(self.loss, Some(Loss::Reply(at)) if number >= at) {
            self.lose();
        }
        self.reach()?;
        reported
    }

    async fn release(&self, token: &LeaseToken, failure: Option<String>) -> Result<()> {
        self.reach()?;
        self.queue.release(token, failure).await
    }
}

async fn declare(running: &Running) {
    let row_schema = RowDescription::KeyValue.encode();
    let options = SpaceOptions { row_schema, ..SpaceOptions::default() };
    running.db.declare_space(COPIED, options).await.unwrap();
}

/// Checks each file of a version; how many have a column copy.
async fn check_files(world: &World, version: &Version, seen: &Mutex<Reports>) -> usize {
    let blocks = world.blocks();
    let mut copies = 0;
    for (level, file) in version.files() {
        let made = seen.lock().outputs.get(&file.id).map(|(bottom, _)| *bottom);
        let wanted = file.space == COPIED && made == Some(true);
        assert_eq!(file.column.is_some(), wanted, "level {level}: {file:?}, made {made:?}");
        let rows = sst::verify(file, Arc::clone(&blocks) as _).await.unwrap();
        if file.column.is_some() {
            let columns = firn_table::verify(file, Arc::clone(&blocks) as _).await.unwrap();
            assert_eq!(
                (columns.rows, columns.digest),
                (rows.entries, Some(rows.digest)),
                "{file:?}"
            );
            copies += 1;
        }
    }
    copies
}

/// Deletes all garbage; then the objects are those of the files.
async fn check_objects(world: &World, running: &Running) {
    let main = BranchName::main();
    running.storage.collect_garbage(&main).await.unwrap();
    let version = running.storage.newest(&main).await.unwrap();
    assert!(version.garbage.is_empty() && version.jobs.is_empty(), "compaction is at rest");
    let (objects, strange) = firn_storage::gc::list(&*world.store, &world.layout).await.unwrap();
    assert!(strange.is_empty(), "{strange:?}");
    let there: BTreeSet<_> = objects.into_keys().collect();
    let mut named = BTreeSet::new();
    for (_, file) in version.files() {
        named.insert((file.id, ObjectKind::Sst));
        if file.column.is_some() {
            named.insert((file.id, ObjectKind::Column));
        }
    }
    assert_eq!(there, named);
}

async fn check_rows(running: &Running, model: &Map) {
    for space in [COPIED, PLAIN] {
        let all = KeyRange { start: Bytes::new(), end: None };
        let mut scan = running.db.scan(space, &all).await.unwrap();
        let got = scan.collect(usize::MAX).await.unwrap();
        let own = model.iter().filter(|((s, _), _)| *s == space);
        let want: Vec<_> =
            own.map(|((_, k), v)| (Bytes::from(k.clone()), Bytes::from(v.clone()))).collect();
        assert!(got == want, "{space:?} has {} rows, not {}", got.len(), want.len());
    }
}

/// Some writes, a tenth of them deletions and a few of whole ranges.
async fn write_some(running: &Running, rng: &mut SmallRng, model: &mut Map, ops: usize) {
    let mut batch = WriteBatch::new();
    for _ in 0..ops {
        let space = if rng.random_bool(0.8) { COPIED } else { PLAIN };
        let number = rng.random_range(0..3000);
        let key = format!("{number:05}").into_bytes();
        match rng.random_range(0..100) {
            0..88 => {
                let mut value = vec![0; rng.random_range(0..200)];
                let half = value.len() / 2;
                rng.fill(&mut value[..half]);
                batch.put(space, &key, &value).unwrap();
                model.insert((space, key), value);
            }
            88..98 => {
                batch.delete(space, &key).unwrap();
                model.remove(&(space, key));
            }
            _ => {
                let most = if rng.random_bool(0.1) { 1000 } else { 20 };
                let end = format!("{:05}", number + rng.random_range(0..most)).into_bytes();
                batch.delete_range(space, &key, Some(&end)).unwrap();
                model.retain(|(s, k), _| *s != space || *k < key || *k >= end);
            }
        }
    }
    running.db.write(&batch).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_file_of_the_bottom_has_the_same_rows_as_columns() {
    let seed = rand::random::<u32>().into();
    eprintln!("seed {seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let world = World::small(Env::simulated(seed));
    let seen = Arc::<Mutex<Reports>>::default();
    let running = world.open_with(|q| Arc::new(Observed::new(q, &seen, None))).await.unwrap();
    declare(&running).await;
    let mut model = Map::new();
    let mut snapshots = Vec::new();
    let mut copies = 0;
    for round in 0..40 {
        for _ in 0..20 {
            write_some(&running, &mut rng, &mut model, 10).await;
        }
        if rng.random_bool(0.3) {
            snapshots.push((running.db.snapshot(), model.clone()));
        } else if rng.random_bool(0.5) && !snapshots.is_empty() {
            snapshots.swap_remove(rng.random_range(0..snapshots.len()));
        }
        running.db.flush(LIMIT).await.unwrap();
        world.env.sleep(Duration::from_millis(rng.random_range(0..20_000))).await;
        // Whatever version is looked at, also in the middle of compaction.
        copies += check_files(&world, &running.db.version(), &seen).await;
        if round % 5 == 0 {
            check_rows(&running, &model).await;
        }
    }
    assert!(copies > 100, "only {copies} column copies were seen");
    let deleted = seen.lock().outputs.values().any(|(bottom, f)| *bottom && f.deletes > 0);
    assert!(deleted, "no deletion ever reached a column copy");
    for (snapshot, map) in &snapshots {
        for ((space, key), value) in map {
            let got = snapshot.get(*space, key).await.unwrap();
            assert_eq!(got.as_deref(), Some(&value[..]));
        }
    }
    snapshots.clear();
    world.settle(&running).await;
    check_files(&world, &running.db.version(), &seen).await;
    check_rows(&running, &model).await;
    check_objects(&world, &running).await;
    running.close().await;
}

/// Everything deleted at once: files go unmerged, with their column copies.
#[tokio::test(start_paused = true)]
async fn a_dropped_space_leaves_no_column_copy() {
    let world = World::small(Env::simulated(1));
    let seen = Arc::<Mutex<Reports>>::default();
    let running = world.open_with(|q| Arc::new(Observed::new(q, &seen, None))).await.unwrap();
    declare(&running).await;
    for i in 0..3000u32 {
        running.db.put(COPIED, &i.to_be_bytes(), &[7; 100]).await.unwrap();
    }
    running.db.flush(LIMIT).await.unwrap();
    world.settle(&running).await;
    running.db.put(COPIED, b"to make a merge", b"").await.unwrap();
    running.db.flush(LIMIT).await.unwrap();
    world.settle(&running).await;
    let copies = || async {
        let (objects, _) = firn_storage::gc::list(&*world.store, &world.layout).await.unwrap();
        objects.keys().filter(|(_, kind)| *kind == ObjectKind::Column).count()
    };
    assert!(copies().await > 3);
    running.db.delete_range(COPIED, b"", None).await.unwrap();
    running.db.flush(LIMIT).await.unwrap();
    world.settle(&running).await;
    check_rows(&running, &Map::new()).await;
    check_objects(&world, &running).await;
    assert_eq!(copies().await, 0);
    running.close().await;
}

/// A worker that loses touch at some report, and one that goes on.
#[tokio::test(start_paused = true)]
async fn a_resumed_merge_has_each_column_copy_once() {
    for at in 1..8 {
        for loss in [Loss::Report(at), Loss::Reply(at)] {
            resume_after(loss).await;
        }
    }
}

async fn resume_after(loss: Loss) {
    let world = World::small(Env::simulated(7));
    let seen = Arc::<Mutex<Reports>>::default();
    let first = |q| Arc::new(Observed::new(q, &seen, Some(loss))) as _;
    let running = world.open_with(first).await.unwrap();
    declare(&running).await;
    let mut rng = SmallRng::seed_from_u64(7);
    let mut model = Map::new();
    for _ in 0..6 {
        for _ in 0..40 {
            write_some(&running, &mut rng, &mut model, 20).await;
        }
        running.db.flush(LIMIT).await.unwrap();
    }
    // Then the lease of the first runs out, and the second goes on.
    world.until("the first worker has lost touch", || seen.lock().lost).await;
    let queue = Arc::clone(&running.storage) as Arc<dyn Compaction>;
    let second = world.worker(Arc::new(Observed::new(queue, &seen, None)));
    world.settle(&running).await;
    assert!(seen.lock().reports > 10, "{loss:?}: {} reports", seen.lock().reports);
    let version = running.db.version();
    assert!(version.jobs.is_empty(), "{loss:?}: {:?}", version.jobs);
    assert!(check_files(&world, &version, &seen).await > 3, "{loss:?}");
    check_rows(&running, &model).await;
    // What the first had stored and not reported, nobody names.
    running.storage.delete_orphans().await.unwrap();
    check_objects(&world, &running).await;
    assert!(second.stop(LIMIT).await);
    running.close().await;
}
