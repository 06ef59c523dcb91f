//! The keys that a statement sees and changes, through its transaction.

mod entries;
mod locking;
mod reading;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_engine::{Env, Instant, SpaceId};
use firn_mysql_semantics::error::SqlError;

pub(crate) use self::entries::Entries;
use super::derived::Made;
use super::measure::Measures;
use super::{ReadCounts, Relations, Result};
use crate::catalog::{CATALOG_SPACE, auto_increment_key};
use crate::memory::MemoryBudget;
use crate::session::{from_engine, from_transaction};
use crate::spill::Spill;
use crate::table::OpenTable;
use crate::txn::{
    Direction, Interrupt, LockKey, LockMode, LockWait, LockingScan, ReadMode, ReadView, RowLocks,
    StatementMark, Transaction,
};
use crate::vector::Executor;

/// How a statement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// What was committed when its snapshot was taken.
    Snapshot,
    /// The newest, each row locked.
    Locking(LockMode),
}

/// Finds the foreign keys of tables.
pub(crate) trait Relate: Send + Sync {
    /// Those of a table and to it; `None` if there are none, or they are not looked at.
    ///
    /// # Errors
    /// As opening the tables on the other side.
    fn relations(&self, table: &OpenTable) -> Result<Option<Arc<Relations>>>;
}

/// A transaction as one statement uses it.
pub(crate) struct View<'t> {
    transaction: &'t mut Transaction,
    reading: Reading,
    wait: LockWait,
    /// How a query reads that locks nothing itself.
    plain: Reading,
    /// How long is waited for locks where nothing else is said.
    usual_wait: LockWait,
    relate: Option<&'t dyn Relate>,
    /// Rows of a table that is walked are looked at before they are locked, where the
    /// isolation level allows it: UPDATE.
    looks_first: bool,
    /// Rows that were read.
    rows_read: u32,
    /// Rows that are wanted at all, if that is known: no more are locked.
    wanted_rows: Option<usize>,
    /// Rows of common tables, by their numbers in the statement.
    made: BTreeMap<usize, Made>,
    /// What is measured, of EXPLAIN ANALYZE.
    measures: Option<Box<Measures>>,
    /// How queries run.
    executor: Executor,
    over_batches: OverBatches,
    /// How rows were read.
    reads: Arc<ReadCounts>,
}

/// What ran over batches.
#[derive(Debug, Clone, Default)]
pub(crate) struct OverBatches {
    /// Query blocks.
    pub(crate) blocks: u64,
    /// Scans whose rows went on row by row.
    pub(crate) scans: u64,
    /// Those of both that were given up.
    pub(crate) given_up: u64,
    /// Rows that scans have read.
    pub(crate) read_rows: Arc<AtomicU64>,
    /// Those of them that came from the copies of files.
    pub(crate) copied_rows: Arc<AtomicU64>,
}

impl<'t> View<'t> {
    /// For a statement that reads so, and waits so for locks.
    pub(crate) fn new(transaction: &'t mut Transaction, reading: Reading, wait: LockWait) -> Self {
        Self {
            transaction,
            reading,
            wait,
            plain: reading,
            usual_wait: wait,
            relate: None,
            looks_first: false,
            rows_read: 0,
            wanted_rows: None,
            made: BTreeMap::new(),
            measures: None,
            executor: Executor::Direct,
            over_batches: OverBatches::default(),
            reads: Arc::default(),
        }
    }

    /// The same, with queries that run so.
    pub(crate) fn by(mut self, executor: Executor) -> Self {
        self.executor = executor;
        self
    }

    /// How rows were read.
    pub(crate) fn reads(&self) -> &Arc<ReadCounts> {
        &self.reads
    }

    /// A query block runs over batches.
    pub(crate) fn ran_over_batches(&mut self) {
        self.over_batches.blocks += 1;
    }

    /// A table is scanned over batches whose rows go on row by row.
    pub(crate) fn scans_over_batches(&mut self) {
        self.over_batches.scans += 1;
    }

    /// That was given up.
    pub(crate) fn gave_up(&mut self) {
        self.over_batches.given_up += 1;
    }

    /// What ran over batches.
    pub(crate) fn over_batches(&self) -> &OverBatches {
        &self.over_batches
    }

    /// How queries run.
    pub(crate) fn executor(&self) -> Executor {
        self.executor
    }

    /// What a snapshot shows now, apart from the statement: for plans that run on their
    /// own.
    ///
    /// # Errors
    /// If the transaction was rolled back.
    pub(crate) fn apart(&mut self) -> Result<ReadView> {
        self.transaction.view(ReadMode::Snapshot).map_err(|error| from_transaction(&error))
    }

    /// About how many rows a table has in files.
    pub(crate) fn estimated_rows(&self, table: &OpenTable) -> u64 {
        table.estimated_rows(&self.transaction.db().version())
    }

    /// The world.
    pub(crate) fn env(&self) -> &Env {
        self.transaction.env()
    }

    /// The switch that ends the statement.
    pub(crate) fn interrupt(&self) -> &Interrupt {
        self.transaction.interrupt()
    }

    /// The same, measured.
    pub(crate) fn measuring(mut self, measures: Measures) -> Self {
        self.measures = Some(Box::new(measures));
        self
    }

    /// What is measured, if anything is.
    #[inline]
    pub(crate) fn measures(&mut self) -> Option<&mut Measures> {
        self.measures.as_deref_mut()
    }

    /// Whether anything is measured.
    #[inline]
    pub(crate) fn is_measured(&self) -> bool {
        self.measures.is_some()
    }

    /// What was measured.
    pub(crate) fn into_measures(self) -> Option<Measures> {
        self.measures.map(|measures| *measures)
    }

    /// The time, if it is measured.
    #[inline]
    pub(super) fn clock(&self) -> Option<Instant> {
        self.measures.as_ref().map(|measures| measures.now())
    }

    /// The same, minding foreign keys.
    pub(crate) fn relating(mut self, relate: &'t dyn Relate) -> Self {
        self.relate = Some(relate);
        self
    }

    /// The foreign keys of a table and to it.
    ///
    /// # Errors
    /// As [`Relate::relations`].
    pub(crate) fn relations(&self, table: &OpenTable) -> Result<Option<Arc<Relations>>> {
        self.relate.map_or(Ok(None), |relate| relate.relations(table))
    }

    /// Rows that were made of a common table.
    pub(crate) fn made(&self, number: usize) -> Option<Made> {
        self.made.get(&number).cloned()
    }

    /// Keeps rows of a common table.
    pub(crate) fn keep_made(&mut self, number: usize, rows: Made) {
        self.made.insert(number, rows);
    }

    /// What all statements together may have in memory.
    pub(crate) fn memory(&self) -> &Arc<MemoryBudget> {
        self.transaction.memory()
    }

    /// What is counted of the statement.
    pub(crate) fn counts(&self) -> &ReadCounts {
        &self.reads
    }

    /// What the statement spills with.
    pub(crate) fn spill(&self) -> Spill {
        Spill {
            env: self.env().clone(),
            area: Arc::clone(self.transaction.spill_area()),
            interrupt: self.interrupt().clone(),
            counts: Arc::clone(&self.reads),
        }
    }

    /// Memory for the rows that the statement gathers, in bytes.
    pub(crate) fn gathered_bytes_max(&self) -> usize {
        self.transaction.gathered_bytes_max()
    }

    /// Whether the transaction has written anything.
    pub(crate) fn has_written(&self) -> bool {
        self.transaction.has_written()
    }

    /// Whether entries have to be looked at with [`Self::hides`].
    pub(crate) fn has_overtaken(&self) -> bool {
        self.transaction.has_overtaken() && self.mode() == ReadMode::Snapshot
    }

    /// Whether an entry of the snapshot is no longer one of its row, which the transaction
    /// has changed.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn hides(
        &self,
        space: SpaceId,
        entry_key: &[u8],
        row_key: &[u8],
    ) -> Result<bool> {
        let hides = self.transaction.hides(space, entry_key, row_key).await;
        hides.map_err(|error| from_transaction(&error))
    }

    /// Called before a locked row is changed; see [`Transaction::overtakes`].
    ///
    /// # Errors
    /// The engine's; 1206.
    pub(crate) async fn overtakes(&mut self, space: SpaceId, key: &[u8]) -> Result<bool> {
        let overtakes = self.transaction.overtakes(space, key).await;
        overtakes.map_err(|error| from_transaction(&error))
    }

    /// The mode in which rows are locked, if they are.
    pub(crate) fn locks(&self) -> Option<LockMode> {
        match self.reading {
            Reading::Snapshot => None,
            Reading::Locking(mode) => Some(mode),
        }
    }

    /// From now on rows of tables that are walked are looked at before they are locked:
    /// at READ COMMITTED an UPDATE does not wait for those that it is not about.
    pub(crate) fn look_first(&mut self) {
        self.looks_first = true;
    }

    /// How many rows are wanted in the end, of those that come one by one, if that is known.
    pub(crate) fn want_rows(&mut self, rows: Option<u64>) {
        self.wanted_rows = rows.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
    }

    /// Rows that may be locked before they are asked for.
    pub(crate) fn rows_ahead(&self, usual: usize) -> usize {
        match (self.reading, self.wanted_rows) {
            (Reading::Locking(_), Some(wanted)) => wanted.clamp(1, usual),
            _ => usual,
        }
    }

    /// Reads the rows that a changing statement takes from elsewhere: at READ COMMITTED
    /// without locks, else with shared ones. Gives back how it read before.
    pub(crate) fn read_source(&mut self) -> Reading {
        let source = match self.transaction.locks_ranges() {
            true => Reading::Locking(LockMode::Shared),
            false => Reading::Snapshot,
        };
        std::mem::replace(&mut self.reading, source)
    }

    /// Reads as before [`Self::read_source`].
    pub(crate) fn read_as(&mut self, reading: Reading) {
        self.reading = reading;
    }

    fn mode(&self) -> ReadMode {
        match self.reading {
            Reading::Snapshot => ReadMode::Snapshot,
            Reading::Locking(_) => ReadMode::Current,
        }
    }

    /// Ends a statement that was killed. Long loops ask now and then.
    ///
    /// # Errors
    /// 1317, 3024.
    pub(crate) fn check(&self) -> Result<()> {
        self.transaction.interrupt().check().map_err(|error| from_transaction(&error))
    }

    /// After each row that is written: what a large statement has written goes to files, and
    /// its locks become one of the table, if nobody else has locked any of it.
    ///
    /// # Errors
    /// The engine's; 1317.
    pub(crate) async fn make_room(&mut self) -> Result<()> {
        self.step().await?;
        if self.transaction.wants_escalation() {
            Box::pin(self.escalate()).await?;
        }
        let spilled = self.transaction.spill_if_large().await;
        spilled.map_err(|error| from_transaction(&error))
    }

    /// Holds the table of which most is locked as a whole, if there are very many locks.
    async fn escalate(&mut self) -> Result<()> {
        let Some(space) = self.transaction.most_locked() else { return Ok(()) };
        let table = LockKey::Table(u64::from(space.0));
        let done = self.transaction.escalate(table, space).await;
        done.map(drop).map_err(|error| from_transaction(&error))
    }

    /// Takes [`Self::step`] if it has nothing to do.
    #[inline]
    pub(crate) fn try_step(&mut self) -> bool {
        let next = self.rows_read.wrapping_add(1);
        let passes = !next.is_multiple_of(STEPS);
        if passes {
            self.rows_read = next;
        }
        passes
    }

    /// Before each row that is read: long scans end when they are told to, and let others
    /// run meanwhile.
    ///
    /// # Errors
    /// 1317, 3024.
    pub(crate) async fn step(&mut self) -> Result<()> {
        self.rows_read = self.rows_read.wrapping_add(1);
        if self.rows_read.is_multiple_of(STEPS) {
            self.check()?;
            if self.transaction.wants_escalation() {
                Box::pin(self.escalate()).await?;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// The value of a key that is read as it was and is in memory; `None` if
    /// [`Self::get_many`] has to be asked.
    ///
    /// # Errors
    /// The engine's.
    #[inline]
    pub(crate) fn try_get(&mut self, space: SpaceId, key: &[u8]) -> Result<Option<Option<Bytes>>> {
        if self.mode() != ReadMode::Snapshot {
            return Ok(None);
        }
        self.transaction.try_get(space, key).map_err(|error| from_transaction(&error))
    }

    /// The values of several keys.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn get_many(
        &mut self,
        space: SpaceId,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Bytes>>> {
        self.check()?;
        let mode = self.mode();
        if let [key] = keys {
            let value = self.transaction.get(space, key, mode).await;
            return Ok(vec![value.map_err(|error| from_transaction(&error))?]);
        }
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let values = self.transaction.get_many(space, &keys, mode).await;
        values.map_err(|error| from_transaction(&error))
    }

    /// Walks a range. Where rows are locked and others must not insert among them, a
    /// scan of rows locks each, and one of entries their range.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn scan(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
        backward: bool,
        of_rows: bool,
    ) -> Result<Entries> {
        self.check()?;
        let direction = if backward { Direction::Descending } else { Direction::Ascending };
        let looks_first = self.looks_first && of_rows && !self.transaction.locks_ranges();
        if let (Reading::Locking(mode), false) = (self.reading, looks_first) {
            let rows = if of_rows { RowLocks::Each(mode) } else { RowLocks::None };
            let ahead = self.rows_ahead(LOCKED_AHEAD);
            let mut scan =
                LockingScan::new(space, range.clone(), direction, rows, self.wait, ahead);
            if self.wanted_rows.is_some() {
                scan = scan.steady();
            }
            return Ok(Entries::Locking { scan, row: None, locked: of_rows });
        }
        let mode = self.mode();
        let scan = self.transaction.scan(space, range, direction, mode).await;
        Ok(Entries::Plain(Box::new(scan.map_err(|error| from_transaction(&error))?)))
    }

    /// The last key of a range in the newest state, and its value.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn last(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
    ) -> Result<Option<(Bytes, Bytes)>> {
        let scan =
            self.transaction.scan(space, range, Direction::Descending, ReadMode::Current).await;
        let mut scan = scan.map_err(|error| from_transaction(&error))?;
        let row = scan.next().await.map_err(|error| from_transaction(&error))?;
        Ok(row.map(|(key, value)| (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))))
    }

    /// The first key of a range in the newest state, and its value.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn first(
        &mut self,
        space: SpaceId,
        range: &KeyRange,
    ) -> Result<Option<(Bytes, Bytes)>> {
        let scan =
            self.transaction.scan(space, range, Direction::Ascending, ReadMode::Current).await;
        let mut scan = scan.map_err(|error| from_transaction(&error))?;
        let row = scan.next().await.map_err(|error| from_transaction(&error))?;
        Ok(row.map(|(key, value)| (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))))
    }

    /// The newest value of a key that is locked.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn current(&mut self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>> {
        let value = self.transaction.get(space, key, ReadMode::Current).await;
        value.map_err(|error| from_transaction(&error))
    }

    /// The value at which AUTO_INCREMENT of a table goes on at least, as it is stored.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn kept_auto_increment(&mut self, table: u32) -> Result<u64> {
        let key = auto_increment_key(table);
        let kept = self.transaction.get(CATALOG_SPACE, &key, ReadMode::Current).await;
        let kept = kept.map_err(|error| from_transaction(&error))?;
        let bytes = kept.as_deref().and_then(|kept| kept.try_into().ok());
        Ok(bytes.map_or(0, u64::from_be_bytes))
    }

    /// Stores it, whatever becomes of the transaction.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn keep_auto_increment(&self, table: u32, next: u64) -> Result<()> {
        let key = auto_increment_key(table);
        let kept = self.transaction.db().put(CATALOG_SPACE, &key, &next.to_be_bytes()).await;
        kept.map(drop).map_err(engine_error)
    }

    /// Begins a part of the statement that can be taken back by itself: a row under IGNORE.
    pub(crate) fn begin_part(&mut self) -> StatementMark {
        self.transaction.begin_statement()
    }

    /// Ends it; what it wrote goes unless it is kept.
    pub(crate) fn end_part(&mut self, part: StatementMark, keep: bool) {
        if keep {
            self.transaction.end_statement(part);
        } else {
            self.transaction.roll_back_statement(part);
        }
    }

    /// Sets a key.
    ///
    /// # Errors
    /// 1197 if the transaction has written too much.
    pub(crate) fn put(&mut self, space: SpaceId, key: &[u8], value: Vec<u8>) -> Result<()> {
        self.transaction.put(space, key, value).map_err(|error| from_transaction(&error))
    }

    /// Removes a key.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub(crate) fn delete(&mut self, space: SpaceId, key: &[u8]) -> Result<()> {
        self.transaction.delete(space, key).map_err(|error| from_transaction(&error))
    }
}

/// Rows between two looks at whether to go on.
const STEPS: u32 = 1024;

/// Rows that a locking scan locks before they are asked for, at first.
const LOCKED_AHEAD: usize = 16;

/// An error of the engine or of what lies on it.
pub(crate) fn engine_error(error: firn_engine::Error) -> SqlError {
    from_engine(&error)
}
