//! `firn storage`: the storage service alone.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::object::StoreBlocks;
use firn_engine::{Context, Result};
use firn_services::config::Config;
use firn_services::rpc::serve::Server;
use firn_services::runtime::Runtimes;
use firn_services::shutdown::{Shutdown, Stopping};
use firn_storage::StorageService;
use firn_storage::picker::PickerOptions;
use firn_storage::rpc::StorageRpc;

use super::health::Health;
use crate::store::Store;

/// How long everything may take to stop. Nothing is lost by being cut short.
const STOP_MAX: Duration = Duration::from_secs(15);
/// How long calls may still run.
const CALLS_GRACE: Duration = Duration::from_secs(5);

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
    let opening = async {
        let store = Store::open(config, &env).await?;
        let objects = Arc::clone(&store.objects);
        let options = PickerOptions::default();
        let service =
            StorageService::start(env.clone(), &name, objects, store.layout.clone(), options);
        service.learn_branches().await.context(|| format!("reading {}", store.name))?;
        let blocks = Arc::new(StoreBlocks::new(store.objects, store.layout));
        let rpc = StorageRpc::new(env.clone(), Arc::clone(&service), blocks);
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
    health.stop(&mut stopping).await;
    result.and(stopping.finish())
}
