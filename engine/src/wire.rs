//! The contracts' messages (`proto/firn/v1`) as the engine's types, for clients and servers.
//!
//! What comes from a peer is checked: a message that lacks something is an error of the
//! request, never a default.

use firn_proto::v1 as pb;

use crate::compaction::{LeaseToken, ShardLease};
use crate::error::{Error, Result};
use crate::manifest::codec::{
    files_from_pb, files_to_pb, lease_from_pb, lease_to_pb, origin_from_pb, origin_to_pb,
    state_from_pb, state_to_pb, times_from_pb, times_to_pb,
};
use crate::manifest::{Edit, Lease, Version};
use crate::object::{ByteRange, ObjectKind};
use crate::storage::{BranchAt, BranchInfo, FlushCommit, Found, NewBranch};
use crate::types::{BranchName, Epoch, ManifestVersion, Seq};

use std::sync::Arc;

fn missing(what: &str) -> Error {
    Error::bad_request(format!("{what} is missing from the message"))
}

/// The branch that a message names.
///
/// # Errors
/// `BadRequest` if it is no name.
pub fn branch(name: &str) -> Result<BranchName> {
    BranchName::new(name)
}

/// What a field holds.
///
/// # Errors
/// `BadRequest` if it is not set; `what` names it.
pub fn required<T>(field: Option<T>, what: &str) -> Result<T> {
    field.ok_or_else(|| missing(what))
}

impl From<&FlushCommit> for pb::Flush {
    fn from(flush: &FlushCommit) -> Self {
        Self {
            epoch: flush.epoch.0,
            files: files_to_pb(&flush.files),
            flushed_seq: flush.flushed_seq.0,
            decided_counter: flush.decided_counter,
            times: times_to_pb(&flush.times),
        }
    }
}

impl TryFrom<pb::Flush> for FlushCommit {
    type Error = Error;

    fn try_from(flush: pb::Flush) -> Result<Self> {
        Ok(Self {
            epoch: Epoch(flush.epoch),
            files: files_from_pb(flush.files)?,
            flushed_seq: Seq(flush.flushed_seq),
            decided_counter: flush.decided_counter,
            times: times_from_pb(flush.times),
        })
    }
}

impl From<&LeaseToken> for pb::LeaseToken {
    fn from(token: &LeaseToken) -> Self {
        Self {
            branch: token.branch.as_str().to_owned(),
            job: token.job,
            shard: u32::try_from(token.shard).unwrap_or(u32::MAX),
            attempt: token.attempt,
        }
    }
}

impl TryFrom<pb::LeaseToken> for LeaseToken {
    type Error = Error;

    fn try_from(token: pb::LeaseToken) -> Result<Self> {
        Ok(Self {
            branch: branch(&token.branch)?,
            job: token.job,
            shard: token.shard as usize,
            attempt: token.attempt,
        })
    }
}

impl From<&ShardLease> for pb::ShardLease {
    fn from(lease: &ShardLease) -> Self {
        Self {
            token: Some((&lease.token).into()),
            job: Some((&*lease.job).into()),
            inputs: files_to_pb(&lease.inputs),
            options: Some((&lease.options).into()),
            branch_uid: lease.branch_uid,
            epoch: lease.epoch.0,
        }
    }
}

impl TryFrom<pb::ShardLease> for ShardLease {
    type Error = Error;

    fn try_from(lease: pb::ShardLease) -> Result<Self> {
        Ok(Self {
            token: required(lease.token, "a lease's token")?.try_into()?,
            job: Arc::new(required(lease.job, "a lease's job")?.try_into()?),
            inputs: files_from_pb(lease.inputs)?,
            options: required(lease.options, "a lease's options")?.into(),
            branch_uid: lease.branch_uid,
            epoch: Epoch(lease.epoch),
        })
    }
}

/// A reader's lease, sent.
#[must_use]
pub fn reader_lease(holder: &str, lease: &Lease) -> pb::ReaderLease {
    lease_to_pb(holder, lease)
}

/// A reader's lease and its holder, received.
#[must_use]
pub fn reader_lease_of(lease: pb::ReaderLease) -> (String, Lease) {
    lease_from_pb(lease)
}

/// Files, sent.
#[must_use]
pub fn files(files: &[Arc<crate::manifest::SstMeta>]) -> Vec<pb::Sst> {
    files_to_pb(files)
}

/// Files, received.
///
/// # Errors
/// `Corrupt` if something that must be there is missing.
pub fn files_of(files: Vec<pb::Sst>) -> Result<Vec<Arc<crate::manifest::SstMeta>>> {
    files_from_pb(files)
}

impl From<ObjectKind> for pb::ObjectKind {
    fn from(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Sst => Self::Sst,
            ObjectKind::Column => Self::Column,
        }
    }
}

impl TryFrom<pb::ObjectKind> for ObjectKind {
    type Error = Error;

    fn try_from(kind: pb::ObjectKind) -> Result<Self> {
        match kind {
            pb::ObjectKind::Unspecified => Err(missing("the kind of object")),
            pb::ObjectKind::Sst => Ok(Self::Sst),
            pb::ObjectKind::Column => Ok(Self::Column),
        }
    }
}

impl From<ByteRange> for pb::ByteRange {
    fn from(range: ByteRange) -> Self {
        Self { offset: range.offset, length: range.len }
    }
}

impl From<pb::ByteRange> for ByteRange {
    fn from(range: pb::ByteRange) -> Self {
        Self { offset: range.offset, len: range.length }
    }
}

impl From<&NewBranch> for pb::CreateBranchRequest {
    fn from(new: &NewBranch) -> Self {
        let at = match &new.at {
            BranchAt::Seq(seq) => pb::create_branch_request::At::Seq(seq.0),
            BranchAt::Snapshot(name) => pb::create_branch_request::At::Snapshot(name.clone()),
        };
        Self {
            parent: new.parent.as_str().to_owned(),
            branch: new.name.as_str().to_owned(),
            branch_uid: new.branch_uid,
            at: Some(at),
        }
    }
}

impl TryFrom<pb::CreateBranchRequest> for NewBranch {
    type Error = Error;

    fn try_from(new: pb::CreateBranchRequest) -> Result<Self> {
        let at = match required(new.at, "where the branch begins")? {
            pb::create_branch_request::At::Seq(seq) => BranchAt::Seq(Seq(seq)),
            pb::create_branch_request::At::Snapshot(name) => BranchAt::Snapshot(name),
        };
        let (parent, name) = (branch(&new.parent)?, branch(&new.branch)?);
        let branch_uid = required(Some(new.branch_uid).filter(|uid| *uid != 0), "its number")?;
        Ok(Self { parent, name, branch_uid, at })
    }
}

impl From<&BranchInfo> for pb::BranchInfo {
    fn from(info: &BranchInfo) -> Self {
        Self {
            branch: info.name.as_str().to_owned(),
            origin: info.origin.as_ref().map(origin_to_pb),
            flushed_seq: info.flushed_seq.0,
            writer: info.writer.clone(),
            files: info.files,
            state: state_to_pb(info.state).into(),
        }
    }
}

impl TryFrom<pb::BranchInfo> for BranchInfo {
    type Error = Error;

    fn try_from(info: pb::BranchInfo) -> Result<Self> {
        Ok(Self {
            state: state_from_pb(info.state())?,
            name: branch(&info.branch)?,
            origin: info.origin.map(origin_from_pb).transpose()?,
            flushed_seq: Seq(info.flushed_seq),
            writer: info.writer,
            files: info.files,
        })
    }
}

/// A branch that was found, or none, as a message.
#[must_use]
pub fn found_to_pb(found: Option<&Found>) -> pb::FindBranchResponse {
    let Some(found) = found else { return pb::FindBranchResponse::default() };
    pb::FindBranchResponse {
        branch: found.name.to_string(),
        state: state_to_pb(found.state).into(),
    }
}

/// From the message.
///
/// # Errors
/// `BadRequest` or `Corrupt` if it cannot be one.
pub fn found_from_pb(found: &pb::FindBranchResponse) -> Result<Option<Found>> {
    if found.branch.is_empty() {
        return Ok(None);
    }
    Ok(Some(Found { name: branch(&found.branch)?, state: state_from_pb(found.state())? }))
}

/// A whole state as the first message of a stream of versions.
#[must_use]
pub fn whole(version: &Version) -> pb::VersionDelta {
    pb::VersionDelta { version: version.number.0, state: Some(version.into()), edits: Vec::new() }
}

/// What makes version `number` of the one before.
#[must_use]
pub fn step(number: ManifestVersion, edits: &[Edit]) -> pb::VersionDelta {
    let edits = edits.iter().map(Into::into).collect();
    pb::VersionDelta { version: number.0, state: None, edits }
}

/// The version that `delta` leads to from `known`.
///
/// # Errors
/// `Corrupt` if it does not follow, or holds what this program does not know.
pub fn follow(
    name: &BranchName,
    known: Option<&Version>,
    delta: pb::VersionDelta,
) -> Result<Version> {
    let number = ManifestVersion(delta.version);
    if let Some(state) = delta.state {
        return Version::from_state(name.clone(), number, state);
    }
    let known = known.filter(|known| known.number.next() == number).ok_or_else(|| {
        Error::corrupt(format!("{name:?}: {number:?} came without the one before it"))
    })?;
    let edits = delta.edits.into_iter().map(TryInto::try_into).collect::<Result<Vec<Edit>>>()?;
    known.apply(&edits)
}
