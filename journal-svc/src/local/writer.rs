//! The writer's thread: one record after the other, each synced.
//!
//! # Order of an append
//!
//! 1. Room: the record fits into the active segment, or the next one, made
//!    ahead of time, becomes active. Nothing of the record is written before.
//! 2. The frame is written by `O_DIRECT|O_DSYNC`, in pieces of at most
//!    2 MiB. When the last has returned the record is durable.
//! 3. The end of the log moves: readers see the record.
//! 4. The appender is told.
//!
//! A crash in 2 leaves a frame whose checksum does not match: recovery cuts it
//! (see `recover.rs`). Moving the end before 2 would show readers a record that
//! a crash can take back.
//!
//! Step 2 blocks, so it belongs to a thread of its own. Handing the record over and the
//! answer back are two wake-ups of threads, which together take longer than many a disk.
//! A caller that is alone (`append_alone`) has nothing else to do meanwhile: it writes by
//! itself if the disk was quick the last time, under the lock that the thread takes, too;
//! `lookout.rs` sees to it that others are served if the disk is not quick this time.
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
//! refused. Who waits for an answer waits for the end of the thread, too. When the last handle of the writer is dropped, the log is *sealed*:
//! an empty segment is added that says where the records end, so that damage
//! to the last of them will be noticed, and the active one is cut to its length.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::journal::{JournalWriter, LogBounds, Record};
use firn_engine::{Epoch, Error, ErrorKind, Result, Seq, TaskClass};
use futures::future::{Either, select};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::appender::{Appender, Dead, cut, failed, make};
use super::log::{Kept, Log};
use super::lookout::Lookout;
use super::segment::{RECORDS_AT, Start};
use crate::fenced;

/// Calls that wait for the thread. Callers make one at a time; more only come
/// from those that went away.
const COMMANDS_MAX: usize = 16;

/// A disk that took longer the last time is waited for by the journal's thread alone.
const QUICK: Duration = Duration::from_millis(1);

#[derive(Debug)]
enum Command {
    Append(Record, oneshot::Sender<Result<()>>),
    Trim(Seq, oneshot::Sender<Result<()>>),
    Stop(Error),
    Close(oneshot::Sender<Result<()>>),
}

/// The handle that the database holds.
#[derive(Debug)]
pub(super) struct LocalWriter {
    log: Arc<Log>,
    /// `None` once the writer has ended: then nothing of it is left.
    appender: Arc<Mutex<Option<Appender>>>,
    commands: mpsc::Sender<Command>,
    dead: Dead,
    lookout: Arc<Lookout>,
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
    let appender = Appender::new(log, epoch, bounds.last, active);
    let dead = appender.dead();
    let appender = Arc::new(Mutex::new(Some(appender)));
    let shared = Arc::clone(&appender);
    let work = move || {
        run(&shared, receiver);
        drop(end);
    };
    log.env.thread("journal", work).map_err(|e| {
        let what = format!("journal of {}: starting its thread", log.branch);
        Error::with_source(ErrorKind::Unavailable, what, e)
    })?;
    *running = Some(Running { commands: commands.downgrade(), ended });
    let lookout = Lookout::new(log.env.clone());
    Ok(LocalWriter { log: Arc::clone(log), appender, commands, dead, lookout })
}

/// Carries out what the handle asks for, until it is gone or another writer opens.
fn run(shared: &Mutex<Option<Appender>>, mut commands: mpsc::Receiver<Command>) {
    if let Some(appender) = &mut *shared.lock() {
        appender.prepare();
    }
    loop {
        let command = commands.blocking_recv();
        // A record that its caller writes is waited for here.
        let mut shared = shared.lock();
        let Some(appender) = &mut *shared else { return };
        match command {
            Some(Command::Append(record, reply)) => {
                let done = appender.unless_dead(|appender| appender.append(&record));
                // The caller may have gone; the record is there all the same.
                let _ = reply.send(done);
                continue;
            }
            Some(Command::Trim(through, reply)) => {
                let done = appender.unless_dead(|appender| appender.trim(through));
                let _ = reply.send(done);
                continue;
            }
            Some(Command::Stop(why)) => {
                appender.dead().lock().get_or_insert(why);
                commands.close();
                // What still waits is dropped, which tells its callers.
                if let Err(error) = appender.unprepare() {
                    tracing::warn!(%error, "a prepared segment is left behind");
                }
            }
            Some(Command::Close(reply)) => {
                let why = format!("journal of {}: the writer is closed", appender.branch());
                let why = Error::new(ErrorKind::BadRequest, why);
                appender.dead().lock().get_or_insert(why);
                let ended = appender.end();
                *shared = None;
                // Whoever asked may have gone; it is sealed all the same.
                let _ = reply.send(ended);
            }
            None => {
                if let Err(error) = appender.end() {
                    tracing::warn!(%error, "the log was not sealed");
                }
            }
        }
        // Whoever opens the log next finds no segment of it in use.
        *shared = None;
        return;
    }
}

impl LocalWriter {
    /// Appends on the thread that asks; `None` if the journal's thread has to.
    fn append_here(&self, record: &Record) -> Option<Result<()>> {
        // What waits for the thread goes first.
        if self.commands.capacity() < COMMANDS_MAX {
            return None;
        }
        let mut shared = self.appender.try_lock()?;
        let appender = shared.as_mut()?;
        if !appender.is_quick(record, QUICK) {
            return None;
        }
        let _watched = self.lookout.begin();
        Some(appender.unless_dead(|appender| appender.append(record)))
    }

    async fn call(&self, command: Command, reply: oneshot::Receiver<Result<()>>) -> Result<()> {
        match self.commands.send(command).await {
            Ok(()) => self.answer(reply).await,
            Err(_) => Err(self.ended()),
        }
    }

    /// What the thread answers; that it has ended if it never does. The queue drops what is in
    /// it when the thread ends, but not what comes in just then.
    async fn answer(&self, reply: oneshot::Receiver<Result<()>>) -> Result<()> {
        let ending = pin!(self.commands.closed());
        let done = match select(reply, ending).await {
            Either::Left((done, _)) => done.ok(),
            // What was answered was so before the end.
            Either::Right(((), mut reply)) => reply.try_recv().ok(),
        };
        done.unwrap_or_else(|| Err(self.ended()))
    }

    fn ended(&self) -> Error {
        self.dead.lock().clone().unwrap_or_else(|| {
            let why = format!("journal of {}: its thread has ended", self.log.branch);
            Error::new(ErrorKind::Internal, why)
        })
    }
}

#[async_trait]
impl JournalWriter for LocalWriter {
    async fn append(&self, record: Record) -> Result<()> {
        let (sender, reply) = oneshot::channel();
        self.call(Command::Append(record, sender), reply).await
    }

    async fn append_alone(&self, record: Record) -> Result<()> {
        match self.append_here(&record) {
            Some(done) => done,
            None => self.append(record).await,
        }
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        if through == Seq::MAX {
            self.trim(self.log.bounds().last).await?;
            self.close().await?;
            let log = Arc::clone(&self.log);
            let removing = move || log.remove();
            let removed =
                self.log.env.blocking(TaskClass::Background, "journal-remove", removing).await;
            return removed.unwrap_or_else(|| {
                let why = format!("journal of {}: removing it was stopped", self.log.branch);
                Err(Error::new(ErrorKind::Internal, why))
            });
        }
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

#[cfg(test)]
mod tests {
    use firn_engine::{BranchName, Env};

    use super::*;
    use crate::disk::sim::SimDisk;
    use crate::local::tests::{on_sim, record};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_handed_over_while_the_thread_ends_is_answered() {
        let handle = tokio::runtime::Handle::current();
        let env = Env::tokio(handle.clone(), handle);
        let journal = on_sim(&env, &SimDisk::default(), 64 << 10);
        let log = journal.log(&BranchName::main()).await.unwrap();
        let opened = |epoch| {
            let log = Arc::clone(&log);
            let opening = move || open(&log, epoch);
            env.blocking(TaskClass::Foreground, "open", opening)
        };
        let older = opened(Epoch(1)).await.unwrap().unwrap();
        // A place in the queue, of which use is made when nobody looks at it any more.
        let place = older.commands.reserve().await.unwrap();
        let _newer = opened(Epoch(2)).await.unwrap().unwrap();
        let (sender, reply) = oneshot::channel();
        place.send(Command::Append(record(1, 1, 1, 100), sender));
        let bound = Duration::from_secs(30);
        let error = env.timeout(bound, older.answer(reply)).await.expect("an answer").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    }
}
