//! The rows of JSON_TABLE.

use std::collections::VecDeque;

use super::error::JsonError;
use super::path::Path;
use super::seek::seek;
use super::view::JsonRef;

/// Which rows a document gives: one for each value that the path leads to.
#[derive(Debug, Clone)]
pub struct TablePlan {
    /// Where the rows are.
    pub path: Path,
    /// What is in them.
    pub columns: Vec<TableColumn>,
}

/// A column, or a group of columns with rows of their own.
#[derive(Debug, Clone)]
pub enum TableColumn {
    /// FOR ORDINALITY: the row's number among those of its path, from 1.
    Ordinality,
    /// PATH: the value there.
    Value(Path),
    /// EXISTS PATH: whether something is there.
    Exists(Path),
    /// NESTED PATH.
    Nested(TablePlan),
}

/// A cell of a row; nested columns stand in place of their group.
#[derive(Debug, Clone)]
pub enum TableCell<'a> {
    /// The number of a FOR ORDINALITY column.
    Ordinality(u32),
    /// The value of a PATH column.
    Value(JsonRef<'a>),
    /// A PATH column's path leads nowhere: ON EMPTY.
    Empty,
    /// A PATH column's path leads to several values: an array of them for a column of
    /// type JSON, ON ERROR for others.
    Several(Vec<JsonRef<'a>>),
    /// The answer of an EXISTS PATH column.
    Exists(bool),
    /// A nested column in a row of another group, or without rows: NULL, and no ON EMPTY.
    Null,
}

/// The rows of a document, one by one.
#[derive(Debug)]
pub struct TableRows<'a, 'p> {
    plan: &'p TablePlan,
    matches: std::vec::IntoIter<JsonRef<'a>>,
    number: u32,
    ready: VecDeque<Vec<TableCell<'a>>>,
    max_rows: usize,
}

impl TablePlan {
    /// How many cells a row has.
    pub fn width(&self) -> usize {
        let width = |column: &TableColumn| match column {
            TableColumn::Nested(plan) => plan.width(),
            _ => 1,
        };
        self.columns.iter().map(width).sum()
    }

    /// The rows of a document. No more than `max_rows` of one match of the path are
    /// held at a time.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn rows<'a>(
        &self,
        document: JsonRef<'a>,
        max_rows: usize,
    ) -> Result<TableRows<'a, '_>, JsonError> {
        let matches = seek(document, &self.path, false)?.into_iter();
        Ok(TableRows { plan: self, matches, number: 0, ready: VecDeque::new(), max_rows })
    }

    /// The rows of one match: one for each row of each nested group, the other groups'
    /// columns NULL; a single one if no group has rows.
    fn expand<'a>(
        &self,
        value: JsonRef<'a>,
        number: u32,
        max_rows: usize,
    ) -> Result<Vec<Vec<TableCell<'a>>>, JsonError> {
        let mut own = Vec::with_capacity(self.width());
        let mut groups = Vec::new();
        for column in &self.columns {
            own.push(match column {
                TableColumn::Ordinality => TableCell::Ordinality(number),
                TableColumn::Value(path) => {
                    let found = seek(value, path, false)?;
                    match found[..] {
                        [] => TableCell::Empty,
                        [one] => TableCell::Value(one),
                        _ => TableCell::Several(found),
                    }
                }
                TableColumn::Exists(path) => {
                    TableCell::Exists(!seek(value, path, true)?.is_empty())
                }
                TableColumn::Nested(plan) => {
                    groups.push((own.len(), plan));
                    own.extend(std::iter::repeat_n(TableCell::Null, plan.width()));
                    continue;
                }
            });
        }
        let mut rows = Vec::new();
        for (at, plan) in groups {
            for (i, hit) in seek(value, &plan.path, false)?.into_iter().enumerate() {
                for nested in plan.expand(hit, i as u32 + 1, max_rows)? {
                    let mut row = own.clone();
                    if let Some(cells) = row.get_mut(at..at + nested.len()) {
                        cells.clone_from_slice(&nested);
                    }
                    rows.push(row);
                    if rows.len() > max_rows {
                        return Err(JsonError::TooBig);
                    }
                }
            }
        }
        if rows.is_empty() {
            rows.push(own);
        }
        Ok(rows)
    }
}

impl<'a> Iterator for TableRows<'a, '_> {
    type Item = Result<Vec<TableCell<'a>>, JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Some(Ok(row));
            }
            let value = self.matches.next()?;
            self.number += 1;
            match self.plan.expand(value, self.number, self.max_rows) {
                Ok(rows) => self.ready.extend(rows),
                Err(e) => {
                    self.matches = Vec::new().into_iter();
                    return Some(Err(e));
                }
            }
        }
    }
}
