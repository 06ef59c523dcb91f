//! What a workload over MySQL's protocol has measured, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use firn_engine::{Error, ErrorKind, Result};
use serde::Serialize;

use super::config::{Goal, Measure, MysqlConfig, Protocol};
use super::drive::Measured;
use crate::measure::Machine;
use crate::report::{GoalResult, STYLE, escape, goal_line, print, short, time, utc};

/// Everything about one run.
#[derive(Debug, Clone, Serialize)]
pub struct MysqlReport {
    /// The workload's name.
    pub name: String,
    /// What question it answers.
    pub about: String,
    /// The YAML as it was read.
    pub config: String,
    /// The same with all defaults filled in; without passwords.
    pub effective: MysqlConfig,
    /// The source that was built.
    pub commit: String,
    /// Where it ran.
    pub machine: Machine,
    /// When it began, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// What a reader must know before any figure.
    pub labels: Vec<String>,
    /// The servers, in the workload's order.
    pub servers: Vec<ServerFacts>,
    /// Of each phase, number of connections and server the middle round.
    pub rows: Vec<Row>,
    /// What should have been reached.
    pub goals: Vec<GoalResult>,
    /// What went wrong outside of measurements.
    pub errors: Vec<String>,
}

/// What a server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ServerFacts {
    /// Its name in the workload.
    pub name: String,
    /// Variables that matter for the figures.
    pub settings: Vec<(String, String)>,
    /// How long its tables took to be made and filled, seconds.
    pub prepare_s: f64,
    /// Resident memory after that, bytes.
    pub resident_bytes_after_prepare: Option<u64>,
}

impl ServerFacts {
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// One measurement, or the middle one of several.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Row {
    /// The phase.
    pub phase: String,
    /// Connections at once.
    pub threads: u32,
    /// `prepared` or `text`.
    pub protocol: Protocol,
    /// The server.
    pub server: String,
    /// Seconds that counted.
    pub elapsed_s: f64,
    /// Transactions, or statements that are their own, that ended well.
    pub events: u64,
    /// The same in a second.
    pub events_per_s: f64,
    /// Statements in a second, BEGIN and COMMIT included.
    pub queries_per_s: f64,
    /// Average latency of an event, from its first try.
    pub mean_us: f64,
    /// Half were faster.
    pub p50_us: f64,
    /// 95 % were faster.
    pub p95_us: f64,
    /// 99 % were faster.
    pub p99_us: f64,
    /// The slowest.
    pub max_us: f64,
    /// Events tried again, by the error's number.
    pub retries: BTreeMap<u16, u64>,
    /// Processor time of the server for a statement.
    pub server_cpu_us_per_query: Option<f64>,
    /// Cores that the server had.
    pub server_cores: Option<f64>,
    /// Cores that the client had.
    pub client_cores: f64,
    /// Cores that neither had.
    pub others_cores: f64,
    /// Resident memory of the server at its highest, MiB.
    pub resident_mib: Option<f64>,
    /// Median time of a bare synced write to the server's disk right after, microseconds;
    /// with one connection only.
    pub fsync_p50_us: Option<f64>,
    /// Whole seconds in which no event ended.
    pub seconds_without_progress: u64,
    /// Events of each second.
    pub events_by_second: Vec<u64>,
    /// Events a second of every round, if there were several.
    pub rounds: Vec<f64>,
    /// Events a second, divided by those of the workload's second server.
    pub ratio: Option<f64>,
    /// Things to know besides.
    pub remarks: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Row {
    pub(crate) fn take(&mut self, measured: &Measured) {
        let tally = &measured.tally;
        let seconds = measured.elapsed.as_secs_f64().max(1e-9);
        self.elapsed_s = seconds;
        self.events = tally.events;
        self.events_per_s = tally.events as f64 / seconds;
        self.queries_per_s = tally.queries as f64 / seconds;
        self.mean_us = tally.mean_us();
        self.p50_us = tally.quantile_us(0.5);
        self.p95_us = tally.quantile_us(0.95);
        self.p99_us = tally.quantile_us(0.99);
        self.max_us = tally.max_us();
        self.retries.clone_from(&tally.retries);
        for (kind, events, [p50, p95, p99]) in tally.by_kind() {
            self.remarks.push(format!(
                "{kind}: {} a minute, p50 {}, p95 {}, p99 {}",
                short(events as f64 / seconds * 60.0),
                time(p50),
                time(p95),
                time(p99)
            ));
        }
        let server_s = measured.server_cpu.map(|cpu| cpu.as_secs_f64());
        self.server_cores = server_s.map(|s| s / seconds);
        self.server_cpu_us_per_query =
            server_s.filter(|_| tally.queries > 0).map(|s| s * 1e6 / tally.queries as f64);
        self.client_cores = measured.client_cpu.as_secs_f64() / seconds;
        self.others_cores = measured.others_cpu.as_secs_f64() / seconds;
        self.resident_mib = measured.resident_bytes_max.map(|n| n as f64 / f64::from(1 << 20));
        self.seconds_without_progress =
            measured.events_by_second.iter().filter(|n| **n == 0).count() as u64;
        self.events_by_second.clone_from(&measured.events_by_second);
    }

    fn is_of(&self, other: &Self) -> bool {
        self.phase == other.phase && self.threads == other.threads && self.server == other.server
    }

    fn measure(&self, measure: Measure) -> Option<f64> {
        if self.error.is_some() {
            return None;
        }
        match measure {
            Measure::EventsPerS => Some(self.events_per_s),
            Measure::P50Us => Some(self.p50_us),
            Measure::P95Us => Some(self.p95_us),
            Measure::P99Us => Some(self.p99_us),
            Measure::ServerCpuUsPerQuery => self.server_cpu_us_per_query,
            Measure::ResidentMib => self.resident_mib,
            Measure::P50OverFsyncUs => self.fsync_p50_us.map(|floor| self.p50_us - floor),
        }
    }
}

/// Of the rounds of each measurement the middle one, in the order of the
/// first; with its ratio to the server `other`. A round that failed stands for
/// all, so that nothing of it is hidden.
pub(crate) fn middle(all: &[Row], other: Option<&str>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for row in all {
        if rows.iter().any(|known| known.is_of(row)) {
            continue;
        }
        let mut rounds: Vec<&Row> = all.iter().filter(|r| r.is_of(row)).collect();
        let figures: Vec<f64> = rounds.iter().map(|r| r.events_per_s).collect();
        rounds.sort_by(|a, b| a.events_per_s.total_cmp(&b.events_per_s));
        let failed = rounds.iter().find(|r| r.error.is_some());
        let mut chosen = (*failed.unwrap_or(&rounds[(rounds.len() - 1) / 2])).clone();
        if figures.len() > 1 {
            chosen.rounds = figures;
        }
        rows.push(chosen);
    }
    let figures = rows.clone();
    for row in &mut rows {
        let same = |r: &&Row| {
            Some(r.server.as_str()) == other && r.phase == row.phase && r.threads == row.threads
        };
        let its = figures.iter().find(same).filter(|r| r.error.is_none() && r.events_per_s > 0.0);
        row.ratio = its
            .filter(|its| its.server != row.server && row.error.is_none())
            .map(|its| row.events_per_s / its.events_per_s);
    }
    rows
}

pub(crate) fn goals(config: &MysqlConfig, rows: &[Row]) -> Vec<GoalResult> {
    config.goals.iter().map(|goal| judge(goal, config, rows)).collect()
}

fn judge(goal: &Goal, config: &MysqlConfig, rows: &[Row]) -> GoalResult {
    let of = |server: &str| {
        let mut rows = rows.iter().filter(|r| r.phase == goal.phase && r.threads == goal.threads);
        rows.find(|r| r.server == server)?.measure(goal.measure).filter(|n| n.is_finite())
    };
    let first = config.servers.first().map_or("", |server| &server.name);
    let own = of(first);
    let measure = goal.measure.as_str();
    let (what, measured) = match &goal.versus {
        None => (measure.to_owned(), own),
        Some(other) => {
            let ratio =
                own.zip(of(other)).filter(|(_, its)| *its > 0.0).map(|(own, its)| own / its);
            (format!("{measure}, {first} : {other}"), ratio)
        }
    };
    let bounds = [(goal.at_least, "≥"), (goal.at_most, "≤")];
    let bounds: Vec<String> =
        bounds.iter().filter_map(|(n, sign)| Some(format!("{sign} {}", (*n)?))).collect();
    let within = |n: f64| {
        goal.at_least.is_none_or(|min| n >= min) && goal.at_most.is_none_or(|max| n <= max)
    };
    let text = format!("{} × {}: {what} {}", goal.phase, goal.threads, bounds.join(" and "));
    GoalResult { text, measured, reached: measured.map(within) }
}

const HEAD: [&str; 18] = [
    "phase",
    "conns",
    "server",
    "events/s",
    "ratio",
    "queries/s",
    "p50",
    "p95",
    "p99",
    "max",
    "retried",
    "server µs/query",
    "server cores",
    "client cores",
    "others",
    "server MiB",
    "idle s",
    "events",
];

/// Columns whose cells are words.
const WORDS: usize = 3;

fn cells(row: &Row) -> Vec<String> {
    let dash = || "-".to_owned();
    let number = |n: Option<f64>, digits: usize| n.map_or_else(dash, |n| format!("{n:.digits$}"));
    let mut cells = vec![row.phase.clone(), row.threads.to_string(), row.server.clone()];
    if row.error.is_some() {
        cells.push("FAILED".to_owned());
        cells.resize_with(HEAD.len(), dash);
        return cells;
    }
    cells.extend([short(row.events_per_s), number(row.ratio, 2), short(row.queries_per_s)]);
    cells.extend([row.p50_us, row.p95_us, row.p99_us, row.max_us].map(time));
    cells.push(row.retries.values().sum::<u64>().to_string());
    cells.push(number(row.server_cpu_us_per_query, 1));
    cells.push(number(row.server_cores, 2));
    cells.push(format!("{:.2}", row.client_cores));
    cells.push(format!("{:.2}", row.others_cores));
    cells.push(number(row.resident_mib, 0));
    cells.push(row.seconds_without_progress.to_string());
    cells.push(row.events.to_string());
    cells
}

/// What a reader of a row's figures should know besides.
fn remarks(row: &Row) -> Vec<String> {
    let mut remarks = row.remarks.clone();
    if !row.rounds.is_empty() {
        let all: Vec<String> = row.rounds.iter().map(|n| short(*n)).collect();
        remarks.push(format!("middle of rounds with {} events/s", all.join(", ")));
    }
    if let Some(floor) = row.fsync_p50_us {
        remarks.push(format!("a bare synced write of 4 KiB there: p50 {}", time(floor)));
    }
    if row.others_cores > 0.1 {
        remarks
            .push(format!("OTHERS USED {:.1} CORES of this machine meanwhile", row.others_cores));
    }
    if row.seconds_without_progress > 0 {
        remarks.push(format!("{} SECONDS WITHOUT PROGRESS", row.seconds_without_progress));
    }
    if !row.retries.is_empty() {
        let all: Vec<String> = row.retries.iter().map(|(e, n)| format!("{n} of {e}")).collect();
        remarks.push(format!("tried again: {}", all.join(", ")));
    }
    remarks.extend(row.error.iter().map(|error| format!("FAILED: {error}")));
    remarks
}

pub(crate) fn print_header(report: &MysqlReport) -> Result<()> {
    let m = &report.machine;
    let mut text = format!("{}\n{}\n", report.name, report.about.trim());
    let _ = writeln!(
        text,
        "machine: {} cores of {}, {} MiB, Linux {}, {}\ncommit:  {}; seed {}",
        m.cores,
        m.cpu,
        m.memory_bytes >> 20,
        m.kernel,
        m.file_system,
        report.commit,
        report.effective.seed
    );
    print(&text)
}

/// One line as soon as it is measured.
pub(crate) fn print_row(row: &Row) -> Result<()> {
    let mut line = format!("{:20} ×{:<4} {:10}", row.phase, row.threads, row.server);
    match &row.error {
        Some(error) => {
            let _ = writeln!(line, " FAILED: {error}");
        }
        None => {
            let _ = writeln!(
                line,
                " {:>9}/s  {:>9} queries/s  p50 {}  p95 {}  {} tried again",
                short(row.events_per_s),
                short(row.queries_per_s),
                time(row.p50_us),
                time(row.p95_us),
                row.retries.values().sum::<u64>()
            );
        }
    }
    print(&line)
}

fn table(rows: &[Vec<String>]) -> String {
    let head: Vec<String> = HEAD.iter().map(|h| (*h).to_owned()).collect();
    let all = || std::iter::once(&head).chain(rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut text = String::from("\n");
    for row in all() {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            // Words to the left, figures to the right.
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let _ = match column < WORDS {
                true => write!(line, "{cell}{pad}  "),
                false => write!(line, "{pad}{cell}  "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn notes(report: &MysqlReport) -> Vec<String> {
    let mut notes = Vec::new();
    for row in &report.rows {
        for remark in remarks(row) {
            notes.push(format!("{} × {}, {}: {remark}", row.phase, row.threads, row.server));
        }
    }
    for server in &report.servers {
        let memory = server.resident_bytes_after_prepare;
        let memory = memory.map_or(String::new(), |n| format!(", {} MiB resident then", n >> 20));
        notes.push(format!("{}: tables filled in {:.1} s{memory}", server.name, server.prepare_s));
    }
    notes
}

pub(crate) fn print_results(report: &MysqlReport, html: &Path) -> Result<()> {
    let rows: Vec<Vec<String>> = report.rows.iter().map(cells).collect();
    let mut text = table(&rows);
    text.push('\n');
    for note in notes(report) {
        let _ = writeln!(text, "{note}");
    }
    for error in &report.errors {
        let _ = writeln!(text, "FAILED: {error}");
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

/// The whole page.
fn page(report: &MysqlReport) -> String {
    let mut out = String::new();
    let name = escape(&report.name);
    let _ = write!(
        out,
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width\"><title>{name}</title>\
         <style>{STYLE}</style><h1>{name}</h1><p>{}</p>",
        escape(report.about.trim()),
    );
    for label in &report.labels {
        let _ = write!(out, "<div class=label>{}</div>", escape(label));
    }
    let m = &report.machine;
    let facts = [
        ("machine", format!("{} cores of {}, {} MiB", m.cores, m.cpu, m.memory_bytes >> 20)),
        ("system", format!("Linux {}, {}", m.kernel, m.file_system)),
        ("commit", report.commit.clone()),
        ("seed", report.effective.seed.to_string()),
        ("started", utc(report.started_unix_ms)),
    ];
    out.push_str("<table class=pairs>");
    for (name, value) in facts {
        let _ = write!(out, "<tr><th>{name}<td>{}", escape(&value));
    }
    out.push_str("</table>");
    if !report.errors.is_empty() || !report.goals.is_empty() {
        out.push_str("<h2>Goals</h2><ul>");
        for error in &report.errors {
            let _ = write!(out, "<li class=bad>{}", escape(error));
        }
        for goal in &report.goals {
            let class = if goal.reached == Some(true) { "good" } else { "bad" };
            let _ = write!(out, "<li class={class}>{}", escape(&goal_line(goal)));
        }
        out.push_str("</ul>");
    }
    out.push_str("<h2>Figures</h2><div class=wide><table class=words><tr>");
    for name in HEAD {
        let _ = write!(out, "<th>{}", escape(name));
    }
    for row in &report.rows {
        out.push_str("<tr>");
        for cell in cells(row) {
            let _ = write!(out, "<td>{}", escape(&cell));
        }
    }
    out.push_str("</table></div><ul>");
    for note in notes(report) {
        let _ = write!(out, "<li>{}", escape(&note));
    }
    out.push_str("</ul><h2>Servers</h2><table class=pairs>");
    for server in &report.servers {
        for (setting, value) in &server.settings {
            let (server, setting) = (escape(&server.name), escape(setting));
            let _ = write!(out, "<tr><td>{server}<td>{setting}<td>{}", escape(value));
        }
    }
    let _ = writeln!(out, "</table><h2>Workload</h2><pre>{}</pre></html>", escape(&report.config));
    out
}

/// Writes `<name>.json` and `<name>.html` into `dir`.
pub(crate) fn write(report: &MysqlReport, dir: &Path) -> Result<(PathBuf, PathBuf)> {
    let json = serde_json::to_vec_pretty(report)
        .map_err(|e| Error::with_source(ErrorKind::Internal, "the report as JSON", e))?;
    let store = |ending: &str, bytes: &[u8]| {
        let path = dir.join(format!("{}.{ending}", report.name));
        std::fs::write(&path, bytes).map_err(|e| {
            Error::with_source(ErrorKind::Unavailable, path.display().to_string(), e)
        })?;
        Ok(path)
    };
    Ok((store("json", &json)?, store("html", page(report).as_bytes())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(server: &str, events_per_s: f64) -> Row {
        Row {
            phase: "point_select".into(),
            threads: 8,
            server: server.into(),
            events_per_s,
            p95_us: 1e6 / events_per_s,
            ..Row::default()
        }
    }

    #[test]
    fn the_middle_round_stands_for_all_and_is_compared() {
        let all = [10.0, 30.0, 20.0].map(|n| [row("firn", n * 2.0), row("mysqld", n)]).concat();
        let rows = middle(&all, Some("mysqld"));
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].events_per_s, rows[0].ratio), (40.0, Some(2.0)));
        assert_eq!((rows[1].events_per_s, rows[1].ratio), (20.0, None));
        assert_eq!(rows[0].rounds, [20.0, 60.0, 40.0]);
        assert_eq!(middle(&all[..2], None)[0].ratio, None);
    }

    #[test]
    fn a_failed_round_is_not_hidden_and_has_no_ratio() {
        let failed = Row { error: Some("broke".into()), ..row("firn", 0.0) };
        let all = [row("firn", 5.0), row("mysqld", 5.0), failed, row("mysqld", 5.0)];
        let rows = middle(&all, Some("mysqld"));
        assert_eq!((rows[0].error.as_deref(), rows[0].ratio), (Some("broke"), None));
        assert_eq!(cells(&rows[0])[3], "FAILED");
    }

    #[test]
    fn goals_are_of_the_first_server() {
        let yaml = "
name: x
servers: [{kind: firn}, {kind: mysqld}]
threads: [8]
phases: [{kind: point_select}]
goals:
  - {phase: point_select, threads: 8, measure: events_per_s, versus: mysqld, at_least: 1.5}
  - {phase: point_select, threads: 8, measure: p95_us, versus: mysqld, at_most: 1}
  - {phase: point_select, threads: 8, measure: resident_mib, at_most: 1}
";
        let config = MysqlConfig::parse(yaml, "x").unwrap();
        let rows = [row("firn", 14.0), row("mysqld", 10.0)];
        let goals = goals(&config, &rows);
        let reached: Vec<_> = goals.iter().map(|goal| goal.reached).collect();
        assert_eq!(reached, [Some(false), Some(true), None]);
        assert_eq!(goals[0].text, "point_select × 8: events_per_s, firn : mysqld ≥ 1.5");
    }
}
