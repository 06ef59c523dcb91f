//! What ALTER TABLE makes of the rows that are there.
//!
//! Rows are taken in chunks, each written by a transaction of its own: nothing of it is
//! seen before the catalog says so, since indexes that are being filled are read by
//! nobody and a copy has a space of its own. If it fails, what was written is deleted as a
//! range; if the process ends, the next start does that: the catalog has a note of it from
//! before the first row ([`crate::catalog::Catalog::keep_scratch`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::db::Snapshot;
use firn_engine::key::{KeyRange, prefix_end, successor};
use firn_engine::{Env, SpaceId, WriteBatch};
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Row};
use firn_table::descriptor::IndexId;

use super::store::Storing;
use super::view::{Reading, Relate, View, engine_error};
use super::write::{self, Stored};
use super::{Result, foreign_key, read_row};
use crate::catalog::{forget_scratch, forget_scratch_index};
use crate::server::Progress;
use crate::session::{from_engine, from_transaction};
use crate::table::{Default, OpenTable};
use crate::txn::{
    Interrupt, IsolationLevel, LockMode, LockWait, OwnerId, Transaction, TransactionManager,
};

/// Rows that one transaction writes.
const CHUNK_ROWS: usize = 2_000;

/// Memory for the rows of a chunk: past it no more are read.
const CHUNK_BYTES: usize = 4 << 20;

/// The owner of locks that nobody waits for.
const NOBODY: OwnerId = OwnerId(u64::MAX);

/// Foreign keys whose parents the rows must have.
#[derive(Clone, Copy)]
pub(crate) struct NewKeys<'a> {
    /// Their names.
    pub(crate) names: &'a [String],
    /// Where their parents are found.
    pub(crate) relate: &'a dyn Relate,
    /// Spaces of tables that the statement has locked as a whole.
    pub(crate) locked: &'a [SpaceId],
}

/// What is made of rows.
#[derive(Clone, Copy)]
pub(crate) enum Made<'a> {
    /// Entries of some indexes; and the checks of these names have to hold.
    Entries(&'a [IndexId], &'a [String]),
    /// All of them anew, in the space of the new descriptor.
    Rows(&'a Storing<'a>),
}

/// The work of one statement.
#[derive(Clone, Copy)]
pub(crate) struct Backfill<'a> {
    pub(crate) manager: &'a Arc<TransactionManager>,
    pub(crate) interrupt: &'a Interrupt,
    /// The table as it is.
    pub(crate) was: &'a OpenTable,
    /// As it will be.
    pub(crate) now: &'a OpenTable,
    pub(crate) made: Made<'a>,
    pub(crate) keys: NewKeys<'a>,
    pub(crate) progress: &'a Progress,
    pub(crate) env: &'a Env,
}

fn row_of(table: &OpenTable, key: &[u8], value: &[u8], cx: &mut Cx<'_>) -> Result<Vec<Value>> {
    let columns: Vec<usize> = (0..table.columns.len()).collect();
    let mut row = vec![Value::Null; columns.len()];
    read_row(table, key, value, &columns, cx, &mut row)?;
    Ok(row)
}

/// The values of an old row as the new descriptor's columns have them, as far as they
/// are there: by the columns' ids.
fn moved(was: &OpenTable, now: &OpenTable, row: &[Value]) -> Vec<Option<Value>> {
    let old = was.descriptor();
    now.descriptor()
        .columns
        .iter()
        .map(|column| {
            old.columns.iter().position(|other| other.id == column.id).map(|at| row[at].clone())
        })
        .collect()
}

impl Backfill<'_> {
    /// Deletes all that was made.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn clear(&self) -> Result<()> {
        let cleared = async {
            let mut batch = WriteBatch::new();
            let table = self.now.descriptor();
            match self.made {
                Made::Entries(indexes, _) => {
                    for index in indexes {
                        let prefix = index.0.to_be_bytes();
                        let end = prefix_end(&prefix);
                        batch.delete_range(table.space(), &prefix, end.as_deref())?;
                        forget_scratch_index(table.id, *index, &mut batch)?;
                    }
                }
                Made::Rows(_) => {
                    batch.delete_range(table.space(), &[], None)?;
                    forget_scratch(table.id, &mut batch)?;
                }
            }
            self.manager.db().write(&batch).await
        };
        cleared.await.map(drop).map_err(|error| from_engine(&error))
    }

    /// Deletes entries that an earlier statement could not delete.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn begin_clean(&self) -> Result<()> {
        let Made::Entries(indexes, _) = self.made else { return Ok(()) };
        let cleared = async {
            let mut batch = WriteBatch::new();
            for index in indexes {
                let prefix = index.0.to_be_bytes();
                let end = prefix_end(&prefix);
                batch.delete_range(self.now.descriptor().space(), &prefix, end.as_deref())?;
            }
            self.manager.db().write(&batch).await
        };
        cleared.await.map(drop).map_err(|error| from_engine(&error))
    }

    /// About how many rows there are.
    pub(crate) fn estimated_rows(&self) -> u64 {
        self.was.estimated_rows(&self.manager.db().version())
    }

    /// Makes what is to be made of all rows that a snapshot sees; their number.
    ///
    /// # Errors
    /// 1062 for a duplicate, 3819 for a check, 1452 for a parent that is not there, what
    /// storing refuses, 1317, the engine's.
    pub(crate) async fn all(&self, snapshot: &Snapshot, cx: &mut Cx<'_>) -> Result<u64> {
        let mut after = Bytes::new();
        let mut rows = 0;
        loop {
            let chunk = self.chunk(snapshot, &after).await?;
            let Some((last, _)) = chunk.last() else { return Ok(rows) };
            after = successor(last);
            let mut transaction = self.begin()?;
            for (key, value) in &chunk {
                rows += 1;
                cx.row_number = rows;
                self.add(&mut transaction, key, value, rows, cx).await?;
            }
            transaction.commit().await.map_err(|error| from_transaction(&error))?;
            self.progress.advance(chunk.len() as u64);
        }
    }

    /// Brings what was made up from one snapshot to a later one: `keys` are those of rows
    /// that may differ. What goes, goes first: values may have moved from row to row.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub(crate) async fn follow(
        &self,
        from: &Snapshot,
        to: &Snapshot,
        keys: &[Bytes],
        cx: &mut Cx<'_>,
    ) -> Result<()> {
        for adds in [false, true] {
            for chunk in keys.chunks(CHUNK_ROWS) {
                let mut transaction = self.begin()?;
                let mut at = 0;
                // As many of them at a time as there is memory for.
                while at < chunk.len() {
                    let changed = self.changed(from, to, &chunk[at..]).await?;
                    at += changed.looked_at;
                    for (key, (before, after)) in &changed.rows {
                        match (adds, before, after) {
                            (false, Some(before), _) => {
                                self.remove(&mut transaction, key, before, cx).await?;
                            }
                            (true, _, Some(after)) => {
                                self.add(&mut transaction, key, after, 0, cx).await?;
                            }
                            _ => {}
                        }
                    }
                    let spilled = transaction.spill_if_large().await;
                    spilled.map_err(|error| from_transaction(&error))?;
                }
                transaction.commit().await.map_err(|error| from_transaction(&error))?;
                if adds {
                    self.progress.advance(chunk.len() as u64);
                }
            }
        }
        Ok(())
    }

    /// Rows that differ between two snapshots, among some of `keys`.
    async fn changed(&self, from: &Snapshot, to: &Snapshot, keys: &[Bytes]) -> Result<Changed> {
        const AT_ONCE: usize = 64;
        let keys = &keys[..keys.len().min(AT_ONCE)];
        let asked: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let space = self.was.descriptor().space();
        let before = from.get_many(space, &asked).await.map_err(engine_error)?;
        let after = to.get_many(space, &asked).await.map_err(engine_error)?;
        let pairs = keys.iter().cloned().zip(before.into_iter().zip(after));
        let rows = pairs.filter(|(_, (before, after))| before != after).collect();
        Ok(Changed { looked_at: keys.len(), rows })
    }

    /// A chunk of a table's rows, from `start` on.
    async fn chunk(&self, snapshot: &Snapshot, start: &Bytes) -> Result<Vec<(Bytes, Bytes)>> {
        let all = self.was.codec.row_index().all();
        let range = KeyRange { start: all.start.max(start.clone()), end: all.end };
        let scan = snapshot.scan(self.was.descriptor().space(), &range).await;
        let mut scan = scan.map_err(engine_error)?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < CHUNK_ROWS
            && bytes < CHUNK_BYTES
            && let Some((key, value)) = scan.next().await.map_err(engine_error)?
        {
            bytes += key.len() + value.len();
            rows.push((Bytes::copy_from_slice(key), Bytes::copy_from_slice(value)));
        }
        Ok(rows)
    }

    /// A transaction that needs no locks: nobody else knows of what it writes.
    fn begin(&self) -> Result<Transaction> {
        self.interrupt.check().map_err(|error| from_transaction(&error))?;
        let level = IsolationLevel::ReadCommitted;
        let mut transaction = self.manager.begin(NOBODY, level, self.interrupt.clone());
        transaction.cover(self.now.descriptor().space());
        self.keys.locked.iter().for_each(|space| transaction.cover(*space));
        Ok(transaction)
    }

    /// Makes what is to be made of a row, the `number`-th.
    async fn add(
        &self,
        transaction: &mut Transaction,
        key: &[u8],
        value: &[u8],
        number: u64,
        cx: &mut Cx<'_>,
    ) -> Result<()> {
        let reading = Reading::Locking(LockMode::Exclusive);
        let mut view = View::new(transaction, reading, LockWait::NoWait);
        let now = self.now;
        let stored = match self.made {
            Made::Entries(indexes, checks) => {
                // The new descriptor reads old rows, with the values of columns that came
                // later.
                let row = row_of(now, key, value, cx)?;
                for (name, condition) in now.checks.iter().filter(|(name, _)| checks.contains(name))
                {
                    if condition.eval_truth(cx, Row::new(&row))? == Some(false) {
                        let violated = code::ER_CHECK_CONSTRAINT_VIOLATED;
                        return Err(SqlError::new(violated, &[name.as_str().into()]));
                    }
                }
                let stored = Stored { key: key.to_vec(), values: write::in_utc(now, &row, cx) };
                view = view.relating(self.keys.relate);
                write::add_entries(&mut view, now, &stored, indexes).await?;
                stored
            }
            Made::Rows(storing) => {
                let stored = self.anew(storing, key, value, number, cx)?;
                if let Err(taken) = write::insert(&mut view, now, &stored).await? {
                    return Err(taken.error);
                }
                view = view.relating(self.keys.relate);
                stored
            }
        };
        foreign_key::check_named(&mut view, now, &stored, self.keys.names).await
    }

    /// Takes back what [`Self::add`] made of a row.
    async fn remove(
        &self,
        transaction: &mut Transaction,
        key: &[u8],
        value: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<()> {
        let reading = Reading::Locking(LockMode::Exclusive);
        let mut view = View::new(transaction, reading, LockWait::NoWait);
        let now = self.now;
        match self.made {
            Made::Entries(indexes, _) => {
                let row = row_of(now, key, value, cx)?;
                let stored = Stored { key: key.to_vec(), values: write::in_utc(now, &row, cx) };
                write::remove_entries(&mut view, now, &stored, indexes)
            }
            Made::Rows(storing) => {
                let key = self.anew(storing, key, value, 0, cx)?.key;
                // As it was stored: defaults need not be the same again.
                let Some(row) = write::current(&mut view, now, &key, cx).await? else {
                    return Err(crate::table::corrupt("a copied row is not in the copy"));
                };
                let stored = Stored { key, values: write::in_utc(now, &row, cx) };
                write::delete(&mut view, now, &stored).await
            }
        }
    }

    /// A row as the new descriptor has it.
    fn anew(
        &self,
        storing: &Storing<'_>,
        key: &[u8],
        value: &[u8],
        number: u64,
        cx: &mut Cx<'_>,
    ) -> Result<Stored> {
        let (was, now) = (self.was, self.now);
        let old = row_of(was, key, value, cx)?;
        let mut row = vec![Value::Null; now.columns.len()];
        let mut missing = Vec::new();
        for (at, given) in moved(was, now, &old).into_iter().enumerate() {
            let column = &now.descriptor().columns[at];
            if column.generated.is_some() {
                continue;
            }
            match given {
                Some(value) => {
                    row[at] = match was.node_of(column.id) {
                        Some(node) => storing.value(now, at, &node, value, cx)?,
                        None => value,
                    };
                }
                None => missing.push(at),
            }
        }
        for at in missing {
            let columns = row.clone();
            // A column without a default has zero, and nothing is said of it.
            row[at] = match now.defaults[at] {
                Default::None => storing.quiet_default(now, at),
                _ => storing.default(now, at, cx, Row::new(&columns))?,
            };
            // A new column with AUTO_INCREMENT numbers the rows.
            if now.auto_increment == Some(at) && row[at].is_null() {
                row[at] = if now.columns[at].ty.unsigned {
                    Value::UInt(number)
                } else {
                    Value::Int(number.cast_signed())
                };
            }
        }
        write::compute(now, storing, cx, &mut row)?;
        write::check(now, cx, &row)?;
        let values = write::in_utc(now, &row, cx);
        let number = match (was.descriptor().primary(), now.descriptor().primary()) {
            (_, Some(_)) => None,
            (None, None) => Some(firn_table::row_number(key).map_err(engine_error)?),
            (Some(_), None) => Some(number),
        };
        Ok(Stored { key: write::row_key(now, &values, number)?, values })
    }
}

/// What [`Backfill::changed`] found.
struct Changed {
    looked_at: usize,
    rows: BTreeMap<Bytes, (Option<Bytes>, Option<Bytes>)>,
}
