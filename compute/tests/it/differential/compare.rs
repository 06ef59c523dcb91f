//! What two servers answered differently, in classes.

use super::run::Shown;
use super::script::Script;

/// A step that differs.
pub(crate) struct Difference {
    pub(crate) step: usize,
    /// What is different, in a few words.
    pub(crate) class: String,
}

/// What kind of statement it is.
fn verb(sql: &str) -> String {
    let mut words = sql.split(' ');
    let mut verb = words.next().unwrap_or_default().to_owned();
    if matches!(verb.as_str(), "ALTER" | "CREATE" | "SHOW" | "SET" | "DROP") {
        let more = match verb.as_str() {
            "ALTER" => words.nth(2),
            _ => words.next(),
        };
        verb = format!("{verb} {}", more.unwrap_or_default());
    }
    for mark in ["IGNORE", "ON DUPLICATE", " JOIN ", " SELECT ", "GROUP BY"] {
        if sql.contains(mark) {
            verb = format!("{verb} {}", mark.trim());
        }
    }
    verb
}

/// The beginning of a line that says what it is: `error 1062`, `ok`, `! Warning | 1292`.
pub(super) fn kind(line: &str) -> String {
    if let Some(rest) = line.strip_prefix("error ") {
        return format!("error {}", rest.split(' ').next().unwrap_or_default());
    }
    if let Some(rest) = line.strip_prefix("! ") {
        return format!("warning {}", rest.split(" | ").nth(1).unwrap_or_default());
    }
    let first = line.split([' ', ':']).next().unwrap_or_default();
    match first {
        "ok" | "blocked" | "lost" | "cannot" => first.to_owned(),
        _ if line.contains(" goes on: ") => "goes on".to_owned(),
        _ => "row".to_owned(),
    }
}

/// Which field of which type of column differs.
pub(super) fn columns(theirs: &str, ours: &str) -> Option<String> {
    for (one, other) in theirs.split(", ").zip(ours.split(", ")) {
        if one == other {
            continue;
        }
        let fields = ["name", "type", "collation", "length", "flags", "decimals"];
        let mut left: Vec<&str> = one.rsplitn(6, ':').collect();
        let mut right: Vec<&str> = other.rsplitn(6, ':').collect();
        left.reverse();
        right.reverse();
        for (at, field) in fields.iter().enumerate() {
            if left.get(at) != right.get(at) {
                let kind = left.get(1).unwrap_or(&"?");
                let (l, r) = (left.get(at).unwrap_or(&"?"), right.get(at).unwrap_or(&"?"));
                return Some(if at == 0 || at == 3 {
                    format!("column {field} of type {kind}")
                } else {
                    format!("column {field} of type {kind}: {l}, not {r}")
                });
            }
        }
    }
    None
}

fn class(sql: &str, theirs: &[String], ours: &[String]) -> String {
    let none = String::new();
    let at = theirs.iter().zip(ours).take_while(|(one, other)| one == other).count();
    let (left, right) = (theirs.get(at).unwrap_or(&none), ours.get(at).unwrap_or(&none));
    let (one, other) = (kind(left), kind(right));
    let what = match (one.as_str(), other.as_str()) {
        ("row", "row") if at == 0 => columns(left, right).unwrap_or_else(|| "columns".to_owned()),
        ("row", "row") if sql.starts_with("SHOW") => {
            let word = left.split("\\n").zip(right.split("\\n")).find(|(a, b)| a != b);
            let word = word.map_or("", |(a, _)| a.trim());
            format!("text {}", word.split(' ').nth(1).unwrap_or_default())
        }
        ("ok", "ok") => {
            let names = ["affected rows", "id", "info"];
            let differs = left.splitn(4, ' ').skip(1).zip(right.splitn(4, ' ').skip(1));
            let at = differs.take_while(|(a, b)| a == b).count().min(2);
            format!("ok: {}", names[at])
        }
        (one, other) if one == other => format!("{one}: text"),
        (one, other) => format!("{one}, not {other}"),
    };
    format!("{} | {what}", verb(sql))
}

/// The steps that differ.
pub(crate) fn differences(script: &Script, theirs: &Shown, ours: &Shown) -> Vec<Difference> {
    let mut all = Vec::new();
    for (step, one) in script.steps.iter().enumerate() {
        let (left, right) = (&theirs[step], &ours[step]);
        if left != right {
            all.push(Difference { step, class: class(&one.sql, left, right) });
        }
    }
    all
}
