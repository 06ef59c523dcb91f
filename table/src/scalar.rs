//! Types of a fixed width, in bytes whose order is that of the values.
//!
//! Keys and rows hold them alike, the highest byte first:
//!
//! | type | bytes | as |
//! |---|---|---|
//! | integers | 1, 2, 3, 4, 8 | the number; signed ones with the sign bit turned over |
//! | DECIMAL of up to 38 digits | 1 to 16, by its digits | the number without its point, as a signed integer |
//! | FLOAT, DOUBLE | 4, 8 | IEEE; of negative numbers all bits turned over, else the sign bit |
//! | BIT(n) | n / 8, rounded up | the number |
//! | YEAR | 1 | years since 1900; 0 is 0000 |
//! | DATE | 3 | year × 512 + month × 32 + day |
//! | TIME | 3 | seconds + 2^23 |
//! | TIME(1) to (6) | 6 | microseconds + 2^47 |
//! | DATETIME, TIMESTAMP | 5 | the date × 2^17 + seconds of the day |
//! | DATETIME(1) to (6), TIMESTAMP(1) to (6) | 8 | the date × 2^37 + microseconds of the day |
//! | ENUM | 2 | the member's number |
//! | SET | 8 | the members' bits |

use firn_mysql_semantics::decimal::{Decimal, Rounding};
use firn_mysql_semantics::temporal::{Date, DateTime, Time};
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use crate::Cell;

/// Digits of the largest DECIMAL that has a fixed width.
pub(crate) const DECIMAL_DIGITS_MAX: u32 = 38;

const SIGN: u64 = 1 << 63;
const MICROS: i64 = 1_000_000;
const TIME_SECONDS_BIAS: i64 = 1 << 23;
const TIME_MICROS_BIAS: i64 = 1 << 47;
/// Bits of the microseconds of a day in a packed date and time.
const DAY_MICROS_BITS: u32 = 37;
/// Bits of the seconds of a day.
const DAY_SECONDS_BITS: u32 = 17;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// A signed integer of so many bytes.
    Int(u8),
    /// An unsigned one; also BIT, ENUM and SET.
    UInt(u8),
    Float,
    Double,
    Decimal {
        width: u8,
        scale: u8,
    },
    Year,
    Date,
    TimeSeconds,
    TimeMicros,
    DateTimeSeconds,
    DateTimeMicros,
}

impl Scalar {
    /// That of a type; `None` if its values have no fixed width.
    pub(crate) fn of(ty: &SqlType) -> Option<Self> {
        let integer = |width| if ty.unsigned { Self::UInt(width) } else { Self::Int(width) };
        Some(match ty.kind {
            TypeKind::TinyInt => integer(1),
            TypeKind::SmallInt => integer(2),
            TypeKind::MediumInt => integer(3),
            TypeKind::Int => integer(4),
            TypeKind::BigInt => integer(8),
            TypeKind::Float => Self::Float,
            TypeKind::Double => Self::Double,
            TypeKind::Decimal if ty.precision() <= DECIMAL_DIGITS_MAX => {
                Self::Decimal { width: decimal_width(ty.precision()), scale: ty.decimals }
            }
            TypeKind::Bit => Self::UInt(ty.length.div_ceil(8).clamp(1, 8) as u8),
            TypeKind::Year => Self::Year,
            TypeKind::Date => Self::Date,
            TypeKind::Time if ty.decimals == 0 => Self::TimeSeconds,
            TypeKind::Time => Self::TimeMicros,
            TypeKind::DateTime | TypeKind::Timestamp if ty.decimals == 0 => Self::DateTimeSeconds,
            TypeKind::DateTime | TypeKind::Timestamp => Self::DateTimeMicros,
            TypeKind::Enum => Self::UInt(2),
            TypeKind::Set => Self::UInt(8),
            _ => return None,
        })
    }

    /// Its bytes.
    #[inline]
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::Int(width) | Self::UInt(width) | Self::Decimal { width, .. } => width as usize,
            Self::Year => 1,
            Self::Date | Self::TimeSeconds => 3,
            Self::Float => 4,
            Self::DateTimeSeconds => 5,
            Self::TimeMicros => 6,
            Self::Double | Self::DateTimeMicros => 8,
        }
    }

    /// The value as a number, in the order of the values; `None` if it is not one
    /// that the type holds.
    #[inline]
    fn bits(self, value: &Value) -> Option<u64> {
        match (self, value) {
            (Self::Int(width), Value::Int(number)) => signed(*number, width),
            (Self::UInt(width), Value::UInt(number)) => unsigned(*number, width),
            (Self::Double, Value::Double(number)) => {
                let bits = number.to_bits();
                Some(if bits & SIGN == 0 { bits | SIGN } else { !bits })
            }
            (Self::Float, Value::Float(number)) => {
                const SIGN: u32 = 1 << 31;
                let bits = number.to_bits();
                Some(u64::from(if bits & SIGN == 0 { bits | SIGN } else { !bits }))
            }
            (Self::Year, Value::UInt(year)) => match year {
                0 => Some(0),
                1901..=2155 => Some(year - 1900),
                _ => None,
            },
            (Self::Date, Value::Date(date)) => Some(u64::from(date.packed())),
            (Self::TimeSeconds, Value::Time(time)) => {
                let micros = time.micros();
                (micros % MICROS == 0).then(|| (micros / MICROS + TIME_SECONDS_BIAS) as u64)
            }
            (Self::TimeMicros, Value::Time(time)) => {
                Some((time.micros() + TIME_MICROS_BIAS) as u64)
            }
            (Self::DateTimeSeconds, Value::DateTime(at)) => {
                let micros = at.day_micros();
                let date = at.packed() >> DAY_MICROS_BITS << DAY_SECONDS_BITS;
                (micros % MICROS == 0).then_some(date | ((micros / MICROS) as u64))
            }
            (Self::DateTimeMicros, Value::DateTime(at)) => Some(at.packed()),
            // Values of the other signedness that the type holds all the same.
            (Self::Int(width), Value::UInt(number)) => signed(i64::try_from(*number).ok()?, width),
            (Self::UInt(width), Value::Int(number)) => {
                unsigned(u64::try_from(*number).ok()?, width)
            }
            _ => None,
        }
    }

    /// Appends a value; `None`, and nothing appended, if the type does not hold it.
    #[inline]
    pub(crate) fn push(self, value: &Value, out: &mut Vec<u8>) -> Option<()> {
        if let Self::Decimal { width, scale } = self {
            let bytes = decimal_bits(value, width, scale)?.to_be_bytes();
            out.extend_from_slice(bytes.get(16 - usize::from(width)..)?);
            return Some(());
        }
        let bytes = self.bits(value)?.to_be_bytes();
        match self.width() {
            4 => out.extend_from_slice(&bytes[4..]),
            8 => out.extend_from_slice(&bytes),
            width => out.extend_from_slice(bytes.get(8 - width..)?),
        }
        Some(())
    }

    /// Puts a value into `out`, which is as wide as the type.
    #[inline]
    pub(crate) fn put(self, value: &Value, out: &mut [u8]) -> Option<()> {
        if let Self::Decimal { width, scale } = self {
            let bytes = decimal_bits(value, width, scale)?.to_be_bytes();
            out.copy_from_slice(bytes.get(16 - out.len()..)?);
            return Some(());
        }
        let bytes = self.bits(value)?.to_be_bytes();
        out.copy_from_slice(bytes.get(8 - out.len()..)?);
        Some(())
    }

    /// Reads a value; `None` if `bytes` is not as wide as the type, or no value's.
    #[inline]
    pub(crate) fn read(self, bytes: &[u8]) -> Option<Cell<'static>> {
        if let Self::Decimal { width, scale } = self {
            return read_decimal(bytes, width, scale);
        }
        let bits = match bytes.len() {
            width if width != self.width() => return None,
            4 => u64::from(u32::from_be_bytes(*bytes.first_chunk()?)),
            8 => u64::from_be_bytes(*bytes.first_chunk()?),
            _ => bytes.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
        };
        Some(match self {
            Self::Int(width) => {
                let shift = 64 - 8 * u32::from(width);
                Cell::Int(((bits << shift) ^ SIGN) as i64 >> shift)
            }
            Self::UInt(_) => Cell::UInt(bits),
            Self::Double => {
                Cell::Double(f64::from_bits(if bits & SIGN == 0 { !bits } else { bits ^ SIGN }))
            }
            Self::Float => {
                const SIGN: u32 = 1 << 31;
                let bits = bits as u32;
                Cell::Float(f32::from_bits(if bits & SIGN == 0 { !bits } else { bits ^ SIGN }))
            }
            Self::Year => Cell::UInt(if bits == 0 { 0 } else { bits + 1900 }),
            Self::Date => Cell::Date(Date::from_packed(bits as u32)?),
            Self::TimeSeconds => {
                Cell::Time(Time::from_micros((bits as i64 - TIME_SECONDS_BIAS) * MICROS).ok()?)
            }
            Self::TimeMicros => Cell::Time(Time::from_micros(bits as i64 - TIME_MICROS_BIAS).ok()?),
            Self::DateTimeSeconds => {
                let seconds = bits & ((1 << DAY_SECONDS_BITS) - 1);
                let date = bits >> DAY_SECONDS_BITS << DAY_MICROS_BITS;
                Cell::DateTime(DateTime::from_packed(date | (seconds * MICROS as u64))?)
            }
            Self::DateTimeMicros => Cell::DateTime(DateTime::from_packed(bits)?),
            Self::Decimal { .. } => return None,
        })
    }
}

#[inline]
fn signed(number: i64, width: u8) -> Option<u64> {
    let shift = 64 - 8 * u32::from(width);
    let high = number << shift;
    (high >> shift == number).then_some((high as u64 ^ SIGN) >> shift)
}

#[inline]
fn unsigned(number: u64, width: u8) -> Option<u64> {
    let shift = 64 - 8 * u32::from(width);
    (number << shift >> shift == number).then_some(number)
}

/// Bytes that a signed number of so many digits needs.
const fn decimal_width(digits: u32) -> u8 {
    let digits = if digits > DECIMAL_DIGITS_MAX { DECIMAL_DIGITS_MAX } else { digits };
    let mut width = 1;
    while width < 16 && 10_u128.pow(digits) > 1 << (8 * width - 1) {
        width += 1;
    }
    width
}

fn decimal_bits(value: &Value, width: u8, scale: u8) -> Option<u128> {
    let Value::Decimal(decimal) = value else { return None };
    let (mantissa, own_scale) = match decimal.to_i128() {
        Some(exact) if exact.1 == scale => exact,
        _ => {
            let fitted = decimal.round(i32::from(scale), Rounding::Truncate)?;
            if fitted != *decimal {
                return None;
            }
            fitted.to_i128()?
        }
    };
    let shift = 128 - 8 * u32::from(width);
    let high = mantissa << shift;
    if own_scale != scale || high >> shift != mantissa {
        return None;
    }
    Some((high as u128 ^ 1 << 127) >> shift)
}

fn read_decimal(bytes: &[u8], width: u8, scale: u8) -> Option<Cell<'static>> {
    if bytes.len() != usize::from(width) {
        return None;
    }
    let bits = bytes.iter().fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
    let shift = 128 - 8 * u32::from(width);
    let mantissa = ((bits << shift) ^ 1 << 127) as i128 >> shift;
    Some(Cell::Decimal(Decimal::new(mantissa, scale)?))
}
