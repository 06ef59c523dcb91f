//! Plans jobs and gives their shards to workers.
//!
//! The protocol's steps are in `firn_engine::compaction`. A plan is made only
//! when a worker asks for work, from the newest version and the freshest
//! watermark, and is committed together with the lease of its first shard.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::compaction::{Compaction, LeaseToken, ShardLease};
use firn_engine::manifest::{Edit, Job, JobInput, SstMeta, Version};
use firn_engine::{Error, ErrorKind, Instant, Result};

use crate::branch::Branch;
use crate::picker::{Pick, pick};
use crate::queue::{FAILURES_MAX, Try, is_held};
use crate::service::StorageService;
use crate::upkeep::UPKEEP;

impl StorageService {
    /// Leases a free shard, planning a job if there is none; `None` if there is nothing to do.
    async fn lease_one(&self, branch: &Branch, worker: &str) -> Result<Option<ShardLease>> {
        let now = self.env.now();
        let mut leased: Option<(Try, Arc<Job>)> = None;
        let mut moved = false;
        let version = branch
            .commit(|version| {
                leased = None;
                moved = false;
                let attempt = version.next_attempt;
                let lease = |job, shard| Edit::LeaseShard {
                    job,
                    shard,
                    attempt,
                    worker: worker.to_owned(),
                };
                let free = branch.leases.lock().free_shard(version, now);
                if let Some((id, shard)) = free {
                    let job = Arc::clone(&version.jobs[&id]);
                    leased = Some((Try { job: id, shard, attempt }, job));
                    return Ok(Some(vec![lease(id, shard)]));
                }
                #[cfg(feature = "planted")]
                if let Some(Try { job: id, shard, attempt: old }) = self.taken_shard(version) {
                    let job = Arc::clone(&version.jobs[&id]);
                    leased = Some((Try { job: id, shard, attempt }, job));
                    let taken = Edit::ReleaseShard {
                        job: id,
                        shard,
                        attempt: old,
                        failure: None,
                        park: false,
                    };
                    return Ok(Some(vec![taken, lease(id, shard)]));
                }
                // A plan is made with the freshest watermark.
                let mut edits = Vec::new();
                let readers = branch.readers.lock();
                let watermark = readers.watermark(version);
                let advance = Edit::AdvanceWatermark { watermark, leases: readers.leases() };
                let ahead = version.apply(std::slice::from_ref(&advance))?;
                match pick(&ahead, &self.picker) {
                    None => return Ok(None),
                    Some(Pick::Move { space, files, to_level }) => {
                        moved = true;
                        edits.push(Edit::Move { space, files, to_level });
                    }
                    Some(Pick::Merge(job)) => {
                        let job = Arc::new(job);
                        edits.push(advance);
                        edits.push(Edit::AddJob { job: Arc::clone(&job) });
                        edits.push(lease(job.id, 0));
                        leased = Some((Try { job: job.id, shard: 0, attempt }, job));
                    }
                }
                Ok(Some(edits))
            })
            .await?;
        if moved {
            // There may be more to do.
            self.work.notify_one();
            return Ok(None);
        }
        let Some((held, job)) = leased else { return Ok(None) };
        branch.leases.lock().heard(held, now);
        let space = version
            .space(job.space)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a job without a space"))?;
        let input = |input: &JobInput| {
            space.find(input.id).map(|(_, file)| Arc::clone(file)).ok_or_else(|| {
                let why = format!("job {}: {:?} is not there", job.id, input.id);
                Error::new(ErrorKind::Internal, why)
            })
        };
        let token = LeaseToken {
            branch: branch.name.clone(),
            job: held.job,
            shard: held.shard,
            attempt: held.attempt,
        };
        Ok(Some(ShardLease {
            token,
            inputs: job.inputs.iter().map(input).collect::<Result<_>>()?,
            options: space.options.clone(),
            branch_uid: version.branch_uid,
            epoch: version.epoch,
            job: version.jobs.get(&held.job).map_or(job.clone(), Arc::clone),
        }))
    }

    pub(crate) async fn give_back(
        &self,
        branch: &Branch,
        held: Try,
        failure: Option<String>,
    ) -> Result<()> {
        let mut failures = 0;
        branch
            .commit(|version| {
                if !is_held(version, held) {
                    return Ok(None);
                }
                let job = &version.jobs[&held.job];
                failures = job.shards[held.shard].failures + u32::from(failure.is_some());
                Ok(Some(vec![Edit::ReleaseShard {
                    job: held.job,
                    shard: held.shard,
                    attempt: held.attempt,
                    failure: failure.clone(),
                    park: failures >= FAILURES_MAX,
                }]))
            })
            .await?;
        let mut leases = branch.leases.lock();
        leases.forget(held);
        if failure.is_some() {
            leases.rest(held.job, held.shard, failures, self.env.now());
        }
        drop(leases);
        if failures >= FAILURES_MAX {
            tracing::error!(
                job = held.job,
                shard = held.shard,
                reason = failure.as_deref(),
                "a compaction job failed too often and is parked"
            );
        }
        self.work.notify_waiters();
        Ok(())
    }
}

#[async_trait]
impl Compaction for StorageService {
    async fn lease(&self, worker: &str, max: usize) -> Result<Vec<ShardLease>> {
        let mut leased = Vec::new();
        while leased.len() < max {
            let work = self.work.notified();
            futures::pin_mut!(work);
            // Registered before looking, so that no notice is missed.
            work.as_mut().enable();
            if self.closing.load(Ordering::Acquire) {
                return Ok(leased);
            }
            let branches: Vec<_> = self.branches.lock().await.values().cloned().collect();
            let mut found = None;
            let mut wake: Option<Instant> = None;
            for branch in branches.iter().filter(|b| !b.is_replaced()) {
                found = self.lease_one(branch, worker).await?;
                if found.is_some() {
                    break;
                }
                let rested = branch.leases.lock().next_rested(self.env.now());
                wake = wake.into_iter().chain(rested).min();
            }
            match found {
                Some(lease) => leased.push(lease),
                None if !leased.is_empty() => break,
                // Whoever waits here would wait for ever.
                None if !branches.is_empty() && branches.iter().all(|b| b.is_replaced()) => {
                    let why = "another service has taken charge of all branches";
                    return Err(Error::new(ErrorKind::Unavailable, why).retryable());
                }
                None => {
                    let now = self.env.now();
                    let limit =
                        wake.map_or(UPKEEP, |at| at.since(now)).max(Duration::from_millis(10));
                    let _ = self.env.timeout(limit, work).await;
                }
            }
        }
        Ok(leased)
    }

    async fn heartbeat(&self, leases: &[LeaseToken]) -> Result<Vec<LeaseToken>> {
        let mut lost = Vec::new();
        for token in leases {
            let branch = self.branch(&token.branch).await?;
            let held = Try { job: token.job, shard: token.shard, attempt: token.attempt };
            if is_held(&branch.version(), held) {
                branch.leases.lock().heard(held, self.env.now());
            } else {
                lost.push(token.clone());
            }
        }
        Ok(lost)
    }

    async fn report(
        &self,
        token: &LeaseToken,
        outputs: Vec<Arc<SstMeta>>,
        resume_key: Bytes,
        done: bool,
    ) -> Result<()> {
        let branch = self.branch(&token.branch).await?;
        let held = Try { job: token.job, shard: token.shard, attempt: token.attempt };
        #[cfg(feature = "planted")]
        if done {
            self.before_done(&branch, token.job).await;
        }
        branch
            .commit(|version| {
                if is_reported(version, held, &outputs, done) {
                    return Ok(None);
                }
                #[cfg(feature = "planted")]
                let held = self.holder(version, held);
                let mut edits = vec![Edit::ShardProgress {
                    job: token.job,
                    shard: token.shard,
                    attempt: held.attempt,
                    outputs: outputs.clone(),
                    resume_key: resume_key.clone(),
                    done,
                }];
                if done && version.apply(&edits)?.jobs[&token.job].is_done() {
                    edits.push(Edit::CompleteJob { job: token.job });
                }
                Ok(Some(edits))
            })
            .await?;
        if done {
            branch.leases.lock().forget(held);
            self.unlink_hidden(&branch).await?;
            self.work.notify_waiters();
        } else {
            branch.leases.lock().heard(held, self.env.now());
        }
        Ok(())
    }

    async fn release(&self, token: &LeaseToken, failure: Option<String>) -> Result<()> {
        let branch = self.branch(&token.branch).await?;
        let held = Try { job: token.job, shard: token.shard, attempt: token.attempt };
        self.give_back(&branch, held, failure).await
    }
}

/// Whether a report was taken in before and its reply lost: its outputs are
/// named, and the shard is done if it says so.
fn is_reported(version: &Version, held: Try, outputs: &[Arc<SstMeta>], done: bool) -> bool {
    let Some(job) = version.jobs.get(&held.job) else {
        // Completed, if all of it is in the files.
        return done
            && !outputs.is_empty()
            && outputs
                .iter()
                .all(|o| version.space(o.space).is_some_and(|s| s.find(o.id).is_some()));
    };
    let Some(shard) = job.shards.get(held.shard) else { return false };
    let named = outputs.iter().all(|o| shard.outputs.iter().any(|known| known.id == o.id));
    if done { shard.done && named } else { !outputs.is_empty() && named }
}
