//! The same statements here and on a MySQL server: `recorded.txt` (SHOW and such),
//! `queries.txt`, `windows.txt` (window functions), `histograms.txt` and `found.txt` (what
//! queries by chance found) have what such a server answered.

use std::fmt::Write as _;

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::{Client, ClientConfig, ResultSet};
use firn_mysql_protocol::tls::ClientTls;

use crate::support::{TestClient, World, lines_of, rows_of};

static RECORDED: &str = include_str!("recorded.txt");

/// The files of queries.
const QUERIES: [&str; 2] = ["queries", "windows"];

/// The queries of a file and what a server answered.
fn queries(of: &str) -> String {
    let path = format!("{}/tests/it/{of}.txt", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("the file is there")
}

/// The statements of a file, each with what was answered. Lines with `#` are comments.
fn recorded(text: &str) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        if let Some(sql) = line.strip_prefix("> ") {
            all.push((sql.to_owned(), Vec::new()));
        } else if let (Some(answer), Some(last)) = (line.strip_prefix("  "), all.last_mut()) {
            last.1.push(answer.to_owned());
        }
    }
    all
}

/// Flags of keys: which of them a server tells depends on how it reaches its own tables.
const KEY_FLAGS: u16 = 0x400e;

/// Names of columns; of SHOW also what else a client is told of them.
fn columns(sql: &str, result: &ResultSet) -> String {
    let queries = ["SELECT", "WITH", "VALUES", "TABLE", "("];
    let whole = !queries.iter().any(|word| sql.starts_with(word));
    let one = |column: &firn_mysql_protocol::result::Column| {
        let name = String::from_utf8_lossy(&column.name).into_owned();
        if !whole {
            return name;
        }
        let (kind, flags) = (column.kind as u8, column.flags.0 & !KEY_FLAGS);
        let (collation, length, decimals) = (column.collation, column.length, column.decimals);
        format!("{name}:{kind}:{collation}:{length}:{flags:x}:{decimals}")
    };
    result.columns.iter().map(one).collect::<Vec<_>>().join(",")
}

async fn answer(client: &mut TestClient, sql: &str) -> Vec<String> {
    match client.0.query_all(sql.as_bytes()).await {
        Ok(mut results) => {
            let result = results.pop().unwrap_or_default();
            if result.columns.is_empty() {
                return Vec::new();
            }
            let mut lines = vec![columns(sql, &result)];
            let rows = lines_of(&rows_of(&result)).into_iter();
            lines.extend(rows.map(|line| line.replace('\n', "\\n")));
            lines
        }
        Err(Error::Sql(error)) => vec![format!("error {} {}", error.number, error.message)],
        Err(error) => panic!("{sql}: {error}"),
    }
}

/// Answers that are not as recorded.
async fn differences(client: &mut TestClient, text: &str) -> String {
    let mut out = String::new();
    for (sql, expected) in recorded(text) {
        let given = answer(client, &sql).await;
        if given != expected {
            let (expected, given) = (expected.join("\n    "), given.join("\n    "));
            writeln!(out, "> {sql}\n  recorded:\n    {expected}\n  given:\n    {given}")
                .expect("a string");
        }
    }
    out
}

#[tokio::test]
async fn answers_are_those_of_a_server() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    let differences = differences(&mut client, RECORDED).await;
    assert!(differences.is_empty(), "{differences}");
}

#[tokio::test]
async fn queries_answer_as_on_a_server() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    for of in QUERIES {
        let differences = differences(&mut client, &queries(of)).await;
        assert!(differences.is_empty(), "{differences}");
    }
}

#[tokio::test]
async fn histograms_are_those_of_a_server() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    let differences = differences(&mut client, &queries("histograms")).await;
    assert!(differences.is_empty(), "{differences}");
}

#[tokio::test]
async fn what_chance_found_answers_as_on_a_server() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    let differences = differences(&mut client, &queries("found")).await;
    assert!(differences.is_empty(), "{differences}");
}

#[tokio::test]
async fn queries_over_batches_answer_as_on_a_server() {
    let server = World::new().start().await;
    server.client().await.run("SET GLOBAL firn_executor = 'vector'").await;
    let mut client = server.client().await;
    for (of, least) in QUERIES.into_iter().zip([30, 300]) {
        let differences = differences(&mut client, &queries(of)).await;
        assert!(differences.is_empty(), "{differences}");
        crate::executors::ran_over_batches(&mut client, least).await;
    }
}

/// `MYSQL_ORACLE=127.0.0.1:13306 cargo test -p firn-compute --test it -- --ignored recorded`;
/// with `RECORD=FILE` it writes the answers there instead of comparing them: those of
/// another file if `OF=queries`, `OF=windows`, `OF=histograms` or `OF=found`.
#[tokio::test]
#[ignore = "needs a MySQL server at MYSQL_ORACLE"]
async fn a_server_gives_what_is_recorded() {
    let address = std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port");
    let stream = tokio::net::TcpStream::connect(address).await.expect("the server is there");
    let config =
        ClientConfig { user: "root".into(), tls: ClientTls::Disabled, ..ClientConfig::default() };
    let mut client = TestClient(Client::connect(stream, &config).await.expect("root gets in"));
    if let Ok(path) = std::env::var("RECORD") {
        let mut out = String::new();
        let text = std::env::var("OF").map_or_else(|_| RECORDED.to_owned(), |of| queries(&of));
        for (sql, _) in recorded(&text) {
            writeln!(out, "> {sql}").expect("a string");
            for line in answer(&mut client, &sql).await {
                writeln!(out, "  {line}").expect("a string");
            }
        }
        std::fs::write(path, out).expect("the file can be written");
        return;
    }
    let all = [RECORDED.to_owned(), QUERIES.map(queries).concat(), queries("histograms")].concat();
    let differences = differences(&mut client, &all).await;
    assert!(differences.is_empty(), "{differences}");
}
