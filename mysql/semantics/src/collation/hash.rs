//! Hashes that are equal for equal texts.

use super::order::Order;
use super::scan::{Codes, GbkScan, Scan};
use super::{Collation, compare::with_unicode};
use crate::charset::{Encoding, Gbk, NotSupported, Ucs2, Utf8mb3, Utf8mb4, Utf16, Utf16le, Utf32};

const BLANK: u32 = b' ' as u32;
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Weights folded into a word.
struct Folding {
    state: u64,
    /// Weights that are not in the state yet.
    block: u64,
    count: u64,
    /// Blanks that count only if something follows.
    blanks: u64,
    blank: Option<u32>,
}

impl Folding {
    fn new(seed: u64, blank: Option<u32>) -> Self {
        Self { state: seed ^ FACTOR, block: 0, count: 0, blanks: 0, blank }
    }

    /// Takes a weight in; three of them, of 21 bits, go into the state together.
    #[inline]
    fn fold(&mut self, weight: u32) {
        self.block = self.block << 21 | u64::from(weight);
        self.count += 1;
        if self.count.is_multiple_of(3) {
            self.mix();
        }
    }

    #[inline]
    fn mix(&mut self) {
        let product = u128::from(self.state ^ self.block).wrapping_mul(u128::from(FACTOR));
        self.state = (product as u64 ^ (product >> 64) as u64).wrapping_add(FACTOR);
        self.block = 0;
    }

    fn all(mut self, weights: impl Iterator<Item = u32>) -> u64 {
        for weight in weights {
            if Some(weight) == self.blank {
                self.blanks += 1;
                continue;
            }
            if let Some(blank) = self.blank {
                for _ in 0..self.blanks {
                    self.fold(blank);
                }
                self.blanks = 0;
            }
            self.fold(weight);
        }
        self.mix();
        self.block = self.count;
        self.mix();
        self.state
    }
}

impl Collation {
    /// A hash that is the same for all texts this collation finds equal. For tables in
    /// memory: it may change with the next version. `seed` should be secret where keys are
    /// chosen by others.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn hash(&self, text: &[u8], seed: u64) -> Result<u64, NotSupported> {
        let blank = |weight: u32| self.row.pad_space.then_some(weight);
        Ok(match self.order {
            Order::Unsupported => return Err(NotSupported(self.name())),
            Order::Bytes => bytes(text, seed, self.row.pad_space),
            Order::Single(weights) => {
                let weigh = |byte: &u8| u32::from(weights[usize::from(*byte)]);
                Folding::new(seed, blank(weigh(&b' '))).all(text.iter().map(weigh))
            }
            Order::Unicode(weights) => {
                with_unicode!(self.charset(), d => {
                    let mut state = seed;
                    for level in 0..weights.levels() {
                        let level = weights.level(level);
                        let blank = blank(u32::from(level.ascii[usize::from(b' ')]));
                        state = Folding::new(state, blank).all(Scan::new(text, d, level));
                    }
                    state
                })
            }
            Order::Codes => with_unicode!(self.charset(), decoder => {
                Folding::new(seed, blank(BLANK)).all(Codes { text, decoder })
            }),
            Order::Gbk => Folding::new(seed, blank(BLANK)).all(GbkScan { text, table: Gbk::get() }),
        })
    }
}

fn bytes(mut text: &[u8], seed: u64, pad: bool) -> u64 {
    if pad {
        while let [head @ .., b' '] = text {
            text = head;
        }
    }
    xxhash_rust::xxh3::xxh3_64_with_seed(text, seed)
}
