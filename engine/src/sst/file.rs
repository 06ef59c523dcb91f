//! One sorted file as a reader sees it.
//!
//! A file is opened on first use, by one read of its tail. Its partitions
//! (filters and indexes) are loaded as they are needed and stay for as long as
//! the file is part of the version, while the budget for them lasts; past it
//! they come and go through the block cache like data.

mod count;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::block::{AskNext, Block, BlockCursor};
use super::footer::{Footer, take_range_deletes};
use super::stored::{self, Handle};
use crate::cache::{BlockIo, Partition};
use crate::error::{Error, Result};
use crate::key::{KeyRange, ValueKind, successor};
use crate::manifest::SstMeta;
use crate::range_delete::RangeDeletes;
use crate::types::Seq;

/// Memory for pinned partitions, shared by all files.
#[derive(Debug)]
pub(crate) struct PinBudget {
    used: AtomicU64,
    max: u64,
}

impl PinBudget {
    pub(crate) fn new(bytes_max: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), max: bytes_max })
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        let take = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.max);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A file of the current version.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) meta: Arc<SstMeta>,
    open: OnceCell<OpenFile>,
    budget: Arc<PinBudget>,
}

/// What the tail told.
#[derive(Debug)]
struct OpenFile {
    parts: Vec<Part>,
    range_deletes: RangeDeletes,
    /// Bytes of pinned partitions and of this, to be given back.
    pinned: AtomicU64,
}

/// A partition and where it is.
#[derive(Debug)]
struct Part {
    last_key: Bytes,
    handle: Handle,
    pinned: OnceLock<Arc<Partition>>,
}

/// One version of a key.
pub(crate) type Found = (Seq, ValueKind, Bytes);

impl File {
    pub(crate) fn new(meta: Arc<SstMeta>, budget: Arc<PinBudget>) -> Self {
        Self { meta, open: OnceCell::new(), budget }
    }

    async fn open(&self, io: &BlockIo) -> Result<&OpenFile> {
        if let Some(open) = self.open.get() {
            return Ok(open);
        }
        let open = self.open.get_or_try_init(|| async {
            let open = self
                .read_tail(io)
                .await
                .map_err(|e| e.context(format!("opening {:?}", self.meta.id)))?;
            let bytes = open.parts.iter().map(|p| p.last_key.len() as u64 + 96).sum();
            if self.budget.take(bytes) {
                open.pinned.store(bytes, Ordering::Relaxed);
            }
            Ok(open)
        });
        Box::pin(open).await
    }

    async fn read_tail(&self, io: &BlockIo) -> Result<OpenFile> {
        let len = u64::from(self.meta.tail_bytes);
        let start = self
            .meta
            .bytes
            .checked_sub(len)
            .ok_or_else(|| Error::corrupt("its tail is longer than the file"))?;
        let tail = io.read_uncached(self.meta.id, start, len).await?;
        let footer = Footer::read(&tail)?;
        let block = |handle: Handle| {
            let from = handle.offset.checked_sub(start).filter(|_| handle.end() <= start + len);
            let from = from.ok_or_else(|| Error::corrupt("its footer points elsewhere"))?;
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            stored::load(&tail.slice(from..from + handle.len as usize), handle)
        };
        let range_deletes = if footer.range_deletes == Handle::default() {
            RangeDeletes::default()
        } else {
            take_range_deletes(&block(footer.range_deletes)?)
                .ok_or_else(|| Error::corrupt("its range deletions are garbled"))?
        };
        let range_deletes = match self.meta.cut {
            true => range_deletes.up_to(self.meta.seq_max),
            false => range_deletes,
        };
        let mut cursor = BlockCursor::new(Arc::new(Block::new(block(footer.top_index)?)?));
        let mut parts = Vec::new();
        cursor.seek_first();
        while cursor.valid() {
            let handle = Handle::take(&mut cursor.value())
                .ok_or_else(|| Error::corrupt("its index is garbled"))?;
            let last_key = Bytes::copy_from_slice(cursor.key());
            parts.push(Part { last_key, handle, pinned: OnceLock::new() });
            cursor.next();
        }
        Ok(OpenFile { parts, range_deletes, pinned: AtomicU64::new(0) })
    }

    /// The file's range deletions; empty without a read if it has none.
    pub(crate) async fn range_deletes(&self, io: &BlockIo) -> Result<Option<&RangeDeletes>> {
        if self.meta.range_deletes == 0 {
            return Ok(None);
        }
        Ok(Some(&self.open(io).await?.range_deletes))
    }

    /// Number of partitions.
    pub(crate) async fn parts(&self, io: &BlockIo) -> Result<usize> {
        Ok(self.open(io).await?.parts.len())
    }

    /// Index of the first partition that may hold `key` or a later one.
    pub(crate) async fn part_of(&self, io: &BlockIo, key: &[u8]) -> Result<usize> {
        let open = self.open(io).await?;
        Ok(open.parts.partition_point(|p| *p.last_key < *key))
    }

    /// The `index`-th partition.
    pub(crate) async fn partition(&self, io: &BlockIo, index: usize) -> Result<Arc<Partition>> {
        let open = self.open(io).await?;
        let part = &open.parts[index];
        if let Some(partition) = part.pinned.get() {
            return Ok(Arc::clone(partition));
        }
        let bytes = u64::from(part.handle.len) + 160;
        if !self.budget.take(bytes) {
            return io.partition(self.meta.id, part.handle).await;
        }
        let partition = match io.partition_to_keep(self.meta.id, part.handle).await {
            Ok(partition) => partition,
            Err(e) => {
                self.budget.give_back(bytes);
                return Err(e);
            }
        };
        match part.pinned.set(Arc::clone(&partition)) {
            Ok(()) => {
                open.pinned.fetch_add(bytes, Ordering::Relaxed);
            }
            // Another reader was faster.
            Err(_) => self.budget.give_back(bytes),
        }
        Ok(partition)
    }

    /// The newest version of `key` at or below `snapshot`, without regard to
    /// range deletions. `hash` is the filter's hash of `key`.
    pub(crate) async fn get(
        &self,
        io: &BlockIo,
        key: &[u8],
        hash: u64,
        snapshot: Seq,
    ) -> Result<Option<Found>> {
        let open = self.open(io).await?;
        // What a cut file holds beyond is not of this branch.
        let snapshot = if self.meta.cut { snapshot.min(self.meta.seq_max) } else { snapshot };
        let at = open.parts.partition_point(|p| *p.last_key < *key);
        let Some(part) = open.parts.get(at) else { return Ok(None) };
        let loaded;
        let partition = match part.pinned.get() {
            Some(partition) => partition,
            None => {
                loaded = self.partition(io, at).await?;
                &loaded
            }
        };
        if !partition.filter.may_contain(hash) {
            return Ok(None);
        }
        let Some(mut value) = partition.index.value_at_or_after(key) else { return Ok(None) };
        let handle = Handle::take(&mut value).ok_or_else(|| self.garbled_index())?;
        let block = match io.cached(self.meta.id, handle) {
            Some(block) => block,
            None => io.block(self.meta.id, handle).await?,
        };
        let found = match block.get(key, snapshot) {
            Ok(found) => found,
            Err(AskNext) => {
                Box::pin(self.get_from_later_blocks(io, partition, key, snapshot)).await?
            }
        };
        let found = found.map(|(seq, kind, value)| (self.meta.seq_of(seq), kind, value));
        Ok(found.filter(|(seq, _, _)| *seq <= snapshot))
    }

    /// A key with more versions than a block holds: walk the blocks that it spans.
    async fn get_from_later_blocks(
        &self,
        io: &BlockIo,
        partition: &Partition,
        key: &[u8],
        snapshot: Seq,
    ) -> Result<Option<Found>> {
        let mut index = BlockCursor::new(Arc::clone(&partition.index));
        index.seek(key, Seq::MAX);
        while index.valid() {
            let handle = Handle::take(&mut index.value()).ok_or_else(|| self.garbled_index())?;
            match io.block(self.meta.id, handle).await?.get(key, snapshot) {
                Ok(found) => return Ok(found),
                Err(AskNext) => index.next(),
            }
        }
        Ok(None)
    }

    /// The keys of the blocks that are in memory, as ranges in order. Only
    /// partitions at hand are asked.
    pub(crate) fn cached_ranges(&self, io: &BlockIo) -> Vec<KeyRange> {
        let mut ranges: Vec<KeyRange> = Vec::new();
        let Some(open) = self.open.get() else { return ranges };
        let mut start = self.meta.range.start.clone();
        for part in &open.parts {
            let Some(partition) = part.pinned.get() else {
                start = successor(&part.last_key);
                continue;
            };
            let mut index = BlockCursor::new(Arc::clone(&partition.index));
            index.seek_first();
            while index.valid() {
                let end = successor(index.key());
                let cached = Handle::take(&mut index.value())
                    .is_some_and(|handle| io.has(self.meta.id, handle));
                match ranges.last_mut() {
                    Some(last) if cached && last.end.as_ref() == Some(&start) => {
                        last.end = Some(end.clone());
                    }
                    _ if cached => {
                        ranges.push(KeyRange { start: start.clone(), end: Some(end.clone()) });
                    }
                    _ => {}
                }
                start = end;
                index.next();
            }
        }
        ranges
    }

    /// Reads the blocks that cover `range` into the cache; their number.
    pub(crate) async fn warm(&self, io: &BlockIo, range: &KeyRange) -> Result<usize> {
        let mut blocks = 0;
        let mut part = self.part_of(io, &range.start).await?;
        while part < self.parts(io).await? {
            let partition = self.partition(io, part).await?;
            let mut index = BlockCursor::new(Arc::clone(&partition.index));
            index.seek(&range.start, Seq::MAX);
            while index.valid() {
                let handle =
                    Handle::take(&mut index.value()).ok_or_else(|| self.garbled_index())?;
                io.block(self.meta.id, handle).await?;
                blocks += 1;
                if !range.ends_after(index.key()) {
                    return Ok(blocks);
                }
                index.next();
            }
            part += 1;
        }
        Ok(blocks)
    }

    pub(crate) fn garbled_index(&self) -> Error {
        Error::corrupt(format!("{:?}: its index is garbled", self.meta.id))
    }

    /// Whether filters rule out that any key has this prefix, a length for
    /// which the file's space keeps filters. Only partitions that are at hand
    /// are asked.
    pub(crate) async fn may_contain_prefix(
        &self,
        io: &BlockIo,
        prefix: &[u8],
        hash: u64,
    ) -> Result<bool> {
        let open = self.open(io).await?;
        let first = open.parts.partition_point(|p| *p.last_key < *prefix);
        for index in first..open.parts.len() {
            if self.partition(io, index).await?.filter.may_contain(hash) {
                return Ok(true);
            }
            // Keys with the prefix end in the first partition whose last key is past them.
            if !open.parts[index].last_key.starts_with(prefix) {
                return Ok(false);
            }
        }
        Ok(false)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Some(open) = self.open.get() {
            self.budget.give_back(open.pinned.load(Ordering::Relaxed));
        }
    }
}
