//! Collects the pages of a row group and puts Parquet's checksum into them.
//!
//! The `parquet` crate checks a page's CRC but does not write it. It hands
//! each page to its page store as two pieces, the header and what follows; so
//! this store adds the CRC (optional field 4 of the header) when it has seen
//! both, and remembers by how much the header grew: sizes and offsets in the
//! chunk's metadata are corrected from that.

use std::io::Read;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use parquet::column::page_store::{PageKey, PageStore, PageStoreArgs, PageStoreFactory};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// Page types of the format, as far as they matter here.
const DICTIONARY_PAGE: u64 = 2;

/// The column chunks of the row group that is being written.
#[derive(Debug, Default, Clone)]
pub(super) struct Pages(Arc<Mutex<Vec<Chunk>>>);

/// One column chunk.
#[derive(Debug, Default)]
struct Chunk {
    /// The dictionary page, which comes last and belongs first.
    dictionary: Vec<Bytes>,
    /// Headers and pages as they came, not copied together.
    data: Vec<Bytes>,
    /// A header whose page is still to come.
    header: Option<Bytes>,
    dictionary_growth: usize,
    /// By how much the header of each data page grew.
    growth: Vec<usize>,
}

/// A finished column chunk, in the order of the file.
pub(super) struct Finished {
    pub(super) pieces: Vec<Bytes>,
    /// The result of its writer, put right.
    pub(super) close: ColumnCloseResult,
}

impl Pages {
    /// Takes a finished chunk.
    pub(super) fn take(&self, column: usize, mut close: ColumnCloseResult) -> Result<Finished> {
        let chunk =
            self.0.lock().get_mut(column).map(std::mem::take).ok_or_else(|| lost(column))?;
        let growth = chunk.dictionary_growth + chunk.growth.iter().sum::<usize>();
        let start = len_of(&chunk.dictionary) as i64;
        close.bytes_written += growth as u64;
        let compressed = close.metadata.compressed_size() + growth as i64;
        let uncompressed = close.metadata.uncompressed_size() + growth as i64;
        let mut builder = close
            .metadata
            .into_builder()
            .set_total_compressed_size(compressed)
            .set_total_uncompressed_size(uncompressed)
            .set_data_page_offset(start);
        if start > 0 {
            builder = builder.set_dictionary_page_offset(Some(0));
        }
        close.metadata = builder.build()?;
        if let Some(index) = &mut close.offset_index {
            if index.page_locations.len() != chunk.growth.len() {
                return Err(lost(column));
            }
            let mut offset = start;
            for (location, growth) in index.page_locations.iter_mut().zip(&chunk.growth) {
                location.offset = offset;
                location.compressed_page_size += *growth as i32;
                offset += i64::from(location.compressed_page_size);
            }
        }
        let mut pieces = chunk.dictionary;
        pieces.extend(chunk.data);
        if len_of(&pieces) as i64 != compressed {
            return Err(lost(column));
        }
        Ok(Finished { pieces, close })
    }
}

impl Finished {
    /// Its length in the file.
    pub(super) fn len(&self) -> usize {
        len_of(&self.pieces)
    }
}

impl Length for Finished {
    fn len(&self) -> u64 {
        Finished::len(self) as u64
    }
}

/// Only ever read from its start: that is how a chunk is appended to a file.
impl ChunkReader for Finished {
    type T = PiecesReader;

    fn get_read(&self, start: u64) -> Result<PiecesReader> {
        if start != 0 {
            return Err(ParquetError::General("a chunk is read from its start".into()));
        }
        Ok(PiecesReader { pieces: self.pieces.clone().into_iter(), current: Bytes::new() })
    }

    fn get_bytes(&self, _: u64, _: usize) -> Result<Bytes> {
        Err(ParquetError::General("a chunk is read from its start".into()))
    }
}

/// Reads pieces one behind the other.
pub(super) struct PiecesReader {
    pieces: std::vec::IntoIter<Bytes>,
    current: Bytes,
}

impl Read for PiecesReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.next() {
                Some(next) => self.current = next,
                None => return Ok(0),
            }
        }
        let len = out.len().min(self.current.len());
        self.current.copy_to_slice(&mut out[..len]);
        Ok(len)
    }
}

fn len_of(pieces: &[Bytes]) -> usize {
    pieces.iter().map(Bytes::len).sum()
}

fn lost(column: usize) -> ParquetError {
    ParquetError::General(format!("the pages of column {column} are not those it counted"))
}

impl PageStoreFactory for Pages {
    fn create(&self, args: &PageStoreArgs<'_>) -> Result<Box<dyn PageStore>> {
        let column = args.column_index();
        let mut chunks = self.0.lock();
        if chunks.len() <= column {
            chunks.resize_with(column + 1, Chunk::default);
        }
        chunks[column] = Chunk::default();
        Ok(Box::new(ColumnPages { pages: self.clone(), column, next: 0 }))
    }
}

/// The page store of one column.
struct ColumnPages {
    pages: Pages,
    column: usize,
    next: u64,
}

impl PageStore for ColumnPages {
    fn put(&mut self, value: Bytes) -> Result<PageKey> {
        let mut chunks = self.pages.0.lock();
        let chunk = chunks.get_mut(self.column).ok_or_else(|| lost(self.column))?;
        match chunk.header.take() {
            None => chunk.header = Some(value),
            Some(header) => chunk.add(&header, value)?,
        }
        self.next += 1;
        Ok(PageKey::new(self.next - 1))
    }

    fn take(&mut self, _: PageKey) -> Result<Bytes> {
        // Chunks leave through `Pages::take`, never page by page.
        Err(lost(self.column))
    }

    fn memory_size(&self) -> usize {
        let chunks = self.pages.0.lock();
        chunks.get(self.column).map_or(0, |c| len_of(&c.dictionary) + len_of(&c.data))
    }
}

impl Chunk {
    fn add(&mut self, header: &[u8], page: Bytes) -> Result<()> {
        let (kind, at) = crc_position(header)
            .ok_or_else(|| ParquetError::General("a page header of an unknown form".into()))?;
        let mut longer = Vec::with_capacity(header.len() + 8);
        longer.extend_from_slice(&header[..at]);
        put_crc(&mut longer, crc32fast::hash(&page));
        // The field behind is now one further from field 4 than from field 3.
        longer.push(header[at] - 0x10);
        longer.extend_from_slice(&header[at + 1..]);
        let growth = longer.len() - header.len();
        if kind == DICTIONARY_PAGE {
            self.dictionary.extend([longer.into(), page]);
            self.dictionary_growth += growth;
        } else {
            self.data.extend([longer.into(), page]);
            self.growth.push(growth);
        }
        Ok(())
    }
}

/// The type of a page, and where in its header (Thrift's compact protocol) the
/// CRC belongs: behind fields 1 to 3, which are always there.
fn crc_position(header: &[u8]) -> Option<(u64, usize)> {
    /// Next field, type i32.
    const NEXT_I32: u8 = 0x15;
    let mut rest = header;
    let mut kind = 0;
    for field in 1..=3 {
        let (&head, tail) = rest.split_first()?;
        if head != NEXT_I32 {
            return None;
        }
        let (number, tail) = take_varint(tail)?;
        if field == 1 {
            kind = number >> 1;
        }
        rest = tail;
    }
    // Two to five fields further: no CRC yet, and not the end.
    let next = *rest.first()? >> 4;
    (2..=5).contains(&next).then_some((kind, header.len() - rest.len()))
}

fn take_varint(input: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (i, byte) in input.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((number, &input[i + 1..]));
        }
    }
    None
}

/// Field 4, type i32: a zigzag varint.
fn put_crc(out: &mut Vec<u8>, crc: u32) {
    out.push(0x15);
    let crc = crc.cast_signed();
    let mut zigzag = ((crc << 1) ^ (crc >> 31)).cast_unsigned();
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_goes_behind_the_third_field() {
        // Data page, 300 bytes, 20 bytes, then field 5, a struct.
        let header = [0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x28, 0x2c, 0x15, 0x02, 0, 0];
        assert_eq!(crc_position(&header), Some((0, 7)));
        let mut chunk = Chunk::default();
        chunk.add(&header, Bytes::from_static(b"page")).unwrap();
        let data = chunk.data.concat();
        assert_eq!(data[..7], header[..7]);
        assert_eq!(data[7], 0x15);
        let crc = crc32fast::hash(b"page").cast_signed();
        let (zigzag, rest) = take_varint(&data[8..]).unwrap();
        assert_eq!((zigzag as i64 >> 1) ^ -(zigzag as i64 & 1), i64::from(crc));
        assert_eq!(rest, [&[0x1c, 0x15, 0x02, 0, 0][..], b"page"].concat());
        assert_eq!(chunk.growth, [data.len() - header.len() - 4]);
    }

    #[test]
    fn a_header_with_a_crc_or_cut_short_is_refused() {
        let with = [0x15, 0x00, 0x15, 0x02, 0x15, 0x02, 0x15, 0x02, 0x1c, 0, 0];
        assert_eq!(crc_position(&with), None);
        for len in 0..7 {
            assert_eq!(crc_position(&with[..len]), None);
        }
    }
}
