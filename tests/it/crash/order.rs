//! What parent and child say to each other.

use std::path::PathBuf;
use std::sync::Arc;

use firn::data_dir::DataDir;
use firn::local::{Local, LocalOptions};
use firn::store::Store;
use firn_engine::object::{Backend, FaultPlan, FaultStore, RetryOptions, RetryingStore};
use firn_engine::{Env, Options, Result};
use firn_object_store::FolderStore;
use firn_services::config::{self, JournalConfig};
use firn_storage::picker::PickerOptions;
use serde::{Deserialize, Serialize};

/// Variable of the environment that makes a test process a child.
pub(super) const VARIABLE: &str = "FIRN_CRASH_ORDER";

/// What is known of a task's writes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// Steps that were acknowledged: all of them must be there.
    pub(super) acked: u64,
    /// Steps that were begun: no later one may be there.
    pub(super) begun: u64,
}

/// Which journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum JournalKind {
    Local,
    LocalArchived,
    Object,
}

/// What a child shall do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) dir: PathBuf,
    pub(super) journal: JournalKind,
    /// Seed of this life's chance.
    pub(super) chance: u64,
    /// Whether the object store fails now and then.
    pub(super) faults: bool,
    /// Of what is written.
    pub(super) seed: u64,
    pub(super) tasks: Vec<Known>,
    /// Close in good order after so long, rather than wait to be killed.
    pub(super) close_after_ms: Option<u64>,
}

/// What a child tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Report {
    /// A task's data are right, and are those after so many steps.
    Verified { task: usize, steps: u64 },
    /// All tasks write.
    Ready,
    /// A step is about to be written.
    Begun { task: usize, step: u64 },
    /// A step was acknowledged.
    Acked { task: usize, step: u64 },
    /// A task ends without knowing what became of its last step.
    Ended { task: usize, why: String },
    /// Something is wrong.
    Broken { why: String },
}

impl Order {
    /// Opens the database, with sizes so small that it flushes and compacts all the time.
    pub(super) async fn open(&self) -> Result<Local> {
        let handle = tokio::runtime::Handle::current();
        let env = Env::tokio_seeded(handle.clone(), handle, self.chance);
        let dir = DataDir::take(&self.dir)?;
        let folder = FolderStore::open(&dir.path().join("objects"), env.clone())?;
        let mut backend: Arc<dyn Backend> = Arc::new(folder);
        if self.faults {
            backend = Arc::new(FaultStore::new(backend, env.clone(), FaultPlan::everything(2)));
        }
        let store = RetryingStore::new(backend, env.clone(), RetryOptions::default());
        let store = Store::on(Arc::new(store), "a folder".into());
        let options = LocalOptions {
            archive_at: String::new(),
            db: Options {
                memtable_bytes: 256 << 10,
                file_bytes_max: 64 << 10,
                block_cache_bytes: 1 << 20,
                row_cache_bytes: 256 << 10,
                pinned_bytes: 256 << 10,
                ..Options::for_memory(64 << 20)
            },
            picker: PickerOptions {
                l0_files: 2,
                base_bytes_max: 512 << 10,
                job_bytes_max: 4 << 20,
                level_job_bytes: 1 << 20,
                shard_bytes: 256 << 10,
            },
            journal: self.journal.config(),
            disk_cache_bytes_max: 0,
            compaction_concurrency: 2,
            storage_addresses: Vec::new(),
            blocks_from: firn_services::config::BlocksFrom::Store,
            trust: firn_services::rpc::Trust::default(),
            times: None,
        };
        Local::open(&env, dir, store.objects, store.layout, options).await
    }
}

impl JournalKind {
    fn config(self) -> JournalConfig {
        let kind = match self {
            Self::Local | Self::LocalArchived => config::JournalKind::Local,
            Self::Object => config::JournalKind::Object,
        };
        let archive = self == Self::LocalArchived;
        JournalConfig { kind, archive, ..JournalConfig::default() }
    }
}
