//! IN, BETWEEN and CASE with an operand: one value beside several.

use firn_mysql_parser::ast;

use super::Binder;
use super::comparison::{Class, class, comparison_of, row_nullable};
use crate::error::SqlError;
use crate::expr::Result;
use crate::expr::coercion::{Purpose, unify};
use crate::expr::compare::Comparison;
use crate::expr::node::{Node, Op};
use crate::types::{CollationId, SqlType, TypeKind};

impl Binder<'_> {
    pub(super) fn between(&self, between: &ast::Between) -> Result<Node> {
        let value = self.bind(&between.expr)?;
        let low = self.bind(&between.low)?;
        let high = self.bind(&between.high)?;
        let nullable = value.ty.nullable || low.ty.nullable || high.ty.nullable;
        let mut args = vec![value, low, high];
        if args.iter().any(|arg| arg.ty.kind == TypeKind::Json) {
            self.warn(SqlError::not_supported_yet("comparison of JSON in the BETWEEN operator"));
        }
        if let [value, bounds @ ..] = &args[..]
            && matches!(value.op, Op::Column(_))
        {
            for bound in bounds {
                self.check_constants(&[value, bound]);
            }
        }
        // One way to compare for all three, as MySQL decides it.
        let with = self.common_comparison(&mut args, "between")?;
        let op = Op::Between { negated: between.negated, low: with, high: with };
        Ok(Node::new(op, SqlType::truth().with_nullable(nullable), args))
    }

    /// One comparison for all of `args`.
    pub(crate) fn common_comparison(
        &self,
        args: &mut [Node],
        operation: &str,
    ) -> Result<Comparison> {
        let known: Vec<usize> = (0..args.len())
            .filter(|at| args.get(*at).is_some_and(|arg| !arg.is_null_literal()))
            .collect();
        let kinds: Vec<&Node> = known.iter().filter_map(|at| args.get(*at)).collect();
        let Some(first) = kinds.first() else { return Ok(Comparison::Text(CollationId::BINARY)) };
        let mut class_of_all = class(first);
        for node in &kinds {
            let next = class(node);
            class_of_all = match (class_of_all, next) {
                (a, b) if a == b => a,
                (Class::Int | Class::Decimal, Class::Int | Class::Decimal) => Class::Decimal,
                _ => Class::Double,
            };
        }
        Ok(match class_of_all {
            Class::Int => Comparison::Int,
            Class::Decimal => Comparison::Decimal,
            Class::Double => Comparison::Double,
            Class::Text => {
                let constants = |node: &&Node| node.ty.kind.is_string() && node.is_constant();
                let first_is_time = first.ty.kind == TypeKind::Time;
                if kinds.iter().all(|node| node.ty.kind == TypeKind::Time)
                    || first_is_time && kinds.iter().skip(1).all(constants)
                {
                    Comparison::Time
                } else if kinds.iter().any(|node| node.ty.kind.has_date())
                    && kinds
                        .iter()
                        .all(|node| node.ty.kind.is_temporal() || node.ty.kind.is_string())
                {
                    Comparison::LenientDateTime
                } else {
                    let connection = self.connection();
                    Comparison::Text(
                        unify(args, &known, Purpose::Compare, operation, connection)?.id,
                    )
                }
            }
        })
    }

    pub(super) fn in_list(&self, list: &ast::InList) -> Result<Node> {
        let value = self.bind_any(&list.expr)?;
        let mut items =
            list.list.iter().map(|item| self.bind_any(item)).collect::<Result<Vec<_>>>()?;
        let nullable = row_nullable(&value) || items.iter().any(row_nullable);
        let ty = SqlType::truth().with_nullable(nullable);
        let negated = list.negated;
        if matches!(value.op, Op::Row) {
            let mut value = value;
            let mut with = Vec::with_capacity(items.len());
            for item in &mut items {
                let each = self.row_comparisons("in", &mut value, item)?;
                // Numbers are compared as the left side has them.
                let by_left = value.args.iter().zip(each).map(|(left, each)| match each {
                    Comparison::Int | Comparison::Decimal | Comparison::Double => {
                        match class(left) {
                            Class::Int => Comparison::Int,
                            Class::Decimal => Comparison::Decimal,
                            _ => each,
                        }
                    }
                    each => each,
                });
                with.push(by_left.collect());
            }
            items.insert(0, value);
            let op = Op::InRows { negated, with: with.into_boxed_slice() };
            return Ok(Node::new(op, ty, items));
        }
        if items.iter().any(|item| matches!(item.op, Op::Row)) {
            return Err(SqlError::operand_columns(1));
        }
        items.insert(0, value);
        let with = self.each_comparison(&mut items, "in")?;
        Ok(Node::new(Op::In { negated, with }, ty, items))
    }

    /// How the first of `args` is compared with each of the others. Strings are
    /// all compared by one collation.
    pub(crate) fn each_comparison(
        &self,
        args: &mut [Node],
        operation: &str,
    ) -> Result<Box<[Comparison]>> {
        let all_text = args.iter().all(|arg| arg.ty.kind.is_string() || arg.is_null_literal());
        if all_text {
            let known: Vec<usize> = (0..args.len())
                .filter(|at| args.get(*at).is_some_and(|arg| !arg.is_null_literal()))
                .collect();
            let coll = unify(args, &known, Purpose::Compare, operation, self.connection())?;
            return Ok(vec![Comparison::Text(coll.id); args.len().saturating_sub(1)].into());
        }
        // One document among what IN looks for makes all of them documents.
        if operation == "in" && args.iter().any(|arg| arg.ty.kind == TypeKind::Json) {
            return Ok(vec![Comparison::Json; args.len().saturating_sub(1)].into());
        }
        let connection = self.connection();
        let mixed = args.iter().any(|arg| !arg.is_null_literal() && class(arg) != Class::Text);
        let mut with = Vec::with_capacity(args.len());
        for at in 1..args.len() {
            let (Some(first), Some(other)) = (args.first(), args.get(at)) else { break };
            let mut pair = [first.clone(), other.clone()];
            let [left, right] = &pair;
            let case = operation == "case";
            let text_first = left.ty.kind.is_string() && right.ty.kind.is_temporal();
            let text_beside_time = left.ty.kind == TypeKind::Time && right.ty.kind.is_string();
            with.push(if text_first && (case || mixed) {
                // A string makes what is compared with it a string.
                let coll = unify(&mut pair, &[0, 1], Purpose::Compare, operation, connection)?;
                Comparison::Text(coll.id)
            } else if text_beside_time && case {
                Comparison::Time
            } else {
                match comparison_of(self, &mut pair, operation)? {
                    Comparison::DateTime if args.len() > 2 || case => Comparison::LenientDateTime,
                    with => with,
                }
            });
            let [_, other] = pair;
            if let Some(slot) = args.get_mut(at) {
                *slot = other;
            }
        }
        Ok(with.into_boxed_slice())
    }
}
