//! One row into a table or out of it, with the entries of its indexes.
//!
//! The order within one row: lock the keys that have to be free, look whether they
//! are, then write. All of it is in the transaction: nothing is seen by others
//! before the commit, and a statement that fails takes back what it wrote.

use bytes::Bytes;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Row};
use firn_mysql_semantics::{TypeKind, Value};
use firn_table::descriptor::IndexId;
use firn_table::key::IndexCodec;

use super::view::{View, engine_error};
use super::{Result, foreign_key, read_row};
use crate::table::OpenTable;
use crate::zone;

/// A row as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Its key.
    pub(crate) key: Vec<u8>,
    /// Its values, TIMESTAMPs in UTC.
    pub(crate) values: Vec<Value>,
}

/// What stands in the way of a row.
#[derive(Debug)]
pub(crate) struct Duplicate {
    /// 1062, with the values and the key's name.
    pub(crate) error: SqlError,
    /// The key of the row that has them.
    pub(crate) row_key: Bytes,
    /// The index that has them.
    pub(crate) index: IndexId,
}

/// The values of a row of the session, as they are stored.
pub(crate) fn in_utc(table: &OpenTable, row: &[Value], cx: &mut Cx<'_>) -> Vec<Value> {
    let columns = table.columns.iter().zip(row);
    columns
        .map(|(column, value)| match column.ty.kind {
            TypeKind::Timestamp => zone::to_utc(value.clone(), cx),
            _ => value.clone(),
        })
        .collect()
}

/// Computes stored generated columns, and those that indexes need.
///
/// # Errors
/// Those of evaluating and storing.
pub(crate) fn compute(
    table: &OpenTable,
    storing: &super::store::Storing<'_>,
    cx: &mut Cx<'_>,
    row: &mut [Value],
) -> Result<()> {
    // In the order of the columns: each may need those before it, of either kind.
    let mut stored = table.stored_generated.iter().peekable();
    let mut others = table.virtual_columns().iter().peekable();
    loop {
        let is_stored = match (stored.peek(), others.peek()) {
            (Some(one), Some(other)) => one.column < other.column,
            (one, _) => one.is_some(),
        };
        let next = if is_stored { stored.next() } else { others.next() };
        let Some(generated) = next else { return Ok(()) };
        let value = generated.node.run(cx, Row::new(row))?.into_owned();
        row[generated.column] =
            storing.value(table, generated.column, &generated.node, value, cx)?;
    }
}

/// Looks at the CHECK constraints.
///
/// # Errors
/// 3819 for one that does not hold, and those of evaluating.
pub(crate) fn check(table: &OpenTable, cx: &mut Cx<'_>, row: &[Value]) -> Result<()> {
    for (name, condition) in &table.checks {
        // NULL is no violation.
        if condition.eval_truth(cx, Row::new(row))? == Some(false) {
            return Err(SqlError::new(code::ER_CHECK_CONSTRAINT_VIOLATED, &[name.as_str().into()]));
        }
    }
    Ok(())
}

/// Puts a new row into the table.
///
/// # Errors
/// The engine's and the transaction's.
pub(crate) async fn insert(
    view: &mut View<'_>,
    table: &OpenTable,
    row: &Stored,
) -> Result<Result<(), Duplicate>> {
    let space = table.descriptor().space();
    foreign_key::check_parents(view, table, row, None).await?;
    // Hidden numbers are never given twice.
    if table.descriptor().primary().is_some() && view.vacant(space, &row.key).await?.is_some() {
        let error = duplicate(table, table.codec.row_index(), &row.values);
        let row_key = row.key.clone().into();
        return Ok(Err(Duplicate { error, row_key, index: IndexId::ROWS }));
    }
    let mut entries = Vec::with_capacity(table.codec.indexes().len());
    for codec in table.codec.indexes() {
        let (key, exclusive) = entry_key(codec, row)?;
        if let Some(taken) = taken(view, table, codec, &key, exclusive, row).await? {
            return Ok(Err(taken));
        }
        entries.push((codec, key, exclusive));
    }
    overtakes(view, table, &row.key).await?;
    for (codec, key, exclusive) in entries {
        let value = entry_value(codec, row, exclusive)?;
        view.put(space, &key, value)?;
    }
    let mut value = Vec::with_capacity(64);
    table.codec.rows().write(&row.values, &mut value).map_err(engine_error)?;
    view.put(space, &row.key, value)?;
    Ok(Ok(()))
}

/// Adds the entries of some indexes for a row that is there.
///
/// # Errors
/// 1062 if a unique one has its key already, and the engine's.
pub(crate) async fn add_entries(
    view: &mut View<'_>,
    table: &OpenTable,
    row: &Stored,
    indexes: &[IndexId],
) -> Result<()> {
    let space = table.descriptor().space();
    for codec in table.codec.indexes().iter().filter(|codec| indexes.contains(&codec.id())) {
        let (key, exclusive) = entry_key(codec, row)?;
        if let Some(taken) = taken(view, table, codec, &key, exclusive, row).await? {
            return Err(taken.error);
        }
        let value = entry_value(codec, row, exclusive)?;
        view.put(space, &key, value)?;
    }
    Ok(())
}

/// Takes away the entries of some indexes for a row; nobody else knows of these indexes.
///
/// # Errors
/// The engine's and the transaction's.
pub(crate) fn remove_entries(
    view: &mut View<'_>,
    table: &OpenTable,
    row: &Stored,
    indexes: &[IndexId],
) -> Result<()> {
    let space = table.descriptor().space();
    for codec in table.codec.indexes().iter().filter(|codec| indexes.contains(&codec.id())) {
        view.delete(space, &entry_key(codec, row)?.0)?;
    }
    Ok(())
}

/// Called before a locked row is changed: whether all its entries have to be put.
async fn overtakes(view: &mut View<'_>, table: &OpenTable, key: &[u8]) -> Result<bool> {
    // Without indexes nothing finds a row but by its key.
    if table.codec.indexes().is_empty() {
        return Ok(false);
    }
    view.overtakes(table.descriptor().space(), key).await
}

/// Takes a row, which is locked, out of the table.
///
/// # Errors
/// The engine's and the transaction's.
pub(crate) async fn delete(view: &mut View<'_>, table: &OpenTable, row: &Stored) -> Result<()> {
    let space = table.descriptor().space();
    overtakes(view, table, &row.key).await?;
    for codec in table.codec.indexes() {
        let (key, exclusive) = entry_key(codec, row)?;
        if exclusive {
            // Who wants the value waits until it is decided whether it is free.
            view.lock_exclusive(space, &key).await?;
        }
        view.delete(space, &key)?;
    }
    view.delete(space, &row.key)
}

/// Puts `new` in the place of `old`, which is locked.
///
/// # Errors
/// The engine's and the transaction's.
pub(crate) async fn replace(
    view: &mut View<'_>,
    table: &OpenTable,
    old: &Stored,
    new: &Stored,
) -> Result<Result<(), Duplicate>> {
    let space = table.descriptor().space();
    let moved = old.key != new.key;
    foreign_key::check_parents(view, table, new, Some(old)).await?;
    if moved && view.vacant(space, &new.key).await?.is_some() {
        let error = duplicate(table, table.codec.row_index(), &new.values);
        let row_key = new.key.clone().into();
        return Ok(Err(Duplicate { error, row_key, index: IndexId::ROWS }));
    }
    let overtaken = overtakes(view, table, &old.key).await?;
    if moved {
        overtakes(view, table, &new.key).await?;
    }
    let mut changed = Vec::new();
    for codec in table.codec.indexes() {
        let (before, was_exclusive) = entry_key(codec, old)?;
        let (after, exclusive) = entry_key(codec, new)?;
        if before != after {
            if was_exclusive {
                view.lock_exclusive(space, &before).await?;
            }
            if let Some(taken) = taken(view, table, codec, &after, exclusive, new).await? {
                return Ok(Err(taken));
            }
        }
        let value = entry_value(codec, new, exclusive)?;
        let same = before == after && entry_value(codec, old, was_exclusive)? == value;
        if same && !overtaken {
            continue;
        }
        changed.push((before, after, value));
    }
    for (before, after, value) in changed {
        if before != after {
            view.delete(space, &before)?;
        }
        view.put(space, &after, value)?;
    }
    if moved {
        view.delete(space, &old.key)?;
    }
    let mut value = Vec::with_capacity(64);
    table.codec.rows().write(&new.values, &mut value).map_err(engine_error)?;
    view.put(space, &new.key, value)?;
    Ok(Ok(()))
}

/// The row at a key, as it is now.
///
/// # Errors
/// The engine's.
pub(crate) async fn current(
    view: &mut View<'_>,
    table: &OpenTable,
    key: &[u8],
    cx: &mut Cx<'_>,
) -> Result<Option<Vec<Value>>> {
    let space = table.descriptor().space();
    let Some(value) = view.current(space, key).await? else { return Ok(None) };
    let columns: Vec<usize> = (0..table.columns.len()).collect();
    let mut row = vec![Value::Null; columns.len()];
    read_row(table, key, &value, &columns, cx, &mut row)?;
    Ok(Some(row))
}

/// The key of a row with these values; of rows without a primary key, `number` is it.
///
/// # Errors
/// 1071 and such, if it is too long.
pub(crate) fn row_key(table: &OpenTable, values: &[Value], number: Option<u64>) -> Result<Vec<u8>> {
    let mut key = Vec::with_capacity(16);
    match number {
        Some(number) => firn_table::row_number_key(number, &mut key),
        None => table.codec.row_index().row_key(values, &mut key).map_err(engine_error)?,
    }
    Ok(key)
}

fn entry_key(codec: &IndexCodec, row: &Stored) -> Result<(Vec<u8>, bool)> {
    let mut key = Vec::with_capacity(32);
    let exclusive = codec.entry_key(&row.values, &row.key, &mut key).map_err(engine_error)?;
    Ok((key, exclusive))
}

fn entry_value(codec: &IndexCodec, row: &Stored, exclusive: bool) -> Result<Vec<u8>> {
    let mut value = Vec::new();
    codec.entry_value(&row.values, &row.key, exclusive, &mut value).map_err(engine_error)?;
    Ok(value)
}

/// Makes ready for an entry: the row that has its key already, if others must not.
async fn taken(
    view: &mut View<'_>,
    table: &OpenTable,
    codec: &IndexCodec,
    key: &[u8],
    exclusive: bool,
    row: &Stored,
) -> Result<Option<Duplicate>> {
    let space = table.descriptor().space();
    if !exclusive {
        view.intend(space, key).await?;
        return Ok(None);
    }
    let Some(value) = view.vacant(space, key).await? else { return Ok(None) };
    let entry = codec.read(key, &value).map_err(engine_error)?;
    let mut row_key = Vec::with_capacity(16);
    entry.row_key(&mut row_key);
    let error = duplicate(table, codec, &row.values);
    Ok(Some(Duplicate { error, row_key: row_key.into(), index: codec.id() }))
}

/// 1062
fn duplicate(table: &OpenTable, codec: &IndexCodec, values: &[Value]) -> SqlError {
    let descriptor = table.descriptor();
    let index = descriptor.indexes.iter().find(|index| index.id == codec.id());
    let mut shown = String::new();
    for part in 0..codec.parts() {
        let Some(column) = codec.column(part) else { continue };
        if part > 0 {
            shown.push('-');
        }
        let prefix = index.and_then(|index| index.parts.get(part)?.prefix_len);
        let value = match prefix {
            Some(length) => &super::shown::prefix(table, column, &values[column], length),
            None => &values[column],
        };
        shown.push_str(&super::shown::in_duplicate(table, column, value));
    }
    let name = index.map_or("?", |index| index.name.as_str());
    SqlError::duplicate_entry(&shown, &format!("{}.{name}", descriptor.name))
}
