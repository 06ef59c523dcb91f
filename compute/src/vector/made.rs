//! Rows that were made before as batches: those of a query in FROM.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::streaming::PartitionStream;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::{SqlType, Value};

use super::columns::ColumnBuilder;

/// Rows of a batch.
const ROWS: usize = 8192;

/// Batches that are there.
#[derive(Debug)]
pub(super) struct MadeBatches {
    batches: Vec<RecordBatch>,
    schema: SchemaRef,
}

impl MadeBatches {
    /// The columns of rows that have these types, by their places in the rows.
    ///
    /// # Errors
    /// 1105 for values that the types do not have.
    pub(super) fn new(
        rows: &[Vec<Value>],
        columns: &[(usize, SqlType)],
        schema: &SchemaRef,
    ) -> Result<Self, SqlError> {
        let mut batches = Vec::with_capacity(rows.len().div_ceil(ROWS));
        for rows in rows.chunks(ROWS) {
            let mut arrays = Vec::with_capacity(columns.len());
            for (at, ty) in columns {
                let mut builder = ColumnBuilder::new(ty, rows.len())?;
                for row in rows {
                    builder.push_value(row.get(*at).cloned().unwrap_or_default())?;
                }
                arrays.push(builder.finish()?);
            }
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            let batch = RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options);
            batches.push(batch.map_err(|error| {
                SqlError::with_message(code::ER_UNKNOWN_ERROR, error.to_string())
            })?);
        }
        Ok(Self { batches, schema: Arc::clone(schema) })
    }
}

impl PartitionStream for MadeBatches {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches: Vec<_> = self.batches.iter().cloned().map(Ok).collect();
        let batches = futures::stream::iter(batches);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
