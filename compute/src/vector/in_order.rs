//! Parts of a plan that run at the same time, as one stream: what the first gives, then what
//! the second gives, and so on, so that rows have the order that they have in one part.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion_common::{DataFusionError, Result};
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::streaming::PartitionStream;
use datafusion_physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use firn_engine::{Env, Task, TaskClass};
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;

/// Batches that a part has ready at most before they are wanted.
const READY: usize = 8;

/// The parts of a plan.
pub(super) struct InOrder {
    plan: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    env: Env,
}

impl InOrder {
    pub(super) fn new(plan: Arc<dyn ExecutionPlan>, env: Env) -> Self {
        Self { schema: plan.schema(), plan, env }
    }
}

impl fmt::Debug for InOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in order: {:?}", self.plan)
    }
}

impl PartitionStream for InOrder {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let parts = 0..self.plan.output_partitioning().partition_count();
        let begun = parts.map(|part| {
            let stream = self.plan.execute(part, Arc::clone(&context))?;
            Ok(Ahead::of(stream, READY, &self.env))
        });
        let schema = Arc::clone(&self.schema);
        match begun.collect::<Result<Vec<_>>>() {
            Ok(parts) => {
                let batches = futures::stream::iter(parts).map(Ahead::batches).flatten();
                Box::pin(RecordBatchStreamAdapter::new(schema, batches))
            }
            Err(error) => {
                let failed = futures::stream::once(std::future::ready(Err(error)));
                Box::pin(RecordBatchStreamAdapter::new(schema, failed))
            }
        }
    }
}

/// A stream that runs ahead of who takes its batches, on another thread if one is free.
pub(super) struct Ahead {
    batches: mpsc::Receiver<Result<RecordBatch>>,
    task: Task<()>,
}

impl Ahead {
    /// Begins to run, until `ready` batches wait.
    pub(super) fn of(
        batches: impl Stream<Item = Result<RecordBatch>> + Send + 'static,
        ready: usize,
        env: &Env,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(ready);
        let task = env.spawn(TaskClass::Background, "scan", async move {
            let mut batches = Box::pin(batches);
            while let Some(batch) = batches.next().await {
                let over = batch.is_err();
                // Nobody takes it any more: the query is over.
                if sender.send(batch).await.is_err() || over {
                    return;
                }
            }
        });
        Self { batches: receiver, task }
    }

    /// What it gives.
    pub(super) fn batches(self) -> impl Stream<Item = Result<RecordBatch>> + Send {
        futures::stream::unfold(self, |mut ahead| async move {
            let batch = match ahead.batches.recv().await {
                Some(batch) => batch,
                // Whoever ends without a word has not come to the end.
                None if (&mut ahead.task).await.is_some() => return None,
                None => Err(DataFusionError::Execution("a scan ended early".to_owned())),
            };
            Some((batch, ahead))
        })
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}
