//! The owner of manifests, as the engine sees it.
//!
//! One implementation runs in this process, one is a client of the storage
//! service; both commit a version by a conditional create of the next manifest
//! object, so that a second owner is harmless.

use std::fmt::Debug;
use std::sync::Arc;

use crate::error::Result;
use crate::manifest::{BranchState, Lease, Origin, SpaceOptions, SstMeta, TimePoint, Version};
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
pub type VersionWatch = crate::watch::Receiver<Arc<Version>>;

/// The owner of manifests, snapshots and leases.
///
/// Every call is safe to make again after an error: a commit whose reply was
/// lost is recognised by the state it left. Calls of an older epoch fail with
/// [`ErrorKind::Fenced`](crate::ErrorKind::Fenced).
#[async_trait]
pub trait Storage: Debug + Send + Sync + 'static {
    /// Takes a branch for writing: raises its epoch, so that every older
    /// writer is refused from now on. Creates the branch `main` if it is missing. If the
    /// branch was dropped, it is the one that is called so now: the version says which that
    /// is, and it is what all other calls want to be told.
    ///
    /// # Errors
    /// `BadRequest` if another branch is missing, or was dropped and none is called so now;
    /// otherwise as the object store's.
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

    /// The writer has put everything into files that was committed when it saw that
    /// [`Version::flush_wanted`] was `answers`.
    ///
    /// # Errors
    /// `Fenced` if a newer writer has the branch.
    async fn answer_flush(&self, branch: &BranchName, epoch: Epoch, answers: u64) -> Result<()>;

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

/// Where a branch is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BranchAt {
    /// At what is visible at this seq, which must be in files and still kept.
    Seq(Seq),
    /// At a named snapshot.
    Snapshot(String),
}

/// A branch that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBranch {
    /// The branch that it comes from.
    pub parent: BranchName,
    /// Its name, which no branch had before: [`Branches::find`] tells the last of those that
    /// were called so.
    pub name: BranchName,
    /// A random number, not zero: the same one in the next try of the same request.
    pub branch_uid: u64,
    /// Where.
    pub at: BranchAt,
}

/// One branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchInfo {
    /// Its name.
    pub name: BranchName,
    /// Where it comes from; `None` for the first.
    pub origin: Option<Origin>,
    /// Everything up to this seq is in files.
    pub flushed_seq: Seq,
    /// Who wrote it last, for people; empty if nobody did.
    pub writer: String,
    /// Its files.
    pub files: u64,
    /// What has become of it.
    pub state: BranchState,
}

/// A branch, by what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: BranchName,
    /// What has become of it.
    pub state: BranchState,
}

/// Makes and ends branches. Every call is safe to make again after an error.
#[async_trait]
pub trait Branches: Debug + Send + Sync + 'static {
    /// All branches, also those that are being made or deleted.
    ///
    /// # Errors
    /// As the object store's.
    async fn list_branches(&self) -> Result<Vec<BranchInfo>>;

    /// The last of the branches that are or were called as `name` is, also one that is being
    /// made; `None` if there was none. A new one gets the name that follows its name.
    ///
    /// # Errors
    /// As the object store's.
    async fn find(&self, name: &BranchName) -> Result<Option<Found>>;

    /// Makes a branch, and waits until it is stored. No object is copied.
    ///
    /// # Errors
    /// `BadRequest` if the parent or the snapshot does not exist, the name was used before,
    /// the one before that was called so was not dropped, or what was visible at the seq is not in files, or not kept any more.
    async fn create_branch(&self, new: NewBranch) -> Result<BranchInfo>;

    /// Ends a branch; what it alone needed is deleted in time. One that is dropped already
    /// counts as dropped now.
    ///
    /// # Errors
    /// `BadRequest` if it is `main`, does not exist, has branches of its own, or, unless
    /// `force` is set, somebody writes it.
    async fn drop_branch(&self, branch: &BranchName, force: bool) -> Result<()>;

    /// Asks the writer to put everything that is committed by now into files: it has when
    /// [`Version::flush_answered`] has reached the [`Version::flush_wanted`] of the version
    /// that is returned.
    ///
    /// # Errors
    /// `BadRequest` if there is no such branch.
    async fn want_flush(&self, branch: &BranchName) -> Result<Arc<Version>>;

    /// The newest version, looked up now.
    ///
    /// # Errors
    /// `BadRequest` if there is no such branch.
    async fn newest_version(&self, branch: &BranchName) -> Result<Arc<Version>>;
}

/// How often a reader renews its lease.
pub const LEASE_RENEW: std::time::Duration = std::time::Duration::from_secs(1);

/// How long a lease lasts without being renewed. A reader that was away for
/// longer may find objects gone and gets an error then, never wrong rows.
pub const LEASE_LENGTH: std::time::Duration = std::time::Duration::from_secs(60);
