//! The whole cluster in one thread, from one seed.
//!
//! Three members of the journal, which others replace, two storage services, three workers,
//! two engines that contend for `main`, and one that makes branches and serves them, all as
//! processes of their own over gRPC, on one object store in memory, which also holds the
//! journal's archive. Processes are killed, losing what they had not synced, and started again;
//! they are paused and come back; their wall clocks jump, each by itself; the network is slow,
//! breaks and parts; the object store fails, is slow, throttles, loses replies, does what it is
//! asked twice, answers late. Garbage is collected all the while.
//!
//! Checked along the way and at the end: see `ledger` for writes and reads, `witness` for the
//! manifests and the object store, `archive` for what is trimmed, `finale` for files, column
//! copies and the members' logs.
//!
//! | file | is |
//! |---|---|
//! | `process` | a process: its environment, and the gate through which it touches the world |
//! | `network`, `store` | the ways between processes, and to the object store |
//! | `cluster` | the parts, each in a process |
//! | `compute` | an engine with its clients |
//! | `forest`, `gardener` | the branches; who makes, serves and drops them |
//! | `operator` | who changes the journal's members and leaders |
//! | `nemesis` | what goes wrong |
//! | `ledger`, `witness`, `archive`, `finale` | what must hold |
//! | `planted` | bugs that must be found |
//!
//! Not simulated: bytes that go bad, disks of members (they have tests that cut the power at
//! every moment), clocks that run at different speeds.

mod archive;
mod cluster;
mod compute;
mod finale;
mod forest;
mod gardener;
mod ledger;
mod nemesis;
mod network;
mod operator;
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

use cluster::Cluster;
use ledger::Ledger;
use nemesis::Nemesis;
use network::Net;
use operator::Operator;
use parking_lot::Mutex;
use planted::Planted;
use trace::digested;

/// How long faults go on.
const STORM: Duration = Duration::from_secs(150);

/// What has happened in a run, for people.
fn summary(cluster: &Cluster, faults: u64, changed: u64) -> String {
    let story = cluster.witness.story();
    let trees = cluster.forest.trees();
    let ledgers = || std::iter::once(&cluster.ledger).chain(trees.iter().map(|t| &t.ledger));
    let sum = |of: fn(&Ledger) -> u64| ledgers().map(|ledger| of(&ledger.lock())).sum::<u64>();
    format!(
        "{} batches acknowledged, {} unknown; {} openings of {} claims, {} reads compared; \
         {} branches, {} versions, {} merges, {} objects deleted, {} segments archived; \
         {changed} members changed; {faults} faults; ends with {:016x}",
        sum(|ledger| ledger.acknowledged() as u64),
        sum(|ledger| ledger.unknown() as u64),
        sum(|ledger| ledger.openings),
        story.claims,
        sum(|ledger| ledger.reads),
        story.branches - 1,
        story.versions,
        story.merges,
        story.deleted,
        story.segments,
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
    cluster.garden_ms_max = [0, 4000, 12_000][below(3) as usize];
    cluster.archiving = below(4) > 0;
    let mut operator = Operator::new(below(3) > 0);
    for machine in cluster.machines() {
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
        operator.step(&mut cluster).await;
        archive::trims_are_right(&cluster);
        if let Some(wrong) = cluster.verdict.found() {
            return Err(wrong);
        }
    }
    nemesis.heal(&mut cluster).await;
    operator.finish(&mut cluster).await?;
    finale::check(&mut cluster).await?;
    if let Some(wrong) = cluster.verdict.found() {
        return Err(wrong);
    }
    Ok(summary(&cluster, nemesis.faults, operator.changed))
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

/// `make seeds SEEDS=5000`
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
