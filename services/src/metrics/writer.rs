//! Writes the text format, version 0.0.4.
//!
//! The format wants all samples of a name together and each series once.
//! Samples are kept sorted until the end, so collectors may come in any order
//! and share names.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Histogram;

/// A sample's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Exact.
    Int(u64),
    /// Anything else.
    Float(f64),
}

impl From<u64> for Number {
    fn from(n: u64) -> Self {
        Self::Int(n)
    }
}

impl From<u32> for Number {
    fn from(n: u32) -> Self {
        Self::Int(n.into())
    }
}

impl From<i32> for Number {
    fn from(n: i32) -> Self {
        Self::Float(n.into())
    }
}

impl From<usize> for Number {
    fn from(n: usize) -> Self {
        Self::Int(n as u64)
    }
}

impl From<bool> for Number {
    fn from(b: bool) -> Self {
        Self::Int(b.into())
    }
}

impl From<f64> for Number {
    fn from(n: f64) -> Self {
        Self::Float(n)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(n) if n.is_nan() => f.write_str("NaN"),
            Self::Float(n) if n.is_infinite() => {
                f.write_str(if *n > 0.0 { "+Inf" } else { "-Inf" })
            }
            Self::Float(n) => write!(f, "{n}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Debug)]
struct Family {
    kind: Kind,
    help: String,
    /// By labels as they are written: lines of the series.
    series: BTreeMap<String, String>,
}

/// Takes the samples of one scrape.
///
/// Names are `firn_`, what is counted, and the unit last (`_bytes`,
/// `_seconds`); counters end in `_total` after it.
#[derive(Debug, Default)]
pub struct Writer {
    families: BTreeMap<String, Family>,
}

impl Writer {
    /// What only grows. The name must end in `_total`.
    pub fn counter(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        value: impl Into<Number>,
    ) {
        debug_assert!(name.ends_with("_total"), "counter {name} must end in _total");
        self.sample(Kind::Counter, name, help, labels, value.into());
    }

    /// What goes up and down.
    pub fn gauge(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        value: impl Into<Number>,
    ) {
        debug_assert!(!name.ends_with("_total"), "gauge {name} must not end in _total");
        self.sample(Kind::Gauge, name, help, labels, value.into());
    }

    /// Durations. The name must end in `_seconds`.
    pub fn histogram(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        histogram: &Histogram,
    ) {
        debug_assert!(name.ends_with("_seconds"), "histogram {name} must end in _seconds");
        let labels = written(labels);
        let separator = if labels.is_empty() { "" } else { "," };
        let (buckets, sum) = histogram.cumulative();
        let mut lines = String::new();
        for (bound, count) in &buckets {
            let bound = Number::Float(*bound);
            let _ = writeln!(lines, "{name}_bucket{{{labels}{separator}le=\"{bound}\"}} {count}");
        }
        let braced = braced(&labels);
        let _ = writeln!(lines, "{name}_sum{braced} {}", Number::Float(sum));
        let count = buckets.last().map_or(0, |(_, count)| *count);
        let _ = writeln!(lines, "{name}_count{braced} {count}");
        self.add(Kind::Histogram, name, help, labels, lines);
    }

    fn sample(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        value: Number,
    ) {
        let labels = written(labels);
        let line = format!("{name}{} {value}\n", braced(&labels));
        self.add(kind, name, help, labels, line);
    }

    fn add(&mut self, kind: Kind, name: &str, help: &str, labels: String, lines: String) {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        debug_assert!(
            name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(legal),
            "{name:?} is no name of a metric"
        );
        let new = || Family { kind, help: help.to_owned(), series: BTreeMap::new() };
        let family = self.families.entry(name.to_owned()).or_insert_with(new);
        debug_assert_eq!(family.kind, kind, "{name} is of two kinds");
        // One bad line would lose the whole scrape: of two kinds the first
        // stays, of two samples of one series the last.
        if family.kind == kind {
            family.series.insert(labels, lines);
        }
    }

    pub(super) fn finish(self) -> String {
        let mut out = String::new();
        for (name, family) in self.families {
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            out.extend(family.series.into_values());
        }
        out
    }
}

fn written(labels: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in labels {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        debug_assert!(name.chars().all(legal) && *name != "le", "{name:?} is no name of a label");
        let separator = if out.is_empty() { "" } else { "," };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(out, "{separator}{name}=\"{value}\"");
    }
    out
}

fn braced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_a_name_stand_together_whoever_writes_them() {
        let mut out = Writer::default();
        out.gauge("firn_b_bytes", "Size\nof \\ b.", &[("tier", "memory")], 1_u64);
        out.counter("firn_a_total", "As.", &[], 2_u64);
        out.gauge("firn_b_bytes", "Another text.", &[("tier", "disk")], 0.5);
        out.gauge("firn_b_bytes", "", &[("tier", "memory")], f64::NAN);
        assert_eq!(
            out.finish(),
            "# HELP firn_a_total As.\n# TYPE firn_a_total counter\nfirn_a_total 2\n\
             # HELP firn_b_bytes Size\\nof \\\\ b.\n# TYPE firn_b_bytes gauge\n\
             firn_b_bytes{tier=\"disk\"} 0.5\nfirn_b_bytes{tier=\"memory\"} NaN\n"
        );
    }

    #[test]
    fn a_histogram_is_cumulative_and_ends_without_a_bound() {
        let histogram = Histogram::new(&[0.001, 1.0]);
        histogram.observe(std::time::Duration::from_millis(500));
        let mut out = Writer::default();
        out.histogram("firn_x_seconds", "X.", &[], &histogram);
        out.histogram("firn_x_seconds", "X.", &[("kind", "a")], &Histogram::new(&[1.0]));
        assert_eq!(
            out.finish(),
            "# HELP firn_x_seconds X.\n# TYPE firn_x_seconds histogram\n\
             firn_x_seconds_bucket{le=\"0.001\"} 0\nfirn_x_seconds_bucket{le=\"1\"} 1\n\
             firn_x_seconds_bucket{le=\"+Inf\"} 1\nfirn_x_seconds_sum 0.5\nfirn_x_seconds_count 1\n\
             firn_x_seconds_bucket{kind=\"a\",le=\"1\"} 0\n\
             firn_x_seconds_bucket{kind=\"a\",le=\"+Inf\"} 0\n\
             firn_x_seconds_sum{kind=\"a\"} 0\nfirn_x_seconds_count{kind=\"a\"} 0\n"
        );
    }

    #[test]
    fn numbers_are_written_so_that_prometheus_reads_them() {
        let shown = |n: Number| n.to_string();
        assert_eq!(shown(u64::MAX.into()), "18446744073709551615");
        assert_eq!(shown((-3).into()), "-3");
        assert_eq!(shown(f64::NEG_INFINITY.into()), "-Inf");
        assert_eq!(shown(1e-9.into()), "0.000000001");
        assert_eq!(shown(true.into()), "1");
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "is of two kinds")]
    fn a_name_of_two_kinds_is_a_bug() {
        let mut out = Writer::default();
        out.gauge("firn_x_seconds", "", &[], 1_u64);
        out.histogram("firn_x_seconds", "", &[], &Histogram::new(&[1.0]));
    }
}
