//! Documents into columns of other types.

use super::{Coerced, datetime, decimal, double, int, read, time};
use crate::expr::Result;
use crate::expr::context::Cx;
use crate::expr::node::{Node, Op};
use crate::json::{JsonError, JsonRef};
use crate::temporal::{Date, DateMode, DateTime, Time};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

struct Document<'a> {
    node: &'a Node,
    bytes: &'a [u8],
    strict: bool,
}

impl Document<'_> {
    fn read<T>(
        &self,
        cx: &mut Cx<'_>,
        how: impl FnOnce(JsonRef<'_>) -> std::result::Result<Coerced<T>, JsonError>,
    ) -> Result<T> {
        match read(self.node, self.bytes, cx, how)? {
            (_, Some(error)) if self.strict => Err(error),
            (value, Some(error)) => {
                cx.warn(error);
                Ok(value)
            }
            (value, None) => Ok(value),
        }
    }
}

/// A document as a column of type `to` is given it, and the type of that; `None` where the
/// column is given its text. `node` is what it was computed by: a column's document that is no
/// date is the date of zeros, that of anything else NULL.
///
/// What the document is not is warned of; it is an error where `strict` says so.
///
/// # Errors
/// 3155 and 3156 in strict mode, and those of a broken document.
pub fn stored_document(
    node: &Node,
    document: &[u8],
    to: &SqlType,
    strict: bool,
    cx: &mut Cx<'_>,
) -> Result<Option<(Value, SqlType)>> {
    let document = Document { node, bytes: document, strict };
    let is_column = matches!(node.op, Op::Column(_));
    let mode = DateMode {
        no_zero_in_date: cx.settings.no_zero_in_date,
        no_zero_date: cx.settings.no_zero_date,
        allow_invalid: cx.settings.allow_invalid_dates,
        datetime_only: false,
    };
    let nothing = |zero: Value| if is_column { zero } else { Value::Null };
    Ok(Some(match to.kind {
        kind if kind.is_integer() || (kind == TypeKind::Year && is_column) => {
            let number = document.read(cx, int)?;
            match i64::try_from(number) {
                Ok(number) => (Value::Int(number), SqlType::bigint(21)),
                Err(_) => {
                    let number = u64::try_from(number).unwrap_or(u64::MAX);
                    (Value::UInt(number), SqlType::bigint(21).with_unsigned(true))
                }
            }
        }
        TypeKind::Decimal => {
            let number = document.read(cx, decimal)?;
            (Value::Decimal(number), SqlType::decimal(65, 30, false))
        }
        TypeKind::Float | TypeKind::Double => {
            (Value::Double(document.read(cx, double)?), SqlType::double())
        }
        TypeKind::Date => {
            let at = document.read(cx, |root| datetime(root, true, mode))?;
            let value = at.map(|(at, _)| Value::Date(at.date()));
            let value = value.unwrap_or_else(|| nothing(Value::Date(Date::ZERO)));
            (value, SqlType::plain(TypeKind::Date, 10, 0))
        }
        TypeKind::DateTime | TypeKind::Timestamp => {
            let at = document.read(cx, |root| datetime(root, false, mode))?;
            let value = at.map(|(at, _)| Value::DateTime(at));
            let value = value.unwrap_or_else(|| nothing(Value::DateTime(DateTime::ZERO)));
            (value, SqlType::plain(TypeKind::DateTime, 26, 6))
        }
        TypeKind::Time => {
            let at = document.read(cx, time)?;
            let value = at.map_or_else(|| nothing(Value::Time(Time::ZERO)), Value::Time);
            (value, SqlType::plain(TypeKind::Time, 17, 6))
        }
        _ => return Ok(None),
    }))
}
