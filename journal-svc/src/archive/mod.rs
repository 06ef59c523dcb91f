//! A journal whose trimmed records go to the object store first, for
//! point-in-time recovery and for readers that are far behind.
//!
//! # Order
//!
//! 1. Records up to the position that may be trimmed are read back from the
//!    journal and stored, in segments of whole records.
//! 2. The journal is trimmed.
//!
//! Trimming first would lose what a crash keeps from being stored. A crash
//! between the two leaves segments whose records are in the journal still: the
//! next run looks what is stored after the trimmed position and goes on there.
//! A segment that is stored twice must be the same twice, byte for byte; two
//! segments may overlap, since their records are the same.
//!
//! A writer takes a log under a new epoch while the archiver of the old writer
//! still runs: both store the same records, which is harmless, and the
//! old one's trim is refused.
//!
//! # In the background
//!
//! A trim returns before it is done; a task archives and trims, holds one
//! segment in memory, and tries again for as long as the writer lives. When the
//! journal holds more than [`ArchiveOptions::backlog_bytes_max`] because of
//! that, appends are refused, retryable, until it is less. Only a trim past the
//! end waits: the next record depends on it.
//!
//! Positions at which the log was moved forward (a trim past the end) are not
//! in the archive: there were no records. Reading across says so.

pub(crate) mod archiver;
mod reader;
mod segment;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, RecordStream};
use firn_engine::object::Layout;
use firn_engine::{BranchName, Env, Epoch, Result, Seq};
use object_store::ObjectStore;

use segment::Segments;

/// Sizes of an archive.
#[derive(Debug, Clone)]
pub struct ArchiveOptions {
    /// A segment is closed when it has this many bytes; a longer record gets its own.
    pub segment_bytes: usize,
    /// Bytes that the journal may hold while the archive is behind.
    pub backlog_bytes_max: u64,
    /// A bug for tests: the journal is trimmed before its records are stored.
    #[cfg(any(test, feature = "conformance"))]
    pub trims_first: bool,
}

impl Default for ArchiveOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            backlog_bytes_max: 2 << 30,
            #[cfg(any(test, feature = "conformance"))]
            trims_first: false,
        }
    }
}

/// A journal and its archive. A clone is the same journal.
#[derive(Debug, Clone)]
pub struct Archived {
    env: Env,
    inner: Arc<dyn Journal>,
    store: Arc<dyn ObjectStore>,
    layout: Layout,
    options: ArchiveOptions,
    /// The inner journal archives what it trims.
    elsewhere: bool,
}

/// Where the archive is, for the members of a replicated journal: who leads keeps it.
#[derive(Debug, Clone)]
pub struct ArchivePlace {
    /// The object store.
    pub store: Arc<dyn ObjectStore>,
    /// Names in it.
    pub layout: Layout,
    /// Sizes.
    pub options: ArchiveOptions,
}

impl ArchivePlace {
    /// Starts to archive a log.
    pub(crate) fn archiver(
        &self,
        env: &Env,
        branch: &BranchName,
        source: Arc<dyn archiver::Source>,
    ) -> archiver::Archiver {
        let (store, layout) = (Arc::clone(&self.store), self.layout.clone());
        let segments = Segments::new(store, layout, branch.clone());
        archiver::Archiver::start(env, branch, source, segments, self.options.clone())
    }
}

impl Archived {
    /// Archives what `inner` trims under the names of `layout`.
    #[must_use]
    pub fn new(
        env: Env,
        inner: Arc<dyn Journal>,
        store: Arc<dyn ObjectStore>,
        layout: Layout,
        options: ArchiveOptions,
    ) -> Self {
        Self { env, inner, store, layout, options, elsewhere: false }
    }

    /// As it is for reading: the inner journal itself archives what it trims.
    #[must_use]
    pub fn by_the_journal(self) -> Self {
        Self { elsewhere: true, ..self }
    }

    fn segments(&self, branch: &BranchName) -> Segments {
        Segments::new(Arc::clone(&self.store), self.layout.clone(), branch.clone())
    }
}

#[async_trait]
impl Journal for Archived {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        let writer = self.inner.open(branch, epoch).await?;
        if self.elsewhere {
            return Ok(writer);
        }
        Ok(Arc::new(writer::ArchivedWriter::start(self, branch, writer)))
    }

    /// Of the journal itself: what is trimmed there can be read nevertheless.
    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        self.inner.bounds(branch).await
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        reader::stream(self, branch, from, false).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        reader::stream(self, branch, from, true).await
    }
}
