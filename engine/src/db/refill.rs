//! After a compaction, warms what it moved before readers are sent there.
//!
//! A merge replaces blocks that readers have in memory by blocks that they have
//! not: without help, every compaction of hot data is followed by a burst of
//! misses. So before a new version is taken in, the blocks of its new files
//! that cover what was cached of the replaced ones are read into the cache.
//! After RisingWave's cache refill. It is a favour, bounded in blocks and in
//! time; the old version serves meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;

use super::Inner;
use crate::error::Result;
use crate::key::KeyRange;
use crate::manifest::{LEVEL_MAX, Version};
use crate::sst::file::File;
use crate::view::{SpaceView, View};

/// Blocks warmed for one version at most.
const BLOCKS_MAX: usize = 4096;

/// Blocks read at the same time.
const CONCURRENCY: usize = 8;

/// Longest that a version waits to be taken in.
const WAIT_MAX: Duration = Duration::from_secs(2);

impl Inner {
    /// Reads what will be wanted of `next` and is in memory now. The view that
    /// is returned has the new files open.
    pub(super) async fn refill(&self, next: &Arc<Version>) -> View {
        let view = Arc::clone(&self.state.load().view);
        let ahead = View::new(Arc::clone(next), &[&view], &self.pins);
        let work = async {
            let mut warmed = 0;
            for id in next.spaces.keys() {
                let (Some(old), Some(new)) = (view.space(*id), ahead.space(*id)) else { continue };
                if Arc::ptr_eq(old, new) || warmed >= BLOCKS_MAX {
                    continue;
                }
                match self.refill_space(old, new, BLOCKS_MAX - warmed).await {
                    Ok(blocks) => warmed += blocks,
                    Err(error) => tracing::debug!(%error, "warming the cache failed"),
                }
            }
            warmed
        };
        let warmed = self.env.timeout(WAIT_MAX, work).await.unwrap_or_default();
        self.counts.refilled(warmed as u64);
        ahead
    }

    async fn refill_space(
        &self,
        old: &SpaceView,
        new: &SpaceView,
        blocks_max: usize,
    ) -> Result<usize> {
        let ids = |view: &SpaceView| view.files().map(|f| f.meta.id).collect::<BTreeSet<_>>();
        let (before, after) = (ids(old), ids(new));
        let mut hot: Vec<KeyRange> = Vec::new();
        for file in old.files().filter(|f| !after.contains(&f.meta.id)) {
            hot.extend(file.cached_ranges(&self.io));
        }
        if hot.is_empty() {
            return Ok(0);
        }
        hot.sort_by(|a, b| a.start.cmp(&b.start));
        let mut wanted: Vec<(Arc<File>, KeyRange)> = Vec::new();
        for level in 1..=LEVEL_MAX {
            for file in &new.levels[level - 1].files {
                if before.contains(&file.meta.id) {
                    continue;
                }
                let ranges = hot.iter().filter(|r| r.overlaps(&file.meta.range));
                wanted.extend(ranges.map(|r| (Arc::clone(file), r.clone())));
            }
        }
        let warm =
            |(file, range): (Arc<File>, KeyRange)| async move { file.warm(&self.io, &range).await };
        let mut reads = futures::stream::iter(wanted).map(warm).buffer_unordered(CONCURRENCY);
        let mut blocks = 0;
        while let Some(read) = reads.next().await {
            blocks += read?;
            if blocks >= blocks_max {
                break;
            }
        }
        Ok(blocks)
    }
}
