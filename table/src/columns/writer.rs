//! Writes the column copy of a table's rows.

use std::sync::Arc;

use firn_engine::column::ColumnWriter;
use firn_engine::key::ValueKind;
use firn_engine::{Error, ErrorKind, Result, Seq, SpaceId};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::{BatchBuilder, ROW_COLUMN, ROW_KEY_COLUMN};
use crate::SEQ_COLUMN;
use crate::descriptor::IndexId;
use crate::parquet::{ParquetWriter, properties};
use crate::row::RowCodec;

/// Rows are encoded in batches of this many ...
const BATCH_ROWS: usize = 4096;
/// ... or this many bytes of keys and values; one row alone may be larger.
const BATCH_BYTES: usize = 512 << 10;

/// Writes the copy of one file of a table's space. Entries of other indexes are not
/// rows, and left out.
pub(crate) struct TableWriter {
    file: ParquetWriter,
    batch: BatchBuilder,
    space: SpaceId,
    /// Key of the last row; empty before the first.
    last_key: Vec<u8>,
    /// No two rows have the same key.
    one_version: bool,
    /// Rows of a batch at most.
    batch_rows: usize,
    /// Bytes of keys and values in the batch.
    bytes: usize,
    /// Bytes that a row of an old layout may have more as columns.
    default_bytes: usize,
}

impl TableWriter {
    /// `group_rows`: rows of a row group at most.
    pub(crate) fn new(codec: &Arc<RowCodec>, group_rows: usize) -> Result<Self> {
        let batch = BatchBuilder::new(Arc::clone(codec))?;
        let schema = Arc::clone(batch.schema());
        let own = codec.table().columns.len();
        let file = ParquetWriter::new_with_arrow_schema(schema, table_properties(own))?
            .with_group_rows(group_rows);
        let defaults = codec.table().columns.iter().flat_map(|column| &column.instant_default);
        let default_bytes = defaults.map(Vec::len).sum();
        let space = codec.table().space();
        Ok(Self {
            file,
            batch,
            space,
            last_key: Vec::new(),
            one_version: true,
            batch_rows: BATCH_ROWS.min(group_rows),
            bytes: 0,
            default_bytes,
        })
    }

    fn end_batch(&mut self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = self.batch.finish()?;
        self.file.write(&batch, std::mem::take(&mut self.bytes))
    }
}

/// How the columns are encoded. `columns` are the table's own, in front.
fn table_properties(columns: usize) -> WriterProperties {
    let column = |name: &str| ColumnPath::from(name);
    let sorting = |at: usize, descending| SortingColumn {
        column_idx: (columns + at) as i32,
        descending,
        nulls_first: false,
    };
    properties()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        // Keys and commits hardly ever repeat; neighbours have much in common.
        .set_column_dictionary_enabled(column(ROW_KEY_COLUMN), false)
        .set_column_encoding(column(ROW_KEY_COLUMN), Encoding::DELTA_BYTE_ARRAY)
        .set_column_dictionary_enabled(column(ROW_COLUMN), false)
        .set_column_statistics_enabled(column(ROW_COLUMN), EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(column(SEQ_COLUMN), false)
        .set_column_encoding(column(SEQ_COLUMN), Encoding::DELTA_BINARY_PACKED)
        .set_sorting_columns(Some(vec![sorting(0, false), sorting(2, true)]))
        .build()
}

impl ColumnWriter for TableWriter {
    fn add(&mut self, key: &[u8], seq: Seq, kind: ValueKind, value: &[u8]) -> Result<bool> {
        let space = SpaceId::of(key);
        if space != Some(self.space) {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a column copy of {:?} was given a key of {space:?}", self.space),
            ));
        }
        let key = &key[SpaceId::LEN..];
        if !key.starts_with(&IndexId::ROWS.0.to_be_bytes()) {
            return Ok(false);
        }
        let bytes = key.len() + value.len() + self.default_bytes;
        // Before, not after: the offsets of a batch are 32 bits wide.
        if self.batch.len() >= self.batch_rows
            || (self.bytes > 0 && self.bytes + bytes > BATCH_BYTES)
        {
            self.end_batch()?;
        }
        self.batch.push(key, seq, (kind == ValueKind::Put).then_some(value))?;
        self.bytes += bytes;
        self.one_version &= self.last_key != key;
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        Ok(true)
    }

    fn take(&mut self) -> Vec<u8> {
        self.file.take()
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>> {
        self.end_batch()?;
        let begun = !self.last_key.is_empty();
        self.file.finish(begun.then_some(self.space), self.one_version)
    }
}
