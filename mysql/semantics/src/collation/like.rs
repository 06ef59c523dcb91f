//! `LIKE`.

use super::compact::{Level, cell};
use super::order::{Order, Weights};
use super::scan::GbkBytes;
use super::{Collation, compare::with_unicode};
use crate::charset::{
    BAD, ByteDecoder, Decode, Encoding, Gbk, NotSupported, Ucs2, Utf8mb3, Utf8mb4, Utf16, Utf16le,
    Utf32,
};

/// The character that takes the meaning from the one after it: its code in the set of the
/// collation (a byte in sets of single bytes). `None` for `ESCAPE ''`.
pub type Escape = Option<u32>;

const MANY: u32 = b'%' as u32;
const ONE: u32 = b'_' as u32;

impl Collation {
    /// Whether all of `text` is like `pattern`, in which `%` stands for any characters and
    /// `_` for one. Characters are compared one with one, each with all its weights: a
    /// letter is not like two letters that are equal to it. Blanks at the end count.
    /// Takes no longer than the product of the two lengths, and no memory.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn like(&self, text: &[u8], pattern: &[u8], escape: Escape) -> Result<bool, NotSupported> {
        let exactly = |a: u32, b: u32| a == b;
        Ok(match self.order {
            Order::Unsupported => return Err(NotSupported(self.name())),
            Order::Single(weights) => like(text, pattern, escape, ByteDecoder, |a, b| {
                weights[(a & 0xFF) as usize] == weights[(b & 0xFF) as usize]
            }),
            Order::Gbk => {
                let table = Gbk::get();
                like(text, pattern, escape, GbkBytes, |a, b| {
                    let single = a < 0x80 && b < 0x80;
                    a == b || (single && table.ascii_weight(a as u8) == table.ascii_weight(b as u8))
                })
            }
            Order::Unicode(weights) => {
                let ascii = &weights.primary().ascii;
                let one_level = weights.levels() == 1;
                let equal = |a: u32, b: u32| {
                    if a < 0x80 && b < 0x80 {
                        let same = ascii[a as usize & 0x7F] == ascii[b as usize & 0x7F];
                        if !same || one_level {
                            return same;
                        }
                    }
                    weights.equal_chars(a, b)
                };
                with_unicode!(self.charset(), d => like(text, pattern, escape, d, equal))
            }
            Order::Bytes | Order::Codes => match self.charset().encoding() {
                Encoding::Gbk => like(text, pattern, escape, GbkBytes, exactly),
                Encoding::Binary | Encoding::Ascii | Encoding::Single(_) => {
                    like(text, pattern, escape, ByteDecoder, exactly)
                }
                _ => with_unicode!(self.charset(), d => like(text, pattern, escape, d, exactly)),
            },
        })
    }
}

impl Collation {
    /// What texts begin with that are like `pattern`: the characters before its first `%` or
    /// `_`, without escapes. `None` where what is between characters cannot be told.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn like_beginning(
        &self,
        pattern: &[u8],
        escape: Escape,
    ) -> Result<Option<Vec<u8>>, NotSupported> {
        let (mut beginning, mut at) = (Vec::with_capacity(pattern.len()), 0);
        let (mut ended, mut escaped, mut valid) = (false, false, true);
        self.charset().for_each_char(pattern, |unit| {
            let from = at;
            at += unit.len;
            if ended {
                return;
            }
            valid &= unit.is_valid();
            if !escaped && (unit.code == MANY || unit.code == ONE) && Some(unit.code) != escape {
                ended = true;
            } else if !escaped && Some(unit.code) == escape {
                // At the very end it stands for itself: what is before it is true anyway.
                escaped = true;
            } else {
                escaped = false;
                beginning.extend_from_slice(&pattern[from..at]);
            }
        })?;
        Ok(valid.then_some(beginning))
    }
}

/// Matches from left to right; after a mismatch the last `%` takes one character more.
/// An earlier `%` need never take more: what the later one tries covers that.
#[inline]
fn like<D: Decode>(
    text: &[u8],
    pattern: &[u8],
    escape: Escape,
    decoder: D,
    equal: impl Fn(u32, u32) -> bool,
) -> bool {
    let (mut text, mut pattern) = (text, pattern);
    // Pattern and text after the last `%`, and the character that the pattern goes on with
    // unless any will do.
    let mut last: Option<(&[u8], &[u8], Option<u32>)> = None;
    loop {
        let matched = if pattern.is_empty() {
            if text.is_empty() {
                return true;
            }
            None
        } else {
            let wild = decoder.first(pattern);
            let mut after = &pattern[wild.len..];
            if wild.code == MANY {
                if after.is_empty() {
                    return true;
                }
                let next = decoder.first(after).code;
                let first = (next != MANY && next != ONE && Some(next) != escape).then_some(next);
                let Some(from) = seek(text, first, decoder, &equal) else { return false };
                (pattern, text) = (after, from);
                last = Some((pattern, text, first));
                continue;
            }
            let (mut code, mut any) = (wild.code, wild.code == ONE);
            if Some(code) == escape && !after.is_empty() {
                let literal = decoder.first(after);
                after = &after[literal.len..];
                (code, any) = (literal.code, false);
            }
            if text.is_empty() {
                return false;
            }
            let unit = decoder.first(text);
            (any || equal(unit.code, code)).then_some((&text[unit.len..], after))
        };
        (text, pattern) = match (matched, last) {
            (Some(rest), _) => rest,
            (None, Some((after, from, first))) if !from.is_empty() => {
                let from = &from[decoder.first(from).len..];
                let Some(from) = seek(from, first, decoder, &equal) else { return false };
                last = Some((after, from, first));
                (from, after)
            }
            (None, _) => return false,
        };
    }
}

/// `text` from the next place that begins with a character; with `None`, all of it.
#[inline]
fn seek<'t, D: Decode>(
    mut text: &'t [u8],
    first: Option<u32>,
    decoder: D,
    equal: &impl Fn(u32, u32) -> bool,
) -> Option<&'t [u8]> {
    let Some(code) = first else { return Some(text) };
    while !text.is_empty() {
        let unit = decoder.first(text);
        if equal(unit.code, code) {
            return Some(text);
        }
        text = &text[unit.len..];
    }
    None
}

impl Weights {
    /// Whether two characters have the same weights at all levels.
    #[inline]
    pub(super) fn equal_chars(self, a: u32, b: u32) -> bool {
        if a == b {
            return true;
        }
        // Version 4.0.0 weighs characters past the first 65,536 all the same, and yet
        // the server does not take one for another in LIKE.
        if (a | b) & BAD != 0
            || (matches!(self, Self::Uca400 | Self::Uca400Of(_)) && a.max(b) > 0xFFFF)
        {
            return false;
        }
        (0..self.levels()).all(|level| self.level(level).equal_chars(a, b))
    }
}

impl Level {
    #[inline]
    fn equal_chars(&self, a: u32, b: u32) -> bool {
        if a < 0x80 && b < 0x80 {
            return self.ascii[a as usize & 0x7F] == self.ascii[b as usize & 0x7F];
        }
        let (x, y) = (self.pages.get(a), self.pages.get(b));
        if x <= 0xFFFF && y <= 0xFFFF {
            return x == y;
        }
        // Computed weights are no two characters' here, as the server has it.
        if (x | y) & (cell::IMPLICIT | cell::HANGUL) != 0 {
            return false;
        }
        let some = |weights: &u16| *weights != 0;
        match (x & cell::SEVERAL != 0, y & cell::SEVERAL != 0) {
            (true, true) => self
                .several(x)
                .iter()
                .filter(|w| some(w))
                .eq(self.several(y).iter().filter(|w| some(w))),
            _ => false,
        }
    }
}
