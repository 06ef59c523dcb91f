//! JSON_SCHEMA_VALID and JSON_SCHEMA_VALIDATION_REPORT.

use std::borrow::Cow;

use super::super::{Function, arg};
use super::{Document, document, document_type, fail, root, values};
use crate::expr::{Call, Cx, Result};
use crate::json::{self, JsonBuf, SchemaFailure};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "json_schema_valid",
        (2, 2),
        |site| {
            (0..2).try_for_each(|at| super::check_document(site, at))?;
            Ok(SqlType::truth())
        },
        valid,
        "Whether a document follows a schema",
    ),
    Function::new(
        "json_schema_validation_report",
        (2, 2),
        |site| {
            (0..2).try_for_each(|at| super::check_document(site, at))?;
            document_type(site)
        },
        report,
        "Why a document does not follow a schema",
    )
    .nullable(),
];

/// A schema that is no object is an error before the document is looked at.
fn check_object(call: &Call<'_>, schema: &Document<'_>) -> Result<()> {
    if root(call, schema)?.is_object() {
        return Ok(());
    }
    Err(fail(call, 0)(json::JsonError::Type { needed: "an object" }))
}

/// What is wrong, or nothing; `None` where an argument is NULL.
fn validate(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Option<Option<SchemaFailure>>> {
    let schema = document(call, 0, cx)?;
    let Some(value) = call.arg(1) else { return Ok(None) };
    let kind = value.ty.kind;
    let is_text = kind.is_string() && !matches!(kind, TypeKind::Enum | TypeKind::Set);
    // Of no type that can be a document: an error whatever the schema is.
    if schema.is_none() && (is_text || matches!(kind, TypeKind::Json | TypeKind::Null)) {
        return Ok(None);
    }
    if !is_text {
        let value = document(call, 1, cx)?;
        let Some(schema) = schema else { return Ok(None) };
        check_object(call, &schema)?;
        let Some(value) = value else { return Ok(None) };
        let failure = json::validate_schema(root(call, &schema)?, root(call, &value)?);
        return failure.map(Some).map_err(fail(call, 0));
    }
    let Some(schema) = schema else { return Ok(None) };
    check_object(call, &schema)?;
    let schema = root(call, &schema)?;
    // Of a text, the order of its members tells which failure is the first. Bytes are
    // taken for text here.
    let text = if value.ty.collation.is_binary() {
        let bytes = value.eval_text(cx, call.row)?;
        bytes.map(|bytes| Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
    } else {
        values::utf8_text(value, cx, call.row)?
    };
    let Some(text) = text else { return Ok(None) };
    let failure = json::validate_schema_of_text(schema, &text);
    failure.map(Some).map_err(|error| {
        let at = usize::from(matches!(error, json::JsonError::Text { .. }));
        fail(call, at)(error)
    })
}

fn valid(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::from(arg!(validate(call, cx)).is_none()))
}

fn report(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let failure = arg!(validate(call, cx));
    let report: JsonBuf = json::schema_report(failure.as_ref()).map_err(fail(call, 0))?;
    Ok(values::value_of(report))
}
