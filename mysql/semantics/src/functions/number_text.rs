//! Numbers written in other ways: HEX, CONV, FORMAT, CHAR.

use std::borrow::Cow;

use super::{Function, MANY, arg, locale};
use crate::error::{SqlError, code};
use crate::expr::{Call, Cx, Domain, Node, Op, Result, Site, leaf};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("hex", (1, 1), hex_type, hex, "In hexadecimal digits").nullable(),
    Function::new("unhex", (1, 1), unhex_type, unhex, "The bytes of hexadecimal digits").nullable(),
    Function::new("bin", (1, 1), conv_type, |c, x| radix(c, x, 2), "A number in binary digits")
        .nullable(),
    Function::new("oct", (1, 1), conv_type, |c, x| radix(c, x, 8), "A number in octal digits")
        .nullable(),
    Function::new("conv", (3, 3), conv_type, conv, "A number from one base in another").nullable(),
    Function::new("char", (1, MANY), char_type, char, "The characters of numbers").nullable(),
    Function::new("format", (2, 3), format_type, format, "With commas between thousands")
        .nullable(),
    Function::new(
        "inet_aton",
        (1, 1),
        |_| Ok(SqlType::bigint(21).with_unsigned(true)),
        inet_aton,
        "An IPv4 address as a number",
    )
    .nullable(),
    Function::new("inet_ntoa", (1, 1), inet_type, inet_ntoa, "A number as an IPv4 address")
        .nullable(),
];

fn hex_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.connection_text();
    let number = site.node(0)?.numeric_class().is_some();
    let length = if number { 16 } else { site.byte_length(0) * 2 };
    Ok(site.text(length, coll))
}

fn hex(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let number = call.arg(0).is_some_and(|arg| {
        arg.ty.kind.is_integer()
            || matches!(
                arg.ty.kind,
                crate::types::TypeKind::Decimal
                    | crate::types::TypeKind::Double
                    | crate::types::TypeKind::Float
                    | crate::types::TypeKind::Year
                    | crate::types::TypeKind::Bit
            )
    });
    if number {
        let value = match call.domain(0) {
            Domain::Double => {
                let value = arg!(call.double(0, cx));
                if let Some(arg) = call.arg(0) {
                    arg.check_bigint(value)?;
                }
                if value >= i64::MAX as f64 {
                    i64::MAX as u64
                } else if value <= i64::MIN as f64 {
                    u64::MAX
                } else {
                    (value.round_ties_even() as i128) as u64
                }
            }
            _ => arg!(call.int(0, cx)) as u64,
        };
        return Ok(Value::from(format!("{value:X}").into_bytes()));
    }
    let text = arg!(call.text(0, cx));
    Ok(Value::from(hex_of(&text)))
}

/// Two upper-case digits a byte.
pub(super) fn hex_of(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |at: u8| DIGITS.get(usize::from(at)).copied().unwrap_or(b'0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let length = site.type_bytes(0).div_ceil(2);
    Ok(site.binary(length))
}

/// 1411 for an argument that is not of the right form, and NULL.
pub(super) fn refused(kind: &str, call: &Call<'_>, cx: &mut Cx<'_>) -> Value {
    let printed = call.arg(0).map(crate::expr::printed).unwrap_or_default();
    let mut shown = String::with_capacity(printed.len());
    for c in printed.chars() {
        match c {
            c if u32::from(c) <= 0xFFFF && c != char::REPLACEMENT_CHARACTER => shown.push(c),
            // A byte that is no text.
            char::REPLACEMENT_CHARACTER => shown.push('?'),
            c => shown.extend(std::iter::repeat_n('?', c.len_utf8())),
        }
    }
    let name = call.call.function.name;
    cx.warn(crate::error::SqlError::wrong_value_for_function(kind, &shown, name));
    Value::Null
}

fn unhex(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let mut out = Vec::with_capacity(text.len() / 2 + 1);
    let mut digits = text.iter().map(|byte| (*byte as char).to_digit(16).map(|digit| digit as u8));
    if text.len() % 2 == 1 {
        match digits.next() {
            Some(Some(digit)) => out.push(digit),
            _ => return Ok(refused("string", call, cx)),
        }
    }
    while let Some(high) = digits.next() {
        match (high, digits.next()) {
            (Some(high), Some(Some(low))) => out.push(high << 4 | low),
            _ => return Ok(refused("string", call, cx)),
        }
    }
    Ok(Value::from(out))
}

fn conv_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.connection_text();
    Ok(site.text(65, coll))
}

/// The text of the number; a literal in hexadecimal is a number here, and so is a column of
/// BIT.
fn number_text<'a>(call: &Call<'a>, cx: &mut Cx<'_>) -> Result<Option<Cow<'a, [u8]>>> {
    match call.arg(0).map(|arg| &arg.op) {
        op if matches!(op, Some(Op::Hex(_))) || is_bit_column(call.arg(0)) => {
            Ok(call.int(0, cx)?.map(|value| Cow::Owned(value.to_string().into_bytes())))
        }
        _ => call.text(0, cx),
    }
}

fn is_bit_column(arg: Option<&Node>) -> bool {
    arg.is_some_and(|arg| arg.ty.kind == TypeKind::Bit && matches!(arg.op, Op::Column(_)))
}

fn radix(call: &Call<'_>, cx: &mut Cx<'_>, to: u32) -> Result<Value> {
    let text = arg!(number_text(call, cx));
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let value = arg!(parse_radix(&text, (10, true), call, cx));
    Ok(Value::from(digits_of(value, to, false)))
}

fn conv(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(number_text(call, cx)).into_owned();
    let from = arg!(call.int(1, cx));
    let to = arg!(call.int(2, cx));
    let allowed = |base: i128| (2..=36).contains(&base.abs());
    if text.is_empty() || !allowed(from) || !allowed(to) {
        return Ok(Value::Null);
    }
    let value = arg!(parse_radix(&text, (from.unsigned_abs() as u32, from < 0), call, cx));
    Ok(Value::from(digits_of(value, to.unsigned_abs() as u32, to < 0)))
}

/// The digits at the start of `text` as 64 bits, capped as strtoll caps.
fn parse_radix(
    text: &[u8],
    (base, signed): (u32, bool),
    call: &Call<'_>,
    cx: &mut Cx<'_>,
) -> Result<Option<u64>> {
    let whole = text;
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let mut value = 0u128;
    let mut count = 0;
    for byte in digits {
        let Some(digit) = (*byte as char).to_digit(base) else { break };
        count += 1;
        value = (value * u128::from(base) + u128::from(digit)).min(u128::from(u64::MAX) + 1);
    }
    if count == 0 || value > u128::from(u64::MAX) {
        let shown = leaf::shown_in_full(whole, call.text_collation_shown(0));
        let shown = String::from_utf8_lossy(&shown);
        cx.warn(crate::error::SqlError::truncated_wrong_value("DECIMAL", &shown));
    }
    let value = if signed && negative {
        (value.min(1 << 63) as u64).wrapping_neg()
    } else if value > u128::from(u64::MAX) {
        u64::MAX
    } else if negative {
        (value as u64).wrapping_neg()
    } else {
        value as u64
    };
    Ok(Some(value))
}

fn digits_of(value: u64, base: u32, signed: bool) -> Vec<u8> {
    let negative = signed && (value as i64) < 0;
    let mut rest = if negative { value.wrapping_neg() } else { value };
    let mut out = Vec::new();
    loop {
        let digit = char::from_digit((rest % u64::from(base)) as u32, base).unwrap_or('0');
        out.push(digit.to_ascii_uppercase() as u8);
        rest /= u64::from(base);
        if rest == 0 {
            break;
        }
    }
    if negative {
        out.push(b'-');
    }
    out.reverse();
    out
}

fn char_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let length = site.args.len() as u64 * 4;
    Ok(site.binary(length))
}

fn char(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let mut out = Vec::new();
    for at in 0..call.len() {
        let Some(value) = call.int(at, cx)? else { continue };
        let bytes = (value as u32).to_be_bytes();
        let skip = bytes.iter().take(3).take_while(|byte| **byte == 0).count();
        out.extend_from_slice(bytes.get(skip..).unwrap_or_default());
    }
    let coll = call.ty().collation;
    if !coll.is_binary() {
        return leaf::checked_text(Value::from(out), coll, cx);
    }
    Ok(Value::from(out))
}

fn format_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.connection_text();
    let double = site.node(0)?.ty.kind == TypeKind::Double;
    let length = if double { 22 } else { site.length(0) };
    // One that is written down is looked for while the statement is resolved.
    if site.args.get(2).is_some_and(Node::is_literal) {
        let name = match site.constant_null(2) {
            true => Some(None),
            false => site.constant_text(2).map(Some),
        };
        let name = name.map(|name| name.map(|name| String::from_utf8_lossy(&name).into_owned()));
        if let Some(Err(warning)) = name.map(style_named) {
            site.binder.warn(warning);
        }
    }
    // Separators, a sign, a point and the decimals.
    Ok(site.text(length + length / 3 + 30 + 2, coll))
}

fn format(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    // Counts are of 32 bits.
    #[allow(clippy::cast_possible_truncation, reason = "32 bits are meant")]
    let places = (arg!(call.int(1, cx)) as i32).clamp(0, 30) as u8;
    let style = locale_of(call, cx)?;
    // Dates and times with a date are doubles, as texts are.
    let dated = call.arg(0).is_some_and(|arg| arg.ty.kind.has_date());
    let digits = match call.domain(0) {
        domain if domain == Domain::Double || dated => {
            let value = arg!(call.double(0, cx));
            let value = super::round::round_double(value, places.into(), false);
            leaf::double_fixed(value, places)
        }
        _ => {
            let value = arg!(call.decimal(0, cx));
            match leaf::decimal_round(&value, i32::from(places), false) {
                Some(value) => leaf::decimal_fixed(&value, places),
                None => return Ok(Value::Null),
            }
        }
    };
    let (sign, digits) = match digits.split_first() {
        Some((b'-', rest)) => (&b"-"[..], rest.to_vec()),
        _ => (&b""[..], digits),
    };
    let mut out = sign.to_vec();
    out.extend(locale::written(&digits, style));
    Ok(Value::from(out))
}

/// The style that FORMAT's third argument names; that of en_US, with a warning, if there is no
/// such locale.
fn locale_of(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<locale::Style> {
    if call.len() < 3 {
        return Ok(locale::USUAL);
    }
    let name = call.text(2, cx)?.map(|text| String::from_utf8_lossy(&text).into_owned());
    let known = call.arg(2).is_some_and(Node::is_literal);
    Ok(style_named(name).unwrap_or_else(|warning| {
        if !known {
            cx.warn(warning);
        }
        locale::USUAL
    }))
}

/// The style of the locale of this name, or 1649.
fn style_named(name: Option<String>) -> std::result::Result<locale::Style, SqlError> {
    name.as_deref().and_then(locale::find).ok_or_else(|| {
        let shown = name.unwrap_or_else(|| "NULL".to_owned()).replace('\u{fffd}', "?");
        let shown = shown.split('\0').next().unwrap_or_default();
        SqlError::new(code::ER_UNKNOWN_LOCALE, &[shown.into()])
    })
}

fn inet_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.connection_text();
    Ok(site.text(31, coll))
}

fn inet_ntoa(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let value = arg!(call.int(0, cx));
    match u32::try_from(value) {
        Ok(value) => Ok(Value::from(std::net::Ipv4Addr::from(value).to_string().into_bytes())),
        Err(_) => Ok(refused("integer", call, cx)),
    }
}

fn inet_aton(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let mut parts = Vec::new();
    let mut part: Option<u64> = None;
    for byte in text.iter() {
        match byte {
            b'0'..=b'9' => {
                let value = part.unwrap_or(0) * 10 + u64::from(byte - b'0');
                if value > 255 {
                    return Ok(refused("string", call, cx));
                }
                part = Some(value);
            }
            b'.' => {
                let Some(value) = part.take() else { return Ok(refused("string", call, cx)) };
                parts.push(value);
                if parts.len() > 3 {
                    return Ok(refused("string", call, cx));
                }
            }
            _ => return Ok(refused("string", call, cx)),
        }
    }
    let Some(last) = part else { return Ok(refused("string", call, cx)) };
    let high = match parts[..] {
        [] => 0,
        [a] => a << 24,
        [a, b] => a << 24 | b << 16,
        [a, b, c, ..] => a << 24 | b << 16 | c << 8,
    };
    Ok(Value::UInt(high | last))
}
