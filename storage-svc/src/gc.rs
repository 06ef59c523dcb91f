//! Garbage collection: what may be deleted, and in which order that is found out.
//!
//! # Known garbage
//!
//! A version that stops naming a file lists it as garbage. It is deleted when
//! no reader reads a version that named it, and no branch is being made from one.
//!
//! 1. *publish*: the version without the file is stored (long before).
//! 2. *validate*: read the newest manifests of **all** branches from the
//!    store, past every cache. Only what none of them names, and what is
//!    garbage in the newest version of its own branch, goes on; and only if
//!    this service is still in charge there.
//! 3. *delete* the objects.
//! 4. *forget*: commit that they are gone.
//!
//! All branches: those that a list of the store shows, and those that the manifests
//! read so far name as their branches, so that a list that is late hides none. A branch
//! is named by its parent before it has a manifest, and until then its parent holds
//! what it needs (`branching`).
//!
//! # What several branches name
//!
//! What another branch needs as a file is forgotten here and deleted by that one in its
//! time. What is garbage of several is deleted by the branch with the greatest number,
//! when it is the last to name it: the others forget it, when none of their readers needs
//! it. Deleting what is garbage elsewhere would take it from that branch's readers. Two
//! branches that forget at the same moment leave an orphan, which is found as one.
//!
//! Deleting before publishing would leave a stored version that names what is
//! gone. Without the second look, an owner that was paused would act on a
//! version that others have long replaced. Forgetting before deleting would
//! leak the object at a crash. A crash after 3 deletes again, which is
//! harmless: names are not reused.
//!
//! # Orphans
//!
//! Objects that no manifest ever named: uploads of writers and workers that
//! died. To tell them from uploads under way:
//!
//! 1. *list* the objects.
//! 2. *then* read the newest manifests of all branches.
//! 3. An object that none names is an orphan only if nobody can name it any
//!    more: a flush's, if its epoch is over (that writer is fenced) or its
//!    counter is below what the current writer has decided; a merge's, if its
//!    attempt does not hold its shard (its report will be refused). All else
//!    is kept: of an unknown branch, of a future epoch, or not named as ours.
//!
//! The other order would take an object that is committed between the two for
//! an orphan. No clock decides anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firn_engine::manifest::{BranchState, Edit, Job, Version};
use firn_engine::object::{Layout, ObjectKind, from_store, is_not_found};
use firn_engine::{BranchName, Error, ErrorKind, ManifestVersion, ObjectId, Result};
use futures::StreamExt;
use object_store::ObjectStore;

use crate::branch::Branch;
use crate::manifests::Manifests;

/// Objects deleted in one round at most, so that a round ends.
const ROUND_MAX: usize = 10_000;

/// The newest versions of all branches, read from the store.
#[derive(Debug)]
pub struct Reachable {
    versions: Vec<Version>,
}

impl Reachable {
    /// Reads them.
    ///
    /// # Errors
    /// If any cannot be read: then nothing may be deleted.
    pub async fn read(manifests: &Manifests) -> Result<Self> {
        Self::walk(Vec::new(), manifests).await
    }

    /// Reads what a list shows and what is named by what was read, but for `known`.
    async fn walk(known: Vec<Version>, manifests: &Manifests) -> Result<Self> {
        let mut versions = known;
        let mut seen: BTreeSet<_> = versions.iter().map(|v| v.branch.clone()).collect();
        let mut next = manifests.branches().await?;
        // What a list may not show yet.
        next.extend(versions.iter().flat_map(|v| v.children.keys().cloned()));
        while let Some(branch) = next.pop() {
            if !seen.insert(branch.clone()) {
                continue;
            }
            // One that is being made has none.
            let Some(version) = manifests.newest_or_end(&branch).await? else { continue };
            next.extend(version.children.keys().cloned());
            versions.push(version);
        }
        let made = |name: &BranchName| versions.iter().any(|v| v.branch == *name);
        let children = versions.iter().flat_map(|v| &v.children);
        let mut missing = children.filter(|(_, p)| p.state != BranchState::Pinned).map(|(n, _)| n);
        match missing.find(|name| !made(name)) {
            Some(name) => {
                let why = format!("{name:?} exists, but its manifest is not found");
                Err(Error::new(ErrorKind::Unavailable, why).retryable())
            }
            None => Ok(Self { versions }),
        }
    }

    /// Reads those of all branches but one, whose newest version is known.
    ///
    /// # Errors
    /// If any cannot be read: then nothing may be deleted.
    pub async fn with(own: Version, manifests: &Manifests) -> Result<Self> {
        Self::walk(vec![own], manifests).await
    }

    /// The versions read.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Objects that some branch needs; its garbage does not count.
    #[must_use]
    pub fn needed(&self) -> BTreeSet<ObjectId> {
        let mut needed = BTreeSet::new();
        for version in &self.versions {
            needed.extend(version.files().map(|(_, f)| f.id));
            let shards = version.jobs.values().flat_map(|j| &j.shards);
            needed.extend(shards.flat_map(|s| &s.outputs).map(|f| f.id));
        }
        needed
    }

    /// What `own` does with an object that is its garbage and that no reader of it needs.
    fn fate(&self, own: &Version, needed: &BTreeSet<ObjectId>, id: ObjectId) -> Fate {
        if needed.contains(&id) {
            return Fate::Forget;
        }
        let others = self.versions.iter().filter(|v| v.branch != own.branch);
        let others = others.filter(|v| v.garbage.contains_key(&id)).map(|v| v.branch_uid);
        match others.max() {
            None => Fate::Delete,
            Some(other) if other > own.branch_uid => Fate::Forget,
            Some(_) => Fate::Keep,
        }
    }

    /// Whether no one can ever name this object again.
    #[must_use]
    pub fn is_orphan(&self, id: ObjectId, named: &BTreeSet<ObjectId>) -> bool {
        if named.contains(&id) {
            return false;
        }
        let Some(owner) = self.versions.iter().find(|v| v.branch_uid == id.branch) else {
            return false;
        };
        match Job::attempt_of(id.counter) {
            Some(attempt) => {
                attempt < owner.next_attempt && !owner.live_attempts().contains(&attempt)
            }
            None => {
                id.epoch < owner.epoch
                    || (id.epoch == owner.epoch && id.counter < owner.decided_counter)
            }
        }
    }

    /// Every object that some branch names, as file or as garbage.
    #[must_use]
    pub fn named(&self) -> BTreeSet<ObjectId> {
        self.versions.iter().flat_map(Version::named_objects).collect()
    }
}

/// What becomes of garbage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Delete,
    /// Another branch deletes it.
    Forget,
    /// Until other branches have forgotten it.
    Keep,
}

/// What a look for orphans found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Orphans {
    /// Objects and their sizes.
    pub objects: Vec<(ObjectId, ObjectKind, u64)>,
    /// Names in the folders of files that are not names of files.
    pub strange: Vec<String>,
}

/// Objects as they are in the store.
pub type Listing = BTreeMap<(ObjectId, ObjectKind), u64>;

/// Lists all files; with the names that are not ours.
///
/// # Errors
/// When the store cannot be listed.
pub async fn list(store: &dyn ObjectStore, layout: &Layout) -> Result<(Listing, Vec<String>)> {
    let mut objects = Listing::new();
    let mut strange = Vec::new();
    for kind in [ObjectKind::Sst, ObjectKind::Column] {
        let folder = layout.objects(kind);
        let mut listed = store.list(Some(&folder));
        while let Some(object) = listed.next().await {
            let object = object.map_err(|e| from_store("LIST", &folder, e))?;
            match layout.parse_object(kind, &object.location) {
                Ok(id) => {
                    objects.insert((id, kind), object.size);
                }
                Err(_) => strange.push(object.location.to_string()),
            }
        }
    }
    Ok((objects, strange))
}

/// Looks for orphans, in the order that makes it safe.
///
/// # Errors
/// When the store cannot be listed or a manifest cannot be read.
pub async fn find_orphans(
    store: &dyn ObjectStore,
    layout: &Layout,
    manifests: &Manifests,
) -> Result<Orphans> {
    let (objects, strange) = list(store, layout).await?;
    let reachable = Reachable::read(manifests).await?;
    let named = reachable.named();
    let orphan = |((id, kind), size): ((ObjectId, ObjectKind), u64)| {
        reachable.is_orphan(id, &named).then_some((id, kind, size))
    };
    Ok(Orphans { objects: objects.into_iter().filter_map(orphan).collect(), strange })
}

/// Deletes objects; those that are gone already count as deleted.
///
/// # Errors
/// What the store refuses first; the others have been tried.
pub async fn delete(
    store: &dyn ObjectStore,
    layout: &Layout,
    objects: impl IntoIterator<Item = (ObjectId, ObjectKind)>,
) -> Result<u64> {
    let paths: Vec<_> = objects.into_iter().map(|(id, kind)| Ok(layout.object(id, kind))).collect();
    let folder = layout.prefix().clone();
    let mut deleted = store.delete_stream(futures::stream::iter(paths).boxed());
    let (mut count, mut failed) = (0, None);
    while let Some(one) = deleted.next().await {
        match one {
            Ok(_) => count += 1,
            Err(e) if is_not_found(&e) => count += 1,
            Err(e) => {
                failed.get_or_insert_with(|| from_store("DELETE under", &folder, e));
            }
        }
    }
    failed.map_or(Ok(count), Err)
}

/// What a round did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Objects deleted.
    pub deleted: u64,
    /// Garbage that someone may still read.
    pub held: u64,
}

/// One round over a branch's known garbage.
pub(crate) async fn collect(
    branch: &Branch,
    store: &dyn ObjectStore,
    layout: &Layout,
    manifests: &Manifests,
) -> Result<Round> {
    branch.take_charge().await?;
    let version = branch.refresh().await?;
    let oldest = branch.readers.lock().oldest_version(&version);
    let unread = |unlinked_at: ManifestVersion| unlinked_at <= oldest;
    let (ready, held): (Vec<_>, Vec<_>) =
        version.garbage.iter().partition(|(_, g)| unread(g.unlinked_at));
    let mut round = Round { deleted: 0, held: held.len() as u64 };
    if ready.is_empty() {
        return Ok(round);
    }
    // The second look: the other branches, then this one again, from the store.
    let reachable = Reachable::with((*version).clone(), manifests).await?;
    #[cfg(feature = "planted")]
    let reachable = match branch.has(crate::Planted::ForgetBranches) {
        true => Reachable { versions: vec![(*version).clone()] },
        false => reachable,
    };
    let needed = reachable.needed();
    let own = branch.refresh().await?;
    if !branch.is_owner_in(&own) {
        return Ok(Round::default());
    }
    let mut gone: Vec<ObjectId> = Vec::new();
    let mut ready_now = Vec::new();
    for (id, garbage) in ready {
        if !own.garbage.contains_key(id) || ready_now.len() == ROUND_MAX {
            continue;
        }
        match reachable.fate(&own, &needed, *id) {
            Fate::Delete => ready_now.push((*id, *garbage)),
            Fate::Forget => gone.push(*id),
            Fate::Keep => round.held += 1,
        }
    }
    let ready = ready_now;
    let kinds = ready.iter().flat_map(|(id, garbage)| {
        let column = garbage.has_column.then_some((*id, ObjectKind::Column));
        std::iter::once((*id, ObjectKind::Sst)).chain(column)
    });
    round.deleted = delete(store, layout, kinds).await?;
    gone.extend(ready.into_iter().map(|(id, _)| id));
    branch
        .commit(|version| {
            let left: Vec<_> =
                gone.iter().filter(|id| version.garbage.contains_key(id)).copied().collect();
            let edit = Edit::ForgetGarbage { objects: left.clone() };
            Ok((!left.is_empty()).then(|| vec![edit]))
        })
        .await?;
    Ok(round)
}

/// Files that range deletions hide from every reader, by space.
pub(crate) fn hidden_files(version: &Version) -> Vec<Edit> {
    let busy = version.busy_inputs();
    let mut edits = Vec::new();
    for (id, space) in &version.spaces {
        let deletes: Vec<_> = space
            .files()
            .flat_map(|(_, f)| &f.widest)
            .filter(|d| d.seq <= version.watermark.seq)
            .collect();
        if deletes.is_empty() {
            continue;
        }
        let hidden = |f: &&Arc<firn_engine::manifest::SstMeta>| {
            !busy.contains(&f.id)
                && deletes.iter().any(|d| d.seq > f.seq_max && d.range.covers(&f.range))
        };
        let files: Vec<_> = space.files().map(|(_, f)| f).filter(hidden).map(|f| f.id).collect();
        if !files.is_empty() {
            edits.push(Edit::Unlink { space: *id, files });
        }
    }
    edits
}
