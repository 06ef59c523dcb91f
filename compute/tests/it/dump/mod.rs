//! mysqldump: what MySQL and MariaDB dump is loaded here, and dumped from here again.
//!
//! `tests/data/dump` has the schemas, of every type, key kind, default and view, with
//! extreme values and awkward bytes; the dumps that servers made of them, `mysql.sql` and
//! `mariadb.sql`; and in `mysql.txt` and `mariadb.txt` what a MySQL server had in its
//! tables when it had loaded those.

mod around;
mod programs;

use std::fmt::Write as _;

use crate::support::{TestClient, World};

/// The database that is dumped.
const SCHEMA: &str = "firn_dump";

fn path(file: &str) -> String {
    format!("{}/tests/data/dump/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> Vec<u8> {
    let path = path(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs a script, one statement after the other so that a failure names its own, in an
/// empty database.
async fn load(client: &mut TestClient, script: &[u8]) {
    client.run(&format!("DROP DATABASE IF EXISTS {SCHEMA}; CREATE DATABASE {SCHEMA}")).await;
    client.run(&format!("USE {SCHEMA}")).await;
    let mut statement = Vec::new();
    for line in script.split_inclusive(|byte| *byte == b'\n') {
        statement.extend_from_slice(line);
        if line.ends_with(b";\n") {
            if let Err(error) = client.0.query_all(&statement).await {
                panic!("{}: {error}", String::from_utf8_lossy(&statement));
            }
            statement.clear();
        }
    }
}

/// How each table and view is made, and what it has, bytes that are no text escaped.
async fn shown(client: &mut TestClient) -> String {
    let mut out = String::new();
    client.run("SET NAMES utf8mb4; SET time_zone = '+00:00'").await;
    let tables = client
        .rows("SELECT table_name, table_type = 'VIEW' FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY CAST(table_name AS BINARY)")
        .await;
    for row in tables {
        let (Some(name), is_view) = (&row[0], row[1].as_deref() == Some("1")) else { continue };
        let quoted = format!("`{}`", name.replace('`', "``"));
        let made = client.rows(&format!("SHOW CREATE TABLE {quoted}")).await;
        let made = made[0][1].as_deref().unwrap_or_default();
        writeln!(out, "{made}").expect("a string");
        // What views show is in the tables.
        if is_view {
            continue;
        }
        let columns = client
            .lines(&format!("SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND CAST(table_name AS BINARY) = CAST('{}' AS BINARY) ORDER BY ordinal_position", name.replace('\\', "\\\\").replace('\'', "''")))
            .await;
        let columns: Vec<String> =
            columns.iter().map(|name| format!("`{}`", name.replace('`', "``"))).collect();
        let result = client.result(&format!("SELECT {} FROM {quoted}", columns.join(", "))).await;
        for row in &result.rows {
            let values = row.values(&result.columns).expect("a row of these columns");
            let cell = |value: &firn_mysql_protocol::command::ParameterValue<'_>| match value {
                firn_mysql_protocol::command::ParameterValue::Bytes(bytes) => {
                    match std::str::from_utf8(bytes) {
                        Ok(text) => format!("{text:?}"),
                        Err(_) => format!("x\"{}\"", bytes.escape_ascii()),
                    }
                }
                _ => "NULL".to_owned(),
            };
            let cells: Vec<String> = values.iter().map(cell).collect();
            writeln!(out, "  {}", cells.join(",")).expect("a string");
        }
    }
    client.run(&format!("DROP DATABASE {SCHEMA}")).await;
    out
}

/// Lines that differ.
fn differences(one: &[u8], two: &[u8]) -> String {
    let lines = |text: &[u8]| -> Vec<String> {
        text.split(|byte| *byte == b'\n').map(|line| line.escape_ascii().to_string()).collect()
    };
    let (mut out, one, two) = (String::new(), lines(one), lines(two));
    for at in 0..one.len().max(two.len()) {
        let nothing = String::from("(nothing)");
        let (left, right) = (one.get(at).unwrap_or(&nothing), two.get(at).unwrap_or(&nothing));
        if left != right {
            out.push_str(&format!("- {left}\n+ {right}\n"));
        }
    }
    out
}

async fn loads(name: &str) {
    let server = World::new().start().await;
    let mut client = server.client().await;
    load(&mut client, &read(&format!("{name}.sql"))).await;
    let (given, recorded) = (shown(&mut client).await, read(&format!("{name}.txt")));
    let found = differences(&recorded, given.as_bytes());
    assert!(found.is_empty(), "what a MySQL server has of this dump, and what is here:\n{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_mysql_is_loaded_as_mysql_does() {
    loads("mysql").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_mariadb_is_loaded_as_mysql_does() {
    loads("mariadb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_a_collation_without_an_order_is_refused() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE d; USE d").await;
    let (number, text) =
        client.error("CREATE TABLE t (a VARCHAR(5) COLLATE utf8mb4_ja_0900_as_cs)").await;
    assert_eq!(number, 1235, "{text}");
    let (number, _) = client.error("SHOW CREATE TABLE t").await;
    assert_eq!(number, 1146);
}
