//! COMPRESS and its kin: the length in 4 bytes, then zlib's form.

use std::io::{Read, Write};

use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::{Function, arg, fits_packet};
use crate::error::{SqlError, code};
use crate::expr::{Call, Cx, Result, Site};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("compress", (1, 1), compress_type, compress, "A string compressed").nullable(),
    Function::new("uncompress", (1, 1), uncompress_type, uncompress, "What COMPRESS was given")
        .nullable(),
    Function::new(
        "uncompressed_length",
        (1, 1),
        |_| Ok(SqlType::bigint(11)),
        uncompressed_length,
        "How long what COMPRESS was given is",
    ),
];

const HEAD_BYTES: usize = 4;
/// The two highest bits of the length mean nothing.
const LENGTH_MASK: u32 = 0x3fff_ffff;

fn compress_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let bytes = site.byte_length(0);
    Ok(site.binary(bytes + 18))
}

fn uncompress_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let mut ty = site.binary(16_777_216);
    ty.kind = TypeKind::LongText;
    Ok(ty)
}

fn compress(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    if text.is_empty() {
        return Ok(Value::bytes(b""));
    }
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX) & LENGTH_MASK;
    let mut out = length.to_le_bytes().to_vec();
    let mut encoder = ZlibEncoder::new(&mut out, flate2::Compression::default());
    // Writing to memory does not fail.
    if encoder.write_all(&text).and_then(|()| encoder.finish().map(|_| ())).is_err() {
        return Ok(Value::Null);
    }
    // A space at the end would be lost in a CHAR.
    if out.last() == Some(&b' ') {
        out.push(b'.');
    }
    if !fits_packet(out.len() as u64, "compress", cx) {
        return Ok(Value::Null);
    }
    Ok(Value::from(out))
}

fn corrupted(cx: &mut Cx<'_>) {
    cx.warn(SqlError::new(code::ER_ZLIB_Z_DATA_ERROR, &[]));
}

fn uncompress(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    if text.is_empty() {
        return Ok(Value::bytes(b""));
    }
    let Some((head, body)) = text.split_first_chunk::<HEAD_BYTES>().filter(|(_, b)| !b.is_empty())
    else {
        corrupted(cx);
        return Ok(Value::Null);
    };
    let length = u32::from_le_bytes(*head) & LENGTH_MASK;
    let limit = cx.settings.max_allowed_packet_bytes;
    if u64::from(length) > limit {
        cx.warn(SqlError::new(code::ER_TOO_BIG_FOR_UNCOMPRESS, &[limit.into()]));
        return Ok(Value::Null);
    }
    let mut out = Vec::new();
    // Never more than was announced, whatever the bytes say.
    let read = ZlibDecoder::new(body).take(u64::from(length) + 1).read_to_end(&mut out);
    if read.is_err() || out.len() > length as usize {
        corrupted(cx);
        return Ok(Value::Null);
    }
    Ok(Value::from(out))
}

fn uncompressed_length(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    if text.is_empty() {
        return Ok(Value::Int(0));
    }
    match text.split_first_chunk::<HEAD_BYTES>().filter(|(_, body)| !body.is_empty()) {
        Some((head, _)) => Ok(Value::Int(i64::from(u32::from_le_bytes(*head) & LENGTH_MASK))),
        None => {
            corrupted(cx);
            Ok(Value::Int(0))
        }
    }
}
