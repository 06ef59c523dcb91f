//! A whole workload: Firn first, then its peers, each through all phases.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use firn_engine::{Context, Error, ErrorKind, Result};

use super::phase::{PhaseResult, Progress, run_phase};
use super::work::Work;
use super::worker;
use crate::config::{Config, Kind, Peer, Phase, Switch, Variant};
use crate::engine::{Provider, Target};
use crate::measure::{Machine, cpu, fsync_p50_us};
use crate::report::{self, Cost, Report, RunnerCost, TargetResult};

/// How long a target may take to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(120);

/// How long synced writes are measured.
const FSYNC_FOR: Duration = Duration::from_secs(1);

/// A finished run.
#[derive(Debug)]
pub struct Summary {
    /// All that was measured.
    pub report: Report,
    /// The same as a file.
    pub json: PathBuf,
    /// The same for people.
    pub html: PathBuf,
}

impl Summary {
    /// What went wrong: errors of targets and phases. The figures before them hold.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        self.report.errors()
    }

    /// Goals that were measured and not reached.
    #[must_use]
    pub fn missed_goals(&self) -> usize {
        self.report.goals.iter().filter(|goal| goal.reached == Some(false)).count()
    }
}

/// Runs the workload in the file `config`; data and reports go into `out_dir`.
/// Prints what was measured to the standard output.
///
/// Call it on the runtime that foreground work runs on: the workers are tasks
/// of it.
///
/// # Errors
/// `BadRequest` if the file is no workload that this build can run,
/// `Unavailable` if the report cannot be written. What goes wrong while
/// measuring ends the target it happened to, and stands in the report; see
/// [`Summary::errors`].
pub async fn run(config: &Path, out_dir: &Path, provider: &dyn Provider) -> Result<Summary> {
    let (config, text) = Config::read(config)?;
    run_config(&config, &text, out_dir, provider).await
}

/// As [`run`], of a workload that was read already; `text` is what the report shows.
///
/// # Errors
/// As [`run`].
pub async fn run_config(
    config: &Config,
    text: &str,
    out_dir: &Path,
    provider: &dyn Provider,
) -> Result<Summary> {
    if let Some(peer) = config.compare_with.iter().find(|p| !Config::peer_is_built(**p)) {
        let why = "compare_with: a build with the cargo feature `peers` is needed to run";
        return Err(Error::new(ErrorKind::BadRequest, format!("{why} {}", peer.as_str())));
    }
    let data = out_dir.join("firn-bench-data");
    make_empty_dir(&data)?;
    let mut report = Report {
        name: config.name.clone(),
        about: config.about.clone(),
        config: text.to_owned(),
        effective: config.clone(),
        seed: config.seed,
        commit: provider.commit(),
        machine: Machine::here(out_dir),
        started_unix_ms: unix_ms(),
        labels: Vec::new(),
        runner_cost: runner_cost(config)?,
        targets: Vec::new(),
        goals: Vec::new(),
    };
    report.labels = report::labels(config, &report.machine);
    report::print_header(&report)?;
    let variants = config.variants.iter().map(Who::Variant);
    let peers = config.compare_with.iter().copied().map(Who::Peer);
    let targets: Vec<Who<'_>> = std::iter::once(Who::Own).chain(variants).chain(peers).collect();
    let mut rounds: Vec<Vec<TargetResult>> = targets.iter().map(|_| Vec::new()).collect();
    for _ in 0..config.rounds {
        for (who, results) in targets.iter().zip(&mut rounds) {
            let dir = data.join(who.name());
            results.push(run_target(&Opener { config, provider, who: *who, dir }).await);
            // Each round begins with nothing, and nobody's data is in another's way.
            make_empty_dir(&data)?;
        }
    }
    report.targets = rounds.into_iter().filter_map(report::middle).collect();
    report.goals = report::goals(config, &report.targets);
    remove_dir(&data)?;
    let (json, html) = report::write(&report, out_dir)?;
    report::print_results(&report, &html)?;
    Ok(Summary { report, json, html })
}

struct Opener<'a> {
    config: &'a Config,
    provider: &'a dyn Provider,
    who: Who<'a>,
    dir: PathBuf,
}

/// Who is measured.
#[derive(Clone, Copy)]
enum Who<'a> {
    /// Firn of the workload's own parts.
    Own,
    Variant(&'a Variant),
    Peer(Peer),
}

impl Who<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Own => "firn",
            Self::Variant(variant) => &variant.name,
            Self::Peer(peer) => peer.as_str(),
        }
    }
}

impl Opener<'_> {
    fn name(&self) -> &str {
        self.who.name()
    }

    async fn open(&self, compaction: Option<Switch>) -> Result<Arc<dyn Target>> {
        std::fs::create_dir_all(&self.dir).map_err(|e| {
            Error::with_source(ErrorKind::Unavailable, self.dir.display().to_string(), e)
        })?;
        let mut topology = match self.who {
            Who::Variant(variant) => variant.topology.clone(),
            Who::Own | Who::Peer(_) => self.config.topology.clone(),
        };
        topology.compaction = compaction.unwrap_or(topology.compaction);
        match self.who {
            Who::Own | Who::Variant(_) => self.provider.open(&topology, &self.dir).await,
            Who::Peer(peer) => crate::peers::open(peer, &topology, &self.dir).await,
        }
        .context(|| format!("opening {}", self.name()))
    }
}

/// All phases on one target, until one fails.
async fn run_target(opener: &Opener<'_>) -> TargetResult {
    let config = opener.config;
    let mut result = TargetResult {
        name: opener.name().to_owned(),
        settings: Vec::new(),
        open_s: 0.0,
        phases: Vec::new(),
        error: None,
    };
    let start = Instant::now();
    let target = match opener.open(None).await {
        Ok(target) => target,
        Err(error) => {
            result.error = Some(error.to_string());
            return result;
        }
    };
    result.open_s = start.elapsed().as_secs_f64();
    result.settings = target.settings();
    // `None` between closing and opening again.
    let mut target = Some(target);
    let mut progress = Progress::default();
    let mut compaction = None;
    for (place, phase) in config.phases.iter().enumerate() {
        let measured = match target.take() {
            Some(open) if phase.kind == Kind::Reopen => {
                compaction = phase.compaction.or(compaction);
                match reopen(opener, open, phase, compaction).await {
                    Ok((reopened, measured)) => {
                        target = Some(reopened);
                        measured
                    }
                    Err(error) => {
                        let mut failed = PhaseResult::empty(phase);
                        failed.error = Some(error.to_string());
                        failed
                    }
                }
            }
            Some(open) => {
                let name = opener.name();
                let fsync = fsync_before(phase, &opener.dir).await;
                let mut measured = run_phase(config, place, name, &open, &mut progress).await;
                match fsync {
                    Ok(fsync) => measured.fsync_p50_us = fsync,
                    Err(error) => measured.error = measured.error.or(Some(error.to_string())),
                }
                target = Some(open);
                measured
            }
            None => break,
        };
        let failed = measured.error.is_some();
        if let Err(error) = report::print_phase(opener.name(), &measured) {
            result.error = Some(error.to_string());
        }
        result.phases.push(measured);
        if failed {
            break;
        }
    }
    if let Some(target) = target
        && let Err(error) = target.close(CLOSE_LIMIT).await
    {
        // An earlier error is the likely cause of this one.
        result.error.get_or_insert(format!("closing {}: {error}", opener.name()));
    }
    result
}

/// See [`PhaseResult::fsync_p50_us`].
async fn fsync_before(phase: &Phase, dir: &Path) -> Result<Option<f64>> {
    if phase.kind != Kind::Put || phase.tasks != 1 {
        return Ok(None);
    }
    let to = dir.to_owned();
    let measured = tokio::task::spawn_blocking(move || fsync_p50_us(&to, FSYNC_FOR)).await;
    let measured = measured.map_err(std::io::Error::other).and_then(|measured| measured);
    measured.map(Some).map_err(|e| {
        let what = format!("a synced write in {}", dir.display());
        Error::with_source(ErrorKind::Unavailable, what, e)
    })
}

/// Closes and opens. Its time is that of the opening alone. The old target is
/// dropped before: it may hold locks.
async fn reopen(
    opener: &Opener<'_>,
    target: Arc<dyn Target>,
    phase: &Phase,
    compaction: Option<Switch>,
) -> Result<(Arc<dyn Target>, PhaseResult)> {
    let limit = Duration::from_secs(phase.limit_s.into());
    target.close(limit).await.context(|| format!("closing {}", opener.name()))?;
    drop(target);
    let before = cpu::now();
    let start = Instant::now();
    let opened = opener.open(compaction).await?;
    let mut result = PhaseResult::empty(phase);
    result.elapsed_s = start.elapsed().as_secs_f64();
    result.cpu_s = cpu::now().since(&before).total.as_secs_f64();
    result.counters = opened.counters();
    result.stored_bytes = opened.stored_bytes().await?;
    result.resident_bytes_max = cpu::resident_bytes();
    result.cost = Cost::of(&result, &opener.config.prices);
    Ok((opened, result))
}

/// Measures the runner itself, on an engine that does nothing.
fn runner_cost(config: &Config) -> Result<RunnerCost> {
    const CALLS: u64 = 200_000;
    let measure = |kind: &str| {
        let yaml = format!("name: x\nphases: [{{kind: {kind}, ops: {CALLS}, verify: none}}]\n");
        let phases = Config::parse(&yaml, "runner")?.phases;
        let config = Config { phases, ..config.clone() };
        let work = Work::new(&config, 0, &config.phases[0], 0, None);
        worker::runner_cost(&work, CALLS)
    };
    let nanos = |cost: Duration| cost.as_nanos() as f64;
    Ok(RunnerCost { get_ns: nanos(measure("get")?), put_ns: nanos(measure("put")?) })
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Data of an earlier run that was broken off must not be taken for this one's.
fn make_empty_dir(dir: &Path) -> Result<()> {
    remove_dir(dir)?;
    std::fs::create_dir_all(dir)
        .map_err(|e| Error::with_source(ErrorKind::Unavailable, dir.display().to_string(), e))
}

fn remove_dir(dir: &Path) -> Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::with_source(ErrorKind::Unavailable, dir.display().to_string(), e))
        }
        _ => Ok(()),
    }
}
