//! Expressions whose answers a server gave once: value, type, length, decimals,
//! nullability, errors and warnings. `recorded.txt`, and `json.txt` for JSON, have an
//! expression, and on the next line the answer.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::answer::ours;
use crate::generate::Generator;
use crate::oracle::{ask, asked, connect, difference, number, show};

const FILES: &[&str] = &["recorded.txt", "json.txt"];

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expressions").join(file)
}

fn read(file: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path(file)).expect("the file can be read");
    let lines: Vec<&str> = text.lines().collect();
    lines.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].trim().to_owned())).collect()
}

/// Control characters must not make lines of their own.
pub(crate) fn line(answer: &str) -> String {
    answer.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

#[test]
fn answers_are_the_servers() {
    let recorded: Vec<_> = FILES.iter().map(|file| read(file)).collect();
    for (file, recorded) in FILES.iter().zip(&recorded) {
        assert!(recorded.len() > 100, "{} expressions in {file}", recorded.len());
    }
    let mut wrong = String::new();
    for (expr, answer) in recorded.iter().flatten() {
        let mine = line(&show(&ours(expr)));
        if mine != *answer {
            let _ = writeln!(wrong, "{expr}\n  ours   {mine}\n  theirs {answer}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Asks a server for the answers again, and for `ADD` more expressions: those
/// on which we agree with it, for others would fail until they are mended. `RECORDED`
/// names another file than `recorded.txt`, `EXPR=@list` a file of expressions to add.
///
/// `MYSQL_ORACLE=127.0.0.1:3306 ADD=100 SEED=7 DEPTH=1 cargo test -p
/// firn-mysql-semantics --test expressions -- --ignored record`
#[test]
#[ignore = "needs a live MySQL, and rewrites recorded.txt"]
fn record() {
    let file = std::env::var("RECORDED").unwrap_or_else(|_| FILES[0].to_owned());
    let mut client = connect();
    let mut out = String::new();
    let mut keep = |expr: &str, answer: &str| {
        let _ = writeln!(out, "{expr}\n    {}", line(answer));
    };
    let old = read(&file);
    for (expr, _) in &old {
        let answer = show(&ask(&mut client, expr));
        keep(expr, &answer);
    }
    if std::env::var_os("EXPR").is_some() {
        for expr in asked().lines().filter(|expr| old.iter().all(|(old, _)| old != expr)) {
            let real = ask(&mut client, expr);
            if difference(&ours(expr), &real).is_none() {
                keep(expr, &show(&real));
            }
        }
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
    std::fs::write(path(&file), out).expect("the file can be written");
}
