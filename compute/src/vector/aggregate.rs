//! What is gathered of groups: counts, sums, extremes, first values.
//!
//! Results are what the row executor's accumulators have before they are finished, so that
//! the end, with MySQL's scales and errors, is the same code.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, Float64Array, Int64Array, PrimitiveArray,
    UInt64Array,
};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::DataType;
use arrow_select::{concat::concat, take::take};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use firn_mysql_semantics::SqlType;
use firn_mysql_semantics::vector::plan_error;

use super::keys::key_of;
use crate::execute::overflow;

/// What is gathered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// How many are not NULL.
    Count,
    /// How many different ones there are, by the keys of this type.
    CountDistinct(SqlType),
    /// The exact sum of numbers with so many decimals: Decimal256, NULL of none.
    Sum(i8),
    /// The sum in floating point, in the order of the rows.
    SumDouble,
    /// The first of the least, or of the greatest.
    Extreme { least: bool, ty: SqlType },
    /// The first row's, NULL or not.
    First,
}

/// One of these as a function of DataFusion.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Gather {
    what: What,
    signature: Signature,
}

impl Gather {
    pub(super) fn new(what: What) -> Self {
        Self { what, signature: Signature::any(1, Volatility::Immutable) }
    }
}

/// 1105: a plan asks for what is not there.
#[cold]
fn broken(what: &str) -> DataFusionError {
    DataFusionError::Internal(what.to_owned())
}

impl AggregateUDFImpl for Gather {
    fn name(&self) -> &str {
        "gather"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, of: &[DataType]) -> Result<DataType> {
        Ok(match &self.what {
            What::Count | What::CountDistinct(_) => DataType::Int64,
            What::Sum(scale) => DataType::Decimal256(76, *scale),
            What::SumDouble => DataType::Float64,
            What::Extreme { .. } | What::First => {
                of.first().cloned().ok_or_else(|| broken("an aggregate of nothing"))?
            }
        })
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Err(broken("rows are gathered in groups only"))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let data_type = args.return_field.data_type().clone();
        Ok(match &self.what {
            What::Count => Box::new(Groups(Count::default())),
            What::CountDistinct(ty) => Box::new(Groups(Different::new(*ty))),
            What::Sum(_) => Box::new(Groups(Sum::new(data_type))),
            What::SumDouble => Box::new(Groups(SumDouble::default())),
            What::First => Box::new(Groups(First { chunks: Vec::new(), groups: 0, data_type })),
            What::Extreme { least, ty } => extreme(*least, *ty, data_type),
        })
    }
}

fn extreme(least: bool, ty: SqlType, data_type: DataType) -> Box<dyn GroupsAccumulator> {
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

/// One result for each group.
trait State: Send + 'static {
    /// Takes in rows: `groups` has the group of each, of which there are `count` now.
    fn add(&mut self, values: &ArrayRef, groups: &[usize], count: usize) -> Result<()>;
    /// The results, which go.
    fn take(&mut self, which: EmitTo) -> Result<ArrayRef>;
    /// Memory, in bytes.
    fn bytes(&self) -> usize;
}

/// A state as DataFusion asks for it. Plans gather in one go, so that partial results are
/// never asked for.
struct Groups<S>(S);

impl<S: State> GroupsAccumulator for Groups<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        match (values, filter) {
            ([values], None) => self.0.add(values, groups, count),
            _ => Err(broken("an aggregate of something else than one column")),
        }
    }

    fn evaluate(&mut self, which: EmitTo) -> Result<ArrayRef> {
        self.0.take(which)
    }

    fn state(&mut self, _: EmitTo) -> Result<Vec<ArrayRef>> {
        Err(broken("partial results of a plan that has none"))
    }

    fn merge_batch(&mut self, _: &[ArrayRef], _: &[usize], _: usize) -> Result<()> {
        Err(broken("partial results of a plan that has none"))
    }

    fn convert_to_state(&self, _: &[ArrayRef], _: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Err(broken("partial results of a plan that has none"))
    }

    fn size(&self) -> usize {
        self.0.bytes()
    }
}

/// Whether all of an array is NULL by its type.
fn is_nothing(values: &ArrayRef) -> bool {
    *values.data_type() == DataType::Null
}

#[derive(Default)]
struct Count {
    counts: Vec<i64>,
}

impl State for Count {
    fn add(&mut self, values: &ArrayRef, groups: &[usize], count: usize) -> Result<()> {
        self.counts.resize(count, 0);
        if is_nothing(values) {
            return Ok(());
        }
        match values.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => groups.iter().for_each(|group| self.counts[*group] += 1),
            Some(nulls) => {
                for (group, valid) in groups.iter().zip(nulls.iter()) {
                    self.counts[*group] += i64::from(valid);
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, which: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from(which.take_needed(&mut self.counts))))
    }

    fn bytes(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
    }
}

#[allow(clippy::disallowed_types, reason = "only membership is asked for")]
type Seen = std::collections::HashSet<(usize, Box<[u8]>), foldhash::fast::RandomState>;

struct Different {
    ty: SqlType,
    seen: Seen,
    counts: Count,
    bytes: usize,
}

impl Different {
    fn new(ty: SqlType) -> Self {
        Self { ty, seen: Seen::default(), counts: Count::default(), bytes: 0 }
    }
}

impl State for Different {
    fn add(&mut self, values: &ArrayRef, groups: &[usize], count: usize) -> Result<()> {
        self.counts.counts.resize(count, 0);
        if is_nothing(values) {
            return Ok(());
        }
        let key_of = key_of(values, &self.ty, &self.ty)?;
        let mut key = Vec::with_capacity(64);
        for (row, &group) in groups.iter().enumerate() {
            if key_of(row, &mut key)? && self.seen.insert((group, key.as_slice().into())) {
                self.counts.counts[group] += 1;
                self.bytes += key.len() + 48;
            }
        }
        Ok(())
    }

    fn take(&mut self, which: EmitTo) -> Result<ArrayRef> {
        match which {
            EmitTo::All => self.seen.clear(),
            EmitTo::First(_) => return Err(broken("partial results of a plan that has none")),
        }
        self.counts.take(which)
    }

    fn bytes(&self) -> usize {
        self.counts.bytes() + self.bytes
    }
}

/// Sums fit 128 bits as long as they do.
enum Numbers {
    Narrow(Vec<i128>),
    Wide(Vec<i256>),
}

struct Sum {
    numbers: Numbers,
    seen: Vec<bool>,
    data_type: DataType,
    /// More digits than a DECIMAL has begin here.
    limit: i256,
}

impl Sum {
    fn new(data_type: DataType) -> Self {
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
        match values.data_type() {
            DataType::Null => {}
            DataType::Int8 => each!(Int8Type),
            DataType::Int16 => each!(Int16Type),
            DataType::Int32 => each!(Int32Type),
            DataType::Int64 => each!(Int64Type),
            DataType::UInt8 => each!(UInt8Type),
            DataType::UInt16 => each!(UInt16Type),
            DataType::UInt32 => each!(UInt32Type),
            DataType::UInt64 => each!(UInt64Type),
            DataType::Decimal128(..) => each!(Decimal128Type),
            DataType::Decimal256(..) => {
                for (group, value) in groups.iter().zip(values.as_primitive::<Decimal256Type>()) {
                    if let Some(value) = value {
                        self.add_wide(*group, value)?;
                    }
                }
            }
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
struct SumDouble {
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

struct First {
    /// Values of the groups one after the other.
    chunks: Vec<ArrayRef>,
    groups: usize,
    data_type: DataType,
}

impl State for First {
    fn add(&mut self, values: &ArrayRef, groups: &[usize], count: usize) -> Result<()> {
        let Some(new) = count.checked_sub(self.groups).filter(|new| *new > 0) else {
            return Ok(());
        };
        let mut rows: Vec<Option<u64>> = vec![None; new];
        for (row, group) in (0..).zip(groups) {
            let slot = group.checked_sub(self.groups).and_then(|at| rows.get_mut(at));
            if let Some(slot) = slot {
                slot.get_or_insert(row);
            }
        }
        let rows: Option<Vec<u64>> = rows.into_iter().collect();
        let rows = rows.ok_or_else(|| broken("a group without rows"))?;
        let taken = take(values, &UInt64Array::from(rows), None)?;
        // Views would hold all of the batch.
        let taken: ArrayRef = match taken.as_binary_view_opt() {
            Some(views) => Arc::new(views.gc()),
            None => taken,
        };
        self.chunks.push(taken);
        self.groups = count;
        Ok(())
    }

    fn take(&mut self, which: EmitTo) -> Result<ArrayRef> {
        if !matches!(which, EmitTo::All) {
            return Err(broken("partial results of a plan that has none"));
        }
        self.groups = 0;
        let chunks = std::mem::take(&mut self.chunks);
        let chunks: Vec<&dyn Array> = chunks.iter().map(|one| &**one).collect();
        match chunks.is_empty() {
            true => Ok(arrow_array::new_empty_array(&self.data_type)),
            false => Ok(concat(&chunks)?),
        }
    }

    fn bytes(&self) -> usize {
        self.chunks.iter().map(|one| one.get_array_memory_size()).sum()
    }
}
