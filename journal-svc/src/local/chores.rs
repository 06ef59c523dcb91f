//! Making, recycling and removing segment files, mostly behind the writer's back.
//!
//! # Making a segment
//!
//! 1. A spare file is taken, or a new one made and filled with zeros.
//! 2. Its header is written.
//! 3. It gets the segment's name, and the folder is synced.
//!
//! A file under a segment's name thus always has its whole header. A crash
//! before 3 leaves a spare file, which is used for another segment.
//!
//! # Retiring a segment
//!
//! It is given a spare's name and the folder is synced before its header may
//! be overwritten: otherwise a crash could bring the old name back with the new
//! header. Segments are retired one after the other, oldest first, each synced:
//! what a crash leaves is a log without a gap. A segment that someone still
//! reads is removed instead, so that what is read stays what it was.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use firn_engine::{Epoch, Error, Result, TaskClass};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::log::{CREATING, Log};
use super::recover::FILES;
use super::segment::{Header, Segment, Start};
use crate::disk::PAGE;
use crate::disk::segments::spare_path;

/// A segment to be made ahead of time.
#[derive(Debug)]
struct Prepare {
    number: u64,
    epoch: Epoch,
    reply: oneshot::Sender<Result<Arc<Segment>>>,
}

#[derive(Debug, Default)]
struct Queue {
    retire: VecDeque<Arc<Segment>>,
    prepare: Option<Prepare>,
    running: bool,
}

/// What is to be done, and the spare files there are.
#[derive(Debug, Default)]
pub(super) struct Chores {
    queue: Mutex<Queue>,
    /// Numbers of spare files, all of a segment's usual length.
    spares: Mutex<Vec<u64>>,
    /// Told when nothing is left to do.
    idle: Notify,
}

/// A segment that is being made ahead of time.
#[derive(Debug)]
pub(super) struct Prepared(oneshot::Receiver<Result<Arc<Segment>>>);

impl Log {
    /// Makes a segment that has room for `len` bytes, header included; of the
    /// usual length if `None`.
    ///
    /// # Errors
    /// Retryable if there is no room on the disk; the log is as before then.
    /// After any other the log must not be written any more.
    pub(super) fn make_segment(
        &self,
        start: Start,
        epoch: Epoch,
        len: Option<u64>,
    ) -> Result<Arc<Segment>> {
        let number = self.state.lock().take_number();
        self.make_numbered(number, start, epoch, len)
    }

    fn make_numbered(
        &self,
        number: u64,
        start: Start,
        epoch: Epoch,
        len: Option<u64>,
    ) -> Result<Arc<Segment>> {
        let usual = self.options.segment_bytes;
        let spare = if len.is_none() { self.chores.spares.lock().pop() } else { None };
        let path = spare_path(&self.dir, spare.unwrap_or(number));
        let len = len.unwrap_or(usual);
        let file = match spare {
            Some(_) => self.disk.open(&path).map_err(|e| self.disk_error("opening", &path, e))?,
            // Longer ones hold one record each and are not used again: they
            // are not worth being written twice.
            None => self.disk.create(&path, len, len <= usual).map_err(|e| {
                if let Err(error) = self.disk.remove(&path) {
                    tracing::debug!(%error, path = %path.display(), "half a file is left behind");
                }
                self.disk_error(CREATING, &path, e)
            })?,
        };
        let salt = fresh_salt(number, epoch, self.env.random_u64());
        let header = Header { number, salt, epoch, start };
        file.write(0, header.encode().as_ref())
            .map_err(|e| self.disk_error("writing the header of", &path, e))?;
        let name = FILES.segment_path(&self.dir, number);
        self.rename(&path, &name)?;
        Ok(Arc::new(Segment { header, path: name, file, len }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let renamed = self.disk.rename(from, to).and_then(|()| self.disk.sync_dir(&self.dir));
        renamed.map_err(|e| self.disk_error("renaming", from, e))
    }

    /// Takes in the spare files that were found, and those segments that have
    /// no part in the log any more.
    pub(super) fn adopt(self: &Arc<Self>, spares: Vec<u64>, leftovers: Vec<Arc<Segment>>) {
        for number in spares {
            let path = spare_path(&self.dir, number);
            let usable = self.chores.spares.lock().len() < self.options.spares_max
                && self.disk.open(&path).and_then(|f| f.len()).ok()
                    == Some(self.options.segment_bytes);
            if usable {
                self.chores.spares.lock().push(number);
            } else if let Err(error) = self.disk.remove(&path) {
                tracing::warn!(%error, path = %path.display(), "an unused file is left behind");
            }
        }
        self.retire(leftovers);
    }

    /// Has segments recycled or removed, in this order.
    pub(super) fn retire(self: &Arc<Self>, segments: impl IntoIterator<Item = Arc<Segment>>) {
        self.chores.queue.lock().retire.extend(segments);
        self.start_chores();
    }

    /// Has the next segment made ahead of time.
    pub(super) fn prepare(self: &Arc<Self>, epoch: Epoch) -> Prepared {
        let (reply, receiver) = oneshot::channel();
        let number = self.state.lock().take_number();
        let before = self.chores.queue.lock().prepare.replace(Prepare { number, epoch, reply });
        assert!(before.is_none(), "one writer prepares one segment");
        self.start_chores();
        Prepared(receiver)
    }

    /// The segment made ahead of time, now. Blocks.
    pub(super) fn prepared(&self, prepared: Prepared) -> Result<Arc<Segment>> {
        let waiting = self.chores.queue.lock().prepare.take();
        if let Some(prepare) = waiting {
            // Nobody has begun: the background is busy, or has gone.
            return self.make_numbered(prepare.number, Start::Follows, prepare.epoch, None);
        }
        prepared.0.blocking_recv().unwrap_or_else(|_| {
            Err(Error::new(firn_engine::ErrorKind::Internal, "preparing a segment was stopped"))
        })
    }

    /// Makes a spare file of a segment that was never used. Blocks.
    pub(super) fn unprepare(&self, prepared: Prepared) -> Result<()> {
        let waiting = self.chores.queue.lock().prepare.take();
        if waiting.is_some() {
            return Ok(());
        }
        match prepared.0.blocking_recv() {
            Ok(Ok(segment)) => self.retire_one(segment),
            // It was not made. Whatever the reason, whoever needs the next one will see it.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    fn start_chores(self: &Arc<Self>) {
        let mut queue = self.chores.queue.lock();
        if std::mem::replace(&mut queue.running, true) {
            return;
        }
        drop(queue);
        let (log, env) = (Arc::clone(self), self.env.clone());
        self.env.spawn(TaskClass::Background, "journal-chores", async move {
            env.blocking(TaskClass::Background, "journal-chores", move || log.do_chores()).await;
        });
    }

    /// Waits until nothing is left to do.
    pub(super) async fn chores_done(&self) {
        loop {
            let idle = self.chores.idle.notified();
            futures::pin_mut!(idle);
            // From here on its notification is not missed.
            idle.as_mut().enable();
            if !self.chores.queue.lock().running {
                return;
            }
            idle.await;
        }
    }

    fn do_chores(&self) {
        loop {
            let mut queue = self.chores.queue.lock();
            if self.state.lock().failed.is_some() {
                queue.retire.clear();
            }
            let (segment, prepare) = match queue.retire.pop_front() {
                Some(segment) => (Some(segment), None),
                None => (None, queue.prepare.take()),
            };
            if segment.is_none() && prepare.is_none() {
                queue.running = false;
                drop(queue);
                self.chores.idle.notify_waiters();
                return;
            }
            drop(queue);
            if let Some(segment) = segment
                && let Err(e) = self.retire_one(segment)
            {
                tracing::error!(error = %e, "the journal stops");
                self.fail(&e);
            }
            if let Some(prepare) = prepare {
                let made = self.make_numbered(prepare.number, Start::Follows, prepare.epoch, None);
                if let Err(Ok(unwanted)) = prepare.reply.send(made) {
                    // Its writer has gone; the next opening finds it unused.
                    drop(unwanted);
                }
            }
        }
    }

    /// Removes all files of a log whose writer has ended. Blocks.
    pub(super) fn remove(&self) -> Result<()> {
        // Nobody opens it meanwhile.
        let _running = self.running.lock();
        let failed = |path: &Path, e| self.disk_error("removing", path, e);
        let listed = FILES.list(&*self.disk, &self.dir)?;
        for number in listed.spares {
            let path = spare_path(&self.dir, number);
            self.disk.remove(&path).map_err(|e| failed(&path, e))?;
        }
        for path in listed.segments.into_values().rev() {
            self.disk.remove(&path).map_err(|e| failed(&path, e))?;
            self.disk.sync_dir(&self.dir).map_err(|e| failed(&path, e))?;
        }
        self.chores.spares.lock().clear();
        self.change(|state| state.kept.clear());
        if let Err(error) = self.disk.remove_dir(&self.dir) {
            tracing::warn!(%error, dir = %self.dir.display(), "an empty folder is left behind");
        }
        Ok(())
    }

    fn retire_one(&self, segment: Arc<Segment>) -> Result<()> {
        let (path, number) = (segment.path.clone(), segment.header.number);
        let usual = segment.file.len().is_ok_and(|len| len == self.options.segment_bytes);
        let room = self.chores.spares.lock().len() < self.options.spares_max;
        if usual && room && Arc::into_inner(segment).is_some() {
            self.rename(&path, &spare_path(&self.dir, number))?;
            self.chores.spares.lock().push(number);
            return Ok(());
        }
        let removed = self.disk.remove(&path).and_then(|()| self.disk.sync_dir(&self.dir));
        removed.map_err(|e| self.disk_error("removing", &path, e))
    }
}

/// A segment has room for its header and at least one page of records.
pub(super) const SEGMENT_BYTES_MIN: u64 = 2 * PAGE as u64;

/// A salt that no earlier use of any file has had, even if chance repeats
/// itself (a process started from a seed, a snapshot of a machine): no epoch
/// makes two files of one number.
fn fresh_salt(number: u64, epoch: Epoch, random: u64) -> u64 {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes[8..16].copy_from_slice(&epoch.0.to_le_bytes());
    bytes[16..].copy_from_slice(&random.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_differ_from_life_to_life_although_chance_repeats_itself() {
        let mut seen = std::collections::BTreeSet::new();
        for epoch in 1..50 {
            for number in 1..50 {
                assert!(seen.insert(fresh_salt(number, Epoch(epoch), 7)));
            }
        }
    }
}
