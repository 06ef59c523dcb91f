//! The storage service as the engine's `Storage`.
//!
//! Versions are followed over one stream for each branch. A commit's answer says which
//! version holds it; the call returns once the stream, or a look at that server, has shown
//! that version, so that whoever asked sees its own change. When the stream breaks it is
//! begun anew, wherever a server answers, with a whole state; a server that is behind what
//! is known already is followed silently until it has caught up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::manifest::{Lease, SpaceOptions, Version};
use firn_engine::storage::{
    BranchInfo, Branches, FlushCommit, Found, NewBranch, Storage, VersionWatch,
};
use firn_engine::watch;
use firn_engine::wire::{self, required};
use firn_engine::{
    BranchName, Env, Epoch, Error, ErrorKind, ManifestVersion, Result, Seq, SpaceId, Task,
    TaskClass,
};
use firn_grpc::v1::storage_client::StorageClient;
use firn_proto::v1 as pb;
use parking_lot::Mutex;
use tonic::{Request, Response, Status};

use super::ANSWER_BYTES_MAX;
use crate::rpc::call::{Caller, Method};
use crate::rpc::peers::{Peer, Peers};
use crate::rpc::status::{Repeat, from_status};

/// How long the stream may take to show a version that is committed.
const SHOWN_MAX: Duration = Duration::from_millis(500);
/// Pause before a broken stream is begun anew.
const FOLLOW_PAUSE: Duration = Duration::from_millis(100);
/// Failures in a row that are told, and then every time that their number has doubled.
const FAILURES_TOLD: u64 = 16;

const fn method(what: &'static str, seconds: u64) -> Method {
    // Every call of the contract is safe to make again.
    Method { what, repeat: Repeat::Safe, deadline: Duration::from_secs(seconds) }
}

/// See the module.
#[derive(Debug)]
pub struct RemoteStorage {
    shared: Arc<Shared>,
    followed: tokio::sync::Mutex<BTreeMap<BranchName, Followed>>,
}

#[derive(Debug)]
struct Shared {
    env: Env,
    caller: Caller,
}

/// A branch and the task that follows it.
#[derive(Debug)]
struct Followed {
    versions: watch::Sender<Arc<Version>>,
    task: Mutex<Option<Task<()>>>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }
}

fn client(peer: Peer) -> StorageClient<Peer> {
    StorageClient::new(peer).max_decoding_message_size(ANSWER_BYTES_MAX)
}

fn within<T>(limit: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(limit);
    request
}

impl RemoteStorage {
    /// The service that answers at `peers`. Nothing is asked yet.
    #[must_use]
    pub fn new(env: Env, peers: Peers) -> Arc<Self> {
        let caller = Caller::new(env.clone(), peers);
        let shared = Arc::new(Shared { env, caller });
        Arc::new(Self { shared, followed: tokio::sync::Mutex::default() })
    }

    /// Takes in a version, which may be older than what is known, and goes on following.
    async fn learn(&self, version: Version) -> Arc<Version> {
        let version = Arc::new(version);
        let mut followed = self.followed.lock().await;
        let branch = followed.entry(version.branch.clone()).or_insert_with(|| {
            let versions = watch::Sender::new(Arc::clone(&version));
            let follow = follow(Arc::clone(&self.shared), versions.clone());
            let task = self.shared.env.spawn(TaskClass::Foreground, "follow-versions", follow);
            Followed { versions, task: Mutex::new(Some(task)) }
        });
        install(&branch.versions, &version);
        version
    }

    async fn newest(&self, branch: &BranchName) -> Result<Arc<Version>> {
        let found = self.shared.caller.call(method("reading the version", 10), |peer, limit| {
            let request = pb::GetVersionRequest { branch: branch.as_str().to_owned() };
            async move { client(peer).get_version(within(limit, request)).await }
        });
        let found = found.await?;
        let state = required(found.state, "the state")?;
        let number = ManifestVersion(found.version);
        Ok(self.learn(Version::from_state(branch.clone(), number, state)?).await)
    }

    /// Makes a call that commits, and waits until its version is known.
    async fn commit<F>(
        &self,
        branch: &BranchName,
        method: Method,
        call: impl Fn(Peer, Duration) -> F,
    ) -> Result<Arc<Version>>
    where
        F: Future<Output = Result<Response<pb::CommitResponse>, Status>>,
    {
        let version = self.shared.caller.call(method, call).await?.version;
        let mut versions = self.watch(branch).await?;
        let shown = versions.wait_for(|known| known.number.0 >= version);
        if let Some(Ok(known)) = self.shared.env.timeout(SHOWN_MAX, shown).await {
            return Ok(Arc::clone(&known));
        }
        let newest = self.newest(branch).await?;
        if newest.number.0 >= version {
            return Ok(newest);
        }
        let why = format!("{branch:?}: the server shows {:?} after {version}", newest.number);
        Err(Error::new(ErrorKind::Unavailable, why).retryable())
    }
}

/// Makes `version` the known one, if it is newer.
fn install(versions: &watch::Sender<Arc<Version>>, version: &Arc<Version>) {
    versions.send_if_modified(|known| {
        let newer = version.number > known.number;
        if newer {
            *known = Arc::clone(version);
        }
        newer
    });
}

async fn follow(shared: Arc<Shared>, versions: watch::Sender<Arc<Version>>) {
    let branch = versions.borrow().branch.clone();
    let (mut failures, mut shown) = (0u64, versions.borrow().number);
    loop {
        let address = match shared.caller.peers().current().await {
            Ok((address, peer)) => {
                let Err(error) = follow_one(&shared, &branch, &address, peer, &versions).await;
                // One that breaks is begun anew; one that never begins is worth a line.
                let known = versions.borrow().number;
                failures = if known > shown { 1 } else { failures + 1 };
                shown = known;
                if failures >= FAILURES_TOLD && failures.is_power_of_two() {
                    tracing::warn!(%branch, %error, failures, "versions cannot be followed");
                }
                Some(address)
            }
            Err(error) => {
                failures += 1;
                if failures >= FAILURES_TOLD && failures.is_power_of_two() {
                    tracing::warn!(%branch, %error, failures, "no server to follow");
                }
                None
            }
        };
        if let Some(address) = address {
            shared.caller.peers().failed(&address).await;
        }
        shared.env.sleep(FOLLOW_PAUSE).await;
    }
}

/// Follows one server until that fails.
async fn follow_one(
    shared: &Shared,
    branch: &BranchName,
    address: &str,
    peer: Peer,
    versions: &watch::Sender<Arc<Version>>,
) -> Result<std::convert::Infallible> {
    let failed = |status: Status| from_status(&status, address, Repeat::Safe);
    let request = pb::GetVersionRequest { branch: branch.as_str().to_owned() };
    let mut client = client(peer);
    let begun = shared.env.timeout(BEGIN_MAX, client.watch_versions(request)).await;
    let silent = || {
        let why = format!("{address}: no answer within {} s", BEGIN_MAX.as_secs());
        Error::new(ErrorKind::Unavailable, why).retryable()
    };
    let mut stream = begun.ok_or_else(silent)?.map_err(failed)?.into_inner();
    let mut known: Option<Arc<Version>> = None;
    loop {
        // A connection that is dead without saying so is found by its keepalive.
        let delta = stream.message().await.map_err(failed)?;
        let delta = delta.ok_or_else(|| {
            let why = format!("{address}: the server ended the stream of versions");
            Error::new(ErrorKind::Unavailable, why).retryable()
        })?;
        let next = Arc::new(wire::follow(branch, known.as_deref(), delta)?);
        install(versions, &next);
        known = Some(next);
    }
}

/// How long a stream may take to begin.
const BEGIN_MAX: Duration = Duration::from_secs(5);

#[async_trait]
impl Storage for RemoteStorage {
    async fn claim(&self, branch: &BranchName, writer: &str) -> Result<Arc<Version>> {
        let claimed = self.shared.caller.call(method("claiming the branch", 60), |peer, limit| {
            let (branch, writer) = (branch.as_str().to_owned(), writer.to_owned());
            let request = pb::ClaimRequest { branch, writer };
            async move { client(peer).claim(within(limit, request)).await }
        });
        let claimed = claimed.await?;
        let state = required(claimed.state, "the state")?;
        let number = ManifestVersion(claimed.version);
        let branch = match &*claimed.branch {
            "" => branch.clone(),
            name => BranchName::new(name)?,
        };
        Ok(self.learn(Version::from_state(branch, number, state)?).await)
    }

    async fn watch(&self, branch: &BranchName) -> Result<VersionWatch> {
        if let Some(followed) = self.followed.lock().await.get(branch) {
            return Ok(followed.versions.subscribe());
        }
        self.newest(branch).await?;
        let followed = self.followed.lock().await;
        Ok(required(followed.get(branch), "the branch")?.versions.subscribe())
    }

    async fn commit_flush(&self, branch: &BranchName, flush: FlushCommit) -> Result<Arc<Version>> {
        let flush = pb::Flush::from(&flush);
        let commit = |peer, limit| {
            let (branch, flush) = (branch.as_str().to_owned(), Some(flush.clone()));
            let request = pb::CommitFlushRequest { branch, flush };
            async move { client(peer).commit_flush(within(limit, request)).await }
        };
        self.commit(branch, method("committing a flush", 30), commit).await
    }

    async fn advance_watermark(&self, branch: &BranchName) -> Result<Arc<Version>> {
        let commit = |peer, limit| {
            let request = pb::AdvanceWatermarkRequest { branch: branch.as_str().to_owned() };
            async move { client(peer).advance_watermark(within(limit, request)).await }
        };
        self.commit(branch, method("moving the watermark", 30), commit).await
    }

    async fn declare_space(
        &self,
        branch: &BranchName,
        epoch: Epoch,
        space: SpaceId,
        options: SpaceOptions,
    ) -> Result<Arc<Version>> {
        let declare =
            pb::DeclareSpace { epoch: epoch.0, space: space.0, options: Some((&options).into()) };
        let commit = |peer, limit| {
            let (branch, declare) = (branch.as_str().to_owned(), Some(declare.clone()));
            let request = pb::DeclareSpaceRequest { branch, epoch: epoch.0, declare };
            async move { client(peer).declare_space(within(limit, request)).await }
        };
        self.commit(branch, method("declaring a space", 30), commit).await
    }

    async fn answer_flush(&self, branch: &BranchName, epoch: Epoch, answers: u64) -> Result<()> {
        let commit = |peer, limit| {
            let branch = branch.as_str().to_owned();
            let request = pb::AnswerFlushRequest { branch, epoch: epoch.0, answers };
            async move { client(peer).answer_flush(within(limit, request)).await }
        };
        self.commit(branch, method("telling of a flush", 30), commit).await.map(drop)
    }

    async fn create_snapshot(&self, branch: &BranchName, name: &str, seq: Seq) -> Result<()> {
        let commit = |peer, limit| {
            let name = name.to_owned();
            let snapshot = Some(pb::Snapshot { name, seq: seq.0, created_unix_ms: 0 });
            let branch = branch.as_str().to_owned();
            let request = pb::CreateSnapshotRequest { branch, snapshot };
            async move { client(peer).create_snapshot(within(limit, request)).await }
        };
        self.commit(branch, method("creating a snapshot", 30), commit).await.map(drop)
    }

    async fn drop_snapshot(&self, branch: &BranchName, name: &str) -> Result<()> {
        let tries = AtomicU32::new(0);
        let commit = |peer, limit| {
            tries.fetch_add(1, Ordering::Relaxed);
            let (branch, name) = (branch.as_str().to_owned(), name.to_owned());
            let request = pb::DropSnapshotRequest { branch, name };
            async move { client(peer).drop_snapshot(within(limit, request)).await }
        };
        match self.commit(branch, method("dropping a snapshot", 30), commit).await {
            // An earlier try may have dropped it, and its reply was lost.
            Err(error) if error.kind() == ErrorKind::BadRequest && tries.into_inner() > 1 => {
                let gone = !self.newest(branch).await?.snapshots.contains_key(name);
                if gone { Ok(()) } else { Err(error) }
            }
            done => done.map(drop),
        }
    }

    async fn renew_lease(&self, branch: &BranchName, holder: &str, lease: Lease) -> Result<()> {
        self.lease(branch, holder, lease, false).await
    }

    async fn end_lease(&self, branch: &BranchName, holder: &str) -> Result<()> {
        let lease = Lease { oldest_seq: Seq::ZERO, oldest_version: ManifestVersion(0) };
        self.lease(branch, holder, lease, true).await
    }
}

#[async_trait]
impl Branches for RemoteStorage {
    async fn list_branches(&self) -> Result<Vec<BranchInfo>> {
        let list = self.shared.caller.call(method("listing branches", 30), |peer, limit| {
            let request = pb::ListBranchesRequest {};
            async move { client(peer).list_branches(within(limit, request)).await }
        });
        list.await?.branches.into_iter().map(TryInto::try_into).collect()
    }

    async fn find(&self, name: &BranchName) -> Result<Option<Found>> {
        let found = self.shared.caller.call(method("looking for a branch", 30), |peer, limit| {
            let request = pb::FindBranchRequest { branch: name.as_str().to_owned() };
            async move { client(peer).find_branch(within(limit, request)).await }
        });
        wire::found_from_pb(&found.await?)
    }

    async fn create_branch(&self, new: NewBranch) -> Result<BranchInfo> {
        let made = self.shared.caller.call(method("creating a branch", 60), |peer, limit| {
            let request = pb::CreateBranchRequest::from(&new);
            async move { client(peer).create_branch(within(limit, request)).await }
        });
        made.await?.try_into()
    }

    async fn drop_branch(&self, branch: &BranchName, force: bool) -> Result<()> {
        let dropped = self.shared.caller.call(method("dropping a branch", 60), |peer, limit| {
            let branch = branch.as_str().to_owned();
            let request = pb::DropBranchRequest { branch, force };
            async move { client(peer).drop_branch(within(limit, request)).await }
        });
        dropped.await.map(drop)
    }

    async fn want_flush(&self, branch: &BranchName) -> Result<Arc<Version>> {
        let wanted = self.shared.caller.call(method("asking for a flush", 30), |peer, limit| {
            let request = pb::WantFlushRequest { branch: branch.as_str().to_owned() };
            async move { client(peer).want_flush(within(limit, request)).await }
        });
        let wanted = wanted.await?;
        let state = required(wanted.state, "the state")?;
        let number = ManifestVersion(wanted.version);
        Version::from_state(branch.clone(), number, state).map(Arc::new)
    }

    async fn newest_version(&self, branch: &BranchName) -> Result<Arc<Version>> {
        self.newest(branch).await
    }
}

impl RemoteStorage {
    async fn lease(
        &self,
        branch: &BranchName,
        holder: &str,
        lease: Lease,
        end: bool,
    ) -> Result<()> {
        let renew = self.shared.caller.call(method("renewing a lease", 5), |peer, limit| {
            let branch = branch.as_str().to_owned();
            let lease = Some(wire::reader_lease(holder, &lease));
            let request = pb::RenewLeaseRequest { branch, lease, end };
            async move { client(peer).renew_lease(within(limit, request)).await }
        });
        renew.await.map(drop)
    }
}
