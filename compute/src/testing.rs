//! A database in memory for this crate's tests.

use std::sync::Arc;

use firn_compaction::{Worker, WorkerOptions};
use firn_engine::merge::MergeContext;
use firn_engine::object::{
    Backend, FaultPlan, FaultStore, Layout, MemoryStore, RetryOptions, RetryingStore, StoreBlocks,
};
use firn_engine::{Db, Env, Journal, Options, Parts};
use firn_journal::MemoryJournal;
use firn_storage::StorageService;
use firn_storage::picker::PickerOptions;
use firn_table::Schemas;
use futures::StreamExt;
use object_store::ObjectStore;
use object_store::path::Path;

/// What survives a crash of the database: open it again as often as you like.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) env: Env,
    store: Arc<dyn ObjectStore>,
    journal: Arc<dyn Journal>,
    pub(crate) options: Options,
}

impl World {
    /// An empty one, in simulated or in real time.
    pub(crate) fn new(env: Env) -> Self {
        let store =
            RetryingStore::new(Arc::new(MemoryStore::new()), env.clone(), RetryOptions::default());
        let (store, journal) = (Arc::new(store), Arc::new(MemoryJournal::default()));
        Self { env, store, journal, options: Options::for_memory(64 << 20) }
    }

    /// With another journal.
    pub(crate) fn with_journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = journal;
        self
    }

    /// With another store, empty, that breaks as told.
    pub(crate) fn with_faults(mut self, plan: FaultPlan) -> (Self, FaultStore) {
        let faults = FaultStore::new(Arc::new(MemoryStore::new()), self.env.clone(), plan);
        let broken: Arc<dyn Backend> = Arc::new(faults.clone());
        let store = RetryingStore::new(broken, self.env.clone(), RetryOptions::default());
        self.store = Arc::new(store);
        (self, faults)
    }

    /// How many files of rows the store has.
    pub(crate) async fn files(&self) -> usize {
        let mut listed = self.store.list(None);
        let mut files = 0;
        while let Some(object) = listed.next().await {
            let location = object.expect("a list").location;
            files += usize::from(location.as_ref().ends_with(".sst"));
        }
        files
    }

    /// Opens the database that is there, or a new one.
    pub(crate) async fn open(&self) -> Arc<Db> {
        self.open_parts().await.0
    }

    /// The same, with somebody who merges files.
    pub(crate) async fn open_merging(&self) -> (Arc<Db>, Worker) {
        let (db, storage) = self.open_parts().await;
        let layout = Layout::new(Path::from("db"));
        let context = MergeContext {
            env: self.env.clone(),
            store: Arc::clone(&self.store),
            layout: layout.clone(),
            blocks: Arc::new(StoreBlocks::new(Arc::clone(&self.store), layout)),
            schemas: Arc::new(Schemas),
            file_bytes_max: self.options.file_bytes_max,
        };
        let options = WorkerOptions { name: "worker".into(), concurrency: 1 };
        (db, Worker::start(storage, context, options))
    }

    async fn open_parts(&self) -> (Arc<Db>, Arc<StorageService>) {
        let layout = Layout::new(Path::from("db"));
        let storage = StorageService::start(
            self.env.clone(),
            "storage in a test",
            Arc::clone(&self.store),
            layout.clone(),
            PickerOptions::default(),
        );
        let parts = Parts {
            env: self.env.clone(),
            journal: Arc::clone(&self.journal),
            storage: Arc::clone(&storage) as _,
            store: Arc::clone(&self.store),
            layout: layout.clone(),
            blocks: Arc::new(StoreBlocks::new(Arc::clone(&self.store), layout)),
            disk_cache: None,
        };
        let db = Db::open(parts, self.options.clone()).await.expect("a database in memory opens");
        (Arc::new(db), storage)
    }
}

#[allow(clippy::print_stderr, reason = "a test that fails says its seed")]
/// Runs a test in a world of one thread whose time passes only when nothing else can happen.
pub(crate) fn simulated<F: Future<Output = ()>>(seed: u64, test: impl FnOnce(World) -> F) {
    eprintln!("seed {seed}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async { test(World::new(Env::simulated(seed))).await });
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    simulated(1, |world| async move {
        let space = firn_engine::SpaceId(7);
        let db = world.open().await;
        db.put(space, b"k", b"v").await.unwrap();
        drop(db);
        let db = world.open().await;
        assert_eq!(db.get(space, b"k").await.unwrap().as_deref(), Some(&b"v"[..]));
    });
}
