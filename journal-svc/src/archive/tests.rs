use super::*;
use crate::conformance::{Subject, run};
use crate::{AppendFault, MemoryJournal};
use bytes::Bytes;
use firn_engine::ErrorKind;
use firn_engine::journal::Record;
use firn_engine::object::{FaultPlan, FaultStore, MemoryStore, RetryOptions, RetryingStore};
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use std::time::Duration;

fn simulate<F: Future>(seed: u64, test: impl FnOnce(Env) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async { test(Env::simulated(seed)).await })
}

fn record(first: u64, last: u64, len: usize) -> Record {
    Record {
        epoch: Epoch(1),
        first_seq: Seq(first),
        last_seq: Seq(last),
        unix_ms: first,
        payload: Bytes::from(vec![first as u8; len]),
    }
}

/// A journal in memory, its archive, and a store that breaks as told.
struct World {
    env: Env,
    memory: MemoryJournal,
    faults: FaultStore,
    store: Arc<dyn ObjectStore>,
    journal: Archived,
}

impl World {
    fn new(env: &Env, plan: FaultPlan) -> Self {
        let faults = FaultStore::new(Arc::new(MemoryStore::new()), env.clone(), plan);
        let backend = Arc::new(faults.clone());
        let store: Arc<dyn ObjectStore> =
            Arc::new(RetryingStore::new(backend, env.clone(), RetryOptions::default()));
        let memory = MemoryJournal::default();
        let journal = archived(env, &memory, &store);
        Self { env: env.clone(), memory, faults, store, journal }
    }

    async fn read(&self, from: u64) -> Result<Vec<Record>> {
        self.journal.read(&BranchName::main(), Seq(from)).await?.try_collect().await
    }

    /// Waits until the journal itself is trimmed.
    async fn trimmed(&self, through: u64) {
        let wait = async {
            let main = BranchName::main();
            while self.memory.bounds(&main).await.unwrap().trimmed < Seq(through) {
                self.env.sleep(Duration::from_millis(1)).await;
            }
        };
        self.env.timeout(Duration::from_secs(60), wait).await.expect("trimmed");
    }

    async fn names(&self) -> Vec<(u64, u64)> {
        let segments = self.journal.segments(&BranchName::main());
        segments.list(None).await.unwrap().into_iter().map(|(a, b)| (a.0, b.0)).collect()
    }
}

fn archived(env: &Env, memory: &MemoryJournal, store: &Arc<dyn ObjectStore>) -> Archived {
    let options = ArchiveOptions {
        segment_bytes: 50_000,
        backlog_bytes_max: 200_000,
        ..ArchiveOptions::default()
    };
    let layout = Layout::new(Path::from("db"));
    Archived::new(env.clone(), Arc::new(memory.clone()), Arc::clone(store), layout, options)
}

#[async_trait]
impl Subject for World {
    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.journal.clone())
    }

    async fn crash(&mut self) {
        let options = self.journal.options.clone();
        self.journal = archived(&self.env, &self.memory, &self.store);
        self.journal.options = options;
    }

    fn fail_next_append(&mut self, branch: &BranchName, fault: AppendFault) -> bool {
        self.memory.fail_next_append(branch, fault);
        true
    }

    fn reads_trimmed(&self) -> bool {
        true
    }
}

#[test]
fn an_archived_journal_conforms() {
    for (seed, share) in [(1, 0), (2, 10)] {
        simulate(seed + (u64::from(std::process::id()) << 8), |env| async move {
            let fresh = || {
                let env = env.clone();
                async move {
                    let mut world = World::new(&env, FaultPlan::everything(share));
                    // The suite writes more than the other tests.
                    world.journal.options.backlog_bytes_max = 1 << 30;
                    Box::new(world) as Box<dyn Subject>
                }
                .boxed()
            };
            run(&env, &fresh, 10).await;
        });
    }
}

/// Random trims and crashes: everything that was ever written can be read.
#[test]
fn every_record_is_in_the_archive_or_in_the_journal() {
    for seed in 0..100 {
        simulate(seed, |env| async move {
            let mut world = World::new(&env, FaultPlan::everything(20));
            world.journal.options.backlog_bytes_max = 1 << 30;
            let main = BranchName::main();
            let below = |n: u64| env.random_u64() % n;
            let mut writer = world.journal.open(&main, Epoch(1)).await.unwrap();
            let (mut last, mut all) = (0, Vec::new());
            for _ in 0..60 {
                match below(10) {
                    0 => {
                        drop(writer);
                        world.crash().await;
                        writer = world.journal.open(&main, Epoch(1)).await.unwrap();
                    }
                    1 | 2 => writer.trim(Seq(last - below(4).min(last))).await.unwrap(),
                    3 => env.sleep(Duration::from_millis(below(200))).await,
                    4 => {
                        let from = 1 + below(last.max(1));
                        let at = all.partition_point(|r: &Record| r.last_seq < Seq(from));
                        let read = world.read(from).await.unwrap();
                        assert!(read == all[at..], "seed {seed}, from {from} of {last}");
                    }
                    _ => {
                        let record = record(last + 1, last + 1 + below(3), below(20_000) as usize);
                        last = record.last_seq.0;
                        writer.append(record.clone()).await.unwrap();
                        all.push(record);
                    }
                }
            }
            // A tail from the very beginning, while the rest is trimmed under it.
            let tail = world.journal.tail(&main, Seq(1)).await.unwrap();
            writer.trim(Seq(last)).await.unwrap();
            let read: Vec<_> = tail.take(all.len()).try_collect().await.unwrap();
            assert!(read == all, "seed {seed}");
            world.trimmed(last).await;
            assert!(world.read(1).await.unwrap() == all, "seed {seed}");
        });
    }
}

#[test]
fn what_was_stored_before_a_crash_is_not_stored_again() {
    simulate(1, |env| async move {
        let mut world = World::new(&env, FaultPlan::default());
        let main = BranchName::main();
        let writer = world.journal.open(&main, Epoch(1)).await.unwrap();
        for seq in 1..=10 {
            writer.append(record(seq, seq, 10_000)).await.unwrap();
        }
        // Stored, but not trimmed.
        let segments = world.journal.segments(&main);
        let mut building = segment::Building::default();
        for seq in 1..=5 {
            segments.add(&mut building, &record(seq, seq, 10_000));
        }
        segments.store(building).await.unwrap();
        drop(writer);
        world.crash().await;
        let writer = world.journal.open(&main, Epoch(1)).await.unwrap();
        writer.trim(Seq(9)).await.unwrap();
        world.trimmed(9).await;
        assert_eq!(world.names().await, [(1, 5), (6, 9)]);
        assert_eq!(world.read(1).await.unwrap().len(), 10);
    });
}

#[test]
fn appends_are_refused_while_the_archive_is_too_far_behind() {
    simulate(1, |env| async move {
        let world = World::new(&env, FaultPlan::default());
        let main = BranchName::main();
        let writer = world.journal.open(&main, Epoch(1)).await.unwrap();
        let mut last = 0;
        world.faults.set_outage(true);
        let refused = loop {
            match writer.append(record(last + 1, last + 1, 10_000)).await {
                Ok(()) => last += 1,
                Err(e) => break e,
            }
            writer.trim(Seq(last)).await.unwrap();
            assert!(last < 100);
        };
        assert!(last >= 19, "not before the limit: {last}");
        assert_eq!((refused.kind(), refused.is_retryable()), (ErrorKind::Unavailable, true));
        assert!(refused.to_string().contains("wait for the archive"), "{refused}");
        // As soon as retrying has been given up once, the reason is known.
        let limit = env.now().after(Duration::from_secs(600));
        loop {
            let refused = writer.append(record(last + 1, last + 1, 10)).await.unwrap_err();
            let text = refused.to_string();
            if text.contains("PUT") || text.contains("LIST") {
                break;
            }
            assert!(env.now() < limit, "the reason is never given: {text}");
            env.sleep(Duration::from_secs(1)).await;
        }
        world.faults.set_outage(false);
        world.trimmed(last).await;
        writer.append(record(last + 1, last + 1, 10)).await.unwrap();
        assert_eq!(world.read(1).await.unwrap().len() as u64, last + 1);
    });
}

#[test]
fn damage_in_the_archive_is_an_error_that_says_where() {
    simulate(1, |env| async move {
        let world = World::new(&env, FaultPlan::default());
        let main = BranchName::main();
        let writer = world.journal.open(&main, Epoch(1)).await.unwrap();
        for seq in 1..=3 {
            writer.append(record(seq, seq, 100)).await.unwrap();
        }
        writer.trim(Seq(50)).await.unwrap();
        writer.append(record(51, 51, 100)).await.unwrap();
        let path = world.journal.layout.archived(&main, Seq(1), Seq(3));
        let good = world.store.get(&path).await.unwrap().bytes().await.unwrap();
        // Across the gap: what is there, then the error.
        let read = world.journal.read(&main, Seq(2)).await.unwrap().collect::<Vec<_>>().await;
        assert_eq!(read.len(), 3);
        let error = read[2].as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert!(error.to_string().contains("seq 4 was trimmed"), "{error}");
        for at in [0, 60, 200, good.len() - 1] {
            let mut bad = good.to_vec();
            bad[at] ^= 1;
            world.store.put(&path, bad.into()).await.unwrap();
            let error = world.read(1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains(path.as_ref()), "{error}");
        }
        world.store.put(&path, good.slice(..2 * 156).into()).await.unwrap();
        let error = world.read(1).await.unwrap_err();
        assert!(error.to_string().contains("ends at seq 2"), "{error}");
    });
}
