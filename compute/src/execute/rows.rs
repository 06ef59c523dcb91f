//! Rows that are kept to be read, once or often: in memory, or all of them in a file.

use std::sync::Arc;

use firn_mysql_semantics::Value;

use super::Result;
use super::gathered::Gathered;
use super::reads::Spilled;
use super::select::bytes_of;
use super::view::View;
use crate::spill::{Segment, SegmentReader, SegmentWriter, Spill, SpillFile, put_row, take_row};

/// Rows that are read of a file at a time, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// Rows that are kept.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Those in memory: all, unless there is a file.
    rows: Vec<Vec<Value>>,
    memory: Gathered,
    file: Option<Box<InFile>>,
}

#[derive(Debug)]
struct InFile {
    spill: Spill,
    file: SpillFile,
    /// One behind the other.
    segments: Vec<Arc<Segment>>,
    rows: u64,
}

impl Rows {
    /// None yet.
    pub(crate) fn of(view: &View<'_>) -> Self {
        Self { rows: Vec::new(), memory: Gathered::part_of(view, 2), file: None }
    }

    /// Rows whose memory is not counted: those of information_schema.
    pub(crate) fn uncounted(rows: Vec<Vec<Value>>) -> Self {
        Self { rows, memory: Gathered::default(), file: None }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let filed = self.file.as_ref().map_or(0, |file| file.rows);
        self.rows.len() + usize::try_from(filed).unwrap_or(usize::MAX)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, unless they are in a file.
    pub(crate) fn in_memory(&self) -> Option<&[Vec<Value>]> {
        self.file.is_none().then_some(&self.rows)
    }

    /// Memory that they need, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.memory.bytes()
    }

    /// Adds one; `false` if [`Self::make_room`] comes before another one.
    #[inline]
    pub(crate) fn push(&mut self, row: Vec<Value>) -> bool {
        let fits = self.memory.fits(self.memory.bytes() + bytes_of(&row));
        self.rows.push(row);
        fits
    }

    /// Adds one.
    ///
    /// # Errors
    /// As [`Self::make_room`].
    pub(crate) async fn add(&mut self, row: Vec<Value>, view: &View<'_>) -> Result<()> {
        if self.push(row) { Ok(()) } else { Box::pin(self.make_room(view)).await }
    }

    /// Puts them into a file.
    ///
    /// # Errors
    /// 1, 3, 1114 if that cannot be; 1317, 3024.
    pub(crate) async fn make_room(&mut self, view: &View<'_>) -> Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let spill = view.spill();
                spill.counts.count(Spilled::Tables, 1);
                let file = spill.file().await?;
                Box::new(InFile { spill, file, segments: Vec::new(), rows: 0 })
            }
        };
        let file = self.file.insert(file);
        let (rows, into) = (std::mem::take(&mut self.rows), file.file.clone());
        let written = file.spill.away("write rows", move || {
            let (mut writer, mut bytes) = (SegmentWriter::new(&into), Vec::new());
            for row in rows {
                bytes.clear();
                put_row(&row, &mut bytes);
                writer.push(&[], &bytes)?;
            }
            writer.end()
        });
        let segment = written.await?;
        file.spill.counts.count(Spilled::Bytes, segment.bytes());
        file.rows += segment.records();
        file.segments.push(Arc::new(segment));
        self.memory.needs(0);
        Ok(())
    }

    /// No more will be added.
    ///
    /// # Errors
    /// As [`Self::make_room`].
    pub(crate) async fn end(mut self, view: &View<'_>) -> Result<Self> {
        if self.file.is_some() && !self.rows.is_empty() {
            Box::pin(self.make_room(view)).await?;
        }
        Ok(self)
    }

    /// Those in memory, which go.
    pub(crate) fn take(&mut self) -> Vec<Vec<Value>> {
        self.memory.needs(0);
        std::mem::take(&mut self.rows)
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.file = None;
        self.memory.needs(0);
    }

    /// Changes those in memory, which become no more by it.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Vec<Vec<Value>>)) {
        change(&mut self.rows);
        self.memory.needs(self.rows.iter().map(|row| bytes_of(row)).sum());
    }

    /// Leaves the first of those in memory. What the others needed stays taken, for what was
    /// made of them.
    pub(crate) fn leave_first(&mut self) {
        self.rows.truncate(1);
        self.rows.shrink_to_fit();
    }
}

/// A place among rows.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    /// The next of those in memory, or of those that were read.
    next: usize,
    from: Option<Box<FromFile>>,
}

#[derive(Debug)]
struct FromFile {
    reader: Option<Reader>,
    rows: Vec<Vec<Value>>,
}

#[derive(Debug)]
struct Reader {
    segments: std::vec::IntoIter<Arc<Segment>>,
    reader: Option<SegmentReader>,
}

impl Reader {
    /// Reads some rows; `false` if there are no more.
    fn read(&mut self, rows: &mut Vec<Vec<Value>>) -> Result<bool> {
        let mut bytes = 0;
        while bytes < CHUNK_BYTES {
            if let Some(reader) = &mut self.reader
                && reader.advance()?
            {
                bytes += reader.payload().len() + 64;
                rows.push(take_row(&mut reader.payload())?);
                continue;
            }
            match self.segments.next() {
                Some(segment) => self.reader = Some(SegmentReader::new(segment)),
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl Cursor {
    /// The next row; `None` if there is none. Rows that are all there are read without
    /// waiting.
    ///
    /// # Errors
    /// 2, 1034 if it cannot be read; 1317, 3024.
    #[inline]
    pub(crate) async fn next<'r>(&'r mut self, of: &'r Rows) -> Result<Option<&'r [Value]>> {
        self.next += 1;
        let Some(file) = &of.file else { return Ok(of.rows.get(self.next - 1).map(|row| &**row)) };
        loop {
            let from = self.from.get_or_insert_with(|| {
                let segments = file.segments.clone().into_iter();
                let reader = Some(Reader { segments, reader: None });
                Box::new(FromFile { reader, rows: Vec::new() })
            });
            if self.next <= from.rows.len() || from.reader.is_none() {
                break;
            }
            let (reader, mut rows) = (from.reader.take(), std::mem::take(&mut from.rows));
            let Some(mut reader) = reader else { break };
            let read = file.spill.away("read rows", move || {
                rows.clear();
                let more = reader.read(&mut rows)?;
                Ok((more.then_some(reader), rows))
            });
            (from.reader, from.rows) = read.await?;
            self.next = 1;
        }
        let row = self.from.as_ref().and_then(|from| from.rows.get(self.next - 1));
        Ok(row.map(|row| &**row))
    }
}
