//! Strings as wholes: joining, lengths, case, quoting.

use super::{Function, MANY, arg, fits_packet};
use crate::expr::{Call, Cx, Op, Result, Site, leaf};
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("concat", (1, MANY), concat_type, concat, "All strings, one after the other")
        .nullable(),
    Function::new(
        "concat_ws",
        (2, MANY),
        concat_ws_type,
        concat_ws,
        "The strings with the first between",
    )
    .nullable(),
    Function::new("length", (1, 1), |_| Ok(SqlType::bigint(11)), length, "Bytes of a string"),
    Function::new(
        "bit_length",
        (1, 1),
        |_| Ok(SqlType::bigint(11)),
        bit_length,
        "Bits of a string",
    ),
    Function::new(
        "char_length",
        (1, 1),
        |_| Ok(SqlType::bigint(11)),
        char_length,
        "Characters of a string",
    ),
    Function::new("upper", (1, 1), case_type, upper, "In upper case").nullable(),
    Function::new("lower", (1, 1), case_type, lower, "In lower case").nullable(),
    Function::new(
        "replace",
        (3, 3),
        replace_type,
        replace,
        "All of one string replaced by another",
    )
    .nullable(),
    Function::new("quote", (1, 1), quote_type, quote, "As a literal of SQL").nullable(),
    Function::new("ascii", (1, 1), |_| Ok(SqlType::bigint(4)), ascii, "The first byte as a number"),
    Function::new(
        "ord",
        (1, 1),
        |_| Ok(SqlType::bigint(21)),
        ord,
        "The first character's bytes as a number",
    ),
    Function::new("soundex", (1, 1), soundex_type, soundex, "How an English word sounds")
        .nullable(),
    Function::new("charset", (1, 1), name_type, charset, "The character set of a string")
        .nullable(),
    Function::new("collation", (1, 1), name_type, collation, "The collation of a string")
        .nullable(),
    Function::new(
        "coercibility",
        (1, 1),
        |_| Ok(SqlType::bigint(10)),
        coercibility,
        "How weak a collation is",
    )
    .never_null(),
];

fn concat_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let which: Vec<usize> = (0..site.args.len()).collect();
    let coll = site.result_collation(&which)?;
    let length = which.iter().map(|at| site.length(*at)).sum();
    Ok(site.bounded_text(length, coll))
}

fn concat_ws_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let which: Vec<usize> = (0..site.args.len()).collect();
    let coll = site.result_collation(&which)?;
    let between = site.length(0) * (site.args.len() as u64 - 2);
    let length = which.iter().skip(1).map(|at| site.length(*at)).sum::<u64>() + between;
    Ok(site.bounded_text(length, coll))
}

fn case_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.result_collation(&[0])?;
    Ok(site.text(site.length(0), coll))
}

fn replace_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.first_collation(0, &[1, 2])?;
    site.refuse_literals(coll)?;
    let growth = site.length(2).saturating_sub(1).max(1);
    Ok(site.bounded_text(site.length(0).saturating_mul(growth), coll))
}

fn quote_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let mut coll = site.result_collation(&[0])?;
    let node = site.node(0)?;
    let plain =
        !node.ty.kind.is_string() && node.ty.kind != TypeKind::Json && !node.is_null_literal();
    if coll.id.is_binary() {
        coll = site.connection_text();
        site.convert_strictly(&[0], coll);
    }
    if plain {
        coll.id = CollationId::LATIN1_SWEDISH_CI;
        coll.derivation = crate::types::Derivation::Numeric;
    }
    let length = 2 * site.characters(0) + 2;
    Ok(site.bounded_text(length.max(4), coll))
}

fn soundex_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.result_collation(&[0])?;
    Ok(site.text(site.length(0).max(4), coll))
}

fn name_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let mut ty = site.system_text(64);
    ty.derivation = crate::types::Derivation::Coercible;
    Ok(ty)
}

fn concat(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let mut out = crate::value::Bytes::new();
    for at in 0..call.len() {
        let piece = arg!(call.text(at, cx));
        if !fits_packet((out.len() + piece.len()) as u64, "concat", cx) {
            return Ok(Value::Null);
        }
        out.extend_from_slice(&piece);
    }
    Ok(Value::Bytes(out))
}

fn concat_ws(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let between = arg!(call.text(0, cx));
    let mut out = crate::value::Bytes::new();
    let mut first = true;
    for at in 1..call.len() {
        let Some(piece) = call.text(at, cx)? else { continue };
        if !fits_packet((out.len() + between.len() + piece.len()) as u64, "concat_ws", cx) {
            return Ok(Value::Null);
        }
        if !first {
            out.extend_from_slice(&between);
        }
        first = false;
        out.extend_from_slice(&piece);
    }
    Ok(Value::Bytes(out))
}

fn length(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(Value::Int(text.len() as i64))
}

fn bit_length(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(Value::Int(text.len() as i64 * 8))
}

fn char_length(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(Value::Int(leaf::char_length(call.text_collation(0), &text) as i64))
}

fn upper(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(Value::from(leaf::upper(call.ty().collation, &text)))
}

fn lower(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(Value::from(leaf::lower(call.ty().collation, &text)))
}

fn replace(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let from = arg!(call.text(1, cx));
    let to = arg!(call.text(2, cx));
    if from.is_empty() {
        return Ok(Value::bytes(&text));
    }
    let coll = call.ty().collation;
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(&from) {
            out.extend_from_slice(&to);
            at += from.len();
        } else {
            let step = leaf::char_offset(coll, rest, 1).clamp(1, rest.len());
            out.extend_from_slice(rest.get(..step).unwrap_or_default());
            at += step;
        }
        if out.len() as u64 > cx.settings.max_allowed_packet_bytes {
            fits_packet(out.len() as u64, "replace", cx);
            return Ok(Value::Null);
        }
    }
    Ok(Value::from(out))
}

fn quote(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(text) = call.text(0, cx)? else { return Ok(Value::bytes(b"NULL")) };
    let mut out = vec![b'\''];
    for &byte in text.iter() {
        match byte {
            b'\\' | b'\'' => out.extend_from_slice(&[b'\\', byte]),
            0 => out.extend_from_slice(b"\\0"),
            0x1a => out.extend_from_slice(b"\\Z"),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
    Ok(Value::from(out))
}

fn ascii(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    Ok(Value::Int(text.first().copied().unwrap_or(0).into()))
}

fn ord(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let end = leaf::char_offset(call.text_collation(0), &text, 1).max(1);
    let bytes = text.get(..end.min(text.len())).unwrap_or_default();
    Ok(Value::Int(bytes.iter().fold(0, |all, byte| all << 8 | i64::from(*byte))))
}

fn soundex(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    const CODES: &[u8; 26] = b"01230120022455012623010202";
    let text = arg!(call.text(0, cx));
    let coll = call.ty().collation;
    let bytes = call.text_collation(0).is_binary();
    let mut out: Vec<u8> = Vec::new();
    let mut last = b'0';
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let step = leaf::char_offset(coll, rest, 1).clamp(1, rest.len());
        at += step;
        let letter = rest.get(..step).unwrap_or_default();
        let is_letter = match letter {
            [byte] => byte.is_ascii_alphabetic() || (!bytes && *byte >= 0xC0),
            _ => true,
        };
        if !is_letter {
            continue;
        }
        let code = match letter {
            [byte] => CODES
                .get(usize::from(byte.to_ascii_uppercase().wrapping_sub(b'A')))
                .copied()
                .unwrap_or(b'0'),
            _ => b'0',
        };
        if out.is_empty() {
            out.extend_from_slice(&letter.to_ascii_uppercase());
            last = code;
        } else if code != b'0' && code != last {
            out.push(code);
            last = code;
        } else if code == b'0' && matches!(letter, [byte] if !b"HWhw".contains(byte)) {
            last = code;
        }
    }
    if out.is_empty() {
        return Ok(Value::bytes(b""));
    }
    while leaf::char_length(coll, &out) < 4 {
        out.push(b'0');
    }
    Ok(Value::from(out))
}

fn charset(call: &Call<'_>, _: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::from(leaf::charset_name(told_collation(call))))
}

fn collation(call: &Call<'_>, _: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::from(leaf::collation_name(told_collation(call))))
}

/// Columns of documents are stored as bytes.
fn told_collation(call: &Call<'_>) -> CollationId {
    match call.arg(0) {
        Some(arg) if arg.ty.kind == TypeKind::Json && matches!(arg.op, Op::Column(_)) => {
            CollationId::BINARY
        }
        _ => call.text_collation(0),
    }
}

fn coercibility(call: &Call<'_>, _: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::Int(call.arg(0).map_or(6, |arg| arg.ty.derivation as i64)))
}
