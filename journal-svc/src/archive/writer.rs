//! Archiving before trimming (see [`super`]).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use firn_engine::journal::{Journal, JournalWriter, LogBounds, Record};
use firn_engine::{BranchName, Env, Error, ErrorKind, Result, Seq, Task, TaskClass};
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::segment::{Building, Segments};
use super::{ArchiveOptions, Archived};

const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Shared {
    env: Env,
    branch: BranchName,
    journal: Arc<dyn Journal>,
    inner: Arc<dyn JournalWriter>,
    segments: Segments,
    options: ArchiveOptions,
    /// Up to where the journal may be trimmed.
    target: Mutex<Target>,
    changed: Notify,
    /// Last archived seq, once it is known. Held while archiving.
    archived: tokio::sync::Mutex<Option<Seq>>,
}

#[derive(Debug, Default)]
struct Target {
    through: Seq,
    /// Up to where it has been done.
    done: Seq,
    /// Why it is not done yet.
    trouble: Option<Error>,
}

/// A writer whose trims go through the archive.
#[derive(Debug)]
pub(super) struct ArchivedWriter {
    shared: Arc<Shared>,
    task: Task<()>,
}

impl ArchivedWriter {
    pub(super) fn start(
        archived: &Archived,
        branch: &BranchName,
        inner: Arc<dyn JournalWriter>,
    ) -> Self {
        let shared = Arc::new(Shared {
            env: archived.env.clone(),
            branch: branch.clone(),
            journal: Arc::clone(&archived.inner),
            inner,
            segments: archived.segments(branch),
            options: archived.options.clone(),
            target: Mutex::default(),
            changed: Notify::new(),
            archived: tokio::sync::Mutex::default(),
        });
        let task = run(Arc::clone(&shared));
        let task = archived.env.spawn(TaskClass::Background, "journal-archive", task);
        Self { shared, task }
    }
}

impl Drop for ArchivedWriter {
    fn drop(&mut self) {
        // What it has not done, the next writer does.
        self.task.abort();
    }
}

/// Archives and trims until the writer is dropped or fenced.
async fn run(shared: Arc<Shared>) {
    let mut pause = RETRY_FIRST;
    loop {
        let through = {
            let target = shared.target.lock();
            (target.through > target.done).then_some(target.through)
        };
        let Some(through) = through else {
            shared.changed.notified().await;
            continue;
        };
        let done = match shared.archive(through).await {
            Ok(()) => shared.inner.trim(through).await,
            Err(e) => Err(e),
        };
        match done {
            Ok(()) => {
                let mut target = shared.target.lock();
                target.done = target.done.max(through);
                target.trouble = None;
                pause = RETRY_FIRST;
            }
            Err(e) if e.kind() == ErrorKind::Fenced => return,
            Err(error) => {
                tracing::warn!(%error, ?pause, "archiving failed and will be tried again");
                shared.target.lock().trouble = Some(error);
                shared.env.sleep(shared.env.jittered(pause)).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
        }
    }
}

impl Shared {
    /// Stores all whole records up to `through` that are not stored yet.
    async fn archive(&self, through: Seq) -> Result<()> {
        let mut archived = self.archived.lock().await;
        let trimmed = self.inner.bounds().trimmed;
        let mut done = match *archived {
            Some(done) => done.max(trimmed),
            None => self.archived_after(trimmed).await?,
        };
        *archived = Some(done);
        if done >= through.min(self.inner.bounds().last) {
            return Ok(());
        }
        let mut records = self.journal.read(&self.branch, done.next()).await?;
        let mut building = Building::default();
        loop {
            let record = records.next().await.transpose()?;
            // A record that goes on after `through` is not trimmed, and one
            // that begins before what is archived is archived.
            let record = record.filter(|r| r.last_seq <= through);
            let more = record.is_some();
            if let Some(record) = record.filter(|r| r.first_seq > done) {
                self.segments.add(&mut building, &record);
            }
            if !building.is_empty() && (!more || building.bytes() >= self.options.segment_bytes) {
                let last = building.last();
                self.segments.store(std::mem::take(&mut building)).await?;
                done = last;
                *archived = Some(done);
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Up to where the archive reaches, if it reaches beyond `trimmed`.
    async fn archived_after(&self, trimmed: Seq) -> Result<Seq> {
        let mut reach = trimmed;
        for (first, last) in self.segments.list(Some(trimmed)).await? {
            if first <= reach.next() && last > reach {
                reach = last;
            }
        }
        Ok(reach)
    }

    /// Refuses if the archive is too far behind.
    fn check_backlog(&self) -> Result<()> {
        let bytes = self.inner.bounds().bytes;
        if bytes <= self.options.backlog_bytes_max {
            return Ok(());
        }
        let target = self.target.lock();
        if target.done >= target.through {
            return Ok(());
        }
        let behind = format!(
            "journal of {}: {bytes} bytes wait for the archive, over {}",
            self.branch, self.options.backlog_bytes_max
        );
        let kind = ErrorKind::Unavailable;
        let error = match &target.trouble {
            Some(e) => Error::with_source(kind, behind, e.clone()),
            None => Error::new(kind, behind),
        };
        Err(error.retryable())
    }
}

#[async_trait]
impl JournalWriter for ArchivedWriter {
    async fn append(&self, record: Record) -> Result<()> {
        self.shared.check_backlog()?;
        self.shared.inner.append(record).await
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        let shared = &self.shared;
        // Trims nothing, but fails if this writer is fenced or dead.
        shared.inner.trim(shared.inner.bounds().trimmed).await?;
        if through > shared.inner.bounds().last {
            shared.archive(through).await?;
            shared.inner.trim(through).await?;
            let mut target = shared.target.lock();
            target.through = target.through.max(through);
            target.done = target.done.max(through);
            return Ok(());
        }
        {
            let mut target = shared.target.lock();
            target.through = target.through.max(through);
        }
        shared.changed.notify_one();
        Ok(())
    }

    fn bounds(&self) -> LogBounds {
        self.shared.inner.bounds()
    }

    async fn close(&self) -> Result<()> {
        // What it has not done, the next writer does.
        self.task.abort();
        self.shared.inner.close().await
    }
}
