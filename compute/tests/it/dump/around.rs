//! Dumps that servers make while the test runs: from there to here and back.
//!
//! Needed: `MYSQL_ORACLE` and `MARIADB_ORACLE`, addresses of a MySQL and a MariaDB server
//! that `root` enters without a password; the programs `MYSQL`, `MYSQLDUMP`, `MARIADB` and
//! `MARIADB_DUMP`. They make and drop the database `firn_dump`: one test at a time, with
//! `--test-threads=1`.

use std::net::SocketAddr;

use super::{SCHEMA, differences, load, path, programs, read, shown};
use crate::support::{TestClient, World, config};

/// Options of mysqldump that say something of what a dump looks like.
const OPTIONS: &[&str] = &[
    "",
    "--single-transaction --quick --hex-blob --complete-insert",
    "--routines --events --triggers --skip-extended-insert --order-by-primary",
    "--skip-opt --create-options --no-autocommit --insert-ignore --tz-utc=0",
    "--net-buffer-length=4096 --replace --add-drop-trigger --flush-logs --lock-all-tables",
];

/// Runs a program off the tasks' threads.
async fn run(variable: &'static str, at: SocketAddr, args: Vec<String>, input: Vec<u8>) -> Vec<u8> {
    let work = move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        programs::run(variable, at, &args, &input)
    };
    tokio::task::spawn_blocking(work).await.expect("a program")
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A dump by MySQL's program, without its comments: versions, addresses, the time, and what
/// servers before MySQL 9 do not have.
async fn dump(at: SocketAddr, options: &str) -> Vec<u8> {
    let args = words(&format!("--set-gtid-purged=OFF {options} {SCHEMA}"));
    let dump = run("MYSQLDUMP", at, args, Vec::new()).await;
    let differs = |line: &[u8]| line.starts_with(b"--") || line == b"\n";
    let lines = dump.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !differs(line)).flatten().copied().collect()
}

/// Makes the database anew of a script, by the stock client.
async fn restore(at: SocketAddr, script: Vec<u8>) {
    let anew = format!("DROP DATABASE IF EXISTS {SCHEMA}; CREATE DATABASE {SCHEMA}");
    run("MYSQL", at, vec!["-e".into(), anew], Vec::new()).await;
    run("MYSQL", at, vec!["--default-character-set=utf8mb4".into(), SCHEMA.into()], script).await;
}

async fn connect(at: SocketAddr) -> TestClient {
    let stream = tokio::net::TcpStream::connect(at).await.expect("the server is there");
    let client = firn_mysql_protocol::client::Client::connect(stream, &config()).await;
    TestClient(client.expect("root gets in"))
}

fn mysql_schema() -> Vec<u8> {
    [read("schema.sql"), read("schema-mysql.sql")].concat()
}

/// The dump that MariaDB makes of its schema.
async fn mariadb_dump(at: SocketAddr) -> Vec<u8> {
    let anew =
        format!("DROP DATABASE IF EXISTS {SCHEMA}; CREATE DATABASE {SCHEMA} CHARACTER SET utf8mb4");
    run("MARIADB", at, vec!["-e".into(), anew], Vec::new()).await;
    let schema = [read("schema.sql"), read("schema-mariadb.sql")].concat();
    let args = vec!["--default-character-set=utf8mb4".into(), SCHEMA.into()];
    run("MARIADB", at, args, schema).await;
    let dump = run("MARIADB_DUMP", at, vec![SCHEMA.into()], Vec::new()).await;
    let away = vec!["-e".into(), format!("DROP DATABASE {SCHEMA}")];
    run("MARIADB", at, away, Vec::new()).await;
    // MySQL's client takes the first line, of MariaDB's sandbox, for a command of its own.
    let lines = dump.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !line.starts_with(b"/*M!999999")).flatten().copied().collect()
}

/// `MYSQL_ORACLE=127.0.0.1:13306 MYSQL=mysql MYSQLDUMP=mysqldump cargo test -p firn-compute
/// --test it -- --ignored dumps_of_mysql_go_around`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a MySQL server at MYSQL_ORACLE and the programs MYSQL and MYSQLDUMP"]
async fn dumps_of_mysql_go_around() {
    let oracle = programs::address("MYSQL_ORACLE");
    let server = World::new().start().await;
    let ours = server.address();
    for options in OPTIONS {
        restore(oracle, mysql_schema()).await;
        let first = dump(oracle, options).await;
        // A dump does not tell everything of documents and zeros with a sign, so what
        // counts is what MySQL makes of it.
        restore(oracle, first.clone()).await;
        let theirs = dump(oracle, options).await;
        restore(ours, first).await;
        let here = dump(ours, options).await;
        let found = differences(&theirs, &here);
        assert!(found.is_empty(), "{options}: MySQL's dump, and the one from here:\n{found}");
        restore(oracle, here).await;
        let back = dump(oracle, options).await;
        let found = differences(&theirs, &back);
        assert!(found.is_empty(), "{options}: MySQL's dump, and what came back:\n{found}");
    }
    let away = vec!["-e".into(), format!("DROP DATABASE {SCHEMA}")];
    run("MYSQL", oracle, away, Vec::new()).await;
}

/// `MYSQL_ORACLE=127.0.0.1:13306 MARIADB_ORACLE=127.0.0.1:13316 MYSQL=mysql
/// MYSQLDUMP=mysqldump MARIADB=mariadb MARIADB_DUMP=mariadb-dump cargo test
/// -p firn-compute --test it -- --ignored dumps_of_mariadb_go_around`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs servers at MYSQL_ORACLE and MARIADB_ORACLE, and their programs"]
async fn dumps_of_mariadb_go_around() {
    let oracle = programs::address("MYSQL_ORACLE");
    let server = World::new().start().await;
    let first = mariadb_dump(programs::address("MARIADB_ORACLE")).await;
    for at in [oracle, server.address()] {
        restore(at, first.clone()).await;
    }
    let (theirs, here) = (dump(oracle, "").await, dump(server.address(), "").await);
    let found = differences(&theirs, &here);
    assert!(found.is_empty(), "of MariaDB's dump, MySQL and here:\n{found}");
    let away = vec!["-e".into(), format!("DROP DATABASE {SCHEMA}")];
    run("MYSQL", oracle, away, Vec::new()).await;
}

/// As [`dumps_of_mariadb_go_around`]; with `RECORD=1` it writes the files anew that the
/// tests without servers use, else it compares.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs servers at MYSQL_ORACLE and MARIADB_ORACLE, and their programs"]
async fn servers_dump_as_recorded() {
    let oracle = programs::address("MYSQL_ORACLE");
    restore(oracle, mysql_schema()).await;
    let of_mysql = dump(oracle, "").await;
    let of_mariadb = mariadb_dump(programs::address("MARIADB_ORACLE")).await;
    let mut theirs = connect(oracle).await;
    for (name, dump) in [("mysql", of_mysql), ("mariadb", of_mariadb)] {
        load(&mut theirs, &dump).await;
        let shown = shown(&mut theirs).await;
        if std::env::var("RECORD").is_ok() {
            std::fs::write(path(&format!("{name}.sql")), &dump).expect("it can be written");
            std::fs::write(path(&format!("{name}.txt")), &shown).expect("it can be written");
            continue;
        }
        let found = differences(&read(&format!("{name}.txt")), shown.as_bytes());
        assert!(found.is_empty(), "what is recorded, and what the server has:\n{found}");
    }
}
