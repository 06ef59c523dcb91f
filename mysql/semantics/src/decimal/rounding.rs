//! Rounding to a scale, and fitting a number into a column.

use super::{Decimal, MAX_DIGITS, MAX_PRECISION, MAX_SCALE, POW10, Wide};

/// What happens to the digits that a scale has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, halves away from zero: ROUND, CAST and columns.
    HalfUp,
    /// Towards zero: TRUNCATE.
    Truncate,
    /// Towards plus infinity: CEILING.
    Ceiling,
    /// Towards minus infinity: FLOOR.
    Floor,
}

/// How a number went into a DECIMAL(p, s).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Nothing was lost.
    Exact,
    /// Digits other than 0 after the point were rounded away.
    Rounded,
    /// Too large: the result is the type's largest or smallest number.
    OutOfRange,
}

impl Decimal {
    /// The number at `scale` digits after the point. A smaller scale rounds, a
    /// larger one appends zeros as far as 81 digits in all allow. A negative scale
    /// rounds digits before the point, with a result of scale 0.
    ///
    /// `None` if rounding up makes more than 81 digits.
    #[must_use]
    pub fn round(&self, scale: i32, rounding: Rounding) -> Option<Self> {
        let own = i32::from(self.scale());
        if scale == own {
            return Some(self.clone());
        }
        if scale > own {
            return self.padded(scale.unsigned_abs());
        }
        let dropped = own.saturating_sub(scale).unsigned_abs();
        let negative = self.is_negative();
        let kept = scale.max(0) as u8;
        // A negative scale gives the digits before the point back as zeros.
        let zeros = scale.min(0).unsigned_abs();
        if let Some(magnitude) = self.small_magnitude() {
            let (quotient, rest, half) = match POW10.get(dropped as usize) {
                Some(power) => (magnitude / power, magnitude % power, power / 2),
                // More digits dropped than there are: below any half.
                None => (0, magnitude, u128::MAX),
            };
            let up = rounds_up(rounding, negative, rest != 0, rest >= half);
            let rounded = quotient + u128::from(up);
            if rounded == 0 {
                return Some(Self::small(false, 0, kept));
            }
            if let Some(whole) =
                POW10.get(zeros as usize).and_then(|power| rounded.checked_mul(*power))
            {
                return Some(Self::small(negative, whole, kept));
            }
        }
        let magnitude = self.magnitude();
        if zeros > MAX_DIGITS {
            let up = rounds_up(rounding, negative, !magnitude.is_zero(), false);
            return if up { None } else { Some(Self::small(false, 0, kept)) };
        }
        let power = Wide::pow10(dropped);
        let (quotient, rest) = magnitude.div_rem(&power);
        let half = rest.add(&rest) >= power;
        let up = rounds_up(rounding, negative, !rest.is_zero(), half);
        let rounded = quotient.add(&Wide::from_u128(u128::from(up))).mul_pow10(zeros);
        Self::bounded(negative, rounded, u32::from(kept)).ok()
    }

    fn padded(&self, scale: u32) -> Option<Self> {
        let integer_words = u32::from(self.integer_digits()).div_ceil(9);
        let scale = scale.min((9_u32.saturating_sub(integer_words)) * 9);
        let more = scale.saturating_sub(u32::from(self.scale()));
        if more == 0 {
            return Some(self.clone());
        }
        if let Some(magnitude) = self.small_magnitude()
            && let Some(raised) =
                POW10.get(more as usize).and_then(|power| magnitude.checked_mul(*power))
        {
            return Some(Self::small(self.is_negative(), raised, scale as u8));
        }
        Self::bounded(self.is_negative(), self.magnitude().mul_pow10(more), scale).ok()
    }

    /// The number as a DECIMAL(`precision`, `scale`) holds it, at exactly that
    /// scale, and what was lost. Precision and scale are capped at 65 and 30, the
    /// scale also by the precision.
    #[must_use]
    pub fn fit(&self, precision: u8, scale: u8) -> (Self, Fit) {
        let precision = precision.clamp(1, MAX_PRECISION);
        let scale = scale.min(MAX_SCALE).min(precision);
        let rounded = self.round(i32::from(scale), Rounding::HalfUp);
        match rounded {
            Some(rounded)
                if rounded.scale() == scale && rounded.digits() <= u32::from(precision) =>
            {
                let fit = if scale >= self.scale() || rounded == *self {
                    Fit::Exact
                } else {
                    Fit::Rounded
                };
                (rounded, fit)
            }
            _ => (Self::max_of(precision, scale, self.is_negative()), Fit::OutOfRange),
        }
    }
}

/// Whether the kept digits grow by one: `inexact` says that something was
/// dropped, `half` that it was half a unit or more.
fn rounds_up(rounding: Rounding, negative: bool, inexact: bool, half: bool) -> bool {
    match rounding {
        Rounding::HalfUp => half,
        Rounding::Truncate => false,
        Rounding::Ceiling => inexact && !negative,
        Rounding::Floor => inexact && negative,
    }
}
