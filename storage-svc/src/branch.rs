//! One branch as this process knows it, and the right to plan for it.
//!
//! Who moves the watermark must know every reader's lease; who plans merges
//! must know who works on what. So one service at a time is *in charge* of a
//! branch. Taking charge raises the owner's number in the manifest; every plan
//! carries the number that its maker took, and is refused once another has
//! taken charge. The new owner starts from the leases that the manifest holds.
//! A service takes charge with its first commit, and never again: one that was
//! replaced stays out.
//!
//! One that went on all the same would seldom do harm by that alone: it knows the leases that
//! are in the manifest, and waits a whole lease length for readers that renew theirs elsewhere.
//! The harm is done when one of them reads longer than that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_engine::manifest::{Edit, Version};
use firn_engine::storage::VersionWatch;
use firn_engine::watch;
use firn_engine::{BranchName, Env, ManifestVersion, Result};
use parking_lot::Mutex;

use crate::manifests::{Manifests, Step};
use crate::queue::Leases;
use crate::readers::Readers;

/// Steps that are kept for those who follow; who is farther behind gets the whole state.
const STEPS_MAX: usize = 256;
/// Edits in them: a step may name thousands of files.
const STEP_EDITS_MAX: usize = 1 << 16;

/// The newest version known, and what is known besides.
#[derive(Debug)]
pub(crate) struct Branch {
    env: Env,
    pub(crate) name: BranchName,
    manifests: Manifests,
    versions: watch::Sender<Arc<Version>>,
    /// The last steps to the newest version, without a gap.
    steps: Mutex<VecDeque<Arc<Step>>>,
    /// One commit of this process at a time; others would only lose the race.
    committing: tokio::sync::Mutex<()>,
    owner_name: String,
    /// This service's number as owner; 0 before it has taken charge.
    owner: AtomicU64,
    pub(crate) readers: Mutex<Readers>,
    pub(crate) leases: Mutex<Leases>,
}

impl Branch {
    /// A branch as `version` has it. Whoever holds a lease in it is taken as
    /// heard from just now.
    pub(crate) fn new(
        env: Env,
        manifests: Manifests,
        owner_name: String,
        version: Version,
    ) -> Self {
        let now = env.now();
        let mut readers = Readers::default();
        readers.learn(&version, now);
        let leases = Leases::stored(&version, now);
        Self {
            env,
            name: version.branch.clone(),
            manifests,
            versions: watch::Sender::new(Arc::new(version)),
            steps: Mutex::default(),
            committing: tokio::sync::Mutex::new(()),
            owner_name,
            owner: AtomicU64::new(0),
            readers: Mutex::new(readers),
            leases: Mutex::new(leases),
        }
    }

    /// The newest version known.
    pub(crate) fn version(&self) -> Arc<Version> {
        Arc::clone(&self.versions.borrow())
    }

    pub(crate) fn watch(&self) -> VersionWatch {
        self.versions.subscribe()
    }

    /// The steps that lead from version `known` to the newest one; `None` if not all of
    /// them are known.
    pub(crate) fn steps_after(&self, known: ManifestVersion) -> Option<Vec<Arc<Step>>> {
        let steps = self.steps.lock();
        let after: Vec<_> = steps.iter().filter(|s| s.number > known).cloned().collect();
        drop(steps);
        // A version that was read as a whole has no steps.
        let complete = match after.first() {
            Some(first) => first.number == known.next(),
            None => self.version().number <= known,
        };
        complete.then_some(after)
    }

    fn keep(&self, new: Vec<Step>) {
        let mut steps = self.steps.lock();
        for step in new {
            if steps.back().is_some_and(|last| last.number.next() != step.number) {
                steps.clear();
            }
            steps.push_back(Arc::new(step));
        }
        let mut edits: usize = steps.iter().map(|step| step.edits.len()).sum();
        while steps.len() > STEPS_MAX || (edits > STEP_EDITS_MAX && steps.len() > 1) {
            edits -= steps.pop_front().map_or(0, |step| step.edits.len());
        }
    }

    /// Called by the holder of `committing` only, so steps come in order.
    fn install(&self, version: &Arc<Version>, steps: Vec<Step>) {
        self.readers.lock().learn(version, self.env.now());
        self.keep(steps);
        self.versions.send_if_modified(|known| {
            let newer = version.number > known.number;
            if newer {
                *known = Arc::clone(version);
            }
            newer
        });
    }

    #[cfg(feature = "planted")]
    pub(crate) fn has(&self, bug: crate::Planted) -> bool {
        self.readers.lock().planted == bug
    }

    /// Whether this service was in charge and another has taken over, as far as
    /// is known.
    pub(crate) fn is_replaced(&self) -> bool {
        let owner = self.owner.load(Ordering::Acquire);
        owner != 0 && owner != self.version().owner
    }

    /// Commits as the one in charge. See [`Manifests::commit`].
    pub(crate) async fn commit(
        &self,
        mut edits: impl FnMut(&Version) -> Result<Option<Vec<Edit>>>,
    ) -> Result<Arc<Version>> {
        let _one = self.committing.lock().await;
        let owner = self.owner.load(Ordering::Acquire);
        let mut offered = false;
        let guarded = |version: &Version| {
            let wanted = edits(version)?;
            offered = wanted.is_some();
            Ok(wanted.map(|edits| self.guard(owner, edits)))
        };
        let install = |version: &Arc<Version>, steps| self.install(version, steps);
        let committed = self.manifests.commit(self.version(), guarded, install).await?;
        if offered && owner == 0 {
            self.owner.store(committed.owner, Ordering::Release);
        }
        Ok(committed)
    }

    /// Commits what needs nobody in charge: it is right or refused by the state alone,
    /// whoever moves the watermark or plans work at the same time. That there is nothing to
    /// do is true of the newest version, not only of the newest one known here.
    pub(crate) async fn commit_as_anyone(
        &self,
        mut edits: impl FnMut(&Version) -> Result<Option<Vec<Edit>>>,
    ) -> Result<Arc<Version>> {
        let _one = self.committing.lock().await;
        let install = |version: &Arc<Version>, steps| self.install(version, steps);
        let known = self.version();
        if edits(&known)?.is_none() {
            let (newest, steps) = self.manifests.catch_up((*known).clone()).await?;
            self.install(&Arc::new(newest), steps);
        }
        self.manifests.commit(self.version(), edits, install).await
    }

    /// Takes charge, unless it was taken before.
    pub(crate) async fn take_charge(&self) -> Result<()> {
        if self.owner.load(Ordering::Acquire) == 0 {
            self.commit(|_| Ok(Some(Vec::new()))).await?;
        }
        Ok(())
    }

    /// Whether this service is in charge of the branch in `version`.
    pub(crate) fn is_owner_in(&self, version: &Version) -> bool {
        self.owner.load(Ordering::Acquire) == version.owner
    }

    fn guard(&self, owner: u64, mut edits: Vec<Edit>) -> Vec<Edit> {
        let guard = match owner {
            0 => Edit::TakeCharge { owner_name: self.owner_name.clone() },
            owner => Edit::AsOwner { owner },
        };
        // A branch must exist before someone can be in charge of it.
        let creates = edits.iter().take_while(|e| matches!(e, Edit::CreateBranch { .. })).count();
        edits.insert(creates, guard);
        edits
    }

    /// Reads versions that others have committed; the newest one then.
    pub(crate) async fn refresh(&self) -> Result<Arc<Version>> {
        let _one = self.committing.lock().await;
        let (newest, steps) = self.manifests.catch_up((*self.version()).clone()).await?;
        let version = Arc::new(newest);
        self.install(&version, steps);
        Ok(version)
    }
}
