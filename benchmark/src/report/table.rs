//! What is printed on the terminal.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use firn_engine::{Error, ErrorKind, Result};

use super::{GoalResult, Report};
use crate::run::{PROCESS, PhaseResult};

pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|e| Error::with_source(ErrorKind::Unavailable, "standard output", e))
}

/// A count in few characters: `1.23 M`.
pub(crate) fn short(n: f64) -> String {
    let (n, unit) = match n.abs() {
        x if x >= 1e9 => (n / 1e9, " G"),
        x if x >= 1e6 => (n / 1e6, " M"),
        x if x >= 1e4 => (n / 1e3, " k"),
        _ => (n, ""),
    };
    let digits = match n.abs() {
        x if x >= 100.0 || x == 0.0 => 0,
        x if x >= 10.0 => 1,
        _ => 2,
    };
    format!("{n:.digits$}{unit}")
}

/// A latency with its unit.
pub(crate) fn time(us: f64) -> String {
    match us {
        x if x >= 1e6 => format!("{:.2} s", us / 1e6),
        x if x >= 1e4 => format!("{:.1} ms", us / 1e3),
        x if x >= 1e3 => format!("{:.2} ms", us / 1e3),
        x if x >= 10.0 => format!("{us:.0} µs"),
        _ => format!("{us:.2} µs"),
    }
}

/// Bytes with their unit.
pub(super) fn bytes(n: f64) -> String {
    match n {
        x if x >= 1e9 => format!("{:.2} GB", n / 1e9),
        x if x >= 1e6 => format!("{:.1} MB", n / 1e6),
        x if x >= 1e3 => format!("{:.1} kB", n / 1e3),
        _ => format!("{n:.0} B"),
    }
}

pub(super) fn machine_line(report: &Report) -> String {
    let m = &report.machine;
    format!(
        "{} cores of {}, {}, Linux {}, {}",
        m.cores,
        m.cpu,
        bytes(m.memory_bytes as f64),
        m.kernel,
        m.file_system
    )
}

pub(crate) fn print_header(report: &Report) -> Result<()> {
    let mut text = format!("{}\n", report.name);
    if !report.about.is_empty() {
        let _ = writeln!(text, "{}", report.about.trim());
    }
    let _ = writeln!(text, "machine: {}", machine_line(report));
    let _ = writeln!(text, "commit:  {}; seed {}", report.commit, report.seed);
    let cost = &report.runner_cost;
    let _ = writeln!(
        text,
        "runner:  {:.0} ns a get, {:.0} ns a put, on an engine that does nothing",
        cost.get_ns, cost.put_ns
    );
    for label in &report.labels {
        let _ = writeln!(text, "*** {label} ***");
    }
    print(&text)
}

/// One line as soon as a phase has ended.
pub(crate) fn print_phase(target: &str, phase: &PhaseResult) -> Result<()> {
    let mut line = format!("{target:8} {:16} {:8.1} s", phase.name, phase.elapsed_s);
    if phase.ops > 0 {
        let _ = write!(line, "  {:>8}/s", short(phase.ops_per_s));
    }
    if let Some(l) = &phase.latency {
        let _ = write!(line, "  p50 {}  p99 {}", time(l.p50_us), time(l.p99_us));
    }
    if let Some(error) = &phase.error {
        let _ = write!(line, "  FAILED: {error}");
    }
    line.push('\n');
    print(&line)
}

const HEAD: [&str; 15] = [
    "phase",
    "target",
    "how",
    "ops/s",
    "ops/CPU s",
    "cores",
    "p50",
    "p95",
    "p99",
    "p99.9",
    "max",
    "w-amp",
    "disk w-amp",
    "space",
    "$/M ops",
];

pub(super) fn head() -> &'static [&'static str] {
    &HEAD
}

/// The figures of one phase on one target, one for each column.
pub(super) fn row(target: &str, phase: &PhaseResult) -> Vec<String> {
    let dash = || "-".to_owned();
    let mut row = vec![phase.name.clone(), target.to_owned(), phase.shape.clone()];
    if phase.ops > 0 {
        row.push(short(phase.ops_per_s));
        row.push(short(phase.ops_per_cpu_s));
    } else {
        row.push(format!("{:.3} s", phase.elapsed_s));
        row.push(dash());
    }
    row.push(format!("{:.2}", phase.cpu_s / phase.elapsed_s.max(1e-9)));
    match &phase.latency {
        Some(l) => {
            row.extend([l.p50_us, l.p95_us, l.p99_us, l.p999_us, l.max_us].map(time));
        }
        None => row.extend((0..5).map(|_| dash())),
    }
    let factor = |n: Option<f64>| n.map_or_else(dash, |n| format!("{n:.2}"));
    row.push(factor(phase.write_amplification));
    row.push(factor(phase.disk_write_amplification));
    row.push(factor(phase.space_amplification));
    row.push(phase.cost.map_or_else(dash, |cost| format!("{:.4}", cost.per_million_ops)));
    row
}

/// Phases in order, and for each of them its targets.
pub(super) fn rows(report: &Report) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for phase in &report.effective.phases {
        for target in &report.targets {
            if let Some(result) = target.phases.iter().find(|p| p.name == phase.name) {
                rows.push(row(&target.name, result));
            }
        }
    }
    rows
}

/// Things that a reader of a phase's figures should know besides.
pub(super) fn remarks(phase: &PhaseResult) -> Vec<String> {
    let mut remarks = Vec::new();
    if !phase.rounds.is_empty() {
        let all: Vec<String> = phase.rounds.iter().map(|n| short(*n)).collect();
        let what = if phase.ops > 0 { "operations/s" } else { "seconds" };
        remarks.push(format!("middle of rounds with {} {what}", all.join(", ")));
    }
    if let Some(rate) = phase.rate_wanted {
        let mut line = format!("{} operations/s were asked for", short(rate));
        if phase.late_ops > 0 {
            let _ = write!(line, ", and {} never began", phase.late_ops);
        }
        remarks.push(line);
    }
    // Short phases are too short for counts of hundredths of a second.
    if phase.others_cores > 0.1 && phase.elapsed_s > 1.0 {
        let cores = phase.others_cores;
        remarks.push(format!("OTHERS USED {cores:.1} CORES of this machine meanwhile"));
    }
    if let Some(floor) = phase.fsync_p50_us {
        remarks.push(format!("a bare synced write to the same disk takes {}", time(floor)));
    }
    if phase.seconds_without_progress > 0 {
        remarks.push(format!("{} SECONDS WITHOUT PROGRESS", phase.seconds_without_progress));
    }
    if phase.longest_stall_s >= 0.2 {
        remarks.push(format!("longest stall {:.2} s", phase.longest_stall_s));
    }
    if phase.misses > 0 {
        remarks.push(format!("{} gets of keys that were never put", phase.misses));
    }
    let merged = phase.counters.compaction_bytes_in as f64;
    if merged > 0.0 {
        let mut line = format!("compactions read {}", bytes(merged));
        let raw = phase.counters.counts.get("compaction raw bytes in").copied().unwrap_or(0);
        if raw > 0 {
            let _ = write!(line, " ({} of keys and values)", bytes(raw as f64));
        }
        if phase.ops == 0 && phase.cpu_s > 0.0 {
            let _ = write!(line, ", {} for a CPU second", bytes(merged / phase.cpu_s));
        }
        remarks.push(line);
    }
    remarks.extend(by_part(phase));
    if phase.verified > 0 {
        remarks.push(format!("{} reads checked byte by byte", phase.verified));
    }
    if let Some(error) = &phase.error {
        remarks.push(format!("FAILED: {error}"));
    }
    remarks
}

/// What each process had of the machine, and how long the database waited for its parts.
fn by_part(phase: &PhaseResult) -> Vec<String> {
    let mut lines = Vec::new();
    let cores = |seconds: f64| seconds / phase.elapsed_s.max(1e-9);
    let parts = phase.cpu_s_by_part.iter();
    let processes: Vec<(&str, f64)> =
        parts.filter_map(|(part, seconds)| Some((part.strip_prefix(PROCESS)?, *seconds))).collect();
    if !processes.is_empty() {
        let own = phase.cpu_s - processes.iter().map(|(_, seconds)| seconds).sum::<f64>();
        let mut line = format!("cores: {:.2} here", cores(own));
        for (process, seconds) in &processes {
            let _ = write!(line, ", {:.2} {process}", cores(*seconds));
        }
        lines.push(line);
        let disk = phase.disk_by_process.iter().filter(|(_, disk)| disk.read + disk.written > 0);
        let disk: Vec<String> = disk
            .map(|(process, disk)| {
                let [read, written] = [disk.read, disk.written].map(|n| bytes(n as f64));
                format!("{process} {read} and {written}")
            })
            .collect();
        if !disk.is_empty() {
            lines.push(format!("read from and written to the disk: {}", disk.join(", ")));
        }
    }
    let asked = phase.requests_by_process.iter();
    let asked: Vec<String> = asked
        .filter(|(_, r)| r.puts + r.gets + r.lists + r.deletes > 0)
        .map(|(process, r)| format!("{process} {} puts and {} gets", r.puts + r.lists, r.gets))
        .collect();
    if let (false, Some(own)) = (asked.is_empty(), &phase.counters.requests) {
        lines.push(format!(
            "requests to the object store: {} puts and {} gets here, {}",
            own.puts + own.lists,
            own.gets,
            asked.join(", ")
        ));
    }
    for (call, l) in &phase.part_latencies {
        lines.push(format!(
            "{} times {call}: p50 {}, p99 {}, at most {}",
            short(l.calls as f64),
            time(l.p50_us),
            time(l.p99_us),
            time(l.max_us)
        ));
    }
    lines
}

pub(crate) fn goal_line(goal: &GoalResult) -> String {
    let verdict = match goal.reached {
        Some(true) => "reached",
        Some(false) => "MISSED",
        None => "NOT MEASURED",
    };
    let figure = goal.measured.map_or_else(String::new, |n| format!(": {}", short(n)));
    format!("{verdict}  {}{figure}", goal.text)
}

pub(crate) fn print_results(report: &Report, html: &Path) -> Result<()> {
    let rows = rows(report);
    let head: Vec<String> = head().iter().map(|h| (*h).to_owned()).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::from("\n");
    for row in std::iter::once(&head).chain(&rows) {
        for (column, cell) in row.iter().enumerate() {
            // Words to the left, figures to the right.
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let _ = if column < 3 {
                write!(text, "{cell}{pad}  ")
            } else {
                write!(text, "{pad}{cell}  ")
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text.push('\n');
    for target in &report.targets {
        for phase in &target.phases {
            for remark in remarks(phase) {
                let _ = writeln!(text, "{}, {}: {remark}", target.name, phase.name);
            }
        }
        if let Some(error) = &target.error {
            let _ = writeln!(text, "{}: FAILED: {error}", target.name);
        }
    }
    for goal in &report.goals {
        let _ = writeln!(text, "{}", goal_line(goal));
    }
    for label in &report.labels {
        let _ = writeln!(text, "*** {label} ***");
    }
    let _ = writeln!(text, "report: {}", html.display());
    print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_their_size() {
        for (n, want) in [(0.0, "0"), (7.0, "7.00"), (42.5, "42.5"), (9_999.0, "9999")] {
            assert_eq!(short(n), want);
        }
        assert_eq!(short(69_600.0), "69.6 k");
        assert_eq!(short(1_230_000.0), "1.23 M");
        assert_eq!(time(0.6), "0.60 µs");
        assert_eq!(time(12_345.0), "12.3 ms");
        assert_eq!(bytes(2.5e9), "2.50 GB");
    }
}
