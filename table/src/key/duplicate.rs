//! What error 1062 says of a key.

use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::number::{
    bit_bytes, write_double, write_double_fixed, write_float, write_float_fixed, write_set,
};
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_mysql_semantics::types::NOT_FIXED_DECIMALS;
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use super::IndexCodec;
use crate::descriptor::ColumnDescriptor;
use crate::timestamp_from_utc;

/// MySQL shows so many bytes.
const SHOWN_BYTES: usize = 64;

impl IndexCodec {
    /// The key of a row as error 1062 shows it: the values joined by `-`, as
    /// `1-abc`, prefixes cut, TIMESTAMP in `zone`, cut to 64 bytes.
    #[must_use]
    pub fn duplicate_text(&self, values: &[Value], zone: &TimeZone) -> String {
        let mut text = Vec::new();
        for (i, part) in self.parts.iter().enumerate() {
            if i > 0 {
                text.push(b'-');
            }
            let column = self.table.columns.get(part.column);
            if let (Some(column), Some(value)) = (column, values.get(part.column)) {
                match value {
                    Value::Bytes(bytes) => show_text(part.cut(bytes), &column.ty, &mut text),
                    _ => show(value, column, zone, &mut text),
                }
            }
            if text.len() > SHOWN_BYTES {
                break;
            }
        }
        // A C string to MySQL.
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        text.truncate(end);
        let mut text = String::from_utf8_lossy(&text).into_owned();
        text.truncate(text.floor_char_boundary(SHOWN_BYTES));
        text
    }
}

/// A value that is no string, in ASCII or UTF-8.
fn show(value: &Value, column: &ColumnDescriptor, zone: &TimeZone, out: &mut Vec<u8>) {
    let ty = &column.ty;
    let decimals = ty.decimals.min(6);
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::UInt(bits) if ty.kind == TypeKind::Bit => {
            let mut bytes = Vec::new();
            bit_bytes(*bits, ty.length.min(64) as u8, &mut bytes);
            show_bytes(&bytes, out);
        }
        Value::UInt(number) if ty.kind == TypeKind::Enum => {
            let member = (*number as usize).checked_sub(1).and_then(|at| column.members.get(at));
            out.extend_from_slice(member.map_or(b"", String::as_bytes));
        }
        Value::UInt(bits) if ty.kind == TypeKind::Set => {
            write_set(*bits, column.members.iter().map(String::as_bytes), out);
        }
        Value::Int(_) | Value::UInt(_) => {
            let text = match value {
                Value::Int(number) => number.to_string(),
                Value::UInt(number) => number.to_string(),
                _ => String::new(),
            };
            let width = column.display_width.filter(|_| column.zerofill).map_or(0, usize::from);
            let year = if ty.kind == TypeKind::Year { 4 } else { 0 };
            out.resize(out.len() + width.max(year).saturating_sub(text.len()), b'0');
            out.extend_from_slice(text.as_bytes());
        }
        Value::Float(number) if ty.decimals < NOT_FIXED_DECIMALS => {
            write_float_fixed(*number, ty.decimals, out);
        }
        Value::Float(number) => write_float(*number, out),
        Value::Double(number) if ty.decimals < NOT_FIXED_DECIMALS => {
            write_double_fixed(*number, ty.decimals, out);
        }
        Value::Double(number) => write_double(*number, out),
        Value::Decimal(number) => number.write_text(out),
        Value::Date(date) => date.write_text(out),
        Value::Time(time) => time.write_text(decimals, out),
        Value::DateTime(at) if ty.kind == TypeKind::Timestamp => {
            timestamp_from_utc(*at, zone).write_text(decimals, out);
        }
        Value::DateTime(at) => at.write_text(decimals, out),
        Value::Bytes(bytes) => show_text(bytes, ty, out),
    }
}

fn show_text(text: &[u8], ty: &SqlType, out: &mut Vec<u8>) {
    let charset = Collation::by_id(ty.collation.0).map_or(Charset::binary(), Collation::charset);
    if !charset.is_binary() {
        // A set that cannot be converted is shown as it is.
        if convert(text, charset, Charset::utf8mb4(), out).is_err() {
            show_bytes(text, out);
        }
    } else if ty.kind == TypeKind::Char {
        // Without what it was filled up with, but for one byte.
        let end = text.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
        show_bytes(text.get(..end).unwrap_or(text), out);
    } else {
        show_bytes(text, out);
    }
}

/// Bytes that are no printable ASCII as `\xHH`.
fn show_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes.iter().take(SHOWN_BYTES) {
        match byte {
            0x20..0x7f => out.push(*byte),
            _ => out.extend_from_slice(format!("\\x{byte:02X}").as_bytes()),
        }
    }
}
