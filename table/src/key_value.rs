//! Columns of plain key-value data.

use std::sync::{Arc, LazyLock};

use arrow_array::builder::{ArrayBuilder, BinaryBuilder, BooleanBuilder, UInt64Builder};
use arrow_array::{ArrayRef, BinaryArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use firn_engine::column::ColumnWriter;
use firn_engine::key::ValueKind;
use firn_engine::{Error, ErrorKind, Result, Seq, SpaceId};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::parquet::{ParquetWriter, encoding_failed, properties};
use crate::{DELETED_COLUMN, KEY_COLUMN, SEQ_COLUMN, VALUE_COLUMN};

/// Rows are encoded in batches of this many ...
const BATCH_ROWS: usize = 4096;
/// ... or this many bytes of keys and values; one row alone may be larger.
const BATCH_BYTES: usize = 512 << 10;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new(KEY_COLUMN, DataType::Binary, false),
        Field::new(VALUE_COLUMN, DataType::Binary, false),
        Field::new(SEQ_COLUMN, DataType::UInt64, false),
        Field::new(DELETED_COLUMN, DataType::Boolean, false),
    ]))
});

/// How the columns are encoded. Keys and values hardly ever repeat, so a
/// dictionary would only be built to be given up. Smallest and largest values
/// help nobody who does not know what values mean. Zstandard at level 1 is as
/// fast as LZ4 both ways here, and half the size where LZ4 finds no repeats.
fn key_value_properties() -> WriterProperties {
    let column = |name: &str| ColumnPath::from(name);
    properties()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_column_encoding(column(KEY_COLUMN), Encoding::PLAIN)
        .set_column_encoding(column(VALUE_COLUMN), Encoding::PLAIN)
        .set_column_encoding(column(SEQ_COLUMN), Encoding::DELTA_BINARY_PACKED)
        .set_column_statistics_enabled(column(VALUE_COLUMN), EnabledStatistics::None)
        .set_sorting_columns(Some(vec![
            SortingColumn { column_idx: 0, descending: false, nulls_first: false },
            SortingColumn { column_idx: 2, descending: true, nulls_first: false },
        ]))
        .build()
}

/// Writes the copy of one file of one space.
pub(crate) struct KeyValueWriter {
    file: ParquetWriter,
    space: Option<SpaceId>,
    keys: BinaryBuilder,
    values: BinaryBuilder,
    seqs: UInt64Builder,
    deleted: BooleanBuilder,
    /// Bytes of keys and values in the builders.
    bytes: usize,
    rows: usize,
}

impl KeyValueWriter {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            file: ParquetWriter::new(Arc::clone(&SCHEMA), key_value_properties())?,
            space: None,
            keys: BinaryBuilder::new(),
            values: BinaryBuilder::new(),
            seqs: UInt64Builder::new(),
            deleted: BooleanBuilder::new(),
            bytes: 0,
            rows: 0,
        })
    }

    fn end_batch(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(finish_and_renew(&mut self.keys)),
            Arc::new(finish_and_renew(&mut self.values)),
            Arc::new(self.seqs.finish()),
            Arc::new(self.deleted.finish()),
        ];
        let batch = RecordBatch::try_new(Arc::clone(&SCHEMA), columns).map_err(encoding_failed)?;
        self.rows = 0;
        self.file.write(&batch, std::mem::take(&mut self.bytes))
    }
}

/// The next batch will be about as large: growing to that would copy it.
fn finish_and_renew(builder: &mut BinaryBuilder) -> BinaryArray {
    let bytes = builder.values_slice().len();
    let fresh = BinaryBuilder::with_capacity(builder.len(), (bytes + bytes / 8).min(BATCH_BYTES));
    std::mem::replace(builder, fresh).finish()
}

impl ColumnWriter for KeyValueWriter {
    fn add(&mut self, key: &[u8], seq: Seq, kind: ValueKind, value: &[u8]) -> Result<bool> {
        let space = SpaceId::of(key);
        if self.space.is_none() {
            self.space = space;
        }
        if space.is_none() || space != self.space {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a column copy of {:?} was given a key of {space:?}", self.space),
            ));
        }
        let key = &key[SpaceId::LEN..];
        let bytes = key.len() + value.len();
        // Before, not after: the offsets of a batch are 32 bits wide.
        if self.rows >= BATCH_ROWS || (self.rows > 0 && self.bytes + bytes > BATCH_BYTES) {
            self.end_batch()?;
        }
        self.keys.append_value(key);
        self.values.append_value(value);
        self.seqs.append_value(seq.0);
        self.deleted.append_value(kind == ValueKind::Delete);
        self.bytes += bytes;
        self.rows += 1;
        Ok(true)
    }

    fn take(&mut self) -> Vec<u8> {
        self.file.take()
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>> {
        self.end_batch()?;
        self.file.finish(self.space, false)
    }
}

#[cfg(test)]
mod tests;
