//! SlateDB, on the same kind of object store, with its cache on the local disk.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::{Error, ErrorKind, Result};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Location;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use slatedb::config::{
    CompactorOptions, CompressionCodec, FlushOptions, FlushType, ObjectStoreCacheOptions, Settings,
};
use slatedb::db_cache::SplitCache;
use slatedb::db_cache::foyer::{FoyerCache, FoyerCacheOptions};
use slatedb::object_store;
use slatedb::{Db, WriteBatch};

use crate::config::{ObjectStoreAt, Switch, Topology};
use crate::engine::{Batch, Engine, Target};
use crate::measure::{Counters, Meter};
use crate::run::{Work, run_tasks};

/// Nothing may have changed for so long before compaction counts as idle:
/// twice as long as the compactor sleeps.
const QUIET: Duration = Duration::from_secs(4);

/// How often its compactor looks for work.
const POLL: Duration = Duration::from_secs(2);

fn failed(e: slatedb::Error) -> Error {
    Error::with_source(ErrorKind::Unavailable, "slatedb", e)
}

struct Slate {
    db: Db,
    sync: bool,
}

impl Slate {
    async fn durable(&self, written: slatedb::WriteHandle) -> Result<()> {
        if self.sync { written.await_durable().await.map_err(failed) } else { Ok(()) }
    }
}

impl Engine for Slate {
    type Value<'a> = Bytes;

    async fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        let written = self.db.put(key, value).await.map_err(failed)?;
        self.durable(written).await
    }

    async fn put_batch(&self, batch: &Batch) -> Result<()> {
        let mut writes = WriteBatch::new();
        for (key, value) in batch.iter() {
            writes.put(key, value);
        }
        let written = self.db.write(writes).await.map_err(failed)?;
        self.durable(written).await
    }

    #[inline]
    async fn get<'a>(&'a self, key: &'a [u8]) -> Result<Option<Bytes>> {
        self.db.get(key).await.map_err(failed)
    }

    async fn scan<F>(&self, start: &[u8], limit: usize, mut each: F) -> Result<()>
    where
        F: FnMut(&[u8], &[u8]) + Send,
    {
        let start = start.to_vec();
        let mut rows = self.db.scan(start..).await.map_err(failed)?;
        for _ in 0..limit {
            match rows.next().await.map_err(failed)? {
                Some(row) => each(&row.key, &row.value),
                None => break,
            }
        }
        Ok(())
    }
}

struct SlateTarget {
    engine: Arc<Slate>,
    store: Arc<Metered>,
    compacts: bool,
    settings: Vec<(String, String)>,
}

/// Opens a database whose objects and cache are in `dir`.
pub(super) async fn open(topology: &Topology, dir: &Path) -> Result<Arc<dyn Target>> {
    let inner: Arc<dyn ObjectStore> = match &topology.object_store {
        ObjectStoreAt::Memory => Arc::new(InMemory::new()),
        ObjectStoreAt::Folder => {
            let objects = make_dir(&dir.join("objects"))?;
            let store = LocalFileSystem::new_with_prefix(&objects).map_err(|e| {
                Error::with_source(ErrorKind::Unavailable, objects.display().to_string(), e)
            })?;
            Arc::new(store)
        }
        ObjectStoreAt::S3(_) => {
            let why = "slatedb is compared on `folder` and `memory` only";
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
    };
    let store = Arc::new(Metered { inner, meter: Arc::default() });
    let options = topology.engine_options();
    let memtable = options.memtable_bytes;
    let meta = options.pinned_bytes;
    let memory = topology.caches.memory - meta;
    let cache = |bytes| {
        let options = FoyerCacheOptions { max_capacity: bytes, ..FoyerCacheOptions::default() };
        Some(Arc::new(FoyerCache::new_with_opts(options)) as _)
    };
    let caches = SplitCache::new().with_block_cache(cache(memory)).with_meta_cache(cache(meta));
    let compacts = topology.compaction == Switch::Local;
    let mut settings = Settings {
        l0_sst_size_bytes: memtable,
        max_unflushed_bytes: memtable * topology.memtables.count,
        compression_codec: Some(CompressionCodec::Lz4),
        compactor_options: compacts
            .then(|| CompactorOptions { poll_interval: POLL, ..CompactorOptions::default() }),
        ..Settings::default()
    };
    if topology.caches.disk > 0 {
        settings.object_store_cache_options = ObjectStoreCacheOptions {
            root_folder: Some(make_dir(&dir.join("cache"))?),
            max_cache_size_bytes: usize::try_from(topology.caches.disk).ok(),
            // As Firn keeps what it has just written.
            cache_on_flush: true,
            cache_on_compaction: true,
            ..ObjectStoreCacheOptions::default()
        };
    }
    let part = settings.object_store_cache_options.part_size_bytes;
    let about = [
        ("version", "rust crate slatedb 0.18".to_owned()),
        ("object store", topology.object_store.to_string()),
        ("block cache", format!("{} MiB, and {} MiB for metadata", memory >> 20, meta >> 20)),
        (
            "disk cache",
            match topology.caches.disk {
                0 => "none".to_owned(),
                bytes => format!(
                    "{} MiB in parts of {} KiB, filled on flush and compaction",
                    bytes >> 20,
                    part >> 10
                ),
            },
        ),
        ("filters", "as it comes: Bloom, 10 bits a key".to_owned()),
        ("compression", "LZ4".to_owned()),
        ("memtables", format!("{} of {} MiB", topology.memtables.count, memtable >> 20)),
        ("puts", format!("awaited until durable: {}; flushed every 100 ms", topology.sync)),
        (
            "compaction",
            format!("{:?}, looks for work every {POLL:?}", topology.compaction).to_lowercase(),
        ),
    ];
    let about = about.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let db = Db::builder("db", Arc::clone(&store) as Arc<dyn ObjectStore>)
        .with_settings(settings)
        .with_db_cache(Arc::new(caches.build()), 0)
        .build()
        .await
        .map_err(failed)?;
    let engine = Arc::new(Slate { db, sync: topology.sync });
    Ok(Arc::new(SlateTarget { engine, store, compacts, settings: about }))
}

fn make_dir(dir: &Path) -> Result<std::path::PathBuf> {
    std::fs::create_dir_all(dir)
        .map_err(|e| Error::with_source(ErrorKind::Unavailable, dir.display().to_string(), e))?;
    Ok(dir.to_owned())
}

#[async_trait]
impl Target for SlateTarget {
    fn settings(&self) -> Vec<(String, String)> {
        self.settings.clone()
    }

    async fn run(&self, work: &Arc<Work>) -> Result<()> {
        run_tasks(&self.engine, work).await
    }

    async fn flush(&self, limit: Duration) -> Result<()> {
        let options = FlushOptions { flush_type: FlushType::MemTable };
        match tokio::time::timeout(limit, self.engine.db.flush_with_options(options)).await {
            Ok(flushed) => flushed.map_err(failed),
            Err(_) => {
                let why = format!("slatedb: flushing took more than {limit:?}");
                Err(Error::new(ErrorKind::Unavailable, why))
            }
        }
    }

    async fn settle(&self, limit: Duration) -> Result<Duration> {
        if !self.compacts {
            return Ok(Duration::ZERO);
        }
        let start = Instant::now();
        let seen = || (self.engine.db.manifest().id(), self.store.meter.requests().bytes_put);
        let (mut last, mut since) = (seen(), Instant::now());
        while since.elapsed() < QUIET {
            if start.elapsed() > limit {
                let why = format!("slatedb: compaction has not settled within {limit:?}");
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = seen();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        Ok(since.elapsed())
    }

    fn counters(&self) -> Counters {
        Counters { requests: Some(self.store.meter.requests()), ..Counters::default() }
    }

    async fn stored_bytes(&self) -> Result<Option<u64>> {
        let objects = self.store.inner.list(None);
        let sum = objects.try_fold(0, |sum, object| async move { Ok(sum + object.size) });
        let sum = sum.await.map_err(|e| {
            Error::with_source(ErrorKind::Unavailable, "listing slatedb's objects", e)
        })?;
        Ok(Some(sum))
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        self.flush(limit).await?;
        match tokio::time::timeout(limit, self.engine.db.close()).await {
            Ok(closed) => closed.map_err(failed),
            Err(_) => {
                let why = format!("slatedb: closing took more than {limit:?}");
                Err(Error::new(ErrorKind::Unavailable, why))
            }
        }
    }
}

/// As [`crate::Metered`], for the version of the trait that SlateDB uses.
#[derive(Debug)]
struct Metered {
    inner: Arc<dyn ObjectStore>,
    meter: Arc<Meter>,
}

impl fmt::Display for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

type StoreResult<T> = object_store::Result<T>;

#[async_trait]
impl ObjectStore for Metered {
    async fn put_opts(
        &self,
        location: &Location,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        self.meter.put(payload.content_length() as u64);
        self.meter.check(self.inner.put_opts(location, payload, options).await)
    }

    async fn put_multipart_opts(
        &self,
        location: &Location,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.meter.put(0);
        let upload = self.meter.check(self.inner.put_multipart_opts(location, options).await)?;
        Ok(Box::new(MeteredUpload { inner: upload, meter: Arc::clone(&self.meter) }))
    }

    async fn get_opts(&self, location: &Location, options: GetOptions) -> StoreResult<GetResult> {
        let head = options.head;
        self.meter.get();
        let result = self.meter.check(self.inner.get_opts(location, options).await)?;
        if !head {
            self.meter.got(result.range.end - result.range.start);
        }
        Ok(result)
    }

    async fn get_ranges(
        &self,
        location: &Location,
        ranges: &[Range<u64>],
    ) -> StoreResult<Vec<Bytes>> {
        for _ in ranges {
            self.meter.get();
        }
        let parts = self.meter.check(self.inner.get_ranges(location, ranges).await)?;
        self.meter.got(parts.iter().map(|part| part.len() as u64).sum());
        Ok(parts)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Location>>,
    ) -> BoxStream<'static, StoreResult<Location>> {
        let meter = Arc::clone(&self.meter);
        let deleted = self.inner.delete_stream(locations);
        deleted
            .map(move |result| {
                meter.delete();
                meter.check(result)
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Location>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.meter.list();
        let meter = Arc::clone(&self.meter);
        let listed = self.inner.list(prefix);
        listed
            .map(move |result| {
                meter.listed();
                meter.check(result)
            })
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Location>) -> StoreResult<ListResult> {
        self.meter.list();
        self.meter.check(self.inner.list_with_delimiter(prefix).await)
    }

    async fn copy_opts(
        &self,
        from: &Location,
        to: &Location,
        options: CopyOptions,
    ) -> StoreResult<()> {
        self.meter.put(0);
        self.meter.check(self.inner.copy_opts(from, to, options).await)
    }
}

#[derive(Debug)]
struct MeteredUpload {
    inner: Box<dyn MultipartUpload>,
    meter: Arc<Meter>,
}

#[async_trait]
impl MultipartUpload for MeteredUpload {
    fn put_part(&mut self, data: PutPayload) -> object_store::UploadPart {
        self.meter.put(data.content_length() as u64);
        let part = self.inner.put_part(data);
        let meter = Arc::clone(&self.meter);
        Box::pin(async move { meter.check(part.await) })
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        self.meter.put(0);
        self.meter.check(self.inner.complete().await)
    }

    async fn abort(&mut self) -> StoreResult<()> {
        self.meter.check(self.inner.abort().await)
    }
}
