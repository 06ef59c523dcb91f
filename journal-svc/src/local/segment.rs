//! One file of the log: its header, and its records read back.
//!
//! ```text
//! page 0:  magic u64 | format u32 | start u32 | number u64 | salt u64 |
//!          epoch u64 | first seq u64 | checksum u64, then zeros
//! page 1…: frames (see `firn_engine::journal::frame`), each from a page boundary,
//!          filled up to the next with zeros
//! ```
//!
//! All integers are little-endian; the checksum is XXH3-64 of what is before it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::journal::frame::{self, Damage};
use firn_engine::journal::{PAYLOAD_LEN_MAX, Record};
use firn_engine::{Epoch, Seq};
use xxhash_rust::xxh3::xxh3_64;

use crate::disk::{DiskFile, PAGE, Pages, whole_pages};

const MAGIC: u64 = u64::from_le_bytes(*b"FIRNLOG\n");
const FORMAT: u32 = 1;
const HEADER_LEN: usize = 56;

/// Where records begin.
pub(super) const RECORDS_AT: u64 = PAGE as u64;

/// Read at once while going through records.
const READ_BYTES: usize = 1 << 20;

/// Where a segment stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// Its first record follows the last one of the segment before, of the
    /// same writer. It was made ahead of time and may have no record.
    Follows,
    /// A writer was opened, or has ended: the next record has this seq.
    At(Seq),
    /// As [`Start::At`], and everything before is trimmed.
    Anew(Seq),
}

/// What page 0 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Orders the segments of a log.
    pub(super) number: u64,
    /// Random: tells this segment's records from those of an earlier use of the file.
    pub(super) salt: u64,
    /// Of the writer.
    pub(super) epoch: Epoch,
    /// Where it stands in the log.
    pub(super) start: Start,
}

impl Header {
    pub(super) fn encode(&self) -> Pages {
        let (start, first) = match self.start {
            Start::Follows => (0u32, Seq::ZERO),
            Start::At(first) => (1, first),
            Start::Anew(first) => (2, first),
        };
        let mut page = Pages::zeroed(PAGE);
        let out = page.as_mut();
        out[0..8].copy_from_slice(&MAGIC.to_le_bytes());
        out[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        out[12..16].copy_from_slice(&start.to_le_bytes());
        let words = [self.number, self.salt, self.epoch.0, first.0];
        for (at, word) in (16..).step_by(8).zip(words) {
            out[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        let sum = xxh3_64(&out[..HEADER_LEN - 8]);
        out[HEADER_LEN - 8..HEADER_LEN].copy_from_slice(&sum.to_le_bytes());
        page
    }

    /// # Errors
    /// What is wrong with the page, in words.
    pub(super) fn decode(page: &[u8]) -> Result<Self, String> {
        let header: &[u8; HEADER_LEN] =
            page.first_chunk().ok_or("it is shorter than its header")?;
        let word = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("eight"));
        let half = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four"));
        if xxh3_64(&header[..HEADER_LEN - 8]) != word(48) || word(0) != MAGIC {
            return Err("its header is damaged".into());
        }
        if half(8) != FORMAT {
            return Err(format!(
                "format {} is newer than this program, which knows {FORMAT}",
                half(8)
            ));
        }
        let first = Seq(word(40));
        let start = match half(12) {
            0 => Start::Follows,
            1 => Start::At(first),
            2 => Start::Anew(first),
            other => return Err(format!("unknown start {other} in its header")),
        };
        Ok(Self { number: word(16), salt: word(24), epoch: Epoch(word(32)), start })
    }
}

/// An open segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) header: Header,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
    /// Bytes that the file has for header and records.
    pub(super) len: u64,
}

/// Reads the records of a segment, going forward.
#[derive(Debug)]
pub(super) struct Window {
    segment: Arc<Segment>,
    /// Offset of the bytes at hand.
    at: u64,
    bytes: Bytes,
}

impl Window {
    pub(super) fn new(segment: Arc<Segment>) -> Self {
        Self { segment, at: 0, bytes: Bytes::new() }
    }

    pub(super) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// The bytes from `at`, `len` of them if there are so many before `limit`.
    fn bytes(&mut self, at: u64, len: usize, limit: u64) -> io::Result<Bytes> {
        assert!(at.is_multiple_of(PAGE as u64), "frames begin at page boundaries");
        let left = usize::try_from(limit.saturating_sub(at)).unwrap_or(usize::MAX);
        let want = len.min(left);
        let have = |w: &Self| {
            let skip = usize::try_from(at.checked_sub(w.at)?).ok()?;
            (skip + want <= w.bytes.len()).then(|| w.bytes.slice(skip..))
        };
        if let Some(bytes) = have(self) {
            return Ok(bytes);
        }
        let mut pages = Pages::zeroed(whole_pages(want.max(READ_BYTES.min(left))));
        let read = self.segment.file.read(at, pages.as_mut())?;
        pages.truncate(read);
        self.at = at;
        self.bytes = Bytes::from_owner(pages);
        Ok(self.bytes.clone())
    }

    /// The record at `at` and where the next one is. The file is read up to `limit`.
    pub(super) fn record(
        &mut self,
        at: u64,
        limit: u64,
    ) -> io::Result<Result<(Record, u64), Damage>> {
        let salt = self.segment.header.salt;
        let bytes = self.bytes(at, PAGE, limit)?;
        let len = match frame::frame_len(&bytes, salt) {
            Ok(len) => len,
            Err(damage) => return Ok(Err(damage)),
        };
        let bytes = self.bytes(at, len, limit)?;
        Ok(frame::decode(&bytes, salt).map(|(mut record, len)| {
            if len < READ_BYTES / 4 {
                // Whoever keeps a small record should not keep all that was read with it.
                record.payload = Bytes::copy_from_slice(&record.payload);
            }
            (record, at + whole_pages(len) as u64)
        }))
    }

    /// The first offset from `at` on where the header of a record stands that
    /// begins at `seq` or later.
    pub(super) fn find_header(&mut self, at: u64, seq: Seq) -> io::Result<Option<u64>> {
        let (salt, limit) = (self.segment.header.salt, self.segment.file.len()?);
        let mut at = at;
        while at < limit {
            let bytes = self.bytes(at, PAGE, limit)?;
            if bytes.is_empty() {
                break;
            }
            for page in bytes.chunks(PAGE) {
                if frame::first_seq(page, salt).is_some_and(|first| first >= seq) {
                    return Ok(Some(at));
                }
                at += PAGE as u64;
            }
        }
        Ok(None)
    }
}

/// Bytes of a segment that the record takes.
pub(super) fn record_pages(record: &Record) -> u64 {
    assert!(record.payload.len() <= PAYLOAD_LEN_MAX, "the length was checked");
    whole_pages(frame::HEADER_LEN + record.payload.len()) as u64
}

#[cfg(test)]
mod header_tests {
    use super::*;

    #[test]
    fn headers_read_back_and_damage_is_noticed() {
        for start in [Start::Follows, Start::At(Seq(7)), Start::Anew(Seq(9))] {
            let header = Header { number: 3, salt: 99, epoch: Epoch(4), start };
            let page = header.encode();
            assert_eq!(Header::decode(page.as_ref()), Ok(header));
            for bit in 0..HEADER_LEN * 8 {
                let mut bad = page.as_ref().to_vec();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(Header::decode(&bad).is_err(), "bit {bit}");
            }
        }
    }
}
