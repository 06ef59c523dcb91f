//! Comparison.

use std::cmp::Ordering;
use std::convert::Infallible;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryViewArray, BooleanArray, Datum, PrimitiveArray,
    Scalar,
};
use arrow_buffer::BooleanBuffer;
use arrow_ord::cmp;
use arrow_schema::{ArrowError, DataType};

use super::numbers::{Ints, Side, doubles, either_null, test};
use super::{ByRows, Lane, Outcome, Vector, decimal};
use crate::collation::{Collation, PadAttribute};
use crate::expr::{CompareOp, leaf};
use crate::temporal::DateTime;
use crate::types::CollationId;
use crate::value::Value;
use crate::vector::array::bytes_at;
use crate::vector::views::ByView;

type ArrowCompare = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

fn of_arrow(op: CompareOp) -> ArrowCompare {
    match op {
        CompareOp::Eq | CompareOp::NullSafeEq => cmp::eq,
        CompareOp::Ne => cmp::neq,
        CompareOp::Lt => cmp::lt,
        CompareOp::Le => cmp::lt_eq,
        CompareOp::Gt => cmp::gt,
        CompareOp::Ge => cmp::gt_eq,
    }
}

/// The same with the operands exchanged.
fn turned(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        other => other,
    }
}

fn arrow(op: CompareOp, left: &dyn Datum, right: &dyn Datum) -> Outcome<Vector> {
    of_arrow(op)(left, right).map(Vector::truths).map_err(|_| ByRows)
}

/// NULL where either is; `<=>` is no NULL at all.
pub(super) fn compare(
    op: CompareOp,
    lane: Lane,
    collation: CollationId,
    left: &Vector,
    right: &Vector,
) -> Outcome<Vector> {
    if op == CompareOp::NullSafeEq {
        return null_safe(lane, collation, left, right);
    }
    if left.is_null() || right.is_null() {
        return Ok(Vector::One(Value::Null));
    }
    match (left, right) {
        (Vector::One(_), Vector::One(_)) => Err(ByRows),
        (Vector::One(_), Vector::Many(_)) => compare(turned(op), lane, collation, right, left),
        (Vector::Many(array), other) => match lane {
            Lane::Int => ints(op, array, other),
            Lane::Double => {
                let (a, b) = (doubles(left)?, doubles(right)?);
                let truths = test_order(op, &a, &b, array.len());
                Ok(Vector::truths(BooleanArray::new(truths, either_null(left, right))))
            }
            Lane::Decimal => {
                let short = match right {
                    Vector::One(value) => Vector::One(decimal::shortened(value)),
                    many => many.clone(),
                };
                let truths = decimal::compare(op, left, &short, array.len())?;
                Ok(Vector::truths(BooleanArray::new(truths, either_null(left, right))))
            }
            Lane::Text => text(op, collation, array, other),
            Lane::DateTime => dates(op, array, other),
            Lane::Time => match other {
                Vector::One(Value::Time(time)) => {
                    let one = PrimitiveArray::<Int64Type>::from(vec![time.micros()]);
                    arrow(op, array, &Scalar::new(one))
                }
                Vector::Many(other) => arrow(op, array, other),
                Vector::One(_) => Err(ByRows),
            },
            Lane::Truth | Lane::Any => Err(ByRows),
        },
    }
}

fn null_safe(lane: Lane, collation: CollationId, left: &Vector, right: &Vector) -> Outcome<Vector> {
    let (array, other) = match (left, right) {
        (Vector::Many(array), other) | (other, Vector::Many(array)) => (array, other),
        _ => return Err(ByRows),
    };
    let valid = |vector: &Vector| match vector {
        Vector::One(Value::Null) => BooleanBuffer::new_unset(array.len()),
        other => match other.nulls() {
            Some(nulls) => nulls.inner().clone(),
            None => BooleanBuffer::new_set(array.len()),
        },
    };
    let (a, b) = (valid(left), valid(right));
    let neither = &!&a & &!&b;
    if other.is_null() {
        return Ok(Vector::truths(BooleanArray::new(neither, None)));
    }
    let equal = compare(CompareOp::Eq, lane, collation, left, right)?;
    let equal = super::truths_of(&equal)?.values() & &(&a & &b);
    Ok(Vector::truths(BooleanArray::new(&equal | &neither, None)))
}

/// As numbers are: no NaN comes, and both zeros are one.
fn test_order(op: CompareOp, a: &Side<f64>, b: &Side<f64>, rows: usize) -> BooleanBuffer {
    match op {
        CompareOp::Eq | CompareOp::NullSafeEq => test(a, b, rows, |a, b| a == b),
        CompareOp::Ne => test(a, b, rows, |a, b| a != b),
        CompareOp::Lt => test(a, b, rows, |a, b| a < b),
        CompareOp::Le => test(a, b, rows, |a, b| a <= b),
        CompareOp::Gt => test(a, b, rows, |a, b| a > b),
        CompareOp::Ge => test(a, b, rows, |a, b| a >= b),
    }
}

fn ints(op: CompareOp, array: &ArrayRef, other: &Vector) -> Outcome<Vector> {
    match other {
        Vector::Many(other) if array.data_type() == other.data_type() => arrow(op, array, other),
        Vector::Many(_) => {
            let left = Vector::Many(std::sync::Arc::clone(array));
            let (a, b) = (Ints::of(&left)?, Ints::of(other)?);
            let truths = match (&a, &b) {
                (Ints::Signed(a), Ints::Signed(b)) => match op {
                    CompareOp::Eq | CompareOp::NullSafeEq => test(a, b, array.len(), |a, b| a == b),
                    _ => test(a, b, array.len(), |a, b| op.holds(a.cmp(&b))),
                },
                _ => BooleanBuffer::collect_bool(array.len(), |at| {
                    op.holds(a.get(at).cmp(&b.get(at)))
                }),
            };
            Ok(Vector::truths(BooleanArray::new(truths, either_null(&left, other))))
        }
        Vector::One(value) => {
            let number = match value {
                Value::Int(value) => i128::from(*value),
                Value::UInt(value) => i128::from(*value),
                _ => return Err(ByRows),
            };
            match array.data_type() {
                DataType::Int8 => int_one::<Int8Type>(op, array, number),
                DataType::Int16 => int_one::<Int16Type>(op, array, number),
                DataType::Int32 => int_one::<Int32Type>(op, array, number),
                DataType::Int64 => int_one::<Int64Type>(op, array, number),
                DataType::UInt8 => int_one::<UInt8Type>(op, array, number),
                DataType::UInt16 => int_one::<UInt16Type>(op, array, number),
                DataType::UInt32 => int_one::<UInt32Type>(op, array, number),
                DataType::UInt64 => int_one::<UInt64Type>(op, array, number),
                _ => Err(ByRows),
            }
        }
    }
}

/// A constant in the array's own width; one beyond it is above or below all values.
fn int_one<T: ArrowPrimitiveType>(op: CompareOp, array: &ArrayRef, number: i128) -> Outcome<Vector>
where
    T::Native: TryFrom<i128>,
{
    match T::Native::try_from(number) {
        Ok(number) => {
            let one = PrimitiveArray::<T>::from_value(number, 1);
            arrow(op, array, &Scalar::new(one))
        }
        Err(_) => {
            let order = if number < 0 { Ordering::Greater } else { Ordering::Less };
            let truths = if op.holds(order) {
                BooleanBuffer::new_set(array.len())
            } else {
                BooleanBuffer::new_unset(array.len())
            };
            Ok(Vector::truths(BooleanArray::new(truths, array.nulls().cloned())))
        }
    }
}

/// Whether bytes are compared as they are, blanks and all.
pub(super) fn is_bytewise(collation: &Collation) -> bool {
    use crate::charset::Encoding;
    let plain = matches!(
        collation.charset().encoding(),
        Encoding::Binary
            | Encoding::Utf8mb4
            | Encoding::Utf8mb3
            | Encoding::Ascii
            | Encoding::Single(_)
    );
    plain && collation.is_binary_order() && collation.pad_attribute() == PadAttribute::NoPad
}

fn text(op: CompareOp, id: CollationId, array: &ArrayRef, other: &Vector) -> Outcome<Vector> {
    let collation = leaf::collation(id);
    if collation.supported().is_err() {
        return Err(ByRows);
    }
    let nulls = match other {
        Vector::Many(_) => either_null(&Vector::Many(std::sync::Arc::clone(array)), other),
        Vector::One(_) => array.nulls().cloned(),
    };
    if is_bytewise(collation) && *array.data_type() == DataType::BinaryView {
        match other {
            Vector::One(Value::Bytes(bytes)) => {
                let one = BinaryViewArray::from_iter_values([&bytes[..]]);
                return arrow(op, array, &Scalar::new(one));
            }
            Vector::Many(other) if other.data_type() == array.data_type() => {
                return arrow(op, array, other);
            }
            _ => {}
        }
    }
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    let holds = |a: &[u8], b: &[u8]| {
        if equality {
            collation.equal(a, b).unwrap_or(false) == (op == CompareOp::Eq)
        } else {
            op.holds(leaf::compare_text(id, a, b))
        }
    };
    let rows = array.len();
    let valid = |at: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
    let truths = match other {
        Vector::One(Value::Bytes(one)) => match array.data_type() {
            DataType::BinaryView => {
                let (views, mut known) = (array.as_binary_view(), ByView::default());
                let mut holds = |at: usize| {
                    let computed = || Ok::<_, Infallible>(holds(views.value(at), one));
                    known.get_or(views.views()[at], computed) == Ok(true)
                };
                BooleanBuffer::collect_bool(rows, |at| valid(at) && holds(at))
            }
            _ => {
                BooleanBuffer::collect_bool(rows, |at| valid(at) && holds(bytes_at(array, at), one))
            }
        },
        Vector::Many(other) => BooleanBuffer::collect_bool(rows, |at| {
            valid(at) && holds(bytes_at(array, at), bytes_at(other, at))
        }),
        Vector::One(_) => return Err(ByRows),
    };
    Ok(Vector::truths(BooleanArray::new(truths, nulls)))
}

fn dates(op: CompareOp, array: &ArrayRef, other: &Vector) -> Outcome<Vector> {
    match other {
        Vector::One(Value::DateTime(value)) => {
            let midnight = *value == DateTime::from(value.date());
            match array.data_type() {
                DataType::UInt32 if midnight => {
                    int_one::<UInt32Type>(op, array, value.date().packed().into())
                }
                DataType::UInt32 => {
                    int_one::<UInt64Type>(op, &with_times(array), value.packed().into())
                }
                _ => int_one::<UInt64Type>(op, array, value.packed().into()),
            }
        }
        Vector::Many(other) if array.data_type() == other.data_type() => arrow(op, array, other),
        Vector::Many(other) => arrow(op, &with_times(array), &with_times(other)),
        Vector::One(_) => Err(ByRows),
    }
}

/// Dates at midnight.
pub(super) fn with_times(array: &ArrayRef) -> ArrayRef {
    if *array.data_type() != DataType::UInt32 {
        return std::sync::Arc::clone(array);
    }
    let dates = array.as_primitive::<UInt32Type>();
    let values: Vec<u64> = dates.values().iter().map(|date| u64::from(*date) << 37).collect();
    std::sync::Arc::new(PrimitiveArray::<UInt64Type>::new(values.into(), dates.nulls().cloned()))
}
