//! GROUP BY, HAVING, ORDER BY and LIMIT.

use firn_mysql_parser::ast::{self, ExprKind};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Column, Node, Op, Result};

use super::statement::Statement;
use super::{Item, ItemNames, LimitBound, OrderBy, StatementScope, Windowing, columns_of};

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
        // Window functions are of the rows that these leave.
        scope.refuses_windows.set(true);
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
                refuse_windows(&node, expr, items, scope)?;
                this.group_by.push(node);
            }
        }
        if let Some(having) = &select.having {
            scope.clause.set("having clause");
            scope.item_names.set(ItemNames::First);
            let place = |node: &Node| match &node.op {
                Op::Column(column) => Some(column.index),
                _ => None,
            };
            let listed = items.iter().filter(|item| item.column.is_some()).map(|item| &item.node);
            let named = listed.chain(&this.group_by).filter_map(place).collect();
            scope.having.replace(Some(named));
            let having = binder.bind(having);
            scope.having.replace(None);
            let having = having?;
            refuse_windowed_items(&having, items, items_start, scope)?;
            this.having = Some(having);
        }
        scope.refuses_windows.set(false);
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
            this.limit = Some(LimitBound { rows, offset, about: None });
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

/// Whether an expression has the result of a window function in it.
fn has_window(node: &Node, scope: &StatementScope<'_>) -> bool {
    let Windowing::Allowed(windows) = scope.windowing else { return false };
    let mut found = false;
    columns_of(node, &mut |place| found |= windows.holds(place));
    found
}

/// 1056 where GROUP BY names an item that needs window functions.
fn refuse_windows(
    node: &Node,
    written: &ast::Expr,
    items: &[Item],
    scope: &StatementScope<'_>,
) -> Result<()> {
    if !has_window(node, scope) {
        return Ok(());
    }
    let name = match &written.kind {
        ExprKind::Column(name) => name.name.as_str().to_owned(),
        ExprKind::Literal(ast::Literal::Int(number)) => {
            let at = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
            at.and_then(|at| items.get(at)).map_or_else(String::new, |item| item.name.to_string())
        }
        _ => scope.statement.text_of(written.span),
    };
    Err(SqlError::new(code::ER_WRONG_GROUP_FIELD, &[(&*name).into()]))
}

/// 3594 where HAVING names such an item.
fn refuse_windowed_items(
    having: &Node,
    items: &[Item],
    items_start: usize,
    scope: &StatementScope<'_>,
) -> Result<()> {
    let mut named = Vec::new();
    columns_of(having, &mut |place| named.extend(place.checked_sub(items_start)));
    let windowed = |item: &&Item| has_window(&item.node, scope);
    match named.into_iter().filter_map(|at| items.get(at)).find(windowed) {
        Some(item) => {
            let number = code::ER_WINDOW_INVALID_WINDOW_FUNC_ALIAS_USE;
            Err(SqlError::new(number, &[(&*item.name).into()]))
        }
        None => Ok(()),
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

/// Whether an expression has an aggregate or a window function in it.
pub(super) fn has_aggregate(expr: &ast::Expr) -> bool {
    let mut found = false;
    walk(expr, &mut |one| {
        found |= match &one.kind {
            ExprKind::Aggregate(_) => true,
            ExprKind::Call(call) => call.window.is_some(),
            _ => false,
        };
    });
    found
}

/// What rows of a window that has no name are put in order by.
fn of_window(over: &ast::Over) -> Vec<&ast::Expr> {
    match over {
        ast::Over::Name(_) => Vec::new(),
        ast::Over::Window(window) => window_exprs(window).collect(),
    }
}

/// What rows of a window are put in order by.
pub(super) fn window_exprs(window: &ast::WindowSpec) -> impl Iterator<Item = &ast::Expr> {
    window.partition_by.iter().chain(window.order_by.iter().map(|item| &item.expr))
}

/// Calls `each` with an expression and all that it is made of, but for queries.
pub(crate) fn walk(expr: &ast::Expr, each: &mut impl FnMut(&ast::Expr)) {
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
        ExprKind::Call(call) => {
            call.args.iter().for_each(&mut go);
            let over = call.window.as_ref().map(|window| &window.over);
            over.into_iter().flat_map(of_window).for_each(go);
        }
        ExprKind::Aggregate(aggregate) => {
            aggregate.args.iter().for_each(&mut go);
            aggregate.over.iter().flat_map(|over| of_window(over)).for_each(go);
        }
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
