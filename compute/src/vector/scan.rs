//! Rows of one table as batches: through the same view of the transaction as the row
//! executor has, by the same index, in the same order. Rows of a whole table come from the
//! copies of its files where there are any (`copies`).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use datafusion_common::{DataFusionError, Result};
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::streaming::PartitionStream;
use firn_engine::Env;
use firn_engine::db::Layers;
use firn_engine::key::KeyRange;
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_mysql_semantics::expr::{Apart, Cx, Settings};
use firn_mysql_semantics::vector::plan_error;
use firn_mysql_semantics::{TypeKind, Value};
use firn_table::descriptor::IndexId;
use futures::{Stream, TryStreamExt};
use tokio::sync::OnceCell;

use super::columns::ColumnBuilder;
use super::copies::{Copied, has_copies};
use super::in_order::Ahead;
use super::parts::cut;
use crate::execute::{Found, engine_error, found, index_of};
use crate::plan::{Access, Lookup};
use crate::session::from_transaction;
use crate::table::OpenTable;
use crate::txn::{Direction, Interrupt, ReadView, Scan};
use crate::zone;

/// Rows of a batch.
pub(super) const ROWS: usize = 8192;

/// Bytes of strings in a batch beyond which it has no more rows.
const BYTES: usize = 8 << 20;

/// Batches that a scan has ready at most before they are wanted.
const AHEAD: usize = 2;

/// Rows that are looked up by their keys at once.
const KEYS: usize = 1024;

/// What is read, and how.
pub(super) struct Source {
    pub(super) table: Arc<OpenTable>,
    /// Columns by their places in the table.
    pub(super) columns: Vec<usize>,
    pub(super) access: Access,
    pub(super) lookup: Lookup,
    pub(super) view: ReadView,
    pub(super) interrupt: Interrupt,
    pub(super) settings: Arc<Settings>,
    pub(super) session: Apart,
    pub(super) env: Env,
    /// Counts rows.
    pub(super) read_rows: Arc<AtomicU64>,
    /// Counts those that come from copies.
    pub(super) copied_rows: Arc<AtomicU64>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table.descriptor().name)
    }
}

/// The scan of a table, or a part of it.
#[derive(Debug)]
pub(super) struct TableScan {
    source: Arc<Source>,
    schema: SchemaRef,
    part: Option<Part>,
}

/// Which part of a scan.
#[derive(Debug)]
struct Part {
    number: usize,
    of: usize,
    /// All parts, once the first of them has begun.
    ranges: Arc<OnceCell<Vec<KeyRange>>>,
}

impl TableScan {
    /// A scan whose batches have the columns of `schema`, one for each of the source's, in
    /// so many parts, in their order.
    pub(super) fn parts(source: Source, schema: &SchemaRef, parts: usize) -> Vec<Self> {
        assert_eq!(source.columns.len(), schema.fields().len(), "a field for each column");
        let (source, ranges) = (Arc::new(source), Arc::default());
        let part = |number| Self {
            source: Arc::clone(&source),
            schema: Arc::clone(schema),
            part: (parts > 1).then(|| Part { number, of: parts, ranges: Arc::clone(&ranges) }),
        };
        (0..parts.max(1)).map(part).collect()
    }
}

impl PartitionStream for TableScan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let mut scanning = Scanning {
            source: Arc::clone(&self.source),
            schema: Arc::clone(&schema),
            own: None,
            next: 0,
            open: None,
            layers: None,
            copied: None,
            row_key: Vec::new(),
        };
        let Some(Part { number, of, ranges }) = &self.part else {
            let batches = Ahead::of(scanning.batches(), AHEAD, &self.source.env).batches();
            return Box::pin(RecordBatchStreamAdapter::new(schema, batches));
        };
        // Whoever runs the parts has them run at the same time.
        let (number, of, ranges) = (*number, *of, Arc::clone(ranges));
        let begun = async move {
            let all = ranges.get_or_try_init(|| cut(&scanning.source, of)).await;
            scanning.own = Some(all.map_err(plan_error)?.get(number).cloned());
            Ok::<_, DataFusionError>(scanning.batches())
        };
        let batches = futures::stream::once(begun).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(schema, batches))
    }
}

/// A scan that goes on.
struct Scanning {
    source: Arc<Source>,
    schema: SchemaRef,
    /// Of a part: the range that is its own, `None` if there are fewer parts.
    own: Option<Option<KeyRange>>,
    /// The key or range that comes next, counted from the end if it is read backward.
    next: usize,
    open: Option<Scan>,
    /// The range that is being read, in layers, and the piece of it that comes next.
    layers: Option<(Layers, usize)>,
    /// The piece that is being read, if that is from a copy.
    copied: Option<Box<Copied>>,
    row_key: Vec<u8>,
}

/// A batch that is being filled.
pub(super) struct Filling {
    columns: Vec<ColumnBuilder>,
    pub(super) rows: usize,
}

impl Filling {
    /// The columns.
    pub(super) fn finish(self) -> Result<Vec<ArrayRef>, SqlError> {
        self.columns.into_iter().map(ColumnBuilder::finish).collect()
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= ROWS || self.columns.iter().map(ColumnBuilder::bytes).sum::<usize>() >= BYTES
    }
}

/// A batch of columns.
pub(super) fn batch_of(
    schema: &SchemaRef,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, SqlError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options);
    batch.map_err(|error| SqlError::with_message(code::ER_UNKNOWN_ERROR, error.to_string()))
}

impl Source {
    /// A batch with no rows yet.
    pub(super) fn filling(&self) -> Result<Filling, SqlError> {
        let types = &self.table.codec.table().columns;
        let columns = self.columns.iter().map(|at| ColumnBuilder::new(&types[*at].ty, ROWS));
        Ok(Filling { columns: columns.collect::<Result<_, SqlError>>()?, rows: 0 })
    }

    pub(super) fn push(&self, found: &Found<'_>, filling: &mut Filling) -> Result<(), SqlError> {
        let types = &self.table.codec.table().columns;
        for (builder, &column) in filling.columns.iter_mut().zip(&self.columns) {
            let cell = found.cell(column)?;
            let ty = &types[column].ty;
            if ty.kind != TypeKind::Timestamp {
                builder.push(cell)?;
                continue;
            }
            let (mut session, mut warnings) = (self.session.lock(), Warnings::default());
            let cx = Cx::new(&self.settings, &mut *session, &mut warnings);
            builder.push_value(zone::from_utc(Value::from(cell), ty, &cx))?;
        }
        filling.rows += 1;
        Ok(())
    }
}

impl Scanning {
    fn batches(self) -> impl Stream<Item = Result<RecordBatch>> + Send {
        futures::stream::try_unfold(self, |mut scanning| async move {
            let batch = scanning.batch().await.map_err(plan_error)?;
            let Some(batch) = batch else { return Ok(None) };
            let rows = batch.num_rows() as u64;
            scanning.source.read_rows.fetch_add(rows, Ordering::Relaxed);
            Ok(Some((batch, scanning)))
        })
    }

    /// The next batch; `None` at the end.
    async fn batch(&mut self) -> Result<Option<RecordBatch>, SqlError> {
        self.source.interrupt.check().map_err(|error| from_transaction(&error))?;
        // Others run meanwhile.
        tokio::task::yield_now().await;
        let source = Arc::clone(&self.source);
        let mut filling = source.filling()?;
        while !filling.is_full() {
            if let Some(copied) = &mut self.copied {
                if filling.rows > 0 {
                    break;
                }
                match copied.batch(&source, &self.schema).await? {
                    Some(batch) => {
                        let rows = batch.num_rows() as u64;
                        source.copied_rows.fetch_add(rows, Ordering::Relaxed);
                        return Ok(Some(batch));
                    }
                    None => self.copied = None,
                }
            } else if !self.more(&source, &mut filling).await? {
                break;
            }
        }
        match filling.rows {
            0 => Ok(None),
            rows => batch_of(&self.schema, filling.finish()?, rows).map(Some),
        }
    }

    /// Adds some rows; `false` at the end.
    async fn more(&mut self, source: &Source, filling: &mut Filling) -> Result<bool, SqlError> {
        let by = source.access.index;
        let direct = by == IndexId::ROWS;
        if let Some(scan) = &mut self.open {
            if !direct && !source.access.covering {
                return self.entries(source, filling).await;
            }
            loop {
                let next = match scan.try_next() {
                    Some(next) => next,
                    None => scan.next().await.map_err(|error| from_transaction(&error))?,
                };
                let Some((key, value)) = next else {
                    self.open = None;
                    return Ok(true);
                };
                source.push(&found(&mut self.row_key, key, value, &source.table, by)?, filling)?;
                if filling.is_full() {
                    return Ok(true);
                }
            }
        }
        if let Some((layers, next)) = &mut self.layers {
            let Some(piece) = layers.pieces().get(*next) else {
                self.layers = None;
                return Ok(true);
            };
            *next += 1;
            match Copied::open(layers, piece, source).await? {
                Some(copied) => self.copied = Some(Box::new(copied)),
                None => {
                    let rows = layers.rows(&piece.range).await.map_err(engine_error)?;
                    self.open = Some(Scan::committed(rows));
                }
            }
            return Ok(true);
        }
        let space = source.table.codec.table().space();
        match &source.lookup {
            Lookup::Ranges(ranges) => {
                let ranges = match &self.own {
                    Some(own) => own.as_slice(),
                    None => ranges,
                };
                let at = match source.access.backward {
                    true => ranges.len().checked_sub(self.next + 1),
                    false => Some(self.next).filter(|at| *at < ranges.len()),
                };
                let Some(range) = at.and_then(|at| ranges.get(at)) else { return Ok(false) };
                self.next += 1;
                if direct && !source.access.backward && has_copies(source) {
                    let layers = source.view.layers(space, range).await;
                    if let Some(layers) = layers.map_err(|error| from_transaction(&error))? {
                        self.layers = Some((layers, 0));
                        return Ok(true);
                    }
                }
                let direction = match source.access.backward {
                    true => Direction::Descending,
                    false => Direction::Ascending,
                };
                let scan = source.view.scan(space, range, direction).await;
                self.open = Some(scan.map_err(|error| from_transaction(&error))?);
            }
            Lookup::Keys(keys) => {
                let left = keys.len().saturating_sub(self.next).min(KEYS);
                if left == 0 {
                    return Ok(false);
                }
                let some: Vec<&[u8]> = match source.access.backward {
                    true => {
                        keys.iter().rev().skip(self.next).take(left).map(|key| &key[..]).collect()
                    }
                    false => keys[self.next..self.next + left].iter().map(|key| &key[..]).collect(),
                };
                self.next += left;
                let values = source.view.get_many(space, &some).await;
                let values = values.map_err(|error| from_transaction(&error))?;
                let pairs = some.into_iter().zip(values);
                if direct {
                    for (key, value) in pairs {
                        let Some(value) = value else { continue };
                        let found = found(&mut self.row_key, key, &value, &source.table, by)?;
                        source.push(&found, filling)?;
                    }
                    return Ok(true);
                }
                let codec = index_of(&source.table, by)?;
                let mut rows = Vec::with_capacity(left);
                for (key, value) in pairs {
                    let Some(value) = value else { continue };
                    let entry = codec.read(key, &value).map_err(engine_error)?;
                    let mut row_key = Vec::with_capacity(16);
                    entry.row_key(&mut row_key);
                    rows.push(row_key);
                }
                self.rows(source, &rows, filling).await?;
            }
        }
        Ok(true)
    }

    /// Reads the rows behind the next entries.
    async fn entries(&mut self, source: &Source, filling: &mut Filling) -> Result<bool, SqlError> {
        let codec = index_of(&source.table, source.access.index)?;
        let mut rows = Vec::with_capacity(KEYS);
        while rows.len() < KEYS
            && let Some(scan) = &mut self.open
        {
            let next = match scan.try_next() {
                Some(next) => next,
                None => scan.next().await.map_err(|error| from_transaction(&error))?,
            };
            let Some((key, value)) = next else {
                self.open = None;
                break;
            };
            let entry = codec.read(key, value).map_err(engine_error)?;
            let mut row_key = Vec::with_capacity(16);
            entry.row_key(&mut row_key);
            rows.push(row_key);
        }
        self.rows(source, &rows, filling).await?;
        Ok(true)
    }

    /// Reads rows by their keys. A row that is not there has been deleted by the
    /// transaction itself since its entry was written.
    async fn rows(
        &mut self,
        source: &Source,
        keys: &[Vec<u8>],
        filling: &mut Filling,
    ) -> Result<(), SqlError> {
        if keys.is_empty() {
            return Ok(());
        }
        let space = source.table.codec.table().space();
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let values = source.view.get_many(space, &keys).await;
        for (key, value) in keys.iter().zip(values.map_err(|error| from_transaction(&error))?) {
            let Some(value) = value else { continue };
            let found = found(&mut self.row_key, key, &value, &source.table, IndexId::ROWS)?;
            source.push(&found, filling)?;
        }
        Ok(())
    }
}
