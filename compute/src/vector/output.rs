//! What the batches of a plan mean: places of the flat row, and what aggregates came to.

use arrow_array::{Array, ArrayRef, RecordBatch};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::vector::ArrayReader;
use firn_mysql_semantics::{SqlType, Value};

use crate::execute::Accumulated;

/// What the columns of a batch are.
pub(super) struct Output {
    /// Places of the flat row, with their types, and the column of each.
    pub(super) places: Vec<(usize, SqlType, usize)>,
    /// The columns of each aggregate.
    pub(super) aggregates: Vec<Gathered>,
}

/// An aggregate's columns.
pub(super) enum Gathered {
    Count(usize),
    /// The sum, its decimals, and how many were added.
    Sum(usize, SqlType, usize),
    SumDouble(usize, usize),
    Extreme(usize, SqlType),
}

/// One batch, ready to be read row by row.
pub(super) struct Decoded {
    places: Vec<(usize, ArrayReader)>,
    aggregates: Vec<DecodedAggregate>,
    pub(super) rows: usize,
    /// What it takes in memory; of arrays that are parts of larger ones their share.
    pub(super) bytes: usize,
}

enum DecodedAggregate {
    Count(ArrayReader),
    Sum(ArrayReader, ArrayReader),
    SumDouble(ArrayReader, ArrayReader),
    Extreme(ArrayReader),
}

impl Output {
    /// Makes ready to read a batch.
    pub(super) fn decode(&self, batch: &RecordBatch) -> Result<Decoded, SqlError> {
        let reader = |at: usize, ty: &SqlType| {
            let column = batch.columns().get(at).ok_or_else(missing)?;
            ArrayReader::new(column, ty)
        };
        let count = SqlType::bigint(21);
        let places = self.places.iter().map(|(place, ty, at)| Ok((*place, reader(*at, ty)?)));
        let aggregates = self.aggregates.iter().map(|one| {
            Ok(match one {
                Gathered::Count(at) => DecodedAggregate::Count(reader(*at, &count)?),
                Gathered::Sum(sum, ty, counted) => {
                    DecodedAggregate::Sum(reader(*sum, ty)?, reader(*counted, &count)?)
                }
                Gathered::SumDouble(sum, counted) => DecodedAggregate::SumDouble(
                    reader(*sum, &SqlType::double())?,
                    reader(*counted, &count)?,
                ),
                Gathered::Extreme(at, ty) => DecodedAggregate::Extreme(reader(*at, ty)?),
            })
        });
        Ok(Decoded {
            places: places.collect::<Result<_, SqlError>>()?,
            aggregates: aggregates.collect::<Result<_, SqlError>>()?,
            rows: batch.num_rows(),
            bytes: batch.columns().iter().map(share).sum(),
        })
    }
}

impl Decoded {
    /// Sets the places of the flat row that the batch has.
    pub(super) fn row(&self, at: usize, row: &mut [Value]) -> Result<(), SqlError> {
        for (place, reader) in &self.places {
            if let Some(slot) = row.get_mut(*place) {
                *slot = reader.get(at)?;
            }
        }
        Ok(())
    }

    /// What the aggregates of a group have come to.
    pub(super) fn gathered(&self, at: usize) -> Result<Vec<Accumulated>, SqlError> {
        let counted = |reader: &ArrayReader| match reader.get(at)? {
            Value::Int(number) => Ok(number.unsigned_abs()),
            _ => Err(missing()),
        };
        let one = |aggregate: &DecodedAggregate| {
            Ok(match aggregate {
                DecodedAggregate::Count(reader) => Accumulated::Count(counted(reader)?),
                DecodedAggregate::Sum(sum, count) => match sum.get(at)? {
                    Value::Decimal(sum) => Accumulated::Decimal(sum, counted(count)?),
                    _ => Accumulated::Nothing,
                },
                DecodedAggregate::SumDouble(sum, count) => match sum.get(at)? {
                    Value::Double(sum) => Accumulated::Double(sum, counted(count)?),
                    _ => Accumulated::Nothing,
                },
                DecodedAggregate::Extreme(reader) => Accumulated::Extreme(reader.get(at)?),
            })
        };
        self.aggregates.iter().map(one).collect()
    }
}

fn share(array: &ArrayRef) -> usize {
    // What cannot be told counts as a whole.
    array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size())
}

#[cold]
pub(super) fn missing() -> SqlError {
    SqlError::with_message(code::ER_UNKNOWN_ERROR, "a batch has not what its plan says")
}
