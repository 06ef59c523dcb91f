//! The least and the greatest of each group, by the order of MySQL's types.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, BinaryViewArray, PrimitiveArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use datafusion_common::Result;
use datafusion_expr::{EmitTo, GroupsAccumulator};
use firn_mysql_semantics::SqlType;

use super::{Groups, State, broken};
use crate::vector::keys::key_of;

/// What finds them.
pub(super) fn extreme(least: bool, ty: SqlType, data_type: DataType) -> Box<dyn GroupsAccumulator> {
    macro_rules! of {
        ($($variant:pat => $ty:ty),* $(,)?) => {
            match &data_type {
                $($variant => Box::new(Groups(Extreme::<$ty>::new(least, data_type))),)*
                _ => Box::new(Groups(ExtremeBytes::new(least, ty))),
            }
        };
    }
    of! {
        DataType::Int8 => Int8Type, DataType::Int16 => Int16Type, DataType::Int32 => Int32Type,
        DataType::Int64 => Int64Type, DataType::UInt8 => UInt8Type, DataType::UInt16 => UInt16Type,
        DataType::UInt32 => UInt32Type, DataType::UInt64 => UInt64Type,
        DataType::Float32 => Float32Type, DataType::Float64 => Float64Type,
        DataType::Decimal128(..) => Decimal128Type, DataType::Decimal256(..) => Decimal256Type,
    }
}

struct Extreme<T: ArrowPrimitiveType> {
    least: bool,
    best: Vec<T::Native>,
    seen: Vec<bool>,
    data_type: DataType,
}

impl<T: ArrowPrimitiveType> Extreme<T> {
    fn new(least: bool, data_type: DataType) -> Self {
        Self { least, best: Vec::new(), seen: Vec::new(), data_type }
    }
}

impl<T: ArrowPrimitiveType> State for Extreme<T> {
    fn add(&mut self, values: &ArrayRef, groups: &[usize], count: usize) -> Result<()> {
        self.best.resize(count, T::Native::default());
        self.seen.resize(count, false);
        let values =
            values.as_primitive_opt::<T>().ok_or_else(|| broken("an extreme of another type"))?;
        for (&group, value) in groups.iter().zip(values.iter()) {
            let Some(value) = value else { continue };
            let best = &mut self.best[group];
            let better = if self.least { value < *best } else { value > *best };
            if better || !self.seen[group] {
                *best = value;
                self.seen[group] = true;
            }
        }
        Ok(())
    }

    fn take(&mut self, which: EmitTo) -> Result<ArrayRef> {
        let best = which.take_needed(&mut self.best);
        let nulls = NullBuffer::from(which.take_needed(&mut self.seen));
        let array = PrimitiveArray::<T>::try_new(best.into(), Some(nulls))?;
        Ok(Arc::new(array.with_data_type(self.data_type.clone())))
    }

    fn bytes(&self) -> usize {
        self.seen.capacity() + self.best.capacity() * size_of::<T::Native>()
    }
}

struct ExtremeBytes {
    least: bool,
    ty: SqlType,
    /// Keys and values.
    best: Vec<Option<(Vec<u8>, Vec<u8>)>>,
    bytes: usize,
}

impl ExtremeBytes {
    fn new(least: bool, ty: SqlType) -> Self {
        Self { least, ty, best: Vec::new(), bytes: 0 }
    }
}

impl State for ExtremeBytes {
    fn add(&mut self, values: &ArrayRef, groups: &[usize], count: usize) -> Result<()> {
        self.best.resize(count, None);
        let texts =
            values.as_binary_view_opt().ok_or_else(|| broken("an extreme of another type"))?;
        let key_of = key_of(values, &self.ty, &self.ty)?;
        let mut key = Vec::with_capacity(64);
        for (row, &group) in groups.iter().enumerate() {
            if !key_of(row, &mut key)? {
                continue;
            }
            let best = &mut self.best[group];
            let better = best.as_ref().is_none_or(
                |(old, _)| {
                    if self.least { key < *old } else { key > *old }
                },
            );
            if better {
                let (old_key, old) = best.get_or_insert_default();
                let text = texts.value(row);
                self.bytes += (key.len() + text.len()).saturating_sub(old_key.len() + old.len());
                old_key.clone_from(&key);
                old.clear();
                old.extend_from_slice(text);
            }
        }
        Ok(())
    }

    fn take(&mut self, which: EmitTo) -> Result<ArrayRef> {
        let best = which.take_needed(&mut self.best);
        let texts = best.iter().map(|one| one.as_ref().map(|(_, text)| text.as_slice()));
        Ok(Arc::new(BinaryViewArray::from_iter(texts)))
    }

    fn bytes(&self) -> usize {
        self.best.capacity() * 56 + self.bytes
    }
}
