//! GBK: the pairs of bytes, their code points, their order and their cases.
//!
//! `data/gbk.bin`: the weight of each byte below 0x80 in `gbk_chinese_ci`; for each pair (lead 0x81-0xFE, trail 0x40-0x7E and 0x80-0xFE, in order)
//! its code point, low byte first, 0 for none; for each its weight; the
//! number of pairs that change in upper case, and for each the pair and what it becomes; the
//! same in lower case; the number of code points that are not written as the first pair
//! which reads as them, and for each the code point and what is written.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::collation::compact::Reader;

/// Pairs of one lead byte.
const TRAILS: usize = 190;
const PAIRS: usize = 126 * TRAILS;

/// The tables.
pub(crate) struct Gbk {
    to_unicode: Vec<u16>,
    weights: Vec<u16>,
    ascii_weights: &'static [u8],
    /// 0: none. 128 KiB.
    from_unicode: Vec<u16>,
    upper: HashMap<u16, u16>,
    lower: HashMap<u16, u16>,
}

static GBK: LazyLock<Gbk> = LazyLock::new(|| {
    let mut from = Reader(include_bytes!("../../data/gbk.bin"));
    let ascii_weights = from.bytes(128);
    let to_unicode: Vec<u16> = (0..PAIRS).map(|_| from.word()).collect();
    let weights = (0..PAIRS).map(|_| from.word()).collect();
    let mut list =
        || -> Vec<(u16, u16)> { (0..from.number()).map(|_| (from.word(), from.word())).collect() };
    let (upper, lower, fixes) = (list(), list(), list());
    let mut from_unicode = vec![0u16; 0x1_0000];
    for code in 0..0x80 {
        from_unicode[usize::from(code)] = code;
    }
    for (index, code) in to_unicode.iter().enumerate() {
        let slot = &mut from_unicode[usize::from(*code)];
        if *code != 0 && *slot == 0 {
            *slot = pair(index);
        }
    }
    for (code, written) in fixes {
        from_unicode[usize::from(code)] = if written == u16::from(b'?') { 0 } else { written };
    }
    Gbk {
        to_unicode,
        weights,
        ascii_weights,
        from_unicode,
        upper: upper.into_iter().collect(),
        lower: lower.into_iter().collect(),
    }
});

/// The pair of an index.
fn pair(index: usize) -> u16 {
    let trail = index % TRAILS;
    let trail = if trail < 0x3F { trail + 0x40 } else { trail + 0x41 };
    ((index / TRAILS + 0x81) << 8 | trail) as u16
}

impl Gbk {
    pub(crate) fn get() -> &'static Self {
        &GBK
    }

    /// Where a pair of bytes is in the tables; `None` if it is no character.
    #[inline]
    pub(crate) fn index(lead: u8, trail: u8) -> Option<usize> {
        let trail = match trail {
            0x40..=0x7E => trail - 0x40,
            0x80..=0xFE => trail - 0x41,
            _ => return None,
        };
        match lead {
            0x81..=0xFE => Some(usize::from(lead - 0x81) * TRAILS + usize::from(trail)),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn to_unicode(&self, index: usize) -> u16 {
        self.to_unicode[index]
    }

    #[inline]
    pub(crate) fn weight(&self, index: usize) -> u16 {
        self.weights[index]
    }

    /// The weight of a byte below 0x80; of others, the byte.
    #[inline]
    pub(crate) fn ascii_weight(&self, byte: u8) -> u8 {
        self.ascii_weights.get(usize::from(byte)).copied().unwrap_or(byte)
    }

    /// Below 0x80 a byte, else a pair.
    pub(crate) fn encoded(&self, code: u32) -> Option<u16> {
        let written = *self.from_unicode.get(code as usize)?;
        if written == 0 && code != 0 { None } else { Some(written) }
    }

    pub(crate) fn upper(&self, pair: u16) -> u16 {
        self.upper.get(&pair).copied().unwrap_or(pair)
    }

    pub(crate) fn lower(&self, pair: u16) -> u16 {
        self.lower.get(&pair).copied().unwrap_or(pair)
    }
}
