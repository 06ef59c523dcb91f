//! Rows in the order of their keys, however many: in one piece of memory as long as that
//! goes, else in sorted runs of a temporary file, which are merged.
//!
//! Rows of the same key stay in the order in which they came. So does what is built on it:
//! what a statement answers does not depend on how much memory it has.

use std::sync::Arc;

use super::Result;
use super::arrange::Arranged;
use super::gathered::Gathered;
use super::reads::Spilled;
use super::view::View;
use crate::spill::{FRAME_BYTES, Merge, Segment, SegmentWriter, Spill, SpillFile};

/// Rows that are read at a time, in bytes.
const CHUNK_BYTES: usize = 128 << 10;

/// Runs that are merged at once.
const RUNS_MAX: usize = 64;

/// Rows between two looks whether the statement is to end.
const CHECK_ROWS: u64 = 4096;

/// What is wanted of rows in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The first so many.
    pub(crate) rows: u64,
    /// All keys the other way round.
    pub(crate) descending: bool,
    /// Of those with the same key only the first.
    pub(crate) distinct: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { rows: u64::MAX, descending: false, distinct: false }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Sorter {
    wanted: Wanted,
    arranged: Arranged,
    files: Option<Files>,
    rows: usize,
}

#[derive(Debug)]
struct Files {
    spill: Spill,
    file: SpillFile,
    runs: Vec<Arc<Segment>>,
}

impl Sorter {
    /// Without rows yet.
    pub(crate) fn new(wanted: Wanted, memory: Gathered) -> Self {
        let Wanted { rows, descending, distinct } = wanted;
        let arranged = Arranged::new(rows, descending, distinct, memory);
        Self { wanted, arranged, files: None, rows: 0 }
    }

    /// The same, for what goes on where something else has become too large.
    pub(crate) fn behind(view: &View<'_>, wanted: Wanted) -> Self {
        Self::new(wanted, Gathered::part_of(view, 8))
    }

    /// Where the next row's key is appended, and, behind [`Self::key_ends`], what is to be
    /// given back of it.
    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        self.arranged.bytes()
    }

    /// The key of the next row is whole.
    #[inline]
    pub(crate) fn key_ends(&mut self) {
        self.arranged.key_ends();
    }

    /// The next row is whole; `false` if [`Self::make_room`] comes before another one.
    #[inline]
    pub(crate) fn row_ends(&mut self) -> bool {
        self.rows += 1;
        self.arranged.row_ends()
    }

    /// Adds a row.
    ///
    /// # Errors
    /// As [`Self::make_room`].
    pub(crate) async fn push(
        &mut self,
        view: &View<'_>,
        key: &[u8],
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        self.bytes().extend_from_slice(key);
        self.key_ends();
        write(self.bytes());
        if self.row_ends() { Ok(()) } else { Box::pin(self.make_room(view)).await }
    }

    /// Rows that came.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Puts the rows into a file.
    ///
    /// # Errors
    /// 1, 3, 1114 if that cannot be; 1317, 3024.
    pub(crate) async fn make_room(&mut self, view: &View<'_>) -> Result<()> {
        let mut files = match self.files.take() {
            Some(files) => files,
            None => {
                let spill = view.spill();
                let file = spill.file().await?;
                Files { spill, file, runs: Vec::new() }
            }
        };
        let nothing = Arranged::new(0, false, false, Gathered::default());
        let mut arranged = std::mem::replace(&mut self.arranged, nothing);
        let (file, interrupted) = (files.file.clone(), files.spill.clone());
        let written = files.spill.away("write a sorted run", move || {
            let mut writer = SegmentWriter::new(&file);
            arranged.write(&mut writer, || interrupted.check())?;
            Ok((arranged, writer.end()?))
        });
        let (arranged, run) = written.await?;
        files.spill.counts.count(Spilled::Bytes, run.bytes());
        self.arranged = arranged;
        files.runs.push(Arc::new(run));
        self.files = Some(files);
        Ok(())
    }

    /// The rows in order.
    ///
    /// # Errors
    /// As [`Self::make_room`]; 2, 1034 if what was written cannot be read.
    pub(crate) async fn finish(mut self, view: &View<'_>) -> Result<Sorted> {
        if self.files.is_none() {
            self.arranged.sort();
            return Ok(Sorted::Memory { arranged: self.arranged, next: 0 });
        }
        self.make_room(view).await?;
        let runs_max = (self.arranged.bytes_max() / FRAME_BYTES / 4).clamp(4, RUNS_MAX);
        let needed = (runs_max * 2 * FRAME_BYTES).min(self.arranged.bytes_max()) + CHUNK_BYTES;
        let memory = self.arranged.into_memory(needed);
        let Some(Files { spill, file, mut runs }) = self.files else {
            return Err(crate::spill::broken("no runs"));
        };
        drop(file);
        let wanted = self.wanted;
        while runs.len() > runs_max {
            let counted = spill.clone();
            let file = spill.file().await?;
            spill.counts.count(Spilled::Merges, runs.len().div_ceil(runs_max) as u64);
            let merged = spill.away("merge sorted runs", move || {
                let groups = runs.chunks(runs_max);
                let groups =
                    groups.map(|some| Ok(Arc::new(merged(some, wanted, &file, &counted)?)));
                groups.collect::<Result<Vec<_>>>()
            });
            runs = merged.await?;
        }
        spill.counts.count(Spilled::Merges, 1);
        let merging = Merging::new(&runs, wanted);
        Ok(Sorted::Files {
            merging: Some(Box::new(merging)),
            chunk: Chunk::default(),
            next: 0,
            spill: Box::new(spill),
            _memory: memory,
        })
    }
}

/// One run of several.
fn merged(
    runs: &[Arc<Segment>],
    wanted: Wanted,
    file: &SpillFile,
    spill: &Spill,
) -> Result<Segment> {
    let (mut merging, mut writer) = (Merging::new(runs, wanted), SegmentWriter::new(file));
    let mut rows = 0u64;
    while merging.next(|key, row| writer.push(key, row))? {
        rows += 1;
        if rows.is_multiple_of(CHECK_ROWS) {
            spill.check()?;
        }
    }
    writer.end()
}

/// Runs that are merged, as far as that is wanted.
#[derive(Debug)]
pub(crate) struct Merging {
    merge: Merge,
    wanted: Wanted,
    /// The last key, where it is wanted once.
    last: Option<Vec<u8>>,
}

impl Merging {
    fn new(runs: &[Arc<Segment>], wanted: Wanted) -> Self {
        Self { merge: Merge::new(runs, wanted.descending), wanted, last: None }
    }

    /// Gives the next row to `each`; `false` if there is none.
    fn next(&mut self, each: impl FnOnce(&[u8], &[u8]) -> Result<()>) -> Result<bool> {
        if self.wanted.rows == 0 {
            return Ok(false);
        }
        while let Some(row) = self.merge.advance()? {
            if self.wanted.distinct {
                if self.last.as_deref() == Some(row.key()) {
                    continue;
                }
                let last = self.last.get_or_insert_default();
                last.clear();
                last.extend_from_slice(row.key());
            }
            self.wanted.rows -= 1;
            each(row.key(), row.payload())?;
            return Ok(true);
        }
        self.wanted.rows = 0;
        Ok(false)
    }
}

/// Rows that were read.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    /// Where each row's key begins, the row, and where it ends.
    places: Vec<(usize, usize, usize)>,
}

/// Rows in order, one after the other.
#[derive(Debug)]
pub(crate) enum Sorted {
    /// In memory.
    Memory { arranged: Arranged, next: usize },
    /// In files.
    Files {
        /// Nothing is left to be read of what has gone.
        merging: Option<Box<Merging>>,
        chunk: Chunk,
        next: usize,
        spill: Box<Spill>,
        _memory: Gathered,
    },
}

impl Sorted {
    /// Goes to the next row if it is there: whether there is one; `None` if
    /// [`Self::advance`] has to be asked.
    #[inline]
    pub(crate) fn try_advance(&mut self) -> Option<bool> {
        match self {
            Self::Memory { arranged, next } => {
                *next += 1;
                Some(arranged.get(*next - 1).is_some())
            }
            Self::Files { chunk, next, .. } if *next < chunk.places.len() => {
                *next += 1;
                Some(true)
            }
            Self::Files { merging: None, .. } => Some(false),
            Self::Files { .. } => None,
        }
    }

    /// Goes to the next row; `false` if there is none.
    ///
    /// # Errors
    /// 2, 1034 if it cannot be read; 1317, 3024.
    pub(crate) async fn advance(&mut self) -> Result<bool> {
        loop {
            if let Some(there) = self.try_advance() {
                return Ok(there);
            }
            self.read().await?;
        }
    }

    /// The row's key.
    pub(crate) fn key(&self) -> &[u8] {
        self.row().0
    }

    /// What was to be given back of it.
    pub(crate) fn payload(&self) -> &[u8] {
        self.row().1
    }

    #[inline]
    fn row(&self) -> (&[u8], &[u8]) {
        match self {
            Self::Memory { arranged, next } => arranged.get(next - 1).unwrap_or_default(),
            Self::Files { chunk, next, .. } => {
                let (key, row, end) = chunk.places[next - 1];
                (&chunk.bytes[key..row], &chunk.bytes[row..end])
            }
        }
    }

    async fn read(&mut self) -> Result<()> {
        let Self::Files { merging, chunk, next, spill, .. } = self else { return Ok(()) };
        let Some(mut from) = merging.take() else { return Ok(()) };
        let mut read = std::mem::take(chunk);
        *next = 0;
        let reading = spill.away("read sorted runs", move || {
            read.bytes.clear();
            read.places.clear();
            let Chunk { bytes, places } = &mut read;
            let mut more = true;
            while more && bytes.len() < CHUNK_BYTES {
                more = from.next(|key, row| {
                    let start = bytes.len();
                    bytes.extend_from_slice(key);
                    bytes.extend_from_slice(row);
                    places.push((start, start + key.len(), bytes.len()));
                    Ok(())
                })?;
            }
            Ok((more.then_some(from), read))
        });
        (*merging, *chunk) = reading.await?;
        Ok(())
    }
}
