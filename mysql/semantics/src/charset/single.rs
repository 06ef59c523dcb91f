//! Sets in which a byte is a character, all in one embedded table.
//!
//! `data/single.bin`: the number of sets; for each the length of its name, the name, 256
//! code points (low byte first, 0xFFFF for none), 256 bytes in upper case, 256 in lower
//! case, the number of its collations that weigh byte by byte, and for each its id (low
//! byte first) and 256 weights.

use std::sync::LazyLock;

use crate::collation::compact::Reader;

/// A set of single bytes.
pub(crate) struct Single {
    name: &'static str,
    to_unicode: [u16; 256],
    /// Sorted by code point.
    from_unicode: Vec<(u16, u8)>,
    pub(crate) upper: &'static [u8],
    pub(crate) lower: &'static [u8],
    /// Ids of collations, and the weight of each byte.
    orders: Vec<(u16, &'static [u8])>,
}

static ALL: LazyLock<Vec<Single>> = LazyLock::new(|| {
    let mut from = Reader(include_bytes!("../../data/single.bin"));
    (0..from.byte()).map(|_| Single::read(&mut from)).collect()
});

const NONE: u16 = 0xFFFF;

impl Single {
    fn read(from: &mut Reader) -> Self {
        let len = usize::from(from.byte());
        let name = std::str::from_utf8(from.bytes(len)).unwrap_or_default();
        let mut to_unicode = [NONE; 256];
        let mut from_unicode = Vec::with_capacity(256);
        for (byte, code) in to_unicode.iter_mut().enumerate() {
            *code = from.word();
            // Thai bytes without a letter read as the replacement character, and that is
            // written as the last of them; of others that share a code point, the first.
            if *code == 0xFFFD {
                from_unicode.retain(|(known, _)| known != code);
            }
            if *code != NONE {
                from_unicode.push((*code, byte as u8));
            }
        }
        from_unicode.sort();
        from_unicode.dedup_by_key(|pair| pair.0);
        let upper = from.bytes(256);
        let lower = from.bytes(256);
        let orders = (0..from.byte()).map(|_| (from.word(), from.bytes(256))).collect();
        Self { name, to_unicode, from_unicode, upper, lower, orders }
    }

    pub(crate) fn index_of(name: &str) -> Option<u8> {
        ALL.iter().position(|one| one.name == name).map(|index| index as u8)
    }

    pub(crate) fn at(index: u8) -> &'static Self {
        &ALL[usize::from(index)]
    }

    /// The weights of bytes in a collation, if it is one of those.
    pub(crate) fn order(collation: u16) -> Option<&'static [u8; 256]> {
        let (_, weights) =
            ALL.iter().flat_map(|one| &one.orders).find(|(id, _)| *id == collation)?;
        (*weights).try_into().ok()
    }

    #[inline]
    pub(crate) fn to_unicode(&self, byte: u8) -> Option<u16> {
        Some(self.to_unicode[usize::from(byte)]).filter(|code| *code != NONE)
    }

    pub(crate) fn encoded(&self, code: u32) -> Option<u8> {
        let code = u16::try_from(code).ok()?;
        if code < 0x80 && self.to_unicode[usize::from(code)] == code {
            return Some(code as u8);
        }
        let at = self.from_unicode.binary_search_by_key(&code, |pair| pair.0).ok()?;
        Some(self.from_unicode[at].1)
    }
}
