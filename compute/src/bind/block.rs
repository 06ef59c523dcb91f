//! What one query block gathers while it is bound: the subqueries in it, and what it
//! takes from the query around it.

use std::cell::RefCell;

use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Column, Node, Op};

use super::BoundSubquery;

/// Places from here on are those of the query around, until the block is bound: then
/// they follow the others in the flat row.
pub(super) const OUTER: usize = usize::MAX / 2;

/// A query block that is being bound.
#[derive(Default)]
pub(crate) struct Block {
    /// Columns of the query around it, in the order of their places here.
    outer: RefCell<Vec<Column>>,
    /// Subqueries in its expressions.
    subqueries: RefCell<Vec<BoundSubquery>>,
    /// What binding them has to warn of.
    warnings: RefCell<Vec<SqlError>>,
    /// Tables and columns in the order of `*`, if that is not the order of FROM.
    star: RefCell<Vec<(usize, usize)>>,
    /// Expressions of tables have none.
    pub(crate) without_queries: bool,
}

impl Block {
    /// For expressions that can have no subqueries.
    pub(crate) fn without_queries() -> Self {
        Self { without_queries: true, ..Self::default() }
    }

    /// Tables and columns in the order of `*`.
    pub(super) fn order_star(&self, star: &[(usize, usize)]) {
        if !star.is_sorted() {
            self.star.replace(star.to_vec());
        }
    }

    /// The place of a column in `*`, where that is not the order of FROM.
    pub(super) fn star_place(&self, table: usize, column: usize) -> Option<usize> {
        self.star.borrow().iter().position(|one| *one == (table, column))
    }

    /// A column of the query around, as this block reads it.
    pub(super) fn import(&self, column: Column) -> Column {
        let mut list = self.outer.borrow_mut();
        let known = list.iter().position(|one| one.index == column.index);
        let at = known.unwrap_or_else(|| {
            list.push(column.clone());
            list.len() - 1
        });
        Column { index: OUTER + at, ..column }
    }

    pub(super) fn add(&self, subquery: BoundSubquery, warnings: Vec<SqlError>) {
        self.subqueries.borrow_mut().push(subquery);
        self.warnings.borrow_mut().extend(warnings);
    }

    /// Adds a warning.
    pub(super) fn warn(&self, warning: SqlError) {
        self.warnings.borrow_mut().push(warning);
    }

    /// What was taken from the query around.
    pub(super) fn take_outer(&self) -> Vec<Column> {
        self.outer.take()
    }

    /// The subqueries.
    pub(crate) fn take_subqueries(&self) -> Vec<BoundSubquery> {
        self.subqueries.take()
    }

    pub(super) fn take_warnings(&self) -> Vec<SqlError> {
        self.warnings.take()
    }
}

/// Gives the places of the query around theirs in the flat row, from `start` on.
pub(super) fn place_outer(node: &mut Node, start: usize) {
    if let Op::Column(column) = &mut node.op
        && column.index >= OUTER
    {
        column.index = column.index - OUTER + start;
    }
    node.args.iter_mut().for_each(|arg| place_outer(arg, start));
}
