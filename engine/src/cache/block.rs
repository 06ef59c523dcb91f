//! Blocks: from memory, else from the local disk, else from storage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use foldhash::fast::FixedState;
use futures::future::BoxFuture;
use quick_cache::sync::Cache;
use quick_cache::{OptionsBuilder, Weighter};

use super::disk::DiskTier;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::object::{BlockSource, ByteRange, ObjectKind};
use crate::sst::block::Block;
use crate::sst::filter::Filter;
use crate::sst::stored::{self, Handle};
use crate::types::ObjectId;

/// Names a block: objects are immutable and their names never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct BlockKey {
    id: ObjectId,
    offset: u64,
}

/// Set in the offsets of a column copy, which has the id of its SST.
const IN_COPY: u64 = 1 << 63;

/// The filter and the index of some blocks of a file.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) filter: Filter,
    pub(crate) index: Arc<Block>,
}

impl Partition {
    /// From the bytes that the builder wrote: filter, index, filter length.
    pub(crate) fn new(raw: Bytes) -> Result<Self> {
        let corrupt = || Error::corrupt("index partition: garbled");
        let (_, len) = raw.split_last_chunk::<4>().ok_or_else(corrupt)?;
        let filter_len = u32::from_le_bytes(*len) as usize;
        let index_end = raw.len() - 4;
        if filter_len > index_end {
            return Err(corrupt());
        }
        let filter = Filter::new(raw.slice(..filter_len)).ok_or_else(corrupt)?;
        let index = Arc::new(Block::new(raw.slice(filter_len..index_end))?);
        Ok(Self { filter, index })
    }
}

#[derive(Clone)]
enum Cached {
    Data(Arc<Block>),
    Partition(Arc<Partition>, usize),
    /// Bytes of a column copy, as stored.
    Copied(Bytes),
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<BlockKey, Cached> for ByBytes {
    fn weight(&self, _: &BlockKey, value: &Cached) -> u64 {
        match value {
            Cached::Data(block) => block.weight() as u64,
            Cached::Partition(_, bytes) => *bytes as u64,
            Cached::Copied(bytes) => bytes.len() as u64 + 128,
        }
    }
}

type Memory = Cache<BlockKey, Cached, ByBytes, FixedState>;

/// Counts of where blocks came from.
#[derive(Debug, Default)]
pub(crate) struct BlockCounts {
    pub(crate) memory_hits: AtomicU64,
    pub(crate) disk_hits: AtomicU64,
    pub(crate) storage_reads: AtomicU64,
    pub(crate) storage_bytes: AtomicU64,
}

/// A read that may have to wait. By itself in memory: what asks for blocks asks for ones that
/// are at hand nearly always, and its own future is copied each time.
type Read<'a, T> = BoxFuture<'a, Result<T>>;

/// Reads blocks of files through the caches.
pub(crate) struct BlockIo {
    memory: Memory,
    disk: Option<Arc<dyn DiskTier>>,
    source: Arc<dyn BlockSource>,
    pub(crate) counts: BlockCounts,
}

impl std::fmt::Debug for BlockIo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlockIo")
    }
}

impl BlockIo {
    pub(crate) fn new(
        memory_bytes_max: u64,
        disk: Option<Arc<dyn DiskTier>>,
        source: Arc<dyn BlockSource>,
    ) -> Self {
        let block_bytes = crate::sst::BLOCK_BYTES as u64;
        let options = OptionsBuilder::new()
            .weight_capacity(memory_bytes_max)
            .estimated_items_capacity((memory_bytes_max / block_bytes) as usize)
            .build()
            .expect("both sizes are given");
        let memory = Cache::with_options(
            options,
            ByBytes,
            FixedState::default(),
            quick_cache::sync::DefaultLifecycle::default(),
        );
        Self { memory, disk, source, counts: BlockCounts::default() }
    }

    /// Bytes in the memory tier.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory.weight()
    }

    /// A data block, if it is in memory.
    #[inline]
    pub(crate) fn cached(&self, id: ObjectId, handle: Handle) -> Option<Arc<Block>> {
        match self.memory.get(&BlockKey { id, offset: handle.offset })? {
            Cached::Data(block) => {
                self.counts.memory_hits.fetch_add(1, Ordering::Relaxed);
                Some(block)
            }
            Cached::Partition(..) | Cached::Copied(_) => None,
        }
    }

    /// Whether a block is in memory; does not count as a use.
    pub(crate) fn has(&self, id: ObjectId, handle: Handle) -> bool {
        self.memory.contains_key(&BlockKey { id, offset: handle.offset })
    }

    /// A data block from wherever it is; callers that want the same one at the
    /// same time share one read.
    pub(crate) fn block(&self, id: ObjectId, handle: Handle) -> Read<'_, Arc<Block>> {
        let load = async move {
            let raw = self.load(id, handle).await?;
            Ok(Cached::Data(Arc::new(Block::new(raw)?)))
        };
        let key = BlockKey { id, offset: handle.offset };
        Box::pin(async move {
            match self.memory.get_or_insert_async(&key, load).await {
                Ok(Cached::Data(block)) => Ok(block),
                Ok(Cached::Partition(..) | Cached::Copied(_)) => Err(mixed_up(id, handle)),
                Err(e) => Err(in_object(e, id)),
            }
        })
    }

    /// An index partition from wherever it is.
    pub(crate) async fn partition(&self, id: ObjectId, handle: Handle) -> Result<Arc<Partition>> {
        let key = BlockKey { id, offset: handle.offset };
        let found = match self.memory.get(&key) {
            Some(found) => Ok(found),
            None => {
                let load = async {
                    let raw = self.load(id, handle).await?;
                    let bytes = raw.len() + 128;
                    Ok(Cached::Partition(Arc::new(Partition::new(raw)?), bytes))
                };
                Box::pin(self.memory.get_or_insert_async(&key, load)).await
            }
        };
        match found {
            Ok(Cached::Partition(partition, _)) => Ok(partition),
            Ok(Cached::Data(_) | Cached::Copied(_)) => Err(mixed_up(id, handle)),
            Err(e) => Err(in_object(e, id)),
        }
    }

    /// As [`Self::partition`], leaving nothing in memory: for who keeps it himself.
    pub(crate) fn partition_to_keep(
        &self,
        id: ObjectId,
        handle: Handle,
    ) -> Read<'_, Arc<Partition>> {
        Box::pin(async move {
            let raw = self.load(id, handle).await.map_err(|e| in_object(e, id))?;
            Partition::new(raw).map(Arc::new).map_err(|e| in_object(e, id))
        })
    }

    /// Reads, checks and decompresses a block that is not in memory.
    async fn load(&self, id: ObjectId, handle: Handle) -> Result<Bytes> {
        let key = BlockKey { id, offset: handle.offset };
        if let Some(disk) = &self.disk
            && let Some(bytes) = disk.get(id, handle.offset).await
        {
            match stored::load(&bytes, handle) {
                Ok(raw) => {
                    self.counts.disk_hits.fetch_add(1, Ordering::Relaxed);
                    return Ok(raw);
                }
                // A rotten cache is no loss: storage has the block.
                Err(e) => {
                    tracing::warn!(object = %key.id, error = %e, "bad block in the disk cache");
                    disk.remove(id, handle.offset);
                }
            }
        }
        let bytes = self.read_uncached(id, handle.offset, u64::from(handle.len)).await?;
        let raw = stored::load(&bytes, handle)?;
        if let Some(disk) = &self.disk {
            disk.insert(id, handle.offset, bytes);
        }
        Ok(raw)
    }

    /// Reads bytes of an SST from storage, past all caches.
    pub(crate) async fn read_uncached(&self, id: ObjectId, offset: u64, len: u64) -> Result<Bytes> {
        let range = ByteRange { offset, len };
        self.counts.storage_reads.fetch_add(1, Ordering::Relaxed);
        self.counts.storage_bytes.fetch_add(len, Ordering::Relaxed);
        let mut read = self
            .source
            .read(id, ObjectKind::Sst, &[range])
            .await
            .context(|| format!("reading {len} bytes at {offset}"))?;
        match read.pop() {
            Some(bytes) if bytes.len() as u64 == len => Ok(bytes),
            _ => Err(Error::corrupt(format!("reading {len} bytes at {offset}: cut short"))),
        }
    }

    /// Reads bytes of column copies, those that are not in memory at once; they stay there.
    async fn copied(&self, id: ObjectId, ranges: &[ByteRange]) -> Result<Vec<Bytes>> {
        let key = |range: &ByteRange| BlockKey { id, offset: range.offset | IN_COPY };
        let known = |range: &ByteRange| match self.memory.get(&key(range))? {
            Cached::Copied(bytes) if bytes.len() as u64 == range.len => Some(bytes),
            _ => None,
        };
        let mut found: Vec<Option<Bytes>> = ranges.iter().map(known).collect();
        let missing = ranges.iter().zip(&found).filter(|(_, found)| found.is_none());
        let missing: Vec<ByteRange> = missing.map(|(range, _)| *range).collect();
        let (hits, reads) = ((ranges.len() - missing.len()) as u64, missing.len() as u64);
        self.counts.memory_hits.fetch_add(hits, Ordering::Relaxed);
        if !missing.is_empty() {
            self.counts.storage_reads.fetch_add(reads, Ordering::Relaxed);
            let bytes = missing.iter().map(|range| range.len).sum();
            self.counts.storage_bytes.fetch_add(bytes, Ordering::Relaxed);
            let mut read = self.source.read(id, ObjectKind::Column, &missing).await?.into_iter();
            for (range, slot) in ranges.iter().zip(&mut found).filter(|(_, slot)| slot.is_none()) {
                let bytes = read.next().filter(|bytes| bytes.len() as u64 == range.len);
                let bytes = bytes.ok_or_else(|| Error::corrupt(format!("{id:?}: cut short")))?;
                self.memory.insert(key(range), Cached::Copied(bytes.clone()));
                *slot = Some(bytes);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// Whether the disk tier has a block; a guess.
    pub(crate) fn on_disk(&self, id: ObjectId, handle: Handle) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.may_contain(id, handle.offset))
    }

    /// Puts a block that was read as part of a run into the caches.
    pub(crate) fn fill(&self, id: ObjectId, handle: Handle, stored: Bytes, block: &Arc<Block>) {
        let key = BlockKey { id, offset: handle.offset };
        self.memory.insert(key, Cached::Data(Arc::clone(block)));
        if let Some(disk) = &self.disk {
            disk.insert(id, handle.offset, stored);
        }
    }
}

/// Column copies through the memory tier.
#[async_trait]
impl BlockSource for BlockIo {
    async fn read(
        &self,
        id: ObjectId,
        kind: ObjectKind,
        ranges: &[ByteRange],
    ) -> Result<Vec<Bytes>> {
        match kind {
            ObjectKind::Column => self.copied(id, ranges).await,
            other => self.source.read(id, other, ranges).await,
        }
    }
}

fn in_object(e: Error, id: ObjectId) -> Error {
    e.context(format!("{id:?}"))
}

fn mixed_up(id: ObjectId, handle: Handle) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("{id:?}: the block at {} is of another kind", handle.offset),
    )
}
