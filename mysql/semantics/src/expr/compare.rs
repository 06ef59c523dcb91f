//! Comparison at run time.

use std::cmp::Ordering;

use super::context::{Cx, Row};
use super::eval::internal;
use super::node::{ExtremeDates, Node};
use super::{Result, cast, leaf};
use crate::temporal::DateTime;
use crate::types::{CollationId, TypeKind};
use crate::value::Value;

/// The comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `<=>`
    NullSafeEq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl CompareOp {
    /// As MySQL prints it.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOp::Eq => "=",
            CompareOp::NullSafeEq => "<=>",
            CompareOp::Ne => "<>",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }

    /// What it says of two values that stand in this order.
    #[inline]
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            CompareOp::Eq | CompareOp::NullSafeEq => order == Ordering::Equal,
            CompareOp::Ne => order != Ordering::Equal,
            CompareOp::Lt => order == Ordering::Less,
            CompareOp::Le => order != Ordering::Greater,
            CompareOp::Gt => order == Ordering::Greater,
            CompareOp::Ge => order != Ordering::Less,
        }
    }
}

/// As what two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Integers, signed or not.
    Int,
    /// Integers as 64 bits, whether signed or not.
    Wrapped,
    /// Exact numbers.
    Decimal,
    /// Floating point numbers.
    Double,
    /// Strings, by a collation.
    Text(CollationId),
    /// Dates with time; a constant that is none is an error.
    DateTime,
    /// The same; other strings that are none are named as of a column.
    NamedDateTime,
    /// Dates with time; a string that is none is a warning.
    LenientDateTime,
    /// Dates and times as the integers that they lie packed in, beside integers.
    Packed,
    /// Times.
    Time,
    /// JSON documents.
    Json,
}

/// The order of two operands; `None` if one is NULL.
#[inline]
pub(crate) fn order<'a>(
    with: Comparison,
    left: &'a Node,
    right: &'a Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<Ordering>> {
    macro_rules! both {
        ($eval:ident, $a:ident, $b:ident, $order:expr) => {{
            let Some($a) = left.$eval(cx, row)? else { return Ok(None) };
            let Some($b) = right.$eval(cx, row)? else { return Ok(None) };
            Ok($order)
        }};
    }
    match with {
        Comparison::Int => both!(eval_int, a, b, Some(a.cmp(&b))),
        #[allow(clippy::cast_possible_truncation, reason = "64 bits are meant")]
        Comparison::Wrapped => both!(eval_int, a, b, Some((a as i64).cmp(&(b as i64)))),
        Comparison::Decimal => both!(eval_decimal, a, b, Some(a.cmp(&b))),
        Comparison::Double => both!(eval_double, a, b, a.partial_cmp(&b)),
        Comparison::Text(collation) => {
            both!(eval_text, a, b, Some(leaf::compare_text(collation, &a, &b)))
        }
        Comparison::DateTime | Comparison::NamedDateTime | Comparison::LenientDateTime => {
            let Some(a) = leaf::compared_datetime(left, right, with, cx, row)? else {
                // A constant time is made a date whatever it stands beside.
                if right.ty.kind == TypeKind::Time && right.is_constant() {
                    right.eval(cx, row)?;
                }
                return Ok(None);
            };
            let b = leaf::compared_datetime(right, left, with, cx, row)?;
            let Some(b) = b else { return Ok(None) };
            Ok(Some(a.cmp(&b)))
        }
        Comparison::Packed => {
            let Some(a) = leaf::packed(left, cx, row)? else { return Ok(None) };
            let Some(b) = leaf::packed(right, cx, row)? else { return Ok(None) };
            Ok(Some(a.cmp(&b)))
        }
        Comparison::Time => {
            let Some(a) = leaf::compared_time(left, cx, row)? else { return Ok(None) };
            let Some(b) = leaf::compared_time(right, cx, row)? else { return Ok(None) };
            Ok(Some(a.cmp(&b)))
        }
        Comparison::Json => super::json::compare(left, right, cx, row),
    }
}

#[inline]
pub(super) fn truth<'a>(
    op: CompareOp,
    with: Comparison,
    left: &'a Node,
    right: &'a Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<bool>> {
    if op == CompareOp::NullSafeEq {
        let left_null = left.eval(cx, row)?.is_null();
        // What is never NULL is not asked beside NULL.
        let right_null = (!left_null || right.ty.nullable) && right.eval(cx, row)?.is_null();
        match (left_null, right_null) {
            (true, true) => return Ok(Some(true)),
            (false, false) => {}
            // Strings are read as numbers all the same, for their warnings; a constant
            // on the right only if the left is not NULL.
            (left_null, _) if with == Comparison::Double => {
                left.eval_double(cx, row)?;
                if !left_null || !right.is_constant() {
                    right.eval_double(cx, row)?;
                }
                return Ok(Some(false));
            }
            _ => return Ok(Some(false)),
        }
        return Ok(Some(order(with, left, right, cx, row)? == Some(Ordering::Equal)));
    }
    Ok(order(with, left, right, cx, row)?.map(|order| op.holds(order)))
}

/// `(a, b) = (c, d)` and its like.
pub(super) fn rows(
    node: &Node,
    op: CompareOp,
    with: &[Comparison],
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    let [left, right] = &*node.args else { return Err(internal()) };
    if !matches!(op, CompareOp::Eq | CompareOp::Ne | CompareOp::NullSafeEq) {
        // Rows of constants are computed as a whole.
        left.compute_constants(cx, row)?;
        right.compute_constants(cx, row)?;
    }
    row_truth(op, with, left, right, cx, row)
}

pub(super) fn row_truth<'a>(
    op: CompareOp,
    with: &[Comparison],
    left: &'a Node,
    right: &'a Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<bool>> {
    let mut unknown = false;
    for ((a, b), with) in left.args.iter().zip(&right.args).zip(with) {
        if op == CompareOp::NullSafeEq {
            if truth(op, *with, a, b, cx, row)? != Some(true) {
                return Ok(Some(false));
            }
            continue;
        }
        match order(*with, a, b, cx, row)? {
            None if matches!(op, CompareOp::Eq | CompareOp::Ne) => unknown = true,
            None => return Ok(None),
            Some(Ordering::Equal) => {}
            Some(order) => return Ok(Some(op.holds(order))),
        }
    }
    if unknown { Ok(None) } else { Ok(Some(op.holds(Ordering::Equal))) }
}

pub(super) fn like(
    node: &Node,
    negated: bool,
    collation: CollationId,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    let [value, pattern, escape] = &*node.args else { return Err(internal()) };
    let Some(value) = value.eval_text(cx, row)? else { return Ok(None) };
    let Some(pattern) = pattern.eval_text(cx, row)? else { return Ok(None) };
    let escape = leaf::escape_character(escape, collation, cx, row)?;
    Ok(Some(leaf::like(collation, &value, &pattern, escape) != negated))
}

/// GREATEST and LEAST.
pub(super) fn extreme(
    node: &Node,
    greatest: bool,
    by: Comparison,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Value> {
    let mut best: Option<&Node> = None;
    for arg in &node.args {
        if arg.eval(cx, row)?.is_null() {
            return Ok(Value::Null);
        }
        let better = match best {
            None => true,
            Some(best) => match order(by, arg, best, cx, row)? {
                None => return Ok(Value::Null),
                // Of equals, GREATEST gives the last, LEAST the first.
                Some(order) if greatest => order != Ordering::Less,
                Some(order) => order == Ordering::Less,
            },
        };
        if better {
            best = Some(arg);
        }
    }
    match best {
        Some(best) => Ok(cast::in_type_of(node, best, cx, row)?.into_owned()),
        None => Ok(Value::Null),
    }
}

/// GREATEST and LEAST of dates among strings and numbers. What is no date is above
/// all dates, but zero among dates with time; if zero it is, the texts are compared.
pub(super) fn extreme_dates(
    node: &Node,
    greatest: bool,
    by: Comparison,
    dates: &ExtremeDates,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Value> {
    let Some(best) = best_date(node, greatest, dates, cx, row)? else { return Ok(Value::Null) };
    let mut out = Vec::new();
    match best {
        Some(value) if dates.date_only => value.date().write_text(&mut out),
        // The largest number of a date's bits.
        None if dates.date_only => out.extend_from_slice(b"16383-15-31"),
        Some(value) if value != DateTime::ZERO => {
            value.write_text(dates.decimals, &mut out);
        }
        _ => return extreme(node, greatest, by, cx, row),
    }
    Ok(Value::from(out))
}

/// The extreme of dates: `None` is NULL, `Some(None)` no date.
pub(super) fn best_date(
    node: &Node,
    greatest: bool,
    dates: &ExtremeDates,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Option<DateTime>>> {
    let key = |value: Option<DateTime>| (value.is_none() == dates.date_only, value);
    let mut best: Option<Option<DateTime>> = None;
    for arg in &node.args {
        let Some(value) = leaf::extreme_datetime(arg, dates, cx, row)? else { return Ok(None) };
        let better = best.is_none_or(|best| match greatest {
            true => key(value) > key(best),
            false => key(value) < key(best),
        });
        if better {
            best = Some(value);
        }
    }
    Ok(best)
}
