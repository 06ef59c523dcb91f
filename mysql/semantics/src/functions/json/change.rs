//! Functions that change documents: JSON_SET, JSON_REMOVE, JSON_ARRAY_APPEND and
//! their like.

use super::super::{Function, MANY, arg};
use super::{Document, document, document_type, fail, null, root, single_path, value_or_null};
use crate::error::SqlError;
use crate::expr::{Call, Cx, Node, Op, Result, Site};
use crate::json::{self, JsonBuf, JsonError, JsonRef, Path, SetMode};
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("json_set", (3, MANY), pairs_type, set, "A document with values put in")
        .nullable(),
    Function::new("json_insert", (3, MANY), pairs_type, insert, "A document with values added")
        .nullable(),
    Function::new("json_replace", (3, MANY), pairs_type, replace, "A document with values changed")
        .nullable(),
    Function::new("json_remove", (2, MANY), document_type, remove, "A document without parts")
        .nullable(),
    Function::new(
        "json_array_append",
        (3, MANY),
        pairs_type,
        array_append,
        "A document with values at the ends of arrays",
    )
    .nullable(),
    Function::new(
        "json_array_insert",
        (3, MANY),
        pairs_type,
        array_insert,
        "A document with values within arrays",
    )
    .nullable(),
];

/// A document, then paths and values in turn.
fn pairs_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    if site.args.len() % 2 != 1 {
        return Err(SqlError::wrong_parameter_count(site.name));
    }
    document_type(site)
}

/// What a step makes of the document; nothing if it stays as it is.
type Step = fn(JsonRef<'_>, &Path, JsonRef<'_>) -> std::result::Result<Option<JsonBuf>, JsonError>;

/// There is nothing to compute.
fn is_at_hand(node: &Node) -> bool {
    node.is_literal() || matches!(node.op, Op::Column(_) | Op::Param(_))
}

/// `lazy`: a value that has no place is not computed, nor are its warnings.
fn each_pair(call: &Call<'_>, cx: &mut Cx<'_>, lazy: bool, step: Step) -> Result<Value> {
    let mut document = arg!(document(call, 0, cx));
    for at in (1..call.len()).step_by(2) {
        let path = arg!(single_path(call, at, cx));
        if lazy && !call.arg(at + 1).is_some_and(is_at_hand) {
            let null = null().map_err(fail(call, at))?;
            let changed = null.root().and_then(|null| {
                let root = document.root()?;
                step(root, &path, null)
            });
            if changed.map_err(fail(call, at))?.is_none() {
                continue;
            }
        }
        let value = value_or_null(call, at + 1, cx)?;
        let changed = step(root(call, &document)?, &path, root(call, &value)?);
        if let Some(changed) = changed.map_err(fail(call, at))? {
            document = Document::Made(changed);
        }
    }
    Ok(document.into_value())
}

fn set(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    each_pair(call, cx, false, |root, path, value| json::set(root, path, value, SetMode::Set))
}

fn insert(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    each_pair(call, cx, true, |root, path, value| json::set(root, path, value, SetMode::Insert))
}

fn replace(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    each_pair(call, cx, false, |root, path, value| json::set(root, path, value, SetMode::Replace))
}

fn array_append(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    each_pair(call, cx, true, json::array_append)
}

fn array_insert(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    each_pair(call, cx, true, json::array_insert)
}

fn remove(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let mut document = arg!(document(call, 0, cx));
    let mut paths = Vec::with_capacity(call.len() - 1);
    for at in 1..call.len() {
        paths.push(arg!(single_path(call, at, cx)));
    }
    for (at, path) in paths.iter().enumerate() {
        let changed = json::remove(root(call, &document)?, path);
        if let Some(changed) = changed.map_err(fail(call, at + 1))? {
            document = Document::Made(changed);
        }
    }
    Ok(document.into_value())
}
