//! What expressions ask of the modules below them: character sets, collations,
//! decimals. Dates and times are in [`date`] and [`clock`].

mod clock;
mod compared;
mod date;
mod moment;
mod shown;
mod temporal;

use std::borrow::Cow;
use std::cmp::Ordering;

pub(crate) use clock::*;
pub(crate) use compared::*;
pub(crate) use date::*;
pub(crate) use moment::*;
pub(crate) use shown::{bytes_as_message, bytes_as_utf8mb3, bytes_as_utf8mb4};
pub(crate) use temporal::*;

use super::Result;
use super::context::{Cx, Row};
use super::node::Node;
use crate::charset::{self, Charset};
use crate::collation::Collation;
use crate::decimal::{Decimal, Rounding};
use crate::error::{SqlError, code};
use crate::number;
use crate::types::{CollationId, NOT_FIXED_DECIMALS, SqlType, TypeKind};
use crate::value::{Bytes, Value};

/// The collation of text that is ASCII: `ascii_general_ci`.
pub(crate) const ASCII: CollationId = CollationId(11);

/// What coercion wants to know of a character set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CharsetFacts {
    pub(crate) unicode: bool,
    /// Has the characters beyond the first plane.
    pub(crate) supplementary: bool,
    pub(crate) min_bytes: u8,
    pub(crate) max_bytes: u8,
}

pub(crate) fn collation(id: CollationId) -> &'static Collation {
    Collation::by_id(id.0).unwrap_or_else(Collation::binary)
}

fn charset(id: CollationId) -> &'static Charset {
    collation(id).charset()
}

pub(crate) fn charset_facts(id: CollationId) -> CharsetFacts {
    let set = charset(id);
    let supplementary = matches!(set.name(), "utf8mb4" | "utf16" | "utf16le" | "utf32");
    CharsetFacts {
        unicode: supplementary || matches!(set.name(), "utf8mb3" | "ucs2"),
        supplementary,
        min_bytes: set.min_bytes() as u8,
        max_bytes: set.max_bytes() as u8,
    }
}

pub(crate) fn same_charset(a: CollationId, b: CollationId) -> bool {
    a == b || charset(a) == charset(b)
}

pub(crate) fn is_bin(id: CollationId) -> bool {
    collation(id).is_binary_order()
}

pub(crate) fn bin_of(id: CollationId) -> CollationId {
    CollationId(charset(id).binary_collation().id())
}

pub(crate) fn collation_name(id: CollationId) -> &'static str {
    collation(id).name()
}

pub(crate) fn charset_name(id: CollationId) -> &'static str {
    charset(id).name()
}

pub(crate) fn collation_by_name(name: &str) -> Option<CollationId> {
    Collation::by_name(name).map(|collation| CollationId(collation.id()))
}

pub(crate) fn default_collation(charset: &str) -> Option<CollationId> {
    Charset::by_name(charset).map(|set| CollationId(set.default_collation().id()))
}

/// Characters of a text; bytes where its set is not supported.
pub(crate) fn char_length(id: CollationId, text: &[u8]) -> usize {
    charset(id).char_length(text).unwrap_or(text.len())
}

/// Bytes of the first `chars` characters.
pub(crate) fn char_offset(id: CollationId, text: &[u8], chars: usize) -> usize {
    charset(id).char_offset(text, chars).unwrap_or_else(|_| chars.min(text.len()))
}

/// The order of two texts; of bytes where the collation is not supported, which
/// binding has refused already.
#[inline]
pub(crate) fn compare_text(id: CollationId, a: &[u8], b: &[u8]) -> Ordering {
    collation(id).compare(a, b).unwrap_or_else(|_| a.cmp(b))
}

/// Text in UTF-8; what cannot be read becomes the replacement character.
pub(crate) fn to_utf8(text: &[u8], from: CollationId) -> String {
    let set = charset(from);
    let mut out = Vec::with_capacity(text.len());
    if set.is_binary() || charset::convert(text, set, Charset::utf8mb4(), &mut out).is_err() {
        return String::from_utf8_lossy(text).into_owned();
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// As messages show a text: they are utf8mb3, and bytes that are no text end them
/// at the first zero.
pub(crate) fn shown_text(text: &[u8], from: CollationId) -> String {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    to_utf8(text, from).chars().map(|c| if c as u32 > 0xFFFF { '?' } else { c }).collect()
}

/// As messages about dates show a text: bytes that are no text in hexadecimal.
pub(crate) fn shown_in_full(text: &[u8], from: CollationId) -> Vec<u8> {
    if !from.is_binary() {
        let narrow = |c: char| if c as u32 > 0xFFFF { '?' } else { c };
        return to_utf8(text, from).chars().map(narrow).collect::<String>().into_bytes();
    }
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if byte.is_ascii_graphic() || *byte == b' ' {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("\\x{byte:02X}").as_bytes());
        }
    }
    out
}

/// Characters before the first `part` in `text`.
pub(crate) fn find(id: CollationId, text: &[u8], part: &[u8]) -> Option<usize> {
    collation(id).find(text, part).ok().flatten().map(|found| found.chars)
}

pub(crate) fn like(id: CollationId, text: &[u8], pattern: &[u8], escape: Option<u32>) -> bool {
    collation(id).like(text, pattern, escape).unwrap_or(false)
}

/// The escape character of LIKE.
pub(crate) fn escape_character(
    escape: &Node,
    id: CollationId,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<u32>> {
    let Some(text) = escape.eval_text(cx, row)? else { return Ok(Some(u32::from(b'\\'))) };
    let from = if escape.ty.kind.is_string() { escape.ty.collation } else { ASCII };
    if text.len() > 1 && char_length(from, &text) > 1 {
        return Err(SqlError::wrong_arguments("ESCAPE"));
    }
    let _ = id;
    let mut code = None;
    let walked = charset(from).for_each_char(&text, |unit| code = Some(unit.code));
    Ok(match walked {
        Ok(()) => code,
        Err(_) => text.first().map(|byte| u32::from(*byte)),
    })
}

pub(crate) fn upper(id: CollationId, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    if id.is_binary() || collation(id).upper(text, &mut out).is_err() {
        return text.to_vec();
    }
    out
}

pub(crate) fn lower(id: CollationId, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    if id.is_binary() || collation(id).lower(text, &mut out).is_err() {
        return text.to_vec();
    }
    out
}

fn hex_digits(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    number::hex_literal_text(bytes, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn unsupported(error: charset::NotSupported) -> SqlError {
    SqlError::not_supported_yet(&error.to_string())
}

/// `text` in another character set; what has no place there becomes `?`. Bytes
/// that are no text of the set they become give NULL and warning 1300.
pub(crate) fn to_charset(
    text: &[u8],
    from: CollationId,
    to: CollationId,
    cx: &mut Cx<'_>,
) -> Result<Value> {
    let (source, target) = (charset(from), charset(to));
    let mut out = Vec::with_capacity(text.len());
    charset::convert(text, source, target, &mut out).map_err(unsupported)?;
    if source.is_binary() && !target.is_binary() {
        return checked_text(Value::from(out), to, cx);
    }
    Ok(Value::from(out))
}

/// `text` in another character set; 3854 if it is no text there, or loses.
pub(crate) fn to_charset_strictly(
    text: &[u8],
    from: CollationId,
    to: CollationId,
) -> Result<Vec<u8>> {
    let (source, target) = (charset(from), charset(to));
    let mut out = Vec::with_capacity(text.len());
    let lost = charset::convert(text, source, target, &mut out).map_err(unsupported)?;
    let (good, _) = target.well_formed_prefix(&out, usize::MAX).map_err(unsupported)?;
    if lost > 0 || good < out.len() {
        return Err(cannot_convert(text, source, target));
    }
    Ok(out)
}

fn cannot_convert(text: &[u8], source: &Charset, target: &Charset) -> SqlError {
    let mut shown = String::new();
    for byte in text.iter().take(6) {
        match byte {
            0x20..0x7f => shown.push(char::from(*byte)),
            byte => shown.push_str(&format!("\\x{byte:02X}")),
        }
    }
    if text.len() > 6 {
        shown.push_str("...");
    }
    SqlError::cannot_convert_string(&shown, source.name(), target.name())
}

/// A text of ours in a collation's character set; bytes stay as they are.
pub(crate) fn from_utf8(text: &str, to: CollationId, cx: &mut Cx<'_>) -> Result<Value> {
    if to.is_binary() {
        return Ok(Value::bytes(text.as_bytes()));
    }
    to_charset(text.as_bytes(), CollationId::UTF8MB4_BIN, to, cx)
}

/// `value` if it is well-formed text, else NULL and warning 1300.
pub(crate) fn checked_text(value: Value, id: CollationId, cx: &mut Cx<'_>) -> Result<Value> {
    let Value::Bytes(bytes) = &value else { return Ok(value) };
    let set = charset(id);
    let (good, _) = set.well_formed_prefix(bytes, usize::MAX).map_err(unsupported)?;
    if good == bytes.len() {
        return Ok(value);
    }
    let bad = bytes.get(good..).unwrap_or_default();
    let shown = hex_digits(bad.get(..3.min(bad.len())).unwrap_or_default());
    cx.warn(SqlError::invalid_character_string(set.name(), &shown));
    Ok(Value::Null)
}

/// A text of the statement, which was parsed in UTF-8, in the client's character set.
pub(crate) fn as_sent(text: &[u8], client: CollationId) -> Result<Cow<'_, [u8]>> {
    let set = charset(client);
    if set.is_read_directly() {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    charset::convert(text, Charset::utf8mb4(), set, &mut out).map_err(unsupported)?;
    Ok(Cow::Owned(out))
}

/// A literal of the client's in the connection's character set. What has no place
/// there becomes `?`, which is warned of.
pub(crate) fn literal_for_connection(
    text: &[u8],
    client: CollationId,
    connection: CollationId,
) -> Result<(Vec<u8>, Option<SqlError>)> {
    let (source, target) = (charset(client), charset(connection));
    let mut out = Vec::with_capacity(text.len());
    let lost = charset::convert(text, source, target, &mut out).map_err(unsupported)?;
    if source.is_binary() {
        let (good, _) = target.well_formed_prefix(&out, usize::MAX).map_err(unsupported)?;
        let bad = out.get(good..).filter(|bad| !bad.is_empty());
        let shown = bad.map(|bad| hex_digits(bad.get(..6.min(bad.len())).unwrap_or_default()));
        let warning = shown.map(|shown| SqlError::invalid_character_string(target.name(), &shown));
        return Ok((out, warning));
    }
    let warning = (lost > 0).then(|| {
        let said = cannot_convert(text, source, target);
        SqlError::with_message(code::ER_INVALID_CHARACTER_STRING, said.message())
    });
    Ok((out, warning))
}

/// The bytes of a string literal, with warning 1300 if they are no text of their set.
pub(crate) fn checked_literal(bytes: &[u8], id: CollationId) -> Result<(Bytes, Option<SqlError>)> {
    let set = charset(id);
    let mut value = Bytes::from_slice(bytes);
    let over = value.len() % set.min_bytes().max(1);
    if over > 0 {
        let mut padded = vec![0; set.min_bytes() - over];
        padded.extend_from_slice(bytes);
        value = Bytes::from_vec(padded);
    }
    let (good, _) = set.well_formed_prefix(&value, usize::MAX).map_err(unsupported)?;
    let bad = value.get(good..).filter(|bad| !bad.is_empty());
    let warning = bad.map(|bad| {
        let shown = hex_digits(bad.get(..3.min(bad.len())).unwrap_or_default());
        SqlError::invalid_character_string(set.name(), &shown)
    });
    Ok((value, warning))
}

/// `text` in another set if nothing is lost by it.
pub(crate) fn convert_exactly(text: &[u8], from: CollationId, to: CollationId) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    (charset::convert(text, charset(from), charset(to), &mut out).ok()? == 0).then_some(out)
}

/// A DECIMAL with exactly the decimals of its type; `None` if it has them.
pub(crate) fn decimal_settled(value: &Decimal, ty: &SqlType) -> Option<Value> {
    let ty = &ty.as_stored();
    if ty.kind != TypeKind::Decimal || value.scale() == ty.decimals {
        return None;
    }
    value.round(ty.decimals.into(), Rounding::HalfUp).map(Value::Decimal)
}

pub(crate) fn decimal_add(a: &Decimal, b: &Decimal) -> Option<Decimal> {
    a.add(b).ok()
}

pub(crate) fn decimal_subtract(a: &Decimal, b: &Decimal) -> Option<Decimal> {
    a.sub(b).ok()
}

pub(crate) fn decimal_multiply(a: &Decimal, b: &Decimal) -> Option<Decimal> {
    a.mul(b).ok()
}

pub(crate) fn decimal_divide(
    a: &Decimal,
    b: &Decimal,
    increment: u8,
    scale: u8,
) -> Option<Decimal> {
    a.div(b, increment, scale).ok()
}

pub(crate) fn decimal_modulo(a: &Decimal, b: &Decimal) -> Option<Decimal> {
    a.rem(b).ok()
}

pub(crate) fn decimal_negate(value: &Decimal) -> Decimal {
    value.neg()
}

pub(crate) fn decimal_int_divide(a: &Decimal, b: &Decimal) -> Option<i128> {
    decimal_to_int(&a.div_integer(b).ok()?)
}

/// A whole decimal as an integer.
pub(crate) fn decimal_to_int(value: &Decimal) -> Option<i128> {
    value.round(0, Rounding::Truncate)?.to_i128().map(|(value, _)| value)
}

pub(crate) fn decimal_whole(value: &Decimal, up: bool) -> Decimal {
    let rounding = if up { Rounding::Ceiling } else { Rounding::Floor };
    value.round(0, rounding).unwrap_or_else(|| value.clone())
}

pub(crate) fn decimal_round(value: &Decimal, places: i32, cut: bool) -> Option<Decimal> {
    value.round(places, if cut { Rounding::Truncate } else { Rounding::HalfUp })
}

/// The text with so many digits after the point.
pub(crate) fn decimal_fixed(value: &Decimal, places: u8) -> Vec<u8> {
    let mut out = Vec::new();
    match value.round(places.into(), Rounding::HalfUp) {
        Some(value) => value.write_text(&mut out),
        None => value.write_text(&mut out),
    }
    out
}

pub(crate) fn double_fixed(value: f64, places: u8) -> Vec<u8> {
    let mut out = Vec::new();
    number::write_double_fixed(value, places, &mut out);
    out
}

pub(crate) fn decimal_literal(text: &str) -> Result<Decimal> {
    let parsed = Decimal::parse_prefix(text.as_bytes());
    if matches!(parsed.status, crate::decimal::ParseStatus::Overflow) {
        return Err(SqlError::truncated_wrong_value("DECIMAL", text));
    }
    Ok(parsed.value)
}

pub(crate) fn double_literal(text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(SqlError::new(code::ER_ILLEGAL_VALUE_FOR_TYPE, &["double".into(), text.into()])),
    }
}

/// The text of a value of a node's type; `None` for NULL.
pub(crate) fn text_of(value: &Value, node: &Node) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(24);
    let ty = &node.ty;
    match value {
        Value::Null => return None,
        Value::Int(value) => write_int(i128::from(*value), &mut out),
        // What CAST makes is printed as a number.
        Value::UInt(value)
            if ty.kind == TypeKind::Year && !matches!(node.op, super::Op::Cast(_)) =>
        {
            out.extend_from_slice(format!("{value:04}").as_bytes());
        }
        Value::UInt(value) if ty.kind == TypeKind::Bit => {
            number::bit_bytes(*value, ty.length.clamp(1, 64) as u8, &mut out);
        }
        Value::UInt(value) => write_int(i128::from(*value), &mut out),
        Value::Float(value) if ty.decimals < NOT_FIXED_DECIMALS => {
            number::write_float_fixed(*value, ty.decimals, &mut out);
        }
        Value::Float(value) => number::write_float(*value, &mut out),
        Value::Double(value) if ty.kind == TypeKind::Double && ty.decimals < NOT_FIXED_DECIMALS => {
            number::write_double_fixed(*value, ty.decimals, &mut out);
        }
        Value::Double(value) => number::write_double(*value, &mut out),
        Value::Decimal(value) if node.keeps_scale() => value.write_text(&mut out),
        Value::Decimal(value) => match decimal_settled(value, ty) {
            Some(Value::Decimal(value)) => value.write_text(&mut out),
            _ => value.write_text(&mut out),
        },
        Value::Bytes(bytes) if ty.kind == TypeKind::Json => {
            // Bytes that are no document have no text.
            out.extend_from_slice(&super::json::text(bytes).ok()?);
        }
        Value::Bytes(bytes) => out.extend_from_slice(bytes),
        Value::Date(date) => date.write_text(&mut out),
        Value::Time(time) => time.write_text(ty.decimals.min(6), &mut out),
        Value::DateTime(datetime) => datetime.write_text(ty.decimals.min(6), &mut out),
    }
    Some(out)
}

fn write_int(value: i128, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

/// A value as a truth.
pub(crate) fn truth(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<bool>> {
    use super::Domain;
    if node.numeric_domain() == Domain::Double {
        return Ok(node.eval_double(cx, row)?.map(|value| value != 0.0));
    }
    let value = node.eval(cx, row)?;
    Ok(match &*value {
        Value::Null => None,
        Value::Int(value) => Some(*value != 0),
        Value::UInt(value) => Some(*value != 0),
        Value::Decimal(value) => Some(!value.is_zero()),
        Value::Double(value) => Some(*value != 0.0),
        Value::Float(value) => Some(*value != 0.0),
        _ => node.eval_decimal(cx, row)?.map(|value| !value.is_zero()),
    })
}
