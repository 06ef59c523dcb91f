//! Putting a value into a column: INSERT, UPDATE and LOAD DATA.
//!
//! [`store`] gives the value as the column holds it, with MySQL's warnings, or in
//! strict mode its errors, both naming column and row. CAST differs in nearly every
//! detail and is an expression's business.
//!
//! Not here: JSON columns (see `json`), hex literals for numeric columns (the caller
//! passes their number), and ENUM and SET values of other columns (the caller passes
//! their text).

mod numeric;
mod string;
mod temporal;
#[cfg(test)]
mod tests;

pub(crate) use temporal::delimiter_warning;

use crate::charset::{Charset, NotSupported, convert};
use crate::collation::Collation;
use crate::decimal::Decimal;
use crate::error::{Level, SqlError, Warnings};
use crate::number::{write_double, write_float};
use crate::temporal::zone::TimeZone;
use crate::temporal::{Date, DateMode};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

/// The column that a value is for.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// As warnings name it.
    pub name: &'a str,
    /// Its type. The length of BIT is its bits, that of strings characters, of
    /// binary strings bytes.
    pub ty: &'a SqlType,
    /// The members of ENUM and SET, in the column's character set.
    pub members: &'a [Box<[u8]>],
}

/// What storing depends on beside value and column.
#[derive(Debug)]
pub struct StoreContext<'a> {
    /// STRICT_TRANS_TABLES or STRICT_ALL_TABLES, and no IGNORE.
    pub strict: bool,
    /// The dates that sql_mode takes.
    pub dates: DateMode,
    /// TIME_TRUNCATE_FRACTIONAL.
    pub truncate_fractions: bool,
    /// The session's zone: that of TIMESTAMP values.
    pub zone: &'a TimeZone,
    /// The date in that zone, which a TIME takes on in a column with a date.
    pub today: Date,
    /// The row's number in the statement, from 1.
    pub row: u64,
    /// Where warnings go.
    pub warnings: &'a mut Warnings,
}

impl StoreContext<'_> {
    /// A warning; in strict mode the statement's end.
    fn warn(&mut self, error: SqlError) -> Result<(), SqlError> {
        if self.strict {
            return Err(error);
        }
        self.warnings.push(Level::Warning, error);
        Ok(())
    }

    fn note(&mut self, error: SqlError) {
        self.warnings.push(Level::Note, error);
    }

    fn out_of_range(&mut self, column: &Column<'_>) -> Result<(), SqlError> {
        let error = SqlError::out_of_range_column(column.name, self.row);
        self.warn(error)
    }

    fn truncated(&mut self, column: &Column<'_>) -> Result<(), SqlError> {
        let error = SqlError::data_truncated(column.name, self.row);
        self.warn(error)
    }

    fn note_truncated(&mut self, column: &Column<'_>) {
        self.note(SqlError::data_truncated(column.name, self.row));
    }

    /// 1366.
    fn incorrect(
        &mut self,
        kind: &str,
        text: &[u8],
        from: &SqlType,
        column: &Column<'_>,
    ) -> Result<(), SqlError> {
        let shown = printable(text, from);
        let error = SqlError::incorrect_value_for_column(kind, &shown, column.name, self.row);
        self.warn(error)
    }

    /// 1406 in strict mode, else `code`'s warning.
    fn too_long(&mut self, column: &Column<'_>, lenient: SqlError) -> Result<(), SqlError> {
        if self.strict {
            return Err(SqlError::data_too_long(column.name, self.row));
        }
        self.warnings.push(Level::Warning, lenient);
        Ok(())
    }
}

/// The value as the column holds it. `from` is the value's own type.
///
/// NULL stays NULL in a column that takes it; otherwise it is 1048, which a
/// statement of several rows without strict mode makes a warning of its own.
///
/// # Errors
/// In strict mode 1264, 1265, 1292, 1366, 1406 for a value that does not fit; in any
/// mode 1048, and 1235 for a column or a character set that is not supported.
pub fn store(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    if value.is_null() {
        return if column.ty.nullable {
            Ok(Value::Null)
        } else {
            Err(SqlError::bad_null(column.name))
        };
    }
    match column.ty.kind {
        TypeKind::TinyInt => numeric::integer(value, from, column, 1, cx),
        TypeKind::SmallInt => numeric::integer(value, from, column, 2, cx),
        TypeKind::MediumInt => numeric::integer(value, from, column, 3, cx),
        TypeKind::Int => numeric::integer(value, from, column, 4, cx),
        TypeKind::BigInt => numeric::integer(value, from, column, 8, cx),
        TypeKind::Decimal => numeric::decimal(value, from, column, cx),
        TypeKind::Float | TypeKind::Double => numeric::double(value, from, column, cx),
        TypeKind::Bit => numeric::bit(value, from, column, cx),
        TypeKind::Year => numeric::year(value, from, column, cx),
        TypeKind::Date | TypeKind::DateTime | TypeKind::Timestamp => {
            temporal::date_and_time(value, from, column, cx)
        }
        TypeKind::Time => temporal::time(value, from, column, cx),
        TypeKind::Enum => string::enumeration(value, from, column, cx),
        TypeKind::Set => string::set(value, from, column, cx),
        TypeKind::Char
        | TypeKind::Varchar
        | TypeKind::TinyText
        | TypeKind::Text
        | TypeKind::MediumText
        | TypeKind::LongText => string::string(value, from, column, cx),
        TypeKind::Null | TypeKind::Json | TypeKind::Geometry => {
            Err(SqlError::not_supported_yet("storing into a column of this type"))
        }
    }
}

/// A number, whatever the value is.
enum Number {
    Int(i64),
    UInt(u64),
    Double(f64),
    Decimal(Decimal),
}

/// A value that is no string as a number: dates and times are their digits.
fn number(value: &Value, from: &SqlType) -> Number {
    match value {
        Value::Int(number) => Number::Int(*number),
        Value::UInt(number) => Number::UInt(*number),
        Value::Float(number) => Number::Double(f64::from(*number)),
        Value::Double(number) => Number::Double(*number),
        Value::Decimal(number) => Number::Decimal(number.clone()),
        Value::Date(date) => Number::Int(i64::from(date.to_number())),
        Value::Time(time) => {
            let sign = if time.is_negative() { -1 } else { 1 };
            digits(time.to_number(), sign, time.microsecond(), from)
        }
        Value::DateTime(value) => {
            // Fourteen digits.
            digits(value.to_number() as i64, 1, value.microsecond(), from)
        }
        Value::Null | Value::Bytes(_) => Number::Int(0),
    }
}

/// A value as a number for integers: dates and times are rounded to the second.
fn whole_number(value: &Value, from: &SqlType) -> Number {
    match value {
        Value::Time(time) => {
            Number::Int(time.round(0, false).unwrap_or_else(|limit| limit).to_number())
        }
        Value::DateTime(value) => Number::UInt(value.round(0, false).unwrap_or(*value).to_number()),
        _ => number(value, from),
    }
}

/// `whole` and a fraction of microseconds with the type's decimals.
fn digits(whole: i64, sign: i64, micros: u32, from: &SqlType) -> Number {
    if from.decimals == 0 || micros == 0 {
        return Number::Int(whole);
    }
    let mantissa = i128::from(whole) * 1_000_000 + i128::from(sign * i64::from(micros));
    Decimal::new(mantissa, 6).map_or(Number::Int(whole), Number::Decimal)
}

/// The text of a value that is no string, in ASCII.
fn text(value: &Value, from: &SqlType) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    let decimals = from.decimals.min(6);
    match value {
        Value::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::UInt(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Float(number) => write_float(*number, &mut out),
        Value::Double(number) => write_double(*number, &mut out),
        Value::Decimal(number) => number.write_text(&mut out),
        Value::Date(date) => date.write_text(&mut out),
        Value::Time(time) => time.write_text(decimals, &mut out),
        Value::DateTime(value) => value.write_text(decimals, &mut out),
        Value::Bytes(bytes) => out.extend_from_slice(bytes),
        Value::Null => {}
    }
    out
}

/// A collation's character set.
fn charset(ty: &SqlType) -> Result<&'static Charset, SqlError> {
    Collation::by_id(ty.collation.0)
        .map(Collation::charset)
        .ok_or_else(|| SqlError::unknown_collation(&ty.collation.0.to_string()))
}

fn unsupported(error: NotSupported) -> SqlError {
    SqlError::not_supported_yet(&error.to_string())
}

/// A string in a form whose digits and signs are ASCII: itself, unless its
/// characters are wide.
fn ascii<'a>(bytes: &'a [u8], from: &SqlType, wide: &'a mut Vec<u8>) -> Result<&'a [u8], SqlError> {
    let set = charset(from)?;
    if set.is_ascii_superset() || set.is_binary() {
        return Ok(bytes);
    }
    convert(bytes, set, Charset::utf8mb4(), wide).map_err(unsupported)?;
    Ok(wide)
}

/// A text of a type in a message: in UTF-8, where what is none becomes `\xHH`. Binary strings
/// are shown byte by byte.
fn printable(text: &[u8], from: &SqlType) -> String {
    let set = Collation::by_id(from.collation.0).map_or(Charset::utf8mb4(), Collation::charset);
    let mut out = String::with_capacity(text.len());
    if from.kind.is_string() && set.is_binary() {
        for byte in text {
            match byte {
                0x20..=0x7e => out.push(char::from(*byte)),
                _ => out.push_str(&format!("\\x{byte:02X}")),
            }
        }
        return out;
    }
    let mut converted = Vec::new();
    let wide = !set.is_ascii_superset();
    // Wide characters were converted before.
    let text = match wide || convert(text, set, Charset::utf8mb4(), &mut converted) != Ok(0) {
        true => text,
        false => &converted,
    };
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02X}"));
        }
    }
    out
}
