//! Pieces of strings.

use std::ops::Range;

use super::{Function, MANY, arg, fits_packet};
use crate::expr::{Call, Cx, Result, Site, leaf};
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("left", (2, 2), side_type, left, "The first characters").nullable(),
    Function::new("right", (2, 2), side_type, right, "The last characters").nullable(),
    Function::new("substring", (2, 3), substring_type, substring, "Characters from a position on")
        .nullable(),
    Function::new(
        "substring_index",
        (3, 3),
        index_type,
        substring_index,
        "What stands before the n-th delimiter",
    )
    .nullable(),
    Function::new("insert", (4, 4), insert_type, insert, "A piece replaced by another string")
        .nullable(),
    Function::new("lpad", (3, 3), pad_type, lpad, "Filled up on the left").nullable(),
    Function::new("rpad", (3, 3), pad_type, rpad, "Filled up on the right").nullable(),
    Function::new("repeat", (2, 2), repeat_type, repeat, "A string several times").nullable(),
    Function::new("space", (1, 1), space_type, space, "Spaces").nullable(),
    Function::new("reverse", (1, 1), same_type, reverse, "The characters from last to first")
        .nullable(),
    Function::new("elt", (2, MANY), elt_type, elt, "The n-th of the strings").nullable(),
    Function::new("make_set", (2, MANY), make_set_type, make_set, "The strings whose bits are set"),
    Function::new("export_set", (3, 5), export_set_type, export_set, "A string for each bit")
        .nullable(),
];

/// The length MySQL derives where a constant count is below zero.
const NEGATIVE_COUNT: u64 = 16_777_216;

fn same_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.result_collation(&[0])?;
    Ok(site.text(site.length(0), coll))
}

fn side_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.result_collation(&[0])?;
    let mut length = site.length(0);
    if let Some(count) = site.constant_int(1) {
        length = length.min(count.clamp(0, i128::from(u32::MAX)) as u64);
    }
    Ok(site.text(length, coll))
}

fn substring_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.result_collation(&[0])?;
    let mut length = site.length(0) as i128;
    if site.constant_null(1) {
        return Ok(site.text(length as u64, coll));
    }
    if let Some(start) = site.constant_int(1) {
        length = match start {
            0 => 0,
            // What no 32 bits hold counts for nothing.
            start if i32::try_from(start).is_err() || start == i128::from(i32::MIN) => length,
            start if start < 0 => {
                if -start > length {
                    0
                } else {
                    -start
                }
            }
            start => (length - start + 1).max(0),
        };
    }
    if site.args.len() == 3
        && let Some(count) = site.constant_int(2)
    {
        length = length.min(count.max(0));
    }
    Ok(site.text(length as u64, coll))
}

fn index_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.first_collation(0, &[1])?;
    site.refuse_literals(coll)?;
    Ok(site.text(site.length(0), coll))
}

fn insert_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.first_collation(0, &[3])?;
    site.refuse_literals(coll)?;
    Ok(site.bounded_text(site.length(0) + site.length(3), coll))
}

fn pad_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.first_collation(0, &[2])?;
    site.refuse_literals(coll)?;
    let length = match site.constant_int(1) {
        Some(count) if count < 0 => NEGATIVE_COUNT,
        Some(count) => count.clamp(0, i128::from(u32::MAX)) as u64,
        None => return Ok(site.text(site.longest(coll), coll)),
    };
    Ok(site.bounded_text(length, coll))
}

fn repeat_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.result_collation(&[0])?;
    let length = match site.constant_int(1) {
        Some(_) if site.node(0)?.is_null_literal() => 0,
        Some(count) if count < 0 && site.length(0) > 0 => NEGATIVE_COUNT,
        Some(count) => site.length(0).saturating_mul(count.clamp(0, i128::from(i32::MAX)) as u64),
        None => return Ok(site.text(site.longest(coll), coll)),
    };
    Ok(site.bounded_text(length, coll))
}

fn space_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.connection_text();
    let length = match site.constant_int(0) {
        _ if site.constant_null(0) => 0,
        Some(count) if count > i128::from(i32::MAX) => NEGATIVE_COUNT,
        Some(count) => count.max(0) as u64,
        None => return Ok(site.text(site.longest(coll), coll)),
    };
    Ok(site.bounded_text(length, coll))
}

fn elt_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let which: Vec<usize> = (1..site.args.len()).collect();
    let coll = site.result_collation(&which)?;
    // Literals that become bytes are as long as their bytes can be.
    let length = |at: &usize| match site.args.get(*at).is_some_and(crate::expr::Node::is_literal) {
        true => site.length(*at),
        false => site.characters(*at),
    };
    let length = which.iter().map(length).max().unwrap_or(0);
    Ok(site.text(length, coll))
}

fn make_set_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let which: Vec<usize> = (1..site.args.len()).collect();
    let coll = site.result_collation(&which)?;
    let of = |at: &usize| match site.args.get(*at) {
        Some(arg) if arg.ty.kind == TypeKind::Json => u32::MAX.into(),
        _ => site.listed_length(*at),
    };
    let length = which.iter().map(of).sum::<u64>() + which.len() as u64 - 1;
    // The sum has 32 bits.
    Ok(site.text(length & u64::from(u32::MAX), coll))
}

fn export_set_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let which: Vec<usize> = (1..site.args.len().min(4)).collect();
    let coll = site.result_collation(&which)?;
    site.convert_strictly(&which, coll);
    let longest = site.length(1).max(site.length(2));
    let between = if site.args.len() > 3 { site.length(3) } else { 1 };
    Ok(site.bounded_text(longest * 64 + between * 63, coll))
}

/// The byte at which character `chars` begins, or the end.
fn offset(coll: CollationId, text: &[u8], chars: u64) -> usize {
    leaf::char_offset(coll, text, usize::try_from(chars).unwrap_or(usize::MAX))
}

/// A piece of a text, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// So many at its beginning.
    Left(i128),
    /// So many at its end.
    Right(i128),
    /// So many from one on: the first is 1, the last -1.
    From { start: i128, count: i128 },
}

impl Piece {
    /// The bytes of a text in the character set of a collation.
    pub(crate) fn of(self, coll: CollationId, text: &[u8]) -> Range<usize> {
        let whole = |chars: i128| u64::try_from(chars.max(0)).unwrap_or(u64::MAX);
        match self {
            Piece::Left(count) => 0..offset(coll, text, whole(count)).min(text.len()),
            Piece::Right(count) => {
                let all = leaf::char_length(coll, text) as i128;
                let start = offset(coll, text, (all - count.clamp(0, all)) as u64);
                start.min(text.len())..text.len()
            }
            Piece::From { start, count } => {
                if count <= 0 || start == 0 {
                    return 0..0;
                }
                let start = if start > 0 {
                    start - 1
                } else {
                    let all = leaf::char_length(coll, text) as i128;
                    if -start > all {
                        return 0..0;
                    }
                    all + start
                };
                let from = offset(coll, text, whole(start)).min(text.len());
                let rest = text.get(from..).unwrap_or_default();
                from..from + offset(coll, rest, whole(count)).min(rest.len())
            }
        }
    }

    fn value(self, coll: CollationId, text: &[u8]) -> Value {
        Value::bytes(text.get(self.of(coll, text)).unwrap_or_default())
    }
}

fn left(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = call.text(0, cx)?;
    let constant = call.arg(1).is_some_and(crate::expr::Node::is_constant);
    if text.is_none() && !constant {
        return Ok(Value::Null);
    }
    // Constants are asked whatever the text is, for their warnings.
    let count = call.int(1, cx)?;
    let (Some(text), Some(count)) = (text, count) else { return Ok(Value::Null) };
    Ok(Piece::Left(count).value(call.ty().collation, &text))
}

fn right(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = call.text(0, cx)?;
    let constant = call.arg(1).is_some_and(crate::expr::Node::is_constant);
    if text.is_none() && !constant {
        return Ok(Value::Null);
    }
    // Constants are asked whatever the text is, for their warnings.
    let count = call.int(1, cx)?;
    let (Some(text), Some(count)) = (text, count) else { return Ok(Value::Null) };
    Ok(Piece::Right(count).value(call.ty().collation, &text))
}

fn substring(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = call.text(0, cx)?;
    // Constants are asked whatever the text is, for their warnings; the second only if
    // the first is none or known.
    let constant = |at: usize| call.arg(at).is_some_and(crate::expr::Node::is_constant);
    let start = match text.is_some() || constant(1) {
        true => call.int(1, cx)?,
        false => None,
    };
    let (Some(text), Some(start)) = (&text, start) else {
        if constant(2) && (start.is_some() || !constant(1)) {
            call.int(2, cx)?;
        }
        return Ok(Value::Null);
    };
    let count = if call.len() == 3 { arg!(call.int(2, cx)) } else { i128::MAX };
    Ok(Piece::From { start, count }.value(call.ty().collation, text))
}

fn substring_index(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let count = arg!(call.int(2, cx));
    let delimiter = arg!(call.text(1, cx));
    if delimiter.is_empty() || count == 0 || text.is_empty() {
        return Ok(Value::bytes(b""));
    }
    // Delimiters are found byte for byte, at the beginnings of characters.
    let mut found = Vec::new();
    let mut at = 0;
    let coll = call.ty().collation;
    while at + delimiter.len() <= text.len() {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with(&delimiter) {
            found.push(at);
            at += delimiter.len();
        } else {
            at += offset(coll, rest, 1).max(1);
        }
    }
    let count_found = found.len() as i128;
    if count > 0 {
        return Ok(match usize::try_from(count - 1).ok().and_then(|at| found.get(at)) {
            Some(end) => Value::bytes(text.get(..*end).unwrap_or_default()),
            None => Value::bytes(&text),
        });
    }
    let at = count_found + count;
    Ok(match usize::try_from(at).ok().and_then(|at| found.get(at)) {
        Some(start) => Value::bytes(text.get(start + delimiter.len()..).unwrap_or_default()),
        None => Value::bytes(&text),
    })
}

fn insert(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let piece = arg!(call.text(3, cx));
    let start = arg!(call.int(1, cx));
    let count = arg!(call.int(2, cx));
    let coll = call.ty().collation;
    let all = leaf::char_length(coll, &text) as i128;
    if start < 1 || start > all {
        return Ok(Value::bytes(&text));
    }
    let from = offset(coll, &text, (start - 1) as u64);
    let rest = text.get(from..).unwrap_or_default();
    let left = all - start + 1;
    let count = if count < 0 || count > left { left } else { count };
    let end = from + offset(coll, rest, count as u64);
    if !fits_packet((text.len() + piece.len()) as u64, "insert", cx) {
        return Ok(Value::Null);
    }
    let parts = [text.get(..from), Some(&*piece), text.get(end..)];
    Ok(Value::from(parts.into_iter().flatten().collect::<Vec<_>>().concat()))
}

fn pad(call: &Call<'_>, cx: &mut Cx<'_>, left: bool) -> Result<Value> {
    let text = call.text(0, cx)?;
    let constant = call.arg(1).is_some_and(crate::expr::Node::is_constant);
    if text.is_none() && !constant {
        return Ok(Value::Null);
    }
    // A constant is asked whatever the text is, for its warnings.
    if constant {
        call.int(1, cx)?;
    }
    let Some(text) = text else { return Ok(Value::Null) };
    let fill = arg!(call.text(2, cx));
    let count = arg!(call.int(1, cx));
    let coll = call.ty().collation;
    if count < 0 {
        return Ok(Value::Null);
    }
    let have = leaf::char_length(coll, &text) as i128;
    if count <= have {
        let end = offset(coll, &text, count as u64);
        return Ok(Value::bytes(text.get(..end).unwrap_or(&text)));
    }
    let per = u64::from(leaf::charset_facts(coll).max_bytes);
    let wanted = u64::try_from(count).unwrap_or(u64::MAX);
    let name = if left { "lpad" } else { "rpad" };
    if !fits_packet(wanted.saturating_mul(per), name, cx) {
        return Ok(Value::Null);
    }
    let fill_chars = leaf::char_length(coll, &fill) as u64;
    if fill_chars == 0 {
        return Ok(Value::bytes(&text));
    }
    let missing = wanted - have as u64;
    let mut filling = fill.repeat(usize::try_from(missing / fill_chars).unwrap_or(0));
    let end = offset(coll, &fill, missing % fill_chars);
    filling.extend_from_slice(fill.get(..end).unwrap_or_default());
    let parts = if left { [&filling[..], &text] } else { [&*text, &filling] };
    Ok(Value::from(parts.concat()))
}

fn lpad(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    pad(call, cx, true)
}

fn rpad(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    pad(call, cx, false)
}

fn repeat(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = call.text(0, cx)?;
    let constant = call.arg(1).is_some_and(crate::expr::Node::is_constant);
    if text.is_none() && !constant {
        return Ok(Value::Null);
    }
    // Constants are asked whatever the text is, for their warnings.
    let count = call.int(1, cx)?;
    let (Some(text), Some(count)) = (text, count) else { return Ok(Value::Null) };
    if count <= 0 || text.is_empty() {
        return Ok(Value::bytes(b""));
    }
    let count = count.min(i128::from(i32::MAX)) as u64;
    if !fits_packet(count.saturating_mul(text.len() as u64), "repeat", cx) {
        return Ok(Value::Null);
    }
    Ok(Value::from(text.repeat(count as usize)))
}

fn space(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let count = arg!(call.int(0, cx));
    let count = count.clamp(0, i128::from(i32::MAX)) as u64;
    if !fits_packet(count, "space", cx) {
        return Ok(Value::Null);
    }
    Ok(Value::from(vec![b' '; count as usize]))
}

fn reverse(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let coll = call.ty().collation;
    let mut out = vec![0; text.len()];
    let (mut from, mut to) = (0, text.len());
    while from < text.len() {
        let rest = text.get(from..).unwrap_or_default();
        let step = offset(coll, rest, 1).clamp(1, rest.len());
        to -= step;
        if let (Some(slot), Some(piece)) = (out.get_mut(to..to + step), rest.get(..step)) {
            slot.copy_from_slice(piece);
        }
        from += step;
    }
    Ok(Value::from(out))
}

fn elt(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let at = arg!(call.int(0, cx));
    match usize::try_from(at) {
        Ok(at) if at > 0 && at < call.len() => Ok(Value::bytes(&arg!(call.text(at, cx)))),
        _ => Ok(Value::Null),
    }
}

fn make_set(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let bits = arg!(call.int(0, cx)) as u64;
    let mut out: Option<Vec<u8>> = None;
    for at in 1..call.len().min(65) {
        if bits >> (at - 1) & 1 == 0 {
            continue;
        }
        if let Some(text) = call.text(at, cx)? {
            match &mut out {
                Some(out) => {
                    out.push(b',');
                    out.extend_from_slice(&text);
                }
                None => out = Some(text.to_vec()),
            }
        }
    }
    Ok(Value::from(out.unwrap_or_default()))
}

fn export_set(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let bits = arg!(call.int(0, cx)) as u64;
    let on = arg!(call.text(1, cx)).into_owned();
    let off = arg!(call.text(2, cx)).into_owned();
    let count = if call.len() > 4 { arg!(call.int(4, cx)) } else { 64 };
    let between = if call.len() > 3 { arg!(call.text(3, cx)).into_owned() } else { b",".to_vec() };
    let count = if (0..=64).contains(&count) { count as u32 } else { 64 };
    let longest = on.len().max(off.len()) + between.len();
    if !fits_packet(longest as u64 * u64::from(count), "export_set", cx) {
        return Ok(Value::Null);
    }
    let mut out = Vec::new();
    for bit in 0..count {
        if bit > 0 {
            out.extend_from_slice(&between);
        }
        out.extend_from_slice(if bits >> bit & 1 == 1 { &on } else { &off });
    }
    Ok(Value::from(out))
}
