//! Texts as streams of weights.

use super::compact::{Level, cell};
use crate::charset::{BAD, Decode, Gbk, Unit};

/// The weights of a text at one level, without the zeros unless they count.
pub(super) struct Scan<'t, D> {
    text: &'t [u8],
    decoder: D,
    level: &'static Level,
    /// What is left of a character with several weights of the table.
    several: &'static [u16],
    /// What is left of computed weights, the next one first.
    computed: Computed,
}

/// Up to six weights.
#[derive(Clone, Copy, Default)]
struct Computed {
    weights: [u16; 6],
    at: u8,
    len: u8,
}

impl Computed {
    fn push(&mut self, weight: u16) {
        if let Some(slot) = self.weights.get_mut(usize::from(self.len)) {
            *slot = weight;
            self.len += 1;
        }
    }

    #[inline]
    fn next(&mut self) -> Option<u16> {
        if self.at == self.len {
            return None;
        }
        self.at += 1;
        self.weights.get(usize::from(self.at) - 1).copied()
    }
}

impl Level {
    /// The weights of several that a cell stands for.
    #[inline]
    pub(super) fn several(&self, value: u32) -> &[u16] {
        let (start, len) = ((value & 0xF_FFFF) as usize, (value >> 20 & 0x1F) as usize);
        self.pool.get(start..start + len).unwrap_or(&[])
    }

    /// The pair of weights of a code point without a place in the table.
    #[inline]
    pub(super) fn implicit(&self, value: u32, code: u32) -> [u16; 2] {
        let offset = self.offsets.get((value >> 16 & 0xFF) as usize).copied().unwrap_or(0);
        let code = code.wrapping_sub(offset);
        [(value as u16).wrapping_add((code >> 15) as u16), (code & 0x7FFF | 0x8000) as u16]
    }
}

/// The two or three letters of a Hangul syllable.
fn letters(syllable: u32) -> [Option<u32>; 3] {
    let index = syllable.wrapping_sub(0xAC00);
    let last = index % 28;
    [
        Some(0x1100 + index / 588),
        Some(0x1161 + index % 588 / 28),
        if last > 0 { Some(0x11A7 + last) } else { None },
    ]
}

impl<'t, D: Decode> Scan<'t, D> {
    #[inline]
    pub(super) fn new(text: &'t [u8], decoder: D, level: &'static Level) -> Self {
        Self { text, decoder, level, several: &[], computed: Computed::default() }
    }

    #[cold]
    fn compute(&mut self, value: u32, code: u32) {
        let mut computed = Computed::default();
        if code & BAD != 0 {
            // After all characters, and each byte for itself.
            computed.push(0xFFFF);
            computed.push(0xFF00 | (code & 0xFF) as u16);
        } else if value & cell::IMPLICIT != 0 {
            for weight in self.level.implicit(value, code) {
                computed.push(weight);
            }
        } else {
            for letter in letters(code).into_iter().flatten() {
                let value = self.level.pages.get(letter);
                if value & cell::SEVERAL != 0 {
                    for weight in self.level.several(value) {
                        computed.push(*weight);
                    }
                } else {
                    computed.push(value as u16);
                }
            }
        }
        self.computed = computed;
    }
}

impl<D: Decode> Iterator for Scan<'_, D> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        loop {
            if let Some((weight, rest)) = self.several.split_first() {
                self.several = rest;
                if *weight != 0 {
                    return Some(u32::from(*weight));
                }
                continue;
            }
            if let Some(weight) = self.computed.next() {
                if weight != 0 {
                    return Some(u32::from(weight));
                }
                continue;
            }
            let (first, rest) = self.text.split_first()?;
            if D::ASCII && *first < 0x80 {
                self.text = rest;
                let weight = self.level.ascii[usize::from(*first & 0x7F)];
                if weight != 0 || self.level.counts_zeros {
                    return Some(u32::from(weight));
                }
                continue;
            }
            let Unit { code, len } = self.decoder.first(self.text);
            self.text = self.text.get(len..).unwrap_or(&[]);
            if code & BAD != 0 {
                self.compute(0, code);
                continue;
            }
            let value = self.level.pages.get(code);
            if value <= 0xFFFF {
                if value != 0 || self.level.counts_zeros {
                    return Some(value);
                }
            } else if value & cell::SEVERAL != 0 {
                self.several = self.level.several(value);
            } else {
                self.compute(value, code);
            }
        }
    }
}

/// Code points as weights.
pub(super) struct Codes<'t, D> {
    pub(super) text: &'t [u8],
    pub(super) decoder: D,
}

impl<D: Decode> Iterator for Codes<'_, D> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.text.is_empty() {
            return None;
        }
        let unit = self.decoder.first(self.text);
        self.text = self.text.get(unit.len..).unwrap_or(&[]);
        Some(unit.code)
    }
}

/// `gbk` by its own bytes: a code is a byte or a pair of bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct GbkBytes;

impl Decode for GbkBytes {
    const ASCII: bool = true;

    #[inline]
    fn first(self, text: &[u8]) -> Unit {
        match text {
            [lead @ 0x81..=0xFE, trail, ..] if Gbk::index(*lead, *trail).is_some() => {
                Unit { code: u32::from(*lead) << 8 | u32::from(*trail), len: 2 }
            }
            [byte, ..] if byte.is_ascii() => Unit { code: u32::from(*byte), len: 1 },
            _ => Unit { code: BAD | u32::from(text[0]), len: 1 },
        }
    }

    fn boundary(self, _: &[u8], _: usize) -> usize {
        0
    }
}

/// The weights of `gbk_chinese_ci`: one for each character; those of pairs are higher.
pub(super) struct GbkScan<'t> {
    pub(super) text: &'t [u8],
    pub(super) table: &'static Gbk,
}

impl Iterator for GbkScan<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let text = self.text;
        if text.is_empty() {
            return None;
        }
        let unit = GbkBytes.first(text);
        self.text = text.get(unit.len..).unwrap_or(&[]);
        Some(match *text {
            [lead, trail, ..] if unit.len == 2 => match Gbk::index(lead, trail) {
                Some(index) => u32::from(self.table.weight(index)),
                None => unit.code,
            },
            [byte, ..] if unit.is_valid() => u32::from(self.table.ascii_weight(byte)),
            // After all characters.
            [byte, ..] => 0xFF00 | u32::from(byte),
            [] => unit.code,
        })
    }
}
