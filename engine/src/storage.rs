//! The owner of manifests, as the engine sees it.
//!
//! One implementation runs in this process, one is a client of the storage
//! service; both commit a version by a conditional create of the next manifest
//! object, so that a second owner is harmless.

use std::fmt::Debug;
use std::sync::Arc;

use crate::error::Result;
use crate::manifest::{Lease, SpaceOptions, SstMeta, TimePoint, Version};
use crate::types::{BranchName, Epoch, Seq, SpaceId};
use async_trait::async_trait;

/// What a writer has flushed.
#[derive(Debug, Clone)]
pub struct FlushCommit {
    /// The writer's epoch.
    pub epoch: Epoch,
    /// Files already stored.
    pub files: Vec<Arc<SstMeta>>,
    /// Every commit up to this seq is in files after this commit.
    pub flushed_seq: Seq,
    /// The writer's objects with a smaller counter are named by now, or never will be.
    pub decided_counter: u64,
    /// When the flushed commits happened.
    pub times: Vec<TimePoint>,
}

/// Follows the versions of a branch; holds the newest known one.
pub type VersionWatch = tokio::sync::watch::Receiver<Arc<Version>>;

/// The owner of manifests, snapshots and leases.
///
/// Every call is safe to make again after an error: a commit whose reply was
/// lost is recognised by the state it left. Calls of an older epoch fail with
/// [`ErrorKind::Fenced`](crate::ErrorKind::Fenced).
#[async_trait]
pub trait Storage: Debug + Send + Sync + 'static {
    /// Takes a branch for writing: raises its epoch, so that every older
    /// writer is refused from now on. Creates the branch `main` if it is missing.
    ///
    /// # Errors
    /// `BadRequest` if another branch is missing; otherwise as the object store's.
    async fn claim(&self, branch: &BranchName, writer: &str) -> Result<Arc<Version>>;

    /// The newest version, and a way to follow it.
    ///
    /// # Errors
    /// `BadRequest` if the branch does not exist.
    async fn watch(&self, branch: &BranchName) -> Result<VersionWatch>;

    /// Names flushed files. On return the version that holds them is stored.
    ///
    /// # Errors
    /// `Fenced` if a newer writer has the branch.
    async fn commit_flush(&self, branch: &BranchName, flush: FlushCommit) -> Result<Arc<Version>>;

    /// Moves the GC watermark as far as readers and snapshots let it; the
    /// newest version then.
    ///
    /// # Errors
    /// As the object store's.
    async fn advance_watermark(&self, branch: &BranchName) -> Result<Arc<Version>>;

    /// Says what a space is. A no-op if it is declared so already.
    ///
    /// # Errors
    /// `Fenced` if a newer writer has the branch.
    async fn declare_space(
        &self,
        branch: &BranchName,
        epoch: Epoch,
        space: SpaceId,
        options: SpaceOptions,
    ) -> Result<Arc<Version>>;

    /// Keeps what is visible at `seq`, which must be flushed, until dropped.
    ///
    /// # Errors
    /// `BadRequest` if the name is taken or `seq` is no longer kept.
    async fn create_snapshot(&self, branch: &BranchName, name: &str, seq: Seq) -> Result<()>;

    /// Ends a named snapshot.
    ///
    /// # Errors
    /// `BadRequest` if there is none of that name.
    async fn drop_snapshot(&self, branch: &BranchName, name: &str) -> Result<()>;

    /// Tells what a reader still needs, and that it is alive. A reader calls
    /// it at its start, before it reads, and then at least every
    /// [`LEASE_RENEW`].
    ///
    /// # Errors
    /// If the storage service cannot be reached.
    async fn renew_lease(&self, branch: &BranchName, holder: &str, lease: Lease) -> Result<()>;

    /// The reader is closing: forget its lease.
    ///
    /// # Errors
    /// If the storage service cannot be reached.
    async fn end_lease(&self, branch: &BranchName, holder: &str) -> Result<()>;
}

/// How often a reader renews its lease.
pub const LEASE_RENEW: std::time::Duration = std::time::Duration::from_secs(1);

/// How long a lease lasts without being renewed. A reader that was away for
/// longer may find objects gone and gets an error then, never wrong rows.
pub const LEASE_LENGTH: std::time::Duration = std::time::Duration::from_secs(60);
