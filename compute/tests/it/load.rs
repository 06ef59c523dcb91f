//! LOAD DATA LOCAL here and on a MySQL server: `tests/data/load/recorded.txt` has the
//! statements, the files, and what such a server answered.

use std::fmt::Write as _;

use firn_mysql_protocol::client::{Client, ClientConfig, Outcome};
use firn_mysql_protocol::tls::ClientTls;
use firn_mysql_protocol::{Capabilities, Error};

use crate::support::{TestClient, World, lines_of, rows_of};

/// A statement, the file that it asks for, and what is shown of it.
struct Case {
    sql: String,
    /// As it stands in the list.
    file: String,
    shown: Vec<String>,
}

fn path() -> String {
    format!("{}/tests/data/load/recorded.txt", env!("CARGO_MANIFEST_DIR"))
}

/// `\n`, `\t`, `\r`, `\\` and `\xHH` in the files' texts.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(one) = chars.next() {
        if one != '\\' {
            out.extend_from_slice(one.to_string().as_bytes());
            continue;
        }
        match chars.next() {
            Some('n') => out.push(b'\n'),
            Some('t') => out.push(b'\t'),
            Some('r') => out.push(b'\r'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&digits, 16).expect("two digits"));
            }
            Some(other) => out.extend_from_slice(other.to_string().as_bytes()),
            None => panic!("{text}: ends in a backslash"),
        }
    }
    out
}

fn cases(text: &str) -> Vec<Case> {
    let mut all: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(sql) = line.strip_prefix("> ") {
            all.push(Case { sql: sql.to_owned(), file: String::new(), shown: Vec::new() });
        } else if let (Some(file), Some(last)) = (line.strip_prefix("< "), all.last_mut()) {
            file.clone_into(&mut last.file);
        } else if let (Some(shown), Some(last)) = (line.strip_prefix("  "), all.last_mut()) {
            last.shown.push(shown.to_owned());
        }
    }
    all
}

async fn show(client: &mut TestClient, case: &Case) -> Vec<String> {
    let client = &mut client.0;
    let result = match client.query(case.sql.as_bytes()).await {
        Ok(Outcome::Infile) => match client.send_infile(&unescaped(&case.file)).await {
            Ok(()) => {
                let summary = client.summary();
                let info = summary.info.clone();
                return vec![format!("{} {info}", summary.affected_rows)];
            }
            Err(error) => Err(error),
        },
        Ok(began) => client.read_all(began).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(mut results) => {
            let result = results.pop().unwrap_or_default();
            lines_of(&rows_of(&result)).into_iter().map(|line| line.replace('\n', "\\n")).collect()
        }
        Err(Error::Sql(error)) => vec![format!("error {} {}", error.number, error.message)],
        Err(error) => panic!("{}: {error}", case.sql),
    }
}

/// What is not as recorded, and all of it.
async fn run(client: &mut TestClient) -> (String, String) {
    let text = std::fs::read_to_string(path()).expect("the file is there");
    let (mut differences, mut all) = (String::new(), String::new());
    for case in cases(&text) {
        let shown = show(client, &case).await;
        writeln!(all, "> {}", case.sql).expect("a string");
        if !case.file.is_empty() {
            writeln!(all, "< {}", case.file).expect("a string");
        }
        for line in &shown {
            writeln!(all, "  {line}").expect("a string");
        }
        if shown != case.shown {
            let (expected, given) = (case.shown.join("\n    "), shown.join("\n    "));
            writeln!(
                differences,
                "> {}\n  recorded:\n    {expected}\n  given:\n    {given}",
                case.sql
            )
            .expect("a string");
        }
    }
    (differences, all)
}

#[tokio::test]
async fn files_are_loaded_as_by_a_server() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    client.run("SET GLOBAL local_infile = 1").await;
    let (differences, _) = run(&mut client).await;
    assert!(differences.is_empty(), "{differences}");
}

#[tokio::test]
async fn files_are_closed_unless_they_are_opened() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE d; USE d; CREATE TABLE t (a INT)").await;
    let (number, _) = client.error("LOAD DATA LOCAL INFILE 'x' INTO TABLE t").await;
    assert_eq!(number, 3948);
    let (number, text) = client.error("LOAD DATA INFILE '/etc/passwd' INTO TABLE t").await;
    assert_eq!(number, 1290, "{text}");
}

#[tokio::test]
async fn a_long_file_is_read_to_its_end_after_an_error() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    client.run("SET GLOBAL local_infile = 1; CREATE DATABASE d; USE d").await;
    client.run("CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(9), CHECK (a < 1000))").await;
    let lines: Vec<String> = (0..200_000).map(|at| format!("{at}\tx")).collect();
    let case = Case {
        sql: "LOAD DATA LOCAL INFILE 'x' INTO TABLE t".to_owned(),
        file: lines.join("\\n").replace('\t', "\\t"),
        shown: Vec::new(),
    };
    let shown = show(&mut client, &case).await;
    assert!(shown[0].starts_with("1000 Records: 1000  Deleted: 0  Skipped: 0"), "{shown:?}");
    assert_eq!(client.value("SELECT COUNT(*) FROM t").await.as_deref(), Some("1000"));
}

/// `MYSQL_ORACLE=127.0.0.1:13306 cargo test -p firn-compute --test it -- --ignored a_server_loads`;
/// with `RECORD=FILE` it writes the answers there instead of comparing them.
#[tokio::test]
#[ignore = "needs a MySQL server at MYSQL_ORACLE with local_infile"]
async fn a_server_loads_files_as_recorded() {
    let address = std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port");
    let stream = tokio::net::TcpStream::connect(address).await.expect("the server is there");
    let config = ClientConfig {
        user: "root".into(),
        tls: ClientTls::Disabled,
        capabilities: ClientConfig::default().capabilities | Capabilities::LOCAL_FILES,
        ..ClientConfig::default()
    };
    let mut client = TestClient(Client::connect(stream, &config).await.expect("root gets in"));
    let (differences, all) = run(&mut client).await;
    match std::env::var("RECORD") {
        Ok(path) => std::fs::write(path, all).expect("the file can be written"),
        Err(_) => assert!(differences.is_empty(), "{differences}"),
    }
}
