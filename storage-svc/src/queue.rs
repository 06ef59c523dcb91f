//! Leases of shards: who works on what, and for how long without a word.
//!
//! The protocol's steps are in `firn_engine::compaction`; here is what the
//! scheduler remembers besides the manifest. It may forget all of it: an owner
//! that has just started takes every leased shard of the manifest as heard
//! from at that moment, and finds out in time who is really there.

use std::collections::BTreeMap;
use std::time::Duration;

use firn_engine::Instant;
use firn_engine::compaction::SHARD_LEASE_LENGTH;
use firn_engine::manifest::{JobId, Version};

/// A shard that failed so often is not tried any more.
pub(crate) const FAILURES_MAX: u32 = 5;

/// One try of one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Try {
    pub(crate) job: JobId,
    pub(crate) shard: usize,
    pub(crate) attempt: u64,
}

/// What is remembered of a branch's leases.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    heard: BTreeMap<Try, Instant>,
    /// Shards that failed wait this long.
    not_before: BTreeMap<(JobId, usize), Instant>,
}

impl Leases {
    /// Those of the manifest, as if heard from just now.
    pub(crate) fn stored(version: &Version, now: Instant) -> Self {
        let mut leases = Self::default();
        for (id, job) in &version.jobs {
            for (shard, s) in job.shards.iter().enumerate() {
                if let Some(attempt) = s.attempt {
                    leases.heard.insert(Try { job: *id, shard, attempt }, now);
                }
            }
        }
        leases
    }

    pub(crate) fn heard(&mut self, lease: Try, now: Instant) {
        self.heard.insert(lease, now);
    }

    pub(crate) fn forget(&mut self, lease: Try) {
        self.heard.remove(&lease);
    }

    /// Leases without a word for too long.
    pub(crate) fn silent(&self, now: Instant) -> Vec<Try> {
        let late = |at: &Instant| now.since(*at) > SHARD_LEASE_LENGTH;
        self.heard.iter().filter(|(_, at)| late(at)).map(|(lease, _)| *lease).collect()
    }

    /// Drops what the version does not know any more; takes in what others have leased.
    pub(crate) fn reconcile(&mut self, version: &Version, now: Instant) {
        self.heard.retain(|lease, _| is_held(version, *lease));
        self.not_before.retain(|(job, _), _| version.jobs.contains_key(job));
        for (lease, at) in Self::stored(version, now).heard {
            self.heard.entry(lease).or_insert(at);
        }
    }

    /// A shard failed for the `failures`-th time: let it rest.
    pub(crate) fn rest(&mut self, job: JobId, shard: usize, failures: u32, now: Instant) {
        let pause = Duration::from_secs(1 << failures.min(6));
        self.not_before.insert((job, shard), now.after(pause));
    }

    /// A shard of an open job that is free and rested.
    pub(crate) fn free_shard(&self, version: &Version, now: Instant) -> Option<(JobId, usize)> {
        let rested =
            |key: &(JobId, usize)| self.not_before.get(key).is_none_or(|until| *until <= now);
        let open = version.jobs.iter().filter(|(_, job)| job.parked.is_none());
        let shards = open.flat_map(|(id, job)| {
            job.shards.iter().enumerate().map(move |(i, shard)| ((*id, i), shard))
        });
        shards
            .filter(|(key, shard)| !shard.done && shard.attempt.is_none() && rested(key))
            .map(|(key, _)| key)
            .next()
    }

    /// When the next resting shard may be tried.
    pub(crate) fn next_rested(&self, now: Instant) -> Option<Instant> {
        self.not_before.values().filter(|at| **at > now).min().copied()
    }
}

/// Whether the manifest says that this try holds its shard.
pub(crate) fn is_held(version: &Version, lease: Try) -> bool {
    let job = version.jobs.get(&lease.job);
    let shard = job.and_then(|job| job.shards.get(lease.shard));
    shard.is_some_and(|shard| shard.attempt == Some(lease.attempt))
}
