//! Cells of rows into arrays, column by column.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BinaryViewBuilder, Decimal128Builder, Int32Builder, Int64Builder, UInt32Builder, UInt64Builder,
};
use arrow_schema::DataType;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::vector::{ArrayBuilder, arrow_type};
use firn_mysql_semantics::{SqlType, Value};
use firn_table::Cell;

/// Gathers the cells of one column.
pub(super) struct ColumnBuilder {
    slots: Slots,
    bytes: usize,
    /// Of a DECIMAL.
    decimals: u8,
}

/// The types that most columns have, without a detour over values.
enum Slots {
    Int(Int32Builder),
    BigInt(Int64Builder),
    UnsignedInt(UInt32Builder),
    UnsignedBigInt(UInt64Builder),
    Decimal(Decimal128Builder, DataType),
    Bytes(BinaryViewBuilder),
    Other(Box<ArrayBuilder>),
}

#[cold]
fn unfit() -> SqlError {
    SqlError::with_message(code::ER_UNKNOWN_ERROR, "a row holds what its column cannot")
}

impl ColumnBuilder {
    /// An empty one with room for `capacity` cells of a type.
    ///
    /// # Errors
    /// 1235 for types that have no form in batches.
    pub(super) fn new(ty: &SqlType, capacity: usize) -> Result<Self, SqlError> {
        let data_type = arrow_type(ty)?;
        let slots = match data_type {
            DataType::Int32 => Slots::Int(Int32Builder::with_capacity(capacity)),
            DataType::Int64 if !ty.kind.is_temporal() => {
                Slots::BigInt(Int64Builder::with_capacity(capacity))
            }
            DataType::UInt32 => Slots::UnsignedInt(UInt32Builder::with_capacity(capacity)),
            DataType::UInt64 => Slots::UnsignedBigInt(UInt64Builder::with_capacity(capacity)),
            DataType::Decimal128(..) => {
                Slots::Decimal(Decimal128Builder::with_capacity(capacity), data_type)
            }
            DataType::BinaryView => Slots::Bytes(BinaryViewBuilder::with_capacity(capacity)),
            _ => Slots::Other(Box::new(ArrayBuilder::new(ty, capacity)?)),
        };
        Ok(Self { slots, bytes: 0, decimals: ty.decimals })
    }

    /// Bytes of strings so far.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a cell.
    ///
    /// # Errors
    /// 1105 for one that the type does not have.
    pub(super) fn push(&mut self, cell: Cell<'_>) -> Result<(), SqlError> {
        macro_rules! whole {
            ($builder:expr, $ty:ty) => {
                match cell {
                    Cell::Null => $builder.append_null(),
                    Cell::Int(number) => {
                        $builder.append_value(<$ty>::try_from(number).map_err(|_| unfit())?);
                    }
                    Cell::UInt(number) => {
                        $builder.append_value(<$ty>::try_from(number).map_err(|_| unfit())?);
                    }
                    Cell::Date(date) => {
                        let packed = <$ty>::try_from(date.packed()).map_err(|_| unfit())?;
                        $builder.append_value(packed);
                    }
                    Cell::DateTime(at) => {
                        let packed = <$ty>::try_from(at.packed()).map_err(|_| unfit())?;
                        $builder.append_value(packed);
                    }
                    _ => return Err(unfit()),
                }
            };
        }
        match &mut self.slots {
            Slots::Int(builder) => whole!(builder, i32),
            Slots::BigInt(builder) => whole!(builder, i64),
            Slots::UnsignedInt(builder) => whole!(builder, u32),
            Slots::UnsignedBigInt(builder) => whole!(builder, u64),
            Slots::Decimal(builder, data_type) => match cell {
                Cell::Null => builder.append_null(),
                Cell::Decimal(number) => {
                    let (mantissa, scale) = number.to_i128().ok_or_else(unfit)?;
                    let wanted = match data_type {
                        DataType::Decimal128(_, wanted) => u8::try_from(*wanted).ok(),
                        _ => None,
                    };
                    // A value may have fewer decimals than its type, but not more.
                    let more = wanted.and_then(|wanted| wanted.checked_sub(scale));
                    let power = more.and_then(|more| 10i128.checked_pow(more.into()));
                    let value = power.and_then(|power| mantissa.checked_mul(power));
                    builder.append_value(value.ok_or_else(unfit)?);
                }
                _ => return Err(unfit()),
            },
            Slots::Bytes(builder) => match cell {
                Cell::Null => builder.append_null(),
                Cell::Bytes(bytes) => {
                    self.bytes += bytes.len();
                    builder.try_append_value(&bytes).map_err(|_| unfit())?;
                }
                _ => return Err(unfit()),
            },
            Slots::Other(builder) => builder.push(&Value::from(cell))?,
        }
        Ok(())
    }

    /// Adds a value as it is computed with. A number with more decimals than the type has
    /// is refused: it would lose them.
    ///
    /// # Errors
    /// 1105 for one that the type does not have.
    pub(super) fn push_value(&mut self, value: Value) -> Result<(), SqlError> {
        if let Value::Decimal(number) = &value
            && number.scale() > self.decimals
        {
            return Err(unfit());
        }
        let cell = match value {
            Value::Null => Cell::Null,
            Value::Int(number) => Cell::Int(number),
            Value::UInt(number) => Cell::UInt(number),
            Value::Float(number) => Cell::Float(number),
            Value::Double(number) => Cell::Double(number),
            Value::Decimal(number) => Cell::Decimal(number),
            Value::Date(date) => Cell::Date(date),
            Value::Time(time) => Cell::Time(time),
            Value::DateTime(at) => Cell::DateTime(at),
            Value::Bytes(bytes) => Cell::Bytes(bytes.to_vec().into()),
        };
        self.push(cell)
    }

    /// The array of what was added.
    ///
    /// # Errors
    /// 1105 for numbers beyond the type's range.
    pub(super) fn finish(self) -> Result<ArrayRef, SqlError> {
        Ok(match self.slots {
            Slots::Int(mut builder) => Arc::new(builder.finish()),
            Slots::BigInt(mut builder) => Arc::new(builder.finish()),
            Slots::UnsignedInt(mut builder) => Arc::new(builder.finish()),
            Slots::UnsignedBigInt(mut builder) => Arc::new(builder.finish()),
            Slots::Decimal(mut builder, data_type) => {
                Arc::new(builder.finish().with_data_type(data_type))
            }
            Slots::Bytes(mut builder) => Arc::new(builder.finish()),
            Slots::Other(builder) => builder.finish()?,
        })
    }
}
