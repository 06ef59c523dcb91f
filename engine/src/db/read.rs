//! Point reads and scans.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;

use super::snapshot::too_old;
use super::state::State;
use super::{Inner, Run};
use crate::cache::Row;
use crate::error::{Error, Result};
use crate::key::{self, KEY_LEN_MAX, KeyRange, ValueKind};
use crate::memtable::MemtableCursor;
use crate::scan::level::LevelCursor;
use crate::scan::merge::{MergeCursor, Source};
use crate::scan::visible::{Deleted, Visible};
use crate::sst::cursor::{FileCursor, ScanMode};
use crate::sst::filter;
use crate::types::{Seq, SpaceId};
use crate::view::{Level, SpaceView};

/// Rows with longer values are not worth caching one by one.
const CACHED_VALUE_LEN_MAX: usize = 16 << 10;

/// Reads of one batch that go on at the same time.
const BATCH_CONCURRENCY: usize = 32;

/// What memory says of a key.
enum InMemory {
    /// Its value, or that it has none.
    Known(Option<Bytes>),
    /// Files have to be asked; versions older than the newest range deletion do not count.
    InFiles { deleted: Option<Seq> },
    /// Nothing yet: range deletions of files were not read.
    NotRead,
}

impl Inner {
    #[inline]
    pub(super) async fn get(
        &self,
        space: SpaceId,
        key: &[u8],
        at: Option<Seq>,
    ) -> Result<Option<Bytes>> {
        let key = key::user_key(space, key);
        let (state, visible) = self.read_point();
        let snapshot = self.checked(&state, at, visible)?;
        if let Some(row) = self.rows.get(&key, snapshot) {
            return Ok(row.value);
        }
        match self.get_from_memory(&state, space, &key, snapshot) {
            InMemory::Known(value) => Ok(value),
            other => Box::pin(self.get_from(&state, space, &key, snapshot, other)).await,
        }
    }

    /// As [`Self::get`] if that takes no waiting; `None` if that one has to be asked.
    #[inline]
    pub(super) fn try_get(
        &self,
        space: SpaceId,
        key: &[u8],
        at: Option<Seq>,
    ) -> Result<Option<Option<Bytes>>> {
        let key = key::user_key(space, key);
        let (state, visible) = self.read_point();
        let snapshot = self.checked(&state, at, visible)?;
        if let Some(row) = self.rows.get(&key, snapshot) {
            return Ok(Some(row.value));
        }
        Ok(match self.get_from_memory(&state, space, &key, snapshot) {
            InMemory::Known(value) => Some(value),
            InMemory::InFiles { .. } | InMemory::NotRead => None,
        })
    }

    /// What the memtables say of a key.
    #[inline]
    fn get_from_memory(
        &self,
        state: &State,
        space: SpaceId,
        key: &[u8],
        snapshot: Seq,
    ) -> InMemory {
        // Seq of the newest range deletion: older versions do not count.
        let mut deleted = None;
        for table in state.memtables() {
            deleted = deleted.max(table.range_deleted(key, snapshot));
        }
        let view = state.view.space(space);
        if let Some(view) = view {
            match view.known_range_deletes() {
                Some(Some(ranges)) => deleted = deleted.max(ranges.covering(key, snapshot)),
                Some(None) => {}
                None => return InMemory::NotRead,
            }
        }
        for table in state.memtables() {
            if let Some((seq, kind, value)) = table.get(key, snapshot) {
                let there = kind == ValueKind::Put && deleted.is_none_or(|at| seq >= at);
                return InMemory::Known(there.then(|| Bytes::copy_from_slice(value)));
            }
        }
        match view {
            Some(_) => InMemory::InFiles { deleted },
            None => InMemory::Known(None),
        }
    }

    /// The snapshot to read at, if its versions are still there.
    #[inline]
    pub(super) fn checked(&self, state: &State, at: Option<Seq>, visible: Seq) -> Result<Seq> {
        let snapshot = at.unwrap_or(visible);
        let watermark = state.watermark();
        if snapshot < watermark {
            return Err(too_old(snapshot, watermark));
        }
        Ok(snapshot)
    }

    async fn get_from(
        &self,
        state: &State,
        space: SpaceId,
        key: &[u8],
        snapshot: Seq,
        mut known: InMemory,
    ) -> Result<Option<Bytes>> {
        let view = state.view.space(space);
        if let (InMemory::NotRead, Some(view)) = (&known, view) {
            view.range_deletes(&self.io).await?;
            known = self.get_from_memory(state, space, key, snapshot);
        }
        let deleted = match known {
            InMemory::Known(value) => return Ok(value),
            InMemory::InFiles { deleted } => deleted,
            InMemory::NotRead => return Err(Error::internal("range deletions stay unread")),
        };
        let found = match view {
            Some(view) => self.get_from_files(view, key, snapshot).await?,
            None => None,
        };
        let row = match found {
            Some((seq, ValueKind::Put, value)) if deleted.is_none_or(|at| seq >= at) => {
                Row { seq, value: Some(value) }
            }
            Some((seq, _, _)) => Row { seq: deleted.map_or(seq, |at| seq.max(at)), value: None },
            None => Row { seq: deleted.unwrap_or(Seq::ZERO), value: None },
        };
        if row.value.as_ref().is_none_or(|v| v.len() <= CACHED_VALUE_LEN_MAX) {
            // A slice would keep its whole block in memory.
            let value = row.value.as_ref().map(|v| Bytes::copy_from_slice(v));
            self.rows.offer(key, snapshot, Row { seq: row.seq, value });
        }
        Ok(row.value)
    }

    async fn get_from_files(
        &self,
        view: &SpaceView,
        key: &[u8],
        snapshot: Seq,
    ) -> Result<Option<(Seq, ValueKind, Bytes)>> {
        let hash = filter::hash(key);
        // Files of L0 that share keys are ordered by seq, newest first.
        for file in &view.l0 {
            if file.meta.seq_min <= snapshot
                && file.meta.range.contains(key)
                && let Some(found) = file.get(&self.io, key, hash, snapshot).await?
            {
                return Ok(Some(found));
            }
        }
        for level in &view.levels {
            if let Some(file) = level.file_of(key)
                && let Some(found) = file.get(&self.io, key, hash, snapshot).await?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    pub(super) async fn get_many(
        &self,
        space: SpaceId,
        keys: &[&[u8]],
        at: Option<Seq>,
    ) -> Result<Vec<Option<Bytes>>> {
        let (guard, visible) = self.read_point();
        let state = Arc::clone(&guard);
        drop(guard);
        let snapshot = self.checked(&state, at, visible)?;
        let mut values = vec![None; keys.len()];
        let mut missing = Vec::new();
        for (i, key) in keys.iter().enumerate() {
            let key = key::user_key(space, key);
            if let Some(row) = self.rows.get(&key, snapshot) {
                values[i] = row.value;
                continue;
            }
            match self.get_from_memory(&state, space, &key, snapshot) {
                InMemory::Known(value) => values[i] = value,
                other => missing.push((i, key, other)),
            }
        }
        if missing.is_empty() {
            return Ok(values);
        }
        let state = &state;
        // The key moves into its read: a closure over references would not be general
        // enough for callers that need to be sent between threads.
        let reads = missing.into_iter().map(|(i, key, known)| async move {
            self.get_from(state, space, &key, snapshot, known).await.map(|value| (i, value))
        });
        let mut reads = futures::stream::iter(reads).buffer_unordered(BATCH_CONCURRENCY);
        while let Some(read) = reads.next().await {
            let (i, value) = read?;
            values[i] = value;
        }
        Ok(values)
    }

    pub(super) async fn scan_prefix(
        self: &Arc<Self>,
        space: SpaceId,
        prefix: &[u8],
        at: Option<Seq>,
    ) -> Result<Scan> {
        let range =
            KeyRange { start: Bytes::copy_from_slice(prefix), end: key::prefix_end(prefix) };
        self.scan(space, &range, at, false).await
    }

    pub(super) async fn scan(
        self: &Arc<Self>,
        space: SpaceId,
        range: &KeyRange,
        at: Option<Seq>,
        backward: bool,
    ) -> Result<Scan> {
        self.scan_under(space, range, at, &[], backward).await
    }

    pub(super) async fn scan_under(
        self: &Arc<Self>,
        space: SpaceId,
        range: &KeyRange,
        at: Option<Seq>,
        runs: &[Arc<Run>],
        backward: bool,
    ) -> Result<Scan> {
        let longest = range.start.len().max(range.end.as_ref().map_or(0, Bytes::len));
        // The successor of the longest key is a legal bound.
        if longest > KEY_LEN_MAX + 1 {
            return Err(Error::bad_request(format!("scan bound of {longest} bytes is too long")));
        }
        let (guard, visible) = self.read_point();
        let state = Arc::clone(&guard);
        drop(guard);
        let snapshot = self.checked(&state, at, visible)?;
        self.scan_state(state, space, range, snapshot, runs, backward).await
    }

    /// As [`Self::scan_under`], of a state.
    pub(super) async fn scan_state(
        &self,
        state: Arc<State>,
        space: SpaceId,
        range: &KeyRange,
        snapshot: Seq,
        runs: &[Arc<Run>],
        backward: bool,
    ) -> Result<Scan> {
        let full = full_range(space, range)?;
        let mut sources: Vec<Source> = runs.iter().filter_map(|run| run.scanned(space)).collect();
        let mut deleted: Deleted = Vec::new();
        for table in state.memtables().filter(|t| !t.is_empty()) {
            let cursor = MemtableCursor::new(Arc::clone(table), snapshot);
            sources.push(Source::Memtable(cursor));
            deleted.extend(table.range_deletes());
        }
        if let Some(view) = state.view.space(space) {
            if let Some(ranges) = view.range_deletes(&self.io).await? {
                deleted.push(Arc::clone(ranges));
            }
            let levels = &view.levels;
            Box::pin(self.add_files(view, levels, &full, snapshot, &mut sources)).await?;
        }
        let merge = MergeCursor::new(sources);
        let rows = Visible::new(merge, deleted, full, snapshot, backward);
        Ok(Scan { rows, _state: state, _runs: runs.to_vec() })
    }

    /// Adds the files of L0 and of `levels`.
    pub(super) async fn add_files(
        &self,
        view: &SpaceView,
        levels: &[Arc<Level>],
        range: &KeyRange,
        snapshot: Seq,
        sources: &mut Vec<Source>,
    ) -> Result<()> {
        let prefix = filtered_prefix(view, range);
        let mode = ScanMode::FOREGROUND;
        for file in &view.l0 {
            if file.meta.seq_min > snapshot || !file.meta.range.overlaps(range) {
                continue;
            }
            if let Some((prefix, hash)) = prefix
                && !file.may_contain_prefix(&self.io, prefix, hash).await?
            {
                continue;
            }
            let (file, io) = (Arc::clone(file), Arc::clone(&self.io));
            let cursor = FileCursor::new(file, io, self.env.clone(), mode);
            sources.push(Source::File(Box::new(cursor)));
        }
        for level in levels {
            let inside = level.overlapping(range);
            if inside.is_empty() {
                continue;
            }
            if let Some((prefix, hash)) = prefix
                && inside.len() == 1
                && !level.files[inside.start].may_contain_prefix(&self.io, prefix, hash).await?
            {
                continue;
            }
            let (level, io) = (Arc::clone(level), Arc::clone(&self.io));
            let cursor = LevelCursor::new(level, io, self.env.clone(), mode);
            sources.push(Source::Level(Box::new(cursor)));
        }
        Ok(())
    }
}

/// The range with the space in front of its bounds; always with an end.
pub(super) fn full_range(space: SpaceId, range: &KeyRange) -> Result<KeyRange> {
    let with_space = |key: &[u8]| Bytes::copy_from_slice(&key::user_key(space, key));
    let end = match &range.end {
        Some(end) => with_space(end),
        None => key::prefix_end(&space.prefix())
            .ok_or_else(|| Error::bad_request("the last space cannot be scanned without an end"))?,
    };
    Ok(KeyRange { start: with_space(&range.start), end: Some(end) })
}

/// The prefix that all keys of the range share, cut to the length that the
/// space's filters hold, with its hash.
fn filtered_prefix<'a>(view: &SpaceView, range: &'a KeyRange) -> Option<(&'a [u8], u64)> {
    let len = match view.options().filter_prefix_len {
        0 => return None,
        n => n as usize + SpaceId::LEN,
    };
    let prefix = range.start.get(..len)?;
    let within = match (key::prefix_end(prefix), &range.end) {
        (Some(after), Some(end)) => *end <= after,
        _ => false,
    };
    within.then(|| (prefix, filter::hash(prefix)))
}

/// Walks keys and values in order.
///
/// ```no_run
/// # async fn example(mut scan: firn_engine::db::Scan) -> firn_engine::Result<()> {
/// while let Some((key, value)) = scan.next().await? {
///     println!("{} bytes under {} bytes", value.len(), key.len());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Scan {
    rows: Visible,
    /// Keeps files and memtables.
    _state: Arc<State>,
    _runs: Vec<Arc<Run>>,
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scan")
    }
}

impl Scan {
    /// The next key, without its space, and its value; `None` at the end.
    ///
    /// If the returned future is dropped before it is done, the scan cannot go
    /// on: the next call says so.
    ///
    /// # Errors
    /// `Corrupt` or `Unavailable` if data cannot be read.
    #[inline]
    pub async fn next(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        Ok(self.advance().await?.then(|| (self.key(), self.value())))
    }

    /// To the next row, which stays where [`Self::key`] and [`Self::value`] find
    /// it until the next call; `false` at the end. Otherwise as [`Self::next`].
    ///
    /// # Errors
    /// As [`Self::next`].
    #[inline]
    pub async fn advance(&mut self) -> Result<bool> {
        self.rows.next().await
    }

    /// As [`Self::advance`] if the next row is in memory; `None` if that one has to be
    /// asked.
    #[inline]
    pub fn try_advance(&mut self) -> Option<bool> {
        self.rows.try_next()
    }

    /// Whether there are no more rows, as far as is known without waiting.
    #[inline]
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.rows.is_at_end()
    }

    /// Key of the row, without its space.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.rows.key().get(SpaceId::LEN..).unwrap_or_default()
    }

    /// Value of the row.
    #[inline]
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.rows.value()
    }

    /// All that is left, at most `max` rows.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn collect(&mut self, max: usize) -> Result<Vec<(Bytes, Bytes)>> {
        let mut rows = Vec::new();
        while rows.len() < max
            && let Some((key, value)) = self.next().await?
        {
            rows.push((Bytes::copy_from_slice(key), Bytes::copy_from_slice(value)));
        }
        Ok(rows)
    }
}
