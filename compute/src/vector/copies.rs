//! Rows of a table from the Parquet copies of its files, as of a snapshot.
//!
//! A copy has what its file has: versions of rows as they were when the file was made. What
//! lies above the file ([`Layers`]) hides rows of it by their keys, and has rows that are not
//! in it. Where there is nothing above a row group, and nothing in it that the snapshot does
//! not see, its columns go on as they are; elsewhere its rows and those above are put together
//! in the order of their keys, so a table has the same rows in the same order as if it were
//! read row by row.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, ArrayRef, BinaryViewArray, BooleanArray, RecordBatch, UInt64Array};
use arrow_schema::SchemaRef;
use arrow_select::interleave::interleave;
use bytes::Bytes;
use firn_engine::db::{Above, Layers, Piece};
use firn_engine::key::{KeyRange, prefix_end};
use firn_engine::manifest::SstMeta;
use firn_engine::{Error, ErrorKind, Seq};
use firn_mysql_semantics::error::SqlError;
use firn_table::columns::{ROW_COLUMN, ROW_KEY_COLUMN};
use firn_table::descriptor::IndexId;
use firn_table::{ColumnFile, DELETED_COLUMN, RowGroup, SEQ_COLUMN};

use super::copied::{is_as_today, is_copied, planned};
use super::scan::{Filling, ROWS, Source, batch_of};
use crate::execute::{Found, engine_error};

/// Columns that say what a row is: its key, seq, whether it is a deletion, the row as it is
/// stored.
const MARKS: [&str; 4] = [ROW_KEY_COLUMN, SEQ_COLUMN, DELETED_COLUMN, ROW_COLUMN];

/// Whether all columns that a scan reads can be read from copies.
pub(super) fn has_copies(source: &Source) -> bool {
    let columns = &source.table.codec.table().columns;
    source.columns.iter().all(|at| columns.get(*at).is_some_and(is_copied))
}

/// The rows of one file, and of what lies above it, on their way.
pub(super) struct Copied {
    file: ColumnFile,
    meta: Arc<SstMeta>,
    /// Where the file has the columns that are read.
    places: Vec<usize>,
    /// Where it has [`MARKS`].
    marks: [usize; 4],
    snapshot: Seq,
    above: Above,
    /// Whether `above` stands at a key.
    has_above: bool,
    /// The keys that are wanted.
    range: KeyRange,
    /// Row groups that are still to be read: those that have some of them.
    groups: Range<usize>,
    rows: Option<Open>,
    /// The key whose newest visible version was found last.
    decided: Vec<u8>,
}

/// A row group that is being read.
struct Open {
    rows: RowGroup,
    /// Places of the batches' columns in the file.
    read: Vec<usize>,
    /// Its columns go on as they are.
    plain: bool,
    /// A batch that has been given in part, and up to where.
    rest: Option<(Marked, usize)>,
}

/// A batch with what its rows are.
struct Marked {
    columns: Vec<ArrayRef>,
    keys: BinaryViewArray,
    seqs: UInt64Array,
    deleted: BooleanArray,
    rows: BinaryViewArray,
}

/// Which array a row comes from.
const FROM_COPY: usize = 0;
const FROM_ROWS: usize = 1;

impl Copied {
    /// Begins to read a piece; `None` if its rows have to be read as rows: not even a row
    /// group of the file is wanted as a whole, or it is of an older form of the table.
    pub(super) async fn open(
        layers: &Layers,
        piece: &Piece,
        source: &Source,
    ) -> Result<Option<Self>, SqlError> {
        let Some(meta) = &piece.copied else { return Ok(None) };
        let bytes = meta.column.as_ref().map_or(0, |copy| copy.bytes);
        let file = ColumnFile::open(layers.source(), meta.id, bytes).await.map_err(engine_error)?;
        let columns = &source.table.codec.table().columns;
        let mut places = Vec::with_capacity(source.columns.len());
        for at in &source.columns {
            let column = &columns[*at];
            let Some(place) = file.place_of(column.id) else { return Ok(None) };
            if !is_as_today(column, file.schema().field(place).data_type()) {
                return Ok(None);
            }
            places.push(place);
        }
        let mark = |name: &str| file.schema().column_with_name(name).map(|(at, _)| at);
        let [Some(key), Some(seq), Some(deleted), Some(row)] = MARKS.map(mark) else {
            return Ok(None);
        };
        let range = wanted(piece);
        let begins_behind =
            |group| file.first_key(group).is_some_and(|first| !range.ends_after(first));
        let ends_before = |group| file.last_key(group).is_some_and(|last| *last < *range.start);
        let all = 0..file.row_groups();
        let first = all.clone().find(|group| !ends_before(*group)).unwrap_or(all.end);
        let end = (first..all.end).find(|group| begins_behind(*group)).unwrap_or(all.end);
        let is_whole = range.start.is_empty() && range.end.is_none();
        if !is_whole && !(first..end).any(|group| is_within(&file, group, &range)) {
            return Ok(None);
        }
        let above = layers.above(&piece.range).await.map_err(engine_error)?;
        let mut copied = Self {
            file,
            meta: Arc::clone(meta),
            places,
            marks: [key, seq, deleted, row],
            snapshot: layers.seq(),
            above,
            has_above: false,
            range,
            groups: first..end,
            rows: None,
            decided: Vec::new(),
        };
        copied.next_above().await?;
        Ok(Some(copied))
    }

    async fn next_above(&mut self) -> Result<(), SqlError> {
        self.has_above = self.above.advance().await.map_err(engine_error)?;
        Ok(())
    }

    /// The next batch; `None` at the end of the piece.
    pub(super) async fn batch(
        &mut self,
        source: &Source,
        schema: &SchemaRef,
    ) -> Result<Option<RecordBatch>, SqlError> {
        loop {
            if self.rows.is_none() {
                let Some(group) = self.groups.next() else {
                    return self.last(source, schema).await;
                };
                self.rows = Some(self.open_group(group).await?);
            }
            let Some(open) = &mut self.rows else { continue };
            if open.rest.is_none() {
                let Some(batch) = open.rows.next() else {
                    self.rows = None;
                    continue;
                };
                let batch = batch.map_err(engine_error)?;
                let columns = columns(&batch, open, &self.places, source)?;
                if open.plain {
                    return batch_of(schema, columns, batch.num_rows()).map(Some);
                }
                let marked = Marked::of(&batch, &open.read, &self.marks, columns);
                open.rest = Some((marked.map_err(engine_error)?, 0));
            }
            let Some((batch, from)) = open.rest.take() else { continue };
            if let Some(rows) = self.merged(batch, from, source, schema).await? {
                return Ok(Some(rows));
            }
        }
    }

    async fn open_group(&mut self, group: usize) -> Result<Open, SqlError> {
        let newest = match self.meta.cut {
            true => self.snapshot.min(self.meta.seq_max),
            false => self.snapshot,
        };
        let nothing_above = !self.has_above
            || self.file.last_key(group).is_some_and(|last| self.above.key() > last);
        let plain = nothing_above
            && self.file.has_one_version()
            && self.file.is_plain(group, newest)
            && is_within(&self.file, group, &self.range);
        let mut read = self.places.clone();
        match plain {
            false => read.extend(self.marks),
            // Something has to tell how many rows there are.
            true if read.is_empty() => read.push(self.marks[1]),
            true => {}
        }
        read.sort_unstable();
        read.dedup();
        let rows = self.file.columns(group, &read, ROWS).await.map_err(engine_error)?;
        Ok(Open { rows, read, plain, rest: None })
    }

    /// Rows of a batch from `from` on that the snapshot sees, and those above that come before
    /// and between them; `None` if there are none.
    async fn merged(
        &mut self,
        batch: Marked,
        from: usize,
        source: &Source,
        schema: &SchemaRef,
    ) -> Result<Option<RecordBatch>, SqlError> {
        let mut rows = source.filling()?;
        let mut order: Vec<(usize, usize)> = Vec::with_capacity(batch.keys.len() - from);
        let mut at = from;
        while at < batch.keys.len() && !rows.is_full() {
            let key = batch.keys.value(at);
            if self.has_above && self.above.key() < key {
                self.take_above(source, &mut rows, &mut order)?;
                self.next_above().await?;
                continue;
            }
            at += 1;
            if !self.range.contains(key) {
                continue;
            }
            // Newer versions lie above; those at the bottom are all older.
            if (self.has_above && self.above.key() == key) || self.decided == key {
                continue;
            }
            let stored = Seq(batch.seqs.value(at - 1));
            if self.meta.seq_of(stored) > self.snapshot || self.meta.hides(stored) {
                continue;
            }
            self.decided.clear();
            self.decided.extend_from_slice(key);
            if batch.deleted.value(at - 1) {
                continue;
            }
            if batch.rows.is_null(at - 1) {
                order.push((FROM_COPY, at - 1));
                continue;
            }
            order.push((FROM_ROWS, rows.rows));
            let row = source.table.codec.rows().read(batch.rows.value(at - 1));
            source.push(&Found::Row(row.map_err(engine_error)?), &mut rows)?;
        }
        let whole = from == 0 && order.len() == batch.keys.len() && rows.rows == 0;
        let merged = match order.is_empty() {
            true => None,
            false if whole => Some(batch_of(schema, batch.columns.clone(), order.len())?),
            false => {
                let len = order.len();
                let mut columns = Vec::with_capacity(batch.columns.len());
                for (copy, rows) in batch.columns.iter().zip(rows.finish()?) {
                    let column = interleave(&[&**copy, &*rows], &order);
                    columns.push(column.map_err(|error| broken(&error.to_string()))?);
                }
                Some(batch_of(schema, columns, len)?)
            }
        };
        if at < batch.keys.len()
            && let Some(open) = &mut self.rows
        {
            open.rest = Some((batch, at));
        }
        Ok(merged)
    }

    /// Takes the row at which `above` stands, unless it was deleted.
    fn take_above(
        &self,
        source: &Source,
        rows: &mut Filling,
        order: &mut Vec<(usize, usize)>,
    ) -> Result<(), SqlError> {
        let Some(value) = self.above.value() else { return Ok(()) };
        order.push((FROM_ROWS, rows.rows));
        let row = source.table.codec.rows().read(value).map_err(engine_error)?;
        source.push(&Found::Row(row), rows)
    }

    /// Rows behind the last one of the file.
    async fn last(
        &mut self,
        source: &Source,
        schema: &SchemaRef,
    ) -> Result<Option<RecordBatch>, SqlError> {
        let (mut rows, mut order) = (source.filling()?, Vec::new());
        while self.has_above && !rows.is_full() {
            self.take_above(source, &mut rows, &mut order)?;
            self.next_above().await?;
        }
        match rows.rows {
            0 => Ok(None),
            len => batch_of(schema, rows.finish()?, len).map(Some),
        }
    }
}

/// The keys of a piece, without an end where the copy has none beyond it. A copy has rows
/// alone, no entries of other indexes, which may well be in the file.
fn wanted(piece: &Piece) -> KeyRange {
    let rows = IndexId::ROWS.0.to_be_bytes();
    let KeyRange { start, end } = &piece.range;
    let begins = *start <= piece.file.start || **start <= rows[..];
    let all_ends = [piece.file.end.as_ref().cloned(), prefix_end(&rows)];
    let ends = |end: &&Bytes| all_ends.iter().flatten().all(|other| *end < other);
    KeyRange {
        start: if begins { Bytes::new() } else { start.clone() },
        end: end.as_ref().filter(ends).cloned(),
    }
}

/// Whether all keys of a row group are in a range.
fn is_within(file: &ColumnFile, group: usize, range: &KeyRange) -> bool {
    let (first, last) = (file.first_key(group), file.last_key(group));
    first.is_some_and(|key| range.contains(key)) && last.is_some_and(|key| range.contains(key))
}

/// The columns that a scan reads, in its order, as plans have them.
fn columns(
    batch: &RecordBatch,
    open: &Open,
    places: &[usize],
    source: &Source,
) -> Result<Vec<ArrayRef>, SqlError> {
    let table = source.table.codec.table();
    let mut columns = Vec::with_capacity(places.len());
    for (place, at) in places.iter().zip(&source.columns) {
        let read = open.read.binary_search(place).ok();
        let array = read.and_then(|read| batch.columns().get(read));
        let array = array.ok_or_else(|| broken("a column was not read"))?;
        columns.push(planned(array, &table.columns[*at], source)?);
    }
    Ok(columns)
}

impl Marked {
    fn of(
        batch: &RecordBatch,
        read: &[usize],
        marks: &[usize; 4],
        columns: Vec<ArrayRef>,
    ) -> firn_engine::Result<Self> {
        let bad = || Error::new(ErrorKind::Corrupt, "a column copy has other columns of its own");
        let column = |place: usize| {
            let at = read.binary_search(&place).map_err(|_| bad())?;
            batch.columns().get(at).ok_or_else(bad)
        };
        let [key, seq, deleted, row] = *marks;
        Ok(Self {
            columns,
            keys: column(key)?.as_binary_view_opt().ok_or_else(bad)?.clone(),
            seqs: column(seq)?.as_primitive_opt::<UInt64Type>().ok_or_else(bad)?.clone(),
            deleted: column(deleted)?.as_boolean_opt().ok_or_else(bad)?.clone(),
            rows: column(row)?.as_binary_view_opt().ok_or_else(bad)?.clone(),
        })
    }
}

#[cold]
fn broken(why: &str) -> SqlError {
    SqlError::with_message(firn_mysql_semantics::error::code::ER_UNKNOWN_ERROR, why)
}
