//! A compared value among the values of a column.
//!
//! A comparison happens in a domain (integers, decimals, doubles, …) that need not
//! be the column's type. To search an index for it, the value is placed among the
//! values that the column can hold. What is found is looked at again with the
//! comparison itself, so a place may be too wide, but never too narrow.

use firn_mysql_semantics::decimal::{Decimal, Rounding};
use firn_mysql_semantics::temporal::{Date, DateTime};
use firn_mysql_semantics::{SqlType, TypeKind, Value};

/// Where a value stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fit {
    /// The column can hold it.
    Exact(Value),
    /// Between two neighbours that the column can hold; the lower one.
    After(Value),
    /// Before all values of the column.
    BeforeAll,
    /// After all values of the column.
    AfterAll,
    /// NULL: no comparison holds.
    Null,
    /// It cannot be said.
    Unknown,
}

/// Places `value` among the values of a column of type `ty`.
pub(crate) fn fit(value: Value, ty: &SqlType) -> Fit {
    if value.is_null() {
        return Fit::Null;
    }
    match ty.kind {
        TypeKind::TinyInt => integer(&value, ty, 8),
        TypeKind::SmallInt => integer(&value, ty, 16),
        TypeKind::MediumInt => integer(&value, ty, 24),
        TypeKind::Int => integer(&value, ty, 32),
        TypeKind::BigInt => integer(&value, ty, 64),
        TypeKind::Decimal => decimal(&value, ty),
        TypeKind::Double => match number(&value) {
            Some(number) => Fit::Exact(Value::Double(number)),
            None => Fit::Unknown,
        },
        TypeKind::Date => date(&value),
        TypeKind::DateTime => match value {
            Value::DateTime(_) => Fit::Exact(value),
            _ => Fit::Unknown,
        },
        TypeKind::Time => match value {
            Value::Time(_) => Fit::Exact(value),
            _ => Fit::Unknown,
        },
        TypeKind::Char
        | TypeKind::Varchar
        | TypeKind::TinyText
        | TypeKind::Text
        | TypeKind::MediumText
        | TypeKind::LongText => match value {
            Value::Bytes(_) => Fit::Exact(value),
            _ => Fit::Unknown,
        },
        // YEAR and BIT are compared as numbers, FLOAT as a double that few FLOATs are;
        // TIMESTAMP depends on the zone, ENUM and SET on their members.
        _ => Fit::Unknown,
    }
}

/// The whole number at or below, and whether it is the same.
fn whole(value: &Value) -> Option<(i128, bool)> {
    match value {
        Value::Int(number) => Some((i128::from(*number), true)),
        Value::UInt(number) => Some((i128::from(*number), true)),
        Value::Decimal(number) => {
            let floor = number.round(0, Rounding::Floor)?;
            let exact = floor == *number;
            Some((floor.to_i128()?.0, exact))
        }
        // Beyond 2^53 several integers are the same double.
        Value::Double(number) if number.abs() < 9_007_199_254_740_992.0 => {
            let floor = number.floor();
            #[allow(clippy::cast_possible_truncation, reason = "below 2^53")]
            Some((floor as i128, floor == *number))
        }
        _ => None,
    }
}

fn integer(value: &Value, ty: &SqlType, bits: u32) -> Fit {
    let Some((floor, exact)) = whole(value) else { return Fit::Unknown };
    let (min, max) = if ty.unsigned {
        (0, (1i128 << bits) - 1)
    } else {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    };
    if floor < min {
        return Fit::BeforeAll;
    }
    if floor > max {
        return Fit::AfterAll;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    let held = if ty.unsigned { Value::UInt(floor as u64) } else { Value::Int(floor as i64) };
    if exact { Fit::Exact(held) } else { Fit::After(held) }
}

fn decimal(value: &Value, ty: &SqlType) -> Fit {
    let number = match value {
        Value::Int(number) => Decimal::from(*number),
        Value::UInt(number) => Decimal::from(*number),
        Value::Decimal(number) => number.clone(),
        _ => return Fit::Unknown,
    };
    let precision = u8::try_from(ty.precision()).unwrap_or(u8::MAX);
    if number > Decimal::max_of(precision, ty.decimals, false) {
        return Fit::AfterAll;
    }
    if number < Decimal::max_of(precision, ty.decimals, true) {
        return Fit::BeforeAll;
    }
    match number.round(ty.decimals.into(), Rounding::Floor) {
        Some(floor) if floor == number => Fit::Exact(Value::Decimal(floor)),
        Some(floor) => Fit::After(Value::Decimal(floor)),
        None => Fit::Unknown,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

fn date(value: &Value) -> Fit {
    let Value::DateTime(value) = value else { return Fit::Unknown };
    let day: Date = value.date();
    let start = DateTime::new(day, 0, 0, 0, 0);
    if start == Some(*value) { Fit::Exact(Value::Date(day)) } else { Fit::After(Value::Date(day)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int() -> SqlType {
        SqlType::plain(TypeKind::Int, 11, 0)
    }

    #[test]
    fn fractions_stand_between_integers() {
        let value = |text: &str| Value::Decimal(Decimal::parse(text).unwrap());
        assert_eq!(fit(value("1.5"), &int()), Fit::After(Value::Int(1)));
        assert_eq!(fit(value("-1.5"), &int()), Fit::After(Value::Int(-2)));
        assert_eq!(fit(value("2.00"), &int()), Fit::Exact(Value::Int(2)));
        assert_eq!(fit(Value::Double(-0.5), &int()), Fit::After(Value::Int(-1)));
    }

    #[test]
    fn what_is_out_of_range_stands_outside() {
        assert_eq!(fit(Value::Int(1 << 40), &int()), Fit::AfterAll);
        assert_eq!(fit(Value::Int(-1), &int().with_unsigned(true)), Fit::BeforeAll);
        assert_eq!(fit(Value::UInt(u64::MAX), &int()), Fit::AfterAll);
    }

    #[test]
    fn large_doubles_stand_for_several_integers() {
        assert_eq!(fit(Value::Double(1e17), &SqlType::bigint(20)), Fit::Unknown);
    }

    #[test]
    fn decimals_are_cut_to_the_columns_digits() {
        let ty = SqlType::decimal(5, 2, false);
        let value = |text: &str| Decimal::parse(text).unwrap();
        let fitted = fit(Value::Decimal(value("-1.005")), &ty);
        assert_eq!(fitted, Fit::After(Value::Decimal(value("-1.01"))));
        assert_eq!(fit(Value::Decimal(value("1000")), &ty), Fit::AfterAll);
    }
}
