//! The compressed protocol: packets packed into frames of their own.

use std::io::Read;

use bytes::BytesMut;

use crate::error::{Error, Result, SqlError};
use crate::packet::FRAME_MAX_BYTES;

/// Packed length (3), sequence number (1), plain length (3; 0: not packed).
pub(crate) const COMPRESSED_HEADER_BYTES: usize = 7;
/// Shorter frames are sent as they are.
const PACK_MIN_BYTES: usize = 50;
/// zstd's window never has to be larger than a frame.
const ZSTD_WINDOW_LOG_MAX: u32 = 24;

/// How the frames of a connection are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// zlib.
    Zlib,
    /// zstd at this level, 1 to 22.
    Zstd(i32),
}

impl Compression {
    /// Appends to `into` what `packed` holds, which must be `plain_len` bytes.
    pub(crate) fn unpack(self, packed: &[u8], plain_len: usize, into: &mut BytesMut) -> Result<()> {
        let before = into.len();
        let done = match self {
            Self::Zlib => copy_bounded(flate2::read::ZlibDecoder::new(packed), plain_len, into),
            Self::Zstd(_) => zstd::Decoder::with_buffer(packed).and_then(|mut decoder| {
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                copy_bounded(decoder, plain_len, into)
            }),
        };
        if done.is_err() || into.len() - before != plain_len {
            return Err(Error::Protocol(SqlError::uncompress_failed()));
        }
        Ok(())
    }

    /// Packs `plain` into frames and counts `sequence` up.
    pub(crate) fn pack(self, plain: &[u8], sequence: &mut u8) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(plain.len() / 2 + COMPRESSED_HEADER_BYTES);
        for part in plain.chunks(FRAME_MAX_BYTES) {
            let start = out.len();
            out.extend_from_slice(&[0; COMPRESSED_HEADER_BYTES]);
            let mut plain_len = 0;
            if part.len() >= PACK_MIN_BYTES {
                self.pack_part(part, &mut out)?;
                plain_len = part.len();
            }
            let mut packed_len = out.len() - start - COMPRESSED_HEADER_BYTES;
            if plain_len == 0 || packed_len >= part.len() {
                out.truncate(start + COMPRESSED_HEADER_BYTES);
                out.extend_from_slice(part);
                (packed_len, plain_len) = (part.len(), 0);
            }
            let header = &mut out[start..start + COMPRESSED_HEADER_BYTES];
            header[..3].copy_from_slice(&(packed_len as u32).to_le_bytes()[..3]);
            header[3] = *sequence;
            header[4..].copy_from_slice(&(plain_len as u32).to_le_bytes()[..3]);
            *sequence = sequence.wrapping_add(1);
        }
        Ok(out)
    }

    fn pack_part(self, part: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Zlib => {
                let level = flate2::Compression::new(6);
                flate2::read::ZlibEncoder::new(part, level).read_to_end(out)?;
            }
            Self::Zstd(level) => out.extend_from_slice(&zstd::bulk::compress(part, level)?),
        }
        Ok(())
    }
}

/// Reads at most one byte more than `max` into `into`, growing with what comes.
fn copy_bounded(mut from: impl Read, max: usize, into: &mut BytesMut) -> std::io::Result<()> {
    let mut part = [0; 8192];
    let mut left = max + 1;
    while left > 0 {
        let want = left.min(part.len());
        let len = from.read(&mut part[..want])?;
        if len == 0 {
            break;
        }
        into.extend_from_slice(&part[..len]);
        left -= len;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_as_they_went() {
        for compression in [Compression::Zlib, Compression::Zstd(3)] {
            for len in [1, 49, 50, 1000, 100_000, FRAME_MAX_BYTES + 5] {
                let plain: Vec<u8> = (0..len).map(|i| (i * i % 253) as u8).collect();
                let mut sequence = 255;
                let packed = compression.pack(&plain, &mut sequence).unwrap();
                let mut rest = &packed[..];
                let mut back = BytesMut::new();
                while !rest.is_empty() {
                    let packed_len = u32::from_le_bytes([rest[0], rest[1], rest[2], 0]) as usize;
                    let plain_len = u32::from_le_bytes([rest[4], rest[5], rest[6], 0]) as usize;
                    let body = &rest[7..7 + packed_len];
                    if plain_len == 0 {
                        back.extend_from_slice(body);
                    } else {
                        compression.unpack(body, plain_len, &mut back).unwrap();
                    }
                    rest = &rest[7 + packed_len..];
                }
                assert!(back == plain, "{compression:?}, {len} bytes");
                assert_eq!(sequence, if len > FRAME_MAX_BYTES { 1 } else { 0 });
            }
        }
    }

    #[test]
    fn a_frame_that_lies_about_its_length_is_refused() {
        for compression in [Compression::Zlib, Compression::Zstd(3)] {
            let mut packed = Vec::new();
            compression.pack_part(&[7; 100_000], &mut packed).unwrap();
            for claimed in [1, 99_999, 100_001] {
                let mut back = BytesMut::new();
                let error = compression.unpack(&packed, claimed, &mut back).unwrap_err();
                assert!(matches!(error, Error::Protocol(e) if e.number == 1157));
                assert!(back.len() <= claimed + 1);
            }
            let error = compression.unpack(&packed[..9], 100_000, &mut BytesMut::new());
            assert!(matches!(error, Err(Error::Protocol(e)) if e.number == 1157));
        }
    }
}
