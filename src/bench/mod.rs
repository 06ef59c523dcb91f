//! `firn bench`: gives the benchmark runner databases to measure.

mod scrape;
mod started;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_benchmark::config::{Blocks, Journal, ObjectStoreAt, Storage, Switch};
use firn_benchmark::measure::{Latency, Requests};
use firn_benchmark::{
    FirnTarget, Metered, PartTimes, Provider, Surroundings, Target, Topology, mysql,
};
use firn_engine::manifest::SpaceOptions;
use firn_engine::merge::MergeCounts;
use firn_engine::{Env, Error, ErrorKind, Result};
use firn_services::config::{BlocksFrom, Config, JournalConfig, JournalKind};
use firn_services::machine::Machine;
use firn_services::runtime::Runtimes;
use firn_storage::picker::PickerOptions;
use firn_table::RowDescription;
use parking_lot::Mutex;

use crate::cli::BenchArgs;
use crate::data_dir::DataDir;
use crate::local::{Local, LocalOptions};
use crate::store::Store;
use started::Started;

pub(crate) async fn run(
    config: &Config,
    file: Option<&Path>,
    args: &BenchArgs,
    runtimes: &Runtimes,
) -> Result<()> {
    // A file that cannot be read is the other runner's to name.
    let text = std::fs::read_to_string(&args.file).unwrap_or_default();
    if mysql::is_mysql_workload(&text) {
        let summary = mysql::run(&args.file, &args.out, crate::COMMIT).await?;
        return first_error(summary.errors());
    }
    let provider = LocalProvider {
        env: runtimes.env(),
        config: config.clone(),
        file: file.map(Path::to_owned),
    };
    let summary = firn_benchmark::run(&args.file, &args.out, &provider).await?;
    first_error(summary.errors())
}

fn first_error(errors: Vec<String>) -> Result<()> {
    match errors.into_iter().next() {
        None => Ok(()),
        Some(error) => Err(Error::new(ErrorKind::Unavailable, error)),
    }
}

/// Databases in this process, with such parts as the topology says in processes of their
/// own. Of the configuration only the credentials of the object store and what parts trust
/// each other by count: the rest is in the workload's file.
struct LocalProvider {
    env: Env,
    config: Config,
    /// The file that it came from.
    file: Option<PathBuf>,
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
            // What counts are their addresses.
            Journal::Members => JournalKind::Local,
        };
        if !topology.sync && kind != JournalKind::Memory {
            let why = "sync: false: every journal but `memory` makes a commit durable first";
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
        let compacts = topology.compaction == Switch::Local;
        let blocks_from = match topology.blocks {
            Blocks::Store => BlocksFrom::Store,
            Blocks::Storage if topology.storage == Storage::Services => BlocksFrom::Service,
            Blocks::Storage => {
                let why = "blocks: storage: there is no storage service: say storage: services";
                return Err(Error::new(ErrorKind::BadRequest, why));
            }
        };
        let data = DataDir::take(dir)?;
        let url = &config.object_store.url;
        let started = Started::start(&self.env, topology, dir, url, self.file.as_deref()).await?;
        let times = PartTimes::default();
        let options = LocalOptions {
            db: topology.engine_options(),
            picker: PickerOptions::default(),
            journal: JournalConfig {
                kind,
                addresses: started.journal.clone(),
                ..JournalConfig::default()
            },
            archive_at: String::new(),
            disk_cache_bytes_max: topology.caches.disk,
            compaction_concurrency: if compacts { merges_at_once() } else { 0 },
            blocks_from,
            storage_addresses: started.storage.clone(),
            trust: self.config.rpc.trust(),
            times: Some(times.clone()),
        };
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
        let settings = settings(&local, &store.name, topology);
        let db = Arc::clone(local.db());
        let parts = Parts { env: self.env.clone(), local, started: Mutex::new(started), times };
        let compacts = topology.compaction != Switch::Off;
        Ok(FirnTarget::new(db, metered, Box::new(parts), compacts, settings))
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

fn settings(local: &Local, store: &str, topology: &Topology) -> Vec<(String, String)> {
    let sizes = local.sizes();
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    let at = |addresses: &[String], count: u32| match addresses {
        [] => format!("{count}, started"),
        addresses => addresses.join(", "),
    };
    let journal = match topology.journal {
        Journal::Members => at(&topology.addresses.journal, topology.members),
        kind => format!("{kind:?}").to_lowercase(),
    };
    let storage = match topology.storage {
        Storage::Services => at(&topology.addresses.storage, topology.services),
        Storage::Local => "local".to_owned(),
    };
    let workers = match topology.compaction {
        Switch::Workers => topology.workers.to_string(),
        Switch::Local | Switch::Off => "none".to_owned(),
    };
    [
        ("object store", store.to_owned()),
        ("journal", journal),
        ("storage service", storage),
        ("workers of their own", workers),
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

struct Parts {
    env: Env,
    local: Local,
    started: Mutex<Started>,
    times: PartTimes,
}

#[async_trait]
impl Surroundings for Parts {
    fn is_compacting(&self) -> bool {
        self.local.merges_running() > 0
    }

    fn merge_counts(&self) -> Option<&MergeCounts> {
        self.local.merges()
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        let closed = self.local.close(limit).await;
        let started = std::mem::take(&mut *self.started.lock());
        closed.and(started.stop(&self.env).await)
    }

    fn processes(&self) -> Vec<(String, u32)> {
        self.started.lock().processes()
    }

    fn part_requests(&self) -> BTreeMap<String, Requests> {
        let parts = self.started.lock().metrics();
        let asked = parts.into_iter().filter_map(|(name, at)| match scrape::requests(at) {
            Ok(requests) => Some((name, requests)),
            Err(error) => {
                tracing::warn!(part = name, %error, "what it asks of the store is not counted");
                None
            }
        });
        asked.collect()
    }

    fn part_latencies(&self) -> BTreeMap<&'static str, Latency> {
        self.times.take()
    }
}
