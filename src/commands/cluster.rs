//! `firn up --cluster`: every part as a process of its own on this machine.
//!
//! Three members of the journal, two storage services, two workers and one
//! compute, as children of this process. A part that ends by itself is started
//! again; the end of the compute is the end of all. Children end when their
//! standard input does, so none is left behind, however this process ends.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Result};
use firn_services::config::{Config, Location};
use firn_services::runtime::Runtimes;
use firn_services::shutdown::{Shutdown, Stopping};

use crate::data_dir::DataDir;
use crate::parts::{
    Part, Plan, WATCH_EVERY, free_addresses, has_ended, io_error, spawn, start, stop,
};

const JOURNALS: u64 = 3;
const STORAGES: usize = 2;
const WORKERS: usize = 2;

/// How long all parts may take to stop.
const STOP_MAX: Duration = Duration::from_secs(60);
/// Pause before a part that has ended is started again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// All parts of a cluster, in the order in which they start.
struct Cluster {
    journals: Vec<Plan>,
    storages: Vec<Plan>,
    workers: Vec<Plan>,
    compute: Plan,
    /// A configuration that names them all.
    yaml: String,
}

impl Cluster {
    fn plan(config: &Config, file: Option<&Path>, dir: &Path) -> Result<Self> {
        let parts = JOURNALS as usize + STORAGES + WORKERS;
        let mut ports = free_addresses(JOURNALS as usize + STORAGES + parts + 2)?.into_iter();
        let mut port = || {
            let none = || Error::new(ErrorKind::Internal, "a port was not asked for");
            ports.next().map(|address| address.to_string()).ok_or_else(none)
        };
        let logs = dir.join("logs");
        std::fs::create_dir_all(&logs).map_err(|e| io_error("folder", &logs, e))?;
        let config_args: Vec<String> = match file {
            Some(file) => vec!["--config".into(), file.display().to_string()],
            None => Vec::new(),
        };
        let plan = |name: &str, command: &str, options: &[(&str, &str)]| {
            let mut args = config_args.clone();
            args.extend(["--until-stdin-ends".to_owned(), command.to_owned()]);
            args.extend(options.iter().flat_map(|(o, v)| [(*o).to_owned(), (*v).to_owned()]));
            Plan { name: name.to_owned(), args, log: logs.join(format!("{name}.log")) }
        };
        let url = match config.location()? {
            // Children have folders of their own.
            Location::Folder(folder) if folder.is_relative() => {
                let here = std::env::current_dir();
                let here = here.map_err(|e| io_error("folder of", &folder, e))?;
                here.join(folder).display().to_string()
            }
            Location::Memory => {
                let why = "memory:// is the memory of one process: a cluster has several";
                return Err(Error::new(ErrorKind::BadRequest, why));
            }
            _ => config.object_store.url.clone(),
        };
        let mut members = BTreeMap::new();
        for member in 1..=JOURNALS {
            members.insert(member, port()?);
        }
        let all: Vec<String> =
            members.iter().map(|(m, address)| format!("{m}={address}")).collect();
        let all = all.join(",");
        let mut journals = Vec::new();
        for (member, address) in &members {
            let (name, number) = (format!("journal-{member}"), member.to_string());
            let (folder, http) = (dir.join(&name).display().to_string(), port()?);
            journals.push(plan(
                &name,
                "journal",
                &[
                    ("--member", &number),
                    ("--members", &all),
                    ("--listen", address),
                    ("--data-dir", &folder),
                    ("--http-addr", &http),
                    ("--object-store", &url),
                ],
            ));
        }
        let (mut storages, mut addresses) = (Vec::new(), Vec::new());
        for number in 1..=STORAGES {
            let (name, listen, http) = (format!("storage-{number}"), port()?, port()?);
            let folder = dir.join(&name).display().to_string();
            let options = [
                ("--listen", &*listen),
                ("--data-dir", &*folder),
                ("--http-addr", &*http),
                ("--object-store", &*url),
            ];
            storages.push(plan(&name, "storage", &options));
            addresses.push(listen);
        }
        let (storage, journal) =
            (addresses.join(","), members.into_values().collect::<Vec<_>>().join(","));
        let mut workers = Vec::new();
        for number in 1..=WORKERS {
            let http = port()?;
            let options =
                [("--storage-addr", &*storage), ("--http-addr", &*http), ("--object-store", &*url)];
            workers.push(plan(&format!("compaction-{number}"), "compaction", &options));
        }
        let folder = dir.join("compute").display().to_string();
        // The configuration that is written names the port that it has.
        let mut given = |address: Option<SocketAddr>| match address {
            None => Ok("none".to_owned()),
            Some(address) if address.port() == 0 && address.ip().is_loopback() => port(),
            Some(address) => Ok(address.to_string()),
        };
        let (mysql, http) = (given(config.mysql_listen)?, given(config.http_listen)?);
        let compute = plan(
            "compute",
            "compute",
            &[
                ("--journal-addr", &*journal),
                ("--storage-addr", &*storage),
                ("--data-dir", &*folder),
                ("--mysql-addr", &*mysql),
                ("--http-addr", &*http),
                ("--object-store", &*url),
                ("--branch", config.branch.as_str()),
            ],
        );
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let yaml = format!(
            "# Where the parts of this cluster are, for `firn --config` and `firn ctl`.\n\
             object_store:\n  url: {}\njournal:\n  addresses: {}\nstorage:\n  addresses: {}\n\
             http_listen: {}\nmysql_listen: {}\n",
            quoted(&url),
            quoted(&journal),
            quoted(&storage),
            quoted(&http),
            quoted(&mysql),
        );
        Ok(Self { journals, storages, workers, compute, yaml })
    }
}

pub(super) async fn run(
    config: &Config,
    file: Option<&Path>,
    runtimes: &Runtimes,
    shutdown: &Shutdown,
) -> Result<()> {
    let env = runtimes.env();
    let dir = DataDir::take(&config.data_dir)?;
    let cluster = Cluster::plan(config, file, dir.path())?;
    let yaml = dir.path().join("cluster.yaml");
    std::fs::write(&yaml, &cluster.yaml).map_err(|e| io_error("writing", &yaml, e))?;
    let mut parts: Vec<Part> = Vec::new();
    let starting = async {
        let Cluster { journals, storages, workers, compute, .. } = cluster;
        start(&env, journals, &mut parts).await?;
        start(&env, storages, &mut parts).await?;
        start(&env, workers, &mut parts).await?;
        start(&env, vec![compute], &mut parts).await
    };
    let started = shutdown.interrupts(starting).await;
    let ended = match started {
        Ok(said) => {
            tracing::info!(config = %yaml.display(), "`firn --config` this shows it: `ctl status`");
            for line in said {
                super::print(&format!("ready: {line}\n"))?;
            }
            watch(&env, &mut parts, shutdown).await
        }
        Err(_) if shutdown.is_requested() => Ok(()),
        Err(error) => Err(error),
    };
    let mut stopping = Stopping::within(STOP_MAX);
    // The last that was started first: the compute needs all others for a clean end.
    for command in ["compute", "compaction", "storage", "journal"] {
        let (group, rest) = parts.into_iter().partition(|part| part.plan.name.starts_with(command));
        parts = rest;
        stopping.part("parts", stop(&env, group)).await;
    }
    ended.and(stopping.finish())
}

/// Until the end is asked for, or the compute has ended.
async fn watch(env: &Env, parts: &mut [Part], shutdown: &Shutdown) -> Result<()> {
    let mut requested = std::pin::pin!(shutdown.requested());
    while env.timeout(WATCH_EVERY, requested.as_mut()).await.is_none() {
        for part in parts.iter_mut() {
            let (name, log) = (&part.plan.name, part.plan.log.display());
            if let Some(ended) = part.ended {
                if env.now().since(ended) >= RESTART_AFTER {
                    part.child = Some(spawn(&part.plan)?);
                    part.ended = None;
                }
                continue;
            }
            let Some(status) = has_ended(&mut part.child)? else { continue };
            if name == "compute" && status.success() {
                tracing::info!("the compute has ended");
                return Ok(());
            }
            if name == "compute" {
                let why = format!("the compute has ended, {status}: see {log}");
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
            tracing::warn!(part = name, %status, %log, "a part has ended and is started again");
            (part.child, part.ended) = (None, Some(env.now()));
        }
    }
    Ok(())
}
