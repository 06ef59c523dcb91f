//! What is left of the journals of branches that were dropped: logs, and the archive of them.
//!
//! # Order
//!
//! 1. The branch is dropped: a stored version of it says so, and has a higher epoch than any
//!    writer.
//! 2. Its log is *opened* under that epoch: no writer can append to it any more.
//! 3. The log goes for good (`JournalWriter::trim` to the end of all seqs), which also ends
//!    archiving.
//! 4. The archive's segments are deleted.
//! 5. The parent forgets the branch (`branching`).
//!
//! Deleting the archive before 3 would leave what is archived meanwhile. Forgetting before 4
//! would leave nobody who knows of the rest. Each step finds done what was done before a
//! crash, so all are taken again until 5. What a writer or an archiver that was paused brings
//! back after 5 is found by a look at all branches that have ended, now and then.
//!
//! None of it can touch another branch, whatever comes late: a name is one branch's for ever.

use firn_engine::manifest::Version;
use firn_engine::object::{Layout, from_store, is_not_found};
use firn_engine::{BranchName, Epoch, Result, Seq};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;

use crate::gc::Reachable;
use crate::service::StorageService;

/// How much of a log there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Any trace.
    Anything,
    /// Records, or that somebody who knows nothing of the end has opened it.
    Harm,
}

impl StorageService {
    /// Steps 2 to 4, for a branch that was dropped.
    pub(crate) async fn end_log(&self, dropped: &Version) -> Result<()> {
        #[cfg(feature = "planted")]
        if self.keeps_logs() {
            return Ok(());
        }
        self.end_live_log(dropped, Left::Anything).await?;
        delete_archived(&*self.store, &self.layout, &dropped.branch).await.map(drop)
    }

    async fn end_live_log(&self, dropped: &Version, left: Left) -> Result<()> {
        assert!(dropped.dropped, "the log of a branch that is there is needed");
        let Some(journal) = self.journal.get() else { return Ok(()) };
        let bounds = journal.bounds(&dropped.branch).await?;
        let harm = bounds.epoch < dropped.epoch || bounds.bytes > 0;
        if bounds.epoch == Epoch::ZERO || (left == Left::Harm && !harm) {
            return Ok(());
        }
        let log = journal.open(&dropped.branch, dropped.epoch).await?;
        log.trim(Seq::MAX).await
    }

    /// Ends what has come back of the logs of branches that have ended; how many objects of
    /// the archive it was.
    pub(crate) async fn sweep_logs(&self) -> Result<u64> {
        #[cfg(feature = "planted")]
        if self.keeps_logs() {
            return Ok(0);
        }
        let reachable = Reachable::read(&self.manifests).await?;
        let ended: Vec<_> = reachable.versions().iter().filter(|v| v.has_ended()).collect();
        if ended.is_empty() {
            return Ok(0);
        }
        for version in &ended {
            self.end_live_log(version, Left::Harm).await?;
        }
        let mut deleted = 0;
        for name in archives(&*self.store, &self.layout).await? {
            if ended.iter().any(|version| version.branch == name) {
                deleted += delete_archived(&*self.store, &self.layout, &name).await?;
            }
        }
        Ok(deleted)
    }
}

/// The branches of which something is in the archive's folders.
async fn archives(store: &dyn ObjectStore, layout: &Layout) -> Result<Vec<BranchName>> {
    let folder = layout.logs();
    let listed = store.list_with_delimiter(Some(&folder)).await;
    let listed = listed.map_err(|e| from_store("LIST", &folder, e))?;
    let name = |path: &Path| BranchName::new(path.filename()?).ok();
    Ok(listed.common_prefixes.iter().filter_map(name).collect())
}

/// Deletes the archived segments of a branch; how many.
async fn delete_archived(
    store: &dyn ObjectStore,
    layout: &Layout,
    branch: &BranchName,
) -> Result<u64> {
    let folder = layout.log(branch);
    let listed = store.list_with_delimiter(Some(&folder)).await;
    let listed = listed.map_err(|e| from_store("LIST", &folder, e))?;
    let segments = listed.objects.into_iter().map(|object| object.location);
    let segments: Vec<_> =
        segments.filter(|path| Layout::parse_archived(path).is_some()).map(Ok).collect();
    let deleted = store.delete_stream(futures::stream::iter(segments).boxed());
    let gone = |done| match done {
        Err(e) if !is_not_found(&e) => Err(from_store("DELETE under", &folder, e)),
        _ => Ok(()),
    };
    deleted.map(gone).try_fold(0, async |count, ()| Ok(count + 1)).await
}
