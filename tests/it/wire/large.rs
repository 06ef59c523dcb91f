//! Transactions that are many times larger than the server's memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use firn_mysql_protocol::client::{Client, ClientConfig};
use firn_mysql_protocol::tls::ClientTls;
use tokio::net::TcpStream;

use super::Server;
use super::server::{firn, rows};

/// Rows of the table, unless `FIRN_TEST_ROWS` says otherwise.
const ROWS: u64 = 10_000_000;

/// The memory that the server is allowed, in MiB, unless `FIRN_TEST_MEMORY_MIB` says
/// otherwise.
const MEMORY_MIB: u64 = 512;

/// Bytes of the text of each row, unless `FIRN_TEST_ROW_BYTES` says otherwise.
const ROW_BYTES: u64 = 40;

/// How long one statement may take.
const ANSWER_MAX: Duration = Duration::from_secs(3600);

/// Between two looks at the server's memory.
const LOOK: Duration = Duration::from_millis(50);

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Looks at the server's resident memory as long as it lives.
struct Watch {
    peak: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
}

impl Watch {
    fn begin(server: &Server) -> Self {
        let (peak, ends) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let watch = Self { peak: Arc::clone(&peak), ends: Arc::clone(&ends) };
        let file = format!("/proc/{}/status", server.pid().as_raw_nonzero());
        std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed)
                && let Ok(status) = std::fs::read_to_string(&file)
            {
                let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
                let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
                peak.fetch_max(kib.unwrap_or(0) << 10, Ordering::Relaxed);
                std::thread::sleep(LOOK);
            }
        });
        watch
    }

    /// The most since the last time, in MiB.
    fn take(&self) -> u64 {
        self.peak.swap(0, Ordering::Relaxed) >> 20
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

/// `cargo test --release --test it wire::large -- --ignored --nocapture`; with
/// `FIRN_TEST_PROGRAM` another `firn` than the one that was built with it.
#[tokio::test]
#[ignore = "needs some minutes and 10 GB of disk"]
async fn ten_million_rows_in_one_transaction_stay_within_the_memory() {
    let (many, memory) =
        (number("FIRN_TEST_ROWS", ROWS), number("FIRN_TEST_MEMORY_MIB", MEMORY_MIB));
    let bytes = number("FIRN_TEST_ROW_BYTES", ROW_BYTES);
    let program = std::env::var_os("FIRN_TEST_PROGRAM").map(PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let args = ["up", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
    let mut command = match &program {
        None => firn(folder.path(), &args),
        Some(program) => {
            let mut command = std::process::Command::new(program);
            command.args(args).current_dir(folder.path());
            command
        }
    };
    command.env("FIRN_DISK_CACHE_BYTES_MAX", "0");
    command.env("FIRN_MEMORY_BYTES_MAX", format!("{memory} MiB"));
    let server = Server::start_as(command, &folder.path().join("stderr"));
    let watch = Watch::begin(&server);
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let config = ClientConfig {
        user: "root".into(),
        tls: ClientTls::Disabled,
        answer_timeout: ANSWER_MAX,
        ..ClientConfig::default()
    };
    let mut root = Client::connect(stream, &config).await.unwrap();
    let table =
        format!("(id INT PRIMARY KEY, v INT, note VARCHAR({}), KEY v (v))", bytes.max(40) + 20);
    let mut most = 0;
    let mut run = async |what: &str, sql: String| {
        let begun = Instant::now();
        rows(&mut root, &sql).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let (took, peak) = (begun.elapsed(), watch.take());
        eprintln!("{what}: {:.1} s, at most {peak} MiB of {memory}", took.as_secs_f64());
        most = most.max(peak);
    };
    run("a database", "CREATE DATABASE d".into()).await;
    for name in ["s", "t"] {
        run("a table", format!("CREATE TABLE d.{name} {table}")).await;
    }
    run("the first row", format!("INSERT INTO d.s VALUES (0, 0, REPEAT('n', {bytes}))")).await;
    let mut there = 1;
    while there < many {
        let more = there.min(many - there).min(100_000).min((200 << 20) / bytes);
        let sql = format!(
            "INSERT INTO d.s SELECT id + {there}, id % 1000, CONCAT(REPEAT('n', {bytes}), id) \
             FROM d.s WHERE id < {more}"
        );
        run("rows to copy", sql).await;
        there += more;
    }
    run("BEGIN", "BEGIN".into()).await;
    run("INSERT … SELECT", "INSERT INTO d.t SELECT * FROM d.s".into()).await;
    run("SAVEPOINT", "SAVEPOINT s".into()).await;
    run("UPDATE within it", "UPDATE d.t SET v = v + 1".into()).await;
    run("ROLLBACK TO", "ROLLBACK TO s".into()).await;
    run("COMMIT", "COMMIT".into()).await;
    run("UPDATE of all rows and an index", "UPDATE d.t SET v = v + 1".into()).await;
    run("BEGIN", "BEGIN".into()).await;
    run("UPDATE to roll back", "UPDATE d.t SET v = v + 1".into()).await;
    run("ROLLBACK", "ROLLBACK".into()).await;
    run("DELETE", "DELETE FROM d.t WHERE id % 2 = 0".into()).await;
    let left = rows(&mut root, "SELECT COUNT(*), SUM(v) FROM d.t").await.unwrap();
    let odd: u64 = (0..many).filter(|id| id % 2 == 1).count() as u64;
    assert_eq!(left[0][0], odd.to_string());
    eprintln!("{many} rows of {bytes} bytes and more: at most {most} MiB of {memory}");
    if !cfg!(debug_assertions) || program.is_some() {
        assert!(most <= memory, "{most} MiB of {memory}");
    }
    drop(watch);
    server.stop();
}
