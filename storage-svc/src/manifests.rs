//! The manifest protocol: one line of versions, whoever writes them.
//!
//! A version is an object that is created, never replaced: of two owners that
//! make version `n`, one finds the name taken. So the names themselves put all
//! commits of a branch in one order, and fencing by epoch, which the edits
//! check against the state they are applied to, holds for any number of
//! owners, however old their view is.
//!
//! # Commit
//!
//! 1. Compute the edits from the newest state known, and apply them: this
//!    checks epochs and invariants. A refusal counts only if nothing newer is
//!    stored: what is missing may have been made by another owner.
//! 2. Create version `n + 1` with them.
//! 3. If that is stored, the new state is the known one; watchers are told.
//! 4. If the name is taken, read what is there, from `n + 1` on, and begin
//!    again at 1: the edits are computed anew, and may turn out to be refused,
//!    or to be there already.
//! 5. If it is not known whether it was stored (no answer), read the name:
//!    ours is recognised by its commit id. If nothing is there, the attempt
//!    may still arrive later; the caller gets a retryable error, and calling
//!    again meets it as in 4.
//!
//! Telling watchers before 3 would let readers see, and garbage collection
//! act on, a version that may never exist. Reusing edits in 4 without
//! recomputing them could complete a job twice or accept a fenced flush.
//!
//! A crash after 2 leaves a stored version that its owner has not heard of:
//! the next owner reads it. Every caller's edit is such that making the same
//! call again finds it done. Cancelling a commit is like a crash.
//!
//! # Whoever was away for long
//!
//! Old versions are deleted, so their names are free again. An owner that was paused while
//! others made many versions could create version `n + 1` a second time, in a past that
//! nobody reads, and tell its caller that a flush was committed. So old versions are deleted
//! one by one from the oldest on: as long as version `n` is there, none behind it was
//! deleted. After 2, and after reading on from `n`, the owner looks whether `n` is still
//! there and still the one that it knows, by its commit id: another that was away may have
//! made the name `n` anew. If not, it finds the newest version by a list and begins again
//! at 1. Looking before 2 instead would leave the time between to a pause. What was created
//! in the past stays until it is deleted with what is old; nobody reads it.
//!
//! # Finding the newest
//!
//! A list of the branch's folder names the newest version; it and all since
//! the last full state are read in parallel. An owner that closes in good order
//! leaves a copy of the state, which is read together with the list: if nothing
//! came after it, that is all. Between an opener's list and its
//! reads, garbage collection may delete what it listed: then it lists again.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::manifest::record::{Record, STATE_EVERY, base_of, has_state};
use firn_engine::manifest::{Edit, Version};
use firn_engine::object::{Layout, from_store, is_not_found};
use firn_engine::{BranchName, Context, Env, Error, ErrorKind, ManifestVersion, Result};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use parking_lot::Mutex;

/// Races that one commit may lose before it gives up for now.
const RACES_MAX: usize = 64;

/// Times that finding the newest version is tried when it moves away.
const FINDS_MAX: usize = 16;

/// Commit ids that are remembered of a branch.
const IDS_MAX: usize = 2 * STATE_EVERY as usize;

/// The commit ids of versions that were read or made here.
type Ids = BTreeMap<BranchName, BTreeMap<ManifestVersion, u64>>;

/// Stores and finds manifests of any branch.
#[derive(Clone)]
pub struct Manifests {
    env: Env,
    store: Arc<dyn ObjectStore>,
    layout: Layout,
    ids: Arc<Mutex<Ids>>,
    /// Branches that were dropped and of which nothing is left, as they stay for ever.
    ended: Arc<Mutex<BTreeMap<BranchName, Version>>>,
    /// A bug: it is not looked whether a version was stored in the past.
    #[cfg(feature = "planted")]
    pub(crate) lives_in_the_past: Arc<std::sync::atomic::AtomicBool>,
}

impl std::fmt::Debug for Manifests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Manifests({})", self.layout.prefix())
    }
}

/// What makes one version of the one before.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) number: ManifestVersion,
    pub(crate) edits: Vec<Edit>,
}

/// What became of an attempt to create a version.
enum Created {
    Stored,
    /// The name is taken, possibly by an earlier attempt of this process.
    Taken,
}

impl Manifests {
    /// Under `layout`'s prefix of `store`.
    #[must_use]
    pub fn new(env: Env, store: Arc<dyn ObjectStore>, layout: Layout) -> Self {
        Self {
            env,
            store,
            layout,
            ids: Arc::default(),
            ended: Arc::default(),
            #[cfg(feature = "planted")]
            lives_in_the_past: Arc::default(),
        }
    }

    /// The names of all branches.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn branches(&self) -> Result<Vec<BranchName>> {
        let folder = self.layout.branches();
        let listed = self.store.list_with_delimiter(Some(&folder)).await;
        let listed = listed.map_err(|e| from_store("LIST", &folder, e))?;
        // A folder with another name is not a branch of ours.
        let name = |p: &Path| BranchName::new(p.filename()?).ok();
        Ok(listed.common_prefixes.iter().filter_map(name).collect())
    }

    /// The newest version of a branch as far as a list shows; `None` if it has none.
    ///
    /// # Errors
    /// `Corrupt` or `Unavailable` if it cannot be read.
    pub async fn newest(&self, branch: &BranchName) -> Result<Option<Version>> {
        for _ in 0..FINDS_MAX {
            let (listed, hint) = futures::join!(self.list(branch), self.last_state(branch));
            let Some(newest) = listed?.pop() else { return Ok(None) };
            let base = base_of(newest);
            let hint = hint.filter(|hint| hint.number >= base && hint.number <= newest);
            let hint = hint.inspect(|hint| self.remember(branch, hint.number, hint.commit_id));
            let first = hint.as_ref().map_or(base, |hint| hint.number.next());
            let numbers = (first.0..=newest.0).map(ManifestVersion);
            let reads = numbers.map(|number| self.read(branch, number));
            let records: Vec<_> = futures::stream::iter(reads).buffered(32).try_collect().await?;
            // Deleted since it was listed: a newer one is there.
            let Some(records) = records.into_iter().collect::<Option<Vec<_>>>() else { continue };
            return Record::replay(branch, hint.into_iter().chain(records).collect()).map(Some);
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            format!("{branch:?}: its newest manifest kept moving while it was read"),
        )
        .retryable())
    }

    /// The state that an owner left behind when it closed. A state never
    /// changes, so it is right if it can be read, and of no use otherwise.
    async fn last_state(&self, branch: &BranchName) -> Option<Record> {
        let path = self.layout.last_state(branch);
        let bytes = self.store.get(&path).await.ok()?.bytes().await.ok()?;
        let record = Record::decode_any(branch, &bytes).ok()?;
        // Without its commit id nothing could be built on it.
        (record.state.is_some() && record.commit_id != 0).then_some(record)
    }

    /// Leaves the state behind, so that the next owner needs one round of
    /// reads instead of two.
    ///
    /// # Errors
    /// When the store refuses; nothing is lost by it.
    pub async fn leave_state(&self, version: &Version) -> Result<()> {
        let path = self.layout.last_state(&version.branch);
        let commit_id = self.id(&version.branch, version.number).unwrap_or(0);
        let record = Record { commit_id, ..Record::of_state(version) };
        let bytes = record.encode(&version.branch);
        let put = self.store.put(&path, PutPayload::from(bytes)).await;
        put.map(drop).map_err(|e| from_store("PUT", &path, e))
    }

    /// The stored versions of a branch, oldest first.
    pub(crate) async fn list(&self, branch: &BranchName) -> Result<Vec<ManifestVersion>> {
        let folder = self.layout.manifests(branch);
        let mut found = Vec::new();
        let mut listed = self.store.list(Some(&folder));
        while let Some(object) = listed.next().await {
            let object = object.map_err(|e| from_store("LIST", &folder, e))?;
            found.extend(Layout::parse_manifest(&object.location));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Follows `version` to the newest one, and what was done on the way: nothing that is
    /// known, if too much happened meanwhile.
    ///
    /// # Errors
    /// As [`Self::newest`].
    pub(crate) async fn catch_up(&self, version: Version) -> Result<(Version, Vec<Step>)> {
        let mut steps = Vec::new();
        let mut records = Vec::new();
        let mut next = version.number.next();
        while let Some(record) = self.load(&version.branch, next).await? {
            next = next.next();
            records.push(record);
        }
        let kept = match records.is_empty() {
            // Whoever builds on it looks whether it is the same.
            true => self.is_there(&version.branch, version.number).await?,
            false => self.is_kept(&version.branch, version.number).await?,
        };
        if !kept {
            return self.again(version).await;
        }
        let mut version = version;
        for record in records {
            self.remember(&version.branch, record.number, record.commit_id);
            steps.push(Step { number: record.number, edits: record.edits.clone() });
            version = apply(&version, record)?;
        }
        Ok((version, steps))
    }

    /// The newest version for who knows one that is long past.
    async fn again(&self, known: Version) -> Result<(Version, Vec<Step>)> {
        tracing::info!(branch = %known.branch, version = known.number.0, "was away for long");
        match self.newest(&known.branch).await? {
            Some(newest) if newest.number > known.number => Ok((newest, Vec::new())),
            _ => {
                let why = format!("{:?}: its versions are not there", known.branch);
                Err(Error::new(ErrorKind::Unavailable, why).retryable())
            }
        }
    }

    /// Whether no version behind this one was ever deleted.
    async fn is_kept(&self, branch: &BranchName, number: ManifestVersion) -> Result<bool> {
        #[cfg(feature = "planted")]
        if self.lives_in_the_past.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(true);
        }
        if number.0 == 0 {
            // No version of that number is stored. The first is deleted only when there are
            // so many.
            let newest = self.list(branch).await?.pop();
            return Ok(newest.is_none_or(|newest| newest.0 < 2 * STATE_EVERY));
        }
        let there = self.load(branch, number).await?;
        Ok(there.is_some_and(|there| Some(there.commit_id) == self.id(branch, number)))
    }

    async fn is_there(&self, branch: &BranchName, number: ManifestVersion) -> Result<bool> {
        #[cfg(feature = "planted")]
        if self.lives_in_the_past.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(true);
        }
        if number.0 == 0 {
            return self.is_kept(branch, number).await;
        }
        let path = self.layout.manifest(branch, number);
        match self.store.head(&path).await {
            Ok(_) => Ok(true),
            Err(e) if is_not_found(&e) => Ok(false),
            Err(e) => Err(from_store("HEAD", &path, e)),
        }
    }

    fn id(&self, branch: &BranchName, number: ManifestVersion) -> Option<u64> {
        self.ids.lock().get(branch)?.get(&number).copied()
    }

    fn remember(&self, branch: &BranchName, number: ManifestVersion, commit_id: u64) {
        let mut ids = self.ids.lock();
        let ids = ids.entry(branch.clone()).or_default();
        ids.insert(number, commit_id);
        while ids.len() > IDS_MAX {
            ids.pop_first();
        }
    }

    async fn read(&self, branch: &BranchName, number: ManifestVersion) -> Result<Option<Record>> {
        let record = self.load(branch, number).await?;
        if let Some(record) = &record {
            self.remember(branch, number, record.commit_id);
        }
        Ok(record)
    }

    async fn load(&self, branch: &BranchName, number: ManifestVersion) -> Result<Option<Record>> {
        let path = self.layout.manifest(branch, number);
        let bytes: Bytes = match self.store.get(&path).await {
            Ok(found) => found.bytes().await.map_err(|e| from_store("GET", &path, e))?,
            Err(e) if is_not_found(&e) => return Ok(None),
            Err(e) => return Err(from_store("GET", &path, e)),
        };
        Record::decode(branch, number, &bytes).map(Some).context(|| path.to_string())
    }

    /// Commits what `edits` computes from the newest state; `None` from it
    /// means that nothing needs to be done.
    ///
    /// # Errors
    /// What `edits` or the state refuse; `Unavailable` and retryable if it is
    /// not known whether it was stored.
    pub(crate) async fn commit(
        &self,
        mut version: Arc<Version>,
        mut edits: impl FnMut(&Version) -> Result<Option<Vec<Edit>>>,
        mut installed: impl FnMut(&Arc<Version>, Vec<Step>),
    ) -> Result<Arc<Version>> {
        for _ in 0..RACES_MAX {
            let wanted = edits(&version).and_then(|wanted| {
                let Some(wanted) = wanted else { return Ok(None) };
                let next = version.apply(&wanted)?;
                Ok(Some((wanted, next)))
            });
            let (wanted, next) = match wanted {
                Ok(Some(wanted)) => wanted,
                Ok(None) => return Ok(version),
                // Another service may have made what is missing here.
                Err(refused) => {
                    let (newest, steps) = self.catch_up((*version).clone()).await?;
                    if newest.number == version.number {
                        return Err(refused);
                    }
                    version = Arc::new(newest);
                    installed(&version, steps);
                    continue;
                }
            };
            let commit_id = self.env.random_u64();
            let record = Record {
                number: next.number,
                commit_id,
                unix_ms: self.env.unix_ms(),
                edits: wanted,
                state: has_state(next.number).then(|| next.clone()),
            };
            match self.create(&version.branch, &record).await? {
                Created::Stored if !self.is_kept(&version.branch, version.number).await? => {
                    let (newest, steps) = self.again((*version).clone()).await?;
                    version = Arc::new(newest);
                    installed(&version, steps);
                }
                Created::Stored => {
                    self.remember(&next.branch, next.number, commit_id);
                    let next = Arc::new(next);
                    let step = Step { number: record.number, edits: record.edits };
                    installed(&next, vec![step]);
                    return Ok(next);
                }
                Created::Taken => {
                    let (newest, steps) = self.catch_up((*version).clone()).await?;
                    version = Arc::new(newest);
                    installed(&version, steps);
                }
            }
        }
        Err(Error::new(
            ErrorKind::Retry,
            format!("{:?}: {RACES_MAX} commits in a row were overtaken", version.branch),
        ))
    }

    /// Stores the first version of a branch, whole; false if the branch has a first version
    /// already, which may be this one, stored by an earlier try.
    ///
    /// # Errors
    /// `Unavailable` and retryable if it is not known whether it was stored.
    pub(crate) async fn begin(&self, version: &Version) -> Result<bool> {
        let record = Record {
            number: version.number,
            commit_id: self.env.random_u64(),
            unix_ms: self.env.unix_ms(),
            edits: Vec::new(),
            state: Some(version.clone()),
        };
        let stored = matches!(self.create(&version.branch, &record).await?, Created::Stored)
            && self.is_kept(&version.branch, ManifestVersion(0)).await?;
        if stored {
            self.remember(&version.branch, version.number, record.commit_id);
        }
        Ok(stored)
    }

    /// As [`Self::newest`], and on to what a list that is late does not show.
    ///
    /// # Errors
    /// As [`Self::newest`].
    pub(crate) async fn very_newest(&self, branch: &BranchName) -> Result<Option<Version>> {
        let listed = match self.newest(branch).await? {
            Some(version) => version,
            // Its first version holds its whole state.
            None => match self.read(branch, ManifestVersion(1)).await? {
                Some(Record { state: Some(state), .. }) => state,
                _ => return Ok(None),
            },
        };
        let (newest, _) = self.catch_up(listed).await?;
        if newest.has_ended() {
            self.ended.lock().insert(branch.clone(), newest.clone());
        }
        Ok(Some(newest))
    }

    /// As [`Self::very_newest`], but a branch of which nothing is left is read once only:
    /// nothing changes in it that says what is needed, or whose garbage something is.
    ///
    /// # Errors
    /// As [`Self::newest`].
    pub(crate) async fn newest_or_end(&self, branch: &BranchName) -> Result<Option<Version>> {
        let ended = self.ended.lock().get(branch).cloned();
        match ended {
            Some(version) => Ok(Some(version)),
            None => self.very_newest(branch).await,
        }
    }

    /// The last of the branches that are or were called as `name` is, of those that have a
    /// manifest.
    ///
    /// # Errors
    /// As [`Self::newest`].
    pub async fn last_called(&self, name: &BranchName) -> Result<Option<Version>> {
        let called = name.called();
        let listed = self.branches().await?.into_iter().filter(|b| b.called() == called);
        let mut next = listed.max_by_key(BranchName::number).unwrap_or(called);
        let mut last = None;
        // On to what a list that is late does not show.
        while let Some(version) = self.newest_or_end(&next).await? {
            next = next.following();
            last = Some(version);
        }
        Ok(last)
    }

    /// Steps 2 and 5.
    async fn create(&self, branch: &BranchName, record: &Record) -> Result<Created> {
        let path = self.layout.manifest(branch, record.number);
        let payload = PutPayload::from(record.encode(branch));
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let error = match self.store.put_opts(&path, payload, options).await {
            Ok(_) => return Ok(Created::Stored),
            Err(object_store::Error::AlreadyExists { .. }) => None,
            Err(e) => Some(e),
        };
        let there = self.load(branch, record.number).await;
        match (there, error) {
            (Ok(Some(there)), _) if there.commit_id == record.commit_id => Ok(Created::Stored),
            (Ok(Some(_)), _) => Ok(Created::Taken),
            (_, Some(e)) => Err(from_store("PUT", &path, e).retryable()),
            (Ok(None), None) => Err(Error::new(
                ErrorKind::Retry,
                format!("PUT {path}: the store says both that it exists and that it does not"),
            )),
            (Err(e), None) => Err(e),
        }
    }

    /// Deletes manifests that no opener needs any more: all before the state before the last,
    /// one by one from the oldest on.
    ///
    /// # Errors
    /// When the store cannot be listed or refuses: those behind stay.
    pub async fn delete_old(&self, newest: &Version) -> Result<u64> {
        let last_state = base_of(newest.number);
        let keep_from = base_of(ManifestVersion(last_state.0.saturating_sub(1)));
        let old = self.list(&newest.branch).await?.into_iter().filter(|n| *n < keep_from);
        let mut count = 0;
        for number in old {
            let path = self.layout.manifest(&newest.branch, number);
            match self.store.delete(&path).await {
                Err(e) if !is_not_found(&e) => return Err(from_store("DELETE", &path, e)),
                _ => count += 1,
            }
        }
        Ok(count)
    }
}

fn apply(version: &Version, record: Record) -> Result<Version> {
    match record.state {
        Some(state) => Ok(state),
        None => version.apply(&record.edits).map_err(|e| {
            Error::with_source(
                ErrorKind::Corrupt,
                format!("{:?} {:?}: its edits do not fit", version.branch, record.number),
                e,
            )
        }),
    }
}
