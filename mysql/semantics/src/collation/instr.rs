//! `INSTR`, `LOCATE`, `POSITION`.

use std::cmp::Ordering;

use super::order::{Order, Weights};
use super::scan::{GbkBytes, Scan};
use super::{Collation, PadAttribute, compare::with_unicode};
use crate::charset::{
    ByteDecoder, Decode, Encoding, NotSupported, Ucs2, Utf8mb3, Utf8mb4, Utf16, Utf16le, Utf32,
};

/// Where a text was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// Bytes before it.
    pub offset: usize,
    /// Characters before it.
    pub chars: usize,
}

impl Collation {
    /// The first place in `text` where `part` is, as the server has it. With weights of
    /// Unicode characters: where the weights of what follows start with those of
    /// `part`, level by level (so that `a` is found in `ä` even where accents count). Else:
    /// where as many bytes as `part` has are equal to it.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn find(&self, text: &[u8], part: &[u8]) -> Result<Option<Found>, NotSupported> {
        self.supported()?;
        match self.order {
            Order::Single(_) => self.find_by(text, part, ByteDecoder),
            Order::Gbk => self.find_by(text, part, GbkBytes),
            Order::Unicode(weights) => {
                with_unicode!(self.charset(), d => Ok(find_weights(text, part, d, weights)))
            }
            _ => match self.charset().encoding() {
                Encoding::Gbk => self.find_by(text, part, GbkBytes),
                Encoding::Binary | Encoding::Ascii | Encoding::Single(_) => {
                    self.find_by(text, part, ByteDecoder)
                }
                _ => with_unicode!(self.charset(), d => self.find_by(text, part, d)),
            },
        }
    }

    fn find_by(
        &self,
        text: &[u8],
        part: &[u8],
        decoder: impl Decode,
    ) -> Result<Option<Found>, NotSupported> {
        let (mut offset, mut chars) = (0, 0);
        while let Some(here) = text.get(offset..offset + part.len()) {
            if self.compare_as(here, part, PadAttribute::NoPad)? == Ordering::Equal {
                return Ok(Some(Found { offset, chars }));
            }
            match text.get(offset..) {
                Some(rest) if !rest.is_empty() => offset += decoder.first(rest).len,
                _ => break,
            }
            chars += 1;
        }
        Ok(None)
    }
}

fn find_weights<D: Decode>(
    text: &[u8],
    part: &[u8],
    decoder: D,
    weights: Weights,
) -> Option<Found> {
    let (mut offset, mut chars) = (0, 0);
    if part.is_empty() {
        return Some(Found { offset, chars });
    }
    let starts = |here: &[u8]| {
        (0..weights.levels()).all(|level| {
            let level = weights.level(level);
            let mut here = Scan::new(here, decoder, level);
            Scan::new(part, decoder, level).all(|weight| here.next() == Some(weight))
        })
    };
    while let Some(here) = text.get(offset..).filter(|here| !here.is_empty()) {
        if starts(here) {
            return Some(Found { offset, chars });
        }
        offset += decoder.first(here).len;
        chars += 1;
    }
    None
}
