//! Statements about accounts beside a MySQL server: recorded answers.

mod access;
mod generate;
mod ours;
mod theirs;

use std::fmt::Write as _;

/// Statements and their answers.
fn script(text: &str) -> Vec<(String, String)> {
    let mut statements: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(sql) = line.strip_prefix("> ") {
            statements.push((sql.to_owned(), String::new()));
        } else if let Some((_, answer)) = statements.last_mut() {
            if !answer.is_empty() {
                answer.push('\n');
            }
            answer.push_str(line);
        }
    }
    statements
}

/// Without the stored form of a password, which chance makes.
fn without_password(answer: String) -> String {
    match answer.split_once(" AS '$A$") {
        Some((head, tail)) => match tail.split_once("' ") {
            Some((_, rest)) => format!("{head} AS … {rest}"),
            None => answer,
        },
        None => answer,
    }
}

#[tokio::test]
async fn recorded_answers_of_a_server() {
    let script = script(include_str!("recorded.txt"));
    assert!(script.len() > 200, "{}", script.len());
    let mut out = String::new();
    let mut ours = ours::Ours::new().await;
    for (sql, expected) in &script {
        let answer = without_password(ours.answer(sql).await);
        if answer != *expected {
            writeln!(out, "> {sql}\n  MySQL: {expected}\n  Firn:  {answer}").expect("a string");
        }
    }
    assert!(out.is_empty(), "of {}:\n{out}", script.len());
}

/// What the generated statements find on the server.
const SETUP: &[&str] = &[
    "CREATE DATABASE db3",
    "CREATE DATABASE db4",
    "CREATE TABLE db3.t1 (a INT, b INT)",
    "CREATE TABLE db4.t1 (a INT, b INT)",
    "CREATE TABLE db4.t2 (a INT)",
    "CREATE PROCEDURE db3.p() SELECT 1",
    "CREATE PROCEDURE db4.p() SELECT 1",
    "CREATE FUNCTION db4.f() RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE USER g1, g2, g3@localhost",
    "CREATE ROLE h1, h2",
];

/// It makes and drops databases and accounts: give it a server of its own. MySQL 9.7
/// keeps TRIGGER on a database, roles and their options now and then where it should
/// not, and shows that as long as the account is there: 1 in 100 may differ.
/// `MYSQL_ORACLE=127.0.0.1:3306 SEED=1 COUNT=5000 cargo test -p firn-compute
/// --test accounts -- --ignored generated`
#[tokio::test]
#[ignore = "needs a MySQL server: MYSQL_ORACLE=host:port"]
async fn generated_statements_beside_a_server() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let (seed, count) = (number("SEED", 1), number("COUNT", 2000));
    let mut server = theirs::Theirs::connect().await;
    server.clean().await;
    let mut ours = ours::Ours::new().await;
    for sql in SETUP {
        assert_eq!(server.answer(sql).await, "ok", "{sql}");
        assert_eq!(ours.answer(sql).await, "ok", "{sql}");
    }
    let (mut out, mut different) = (String::new(), 0_u64);
    let mut before = String::new();
    for sql in generate::statements(seed, count as usize) {
        let theirs = without_password(server.answer(&sql).await);
        let ours = without_password(ours.answer(&sql).await);
        if ours != theirs {
            different += 1;
            writeln!(out, "> {sql} (after {before})\n  MySQL: {theirs}\n  Firn:  {ours}")
                .expect("a string");
        }
        before = format!("{}; {sql}", before.rsplit("; ").next().unwrap_or_default());
    }
    server.clean().await;
    assert!(different * 100 <= count, "seed {seed}: {different} of {count}:\n{out}");
}

/// Writes the answers of a server to `recorded.txt` anew. It makes and drops
/// databases and accounts: give it a server of its own, started without options.
/// `MYSQL_ORACLE=127.0.0.1:3306 cargo test -p firn-compute --test accounts -- --ignored record`
#[tokio::test]
#[ignore = "needs a MySQL server: MYSQL_ORACLE=host:port"]
async fn record() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/accounts/recorded.txt");
    let text = std::fs::read_to_string(path).expect("the file is there");
    let mut server = theirs::Theirs::connect().await;
    server.clean().await;
    let mut out = String::new();
    for (sql, _) in script(&text) {
        let answer = without_password(server.answer(&sql).await);
        writeln!(out, "> {sql}\n{answer}").expect("a string");
    }
    server.clean().await;
    std::fs::write(path, out).expect("the file can be written");
}
