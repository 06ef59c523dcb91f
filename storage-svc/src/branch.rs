//! One branch as this process knows it, and the right to plan for it.
//!
//! Who moves the watermark must know every reader's lease; who plans merges
//! must know who works on what. So one service at a time is *in charge* of a
//! branch. Taking charge raises the owner's number in the manifest; every plan
//! carries the number that its maker took, and is refused once another has
//! taken charge. The new owner starts from the leases that the manifest holds.
//! A service takes charge with its first commit, and never again: one that was
//! replaced stays out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_engine::manifest::{Edit, Version};
use firn_engine::storage::VersionWatch;
use firn_engine::{BranchName, Env, Result};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::manifests::Manifests;
use crate::queue::Leases;
use crate::readers::Readers;

/// The newest version known, and what is known besides.
#[derive(Debug)]
pub(crate) struct Branch {
    env: Env,
    pub(crate) name: BranchName,
    manifests: Manifests,
    versions: watch::Sender<Arc<Version>>,
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

    fn install(&self, version: &Arc<Version>) {
        self.readers.lock().learn(version, self.env.now());
        self.versions.send_if_modified(|known| {
            let newer = version.number > known.number;
            if newer {
                *known = Arc::clone(version);
            }
            newer
        });
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
        let install = |version: &Arc<Version>| self.install(version);
        let committed = self.manifests.commit(self.version(), guarded, install).await?;
        if offered && owner == 0 {
            self.owner.store(committed.owner, Ordering::Release);
        }
        Ok(committed)
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
        let version = Arc::new(self.manifests.catch_up((*self.version()).clone()).await?);
        self.install(&version);
        Ok(version)
    }
}
