//! Byte strings within keys.
//!
//! A zero byte becomes `00 ff`, and `00 01` ends the string: so no string is the
//! beginning of another one, and the order stays that of the strings.

pub(super) const END: [u8; 2] = [0, 1];
const ESCAPED: u8 = 0xff;

/// Escapes what `out` has from `start` on, and ends it.
#[inline]
pub(super) fn close(out: &mut Vec<u8>, start: usize) {
    escape(out, start);
    out.extend_from_slice(&END);
}

/// Escapes what `out` has from `start` on.
#[inline]
pub(super) fn escape(out: &mut Vec<u8>, start: usize) {
    let zeros = out.iter().skip(start).filter(|byte| **byte == 0).count();
    if zeros > 0 {
        spread(out, start, zeros);
    }
}

/// From the back, so that every byte is moved once.
fn spread(out: &mut Vec<u8>, start: usize, zeros: usize) {
    let mut from = out.len();
    out.resize(from + zeros, 0);
    let mut to = out.len();
    while to > from && from > start {
        from -= 1;
        to -= 1;
        if out[from] == 0 {
            out[to] = ESCAPED;
            to -= 1;
        }
        out[to] = out[from];
    }
}

/// Length of the string that `bytes` begin with, its end included. All bytes are
/// turned over by `flip`. `None` if it does not end.
#[inline]
pub(super) fn len(bytes: &[u8], flip: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == flip)?;
        match *bytes.get(at + 1)? ^ flip {
            0xff => at += 2,
            1 => return Some(at + 2),
            _ => return None,
        }
    }
}

/// The string that is all of `bytes`; borrowed if nothing in it was changed.
pub(super) fn unescape(bytes: &[u8], flip: u8) -> Option<std::borrow::Cow<'_, [u8]>> {
    let body = bytes.get(..bytes.len().checked_sub(END.len())?)?;
    if flip == 0 && !body.contains(&0) {
        return Some(body.into());
    }
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body.iter();
    while let Some(byte) = rest.next() {
        let byte = byte ^ flip;
        if byte == 0 && rest.next()? ^ flip != ESCAPED {
            return None;
        }
        out.push(byte);
    }
    Some(out.into())
}
