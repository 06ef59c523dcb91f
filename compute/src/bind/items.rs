//! The select list: its items, and the names of their columns.

use std::sync::Arc;

use firn_mysql_parser::{Options, Parser, ast};
use firn_mysql_protocol::ColumnFlags;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Node, Op, Result};
use firn_mysql_semantics::value::Bytes;

use super::statement::Statement;
use super::{ScopeTable, StatementScope};
use crate::accounts::Privileges;
use crate::catalog::ResolvedColumn;

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
    pub(crate) aliased: bool,
}

pub(super) fn select_list(
    statement: &Statement<'_>,
    scope: &StatementScope<'_>,
    binder: &Binder<'_>,
    list: &[ast::SelectItem],
) -> Result<Vec<Item>> {
    let mut items: Vec<Item> = Vec::with_capacity(list.len());
    for item in list {
        let before = items.len();
        match item {
            ast::SelectItem::All => {
                if scope.tables.is_empty() {
                    return Err(SqlError::new(code::ER_NO_TABLES_USED, &[]));
                }
                let every = |table: &ScopeTable| table.used.every_column(Privileges::SELECT);
                scope.tables.iter().for_each(every);
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
                scope.tables[table].used.every_column(Privileges::SELECT);
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
        if let Some(names) = statement.names {
            names.item(item, items[before..].iter().map(|item| told(scope, item)).collect());
        }
    }
    Ok(items)
}

/// An item as the query of a view keeps it.
fn told(scope: &StatementScope<'_>, item: &Item) -> (Option<ResolvedColumn>, Box<str>) {
    let column = item.column.map(|(table, column)| scope.tables[table].resolved(column));
    (column, item.name.clone())
}

/// `*`: columns that USING has merged stand once, and first.
fn star(scope: &StatementScope<'_>, items: &mut Vec<Item>) {
    let mut columns = Vec::new();
    for (table, definition) in scope.tables.iter().enumerate() {
        for (column, one) in definition.columns.iter().enumerate() {
            if one.starred && !definition.merged.contains(&column) {
                columns.push((table, column));
            }
        }
    }
    columns.sort_by_key(|(table, column)| scope.block.star_place(*table, *column));
    items.extend(columns.into_iter().map(|(table, column)| column_item(scope, table, column)));
}

pub(super) fn column_item(scope: &StatementScope<'_>, table: usize, column: usize) -> Item {
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
                scope.note(name, table, column);
                scope.tables[table].used.column(column, Privileges::SELECT);
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

/// The value of the first of several pieces of a string; `None` if there is one.
fn first_piece(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let mut rest = text.char_indices().skip(1).peekable();
    let end = loop {
        let (at, one) = rest.next()?;
        match one {
            '\\' => drop(rest.next()?),
            _ if one == quote && rest.peek().is_some_and(|(_, next)| *next == quote) => {
                rest.next();
            }
            _ if one == quote => break at + 1,
            _ => {}
        }
    };
    if text.get(end..)?.trim().is_empty() {
        return None;
    }
    let piece = Parser::new(Options::default()).parse_expr(text.get(..end)?.as_bytes()).ok()?;
    match piece.kind {
        ast::ExprKind::Literal(ast::Literal::Text(text)) => {
            Some(String::from_utf8_lossy(&text.value).into_owned())
        }
        _ => None,
    }
}

/// Where the name of a column that has no alias is cut, bytes.
const NAME_BYTES_MAX: usize = 255;

/// The name of a result's column that has no alias: a string's value, else the
/// expression as it was written.
fn name_of(statement: &Statement<'_>, expr: &ast::Expr) -> String {
    let mut name = match &expr.kind {
        ast::ExprKind::Literal(ast::Literal::Text(text)) if text.charset.is_none() => {
            let whole = || String::from_utf8_lossy(&text.value).into_owned();
            let text = first_piece(&statement.text_of(expr.span)).unwrap_or_else(whole);
            text.trim_start().to_owned()
        }
        ast::ExprKind::Literal(ast::Literal::Null) => "NULL".to_owned(),
        _ => statement.text_of(expr.span),
    };
    // Names are of the utf8mb3 character set.
    if name.chars().any(|c| u32::from(c) > 0xffff) {
        name = name.chars().map(|c| if u32::from(c) > 0xffff { '?' } else { c }).collect();
    }
    name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
    name
}
