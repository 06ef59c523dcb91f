//! What the names of a query turned out to mean, as its view keeps them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A column by the table's name in the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedColumn {
    /// The database, unless the table has a name of its own in the query.
    pub(crate) schema: Option<Arc<str>>,
    /// The table.
    pub(crate) table: Arc<str>,
    /// The column.
    pub(crate) column: Arc<str>,
}

/// An item of a result: the column that it is, if it is one, and its name.
pub(crate) type ResolvedItem = (Option<ResolvedColumn>, Box<str>);

/// Names of a query, by the places in memory of what they stand in: the tree must not
/// move between binding and printing.
#[derive(Debug, Default)]
pub(crate) struct Resolutions {
    columns: RefCell<BTreeMap<usize, ResolvedColumn>>,
    items: RefCell<BTreeMap<usize, Vec<ResolvedItem>>>,
    tables: RefCell<BTreeMap<usize, Arc<str>>>,
    data_types: RefCell<BTreeMap<usize, String>>,
    joins: RefCell<BTreeMap<usize, Vec<(ResolvedColumn, ResolvedColumn)>>>,
}

/// What stands for a part of a tree.
fn place<T>(part: &T) -> usize {
    std::ptr::from_ref(part) as usize
}

impl Resolutions {
    /// A name is a column.
    pub(crate) fn column<T>(&self, name: &T, column: ResolvedColumn) {
        self.columns.borrow_mut().insert(place(name), column);
    }

    /// An item of a select list is these columns of the result.
    pub(crate) fn item<T>(&self, item: &T, columns: Vec<(Option<ResolvedColumn>, Box<str>)>) {
        self.items.borrow_mut().insert(place(item), columns);
    }

    /// A table is of a database.
    pub(crate) fn table<T>(&self, table: &T, schema: Arc<str>) {
        self.tables.borrow_mut().insert(place(table), schema);
    }

    /// A column of JSON_TABLE has this type.
    pub(crate) fn data_type<T>(&self, column: &T, text: String) {
        self.data_types.borrow_mut().insert(place(column), text);
    }

    /// USING and NATURAL compare these.
    pub(crate) fn join<T>(&self, join: &T, pairs: Vec<(ResolvedColumn, ResolvedColumn)>) {
        self.joins.borrow_mut().insert(place(join), pairs);
    }

    pub(super) fn column_of<T>(&self, name: &T) -> Option<ResolvedColumn> {
        self.columns.borrow().get(&place(name)).cloned()
    }

    pub(super) fn item_of<T>(&self, item: &T) -> Vec<(Option<ResolvedColumn>, Box<str>)> {
        self.items.borrow().get(&place(item)).cloned().unwrap_or_default()
    }

    pub(super) fn table_of<T>(&self, table: &T) -> Option<Arc<str>> {
        self.tables.borrow().get(&place(table)).cloned()
    }

    pub(super) fn data_type_of<T>(&self, column: &T) -> String {
        self.data_types.borrow().get(&place(column)).cloned().unwrap_or_default()
    }

    pub(super) fn join_of<T>(&self, join: &T) -> Vec<(ResolvedColumn, ResolvedColumn)> {
        self.joins.borrow().get(&place(join)).cloned().unwrap_or_default()
    }
}
