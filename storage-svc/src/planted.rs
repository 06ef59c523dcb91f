//! Bugs that tests plant, to prove that they would find them. They are in no released build.

use firn_engine::Epoch;
use firn_engine::manifest::Version;
use firn_engine::object::ObjectKind;

use crate::branch::Branch;
use crate::gc;
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
}

impl StorageService {
    /// Puts a bug in. Before anybody asks for anything.
    pub fn plant(&self, bug: Planted) {
        *self.planted.lock() = bug;
    }

    fn has(&self, bug: Planted) -> bool {
        *self.planted.lock() == bug
    }

    /// The epoch that a flush is taken for.
    pub(crate) fn flush_epoch(&self, version: &Version, epoch: Epoch) -> Epoch {
        if self.has(Planted::SkipEpochCheck) { version.epoch } else { epoch }
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
