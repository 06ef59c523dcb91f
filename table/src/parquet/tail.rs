//! The checksum of a file's tail, inside the tail.

use std::ops::Range;

use parquet::file::metadata::KeyValue;
use xxhash_rust::xxh3::xxh3_64_with_seed;

const TAIL_KEY: &str = "firn.tail_xxh3";

/// Digits of the tail's length, and of its checksum.
const LEN_DIGITS: usize = 8;
const SUM_DIGITS: usize = 16;
const DIGITS: usize = LEN_DIGITS + SUM_DIGITS;

/// What lies between the key and the digits: the value is the next field, of
/// type binary, and so long (Thrift's compact protocol).
const BETWEEN: [u8; 2] = [0x18, DIGITS as u8];

/// Metadata that keeps a place for the checksum.
pub(super) fn placeholder() -> KeyValue {
    KeyValue::new(TAIL_KEY.to_owned(), "0".repeat(DIGITS))
}

/// Puts the checksum of a tail, which starts at `offset`, where the
/// placeholder is; `false` if there is none.
pub(super) fn seal(tail: &mut [u8], offset: u64) -> bool {
    let Some(at) = digits(tail) else { return false };
    let sum = xxh3_64_with_seed(tail, offset);
    let text = format!("{:0LEN_DIGITS$x}{sum:0SUM_DIGITS$x}", tail.len());
    if text.len() != DIGITS {
        return false;
    }
    tail[at].copy_from_slice(text.as_bytes());
    true
}

/// The length of the tail that `end`, the last bytes of a file, belongs to.
pub(super) fn len(end: &[u8]) -> Option<u64> {
    let text = &end[digits(end)?];
    parse(&text[..LEN_DIGITS])
}

/// Whether a tail is as it was sealed.
pub(super) fn is_sealed(tail: &[u8], offset: u64) -> bool {
    let Some(at) = digits(tail) else { return false };
    let sum = parse(&tail[at.start + LEN_DIGITS..at.end]);
    let mut zeroed = tail.to_vec();
    zeroed[at].fill(b'0');
    sum == Some(xxh3_64_with_seed(&zeroed, offset)) && len(tail) == Some(tail.len() as u64)
}

/// Where the digits are. The last such place is meant: what is behind the
/// key-value metadata holds no text of a caller.
fn digits(tail: &[u8]) -> Option<Range<usize>> {
    let mut mark = TAIL_KEY.as_bytes().to_vec();
    mark.extend_from_slice(&BETWEEN);
    let found = tail.windows(mark.len()).rposition(|w| w == mark)?;
    let start = found + mark.len();
    (start + DIGITS <= tail.len()).then_some(start..start + DIGITS)
}

fn parse(digits: &[u8]) -> Option<u64> {
    // Only the spelling that is written, so that each digit counts.
    let lower = |c: &u8| c.is_ascii_digit() || (b'a'..=b'f').contains(c);
    if !digits.iter().all(lower) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
