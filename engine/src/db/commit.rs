//! The commit protocol: many writers, one journal record, one sync.
//!
//! Writers put their encoded batches into the open *group* and wait. One task
//! takes the group, gives its commits consecutive seqs, and appends it to the
//! journal as one record. While that record is on its way, the next group
//! fills: the slower the disk, the larger the groups, without a timer.
//!
//! # Order
//!
//! 1. *append*: the record is durable (I1).
//! 2. *apply*: its commits go into the memtable, and cached rows are updated.
//! 3. *publish*: `visible` moves to the record's last seq.
//! 4. *wake*: the writers learn their seqs.
//!
//! Applying before durability would need undoing when the append fails.
//! Publishing before applying would show a snapshot without its commits;
//! before durability, a commit that a crash can take back. Waking before
//! publishing would let a writer miss its own write. Apply, publish and wake
//! of one group happen while the next group's append is on its way, or before it is
//! made, if that lets more writers share it ([`Rhythm`]).
//!
//! # Failures
//!
//! - *Crash* before 1 is done: the commits are unknown to their writers, and
//!   either all of a group's commits are found at recovery or none. After 1:
//!   recovery applies them; writers that were not told will find them.
//! - *Append fails and nothing was written* (a retryable error): the group's
//!   writers get the error, its seqs are used again.
//! - *Append fails otherwise*: the journal's writer is dead. This group's
//!   commits are unknown; groups after it were never attempted. The database
//!   takes no more writes; reads go on at what was published.
//! - *Append does not answer* within `commit_wait_max`: its writers are told
//!   that the outcome is unknown, and writers that wait behind it that nothing
//!   happened. The append itself is waited for still, since it may yet be
//!   stored: a later seq must not overtake it. When it answers, writing goes
//!   on without a restart.
//! - *A writer is cancelled* while it waits: its batch is in the group and
//!   commits nevertheless.
//!
//! # Traces
//!
//! One append serves a whole group, and a span has one parent: the span of the append is
//! within that of the first commit of the group that is traced, so that with a small share of
//! traces nearly every one is whole. The other traced commits have a link to it.
//!
//! Transactions that are in files already take the place of a group: see [`super::run`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::{Instrument, Span};

use super::Inner;
use super::completion::{Completion, Done};
use super::run::RunFailure;
use crate::batch::WriteBatch;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::journal::{JournalWriter, Record};
use crate::manifest::SstMeta;
use crate::types::Seq;
use crate::{new_span, trace};

/// A group is closed when it has this many bytes; more wait for the next one.
const GROUP_BYTES_MAX: usize = 8 << 20;

/// Commits of a group that are linked to the span of its append.
const GROUP_TRACED_MAX: usize = 64;

/// Commits that wait together.
#[derive(Debug, Default)]
struct Group {
    payload: Vec<u8>,
    commits: u64,
    ops: usize,
    completion: Arc<Completion>,
    /// Spans of commits that are traced.
    traced: Vec<Span>,
}

impl Group {
    /// The span of the group's append. From here on its commits' spans end by themselves.
    fn append_span(&mut self, record: &Record) -> Span {
        let mut traced = std::mem::take(&mut self.traced).into_iter();
        let Some(first) = traced.next() else { return Span::none() };
        let span = new_span!(
            &first,
            "journal append",
            first_seq = record.first_seq.0,
            last_seq = record.last_seq.0,
            bytes = record.payload.len(),
        );
        for other in traced {
            other.follows_from(&span);
        }
        span
    }
}

/// Files that are to be committed.
#[derive(Debug)]
struct WaitingRun {
    files: Vec<Arc<SstMeta>>,
    completion: Arc<Completion>,
}

/// Where writers and the commit task meet.
#[derive(Debug, Default)]
pub(super) struct CommitQueue {
    state: Mutex<QueueState>,
    /// Wakes the commit task.
    filled: Notify,
    /// Wakes writers that found the open group full.
    taken: Notify,
}

#[derive(Debug, Default)]
struct QueueState {
    open: Group,
    /// Runs that wait to be committed.
    runs: VecDeque<WaitingRun>,
    /// Why no more commits are taken.
    closed: Option<Error>,
}

impl CommitQueue {
    /// Adds a batch to the open group; the result is its index in the group and the group.
    pub(super) async fn push(&self, batch: &WriteBatch) -> Result<(u64, Done)> {
        loop {
            let taken = self.taken.notified();
            if let Some(pushed) = self.try_push(batch)? {
                return Ok(pushed);
            }
            taken.await;
        }
    }

    fn try_push(&self, batch: &WriteBatch) -> Result<Option<(u64, Done)>> {
        let mut state = self.state.lock();
        if let Some(reason) = &state.closed {
            return Err(reason.clone());
        }
        let group = &mut state.open;
        // One batch always fits, however large.
        if group.commits > 0 && group.payload.len() + batch.byte_len() > GROUP_BYTES_MAX {
            return Ok(None);
        }
        let index = group.commits;
        batch.encode_into(&mut group.payload);
        group.commits += 1;
        group.ops += batch.len();
        if trace::is_on() && group.traced.len() < GROUP_TRACED_MAX {
            let span = trace::current();
            group.traced.extend((!span.is_none()).then_some(span));
        }
        let done = Done::new(Arc::clone(&group.completion));
        drop(state);
        if index == 0 {
            self.filled.notify_one();
        }
        Ok(Some((index, done)))
    }

    /// Adds files that are to be committed; the result is their seq.
    pub(super) fn push_run(&self, files: Vec<Arc<SstMeta>>) -> Result<Done> {
        let completion = Arc::new(Completion::default());
        {
            let mut state = self.state.lock();
            if let Some(reason) = &state.closed {
                return Err(reason.clone());
            }
            state.runs.push_back(WaitingRun { files, completion: Arc::clone(&completion) });
        }
        self.filled.notify_one();
        Ok(Done::new(completion))
    }

    fn take_run(&self) -> Option<WaitingRun> {
        self.state.lock().runs.pop_front()
    }

    /// Commits that wait in the open group.
    fn waiting(&self) -> u64 {
        self.state.lock().open.commits
    }

    /// Takes the open group if it has commits.
    fn take(&self) -> Option<Group> {
        let mut state = self.state.lock();
        if state.open.commits == 0 {
            return None;
        }
        let capacity = state.open.payload.capacity().min(GROUP_BYTES_MAX);
        let next = Group { payload: Vec::with_capacity(capacity), ..Group::default() };
        let group = std::mem::replace(&mut state.open, next);
        drop(state);
        self.taken.notify_waiters();
        Some(group)
    }

    /// Refuses all commits from now on, those that wait included.
    pub(super) fn close(&self, reason: &Error) {
        let (group, runs) = {
            let mut state = self.state.lock();
            state.closed.get_or_insert_with(|| reason.clone());
            (std::mem::take(&mut state.open), std::mem::take(&mut state.runs))
        };
        group.completion.complete(Err(reason.clone()));
        for run in runs {
            run.completion.complete(Err(reason.clone()));
        }
        self.taken.notify_waiters();
        self.filled.notify_one();
    }

    /// Why commits are refused, if they are.
    pub(super) fn closed(&self) -> Option<Error> {
        self.state.lock().closed.clone()
    }
}

/// So many writers together are worth gathering: fewer cannot share much, and more make groups
/// in which a commit costs little as they are.
const GATHERED: std::ops::Range<u64> = 8..1024;
/// How many turns the writers of a group get to come back.
const GATHER_TURNS_MAX: usize = 4;
/// After a group whose writers did not come back, so many are not waited for.
const GATHER_REST: u32 = 64;

/// Whether a group is finished before the next is appended, so that its writers can be in that
/// one. Otherwise two halves of the writers alternate for ever, each waiting for the other's
/// append, and twice as many appends are made. It is worth it if the journal is what is waited
/// for, and not the finishing, which is done meanwhile else; and if writers come back at once.
#[derive(Debug, Default)]
struct Rhythm {
    /// How long an append takes, and finishing a commit: running averages.
    append_ns: u64,
    finish_ns: u64,
    gathering: bool,
    rest: u32,
}

impl Rhythm {
    fn add(average: &mut u64, took: Duration, count: u64) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / count.max(1);
        *average = (*average - *average / 4).saturating_add(ns / 4);
    }

    fn appended(&mut self, took: Duration) {
        Self::add(&mut self.append_ns, took, 1);
    }

    fn finished(&mut self, took: Duration, commits: u64) {
        Self::add(&mut self.finish_ns, took, commits);
    }

    /// Whether a group of so many, behind which others wait, is finished first.
    fn gathers(&mut self, commits: u64, waiting: u64) -> bool {
        let writers = commits + waiting;
        let finishing = self.finish_ns.saturating_mul(writers);
        // Changing to and fro would be worse than either.
        let enough = if self.gathering { finishing / 2 } else { finishing };
        self.gathering = GATHERED.contains(&writers) && self.append_ns >= enough;
        let rests = self.rest > 0;
        self.rest = self.rest.saturating_sub(1);
        self.gathering && !rests
    }

    /// Of a group of so many, so many came back.
    fn gathered(&mut self, commits: u64, back: u64) {
        if back < commits / 2 {
            self.rest = GATHER_REST;
        }
    }
}

/// Groups of one commit, none of which was there before the one before was done, after
/// which a writer counts as alone.
const ALONE_AFTER: u32 = 8;

/// Whether one writer at a time commits, so that nobody is kept waiting by a record that
/// is written where its commit is.
#[derive(Debug, Default)]
struct Solitude {
    /// The queue was empty.
    waited: bool,
    /// Groups in a row.
    groups: u32,
}

impl Solitude {
    fn waited(&mut self) {
        self.waited = true;
    }

    /// A group is taken.
    fn comes(&mut self, commits: u64) -> bool {
        let alone = std::mem::take(&mut self.waited) && commits == 1;
        self.groups = if alone { self.groups.saturating_add(1) } else { 0 };
        self.groups >= ALONE_AFTER
    }
}

/// A group whose record is durable.
struct Durable {
    record: Record,
    ops: usize,
    completion: Arc<Completion>,
}

/// Runs until the queue is closed or the journal's writer is dead.
pub(super) async fn run(db: Arc<Inner>, journal: Arc<dyn JournalWriter>) {
    let mut last = db.visible();
    let mut durable: Option<Durable> = None;
    let mut solitude = Solitude::default();
    let mut rhythm = Rhythm::default();
    loop {
        if let Some(run) = db.queue.take_run() {
            if let Some(done) = durable.take() {
                db.finish_commit(done, &mut rhythm);
            }
            match commit_run(&db, &*journal, run, last).await {
                Some(seq) => last = seq,
                None => return,
            }
            continue;
        }
        let waiting = db.queue.waiting();
        if let Some(done) = durable.take_if(|d| rhythm.gathers(d.record.commits(), waiting)) {
            gather(&db, done, &mut rhythm).await;
        }
        let Some(mut group) = db.queue.take() else {
            if let Some(done) = durable.take() {
                db.finish_commit(done, &mut rhythm);
                continue;
            }
            if db.queue.closed().is_some() {
                return;
            }
            db.queue.filled.notified().await;
            solitude.waited();
            continue;
        };
        let alone = solitude.comes(group.commits);
        let record = Record {
            epoch: db.epoch,
            first_seq: last.next(),
            last_seq: Seq(last.0 + group.commits),
            unix_ms: db.env.unix_ms(),
            payload: Bytes::from(std::mem::take(&mut group.payload)),
        };
        let span = group.append_span(&record);
        let begun = db.env.now();
        let append = append(&db, &*journal, record.clone(), alone, &group.completion)
            .instrument(span.clone());
        let finish = async {
            if let Some(done) = durable.take() {
                db.finish_commit(done, &mut rhythm);
            }
        };
        // The append is polled first: it is on its way while the last group is applied.
        let (appended, ()) = futures::join!(append, finish);
        if let Err(error) = &appended {
            trace::failed(&span, error);
        }
        drop(span);
        rhythm.appended(db.env.now().since(begun));
        match appended {
            Ok(()) => {
                last = record.last_seq;
                let (ops, completion) = (group.ops, group.completion);
                durable = Some(Durable { record, ops, completion });
            }
            Err(e) if e.is_retryable() => group.completion.complete(Err(e)),
            Err(e) => {
                let told = match e.kind() {
                    // The journal refused the record: it is certain that nothing was written.
                    ErrorKind::Fenced | ErrorKind::BadRequest => e.clone(),
                    _ => Error::with_source(
                        ErrorKind::OutcomeUnknown,
                        "commit: the journal failed, so it is not known whether it took effect",
                        e.clone(),
                    ),
                };
                group.completion.complete(Err(told));
                let why = "no more writes: the journal is lost to this writer";
                db.fail(&match e.kind() {
                    // The group's fate is unknown, but not whose the branch is now.
                    _ if e.is_caused_by(ErrorKind::Fenced) => {
                        Error::with_source(ErrorKind::Fenced, why, e)
                    }
                    // Of this group; what comes after it is not written, for certain.
                    ErrorKind::OutcomeUnknown => Error::with_source(ErrorKind::Unavailable, why, e),
                    _ => e.context(why),
                });
                return;
            }
        }
    }
}

/// Finishes a group and lets its writers come back.
async fn gather(db: &Inner, done: Durable, rhythm: &mut Rhythm) {
    let (commits, before) = (done.record.commits(), db.queue.waiting());
    db.finish_commit(done, rhythm);
    let mut waiting = before;
    for _ in 0..GATHER_TURNS_MAX {
        db.env.yield_now().await;
        let now = db.queue.waiting();
        if now <= waiting {
            break;
        }
        waiting = now;
    }
    rhythm.gathered(commits, waiting - before);
}

/// Commits a run behind everything up to `last`; the last seq then, or `None` if writing
/// has ended.
async fn commit_run(
    db: &Arc<Inner>,
    journal: &dyn JournalWriter,
    run: WaitingRun,
    last: Seq,
) -> Option<Seq> {
    let WaitingRun { files, completion } = run;
    let (told, why) = match db.commit_files(journal, &files, last, &completion).await {
        Ok(seq) => {
            completion.complete(Ok(seq));
            return Some(seq);
        }
        Err(RunFailure::Nothing(e)) => {
            // Its objects go at once.
            db.drop_files(&files);
            completion.complete(Err(e));
            return Some(last);
        }
        Err(RunFailure::Journal(e)) => (e.clone(), e),
        Err(RunFailure::Lost(e)) => {
            let told = Error::with_source(
                ErrorKind::OutcomeUnknown,
                "commit: the manifest did not answer, so it is not known whether it took effect",
                e.clone(),
            );
            (told, e)
        }
    };
    completion.complete(Err(told));
    db.fail(&match why.kind() {
        ErrorKind::OutcomeUnknown => {
            Error::with_source(ErrorKind::Unavailable, "no more writes", why)
        }
        _ => why.context("no more writes"),
    });
    None
}

/// Appends, telling those that wait when it takes too long.
pub(super) async fn append(
    db: &Inner,
    journal: &dyn JournalWriter,
    record: Record,
    alone: bool,
    completion: &Completion,
) -> Result<()> {
    db.counts.commit_group(record.commits(), record.payload.len());
    let append = if alone { journal.append_alone(record) } else { journal.append(record) };
    let mut append = append.fuse();
    // The first polls are for free: most appends are done before a timer is needed.
    loop {
        let timer = db.env.sleep(db.options.commit_wait_max).fuse();
        futures::pin_mut!(timer);
        futures::select_biased! {
            appended = append => {
                db.stalled.store(None);
                return appended.context(|| "journal append");
            }
            () = timer => {
                let waited = db.options.commit_wait_max;
                tracing::warn!(?waited, "the journal does not answer");
                let unknown = Error::new(
                    ErrorKind::OutcomeUnknown,
                    format!("commit: the journal did not answer within {waited:?}"),
                );
                completion.complete(Err(unknown));
                let stalled = Error::new(
                    ErrorKind::Unavailable,
                    format!("nothing was written: the journal has not answered for {waited:?}"),
                )
                .retryable();
                db.stalled.store(Some(Arc::new(stalled.clone())));
                db.refuse_waiting(&stalled);
            }
        }
    }
}

impl Inner {
    /// Refuses those that wait now: nothing of theirs is written.
    pub(super) fn refuse_waiting(&self, reason: &Error) {
        if let Some(group) = self.queue.take() {
            group.completion.complete(Err(reason.clone()));
        }
        while let Some(run) = self.queue.take_run() {
            self.drop_files(&run.files);
            run.completion.complete(Err(reason.clone()));
        }
    }

    /// Steps 2 to 4 for a durable group.
    fn finish_commit(&self, done: Durable, rhythm: &mut Rhythm) {
        let begun = self.env.now();
        self.apply(&done.record, done.ops);
        self.publish(done.record.last_seq);
        done.completion.complete(Ok(done.record.first_seq));
        rhythm.finished(self.env.now().since(begun), done.record.commits());
    }
}

#[cfg(test)]
mod tests;
