//! Base 64.

use super::{Function, arg, fits_packet};
use crate::expr::{Call, Cx, Result, Site};
use crate::types::SqlType;
use crate::value::Value;

/// Characters of a line of TO_BASE64.
const LINE: usize = 76;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("to_base64", (1, 1), to_type, to_base64, "In base 64, in lines").nullable(),
    Function::new("from_base64", (1, 1), from_type, from_base64, "The bytes of base 64").nullable(),
];

fn to_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let digits = site.type_bytes(0).div_ceil(3) * 4;
    let length = if digits == 0 { 0 } else { digits + (digits - 1) / LINE as u64 };
    let coll = site.connection_text();
    Ok(site.bounded_text(length, coll))
}

fn from_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let bytes = site.type_bytes(0) * 3 / 4;
    Ok(site.binary(bytes))
}

fn to_base64(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    if !fits_packet(text.len() as u64 * 4 / 3, "to_base64", cx) {
        return Ok(Value::Null);
    }
    let mut out = Vec::with_capacity(text.len() * 3 / 2);
    let mut column = 0;
    for three in text.chunks(3) {
        if column == LINE {
            out.push(b'\n');
            column = 0;
        }
        column += 4;
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = (bits >> (18 - 6 * at) & 63) as usize;
            out.push(if at <= three.len() {
                DIGITS.get(digit).copied().unwrap_or(b'=')
            } else {
                b'='
            });
        }
    }
    Ok(Value::from(out))
}

fn from_base64(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(Value::from(decode(&text)))
}

/// `None` if it is no base 64. Spaces count for nothing.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count, mut padding) = (0u32, 0, 0);
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != 0x0b) {
        let digit = match byte {
            b'=' if count >= 2 => {
                padding += 1;
                0
            }
            _ if padding > 0 => return None,
            _ => DIGITS.iter().position(|digit| digit == byte)? as u32,
        };
        bits = bits << 6 | digit;
        count += 1;
        if count == 4 {
            let bytes = bits.to_be_bytes();
            out.extend_from_slice(bytes.get(1..4 - padding)?);
            if padding > 0 {
                // Nothing may follow the padding.
                padding = 3;
            }
            (bits, count) = (0, 0);
        }
        if padding == 3 && count > 0 {
            return None;
        }
    }
    (count == 0).then_some(out)
}
