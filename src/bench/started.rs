//! Parts of a measured database as processes of their own.

use std::net::SocketAddr;
use std::path::Path;

use firn_benchmark::Topology;
use firn_benchmark::config::{Journal, Storage, Switch};
use firn_engine::{Env, Error, ErrorKind, Result};

use crate::parts::{Part, Plan, free_addresses, io_error, start, stop};

/// Processes, and where they and those are that were there already.
#[derive(Debug, Default)]
pub(super) struct Started {
    parts: Vec<Part>,
    /// Where each of them tells its counts, by name.
    metrics: Vec<(String, SocketAddr)>,
    /// Members of the journal.
    pub(super) journal: Vec<String>,
    /// Storage services.
    pub(super) storage: Vec<String>,
}

impl Started {
    /// Starts what the topology wants and has no address for, with folders in `dir` and
    /// their objects at `url`, and waits until all is ready.
    pub(super) async fn start(
        env: &Env,
        topology: &Topology,
        dir: &Path,
        url: &str,
        file: Option<&Path>,
    ) -> Result<Self> {
        let logs = dir.join("logs");
        std::fs::create_dir_all(&logs).map_err(|e| io_error("folder", &logs, e))?;
        let mut metrics = Vec::new();
        let mut plan = |name: String, command: &str, options: &[(&str, &str)]| {
            let http = free_addresses(1)?.remove(0);
            metrics.push((name.clone(), http));
            let http = http.to_string();
            let mut args = Vec::new();
            if let Some(file) = file {
                args.extend(["--config".to_owned(), file.display().to_string()]);
            }
            args.extend(["--until-stdin-ends".to_owned(), command.to_owned()]);
            let all = [("--http-addr", &*http), ("--object-store", url)];
            let options = options.iter().chain(&all);
            args.extend(options.flat_map(|(o, v)| [(*o).to_owned(), (*v).to_owned()]));
            Ok(Plan { log: logs.join(format!("{name}.log")), name, args })
        };
        let mut started = Self::default();
        let mut plans = Vec::new();
        if topology.journal == Journal::Members {
            started.journal.clone_from(&topology.addresses.journal);
        }
        if topology.journal == Journal::Members && started.journal.is_empty() {
            started.journal = addresses(topology.members)?;
            let all: Vec<String> =
                (1..).zip(&started.journal).map(|(number, at)| format!("{number}={at}")).collect();
            let all = all.join(",");
            for (number, address) in (1..).zip(&started.journal) {
                let number: u32 = number;
                let (name, number) = (format!("journal-{number}"), number.to_string());
                let folder = dir.join(&name).display().to_string();
                let options = [
                    ("--member", &*number),
                    ("--members", &*all),
                    ("--listen", &**address),
                    ("--data-dir", &*folder),
                ];
                plans.push(plan(name, "journal", &options)?);
            }
        }
        if topology.storage == Storage::Services {
            started.storage.clone_from(&topology.addresses.storage);
            if started.storage.is_empty() {
                started.storage = addresses(topology.services)?;
                for (number, address) in (1..).zip(&started.storage) {
                    let number: u32 = number;
                    let name = format!("storage-{number}");
                    let folder = dir.join(&name).display().to_string();
                    let options = [("--listen", &**address), ("--data-dir", &*folder)];
                    plans.push(plan(name, "storage", &options)?);
                }
            }
        }
        start(env, plans, &mut started.parts).await?;
        if topology.compaction == Switch::Workers {
            let storage = started.storage.join(",");
            let worker = |number| {
                let name = format!("compaction-{number}");
                plan(name, "compaction", &[("--storage-addr", &storage)])
            };
            let workers: Result<_> = (1..=topology.workers).map(worker).collect();
            start(env, workers?, &mut started.parts).await?;
        }
        started.metrics = metrics;
        Ok(started)
    }

    /// The processes, by name.
    pub(super) fn processes(&self) -> Vec<(String, u32)> {
        let running = |part: &Part| Some((part.plan.name.clone(), part.child.as_ref()?.id()));
        self.parts.iter().filter_map(running).collect()
    }

    /// Where each tells its counts, by name.
    pub(super) fn metrics(&self) -> Vec<(String, SocketAddr)> {
        self.metrics.clone()
    }

    /// Ends them, those first that need others.
    pub(super) async fn stop(self, env: &Env) -> Result<()> {
        let mut stopped = Ok(());
        let mut parts = self.parts;
        for command in ["compaction", "storage", "journal"] {
            let (group, rest) =
                parts.into_iter().partition(|part| part.plan.name.starts_with(command));
            parts = rest;
            stopped = stopped.and(stop(env, group).await);
        }
        stopped
    }
}

fn addresses(count: u32) -> Result<Vec<String>> {
    let none = |_| Error::new(ErrorKind::BadRequest, format!("{count} parts are too many"));
    let free = free_addresses(usize::try_from(count).map_err(none)?)?;
    Ok(free.iter().map(ToString::to_string).collect())
}
