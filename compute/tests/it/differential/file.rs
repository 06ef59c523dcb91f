//! Scripts with their answers, as a text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::run::{Shown, letter};
use super::script::{Script, Step};

/// A script, where it comes from, what a server answered.
pub(crate) struct Recorded {
    pub(crate) seed: u64,
    pub(crate) script: Script,
    pub(crate) shown: Shown,
}

/// A file of `tests/data/differential`.
pub(crate) fn path(name: &str) -> String {
    format!("{}/tests/data/differential/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Appends one.
pub(crate) fn write(out: &mut String, recorded: &Recorded) {
    let found = if recorded.script.found_rows { " found rows" } else { "" };
    writeln!(out, "## {}{found}", recorded.seed).expect("a string");
    for (step, lines) in recorded.script.steps.iter().zip(&recorded.shown) {
        writeln!(out, "{}> {}", letter(step.session), step.sql).expect("a string");
        for line in lines {
            writeln!(out, "  {line}").expect("a string");
        }
    }
}

/// All of a text. Lines that begin with `# ` are comments.
pub(crate) fn read(text: &str) -> Vec<Recorded> {
    let mut all: Vec<Recorded> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        if let Some(title) = line.strip_prefix("## ") {
            let (seed, found_rows) = match title.strip_suffix(" found rows") {
                Some(seed) => (seed, true),
                None => (title, false),
            };
            let seed = seed.parse().expect("a seed is a number");
            let script = Script { found_rows, steps: Vec::new() };
            all.push(Recorded { seed, script, shown: Vec::new() });
            continue;
        }
        let last = all.last_mut().expect("a script begins with its seed");
        if let Some(answer) = line.strip_prefix("  ") {
            last.shown.last_mut().expect("a step before its answer").push(answer.to_owned());
        } else if let Some((who, sql)) = line.split_once("> ") {
            let session = ["a", "b", "c"].iter().position(|name| *name == who);
            let session = session.expect("a session of three");
            last.script.steps.push(Step { session, sql: sql.to_owned() });
            last.shown.push(Vec::new());
        }
    }
    all
}

/// What is meant to be shown here instead: by seed and number of the step.
pub(crate) fn read_exceptions(text: &str) -> BTreeMap<(u64, usize), Vec<String>> {
    let mut all: BTreeMap<(u64, usize), Vec<String>> = BTreeMap::new();
    let mut last = None;
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        if let Some(place) = line.strip_prefix("## ") {
            let (seed, step) = place.split_once(' ').expect("seed and step");
            let key = (seed.parse().expect("a seed"), step.parse().expect("a step"));
            all.insert(key, Vec::new());
            last = Some(key);
        } else if let (Some(answer), Some(key)) = (line.strip_prefix("  "), last) {
            all.get_mut(&key).expect("just made").push(answer.to_owned());
        }
    }
    all
}
