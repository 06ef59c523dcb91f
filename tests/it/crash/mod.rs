//! The real process, killed at random points, again and again on the same
//! data. After every kill the next process checks that every acknowledged
//! write is there and that nothing is half there.
//!
//! `FIRN_CRASH_ROUNDS=n` makes a run of `n` kills of each kind,
//! `FIRN_SEED=n` repeats one: the seed decides what is written and when the
//! kill comes, though not what the threads were doing then.

mod child;
mod order;
mod plan;
pub(crate) mod power;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use order::{JournalKind, Known, Order, Report, VARIABLE};

/// Kills of each kind, unless told otherwise.
const ROUNDS: usize = 70;

/// A child that says nothing for so long hangs.
const SILENCE_MAX: Duration = Duration::from_secs(180);

const TASKS: usize = 6;

/// Most steps that a life waits for before it may end: machines differ in how far they get
/// in its time.
const STEPS_AWAITED_MAX: u64 = 24;

/// Turns into the process to be killed if its parent says so.
#[test]
fn child() {
    if let Ok(order) = std::env::var(VARIABLE) {
        child::run(serde_json::from_str(&order).expect("the parent's order"));
    }
}

#[test]
fn local_journal() {
    Crashes::new(JournalKind::Local, false).run();
}

#[test]
fn local_journal_archived_over_a_failing_store() {
    Crashes::new(JournalKind::LocalArchived, true).run();
}

#[test]
fn local_journal_without_power() {
    if let Some(crashes) = Crashes::new(JournalKind::Local, false).with_power_cuts() {
        crashes.run();
    }
}

#[test]
fn object_journal() {
    Crashes::new(JournalKind::Object, false).run();
}

#[test]
fn object_journal_over_a_failing_store() {
    Crashes::new(JournalKind::Object, true).run();
}

#[test]
fn object_journal_without_power() {
    if let Some(crashes) = Crashes::new(JournalKind::Object, false).with_power_cuts() {
        crashes.run();
    }
}

struct Crashes {
    journal: JournalKind,
    faults: bool,
    seed: u64,
    rng: SmallRng,
    dir: tempfile::TempDir,
    /// Cuts the power of the disk under the data, if there is one to cut.
    power: Option<power::Disk>,
    known: Vec<Known>,
    /// Steps acknowledged in all.
    acked: u64,
    ready: usize,
}

impl Crashes {
    fn new(journal: JournalKind, faults: bool) -> Self {
        let seed =
            std::env::var("FIRN_SEED").map_or_else(|_| rand::random(), |s| s.parse().unwrap());
        let dir = tempfile::tempdir().unwrap();
        let rng = SmallRng::seed_from_u64(seed);
        let known = vec![Known::default(); TASKS];
        Self { journal, faults, seed, rng, dir, power: None, known, acked: 0, ready: 0 }
    }

    /// The data on a disk of their own whose power is cut, rather than only
    /// the process killed. `None` where this machine does not allow it.
    fn with_power_cuts(mut self) -> Option<Self> {
        self.power = Some(power::Disk::new(self.dir.path())?);
        Some(self)
    }

    fn run(mut self) {
        let rounds = std::env::var("FIRN_CRASH_ROUNDS").map_or(ROUNDS, |n| n.parse().unwrap());
        eprintln!("{:?}, faults: {}: FIRN_SEED={}", self.journal, self.faults, self.seed);
        for round in 0..rounds {
            if let Err(why) = self.round() {
                let log = std::fs::read_to_string(self.log()).unwrap_or_default();
                let kept = self.dir.keep();
                panic!(
                    "round {round}, FIRN_SEED={}: {why}\ndata: {}\n{log}",
                    self.seed,
                    kept.display()
                );
            }
        }
        eprintln!("{} steps acknowledged, {} of {rounds} lives wrote", self.acked, self.ready);
        assert!(self.ready * 2 > rounds, "most lives were too short to write");
        assert!(self.acked > rounds as u64 * 10, "hardly anything was written");
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("stderr")
    }

    /// One life of the process.
    fn round(&mut self) -> Result<(), String> {
        let close = self.rng.random_bool(0.1).then(|| self.rng.random_range(0..100));
        let root = self.power.as_ref().map_or(self.dir.path(), power::Disk::path);
        let order = Order {
            dir: root.join("data"),
            journal: self.journal,
            chance: self.rng.random(),
            faults: self.faults,
            seed: self.seed,
            tasks: self.known.clone(),
            close_after_ms: close,
        };
        let mut child = spawn(&order, &self.log());
        let reports = listen(&mut child);
        // Some die while they open and check, most while they write.
        let early = self.rng.random_bool(0.2);
        let life = Duration::from_micros(self.rng.random_range(0..150_000));
        let mut end = (early && close.is_none()).then(|| Instant::now() + life);
        let mut awaited = self.acked;
        if !early {
            awaited += self.rng.random_range(0..STEPS_AWAITED_MAX);
        }
        let broken = loop {
            let due = end.filter(|_| self.acked >= awaited);
            let wait = due.map_or(SILENCE_MAX, |end| end.saturating_duration_since(Instant::now()));
            match reports.recv_timeout(wait) {
                Ok(Report::Broken { why }) => break Some(why),
                Ok(Report::Ready) => {
                    self.ready += 1;
                    if close.is_none() {
                        end = Some(Instant::now() + life);
                    }
                }
                Ok(report) => {
                    if matches!(report, Report::Ended { .. }) {
                        // Perhaps nobody writes any more.
                        awaited = 0;
                    }
                    self.learn(&report);
                }
                Err(RecvTimeoutError::Timeout) if due.is_some() => break None,
                Err(RecvTimeoutError::Timeout) => break Some("the process hangs".into()),
                Err(RecvTimeoutError::Disconnected) if close.is_some() => break None,
                Err(RecvTimeoutError::Disconnected) => break Some("the process has ended".into()),
            }
        };
        if let Some(disk) = &self.power {
            disk.cut()?;
        }
        // SIGKILL; it may have ended by itself by now.
        let _ = child.kill();
        let status = child.wait().map_err(|e| e.to_string())?;
        if let Some(disk) = &mut self.power {
            disk.restore()?;
        }
        // What was in the pipe at its death counts.
        let mut broken = broken;
        for report in reports {
            match report {
                // What it met after its disk was gone.
                Report::Broken { .. } if self.power.is_some() => {}
                Report::Broken { why } => broken = Some(why),
                report => self.learn(&report),
            }
        }
        match broken {
            Some(why) => Err(format!("{why} ({status})")),
            None if close.is_some() && status.code().is_some_and(|c| c != 0) => {
                Err(format!("ended with {status}"))
            }
            None => Ok(()),
        }
    }

    fn learn(&mut self, report: &Report) {
        match report {
            Report::Verified { task, steps } => {
                self.known[*task] = Known { acked: *steps, begun: *steps };
            }
            Report::Begun { task, step } => self.known[*task].begun = *step,
            Report::Acked { task, step } => {
                self.known[*task].acked = *step;
                self.acked += 1;
            }
            Report::Ended { .. } | Report::Ready | Report::Broken { .. } => {}
        }
    }
}

fn spawn(order: &Order, log: &Path) -> Child {
    let log = std::fs::File::create(log).unwrap();
    // Not by its name: a build may have put another program there by now.
    Command::new("/proc/self/exe")
        .args(["--exact", "crash::child", "--nocapture"])
        .env(VARIABLE, serde_json::to_string(order).unwrap())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// The child's reports; ends with the child.
fn listen(child: &mut Child) -> Receiver<Report> {
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let (sender, reports) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in lines {
            let Ok(line) = line else { return };
            // The test harness prints there as well.
            if let Ok(report) = serde_json::from_str(&line)
                && sender.send(report).is_err()
            {
                return;
            }
        }
    });
    reports
}
