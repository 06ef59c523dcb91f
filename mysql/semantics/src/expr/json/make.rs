//! Documents from values.

use std::borrow::Cow;

use super::{Document, Result, failed};
use crate::decimal::Decimal;
use crate::error::{SqlError, code};
use crate::expr::context::{Cx, Row};
use crate::expr::leaf;
use crate::expr::node::{Node, Op};
use crate::json::{self, Argument, Builder, PackedTime, field_type};
use crate::number;
use crate::types::{CollationId, TypeKind};
use crate::value::Value;

/// Functions whose result is true or false, not a number.
const TRUTHS: &[&str] = &[
    "is_ipv4",
    "is_uuid",
    "json_contains",
    "json_contains_path",
    "json_overlaps",
    "json_schema_valid",
    "json_valid",
    "member of",
    "regexp_like",
    "strcmp",
];

/// Whether its numbers are truths, which JSON tells from numbers.
pub(crate) fn is_truth(node: &Node) -> bool {
    match &node.op {
        // TRUE and FALSE have no room for a sign, unlike 1 and 0.
        Op::Literal(Value::Int(_)) => node.ty.length == 1,
        Op::Subquery { known, .. } => known.truth,
        Op::Call(call) => TRUTHS.contains(&call.function.name),
        op => op.is_truth(),
    }
}

/// The number of the type that a string of bytes has within a document.
fn bytes_type(kind: TypeKind) -> u8 {
    match kind {
        TypeKind::Char => field_type::STRING,
        TypeKind::TinyText => field_type::TINY_BLOB,
        TypeKind::Text => field_type::BLOB,
        TypeKind::MediumText => field_type::MEDIUM_BLOB,
        TypeKind::LongText => field_type::LONG_BLOB,
        TypeKind::Geometry => field_type::GEOMETRY,
        _ => field_type::VARCHAR,
    }
}

/// Adds a scalar that is not NULL.
pub(crate) fn put(node: &Node, value: &Value, to: &mut Builder) -> Result<()> {
    match value {
        Value::Null => to.null(),
        Value::Int(value) if is_truth(node) => to.bool(*value != 0),
        Value::Int(value) => to.int(*value),
        Value::UInt(value) if node.ty.kind == TypeKind::Bit => {
            let mut bytes = Vec::new();
            number::bit_bytes(*value, node.ty.length.clamp(1, 64) as u8, &mut bytes);
            to.opaque(field_type::BIT, &bytes);
        }
        Value::UInt(_) if matches!(node.ty.kind, TypeKind::Enum | TypeKind::Set) => {
            let text = node.members_text(value).unwrap_or_default();
            to.string(&leaf::to_utf8(&text, node.ty.collation));
        }
        Value::UInt(value) => to.uint(*value),
        Value::Float(value) => to.double(f64::from(*value)).map_err(|error| failed(&error))?,
        Value::Double(value) => to.double(*value).map_err(|error| failed(&error))?,
        Value::Decimal(value) if value.is_zero() && leaf::made_zero(node) => {
            to.sql_decimal(&Decimal::from(0_i64)).map_err(|error| failed(&error))?;
        }
        Value::Decimal(value) => {
            let settled =
                if node.keeps_scale() { None } else { leaf::decimal_settled(value, &node.ty) };
            let value = match &settled {
                Some(Value::Decimal(settled)) => settled,
                _ => value,
            };
            to.sql_decimal(value).map_err(|error| failed(&error))?;
        }
        Value::Date(date) => to.date(PackedTime::from(*date)),
        Value::Time(time) => to.time_of_day(PackedTime::from(*time)),
        Value::DateTime(at) if node.ty.kind == TypeKind::Timestamp => {
            to.timestamp(PackedTime::from(*at));
        }
        Value::DateTime(at) => to.date_time(PackedTime::from(*at)),
        Value::Bytes(bytes) if node.ty.kind == TypeKind::Json => {
            let root = json::JsonRef::open(bytes);
            root.and_then(|root| to.value(root)).map_err(|error| failed(&error))?;
        }
        Value::Bytes(bytes) if node.ty.collation.is_binary() => {
            to.opaque(bytes_type(node.ty.kind), bytes);
        }
        Value::Bytes(bytes) => to.string(&leaf::to_utf8(bytes, node.ty.collation)),
    }
    Ok(())
}

/// A value as a document: a document as it is, anything else a scalar. `None` for
/// NULL.
pub(crate) fn atom<'a>(
    node: &'a Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<Document<'a>>> {
    let value = node.eval(cx, row)?;
    if value.is_null() {
        return Ok(None);
    }
    if node.ty.kind == TypeKind::Json {
        return Ok(Some(Document::Value(value)));
    }
    let mut builder = Builder::new();
    put(node, &value, &mut builder)?;
    builder.finish().map(|buf| Some(Document::Made(buf))).map_err(|error| failed(&error))
}

/// The text of a node in UTF-8; 3144 if it is bytes, `None` for NULL.
pub(crate) fn utf8_text<'a>(
    node: &'a Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<Cow<'a, str>>> {
    let Some(text) = node.eval_text(cx, row)? else { return Ok(None) };
    let from = match node.ty.kind {
        TypeKind::Json => CollationId::UTF8MB4_BIN,
        kind if kind.is_string() => node.ty.collation,
        TypeKind::Bit => CollationId::BINARY,
        _ => leaf::ASCII,
    };
    if from.is_binary() {
        return Err(SqlError::new(code::ER_INVALID_JSON_CHARSET, &["binary".into()]));
    }
    if leaf::charset_name(from) == "utf8mb4" {
        return Ok(Some(match text {
            Cow::Borrowed(text) => String::from_utf8_lossy(text),
            Cow::Owned(text) => match String::from_utf8(text) {
                Ok(text) => Cow::Owned(text),
                Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
            },
        }));
    }
    Ok(Some(Cow::Owned(leaf::to_utf8(&text, from))))
}

/// The same of what is to be a name in an object. Doubles that are written, and PI(), are
/// bytes there.
pub(crate) fn name_text<'a>(
    node: &'a Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<Cow<'a, str>>> {
    let written = match &node.op {
        Op::Literal(Value::Double(_)) => true,
        Op::Call(call) => call.function.name == "pi",
        _ => false,
    };
    if written {
        return Err(SqlError::new(code::ER_INVALID_JSON_CHARSET, &["binary".into()]));
    }
    utf8_text(node, cx, row)
}

/// An argument that is a document, or the text of one. `None` for NULL.
///
/// 3146 for other types, 3141 for texts that are no document.
pub(crate) fn document<'a>(
    node: &'a Node,
    argument: Argument<'_>,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<Document<'a>>> {
    match node.ty.kind {
        TypeKind::Json => {
            let value = node.eval(cx, row)?;
            return Ok((!value.is_null()).then_some(Document::Value(value)));
        }
        TypeKind::Null => return Ok(None),
        kind if kind.is_string() && !matches!(kind, TypeKind::Enum | TypeKind::Set) => {}
        _ => {
            let number = argument.number as u64;
            let args = [number.into(), argument.function.into()];
            return Err(SqlError::new(code::ER_INVALID_TYPE_FOR_JSON, &args));
        }
    }
    let Some(text) = utf8_text(node, cx, row)? else { return Ok(None) };
    let parsed = json::parse(&text).map_err(|error| error.to_sql(argument))?;
    Ok(Some(Document::Made(parsed)))
}
