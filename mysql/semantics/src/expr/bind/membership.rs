//! IN, BETWEEN and CASE with an operand: one value beside several.

use firn_mysql_parser::ast;

use super::Binder;
use super::comparison::{Class, class, row_nullable};
use crate::error::SqlError;
use crate::expr::coercion::{Coll, Purpose, aggregate, unify};
use crate::expr::compare::Comparison;
use crate::expr::node::{ListReading, Membership, Node, Op};
use crate::expr::{Result, leaf};
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Value;

/// Of dates and times among operands: the type that they have in common, and the
/// operand that decides how all are read.
fn deciding_temporal(args: &[Node]) -> Option<(TypeKind, usize)> {
    let mut found: Option<(TypeKind, usize)> = None;
    for (at, arg) in args.iter().enumerate().filter(|(_, arg)| arg.ty.kind.is_temporal()) {
        let kind = match arg.ty.kind {
            TypeKind::Timestamp => TypeKind::DateTime,
            kind => kind,
        };
        match found {
            None => found = Some((kind, at)),
            Some((common, _)) if common != kind => found = Some((TypeKind::DateTime, at)),
            Some(_) => {}
        }
        if kind == TypeKind::DateTime {
            break;
        }
    }
    found
}

/// Of operands that have a value.
fn known(args: &[Node]) -> Vec<usize> {
    (0..args.len()).filter(|at| args.get(*at).is_some_and(|arg| !arg.is_null_literal())).collect()
}

/// As what two classes meet.
fn meeting(left: Class, right: Class) -> Class {
    match (left, right) {
        (a, b) if a == b => a,
        (Class::Int | Class::Decimal, Class::Int | Class::Decimal) => Class::Decimal,
        _ => Class::Double,
    }
}

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
        let with = self.between_comparison(&mut args, between.negated)?;
        let op = Op::Between { negated: between.negated, low: with, high: with };
        Ok(Node::new(op, SqlType::truth().with_nullable(nullable), args))
    }

    /// One way to compare for all three operands.
    fn between_comparison(&self, args: &mut [Node], negated: bool) -> Result<Comparison> {
        let known = known(args);
        let operands = || known.iter().filter_map(|at| args.get(*at));
        let Some(common) = operands().map(class).reduce(meeting) else {
            return Ok(Comparison::Text(CollationId::BINARY));
        };
        let temporal = |node: &Node| node.ty.kind.is_temporal();
        if common == Class::Text && operands().any(|node| node.ty.kind.has_date()) {
            if operands().all(|node| temporal(node) || node.ty.kind.is_string()) {
                if !negated {
                    dates_as_texts(args);
                }
                return Ok(Comparison::LenientDateTime);
            }
        } else if args.iter().all(|node| node.ty.kind == TypeKind::Time) {
            return Ok(Comparison::Time);
        } else if let [value, bounds @ ..] = &mut *args
            && matches!(value.op, Op::Column(_))
            && temporal(value)
        {
            let mut all = true;
            let mut any = false;
            for bound in bounds {
                match self.stored_constant(value, bound) {
                    Some(stored) => {
                        *bound = stored;
                        any = true;
                    }
                    None => all &= bound.is_null_literal(),
                }
            }
            match (any, value.ty.kind) {
                (true, TypeKind::Time) if all => return Ok(Comparison::Time),
                (true, _) if all => return Ok(Comparison::DateTime),
                (true, _) => return Ok(Comparison::Packed),
                _ => {}
            }
        }
        Ok(match common {
            Class::Int => Comparison::Int,
            Class::Decimal => Comparison::Decimal,
            Class::Double => Comparison::Double,
            Class::Text => {
                let purpose = Purpose::Compare;
                Comparison::Text(unify(args, &known, purpose, "between", self.connection())?.id)
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
        let how = self.membership(&mut items)?;
        Ok(Node::new(Op::In { negated, how }, ty, items))
    }

    /// How the first of `args` is looked for among the others.
    fn membership(&self, args: &mut [Node]) -> Result<Membership> {
        const OPERATION: &str = " IN ";
        let others = args.len().saturating_sub(1);
        // One document makes all of them documents.
        if args.iter().any(|arg| arg.ty.kind == TypeKind::Json) {
            return Ok(Membership::Each(vec![Comparison::Json; others].into()));
        }
        let known = known(args);
        let Some(left) = args.first() else { return Ok(Membership::Each(Box::default())) };
        let of_left = class(left);
        let mut meetings =
            known.iter().filter(|at| **at > 0).filter_map(|at| args.get(*at)).map(class);
        let first = meetings.next().map_or(of_left, |class| meeting(of_left, class));
        let one_way = meetings.all(|class| meeting(of_left, class) == first);
        let constants = args.iter().skip(1).all(Node::is_constant);
        if one_way && first == Class::Text {
            let Some((kind, deciding)) = deciding_temporal(args) else {
                let purpose = Purpose::Compare;
                let coll = unify(args, &known, purpose, OPERATION, self.connection())?;
                return Ok(Membership::Each(vec![Comparison::Text(coll.id); others].into()));
            };
            let sides: Vec<Coll> =
                known.iter().filter_map(|at| args.get(*at)).map(Coll::of).collect();
            aggregate(&sides, Purpose::Compare, OPERATION, self.connection())?;
            let decided_by = args.get(deciding).map(|arg| arg.ty.kind);
            return Ok(match (constants, kind) {
                (true, TypeKind::Date) => Membership::Constants(ListReading::Dates),
                (true, TypeKind::Time) => Membership::Constants(ListReading::Times),
                (true, _) => Membership::Constants(ListReading::DateTimes),
                (false, _) if decided_by == Some(TypeKind::Time) => {
                    Membership::Each(vec![Comparison::Time; others].into())
                }
                (false, _) => Membership::DatesAs(deciding),
            });
        }
        if one_way && constants {
            let reading = match left.ty.kind {
                TypeKind::Date => Some(ListReading::Dates),
                TypeKind::Time => Some(ListReading::Times),
                TypeKind::DateTime | TypeKind::Timestamp => Some(ListReading::DateTimes),
                kind if kind.is_integer() && first == Class::Double => {
                    let column = matches!(left.op, Op::Column(_));
                    (!column).then_some(ListReading::Integers)
                }
                _ => None,
            };
            // Strings warn, each of them, whatever else is found.
            let warns = |arg: &Node| class(arg) == Class::Text;
            let reading = reading.or_else(|| {
                let doubles = first == Class::Double && args.iter().skip(1).any(warns);
                doubles.then_some(ListReading::Doubles)
            });
            if let Some(reading) = reading {
                return Ok(Membership::Constants(reading));
            }
        }
        Ok(Membership::Each(self.each_comparison(args, OPERATION)?))
    }

    /// How the first of `args` is compared with each of the others, by the classes of
    /// both. Where any are compared as strings, all of `args` meet in one collation.
    pub(crate) fn each_comparison(
        &self,
        args: &mut [Node],
        operation: &str,
    ) -> Result<Box<[Comparison]>> {
        let Some(left) = args.first() else { return Ok(Box::default()) };
        let (of_left, left_kind) = (class(left), left.ty.kind);
        let known = known(args);
        let mut text = Comparison::Text(CollationId::BINARY);
        let texts =
            |at: &usize| *at > 0 && args.get(*at).is_some_and(|arg| class(arg) == Class::Text);
        if of_left == Class::Text && known.iter().any(texts) {
            let all: Vec<usize> = (0..args.len()).collect();
            text = match left_kind {
                TypeKind::Time => Comparison::Time,
                kind if kind.has_date() => Comparison::LenientDateTime,
                _ => {
                    let purpose = Purpose::Compare;
                    Comparison::Text(unify(args, &all, purpose, operation, self.connection())?.id)
                }
            };
        }
        let each = args.iter().skip(1).map(|other| {
            if other.is_null_literal() {
                return Comparison::Text(CollationId::BINARY);
            }
            match meeting(of_left, class(other)) {
                Class::Text => text,
                Class::Int => Comparison::Int,
                Class::Decimal => Comparison::Decimal,
                Class::Double => Comparison::Double,
            }
        });
        Ok(each.collect())
    }
}

/// Literals of dates beside a string with constant bounds are taken for strings, and
/// named so in warnings.
fn dates_as_texts(args: &mut [Node]) {
    let [value, bounds @ ..] = args else { return };
    let collation = value.ty.collation;
    let same_as_numbers =
        collation.is_binary() || leaf::same_charset(collation, CollationId::LATIN1_SWEDISH_CI);
    if !value.ty.kind.is_string() || same_as_numbers || !bounds.iter().all(Node::is_constant) {
        return;
    }
    for bound in bounds {
        if let Op::Literal(date @ (Value::Date(_) | Value::DateTime(_))) = &bound.op {
            let text = leaf::text_of(date, bound).unwrap_or_default();
            let mut ty = SqlType::varchar(bound.ty.length, collation, value.ty.derivation);
            ty.nullable = false;
            *bound = Node::leaf(Op::Literal(Value::from(text)), ty).with_ascii(true);
        }
    }
}
