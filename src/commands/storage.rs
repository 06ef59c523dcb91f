//! `firn storage`: the storage service alone.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::cache::DiskCache;
use firn_engine::object::StoreBlocks;
use firn_engine::{Context, Env, Result};
use firn_services::config::{BlockShares, Config};
use firn_services::journal::{RemoteJournal, RemoteOptions};
use firn_services::rpc::peers::Peers;
use firn_services::rpc::serve::Server;
use firn_services::runtime::Runtimes;
use firn_services::shutdown::{Shutdown, Stopping};
use firn_storage::blocks::{BlockMetrics, CachedBlocks};
use firn_storage::picker::PickerOptions;
use firn_storage::rpc::StorageRpc;
use firn_storage::{QueueMetrics, StorageService};

use super::health::Health;
use crate::data_dir::DataDir;
use crate::metrics::StoreMetrics;
use crate::store::Store;

/// How long everything may take to stop. Nothing is lost by being cut short.
const STOP_MAX: Duration = Duration::from_secs(15);
/// How long calls may still run.
const CALLS_GRACE: Duration = Duration::from_secs(5);

/// How long the disk cache may take to close.
const DISK_CLOSE_MAX: Duration = Duration::from_secs(5);

/// The cache of blocks on the local disk, with the right to its folder. A service without
/// one is slower and nothing else, so that whatever is wrong with the disk stops nothing.
fn disk_cache(config: &Config, env: &Env) -> Option<(DataDir, Arc<DiskCache>)> {
    let bytes = config.disk_cache_bytes_max.0;
    if bytes == 0 {
        return None;
    }
    let opened = DataDir::take(&config.storage_dir()).and_then(|dir| {
        let cache = DiskCache::open(env, dir.cache(), bytes)?;
        Ok((dir, cache))
    });
    opened.inspect_err(|error| tracing::warn!(%error, "no blocks are cached on the disk")).ok()
}

pub(super) async fn run(config: &Config, runtimes: &Runtimes, shutdown: &Shutdown) -> Result<()> {
    let env = runtimes.env();
    let name = format!("{} process {}", crate::host_name(), std::process::id());
    let status = {
        let (name, listen) = (name.clone(), config.storage.listen.to_string());
        move || serde_json::json!({ "part": "storage", "name": name, "listen": listen })
    };
    let server = Server::bind("storage.listen", config.storage.listen, &config.rpc.trust())?;
    let health = Health::start(config, runtimes, status).await?;
    health.readiness.not_ready("branches", "manifests are read");
    server.register(&health.metrics);
    let disk = disk_cache(config, &env);
    let opening = async {
        let store = Store::open(config, &env).await?;
        health.metrics.add(StoreMetrics(Arc::clone(&store.stats)));
        let objects = Arc::clone(&store.objects);
        let options = PickerOptions::default();
        let service =
            StorageService::start(env.clone(), &name, objects, store.layout.clone(), options);
        if !config.journal.addresses.is_empty() {
            let peers = Peers::new(env.clone(), &config.journal.addresses, &config.rpc.trust())?;
            let journal = RemoteJournal::new(env.clone(), peers, RemoteOptions::default());
            service.end_logs_in(Arc::new(journal));
        }
        health.metrics.add(QueueMetrics(Arc::clone(&service)));
        service.learn_branches().await.context(|| format!("reading {}", store.name))?;
        let shares = BlockShares::of(config.memory_bytes_max);
        let stored = Arc::new(StoreBlocks::new(store.objects, store.layout));
        let mut blocks = CachedBlocks::new(shares.cache, stored);
        if let Some((_, disk)) = &disk {
            blocks = blocks.on_disk(Arc::clone(disk) as _, config.disk_cache_bytes_max.0);
        }
        let blocks = Arc::new(blocks);
        health.metrics.add(BlockMetrics(Arc::clone(&blocks)));
        let rpc = StorageRpc::new(env.clone(), Arc::clone(&service), blocks)
            .answers_bytes_max(shares.answers);
        let serving = server.start(|routes| rpc.add_to(routes)).await?;
        tracing::info!(address = %serving.address(), store = %store.name, "storage is served");
        super::print(&format!("ready: storage at {}\n", serving.address()))?;
        Ok((service, serving))
    };
    let opened = shutdown.interrupts(opening).await;
    if opened.is_ok() {
        health.readiness.ready("branches");
        shutdown.requested().await;
    }
    health.readiness.not_ready("process", "stopping");
    let mut stopping = Stopping::within(STOP_MAX);
    let result = match opened {
        Ok((service, serving)) => {
            let stopped = async {
                // Followers stay until they are cut off, and go elsewhere.
                serving.stop(CALLS_GRACE).await;
                service.close().await;
                Ok(())
            };
            stopping.part("storage service", stopped).await;
            Ok(())
        }
        Err(_) if shutdown.is_requested() => Ok(()),
        Err(error) => Err(error),
    };
    if let Some((_, disk)) = &disk {
        let closed = async {
            if let Err(error) = disk.close(&env, DISK_CLOSE_MAX).await {
                tracing::warn!(%error, "the disk cache will be colder");
            }
            Ok(())
        };
        stopping.part("disk cache", closed).await;
    }
    health.stop(&mut stopping).await;
    result.and(stopping.finish())
}
