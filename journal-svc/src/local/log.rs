//! The log of one branch in memory: which segments are kept, where its records
//! end, and who waits for more.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use firn_engine::journal::LogBounds;
use firn_engine::watch;
use firn_engine::{BranchName, Env, Epoch, Error, ErrorKind, Result, Seq};
use parking_lot::Mutex;

use super::chores::Chores;
use super::segment::{RECORDS_AT, Segment, Window};
use super::writer::Running;
use super::{Folder, LocalOptions};
use crate::disk::Disk;

/// Bytes of a segment between entries of its index.
pub(super) const INDEX_BYTES: u64 = 256 << 10;

/// A segment that is part of the log.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) segment: Arc<Segment>,
    /// Seq of its first record, or that the next one would have.
    pub(super) first: Seq,
    /// Seq before which the next record cannot begin: the last one's end.
    pub(super) last: Seq,
    /// Where its records end.
    pub(super) end: u64,
    /// Seqs and offsets of some records.
    index: Vec<(Seq, u64)>,
}

impl Kept {
    /// A segment without records; the first one would have seq `next`.
    pub(super) fn new(segment: Arc<Segment>, next: Seq) -> Self {
        Self { segment, first: next, last: next.prev(), end: RECORDS_AT, index: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.end == RECORDS_AT
    }

    /// Takes in a record that stands at the end and reaches to `end`.
    pub(super) fn push(&mut self, first: Seq, last: Seq, end: u64) {
        if self.is_empty() {
            self.first = first;
        }
        assert!(end > self.end && last >= first, "records have a length");
        if self.index.last().is_none_or(|(_, at)| self.end >= at + INDEX_BYTES) {
            self.index.push((first, self.end));
        }
        self.last = last;
        self.end = end;
    }

    /// Offset of a record at or before the one that contains `seq`.
    fn before(&self, seq: Seq) -> u64 {
        let after = self.index.partition_point(|(first, _)| *first <= seq);
        after.checked_sub(1).map_or(RECORDS_AT, |at| self.index[at].1)
    }

    /// Forgets the records from `seq` on; `false` if none begins there.
    pub(super) fn cut_to(&mut self, seq: Seq) -> std::io::Result<bool> {
        let mut window = Window::new(Arc::clone(&self.segment));
        let mut cut = Self::new(Arc::clone(&self.segment), self.first);
        while cut.end < self.end && cut.last.next() < seq {
            match window.record(cut.end, self.end)? {
                Ok((record, end)) => cut.push(record.first_seq, record.last_seq, end),
                Err(_) => break,
            }
        }
        let found = cut.last.next() == seq;
        *self = cut;
        Ok(found)
    }
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Oldest first; none before the log is opened for the first time.
    pub(super) kept: VecDeque<Kept>,
    pub(super) epoch: Epoch,
    /// Number of the next segment or spare file.
    pub(super) next_number: u64,
    /// Why this log cannot be written any more in this process.
    pub(super) failed: Option<Error>,
}

impl State {
    pub(super) fn bounds(&self) -> LogBounds {
        let (Some(first), Some(last)) = (self.kept.front(), self.kept.back()) else {
            return LogBounds { epoch: self.epoch, ..LogBounds::default() };
        };
        LogBounds {
            trimmed: first.first.prev(),
            last: last.last,
            epoch: self.epoch,
            bytes: self.kept.iter().map(|k| k.end - RECORDS_AT).sum(),
        }
    }

    pub(super) fn take_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }
}

/// The log of one branch.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) env: Env,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) branch: BranchName,
    pub(super) dir: PathBuf,
    pub(super) options: LocalOptions,
    pub(super) state: Mutex<State>,
    /// Counts changes, for readers that wait at the end.
    pub(super) changed: watch::Sender<u64>,
    pub(super) chores: Chores,
    /// Held while the log is opened for writing; the writer that runs.
    pub(super) running: Mutex<Option<Running>>,
    /// Keeps other processes out for as long as anything here runs.
    pub(super) _folder: Arc<Folder>,
}

/// Where a reader is.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) segment: Arc<Segment>,
    pub(super) at: u64,
    /// Records end here as of now.
    pub(super) end: u64,
}

impl Log {
    pub(super) fn bounds(&self) -> LogBounds {
        self.state.lock().bounds()
    }

    /// Changes the state, then wakes those who wait for that.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state.lock());
        self.changed.send_modify(|n| *n += 1);
        changed
    }

    /// Ends all writing in this process; the first reason stays.
    pub(super) fn fail(&self, why: &Error) -> Error {
        self.change(|state| state.failed.get_or_insert_with(|| why.clone()).clone())
    }

    /// Where the record that contains `seq` is, or a little before; `None` if it is to come.
    pub(super) fn place(&self, seq: Seq) -> Result<Option<Place>> {
        let state = self.state.lock();
        let bounds = state.bounds();
        if seq <= bounds.trimmed {
            return Err(crate::trimmed(&self.branch, seq, bounds.trimmed));
        }
        let at = state.kept.partition_point(|k| k.last < seq);
        Ok(state.kept.get(at).map(|kept| Place {
            segment: Arc::clone(&kept.segment),
            at: kept.before(seq),
            end: kept.end,
        }))
    }

    /// The error of an operation on a file. No room is the one that may pass:
    /// nothing was written then.
    pub(super) fn disk_error(
        &self,
        doing: &str,
        path: &std::path::Path,
        e: std::io::Error,
    ) -> Error {
        let full = crate::disk::is_full(&e);
        let what = format!("journal of {}: {doing} {}", self.branch, path.display());
        let error = Error::with_source(ErrorKind::Unavailable, what, e);
        if full && doing == CREATING { error.retryable() } else { error }
    }
}

/// What [`Log::disk_error`] says of new files.
pub(super) const CREATING: &str = "no room for a new file";
