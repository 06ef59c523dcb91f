//! One branch as this process knows it.

use std::sync::Arc;

use firn_engine::manifest::{Edit, Version};
use firn_engine::storage::VersionWatch;
use firn_engine::{BranchName, Result};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::manifests::Manifests;
use crate::queue::Leases;
use crate::readers::Readers;

/// The newest version known, and what is known besides.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) name: BranchName,
    manifests: Manifests,
    versions: watch::Sender<Arc<Version>>,
    /// One commit of this process at a time; others would only lose the race.
    committing: tokio::sync::Mutex<()>,
    pub(crate) readers: Mutex<Readers>,
    pub(crate) leases: Mutex<Leases>,
}

impl Branch {
    pub(crate) fn new(
        manifests: Manifests,
        version: Version,
        readers: Readers,
        leases: Leases,
    ) -> Self {
        Self {
            name: version.branch.clone(),
            manifests,
            versions: watch::Sender::new(Arc::new(version)),
            committing: tokio::sync::Mutex::new(()),
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
        self.versions.send_if_modified(|known| {
            let newer = version.number > known.number;
            if newer {
                *known = Arc::clone(version);
            }
            newer
        });
    }

    /// See [`Manifests::commit`].
    pub(crate) async fn commit(
        &self,
        edits: impl FnMut(&Version) -> Result<Option<Vec<Edit>>>,
    ) -> Result<Arc<Version>> {
        let _one = self.committing.lock().await;
        let version = self.version();
        self.manifests.commit(version, edits, |version| self.install(version)).await
    }

    /// Reads versions that others have committed; the newest one then.
    pub(crate) async fn refresh(&self) -> Result<Arc<Version>> {
        let _one = self.committing.lock().await;
        let version = Arc::new(self.manifests.catch_up((*self.version()).clone()).await?);
        self.install(&version);
        Ok(version)
    }
}
