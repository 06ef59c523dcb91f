//! A database in memory for this crate's tests.

use std::sync::Arc;

use firn_engine::object::{Layout, MemoryStore, RetryOptions, RetryingStore, StoreBlocks};
use firn_engine::{Db, Env, Journal, Options, Parts};
use firn_journal::MemoryJournal;
use firn_storage::StorageService;
use firn_storage::picker::PickerOptions;
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

    /// Opens the database that is there, or a new one.
    pub(crate) async fn open(&self) -> Arc<Db> {
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
            storage,
            store: Arc::clone(&self.store),
            layout: layout.clone(),
            blocks: Arc::new(StoreBlocks::new(Arc::clone(&self.store), layout)),
            disk_cache: None,
        };
        Arc::new(Db::open(parts, self.options.clone()).await.expect("a database in memory opens"))
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
