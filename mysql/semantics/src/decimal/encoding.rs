//! Two byte forms: one whose order is that of the numbers, one that is compact.

use super::{Decimal, MAX_DIGITS, Wide};

/// Header of zero; positive numbers begin above it, negative ones below.
const ZERO: u8 = 0x80;
/// Added to the base-100 exponent (-40 to 41) to make it count from 0.
const BIAS: i32 = 41;

/// A byte form that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError;

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not an encoded decimal")
    }
}

impl std::error::Error for DecodeError {}

impl Decimal {
    /// Appends a key: byte by byte, keys order as the numbers do, whatever their
    /// scales, and equal numbers have equal keys. A key knows its own end, so
    /// others may follow. It takes one byte, plus one for every two digits.
    ///
    /// The form: a header (0x80 for zero, 0x81 + exponent for positive numbers,
    /// its complement for negative ones), then the digits in pairs from the first
    /// that is not 0, each `2 * pair + 1`, the last `2 * pair`; for negative
    /// numbers complemented.
    pub fn write_key(&self, out: &mut Vec<u8>) {
        if self.is_zero() {
            out.push(ZERO);
            return;
        }
        let flip = if self.is_negative() { 0xff } else { 0 };
        // Digits in ASCII, of an even number before the point.
        let mut text = Vec::with_capacity(MAX_DIGITS as usize + 2);
        self.abs().normalized().write_text(&mut text);
        let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
        let mut digits = Vec::with_capacity(text.len() + 2);
        if point % 2 == 1 {
            digits.push(b'0');
        }
        digits.extend(text.iter().filter(|byte| **byte != b'.'));
        if digits.len() % 2 == 1 {
            digits.push(b'0');
        }
        let pairs_before_point = point.div_ceil(2) as i32;
        let pair = |two: &[u8]| match two {
            [a, b] => (a - b'0') * 10 + (b - b'0'),
            _ => 0,
        };
        let pairs: Vec<u8> = digits.chunks(2).map(pair).collect();
        let leading = pairs.iter().take_while(|pair| **pair == 0).count();
        let end = pairs.iter().rposition(|pair| *pair != 0).map_or(0, |at| at + 1);
        let exponent = pairs_before_point - leading as i32;
        out.push((ZERO + 1 + (exponent + BIAS) as u8) ^ flip);
        for (at, pair) in pairs.iter().enumerate().take(end).skip(leading) {
            let more = u8::from(at + 1 < end);
            out.push((pair * 2 + more) ^ flip);
        }
    }

    /// Reads the key that `bytes` begin with; its number, at the smallest scale,
    /// and its length in bytes.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that [`Self::write_key`] does not write.
    pub fn read_key(bytes: &[u8]) -> Result<(Self, usize), DecodeError> {
        let header = *bytes.first().ok_or(DecodeError)?;
        if header == ZERO {
            return Ok((Self::ZERO, 1));
        }
        let negative = header < ZERO;
        let flip = if negative { 0xff } else { 0 };
        let exponent = i32::from(header ^ flip) - i32::from(ZERO) - 1 - BIAS;
        if exponent > BIAS {
            return Err(DecodeError);
        }
        let mut magnitude = Wide::ZERO;
        let mut pairs = 0_i32;
        loop {
            let byte = bytes.get(1 + pairs as usize).ok_or(DecodeError)? ^ flip;
            if pairs > MAX_DIGITS as i32 / 2 + 1 || byte / 2 > 99 {
                return Err(DecodeError);
            }
            magnitude = magnitude.mul_pow10(2).add(&Wide::from_u128(u128::from(byte / 2)));
            pairs += 1;
            if byte % 2 == 0 {
                break;
            }
        }
        let scale = 2 * (pairs - exponent);
        let (magnitude, scale) = if scale < 0 {
            (magnitude.mul_pow10(scale.unsigned_abs()), 0)
        } else {
            (magnitude, scale as u32)
        };
        // The last pair may end with a 0 that is not of the number.
        let (tenth, last) = magnitude.div_rem_u64(10);
        let (magnitude, scale) =
            if scale > 0 && last == 0 { (tenth, scale - 1) } else { (magnitude, scale) };
        if scale > MAX_DIGITS || magnitude.digits() > MAX_DIGITS {
            return Err(DecodeError);
        }
        let value = Self::from_wide(negative, magnitude, scale as u8).ok_or(DecodeError)?;
        Ok((value.normalized(), 1 + pairs as usize))
    }

    /// Appends the compact form: a byte of sign (the top bit) and scale, then the
    /// magnitude, most significant byte first, without leading zeros. A number of
    /// 12 digits takes 6 bytes. The reader must know the length.
    pub fn write_compact(&self, out: &mut Vec<u8>) {
        out.push(self.scale() | u8::from(self.is_negative()) << 7);
        let bytes = self.magnitude().to_limbs().unwrap_or_default();
        let start = out.len();
        out.extend(
            bytes.iter().rev().flat_map(|limb| limb.to_be_bytes()).skip_while(|byte| *byte == 0),
        );
        debug_assert!(out.len() - start <= 40);
    }

    /// Reads the compact form, which must be all of `bytes`.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that [`Self::write_compact`] does not write.
    pub fn read_compact(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (header, rest) = bytes.split_first().ok_or(DecodeError)?;
        let scale = header & 0x7f;
        let negative = header & 0x80 != 0;
        if u32::from(scale) > MAX_DIGITS || rest.first() == Some(&0) || rest.len() > 40 {
            return Err(DecodeError);
        }
        if rest.len() <= 16 {
            let magnitude = rest.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
            if negative && magnitude == 0 {
                return Err(DecodeError);
            }
            return Ok(Self::small(negative, magnitude, scale));
        }
        let mut limbs = [0_u64; 5];
        for (limb, chunk) in limbs.iter_mut().zip(rest.rchunks(8)) {
            *limb = chunk.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        }
        let magnitude = Wide::from_limbs(&limbs);
        if magnitude.digits() > MAX_DIGITS {
            return Err(DecodeError);
        }
        Self::from_wide(negative, magnitude, scale).ok_or(DecodeError)
    }
}
