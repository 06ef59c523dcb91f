//! The storage service, in this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::compaction::{Compaction, LeaseToken, ShardLease};
use firn_engine::manifest::{Edit, Job, Lease, SnapshotMeta, SpaceOptions, SstMeta, Version};
use firn_engine::object::Layout;
use firn_engine::storage::{FlushCommit, Storage, VersionWatch};
use firn_engine::{BranchName, Context, Env, Epoch, Error, Result, Seq, SpaceId, Task, TaskClass};
use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::branch::Branch;
use crate::gc::{self, Orphans, Round};
use crate::manifests::Manifests;
use crate::picker::{Pick, PickerOptions, pick};
use crate::queue::{FAILURES_MAX, Try, is_held};

/// Between two rounds of upkeep.
const UPKEEP: Duration = Duration::from_secs(5);

/// Between two looks at what other owners have committed, while this one commits nothing.
const FOLLOW: Duration = Duration::from_secs(10);

/// Implements the engine's `Storage` and `Compaction` on an object store.
pub struct StorageService {
    env: Env,
    /// Shown in the manifest when this service is in charge, for people.
    name: String,
    store: Arc<dyn ObjectStore>,
    layout: Layout,
    manifests: Manifests,
    picker: PickerOptions,
    branches: tokio::sync::Mutex<BTreeMap<BranchName, Arc<Branch>>>,
    /// Told when there may be work for a worker.
    work: Notify,
    closing: AtomicBool,
    upkeep: Mutex<Option<Task<()>>>,
}

impl std::fmt::Debug for StorageService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StorageService({})", self.layout.prefix())
    }
}

impl StorageService {
    /// Starts the service.
    #[must_use]
    pub fn start(
        env: Env,
        name: &str,
        store: Arc<dyn ObjectStore>,
        layout: Layout,
        picker: PickerOptions,
    ) -> Arc<Self> {
        let manifests = Manifests::new(env.clone(), Arc::clone(&store), layout.clone());
        let service = Arc::new(Self {
            env: env.clone(),
            name: name.to_owned(),
            store,
            layout,
            manifests,
            picker,
            branches: tokio::sync::Mutex::new(BTreeMap::new()),
            work: Notify::new(),
            closing: AtomicBool::new(false),
            upkeep: Mutex::new(None),
        });
        let weak = Arc::downgrade(&service);
        let upkeep = env.clone().spawn(TaskClass::Background, "storage-upkeep", async move {
            let mut last_versions = BTreeMap::new();
            let mut last_follow = env.now();
            loop {
                env.sleep(UPKEEP).await;
                let Some(service) = weak.upgrade() else { return };
                let follow = env.now().since(last_follow) >= FOLLOW;
                if follow {
                    last_follow = env.now();
                }
                service.upkeep(&mut last_versions, follow).await;
            }
        });
        *service.upkeep.lock() = Some(upkeep);
        service
    }

    /// Stops upkeep, sends waiting workers away, and leaves the states behind
    /// for a faster open. Whatever the service knew is in the manifests.
    pub async fn close(&self) {
        self.stop();
        let branches: Vec<_> = self.branches.lock().await.values().cloned().collect();
        for branch in branches.iter().filter(|b| !b.is_replaced()) {
            if let Err(error) = self.manifests.leave_state(&branch.version()).await {
                tracing::warn!(branch = %branch.name, %error, "the next open will be slower");
            }
        }
    }

    fn stop(&self) {
        self.closing.store(true, Ordering::Release);
        if let Some(task) = self.upkeep.lock().take() {
            task.abort();
        }
        self.work.notify_waiters();
    }

    /// Names of all branches.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn branches(&self) -> Result<Vec<BranchName>> {
        self.manifests.branches().await
    }

    /// The newest version of a branch, read from the store.
    ///
    /// # Errors
    /// `BadRequest` if there is no such branch.
    pub async fn newest(&self, branch: &BranchName) -> Result<Arc<Version>> {
        self.branch(branch).await?.refresh().await
    }

    /// Deletes known garbage that nobody reads, once, now.
    ///
    /// # Errors
    /// When a manifest cannot be read or the store refuses.
    pub async fn collect_garbage(&self, branch: &BranchName) -> Result<Round> {
        let branch = self.branch(branch).await?;
        self.advance(&branch).await?;
        gc::collect(&branch, &*self.store, &self.layout, &self.manifests).await
    }

    /// Finds objects that no manifest can ever name.
    ///
    /// # Errors
    /// When the store cannot be listed or a manifest cannot be read.
    pub async fn find_orphans(&self) -> Result<Orphans> {
        gc::find_orphans(&*self.store, &self.layout, &self.manifests).await
    }

    /// Drops a job that was parked, so that its inputs can be picked anew.
    ///
    /// # Errors
    /// `BadRequest` if there is no such job.
    pub async fn cancel_job(&self, branch: &BranchName, job: u64) -> Result<()> {
        let branch = self.branch(branch).await?;
        branch.commit(|_| Ok(Some(vec![Edit::CancelJob { job }]))).await?;
        self.work.notify_waiters();
        Ok(())
    }

    async fn branch(&self, name: &BranchName) -> Result<Arc<Branch>> {
        match self.find_branch(name).await? {
            Some(branch) => Ok(branch),
            None => Err(Error::new(
                firn_engine::ErrorKind::BadRequest,
                format!("{name:?} does not exist"),
            )),
        }
    }

    async fn find_branch(&self, name: &BranchName) -> Result<Option<Arc<Branch>>> {
        let mut branches = self.branches.lock().await;
        if let Some(branch) = branches.get(name) {
            return Ok(Some(Arc::clone(branch)));
        }
        let Some(version) = self.manifests.newest(name).await? else { return Ok(None) };
        let branch = self.known(version);
        branches.insert(name.clone(), Arc::clone(&branch));
        Ok(Some(branch))
    }

    fn known(&self, version: Version) -> Arc<Branch> {
        let (env, manifests) = (self.env.clone(), self.manifests.clone());
        Arc::new(Branch::new(env, manifests, self.name.clone(), version))
    }

    /// The branch `main`, made if it is missing.
    async fn main_branch(&self) -> Result<Arc<Branch>> {
        let name = BranchName::main();
        if let Some(branch) = self.find_branch(&name).await? {
            return Ok(branch);
        }
        let mut branches = self.branches.lock().await;
        if let Some(branch) = branches.get(&name) {
            return Ok(Arc::clone(branch));
        }
        let branch = self.known(Version::empty(name.clone()));
        let branch_uid = self.env.random_u64().max(1);
        branch
            .commit(|version| {
                let create = Edit::CreateBranch { branch_uid };
                Ok((version.branch_uid == 0).then(|| vec![create]))
            })
            .await?;
        branches.insert(name, Arc::clone(&branch));
        Ok(branch)
    }

    /// Moves the watermark up to where its holders let it.
    async fn advance(&self, branch: &Branch) -> Result<Arc<Version>> {
        branch
            .commit(|version| {
                let readers = branch.readers.lock();
                let watermark = readers.watermark(version);
                if watermark.seq == version.watermark.seq {
                    return Ok(None);
                }
                Ok(Some(vec![Edit::AdvanceWatermark { watermark, leases: readers.leases() }]))
            })
            .await
    }

    async fn upkeep(&self, seen: &mut BTreeMap<BranchName, u64>, follow: bool) {
        let branches: Vec<_> = self.branches.lock().await.values().cloned().collect();
        for branch in branches {
            if let Err(error) = self.upkeep_of(&branch, seen, follow).await {
                tracing::warn!(branch = %branch.name, %error, "upkeep failed and will be tried again");
            }
        }
        self.work.notify_waiters();
    }

    async fn upkeep_of(
        &self,
        branch: &Branch,
        seen: &mut BTreeMap<BranchName, u64>,
        follow: bool,
    ) -> Result<()> {
        if branch.is_replaced() {
            return Ok(());
        }
        let now = self.env.now();
        let known = branch.version().number.0;
        let quiet = seen.insert(branch.name.clone(), known) == Some(known);
        let version = if quiet && follow { branch.refresh().await? } else { branch.version() };
        for holder in branch.readers.lock().expire(now) {
            tracing::warn!(branch = %branch.name, holder, "a reader fell silent; its lease has ended");
        }
        branch.leases.lock().reconcile(&version, now);
        let silent = branch.leases.lock().silent(now);
        for lease in silent {
            let why = "its worker fell silent".to_owned();
            self.give_back(branch, lease, Some(why)).await?;
        }
        self.unlink_hidden(branch).await?;
        if !branch.version().garbage.is_empty() {
            self.advance(branch).await?;
            let round = gc::collect(branch, &*self.store, &self.layout, &self.manifests).await?;
            tracing::debug!(branch = %branch.name, ?round, "collected garbage");
        }
        if !quiet {
            self.manifests.delete_old(&branch.version()).await?;
        }
        Ok(())
    }

    async fn unlink_hidden(&self, branch: &Branch) -> Result<()> {
        if gc::hidden_files(&branch.version()).is_empty() {
            return Ok(());
        }
        branch
            .commit(|version| {
                let edits = gc::hidden_files(version);
                Ok((!edits.is_empty()).then_some(edits))
            })
            .await?;
        Ok(())
    }

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
            .ok_or_else(|| Error::new(firn_engine::ErrorKind::Internal, "a job without a space"))?;
        let input = |input: &firn_engine::manifest::JobInput| {
            space.find(input.id).map(|(_, file)| Arc::clone(file)).ok_or_else(|| {
                let why = format!("job {}: {:?} is not there", job.id, input.id);
                Error::new(firn_engine::ErrorKind::Internal, why)
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

    async fn give_back(&self, branch: &Branch, held: Try, failure: Option<String>) -> Result<()> {
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

impl Drop for StorageService {
    fn drop(&mut self) {
        self.stop();
    }
}

#[async_trait]
impl Storage for StorageService {
    async fn claim(&self, branch: &BranchName, writer: &str) -> Result<Arc<Version>> {
        let branch = if *branch == BranchName::main() {
            self.main_branch().await?
        } else {
            self.branch(branch).await?
        };
        let claimed = branch
            .commit(|_| Ok(Some(vec![Edit::ClaimWriter { writer: writer.to_owned() }])))
            .await
            .context(|| format!("claiming {:?}", branch.name))?;
        self.work.notify_waiters();
        Ok(claimed)
    }

    async fn watch(&self, branch: &BranchName) -> Result<VersionWatch> {
        Ok(self.branch(branch).await?.watch())
    }

    async fn advance_watermark(&self, branch: &BranchName) -> Result<Arc<Version>> {
        let branch = self.branch(branch).await?;
        self.advance(&branch).await
    }

    async fn commit_flush(&self, branch: &BranchName, flush: FlushCommit) -> Result<Arc<Version>> {
        let branch = self.branch(branch).await?;
        let committed = branch
            .commit(|version| {
                // Made again after a lost reply: what is there already must be all of it.
                if version.epoch == flush.epoch && version.flushed_seq >= flush.flushed_seq {
                    return Ok(None);
                }
                Ok(Some(vec![Edit::Flush {
                    epoch: flush.epoch,
                    files: flush.files.clone(),
                    flushed_seq: flush.flushed_seq,
                    decided_counter: flush.decided_counter,
                    times: flush.times.clone(),
                }]))
            })
            .await
            .context(|| format!("committing a flush up to {:?}", flush.flushed_seq))?;
        if flush.files.iter().any(|f| f.range_deletes > 0) {
            self.advance(&branch).await?;
            self.unlink_hidden(&branch).await?;
        }
        self.work.notify_waiters();
        Ok(committed)
    }

    async fn declare_space(
        &self,
        branch: &BranchName,
        epoch: Epoch,
        space: SpaceId,
        options: SpaceOptions,
    ) -> Result<Arc<Version>> {
        let branch = self.branch(branch).await?;
        branch
            .commit(|version| {
                if version.space(space).is_some_and(|s| s.options == options) {
                    return Ok(None);
                }
                let options = options.clone();
                Ok(Some(vec![Edit::DeclareSpace { epoch, space, options }]))
            })
            .await
    }

    async fn create_snapshot(&self, branch: &BranchName, name: &str, seq: Seq) -> Result<()> {
        let branch = self.branch(branch).await?;
        let snapshot = SnapshotMeta { seq, created_unix_ms: self.env.unix_ms() };
        branch
            .commit(|version| {
                if version.snapshots.get(name).is_some_and(|s| *s == snapshot) {
                    return Ok(None);
                }
                let snapshot = snapshot.clone();
                Ok(Some(vec![Edit::AddSnapshot { name: name.to_owned(), snapshot }]))
            })
            .await?;
        Ok(())
    }

    async fn drop_snapshot(&self, branch: &BranchName, name: &str) -> Result<()> {
        let branch = self.branch(branch).await?;
        branch.commit(|_| Ok(Some(vec![Edit::DropSnapshot { name: name.to_owned() }]))).await?;
        self.work.notify_waiters();
        Ok(())
    }

    async fn renew_lease(&self, branch: &BranchName, holder: &str, lease: Lease) -> Result<()> {
        let branch = self.branch(branch).await?;
        let known = branch.readers.lock().knows(holder);
        if !known {
            // The next owner must know of it.
            let holder = holder.to_owned();
            branch
                .commit(|_| Ok(Some(vec![Edit::AddLease { holder: holder.clone(), lease }])))
                .await?;
        }
        branch.readers.lock().renew(holder, lease, self.env.now());
        Ok(())
    }

    async fn end_lease(&self, branch: &BranchName, holder: &str) -> Result<()> {
        let branch = self.branch(branch).await?;
        branch.readers.lock().end(holder);
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
            let mut wake: Option<firn_engine::Instant> = None;
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
        branch
            .commit(|version| {
                if is_reported(version, held, &outputs, done) {
                    return Ok(None);
                }
                let mut edits = vec![Edit::ShardProgress {
                    job: token.job,
                    shard: token.shard,
                    attempt: token.attempt,
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
