//! Parts of an engine and of its clients that do what they should not.

use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, Record, RecordStream};
use firn_engine::manifest::{Lease, SpaceOptions, Version};
use firn_engine::storage::{FlushCommit, Storage, VersionWatch};
use firn_engine::{BranchName, Env, Epoch, ErrorKind, Result, Seq, SpaceId, TaskClass};
use parking_lot::Mutex;

use super::Planted;

/// An engine's journal and storage, with a bug if it is one of theirs.
pub(crate) fn parts(
    bug: Planted,
    env: &Env,
    journal: Arc<dyn Journal>,
    storage: Arc<dyn Storage>,
) -> (Arc<dyn Journal>, Arc<dyn Storage>) {
    match bug {
        Planted::ReplayBeforeFence => (Arc::new(OpenLate(journal)), storage),
        Planted::AckBeforeAppend | Planted::UnknownIsDone => {
            (Arc::new(Hopeful { env: env.clone(), journal, bug }), storage)
        }
        Planted::TrimBeforeCommit => {
            let opened = Opened::default();
            let journal = Arc::new(Noted { journal, opened: Arc::clone(&opened) });
            (journal, Arc::new(TrimFirst { opened, storage }))
        }
        _ => (journal, storage),
    }
}

/// A journal that is opened with the first append only.
#[derive(Debug)]
struct OpenLate(Arc<dyn Journal>);

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

/// A journal whose appends are always said to be done.
#[derive(Debug)]
struct Hopeful {
    env: Env,
    journal: Arc<dyn Journal>,
    bug: Planted,
}

#[derive(Debug)]
struct HopefulWriter {
    env: Env,
    writer: Arc<dyn JournalWriter>,
    bug: Planted,
    /// Appends are made in order.
    order: Arc<tokio::sync::Mutex<()>>,
    last: Mutex<Seq>,
}

#[async_trait]
impl Journal for Hopeful {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        let writer = self.journal.open(branch, epoch).await?;
        let last = Mutex::new(writer.bounds().last);
        let (env, order) = (self.env.clone(), Arc::default());
        Ok(Arc::new(HopefulWriter { env, writer, bug: self.bug, order, last }))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        self.journal.bounds(branch).await
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.journal.read(branch, from).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.journal.tail(branch, from).await
    }
}

#[async_trait]
impl JournalWriter for HopefulWriter {
    async fn append(&self, record: Record) -> Result<()> {
        *self.last.lock() = record.last_seq;
        if self.bug == Planted::UnknownIsDone {
            return match self.writer.append(record).await {
                Err(e) if e.kind() == ErrorKind::OutcomeUnknown => Ok(()),
                done => done,
            };
        }
        let writer = Arc::clone(&self.writer);
        let turn = Arc::clone(&self.order).lock_owned();
        let append = async move {
            let _turn = turn.await;
            // A bug cares for nothing.
            drop(writer.append(record).await);
        };
        drop(self.env.spawn(TaskClass::Foreground, "append", append));
        Ok(())
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        self.writer.trim(through).await?;
        let mut last = self.last.lock();
        *last = through.max(*last);
        Ok(())
    }

    fn bounds(&self) -> LogBounds {
        LogBounds { last: *self.last.lock(), ..self.writer.bounds() }
    }
}

/// The writer that was opened last.
type Opened = Arc<Mutex<Option<Arc<dyn JournalWriter>>>>;

/// A journal of whose writers somebody else knows.
#[derive(Debug)]
struct Noted {
    journal: Arc<dyn Journal>,
    opened: Opened,
}

#[async_trait]
impl Journal for Noted {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        let writer = self.journal.open(branch, epoch).await?;
        *self.opened.lock() = Some(Arc::clone(&writer));
        Ok(writer)
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        self.journal.bounds(branch).await
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.journal.read(branch, from).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.journal.tail(branch, from).await
    }
}

/// Storage beside which the journal is trimmed before a flush is committed.
#[derive(Debug)]
struct TrimFirst {
    opened: Opened,
    storage: Arc<dyn Storage>,
}

#[async_trait]
impl Storage for TrimFirst {
    async fn claim(&self, branch: &BranchName, writer: &str) -> Result<Arc<Version>> {
        self.storage.claim(branch, writer).await
    }

    async fn watch(&self, branch: &BranchName) -> Result<VersionWatch> {
        self.storage.watch(branch).await
    }

    async fn commit_flush(&self, branch: &BranchName, flush: FlushCommit) -> Result<Arc<Version>> {
        let writer = self.opened.lock().clone();
        if let Some(writer) = writer {
            // A bug cares for nothing.
            drop(writer.trim(flush.flushed_seq).await);
        }
        self.storage.commit_flush(branch, flush).await
    }

    async fn advance_watermark(&self, branch: &BranchName) -> Result<Arc<Version>> {
        self.storage.advance_watermark(branch).await
    }

    async fn declare_space(
        &self,
        branch: &BranchName,
        epoch: Epoch,
        space: SpaceId,
        options: SpaceOptions,
    ) -> Result<Arc<Version>> {
        self.storage.declare_space(branch, epoch, space, options).await
    }

    async fn answer_flush(&self, branch: &BranchName, epoch: Epoch, answers: u64) -> Result<()> {
        self.storage.answer_flush(branch, epoch, answers).await
    }

    async fn create_snapshot(&self, branch: &BranchName, name: &str, seq: Seq) -> Result<()> {
        self.storage.create_snapshot(branch, name, seq).await
    }

    async fn drop_snapshot(&self, branch: &BranchName, name: &str) -> Result<()> {
        self.storage.drop_snapshot(branch, name).await
    }

    async fn renew_lease(&self, branch: &BranchName, holder: &str, lease: Lease) -> Result<()> {
        self.storage.renew_lease(branch, holder, lease).await
    }

    async fn end_lease(&self, branch: &BranchName, holder: &str) -> Result<()> {
        self.storage.end_lease(branch, holder).await
    }
}
