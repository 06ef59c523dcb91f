//! When the faults are over: everything is there, compaction comes to rest, nothing that is
//! named is missing, columns hold what rows hold, and the members' logs are the same.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::object::{BlockSource, ObjectKind, RetryOptions, RetryingStore, StoreBlocks};
use firn_engine::{BranchName, Db, Seq, sst};

use super::cluster::{Cluster, JOURNALS, STORAGES};
use super::compute::rows_of;
use super::network::Machine;
use super::process::Process;

/// The machine from which it is looked.
const OBSERVER: Machine = 99;
/// How long anything may take when nothing is wrong any more.
const CALM_MAX: Duration = Duration::from_secs(900);
/// No new version for so long means rest: several rounds of upkeep.
const QUIET: Duration = Duration::from_secs(75);
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) async fn check(cluster: &mut Cluster) -> Result<(), String> {
    let process = Process::start(&cluster.env, &cluster.verdict);
    cluster.add_machine(OBSERVER);
    // What was stopping in good order has done so, and what was not has lost its lease.
    cluster.env.sleep(Duration::from_secs(90)).await;
    let db = open(cluster, &process).await?;
    let failed = |doing: &'static str| move |e: firn_engine::Error| format!("{doing}: {e:?}");
    let snapshot = db.snapshot();
    let rows = rows_of(&snapshot).await.map_err(failed("reading everything"))?;
    let epoch = db.stats().epoch;
    let expected = cluster.ledger.lock().opened(epoch, snapshot.seq(), &rows);
    drop(snapshot);
    db.flush(LIMIT).await.map_err(failed("flushing"))?;
    unpark(cluster).await?;
    settle(cluster).await?;
    let rows = rows_of(&db.snapshot()).await.map_err(failed("reading everything again"))?;
    cluster.ledger.lock().compare("after compaction", &expected, &rows);
    let checkpoints = cluster.ledger.lock().checkpoints.clone();
    for (name, seq, expected) in checkpoints {
        let snapshot = db.snapshot_at(seq).map_err(failed("a named snapshot"))?;
        let rows = rows_of(&snapshot).await.map_err(failed("a named snapshot"))?;
        cluster.ledger.lock().compare(&format!("snapshot {name:?}"), &expected, &rows);
    }
    cluster.ledger.lock().check_order();
    files(cluster).await?;
    members(cluster).await?;
    db.close(LIMIT).await.map_err(failed("closing"))
}

async fn open(cluster: &Cluster, process: &Process) -> Result<Db, String> {
    let deadline = cluster.env.now().after(CALM_MAX);
    loop {
        let (parts, options) = (cluster.parts(OBSERVER, process), cluster.options("observer"));
        match Db::open(parts, options).await {
            Ok(db) => return Ok(db),
            Err(error) if error.is_retryable() && cluster.env.now() < deadline => {}
            Err(error) => return Err(format!("opening when nothing is wrong: {error:?}")),
        }
    }
}

/// Jobs that failed too often while so much was wrong are an operator's affair.
async fn unpark(cluster: &Cluster) -> Result<(), String> {
    let version = cluster.witness.version();
    for (id, _) in version.jobs.iter().filter(|(_, job)| job.parked.is_some()) {
        let mut refused = Vec::new();
        for storage in STORAGES.iter().filter_map(|m| cluster.storage(*m)) {
            match storage.cancel_job(&BranchName::main(), *id).await {
                Ok(()) => {
                    refused.clear();
                    break;
                }
                // It is not in charge.
                Err(error) => refused.push(error),
            }
        }
        if !refused.is_empty() {
            return Err(format!("job {id} cannot be cancelled: {refused:?}"));
        }
    }
    Ok(())
}

/// Until there is no work, no garbage and nothing new.
async fn settle(cluster: &Cluster) -> Result<(), String> {
    let deadline = cluster.env.now().after(CALM_MAX);
    let mut quiet = (0, cluster.env.now());
    loop {
        let version = cluster.witness.version();
        let busy = !version.jobs.is_empty() || !version.garbage.is_empty();
        if version.number.0 != quiet.0 || busy {
            quiet = (version.number.0, cluster.env.now());
        }
        if cluster.env.now().since(quiet.1) >= QUIET {
            return Ok(());
        }
        if let Some(wrong) = cluster.verdict.found() {
            return Err(wrong);
        }
        if cluster.env.now() >= deadline {
            let (jobs, garbage) = (&version.jobs, version.garbage.len());
            return Err(format!("no rest: {garbage} objects of garbage, jobs {jobs:?}"));
        }
        cluster.env.sleep(Duration::from_millis(500)).await;
    }
}

/// Every named file is whole, its columns hold its rows, and nothing else is there.
async fn files(cluster: &Cluster) -> Result<(), String> {
    let main = BranchName::main();
    let Some(storage) = STORAGES.iter().find_map(|m| cluster.storage(*m)) else {
        return Err("no storage service".to_owned());
    };
    storage.delete_orphans().await.map_err(|e| format!("orphans: {e:?}"))?;
    let version = storage.newest(&main).await.map_err(|e| format!("the newest version: {e:?}"))?;
    cluster.verdict.check(*version == cluster.witness.version(), || {
        format!("{:?} is not the newest version", version.number)
    });
    let backend = Arc::new(cluster.faults.clone());
    let store = RetryingStore::new(backend, cluster.env.clone(), RetryOptions::default());
    let blocks: Arc<dyn BlockSource> =
        Arc::new(StoreBlocks::new(Arc::new(store), cluster.layout.clone()));
    let mut expected = std::collections::BTreeSet::new();
    for (level, file) in version.files() {
        let id = file.id;
        expected.insert((id, ObjectKind::Sst));
        let rows = sst::verify(file, Arc::clone(&blocks)).await;
        let rows = rows.map_err(|e| format!("{id:?} of level {level}: {e:?}"))?;
        if file.column.is_some() {
            expected.insert((id, ObjectKind::Column));
            let columns = firn_table::verify(file, Arc::clone(&blocks)).await;
            let columns = columns.map_err(|e| format!("columns of {id:?}: {e:?}"))?;
            let (same, rows) = ((columns.rows, columns.digest), (rows.entries, Some(rows.digest)));
            cluster.verdict.check(same == rows, || format!("columns of {id:?} are not its rows"));
        }
    }
    // What a writer that is still open has not decided on is left.
    let there = cluster.witness.objects();
    let strange: Vec<_> = there.difference(&expected).collect();
    cluster.verdict.check(strange.is_empty(), || format!("nobody names {strange:?}"));
    Ok(())
}

/// All members have the same log.
async fn members(cluster: &Cluster) -> Result<(), String> {
    let main = BranchName::main();
    let deadline = cluster.env.now().after(CALM_MAX);
    loop {
        let mut logs = Vec::new();
        for machine in JOURNALS {
            let Some(node) = cluster.node(machine) else {
                return Err(format!("member {machine} is not there"));
            };
            let bounds = node.bounds(&main);
            let records = match node.records(&main, bounds.trimmed.next(), u64::MAX).await {
                Ok(records) => records,
                Err(error) => return Err(format!("member {machine}: {error:?}")),
            };
            logs.push((bounds.trimmed, bounds.last, bounds.epoch, records));
        }
        if logs.windows(2).all(|two| two[0] == two[1]) {
            let mut next = logs[0].0.next();
            for record in &logs[0].3 {
                cluster.verdict.check(record.first_seq == next, || {
                    format!("the log goes on at {} instead of {next}", record.first_seq)
                });
                next = record.last_seq.next();
            }
            let last = logs[0].1;
            cluster.verdict.check(next == last.next(), || format!("the log ends before {last}"));
            return Ok(());
        }
        if cluster.env.now() >= deadline {
            let ends: Vec<(Seq, Seq)> = logs.iter().map(|log| (log.0, log.1)).collect();
            return Err(format!("the members' logs differ: {ends:?}"));
        }
        cluster.env.sleep(Duration::from_secs(1)).await;
    }
}
