//! What a storage service does by itself, now and then.

use std::collections::BTreeMap;
use std::time::Duration;

use firn_engine::{BranchName, Instant, Result};

use crate::branch::Branch;
use crate::gc;
use crate::service::StorageService;

/// Between two rounds.
pub(crate) const UPKEEP: Duration = Duration::from_secs(5);

/// Between two rounds over a branch's garbage.
const COLLECT: Duration = Duration::from_secs(30);

/// Between two looks for orphans.
const ORPHANS: Duration = Duration::from_secs(3600);

/// Between two looks at what other owners have committed, while this one commits nothing.
const FOLLOW: Duration = Duration::from_secs(10);

impl StorageService {
    pub(crate) async fn upkeep(&self, due: &mut Due) {
        let now = self.env.now();
        let (follow, collect) = (due.is(Chore::Follow, now), due.is(Chore::Collect, now));
        if due.is(Chore::Orphans, now) {
            match self.delete_orphans().await {
                Ok(0) => {}
                Ok(deleted) => tracing::info!(deleted, "deleted orphans"),
                Err(error) => tracing::warn!(%error, "orphans were not looked for"),
            }
        }
        // One that was taken over by another service is forgotten until it is looked at again.
        if follow
            && self.branches.lock().await.is_empty()
            && let Err(error) = self.learn_branches().await
        {
            tracing::warn!(%error, "branches were not looked for");
        }
        let branches: Vec<_> = self.branches.lock().await.values().cloned().collect();
        for branch in branches {
            if let Err(error) = self.upkeep_of(&branch, due, follow, collect).await {
                tracing::warn!(branch = %branch.name, %error, "upkeep failed and will be tried again");
            }
        }
        self.measure_depth().await;
        self.work.notify_waiters();
    }

    /// Takes in what others have committed.
    pub(crate) async fn look(&self) {
        let branches: Vec<_> = self.branches.lock().await.values().cloned().collect();
        for branch in branches {
            if let Err(error) = branch.refresh().await {
                tracing::warn!(branch = %branch.name, %error, "the newest version was not read");
            }
        }
    }

    async fn upkeep_of(
        &self,
        branch: &Branch,
        due: &mut Due,
        follow: bool,
        collect: bool,
    ) -> Result<()> {
        if branch.is_replaced() {
            return Ok(());
        }
        let now = self.env.now();
        let known = branch.version().number.0;
        let quiet = due.seen.insert(branch.name.clone(), known) == Some(known);
        let version = if quiet && follow { branch.refresh().await? } else { branch.version() };
        let silent = branch.readers.lock().expire(now);
        for holder in &silent {
            tracing::warn!(branch = %branch.name, holder, "a reader fell silent; its lease has ended");
        }
        if !silent.is_empty() && branch.is_owner_in(&version) {
            self.store_leases(branch).await?;
        }
        branch.leases.lock().reconcile(&version, now);
        let silent = branch.leases.lock().silent(now);
        for lease in silent {
            let why = "its worker fell silent".to_owned();
            self.give_back(branch, lease, Some(why)).await?;
        }
        self.unlink_hidden(branch).await?;
        if collect && !branch.version().garbage.is_empty() {
            self.advance(branch).await?;
            let round = gc::collect(branch, &*self.store, &self.layout, &self.manifests).await?;
            tracing::debug!(branch = %branch.name, ?round, "collected garbage");
        }
        if collect && !version.children.is_empty() {
            self.look_after_children(branch).await?;
        }
        if self.forget_dropped(branch).await? {
            self.branches.lock().await.remove(&branch.name);
        }
        if collect && !quiet {
            self.manifests.delete_old(&branch.version()).await?;
        }
        Ok(())
    }

    pub(crate) async fn unlink_hidden(&self, branch: &Branch) -> Result<()> {
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
}

/// What is done now and then.
#[derive(Debug, Clone, Copy)]
enum Chore {
    Follow,
    Collect,
    Orphans,
}

/// When chores were last done.
pub(crate) struct Due {
    last: [Instant; 3],
    /// The version of each branch at the last round.
    seen: BTreeMap<BranchName, u64>,
}

impl Due {
    pub(crate) fn new(now: Instant) -> Self {
        Self { last: [now; 3], seen: BTreeMap::new() }
    }

    /// Whether a chore is due; if so, it counts as done now.
    fn is(&mut self, chore: Chore, now: Instant) -> bool {
        let every = match chore {
            Chore::Follow => FOLLOW,
            Chore::Collect => COLLECT,
            Chore::Orphans => ORPHANS,
        };
        let last = &mut self.last[chore as usize];
        let due = now.since(*last) >= every;
        if due {
            *last = now;
        }
        due
    }
}
