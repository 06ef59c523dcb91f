//! Numbers as kernels compute with them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Decimal256Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, Float64Array, Int64Array, PrimitiveArray, UInt64Array,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, ScalarBuffer, i256};
use arrow_schema::DataType;

use super::{ByRows, Outcome, Vector, ints_of_truths};
use crate::value::Value;

/// The values of one side of an operator.
#[derive(Debug, Clone)]
pub(super) enum Side<T: ArrowNativeType> {
    One(T),
    Many(ScalarBuffer<T>),
}

impl<T: ArrowNativeType> Side<T> {
    /// The value in a row that there is.
    #[inline]
    pub(super) fn get(&self, at: usize) -> T {
        match self {
            Side::One(value) => *value,
            Side::Many(values) => values[at],
        }
    }
}

/// Integers of either sign.
#[derive(Debug, Clone)]
pub(super) enum Ints {
    Signed(Side<i64>),
    Unsigned(Side<u64>),
}

impl Ints {
    /// NULL is handled before.
    pub(super) fn of(vector: &Vector) -> Outcome<Ints> {
        Ok(match vector {
            Vector::One(Value::Int(value)) => Ints::Signed(Side::One(*value)),
            Vector::One(Value::UInt(value)) => match i64::try_from(*value) {
                Ok(value) => Ints::Signed(Side::One(value)),
                Err(_) => Ints::Unsigned(Side::One(*value)),
            },
            Vector::One(_) => return Err(ByRows),
            Vector::Many(array) => match array.data_type() {
                DataType::UInt64 => {
                    let array = array.as_primitive::<UInt64Type>();
                    Ints::Unsigned(Side::Many(array.values().clone()))
                }
                _ => Ints::Signed(Side::Many(signed(array)?)),
            },
        })
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> i128 {
        match self {
            Ints::Signed(side) => i128::from(side.get(at)),
            Ints::Unsigned(side) => i128::from(side.get(at)),
        }
    }
}

/// Integers that fit Int64 as such.
pub(super) fn signed(array: &ArrayRef) -> Outcome<ScalarBuffer<i64>> {
    fn widened<T: ArrowPrimitiveType>(array: &ArrayRef) -> ScalarBuffer<i64>
    where
        i64: From<T::Native>,
    {
        let values = array.as_primitive::<T>().values();
        values.iter().map(|value| i64::from(*value)).collect::<Vec<_>>().into()
    }
    Ok(match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().values().clone(),
        DataType::Int32 => widened::<Int32Type>(array),
        DataType::Int16 => widened::<Int16Type>(array),
        DataType::Int8 => widened::<Int8Type>(array),
        DataType::UInt32 => widened::<UInt32Type>(array),
        DataType::UInt16 => widened::<UInt16Type>(array),
        DataType::UInt8 => widened::<UInt8Type>(array),
        _ => return Err(ByRows),
    })
}

/// Doubles, of doubles.
pub(super) fn doubles(vector: &Vector) -> Outcome<Side<f64>> {
    match vector {
        Vector::One(Value::Double(value)) => Ok(Side::One(*value)),
        Vector::Many(array) if *array.data_type() == DataType::Float64 => {
            Ok(Side::Many(array.as_primitive::<Float64Type>().values().clone()))
        }
        _ => Err(ByRows),
    }
}

/// The values of two sides through `f`.
#[inline]
pub(super) fn zip<T: ArrowNativeType, R>(
    left: &Side<T>,
    right: &Side<T>,
    rows: usize,
    mut f: impl FnMut(T, T) -> R,
) -> Vec<R> {
    match (left, right) {
        (Side::Many(a), Side::Many(b)) => a.iter().zip(b.iter()).map(|(a, b)| f(*a, *b)).collect(),
        (Side::Many(a), Side::One(b)) => a.iter().map(|a| f(*a, *b)).collect(),
        (Side::One(a), Side::Many(b)) => b.iter().map(|b| f(*a, *b)).collect(),
        (Side::One(a), Side::One(b)) => (0..rows).map(|_| f(*a, *b)).collect(),
    }
}

/// The truths of two sides through `f`, packed.
#[inline]
pub(super) fn test<T: ArrowNativeType>(
    left: &Side<T>,
    right: &Side<T>,
    rows: usize,
    f: impl Fn(T, T) -> bool,
) -> BooleanBuffer {
    #[inline]
    fn packed(rows: usize, words: impl Iterator<Item = u64>) -> BooleanBuffer {
        let words: Vec<u64> = words.map(u64::to_le).collect();
        BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
    }
    #[inline]
    fn word(bits: impl Iterator<Item = bool>) -> u64 {
        bits.enumerate().fold(0, |word, (at, bit)| word | u64::from(bit) << at)
    }
    match (left, right) {
        (Side::Many(a), Side::Many(b)) => {
            let words = a.chunks(64).zip(b.chunks(64));
            packed(rows, words.map(|(a, b)| word(a.iter().zip(b).map(|(a, b)| f(*a, *b)))))
        }
        (Side::Many(a), Side::One(b)) => {
            packed(rows, a.chunks(64).map(|a| word(a.iter().map(|a| f(*a, *b)))))
        }
        (Side::One(a), Side::Many(b)) => {
            packed(rows, b.chunks(64).map(|b| word(b.iter().map(|b| f(*a, *b)))))
        }
        (Side::One(a), Side::One(b)) => {
            if f(*a, *b) {
                BooleanBuffer::new_set(rows)
            } else {
                BooleanBuffer::new_unset(rows)
            }
        }
    }
}

/// NULL where either is.
pub(super) fn either_null(left: &Vector, right: &Vector) -> Option<NullBuffer> {
    NullBuffer::union(left.nulls(), right.nulls())
}

pub(super) fn signed_array(values: Vec<i64>, nulls: Option<NullBuffer>) -> Vector {
    Vector::Many(Arc::new(Int64Array::new(values.into(), nulls)))
}

pub(super) fn unsigned_array(values: Vec<u64>, nulls: Option<NullBuffer>) -> Vector {
    Vector::Many(Arc::new(UInt64Array::new(values.into(), nulls)))
}

pub(super) fn double_array(values: Vec<f64>, nulls: Option<NullBuffer>) -> Vector {
    Vector::Many(Arc::new(Float64Array::new(values.into(), nulls)))
}

/// An array in the type that was promised.
pub(in crate::vector) fn in_type(array: ArrayRef, wanted: &DataType) -> Outcome<ArrayRef> {
    let found = array.data_type();
    if found == wanted {
        return Ok(array);
    }
    match (found, wanted) {
        (DataType::Boolean, DataType::Int64) => Ok(ints_of_truths(array.as_boolean())),
        (DataType::Decimal128(_, a), DataType::Decimal128(_, b)) if a == b => {
            let array = array.as_primitive::<Decimal128Type>().clone();
            Ok(Arc::new(array.with_data_type(wanted.clone())))
        }
        (DataType::Decimal128(_, a), DataType::Decimal256(_, b)) if a == b => {
            let array = array.as_primitive::<Decimal128Type>();
            let wide: PrimitiveArray<Decimal256Type> = array.unary(i256::from_i128);
            Ok(Arc::new(wide.with_data_type(wanted.clone())))
        }
        (found, wanted) if found.is_integer() && wanted.is_integer() => {
            let ints = Ints::of(&Vector::Many(Arc::clone(&array)))?;
            match wanted {
                DataType::Int8 => narrowed::<Int8Type>(&ints, &array),
                DataType::Int16 => narrowed::<Int16Type>(&ints, &array),
                DataType::Int32 => narrowed::<Int32Type>(&ints, &array),
                DataType::Int64 => narrowed::<Int64Type>(&ints, &array),
                DataType::UInt8 => narrowed::<UInt8Type>(&ints, &array),
                DataType::UInt16 => narrowed::<UInt16Type>(&ints, &array),
                DataType::UInt32 => narrowed::<UInt32Type>(&ints, &array),
                _ => narrowed::<UInt64Type>(&ints, &array),
            }
        }
        _ => Err(ByRows),
    }
}

fn narrowed<T: ArrowPrimitiveType>(ints: &Ints, array: &ArrayRef) -> Outcome<ArrayRef>
where
    T::Native: TryFrom<i128>,
{
    let mut out = Vec::with_capacity(array.len());
    for at in 0..array.len() {
        out.push(match T::Native::try_from(ints.get(at)) {
            Ok(value) => value,
            Err(_) if array.is_null(at) => T::default_value(),
            Err(_) => return Err(ByRows),
        });
    }
    Ok(Arc::new(PrimitiveArray::<T>::new(out.into(), array.nulls().cloned())))
}
