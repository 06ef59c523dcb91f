//! Parameters of statements and attributes of queries, in binary.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::flags::ColumnType;
use crate::packet::{Decoder, put_lenenc_bytes};
use crate::result::{Date, DateTime, Time};

/// The most parameters of a statement.
pub const PARAMETERS_MAX: usize = 65_535;

/// The most attributes of one query.
pub const ATTRIBUTES_MAX: usize = 1024;

/// The most that the names of all attributes of a query may take, bytes. A
/// prepared statement keeps them.
pub const ATTRIBUTE_NAMES_MAX_BYTES: usize = 64 << 10;

/// The type and name a client has given to a parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParameterType {
    /// Type.
    pub kind: ColumnType,
    /// Integers are unsigned.
    pub unsigned: bool,
    /// Name of an attribute; empty for a placeholder.
    pub name: Vec<u8>,
}

/// A value of a parameter. Fields of dates and times are as the client sent
/// them: whether they make a date is for the session to judge.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ParameterValue<'a> {
    /// NULL.
    Null,
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// Strings, DECIMAL and JSON as text, BIT as bytes.
    Bytes(&'a [u8]),
    /// DATE.
    Date(Date),
    /// DATETIME and TIMESTAMP.
    DateTime(DateTime),
    /// TIME.
    Time(Time),
}

/// A parameter of a statement, or an attribute of a query.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter<'a> {
    /// Name of an attribute; empty for a placeholder.
    pub name: Vec<u8>,
    /// Type that the client gave.
    pub kind: ColumnType,
    /// Value.
    pub value: ParameterValue<'a>,
}

/// What was sent ahead of an execution, by the parameter's index.
pub(crate) type LongData = HashMap<u16, Vec<u8>>;

/// Reads NULL bitmap, types and values of `count` parameters: `placeholders`,
/// the rest attributes. Types that the packet does not repeat are those of the
/// last time, in `types`.
pub(crate) fn decode_parameters<'a>(
    from: &mut Decoder<'a>,
    count: u64,
    placeholders: usize,
    types: &mut Vec<ParameterType>,
    named: bool,
    long_data: Option<&'a LongData>,
) -> Result<Vec<Parameter<'a>>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let count = usize::try_from(count).map_err(|_| Error::malformed())?;
    if count > placeholders + ATTRIBUTES_MAX {
        return Err(Error::malformed());
    }
    let nulls = from.bytes(count.div_ceil(8))?;
    if from.u8()? == 1 {
        types.clear();
        let mut names_bytes = 0;
        for _ in 0..count {
            let known = decode_type(from, named)?;
            names_bytes += known.name.len();
            if names_bytes > ATTRIBUTE_NAMES_MAX_BYTES {
                // What was read so far is not for the next time either.
                types.clear();
                return Err(Error::malformed());
            }
            types.push(known);
        }
    } else if types.len() != count {
        return Err(Error::malformed());
    }
    let mut parameters = Vec::with_capacity(count);
    for (index, known) in types.iter().enumerate() {
        let long = u16::try_from(index).ok().and_then(|index| long_data?.get(&index));
        let value = if let Some(data) = long {
            ParameterValue::Bytes(data)
        } else if nulls[index / 8] & 1 << (index % 8) != 0 {
            ParameterValue::Null
        } else {
            decode_value(from, known.kind, known.unsigned)?
        };
        parameters.push(Parameter { name: known.name.clone(), kind: known.kind, value });
    }
    Ok(parameters)
}

fn decode_type(from: &mut Decoder<'_>, named: bool) -> Result<ParameterType> {
    let kind = ColumnType::from_wire(from.u8()?).ok_or_else(Error::malformed)?;
    let unsigned = from.u8()? & 0x80 != 0;
    let name = if named { from.lenenc_bytes()?.to_vec() } else { Vec::new() };
    Ok(ParameterType { kind, unsigned, name })
}

/// A value of this type, as both sides write it.
pub(crate) fn decode_value<'a>(
    from: &mut Decoder<'a>,
    kind: ColumnType,
    unsigned_integer: bool,
) -> Result<ParameterValue<'a>> {
    use ColumnType as T;
    let integer = |signed: i64, unsigned: u64| {
        if unsigned_integer { ParameterValue::UInt(unsigned) } else { ParameterValue::Int(signed) }
    };
    Ok(match kind {
        T::Null => ParameterValue::Null,
        T::Tiny | T::Bool => {
            let v = from.u8()?;
            integer(i64::from(v as i8), u64::from(v))
        }
        T::Short | T::Year => {
            let v = from.u16()?;
            integer(i64::from(v as i16), u64::from(v))
        }
        T::Long | T::Int24 => {
            let v = from.u32()?;
            integer(i64::from(v as i32), u64::from(v))
        }
        T::LongLong => {
            let v = from.u64()?;
            integer(v as i64, v)
        }
        T::Float => ParameterValue::Float(f32::from_bits(from.u32()?)),
        T::Double => ParameterValue::Double(f64::from_bits(from.u64()?)),
        T::Date => ParameterValue::Date(decode_date_time(from)?.date),
        T::DateTime | T::Timestamp => ParameterValue::DateTime(decode_date_time(from)?),
        T::Time => ParameterValue::Time(decode_time(from)?),
        _ => ParameterValue::Bytes(from.lenenc_bytes()?),
    })
}

/// A date and time as both sides write it: its length, then as much of it.
pub(crate) fn decode_date_time(from: &mut Decoder<'_>) -> Result<DateTime> {
    let mut value = DateTime::default();
    let len = from.u8()?;
    if !matches!(len, 0 | 4 | 7 | 11) {
        return Err(Error::malformed());
    }
    if len >= 4 {
        value.date = Date { year: from.u16()?, month: from.u8()?, day: from.u8()? };
    }
    if len >= 7 {
        (value.hour, value.minute, value.second) = (from.u8()?, from.u8()?, from.u8()?);
    }
    if len == 11 {
        value.micros = from.u32()?;
    }
    Ok(value)
}

/// A time as both sides write it.
pub(crate) fn decode_time(from: &mut Decoder<'_>) -> Result<Time> {
    let len = from.u8()?;
    if len == 0 {
        return Ok(Time::default());
    }
    if !matches!(len, 8 | 12) {
        return Err(Error::malformed());
    }
    let negative = from.u8()? != 0;
    let days = from.u32()?;
    let (hours, minutes, seconds) = (from.u8()?, from.u8()?, from.u8()?);
    let micros = if len == 12 { from.u32()? } else { 0 };
    let hours = days.checked_mul(24).and_then(|h| h.checked_add(u32::from(hours)));
    let hours = hours.ok_or_else(Error::malformed)?;
    Ok(Time { negative, hours, minutes, seconds, micros })
}

/// Appends NULL bitmap, types and values, with names if the connection has
/// query attributes. Parameters of type [`ParameterValue::Bytes`] whose bytes
/// were sent ahead are in `sent_ahead` by index.
pub fn encode_parameters(
    out: &mut Vec<u8>,
    parameters: &[Parameter<'_>],
    named: bool,
    sent_ahead: impl Fn(usize) -> bool,
) {
    if parameters.is_empty() {
        return;
    }
    let bitmap = out.len();
    out.resize(bitmap + parameters.len().div_ceil(8), 0);
    out.push(1);
    for (index, parameter) in parameters.iter().enumerate() {
        let unsigned = matches!(parameter.value, ParameterValue::UInt(_));
        out.extend_from_slice(&[parameter.kind as u8, if unsigned { 0x80 } else { 0 }]);
        if named {
            put_lenenc_bytes(out, &parameter.name);
        }
        if parameter.value == ParameterValue::Null {
            out[bitmap + index / 8] |= 1 << (index % 8);
        }
    }
    for (index, parameter) in parameters.iter().enumerate() {
        if !sent_ahead(index) {
            encode_value(out, parameter);
        }
    }
}

fn encode_value(out: &mut Vec<u8>, parameter: &Parameter<'_>) {
    use ColumnType as T;
    let integer_len = match parameter.kind {
        T::Tiny | T::Bool => 1,
        T::Short | T::Year => 2,
        T::Long | T::Int24 => 4,
        _ => 8,
    };
    match parameter.value {
        ParameterValue::Null => {}
        ParameterValue::Int(v) => out.extend_from_slice(&v.to_le_bytes()[..integer_len]),
        ParameterValue::UInt(v) => out.extend_from_slice(&v.to_le_bytes()[..integer_len]),
        ParameterValue::Float(v) => out.extend_from_slice(&v.to_le_bytes()),
        ParameterValue::Double(v) => out.extend_from_slice(&v.to_le_bytes()),
        ParameterValue::Bytes(v) => put_lenenc_bytes(out, v),
        ParameterValue::Date(date) => DateTime { date, ..Default::default() }.put_binary(out),
        ParameterValue::DateTime(v) => v.put_binary(out),
        ParameterValue::Time(v) => v.put_binary(out),
    }
}

impl<'a> Parameter<'a> {
    /// A placeholder's value, with the type that holds it.
    pub fn new(value: ParameterValue<'a>) -> Self {
        let kind = match value {
            ParameterValue::Null => ColumnType::Null,
            ParameterValue::Int(_) | ParameterValue::UInt(_) => ColumnType::LongLong,
            ParameterValue::Float(_) => ColumnType::Float,
            ParameterValue::Double(_) => ColumnType::Double,
            ParameterValue::Bytes(_) => ColumnType::VarString,
            ParameterValue::Date(_) => ColumnType::Date,
            ParameterValue::DateTime(_) => ColumnType::DateTime,
            ParameterValue::Time(_) => ColumnType::Time,
        };
        Self { name: Vec::new(), kind, value }
    }
}
