//! ALTER TABLE beside writers, and a server that is killed under them: afterwards the
//! table is the old one or the new one, and its indexes are what its rows give.
//!
//! `FIRN_CRASH_WIRE_ROUNDS=n` makes `n` lives, `FIRN_SEED=n` repeats a run.

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::Server;
use super::server::{WAIT_MAX, client, number, rows};

/// Lives, unless told otherwise.
const ROUNDS: u64 = 6;
const ROWS: u64 = 12_000;
const WRITERS: u64 = 2;

/// Writes until the server is gone. Values of `a` stay unique.
async fn write(address: std::net::SocketAddr, seed: u64, first: u64) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut client = client(address, Some("d")).await.unwrap();
    for fresh in first.. {
        let id = rng.random_range(0..ROWS);
        let sql = match rng.random_range(0..4) {
            0 => format!("UPDATE w SET b = 'u{}' WHERE id = {id}", fresh % 50),
            1 => format!("INSERT INTO w VALUES ({fresh}, {fresh}, 'new')"),
            2 => format!("DELETE FROM w WHERE id = {id}"),
            _ => format!("UPDATE w SET id = {fresh}, a = {fresh} WHERE id = {id}"),
        };
        match rows(&mut client, &sql).await {
            Ok(_) => {}
            Err(error) if matches!(number(&error), 1062 | 1205 | 1213) => {}
            Err(_) => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_altered_survives_a_kill_wholly_old_or_wholly_new() {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<u64>().unwrap());
    let rounds = number("FIRN_CRASH_WIRE_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("FIRN_SEED").unwrap_or_else(rand::random);
    eprintln!("FIRN_SEED={seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let start = || Server::start(folder.path(), &["--data-dir", "data"]);
    let (mut done, mut undone) = (0, 0);
    for round in 0..=rounds {
        let server = start();
        let mut watch = client(server.address(), None).await.unwrap();
        if round == 0 {
            rows(&mut watch, "CREATE DATABASE d").await.unwrap();
            rows(&mut watch, "USE d").await.unwrap();
            let table = "CREATE TABLE w (id INT PRIMARY KEY, a INT NOT NULL, b VARCHAR(40))";
            rows(&mut watch, table).await.unwrap();
            for from in (0..ROWS).step_by(1000) {
                let list: Vec<String> =
                    (from..from + 1000).map(|id| format!("({id}, {id}, 'b{}')", id % 9)).collect();
                let insert = format!("INSERT INTO w VALUES {}", list.join(", "));
                rows(&mut watch, &insert).await.unwrap();
            }
        } else {
            rows(&mut watch, "USE d").await.unwrap();
        }
        // What is there is right, whichever it is.
        let table = rows(&mut watch, "SHOW CREATE TABLE w").await.unwrap();
        let indexes: Vec<&str> = ["b", "a"]
            .into_iter()
            .filter(|k| table[0][1].contains(&format!("KEY `{k}`")))
            .collect();
        let sum = "SELECT COUNT(*), SUM(id), SUM(a) FROM w";
        let by_rows = rows(&mut watch, &format!("{sum} USE INDEX ()")).await.unwrap();
        for index in &indexes {
            let by_index = format!("{sum} FORCE INDEX ({index})");
            let by_index = rows(&mut watch, &by_index).await.unwrap();
            assert_eq!(by_index, by_rows, "round {round}, {index}, FIRN_SEED={seed}");
            let sorted = |hint: &str| format!("SELECT {index}, id FROM w {hint} ORDER BY 1, 2");
            let one = rows(&mut watch, &sorted("USE INDEX ()")).await.unwrap();
            let other = rows(&mut watch, &sorted(&format!("FORCE INDEX ({index})"))).await.unwrap();
            assert_eq!(one, other, "round {round}, {index}, FIRN_SEED={seed}");
        }
        if round == rounds {
            server.stop();
            break;
        }
        let sql = match (indexes.contains(&"a"), indexes.contains(&"b"), round % 3) {
            (_, _, 2) => "ALTER TABLE w FORCE",
            (false, _, _) => "ALTER TABLE w ADD UNIQUE a (a)",
            (true, false, _) => "ALTER TABLE w ADD INDEX b (b)",
            (true, true, _) => "ALTER TABLE w DROP INDEX a, DROP INDEX b, ADD INDEX b (b, a)",
        };
        let writers: Vec<_> = (0..WRITERS)
            .map(|at| {
                let first = (round + 1) * 10_000_000 + at * 5_000_000;
                tokio::spawn(write(server.address(), rng.random(), first))
            })
            .collect();
        let mut altering = client(server.address(), Some("d")).await.unwrap();
        let alter = tokio::spawn(async move { rows(&mut altering, sql).await.is_ok() });
        // It has begun, and goes on for a while.
        let begun = Instant::now();
        let at = "SELECT COUNT(*) FROM performance_schema.events_stages_current";
        while !alter.is_finished() && rows(&mut watch, at).await.unwrap() == [["0"]] {
            assert!(begun.elapsed() < WAIT_MAX, "it does not begin");
        }
        let life = Duration::from_millis(rng.random_range(0..2500));
        let begun = Instant::now();
        while begun.elapsed() < life {
            rows(&mut watch, "SELECT COUNT(*) FROM w WHERE id = 1").await.unwrap();
        }
        server.kill();
        match alter.await.unwrap() {
            true => done += 1,
            false => undone += 1,
        }
        for writer in writers {
            writer.await.unwrap();
        }
    }
    eprintln!("{done} were done, {undone} were not when the server was killed");
}
