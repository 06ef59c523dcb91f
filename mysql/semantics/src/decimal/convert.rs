//! Decimals from and to integers and doubles.

use super::{Decimal, ParseStatus, ParsedDecimal, Rounding};
use crate::number::ShortestDouble;

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

impl From<i64> for Decimal {
    #[inline]
    fn from(value: i64) -> Self {
        Self::small(value < 0, u128::from(value.unsigned_abs()), 0)
    }
}

impl From<u64> for Decimal {
    #[inline]
    fn from(value: u64) -> Self {
        Self::small(false, u128::from(value), 0)
    }
}

impl Decimal {
    /// The number that the double's shortest text shows: 0.1 and not
    /// 0.1000000000000000055. Infinities saturate; a NaN is zero.
    #[must_use]
    pub fn from_f64(value: f64) -> ParsedDecimal {
        if !value.is_finite() {
            let status = if value.is_nan() { ParseStatus::NoNumber } else { ParseStatus::Overflow };
            let limit = if value.is_nan() {
                Self::ZERO
            } else {
                Self::max_of(super::MAX_PRECISION, 0, value < 0.0)
            };
            return ParsedDecimal { value: limit, consumed: 0, status };
        }
        let mut buffer = [0; ShortestDouble::LIMIT_BYTES];
        Self::parse_prefix(ShortestDouble::new(value).scientific(&mut buffer))
    }

    /// The nearest double.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        if let Some(magnitude) = self.small_magnitude()
            && magnitude < 1 << 53
            && let Some(power) = EXACT_POWERS.get(usize::from(self.scale()))
        {
            // Both operands are exact, so one division rounds once.
            let value = magnitude as f64 / power;
            return if self.is_negative() { -value } else { value };
        }
        // A text of at most 81 digits is always in the range of doubles.
        self.to_string().parse().unwrap_or(0.0)
    }

    /// The whole number nearest by `rounding`; `Err` holds the nearest end of the
    /// range of `i64` where it is outside.
    ///
    /// # Errors
    /// `i64::MAX` or `i64::MIN` for a number beyond them.
    pub fn to_i64(&self, rounding: Rounding) -> Result<i64, i64> {
        let limit = if self.is_negative() { i64::MIN } else { i64::MAX };
        let magnitude = self.whole_magnitude(rounding).ok_or(limit)?;
        let signed = i128::try_from(magnitude).map_err(|_| limit)?;
        i64::try_from(if self.is_negative() { -signed } else { signed }).map_err(|_| limit)
    }

    /// The whole number nearest by `rounding`; `Err` holds the nearest end of the
    /// range of `u64` where it is outside.
    ///
    /// # Errors
    /// `u64::MAX` for a number beyond it, 0 for one that rounds below zero.
    pub fn to_u64(&self, rounding: Rounding) -> Result<u64, u64> {
        let limit = if self.is_negative() { 0 } else { u64::MAX };
        let magnitude = self.whole_magnitude(rounding).ok_or(limit)?;
        if self.is_negative() && magnitude != 0 {
            return Err(0);
        }
        u64::try_from(magnitude).map_err(|_| limit)
    }

    fn whole_magnitude(&self, rounding: Rounding) -> Option<u128> {
        self.round(0, rounding)?.small_magnitude()
    }
}
