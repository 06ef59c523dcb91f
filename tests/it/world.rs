//! Everything that outlives a database, and a database on it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use firn_compaction::{Worker, WorkerOptions};
use firn_engine::compaction::Compaction;
use firn_engine::journal::Journal;
use firn_engine::merge::MergeContext;
use firn_engine::object::{
    Backend, BlockSource, FaultPlan, FaultStore, Layout, MemoryStore, RetryOptions, RetryingStore,
    StoreBlocks,
};
use firn_engine::storage::Storage;
use firn_engine::{Db, Env, Options, Parts, Result};
use firn_journal::MemoryJournal;
use firn_services::clients::{RemoteBlocks, RemoteCompaction, RemoteStorage};
use firn_services::rpc::Trust;
use firn_services::rpc::peers::Peers;
use firn_services::rpc::serve::{Server, Serving};
use firn_storage::StorageService;
use firn_storage::blocks::CachedBlocks;
use firn_storage::picker::PickerOptions;
use firn_storage::rpc::StorageRpc;
use firn_table::Schemas;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::cluster::wires::Wires;

/// Where the storage service is, on a simulated network.
const STORAGE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 7401);

/// What survives a crash.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) env: Env,
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Breaks the object store's requests, if it was asked for.
    pub(crate) faults: Option<FaultStore>,
    pub(crate) layout: Layout,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) picker: PickerOptions,
    pub(crate) options: Options,
    /// The storage service is asked over it, if there is one.
    pub(crate) network: Option<Wires>,
}

/// A running database with all its parts in this process.
pub(crate) struct Running {
    pub(crate) db: Db,
    pub(crate) storage: Arc<StorageService>,
    pub(crate) worker: Worker,
    serving: Option<Serving>,
    patience: Duration,
}

fn store(env: &Env, backend: Arc<dyn Backend>) -> Arc<dyn ObjectStore> {
    Arc::new(RetryingStore::new(backend, env.clone(), RetryOptions::default()))
}

impl World {
    /// An empty world with sizes so small that little data makes many files.
    pub(crate) fn small(env: Env) -> Self {
        let options = Options {
            memtable_bytes: 64 << 10,
            file_bytes_max: 8 << 10,
            block_cache_bytes: 64 << 10,
            row_cache_bytes: 16 << 10,
            pinned_bytes: 16 << 10,
            ..Options::for_memory(64 << 20)
        };
        Self {
            env: env.clone(),
            store: store(&env, Arc::new(MemoryStore::new())),
            faults: None,
            layout: Layout::new(Path::from("db")),
            journal: Arc::new(MemoryJournal::default()),
            picker: PickerOptions {
                l0_files: 2,
                base_bytes_max: 20 << 10,
                job_bytes_max: 200 << 10,
                level_job_bytes: 40 << 10,
                shard_bytes: 10 << 10,
            },
            options,
            network: None,
        }
    }

    /// The same on an object store that fails now and then, loses replies, and is slow.
    pub(crate) fn with_faults(mut self, plan: FaultPlan) -> Self {
        let faults = FaultStore::new(Arc::new(MemoryStore::new()), self.env.clone(), plan);
        self.store = store(&self.env, Arc::new(faults.clone()));
        self.faults = Some(faults);
        self
    }

    pub(crate) async fn open(&self) -> Result<Running> {
        self.open_with(|queue| queue).await
    }

    /// With a worker that sees the queue through `view`.
    pub(crate) async fn open_with(
        &self,
        view: impl FnOnce(Arc<dyn Compaction>) -> Arc<dyn Compaction>,
    ) -> Result<Running> {
        let storage = self.storage();
        let mut serving = None;
        let mut seen: Arc<dyn Storage> = Arc::clone(&storage) as _;
        let mut queue: Arc<dyn Compaction> = Arc::clone(&storage) as _;
        let mut blocks: Arc<dyn BlockSource> = self.blocks();
        if let Some(network) = &self.network {
            serving = Some(self.serve(network, &storage).await);
            let (env, names) = (self.env.clone(), [STORAGE.to_string()]);
            let peers = || {
                let network = Arc::new(network.clone());
                Peers::on(network, env.clone(), &names, &Trust::default()).unwrap()
            };
            seen = RemoteStorage::new(env.clone(), peers());
            queue = RemoteCompaction::new(env.clone(), peers());
            blocks = RemoteBlocks::new(env.clone(), peers());
        }
        let parts = Parts {
            env: self.env.clone(),
            journal: Arc::clone(&self.journal),
            storage: seen,
            store: Arc::clone(&self.store),
            layout: self.layout.clone(),
            blocks,
            disk_cache: None,
        };
        let db = Db::open(parts, self.options.clone()).await?;
        let worker = self.worker(view(queue));
        // What waits for a store that fails is not handed back at once.
        let patience = Duration::from_secs(if self.faults.is_some() { 300 } else { 2 });
        Ok(Running { db, storage, worker, serving, patience })
    }

    fn storage(&self) -> Arc<StorageService> {
        let service = StorageService::start(
            self.env.clone(),
            "storage in a test",
            Arc::clone(&self.store),
            self.layout.clone(),
            self.picker.clone(),
        );
        service.end_logs_in(Arc::clone(&self.journal));
        service
    }

    async fn serve(&self, network: &Wires, storage: &Arc<StorageService>) -> Serving {
        let server = Server::on(STORAGE, network.listen(STORAGE), &Trust::default()).unwrap();
        let blocks = Arc::new(CachedBlocks::new(256 << 10, self.blocks()));
        let rpc = StorageRpc::new(self.env.clone(), Arc::clone(storage), blocks);
        server.start(|routes| rpc.add_to(routes)).await.unwrap()
    }

    /// A worker for `queue`.
    pub(crate) fn worker(&self, queue: Arc<dyn Compaction>) -> Worker {
        let context = MergeContext {
            env: self.env.clone(),
            store: Arc::clone(&self.store),
            layout: self.layout.clone(),
            blocks: self.blocks(),
            schemas: Arc::new(Schemas),
            file_bytes_max: self.options.file_bytes_max,
        };
        let options = WorkerOptions { name: "worker".into(), concurrency: 2 };
        Worker::start(queue, context, options)
    }

    /// Blocks straight from the store.
    pub(crate) fn blocks(&self) -> Arc<StoreBlocks> {
        Arc::new(StoreBlocks::new(Arc::clone(&self.store), self.layout.clone()))
    }
}

/// Longest wait for anything, in the world's own time.
const WAIT_MAX: Duration = Duration::from_secs(600);

impl World {
    /// Waits until `condition` holds.
    pub(crate) async fn until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let deadline = self.env.now().after(WAIT_MAX);
        while !condition() {
            assert!(self.env.now() < deadline, "not within {WAIT_MAX:?}: {what}");
            self.env.sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until compaction and garbage collection have nothing left to do:
    /// no job, no garbage, and no new version for several rounds of upkeep.
    pub(crate) async fn settle(&self, running: &Running) {
        const QUIET: Duration = Duration::from_secs(10);
        let mut quiet = (running.db.version().number, self.env.now());
        self.until("compaction is at rest", || {
            let version = running.db.version();
            if version.number != quiet.0 || !version.jobs.is_empty() || !version.garbage.is_empty()
            {
                quiet = (version.number, self.env.now());
            }
            self.env.now().since(quiet.1) >= QUIET
        })
        .await;
    }
}

impl Running {
    /// The storage service dies, and another one starts in its place. Only where it is one:
    /// in this process it dies with the database.
    pub(crate) async fn replace_storage(&mut self, world: &World) {
        if let (Some(network), Some(serving)) = (&world.network, self.serving.take()) {
            drop(serving);
            self.storage = world.storage();
            self.serving = Some(world.serve(network, &self.storage).await);
        }
    }

    /// Stops everything in good order.
    pub(crate) async fn close(self) {
        self.db.close(Duration::from_secs(60)).await.unwrap();
        assert!(self.worker.stop(self.patience).await, "work was handed back in time");
        self.storage.close().await;
    }
}
