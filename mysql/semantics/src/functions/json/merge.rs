//! JSON_MERGE_PRESERVE, JSON_MERGE_PATCH and the deprecated JSON_MERGE.

use super::super::{Function, MANY, arg};
use super::{Document, document, document_type, fail, root};
use crate::error::{SqlError, code};
use crate::expr::{Call, Cx, Result, Site};
use crate::json;
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("json_merge", (2, MANY), deprecated_type, preserve, "JSON_MERGE_PRESERVE")
        .nullable(),
    Function::new(
        "json_merge_preserve",
        (2, MANY),
        document_type,
        preserve,
        "Documents merged, with all their values",
    )
    .nullable(),
    Function::new(
        "json_merge_patch",
        (2, MANY),
        document_type,
        patch,
        "Documents merged, of which later ones win",
    )
    .nullable(),
];

fn deprecated_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let names = ["JSON_MERGE".into(), "JSON_MERGE_PRESERVE/JSON_MERGE_PATCH".into()];
    site.binder.warn(SqlError::new(code::ER_WARN_DEPRECATED_SYNTAX, &names));
    document_type(site)
}

fn preserve(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let mut all = arg!(document(call, 0, cx));
    for at in 1..call.len() {
        let next = arg!(document(call, at, cx));
        let merged = json::merge_preserve(root(call, &all)?, root(call, &next)?);
        all = Document::Made(merged.map_err(fail(call, at))?);
    }
    Ok(all.into_value())
}

fn patch(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let mut all = document(call, 0, cx)?;
    for at in 1..call.len() {
        let Some(next) = document(call, at, cx)? else {
            all = None;
            continue;
        };
        let next_root = root(call, &next)?;
        all = match &all {
            // What is no object takes the place of anything.
            _ if !next_root.is_object() => Some(next),
            None => None,
            Some(all) => {
                let merged = json::merge_patch(root(call, all)?, next_root);
                Some(Document::Made(merged.map_err(fail(call, at))?))
            }
        };
    }
    Ok(all.map_or(Value::Null, Document::into_value))
}
