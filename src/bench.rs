//! `firn bench`: gives the benchmark runner databases to measure.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_benchmark::config::{Journal, ObjectStoreAt, Switch};
use firn_benchmark::{FirnTarget, Metered, Provider, Surroundings, Target, Topology, mysql};
use firn_engine::manifest::SpaceOptions;
use firn_engine::merge::MergeCounts;
use firn_engine::{Env, Error, ErrorKind, Result};
use firn_services::config::{BlocksFrom, Config, JournalConfig, JournalKind};
use firn_services::machine::Machine;
use firn_services::runtime::Runtimes;
use firn_storage::picker::PickerOptions;
use firn_table::RowDescription;

use crate::cli::BenchArgs;
use crate::data_dir::DataDir;
use crate::local::{Local, LocalOptions};
use crate::store::Store;

pub(crate) async fn run(config: &Config, args: &BenchArgs, runtimes: &Runtimes) -> Result<()> {
    // A file that cannot be read is the other runner's to name.
    let text = std::fs::read_to_string(&args.file).unwrap_or_default();
    if mysql::is_mysql_workload(&text) {
        let summary = mysql::run(&args.file, &args.out, crate::COMMIT).await?;
        return first_error(summary.errors());
    }
    let provider = LocalProvider { env: runtimes.env(), config: config.clone() };
    let summary = firn_benchmark::run(&args.file, &args.out, &provider).await?;
    first_error(summary.errors())
}

fn first_error(errors: Vec<String>) -> Result<()> {
    match errors.into_iter().next() {
        None => Ok(()),
        Some(error) => Err(Error::new(ErrorKind::Unavailable, error)),
    }
}

/// Databases in this process. Of the configuration only the credentials of
/// the object store count: the rest is in the workload's file.
struct LocalProvider {
    env: Env,
    config: Config,
}

#[async_trait]
impl Provider for LocalProvider {
    fn commit(&self) -> String {
        crate::COMMIT.to_owned()
    }

    async fn open(&self, topology: &Topology, dir: &Path) -> Result<Arc<dyn Target>> {
        let mut config = self.config.clone();
        config.data_dir = dir.to_owned();
        config.object_store.url = match &topology.object_store {
            ObjectStoreAt::Folder => absolute(&dir.join("objects"))?.display().to_string(),
            ObjectStoreAt::Memory => "memory://".to_owned(),
            ObjectStoreAt::S3(url) => url.clone(),
        };
        let kind = match topology.journal {
            Journal::Local => JournalKind::Local,
            Journal::Object => JournalKind::Object,
            Journal::Memory => JournalKind::Memory,
        };
        if !topology.sync && kind != JournalKind::Memory {
            let why = "sync: false: every journal but `memory` makes a commit durable first";
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
        let compacts = topology.compaction == Switch::Local;
        let options = LocalOptions {
            db: topology.engine_options(),
            picker: PickerOptions::default(),
            journal: JournalConfig { kind, ..JournalConfig::default() },
            disk_cache_bytes_max: topology.caches.disk,
            compaction_concurrency: if compacts { merges_at_once() } else { 0 },
            storage_addresses: Vec::new(),
            blocks_from: BlocksFrom::Store,
            trust: firn_services::rpc::Trust::default(),
        };
        let data = DataDir::take(dir)?;
        let store = Store::open(&config, &self.env).await?;
        let metered = Metered::new(store.objects);
        let objects = Arc::clone(&metered) as _;
        let local = Local::open(&self.env, data, objects, store.layout, options).await?;
        if topology.columns {
            let row_schema = RowDescription::KeyValue.encode();
            let options = SpaceOptions { row_schema, ..SpaceOptions::default() };
            local.db().declare_space(FirnTarget::SPACE, options).await?;
        }
        if let Some(disk) = local.disk_cache() {
            disk.opened().await;
        }
        let settings = settings(&local, &store.name);
        let db = Arc::clone(local.db());
        Ok(FirnTarget::new(db, metered, Box::new(Parts(local)), compacts, settings))
    }
}

/// As `firn up` on this machine.
fn merges_at_once() -> usize {
    Machine::detect().cores.saturating_sub(1).max(1)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| {
        Error::with_source(ErrorKind::Unavailable, format!("folder {}", path.display()), e)
    })
}

fn settings(local: &Local, store: &str) -> Vec<(String, String)> {
    let sizes = local.sizes();
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    let journal = format!("{:?}", sizes.journal.kind).to_lowercase();
    [
        ("object store", store.to_owned()),
        ("journal", journal),
        ("block cache", mib(sizes.db.block_cache_bytes)),
        ("row cache", mib(sizes.db.row_cache_bytes)),
        ("filters and indexes", mib(sizes.db.pinned_bytes)),
        (
            "memtables",
            format!("{} of {}", sizes.db.memtables_max, mib(sizes.db.memtable_bytes as u64)),
        ),
        ("disk cache", mib(sizes.disk_cache_bytes_max)),
        ("merges at once", sizes.compaction_concurrency.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

struct Parts(Local);

#[async_trait]
impl Surroundings for Parts {
    fn is_compacting(&self) -> bool {
        self.0.merges_running() > 0
    }

    fn merge_counts(&self) -> Option<&MergeCounts> {
        self.0.merges()
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        self.0.close(limit).await
    }
}
