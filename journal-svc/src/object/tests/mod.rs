mod race;
mod slow;
mod store;

use bytes::Bytes;
use firn_engine::object::{FaultPlan, FaultStore, MemoryStore, RetryOptions, RetryingStore};
use firn_engine::{Error, ErrorKind};
use futures::{FutureExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use self::store::OneFault;
use super::*;
use crate::AppendFault;
use crate::conformance::{Subject, run};
use firn_engine::journal::Record;

/// Runs in a simulated world of one thread.
fn simulate<F: Future>(seed: u64, test: impl FnOnce(Env) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async { test(Env::simulated(seed)).await })
}

fn journal(env: &Env, store: Arc<dyn ObjectStore>) -> ObjectJournal {
    let layout = Layout::new(Path::from("db"));
    ObjectJournal::new(env.clone(), store, layout, ObjectOptions::default())
}

fn memory(env: &Env) -> Arc<dyn ObjectStore> {
    let backend = Arc::new(MemoryStore::new());
    Arc::new(RetryingStore::new(backend, env.clone(), RetryOptions::default()))
}

fn record(epoch: u64, first: u64, last: u64, text: &str) -> Record {
    Record {
        epoch: Epoch(epoch),
        first_seq: Seq(first),
        last_seq: Seq(last),
        unix_ms: 0,
        payload: Bytes::from(text.to_owned()),
    }
}

async fn names(store: &dyn ObjectStore) -> Vec<String> {
    let folder = Path::from("db/log/main/live");
    let listed: Vec<_> = store.list(Some(&folder)).try_collect().await.unwrap();
    let mut names: Vec<_> = listed
        .iter()
        .map(|o| format!("{} {}", &o.location.filename().unwrap()[15..20], o.size))
        .collect();
    names.sort();
    names
}

struct InStore {
    env: Env,
    store: Arc<dyn ObjectStore>,
    fault: OneFault,
    journal: ObjectJournal,
}

impl InStore {
    fn new(env: &Env, store: Arc<dyn ObjectStore>) -> Self {
        let fault = OneFault::new(store);
        let store: Arc<dyn ObjectStore> = Arc::new(fault.clone());
        let journal = journal(env, Arc::clone(&store));
        Self { env: env.clone(), store, fault, journal }
    }
}

#[async_trait]
impl Subject for InStore {
    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.journal.clone())
    }

    async fn crash(&mut self) {
        self.journal = journal(&self.env, Arc::clone(&self.store));
    }

    fn fail_next_append(&mut self, _: &BranchName, fault: AppendFault) -> bool {
        self.fault.fail_next_record(fault);
        true
    }
}

#[test]
fn a_store_in_memory_conforms() {
    let seed = std::process::id().into();
    simulate(seed, |env| async move {
        let fresh = || {
            let env = env.clone();
            async move { Box::new(InStore::new(&env, memory(&env))) as Box<dyn Subject> }.boxed()
        };
        run(&env, &fresh, 20).await;
    });
}

/// Errors, lost replies, repeated requests, bursts of refusals, bodies cut
/// short and delays, below the layer that repeats requests.
#[test]
fn a_store_that_breaks_conforms() {
    let seed = std::process::id().into();
    simulate(seed, |env| async move {
        let fresh = || {
            let env = env.clone();
            async move {
                let plan = FaultPlan::everything(10);
                let backend = FaultStore::new(Arc::new(MemoryStore::new()), env.clone(), plan);
                let options = RetryOptions::default();
                let store = Arc::new(RetryingStore::new(Arc::new(backend), env.clone(), options));
                Box::new(InStore::new(&env, store)) as Box<dyn Subject>
            }
            .boxed()
        };
        run(&env, &fresh, 10).await;
    });
}

#[test]
fn trimming_keeps_fences_and_the_newest_object() {
    simulate(1, |env| async move {
        let store = memory(&env);
        let main = BranchName::main();
        let journal = journal(&env, Arc::clone(&store));
        let one = journal.open(&main, Epoch(1)).await.unwrap();
        for seq in 1..=3 {
            one.append(record(1, seq, seq, "x")).await.unwrap();
        }
        let two = journal.open(&main, Epoch(2)).await.unwrap();
        for seq in 4..=5 {
            two.append(record(2, seq, seq, "x")).await.unwrap();
        }
        two.trim(Seq(4)).await.unwrap();
        assert_eq!(names(&*store).await, ["00001 56", "00005 56", "00007 113"]);
        two.trim(Seq(5)).await.unwrap();
        assert_eq!(names(&*store).await, ["00001 56", "00005 56", "00007 113"]);
        two.trim(Seq(50)).await.unwrap();
        assert_eq!(names(&*store).await, ["00001 56", "00005 56", "00008 64"]);
        // The first writer wakes up: nothing it does enters the log.
        assert_eq!(one.append(record(1, 4, 4, "y")).await.unwrap_err().kind(), ErrorKind::Fenced);
    });
}

#[test]
fn missing_and_damaged_objects_are_errors_that_say_where() {
    for (number, damaged) in [(3, true), (3, false), (2, false), (5, true)] {
        simulate(1, |env| async move {
            let store = memory(&env);
            let main = BranchName::main();
            let writer = journal(&env, Arc::clone(&store)).open(&main, Epoch(1)).await.unwrap();
            for seq in 1..=4 {
                writer.append(record(1, seq, seq, "text")).await.unwrap();
            }
            let path = Path::from(format!("db/log/main/live/{number:020}.seg"));
            if damaged {
                let mut bytes = store.get(&path).await.unwrap().bytes().await.unwrap().to_vec();
                *bytes.last_mut().unwrap() ^= 1;
                store.put(&path, bytes.into()).await.unwrap();
            } else {
                store.delete(&path).await.unwrap();
            }
            let journal = journal(&env, store);
            let read = async { journal.read(&main, Seq(1)).await?.try_collect::<Vec<_>>().await };
            let error: Error = read.await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(
                error.to_string().contains(&format!("{number:020}.seg")) || !damaged,
                "{error}"
            );
        });
    }
}

#[test]
fn a_log_that_is_opened_often_and_not_written_stays_short() {
    simulate(1, |env| async move {
        let store = memory(&env);
        let main = BranchName::main();
        for epoch in 1..100 {
            let journal = journal(&env, Arc::clone(&store));
            let writer = journal.open(&main, Epoch(epoch)).await.unwrap();
            if epoch == 50 {
                writer.append(record(epoch, 1, 1, "x")).await.unwrap();
                writer.trim(Seq(1)).await.unwrap();
            }
            let survey = journal.log(&main).survey().await.unwrap();
            assert!(survey.marks <= 12 || survey.records.len() == 1, "{epoch}: {survey:?}");
            assert_eq!((survey.epoch, survey.last), (Epoch(epoch), Seq(u64::from(epoch >= 50))));
        }
    });
}
