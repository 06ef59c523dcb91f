//! How a branch is made from another, and how it ends.
//!
//! A branch begins as a manifest that names its parent's files: nothing is copied. Between
//! the moment when these files are looked up and the moment when the new manifest is stored,
//! the parent may merge them away and garbage collection delete them. Hence the order.
//!
//! # Making
//!
//! 1. *pin*: a commit of the **parent** names the branch, its number and the seq, state
//!    `Pinned`. It is refused if that seq is not in files, or not kept any more. From this
//!    version on the parent's watermark stays at or below the seq, and no garbage is deleted
//!    that this version or a later one named.
//! 2. *create*: the branch's version 1 is created, as the newest known version of the parent
//!    at or after the pin, cut at the seq ([`Version::fork`]). That may be created once.
//! 3. *mark*: a commit of the parent sets the state `Created`, which ends what 1 kept: from
//!    here on the branch's own manifest says what it needs, and garbage collection of every
//!    branch reads it (see `gc`). It finds it through the parent's list of branches, which
//!    is read with the parent, and not only through a list of the store.
//!
//! Creating before pinning loses data: the parent's owner may have looked for branches just
//! before, find none, and delete a file that the new manifest names. So would marking before
//! creating: what the pin kept is deleted while the manifest that needs it is on its way.
//!
//! A crash after 1 leaves a pin: it keeps old versions and objects, and nothing else. The
//! same request, recognised by the branch's number, goes on from there, from the newest
//! version then, which the pin has kept complete; so does a retry after a lost reply.
//! Dropping the branch takes the pin away. A crash after 2 leaves a branch that works and a
//! pin that is not needed: upkeep of the parent marks it. Cancelling is like a crash.
//! Of two requests for one name the parent's manifest accepts one; under two parents the
//! first to create version 1 wins, and the other takes its pin away again.
//!
//! # Ending
//!
//! 1. *drop*: a commit of the branch turns everything it named into garbage and raises its
//!    epoch: its writer is refused from now on. It is refused while the branch has branches
//!    of its own, since those are found through it. One that was pinned and never created is
//!    created as a dropped one: who is late with making it finds the name taken.
//! 2. *mark*: a commit of the parent sets the state `Dropped`, so that whoever looks after
//!    the parent collects the branch's garbage, as that of any branch.
//! 3. *end the log*: the branch's journal and its archive go (`logs`).
//! 4. *forget*: when no garbage is left the parent forgets the branch.
//!
//! Forgetting before the garbage is gone would hide a manifest that still names objects for
//! its readers. A crash between any two steps is mended by dropping again, or by upkeep.
//! A request to make the branch that arrives after 4 pins it once more, finds that it was
//! dropped, and marks it so: upkeep forgets it again.
//!
//! # Names
//!
//! The manifest of a dropped branch stays, empty, and its name is never used again: a paused
//! owner's next version would otherwise appear in the new branch's line of versions, the old
//! journal's records in its log, and a request to make or drop the old branch that arrives
//! late would do that to the new one.
//!
//! What people call a branch is used again: the next that is called `dev` is named `dev.2`,
//! and is made like any other. Whoever makes one looks for the last of that name
//! ([`Branches::find`]) and asks for the name that follows, so that asking again is the same
//! request. It is refused unless the one before has been dropped, which stays true: of all
//! that are called the same only the last can be there, however old a caller's view is.
//! Whoever opens a branch for writing by the name of one that was dropped gets the last;
//! everybody else says which one is meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::manifest::{BranchPoint, BranchState, Edit, Origin, Version};
use firn_engine::storage::{BranchAt, BranchInfo, Branches, Found, NewBranch};
use firn_engine::{BranchName, Context, Error, ErrorKind, ManifestVersion, Result, Seq};

use crate::branch::Branch;
use crate::gc::Reachable;
use crate::service::StorageService;

fn bad_request(why: String) -> Error {
    Error::new(ErrorKind::BadRequest, why)
}

/// Why a name cannot be taken that a branch has, or had.
fn taken(name: &BranchName, dropped: bool) -> Error {
    bad_request(match dropped {
        true => format!("{name:?} was dropped: the next is {}", name.following()),
        false => format!("{name:?} exists already"),
    })
}

/// Where `new` begins, as `parent` has it.
pub(crate) fn seq_of(parent: &Version, at: &BranchAt) -> Result<Seq> {
    match at {
        BranchAt::Seq(seq) => Ok(*seq),
        BranchAt::Snapshot(name) => match parent.snapshots.get(name) {
            Some(snapshot) => Ok(snapshot.seq),
            None => Err(bad_request(format!("{:?} has no snapshot {name:?}", parent.branch))),
        },
    }
}

fn info(version: &Version) -> BranchInfo {
    BranchInfo {
        name: version.branch.clone(),
        origin: version.origin.clone(),
        flushed_seq: version.flushed_seq,
        writer: version.writer.clone(),
        files: version.files().count() as u64,
        state: if version.dropped { BranchState::Dropped } else { BranchState::Created },
    }
}

/// A branch that was dropped before it was made.
fn never_made(parent: &Version, name: &BranchName, point: &BranchPoint) -> Version {
    Version {
        number: ManifestVersion(1),
        branch_uid: point.branch_uid,
        origin: Some(origin(parent, point)),
        dropped: true,
        ..Version::empty(name.clone())
    }
}

fn origin(parent: &Version, point: &BranchPoint) -> Origin {
    Origin {
        branch: parent.branch.clone(),
        branch_uid: parent.branch_uid,
        seq: point.seq,
        created_unix_ms: point.created_unix_ms,
    }
}

impl StorageService {
    /// Step 1 of making: the parent's newest version, in which the branch is.
    async fn pin(&self, parent: &Branch, new: &NewBranch) -> Result<Arc<Version>> {
        let created_unix_ms = self.env.unix_ms();
        let pin = |version: &Version| {
            match version.children.get(&new.name) {
                // An earlier try.
                Some(point) if point.branch_uid == new.branch_uid => return Ok(None),
                Some(point) if point.state == BranchState::Pinned => {
                    return Err(bad_request(format!(
                        "{:?} is being made, or that was given up: drop it first",
                        new.name
                    )));
                }
                Some(point) => return Err(taken(&new.name, point.state == BranchState::Dropped)),
                None => {}
            }
            let point = BranchPoint {
                branch_uid: new.branch_uid,
                seq: seq_of(version, &new.at)?,
                version: version.number,
                created_unix_ms,
                state: BranchState::Pinned,
            };
            Ok(Some(vec![Edit::PinBranch { name: new.name.clone(), point }]))
        };
        parent.commit_as_anyone(pin).await
    }

    /// A branch that this service need not look after because of what is done to it now.
    async fn beside(&self, name: &BranchName) -> Result<Arc<Branch>> {
        let known = self.branches.lock().await.get(name).cloned();
        match known {
            Some(branch) => Ok(branch),
            None => match self.manifests.newest(name).await? {
                Some(version) => Ok(self.follow(version)),
                None => Err(bad_request(format!("{name:?} does not exist"))),
            },
        }
    }

    /// The branch `name`, or the last that is called so if that one was dropped.
    pub(crate) async fn called(&self, name: &BranchName) -> Result<Arc<Branch>> {
        let mut branches = self.branches.lock().await;
        let branch = match branches.get(name) {
            Some(branch) => Arc::clone(branch),
            None => {
                let Some(version) = self.manifests.newest(name).await? else {
                    return Err(bad_request(format!("{name:?} does not exist")));
                };
                let branch = self.follow(version);
                // One that is gone is looked after by who looks after its parent.
                if !branch.version().dropped {
                    branches.insert(name.clone(), Arc::clone(&branch));
                }
                branch
            }
        };
        drop(branches);
        if !branch.version().dropped {
            return Ok(branch);
        }
        match self.manifests.last_called(name).await? {
            Some(last) if last.branch != *name => self.branch(&last.branch).await,
            _ => Ok(branch),
        }
    }

    /// Of those that are called the same only the last is not dropped.
    async fn check_before(&self, name: &BranchName) -> Result<()> {
        let Some(before) = name.preceding() else { return Ok(()) };
        match self.manifests.newest_or_end(&before).await? {
            Some(version) if version.dropped => Ok(()),
            Some(_) => Err(bad_request(format!("{before:?} exists: {name} comes after it"))),
            None => Err(bad_request(format!("{before:?} never existed: {name} comes after it"))),
        }
    }

    async fn mark(
        &self,
        parent: &Branch,
        name: &BranchName,
        branch_uid: u64,
        state: BranchState,
    ) -> Result<()> {
        let mark = |version: &Version| {
            let of = |point: &&BranchPoint| point.branch_uid == branch_uid && point.state != state;
            // What is dropped stays so.
            let known = version.children.get(name).filter(of);
            let known = known.filter(|point| point.state != BranchState::Dropped);
            let edit = Edit::MarkBranch { name: name.clone(), branch_uid, state };
            Ok(known.map(|_| vec![edit]))
        };
        parent.commit_as_anyone(mark).await.map(drop)
    }

    async fn forget(&self, parent: &Branch, name: &BranchName, branch_uid: u64) -> Result<()> {
        let forget = |version: &Version| {
            let known = version.children.get(name).filter(|p| p.branch_uid == branch_uid);
            let edit = Edit::ForgetBranch { name: name.clone(), branch_uid };
            Ok(known.map(|_| vec![edit]))
        };
        parent.commit_as_anyone(forget).await.map(drop)
    }

    /// Ends what was pinned under `parent` and never created.
    async fn drop_pinned(&self, name: &BranchName) -> Result<bool> {
        for version in Reachable::read(&self.manifests).await?.versions() {
            let Some(point) = version.children.get(name) else { continue };
            #[cfg(feature = "planted")]
            if self.forgets_pins() {
                let parent = self.branch(&version.branch).await?;
                self.forget(&parent, name, point.branch_uid).await?;
                return Ok(true);
            }
            if self.manifests.begin(&never_made(version, name, point)).await? {
                let parent = self.branch(&version.branch).await?;
                self.forget(&parent, name, point.branch_uid).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Upkeep of a branch's branches: what a crash has left half done is done.
    pub(crate) async fn look_after_children(&self, parent: &Branch) -> Result<()> {
        let version = parent.version();
        for (name, point) in &version.children {
            match point.state {
                BranchState::Created => {}
                BranchState::Pinned => {
                    let made = self.manifests.newest(name).await?;
                    let made = made.filter(|made| made.branch_uid == point.branch_uid);
                    if let Some(made) = made {
                        self.mark(parent, name, point.branch_uid, info(&made).state).await?;
                    }
                }
                // Known from here on: its garbage is collected with that of all others.
                BranchState::Dropped => drop(self.branch(name).await?),
            }
        }
        Ok(())
    }

    /// Steps 3 and 4 of ending, once nothing is left; true if that is so.
    pub(crate) async fn forget_dropped(&self, branch: &Branch) -> Result<bool> {
        let version = branch.version();
        // Its own branches that were dropped are found through it.
        if !version.has_ended() {
            return Ok(false);
        }
        self.end_log(&version).await?;
        if let Some(origin) = &version.origin {
            let parent = self.beside(&origin.branch).await?;
            self.forget(&parent, &version.branch, version.branch_uid).await?;
        }
        Ok(true)
    }
}

#[async_trait]
impl Branches for StorageService {
    async fn list_branches(&self) -> Result<Vec<BranchInfo>> {
        let reachable = Reachable::read(&self.manifests).await?;
        let mut branches = BTreeMap::new();
        for version in reachable.versions() {
            for (name, point) in version.pinned() {
                let pinned = BranchInfo {
                    name: name.clone(),
                    origin: Some(origin(version, point)),
                    flushed_seq: point.seq,
                    writer: String::new(),
                    files: 0,
                    state: BranchState::Pinned,
                };
                branches.entry(name.clone()).or_insert(pinned);
            }
            // Of one that is gone only the name is left.
            if !version.dropped || !version.garbage.is_empty() {
                branches.insert(version.branch.clone(), info(version));
            }
        }
        Ok(branches.into_values().collect())
    }

    async fn find(&self, name: &BranchName) -> Result<Option<Found>> {
        let called = name.called();
        let reachable = Reachable::read(&self.manifests).await?;
        let mut last: Option<Found> = None;
        let mut add = |name: &BranchName, state| {
            let later = last.as_ref().is_none_or(|last| last.name.number() < name.number());
            if name.called() == called && later {
                last = Some(Found { name: name.clone(), state });
            }
        };
        for version in reachable.versions() {
            add(&version.branch, info(version).state);
        }
        for (name, _) in reachable.versions().iter().flat_map(Version::pinned) {
            // One that has a manifest is known by that.
            add(name, BranchState::Pinned);
        }
        Ok(last)
    }

    async fn create_branch(&self, new: NewBranch) -> Result<BranchInfo> {
        let what = || format!("creating {:?} from {:?}", new.name, new.parent);
        let made = async {
            self.check_before(&new.name).await?;
            let parent = self.branch(&new.parent).await?;
            if !parent.is_owner_in(&parent.version()) {
                parent.refresh().await?;
            }
            #[cfg(feature = "planted")]
            self.before_pin(&parent, &new).await;
            let pinned = self.pin(&parent, &new).await?;
            let Some(point) = pinned.children.get(&new.name).copied() else {
                return Err(Error::new(ErrorKind::Internal, "a branch that was pinned is not"));
            };
            if point.state == BranchState::Dropped {
                return Err(taken(&new.name, true));
            }
            let begun = pinned.fork(&new.name, &point);
            #[cfg(feature = "planted")]
            self.before_begin().await;
            let stored = match (point.state, begun) {
                (BranchState::Pinned, begun) => {
                    let begun = begun?;
                    self.manifests.begin(&begun).await?.then_some(begun)
                }
                _ => None,
            };
            let version = match stored {
                Some(begun) => begun,
                None => match self.manifests.newest(&new.name).await? {
                    Some(version) if version.branch_uid == new.branch_uid => version,
                    Some(other) => {
                        // It was made from another branch.
                        self.forget(&parent, &new.name, new.branch_uid).await?;
                        return Err(taken(&new.name, other.dropped));
                    }
                    None => {
                        let why = "its first version is there, and cannot be found";
                        return Err(Error::new(ErrorKind::Unavailable, why).retryable());
                    }
                },
            };
            if version.dropped {
                self.mark(&parent, &new.name, new.branch_uid, BranchState::Dropped).await?;
                return Err(taken(&new.name, true));
            }
            self.mark(&parent, &new.name, new.branch_uid, BranchState::Created).await?;
            Ok(info(&version))
        };
        made.await.context(what)
    }

    async fn drop_branch(&self, name: &BranchName, force: bool) -> Result<()> {
        let dropped = async {
            let branch = match self.find_branch(name).await? {
                Some(branch) => branch,
                None if self.drop_pinned(name).await? => return Ok(()),
                // Unless it was made meanwhile.
                None => self.branch(name).await?,
            };
            branch.refresh().await?;
            #[cfg(feature = "planted")]
            self.before_drop(&branch).await;
            let ended = branch
                .commit(|version| {
                    if version.dropped {
                        return Ok(None);
                    }
                    // What can never be is said first.
                    version.apply(&[Edit::DropBranch])?;
                    let writer = version.writer_lease();
                    if !force && branch.readers.lock().knows(&writer) {
                        return Err(bad_request(format!(
                            "{name:?} is being written by {writer}: end that first, or force it"
                        )));
                    }
                    Ok(Some(vec![Edit::DropBranch]))
                })
                .await?;
            if let Some(origin) = &ended.origin {
                let parent = self.branch(&origin.branch).await?;
                self.mark(&parent, name, ended.branch_uid, BranchState::Dropped).await?;
            }
            Ok(())
        };
        dropped.await.context(|| format!("dropping {name:?}"))
    }

    async fn want_flush(&self, branch: &BranchName) -> Result<Arc<Version>> {
        let branch = self.branch(branch).await?;
        let want = |_version: &Version| {
            let edits = vec![Edit::WantFlush];
            #[cfg(feature = "planted")]
            let edits = edits.into_iter().chain(self.answer_at_once(_version)).collect();
            Ok(Some(edits))
        };
        branch.commit_as_anyone(want).await
    }

    async fn newest_version(&self, branch: &BranchName) -> Result<Arc<Version>> {
        self.newest(branch).await
    }
}

#[cfg(test)]
mod measured;
#[cfg(test)]
mod tests;
