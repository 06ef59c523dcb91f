//! Arithmetic and bit operators at run time.

use super::context::{Cx, Row};
use super::leaf;
use super::node::{Node, Op};
use super::{Result, print};
use crate::decimal::Decimal;
use crate::error::{SqlError, code};
use crate::value::Value;

/// The operators of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArithOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `DIV`
    IntDivide,
    /// `%`
    Modulo,
}

impl ArithOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            ArithOp::Add => "+",
            ArithOp::Subtract => "-",
            ArithOp::Multiply => "*",
            ArithOp::Divide => "/",
            ArithOp::IntDivide => "DIV",
            ArithOp::Modulo => "%",
        }
    }
}

/// The operators over bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BitOp {
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
}

impl BitOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BitOp::And => "&",
            BitOp::Or => "|",
            BitOp::Xor => "^",
            BitOp::ShiftLeft => "<<",
            BitOp::ShiftRight => ">>",
        }
    }
}

/// In which numbers an operator computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// 64 bits, signed or not as the node's type says.
    Int,
    /// Exact with a point.
    Decimal,
    /// Binary floating point.
    Double,
}

/// 1690, with the expression as MySQL prints it.
#[cold]
pub(crate) fn out_of_range(what: &str, node: &Node) -> SqlError {
    let text = print::expression(node);
    SqlError::new(code::ER_DATA_OUT_OF_RANGE, &[what.into(), text.as_str().into()])
}

/// NULL for a division by zero, and a warning if the mode asks for it.
#[cold]
fn division_by_zero(cx: &mut Cx<'_>) {
    if cx.settings.error_for_division_by_zero {
        cx.warn(SqlError::new(code::ER_DIVISION_BY_ZERO, &[]));
    }
}

/// `value` in the range of the node's integer type.
#[inline]
pub(crate) fn ranged(node: &Node, value: Option<i128>) -> Result<i128> {
    let in_range = |value: &i128| {
        if node.ty.unsigned { u64::try_from(*value).is_ok() } else { i64::try_from(*value).is_ok() }
    };
    value.filter(in_range).ok_or_else(|| {
        out_of_range(if node.ty.unsigned { "BIGINT UNSIGNED" } else { "BIGINT" }, node)
    })
}

/// `value` if it is finite.
#[inline]
pub(crate) fn finite(node: &Node, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(out_of_range("DOUBLE", node)) }
}

pub(super) fn int(node: &Node, op: ArithOp, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<i128>> {
    let [left, right] = &*node.args else { return Ok(None) };
    // DIV of anything but integers computes in decimals.
    if op == ArithOp::IntDivide && !(left.computes_as_int() && right.computes_as_int()) {
        return decimal_div(node, left, right, cx, row);
    }
    // Both are read, for the warnings of the second.
    let (a, b) = (left.eval_int(cx, row)?, right.eval_int(cx, row)?);
    let (Some(a), Some(b)) = (a, b) else { return Ok(None) };
    let value = match op {
        ArithOp::Add => a.checked_add(b),
        ArithOp::Subtract => a.checked_sub(b),
        ArithOp::Multiply => a.checked_mul(b),
        _ if b == 0 => {
            division_by_zero(cx);
            return Ok(None);
        }
        ArithOp::Divide | ArithOp::IntDivide => a.checked_div(b),
        ArithOp::Modulo => a.checked_rem(b),
    };
    ranged(node, value).map(Some)
}

fn decimal_div(
    node: &Node,
    left: &Node,
    right: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<i128>> {
    let Some(a) = left.eval_decimal(cx, row)? else { return Ok(None) };
    let Some(b) = right.eval_decimal(cx, row)? else { return Ok(None) };
    if b.is_zero() {
        division_by_zero(cx);
        return Ok(None);
    }
    ranged(node, leaf::decimal_int_divide(&a, &b)).map(Some)
}

pub(super) fn double(
    node: &Node,
    op: ArithOp,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<f64>> {
    let [left, right] = &*node.args else { return Ok(None) };
    // Both are asked, for the warnings of the second.
    let (a, b) = (left.eval_double(cx, row)?, right.eval_double(cx, row)?);
    let (Some(a), Some(b)) = (a, b) else { return Ok(None) };
    let value = match op {
        ArithOp::Add => a + b,
        ArithOp::Subtract => a - b,
        ArithOp::Multiply => a * b,
        _ if b == 0.0 => {
            division_by_zero(cx);
            return Ok(None);
        }
        ArithOp::Divide => a / b,
        ArithOp::IntDivide => (a / b).trunc(),
        ArithOp::Modulo => a % b,
    };
    finite(node, value).map(Some)
}

pub(super) fn decimal(
    node: &Node,
    op: ArithOp,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<Decimal>> {
    let [left, right] = &*node.args else { return Ok(None) };
    let Some(a) = left.eval_decimal(cx, row)? else { return Ok(None) };
    let Some(b) = right.eval_decimal(cx, row)? else { return Ok(None) };
    let value = match op {
        ArithOp::Add => leaf::decimal_add(&a, &b),
        ArithOp::Subtract => leaf::decimal_subtract(&a, &b),
        ArithOp::Multiply => leaf::decimal_multiply(&a, &b),
        _ if b.is_zero() => {
            division_by_zero(cx);
            return Ok(None);
        }
        ArithOp::Divide | ArithOp::IntDivide => {
            leaf::decimal_divide(&a, &b, cx.settings.div_precision_increment, node.ty.decimals)
        }
        ArithOp::Modulo => leaf::decimal_modulo(&a, &b),
    };
    if let Some(difference) = &value
        && op == ArithOp::Subtract
        && node.ty.unsigned
        && difference.is_negative()
        && !difference.is_zero()
    {
        return Err(out_of_range("DECIMAL UNSIGNED", node));
    }
    value.ok_or_else(|| out_of_range("DECIMAL", node)).map(Some)
}

pub(super) fn negate_int(node: &Node, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<i128>> {
    let [operand] = &*node.args else { return Ok(None) };
    let Some(value) = operand.eval_int(cx, row)? else { return Ok(None) };
    ranged(node, Some(-value)).map(Some)
}

/// A shift by 64 or more, or by a negative number, gives 0.
fn shifted(op: BitOp, value: u64, by: u64) -> u64 {
    match (op, u32::try_from(by).ok()) {
        (BitOp::ShiftLeft, Some(by)) => value.checked_shl(by).unwrap_or(0),
        (_, Some(by)) => value.checked_shr(by).unwrap_or(0),
        (_, None) => 0,
    }
}

pub(super) fn bits(node: &Node, op: BitOp, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<i128>> {
    let [left, right] = &*node.args else { return Ok(None) };
    let Some(a) = left.eval_int(cx, row)? else { return Ok(None) };
    let Some(b) = right.eval_int(cx, row)? else { return Ok(None) };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "64 bits are meant")]
    let (a, b) = (a as u64, b as u64);
    let value = match op {
        BitOp::And => a & b,
        BitOp::Or => a | b,
        BitOp::Xor => a ^ b,
        BitOp::ShiftLeft | BitOp::ShiftRight => shifted(op, a, b),
    };
    Ok(Some(i128::from(value)))
}

pub(super) fn bit_bytes(node: &Node, op: BitOp, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Value> {
    let [left, right] = &*node.args else { return Ok(Value::Null) };
    let Some(a) = left.eval_text(cx, row)? else { return Ok(Value::Null) };
    let a = a.into_owned();
    if let BitOp::ShiftLeft | BitOp::ShiftRight = op {
        let Some(by) = right.eval_int(cx, row)? else { return Ok(Value::Null) };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "64 bits are meant"
        )]
        return Ok(Value::from(shift_bytes(op, &a, by as u64)));
    }
    let Some(b) = right.eval_text(cx, row)? else { return Ok(Value::Null) };
    if a.len() != b.len() {
        return Err(SqlError::new(code::ER_INVALID_BITWISE_OPERANDS_SIZE, &[op.symbol().into()]));
    }
    let combine = |(a, b): (&u8, &u8)| match op {
        BitOp::And => a & b,
        BitOp::Or => a | b,
        _ => a ^ b,
    };
    Ok(Value::from(a.iter().zip(b.iter()).map(combine).collect::<Vec<u8>>()))
}

fn shift_bytes(op: BitOp, bytes: &[u8], by: u64) -> Vec<u8> {
    let mut out = vec![0; bytes.len()];
    let (whole, part) = (by / 8, (by % 8) as u32);
    let Ok(whole) = usize::try_from(whole) else { return out };
    for (at, slot) in out.iter_mut().enumerate() {
        let byte =
            |at: Option<usize>| u32::from(at.and_then(|at| bytes.get(at)).copied().unwrap_or(0));
        let pair = if op == BitOp::ShiftLeft {
            let first = at.checked_add(whole);
            (byte(first) << 8 | byte(first.and_then(|at| at.checked_add(1)))) << part >> 8
        } else {
            let first = at.checked_sub(whole);
            (byte(first.and_then(|at| at.checked_sub(1))) << 8 | byte(first)) >> part
        };
        *slot = pair as u8;
    }
    out
}

pub(super) fn bit_not(node: &Node, bytes: bool, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Value> {
    let [operand] = &*node.args else { return Ok(Value::Null) };
    if bytes {
        let Some(value) = operand.eval_text(cx, row)? else { return Ok(Value::Null) };
        return Ok(Value::from(value.iter().map(|byte| !byte).collect::<Vec<u8>>()));
    }
    let Some(value) = operand.eval_int(cx, row)? else { return Ok(Value::Null) };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "64 bits are meant")]
    Ok(Value::UInt(!(value as u64)))
}

impl Node {
    /// Whether it is an integer to arithmetic.
    pub(crate) fn computes_as_int(&self) -> bool {
        self.numeric_domain() == Domain::Int
    }

    /// The numbers it is computed in where a number is wanted.
    pub(crate) fn numeric_domain(&self) -> Domain {
        use crate::types::TypeKind as K;
        match self.ty.kind {
            K::TinyInt | K::SmallInt | K::MediumInt | K::Int | K::BigInt | K::Bit | K::Year => {
                Domain::Int
            }
            K::Decimal => Domain::Decimal,
            K::Date => Domain::Int,
            K::Time | K::DateTime | K::Timestamp if self.ty.decimals == 0 => Domain::Int,
            K::Time | K::DateTime | K::Timestamp => Domain::Decimal,
            K::Null => Domain::Double,
            _ if matches!(self.op, Op::Hex(_)) => Domain::Int,
            _ => Domain::Double,
        }
    }
}
