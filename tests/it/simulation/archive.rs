//! The journal's archive: nothing is trimmed that is not in files and in the archive, and
//! from what is archived and what is in the journal every commit can be made again.

use firn_engine::batch::{Op, for_each_op};
use firn_engine::journal::Journal;
use firn_engine::{BranchName, Seq, SpaceId};
use futures::TryStreamExt;

use super::cluster::Cluster;
use super::ledger::{Rows, SharedLedger};

/// What members have trimmed is in files of a stored manifest, and in the archive.
pub(crate) fn trims_are_right(cluster: &Cluster) {
    for (branch, version) in cluster.witness.versions() {
        // Nobody needs the records of one that was dropped.
        if version.dropped {
            continue;
        }
        let begins = version.origin.as_ref().map_or(Seq::ZERO, |origin| origin.seq);
        let archived = cluster.witness.archived(&branch, begins.next());
        for machine in cluster.journals() {
            let Some(node) = cluster.node(*machine) else { continue };
            let trimmed = node.bounds(&branch).trimmed;
            cluster.verdict.check(trimmed <= version.flushed_seq, || {
                let flushed = version.flushed_seq;
                format!("{branch:?}: member {machine} trimmed to {trimmed}, files are to {flushed}")
            });
            let kept = !cluster.archiving || trimmed <= archived.max(begins);
            cluster.verdict.check(kept, || {
                format!("{branch:?}: member {machine} trimmed to {trimmed}, archived is {archived}")
            });
        }
    }
}

fn apply(op: &Op<'_>, rows: &mut Rows) {
    let split = |key: &[u8]| {
        let space = SpaceId::of(key).map_or(0, |space| space.0);
        (space, key.get(SpaceId::LEN..).unwrap_or_default().to_vec())
    };
    match op {
        Op::Put { key, value } => drop(rows.insert(split(key), value.to_vec())),
        Op::Delete { key } => drop(rows.remove(&split(key))),
        Op::DeleteRange { start, end } => {
            let (start, end) = (split(start), split(end));
            rows.retain(|key, _| *key < start || *key >= end);
        }
    }
}

/// Makes all commits of a branch again: the rows come out that are there.
pub(crate) async fn replays(
    cluster: &Cluster,
    journal: &dyn Journal,
    branch: &BranchName,
    ledger: &SharedLedger,
    (last, expected): (Seq, &Rows),
) -> Result<(), String> {
    let (begins, mut rows) = ledger.lock().base().clone();
    if !cluster.archiving || last == begins {
        return Ok(());
    }
    let failed = |e: firn_engine::Error| format!("{branch:?}: reading all its records: {e:?}");
    let mut records = journal.read(branch, begins.next()).await.map_err(failed)?;
    let mut next = begins.next();
    while let Some(record) = records.try_next().await.map_err(failed)? {
        cluster.verdict.check(record.first_seq == next, || {
            format!("{branch:?}: {} comes in the archive where {next} should", record.first_seq)
        });
        let batches =
            for_each_op(&record.payload, |_, op| apply(&op, &mut rows)).map_err(failed)?;
        cluster.verdict.check(batches == record.commits(), || {
            format!("{branch:?}: a record of {} commits has {batches}", record.commits())
        });
        next = record.last_seq.next();
    }
    cluster.verdict.check(next == last.next(), || {
        format!("{branch:?}: the archive ends before {next}, the branch at {last}")
    });
    ledger.lock().compare("made again from the archive", expected, &rows);
    Ok(())
}
