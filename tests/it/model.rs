//! The engine against a sorted map, with reopening, flushing, compaction,
//! snapshots and garbage collection in the mix.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::db::Snapshot;
use firn_engine::key::KeyRange;
use firn_engine::manifest::SpaceOptions;
use firn_engine::object::FaultPlan;
use firn_engine::{BranchName, Env, SpaceId, WriteBatch, sst};
use firn_table::RowDescription;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::world::{Running, World};

type Map = BTreeMap<(u32, Vec<u8>), Vec<u8>>;

struct Run {
    rng: SmallRng,
    world: World,
    running: Option<Running>,
    model: Map,
    snapshots: Vec<(Snapshot, Map)>,
    checkpoints: Vec<(String, firn_engine::Seq, Map)>,
    keys: u64,
    step: usize,
    /// How often memory knew a key by itself.
    known: usize,
}

impl Run {
    async fn new(seed: u64, change: impl FnOnce(World, u64) -> World) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut world = World::small(Env::simulated(seed));
        // Every third run on a store that fails.
        if seed.is_multiple_of(3) {
            world = world.with_faults(FaultPlan::everything(30));
        }
        world.options.memtables_max = rng.random_range(2..5);
        let world = change(world, seed);
        let keys = *[20u64, 200, 2000].get(rng.random_range(0..3)).unwrap();
        let running = world.open().await.unwrap();
        if rng.random_bool(0.5) {
            let row_schema = RowDescription::KeyValue.encode();
            let options = SpaceOptions { row_schema, ..SpaceOptions::default() };
            running.db.declare_space(SpaceId(1), options).await.unwrap();
        }
        Self {
            rng,
            world,
            running: Some(running),
            model: Map::new(),
            snapshots: Vec::new(),
            checkpoints: Vec::new(),
            keys,
            step: 0,
            known: 0,
        }
    }

    fn db(&self) -> &firn_engine::Db {
        &self.running.as_ref().unwrap().db
    }

    fn space(&mut self) -> u32 {
        if self.rng.random_bool(0.8) { 1 } else { self.rng.random_range(2..5) }
    }

    fn key(&mut self) -> Vec<u8> {
        let n = self.rng.random_range(0..self.keys);
        // Keys of many lengths, some a prefix of others.
        let text = format!("{n:04}");
        let len = self.rng.random_range(1..=4);
        if self.rng.random_bool(0.1) { text[..len].into() } else { text.into() }
    }

    fn value(&mut self) -> Vec<u8> {
        let len = if self.rng.random_bool(0.02) { 9000 } else { self.rng.random_range(0..200) };
        let byte = self.rng.random::<u8>();
        let mut value = vec![byte; len];
        self.rng.fill(&mut value[..len / 2]);
        value
    }

    async fn write(&mut self) {
        let ops = if self.rng.random_bool(0.7) { 1 } else { self.rng.random_range(2..20) };
        let mut batch = WriteBatch::new();
        for _ in 0..ops {
            let (space, key) = (self.space(), self.key());
            let id = SpaceId(space);
            match self.rng.random_range(0..100) {
                0..70 => {
                    let value = self.value();
                    batch.put(id, &key, &value).unwrap();
                    self.model.insert((space, key), value);
                }
                70..95 => {
                    batch.delete(id, &key).unwrap();
                    self.model.remove(&(space, key));
                }
                _ => {
                    let end = self.key();
                    let (start, end) = if key <= end { (key, end) } else { (end, key) };
                    let whole = self.rng.random_bool(0.02);
                    let (start, end) = if whole { (vec![], None) } else { (start, Some(end)) };
                    batch.delete_range(id, &start, end.as_deref()).unwrap();
                    self.model.retain(|(s, k), _| {
                        *s != space || *k < start || end.as_ref().is_some_and(|e| k >= e)
                    });
                }
            }
        }
        self.db().write(&batch).await.unwrap();
    }

    /// Writes that lie in files before they are committed, or are given up.
    async fn write_large(&mut self) {
        let mut runs = Vec::new();
        let mut written: BTreeMap<(u32, Vec<u8>), Option<Vec<u8>>> = BTreeMap::new();
        for order in 0..self.rng.random_range(1..4) {
            let mut writes = BTreeMap::new();
            for _ in 0..self.rng.random_range(1..80) {
                let value = self.rng.random_bool(0.8).then(|| self.value());
                writes.insert((self.space(), self.key()), value);
            }
            let list: Vec<_> = writes
                .iter()
                .map(|((space, key), value)| (SpaceId(*space), &key[..], value.as_deref()))
                .collect();
            runs.push(Arc::new(self.db().store_run(order, &list).await.unwrap()));
            written.extend(writes);
        }
        if self.rng.random_bool(0.2) {
            return;
        }
        let run = self.db().merge_runs(9, &runs, &BTreeSet::new()).await.unwrap();
        assert_eq!(run.entries(), written.len() as u64);
        drop(runs);
        self.db().commit_run(run).await.unwrap();
        for (key, value) in written {
            match value {
                Some(value) => self.model.insert(key, value),
                None => self.model.remove(&key),
            };
        }
    }

    async fn get(&mut self) {
        let (space, key) = (self.space(), self.key());
        let snapshot = self.db().snapshot();
        // What memory says before, it says behind a read of files, too.
        let before = snapshot.try_get(SpaceId(space), &key).unwrap();
        let got = self.db().get(SpaceId(space), &key).await.unwrap();
        let after = snapshot.try_get(SpaceId(space), &key).unwrap();
        let want = self.model.get(&(space, key.clone())).cloned().map(Bytes::from);
        assert_eq!(got, want, "step {}: get {space} {}", self.step, key.escape_ascii());
        for known in before.into_iter().chain(after) {
            assert_eq!(known, want, "step {}: in memory {space} {}", self.step, key.escape_ascii());
            self.known += 1;
        }
        for (snapshot, model) in &self.snapshots {
            let known = snapshot.try_get(SpaceId(space), &key).unwrap();
            let want = model.get(&(space, key.clone())).cloned().map(Bytes::from);
            if let Some(known) = known {
                assert_eq!(known, want, "step {}: earlier {}", self.step, key.escape_ascii());
            }
        }
    }

    async fn get_many(&mut self) {
        let space = self.space();
        let keys: Vec<_> = (0..self.rng.random_range(1..20)).map(|_| self.key()).collect();
        let refs: Vec<&[u8]> = keys.iter().map(|k| &k[..]).collect();
        let got = self.db().get_many(SpaceId(space), &refs).await.unwrap();
        let want = |k: &Vec<u8>| self.model.get(&(space, k.clone())).cloned().map(Bytes::from);
        assert_eq!(got, keys.iter().map(want).collect::<Vec<_>>(), "step {}", self.step);
    }

    fn range(&mut self) -> KeyRange {
        let (a, b) = (self.key(), self.key());
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        match self.rng.random_range(0..4) {
            0 => KeyRange { start: Bytes::new(), end: None },
            1 => KeyRange { start: a.into(), end: None },
            _ => KeyRange { start: a.into(), end: Some(b.into()) },
        }
    }

    async fn scan(&mut self) {
        let (space, range) = (self.space(), self.range());
        let backward = self.rng.random_bool(0.4);
        let max = if self.rng.random_bool(0.5) { 10 } else { usize::MAX };
        let which = self.rng.random_range(0..=self.snapshots.len());
        let (mut scan, model) = if which < self.snapshots.len() {
            let (snapshot, model) = &self.snapshots[which];
            let scan = if backward {
                snapshot.scan_backward(SpaceId(space), &range).await
            } else {
                snapshot.scan(SpaceId(space), &range).await
            };
            (scan.unwrap(), model)
        } else {
            let scan = if backward {
                self.db().scan_backward(SpaceId(space), &range).await
            } else {
                self.db().scan(SpaceId(space), &range).await
            };
            (scan.unwrap(), &self.model)
        };
        let inside = |(s, k): &(u32, Vec<u8>)| *s == space && range.contains(k);
        let rows = model.iter().filter(|(k, _)| inside(k));
        let mut want: Vec<(Bytes, Bytes)> =
            rows.map(|((_, k), v)| (k.clone().into(), v.clone().into())).collect();
        if backward {
            want.reverse();
        }
        want.truncate(max);
        let got = scan.collect(max).await.unwrap();
        assert!(got.len() == max || scan.is_at_end(), "step {}: at the end", self.step);
        let keys = |rows: &[(Bytes, Bytes)]| {
            rows.iter().map(|(k, _)| k.escape_ascii().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(keys(&got), keys(&want), "step {}: {space} {range:?} {backward}", self.step);
        assert!(got == want, "step {}: values differ", self.step);
    }

    async fn check_all(&mut self) {
        for space in 1..5u32 {
            let all = KeyRange { start: Bytes::new(), end: None };
            let mut scan = self.db().scan(SpaceId(space), &all).await.unwrap();
            let got = scan.collect(usize::MAX).await.unwrap();
            let own = self.model.iter().filter(|((s, _), _)| *s == space);
            let want: Vec<_> =
                own.map(|((_, k), v)| (Bytes::from(k.clone()), Bytes::from(v.clone()))).collect();
            assert!(
                got == want,
                "step {}: space {space}: {} rows, not {}",
                self.step,
                got.len(),
                want.len()
            );
        }
        for i in 0..self.checkpoints.len() {
            let (name, seq, model) = self.checkpoints[i].clone();
            let snapshot = self.db().snapshot_at(seq).unwrap();
            for ((space, key), value) in &model {
                let got = snapshot.get(SpaceId(*space), key).await.unwrap();
                assert_eq!(got.as_deref(), Some(&value[..]), "checkpoint {name}");
            }
        }
    }

    async fn reopen(&mut self) {
        self.snapshots.clear();
        let running = self.running.take().unwrap();
        match self.rng.random_range(0..3) {
            0 => running.close().await,
            // A crash: nothing is told, tasks end where they are.
            1 => drop(running),
            // Another writer takes over while this one still lives.
            _ => {
                let next = self.world.open().await.unwrap();
                let refused = running.db.put(SpaceId(1), b"fenced?", b"").await;
                assert!(refused.is_err(), "the old writer was fenced");
                self.running = Some(next);
            }
        }
        if self.running.is_none() {
            self.running = Some(self.world.open().await.unwrap());
        }
    }

    async fn step(&mut self) {
        self.step += 1;
        match self.rng.random_range(0..1000) {
            0..590 => self.write().await,
            590..600 => self.write_large().await,
            600..750 => self.get().await,
            750..780 => self.get_many().await,
            780..900 => self.scan().await,
            900..930 => {
                if self.snapshots.len() < 5 {
                    let snapshot = self.db().snapshot();
                    self.snapshots.push((snapshot, self.model.clone()));
                }
            }
            930..950 => {
                if !self.snapshots.is_empty() {
                    let at = self.rng.random_range(0..self.snapshots.len());
                    self.snapshots.swap_remove(at);
                }
            }
            950..965 => self.db().flush(Duration::from_secs(60)).await.unwrap(),
            965..985 => {
                // Compaction gets time to do what it wants.
                let pause = Duration::from_millis(self.rng.random_range(1..20_000));
                self.world.env.sleep(pause).await;
            }
            985..990 => {
                let running = self.running.as_mut().unwrap();
                running.storage.collect_garbage(&BranchName::main()).await.unwrap();
                running.replace_storage(&self.world).await;
            }
            990..994 => {
                if self.checkpoints.len() < 3 {
                    let name = format!("at step {}", self.step);
                    let seq = self.db().checkpoint(&name, Duration::from_secs(60)).await.unwrap();
                    self.checkpoints.push((name, seq, self.model.clone()));
                }
            }
            994..996 => {
                if !self.checkpoints.is_empty() {
                    let (name, _, _) = self.checkpoints.swap_remove(0);
                    self.db().drop_checkpoint(&name).await.unwrap();
                }
            }
            _ => {
                self.reopen().await;
                self.check_all().await;
            }
        }
    }

    /// After compaction has had its way: nothing is named that is not there,
    /// and nothing is there that is not named.
    async fn finish(mut self) {
        self.check_all().await;
        assert!(self.known > 0 || self.step < 200, "memory was asked, and knew nothing");
        self.snapshots.clear();
        self.reopen().await;
        self.check_all().await;
        self.world.settle(self.running.as_ref().unwrap()).await;
        self.check_all().await;
        let running = self.running.take().unwrap();
        let main = BranchName::main();
        running.db.flush(Duration::from_secs(60)).await.unwrap();
        self.world.settle(&running).await;
        running.storage.collect_garbage(&main).await.unwrap();
        let orphans = running.storage.find_orphans().await.unwrap();
        assert!(orphans.strange.is_empty(), "{orphans:?}");
        let (objects, _) =
            firn_storage::gc::list(&*self.world.store, &self.world.layout).await.unwrap();
        let version = running.storage.newest(&main).await.unwrap();
        for (level, file) in version.files() {
            assert!(
                objects.contains_key(&(file.id, firn_engine::object::ObjectKind::Sst)),
                "{:?} of level {level} is named and gone",
                file.id
            );
            let blocks = self.world.blocks();
            let rows = sst::verify(file, Arc::clone(&blocks) as _).await.unwrap();
            if file.column.is_some() {
                let columns = firn_table::verify(file, blocks).await.unwrap();
                assert_eq!(columns.digest, Some(rows.digest), "columns of {:?}", file.id);
            }
        }
        let named = version.named_objects();
        let orphaned: Vec<_> = orphans.objects.iter().map(|(id, _, _)| *id).collect();
        for (id, _) in objects.keys() {
            assert!(named.contains(id) || orphaned.contains(id), "{id:?} is unaccounted for");
        }
        running.close().await;
    }
}

fn run(seed: u64, steps: usize, change: impl FnOnce(World, u64) -> World) {
    eprintln!("seed {seed}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut run = Run::new(seed, change).await;
        for _ in 0..steps {
            run.step().await;
        }
        run.finish().await;
    });
}

/// `FIRN_SEED=n` starts at that seed, `FIRN_SEEDS=n` runs that many; in a world as `change`
/// makes it.
pub(crate) fn run_with(seeds: u64, steps: usize, change: impl Fn(World, u64) -> World) {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let seed = number("FIRN_SEED");
    let count = number("FIRN_SEEDS").unwrap_or(if seed.is_some() { 1 } else { seeds });
    let start = seed.unwrap_or_else(|| rand::random::<u32>().into());
    for seed in start..start + count {
        run(seed, steps, &change);
    }
}

#[test]
fn the_engine_agrees_with_a_sorted_map() {
    run_with(10, 3000, |world, _| world);
}
