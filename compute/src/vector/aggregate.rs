//! What is gathered of groups: counts, sums, extremes, first values.
//!
//! Results are what the row executor's accumulators have before they are finished, so that
//! the end, with MySQL's scales and errors, is the same code.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, UInt64Array};
use arrow_schema::DataType;
use arrow_select::{concat::concat, take::take};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use firn_mysql_semantics::SqlType;

use super::keys::key_of;

mod extreme;
mod sum;

use extreme::extreme;
use sum::{Sum, SumDouble};

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

/// One result for each group.
trait State: Send + 'static {
    /// Takes in rows: `groups` has the group of each, of which there are `count` now.
    fn add(&mut self, values: &ArrayRef, groups: &[usize], count: usize) -> Result<()>;
    /// Takes in results of other rows, all of which come behind those before.
    fn merge(&mut self, results: &ArrayRef, groups: &[usize], count: usize) -> Result<()> {
        self.add(results, groups, count)
    }
    /// The results, which go.
    fn take(&mut self, which: EmitTo) -> Result<ArrayRef>;
    /// Memory, in bytes.
    fn bytes(&self) -> usize;
}

/// A state as DataFusion asks for it. Results of some rows are what those of all are, too.
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

    fn state(&mut self, which: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.0.take(which)?])
    }

    fn merge_batch(&mut self, results: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        match results {
            [results] => self.0.merge(results, groups, count),
            _ => Err(broken("a result of something else than one column")),
        }
    }

    fn convert_to_state(&self, _: &[ArrayRef], _: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Err(broken("results of single rows"))
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

    fn merge(&mut self, results: &ArrayRef, groups: &[usize], count: usize) -> Result<()> {
        self.counts.resize(count, 0);
        let results = results.as_primitive_opt::<Int64Type>();
        let results = results.ok_or_else(|| broken("counts that are none"))?;
        for (group, more) in groups.iter().zip(results.values()) {
            self.counts[*group] += more;
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

impl What {
    /// Whether results of some rows and of others make those of all, to the last bit.
    pub(super) fn adds_up(&self) -> bool {
        !matches!(self, Self::CountDistinct(_) | Self::SumDouble { .. })
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
