//! The engine's seam, implemented.

use std::sync::Arc;

use firn_engine::Result;
use firn_engine::column::{ColumnWriter, RowSchema, RowSchemas};

use crate::RowDescription;
use crate::key_value::KeyValueWriter;

/// Knows every description that this program can write columns for.
#[derive(Debug, Default, Clone, Copy)]
pub struct Schemas;

impl RowSchemas for Schemas {
    fn open(&self, description: &[u8]) -> Result<Arc<dyn RowSchema>> {
        match RowDescription::decode(description)? {
            RowDescription::KeyValue => Ok(Arc::new(KeyValue)),
        }
    }
}

#[derive(Debug)]
struct KeyValue;

impl RowSchema for KeyValue {
    fn writer(&self) -> Result<Box<dyn ColumnWriter>> {
        Ok(Box::new(KeyValueWriter::new()?))
    }
}
