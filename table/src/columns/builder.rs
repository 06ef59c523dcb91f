//! Turns rows into record batches.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder,
    Decimal256Builder, DurationMicrosecondBuilder, Float32Builder, Float64Builder, Int8Builder,
    Int16Builder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
    UInt8Builder, UInt16Builder, UInt32Builder, UInt64Builder,
};
use arrow_array::types::{ArrowPrimitiveType, Decimal256Type};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use firn_engine::{Error, ErrorKind, Result, Seq};
use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::json::JsonRef;
use firn_mysql_semantics::number::write_set;
use firn_mysql_semantics::temporal::{Date, DateTime};

use super::schema::{arrow_schema, arrow_type};
use crate::Cell;
use crate::descriptor::ColumnDescriptor;
use crate::row::RowCodec;

/// Day number of 1970-01-01, as `Date::day_number` counts.
const EPOCH_DAY: i64 = 719_528;
const DAY_MICROS: i64 = 86_400_000_000;

type I256 = <Decimal256Type as ArrowPrimitiveType>::Native;

/// Collects versions of a table's rows as a record batch of its columns
/// ([`arrow_schema`]).
pub struct BatchBuilder {
    codec: Arc<RowCodec>,
    schema: SchemaRef,
    columns: Vec<Column>,
    keys: BinaryBuilder,
    rows: BinaryBuilder,
    seqs: UInt64Builder,
    deleted: BooleanBuilder,
    /// Texts on their way from one character set to another.
    scratch: Vec<u8>,
}

impl std::fmt::Debug for BatchBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BatchBuilder({} rows)", self.len())
    }
}

struct Column {
    /// Its place in the table.
    place: usize,
    values: Values,
}

enum Values {
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt8(UInt8Builder),
    UInt16(UInt16Builder),
    UInt32(UInt32Builder),
    UInt64(UInt64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal128(Decimal128Builder),
    Decimal256(Decimal256Builder),
    Date(Date32Builder),
    Time(DurationMicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Binary(BinaryBuilder),
    Text(StringBuilder, &'static Charset),
    Json(StringBuilder),
    Enum(StringBuilder, Box<[String]>),
    Set(StringBuilder, Box<[String]>),
}

/// Does the same with the builder of any of them.
macro_rules! with_builder {
    ($values:expr, $builder:ident => $body:expr) => {
        match $values {
            Values::Int8($builder) => $body,
            Values::Int16($builder) => $body,
            Values::Int32($builder) => $body,
            Values::Int64($builder) => $body,
            Values::UInt8($builder) => $body,
            Values::UInt16($builder) => $body,
            Values::UInt32($builder) => $body,
            Values::UInt64($builder) => $body,
            Values::Float32($builder) => $body,
            Values::Float64($builder) => $body,
            Values::Decimal128($builder) => $body,
            Values::Decimal256($builder) => $body,
            Values::Date($builder) => $body,
            Values::Time($builder) => $body,
            Values::Timestamp($builder) => $body,
            Values::Binary($builder) => $body,
            Values::Text($builder, _) | Values::Json($builder) => $body,
            Values::Enum($builder, _) | Values::Set($builder, _) => $body,
        }
    };
}

impl BatchBuilder {
    /// For rows that `codec` reads.
    ///
    /// # Errors
    /// `Internal` if a column has a type that [`arrow_type`] maps to nothing here.
    pub fn new(codec: Arc<RowCodec>) -> Result<Self> {
        let table = codec.table();
        let schema = arrow_schema(table);
        let stored = table.columns.iter().enumerate().filter(|(_, column)| column.is_stored());
        let columns: Result<_> = stored
            .map(|(place, column)| Ok(Column { place, values: Values::new(column)? }))
            .collect();
        Ok(Self {
            columns: columns?,
            schema,
            codec,
            keys: BinaryBuilder::new(),
            rows: BinaryBuilder::new(),
            seqs: UInt64Builder::new(),
            deleted: BooleanBuilder::new(),
            scratch: Vec::new(),
        })
    }

    /// The columns of the batches.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a version of a row; without a row it is a deletion.
    ///
    /// # Errors
    /// `Corrupt` naming the column if it is no row of the table. The batch is of no
    /// use then.
    pub fn push(&mut self, key: &[u8], seq: Seq, row: Option<&[u8]>) -> Result<()> {
        let mut shown = true;
        match row {
            Some(bytes) => {
                let reader = self.codec.read(bytes)?;
                for Column { place, values } in &mut self.columns {
                    let cell = reader.cell(*place)?;
                    let pushed = values.push(&cell, &mut self.scratch);
                    shown &= pushed.ok_or_else(|| garbled(&self.codec, *place))?;
                }
                if shown {
                    self.rows.append_null();
                } else {
                    self.rows.append_value(bytes);
                }
            }
            None => {
                for Column { values, .. } in &mut self.columns {
                    with_builder!(values, builder => builder.append_null());
                }
                self.rows.append_null();
            }
        }
        self.keys.append_value(key);
        self.seqs.append_value(seq.0);
        self.deleted.append_value(row.is_none());
        Ok(())
    }

    /// What was collected; the next batch begins empty.
    ///
    /// # Errors
    /// `Internal` if the columns are not equally long.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.columns.len() + 4);
        for Column { values, .. } in &mut self.columns {
            columns.push(with_builder!(values, builder => ArrayBuilder::finish(builder)));
        }
        columns.push(Arc::new(self.keys.finish()));
        columns.push(Arc::new(self.rows.finish()));
        columns.push(Arc::new(self.seqs.finish()));
        columns.push(Arc::new(self.deleted.finish()));
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|e| Error::with_source(ErrorKind::Internal, "a batch of rows", e))
    }
}

fn garbled(codec: &RowCodec, place: usize) -> Error {
    let table = codec.table();
    let name = table.columns.get(place).map_or("?", |column| &column.name);
    let what = format!("row of `{}`.`{}`: column `{name}` is garbled", table.schema, table.name);
    Error::new(ErrorKind::Corrupt, what)
}

impl Values {
    fn new(column: &ColumnDescriptor) -> Result<Self> {
        let data_type = arrow_type(column);
        Ok(match &data_type {
            DataType::Int8 => Self::Int8(Int8Builder::new()),
            DataType::Int16 => Self::Int16(Int16Builder::new()),
            DataType::Int32 => Self::Int32(Int32Builder::new()),
            DataType::Int64 => Self::Int64(Int64Builder::new()),
            DataType::UInt8 => Self::UInt8(UInt8Builder::new()),
            DataType::UInt16 => Self::UInt16(UInt16Builder::new()),
            DataType::UInt32 => Self::UInt32(UInt32Builder::new()),
            DataType::UInt64 => Self::UInt64(UInt64Builder::new()),
            DataType::Float32 => Self::Float32(Float32Builder::new()),
            DataType::Float64 => Self::Float64(Float64Builder::new()),
            DataType::Decimal128(..) => {
                Self::Decimal128(Decimal128Builder::new().with_data_type(data_type))
            }
            DataType::Decimal256(..) => {
                Self::Decimal256(Decimal256Builder::new().with_data_type(data_type))
            }
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Duration(_) => Self::Time(DurationMicrosecondBuilder::new()),
            DataType::Timestamp(_, zone) => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone_opt(zone.clone()))
            }
            DataType::Binary => Self::Binary(BinaryBuilder::new()),
            DataType::Utf8 => {
                use firn_mysql_semantics::TypeKind;
                let members = || column.members.clone().into_boxed_slice();
                match column.ty.kind {
                    TypeKind::Json => Self::Json(StringBuilder::new()),
                    TypeKind::Enum => Self::Enum(StringBuilder::new(), members()),
                    TypeKind::Set => Self::Set(StringBuilder::new(), members()),
                    _ => {
                        let collation = Collation::by_id(column.ty.collation.0);
                        let charset = collation.map_or(Charset::binary(), Collation::charset);
                        Self::Text(StringBuilder::new(), charset)
                    }
                }
            }
            other => {
                let what = format!("column `{}`: no builder for {other}", column.name);
                return Err(Error::new(ErrorKind::Internal, what));
            }
        })
    }

    /// Adds a value. Whether it is shown: else it is NULL here and not in the row.
    /// `None` if the column's type has no such value.
    fn push(&mut self, cell: &Cell<'_>, scratch: &mut Vec<u8>) -> Option<bool> {
        match (self, cell) {
            (values, Cell::Null) => with_builder!(values, builder => builder.append_null()),
            (Self::Int8(to), Cell::Int(number)) => to.append_value((*number).try_into().ok()?),
            (Self::Int16(to), Cell::Int(number)) => to.append_value((*number).try_into().ok()?),
            (Self::Int32(to), Cell::Int(number)) => to.append_value((*number).try_into().ok()?),
            (Self::Int64(to), Cell::Int(number)) => to.append_value(*number),
            (Self::UInt8(to), Cell::UInt(number)) => to.append_value((*number).try_into().ok()?),
            (Self::UInt16(to), Cell::UInt(number)) => to.append_value((*number).try_into().ok()?),
            (Self::UInt32(to), Cell::UInt(number)) => to.append_value((*number).try_into().ok()?),
            (Self::UInt64(to), Cell::UInt(number)) => to.append_value(*number),
            (Self::Float32(to), Cell::Float(number)) => to.append_value(*number),
            (Self::Float64(to), Cell::Double(number)) => to.append_value(*number),
            (Self::Decimal128(to), Cell::Decimal(number)) => to.append_value(number.to_i128()?.0),
            (Self::Decimal256(to), Cell::Decimal(number)) => {
                to.append_value(i256(number, scratch)?)
            }
            (Self::Date(to), Cell::Date(date)) => {
                let day = day(*date).and_then(|day| i32::try_from(day).ok());
                to.append_option(day);
                return Some(day.is_some());
            }
            (Self::Time(to), Cell::Time(time)) => to.append_value(time.micros()),
            (Self::Timestamp(to), Cell::DateTime(at)) => {
                let micros = micros(*at);
                to.append_option(micros);
                return Some(micros.is_some());
            }
            (Self::Binary(to), Cell::Bytes(bytes)) => to.append_value(bytes),
            (Self::Text(to, charset), Cell::Bytes(text)) => {
                let text = utf8(text, charset, scratch);
                to.append_option(text);
                return Some(text.is_some());
            }
            (Self::Json(to), Cell::Bytes(document)) => {
                to.append_value(JsonRef::open(document).ok()?.print().ok()?);
            }
            (Self::Enum(to, members), Cell::UInt(number)) => {
                let at = usize::try_from(*number).ok()?.checked_sub(1);
                let member = at.and_then(|at| members.get(at));
                to.append_option(member);
                return Some(member.is_some());
            }
            (Self::Set(to, members), Cell::UInt(bits)) => {
                scratch.clear();
                write_set(*bits, members.iter().map(String::as_bytes), scratch);
                to.append_value(std::str::from_utf8(scratch).ok()?);
            }
            _ => return None,
        }
        Some(true)
    }
}

/// Days since 1970 of a date that is of the calendar.
fn day(date: Date) -> Option<i64> {
    (date.is_real() && date.year() > 0).then(|| date.day_number() - EPOCH_DAY)
}

fn micros(at: DateTime) -> Option<i64> {
    Some(day(at.date())? * DAY_MICROS + at.day_micros())
}

/// A text in UTF-8; `None` if it has bytes that are no characters.
fn utf8<'a>(text: &'a [u8], charset: &Charset, scratch: &'a mut Vec<u8>) -> Option<&'a str> {
    if text.is_ascii() && charset.is_ascii_superset() {
        return std::str::from_utf8(text).ok();
    }
    if matches!(charset.name(), "utf8mb4" | "utf8mb3") {
        return std::str::from_utf8(text).ok();
    }
    scratch.clear();
    match convert(text, charset, Charset::utf8mb4(), scratch) {
        Ok(0) => std::str::from_utf8(scratch).ok(),
        _ => None,
    }
}

/// The number without its point.
fn i256(number: &Decimal, scratch: &mut Vec<u8>) -> Option<I256> {
    if let Some((mantissa, _)) = number.to_i128() {
        return Some(I256::from_i128(mantissa));
    }
    scratch.clear();
    number.write_compact(scratch);
    let magnitude = scratch.get(1..)?;
    let mut bytes = [0; 32];
    let start = bytes.len().checked_sub(magnitude.len())?;
    bytes.get_mut(start..)?.copy_from_slice(magnitude);
    let magnitude = I256::from_be_bytes(bytes);
    Some(if number.is_negative() { magnitude.wrapping_neg() } else { magnitude })
}
