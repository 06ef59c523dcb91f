//! Aggregates in a subquery that are of a query around it.
//!
//! `SELECT (SELECT SUM(a.x) FROM b LIMIT 1) FROM a` has one row: an aggregate whose columns are
//! all of a query around is that query's, if it may have aggregates where the subquery stands.
//! Else it is the subquery's own, and takes the same value for each of its rows.

use firn_mysql_parser::ast::{self, ExprKind};
use firn_mysql_semantics::expr::{Column, Node, Op, Result};

use super::StatementScope;
use super::clauses::walk;

/// Where the columns of an aggregate are.
#[derive(PartialEq, Eq)]
enum Columns {
    /// There are none, or a query has some.
    Unknown,
    /// One at least is of the scope's tables.
    Own,
    /// None is.
    Around,
}

impl StatementScope<'_> {
    /// An aggregate of a query around, as this block reads it; `None` if it is this one's.
    pub(super) fn outer_aggregate(&self, call: &ast::Aggregate) -> Result<Option<Node>> {
        let Some(outer) = self.statement.outer else { return Ok(None) };
        if self.columns_of(call)? != Columns::Around {
            return Ok(None);
        }
        let found = outer.aggregated(call)?;
        Ok(found.map(|column| Node::column(self.block.import(column))))
    }

    /// The same of an aggregate that is of none of the queries within.
    fn aggregated(&self, call: &ast::Aggregate) -> Result<Option<Column>> {
        if self.columns_of(call)? == Columns::Own {
            if self.aggregates.is_none() {
                return Ok(None);
            }
            let node = self.aggregate(call)?;
            let Op::Column(column) = &node.op else { return Ok(None) };
            let (index, name) = (column.index, column.name.clone());
            return Ok(Some(Column { index, ty: node.ty, name, members: column.members.clone() }));
        }
        let Some(outer) = self.statement.outer else { return Ok(None) };
        Ok(outer.aggregated(call)?.map(|column| self.block.import(column)))
    }

    fn columns_of(&self, call: &ast::Aggregate) -> Result<Columns> {
        let mut names = Vec::new();
        let mut queries = false;
        let keys = call.order_by.iter().map(|key| &key.expr);
        for expr in call.args.iter().chain(keys) {
            walk(expr, &mut |expr| match &expr.kind {
                ExprKind::Column(name) => names.push(name.clone()),
                _ => queries |= query_in(expr).is_some(),
            });
        }
        if queries || names.is_empty() {
            return Ok(Columns::Unknown);
        }
        for name in names {
            if self.find(&name)?.is_some() {
                return Ok(Columns::Own);
            }
        }
        Ok(Columns::Around)
    }
}

fn query_in(expr: &ast::Expr) -> Option<&ast::Query> {
    match &expr.kind {
        ExprKind::Subquery(query) | ExprKind::Exists(query) => Some(query),
        ExprKind::InQuery(one) => Some(&one.query),
        ExprKind::Quantified(one) => Some(&one.query),
        _ => None,
    }
}

/// How many aggregates the query of an expression has, if it is one: they may all be of the query
/// around.
pub(super) fn aggregates_within(expr: &ast::Expr) -> usize {
    fn in_expr(expr: &ast::Expr) -> usize {
        let mut count = 0;
        walk(expr, &mut |expr| {
            count += usize::from(matches!(&expr.kind, ExprKind::Aggregate(_)));
            count += aggregates_within(expr);
        });
        count
    }
    fn in_table(table: &ast::TableRef) -> usize {
        match table {
            ast::TableRef::Table(_) => 0,
            ast::TableRef::JsonTable(table) => in_expr(&table.expr),
            ast::TableRef::Derived(derived) => in_query(&derived.query),
            ast::TableRef::List(list) => list.iter().map(in_table).sum(),
            ast::TableRef::Join(join) => {
                let on = match &join.condition {
                    ast::JoinCondition::On(condition) => in_expr(condition),
                    _ => 0,
                };
                on + in_table(&join.left) + in_table(&join.right)
            }
        }
    }
    fn in_body(body: &ast::QueryBody) -> usize {
        match body {
            ast::QueryBody::Select(select) => {
                let items = select.items.iter().map(|item| match item {
                    ast::SelectItem::Expr { expr, .. } => in_expr(expr),
                    _ => 0,
                });
                let groups = select.group_by.iter().flat_map(|group| &group.items);
                let others = select.filter.iter().chain(&select.having).chain(groups);
                items.sum::<usize>()
                    + others.map(in_expr).sum::<usize>()
                    + select.from.iter().map(in_table).sum::<usize>()
            }
            ast::QueryBody::Nested(query) => in_query(query),
            ast::QueryBody::Set { first, rest } => {
                in_body(first) + rest.iter().map(|one| in_body(&one.body)).sum::<usize>()
            }
            ast::QueryBody::Table(_) => 0,
            ast::QueryBody::Values(rows) => rows.iter().flatten().map(in_expr).sum(),
        }
    }
    fn in_query(query: &ast::Query) -> usize {
        let tables = query.with.iter().flat_map(|with| &with.tables);
        in_body(&query.body)
            + query.order_by.iter().map(|item| in_expr(&item.expr)).sum::<usize>()
            + tables.map(|table| in_query(&table.query)).sum::<usize>()
    }
    query_in(expr).map_or(0, in_query)
}
