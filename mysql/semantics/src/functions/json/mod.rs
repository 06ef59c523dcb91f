//! The functions of JSON. What they do to documents is in [`crate::json`]; here
//! are their arguments, NULLs, types and errors.

mod change;
mod look;
mod make;
mod merge;
mod schema;
mod search;
mod value;

use super::Function;
use crate::error::{SqlError, code};
use crate::expr::json::{self as values, Document};
use crate::expr::{Call, Cx, Result, Site};
use crate::json::{Argument, JsonBuf, JsonError, JsonRef, Path};
use crate::types::{CollationId, Derivation, SqlType};
use crate::value::Value;

pub(crate) use value::{Fallback, ON_EMPTY_SHIFT, ON_ERROR_SHIFT};

/// In groups, for the registry.
pub(super) static CHANGE: &[Function] = change::FUNCTIONS;
pub(super) static LOOK: &[Function] = look::FUNCTIONS;
pub(super) static MAKE: &[Function] = make::FUNCTIONS;
pub(super) static MERGE: &[Function] = merge::FUNCTIONS;
pub(super) static SCHEMA: &[Function] = schema::FUNCTIONS;
pub(super) static SEARCH: &[Function] = search::FUNCTIONS;
pub(super) static VALUE: &[Function] = value::FUNCTIONS;

/// The type of a document.
fn document_type(_: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(values::json_type())
}

/// The type of a text that JSON functions make.
fn text_type(site: &Site<'_, '_>, characters: u64) -> SqlType {
    let coll = crate::expr::coercion::Coll {
        id: CollationId::UTF8MB4_BIN,
        derivation: Derivation::Implicit,
        ascii: false,
        broken: false,
    };
    site.text(characters, coll)
}

fn argument<'c>(call: &Call<'c>, at: usize) -> Argument<'c> {
    let function = match call.call.function.name {
        "json_merge" => "json_merge_preserve",
        name => name,
    };
    Argument { function, number: at + 1 }
}

/// 3146 for an argument whose type no document has, before there are rows.
fn check_document(site: &Site<'_, '_>, at: usize) -> Result<()> {
    use crate::types::TypeKind as K;
    let kind = site.node(at)?.ty.kind;
    let text = kind.is_string() && !matches!(kind, K::Enum | K::Set);
    if text || matches!(kind, K::Json | K::Null) {
        return Ok(());
    }
    let args = [(at as u64 + 1).into(), site.name.into()];
    Err(SqlError::new(code::ER_INVALID_TYPE_FOR_JSON, &args))
}

/// A document, or the text of one.
fn document<'a>(call: &Call<'a>, at: usize, cx: &mut Cx<'_>) -> Result<Option<Document<'a>>> {
    match call.arg(at) {
        Some(arg) => values::document(arg, argument(call, at), cx, call.row),
        None => Ok(None),
    }
}

/// Any value as a document; NULL is the JSON null.
fn value_or_null<'a>(call: &Call<'a>, at: usize, cx: &mut Cx<'_>) -> Result<Document<'a>> {
    let atom = match call.arg(at) {
        Some(arg) => values::atom(arg, cx, call.row)?,
        None => None,
    };
    match atom {
        Some(atom) => Ok(atom),
        None => null().map(Document::Made).map_err(fail(call, at)),
    }
}

/// The document `null`.
fn null() -> std::result::Result<JsonBuf, JsonError> {
    let mut builder = crate::json::Builder::new();
    builder.null();
    builder.finish()
}

/// A path.
fn path(call: &Call<'_>, at: usize, cx: &mut Cx<'_>) -> Result<Option<Path>> {
    let Some(arg) = call.arg(at) else { return Ok(None) };
    let Some(text) = values::utf8_text(arg, cx, call.row)? else { return Ok(None) };
    Path::parse(&text).map(Some).map_err(fail(call, at))
}

/// A path that leads to one place at most.
fn single_path(call: &Call<'_>, at: usize, cx: &mut Cx<'_>) -> Result<Option<Path>> {
    match path(call, at, cx)? {
        Some(path) => path.single().map(Some).map_err(fail(call, at)),
        None => Ok(None),
    }
}

/// The error of an argument.
fn fail<'c>(call: &Call<'c>, at: usize) -> impl Fn(JsonError) -> crate::error::SqlError + use<'c> {
    let argument = argument(call, at);
    move |error| error.to_sql(argument)
}

/// What a kernel makes of documents, as a value.
fn made(call: &Call<'_>, made: std::result::Result<Option<JsonBuf>, JsonError>) -> Result<Value> {
    Ok(made.map_err(fail(call, 0))?.map_or(Value::Null, values::value_of))
}

/// The root of a document.
fn root<'d>(call: &Call<'_>, document: &'d Document<'_>) -> Result<JsonRef<'d>> {
    document.root().map_err(fail(call, 0))
}
