//! All parts in this process, with no network between them.

use std::sync::Arc;
use std::time::Duration;

use firn_benchmark::PartTimes;
use firn_compaction::{Worker, WorkerOptions};
use firn_engine::cache::{DiskCache, DiskTier};
use firn_engine::journal::Journal;
use firn_engine::merge::{MergeContext, MergeCounts};
use firn_engine::object::{BlockSource, Layout, StoreBlocks};
use firn_engine::{Compaction, Context, Db, Env, Options, Parts, Result, Storage, TaskClass};
use firn_journal::{
    ArchiveOptions, Archived, LocalJournal, MemoryJournal, ObjectJournal, ObjectOptions,
};
use firn_services::clients::{EitherBlocks, RemoteCompaction, RemoteStorage};
use firn_services::config::{BlocksFrom, Config, JournalConfig, JournalKind, MemoryShares};
use firn_services::journal::admin::JournalAdmin;
use firn_services::journal::{RemoteJournal, RemoteOptions};
use firn_services::rpc::Trust;
use firn_services::rpc::peers::Peers;
use firn_storage::StorageService;
use firn_storage::picker::PickerOptions;
use firn_table::Schemas;
use object_store::ObjectStore;

use crate::data_dir::DataDir;
use crate::store::place;

/// How long the disk cache may take to close.
const DISK_CLOSE_MAX: Duration = Duration::from_secs(5);

/// What is opened, and how large it may be.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// The database.
    pub db: Options,
    /// When and how much is compacted.
    pub picker: PickerOptions,
    /// What makes commits durable.
    pub journal: JournalConfig,
    /// Where the object store is, as [`place`] says it: there is the journal's archive.
    pub archive_at: String,
    /// Bytes of local disk for blocks; 0 for none.
    pub disk_cache_bytes_max: u64,
    /// Merges at once; 0 leaves compaction to others.
    pub compaction_concurrency: usize,
    /// Where the storage service is; empty: in this process.
    pub storage_addresses: Vec<String>,
    /// Where blocks are read, if it is elsewhere.
    pub blocks_from: BlocksFrom,
    /// How it is called, if it is elsewhere.
    pub trust: Trust,
    /// Takes the time of calls to parts.
    pub times: Option<PartTimes>,
}

impl LocalOptions {
    /// As configured.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut db = Options::for_memory(MemoryShares::of(config.memory_bytes_max).engine);
        db.branch = config.branch.clone();
        db.writer = format!("{} process {}", crate::host_name(), std::process::id());
        Self {
            db,
            picker: PickerOptions::default(),
            journal: config.journal.clone(),
            archive_at: place(config).unwrap_or_default(),
            disk_cache_bytes_max: config.disk_cache_bytes_max.0,
            compaction_concurrency: config.compaction.concurrency,
            storage_addresses: config.storage.addresses.clone(),
            blocks_from: config.storage.blocks,
            trust: config.rpc.trust(),
            times: None,
        }
    }
}

/// A running database with all its parts.
#[derive(Debug)]
pub struct Local {
    env: Env,
    db: Arc<Db>,
    /// `None` if it is elsewhere.
    storage: Option<Arc<StorageService>>,
    worker: Option<Worker>,
    disk: Option<Arc<DiskCache>>,
    sizes: LocalOptions,
    /// Given back last.
    _dir: DataDir,
}

impl Local {
    /// Opens the database on an object store, which should retry by itself.
    ///
    /// # Errors
    /// As [`Db::open`], and when the data folder cannot be used.
    pub async fn open(
        env: &Env,
        dir: DataDir,
        store: Arc<dyn ObjectStore>,
        layout: Layout,
        options: LocalOptions,
    ) -> Result<Self> {
        let sizes = options.clone();
        let writer = options.db.writer.clone();
        let trust = &options.trust;
        let mut journal = open_journal(env, &dir, &store, &layout, &options).await?;
        let disk = match options.disk_cache_bytes_max {
            0 => None,
            bytes => Some(DiskCache::open(env, dir.cache(), bytes)?),
        };
        let (storage, seen, queue) = open_storage(env, &writer, &store, &layout, &options)?;
        let stored = Arc::new(StoreBlocks::new(Arc::clone(&store), layout.clone()));
        let context = MergeContext {
            env: env.clone(),
            store: Arc::clone(&store),
            layout: layout.clone(),
            // A merge reads each block once, and would drive others out of a cache.
            blocks: Arc::clone(&stored) as _,
            schemas: Arc::new(Schemas),
            file_bytes_max: options.db.file_bytes_max,
        };
        let mut read: Arc<dyn BlockSource> = match options.blocks_from {
            BlocksFrom::Service if !options.storage_addresses.is_empty() => {
                let peers = Peers::new(env.clone(), &options.storage_addresses, trust)?;
                EitherBlocks::new(env.clone(), peers, stored)
            }
            _ => stored,
        };
        if let Some(times) = &options.times {
            journal = times.journal(journal);
            read = times.blocks(read);
        }
        if let Some(storage) = &storage {
            storage.end_logs_in(Arc::clone(&journal));
        }
        let parts = Parts {
            env: env.clone(),
            journal,
            storage: seen,
            store,
            layout,
            blocks: read,
            disk_cache: disk.clone().map(|disk| disk as Arc<dyn DiskTier>),
        };
        let branch = options.db.branch.clone();
        let db = Db::open(parts, options.db)
            .await
            .context(|| format!("opening {branch:?} in {}", dir.path().display()))?;
        let worker = (options.compaction_concurrency > 0).then(|| {
            let concurrency = options.compaction_concurrency;
            let options = WorkerOptions { name: writer, concurrency };
            Worker::start(queue, context, options)
        });
        Ok(Self { env: env.clone(), db: Arc::new(db), storage, worker, disk, sizes, _dir: dir })
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Arc<Db> {
        &self.db
    }

    /// Makes the storage service of this process, if it has one, look soon at what others
    /// have committed.
    pub fn look_soon(&self) {
        if let Some(storage) = &self.storage {
            storage.look_soon();
        }
    }

    /// What merges have read and written here; `None` if they run elsewhere.
    #[must_use]
    pub fn merges(&self) -> Option<&MergeCounts> {
        self.worker.as_ref().map(Worker::counts)
    }

    /// Merges running here now.
    #[must_use]
    pub fn merges_running(&self) -> usize {
        self.worker.as_ref().map_or(0, Worker::busy)
    }

    /// How large everything may be.
    #[must_use]
    pub fn sizes(&self) -> &LocalOptions {
        &self.sizes
    }

    /// The blocks on the local disk, if there are to be any.
    #[must_use]
    pub fn disk_cache(&self) -> Option<&Arc<DiskCache>> {
        self.disk.as_ref()
    }

    /// Stops everything in good order: what was committed is flushed, so that
    /// the next open has nothing to replay. What could not be flushed within
    /// `limit` stays in the journal.
    ///
    /// # Errors
    /// Why it could not be flushed; everything is stopped all the same.
    pub async fn close(&self, limit: Duration) -> Result<()> {
        let start = self.env.now();
        if let Some(worker) = &self.worker
            && !worker.stop(limit / 4).await
        {
            tracing::warn!(
                "merges were not handed back in time: others will wait for their leases"
            );
        }
        let left = limit.saturating_sub(self.env.now().since(start));
        let closed = self.db.close(left).await;
        if let Some(storage) = &self.storage {
            storage.close().await;
        }
        if let Some(disk) = &self.disk {
            let disk_closed = disk.close(&self.env, DISK_CLOSE_MAX).await;
            if let Err(error) = disk_closed {
                tracing::warn!(%error, "the disk cache will be colder");
            }
        }
        closed
    }
}

type StorageParts = (Option<Arc<StorageService>>, Arc<dyn Storage>, Arc<dyn Compaction>);

/// The storage service, and the queue of merges: of this process, or where they are.
fn open_storage(
    env: &Env,
    name: &str,
    store: &Arc<dyn ObjectStore>,
    layout: &Layout,
    options: &LocalOptions,
) -> Result<StorageParts> {
    if options.storage_addresses.is_empty() {
        let (store, layout, picker) = (Arc::clone(store), layout.clone(), options.picker.clone());
        let here = StorageService::start(env.clone(), name, store, layout, picker);
        return Ok((Some(Arc::clone(&here)), Arc::clone(&here) as _, here));
    }
    let peers = || Peers::new(env.clone(), &options.storage_addresses, &options.trust);
    let storage = RemoteStorage::new(env.clone(), peers()?);
    Ok((None, storage, RemoteCompaction::new(env.clone(), peers()?)))
}

/// Whether the journal's members archive where this reads.
async fn check_archive(env: &Env, members: JournalAdmin, archive: &str) -> Result<()> {
    if !archive.is_empty() {
        return members.check_archive(archive).await;
    }
    // What may be wrong loses nothing, so nobody waits for it.
    let check = async move {
        if let Err(error) = members.check_archive("").await {
            tracing::warn!(%error, "the journal's archive");
        }
    };
    drop(env.spawn(TaskClass::Background, "check-archive", check));
    Ok(())
}

async fn open_journal(
    env: &Env,
    dir: &DataDir,
    store: &Arc<dyn ObjectStore>,
    layout: &Layout,
    options: &LocalOptions,
) -> Result<Arc<dyn Journal>> {
    let LocalOptions { journal, trust, .. } = options;
    let kept: Arc<dyn Journal> = match journal.kind {
        _ if !journal.addresses.is_empty() => {
            let peers = Peers::new(env.clone(), &journal.addresses, trust)?;
            let archive = if journal.archive { options.archive_at.clone() } else { String::new() };
            let members = JournalAdmin::new(env.clone(), journal.addresses.clone(), trust.clone());
            check_archive(env, members, &archive).await?;
            let times = RemoteOptions::default();
            Arc::new(RemoteJournal::archived_at(env.clone(), peers, times, archive))
        }
        JournalKind::Local => {
            let options = firn_journal::LocalOptions::default();
            Arc::new(LocalJournal::open(env.clone(), &dir.journal(), options).await?)
        }
        JournalKind::Object => {
            let (store, options) = (Arc::clone(store), ObjectOptions::default());
            Arc::new(ObjectJournal::new(env.clone(), store, layout.clone(), options))
        }
        JournalKind::Memory => Arc::new(MemoryJournal::default()),
    };
    if !journal.archive {
        return Ok(kept);
    }
    let (store, options) = (Arc::clone(store), ArchiveOptions::default());
    let archived = Archived::new(env.clone(), kept, store, layout.clone(), options);
    // The replicated journal's leader stores what it trims.
    let remote = !journal.addresses.is_empty();
    Ok(Arc::new(if remote { archived.by_the_journal() } else { archived }))
}
