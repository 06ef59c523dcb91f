//! The object store of a cluster goes away and comes back.

use std::time::{Duration, Instant};

use firn_testing_s3::{ACCESS_KEY, REGION, SECRET_KEY, Server};

use super::gate::{Gate, Mode};
use super::hosts::Hosts;
use super::load::{self, Load, WRITERS};
use super::parts::{Part, Parts};

/// Characters of a row's text at most: memory fills within seconds.
const PAD_MAX: u64 = 60_000;
/// How long it may take until what has piled up is flushed.
const FLUSHED_MAX: Duration = Duration::from_secs(300);
/// Less than this is what comes in all the time.
const KEPT_MAX: u64 = 12 << 20;

/// Transactions during the outage: how many were acknowledged, how many failed, and how many
/// of these because they were not admitted in time.
struct Seen {
    acked: usize,
    failed: u64,
    refused: u64,
}

async fn outage(away: Duration) -> Seen {
    let store = Server::start("firn").await.unwrap();
    let at = store.endpoint().strip_prefix("http://").unwrap().parse().unwrap();
    let gate = Gate::to(at).await;
    let settings = vec![
        ("FIRN_OBJECT_STORE__URL", "s3://firn/db".to_owned()),
        ("FIRN_OBJECT_STORE__ENDPOINT", format!("http://{}", gate.address())),
        ("FIRN_OBJECT_STORE__ALLOW_HTTP", "true".to_owned()),
        ("FIRN_OBJECT_STORE__REGION", REGION.to_owned()),
        ("FIRN_OBJECT_STORE__ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
        ("FIRN_OBJECT_STORE__SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let start = || Parts::start(Hosts::loopback(), folder.path(), settings, false);
    let mut parts = tokio::task::block_in_place(start).unwrap();
    let address = parts.writer_address();
    load::prepare(address).await.unwrap();
    let mut load = Load::start(address, PAD_MAX);
    let since = |begun: Instant, load: &Load| load.resumed(begun, &[0, 1, 2, 3]).is_some();
    let begun = Instant::now();
    while load.acked().iter().sum::<u64>() < 200 {
        assert!(begun.elapsed() < FLUSHED_MAX, "{:?}", load.errors());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    load.take_acks();
    let failed = |load: &Load| load.errors().iter().map(|(_, count)| count).sum::<u64>();
    let before = failed(&load);
    let begun = Instant::now();
    gate.set(Mode::Refused);
    while begun.elapsed() < away {
        if begun.elapsed() > away / 2 {
            gate.set(Mode::Silent);
        }
        parts.all_run().unwrap();
        load.wrong().unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let acks = load.take_acks();
    let longest = acks.iter().map(|ack| ack.at - ack.begun).max().unwrap_or_default();
    let refused = load.errors().into_iter().filter(|(why, _)| why.contains("not admitted within"));
    let refused = refused.map(|(_, count)| count).sum();
    let seen = Seen { acked: acks.len(), failed: failed(&load) - before, refused };
    eprintln!(
        "{away:?} without a store: {} commits, the longest {longest:.1?}; {} failed; journal {} MiB",
        seen.acked,
        seen.failed,
        parts.kept_bytes().await >> 20,
    );
    for (error, count) in load.errors() {
        eprintln!("{count} times: {error}");
    }

    // It comes back: writes go on by themselves, and what has piled up is flushed.
    gate.set(Mode::Open);
    let begun = Instant::now();
    while !since(begun, &load) {
        assert!(begun.elapsed() < FLUSHED_MAX, "{:?}", load.errors());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!("writes go on after {:.1?}", begun.elapsed());
    load.stop().await;
    load.wrong().unwrap();
    while parts.kept_bytes().await > KEPT_MAX {
        assert!(begun.elapsed() < FLUSHED_MAX, "{} bytes in the journal", parts.kept_bytes().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    eprintln!("everything is flushed after {:.1?}", begun.elapsed());
    parts.all_run().unwrap();
    load.check(address, [0; WRITERS]).await.unwrap().unwrap();
    // All of it is in the store and the journal, none in the process.
    parts.kill(Part::Compute(0));
    tokio::task::block_in_place(|| parts.run(Part::Compute(1))).unwrap();
    parts.writer = 1;
    load.check(parts.writer_address(), [0; WRITERS]).await.unwrap().unwrap();
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_whose_object_store_is_away_for_seconds_goes_on_writing() {
    let seen = outage(Duration::from_secs(6)).await;
    assert!(seen.acked > 0, "no write went on");
    assert_eq!(seen.failed, 0, "there was room for more");
}

/// `FIRN_TEST_AWAY_S=600 cargo test --test it cluster::rounds::away -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs ten minutes"]
async fn a_cluster_whose_object_store_is_away_for_minutes_delays_then_refuses_then_catches_up() {
    let away = std::env::var("FIRN_TEST_AWAY_S").map_or(600, |seconds| seconds.parse().unwrap());
    let seen = outage(Duration::from_secs(away)).await;
    assert!(seen.acked > 0, "no write went on");
    assert!(seen.refused > 0, "nobody was delayed and then told why");
}
