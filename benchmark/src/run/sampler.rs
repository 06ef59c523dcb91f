//! Watches a phase from a thread of its own, second by second.
//!
//! A thread and not a task: tasks that never wait would keep it from running,
//! and a target that blocks its runtime is just what it must see.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde::Serialize;

use super::work::Work;
use super::worker::CALLER;
use crate::engine::Target;
use crate::measure::cpu::{self, Cpu};
use crate::measure::{Counters, DiskIo, Latency, Recorded, Requests, disk_io, disk_io_of};

/// Time between looks at the counts.
const LOOK: Duration = Duration::from_millis(20);

/// Time between points of the plots.
const SECOND: Duration = Duration::from_secs(1);

/// One second, or what is left of it at the end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Its end, in seconds since the phase's start; those of the warm-up are
    /// before zero.
    pub at_s: f64,
    /// Its length.
    pub seconds: f64,
    /// Operations in a second.
    pub ops_per_s: f64,
    /// Latencies; `None` if nothing ended.
    pub latency: Option<Latency>,
    /// Cores in use.
    pub cores: f64,
    /// Resident memory at its end.
    pub resident_bytes: u64,
    /// Bytes that all parts wrote, in a second.
    pub written_per_s: f64,
    /// Bytes that compactions read, in a second.
    pub compaction_in_per_s: f64,
    /// Bytes that went to the disk, in a second.
    pub disk_written_per_s: f64,
    /// Bytes that came from the disk, in a second.
    pub disk_read_per_s: f64,
    /// Requests to the object store, in a second.
    pub requests_per_s: f64,
    /// Why writers were slowed down at its end.
    pub pressure: Option<String>,
}

/// What a phase came to, the warm-up left out.
#[derive(Debug)]
pub(super) struct Sampled {
    pub(super) points: Vec<Point>,
    pub(super) total: Recorded,
    pub(super) elapsed: Duration,
    pub(super) cpu: Cpu,
    pub(super) counters: Counters,
    pub(super) disk: DiskIo,
    /// Of each of the target's processes.
    pub(super) disk_by_process: BTreeMap<String, DiskIo>,
    /// Of those of them that say it.
    pub(super) part_requests: BTreeMap<String, Requests>,
    pub(super) part_latencies: BTreeMap<&'static str, Latency>,
    /// Longest time in which no operation ended, to [`LOOK`].
    pub(super) longest_stall: Duration,
    pub(super) resident_bytes_max: u64,
}

/// A running sampler.
pub(super) struct Sampler {
    thread: std::thread::JoinHandle<Sampled>,
    done: Arc<AtomicBool>,
}

/// When a phase counts, and when it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) warmup: Duration,
    /// From the warm-up's end; `None` if operations decide.
    pub(super) duration: Option<Duration>,
}

impl Sampler {
    /// Starts to watch `work` on `target`. What is counted from here on, counts:
    /// call it right before the work begins.
    pub(super) fn start(
        target: &Arc<dyn Target>,
        work: &Arc<Work>,
        times: Times,
        bar: ProgressBar,
    ) -> std::io::Result<Self> {
        let done = Arc::new(AtomicBool::new(false));
        let watch = Watch::new(Arc::clone(target), Arc::clone(work), times, bar);
        let stop = Arc::clone(&done);
        // Not in the thread: by the time that runs, much may have been done.
        drop(target.part_latencies());
        let asked = target.part_requests();
        let start = Baseline::now(&**target, work);
        let body = move || watch.run(start, asked, &stop);
        let thread = std::thread::Builder::new().name("bench-sampler".into()).spawn(body)?;
        Ok(Self { thread, done })
    }

    /// To be called when all workers have ended.
    pub(super) fn finish(self) -> std::thread::Result<Sampled> {
        self.done.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join()
    }
}

/// What the names of processes are told apart by from those of threads.
pub(crate) const PROCESS: &str = "process ";

/// What the last point, or the start, left.
#[derive(Clone)]
struct Baseline {
    at: Instant,
    cpu: Cpu,
    disk: DiskIo,
    disk_by_process: BTreeMap<String, DiskIo>,
    counters: Counters,
}

impl Baseline {
    fn now(target: &dyn Target, work: &Work) -> Self {
        let mut cpu = cpu::now();
        let ended = work.ended_callers_ns.load(Ordering::Relaxed);
        if ended > 0 {
            // Those threads are in the total, but not among the living.
            *cpu.groups.entry(CALLER.to_owned()).or_default() += Duration::from_nanos(ended);
        }
        let (mut disk, mut disk_by_process) = (disk_io(), BTreeMap::new());
        for (name, pid) in target.processes() {
            let used = cpu::of_process(pid);
            cpu.total += used;
            cpu.groups.insert(format!("{PROCESS}{name}"), used);
            let of_it = disk_io_of(pid);
            disk = disk.plus(&of_it);
            disk_by_process.insert(name, of_it);
        }
        let counters = target.counters();
        Self { at: Instant::now(), cpu, disk, disk_by_process, counters }
    }
}

/// Of all the target's processes.
pub(super) fn resident_bytes(target: &dyn Target) -> u64 {
    let others = target.processes();
    let others = others.iter().map(|(_, pid)| cpu::resident_bytes_of(*pid));
    cpu::resident_bytes() + others.sum::<u64>()
}

struct Watch {
    target: Arc<dyn Target>,
    work: Arc<Work>,
    times: Times,
    bar: ProgressBar,
    points: Vec<Point>,
    total: Recorded,
    /// Operations of the warm-up too.
    ops: u64,
    resident_bytes_max: u64,
    longest_stall: Duration,
    last_progress: (Instant, u64),
}

impl Watch {
    fn new(target: Arc<dyn Target>, work: Arc<Work>, times: Times, bar: ProgressBar) -> Self {
        Self {
            target,
            work,
            times,
            bar,
            points: Vec::new(),
            total: Recorded::default(),
            ops: 0,
            resident_bytes_max: 0,
            longest_stall: Duration::ZERO,
            last_progress: (Instant::now(), 0),
        }
    }

    fn run(
        mut self,
        mut start: Baseline,
        mut asked: BTreeMap<String, Requests>,
        done: &AtomicBool,
    ) -> Sampled {
        let began = start.at;
        // Where zero is on the plots; the warm-up lies before.
        let zero = began + self.times.warmup;
        let mut warming = !self.times.warmup.is_zero();
        let mut last = start.clone();
        loop {
            let finished = done.load(Ordering::Acquire);
            let now = Instant::now();
            self.look(now);
            let warm_now = warming && now >= zero;
            if finished || warm_now || now - last.at >= SECOND {
                last = self.point(last, zero);
            }
            if warm_now {
                warming = false;
                self.total = Recorded::default();
                drop(self.target.part_latencies());
                asked = self.target.part_requests();
                self.longest_stall = Duration::ZERO;
                self.last_progress.0 = last.at;
                start = last.clone();
            }
            if finished {
                break;
            }
            if self.times.duration.is_some_and(|d| now >= zero + d) {
                self.work.stop();
            }
            std::thread::park_timeout(LOOK);
        }
        self.bar.finish_and_clear();
        Sampled {
            points: self.points,
            total: self.total,
            elapsed: last.at.duration_since(start.at),
            cpu: last.cpu.since(&start.cpu),
            counters: last.counters.since(&start.counters),
            disk: last.disk.since(&start.disk),
            disk_by_process: {
                let before = |name| start.disk_by_process.get(name).copied().unwrap_or_default();
                let now = last.disk_by_process.iter();
                now.map(|(name, disk)| (name.clone(), disk.since(&before(name)))).collect()
            },
            part_requests: {
                let before = |name: &str| asked.get(name).copied().unwrap_or_default();
                let now = self.target.part_requests().into_iter();
                now.map(|(name, of)| (name.clone(), of.since(&before(&name)))).collect()
            },
            part_latencies: self.target.part_latencies(),
            longest_stall: self.longest_stall,
            resident_bytes_max: self.resident_bytes_max,
        }
    }

    /// Looks whether something has ended since the last time.
    fn look(&mut self, now: Instant) {
        let ops = self.ops + self.work.recorder.pending_ops();
        let (since, before) = self.last_progress;
        if ops != before {
            self.last_progress = (now, ops);
        } else if !self.work.is_stopped() {
            self.longest_stall = self.longest_stall.max(now.duration_since(since));
        }
        self.resident_bytes_max = self.resident_bytes_max.max(resident_bytes(&*self.target));
        match self.times.duration {
            Some(_) => self.bar.tick(),
            None => self.bar.set_position(ops),
        }
    }

    /// Ends a second.
    fn point(&mut self, last: Baseline, zero: Instant) -> Baseline {
        let recorded = self.work.recorder.drain();
        let now = Baseline::now(&*self.target, &self.work);
        let seconds = now.at.duration_since(last.at).as_secs_f64().max(1e-9);
        let counters = now.counters.since(&last.counters);
        let disk = now.disk.since(&last.disk);
        let at_s = if now.at >= zero {
            now.at.duration_since(zero).as_secs_f64()
        } else {
            -zero.duration_since(now.at).as_secs_f64()
        };
        let requests = counters.requests.map_or(0, |r| r.puts + r.gets + r.lists + r.deletes);
        let point = Point {
            at_s,
            seconds,
            ops_per_s: recorded.ops_total() as f64 / seconds,
            latency: recorded.latency_of_all(),
            cores: now.cpu.since(&last.cpu).total.as_secs_f64() / seconds,
            resident_bytes: resident_bytes(&*self.target),
            written_per_s: counters.written.values().sum::<u64>() as f64 / seconds,
            compaction_in_per_s: counters.compaction_bytes_in as f64 / seconds,
            disk_written_per_s: disk.written as f64 / seconds,
            disk_read_per_s: disk.read as f64 / seconds,
            requests_per_s: requests as f64 / seconds,
            pressure: counters.pressure,
        };
        let p99 = point.latency.map_or(0.0, |l| l.p99_us);
        self.bar.set_message(format!("{:.0}/s, p99 {p99:.0} µs", point.ops_per_s));
        if let Some(duration) = self.times.duration {
            let all = self.times.warmup + duration;
            self.bar.set_length(all.as_secs());
            self.bar.set_position((at_s + self.times.warmup.as_secs_f64()).round() as u64);
        }
        self.points.push(point);
        self.ops += recorded.ops_total();
        self.total.add(&recorded);
        now
    }
}
