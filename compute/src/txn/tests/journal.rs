//! A journal that takes its time, so that commits overlap with everything else.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::journal::{JournalWriter, LogBounds, Record, RecordStream};
use firn_engine::{BranchName, Env, Epoch, Journal, Result, Seq};
use firn_journal::MemoryJournal;
use tokio::sync::watch;

/// See the module. A clone is the same journal.
#[derive(Debug, Clone)]
pub(super) struct SlowJournal {
    inner: MemoryJournal,
    env: Env,
    /// An append takes up to this long.
    delay_max: Duration,
    /// While set, appends do not answer.
    held: watch::Sender<bool>,
}

impl SlowJournal {
    pub(super) fn new(env: Env, delay_max: Duration) -> Self {
        let inner = MemoryJournal::default();
        Self { inner, env, delay_max, held: watch::Sender::new(false) }
    }

    pub(super) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    pub(super) fn memory(&self) -> &MemoryJournal {
        &self.inner
    }
}

#[derive(Debug)]
struct Writer {
    journal: SlowJournal,
    inner: Arc<dyn JournalWriter>,
}

#[async_trait]
impl Journal for SlowJournal {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        let inner = self.inner.open(branch, epoch).await?;
        Ok(Arc::new(Writer { journal: self.clone(), inner }))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        self.inner.bounds(branch).await
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.inner.read(branch, from).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.inner.tail(branch, from).await
    }
}

#[async_trait]
impl JournalWriter for Writer {
    async fn append(&self, record: Record) -> Result<()> {
        let SlowJournal { env, delay_max, held, .. } = &self.journal;
        let half = Duration::from_nanos(env.random_u64() % (delay_max.as_nanos() as u64 / 2 + 1));
        env.sleep(half).await;
        // Its sender lives as long as this writer.
        let _ = held.subscribe().wait_for(|held| !held).await;
        self.inner.append(record).await?;
        // Durable by now, but nobody knows yet.
        env.sleep(half).await;
        Ok(())
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        self.inner.trim(through).await
    }

    fn bounds(&self) -> LogBounds {
        self.inner.bounds()
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}
