//! SET and `@@name` beside a MySQL server: recorded answers, and generated SETs
//! against a live one.

mod generate;
mod ours;
mod theirs;

use std::fmt::Write as _;

/// One session's statements and their answers.
struct Script {
    statements: Vec<(String, String)>,
}

fn scripts(text: &str) -> Vec<Script> {
    let mut scripts: Vec<Script> = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') {
            scripts.push(Script { statements: Vec::new() });
        } else if let Some(sql) = line.strip_prefix("> ") {
            let script = scripts.last_mut().expect("a script begins with #");
            script.statements.push((sql.to_owned(), String::new()));
        } else if let Some(last) = scripts.last_mut().and_then(|one| one.statements.last_mut()) {
            last.1 = line.to_owned();
        }
    }
    scripts
}

fn differences(scripts: &[Script]) -> (usize, String) {
    let (mut count, mut out) = (0, String::new());
    for script in scripts {
        let mut session = ours::Ours::new();
        let mut before = "";
        for (sql, expected) in &script.statements {
            let answer = session.answer(sql);
            count += 1;
            if answer != *expected {
                let lines = format!("  MySQL: {expected}\n  Firn:  {answer}");
                writeln!(out, "> {sql} (after {before})\n{lines}").expect("a string");
            }
            before = sql;
        }
    }
    (count, out)
}

#[tokio::test]
async fn recorded_answers_of_a_server() {
    let mut scripts = scripts(include_str!("recorded.txt"));
    scripts.extend(self::scripts(include_str!("generated.txt")));
    let (count, different) = differences(&scripts);
    assert!(count > 2000, "{count}");
    assert!(different.is_empty(), "of {count}:\n{different}");
}

/// `MYSQL_ORACLE=127.0.0.1:3306 SEED=1 COUNT=20000 cargo test -p firn-compute
/// --test variables -- --ignored generated`
#[tokio::test]
#[ignore = "needs a MySQL server: MYSQL_ORACLE=host:port"]
async fn generated_sets_beside_a_server() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let (seed, count) = (number("SEED", 1), number("COUNT", 5000));
    let statements = generate::statements(seed, count as usize);
    let mut script = Script { statements: Vec::new() };
    let mut all = Vec::new();
    let mut server = theirs::Theirs::connect().await;
    for sql in statements {
        let answer = server.answer(&sql).await;
        script.statements.push((sql, answer));
        if script.statements.len() == 200 {
            all.push(std::mem::replace(&mut script, Script { statements: Vec::new() }));
            server = theirs::Theirs::connect().await;
        }
    }
    all.push(script);
    let (count, different) = differences(&all);
    let lines = different.lines().count() / 3;
    assert!(different.is_empty(), "seed {seed}: {lines} of {count}:\n{different}");
}

/// Writes the answers of a server to `recorded.txt`, and those to generated SETs to
/// `generated.txt`, anew. Global variables are set: give it a server of its own,
/// started without options.
/// `MYSQL_ORACLE=127.0.0.1:3306 cargo test -p firn-compute --test variables -- --ignored record`
#[tokio::test]
#[ignore = "needs a MySQL server: MYSQL_ORACLE=host:port"]
async fn record() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/variables/recorded.txt");
    let text = std::fs::read_to_string(path).expect("the file is there");
    let by_hand = scripts(&text)
        .into_iter()
        .map(|script| script.statements.into_iter().map(|(sql, _)| sql).collect::<Vec<_>>());
    write_answers(path, by_hand.collect()).await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/variables/generated.txt");
    let generated = generate::statements(7, 2000);
    write_answers(path, generated.chunks(200).map(<[String]>::to_vec).collect()).await;
}

async fn write_answers(path: &str, scripts: Vec<Vec<String>>) {
    let mut out = String::new();
    for script in scripts {
        out.push_str("#\n");
        let mut server = theirs::Theirs::connect().await;
        for sql in script {
            let answer = server.answer(&sql).await;
            writeln!(out, "> {sql}\n{answer}").expect("a string");
        }
    }
    std::fs::write(path, out).expect("the file can be written");
}
