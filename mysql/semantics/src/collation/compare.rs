//! Comparison.

use std::cmp::Ordering;

use super::compact::Level;
use super::order::{Order, Weights};
use super::scan::{Codes, GbkScan, Scan};
use super::{Collation, PadAttribute};
use crate::charset::{
    Decode, Encoding, Gbk, NotSupported, Ucs2, Utf8mb3, Utf8mb4, Utf16, Utf16le, Utf32,
};

/// Runs `$body` with `$d` bound to the decoder of a Unicode set.
macro_rules! with_unicode {
    ($set:expr, $d:ident => $body:expr) => {
        match $set.encoding() {
            Encoding::Utf8mb3 => {
                let $d = Utf8mb3;
                $body
            }
            Encoding::Ucs2 => {
                let $d = Ucs2;
                $body
            }
            Encoding::Utf16 => {
                let $d = Utf16;
                $body
            }
            Encoding::Utf16le => {
                let $d = Utf16le;
                $body
            }
            Encoding::Utf32 => {
                let $d = Utf32;
                $body
            }
            _ => {
                let $d = Utf8mb4;
                $body
            }
        }
    };
}
pub(super) use with_unicode;

const BLANK: u8 = b' ';

impl Collation {
    /// The order of two texts; `Equal` for all that this collation does not tell apart.
    /// Bytes that are no characters come after all characters, each for itself.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    #[inline]
    pub fn compare(&self, a: &[u8], b: &[u8]) -> Result<Ordering, NotSupported> {
        self.compare_padded(a, b, self.row.pad_space)
    }

    /// As [`compare`](Self::compare), as if the collation had this attribute.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    pub fn compare_as(
        &self,
        a: &[u8],
        b: &[u8],
        pad: PadAttribute,
    ) -> Result<Ordering, NotSupported> {
        self.compare_padded(a, b, pad == PadAttribute::PadSpace)
    }

    /// Whether two texts are equal.
    ///
    /// # Errors
    ///
    /// [`NotSupported`].
    #[inline]
    pub fn equal(&self, a: &[u8], b: &[u8]) -> Result<bool, NotSupported> {
        match self.order {
            Order::Bytes if !self.row.pad_space => Ok(a == b),
            _ => Ok(self.compare(a, b)? == Ordering::Equal),
        }
    }

    #[inline]
    fn compare_padded(&self, a: &[u8], b: &[u8], pad: bool) -> Result<Ordering, NotSupported> {
        match self.order {
            Order::Bytes => Ok(bytes(a, b, pad)),
            Order::Single(weights) => Ok(single(a, b, weights, pad)),
            Order::Unicode(weights) => Ok(match self.charset().encoding() {
                Encoding::Utf8mb4 => unicode(a, b, Utf8mb4, weights, pad),
                _ => {
                    with_unicode!(self.charset(), d => unicode(a, b, d, weights, pad))
                }
            }),
            Order::Codes => Ok(with_unicode!(self.charset(), decoder => {
                let (a, b) = (Codes { text: a, decoder }, Codes { text: b, decoder });
                streams(a, b, pad.then_some(u32::from(BLANK)))
            })),
            Order::Gbk => {
                let table = Gbk::get();
                let (a, b) = (GbkScan { text: a, table }, GbkScan { text: b, table });
                Ok(streams(a, b, pad.then_some(u32::from(BLANK))))
            }
            Order::Unsupported => Err(NotSupported(self.name())),
        }
    }
}

/// How many bytes two texts have in common at their starts.
#[inline]
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let len = a.len().min(b.len());
    let (a, b) = (&a[..len], &b[..len]);
    let mut at = 0;
    let (mut left, mut right) = (a.chunks_exact(8), b.chunks_exact(8));
    for (x, y) in (&mut left).zip(&mut right) {
        let differ = word(x) ^ word(y);
        if differ != 0 {
            return at + (differ.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = left.remainder().iter().zip(right.remainder());
    at + tail.take_while(|(x, y)| x == y).count()
}

#[inline]
fn word(chunk: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(chunk);
    u64::from_le_bytes(word)
}

fn bytes(a: &[u8], b: &[u8], pad: bool) -> Ordering {
    if !pad {
        return a.cmp(b);
    }
    let len = a.len().min(b.len());
    a[..len].cmp(&b[..len]).then_with(|| {
        let rest = |text: &[u8]| {
            text[len..].iter().find(|x| **x != BLANK).map_or(Ordering::Equal, |x| x.cmp(&BLANK))
        };
        // One of the two has nothing left.
        rest(a).then(rest(b).reverse())
    })
}

fn single(a: &[u8], b: &[u8], weights: &[u8; 256], pad: bool) -> Ordering {
    let skip = common_prefix(a, b);
    let weigh = |text: &[u8], at: usize| weights[usize::from(text[at])];
    let len = a.len().min(b.len());
    for at in skip..len {
        let (x, y) = (weigh(a, at), weigh(b, at));
        if x != y {
            return x.cmp(&y);
        }
    }
    if !pad {
        return a.len().cmp(&b.len());
    }
    let blank = weights[usize::from(BLANK)];
    let rest = |text: &[u8]| {
        let differs = (len..text.len()).map(|at| weigh(text, at)).find(|x| *x != blank);
        differs.map_or(Ordering::Equal, |x| x.cmp(&blank))
    };
    rest(a).then(rest(b).reverse())
}

/// The order of two streams of weights; with `blank`, the shorter goes on with that.
pub(super) fn streams(
    mut a: impl Iterator<Item = u32>,
    mut b: impl Iterator<Item = u32>,
    blank: Option<u32>,
) -> Ordering {
    loop {
        match (a.next(), b.next()) {
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) => return x.cmp(&y),
            (None, None) => return Ordering::Equal,
            (Some(x), None) => return rest(x, a, blank),
            (None, Some(y)) => return rest(y, b, blank).reverse(),
        }
    }
}

/// What is left of the longer against blanks.
fn rest(first: u32, more: impl Iterator<Item = u32>, blank: Option<u32>) -> Ordering {
    let Some(blank) = blank else { return Ordering::Greater };
    std::iter::once(first)
        .chain(more)
        .find(|weight| *weight != blank)
        .map_or(Ordering::Equal, |weight| weight.cmp(&blank))
}

#[inline]
fn unicode<D: Decode>(a: &[u8], b: &[u8], decoder: D, weights: Weights, pad: bool) -> Ordering {
    // What is the same in bytes weighs the same at every level.
    let same = common_prefix(a, b);
    if same == a.len() && same == b.len() {
        return Ordering::Equal;
    }
    let start = decoder.boundary(a, same).min(decoder.boundary(b, same));
    let (a, b) = (&a[start..], &b[start..]);
    for level in 0..weights.levels() {
        let order = one_level(a, b, decoder, weights.level(level), pad);
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[inline]
fn one_level<D: Decode>(
    mut a: &[u8],
    mut b: &[u8],
    decoder: D,
    level: &'static Level,
    pad: bool,
) -> Ordering {
    if D::ASCII {
        let mut at = 0;
        for (x, y) in a.iter().zip(b) {
            if (x | y) & 0x80 != 0 {
                break;
            }
            let (x, y) = (level.ascii[usize::from(x & 0x7F)], level.ascii[usize::from(y & 0x7F)]);
            if x != y {
                if x == 0 || y == 0 {
                    break;
                }
                return x.cmp(&y);
            }
            at += 1;
        }
        (a, b) = (&a[at..], &b[at..]);
    }
    let blank = pad.then_some(u32::from(level.ascii[usize::from(BLANK)]));
    streams(Scan::new(a, decoder, level), Scan::new(b, decoder, level), blank)
}
