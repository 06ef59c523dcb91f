//! Reads index entries.

use firn_engine::{Error, ErrorKind, Result};
use firn_mysql_semantics::Value;

use super::INDEX_ID_LEN;
use super::index::{IndexCodec, ROW_NUMBER_LEN, Source, internal};
use super::part::Part;
use crate::Cell;
use crate::descriptor::IndexId;
use crate::row::{Body, full_name, take_varint};

/// An entry of an index. Columns are named by their places in
/// [`TableDescriptor::columns`](crate::descriptor::TableDescriptor::columns).
#[derive(Debug, Clone, Copy)]
pub struct EntryReader<'a> {
    codec: &'a IndexCodec,
    /// Behind the index's id.
    parts: &'a [u8],
    /// The row's key behind its own.
    row_key: &'a [u8],
    stored: Option<Body<'a>>,
}

impl<'a> EntryReader<'a> {
    pub(super) fn new(codec: &'a IndexCodec, key: &'a [u8], value: &'a [u8]) -> Result<Self> {
        Self::parse(codec, key, value).ok_or_else(|| {
            let (table, id) = (full_name(&codec.table), codec.id.0);
            Error::new(ErrorKind::Corrupt, format!("entry of index {id} of {table} is garbled"))
        })
    }

    fn parse(codec: &'a IndexCodec, key: &'a [u8], value: &'a [u8]) -> Option<Self> {
        let (id, parts) = key.split_first_chunk::<INDEX_ID_LEN>()?;
        if *id != codec.id.0.to_be_bytes() || codec.id == IndexId::ROWS {
            return None;
        }
        let mut rest = parts;
        for part in &codec.parts {
            rest = rest.get(part.len(rest)?..)?;
        }
        let (row_key, cells) = match rest {
            [] => {
                let (len, behind) = take_varint(value)?;
                behind.split_at_checked(len as usize)?
            }
            rest => (rest, value),
        };
        if row_key.is_empty() || (codec.row_parts.is_empty() && row_key.len() != ROW_NUMBER_LEN) {
            return None;
        }
        let stored = if codec.stored.places.is_empty() {
            if !cells.is_empty() {
                return None;
            }
            None
        } else {
            let (header, body) = take_varint(cells)?;
            if header > 1 {
                return None;
            }
            Some(codec.stored.body(body, header == 1)?)
        };
        Some(Self { codec, parts, row_key, stored })
    }

    /// Appends the key of the row to `out`.
    pub fn row_key(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&IndexId::ROWS.0.to_be_bytes());
        out.extend_from_slice(self.row_key);
    }

    /// A column that the index covers.
    ///
    /// # Errors
    /// `Corrupt` naming table and column if the bytes are not a value of its type;
    /// `Internal` if the index does not cover it.
    pub fn cell(&self, column: usize) -> Result<Cell<'a>> {
        let cell = match self.codec.sources.get(column) {
            Some(Source::Part(at)) => read(&self.codec.parts, *at, self.parts),
            Some(Source::RowPart(at)) => read(&self.codec.row_parts, *at, self.row_key),
            Some(Source::Stored(place)) => self.stored.and_then(|body| place.read(&body)),
            Some(Source::Nowhere) | None => {
                let what = format!("index {} does not cover column {column}", self.codec.id.0);
                return Err(internal(&self.codec.table, &what));
            }
        };
        cell.ok_or_else(|| {
            let (table, id) = (&self.codec.table, self.codec.id.0);
            let name = table.columns.get(column).map_or("?", |column| &column.name);
            let table = full_name(table);
            let what = format!("entry of index {id} of {table}: column `{name}` is garbled");
            Error::new(ErrorKind::Corrupt, what)
        })
    }

    /// A column that the index covers, as a value of its own.
    ///
    /// # Errors
    /// As [`Self::cell`].
    pub fn value(&self, column: usize) -> Result<Value> {
        self.cell(column).map(Value::from)
    }
}

/// The `at`-th of the parts that `bytes` begin with.
fn read<'a>(parts: &[Part], at: usize, bytes: &'a [u8]) -> Option<Cell<'a>> {
    let mut rest = bytes;
    for part in parts.get(..at)? {
        rest = rest.get(part.len(rest)?..)?;
    }
    let part = parts.get(at)?;
    part.read(rest.get(..part.len(rest)?)?)
}
