//! Strings, ENUM and SET.

use super::{Column, Number, StoreContext, charset, number, text, unsupported};
use crate::charset::{Charset, convert};
use crate::collation::Collation;
use crate::decimal::Rounding;
use crate::error::SqlError;
use crate::number::{
    NumberStatus, enum_by_number, parse_integer_prefix, set_from_parts, set_mask,
    write_double_within,
};
use crate::types::{SqlType, TypeKind};
use crate::value::{Bytes, Value};
use std::borrow::Cow;

/// The bytes of a value in the column's character set, and the bytes from the
/// first that is no character on.
type Converted<'a> = (Cow<'a, [u8]>, Option<Cow<'a, [u8]>>);

fn converted<'a>(
    value: &'a Value,
    from: &SqlType,
    column: &Column<'_>,
    to: &Charset,
) -> Result<Converted<'a>, SqlError> {
    let (bytes, from_set): (Cow<'a, [u8]>, &Charset) = match value {
        Value::Bytes(bytes) => (Cow::Borrowed(&bytes[..]), charset(from)?),
        // A double has as many digits as the column has room for.
        Value::Double(number) => {
            let mut out = Vec::new();
            if !write_double_within(*number, column.ty.length as usize, &mut out) {
                // One byte more than fits, so that it counts as too long.
                out.resize(out.len().max(column.ty.length as usize + 1), b'0');
            }
            (Cow::Owned(out), Charset::utf8mb4())
        }
        _ => (Cow::Owned(text(value, from)), Charset::utf8mb4()),
    };
    if to.is_binary() {
        return Ok((bytes, None));
    }
    if from_set == to || from_set.is_binary() {
        let (good, _) = to.well_formed_prefix(&bytes, usize::MAX).map_err(unsupported)?;
        if good == bytes.len() {
            return Ok((bytes, None));
        }
        let bad = bytes[good..].to_vec();
        return Ok((Cow::Owned(bytes[..good].to_vec()), Some(Cow::Owned(bad))));
    }
    let mut out = Vec::with_capacity(bytes.len());
    let lost = convert(&bytes, from_set, to, &mut out).map_err(unsupported)?;
    if lost == 0 {
        return Ok((Cow::Owned(out), None));
    }
    // MySQL shows the source from the first character that has no place.
    let mut good = 0;
    let mut whole = true;
    while whole && good < bytes.len() {
        let next = good + from_set.char_offset(&bytes[good..], 1).map_err(unsupported)?.max(1);
        let next = next.min(bytes.len());
        let mut one = Vec::new();
        whole = convert(&bytes[good..next], from_set, to, &mut one).map_err(unsupported)? == 0;
        if whole {
            good = next;
        }
    }
    Ok((Cow::Owned(out), Some(Cow::Owned(bytes[good..].to_vec()))))
}

/// Up to six bytes as `\xHH`, as 1366 shows them.
fn shown(bad: &[u8]) -> String {
    let mut out = String::new();
    for byte in bad.iter().take(6) {
        if (0x20..0x7f).contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("\\x{byte:02X}"));
        }
    }
    if bad.len() > 6 {
        out.push_str("...");
    }
    out
}

/// Bytes that the column's type has room for, apart from its characters.
fn byte_limit(kind: TypeKind) -> usize {
    match kind {
        TypeKind::TinyText => 255,
        TypeKind::Text | TypeKind::Varchar | TypeKind::Char => 65_535,
        TypeKind::MediumText => 16_777_215,
        _ => u32::MAX as usize,
    }
}

pub(super) fn string(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let set = charset(column.ty)?;
    let (bytes, bad) = converted(value, from, column, set)?;
    if let Some(bad) = &bad {
        let error =
            SqlError::incorrect_value_for_column("string", &shown(bad), column.name, cx.row);
        cx.warn(error)?;
    }
    let room = if column.ty.kind.is_text() {
        let limit = byte_limit(column.ty.kind).min(bytes.len());
        // No character is split.
        if set.is_binary() || limit == bytes.len() {
            limit
        } else {
            set.well_formed_prefix(&bytes[..limit], usize::MAX).map_err(unsupported)?.0
        }
    } else if set.is_binary() {
        bytes.len().min(column.ty.length as usize)
    } else {
        set.char_offset(&bytes, column.ty.length as usize).map_err(unsupported)?.min(bytes.len())
    };
    if room < bytes.len() {
        let spaces = !set.is_binary() && bytes[room..].iter().all(|byte| *byte == b' ');
        if !spaces {
            let lenient = SqlError::data_truncated(column.name, cx.row);
            cx.too_long(column, lenient)?;
        } else if column.ty.kind != TypeKind::Char {
            cx.note_truncated(column);
        }
    }
    let mut stored = Bytes::from_slice(&bytes[..room]);
    if column.ty.kind == TypeKind::Char {
        if set.is_binary() {
            stored.resize(column.ty.length as usize, 0);
        } else if set.min_bytes() == 1 {
            let end = stored.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1);
            stored.truncate(end);
        }
    }
    Ok(Value::Bytes(stored))
}

/// Finds a member by the column's collation; trailing spaces do not count.
fn find(
    name: &[u8],
    collation: &Collation,
    members: &[Box<[u8]>],
) -> Result<Option<usize>, SqlError> {
    let end = name.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1);
    for (at, member) in members.iter().enumerate() {
        if collation.compare(&name[..end], member).map_err(unsupported)?.is_eq() {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// The number that all of a text is.
fn whole_number(text: &[u8]) -> Option<u64> {
    let read = parse_integer_prefix(text);
    let negative = read.value.negative && read.value.magnitude != 0;
    (read.status == NumberStatus::Read && read.consumed == text.len() && !negative)
        .then_some(read.value.magnitude)
}

/// A value that is no string as the number of a member or of bits.
fn member_number(value: &Value, from: &SqlType) -> u64 {
    match number(value, from) {
        Number::Int(number) => number as u64,
        Number::UInt(number) => number,
        Number::Double(number) => number as i64 as u64,
        Number::Decimal(number) => {
            number.to_i64(Rounding::Truncate).unwrap_or_else(|limit| limit) as u64
        }
    }
}

fn collation(ty: &SqlType) -> Result<&'static Collation, SqlError> {
    Collation::by_id(ty.collation.0)
        .ok_or_else(|| SqlError::unknown_collation(&ty.collation.0.to_string()))
}

fn is_of_text(value: &Value) -> bool {
    matches!(value, Value::Bytes(_) | Value::Date(_) | Value::Time(_) | Value::DateTime(_))
}

pub(super) fn enumeration(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let count = column.members.len();
    let index = if is_of_text(value) {
        let collation = collation(column.ty)?;
        let (text, _) = converted(value, from, column, collation.charset())?;
        match find(&text, collation, column.members)? {
            Some(at) => Some(at as u64 + 1),
            // Spaces at the end count for SET alone.
            None => whole_number(text.trim_ascii_end()).filter(|number| *number <= count as u64),
        }
    } else {
        Some(member_number(value, from)).filter(|number| *number != 0)
    };
    match index.and_then(|index| enum_by_number(index, count)) {
        Some(index) => Ok(Value::UInt(u64::from(index))),
        None => {
            cx.truncated(column)?;
            Ok(Value::UInt(0))
        }
    }
}

pub(super) fn set(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let mask = set_mask(column.members.len());
    if !is_of_text(value) {
        let bits = member_number(value, from);
        if bits & !mask != 0 {
            cx.truncated(column)?;
        }
        return Ok(Value::UInt(bits & mask));
    }
    let collation = collation(column.ty)?;
    let (text, _) = converted(value, from, column, collation.charset())?;
    let mut failed = None;
    let parts = match text.is_empty() {
        true => Vec::new(),
        false => collation.charset().split_commas(&text),
    };
    let parsed = set_from_parts(parts, |name| {
        find(name, collation, column.members).unwrap_or_else(|error| {
            failed = Some(error);
            None
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    if parsed.complete {
        return Ok(Value::UInt(parsed.bits));
    }
    if let Some(bits) = whole_number(&text).filter(|bits| bits & !mask == 0) {
        return Ok(Value::UInt(bits));
    }
    cx.truncated(column)?;
    Ok(Value::UInt(parsed.bits))
}
