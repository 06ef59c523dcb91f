//! Bugs that tests plant, to prove that they would find them. They are in no released build.

use firn_engine::manifest::{BranchPoint, BranchState, Edit, Shard, Version};
use firn_engine::object::ObjectKind;
use firn_engine::storage::NewBranch;
use firn_engine::{Epoch, Result};

use crate::branch::Branch;
use crate::branching::seq_of;
use crate::gc::{self, Orphans, Reachable};
use crate::queue::Try;
use crate::service::StorageService;

/// What is wrong with a storage service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Planted {
    /// Nothing.
    #[default]
    Nothing,
    /// Flushes are taken from writers that are fenced.
    SkipEpochCheck,
    /// What a merge replaces is deleted before the version without it is stored.
    DeleteBeforePublish,
    /// Garbage is deleted although it is read.
    ForgetReaders,
    /// Versions that snapshots see are given up.
    ForgetSnapshots,
    /// Who takes charge does not know the readers that are in the manifest.
    ForgetStoredLeases,
    /// A branch's manifest is there before its parent keeps what it names.
    CreateBeforePin,
    /// Garbage is deleted although other branches need it.
    ForgetBranches,
    /// A branch that is being made is dropped by taking its pin away, and its name is left
    /// to whoever is late with making it.
    ForgetPins,
    /// A branch's garbage is deleted when it is dropped, before its last version is stored.
    DeleteBeforeDrop,
    /// The logs of branches that were dropped are left as they are.
    KeepLogs,
    /// Who was away for long takes what it stores in the past for the newest version.
    LiveInThePast,
    /// A flush that was asked for is taken as done at once.
    AnswerFlushAtOnce,
    /// What nobody names yet is taken for what nobody ever will.
    ForgetUploads,
    /// Shards are given to others though their workers are there, and whoever had one may
    /// report. The second alone is hardly ever seen: an attempt that was given to another is
    /// rarely behind a report, and outputs that do not follow those before are refused.
    TwoHolders,
}

impl StorageService {
    /// Puts a bug in. Before anybody asks for anything.
    pub fn plant(&self, bug: Planted) {
        *self.planted.lock() = bug;
        let past = bug == Planted::LiveInThePast;
        self.manifests.lives_in_the_past.store(past, std::sync::atomic::Ordering::Relaxed);
    }

    fn has(&self, bug: Planted) -> bool {
        *self.planted.lock() == bug
    }

    /// The epoch that a flush is taken for.
    pub(crate) fn flush_epoch(&self, version: &Version, epoch: Epoch) -> Epoch {
        if self.has(Planted::SkipEpochCheck) { version.epoch } else { epoch }
    }

    /// Before the parent knows of a branch.
    pub(crate) async fn before_pin(&self, parent: &Branch, new: &NewBranch) {
        let version = parent.version();
        let Ok(seq) = seq_of(&version, &new.at) else { return };
        let point = BranchPoint {
            branch_uid: new.branch_uid,
            seq,
            version: version.number,
            created_unix_ms: self.env.unix_ms(),
            state: BranchState::Pinned,
        };
        if self.has(Planted::CreateBeforePin)
            && !version.children.contains_key(&new.name)
            && let Ok(begun) = version.fork(&new.name, &point)
        {
            // A bug cares for nothing.
            drop(self.manifests.begin(&begun).await);
        }
    }

    /// Whether the name of a branch that was never made is left free.
    pub(crate) fn forgets_pins(&self) -> bool {
        self.has(Planted::ForgetPins)
    }

    /// Whether the logs of dropped branches stay.
    pub(crate) fn keeps_logs(&self) -> bool {
        self.has(Planted::KeepLogs)
    }

    /// Before a branch is dropped.
    pub(crate) async fn before_drop(&self, branch: &Branch) {
        if !self.has(Planted::DeleteBeforeDrop) {
            return;
        }
        let own = branch.version().branch_uid;
        let version = branch.version();
        let files = version.files().map(|(_, file)| file.id).filter(|id| id.branch == own);
        let files: Vec<_> = files.map(|id| (id, ObjectKind::Sst)).collect();
        // A bug cares for nothing.
        drop(gc::delete(&*self.store, &self.layout, files).await);
    }

    /// What stands beside the request for a flush.
    pub(crate) fn answer_at_once(&self, version: &Version) -> Option<Edit> {
        let (epoch, answers) = (version.epoch, version.flush_wanted + 1);
        self.has(Planted::AnswerFlushAtOnce).then_some(Edit::AnswerFlush { epoch, answers })
    }

    /// All that is named nowhere.
    pub(crate) async fn unnamed(&self) -> Result<Option<Orphans>> {
        if !self.has(Planted::ForgetUploads) {
            return Ok(None);
        }
        let (objects, strange) = gc::list(&*self.store, &self.layout).await?;
        let named = Reachable::read(&self.manifests).await?.named();
        let unnamed = objects.into_iter().filter(|((id, _), _)| !named.contains(id));
        let objects = unnamed.map(|((id, kind), size)| (id, kind, size)).collect();
        Ok(Some(Orphans { objects, strange }))
    }

    /// Now and then a shard that somebody works on.
    pub(crate) fn taken_shard(&self, version: &Version) -> Option<Try> {
        if !self.has(Planted::TwoHolders) || !self.env.random_u64().is_multiple_of(4) {
            return None;
        }
        let open = version.jobs.iter().filter(|(_, job)| job.parked.is_none());
        let mut shards = open.flat_map(|(job, open)| {
            let of = |(shard, s): (usize, &Shard)| (*job, shard, s.attempt);
            open.shards.iter().enumerate().map(of)
        });
        let taken = |(job, shard, attempt)| Some(Try { job, shard, attempt: attempt? });
        shards.find_map(taken)
    }

    /// The try for which a report is taken.
    pub(crate) fn holder(&self, version: &Version, held: Try) -> Try {
        let shard = version.jobs.get(&held.job).and_then(|job| job.shards.get(held.shard));
        let attempt = shard.and_then(|shard| shard.attempt).unwrap_or(held.attempt);
        if self.has(Planted::TwoHolders) { Try { attempt, ..held } } else { held }
    }

    /// Before a merge's last report is committed.
    pub(crate) async fn before_done(&self, branch: &Branch, job: u64) {
        if !self.has(Planted::DeleteBeforePublish) {
            return;
        }
        let version = branch.version();
        let mut inputs = Vec::new();
        for input in version.jobs.get(&job).into_iter().flat_map(|job| &job.inputs) {
            inputs.push((input.id, ObjectKind::Sst));
        }
        // A bug cares for nothing.
        drop(gc::delete(&*self.store, &self.layout, inputs).await);
    }
}
