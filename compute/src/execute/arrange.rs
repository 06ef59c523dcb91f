//! Rows in the order of their keys, in one piece of memory.
//!
//! Keys and rows lie one behind the other as they came; what is sorted are their places.
//! [`super::sorter`] goes on in files where that piece would become too large.

use super::Result;
use super::gathered::Gathered;
use crate::spill::SegmentWriter;

/// Room for the keys and rows of a small result, in bytes.
const SMALL_BYTES: usize = 16 << 10;

/// Where to look for rows of the same key at first, in bytes.
const CUT_BYTES: usize = 1 << 20;

/// Rows that were gathered, each behind its key.
#[derive(Debug)]
pub(crate) struct Arranged {
    bytes: Vec<u8>,
    places: Vec<Place>,
    memory: Gathered,
    /// Where the next row begins.
    start: usize,
    /// Where its key ends.
    behind_key: usize,
    /// Rows that are wanted in the end.
    wanted: usize,
    /// All keys the other way round.
    descending: bool,
    /// Of neighbours with the same key only the first is wanted.
    distinct: bool,
    /// Then, in bytes, when to look for such.
    cut_at: usize,
}

/// The most of it, in bytes: its places have 32 bits.
const BYTES_MAX: usize = 1 << 30;

/// Rows between two looks whether the statement is to end.
const CHECK_ROWS: usize = 4096;

/// Where a row is.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// What its key begins with.
    head: u64,
    key: u32,
    row: u32,
    end: u32,
}

impl Arranged {
    /// None yet; `wanted` rows will be asked for.
    pub(crate) fn new(wanted: u64, descending: bool, distinct: bool, memory: Gathered) -> Self {
        Self {
            memory,
            bytes: Vec::with_capacity(SMALL_BYTES),
            places: Vec::with_capacity(128),
            start: 0,
            behind_key: 0,
            wanted: usize::try_from(wanted).unwrap_or(usize::MAX),
            descending,
            distinct,
            cut_at: CUT_BYTES,
        }
    }

    /// Where the next row's key is appended, and, behind [`Self::key_ends`], what is to be
    /// given back of it.
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The key of the next row is whole.
    pub(crate) fn key_ends(&mut self) {
        self.behind_key = self.bytes.len();
    }

    /// The next row is whole. Whether that fits into the memory.
    #[inline]
    pub(crate) fn row_ends(&mut self) -> bool {
        let (from, behind, end) = (self.start, self.behind_key, self.bytes.len());
        let mut head = [0; 8];
        let beginning = &self.bytes[from..behind.min(from + 8)];
        head[..beginning.len()].copy_from_slice(beginning);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.places.push(Place {
            head: u64::from_be_bytes(head),
            key: place(from),
            row: place(behind),
            end: place(end),
        });
        let many = self.places.len() >= self.wanted.saturating_mul(2).saturating_add(1024);
        if many || (self.distinct && end >= self.cut_at) {
            self.cut();
            self.cut_at = CUT_BYTES.max(self.bytes.len() * 2);
        }
        self.start = self.bytes.len();
        let bytes = self.bytes.capacity() + self.places.capacity() * size_of::<Place>();
        self.memory.fits(bytes) && self.bytes.len() < BYTES_MAX
    }

    /// Puts the rows in order and writes them; then there are none.
    ///
    /// # Errors
    /// As writing, and those of `check`, which is asked now and then.
    pub(crate) fn write(
        &mut self,
        writer: &mut SegmentWriter,
        check: impl Fn() -> Result<()>,
    ) -> Result<()> {
        self.sort();
        for (at, place) in self.places.iter().take(self.wanted).enumerate() {
            if at % CHECK_ROWS == 0 {
                check()?;
            }
            let row = &self.bytes[place.row as usize..place.end as usize];
            writer.push(self.key(place), row)?;
        }
        // Their room goes, too: it is what did not fit.
        self.places = Vec::new();
        self.bytes = Vec::with_capacity(SMALL_BYTES);
        (self.start, self.cut_at) = (0, CUT_BYTES);
        Ok(())
    }

    /// What of the memory is needed from now on, in bytes: for nothing that is gathered here.
    pub(crate) fn into_memory(self, bytes: usize) -> Gathered {
        let Self { bytes: rows, places, mut memory, .. } = self;
        drop((rows, places));
        memory.needs(bytes);
        memory
    }

    /// Memory that it may have, in bytes.
    pub(crate) fn bytes_max(&self) -> usize {
        self.memory.bytes_max()
    }

    fn key(&self, place: &Place) -> &[u8] {
        &self.bytes[place.key as usize..place.row as usize]
    }

    /// Puts the rows in order; those of the same key stay in the order in which they came.
    pub(crate) fn sort(&mut self) {
        let mut places = std::mem::take(&mut self.places);
        places.sort_unstable_by(|a, b| {
            let keys = || self.key(a).cmp(self.key(b));
            let order = a.head.cmp(&b.head).then_with(keys);
            let order = if self.descending { order.reverse() } else { order };
            order.then_with(|| a.key.cmp(&b.key))
        });
        if self.distinct {
            places.dedup_by(|b, a| a.head == b.head && self.key(a) == self.key(b));
        }
        self.places = places;
    }

    /// Leaves the rows that are wanted.
    fn cut(&mut self) {
        self.sort();
        self.places.truncate(self.wanted);
        let mut bytes = Vec::with_capacity(SMALL_BYTES);
        for place in &mut self.places {
            let from = bytes.len() as u32;
            bytes.extend_from_slice(&self.bytes[place.key as usize..place.end as usize]);
            let moved = |at: u32| at - place.key + from;
            *place = Place { key: from, row: moved(place.row), end: moved(place.end), ..*place };
        }
        self.bytes = bytes;
    }

    /// The key and the rest of a row, once they are in order.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<(&[u8], &[u8])> {
        let place = self.places.get(at).filter(|_| at < self.wanted)?;
        Some((self.key(place), &self.bytes[place.row as usize..place.end as usize]))
    }
}
