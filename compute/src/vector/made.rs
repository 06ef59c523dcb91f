//! Rows that were made before as batches: those of a query in FROM.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::streaming::PartitionStream;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::vector::plan_error;
use firn_mysql_semantics::{SqlType, Value};

use super::columns::ColumnBuilder;
use crate::execute::{Cursor, MadeRows};

/// Rows of a batch.
const ROWS: usize = 8192;

/// Rows as batches.
#[derive(Debug)]
pub(super) struct MadeBatches {
    from: From,
    schema: SchemaRef,
}

#[derive(Debug)]
enum From {
    Batches(Vec<RecordBatch>),
    /// Rows that are in a file, with the columns that are read of them.
    Rows(MadeRows, Arc<[(usize, SqlType)]>),
}

impl MadeBatches {
    /// The columns of rows that have these types, by their places in the rows.
    ///
    /// # Errors
    /// 1105 for values that the types do not have.
    pub(super) fn new(
        rows: &MadeRows,
        columns: Vec<(usize, SqlType)>,
        schema: &SchemaRef,
    ) -> Result<Self, SqlError> {
        let from = match rows.in_memory() {
            Some(rows) => {
                let batches = rows.chunks(ROWS).map(|rows| batch(rows, &columns, schema));
                From::Batches(batches.collect::<Result<_, SqlError>>()?)
            }
            None => From::Rows(Arc::clone(rows), columns.into()),
        };
        Ok(Self { from, schema: Arc::clone(schema) })
    }
}

fn batch(
    rows: &[Vec<Value>],
    columns: &[(usize, SqlType)],
    schema: &SchemaRef,
) -> Result<RecordBatch, SqlError> {
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
    batch.map_err(|error| SqlError::with_message(code::ER_UNKNOWN_ERROR, error.to_string()))
}

impl PartitionStream for MadeBatches {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        match &self.from {
            From::Batches(batches) => {
                let batches: Vec<_> = batches.iter().cloned().map(Ok).collect();
                let batches = futures::stream::iter(batches);
                Box::pin(RecordBatchStreamAdapter::new(schema, batches))
            }
            From::Rows(rows, columns) => {
                let from = (Arc::clone(rows), Cursor::default());
                let (columns, of) = (Arc::clone(columns), Arc::clone(&schema));
                let batches = futures::stream::try_unfold(from, move |(rows, mut cursor)| {
                    let (columns, schema) = (Arc::clone(&columns), Arc::clone(&of));
                    async move {
                        let mut some = Vec::new();
                        while some.len() < ROWS
                            && let Some(row) = cursor.next(&rows).await.map_err(plan_error)?
                        {
                            some.push(row.to_vec());
                        }
                        if some.is_empty() {
                            return Ok(None);
                        }
                        let batch = batch(&some, &columns, &schema).map_err(plan_error)?;
                        Ok(Some((batch, (rows, cursor))))
                    }
                });
                Box::pin(RecordBatchStreamAdapter::new(schema, batches))
            }
        }
    }
}
