//! Expressions whose answers a server gave once: value, type, length, decimals,
//! nullability, errors and warnings. `recorded.txt` has an expression, and on the
//! next line the answer.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::answer::ours;
use crate::generate::Generator;
use crate::oracle::{ask, connect, difference, number, show};

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expressions/recorded.txt")
}

fn read() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file()).expect("recorded.txt can be read");
    let lines: Vec<&str> = text.lines().collect();
    lines.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].trim().to_owned())).collect()
}

/// Control characters must not make lines of their own.
fn line(answer: &str) -> String {
    answer.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

#[test]
fn answers_are_the_servers() {
    let recorded = read();
    assert!(recorded.len() > 100, "{} expressions", recorded.len());
    let mut wrong = String::new();
    for (expr, answer) in &recorded {
        let mine = line(&show(&ours(expr)));
        if mine != *answer {
            let _ = writeln!(wrong, "{expr}\n  ours   {mine}\n  theirs {answer}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Asks a server for the answers again, and for `ADD` more expressions: those
/// on which we agree with it, for others would fail until they are mended.
///
/// `MYSQL_ORACLE=127.0.0.1:3306 ADD=100 SEED=7 DEPTH=1 cargo test -p
/// firn-mysql-semantics --test expressions -- --ignored record`
#[test]
#[ignore = "needs a live MySQL, and rewrites recorded.txt"]
fn record() {
    let mut client = connect();
    let mut out = String::new();
    let mut keep = |expr: &str, answer: &str| {
        let _ = writeln!(out, "{expr}\n    {}", line(answer));
    };
    for (expr, _) in read() {
        let answer = show(&ask(&mut client, &expr));
        keep(&expr, &answer);
    }
    let mut generator = Generator::new(number("SEED", 7));
    let depth = number("DEPTH", 1) as u32;
    let mut left = number("ADD", 0);
    while left > 0 {
        let expr = generator.expression(depth);
        let real = ask(&mut client, &expr);
        if difference(&ours(&expr), &real).is_none() {
            keep(&expr, &show(&real));
            left -= 1;
        }
    }
    std::fs::write(file(), out).expect("recorded.txt can be written");
}
