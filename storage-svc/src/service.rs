//! The storage service, in this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use firn_engine::journal::Journal;
use firn_engine::manifest::{Edit, Lease, SnapshotMeta, SpaceOptions, Version};
use firn_engine::object::Layout;
use firn_engine::storage::{FlushCommit, Storage, VersionWatch};
use firn_engine::{
    BranchName, Context, Env, Epoch, Error, ErrorKind, Result, Seq, SpaceId, Task, TaskClass,
};
use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::branch::Branch;
use crate::depth::Depth;
use crate::gc::{self, Orphans, Round};
use crate::manifests::Manifests;
use crate::picker::PickerOptions;
use crate::upkeep::{Due, UPKEEP};

/// Longest name of a snapshot in bytes.
const SNAPSHOT_NAME_MAX: usize = 255;

/// Implements the engine's `Storage` and `Compaction` on an object store.
pub struct StorageService {
    pub(crate) env: Env,
    /// Shown in the manifest when this service is in charge, for people.
    name: String,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) layout: Layout,
    pub(crate) manifests: Manifests,
    pub(crate) picker: PickerOptions,
    pub(crate) branches: tokio::sync::Mutex<BTreeMap<BranchName, Arc<Branch>>>,
    /// Told when there may be work for a worker.
    pub(crate) work: Notify,
    /// Told when somebody wants to see what others have committed.
    looks: Arc<Notify>,
    pub(crate) closing: AtomicBool,
    upkeep: Mutex<Option<Task<()>>>,
    pub(crate) depth: Depth,
    /// Where the branches' logs are, if they can be reached from here.
    pub(crate) journal: OnceLock<Arc<dyn Journal>>,
    #[cfg(feature = "planted")]
    pub(crate) planted: Mutex<crate::Planted>,
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
        let service = Arc::new(Self::new(env.clone(), name, store, layout, picker));
        let (weak, looks) = (Arc::downgrade(&service), Arc::clone(&service.looks));
        let upkeep = env.clone().spawn(TaskClass::Background, "storage-upkeep", async move {
            let mut due = Due::new(env.now());
            let mut next = env.now().after(UPKEEP);
            loop {
                let left = next.since(env.now());
                let asked = env.timeout(left, looks.notified()).await.is_some();
                let Some(service) = weak.upgrade() else { return };
                if asked {
                    service.look().await;
                }
                if env.now() >= next {
                    service.upkeep(&mut due).await;
                    next = env.now().after(UPKEEP);
                }
            }
        });
        *service.upkeep.lock() = Some(upkeep);
        service
    }

    /// One that does only what it is asked to, and nothing by itself: for tools beside a
    /// service that runs.
    #[must_use]
    pub fn passive(env: Env, name: &str, store: Arc<dyn ObjectStore>, layout: Layout) -> Arc<Self> {
        Arc::new(Self::new(env, name, store, layout, PickerOptions::default()))
    }

    fn new(
        env: Env,
        name: &str,
        store: Arc<dyn ObjectStore>,
        layout: Layout,
        picker: PickerOptions,
    ) -> Self {
        let manifests = Manifests::new(env.clone(), Arc::clone(&store), layout.clone());
        Self {
            env,
            name: name.to_owned(),
            store,
            layout,
            manifests,
            picker,
            branches: tokio::sync::Mutex::new(BTreeMap::new()),
            work: Notify::new(),
            looks: Arc::default(),
            closing: AtomicBool::new(false),
            upkeep: Mutex::new(None),
            depth: Depth::default(),
            journal: OnceLock::new(),
            #[cfg(feature = "planted")]
            planted: Mutex::default(),
        }
    }

    /// Ends the logs of branches that are dropped in this journal.
    pub fn end_logs_in(&self, journal: Arc<dyn Journal>) {
        if self.journal.set(journal).is_err() {
            tracing::warn!("the storage service knows its journal already");
        }
    }

    /// Makes the service look soon at what others have committed.
    pub fn look_soon(&self) {
        self.looks.notify_one();
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

    /// What it is called in manifests.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The branches that it is in charge of, as far as it knows.
    pub async fn in_charge(&self) -> Vec<BranchName> {
        let branches = self.branches.lock().await;
        let own = branches.values().filter(|branch| branch.is_owner_in(&branch.version()));
        own.map(|branch| branch.name.clone()).collect()
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
        #[cfg(feature = "planted")]
        if let Some(unnamed) = self.unnamed().await? {
            return Ok(unnamed);
        }
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

    pub(crate) async fn branch(&self, name: &BranchName) -> Result<Arc<Branch>> {
        match self.find_branch(name).await? {
            Some(branch) => Ok(branch),
            None => Err(Error::new(
                firn_engine::ErrorKind::BadRequest,
                format!("{name:?} does not exist"),
            )),
        }
    }

    /// The newest version known here.
    pub(crate) async fn known(&self, branch: &BranchName) -> Result<Arc<Version>> {
        Ok(self.branch(branch).await?.version())
    }

    /// Forgets a branch that another service has taken charge of, if it was this one's, and
    /// says who has it. The next call starts from the manifest, as after a restart.
    pub(crate) async fn step_down(&self, name: &BranchName) -> Option<String> {
        let mut branches = self.branches.lock().await;
        let branch = branches.get(name).filter(|branch| branch.is_replaced())?;
        let owner = branch.version().owner_name.clone();
        branches.remove(name);
        Some(owner)
    }

    /// Looks at every branch, so that each has its upkeep and its merges whether anybody
    /// asks for it or not.
    ///
    /// # Errors
    /// When the store cannot be listed or a manifest cannot be read.
    pub async fn learn_branches(&self) -> Result<()> {
        for name in self.branches().await? {
            self.find_branch(&name).await?;
        }
        // Of branches that are gone there is nothing to look after.
        let gone = |branch: &Branch| branch.version().has_ended();
        self.branches.lock().await.retain(|_, branch| !gone(branch));
        Ok(())
    }

    pub(crate) async fn find_branch(&self, name: &BranchName) -> Result<Option<Arc<Branch>>> {
        let mut branches = self.branches.lock().await;
        if let Some(branch) = branches.get(name) {
            return Ok(Some(Arc::clone(branch)));
        }
        let Some(version) = self.manifests.newest(name).await? else { return Ok(None) };
        let branch = self.follow(version);
        branches.insert(name.clone(), Arc::clone(&branch));
        Ok(Some(branch))
    }

    fn follow(&self, version: Version) -> Arc<Branch> {
        let (env, manifests) = (self.env.clone(), self.manifests.clone());
        let branch = Branch::new(env, manifests, self.name.clone(), version);
        #[cfg(feature = "planted")]
        branch.readers.lock().plant(*self.planted.lock());
        Arc::new(branch)
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
        let branch = self.follow(Version::empty(name.clone()));
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
    pub(crate) async fn advance(&self, branch: &Branch) -> Result<Arc<Version>> {
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

    /// Stores what readers hold now.
    pub(crate) async fn store_leases(&self, branch: &Branch) -> Result<()> {
        let store = |version: &Version| {
            let readers = branch.readers.lock();
            let leases = readers.leases();
            let changed = !leases.iter().map(|(holder, _)| holder).eq(version.leases.keys());
            let watermark = readers.watermark(version);
            Ok(changed.then(|| vec![Edit::AdvanceWatermark { watermark, leases }]))
        };
        branch.commit(store).await.map(drop)
    }

    /// Deletes objects that no manifest can ever name, and what is left of the logs of
    /// branches that have ended.
    ///
    /// # Errors
    /// When the store cannot be listed, a manifest cannot be read, or the store refuses.
    pub async fn delete_orphans(&self) -> Result<u64> {
        let orphans = self.find_orphans().await?;
        let objects = orphans.objects.into_iter().map(|(id, kind, _)| (id, kind));
        let objects = gc::delete(&*self.store, &self.layout, objects).await?;
        Ok(objects + self.sweep_logs().await?)
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
        let mut branch = if *branch == BranchName::main() {
            self.main_branch().await?
        } else {
            self.called(branch).await?
        };
        let claim = |_: &Version| Ok(Some(vec![Edit::ClaimWriter { writer: writer.to_owned() }]));
        let mut claimed = branch.commit(claim).await;
        if claimed.is_err() && branch.version().dropped {
            // That is known only now.
            let last = self.called(&branch.name).await?;
            if last.name != branch.name {
                branch = last;
                claimed = branch.commit(claim).await;
            }
        }
        let claimed = claimed.context(|| format!("claiming {:?}", branch.name))?;
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
                let epoch = flush.epoch;
                #[cfg(feature = "planted")]
                let epoch = self.flush_epoch(version, epoch);
                Ok(Some(vec![Edit::Flush {
                    epoch,
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

    async fn answer_flush(&self, branch: &BranchName, epoch: Epoch, answers: u64) -> Result<()> {
        let branch = self.branch(branch).await?;
        let answer = |version: &Version| {
            if version.epoch == epoch && version.flush_answered >= answers {
                return Ok(None);
            }
            Ok(Some(vec![Edit::AnswerFlush { epoch, answers }]))
        };
        branch.commit(answer).await.map(drop)
    }

    async fn create_snapshot(&self, branch: &BranchName, name: &str, seq: Seq) -> Result<()> {
        if name.is_empty() || name.len() > SNAPSHOT_NAME_MAX || name.chars().any(char::is_control) {
            let why = format!(
                "a snapshot's name has 1 to {SNAPSHOT_NAME_MAX} bytes, and no control characters"
            );
            return Err(Error::new(firn_engine::ErrorKind::BadRequest, why));
        }
        let branch = self.branch(branch).await?;
        let snapshot = SnapshotMeta { seq, created_unix_ms: self.env.unix_ms() };
        branch
            .commit_as_anyone(|version| {
                // Made again after a lost reply.
                if version.snapshots.get(name).is_some_and(|s| s.seq == snapshot.seq) {
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
        let drop = |_: &Version| Ok(Some(vec![Edit::DropSnapshot { name: name.to_owned() }]));
        branch.commit_as_anyone(drop).await?;
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
        let version = branch.version();
        // Others shall see in the manifest that nobody writes the branch any more.
        if version.writer_lease() == holder && branch.is_owner_in(&version) {
            match self.store_leases(&branch).await {
                // Another is in charge: with it this holder has no lease any more, or one
                // that runs out.
                Err(e) if e.kind() == ErrorKind::Fenced => {}
                stored => stored?,
            }
        }
        Ok(())
    }
}
