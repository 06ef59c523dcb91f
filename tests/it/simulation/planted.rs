//! Bugs that are planted in each protocol, to prove that the simulation can fail.
//!
//! Each is looked for in one seed after the other, up to a bound, and the seed that finds it
//! passes without it.

use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, Record, RecordStream};
use firn_engine::{BranchName, Epoch, Result, Seq};
use parking_lot::Mutex;

use super::{run, run_with};

/// A bug, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Planted {
    #[default]
    Nothing,
    Journal(firn_journal::raft::Planted),
    Storage(firn_storage::Planted),
    /// An engine reads the journal before it has fenced the writer before it.
    ReplayBeforeFence,
}

/// A journal that is opened with the first append only.
#[derive(Debug)]
pub(crate) struct OpenLate(pub(crate) Arc<dyn Journal>);

#[derive(Debug)]
struct LateWriter {
    journal: Arc<dyn Journal>,
    branch: BranchName,
    epoch: Epoch,
    bounds: LogBounds,
    opened: Mutex<Option<Arc<dyn JournalWriter>>>,
}

impl LateWriter {
    async fn writer(&self) -> Result<Arc<dyn JournalWriter>> {
        if let Some(writer) = self.opened.lock().clone() {
            return Ok(writer);
        }
        let writer = self.journal.open(&self.branch, self.epoch).await?;
        Ok(Arc::clone(self.opened.lock().get_or_insert(writer)))
    }
}

#[async_trait]
impl Journal for OpenLate {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        Ok(Arc::new(LateWriter {
            journal: Arc::clone(&self.0),
            branch: branch.clone(),
            epoch,
            bounds: self.0.bounds(branch).await?,
            opened: Mutex::default(),
        }))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        self.0.bounds(branch).await
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.0.read(branch, from).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.0.tail(branch, from).await
    }
}

#[async_trait]
impl JournalWriter for LateWriter {
    async fn append(&self, record: Record) -> Result<()> {
        self.writer().await?.append(record).await
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        self.writer().await?.trim(through).await
    }

    fn bounds(&self) -> LogBounds {
        self.opened.lock().as_ref().map_or(self.bounds, |writer| writer.bounds())
    }
}

/// Seeds until the bug must have been found.
const SEEDS_MAX: u64 = 40;

fn is_found(bug: Planted) {
    for seed in 1..=SEEDS_MAX {
        if let Err(wrong) = run_with(seed, bug) {
            eprintln!("{bug:?} is found by seed {seed}: {wrong}");
            run(seed).unwrap_or_else(|wrong| panic!("FIRN_SEED={seed}, with no bug: {wrong}"));
            return;
        }
    }
    panic!("{bug:?} is not found in {SEEDS_MAX} seeds");
}

#[test]
fn a_journal_that_takes_appends_of_fenced_writers_is_found() {
    is_found(Planted::Journal(firn_journal::raft::Planted::SkipEpochCheck));
}

#[test]
fn a_journal_that_answers_before_the_majority_has_a_record_is_found() {
    is_found(Planted::Journal(firn_journal::raft::Planted::AckBeforeQuorum));
}

#[test]
fn a_journal_that_answers_before_it_has_synced_is_found() {
    is_found(Planted::Journal(firn_journal::raft::Planted::AckBeforeSync));
}

#[test]
fn storage_that_takes_flushes_of_fenced_writers_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::SkipEpochCheck));
}

#[test]
fn storage_that_deletes_before_it_publishes_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::DeleteBeforePublish));
}

#[test]
fn storage_that_deletes_what_is_read_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::ForgetReaders));
}

#[test]
fn storage_that_gives_up_what_snapshots_see_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::ForgetSnapshots));
}

#[test]
fn an_engine_that_reads_the_journal_before_it_has_fenced_the_writer_is_found() {
    is_found(Planted::ReplayBeforeFence);
}
