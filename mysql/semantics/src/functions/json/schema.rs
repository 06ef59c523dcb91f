//! JSON_SCHEMA_VALID and JSON_SCHEMA_VALIDATION_REPORT.

use super::super::{Function, arg};
use super::{argument, document, document_type, fail, root, values};
use crate::expr::{Call, Cx, Result};
use crate::json::{self, JsonBuf, SchemaFailure};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "json_schema_valid",
        (2, 2),
        |_| Ok(SqlType::truth()),
        valid,
        "Whether a document follows a schema",
    ),
    Function::new(
        "json_schema_validation_report",
        (2, 2),
        document_type,
        report,
        "Why a document does not follow a schema",
    )
    .nullable(),
];

/// What is wrong, or nothing; `None` where an argument is NULL.
fn validate(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Option<Option<SchemaFailure>>> {
    let Some(schema) = document(call, 0, cx)? else { return Ok(None) };
    let Some(value) = call.arg(1) else { return Ok(None) };
    let schema = root(call, &schema)?;
    // The first argument's mistakes come before the second's.
    if !schema.is_object() {
        let needed = json::JsonError::Type { needed: "an object" };
        return Err(needed.to_sql(argument(call, 0)));
    }
    if value.ty.kind.is_string() && !matches!(value.ty.kind, TypeKind::Enum | TypeKind::Set) {
        // Of a text, the order of its members tells which failure is the first.
        let Some(text) = values::utf8_text(value, cx, call.row)? else { return Ok(None) };
        let failure = json::validate_schema_of_text(schema, &text);
        let at =
            |error: &json::JsonError| usize::from(matches!(error, json::JsonError::Text { .. }));
        return failure.map(Some).map_err(|error| fail(call, at(&error))(error));
    }
    let Some(value) = document(call, 1, cx)? else { return Ok(None) };
    json::validate_schema(schema, root(call, &value)?).map(Some).map_err(fail(call, 0))
}

fn valid(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::from(arg!(validate(call, cx)).is_none()))
}

fn report(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let failure = arg!(validate(call, cx));
    let report: JsonBuf = json::schema_report(failure.as_ref()).map_err(fail(call, 0))?;
    Ok(values::value_of(report))
}
