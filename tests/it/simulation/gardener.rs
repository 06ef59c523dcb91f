//! A process that makes branches, serves them, and drops them, as an operator and the
//! engines of branches do. What is asked for may be given up at any moment, asked again, and
//! forgotten by a crash.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use firn_engine::manifest::{BranchState, Version};
use firn_engine::storage::{BranchAt, BranchInfo, Branches, Found, NewBranch, Storage};
use firn_engine::{BranchName, Error, ErrorKind, Result, Seq};
use firn_services::clients::RemoteStorage;

use super::compute::Compute;
use super::forest::{Fate, Forest, Tree};
use super::ledger::SharedLedger;

/// Branches at a time, beside `main`.
const BRANCHES_MAX: usize = 3;
/// In all of a run.
const BRANCHES_ALL: usize = 12;
/// How often something is asked for before that is given up.
const TRIES: usize = 6;
/// How long the writer may take to put what is committed into files.
const FLUSH_MAX: Duration = Duration::from_secs(20);

/// See the module.
pub(crate) struct Gardener {
    /// What a branch is served with, but for its name and its ledger.
    pub(crate) compute: Compute,
    pub(crate) storage: Arc<RemoteStorage>,
    pub(crate) forest: Forest,
    /// How long it rests between two of its works, at most, in milliseconds.
    pub(crate) rest_ms_max: u64,
}

/// What can be refused with good reason: the seq or the snapshot may not be kept any more,
/// or not be in files yet.
fn may_be_refused(error: &Error) -> bool {
    let why = error.to_string();
    error.kind() == ErrorKind::BadRequest
        && ["or later is kept", "it is in files up to", "has no snapshot"]
            .iter()
            .any(|reason| why.contains(reason))
}

impl Gardener {
    fn below(&self, bound: u64) -> u64 {
        self.compute.env.random_u64() % bound
    }

    fn is_stopping(&self) -> bool {
        self.compute.stopping.load(Ordering::Relaxed)
    }

    /// Until the process ends, or is told to stop.
    pub(crate) async fn run(mut self) {
        while !self.is_stopping() {
            let rest = Duration::from_millis(self.below(self.rest_ms_max));
            self.compute.env.sleep(rest).await;
            match self.below(10) {
                _ if self.is_stopping() => return,
                0..4 => self.make().await,
                4 | 5 => self.drop_one().await,
                _ => self.serve_one().await,
            }
        }
    }

    fn one_of(&self, trees: &[Tree]) -> Option<Tree> {
        let at = self.below(trees.len().max(1) as u64);
        trees.get(usize::try_from(at).unwrap_or(0)).cloned()
    }

    /// A call that is given up after a while, though it may take effect later all the same.
    async fn hurried<T>(&self, call: impl Future<Output = Result<T>>) -> Option<Result<T>> {
        let patience = Duration::from_millis(self.below(8000));
        self.compute.env.timeout(patience, call).await
    }

    async fn serve_one(&mut self) {
        let Some(tree) = self.one_of(&self.forest.standing()) else { return };
        // Also by what it is called: others that were called so are gone.
        let called = tree.new.name.called();
        self.compute.options.branch =
            if self.below(2) == 0 { called } else { tree.new.name.clone() };
        self.compute.ledger = Arc::clone(&tree.ledger);
        self.compute.dropping = Arc::clone(&tree.dropping);
        self.compute.serve().await;
    }

    /// What comes of asking for everything that is committed to be put into files.
    async fn head(&self, parent: &BranchName, ledger: &SharedLedger) -> Result<Option<Seq>> {
        let told = ledger.lock().last_seq();
        let wanted = self.storage.want_flush(parent).await?.flush_wanted;
        let until = self.compute.env.now().after(FLUSH_MAX);
        while self.compute.env.now() < until && !self.is_stopping() {
            let newest = self.storage.newest_version(parent).await?;
            if newest.flush_answered >= wanted {
                let flushed = newest.flushed_seq;
                self.compute.verdict.check(flushed >= told, || {
                    format!("{parent:?}: {told} was committed before a flush up to {flushed}")
                });
                return Ok(Some(flushed));
            }
            self.compute.env.sleep(Duration::from_millis(500)).await;
        }
        Ok(None)
    }

    /// Where a branch of `parent` is to begin; with the seq of the snapshot, if it is one.
    async fn point(
        &self,
        parent: &BranchName,
        ledger: &SharedLedger,
    ) -> Result<Option<(BranchAt, Option<Seq>)>> {
        let checkpoint = ledger.lock().checkpoints.last().cloned();
        match (self.below(3), checkpoint) {
            (0, _) => {
                let head = self.head(parent, ledger).await?;
                Ok(head.map(|seq| (BranchAt::Seq(seq), None)))
            }
            (1, Some((name, seq, _))) => Ok(Some((BranchAt::Snapshot(name), Some(seq)))),
            // Of the past, kept or not.
            (1, None) => Ok(self.past(ledger)),
            _ => {
                let newest = self.storage.newest_version(parent).await?;
                Ok(self.kept(ledger, &newest).or_else(|| self.past(ledger)))
            }
        }
    }

    fn past(&self, ledger: &SharedLedger) -> Option<(BranchAt, Option<Seq>)> {
        let seq = ledger.lock().past_seq(self.compute.env.random_u64())?;
        Some((BranchAt::Seq(seq), None))
    }

    /// Of the past that is kept and in files.
    fn kept(&self, ledger: &SharedLedger, version: &Version) -> Option<(BranchAt, Option<Seq>)> {
        let from = version.watermark.seq.max(ledger.lock().base().0);
        let span = version.flushed_seq.0.checked_sub(from.0)?;
        Some((BranchAt::Seq(Seq(from.0 + self.below(span + 1))), None))
    }

    async fn make(&self) {
        let (standing, trees) = (self.forest.standing(), self.forest.trees());
        let main = BranchName::main();
        let of_main = self.forest.ledger(&main).expect("main has a ledger");
        if of_main.lock().openings == 0 {
            return;
        }
        if standing.len() >= BRANCHES_MAX || trees.len() >= BRANCHES_ALL {
            return;
        }
        // One whose making was begun by a life before this one.
        let begun: Vec<_> = trees.into_iter().filter(|t| t.fate == Fate::Asked).collect();
        if let Some(tree) = self.one_of(&begun)
            && self.below(2) == 0
        {
            return self.ask_for(&tree.new).await;
        }
        let begun: Vec<_> =
            standing.into_iter().filter(|tree| tree.ledger.lock().has_begun()).collect();
        let (parent, ledger) = match self.one_of(&begun) {
            Some(tree) if self.below(4) == 0 => (tree.new.name.clone(), tree.ledger),
            _ => (main, of_main),
        };
        let (at, snapshot) = match self.point(&parent, &ledger).await {
            Ok(Some(point)) => point,
            Ok(None) => return,
            Err(error) => return self.excuse(&parent, "looking where to begin", &error),
        };
        let name = match self.name().await {
            Ok(name) => name,
            Err(error) => return self.excuse(&parent, "looking for a name", &error),
        };
        let branch_uid = self.compute.env.random_u64().max(1);
        let new = NewBranch { parent, name, branch_uid, at };
        self.forest.asked(&new, &ledger, snapshot);
        self.ask_for(&new).await;
    }

    /// A name for a branch: one that none had, or the next of one that was dropped.
    async fn name(&self) -> Result<BranchName> {
        let fallen = self.forest.fallen();
        if fallen.is_empty() || self.below(3) == 0 {
            return Ok(self.forest.fresh_name());
        }
        let last = fallen[self.below(fallen.len() as u64) as usize].clone();
        let found = self.storage.find(&last.called()).await?;
        let right = found == Some(Found { name: last.clone(), state: BranchState::Dropped });
        self.compute.verdict.check(right, || format!("{found:?} is found, and {last:?} was last"));
        Ok(last.following())
    }

    fn excuse(&self, branch: &BranchName, doing: &str, error: &Error) {
        // Its parent, or it, is being dropped.
        let going = matches!(self.forest.fate(branch), Some(Fate::Dropping | Fate::Dropped));
        let explained = is_passing(error) || going || may_be_refused(error);
        self.compute.verdict.check(explained, || format!("{branch:?}: {doing}: {error:?}"));
    }

    /// A branch is asked for by one, and dropped by another who does not know how far it is.
    async fn make_and_drop(&self, tree: &Tree) {
        let (compute, storage) = (&self.compute, &self.storage);
        let make = self.hurried(storage.create_branch(tree.new.clone()));
        let end = async {
            let after = Duration::from_millis(self.below(2000));
            compute.env.sleep(after).await;
            drop_branch(compute, storage, &self.forest, tree, true).await
        };
        let (made, _ended) = futures::join!(make, end);
        if let Some(Err(error)) = made {
            let explained = is_passing(&error) || error.kind() == ErrorKind::BadRequest;
            let what = || format!("{:?}: making what is dropped: {error:?}", tree.new.name);
            compute.verdict.check(explained, what);
        }
    }

    async fn ask_for(&self, new: &NewBranch) {
        let trees = self.forest.trees();
        if self.below(5) == 0
            && let Some(tree) = trees.iter().find(|tree| tree.new == *new)
        {
            return self.make_and_drop(tree).await;
        }
        for _ in 0..TRIES {
            match self.hurried(self.storage.create_branch(new.clone())).await {
                Some(Ok(info)) => return self.made(new, &info),
                Some(Err(error)) => {
                    self.excuse(&new.parent, "making a branch", &error);
                    if error.kind() == ErrorKind::BadRequest {
                        // An earlier request may be on its way still.
                        return;
                    }
                }
                None if self.below(6) == 0 => return,
                None => {}
            }
        }
    }

    fn made(&self, new: &NewBranch, info: &BranchInfo) {
        let origin = info.origin.as_ref().map(|origin| (&origin.branch, origin.seq));
        let right = match (&new.at, origin) {
            (BranchAt::Seq(seq), Some((parent, begins))) => *parent == new.parent && *seq == begins,
            (BranchAt::Snapshot(_), Some((parent, _))) => *parent == new.parent,
            (_, None) => false,
        };
        let right = right && info.name == new.name && info.state == BranchState::Created;
        self.compute.verdict.check(right, || format!("{info:?} was made for {new:?}"));
        if let Some((_, seq)) = origin {
            self.forest.made(&new.name, seq);
        }
    }

    async fn drop_one(&self) {
        let trees = self.forest.trees();
        let is_free =
            |tree: &Tree| tree.fate != Fate::Dropped && !self.forest.has_branches(&tree.new.name);
        let free: Vec<_> = trees.into_iter().filter(is_free).collect();
        if let Some(tree) = self.one_of(&free) {
            let _ended = drop_branch(&self.compute, &self.storage, &self.forest, &tree, true).await;
        }
    }
}

/// Asks for the end of a branch, and sees that it has come; true if it is known to have.
pub(crate) async fn drop_branch(
    compute: &Compute,
    storage: &RemoteStorage,
    forest: &Forest,
    tree: &Tree,
    hurried: bool,
) -> bool {
    let name = &tree.new.name;
    forest.dropping(name);
    let mut told = false;
    for _ in 0..TRIES {
        let patience = match hurried {
            true => Duration::from_millis(compute.env.random_u64() % 8000),
            false => Duration::from_secs(100),
        };
        match compute.env.timeout(patience, storage.drop_branch(name, true)).await {
            Some(Ok(())) => told = true,
            // Nobody has made it, and somebody may still.
            Some(Err(e)) if !tree.is_known && e.to_string().ends_with("does not exist") => {
                return false;
            }
            // Another asked for a branch of it after this one had looked.
            Some(Err(e)) if e.to_string().contains("branches, such as") => {
                let told = forest.has_branches(name);
                compute.verdict.check(told, || format!("dropping {name:?}: {e:?}"));
                return false;
            }
            Some(Err(error)) => {
                let explained = is_passing(&error);
                compute.verdict.check(explained, || format!("dropping {name:?}: {error:?}"));
            }
            None => {}
        }
        if told || (hurried && compute.stopping.load(Ordering::Relaxed)) {
            break;
        }
    }
    if !told {
        return false;
    }
    let right = match storage.claim(name, "nobody").await {
        Ok(_) => Err("it was claimed".to_owned()),
        Err(e) if e.to_string().ends_with("was dropped") || is_passing(&e) => Ok(()),
        Err(e) => Err(format!("claiming it: {e:?}")),
    };
    compute.verdict.check(right.is_ok(), || format!("{name:?} was dropped, but {right:?}"));
    forest.dropped(name);
    // Who asks may end the log; otherwise the storage service does it in time.
    if compute.env.random_u64().is_multiple_of(2)
        && let Err(error) = end_log(compute, storage, name).await
    {
        let explained = is_passing(&error) || error.kind() == ErrorKind::OutcomeUnknown;
        compute.verdict.check(explained, || format!("ending the log of {name:?}: {error:?}"));
    }
    true
}

/// What faults explain.
fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Retry | ErrorKind::Fenced)
}

/// So that what nobody reads any more keeps no raft log.
async fn end_log(compute: &Compute, storage: &RemoteStorage, name: &BranchName) -> Result<()> {
    let epoch = storage.newest_version(name).await?.epoch;
    let log = compute.parts.journal.open(name, epoch).await?;
    log.trim(Seq::MAX).await
}
