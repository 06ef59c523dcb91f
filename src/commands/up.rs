//! `firn up`: a database with all its parts in this process.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::Result;
use firn_services::config::Config;
use firn_services::http::{Endpoints, Readiness, Server};
use firn_services::metrics::{BuildInfo, ProcessMetrics, Registry};
use firn_services::runtime::Runtimes;
use firn_services::shutdown::{Shutdown, Stopping};

use crate::data_dir::DataDir;
use crate::local::{Local, LocalOptions};
use crate::metrics::DbMetrics;
use crate::status::Status;
use crate::store::Store;

/// How long everything may take to stop: what could not be flushed by then is in the journal.
const STOP_MAX: Duration = Duration::from_secs(30);

/// How often it is looked whether the database has failed.
const WATCH_EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(config: &Config, runtimes: &Runtimes, shutdown: &Shutdown) -> Result<()> {
    let env = runtimes.env();
    let dir = DataDir::take(&config.data_dir)?;
    let store = Store::open(config, &env).await?;
    let options = LocalOptions::new(config);
    let objects = Arc::clone(&store.objects);
    let local = Local::open(&env, dir, objects, store.layout.clone(), options).await?;
    let local = Arc::new(local);

    let server = match config.http_listen {
        Some(address) => Some(Server::start(address, endpoints(&local, &store, runtimes)).await?),
        None => None,
    };
    tracing::info!(
        branch = %config.branch,
        store = %store.name,
        epoch = %local.db().stats().epoch,
        "the database is open"
    );

    let failed = loop {
        if let Some(error) = local.db().failure() {
            break Some(error);
        }
        if env.timeout(WATCH_EVERY, shutdown.requested()).await.is_some() {
            break None;
        }
    };

    let mut stopping = Stopping::within(STOP_MAX);
    if let Some(server) = server {
        stopping.part("HTTP server", server.stop()).await;
    }
    stopping.part("database", local.close(STOP_MAX)).await;
    let stopped = stopping.finish();
    match failed {
        Some(error) => Err(error.context("the database has stopped")),
        None => stopped,
    }
}

fn endpoints(local: &Arc<Local>, store: &Store, runtimes: &Runtimes) -> Endpoints {
    let metrics = Registry::new();
    metrics.add(BuildInfo { version: env!("CARGO_PKG_VERSION"), commit: crate::COMMIT });
    metrics.add(ProcessMetrics::new(runtimes.thread_groups()));
    metrics.add(DbMetrics::new(Arc::clone(local), Arc::clone(&store.stats)));
    let readiness = Readiness::new();
    let db = Arc::clone(local.db());
    readiness.check("database", move || match db.failure() {
        None => Ok(()),
        Some(error) => Err(error.to_string()),
    });
    let status = Arc::clone(local);
    let status = move || match serde_json::to_value(Status::of(&status)) {
        Ok(value) => value,
        Err(error) => serde_json::json!({ "error": error.to_string() }),
    };
    Endpoints { metrics, readiness, status: Arc::new(status) }
}
