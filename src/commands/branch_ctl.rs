//! `firn ctl branch` and `firn ctl snapshot`: over the storage service, or, where there is
//! none, beside the running process on its object store.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::manifest::{BranchState, Version};
use firn_engine::storage::{BranchAt, BranchInfo, Branches, NewBranch, Storage};
use firn_engine::{BranchName, Context, Env, Error, ErrorKind, Journal, Result, Seq};
use firn_services::clients::RemoteStorage;
use firn_services::config::{Config, Location};
use firn_services::journal::{RemoteJournal, RemoteOptions};
use firn_services::rpc::peers::Peers;
use firn_storage::StorageService;
use serde::Serialize;

use super::ctl;
use crate::cli::{BranchWhat, SnapshotWhat};
use crate::store::Store;
use crate::table::TextTable;

/// How long the writer may take to put what is committed into files.
const FLUSH_MAX: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(100);

/// A branch, as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct BranchRow {
    branch: String,
    /// Where it comes from.
    from: Option<String>,
    at_seq: Option<u64>,
    created_unix_ms: Option<u64>,
    flushed_seq: u64,
    files: u64,
    /// `being made`, `open` or `dropped`.
    state: &'static str,
    /// Who wrote it last.
    writer: String,
}

/// A snapshot, as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct SnapshotRow {
    snapshot: String,
    branch: String,
    seq: u64,
    created_unix_ms: u64,
}

impl From<&BranchInfo> for BranchRow {
    fn from(info: &BranchInfo) -> Self {
        let origin = info.origin.as_ref();
        Self {
            branch: info.name.to_string(),
            from: origin.map(|origin| origin.branch.to_string()),
            at_seq: origin.map(|origin| origin.seq.0),
            created_unix_ms: origin.map(|origin| origin.created_unix_ms),
            flushed_seq: info.flushed_seq.0,
            files: info.files,
            state: match info.state {
                BranchState::Pinned => "being made",
                BranchState::Created => "open",
                BranchState::Dropped => "dropped",
            },
            writer: info.writer.clone(),
        }
    }
}

/// Whoever can make and end branches and snapshots.
struct Control<'a> {
    config: &'a Config,
    env: &'a Env,
    storage: Arc<dyn Storage>,
    branches: Arc<dyn Branches>,
    /// Each replica of the storage service by itself.
    replicas: Vec<Arc<RemoteStorage>>,
}

impl<'a> Control<'a> {
    async fn connect(config: &'a Config, env: &'a Env) -> Result<Self> {
        let addresses = &config.storage.addresses;
        if addresses.is_empty() {
            if config.location()? == Location::Memory {
                let why = "memory:// is the memory of another process: nothing can be done there";
                return Err(Error::new(ErrorKind::BadRequest, why));
            }
            let store = Store::open(config, env).await?;
            let name = format!("{} process {}", crate::host_name(), std::process::id());
            let here = StorageService::passive(env.clone(), &name, store.objects, store.layout);
            let (storage, branches) = (Arc::clone(&here) as _, here as _);
            return Ok(Self { config, env, storage, branches, replicas: Vec::new() });
        }
        let remote = |names: &[String]| {
            let peers = Peers::new(env.clone(), names, &config.rpc.trust())?;
            Ok::<_, Error>(RemoteStorage::new(env.clone(), peers))
        };
        let replicas = addresses.iter().map(|name| remote(std::slice::from_ref(name)));
        let replicas = replicas.collect::<Result<_>>()?;
        let all = remote(addresses)?;
        Ok(Self { config, env, storage: Arc::clone(&all) as _, branches: all, replicas })
    }

    /// Makes whoever is in charge of the branch see what was asked for in its manifest.
    async fn nudge(&self, branch: &BranchName) {
        if self.replicas.is_empty() {
            // Whose status is asked looks; one that does not run has nothing to flush.
            let _ = ctl::ask(self.config);
        }
        for replica in &self.replicas {
            // One that is away is not in charge, or its follower is asked next time.
            let look = replica.newest_version(branch);
            let _ = self.env.timeout(Duration::from_secs(1), look).await;
        }
    }

    /// The branch with everything in files that is committed now.
    async fn head(&self, branch: &BranchName) -> Result<Arc<Version>> {
        let written = |version: &Version| version.leases.contains_key(&version.writer_lease());
        let known = self.branches.newest_version(branch).await?;
        if known.dropped || !written(&known) {
            return Ok(known);
        }
        let wanted = self.branches.want_flush(branch).await?.flush_wanted;
        let begun = self.env.now();
        loop {
            self.nudge(branch).await;
            let newest = self.branches.newest_version(branch).await?;
            if newest.flush_answered >= wanted || !written(&newest) {
                return Ok(newest);
            }
            if self.env.now().since(begun) > FLUSH_MAX {
                let (writer, files) = (newest.writer_lease(), newest.flushed_seq);
                let why = format!(
                    "{branch:?}: its writer, {writer}, has not put its commits into files within \
                     {} s; --at {files} takes what is there",
                    FLUSH_MAX.as_secs()
                );
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
            self.env.sleep(ASK_EVERY).await;
        }
    }

    /// The seq that was asked for, or what is committed now; in files.
    async fn seq(&self, branch: &BranchName, at: Option<u64>) -> Result<Seq> {
        let Some(at) = at.map(Seq) else { return Ok(self.head(branch).await?.flushed_seq) };
        if self.branches.newest_version(branch).await?.flushed_seq < at {
            let head = self.head(branch).await?.flushed_seq;
            if head < at {
                let why = format!("{branch:?} at seq {at}: its last commit is {head}");
                return Err(Error::new(ErrorKind::BadRequest, why));
            }
        }
        Ok(at)
    }

    /// Empties the journal of a branch that was dropped, if it is elsewhere and can be asked.
    async fn empty_journal(&self, branch: &BranchName) -> Result<()> {
        let addresses = &self.config.journal.addresses;
        if addresses.is_empty() {
            return Ok(());
        }
        let epoch = self.branches.newest_version(branch).await?.epoch;
        let peers = Peers::new(self.env.clone(), addresses, &self.config.rpc.trust())?;
        let journal = RemoteJournal::new(self.env.clone(), peers, RemoteOptions::default());
        let log = journal.open(branch, epoch).await?;
        log.trim(log.bounds().last).await?;
        log.close().await
    }
}

/// What `firn ctl branch` does; the branches that it shows.
pub(super) async fn branch(
    config: &Config,
    what: &BranchWhat,
    env: &Env,
) -> Result<Vec<BranchRow>> {
    let control = Control::connect(config, env).await?;
    match what {
        BranchWhat::List => {
            let branches = control.branches.list_branches().await?;
            Ok(branches.iter().map(Into::into).collect())
        }
        BranchWhat::Create { name, at, snapshot } => {
            let (name, parent) = (BranchName::new(name)?, config.branch.clone());
            let at = match snapshot {
                Some(snapshot) => BranchAt::Snapshot(snapshot.clone()),
                None => BranchAt::Seq(control.seq(&parent, *at).await?),
            };
            let branch_uid = env.random_u64().max(1);
            let new = NewBranch { parent, name, branch_uid, at };
            Ok(vec![(&control.branches.create_branch(new).await?).into()])
        }
        BranchWhat::Drop { name, force } => {
            let name = BranchName::new(name)?;
            control.branches.drop_branch(&name, *force).await?;
            let emptied = control.empty_journal(&name).await;
            emptied.context(|| {
                format!("{name:?} is dropped, but its journal is not: drop it again")
            })?;
            Ok(Vec::new())
        }
    }
}

/// What `firn ctl snapshot` does; the snapshots that it shows.
pub(super) async fn snapshot(
    config: &Config,
    what: &SnapshotWhat,
    env: &Env,
) -> Result<Vec<SnapshotRow>> {
    let control = Control::connect(config, env).await?;
    let branch = &config.branch;
    match what {
        SnapshotWhat::List => {}
        SnapshotWhat::Create { name, at } => {
            let seq = control.seq(branch, *at).await?;
            let made = control.storage.create_snapshot(branch, name, seq).await;
            made.context(|| format!("creating a snapshot of {branch:?}"))?;
        }
        SnapshotWhat::Drop { name } => {
            let dropped = control.storage.drop_snapshot(branch, name).await;
            dropped.context(|| format!("dropping a snapshot of {branch:?}"))?;
            return Ok(Vec::new());
        }
    }
    let version = control.branches.newest_version(branch).await?;
    let shown = |name: &String| match what {
        SnapshotWhat::Create { name: made, .. } => name == made,
        _ => true,
    };
    let snapshots = version.snapshots.iter().filter(|(name, _)| shown(name));
    let row = |(name, snapshot): (&String, &firn_engine::manifest::SnapshotMeta)| SnapshotRow {
        snapshot: name.clone(),
        branch: branch.to_string(),
        seq: snapshot.seq.0,
        created_unix_ms: snapshot.created_unix_ms,
    };
    Ok(snapshots.map(row).collect())
}

/// `branches` as a table.
pub(super) fn branches_table(rows: &[BranchRow]) -> TextTable {
    let mut table =
        TextTable::new(&["branch", "from", ">at seq", ">files up to", ">files", "state", "writer"]);
    for row in rows {
        table.row(vec![
            row.branch.clone(),
            row.from.clone().unwrap_or_else(|| "-".to_owned()),
            row.at_seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string()),
            row.flushed_seq.to_string(),
            row.files.to_string(),
            row.state.to_owned(),
            row.writer.clone(),
        ]);
    }
    table
}

/// `snapshots` as a table.
pub(super) fn snapshots_table(rows: &[SnapshotRow]) -> TextTable {
    let mut table = TextTable::new(&["snapshot", "branch", ">seq", ">created (unix ms)"]);
    for row in rows {
        table.row(vec![
            row.snapshot.clone(),
            row.branch.clone(),
            row.seq.to_string(),
            row.created_unix_ms.to_string(),
        ]);
    }
    table
}
