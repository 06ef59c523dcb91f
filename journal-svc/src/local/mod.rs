//! The journal on a local disk.
//!
//! ```text
//! <folder>/.lock                        held by the process that has the folder
//! <folder>/<branch>/<number:020>.log    segments of the log of a branch, in order
//! <folder>/<branch>/<number:020>.spare  files to become segments
//! ```
//!
//! A log is a row of segment files of a fixed length whose blocks are allocated
//! and written before they are used: a write then changes nothing but those
//! blocks, and making it durable does not need the file system's own journal.
//! Used-up segments are recycled. One thread writes, record by record, past the
//! page cache; there is no timer.
//!
//! | protocol | file |
//! |---|---|
//! | append, takeover, end | `writer.rs` |
//! | recovery: torn tail or damage | `recover.rs` |
//! | making and recycling files | `chores.rs` |
//! | reading while writing | `reader.rs` |
//! | bytes of a segment | `segment.rs` |
//!
//! # Fencing
//!
//! The folder is locked by one process (`flock`), and in that process there is
//! one writer thread for a log. An opening ends it and waits for its end, then
//! makes a new segment durable that holds its epoch: only then may it write. An
//! opening that crashes earlier has changed nothing.
//!
//! # Trimming
//!
//! Whole segments go, oldest first. Trimming to the end or past it makes a new
//! segment durable that says that the log starts anew, and then drops the
//! others: a crash between the two leaves files that the next opening removes.
//! When a log goes for good that is done first, and the rest is removed newest
//! first: what a crash leaves is an empty log, which can be ended again.

mod appender;
mod chores;
mod log;
mod lookout;
mod reader;
mod recover;
mod segment;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, RecordStream};
use firn_engine::watch;
use firn_engine::{BranchName, Env, Epoch, Error, ErrorKind, Result, Seq, TaskClass};
use parking_lot::Mutex;

use crate::disk::{Disk, PAGE, RealDisk};
use chores::{Chores, SEGMENT_BYTES_MIN};
use log::{Log, State};

/// How long a folder may still be held by a process that is ending.
const LOCK_WAIT: Duration = Duration::from_secs(2);
const LOCK_POLL: Duration = Duration::from_millis(20);

/// Sizes of a local journal.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// Length of a segment file in bytes, a multiple of 4096. A longer record
    /// gets a file of its own.
    pub segment_bytes: u64,
    /// Spare files kept for each branch.
    pub spares_max: usize,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, spares_max: 2 }
    }
}

/// Logs in a folder of this machine. A clone is the same journal.
#[derive(Debug, Clone)]
pub struct LocalJournal {
    env: Env,
    disk: Arc<dyn Disk>,
    folder: Arc<Folder>,
    options: LocalOptions,
    logs: Arc<tokio::sync::Mutex<BTreeMap<BranchName, Arc<Log>>>>,
}

/// The right to a folder, given back when dropped.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    _lock: Option<File>,
}

impl LocalJournal {
    /// Takes a folder, which is made if there is none. It is given back when
    /// the journal and everything made by it has been dropped.
    ///
    /// # Errors
    /// `Unavailable` if another process has the folder or it cannot be used,
    /// `BadRequest` for impossible sizes.
    pub async fn open(env: Env, folder: &Path, options: LocalOptions) -> Result<Self> {
        let path = folder.to_path_buf();
        let failed = |e| {
            let what = format!("journal folder {}", folder.display());
            Error::with_source(ErrorKind::Unavailable, what, e)
        };
        let begun = env.now();
        let lock = loop {
            let path = path.clone();
            let tried = env.blocking(TaskClass::Foreground, "journal-lock", move || lock(&path));
            match tried.await.unwrap_or_else(|| Err(std::io::Error::other("shutting down"))) {
                Ok(Some(lock)) => break lock,
                Ok(None) if env.now().since(begun) < LOCK_WAIT => env.sleep(LOCK_POLL).await,
                Ok(None) => {
                    let why = format!("journal folder {} is in use", folder.display());
                    return Err(Error::new(ErrorKind::Unavailable, why));
                }
                Err(e) => return Err(failed(e)),
            }
        };
        let disk = RealDisk::probe(folder).map_err(failed)?;
        if !disk.is_direct() {
            tracing::info!(folder = %folder.display(), "no O_DIRECT here: writing through the page cache");
        }
        Self::on(env, Arc::new(disk), Folder { path, _lock: Some(lock) }, options)
    }

    fn on(env: Env, disk: Arc<dyn Disk>, folder: Folder, options: LocalOptions) -> Result<Self> {
        if options.segment_bytes < SEGMENT_BYTES_MIN
            || !options.segment_bytes.is_multiple_of(PAGE as u64)
        {
            let why = format!(
                "journal segments of {} bytes: must be a multiple of {PAGE}, at least {SEGMENT_BYTES_MIN}",
                options.segment_bytes
            );
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
        Ok(Self { env, disk, folder: Arc::new(folder), options, logs: Arc::default() })
    }

    /// The log of a branch, read from the disk when it is first asked for.
    async fn log(&self, branch: &BranchName) -> Result<Arc<Log>> {
        let mut logs = self.logs.lock().await;
        if let Some(log) = logs.get(branch) {
            return Ok(Arc::clone(log));
        }
        let (this, name) = (self.clone(), branch.clone());
        let load = move || this.load(name);
        let loaded = self.env.blocking(TaskClass::Foreground, "journal-load", load).await;
        let log = loaded.unwrap_or_else(|| {
            let why = format!("journal of {branch}: reading it was stopped");
            Err(Error::new(ErrorKind::Internal, why))
        })?;
        logs.insert(branch.clone(), Arc::clone(&log));
        Ok(log)
    }

    fn load(&self, branch: BranchName) -> Result<Arc<Log>> {
        let dir = self.folder.path.join(branch.as_str());
        let found = recover::recover(&*self.disk, &dir, &branch)?;
        let state = State {
            kept: found.kept,
            epoch: found.epoch,
            next_number: found.next_number,
            failed: None,
        };
        let log = Arc::new(Log {
            env: self.env.clone(),
            disk: Arc::clone(&self.disk),
            branch,
            dir,
            options: self.options.clone(),
            state: Mutex::new(state),
            changed: watch::Sender::default(),
            chores: Chores::default(),
            running: Mutex::default(),
            _folder: Arc::clone(&self.folder),
        });
        log.adopt(found.spares, found.leftovers);
        Ok(log)
    }
}

fn lock(folder: &Path) -> std::io::Result<Option<File>> {
    std::fs::create_dir_all(folder)?;
    let file =
        File::options().write(true).create(true).truncate(false).open(folder.join(".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

#[async_trait]
impl Journal for LocalJournal {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        let log = self.log(branch).await?;
        let work = move || writer::open(&log, epoch);
        // On a thread of its own to the end, even if the caller goes away.
        let opened = self.env.blocking(TaskClass::Foreground, "journal-open", work).await;
        let writer = opened.unwrap_or_else(|| {
            Err(Error::new(
                ErrorKind::Internal,
                format!("journal of {branch}: opening was stopped"),
            ))
        })?;
        Ok(Arc::new(writer))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        Ok(self.log(branch).await?.bounds())
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        reader::stream(self.log(branch).await?, from, false)
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        reader::stream(self.log(branch).await?, from, true)
    }
}
