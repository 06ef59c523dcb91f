//! Parts of objects through the storage service and its cache.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::object::{BlockSource, ByteRange, ObjectKind};
use firn_engine::{Env, Error, ErrorKind, ObjectId, Result};
use firn_grpc::v1::storage_client::StorageClient;
use firn_proto::v1 as pb;
use tonic::{Request, Response};

use super::ANSWER_BYTES_MAX;
use crate::rpc::call::{Caller, Method};
use crate::rpc::peers::Peers;
use crate::rpc::status::Repeat;

const READ: Method =
    Method { what: "reading blocks", repeat: Repeat::Safe, deadline: Duration::from_secs(60) };

/// See the module.
#[derive(Debug)]
pub struct RemoteBlocks {
    caller: Caller,
}

impl RemoteBlocks {
    /// Through the service that answers at `peers`. Nothing is asked yet.
    #[must_use]
    pub fn new(env: Env, peers: Peers) -> Arc<Self> {
        Arc::new(Self { caller: Caller::new(env, peers) })
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
        let read = self.caller.call(READ, |peer, limit| {
            let mut request = Request::new(pb::ReadBlocksRequest {
                id: Some(id.into()),
                kind: pb::ObjectKind::from(kind).into(),
                ranges: ranges.iter().map(|range| (*range).into()).collect(),
            });
            request.set_timeout(limit);
            let mut client = StorageClient::new(peer).max_decoding_message_size(ANSWER_BYTES_MAX);
            let expected = ranges.len();
            // All of it is one try: a stream may break in the middle.
            async move {
                let mut stream = client.read_blocks(request).await?.into_inner();
                let mut blocks = Vec::with_capacity(expected);
                while let Some(block) = stream.message().await? {
                    blocks.push(block.data);
                }
                Ok(Response::new(blocks))
            }
        });
        let blocks: Vec<Bytes> = read.await?;
        let lens = |blocks: &[Bytes]| blocks.iter().map(|b| b.len() as u64).collect::<Vec<_>>();
        if !lens(&blocks).iter().eq(ranges.iter().map(|range| &range.len)) {
            let why = format!("{id}: asked for {ranges:?}, got blocks of {:?}", lens(&blocks));
            return Err(Error::new(ErrorKind::Corrupt, why));
        }
        Ok(blocks)
    }
}
