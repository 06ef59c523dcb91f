//! Transactions larger than memory: their writes lie in files before they are committed.
//!
//! # Order
//!
//! 1. *store*: sorted writes become files ([`Db::store_run`]). No manifest names them;
//!    whoever holds the [`Run`] reads them, under own eyes only.
//! 2. *merge*: runs whose keys overlap become one ([`Db::merge_runs`]), so that each key is
//!    there once.
//! 3. *flush*: all that was committed before is in files. Once while others go on, and then,
//!    in the place of one group of commits and with none other on its way, the little that
//!    came meanwhile ([`Db::commit_run`]).
//! 4. *record*: an empty record takes the run's seq in the journal.
//! 5. *name*: one edit of the manifest names all files of the run, at that seq, and says that
//!    everything up to it is in files. It is what commits the run.
//! 6. *publish*: readers get that manifest, cached rows are forgotten, the seq is published,
//!    and who waits is told.
//!
//! Naming before flushing would lose commits: replay begins behind the manifest's seq, and
//! theirs are before it. Naming before the record would give the seq away twice: if the record
//! then fails and nothing was written, the next group takes it. Naming while others are on
//! their way would name seqs that are not durable. Publishing before forgetting cached rows
//! would show old rows at a seq that has new ones; before readers have the manifest, a seq
//! without its rows. Several edits for one run would leave half of it to a crash.
//!
//! # Seqs
//!
//! The seq is not known when the files are written. Their entries have seq 0, which no
//! commit has, and readers take the seq of the file's description for it. A merge writes
//! the real one. Snapshots that are older pass over a file by its seq.
//!
//! Who follows the journal finds an empty record at this seq: what it stands for is in the
//! manifest only, and he may show the seq no sooner than he has that manifest.
//!
//! # Crashes
//!
//! Before 5 nothing of the run is found afterwards: the journal's record is empty, and the
//! objects are those of an epoch that is over, which garbage collection deletes. After it
//! all of it is, whether anybody was told or not. Recovery is that of a flush: the files
//! are in the manifest, and the journal is replayed behind them.
//!
//! # Retries, and stores that do not answer
//!
//! What fails up to 4 without a trace fails the commit: nothing was written. 5 is tried again
//! for as long as the database is open, since an attempt without an answer may have been
//! stored, and is recognised then. If it takes longer than `commit_wait_max`, whoever commits
//! is told that the outcome is unknown, and writers behind it that nothing was written. If
//! another writer has taken the branch, or the database closes meanwhile, the outcome stays
//! unknown.
//!
//! # Cancellation
//!
//! A run that is dropped is deleted at once, as are the files of one that was not finished:
//! of an upload that is cut short its object may stay until the epoch is over. From the
//! moment that a run waits for its turn in 3 it is committed whether anybody waits or not.
//! Objects of runs count from [`RUN_OBJECTS`], which no flush reaches, so that no flush
//! decides about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use object_store::ObjectStoreExt;

use super::commit::append;
use super::completion::Completion;
use super::run_writer::RunWriter;
use super::{Db, Inner};
use crate::cache::BlockIo;
use crate::env::TaskClass;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::key::{self, KEY_LEN_MAX, VALUE_LEN_MAX, ValueKind};
use crate::manifest::{SstMeta, TimePoint, Version};
use crate::object::ObjectKind;
use crate::scan::level::LevelCursor;
use crate::scan::merge::{MergeCursor, Source};
use crate::sst::cursor::ScanMode;
use crate::sst::file::File;
use crate::sst::filter;
use crate::storage::FlushCommit;
use crate::types::{ObjectId, Seq, SpaceId};
use crate::view::Level;

/// Objects of runs count from here.
pub(super) const RUN_OBJECTS: u64 = 1 << 60;

/// Uncommitted writes are newer than all that is committed: their seqs are from here on,
/// the later the run the greater.
pub(crate) const OWN: Seq = Seq(1 << 62);

/// Versions between two chances for other tasks to run.
const YIELD_EVERY: u64 = 1024;

/// Pause before the manifest is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// A write of a run: the key, without its space, and its value, or a deletion.
pub type RunWrite<'a> = (SpaceId, &'a [u8], Option<&'a [u8]>);

/// Sorted writes that are stored and not committed. Dropping it deletes its objects.
pub struct Run {
    db: Arc<Inner>,
    spaces: BTreeMap<SpaceId, Arc<Level>>,
    files: Vec<Arc<SstMeta>>,
    entries: u64,
    /// The manifest names the files by now, or may.
    kept: bool,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run of {} writes in {} files", self.entries, self.files.len())
    }
}

impl Run {
    pub(super) fn new(db: &Arc<Inner>, files: Vec<Arc<SstMeta>>, order: u32) -> Self {
        let mut by_space: BTreeMap<SpaceId, Vec<Arc<File>>> = BTreeMap::new();
        let mut entries = 0;
        for meta in &files {
            entries += meta.entries;
            let own = Seq(OWN.0 + u64::from(order));
            let meta = Arc::new(SstMeta { seq_min: own, seq_max: own, ..(**meta).clone() });
            let file = Arc::new(File::new(meta, Arc::clone(&db.pins)));
            by_space.entry(file.meta.space).or_default().push(file);
        }
        let spaces =
            by_space.into_iter().map(|(space, files)| (space, Arc::new(Level::new(files))));
        Self { db: Arc::clone(db), spaces: spaces.collect(), files, entries, kept: false }
    }

    /// Number of writes.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Size of its objects in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.total_bytes()).sum()
    }

    /// Whether it has writes of a space.
    #[must_use]
    pub fn has_space(&self, space: SpaceId) -> bool {
        self.spaces.contains_key(&space)
    }

    /// What was written to a key: a value, or a deletion; `None` if nothing was.
    ///
    /// # Errors
    /// `Corrupt` or `Unavailable` if the file cannot be read.
    pub async fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Option<Bytes>>> {
        let Some(level) = self.spaces.get(&space) else { return Ok(None) };
        let key = key::user_key(space, key);
        let Some(file) = level.file_of(&key) else { return Ok(None) };
        let found = file.get(&self.db.io, &key, filter::hash(&key), Seq::MAX).await?;
        // A slice would keep its whole block in memory.
        Ok(found.map(|(_, kind, value)| {
            (kind == ValueKind::Put).then(|| Bytes::copy_from_slice(&value))
        }))
    }

    fn source(&self, space: SpaceId, io: &Arc<BlockIo>, mode: ScanMode) -> Option<Source> {
        let level = Arc::clone(self.spaces.get(&space)?);
        let cursor = LevelCursor::new(level, Arc::clone(io), self.db.env.clone(), mode);
        Some(Source::Level(Box::new(cursor)))
    }

    /// A walk over what was written to a space, for a scan over committed data.
    pub(super) fn scanned(&self, space: SpaceId) -> Option<Source> {
        self.source(space, &self.db.io, ScanMode::FOREGROUND)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.kept || self.files.is_empty() {
            return;
        }
        self.db.drop_files(&self.files);
    }
}

impl Inner {
    /// Deletes files that no manifest names, nor ever will.
    pub(super) fn drop_files(&self, files: &[Arc<SstMeta>]) {
        self.drop_objects(files.iter().map(|file| file.id));
    }

    pub(super) fn drop_objects(&self, ids: impl Iterator<Item = ObjectId>) {
        let paths: Vec<_> = ids.map(|id| self.layout.object(id, ObjectKind::Sst)).collect();
        let store = Arc::clone(&self.store);
        // What cannot be deleted now goes when the epoch is over.
        let task = self.env.spawn(TaskClass::Background, "drop a run", async move {
            for path in paths {
                if let Err(error) = store.delete(&path).await
                    && !matches!(error, object_store::Error::NotFound { .. })
                {
                    tracing::warn!(%path, %error, "a file of a transaction was not deleted");
                }
            }
        });
        drop(task);
    }
}

impl Db {
    /// Stores writes as files that nobody else sees: `(space, key, value or deletion)` in
    /// ascending order, each key once. Of several runs with a key, that of the greatest
    /// `order` counts.
    ///
    /// # Errors
    /// `BadRequest` for keys or values that are too long, `Unavailable` if the object store
    /// does not take them; nothing is left of the run then.
    pub async fn store_run(&self, order: u32, writes: &[RunWrite<'_>]) -> Result<Run> {
        self.inner.check_open()?;
        let mut writer = RunWriter::new(&self.inner);
        let mut written = Ok(());
        let mut worked_since = self.inner.env.now();
        for (count, &(space, key, value)) in (1u64..).zip(writes) {
            if key.len() > KEY_LEN_MAX || value.is_some_and(|v| v.len() > VALUE_LEN_MAX) {
                written = Err(Error::bad_request("a key or a value is too long"));
                break;
            }
            let kind = if value.is_some() { ValueKind::Put } else { ValueKind::Delete };
            let key = key::user_key(space, key);
            written = writer.add(&key, kind, value.unwrap_or_default()).await;
            if written.is_err() {
                break;
            }
            if count.is_multiple_of(YIELD_EVERY) {
                self.inner.env.give_way(&mut worked_since).await;
            }
        }
        writer.finish(order, written).await
    }

    /// Makes one run of several, which stay as they are. Writes of the spaces `gone` are
    /// left out.
    ///
    /// # Errors
    /// `Corrupt` or `Unavailable` if one cannot be read or the new one be stored.
    pub async fn merge_runs(
        &self,
        order: u32,
        runs: &[Arc<Run>],
        gone: &BTreeSet<SpaceId>,
    ) -> Result<Run> {
        self.inner.check_open()?;
        let mut writer = RunWriter::new(&self.inner);
        let written = self.merge_into(&mut writer, runs, gone).await;
        writer.finish(order, written).await
    }

    async fn merge_into(
        &self,
        writer: &mut RunWriter<'_>,
        runs: &[Arc<Run>],
        gone: &BTreeSet<SpaceId>,
    ) -> Result<()> {
        let spaces: BTreeSet<SpaceId> =
            runs.iter().flat_map(|run| run.spaces.keys().copied()).collect();
        let mut last: Vec<u8> = Vec::new();
        let mut worked_since = self.inner.env.now();
        for &space in spaces.difference(gone) {
            let io = &self.inner.io;
            let sources = runs.iter().filter_map(|run| run.source(space, io, ScanMode::MERGE_RUNS));
            let mut merge = MergeCursor::new(sources.collect());
            merge.seek(&space.prefix()).await?;
            let mut count = 0u64;
            while let Some(at) = merge.current() {
                // The newest run's comes first.
                if *at.key() != *last {
                    last.clear();
                    last.extend_from_slice(at.key());
                    writer.add(at.key(), at.kind(), at.value()).await?;
                }
                if !merge.try_next() {
                    merge.complete().await?;
                }
                count += 1;
                if count.is_multiple_of(YIELD_EVERY) {
                    self.inner.env.give_way(&mut worked_since).await;
                }
            }
        }
        Ok(())
    }

    /// Commits a run: on return all of it is durable and visible, at the returned seq. Its
    /// keys are there once each; [`Self::merge_runs`] makes it so.
    ///
    /// All other commits wait until it is done, which takes a flush and one edit of the
    /// manifest, however large it is.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn commit_run(&self, mut run: Run) -> Result<Seq> {
        let inner = &self.inner;
        inner.check_open()?;
        if run.files.is_empty() {
            return Ok(self.last_seq());
        }
        if let Some(why) = inner.stalled.load().as_deref() {
            return Err(why.clone());
        }
        inner.admit(0).await?;
        // The commit task flushes again, while all wait: little is left for it.
        let flushed = inner.flush(inner.options.admission_wait_max).await;
        flushed.context(|| "nothing was written".to_owned())?;
        let done = inner.queue.push_run(run.files.clone())?;
        // From here on it is the commit task that decides.
        run.kept = true;
        drop(run);
        done.await
    }
}

impl Inner {
    /// Commits the files of a run, behind everything up to `last`, which is published.
    pub(super) async fn commit_files(
        &self,
        journal: &dyn crate::journal::JournalWriter,
        files: &[Arc<SstMeta>],
        last: Seq,
        completion: &Completion,
    ) -> std::result::Result<Seq, RunFailure> {
        self.flush_all().await.map_err(RunFailure::Nothing)?;
        let seq = last.next();
        let unix_ms = self.env.unix_ms();
        let mut payload = Vec::new();
        crate::batch::WriteBatch::new().encode_into(&mut payload);
        let record = crate::journal::Record {
            epoch: self.epoch,
            first_seq: seq,
            last_seq: seq,
            unix_ms,
            payload: payload.into(),
        };
        append(self, journal, record, false, completion).await.map_err(|e| {
            match e.is_retryable() {
                true => RunFailure::Nothing(e),
                false => RunFailure::Journal(e),
            }
        })?;
        let at_seq = |file: &Arc<SstMeta>| {
            Arc::new(SstMeta { seq_min: seq, seq_max: seq, ..(**file).clone() })
        };
        let files: Vec<_> = files.iter().map(at_seq).collect();
        let named = self.name_files(&files, seq, unix_ms).fuse();
        futures::pin_mut!(named);
        let version = loop {
            let timer = self.env.sleep(self.options.commit_wait_max).fuse();
            futures::pin_mut!(timer);
            futures::select_biased! {
                named = named => break named?,
                () = timer => self.stall(completion),
            }
        };
        self.stalled.store(None);
        self.install(version);
        self.rows.swept(seq);
        self.publish(seq);
        if let Err(error) = self.journal.trim(seq).await {
            // The next flush trims further.
            tracing::warn!(%error, "the journal was not trimmed");
        }
        Ok(seq)
    }

    /// Step 5, tried until it is stored.
    async fn name_files(
        &self,
        files: &[Arc<SstMeta>],
        seq: Seq,
        unix_ms: u64,
    ) -> std::result::Result<Arc<Version>, RunFailure> {
        loop {
            let commit = FlushCommit {
                epoch: self.epoch,
                files: files.to_vec(),
                flushed_seq: seq,
                decided_counter: self.state.load().view.version.decided_counter,
                times: vec![TimePoint { seq, unix_ms }],
            };
            match self.storage.commit_flush(&self.options.branch, commit).await {
                Ok(version) => return Ok(version),
                Err(e) if e.kind() == ErrorKind::Fenced => return Err(RunFailure::Lost(e)),
                Err(error) if self.is_closing() => return Err(RunFailure::Lost(error)),
                Err(error) => {
                    tracing::warn!(%error, "a large transaction is not in the manifest yet");
                    self.env.sleep(self.env.jittered(RETRY_PAUSE)).await;
                }
            }
        }
    }

    /// Naming takes too long: nobody waits for nobody knows how long.
    fn stall(&self, completion: &Completion) {
        let waited = self.options.commit_wait_max;
        tracing::warn!(?waited, "a large transaction waits for its place in the manifest");
        let unknown = format!("commit: it was not in the manifest within {waited:?}");
        completion.complete(Err(Error::new(ErrorKind::OutcomeUnknown, unknown)));
        let behind = "nothing was written: a large transaction waits for its place in the manifest";
        let behind = Error::new(ErrorKind::Unavailable, behind).retryable();
        self.stalled.store(Some(Arc::new(behind.clone())));
        self.refuse_waiting(&behind);
    }

    /// Puts all memtables into files, while nobody commits.
    async fn flush_all(&self) -> Result<()> {
        {
            let applying = self.applying.lock();
            if !self.state.load().mem.is_empty() {
                self.rotate(&applying, 0);
            }
        }
        let limit = self.options.admission_wait_max;
        let flushed =
            self.wait_until(|state| state.frozen.is_empty() || self.failed.load().is_some());
        if self.env.timeout(limit, flushed).await.is_none() {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("nothing was written: what came before was not flushed within {limit:?}"),
            )
            .retryable());
        }
        self.failed.load().as_deref().map_or(Ok(()), |e| Err(e.clone()))
    }
}

/// How the commit of a run can fail.
pub(super) enum RunFailure {
    /// Nothing was written.
    Nothing(Error),
    /// The journal has failed, before the run was named.
    Journal(Error),
    /// The branch is lost, or the database closes; the run may be in the manifest.
    Lost(Error),
}
