//! The whole cluster in one thread, from one seed.
//!
//! Three members of the journal, two storage services, three workers and two engines that
//! contend for the branch, all as processes of their own over gRPC, on one object store in
//! memory. Processes are killed, losing what they had not synced, and started again; they are
//! paused and come back; the network is slow, breaks and parts; the object store fails, is
//! slow, throttles, loses replies, does what it is asked twice, answers late. Garbage is
//! collected all the while.
//!
//! Checked along the way and at the end: see `ledger` for writes and reads, `witness` for the
//! manifest and the object store, `finale` for files, column copies and the members' logs.
//!
//! | file | is |
//! |---|---|
//! | `process` | a process: its environment, and the gate through which it touches the world |
//! | `network`, `store` | the ways between processes, and to the object store |
//! | `cluster` | the parts, each in a process |
//! | `compute` | an engine with its clients |
//! | `nemesis` | what goes wrong |
//! | `ledger`, `witness`, `finale` | what must hold |
//! | `planted` | bugs that must be found |
//!
//! Not simulated: bytes that go bad, disks of members (they have tests that cut the power at
//! every moment), clocks that run at different speeds.

mod cluster;
mod compute;
mod finale;
mod ledger;
mod nemesis;
mod network;
mod planted;
mod process;
mod replaced;
mod store;
mod trace;
mod verdict;
mod witness;

use std::num::NonZero;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use firn_engine::Env;
use firn_engine::object::FaultPlan;

use cluster::{Cluster, machines};
use nemesis::Nemesis;
use network::Net;
use parking_lot::Mutex;
use planted::Planted;
use trace::digested;

/// How long faults go on.
const STORM: Duration = Duration::from_secs(150);

/// What has happened in a run, for people.
fn summary(cluster: &Cluster, faults: u64) -> String {
    let (story, ledger) = (cluster.witness.story(), cluster.ledger.lock());
    format!(
        "{} batches acknowledged, {} unknown; {} openings of {} claims, {} reads compared; \
         {} versions, {} merges, {} objects deleted; {faults} faults; ends with {:016x}",
        ledger.acknowledged(),
        ledger.unknown(),
        ledger.openings,
        story.claims,
        ledger.reads,
        story.versions,
        story.merges,
        story.deleted,
        cluster.env.random_u64(),
    )
}

/// One cluster's life; what was wrong if something was.
async fn live(seed: u64, planted: Planted) -> Result<String, String> {
    let env = Env::simulated(seed);
    let below = |bound: u64| env.random_u64() % bound;
    let break_one_in = [0, 3000, 600][below(3) as usize];
    let net = Net::new(env.clone(), break_one_in, below(12));
    let mut plan = FaultPlan::everything([0, 5, 20][below(3) as usize]);
    plan.delay_max = Duration::from_millis([10, 500, 10_000][below(3) as usize]);
    let pause_ms = [2000, 8000, 30_000][below(3) as usize];
    let mut cluster = Cluster::new(&env, net, plan);
    cluster.planted = planted;
    cluster.standby_ms_max = [3000, 15_000, 60_000][below(3) as usize];
    for machine in machines() {
        cluster.start(machine).await.map_err(|e| format!("machine {machine}: {e:?}"))?;
    }
    let mut nemesis = Nemesis::default();
    let end = env.now().after(STORM);
    let mut next = env.now().after(Duration::from_secs(5));
    while env.now() < end {
        env.sleep(Duration::from_millis(100)).await;
        nemesis.relent(&mut cluster).await;
        if env.now() >= next {
            nemesis.strike(&mut cluster);
            next = env.now().after(Duration::from_millis(cluster.below(pause_ms)));
        }
        if let Some(wrong) = cluster.verdict.found() {
            return Err(wrong);
        }
    }
    nemesis.heal(&mut cluster).await;
    finale::check(&mut cluster).await?;
    if let Some(wrong) = cluster.verdict.found() {
        return Err(wrong);
    }
    Ok(summary(&cluster, nemesis.faults))
}

fn run(seed: u64) -> Result<String, String> {
    run_with(seed, Planted::Nothing)
}

fn run_with(seed: u64, planted: Planted) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(live(seed, planted))
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// Runs seeds: `FIRN_SEED=n` starts at that one, `FIRN_SEEDS=n` runs that many, on as many
/// threads as there are cores, each of which runs whole worlds.
fn run_seeds(count: u64) {
    let seed = setting("FIRN_SEED");
    let count = setting("FIRN_SEEDS").unwrap_or(if seed.is_some() { 1 } else { count });
    let start = seed.unwrap_or_else(|| rand::random::<u32>().into());
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        while failed.lock().is_empty() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let seed = start + number;
            match catch_unwind(|| run(seed)) {
                Ok(Ok(summary)) => eprintln!("seed {seed}: {summary}"),
                Ok(Err(wrong)) => failed.lock().push(format!("FIRN_SEED={seed}: {wrong}")),
                Err(_) => failed.lock().push(format!("FIRN_SEED={seed}: a panic")),
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(usize::try_from(count).unwrap_or(cores));
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let failed = failed.into_inner();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// One seed again: `FIRN_SEED=n`, and `FIRN_TRACE=1` prints what happens.
#[test]
fn a_cluster_keeps_what_it_acknowledged_whatever_fails() {
    run_seeds(200);
}

/// `FIRN_SEEDS=5000 cargo test --test it -- --ignored simulation::many`
#[test]
#[ignore = "needs as much time as it is given"]
fn many_clusters_keep_what_they_acknowledged_whatever_fails() {
    run_seeds(1000);
}

/// What a seed has found is there to be looked at again.
#[test]
fn the_same_seed_is_the_same_run() {
    let start = setting("FIRN_SEED").unwrap_or_else(|| rand::random::<u32>().into());
    for seed in start..start + setting("FIRN_SEEDS").unwrap_or(4) {
        let first = digested(|| run(seed));
        let again = digested(|| run(seed));
        assert_eq!(first, again, "FIRN_SEED={seed}");
    }
}
