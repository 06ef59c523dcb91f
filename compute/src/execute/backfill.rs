//! The work of ALTER TABLE on rows, while nobody else uses the table.
//!
//! Rows are taken in chunks, each written by a transaction of its own: nothing of it is
//! seen before the catalog says so, since indexes that are being filled are read by
//! nobody and a copy has a space of its own. If it fails, or the process ends, what was
//! written is deleted as a range, now or by the next statement that fills the index.

use std::sync::Arc;

use bytes::Bytes;
use firn_engine::SpaceId;
use firn_engine::key::{KeyRange, successor};
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Row};
use firn_table::descriptor::IndexId;

use super::store::Storing;
use super::view::{Reading, Relate, View, engine_error};
use super::write::{self, Stored};
use super::{Result, foreign_key, read_row};
use crate::session::{from_engine, from_transaction};
use crate::table::OpenTable;
use crate::txn::{Interrupt, IsolationLevel, LockMode, LockWait, OwnerId, TransactionManager};

/// Rows that one transaction writes.
const CHUNK_ROWS: usize = 2_000;

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

/// What rows that are there need for a new descriptor.
#[derive(Clone, Copy)]
pub(crate) struct New<'a> {
    /// Indexes whose entries are made.
    pub(crate) indexes: &'a [IndexId],
    /// Names of checks.
    pub(crate) checks: &'a [String],
    /// Foreign keys.
    pub(crate) keys: NewKeys<'a>,
}

/// A chunk of a table's rows, behind `after`.
async fn chunk(
    manager: &Arc<TransactionManager>,
    table: &OpenTable,
    after: &Bytes,
) -> Result<Vec<(Bytes, Bytes)>> {
    let all = table.codec.row_index().all();
    let range = KeyRange { start: all.start.max(after.clone()), end: all.end };
    let scan = manager.db().scan(table.descriptor().space(), &range).await;
    scan.map_err(engine_error)?.collect(CHUNK_ROWS).await.map_err(engine_error)
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

/// Makes entries of new indexes for the rows that are there, and looks whether the rows
/// pass new checks.
///
/// # Errors
/// 1062 for a duplicate, 3819 for a check, 1452 for a parent that is not there, the
/// engine's.
pub(crate) async fn fill(
    manager: &Arc<TransactionManager>,
    interrupt: &Interrupt,
    was: &OpenTable,
    now: &OpenTable,
    new: &New<'_>,
    cx: &mut Cx<'_>,
) -> Result<u64> {
    clear(manager, now, new.indexes).await?;
    let filled = fill_all(manager, interrupt, was, now, new, cx).await;
    if filled.is_err() {
        clear(manager, now, new.indexes).await?;
    }
    filled
}

/// Deletes all entries of some indexes.
async fn clear(
    manager: &Arc<TransactionManager>,
    table: &OpenTable,
    indexes: &[IndexId],
) -> Result<()> {
    let space = table.descriptor().space();
    for index in indexes {
        let prefix = index.0.to_be_bytes();
        let end = firn_engine::key::prefix_end(&prefix);
        let deleted = manager.db().delete_range(space, &prefix, end.as_deref()).await;
        deleted.map_err(|error| from_engine(&error))?;
    }
    Ok(())
}

async fn fill_all(
    manager: &Arc<TransactionManager>,
    interrupt: &Interrupt,
    was: &OpenTable,
    now: &OpenTable,
    new: &New<'_>,
    cx: &mut Cx<'_>,
) -> Result<u64> {
    let New { indexes, checks, keys } = *new;
    let space = now.descriptor().space();
    let mut after = Bytes::new();
    let mut rows = 0;
    loop {
        let list = chunk(manager, was, &after).await?;
        let Some((last, _)) = list.last() else { return Ok(rows) };
        after = successor(last);
        let begun = manager.begin(NOBODY, IsolationLevel::ReadCommitted, interrupt.clone());
        let mut transaction = begun;
        transaction.cover(space);
        keys.locked.iter().for_each(|space| transaction.cover(*space));
        let mut view =
            View::new(&mut transaction, Reading::Locking(LockMode::Exclusive), LockWait::NoWait)
                .relating(keys.relate);
        for (key, value) in &list {
            rows += 1;
            cx.row_number = rows;
            // The new descriptor reads old rows, with the values of columns that came later.
            let row = row_of(now, key, value, cx)?;
            for (name, condition) in now.checks.iter().filter(|(name, _)| checks.contains(name)) {
                if condition.eval_truth(cx, Row::new(&row))? == Some(false) {
                    let violated = code::ER_CHECK_CONSTRAINT_VIOLATED;
                    return Err(SqlError::new(violated, &[name.as_str().into()]));
                }
            }
            let values = write::in_utc(now, &row, cx);
            let stored = Stored { key: key.to_vec(), values };
            write::add_entries(&mut view, now, &stored, indexes).await?;
            foreign_key::check_named(&mut view, now, &stored, keys.names).await?;
        }
        transaction.commit().await.map_err(|error| from_transaction(&error))?;
    }
}

/// Writes all rows anew, into the space of the new descriptor.
///
/// # Errors
/// What storing refuses, 1062, 3819, the engine's.
pub(crate) async fn copy(
    manager: &Arc<TransactionManager>,
    interrupt: &Interrupt,
    was: &OpenTable,
    now: &OpenTable,
    storing: &Storing<'_>,
    keys: &NewKeys<'_>,
    cx: &mut Cx<'_>,
) -> Result<u64> {
    let copied = copy_all(manager, interrupt, was, now, storing, keys, cx).await;
    if copied.is_err() {
        let space = now.descriptor().space();
        let deleted = manager.db().delete_range(space, &[], None).await;
        deleted.map_err(|error| from_engine(&error))?;
    }
    copied
}

async fn copy_all(
    manager: &Arc<TransactionManager>,
    interrupt: &Interrupt,
    was: &OpenTable,
    now: &OpenTable,
    storing: &Storing<'_>,
    keys: &NewKeys<'_>,
    cx: &mut Cx<'_>,
) -> Result<u64> {
    let space = now.descriptor().space();
    let mut after = Bytes::new();
    let mut rows: u64 = 0;
    loop {
        let list = chunk(manager, was, &after).await?;
        let Some((last, _)) = list.last() else { return Ok(rows) };
        after = successor(last);
        let begun = manager.begin(NOBODY, IsolationLevel::ReadCommitted, interrupt.clone());
        let mut transaction = begun;
        transaction.cover(space);
        keys.locked.iter().for_each(|space| transaction.cover(*space));
        let wait = LockWait::NoWait;
        for (key, value) in &list {
            let mut view = View::new(&mut transaction, Reading::Locking(LockMode::Exclusive), wait);
            rows += 1;
            cx.row_number = rows;
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
                        let from = was.node_of(column.id);
                        row[at] = match from {
                            Some(node) => storing.value(now, at, &node, value, cx)?,
                            None => value,
                        };
                    }
                    None => missing.push(at),
                }
            }
            for at in missing {
                let columns = row.clone();
                row[at] = storing.default(now, at, cx, Row::new(&columns))?;
                // A new column with AUTO_INCREMENT numbers the rows.
                if now.auto_increment == Some(at) && row[at].is_null() {
                    row[at] = if now.columns[at].ty.unsigned {
                        Value::UInt(rows)
                    } else {
                        Value::Int(rows.cast_signed())
                    };
                }
            }
            write::complete(now, storing, cx, &mut row)?;
            let values = write::in_utc(now, &row, cx);
            let number = now.descriptor().primary().is_none().then_some(rows);
            let stored = Stored { key: write::row_key(now, &values, number)?, values };
            if let Err(taken) = write::insert(&mut view, now, &stored).await? {
                return Err(taken.error);
            }
            let mut view = view.relating(keys.relate);
            foreign_key::check_named(&mut view, now, &stored, keys.names).await?;
        }
        transaction.commit().await.map_err(|error| from_transaction(&error))?;
    }
}
