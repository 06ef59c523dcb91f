//! Subqueries in expressions: scalars, rows, EXISTS, IN, ANY and ALL.

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Column, CompareOp, Node, Op, Result};
use firn_mysql_semantics::{SqlType, TypeKind};

use super::statement::{Statement, not_yet};
use super::{BoundSelect, Item, StatementScope};

/// A subquery of an expression.
pub(crate) struct BoundSubquery {
    /// Its number in the statement: [`Op::Subquery`] nodes have it.
    pub(crate) slot: usize,
    /// What is asked of it.
    pub(crate) asked: Asked,
    /// The query.
    pub(crate) query: BoundSelect,
    /// It may give something else each time it runs.
    pub(crate) volatile: bool,
}

/// What an expression asks of a subquery.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// Its one row.
    Row,
    /// Whether it has a row.
    Exists,
    /// Whether a condition holds for one of its rows. The condition is over the values
    /// that are compared, and behind them those of the row.
    Any(Node),
}

impl StatementScope<'_> {
    /// Binds a query that stands in an expression; what it takes from the row around
    /// it comes with it.
    fn nested(&self, query: &ast::Query) -> Result<(BoundSelect, Vec<Node>)> {
        if self.block.without_queries {
            return not_yet("a subquery here");
        }
        if query.into.is_some() {
            return Err(SqlError::new(code::ER_MISPLACED_INTO, &[]));
        }
        let inner = Statement { outer: Some(self), ..self.statement.deeper()? };
        let bound = BoundSelect::bind(&inner, query)?;
        let operands = bound.outer.iter().cloned().map(Node::column).collect();
        Ok((bound, operands))
    }

    fn put(&self, query: BoundSelect, asked: Asked) -> usize {
        let slot = self.statement.number();
        self.put_at(slot, query, asked);
        slot
    }

    fn put_at(&self, slot: usize, mut query: BoundSelect, asked: Asked) {
        let volatile = query.is_volatile();
        let warnings = std::mem::take(&mut query.warnings);
        self.block.add(BoundSubquery { slot, asked, query, volatile }, warnings);
    }

    /// `(SELECT …)` as a value or a row.
    pub(super) fn scalar(&self, query: &ast::Query) -> Result<Node> {
        let (bound, operands) = self.nested(query)?;
        let mut types: Vec<SqlType> = bound.items.iter().map(value_type).collect();
        let one_row = is_one_row(&bound);
        if one_row {
            let nullable = bound.items.iter().map(|item| item.node.ty.nullable);
            types.iter_mut().zip(nullable).for_each(|(ty, nullable)| ty.nullable = nullable);
        }
        let slot = self.statement.number();
        let one = |(at, (ty, item)): (usize, (SqlType, &Item))| {
            Node::subquery((slot, at), ty, operands.clone(), &item.node, one_row)
        };
        let mut columns: Vec<Node> =
            types.into_iter().zip(&bound.items).enumerate().map(one).collect();
        self.put_at(slot, bound, Asked::Row);
        Ok(match columns.len() {
            1 => columns.remove(0),
            _ => Node::row(columns),
        })
    }

    /// EXISTS
    pub(super) fn exists(&self, query: &ast::Query) -> Result<Node> {
        let (bound, operands) = self.nested(query)?;
        // A server says of it what it says of the items, but of a lone star.
        let is_star = matches!(&query.body, ast::QueryBody::Select(select)
            if matches!(select.items[..], [ast::SelectItem::All]));
        let nullable = !is_star && bound.items.iter().any(|item| item.node.ty.nullable);
        let slot = self.put(bound, Asked::Exists);
        Ok(Node::subquery_truth(slot, nullable, operands))
    }

    /// IN and NOT IN
    pub(super) fn in_query(&self, asked: &ast::InQuery) -> Result<Node> {
        let node = self.any(&asked.expr, CompareOp::Eq, &asked.query)?;
        Ok(if asked.negated { node.negated() } else { node })
    }

    /// ANY and ALL
    pub(super) fn quantified(&self, asked: &ast::Quantified) -> Result<Node> {
        use ast::BinaryOp as B;
        let (op, opposite) = match asked.op {
            B::Eq => (CompareOp::Eq, CompareOp::Ne),
            B::Ne => (CompareOp::Ne, CompareOp::Eq),
            B::Lt => (CompareOp::Lt, CompareOp::Ge),
            B::Le => (CompareOp::Le, CompareOp::Gt),
            B::Gt => (CompareOp::Gt, CompareOp::Le),
            B::Ge => (CompareOp::Ge, CompareOp::Lt),
            _ => return not_yet("this operator with ANY or ALL"),
        };
        // It holds for all rows unless its opposite does for one.
        if asked.all {
            return Ok(self.any(&asked.expr, opposite, &asked.query)?.negated());
        }
        self.any(&asked.expr, op, &asked.query)
    }

    fn any(&self, left: &ast::Expr, op: CompareOp, query: &ast::Query) -> Result<Node> {
        let binder = Binder::new(self.statement.settings, self, self.statement.params);
        let clause = self.clause.replace("IN/ALL/ANY subquery");
        let left = binder.bind_any(left);
        self.clause.set(clause);
        let left = left?;
        let is_row = matches!(left.op, Op::Row);
        let left: Vec<Node> = if is_row { left.args.into_vec() } else { vec![left] };
        let (bound, mut operands) = self.nested(query)?;
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        if is_row && !equality {
            return Err(SqlError::operand_columns(1));
        }
        if left.len() != bound.items.len() {
            return Err(SqlError::operand_columns(left.len() as u32));
        }
        let width = left.len();
        let ours = left.iter().enumerate().map(|(at, node)| placeholder(node, at));
        let theirs = bound.items.iter().enumerate();
        let theirs = theirs.map(|(at, item)| {
            let mut node = placeholder(&item.node, width + at);
            if let (Op::Column(column), Some(members)) = (&mut node.op, &item.members) {
                column.members = Some(members.clone());
            }
            node
        });
        let (mut ours, mut theirs): (Vec<_>, Vec<_>) = (ours.collect(), theirs.collect());
        // A server says so of whatever it looks for among rows.
        let nullable = op == CompareOp::Eq && !is_one_row(&bound)
            || ours.iter().chain(&theirs).any(|node| node.ty.nullable);
        let condition = if width == 1 {
            binder.compared(op, ours.remove(0), theirs.remove(0))?
        } else {
            binder.compared(op, Node::row(ours), Node::row(theirs))?
        };
        operands.extend(left);
        let slot = self.put(bound, Asked::Any(condition));
        Ok(Node::subquery_truth(slot, nullable, operands))
    }
}

/// Without a table there is always a row.
fn is_one_row(query: &BoundSelect) -> bool {
    query.sources.is_empty()
        && query.filter.is_empty()
        && query.having.is_none()
        && query.limit.is_none()
}

/// A column in place of an expression, of the same type.
fn placeholder(node: &Node, index: usize) -> Node {
    let members = match &node.op {
        Op::Column(column) => column.members.clone(),
        _ => None,
    };
    let name = firn_mysql_semantics::expr::printed(node).into_boxed_str();
    Node::column(Column { index, ty: node.ty, name, members })
}

/// The type of a column of a subquery where it is a value: members are their texts, and
/// without a row it is NULL.
fn value_type(item: &Item) -> SqlType {
    let mut ty = item.node.ty.with_nullable(true);
    if matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
        ty.kind = TypeKind::Char;
    }
    ty
}
