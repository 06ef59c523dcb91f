//! When the faults are over: everything is there, compaction comes to rest, nothing that is
//! named is missing, columns hold what rows hold, and the members' logs are the same. So it is
//! for every branch; and when the branches are dropped, what was only theirs goes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::journal::LogBounds;
use firn_engine::manifest::BranchState;
use firn_engine::object::{BlockSource, ObjectKind, RetryOptions, RetryingStore, StoreBlocks};
use firn_engine::storage::Branches;
use firn_engine::{BranchName, Db, Error, Seq, sst};
use firn_services::clients::RemoteStorage;

use super::archive;
use super::cluster::{Cluster, GROUPS, STORAGES};
use super::compute::{Compute, rows_of};
use super::forest::{Fate, Tree};
use super::gardener::drop_branch;
use super::ledger::{Rows, SharedLedger};
use super::network::Machine;
use super::process::Process;

/// The machine from which it is looked.
const OBSERVER: Machine = 99;
/// How long anything may take when nothing is wrong any more.
const CALM_MAX: Duration = Duration::from_secs(900);
/// No new version for so long means rest: several rounds of upkeep.
const QUIET: Duration = Duration::from_secs(75);
const LIMIT: Duration = Duration::from_secs(60);

fn failed(doing: &str) -> impl Fn(Error) -> String {
    move |error| format!("{doing}: {error:?}")
}

/// A branch that is open in the end, with what must be in it.
struct Line {
    branch: BranchName,
    ledger: SharedLedger,
    db: Db,
    expected: Rows,
}

pub(crate) async fn check(cluster: &mut Cluster) -> Result<(), String> {
    let process = Process::start(&cluster.env, &cluster.verdict);
    cluster.add_machine(OBSERVER);
    // What was stopping in good order has done so, and what was not has lost its lease.
    cluster.env.sleep(Duration::from_secs(90)).await;
    let storage = cluster.remote_storage(OBSERVER, &process);
    let observer = cluster.compute(OBSERVER, &process, "observer".to_owned());
    take_stock(cluster, &observer, &storage).await?;
    let main = (BranchName::main(), Arc::clone(&cluster.ledger));
    let standing = cluster.forest.standing();
    let trees = standing.iter().map(|tree| (tree.new.name.clone(), Arc::clone(&tree.ledger)));
    let mut lines = Vec::new();
    for (branch, ledger) in std::iter::once(main).chain(trees) {
        lines.push(Line::open(cluster, &observer, branch, ledger).await?);
    }
    unpark(cluster).await?;
    settle(cluster).await?;
    for line in &lines {
        line.compare(cluster, &observer).await?;
    }
    files(cluster).await?;
    members(cluster, &lines).await?;
    logs_are_gone(cluster).await?;
    if standing.is_empty() {
        return lines.remove(0).db.close(LIMIT).await.map_err(failed("closing"));
    }
    let main = lines.remove(0);
    for line in lines {
        line.db.close(LIMIT).await.map_err(failed("closing a branch"))?;
    }
    fell(cluster, &observer, &storage, standing).await?;
    settle(cluster).await?;
    files(cluster).await?;
    logs_are_gone(cluster).await?;
    main.compare(cluster, &observer).await?;
    main.db.close(LIMIT).await.map_err(failed("closing"))
}

impl Line {
    async fn open(
        cluster: &Cluster,
        observer: &Compute,
        branch: BranchName,
        ledger: SharedLedger,
    ) -> Result<Self, String> {
        let db = open(cluster, observer, &branch).await?;
        let snapshot = db.snapshot();
        let rows = rows_of(&snapshot).await.map_err(failed("reading everything"))?;
        let expected = ledger.lock().opened(db.stats().epoch, snapshot.seq(), &rows);
        drop(snapshot);
        db.flush(LIMIT).await.map_err(failed("flushing"))?;
        Ok(Self { branch, ledger, db, expected })
    }

    async fn compare(&self, cluster: &Cluster, observer: &Compute) -> Result<(), String> {
        let (db, expected) = (&self.db, &self.expected);
        let rows = rows_of(&db.snapshot()).await.map_err(failed("reading everything again"))?;
        self.ledger.lock().compare("after compaction", expected, &rows);
        let checkpoints = self.ledger.lock().checkpoints.clone();
        for (name, seq, expected) in checkpoints {
            let snapshot = db.snapshot_at(seq).map_err(failed("a named snapshot"))?;
            let rows = rows_of(&snapshot).await.map_err(failed("a named snapshot"))?;
            self.ledger.lock().compare(&format!("snapshot {name:?}"), &expected, &rows);
        }
        self.ledger.lock().check_order();
        let (journal, end) = (&*observer.parts.journal, (db.last_seq(), expected));
        archive::replays(cluster, journal, &self.branch, &self.ledger, end).await
    }
}

/// What was begun with branches is ended, and the list of them is what was told.
async fn take_stock(
    cluster: &Cluster,
    observer: &Compute,
    storage: &RemoteStorage,
) -> Result<(), String> {
    let listed = storage.list_branches().await.map_err(failed("listing branches"))?;
    // Those that come from others first.
    for tree in cluster.forest.trees().into_iter().rev() {
        let name = &tree.new.name;
        let has_branches =
            || cluster.forest.standing().iter().any(|other| other.new.parent == *name);
        let known = listed.iter().find(|info| info.name == *name);
        let state = known.map(|info| info.state);
        match (tree.fate, state) {
            (Fate::There, Some(BranchState::Created)) => {}
            (Fate::Dropped, None | Some(BranchState::Dropped)) => {}
            (Fate::There | Fate::Dropped, other) => {
                return Err(format!("{name:?} is {:?}, and is listed as {other:?}", tree.fate));
            }
            (Fate::Asked, Some(BranchState::Created)) => {
                let origin = known.and_then(|info| info.origin.as_ref());
                let seq = origin.map_or(Seq::ZERO, |origin| origin.seq);
                cluster.forest.made(name, seq);
            }
            (Fate::Asked, None) => {}
            (Fate::Dropping, Some(BranchState::Created)) if has_branches() => {
                cluster.forest.stays(name);
            }
            (Fate::Asked | Fate::Dropping, _) => {
                fell_one(cluster, observer, storage, &tree).await?
            }
        }
    }
    Ok(())
}

async fn fell_one(
    cluster: &Cluster,
    observer: &Compute,
    storage: &RemoteStorage,
    tree: &Tree,
) -> Result<(), String> {
    let listed = storage.list_branches().await.map_err(failed("listing branches"))?;
    if !listed.iter().any(|info| info.name == tree.new.name) {
        return Ok(());
    }
    match drop_branch(observer, storage, &cluster.forest, tree, false).await {
        true => Ok(()),
        false => Err(format!("{:?} cannot be dropped", tree.new.name)),
    }
}

/// All branches go, those that come from others first.
async fn fell(
    cluster: &Cluster,
    observer: &Compute,
    storage: &RemoteStorage,
    mut trees: Vec<Tree>,
) -> Result<(), String> {
    while !trees.is_empty() {
        let leaf = |tree: &Tree| !trees.iter().any(|other| other.new.parent == tree.new.name);
        let Some(at) = trees.iter().position(leaf) else {
            return Err("branches that come from each other".to_owned());
        };
        fell_one(cluster, observer, storage, &trees.remove(at)).await?;
    }
    Ok(())
}

async fn open(cluster: &Cluster, observer: &Compute, branch: &BranchName) -> Result<Db, String> {
    let deadline = cluster.env.now().after(CALM_MAX);
    let mut options = observer.options.clone();
    options.branch = branch.clone();
    loop {
        match Db::open(observer.parts.clone(), options.clone()).await {
            Ok(db) => return Ok(db),
            Err(error) if error.is_retryable() && cluster.env.now() < deadline => {}
            Err(error) => return Err(format!("opening when nothing is wrong: {error:?}")),
        }
    }
}

/// Jobs that failed too often while so much was wrong are an operator's affair.
async fn unpark(cluster: &Cluster) -> Result<(), String> {
    for (branch, version) in cluster.witness.versions() {
        for (id, _) in version.jobs.iter().filter(|(_, job)| job.parked.is_some()) {
            let mut refused = Vec::new();
            for storage in STORAGES.iter().filter_map(|m| cluster.storage(*m)) {
                match storage.cancel_job(&branch, *id).await {
                    Ok(()) => {
                        refused.clear();
                        break;
                    }
                    // It is not in charge.
                    Err(error) => refused.push(error),
                }
            }
            if !refused.is_empty() {
                return Err(format!("{branch:?}: job {id} cannot be cancelled: {refused:?}"));
            }
        }
    }
    Ok(())
}

/// Until there is no work, no garbage, no branch half made or half gone, and nothing new.
async fn settle(cluster: &Cluster) -> Result<(), String> {
    let deadline = cluster.env.now().after(CALM_MAX);
    let mut quiet = (0, cluster.env.now());
    loop {
        let versions = cluster.witness.versions();
        let numbers = versions.values().map(|version| version.number.0).sum();
        let half = |state: BranchState| state != BranchState::Created;
        let busy = versions.values().any(|version| {
            let half = version.children.values().any(|point| half(point.state));
            !version.jobs.is_empty() || !version.garbage.is_empty() || half
        });
        if numbers != quiet.0 || busy {
            quiet = (numbers, cluster.env.now());
        }
        if cluster.env.now().since(quiet.1) >= QUIET {
            return Ok(());
        }
        if let Some(wrong) = cluster.verdict.found() {
            return Err(wrong);
        }
        if cluster.env.now() >= deadline {
            let states = versions.values().map(|version| {
                let (jobs, garbage) = (&version.jobs, version.garbage.len());
                let (name, branches) = (&version.branch, &version.children);
                format!(
                    "{name}: {garbage} objects of garbage, jobs {jobs:?}, branches {branches:?}"
                )
            });
            return Err(format!("no rest: {}", states.collect::<Vec<_>>().join("; ")));
        }
        cluster.env.sleep(Duration::from_millis(500)).await;
    }
}

/// Every named file is whole, its columns hold its rows, and nothing else is there.
async fn files(cluster: &Cluster) -> Result<(), String> {
    let Some(storage) = STORAGES.iter().find_map(|m| cluster.storage(*m)) else {
        return Err("no storage service".to_owned());
    };
    storage.delete_orphans().await.map_err(failed("orphans"))?;
    let backend = Arc::new(cluster.faults.clone());
    let store = RetryingStore::new(backend, cluster.env.clone(), RetryOptions::default());
    let blocks: Arc<dyn BlockSource> =
        Arc::new(StoreBlocks::new(Arc::new(store), cluster.layout.clone()));
    let mut expected = BTreeSet::new();
    for (branch, seen) in cluster.witness.versions() {
        let newest = storage.newest(&branch).await.map_err(failed("the newest version"))?;
        cluster.verdict.check(newest == seen, || {
            format!("{branch:?}: {:?} is not the newest version", newest.number)
        });
        for (level, file) in seen.files() {
            let id = file.id;
            expected.insert((id, ObjectKind::Sst));
            let rows = sst::verify(file, Arc::clone(&blocks)).await;
            let rows = rows.map_err(|e| format!("{branch:?}: {id:?} of level {level}: {e:?}"))?;
            if file.column.is_some() {
                expected.insert((id, ObjectKind::Column));
                let columns = firn_table::verify(file, Arc::clone(&blocks)).await;
                let columns = columns.map_err(|e| format!("columns of {id:?}: {e:?}"))?;
                let same = (columns.rows, columns.digest) == (rows.entries, Some(rows.digest));
                cluster.verdict.check(same, || format!("columns of {id:?} are not its rows"));
            } else if file.cut {
                // The copy that its parent has, or had.
                expected.insert((id, ObjectKind::Column));
            }
        }
    }
    // What a writer that is still open has not decided on is left.
    let there = cluster.witness.objects();
    let strange: Vec<_> = there.difference(&expected).collect();
    cluster.verdict.check(strange.is_empty(), || format!("nobody names {strange:?}"));
    Ok(())
}

/// Of branches that were dropped there is no log, and nothing is in the archive.
async fn logs_are_gone(cluster: &Cluster) -> Result<(), String> {
    let deadline = cluster.env.now().after(CALM_MAX);
    loop {
        let mut left = Vec::new();
        for (branch, version) in cluster.witness.versions() {
            if !version.dropped {
                continue;
            }
            let segments = cluster.witness.segments(&branch);
            if segments > 0 {
                left.push(format!("{segments} segments of {branch:?} in the archive"));
            }
            for machine in cluster.journals() {
                let bounds = cluster.node(*machine).map(|node| node.bounds(&branch));
                if let Some(bounds) = bounds.filter(|bounds| *bounds != LogBounds::default()) {
                    left.push(format!("at member {machine} a log of {branch:?}: {bounds:?}"));
                }
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        if cluster.env.now() >= deadline {
            return Err(left.join("; "));
        }
        cluster.env.sleep(Duration::from_secs(1)).await;
    }
}

/// All members of a group have the same logs, and know the same members.
async fn members(cluster: &Cluster, lines: &[Line]) -> Result<(), String> {
    let deadline = cluster.env.now().after(CALM_MAX);
    loop {
        let wrong = match differences(cluster, lines).await? {
            None => return Ok(()),
            Some(wrong) => wrong,
        };
        if cluster.env.now() >= deadline {
            return Err(wrong);
        }
        cluster.env.sleep(Duration::from_secs(1)).await;
    }
}

/// In what members differ; the logs are whole where they are the same.
async fn differences(cluster: &Cluster, lines: &[Line]) -> Result<Option<String>, String> {
    let mut groups = Vec::new();
    for machine in cluster.journals() {
        let Some(node) = cluster.node(*machine) else {
            return Err(format!("member {machine} is not there"));
        };
        groups.push(node.status().into_iter().map(|status| status.members).collect::<Vec<_>>());
    }
    if groups.windows(2).any(|two| two[0] != two[1]) || groups[0].len() != GROUPS as usize {
        return Ok(Some(format!("the members are not the same to all: {groups:?}")));
    }
    let mut there: Vec<u64> = cluster.journals().iter().map(|m| u64::from(*m)).collect();
    there.sort_unstable();
    if let Some(other) = groups[0].iter().find(|members| members.voters != there) {
        return Ok(Some(format!("members {there:?} are there, and {other:?} should be")));
    }
    for line in lines {
        let mut logs = Vec::new();
        for machine in cluster.journals() {
            let Some(node) = cluster.node(*machine) else { continue };
            let bounds = node.bounds(&line.branch);
            let records = node.records(&line.branch, bounds.trimmed.next(), u64::MAX).await;
            let records = records.map_err(|error| format!("member {machine}: {error:?}"))?;
            logs.push((bounds.trimmed, bounds.last, bounds.epoch, records));
        }
        if logs.windows(2).any(|two| two[0] != two[1]) {
            let ends: Vec<(Seq, Seq)> = logs.iter().map(|log| (log.0, log.1)).collect();
            return Ok(Some(format!("{:?}: the members' logs differ: {ends:?}", line.branch)));
        }
        let mut next = logs[0].0.next();
        for record in &logs[0].3 {
            cluster.verdict.check(record.first_seq == next, || {
                format!("the log goes on at {} instead of {next}", record.first_seq)
            });
            next = record.last_seq.next();
        }
        let last = logs[0].1;
        cluster.verdict.check(next == last.next(), || format!("the log ends before {last}"));
    }
    Ok(None)
}
