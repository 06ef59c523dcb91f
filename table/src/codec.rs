//! Everything compiled that reading and writing a table needs.

use std::sync::Arc;

use firn_engine::{Error, ErrorKind, Result};

use crate::descriptor::{IndexId, TableDescriptor};
use crate::key::{INDEX_ID_LEN, IndexCodec};
use crate::row::RowCodec;

/// Keys and rows of a table. Made once for each version of its descriptor.
///
/// Values of a row are a slice with one [`Value`](firn_mysql_semantics::Value) for
/// each of [`TableDescriptor::columns`], in that order, as the columns hold them;
/// those of TIMESTAMP columns are in UTC.
#[derive(Debug)]
pub struct TableCodec {
    rows: RowCodec,
    row_index: IndexCodec,
    /// As [`TableDescriptor::indexes`], without the primary key.
    indexes: Box<[IndexCodec]>,
}

impl TableCodec {
    /// Compiles a descriptor.
    ///
    /// # Errors
    /// `BadRequest` naming the column if a type cannot be stored, or not in a key;
    /// `Corrupt` if the descriptor's parts do not fit together.
    pub fn new(table: Arc<TableDescriptor>) -> Result<Self> {
        let row_index = IndexCodec::rows(&table)?;
        let others = table.indexes.iter().filter(|index| index.id != IndexId::ROWS);
        let indexes: Result<_> =
            others.map(|index| IndexCodec::new(&table, index, &row_index)).collect();
        Ok(Self { indexes: indexes?, row_index, rows: RowCodec::new(table)? })
    }

    /// The descriptor.
    #[must_use]
    pub fn table(&self) -> &Arc<TableDescriptor> {
        self.rows.table()
    }

    /// Rows' values.
    #[must_use]
    pub fn rows(&self) -> &RowCodec {
        &self.rows
    }

    /// Rows' keys: the primary key. Of a table without one it has no parts.
    #[must_use]
    pub fn row_index(&self) -> &IndexCodec {
        &self.row_index
    }

    /// All other indexes, in the descriptor's order, those being built too.
    #[must_use]
    pub fn indexes(&self) -> &[IndexCodec] {
        &self.indexes
    }

    /// An index by its id; [`IndexId::ROWS`] is [`Self::row_index`].
    #[must_use]
    pub fn index(&self, id: IndexId) -> Option<&IndexCodec> {
        if id == IndexId::ROWS {
            return Some(&self.row_index);
        }
        self.indexes.iter().find(|index| index.id() == id)
    }
}

/// Appends the key of a row that has a number, in a table without a primary key.
pub fn row_number_key(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&IndexId::ROWS.0.to_be_bytes());
    out.extend_from_slice(&number.to_be_bytes());
}

/// The number that [`row_number_key`] put into a key.
///
/// # Errors
/// `Corrupt` if `key` is not such a one.
pub fn row_number(key: &[u8]) -> Result<u64> {
    match key.split_first_chunk::<INDEX_ID_LEN>() {
        Some((id, number)) if *id == IndexId::ROWS.0.to_be_bytes() => {
            number.try_into().ok().map(u64::from_be_bytes)
        }
        _ => None,
    }
    .ok_or_else(|| Error::new(ErrorKind::Corrupt, "what should be a row number's key is none"))
}
