//! Statements about accounts beside a MySQL server: recorded answers.

mod access;
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
