//! Concurrent clients, and a server that is killed or moved to another machine
//! under them: what was acknowledged is there, wholly and in order.
//!
//! `FIRN_CRASH_WIRE_ROUNDS=n` makes `n` lives of each kind, `FIRN_SEED=n`
//! repeats a run: the seed decides what is written and how long a life lasts.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::Server;
use super::history::History;
use super::server::{client, rows};

/// Lives of each kind, unless told otherwise.
const ROUNDS: u32 = 5;
const WRITERS: u64 = 6;

/// How a life ends, and what the next one finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// kill -9, and the same folder.
    Killed,
    /// kill -9 with the object store's journal, and no folder.
    KilledAndMoved,
    /// SIGTERM, and no folder.
    StoppedAndMoved,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_all_that_it_acknowledged() {
    lives(Kind::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_journal_in_the_object_store_a_kill_loses_nothing_without_the_folder() {
    lives(Kind::KilledAndMoved).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_clean_stop_the_object_store_has_everything() {
    lives(Kind::StoppedAndMoved).await;
}

async fn lives(kind: Kind) {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<u64>().unwrap());
    let rounds = number("FIRN_CRASH_WIRE_ROUNDS").map_or(ROUNDS, |n| u32::try_from(n).unwrap());
    let seed = number("FIRN_SEED").unwrap_or_else(rand::random);
    eprintln!("{kind:?}: FIRN_SEED={seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let history = Arc::new(History::default());
    for round in 0..=rounds {
        let server = start(kind, folder.path());
        let mut watch = client(server.address(), None).await.unwrap();
        if round == 0 {
            History::prepare(&mut watch).await.unwrap();
        }
        if let Err(why) = history.check(&mut watch).await {
            panic!("{kind:?}, round {round}, FIRN_SEED={seed}: {why}");
        }
        if round == rounds {
            server.stop();
            break;
        }
        history.begin_round(&mut watch, round).await.unwrap();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let history = Arc::clone(&history);
                tokio::spawn(history.write(server.address(), round, rng.random()))
            })
            .collect();
        // The sum holds at every moment, for whoever looks.
        let acked = history.acked();
        let life = Duration::from_millis(rng.random_range(50..900));
        let begun = Instant::now();
        while begun.elapsed() < life || history.acked() < acked + 5 {
            assert!(begun.elapsed() < super::server::WAIT_MAX, "nobody writes");
            let sum = rows(&mut watch, "SELECT SUM(balance) FROM bank.accounts").await.unwrap();
            assert_eq!(sum, [["8000"]], "FIRN_SEED={seed}");
        }
        match kind {
            Kind::StoppedAndMoved => server.stop(),
            Kind::Killed | Kind::KilledAndMoved => server.kill(),
        }
        for writer in writers {
            let error = writer.await.unwrap();
            let expected = matches!(super::server::number(&error), 0 | 1053);
            assert!(expected, "{kind:?}, FIRN_SEED={seed}: {error}");
        }
        if kind != Kind::Killed {
            std::fs::remove_dir_all(folder.path().join("data")).unwrap();
        }
    }
    eprintln!("{kind:?}: {} transactions acknowledged", history.acked());
}

fn start(kind: Kind, folder: &Path) -> Server {
    let journal = if kind == Kind::KilledAndMoved { "object" } else { "local" };
    let args = ["--data-dir", "data", "--object-store", "objects", "--journal", journal];
    Server::start(folder, &args)
}
