//! Exact decimals: MySQL's DECIMAL, with the room MySQL's arithmetic has.
//!
//! A column has at most [`MAX_PRECISION`] digits, [`MAX_SCALE`] of them after
//! the point. Between operators MySQL works in nine words of nine digits, so a
//! [`Decimal`] holds up to 81 digits. The scales of results are the types'; where
//! one matters ([`Decimal::div`], [`Decimal::round`], [`Decimal::fit`]) it is an
//! argument.
//!
//! A magnitude below 2^128 (38 digits and a bit) lies in the value itself and
//! never allocates; larger ones are boxed. `Decimal` is 24 bytes.

mod arithmetic;
mod convert;
mod encoding;
mod limbs;
mod rounding;
#[cfg(test)]
mod tests;
mod text;

use limbs::Wide;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

pub use arithmetic::DecimalError;
pub use encoding::DecodeError;
pub use rounding::{Fit, Rounding};
pub use text::{ParseStatus, ParsedDecimal};

/// Digits of the largest DECIMAL column.
pub const MAX_PRECISION: u8 = 65;
/// Digits after the point that a DECIMAL column may have.
pub const MAX_SCALE: u8 = 30;
/// Digits of one word of MySQL's decimals.
const WORD_DIGITS: u32 = 9;
/// Words of one of MySQL's decimals.
const WORDS: u32 = 9;
/// The most digits, before and after the point together, that a value has.
const MAX_DIGITS: u32 = WORD_DIGITS * WORDS;

/// Powers of ten that a `u128` holds.
static POW10: [u128; 39] = {
    let mut powers = [1; 39];
    let mut n = 1;
    while n < 39 {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// A decimal number: a sign, up to 81 digits, and how many of them stand after
/// the point. Zero has no sign. Equality, order and hash are of the number:
/// `1.50` equals `1.5`.
#[derive(Clone)]
pub struct Decimal(Repr);

#[derive(Clone)]
enum Repr {
    /// A magnitude below 2^128, in two halves to keep the alignment at 8.
    Small { scale: u8, negative: bool, low: u64, high: u64 },
    /// A magnitude from 2^128.
    Large(Box<Large>),
}

#[derive(Clone)]
struct Large {
    scale: u8,
    negative: bool,
    limbs: [u64; 5],
}

impl Decimal {
    /// Zero without digits after the point.
    pub const ZERO: Self = Self(Repr::Small { scale: 0, negative: false, low: 0, high: 0 });

    /// A magnitude below 2^128. The scale must be within [`MAX_DIGITS`].
    #[inline]
    fn small(negative: bool, magnitude: u128, scale: u8) -> Self {
        Self(Repr::Small {
            scale,
            negative: negative && magnitude != 0,
            low: magnitude as u64,
            high: (magnitude >> 64) as u64,
        })
    }

    /// A magnitude of any size that has been brought within [`MAX_DIGITS`].
    fn from_wide(negative: bool, magnitude: Wide, scale: u8) -> Option<Self> {
        match magnitude.to_u128() {
            Some(small) => Some(Self::small(negative, small, scale)),
            None => {
                let limbs = magnitude.to_limbs()?;
                Some(Self(Repr::Large(Box::new(Large { scale, negative, limbs }))))
            }
        }
    }

    /// The magnitude, if below 2^128.
    #[inline]
    fn small_magnitude(&self) -> Option<u128> {
        match &self.0 {
            Repr::Small { low, high, .. } => Some(u128::from(*high) << 64 | u128::from(*low)),
            Repr::Large(_) => None,
        }
    }

    fn magnitude(&self) -> Wide {
        match &self.0 {
            Repr::Small { low, high, .. } => {
                Wide::from_u128(u128::from(*high) << 64 | u128::from(*low))
            }
            Repr::Large(large) => Wide::from_limbs(&large.limbs),
        }
    }

    /// `mantissa` / 10^`scale`; `None` if the scale exceeds 81.
    #[must_use]
    pub fn new(mantissa: i128, scale: u8) -> Option<Self> {
        (u32::from(scale) <= MAX_DIGITS)
            .then(|| Self::small(mantissa < 0, mantissa.unsigned_abs(), scale))
    }

    /// Mantissa and scale, if the mantissa fits: the form of Arrow's Decimal128.
    #[must_use]
    pub fn to_i128(&self) -> Option<(i128, u8)> {
        let magnitude = i128::try_from(self.small_magnitude()?).ok()?;
        Some((if self.is_negative() { -magnitude } else { magnitude }, self.scale()))
    }

    /// Digits after the point.
    #[inline]
    #[must_use]
    pub fn scale(&self) -> u8 {
        match &self.0 {
            Repr::Small { scale, .. } => *scale,
            Repr::Large(large) => large.scale,
        }
    }

    /// Below zero.
    #[inline]
    #[must_use]
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small { negative, .. } => *negative,
            Repr::Large(large) => large.negative,
        }
    }

    /// Zero, at whatever scale.
    #[inline]
    #[must_use]
    pub fn is_zero(&self) -> bool {
        matches!(&self.0, Repr::Small { low: 0, high: 0, .. })
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(&self) -> i8 {
        match (self.is_zero(), self.is_negative()) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Digits of the magnitude, leading zeros left out; 0 for zero.
    fn digits(&self) -> u32 {
        match self.small_magnitude() {
            Some(magnitude) => magnitude.checked_ilog10().map_or(0, |log| log + 1),
            None => self.magnitude().digits(),
        }
    }

    /// Digits before the point, leading zeros left out: 0 for 0.5.
    #[must_use]
    pub fn integer_digits(&self) -> u8 {
        self.digits().saturating_sub(u32::from(self.scale())) as u8
    }

    /// Digits in all as MySQL counts them: those before the point and the scale,
    /// at least 1.
    #[must_use]
    pub fn precision(&self) -> u8 {
        (self.integer_digits() + self.scale()).max(1)
    }

    /// The largest number of a DECIMAL(`precision`, `scale`) column, negative if
    /// asked. Precision and scale are capped at 65 and 30, the scale also by the
    /// precision.
    #[must_use]
    pub fn max_of(precision: u8, scale: u8, negative: bool) -> Self {
        let precision = precision.clamp(1, MAX_PRECISION);
        let scale = scale.min(MAX_SCALE).min(precision);
        let magnitude = Wide::pow10(u32::from(precision)).sub(&Wide::from_u128(1));
        Self::from_wide(negative, magnitude, scale).unwrap_or(Self::ZERO)
    }

    /// Compares magnitudes at different scales.
    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        let (a, b) = (u32::from(self.scale()), u32::from(other.scale()));
        if let (Some(x), Some(y)) = (self.small_magnitude(), other.small_magnitude()) {
            let raised = |value: u128, by: u32| {
                POW10.get(by as usize).and_then(|power| value.checked_mul(*power))
            };
            let aligned = match a.cmp(&b) {
                Ordering::Equal => Some((x, y)),
                Ordering::Less => raised(x, b - a).map(|x| (x, y)),
                Ordering::Greater => raised(y, a - b).map(|y| (x, y)),
            };
            if let Some((x, y)) = aligned {
                return x.cmp(&y);
            }
        }
        let common = a.max(b);
        self.magnitude().mul_pow10(common - a).cmp(&other.magnitude().mul_pow10(common - b))
    }

    /// The same number with the fewest digits after the point.
    #[must_use]
    pub fn normalized(&self) -> Self {
        let mut scale = self.scale();
        match self.small_magnitude() {
            Some(0) => Self::ZERO,
            Some(mut magnitude) => {
                while scale > 0 && magnitude.is_multiple_of(10) {
                    magnitude /= 10;
                    scale -= 1;
                }
                Self::small(self.is_negative(), magnitude, scale)
            }
            None => {
                let mut magnitude = self.magnitude();
                while scale > 0 {
                    let (quotient, rest) = magnitude.div_rem_u64(10);
                    if rest != 0 {
                        break;
                    }
                    magnitude = quotient;
                    scale -= 1;
                }
                Self::from_wide(self.is_negative(), magnitude, scale).unwrap_or(Self::ZERO)
            }
        }
    }
}

impl Default for Decimal {
    fn default() -> Self {
        Self::ZERO
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative(), other.is_negative()) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
        }
    }
}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let normal = self.normalized();
        normal.is_negative().hash(state);
        normal.scale().hash(state);
        match &normal.0 {
            Repr::Small { low, high, .. } => [*low, *high].hash(state),
            Repr::Large(large) => large.limbs.hash(state),
        }
    }
}
