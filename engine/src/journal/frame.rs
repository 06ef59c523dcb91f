//! The bytes of one journal record, the same on a local disk, in an archived
//! segment and in an object.
//!
//! ```text
//! magic u32 | payload length u32 | salt u64 | epoch u64 | first seq u64 |
//! last seq u64 | unix ms u64 | checksum u64 | payload
//! ```
//!
//! All integers are little-endian. The checksum is XXH3-64 over everything but
//! itself. The *salt* tells a file's records from those that an earlier use of
//! the same disk blocks left behind.

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3Default;

use super::{PAYLOAD_LEN_MAX, Record};
use crate::types::{Epoch, Seq};

/// Bytes in front of the payload.
pub const HEADER_LEN: usize = 56;

const MAGIC: u32 = 0x4e52_4946; // "FIRN" in little-endian order

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Too few bytes for what the header announces, or for a header.
    Short,
    /// No record starts here: wrong magic, salt or an impossible length.
    NotARecord,
    /// A record starts here, but its checksum does not match.
    Checksum,
}

/// Encodes everything that goes in front of the payload.
#[must_use]
pub fn header(record: &Record, salt: u64) -> [u8; HEADER_LEN] {
    assert!(record.payload.len() <= PAYLOAD_LEN_MAX, "payload over its limit");
    assert!(record.first_seq <= record.last_seq, "a record has at least one seq");
    let mut out = [0u8; HEADER_LEN];
    let len = u32::try_from(record.payload.len()).expect("the limit is below 4 GiB");
    out[0..4].copy_from_slice(&MAGIC.to_le_bytes());
    out[4..8].copy_from_slice(&len.to_le_bytes());
    out[8..16].copy_from_slice(&salt.to_le_bytes());
    out[16..24].copy_from_slice(&record.epoch.0.to_le_bytes());
    out[24..32].copy_from_slice(&record.first_seq.0.to_le_bytes());
    out[32..40].copy_from_slice(&record.last_seq.0.to_le_bytes());
    out[40..48].copy_from_slice(&record.unix_ms.to_le_bytes());
    let sum = checksum(&out, &record.payload);
    out[48..56].copy_from_slice(&sum.to_le_bytes());
    out
}

fn checksum(header: &[u8; HEADER_LEN], payload: &[u8]) -> u64 {
    let mut hasher = Xxh3Default::new();
    hasher.update(&header[..48]);
    hasher.update(payload);
    hasher.digest()
}

/// Length of the whole frame that starts at `bytes`, if one does.
///
/// # Errors
/// [`Damage::Short`] or [`Damage::NotARecord`].
pub fn frame_len(bytes: &[u8], salt: u64) -> Result<usize, Damage> {
    let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(Damage::Short)?;
    let len = u32_at(header, 4) as usize;
    if u32_at(header, 0) != MAGIC || u64_at(header, 8) != salt || len > PAYLOAD_LEN_MAX {
        return Err(Damage::NotARecord);
    }
    Ok(HEADER_LEN + len)
}

/// Seq that the header at the start of `bytes` says its record begins with;
/// `None` if there is no header. The checksum is not looked at: this is for
/// telling where records were, not what they are.
#[must_use]
pub fn first_seq(bytes: &[u8], salt: u64) -> Option<Seq> {
    frame_len(bytes, salt).ok()?;
    Some(Seq(u64_at(bytes.first_chunk()?, 24)))
}

/// Decodes the record at the start of `bytes`, and says how many bytes it took.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode(bytes: &Bytes, salt: u64) -> Result<(Record, usize), Damage> {
    let len = frame_len(bytes, salt)?;
    if bytes.len() < len {
        return Err(Damage::Short);
    }
    let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(Damage::Short)?;
    let payload = bytes.slice(HEADER_LEN..len);
    if checksum(header, &payload) != u64_at(header, 48) {
        return Err(Damage::Checksum);
    }
    let record = Record {
        epoch: Epoch(u64_at(header, 16)),
        first_seq: Seq(u64_at(header, 24)),
        last_seq: Seq(u64_at(header, 32)),
        unix_ms: u64_at(header, 40),
        payload,
    };
    if record.first_seq > record.last_seq {
        return Err(Damage::Checksum);
    }
    Ok((record, len))
}

fn u32_at(header: &[u8; HEADER_LEN], at: usize) -> u32 {
    u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(header: &[u8; HEADER_LEN], at: usize) -> u64 {
    u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            epoch: Epoch(3),
            first_seq: Seq(10),
            last_seq: Seq(12),
            unix_ms: 1_700_000_000_000,
            payload: Bytes::from_static(b"three batches"),
        }
    }

    fn encoded(salt: u64) -> Vec<u8> {
        let record = record();
        [&header(&record, salt)[..], &record.payload].concat()
    }

    #[test]
    fn reads_back() {
        let bytes = Bytes::from([encoded(9), vec![1, 2, 3]].concat());
        assert_eq!(decode(&bytes, 9).unwrap(), (record(), bytes.len() - 3));
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        let good = encoded(9);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&bad.into(), 9).is_err(), "bit {bit}");
        }
        for cut in 0..good.len() {
            let short = Bytes::copy_from_slice(&good[..cut]);
            assert_eq!(decode(&short, 9), Err(Damage::Short), "cut at {cut}");
        }
    }

    #[test]
    fn another_salt_is_not_a_record() {
        assert_eq!(decode(&encoded(9).into(), 8), Err(Damage::NotARecord));
        assert_eq!(first_seq(&encoded(9), 8), None);
        assert_eq!(first_seq(&encoded(9), 9), Some(Seq(10)));
    }
}
