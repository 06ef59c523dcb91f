//! A row that was found, where it lies.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::Cx;
use firn_table::Cell;
use firn_table::descriptor::IndexId;
use firn_table::key::EntryReader;
use firn_table::row::RowReader;

use super::Result;
use super::reader::index;
use super::view::engine_error;
use crate::table::OpenTable;
use crate::zone;

/// A row that was found, where it lies.
pub(crate) enum Found<'r> {
    /// In its table.
    Row(RowReader<'r>),
    /// In an entry of an index that has all that is read.
    Entry(EntryReader<'r>),
}

/// Looks at what lies in a row, or in an entry that has all that is read. The row's key is
/// left in `row_key`.
#[inline]
pub(crate) fn found<'r, E: From<SqlError>>(
    row_key: &mut Vec<u8>,
    key: &'r [u8],
    value: &'r [u8],
    table: &'r OpenTable,
    by: IndexId,
) -> Result<Found<'r>, E> {
    row_key.clear();
    if by == IndexId::ROWS {
        row_key.extend_from_slice(key);
        return Ok(Found::Row(table.codec.rows().read(value).map_err(engine_error)?));
    }
    let entry = index(table, by)?.read(key, value).map_err(engine_error)?;
    entry.row_key(row_key);
    Ok(Found::Entry(entry))
}

impl<'r> Found<'r> {
    /// A stored column; of an entry, one that the index has.
    ///
    /// # Errors
    /// The engine's, if the row is spoilt.
    #[inline]
    pub(crate) fn cell(&self, column: usize) -> Result<Cell<'r>> {
        match self {
            Self::Row(row) => row.cell(column),
            Self::Entry(entry) => entry.cell(column),
        }
        .map_err(engine_error)
    }

    /// Sets columns of a row as it is computed with.
    ///
    /// # Errors
    /// The engine's; those of computing virtual columns.
    pub(crate) fn fill(
        &self,
        table: &OpenTable,
        columns: &[usize],
        cx: &mut Cx<'_>,
        out: &mut [Value],
    ) -> Result<()> {
        let descriptor = table.codec.table();
        let is_row = matches!(self, Self::Row(_));
        for &column in columns {
            // An index has what a virtual column came to.
            if is_row && descriptor.columns[column].is_virtual() {
                continue;
            }
            let value = Value::from(self.cell(column)?);
            out[column] = zone::from_utc(value, &descriptor.columns[column].ty, cx);
        }
        // Virtual columns are computed from the others, which are there already.
        let computed = if is_row { table.virtual_columns() } else { &[] };
        for generated in computed {
            if columns.contains(&generated.column) {
                out[generated.column] = super::store::computed(table, generated, cx, out)?;
            }
        }
        Ok(())
    }
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
    let row = table.codec.rows().read(value).map_err(engine_error)?;
    Found::Row(row).fill(table, columns, cx, out)
}
