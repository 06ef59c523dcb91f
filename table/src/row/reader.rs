//! Reads single columns of a row.

use firn_engine::{Error, ErrorKind, Result};
use firn_mysql_semantics::Value;
use firn_mysql_semantics::decimal::{Decimal, Rounding};

use super::{Body, Known, Place, RowCodec, Source, full_name, take_varint};
use crate::Cell;

/// A row. Columns are named by their places in
/// [`TableDescriptor::columns`](crate::descriptor::TableDescriptor::columns); each is
/// read by itself, from an offset that is known beforehand.
#[derive(Debug, Clone, Copy)]
pub struct RowReader<'a> {
    codec: &'a RowCodec,
    known: &'a Known,
    body: Body<'a>,
}

impl<'a> RowReader<'a> {
    #[inline]
    pub(super) fn new(codec: &'a RowCodec, row: &'a [u8]) -> Result<Self> {
        let Some((header, body)) = take_varint(row) else {
            return Err(corrupt(codec, "its header is cut short"));
        };
        let Some(known) = codec.layouts.get((header >> 1) as usize) else {
            return Err(corrupt(codec, &format!("it has no layout {}", header >> 1)));
        };
        match known.layout.body(body, header & 1 != 0) {
            Some(body) => Ok(Self { codec, known, body }),
            None => Err(corrupt(codec, "its length is not that of its cells")),
        }
    }

    /// A column, its bytes where they are.
    ///
    /// # Errors
    /// `Corrupt` naming table and column if the bytes are not a value of its type;
    /// `Internal` if the table has no such column, or it is virtual.
    #[inline]
    pub fn cell(&self, column: usize) -> Result<Cell<'a>> {
        let cell = match self.known.columns.get(column) {
            Some(Source::Cell(place)) => place.read(&self.body),
            Some(Source::Rescaled(place, scale)) => rescaled(place, &self.body, *scale),
            Some(Source::Missing(cell)) => Some(borrowed(cell)),
            Some(Source::Virtual) | None => return Err(self.not_stored(column)),
        };
        cell.ok_or_else(|| self.garbled(column))
    }

    /// A column as a value of its own.
    ///
    /// # Errors
    /// As [`Self::cell`].
    #[inline]
    pub fn value(&self, column: usize) -> Result<Value> {
        self.cell(column).map(Value::from)
    }

    /// Whether a column is NULL.
    ///
    /// # Errors
    /// As [`Self::cell`].
    #[inline]
    pub fn is_null(&self, column: usize) -> Result<bool> {
        match self.known.columns.get(column) {
            Some(Source::Cell(place) | Source::Rescaled(place, _)) => {
                place.is_null(&self.body).ok_or_else(|| self.garbled(column))
            }
            Some(Source::Missing(cell)) => Ok(cell.is_null()),
            Some(Source::Virtual) | None => Err(self.not_stored(column)),
        }
    }

    /// All stored columns into `values`, by their places; virtual ones become NULL.
    ///
    /// # Errors
    /// As [`Self::cell`].
    pub fn values(&self, values: &mut Vec<Value>) -> Result<()> {
        values.clear();
        values.reserve(self.known.columns.len());
        for (column, source) in self.known.columns.iter().enumerate() {
            values.push(match source {
                Source::Virtual => Value::Null,
                _ => self.value(column)?,
            });
        }
        Ok(())
    }

    #[cold]
    fn garbled(&self, column: usize) -> Error {
        let name = self.codec.table.columns.get(column).map_or("?", |column| &column.name);
        corrupt(self.codec, &format!("column `{name}` is no value of its type"))
    }

    #[cold]
    fn not_stored(&self, column: usize) -> Error {
        let table = full_name(&self.codec.table);
        Error::new(ErrorKind::Internal, format!("{table}: rows have no column {column}"))
    }
}

fn borrowed<'a>(cell: &'a Cell<'static>) -> Cell<'a> {
    match cell {
        Cell::Bytes(bytes) => Cell::Bytes((&**bytes).into()),
        other => other.clone(),
    }
}

fn rescaled<'a>(place: &Place, body: &Body<'a>, scale: u8) -> Option<Cell<'a>> {
    match place.read(body)? {
        Cell::Decimal(number) => {
            let number: Decimal = number.round(i32::from(scale), Rounding::Truncate)?;
            Some(Cell::Decimal(number))
        }
        other => Some(other),
    }
}

#[cold]
fn corrupt(codec: &RowCodec, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("row of {}: {what}", full_name(&codec.table)))
}
