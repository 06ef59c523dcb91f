//! Blocks as they are stored: compressed, and checksummed against rot and
//! against being read from the wrong place.

use std::cell::RefCell;

use bytes::{BufMut, Bytes};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::{Error, Result};
use crate::varint;

/// Compression byte and checksum.
pub(crate) const TRAILER_LEN: usize = 9;

/// Largest block before compression. One entry never spans blocks.
const RAW_LEN_MAX: usize = 1 << 30;

/// How a block's payload is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Compression {
    /// As it is.
    None = 0,
    /// Raw length u32 LE, LZ4 block.
    Lz4 = 1,
    /// Raw length u32 LE, Zstandard frame.
    Zstd = 2,
}

/// Where a stored block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Handle {
    /// First byte in the object.
    pub(crate) offset: u64,
    /// Stored length, with the trailer.
    pub(crate) len: u32,
}

impl Handle {
    pub(crate) fn end(self) -> u64 {
        self.offset + u64::from(self.len)
    }

    pub(crate) fn put(self, out: &mut Vec<u8>) {
        varint::put(out, self.offset);
        varint::put(out, u64::from(self.len));
    }

    pub(crate) fn take(input: &mut &[u8]) -> Option<Self> {
        let offset = varint::take(input)?;
        let len = u32::try_from(varint::take(input)?).ok()?;
        // The end must be a number, too.
        offset.checked_add(u64::from(len))?;
        Some(Self { offset, len })
    }
}

/// Stores blocks; keeps the compressor's memory from one to the next.
pub(crate) struct Storer {
    compression: Compression,
    zstd: Option<zstd::bulk::Compressor<'static>>,
    buffer: Vec<u8>,
}

impl Storer {
    pub(crate) fn new(compression: Compression) -> Self {
        // Level 1: beyond it, time grows faster than what is saved.
        let zstd = (compression == Compression::Zstd)
            .then(|| zstd::bulk::Compressor::new(1).expect("level 1 exists"));
        Self { compression, zstd, buffer: Vec::new() }
    }

    /// Appends `raw` as a stored block to `out`, whose first byte will be at
    /// `base` in the object.
    pub(crate) fn store(&mut self, raw: &[u8], out: &mut Vec<u8>, base: u64) -> Handle {
        self.store_as(self.compression, raw, out, base)
    }

    /// As [`Self::store`], never compressed: for what is used where it lies.
    pub(crate) fn store_plain(&mut self, raw: &[u8], out: &mut Vec<u8>, base: u64) -> Handle {
        self.store_as(Compression::None, raw, out, base)
    }

    fn store_as(
        &mut self,
        compression: Compression,
        raw: &[u8],
        out: &mut Vec<u8>,
        base: u64,
    ) -> Handle {
        assert!(raw.len() <= RAW_LEN_MAX, "a block of {} bytes", raw.len());
        let start = out.len();
        let offset = base + start as u64;
        let compressed = match compression {
            Compression::None => false,
            Compression::Lz4 => self.compress_lz4(raw),
            Compression::Zstd => self.compress_zstd(raw),
        };
        // Less than an eighth saved is not worth decompressing for.
        if compressed && self.buffer.len() + 4 < raw.len() - raw.len() / 8 {
            out.put_u32_le(raw.len() as u32);
            out.extend_from_slice(&self.buffer);
            out.push(compression as u8);
        } else {
            out.extend_from_slice(raw);
            out.push(Compression::None as u8);
        }
        let sum = xxh3_64_with_seed(&out[start..], offset);
        out.put_u64_le(sum);
        let len = u32::try_from(out.len() - start).expect("the block's limit is below 4 GiB");
        Handle { offset, len }
    }

    fn compress_lz4(&mut self, raw: &[u8]) -> bool {
        self.buffer.resize(lz4_flex::block::get_maximum_output_size(raw.len()), 0);
        match lz4_flex::block::compress_into(raw, &mut self.buffer) {
            Ok(len) => {
                self.buffer.truncate(len);
                true
            }
            Err(_) => false,
        }
    }

    fn compress_zstd(&mut self, raw: &[u8]) -> bool {
        let Some(zstd) = &mut self.zstd else { return false };
        self.buffer.clear();
        self.buffer.reserve(zstd::zstd_safe::compress_bound(raw.len()));
        zstd.compress_to_buffer(raw, &mut self.buffer).is_ok()
    }
}

/// Checks and decompresses a stored block that was read from `handle.offset`.
///
/// # Errors
/// `Corrupt`, naming the offset; the caller adds the object.
pub(crate) fn load(stored: &Bytes, handle: Handle) -> Result<Bytes> {
    let corrupt = |why: &str| Error::corrupt(format!("block at {}: {why}", handle.offset));
    if stored.len() != handle.len as usize || stored.len() < TRAILER_LEN {
        return Err(corrupt("cut short"));
    }
    let (body, sum) = stored.split_at(stored.len() - 8);
    let sum = u64::from_le_bytes(sum.try_into().expect("eight bytes"));
    if xxh3_64_with_seed(body, handle.offset) != sum {
        return Err(corrupt("its checksum does not match"));
    }
    let payload = stored.slice(..stored.len() - TRAILER_LEN);
    let compression = body[body.len() - 1];
    if compression == Compression::None as u8 {
        return Ok(payload);
    }
    let Some((len, packed)) = payload.split_first_chunk::<4>() else {
        return Err(corrupt("its length is missing"));
    };
    let len = u32::from_le_bytes(*len) as usize;
    if len > RAW_LEN_MAX {
        return Err(corrupt("its length is impossible"));
    }
    let raw = if compression == Compression::Lz4 as u8 {
        lz4_flex::block::decompress(packed, len).ok()
    } else if compression == Compression::Zstd as u8 {
        decompress_zstd(packed, len)
    } else {
        return Err(corrupt("its compression is unknown"));
    };
    match raw {
        Some(raw) if raw.len() == len => Ok(raw.into()),
        _ => Err(corrupt("it cannot be decompressed")),
    }
}

/// Whether `stored` is one whole block that was stored at `offset`, unharmed.
pub(crate) fn is_sound(stored: &[u8], offset: u64) -> bool {
    let Some((body, sum)) = stored.split_last_chunk::<8>() else { return false };
    stored.len() >= TRAILER_LEN && xxh3_64_with_seed(body, offset) == u64::from_le_bytes(*sum)
}

/// Making a decompressor costs more than a block takes to decompress, so each
/// thread keeps one.
fn decompress_zstd(packed: &[u8], len: usize) -> Option<Vec<u8>> {
    thread_local! {
        static KEPT: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    }
    KEPT.with_borrow_mut(|kept| {
        if kept.is_none() {
            *kept = zstd::bulk::Decompressor::new().ok();
        }
        kept.as_mut()?.decompress(packed, len).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(compression: Compression, raw: &[u8]) -> (Bytes, Handle) {
        let mut out = vec![1, 2, 3];
        let handle = Storer::new(compression).store(raw, &mut out, 100);
        assert_eq!(handle.offset, 103);
        (Bytes::from(out).slice(3..), handle)
    }

    proptest! {
        #[test]
        fn reads_back(raw in prop::collection::vec(0u8..4, 0..2000), which in 0..3) {
            let kinds = [Compression::None, Compression::Lz4, Compression::Zstd];
            let (stored, handle) = round_trip(kinds[which as usize], &raw);
            prop_assert_eq!(load(&stored, handle).unwrap(), raw);
        }
    }

    #[test]
    fn a_changed_bit_or_another_place_is_noticed() {
        for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
            let (stored, handle) = round_trip(compression, &[9; 300]);
            for bit in 0..stored.len() * 8 {
                let mut bad = stored.to_vec();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(load(&bad.into(), handle).is_err(), "bit {bit}");
            }
            let elsewhere = Handle { offset: handle.offset + 1, ..handle };
            assert!(load(&stored, elsewhere).is_err());
            assert!(load(&stored.slice(1..), handle).is_err());
        }
    }
}
