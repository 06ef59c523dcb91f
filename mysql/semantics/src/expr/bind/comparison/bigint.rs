//! Constants beside a column of BIGINT: where they are whole numbers, they are
//! compared as integers, exactly.

use super::super::{Binder, fold};
use super::{Class, class};
use crate::decimal::{Decimal, Rounding};
use crate::expr::node::{Node, Op};
use crate::number::{self, RoundedInteger};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

/// What the server announces for such a constant.
const STORED_LENGTH: u32 = 22;

impl Binder<'_> {
    /// A constant that is no integer by its type as the column's integer; `None` if
    /// something of it would be lost. What reading it warns of is warned of.
    pub(in crate::expr::bind) fn stored_bigint(
        &self,
        column: &Node,
        constant: &Node,
    ) -> Option<Node> {
        let of_bigint = column.ty.kind == TypeKind::BigInt && matches!(column.op, Op::Column(_));
        if !of_bigint || constant.is_null_literal() {
            return None;
        }
        let unsigned = column.ty.unsigned;
        let (value, length) = match class(constant) {
            Class::Int if constant.is_literal() => return None,
            Class::Int => (fold::integer(constant)?, STORED_LENGTH - 1),
            Class::Decimal => (whole(&fold::decimal(constant)?)?, STORED_LENGTH),
            Class::Double => {
                (whole(&Decimal::from_f64(fold::double(constant)?.0).value)?, STORED_LENGTH)
            }
            Class::Text if constant.ty.kind.is_temporal() => {
                (whole(&fold::decimal(constant)?)?, STORED_LENGTH)
            }
            // More than eight bytes are no number, which is warned of when it runs.
            Class::Text if matches!(&constant.op, Op::Hex(bytes) if bytes.len() > 8) => {
                return None;
            }
            Class::Text if matches!(constant.op, Op::Hex(_)) => {
                (whole(&fold::decimal(constant)?)?, STORED_LENGTH)
            }
            Class::Text if constant.ty.kind.is_string() => {
                let text = fold::text(constant)?;
                let stored = match number::parse_integer_rounded(&text, unsigned).value {
                    RoundedInteger::Signed(value) => i128::from(value),
                    RoundedInteger::Unsigned(value) => i128::from(value),
                };
                let (read, warnings) = fold::double(constant)?;
                if stored as f64 != read {
                    return None;
                }
                warnings.into_iter().for_each(|warning| self.warn(warning));
                (stored, STORED_LENGTH)
            }
            Class::Text => return None,
        };
        let fits = match unsigned {
            true => u64::try_from(value).map(Value::UInt).ok(),
            false => i64::try_from(value).map(Value::Int).ok(),
        }?;
        let ty = SqlType::bigint(length).with_unsigned(unsigned).not_null();
        let stored = Node::leaf(Op::Literal(fits), ty).with_ascii(true);
        Some(stored.with_written(crate::expr::printed(constant)))
    }
}

/// The integer that a number is, if it is one.
fn whole(number: &Decimal) -> Option<i128> {
    let whole = number.round(0, Rounding::Truncate)?;
    (whole == *number).then(|| whole.to_i128().map(|(value, _)| value)).flatten()
}
