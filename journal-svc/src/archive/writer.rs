//! A writer that archives before it trims (see [`super`]).

use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, Record, RecordStream};
use firn_engine::{BranchName, Result, Seq};

use super::Archived;
use super::archiver::{Archiver, Source};

/// A log whose writer is in this process.
#[derive(Debug)]
struct Written {
    journal: Arc<dyn Journal>,
    branch: BranchName,
    writer: Arc<dyn JournalWriter>,
}

#[async_trait]
impl Source for Written {
    fn bounds(&self) -> LogBounds {
        self.writer.bounds()
    }

    async fn read(&self, from: Seq) -> Result<RecordStream> {
        self.journal.read(&self.branch, from).await
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        self.writer.trim(through).await
    }
}

/// A writer whose trims go through the archive.
#[derive(Debug)]
pub(super) struct ArchivedWriter {
    inner: Arc<dyn JournalWriter>,
    archiver: Archiver,
}

impl ArchivedWriter {
    pub(super) fn start(
        archived: &Archived,
        branch: &BranchName,
        inner: Arc<dyn JournalWriter>,
    ) -> Self {
        let source = Arc::new(Written {
            journal: Arc::clone(&archived.inner),
            branch: branch.clone(),
            writer: Arc::clone(&inner),
        });
        let (segments, options) = (archived.segments(branch), archived.options.clone());
        let archiver = Archiver::start(&archived.env, branch, source, segments, options);
        Self { inner, archiver }
    }
}

#[async_trait]
impl JournalWriter for ArchivedWriter {
    async fn append(&self, record: Record) -> Result<()> {
        self.archiver.check_backlog()?;
        self.inner.append(record).await
    }

    async fn append_alone(&self, record: Record) -> Result<()> {
        self.archiver.check_backlog()?;
        self.inner.append_alone(record).await
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        // Trims nothing, but fails if this writer is fenced or dead.
        self.inner.trim(self.inner.bounds().trimmed).await?;
        self.archiver.trim(through).await
    }

    fn bounds(&self) -> LogBounds {
        self.inner.bounds()
    }

    async fn close(&self) -> Result<()> {
        // What it has not done, the next writer does.
        self.archiver.stop();
        self.inner.close().await
    }
}
