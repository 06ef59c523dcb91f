//! Branches against sorted maps: made of the head, of snapshots and of past commits, dropped,
//! and written side by side, with compaction, garbage collection, faults of the store and
//! crashes at any step in the mix.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_engine::manifest::{BranchState, SpaceOptions};
use firn_engine::object::{FaultPlan, ObjectKind};
use firn_engine::storage::{BranchAt, Branches, NewBranch};
use firn_engine::{BranchName, Env, Seq, SpaceId, WriteBatch};
use firn_storage::StorageService;
use firn_storage::gc::Reachable;
use firn_storage::manifests::Manifests;
use firn_table::RowDescription;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::world::{Running, World};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

const SPACE: SpaceId = SpaceId(1);
const LIMIT: Duration = Duration::from_secs(600);
/// Branches at once, and open ones.
const LINES_MAX: usize = 5;
const OPEN_MAX: usize = 3;

/// One branch and what it must hold.
struct Line {
    world: World,
    parent: Option<BranchName>,
    running: Option<Running>,
    model: Map,
    snapshots: BTreeMap<String, (Seq, Map)>,
    /// Seqs of the past, kept or not.
    past: Vec<(Seq, Map)>,
}

struct Run {
    rng: SmallRng,
    world: World,
    lines: BTreeMap<BranchName, Line>,
    names: u32,
    /// Branches that were dropped, and after which none was asked for that is called the same.
    fallen: Vec<BranchName>,
    /// All that were dropped.
    dropped: Vec<BranchName>,
    keys: u32,
    made: [u32; 3],
}

impl Run {
    async fn new(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let plan = match seed % 3 {
            0 => FaultPlan::everything(20),
            _ => FaultPlan {
                delays: 500,
                delay_max: Duration::from_millis(10),
                ..FaultPlan::default()
            },
        };
        let world = World::small(Env::simulated(seed)).with_faults(plan);
        let keys = rng.random_range(20..400);
        let (lines, made) = (BTreeMap::new(), [0; 3]);
        let (fallen, dropped) = (Vec::new(), Vec::new());
        let mut run = Self { rng, world, lines, names: 0, fallen, dropped, keys, made };
        run.add(BranchName::main(), None, Map::new());
        run.open(&BranchName::main()).await;
        if seed.is_multiple_of(2) {
            let row_schema = RowDescription::KeyValue.encode();
            let options = SpaceOptions { row_schema, ..SpaceOptions::default() };
            run.db(&BranchName::main()).declare_space(SPACE, options).await.unwrap();
        }
        run
    }

    fn add(&mut self, name: BranchName, parent: Option<BranchName>, model: Map) {
        let mut world = self.world.clone();
        world.options.branch = name.clone();
        let (snapshots, past) = (BTreeMap::new(), Vec::new());
        self.lines.insert(name, Line { world, parent, running: None, model, snapshots, past });
    }

    fn line(&mut self, name: &BranchName) -> &mut Line {
        self.lines.get_mut(name).unwrap()
    }

    fn db(&self, name: &BranchName) -> &firn_engine::Db {
        &self.lines[name].running.as_ref().unwrap().db
    }

    fn any(&mut self) -> BranchName {
        let at = self.rng.random_range(0..self.lines.len());
        self.lines.keys().nth(at).unwrap().clone()
    }

    /// Like the program that an operator runs: it knows nothing but the store.
    fn tool(&self) -> Arc<StorageService> {
        let (store, layout) = (Arc::clone(&self.world.store), self.world.layout.clone());
        StorageService::passive(self.world.env.clone(), "tool", store, layout)
    }

    /// Opens a branch, by its name or by what it is called.
    async fn open(&mut self, name: &BranchName) {
        if self.lines[name].running.is_some() {
            return;
        }
        let open: Vec<_> = self
            .lines
            .iter()
            .filter(|(_, l)| l.running.is_some())
            .map(|(n, _)| n.clone())
            .collect();
        if open.len() >= OPEN_MAX {
            let at = self.rng.random_range(0..open.len());
            self.close(&open[at]).await;
        }
        let called = if self.rng.random_bool(0.5) { name.called() } else { name.clone() };
        let line = self.line(name);
        line.world.options.branch = called;
        let running = line.world.open().await.unwrap();
        assert_eq!(running.db.version().branch, *name);
        line.running = Some(running);
    }

    async fn close(&mut self, name: &BranchName) {
        let Some(running) = self.line(name).running.take() else { return };
        match self.rng.random_bool(0.5) {
            true => running.close().await,
            // A crash.
            false => drop(running),
        }
    }

    async fn write(&mut self, name: &BranchName) {
        self.open(name).await;
        for _ in 0..self.rng.random_range(1..40) {
            let mut batch = WriteBatch::new();
            let key = format!("{:04}", self.rng.random_range(0..self.keys)).into_bytes();
            match self.rng.random_range(0..10) {
                0..8 => {
                    let mut value = vec![0; self.rng.random_range(0..300)];
                    self.rng.fill(&mut value[..]);
                    batch.put(SPACE, &key, &value).unwrap();
                    self.line(name).model.insert(key, value);
                }
                8 => {
                    batch.delete(SPACE, &key).unwrap();
                    self.line(name).model.remove(&key);
                }
                _ => {
                    let mut end = key.clone();
                    end.push(b'5');
                    end[2] = end[2].saturating_add(1);
                    batch.delete_range(SPACE, &key, Some(&end)).unwrap();
                    self.line(name).model.retain(|k, _| *k < key || *k >= end);
                }
            }
            self.db(name).write(&batch).await.unwrap();
        }
        let seq = self.db(name).last_seq();
        let line = self.line(name);
        line.past.push((seq, line.model.clone()));
    }

    async fn check(&mut self, name: &BranchName) {
        self.open(name).await;
        let all = KeyRange { start: Bytes::new(), end: None };
        for backward in [false, true] {
            let db = self.db(name);
            let scan = match backward {
                false => db.scan(SPACE, &all).await,
                true => db.scan_backward(SPACE, &all).await,
            };
            let mut got = scan.unwrap().collect(usize::MAX).await.unwrap();
            if backward {
                got.reverse();
            }
            let model = &self.lines[name].model;
            let want: Vec<_> = model
                .iter()
                .map(|(k, v)| (Bytes::from(k.clone()), Bytes::from(v.clone())))
                .collect();
            assert!(got == want, "{name:?}: {} rows, not {}", got.len(), want.len());
        }
        for key in 0..self.keys {
            let key = format!("{key:04}").into_bytes();
            let got = self.db(name).get(SPACE, &key).await.unwrap();
            let want = self.lines[name].model.get(&key).cloned().map(Bytes::from);
            assert_eq!(got, want, "{name:?}: {}", key.escape_ascii());
        }
        for (snapshot, (seq, model)) in &self.lines[name].snapshots {
            let at = self.db(name).snapshot_at(*seq).unwrap();
            for (key, value) in model {
                let got = at.get(SPACE, key).await.unwrap();
                assert_eq!(got.as_deref(), Some(&value[..]), "{name:?} at {snapshot}");
            }
        }
    }

    /// What is committed now is in files, by asking the writer through the manifest.
    async fn head(&mut self, name: &BranchName) -> Seq {
        self.open(name).await;
        let wanted = self.tool().want_flush(name).await.unwrap().flush_wanted;
        let running = self.lines[name].running.as_ref().unwrap();
        running.storage.look_soon();
        let answered = || running.db.version().flush_answered >= wanted;
        self.world.until("the writer has flushed", answered).await;
        let seq = running.db.version().flushed_seq;
        assert_eq!(seq, running.db.last_seq(), "nothing is written meanwhile");
        seq
    }

    async fn branch(&mut self) {
        if self.lines.len() >= LINES_MAX {
            return;
        }
        let parent = self.any();
        let kind = self.rng.random_range(0..3);
        let (at, model) = match kind {
            0 => (BranchAt::Seq(self.head(&parent).await), self.lines[&parent].model.clone()),
            1 => {
                let Some((snapshot, (_, model))) = self.lines[&parent].snapshots.iter().next()
                else {
                    return;
                };
                (BranchAt::Snapshot(snapshot.clone()), model.clone())
            }
            _ => {
                // Of what is kept, which is what nobody has overwritten since, or little.
                self.head(&parent).await;
                let kept = self.tool().newest(&parent).await.unwrap().watermark.seq;
                let past = self.lines[&parent].past.iter().find(|(seq, _)| *seq >= kept);
                let Some((seq, model)) = past.cloned() else { return };
                (BranchAt::Seq(seq), model)
            }
        };
        let name = self.name().await;
        let branch_uid = self.world.env.random_u64().max(1);
        let new = NewBranch { parent: parent.clone(), name: name.clone(), branch_uid, at };
        // Cut off after a while, as by a crash, and tried again elsewhere, or given up.
        for _ in 0..20 {
            let cut = Duration::from_millis(self.rng.random_range(1..60));
            let tool = self.tool();
            match self.world.env.timeout(cut, tool.create_branch(new.clone())).await {
                Some(Ok(info)) => {
                    assert_eq!((info.name, info.state), (name.clone(), BranchState::Created));
                    self.made[kind] += 1;
                    self.add(name.clone(), Some(parent), model);
                    return self.check(&name).await;
                }
                // Watermarks go on until the branch is pinned.
                Some(Err(error)) if error.to_string().contains("or later is kept") => return,
                Some(Err(error)) => assert!(error.is_retryable(), "{error}"),
                None if self.rng.random_bool(0.2) => break,
                None => {}
            }
            if self.rng.random_bool(0.3) {
                self.pass(40).await;
            }
        }
        let listed = self.tool().list_branches().await.unwrap();
        if listed.iter().any(|info| info.name == name) {
            self.tool().drop_branch(&name, true).await.unwrap();
            self.fell(name);
        }
    }

    fn fell(&mut self, name: BranchName) {
        self.fallen.push(name.clone());
        self.dropped.push(name);
    }

    /// A name that no branch had: of one that is called as none was, or as one that is gone.
    async fn name(&mut self) -> BranchName {
        if self.fallen.is_empty() || self.rng.random_bool(0.4) {
            self.names += 1;
            return BranchName::new(&format!("b{}", self.names)).unwrap();
        }
        let at = self.rng.random_range(0..self.fallen.len());
        let last = self.fallen.swap_remove(at);
        let found = self.tool().find(&last.called()).await.unwrap().unwrap();
        assert_eq!((&found.name, found.state), (&last, BranchState::Dropped));
        last.following()
    }

    async fn drop_one(&mut self) {
        let name = self.any();
        let has_branches = self.lines.values().any(|line| line.parent.as_ref() == Some(&name));
        if has_branches || name == BranchName::main() {
            let refused = self.tool().drop_branch(&name, true).await.unwrap_err();
            assert_eq!(refused.kind(), firn_engine::ErrorKind::BadRequest, "{refused}");
            return;
        }
        for _ in 0..20 {
            let cut = Duration::from_millis(self.rng.random_range(1..40));
            let tool = self.tool();
            match self.world.env.timeout(cut, tool.drop_branch(&name, true)).await {
                Some(Ok(())) => break,
                Some(Err(error)) => assert!(error.is_retryable(), "{error}"),
                None => {}
            }
        }
        self.tool().drop_branch(&name, true).await.unwrap();
        let line = self.lines.remove(&name).unwrap();
        if let Some(running) = line.running {
            running.storage.look_soon();
            self.world.until("its writer has stopped", || running.db.failure().is_some()).await;
        }
        let reopened = line.world.open().await.map(drop).unwrap_err();
        assert!(reopened.to_string().ends_with("was dropped"), "{reopened}");
        self.fell(name);
    }

    async fn pass(&mut self, seconds_max: u64) {
        let pause = Duration::from_millis(self.rng.random_range(0..seconds_max * 1000));
        self.world.env.sleep(pause).await;
    }

    async fn step(&mut self) {
        let name = self.any();
        match self.rng.random_range(0..100) {
            0..45 => self.write(&name).await,
            45..60 => self.check(&name).await,
            60..70 => self.branch().await,
            70..74 => self.drop_one().await,
            74..80 => self.close(&name).await,
            80..85 => {
                self.open(&name).await;
                let snapshot = format!("s{}", self.rng.random_range(0..3));
                if self.lines[&name].snapshots.contains_key(&snapshot) {
                    self.db(&name).drop_checkpoint(&snapshot).await.unwrap();
                    self.line(&name).snapshots.remove(&snapshot);
                } else {
                    let seq = self.db(&name).checkpoint(&snapshot, LIMIT).await.unwrap();
                    let line = self.line(&name);
                    line.snapshots.insert(snapshot, (seq, line.model.clone()));
                }
            }
            85..90 => {
                self.open(&name).await;
                let running = self.lines[&name].running.as_ref().unwrap();
                running.storage.collect_garbage(&name).await.unwrap();
            }
            _ => self.pass(60).await,
        }
    }

    /// Every object that is named is there, and in the end nothing else.
    async fn objects_agree(&self, exactly: bool) {
        let (env, store, layout) = (&self.world.env, &self.world.store, &self.world.layout);
        let manifests = Manifests::new(env.clone(), Arc::clone(store), layout.clone());
        let reachable = Reachable::read(&manifests).await.unwrap();
        let (objects, _) = firn_storage::gc::list(&**store, layout).await.unwrap();
        let there: BTreeSet<_> = objects.keys().map(|(id, _)| *id).collect();
        let rows: BTreeSet<_> =
            objects.keys().filter(|(_, k)| *k == ObjectKind::Sst).map(|(id, _)| *id).collect();
        for version in reachable.versions() {
            for (_, file) in version.files() {
                assert!(rows.contains(&file.id), "{:?} of {:?} is gone", file.id, version.branch);
            }
        }
        if exactly {
            let needed = reachable.needed();
            let litter: Vec<_> = there.difference(&needed).collect();
            assert!(litter.is_empty(), "{litter:?} is left");
        }
    }

    async fn finish(mut self) -> [u32; 3] {
        let names: Vec<_> = self.lines.keys().cloned().collect();
        for name in &names {
            self.check(name).await;
        }
        self.objects_agree(false).await;
        // All branches go, those that come from others first; then what was only theirs.
        while self.lines.len() > 1 {
            let parents: BTreeSet<_> =
                self.lines.values().filter_map(|line| line.parent.clone()).collect();
            let main = BranchName::main();
            let leaf = self.lines.keys().find(|n| **n != main && !parents.contains(*n)).cloned();
            let leaf = leaf.unwrap();
            self.tool().drop_branch(&leaf, true).await.unwrap();
            self.lines.remove(&leaf);
            self.fell(leaf);
        }
        let main = BranchName::main();
        self.check(&main).await;
        self.db(&main).flush(LIMIT).await.unwrap();
        // The service of `main` finds the others by their names in its manifest. Leases of
        // readers that crashed run out, garbage goes, and then what nobody names any more.
        let gone = || self.lines[&main].running.as_ref().unwrap().db.version().children.is_empty();
        self.world.until("the branches are gone", gone).await;
        let running = self.lines[&main].running.as_ref().unwrap();
        self.world.settle(running).await;
        running.storage.delete_orphans().await.unwrap();
        self.objects_agree(true).await;
        for name in &self.dropped {
            let bounds = self.world.journal.bounds(name).await.unwrap();
            assert_eq!(bounds.bytes, 0, "{name:?} has records in the journal");
        }
        self.check(&main).await;
        self.lines.get_mut(&main).unwrap().running.take().unwrap().close().await;
        self.made
    }
}

/// `FIRN_SEED=n` starts at that seed, `FIRN_SEEDS=n` runs that many.
#[test]
fn branches_agree_with_sorted_maps() {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let seed = number("FIRN_SEED");
    let count = number("FIRN_SEEDS").unwrap_or(if seed.is_some() { 1 } else { 6 });
    let start = seed.unwrap_or_else(|| rand::random::<u32>().into());
    let mut made = [0; 3];
    for seed in start..start + count {
        eprintln!("seed {seed}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let run = async {
            let mut run = Run::new(seed).await;
            for _ in 0..250 {
                run.step().await;
            }
            run.finish().await
        };
        for (all, one) in made.iter_mut().zip(runtime.block_on(run)) {
            *all += one;
        }
    }
    eprintln!("branches of heads, snapshots and past commits: {made:?}");
}
