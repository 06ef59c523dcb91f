//! The branches of a run: which there are, where they begin, and what is in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use firn_engine::storage::NewBranch;
use firn_engine::{BranchName, Seq};
use parking_lot::Mutex;

use super::ledger::{Beginning, Ledger, SharedLedger};
use super::verdict::Verdict;

/// What has become of a branch, as far as who asked for it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was asked for; nobody knows what became of that.
    Asked,
    There,
    /// It was asked to be dropped.
    Dropping,
    Dropped,
}

/// A branch beside `main`.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) new: NewBranch,
    pub(crate) parent: SharedLedger,
    /// Where the snapshot is that it is made of, if it is.
    pub(crate) snapshot: Option<Seq>,
    pub(crate) ledger: SharedLedger,
    pub(crate) fate: Fate,
    /// Somebody was told that it is there.
    pub(crate) is_known: bool,
    /// Who serves it may lose it.
    pub(crate) dropping: Arc<AtomicBool>,
}

/// All of them. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Forest {
    verdict: Verdict,
    main: SharedLedger,
    trees: Arc<Mutex<Vec<Tree>>>,
}

impl Forest {
    pub(crate) fn new(verdict: &Verdict, main: &SharedLedger) -> Self {
        Self { verdict: verdict.clone(), main: Arc::clone(main), trees: Arc::default() }
    }

    pub(crate) fn trees(&self) -> Vec<Tree> {
        self.trees.lock().clone()
    }

    /// Those of which it is known that they are there.
    pub(crate) fn standing(&self) -> Vec<Tree> {
        self.trees().into_iter().filter(|tree| tree.fate == Fate::There).collect()
    }

    pub(crate) fn fate(&self, name: &BranchName) -> Option<Fate> {
        self.trees.lock().iter().find(|tree| tree.new.name == *name).map(|tree| tree.fate)
    }

    /// What no branch was called yet.
    pub(crate) fn fresh_name(&self) -> BranchName {
        let number = self.trees.lock().len() + 1;
        BranchName::new(&format!("b{number}")).expect("a good name")
    }

    /// Branches that were dropped, and after which none was asked for that is called the same.
    pub(crate) fn fallen(&self) -> Vec<BranchName> {
        let trees = self.trees.lock();
        let last = |tree: &&Tree| {
            let next = tree.new.name.following();
            trees.iter().all(|other| other.new.name != next)
        };
        let fallen = trees.iter().filter(|tree| tree.fate == Fate::Dropped).filter(last);
        fallen.map(|tree| tree.new.name.clone()).collect()
    }

    /// The ledger of a branch.
    pub(crate) fn ledger(&self, name: &BranchName) -> Option<SharedLedger> {
        if *name == BranchName::main() {
            return Some(Arc::clone(&self.main));
        }
        let trees = self.trees.lock();
        trees.iter().find(|tree| tree.new.name == *name).map(|tree| Arc::clone(&tree.ledger))
    }

    /// A branch is about to be asked for.
    pub(crate) fn asked(&self, new: &NewBranch, parent: &SharedLedger, snapshot: Option<Seq>) {
        let mut trees = self.trees.lock();
        let name = new.name.to_string();
        let ledger = Ledger::new(&self.verdict, &name, trees.len() as u64 + 1);
        trees.push(Tree {
            new: new.clone(),
            parent: Arc::clone(parent),
            snapshot,
            ledger: Arc::new(Mutex::new(ledger)),
            fate: Fate::Asked,
            is_known: false,
            dropping: Arc::default(),
        });
    }

    fn with(&self, name: &BranchName, change: impl FnOnce(&mut Tree)) {
        if let Some(tree) = self.trees.lock().iter_mut().find(|tree| tree.new.name == *name) {
            change(tree);
        }
    }

    /// It is there, and begins at `seq`.
    pub(crate) fn made(&self, name: &BranchName, seq: Seq) {
        self.with(name, |tree| {
            if tree.fate != Fate::Asked {
                return;
            }
            tree.fate = Fate::There;
            tree.is_known = true;
            let snapshot = tree.snapshot.unwrap_or(seq);
            self.verdict.check(seq == snapshot, || {
                format!("{name:?} begins at {seq}, and its snapshot is at {snapshot}")
            });
            let parent = Arc::clone(&tree.parent);
            tree.ledger.lock().begin_at(Beginning { parent, seq });
        });
    }

    /// It is about to be dropped: who serves it is told nothing.
    pub(crate) fn dropping(&self, name: &BranchName) {
        self.with(name, |tree| {
            tree.fate = Fate::Dropping;
            tree.dropping.store(true, Ordering::Relaxed);
        });
    }

    /// It was not dropped, as another branch was made of it before.
    pub(crate) fn stays(&self, name: &BranchName) {
        self.with(name, |tree| tree.fate = Fate::There);
    }

    /// Whether branches were asked for that come from this one, and are not known to be gone.
    pub(crate) fn has_branches(&self, name: &BranchName) -> bool {
        let trees = self.trees.lock();
        trees.iter().any(|tree| tree.new.parent == *name && tree.fate != Fate::Dropped)
    }

    pub(crate) fn dropped(&self, name: &BranchName) {
        self.with(name, |tree| tree.fate = Fate::Dropped);
    }
}
