//! Expressions on which we once differed from the server, under what was wrong.
//! `mended.txt` has headings (`# …`), and under each pairs of lines: an expression
//! and the server's answer.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::answer::ours;
use crate::oracle::{ask, connect, show};
use crate::recorded::line;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expressions/mended.txt")
}

/// What was wrong, and the expressions with their answers.
fn read() -> Vec<(String, Vec<(String, String)>)> {
    let text = std::fs::read_to_string(file()).expect("mended.txt can be read");
    let mut out: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut lines = text.lines();
    while let Some(first) = lines.next() {
        if let Some(heading) = first.strip_prefix("# ") {
            out.push((heading.to_owned(), Vec::new()));
            continue;
        }
        let answer = lines.next().expect("an expression has an answer").trim().to_owned();
        out.last_mut().expect("a heading comes first").1.push((first.to_owned(), answer));
    }
    out
}

#[test]
fn what_was_mended_stays_mended() {
    let mut wrong = String::new();
    for (heading, cases) in read() {
        assert!(!cases.is_empty(), "{heading}: no expressions");
        for (expr, answer) in cases {
            let mine = line(&show(&ours(&expr)));
            if mine != answer {
                let _ = writeln!(wrong, "{heading}: {expr}\n  ours   {mine}\n  theirs {answer}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Asks a server for the answers again.
///
/// `MYSQL_ORACLE=127.0.0.1:3306 cargo test -p firn-mysql-semantics --test
/// expressions -- --ignored mended::record`
#[test]
#[ignore = "needs a live MySQL, and rewrites mended.txt"]
fn record() {
    let mut client = connect();
    let mut out = String::new();
    for (heading, cases) in read() {
        let _ = writeln!(out, "# {heading}");
        for (expr, _) in cases {
            let _ = writeln!(out, "{expr}\n    {}", line(&show(&ask(&mut client, &expr))));
        }
    }
    std::fs::write(file(), out).expect("mended.txt can be written");
}
