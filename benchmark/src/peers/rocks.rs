//! RocksDB, called by threads, as it is made for.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::{Error, ErrorKind, Result};
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, DBPinnableSlice, FlushOptions, Options,
    WaitForCompactOptions, WriteBatch, WriteOptions,
};

use crate::config::{Switch, Topology};
use crate::engine::{Batch, Engine, Target};
use crate::measure::{Counters, dir_bytes};
use crate::run::{Work, run_threads};

/// More threads than this only wait for each other.
const THREADS_MAX: u32 = 256;

/// Filters, by bits for a key: about one false hit in a hundred.
const FILTER_BITS: f64 = 10.0;

struct Rocks {
    db: DB,
    write: WriteOptions,
}

fn failed(e: rocksdb::Error) -> Error {
    Error::with_source(ErrorKind::Unavailable, "rocksdb", e)
}

impl Engine for Rocks {
    type Value<'a> = DBPinnableSlice<'a>;

    #[inline]
    async fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.db.put_opt(key, value, &self.write).map_err(failed)
    }

    async fn put_batch(&self, batch: &Batch) -> Result<()> {
        let mut writes = WriteBatch::default();
        for (key, value) in batch.iter() {
            writes.put(key, value);
        }
        self.db.write_opt(writes, &self.write).map_err(failed)
    }

    #[inline]
    async fn get<'a>(&'a self, key: &'a [u8]) -> Result<Option<DBPinnableSlice<'a>>> {
        self.db.get_pinned(key).map_err(failed)
    }

    async fn scan<F>(&self, start: &[u8], limit: usize, mut each: F) -> Result<()>
    where
        F: FnMut(&[u8], &[u8]) + Send,
    {
        let mut rows = self.db.raw_iterator();
        rows.seek(start);
        for _ in 0..limit {
            match rows.item() {
                Some((key, value)) => each(key, value),
                None => break,
            }
            rows.next();
        }
        rows.status().map_err(failed)
    }
}

struct RocksTarget {
    engine: Arc<Rocks>,
    cache: Cache,
    dir: std::path::PathBuf,
    settings: Vec<(String, String)>,
}

/// Opens a database in `dir`.
pub(super) async fn open(topology: &Topology, dir: &Path) -> Result<Arc<dyn Target>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as i32;
    let memory = usize::try_from(topology.caches.memory).unwrap_or(usize::MAX);
    let memtable = usize::try_from(topology.memtables.bytes).unwrap_or(usize::MAX);
    let memtables = i32::try_from(topology.memtables.count).unwrap_or(i32::MAX);
    // Its own advice for point reads by several threads; sizes itself.
    let cache = Cache::new_hyper_clock_cache(memory, 0);
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(&cache);
    blocks.set_bloom_filter(FILTER_BITS, false);
    // Everything that is cached is within the same budget, as Firn's is.
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_cache_index_and_filter_blocks_with_high_priority(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_write_buffer_size(memtable);
    options.set_max_write_buffer_number(memtables);
    options.set_max_background_jobs(cores.max(2));
    options.set_level_compaction_dynamic_level_bytes(true);
    // Pipelined writes and recycled logs are left off, as they come: with 256
    // threads and synced puts they gained nothing, and cost processor time.
    options.set_disable_auto_compactions(topology.compaction == Switch::Off);
    let mut write = WriteOptions::default();
    write.set_sync(topology.sync);
    let path = dir.to_owned();
    let opened = tokio::task::spawn_blocking(move || DB::open(&options, path)).await;
    let db = opened
        .map_err(|e| Error::with_source(ErrorKind::Internal, "opening rocksdb", e))?
        .map_err(failed)?;
    let settings = [
        ("version", "rust crate rocksdb 0.25".to_owned()),
        ("block cache", format!("{} MiB, hyper clock, with indexes and filters", memory >> 20)),
        ("filters", format!("Bloom, {FILTER_BITS} bits a key, whole keys")),
        ("compression", "LZ4 on all levels".to_owned()),
        ("memtables", format!("{memtables} of {} MiB", memtable >> 20)),
        ("write-ahead log", format!("sync {}, else as it comes", topology.sync)),
        ("background jobs", cores.max(2).to_string()),
        ("compaction", format!("{:?}", topology.compaction).to_lowercase()),
        ("reads of files", "through the file system's cache".to_owned()),
        ("statistics", "off: they cost time on every get".to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let engine = Arc::new(Rocks { db, write });
    Ok(Arc::new(RocksTarget { engine, cache, dir: dir.to_owned(), settings }))
}

impl RocksTarget {
    /// Runs a call that blocks for long.
    async fn blocking(
        &self,
        doing: &'static str,
        limit: Duration,
        call: impl FnOnce(&DB) -> Result<(), rocksdb::Error> + Send + 'static,
    ) -> Result<()> {
        let engine = Arc::clone(&self.engine);
        let called = tokio::task::spawn_blocking(move || call(&engine.db));
        match tokio::time::timeout(limit, called).await {
            Ok(Ok(result)) => result.map_err(failed),
            Ok(Err(e)) => Err(Error::with_source(ErrorKind::Internal, doing, e)),
            Err(_) => {
                let why = format!("rocksdb: {doing} took more than {limit:?}");
                Err(Error::new(ErrorKind::Unavailable, why))
            }
        }
    }

    fn number(&self, property: &str) -> u64 {
        self.engine.db.property_int_value(property).ok().flatten().unwrap_or(0)
    }
}

#[async_trait]
impl Target for RocksTarget {
    fn settings(&self) -> Vec<(String, String)> {
        self.settings.clone()
    }

    fn shape(&self, tasks: u32) -> String {
        format!("{} threads", tasks.min(THREADS_MAX))
    }

    async fn run(&self, work: &Arc<Work>) -> Result<()> {
        run_threads(&self.engine, work, THREADS_MAX).await
    }

    async fn flush(&self, limit: Duration) -> Result<()> {
        self.blocking("flushing", limit, |db| db.flush_opt(&FlushOptions::default())).await
    }

    async fn settle(&self, limit: Duration) -> Result<Duration> {
        let wait = |db: &DB| db.wait_for_compact(&WaitForCompactOptions::default());
        self.blocking("settling", limit, wait).await?;
        Ok(Duration::ZERO)
    }

    fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        counters.sizes.extend([
            ("block cache bytes", self.cache.get_usage() as u64),
            ("memtable bytes", self.number("rocksdb.cur-size-all-mem-tables")),
            ("L0 files", self.number("rocksdb.num-files-at-level0")),
            ("row bytes", self.number("rocksdb.live-sst-files-size")),
            (
                "bytes waiting for compaction",
                self.number("rocksdb.estimate-pending-compaction-bytes"),
            ),
        ]);
        if self.number("rocksdb.is-write-stopped") > 0 {
            counters.pressure = Some("rocksdb has stopped writes".to_owned());
        } else if self.number("rocksdb.actual-delayed-write-rate") > 0 {
            counters.pressure = Some("rocksdb delays writes".to_owned());
        }
        counters
    }

    async fn stored_bytes(&self) -> Result<Option<u64>> {
        dir_bytes(&self.dir).map(Some)
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        // The last reference closes it; as Firn does, it leaves nothing to replay.
        self.blocking("closing", limit, |db| {
            db.flush_opt(&FlushOptions::default())?;
            db.cancel_all_background_work(true);
            Ok(())
        })
        .await
    }
}
