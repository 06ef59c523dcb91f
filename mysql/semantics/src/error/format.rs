//! The printf conversions that MySQL's error texts use.

use std::fmt::Write as _;

/// The longest text of an error, in bytes (MySQL's buffer of 512 with its end
/// mark).
pub const MESSAGE_LIMIT_BYTES: usize = 511;

/// One argument of an error text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arg<'a> {
    /// For `%s`.
    Str(&'a str),
    /// For `%d`, `%ld`, `%lld`.
    Int(i64),
    /// For `%u`, `%lu`, `%llu`, `%zu`, `%x`.
    UInt(u64),
    /// For `%f`, `%g`.
    Float(f64),
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(value: &'a str) -> Self {
        Self::Str(value)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(value: &'a String) -> Self {
        Self::Str(value)
    }
}

macro_rules! from_number {
    ($($from:ty => $variant:ident as $to:ty;)*) => {$(
        impl From<$from> for Arg<'_> {
            fn from(value: $from) -> Self {
                Self::$variant(<$to>::from(value))
            }
        }
    )*};
}

from_number! {
    i32 => Int as i64;
    i64 => Int as i64;
    u16 => UInt as u64;
    u32 => UInt as u64;
    u64 => UInt as u64;
    f64 => Float as f64;
}

/// Cuts `text` to at most `limit` bytes without splitting a character.
pub(super) fn cut(text: &mut String, limit: usize) {
    text.truncate(text.floor_char_boundary(limit));
}

/// One conversion: `%-08.64ls`.
#[derive(Default)]
struct Spec {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
}

/// `format` with its conversions replaced by `args`.
pub(super) fn message(format: &str, args: &[Arg<'_>]) -> String {
    let mut out = Vec::with_capacity(format.len() + 32);
    let mut args = args.iter();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let (spec, conversion, after) = spec(&rest[at + 1..]);
        rest = after;
        match conversion {
            Some('%') => out.push(b'%'),
            Some(conversion) => {
                if let Some(arg) = args.next() {
                    put(&mut out, &spec, conversion, *arg);
                }
            }
            None => {}
        }
    }
    out.extend_from_slice(rest.as_bytes());
    let mut out = readable(&out);
    cut(&mut out, MESSAGE_LIMIT_BYTES);
    out
}

/// A text whose arguments may have been cut within characters, as clients see it: each
/// byte that is no character is a question mark, and one that wants more bytes than
/// are left ends the text.
fn readable(mut bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                out.push_str(text);
                return out;
            }
            Err(error) => {
                let (good, bad) = bytes.split_at(error.valid_up_to());
                out.push_str(&String::from_utf8_lossy(good));
                let length = match bad.first() {
                    Some(0xc2..=0xdf) => 2,
                    Some(0xe0..=0xef) => 3,
                    Some(0xf0..) => 4,
                    _ => 1,
                };
                if bad.len() < length {
                    return out;
                }
                out.push('?');
                bytes = &bad[1..];
            }
        }
    }
}

/// The conversion that `text` (after the `%`) begins with, and what follows it.
fn spec(text: &str) -> (Spec, Option<char>, &str) {
    let mut spec = Spec::default();
    for (at, c) in text.char_indices() {
        match c {
            '-' => spec.left = true,
            '0' if spec.width == 0 && spec.precision.is_none() => spec.zeros = true,
            '0'..='9' => {
                let digit = c as usize - '0' as usize;
                let number = spec.precision.as_mut().unwrap_or(&mut spec.width);
                *number = number.saturating_mul(10).saturating_add(digit).min(MESSAGE_LIMIT_BYTES);
            }
            '.' => spec.precision = Some(0),
            // A text knows its length, so that none is given for `%.*s`.
            '*' => spec.precision = None,
            'l' | 'h' | 'z' => {}
            _ => return (spec, Some(c), &text[at + c.len_utf8()..]),
        }
    }
    (spec, None, "")
}

fn put(out: &mut Vec<u8>, spec: &Spec, conversion: char, arg: Arg<'_>) {
    if let Arg::Str(text) = arg {
        return put_padded(out, spec, text.as_bytes());
    }
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match (arg, conversion) {
        (Arg::Str(_), _) => Ok(()),
        (Arg::UInt(n), 'x') => write!(text, "{n:x}"),
        (Arg::UInt(n), 'c') => {
            write!(text, "{}", u32::try_from(n).ok().and_then(char::from_u32).unwrap_or('?'))
        }
        (Arg::Int(n), _) => write!(text, "{n}"),
        (Arg::UInt(n), _) => write!(text, "{n}"),
        (Arg::Float(x), 'g') => write!(text, "{x}"),
        (Arg::Float(x), _) => write!(text, "{x:.*}", spec.precision.unwrap_or(6)),
    };
    put_padded(out, &Spec { precision: None, ..*spec }, text.as_bytes());
}

/// The precision counts bytes, whatever they are of.
fn put_padded(out: &mut Vec<u8>, spec: &Spec, text: &[u8]) {
    let text = spec.precision.and_then(|limit| text.get(..limit)).unwrap_or(text);
    let missing = spec.width.saturating_sub(text.len());
    let fill = if spec.zeros && !spec.left { b'0' } else { b' ' };
    if !spec.left {
        out.extend(std::iter::repeat_n(fill, missing));
    }
    out.extend_from_slice(text);
    if spec.left {
        out.extend(std::iter::repeat_n(fill, missing));
    }
}
