//! Appending to a log (see [`super`] for lost replies).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::journal::{JournalWriter, LogBounds, PAYLOAD_LEN_MAX, Record};
use firn_engine::{BranchName, Epoch, Error, ErrorKind, Instant, Result, Seq, trace};
use firn_grpc::v1::journal_client::JournalClient;
use firn_proto::v1;
use futures::SinkExt;
use futures::channel::mpsc;
use parking_lot::Mutex;
use tonic::Streaming;

use super::{Shared, bounds_from_proto, record_to_proto};
use crate::rpc::peers::Peer;
use crate::rpc::status::{Repeat, from_status};

const PAUSE_FIRST: Duration = Duration::from_millis(5);
/// One writer that asks so often does no harm, and a new leader is found soon.
const PAUSE_MAX: Duration = Duration::from_millis(100);
/// How many times as long as the first a later try may take: a large record over a slow
/// network needs its time.
const PATIENCE_MAX: u32 = 10;
/// Messages that wait for the connection.
const QUEUE_MAX: usize = 4;

/// An open stream of appends to one member.
#[derive(Debug)]
struct Line {
    address: String,
    requests: mpsc::Sender<v1::AppendRequest>,
    answers: Streaming<v1::AppendResponse>,
    /// Nothing was sent yet: the first message names the log.
    fresh: bool,
}

#[derive(Debug, Default)]
struct Sending {
    line: Option<Line>,
    /// An append has begun and not ended: whoever made it does not wait any more.
    begun: bool,
}

/// What the tries of one record have come to.
#[derive(Debug)]
struct Tries {
    /// How long the next may take.
    limit: Duration,
    /// Who has not answered, and until when nobody's word that it leads is taken: for
    /// a while after a leader has gone, the others still name it.
    silent: Option<(String, Instant)>,
}

impl Tries {
    fn silent_now(&self, now: Instant) -> Option<&str> {
        let (address, until) = self.silent.as_ref()?;
        (now < *until).then_some(address)
    }
}

/// The writer of one opening.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    branch: BranchName,
    epoch: Epoch,
    generation: u64,
    bounds: Mutex<LogBounds>,
    /// Why this writer is dead.
    dead: Mutex<Option<Error>>,
    sending: tokio::sync::Mutex<Sending>,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        branch: &BranchName,
        epoch: Epoch,
        generation: u64,
        bounds: LogBounds,
    ) -> Self {
        Self {
            shared,
            branch: branch.clone(),
            epoch,
            generation,
            bounds: Mutex::new(bounds),
            dead: Mutex::default(),
            sending: tokio::sync::Mutex::default(),
        }
    }

    fn check_alive(&self) -> Result<()> {
        self.dead.lock().clone().map_or(Ok(()), Err)
    }

    /// An error that is not retryable ends the writer.
    fn ended<T>(&self, done: Result<T>) -> Result<T> {
        if let Err(e) = &done
            && !e.is_retryable()
        {
            self.dead.lock().get_or_insert_with(|| e.clone());
        }
        done
    }

    fn error(&self, kind: ErrorKind, why: impl std::fmt::Display) -> Error {
        Error::new(kind, format!("journal of {}: {why}", self.branch))
    }

    /// What a member would refuse is not sent; a repeat would pass there as one.
    fn check_follows(&self, record: &Record) -> Result<()> {
        let last = self.bounds.lock().last;
        let (from, to) = (record.first_seq, record.last_seq);
        let wrong = |why: String| {
            let why = format!("record {from} to {to}: {why}");
            Err(self.error(ErrorKind::BadRequest, why))
        };
        if from != last.next() {
            return wrong(format!("the log ends at seq {last}"));
        }
        if to < from {
            return wrong("it ends before it begins".into());
        }
        if record.epoch != self.epoch {
            return wrong(format!("written under epoch {}, not {}", record.epoch, self.epoch));
        }
        if record.payload.len() > PAYLOAD_LEN_MAX {
            return wrong(format!("{} bytes, over {PAYLOAD_LEN_MAX}", record.payload.len()));
        }
        Ok(())
    }

    /// Who is asked now: nobody who was silent just before, if there are others.
    async fn current(&self, tries: &Tries) -> Result<(String, Peer)> {
        let peers = self.shared.caller.peers();
        let (address, peer) = peers.current().await?;
        if !tries.silent_now(self.shared.env.now()).is_some_and(|s| peers.same(s, &address)) {
            return Ok((address, peer));
        }
        peers.failed(&address).await;
        peers.current().await
    }

    async fn line(&self, address: String, peer: Peer) -> Result<Line> {
        let (requests, sent) = mpsc::channel(QUEUE_MAX);
        let mut client = JournalClient::new(peer);
        match client.append(sent).await {
            Ok(answers) => {
                Ok(Line { address, requests, answers: answers.into_inner(), fresh: true })
            }
            Err(status) => {
                self.shared.caller.peers().failed(&address).await;
                // No record was sent.
                Err(from_status(&status, &address, Repeat::Safe))
            }
        }
    }

    /// Sends a record over a line and waits for its answer.
    async fn exchange(&self, line: &mut Line, record: &Record, tries: &Tries) -> Result<LogBounds> {
        let fresh = std::mem::take(&mut line.fresh);
        let traceparent = trace::current_parent().map(|parent| parent.to_string());
        let mut traceparent = traceparent.unwrap_or_default();
        for (at, message) in record_to_proto(record).enumerate() {
            let mut request =
                v1::AppendRequest { record: Some(message), ..v1::AppendRequest::default() };
            if request.record.as_ref().is_some_and(|record| !record.more) {
                request.traceparent = std::mem::take(&mut traceparent);
            }
            if fresh && at == 0 {
                request.branch = self.branch.to_string();
                request.generation = self.generation;
            }
            if line.requests.send(request).await.is_err() {
                // Why, the answers say.
                break;
            }
        }
        match line.answers.message().await {
            Ok(Some(answer)) if answer.durable_seq == record.last_seq.0 => {
                Ok(bounds_from_proto(answer.bounds))
            }
            Ok(Some(answer)) => {
                let why =
                    format!("seq {} is answered with {}", record.last_seq, answer.durable_seq);
                Err(self.error(ErrorKind::Internal, why))
            }
            Ok(None) => {
                let why = format!("{}: the connection was lost", line.address);
                Err(self.error(ErrorKind::OutcomeUnknown, why).retryable())
            }
            Err(status) => {
                let silent = tries.silent_now(self.shared.env.now());
                self.shared.learn(&line.address, &status, silent).await;
                let error = from_status(&status, &line.address, Repeat::Unsafe);
                // Asking again tells.
                let unknown = error.kind() == ErrorKind::OutcomeUnknown;
                Err(if unknown { error.retryable() } else { error })
            }
        }
    }

    /// Tries once, over the line that there is or a new one.
    async fn try_once(
        &self,
        sending: &mut Sending,
        record: &Record,
        tries: &mut Tries,
    ) -> Result<LogBounds> {
        let (env, limit) = (&self.shared.env, tries.limit);
        let unanswered = |address: &str, tries: &mut Tries| {
            tries.limit = (limit * 2).min(self.shared.options.try_max * PATIENCE_MAX);
            tries.silent = Some((address.to_owned(), env.now().after(tries.limit)));
            format!("{address}: no answer within {} ms", limit.as_millis())
        };
        let mut line = match sending.line.take() {
            Some(line) => line,
            None => {
                let (address, peer) = self.current(tries).await?;
                let Some(line) = env.timeout(limit, self.line(address.clone(), peer)).await else {
                    let why = unanswered(&address, tries);
                    self.shared.caller.peers().failed(&address).await;
                    // No record was sent.
                    return Err(self.error(ErrorKind::Unavailable, why).retryable());
                };
                line?
            }
        };
        let answer = env.timeout(limit, self.exchange(&mut line, record, tries)).await;
        let answer = answer.unwrap_or_else(|| {
            let why = unanswered(&line.address, tries);
            Err(self.error(ErrorKind::OutcomeUnknown, why).retryable())
        });
        match &answer {
            Ok(_) => sending.line = Some(line),
            Err(e) if e.kind() == ErrorKind::OutcomeUnknown => {
                self.shared.caller.peers().failed(&line.address).await;
            }
            Err(_) => {}
        }
        answer
    }

    /// Sends a record until its fate is known or its time is over.
    async fn send(&self, sending: &mut Sending, record: &Record) -> Result<LogBounds> {
        let (env, deadline) = (&self.shared.env, self.shared.options.deadline);
        let begun = env.now();
        let (mut pause, mut unsure) = (PAUSE_FIRST, false);
        let mut tries = Tries { limit: self.shared.options.try_max, silent: None };
        loop {
            let error = match self.try_once(sending, record, &mut tries).await {
                Ok(bounds) => return Ok(bounds),
                Err(error) => error,
            };
            unsure |= error.kind() == ErrorKind::OutcomeUnknown;
            if !error.is_retryable() || env.now().since(begun) + pause >= deadline {
                return Err(fate(&self.branch, record.first_seq, unsure, error));
            }
            env.sleep(env.jittered(pause)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// What the caller is told when a record's last try has failed with `last`. That is of this
/// try alone: if it is not known what became of an earlier one (`unsure`), that may have come
/// in time, and who refuses now, because a later writer has the log, does not say whether it did.
fn fate(branch: &BranchName, first: Seq, unsure: bool, last: Error) -> Error {
    if !unsure {
        return last;
    }
    let why = format!("journal of {branch}: nobody says whether record {first} is durable");
    Error::with_source(ErrorKind::OutcomeUnknown, why, last)
}

/// Takes over what an answer says. Those of appends and of trims overtake each other.
fn learn(known: &mut LogBounds, answer: LogBounds) {
    if answer.last >= known.last {
        known.bytes = answer.bytes;
    }
    known.trimmed = known.trimmed.max(answer.trimmed);
    known.last = known.last.max(answer.last);
    known.epoch = known.epoch.max(answer.epoch);
}

#[async_trait]
impl JournalWriter for Writer {
    async fn append(&self, record: Record) -> Result<()> {
        let mut sending = self.sending.lock().await;
        self.check_alive()?;
        if sending.begun {
            let why = "the append before was given up by its caller";
            return self.ended(Err(self.error(ErrorKind::OutcomeUnknown, why)));
        }
        self.ended(self.check_follows(&record))?;
        sending.begun = true;
        let sent = self.send(&mut sending, &record).await;
        sending.begun = false;
        let bounds = self.ended(sent)?;
        learn(&mut self.bounds.lock(), bounds);
        Ok(())
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        self.check_alive()?;
        let request = v1::TrimLogRequest {
            branch: self.branch.to_string(),
            epoch: self.epoch.0,
            through_seq: through.0,
            generation: self.generation,
            archive: self.shared.archive.clone(),
        };
        let trimmed = self
            .shared
            .call("trimming a log of the journal", |mut client| {
                let request = request.clone();
                async move { client.trim(request).await }
            })
            .await;
        let trimmed = match trimmed {
            // Of a member that archives elsewhere: appends go on.
            Err(e) if e.kind() == ErrorKind::BadRequest => return Err(e),
            trimmed => self.ended(trimmed)?,
        };
        learn(&mut self.bounds.lock(), bounds_from_proto(trimmed.bounds));
        Ok(())
    }

    fn bounds(&self) -> LogBounds {
        *self.bounds.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_to_a_trim_does_not_take_back_what_was_appended_since() {
        let bounds = |trimmed, last, bytes| LogBounds {
            trimmed: Seq(trimmed),
            last: Seq(last),
            epoch: Epoch(1),
            bytes,
        };
        let mut known = bounds(0, 3, 300);
        learn(&mut known, bounds(0, 4, 400));
        learn(&mut known, bounds(2, 3, 100));
        assert_eq!(known, bounds(2, 4, 400));
        // A trim past the end.
        learn(&mut known, bounds(9, 9, 0));
        assert_eq!(known, bounds(9, 9, 0));
    }

    #[test]
    fn a_refusal_after_a_lost_reply_does_not_say_that_nothing_was_written() {
        let (branch, fenced) = (BranchName::main(), || Error::new(ErrorKind::Fenced, "epoch 2"));
        assert_eq!(fate(&branch, Seq(7), false, fenced()).kind(), ErrorKind::Fenced);
        let told = fate(&branch, Seq(7), true, fenced());
        assert_eq!(told.kind(), ErrorKind::OutcomeUnknown);
        assert!(!told.is_retryable(), "its writer is dead");
    }
}
