//! A journal in memory, for tests and benchmarks.
//!
//! It outlives the databases that use it, for as long as one clone of it is
//! kept, and holds each record until it is trimmed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, Record, RecordStream, frame};
use firn_engine::watch;
use firn_engine::{BranchName, Epoch, Error, ErrorKind, Result, Seq};
use futures::StreamExt;
use parking_lot::Mutex;

#[cfg(test)]
mod tests;

use crate::{check_follows, fenced, trimmed};

/// How an append is made to fail, for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendFault {
    /// Nothing is written and the error says so: it is retryable.
    Refused,
    /// Nothing is written, but that is not known.
    Lost,
    /// The record is written, but that is not known.
    ReplyLost,
}

/// Logs by branch. A clone is the same journal.
#[derive(Debug, Default, Clone)]
pub struct MemoryJournal(Arc<Mutex<BTreeMap<BranchName, Arc<Log>>>>);

#[derive(Debug, Default)]
struct Log {
    state: Mutex<State>,
    /// Counts changes, for readers that wait at the end.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    bounds: LogBounds,
    records: VecDeque<Record>,
    /// Counts openings: tells two writers of one epoch apart.
    generation: u64,
    fault: Option<AppendFault>,
}

#[derive(Debug)]
struct Writer {
    branch: BranchName,
    log: Arc<Log>,
    epoch: Epoch,
    generation: u64,
    /// Why this writer is dead.
    dead: Mutex<Option<Error>>,
}

impl MemoryJournal {
    fn log(&self, branch: &BranchName) -> Arc<Log> {
        Arc::clone(self.0.lock().entry(branch.clone()).or_default())
    }

    /// Makes the next append to the log of `branch` fail.
    pub fn fail_next_append(&self, branch: &BranchName, fault: AppendFault) {
        self.log(branch).state.lock().fault = Some(fault);
    }

    fn stream(&self, branch: &BranchName, from: Seq, tail: bool) -> Result<RecordStream> {
        let log = self.log(branch);
        let end = {
            let state = log.state.lock();
            if from <= state.bounds.trimmed {
                return Err(trimmed(branch, from, state.bounds.trimmed));
            }
            if tail { Seq::MAX } else { state.bounds.last }
        };
        let reader = Reader { branch: branch.clone(), changed: log.changed.subscribe(), log, end };
        let stream = futures::stream::unfold(Some((reader, from)), |state| async move {
            let (mut reader, next) = state?;
            match reader.next(next).await {
                Ok(None) => None,
                Ok(Some(record)) => {
                    let after = record.last_seq.next();
                    Some((Ok(record), Some((reader, after))))
                }
                Err(e) => Some((Err(e), None)),
            }
        });
        Ok(stream.boxed())
    }
}

struct Reader {
    branch: BranchName,
    log: Arc<Log>,
    changed: watch::Receiver<u64>,
    end: Seq,
}

impl Reader {
    /// The record that contains `seq`, or the first after it.
    async fn next(&mut self, seq: Seq) -> Result<Option<Record>> {
        loop {
            self.changed.borrow_and_update();
            if seq > self.end {
                return Ok(None);
            }
            {
                let state = self.log.state.lock();
                if seq <= state.bounds.trimmed {
                    return Err(trimmed(&self.branch, seq, state.bounds.trimmed));
                }
                let at = state.records.partition_point(|r| r.last_seq < seq);
                if let Some(record) = state.records.get(at) {
                    return Ok(Some(record.clone()));
                }
            }
            if self.changed.changed().await.is_err() {
                return Ok(None);
            }
        }
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        let log = self.log(branch);
        let mut state = log.state.lock();
        if epoch < state.bounds.epoch {
            return Err(fenced(branch, epoch, state.bounds.epoch));
        }
        state.bounds.epoch = epoch;
        state.generation += 1;
        let generation = state.generation;
        drop(state);
        let dead = Mutex::new(None);
        Ok(Arc::new(Writer { branch: branch.clone(), log, epoch, generation, dead }))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        Ok(self.0.lock().get(branch).map(|log| log.state.lock().bounds).unwrap_or_default())
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.stream(branch, from, false)
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.stream(branch, from, true)
    }
}

impl Writer {
    /// Runs `work` on the log if this writer is alive and owns it. An error
    /// that is not retryable ends the writer.
    fn as_owner(&self, work: impl FnOnce(&mut State) -> Result<()>) -> Result<()> {
        let mut dead = self.dead.lock();
        if let Some(e) = &*dead {
            return Err(e.clone());
        }
        let mut state = self.log.state.lock();
        let done = if state.generation == self.generation {
            work(&mut state)
        } else {
            Err(fenced(&self.branch, self.epoch, state.bounds.epoch))
        };
        drop(state);
        if let Err(e) = &done
            && !e.is_retryable()
        {
            *dead = Some(e.clone());
        }
        self.log.changed.send_modify(|n| *n += 1);
        done
    }
}

fn len(record: &Record) -> u64 {
    (frame::HEADER_LEN + record.payload.len()) as u64
}

#[async_trait]
impl JournalWriter for Writer {
    async fn append(&self, record: Record) -> Result<()> {
        self.as_owner(|state| {
            check_follows(&self.branch, state.bounds.last, self.epoch, &record)?;
            let fault = state.fault.take();
            let failed = |kind| {
                Error::new(kind, format!("journal of {}: a fault of {fault:?}", self.branch))
            };
            match fault {
                Some(AppendFault::Refused) => return Err(failed(ErrorKind::Retry)),
                Some(AppendFault::Lost) => return Err(failed(ErrorKind::OutcomeUnknown)),
                Some(AppendFault::ReplyLost) | None => {}
            }
            state.bounds.last = record.last_seq;
            state.bounds.bytes += len(&record);
            state.records.push_back(record);
            fault.map_or(Ok(()), |_| Err(failed(ErrorKind::OutcomeUnknown)))
        })
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        if through == Seq::MAX {
            // Writers and readers that are left see it empty, and refuse older epochs.
            let last = self.bounds().last;
            return self.trim(last).await;
        }
        self.as_owner(|state| {
            while let Some(first) = state.records.front()
                && first.last_seq <= through
            {
                state.bounds.bytes -= len(first);
                state.records.pop_front();
            }
            match state.records.front() {
                Some(kept) => state.bounds.trimmed = kept.first_seq.prev(),
                None => {
                    state.bounds.last = state.bounds.last.max(through);
                    state.bounds.trimmed = state.bounds.last;
                }
            }
            Ok(())
        })
    }

    fn bounds(&self) -> LogBounds {
        self.log.state.lock().bounds
    }
}
