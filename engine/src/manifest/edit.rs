//! One change of a branch's state.

use std::sync::Arc;

use bytes::Bytes;

use super::branch::{BranchPoint, BranchState};
use super::job::{Job, JobId, JobInput};
use super::space::SpaceOptions;
use super::sst::SstMeta;
use super::version::{Lease, SnapshotMeta, TimePoint, Watermark};
use crate::types::{BranchName, Epoch, ObjectId, Seq, SpaceId};

/// One change of a branch's state; see [`Version::apply`](super::Version::apply)
/// for what each requires.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// The first edit of every branch.
    CreateBranch {
        /// Random number that tells its objects from other branches'.
        branch_uid: u64,
    },
    /// A storage service takes charge: it alone moves the watermark and plans
    /// work from now on.
    TakeCharge {
        /// Who, for people.
        owner_name: String,
    },
    /// The edits after this one are refused unless this owner is in charge.
    AsOwner {
        /// What [`Edit::TakeCharge`] made the owner's number.
        owner: u64,
    },
    /// A reader begins.
    AddLease {
        /// Who.
        holder: String,
        /// What it needs.
        lease: Lease,
    },
    /// Raises the epoch by one for a new writer, and gives it a lease as a reader.
    ClaimWriter {
        /// Who, for people.
        writer: String,
    },
    /// Says what a space is.
    DeclareSpace {
        /// The writer's epoch.
        epoch: Epoch,
        /// Which space.
        space: SpaceId,
        /// What it is.
        options: SpaceOptions,
    },
    /// The writer's memtable has become files.
    Flush {
        /// The writer's epoch.
        epoch: Epoch,
        /// At most one for each space and range; all of one flush have seqs
        /// above the last flushed one.
        files: Vec<Arc<SstMeta>>,
        /// Every commit up to this seq is in files now.
        flushed_seq: Seq,
        /// The writer's objects with a smaller counter are in files now, or never will be.
        decided_counter: u64,
        /// When commits of this flush happened.
        times: Vec<TimePoint>,
    },
    /// A compaction is planned; its inputs are taken from now on.
    AddJob {
        /// The plan.
        job: Arc<Job>,
    },
    /// A worker begins a shard.
    LeaseShard {
        /// Job.
        job: JobId,
        /// Index of the shard.
        shard: usize,
        /// Number of the try; must be the branch's next.
        attempt: u64,
        /// Who.
        worker: String,
    },
    /// A worker has finished outputs.
    ShardProgress {
        /// Job.
        job: JobId,
        /// Index of the shard.
        shard: usize,
        /// The worker's try.
        attempt: u64,
        /// New outputs, following those reported before.
        outputs: Vec<Arc<SstMeta>>,
        /// Everything before this key is in outputs.
        resume_key: Bytes,
        /// All of the shard is in outputs.
        done: bool,
    },
    /// A worker gave a shard up, or was taken for dead.
    ReleaseShard {
        /// Job.
        job: JobId,
        /// Index of the shard.
        shard: usize,
        /// The worker's try.
        attempt: u64,
        /// Why, unless it was handed back in good order.
        failure: Option<String>,
        /// It was one failure too many.
        park: bool,
    },
    /// All shards are done: outputs replace inputs.
    CompleteJob {
        /// Job.
        job: JobId,
    },
    /// The job is dropped; its inputs stay, its outputs become garbage.
    CancelJob {
        /// Job.
        job: JobId,
    },
    /// Keeps what is visible at a seq until dropped.
    AddSnapshot {
        /// Unique name.
        name: String,
        /// What it keeps.
        snapshot: SnapshotMeta,
    },
    /// Ends a snapshot.
    DropSnapshot {
        /// Its name.
        name: String,
    },
    /// Older versions below the watermark may go.
    AdvanceWatermark {
        /// Never goes back.
        watermark: Watermark,
        /// The leases it was computed from; replaces those stored.
        leases: Vec<(String, Lease)>,
    },
    /// Files hidden as a whole by range deletions leave unread.
    Unlink {
        /// Their space.
        space: SpaceId,
        /// Which.
        files: Vec<ObjectId>,
    },
    /// These objects have been deleted.
    ForgetGarbage {
        /// Which.
        objects: Vec<ObjectId>,
    },
    /// The journal is archived up to here.
    Archived {
        /// Inclusive.
        through: Seq,
    },
    /// Files go down unchanged: they overlap nothing there.
    Move {
        /// Their space.
        space: SpaceId,
        /// Which, and where they are.
        files: Vec<JobInput>,
        /// Where they go.
        to_level: usize,
    },
    /// Somebody wants everything that is committed by now in files.
    WantFlush,
    /// It is.
    AnswerFlush {
        /// The writer's epoch.
        epoch: Epoch,
        /// How many requests there were when the writer began to flush.
        answers: u64,
    },
    /// A branch begins: what it needs is kept from now on. Its version is this one, and its
    /// state [`BranchState::Pinned`], whatever `point` says.
    PinBranch {
        /// Its name.
        name: BranchName,
        /// Where.
        point: BranchPoint,
    },
    /// A branch's manifest is there, or the branch has been dropped.
    MarkBranch {
        /// Its name.
        name: BranchName,
        /// Its number.
        branch_uid: u64,
        /// What has become of it.
        state: BranchState,
    },
    /// Nothing is left of a branch.
    ForgetBranch {
        /// Its name.
        name: BranchName,
        /// Its number.
        branch_uid: u64,
    },
    /// Ends this branch: all that it needs becomes garbage.
    DropBranch,
}
