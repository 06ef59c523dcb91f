//! The writer's thread: one record after the other, each synced.
//!
//! # Order of an append
//!
//! 1. Room: the record fits into the active segment, or the next one, made
//!    ahead of time, becomes active. Nothing of the record is written before.
//! 2. The frame is written by `O_DIRECT|O_DSYNC`, in pieces of at most
//!    [`PIECE_BYTES`]. When the last has returned the record is durable.
//! 3. The end of the log moves: readers see the record.
//! 4. The appender is told.
//!
//! A crash in 2 leaves a frame whose checksum does not match: recovery cuts it
//! (see `recover.rs`). Moving the end before 2 would show readers a record that
//! a crash can take back.
//!
//! # Failures
//!
//! No room on the disk in 1 is retryable: the log is as before. Any other error
//! ends all writing to this log in this process (I8). A caller that goes away
//! while its record is on its way changes nothing: the record is written.
//!
//! # End
//!
//! A later opening stops this thread and waits for it to end before it looks at
//! the log: what is on its way is in the log by then, what comes later is
//! refused. When the last handle of the writer is dropped, the log is *sealed*:
//! an empty segment is added that says where the records end, so that damage
//! to the last of them will be noticed, and the active one is cut to its length.

use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::journal::{JournalWriter, LogBounds, Record, frame};
use firn_engine::{Epoch, Error, ErrorKind, Result, Seq};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::chores::Prepared;
use super::log::{Kept, Log};
use super::segment::{RECORDS_AT, Segment, Start, record_pages};
use crate::disk::{PAGE, Pages, whole_pages};
use crate::{check_follows, fenced};

/// Written at once.
const PIECE_BYTES: usize = 2 << 20;

/// Calls that wait for the thread. Callers make one at a time; more only come
/// from those that went away.
const COMMANDS_MAX: usize = 16;

#[derive(Debug)]
enum Command {
    Append(Record, oneshot::Sender<Result<()>>),
    Trim(Seq, oneshot::Sender<Result<()>>),
    Stop(Error),
    Close(oneshot::Sender<Result<()>>),
}

/// Why a writer is dead.
type Dead = Arc<Mutex<Option<Error>>>;

/// The handle that the database holds.
#[derive(Debug)]
pub(super) struct LocalWriter {
    log: Arc<Log>,
    commands: mpsc::Sender<Command>,
    dead: Dead,
}

/// What the next opening needs to end a writer.
#[derive(Debug)]
pub(super) struct Running {
    commands: mpsc::WeakSender<Command>,
    ended: oneshot::Receiver<()>,
}

impl Running {
    /// Waits until the thread has ended. Blocks.
    pub(super) fn ended(self) {
        // An error says that the thread has gone, which is what is waited for.
        let _ = self.ended.blocking_recv();
    }

    /// Ends the writer and waits until its thread has ended. Blocks.
    fn stop(self, why: Error) {
        if let Some(commands) = self.commands.upgrade()
            && commands.blocking_send(Command::Stop(why)).is_err()
        {
            tracing::debug!("the writer has ended by itself");
        }
        self.ended();
    }
}

/// Opens `log` for writing under `epoch`. Blocks.
pub(super) fn open(log: &Arc<Log>, epoch: Epoch) -> Result<LocalWriter> {
    let mut running = log.running.lock();
    let check = || {
        let state = log.state.lock();
        match &state.failed {
            Some(e) => Err(e.clone()),
            None if epoch < state.epoch => Err(fenced(&log.branch, epoch, state.epoch)),
            None => Ok(()),
        }
    };
    check()?;
    if let Some(old) = running.take() {
        let old_epoch = log.state.lock().epoch;
        old.stop(fenced(&log.branch, old_epoch, epoch));
        check()?;
    }
    log.disk.create_dir(&log.dir).map_err(|e| log.disk_error("making the folder", &log.dir, e))?;
    let bounds = log.bounds();
    let last = log.state.lock().kept.back().map(|k| (Arc::clone(&k.segment), k.end));
    if let Some((segment, _)) = &last {
        // A record that recovery found may not have reached the platter: its
        // writer was killed before it knew.
        segment.file.sync().map_err(|e| failed(log, "syncing", segment, e))?;
    }
    let next = bounds.last.next();
    let start = if bounds.trimmed == bounds.last { Start::Anew(next) } else { Start::At(next) };
    let active = make(log, start, epoch, None)?;
    let empty: Vec<_> = log.change(|state| {
        state.epoch = epoch;
        let (empty, full) = state.kept.drain(..).partition(Kept::is_empty);
        state.kept = full;
        state.kept.push_back(Kept::new(Arc::clone(&active), next));
        Vec::from(empty).into_iter().map(|k: Kept| k.segment).collect()
    });
    log.retire(empty);
    if let Some((segment, end)) = last
        && end > RECORDS_AT
    {
        // The new segment says where the records end: now the tail can go.
        cut(&segment, end).map_err(|e| failed(log, "cutting", &segment, e))?;
    }
    let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
    let (end, ended) = oneshot::channel();
    let dead = Dead::default();
    let thread = Thread {
        log: Arc::clone(log),
        epoch,
        last: bounds.last,
        active,
        end: RECORDS_AT,
        prepared: None,
        buffer: Pages::zeroed(PIECE_BYTES),
        dead: Arc::clone(&dead),
    };
    let work = move || {
        thread.run(receiver);
        drop(end);
    };
    log.env.thread("journal", work).map_err(|e| {
        let what = format!("journal of {}: starting its thread", log.branch);
        Error::with_source(ErrorKind::Unavailable, what, e)
    })?;
    *running = Some(Running { commands: commands.downgrade(), ended });
    Ok(LocalWriter { log: Arc::clone(log), commands, dead })
}

fn cut(segment: &Segment, end: u64) -> std::io::Result<()> {
    if segment.file.len()? > end { segment.file.truncate(end) } else { Ok(()) }
}

/// Ends all writing after an error of the disk.
fn failed(log: &Log, doing: &str, segment: &Segment, e: std::io::Error) -> Error {
    log.fail(&log.disk_error(doing, &segment.path, e))
}

fn make(log: &Log, start: Start, epoch: Epoch, len: Option<u64>) -> Result<Arc<Segment>> {
    log.make_segment(start, epoch, len).map_err(|e| fail_unless_retryable(log, e))
}

fn fail_unless_retryable(log: &Log, e: Error) -> Error {
    if e.is_retryable() { e } else { log.fail(&e) }
}

struct Thread {
    log: Arc<Log>,
    epoch: Epoch,
    last: Seq,
    active: Arc<Segment>,
    /// Where the next record goes.
    end: u64,
    prepared: Option<Prepared>,
    buffer: Pages,
    dead: Dead,
}

impl Thread {
    fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        self.prepared = Some(self.log.prepare(self.epoch));
        loop {
            match commands.blocking_recv() {
                Some(Command::Append(record, reply)) => {
                    let done = self.unless_dead(|thread| thread.append(&record));
                    // The caller may have gone; the record is there all the same.
                    let _ = reply.send(done);
                }
                Some(Command::Trim(through, reply)) => {
                    let done = self.unless_dead(|thread| thread.trim(through));
                    let _ = reply.send(done);
                }
                Some(Command::Stop(why)) => {
                    self.dead.lock().get_or_insert(why);
                    commands.close();
                    // What still waits is dropped, which tells its callers.
                    if let Err(error) = self.unprepare() {
                        tracing::warn!(%error, "a prepared segment is left behind");
                    }
                    return;
                }
                Some(Command::Close(reply)) => {
                    let why = format!("journal of {}: the writer is closed", self.log.branch);
                    self.dead.lock().get_or_insert(Error::new(ErrorKind::BadRequest, why));
                    commands.close();
                    // Whoever asked may have gone; it is sealed all the same.
                    let _ = reply.send(self.end());
                    return;
                }
                None => {
                    if let Err(error) = self.end() {
                        tracing::warn!(%error, "the log was not sealed");
                    }
                    return;
                }
            }
        }
    }

    /// The end in good order, also after a call that was refused: the log is whole then.
    fn end(&mut self) -> Result<()> {
        let failed = self.log.state.lock().failed.clone();
        let sealed = failed.map_or(Ok(()), Err).and_then(|()| self.seal());
        // Where sealing did not come to it; the next writer prepares its own.
        let unprepared = self.unprepare();
        sealed.and(unprepared)
    }

    fn unless_dead(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(e) = &*self.dead.lock() {
            return Err(e.clone());
        }
        let failed = self.log.state.lock().failed.clone();
        let done = failed.map_or(Ok(()), Err).and_then(|()| work(self));
        if let Err(e) = &done
            && !e.is_retryable()
        {
            *self.dead.lock() = Some(e.clone());
        }
        done
    }

    fn append(&mut self, record: &Record) -> Result<()> {
        check_follows(&self.log.branch, self.last, self.epoch, record)?;
        let pages = record_pages(record);
        if self.end + pages > self.active.len {
            self.rotate(pages)?;
        }
        self.write(record).map_err(|e| failed(&self.log, "writing", &self.active, e))?;
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
    fn unprepare(&mut self) -> Result<()> {
        match self.prepared.take() {
            Some(prepared) => {
                self.log.unprepare(prepared).map_err(|e| fail_unless_retryable(&self.log, e))
            }
            None => Ok(()),
        }
    }

    fn trim(&mut self, through: Seq) -> Result<()> {
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

impl LocalWriter {
    async fn call(&self, command: Command, reply: oneshot::Receiver<Result<()>>) -> Result<()> {
        if self.commands.send(command).await.is_ok()
            && let Ok(done) = reply.await
        {
            return done;
        }
        Err(self.dead.lock().clone().unwrap_or_else(|| {
            let why = format!("journal of {}: its thread has ended", self.log.branch);
            Error::new(ErrorKind::Internal, why)
        }))
    }
}

#[async_trait]
impl JournalWriter for LocalWriter {
    async fn append(&self, record: Record) -> Result<()> {
        let (sender, reply) = oneshot::channel();
        self.call(Command::Append(record, sender), reply).await
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        let (sender, reply) = oneshot::channel();
        self.call(Command::Trim(through, sender), reply).await
    }

    fn bounds(&self) -> LogBounds {
        self.log.bounds()
    }

    async fn close(&self) -> Result<()> {
        let (sender, reply) = oneshot::channel();
        let sealed = self.call(Command::Close(sender), reply).await;
        self.log.chores_done().await;
        sealed
    }
}
