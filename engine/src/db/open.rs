//! Opening a branch for writing.
//!
//! # Order
//!
//! 0. *ask the journal* for the bounds of the branch's log. What they are does not matter:
//!    whoever cannot reach the journal must not take the branch from a writer that can.
//! 1. *claim* the branch: the manifest's epoch goes up. Which one that is is known from here
//!    on: several may have been called the same, one after the other (`BranchName`). From here on the old
//!    writer can commit no flush. The same version holds this reader's lease:
//!    garbage collection keeps what it will read.
//! 2. *open the journal* under the new epoch: the old writer can append
//!    nothing more. What it had appended is in the log.
//! 3. *replay* everything after the manifest's `flushed_seq`.
//! 4. Take writes.
//!
//! Opening the journal before claiming would leave the old writer alive in the
//! manifest: it could commit a flush, and trim the journal, of seqs that the
//! new writer has replayed and is about to commit itself. Replaying before the
//! journal is fenced would miss what the old writer still appends and
//! acknowledges. A crash between any two steps leaves a higher epoch that
//! nobody uses, which is harmless. The claim is made once; if opening fails
//! later, opening again claims again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use arc_swap::{ArcSwap, ArcSwapOption};
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::admission::Admission;
use super::commit::CommitQueue;
use super::snapshot::Snapshots;
use super::state::{State, Views};
use super::stats::Counts;
use super::{Db, Inner, Options, Parts, commit, flush, write};
use crate::cache::{BlockIo, RowCache};
use crate::env::TaskClass;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::memtable::Memtable;
use crate::sst::file::PinBudget;
use crate::storage::{LEASE_RENEW, VersionWatch};
use crate::types::Seq;
use crate::view::View;

pub(super) async fn open(parts: Parts, mut options: Options) -> Result<Db> {
    options.check()?;
    let branch = options.branch.clone();
    let inner = async {
        parts.journal.bounds(&branch).await?;
        let version = parts.storage.claim(&branch, &options.writer).await?;
        let holder = version.writer_lease();
        options.branch = version.branch.clone();
        let journal = parts.journal.open(&version.branch, version.epoch).await?;
        let flushed = version.flushed_seq;
        let pins = PinBudget::new(options.pinned_bytes);
        let view = Arc::new(View::new(Arc::clone(&version), &[], &pins));
        let mem = Arc::new(Memtable::new(options.memtable_bytes));
        let io = Arc::new(BlockIo::new(options.block_cache_bytes, parts.disk_cache, parts.blocks));
        let rows = RowCache::new(options.row_cache_bytes);
        let inner = Arc::new(Inner {
            store: parts.store,
            layout: parts.layout,
            storage: parts.storage,
            journal,
            holder,
            epoch: version.epoch,
            branch_uid: version.branch_uid,
            queue: CommitQueue::default(),
            run_objects: AtomicU64::new(0),
            visible: AtomicU64::new(flushed.0),
            state: ArcSwap::from_pointee(State { mem, frozen: Vec::new(), view }),
            state_change: Mutex::new(Views::default()),
            state_changed: Notify::new(),
            applying: Mutex::new(()),
            io,
            rows,
            pins,
            snapshots: Snapshots::default(),
            failed: ArcSwapOption::empty(),
            stalled: ArcSwapOption::empty(),
            flush_trouble: ArcSwapOption::empty(),
            closing: AtomicBool::new(false),
            flush_wanted: Notify::new(),
            admission: Admission::new(parts.env.now()),
            counts: Counts::default(),
            env: parts.env,
            options,
        });
        inner.first_view();
        Ok(inner)
    };
    let inner: Arc<Inner> = inner.await.context(|| format!("opening {branch:?}"))?;
    let db = Db { inner: Arc::clone(&inner), tasks: Mutex::new(Vec::new()) };
    // Replay may need flushes to make room.
    let flusher =
        inner.env.spawn(TaskClass::Background, "flush-order", flush::run(Arc::clone(&inner)));
    replay(&inner, parts.journal.as_ref()).await.context(|| format!("replaying {branch:?}"))?;
    let versions = inner.storage.watch(&inner.options.branch).await?;
    let journal = Arc::clone(&inner.journal);
    let env = &inner.env;
    let commits =
        env.spawn(TaskClass::Foreground, "commit", commit::run(Arc::clone(&inner), journal));
    let asked = flush::answer(Arc::clone(&inner), versions.clone());
    let answers = env.spawn(TaskClass::Background, "answer-flush", asked);
    let follow = follow_versions(Arc::clone(&inner), versions);
    let follower = env.spawn(TaskClass::Background, "versions", follow);
    let lease = env.spawn(TaskClass::Background, "lease", keep_lease(Arc::clone(&inner)));
    // `Db::close` relies on the commit task being the first.
    db.tasks.lock().extend([commits, flusher, follower, lease, answers]);
    Ok(db)
}

/// Step 3.
async fn replay(db: &Inner, journal: &dyn crate::journal::Journal) -> Result<()> {
    let bounds = db.journal.bounds();
    let mut last = db.visible();
    if bounds.trimmed > last {
        return Err(Error::corrupt(format!(
            "the journal starts after seq {}, but files end at {last}: commits are missing",
            bounds.trimmed
        )));
    }
    if bounds.last <= last {
        // The journal ends before the files do: it was lost with its disk, or
        // there never was one.
        return start_after(db, bounds.last).await;
    }
    let mut records = match journal.read(&db.options.branch, last.next()).await {
        Ok(records) => records,
        Err(error) => return Err(unless_overtaken(db, journal, error).await),
    };
    while let Some(record) = records.next().await {
        let mut record = match record {
            Ok(record) => record,
            Err(error) => return Err(unless_overtaken(db, journal, error).await),
        };
        if record.last_seq <= last {
            continue;
        }
        if record.first_seq > last.next() {
            return Err(Error::corrupt(format!(
                "the journal goes from seq {last} to {}",
                record.first_seq
            )));
        }
        if record.first_seq <= last {
            record = write::without_first(record, last)?;
        }
        let ops = write::count_ops(&record)?;
        make_room(db).await?;
        db.apply(&record, ops);
        last = record.last_seq;
        db.publish(last);
        db.counts.replayed(record.payload.len() as u64);
    }
    if last < bounds.last {
        return Err(Error::corrupt(format!(
            "the journal ends at seq {last}, before its end at {}",
            bounds.last
        )));
    }
    start_after(db, last).await
}

/// Why the log cannot be read. Reading it needs no epoch: a newer writer may have replayed,
/// flushed and trimmed what is still to be read here.
async fn unless_overtaken(
    db: &Inner,
    journal: &dyn crate::journal::Journal,
    error: Error,
) -> Error {
    if error.kind() == ErrorKind::BadRequest
        && let Ok(bounds) = journal.bounds(&db.options.branch).await
        && bounds.epoch > db.epoch
    {
        let why = format!("epoch {} has taken the journal meanwhile", bounds.epoch);
        return Error::with_source(ErrorKind::Fenced, why, error);
    }
    error
}

/// Waits until there is memory for more of the journal.
async fn make_room(db: &Inner) -> Result<()> {
    let (limit, max) = (db.options.admission_wait_max, db.options.memtables_max);
    let room = db.wait_until(|s| s.frozen.len() + 1 < max || db.is_closing());
    if db.env.timeout(limit, room).await.is_none() {
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!(
                "memory is full and was not flushed within {limit:?}: {}",
                db.pressure_reason()
            ),
        )
        .retryable());
    }
    match db.failed.load().as_deref() {
        Some(e) => Err(e.clone()),
        None => Ok(()),
    }
}

/// Makes the next commit follow everything that ever had a seq: what is in
/// files, what the journal holds up to `logged`, and the GC watermark, which a
/// lost journal may have been behind of. A seq at or below the watermark would
/// be given to a version that merges take for superseded.
async fn start_after(db: &Inner, logged: Seq) -> Result<()> {
    let watermark = db.state.load().view.version.watermark.seq;
    let start = db.visible().max(watermark);
    db.publish(start);
    // The row cache has not seen the commits up to here.
    db.rows.swept(start);
    if start > logged {
        db.journal.trim(start).await?;
    }
    Ok(())
}

/// Takes in versions as they are committed, by whomever.
async fn follow_versions(db: Arc<Inner>, mut versions: VersionWatch) {
    loop {
        let newest = Arc::clone(&versions.borrow_and_update());
        let ahead = db.refill(&newest).await;
        db.install_with(newest, Some(&ahead));
        if versions.changed().await.is_err() || db.is_closing() {
            return;
        }
    }
}

/// Renews this reader's lease.
async fn keep_lease(db: Arc<Inner>) {
    while !db.is_closing() {
        if let Err(error) = db.storage.renew_lease(&db.options.branch, &db.holder, db.lease()).await
        {
            tracing::warn!(%error, "the lease was not renewed");
        }
        db.env.sleep(LEASE_RENEW).await;
    }
}
