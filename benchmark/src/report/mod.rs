//! What a run has measured, for people and for programs.

mod goals;
mod html;
mod plot;
mod prices;
mod rounds;
mod table;

use std::path::{Path, PathBuf};

use firn_engine::{Error, ErrorKind, Result};
use serde::Serialize;

pub use goals::GoalResult;
pub(crate) use goals::goals;
pub(crate) use html::{STYLE, utc};
pub(crate) use plot::escape;
pub use prices::{Cost, Prices};
pub(crate) use rounds::middle;
pub(crate) use table::{goal_line, print, print_header, print_phase, print_results, short, time};

use crate::config::{Config, Journal, ObjectStoreAt, Switch};
use crate::measure::Machine;
use crate::run::PhaseResult;

/// Everything about one run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The workload's name.
    pub name: String,
    /// What question it answers.
    pub about: String,
    /// The YAML as it was read.
    pub config: String,
    /// The same with all defaults filled in.
    pub effective: Config,
    /// What everything random followed from.
    pub seed: u64,
    /// The source that was built.
    pub commit: String,
    /// Where it ran.
    pub machine: Machine,
    /// When it began, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// What a reader must know before any figure.
    pub labels: Vec<String>,
    /// The runner's own share.
    pub runner_cost: RunnerCost,
    /// Firn, its variants, then the peers.
    pub targets: Vec<TargetResult>,
    /// What should have been reached.
    pub goals: Vec<GoalResult>,
}

/// What the runner takes for one operation, on an engine that does nothing.
/// It is part of every throughput and, but for reading the clock, of no latency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RunnerCost {
    /// Nanoseconds for a get, its value not checked.
    pub get_ns: f64,
    /// Nanoseconds for a put.
    pub put_ns: f64,
}

/// All phases of one target.
#[derive(Debug, Clone, Serialize)]
pub struct TargetResult {
    /// Which.
    pub name: String,
    /// Its settings.
    pub settings: Vec<(String, String)>,
    /// How long the first opening took.
    pub open_s: f64,
    /// The phases up to the first that failed.
    pub phases: Vec<PhaseResult>,
    /// What went wrong outside of phases.
    pub error: Option<String>,
}

impl Report {
    /// The result of a phase on a target.
    #[must_use]
    pub fn phase(&self, target: &str, phase: &str) -> Option<&PhaseResult> {
        let target = self.targets.iter().find(|t| t.name == target)?;
        target.phases.iter().find(|p| p.name == phase)
    }

    /// What went wrong, by target and phase.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        let of_target = |target: &TargetResult| {
            let name = &target.name;
            let phases = target.phases.iter();
            let of_phases = phases.filter_map(move |phase| {
                Some(format!("{name}, phase {}: {}", phase.name, phase.error.as_ref()?))
            });
            let own = target.error.iter().map(move |error| format!("{name}: {error}"));
            of_phases.chain(own).collect::<Vec<_>>()
        };
        self.targets.iter().flat_map(of_target).collect()
    }
}

/// What makes figures incomparable, to be said first.
pub(crate) fn labels(config: &Config, machine: &Machine) -> Vec<String> {
    let topology = &config.topology;
    let mut labels = Vec::new();
    if machine.debug_build {
        labels.push("DEBUG BUILD: figures mean nothing".to_owned());
    }
    if !topology.sync {
        labels.push("NOT SYNCED: puts are answered before they are durable".to_owned());
    }
    if topology.journal == Journal::Memory {
        labels.push("JOURNAL IN MEMORY: puts are lost with the process".to_owned());
    }
    if topology.object_store == ObjectStoreAt::Memory {
        labels.push("OBJECT STORE IN MEMORY".to_owned());
    }
    if topology.compaction == Switch::Off {
        labels.push("WITHOUT COMPACTION".to_owned());
    }
    if config.data.zeros {
        labels.push("VALUES ARE ZEROES".to_owned());
    }
    labels
}

/// Writes `<name>.json` and `<name>.html` into `dir`.
pub(crate) fn write(report: &Report, dir: &Path) -> Result<(PathBuf, PathBuf)> {
    let json = serde_json::to_vec_pretty(report)
        .map_err(|e| Error::with_source(ErrorKind::Internal, "the report as JSON", e))?;
    let html = html::page(report);
    let store = |ending: &str, bytes: &[u8]| {
        let path = dir.join(format!("{}.{ending}", report.name));
        std::fs::write(&path, bytes).map_err(|e| {
            Error::with_source(ErrorKind::Unavailable, path.display().to_string(), e)
        })?;
        Ok(path)
    };
    Ok((store("json", &json)?, store("html", html.as_bytes())?))
}
