//! Parts of objects for other processes: from memory, else from the local disk, else from
//! the object store.
//!
//! What callers ask for is mostly one block. A block carries its own checksum, seeded with
//! its place, so that it can be checked here without knowing anything else of its file: only
//! what is a whole and sound block is kept, and what comes from the disk is checked again.
//! Everything else (the ends of files, runs of blocks, column copies) passes through.
//! A caller checks what it gets in any case.
//!
//! Callers that want the same bytes at the same time share one read, whether or not it will
//! be kept. Nothing here is truth: the folder may be deleted at any time.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use firn_engine::cache::{DiskTier, is_sound_block};
use firn_engine::object::{BlockSource, ByteRange, ObjectKind};
use firn_engine::{Error, ErrorKind, ObjectId, Result};
use firn_services::metrics::{Collect, Writer};
use foldhash::fast::FixedState;
use futures::future::{BoxFuture, Shared, WeakShared};
use futures::{FutureExt, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

/// Larger reads are not of one block.
const BLOCK_BYTES_MAX: u64 = 1 << 20;
/// A usual block, for sizing the table.
const BLOCK_BYTES: u64 = 8 << 10;
/// What a cached block takes beside its bytes.
const ENTRY_BYTES: u64 = 128;
/// Ranges of one call that are looked for together.
const RANGES_AT_ONCE: usize = 16;

/// Bytes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    id: ObjectId,
    kind: ObjectKind,
    range: ByteRange,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Place, Bytes> for ByBytes {
    fn weight(&self, _: &Place, block: &Bytes) -> u64 {
        block.len() as u64 + ENTRY_BYTES
    }
}

type Memory = Cache<Place, Bytes, ByBytes, FixedState>;
type Read = BoxFuture<'static, Result<Bytes>>;

/// Where reads were answered from, since the start.
#[derive(Debug, Default)]
struct Counts {
    memory_hits: AtomicU64,
    disk_hits: AtomicU64,
    shared_reads: AtomicU64,
    store_reads: AtomicU64,
    store_bytes: AtomicU64,
    bad_on_disk: AtomicU64,
}

/// The figures of a [`CachedBlocks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockStats {
    /// Bytes in memory.
    pub memory_bytes: u64,
    /// Bytes in memory at most.
    pub memory_bytes_max: u64,
    /// Bytes on the local disk at most; 0 for no disk cache.
    pub disk_bytes_max: u64,
    /// Reads answered from memory.
    pub memory_hits: u64,
    /// Reads answered from the local disk.
    pub disk_hits: u64,
    /// Reads that waited for the same read of somebody else.
    pub shared_reads: u64,
    /// Reads of the object store.
    pub store_reads: u64,
    /// Bytes of them.
    pub store_bytes: u64,
    /// Blocks on the local disk that were not what was written; they were read again.
    pub bad_on_disk: u64,
}

/// The reads that are under way.
#[derive(Default)]
struct Flights {
    /// Tells a read from an earlier one of the same place.
    next: u64,
    reads: BTreeMap<Place, (u64, WeakShared<Read>)>,
}

/// See the module.
pub struct CachedBlocks {
    memory: Memory,
    memory_bytes_max: u64,
    disk: Option<Arc<dyn DiskTier>>,
    disk_bytes_max: u64,
    source: Arc<dyn BlockSource>,
    flights: Mutex<Flights>,
    counts: Counts,
}

impl std::fmt::Debug for CachedBlocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CachedBlocks({:?})", self.stats())
    }
}

impl CachedBlocks {
    /// A cache in front of `source` with so many bytes of memory.
    #[must_use]
    pub fn new(memory_bytes_max: u64, source: Arc<dyn BlockSource>) -> Self {
        let options = OptionsBuilder::new()
            .weight_capacity(memory_bytes_max)
            .estimated_items_capacity((memory_bytes_max / BLOCK_BYTES) as usize)
            .build()
            .expect("both sizes are given");
        let (hash, lifecycle) = (FixedState::default(), DefaultLifecycle::default());
        Self {
            memory: Memory::with_options(options, ByBytes, hash, lifecycle),
            memory_bytes_max,
            disk: None,
            disk_bytes_max: 0,
            source,
            flights: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// With blocks on the local disk as well, of `bytes_max` bytes at most.
    #[must_use]
    pub fn on_disk(mut self, disk: Arc<dyn DiskTier>, bytes_max: u64) -> Self {
        (self.disk, self.disk_bytes_max) = (Some(disk), bytes_max);
        self
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> BlockStats {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.counts;
        BlockStats {
            memory_bytes: self.memory.weight(),
            memory_bytes_max: self.memory_bytes_max,
            disk_bytes_max: self.disk_bytes_max,
            memory_hits: of(&counts.memory_hits),
            disk_hits: of(&counts.disk_hits),
            shared_reads: of(&counts.shared_reads),
            store_reads: of(&counts.store_reads),
            store_bytes: of(&counts.store_bytes),
            bad_on_disk: of(&counts.bad_on_disk),
        }
    }

    /// Reads parts of an object, in the order asked, as they are stored.
    ///
    /// # Errors
    /// As the source's.
    pub async fn read(
        self: &Arc<Self>,
        id: ObjectId,
        kind: ObjectKind,
        ranges: &[ByteRange],
    ) -> Result<Vec<Bytes>> {
        let places: Vec<_> = ranges.iter().map(|range| Place { id, kind, range: *range }).collect();
        if let [place] = places[..] {
            return Ok(vec![self.one(place).await?]);
        }
        let reads = places.into_iter().map(|place| self.one(place));
        futures::stream::iter(reads).buffered(RANGES_AT_ONCE).try_collect().await
    }

    async fn one(self: &Arc<Self>, place: Place) -> Result<Bytes> {
        if let Some(block) = self.memory.get(&place) {
            add(&self.counts.memory_hits, 1);
            return Ok(block);
        }
        self.join(place).await
    }

    /// The read of a place that is under way, or a new one.
    fn join(self: &Arc<Self>, place: Place) -> Shared<Read> {
        let mut flights = self.flights.lock();
        if let Some(read) = flights.reads.get(&place).and_then(|(_, read)| read.upgrade()) {
            add(&self.counts.shared_reads, 1);
            return read;
        }
        flights.next += 1;
        let number = flights.next;
        let landing = Landing { blocks: Arc::clone(self), place, number };
        let read = async move { landing.blocks.load(landing.place).await };
        let read = read.boxed().shared();
        // A new one is not over yet, so there is something to come back to.
        if let Some(weak) = read.downgrade() {
            flights.reads.insert(place, (number, weak));
        }
        read
    }

    async fn load(&self, place: Place) -> Result<Bytes> {
        let Place { id, kind, range } = place;
        // A read that was just over when this one began.
        if let Some(block) = self.memory.get(&place) {
            add(&self.counts.memory_hits, 1);
            return Ok(block);
        }
        let may_be_block = kind == ObjectKind::Sst && range.len <= BLOCK_BYTES_MAX;
        let disk = self.disk.as_ref().filter(|_| may_be_block);
        if let Some(disk) = disk
            && let Some(block) = disk.get(id, range.offset).await
        {
            if block.len() as u64 == range.len && is_sound_block(&block, range.offset) {
                add(&self.counts.disk_hits, 1);
                self.memory.insert(place, block.clone());
                return Ok(block);
            }
            // A rotten cache is no loss.
            add(&self.counts.bad_on_disk, 1);
            tracing::warn!(object = %id, offset = range.offset, "bad block in the disk cache");
            disk.remove(id, range.offset);
        }
        add(&self.counts.store_reads, 1);
        add(&self.counts.store_bytes, range.len);
        let mut read = self.source.read(id, kind, &[range]).await?;
        let read = read.pop().filter(|read| read.len() as u64 == range.len);
        let read = read.ok_or_else(|| {
            let ByteRange { offset, len } = range;
            let why = format!("{id:?}: reading {len} bytes at {offset}: cut short");
            Error::new(ErrorKind::Corrupt, why)
        })?;
        if may_be_block && is_sound_block(&read, range.offset) {
            self.memory.insert(place, read.clone());
            if let Some(disk) = disk {
                disk.insert(id, range.offset, read.clone());
            }
        }
        Ok(read)
    }
}

fn add(count: &AtomicU64, by: u64) {
    count.fetch_add(by, Ordering::Relaxed);
}

/// Takes a read off the list when it is over, or nobody waits for it any more.
struct Landing {
    blocks: Arc<CachedBlocks>,
    place: Place,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.blocks.flights.lock();
        if let Entry::Occupied(read) = flights.reads.entry(self.place)
            && read.get().0 == self.number
        {
            read.remove();
        }
    }
}

/// Makes the cache's figures part of a scrape.
#[derive(Debug)]
pub struct BlockMetrics(pub Arc<CachedBlocks>);

impl Collect for BlockMetrics {
    fn collect(&self, out: &mut Writer) {
        let stats = self.0.stats();
        let help = "Reads of parts of objects that a cache answered.";
        for (cache, hits) in [("memory", stats.memory_hits), ("disk", stats.disk_hits)] {
            out.counter("firn_storage_cache_hits_total", help, &[("cache", cache)], hits);
        }
        let help = "Reads that waited for the same read of somebody else.";
        out.counter("firn_storage_shared_reads_total", help, &[], stats.shared_reads);
        let help = "Reads of the object store.";
        out.counter("firn_storage_store_reads_total", help, &[], stats.store_reads);
        out.counter(
            "firn_storage_store_read_bytes_total",
            "Bytes of them.",
            &[],
            stats.store_bytes,
        );
        let help = "Blocks in the disk cache that were not what was written.";
        out.counter("firn_storage_cache_bad_blocks_total", help, &[], stats.bad_on_disk);
        let help = "Bytes in a cache.";
        let memory = &[("cache", "memory")];
        out.gauge("firn_storage_cache_bytes", help, memory, stats.memory_bytes);
    }
}

#[cfg(test)]
mod tests;
