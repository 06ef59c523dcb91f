//! What became of a file's records.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;

use super::file::Record;
use super::run::Failure;

/// What became of a record.
pub(crate) enum Outcome {
    Passes,
    Fails(Failure),
    /// It fails, as on the other server.
    AsPeer(Failure),
}

/// Examples that are kept of a class.
const EXAMPLES_MAX: usize = 5;

/// Statements that took longest.
const SLOWEST_MAX: usize = 5;

/// How much of a statement is shown, bytes.
const SQL_MAX: usize = 600;

/// Records of one class.
#[derive(Default)]
pub(crate) struct Class {
    pub(crate) count: usize,
    pub(crate) examples: Vec<String>,
}

/// What became of a file's records, or of several files'.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) passed: usize,
    pub(crate) skipped: usize,
    pub(crate) failed: BTreeMap<Failure, Class>,
    pub(crate) as_peer: BTreeMap<Failure, Class>,
    pub(crate) took: Duration,
    slowest: Vec<(Duration, String)>,
}

/// A statement on a line, cut.
fn line_of(record: &Record) -> String {
    let sql: Vec<&str> = record.sql.split_whitespace().collect();
    let mut sql = sql.join(" ");
    if let Some((end, _)) = sql.char_indices().find(|(at, _)| *at >= SQL_MAX) {
        sql.truncate(end);
        sql.push('…');
    }
    format!("line {}: {sql}", record.line)
}

impl Report {
    /// Of a file of which so many records are for other servers.
    pub(crate) fn new(skipped: usize) -> Self {
        Self { skipped, ..Self::default() }
    }

    pub(crate) fn add(&mut self, record: &Record, outcome: Outcome, detail: &str, took: Duration) {
        self.took += took;
        let (classes, failure) = match outcome {
            Outcome::Passes => {
                self.passed += 1;
                self.add_slow(took, || line_of(record));
                return;
            }
            Outcome::Fails(failure) => (&mut self.failed, failure),
            Outcome::AsPeer(failure) => (&mut self.as_peer, failure),
        };
        let class = classes.entry(failure).or_default();
        class.count += 1;
        if class.examples.len() < EXAMPLES_MAX {
            class.examples.push(format!("{}\n      {detail}", line_of(record)));
        }
        self.add_slow(took, || line_of(record));
    }

    fn add_slow(&mut self, took: Duration, line: impl FnOnce() -> String) {
        let at = self.slowest.partition_point(|(other, _)| *other >= took);
        if at < SLOWEST_MAX {
            self.slowest.insert(at, (took, line()));
            self.slowest.truncate(SLOWEST_MAX);
        }
    }

    /// Adds another file's.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.passed += other.passed;
        self.skipped += other.skipped;
        self.took += other.took;
        for (ours, theirs) in
            [(&mut self.failed, &other.failed), (&mut self.as_peer, &other.as_peer)]
        {
            for (failure, class) in theirs {
                ours.entry(failure.clone()).or_default().count += class.count;
            }
        }
        for (took, line) in &other.slowest {
            self.add_slow(*took, || line.clone());
        }
    }

    /// Records that ran.
    pub(crate) fn records(&self) -> usize {
        let count = |classes: &BTreeMap<_, Class>| classes.values().map(|c| c.count).sum::<usize>();
        self.passed + count(&self.failed) + count(&self.as_peer)
    }
}

/// One line, then the classes with their examples.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} records pass", self.passed, self.records())?;
        write!(f, ", {} skipped, {:.1} s", self.skipped, self.took.as_secs_f64())?;
        for (what, classes) in [("", &self.failed), ("as the other server: ", &self.as_peer)] {
            for (failure, class) in classes {
                write!(f, "\n  {what}{failure}: {}", class.count)?;
                for example in &class.examples {
                    write!(f, "\n    {example}")?;
                }
            }
        }
        for (took, line) in &self.slowest {
            write!(f, "\n  {:.3} s: {line}", took.as_secs_f64())?;
        }
        Ok(())
    }
}

#[test]
fn a_report_counts_by_class_and_keeps_what_was_slowest() {
    use super::file::Asked;
    let record = |line| Record { line, sql: format!("SELECT\n {line}"), asked: Asked::Succeeds };
    let mut report = Report { skipped: 2, ..Report::default() };
    for line in 1..=9 {
        let outcome = match line {
            1..=6 => Outcome::Fails(Failure::Values),
            7 => Outcome::AsPeer(Failure::Accepted),
            _ => Outcome::Passes,
        };
        report.add(&record(line), outcome, "why", Duration::from_secs(line as u64));
    }
    let mut all = Report::default();
    all.merge(&report);
    assert_eq!((report.passed, report.records()), (2, 9));
    assert_eq!((all.passed, all.records(), all.failed[&Failure::Values].count), (2, 9, 6));
    let mut expected = String::from("2 of 9 records pass, 2 skipped, 45.0 s\n  other values: 6");
    for line in 1..=5 {
        write!(expected, "\n    line {line}: SELECT {line}\n      why").unwrap();
    }
    expected.push_str("\n  as the other server: no error: 1\n    line 7: SELECT 7\n      why");
    for line in (5..=9).rev() {
        write!(expected, "\n  {line}.000 s: line {line}: SELECT {line}").unwrap();
    }
    assert_eq!(report.to_string(), expected);
}
