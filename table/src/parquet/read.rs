//! Reads a column copy, row group by row group.
//!
//! A reader needs the tail first: one read if it is short, two if not. Nothing
//! is decoded before its checksum was found right.

use std::io::Read;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use bytes::{Buf, Bytes};
use firn_engine::object::{BlockSource, ByteRange, ObjectKind};
use firn_engine::{Context, Error, ErrorKind, ObjectId, Result, Seq, SpaceId};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{CHUNKS_KEY, FORMAT, FORMAT_KEY, ONE_VERSION_KEY, SPACE_KEY, tail};
use crate::columns::{FIELD_ID, ROW_COLUMN, ROW_KEY_COLUMN};
use crate::descriptor::ColumnId;
use crate::{DELETED_COLUMN, SEQ_COLUMN};

/// Read at first; the tails of most files are shorter.
const FIRST_READ_BYTES: u64 = 64 << 10;

/// Longest tail.
const TAIL_BYTES_MAX: u64 = 64 << 20;

/// Longest row group, as stored: one of the usual size, and a value of the
/// largest that the engine takes.
const GROUP_BYTES_MAX: u64 = 256 << 20;

/// Rows of a decoded batch at most.
const BATCH_ROWS: usize = 1024;

/// Length of the file's last part: metadata length and magic number.
const TRAILER_LEN: usize = 8;

/// A column copy whose tail was read and found right.
#[derive(Debug)]
pub struct ColumnFile {
    source: Arc<dyn BlockSource>,
    id: ObjectId,
    bytes: u64,
    tail_bytes: u64,
    metadata: ArrowReaderMetadata,
    /// The same with strings as views.
    views: ArrowReaderMetadata,
    /// Checksums of the column chunks, row group by row group.
    sums: Vec<u64>,
    space: Option<SpaceId>,
    one_version: bool,
}

impl ColumnFile {
    /// Reads the tail of the column copy `id`, which is `bytes` long.
    ///
    /// # Errors
    /// `Corrupt` if it is not as it was written; `BadRequest` if it is of a
    /// newer form than this program knows; `Unavailable` if it cannot be read.
    pub async fn open(source: Arc<dyn BlockSource>, id: ObjectId, bytes: u64) -> Result<Self> {
        Self::read_tail(source, id, bytes).await.context(|| format!("columns of {id:?}"))
    }

    async fn read_tail(source: Arc<dyn BlockSource>, id: ObjectId, bytes: u64) -> Result<Self> {
        let first = bytes.min(FIRST_READ_BYTES);
        let mut end = read(&*source, id, bytes - first, first).await?;
        let tail_bytes = tail::len(&end).ok_or_else(|| corrupt("its tail is not marked"))?;
        if tail_bytes > TAIL_BYTES_MAX.min(bytes) {
            return Err(corrupt("the length of its tail is impossible"));
        }
        let offset = bytes - tail_bytes;
        if tail_bytes > first {
            end = read(&*source, id, offset, tail_bytes).await?;
        } else {
            end = end.slice((first - tail_bytes) as usize..);
        }
        if !tail::is_sealed(&end, offset) {
            return Err(corrupt("the checksum of its tail does not match"));
        }
        let parsed = parse_tail(&end).map_err(decoding_failed)?;
        let known = parsed.file_metadata().key_value_metadata();
        let value = |key: &str| {
            known.and_then(|list| list.iter().find(|kv| kv.key == key)?.value.as_deref())
        };
        match value(FORMAT_KEY) {
            Some(FORMAT) => {}
            other => {
                let why = format!("its form is {other:?}, and this program knows {FORMAT} only");
                return Err(Error::new(ErrorKind::BadRequest, why));
            }
        }
        let sums = value(CHUNKS_KEY).and_then(parse_sums);
        let sums = sums.ok_or_else(|| corrupt("its list of checksums is garbled"))?;
        let chunks: usize = parsed.row_groups().iter().map(RowGroupMetaData::num_columns).sum();
        if sums.len() != chunks {
            return Err(corrupt("it has not one checksum for each column chunk"));
        }
        let space = match value(SPACE_KEY).map(str::parse) {
            None => None,
            Some(Ok(number)) => Some(SpaceId(number)),
            Some(Err(_)) => return Err(corrupt("its space is garbled")),
        };
        let one_version = value(ONE_VERSION_KEY) == Some("1");
        let parsed = Arc::new(parsed);
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(&parsed), ArrowReaderOptions::new())
            .map_err(decoding_failed)?;
        let options = ArrowReaderOptions::new().with_schema(with_views(metadata.schema()));
        let views = ArrowReaderMetadata::try_new(parsed, options).map_err(decoding_failed)?;
        Ok(Self { source, id, bytes, tail_bytes, metadata, views, sums, space, one_version })
    }

    /// The columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// The space of all its keys; `None` if it has no row.
    #[must_use]
    pub fn space(&self) -> Option<SpaceId> {
        self.space
    }

    /// No two rows have the same key, as far as whoever wrote it has looked.
    #[must_use]
    pub fn has_one_version(&self) -> bool {
        self.one_version
    }

    /// The place of a column of the table; `None` if the copy does not have it.
    #[must_use]
    pub fn place_of(&self, id: ColumnId) -> Option<usize> {
        let wanted = id.0.to_string();
        let fields = self.metadata.schema().fields();
        fields.iter().position(|field| field.metadata().get(FIELD_ID) == Some(&wanted))
    }

    /// Whether all rows of a row group are there as columns alone, and none is a deletion or
    /// newer than `newest`; `false` if that is not known.
    ///
    /// # Panics
    /// If there is no such row group.
    #[must_use]
    pub fn is_plain(&self, index: usize, newest: Seq) -> bool {
        let group = self.metadata.metadata().row_group(index);
        let statistics = |name: &str| {
            let (at, _) = self.metadata.schema().column_with_name(name)?;
            group.column(at).statistics()
        };
        let rows = group.num_rows().unsigned_abs();
        let no_row = statistics(ROW_COLUMN)
            .and_then(Statistics::null_count_opt)
            .is_some_and(|count| count == rows);
        let none_deleted = match statistics(DELETED_COLUMN) {
            Some(Statistics::Boolean(deleted)) => deleted.max_opt() == Some(&false),
            _ => false,
        };
        let none_newer = match statistics(SEQ_COLUMN) {
            Some(Statistics::Int64(seqs)) => seqs
                .max_opt()
                .is_some_and(|max| u64::try_from(*max).is_ok_and(|max| max <= newest.0)),
            _ => false,
        };
        no_row && none_deleted && none_newer
    }

    /// The last key of a row group, or something behind it; `None` if that is not known.
    ///
    /// # Panics
    /// If there is no such row group.
    #[must_use]
    pub fn last_key(&self, index: usize) -> Option<&[u8]> {
        let (at, _) = self.metadata.schema().column_with_name(ROW_KEY_COLUMN)?;
        let group = self.metadata.metadata().row_group(index);
        group.column(at).statistics()?.max_bytes_opt()
    }

    /// The first key of a row group, or something before it; `None` if that is not known.
    ///
    /// # Panics
    /// If there is no such row group.
    #[must_use]
    pub fn first_key(&self, index: usize) -> Option<&[u8]> {
        let (at, _) = self.metadata.schema().column_with_name(ROW_KEY_COLUMN)?;
        let group = self.metadata.metadata().row_group(index);
        group.column(at).statistics()?.min_bytes_opt()
    }

    /// Rows of a row group.
    ///
    /// # Panics
    /// If there is no such row group.
    #[must_use]
    pub fn rows_of(&self, index: usize) -> u64 {
        self.metadata.metadata().row_group(index).num_rows().unsigned_abs()
    }

    /// Number of row groups.
    #[must_use]
    pub fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Rows of all row groups.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.metadata.metadata().file_metadata().num_rows().unsigned_abs()
    }

    /// Bytes behind the last row group.
    #[must_use]
    pub fn tail_bytes(&self) -> u64 {
        self.tail_bytes
    }

    /// The metadata that every Parquet file has.
    #[must_use]
    pub fn parquet_metadata(&self) -> &Arc<ParquetMetaData> {
        self.metadata.metadata()
    }

    /// Reads the row group `index` as a whole, and checks what was read.
    ///
    /// # Errors
    /// `Corrupt` if it is not as it was written; `Unavailable` if it cannot be read.
    ///
    /// # Panics
    /// If there is no such row group.
    pub async fn row_group(&self, index: usize) -> Result<RowGroup> {
        let all: Vec<usize> = (0..self.schema().fields().len()).collect();
        let read = self.read_group(index, &all, &self.metadata, BATCH_ROWS).await;
        read.context(|| format!("columns of {:?}: row group {index}", self.id))
    }

    /// Reads some columns of a row group, by their places, ascending, and checks what was
    /// read. Batches have at most `batch_rows` rows; strings are views (Utf8View, BinaryView).
    ///
    /// # Errors
    /// As [`Self::row_group`].
    ///
    /// # Panics
    /// If there is no such row group or column.
    pub async fn columns(
        &self,
        index: usize,
        columns: &[usize],
        batch_rows: usize,
    ) -> Result<RowGroup> {
        let read = self.read_group(index, columns, &self.views, batch_rows).await;
        read.context(|| format!("columns of {:?}: row group {index}", self.id))
    }

    async fn read_group(
        &self,
        index: usize,
        columns: &[usize],
        metadata: &ArrowReaderMetadata,
        batch_rows: usize,
    ) -> Result<RowGroup> {
        let groups = self.metadata.metadata().row_groups();
        let first_sum: usize = groups[..index].iter().map(RowGroupMetaData::num_columns).sum();
        let group = &groups[index];
        let mut ranges = Vec::with_capacity(columns.len());
        let mut total = 0u64;
        for column in columns {
            let (offset, len) = group.column(*column).byte_range();
            total = total.saturating_add(len);
            if offset.checked_add(len).is_none_or(|end| end > self.bytes) {
                return Err(corrupt("a column chunk goes beyond the file"));
            }
            ranges.push(ByteRange { offset, len });
        }
        if total > GROUP_BYTES_MAX {
            return Err(corrupt("its size is impossible"));
        }
        let read = self.source.read(self.id, ObjectKind::Column, &ranges).await?;
        let mut chunks = Vec::with_capacity(ranges.len());
        for (column, (range, bytes)) in columns.iter().zip(ranges.iter().zip(read)) {
            if bytes.len() as u64 != range.len
                || xxh3_64_with_seed(&bytes, range.offset) != self.sums[first_sum + column]
            {
                return Err(corrupt(&format!(
                    "the checksum of the column chunk at {} does not match",
                    range.offset
                )));
            }
            chunks.push((range.offset, bytes));
        }
        let schema = metadata.parquet_schema();
        // None of the columns is nested: each is a leaf.
        let mask = ProjectionMask::leaves(schema, columns.iter().copied());
        let read = Chunks { file_bytes: self.bytes, chunks };
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(read, metadata.clone())
            .with_projection(mask)
            .with_row_groups(vec![index])
            .with_batch_size(batch_rows)
            .build()
            .map_err(decoding_failed)?;
        Ok(RowGroup { reader, stored_bytes: total })
    }
}

/// The rows of a row group, in batches.
pub struct RowGroup {
    reader: ParquetRecordBatchReader,
    stored_bytes: u64,
}

impl std::fmt::Debug for RowGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowGroup({} bytes)", self.stored_bytes)
    }
}

impl RowGroup {
    /// Its size as stored.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }
}

impl Iterator for RowGroup {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.reader.next()?.map_err(decoding_failed))
    }
}

/// The schema with strings as views.
fn with_views(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let data_type = match field.data_type() {
            DataType::Utf8 => DataType::Utf8View,
            DataType::Binary => DataType::BinaryView,
            other => other.clone(),
        };
        Arc::new(Field::clone(field).with_data_type(data_type))
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Fields>(), schema.metadata().clone()))
}

async fn read(source: &dyn BlockSource, id: ObjectId, offset: u64, len: u64) -> Result<Bytes> {
    let read = source.read(id, ObjectKind::Column, &[ByteRange { offset, len }]).await?;
    match <[Bytes; 1]>::try_from(read) {
        Ok([bytes]) if bytes.len() as u64 == len => Ok(bytes),
        _ => Err(corrupt("it was cut short")),
    }
}

fn parse_tail(tail: &[u8]) -> Result<ParquetMetaData, ParquetError> {
    let short = || ParquetError::General("the tail is cut short".into());
    let (body, trailer) = tail.split_last_chunk::<TRAILER_LEN>().ok_or_else(short)?;
    let len = u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]) as usize;
    let start = body.len().checked_sub(len).ok_or_else(short)?;
    ParquetMetaDataReader::decode_metadata(&body[start..])
}

fn parse_sums(text: &str) -> Option<Vec<u64>> {
    let sum = |digits: &[u8]| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let (sums, rest) = text.as_bytes().as_chunks::<16>();
    if !rest.is_empty() {
        return None;
    }
    sums.iter().map(|digits| sum(digits)).collect()
}

fn corrupt(why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, why)
}

/// What was checked cannot be decoded: written wrong, or by another program.
fn decoding_failed(e: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::with_source(ErrorKind::Corrupt, "it cannot be decoded", e)
}

/// The column chunks of a row group, as if they were the file.
struct Chunks {
    file_bytes: u64,
    /// Offset and bytes of each.
    chunks: Vec<(u64, Bytes)>,
}

impl Chunks {
    /// What is known from `offset` on.
    fn from(&self, offset: u64) -> Result<Bytes, ParquetError> {
        let inside = self.chunks.iter().find_map(|(start, bytes)| {
            let at = offset.checked_sub(*start).filter(|at| *at < bytes.len() as u64)?;
            Some(bytes.slice(at as usize..))
        });
        inside.ok_or_else(|| ParquetError::General(format!("nothing was read at {offset}")))
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.file_bytes
    }
}

impl ChunkReader for Chunks {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(Box::new(self.from(start)?.reader()))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(ParquetError::General(format!("{length} bytes at {start} were not read")));
        }
        Ok(bytes.slice(..length))
    }
}
