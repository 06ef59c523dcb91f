//! Other people's clients against the server in memory; one in Rust, mysql_async, is in
//! `mysql/protocol/clients`.
//!
//! They are installed by `tests/clients/setup.sh DIR`; then
//! `FIRN_MYSQL_CLIENTS=DIR cargo test -p firn-mysql-protocol --test real_clients -- --ignored`.
//! `MYSQL_CLIENT` is the command that starts the `mysql` client, if it is not
//! in the `PATH`.

#![allow(clippy::print_stdout)]

mod support;

use std::path::{Path, PathBuf};

use firn_mysql_protocol::server::ServerConfig;
use tokio::process::Command;

fn clients() -> PathBuf {
    std::env::var_os("FIRN_MYSQL_CLIENTS")
        .expect("FIRN_MYSQL_CLIENTS is the folder of tests/clients/setup.sh")
        .into()
}

/// Runs a program with the server's port and a scratch folder; it must say ok.
async fn run(program: &Path, options: &[&str], script: &str) {
    let config = ServerConfig { packet_max_bytes: 65 << 20, ..support::client::with_tls() };
    let (address, memory) = support::start(config).await;
    let scratch = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let output = Command::new(program)
        .args(options)
        .arg(script)
        .arg(address.port().to_string())
        .arg(scratch.path())
        .env("NODE_PATH", clients().join("node_modules"))
        .output()
        .await
        .unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failures = memory.failures.lock().unwrap().join("\n");
    println!("{out}{err}");
    assert!(
        output.status.success() && out.lines().any(|line| line.starts_with("ok")),
        "{program:?}: {}\nthe server saw:\n{failures}",
        output.status
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs clients: tests/clients/setup.sh"]
async fn pymysql() {
    run(&clients().join("python/bin/python"), &[], "pymysql_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs clients: tests/clients/setup.sh"]
async fn asyncmy() {
    run(&clients().join("python/bin/python"), &[], "asyncmy_client.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs clients: tests/clients/setup.sh"]
async fn connector_python() {
    run(&clients().join("python/bin/python"), &[], "connector_python.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs clients: tests/clients/setup.sh"]
async fn node_mysql2_and_mysql() {
    run(Path::new("node"), &[], "node_clients.js").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs clients: tests/clients/setup.sh"]
async fn php_mysqli_and_pdo() {
    run(Path::new("php"), &["-d", "mysqli.allow_local_infile=1"], "php_clients.php").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs clients: tests/clients/setup.sh, and the mysql command"]
async fn mysql_command() {
    run(Path::new("bash"), &[], "mysql_cli.sh").await;
}
