//! Between the state's types and their stored form.

use std::sync::Arc;

use firn_proto::v1 as pb;
use pb::manifest_edit::Edit as PbEdit;

use super::branch::{BranchPoint, BranchState, Origin};
use super::edit::Edit;
use super::job::{Job, JobInput, Shard};
use super::space::{LEVEL_MAX, SpaceOptions, SpaceState};
use super::sst::{ColumnCopy, RangeDelete, SstMeta};
use super::version::{Garbage, Lease, SnapshotMeta, TimePoint, Version, Watermark};
use crate::error::{Error, Result};
use crate::key::KeyRange;
use crate::types::{BranchName, Epoch, ManifestVersion, ObjectId, Seq, SpaceId};

fn missing(what: &str) -> Error {
    Error::corrupt(format!("manifest: {what} is missing"))
}

impl From<ObjectId> for pb::ObjectId {
    fn from(id: ObjectId) -> Self {
        Self { branch_uid: id.branch, counter: id.counter, epoch: id.epoch.0 }
    }
}

impl From<pb::ObjectId> for ObjectId {
    fn from(id: pb::ObjectId) -> Self {
        Self { branch: id.branch_uid, counter: id.counter, epoch: Epoch(id.epoch) }
    }
}

impl From<&KeyRange> for pb::KeyRange {
    fn from(range: &KeyRange) -> Self {
        Self {
            start: range.start.clone(),
            end: range.end.clone().unwrap_or_default(),
            unbounded: range.end.is_none(),
        }
    }
}

impl From<pb::KeyRange> for KeyRange {
    fn from(range: pb::KeyRange) -> Self {
        Self { start: range.start, end: (!range.unbounded).then_some(range.end) }
    }
}

impl From<&SstMeta> for pb::Sst {
    fn from(file: &SstMeta) -> Self {
        Self {
            id: Some(file.id.into()),
            space: file.space.0,
            range: Some((&file.range).into()),
            seq_min: file.seq_min.0,
            seq_max: file.seq_max.0,
            cut: file.cut,
            bytes: file.bytes,
            tail_bytes: file.tail_bytes,
            raw_bytes: file.raw_bytes,
            entries: file.entries,
            deletes: file.deletes,
            range_deletes: file.range_deletes,
            widest: file.widest.iter().map(Into::into).collect(),
            column: file.column.as_ref().map(|c| pb::ColumnCopy { bytes: c.bytes, rows: c.rows }),
        }
    }
}

impl TryFrom<pb::Sst> for SstMeta {
    type Error = Error;

    fn try_from(file: pb::Sst) -> Result<Self> {
        Ok(Self {
            id: file.id.ok_or_else(|| missing("a file's id"))?.into(),
            space: SpaceId(file.space),
            range: file.range.ok_or_else(|| missing("a file's range"))?.into(),
            seq_min: Seq(file.seq_min),
            seq_max: Seq(file.seq_max),
            cut: file.cut,
            bytes: file.bytes,
            tail_bytes: file.tail_bytes,
            raw_bytes: file.raw_bytes,
            entries: file.entries,
            deletes: file.deletes,
            range_deletes: file.range_deletes,
            widest: file.widest.into_iter().map(TryInto::try_into).collect::<Result<_>>()?,
            column: file.column.map(|c| ColumnCopy { bytes: c.bytes, rows: c.rows }),
        })
    }
}

impl From<&RangeDelete> for pb::RangeDelete {
    fn from(delete: &RangeDelete) -> Self {
        Self { range: Some((&delete.range).into()), seq: delete.seq.0 }
    }
}

impl TryFrom<pb::RangeDelete> for RangeDelete {
    type Error = Error;

    fn try_from(delete: pb::RangeDelete) -> Result<Self> {
        let range = delete.range.ok_or_else(|| missing("a range deletion's range"))?.into();
        Ok(Self { range, seq: Seq(delete.seq) })
    }
}

pub(crate) fn files_to_pb(files: &[Arc<SstMeta>]) -> Vec<pb::Sst> {
    files.iter().map(|f| (&**f).into()).collect()
}

pub(crate) fn files_from_pb(files: Vec<pb::Sst>) -> Result<Vec<Arc<SstMeta>>> {
    files.into_iter().map(|f| Ok(Arc::new(f.try_into()?))).collect()
}

impl From<&SpaceOptions> for pb::SpaceOptions {
    fn from(options: &SpaceOptions) -> Self {
        Self {
            row_schema: options.row_schema.clone(),
            filter_prefix_len: options.filter_prefix_len,
            settle_seq: options.settle_seq.0,
        }
    }
}

impl From<pb::SpaceOptions> for SpaceOptions {
    fn from(options: pb::SpaceOptions) -> Self {
        Self {
            row_schema: options.row_schema,
            filter_prefix_len: options.filter_prefix_len,
            settle_seq: Seq(options.settle_seq),
        }
    }
}

impl From<&Job> for pb::Job {
    fn from(job: &Job) -> Self {
        Self {
            id: job.id,
            space: job.space.0,
            inputs: inputs_to_pb(&job.inputs),
            target_level: job.target_level as u32,
            bottom: job.bottom,
            watermark: job.watermark.0,
            shards: job.shards.iter().map(Into::into).collect(),
            parked: job.parked.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<pb::Job> for Job {
    type Error = Error;

    fn try_from(job: pb::Job) -> Result<Self> {
        Ok(Self {
            id: job.id,
            space: SpaceId(job.space),
            inputs: inputs_from_pb(job.inputs)?,
            target_level: level(job.target_level)?,
            bottom: job.bottom,
            watermark: Seq(job.watermark),
            shards: job.shards.into_iter().map(TryInto::try_into).collect::<Result<_>>()?,
            parked: (!job.parked.is_empty()).then_some(job.parked),
        })
    }
}

fn inputs_to_pb(inputs: &[JobInput]) -> Vec<pb::JobInput> {
    let input = |i: &JobInput| pb::JobInput { level: i.level as u32, id: Some(i.id.into()) };
    inputs.iter().map(input).collect()
}

fn inputs_from_pb(inputs: Vec<pb::JobInput>) -> Result<Vec<JobInput>> {
    let input = |i: pb::JobInput| {
        let id = i.id.ok_or_else(|| missing("a job input's id"))?.into();
        Ok(JobInput { level: level(i.level)?, id })
    };
    inputs.into_iter().map(input).collect()
}

fn level(level: u32) -> Result<usize> {
    let level = level as usize;
    if level > LEVEL_MAX {
        return Err(Error::corrupt(format!("manifest: level {level} of at most {LEVEL_MAX}")));
    }
    Ok(level)
}

impl From<&Shard> for pb::Shard {
    fn from(shard: &Shard) -> Self {
        Self {
            range: Some((&shard.range).into()),
            attempt: shard.attempt.unwrap_or(0),
            worker: shard.worker.clone(),
            outputs: files_to_pb(&shard.outputs),
            resume_key: shard.resume_key.clone(),
            done: shard.done,
            failures: shard.failures,
            last_failure: shard.last_failure.clone(),
        }
    }
}

impl TryFrom<pb::Shard> for Shard {
    type Error = Error;

    fn try_from(shard: pb::Shard) -> Result<Self> {
        Ok(Self {
            range: shard.range.ok_or_else(|| missing("a shard's range"))?.into(),
            attempt: (shard.attempt != 0).then_some(shard.attempt),
            worker: shard.worker,
            outputs: files_from_pb(shard.outputs)?,
            resume_key: shard.resume_key,
            done: shard.done,
            failures: shard.failures,
            last_failure: shard.last_failure,
        })
    }
}

pub(crate) fn lease_to_pb(holder: &str, lease: &Lease) -> pb::ReaderLease {
    pb::ReaderLease {
        holder: holder.to_owned(),
        oldest_seq: lease.oldest_seq.0,
        oldest_version: lease.oldest_version.0,
    }
}

pub(crate) fn lease_from_pb(lease: pb::ReaderLease) -> (String, Lease) {
    let value = Lease {
        oldest_seq: Seq(lease.oldest_seq),
        oldest_version: ManifestVersion(lease.oldest_version),
    };
    (lease.holder, value)
}

fn watermark_to_pb(watermark: &Watermark) -> pb::Watermark {
    pb::Watermark { seq: watermark.seq.0, holder: watermark.holder.clone() }
}

fn watermark_from_pb(watermark: pb::Watermark) -> Watermark {
    Watermark { seq: Seq(watermark.seq), holder: watermark.holder }
}

pub(crate) fn times_to_pb(times: &[TimePoint]) -> Vec<pb::TimePoint> {
    times.iter().map(|t| pb::TimePoint { seq: t.seq.0, unix_ms: t.unix_ms }).collect()
}

pub(crate) fn times_from_pb(times: Vec<pb::TimePoint>) -> Vec<TimePoint> {
    times.into_iter().map(|t| TimePoint { seq: Seq(t.seq), unix_ms: t.unix_ms }).collect()
}

fn snapshot_to_pb(name: &str, snapshot: &SnapshotMeta) -> pb::Snapshot {
    pb::Snapshot {
        name: name.to_owned(),
        seq: snapshot.seq.0,
        created_unix_ms: snapshot.created_unix_ms,
    }
}

fn snapshot_from_pb(snapshot: pb::Snapshot) -> (String, SnapshotMeta) {
    let meta = SnapshotMeta { seq: Seq(snapshot.seq), created_unix_ms: snapshot.created_unix_ms };
    (snapshot.name, meta)
}

fn space_to_pb(id: SpaceId, space: &SpaceState) -> pb::SpaceState {
    pb::SpaceState {
        space: id.0,
        options: Some((&space.options).into()),
        l0: files_to_pb(&space.l0),
        levels: space.levels.iter().map(|l| pb::Level { files: files_to_pb(l) }).collect(),
    }
}

fn space_from_pb(space: pb::SpaceState) -> Result<(SpaceId, Arc<SpaceState>)> {
    let mut state = SpaceState {
        options: space.options.map(Into::into).unwrap_or_default(),
        l0: Arc::new(files_from_pb(space.l0)?),
        ..SpaceState::default()
    };
    if space.levels.len() > LEVEL_MAX {
        return Err(Error::corrupt("manifest: too many levels"));
    }
    for (slot, level) in state.levels.iter_mut().zip(space.levels) {
        *slot = Arc::new(files_from_pb(level.files)?);
    }
    Ok((SpaceId(space.space), Arc::new(state)))
}

impl From<&Version> for pb::ManifestState {
    fn from(v: &Version) -> Self {
        let garbage = |(id, g): (&ObjectId, &Garbage)| pb::Garbage {
            id: Some((*id).into()),
            unlinked_at: g.unlinked_at.0,
            has_column: g.has_column,
        };
        Self {
            branch_uid: v.branch_uid,
            owner: v.owner,
            owner_name: v.owner_name.clone(),
            epoch: v.epoch.0,
            writer: v.writer.clone(),
            flushed_seq: v.flushed_seq.0,
            decided_counter: v.decided_counter,
            spaces: v.spaces.iter().map(|(id, s)| space_to_pb(*id, s)).collect(),
            jobs: v.jobs.values().map(|j| (&**j).into()).collect(),
            next_job: v.next_job,
            next_attempt: v.next_attempt,
            snapshots: v.snapshots.iter().map(|(n, s)| snapshot_to_pb(n, s)).collect(),
            leases: v.leases.iter().map(|(h, l)| lease_to_pb(h, l)).collect(),
            watermark: Some(watermark_to_pb(&v.watermark)),
            garbage: v.garbage.iter().map(garbage).collect(),
            archived_seq: v.archived_seq.0,
            times: times_to_pb(&v.times),
            origin: v.origin.as_ref().map(origin_to_pb),
            children: v.children.iter().map(|(name, point)| point_to_pb(name, point)).collect(),
            flush_wanted: v.flush_wanted,
            flush_answered: v.flush_answered,
            dropped: v.dropped,
        }
    }
}

pub(crate) fn origin_to_pb(origin: &Origin) -> pb::BranchOrigin {
    pb::BranchOrigin {
        branch: origin.branch.as_str().to_owned(),
        branch_uid: origin.branch_uid,
        seq: origin.seq.0,
        created_unix_ms: origin.created_unix_ms,
    }
}

pub(crate) fn origin_from_pb(origin: pb::BranchOrigin) -> Result<Origin> {
    Ok(Origin {
        branch: BranchName::new(&origin.branch)?,
        branch_uid: origin.branch_uid,
        seq: Seq(origin.seq),
        created_unix_ms: origin.created_unix_ms,
    })
}

pub(crate) fn state_to_pb(state: BranchState) -> pb::BranchState {
    match state {
        BranchState::Pinned => pb::BranchState::Pinned,
        BranchState::Created => pb::BranchState::Created,
        BranchState::Dropped => pb::BranchState::Dropped,
    }
}

pub(crate) fn state_from_pb(state: pb::BranchState) -> Result<BranchState> {
    match state {
        pb::BranchState::Unspecified => Err(missing("what has become of a branch")),
        pb::BranchState::Pinned => Ok(BranchState::Pinned),
        pb::BranchState::Created => Ok(BranchState::Created),
        pb::BranchState::Dropped => Ok(BranchState::Dropped),
    }
}

fn point_to_pb(name: &BranchName, point: &BranchPoint) -> pb::BranchPoint {
    pb::BranchPoint {
        branch: name.as_str().to_owned(),
        branch_uid: point.branch_uid,
        seq: point.seq.0,
        version: point.version.0,
        created_unix_ms: point.created_unix_ms,
        state: state_to_pb(point.state).into(),
    }
}

fn point_from_pb(point: pb::BranchPoint) -> Result<(BranchName, BranchPoint)> {
    let state = state_from_pb(point.state())?;
    let name = BranchName::new(&point.branch)?;
    let point = BranchPoint {
        branch_uid: point.branch_uid,
        seq: Seq(point.seq),
        version: ManifestVersion(point.version),
        created_unix_ms: point.created_unix_ms,
        state,
    };
    Ok((name, point))
}

impl Version {
    /// From its stored form.
    ///
    /// # Errors
    /// `Corrupt` if something that must be there is missing.
    pub fn from_state(
        branch: BranchName,
        number: ManifestVersion,
        state: pb::ManifestState,
    ) -> Result<Self> {
        let garbage = |g: pb::Garbage| {
            let id = g.id.ok_or_else(|| missing("a garbage id"))?.into();
            let unlinked_at = ManifestVersion(g.unlinked_at);
            Ok((id, Garbage { unlinked_at, has_column: g.has_column }))
        };
        let job = |j: pb::Job| Ok((j.id, Arc::new(j.try_into()?)));
        Ok(Self {
            branch,
            number,
            branch_uid: state.branch_uid,
            owner: state.owner,
            owner_name: state.owner_name,
            epoch: Epoch(state.epoch),
            writer: state.writer,
            flushed_seq: Seq(state.flushed_seq),
            decided_counter: state.decided_counter,
            spaces: state.spaces.into_iter().map(space_from_pb).collect::<Result<_>>()?,
            jobs: state.jobs.into_iter().map(job).collect::<Result<_>>()?,
            next_job: state.next_job,
            next_attempt: state.next_attempt,
            snapshots: state.snapshots.into_iter().map(snapshot_from_pb).collect(),
            leases: state.leases.into_iter().map(lease_from_pb).collect(),
            watermark: state.watermark.map(watermark_from_pb).unwrap_or_default(),
            garbage: state.garbage.into_iter().map(garbage).collect::<Result<_>>()?,
            archived_seq: Seq(state.archived_seq),
            times: times_from_pb(state.times),
            origin: state.origin.map(origin_from_pb).transpose()?,
            children: state.children.into_iter().map(point_from_pb).collect::<Result<_>>()?,
            flush_wanted: state.flush_wanted,
            flush_answered: state.flush_answered,
            dropped: state.dropped,
        })
    }
}

impl From<&Edit> for pb::ManifestEdit {
    fn from(edit: &Edit) -> Self {
        let ids = |ids: &[ObjectId]| ids.iter().map(|id| (*id).into()).collect();
        let edit = match edit {
            Edit::CreateBranch { branch_uid } => {
                PbEdit::CreateBranch(pb::CreateBranch { branch_uid: *branch_uid })
            }
            Edit::TakeCharge { owner_name } => {
                PbEdit::TakeCharge(pb::TakeCharge { owner_name: owner_name.clone() })
            }
            Edit::AsOwner { owner } => PbEdit::AsOwner(pb::AsOwner { owner: *owner }),
            Edit::AddLease { holder, lease } => {
                PbEdit::AddLease(pb::AddLease { lease: Some(lease_to_pb(holder, lease)) })
            }
            Edit::ClaimWriter { writer } => {
                PbEdit::ClaimWriter(pb::ClaimWriter { writer: writer.clone() })
            }
            Edit::DeclareSpace { epoch, space, options } => {
                PbEdit::DeclareSpace(pb::DeclareSpace {
                    epoch: epoch.0,
                    space: space.0,
                    options: Some(options.into()),
                })
            }
            Edit::Flush { epoch, files, flushed_seq, decided_counter, times } => {
                PbEdit::Flush(pb::Flush {
                    epoch: epoch.0,
                    files: files_to_pb(files),
                    flushed_seq: flushed_seq.0,
                    decided_counter: *decided_counter,
                    times: times_to_pb(times),
                })
            }
            Edit::AddJob { job } => PbEdit::AddJob(pb::AddJob { job: Some((&**job).into()) }),
            Edit::LeaseShard { job, shard, attempt, worker } => {
                PbEdit::LeaseShard(pb::LeaseShard {
                    job: *job,
                    shard: *shard as u32,
                    attempt: *attempt,
                    worker: worker.clone(),
                })
            }
            Edit::ShardProgress { job, shard, attempt, outputs, resume_key, done } => {
                PbEdit::ShardProgress(pb::ShardProgress {
                    job: *job,
                    shard: *shard as u32,
                    attempt: *attempt,
                    outputs: files_to_pb(outputs),
                    resume_key: resume_key.clone(),
                    done: *done,
                })
            }
            Edit::ReleaseShard { job, shard, attempt, failure, park } => {
                PbEdit::ReleaseShard(pb::ReleaseShard {
                    job: *job,
                    shard: *shard as u32,
                    attempt: *attempt,
                    failure: failure.clone().unwrap_or_default(),
                    park: *park,
                })
            }
            Edit::CompleteJob { job } => PbEdit::CompleteJob(pb::CompleteJob { job: *job }),
            Edit::CancelJob { job } => PbEdit::CancelJob(pb::CancelJob { job: *job }),
            Edit::AddSnapshot { name, snapshot } => PbEdit::AddSnapshot(pb::AddSnapshot {
                snapshot: Some(snapshot_to_pb(name, snapshot)),
            }),
            Edit::DropSnapshot { name } => {
                PbEdit::DropSnapshot(pb::DropSnapshot { name: name.clone() })
            }
            Edit::AdvanceWatermark { watermark, leases } => {
                PbEdit::AdvanceWatermark(pb::AdvanceWatermark {
                    watermark: Some(watermark_to_pb(watermark)),
                    leases: leases.iter().map(|(h, l)| lease_to_pb(h, l)).collect(),
                })
            }
            Edit::Unlink { space, files } => {
                PbEdit::Unlink(pb::Unlink { space: space.0, files: ids(files) })
            }
            Edit::Move { space, files, to_level } => PbEdit::Move(pb::Move {
                space: space.0,
                files: inputs_to_pb(files),
                to_level: *to_level as u32,
            }),
            Edit::ForgetGarbage { objects } => {
                PbEdit::ForgetGarbage(pb::ForgetGarbage { objects: ids(objects) })
            }
            Edit::Archived { through } => PbEdit::Archived(pb::Archived { through_seq: through.0 }),
            Edit::WantFlush => PbEdit::WantFlush(pb::WantFlush {}),
            Edit::AnswerFlush { epoch, answers } => {
                PbEdit::AnswerFlush(pb::AnswerFlush { epoch: epoch.0, answers: *answers })
            }
            Edit::PinBranch { name, point } => {
                PbEdit::PinBranch(pb::PinBranch { point: Some(point_to_pb(name, point)) })
            }
            Edit::MarkBranch { name, branch_uid, state } => PbEdit::MarkBranch(pb::MarkBranch {
                branch: name.as_str().to_owned(),
                branch_uid: *branch_uid,
                state: state_to_pb(*state).into(),
            }),
            Edit::ForgetBranch { name, branch_uid } => PbEdit::ForgetBranch(pb::ForgetBranch {
                branch: name.as_str().to_owned(),
                branch_uid: *branch_uid,
            }),
            Edit::DropBranch => PbEdit::DropBranch(pb::DropBranch {}),
        };
        Self { edit: Some(edit) }
    }
}

impl TryFrom<pb::ManifestEdit> for Edit {
    type Error = Error;

    fn try_from(edit: pb::ManifestEdit) -> Result<Self> {
        let ids = |ids: Vec<pb::ObjectId>| ids.into_iter().map(Into::into).collect();
        // An edit kind that this program does not know has no `edit` at all.
        let edit = edit.edit.ok_or_else(|| {
            Error::corrupt("manifest: an edit of a kind that this version does not know")
        })?;
        Ok(match edit {
            PbEdit::CreateBranch(e) => Self::CreateBranch { branch_uid: e.branch_uid },
            PbEdit::TakeCharge(e) => Self::TakeCharge { owner_name: e.owner_name },
            PbEdit::AsOwner(e) => Self::AsOwner { owner: e.owner },
            PbEdit::AddLease(e) => {
                let (holder, lease) = lease_from_pb(e.lease.ok_or_else(|| missing("a lease"))?);
                Self::AddLease { holder, lease }
            }
            PbEdit::ClaimWriter(e) => Self::ClaimWriter { writer: e.writer },
            PbEdit::DeclareSpace(e) => Self::DeclareSpace {
                epoch: Epoch(e.epoch),
                space: SpaceId(e.space),
                options: e.options.map(Into::into).unwrap_or_default(),
            },
            PbEdit::Flush(e) => Self::Flush {
                epoch: Epoch(e.epoch),
                files: files_from_pb(e.files)?,
                flushed_seq: Seq(e.flushed_seq),
                decided_counter: e.decided_counter,
                times: times_from_pb(e.times),
            },
            PbEdit::AddJob(e) => {
                let job = e.job.ok_or_else(|| missing("a job"))?;
                Self::AddJob { job: Arc::new(job.try_into()?) }
            }
            PbEdit::LeaseShard(e) => Self::LeaseShard {
                job: e.job,
                shard: e.shard as usize,
                attempt: e.attempt,
                worker: e.worker,
            },
            PbEdit::ShardProgress(e) => Self::ShardProgress {
                job: e.job,
                shard: e.shard as usize,
                attempt: e.attempt,
                outputs: files_from_pb(e.outputs)?,
                resume_key: e.resume_key,
                done: e.done,
            },
            PbEdit::ReleaseShard(e) => Self::ReleaseShard {
                job: e.job,
                shard: e.shard as usize,
                attempt: e.attempt,
                failure: (!e.failure.is_empty()).then_some(e.failure),
                park: e.park,
            },
            PbEdit::CompleteJob(e) => Self::CompleteJob { job: e.job },
            PbEdit::CancelJob(e) => Self::CancelJob { job: e.job },
            PbEdit::AddSnapshot(e) => {
                let snapshot = e.snapshot.ok_or_else(|| missing("a snapshot"))?;
                let (name, snapshot) = snapshot_from_pb(snapshot);
                Self::AddSnapshot { name, snapshot }
            }
            PbEdit::DropSnapshot(e) => Self::DropSnapshot { name: e.name },
            PbEdit::AdvanceWatermark(e) => Self::AdvanceWatermark {
                watermark: e.watermark.map(watermark_from_pb).unwrap_or_default(),
                leases: e.leases.into_iter().map(lease_from_pb).collect(),
            },
            PbEdit::Unlink(e) => Self::Unlink { space: SpaceId(e.space), files: ids(e.files) },
            PbEdit::Move(e) => Self::Move {
                space: SpaceId(e.space),
                files: inputs_from_pb(e.files)?,
                to_level: level(e.to_level)?,
            },
            PbEdit::ForgetGarbage(e) => Self::ForgetGarbage { objects: ids(e.objects) },
            PbEdit::Archived(e) => Self::Archived { through: Seq(e.through_seq) },
            PbEdit::WantFlush(_) => Self::WantFlush,
            PbEdit::AnswerFlush(e) => {
                Self::AnswerFlush { epoch: Epoch(e.epoch), answers: e.answers }
            }
            PbEdit::PinBranch(e) => {
                let point = e.point.ok_or_else(|| missing("a branch point"))?;
                let (name, point) = point_from_pb(point)?;
                Self::PinBranch { name, point }
            }
            PbEdit::MarkBranch(e) => Self::MarkBranch {
                name: BranchName::new(&e.branch)?,
                branch_uid: e.branch_uid,
                state: state_from_pb(e.state())?,
            },
            PbEdit::ForgetBranch(e) => {
                let (name, branch_uid) = (BranchName::new(&e.branch)?, e.branch_uid);
                Self::ForgetBranch { name, branch_uid }
            }
            PbEdit::DropBranch(_) => Self::DropBranch,
        })
    }
}
