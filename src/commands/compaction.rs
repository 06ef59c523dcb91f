//! `firn compaction`: a worker alone.

use std::sync::Arc;
use std::time::Duration;

use firn_compaction::{Worker, WorkerOptions};
use firn_engine::merge::MergeContext;
use firn_engine::object::StoreBlocks;
use firn_engine::{Error, ErrorKind, Options, Result};
use firn_services::clients::RemoteCompaction;
use firn_services::config::{Config, MemoryShares};
use firn_services::rpc::peers::Peers;
use firn_services::runtime::Runtimes;
use firn_services::shutdown::{Shutdown, Stopping};
use firn_table::Schemas;

use super::health::Health;
use crate::metrics::StoreMetrics;
use crate::store::Store;

/// How long work may take to be handed back: the notice of a spot machine is short.
const HAND_BACK_MAX: Duration = Duration::from_millis(1500);
/// How long everything may take to stop.
const STOP_MAX: Duration = Duration::from_secs(2);

pub(super) async fn run(config: &Config, runtimes: &Runtimes, shutdown: &Shutdown) -> Result<()> {
    if config.storage.addresses.is_empty() {
        let why = "storage.addresses is not set: a worker asks the storage service for work; \
                   say where it is with --storage-addr HOST:PORT";
        return Err(Error::new(ErrorKind::BadRequest, why));
    }
    let env = runtimes.env();
    let name = format!("{} process {}", crate::host_name(), std::process::id());
    let status = {
        let (name, storage) = (name.clone(), config.storage.addresses.clone());
        move || serde_json::json!({ "part": "compaction", "name": name, "storage": storage })
    };
    let peers = Peers::new(env.clone(), &config.storage.addresses, &config.rpc.trust())?;
    let health = Health::start(config, runtimes, status).await?;
    let store = shutdown.interrupts(Store::open(config, &env)).await;
    let mut stopping = Stopping::within(STOP_MAX);
    let result = match store {
        Ok(store) => {
            health.metrics.add(StoreMetrics(Arc::clone(&store.stats)));
            let context = MergeContext {
                env: env.clone(),
                blocks: Arc::new(StoreBlocks::new(
                    Arc::clone(&store.objects),
                    store.layout.clone(),
                )),
                store: store.objects,
                layout: store.layout,
                schemas: Arc::new(Schemas),
                file_bytes_max: Options::for_memory(
                    MemoryShares::of(config.memory_bytes_max).engine,
                )
                .file_bytes_max,
            };
            let queue = RemoteCompaction::new(env.clone(), peers);
            let concurrency = config.compaction.concurrency;
            let worker = Worker::start(queue, context, WorkerOptions { name, concurrency });
            tracing::info!(concurrency, storage = ?config.storage.addresses, "waiting for work");
            super::print(&format!("ready: {concurrency} merges at once\n"))?;
            shutdown.requested().await;
            stopping = Stopping::within(STOP_MAX);
            let hand_back = async {
                if worker.stop(HAND_BACK_MAX).await {
                    return Ok(());
                }
                let why = "merges were not handed back in time: others wait for their leases";
                Err(Error::new(ErrorKind::Unavailable, why))
            };
            stopping.part("merges", hand_back).await;
            Ok(())
        }
        Err(_) if shutdown.is_requested() => Ok(()),
        Err(error) => Err(error),
    };
    health.readiness.not_ready("process", "stopping");
    health.stop(&mut stopping).await;
    result.and(stopping.finish())
}
