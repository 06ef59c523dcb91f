//! `firn ctl branch` and `firn ctl snapshot`: over the storage service, or, where there is
//! none, beside the running process on its object store.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::manifest::{BranchState, Version};
use firn_engine::storage::{BranchAt, BranchInfo, Branches, NewBranch, Storage};
use firn_engine::{BranchName, Context, Env, Error, ErrorKind, Journal, Result, Seq};
use firn_journal::{ObjectJournal, ObjectOptions};
use firn_services::clients::RemoteStorage;
use firn_services::config::{Config, JournalKind, Location};
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
    /// What it is called.
    branch: String,
    /// Its name: with a number, if others were called so before it.
    name: String,
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
            branch: info.name.called().to_string(),
            name: info.name.to_string(),
            from: origin.map(|origin| origin.branch.called().to_string()),
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
    /// The journal, if it can be asked from here.
    journal: Option<Arc<dyn Journal>>,
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
            let journal = match config.journal.kind {
                _ if !config.journal.addresses.is_empty() => remote_journal(config, env)?,
                JournalKind::Object => {
                    let (objects, layout) = (Arc::clone(&store.objects), store.layout.clone());
                    let options = ObjectOptions::default();
                    let journal = ObjectJournal::new(env.clone(), objects, layout, options);
                    Some(Arc::new(journal) as Arc<dyn Journal>)
                }
                // Its process has it.
                JournalKind::Local | JournalKind::Memory => None,
            };
            let name = format!("{} process {}", crate::host_name(), std::process::id());
            let here = StorageService::passive(env.clone(), &name, store.objects, store.layout);
            let (storage, branches) = (Arc::clone(&here) as _, here as _);
            return Ok(Self { config, env, storage, branches, replicas: Vec::new(), journal });
        }
        let journal = remote_journal(config, env)?;
        let remote = |names: &[String]| {
            let peers = Peers::new(env.clone(), names, &config.rpc.trust())?;
            Ok::<_, Error>(RemoteStorage::new(env.clone(), peers))
        };
        let replicas = addresses.iter().map(|name| remote(std::slice::from_ref(name)));
        let replicas = replicas.collect::<Result<_>>()?;
        let all = remote(addresses)?;
        let storage = Arc::clone(&all) as _;
        Ok(Self { config, env, storage, branches: all, replicas, journal })
    }

    /// The branch that is called so now; by a name with a number that very one.
    async fn named(&self, called: &BranchName) -> Result<BranchName> {
        if called.number() > 1 || *called == BranchName::main() {
            return Ok(called.clone());
        }
        let found = self.branches.find(called).await?;
        Ok(found.map_or_else(|| called.clone(), |found| found.name))
    }

    /// The name of a branch that is to be called so.
    async fn new_name(&self, called: &str) -> Result<BranchName> {
        let called = BranchName::new(called)?;
        if called.number() > 1 {
            let why =
                format!("{called:?}: the number is given by Firn, call it {}", called.called());
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
        Ok(match self.branches.find(&called).await? {
            Some(last) if last.state == BranchState::Dropped => last.name.following(),
            Some(last) => last.name,
            None => called,
        })
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

    /// The branch with everything in files that is committed now, if it has a writer. If it
    /// has none, what is in files.
    async fn head(&self, branch: &BranchName) -> Result<Arc<Version>> {
        let known = self.branches.newest_version(branch).await?;
        if known.dropped || !is_written(&known) {
            return Ok(known);
        }
        let wanted = self.branches.want_flush(branch).await?.flush_wanted;
        let begun = self.env.now();
        loop {
            self.nudge(branch).await;
            let newest = self.branches.newest_version(branch).await?;
            if newest.flush_answered >= wanted || !is_written(&newest) {
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
        let at = at.map(Seq);
        if let Some(at) = at
            && at <= self.branches.newest_version(branch).await?.flushed_seq
        {
            return Ok(at);
        }
        let head = self.head(branch).await?;
        let files = head.flushed_seq;
        let refused = |why: String| Err(Error::new(ErrorKind::BadRequest, why));
        if is_written(&head) || head.dropped {
            return match at {
                Some(at) if at > files => {
                    refused(format!("{branch:?} at seq {at}: its last commit is {files}"))
                }
                _ => Ok(at.unwrap_or(files)),
            };
        }
        let logged = match &self.journal {
            Some(journal) => Some(journal.bounds(branch).await?),
            None => None,
        };
        let open = "open it once, with `firn compute` or `firn up`, and try again";
        match (at, logged.filter(|log| log.bytes > 0 && log.last > files)) {
            (_, Some(log)) if at.is_none_or(|at| at <= log.last) => refused(format!(
                "{branch:?}: nobody writes it, and its commits from {} to {} are in the journal \
                 only: {open}; --at {files} takes what is in files",
                files.next(),
                log.last
            )),
            (None, _) => Ok(files),
            (Some(at), _) if logged.is_some() => {
                refused(format!("{branch:?} at seq {at}: its last commit is {files}"))
            }
            (Some(at), _) => refused(format!(
                "{branch:?} at seq {at}: it is in files up to {files}, and nobody writes it; if \
                 more is in its journal, {open}"
            )),
        }
    }

    /// Ends the log of a branch that was dropped, if it is elsewhere and can be asked. The
    /// storage service does it, too, some time later.
    async fn end_log(&self, branch: &BranchName) -> Result<()> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let epoch = self.branches.newest_version(branch).await?.epoch;
        let log = journal.open(branch, epoch).await?;
        log.trim(Seq::MAX).await
    }
}

/// Whether somebody writes a branch, or did until a moment ago.
fn is_written(version: &Version) -> bool {
    version.leases.contains_key(&version.writer_lease())
}

/// The replicated journal, if there is one.
fn remote_journal(config: &Config, env: &Env) -> Result<Option<Arc<dyn Journal>>> {
    let addresses = &config.journal.addresses;
    if addresses.is_empty() {
        return Ok(None);
    }
    let peers = Peers::new(env.clone(), addresses, &config.rpc.trust())?;
    let journal = RemoteJournal::new(env.clone(), peers, RemoteOptions::default());
    Ok(Some(Arc::new(journal)))
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
            let name = control.new_name(name).await?;
            let parent = control.named(&config.branch).await?;
            let at = match snapshot {
                Some(snapshot) => BranchAt::Snapshot(snapshot.clone()),
                None => BranchAt::Seq(control.seq(&parent, *at).await?),
            };
            let branch_uid = env.random_u64().max(1);
            let new = NewBranch { parent, name, branch_uid, at };
            Ok(vec![(&control.branches.create_branch(new).await?).into()])
        }
        BranchWhat::Drop { name, force } => {
            let name = control.named(&BranchName::new(name)?).await?;
            control.branches.drop_branch(&name, *force).await?;
            let ended = control.end_log(&name).await;
            ended.context(|| {
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
    let branch = &control.named(&config.branch).await?;
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
        branch: branch.called().to_string(),
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
