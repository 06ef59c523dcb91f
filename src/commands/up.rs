//! `firn up`: a database with all its parts in this process.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use firn_compute::accounts::RootLogin;
use firn_compute::server::{self, Listener, Site};
use firn_compute::txn::Limits;
use firn_engine::{Context, Env, Error, ErrorKind, Result};
use firn_mysql_protocol::server::ServerConfig;
use firn_mysql_protocol::tls::ServerTls;
use firn_services::config::{Config, MemoryShares};
use firn_services::machine::Machine;
use firn_services::process::{ProcessStats, hostname, raise_file_limit};
use firn_services::runtime::Runtimes;
use firn_services::shutdown::{Shutdown, Stopping};

use super::health::Health;
use crate::data_dir::DataDir;
use crate::local::{Local, LocalOptions};
use crate::metrics::DbMetrics;
use crate::status::Status;
use crate::store::Store;

/// How long everything may take to stop: what could not be flushed by then is in the journal.
const STOP_MAX: Duration = Duration::from_secs(30);

/// How long statements may still run when the process shall end, and how long
/// they may take to end when they are told to.
const STATEMENT_GRACE: Duration = Duration::from_secs(3);

/// How often it is looked whether the database has failed.
const WATCH_EVERY: Duration = Duration::from_millis(500);

/// Where files are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merges {
    /// In this process.
    Here,
    /// By workers.
    Elsewhere,
}

pub(super) async fn run(
    config: &Config,
    runtimes: &Runtimes,
    shutdown: &Shutdown,
    merges: Merges,
) -> Result<()> {
    if let Some(address) = config.mysql_listen {
        check_port(address)?;
    }
    raise_file_limit();
    let dir = DataDir::take(&config.data_dir)?;
    let opened_now: Arc<OnceLock<Arc<Local>>> = Arc::default();
    let health = Health::start(config, runtimes, status_of(Arc::clone(&opened_now))).await?;
    health.readiness.not_ready("database", "opening: manifest and journal are read");
    let mut options = LocalOptions::new(config);
    if merges == Merges::Elsewhere {
        options.compaction_concurrency = 0;
    }
    let opening = open(config, runtimes, dir, &health, &opened_now, options);
    let opened = shutdown.interrupts(opening).await;
    let opened = match opened {
        Ok(local) => match listen(config, &runtimes.env(), &local).await {
            Ok(listener) => Ok((local, listener)),
            Err(error) => {
                // Nothing was served: what is open is only closed again.
                local.close(STOP_MAX).await?;
                Err(error)
            }
        },
        Err(error) => Err(error),
    };
    let failed = match &opened {
        Ok((local, listener)) => wait(local, listener.as_ref(), runtimes, shutdown).await,
        Err(_) => None,
    };

    health.readiness.not_ready("process", "stopping");
    let mut stopping = Stopping::within(STOP_MAX);
    if let Ok((local, listener)) = &opened {
        if let Some(listener) = listener {
            let stopped = async {
                listener.stop(STATEMENT_GRACE).await;
                Ok(())
            };
            stopping.part("MySQL port", stopped).await;
        }
        stopping.part("database", local.close(STOP_MAX)).await;
    }
    health.stop(&mut stopping).await;
    let stopped = stopping.finish();
    match (opened, failed) {
        // Asked to stop while it was opening: nothing was begun that must be ended.
        (Err(_), _) if shutdown.is_requested() => stopped,
        (Err(error), _) => Err(error),
        (Ok(_), Some(error)) => Err(error.context("the database has stopped")),
        (Ok(_), None) => stopped,
    }
}

/// Files that are opened later and are no connections: the journal's, objects.
const FILES_KEPT: u64 = 512;

/// How many connections a process takes that may open `files` and has opened `open`, most
/// of them the disk cache's.
fn max_connections(files: u64, open: u64) -> u64 {
    files.saturating_sub(open).saturating_sub(FILES_KEPT).clamp(151, 100_000)
}

/// Opens the port for MySQL clients, if there is to be one.
async fn listen(config: &Config, env: &Env, local: &Local) -> Result<Option<Listener>> {
    let Some(address) = config.mysql_listen else { return Ok(None) };
    let root = match &config.mysql_root_password {
        Some(password) => RootLogin::Password(password.reveal().into()),
        None if address.ip().is_loopback() => RootLogin::Developer,
        None => RootLogin::MustHavePassword,
    };
    let files = raise_file_limit();
    let free = Machine::detect().disk_space(&config.data_dir)?.free_bytes;
    let site = Site {
        hostname: hostname(),
        data_dir: config.data_dir.display().to_string(),
        secure_file_priv: secure_folder(config)?,
        // Half of it is the disk cache's.
        spill_bytes_max: Some(free / 4),
        max_connections: Some(max_connections(files, ProcessStats::read().fds)),
    };
    let db = Arc::clone(local.db());
    let statements = MemoryShares::of(config.memory_bytes_max).statements;
    let limits = Limits::for_memory(usize::try_from(statements).unwrap_or(usize::MAX));
    let server = server::Server::open_with(db, env.clone(), &root, limits, &site).await;
    let server = server.context(|| format!("MySQL on {address}"))?;
    let tls = certificate(config)?;
    let settings = ServerConfig { tls: Some(tls), ..ServerConfig::default() };
    let listener = server::listen(server, env, address, settings).await?;
    let address = listener.address();
    tracing::info!(%address, "MySQL clients can connect");
    super::print(&format!("ready: {}\n", connect_line(address)))?;
    Ok(Some(listener))
}

/// The certificate that MySQL clients see: the one that is configured, or one that is made.
fn certificate(config: &Config) -> Result<ServerTls> {
    let files = (&config.mysql_tls_certificate, &config.mysql_tls_key);
    match (files, &config.mysql_tls_client_ca) {
        ((Some(certificate), Some(key)), ca) => {
            ServerTls::from_pem_files(certificate, key, ca.as_deref())
                .map_err(|error| Error::new(ErrorKind::BadRequest, format!("MySQL TLS: {error}")))
        }
        ((None, None), None) => ServerTls::generated(&["localhost"])
            .map_err(|error| Error::new(ErrorKind::Internal, format!("a certificate: {error}"))),
        _ => {
            let why = "mysql_tls_certificate and mysql_tls_key belong together, and \
                       mysql_tls_client_ca needs both";
            Err(Error::new(ErrorKind::BadRequest, why))
        }
    }
}

/// The folder for files of statements, by its full name.
fn secure_folder(config: &Config) -> Result<Option<String>> {
    match config.mysql_secure_file_priv.as_deref() {
        None => Ok(None),
        Some("") => Ok(Some(String::new())),
        Some(folder) => match std::fs::canonicalize(folder) {
            Ok(full) if full.is_dir() => Ok(Some(full.display().to_string())),
            Ok(_) => {
                let why = format!("mysql_secure_file_priv: {folder} is no folder");
                Err(Error::new(ErrorKind::BadRequest, why))
            }
            Err(error) => {
                let why = format!("mysql_secure_file_priv: {folder}: {error}");
                Err(Error::new(ErrorKind::BadRequest, why))
            }
        },
    }
}

/// Says of a port in use what can be done, before anything is opened. Whoever
/// takes it from here on is met by [`listen`].
fn check_port(address: SocketAddr) -> Result<()> {
    match std::net::TcpListener::bind(address) {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let why = format!(
                "MySQL port {address} is in use by another program: choose one with --mysql-addr"
            );
            Err(Error::new(ErrorKind::BadRequest, why))
        }
        _ => Ok(()),
    }
}

/// The command that connects the stock client from this machine.
fn connect_line(address: SocketAddr) -> String {
    let host = match address.ip() {
        ip if !ip.is_unspecified() => ip.to_string(),
        IpAddr::V4(_) => "127.0.0.1".to_owned(),
        IpAddr::V6(_) => "::1".to_owned(),
    };
    format!("mysql -h {host} -P {} -u root", address.port())
}

async fn open(
    config: &Config,
    runtimes: &Runtimes,
    dir: DataDir,
    health: &Health,
    opened: &OnceLock<Arc<Local>>,
    options: LocalOptions,
) -> Result<Arc<Local>> {
    let env = runtimes.env();
    let store = Store::open(config, &env).await?;
    let local = Local::open(&env, dir, store.objects, store.layout, options).await?;
    let local = Arc::new(local);
    health.metrics.add(DbMetrics::new(Arc::clone(&local), store.stats));
    let db = Arc::clone(local.db());
    health.readiness.check("database", move || match db.failure() {
        None => Ok(()),
        Some(error) => Err(error.to_string()),
    });
    // The only one who sets it.
    let _ = opened.set(Arc::clone(&local));
    tracing::info!(
        branch = %config.branch,
        store = %store.name,
        epoch = %local.db().stats().epoch,
        "the database is open"
    );
    Ok(local)
}

/// What `/status` shows.
fn status_of(opened: Arc<OnceLock<Arc<Local>>>) -> impl Fn() -> serde_json::Value {
    move || {
        let Some(local) = opened.get() else {
            return serde_json::json!({ "state": "opening" });
        };
        // Who asks wants to see the newest state.
        local.look_soon();
        serde_json::to_value(Status::of(local))
            .unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }))
    }
}

/// Waits until the process shall end, or the database has failed.
async fn wait(
    local: &Local,
    listener: Option<&Listener>,
    runtimes: &Runtimes,
    shutdown: &Shutdown,
) -> Option<Error> {
    let env = runtimes.env();
    let asked = async {
        match listener {
            Some(listener) => listener.stop_asked().await,
            None => std::future::pending().await,
        }
    };
    let mut asked = std::pin::pin!(asked);
    let mut end = std::pin::pin!(async {
        tokio::select! {
            _ = shutdown.requested() => {}
            () = asked.as_mut() => tracing::info!("a client has asked for the end"),
        }
    });
    loop {
        if let Some(error) = local.db().failure() {
            return Some(error);
        }
        if env.timeout(WATCH_EVERY, end.as_mut()).await.is_some() {
            return None;
        }
    }
}
