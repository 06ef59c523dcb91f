//! Connections that wait: what each costs the server.

use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use super::Server;
use super::server::{client, rows};

/// Connections, unless `FIRN_TEST_CONNECTIONS` says otherwise.
const CONNECTIONS: usize = 20_000;

/// How many are opened, or asked, at once.
const AT_ONCE: usize = 64;

/// How long connections may take to give back what they do not need.
const REST_MAX: Duration = Duration::from_secs(5);

/// Files of server and test besides the connections.
const OTHER_FILES: u64 = 500;

/// What an idle connection may take of the server's memory in a release build,
/// bytes.
const BYTES_MAX: u64 = 10 << 10;

fn resident_bytes(server: &Server) -> u64 {
    let pid = server.pid().as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().split(' ').next().unwrap().parse::<u64>().unwrap() << 10
}

/// `cargo test --release --test it wire::idle -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs 20,000 ports of the loopback interface and as many files twice"]
async fn twenty_thousand_idle_connections_are_cheap_and_each_still_answers() {
    use futures::{StreamExt, TryStreamExt, stream};
    let many = std::env::var("FIRN_TEST_CONNECTIONS");
    let many = many.map_or(CONNECTIONS, |n| n.parse().unwrap());
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let files = limit.maximum.unwrap_or(u64::MAX);
    assert!(
        files >= many as u64 + OTHER_FILES,
        "a process may open {files} files: raise that, or say FIRN_TEST_CONNECTIONS={}",
        files.saturating_sub(OTHER_FILES)
    );
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let address = server.address();
    let mut root = client(address, None).await.unwrap();
    rows(&mut root, "SET GLOBAL max_connections = 100000").await.unwrap();
    // What the first ones bring with them is not counted.
    let warm: Vec<_> = stream::iter(0..100)
        .map(|_| client(address, None))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
        .unwrap();
    let before = resident_bytes(&server);
    let begun = Instant::now();
    let mut clients: Vec<_> = stream::iter(0..many)
        .map(|_| client(address, None))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
        .unwrap();
    let opened = begun.elapsed();
    // Those that wait give their buffers back after a while.
    let mut idle = resident_bytes(&server);
    let waiting = Instant::now();
    while waiting.elapsed() < REST_MAX {
        idle = idle.min(resident_bytes(&server));
        tokio::task::yield_now().await;
    }
    let answers = stream::iter(clients.iter_mut().enumerate())
        .map(|(n, client)| async move {
            let sql = format!("SELECT {n} + 1");
            rows(client, &sql).await.map(|rows| rows == [[(n + 1).to_string()]])
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<bool>>()
        .await
        .unwrap();
    assert!(answers.iter().all(|right| *right) && answers.len() == many);
    let used = resident_bytes(&server);
    let each = |bytes: u64| bytes.saturating_sub(before) / many as u64;
    eprintln!(
        "{many} connections in {opened:?}: {} bytes each when idle, {} behind a query; \
         the process {} MiB before, {} MiB with all",
        each(idle),
        each(used),
        before >> 20,
        used >> 20
    );
    if !cfg!(debug_assertions) {
        assert!(each(idle) <= BYTES_MAX, "{} bytes each", each(idle));
    }
    drop((warm, clients));
    server.stop();
}
