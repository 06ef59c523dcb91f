//! Reading texts character by character.

use super::{Charset, Encoding, Gbk, NotSupported, Single};

/// Codes from here on are no code points: `BAD | byte` stands for a byte that is part of
/// no character.
pub const BAD: u32 = 0x20_0000;

/// Marks a character that its set has and Unicode has not.
pub(crate) const UNMAPPED: u32 = 0x40_0000;

/// A character as it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// The code point, or [`BAD`] and a byte.
    pub code: u32,
    /// Its bytes: at least one.
    pub len: usize,
}

impl Unit {
    /// Whether these bytes are a character.
    pub fn is_valid(self) -> bool {
        self.code & BAD == 0
    }

    #[inline]
    fn bad(byte: u8) -> Self {
        Self { code: BAD | u32::from(byte), len: 1 }
    }
}

/// Reads one kind of encoding.
pub trait Decode: Copy {
    /// Whether a byte below 128 where a character begins is ASCII.
    const ASCII: bool;

    /// The character at the start of `text`, which is not empty.
    fn first(self, text: &[u8]) -> Unit;

    /// The last place at or before `at` where a character surely begins, if `text` is the
    /// same up to `at` in two texts; may be 0.
    fn boundary(self, text: &[u8], at: usize) -> usize;
}

#[inline]
fn continues(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| b & 0xC0 == 0x80)
}

#[inline]
fn utf8(text: &[u8], four: bool) -> Unit {
    let lead = text[0];
    let low = |at: usize| text.get(at).map_or(0, |b| u32::from(b & 0x3F));
    let (code, len) = match lead {
        0..0x80 => return Unit { code: u32::from(lead), len: 1 },
        0xC2..0xE0 if continues(text.get(1)) => (u32::from(lead & 0x1F) << 6 | low(1), 2),
        0xE0..0xF0 if continues(text.get(1)) && continues(text.get(2)) => {
            (u32::from(lead & 0x0F) << 12 | low(1) << 6 | low(2), 3)
        }
        0xF0..0xF5
            if four
                && continues(text.get(1))
                && continues(text.get(2))
                && continues(text.get(3)) =>
        {
            (u32::from(lead & 0x07) << 18 | low(1) << 12 | low(2) << 6 | low(3), 4)
        }
        _ => return Unit::bad(lead),
    };
    let fits = match len {
        2 => true,
        3 => code >= 0x800 && !(0xD800..0xE000).contains(&code),
        _ => (0x1_0000..0x11_0000).contains(&code),
    };
    if fits { Unit { code, len } } else { Unit::bad(lead) }
}

#[inline]
fn utf8_boundary(text: &[u8], mut at: usize) -> usize {
    while at > 0 && continues(text.get(at)) {
        at -= 1;
    }
    // What differs may be the length of the character before.
    if at > 0 && text.get(at).is_none() {
        at -= 1;
        while at > 0 && continues(text.get(at)) {
            at -= 1;
        }
    }
    at
}

/// `utf8mb4`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Utf8mb4;

impl Decode for Utf8mb4 {
    const ASCII: bool = true;

    #[inline]
    fn first(self, text: &[u8]) -> Unit {
        utf8(text, true)
    }

    #[inline]
    fn boundary(self, text: &[u8], at: usize) -> usize {
        utf8_boundary(text, at)
    }
}

/// `utf8mb3`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Utf8mb3;

impl Decode for Utf8mb3 {
    const ASCII: bool = true;

    #[inline]
    fn first(self, text: &[u8]) -> Unit {
        utf8(text, false)
    }

    #[inline]
    fn boundary(self, text: &[u8], at: usize) -> usize {
        utf8_boundary(text, at)
    }
}

/// `ucs2`: two bytes each, high byte first; half surrogates are characters of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ucs2;

impl Decode for Ucs2 {
    const ASCII: bool = false;

    fn first(self, text: &[u8]) -> Unit {
        match text {
            [high, low, ..] => Unit { code: u32::from(*high) << 8 | u32::from(*low), len: 2 },
            _ => Unit::bad(text[0]),
        }
    }

    fn boundary(self, _: &[u8], at: usize) -> usize {
        at & !1
    }
}

fn utf16(text: &[u8], word: impl Fn([u8; 2]) -> u16) -> Unit {
    let [a, b, rest @ ..] = text else { return Unit::bad(text[0]) };
    let first = u32::from(word([*a, *b]));
    match (first, rest) {
        (0xD800..0xDC00, [c, d, ..]) => {
            let second = u32::from(word([*c, *d]));
            if (0xDC00..0xE000).contains(&second) {
                Unit { code: 0x1_0000 + ((first & 0x3FF) << 10 | second & 0x3FF), len: 4 }
            } else {
                Unit::bad(*a)
            }
        }
        (0xD800..0xE000, _) => Unit::bad(*a),
        _ => Unit { code: first, len: 2 },
    }
}

/// `utf16`: high byte first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Utf16;

impl Decode for Utf16 {
    const ASCII: bool = false;

    fn first(self, text: &[u8]) -> Unit {
        utf16(text, u16::from_be_bytes)
    }

    fn boundary(self, _: &[u8], _: usize) -> usize {
        0
    }
}

/// `utf16le`: low byte first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Utf16le;

impl Decode for Utf16le {
    const ASCII: bool = false;

    fn first(self, text: &[u8]) -> Unit {
        utf16(text, u16::from_le_bytes)
    }

    fn boundary(self, _: &[u8], _: usize) -> usize {
        0
    }
}

/// `utf32`: four bytes each, high byte first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Utf32;

impl Decode for Utf32 {
    const ASCII: bool = false;

    fn first(self, text: &[u8]) -> Unit {
        match text {
            [a, b, c, d, ..] => {
                let code = u32::from_be_bytes([*a, *b, *c, *d]);
                if code < 0x11_0000 { Unit { code, len: 4 } } else { Unit::bad(*a) }
            }
            _ => Unit::bad(text[0]),
        }
    }

    fn boundary(self, _: &[u8], at: usize) -> usize {
        at & !3
    }
}

/// `gbk`, by Unicode code points.
#[derive(Clone, Copy)]
pub(crate) struct GbkDecoder(pub(crate) &'static Gbk);

impl Decode for GbkDecoder {
    const ASCII: bool = true;

    fn first(self, text: &[u8]) -> Unit {
        match text {
            [byte @ 0..0x80, ..] => Unit { code: u32::from(*byte), len: 1 },
            [lead, trail, ..] => match Gbk::index(*lead, *trail) {
                Some(index) => match self.0.to_unicode(index) {
                    0 => {
                        Unit { code: UNMAPPED | u32::from(*lead) << 8 | u32::from(*trail), len: 2 }
                    }
                    code => Unit { code: u32::from(code), len: 2 },
                },
                None => Unit::bad(*lead),
            },
            _ => Unit::bad(text[0]),
        }
    }

    fn boundary(self, _: &[u8], _: usize) -> usize {
        0
    }
}

/// `ascii`: bytes from 128 on are no characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsciiDecoder;

impl Decode for AsciiDecoder {
    const ASCII: bool = true;

    #[inline]
    fn first(self, text: &[u8]) -> Unit {
        match text[0] {
            byte @ 0..0x80 => Unit { code: u32::from(byte), len: 1 },
            byte => Unit::bad(byte),
        }
    }

    fn boundary(self, _: &[u8], at: usize) -> usize {
        at
    }
}

/// `binary`: each byte is the code of its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteDecoder;

impl Decode for ByteDecoder {
    const ASCII: bool = true;

    #[inline]
    fn first(self, text: &[u8]) -> Unit {
        Unit { code: u32::from(text[0]), len: 1 }
    }

    fn boundary(self, _: &[u8], at: usize) -> usize {
        at
    }
}

/// A set of single bytes, by Unicode code points.
#[derive(Clone, Copy)]
pub(crate) struct SingleDecoder(pub(crate) &'static Single);

impl Decode for SingleDecoder {
    const ASCII: bool = false;

    #[inline]
    fn first(self, text: &[u8]) -> Unit {
        let code = match self.0.to_unicode(text[0]) {
            Some(code) => u32::from(code),
            None => UNMAPPED | u32::from(text[0]),
        };
        Unit { code, len: 1 }
    }

    fn boundary(self, _: &[u8], at: usize) -> usize {
        at
    }
}

/// Runs `$body` with `$d` bound to the set's decoder.
macro_rules! with_decoder {
    ($set:expr, $d:ident => $body:expr) => {
        match $set.encoding() {
            Encoding::Utf8mb4 => {
                let $d = Utf8mb4;
                Ok($body)
            }
            Encoding::Utf8mb3 => {
                let $d = Utf8mb3;
                Ok($body)
            }
            Encoding::Ucs2 => {
                let $d = Ucs2;
                Ok($body)
            }
            Encoding::Utf16 => {
                let $d = Utf16;
                Ok($body)
            }
            Encoding::Utf16le => {
                let $d = Utf16le;
                Ok($body)
            }
            Encoding::Utf32 => {
                let $d = Utf32;
                Ok($body)
            }
            Encoding::Binary => {
                let $d = ByteDecoder;
                Ok($body)
            }
            Encoding::Ascii => {
                let $d = AsciiDecoder;
                Ok($body)
            }
            Encoding::Single(index) => {
                let $d = SingleDecoder(Single::at(index));
                Ok($body)
            }
            Encoding::Gbk => {
                let $d = GbkDecoder(Gbk::get());
                Ok($body)
            }
            Encoding::Unsupported => Err(NotSupported($set.name())),
        }
    };
}
pub(crate) use with_decoder;

/// Walks over the characters of a text.
struct Units<'t, D> {
    text: &'t [u8],
    decoder: D,
}

impl<D: Decode> Iterator for Units<'_, D> {
    type Item = Unit;

    #[inline]
    fn next(&mut self) -> Option<Unit> {
        if self.text.is_empty() {
            return None;
        }
        let unit = self.decoder.first(self.text);
        self.text = self.text.get(unit.len..).unwrap_or(&[]);
        Some(unit)
    }
}

impl Charset {
    /// Calls `each` with the characters of `text`; bytes that belong to none come one by one.
    /// A character that Unicode lacks has a code that is no code point, and is valid.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn for_each_char(
        &self,
        text: &[u8],
        mut each: impl FnMut(Unit),
    ) -> Result<(), NotSupported> {
        with_decoder!(self, decoder => Units { text, decoder }.for_each(&mut each))
    }

    /// Length in bytes of the longest prefix of at most `most_chars` characters all of which
    /// are valid, and how many characters that is.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn well_formed_prefix(
        &self,
        text: &[u8],
        most_chars: usize,
    ) -> Result<(usize, usize), NotSupported> {
        with_decoder!(self, decoder => {
            let (mut len, mut chars) = (0, 0);
            for unit in (Units { text, decoder }) {
                if chars == most_chars || !unit.is_valid() {
                    break;
                }
                len += unit.len;
                chars += 1;
            }
            (len, chars)
        })
    }

    /// Whether all of `text` is characters of this set.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn is_well_formed(&self, text: &[u8]) -> Result<bool, NotSupported> {
        if self.encoding() == Encoding::Utf8mb4 {
            return Ok(std::str::from_utf8(text).is_ok());
        }
        Ok(self.well_formed_prefix(text, usize::MAX)?.0 == text.len())
    }

    /// `CHAR_LENGTH`: characters; a byte that belongs to none counts as one.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn char_length(&self, text: &[u8]) -> Result<usize, NotSupported> {
        match self.encoding() {
            Encoding::Binary | Encoding::Ascii | Encoding::Single(_) => Ok(text.len()),
            _ if text.is_ascii() && self.min_bytes() == 1 => self.supported().map(|()| text.len()),
            _ => with_decoder!(self, decoder => Units { text, decoder }.count()),
        }
    }

    /// Bytes of the first `chars` characters of `text`, or of all if it has fewer.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn char_offset(&self, text: &[u8], chars: usize) -> Result<usize, NotSupported> {
        with_decoder!(self, decoder => {
            Units { text, decoder }.take(chars).map(|unit| unit.len).sum()
        })
    }
}
