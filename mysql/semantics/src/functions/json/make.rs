//! JSON_ARRAY, JSON_OBJECT, JSON_QUOTE, JSON_UNQUOTE, JSON_PRETTY.

use super::super::{Function, MANY, arg};
use super::{argument, document, document_type, fail, root, text_type, values};
use crate::error::{SqlError, code};
use crate::expr::{Call, Cx, Result, Site};
use crate::json::{self, Builder, JsonError};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("json_array", (0, MANY), document_type, array, "An array of values").nullable(),
    Function::new("json_object", (0, MANY), object_type, object, "An object of names and values")
        .nullable(),
    Function::new("json_quote", (1, 1), quote_type, quote, "A string in quotes, as JSON has it")
        .nullable(),
    Function::new("json_unquote", (1, 1), unquote_type, unquote, "The content of a JSON string")
        .nullable(),
    Function::new(
        "json_pretty",
        (1, 1),
        |site| Ok(text_type(site, 16_777_216)),
        pretty,
        "A document on many lines",
    )
    .nullable(),
];

fn array(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let mut builder = Builder::new();
    builder.begin_array().map_err(fail(call, 0))?;
    for at in 0..call.len() {
        let Some(arg) = call.arg(at) else { break };
        let value = arg.eval(cx, call.row)?;
        values::put(arg, &value, &mut builder)?;
    }
    builder.end().map_err(fail(call, 0))?;
    builder.finish().map(values::value_of).map_err(fail(call, 0))
}

fn object_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    if !site.args.len().is_multiple_of(2) {
        return Err(SqlError::wrong_parameter_count(site.name));
    }
    document_type(site)
}

fn object(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let mut builder = Builder::new();
    builder.begin_object().map_err(fail(call, 0))?;
    for at in (0..call.len()).step_by(2) {
        let (Some(name), Some(arg)) = (call.arg(at), call.arg(at + 1)) else { break };
        let name = values::name_text(name, cx, call.row)?;
        let name = name.ok_or(JsonError::NullName).map_err(fail(call, at))?;
        builder.name(&name);
        let value = arg.eval(cx, call.row)?;
        values::put(arg, &value, &mut builder)?;
    }
    builder.end().map_err(fail(call, 0))?;
    builder.finish().map(values::value_of).map_err(fail(call, 0))
}

/// 3064 for what is neither text nor, where `json` says so, a document; NULL is
/// NULL of any type.
fn check_text(call: &Call<'_>, json: bool, cx: &mut Cx<'_>) -> Result<()> {
    let Some(operand) = call.arg(0) else { return Ok(()) };
    let kind = operand.ty.kind;
    let fits = kind.is_string() || json && kind == TypeKind::Json;
    if fits || operand.eval(cx, call.row)?.is_null() {
        return Ok(());
    }
    let args = ["1".into(), call.call.function.name.into()];
    Err(SqlError::new(code::ER_INCORRECT_TYPE, &args))
}

fn quote_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    // Each character may become an escape of six, and there are the quotes.
    Ok(text_type(site, site.length(0) * 6 + 2))
}

fn quote(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    check_text(call, false, cx)?;
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let text = arg!(values::utf8_text(operand, cx, call.row));
    Ok(Value::from(json::quote(&text).into_bytes()))
}

fn unquote_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(text_type(site, site.length(0)))
}

fn unquote(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    check_text(call, true, cx)?;
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let text = if operand.ty.kind == TypeKind::Json {
        let document = arg!(document(call, 0, cx));
        root(call, &document)?.unquoted()
    } else {
        let text = arg!(values::utf8_text(operand, cx, call.row));
        json::unquote(&text)
    };
    let text = text.map_err(|error| error.to_sql(argument(call, 0)))?;
    Ok(Value::from(text.into_bytes()))
}

fn pretty(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let document = arg!(document(call, 0, cx));
    let text = root(call, &document)?.print_pretty().map_err(fail(call, 0))?;
    Ok(Value::from(text.into_bytes()))
}
