//! The engine's seam, implemented.

use std::sync::Arc;

use firn_engine::Result;
use firn_engine::column::{ColumnWriter, RowSchema, RowSchemas};

use crate::RowDescription;
use crate::columns::TableWriter;
use crate::key_value::KeyValueWriter;
use crate::parquet::GROUP_ROWS;
use crate::row::RowCodec;

/// Knows every description that this program can write columns for.
#[derive(Debug, Default, Clone, Copy)]
pub struct Schemas;

impl RowSchemas for Schemas {
    fn open(&self, description: &[u8]) -> Result<Arc<dyn RowSchema>> {
        open(description, GROUP_ROWS)
    }
}

/// The same, with copies of tables in row groups of so many rows: for tests of what happens at
/// their edges, which otherwise takes large files.
#[derive(Debug, Clone, Copy)]
pub struct SmallGroups(pub usize);

impl RowSchemas for SmallGroups {
    fn open(&self, description: &[u8]) -> Result<Arc<dyn RowSchema>> {
        open(description, self.0)
    }
}

fn open(description: &[u8], group_rows: usize) -> Result<Arc<dyn RowSchema>> {
    match RowDescription::decode(description)? {
        RowDescription::KeyValue => Ok(Arc::new(KeyValue)),
        RowDescription::Table(rows) => {
            Ok(Arc::new(Table { codec: Arc::new(RowCodec::new(rows.table)?), group_rows }))
        }
    }
}

#[derive(Debug)]
struct KeyValue;

#[derive(Debug)]
struct Table {
    codec: Arc<RowCodec>,
    /// Rows of a row group at most.
    group_rows: usize,
}

impl RowSchema for Table {
    fn writer(&self) -> Result<Box<dyn ColumnWriter>> {
        Ok(Box::new(TableWriter::new(&self.codec, self.group_rows)?))
    }
}

impl RowSchema for KeyValue {
    fn writer(&self) -> Result<Box<dyn ColumnWriter>> {
        Ok(Box::new(KeyValueWriter::new()?))
    }
}
