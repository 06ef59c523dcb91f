//! SELECT, bound.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_protocol::ColumnFlags;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Node, Op, Result};
use firn_mysql_semantics::value::Bytes;

use super::from::From;
use super::statement::{Statement, not_yet};
use super::{Aggregate, ItemNames, NamedItem, ScopeTable, Source, StatementScope, conjuncts};

/// A SELECT of one query block.
pub(crate) struct BoundSelect {
    /// What names mean.
    pub(crate) tables: Vec<ScopeTable>,
    /// What is read, in order.
    pub(crate) sources: Vec<Source>,
    /// Conditions that AND joins.
    pub(crate) filter: Vec<Node>,
    /// GROUP BY.
    pub(crate) group_by: Vec<Node>,
    /// Rows are gathered: there is a GROUP BY or an aggregate.
    pub(crate) grouped: bool,
    /// Aggregates.
    pub(crate) aggregates: Vec<Aggregate>,
    /// Place of the first aggregate's result.
    pub(crate) aggregates_start: usize,
    /// The select list.
    pub(crate) items: Vec<Item>,
    /// Place of the first item's value.
    pub(crate) items_start: usize,
    /// HAVING.
    pub(crate) having: Option<Node>,
    /// ORDER BY.
    pub(crate) order_by: Vec<OrderBy>,
    /// DISTINCT
    pub(crate) distinct: bool,
    /// LIMIT
    pub(crate) limit: Option<LimitBound>,
    /// SQL_CALC_FOUND_ROWS
    pub(crate) calc_found_rows: bool,
    /// FOR UPDATE and FOR SHARE.
    pub(crate) locking: Option<(bool, ast::LockWait)>,
    /// `SELECT … INTO @a, …`
    pub(crate) into: Vec<String>,
    /// Places of the flat row.
    pub(crate) row_len: usize,
    /// Deprecated forms.
    pub(crate) warnings: Vec<SqlError>,
}

/// An item of the select list.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// What is computed.
    pub(crate) node: Node,
    /// The column's name in the result.
    pub(crate) name: Box<str>,
    /// Of a plain column: which one of which table.
    pub(crate) column: Option<(usize, usize)>,
    /// Of ENUM and SET.
    pub(crate) members: Option<Arc<[Bytes]>>,
    /// What the client is told beside the type.
    pub(crate) flags: ColumnFlags,
    /// Numbers are shown with zeros in front, up to this many digits.
    pub(crate) zerofill: Option<u8>,
    aliased: bool,
}

/// A key of ORDER BY.
#[derive(Debug, Clone)]
pub(crate) struct OrderBy {
    /// What is compared.
    pub(crate) node: Node,
    /// DESC
    pub(crate) descending: bool,
}

/// LIMIT: numbers, or parameters.
#[derive(Debug, Clone)]
pub(crate) struct LimitBound {
    /// At most so many rows.
    pub(crate) rows: Node,
    /// After so many others.
    pub(crate) offset: Option<Node>,
}

impl BoundSelect {
    /// Binds a query of one block.
    ///
    /// # Errors
    /// MySQL's for unknown names and wrong types; 1235 for what is not built yet.
    pub(crate) fn bind(statement: &Statement<'_>, query: &ast::Query) -> Result<Self> {
        if query.with.is_some() {
            return not_yet("WITH");
        }
        let select = match &query.body {
            ast::QueryBody::Select(select) => select,
            ast::QueryBody::Nested(inner)
                if query.order_by.is_empty()
                    && query.limit.is_none()
                    && query.locking.is_empty()
                    && query.into.is_none() =>
            {
                return Self::bind(statement, inner);
            }
            ast::QueryBody::Nested(_) => return not_yet("clauses behind a query in parentheses"),
            ast::QueryBody::Table(name) => return Self::table(statement, query, name),
            ast::QueryBody::Values(_) => return not_yet("VALUES as a query"),
            ast::QueryBody::Set { .. } => return not_yet("UNION"),
        };
        Self::block(statement, query, select)
    }

    /// `TABLE t` is `SELECT * FROM t`.
    fn table(
        statement: &Statement<'_>,
        query: &ast::Query,
        name: &ast::ObjectName,
    ) -> Result<Self> {
        let factor = ast::TableFactor {
            name: name.clone(),
            partitions: Vec::new(),
            alias: None,
            hints: Vec::new(),
            sample: None,
        };
        let select = ast::Select {
            hints: Vec::new(),
            options: ast::SelectOptions::default(),
            items: vec![ast::SelectItem::All],
            from: vec![ast::TableRef::Table(Box::new(factor))],
            filter: None,
            group_by: None,
            having: None,
            windows: Vec::new(),
            qualify: None,
        };
        Self::block(statement, query, &select)
    }

    fn block(statement: &Statement<'_>, query: &ast::Query, select: &ast::Select) -> Result<Self> {
        if !select.windows.is_empty() {
            return not_yet("window functions");
        }
        if select.qualify.is_some() {
            return not_yet("QUALIFY");
        }
        let From { tables, sources, conditions, len } = From::bind(statement, &select.from)?;
        let aggregates_start = len;
        let aggregates = RefCell::new(Vec::new());
        // Aggregates come before the items in the flat row, and there is no more than one
        // to a character of the statement.
        let items_start = aggregates_start + count_aggregates(select, query);
        let mut scope = StatementScope {
            tables: &tables,
            items: &[],
            clause: Cell::new("field list"),
            item_names: Cell::new(ItemNames::Hidden),
            aggregates: Some(&aggregates),
            aggregates_start,
            new_row: None,
            variables: statement.variables,
            settings: statement.settings,
            params: statement.params,
        };
        let mut warnings = Vec::new();
        let items = {
            let binder = Binder::new(statement.settings, &scope, statement.params);
            let items = select_list(statement, &scope, &binder, &select.items)?;
            warnings.extend(binder.take_warnings());
            items
        };
        let named: Vec<NamedItem> = items
            .iter()
            .enumerate()
            .map(|(at, item)| NamedItem {
                name: item.name.clone(),
                ty: item.node.ty,
                members: item.members.clone(),
                place: items_start + at,
                aliased: item.aliased || item.column.is_none(),
            })
            .collect();

        let mut filter = conditions;
        if let Some(condition) = &select.filter {
            let rows = StatementScope {
                aggregates: None,
                clause: Cell::new("where clause"),
                item_names: Cell::new(ItemNames::Hidden),
                ..scope
            };
            let binder = Binder::new(statement.settings, &rows, statement.params);
            conjuncts(binder.bind(condition)?, &mut filter);
            warnings.extend(binder.take_warnings());
            scope = StatementScope { aggregates: Some(&aggregates), ..rows };
        }
        scope.items = &named;
        let binder_scope = scope;
        let clauses = super::clauses::Clauses::bind(
            statement,
            &binder_scope,
            select,
            query,
            &items,
            items_start,
        )?;
        warnings.extend(clauses.warnings);

        let aggregates = aggregates.into_inner();
        debug_assert!(aggregates_start + aggregates.len() <= items_start);
        let grouped = select.group_by.is_some() || !aggregates.is_empty() || clauses.having_groups;
        if items.is_empty() {
            return Err(SqlError::new(code::ER_NO_TABLES_USED, &[]));
        }
        let row_len = items_start + items.len();
        let mut this = Self {
            tables,
            sources,
            filter,
            group_by: clauses.group_by,
            grouped,
            aggregates,
            aggregates_start,
            items,
            items_start,
            having: clauses.having,
            order_by: clauses.order_by,
            distinct: select.options.distinct,
            limit: clauses.limit,
            calc_found_rows: select.options.calc_found_rows,
            locking: None,
            into: Vec::new(),
            row_len,
            warnings,
        };
        this.locking = locking(&query.locking)?;
        this.into = into(query.into.as_deref())?;
        Ok(this)
    }
}

/// Aggregates of one query block, counted before they are bound.
fn count_aggregates(select: &ast::Select, query: &ast::Query) -> usize {
    let mut count = 0;
    let mut each = |expr: &ast::Expr| {
        super::clauses::walk(expr, &mut |expr| {
            count += usize::from(matches!(expr.kind, ast::ExprKind::Aggregate(_)));
        });
    };
    for item in &select.items {
        if let ast::SelectItem::Expr { expr, .. } = item {
            each(expr);
        }
    }
    select.having.iter().for_each(&mut each);
    query.order_by.iter().for_each(|item| each(&item.expr));
    count
}

fn locking(list: &[ast::Locking]) -> Result<Option<(bool, ast::LockWait)>> {
    match list {
        [] => Ok(None),
        [one] if one.of.is_empty() => Ok(Some((one.update, one.wait))),
        _ => not_yet("FOR UPDATE OF"),
    }
}

fn into(clause: Option<&ast::IntoClause>) -> Result<Vec<String>> {
    match clause {
        None => Ok(Vec::new()),
        Some(ast::IntoClause::Variables(list)) => list
            .iter()
            .map(|variable| match variable {
                ast::IntoVariable::User(name) => Ok(name.as_str().to_ascii_lowercase()),
                ast::IntoVariable::Local(name) => {
                    Err(SqlError::new(code::ER_SP_UNDECLARED_VAR, &[name.as_str().into()]))
                }
            })
            .collect(),
        Some(_) => not_yet("SELECT … INTO a file"),
    }
}

fn select_list(
    statement: &Statement<'_>,
    scope: &StatementScope<'_>,
    binder: &Binder<'_>,
    list: &[ast::SelectItem],
) -> Result<Vec<Item>> {
    let mut items = Vec::with_capacity(list.len());
    for item in list {
        match item {
            ast::SelectItem::All => {
                if scope.tables.is_empty() {
                    return Err(SqlError::new(code::ER_NO_TABLES_USED, &[]));
                }
                star(scope, &mut items);
            }
            ast::SelectItem::AllOf(name) => {
                let wanted = |table: &ScopeTable| {
                    table.alias.as_ref() == name.name.as_str()
                        && name.schema.as_ref().is_none_or(|s| table.schema.as_ref() == s.as_str())
                };
                let Some(table) = scope.tables.iter().position(wanted) else {
                    return Err(SqlError::new(
                        code::ER_BAD_TABLE_ERROR,
                        &[name.name.as_str().into()],
                    ));
                };
                for (column, definition) in scope.tables[table].columns.iter().enumerate() {
                    if definition.starred {
                        items.push(column_item(scope, table, column));
                    }
                }
            }
            ast::SelectItem::Expr { expr, alias } => {
                items.push(expression(statement, scope, binder, expr, alias.as_ref())?);
            }
        }
    }
    Ok(items)
}

/// `*`: columns that USING has merged stand once, and first.
fn star(scope: &StatementScope<'_>, items: &mut Vec<Item>) {
    for (table, definition) in scope.tables.iter().enumerate() {
        for (column, one) in definition.columns.iter().enumerate() {
            if one.starred && !definition.merged.contains(&column) {
                items.push(column_item(scope, table, column));
            }
        }
    }
}

fn column_item(scope: &StatementScope<'_>, table: usize, column: usize) -> Item {
    let known = scope.column_at(table, column);
    let definition = &scope.tables[table].columns[column];
    let members = known.members.clone();
    let node = Node::column(known);
    Item {
        node,
        name: Box::from(&*definition.name),
        column: Some((table, column)),
        members,
        flags: definition.flags,
        zerofill: definition.zerofill,
        aliased: false,
    }
}

fn expression(
    statement: &Statement<'_>,
    scope: &StatementScope<'_>,
    binder: &Binder<'_>,
    expr: &ast::Expr,
    alias: Option<&ast::Ident>,
) -> Result<Item> {
    let mut item = match &expr.kind {
        ast::ExprKind::Column(name) => match scope.find(name)? {
            Some((table, column)) => {
                let mut item = column_item(scope, table, column);
                // These tell their names as they have them, whatever was written.
                if &*scope.tables[table].schema != "information_schema" {
                    item.name = Box::from(name.name.as_str());
                }
                item
            }
            None => computed(binder.bind(expr)?, name_of(statement, expr)),
        },
        _ => computed(binder.bind(expr)?, name_of(statement, expr)),
    };
    if let Some(alias) = alias {
        item.name = Box::from(alias.as_str());
        item.aliased = true;
    }
    Ok(item)
}

fn computed(node: Node, name: String) -> Item {
    let members = match &node.op {
        Op::Column(column) => column.members.clone(),
        _ => None,
    };
    Item {
        node,
        name: name.into_boxed_str(),
        column: None,
        members,
        flags: ColumnFlags::EMPTY,
        zerofill: None,
        aliased: false,
    }
}

/// The name of a result's column that has no alias: a string's value, else the
/// expression as it was written.
fn name_of(statement: &Statement<'_>, expr: &ast::Expr) -> String {
    match &expr.kind {
        ast::ExprKind::Literal(ast::Literal::Text(text)) if text.charset.is_none() => {
            let text = String::from_utf8_lossy(&text.value);
            text.trim_start().to_owned()
        }
        ast::ExprKind::Literal(ast::Literal::Null) => "NULL".to_owned(),
        _ => statement.text_of(expr.span),
    }
}
