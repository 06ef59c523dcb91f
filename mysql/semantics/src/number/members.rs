//! ENUM and SET: values are numbers, texts are the members' names. How names
//! compare is the caller's: it knows the collation.

/// The member of an ENUM by its number: 1 is the first, 0 the empty text of an
/// invalid value; `None` beyond the members.
#[must_use]
pub fn enum_by_number(number: u64, members: usize) -> Option<u16> {
    let index = u16::try_from(number).ok()?;
    (usize::from(index) <= members).then_some(index)
}

/// All bits of a SET with `members` members (1 to 64).
#[must_use]
pub fn set_mask(members: usize) -> u64 {
    match members {
        0 => 0,
        1..64 => u64::MAX >> (64 - members),
        _ => u64::MAX,
    }
}

/// The value of a SET from a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedSet {
    /// A bit for each member that was named: bit 0 is the first member.
    pub bits: u64,
    /// Every part named a member.
    pub complete: bool,
}

/// Reads members separated by commas. `find` gives the position of a member
/// (0 is the first) by its text.
#[must_use]
pub fn set_from_text(text: &[u8], find: impl FnMut(&[u8]) -> Option<usize>) -> ParsedSet {
    if text.is_empty() {
        return ParsedSet { bits: 0, complete: true };
    }
    set_from_parts(text.split(|byte| *byte == b','), find)
}

/// As [`set_from_text`], of the members by themselves.
#[must_use]
pub fn set_from_parts<'t>(
    parts: impl IntoIterator<Item = &'t [u8]>,
    mut find: impl FnMut(&[u8]) -> Option<usize>,
) -> ParsedSet {
    let mut parsed = ParsedSet { bits: 0, complete: true };
    for part in parts {
        match find(part) {
            Some(at) if at < 64 => parsed.bits |= 1 << at,
            _ => parsed.complete = false,
        }
    }
    parsed
}

/// Appends the members whose bits are set, separated by commas.
pub fn write_set<'a>(bits: u64, members: impl IntoIterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    write_set_with(bits, members, b",", out);
}

/// As [`write_set`], with the comma of another character set.
pub fn write_set_with<'a>(
    bits: u64,
    members: impl IntoIterator<Item = &'a [u8]>,
    comma: &[u8],
    out: &mut Vec<u8>,
) {
    let mut first = true;
    for (at, member) in members.into_iter().take(64).enumerate() {
        if bits >> at & 1 == 1 {
            if !first {
                out.extend_from_slice(comma);
            }
            out.extend_from_slice(member);
            first = false;
        }
    }
}
