//! Rows that were made before as batches: those of a query in FROM.

use std::fmt;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use datafusion_common::Result;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr::EquivalenceProperties;
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use datafusion_physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion_physical_plan::memory::MemoryStream;
use datafusion_physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::{SqlType, Value};

use super::columns::ColumnBuilder;

/// Rows of a batch.
const ROWS: usize = 8192;

/// Batches that are there.
#[derive(Debug)]
pub(super) struct MadeExec {
    batches: Vec<RecordBatch>,
    properties: Arc<PlanProperties>,
}

impl MadeExec {
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
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { batches, properties: Arc::new(properties) })
    }
}

impl DisplayAs for MadeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MadeExec: {} batches", self.batches.len())
    }
}

impl ExecutionPlan for MadeExec {
    fn name(&self) -> &'static str {
        "MadeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let stream = MemoryStream::try_new(self.batches.clone(), self.schema(), None)?;
        Ok(Box::pin(stream))
    }
}
