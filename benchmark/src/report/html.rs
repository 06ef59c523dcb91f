//! The report as one page that needs nothing else.

use std::fmt::Write as _;

use super::plot::{Line, Plot, escape};
use super::table::{bytes, goal_line, head, machine_line, remarks, rows, short, time};
use super::{Report, TargetResult};
use crate::run::{PROCESS, PhaseResult, Point};

pub(crate) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c2733; --soft: #66727f; --paper: #fff;
  --rule: #d9dee4; --warm: #eef1f5; --bad: #b3261e; --good: #1b7f4d;
  --firn: #0a6cc9; --rocksdb: #c4571b; --slatedb: #6d3fc0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --soft: #93a0ad;
  --paper: #14191f; --rule: #313a44; --warm: #1d242c; --bad: #ff8a80; --good: #6fd6a1;
  --firn: #5cb0ff; --rocksdb: #ff9d66; --slatedb: #b99aff; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1340px; margin: 2em auto; padding: 0 1em; }
h1 { margin-bottom: 0 } h2 { margin-top: 2em; border-bottom: 1px solid var(--rule) }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px }
.wide { overflow-x: auto }
td, th { padding: .25em .7em; text-align: right; border-bottom: 1px solid var(--rule) }
.words td:nth-child(-n+3), .words th:nth-child(-n+3) { text-align: left }
.pairs td, .pairs th { text-align: left }
.label { background: var(--bad); color: var(--paper); font-weight: 700; padding: .3em .8em;
  display: inline-block; margin: .2em }
.bad { color: var(--bad); font-weight: 600 } .good { color: var(--good) }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 1em }
figure { margin: 0 } figcaption { font-weight: 600 } svg { width: 100%; height: auto }
svg text { font-size: 11px; fill: var(--soft) } text.y { text-anchor: end }
text.x { text-anchor: middle } .grid { stroke: var(--rule) } .warm { fill: var(--warm); opacity: .6 }
polyline { fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linejoin: round }
.legend { margin: 0; font-size: 12px; color: var(--soft) }
.legend i { display: inline-block; width: 1.6em; border-top: 3px solid currentColor;
  margin-right: .4em; vertical-align: middle }
.firn { color: var(--firn) } .rocksdb { color: var(--rocksdb) } .slatedb { color: var(--slatedb) }
.q1 { stroke-dasharray: 6 3; border-top-style: dashed } .q2 { stroke-dasharray: 2 3; border-top-style: dotted }
.legend i.q1 { border-top-style: dashed } .legend i.q2 { border-top-style: dotted }
pre { background: var(--warm); padding: 1em; overflow-x: auto; font-size: 12.5px }
";

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let mut out = String::new();
    let _ = write!(
        out,
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width\"><title>{}</title><style>{STYLE}</style>\
         <h1>{}</h1><p>{}</p>",
        escape(&report.name),
        escape(&report.name),
        escape(report.about.trim()),
    );
    for label in &report.labels {
        let _ = write!(out, "<div class=label>{}</div>", escape(label));
    }
    facts(&mut out, report);
    goals(&mut out, report);
    summary(&mut out, report);
    for phase in &report.effective.phases {
        phase_section(&mut out, report, &phase.name);
    }
    settings(&mut out, report);
    let _ = writeln!(out, "<h2>Workload</h2><pre>{}</pre></html>", escape(&report.config));
    out
}

fn facts(out: &mut String, report: &Report) {
    let cost = &report.runner_cost;
    let runner = format!(
        "{:.0} ns a get, {:.0} ns a put, on an engine that does nothing; part of every throughput",
        cost.get_ns, cost.put_ns
    );
    let facts = [
        ("machine", machine_line(report)),
        ("commit", report.commit.clone()),
        ("seed", report.seed.to_string()),
        ("started", utc(report.started_unix_ms)),
        ("runner", runner),
    ];
    out.push_str("<table class=pairs>");
    for (name, value) in facts {
        let _ = write!(out, "<tr><th>{name}<td>{}", escape(&value));
    }
    out.push_str("</table>");
}

fn goals(out: &mut String, report: &Report) {
    let errors = report.errors();
    if !errors.is_empty() {
        out.push_str("<h2>Errors</h2><ul>");
        for error in errors {
            let _ = write!(out, "<li class=bad>{}", escape(&error));
        }
        out.push_str("</ul>");
    }
    if report.goals.is_empty() {
        return;
    }
    out.push_str("<h2>Goals</h2><ul>");
    for goal in &report.goals {
        let class = if goal.reached == Some(true) { "good" } else { "bad" };
        let _ = write!(out, "<li class={class}>{}", escape(&goal_line(goal)));
    }
    out.push_str("</ul>");
}

fn summary(out: &mut String, report: &Report) {
    out.push_str("<h2>Figures</h2><div class=wide><table class=words><tr>");
    for name in head() {
        let _ = write!(out, "<th>{}", escape(name));
    }
    for row in rows(report) {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{}", escape(&cell));
        }
    }
    out.push_str(
        "</table></div><p>cores: processor time over time, of the whole process, the runner \
         included. w-amp: bytes written by journal, flush and compaction for a byte put. disk w-amp: \
         the same as the kernel counts it, for the process. space: \
         bytes in store for a byte of live keys and values. $/M ops: processor time and requests \
         at the prices of the workload.",
    );
}

fn phase_section(out: &mut String, report: &Report, name: &str) {
    let results: Vec<(&TargetResult, &PhaseResult)> = report
        .targets
        .iter()
        .filter_map(|t| Some((t, t.phases.iter().find(|p| p.name == name)?)))
        .collect();
    if results.is_empty() {
        return;
    }
    let _ = write!(out, "<h2>{}</h2><ul>", escape(name));
    for (target, phase) in &results {
        for remark in remarks(phase) {
            let _ = write!(out, "<li>{}: {}", target.name, escape(&remark));
        }
    }
    out.push_str("</ul><div class=plots>");
    for plot in plots(&results) {
        out.push_str(&plot.svg());
    }
    out.push_str("</div>");
    parts(out, &results);
}

type Figure = fn(&Point) -> Option<f64>;

fn plots(results: &[(&TargetResult, &PhaseResult)]) -> Vec<Plot> {
    let lines = |quantiles: &[(&str, Figure)]| -> Vec<Line> {
        let mut lines = Vec::new();
        for (target, phase) in results {
            for (i, (label, figure)) in quantiles.iter().enumerate() {
                // What is left of the last second says little.
                let whole = phase.points.iter().filter(|p| p.seconds > 0.2);
                let points = whole.map(|p| (p.at_s, figure(p))).collect();
                let label = format!("{} {label}", target.name);
                lines.push(Line { label, class: format!("{} q{i}", target.name), points });
            }
        }
        lines
    };
    let busy = results.iter().any(|(_, phase)| phase.ops > 0);
    let merges = results.iter().any(|(_, phase)| phase.counters.compaction_bytes_in > 0);
    let mut plots = Vec::new();
    let mut add = |title: &str, logarithmic, write, figures: &[(&str, Figure)]| {
        let title = title.to_owned();
        plots.push(Plot { title, lines: lines(figures), logarithmic, write });
    };
    if busy {
        add("Operations a second", false, short, &[("", |p| Some(p.ops_per_s))]);
        add(
            "Latency, second by second",
            true,
            time,
            &[
                ("p50", |p| Some(p.latency?.p50_us)),
                ("p99", |p| Some(p.latency?.p99_us)),
                ("p99.9", |p| Some(p.latency?.p999_us)),
            ],
        );
    }
    add("Cores in use", false, short, &[("", |p| Some(p.cores))]);
    add("Resident memory", false, bytes, &[("", |p| Some(p.resident_bytes as f64))]);
    if results.iter().any(|(_, phase)| phase.disk.written > 1 << 20) {
        let written: Figure = |p| Some(p.disk_written_per_s);
        add("Written to the disk a second", false, bytes, &[("", written)]);
    }
    if results.iter().any(|(_, phase)| phase.disk.read > 1 << 20) {
        let read: Figure = |p| Some(p.disk_read_per_s);
        add("Read from the disk a second", false, bytes, &[("", read)]);
    }
    if merges {
        let read: Figure = |p| Some(p.compaction_in_per_s);
        add("Read by compactions a second", false, bytes, &[("", read)]);
    }
    plots
}

/// What the parts did, target by target.
fn parts(out: &mut String, results: &[(&TargetResult, &PhaseResult)]) {
    out.push_str("<details><summary>By part</summary><table class=pairs>");
    for (target, phase) in results {
        let name = &target.name;
        let mut line = |what: &str, value: String| {
            let _ = write!(out, "<tr><td>{name}<td>{}<td>{}", escape(what), escape(&value));
        };
        for (group, seconds) in &phase.cpu_s_by_part {
            let process = group.starts_with(PROCESS);
            let what = if process { "CPU" } else { "CPU, threads" };
            line(&format!("{what} {group}"), format!("{seconds:.2} s"));
        }
        for (process, disk) in &phase.disk_by_process {
            let figures = [disk.read, disk.written].map(|n| bytes(n as f64));
            line(&format!("disk of process {process}: read, written"), figures.join(", "));
        }
        let counters = &phase.counters;
        for (part, written) in &counters.written {
            line(&format!("written by {part}"), bytes(*written as f64));
        }
        let parts = phase.requests_by_process.iter().map(|(name, r)| (name.as_str(), r));
        for (process, r) in parts.chain(phase.requests().as_ref().map(|all| ("all", all))) {
            line(&format!("requests of {process}: put, get, list, delete, bytes put, got"), {
                let [put, got] = [r.bytes_put, r.bytes_got].map(|n| bytes(n as f64));
                format!("{}, {}, {}, {}, {put}, {got}", r.puts, r.gets, r.lists, r.deletes)
            });
        }
        if let Some(r) = &counters.requests {
            line("requests: put, get, list, delete, of them failed", {
                format!("{}, {}, {}, {}, {}", r.puts, r.gets, r.lists, r.deletes, r.errors)
            });
            line("object store: bytes put, got", {
                format!("{}, {}", bytes(r.bytes_put as f64), bytes(r.bytes_got as f64))
            });
        }
        for (what, n) in &counters.counts {
            line(what, n.to_string());
        }
        for (what, n) in &counters.sizes {
            let size = if what.contains("bytes") { bytes(*n as f64) } else { n.to_string() };
            line(&format!("{what} at the end"), size);
        }
        let by_op = phase.latency_by_op.iter();
        for (op, l) in by_op.chain(&phase.part_latencies) {
            let figures = [l.mean_us, l.p50_us, l.p95_us, l.p99_us, l.p999_us, l.max_us].map(time);
            let what = format!("{op}: mean, p50, p95, p99, p99.9, max of {}", l.calls);
            line(&what, figures.join(", "));
        }
        line("disk: read, written, by the kernel's count", {
            format!("{}, {}", bytes(phase.disk.read as f64), bytes(phase.disk.written as f64))
        });
        if let Some(stored) = phase.stored_bytes {
            line("in store at the end", bytes(stored as f64));
        }
        line("resident memory at most", bytes(phase.resident_bytes_max as f64));
        if let Some(cost) = &phase.cost {
            line("$ for a million operations: CPU, requests", {
                format!("{:.5}, {:.5}", cost.cpu_per_million_ops, cost.requests_per_million_ops)
            });
            line("$ a month for what is stored", format!("{:.4}", cost.storage_per_month));
        }
    }
    out.push_str("</table></details>");
}

fn settings(out: &mut String, report: &Report) {
    out.push_str("<h2>Settings</h2><table class=pairs>");
    for target in &report.targets {
        for (name, value) in &target.settings {
            let (name, value) = (escape(name), escape(value));
            let _ = write!(out, "<tr><td>{}<td>{name}<td>{value}", target.name);
        }
    }
    let p = &report.effective.prices;
    let _ = write!(
        out,
        "<tr><td>prices<td>core hour, 1,000 puts, 1,000 gets, GB month<td>$ {}, {}, {}, {}</table>",
        p.core_hour, p.thousand_puts, p.thousand_gets, p.gb_month
    );
}

/// A moment as people write it: `2026-01-31 23:59:59 UTC`.
pub(crate) fn utc(unix_ms: u64) -> String {
    let seconds = unix_ms / 1000;
    let (days, second) = ((seconds / 86_400) as i64, seconds % 86_400);
    // Days since 1970 as a date of the Gregorian calendar, counted in eras of
    // 400 years that begin in March.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02} {h:02}:{m:02}:{s:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_dates() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_400_000), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_767_225_599_000), "2025-12-31 23:59:59 UTC");
    }
}
