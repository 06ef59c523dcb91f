//! From the bytes of a token to its value.

use super::T;
use crate::ast::Bytes;

/// The character sets that have an introducer.
const CHARSETS: [&str; 42] = [
    "armscii8", "ascii", "big5", "binary", "cp1250", "cp1251", "cp1256", "cp1257", "cp850",
    "cp852", "cp866", "cp932", "dec8", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8",
    "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7",
    "macce", "macroman", "sjis", "swe7", "tis620", "ucs2", "ujis", "utf16", "utf16le", "utf32",
    "utf8", "utf8mb3", "utf8mb4",
];

/// Whether `_name` introduces a string of that character set.
pub(crate) fn is_charset(name: &[u8]) -> bool {
    CHARSETS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// The value of a string's inside that holds escapes: doubled quotes, and
/// backslashes if they count. `\%` and `\_` stay as they are, for LIKE.
pub(crate) fn unescape(inside: &[u8], quote: u8, backslash: bool) -> Bytes {
    let mut value = Bytes::with_capacity(inside.len());
    let mut bytes = inside.iter().copied();
    while let Some(b) = bytes.next() {
        if b == quote {
            bytes.next();
            value.push(b);
        } else if b == b'\\' && backslash {
            match bytes.next() {
                Some(b'n') => value.push(b'\n'),
                Some(b't') => value.push(b'\t'),
                Some(b'r') => value.push(b'\r'),
                Some(b'b') => value.push(8),
                Some(b'0') => value.push(0),
                Some(b'Z') => value.push(26),
                Some(b @ (b'%' | b'_')) => value.extend([b'\\', b]),
                Some(b) => value.push(b),
                None => {}
            }
        } else {
            value.push(b);
        }
    }
    value
}

/// The bytes of a hexadecimal or bit literal; its digits fill from the right.
pub(crate) fn digits(kind: T, token: &[u8]) -> Bytes {
    // `0x…` or `x'…'`.
    let digits = if token[0] == b'0' { &token[2..] } else { &token[2..token.len() - 1] };
    let per_byte = if kind == T::Hex { 2 } else { 8 };
    let base = if kind == T::Hex { 16 } else { 2 };
    let first = digits.len() % per_byte;
    let head = Some(&digits[..first]).filter(|head| !head.is_empty());
    let byte = |digits: &[u8]| {
        digits.iter().fold(0u32, |v, &d| v * base + (d as char).to_digit(base).unwrap_or(0)) as u8
    };
    head.into_iter().chain(digits[first..].chunks(per_byte)).map(byte).collect()
}
