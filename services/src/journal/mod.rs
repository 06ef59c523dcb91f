//! The replicated journal as its clients see it: [`firn_engine::journal::Journal`]
//! over gRPC (`proto/firn/v1/journal.proto`).
//!
//! # Lost replies
//!
//! Every call has a number of its own, or says what it does in a way that makes
//! a second time harmless, so it is made again until its deadline, of whoever
//! leads then: whether a record whose reply was lost is in the log is found out
//! by sending it again. Only when nobody can be asked any more is an append
//! reported as [`ErrorKind::OutcomeUnknown`], and its writer is dead; an append
//! that no member ever took is reported as retryable.
//!
//! # Finding the leader
//!
//! Any address may be asked. A member that does not lead says who does; if it
//! does not know, the next address is asked.

pub mod admin;
mod reader;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, Record, RecordStream};
use firn_engine::{BranchName, Env, Epoch, Error, ErrorKind, Result, Seq};
use firn_grpc::v1::journal_client::JournalClient;
use firn_proto::v1;
use tonic::{Response, Status};

use crate::rpc::call::{Caller, Method};
use crate::rpc::peers::{Peer, Peers};
use crate::rpc::status::Repeat;

/// Header with the address of the member that leads; empty if it is not known.
pub const LEADER_HEADER: &str = "firn-leader";

/// Bytes of a payload in one message.
const PIECE_BYTES: usize = 1 << 20;

/// A record as messages.
pub fn record_to_proto(record: &Record) -> impl Iterator<Item = v1::LogRecord> + use<> {
    let (whole, len) = (record.payload.clone(), record.payload.len());
    let first = v1::LogRecord {
        epoch: record.epoch.0,
        first_seq: record.first_seq.0,
        last_seq: record.last_seq.0,
        unix_ms: record.unix_ms,
        payload: whole.slice(..len.min(PIECE_BYTES)),
        more: len > PIECE_BYTES,
    };
    let rest = (PIECE_BYTES..len).step_by(PIECE_BYTES).map(move |at| {
        let end = (at + PIECE_BYTES).min(len);
        v1::LogRecord { payload: whole.slice(at..end), more: end < len, ..v1::LogRecord::default() }
    });
    std::iter::once(first).chain(rest)
}

/// A record from its first message and its whole payload.
///
/// # Errors
/// `BadRequest` if it cannot be one.
pub fn record_from_proto(message: v1::LogRecord, payload: Bytes) -> Result<Record> {
    if message.first_seq == 0 || message.last_seq < message.first_seq {
        let why = format!("a record of seq {} to {}", message.first_seq, message.last_seq);
        return Err(Error::new(ErrorKind::BadRequest, why));
    }
    Ok(Record {
        epoch: Epoch(message.epoch),
        first_seq: Seq(message.first_seq),
        last_seq: Seq(message.last_seq),
        unix_ms: message.unix_ms,
        payload,
    })
}

fn bounds_from_proto(bounds: Option<v1::LogBoundsResponse>) -> LogBounds {
    let bounds = bounds.unwrap_or_default();
    LogBounds {
        trimmed: Seq(bounds.trimmed_seq),
        last: Seq(bounds.last_seq),
        epoch: Epoch(bounds.epoch),
        bytes: bounds.bytes,
    }
}

/// Times of a remote journal.
#[derive(Debug, Clone, Copy)]
pub struct RemoteOptions {
    /// A call with all its tries may take this long.
    pub deadline: Duration,
    /// An append that is not answered for this long is sent to another member; if that does
    /// not answer either, it is given twice as long, and so on.
    pub try_max: Duration,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(30), try_max: Duration::from_secs(1) }
    }
}

/// Logs in a replicated journal. A clone is the same journal.
#[derive(Debug, Clone)]
pub struct RemoteJournal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    env: Env,
    caller: Caller,
    options: RemoteOptions,
    /// Where the members have to archive; empty: that does not matter.
    archive: String,
}

impl RemoteJournal {
    /// The journal whose members `peers` are. Nothing is connected yet.
    #[must_use]
    pub fn new(env: Env, peers: Peers, options: RemoteOptions) -> Self {
        Self::archived_at(env, peers, options, String::new())
    }

    /// As [`Self::new`], for who reads the archive at `archive`, the URL of an object store:
    /// a member that does not archive there trims nothing.
    #[must_use]
    pub fn archived_at(env: Env, peers: Peers, options: RemoteOptions, archive: String) -> Self {
        let caller = Caller::new(env.clone(), peers);
        Self(Arc::new(Shared { env, caller, options, archive }))
    }
}

impl Shared {
    /// Takes what a status says about who leads, unless that is who is silent.
    async fn learn(&self, asked: &str, status: &Status, silent: Option<&str>) {
        let Some(leader) = status.metadata().get(LEADER_HEADER) else { return };
        let peers = self.caller.peers();
        let known = match leader.to_str() {
            Ok(leader) if silent.is_some_and(|silent| peers.same(silent, leader)) => false,
            Ok(leader) => peers.prefer(leader).await,
            Err(_) => false,
        };
        if !known {
            self.caller.peers().failed(asked).await;
        }
    }

    async fn call<T, F>(
        &self,
        what: &'static str,
        call: impl Fn(JournalClient<Peer>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let deadline = self.options.deadline;
        let method = Method { what, repeat: Repeat::Safe, deadline };
        let call = |peer, _| {
            let call = call(JournalClient::new(peer));
            async {
                let asked = self.caller.peers().current().await.map(|(address, _)| address);
                let answer = call.await;
                if let (Err(status), Ok(asked)) = (&answer, asked) {
                    self.learn(&asked, status, None).await;
                }
                answer
            }
        };
        self.caller.call(method, call).await
    }
}

#[async_trait]
impl Journal for RemoteJournal {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        let shared = &self.0;
        let writer = shared.env.random_u64();
        let request = v1::OpenLogRequest { branch: branch.to_string(), epoch: epoch.0, writer };
        let opened = shared
            .call("opening a log of the journal", |mut client| {
                let request = request.clone();
                async move { client.open(request).await }
            })
            .await?;
        let bounds = bounds_from_proto(opened.bounds);
        let shared = Arc::clone(shared);
        Ok(Arc::new(writer::Writer::new(shared, branch, epoch, opened.generation, bounds)))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        let request = v1::LogBoundsRequest { branch: branch.to_string() };
        let bounds = self
            .0
            .call("asking for the bounds of a log of the journal", |mut client| {
                let request = request.clone();
                async move { client.bounds(request).await }
            })
            .await?;
        Ok(bounds_from_proto(Some(bounds)))
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        reader::stream(Arc::clone(&self.0), branch, from, false).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        reader::stream(Arc::clone(&self.0), branch, from, true).await
    }
}
