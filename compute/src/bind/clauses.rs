//! GROUP BY, HAVING, ORDER BY and LIMIT.

use firn_mysql_parser::ast::{self, ExprKind};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Column, Node, Op, Result};

use super::statement::Statement;
use super::{Item, ItemNames, LimitBound, OrderBy, StatementScope};

/// The clauses behind the select list.
#[derive(Default)]
pub(super) struct Clauses {
    pub(super) group_by: Vec<Node>,
    pub(super) having: Option<Node>,
    pub(super) having_groups: bool,
    pub(super) order_by: Vec<OrderBy>,
    pub(super) limit: Option<LimitBound>,
    pub(super) warnings: Vec<SqlError>,
}

impl Clauses {
    pub(super) fn bind(
        statement: &Statement<'_>,
        scope: &StatementScope<'_>,
        select: &ast::Select,
        query: &ast::Query,
        items: &[Item],
        items_start: usize,
    ) -> Result<Self> {
        let binder = Binder::new(statement.settings, scope, statement.params);
        let mut this = Self::default();
        if let Some(group) = &select.group_by {
            scope.clause.set("group statement");
            scope.item_names.set(ItemNames::Last);
            for expr in &group.items {
                let node = match position(expr, items, items_start, "group statement")? {
                    Some((at, _)) => items[at].node.clone(),
                    None => {
                        let node = binder.bind(expr)?;
                        refuse_grouping(&node, scope)?;
                        item_itself(node, items, items_start)
                    }
                };
                this.group_by.push(node);
            }
        }
        if let Some(having) = &select.having {
            scope.clause.set("having clause");
            scope.item_names.set(ItemNames::First);
            this.having = Some(binder.bind(having)?);
        }
        scope.clause.set("order clause");
        scope.item_names.set(ItemNames::First);
        for item in &query.order_by {
            let node = match position(&item.expr, items, items_start, "order clause")? {
                Some((_, node)) => node,
                None => binder.bind(&item.expr)?,
            };
            this.order_by.push(OrderBy { node, descending: item.descending });
        }
        if let Some(limit) = &query.limit {
            let rows = binder.bind(&limit.rows)?;
            let offset = limit.offset.as_ref().map(|offset| binder.bind(offset)).transpose()?;
            this.limit = Some(LimitBound { rows, offset });
        }
        this.warnings = binder.take_warnings();
        Ok(this)
    }
}

/// GROUPING is of groups that are made.
fn refuse_grouping(node: &Node, scope: &StatementScope<'_>) -> Result<()> {
    let own = |place: usize| scope.groupings.is_some_and(|one| one.holds(place));
    match &node.op {
        Op::Column(column) if own(column.index) => {
            Err(SqlError::new(code::ER_WRONG_GROUP_FIELD, &[(&*column.name).into()]))
        }
        _ => node.args.iter().try_for_each(|arg| refuse_grouping(arg, scope)),
    }
}

/// `ORDER BY 2`: an item by its place.
fn position(
    expr: &ast::Expr,
    items: &[Item],
    items_start: usize,
    clause: &str,
) -> Result<Option<(usize, Node)>> {
    let ExprKind::Literal(ast::Literal::Int(number)) = &expr.kind else { return Ok(None) };
    let at = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
    match at.filter(|at| *at < items.len()) {
        Some(at) => Ok(Some((at, item_column(&items[at], items_start + at)))),
        None => Err(SqlError::new(
            code::ER_BAD_FIELD_ERROR,
            &[(&number.to_string()).into(), clause.into()],
        )),
    }
}

/// The value of an item, once it is computed.
fn item_column(item: &Item, place: usize) -> Node {
    Node::column(Column {
        index: place,
        ty: item.node.ty,
        name: item.name.clone(),
        members: item.members.clone(),
    })
}

/// Groups are made before items are computed: where GROUP BY names an item, its
/// expression is meant.
fn item_itself(node: Node, items: &[Item], items_start: usize) -> Node {
    match &node.op {
        Op::Column(column) if column.index >= items_start => {
            items.get(column.index - items_start).map_or(node.clone(), |item| item.node.clone())
        }
        _ => node,
    }
}

/// Whether an expression has a query in it.
pub(crate) fn has_query(expr: &ast::Expr) -> bool {
    let mut found = false;
    walk(expr, &mut |one| {
        found |= matches!(
            one.kind,
            ExprKind::Subquery(_)
                | ExprKind::Exists(_)
                | ExprKind::InQuery(_)
                | ExprKind::Quantified(_)
        );
    });
    found
}

/// Calls `each` with an expression and all that it is made of, but for queries.
pub(super) fn walk(expr: &ast::Expr, each: &mut impl FnMut(&ast::Expr)) {
    each(expr);
    let mut go = |expr: &ast::Expr| walk(expr, each);
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Param(_)
        | ExprKind::Column(_)
        | ExprKind::UserVariable(_)
        | ExprKind::SystemVariable(_)
        | ExprKind::Subquery(_)
        | ExprKind::Exists(_)
        | ExprKind::Default
        | ExprKind::DefaultOf(_)
        | ExprKind::Values(_)
        | ExprKind::JsonPath(_) => {}
        ExprKind::Assign(assign) => go(&assign.value),
        ExprKind::Unary(_, operand)
        | ExprKind::IsNull { expr: operand, .. }
        | ExprKind::IsTruth { expr: operand, .. }
        | ExprKind::Extract(_, operand)
        | ExprKind::GetFormat(_, operand) => go(operand),
        ExprKind::Binary(binary) => {
            go(&binary.left);
            go(&binary.right);
        }
        ExprKind::Logical(_, list) | ExprKind::Row(list) => list.iter().for_each(go),
        ExprKind::Like(like) => {
            go(&like.expr);
            go(&like.pattern);
            like.escape.iter().for_each(go);
        }
        ExprKind::Regexp(regexp) => {
            go(&regexp.expr);
            go(&regexp.pattern);
        }
        ExprKind::InList(list) => {
            go(&list.expr);
            list.list.iter().for_each(go);
        }
        ExprKind::InQuery(query) => go(&query.expr),
        ExprKind::Quantified(query) => go(&query.expr),
        ExprKind::Between(between) => {
            go(&between.expr);
            go(&between.low);
            go(&between.high);
        }
        ExprKind::Case(case) => {
            case.operand.iter().for_each(&mut go);
            for (when, then) in &case.branches {
                go(when);
                go(then);
            }
            case.otherwise.iter().for_each(go);
        }
        ExprKind::Cast(cast) => go(&cast.expr),
        ExprKind::ConvertUsing(pair) | ExprKind::Collate(pair) | ExprKind::Named(pair) => {
            go(&pair.0);
        }
        ExprKind::Call(call) => call.args.iter().for_each(go),
        ExprKind::Aggregate(aggregate) => aggregate.args.iter().for_each(go),
        ExprKind::Match(matching) => go(&matching.against),
        ExprKind::DateArith(arith) => {
            go(&arith.date);
            go(&arith.amount);
        }
        ExprKind::Trim(trim) => {
            trim.remove.iter().for_each(&mut go);
            go(&trim.expr);
        }
        ExprKind::UnitCall(call) => {
            go(&call.first);
            go(&call.second);
        }
        ExprKind::Char(parts) => parts.0.iter().for_each(go),
        ExprKind::WeightString(weight) => go(&weight.expr),
        ExprKind::JsonValue(call) => go(&call.expr),
    }
}
