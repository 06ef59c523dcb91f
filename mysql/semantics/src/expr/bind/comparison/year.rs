//! Constants beside a column of YEAR are the years that the column would store: 70 is 1970.

use super::super::{Binder, fold};
use super::{Class, class};
use crate::decimal::Rounding;
use crate::expr::node::{Node, Op};
use crate::number::{year_from_number, year_from_text};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

/// What the server announces for such a constant.
const STORED_LENGTH: u32 = 21;

/// The year that a column stores of a constant; `None` if it refuses it, or nobody knows
/// it yet.
fn year_of(constant: &Node) -> Option<u16> {
    let from_number = |number: i128| year_from_number(i64::try_from(number).ok()?);
    match class(constant) {
        Class::Int => from_number(fold::integer(constant)?),
        Class::Decimal => {
            let number = fold::decimal(constant)?;
            let whole = number.round(0, Rounding::HalfUp)?;
            from_number(whole.to_i128().filter(|_| !number.is_negative())?.0)
        }
        Class::Double => {
            let (number, _) = fold::double(constant)?;
            (0.0..10_000.0).contains(&number).then(|| from_number(number as i128)).flatten()
        }
        Class::Text if matches!(constant.op, Op::Hex(_)) => {
            let number = fold::decimal(constant)?.round(0, Rounding::HalfUp)?;
            from_number(number.to_i128()?.0)
        }
        Class::Text if constant.ty.kind.is_string() => {
            year_from_text(&fold::text(constant)?).map(|(year, _)| year)
        }
        Class::Text => match &constant.op {
            Op::Literal(Value::Date(date)) => year_from_number(date.year().into()),
            Op::Literal(Value::DateTime(value)) => year_from_number(value.date().year().into()),
            _ => None,
        },
    }
}

impl Binder<'_> {
    /// A constant beside a column of years as one; `None` where they are compared as they
    /// are.
    pub(in crate::expr::bind) fn stored_year(column: &Node, constant: &Node) -> Option<Node> {
        let of_years = column.ty.kind == TypeKind::Year && matches!(column.op, Op::Column(_));
        if !of_years || constant.is_null_literal() {
            return None;
        }
        let year = year_of(constant)?;
        let ty = SqlType::bigint(STORED_LENGTH).not_null();
        let stored = Node::leaf(Op::Literal(Value::Int(year.into())), ty).with_ascii(true);
        Some(stored.with_written(crate::expr::printed(constant)))
    }
}
