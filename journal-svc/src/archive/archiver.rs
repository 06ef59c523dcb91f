//! Stores what is to be trimmed, then trims (see [`super`]).

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::journal::{LogBounds, RecordStream};
use firn_engine::{BranchName, Env, Error, ErrorKind, Result, Seq, Task, TaskClass};
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::ArchiveOptions;
use super::segment::{Building, Segments};

const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// A log as its archiver sees it.
#[async_trait]
pub(crate) trait Source: Debug + Send + Sync + 'static {
    /// What it holds.
    fn bounds(&self) -> LogBounds;

    /// Its records from `from` on.
    async fn read(&self, from: Seq) -> Result<RecordStream>;

    /// Drops records. `Fenced` ends the archiver.
    async fn trim(&self, through: Seq) -> Result<()>;
}

#[derive(Debug)]
struct Shared {
    env: Env,
    branch: BranchName,
    source: Arc<dyn Source>,
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
    /// The log is another's: nothing is done any more.
    ended: bool,
}

/// Archives one log in the background, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Archiver {
    shared: Arc<Shared>,
    task: Task<()>,
}

impl Drop for Archiver {
    fn drop(&mut self) {
        // What it has not done, the next one does.
        self.task.abort();
    }
}

impl Archiver {
    pub(super) fn start(
        env: &Env,
        branch: &BranchName,
        source: Arc<dyn Source>,
        segments: Segments,
        options: ArchiveOptions,
    ) -> Self {
        let shared = Arc::new(Shared {
            env: env.clone(),
            branch: branch.clone(),
            source,
            segments,
            options,
            target: Mutex::default(),
            changed: Notify::new(),
            archived: tokio::sync::Mutex::default(),
        });
        let task = run(Arc::clone(&shared));
        let task = env.spawn(TaskClass::Background, "journal-archive", task);
        Self { shared, task }
    }

    /// Lets records go once they are stored: later, or past the end of the log now.
    ///
    /// # Errors
    /// Those of the log and of the store, if it is done now.
    pub(crate) async fn trim(&self, through: Seq) -> Result<()> {
        let shared = &self.shared;
        if through == Seq::MAX {
            shared.target.lock().ended = true;
            self.stop();
            return shared.source.trim(through).await;
        }
        if through > shared.source.bounds().last {
            shared.archive(through).await?;
            shared.source.trim(through).await?;
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

    /// Whether the log has become another's.
    pub(crate) fn has_ended(&self) -> bool {
        self.shared.target.lock().ended
    }

    /// Nothing more is archived.
    pub(super) fn stop(&self) {
        self.task.abort();
    }

    /// Refuses if the archive is too far behind.
    pub(super) fn check_backlog(&self) -> Result<()> {
        let shared = &self.shared;
        let bytes = shared.source.bounds().bytes;
        if bytes <= shared.options.backlog_bytes_max {
            return Ok(());
        }
        let target = shared.target.lock();
        if target.done >= target.through {
            return Ok(());
        }
        let behind = format!(
            "journal of {}: {bytes} bytes wait for the archive, over {}",
            shared.branch, shared.options.backlog_bytes_max
        );
        let kind = ErrorKind::Unavailable;
        let error = match &target.trouble {
            Some(e) => Error::with_source(kind, behind, e.clone()),
            None => Error::new(kind, behind),
        };
        Err(error.retryable())
    }
}

/// Archives and trims until it is stopped or the log is another's.
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
        #[cfg(any(test, feature = "conformance"))]
        if shared.options.trims_first {
            // A bug cares for nothing.
            drop(shared.source.trim(through).await);
        }
        let done = match shared.archive(through).await {
            Ok(()) => shared.source.trim(through).await,
            Err(e) => Err(e),
        };
        match done {
            Ok(()) => {
                let mut target = shared.target.lock();
                target.done = target.done.max(through);
                target.trouble = None;
                pause = RETRY_FIRST;
            }
            Err(e) if e.kind() == ErrorKind::Fenced => {
                shared.target.lock().ended = true;
                return;
            }
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
        let trimmed = self.source.bounds().trimmed;
        let mut done = match *archived {
            Some(done) => done.max(trimmed),
            None => self.archived_after(trimmed).await?,
        };
        *archived = Some(done);
        if done >= through.min(self.source.bounds().last) {
            return Ok(());
        }
        let mut records = self.source.read(done.next()).await?;
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
}
