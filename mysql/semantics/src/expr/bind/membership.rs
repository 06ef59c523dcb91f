//! IN, BETWEEN and CASE with an operand: one value beside several.

use firn_mysql_parser::ast;

use super::comparison::{Class, class, flatten, row_nullable};
use super::{Binder, fold};
use crate::error::SqlError;
use crate::expr::coercion::{Purpose, unify};
use crate::expr::compare::{CompareOp, Comparison};
use crate::expr::eval::internal;
use crate::expr::node::{ListReading, Membership, Node, Op, RowColumn, RowMembership};
use crate::expr::{Result, leaf};
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Value;

/// IN as errors name it.
const IN: &str = " IN ";

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

/// Between such bounds lies what equals them. It makes a difference for documents, which are
/// equal to texts as documents but lie between texts as texts.
fn is_same_literal(low: &Node, high: &Node) -> bool {
    match (&low.op, &high.op) {
        (Op::Literal(Value::Null), _) => false,
        (Op::Literal(a), Op::Literal(b)) => a == b && low.ty.kind == high.ty.kind,
        _ => false,
    }
}

impl Binder<'_> {
    pub(super) fn between(&self, between: &ast::Between, negated: bool) -> Result<Node> {
        let value = self.bind(&between.expr)?;
        let low = self.bind(&between.low)?;
        let high = self.bind(&between.high)?;
        let nullable = value.ty.nullable || low.ty.nullable || high.ty.nullable;
        let mut args = vec![value, low, high];
        if args.iter().any(|arg| arg.ty.kind == TypeKind::Json) {
            self.warn(SqlError::not_supported_yet("comparison of JSON in the BETWEEN operator"));
        }
        if let [value, low, high] = &*args
            && !negated
            && value.ty.kind == TypeKind::Json
            && is_same_literal(low, high)
        {
            return self.compare(CompareOp::Eq, value.clone(), low.clone());
        }
        let with = self.between_comparison(&mut args, negated)?;
        let op = Op::Between { negated, low: with, high: with };
        Ok(Node::new(op, SqlType::truth().with_nullable(nullable), args))
    }

    /// One way to compare for all three operands.
    fn between_comparison(&self, args: &mut [Node], negated: bool) -> Result<Comparison> {
        if let [value, bounds @ ..] = &mut *args {
            for bound in bounds {
                if let Some(stored) = Self::stored_year(value, bound) {
                    *bound = stored;
                }
            }
        }
        let known = known(args);
        let operands = || known.iter().filter_map(|at| args.get(*at));
        let Some(common) = operands().map(class).reduce(meeting) else {
            return Ok(Comparison::Text(CollationId::BINARY));
        };
        if !negated {
            bounds_in_latin1(args)?;
        }
        let temporal = |node: &Node| node.ty.kind.is_temporal();
        if common == Class::Text && operands().any(|node| node.ty.kind.has_date()) {
            let text = |node: &Node| node.ty.kind.is_string() || node.ty.kind == TypeKind::Json;
            if operands().all(|node| temporal(node) || text(node)) {
                if !negated {
                    dates_as_texts(args);
                }
                self.agree(args, "between")?;
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
                    // It is one when it runs.
                    None if matches!(bound.op, Op::Param(_)) && value.ty.kind == TypeKind::Time => {
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
                let all: Vec<usize> = (0..args.len()).collect();
                let purpose = Purpose::Compare;
                Comparison::Text(unify(args, &all, purpose, "between", self)?.id)
            }
        })
    }

    pub(super) fn in_list(&self, list: &ast::InList) -> Result<Node> {
        let value = self.bind_any(&list.expr)?;
        let mut items =
            list.list.iter().map(|item| self.bind_any(item)).collect::<Result<Vec<_>>>()?;
        let negated = list.negated;
        // One element alone is compared.
        if items.len() == 1
            && let Some(item) = items.pop()
        {
            let op = if negated { CompareOp::Ne } else { CompareOp::Eq };
            return self.compare(op, value, item);
        }
        let nullable = row_nullable(&value) || items.iter().any(row_nullable);
        let ty = SqlType::truth().with_nullable(nullable);
        if matches!(value.op, Op::Row) {
            return self.in_rows(value, items, negated, ty);
        }
        if items.iter().any(|item| matches!(item.op, Op::Row)) {
            return Err(SqlError::operand_columns(1));
        }
        items.insert(0, value);
        let how = self.membership(&mut items)?;
        Ok(Node::new(Op::In { negated, how }, ty, items))
    }

    fn in_rows(
        &self,
        mut value: Node,
        mut items: Vec<Node>,
        negated: bool,
        ty: SqlType,
    ) -> Result<Node> {
        for item in &items {
            self.same_columns(&value, item)?;
        }
        flatten(&mut value);
        items.iter_mut().for_each(flatten);
        let constants = items.iter().all(Node::is_constant);
        let mut columns = Vec::with_capacity(value.args.len());
        for column in 0..value.args.len() {
            let mut args = Vec::with_capacity(items.len() + 1);
            for row in std::iter::once(&value).chain(&items) {
                args.push(row.args.get(column).cloned().ok_or_else(internal)?);
            }
            columns.push(self.column_of_rows(&mut args)?);
            for (row, arg) in std::iter::once(&mut value).chain(&mut items).zip(args) {
                if let Some(slot) = row.args.get_mut(column) {
                    *slot = arg;
                }
            }
        }
        items.insert(0, value);
        let how = RowMembership { columns: columns.into(), constants };
        Ok(Node::new(Op::InRows { negated, how }, ty, items))
    }

    /// How a column of rows is compared: as its left side has it.
    fn column_of_rows(&self, args: &mut [Node]) -> Result<RowColumn> {
        if args.iter().any(|arg| arg.ty.kind == TypeKind::Json) {
            let what = "comparison of JSON within a ROW in the IN operator";
            self.warn(SqlError::not_supported_yet(what));
        }
        let first = args.first().ok_or_else(internal)?;
        let with = match class(first) {
            Class::Int => Comparison::Wrapped,
            Class::Decimal => Comparison::Decimal,
            Class::Double => Comparison::Double,
            Class::Text => {
                let texts = args.iter().all(|arg| class(arg) == Class::Text);
                let shown = if texts { &*args } else { std::slice::from_ref(first) };
                match deciding_temporal(shown) {
                    Some((_, dates)) => {
                        let time = args.get(dates).is_some_and(|a| a.ty.kind == TypeKind::Time);
                        let with =
                            if time { Comparison::Time } else { Comparison::LenientDateTime };
                        return Ok(RowColumn { with, dates });
                    }
                    None => {
                        let all: Vec<usize> = (0..args.len()).collect();
                        Comparison::Text(unify(args, &all, Purpose::Compare, IN, self)?.id)
                    }
                }
            }
        };
        Ok(RowColumn { with, dates: 0 })
    }

    /// Brings `args` to one character set, where they are compared as dates; bytes
    /// stay bytes.
    fn agree(&self, args: &mut [Node], operation: &str) -> Result<()> {
        let bytes: Vec<(usize, Node)> = (0..args.len())
            .filter_map(|at| {
                args.get(at).filter(|arg| arg.ty.is_binary_string()).map(|arg| (at, arg.clone()))
            })
            .collect();
        let all: Vec<usize> = (0..args.len()).collect();
        unify(args, &all, Purpose::Compare, operation, self)?;
        for (at, original) in bytes {
            if let Some(slot) = args.get_mut(at) {
                *slot = original;
            }
        }
        Ok(())
    }

    /// How the first of `args` is looked for among the others.
    fn membership(&self, args: &mut [Node]) -> Result<Membership> {
        let others = args.len().saturating_sub(1);
        // One document makes all of them documents, if it is found before or as the first that
        // is no constant: a server looks no further, and takes others for strings.
        let is_document = |arg: &Node| arg.ty.kind == TypeKind::Json;
        if let [left, list @ ..] = &*args {
            let at = list.iter().position(|arg| !arg.is_constant()).unwrap_or(list.len());
            let mut looked_at = list.iter().take(at + 1);
            if is_document(left) || looked_at.any(is_document) {
                return Ok(Membership::Each(vec![Comparison::Json; others].into()));
            }
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
                let all: Vec<usize> = (0..args.len()).collect();
                let coll = unify(args, &all, purpose, IN, self)?;
                if constants {
                    refuse_bytes(args, coll.id)?;
                    self.compute_list_early(args);
                }
                return Ok(Membership::Each(vec![Comparison::Text(coll.id); others].into()));
            };
            self.agree(args, IN)?;
            if constants {
                self.compute_list_early(args);
            }
            // A column of dates takes each of them as it is stored.
            let of_dates = args
                .first()
                .is_some_and(|left| matches!(left.op, Op::Column(_)) && left.ty.kind.has_date());
            match kind {
                _ if !constants || (of_dates && kind != TypeKind::Time) => {}
                TypeKind::Time => self.read_list(args, ListReading::Times),
                TypeKind::Date => self.read_list(args, ListReading::Dates),
                _ => self.read_list(args, ListReading::DateTimes),
            }
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
                if matches!(reading, ListReading::Dates | ListReading::DateTimes) {
                    self.compute_list_early(args);
                }
                self.read_list(args, reading);
                return Ok(Membership::Constants(reading));
            }
        }
        let mut each = self.each_comparison(args, IN)?;
        if constants && one_way {
            // Where constants are sorted, their signs count.
            each.iter_mut()
                .filter(|with| **with == Comparison::Wrapped)
                .for_each(|with| *with = Comparison::Int);
        }
        Ok(Membership::Each(each))
    }

    /// Computes the constants that something is looked for among: a server does so once.
    fn compute_list_early(&self, args: &mut [Node]) {
        args.iter_mut().skip(1).for_each(|arg| self.compute_early(arg, true));
    }

    /// Reads the constants that something is looked for among, and takes what they are read as
    /// for those that warn: a server reads them once, before any row.
    fn read_list(&self, args: &mut [Node], reading: ListReading) {
        let [left, list @ ..] = args else { return };
        for arg in list.iter_mut().filter(|arg| !arg.is_null_literal()) {
            let (ty, value, warnings) = match reading {
                ListReading::Dates | ListReading::DateTimes => {
                    (arg.ty, None, fold::date_warnings(arg, left, reading))
                }
                ListReading::Integers => {
                    let (value, warnings) = fold::integer_with_warnings(arg);
                    let value = value.and_then(|value| i64::try_from(value).ok());
                    (SqlType::bigint(21), value.map(Value::Int), warnings)
                }
                ListReading::Doubles => match fold::double(arg) {
                    Some((value, warnings)) => {
                        (SqlType::double(), Some(Value::Double(value)), warnings)
                    }
                    None => continue,
                },
                ListReading::Times => match fold::time(arg) {
                    Some((value, warnings)) => {
                        let ty = SqlType::plain(TypeKind::Time, 10, 6);
                        (ty, value.map(Value::Time), warnings)
                    }
                    None => continue,
                },
            };
            let warns = !warnings.is_empty();
            warnings.into_iter().for_each(|warning| self.warn(warning));
            let Some(value) = value.filter(|_| warns) else { continue };
            let written = crate::expr::printed(arg);
            *arg = Node::leaf(Op::Literal(value), ty).with_written(written);
        }
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
                TypeKind::Time => {
                    self.agree(args, operation)?;
                    Comparison::Time
                }
                kind if kind.has_date() => {
                    self.agree(args, operation)?;
                    Comparison::LenientDateTime
                }
                _ => {
                    let purpose = Purpose::Compare;
                    Comparison::Text(unify(args, &all, purpose, operation, self)?.id)
                }
            };
        }
        let each = args.iter().skip(1).map(|other| {
            if other.is_null_literal() {
                return Comparison::Text(CollationId::BINARY);
            }
            match meeting(of_left, class(other)) {
                Class::Text => text,
                Class::Int => Comparison::Wrapped,
                Class::Decimal => Comparison::Decimal,
                Class::Double => Comparison::Double,
            }
        });
        Ok(each.collect())
    }
}

/// 3854 for literals of bytes that are no text: a list of constants is read as a whole.
fn refuse_bytes(args: &[Node], to: CollationId) -> Result<()> {
    for arg in args {
        if let (Op::ToCharset { from, strict: true, .. }, Some(inner)) = (&arg.op, arg.args.first())
            && let Op::Literal(Value::Bytes(bytes)) | Op::Hex(bytes) = &inner.op
        {
            leaf::to_charset_strictly(bytes, *from, to)?;
        }
    }
    Ok(())
}

/// Two constant strings beside a number or a time are brought to its character set,
/// which is latin1: 3854 if that cannot be.
fn bounds_in_latin1(args: &[Node]) -> Result<()> {
    let [value, bounds @ ..] = args else { return Ok(()) };
    let plain =
        !value.ty.kind.is_string() && value.ty.kind != TypeKind::Json && !value.is_null_literal();
    let constant = |node: &Node| {
        let bytes = node.ty.is_binary_string() && !matches!(node.op, Op::Hex(_));
        class(node) == Class::Text && node.is_constant() && !bytes && !node.is_null_literal()
    };
    if !plain || !bounds.iter().all(constant) {
        return Ok(());
    }
    for bound in bounds {
        if let Op::Literal(Value::Bytes(text)) = &bound.op
            && bound.ty.kind.is_string()
            && !bound.ty.collation.is_binary()
        {
            leaf::to_charset_strictly(text, bound.ty.collation, CollationId::LATIN1_SWEDISH_CI)?;
        }
    }
    Ok(())
}

/// Literals of dates beside a string with constant bounds are taken for strings, and
/// named so in warnings.
fn dates_as_texts(args: &mut [Node]) {
    let [value, bounds @ ..] = args else { return };
    let collation = value.ty.collation;
    let same_as_numbers =
        collation.is_binary() || leaf::same_charset(collation, CollationId::LATIN1_SWEDISH_CI);
    let text = value.ty.kind.is_string() || value.ty.kind == TypeKind::Json;
    if !text || same_as_numbers || !bounds.iter().all(Node::is_constant) {
        return;
    }
    for bound in bounds {
        if let Op::Literal(date @ (Value::Date(_) | Value::DateTime(_) | Value::Time(_))) =
            &bound.op
        {
            let text = leaf::text_of(date, bound).unwrap_or_default();
            let mut ty = SqlType::varchar(bound.ty.length, collation, value.ty.derivation);
            ty.nullable = false;
            *bound = Node::leaf(Op::Literal(Value::from(text)), ty).with_ascii(true);
        }
    }
}
