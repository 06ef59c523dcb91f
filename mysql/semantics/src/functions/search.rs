//! Finding strings in strings and lists.

use super::{Function, MANY, arg};
use crate::expr::{Call, Coll, Comparison, Cx, Result, Site, compare, leaf};
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("instr", (2, 2), instr_type, instr, "Where a string first contains another"),
    Function::new(
        "locate",
        (2, 3),
        locate_type,
        locate,
        "Where a string is first found in another",
    ),
    Function::new("strcmp", (2, 2), strcmp_type, strcmp, "-1, 0 or 1: how two strings sort"),
    Function::new("field", (2, MANY), field_type, field, "Which of the others the first equals")
        .never_null(),
    Function::new(
        "find_in_set",
        (2, 2),
        find_type,
        find_in_set,
        "Which part between commas a string is",
    ),
    Function::new(
        "interval",
        (2, MANY),
        |_| Ok(SqlType::bigint(2)),
        interval,
        "How many of the bounds are not above",
    )
    .never_null(),
];

/// A number that is text of this collation where it is text.
pub(super) fn number_of(length: u32, coll: Coll) -> SqlType {
    let mut ty = SqlType::bigint(length);
    (ty.collation, ty.derivation) = (coll.id, coll.derivation);
    ty
}

fn instr_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.first_collation(0, &[1])?;
    site.refuse_literals(coll)?;
    site.collation = coll.id;
    Ok(number_of(11, coll))
}

fn locate_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.first_collation(1, &[0])?;
    site.refuse_literals(coll)?;
    site.collation = coll.id;
    Ok(number_of(11, coll))
}

fn strcmp_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let with = site.text_comparison()?;
    site.extra = match with {
        Comparison::Text(coll) => {
            site.collation = coll;
            0
        }
        Comparison::DateTime => 1,
        Comparison::LenientDateTime => 2,
        _ => 3,
    };
    Ok(SqlType::bigint(2))
}

fn find_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    // Bytes are taken as they are.
    let bytes = site.args.iter().any(|arg| arg.ty.is_binary_string());
    site.collation = if bytes { site.agreed(&[0, 1])?.id } else { site.compared(&[0, 1])?.id };
    Ok(SqlType::bigint(11))
}

fn field_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let with = site.field_comparison()?;
    site.extra = match with {
        Comparison::Int => 1,
        Comparison::Decimal => 2,
        Comparison::Double => 3,
        Comparison::Text(coll) => {
            site.collation = coll;
            let first = site.node(0)?;
            let derivation = match first.ty.kind.is_string() || first.is_null_literal() {
                true => first.ty.derivation,
                false => site.connection_text().derivation,
            };
            return Ok(number_of(11, Coll { id: coll, derivation, ascii: true, broken: false }));
        }
        _ => 0,
    };
    Ok(SqlType::bigint(11))
}

fn position(call: &Call<'_>, cx: &mut Cx<'_>, text: usize, needle: usize) -> Result<Value> {
    let start = if call.len() == 3 { Some(2) } else { None };
    let text = arg!(call.text(text, cx));
    let needle = arg!(call.text(needle, cx));
    let coll = call.collation();
    let mut skip = 0u64;
    if let Some(at) = start {
        let start = arg!(call.int(at, cx));
        if start < 1 {
            return Ok(Value::Int(0));
        }
        skip = u64::try_from(start - 1).unwrap_or(u64::MAX);
        if skip > leaf::char_length(coll, &text) as u64 {
            return Ok(Value::Int(0));
        }
    }
    let from = leaf::char_offset(coll, &text, usize::try_from(skip).unwrap_or(usize::MAX));
    let rest = text.get(from..).unwrap_or_default();
    if needle.is_empty() {
        return Ok(Value::Int(skip as i64 + 1));
    }
    Ok(Value::Int(leaf::find(coll, rest, &needle).map_or(0, |at| (at as u64 + skip) as i64 + 1)))
}

fn instr(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    position(call, cx, 0, 1)
}

fn locate(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    position(call, cx, 1, 0)
}

fn strcmp(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let with = match call.extra() {
        0 => Comparison::Text(call.collation()),
        1 => Comparison::DateTime,
        2 => Comparison::LenientDateTime,
        _ => Comparison::Time,
    };
    let (Some(left), Some(right)) = (call.arg(0), call.arg(1)) else { return Ok(Value::Null) };
    let order = compare::order(with, left, right, cx, call.row)?;
    Ok(order.map_or(Value::Null, |order| Value::Int(order as i64)))
}

fn field(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let with = match call.extra() {
        1 => Comparison::Wrapped,
        2 => Comparison::Decimal,
        3 => Comparison::Double,
        _ => Comparison::Text(call.collation()),
    };
    let Some(first) = call.arg(0) else { return Ok(Value::Int(0)) };
    if first.eval(cx, call.row)?.is_null() {
        return Ok(Value::Int(0));
    }
    for at in 1..call.len() {
        let Some(other) = call.arg(at) else { break };
        if compare::order(with, first, other, cx, call.row)? == Some(std::cmp::Ordering::Equal) {
            return Ok(Value::Int(at as i64));
        }
    }
    Ok(Value::Int(0))
}

fn find_in_set(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let needle = arg!(call.text(0, cx));
    let list = arg!(call.text(1, cx));
    if list.is_empty() {
        return Ok(Value::Int(0));
    }
    let coll = call.collation();
    for (at, item) in list.split(|byte| *byte == b',').enumerate() {
        // Spaces at the end count, whatever the collation says.
        let spaces = |text: &[u8]| text.iter().rev().take_while(|byte| **byte == b' ').count();
        if spaces(item) == spaces(&needle) && leaf::compare_text(coll, item, &needle).is_eq() {
            return Ok(Value::Int(at as i64 + 1));
        }
    }
    Ok(Value::Int(0))
}

fn interval(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let all_exact = (0..call.len())
        .filter_map(|at| call.arg(at))
        .all(|arg| arg.numeric_domain() != crate::expr::Domain::Double);
    let with = if all_exact { Comparison::Decimal } else { Comparison::Double };
    // Of constants alone, all are computed.
    call.node.compute_constants(cx, call.row)?;
    let Some(first) = call.arg(0) else { return Ok(Value::Int(-1)) };
    if first.eval(cx, call.row)?.is_null() {
        return Ok(Value::Int(-1));
    }
    for at in 1..call.len() {
        let Some(bound) = call.arg(at) else { break };
        if compare::order(with, first, bound, cx, call.row)? == Some(std::cmp::Ordering::Less) {
            return Ok(Value::Int(at as i64 - 1));
        }
    }
    Ok(Value::Int(call.len() as i64 - 1))
}
