//! What a branch consists of, and how that changes.
//!
//! A [`Version`] is the immutable state of a branch: which files hold its data,
//! which compactions run, what must be kept. An [`Edit`] is one change of it.
//! [`Version::apply`] is the only way from one to the next and is pure, so the
//! owner of the manifest, its readers and the tests all compute the same state
//! from the same edits. How versions are stored is in [`record`].

mod apply_jobs;
mod branch;
pub(crate) mod codec;
mod edit;
mod job;
pub mod record;
mod space;
mod sst;
mod version;

pub use branch::{BRANCHES_MAX, BranchPoint, BranchState, Children, Origin};
pub use edit::Edit;
pub use job::{Job, JobId, JobInput, Shard};
pub use space::{LEVEL_MAX, SpaceOptions, SpaceState};
pub use sst::{ColumnCopy, RangeDelete, SstMeta, WIDEST_MAX};
pub use version::{Garbage, Lease, SnapshotMeta, TimePoint, Version, Watermark};

#[cfg(test)]
mod tests;
