//! The rows of a result in the order that ORDER BY says, as they lie in the flat row.

use firn_mysql_semantics::Value;

use super::bytes_of;
use crate::execute::Result;
use crate::execute::gathered::Gathered;
use crate::execute::sorter::{Sorted, Sorter, Wanted};
use crate::execute::view::View;
use crate::spill::{put_row, take_row};

/// Flat rows that are put in order: as they are, as long as they fit into memory.
#[derive(Debug, Default)]
pub(super) struct Ordering {
    rows: Vec<(Vec<u8>, Vec<Value>)>,
    bytes: usize,
    memory: Gathered,
    /// Where they go from then on.
    sorter: Option<Box<Sorter>>,
    /// Rows that are wanted in the end.
    wanted: u64,
    kept: usize,
}

impl Ordering {
    /// Without rows yet; the first `wanted` will be asked for.
    pub(super) fn new(view: &View<'_>, wanted: u64) -> Self {
        Self { memory: Gathered::part_of(view, 2), wanted, ..Self::default() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.kept
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        (self.bytes, self.kept, self.sorter) = (0, 0, None);
        self.memory.needs(0);
    }

    /// Keeps a row; `false` if [`Self::make_room`] comes before another one. `is_own` says
    /// that nothing of it is needed for the next one.
    #[inline]
    pub(super) fn keep(&mut self, key: Vec<u8>, row: &mut Vec<Value>, is_own: bool) -> bool {
        self.kept += 1;
        if let Some(sorter) = &mut self.sorter {
            return put(sorter, &key, row);
        }
        self.bytes += key.len() + bytes_of(row);
        let row = match is_own {
            true => {
                let len = row.len();
                std::mem::replace(row, vec![Value::Null; len])
            }
            false => row.clone(),
        };
        self.rows.push((key, row));
        self.memory.fits(self.bytes)
    }

    /// Leaves the first so many of those in memory, if there are many more.
    pub(super) fn cut(&mut self, wanted: usize) {
        if self.rows.len() >= wanted.saturating_mul(2) + 1024 {
            self.rows.sort_by(|a, b| a.0.cmp(&b.0));
            self.rows.truncate(wanted);
            self.bytes = self.rows.iter().map(|(key, row)| key.len() + bytes_of(row)).sum();
            self.kept = self.rows.len();
        }
    }

    /// Puts the rows into files.
    ///
    /// # Errors
    /// As [`Sorter::make_room`].
    pub(super) async fn make_room(&mut self, view: &mut View<'_>) -> Result<()> {
        if let Some(sorter) = &mut self.sorter {
            return Box::pin(sorter.make_room(view)).await;
        }
        let wanted = Wanted { rows: self.wanted, ..Wanted::default() };
        let sorter = self.sorter.insert(Box::new(Sorter::behind(view, wanted)));
        for (key, row) in std::mem::take(&mut self.rows) {
            if !put(sorter, &key, &row) {
                Box::pin(sorter.make_room(view)).await?;
            }
            view.step().await?;
        }
        Box::pin(sorter.make_room(view)).await?;
        self.bytes = 0;
        self.memory.needs(0);
        Ok(())
    }

    /// The rows in order.
    ///
    /// # Errors
    /// As [`Sorter::finish`].
    pub(super) async fn finish(self, view: &View<'_>) -> Result<Ordered> {
        let Self { mut rows, memory, sorter, .. } = self;
        if let Some(sorter) = sorter {
            return Ok(Ordered::Sorted(Box::new(Box::pin(sorter.finish(view)).await?)));
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let rows: Vec<Vec<Value>> = rows.into_iter().map(|(_, row)| row).collect();
        Ok(Ordered::Memory { rows: rows.into_iter(), _memory: memory })
    }
}

fn put(sorter: &mut Sorter, key: &[u8], row: &[Value]) -> bool {
    sorter.bytes().extend_from_slice(key);
    sorter.key_ends();
    put_row(row, sorter.bytes());
    sorter.row_ends()
}

/// Flat rows, one after the other.
#[derive(Debug)]
pub(super) enum Ordered {
    /// With the memory that they need.
    Memory {
        rows: std::vec::IntoIter<Vec<Value>>,
        _memory: Gathered,
    },
    Sorted(Box<Sorted>),
}

impl Ordered {
    /// Puts the next row into the flat row if it is there: whether there is one; `None` if
    /// [`Self::next`] has to be asked.
    #[inline]
    pub(super) fn try_next(&mut self, row: &mut Vec<Value>) -> Option<Result<bool>> {
        match self {
            Self::Memory { rows, .. } => {
                let next = rows.next();
                let found = next.is_some();
                *row = next.unwrap_or_default();
                Some(Ok(found))
            }
            Self::Sorted(sorted) => Some(match sorted.try_advance()? {
                true => take_row(&mut sorted.payload()).map(|read| {
                    *row = read;
                    true
                }),
                false => Ok(false),
            }),
        }
    }

    /// Puts the next row into the flat row.
    ///
    /// # Errors
    /// As [`Sorted::advance`].
    pub(super) async fn next(&mut self, row: &mut Vec<Value>) -> Result<bool> {
        if let Self::Sorted(sorted) = self {
            if !sorted.advance().await? {
                return Ok(false);
            }
            *row = take_row(&mut sorted.payload())?;
            return Ok(true);
        }
        self.try_next(row).unwrap_or(Ok(false))
    }
}
