//! As what operands are compared.

mod bigint;
mod constant;
mod year;

use firn_mysql_parser::ast;

use super::{Binder, negation};
use crate::error::{SqlError, code};
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
            let coll = unify(pair, &[0, 1], Purpose::Compare, operation, binder)?;
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
        && !column.is_constant()
        && text.ty.kind.is_string()
        && text.is_constant()
        && !matches!(text.op, Op::Hex(_))
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
            let with = match self.time_beside_text(&mut pair, op.symbol())? {
                Some(with) => with,
                None => {
                    self.store_numbers(&mut pair);
                    self.checked_comparison(&mut pair, op.symbol())?
                }
            };
            return Ok(Node::new(Op::Compare(op, with), ty, pair.into()));
        }
        let (mut left, mut right) = (left, right);
        let with = self.row_comparisons(op.symbol(), &mut left, &mut right)?;
        Ok(Node::new(Op::CompareRows(op, with), ty, vec![left, right]))
    }

    /// Constants beside a column of dates, times, years or BIGINT become such themselves.
    fn store_numbers(&self, pair: &mut [Node; 2]) {
        let [a, b] = pair;
        if let Some(stored) = self.stored_number(a, b) {
            *b = stored;
        } else if let Some(stored) = self.stored_number(b, a) {
            *a = stored;
        } else if let Some(stored) = self.stored_bigint(a, b) {
            *b = stored;
        } else if let Some(stored) = self.stored_bigint(b, a) {
            *a = stored;
        } else if let Some(stored) = Self::stored_year(a, b) {
            *b = stored;
        } else if let Some(stored) = Self::stored_year(b, a) {
            *a = stored;
        }
    }

    /// How two values are compared as strings: dates and times as such, numbers by the
    /// bytes of their text.
    pub(super) fn text_comparison(&self, pair: &mut [Node; 2], name: &str) -> Result<Comparison> {
        if let Some(with) = self.time_beside_text(pair, name)? {
            return Ok(with);
        }
        let [a, b] = &mut *pair;
        if let Some(stored) = self.stored_number(a, b) {
            *b = stored;
        } else if let Some(stored) = self.stored_number(b, a) {
            *a = stored;
        }
        let json = |node: &Node| node.ty.kind == TypeKind::Json;
        if a.is_null_literal() || b.is_null_literal() || json(a) || json(b) {
            return Ok(Comparison::Text(unify(pair, &[0, 1], Purpose::Compare, name, self)?.id));
        }
        if class(a) == Class::Text && class(b) == Class::Text {
            let constant = |node: &Node| node.ty.kind.is_string() && node.is_constant();
            if constant(a) || constant(b) {
                return self.checked_comparison(pair, name);
            }
            return Ok(Comparison::Text(unify(pair, &[0, 1], Purpose::Compare, name, self)?.id));
        }
        Ok(Comparison::Text(CollationId::BINARY))
    }

    /// A column of times beside a constant string, which is a time if the column can
    /// hold it.
    pub(super) fn time_beside_text(
        &self,
        pair: &mut [Node; 2],
        operation: &str,
    ) -> Result<Option<Comparison>> {
        let [a, b] = pair;
        let (column, text) = if a.ty.kind == TypeKind::Time { (a, b) } else { (b, a) };
        let beside = column.ty.kind == TypeKind::Time
            && matches!(column.op, Op::Column(_))
            && text.ty.kind.is_string();
        if !beside {
            return Ok(None);
        }
        self.compute_early(text, false);
        if !text.is_literal() && super::fold::text(text).is_none() {
            return Ok(None);
        }
        if let Some(stored) = self.stored_constant(column, text) {
            *text = stored;
            return Ok(Some(Comparison::Time));
        }
        let coll = unify(pair, &[0, 1], Purpose::Compare, operation, self)?;
        Ok(Some(Comparison::Text(coll.id)))
    }

    /// 1241 unless both are rows of as many columns, and their columns too.
    pub(super) fn same_columns(&self, left: &Node, right: &Node) -> Result<()> {
        if columns(left) != columns(right) || !matches!(left.op, Op::Row) {
            return Err(SqlError::operand_columns(columns(left) as u32));
        }
        for (a, b) in left.args.iter().zip(&right.args) {
            if columns(a) > 1 || columns(b) > 1 {
                self.same_columns(a, b)?;
            }
        }
        Ok(())
    }

    fn row_comparisons(
        &self,
        operation: &str,
        left: &mut Node,
        right: &mut Node,
    ) -> Result<Box<[Comparison]>> {
        self.same_columns(left, right)?;
        // Those of equality are split into comparisons of columns before anything is computed.
        let split = matches!(operation, "=" | "<>" | "<=>");
        if !split {
            self.warn_of_leading_constants(left);
            self.warn_of_leading_constants(right);
        }
        flatten(left);
        flatten(right);
        let mut all = Vec::with_capacity(left.args.len());
        for (a, b) in left.args.iter_mut().zip(right.args.iter_mut()) {
            let mut pair = [a.clone(), b.clone()];
            let as_time = if split { self.time_beside_text(&mut pair, operation)? } else { None };
            let with = match as_time {
                Some(with) => with,
                None => {
                    if split {
                        self.store_numbers(&mut pair);
                    }
                    let with = self.checked_comparison(&mut pair, operation)?;
                    // No column takes a text as a time here.
                    let text = pair.iter().any(|one| one.ty.kind.is_string());
                    if with == Comparison::Time && text && !split {
                        let purpose = Purpose::Compare;
                        Comparison::Text(unify(&mut pair, &[0, 1], purpose, operation, self)?.id)
                    } else {
                        with
                    }
                }
            };
            all.push(with);
            let [x, y] = pair;
            (*a, *b) = (x, y);
        }
        Ok(all.into_boxed_slice())
    }

    /// Computes the constants in front of a row's first column that is none: a server asks
    /// whether they are NULL before any row, and computes them for each row again.
    fn warn_of_leading_constants(&self, row: &Node) {
        let mut leading = true;
        for column in &row.args {
            if matches!(column.op, Op::Row) {
                self.warn_of_leading_constants(column);
            } else if leading && (column.ty.nullable || !matches!(column.op, Op::Compare(..))) {
                self.warn_of_constant(column);
            }
            leading &= column.is_constant();
        }
    }

    /// How two scalars are compared; 1525 for a constant that is no date beside one.
    pub(super) fn checked_comparison(
        &self,
        pair: &mut [Node; 2],
        operation: &str,
    ) -> Result<Comparison> {
        let with = comparison_of(self, pair, operation)?;
        if with != Comparison::DateTime {
            return Ok(with);
        }
        let [a, b] = &mut *pair;
        let (of_a, of_b) = (a.ty.kind, b.ty.kind);
        for (date, constant) in [(of_a, b), (of_b, a)] {
            if date.has_date() && constant.ty.kind.is_string() {
                self.compute_early(constant, false);
            }
        }
        let [a, b] = &*pair;
        for (date, constant) in [(a, b), (b, a)] {
            if date.ty.kind.has_date()
                && constant.ty.kind.is_string()
                && let Some(text) = super::fold::text(constant)
            {
                leaf::refuse_constant(&text, date, self.settings)?;
            }
        }
        let late = |node: &Node| node.ty.kind.is_string() && super::fold::is_late(node);
        Ok(if late(a) || late(b) { Comparison::LenientDateTime } else { with })
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
        let coll = unify(&mut args, &[0, 1], Purpose::Compare, "like", self)?;
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

/// Rows within a row become columns of it: rows of one shape compare as before.
pub(super) fn flatten(row: &mut Node) {
    fn put(node: Node, out: &mut Vec<Node>) {
        if matches!(node.op, Op::Row) {
            node.args.into_iter().for_each(|arg| put(arg, out));
        } else {
            out.push(node);
        }
    }
    if row.args.iter().any(|arg| matches!(arg.op, Op::Row)) {
        let mut columns = Vec::with_capacity(row.args.len() + 1);
        std::mem::take(&mut row.args).into_iter().for_each(|arg| put(arg, &mut columns));
        row.args = columns.into_boxed_slice();
    }
}

pub(super) fn row_nullable(node: &Node) -> bool {
    if matches!(node.op, Op::Row) { node.args.iter().any(row_nullable) } else { node.ty.nullable }
}
