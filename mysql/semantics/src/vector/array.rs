//! Arrays of values, and values of arrays.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowNativeTypeOp, BooleanArray, NullArray, PrimitiveArray};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::DataType;

use super::types::arrow_type;
use crate::decimal::{Decimal, Rounding};
use crate::error::{SqlError, code};
use crate::expr::Result;
use crate::temporal::{Date, DateTime, Time};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

/// 1105: a batch does not hold what the plan says.
#[cold]
pub(super) fn broken(what: &str) -> SqlError {
    SqlError::with_message(code::ER_UNKNOWN_ERROR, what)
}

#[cold]
fn does_not_fit(value: &Value, ty: &SqlType) -> SqlError {
    broken(&format!("the value {value:?} is none of type {:?}", ty.kind))
}

/// Makes an array of values of one type.
pub struct ArrayBuilder {
    ty: SqlType,
    data_type: DataType,
    slots: Slots,
}

enum Slots {
    Nulls(usize),
    Int(Vec<Option<i128>>),
    Float(Vec<Option<f32>>),
    Double(Vec<Option<f64>>),
    Decimal(Vec<Option<i128>>),
    Wide(Vec<Option<i256>>),
    Bytes(BinaryViewBuilder),
}

impl ArrayBuilder {
    /// An empty one with room for `capacity` values.
    ///
    /// # Errors
    ///
    /// As [`arrow_type`].
    pub fn new(ty: &SqlType, capacity: usize) -> Result<ArrayBuilder> {
        let data_type = arrow_type(ty)?;
        let slots = match &data_type {
            DataType::Null => Slots::Nulls(0),
            DataType::Float32 => Slots::Float(Vec::with_capacity(capacity)),
            DataType::Float64 => Slots::Double(Vec::with_capacity(capacity)),
            DataType::Decimal128(..) => Slots::Decimal(Vec::with_capacity(capacity)),
            DataType::Decimal256(..) => Slots::Wide(Vec::with_capacity(capacity)),
            DataType::BinaryView => Slots::Bytes(BinaryViewBuilder::with_capacity(capacity)),
            _ => Slots::Int(Vec::with_capacity(capacity)),
        };
        Ok(ArrayBuilder { ty: *ty, data_type, slots })
    }

    /// Adds a value. A DECIMAL gets the decimals of the type.
    ///
    /// # Errors
    ///
    /// 1105 for a value that the type does not have.
    pub fn push(&mut self, value: &Value) -> Result<()> {
        let (ty, null) = (&self.ty, value.is_null());
        let unfit = || does_not_fit(value, ty);
        match &mut self.slots {
            Slots::Nulls(count) if null => *count += 1,
            Slots::Nulls(_) => return Err(unfit()),
            Slots::Int(slots) if null => slots.push(None),
            Slots::Int(slots) => slots.push(Some(whole(value, ty).ok_or_else(unfit)?)),
            Slots::Float(slots) if null => slots.push(None),
            Slots::Float(slots) => {
                slots.push(Some(double(value).map(|value| value as f32).ok_or_else(unfit)?));
            }
            Slots::Double(slots) if null => slots.push(None),
            Slots::Double(slots) => slots.push(Some(double(value).ok_or_else(unfit)?)),
            Slots::Decimal(slots) if null => slots.push(None),
            Slots::Decimal(slots) => {
                let value = settled(value, ty).and_then(|value| value.to_i128());
                slots.push(Some(value.ok_or_else(unfit)?.0));
            }
            Slots::Wide(slots) if null => slots.push(None),
            Slots::Wide(slots) => {
                let value = settled(value, ty).and_then(|value| wide_mantissa(&value));
                slots.push(Some(value.ok_or_else(unfit)?));
            }
            Slots::Bytes(slots) if null => slots.append_null(),
            Slots::Bytes(slots) => {
                let bytes = value.as_bytes().ok_or_else(unfit)?;
                // A view has 32 bits for the length.
                if u32::try_from(bytes.len()).is_err() {
                    return Err(unfit());
                }
                slots.append_value(bytes);
            }
        }
        Ok(())
    }

    /// The array.
    ///
    /// # Errors
    ///
    /// 1105 for integers beyond the type's range.
    pub fn finish(self) -> Result<ArrayRef> {
        let ArrayBuilder { data_type, slots, .. } = self;
        Ok(match slots {
            Slots::Nulls(count) => Arc::new(NullArray::new(count)),
            Slots::Float(slots) => Arc::new(PrimitiveArray::<Float32Type>::from(slots)),
            Slots::Double(slots) => Arc::new(PrimitiveArray::<Float64Type>::from(slots)),
            Slots::Decimal(slots) => {
                let array = PrimitiveArray::<Decimal128Type>::from(slots);
                Arc::new(array.with_data_type(data_type))
            }
            Slots::Wide(slots) => {
                let array = PrimitiveArray::<Decimal256Type>::from(slots);
                Arc::new(array.with_data_type(data_type))
            }
            Slots::Bytes(mut slots) => Arc::new(slots.finish()),
            Slots::Int(slots) => match data_type {
                DataType::Int8 => narrow::<Int8Type>(&slots)?,
                DataType::Int16 => narrow::<Int16Type>(&slots)?,
                DataType::Int32 => narrow::<Int32Type>(&slots)?,
                DataType::UInt8 => narrow::<UInt8Type>(&slots)?,
                DataType::UInt16 => narrow::<UInt16Type>(&slots)?,
                DataType::UInt32 => narrow::<UInt32Type>(&slots)?,
                DataType::UInt64 => narrow::<UInt64Type>(&slots)?,
                _ => narrow::<Int64Type>(&slots)?,
            },
        })
    }
}

fn narrow<T: ArrowPrimitiveType>(slots: &[Option<i128>]) -> Result<ArrayRef>
where
    T::Native: TryFrom<i128>,
{
    let mut values = Vec::with_capacity(slots.len());
    for slot in slots {
        values.push(match slot {
            None => T::Native::ZERO,
            Some(value) => T::Native::try_from(*value).map_err(|_| {
                broken(&format!("the number {value} is none of type {}", T::DATA_TYPE))
            })?,
        });
    }
    let nulls = slots
        .iter()
        .any(Option::is_none)
        .then(|| slots.iter().map(Option::is_some).collect::<NullBuffer>());
    Ok(Arc::new(PrimitiveArray::<T>::new(values.into(), nulls)))
}

/// The integer that a slot holds for a value.
fn whole(value: &Value, ty: &SqlType) -> Option<i128> {
    use TypeKind as K;
    Some(match (value, ty.kind) {
        (Value::Date(date), K::Date) => date.packed().into(),
        (Value::DateTime(datetime), K::Date) => datetime.date().packed().into(),
        (Value::DateTime(datetime), K::DateTime | K::Timestamp) => datetime.packed().into(),
        (Value::Date(date), K::DateTime | K::Timestamp) => DateTime::from(*date).packed().into(),
        (Value::Time(time), K::Time) => time.micros().into(),
        (_, kind) if kind.is_temporal() => return None,
        (Value::Int(value), _) => i128::from(*value),
        (Value::UInt(value), _) => i128::from(*value),
        _ => return None,
    })
}

fn double(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Float(value) => f64::from(*value),
        Value::Double(value) => *value,
        Value::Int(value) => *value as f64,
        Value::UInt(value) => *value as f64,
        Value::Decimal(value) => value.to_f64(),
        _ => return None,
    })
}

/// A number with the decimals of its type; `None` where it has more digits.
fn settled(value: &Value, ty: &SqlType) -> Option<Decimal> {
    let value = match value {
        Value::Decimal(value) => value.clone(),
        Value::Int(value) => Decimal::from(*value),
        Value::UInt(value) => Decimal::from(*value),
        _ => return None,
    };
    if value.scale() == ty.decimals {
        return Some(value);
    }
    // One that has too many digits before the point keeps fewer behind it.
    let settled = value.round(ty.decimals.into(), Rounding::HalfUp);
    settled.filter(|settled| settled.scale() == ty.decimals)
}

fn wide_mantissa(value: &Decimal) -> Option<i256> {
    if let Some((mantissa, _)) = value.to_i128() {
        return Some(i256::from_i128(mantissa));
    }
    let mut text = Vec::new();
    value.write_text(&mut text);
    text.retain(|byte| *byte != b'.');
    i256::from_string(std::str::from_utf8(&text).ok()?)
}

/// Reads the values of an array.
pub struct ArrayReader {
    ty: SqlType,
    array: ArrayRef,
}

impl ArrayReader {
    /// Over an array of values of a type: of its own Arrow type, or of another one for
    /// the same: any integers for integers, any strings or bytes for strings.
    ///
    /// # Errors
    ///
    /// 1105 for an array of another type.
    pub fn new(array: &ArrayRef, ty: &SqlType) -> Result<ArrayReader> {
        let (wanted, found) = (arrow_type(ty)?, array.data_type());
        let same = match (&wanted, found) {
            (_, DataType::Null) => true,
            (DataType::BinaryView, found) => is_bytes(found),
            (DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale), found) => {
                matches!(found, DataType::Decimal128(_, s) | DataType::Decimal256(_, s) if s == scale)
            }
            (DataType::Null, _) => false,
            (DataType::Float32 | DataType::Float64, found) => *found == wanted,
            _ if ty.kind.is_temporal() => *found == wanted,
            (_, found) => found.is_integer() || *found == DataType::Boolean,
        };
        if !same {
            let message = format!("a column of type {wanted} came as {found}");
            return Err(broken(&message));
        }
        Ok(ArrayReader { ty: *ty, array: Arc::clone(array) })
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.array.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.array.is_empty()
    }

    /// The value at `at`, NULL past the end.
    ///
    /// # Errors
    ///
    /// 1105 for packed dates that are no dates.
    pub fn get(&self, at: usize) -> Result<Value> {
        if at >= self.array.len() || self.array.is_null(at) || self.array.data_type().is_null() {
            return Ok(Value::Null);
        }
        let array = &self.array;
        Ok(match array.data_type() {
            DataType::Boolean => Value::from(array.as_boolean().value(at)),
            DataType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(at)),
            DataType::Float64 => Value::Double(array.as_primitive::<Float64Type>().value(at)),
            DataType::Decimal128(..) => {
                let mantissa = array.as_primitive::<Decimal128Type>().value(at);
                Value::Decimal(self.decimal(Decimal::new(mantissa, self.ty.decimals))?)
            }
            DataType::Decimal256(..) => {
                let mantissa = array.as_primitive::<Decimal256Type>().value(at);
                Value::Decimal(self.decimal(narrow_mantissa(mantissa, self.ty.decimals))?)
            }
            found if is_bytes(found) => Value::bytes(bytes_at(array, at)),
            _ => self.whole(whole_at(array, at))?,
        })
    }

    fn decimal(&self, value: Option<Decimal>) -> Result<Decimal> {
        value.ok_or_else(|| broken("a column of decimals has more digits than there can be"))
    }

    fn whole(&self, number: i128) -> Result<Value> {
        use TypeKind as K;
        let value = match self.ty.kind {
            K::Date => u32::try_from(number).ok().and_then(Date::from_packed).map(Value::Date),
            K::DateTime | K::Timestamp => {
                u64::try_from(number).ok().and_then(DateTime::from_packed).map(Value::DateTime)
            }
            K::Time => i64::try_from(number)
                .ok()
                .and_then(|micros| Time::from_micros(micros).ok())
                .map(Value::Time),
            K::Year | K::Bit | K::Enum | K::Set => u64::try_from(number).ok().map(Value::UInt),
            _ if self.ty.unsigned => u64::try_from(number).ok().map(Value::UInt),
            _ => i64::try_from(number).ok().map(Value::Int),
        };
        value.ok_or_else(|| {
            broken(&format!("a column of type {:?} has the number {number}", self.ty.kind))
        })
    }
}

fn narrow_mantissa(mantissa: i256, scale: u8) -> Option<Decimal> {
    if let Some(mantissa) = mantissa.to_i128() {
        return Decimal::new(mantissa, scale);
    }
    let text = mantissa.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    // Beyond 128 bits there are more digits than any scale has.
    let (whole, part) = digits.split_at_checked(digits.len().checked_sub(scale.into())?)?;
    Decimal::parse(&format!("{sign}{whole}.{part}"))
}

/// Whether arrays of a type hold strings or bytes.
pub(super) fn is_bytes(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::BinaryView
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::Utf8View
            | DataType::Utf8
            | DataType::LargeUtf8
    )
}

/// The bytes at a place of such an array.
pub(super) fn bytes_at(array: &ArrayRef, at: usize) -> &[u8] {
    match array.data_type() {
        DataType::BinaryView => array.as_binary_view().value(at),
        DataType::Utf8View => array.as_string_view().value(at).as_bytes(),
        DataType::Binary => array.as_binary::<i32>().value(at),
        DataType::LargeBinary => array.as_binary::<i64>().value(at),
        DataType::Utf8 => array.as_string::<i32>().value(at).as_bytes(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(at).as_bytes(),
        _ => &[],
    }
}

/// The integer at a place of an array of integers.
pub(super) fn whole_at(array: &ArrayRef, at: usize) -> i128 {
    macro_rules! at {
        ($ty:ty) => {
            i128::from(array.as_primitive::<$ty>().value(at))
        };
    }
    match array.data_type() {
        DataType::Int8 => at!(Int8Type),
        DataType::Int16 => at!(Int16Type),
        DataType::Int32 => at!(Int32Type),
        DataType::Int64 => at!(Int64Type),
        DataType::UInt8 => at!(UInt8Type),
        DataType::UInt16 => at!(UInt16Type),
        DataType::UInt32 => at!(UInt32Type),
        DataType::UInt64 => at!(UInt64Type),
        _ => 0,
    }
}

/// Truths as integers.
pub(super) fn truths_as_ints(truths: &BooleanArray) -> ArrayRef {
    let values: Vec<i64> = truths.values().iter().map(i64::from).collect();
    Arc::new(PrimitiveArray::<Int64Type>::new(values.into(), truths.nulls().cloned()))
}
