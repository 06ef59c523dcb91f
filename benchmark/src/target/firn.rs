//! Firn, embedded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_engine::merge::MergeCounts;
use firn_engine::{Db, Error, ErrorKind, Result, SpaceId, WriteBatch};

use crate::engine::{Batch, Engine, Target};
use crate::measure::{Counters, Latency, Metered, Requests};
use crate::run::{Work, run_tasks};

/// The space that all keys are in.
const SPACE: SpaceId = SpaceId(1);

/// Nothing may have changed for so long before compaction counts as idle.
const QUIET: Duration = Duration::from_secs(1);

/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(25);

struct FirnEngine {
    db: Arc<Db>,
}

impl Engine for FirnEngine {
    type Value<'a> = Bytes;

    #[inline]
    async fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.db.put(SPACE, key, value).await?;
        Ok(())
    }

    async fn put_batch(&self, batch: &Batch) -> Result<()> {
        let mut writes = WriteBatch::new();
        for (key, value) in batch.iter() {
            writes.put(SPACE, key, value)?;
        }
        self.db.write(&writes).await?;
        Ok(())
    }

    #[inline]
    async fn get<'a>(&'a self, key: &'a [u8]) -> Result<Option<Bytes>> {
        self.db.get(SPACE, key).await
    }

    async fn scan<F>(&self, start: &[u8], limit: usize, mut each: F) -> Result<()>
    where
        F: FnMut(&[u8], &[u8]) + Send,
    {
        let range = KeyRange { start: Bytes::copy_from_slice(start), end: None };
        let mut scan = self.db.scan(SPACE, &range).await?;
        for _ in 0..limit {
            match scan.next().await? {
                Some((key, value)) => each(key, value),
                None => break,
            }
        }
        Ok(())
    }
}

/// What a database stands on besides its object store.
#[async_trait]
pub trait Surroundings: Send + Sync {
    /// Whether a compaction is under way.
    fn is_compacting(&self) -> bool;

    /// What compactions have read and written; `None` if there are none.
    fn merge_counts(&self) -> Option<&MergeCounts>;

    /// Processes of its parts, by name.
    fn processes(&self) -> Vec<(String, u32)> {
        Vec::new()
    }

    /// What those processes have asked of the object store, by name.
    fn part_requests(&self) -> BTreeMap<String, Requests> {
        BTreeMap::new()
    }

    /// How long calls to parts took since this was called last, by call.
    fn part_latencies(&self) -> BTreeMap<&'static str, Latency> {
        BTreeMap::new()
    }

    /// Stops workers and services, after the database was closed.
    ///
    /// # Errors
    /// What could not be stopped in good order within `limit`.
    async fn close(&self, limit: Duration) -> Result<()>;
}

/// A database with its surroundings.
pub struct FirnTarget {
    engine: Arc<FirnEngine>,
    store: Arc<Metered>,
    surroundings: Box<dyn Surroundings>,
    settings: Vec<(String, String)>,
    compacts: bool,
}

impl FirnTarget {
    /// The space that the workloads' keys are in, to be declared if it is to
    /// have columns.
    pub const SPACE: SpaceId = SPACE;

    /// An open database as a target. `store` must be what the database, its
    /// storage service and its workers were given, so that all requests are
    /// counted; `compacts` says whether there are workers.
    #[must_use]
    pub fn new(
        db: Arc<Db>,
        store: Arc<Metered>,
        surroundings: Box<dyn Surroundings>,
        compacts: bool,
        settings: Vec<(String, String)>,
    ) -> Arc<Self> {
        let engine = Arc::new(FirnEngine { db });
        Arc::new(Self { engine, store, surroundings, settings, compacts })
    }

    /// `None` if compaction is at rest: no job, or only parked ones.
    fn unrest(&self) -> Result<Option<String>> {
        let version = self.engine.db.version();
        for job in version.jobs.values() {
            if let Some(reason) = &job.parked {
                let why = format!("compaction job {} is parked: {reason}", job.id);
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
        }
        if let Some(failure) = self.engine.db.failure() {
            return Err(failure);
        }
        let busy = self.surroundings.is_compacting() || !version.jobs.is_empty();
        Ok(busy.then(|| format!("{} jobs", version.jobs.len())))
    }
}

#[async_trait]
impl Target for FirnTarget {
    fn settings(&self) -> Vec<(String, String)> {
        self.settings.clone()
    }

    async fn run(&self, work: &Arc<Work>) -> Result<()> {
        run_tasks(&self.engine, work).await
    }

    async fn flush(&self, limit: Duration) -> Result<()> {
        self.engine.db.flush(limit).await
    }

    async fn settle(&self, limit: Duration) -> Result<Duration> {
        if !self.compacts {
            return Ok(Duration::ZERO);
        }
        let start = Instant::now();
        let mut quiet_since = Instant::now();
        let mut number = self.engine.db.version().number;
        loop {
            let unrest = self.unrest()?;
            let now = self.engine.db.version().number;
            if unrest.is_some() || now != number {
                number = now;
                quiet_since = Instant::now();
            }
            if quiet_since.elapsed() >= QUIET {
                return Ok(quiet_since.elapsed());
            }
            if start.elapsed() > limit {
                let left = unrest.unwrap_or_else(|| "the manifest still changes".to_owned());
                let why = format!("compaction has not settled within {limit:?}: {left}");
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn counters(&self) -> Counters {
        let stats = self.engine.db.stats();
        let mut counters = Counters {
            requests: Some(self.store.meter().requests()),
            pressure: (stats.write_pressure > 0.0).then_some(stats.write_pressure_reason),
            ..Counters::default()
        };
        counters.written.insert("journal", stats.journal_bytes);
        counters.written.insert("flush", stats.flush_bytes_out);
        if let Some(merges) = self.surroundings.merge_counts() {
            let get = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
            counters.written.insert("compaction", get(&merges.row_bytes_out));
            counters.written.insert("columns", get(&merges.column_bytes_out));
            counters.compaction_bytes_in = get(&merges.bytes_in);
            counters.counts.insert("compaction raw bytes in", get(&merges.raw_bytes_in));
            counters.counts.insert("compaction entries in", get(&merges.entries_in));
            counters.counts.insert("compaction entries out", get(&merges.entries_out));
        }
        let cache = &stats.cache;
        counters.counts.extend([
            ("commits", stats.commits),
            ("commit groups", stats.commit_groups),
            ("flushes", stats.flushes),
            ("delayed writes", stats.delayed_writes),
            ("delay µs", stats.delay_us),
            ("row cache hits", cache.row_hits),
            ("row cache misses", cache.row_misses),
            ("block cache hits", cache.block_hits),
            ("disk cache hits", cache.disk_hits),
            ("storage reads", cache.storage_reads),
            ("storage bytes read", cache.storage_bytes),
            ("refilled blocks", cache.refilled_blocks),
        ]);
        counters.sizes.extend([
            ("row cache bytes", cache.row_bytes),
            ("block cache bytes", cache.block_bytes),
            ("pinned bytes", cache.pinned_bytes),
            ("memtable bytes", stats.memtable_bytes),
            ("memtables waiting", stats.memtables_waiting),
            ("journal bytes kept", stats.journal_kept_bytes),
            ("replayed bytes", stats.replayed_bytes),
            ("L0 files", stats.levels.first().map_or(0, |level| level.files)),
            ("files", stats.levels.iter().map(|level| level.files).sum()),
            ("row bytes", stats.levels.iter().map(|level| level.bytes).sum()),
            ("column bytes", stats.levels.iter().map(|level| level.column_bytes).sum()),
        ]);
        counters
    }

    fn processes(&self) -> Vec<(String, u32)> {
        self.surroundings.processes()
    }

    fn part_requests(&self) -> BTreeMap<String, Requests> {
        self.surroundings.part_requests()
    }

    fn part_latencies(&self) -> BTreeMap<&'static str, Latency> {
        self.surroundings.part_latencies()
    }

    async fn stored_bytes(&self) -> Result<Option<u64>> {
        let stored = self.store.stored_bytes().await.map_err(|e| {
            Error::with_source(ErrorKind::Unavailable, format!("listing {}", self.store), e)
        })?;
        Ok(Some(stored + self.engine.db.stats().journal_kept_bytes))
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        let closed = self.engine.db.close(limit).await;
        closed.and(self.surroundings.close(limit).await)
    }
}
