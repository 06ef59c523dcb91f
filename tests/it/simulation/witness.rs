//! The object store itself, watched: with every version of a manifest that is stored, every
//! segment of the archive, and every object that is deleted, it is looked whether that may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::manifest::record::Record;
use firn_engine::manifest::{BranchState, Edit, Job, SstMeta, Version};
use firn_engine::object::{Backend, Layout, MemoryStore, ObjectKind, Page, PageStart, Part};
use firn_engine::{BranchName, ManifestVersion, ObjectId, Seq};
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use parking_lot::Mutex;

use super::verdict::Verdict;

/// A store in memory that is watched. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    store: MemoryStore,
    layout: Layout,
    verdict: Verdict,
    seen: Arc<Mutex<Seen>>,
}

/// The newest version of each branch.
pub(crate) type Versions = BTreeMap<BranchName, Arc<Version>>;

#[derive(Debug, Default)]
struct Seen {
    versions: Versions,
    /// Files of rows and of columns.
    objects: BTreeSet<(ObjectId, ObjectKind)>,
    /// First and last seqs of the archive's segments, by branch.
    archived: BTreeMap<BranchName, BTreeSet<(Seq, Seq)>>,
    deleted: u64,
    /// Each epoch is claimed once, each owner's number taken once; how often that was.
    claims: u64,
    merges: u64,
}

/// How much has happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Story {
    pub(crate) versions: u64,
    pub(crate) branches: u64,
    pub(crate) claims: u64,
    pub(crate) merges: u64,
    pub(crate) segments: u64,
    pub(crate) deleted: u64,
}

impl Witness {
    pub(crate) fn new(layout: &Layout, verdict: &Verdict) -> Self {
        Self {
            store: MemoryStore::new(),
            layout: layout.clone(),
            verdict: verdict.clone(),
            seen: Arc::default(),
        }
    }

    pub(crate) fn story(&self) -> Story {
        let seen = self.seen.lock();
        Story {
            versions: seen.versions.values().map(|version| version.number.0).sum(),
            branches: seen.versions.len() as u64,
            claims: seen.claims,
            merges: seen.merges,
            segments: seen.archived.values().map(|segments| segments.len() as u64).sum(),
            deleted: seen.deleted,
        }
    }

    /// The newest stored version of every branch, also of those that were dropped.
    pub(crate) fn versions(&self) -> Versions {
        self.seen.lock().versions.clone()
    }

    /// Up to where the archive has all records of a branch from `from` on.
    pub(crate) fn archived(&self, branch: &BranchName, from: Seq) -> Seq {
        let seen = self.seen.lock();
        let mut reach = from.prev();
        for (first, last) in seen.archived.get(branch).into_iter().flatten() {
            if *first <= reach.next() {
                reach = reach.max(*last);
            }
        }
        reach
    }

    /// How many segments of a branch's log are in the archive.
    pub(crate) fn segments(&self, branch: &BranchName) -> usize {
        self.seen.lock().archived.get(branch).map_or(0, BTreeSet::len)
    }

    /// All files that are there.
    pub(crate) fn objects(&self) -> BTreeSet<(ObjectId, ObjectKind)> {
        self.seen.lock().objects.clone()
    }

    fn file_at(&self, path: &Path) -> Option<(ObjectId, ObjectKind)> {
        [ObjectKind::Sst, ObjectKind::Column].into_iter().find_map(|kind| {
            let inside = path.prefix_match(&self.layout.objects(kind)).is_some();
            let id = self.layout.parse_object(kind, path).ok().filter(|_| inside)?;
            Some((id, kind))
        })
    }

    fn stored(&self, path: &Path, payload: &PutPayload, mode: &PutMode) {
        if let Some(object) = self.file_at(path) {
            self.seen.lock().objects.insert(object);
            return;
        }
        if let Some(branch) = self.branch_at(path) {
            self.verdict.check(*mode == PutMode::Create, || format!("{path} may be replaced"));
            if let Some(segment) = Layout::parse_archived(path) {
                self.seen.lock().archived.entry(branch).or_default().insert(segment);
                return;
            }
            let Some(number) = Layout::parse_manifest(path) else {
                return self.verdict.fail(format!("{path} is not a manifest's name"));
            };
            let bytes: Bytes = payload.clone().into();
            match Record::decode(&branch, number, &bytes) {
                Ok(record) => self.committed(&branch, record),
                Err(error) => self.verdict.fail(format!("{path}: {error}")),
            }
        }
    }

    /// The branch whose manifest or archived segment this is.
    fn branch_at(&self, path: &Path) -> Option<BranchName> {
        if Layout::parse_archived(path).is_some() {
            let log = self.layout.prefix().clone().join("log");
            let mut parts = path.prefix_match(&log)?;
            return BranchName::new(parts.next()?.as_ref()).ok();
        }
        let mut parts = path.prefix_match(&self.layout.branches())?;
        let branch = BranchName::new(parts.next()?.as_ref()).ok()?;
        (parts.next()?.as_ref() == "manifest").then_some(branch)
    }

    /// A version is stored: it follows the last one, and all that it names is there.
    fn committed(&self, branch: &BranchName, record: Record) {
        let seen = &mut *self.seen.lock();
        let number = record.number;
        let named = format!("{branch:?}, {number:?}");
        let before = match seen.versions.get(branch) {
            Some(version) => Arc::clone(version),
            None => Arc::new(Version::empty(branch.clone())),
        };
        if number <= before.number {
            // A request that came so late that the version had been deleted as too old.
            return;
        }
        if number != before.number.next() {
            return self.verdict.fail(format!("{named} is stored after {:?}", before.number));
        }
        let next = match record.state {
            Some(state) if number == ManifestVersion(1) && *branch != BranchName::main() => {
                self.made(&seen.versions, &state);
                state
            }
            state => {
                let next = match before.apply(&record.edits) {
                    Ok(next) => next,
                    Err(error) => return self.verdict.fail(format!("{named}: {error}")),
                };
                if let Some(state) = state {
                    self.verdict.check(state == next, || format!("{named} holds another state"));
                }
                next
            }
        };
        for edit in &record.edits {
            self.right(&before, edit);
            seen.claims += u64::from(matches!(edit, Edit::ClaimWriter { .. }));
            seen.merges += u64::from(matches!(edit, Edit::CompleteJob { .. }));
        }
        for file in needed(&next) {
            let column = file.column.is_some().then_some(ObjectKind::Column);
            for kind in std::iter::once(ObjectKind::Sst).chain(column) {
                self.verdict.check(seen.objects.contains(&(file.id, kind)), || {
                    format!("{named} names {:?}, whose {kind:?} is not there", file.id)
                });
            }
        }
        seen.versions.insert(branch.clone(), Arc::new(next));
    }

    /// The first version of a branch: its parent holds what it needs.
    fn made(&self, versions: &Versions, first: &Version) {
        let (name, uid) = (&first.branch, first.branch_uid);
        let parent = first.origin.as_ref().and_then(|origin| versions.get(&origin.branch));
        let point = parent.and_then(|parent| parent.children.get(name));
        let pinned = point
            .is_some_and(|point| (point.branch_uid, point.state) == (uid, BranchState::Pinned));
        self.verdict.check(pinned, || format!("{name:?} begins, and its parent says {point:?}"));
    }

    /// Files come from whoever had the right to make them.
    fn right(&self, before: &Version, edit: &Edit) {
        match edit {
            Edit::Flush { files, .. } => {
                for file in files {
                    let made = (file.id.branch, file.id.epoch);
                    let now = (before.branch_uid, before.epoch);
                    self.verdict.check(made == now, || {
                        format!("{:?} was flushed by the writer of {made:?}, not {now:?}", file.id)
                    });
                }
            }
            Edit::ShardProgress { job, shard, outputs, .. } => {
                let job = before.jobs.get(job);
                let held = job.and_then(|job| job.shards.get(*shard)).and_then(|s| s.attempt);
                for file in outputs {
                    let made = Job::attempt_of(file.id.counter);
                    self.verdict.check(made == held, || {
                        format!("{:?} was merged by attempt {made:?}, not {held:?}", file.id)
                    });
                }
            }
            _ => {}
        }
    }

    fn gone(&self, paths: &[Path]) {
        let seen = &mut *self.seen.lock();
        for path in paths {
            if let Some(segment) = Layout::parse_archived(path)
                && let Some(branch) = self.branch_at(path)
            {
                let dropped = seen.versions.get(&branch).is_some_and(|version| version.dropped);
                self.verdict
                    .check(dropped, || format!("{path} is deleted, and its branch is there"));
                seen.archived.entry(branch).or_default().remove(&segment);
            }
            let Some(object) = self.file_at(path) else { continue };
            if !seen.objects.remove(&object) {
                continue;
            }
            seen.deleted += 1;
            for (branch, version) in &seen.versions {
                self.verdict.check(needed(version).all(|file| file.id != object.0), || {
                    format!("{path} is deleted, and {branch:?}, {:?} names it", version.number)
                });
            }
        }
    }
}

/// Files that a version needs, in its levels or for its merges.
pub(crate) fn needed(version: &Version) -> impl Iterator<Item = &Arc<SstMeta>> {
    let outputs = version.jobs.values().flat_map(|job| &job.shards).flat_map(|s| &s.outputs);
    version.files().map(|(_, file)| file).chain(outputs)
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "watched {}", self.store)
    }
}

#[async_trait]
impl Backend for Witness {
    async fn put(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let mode = options.mode.clone();
        let put = self.store.put(path, payload.clone(), options).await?;
        self.stored(path, &payload, &mode);
        Ok(put)
    }

    async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get(path, options).await
    }

    async fn list(&self, prefix: Option<&Path>, delimiter: bool, start: PageStart) -> Result<Page> {
        self.store.list(prefix, delimiter, start).await
    }

    async fn delete(&self, paths: &[Path]) -> Result<Vec<Result<()>>> {
        let deleted = self.store.delete(paths).await?;
        self.gone(paths);
        Ok(deleted)
    }

    async fn copy(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy(from, to, options).await
    }

    async fn create_upload(&self, path: &Path, options: PutMultipartOptions) -> Result<String> {
        self.store.create_upload(path, options).await
    }

    async fn put_part(&self, path: &Path, upload: &str, part: Part) -> Result<PartId> {
        self.store.put_part(path, upload, part).await
    }

    async fn complete_upload(
        &self,
        path: &Path,
        upload: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let put = self.store.complete_upload(path, upload, parts).await?;
        if let Some(object) = self.file_at(path) {
            self.seen.lock().objects.insert(object);
        }
        Ok(put)
    }

    async fn abort_upload(&self, path: &Path, upload: &str) -> Result<()> {
        self.store.abort_upload(path, upload).await
    }
}
