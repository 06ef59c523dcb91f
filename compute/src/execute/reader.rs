//! The rows of one table, by an index.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Cx, Row};
use firn_table::descriptor::IndexId;

use super::found::{Found, found};
use super::view::{Entries, View, engine_error};
use super::{Read, ReadCounts, Result};
use crate::plan::{Access, Lookup};
use crate::table::OpenTable;
use crate::zone;

/// Entries whose rows are read at once, at most.
const BATCH: usize = 64;
/// Keys of rows that several searches find together; of more, the whole table is read.
const UNITED_MAX: usize = 100_000;
/// Those that are read first: nobody may want more.
const BATCH_FIRST: usize = 8;

/// Reads a table.
pub(crate) struct Reader {
    lookup: Pending,
    /// Entries of the range that is being read.
    entries: Option<Entries>,
    /// Rows that were read ahead: keys and values.
    ahead: VecDeque<(Bytes, Bytes)>,
    /// The key of the row that was read last.
    key: Vec<u8>,
    /// That row is locked, as are those that were read ahead.
    locked: bool,
    /// Entries have to be looked at with [`View::hides`].
    hides: bool,
    /// Entries whose rows are read at once next.
    batch: usize,
    /// Where reads are counted, once there are any.
    counts: Option<Arc<ReadCounts>>,
    /// As what entries of a range count.
    each: Read,
}

enum Pending {
    Keys(std::vec::IntoIter<Vec<u8>>),
    Ranges(std::vec::IntoIter<KeyRange>),
    /// Searches whose rows are put together: their indexes.
    Union(Vec<(IndexId, Lookup)>),
}

impl Reader {
    /// Begins to read `table`; `row` has what the conditions compare with.
    ///
    /// # Errors
    /// Those of evaluating the conditions.
    pub(crate) fn new(
        table: &OpenTable,
        access: &Access,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<Self> {
        // What conditions warn of, the rows' own comparisons warn of again.
        let mark = cx.warnings.mark();
        let mut lookup = |access: &Access| access.lookup(&table.codec, &zone::to_utc, cx, row);
        let pending = match &access.union {
            Some(union) => {
                let search = |one: &Access| Ok((one.index, lookup(one)?));
                union.searches.iter().map(search).collect::<Result<_>>().map(Pending::Union)
            }
            None => lookup(access).map(|found| match found {
                Lookup::Keys(mut keys) => {
                    if access.backward {
                        keys.reverse();
                    }
                    Pending::Keys(keys.into_iter())
                }
                Lookup::Ranges(mut ranges) => {
                    if access.backward {
                        ranges.reverse();
                    }
                    Pending::Ranges(ranges.into_iter())
                }
            }),
        };
        cx.warnings.rewind(mark);
        let lookup = pending?;
        Ok(Self {
            lookup,
            entries: None,
            ahead: VecDeque::new(),
            key: Vec::new(),
            locked: false,
            hides: false,
            batch: BATCH_FIRST,
            counts: None,
            each: match (access.parts.is_empty(), access.backward) {
                (true, _) if access.union.is_some() => Read::Next,
                (true, _) if access.index == IndexId::ROWS && !access.ordered => Read::RndNext,
                (_, true) => Read::Prev,
                (_, false) => Read::Next,
            },
        })
    }

    /// The key of the row that [`Self::next`] gave.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Whether the row is locked already, and was read as it is now.
    pub(crate) fn is_locked(&self) -> bool {
        self.locked
    }

    /// As [`Self::next`] if there is a row that takes no waiting; `None` if that one has
    /// to be asked.
    #[inline]
    pub(crate) fn try_next(
        &mut self,
        table: &OpenTable,
        access: &Access,
        columns: &[usize],
        cx: &mut Cx<'_>,
        out: &mut [Value],
    ) -> Option<Result<()>> {
        self.try_with(table, access, |found| found.fill(table, columns, cx, out))
    }

    /// Whether there are no more rows, as far as is known without waiting.
    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        let looked_up = match &self.lookup {
            Pending::Keys(keys) => keys.as_slice().is_empty(),
            Pending::Ranges(ranges) => ranges.as_slice().is_empty(),
            Pending::Union(_) => false,
        };
        let read = self.entries.as_ref().is_none_or(Entries::is_at_end);
        looked_up && read && self.ahead.is_empty()
    }

    /// The next of rows that are read by their keys, as [`Self::next`], if it is in memory;
    /// `None` if that one has to be asked.
    #[inline]
    pub(crate) fn try_by_key(
        &mut self,
        view: &mut View<'_>,
        table: &OpenTable,
        access: &Access,
        columns: &[usize],
        cx: &mut Cx<'_>,
        out: &mut [Value],
    ) -> Option<Result<bool>> {
        let Pending::Keys(keys) = &mut self.lookup else { return None };
        if access.index != IndexId::ROWS || !self.ahead.is_empty() || view.locks().is_some() {
            return None;
        }
        loop {
            let Some(key) = keys.as_slice().first() else { return Some(Ok(false)) };
            let value = match view.try_get(table.codec.table().space(), key).transpose()? {
                Ok(value) => value,
                Err(error) => return Some(Err(error)),
            };
            let key = keys.next()?;
            view.reads().add(Read::Key);
            let Some(value) = value else { continue };
            let found = table.codec.rows().read(&value).map_err(engine_error);
            let filled = found.and_then(|row| Found::Row(row).fill(table, columns, cx, out));
            (self.key, self.locked) = (key, false);
            return Some(filled.map(|()| true));
        }
    }

    /// As [`Self::try_next`], for a row as it lies there.
    #[inline]
    pub(crate) fn try_with<T, E: From<SqlError>>(
        &mut self,
        table: &OpenTable,
        access: &Access,
        each: impl FnOnce(&Found<'_>) -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        if let Some((key, value)) = self.ahead.pop_front() {
            self.key.clear();
            self.key.extend_from_slice(&key);
            return Some(
                found(&mut self.key, &key, &value, table, IndexId::ROWS)
                    .and_then(|found| each(&found)),
            );
        }
        if access.index != IndexId::ROWS && (!access.covering || self.hides) {
            return None;
        }
        let (key, value) = self.entries.as_mut()?.try_next()?;
        if let Some(counts) = &self.counts {
            counts.add(self.each);
        }
        self.locked = false;
        Some(found(&mut self.key, key, value, table, access.index).and_then(|found| each(&found)))
    }

    /// Reads the next row into `out`, which has a place for each column of the table;
    /// those of `columns` are set.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn next(
        &mut self,
        view: &mut View<'_>,
        table: &OpenTable,
        access: &Access,
        columns: &[usize],
        cx: &mut Cx<'_>,
        out: &mut [Value],
    ) -> Result<bool> {
        let filled = self.with(view, table, access, |found| found.fill(table, columns, cx, out));
        Ok(filled.await?.is_some())
    }

    /// Gives the next row to `each`, as it lies there; `None` at the end.
    ///
    /// # Errors
    /// The engine's, and those of `each`.
    pub(crate) async fn with<T, E: From<SqlError>>(
        &mut self,
        view: &mut View<'_>,
        table: &OpenTable,
        access: &Access,
        each: impl FnOnce(&Found<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let direct = access.index == IndexId::ROWS;
        self.hides = !direct && view.has_overtaken();
        let counts = Arc::clone(self.counts.get_or_insert_with(|| Arc::clone(view.reads())));
        let space = table.codec.table().space();
        loop {
            if let Some((key, value)) = self.ahead.pop_front() {
                self.key.clear();
                self.key.extend_from_slice(&key);
                let found = found(&mut self.key, &key, &value, table, IndexId::ROWS);
                return found.and_then(|found| each(&found)).map(Some);
            }
            if let Some(entries) = &mut self.entries {
                if direct || access.covering {
                    self.locked = direct && entries.is_locked();
                    let Some((key, value)) = entries.next(view).await? else {
                        self.entries = None;
                        continue;
                    };
                    counts.add(self.each);
                    let found = found(&mut self.key, key, value, table, access.index);
                    if self.hides && Box::pin(view.hides(space, key, &self.key)).await? {
                        continue;
                    }
                    return found.and_then(|found| each(&found)).map(Some);
                }
                let codec = index(table, access.index)?;
                let batch = view.rows_ahead(self.batch);
                self.batch = (2 * self.batch).min(BATCH);
                let mut keys = Vec::with_capacity(batch);
                while keys.len() < batch {
                    let Some((key, value)) = entries.next(view).await? else {
                        self.entries = None;
                        break;
                    };
                    counts.add(self.each);
                    let entry = codec.read(key, value).map_err(engine_error)?;
                    let mut row_key = Vec::with_capacity(16);
                    entry.row_key(&mut row_key);
                    if self.hides && Box::pin(view.hides(space, key, &row_key)).await? {
                        continue;
                    }
                    keys.push(row_key);
                }
                self.fetch(view, table, keys).await?;
                continue;
            }
            match &mut self.lookup {
                Pending::Ranges(ranges) => {
                    let Some(range) = ranges.next() else { return Ok(None) };
                    match (access.parts.is_empty(), self.each) {
                        (true, Read::RndNext) => {}
                        (true, Read::Prev) => counts.add(Read::Last),
                        (true, _) => counts.add(Read::First),
                        (false, _) => counts.add(Read::Key),
                    }
                    let scan = view.scan(space, &range, access.backward, direct);
                    self.entries = Some(Box::pin(scan).await?);
                }
                Pending::Keys(keys) => {
                    let keys: Vec<Vec<u8>> = keys.take(view.rows_ahead(BATCH)).collect();
                    if keys.is_empty() {
                        return Ok(None);
                    }
                    keys.iter().for_each(|_| counts.add(Read::Key));
                    if direct {
                        self.fetch(view, table, keys).await?;
                        continue;
                    }
                    let keys = Box::pin(self.of_entries(view, table, access.index, keys)).await?;
                    self.fetch(view, table, keys).await?;
                }
                Pending::Union(searches) => {
                    let searches = std::mem::take(searches);
                    self.lookup = match Box::pin(self.united(view, table, searches)).await? {
                        Some(keys) => Pending::Keys(keys.into_iter()),
                        None => {
                            counts.add(Read::First);
                            Pending::Ranges(vec![table.codec.row_index().all()].into_iter())
                        }
                    };
                }
            }
        }
    }

    /// The keys of all rows that one of several searches finds, in order; `None` if they are
    /// too many to be kept.
    async fn united(
        &mut self,
        view: &mut View<'_>,
        table: &OpenTable,
        searches: Vec<(IndexId, Lookup)>,
    ) -> Result<Option<Vec<Vec<u8>>>> {
        let counts = Arc::clone(view.reads());
        let space = table.codec.table().space();
        let overtaken = view.has_overtaken();
        let mut all: Vec<Vec<u8>> = Vec::new();
        for (id, lookup) in searches {
            let direct = id == IndexId::ROWS;
            let codec = if direct { table.codec.row_index() } else { index(table, id)? };
            let ranges = match lookup {
                Lookup::Keys(keys) => {
                    keys.iter().for_each(|_| counts.add(Read::Key));
                    match direct {
                        true => all.extend(keys),
                        false => all.extend(self.of_entries(view, table, id, keys).await?),
                    }
                    continue;
                }
                Lookup::Ranges(ranges) => ranges,
            };
            for range in ranges {
                counts.add(Read::Key);
                let mut entries = view.scan(space, &range, false, direct).await?;
                while let Some((key, value)) = entries.next(view).await? {
                    counts.add(Read::Next);
                    let mut row_key = Vec::with_capacity(16);
                    if direct {
                        row_key.extend_from_slice(key);
                    } else {
                        codec.read(key, value).map_err(engine_error)?.row_key(&mut row_key);
                        if overtaken && view.hides(space, key, &row_key).await? {
                            continue;
                        }
                    }
                    all.push(row_key);
                    if all.len() > UNITED_MAX {
                        return Ok(None);
                    }
                    view.step().await?;
                }
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(Some(all))
    }

    /// The keys of the rows of unique entries.
    async fn of_entries(
        &self,
        view: &mut View<'_>,
        table: &OpenTable,
        by: IndexId,
        keys: Vec<Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>> {
        let codec = index(table, by)?;
        let overtaken = view.has_overtaken();
        let space = table.codec.table().space();
        let mut rows = Vec::with_capacity(keys.len());
        let keys = locked(view, space, keys).await?;
        let found = view.get_many(space, &keys).await?;
        for (key, value) in keys.iter().zip(found) {
            let Some(value) = value else { continue };
            let entry = codec.read(key, &value).map_err(engine_error)?;
            let mut row_key = Vec::with_capacity(16);
            entry.row_key(&mut row_key);
            if overtaken && view.hides(space, key, &row_key).await? {
                continue;
            }
            rows.push(row_key);
        }
        Ok(rows)
    }

    /// Reads rows by their keys. A row that is not there has been deleted since its
    /// entry was read.
    async fn fetch(
        &mut self,
        view: &mut View<'_>,
        table: &OpenTable,
        keys: Vec<Vec<u8>>,
    ) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let space = table.codec.table().space();
        self.locked = view.locks().is_some();
        let keys = match self.locked {
            true => Box::pin(locked(view, space, keys)).await?,
            false => keys,
        };
        let found = Box::pin(view.get_many(space, &keys)).await?;
        for (key, value) in keys.into_iter().zip(found) {
            match value {
                Some(value) => self.ahead.push_back((key.into(), value)),
                None => view.unlock(space, &key),
            }
        }
        Ok(())
    }
}

/// Locks keys before they are read, if they are to be locked at all: what is not there may
/// be another transaction's, which is not decided yet. Without those that are skipped.
async fn locked(
    view: &mut View<'_>,
    space: firn_engine::SpaceId,
    mut keys: Vec<Vec<u8>>,
) -> Result<Vec<Vec<u8>>> {
    if view.locks().is_none() {
        return Ok(keys);
    }
    let mut kept = 0;
    for at in 0..keys.len() {
        if view.lock(space, &keys[at]).await? {
            keys.swap(kept, at);
            kept += 1;
        }
    }
    keys.truncate(kept);
    Ok(keys)
}

/// An index of a table.
///
/// # Errors
/// The engine's if there is none.
pub(crate) fn index(table: &OpenTable, id: IndexId) -> Result<&firn_table::key::IndexCodec> {
    table.codec.index(id).ok_or_else(|| {
        engine_error(firn_engine::Error::new(
            firn_engine::ErrorKind::Internal,
            "a plan for an index that the table has not",
        ))
    })
}
