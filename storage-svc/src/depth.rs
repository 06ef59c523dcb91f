//! How much compaction waits: what whoever starts and stops workers goes by.
//!
//! Jobs are planned when a worker asks for work, so that with no worker there are none however
//! much there is to do. Hence the levels over their limits are counted, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_engine::manifest::Version;
use firn_services::metrics::{Collect, Writer};

use crate::picker::{PickerOptions, scores};
use crate::service::StorageService;

/// What waits in all branches that a service is in charge of, as of its last round of upkeep.
#[derive(Debug, Default)]
pub(crate) struct Depth {
    shards_waiting: AtomicU64,
    shards_leased: AtomicU64,
    jobs_parked: AtomicU64,
    levels_over: AtomicU64,
}

/// The same, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    shards_waiting: u64,
    shards_leased: u64,
    jobs_parked: u64,
    levels_over: u64,
}

impl Counts {
    fn add(&mut self, version: &Version, options: &PickerOptions) {
        for job in version.jobs.values() {
            self.jobs_parked += u64::from(job.parked.is_some());
            let open = job.shards.iter().filter(|shard| job.parked.is_none() && !shard.done);
            let leased = open.clone().filter(|shard| shard.attempt.is_some()).count() as u64;
            self.shards_leased += leased;
            self.shards_waiting += open.count() as u64 - leased;
        }
        let scores = version.spaces.values().flat_map(|space| scores(space, options));
        self.levels_over += scores.filter(|(score, _)| *score >= 100).count() as u64;
    }
}

impl StorageService {
    pub(crate) async fn measure_depth(&self) {
        let mut counts = Counts::default();
        for branch in self.branches.lock().await.values() {
            let version = branch.version();
            // Whoever is in charge counts them.
            if branch.is_owner_in(&version) {
                counts.add(&version, &self.picker);
            }
        }
        let depth = &self.depth;
        depth.shards_waiting.store(counts.shards_waiting, Ordering::Relaxed);
        depth.shards_leased.store(counts.shards_leased, Ordering::Relaxed);
        depth.jobs_parked.store(counts.jobs_parked, Ordering::Relaxed);
        depth.levels_over.store(counts.levels_over, Ordering::Relaxed);
    }
}

/// Makes the depth of the queue part of a scrape.
#[derive(Debug)]
pub struct QueueMetrics(pub Arc<StorageService>);

impl Collect for QueueMetrics {
    fn collect(&self, out: &mut Writer) {
        let depth = &self.0.depth;
        let help = "Parts of planned merges, in the branches that this service is in charge of.";
        for (state, shards) in
            [("waiting", &depth.shards_waiting), ("leased", &depth.shards_leased)]
        {
            let shards = shards.load(Ordering::Relaxed);
            out.gauge("firn_queue_shards", help, &[("state", state)], shards);
        }
        let parked = depth.jobs_parked.load(Ordering::Relaxed);
        out.gauge("firn_queue_jobs_parked", "Merges that failed too often.", &[], parked);
        let help = "Levels over their limits: merges that are under way, or to be planned.";
        out.gauge("firn_queue_levels_over", help, &[], depth.levels_over.load(Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests;
