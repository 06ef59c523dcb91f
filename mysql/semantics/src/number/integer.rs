//! Ranges of MySQL's integer types.

/// The numbers that an integer column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntegerRange {
    /// The smallest number.
    pub min: i64,
    /// The largest number.
    pub max: u64,
}

impl IntegerRange {
    /// The range of an integer of `bytes` bytes: 1 TINYINT, 2 SMALLINT,
    /// 3 MEDIUMINT, 4 INT, 8 BIGINT. Other widths count as the next larger one.
    #[must_use]
    pub const fn new(bytes: u8, unsigned: bool) -> Self {
        let bits = match bytes {
            0 | 1 => 8,
            2 => 16,
            3 => 24,
            4 => 32,
            _ => 64,
        };
        if unsigned {
            Self { min: 0, max: u64::MAX >> (64 - bits) }
        } else {
            Self { min: i64::MIN >> (64 - bits), max: (i64::MAX >> (64 - bits)) as u64 }
        }
    }

    /// The number, or `Err` with the nearest end of the range.
    ///
    /// # Errors
    /// The range's end, as the same 64 bits.
    pub fn fit_i64(self, value: i64) -> Result<i64, i64> {
        if value < self.min {
            Err(self.min)
        } else if value > 0 && value as u64 > self.max {
            Err(self.max as i64)
        } else {
            Ok(value)
        }
    }

    /// The number, or `Err` with the nearest end of the range.
    ///
    /// # Errors
    /// The range's largest number.
    pub fn fit_u64(self, value: u64) -> Result<u64, u64> {
        if value > self.max { Err(self.max) } else { Ok(value) }
    }
}

/// A double as a BIGINT: rounded, halves to even; `Err` with the nearest end of
/// the range.
///
/// # Errors
/// `i64::MIN` or `i64::MAX` for a number beyond it.
pub fn double_to_i64(value: f64) -> Result<i64, i64> {
    let rounded = value.round_ties_even();
    // 2^63 is the first double above the range; -2^63 is in it.
    if rounded >= 9_223_372_036_854_775_808.0 {
        Err(i64::MAX)
    } else if rounded < -9_223_372_036_854_775_808.0 {
        Err(i64::MIN)
    } else {
        Ok(rounded as i64)
    }
}

/// A double as a BIGINT UNSIGNED: rounded, halves to even; `Err` with the nearest
/// end of the range.
///
/// # Errors
/// 0 or `u64::MAX` for a number beyond it.
pub fn double_to_u64(value: f64) -> Result<u64, u64> {
    let rounded = value.round_ties_even();
    if rounded >= 18_446_744_073_709_551_616.0 {
        Err(u64::MAX)
    } else if rounded < 0.0 {
        Err(0)
    } else {
        Ok(rounded as u64)
    }
}
