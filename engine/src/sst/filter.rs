//! Bloom filters whose probes for one key all fall into one cache line.
//!
//! After Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom
//! Filters (2007). With 10 bits a key about 1 % of absent keys pass.

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

const BITS_PER_KEY: usize = 10;
const PROBES: u32 = 6;
const LINE: usize = 64;

/// What filters know a key by.
#[inline]
pub(crate) fn hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// The line of a key, and a number whose bits choose the probes.
#[inline]
fn line_of(hash: u64, lines: usize) -> (usize, u64) {
    // Multiply-shift maps the upper half of the hash evenly onto the lines.
    let line = ((hash >> 32) * lines as u64) >> 32;
    (line as usize, (hash & 0xffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The `i`-th probe: a bit among the 512 of a line.
#[inline]
fn probe(bits: u64, i: u32) -> (usize, u8) {
    let bit = (bits >> (9 * i)) & 511;
    ((bit >> 3) as usize, 1 << (bit & 7))
}

/// Appends a filter of these hashes to `out`: a multiple of 64 bytes.
pub(crate) fn build(hashes: &[u64], out: &mut Vec<u8>) {
    let lines = (hashes.len() * BITS_PER_KEY).div_ceil(LINE * 8).max(1);
    let start = out.len();
    out.resize(start + lines * LINE, 0);
    let filter = &mut out[start..];
    for hash in hashes {
        let (line, bits) = line_of(*hash, lines);
        let line = &mut filter[line * LINE..(line + 1) * LINE];
        for i in 0..PROBES {
            let (byte, bit) = probe(bits, i);
            line[byte] |= bit;
        }
    }
}

/// A filter as [`build`] made it.
#[derive(Debug, Clone)]
pub(crate) struct Filter(Bytes);

impl Filter {
    /// `None` if the bytes cannot be a filter.
    pub(crate) fn new(bytes: Bytes) -> Option<Self> {
        (!bytes.is_empty() && bytes.len().is_multiple_of(LINE)).then_some(Self(bytes))
    }

    /// False only if no key of this hash was added.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        let (line, bits) = line_of(hash, self.0.len() / LINE);
        let line = &self.0[line * LINE..(line + 1) * LINE];
        (0..PROBES).all(|i| {
            let (byte, bit) = probe(bits, i);
            line[byte] & bit != 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_added_passes_and_about_one_in_a_hundred_others() {
        let hashes: Vec<u64> = (0u64..20_000).map(|i| hash(&i.to_be_bytes())).collect();
        let mut out = Vec::new();
        build(&hashes, &mut out);
        let filter = Filter::new(out.into()).unwrap();
        assert!(hashes.iter().all(|h| filter.may_contain(*h)));
        let absent = (20_000u64..120_000).map(|i| hash(&i.to_be_bytes()));
        let passed = absent.filter(|h| filter.may_contain(*h)).count();
        assert!((500..2_000).contains(&passed), "{passed} of 100000 absent keys pass");
    }

    #[test]
    fn a_filter_of_nothing_is_a_filter() {
        let mut out = Vec::new();
        build(&[], &mut out);
        assert!(!Filter::new(out.into()).unwrap().may_contain(hash(b"x")));
        assert!(Filter::new(Bytes::new()).is_none());
    }
}
