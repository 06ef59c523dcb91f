//! As what operands are compared.

use firn_mysql_parser::ast;

use super::{Binder, negation};
use crate::decimal::Decimal;
use crate::error::{SqlError, code};
use crate::expr::arith::Domain;
use crate::expr::coercion::{Purpose, unify};
use crate::expr::compare::{CompareOp, Comparison};
use crate::expr::node::{Node, Op};
use crate::expr::{Result, leaf};
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Value;

/// What MySQL calls the result type of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Int,
    Decimal,
    Double,
}

pub(super) fn class(node: &Node) -> Class {
    match node.ty.kind {
        kind if kind.is_integer() => Class::Int,
        TypeKind::Bit | TypeKind::Year => Class::Int,
        TypeKind::Decimal => Class::Decimal,
        TypeKind::Float | TypeKind::Double => Class::Double,
        _ => Class::Text,
    }
}

/// The operation that compares the texts of documents.
const TEXTS_OF_JSON: &str = "case";

/// How two scalars are compared; conversions of character sets are put in.
pub(crate) fn comparison_of(
    binder: &Binder<'_>,
    pair: &mut [Node; 2],
    operation: &str,
) -> Result<Comparison> {
    let [left, right] = pair;
    if left.is_null_literal() || right.is_null_literal() {
        return Ok(Comparison::Text(CollationId::BINARY));
    }
    // CASE compares the texts of documents.
    let any_json = left.ty.kind == TypeKind::Json || right.ty.kind == TypeKind::Json;
    if any_json && operation != TEXTS_OF_JSON {
        return Ok(Comparison::Json);
    }
    let classes = (class(left), class(right));
    Ok(match classes {
        (Class::Int, Class::Int) => Comparison::Int,
        (Class::Int | Class::Decimal, Class::Int | Class::Decimal) => Comparison::Decimal,
        (Class::Text, Class::Text) => {
            let (l, r) = (left.ty.kind, right.ty.kind);
            if l == TypeKind::Time && r == TypeKind::Time {
                return Ok(Comparison::Time);
            }
            // A column takes a constant as a time; other times are strings beside one.
            let column =
                |node: &Node| node.ty.kind == TypeKind::Time && matches!(node.op, Op::Column(_));
            if (column(left) && r.is_string() && right.is_constant())
                || (column(right) && l.is_string() && left.is_constant())
            {
                return Ok(Comparison::Time);
            }
            if l.is_temporal() && r.is_temporal() {
                return Ok(Comparison::DateTime);
            }
            if (l.has_date() && r.is_string()) || (r.has_date() && l.is_string()) {
                return Ok(Comparison::DateTime);
            }
            let coll = unify(pair, &[0, 1], Purpose::Compare, operation, binder.connection())?;
            Comparison::Text(coll.id)
        }
        // A column of decimals takes a constant string as one.
        _ if decimal_column_beside_text(left, right) || decimal_column_beside_text(right, left) => {
            Comparison::Decimal
        }
        _ => Comparison::Double,
    })
}

fn decimal_column_beside_text(column: &Node, text: &Node) -> bool {
    column.ty.kind == TypeKind::Decimal
        && matches!(column.op, Op::Column(_))
        && text.ty.kind.is_string()
        && text.is_constant()
        && !matches!(text.op, Op::Hex(_))
}

/// The number a constant is, if it is a number.
fn constant_number(node: &Node) -> Option<Decimal> {
    match &node.op {
        Op::Literal(Value::Decimal(value)) => Some(value.clone()),
        Op::Literal(Value::Double(value)) => Some(Decimal::from_f64(*value).value),
        Op::Literal(Value::UInt(value)) => Some(Decimal::from(*value)),
        Op::Negate(_) => node.args.first().and_then(constant_number).map(|value| value.neg()),
        _ if node.numeric_class()? == Domain::Int => {
            let value = super::call::constant_int(node)?;
            Some(Decimal::from(i64::try_from(value).ok()?))
        }
        _ => None,
    }
}

/// A column of dates with time takes a constant number that is one as such.
fn date_number(column: &Node, constant: &Node) -> bool {
    matches!(column.op, Op::Column(_))
        && matches!(column.ty.kind, TypeKind::DateTime | TypeKind::Timestamp)
        && constant_number(constant)
            .is_some_and(|number| !number.is_zero() && leaf::number_is_date(&number))
}

/// The columns of a row, or the scalar itself.
fn columns(node: &Node) -> usize {
    if matches!(node.op, Op::Row) { node.args.len() } else { 1 }
}

impl Binder<'_> {
    pub(crate) fn compare(&self, op: CompareOp, left: Node, right: Node) -> Result<Node> {
        let nullable = op != CompareOp::NullSafeEq && (row_nullable(&left) || row_nullable(&right));
        let ty = SqlType::truth().with_nullable(nullable);
        if columns(&left) == 1 && columns(&right) == 1 {
            let mut pair = [left, right];
            let [a, b] = &pair;
            self.check_constants(&[a, b]);
            let mut with = comparison_of(self, &mut pair, op.symbol())?;
            let [a, b] = &pair;
            if date_number(a, b) || date_number(b, a) {
                with = Comparison::LenientDateTime;
            }
            return Ok(Node::new(Op::Compare(op, with), ty, pair.into()));
        }
        let (mut left, mut right) = (left, right);
        let with = self.row_comparisons(op.symbol(), &mut left, &mut right)?;
        Ok(Node::new(Op::CompareRows(op, with), ty, vec![left, right]))
    }

    /// Warns of a number that a column of dates is compared with and cannot hold.
    pub(super) fn check_constants(&self, pair: &[&Node; 2]) {
        let [a, b] = *pair;
        for (column, constant) in [(a, b), (b, a)] {
            if let Op::Column(op) = &column.op
                && column.ty.kind.has_date()
                && let Some(number) = constant_number(constant)
                && !leaf::number_is_date(&number)
            {
                let mut shown = Vec::new();
                match &constant.op {
                    Op::Literal(Value::Double(value)) => {
                        crate::number::write_double(*value, &mut shown);
                    }
                    Op::Negate(Domain::Double) => {
                        crate::number::write_double(number.to_f64(), &mut shown);
                    }
                    _ => number.write_text(&mut shown),
                }
                let shown = String::from_utf8_lossy(&shown);
                self.warn(leaf::not_for_column(&column.ty, op, &shown));
            }
        }
    }

    pub(super) fn row_comparisons(
        &self,
        operation: &str,
        left: &mut Node,
        right: &mut Node,
    ) -> Result<Box<[Comparison]>> {
        if columns(left) != columns(right) || !matches!(left.op, Op::Row) {
            return Err(SqlError::operand_columns(columns(left) as u32));
        }
        let mut all = Vec::with_capacity(left.args.len());
        for (a, b) in left.args.iter_mut().zip(right.args.iter_mut()) {
            if columns(a) > 1 || columns(b) > 1 {
                return Err(SqlError::not_supported_yet("rows within rows"));
            }
            let mut pair = [a.clone(), b.clone()];
            let [x, y] = &pair;
            self.check_constants(&[x, y]);
            let any_json = pair.iter().any(|node| node.ty.kind == TypeKind::Json);
            let operation = if any_json && operation == "in" {
                let what = "comparison of JSON within a ROW in the IN operator";
                self.warn(SqlError::not_supported_yet(what));
                TEXTS_OF_JSON
            } else {
                operation
            };
            all.push(comparison_of(self, &mut pair, operation)?);
            let [x, y] = pair;
            (*a, *b) = (x, y);
        }
        Ok(all.into_boxed_slice())
    }

    pub(super) fn like(&self, like: &ast::Like) -> Result<Node> {
        let value = self.bind(&like.expr)?;
        let pattern = self.bind(&like.pattern)?;
        let escape = match &like.escape {
            Some(escape) => {
                let escape = self.bind(escape)?;
                if !escape.is_constant() {
                    return Err(SqlError::new(code::ER_WRONG_ARGUMENTS, &["ESCAPE".into()]));
                }
                escape
            }
            None => {
                let backslash = Value::bytes(b"\\");
                let ty =
                    SqlType::varchar(1, self.connection(), crate::types::Derivation::Coercible);
                Node::leaf(Op::Literal(backslash), ty.not_null()).with_ascii(true)
            }
        };
        let nullable = value.ty.nullable || pattern.ty.nullable;
        let mut args = vec![self.text_operand(value), self.text_operand(pattern), escape];
        let connection = self.connection();
        let coll = unify(&mut args, &[0, 1], Purpose::Compare, "like", connection)?;
        let op = Op::Like { negated: false, collation: coll.id };
        let node = Node::new(op, SqlType::truth().with_nullable(nullable), args);
        Ok(if like.negated { negation(node) } else { node })
    }

    /// Numbers and times, where only strings will do, are strings of the connection.
    pub(crate) fn text_operand(&self, mut node: Node) -> Node {
        let has_text = node.ty.kind.is_string() || node.ty.kind == TypeKind::Json;
        if !has_text && !node.is_null_literal() {
            node.ty.collation = self.connection();
        }
        node
    }
}

pub(super) fn row_nullable(node: &Node) -> bool {
    if matches!(node.op, Op::Row) {
        node.args.iter().any(|arg| arg.ty.nullable)
    } else {
        node.ty.nullable
    }
}
