//! mysqldump: what a MySQL server dumps is loaded here, and dumped from here again.

use std::process::Command;

use firn_mysql_protocol::Capabilities;
use firn_mysql_protocol::client::{Client, ClientConfig};
use firn_mysql_protocol::tls::ClientTls;

use crate::support::{TestClient, World};

/// Tables of every type, key kind and default, and views.
static SCHEMA: &str = include_str!("dump.sql");

/// The dump of a database. `MYSQLDUMP` is the program with what has to stand before its
/// own arguments, separated by blanks.
fn dump(address: std::net::SocketAddr, schema: &str) -> Vec<u8> {
    let program = std::env::var("MYSQLDUMP").expect("MYSQLDUMP is the program");
    let mut words = program.split_whitespace();
    let port = format!("-P{}", address.port());
    let host = format!("-h{}", address.ip());
    let output = Command::new(words.next().expect("a program"))
        .args(words)
        .args(["--no-defaults", "-uroot", "--skip-comments", "--set-gtid-purged=OFF"])
        .args([host.as_str(), port.as_str(), schema])
        .output()
        .expect("mysqldump runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "mysqldump of {address}: {errors}");
    assert!(!errors.contains("rror"), "mysqldump of {address}: {errors}");
    output.stdout
}

async fn connect(address: std::net::SocketAddr) -> TestClient {
    let stream = tokio::net::TcpStream::connect(address).await.expect("the server is there");
    let config = ClientConfig {
        user: "root".into(),
        tls: ClientTls::Disabled,
        capabilities: ClientConfig::default().capabilities | Capabilities::MULTI_STATEMENTS,
        ..ClientConfig::default()
    };
    TestClient(Client::connect(stream, &config).await.expect("root gets in"))
}

/// Runs a dump, one statement after the other so that a failure names its own.
async fn load(client: &mut TestClient, schema: &str, dump: &[u8]) {
    client.run(&format!("DROP DATABASE IF EXISTS {schema}; CREATE DATABASE {schema}")).await;
    client.run(&format!("USE {schema}")).await;
    let mut statement = Vec::new();
    for line in dump.split_inclusive(|byte| *byte == b'\n') {
        statement.extend_from_slice(line);
        if line.ends_with(b";\n") {
            if let Err(error) = client.0.query_all(&statement).await {
                panic!("{}: {error}", String::from_utf8_lossy(&statement));
            }
            statement.clear();
        }
    }
}

/// Lines that differ.
fn differences(one: &[u8], two: &[u8]) -> String {
    let lines = |dump: &[u8]| -> Vec<String> {
        let lines = dump.split(|byte| *byte == b'\n');
        lines.map(|line| line.escape_ascii().to_string()).collect()
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

/// `MYSQL_ORACLE=127.0.0.1:13306 MYSQLDUMP=mysqldump cargo test -p firn-compute --test it
/// -- --ignored dump`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a MySQL server at MYSQL_ORACLE and the program MYSQLDUMP"]
async fn a_dump_goes_around() {
    let oracle = std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port");
    let oracle: std::net::SocketAddr = oracle.parse().expect("MYSQL_ORACLE is host:port");
    let mut theirs = connect(oracle).await;
    load(&mut theirs, "firn_dump", SCHEMA.as_bytes()).await;
    let first = tokio::task::spawn_blocking(move || dump(oracle, "firn_dump"));
    let first = first.await.expect("a dump");

    let server = World::new().start().await;
    let mut ours = server.client().await;
    load(&mut ours, "firn_dump", &first).await;
    let address = server.address();
    let second = tokio::task::spawn_blocking(move || dump(address, "firn_dump"));
    let second = second.await.expect("a dump");
    let found = differences(&first, &second);
    assert!(found.is_empty(), "MySQL's dump, and the one from here:\n{found}");

    load(&mut theirs, "firn_dump", &second).await;
    let third = tokio::task::spawn_blocking(move || dump(oracle, "firn_dump"));
    let found = differences(&first, &third.await.expect("a dump"));
    assert!(found.is_empty(), "MySQL's dump, and that of what was restored:\n{found}");
    theirs.run("DROP DATABASE firn_dump").await;
}
