//! The bytes of the objects of a log.
//!
//! ```text
//! magic u64 | format u32 | kind u32 | number u64 | writer u64 | epoch u64 |
//! last seq u64 | checksum u64
//! ```
//!
//! That is all of a fence. A new beginning has eight zeros more, so that a list
//! tells the two apart by their lengths. In a record its frame follows (see
//! `firn_engine::journal::frame`), with the writer's number as salt.
//!
//! `live-start` is `magic u64 | start u64 | swept u64 | trimmed seq u64 | checksum u64`.
//!
//! All integers are little-endian. Checksums are XXH3-64 of what is before
//! them, seeded with the branch: an object copied to another branch is noticed.

use bytes::Bytes;
use firn_engine::journal::{Record, frame};
use firn_engine::{BranchName, Epoch, Seq};
use object_store::PutPayload;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const MAGIC: u64 = u64::from_le_bytes(*b"FIRNLIV\n");
const START_MAGIC: u64 = u64::from_le_bytes(*b"FIRNBEG\n");
const FORMAT: u32 = 1;

/// Bytes of a header, and of a fence.
pub(super) const HEADER_LEN: usize = 56;
/// Bytes of a new beginning.
const ANEW_LEN: usize = 64;
/// Bytes of `live-start`.
pub(super) const START_LEN: usize = 40;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Record,
    Fence,
    Anew,
}

impl Kind {
    /// As the object's length tells.
    pub(super) fn of_len(len: u64) -> Self {
        if len == HEADER_LEN as u64 {
            Self::Fence
        } else if len == ANEW_LEN as u64 {
            Self::Anew
        } else {
            Self::Record
        }
    }
}

/// What every object begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) number: u64,
    /// Random number of the writer.
    pub(super) writer: u64,
    pub(super) epoch: Epoch,
    /// Last seq of a record; the seq before a new beginning; nothing in a fence.
    pub(super) last: Seq,
}

/// Where the kept objects begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// Number of the first kept object.
    pub(super) start: u64,
    /// Records below this number are deleted.
    pub(super) swept: u64,
    /// Seqs up to this one are trimmed.
    pub(super) trimmed: Seq,
}

impl Default for Start {
    fn default() -> Self {
        Self { start: 1, swept: 1, trimmed: Seq::ZERO }
    }
}

fn seed(branch: &BranchName) -> u64 {
    xxh3_64(branch.as_str().as_bytes())
}

/// Adds the checksum to words.
fn sealed(words: &[u64], branch: &BranchName) -> Vec<u8> {
    let mut out: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let sum = xxh3_64_with_seed(&out, seed(branch));
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// The words of `bytes`, without the checksum, if that matches.
fn unsealed<const N: usize>(bytes: &[u8], branch: &BranchName) -> Option<[u64; N]> {
    let (words, sum) = bytes.get(..8 * N + 8)?.split_at(8 * N);
    if xxh3_64_with_seed(words, seed(branch)).to_le_bytes() != sum {
        return None;
    }
    let mut out = [0; N];
    for (word, bytes) in out.iter_mut().zip(words.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    Some(out)
}

impl Header {
    fn encode(&self, branch: &BranchName) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Record => 0u64,
            Kind::Fence => 1,
            Kind::Anew => 2,
        };
        let second = u64::from(FORMAT) | kind << 32;
        let words = [MAGIC, second, self.number, self.writer, self.epoch.0, self.last.0];
        sealed(&words, branch)
    }

    /// The object of a fence or a new beginning.
    pub(super) fn mark(&self, branch: &BranchName) -> PutPayload {
        let mut bytes = self.encode(branch);
        if self.kind == Kind::Anew {
            bytes.resize(ANEW_LEN, 0);
        }
        assert_ne!(self.kind, Kind::Record, "a record has a frame");
        bytes.into()
    }

    /// The object of a record.
    pub(super) fn record(&self, branch: &BranchName, record: &Record) -> PutPayload {
        assert_eq!((self.kind, self.last), (Kind::Record, record.last_seq));
        let mut head = self.encode(branch);
        head.extend_from_slice(&frame::header(record, self.writer));
        [Bytes::from(head), record.payload.clone()].into_iter().collect()
    }

    /// # Errors
    /// What is wrong with the bytes, in words.
    pub(super) fn decode(bytes: &[u8], branch: &BranchName) -> Result<Self, String> {
        let words = unsealed::<6>(bytes, branch);
        let [magic, second, number, writer, epoch, last] = words.ok_or("its header is damaged")?;
        if magic != MAGIC {
            return Err("it is not part of a journal".into());
        }
        let format = second & u64::from(u32::MAX);
        if format != u64::from(FORMAT) {
            return Err(format!(
                "format {format} is newer than this program, which knows {FORMAT}"
            ));
        }
        let kind = match second >> 32 {
            0 => Kind::Record,
            1 => Kind::Fence,
            2 => Kind::Anew,
            other => return Err(format!("unknown kind {other} in its header")),
        };
        Ok(Self { kind, number, writer, epoch: Epoch(epoch), last: Seq(last) })
    }

    /// The record in an object with this header.
    ///
    /// # Errors
    /// What is wrong with the bytes, in words.
    pub(super) fn decode_record(&self, object: &Bytes) -> Result<Record, String> {
        let frame = object.slice(HEADER_LEN.min(object.len())..);
        let (record, len) = frame::decode(&frame, self.writer)
            .map_err(|why| format!("its record is damaged: {why:?}"))?;
        let fits = record.epoch == self.epoch && record.last_seq == self.last;
        if !fits || len != frame.len() {
            return Err("its record does not fit its header".into());
        }
        Ok(record)
    }
}

impl Start {
    pub(super) fn encode(&self, branch: &BranchName) -> PutPayload {
        let bytes = sealed(&[START_MAGIC, self.start, self.swept, self.trimmed.0], branch);
        assert_eq!(bytes.len(), START_LEN);
        bytes.into()
    }

    pub(super) fn decode(bytes: &[u8], branch: &BranchName) -> Result<Self, String> {
        match unsealed::<4>(bytes, branch) {
            Some([START_MAGIC, start, swept, trimmed]) if start >= swept => {
                Ok(Self { start, swept, trimmed: Seq(trimmed) })
            }
            _ => Err("it is damaged".into()),
        }
    }
}

#[cfg(test)]
mod format_tests {
    use super::*;

    #[test]
    fn objects_read_back_and_damage_is_noticed() {
        let (main, other) = (BranchName::main(), BranchName::new("other").unwrap());
        let header =
            Header { kind: Kind::Record, number: 7, writer: 99, epoch: Epoch(3), last: Seq(12) };
        let record = Record {
            epoch: Epoch(3),
            first_seq: Seq(10),
            last_seq: Seq(12),
            unix_ms: 5,
            payload: Bytes::from_static(b""),
        };
        let bytes = Bytes::from(header.record(&main, &record));
        assert_eq!(Header::decode(&bytes, &main), Ok(header));
        assert_eq!(header.decode_record(&bytes), Ok(record));
        assert_eq!(Kind::of_len(bytes.len() as u64), Kind::Record, "however short");
        assert!(Header::decode(&bytes, &other).is_err());
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            let bad = Bytes::from(bad);
            let read = Header::decode(&bad, &main).and_then(|h| h.decode_record(&bad));
            assert!(read.is_err(), "bit {bit}");
        }
        for kind in [Kind::Fence, Kind::Anew] {
            let mark = Header { kind, ..header };
            let bytes = Bytes::from(mark.mark(&main));
            assert_eq!(Header::decode(&bytes, &main), Ok(mark));
            assert_eq!(Kind::of_len(bytes.len() as u64), kind);
        }
        let start = Start { start: 9, swept: 4, trimmed: Seq(77) };
        let bytes = Bytes::from(start.encode(&main));
        assert_eq!(Start::decode(&bytes, &main), Ok(start));
        assert!(Start::decode(&bytes, &other).is_err());
    }
}
