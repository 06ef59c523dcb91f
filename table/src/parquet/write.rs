//! Writes a Parquet file, front to back, row group by row group.
//!
//! A row group lies in memory, encoded and compressed but for one page of each
//! column, until it is complete; then its bytes wait to be taken. So memory is
//! about two row groups, whatever the size of the file.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use firn_engine::{Error, ErrorKind, Result, SpaceId};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowSchemaConverter, encode_arrow_schema};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use xxhash_rust::xxh3::Xxh3;

use super::pages::{Finished, Pages};
use super::{CHUNKS_KEY, FORMAT, FORMAT_KEY, ONE_VERSION_KEY, SPACE_KEY, tail};

/// A row group ends when it has this many rows ...
pub(crate) const GROUP_ROWS: usize = 128 << 10;
/// ... or this many bytes before encoding.
const GROUP_BYTES: usize = 16 << 20;

/// Properties that all files share.
pub(crate) fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by(concat!("firn ", env!("CARGO_PKG_VERSION")).to_owned())
        // Ends of row groups are decided here.
        .set_max_row_group_row_count(None)
}

/// See the module.
pub(crate) struct ParquetWriter {
    file: SerializedFileWriter<Vec<u8>>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    pages: Pages,
    /// Writers of the open row group; none if none is open.
    columns: Vec<ArrowColumnWriter>,
    group_rows: usize,
    group_bytes: usize,
    /// Rows at which a group ends.
    group_rows_max: usize,
    /// Checksums of the column chunks, as hex digits.
    sums: String,
    /// Whether Arrow's own form of the schema goes into the file.
    keeps_arrow_schema: bool,
}

impl ParquetWriter {
    pub(crate) fn new(schema: SchemaRef, properties: WriterProperties) -> Result<Self> {
        let converter = ArrowSchemaConverter::new().schema_root("firn");
        let descriptor = converter.convert(&schema).map_err(encoding_failed)?;
        let root = descriptor.root_schema_ptr();
        let file = SerializedFileWriter::new(Vec::new(), root, Arc::new(properties))
            .map_err(encoding_failed)?;
        let pages = Pages::default();
        let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(&schema))
            .with_page_store_factory(Arc::new(pages.clone()));
        Ok(Self {
            file,
            factory,
            schema,
            pages,
            columns: Vec::new(),
            group_rows: 0,
            group_bytes: 0,
            group_rows_max: GROUP_ROWS,
            sums: String::new(),
            keeps_arrow_schema: false,
        })
    }

    /// Also keeps the schema as Arrow has it, so that types that Parquet lacks are
    /// read as they were written.
    pub(crate) fn new_with_arrow_schema(
        schema: SchemaRef,
        properties: WriterProperties,
    ) -> Result<Self> {
        Ok(Self { keeps_arrow_schema: true, ..Self::new(schema, properties)? })
    }

    /// The same with row groups of so many rows at most, or of one batch.
    pub(crate) fn with_group_rows(mut self, rows: usize) -> Self {
        self.group_rows_max = rows;
        self
    }

    /// Adds rows that are `bytes` large before encoding.
    pub(crate) fn write(&mut self, batch: &RecordBatch, bytes: usize) -> Result<()> {
        self.encode(batch).map_err(encoding_failed)?;
        self.group_rows += batch.num_rows();
        self.group_bytes += bytes;
        if self.group_rows >= self.group_rows_max || self.group_bytes >= GROUP_BYTES {
            self.end_group().map_err(encoding_failed)?;
        }
        Ok(())
    }

    fn encode(&mut self, batch: &RecordBatch) -> parquet::errors::Result<()> {
        if self.columns.is_empty() {
            let index = self.file.flushed_row_groups().len();
            self.columns = self.factory.create_column_writers(index)?;
        }
        let mut writers = self.columns.iter_mut();
        for (field, column) in self.schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, column)? {
                let writer = writers.next().expect("a writer for each leaf of the schema");
                writer.write(&leaf)?;
            }
        }
        Ok(())
    }

    fn end_group(&mut self) -> parquet::errors::Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let mut chunks = Vec::with_capacity(self.columns.len());
        for (index, column) in std::mem::take(&mut self.columns).into_iter().enumerate() {
            chunks.push(self.pages.take(index, column.close()?.close().clone())?);
        }
        // Growing to that would copy it, and take twice the memory for a while.
        let total = chunks.iter().map(Finished::len).sum();
        self.file.inner_mut().reserve_exact(total);
        let mut offset = self.file.bytes_written() as u64;
        let mut group = self.file.next_row_group()?;
        for chunk in chunks {
            let mut sum = Xxh3::with_seed(offset);
            chunk.pieces.iter().for_each(|piece| sum.update(piece));
            write!(self.sums, "{:016x}", sum.digest()).expect("a string takes all");
            offset += chunk.len() as u64;
            group.append_column(&chunk, chunk.close.clone())?;
        }
        group.close()?;
        assert_eq!(self.file.bytes_written() as u64, offset, "chunks follow each other");
        (self.group_rows, self.group_bytes) = (0, 0);
        self.file.flush()?;
        Ok(())
    }

    /// Takes the bytes of finished row groups.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.file.inner_mut())
    }

    /// Ends the file and gives its last bytes. `one_version`: no two rows have the same key.
    pub(crate) fn finish(mut self, space: Option<SpaceId>, one_version: bool) -> Result<Vec<u8>> {
        self.end_group().map_err(encoding_failed)?;
        self.file.flush().map_err(encoding_failed)?;
        let mut rest = self.take();
        let offset = self.file.bytes_written() as u64;
        let mut add = |key: &str, value: String| {
            self.file.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        };
        add(FORMAT_KEY, FORMAT.to_owned());
        if let Some(space) = space {
            add(SPACE_KEY, space.to_string());
        }
        if one_version {
            add(ONE_VERSION_KEY, "1".to_owned());
        }
        add(CHUNKS_KEY, self.sums);
        if self.keeps_arrow_schema {
            add(ARROW_SCHEMA_META_KEY, encode_arrow_schema(&self.schema));
        }
        self.file.append_key_value_metadata(tail::placeholder());
        let mut end = self.file.into_inner().map_err(encoding_failed)?;
        if !tail::seal(&mut end, offset) {
            return Err(Error::new(ErrorKind::Internal, "a tail without a place for its checksum"));
        }
        rest.append(&mut end);
        Ok(rest)
    }
}

/// An error of the encoder, for a caller.
pub(crate) fn encoding_failed(e: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::with_source(ErrorKind::Internal, "columns cannot be encoded", e)
}
