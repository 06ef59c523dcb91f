//! What every long-running process answers over HTTP, from its start to its end.

use std::sync::Arc;

use firn_engine::Result;
use firn_services::config::Config;
use firn_services::http::{Endpoints, Readiness, Server};
use firn_services::metrics::{BuildInfo, ProcessMetrics, Registry};
use firn_services::runtime::Runtimes;
use firn_services::shutdown::Stopping;

/// See the module.
pub(super) struct Health {
    pub(super) readiness: Readiness,
    pub(super) metrics: Registry,
    server: Option<Server>,
}

impl Health {
    /// Serves on `http_listen`, if anywhere; `status` is asked for `/status`.
    pub(super) async fn start(
        config: &Config,
        runtimes: &Runtimes,
        status: impl Fn() -> serde_json::Value + Send + Sync + 'static,
    ) -> Result<Self> {
        let metrics = Registry::new();
        metrics.add(BuildInfo { version: env!("CARGO_PKG_VERSION"), commit: crate::COMMIT });
        metrics.add(ProcessMetrics::new(runtimes.thread_groups()));
        let readiness = Readiness::new();
        let endpoints = Endpoints {
            metrics: metrics.clone(),
            readiness: readiness.clone(),
            status: Arc::new(status),
        };
        let server = match config.http_listen {
            Some(address) => Some(Server::start(address, endpoints).await?),
            None => None,
        };
        Ok(Self { readiness, metrics, server })
    }

    pub(super) async fn stop(self, stopping: &mut Stopping) {
        if let Some(server) = self.server {
            stopping.part("HTTP server", server.stop()).await;
        }
    }
}
