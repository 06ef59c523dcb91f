mod alone;
mod crash;
mod damage;
mod real;

use std::path::PathBuf;

use bytes::Bytes;
use firn_engine::journal::Record;
use futures::StreamExt;

use super::*;
use crate::disk::sim::SimDisk;

/// A journal on a simulated disk.
pub(super) fn on_sim(env: &Env, disk: &SimDisk, segment_bytes: u64) -> LocalJournal {
    let folder = Folder { path: PathBuf::from("journal"), _lock: None };
    let options = LocalOptions { segment_bytes, spares_max: 2 };
    LocalJournal::on(env.clone(), Arc::new(disk.clone()), folder, options).unwrap()
}

fn env(seed: u64) -> Env {
    let handle = tokio::runtime::Handle::current();
    Env::tokio_seeded(handle.clone(), handle, seed)
}

/// A record whose payload tells its seqs.
pub(super) fn record(epoch: u64, first: u64, last: u64, len: usize) -> Record {
    let payload: Vec<u8> = (0..len).map(|i| (first as usize + i * 7 + i / 256) as u8).collect();
    Record {
        epoch: Epoch(epoch),
        first_seq: Seq(first),
        last_seq: Seq(last),
        unix_ms: first,
        payload: Bytes::from(payload),
    }
}

async fn read_all(journal: &LocalJournal) -> Result<Vec<Record>> {
    let main = BranchName::main();
    let from = journal.bounds(&main).await?.trimmed.next();
    let records: Vec<Result<Record>> = journal.read(&main, from).await?.collect().await;
    records.into_iter().collect()
}

/// Waits until the last writer, whose handles are dropped, has ended, and with
/// it what it left to be done: until then a real folder stays locked.
async fn ended(journal: &LocalJournal) {
    let log = journal.log(&BranchName::main()).await.unwrap();
    let of_writer = Arc::clone(&log);
    let wait = move || of_writer.running.lock().take().map(writer::Running::ended);
    journal.env.blocking(TaskClass::Foreground, "end", wait).await.unwrap();
    log.chores_done().await;
}
