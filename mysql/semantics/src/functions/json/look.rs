//! Functions that look at documents: JSON_EXTRACT, JSON_CONTAINS, JSON_KEYS and
//! their like.

use super::super::{Function, MANY, arg};
use super::{document, document_type, fail, made, path, root, single_path, text_type, values};
use crate::expr::{Call, Cx, Result};
use crate::json::{self, JsonError};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("json_extract", (2, MANY), document_type, extract, "What paths lead to")
        .nullable(),
    Function::new("json_contains", (2, 3), int_type, contains, "Whether a document has a part")
        .nullable(),
    Function::new(
        "json_contains_path",
        (3, MANY),
        int_type,
        contains_path,
        "Whether paths lead somewhere",
    )
    .nullable(),
    Function::new("json_keys", (1, 2), document_type, keys, "The names of an object's members")
        .nullable(),
    Function::new("json_length", (1, 2), int_type, length, "Elements or members").nullable(),
    Function::new("json_depth", (1, 1), int_type, depth, "Levels of a document").nullable(),
    Function::new(
        "json_type",
        (1, 1),
        |site| Ok(text_type(site, 17)),
        type_name,
        "The name of a document's type",
    )
    .nullable(),
    Function::new("json_valid", (1, 1), int_type, valid, "Whether a text is a document").nullable(),
    Function::new(
        "json_overlaps",
        (2, 2),
        truth_type,
        overlaps,
        "Whether two documents have a part in common",
    ),
    Function::new("member of", (2, 2), truth_type, member_of, "Whether an array has an element"),
    Function::new(
        "json_storage_size",
        (1, 1),
        int_type,
        storage_size,
        "The bytes of MySQL's binary form",
    )
    .nullable(),
    Function::new(
        "json_storage_free",
        (1, 1),
        int_type,
        storage_free,
        "The bytes that changes in place have freed: none, for nothing is changed in place",
    ),
];

fn truth_type(_: &mut crate::expr::Site<'_, '_>) -> Result<SqlType> {
    Ok(SqlType::truth())
}

fn int_type(_: &mut crate::expr::Site<'_, '_>) -> Result<SqlType> {
    Ok(SqlType::bigint(21))
}

fn count(value: usize) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

fn extract(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let document = arg!(document(call, 0, cx));
    let mut paths = Vec::with_capacity(call.len() - 1);
    for at in 1..call.len() {
        paths.push(arg!(path(call, at, cx)));
    }
    made(call, json::extract(root(call, &document)?, &paths))
}

fn contains(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let target = arg!(document(call, 0, cx));
    let candidate = arg!(document(call, 1, cx));
    let mut part = root(call, &target)?;
    if call.len() == 3 {
        let path = arg!(single_path(call, 2, cx));
        part = match json::find(part, &path).map_err(fail(call, 0))? {
            Some(part) => part,
            None => return Ok(Value::Null),
        };
    }
    let contains = json::contains(part, root(call, &candidate)?);
    Ok(Value::from(contains.map_err(fail(call, 0))?))
}

fn contains_path(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let document = arg!(document(call, 0, cx));
    let all = arg!(super::search::one_or_all(call, 1, cx));
    let root = root(call, &document)?;
    // A path is read when it is needed.
    for at in 2..call.len() {
        let path = arg!(path(call, at, cx));
        let found = json::contains_path(root, all, &[path]).map_err(fail(call, 0))?;
        if found != all {
            return Ok(Value::from(found));
        }
    }
    Ok(Value::from(all))
}

fn keys(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let document = arg!(document(call, 0, cx));
    let path = match call.len() {
        2 => Some(arg!(single_path(call, 1, cx))),
        _ => None,
    };
    made(call, json::keys(root(call, &document)?, path.as_ref()))
}

fn length(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    if call.len() == 1 {
        let document = arg!(document(call, 0, cx));
        return json::length(root(call, &document)?).map(count).map_err(fail(call, 0));
    }
    // With a path it is the length of an extract, and its errors say so.
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let argument = json::Argument { function: "json_extract", number: 1 };
    let document = arg!(values::document(operand, argument, cx, call.row));
    let root = root(call, &document)?;
    let path = arg!(path(call, 1, cx));
    let Some(part) = json::extract(root, &[path]).map_err(fail(call, 0))? else {
        return Ok(Value::Null);
    };
    part.root().and_then(json::length).map(count).map_err(fail(call, 0))
}

fn depth(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let document = arg!(document(call, 0, cx));
    json::depth(root(call, &document)?).map(count).map_err(fail(call, 0))
}

fn type_name(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let document = arg!(document(call, 0, cx));
    json::type_name(root(call, &document)?).map(Value::from).map_err(fail(call, 0))
}

fn valid(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    match operand.ty.kind {
        TypeKind::Json => Ok(match operand.eval(cx, call.row)?.is_null() {
            true => Value::Null,
            false => Value::TRUE,
        }),
        TypeKind::Null => Ok(Value::Null),
        kind if kind.is_string() => {
            if operand.ty.collation.is_binary() {
                // Bytes are no text, and NULL is NULL.
                let null = operand.eval(cx, call.row)?.is_null();
                return Ok(if null { Value::Null } else { Value::FALSE });
            }
            let text = arg!(values::utf8_text(operand, cx, call.row));
            match json::check_text(&text) {
                Ok(()) => Ok(Value::TRUE),
                Err(JsonError::Text { .. }) => Ok(Value::FALSE),
                Err(error) => Err(fail(call, 0)(error)),
            }
        }
        // Numbers and times are no documents, not even where they are NULL.
        _ => Ok(Value::FALSE),
    }
}

fn overlaps(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let a = arg!(document(call, 0, cx));
    let b = arg!(document(call, 1, cx));
    let overlaps = json::overlaps(root(call, &a)?, root(call, &b)?);
    overlaps.map(Value::from).map_err(fail(call, 0))
}

fn member_of(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let value = arg!(values::atom(operand, cx, call.row));
    let array = arg!(document(call, 1, cx));
    let member = json::member_of(root(call, &value)?, root(call, &array)?);
    member.map(Value::from).map_err(fail(call, 0))
}

fn storage_size(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let document = arg!(document(call, 0, cx));
    json::storage_size(root(call, &document)?).map(count).map_err(fail(call, 0))
}

fn storage_free(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    arg!(document(call, 0, cx));
    Ok(Value::Int(0))
}
