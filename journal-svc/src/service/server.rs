//! What writers and readers call.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use firn_engine::journal::{LogBounds, PAYLOAD_LEN_MAX, Record};
use firn_engine::{BranchName, Env, Epoch, Error, ErrorKind, Result, Seq, TaskClass};
use firn_engine::{remote_span, trace};
use firn_grpc::v1::journal_server::Journal;
use firn_proto::v1;
use firn_services::journal::{record_from_proto, record_to_proto};
use firn_services::rpc::status::to_status;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::Span;

use super::GrpcNetwork;
use super::led::LedArchive;
use crate::ArchivePlace;
use crate::raft::command::Ticket;
use crate::raft::{Accepted, Answer, Node, Proposal};

/// Appends of one writer that wait for their answers.
const APPENDS_MAX: usize = 64;
/// Bytes of records that a reader gets at once.
const READ_BYTES: u64 = 4 << 20;
/// Records that wait for a reader.
const READ_AHEAD: usize = 16;

/// Answers for one member.
#[derive(Debug, Clone)]
pub struct JournalService {
    env: Env,
    node: Arc<Node>,
    network: Arc<GrpcNetwork>,
    archive: Option<Arc<LedArchive>>,
    /// Its place; empty is nowhere.
    archive_at: String,
}

impl JournalService {
    /// For the member `node`, which sends over `network`.
    #[must_use]
    pub fn new(env: Env, node: Arc<Node>, network: Arc<GrpcNetwork>) -> Self {
        Self { env, node, network, archive: None, archive_at: String::new() }
    }

    /// With an archive of what is trimmed, in the object store with the URL `at`.
    #[must_use]
    pub fn archiving(self, place: ArchivePlace, at: &str) -> Self {
        let archive = LedArchive::new(self.env.clone(), &self.node, place);
        Self { archive: Some(Arc::new(archive)), archive_at: at.to_owned(), ..self }
    }

    /// What is trimmed here is gone from where a reader looks for it.
    fn check_archive(&self, wanted: &str) -> Result<(), Status> {
        if wanted.is_empty() || wanted == self.archive_at {
            return Ok(());
        }
        let here = match &*self.archive_at {
            "" => "does not archive: journal.archive is not set for it",
            other => &format!("archives at {other}"),
        };
        let why =
            format!("nothing is trimmed: the writer's archive is {wanted}, this member {here}");
        Err(to_status(&Error::new(ErrorKind::BadRequest, why)))
    }

    /// The status of an answer that is none. `unknown` is what a lost office means.
    fn failed(&self, answer: Answer, branch: &BranchName, epoch: Epoch, unknown: Error) -> Status {
        let bug = |what: String| Error::new(ErrorKind::Internal, what);
        match answer {
            Answer::Done(Err(refusal), _) => to_status(&refusal.error(branch, epoch)),
            Answer::Refused(error) => to_status(&error),
            Answer::Unknown => to_status(&unknown),
            Answer::NotLeader(leader) => {
                let why = format!("journal of {branch}: this member does not lead its group");
                let mut status = to_status(&Error::new(ErrorKind::Retry, why));
                let address = self.network.addresses().remove(&leader).unwrap_or_default();
                if let Ok(value) = address.parse() {
                    status.metadata_mut().insert(firn_services::journal::LEADER_HEADER, value);
                }
                status
            }
            other => to_status(&bug(format!("an answer to another question: {other:?}"))),
        }
    }
}

/// What a lost office means for a call that is made again as it is.
fn ask_again() -> Error {
    Error::new(ErrorKind::Unavailable, "this member lost the leadership meanwhile").retryable()
}

/// A trim past the end that could not be archived now: the writer asks again, also of a
/// member that leads then.
fn trim_again(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Fenced => {
            Error::with_source(ErrorKind::Unavailable, "trimming", error).retryable()
        }
        _ => error,
    }
}

fn branch(name: &str) -> Result<BranchName, Status> {
    BranchName::new(name).map_err(|e| to_status(&e))
}

fn bounds_to_proto(bounds: LogBounds) -> v1::LogBoundsResponse {
    v1::LogBoundsResponse {
        trimmed_seq: bounds.trimmed.0,
        last_seq: bounds.last.0,
        epoch: bounds.epoch.0,
        bytes: bounds.bytes,
    }
}

/// Puts records together from their messages.
#[derive(Debug, Default)]
struct Gathering {
    begun: Option<(v1::LogRecord, BytesMut)>,
}

impl Gathering {
    fn add(&mut self, mut message: v1::LogRecord) -> Result<Option<Record>> {
        let more = message.more;
        let piece = std::mem::take(&mut message.payload);
        let (record, payload) = match self.begun.take() {
            None if !more => return record_from_proto(message, piece).map(Some),
            None => (message, BytesMut::from(&piece[..])),
            Some((record, mut payload)) => {
                payload.extend_from_slice(&piece);
                (record, payload)
            }
        };
        if payload.len() > PAYLOAD_LEN_MAX {
            let why = format!("a record of more than {PAYLOAD_LEN_MAX} bytes");
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
        if more {
            self.begun = Some((record, payload));
            return Ok(None);
        }
        record_from_proto(record, Bytes::from(payload)).map(Some)
    }
}

type Appended = Result<v1::AppendResponse, Status>;

#[tonic::async_trait]
impl Journal for JournalService {
    type AppendStream = BoxStream<v1::AppendResponse>;
    type ReadStream = BoxStream<v1::LogRecord>;

    async fn open(
        &self,
        request: Request<v1::OpenLogRequest>,
    ) -> Result<Response<v1::OpenLogResponse>, Status> {
        let request = request.into_inner();
        let (branch, epoch) = (branch(&request.branch)?, Epoch(request.epoch));
        let proposal = Proposal::Open { branch: branch.clone(), epoch, writer: request.writer };
        match self.node.propose(proposal).await {
            Answer::Done(Ok(Accepted::Opened(ticket, bounds)), _) => {
                let bounds = Some(bounds_to_proto(bounds));
                let generation = ticket.generation;
                Ok(Response::new(v1::OpenLogResponse { bounds, generation }))
            }
            other => Err(self.failed(other, &branch, epoch, ask_again())),
        }
    }

    async fn append(
        &self,
        request: Request<Streaming<v1::AppendRequest>>,
    ) -> Result<Response<Self::AppendStream>, Status> {
        let (sender, answers) = mpsc::channel::<Appended>(APPENDS_MAX);
        let (waiting, waits) = mpsc::channel(APPENDS_MAX);
        let this = self.clone();
        let requests = request.into_inner();
        // Reads ahead and proposes, while another answers in order.
        let take = this.clone().take_appends(requests, waiting);
        let answer = this.answer_appends(waits, sender);
        let both = async move {
            futures::future::join(take, answer).await;
        };
        drop(self.env.spawn(TaskClass::Foreground, "journal-appends", both));
        Ok(Response::new(answers.boxed()))
    }

    async fn read(
        &self,
        request: Request<v1::ReadLogRequest>,
    ) -> Result<Response<Self::ReadStream>, Status> {
        let request = request.into_inner();
        let branch = branch(&request.branch)?;
        let bounds = match self.node.readable(&branch).await {
            Answer::Readable(bounds) => bounds,
            other => return Err(self.failed(other, &branch, Epoch::ZERO, ask_again())),
        };
        let from = Seq(request.from_seq);
        if from <= bounds.trimmed {
            return Err(to_status(&crate::trimmed(&branch, from, bounds.trimmed)));
        }
        let end = if request.follow { Seq::MAX } else { bounds.last };
        let (sender, mut records) = tokio::sync::mpsc::channel(READ_AHEAD);
        let sending = send_records(Arc::clone(&self.node), branch, from, end, sender);
        drop(self.env.spawn(TaskClass::Foreground, "journal-read", sending));
        let records = futures::stream::poll_fn(move |cx| records.poll_recv(cx));
        Ok(Response::new(records.boxed()))
    }

    async fn trim(
        &self,
        request: Request<v1::TrimLogRequest>,
    ) -> Result<Response<v1::TrimLogResponse>, Status> {
        let request = request.into_inner();
        self.check_archive(&request.archive)?;
        let (branch, epoch) = (branch(&request.branch)?, Epoch(request.epoch));
        let ticket = Ticket { epoch, generation: request.generation };
        let wanted = Seq(request.through_seq);
        // With an archive nothing is trimmed yet: it only shows who owns and who leads.
        let keeps = self.archive.as_ref().filter(|_| wanted != Seq::MAX);
        let through = if keeps.is_some() { Seq::ZERO } else { wanted };
        let proposal = Proposal::Trim { branch: branch.clone(), ticket, through };
        let bounds = match self.node.propose(proposal).await {
            Answer::Done(Ok(Accepted::Trimmed(bounds)), _) => bounds,
            other => {
                if let Some(archive) = &self.archive {
                    archive.end(&branch).await;
                }
                return Err(self.failed(other, &branch, epoch, ask_again()));
            }
        };
        let bounds = match keeps {
            Some(archive) => {
                let done = archive.trim(&branch, ticket, wanted).await;
                done.map_err(|e| to_status(&trim_again(e)))?;
                self.node.bounds(&branch)
            }
            None => {
                if let Some(archive) = &self.archive {
                    archive.end(&branch).await;
                }
                bounds
            }
        };
        let bounds = Some(bounds_to_proto(bounds));
        Ok(Response::new(v1::TrimLogResponse { bounds }))
    }

    async fn bounds(
        &self,
        request: Request<v1::LogBoundsRequest>,
    ) -> Result<Response<v1::LogBoundsResponse>, Status> {
        let branch = branch(&request.into_inner().branch)?;
        match self.node.readable(&branch).await {
            Answer::Readable(bounds) => Ok(Response::new(bounds_to_proto(bounds))),
            other => Err(self.failed(other, &branch, Epoch::ZERO, ask_again())),
        }
    }
}

/// An append that waits: its seq and epoch, and the answer to come.
type Wait = Result<(BranchName, Submitted, tokio::sync::oneshot::Receiver<Answer>), Status>;

/// What is kept of a record until it is answered.
#[derive(Debug)]
struct Submitted {
    last: Seq,
    epoch: Epoch,
    span: Span,
}

impl JournalService {
    async fn take_appends(
        self,
        mut requests: Streaming<v1::AppendRequest>,
        mut waiting: mpsc::Sender<Wait>,
    ) {
        let mut writer = None;
        let mut gathering = Gathering::default();
        loop {
            let request = match requests.message().await {
                Ok(Some(request)) => request,
                // The writer has gone: what it sent is still answered, to nobody.
                Ok(None) | Err(_) => return,
            };
            let taken = (|| {
                if writer.is_none() {
                    writer = Some((branch(&request.branch)?, request.generation));
                }
                let message = request.record.unwrap_or_default();
                gathering.add(message).map_err(|e| to_status(&e))
            })();
            let wait = match (taken, &writer) {
                (Ok(Some(record)), Some((branch, generation))) => {
                    let span = remote_span!(
                        request.traceparent.as_bytes(),
                        "raft append",
                        otel.kind = "server",
                        branch = %branch,
                        first_seq = record.first_seq.0,
                        last_seq = record.last_seq.0,
                    );
                    let traced = span.in_scope(trace::current_parent);
                    let (last, epoch) = (record.last_seq, record.epoch);
                    let ticket = Ticket { epoch, generation: *generation };
                    let branch = branch.clone();
                    let proposal = Proposal::Append { branch, ticket, record, traced };
                    let branch = proposal.branch().clone();
                    let kept = Submitted { last, epoch, span };
                    Ok((branch, kept, self.node.submit(proposal).await))
                }
                (Err(status), _) => Err(status),
                (Ok(_), _) => continue,
            };
            let last = wait.is_err();
            if waiting.send(wait).await.is_err() || last {
                return;
            }
        }
    }

    async fn answer_appends(
        self,
        mut waits: mpsc::Receiver<Wait>,
        mut sender: mpsc::Sender<Appended>,
    ) {
        while let Some(wait) = waits.next().await {
            let answer = match wait {
                Err(status) => Err(status),
                Ok((branch, record, answer)) => match answer.await.unwrap_or(Answer::Unknown) {
                    Answer::Done(Ok(Accepted::Appended(true)), bounds) => Ok(v1::AppendResponse {
                        durable_seq: record.last.0,
                        bounds: Some(bounds_to_proto(bounds)),
                    }),
                    other => {
                        let why = format!("journal of {branch}: leadership changed meanwhile");
                        let unknown = Error::new(ErrorKind::OutcomeUnknown, why).retryable();
                        let status = self.failed(other, &branch, record.epoch, unknown);
                        trace::failed(&record.span, &status.message());
                        Err(status)
                    }
                },
            };
            let ends = answer.is_err();
            if sender.send(answer).await.is_err() || ends {
                return;
            }
        }
    }
}

/// Sends records until the reader has gone, `end` is reached, or an error.
async fn send_records(
    node: Arc<Node>,
    branch: BranchName,
    from: Seq,
    end: Seq,
    sender: tokio::sync::mpsc::Sender<Result<v1::LogRecord, Status>>,
) {
    let mut changes = node.changes();
    // A member that is not held by its readers can end.
    let node = {
        let weak = Arc::downgrade(&node);
        drop(node);
        weak
    };
    let mut next = from;
    while next <= end {
        changes.borrow_and_update();
        let Some(held) = node.upgrade() else { return };
        let found = held.records(&branch, next, READ_BYTES).await;
        drop(held);
        let found = match found {
            Ok(found) => found,
            Err(e) => {
                let _ = sender.send(Err(to_status(&e))).await;
                return;
            }
        };
        let any = !found.is_empty();
        for record in found {
            next = record.last_seq.next();
            for message in record_to_proto(&record) {
                if sender.send(Ok(message)).await.is_err() {
                    return;
                }
            }
            if next > end {
                return;
            }
        }
        if any {
            continue;
        }
        let (changed, gone) = (changes.changed(), sender.closed());
        futures::pin_mut!(changed, gone);
        match futures::future::select(changed, gone).await {
            futures::future::Either::Left((Ok(()), _)) => {}
            _ => return,
        }
    }
}
