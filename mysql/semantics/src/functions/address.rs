//! Addresses of IPv6, and UUIDs.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Function, arg};
use crate::error::SqlError;
use crate::expr::{Call, Cx, Result, Site, leaf};
use crate::types::{CollationId, SqlType};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("inet6_aton", (1, 1), |s| Ok(s.binary(16)), inet6_aton, "An address as bytes")
        .nullable(),
    Function::new("inet6_ntoa", (1, 1), |s| address(s, 39), inet6_ntoa, "Bytes as an address")
        .nullable(),
    Function::new("is_ipv4", (1, 1), truth, is_ipv4, "Whether it is an IPv4 address"),
    Function::new("is_ipv6", (1, 1), truth, is_ipv6, "Whether it is an IPv6 address"),
    Function::new(
        "is_ipv4_compat",
        (1, 1),
        truth,
        |c, x| starts(c, x, &[0; 12]),
        "Whether the bytes are an IPv4 address in IPv6",
    ),
    Function::new(
        "is_ipv4_mapped",
        (1, 1),
        truth,
        |c, x| starts(c, x, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        "Whether the bytes are an IPv4 address mapped to IPv6",
    ),
    Function::new("is_uuid", (1, 1), truth, is_uuid, "Whether it is a UUID").nullable(),
    Function::new("uuid_to_bin", (1, 2), |s| Ok(s.binary(16)), uuid_to_bin, "A UUID as bytes")
        .nullable(),
    Function::new("bin_to_uuid", (1, 2), |s| address(s, 36), bin_to_uuid, "Bytes as a UUID")
        .nullable(),
];

fn address(site: &mut Site<'_, '_>, length: u64) -> Result<SqlType> {
    let coll = site.connection_text();
    Ok(site.text(length, coll))
}

fn truth(_: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(SqlType::truth())
}

/// Numbers are no addresses, and are not even asked.
fn is_number(call: &Call<'_>) -> bool {
    call.arg(0).is_some_and(|arg| arg.numeric_class().is_some())
}

/// 1411 and NULL.
fn refused(call: &Call<'_>, cx: &mut Cx<'_>) -> Value {
    super::number_text::refused("string", call, cx)
}

/// The argument as ASCII, if it is that.
fn ascii(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Option<String>> {
    let text = call.text(0, cx)?;
    Ok(text.map(|text| leaf::to_utf8(&text, call.text_collation_shown(0))))
}

/// IPv4 here must have four parts.
fn parse(text: &str) -> Option<Vec<u8>> {
    match text.parse::<Ipv4Addr>() {
        Ok(address) => Some(address.octets().to_vec()),
        Err(_) => text.parse::<Ipv6Addr>().ok().map(|address| address.octets().to_vec()),
    }
}

fn inet6_aton(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(ascii(call, cx));
    Ok(match parse(&text) {
        Some(bytes) => Value::from(bytes),
        None => refused(call, cx),
    })
}

/// The longest run of two or more zero groups, the first of equals.
fn zeros(groups: &[u16]) -> (usize, usize) {
    let (mut best, mut at) = ((0, 0), 0);
    while at < groups.len() {
        let count = groups.iter().skip(at).take_while(|group| **group == 0).count();
        if count > 1 && count > best.1 {
            best = (at, count);
        }
        at += count.max(1);
    }
    best
}

fn v6_text(bytes: [u8; 16]) -> String {
    let groups = Ipv6Addr::from(bytes).segments();
    let (start, count) = zeros(&groups);
    let end = Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15]);
    // Compatible and mapped addresses end as those of IPv4.
    if start == 0 && count == 6 {
        return format!("::{end}");
    }
    if start == 0 && count == 5 && groups[5] == 0xffff {
        return format!("::ffff:{end}");
    }
    let join =
        |part: &[u16]| part.iter().map(|group| format!("{group:x}")).collect::<Vec<_>>().join(":");
    if count == 0 {
        return join(&groups);
    }
    let (before, after) = (groups.get(..start), groups.get(start + count..));
    format!("{}::{}", join(before.unwrap_or_default()), join(after.unwrap_or_default()))
}

fn inet6_ntoa(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let bytes = arg!(call.text(0, cx));
    // Only bytes are addresses.
    if !call.arg(0).is_some_and(|arg| arg.ty.is_binary_string()) {
        return Ok(refused(call, cx));
    }
    let text = match bytes.len() {
        4 => <[u8; 4]>::try_from(&bytes[..]).map(|bytes| Ipv4Addr::from(bytes).to_string()).ok(),
        _ => <[u8; 16]>::try_from(&bytes[..]).map(v6_text).ok(),
    };
    Ok(match text {
        Some(text) => Value::from(text.into_bytes()),
        None => refused(call, cx),
    })
}

fn is_ipv6(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    if is_number(call) {
        return Ok(Value::FALSE);
    }
    let text = arg!(ascii(call, cx));
    Ok(Value::from(text.parse::<Ipv6Addr>().is_ok()))
}

fn starts(call: &Call<'_>, cx: &mut Cx<'_>, prefix: &[u8; 12]) -> Result<Value> {
    if is_number(call) {
        return Ok(Value::FALSE);
    }
    let bytes = arg!(call.text(0, cx));
    let binary = call.arg(0).is_some_and(|arg| arg.ty.is_binary_string());
    Ok(Value::from(binary && bytes.len() == 16 && bytes.starts_with(prefix)))
}

/// With or without dashes, and in braces with them.
fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text = match text {
        [b'{', inner @ .., b'}'] if inner.len() == 36 => inner,
        other => other,
    };
    let dashed = match text.len() {
        36 => true,
        32 => false,
        _ => return None,
    };
    let mut out = [0u8; 16];
    let mut digits = 0;
    for (at, byte) in text.iter().enumerate() {
        if dashed && matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = char::from(*byte).to_digit(16)? as u8;
        let slot = out.get_mut(digits / 2)?;
        *slot = *slot << 4 | digit;
        digits += 1;
    }
    (digits == 32).then_some(out)
}

fn is_uuid(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(Value::from(uuid(&text).is_some()))
}

fn swapped(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<bool> {
    Ok(call.len() > 1 && call.int(1, cx)?.is_some_and(|flag| flag != 0))
}

/// 1411 as an error.
fn no_uuid(call: &Call<'_>, bytes: &[u8], from: CollationId) -> SqlError {
    let shown = leaf::shown_in_full(bytes, from);
    let shown = String::from_utf8_lossy(&shown);
    // A message ends where a string of C does.
    let shown = shown.split('\0').next().unwrap_or_default();
    SqlError::wrong_value_for_function("string", shown, call.call.function.name)
}

fn uuid_to_bin(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let Some(b) = uuid(&text) else {
        return Err(no_uuid(call, &text, call.text_collation_shown(0)));
    };
    if !swapped(call, cx)? {
        return Ok(Value::bytes(&b));
    }
    // The high and middle parts of the time come first.
    let order = [6, 7, 4, 5, 0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15];
    Ok(Value::bytes(&order.map(|at| b[at])))
}

fn bin_to_uuid(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let bytes = arg!(call.text(0, cx));
    let Ok(b) = <[u8; 16]>::try_from(&bytes[..]) else {
        return Err(no_uuid(call, &bytes, call.text_collation_shown(0)));
    };
    let order = match swapped(call, cx)? {
        true => [4, 5, 6, 7, 2, 3, 0, 1, 8, 9, 10, 11, 12, 13, 14, 15],
        false => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    };
    let mut out = String::with_capacity(36);
    for (at, from) in order.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{:02x}", b[from]));
    }
    Ok(Value::from(out.into_bytes()))
}

fn is_ipv4(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    if is_number(call) {
        return Ok(Value::FALSE);
    }
    let text = arg!(call.text(0, cx));
    let parts: Vec<&[u8]> = text.split(|byte| *byte == b'.').collect();
    let good = |part: &&[u8]| {
        (1..=3).contains(&part.len())
            && part.iter().all(u8::is_ascii_digit)
            && part.iter().fold(0u32, |all, digit| all * 10 + u32::from(digit - b'0')) < 256
    };
    Ok(Value::from(parts.len() == 4 && parts.iter().all(good)))
}
