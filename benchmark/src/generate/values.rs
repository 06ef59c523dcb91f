//! Values that compress as asked, and that say whether they were read back right.

use super::random::mix;

/// What values look like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueStyle {
    /// Nothing but zeroes, as in the published runs. They compress to nothing
    /// and cannot tell one key's value from another's.
    Zeros,
    /// Random bytes and filler, so that LZ4 makes them about `ratio` times
    /// smaller; 1 is not compressible at all.
    Random {
        /// Size before compression over size after it.
        ratio: f64,
    },
}

/// Makes values of one length, and knows them again.
///
/// A value starts with a nonce of its writer's, then come random bytes that
/// follow from key, nonce and seed, then filler. So two puts of one key differ,
/// and yet a get can check every byte without knowing who wrote it.
#[derive(Debug, Clone)]
pub struct Values {
    seed: u64,
    len: usize,
    random_len: usize,
    style: ValueStyle,
}

const NONCE_LEN: usize = 8;

/// What LZ4 spends on saying that filler follows.
const MATCH_LEN: usize = 4;

impl Values {
    /// Values of `len` bytes.
    #[must_use]
    pub fn new(style: ValueStyle, len: usize, seed: u64) -> Self {
        let random_len = match style {
            ValueStyle::Zeros => 0,
            ValueStyle::Random { ratio } if ratio <= 1.0 => len,
            ValueStyle::Random { ratio } => {
                let stored = (len as f64 / ratio).round() as usize;
                // Some bytes must tell one key's value from another's.
                stored.saturating_sub(MATCH_LEN).max(2 * NONCE_LEN).min(len)
            }
        };
        Self { seed, len, random_len, style }
    }

    /// Length of every value, in bytes.
    #[must_use]
    pub fn value_len(&self) -> usize {
        self.len
    }

    /// Appends the value of key number `index` as the writer of `nonce` makes it.
    pub fn append(&self, index: u64, nonce: u64, out: &mut Vec<u8>) {
        let start = out.len();
        if self.style != ValueStyle::Zeros {
            let head = self.len.min(NONCE_LEN);
            out.extend_from_slice(&nonce.to_le_bytes()[..head]);
            let mut state = mix(index ^ self.seed, nonce);
            while out.len() - start < self.random_len {
                let left = self.random_len - (out.len() - start);
                out.extend_from_slice(&state.to_le_bytes()[..left.min(8)]);
                state = next(state);
            }
        }
        out.resize(start + self.len, 0);
    }

    /// Whether `value` is what some put of key number `index` wrote, all of it.
    #[must_use]
    pub fn is_right(&self, index: u64, value: &[u8]) -> bool {
        if value.len() != self.len {
            return false;
        }
        if self.style == ValueStyle::Zeros {
            return value.iter().all(|b| *b == 0);
        }
        let Some(nonce) = value.first_chunk::<NONCE_LEN>() else {
            // Too short for a nonce: nothing but the length can be checked.
            return true;
        };
        let mut state = mix(index ^ self.seed, u64::from_le_bytes(*nonce));
        let (random, filler) = value[NONCE_LEN..].split_at(self.random_len - NONCE_LEN);
        let words = random.chunks(8).all(|word| {
            let want = state.to_le_bytes();
            state = next(state);
            word == &want[..word.len()]
        });
        words && filler.iter().all(|b| *b == 0)
    }
}

/// A cheap step from one word of a value to the next.
#[inline]
fn next(state: u64) -> u64 {
    let x = state.wrapping_mul(0xd129_42f7_ee5b_2a6d).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x ^ (x >> 29)
}

#[cfg(test)]
mod tests {
    use super::super::{Rng, write_key};
    use super::*;

    fn value(values: &Values, index: u64, nonce: u64) -> Vec<u8> {
        let mut out = Vec::new();
        values.append(index, nonce, &mut out);
        out
    }

    #[test]
    fn a_value_is_known_again_and_any_other_is_not() {
        for (len, ratio) in [(8, 1.0), (9, 2.0), (100, 1.0), (100, 2.0), (1000, 4.0)] {
            let values = Values::new(ValueStyle::Random { ratio }, len, 3);
            let good = value(&values, 77, 5);
            assert_eq!(good.len(), len);
            assert!(values.is_right(77, &good));
            assert!(!values.is_right(77, &good[1..]));
            assert_ne!(good, value(&values, 77, 6), "puts of one key differ");
            if len > 8 {
                assert!(!values.is_right(78, &good), "{len}: another key's value");
                for at in 0..len {
                    let mut bad = good.clone();
                    bad[at] ^= 1;
                    assert!(!values.is_right(77, &bad), "{len}: byte {at}");
                }
            }
        }
    }

    #[test]
    fn short_values_and_zeroes() {
        for len in 0..8 {
            let values = Values::new(ValueStyle::Random { ratio: 2.0 }, len, 3);
            assert!(values.is_right(1, &value(&values, 1, u64::MAX)));
        }
        let values = Values::new(ValueStyle::Zeros, 100, 3);
        assert_eq!(value(&values, 9, 9), [0; 100]);
        assert!(values.is_right(9, &[0; 100]));
        assert!(!values.is_right(9, &[1; 100]));
    }

    /// Measured as an engine sees it: blocks of 16 KiB with short keys between.
    #[test]
    fn lz4_makes_values_as_small_as_asked() {
        for (ratio, len) in [(1.0, 100), (2.0, 100), (2.0, 1000), (4.0, 1000), (3.0, 256)] {
            let values = Values::new(ValueStyle::Random { ratio }, len, 11);
            let mut rng = Rng::new(4);
            let (mut block, mut key) = (Vec::new(), Vec::new());
            while block.len() < 16 << 10 {
                let index = rng.below(1 << 40);
                write_key(index, 8, &mut key);
                block.extend_from_slice(&key[5..]);
                values.append(index, rng.next_u64(), &mut block);
            }
            let got = block.len() as f64 / lz4_flex::block::compress(&block).len() as f64;
            assert!((got / ratio - 1.0).abs() < 0.12, "{len} bytes: asked {ratio}, got {got:.2}");
        }
    }
}
