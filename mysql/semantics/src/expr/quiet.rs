//! What can be asked once more than the statement asks it, and nobody notices.

use super::arith::{ArithOp, Domain};
use super::compare::Comparison;
use super::context::{Cx, Nobody, Row, Settings};
use super::leaf;
use super::node::{ListReading, Membership, Node, Op};
use crate::error::Warnings;
use crate::types::TypeKind;
use crate::value::Value;

/// Longest list of constants that is looked at one by one.
const LIST_MAX: usize = 10_000;

impl Node {
    /// A condition that neither warns nor fails, whatever is in the row. What is not known to
    /// be quiet is not.
    pub fn is_quiet(&self) -> bool {
        let args = &*self.args;
        match (&self.op, args) {
            (Op::And | Op::Or | Op::Xor | Op::Not | Op::IsTruth { .. }, _) => {
                args.iter().all(Node::is_quiet_truth)
            }
            (Op::IsNull { .. }, [arg]) => arg.is_leaf() || arg.is_quiet(),
            (Op::Compare(_, with), [left, right]) => {
                left.is_quiet_as(*with) && right.is_quiet_as(*with)
            }
            (Op::Between { low, high, .. }, [value, from, to]) => {
                [(value, low), (value, high), (from, low), (to, high)]
                    .iter()
                    .all(|(node, with)| node.is_quiet_as(**with))
            }
            (Op::In { how, .. }, [value, list @ ..]) if list.len() <= LIST_MAX => match how {
                Membership::Each(with) => list
                    .iter()
                    .zip(with)
                    .all(|(one, with)| value.is_quiet_as(*with) && one.is_quiet_as(*with)),
                Membership::Constants(ListReading::Integers) => {
                    args.iter().all(|one| one.is_quiet_as(Comparison::Int))
                }
                Membership::Constants(ListReading::Doubles) => {
                    args.iter().all(|one| one.is_quiet_as(Comparison::Double))
                }
                Membership::Constants(ListReading::Dates) => {
                    // Nothing is cut off of these.
                    let is_day = |one: &Node| match &one.op {
                        Op::Literal(Value::Bytes(text)) => text.len() <= 10,
                        _ => one.ty.kind == TypeKind::Date,
                    };
                    args.iter()
                        .all(|one| is_day(one) && one.is_quiet_as(Comparison::LenientDateTime))
                }
                Membership::Constants(ListReading::DateTimes) => {
                    args.iter().all(|one| one.is_quiet_as(Comparison::LenientDateTime))
                }
                _ => false,
            },
            (Op::Like { collation, .. }, [value, pattern, escape]) => {
                let text = Comparison::Text(*collation);
                let is_usual = match &escape.op {
                    Op::Literal(Value::Null) => true,
                    Op::Literal(Value::Bytes(text)) => text.len() <= 1,
                    _ => false,
                };
                value.is_quiet_as(text) && pattern.is_quiet_as(text) && is_usual
            }
            _ => false,
        }
    }

    /// As a condition.
    fn is_quiet_truth(&self) -> bool {
        self.is_quiet() || (self.is_leaf() && self.numeric_class() == Some(Domain::Int))
    }

    /// A column, or what has a value without being computed.
    fn is_leaf(&self) -> bool {
        matches!(self.op, Op::Column(_) | Op::Literal(_) | Op::Param(_))
    }

    /// As what is compared so: it has to be converted to nothing that it may not be.
    fn is_quiet_as(&self, with: Comparison) -> bool {
        if self.is_null_literal() {
            return true;
        }
        let kind = self.ty.kind;
        let fits = match with {
            Comparison::Int | Comparison::Wrapped => self.numeric_class() == Some(Domain::Int),
            Comparison::Decimal => {
                matches!(self.numeric_class(), Some(Domain::Int | Domain::Decimal))
            }
            Comparison::Double => self.numeric_class().is_some(),
            Comparison::Text(_) => {
                kind.is_string() && !matches!(kind, TypeKind::Enum | TypeKind::Set)
            }
            Comparison::DateTime | Comparison::NamedDateTime | Comparison::LenientDateTime => {
                return self.is_leaf() && (kind.has_date() || self.is_date_text());
            }
            Comparison::Time => kind == TypeKind::Time,
            Comparison::Packed | Comparison::Json => false,
        };
        fits && (self.is_leaf() || self.is_sum_of_literals())
    }

    /// A constant text that is a date, or one with a time, in every mode.
    fn is_date_text(&self) -> bool {
        if !matches!(self.op, Op::Literal(Value::Bytes(_))) || !self.ty.kind.is_string() {
            return false;
        }
        let settings =
            Settings { no_zero_date: true, no_zero_in_date: true, ..Settings::default() };
        let (mut session, mut warnings) = (Nobody, Warnings::default());
        let mut cx = Cx::new(&settings, &mut session, &mut warnings);
        let with = Comparison::LenientDateTime;
        let read = leaf::compared_datetime(self, self, with, &mut cx, Row::default());
        matches!(read, Ok(Some(_))) && warnings.is_empty()
    }

    /// `1 + 10`, as long as that is in range.
    fn is_sum_of_literals(&self) -> bool {
        fn all(node: &Node) -> bool {
            match &node.op {
                Op::Literal(_) => node.numeric_class().is_some() && !node.ty.unsigned,
                Op::Arith(ArithOp::Add | ArithOp::Subtract | ArithOp::Multiply, _)
                | Op::Negate(_) => node.args.iter().all(all),
                _ => false,
            }
        }
        let (settings, mut session) = (Settings::default(), Nobody);
        let mut warnings = Warnings::default();
        let mut cx = Cx::new(&settings, &mut session, &mut warnings);
        all(self) && self.eval(&mut cx, Row::default()).is_ok() && warnings.is_empty()
    }
}
