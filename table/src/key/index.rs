//! One index: keys and values of its entries.

use std::sync::Arc;

use firn_engine::key::KEY_LEN_MAX;
use firn_engine::{Error, ErrorKind, Result};
use firn_mysql_semantics::Value;

use super::part::{NOT_NULL, Part};
use super::{EntryReader, INDEX_ID_LEN};
use crate::descriptor::{ColumnId, IndexDescriptor, IndexId, IndexKind, TableDescriptor};
use crate::row::wrong_value;
use crate::row::{Layout, Place, WriteError, descriptor, full_name, put_varint, unsupported};

/// Bytes of a hidden row number in a key.
pub(super) const ROW_NUMBER_LEN: usize = 8;

/// Writes and reads the keys of one index and the values of its entries, compiled
/// from the table's descriptor. Values of rows are given by their columns' places in
/// [`TableDescriptor::columns`], as the columns hold them, TIMESTAMP in UTC; those of
/// virtual columns that are in the index have to be there too.
#[derive(Debug)]
pub struct IndexCodec {
    pub(super) table: Arc<TableDescriptor>,
    pub(super) id: IndexId,
    kind: IndexKind,
    pub(super) parts: Box<[Part]>,
    /// Of the primary key; none if rows have numbers.
    pub(super) row_parts: Arc<[Part]>,
    /// Cells in an entry's value.
    pub(super) stored: Layout,
    /// Whose they are.
    stored_columns: Box<[usize]>,
    /// By place in [`TableDescriptor::columns`].
    pub(super) sources: Box<[Source]>,
}

/// Where an entry has a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// In a part of the index.
    Part(usize),
    /// In a part of the row's key.
    RowPart(usize),
    /// In the value.
    Stored(Place),
    /// Nowhere.
    Nowhere,
}

impl IndexCodec {
    /// Compiles the rows' own index, which a table without a primary key has too.
    pub(crate) fn rows(table: &Arc<TableDescriptor>) -> Result<Self> {
        let row_parts: Arc<[Part]> = match table.primary() {
            Some(index) => parts(table, index)?.into(),
            None => Arc::new([]),
        };
        Self::compile(table, IndexId::ROWS, IndexKind::Primary, (*row_parts).into(), &row_parts)
    }

    /// Compiles another index; `rows` is the codec of the rows' own one.
    pub(crate) fn new(
        table: &Arc<TableDescriptor>,
        index: &IndexDescriptor,
        rows: &Self,
    ) -> Result<Self> {
        let parts = parts(table, index)?;
        Self::compile(table, index.id, index.kind, parts.into(), &rows.row_parts)
    }

    fn compile(
        table: &Arc<TableDescriptor>,
        id: IndexId,
        kind: IndexKind,
        parts: Box<[Part]>,
        row_parts: &Arc<[Part]>,
    ) -> Result<Self> {
        let mut sources = vec![Source::Nowhere; table.columns.len()];
        let mut stored_columns = Vec::new();
        let all = parts.iter().enumerate().map(|(i, part)| (part, Source::Part(i)));
        let of_row = row_parts.iter().enumerate().map(|(i, part)| (part, Source::RowPart(i)));
        for (part, source) in all.chain(of_row) {
            if !matches!(sources[part.column], Source::Nowhere) {
                continue;
            }
            if part.is_reversible() {
                sources[part.column] = source;
            } else if !part.is_prefix() && !stored_columns.contains(&part.column) {
                stored_columns.push(part.column);
            }
        }
        // A column may come reversibly later on.
        stored_columns.retain(|column| matches!(sources[*column], Source::Nowhere));
        // Every cell has its bit, so that a column can be given leave to be NULL.
        let types = stored_columns.iter().map(|column| (table.columns[*column].ty, true));
        let stored = Layout::new(types).map_err(|at| {
            let column = &table.columns[stored_columns[at]];
            unsupported(table, &column.name, column.ty.kind)
        })?;
        for (column, place) in stored_columns.iter().zip(&stored.places) {
            sources[*column] = Source::Stored(*place);
        }
        Ok(Self {
            table: Arc::clone(table),
            id,
            kind,
            parts,
            row_parts: Arc::clone(row_parts),
            stored,
            stored_columns: stored_columns.into(),
            sources: sources.into(),
        })
    }

    /// The index's id.
    #[must_use]
    pub fn id(&self) -> IndexId {
        self.id
    }

    /// Whether two rows may not have the same key.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.kind != IndexKind::Plain
    }

    /// How many parts it has.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// How many parts its keys have: a plain index goes on with the primary key's,
    /// in which its entries of equal parts are sorted.
    #[must_use]
    pub fn key_parts(&self) -> usize {
        let rest = if self.is_unique() { 0 } else { self.row_parts.len() };
        self.parts.len() + rest
    }

    /// A part of its keys.
    pub(super) fn part(&self, at: usize) -> Option<&Part> {
        match at.checked_sub(self.parts.len()) {
            None => self.parts.get(at),
            Some(at) if !self.is_unique() => self.row_parts.get(at),
            Some(_) => None,
        }
    }

    /// The column of a part ([`Self::key_parts`]), as its place in
    /// [`TableDescriptor::columns`].
    #[must_use]
    pub fn column(&self, part: usize) -> Option<usize> {
        self.part(part).map(|part| part.column)
    }

    /// Whether a part has only a prefix of its column: then a key says less than
    /// the row, and conditions on the column have to be looked at again.
    #[must_use]
    pub fn is_prefix(&self, part: usize) -> bool {
        self.part(part).is_some_and(Part::is_prefix)
    }

    /// Whether keys have larger values of a part first.
    #[must_use]
    pub fn is_descending(&self, part: usize) -> bool {
        self.part(part).is_some_and(|part| part.flip != 0)
    }

    /// Whether values of a part in order have keys in order. Where a part is a prefix
    /// and its collation looks at accents only after all letters, they have not.
    #[must_use]
    pub fn keeps_order(&self, part: usize) -> bool {
        self.parts.get(part).is_some_and(|part| !part.is_prefix() || part.prefix_keeps_order())
    }

    /// Appends a value as it stands in keys at a part, for ranges that [`Self::range`]
    /// does not make. Such values are prefix-free, so keys that start with one have it.
    /// `false`, and `out` of no use, if the column does not hold the value.
    pub fn encode_part(&self, part: usize, value: &Value, out: &mut Vec<u8>) -> bool {
        self.parts.get(part).is_some_and(|part| part.push(value, out).is_some())
    }

    /// Appends what the keys of texts begin with, in a part, that are LIKE `beginning` followed
    /// by anything; of others, too. `false` if there is no such thing.
    pub fn encode_beginning(&self, part: usize, beginning: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(part) = self.parts.get(part) else { return false };
        if part.marked {
            out.push(NOT_NULL ^ part.flip);
        }
        part.push_beginning(beginning, out).is_some()
    }

    /// Whether entries give back the value of a column. For the rows' own index this
    /// is of no use: rows have all columns.
    #[must_use]
    pub fn covers(&self, column: usize) -> bool {
        !matches!(self.sources.get(column), None | Some(Source::Nowhere))
    }

    /// Appends the key of a row to `out`: `00 01` and the parts of the primary key.
    ///
    /// # Errors
    /// `Internal` naming the column if it does not hold its value, or if rows of the
    /// table have numbers; `BadRequest` if the key is too long for the engine.
    pub fn row_key(&self, values: &[Value], out: &mut Vec<u8>) -> Result<()> {
        if self.row_parts.is_empty() {
            return Err(internal(&self.table, "its rows are keyed by numbers"));
        }
        let start = out.len();
        out.extend_from_slice(&IndexId::ROWS.0.to_be_bytes());
        self.push(&self.row_parts, values, out)?;
        self.check_len(out.len() - start)
    }

    /// Appends the key of an entry to `out`. `row_key` is the whole key of the row.
    /// Whether another row with the same key would be a duplicate is told: the index
    /// is unique, and no part is NULL.
    ///
    /// # Errors
    /// As [`Self::row_key`].
    pub fn entry_key(&self, values: &[Value], row_key: &[u8], out: &mut Vec<u8>) -> Result<bool> {
        let start = out.len();
        out.extend_from_slice(&self.id.0.to_be_bytes());
        self.push(&self.parts, values, out)?;
        let is_null = |part: &Part| values.get(part.column).is_some_and(Value::is_null);
        let exclusive = self.is_unique() && !self.parts.iter().any(is_null);
        if !exclusive {
            out.extend_from_slice(self.behind_id(row_key)?);
        }
        self.check_len(out.len() - start)?;
        Ok(exclusive)
    }

    /// Appends the value of an entry to `out`. `exclusive` is what
    /// [`Self::entry_key`] told.
    ///
    /// # Errors
    /// As [`Self::row_key`].
    pub fn entry_value(
        &self,
        values: &[Value],
        row_key: &[u8],
        exclusive: bool,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if exclusive {
            let row_key = self.behind_id(row_key)?;
            put_varint(out, row_key.len() as u64);
            out.extend_from_slice(row_key);
        }
        if self.stored_columns.is_empty() {
            return Ok(());
        }
        if values.len() != self.table.columns.len() {
            return Err(internal(&self.table, "a row of too few values"));
        }
        let value = |cell: usize| &values[self.stored_columns[cell]];
        self.stored.write(0, value, out).map_err(|why| match why {
            WriteError::Type(cell) => wrong_value(&self.table, self.stored_columns[cell]),
            WriteError::TooLong => self.too_long(),
        })
    }

    /// The lengths of what a key of the index begins with: up to behind its first part, its
    /// second, and so on. Fewer than there are parts if it is no such key.
    pub fn part_ends(&self, key: &[u8], out: &mut Vec<usize>) {
        out.clear();
        let mut at = INDEX_ID_LEN;
        for part in &self.parts {
            let Some(len) = key.get(at..).and_then(|rest| part.len(rest)) else { return };
            at += len;
            if at > key.len() {
                return;
            }
            out.push(at);
        }
    }

    /// Takes an entry apart.
    ///
    /// # Errors
    /// `Corrupt` if it is not one of this index.
    pub fn read<'a>(&'a self, key: &'a [u8], value: &'a [u8]) -> Result<EntryReader<'a>> {
        EntryReader::new(self, key, value)
    }

    /// Appends the key that the one entry or row with these values of all parts has,
    /// in the order of the parts. `false`, and nothing appended, if there can be
    /// several: the index is not unique, or one of them is NULL.
    ///
    /// # Errors
    /// As [`Self::row_key`]; `Internal` if they are not as many as the parts.
    pub fn unique_key(&self, values: &[Value], out: &mut Vec<u8>) -> Result<bool> {
        if values.len() != self.parts.len() {
            return Err(internal(&self.table, "a key of too few values"));
        }
        if !self.is_unique() || self.parts.is_empty() || values.iter().any(Value::is_null) {
            return Ok(false);
        }
        let start = out.len();
        out.extend_from_slice(&self.id.0.to_be_bytes());
        for (part, value) in self.parts.iter().zip(values) {
            part.push(value, out).ok_or_else(|| wrong_value(&self.table, part.column))?;
        }
        self.check_len(out.len() - start)?;
        Ok(true)
    }

    #[inline]
    fn push(&self, parts: &[Part], values: &[Value], out: &mut Vec<u8>) -> Result<()> {
        for part in parts {
            let pushed = values.get(part.column).and_then(|value| part.push(value, out));
            pushed.ok_or_else(|| wrong_value(&self.table, part.column))?;
        }
        Ok(())
    }

    fn behind_id<'k>(&self, row_key: &'k [u8]) -> Result<&'k [u8]> {
        match row_key.split_first_chunk::<INDEX_ID_LEN>() {
            Some((id, rest)) if *id == IndexId::ROWS.0.to_be_bytes() && !rest.is_empty() => {
                Ok(rest)
            }
            _ => Err(internal(&self.table, "what is no key of a row was given as one")),
        }
    }

    #[inline]
    pub(super) fn check_len(&self, len: usize) -> Result<()> {
        if len <= KEY_LEN_MAX { Ok(()) } else { Err(self.too_long()) }
    }

    #[cold]
    fn too_long(&self) -> Error {
        let table = full_name(&self.table);
        let what = format!("{table}: a key of index {} is too long", self.id.0);
        Error::new(ErrorKind::BadRequest, what)
    }
}

/// The parts of an index.
fn parts(table: &TableDescriptor, index: &IndexDescriptor) -> Result<Vec<Part>> {
    let marked = index.kind != IndexKind::Primary;
    let place = |id: ColumnId| table.columns.iter().position(|column| column.id == id);
    let mut parts = Vec::with_capacity(index.parts.len());
    for part in &index.parts {
        let Some(column) = place(part.column) else {
            let what = format!("index `{}` has a column that the table has not", index.name);
            return Err(descriptor(table, &what));
        };
        let of = &table.columns[column];
        let part = Part::new(column, &of.ty, part.prefix_len, part.descending, marked)
            .map_err(|_| unsupported(table, &of.name, of.ty.kind))?;
        parts.push(part);
    }
    if parts.is_empty() || (index.id == IndexId::ROWS) != (index.kind == IndexKind::Primary) {
        return Err(descriptor(table, &format!("index `{}` is garbled", index.name)));
    }
    Ok(parts)
}

pub(super) fn internal(table: &TableDescriptor, what: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("{}: {what}", full_name(table)))
}
