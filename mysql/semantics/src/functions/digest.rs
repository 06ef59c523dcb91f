//! Checksums and digests.

use sha2::Digest as _;

use super::{Function, arg};
use crate::error::SqlError;
use crate::expr::{Call, Cx, Node, Op, Result, Site, leaf};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "crc32",
        (1, 1),
        |_| Ok(SqlType::bigint(10).with_unsigned(true)),
        crc32,
        "The CRC-32 of a string",
    ),
    Function::new(
        "md5",
        (1, 1),
        |site| digits(site, 32),
        md5,
        "The MD5 of a string, in hexadecimal",
    ),
    Function::new(
        "sha1",
        (1, 1),
        |site| digits(site, 40),
        sha1,
        "The SHA-1 of a string, in hexadecimal",
    ),
    Function::new("sha2", (2, 2), sha2_type, sha2, "A SHA-2 of a string, in hexadecimal")
        .nullable(),
    Function::new("weight_string", (1, 1), weight_type, weight_string, "What a string sorts by")
        .nullable(),
];

fn digits(site: &mut Site<'_, '_>, length: u64) -> Result<SqlType> {
    let coll = site.connection_text();
    Ok(site.text(length, coll))
}

fn hex(bytes: &[u8]) -> Value {
    let mut out = super::number_text::hex_of(bytes);
    out.make_ascii_lowercase();
    Value::from(out)
}

fn crc32(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(Value::UInt(crc32fast::hash(&text).into()))
}

fn md5(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(hex(&md5::Md5::digest(&text)))
}

fn sha1(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(hex(&sha1::Sha1::digest(&text)))
}

fn sha2_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let asked = site.computed_int(1)?;
    let is_one = |bits: i128| matches!(bits, 0 | 224 | 256 | 384 | 512);
    if asked.is_some_and(|bits| !is_one(bits)) || site.constant_null(1) {
        site.binder.warn(SqlError::wrong_parameters("sha2"));
    }
    let length = match asked {
        Some(224) => 56,
        Some(384) => 96,
        Some(512) => 128,
        // The longest, where it is not known before the rows.
        None if !site.constant_null(1) => 128,
        _ => 64,
    };
    digits(site, length)
}

fn sha2(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let Some(bits) = call.int(1, cx)? else {
        cx.warn(SqlError::wrong_parameters("sha2"));
        return Ok(Value::Null);
    };
    Ok(match bits {
        0 | 256 => hex(&sha2::Sha256::digest(&text)),
        224 => hex(&sha2::Sha224::digest(&text)),
        384 => hex(&sha2::Sha384::digest(&text)),
        512 => hex(&sha2::Sha512::digest(&text)),
        _ => {
            cx.warn(SqlError::wrong_parameters("sha2"));
            Value::Null
        }
    })
}

fn weight_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let mut ty = weight_length(site)?;
    // Of NULL as it is written it has no character set.
    ty.derivation = match site.node(0)?.is_null_literal() {
        true => crate::types::Derivation::Ignorable,
        false => crate::types::Derivation::Implicit,
    };
    Ok(ty)
}

fn weight_length(site: &Site<'_, '_>) -> Result<SqlType> {
    let operand = site.node(0)?;
    let bytes = site.byte_length(0);
    if operand.ty.kind.is_temporal() && matches!(operand.op, Op::Column(_)) {
        return Ok(site.binary(8));
    }
    if !operand.ty.kind.is_string() {
        return Ok(site.binary(bytes.max(8)));
    }
    let collation = leaf::collation(operand.ty.collation);
    let units = u64::from(leaf::charset_facts(operand.ty.collation).max_bytes) * bytes;
    let name = collation.name();
    let length = match name {
        _ if name.starts_with("utf8mb4_0900_bin") => bytes,
        _ if name.starts_with("utf8mb4_0900") => {
            // Levels of weights, with a separator between them.
            let levels = if name.ends_with("as_cs") {
                3
            } else if name.ends_with("as_ci") {
                2
            } else {
                1
            };
            units.div_ceil(4) * 16 * levels + 2 * (levels - 1)
        }
        "utf8mb4_bin" => units.div_ceil(4) * 3,
        "utf8mb4_general_ci" | "utf8mb3_general_ci" => bytes * 2,
        _ => units.saturating_mul(u64::from(collation.sort_len().max(1))),
    };
    Ok(site.binary(length.max(8)))
}

/// Integers, dates and times as eight bytes that sort as they do; other numbers have
/// no weights.
fn weight_of_number(operand: &Node, call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    /// Bits that a time may be below zero.
    const TIME_OFFSET: i128 = 1 << 47;
    const SIGN: u64 = 1 << 63;
    let kind = operand.ty.kind;
    let value = match kind {
        kind if kind.is_integer() || matches!(kind, TypeKind::Bit | TypeKind::Year) => {
            arg!(call.int(0, cx))
        }
        TypeKind::Date => match &*operand.eval(cx, call.row)? {
            Value::Date(date) => {
                let months = i128::from(date.year()) << 4 | i128::from(date.month());
                months << 5 | i128::from(date.day())
            }
            _ => return Ok(Value::Null),
        },
        TypeKind::Time => TIME_OFFSET + arg!(leaf::packed(operand, cx, call.row)),
        kind if kind.is_temporal() => arg!(leaf::packed(operand, cx, call.row)),
        _ => return Ok(Value::Null),
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "64 bits are meant")]
    let bits = value as u64;
    let unsigned = operand.ty.unsigned || kind == TypeKind::Bit;
    Ok(Value::bytes(&(if unsigned { bits } else { bits ^ SIGN }).to_be_bytes()))
}

fn weight_string(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    if !operand.ty.kind.is_string() {
        return weight_of_number(operand, call, cx);
    }
    let text = arg!(call.text(0, cx));
    let mut out = Vec::new();
    match leaf::collation(operand.ty.collation).weight_string(&text, &mut out) {
        Ok(()) => Ok(Value::from(out)),
        Err(error) => Err(SqlError::not_supported_yet(&error.to_string())),
    }
}
