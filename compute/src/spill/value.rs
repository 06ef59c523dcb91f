//! Values as bytes, for files that this process alone reads.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::temporal::{Date, DateTime, Time};

/// 1105: bytes whose checksum was right are not what is written here.
#[cold]
pub(crate) fn broken(what: &str) -> SqlError {
    SqlError::with_message(code::ER_UNKNOWN_ERROR, format!("a temporary file has {what}"))
}

/// Appends a length: seven bits a byte, the lowest first.
pub(crate) fn put_length(mut length: usize, out: &mut Vec<u8>) {
    while length >= 0x80 {
        #[allow(clippy::cast_possible_truncation, reason = "the lowest bits are meant")]
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is below 128")]
    out.push(length as u8);
}

/// Takes what [`put_length`] appended.
///
/// # Errors
/// 1105
pub(crate) fn take_length(from: &mut &[u8]) -> Result<usize, SqlError> {
    let mut length = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let [byte] = take_array(from)?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(length);
        }
    }
    Err(broken("a length without end"))
}

/// Takes so many bytes.
///
/// # Errors
/// 1105
pub(crate) fn take_array<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], SqlError> {
    let (taken, rest) = from.split_first_chunk().ok_or_else(|| broken("too few bytes"))?;
    *from = rest;
    Ok(*taken)
}

/// Appends bytes and how many they are.
pub(crate) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Takes what [`put_bytes`] appended.
///
/// # Errors
/// 1105
pub(crate) fn take_bytes<'b>(from: &mut &'b [u8]) -> Result<&'b [u8], SqlError> {
    let length = take_length(from)?;
    let (taken, rest) = from.split_at_checked(length).ok_or_else(|| broken("too few bytes"))?;
    *from = rest;
    Ok(taken)
}

/// Appends a value.
pub(crate) fn put_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0),
        Value::Int(number) => {
            out.push(1);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::UInt(number) => {
            out.push(2);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Float(number) => {
            out.push(3);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Double(number) => {
            out.push(4);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Decimal(number) => {
            out.push(5);
            let start = out.len();
            // One byte for the length: it is 41 at most.
            out.push(0);
            number.write_compact(out);
            out[start] = u8::try_from(out.len() - start - 1).unwrap_or(u8::MAX);
        }
        Value::Date(date) => {
            out.push(6);
            out.extend_from_slice(&date.packed().to_le_bytes());
        }
        Value::Time(time) => {
            out.push(7);
            out.extend_from_slice(&time.micros().to_le_bytes());
        }
        Value::DateTime(at) => {
            out.push(8);
            out.extend_from_slice(&at.packed().to_le_bytes());
        }
        Value::Bytes(bytes) => {
            out.push(9);
            put_bytes(bytes, out);
        }
    }
}

/// Takes what [`put_value`] appended.
///
/// # Errors
/// 1105
pub(crate) fn take_value(from: &mut &[u8]) -> Result<Value, SqlError> {
    let [kind] = take_array(from)?;
    Ok(match kind {
        0 => Value::Null,
        1 => Value::Int(i64::from_le_bytes(take_array(from)?)),
        2 => Value::UInt(u64::from_le_bytes(take_array(from)?)),
        3 => Value::Float(f32::from_le_bytes(take_array(from)?)),
        4 => Value::Double(f64::from_le_bytes(take_array(from)?)),
        5 => {
            let number = Decimal::read_compact(take_bytes(from)?);
            Value::Decimal(number.map_err(|_| broken("a decimal that is none"))?)
        }
        6 => {
            let date = Date::from_packed(u32::from_le_bytes(take_array(from)?));
            Value::Date(date.ok_or_else(|| broken("a date that is none"))?)
        }
        7 => {
            let time = Time::from_micros(i64::from_le_bytes(take_array(from)?));
            Value::Time(time.map_err(|_| broken("a time that is none"))?)
        }
        8 => {
            let at = DateTime::from_packed(u64::from_le_bytes(take_array(from)?));
            Value::DateTime(at.ok_or_else(|| broken("a moment that is none"))?)
        }
        9 => Value::bytes(take_bytes(from)?),
        _ => return Err(broken("a value that is none")),
    })
}

/// Appends a row.
pub(crate) fn put_row(row: &[Value], out: &mut Vec<u8>) {
    put_length(row.len(), out);
    row.iter().for_each(|value| put_value(value, out));
}

/// Takes what [`put_row`] appended.
///
/// # Errors
/// 1105
pub(crate) fn take_row(from: &mut &[u8]) -> Result<Vec<Value>, SqlError> {
    let length = take_length(from)?;
    // Each value is a byte at least.
    let mut row = Vec::with_capacity(length.min(from.len()));
    for _ in 0..length {
        row.push(take_value(from)?);
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were() {
        let decimal = |mantissa, scale| Value::Decimal(Decimal::new(mantissa, scale).unwrap());
        let rows = [
            vec![],
            vec![Value::Null, Value::Int(i64::MIN), Value::UInt(u64::MAX), Value::Float(-0.5)],
            vec![Value::Double(f64::MIN_POSITIVE), Value::Double(-0.0)],
            vec![decimal(-150, 2), decimal(0, 3), decimal(i128::MAX, 30)],
            vec![
                Value::Date(Date::new(2024, 2, 29).unwrap()),
                Value::Date(Date::from_packed(0).unwrap()),
                Value::Time(Time::MIN),
                Value::DateTime(DateTime::max()),
                Value::DateTime(DateTime::ZERO),
            ],
            vec![
                Value::bytes(b""),
                Value::bytes(&[0, 255, 1]),
                Value::from("x".repeat(70_000).as_str()),
            ],
        ];
        let mut bytes = Vec::new();
        rows.iter().for_each(|row| put_row(row, &mut bytes));
        let mut from = &bytes[..];
        for row in &rows {
            let read = take_row(&mut from).unwrap();
            assert_eq!(format!("{read:?}"), format!("{row:?}"), "also the decimals of numbers");
        }
        assert!(from.is_empty());
        for end in 0..bytes.len().min(200) {
            let mut from = &bytes[..end];
            while take_row(&mut from).is_ok() && !from.is_empty() {}
        }
    }
}
