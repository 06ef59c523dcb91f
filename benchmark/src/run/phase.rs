//! One phase on one target, and what it came to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Error, ErrorKind, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::pacer::Pacing;
use super::sampler::{Point, Sampled, Sampler, Times};
use super::work::Work;
use crate::config::{Config, Kind, Phase};
use crate::engine::Target;
use crate::measure::{Counters, DiskIo, Latency, Op, Requests};
use crate::report::Cost;

/// What a phase came to on one target, the warm-up left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseResult {
    /// The phase.
    pub name: String,
    /// What it did.
    pub kind: Kind,
    /// How operations were made at once.
    pub shape: String,
    /// How long it took.
    pub elapsed_s: f64,
    /// Keys put or got, scans done.
    pub ops: u64,
    /// The same in a second.
    pub ops_per_s: f64,
    /// What a rate asked for.
    pub rate_wanted: Option<f64>,
    /// Operations that the rate asked for and that never began.
    pub late_ops: u64,
    /// Latencies of all operations.
    pub latency: Option<Latency>,
    /// By kind, if there were several.
    pub latency_by_op: BTreeMap<&'static str, Latency>,
    /// Entries that scans gave.
    pub scanned_entries: u64,
    /// Gets of keys that were never put.
    pub misses: u64,
    /// Reads whose bytes were checked.
    pub verified: u64,
    /// Processor time of all processes, the runner's included.
    pub cpu_s: f64,
    /// The same by group of threads, and by process of those that are not the runner's.
    pub cpu_s_by_part: BTreeMap<String, f64>,
    /// Cores that other processes, or other machines on the same host, had meanwhile.
    pub others_cores: f64,
    /// Operations for a second of processor time.
    pub ops_per_cpu_s: f64,
    /// What the target counted.
    pub counters: Counters,
    /// Bytes of keys and values put.
    pub user_bytes: u64,
    /// Bytes written by all parts for a byte put.
    pub write_amplification: Option<f64>,
    /// What the kernel says the process read from and wrote to the disk.
    pub disk: DiskIo,
    /// The same of each process that is not the runner's.
    pub disk_by_process: BTreeMap<String, DiskIo>,
    /// What each process that is not the runner's asked of the object store, if it says so.
    pub requests_by_process: BTreeMap<String, Requests>,
    /// Latencies of calls from the database to its parts.
    pub part_latencies: BTreeMap<&'static str, Latency>,
    /// Bytes written to the disk for a byte put.
    pub disk_write_amplification: Option<f64>,
    /// Bytes in store at the end.
    pub stored_bytes: Option<u64>,
    /// Bytes of the keys and values that are there, if known.
    pub live_bytes: Option<u64>,
    /// Stored for a live byte; compression makes it small.
    pub space_amplification: Option<f64>,
    /// Resident memory of the process at its highest.
    pub resident_bytes_max: u64,
    /// Longest time without an operation's end, to 20 ms.
    pub longest_stall_s: f64,
    /// Whole seconds in which no operation ended.
    pub seconds_without_progress: u64,
    /// Median in microseconds of a bare synced write to the same disk, before a phase of
    /// one caller's puts.
    pub fsync_p50_us: Option<f64>,
    /// What it would cost.
    pub cost: Option<Cost>,
    /// Second by second.
    pub points: Vec<Point>,
    /// Operations in a second of every round, or seconds for phases without, if
    /// there were several; the rest is of the middle one.
    pub rounds: Vec<f64>,
    /// Why it ended early.
    pub error: Option<String>,
}

impl PhaseResult {
    pub(crate) fn empty(phase: &Phase) -> Self {
        Self {
            name: phase.name.clone(),
            kind: phase.kind,
            shape: String::new(),
            elapsed_s: 0.0,
            ops: 0,
            ops_per_s: 0.0,
            rate_wanted: None,
            late_ops: 0,
            latency: None,
            latency_by_op: BTreeMap::new(),
            scanned_entries: 0,
            misses: 0,
            verified: 0,
            cpu_s: 0.0,
            cpu_s_by_part: BTreeMap::new(),
            others_cores: 0.0,
            ops_per_cpu_s: 0.0,
            counters: Counters::default(),
            user_bytes: 0,
            write_amplification: None,
            disk: DiskIo::default(),
            disk_by_process: BTreeMap::new(),
            requests_by_process: BTreeMap::new(),
            part_latencies: BTreeMap::new(),
            disk_write_amplification: None,
            stored_bytes: None,
            live_bytes: None,
            space_amplification: None,
            resident_bytes_max: 0,
            longest_stall_s: 0.0,
            seconds_without_progress: 0,
            fsync_p50_us: None,
            cost: None,
            points: Vec::new(),
            rounds: Vec::new(),
            error: None,
        }
    }

    fn take(&mut self, sampled: Sampled, config: &Config, work: &Work) {
        let Sampled {
            points,
            total,
            elapsed,
            cpu,
            counters,
            disk,
            disk_by_process,
            part_requests,
            part_latencies,
            longest_stall,
            resident_bytes_max,
        } = sampled;
        self.elapsed_s = elapsed.as_secs_f64();
        self.ops = total.ops_total();
        self.ops_per_s = self.ops as f64 / self.elapsed_s.max(1e-9);
        self.latency = total.latency_of_all();
        let by_op = Op::ALL.iter().filter_map(|op| Some((op.as_str(), total.latency(*op)?)));
        self.latency_by_op = by_op.collect();
        self.scanned_entries = total.entries;
        self.misses = total.misses;
        self.verified = total.verified;
        self.cpu_s = cpu.total.as_secs_f64();
        self.cpu_s_by_part = cpu.groups.iter().map(|(g, t)| (g.clone(), t.as_secs_f64())).collect();
        self.others_cores = cpu.others().as_secs_f64() / self.elapsed_s.max(1e-9);
        self.ops_per_cpu_s = if self.cpu_s > 0.0 { self.ops as f64 / self.cpu_s } else { 0.0 };
        self.user_bytes = total.ops[Op::Put as usize] * config.data.entry_bytes();
        let for_a_byte = |n: u64| (self.user_bytes > 0).then(|| n as f64 / self.user_bytes as f64);
        // Peers do not say what their parts have written.
        self.write_amplification = match counters.written.is_empty() {
            true => None,
            false => for_a_byte(counters.written.values().sum()),
        };
        self.disk_write_amplification = for_a_byte(disk.written);
        self.disk = disk;
        self.disk_by_process = disk_by_process;
        self.requests_by_process = part_requests;
        self.part_latencies = part_latencies;
        self.counters = counters;
        self.resident_bytes_max = resident_bytes_max;
        if self.kind.has_ops() {
            self.longest_stall_s = longest_stall.as_secs_f64();
            let idle = |p: &&Point| p.at_s > 0.0 && p.seconds > 0.95 && p.ops_per_s == 0.0;
            self.seconds_without_progress = points.iter().filter(idle).count() as u64;
            self.late_ops = work.pacer.as_ref().map_or(0, super::pacer::Pacer::late);
        }
        self.points = points;
    }

    /// What all its processes asked of the object store; `None` if there is none.
    #[must_use]
    pub fn requests(&self) -> Option<Requests> {
        let parts = self.requests_by_process.values();
        Some(parts.fold(self.counters.requests?, |all, part| all.and(part)))
    }

    fn take_space(&mut self, stored: Option<u64>, loaded: u64, config: &Config) {
        self.stored_bytes = stored;
        self.live_bytes = (loaded > 0).then(|| loaded * config.data.entry_bytes());
        self.space_amplification = match (stored, self.live_bytes) {
            (Some(stored), Some(live)) => Some(stored as f64 / live as f64),
            _ => None,
        };
    }
}

/// What is known of a target from one phase to the next.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The first so many keys are there.
    pub(super) loaded: u64,
    /// Throughput by phase, for rates that refer to it.
    pub(super) ops_per_s: BTreeMap<String, f64>,
}

/// Runs a phase that is not a reopen. What was measured up to an error is in
/// the result.
pub(super) async fn run_phase(
    config: &Config,
    place: usize,
    name: &str,
    target: &Arc<dyn Target>,
    progress: &mut Progress,
) -> PhaseResult {
    let phase = &config.phases[place];
    let mut result = PhaseResult::empty(phase);
    if let Err(error) = fill(config, place, name, target, progress, &mut result).await {
        result.error = Some(error.to_string());
    }
    progress.ops_per_s.insert(phase.name.clone(), result.ops_per_s);
    result.cost = Cost::of(&result, &config.prices);
    result
}

async fn fill(
    config: &Config,
    place: usize,
    name: &str,
    target: &Arc<dyn Target>,
    progress: &mut Progress,
    result: &mut PhaseResult,
) -> Result<()> {
    let phase = &config.phases[place];
    let rate = match &phase.rate {
        None => None,
        Some(crate::config::Rate::PerSecond(rate)) => Some(*rate),
        Some(crate::config::Rate::Of(of)) => {
            let reached = progress.ops_per_s.get(&of.of).copied().unwrap_or(0.0);
            if reached * of.share < 0.1 {
                let why = format!("phase {:?} reached too little to take a share of", of.of);
                return Err(Error::new(ErrorKind::BadRequest, why));
            }
            Some(reached * of.share)
        }
    };
    result.rate_wanted = rate;
    result.shape = if phase.kind.has_ops() { target.shape(phase.tasks) } else { String::new() };
    let work = Arc::new(Work::new(config, place, phase, progress.loaded, rate));
    let times = Times {
        warmup: Duration::from_secs(phase.warmup_s.into()),
        duration: phase.duration_s.map(|s| Duration::from_secs(s.into())),
    };
    let bar = progress_bar(name, phase, &work);
    let thread_failed =
        |e| Error::with_source(ErrorKind::Unavailable, "no thread for the sampler", e);
    let sampler = Sampler::start(target, &work, times, bar).map_err(thread_failed)?;
    let ended = step(target, phase, &work).await;
    work.stop();
    // It ends at its next look, which is now.
    let mut sampled = sampler
        .finish()
        .map_err(|_| Error::new(ErrorKind::Internal, "the sampler has panicked"))?;
    let idle = ended.as_ref().copied().unwrap_or_default();
    sampled.elapsed = sampled.elapsed.saturating_sub(idle);
    result.take(sampled, config, &work);
    ended?;
    progress.loaded = work.loaded_after();
    result.take_space(target.stored_bytes().await?, progress.loaded, config);
    Ok(())
}

/// Takes a step; for how long at its end nothing was done any more.
async fn step(target: &Arc<dyn Target>, phase: &Phase, work: &Arc<Work>) -> Result<Duration> {
    let limit = Duration::from_secs(phase.limit_s.into());
    match phase.kind {
        Kind::Flush => target.flush(limit).await?,
        Kind::Settle => return target.settle(limit).await,
        Kind::Reopen => {
            return Err(Error::new(ErrorKind::Internal, "a reopen is not a step"));
        }
        _ => {
            let _pacing = Pacing::start(work)?;
            target.run(work).await?;
        }
    }
    Ok(Duration::ZERO)
}

fn progress_bar(target: &str, phase: &Phase, work: &Work) -> ProgressBar {
    let bar = match (phase.kind.has_ops(), phase.duration_s, work.ops_max) {
        (true, Some(seconds), _) => ProgressBar::new(u64::from(seconds + phase.warmup_s)),
        (true, None, Some(ops)) => ProgressBar::new(ops),
        _ => ProgressBar::new_spinner(),
    };
    let style = "{prefix} {bar:30} {elapsed} {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_prefix(format!("{target:8} {:16}", phase.name));
    bar
}
