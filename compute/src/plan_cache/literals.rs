//! Which literals of a statement can be parameters of its plan.
//!
//! A literal's type has its length, and binding looks at what it says; a parameter has
//! one type for all values. So only literals of which nothing but the value counts are
//! made parameters: integers and strings that are all that a column gets, that a plain
//! column is compared with, and those of LIMIT. Binding has the last word ([`converted`]):
//! where it would have converted the literal, as one beside a date, that stays one.

use firn_mysql_parser::Shape;
use firn_mysql_parser::ast::{
    self, BinaryOp, Expr, ExprKind, InsertSource, Literal, QueryBody, StatementKind,
};
use firn_mysql_semantics::expr::{Comparison, ListReading, Membership, Node, Op};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};

/// The length that is said of strings that may have any.
pub(crate) const TEXT_LENGTH: u32 = 16_383;

/// The value and type of a literal as a parameter; `None` if it has to stay a literal.
pub(crate) fn argument_of(literal: &Literal, connection: CollationId) -> Option<(Value, SqlType)> {
    match literal {
        Literal::Int(number) => Some(match i64::try_from(*number) {
            Ok(number) => (Value::Int(number), SqlType::bigint(20).not_null()),
            Err(_) => {
                let ty = SqlType::bigint(20).with_unsigned(true).not_null();
                (Value::UInt(*number), ty)
            }
        }),
        Literal::Text(text) if text.charset.is_none() && is_utf8mb4(connection) => {
            std::str::from_utf8(&text.value).ok()?;
            let ty = SqlType::varchar(TEXT_LENGTH, connection, Derivation::Coercible).not_null();
            Some((Value::bytes(&text.value), ty))
        }
        _ => None,
    }
}

fn is_utf8mb4(collation: CollationId) -> bool {
    use firn_mysql_semantics::collation::Collation;
    Collation::by_id(collation.0).is_some_and(|one| one.charset().name() == "utf8mb4")
}

/// Makes parameters of the literals of a statement that may be, but for those that `stay`: the
/// places of these literals in `shape`, in the order of the parameters.
pub(crate) fn into_parameters(
    statement: &mut StatementKind,
    shape: &Shape,
    connection: CollationId,
    stay: &[bool],
) -> Vec<usize> {
    let mut rewrite = Rewrite { shape, connection, stay, free: Vec::new() };
    match statement {
        StatementKind::Query(query) => rewrite.query(query),
        StatementKind::Insert(insert) => match &mut insert.source {
            InsertSource::Values(rows) => {
                rows.iter_mut().flatten().for_each(|value| rewrite.literal(value));
            }
            InsertSource::Set(list) => {
                list.iter_mut().for_each(|one| rewrite.literal(&mut one.value));
            }
            InsertSource::Query(query) => rewrite.query(query),
        },
        StatementKind::Update(update) => {
            update.assignments.iter_mut().for_each(|one| rewrite.literal(&mut one.value));
            update.filter.iter_mut().for_each(|filter| rewrite.condition(filter));
            rewrite.limit(update.limit.as_mut());
        }
        StatementKind::Delete(delete) => {
            delete.filter.iter_mut().for_each(|filter| rewrite.condition(filter));
            rewrite.limit(delete.limit.as_mut());
        }
        _ => {}
    }
    rewrite.free
}

struct Rewrite<'a> {
    shape: &'a Shape,
    connection: CollationId,
    stay: &'a [bool],
    free: Vec<usize>,
}

impl Rewrite<'_> {
    fn query(&mut self, query: &mut ast::Query) {
        if let QueryBody::Select(select) = &mut query.body {
            select.filter.iter_mut().for_each(|filter| self.condition(filter));
        }
        self.limit(query.limit.as_mut());
    }

    fn limit(&mut self, limit: Option<&mut ast::Limit>) {
        let Some(limit) = limit else { return };
        // Nothing is read for it, and its columns are told of otherwise.
        if !matches!(limit.rows.kind, ExprKind::Literal(Literal::Int(0))) {
            self.literal(&mut limit.rows);
        }
        limit.offset.iter_mut().for_each(|offset| self.literal(offset));
    }

    fn literal(&mut self, expr: &mut Expr) {
        let ExprKind::Literal(literal) = &expr.kind else { return };
        if argument_of(literal, self.connection).is_none() {
            return;
        }
        let Some(slot) = self.shape.slot(expr.span) else { return };
        if self.shape.literals[slot].1 != *literal || self.stay.get(slot) == Some(&true) {
            return;
        }
        expr.kind = ExprKind::Param(u32::try_from(self.free.len()).unwrap_or(u32::MAX));
        self.free.push(slot);
    }

    fn condition(&mut self, expr: &mut Expr) {
        let is_column = |expr: &Expr| matches!(expr.kind, ExprKind::Column(_));
        match &mut expr.kind {
            ExprKind::Logical(_, list) => list.iter_mut().for_each(|one| self.condition(one)),
            ExprKind::Binary(binary) => {
                use BinaryOp::{Eq, Ge, Gt, Le, Lt, Ne};
                if !matches!(binary.op, Eq | Ne | Lt | Le | Gt | Ge) {
                    return;
                }
                if is_column(&binary.left) {
                    self.literal(&mut binary.right);
                } else if is_column(&binary.right) {
                    self.literal(&mut binary.left);
                }
            }
            ExprKind::Between(between) if is_column(&between.expr) => {
                self.literal(&mut between.low);
                self.literal(&mut between.high);
            }
            ExprKind::InList(list) if is_column(&list.expr) => {
                list.list.iter_mut().for_each(|one| self.literal(one));
            }
            _ => {}
        }
    }
}

/// The parameters of a condition that are not compared as they are, so that a literal in their
/// place would have been bound to something else.
pub(crate) fn converted(condition: &Node, found: &mut Vec<usize>) {
    // A literal beside it would have become a year, a date or a time.
    let is_moment = |ty: &SqlType| ty.kind.is_temporal() || ty.kind == TypeKind::Year;
    let moments = condition.args.iter().any(|arg| is_moment(&arg.ty));
    let plain = |with: &Comparison| matches!(with, Comparison::Int | Comparison::Text(_));
    let direct = match &condition.op {
        Op::Compare(_, with) => plain(with),
        // Documents are not between texts that are the same, but equal to them.
        Op::Between { low, high, .. } => {
            let documents = condition.args.iter().any(|arg| arg.ty.kind == TypeKind::Json);
            plain(low) && plain(high) && !documents
        }
        Op::In { how: Membership::Each(with), .. } => with.iter().all(plain),
        Op::In { how: Membership::Constants(ListReading::Integers), .. } => true,
        _ => false,
    };
    for arg in &condition.args {
        match arg.op {
            Op::Param(_) if direct && !moments => {}
            Op::Param(at) => found.push(at),
            _ => converted(arg, found),
        }
    }
}
