//! One side of a comparison by itself: what a search in an index starts from.

use super::compare::Comparison;
use super::context::{Cx, Row};
use super::eval::int_in;
use super::node::Node;
use super::{Result, leaf};
use crate::collation::Collation;
use crate::types::CollationId;
use crate::value::Value;

/// What texts begin with that are LIKE a pattern: in `Some`, bytes in the collation's character
/// set, or `None` if no text is like it, as the pattern is NULL. `None` if it cannot be said.
///
/// # Errors
///
/// As [`Node::run`].
pub fn like_beginning(
    collation: CollationId,
    pattern: &Node,
    escape: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Option<Vec<u8>>>> {
    let Some(pattern) = pattern.eval_text(cx, row)? else { return Ok(Some(None)) };
    let escape = leaf::escape_character(escape, collation, cx, row)?;
    let Some(collation) = Collation::by_id(collation.0) else { return Ok(None) };
    Ok(collation.like_beginning(&pattern, escape).ok().flatten().map(Some))
}

/// The value that `operand` has when it is compared with `other` as `with` says:
/// an integer, a decimal, a double, bytes in the collation's character set, a date
/// with time, or a time. `Value::Null` if it is NULL, or a text that is no date:
/// then the comparison is never true. `None` for documents, packed dates and wrapped
/// integers, which have no order of keys.
///
/// # Errors
///
/// As [`Node::run`].
pub fn compared_value<'a>(
    with: Comparison,
    operand: &'a Node,
    other: &'a Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<Value>> {
    Ok(Some(match with {
        Comparison::Int => match operand.eval_int(cx, row)? {
            Some(value) => int_in(value, value > i128::from(i64::MAX)),
            None => Value::Null,
        },
        Comparison::Decimal => match operand.eval_decimal(cx, row)? {
            Some(value) => Value::Decimal(value),
            None => Value::Null,
        },
        Comparison::Double => Value::from(operand.eval_double(cx, row)?),
        Comparison::Text(_) => match operand.eval_text(cx, row)? {
            Some(text) => Value::bytes(&text),
            None => Value::Null,
        },
        Comparison::DateTime | Comparison::NamedDateTime | Comparison::LenientDateTime => {
            match leaf::compared_datetime(operand, other, with, cx, row)? {
                Some(value) => Value::DateTime(value),
                None => Value::Null,
            }
        }
        Comparison::Time => match leaf::compared_time(operand, cx, row)?.flatten() {
            Some(value) => Value::Time(value),
            None => Value::Null,
        },
        Comparison::Json | Comparison::Packed | Comparison::Wrapped => return Ok(None),
    }))
}
