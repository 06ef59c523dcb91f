//! The end of a file, from which everything else is found.
//!
//! ```text
//! range deletions, properties, top index: offset u64, length u32 each
//! format u32 | XXH3-64 of all before u64 | magic u64
//! ```

use bytes::{BufMut, Bytes};
use firn_proto::v1 as pb;
use prost::Message;
use xxhash_rust::xxh3::xxh3_64;

use super::stored::Handle;
use crate::error::{Error, ErrorKind, Result};
use crate::range_delete::{Fragment, RangeDeletes};
use crate::types::Seq;
use crate::varint;

/// Bytes that a footer takes.
pub(crate) const FOOTER_LEN: usize = 3 * 12 + 4 + 8 + 8;

const MAGIC: u64 = u64::from_le_bytes(*b"FIRN-SST");
const FORMAT: u32 = 1;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) range_deletes: Handle,
    pub(crate) properties: Handle,
    pub(crate) top_index: Handle,
}

impl Footer {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        for handle in [self.range_deletes, self.properties, self.top_index] {
            out.put_u64_le(handle.offset);
            out.put_u32_le(handle.len);
        }
        out.put_u32_le(FORMAT);
        out.put_u64_le(xxh3_64(&out[start..]));
        out.put_u64_le(MAGIC);
    }

    /// Reads the footer at the end of `tail`.
    ///
    /// # Errors
    /// `Unavailable` for a newer format, `Corrupt` for what is no footer.
    pub(crate) fn read(tail: &[u8]) -> Result<Self> {
        let footer: &[u8; FOOTER_LEN] =
            tail.last_chunk().ok_or_else(|| Error::corrupt("footer: cut short"))?;
        let long = |at: usize| u64::from_le_bytes(footer[at..at + 8].try_into().expect("eight"));
        let word = |at: usize| u32::from_le_bytes(footer[at..at + 4].try_into().expect("four"));
        let checked = FOOTER_LEN - 16;
        if long(FOOTER_LEN - 8) != MAGIC {
            return Err(Error::corrupt("footer: it is not a Firn SST"));
        }
        if xxh3_64(&footer[..checked]) != long(checked) {
            return Err(Error::corrupt("footer: its checksum does not match"));
        }
        let format = word(checked - 4);
        if format > FORMAT {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("SST format {format} is from a newer Firn; this one knows up to {FORMAT}"),
            ));
        }
        let handle = |i: usize| Handle { offset: long(i * 12), len: word(i * 12 + 8) };
        Ok(Self { range_deletes: handle(0), properties: handle(1), top_index: handle(2) })
    }
}

/// The stored form of range deletions.
pub(crate) fn put_range_deletes(deletes: &RangeDeletes, out: &mut Vec<u8>) {
    let bytes = |out: &mut Vec<u8>, b: &[u8]| {
        varint::put(out, b.len() as u64);
        out.extend_from_slice(b);
    };
    varint::put(out, deletes.fragments().len() as u64);
    for fragment in deletes.fragments() {
        bytes(out, &fragment.start);
        bytes(out, &fragment.end);
        varint::put(out, fragment.seqs.len() as u64);
        for seq in &fragment.seqs {
            varint::put(out, seq.0);
        }
    }
}

/// Reads what [`put_range_deletes`] wrote; `None` if it did not.
pub(crate) fn take_range_deletes(raw: &Bytes) -> Option<RangeDeletes> {
    let mut rest = &raw[..];
    let count = varint::take(&mut rest)?;
    let mut fragments = Vec::new();
    for _ in 0..count {
        let start = Bytes::copy_from_slice(varint::take_bytes(&mut rest)?);
        let end = Bytes::copy_from_slice(varint::take_bytes(&mut rest)?);
        let seqs = varint::take(&mut rest)?;
        let seqs = (0..seqs).map(|_| varint::take(&mut rest).map(Seq)).collect::<Option<_>>()?;
        fragments.push(Fragment { start, end, seqs });
    }
    RangeDeletes::from_fragments(fragments)
}

/// Reads the properties block.
///
/// # Errors
/// `Corrupt` if it is none.
pub(crate) fn read_properties(raw: &Bytes) -> Result<pb::SstProperties> {
    pb::SstProperties::decode(raw.clone())
        .map_err(|e| Error::with_source(ErrorKind::Corrupt, "SST properties", e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRange;
    use crate::manifest::RangeDelete;

    #[test]
    fn the_footer_reads_back_and_every_changed_bit_is_noticed() {
        let h = |offset, len| Handle { offset, len };
        let footer =
            Footer { range_deletes: h(1, 2), properties: h(3, 4), top_index: h(u64::MAX, 6) };
        let mut out = vec![0; 5];
        footer.put(&mut out);
        assert_eq!(out.len(), 5 + FOOTER_LEN);
        assert_eq!(Footer::read(&out).unwrap(), footer);
        for bit in 5 * 8..out.len() * 8 {
            let mut bad = out.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Footer::read(&bad).is_err(), "bit {bit}");
        }
        assert!(Footer::read(&out[out.len() - 20..]).is_err());
    }

    #[test]
    fn range_deletions_read_back_and_cuts_are_noticed() {
        let delete = |a: &'static str, b: &'static str, seq| RangeDelete {
            range: KeyRange::new(a, b),
            seq: Seq(seq),
        };
        let deletes = RangeDeletes::new(&[delete("a", "m", 3), delete("c", "z", 9)]);
        let mut out = Vec::new();
        put_range_deletes(&deletes, &mut out);
        assert_eq!(take_range_deletes(&Bytes::copy_from_slice(&out)), Some(deletes));
        for cut in 0..out.len() {
            assert_eq!(take_range_deletes(&Bytes::copy_from_slice(&out[..cut])), None);
        }
    }
}
