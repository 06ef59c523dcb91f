//! The service over gRPC.
//!
//! Any number of replicas may serve one bucket. All answer reads; the one that callers
//! commit through is in charge of the branch (see `branch`). A replica finds out that
//! another has taken charge when a commit of its own is refused, or when it looks at the
//! manifest: it says so to its callers as an error to make the call again, which they do
//! elsewhere, and starts from the manifest like one that was just started. Being late with
//! that does no harm: what it would commit is refused, and who renews a lease at the wrong
//! replica is kept by the right one for a lease length, which is many times as long.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::compaction::{Compaction, LeaseToken, ShardLease};
use firn_engine::storage::{Branches, FlushCommit, NewBranch, Storage};
use firn_engine::wire::{self, required};
use firn_engine::{BranchName, Env, Epoch, Error, ErrorKind, Result, Seq, SpaceId};
use firn_grpc::v1::compaction_server::{self, CompactionServer};
use firn_grpc::v1::storage_server::{self, StorageServer};
use firn_proto::v1 as pb;
use firn_services::rpc::status::to_status;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::Semaphore;
use tonic::codegen::BoxStream;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status, Streaming};

use crate::blocks::CachedBlocks;
use crate::branch::Branch;
use crate::service::StorageService;

mod blocks;

use blocks::ANSWERS_BYTES;

/// Bytes of one message that a caller may send: a flush names at most some thousand files.
const REQUEST_BYTES_MAX: usize = 64 << 20;
/// Shards that a worker may ask for at once.
const SHARDS_MAX: usize = 64;
/// How often a replica that is not in charge looks for versions of others while somebody
/// follows them.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// Serves a [`StorageService`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StorageRpc {
    env: Env,
    service: Arc<StorageService>,
    blocks: Arc<CachedBlocks>,
    /// Units of bytes that may still be on their way.
    answers: Arc<Semaphore>,
    answer_units_max: u32,
}

type Answer<T> = Result<Response<T>, Status>;

impl StorageRpc {
    /// Serves `service`, and parts of objects from `blocks`.
    #[must_use]
    pub fn new(env: Env, service: Arc<StorageService>, blocks: Arc<CachedBlocks>) -> Self {
        let answers = Arc::new(Semaphore::new(0));
        let this = Self { env, service, blocks, answers, answer_units_max: 0 };
        this.answers_bytes_max(ANSWERS_BYTES)
    }

    /// Adds both contracts, Storage and Compaction, to a server.
    pub fn add_to(&self, routes: &mut RoutesBuilder) {
        let storage = StorageServer::new(self.clone());
        routes.add_service(storage.max_decoding_message_size(REQUEST_BYTES_MAX));
        let compaction = CompactionServer::new(self.clone());
        routes.add_service(compaction.max_decoding_message_size(REQUEST_BYTES_MAX));
    }

    /// What the caller is told of an error about `branch`.
    async fn told(&self, branch: &BranchName, error: Error) -> Status {
        match self.service.step_down(branch).await {
            Some(owner) => to_status(&moved(branch, &owner)),
            None => to_status(&error),
        }
    }

    async fn answer<T, R>(
        &self,
        branch: &BranchName,
        done: Result<T>,
        with: fn(T) -> R,
    ) -> Answer<R> {
        match done {
            Ok(done) => Ok(Response::new(with(done))),
            Err(error) => Err(self.told(branch, error).await),
        }
    }

    /// The branch, if this replica has not been replaced as its owner.
    async fn branch(&self, name: &BranchName) -> Result<Arc<Branch>, Status> {
        if let Some(owner) = self.service.step_down(name).await {
            return Err(to_status(&moved(name, &owner)));
        }
        self.service.branch(name).await.map_err(|e| to_status(&e))
    }
}

/// The error that sends callers elsewhere.
fn moved(branch: &BranchName, owner: &str) -> Error {
    let why = format!("{branch:?}: {owner} has taken charge of its storage");
    Error::new(ErrorKind::Unavailable, why).retryable()
}

fn named(name: &str) -> Result<BranchName, Status> {
    wire::branch(name).map_err(|e| to_status(&e))
}

fn refused(error: &Error) -> Status {
    to_status(error)
}

fn committed(version: Arc<firn_engine::manifest::Version>) -> pb::CommitResponse {
    pb::CommitResponse { version: version.number.0 }
}

#[tonic::async_trait]
impl storage_server::Storage for StorageRpc {
    type WatchVersionsStream = BoxStream<pb::VersionDelta>;
    type StreamBlocksStream = BoxStream<pb::StreamBlocksResponse>;

    async fn claim(&self, request: Request<pb::ClaimRequest>) -> Answer<pb::ClaimResponse> {
        let request = request.into_inner();
        let branch = named(&request.branch)?;
        // A replica that was replaced starts anew before it raises the epoch.
        self.service.step_down(&branch).await;
        let claimed = self.service.claim(&branch, &request.writer).await;
        self.answer(&branch, claimed, |version| pb::ClaimResponse {
            version: version.number.0,
            state: Some((&*version).into()),
            branch: version.branch.to_string(),
        })
        .await
    }

    async fn get_version(
        &self,
        request: Request<pb::GetVersionRequest>,
    ) -> Answer<pb::GetVersionResponse> {
        let branch = named(&request.into_inner().branch)?;
        let newest = self.service.newest(&branch).await;
        self.answer(&branch, newest, |version| pb::GetVersionResponse {
            version: version.number.0,
            state: Some((&*version).into()),
        })
        .await
    }

    async fn watch_versions(
        &self,
        request: Request<pb::GetVersionRequest>,
    ) -> Answer<Self::WatchVersionsStream> {
        let branch = self.branch(&named(&request.into_inner().branch)?).await?;
        let env = self.env.clone();
        let mut versions = branch.watch();
        let first = Arc::clone(&versions.borrow_and_update());
        let begin = (branch, first.number);
        let steps = futures::stream::try_unfold(begin, move |(branch, sent)| {
            let (env, mut versions) = (env.clone(), versions.clone());
            async move {
                loop {
                    let newest = Arc::clone(&versions.borrow_and_update());
                    if branch.is_replaced() {
                        return Err(to_status(&moved(&branch.name, &newest.owner_name)));
                    }
                    if newest.number > sent {
                        let deltas = match branch.steps_after(sent) {
                            Some(steps) => {
                                steps.iter().map(|s| Ok(wire::step(s.number, &s.edits))).collect()
                            }
                            None => vec![Ok(wire::whole(&newest))],
                        };
                        let last = deltas.last().map_or(sent.0, |d: &Result<_, Status>| {
                            d.as_ref().map_or(sent.0, |d: &pb::VersionDelta| d.version)
                        });
                        let next = (branch, firn_engine::ManifestVersion(last));
                        return Ok(Some((futures::stream::iter(deltas), next)));
                    }
                    if branch.is_owner_in(&newest) {
                        // Whoever commits is this process.
                        if versions.changed().await.is_err() {
                            return Ok(None);
                        }
                    } else if env.timeout(FOLLOW_EVERY, versions.changed()).await.is_none() {
                        branch.refresh().await.map_err(|e| refused(&e))?;
                    }
                }
            }
        });
        let first = futures::stream::iter([Ok(wire::whole(&first))]);
        Ok(Response::new(first.chain(steps.try_flatten()).boxed()))
    }

    async fn commit_flush(
        &self,
        request: Request<pb::CommitFlushRequest>,
    ) -> Answer<pb::CommitResponse> {
        let request = request.into_inner();
        let branch = named(&request.branch)?;
        let flush = required(request.flush, "the flush").and_then(FlushCommit::try_from);
        let flush = flush.map_err(|e| refused(&e))?;
        let done = self.service.commit_flush(&branch, flush).await;
        self.answer(&branch, done, committed).await
    }

    async fn declare_space(
        &self,
        request: Request<pb::DeclareSpaceRequest>,
    ) -> Answer<pb::CommitResponse> {
        let request = request.into_inner();
        let branch = named(&request.branch)?;
        let declare = required(request.declare, "what is declared").map_err(|e| refused(&e))?;
        let options = required(declare.options, "the options").map_err(|e| refused(&e))?;
        let (epoch, space) = (Epoch(request.epoch), SpaceId(declare.space));
        let done = self.service.declare_space(&branch, epoch, space, options.into()).await;
        self.answer(&branch, done, committed).await
    }

    async fn stream_blocks(
        &self,
        request: Request<Streaming<pb::StreamBlocksRequest>>,
    ) -> Answer<Self::StreamBlocksStream> {
        Ok(Response::new(self.clone().answers_to(request.into_inner()).boxed()))
    }

    async fn create_snapshot(
        &self,
        request: Request<pb::CreateSnapshotRequest>,
    ) -> Answer<pb::CommitResponse> {
        let request = request.into_inner();
        let branch = named(&request.branch)?;
        let snapshot = required(request.snapshot, "the snapshot").map_err(|e| refused(&e))?;
        let done = self.service.create_snapshot(&branch, &snapshot.name, Seq(snapshot.seq)).await;
        let done = match done {
            Ok(()) => self.service.known(&branch).await,
            Err(error) => Err(error),
        };
        self.answer(&branch, done, committed).await
    }

    async fn drop_snapshot(
        &self,
        request: Request<pb::DropSnapshotRequest>,
    ) -> Answer<pb::CommitResponse> {
        let request = request.into_inner();
        let branch = named(&request.branch)?;
        let done = match self.service.drop_snapshot(&branch, &request.name).await {
            Ok(()) => self.service.known(&branch).await,
            Err(error) => Err(error),
        };
        self.answer(&branch, done, committed).await
    }

    async fn renew_lease(
        &self,
        request: Request<pb::RenewLeaseRequest>,
    ) -> Answer<pb::RenewLeaseResponse> {
        let request = request.into_inner();
        let name = named(&request.branch)?;
        self.branch(&name).await?;
        let lease = required(request.lease, "the lease").map_err(|e| refused(&e))?;
        let (holder, lease) = wire::reader_lease_of(lease);
        let done = match request.end {
            true => self.service.end_lease(&name, &holder).await,
            false => self.service.renew_lease(&name, &holder, lease).await,
        };
        self.answer(&name, done, |()| pb::RenewLeaseResponse {}).await
    }

    async fn advance_watermark(
        &self,
        request: Request<pb::AdvanceWatermarkRequest>,
    ) -> Answer<pb::CommitResponse> {
        let branch = named(&request.into_inner().branch)?;
        let done = self.service.advance_watermark(&branch).await;
        self.answer(&branch, done, committed).await
    }

    async fn answer_flush(
        &self,
        request: Request<pb::AnswerFlushRequest>,
    ) -> Answer<pb::CommitResponse> {
        let request = request.into_inner();
        let branch = named(&request.branch)?;
        let done = self.service.answer_flush(&branch, Epoch(request.epoch), request.answers).await;
        let done = match done {
            Ok(()) => self.service.known(&branch).await,
            Err(error) => Err(error),
        };
        self.answer(&branch, done, committed).await
    }

    async fn want_flush(
        &self,
        request: Request<pb::WantFlushRequest>,
    ) -> Answer<pb::WantFlushResponse> {
        let branch = named(&request.into_inner().branch)?;
        let wanted = self.service.want_flush(&branch).await;
        self.answer(&branch, wanted, |version| pb::WantFlushResponse {
            version: version.number.0,
            state: Some((&*version).into()),
        })
        .await
    }

    async fn list_branches(
        &self,
        _: Request<pb::ListBranchesRequest>,
    ) -> Answer<pb::ListBranchesResponse> {
        let branches = self.service.list_branches().await.map_err(|e| refused(&e))?;
        let branches = branches.iter().map(Into::into).collect();
        Ok(Response::new(pb::ListBranchesResponse { branches }))
    }

    async fn find_branch(
        &self,
        request: Request<pb::FindBranchRequest>,
    ) -> Answer<pb::FindBranchResponse> {
        let name = named(&request.into_inner().branch)?;
        let found = self.service.find(&name).await.map_err(|e| refused(&e))?;
        Ok(Response::new(wire::found_to_pb(found.as_ref())))
    }

    async fn create_branch(
        &self,
        request: Request<pb::CreateBranchRequest>,
    ) -> Answer<pb::BranchInfo> {
        let new = NewBranch::try_from(request.into_inner()).map_err(|e| refused(&e))?;
        let parent = new.parent.clone();
        let made = self.service.create_branch(new).await;
        self.answer(&parent, made, |info| pb::BranchInfo::from(&info)).await
    }

    async fn drop_branch(
        &self,
        request: Request<pb::DropBranchRequest>,
    ) -> Answer<pb::DropBranchResponse> {
        let request = request.into_inner();
        let branch = named(&request.branch)?;
        // A replica that was replaced starts anew before it ends the branch.
        self.service.step_down(&branch).await;
        let dropped = self.service.drop_branch(&branch, request.force).await;
        self.answer(&branch, dropped, |()| pb::DropBranchResponse {}).await
    }

    async fn get_status(&self, _: Request<pb::GetStatusRequest>) -> Answer<pb::GetStatusResponse> {
        Ok(Response::new(self.status().await))
    }
}

impl StorageRpc {
    async fn status(&self) -> pb::GetStatusResponse {
        let blocks = self.blocks.stats();
        pb::GetStatusResponse {
            name: self.service.name().to_owned(),
            firn: env!("CARGO_PKG_VERSION").to_owned(),
            in_charge: self.service.in_charge().await.iter().map(ToString::to_string).collect(),
            blocks: Some(pb::BlockCacheStatus {
                memory_bytes: blocks.memory_bytes,
                memory_bytes_max: blocks.memory_bytes_max,
                disk_bytes_max: blocks.disk_bytes_max,
                memory_hits: blocks.memory_hits,
                disk_hits: blocks.disk_hits,
                shared_reads: blocks.shared_reads,
                store_reads: blocks.store_reads,
                store_bytes: blocks.store_bytes,
            }),
        }
    }
}

#[tonic::async_trait]
impl compaction_server::Compaction for StorageRpc {
    type LeaseShardsStream = BoxStream<pb::ShardLease>;

    async fn lease_shards(
        &self,
        request: Request<Streaming<pb::LeaseShardsRequest>>,
    ) -> Answer<Self::LeaseShardsStream> {
        let rpc = self.clone();
        let leases = request.into_inner().and_then(move |request| {
            let rpc = rpc.clone();
            async move {
                let max = (request.shards_max as usize).clamp(1, SHARDS_MAX);
                let leased = rpc.service.lease(&request.worker, max).await;
                let leased = leased.map_err(|e| refused(&e))?;
                let undelivered = Undelivered { rpc: rpc.clone(), leases: leased.into() };
                Ok(futures::stream::iter(undelivered).map(Ok))
            }
        });
        Ok(Response::new(leases.try_flatten().boxed()))
    }

    async fn heartbeat(
        &self,
        request: Request<pb::HeartbeatRequest>,
    ) -> Answer<pb::HeartbeatResponse> {
        let leases = request.into_inner().leases.into_iter().map(LeaseToken::try_from);
        let leases = leases.collect::<Result<Vec<_>>>().map_err(|e| refused(&e))?;
        for lease in &leases {
            self.branch(&lease.branch).await?;
        }
        let lost = self.service.heartbeat(&leases).await.map_err(|e| refused(&e))?;
        let lost = lost.iter().map(Into::into).collect();
        Ok(Response::new(pb::HeartbeatResponse { lost }))
    }

    async fn report_progress(
        &self,
        request: Request<pb::ReportProgressRequest>,
    ) -> Answer<pb::ReportProgressResponse> {
        let request = request.into_inner();
        let token = required(request.token, "the lease").and_then(LeaseToken::try_from);
        let token = token.map_err(|e| refused(&e))?;
        let outputs = wire::files_of(request.outputs).map_err(|e| refused(&e))?;
        let done = self.service.report(&token, outputs, request.resume_key, request.done).await;
        self.answer(&token.branch, done, |()| pb::ReportProgressResponse {}).await
    }

    async fn release(&self, request: Request<pb::ReleaseRequest>) -> Answer<pb::ReleaseResponse> {
        let request = request.into_inner();
        let token = required(request.token, "the lease").and_then(LeaseToken::try_from);
        let token = token.map_err(|e| refused(&e))?;
        let failure = (!request.failure.is_empty()).then_some(request.failure);
        let done = self.service.release(&token, failure).await;
        self.answer(&token.branch, done, |()| pb::ReleaseResponse {}).await
    }
}

/// Leases on their way to a worker. Those that it did not take, since it has gone away, are
/// given back at once and not when they run out.
struct Undelivered {
    rpc: StorageRpc,
    leases: std::collections::VecDeque<ShardLease>,
}

impl Iterator for Undelivered {
    type Item = pb::ShardLease;

    fn next(&mut self) -> Option<pb::ShardLease> {
        self.leases.pop_front().map(|lease| (&lease).into())
    }
}

impl Drop for Undelivered {
    fn drop(&mut self) {
        let tokens: Vec<_> = self.leases.drain(..).map(|lease| lease.token).collect();
        if tokens.is_empty() {
            return;
        }
        let service = Arc::clone(&self.rpc.service);
        let give_back = async move {
            for token in tokens {
                if let Err(error) = service.release(&token, None).await {
                    tracing::debug!(%error, ?token, "a lease was not given back");
                }
            }
        };
        let class = firn_engine::TaskClass::Background;
        drop(self.rpc.env.spawn(class, "leases-undelivered", give_back));
    }
}
