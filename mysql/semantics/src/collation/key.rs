//! Keys: bytes whose order is the collation's.

use super::compact::Level;
use super::order::Order;
use super::scan::{Codes, GbkScan, Scan};
use super::{Collation, compare::with_unicode};
use crate::charset::{
    Decode, Encoding, Gbk, NotSupported, Ucs2, Utf8mb3, Utf8mb4, Utf16, Utf16le, Utf32,
};

const BLANK: u32 = b' ' as u32;

impl Collation {
    /// Appends a key: keys compared as bytes have the order of [`compare`](Self::compare),
    /// and equal texts have equal keys. No key is a prefix of another one under PAD SPACE;
    /// under NO PAD a key may be, and then comes first.
    ///
    /// Under NO PAD this is the [`weight_string`](Self::weight_string). Under PAD SPACE each
    /// text counts as one with blanks without end: a run of blanks is written as one blank,
    /// then whether what follows is less than a blank (0), nothing (1) or more (2), then the
    /// length of the run, inverted in the third case. Keys are so as long as the text, not
    /// as the column.
    ///
    /// # Errors
    ///
    /// [`NotSupported`]; nothing is appended then.
    pub fn sort_key(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), NotSupported> {
        let pad = self.row.pad_space;
        match self.order {
            Order::Unsupported => return Err(NotSupported(self.name())),
            Order::Bytes if !pad => out.extend_from_slice(text),
            _ if !pad => return self.weight_string(text, out),
            Order::Bytes => padded::<1>(text.iter().map(|byte| u32::from(*byte)), BLANK, out),
            Order::Single(weights) => {
                let weigh = |byte: u8| u32::from(weights[usize::from(byte)]);
                padded::<1>(text.iter().map(|byte| weigh(*byte)), weigh(b' '), out);
            }
            Order::Unicode(weights) => {
                let level = weights.primary();
                let blank = u32::from(level.ascii[usize::from(b' ')]);
                out.reserve(text.len() * 2 + 3);
                with_unicode!(self.charset(), d => padded::<2>(Scan::new(text, d, level), blank, out));
            }
            Order::Codes => {
                with_unicode!(self.charset(), decoder => {
                    padded::<3>(Codes { text, decoder }, BLANK, out);
                });
            }
            Order::Gbk => padded::<0>(GbkScan { text, table: Gbk::get() }, BLANK, out),
        }
        Ok(())
    }

    /// Appends what the server's `WEIGHT_STRING(text)` is: the weights, high byte first, one
    /// level after the other with a zero weight between them.
    ///
    /// # Errors
    ///
    /// [`NotSupported`]; nothing is appended then.
    pub fn weight_string(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), NotSupported> {
        match self.order {
            Order::Unsupported => return Err(NotSupported(self.name())),
            Order::Bytes if self.writes_codes() => {
                with_unicode!(self.charset(), decoder => {
                    let width = self.code_width();
                    Codes { text, decoder }.for_each(|code| push(code, width, out));
                });
            }
            Order::Bytes => out.extend_from_slice(text),
            Order::Single(weights) => {
                out.extend(text.iter().map(|byte| weights[usize::from(*byte)]));
            }
            Order::Unicode(weights) => {
                with_unicode!(self.charset(), d => {
                    for level in 0..weights.levels() {
                        if level > 0 {
                            out.extend_from_slice(&[0, 0]);
                        }
                        one_level(text, d, weights.level(level), out);
                    }
                });
            }
            Order::Codes => {
                with_unicode!(self.charset(), decoder => {
                    let width = self.code_width();
                    Codes { text, decoder }.for_each(|code| push(code, width, out));
                });
            }
            Order::Gbk => {
                GbkScan { text, table: Gbk::get() }.for_each(|weight| push(weight, 0, out));
            }
        }
        Ok(())
    }

    /// Whether the weights of a `_bin` collation are code points, not bytes.
    fn writes_codes(&self) -> bool {
        matches!(self.charset().encoding(), Encoding::Utf8mb4 | Encoding::Utf8mb3)
            && self.row.pad_space
    }

    fn code_width(&self) -> usize {
        match self.charset().encoding() {
            Encoding::Utf8mb3 | Encoding::Ucs2 => 2,
            _ => 3,
        }
    }
}

/// Appends a weight of so many bytes; 0: one, or two if it does not fit.
#[inline]
fn push(weight: u32, width: usize, out: &mut Vec<u8>) {
    let bytes = weight.to_be_bytes();
    let width = match width {
        0 if weight > 0xFF => 2,
        0 => 1,
        some => some,
    };
    out.extend_from_slice(&bytes[4 - width.min(4)..]);
}

/// As [`push`], of a width that is known beforehand.
#[inline]
fn push_fixed<const WIDTH: usize>(weight: u32, out: &mut Vec<u8>) {
    match WIDTH {
        1 => out.push(weight as u8),
        2 => out.extend_from_slice(&(weight as u16).to_be_bytes()),
        _ => push(weight, WIDTH, out),
    }
}

/// Bytes that are looked at together.
const BLOCK: usize = 16;

fn one_level<D: Decode>(mut text: &[u8], decoder: D, level: &'static Level, out: &mut Vec<u8>) {
    out.reserve(text.len() * 2);
    if D::ASCII {
        while let Some((block, rest)) = text.split_first_chunk::<BLOCK>() {
            if !block.is_ascii() {
                break;
            }
            let mut weights = [0; BLOCK * 2];
            let mut len = 0;
            for byte in block {
                let [high, low] = level.ascii[usize::from(byte & 0x7F)].to_be_bytes();
                // `len` is below the size minus one here; the mask says so to the compiler.
                weights[len & (BLOCK * 2 - 1)] = high;
                weights[(len + 1) & (BLOCK * 2 - 1)] = low;
                len += if high | low == 0 && !level.counts_zeros { 0 } else { 2 };
            }
            out.extend_from_slice(&weights[..len.min(BLOCK * 2)]);
            text = rest;
        }
    }
    for weight in Scan::new(text, decoder, level) {
        out.extend_from_slice(&(weight as u16).to_be_bytes());
    }
}

/// Appends weights as if blanks without end followed.
fn padded<const WIDTH: usize>(weights: impl Iterator<Item = u32>, blank: u32, out: &mut Vec<u8>) {
    let mut run = 0usize;
    for weight in weights {
        if weight == blank {
            run += 1;
            continue;
        }
        if run > 0 {
            push_fixed::<WIDTH>(blank, out);
            let (mark, invert) = if weight < blank { (0, 0) } else { (2, 0xFF) };
            out.push(mark);
            while run >= 0xFF {
                out.push(0xFF ^ invert);
                run -= 0xFF;
            }
            out.push(run as u8 ^ invert);
            run = 0;
        }
        push_fixed::<WIDTH>(weight, out);
    }
    push_fixed::<WIDTH>(blank, out);
    out.push(1);
}
