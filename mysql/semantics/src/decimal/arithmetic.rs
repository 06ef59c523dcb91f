//! + - * / DIV MOD with MySQL's scales and bounds.
//!
//! A value may have more digits after the point than a column can, as long as
//! nine words of nine digits have room for it; then digits are cut off, except
//! for products and quotients, which MySQL rounds to 30 of them.

use super::{Decimal, MAX_DIGITS, MAX_SCALE, POW10, Rounding, WORD_DIGITS, WORDS, Wide};
use std::cmp::Ordering;

/// Digits after the point that a product has before it is rounded.
const PRODUCT_SCALE: u32 = 31;

/// What arithmetic on decimals can end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalError {
    /// More than 81 digits before the point: MySQL's 1690.
    Overflow,
    /// A divisor of zero: MySQL's NULL, with 1365 where the mode asks for it.
    DivisionByZero,
}

impl std::fmt::Display for DecimalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Overflow => "decimal out of range",
            Self::DivisionByZero => "division by zero",
        })
    }
}

impl std::error::Error for DecimalError {}

fn words(digits: u32) -> u32 {
    digits.div_ceil(WORD_DIGITS)
}

impl Decimal {
    /// A number from any magnitude: where digits before and after the point
    /// need more than nine words, digits after the point are cut off.
    pub(super) fn bounded(
        negative: bool,
        magnitude: Wide,
        scale: u32,
    ) -> Result<Self, DecimalError> {
        let integer_words = words(magnitude.digits().saturating_sub(scale));
        if integer_words > WORDS {
            return Err(DecimalError::Overflow);
        }
        let kept = scale.min(MAX_DIGITS);
        let kept = if integer_words + words(kept) > WORDS {
            (WORDS - integer_words) * WORD_DIGITS
        } else {
            kept
        };
        let magnitude =
            if kept < scale { magnitude.div_rem(&Wide::pow10(scale - kept)).0 } else { magnitude };
        Self::from_wide(negative, magnitude, kept as u8).ok_or(DecimalError::Overflow)
    }

    /// Both magnitudes at the larger scale, if they stay below 2^128.
    #[inline]
    fn aligned_small(&self, other: &Self) -> Option<(u128, u128, u8)> {
        let (x, y) = (self.small_magnitude()?, other.small_magnitude()?);
        let (a, b) = (self.scale(), other.scale());
        if a == b {
            return Some((x, y, a));
        }
        if a < b {
            Some((x.checked_mul(*POW10.get(usize::from(b - a))?)?, y, b))
        } else {
            Some((x, y.checked_mul(*POW10.get(usize::from(a - b))?)?, a))
        }
    }

    fn aligned(&self, other: &Self) -> (Wide, Wide, u32) {
        let (a, b) = (u32::from(self.scale()), u32::from(other.scale()));
        let scale = a.max(b);
        (self.magnitude().mul_pow10(scale - a), other.magnitude().mul_pow10(scale - b), scale)
    }

    #[inline]
    fn add_signed(&self, other: &Self, other_negative: bool) -> Result<Self, DecimalError> {
        let negative = self.is_negative();
        if let Some((x, y, scale)) = self.aligned_small(other)
            && u32::from(scale) <= PRODUCT_SCALE
        {
            if negative == other_negative {
                if let Some(sum) = x.checked_add(y) {
                    return Ok(Self::small(negative, sum, scale));
                }
            } else if x >= y {
                return Ok(Self::small(negative, x - y, scale));
            } else {
                return Ok(Self::small(other_negative, y - x, scale));
            }
        }
        self.add_wide(other, other_negative)
    }

    #[cold]
    fn add_wide(&self, other: &Self, other_negative: bool) -> Result<Self, DecimalError> {
        let negative = self.is_negative();
        let (x, y, scale) = self.aligned(other);
        let total = |x: Wide, y: Wide, scale| {
            if negative == other_negative {
                Self::bounded(negative, x.add(&y), scale)
            } else if x >= y {
                Self::bounded(negative, x.sub(&y), scale)
            } else {
                Self::bounded(other_negative, y.sub(&x), scale)
            }
        };
        // What the operands need before the point counts, even if the difference
        // needs less.
        let integer_words = words(self.integer_digits().max(other.integer_digits()).into());
        let carries = negative == other_negative && self.may_carry(other);
        let integer_words = (integer_words + u32::from(carries)).min(WORDS);
        let room = WORDS.saturating_sub(integer_words) * WORD_DIGITS;
        let result = total(x, y, scale)?;
        let mut kept = u32::from(result.scale());
        if integer_words + words(scale) > WORDS {
            kept = kept.min(room);
        }
        if kept == scale {
            return Ok(result);
        }
        // Where digits must go, MySQL drops those of the operands beforehand.
        let cut = Wide::pow10(scale - kept);
        total(x.div_rem(&cut).0, y.div_rem(&cut).0, kept)
    }

    /// The sum, at the larger of both scales.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] beyond 81 digits before the point.
    #[inline]
    pub fn add(&self, other: &Self) -> Result<Self, DecimalError> {
        self.add_signed(other, other.is_negative())
    }

    /// The difference, at the larger of both scales.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] beyond 81 digits before the point.
    #[inline]
    pub fn sub(&self, other: &Self) -> Result<Self, DecimalError> {
        self.add_signed(other, !other.is_negative())
    }

    /// The product, at the sum of both scales, at most 30, halves away from zero.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] beyond 81 digits before the point.
    #[inline]
    pub fn mul(&self, other: &Self) -> Result<Self, DecimalError> {
        let negative = self.is_negative() != other.is_negative();
        let scale = u32::from(self.scale()) + u32::from(other.scale());
        if scale <= u32::from(MAX_SCALE)
            && let (Some(x), Some(y)) = (self.small_magnitude(), other.small_magnitude())
            && let Some(product) = x.checked_mul(y)
        {
            return Ok(Self::small(negative, product, scale as u8));
        }
        self.mul_wide(other, negative, scale)
    }

    #[cold]
    fn mul_wide(&self, other: &Self, negative: bool, scale: u32) -> Result<Self, DecimalError> {
        let (s1, s2) = (u32::from(self.scale()), u32::from(other.scale()));
        let (mut words1, mut words2) = (words(s1) as i32, words(s2) as i32);
        let integer_words =
            words(u32::from(self.integer_digits()) + u32::from(other.integer_digits()));
        if integer_words > WORDS {
            return Err(DecimalError::Overflow);
        }
        let room = (WORDS - integer_words) as i32;
        let excess = words1 + words2 - room;
        if excess <= 0 {
            let product = self.magnitude().mul(&other.magnitude());
            let kept = scale.min(PRODUCT_SCALE);
            let product = product.div_rem(&Wide::pow10(scale - kept)).0;
            return Self::bounded(negative, product, kept)?.within_max_scale();
        }
        // Words that the product has no room for MySQL drops from the operands, half
        // of them from each, the odd one from the longer fraction. A short fraction
        // may so lose words before its point.
        let half = excess / 2;
        if words1 <= words2 {
            words1 -= half;
            words2 -= excess - half;
        } else {
            words2 -= half;
            words1 -= excess - half;
        }
        let cut = |value: &Self, kept: i32| {
            let (own, kept) = (i32::from(value.scale()), kept * WORD_DIGITS as i32);
            let dropped = (own - kept).max(0);
            (value.magnitude().div_rem(&Wide::pow10(dropped.unsigned_abs())).0, own - dropped)
        };
        let ((x, scale1), (y, scale2)) = (cut(self, words1), cut(other, words2));
        let kept = scale.min(PRODUCT_SCALE).min(room.unsigned_abs() * WORD_DIGITS) as i32;
        let product = x.mul(&y);
        let more = kept - (scale1 + scale2);
        let product = if more >= 0 {
            product.mul_pow10(more.unsigned_abs())
        } else {
            product.div_rem(&Wide::pow10(more.unsigned_abs())).0
        };
        Self::bounded(negative, product, kept.unsigned_abs())?.within_max_scale()
    }

    /// The number with at most 30 digits after the point.
    fn within_max_scale(self) -> Result<Self, DecimalError> {
        if self.scale() <= MAX_SCALE {
            return Ok(self);
        }
        self.round(i32::from(MAX_SCALE), Rounding::HalfUp).ok_or(DecimalError::Overflow)
    }

    /// The quotient at `scale`, which the type determines: the dividend's scale
    /// and `increment` (`div_precision_increment`, 4 by default), at most 30.
    ///
    /// MySQL computes a number of words of nine digits after the point and rounds
    /// those to the scale. Where the scale takes all of them nothing is left to
    /// round by: 2.00000 / 3 is 0.666666666.
    ///
    /// # Errors
    /// [`DecimalError::DivisionByZero`]; [`DecimalError::Overflow`] beyond 81
    /// digits before the point.
    pub fn div(&self, other: &Self, increment: u8, scale: u8) -> Result<Self, DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        let (s1, s2) = (u32::from(self.scale()), u32::from(other.scale()));
        let (whole1, whole2) = (words(s1) * WORD_DIGITS, words(s2) * WORD_DIGITS);
        // Digits that the rounding up to words has already added count.
        let increment = u32::from(increment).saturating_sub(whole1 - s1 + whole2 - s2);
        let computed = words(whole1 + whole2 + increment) * WORD_DIGITS;
        let target = u32::from(scale.min(MAX_SCALE));
        let negative = self.is_negative() != other.is_negative();
        if computed >= target
            && computed <= 4 * WORD_DIGITS
            && let Some(raise) = (target + s2).checked_sub(s1)
            && let (Some(x), Some(y)) = (self.small_magnitude(), other.small_magnitude())
            && let Some(numerator) =
                POW10.get(raise as usize).and_then(|power| x.checked_mul(*power))
        {
            let (quotient, rest) = divide(numerator, y);
            let up = computed > target && rest >= y - rest;
            return Ok(Self::small(negative, quotient + u128::from(up), target as u8));
        }
        self.div_wide(other, computed, target)
    }

    #[cold]
    fn div_wide(&self, other: &Self, computed: u32, target: u32) -> Result<Self, DecimalError> {
        let (s1, s2) = (u32::from(self.scale()), u32::from(other.scale()));
        // Digits before the point as MySQL foresees them: they come first when nine
        // words are few.
        let carry = u32::from(self.first_word() >= other.first_word());
        let integer_digits = (self.digits() + s2 + carry).saturating_sub(other.digits() + s1);
        let integer_words = words(integer_digits);
        if integer_words > WORDS {
            return Err(DecimalError::Overflow);
        }
        let computed = computed.min((WORDS - integer_words) * WORD_DIGITS);
        let quotient = if computed + s2 >= s1 {
            self.magnitude().mul_pow10(computed + s2 - s1).div_rem(&other.magnitude()).0
        } else {
            self.magnitude().div_rem(&other.magnitude().mul_pow10(s1 - s2 - computed)).0
        };
        let negative = self.is_negative() != other.is_negative();
        Self::bounded(negative, quotient, computed)?
            .round(target as i32, Rounding::HalfUp)
            .ok_or(DecimalError::Overflow)
    }

    /// The first of the words of nine digits, which begin at the point both ways,
    /// that is not 0.
    fn first_word(&self) -> u128 {
        let scale = u32::from(self.scale());
        let magnitude = self.magnitude().mul_pow10(words(scale) * WORD_DIGITS - scale);
        let behind = magnitude.digits().saturating_sub(1) / WORD_DIGITS * WORD_DIGITS;
        magnitude.div_rem(&Wide::pow10(behind)).0.to_u128().unwrap_or(u128::MAX)
    }

    /// Does MySQL keep a word for a carry into it? It does where the first words may
    /// add up to more than one, whether they do or not.
    fn may_carry(&self, other: &Self) -> bool {
        const WORD_MAX: u128 = 999_999_999;
        let (a, b) = (self.integer_digits(), other.integer_digits());
        let sum = match words(a.into()).cmp(&words(b.into())) {
            Ordering::Greater => self.first_word(),
            Ordering::Less => other.first_word(),
            Ordering::Equal => self.first_word().saturating_add(other.first_word()),
        };
        a.max(b) > 0 && sum >= WORD_MAX
    }

    /// The whole part of the quotient (DIV), at scale 0.
    ///
    /// # Errors
    /// [`DecimalError::DivisionByZero`]; [`DecimalError::Overflow`] beyond 81
    /// digits.
    pub fn div_integer(&self, other: &Self) -> Result<Self, DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        let negative = self.is_negative() != other.is_negative();
        if let Some((x, y, _)) = self.aligned_small(other) {
            return Ok(Self::small(negative, divide(x, y).0, 0));
        }
        let (x, y, _) = self.aligned(other);
        Self::bounded(negative, x.div_rem(&y).0, 0)
    }

    /// The remainder of the whole division (MOD), with the dividend's sign, at
    /// the larger of both scales.
    ///
    /// # Errors
    /// [`DecimalError::DivisionByZero`].
    pub fn rem(&self, other: &Self) -> Result<Self, DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        if let Some((x, y, scale)) = self.aligned_small(other) {
            return Ok(Self::small(self.is_negative(), divide(x, y).1, scale));
        }
        let (x, y, scale) = self.aligned(other);
        Self::bounded(self.is_negative(), x.div_rem(&y).1, scale)
    }

    /// The number with the other sign.
    #[must_use]
    pub fn neg(&self) -> Self {
        self.with_sign(!self.is_negative())
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        self.with_sign(false)
    }

    fn with_sign(&self, negative: bool) -> Self {
        match self.small_magnitude() {
            Some(magnitude) => Self::small(negative, magnitude, self.scale()),
            None => Self::from_wide(negative, self.magnitude(), self.scale()).unwrap_or(Self::ZERO),
        }
    }

    /// Compares with zero.
    #[must_use]
    pub fn cmp_zero(&self) -> Ordering {
        self.signum().cmp(&0)
    }
}

/// Quotient and remainder by a divisor that is not zero, in 64 bits where both
/// fit.
#[inline]
fn divide(x: u128, y: u128) -> (u128, u128) {
    match (u64::try_from(x), u64::try_from(y)) {
        (Ok(x), Ok(y)) => (u128::from(x / y), u128::from(x % y)),
        _ => (x / y, x % y),
    }
}
