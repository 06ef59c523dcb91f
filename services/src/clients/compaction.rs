//! The storage service as the engine's `Compaction`: a worker's queue.
//!
//! Each service gives out the work of the branches that it is in charge of. Whoever has
//! waited for a while at one in vain asks the next, unless it holds leases: their heartbeats
//! belong to the service that gave them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::compaction::{Compaction, LeaseToken, ShardLease};
use firn_engine::manifest::SstMeta;
use firn_engine::wire;
use firn_engine::{Env, Error, ErrorKind, Result};
use firn_grpc::v1::compaction_client::CompactionClient;
use firn_proto::v1 as pb;
use parking_lot::Mutex;
use tonic::Request;

use super::ANSWER_BYTES_MAX;
use crate::rpc::call::{Caller, Method};
use crate::rpc::peers::{Peer, Peers};
use crate::rpc::status::{Repeat, from_status};

/// How long to wait for work before the next service is asked.
const LEASE_WAIT: Duration = Duration::from_secs(30);

const fn method(what: &'static str, seconds: u64) -> Method {
    // A lease taken twice leaves one without heartbeats, a report made twice is recognised.
    Method { what, repeat: Repeat::Safe, deadline: Duration::from_secs(seconds) }
}

/// See the module.
#[derive(Debug)]
pub struct RemoteCompaction {
    env: Env,
    caller: Caller,
    /// What was leased and neither done, given back nor lost.
    held: Mutex<BTreeSet<LeaseToken>>,
}

fn client(peer: Peer) -> CompactionClient<Peer> {
    CompactionClient::new(peer).max_decoding_message_size(ANSWER_BYTES_MAX)
}

impl RemoteCompaction {
    /// The service that answers at `peers`. Nothing is asked yet.
    #[must_use]
    pub fn new(env: Env, peers: Peers) -> Arc<Self> {
        let caller = Caller::new(env.clone(), peers);
        Arc::new(Self { env, caller, held: Mutex::default() })
    }

    /// The service that is asked now has no work, or has been replaced.
    async fn ask_another(&self) {
        if let Ok((address, _)) = self.caller.peers().current().await {
            self.caller.peers().failed(&address).await;
        }
    }
}

#[async_trait]
impl Compaction for RemoteCompaction {
    async fn lease(&self, worker: &str, max: usize) -> Result<Vec<ShardLease>> {
        let shards_max = u32::try_from(max).unwrap_or(u32::MAX);
        loop {
            let begin = self.caller.call(method("asking for work", 10), |peer, _| {
                let worker = worker.to_owned();
                let request = pb::LeaseShardsRequest { worker, shards_max };
                let once = futures::stream::iter([request]);
                async move { client(peer).lease_shards(once).await }
            });
            let mut stream = begin.await?;
            let mut leased: Vec<ShardLease> = Vec::new();
            let mut waited = false;
            loop {
                match self.env.timeout(LEASE_WAIT, stream.message()).await {
                    Some(Ok(Some(lease))) => leased.push(lease.try_into()?),
                    Some(Ok(None)) => break,
                    // What came before the stream broke is this worker's all the same.
                    Some(Err(status)) if leased.is_empty() => {
                        self.ask_another().await;
                        let error = from_status(&status, "asking for work", Repeat::Safe);
                        return Err(error);
                    }
                    Some(Err(_)) => break,
                    None => {
                        waited = true;
                        break;
                    }
                }
            }
            if !leased.is_empty() {
                self.held.lock().extend(leased.iter().map(|lease| lease.token.clone()));
                return Ok(leased);
            }
            if waited && self.held.lock().is_empty() {
                self.ask_another().await;
            }
        }
    }

    async fn heartbeat(&self, leases: &[LeaseToken]) -> Result<Vec<LeaseToken>> {
        let beat = self.caller.call(method("sending a heartbeat", 5), |peer, limit| {
            let leases = leases.iter().map(Into::into).collect();
            let mut request = Request::new(pb::HeartbeatRequest { worker: String::new(), leases });
            request.set_timeout(limit);
            async move { client(peer).heartbeat(request).await }
        });
        let lost = beat.await?.lost.into_iter().map(TryInto::try_into);
        let lost: Vec<LeaseToken> = lost.collect::<Result<_>>()?;
        self.held.lock().retain(|held| !lost.contains(held));
        Ok(lost)
    }

    async fn report(
        &self,
        token: &LeaseToken,
        outputs: Vec<Arc<SstMeta>>,
        resume_key: Bytes,
        done: bool,
    ) -> Result<()> {
        let report = self.caller.call(method("reporting a merge", 30), |peer, limit| {
            let mut request = Request::new(pb::ReportProgressRequest {
                token: Some(token.into()),
                outputs: wire::files(&outputs),
                resume_key: resume_key.clone(),
                done,
            });
            request.set_timeout(limit);
            async move { client(peer).report_progress(request).await }
        });
        report.await?;
        if done {
            self.held.lock().remove(token);
        }
        Ok(())
    }

    async fn release(&self, token: &LeaseToken, failure: Option<String>) -> Result<()> {
        // Whether or not it is heard of.
        self.held.lock().remove(token);
        if failure.as_ref().is_some_and(String::is_empty) {
            return Err(Error::new(ErrorKind::BadRequest, "a failure needs a reason"));
        }
        let release = self.caller.call(method("giving a merge back", 5), |peer, limit| {
            let failure = failure.clone().unwrap_or_default();
            let mut request =
                Request::new(pb::ReleaseRequest { token: Some(token.into()), failure });
            request.set_timeout(limit);
            async move { client(peer).release(request).await }
        });
        release.await.map(drop)
    }
}
