//! Rows that a statement keeps in memory: within its own bound, and out of what all
//! statements together may have.

use std::ops::Deref;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};

use super::Result;
use super::select::bytes_of;
use super::view::View;
use crate::memory::Charge;

/// What is gathered where nobody said how much it may be, in bytes.
const BYTES_MAX: usize = 16 << 20;

/// Memory that something gathered needs. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Gathered {
    charge: Option<Charge>,
    bytes: usize,
    bytes_max: usize,
}

impl Default for Gathered {
    fn default() -> Self {
        Self { charge: None, bytes: 0, bytes_max: BYTES_MAX }
    }
}

impl Gathered {
    /// Of a statement, nothing yet.
    pub(crate) fn of(view: &View<'_>) -> Self {
        let bytes_max = view.gathered_bytes_max();
        Self { charge: Some(Charge::new(view.memory())), bytes: 0, bytes_max }
    }

    /// It is so many bytes now.
    ///
    /// # Errors
    /// 1038 if there are too many.
    #[inline]
    pub(crate) fn set(&mut self, bytes: usize) -> Result<()> {
        let fits = bytes <= self.bytes_max
            && self.charge.as_mut().is_none_or(|charge| charge.set(bytes).is_ok());
        if !fits {
            return Err(SqlError::new(code::ER_OUT_OF_SORTMEMORY, &[]));
        }
        self.bytes = bytes;
        Ok(())
    }
}

/// Rows that are kept.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    rows: Vec<Vec<Value>>,
    memory: Gathered,
}

impl Deref for Rows {
    type Target = Vec<Vec<Value>>;

    fn deref(&self) -> &Vec<Vec<Value>> {
        &self.rows
    }
}

impl Rows {
    /// None yet.
    pub(crate) fn of(view: &View<'_>) -> Self {
        Self { rows: Vec::new(), memory: Gathered::of(view) }
    }

    /// Rows whose memory is not counted: those of information_schema.
    pub(crate) fn uncounted(rows: Vec<Vec<Value>>) -> Self {
        Self { rows, memory: Gathered::default() }
    }

    /// Adds one.
    ///
    /// # Errors
    /// 1038 if there are too many.
    pub(crate) fn push(&mut self, row: Vec<Value>) -> Result<()> {
        self.memory.set(self.memory.bytes + bytes_of(&row))?;
        self.rows.push(row);
        Ok(())
    }

    /// Adds others.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn append(&mut self, more: Self) -> Result<()> {
        let Self { rows, memory } = more;
        let bytes = memory.bytes;
        drop(memory);
        self.memory.set(self.memory.bytes + bytes)?;
        self.rows.extend(rows);
        Ok(())
    }

    /// Changes the rows, of which there are no more behind it.
    ///
    /// # Errors
    /// 1038 if they need more than before.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Vec<Vec<Value>>)) -> Result<()> {
        change(&mut self.rows);
        self.memory.set(self.rows.iter().map(|row| bytes_of(row)).sum())
    }

    /// Leaves the first. What the others needed stays taken, for what was made of them.
    pub(crate) fn leave_first(&mut self) {
        self.rows.truncate(1);
        self.rows.shrink_to_fit();
    }

    /// The rows one by one; their memory is given back with the last.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = Vec<Value>> {
        let Self { rows, memory } = self;
        rows.into_iter().inspect(move |_| {
            let _kept = &memory;
        })
    }
}
