//! Appending and trimming (see [`super`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::journal::{JournalWriter, LogBounds, Record};
use firn_engine::{Epoch, Error, ErrorKind, Result, Seq};
use futures::StreamExt;
use object_store::UpdateVersion;
use parking_lot::Mutex;

use super::format::{Header, Kind, Start};
use super::log::{Created, Log};
use super::survey::Survey;
use crate::{check_follows, fenced};

/// So many fences at the end of a log without records make an opening move its start.
const MARKS_MAX: usize = 8;

/// Replacing `live-start` is tried so often.
const SWAPS_MAX: usize = 10;

/// A kept record.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// `None` if an earlier writer made it and nobody asked.
    last: Option<Seq>,
    bytes: u64,
}

#[derive(Debug)]
struct State {
    /// Number of the next object.
    next: u64,
    stored: Start,
    version: Option<UpdateVersion>,
    records: BTreeMap<u64, Kept>,
    /// Records before the start, to be deleted.
    garbage: Vec<u64>,
    dead: Option<Error>,
}

/// The right to append to a log.
#[derive(Debug)]
pub(super) struct ObjectWriter {
    log: Arc<Log>,
    epoch: Epoch,
    /// Random number that all objects of this writer carry.
    writer: u64,
    state: tokio::sync::Mutex<State>,
    bounds: Mutex<LogBounds>,
}

impl ObjectWriter {
    /// A writer whose last fence is `fence`.
    pub(super) async fn begin(
        log: Arc<Log>,
        epoch: Epoch,
        writer: u64,
        survey: Survey,
        fence: u64,
    ) -> Result<Self> {
        let bounds = LogBounds { epoch, ..survey.bounds() };
        let records = survey.records.iter().map(|(n, len)| (*n, Kept { last: None, bytes: *len }));
        let state = State {
            next: fence + 1,
            stored: survey.stored,
            version: survey.version,
            records: records.collect(),
            garbage: survey.garbage,
            dead: None,
        };
        let this = Self { log, epoch, writer, state: state.into(), bounds: bounds.into() };
        if survey.records.is_empty() && survey.marks > MARKS_MAX {
            // A log that is opened again and again, and not written, would
            // need longer each time.
            let mut state = this.state.lock().await;
            this.move_start(&mut state, fence, survey.last).await?;
        }
        Ok(this)
    }

    fn header(&self, kind: Kind, number: u64, last: Seq) -> Header {
        Header { kind, number, writer: self.writer, epoch: self.epoch, last }
    }

    /// Creates the next object of the log; the result is its number.
    async fn add(
        &self,
        state: &mut State,
        kind: Kind,
        last: Seq,
        payload: impl Fn(&Header) -> object_store::PutPayload,
    ) -> Result<u64> {
        loop {
            let header = self.header(kind, state.next, last);
            if self.log.create(&header, payload(&header)).await? == Created::Yes {
                state.next += 1;
                return Ok(header.number);
            }
            let unknown = |why: &str| {
                let what =
                    format!("journal of {}: object {}: {why}", self.log.branch, header.number);
                Error::new(ErrorKind::OutcomeUnknown, what)
            };
            let found = match self.log.header(header.number).await {
                Ok(Some(found)) => found,
                Ok(None) => return Err(unknown("it was taken, and is gone")),
                Err(e) if e.is_retryable() => return Err(unknown(&e.to_string())),
                Err(e) => return Err(e),
            };
            if found == header {
                // An earlier try of this very object.
                state.next += 1;
                return Ok(header.number);
            }
            if found.kind != Kind::Fence || found.epoch >= self.epoch {
                return Err(fenced(&self.log.branch, self.epoch, found.epoch));
            }
            state.next += 1;
        }
    }

    /// Fails if a later writer has the log.
    async fn check_owner(&self, state: &mut State) -> Result<()> {
        while let Some(found) = self.log.header(state.next).await? {
            if found.kind != Kind::Fence || found.epoch >= self.epoch {
                return Err(fenced(&self.log.branch, self.epoch, found.epoch));
            }
            state.next += 1;
        }
        Ok(())
    }

    async fn do_append(&self, state: &mut State, record: &Record) -> Result<()> {
        let log = &self.log;
        check_follows(&log.branch, self.bounds.lock().last, self.epoch, record)?;
        let payload = |header: &Header| header.record(&log.branch, record);
        let number = self.add(state, Kind::Record, record.last_seq, payload).await?;
        let header = self.header(Kind::Record, number, record.last_seq);
        let bytes = payload(&header).content_length() as u64;
        state.records.insert(number, Kept { last: Some(record.last_seq), bytes });
        let mut bounds = self.bounds.lock();
        bounds.last = record.last_seq;
        bounds.bytes += bytes;
        Ok(())
    }

    async fn do_trim(&self, state: &mut State, through: Seq) -> Result<()> {
        self.check_owner(state).await?;
        let bounds = *self.bounds.lock();
        if through > bounds.last {
            let payload = |header: &Header| header.mark(&self.log.branch);
            let number = self.add(state, Kind::Anew, through, payload).await?;
            {
                let mut bounds = self.bounds.lock();
                (bounds.last, bounds.trimmed, bounds.bytes) = (through, through, 0);
            }
            return self.move_start(state, number, through).await;
        }
        let newest = state.next - 1;
        let numbers: Vec<u64> = state.records.keys().copied().collect();
        let mut gone = 0;
        let mut kept = numbers.len();
        // The newest object stays, to say where the log ends.
        if numbers.last() == Some(&newest) {
            kept -= 1;
        }
        let mut trimmed = bounds.trimmed;
        // The records that end after `through` are those from `gone` on.
        while gone < kept {
            let middle = gone + (kept - gone) / 2;
            let last = self.last_of(state, numbers[middle]).await?;
            if last <= through {
                (gone, trimmed) = (middle + 1, trimmed.max(last));
            } else {
                kept = middle;
            }
        }
        if gone == 0 {
            return Ok(());
        }
        let start = numbers.get(gone).copied().unwrap_or(newest);
        self.move_start(state, start, trimmed).await
    }

    /// The last seq of a record, which may have been trimmed by now.
    async fn last_of(&self, state: &mut State, number: u64) -> Result<Seq> {
        if let Some(Kept { last: Some(last), .. }) = state.records.get(&number) {
            return Ok(*last);
        }
        match self.log.header(number).await? {
            Some(header) if header.kind == Kind::Record => {
                if let Some(kept) = state.records.get_mut(&number) {
                    kept.last = Some(header.last);
                }
                Ok(header.last)
            }
            // An older writer was in the middle of trimming when we took the log.
            _ => {
                (state.stored, state.version) = self.log.start().await?;
                if state.stored.start <= number {
                    return Err(self.log.corrupt(&self.log.path(number), "it is missing"));
                }
                Ok(state.stored.trimmed)
            }
        }
    }

    /// Steps 2 and 3 of a trim.
    async fn move_start(&self, state: &mut State, start: u64, trimmed: Seq) -> Result<()> {
        for _ in 0..SWAPS_MAX {
            // It only ever rises: an older writer may have moved it after our survey.
            let stored = Start {
                start: start.max(state.stored.start),
                trimmed: trimmed.max(state.stored.trimmed),
                swept: state.stored.swept,
            };
            if let Some(version) = self.log.set_start(&stored, state.version.clone()).await? {
                (state.stored, state.version) = (stored, Some(version));
                self.bounds.lock().trimmed = stored.trimmed;
                self.log.wake();
                return self.sweep(state).await;
            }
            // Someone was faster: an older or later writer, or an earlier try of ours.
            self.check_owner(state).await?;
            (state.stored, state.version) = self.log.start().await?;
        }
        let path = self.log.layout.live_start(&self.log.branch);
        let why = format!("journal of {}: {path} cannot be replaced", self.log.branch);
        Err(Error::new(ErrorKind::Unavailable, why).retryable())
    }

    async fn sweep(&self, state: &mut State) -> Result<()> {
        let start = state.stored.start;
        let kept = state.records.split_off(&start);
        let gone = std::mem::replace(&mut state.records, kept);
        self.bounds.lock().bytes = state.records.values().map(|kept| kept.bytes).sum();
        state.garbage.extend(gone.into_keys());
        let paths: Vec<_> = state.garbage.iter().map(|n| Ok(self.log.path(*n))).collect();
        let mut deleted = self.log.store.delete_stream(futures::stream::iter(paths).boxed());
        while let Some(done) = deleted.next().await {
            match done {
                Ok(_) => {}
                Err(e) if firn_engine::object::is_not_found(&e) => {}
                Err(e) => {
                    let folder = self.log.layout.live_segments(&self.log.branch);
                    // Trimmed it is; the next trim deletes them.
                    let error = self.log.failed("DELETE", &folder, e);
                    tracing::warn!(%error, "trimmed records are not deleted yet");
                    return Ok(());
                }
            }
        }
        state.garbage.clear();
        state.stored.swept = start;
        Ok(())
    }

    /// What follows an operation that failed.
    fn ended(&self, state: &mut State, done: Result<()>) -> Result<()> {
        state.dead = match &done {
            Err(e) if !e.is_retryable() => Some(e.clone()),
            _ => None,
        };
        done
    }

    /// What a writer says whose caller went away in the middle.
    fn given_up(&self) -> Error {
        let why = format!("journal of {}: a call was given up half-way", self.log.branch);
        Error::new(ErrorKind::OutcomeUnknown, why)
    }
}

#[async_trait]
impl JournalWriter for ObjectWriter {
    async fn append(&self, record: Record) -> Result<()> {
        let mut state = self.state.lock().await;
        if let Some(e) = &state.dead {
            return Err(e.clone());
        }
        // Stays if this call is dropped while the request is on its way.
        state.dead = Some(self.given_up());
        let done = self.do_append(&mut state, &record).await;
        self.log.wake();
        self.ended(&mut state, done)
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        // For good: fences and a new beginning stay, since older writers may wake up.
        let anew = self.bounds().last.next();
        let through = if through == Seq::MAX { anew } else { through };
        let mut state = self.state.lock().await;
        if let Some(e) = &state.dead {
            return Err(e.clone());
        }
        state.dead = Some(self.given_up());
        let done = self.do_trim(&mut state, through).await;
        self.log.wake();
        self.ended(&mut state, done)
    }

    fn bounds(&self) -> LogBounds {
        *self.bounds.lock()
    }
}
