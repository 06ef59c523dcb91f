//! Rows.
//!
//! ```text
//! row = varint (layout * 2 + wide), bitmap, fixed cells, ends, variable cells
//! ```
//!
//! - *layout*: the row's place in [`TableDescriptor::layouts`].
//! - *bitmap*: a bit, set for NULL, of each cell that may be NULL, the first cell's
//!   lowest in the first byte.
//! - *fixed cells*: the types of a fixed width (the table is in `scalar.rs`), NULL
//!   as well: so each one is at the same offset in all rows of a layout.
//! - *ends*: where each variable cell ends, counted from where the first one
//!   starts: u16 LE, or u32 LE if *wide*.
//! - *variable cells*: strings in their column's character set, JSON in its binary
//!   form, and DECIMAL of more than 38 digits in `Decimal`'s compact form.
//!
//! A row holds all stored columns, those of the primary key too: reading a row
//! never needs its key, and what that costs is mostly taken back by compression.
//!
//! Rows keep the layout that they were written with. Read by today's descriptor,
//! a column that the layout has not is its [`ColumnDescriptor::instant_default`];
//! a column that was dropped is not looked at; a column whose type has changed
//! since ([`reads_as`]) is read as the new type.

mod change;
mod layout;
mod reader;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use firn_engine::{Error, ErrorKind, Result};
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use crate::Cell;
use crate::descriptor::{ColumnDescriptor, RowLayout, TableDescriptor};
pub use change::reads_as;
pub(crate) use layout::{Body, Form, Layout, Place, WriteError, put_varint, take_varint};
pub use reader::RowReader;

/// Writes and reads the rows of a table, compiled from its descriptor.
#[derive(Debug)]
pub struct RowCodec {
    table: Arc<TableDescriptor>,
    layouts: Box<[Known]>,
    /// Places in [`TableDescriptor::columns`] of the cells that are written.
    written: Box<[usize]>,
}

/// A layout, and where it has the columns of today.
#[derive(Debug)]
struct Known {
    layout: Layout,
    /// By place in [`TableDescriptor::columns`].
    columns: Box<[Source]>,
}

/// Where a column's value comes from.
#[derive(Debug)]
enum Source {
    Cell(Place),
    /// A DECIMAL that has more decimals now.
    Rescaled(Place, u8),
    /// Rows of this layout have no cell for it.
    Missing(Cell<'static>),
    /// It is not stored.
    Virtual,
}

impl RowCodec {
    /// Compiles a table's layouts.
    ///
    /// # Errors
    /// `BadRequest` naming the column if its type cannot be stored, `Corrupt` if the
    /// descriptor's parts do not fit together.
    pub fn new(table: Arc<TableDescriptor>) -> Result<Self> {
        let layouts: Result<Box<[Known]>> =
            table.layouts.iter().map(|layout| Known::new(&table, layout)).collect();
        let layouts = layouts?;
        let Some(newest) = table.layouts.last() else {
            return Err(descriptor(&table, "it has no layout"));
        };
        let written: Option<Box<[usize]>> = newest
            .cells
            .iter()
            .map(|cell| table.columns.iter().position(|column| column.id == cell.column))
            .collect();
        let Some(written) = written else {
            return Err(descriptor(&table, "its last layout has a column that it has not"));
        };
        let stored = table.columns.iter().filter(|column| column.is_stored()).count();
        if stored != written.len() {
            return Err(descriptor(&table, "its last layout has not all stored columns"));
        }
        Ok(Self { table, layouts, written })
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Arc<TableDescriptor> {
        &self.table
    }

    /// Appends a row to `out`. `values` has the values of all columns, in the order
    /// of [`TableDescriptor::columns`]; virtual ones are not looked at. Values are
    /// as their columns hold them (`firn_mysql_semantics::convert::store`), those of
    /// TIMESTAMP columns in UTC.
    ///
    /// # Errors
    /// `Internal` naming the column if it does not hold its value; `BadRequest` if
    /// the row is longer than the engine takes. What `out` has more is then garbage.
    pub fn write(&self, values: &[Value], out: &mut Vec<u8>) -> Result<()> {
        let (Some(newest), true) = (self.layouts.last(), values.len() == self.table.columns.len())
        else {
            let (has, given) = (self.table.columns.len(), values.len());
            let what = format!("a row of {given} values for a table of {has} columns");
            return Err(Error::new(ErrorKind::Internal, what));
        };
        let number = self.layouts.len() as u64 - 1;
        let value = |cell: usize| &values[self.written[cell]];
        newest.layout.write(number, value, out).map_err(|why| match why {
            WriteError::Type(cell) => wrong_value(&self.table, self.written[cell]),
            WriteError::TooLong => Error::new(
                ErrorKind::BadRequest,
                format!("a row of {} is too long", full_name(&self.table)),
            ),
        })
    }

    /// Takes a row's value apart.
    ///
    /// # Errors
    /// `Corrupt` if it is not as long as it says, or of a layout that the table has not.
    #[inline]
    pub fn read<'a>(&'a self, row: &'a [u8]) -> Result<RowReader<'a>> {
        RowReader::new(self, row)
    }
}

impl Known {
    fn new(table: &TableDescriptor, row: &RowLayout) -> Result<Self> {
        let cells = row.cells.iter().map(|cell| (cell.ty, cell.ty.nullable));
        let layout = Layout::new(cells).map_err(|at| {
            let id = row.cells[at].column;
            let name = table.column(id).map_or("(dropped)", |column| &column.name);
            unsupported(table, name, row.cells[at].ty.kind)
        })?;
        let source = |column: &ColumnDescriptor| {
            if column.is_virtual() {
                return Ok(Source::Virtual);
            }
            match row.cells.iter().position(|cell| cell.column == column.id) {
                Some(at) => {
                    let (old, new) = (&row.cells[at].ty, &column.ty);
                    if !reads_as(old, new) {
                        let what = format!("column `{}` cannot be read as its type", column.name);
                        return Err(descriptor(table, &what));
                    }
                    let rescale = old.kind == TypeKind::Decimal && old.decimals != new.decimals;
                    let place = layout.places[at];
                    Ok(if rescale {
                        Source::Rescaled(place, new.decimals)
                    } else {
                        Source::Cell(place)
                    })
                }
                None => instant_default(table, column).map(Source::Missing),
            }
        };
        let columns: Result<_> = table.columns.iter().map(source).collect();
        Ok(Self { columns: columns?, layout })
    }
}

/// What rows without a cell for the column have.
fn instant_default(table: &TableDescriptor, column: &ColumnDescriptor) -> Result<Cell<'static>> {
    let Some(bytes) = &column.instant_default else { return Ok(Cell::Null) };
    match decode_cell(&column.ty, bytes) {
        Some(cell) => Ok(cell.into_owned()),
        None => {
            let what = format!("the instant default of column `{}` is garbled", column.name);
            Err(descriptor(table, &what))
        }
    }
}

/// A value that is not NULL as a cell of its own, as
/// [`ColumnDescriptor::instant_default`] holds it; `None` if `ty` does not hold it.
#[must_use]
pub fn encode_cell(ty: &SqlType, value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    Form::of(ty)?.push(value, &mut out)?;
    Some(out)
}

/// Reads what [`encode_cell`] wrote; `None` if it is something else.
#[must_use]
pub fn decode_cell<'a>(ty: &SqlType, bytes: &'a [u8]) -> Option<Cell<'a>> {
    Form::of(ty)?.read(bytes)
}

/// As in messages: "`schema`.`table`".
pub(crate) fn full_name(table: &TableDescriptor) -> String {
    format!("`{}`.`{}`", table.schema, table.name)
}

pub(crate) fn descriptor(table: &TableDescriptor, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("descriptor of {}: {what}", full_name(table)))
}

pub(crate) fn unsupported(table: &TableDescriptor, column: &str, kind: TypeKind) -> Error {
    let what = format!("{}: column `{column}` of {kind:?} is not supported", full_name(table));
    Error::new(ErrorKind::BadRequest, what)
}

/// A caller's mistake: values are to be converted before they come here.
#[cold]
pub(crate) fn wrong_value(table: &TableDescriptor, column: usize) -> Error {
    let name = table.columns.get(column).map_or("?", |column| &column.name);
    let what = format!("{}: column `{name}` does not hold the value given", full_name(table));
    Error::new(ErrorKind::Internal, what)
}
