//! Processor time, from `/proc`.
//!
//! Threads are grouped by name without their numbers, so that the parts of a
//! target can be told apart: its runtimes, its journal, its merges. Threads
//! that have ended are in the process's total only.

use std::collections::BTreeMap;
use std::time::Duration;

/// Processor time used so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cpu {
    /// By the whole process, ended threads included.
    pub total: Duration,
    /// By living threads, by group.
    pub groups: BTreeMap<String, Duration>,
    /// By all processes of the machine, and what its host has taken from it.
    pub machine: Duration,
}

/// Name of what living threads do not account for.
pub const ENDED: &str = "(ended threads)";

/// Linux counts `utime` and `stime` in hundredths of a second on every machine.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of this process; zeroes where `/proc` cannot say.
#[must_use]
pub fn now() -> Cpu {
    let total = total("self").unwrap_or_default();
    let mut groups = BTreeMap::new();
    for entry in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file: &str| std::fs::read_to_string(entry.path().join(file));
        // A thread may end between the listing and the reading.
        let (Ok(name), Ok(stat)) = (read("comm"), read("schedstat")) else { continue };
        if name.trim() == LEFT {
            continue;
        }
        let nanos = stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        *groups.entry(group_of(name.trim())).or_insert(Duration::ZERO) +=
            Duration::from_nanos(nanos);
    }
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    Cpu { total, groups, machine: machine(&stat).unwrap_or_default() }
}

/// From the line `cpu user nice system idle iowait irq softirq steal …`.
fn machine(stat: &str) -> Option<Duration> {
    let ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u32> = ticks.take(8).map(|n| n.parse().ok()).collect::<Option<_>>()?;
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some(TICK * (ticks.iter().sum::<u32>() - idle))
}

/// Processor time of another process; zero where `/proc` cannot say.
#[must_use]
pub fn of_process(pid: u32) -> Duration {
    total(&pid.to_string()).unwrap_or_default()
}

fn total(process: &str) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; fields are counted after it.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let utime: u32 = fields.nth(11)?.parse().ok()?;
    let stime: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (utime + stime))
}

/// Processor time of the calling thread, which is about to end. From here on
/// it is left out of its group: the caller keeps account of it.
#[must_use]
pub fn leave() -> Duration {
    // It may be listed for a while after it has told.
    let _ = std::fs::write("/proc/thread-self/comm", LEFT);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
}

/// Name of a thread that has called [`leave`].
const LEFT: &str = "left";

/// A thread's name without its number.
fn group_of(name: &str) -> String {
    let end = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let end = end.trim_end_matches(['-', '_', ':', '#', '/', ' ']);
    if end.is_empty() { name.to_owned() } else { end.to_owned() }
}

/// Resident memory of this process in bytes, now; 0 where `/proc` cannot say.
#[must_use]
pub fn resident_bytes() -> u64 {
    resident("self")
}

/// The same of another process.
#[must_use]
pub fn resident_bytes_of(pid: u32) -> u64 {
    resident(&pid.to_string())
}

fn resident(process: &str) -> u64 {
    let field = |line: &str| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok();
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status.lines().find_map(field).map_or(0, |kib: u64| kib << 10)
}

impl Cpu {
    /// Time that other processes, or other machines on the same host, had.
    #[must_use]
    pub fn others(&self) -> Duration {
        self.machine.saturating_sub(self.total)
    }

    /// Time used since `earlier`. What threads that ended meanwhile have used
    /// stands under [`ENDED`].
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let total = self.total.saturating_sub(earlier.total);
        let mut groups: BTreeMap<String, Duration> = BTreeMap::new();
        let mut sum = Duration::ZERO;
        for (name, time) in &self.groups {
            let before = earlier.groups.get(name).copied().unwrap_or_default();
            let used = time.saturating_sub(before);
            sum += used;
            if used >= TICK {
                groups.insert(name.clone(), used);
            }
        }
        let ended = total.saturating_sub(sum);
        // The total is counted in ticks, the threads in nanoseconds.
        if ended > TICK * 10 && ended > total / 50 {
            groups.insert(ENDED.to_owned(), ended);
        }
        let machine = self.machine.saturating_sub(earlier.machine);
        Self { total, groups, machine }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn what_others_use_is_the_rest_of_the_machine() {
        let text = "cpu  100 1 50 9999 8888 2 3 40 0 0\ncpu0 1 1\n";
        assert_eq!(machine(text), Some(TICK * 196));
        assert_eq!(machine("cpu  1 2 x"), None);
        let cpu = Cpu { total: TICK * 96, machine: TICK * 196, ..Cpu::default() };
        assert_eq!(cpu.others(), Duration::from_secs(1));
    }

    #[test]
    fn names_without_numbers() {
        for (name, want) in [
            ("tokio-rt-worker", "tokio-rt-worker"),
            ("firn-fg-12", "firn-fg"),
            ("rocksdb:low0", "rocksdb:low"),
            ("bench 7", "bench"),
            ("42", "42"),
        ] {
            assert_eq!(group_of(name), want);
        }
    }

    #[test]
    fn time_spent_here_is_counted_here() {
        let before = now();
        let enough = Duration::from_millis(50);
        let worker = std::thread::Builder::new().name("burner-1".into()).spawn(move || {
            let start = Instant::now();
            loop {
                let during = now().since(&before);
                let burnt = during.groups.get("burner").copied().unwrap_or_default();
                if burnt >= enough || start.elapsed() > Duration::from_secs(30) {
                    return during;
                }
            }
        });
        let during = worker.unwrap().join().unwrap();
        let burnt = during.groups["burner"];
        assert!(burnt >= enough, "{burnt:?}");
        assert!(during.total + TICK * 2 >= burnt);
        std::thread::scope(|scope| {
            let left = std::thread::Builder::new().name("leaver-1".into());
            let (told, tell) = std::sync::mpsc::channel();
            let (end, ended) = std::sync::mpsc::channel::<()>();
            left.spawn_scoped(scope, move || {
                told.send(leave()).unwrap();
                let _ = ended.recv();
            })
            .unwrap();
            // The kernel may not have counted its first moments yet.
            let _used = tell.recv().unwrap();
            assert!(!now().groups.contains_key("leaver"), "it would be counted twice");
            drop(end);
        });
        assert!(resident_bytes() > 1 << 20);
    }
}
