//! What the workloads are made of: keys, values, and which key comes next.
//!
//! Everything follows from the seed: two runs of one file ask the same of every
//! target. Operations are numbered; which key an operation takes and which
//! bytes it writes depend on the seed, the phase and the worker, never on time.

mod distribution;
mod random;
mod shuffle;
mod values;

pub use distribution::{Chooser, Cursors, Distribution};
pub use random::{Rng, mix};
pub use shuffle::Shuffle;
pub use values::{ValueStyle, Values};

/// Shortest key: it must tell 2^64 of them apart.
pub const KEY_BYTES_MIN: usize = 8;

/// Writes the key of `index`: its number, big-endian, so that keys sort as
/// their numbers do, and then bytes that look random up to `len`.
pub fn write_key(index: u64, len: usize, out: &mut Vec<u8>) {
    debug_assert!(len >= KEY_BYTES_MIN);
    out.clear();
    out.extend_from_slice(&index.to_be_bytes());
    let mut state = index;
    while out.len() < len {
        state = mix(state, 0x6b65_795f_7461_696c);
        let word = state.to_le_bytes();
        let take = (len - out.len()).min(word.len());
        out.extend_from_slice(&word[..take]);
    }
}

/// The number in a key that [`write_key`] made; `None` if it did not.
#[must_use]
pub fn index_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(..8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_numbers_and_have_the_length_asked_for() {
        let mut last = Vec::new();
        for len in [8, 11, 16, 100] {
            for index in [0, 1, 255, 256, 1 << 40, u64::MAX] {
                let mut key = Vec::new();
                write_key(index, len, &mut key);
                assert_eq!(key.len(), len);
                assert_eq!(index_of(&key), Some(index));
                assert!(index == 0 || key > last);
                last = key;
            }
        }
        assert_eq!(index_of(b"short"), None);
    }
}
