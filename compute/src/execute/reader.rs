//! The rows of one table, by an index.

use std::collections::VecDeque;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::{Cx, Row};
use firn_table::descriptor::IndexId;

use super::Result;
use super::view::{Entries, View, engine_error};
use crate::plan::{Access, Lookup};
use crate::table::OpenTable;
use crate::zone;

/// Entries whose rows are read at once.
const BATCH: usize = 64;

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
}

enum Pending {
    Keys(std::vec::IntoIter<Vec<u8>>),
    Ranges(std::vec::IntoIter<KeyRange>),
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
        let lookup = access.lookup(&table.codec, &zone::to_utc, cx, row);
        cx.warnings.rewind(mark);
        let lookup = match lookup? {
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
        };
        Ok(Self { lookup, entries: None, ahead: VecDeque::new(), key: Vec::new(), locked: false })
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
        if let Some((key, value)) = self.ahead.pop_front() {
            self.key.clear();
            self.key.extend_from_slice(&key);
            return Some(read_row(table, &key, &value, columns, cx, out));
        }
        if access.index != IndexId::ROWS && !access.covering {
            return None;
        }
        let row = self.entries.as_mut()?.try_next()?;
        self.locked = false;
        Some(take(&mut self.key, row, table, access, columns, cx, out))
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
        let direct = access.index == IndexId::ROWS;
        loop {
            if let Some((key, value)) = self.ahead.pop_front() {
                self.key.clear();
                self.key.extend_from_slice(&key);
                read_row(table, &key, &value, columns, cx, out)?;
                return Ok(true);
            }
            if let Some(entries) = &mut self.entries {
                if direct || access.covering {
                    self.locked = direct && entries.is_locked();
                    let Some((key, value)) = entries.next(view).await? else {
                        self.entries = None;
                        continue;
                    };
                    take(&mut self.key, (key, value), table, access, columns, cx, out)?;
                    return Ok(true);
                }
                let codec = index(table, access)?;
                let batch = view.rows_ahead(BATCH);
                let mut keys = Vec::with_capacity(batch);
                while keys.len() < batch {
                    let Some((key, value)) = entries.next(view).await? else {
                        self.entries = None;
                        break;
                    };
                    let entry = codec.read(key, value).map_err(engine_error)?;
                    let mut row_key = Vec::with_capacity(16);
                    entry.row_key(&mut row_key);
                    keys.push(row_key);
                }
                self.fetch(view, table, keys).await?;
                continue;
            }
            match &mut self.lookup {
                Pending::Ranges(ranges) => {
                    let Some(range) = ranges.next() else { return Ok(false) };
                    let space = table.codec.table().space();
                    self.entries = Some(view.scan(space, &range, access.backward, direct).await?);
                }
                Pending::Keys(keys) => {
                    let keys: Vec<Vec<u8>> = keys.take(view.rows_ahead(BATCH)).collect();
                    if keys.is_empty() {
                        return Ok(false);
                    }
                    if direct {
                        self.fetch(view, table, keys).await?;
                        continue;
                    }
                    self.by_entries(view, table, access, keys).await?;
                }
            }
        }
    }

    /// Reads the rows of unique entries.
    async fn by_entries(
        &mut self,
        view: &mut View<'_>,
        table: &OpenTable,
        access: &Access,
        keys: Vec<Vec<u8>>,
    ) -> Result<()> {
        let codec = index(table, access)?;
        let space = table.codec.table().space();
        let mut rows = Vec::with_capacity(keys.len());
        let keys = locked(view, space, keys).await?;
        let found = view.get_many(space, &keys).await?;
        for (key, value) in keys.iter().zip(found) {
            let Some(value) = value else { continue };
            let entry = codec.read(key, &value).map_err(engine_error)?;
            let mut row_key = Vec::with_capacity(16);
            entry.row_key(&mut row_key);
            rows.push(row_key);
        }
        self.fetch(view, table, rows).await
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
        let keys = locked(view, space, keys).await?;
        let found = view.get_many(space, &keys).await?;
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

fn index<'t>(table: &'t OpenTable, access: &Access) -> Result<&'t firn_table::key::IndexCodec> {
    table.codec.index(access.index).ok_or_else(|| {
        engine_error(firn_engine::Error::new(
            firn_engine::ErrorKind::Internal,
            "a plan for an index that the table has not",
        ))
    })
}

/// Takes what lies in a row, or in an entry that has all that is read.
fn take(
    row_key: &mut Vec<u8>,
    (key, value): (&[u8], &[u8]),
    table: &OpenTable,
    access: &Access,
    columns: &[usize],
    cx: &mut Cx<'_>,
    out: &mut [Value],
) -> Result<()> {
    row_key.clear();
    if access.index == IndexId::ROWS {
        row_key.extend_from_slice(key);
        return read_row(table, key, value, columns, cx, out);
    }
    let entry = index(table, access)?.read(key, value).map_err(engine_error)?;
    entry.row_key(row_key);
    let descriptor = table.descriptor();
    for &column in columns {
        let value = entry.value(column).map_err(engine_error)?;
        out[column] = zone::from_utc(value, &descriptor.columns[column].ty, cx);
    }
    Ok(())
}

/// Sets the columns of a row.
pub(crate) fn read_row(
    table: &OpenTable,
    key: &[u8],
    value: &[u8],
    columns: &[usize],
    cx: &mut Cx<'_>,
    out: &mut [Value],
) -> Result<()> {
    let _ = key;
    let reader = table.codec.rows().read(value).map_err(engine_error)?;
    let descriptor = table.codec.table();
    for &column in columns {
        if descriptor.columns[column].is_virtual() {
            continue;
        }
        let value = reader.value(column).map_err(engine_error)?;
        out[column] = zone::from_utc(value, &descriptor.columns[column].ty, cx);
    }
    // Virtual columns are computed from the others, which are there already.
    for generated in table.virtual_columns() {
        if columns.contains(&generated.column) {
            let value = generated.node.run(cx, Row::new(out))?.into_owned();
            out[generated.column] = value;
        }
    }
    Ok(())
}
