//! Writing characters.

use super::{Charset, Encoding, Gbk, NotSupported, Single};

impl Charset {
    /// Appends the character of a code point; `false`, and nothing is appended, if the set
    /// lacks it.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn encode(&self, code: u32, out: &mut Vec<u8>) -> Result<bool, NotSupported> {
        match self.encoding() {
            Encoding::Unsupported => Err(NotSupported(self.name())),
            known => Ok(encode(known, code, out)),
        }
    }
}

fn push_utf8(code: u32, out: &mut Vec<u8>) -> bool {
    match char::from_u32(code) {
        Some(c) => {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            true
        }
        None => false,
    }
}

fn push_utf16(code: u32, out: &mut Vec<u8>, bytes: impl Fn(u16) -> [u8; 2]) -> bool {
    match char::from_u32(code) {
        Some(c) => {
            for word in c.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(&bytes(*word));
            }
            true
        }
        None => false,
    }
}

fn push_byte(byte: Option<u8>, out: &mut Vec<u8>) -> bool {
    out.extend(byte);
    byte.is_some()
}

/// Appends a character; `false` if the encoding lacks it.
#[inline]
pub(crate) fn encode(encoding: Encoding, code: u32, out: &mut Vec<u8>) -> bool {
    match encoding {
        Encoding::Utf8mb4 => push_utf8(code, out),
        Encoding::Utf8mb3 => code < 0x1_0000 && push_utf8(code, out),
        Encoding::Ucs2 => match u16::try_from(code) {
            Ok(word) => {
                out.extend_from_slice(&word.to_be_bytes());
                true
            }
            Err(_) => false,
        },
        Encoding::Utf16 => push_utf16(code, out, u16::to_be_bytes),
        Encoding::Utf16le => push_utf16(code, out, u16::to_le_bytes),
        Encoding::Utf32 => {
            let fits = char::from_u32(code).is_some();
            if fits {
                out.extend_from_slice(&code.to_be_bytes());
            }
            fits
        }
        Encoding::Binary => push_byte(u8::try_from(code).ok(), out),
        Encoding::Ascii => push_byte(u8::try_from(code).ok().filter(u8::is_ascii), out),
        Encoding::Single(index) => push_byte(Single::at(index).encoded(code), out),
        Encoding::Gbk => match Gbk::get().encoded(code) {
            Some(word @ 0..0x80) => push_byte(Some(word as u8), out),
            Some(word) => {
                out.extend_from_slice(&word.to_be_bytes());
                true
            }
            None => false,
        },
        Encoding::Unsupported => false,
    }
}
