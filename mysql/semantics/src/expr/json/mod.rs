//! JSON among the values of expressions.
//!
//! A value of type JSON is the bytes of a document in the binary form. Here
//! documents are made of the values of other types, and read as them.

mod coerce;
mod make;
mod stored;

use std::borrow::Cow;
use std::cmp::Ordering;

pub(crate) use coerce::{Coerced, Fault, beyond_decimals, datetime, decimal, double, int, time};
pub(crate) use make::{atom, document, is_truth, name_text, put, utf8_text};
pub use stored::stored_document;

use super::Result;
use super::context::{Cx, Row};
use super::eval::Out;
use super::node::{Node, Op};
use crate::error::{SqlError, code};
use crate::json::{Argument, JsonBuf, JsonError, JsonRef};
use crate::types::{CollationId, Derivation, NOT_FIXED_DECIMALS, SqlType, TypeKind};
use crate::value::Value;

/// The type of documents.
pub(crate) fn json_type() -> SqlType {
    // As many characters of four bytes as a length of 32 bits can tell.
    let mut ty = SqlType::plain(TypeKind::Json, u32::MAX / 4, NOT_FIXED_DECIMALS);
    ty.collation = CollationId::UTF8MB4_BIN;
    ty.derivation = Derivation::Implicit;
    ty
}

/// A document: a value of type JSON as it lies in a row, or one that was made.
#[derive(Debug)]
pub(crate) enum Document<'a> {
    Value(Out<'a>),
    Made(JsonBuf),
}

impl Document<'_> {
    pub(crate) fn root(&self) -> std::result::Result<JsonRef<'_>, JsonError> {
        match self {
            Document::Value(value) => JsonRef::open(value.as_bytes().unwrap_or_default()),
            Document::Made(buf) => buf.root(),
        }
    }

    pub(crate) fn into_value(self) -> Value {
        match self {
            Document::Value(value) => value.into_owned(),
            Document::Made(buf) => value_of(buf),
        }
    }
}

/// A document as a value.
pub(crate) fn value_of(buf: JsonBuf) -> Value {
    Value::from(buf.into_bytes())
}

/// An error about no argument in particular.
pub(crate) fn failed(error: &JsonError) -> SqlError {
    error.to_sql(Argument { function: "", number: 1 })
}

/// What messages call the place that a JSON value comes from.
pub(crate) fn source_name(node: &Node) -> Cow<'_, str> {
    match &node.op {
        Op::Column(column) => match column.name.strip_suffix('`') {
            Some(name) => Cow::Owned(name.rsplit('`').next().unwrap_or_default().to_owned()),
            // What is computed elsewhere: functions are named, but no extremes.
            None => match column.name.split('(').next() {
                Some("max" | "min") | None => Cow::Borrowed("?"),
                Some(function) => Cow::Owned(function.to_owned()),
            },
        },
        Op::Subquery { known, .. } => match &known.source {
            Some(source) => Cow::Borrowed(source),
            None => Cow::Borrowed("?"),
        },
        Op::Call(call) => Cow::Borrowed(call.function.name),
        Op::Cast(_) => Cow::Borrowed("cast_as_json"),
        Op::If => Cow::Borrowed("if"),
        Op::Case { .. } | Op::CaseOf { .. } => Cow::Borrowed("case"),
        Op::Coalesce => Cow::Borrowed("coalesce"),
        Op::NullIf(_) => Cow::Borrowed("nullif"),
        Op::Extreme { greatest: true, .. } => Cow::Borrowed("greatest"),
        Op::Extreme { greatest: false, .. } => Cow::Borrowed("least"),
        Op::UserVariable(name) | Op::Assign(name) => Cow::Borrowed(name),
        _ => Cow::Borrowed(""),
    }
}

/// What a document is to a consumer of another type, with a warning where it is
/// nothing of the kind.
pub(crate) fn coerced<T>(
    node: &Node,
    bytes: &[u8],
    cx: &mut Cx<'_>,
    how: impl FnOnce(JsonRef<'_>) -> std::result::Result<Coerced<T>, JsonError>,
) -> Result<T> {
    let (value, fault) = read(node, bytes, cx, how)?;
    if let Some(error) = fault {
        cx.warn(error);
    }
    Ok(value)
}

/// The same, with what is wrong beside it.
fn read<T>(
    node: &Node,
    bytes: &[u8],
    cx: &Cx<'_>,
    how: impl FnOnce(JsonRef<'_>) -> std::result::Result<Coerced<T>, JsonError>,
) -> Result<(T, Option<SqlError>)> {
    let coerced = JsonRef::open(bytes).and_then(how).map_err(|error| failed(&error))?;
    let fault = coerced
        .fault
        .map(|fault| fault_error(fault, coerced.to, &source_name(node), cx.row_number));
    Ok((coerced.value, fault))
}

/// 3156 or 3155.
fn fault_error(fault: Fault, to: &str, source: &str, row: u64) -> SqlError {
    let number = match fault {
        Fault::Invalid => code::ER_INVALID_JSON_VALUE_FOR_CAST,
        Fault::OutOfRange => code::ER_NUMERIC_JSON_VALUE_OUT_OF_RANGE,
    };
    SqlError::new(number, &[to.into(), "".into(), source.into(), row.into()])
}

/// The text of a document.
pub(crate) fn text(bytes: &[u8]) -> Result<Vec<u8>> {
    let text = JsonRef::open(bytes).and_then(|root| root.print());
    Ok(text.map_err(|error| failed(&error))?.into_bytes())
}

/// The order of two operands as documents; `None` if one is NULL.
pub(crate) fn compare(
    left: &Node,
    right: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Ordering>> {
    let Some(left) = atom(left, cx, row)? else { return Ok(None) };
    let Some(right) = atom(right, cx, row)? else { return Ok(None) };
    let order = left.root().and_then(|left| left.compare(&right.root()?));
    order.map(Some).map_err(|error| failed(&error))
}

/// The document that an argument is: a value of type JSON, or the text of one; `None` for
/// NULL.
///
/// # Errors
/// 3141 for a text that is none, 3144 for one in the binary character set, 3146 for a value of
/// another type.
pub fn document_argument(
    node: &Node,
    argument: Argument<'_>,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Value>> {
    Ok(document(node, argument, cx, row)?.map(Document::into_value))
}

/// CAST to JSON: texts are read, other values become scalars.
pub(crate) fn cast(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Value> {
    let argument = Argument { function: "cast_as_json", number: 1 };
    let chosen = matches!(node.ty.kind, TypeKind::Enum | TypeKind::Set);
    let made = if node.ty.kind.is_string() && !chosen && !node.ty.collation.is_binary() {
        document(node, argument, cx, row)?
    } else {
        atom(node, cx, row)?
    };
    Ok(made.map_or(Value::Null, Document::into_value))
}
