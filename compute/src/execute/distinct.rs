//! The first of rows that are the same, however many there are.
//!
//! Keys of rows that were given are remembered in memory. Once there are too many, what is
//! not among them may be new or not: it is put off, into a file in the order of the keys,
//! and what is new of it comes behind all others, in the order in which it came.

use std::collections::BTreeSet;

use super::Result;
use super::gathered::Gathered;
use super::reads::Spilled;
use super::sorter::{Sorted, Sorter, Wanted};
use super::view::View;
use crate::spill::take_array;

/// Keys that were seen.
#[derive(Debug, Default)]
pub(crate) struct Distinct {
    keys: BTreeSet<Box<[u8]>>,
    bytes: usize,
    memory: Gathered,
    later: Option<Box<Sorter>>,
    /// For what is put off.
    later_memory: Gathered,
    put_off: u64,
    /// The key that is being looked for.
    key: Vec<u8>,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is the first of its kind.
    New,
    /// It is not.
    Seen,
    /// That is said later; it is to be [put off](Distinct::put_off).
    Later,
}

impl Distinct {
    /// Nothing was seen yet.
    pub(crate) fn new(view: &View<'_>) -> Self {
        let memory = Gathered::part_of(view, 4);
        Self { memory, later_memory: Gathered::part_of(view, 8), ..Self::default() }
    }

    /// Looks for the row with the key that `make` appends.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn offer(
        &mut self,
        make: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<Offered> {
        self.key.clear();
        make(&mut self.key)?;
        if self.keys.contains(&*self.key) {
            return Ok(Offered::Seen);
        }
        if self.later.is_some() {
            return Ok(Offered::Later);
        }
        let bytes = self.bytes + self.key.len() + 48;
        if !self.memory.fits(bytes) {
            return Ok(Offered::Later);
        }
        self.bytes = bytes;
        self.keys.insert(Box::from(&*self.key));
        Ok(Offered::New)
    }

    /// Puts off the row that was offered last; `write` appends what is to be given back of
    /// it. `false` if [`Self::make_room`] comes before another one.
    ///
    /// # Errors
    /// Those of `write`.
    pub(crate) fn put_off<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let memory = &mut self.later_memory;
        let later = self.later.get_or_insert_with(|| {
            let wanted = Wanted { distinct: true, ..Wanted::default() };
            Box::new(Sorter::new(wanted, std::mem::take(memory)))
        });
        later.bytes().extend_from_slice(&self.key);
        later.key_ends();
        later.bytes().extend_from_slice(&self.put_off.to_be_bytes());
        self.put_off += 1;
        write(later.bytes())?;
        Ok(later.row_ends())
    }

    /// Puts what was put off into a file.
    ///
    /// # Errors
    /// As [`Sorter::make_room`].
    pub(crate) async fn make_room(&mut self, view: &View<'_>) -> Result<()> {
        match &mut self.later {
            Some(later) => Box::pin(later.make_room(view)).await,
            None => Ok(()),
        }
    }

    /// What was put off and is new, in the order in which it came, if anything was put off.
    /// Nothing is seen any more.
    ///
    /// # Errors
    /// As [`Sorter::finish`].
    pub(crate) async fn later(&mut self, view: &View<'_>) -> Result<Option<Sorted>> {
        match self.later.take() {
            Some(later) => Box::pin(self.in_order(*later, view)).await.map(Some),
            None => Ok(None),
        }
    }

    /// What is new of rows, in the order in which they came.
    async fn in_order(&mut self, later: Sorter, view: &View<'_>) -> Result<Sorted> {
        view.counts().count(Spilled::Tables, 1);
        self.keys = BTreeSet::new();
        self.bytes = 0;
        self.memory.needs(0);
        let mut new = later.finish(view).await?;
        let mut ordered = Sorter::behind(view, Wanted::default());
        while new.advance().await? {
            let mut rest = new.payload();
            let came: [u8; 8] = take_array(&mut rest)?;
            ordered.push(view, &came, |out| out.extend_from_slice(rest)).await?;
        }
        drop(new);
        ordered.finish(view).await
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self, view: &View<'_>) {
        *self = Self::new(view);
    }
}
