//! The queue of compaction work, as workers see it.
//!
//! # The lease protocol
//!
//! 1. A worker *leases* a shard of a job: the manifest records a new attempt
//!    number for it. Output objects carry the attempt in their names, so two
//!    attempts at the same shard can never write the same object.
//! 2. It merges, stores outputs, and *reports* each when it is stored; the
//!    manifest records them, and the key from which a successor would go on.
//! 3. The last report says *done*. When all shards of a job are done, the
//!    scheduler commits all outputs and removes all inputs in one version.
//!
//! Reporting after the attempt was taken away fails, so a worker that was
//! paused and comes back can add nothing. An output that is stored but not
//! reported belongs to no manifest; garbage collection deletes it once its
//! attempt is not live any more.
//!
//! Crash between 1 and 2, or within 2: heartbeats stop, the lease runs out,
//! another worker leases the rest under a new attempt. Crash between 2 and 3:
//! the same, with nothing or little left to merge. Crash of the scheduler
//! after 3: jobs are in the manifest, so its successor finds the job done and
//! commits it. A lost reply is answered by making the call again: a lease
//! taken twice leaves one attempt without heartbeats; a report made twice is
//! recognised by the outputs' names.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;
use crate::manifest::{Job, JobId, SpaceOptions, SstMeta};
use crate::types::{BranchName, Epoch};

/// How often a worker sends heartbeats.
pub const HEARTBEAT: std::time::Duration = std::time::Duration::from_secs(3);

/// How long a shard stays leased without a heartbeat. Nothing merges what it covers until then:
/// files pile up behind a worker that died, or behind a lease whose answer was lost, and
/// writers must not give up before somebody else may go on.
pub const SHARD_LEASE_LENGTH: std::time::Duration = std::time::Duration::from_secs(15);

/// Identifies one try of one shard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseToken {
    /// Branch of the job.
    pub branch: BranchName,
    /// The job.
    pub job: JobId,
    /// Index of the shard.
    pub shard: usize,
    /// Number of the try.
    pub attempt: u64,
}

/// All that a worker needs to merge a shard.
#[derive(Debug, Clone)]
pub struct ShardLease {
    /// The right to report.
    pub token: LeaseToken,
    /// The job, with what earlier attempts have done.
    pub job: Arc<Job>,
    /// The files named by `job.inputs`, in that order.
    pub inputs: Vec<Arc<SstMeta>>,
    /// What the space is.
    pub options: SpaceOptions,
    /// For the outputs' names.
    pub branch_uid: u64,
    /// For the outputs' names.
    pub epoch: Epoch,
}

/// A queue of compaction work.
#[async_trait]
pub trait Compaction: Debug + Send + Sync + 'static {
    /// Up to `max` shards to work on; waits until there is one.
    ///
    /// # Errors
    /// If the scheduler cannot be reached.
    async fn lease(&self, worker: &str, max: usize) -> Result<Vec<ShardLease>>;

    /// Keeps leases alive; returns those that are lost and must be given up.
    ///
    /// # Errors
    /// If the scheduler cannot be reached.
    async fn heartbeat(&self, leases: &[LeaseToken]) -> Result<Vec<LeaseToken>>;

    /// Records finished outputs; `done` says that nothing of the shard is left.
    ///
    /// # Errors
    /// `BadRequest` if the attempt does not hold the shard any more.
    async fn report(
        &self,
        token: &LeaseToken,
        outputs: Vec<Arc<SstMeta>>,
        resume_key: Bytes,
        done: bool,
    ) -> Result<()>;

    /// Gives a shard back: in good order, or with the reason why it failed.
    ///
    /// # Errors
    /// `BadRequest` if the attempt does not hold the shard any more.
    async fn release(&self, token: &LeaseToken, failure: Option<String>) -> Result<()>;
}
