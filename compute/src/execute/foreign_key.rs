//! Foreign keys: parents that have to be there, children that follow.
//!
//! A child is checked before it is written, and before its keys are; a row may refer to
//! itself. Its parent is locked for reading until the transaction ends, so that it
//! cannot go meanwhile. A parent's children are dealt with before it goes.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

use firn_engine::key::KeyRange;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Cx;
use firn_mysql_semantics::{TypeKind, Value};
use firn_table::descriptor::{ForeignKey, IndexId, IndexState, ReferentialAction, TableDescriptor};
use firn_table::key::IndexCodec;

use super::Result;
use super::view::{View, engine_error};
use super::write::{self, Stored};
use crate::table::OpenTable;
use crate::zone;

/// Rows that hang on each other: one that cascades further than this is refused.
const DEPTH_MAX: usize = 15;

/// The foreign keys of a table and to it.
#[derive(Debug, Default)]
pub(crate) struct Relations {
    /// Its own.
    pub(crate) parents: Vec<Link>,
    /// Those of tables that refer to it.
    pub(crate) children: Vec<Link>,
}

/// One foreign key, from the table that it is looked at from.
#[derive(Debug)]
pub(crate) struct Link {
    key: ForeignKey,
    /// The child, with the key's columns.
    child: Arc<TableDescriptor>,
    /// The table on the other side; `None` if there is none.
    pub(crate) other: Option<Arc<OpenTable>>,
    /// The key's columns here.
    own: Vec<usize>,
    /// And there.
    others: Vec<usize>,
    /// The index there that has them first.
    index: IndexId,
}

impl Relations {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.parents.is_empty() && self.children.is_empty()
    }
}

/// Places of columns by name.
fn named(table: &TableDescriptor, names: &[String]) -> Option<Vec<usize>> {
    names.iter().map(|name| table.column_named(name)).collect()
}

/// The index that has these columns first, in any order of `columns`.
fn index_on(table: &TableDescriptor, columns: &[usize]) -> Option<IndexId> {
    let ids: Vec<_> = columns.iter().map(|at| table.columns[*at].id).collect();
    let fits = |index: &&firn_table::descriptor::IndexDescriptor| {
        index.state == IndexState::Public
            && index.parts.len() >= ids.len()
            && index
                .parts
                .iter()
                .zip(&ids)
                .all(|(part, id)| part.column == *id && part.prefix_len.is_none())
    };
    table.indexes.iter().find(fits).map(|index| index.id)
}

impl Link {
    /// A table's own foreign key.
    pub(crate) fn to_parent(
        child: &Arc<TableDescriptor>,
        key: &ForeignKey,
        parent: Option<Arc<OpenTable>>,
    ) -> Option<Self> {
        let own =
            key.columns.iter().map(|id| child.columns.iter().position(|column| column.id == *id));
        let own: Vec<usize> = own.collect::<Option<_>>()?;
        let (others, index) = match &parent {
            Some(parent) => {
                let others = named(parent.descriptor(), &key.parent_columns)?;
                let index = index_on(parent.descriptor(), &others)?;
                (others, index)
            }
            None => (Vec::new(), IndexId::ROWS),
        };
        Some(Self { key: key.clone(), child: Arc::clone(child), other: parent, own, others, index })
    }

    /// Another table's foreign key to `parent`.
    pub(crate) fn to_child(
        parent: &TableDescriptor,
        key: &ForeignKey,
        child: Arc<OpenTable>,
    ) -> Option<Self> {
        let own = named(parent, &key.parent_columns)?;
        let descriptor = Arc::clone(child.descriptor());
        let others: Vec<usize> = key
            .columns
            .iter()
            .map(|id| descriptor.columns.iter().position(|column| column.id == *id))
            .collect::<Option<_>>()?;
        let index = index_on(&descriptor, &others)?;
        let other = Some(child);
        Some(Self { key: key.clone(), child: descriptor, other, own, others, index })
    }

    /// The definition, as errors show it.
    fn shown(&self) -> String {
        let list = |names: &[&str]| {
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        let child = &self.child;
        let columns: Vec<&str> = self
            .key
            .columns
            .iter()
            .filter_map(|id| child.column(*id))
            .map(|column| column.name.as_str())
            .collect();
        let parents: Vec<&str> = self.key.parent_columns.iter().map(String::as_str).collect();
        let parent = if self.key.parent_schema == child.schema {
            format!("`{}`", self.key.parent_table)
        } else {
            format!("`{}`.`{}`", self.key.parent_schema, self.key.parent_table)
        };
        let mut text = format!(
            "`{}`.`{}`, CONSTRAINT `{}` FOREIGN KEY ({}) REFERENCES {parent} ({})",
            child.schema,
            child.name,
            self.key.name,
            list(&columns),
            list(&parents),
        );
        for (event, action) in [("DELETE", self.key.on_delete), ("UPDATE", self.key.on_update)] {
            let action = match action {
                ReferentialAction::NoAction => continue,
                ReferentialAction::Restrict => "RESTRICT",
                ReferentialAction::Cascade => "CASCADE",
                ReferentialAction::SetNull => "SET NULL",
                ReferentialAction::SetDefault => "SET DEFAULT",
            };
            text.push_str(&format!(" ON {event} {action}"));
        }
        format!(" ({text})")
    }
}

/// The values of a key's columns; `None` if one of them is NULL.
fn values_of(row: &[Value], columns: &[usize]) -> Option<Vec<Value>> {
    let values: Vec<Value> = columns.iter().map(|at| row[*at].clone()).collect();
    (!values.iter().any(Value::is_null)).then_some(values)
}

/// Looks whether the parents of a row that is to be written are there.
///
/// # Errors
/// 1452, the engine's and the locks'.
pub(crate) async fn check_parents(
    view: &mut View<'_>,
    table: &OpenTable,
    new: &Stored,
    old: Option<&Stored>,
) -> Result<()> {
    check(view, table, new, old, |_| true).await
}

/// The same for some of the foreign keys, of a row that was there before them.
///
/// # Errors
/// As [`check_parents`].
pub(crate) async fn check_named(
    view: &mut View<'_>,
    table: &OpenTable,
    row: &Stored,
    names: &[String],
) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    check(view, table, row, None, |key| names.contains(&key.name)).await
}

async fn check(
    view: &mut View<'_>,
    table: &OpenTable,
    new: &Stored,
    old: Option<&Stored>,
    is_meant: impl Fn(&ForeignKey) -> bool,
) -> Result<()> {
    let Some(relations) = view.relations(table)? else { return Ok(()) };
    for link in relations.parents.iter().filter(|link| is_meant(&link.key)) {
        let Some(values) = values_of(&new.values, &link.own) else { continue };
        if old.and_then(|old| values_of(&old.values, &link.own)).as_ref() == Some(&values) {
            continue;
        }
        let found = match &link.other {
            Some(parent) => {
                is_own_parent(table, parent, link, new, &values)?
                    || has_parent(view, parent, link, &values).await?
            }
            None => false,
        };
        if !found {
            return Err(SqlError::new(
                code::ER_NO_REFERENCED_ROW_2,
                &[link.shown().as_str().into()],
            ));
        }
    }
    Ok(())
}

fn codec<'t>(table: &'t OpenTable, link: &Link) -> &'t IndexCodec {
    table.codec.index(link.index).unwrap_or(table.codec.row_index())
}

/// Whether a row is its own parent.
fn is_own_parent(
    table: &OpenTable,
    parent: &OpenTable,
    link: &Link,
    row: &Stored,
    values: &[Value],
) -> Result<bool> {
    if parent.descriptor().id != table.descriptor().id {
        return Ok(false);
    }
    let codec = codec(parent, link);
    let range = codec.range(values, Bound::Unbounded, Bound::Unbounded).map_err(engine_error)?;
    lies_in(codec, &range, row)
}

/// Whether a row's entry is within a range of an index: its values are equal as the index
/// compares them.
fn lies_in(codec: &IndexCodec, range: &KeyRange, row: &Stored) -> Result<bool> {
    if codec.id() == IndexId::ROWS {
        return Ok(range.contains(&row.key));
    }
    let mut key = Vec::with_capacity(32);
    codec.entry_key(&row.values, &row.key, &mut key).map_err(engine_error)?;
    Ok(range.contains(&key))
}

async fn has_parent(
    view: &mut View<'_>,
    parent: &OpenTable,
    link: &Link,
    values: &[Value],
) -> Result<bool> {
    let codec = codec(parent, link);
    let space = parent.descriptor().space();
    let range = codec.range(values, Bound::Unbounded, Bound::Unbounded).map_err(engine_error)?;
    // A row that is being deleted by another transaction is waited for.
    loop {
        let found = match view.first(space, &range).await? {
            Some(found) => Some(found),
            // One that another transaction has inserted and not committed is waited for.
            None => {
                view.await_inserts(space, &range).await?;
                view.first(space, &range).await?
            }
        };
        let Some((key, _)) = found else { return Ok(false) };
        view.lock_shared(space, &key).await?;
        if view.current(space, &key).await?.is_some() {
            return Ok(true);
        }
    }
}

/// Deletes a row, which is locked, and what hangs on it.
///
/// # Errors
/// 1451, the engine's and the locks'.
pub(crate) async fn delete(
    view: &mut View<'_>,
    table: &OpenTable,
    row: &Stored,
    cx: &mut Cx<'_>,
) -> Result<()> {
    follow(view, table, row, None, cx, 0).await?;
    write::delete(view, table, row).await
}

/// Deals with the children of a row that goes, or becomes `new`.
///
/// # Errors
/// 1451, the engine's and the locks'.
pub(crate) async fn follow(
    view: &mut View<'_>,
    table: &OpenTable,
    old: &Stored,
    new: Option<&Stored>,
    cx: &mut Cx<'_>,
    depth: usize,
) -> Result<()> {
    let Some(relations) = view.relations(table)? else { return Ok(()) };
    for link in &relations.children {
        let Some(values) = values_of(&old.values, &link.own) else { continue };
        let next: Option<Vec<Value>> =
            new.map(|new| link.own.iter().map(|at| new.values[*at].clone()).collect());
        if next.as_ref() == Some(&values) {
            continue;
        }
        let Some(child) = &link.other else { continue };
        let action = if new.is_some() { link.key.on_update } else { link.key.on_delete };
        let rows = children(view, child, link, &values, cx).await?;
        for row in rows {
            // A row that refers to itself goes with itself.
            if child.descriptor().id == table.descriptor().id && row.key == old.key {
                continue;
            }
            let refused =
                || SqlError::new(code::ER_ROW_IS_REFERENCED_2, &[link.shown().as_str().into()]);
            if depth >= DEPTH_MAX {
                return Err(refused());
            }
            view.make_room().await?;
            match (action, &next) {
                (ReferentialAction::Cascade, None) => {
                    Box::pin(follow(view, child, &row, None, cx, depth + 1)).await?;
                    write::delete(view, child, &row).await?;
                }
                (ReferentialAction::Cascade, Some(next)) => {
                    let changed = link.others.iter().copied().zip(next.iter().cloned());
                    let given: Vec<_> = changed.collect();
                    Box::pin(set(view, child, link, row, &given, cx, depth + 1)).await?;
                }
                (ReferentialAction::SetNull, _) => {
                    let given: Vec<_> = link.others.iter().map(|at| (*at, Value::Null)).collect();
                    Box::pin(set(view, child, link, row, &given, cx, depth + 1)).await?;
                }
                _ => return Err(refused()),
            }
        }
    }
    Ok(())
}

/// The rows of a child that refer to these values, locked.
async fn children(
    view: &mut View<'_>,
    child: &OpenTable,
    link: &Link,
    values: &[Value],
    cx: &mut Cx<'_>,
) -> Result<Vec<Stored>> {
    let codec = codec(child, link);
    let space = child.descriptor().space();
    let range = codec.range(values, Bound::Unbounded, Bound::Unbounded).map_err(engine_error)?;
    let direct = codec.id() == IndexId::ROWS;
    let mut entries = view.scan(space, &range, false, direct).await?;
    let mut keys: VecDeque<Vec<u8>> = VecDeque::new();
    while let Some((key, value)) = entries.next(view).await? {
        if direct {
            keys.push_back(key.to_vec());
            continue;
        }
        let mut row_key = Vec::with_capacity(16);
        codec.read(key, value).map_err(engine_error)?.row_key(&mut row_key);
        keys.push_back(row_key);
    }
    let mut rows = Vec::with_capacity(keys.len());
    for key in keys {
        view.lock(space, &key).await?;
        let Some(row) = write::current(view, child, &key, cx).await? else { continue };
        let row = Stored { key, values: write::in_utc(child, &row, cx) };
        if lies_in(codec, &range, &row)? {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Gives some columns of a child's row other values, as `link` asks: its parent is about to
/// have them, and is not looked for.
async fn set(
    view: &mut View<'_>,
    child: &OpenTable,
    link: &Link,
    old: Stored,
    given: &[(usize, Value)],
    cx: &mut Cx<'_>,
    depth: usize,
) -> Result<()> {
    let mut values = old.values.clone();
    for (at, value) in given {
        if value.is_null() && !child.columns[*at].ty.nullable {
            return Err(SqlError::bad_null(&child.columns[*at].name));
        }
        values[*at] = value.clone();
    }
    // What is computed of them changes, too.
    let mut local: Vec<Value> = Vec::with_capacity(values.len());
    for (column, value) in child.columns.iter().zip(&values) {
        local.push(zone::from_utc(value.clone(), &column.ty, cx));
    }
    for generated in child.stored_generated.iter().chain(child.virtual_columns()) {
        let at = generated.column;
        local[at] = super::store::computed(child, generated, cx, &local)?;
        values[at] = match child.columns[at].ty.kind {
            TypeKind::Timestamp => zone::to_utc(local[at].clone(), cx),
            _ => local[at].clone(),
        };
    }
    let key = match child.descriptor().primary() {
        Some(_) => write::row_key(child, &values, None)?,
        None => old.key.clone(),
    };
    let new = Stored { key, values };
    Box::pin(follow(view, child, &old, Some(&new), cx, depth)).await?;
    check(view, child, &new, Some(&old), |key| key.name != link.key.name).await?;
    match write::put_instead(view, child, &old, &new).await? {
        Ok(()) => Ok(()),
        Err(taken) => Err(taken.error),
    }
}
