//! Hex and bit literals, and BIT values. As a number, their bytes are big-endian.

/// The bytes of `0x…` or `x'…'`, given the digits alone. An odd first digit is a
/// byte of its own (`0xABC` is 0A BC); `None` for anything that is no hex digit.
#[must_use]
pub fn hex_literal(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let (head, rest) = digits.split_at(digits.len() % 2);
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(2));
    if let Some(first) = head.first() {
        bytes.push(nibble(*first)?);
    }
    for pair in rest.chunks_exact(2) {
        bytes.push(nibble(pair[0])? << 4 | nibble(pair[1])?);
    }
    Some(bytes)
}

/// The bytes of `0b…` or `b'…'`, given the digits alone: as few as hold them;
/// `None` for anything that is neither 0 nor 1.
#[must_use]
pub fn bit_literal(digits: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(8));
    let (head, rest) = digits.split_at(digits.len() % 8);
    for group in std::iter::once(head).filter(|head| !head.is_empty()).chain(rest.chunks(8)) {
        let mut byte = 0_u8;
        for digit in group {
            byte = byte << 1
                | match digit {
                    b'0' => 0,
                    b'1' => 1,
                    _ => return None,
                };
        }
        bytes.push(byte);
    }
    Some(bytes)
}

/// Bytes as hex digits in capitals.
pub fn hex_literal_text(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Bytes as a number: the last eight, most significant first.
#[must_use]
pub fn number_of_bytes(bytes: &[u8]) -> u64 {
    let last = &bytes[bytes.len().saturating_sub(8)..];
    last.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The largest number of a BIT(`width`) column, `width` being 1 to 64.
#[must_use]
pub fn bit_width_mask(width: u8) -> u64 {
    u64::MAX >> (64 - width.clamp(1, 64))
}

/// Appends a BIT(`width`) value as clients get it: (width + 7) / 8 bytes, most
/// significant first.
pub fn bit_bytes(value: u64, width: u8, out: &mut Vec<u8>) {
    let len = usize::from(width.clamp(1, 64)).div_ceil(8);
    out.extend_from_slice(&value.to_be_bytes()[8 - len..]);
}
