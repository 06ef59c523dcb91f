//! The journal: what makes a commit durable before its data is in SSTs.
//!
//! This is the contract; the implementations live outside the engine (memory,
//! local disk, object store, and the replicated service). All of them pass the
//! same conformance suite.
//!
//! # The contract
//!
//! - A log belongs to one branch and is a sequence of [`Record`]s without gaps:
//!   each record's first seq follows the last seq of the one before.
//! - **Fencing.** [`Journal::open`] under epoch `e` returns only after every
//!   append under an older epoch is either in the log, where the new writer
//!   will read it, or can never enter it. An open or append under an epoch
//!   older than the log knows fails with [`ErrorKind::Fenced`].
//! - **Durability.** [`JournalWriter::append`] returns `Ok` only when the record
//!   will survive whatever the implementation promises to survive. Records
//!   become durable in order.
//! - **Failure.** An append that returns an error may still have happened,
//!   unless the error is retryable. After an error that is not, the writer is
//!   dead: every later call returns the same error. A write or sync error of a
//!   disk is never retried over (the kernel may have dropped the dirty pages,
//!   so that a second sync would succeed without them).
//! - **Recovery.** What was durable is read back in order. A tail torn by a
//!   crash was never acknowledged and is cut; damage anywhere before the tail
//!   is [`ErrorKind::Corrupt`].
//! - **Trimming.** [`JournalWriter::trim`] may be called only for seqs whose
//!   data is in SSTs that a *stored* manifest names. It may keep more than
//!   asked, never less.
//!
//! [`ErrorKind::Fenced`]: crate::ErrorKind::Fenced
//! [`ErrorKind::Corrupt`]: crate::ErrorKind::Corrupt

pub mod frame;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::error::Result;
use crate::types::{BranchName, Epoch, Seq};

/// Largest payload of one record, in bytes.
pub const PAYLOAD_LEN_MAX: usize = crate::batch::BATCH_LEN_MAX + 64;

/// One unit of the log: the commits that were written and synced together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Epoch of the writer.
    pub epoch: Epoch,
    /// Seq of the first commit inside.
    pub first_seq: Seq,
    /// Seq of the last commit inside; at least `first_seq`.
    pub last_seq: Seq,
    /// Wall-clock time of the write, in milliseconds since 1970: the commit-time index.
    pub unix_ms: u64,
    /// Encoded write batches, one for each seq.
    pub payload: Bytes,
}

impl Record {
    /// How many commits it holds.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.last_seq.0 - self.first_seq.0 + 1
    }
}

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogBounds {
    /// Everything up to this seq may have been trimmed; records from the next seq on are kept.
    pub trimmed: Seq,
    /// Last durable seq; equal to `trimmed` if nothing is kept.
    pub last: Seq,
    /// Highest epoch that has opened the log.
    pub epoch: Epoch,
    /// Bytes that the kept records take.
    pub bytes: u64,
}

/// Records in order; ends, or goes on for ever when tailing.
pub type RecordStream = BoxStream<'static, Result<Record>>;

/// A place that keeps the logs of branches.
#[async_trait]
pub trait Journal: Debug + Send + Sync + 'static {
    /// Takes the log of `branch` for writing, fencing every older epoch.
    /// Opening again under the same epoch ends the earlier writer of that epoch.
    ///
    /// # Errors
    /// `Fenced` if a newer epoch has opened the log, `Corrupt` if the log is
    /// damaged before its tail.
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>>;

    /// What the log of `branch` holds; the default if it has none.
    ///
    /// # Errors
    /// If the log cannot be reached or is damaged.
    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds>;

    /// The durable records from the one that contains `from` to the end of the log as it is now.
    ///
    /// # Errors
    /// `BadRequest` if `from` was trimmed; `Corrupt`, also inside the stream, for damage.
    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream>;

    /// As [`Self::read`], but waits at the end for more. A reader that falls
    /// behind the trimmed position gets an error and the stream ends.
    ///
    /// # Errors
    /// As [`Self::read`].
    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream>;
}

/// The right to append to one log.
#[async_trait]
pub trait JournalWriter: Debug + Send + Sync + 'static {
    /// Makes `record` durable. Calls are made one at a time and in order.
    ///
    /// # Errors
    /// `Fenced` once a newer epoch has opened the log. `BadRequest` if the
    /// record does not follow the last one. A retryable error means that
    /// nothing was written; after any other the writer is dead.
    async fn append(&self, record: Record) -> Result<()>;

    /// As [`Self::append`], for a caller that has nothing else to do until it is done: it
    /// may write on the caller's thread, which spares handing the record to another.
    ///
    /// # Errors
    /// As [`Self::append`].
    async fn append_alone(&self, record: Record) -> Result<()> {
        self.append(record).await
    }

    /// Allows everything up to and including `through` to be dropped. If that
    /// is past the end of the log, the log is empty then, and the next record
    /// starts after `through`.
    ///
    /// After [`Seq::MAX`] none can start: the branch was dropped. The log goes
    /// for good, unarchived, with all that was kept for it, and this writer
    /// has ended. A log that is opened then is a new one, or this one, empty.
    ///
    /// # Errors
    /// `Fenced` once a newer epoch has opened the log; nothing is dropped then.
    async fn trim(&self, through: Seq) -> Result<()>;

    /// What the log holds, as far as this writer knows.
    fn bounds(&self) -> LogBounds;

    /// Ends this writer in good order: on return nothing of it runs any more.
    /// Later calls fail. A writer that is only dropped is like one that
    /// crashed: nothing durable is lost by that either.
    ///
    /// # Errors
    /// What could not be put in order; the writer has ended all the same.
    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
