//! Upper and lower case: one character becomes one character, by the collation's table.

use std::sync::LazyLock;

use super::compact::{CODES, Pages, Reader};
use super::scan::GbkBytes;
use super::{Collation, compare::with_unicode};
use crate::charset::{
    Decode, Encoding, Gbk, NotSupported, Single, Ucs2, Utf8mb3, Utf8mb4, Utf16, Utf16le, Utf32,
};

/// Both cases of all code points.
struct Cases {
    upper: Pages,
    lower: Pages,
}

impl Cases {
    fn unfold(data: &'static [u8]) -> Self {
        let mut from = Reader(data);
        let mut map = || {
            let mut cells = vec![0; CODES];
            // As differences, so that most pages are equal.
            from.map(|code, value| cells[code] = value.wrapping_sub(code as u32));
            Pages::new(&cells)
        };
        let upper = map();
        Self { upper, lower: map() }
    }
}

static DEFAULT: LazyLock<Cases> =
    LazyLock::new(|| Cases::unfold(include_bytes!("../../data/case_default.bin")));
static UNICODE_520: LazyLock<Cases> =
    LazyLock::new(|| Cases::unfold(include_bytes!("../../data/case_520.bin")));
static UNICODE_900: LazyLock<Cases> =
    LazyLock::new(|| Cases::unfold(include_bytes!("../../data/case_900.bin")));

#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Upper,
    Lower,
}

impl Collation {
    /// Appends `UPPER(text)`: character by character, so that `ß` stays; three times as many
    /// bytes as `text` at most.
    ///
    /// The server maps in place and so damages texts with characters whose other case is
    /// longer in UTF-8 (`UPPER('ɐɐɐ')` is one character there). That is not imitated.
    ///
    /// # Errors
    ///
    /// [`NotSupported`] if the character set is.
    pub fn upper(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), NotSupported> {
        self.map_case(text, To::Upper, out)
    }

    /// Appends `LOWER(text)`.
    ///
    /// # Errors
    ///
    /// [`NotSupported`] if the character set is.
    pub fn lower(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), NotSupported> {
        self.map_case(text, To::Lower, out)
    }

    fn cases(&self) -> &'static Cases {
        if self.name().contains("_0900_") {
            &UNICODE_900
        } else if self.name().contains("_520_") {
            &UNICODE_520
        } else {
            &DEFAULT
        }
    }

    fn map_case(&self, text: &[u8], to: To, out: &mut Vec<u8>) -> Result<(), NotSupported> {
        let set = self.charset();
        set.supported()?;
        match set.encoding() {
            Encoding::Binary => out.extend_from_slice(text),
            Encoding::Ascii => out.extend(text.iter().map(|byte| ascii(*byte, to))),
            Encoding::Single(index) => {
                let set = Single::at(index);
                let table = if to == To::Upper { set.upper } else { set.lower };
                let map = |byte: &u8| table.get(usize::from(*byte)).copied().unwrap_or(*byte);
                out.extend(text.iter().map(map));
            }
            Encoding::Gbk => gbk(text, to, out),
            Encoding::Utf8mb4 | Encoding::Utf8mb3 if text.is_ascii() => {
                out.extend(text.iter().map(|byte| ascii(*byte, to)));
            }
            encoding => {
                let cases = self.cases();
                let table = if to == To::Upper { &cases.upper } else { &cases.lower };
                with_unicode!(set, decoder => {
                    let mut text = text;
                    while !text.is_empty() {
                        let unit = decoder.first(text);
                        let (head, rest) = text.split_at(unit.len.min(text.len()));
                        text = rest;
                        let code = unit.code.wrapping_add(table.get(unit.code));
                        if !unit.is_valid()
                            || code == unit.code
                            || !crate::charset::encode(encoding, code, out)
                        {
                            out.extend_from_slice(head);
                        }
                    }
                });
            }
        }
        Ok(())
    }
}

#[inline]
fn ascii(byte: u8, to: To) -> u8 {
    if to == To::Upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }
}

fn gbk(mut text: &[u8], to: To, out: &mut Vec<u8>) {
    let table = Gbk::get();
    while let Some(first) = text.first() {
        let unit = GbkBytes.first(text);
        if unit.len == 2 {
            let pair = unit.code as u16;
            let mapped = if to == To::Upper { table.upper(pair) } else { table.lower(pair) };
            out.extend_from_slice(&mapped.to_be_bytes());
        } else {
            out.push(ascii(*first, to));
        }
        text = text.get(unit.len..).unwrap_or(&[]);
    }
}
