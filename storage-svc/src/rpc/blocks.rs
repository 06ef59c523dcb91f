//! Parts of objects for callers: many reads over one stream.
//!
//! Each read is answered when it is there, whatever became of those before it:
//! what memory has does not wait for the object store. Answers that are ready together go
//! out together. A read that fails says so in its answer; the stream ends with the connection.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::object::{ByteRange, ObjectKind};
use firn_engine::wire::required;
use firn_engine::{Error, ErrorKind, Result, remote_span};
use firn_proto::v1 as pb;
use firn_services::rpc::status::to_detail;
use futures::{Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Status, Streaming};
use tracing::Instrument;

use super::StorageRpc;

/// Ranges that one read may ask for, and their bytes.
const RANGES_MAX: usize = 4096;
const RANGE_BYTES_MAX: u64 = 64 << 20;
/// Reads of one stream that are under way at once; more wait where they come from.
const READS_MAX: usize = 512;
/// Answers of one message, and the bytes with which it has no more.
const ANSWERS_MAX: usize = 64;
const MESSAGE_BYTES: usize = 1 << 20;
/// Bytes of blocks on their way to callers, if nothing else was said, and the least that
/// may be; a larger answer goes alone.
pub(super) const ANSWERS_BYTES: u64 = 128 << 20;
const ANSWERS_BYTES_MIN: u64 = 1 << 20;
/// How long an answer may wait for others to go out.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);
/// In what these bytes are counted.
const ANSWER_UNIT: u64 = 4096;

/// An answer, and the room that it takes until the caller has it.
type Answered = (pb::BlockAnswer, Option<OwnedSemaphorePermit>);

impl StorageRpc {
    /// With another bound of bytes of blocks that are on their way to callers at once.
    #[must_use]
    pub fn answers_bytes_max(mut self, bytes: u64) -> Self {
        let units = bytes.max(ANSWERS_BYTES_MIN) / ANSWER_UNIT;
        let units = u32::try_from(units).unwrap_or(u32::MAX).min(Semaphore::MAX_PERMITS as u32);
        self.answer_units_max = units;
        self.answers = Arc::new(Semaphore::new(units as usize));
        self
    }

    /// Waits until so many more bytes may be on their way.
    async fn room(&self, bytes: u64) -> Result<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(ANSWER_UNIT)).unwrap_or(u32::MAX);
        let units = units.min(self.answer_units_max);
        if let Ok(room) = Arc::clone(&self.answers).try_acquire_many_owned(units) {
            return Ok(room);
        }
        let room = Arc::clone(&self.answers).acquire_many_owned(units);
        match self.env.timeout(ANSWER_WAIT_MAX, room).await {
            Some(Ok(room)) => Ok(room),
            _ => {
                let why = "too many bytes of blocks are on their way to others";
                Err(Error::new(ErrorKind::Unavailable, why).retryable())
            }
        }
    }

    /// The parts that are asked for, and the room that they take.
    async fn read(&self, read: pb::BlockRead) -> Result<(Vec<Bytes>, OwnedSemaphorePermit)> {
        let kind = ObjectKind::try_from(read.kind())?;
        let id = required(read.id, "the object's id")?.into();
        let ranges: Vec<ByteRange> = read.ranges.into_iter().map(Into::into).collect();
        let bytes = ranges.iter().try_fold(0u64, |sum, range| sum.checked_add(range.len));
        let bytes = bytes.filter(|b| ranges.len() <= RANGES_MAX && *b <= RANGE_BYTES_MAX);
        let Some(bytes) = bytes else {
            let why = format!("at most {RANGES_MAX} ranges and {RANGE_BYTES_MAX} bytes at once");
            return Err(Error::new(ErrorKind::BadRequest, why));
        };
        let room = self.room(bytes).await?;
        Ok((self.blocks.read(id, kind, &ranges).await?, room))
    }

    /// One read of a stream.
    async fn answer_to(self, read: pb::BlockRead) -> Answered {
        let number = read.number;
        let done = match read.traceparent.is_empty() {
            true => self.read(read).await,
            false => {
                let parent = read.traceparent.as_bytes();
                let name = "firn.v1.Storage/StreamBlocks";
                let span = remote_span!(parent, "served", otel.kind = "server", otel.name = name);
                self.read(read).instrument(span).await
            }
        };
        match done {
            Ok((data, room)) => (pb::BlockAnswer { number, data, error: None }, Some(room)),
            Err(error) => {
                let error = Some(to_detail(&error));
                (pb::BlockAnswer { number, data: Vec::new(), error }, None)
            }
        }
    }

    /// Answers all reads of a stream until it ends.
    pub(super) fn answers_to(
        self,
        requests: Streaming<pb::StreamBlocksRequest>,
    ) -> impl Stream<Item = Result<pb::StreamBlocksResponse, Status>> {
        let reads = requests.flat_map(|request| {
            let (reads, failed) = match request {
                Ok(request) => (request.reads, None),
                Err(status) => (Vec::new(), Some(Err(status))),
            };
            futures::stream::iter(reads.into_iter().map(Ok).chain(failed))
        });
        let answers = reads.map(move |read| {
            let rpc = self.clone();
            async move {
                match read {
                    Ok(read) => Ok(rpc.answer_to(read).await),
                    Err(status) => Err(status),
                }
            }
        });
        // What the last message took is held until the next one is asked for: the transport
        // has it then.
        let mut held = Vec::new();
        answers.buffer_unordered(READS_MAX).ready_chunks(ANSWERS_MAX).flat_map(move |ready| {
            held.clear();
            let (messages, rooms) = packed(ready);
            held.extend(rooms);
            futures::stream::iter(messages)
        })
    }
}

/// Answers that are ready as messages, none of them too large.
fn packed(
    ready: Vec<Result<Answered, Status>>,
) -> (Vec<Result<pb::StreamBlocksResponse, Status>>, Vec<OwnedSemaphorePermit>) {
    let (mut messages, mut rooms) = (Vec::with_capacity(1), Vec::with_capacity(ready.len()));
    let (mut answers, mut bytes) = (Vec::with_capacity(ready.len()), 0usize);
    let mut failed = None;
    for answered in ready {
        let (answer, room) = match answered {
            Ok(answered) => answered,
            Err(status) => {
                failed = Some(Err(status));
                break;
            }
        };
        let len = answer.data.iter().map(Bytes::len).sum::<usize>();
        if bytes > 0 && bytes + len > MESSAGE_BYTES {
            let answers = std::mem::take(&mut answers);
            messages.push(Ok(pb::StreamBlocksResponse { answers }));
            bytes = 0;
        }
        bytes += len;
        answers.push(answer);
        rooms.extend(room);
    }
    if !answers.is_empty() {
        messages.push(Ok(pb::StreamBlocksResponse { answers }));
    }
    messages.extend(failed);
    (messages, rooms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(number: u64, len: usize) -> Result<Answered, Status> {
        Ok((pb::BlockAnswer { number, data: vec![vec![0; len].into()], error: None }, None))
    }

    fn numbers(ready: Vec<Result<Answered, Status>>) -> Vec<Option<Vec<u64>>> {
        let (messages, _) = packed(ready);
        let numbers = |message: pb::StreamBlocksResponse| {
            message.answers.iter().map(|answer| answer.number).collect()
        };
        messages.into_iter().map(|message| message.ok().map(numbers)).collect()
    }

    #[test]
    fn small_answers_share_a_message_and_large_ones_have_their_own() {
        let small = (1..=40).map(|number| answer(number, 8 << 10)).collect();
        assert_eq!(numbers(small), [Some((1..=40).collect())]);
        let mixed = vec![answer(1, 100), answer(2, 9 << 20), answer(3, 0), answer(4, 1 << 20)];
        let apart = [Some(vec![1]), Some(vec![2]), Some(vec![3, 4])];
        // One that is too large with those before it begins anew.
        assert_eq!(numbers(mixed), apart);
    }

    #[test]
    fn answers_from_before_a_failure_go_out_first() {
        let ready = vec![answer(1, 1), Err(Status::unavailable("gone")), answer(2, 1)];
        assert_eq!(numbers(ready), [Some(vec![1]), None]);
    }
}
