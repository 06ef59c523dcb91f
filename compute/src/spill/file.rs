//! Files of records.
//!
//! Records, each a key and a payload, are gathered into frames of some 64 KiB, which are
//! compressed where that makes them smaller and checksummed, the checksum seeded with the
//! file and the place. A segment is a series of frames; its places are kept in memory.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_mysql_semantics::error::{SqlError, code};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::area::SpillArea;
use super::value::{broken, put_length, take_length};
use crate::server::{EE_CANT_CREATE_FILE, EE_READ, EE_WRITE, failed};

/// What a frame has at least before it is written, in bytes.
pub(crate) const FRAME_BYTES: usize = 64 << 10;

/// Checksum, and the length of what was compressed.
const HEADER_BYTES: usize = 12;

/// A temporary file. Clones are the same one, which goes with the last.
#[derive(Debug, Clone)]
pub(crate) struct SpillFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    area: Arc<SpillArea>,
    /// Where the next frame goes.
    end: AtomicU64,
    seed: u64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.area.gone(*self.end.get_mut());
    }
}

impl SpillFile {
    /// A new one.
    ///
    /// # Errors
    /// 1 if it cannot be made.
    pub(crate) fn make(area: &Arc<SpillArea>) -> Result<Self, SqlError> {
        let file = area.file().map_err(|error| {
            failed(
                EE_CANT_CREATE_FILE,
                &format!("Can't create/write to file '{}'", area.name()),
                &error,
            )
        })?;
        Ok(Self::of(file, area))
    }

    fn of(file: File, area: &Arc<SpillArea>) -> Self {
        static SEED: AtomicU64 = AtomicU64::new(1);
        let seed = SEED.fetch_add(1, Ordering::Relaxed) << 40;
        Self(Arc::new(Inner { file, area: Arc::clone(area), end: AtomicU64::new(0), seed }))
    }

    fn write(&self, frame: &[u8]) -> Result<u64, SqlError> {
        let Inner { file, area, end, .. } = &*self.0;
        area.grow(frame.len() as u64)?;
        let offset = end.fetch_add(frame.len() as u64, Ordering::Relaxed);
        file.write_all_at(frame, offset).map_err(|error| {
            failed(EE_WRITE, &format!("Error writing file '{}'", area.name()), &error)
        })?;
        Ok(offset)
    }

    fn sum(&self, offset: u64, checked: &[u8]) -> u64 {
        xxh3_64_with_seed(checked, self.0.seed ^ offset)
    }

    /// Reads a frame into `raw`.
    fn read(&self, at: Place, frame: &mut Vec<u8>, raw: &mut Vec<u8>) -> Result<(), SqlError> {
        let Inner { file, area, .. } = &*self.0;
        frame.resize(at.bytes as usize, 0);
        file.read_exact_at(frame, at.offset).map_err(|error| {
            failed(EE_READ, &format!("Error reading file '{}'", area.name()), &error)
        })?;
        let damaged = || {
            let (name, offset) = (area.name(), at.offset);
            let text = format!("Damaged data: file '{name}', the frame at {offset}");
            SqlError::with_message(code::ER_NOT_KEYFILE, text)
        };
        let (sum, checked) = frame.split_first_chunk::<8>().ok_or_else(damaged)?;
        if u64::from_le_bytes(*sum) != self.sum(at.offset, checked) {
            return Err(damaged());
        }
        let (length, packed) = checked.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = u32::from_le_bytes(*length) as usize;
        raw.clear();
        if length == packed.len() {
            raw.extend_from_slice(packed);
            return Ok(());
        }
        raw.resize(length, 0);
        let read = lz4_flex::block::decompress_into(packed, raw).map_err(|_| damaged())?;
        if read == length { Ok(()) } else { Err(damaged()) }
    }
}

/// Where a frame is.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    bytes: u32,
}

/// Records that were written.
#[derive(Debug)]
pub(crate) struct Segment {
    file: SpillFile,
    frames: Vec<Place>,
    records: u64,
    bytes: u64,
}

impl Segment {
    /// How many there are.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of their keys and payloads.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Writes a segment.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    file: SpillFile,
    raw: Vec<u8>,
    packed: Vec<u8>,
    frames: Vec<Place>,
    records: u64,
    bytes: u64,
    /// What a frame has at least, in bytes.
    frame_bytes: usize,
}

impl SegmentWriter {
    /// One at the end of a file.
    pub(crate) fn new(file: &SpillFile) -> Self {
        Self::with_frames(file, FRAME_BYTES)
    }

    /// One with frames of so many bytes.
    pub(crate) fn with_frames(file: &SpillFile, frame_bytes: usize) -> Self {
        Self {
            file: file.clone(),
            raw: Vec::new(),
            packed: Vec::new(),
            frames: Vec::new(),
            records: 0,
            bytes: 0,
            frame_bytes,
        }
    }

    /// Appends a record.
    ///
    /// # Errors
    /// 3 if it cannot be written; 1114 if there is too much already.
    pub(crate) fn push(&mut self, key: &[u8], payload: &[u8]) -> Result<(), SqlError> {
        put_length(key.len(), &mut self.raw);
        put_length(payload.len(), &mut self.raw);
        self.raw.extend_from_slice(key);
        self.raw.extend_from_slice(payload);
        self.records += 1;
        self.bytes += (key.len() + payload.len()) as u64;
        if self.raw.len() >= self.frame_bytes { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), SqlError> {
        let Self { file, raw, packed, frames, .. } = self;
        if raw.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(raw.len()).map_err(|_| broken("a record of more than 4 GiB"))?;
        packed.resize(HEADER_BYTES + lz4_flex::block::get_maximum_output_size(raw.len()), 0);
        let size = lz4_flex::block::compress_into(raw, &mut packed[HEADER_BYTES..]);
        match size {
            Ok(size) if size < raw.len() => packed.truncate(HEADER_BYTES + size),
            _ => {
                packed.truncate(HEADER_BYTES);
                packed.extend_from_slice(raw);
            }
        }
        packed[8..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
        // One writes a file at a time: it goes where it ends now.
        let offset = file.0.end.load(Ordering::Relaxed);
        let sum = file.sum(offset, &packed[8..]);
        packed[..8].copy_from_slice(&sum.to_le_bytes());
        let bytes = u32::try_from(packed.len()).map_err(|_| broken("a frame of 4 GiB"))?;
        let written = file.write(packed)?;
        if written != offset {
            return Err(broken("two write one file"));
        }
        frames.push(Place { offset, bytes });
        raw.clear();
        Ok(())
    }

    /// All that was appended.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn end(mut self) -> Result<Segment, SqlError> {
        self.flush()?;
        let Self { file, frames, records, bytes, .. } = self;
        Ok(Segment { file, frames, records, bytes })
    }
}

/// Reads a segment from its beginning.
#[derive(Debug)]
pub(crate) struct SegmentReader {
    segment: Arc<Segment>,
    next: usize,
    frame: Vec<u8>,
    raw: Vec<u8>,
    /// Where the record's key begins, its payload, and the next record.
    key: usize,
    payload: usize,
    end: usize,
}

impl SegmentReader {
    /// A reader before the first record.
    pub(crate) fn new(segment: Arc<Segment>) -> Self {
        let (frame, raw) = Default::default();
        Self { segment, next: 0, frame, raw, key: 0, payload: 0, end: 0 }
    }

    /// Goes to the next record; `false` if there is none.
    ///
    /// # Errors
    /// 2 if it cannot be read, 1034 if it is not what was written.
    pub(crate) fn advance(&mut self) -> Result<bool, SqlError> {
        if self.end == self.raw.len() {
            let Some(place) = self.segment.frames.get(self.next) else { return Ok(false) };
            self.segment.file.read(*place, &mut self.frame, &mut self.raw)?;
            (self.next, self.end) = (self.next + 1, 0);
        }
        let mut rest = self.raw.get(self.end..).unwrap_or_default();
        let (key, payload) = (take_length(&mut rest)?, take_length(&mut rest)?);
        self.key = self.raw.len() - rest.len();
        self.payload = self.key + key;
        self.end = self.payload + payload;
        if self.end > self.raw.len() {
            return Err(broken("a record beyond its frame"));
        }
        Ok(true)
    }

    /// The record's key.
    pub(crate) fn key(&self) -> &[u8] {
        &self.raw[self.key..self.payload]
    }

    /// What belongs to it.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.raw[self.payload..self.end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(file: &SpillFile, records: u32) -> Result<Arc<Segment>, SqlError> {
        let mut writer = SegmentWriter::new(file);
        for at in 0..records {
            let text = format!("payload {at} {}", "x".repeat(at as usize % 300));
            writer.push(&at.to_be_bytes(), text.as_bytes())?;
        }
        writer.end().map(Arc::new)
    }

    fn count(segment: &Arc<Segment>) -> Result<u64, SqlError> {
        let mut reader = SegmentReader::new(Arc::clone(segment));
        let mut records = 0;
        while reader.advance()? {
            assert_eq!(reader.key(), u32::to_be_bytes(records as u32));
            assert!(reader.payload().starts_with(format!("payload {records} ").as_bytes()));
            records += 1;
        }
        Ok(records)
    }

    #[test]
    fn what_is_written_is_read_as_often_as_wanted() {
        let area = Arc::new(SpillArea::default());
        let file = SpillFile::make(&area).unwrap();
        let (none, some) = (written(&file, 0).unwrap(), written(&file, 5000).unwrap());
        let more = written(&file, 1).unwrap();
        for _ in 0..2 {
            assert_eq!(count(&none).unwrap(), 0);
            assert_eq!(count(&some).unwrap(), 5000);
            assert_eq!(count(&more).unwrap(), 1);
        }
        assert_eq!(some.records(), 5000);
        assert!(some.frames.len() > 1 && area.bytes() < some.bytes(), "compressed");
        assert_eq!(area.files(), 1);
        drop((none, some, more, file));
        assert_eq!((area.files(), area.bytes()), (0, 0), "it goes with the last owner");
    }

    #[test]
    fn a_frame_that_was_changed_or_moved_is_an_error() {
        let area = Arc::new(SpillArea::default());
        let file = SpillFile::make(&area).unwrap();
        let segment = written(&file, 1000).unwrap();
        let end = area.bytes();
        let mut byte = [0];
        for at in (0..end).step_by(17).chain([end - 1]) {
            file.0.file.read_exact_at(&mut byte, at).unwrap();
            file.0.file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
            let error = count(&segment).unwrap_err();
            assert_eq!(error.number(), code::ER_NOT_KEYFILE, "at {at}: {}", error.message());
            file.0.file.write_all_at(&byte, at).unwrap();
        }
        assert_eq!(count(&segment).unwrap(), 1000);
        // Frames of another file, or elsewhere in this one, are not its own.
        let other = SpillFile::make(&area).unwrap();
        let mut all = vec![0; usize::try_from(end).unwrap()];
        file.0.file.read_exact_at(&mut all, 0).unwrap();
        let twin = written(&other, 1000).unwrap();
        other.0.file.write_all_at(&all, 0).unwrap();
        assert_eq!(count(&twin).unwrap_err().number(), code::ER_NOT_KEYFILE);
        file.0.file.set_len(end - 1).unwrap();
        assert_eq!(count(&segment).unwrap_err().number(), EE_READ);
    }

    #[test]
    fn a_full_disk_is_mysqls_error() {
        let area = Arc::new(SpillArea::default());
        let full = File::options().write(true).open("/dev/full").unwrap();
        area.file().unwrap();
        let error = written(&SpillFile::of(full, &area), 5000).unwrap_err();
        assert_eq!(error.number(), EE_WRITE);
        let text = "(OS errno 28 - No space left on device)";
        assert!(error.message().ends_with(text), "{}", error.message());
        let few = SpillArea::open(&std::env::temp_dir().join("firn-spill-test"), Some(10_000));
        let file = SpillFile::make(&few.unwrap()).unwrap();
        let error = written(&file, 5000).unwrap_err();
        assert_eq!(error.number(), code::ER_RECORD_FILE_FULL, "{}", error.message());
    }
}
