//! The end of a log, where records are written.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::journal::{Record, frame};
use firn_engine::{BranchName, Epoch, Error, ErrorKind, Result, Seq};
use parking_lot::Mutex;

use super::chores::Prepared;
use super::log::{Kept, Log};
use super::segment::{RECORDS_AT, Segment, Start, record_pages};
use crate::check_follows;
use crate::disk::{PAGE, Pages, whole_pages};

/// Written at once.
const PIECE_BYTES: usize = 2 << 20;

/// Longest record that counts as quick to write.
const QUICK_BYTES: u64 = 64 << 10;

/// Why a writer is dead.
pub(super) type Dead = Arc<Mutex<Option<Error>>>;

/// Writes records behind one another. All of it blocks.
pub(super) struct Appender {
    log: Arc<Log>,
    epoch: Epoch,
    last: Seq,
    active: Arc<Segment>,
    /// Where the next record goes.
    end: u64,
    prepared: Option<Prepared>,
    buffer: Pages,
    dead: Dead,
    /// A call began and did not end: it panicked, and nothing here can be relied on.
    at_work: bool,
    /// How long the last record took.
    last_write: Duration,
}

impl std::fmt::Debug for Appender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { epoch, last, end, .. } = self;
        write!(f, "Appender({epoch:?}, last {last:?}, end {end})")
    }
}

impl Appender {
    /// Writes behind `last` into the empty segment `active`.
    pub(super) fn new(log: &Arc<Log>, epoch: Epoch, last: Seq, active: Arc<Segment>) -> Self {
        Self {
            log: Arc::clone(log),
            epoch,
            last,
            active,
            end: RECORDS_AT,
            prepared: None,
            buffer: Pages::zeroed(PIECE_BYTES),
            dead: Dead::default(),
            at_work: false,
            last_write: Duration::MAX,
        }
    }

    /// Why it writes no more, if so.
    pub(super) fn dead(&self) -> Dead {
        Arc::clone(&self.dead)
    }

    pub(super) fn branch(&self) -> &BranchName {
        &self.log.branch
    }

    /// Lets the next segment be made ahead of time.
    pub(super) fn prepare(&mut self) {
        self.prepared = Some(self.log.prepare(self.epoch));
    }

    /// Whether a record can be expected to be written soon, and without waiting for a
    /// new segment: as it took no longer than `limit` the last time.
    pub(super) fn is_quick(&self, record: &Record, limit: Duration) -> bool {
        let pages = record_pages(record);
        self.last_write <= limit && pages <= QUICK_BYTES && self.end + pages <= self.active.len
    }

    /// The end in good order, also after a call that was refused: the log is whole then.
    pub(super) fn end(&mut self) -> Result<()> {
        let failed = self.log.state.lock().failed.clone();
        let sealed = failed.map_or(Ok(()), Err).and_then(|()| self.seal());
        // Where sealing did not come to it; the next writer prepares its own.
        let unprepared = self.unprepare();
        sealed.and(unprepared)
    }

    pub(super) fn unless_dead(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(e) = &*self.dead.lock() {
            return Err(e.clone());
        }
        if std::mem::replace(&mut self.at_work, true) {
            let why = format!("journal of {}: writing was cut short", self.log.branch);
            return Err(Error::new(ErrorKind::Internal, why));
        }
        let failed = self.log.state.lock().failed.clone();
        let done = failed.map_or(Ok(()), Err).and_then(|()| work(self));
        self.at_work = false;
        if let Err(e) = &done
            && !e.is_retryable()
        {
            *self.dead.lock() = Some(e.clone());
        }
        done
    }

    /// See [`super::writer`].
    pub(super) fn append(&mut self, record: &Record) -> Result<()> {
        check_follows(&self.log.branch, self.last, self.epoch, record)?;
        let pages = record_pages(record);
        if self.end + pages > self.active.len {
            self.rotate(pages)?;
        }
        let began = self.log.env.now();
        self.write(record).map_err(|e| failed(&self.log, "writing", &self.active, e))?;
        self.last_write = self.log.env.now().since(began);
        self.end += pages;
        self.last = record.last_seq;
        let end = self.end;
        self.log.change(|state| {
            let active = state.kept.back_mut().expect("the active segment is kept");
            assert_eq!(active.segment.header.number, self.active.header.number);
            active.push(record.first_seq, record.last_seq, end);
        });
        Ok(())
    }

    fn write(&mut self, record: &Record) -> std::io::Result<()> {
        let header = frame::header(record, self.active.header.salt);
        let mut payload = &record.payload[..];
        let mut at = self.end;
        let mut filled = header.len();
        let buffer = self.buffer.as_mut();
        buffer[..filled].copy_from_slice(&header);
        loop {
            let piece = payload.len().min(PIECE_BYTES - filled);
            buffer[filled..filled + piece].copy_from_slice(&payload[..piece]);
            payload = &payload[piece..];
            let pages = whole_pages(filled + piece);
            buffer[filled + piece..pages].fill(0);
            self.active.file.write(at, &buffer[..pages])?;
            if payload.is_empty() {
                return Ok(());
            }
            at += pages as u64;
            filled = 0;
        }
    }

    /// Makes the next segment the active one, with room for a record of `pages` bytes.
    fn rotate(&mut self, pages: u64) -> Result<()> {
        let usual = pages <= self.log.options.segment_bytes - RECORDS_AT;
        let next = match self.prepared.take() {
            Some(prepared) if usual => {
                self.log.prepared(prepared).map_err(|e| fail_unless_retryable(&self.log, e))?
            }
            prepared => {
                self.prepared = prepared;
                self.unprepare()?;
                let len = (!usual).then_some(RECORDS_AT + pages);
                make(&self.log, Start::Follows, self.epoch, len)?
            }
        };
        assert!(next.len >= RECORDS_AT + pages, "the record fits");
        let kept = Kept::new(Arc::clone(&next), self.last.next());
        self.log.change(|state| state.kept.push_back(kept));
        self.active = next;
        self.end = RECORDS_AT;
        self.prepared = Some(self.log.prepare(self.epoch));
        Ok(())
    }

    /// Gives back the segment that was made ahead of time: another one comes before it.
    pub(super) fn unprepare(&mut self) -> Result<()> {
        match self.prepared.take() {
            Some(prepared) => {
                self.log.unprepare(prepared).map_err(|e| fail_unless_retryable(&self.log, e))
            }
            None => Ok(()),
        }
    }

    pub(super) fn trim(&mut self, through: Seq) -> Result<()> {
        if through < self.last {
            let gone: Vec<_> = self.log.change(|state| {
                let kept = &mut state.kept;
                let count = kept.iter().take_while(|k| k.last <= through).count();
                kept.drain(..count.min(kept.len() - 1)).map(|k| k.segment).collect()
            });
            self.log.retire(gone);
            return Ok(());
        }
        if self.log.bounds().trimmed == through {
            return Ok(());
        }
        self.unprepare()?;
        let next = make(&self.log, Start::Anew(through.next()), self.epoch, None)?;
        let kept = Kept::new(Arc::clone(&next), through.next());
        let gone = self.log.change(|state| std::mem::replace(&mut state.kept, [kept].into()));
        self.active = next;
        self.end = RECORDS_AT;
        self.last = through;
        self.log.retire(gone.into_iter().map(|k| k.segment));
        self.prepared = Some(self.log.prepare(self.epoch));
        Ok(())
    }

    fn seal(&mut self) -> Result<()> {
        self.unprepare()?;
        if self.end > RECORDS_AT {
            let next = self.last.next();
            let sealed = make(&self.log, Start::At(next), self.epoch, Some(PAGE as u64))?;
            self.log.change(|state| state.kept.push_back(Kept::new(sealed, next)));
        }
        cut(&self.active, self.end).map_err(|e| failed(&self.log, "cutting", &self.active, e))
    }
}

pub(super) fn cut(segment: &Segment, end: u64) -> std::io::Result<()> {
    if segment.file.len()? > end { segment.file.truncate(end) } else { Ok(()) }
}

/// Ends all writing after an error of the disk.
pub(super) fn failed(log: &Log, doing: &str, segment: &Segment, e: std::io::Error) -> Error {
    log.fail(&log.disk_error(doing, &segment.path, e))
}

pub(super) fn make(
    log: &Log,
    start: Start,
    epoch: Epoch,
    len: Option<u64>,
) -> Result<Arc<Segment>> {
    log.make_segment(start, epoch, len).map_err(|e| fail_unless_retryable(log, e))
}

fn fail_unless_retryable(log: &Log, e: Error) -> Error {
    if e.is_retryable() { e } else { log.fail(&e) }
}
