//! Merges one shard of a compaction job.
//!
//! The order of each output is: store its column copy, store its rows, report
//! both. Reported before it is stored, an output could be named by a manifest
//! and not exist. A crash between storing and reporting leaves objects that no
//! manifest names; they carry the attempt's number and are collected once the
//! attempt is over. The next attempt goes on at the last reported key.
//!
//! The next output is merged meanwhile, so that a slow store is not waited for.
//! One output is on its way at a time: its report has been answered before the
//! next one is stored, which keeps the reports in the order of their keys, and
//! what is in memory below two outputs. The last one is waited for, and so is
//! one that is on its way when the merge stops or fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;

use bytes::Bytes;
use futures::future::BoxFuture;
use object_store::ObjectStore;

use super::output::{FileWriter, Target};
use super::retention::Retention;
use crate::cache::BlockIo;
use crate::column::{RowSchema, RowSchemas};
use crate::compaction::{Compaction, ShardLease};
use crate::env::Env;
use crate::error::{Context, Error, Result};
use crate::key::KeyRange;
use crate::manifest::{Job, LEVEL_MAX, RangeDelete};
use crate::object::{BlockSource, Layout};
use crate::range_delete::RangeDeletes;
use crate::scan::level::LevelCursor;
use crate::scan::merge::{MergeCursor, Source};
use crate::sst::cursor::{FileCursor, ScanMode};
use crate::sst::file::{File, PinBudget};
use crate::sst::stored::Compression;
use crate::types::ObjectId;
use crate::view::Level;

/// Versions between two looks at the stop flag: about a millisecond of work.
const LOOK_EVERY: u64 = 1024;

/// What a merge works with.
#[derive(Clone)]
pub struct MergeContext {
    /// Clock and tasks.
    pub env: Env,
    /// Takes the outputs.
    pub store: Arc<dyn ObjectStore>,
    /// Names of objects.
    pub layout: Layout,
    /// Gives the inputs.
    pub blocks: Arc<dyn BlockSource>,
    /// Understands the spaces' row schemas.
    pub schemas: Arc<dyn RowSchemas>,
    /// An output is ended when it has this many bytes.
    pub file_bytes_max: u64,
}

impl std::fmt::Debug for MergeContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MergeContext")
    }
}

/// Asks a merge to stop soon.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Asks.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What merges have read and written.
#[derive(Debug, Default)]
pub struct MergeCounts {
    /// Versions read.
    pub entries_in: AtomicU64,
    /// Versions kept.
    pub entries_out: AtomicU64,
    /// Keys and values read, before compression.
    pub raw_bytes_in: AtomicU64,
    /// Stored bytes read.
    pub bytes_in: AtomicU64,
    /// Bytes of rows stored.
    pub row_bytes_out: AtomicU64,
    /// Bytes of columns stored.
    pub column_bytes_out: AtomicU64,
    /// Files stored, columns not counted.
    pub files_out: AtomicU64,
}

/// How a merge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of the shard is in reported outputs.
    Done,
    /// It was asked to stop; what was reported stays.
    Stopped,
}

/// Merges a leased shard and reports each output to `queue`.
///
/// # Errors
/// When an input cannot be read, an output cannot be stored, or the lease is
/// lost. Reported outputs stay.
pub async fn merge_shard(
    ctx: &MergeContext,
    lease: &ShardLease,
    queue: &dyn Compaction,
    stop: &StopFlag,
    counts: &MergeCounts,
) -> Result<Outcome> {
    let (job, token) = (&lease.job, &lease.token);
    let run = async {
        let mut merge = Merge::begin(ctx, lease, queue, counts).await?;
        let outcome = merge.run(stop).await;
        if !matches!(outcome, Ok(Outcome::Done))
            && let Some(file) = merge.open.take()
        {
            file.abort().await;
        }
        match (outcome, merge.ended().await) {
            (Ok(_), Err(error)) => Err(error),
            (outcome, _) => outcome,
        }
    };
    run.await.context(|| format!("compaction job {} shard {}", job.id, token.shard))
}

struct Merge<'a> {
    lease: &'a ShardLease,
    queue: &'a dyn Compaction,
    counts: &'a MergeCounts,
    target: Target,
    schema: Option<Arc<dyn RowSchema>>,
    file_bytes_max: u64,
    cursor: MergeCursor,
    io: Arc<BlockIo>,
    range: KeyRange,
    retention: Retention,
    /// Range deletions of the inputs within the range.
    deleted: RangeDeletes,
    /// Those that go on into the outputs.
    kept_deletes: RangeDeletes,
    open: Option<FileWriter>,
    /// The output before the open one, on its way to the store and to the queue.
    ending: Option<BoxFuture<'a, Result<()>>>,
    /// Where the open or next output starts.
    output_start: Bytes,
    next_index: u64,
    last_key: Vec<u8>,
}

impl<'a> Merge<'a> {
    async fn begin(
        ctx: &MergeContext,
        lease: &'a ShardLease,
        queue: &'a dyn Compaction,
        counts: &'a MergeCounts,
    ) -> Result<Self> {
        let job = &lease.job;
        let shard = job
            .shards
            .get(lease.token.shard)
            .ok_or_else(|| Error::internal("the lease names a shard that the job has not"))?;
        let range = KeyRange { start: shard.resume_key.clone(), end: shard.range.end.clone() };
        let schema = match (job.bottom, lease.options.row_schema.is_empty()) {
            (true, false) => Some(ctx.schemas.open(&lease.options.row_schema)?),
            _ => None,
        };
        // Blocks are read once and in order: no cache but for partitions in use.
        let io = Arc::new(BlockIo::new(8 << 20, None, Arc::clone(&ctx.blocks)));
        let (files, sources) = sources(ctx, lease, &range, &io);
        let mut deleted = Vec::new();
        for file in &files {
            if let Some(deletes) = file.range_deletes(&io).await? {
                deleted.extend(deletes.deletes());
            }
        }
        let deleted = RangeDeletes::new(&deleted).within(&range);
        let retention = Retention::new(job.watermark, job.bottom);
        let kept: Vec<RangeDelete> =
            deleted.deletes().filter(|d| retention.keep_range_delete(d.seq)).collect();
        let mut cursor = MergeCursor::new(sources);
        cursor.seek(&range.start).await?;
        Ok(Self {
            lease,
            queue,
            counts,
            target: Target {
                env: ctx.env.clone(),
                store: Arc::clone(&ctx.store),
                layout: ctx.layout.clone(),
            },
            schema,
            file_bytes_max: ctx.file_bytes_max,
            cursor,
            io,
            output_start: range.start.clone(),
            range,
            retention,
            deleted,
            kept_deletes: RangeDeletes::new(&kept),
            open: None,
            ending: None,
            next_index: 0,
            last_key: Vec::new(),
        })
    }

    async fn run(&mut self, stop: &StopFlag) -> Result<Outcome> {
        let watermark = self.lease.job.watermark;
        let (mut seen, mut kept, mut raw_bytes) = (0u64, 0u64, 0u64);
        let mut worked_since = self.target.env.now();
        while let Some(at) = self.cursor.current() {
            let (key, seq, kind) = (at.key(), at.seq(), at.kind());
            if !self.range.ends_after(key) {
                break;
            }
            seen += 1;
            raw_bytes += (key.len() + at.value().len()) as u64;
            let hidden =
                if self.deleted.is_empty() { None } else { self.deleted.covering(key, watermark) };
            if self.retention.keep(key, seq, kind, hidden) {
                kept += 1;
                let turn = match &self.open {
                    None => true,
                    Some(file) => {
                        file.wants_sending()
                            || (file.size() >= self.file_bytes_max && *key != *self.last_key)
                    }
                };
                if turn {
                    let key = Bytes::copy_from_slice(key);
                    self.turn(&key).await?;
                }
                let at = self.cursor.current().expect("it has not moved");
                if let Some(file) = &mut self.open {
                    file.add(at.key(), seq, kind, at.value())?;
                }
                self.last_key.clear();
                self.last_key.extend_from_slice(at.key());
            }
            if seen.is_multiple_of(LOOK_EVERY) {
                if stop.is_set() {
                    return Ok(Outcome::Stopped);
                }
                self.go_on_ending().await?;
                self.target.env.give_way(&mut worked_since).await;
            }
            if !self.cursor.try_next() {
                self.cursor.complete().await?;
            }
        }
        let add = |counter: &AtomicU64, n| counter.fetch_add(n, Ordering::Relaxed);
        add(&self.counts.entries_in, seen);
        add(&self.counts.entries_out, kept);
        add(&self.counts.raw_bytes_in, raw_bytes);
        add(&self.counts.bytes_in, self.io.counts.storage_bytes.load(Ordering::Relaxed));
        self.end_file(None).await?;
        Ok(Outcome::Done)
    }

    /// Makes room for `key`: sends, ends, begins files.
    async fn turn(&mut self, key: &Bytes) -> Result<()> {
        if let Some(file) = &mut self.open {
            if file.size() >= self.file_bytes_max && **key != *self.last_key {
                self.end_file(Some(key)).await?;
            } else {
                file.send().await?;
            }
        }
        if self.open.is_none() {
            self.open = Some(self.begin_file()?);
        }
        Ok(())
    }

    fn begin_file(&mut self) -> Result<FileWriter> {
        let job = &self.lease.job;
        let id = ObjectId {
            branch: self.lease.branch_uid,
            counter: Job::output_counter(self.lease.token.attempt, self.next_index),
            epoch: self.lease.epoch,
        };
        self.next_index += 1;
        // The bottom holds nearly everything and is written least often.
        let compression = if job.bottom { Compression::Zstd } else { Compression::Lz4 };
        let schema = self.schema.as_deref();
        FileWriter::new(&self.target, id, job.space, &self.lease.options, compression, schema)
    }

    /// Begins to store and report the open output, which ends before `next_key`, when the
    /// one before has been; at the end of the shard there is no such key, and it is waited
    /// for.
    async fn end_file(&mut self, next_key: Option<&Bytes>) -> Result<()> {
        self.ended().await?;
        let end = next_key.cloned().or_else(|| self.range.end.clone());
        let covers = KeyRange { start: self.output_start.clone(), end: end.clone() };
        let deletes = self.kept_deletes.within(&covers);
        let done = next_key.is_none();
        if self.open.is_none() && !deletes.is_empty() {
            self.open = Some(self.begin_file()?);
        }
        let resume = end.unwrap_or_else(|| self.output_start.clone());
        self.output_start = resume.clone();
        let file = self.open.take();
        let (lease, queue, counts) = (self.lease, self.queue, self.counts);
        self.ending = Some(Box::pin(async move {
            let mut outputs = Vec::new();
            if let Some(file) = file {
                let meta = file.finish(deletes).await?;
                let add = |counter: &AtomicU64, n| counter.fetch_add(n, Ordering::Relaxed);
                add(&counts.files_out, 1);
                add(&counts.row_bytes_out, meta.bytes);
                add(&counts.column_bytes_out, meta.total_bytes() - meta.bytes);
                outputs.push(meta);
            }
            queue.report(&lease.token, outputs, resume, done).await
        }));
        if done { self.ended().await } else { self.go_on_ending().await }
    }

    /// Goes on with the output that is on its way, as far as that goes without waiting.
    async fn go_on_ending(&mut self) -> Result<()> {
        let Some(ending) = &mut self.ending else { return Ok(()) };
        match futures::poll!(ending) {
            Poll::Pending => Ok(()),
            Poll::Ready(ended) => {
                self.ending = None;
                ended
            }
        }
    }

    /// Waits until no output is on its way.
    async fn ended(&mut self) -> Result<()> {
        match self.ending.take() {
            Some(ending) => ending.await,
            None => Ok(()),
        }
    }
}

/// The inputs that overlap `range`, as files and as cursors.
fn sources(
    ctx: &MergeContext,
    lease: &ShardLease,
    range: &KeyRange,
    io: &Arc<BlockIo>,
) -> (Vec<Arc<File>>, Vec<Source>) {
    // Inputs are open only while they are merged: pin what they need.
    let budget = PinBudget::new(u64::MAX);
    let mut files = Vec::new();
    let mut sources = Vec::new();
    let mode = ScanMode::MERGE;
    for level in 0..=LEVEL_MAX {
        let inputs = lease.job.inputs.iter().zip(&lease.inputs);
        let mut at_level: Vec<Arc<File>> = inputs
            .filter(|(input, meta)| input.level == level && meta.range.overlaps(range))
            .map(|(_, meta)| Arc::new(File::new(Arc::clone(meta), Arc::clone(&budget))))
            .collect();
        files.extend(at_level.iter().cloned());
        if level == 0 {
            sources.extend(at_level.into_iter().map(|file| {
                let cursor = FileCursor::new(file, Arc::clone(io), ctx.env.clone(), mode);
                Source::File(Box::new(cursor))
            }));
        } else if !at_level.is_empty() {
            at_level.sort_by(|a, b| a.meta.range.start.cmp(&b.meta.range.start));
            let level = Arc::new(Level::new(at_level));
            let cursor = LevelCursor::new(level, Arc::clone(io), ctx.env.clone(), mode);
            sources.push(Source::Level(Box::new(cursor)));
        }
    }
    (files, sources)
}
