//! Parts of objects through the storage service and its cache.
//!
//! All reads go over one stream ([`super::block_stream`]): a call for each block would cost
//! several times what the block does.
//!
//! The service is no more than a cache in front of the object store, so who can reach that
//! reads from there while no service answers: [`EitherBlocks`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::object::{BlockSource, ByteRange, ObjectKind};
use firn_engine::{Env, Error, ErrorKind, Instant, ObjectId, Result};
use firn_proto::v1 as pb;
use parking_lot::Mutex;
use tonic::Response;

use super::block_stream::BlockStream;
use crate::rpc::call::{Caller, Method};
use crate::rpc::peers::{Peer, Peers};
use crate::rpc::status::Repeat;

const READ: Method =
    Method { what: "reading blocks", repeat: Repeat::Safe, deadline: Duration::from_secs(60) };

/// How long the service may take where there is another way.
const READ_OR_ELSE: Method = Method { deadline: Duration::from_secs(3), ..READ };
/// How long the service is left alone after it did not answer.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub struct RemoteBlocks {
    env: Env,
    caller: Caller,
    method: Method,
    /// The stream to the server that is asked now.
    stream: Mutex<Option<Arc<BlockStream>>>,
}

/// From the storage service, and while it does not answer from the object store.
#[derive(Debug)]
pub struct EitherBlocks {
    env: Env,
    service: Arc<dyn BlockSource>,
    store: Arc<dyn BlockSource>,
    /// The service is not asked before this moment, in nanoseconds of the clock.
    asked_from: AtomicU64,
}

impl EitherBlocks {
    /// Through the service that answers at `peers`, else from `store`. Nothing is asked yet.
    #[must_use]
    pub fn new(env: Env, peers: Peers, store: Arc<dyn BlockSource>) -> Arc<Self> {
        let service = RemoteBlocks::of(env.clone(), peers, READ_OR_ELSE);
        Self::of(env, Arc::new(service), store)
    }

    fn of(env: Env, service: Arc<dyn BlockSource>, store: Arc<dyn BlockSource>) -> Arc<Self> {
        Arc::new(Self { env, service, store, asked_from: AtomicU64::new(0) })
    }
}

#[async_trait]
impl BlockSource for EitherBlocks {
    async fn read(
        &self,
        id: ObjectId,
        kind: ObjectKind,
        ranges: &[ByteRange],
    ) -> Result<Vec<Bytes>> {
        if self.env.now() >= Instant(self.asked_from.load(Ordering::Relaxed)) {
            match self.service.read(id, kind, ranges).await {
                Err(error) if error.is_retryable() || error.kind() == ErrorKind::Unavailable => {
                    let until = self.env.now().after(LEFT_ALONE);
                    self.asked_from.store(until.0, Ordering::Relaxed);
                    tracing::warn!(%error, "blocks are read from the object store");
                }
                read => return read,
            }
        }
        self.store.read(id, kind, ranges).await
    }
}

impl RemoteBlocks {
    /// Through the service that answers at `peers`. Nothing is asked yet.
    #[must_use]
    pub fn new(env: Env, peers: Peers) -> Arc<Self> {
        Arc::new(Self::of(env, peers, READ))
    }

    fn of(env: Env, peers: Peers, method: Method) -> Self {
        let caller = Caller::new(env.clone(), peers);
        Self { env, caller, method, stream: Mutex::default() }
    }

    /// The open stream to the server at `address`, or a new one.
    fn stream_to(&self, address: &str, peer: Peer) -> Arc<BlockStream> {
        let mut stream = self.stream.lock();
        match &*stream {
            Some(open) if open.is_open_to(address) => Arc::clone(open),
            _ => Arc::clone(stream.insert(BlockStream::open(&self.env, address, peer))),
        }
    }
}

#[async_trait]
impl BlockSource for RemoteBlocks {
    async fn read(
        &self,
        id: ObjectId,
        kind: ObjectKind,
        ranges: &[ByteRange],
    ) -> Result<Vec<Bytes>> {
        let read = self.caller.call_at(self.method, |address, peer, _| {
            let stream = self.stream_to(address, peer);
            let read = pb::BlockRead {
                id: Some(id.into()),
                kind: pb::ObjectKind::from(kind).into(),
                ranges: ranges.iter().map(|range| (*range).into()).collect(),
                ..pb::BlockRead::default()
            };
            async move { stream.read(read).await.map(Response::new) }
        });
        let blocks = read.await?;
        let lens = |blocks: &[Bytes]| blocks.iter().map(|b| b.len() as u64).collect::<Vec<_>>();
        if !lens(&blocks).iter().eq(ranges.iter().map(|range| &range.len)) {
            let why = format!("{id}: asked for {ranges:?}, got blocks of {:?}", lens(&blocks));
            return Err(Error::new(ErrorKind::Corrupt, why));
        }
        Ok(blocks)
    }
}

#[cfg(test)]
mod tests {
    use firn_engine::Epoch;

    use super::*;

    /// Answers with its name, or fails.
    #[derive(Debug)]
    struct Named(&'static str, Option<ErrorKind>);

    #[async_trait]
    impl BlockSource for Named {
        async fn read(&self, _: ObjectId, _: ObjectKind, _: &[ByteRange]) -> Result<Vec<Bytes>> {
            match self.1 {
                Some(kind) => Err(Error::new(kind, self.0)),
                None => Ok(vec![self.0.into()]),
            }
        }
    }

    #[tokio::test]
    async fn a_service_that_sheds_load_or_is_away_is_done_without() {
        let id = ObjectId { branch: 1, counter: 1, epoch: Epoch(1) };
        for (kind, falls_back) in [
            (ErrorKind::Retry, true),
            (ErrorKind::Unavailable, true),
            (ErrorKind::Corrupt, false),
            (ErrorKind::BadRequest, false),
        ] {
            let service = Arc::new(Named("service", Some(kind)));
            let blocks =
                EitherBlocks::of(Env::simulated(1), service, Arc::new(Named("store", None)));
            let read = blocks.read(id, ObjectKind::Sst, &[]).await;
            match falls_back {
                true => assert_eq!(read.unwrap(), ["store"], "{kind:?}"),
                false => assert_eq!(read.unwrap_err().kind(), kind),
            }
        }
    }
}
