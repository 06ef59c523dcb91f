//! The engine's seam, implemented.

use std::sync::Arc;

use firn_engine::Result;
use firn_engine::column::{ColumnWriter, RowSchema, RowSchemas};

use crate::RowDescription;
use crate::columns::TableWriter;
use crate::key_value::KeyValueWriter;
use crate::row::RowCodec;

/// Knows every description that this program can write columns for.
#[derive(Debug, Default, Clone, Copy)]
pub struct Schemas;

impl RowSchemas for Schemas {
    fn open(&self, description: &[u8]) -> Result<Arc<dyn RowSchema>> {
        match RowDescription::decode(description)? {
            RowDescription::KeyValue => Ok(Arc::new(KeyValue)),
            RowDescription::Table(rows) => {
                Ok(Arc::new(Table(Arc::new(RowCodec::new(rows.table)?))))
            }
        }
    }
}

#[derive(Debug)]
struct KeyValue;

#[derive(Debug)]
struct Table(Arc<RowCodec>);

impl RowSchema for Table {
    fn writer(&self) -> Result<Box<dyn ColumnWriter>> {
        Ok(Box::new(TableWriter::new(&self.0)?))
    }
}

impl RowSchema for KeyValue {
    fn writer(&self) -> Result<Box<dyn ColumnWriter>> {
        Ok(Box::new(KeyValueWriter::new()?))
    }
}
