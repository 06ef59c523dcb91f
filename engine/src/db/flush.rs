//! The flush protocol: a memtable becomes files, then leaves the journal.
//!
//! # Order
//!
//! 1. *freeze*: the memtable takes no more commits.
//! 2. *store*: its files are uploaded, named by this epoch and a counter that
//!    no other flush uses. Several memtables may be at this step together.
//! 3. *commit*: the manifest that names the files, and `flushed_seq`, is
//!    stored. In seq order: a memtable's commit waits for the one before.
//! 4. *drop*: readers get the new version; the memtable goes.
//! 5. *trim*: the journal may forget what is up to the stored `flushed_seq`.
//!
//! Committing out of order would name a `flushed_seq` whose predecessors are
//! only in memory: a crash then loses them, since replay starts after it.
//! Trimming before the commit is stored loses the memtable in a crash between
//! the two. Dropping the memtable before readers have the version would hide
//! its commits.
//!
//! # Crashes, retries, fencing
//!
//! A crash between 2 and 3 leaves objects that no manifest names; their epoch
//! is over once the next writer has claimed the branch, and garbage collection
//! deletes them. Between 3 and 4 or 5: replay starts after `flushed_seq`, and
//! the journal is trimmed by the next flush. A failed upload or commit is
//! tried again, with growing pauses, for as long as the database is open;
//! admission slows writers down meanwhile. A commit whose reply was lost is
//! recognised by the storage owner. A fenced commit ends the database.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tracing::{Instrument, Span};

use super::Inner;
use crate::env::{Task, TaskClass};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::manifest::SstMeta;
use crate::memtable::Memtable;
use crate::merge::{Target, flush_memtable};
use crate::storage::{FlushCommit, VersionWatch};
use crate::types::ObjectId;
use crate::{root_span, trace};

/// Memtables being stored at once.
const FLUSHES_IN_FLIGHT: usize = 2;

/// Objects that one try of one flush may store.
const OBJECTS_PER_FLUSH: u64 = 1 << 24;

const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// A memtable being stored.
struct Flight {
    table: Arc<Memtable>,
    /// Objects with a smaller counter belong to this or earlier flushes.
    decided: u64,
    task: Task<Result<Vec<Arc<SstMeta>>>>,
    span: Span,
}

/// Runs until the database closes or fails.
pub(super) async fn run(db: Arc<Inner>) {
    let mut flights: VecDeque<Flight> = VecDeque::new();
    let mut next_flush = 1u64;
    loop {
        if db.is_closing() {
            for flight in flights {
                flight.task.abort();
            }
            return;
        }
        let frozen = db.state.load().frozen.clone();
        for table in frozen.iter().rev() {
            let known = flights.iter().any(|f| Arc::ptr_eq(&f.table, table));
            if !known && flights.len() < FLUSHES_IN_FLIGHT {
                flights.push_back(start(&db, table, &mut next_flush));
            }
        }
        let Some(flight) = flights.pop_front() else {
            db.flush_wanted.notified().await;
            continue;
        };
        if !land(&db, flight, &mut next_flush).await {
            for flight in flights {
                flight.task.abort();
            }
            return;
        }
    }
}

/// Begins step 2 for a memtable.
fn start(db: &Arc<Inner>, table: &Arc<Memtable>, next_flush: &mut u64) -> Flight {
    let first = *next_flush * OBJECTS_PER_FLUSH;
    *next_flush += 1;
    let first_id = ObjectId { branch: db.branch_uid, counter: first, epoch: db.epoch };
    let (inner, frozen) = (Arc::clone(db), Arc::clone(table));
    let span = root_span!(&db.env, "flush", bytes = table.bytes(), last_seq = table.last_seq().0);
    let flush = async move {
        let target = Target {
            env: inner.env.clone(),
            store: Arc::clone(&inner.store),
            layout: inner.layout.clone(),
        };
        // The freshest watermark: it decides which overwritten versions are left out.
        let version = inner.storage.advance_watermark(&inner.options.branch).await?;
        flush_memtable(&target, &frozen, &version, first_id, inner.options.file_bytes_max).await
    };
    let task = db.env.spawn(TaskClass::Background, "flush", flush.instrument(span.clone()));
    Flight { table: Arc::clone(table), decided: first + OBJECTS_PER_FLUSH, task, span }
}

/// Steps 3 to 5, with retries of everything; `false` if the database is closing or lost.
async fn land(db: &Arc<Inner>, mut flight: Flight, next_flush: &mut u64) -> bool {
    let mut pause = RETRY_FIRST;
    loop {
        let stored = match flight.task.await {
            Some(stored) => stored,
            None if db.is_closing() => return false,
            None => Err(Error::internal("flush: its task ended without a result")),
        };
        let outcome = match stored {
            Ok(files) => {
                let commit = commit(db, &flight.table, files, flight.decided);
                commit.instrument(flight.span.clone()).await
            }
            Err(e) => Err(e),
        };
        let span = std::mem::replace(&mut flight.span, Span::none());
        let Err(error) = outcome else {
            db.flush_trouble.store(None);
            return true;
        };
        if error.kind() == ErrorKind::Fenced {
            db.fail(&error);
            return false;
        }
        trace::failed(&span, &error);
        drop(span);
        tracing::warn!(%error, ?pause, "a flush failed and will be tried again");
        db.flush_trouble.store(Some(Arc::new(error)));
        db.state_changed.notify_waiters();
        let wake = db.flush_wanted.notified();
        // A close must not wait for the pause; other wakes only shorten it.
        let _ = db.env.timeout(db.env.jittered(pause), wake).await;
        if db.is_closing() {
            return false;
        }
        pause = (pause * 2).min(RETRY_MAX);
        flight = start(db, &flight.table, next_flush);
    }
}

async fn commit(
    db: &Inner,
    table: &Memtable,
    files: Vec<Arc<SstMeta>>,
    decided_counter: u64,
) -> Result<()> {
    let flushed_seq = table.last_seq();
    let bytes = files.iter().map(|f| f.total_bytes()).sum();
    let flush =
        FlushCommit { epoch: db.epoch, files, flushed_seq, decided_counter, times: table.times() };
    let version = db.storage.commit_flush(&db.options.branch, flush).await?;
    assert!(version.flushed_seq >= flushed_seq, "the stored version holds the flush");
    db.counts.flushed(table.bytes() as u64, bytes);
    db.admission.flushed(db.env.now(), table.bytes() as u64);
    db.install(version);
    // A failed trim only costs disk; the next flush trims further.
    match db.journal.trim(flushed_seq).await {
        Err(e) if e.kind() == ErrorKind::Fenced => Err(e),
        Err(error) => {
            tracing::warn!(%error, "the journal was not trimmed");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// How long a flush that was asked for may take before it is tried again.
const ASKED_MAX: Duration = Duration::from_secs(60);

/// Puts everything into files when somebody asks for that through the manifest: what was
/// acknowledged before the request was stored is visible here when it is seen.
pub(super) async fn answer(db: Arc<Inner>, mut versions: VersionWatch) {
    loop {
        let (wanted, answered) = {
            let newest = versions.borrow_and_update();
            (newest.flush_wanted, newest.flush_answered)
        };
        if wanted > answered {
            let flushed = async {
                db.flush(ASKED_MAX).await?;
                db.storage.answer_flush(&db.options.branch, db.epoch, wanted).await
            };
            if let Err(error) = flushed.await {
                tracing::warn!(%error, "a flush that was asked for failed");
                if error.kind() == ErrorKind::Fenced || db.failed.load().is_some() {
                    return;
                }
                db.env.sleep(RETRY_FIRST).await;
                if !db.is_closing() {
                    continue;
                }
            }
        }
        if db.is_closing() || versions.changed().await.is_err() {
            return;
        }
    }
}

impl Inner {
    pub(super) async fn flush(&self, limit: Duration) -> Result<()> {
        self.check_open()?;
        let through = self.visible();
        {
            let applying = self.applying.lock();
            let state = self.state.load();
            if !state.mem.is_empty() && state.view.version.flushed_seq < through {
                drop(state);
                self.rotate(&applying, 0);
            }
        }
        let flushed = self.wait_until(|state| {
            state.view.version.flushed_seq >= through || self.failed.load().is_some()
        });
        let in_time = self.env.timeout(limit, flushed).await.is_some();
        if let Some(e) = self.failed.load().as_deref() {
            return Err(e.clone());
        }
        if in_time {
            return Ok(());
        }
        let trouble = self.flush_trouble.load_full().map(|e| (*e).clone()).unwrap_or_else(|| {
            Error::new(ErrorKind::Unavailable, "it is still under way").retryable()
        });
        Err(trouble).context(|| format!("flush: not done within {limit:?}"))
    }
}
