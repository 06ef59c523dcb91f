//! Statements and packets by chance through the whole server: whatever comes, there is an
//! answer or an error of MySQL's within a bound, and the connection serves the next one.
//!
//! `make fuzz` runs many; `FIRN_FUZZ_SEED` begins with one seed, `FIRN_FUZZ_ROUNDS` says how
//! many statements there are. What has failed once is in `found.rs`.

mod bytes;
mod found;
mod packets;
mod statements;

use std::time::Duration;

use firn_mysql_protocol::Error;
use tokio::time::timeout;

use crate::differential::Random;
use crate::support::{TestClient, TestServer, World, config};

/// Statements of one connection; so many of each kind run with every CI.
const ROUNDS: u64 = 2000;
/// A statement that has not ended by then hangs.
const LONG: Duration = Duration::from_secs(180);
/// What queries are given; MySQL ends them with error 3024 then.
const QUERY_MILLIS: u64 = 3000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The seed and how many rounds there are.
fn asked(usual: u64) -> (u64, u64) {
    (number("FIRN_FUZZ_SEED").unwrap_or(usual), number("FIRN_FUZZ_ROUNDS").unwrap_or(ROUNDS))
}

/// What would end or lock out the server of all other tests is left out, and what waits.
fn is_harmless(text: &[u8]) -> bool {
    const LEFT_OUT: &[&str] = &[
        "shutdown",
        "restart",
        "kill",
        "sleep",
        "benchmark",
        "get_lock",
        "global",
        "persist",
        "user",
        "role",
        "grant",
        "revoke",
        "password",
        "lock tables",
        "lock table",
        "flush",
        "instance",
        "load",
        "outfile",
        "dumpfile",
        "replica",
        "slave",
        "source",
        "binlog",
        "clone",
        "install",
        "wait",
        "set @@",
        "max_execution_time",
        "sql_mode",
        "firn_",
        "max_allowed_packet",
    ];
    let lower = String::from_utf8_lossy(text).to_ascii_lowercase();
    LEFT_OUT.iter().all(|word| !lower.contains(word))
}

struct Fuzzed {
    server: TestServer,
    client: TestClient,
    /// Where it is, for who has to play it again.
    seed: u64,
    answers: u64,
    errors: u64,
}

impl Fuzzed {
    async fn start(seed: u64) -> Fuzzed {
        let server = World::new().start().await;
        let client = server.client().await;
        let mut fuzzed = Fuzzed { server, client, seed, answers: 0, errors: 0 };
        fuzzed.prepare().await;
        fuzzed
    }

    /// Another connection, to a database that is there.
    async fn prepare(&mut self) {
        self.client = TestClient(
            self.server.try_config(config()).await.expect("a new connection is taken").0,
        );
        let setup = format!(
            "CREATE DATABASE IF NOT EXISTS fuzz; USE fuzz; SET max_execution_time = \
             {QUERY_MILLIS}, lock_wait_timeout = 1, innodb_lock_wait_timeout = 1"
        );
        self.client.run(&setup).await;
    }

    /// One statement: an answer or an error, and then the connection still answers.
    async fn run(&mut self, sql: &[u8]) {
        let shown = String::from_utf8_lossy(&sql[..sql.len().min(4000)]).into_owned();
        let seed = self.seed;
        match timeout(LONG, self.client.0.query_all(sql)).await {
            Ok(Ok(_)) => self.answers += 1,
            Ok(Err(Error::Sql(error))) => {
                self.errors += 1;
                let state = error.sqlstate.iter().all(u8::is_ascii_alphanumeric);
                assert!(error.number >= 1000 && state, "seed {seed}: {error:?} for {shown:?}");
                // A fault of the server's own.
                let inner = error.number == 1105 || error.number == 1815;
                assert!(!inner, "seed {seed}: {error:?} for {shown:?}");
            }
            Ok(Err(error)) => panic!("seed {seed}: the connection is lost: {error}: {shown:?}"),
            Err(_) => panic!("seed {seed}: no end of {shown:?}"),
        }
        self.is_usable(&shown).await;
    }

    async fn is_usable(&mut self, shown: &str) {
        let seed = self.seed;
        let answer = timeout(LONG, self.client.0.query_all(b"SELECT 1")).await;
        assert!(matches!(answer, Ok(Ok(_))), "seed {seed}: no SELECT 1 behind {shown:?}");
    }
}

/// Runs it on threads with the stacks that a server's have: the tallest expression that is
/// parsed is bound and computed on them.
fn on_server_stacks(run: impl Future<Output = ()>) {
    let stack_bytes = if cfg!(debug_assertions) { 128 << 20 } else { 16 << 20 };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(stack_bytes)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run);
}

async fn grammar(seed: u64, rounds: u64) {
    let mut fuzzed = Fuzzed::start(seed).await;
    let mut random = Random::new(seed);
    let mut source = statements::Statements::new(&mut random);
    for sql in source.setup() {
        fuzzed.run(sql.as_bytes()).await;
    }
    for _ in 0..rounds {
        let sql = source.next(&mut random);
        if is_harmless(&sql) {
            fuzzed.run(&sql).await;
        }
    }
    assert!(fuzzed.answers > 20 && fuzzed.errors > 20, "{} {}", fuzzed.answers, fuzzed.errors);
}

async fn mutated(seed: u64, rounds: u64) {
    let corpus = bytes::corpus();
    assert!(corpus.len() > 1000, "{} statements", corpus.len());
    let mut fuzzed = Fuzzed::start(seed).await;
    let mut random = Random::new(seed);
    for _ in 0..rounds {
        let sql = bytes::mutated(&mut random, &corpus);
        if is_harmless(&sql) {
            fuzzed.run(&sql).await;
        }
    }
    assert!(fuzzed.errors > 20, "{}", fuzzed.errors);
}

async fn damaged_packets(seed: u64, rounds: u64) {
    let mut fuzzed = Fuzzed::start(seed).await;
    fuzzed.client.run("CREATE TABLE p (a INT, b VARCHAR(20), c DATETIME(3), d JSON)").await;
    let mut random = Random::new(seed);
    for _ in 0..rounds {
        let packet = packets::damaged(&mut random);
        if is_harmless(&packet) {
            packets::send(&mut fuzzed, &packet).await;
        }
    }
}

#[test]
fn nonsense_is_answered() {
    let (seed, rounds) = asked(20_261_122);
    on_server_stacks(grammar(seed, rounds));
}

#[test]
fn mutated_statements_are_answered() {
    let (seed, rounds) = asked(20_261_123);
    on_server_stacks(mutated(seed, rounds));
}

#[test]
fn damaged_packets_are_answered() {
    let (seed, rounds) = asked(20_261_124);
    on_server_stacks(damaged_packets(seed, rounds / 8));
}

/// Kilobytes that the process holds.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("there is one");
    line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number")
}

/// As many as `FIRN_FUZZ_ROUNDS` (100,000) says, of all kinds, from a seed by chance.
#[test]
#[ignore = "runs long"]
#[allow(clippy::print_stdout, reason = "the seed is what plays it again")]
fn many_statements_are_answered() {
    let by_chance = u64::from(std::process::id()) * 7919;
    let seed = number("FIRN_FUZZ_SEED").unwrap_or(by_chance);
    let rounds = number("FIRN_FUZZ_ROUNDS").unwrap_or(100_000);
    println!("FIRN_FUZZ_SEED={seed} FIRN_FUZZ_ROUNDS={rounds}");
    let each = 2000;
    let mut most = 0;
    for part in 0..rounds.div_ceil(3 * each) {
        let seed = seed + part;
        on_server_stacks(grammar(seed, each));
        on_server_stacks(mutated(seed, each));
        on_server_stacks(damaged_packets(seed, each / 8));
        most = most.max(resident_kib());
        println!("seed {seed}: answered; {} MiB", resident_kib() / 1024);
        assert!(resident_kib() < 6 << 20, "{} KiB are held", resident_kib());
    }
    println!("at most {} MiB", most / 1024);
}
