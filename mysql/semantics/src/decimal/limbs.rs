//! Unsigned integers of 640 bits: the room that products and aligned operands
//! of two 81-digit decimals need.

use std::cmp::Ordering;

/// Limbs of a [`Wide`].
const LIMBS: usize = 10;

/// The largest power of ten in a `u64`.
const CHUNK_DIGITS: u32 = 19;
const CHUNK: u64 = 10_u64.pow(CHUNK_DIGITS);

/// One past the largest power of ten that a [`Wide`] holds.
const POWERS: usize = 193;

static POW10: [[u64; LIMBS]; POWERS] = powers_of_ten();

const fn powers_of_ten() -> [[u64; LIMBS]; POWERS] {
    let mut powers = [[0; LIMBS]; POWERS];
    powers[0][0] = 1;
    let mut n = 1;
    while n < POWERS {
        let mut carry = 0_u128;
        let mut at = 0;
        while at < LIMBS {
            let wide = powers[n - 1][at] as u128 * 10 + carry;
            powers[n][at] = wide as u64;
            carry = wide >> 64;
            at += 1;
        }
        n += 1;
    }
    powers
}

/// An unsigned integer, least significant limb first. Arithmetic wraps at 640
/// bits; the decimals' bounds keep it from getting there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wide([u64; LIMBS]);

impl Wide {
    pub(super) const ZERO: Self = Self([0; LIMBS]);

    pub(super) fn from_u128(value: u128) -> Self {
        let mut limbs = [0; LIMBS];
        limbs[0] = value as u64;
        limbs[1] = (value >> 64) as u64;
        Self(limbs)
    }

    pub(super) fn from_limbs(low: &[u64; 5]) -> Self {
        let mut limbs = [0; LIMBS];
        limbs[..5].copy_from_slice(low);
        Self(limbs)
    }

    pub(super) fn to_u128(self) -> Option<u128> {
        self.0[2..]
            .iter()
            .all(|limb| *limb == 0)
            .then(|| u128::from(self.0[1]) << 64 | u128::from(self.0[0]))
    }

    /// The lower half, which holds any value of up to 96 digits.
    pub(super) fn to_limbs(self) -> Option<[u64; 5]> {
        if self.0[5..].iter().any(|limb| *limb != 0) {
            return None;
        }
        let mut low = [0; 5];
        low.copy_from_slice(&self.0[..5]);
        Some(low)
    }

    /// 10^`n`, saturating at the largest power there is.
    pub(super) fn pow10(n: u32) -> Self {
        Self(POW10[(n as usize).min(POWERS - 1)])
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0 == [0; LIMBS]
    }

    /// Limbs in use.
    fn len(&self) -> usize {
        self.0.iter().rposition(|limb| *limb != 0).map_or(0, |at| at + 1)
    }

    fn bits(&self) -> u32 {
        match self.len() {
            0 => 0,
            n => n as u32 * 64 - self.0[n - 1].leading_zeros(),
        }
    }

    /// Decimal digits; 0 for zero.
    pub(super) fn digits(&self) -> u32 {
        let bits = self.bits();
        if bits == 0 {
            return 0;
        }
        // floor((bits - 1) * log10(2)) digits below the leading one, or one more.
        let below = (bits - 1) * 1233 / 4096;
        if *self >= Self::pow10(below + 1) { below + 2 } else { below + 1 }
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let mut sum = [0; LIMBS];
        let mut carry = 0;
        for (to, (a, b)) in sum.iter_mut().zip(self.0.iter().zip(&other.0)) {
            let wide = u128::from(*a) + u128::from(*b) + carry;
            *to = wide as u64;
            carry = wide >> 64;
        }
        Self(sum)
    }

    /// `self - other`, which must not be larger.
    pub(super) fn sub(&self, other: &Self) -> Self {
        let mut difference = [0; LIMBS];
        let mut borrow = false;
        for (to, (a, b)) in difference.iter_mut().zip(self.0.iter().zip(&other.0)) {
            let (partial, first) = a.overflowing_sub(*b);
            let (whole, second) = partial.overflowing_sub(u64::from(borrow));
            *to = whole;
            borrow = first || second;
        }
        Self(difference)
    }

    pub(super) fn mul(&self, other: &Self) -> Self {
        let mut product = [0; LIMBS];
        let (n, m) = (self.len(), other.len());
        for i in 0..n {
            let mut carry = 0_u128;
            for j in 0..(LIMBS - i) {
                if j >= m && carry == 0 {
                    break;
                }
                let wide = u128::from(self.0[i]) * u128::from(other.0[j])
                    + u128::from(product[i + j])
                    + carry;
                product[i + j] = wide as u64;
                carry = wide >> 64;
            }
        }
        Self(product)
    }

    pub(super) fn mul_pow10(&self, n: u32) -> Self {
        if n == 0 { *self } else { self.mul(&Self::pow10(n)) }
    }

    /// Quotient and remainder by a divisor that is not zero.
    pub(super) fn div_rem_u64(&self, divisor: u64) -> (Self, u64) {
        let mut quotient = [0; LIMBS];
        let mut rest = 0_u64;
        for at in (0..self.len()).rev() {
            let wide = u128::from(rest) << 64 | u128::from(self.0[at]);
            quotient[at] = (wide / u128::from(divisor)) as u64;
            rest = (wide % u128::from(divisor)) as u64;
        }
        (Self(quotient), rest)
    }

    /// Quotient and remainder; a divisor of zero gives zero and the dividend.
    pub(super) fn div_rem(&self, divisor: &Self) -> (Self, Self) {
        let n = divisor.len();
        if n == 0 || self < divisor {
            return (Self::ZERO, *self);
        }
        if n == 1 {
            let (quotient, rest) = self.div_rem_u64(divisor.0[0]);
            return (quotient, Self::from_u128(u128::from(rest)));
        }
        // Knuth's algorithm D: normalised so that the divisor's leading bit is set,
        // each quotient limb guessed from the leading limbs is at most 2 too large.
        let shift = divisor.0[n - 1].leading_zeros();
        let divisor = divisor.shl(shift);
        let mut rest = [0; LIMBS + 1];
        rest[..LIMBS].copy_from_slice(&self.shl(shift).0);
        if shift > 0 {
            rest[LIMBS] = self.0[LIMBS - 1] >> (64 - shift);
        }
        let (top, next) = (u128::from(divisor.0[n - 1]), u128::from(divisor.0[n - 2]));
        let mut quotient = [0; LIMBS];
        for j in (0..=(LIMBS - n)).rev() {
            let head = u128::from(rest[j + n]) << 64 | u128::from(rest[j + n - 1]);
            let mut guess = head / top;
            let mut left = head % top;
            while guess >> 64 != 0 || guess * next > (left << 64 | u128::from(rest[j + n - 2])) {
                guess -= 1;
                left += top;
                if left >> 64 != 0 {
                    break;
                }
            }
            if guess == 0 {
                continue;
            }
            let mut carry = 0_u128;
            let mut borrow = false;
            for i in 0..n {
                let product = guess * u128::from(divisor.0[i]) + carry;
                carry = product >> 64;
                let (partial, first) = rest[i + j].overflowing_sub(product as u64);
                let (whole, second) = partial.overflowing_sub(u64::from(borrow));
                rest[i + j] = whole;
                borrow = first || second;
            }
            let (partial, first) = rest[j + n].overflowing_sub(carry as u64);
            let (whole, second) = partial.overflowing_sub(u64::from(borrow));
            rest[j + n] = whole;
            if first || second {
                // One too large after all: give one divisor back.
                guess -= 1;
                let mut carry = 0_u128;
                for i in 0..n {
                    let sum = u128::from(rest[i + j]) + u128::from(divisor.0[i]) + carry;
                    rest[i + j] = sum as u64;
                    carry = sum >> 64;
                }
                rest[j + n] = rest[j + n].wrapping_add(carry as u64);
            }
            quotient[j] = guess as u64;
        }
        let mut remainder = [0; LIMBS];
        remainder.copy_from_slice(&rest[..LIMBS]);
        (Self(quotient), Self(remainder).shr(shift))
    }

    /// Shifted left by less than 64 bits.
    fn shl(&self, bits: u32) -> Self {
        let mut shifted = [0; LIMBS];
        let mut carry = 0;
        for (to, limb) in shifted.iter_mut().zip(&self.0) {
            let wide = u128::from(*limb) << bits | carry;
            *to = wide as u64;
            carry = wide >> 64;
        }
        Self(shifted)
    }

    /// Shifted right by less than 64 bits.
    fn shr(&self, bits: u32) -> Self {
        let mut shifted = [0; LIMBS];
        let mut above = 0;
        for (to, limb) in shifted.iter_mut().zip(&self.0).rev() {
            *to = ((u128::from(above) << 64 | u128::from(*limb)) >> bits) as u64;
            above = *limb;
        }
        Self(shifted)
    }

    /// Quotient and remainder by 10^19: what printing takes off at a time.
    pub(super) fn split_chunk(&self) -> (Self, u64) {
        self.div_rem_u64(CHUNK)
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Wide {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}
