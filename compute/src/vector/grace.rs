//! Hash joins of which one side has to be in memory, and does not fit.
//!
//! What fits is joined as ever. Else the rows of both sides are parted by their keys into
//! files, and each part is joined by itself, parted again where it is still too large. Rows
//! come out in another order then, which nobody who asked for such a join looks at.

use std::fmt;
use std::io::Cursor;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use arrow_select::take::take;
use datafusion_common::hash_utils::{RandomState, create_hashes};
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::utils::memory::RecordBatchMemoryCounter;
use datafusion_common::{DataFusionError, JoinType, Result};
use datafusion_execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryReservation};
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use datafusion_physical_plan::joins::HashJoinExec;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion_physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, EmptyRecordBatchStream, ExecutionPlan,
    ExecutionPlanProperties, PlanProperties, ReplaceChildrenOptions,
};
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::vector::plan_error;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use crate::execute::Spilled;
use crate::spill::{FRAME_BYTES, Segment, SegmentReader, SegmentWriter, Spill, SpillFile, broken};

/// Parts of what is too large.
const PARTS: usize = 16;

/// How often what is too large is parted again: more often only if very many rows have the
/// same key, which no parting parts.
const DEPTH_MAX: u32 = 4;

/// The least that a part writes at a time, in bytes.
const FRAME_BYTES_MIN: usize = 4 << 10;

/// Memory that the table of a join needs for a row, in bytes.
const TABLE_BYTES: usize = 48;

type On = Vec<(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)>;

/// A join by keys; the left side goes into memory.
#[derive(Debug, Clone)]
pub(super) struct GraceJoinExec {
    /// The join, of sides that fit.
    join: Arc<dyn ExecutionPlan>,
    on: On,
    spill: Spill,
    /// What the left side may be in memory however much others need, in bytes.
    bytes_max: usize,
    /// How often its sides were parted.
    depth: u32,
    /// What became of the left side, for all partitions of the right one.
    left: Arc<OnceCell<Side>>,
}

/// The left side of a join.
#[derive(Debug)]
enum Side {
    /// In memory: the join, which is ready.
    Fits(Arc<dyn ExecutionPlan>),
    /// In files.
    Parts(Vec<Arc<dyn ExecutionPlan>>),
}

impl GraceJoinExec {
    /// A join whose left side has `bytes_max` in memory, and more if there is more: see
    /// [`Self::read`].
    pub(super) fn new(join: HashJoinExec, spill: &Spill, bytes_max: usize) -> Self {
        let on = join.on().to_vec();
        let (spill, left) = (spill.clone(), Arc::default());
        Self { join: Arc::new(join), on, spill, bytes_max, depth: 0, left }
    }

    fn join_type(&self) -> Result<JoinType> {
        let join = self.join.downcast_ref::<HashJoinExec>();
        let join = join.ok_or_else(|| DataFusionError::Internal("no join by keys".to_owned()))?;
        Ok(*join.join_type())
    }

    fn sides(&self) -> Result<[Arc<dyn ExecutionPlan>; 2]> {
        match self.join.children()[..] {
            [left, right] => Ok([Arc::clone(left), Arc::clone(right)]),
            _ => Err(DataFusionError::Internal("a join of two sides".to_owned())),
        }
    }

    fn of(&self, left: Arc<dyn ExecutionPlan>, right: Arc<dyn ExecutionPlan>) -> Result<Self> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        let join = Arc::clone(&self.join).reset_state()?;
        let join = join.replace_children(vec![left, right], options)?;
        Ok(Self { join, left: Arc::default(), ..self.clone() })
    }

    /// Reads the left side. It may take all of the plan's memory but a quarter, which is for
    /// joins that come later and for groups.
    async fn read(&self, context: &Arc<TaskContext>) -> Result<Side> {
        let [left, right] = self.sides()?;
        let memory = MemoryConsumer::new("a side of a join").register(context.memory_pool());
        let pool = context.memory_pool();
        let free = match pool.memory_limit() {
            MemoryLimit::Finite(bytes) => (bytes - bytes / 4).saturating_sub(pool.reserved()),
            _ => 0,
        };
        let bytes_max = if self.depth == 0 { self.bytes_max.max(free) } else { self.bytes_max };
        let mut rows = left.execute(0, Arc::clone(context))?;
        let mut counter = RecordBatchMemoryCounter::new();
        let (mut batches, mut bytes) = (Vec::new(), 0);
        let mut fits = true;
        while fits && let Some(batch) = rows.try_next().await? {
            let more = counter.count_batch(&batch) + batch.num_rows() * TABLE_BYTES;
            bytes += more;
            fits = bytes <= bytes_max && memory.try_grow(more).is_ok();
            batches.push(batch);
        }
        if fits || self.depth == DEPTH_MAX {
            memory.free();
            let schema = left.schema();
            let all: SendableRecordBatchStream = match fits {
                true => Box::pin(RecordBatchStreamAdapter::new(
                    Arc::clone(&schema),
                    futures::stream::iter(batches.into_iter().map(Ok)),
                )),
                // The join says whether the memory is enough for it.
                false => Box::pin(RecordBatchStreamAdapter::new(
                    Arc::clone(&schema),
                    futures::stream::iter(batches.into_iter().map(Ok)).chain(rows),
                )),
            };
            let left = once(schema, all)?;
            return Ok(Side::Fits(self.of(left, right)?.join));
        }
        let on = self.on.iter().map(|(left, _)| Arc::clone(left)).collect();
        let rows = futures::stream::iter(batches.into_iter().map(Ok)).chain(rows);
        // Rows whose key is NULL have no partner.
        let partners_only = !matches!(self.join_type()?, JoinType::Left | JoinType::LeftAnti);
        let parts = self.part(left.schema(), on, partners_only, rows.boxed(), &memory).await?;
        Ok(Side::Parts(parts))
    }

    async fn run(
        self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let cell = Arc::clone(&self.left);
        let left = match cell.get_or_try_init(|| self.read(&context)).await? {
            Side::Fits(join) => return join.execute(partition, context),
            Side::Parts(parts) => parts.clone(),
        };
        let [_, right] = self.sides()?;
        let memory = MemoryConsumer::new("a side of a join").register(context.memory_pool());
        let on = self.on.iter().map(|(_, right)| Arc::clone(right)).collect();
        let join_type = self.join_type()?;
        let rows = match gives_left(join_type) {
            false => right.execute(partition, Arc::clone(&context))?,
            // Which rows of the left side are given is known once all of the right side was
            // there: the first does it for all.
            true if partition > 0 => {
                return Ok(Box::pin(EmptyRecordBatchStream::new(self.schema())));
            }
            true => every(right.clone(), Arc::clone(&context)),
        };
        let partners_only = !matches!(join_type, JoinType::Right | JoinType::RightAnti);
        let right = self.part(right.schema(), on, partners_only, rows.boxed(), &memory).await?;
        drop(memory);
        let schema = self.schema();
        let parts = left.into_iter().zip(right).collect::<Vec<_>>();
        let joined = futures::stream::iter(parts).then(move |(left, right)| {
            let (this, context) = (self.clone(), Arc::clone(&context));
            async move {
                let part = Self { depth: this.depth + 1, ..this.of(left, right)? };
                part.execute(0, context)
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, joined.try_flatten())))
    }

    /// Parts rows by their keys. Those whose key is NULL have no partner, and go if only rows
    /// with partners are wanted.
    async fn part(
        &self,
        schema: SchemaRef,
        on: Vec<Arc<dyn PhysicalExpr>>,
        partners_only: bool,
        mut rows: futures::stream::BoxStream<'_, Result<RecordBatch>>,
        memory: &MemoryReservation,
    ) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let spill = &self.spill;
        let file = spill.file().await.map_err(plan_error)?;
        spill.counts.count(Spilled::Tables, 1);
        // What waits in each part to be written; a little is needed however little there is.
        let frame_bytes = (self.bytes_max / PARTS / 4).clamp(FRAME_BYTES_MIN, FRAME_BYTES);
        memory.resize((PARTS * frame_bytes).min(self.bytes_max / 2));
        let mut writers = Parts::new(&file, frame_bytes, on, partners_only, self.depth);
        while let Some(batch) = rows.try_next().await? {
            let written = spill.away("write parts of a join", move || {
                writers.write(&batch).map_err(|error| super::plan::told(&error))?;
                Ok(writers)
            });
            writers = written.await.map_err(plan_error)?;
        }
        let ended = spill.away("write parts of a join", move || writers.end());
        let mut parts: Vec<Arc<dyn ExecutionPlan>> = Vec::with_capacity(PARTS);
        for segment in ended.await.map_err(plan_error)? {
            spill.counts.count(Spilled::Bytes, segment.bytes());
            let (segment, spill) = (Arc::new(segment), spill.clone());
            parts.push(source(Arc::new(Part { segment, spill, schema: Arc::clone(&schema) }))?);
        }
        Ok(parts)
    }
}

impl DisplayAs for GraceJoinExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GraceJoinExec: ")?;
        self.join.fmt_as(kind, f)
    }
}

impl ExecutionPlan for GraceJoinExec {
    fn name(&self) -> &str {
        "GraceJoinExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.join.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.join.children()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let join = Arc::clone(&self.join).replace_children(children, options)?;
        Ok(Arc::new(Self { join, left: Arc::default(), ..Self::clone(&self) }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.join.apply_expressions(f)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = futures::stream::once(self.clone().run(partition, context)).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

/// Whether what is given of the left side depends on all of the right one.
fn gives_left(join_type: JoinType) -> bool {
    matches!(join_type, JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti)
}

/// What all parts of a plan give, one after the other.
fn every(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> SendableRecordBatchStream {
    let schema = plan.schema();
    let parts = plan.output_partitioning().partition_count();
    let rows = futures::stream::iter(0..parts)
        .map(move |part| plan.execute(part, Arc::clone(&context)))
        .try_flatten();
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// What begins a plan.
fn source(stream: Arc<dyn PartitionStream>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = Arc::clone(stream.schema());
    let plan = StreamingTableExec::try_new(schema, vec![stream], None, [], false, None)?;
    Ok(Arc::new(plan))
}

/// Rows that are read once.
struct Once {
    schema: SchemaRef,
    rows: parking_lot::Mutex<Option<SendableRecordBatchStream>>,
}

fn once(schema: SchemaRef, rows: SendableRecordBatchStream) -> Result<Arc<dyn ExecutionPlan>> {
    source(Arc::new(Once { schema, rows: parking_lot::Mutex::new(Some(rows)) }))
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows that are read once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.rows.lock().take().unwrap_or_else(|| {
            let twice = DataFusionError::Internal("rows that are read twice".to_owned());
            let rows = futures::stream::iter([Err(twice)]);
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
        })
    }
}

/// Rows on their way into parts.
struct Parts {
    on: Vec<Arc<dyn PhysicalExpr>>,
    partners_only: bool,
    writers: Vec<SegmentWriter>,
    hash: RandomState,
    hashes: Vec<u64>,
    bytes: Vec<u8>,
}

impl Parts {
    fn new(
        file: &SpillFile,
        frame_bytes: usize,
        on: Vec<Arc<dyn PhysicalExpr>>,
        partners_only: bool,
        depth: u32,
    ) -> Self {
        let writer = |_| SegmentWriter::with_frames(file, frame_bytes);
        let writers = (0..PARTS).map(writer).collect();
        // What was in one part is in several of the next parting.
        let hash = RandomState::with_seed(0x9e37_79b9 + u64::from(depth));
        Self { on, partners_only, writers, hash, hashes: Vec::new(), bytes: Vec::new() }
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = batch.num_rows();
        let mut keys: Vec<ArrayRef> = Vec::with_capacity(self.on.len());
        for key in &self.on {
            keys.push(key.evaluate(batch)?.into_array(rows)?);
        }
        self.hashes.clear();
        self.hashes.resize(rows, 0);
        create_hashes(&keys, &self.hash, &mut self.hashes)?;
        let mut places: Vec<Vec<u32>> = vec![Vec::new(); PARTS];
        for (row, hash) in (0u32..).zip(&self.hashes) {
            let null = self.partners_only && keys.iter().any(|key| key.is_null(row as usize));
            if !null {
                places[(hash >> 32) as usize % PARTS].push(row);
            }
        }
        for (part, rows) in places.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let rows = UInt32Array::from(rows);
            let mut columns = Vec::with_capacity(batch.num_columns());
            for column in batch.columns() {
                let taken = take(column, &rows, None)?;
                // Views would take all of the batch along.
                columns.push(match taken.as_binary_view_opt() {
                    Some(views) => Arc::new(views.gc()) as ArrayRef,
                    None => taken,
                });
            }
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            let some = RecordBatch::try_new_with_options(batch.schema(), columns, &options)?;
            self.bytes.clear();
            let mut writer = StreamWriter::try_new(&mut self.bytes, &batch.schema())?;
            writer.write(&some)?;
            writer.finish()?;
            drop(writer);
            self.writers[part].push(&[], &self.bytes).map_err(plan_error)?;
        }
        Ok(())
    }

    fn end(self) -> std::result::Result<Vec<Segment>, SqlError> {
        self.writers.into_iter().map(SegmentWriter::end).collect()
    }
}

/// Rows of one side with some of the keys.
#[derive(Debug)]
struct Part {
    segment: Arc<Segment>,
    spill: Spill,
    schema: SchemaRef,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let from = (SegmentReader::new(Arc::clone(&self.segment)), self.spill.clone());
        let batches = futures::stream::try_unfold(from, |(mut reader, spill)| async move {
            let read = spill.away("read a part of a join", move || {
                if !reader.advance()? {
                    return Ok(None);
                }
                let damaged = |_| broken("batches that are none");
                let batches = StreamReader::try_new(Cursor::new(reader.payload()), None);
                let batch = batches.map_err(damaged)?.next();
                let batch = batch.ok_or_else(|| broken("no batch"))?.map_err(damaged)?;
                Ok(Some((batch, reader)))
            });
            let read = read.await.map_err(plan_error)?;
            Ok(read.map(|(batch, reader)| (batch, (reader, spill))))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
