//! Keys of half the length, for those that only order rows by them.
//!
//! Most texts are ASCII, whose characters have few weights: each of these is one byte, its
//! rank among them. Any other weight is the rank that it is behind, and its own two bytes.

use std::sync::LazyLock;

use super::Collation;
use super::compact::Level;
use super::order::{Order, Weights};
use super::scan::Scan;
use crate::charset::{NotSupported, Utf8mb4};

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// What stands for the weights of a level.
struct Ranks {
    /// Of each ASCII character; 0 if it has no weight.
    ascii: [u8; 128],
    /// The weights of ASCII, ascending.
    weights: Vec<u16>,
}

static RANKS: LazyLock<Ranks> = LazyLock::new(|| Ranks::new(Weights::Uca900(1).primary()));

impl Ranks {
    fn new(level: &Level) -> Self {
        let mut weights: Vec<u16> = level.ascii.iter().copied().filter(|one| *one != 0).collect();
        weights.sort_unstable();
        weights.dedup();
        let mut this = Self { ascii: [0; 128], weights };
        for (slot, weight) in this.ascii.iter_mut().zip(level.ascii) {
            if weight != 0 {
                *slot = match this.weights.binary_search(&weight) {
                    Ok(rank) => Self::same(rank),
                    Err(rank) => Self::between(rank),
                };
            }
        }
        this
    }

    /// The byte of the weight of a rank. There are fewer than 127 of them.
    fn same(rank: usize) -> u8 {
        2 * rank as u8 + 2
    }

    /// The byte in front of weights that sort before that of a rank, and behind those
    /// before it.
    fn between(rank: usize) -> u8 {
        2 * rank as u8 + 1
    }

    fn push(&self, weight: u16, out: &mut Vec<u8>) {
        match self.weights.binary_search(&weight) {
            Ok(rank) => out.push(Self::same(rank)),
            Err(rank) => {
                let [high, low] = weight.to_be_bytes();
                out.extend_from_slice(&[Self::between(rank), high, low]);
            }
        }
    }
}

impl Collation {
    /// Appends a key that orders texts as [`sort_key`](Self::sort_key) does, among keys
    /// that this function gave: it is shorter where that can be. Not to be stored.
    ///
    /// # Errors
    ///
    /// [`NotSupported`]; nothing is appended then.
    pub fn order_key(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), NotSupported> {
        match self.order {
            Order::Unicode(weights @ Weights::Uca900(1)) if !self.row.pad_space => {
                // Of texts in utf8mb4 alone.
                short(text, weights.primary(), out);
                Ok(())
            }
            _ => self.sort_key(text, out),
        }
    }
}

fn short(mut text: &[u8], level: &'static Level, out: &mut Vec<u8>) {
    let ranks = &*RANKS;
    out.reserve(text.len() + 4);
    while !text.is_empty() {
        let (block, rest) = text.split_at(text.len().min(BLOCK));
        if !block.is_ascii() {
            break;
        }
        let (mut codes, mut all) = ([0; BLOCK], true);
        for (code, byte) in codes.iter_mut().zip(block) {
            *code = ranks.ascii[usize::from(byte & 0x7F)];
            all &= *code != 0;
        }
        let codes = &codes[..block.len()];
        if all {
            out.extend_from_slice(codes);
        } else {
            out.extend(codes.iter().filter(|code| **code != 0));
        }
        text = rest;
    }
    for weight in Scan::new(text, Utf8mb4, level) {
        ranks.push(weight as u16, out);
    }
}
