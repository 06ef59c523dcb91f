//! The state of a branch and how edits change it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::apply_jobs::progress;
use super::branch::{Children, Origin};
use super::edit::Edit;
use super::job::{Job, JobId};
use super::space::SpaceState;
use super::sst::SstMeta;
use crate::error::{Error, ErrorKind, Result};
use crate::key::KeyRange;
use crate::types::{BranchName, Epoch, ManifestVersion, ObjectId, Seq, SpaceId};

/// Commit times kept in the manifest at most; older ones are thinned.
const TIMES_MAX: usize = 1024;

/// The immutable state of a branch at one manifest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The branch's name.
    pub branch: BranchName,
    /// Which version this is.
    pub number: ManifestVersion,
    /// Random number that tells the branch's objects from other branches'.
    pub branch_uid: u64,
    /// Counts the storage services that have taken charge.
    pub owner: u64,
    /// Who the last one is, for people.
    pub owner_name: String,
    /// Epoch of the last writer; zero before the first.
    pub epoch: Epoch,
    /// Who that is, for people.
    pub writer: String,
    /// Every commit up to this seq is in files named here.
    pub flushed_seq: Seq,
    /// The writer's objects with a smaller counter are named here or never will be.
    pub decided_counter: u64,
    /// Files by space.
    pub spaces: BTreeMap<SpaceId, Arc<SpaceState>>,
    /// Planned and running compactions.
    pub jobs: BTreeMap<JobId, Arc<Job>>,
    /// Number of the next job.
    pub next_job: JobId,
    /// Number of the next try of a shard.
    pub next_attempt: u64,
    /// Named snapshots.
    pub snapshots: BTreeMap<String, SnapshotMeta>,
    /// What readers held when the watermark was last computed, by holder.
    pub leases: BTreeMap<String, Lease>,
    /// Older versions below it may be dropped.
    pub watermark: Watermark,
    /// Objects that wait to be deleted.
    pub garbage: BTreeMap<ObjectId, Garbage>,
    /// The journal is archived up to here.
    pub archived_seq: Seq,
    /// Thinned commit times, oldest first.
    pub times: Vec<TimePoint>,
    /// Where the branch comes from; `None` for the first.
    pub origin: Option<Origin>,
    /// The branches that come from this one.
    pub children: Children,
    /// How often somebody has asked the writer to put everything into files.
    pub flush_wanted: u64,
    /// How many of these requests the writer has met.
    pub flush_answered: u64,
    /// The branch is no more; the name is not used again.
    pub dropped: bool,
}

/// Keeps what is visible at a seq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// What is visible.
    pub seq: Seq,
    /// When it was made, in milliseconds since 1970.
    pub created_unix_ms: u64,
}

/// What a running reader needs kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// It reads at this seq or later.
    pub oldest_seq: Seq,
    /// It reads objects of this version or later.
    pub oldest_version: ManifestVersion,
}

/// Versions older than another version at or below `seq` may be dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watermark {
    /// Where it is.
    pub seq: Seq,
    /// Who holds it there, for people.
    pub holder: String,
}

/// An object that no state names any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Garbage {
    /// First version that does not name it.
    pub unlinked_at: ManifestVersion,
    /// It has a column copy, to be deleted with it.
    pub has_column: bool,
}

/// When a commit happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimePoint {
    /// The commit.
    pub seq: Seq,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

impl Version {
    /// The state before the first edit.
    #[must_use]
    pub fn empty(branch: BranchName) -> Self {
        Self {
            branch,
            number: ManifestVersion(0),
            branch_uid: 0,
            owner: 0,
            owner_name: String::new(),
            epoch: Epoch::ZERO,
            writer: String::new(),
            flushed_seq: Seq::ZERO,
            decided_counter: 0,
            spaces: BTreeMap::new(),
            jobs: BTreeMap::new(),
            next_job: 1,
            next_attempt: 1,
            snapshots: BTreeMap::new(),
            leases: BTreeMap::new(),
            watermark: Watermark::default(),
            garbage: BTreeMap::new(),
            archived_seq: Seq::ZERO,
            times: Vec::new(),
            origin: None,
            children: Children::new(),
            flush_wanted: 0,
            flush_answered: 0,
            dropped: false,
        }
    }

    /// The files of a space; `None` if it has none and was never declared.
    #[must_use]
    pub fn space(&self, space: SpaceId) -> Option<&Arc<SpaceState>> {
        self.spaces.get(&space)
    }

    /// All files of all spaces.
    pub fn files(&self) -> impl Iterator<Item = (usize, &Arc<SstMeta>)> {
        self.spaces.values().flat_map(|s| s.files())
    }

    /// The next version: `edits` applied in order, all or none.
    ///
    /// # Errors
    /// `Fenced` for an edit of an older epoch, `BadRequest` for one that does
    /// not fit this state (the message says why), `Internal` for one that
    /// would break an invariant.
    pub fn apply(&self, edits: &[Edit]) -> Result<Self> {
        let mut next = self.clone();
        next.number = self.number.next();
        for edit in edits {
            next.apply_one(edit)?;
        }
        Ok(next)
    }

    fn apply_one(&mut self, edit: &Edit) -> Result<()> {
        if self.branch_uid == 0 && !matches!(edit, Edit::CreateBranch { .. } | Edit::AsOwner { .. })
        {
            return Err(Error::bad_request(format!("{:?} does not exist", self.branch)));
        }
        let cleans_up = matches!(
            edit,
            Edit::AsOwner { .. }
                | Edit::TakeCharge { .. }
                | Edit::AdvanceWatermark { .. }
                | Edit::ForgetGarbage { .. }
                | Edit::ForgetBranch { .. }
        );
        if self.dropped && !cleans_up {
            return Err(Error::bad_request(format!("{:?} was dropped", self.branch)));
        }
        match edit {
            Edit::CreateBranch { branch_uid } => self.create(*branch_uid),
            Edit::ClaimWriter { writer } => {
                self.epoch = self.epoch.next();
                self.writer.clone_from(writer);
                self.decided_counter = 0;
                let lease = Lease { oldest_seq: self.flushed_seq, oldest_version: self.number };
                self.leases.insert(self.writer_lease(), lease);
                Ok(())
            }
            Edit::TakeCharge { owner_name } => {
                self.owner += 1;
                self.owner_name.clone_from(owner_name);
                Ok(())
            }
            Edit::AsOwner { owner } => self.check_owner(*owner),
            Edit::AddLease { holder, lease } => {
                self.leases.insert(holder.clone(), *lease);
                Ok(())
            }
            Edit::DeclareSpace { epoch, space, options } => {
                self.check_epoch(*epoch)?;
                self.declare(*space, options)
            }
            Edit::Flush { epoch, files, flushed_seq, decided_counter, times } => {
                self.check_epoch(*epoch)?;
                self.flush(files, *flushed_seq, *decided_counter)?;
                self.add_times(times);
                Ok(())
            }
            Edit::AddJob { job } => self.add_job(job),
            Edit::LeaseShard { job, shard, attempt, worker } => {
                self.lease_shard(*job, *shard, *attempt, worker)
            }
            Edit::ShardProgress { job, shard, attempt, outputs, resume_key, done } => {
                let shard = self.shard_of(*job, *shard, *attempt)?;
                progress(shard, outputs, resume_key)?;
                shard.done = *done;
                if *done {
                    shard.attempt = None;
                }
                Ok(())
            }
            Edit::ReleaseShard { job, shard, attempt, failure, park } => {
                let s = self.shard_of(*job, *shard, *attempt)?;
                s.attempt = None;
                if let Some(reason) = failure {
                    s.failures += 1;
                    s.last_failure.clone_from(reason);
                }
                if *park {
                    self.job_mut(*job)?.parked = failure.clone();
                }
                Ok(())
            }
            Edit::CompleteJob { job } => self.complete(*job),
            Edit::CancelJob { job } => self.cancel(*job),
            Edit::AddSnapshot { name, snapshot } => self.add_snapshot(name, snapshot),
            Edit::DropSnapshot { name } => match self.snapshots.remove(name) {
                Some(_) => Ok(()),
                None => Err(Error::bad_request(format!("snapshot {name:?} does not exist"))),
            },
            Edit::AdvanceWatermark { watermark, leases } => {
                if watermark.seq < self.watermark.seq {
                    return Err(Error::internal(format!(
                        "GC watermark would go back from {} to {}",
                        self.watermark.seq, watermark.seq
                    )));
                }
                self.watermark = watermark.clone();
                self.leases = leases.iter().cloned().collect();
                Ok(())
            }
            Edit::Unlink { space, files } => self.unlink(*space, files),
            Edit::Move { space, files, to_level } => self.move_files(*space, files, *to_level),
            Edit::ForgetGarbage { objects } => {
                for id in objects {
                    self.garbage.remove(id);
                }
                Ok(())
            }
            Edit::Archived { through } => {
                self.archived_seq = self.archived_seq.max(*through);
                Ok(())
            }
            Edit::WantFlush => {
                self.flush_wanted += 1;
                Ok(())
            }
            Edit::AnswerFlush { epoch, answers } => {
                self.check_epoch(*epoch)?;
                if *answers > self.flush_wanted {
                    return Err(Error::internal("a flush that nobody has asked for"));
                }
                self.flush_answered = self.flush_answered.max(*answers);
                Ok(())
            }
            Edit::PinBranch { name, point } => self.pin_branch(name, point),
            Edit::MarkBranch { name, branch_uid, state } => {
                self.mark_branch(name, *branch_uid, *state)
            }
            Edit::ForgetBranch { name, branch_uid } => self.forget_branch(name, *branch_uid),
            Edit::DropBranch => self.drop_branch(),
        }
    }

    fn check_epoch(&self, epoch: Epoch) -> Result<()> {
        if epoch < self.epoch {
            return Err(Error::new(
                ErrorKind::Fenced,
                format!(
                    "{:?}: this writer has {epoch:?}, but {} took {:?}",
                    self.branch, self.writer, self.epoch
                ),
            ));
        }
        if epoch > self.epoch {
            return Err(Error::internal(format!("{epoch:?} was never granted")));
        }
        Ok(())
    }

    fn check_owner(&self, owner: u64) -> Result<()> {
        if owner != self.owner {
            return Err(Error::new(
                ErrorKind::Fenced,
                format!("{:?}: {} has taken charge of its storage", self.branch, self.owner_name),
            ));
        }
        Ok(())
    }

    /// Name of the current writer's lease as a reader.
    #[must_use]
    pub fn writer_lease(&self) -> String {
        format!("{} ({:?})", self.writer, self.epoch)
    }

    fn create(&mut self, branch_uid: u64) -> Result<()> {
        if self.branch_uid != 0 {
            return Err(Error::bad_request(format!("{:?} exists already", self.branch)));
        }
        if branch_uid == 0 {
            return Err(Error::internal("a branch's number cannot be zero"));
        }
        self.branch_uid = branch_uid;
        Ok(())
    }

    fn declare(&mut self, space: SpaceId, options: &super::SpaceOptions) -> Result<()> {
        Arc::make_mut(self.spaces.entry(space).or_default()).options = options.clone();
        Ok(())
    }

    fn flush(&mut self, files: &[Arc<SstMeta>], flushed: Seq, decided: u64) -> Result<()> {
        if flushed < self.flushed_seq || decided < self.decided_counter {
            return Err(Error::internal(format!(
                "flush up to {flushed} (objects {decided}) after one up to {} (objects {})",
                self.flushed_seq, self.decided_counter
            )));
        }
        for file in files {
            if file.seq_min <= self.flushed_seq || file.seq_max > flushed {
                return Err(Error::internal(format!(
                    "{:?} holds {} to {}, but the flush is of {} to {flushed}",
                    file.id,
                    file.seq_min,
                    file.seq_max,
                    self.flushed_seq.next()
                )));
            }
            self.check_file(file)?;
            let space = Arc::make_mut(self.spaces.entry(file.space).or_default());
            space.insert(0, std::slice::from_ref(file))?;
        }
        self.flushed_seq = flushed;
        self.decided_counter = decided;
        Ok(())
    }

    pub(super) fn check_file(&self, file: &SstMeta) -> Result<()> {
        let own = KeyRange::space(file.space);
        let fault = if file.range.is_empty() || !own.covers(&file.range) {
            "its range is not within its space"
        } else if file.seq_min > file.seq_max {
            "its seqs are upside down"
        } else if file.id.branch == self.branch_uid && file.id.epoch > self.epoch {
            "its epoch was never granted"
        } else if file.entries == 0 && file.range_deletes == 0 {
            "it is empty"
        } else {
            return Ok(());
        };
        Err(Error::internal(format!("{:?} is not acceptable: {fault}", file.id)))
    }

    fn add_times(&mut self, times: &[TimePoint]) {
        self.times.extend_from_slice(times);
        if self.times.len() > TIMES_MAX {
            // Halve the resolution of the older half.
            let old = self.times.len() / 2;
            let mut index = 0;
            self.times.retain(|_| {
                index += 1;
                index > old || index % 2 == 1
            });
        }
    }

    fn add_snapshot(&mut self, name: &str, snapshot: &SnapshotMeta) -> Result<()> {
        if snapshot.seq < self.watermark.seq {
            return Err(Error::bad_request(format!(
                "snapshot {name:?}: seq {} is older than what is kept, {}",
                snapshot.seq, self.watermark.seq
            )));
        }
        if snapshot.seq > self.flushed_seq {
            return Err(Error::internal(format!(
                "snapshot {name:?}: seq {} is not in files yet",
                snapshot.seq
            )));
        }
        if self.snapshots.contains_key(name) {
            return Err(Error::bad_request(format!("snapshot {name:?} exists already")));
        }
        self.snapshots.insert(name.to_owned(), snapshot.clone());
        Ok(())
    }

    fn unlink(&mut self, space: SpaceId, ids: &[ObjectId]) -> Result<()> {
        let busy = self.busy_inputs();
        let unlinked_at = self.number;
        let Some(state) = self.spaces.get_mut(&space).map(Arc::make_mut) else {
            return Err(Error::bad_request(format!("{space:?} has no files")));
        };
        for id in ids {
            let level = match state.find(*id) {
                Some((level, _)) if !busy.contains(id) => level,
                _ => return Err(Error::bad_request(format!("{id:?} is gone or is taken"))),
            };
            for file in state.remove(level, &[*id])? {
                let has_column = file.column.is_some();
                self.garbage.insert(file.id, Garbage { unlinked_at, has_column });
            }
        }
        Ok(())
    }

    /// Attempts that may still write objects.
    #[must_use]
    pub fn live_attempts(&self) -> std::collections::BTreeSet<u64> {
        let shards = self.jobs.values().flat_map(|j| &j.shards);
        shards.filter_map(|s| s.attempt).collect()
    }

    /// Every object that this state needs or that waits here to be deleted.
    #[must_use]
    pub fn named_objects(&self) -> std::collections::BTreeSet<ObjectId> {
        let in_jobs = self.jobs.values().flat_map(|j| &j.shards).flat_map(|s| &s.outputs);
        let files = self.files().map(|(_, f)| f.id);
        files.chain(in_jobs.map(|f| f.id)).chain(self.garbage.keys().copied()).collect()
    }
}
