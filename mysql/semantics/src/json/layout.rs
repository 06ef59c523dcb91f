//! The binary form, version 1. All numbers are little-endian.
//!
//! ```text
//! document  = version (1 byte: 1), body, footer
//! footer    = tag (1 byte), u32: an inline value, or how many bytes before the footer
//!             the root value's *position* is
//! ```
//!
//! A value is known by its tag and either an inline value (null, booleans, integers
//! of 16 bits) or the position of its bytes. A scalar's position is its first
//! byte. A container's position is that of its *table*, which stands after all that it
//! contains, so a document is written in one pass:
//!
//! ```text
//! container = for each entry in order: name's bytes (objects), value's bytes (unless inline)
//!             table
//! table     = depth code (1 byte), count (W), extent (W): bytes of all that stands before
//!             objects: for each member, name's distance (W) and length (W)
//!             for each entry, tag (1 byte) and inline value or distance (W)
//! ```
//!
//! W is 2 bytes in a small container (extent and count below 2^16) and 4 in a large one.
//! Distances count back from the table, so a part can be copied anywhere. Entries stand
//! in order (members by the length of their names and then their bytes, as MySQL orders
//! them, each name once), one behind the other without gaps or sharing. Hence
//! equal documents are equal bytes, and a walk over any bytes ends: parts are inside their
//! container, disjoint, and of a smaller depth code.
//!
//! The depth code is twice the number of nested containers, plus one if the deepest of
//! them holds scalars; a scalar's is 1. So `code / 2 + code % 2` is what JSON_DEPTH says.

use super::error::JsonError;

/// First byte of every document.
pub(super) const VERSION: u8 = 1;
/// Bytes of the footer.
pub(super) const FOOTER_LEN: usize = 5;

/// What a value is; the numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tag {
    Null = 0,
    False = 1,
    True = 2,
    /// Inline.
    Int16 = 3,
    /// 4 bytes.
    Int32 = 4,
    /// 8 bytes.
    Int64 = 5,
    /// Inline.
    UInt16 = 6,
    /// 4 bytes.
    UInt32 = 7,
    /// 8 bytes.
    UInt64 = 8,
    /// 8 bytes.
    Double = 9,
    /// Length as varint, UTF-8.
    String = 10,
    /// Sign and scale, number of digits, two digits a byte.
    Decimal = 11,
    /// 8 bytes: MySQL's packed integer.
    Date = 12,
    /// As `Date`.
    Time = 13,
    /// As `Date`.
    DateTime = 14,
    /// As `Date`.
    Timestamp = 15,
    /// Field type (1 byte), length as varint, bytes.
    Opaque = 16,
    ArraySmall = 17,
    ArrayLarge = 18,
    ObjectSmall = 19,
    ObjectLarge = 20,
}

impl Tag {
    pub(super) fn of(byte: u8) -> Result<Self, JsonError> {
        Ok(match byte {
            0 => Self::Null,
            1 => Self::False,
            2 => Self::True,
            3 => Self::Int16,
            4 => Self::Int32,
            5 => Self::Int64,
            6 => Self::UInt16,
            7 => Self::UInt32,
            8 => Self::UInt64,
            9 => Self::Double,
            10 => Self::String,
            11 => Self::Decimal,
            12 => Self::Date,
            13 => Self::Time,
            14 => Self::DateTime,
            15 => Self::Timestamp,
            16 => Self::Opaque,
            17 => Self::ArraySmall,
            18 => Self::ArrayLarge,
            19 => Self::ObjectSmall,
            20 => Self::ObjectLarge,
            _ => return Err(JsonError::Corrupt("unknown tag")),
        })
    }

    /// Whether the entry holds the value itself.
    pub(super) fn is_inline(self) -> bool {
        matches!(self, Self::Null | Self::False | Self::True | Self::Int16 | Self::UInt16)
    }

    pub(super) fn is_container(self) -> bool {
        matches!(self, Self::ArraySmall | Self::ArrayLarge | Self::ObjectSmall | Self::ObjectLarge)
    }

    pub(super) fn is_object(self) -> bool {
        matches!(self, Self::ObjectSmall | Self::ObjectLarge)
    }

    /// Bytes of a number in a container's table.
    pub(super) fn width(self) -> usize {
        if matches!(self, Self::ArrayLarge | Self::ObjectLarge) { 4 } else { 2 }
    }
}

/// `len` bytes from `at` on.
pub(super) fn bytes(all: &[u8], at: usize, len: usize) -> Result<&[u8], JsonError> {
    at.checked_add(len)
        .and_then(|end| all.get(at..end))
        .ok_or(JsonError::Corrupt("a value beyond the end"))
}

/// Exactly `N` bytes from `at` on.
pub(super) fn array<const N: usize>(all: &[u8], at: usize) -> Result<[u8; N], JsonError> {
    bytes(all, at, N)?.try_into().map_err(|_| JsonError::Corrupt("a value beyond the end"))
}

/// A number of 2 or 4 bytes.
pub(super) fn number(all: &[u8], at: usize, width: usize) -> Result<u32, JsonError> {
    if width == 2 {
        Ok(u32::from(u16::from_le_bytes(array(all, at)?)))
    } else {
        Ok(u32::from_le_bytes(array(all, at)?))
    }
}

/// A varint of at most 32 bits and how many bytes it takes.
pub(super) fn varint(all: &[u8], at: usize) -> Result<(usize, usize), JsonError> {
    let mut value = 0u64;
    for i in 0..5 {
        let [byte] = array::<1>(all, at.saturating_add(i))?;
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            let value = u32::try_from(value).map_err(|_| JsonError::Corrupt("a lying length"))?;
            return Ok((value as usize, i + 1));
        }
    }
    Err(JsonError::Corrupt("a lying length"))
}

/// Appends a varint.
pub(super) fn put_varint(to: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        to.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}
