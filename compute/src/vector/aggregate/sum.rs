//! Sums of each group: exact ones, and those in floating point.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Decimal256Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, Float64Array, PrimitiveArray, downcast_integer};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::DataType;
use datafusion_common::Result;
use datafusion_expr::EmitTo;
use firn_mysql_semantics::vector::plan_error;

use super::{State, broken};
use crate::execute::overflow;

/// Sums fit 128 bits as long as they do.
enum Numbers {
    Narrow(Vec<i128>),
    Wide(Vec<i256>),
}

pub(super) struct Sum {
    numbers: Numbers,
    seen: Vec<bool>,
    data_type: DataType,
    /// More digits than a DECIMAL has begin here.
    limit: i256,
}

impl Sum {
    /// Sums of numbers with the decimals of this type.
    pub(super) fn new(data_type: DataType) -> Self {
        let limit = i256::from_string(&format!("1{}", "0".repeat(65))).unwrap_or(i256::MAX);
        Self { numbers: Numbers::Narrow(Vec::new()), seen: Vec::new(), data_type, limit }
    }

    fn widen(&mut self) {
        if let Numbers::Narrow(list) = &self.numbers {
            self.numbers = Numbers::Wide(list.iter().map(|one| i256::from_i128(*one)).collect());
        }
    }

    #[inline]
    fn add_narrow(&mut self, group: usize, number: i128) -> Result<()> {
        self.seen[group] = true;
        if let Numbers::Narrow(list) = &mut self.numbers {
            if let Some(sum) = list[group].checked_add(number) {
                list[group] = sum;
                return Ok(());
            }
            self.widen();
        }
        self.add_wide(group, i256::from_i128(number))
    }

    fn add_wide(&mut self, group: usize, number: i256) -> Result<()> {
        self.seen[group] = true;
        self.widen();
        if let Numbers::Wide(list) = &mut self.numbers {
            let sum = list[group].checked_add(number).filter(|sum| {
                *sum < self.limit && sum.checked_neg().is_some_and(|other| other < self.limit)
            });
            list[group] = sum.ok_or_else(|| plan_error(overflow()))?;
        }
        Ok(())
    }
}

impl State for Sum {
    fn add(&mut self, values: &ArrayRef, groups: &[usize], count: usize) -> Result<()> {
        self.seen.resize(count, false);
        match &mut self.numbers {
            Numbers::Narrow(list) => list.resize(count, 0),
            Numbers::Wide(list) => list.resize(count, i256::ZERO),
        }
        macro_rules! each {
            ($ty:ty) => {{
                let values = values.as_primitive::<$ty>();
                match values.nulls().filter(|nulls| nulls.null_count() > 0) {
                    None => {
                        for (group, value) in groups.iter().zip(values.values()) {
                            self.add_narrow(*group, i128::from(*value))?;
                        }
                    }
                    Some(nulls) => {
                        let all = groups.iter().zip(values.values()).zip(nulls.iter());
                        for ((group, value), _) in all.filter(|(_, valid)| *valid) {
                            self.add_narrow(*group, i128::from(*value))?;
                        }
                    }
                }
            }};
        }
        downcast_integer! {
            values.data_type() => (each),
            DataType::Null => {},
            DataType::Decimal128(..) => each!(Decimal128Type),
            DataType::Decimal256(..) => {
                for (group, value) in groups.iter().zip(values.as_primitive::<Decimal256Type>()) {
                    match value.map(|value| (value, value.to_i128())) {
                        None => {}
                        Some((_, Some(narrow))) => self.add_narrow(*group, narrow)?,
                        Some((wide, None)) => self.add_wide(*group, wide)?,
                    }
                }
            },
            other => return Err(broken(&format!("a sum of {other}"))),
        }
        Ok(())
    }

    fn take(&mut self, which: EmitTo) -> Result<ArrayRef> {
        self.widen();
        let Numbers::Wide(list) = &mut self.numbers else { return Err(broken("sums")) };
        let numbers = which.take_needed(list);
        let nulls = NullBuffer::from(which.take_needed(&mut self.seen));
        let array = PrimitiveArray::<Decimal256Type>::try_new(numbers.into(), Some(nulls))?;
        Ok(Arc::new(array.with_data_type(self.data_type.clone())))
    }

    fn bytes(&self) -> usize {
        self.seen.capacity()
            + match &self.numbers {
                Numbers::Narrow(list) => list.capacity() * size_of::<i128>(),
                Numbers::Wide(list) => list.capacity() * size_of::<i256>(),
            }
    }
}

#[derive(Default)]
pub(super) struct SumDouble {
    sums: Vec<f64>,
    seen: Vec<bool>,
}

impl State for SumDouble {
    fn add(&mut self, values: &ArrayRef, groups: &[usize], count: usize) -> Result<()> {
        self.sums.resize(count, 0.0);
        self.seen.resize(count, false);
        let mut one = |group: usize, value: Option<f64>| {
            if let Some(value) = value {
                self.sums[group] += value;
                self.seen[group] = true;
            }
        };
        match values.data_type() {
            DataType::Float64 => {
                let values = values.as_primitive::<Float64Type>().iter();
                groups.iter().zip(values).for_each(|(group, value)| one(*group, value));
            }
            DataType::Float32 => {
                let values = values.as_primitive::<Float32Type>().iter();
                let values = values.map(|value| value.map(f64::from));
                groups.iter().zip(values).for_each(|(group, value)| one(*group, value));
            }
            other => return Err(broken(&format!("a sum of {other}"))),
        }
        Ok(())
    }

    fn take(&mut self, which: EmitTo) -> Result<ArrayRef> {
        let sums = which.take_needed(&mut self.sums);
        let nulls = NullBuffer::from(which.take_needed(&mut self.seen));
        Ok(Arc::new(Float64Array::try_new(sums.into(), Some(nulls))?))
    }

    fn bytes(&self) -> usize {
        self.seen.capacity() + self.sums.capacity() * size_of::<f64>()
    }
}
