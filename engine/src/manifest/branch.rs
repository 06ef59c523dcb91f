//! How one branch comes from another, in the states of both.
//!
//! A parent knows its branches as [`BranchPoint`]s, a branch knows its [`Origin`]. In which
//! order the two are stored is `storage-svc`'s matter (`branching`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::space::{LEVEL_MAX, SpaceState};
use super::sst::SstMeta;
use super::version::{Garbage, Version};
use crate::error::{Error, Result};
use crate::types::{BranchName, Epoch, ManifestVersion, Seq};

/// Branches that one branch may have.
pub const BRANCHES_MAX: usize = 4096;

/// What has become of a branch, as its parent knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchState {
    /// It is being made, or that was given up: the parent keeps what it would need.
    Pinned,
    /// Its own manifest says what it needs.
    Created,
    /// It was dropped, and what it alone needed is being deleted.
    Dropped,
}

/// A branch, as its parent knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchPoint {
    /// Random number that tells its objects from other branches'.
    pub branch_uid: u64,
    /// It has what was visible here.
    pub seq: Seq,
    /// The first version of the parent that it may have been made from.
    pub version: ManifestVersion,
    /// When, in milliseconds since 1970.
    pub created_unix_ms: u64,
    /// What has become of it.
    pub state: BranchState,
}

/// Where a branch comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The parent.
    pub branch: BranchName,
    /// The parent's number.
    pub branch_uid: u64,
    /// What was visible here is the branch's beginning.
    pub seq: Seq,
    /// When, in milliseconds since 1970.
    pub created_unix_ms: u64,
}

impl Version {
    pub(super) fn pin_branch(&mut self, name: &BranchName, point: &BranchPoint) -> Result<()> {
        if *name == self.branch || self.children.contains_key(name) {
            return Err(Error::bad_request(format!("{name:?} exists already")));
        }
        if self.children.len() >= BRANCHES_MAX {
            let why = format!("{:?} has {BRANCHES_MAX} branches: drop some", self.branch);
            return Err(Error::bad_request(why));
        }
        if point.seq < self.watermark.seq {
            return Err(Error::bad_request(format!(
                "{:?} at seq {}: only what was visible at {} or later is kept, by {}",
                self.branch, point.seq, self.watermark.seq, self.watermark.holder
            )));
        }
        if point.seq > self.flushed_seq {
            return Err(Error::bad_request(format!(
                "{:?} at seq {}: it is in files up to {} only",
                self.branch, point.seq, self.flushed_seq
            )));
        }
        if point.branch_uid == 0 {
            return Err(Error::internal("a branch's number cannot be zero"));
        }
        let point = BranchPoint { version: self.number, state: BranchState::Pinned, ..*point };
        self.children.insert(name.clone(), point);
        Ok(())
    }

    fn child_mut(&mut self, name: &BranchName, branch_uid: u64) -> Result<&mut BranchPoint> {
        match self.children.get_mut(name) {
            Some(point) if point.branch_uid == branch_uid => Ok(point),
            _ => Err(Error::bad_request(format!("{name:?} is not a branch of {:?}", self.branch))),
        }
    }

    pub(super) fn mark_branch(
        &mut self,
        name: &BranchName,
        branch_uid: u64,
        state: BranchState,
    ) -> Result<()> {
        let point = self.child_mut(name, branch_uid)?;
        match (point.state, state) {
            (BranchState::Dropped, BranchState::Created) | (_, BranchState::Pinned) => {
                Err(Error::bad_request(format!("{name:?} was dropped, or exists already")))
            }
            _ => {
                point.state = state;
                Ok(())
            }
        }
    }

    pub(super) fn forget_branch(&mut self, name: &BranchName, branch_uid: u64) -> Result<()> {
        self.child_mut(name, branch_uid)?;
        self.children.remove(name);
        Ok(())
    }

    /// Nothing is in the branch any more: all that it needed waits to be deleted.
    pub(super) fn drop_branch(&mut self) -> Result<()> {
        if self.branch == BranchName::main() {
            return Err(Error::bad_request("branch main cannot be dropped"));
        }
        let kept = self.children.iter().filter(|(_, p)| p.state != BranchState::Dropped);
        if let Some((child, _)) = kept.clone().next() {
            let (name, count) = (&self.branch, kept.count());
            let why = format!("{name:?} has {count} branches, such as {child}: drop those first");
            return Err(Error::bad_request(why));
        }
        let jobs = std::mem::take(&mut self.jobs);
        let outputs = jobs.values().flat_map(|j| &j.shards).flat_map(|s| &s.outputs);
        let files: Vec<_> = self.files().map(|(_, f)| f).chain(outputs).cloned().collect();
        for file in files {
            let garbage = Garbage { unlinked_at: self.number, has_column: file.column.is_some() };
            self.garbage.insert(file.id, garbage);
        }
        self.spaces.clear();
        self.snapshots.clear();
        // Whoever writes it learns from this that it has gone.
        self.epoch = self.epoch.next();
        self.writer = "nobody: the branch was dropped".to_owned();
        self.dropped = true;
        Ok(())
    }

    /// Whether the branch was dropped, and nothing is left that would be deleted because of it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.dropped && self.garbage.is_empty() && self.children.is_empty()
    }

    /// The first version of a branch that has what is visible here at `point`.
    ///
    /// # Errors
    /// `Internal` if that is not in files, or not kept any more.
    pub fn fork(&self, name: &BranchName, point: &BranchPoint) -> Result<Self> {
        if point.seq > self.flushed_seq || point.seq < self.watermark.seq {
            return Err(Error::internal(format!(
                "{:?} at seq {}: only {} to {} are there",
                self.branch, point.seq, self.watermark.seq, self.flushed_seq
            )));
        }
        let spaces = self.spaces.iter().map(|(id, space)| (*id, cut_space(space, point.seq)));
        let mut times = self.times.clone();
        times.retain(|time| time.seq <= point.seq);
        Ok(Self {
            number: ManifestVersion(1),
            branch_uid: point.branch_uid,
            epoch: Epoch::ZERO,
            flushed_seq: point.seq,
            spaces: spaces.collect(),
            watermark: self.watermark.clone(),
            times,
            origin: Some(Origin {
                branch: self.branch.clone(),
                branch_uid: self.branch_uid,
                seq: point.seq,
                created_unix_ms: point.created_unix_ms,
            }),
            ..Self::empty(name.clone())
        })
    }

    /// The branches that are being made from this one: what they need is kept for them.
    pub fn pinned(&self) -> impl Iterator<Item = (&BranchName, &BranchPoint)> {
        self.children.iter().filter(|(_, point)| point.state == BranchState::Pinned)
    }
}

/// A space as it was at `seq`.
fn cut_space(space: &Arc<SpaceState>, seq: Seq) -> Arc<SpaceState> {
    if space.files().all(|(_, file)| file.seq_max <= seq) {
        return Arc::clone(space);
    }
    let mut levels = space.levels.clone();
    for level in 1..=LEVEL_MAX {
        levels[level - 1] = cut_files(space.level(level), seq);
    }
    let l0 = cut_files(space.level(0), seq);
    Arc::new(SpaceState { options: space.options.clone(), l0, levels })
}

fn cut_files(files: &[Arc<SstMeta>], seq: Seq) -> Arc<Vec<Arc<SstMeta>>> {
    let old_enough = files.iter().filter(|file| file.seq_min <= seq);
    Arc::new(old_enough.map(|file| cut_file(file, seq)).collect())
}

fn cut_file(file: &Arc<SstMeta>, seq: Seq) -> Arc<SstMeta> {
    if file.seq_max <= seq {
        return Arc::clone(file);
    }
    let mut widest = file.widest.clone();
    widest.retain(|delete| delete.seq <= seq);
    // The column copy shows later versions, and its readers know nothing of the cut.
    let cut = SstMeta { seq_max: seq, cut: true, column: None, widest, ..(**file).clone() };
    Arc::new(cut)
}

/// All children by name, as in a state.
pub type Children = BTreeMap<BranchName, BranchPoint>;
