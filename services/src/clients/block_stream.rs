//! Reads of parts of objects over one stream to a storage service.
//!
//! Reads that are asked for together go out in one message, and what is ready at the service
//! comes back in one: who waits for an answer asks for the next part when it is there, so that
//! many readers keep each other's company without anything waiting for it. There is no timer.
//!
//! A read that its caller gives up is forgotten here; its answer is passed over. When the
//! stream ends, all reads that wait for it fail with why it ended, and the next one opens
//! another. Reading twice does no harm.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::{Env, Task, TaskClass, trace};
use firn_grpc::v1::storage_client::StorageClient;
use firn_proto::v1 as pb;
use futures::stream::poll_fn;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

use super::ANSWER_BYTES_MAX;
use crate::rpc::peers::Peer;
use crate::rpc::status::of_detail;

/// Reads of one message.
const READS_MAX: usize = 128;
/// Reads that wait to be sent; more wait in their callers.
const QUEUE_MAX: usize = 1024;

type Blocks = Result<Vec<Bytes>, Status>;

/// See the module.
#[derive(Debug)]
pub(super) struct BlockStream {
    address: String,
    requests: mpsc::Sender<pb::BlockRead>,
    waiting: Arc<Mutex<Waiting>>,
    /// Takes in the answers; ends with this.
    task: Task<()>,
}

/// The reads that wait for their answers.
#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    reads: BTreeMap<u64, oneshot::Sender<Blocks>>,
    /// Why there will be no more.
    ended: Option<Status>,
}

impl Drop for BlockStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl BlockStream {
    /// Begins a stream to the server at `address`. Whether that answers, reads tell.
    pub(super) fn open(env: &Env, address: &str, peer: Peer) -> Arc<Self> {
        let (requests, mut asked) = mpsc::channel(QUEUE_MAX);
        let messages = poll_fn(move |cx| {
            let mut reads = Vec::new();
            let some = asked.poll_recv_many(cx, &mut reads, READS_MAX);
            some.map(|some| (some > 0).then_some(pb::StreamBlocksRequest { reads }))
        });
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let answered = Arc::clone(&waiting);
        let task = env.spawn(TaskClass::Foreground, "read-blocks", async move {
            let mut client = StorageClient::new(peer).max_decoding_message_size(ANSWER_BYTES_MAX);
            let ended = match client.stream_blocks(messages).await {
                Ok(answers) => {
                    let mut answers = answers.into_inner();
                    loop {
                        match answers.message().await {
                            Ok(Some(message)) => answered.lock().take(message),
                            Ok(None) => break Status::unavailable("the server ended the stream"),
                            Err(status) => break status,
                        }
                    }
                }
                Err(status) => status,
            };
            answered.lock().end(ended);
        });
        Arc::new(Self { address: address.to_owned(), requests, waiting, task })
    }

    /// Whether this is a stream to `address` that has not ended.
    pub(super) fn is_open_to(&self, address: &str) -> bool {
        self.address == address && self.waiting.lock().ended.is_none()
    }

    /// Reads parts of an object; the number and the span are set here.
    pub(super) async fn read(&self, mut read: pb::BlockRead) -> Blocks {
        let (number, answer) = self.waiting.lock().begin()?;
        let _forgotten = Forgotten { waiting: &self.waiting, number };
        let traceparent = trace::current_parent().map(|parent| parent.to_string());
        (read.number, read.traceparent) = (number, traceparent.unwrap_or_default());
        // Why it was not taken, the answer says.
        let _ = self.requests.send(read).await;
        answer.await.unwrap_or_else(|_| Err(Status::unavailable("the stream has ended")))
    }
}

/// A read is over, or nobody waits for it any more.
struct Forgotten<'a> {
    waiting: &'a Mutex<Waiting>,
    number: u64,
}

impl Drop for Forgotten<'_> {
    fn drop(&mut self) {
        self.waiting.lock().reads.remove(&self.number);
    }
}

impl Waiting {
    fn begin(&mut self) -> Result<(u64, oneshot::Receiver<Blocks>), Status> {
        if let Some(ended) = &self.ended {
            return Err(ended.clone());
        }
        self.next += 1;
        let (answer, answered) = oneshot::channel();
        self.reads.insert(self.next, answer);
        Ok((self.next, answered))
    }

    fn take(&mut self, message: pb::StreamBlocksResponse) {
        let alone = message.answers.len() == 1;
        for answer in message.answers {
            let Some(read) = self.reads.remove(&answer.number) else { continue };
            let blocks = match answer.error {
                Some(error) => Err(of_detail(&error)),
                None if alone => Ok(answer.data),
                // One that is kept must not keep the others of its message.
                None => Ok(answer.data.iter().map(|data| Bytes::copy_from_slice(data)).collect()),
            };
            // Who does not wait any more needs no answer.
            let _ = read.send(blocks);
        }
    }

    fn end(&mut self, status: Status) {
        for (_, read) in std::mem::take(&mut self.reads) {
            let _ = read.send(Err(status.clone()));
        }
        self.ended = Some(status);
    }
}

#[cfg(test)]
mod tests {
    use firn_engine::{Error, ErrorKind};

    use super::*;
    use crate::rpc::status::{Repeat, from_status, to_detail};

    fn answer(number: u64, data: &'static [u8]) -> pb::BlockAnswer {
        pb::BlockAnswer { number, data: vec![data.into()], error: None }
    }

    #[tokio::test]
    async fn each_read_gets_its_own_answer_in_whatever_order_they_come() {
        let mut waiting = Waiting::default();
        let (first, one) = waiting.begin().unwrap();
        let (second, two) = waiting.begin().unwrap();
        let (third, three) = waiting.begin().unwrap();
        let refused = Error::new(ErrorKind::Corrupt, "a bad block");
        let refused =
            pb::BlockAnswer { number: second, data: Vec::new(), error: Some(to_detail(&refused)) };
        let answers = vec![answer(third, b"three"), refused, answer(77, b"nobody's")];
        waiting.take(pb::StreamBlocksResponse { answers });
        waiting.take(pb::StreamBlocksResponse { answers: vec![answer(first, b"one")] });
        assert_eq!(one.await.unwrap().unwrap(), ["one"]);
        assert_eq!(three.await.unwrap().unwrap(), ["three"]);
        let error = from_status(&two.await.unwrap().unwrap_err(), "peer", Repeat::Safe);
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(waiting.reads.is_empty());
    }

    #[tokio::test]
    async fn when_the_stream_ends_all_who_wait_are_told_and_nobody_waits_any_more() {
        let mut waiting = Waiting::default();
        let (_, one) = waiting.begin().unwrap();
        let (_, two) = waiting.begin().unwrap();
        waiting.end(Status::unavailable("broken"));
        for read in [one, two] {
            let error = from_status(&read.await.unwrap().unwrap_err(), "peer", Repeat::Safe);
            assert!(error.is_retryable(), "{error:?}");
        }
        assert_eq!(waiting.begin().unwrap_err().message(), "broken");
    }

    #[test]
    fn a_read_that_is_given_up_is_forgotten() {
        let waiting = Mutex::new(Waiting::default());
        let (number, _answer) = waiting.lock().begin().unwrap();
        drop(Forgotten { waiting: &waiting, number });
        assert!(waiting.lock().reads.is_empty());
        let late = pb::StreamBlocksResponse { answers: vec![answer(number, b"late")] };
        waiting.lock().take(late);
    }
}
