//! Walks the versions of one file in order, both ways.
//!
//! Blocks come one at a time from the caches while those have them. A cursor
//! that misses twice in a row reads ahead: one storage request for a run of
//! blocks, twice as long each time up to its limit, so that a short scan reads
//! little and a long one makes few requests. Runs are held as stored bytes and
//! decoded block by block; at most two runs are held.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::block::{Block, BlockCursor};
use super::file::File;
use super::stored::{self, Handle};
use crate::cache::BlockIo;
use crate::env::{Env, Task, TaskClass};
use crate::error::{Error, Result};
use crate::key::ValueKind;
use crate::types::Seq;

/// How a cursor uses caches and reads ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanMode {
    /// Look into the caches, and leave there what was read.
    pub(crate) cached: bool,
    /// Longest run in bytes.
    pub(crate) run_bytes_max: u64,
    /// Length of the first run in bytes.
    pub(crate) run_bytes_first: u64,
    /// Class of the tasks that read ahead.
    pub(crate) class: TaskClass,
}

impl ScanMode {
    /// For someone who waits for rows.
    pub(crate) const FOREGROUND: Self = Self {
        cached: true,
        run_bytes_max: 512 << 10,
        run_bytes_first: 32 << 10,
        class: TaskClass::Foreground,
    };

    /// For merges of a transaction's files: of many at once, for somebody who waits.
    pub(crate) const MERGE_RUNS: Self = Self {
        cached: false,
        run_bytes_max: 1 << 20,
        run_bytes_first: 256 << 10,
        class: TaskClass::Foreground,
    };

    /// For merges, which read everything once.
    pub(crate) const MERGE: Self = Self {
        cached: false,
        run_bytes_max: 4 << 20,
        run_bytes_first: 1 << 20,
        class: TaskClass::Background,
    };
}

/// See the module.
pub(crate) struct FileCursor {
    file: Arc<File>,
    io: Arc<BlockIo>,
    env: Env,
    mode: ScanMode,
    /// Partition that `index` walks, and the number of them once known.
    part: usize,
    parts: Option<usize>,
    index: Option<BlockCursor>,
    block: Option<BlockCursor>,
    ahead: ReadAhead,
}

/// Blocks that were read before they were needed.
#[derive(Default)]
struct ReadAhead {
    /// Handles and stored bytes, in file order.
    run: VecDeque<(Handle, Bytes)>,
    /// The run after, on its way.
    next: Option<Task<Result<Run>>>,
    /// Length of the next run in bytes; 0 until misses follow each other.
    bytes: u64,
    misses: u32,
}

/// Blocks that lie one behind the other, and their bytes.
struct Run {
    handles: Vec<Handle>,
    bytes: Bytes,
}

impl FileCursor {
    pub(crate) fn new(file: Arc<File>, io: Arc<BlockIo>, env: Env, mode: ScanMode) -> Self {
        Self {
            file,
            io,
            env,
            mode,
            part: 0,
            parts: None,
            index: None,
            block: None,
            ahead: ReadAhead::default(),
        }
    }

    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    #[inline]
    pub(crate) fn valid(&self) -> bool {
        self.block.as_ref().is_some_and(BlockCursor::valid)
    }

    fn entry(&self) -> &BlockCursor {
        self.block.as_ref().expect("asked only when valid")
    }

    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        self.entry().key()
    }

    #[inline]
    pub(crate) fn seq(&self) -> Seq {
        self.file.meta.seq_of(self.entry().seq())
    }

    #[inline]
    pub(crate) fn kind(&self) -> ValueKind {
        self.entry().kind()
    }

    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        self.entry().value()
    }

    /// Whether it is at a version that does not belong to the branch.
    #[inline]
    fn hidden(&self) -> bool {
        self.file.meta.cut
            && self.block.as_ref().is_some_and(|at| at.valid() && self.file.meta.hides(at.seq()))
    }

    /// On to the first version from here that belongs to the branch.
    async fn shown_forward(&mut self) -> Result<()> {
        while self.hidden() {
            if !self.try_next() {
                self.enter_block_after().await?;
            }
        }
        Ok(())
    }

    async fn shown_backward(&mut self) -> Result<()> {
        while self.hidden() {
            self.step_back().await?;
        }
        Ok(())
    }

    /// To the next version within the block; `false` if [`Self::enter_next_block`] must be
    /// awaited.
    #[inline]
    pub(crate) fn try_next(&mut self) -> bool {
        let Some(block) = &mut self.block else { return false };
        block.next();
        while self.file.meta.cut && block.valid() && self.file.meta.hides(block.seq()) {
            block.next();
        }
        block.valid()
    }

    /// After [`Self::try_next`] returned `false`: to the first version of the next block.
    pub(crate) async fn enter_next_block(&mut self) -> Result<()> {
        self.enter_block_after().await?;
        self.shown_forward().await
    }

    async fn enter_block_after(&mut self) -> Result<()> {
        self.block = None;
        if !self.next_handle().await? {
            return Ok(());
        }
        self.load(true).await?;
        if let Some(block) = &mut self.block {
            block.seek_first();
        }
        Ok(())
    }

    pub(crate) async fn prev(&mut self) -> Result<()> {
        self.step_back().await?;
        self.shown_backward().await
    }

    async fn step_back(&mut self) -> Result<()> {
        let Some(block) = &mut self.block else { return Ok(()) };
        block.prev();
        if block.valid() {
            return Ok(());
        }
        self.block = None;
        if !self.prev_handle().await? {
            return Ok(());
        }
        self.load(false).await?;
        if let Some(block) = &mut self.block {
            block.seek_last();
        }
        Ok(())
    }

    /// To the first version at or after `(key, seq)`.
    pub(crate) async fn seek(&mut self, key: &[u8], seq: Seq) -> Result<()> {
        self.forget_ahead();
        self.block = None;
        let part = self.file.part_of(&self.io, key).await?;
        if !self.enter_part(part).await? {
            return Ok(());
        }
        if let Some(index) = &mut self.index {
            // The index has a block's last key: the first at or after is the block.
            index.seek(key, Seq::MAX);
        }
        if !self.settle_forward().await? {
            return Ok(());
        }
        self.load(true).await?;
        if let Some(block) = &mut self.block {
            block.seek(key, seq);
            if !block.valid() {
                return self.enter_next_block().await;
            }
        }
        self.shown_forward().await
    }

    /// To the last version before `(key, seq)`.
    pub(crate) async fn seek_before(&mut self, key: &[u8], seq: Seq) -> Result<()> {
        self.forget_ahead();
        self.block = None;
        let part = self.file.part_of(&self.io, key).await?;
        if !self.enter_part(part).await? {
            return self.seek_last().await;
        }
        if let Some(index) = &mut self.index {
            index.seek(key, Seq::MAX);
        }
        if !self.settle_forward().await? {
            return self.seek_last().await;
        }
        // Versions of one key may span blocks: go on while they are all newer.
        loop {
            self.load(false).await?;
            let Some(block) = &mut self.block else { return Ok(()) };
            block.seek(key, seq);
            if block.valid() {
                return self.prev().await;
            }
            self.block = None;
            if !self.next_handle().await? {
                return self.seek_last().await;
            }
        }
    }

    pub(crate) async fn seek_first(&mut self) -> Result<()> {
        self.seek(&[], Seq::MAX).await
    }

    pub(crate) async fn seek_last(&mut self) -> Result<()> {
        self.forget_ahead();
        self.block = None;
        let parts = self.parts().await?;
        if parts == 0 || !self.enter_part(parts - 1).await? {
            return Ok(());
        }
        if let Some(index) = &mut self.index {
            index.seek_last();
        }
        self.load(false).await?;
        if let Some(block) = &mut self.block {
            block.seek_last();
        }
        self.shown_backward().await
    }

    async fn parts(&mut self) -> Result<usize> {
        if self.parts.is_none() {
            self.parts = Some(self.file.parts(&self.io).await?);
        }
        Ok(self.parts.unwrap_or(0))
    }

    async fn enter_part(&mut self, part: usize) -> Result<bool> {
        self.index = None;
        if part >= self.parts().await? {
            return Ok(false);
        }
        let partition = self.file.partition(&self.io, part).await?;
        self.part = part;
        self.index = Some(BlockCursor::new(Arc::clone(&partition.index)));
        Ok(true)
    }

    /// Past the end of a partition's index: to the first block of the next.
    async fn settle_forward(&mut self) -> Result<bool> {
        while !self.index.as_ref().is_some_and(BlockCursor::valid) {
            if !self.enter_part(self.part + 1).await? {
                return Ok(false);
            }
            if let Some(index) = &mut self.index {
                index.seek_first();
            }
        }
        Ok(true)
    }

    async fn next_handle(&mut self) -> Result<bool> {
        let Some(index) = &mut self.index else { return Ok(false) };
        index.next();
        self.settle_forward().await
    }

    async fn prev_handle(&mut self) -> Result<bool> {
        let Some(index) = &mut self.index else { return Ok(false) };
        index.prev();
        while !self.index.as_ref().is_some_and(BlockCursor::valid) {
            if self.part == 0 || !self.enter_part(self.part - 1).await? {
                return Ok(false);
            }
            if let Some(index) = &mut self.index {
                index.seek_last();
            }
        }
        Ok(true)
    }

    fn handle(&self) -> Result<Handle> {
        self.handle_of(self.index.as_ref().expect("at a block"))
    }

    fn handle_of(&self, index: &BlockCursor) -> Result<Handle> {
        Handle::take(&mut index.value()).ok_or_else(|| self.file.garbled_index())
    }

    /// Loads the block that the index is at.
    async fn load(&mut self, forward: bool) -> Result<()> {
        let handle = self.handle()?;
        let id = self.file.meta.id;
        if self.mode.cached
            && let Some(block) = self.io.cached(id, handle)
        {
            self.block = Some(BlockCursor::new(block));
            return Ok(());
        }
        if let Some(stored) = self.take_ahead(handle).await? {
            return self.decode(handle, stored);
        }
        self.ahead.misses += 1;
        // The disk tier reads single blocks as fast as runs.
        let alone = !forward || self.ahead.misses < 2 || self.io.on_disk(id, handle);
        if self.mode.cached && alone {
            let block = self.io.block(id, handle).await?;
            self.block = Some(BlockCursor::new(block));
            return Ok(());
        }
        let handles = self.run_from_here()?;
        let run = Box::pin(read_run(&self.file, &self.io, handles)).await?;
        self.accept_run(&run);
        match self.take_ahead(handle).await? {
            Some(stored) => self.decode(handle, stored),
            None => Err(Error::internal("a run starts with the block that was asked for")),
        }
    }

    fn decode(&mut self, handle: Handle, stored: Bytes) -> Result<()> {
        let id = self.file.meta.id;
        let in_file = |e: Error| e.context(format!("{id:?}"));
        let raw = stored::load(&stored, handle).map_err(in_file)?;
        let block = Arc::new(Block::new(raw).map_err(in_file)?);
        if self.mode.cached {
            // A copy: the slice would keep the whole run alive.
            self.io.fill(id, handle, Bytes::copy_from_slice(&stored), &block);
        }
        self.block = Some(BlockCursor::new(block));
        Ok(())
    }

    /// The handles of the run that starts here.
    fn run_from_here(&mut self) -> Result<Vec<Handle>> {
        let limit = match self.ahead.bytes {
            0 => self.mode.run_bytes_first,
            last => (last * 2).min(self.mode.run_bytes_max),
        };
        self.ahead.bytes = limit;
        let index = self.index.as_ref().expect("at a block").fork();
        collect_run(index, limit).ok_or_else(|| self.file.garbled_index())
    }

    fn accept_run(&mut self, run: &Run) {
        let Some(first) = run.handles.first() else { return };
        self.ahead.run.clear();
        for handle in &run.handles {
            let from = (handle.offset - first.offset) as usize;
            let stored = run.bytes.slice(from..from + handle.len as usize);
            self.ahead.run.push_back((*handle, stored));
        }
    }

    /// The stored bytes of a block that was read ahead. Starts the run after
    /// this one once its first block is taken.
    async fn take_ahead(&mut self, handle: Handle) -> Result<Option<Bytes>> {
        if self.ahead.run.is_empty()
            && let Some(task) = self.ahead.next.take()
        {
            let run = task.await.ok_or_else(|| Error::internal("reading ahead was stopped"))??;
            self.accept_run(&run);
        }
        while let Some((at, _)) = self.ahead.run.front() {
            if at.offset > handle.offset {
                return Ok(None);
            }
            let (at, stored) = self.ahead.run.pop_front().expect("there is a front");
            if at.offset == handle.offset {
                self.start_next_run()?;
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    fn start_next_run(&mut self) -> Result<()> {
        // Only a cursor that has used up a run knows that it goes on.
        if self.ahead.next.is_some() || self.ahead.bytes < 2 * self.mode.run_bytes_first {
            return Ok(());
        }
        let Some((last, _)) = self.ahead.run.back() else { return Ok(()) };
        let last = last.offset;
        let mut index = self.index.as_ref().expect("at a block").fork();
        while index.valid() && self.handle_of(&index)?.offset <= last {
            index.next();
        }
        let limit = (self.ahead.bytes * 2).min(self.mode.run_bytes_max);
        self.ahead.bytes = limit;
        let (file, io) = (Arc::clone(&self.file), Arc::clone(&self.io));
        let (part, parts) = (self.part + 1, self.parts.unwrap_or(0));
        if !index.valid() && part >= parts {
            return Ok(());
        }
        self.ahead.next = Some(self.env.spawn(self.mode.class, "read-ahead", async move {
            if !index.valid() {
                let partition = file.partition(&io, part).await?;
                index = BlockCursor::new(Arc::clone(&partition.index));
                index.seek_first();
            }
            let handles = collect_run(index, limit).ok_or_else(|| file.garbled_index())?;
            read_run(&file, &io, handles).await
        }));
        Ok(())
    }

    fn forget_ahead(&mut self) {
        if let Some(task) = self.ahead.next.take() {
            task.abort();
        }
        self.ahead = ReadAhead::default();
    }
}

/// Blocks from where `index` is, up to `limit` bytes but at least one; `None`
/// if the index is garbled.
fn collect_run(mut index: BlockCursor, limit: u64) -> Option<Vec<Handle>> {
    let mut handles = Vec::new();
    let mut bytes = 0;
    while index.valid() {
        let handle = Handle::take(&mut index.value())?;
        bytes += u64::from(handle.len);
        if bytes > limit && !handles.is_empty() {
            break;
        }
        handles.push(handle);
        index.next();
    }
    Some(handles)
}

async fn read_run(file: &File, io: &BlockIo, handles: Vec<Handle>) -> Result<Run> {
    let (Some(first), Some(last)) = (handles.first(), handles.last()) else {
        return Ok(Run { handles, bytes: Bytes::new() });
    };
    let (id, len) = (file.meta.id, last.end() - first.offset);
    let bytes =
        io.read_uncached(id, first.offset, len).await.map_err(|e| e.context(format!("{id:?}")))?;
    Ok(Run { handles, bytes })
}

impl Drop for FileCursor {
    fn drop(&mut self) {
        self.forget_ahead();
    }
}
