//! Views in FROM: their queries, bound where they are used.

use std::sync::Arc;

use firn_mysql_parser::ast::{self, StatementKind};
use firn_mysql_parser::{Options, Parser};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Node, Result};

use super::from::columns_of_query;
use super::scope::{ScopeColumn, ScopeTable, StatementScope};
use super::statement::Statement;
use super::{Block, BoundSelect, Derived, FoundTable, TableSource, Used, conjuncts};
use crate::catalog::ViewDescriptor;

/// A view whose query is being bound.
pub(crate) struct ViewChain<'a> {
    pub(crate) schema: &'a str,
    pub(crate) name: &'a str,
    /// With whose rights its tables are looked at; `None` for those of the session.
    pub(crate) definer: Option<&'a (String, String)>,
    /// The view whose query it is named in.
    pub(crate) around: Option<&'a ViewChain<'a>>,
}

/// Subqueries, common tables and views of one statement.
const NUMBERS_MAX: usize = 4096;

/// WITH CHECK OPTION: what must hold for the rows that are written through a view.
#[derive(Debug, Clone)]
pub(crate) struct ViewCheck {
    /// The view's database and name.
    pub(crate) view: (String, String),
    /// Over the flat row.
    pub(crate) conditions: Vec<Node>,
}

/// A view whose rows are rows of one table.
pub(super) struct Simple {
    /// The table, whose columns have the view's names.
    pub(super) found: FoundTable,
    /// The view's conditions, over the flat row.
    pub(super) filter: Vec<Node>,
    /// What must hold for rows that are written.
    pub(super) checks: Vec<ViewCheck>,
}

/// Does something with a view's query.
///
/// Errors: 1462 if it is a view of itself, 1473 if there are too many around it.
fn with_query<T>(
    statement: &Statement<'_>,
    view: &ViewDescriptor,
    then: impl FnOnce(&Statement<'_>, &ast::Query) -> Result<T>,
) -> Result<T> {
    let mut chain = statement.view;
    while let Some(one) = chain {
        if (one.schema, one.name) == (&*view.schema, &*view.name) {
            let (schema, name) = (view.schema.as_str(), view.name.as_str());
            return Err(SqlError::new(code::ER_VIEW_RECURSIVE, &[schema.into(), name.into()]));
        }
        chain = one.around;
    }
    // Views of views of views may be very many.
    if statement.number() > NUMBERS_MAX {
        return Err(SqlError::new(code::ER_TOO_MANY_TABLES, &[61u64.into()]));
    }
    let definer = match view.invoker {
        true => statement.view.and_then(|around| around.definer),
        false => Some(&view.definer),
    };
    let (schema, name) = (view.schema.as_str(), view.name.as_str());
    let chain = ViewChain { schema, name, definer, around: statement.view };
    let text = view.query.as_bytes();
    let parsed = Parser::new(Options::default()).parse(text).map_err(|_| invalid(view))?;
    let StatementKind::Query(query) = &parsed.kind else { return Err(invalid(view)) };
    let outside = Statement {
        sql: text,
        params: &[],
        outer: None,
        commons: None,
        names: None,
        view: Some(&chain),
        ..statement.deeper()?
    };
    then(&outside, query).map_err(|error| match error.number() {
        code::ER_NO_SUCH_TABLE
        | code::ER_BAD_FIELD_ERROR
        | code::ER_BAD_DB_ERROR
        | code::ER_SP_DOES_NOT_EXIST
        | code::ER_TABLEACCESS_DENIED_ERROR
        | code::ER_DBACCESS_DENIED_ERROR
        | code::ER_VIEW_INVALID => invalid(view),
        _ => error,
    })
}

/// A view as a table whose rows are its query's.
///
/// # Errors
/// 1356 if its query can be bound no more, 1462 if it is a view of itself.
pub(crate) fn table(statement: &Statement<'_>, view: &ViewDescriptor) -> Result<FoundTable> {
    let bound = with_query(statement, view, BoundSelect::bind)?;
    let ident =
        |name: &String| ast::Ident { text: name.as_str().into(), span: ast::Span::default() };
    let names: Vec<ast::Ident> = view.columns.iter().map(ident).collect();
    let columns = columns_of_query(&bound, &names)?;
    Ok(FoundTable {
        schema: Arc::from(view.schema.as_str()),
        name: Arc::from(view.name.as_str()),
        columns,
        source: TableSource::Derived(Box::new(Derived::Query {
            query: Box::new(bound),
            outer: Vec::new(),
            lateral: false,
        })),
        used: Used::default(),
    })
}

/// The table of a view that leaves out rows and columns of it, and nothing else; the
/// columns begin at `start` of the flat row. `None` for other views.
///
/// # Errors
/// As [`table`].
pub(super) fn simple(
    statement: &Statement<'_>,
    block: &Block,
    view: &ViewDescriptor,
    start: usize,
) -> Result<Option<Simple>> {
    if view.algorithm == "TEMPTABLE" {
        return Ok(None);
    }
    with_query(statement, view, |inner, query| {
        let Some((select, factor)) = plain(query) else { return Ok(None) };
        let found = inner.find_table(&factor.name, inner.command)?;
        let base = match &found.source {
            TableSource::Stored(_) => {
                Some(Simple { found, filter: Vec::new(), checks: Vec::new() })
            }
            TableSource::View(base) => simple(inner, block, base, start)?,
            _ => None,
        };
        let Some(mut base) = base else { return Ok(None) };
        let table = ScopeTable {
            schema: Arc::clone(&base.found.schema),
            table: Arc::clone(&base.found.name),
            alias: match &factor.alias {
                Some(alias) => Arc::from(alias.as_str()),
                None => Arc::clone(&base.found.name),
            },
            start,
            columns: Arc::clone(&base.found.columns),
            optional: false,
            merged: Vec::new(),
            used: base.found.used.clone(),
        };
        let tables = [table];
        let scope = StatementScope::of_tables(*inner, block, &tables, "where clause");
        let Some(columns) = chosen(&scope, select, view)? else { return Ok(None) };
        let mut own = Vec::new();
        if let Some(filter) = &select.filter {
            let binder = Binder::new(inner.settings, &scope, &[]);
            conjuncts(binder.bind(filter)?, &mut own);
        }
        if let Some(check) = &view.check {
            let mut conditions = own.clone();
            if check == "CASCADED" {
                conditions.extend(base.filter.iter().cloned());
            }
            let view = (view.schema.clone(), view.name.clone());
            base.checks.push(ViewCheck { view, conditions });
        }
        // Errors name the view that the statement does.
        for check in &mut base.checks {
            check.view = (view.schema.clone(), view.name.clone());
        }
        base.filter.extend(own);
        base.found = FoundTable {
            schema: Arc::from(view.schema.as_str()),
            name: Arc::from(view.name.as_str()),
            columns,
            source: base.found.source,
            used: base.found.used,
        };
        Ok(Some(base))
    })
}

/// A query of one table without anything that gathers or orders rows.
fn plain(query: &ast::Query) -> Option<(&ast::Select, &ast::TableFactor)> {
    let behind = query.with.is_none()
        && query.order_by.is_empty()
        && query.limit.is_none()
        && query.locking.is_empty();
    let ast::QueryBody::Select(select) = &query.body else { return None };
    let rows = select.group_by.is_none()
        && select.having.is_none()
        && select.windows.is_empty()
        && select.qualify.is_none()
        && !select.options.distinct;
    let [ast::TableRef::Table(factor)] = &*select.from else { return None };
    let whole = factor.partitions.is_empty() && factor.sample.is_none() && factor.hints.is_empty();
    (behind && rows && whole).then_some((&**select, &**factor))
}

/// The table's columns under the view's names, if the select list is of columns in
/// their order; those that are left out have no name.
fn chosen(
    scope: &StatementScope<'_>,
    select: &ast::Select,
    view: &ViewDescriptor,
) -> Result<Option<Arc<[ScopeColumn]>>> {
    let Some(table) = scope.tables.first() else { return Ok(None) };
    let mut list: Vec<(usize, Arc<str>)> = Vec::new();
    for item in &select.items {
        match item {
            ast::SelectItem::Expr { expr, alias } => {
                let ast::ExprKind::Column(name) = &expr.kind else { return Ok(None) };
                let Some((_, at)) = scope.find(name)? else { return Ok(None) };
                let name = match alias {
                    Some(alias) => Arc::from(alias.as_str()),
                    None => Arc::clone(&table.columns[at].name),
                };
                list.push((at, name));
            }
            ast::SelectItem::All | ast::SelectItem::AllOf(_) => return Ok(None),
        }
    }
    let in_order = list.iter().zip(list.iter().skip(1)).all(|(one, next)| one.0 < next.0);
    if !in_order || (!view.columns.is_empty() && view.columns.len() != list.len()) {
        return Ok(None);
    }
    let mut columns = table.columns.to_vec();
    for column in &mut columns {
        (column.named, column.starred) = (false, false);
    }
    for (place, (at, name)) in list.into_iter().enumerate() {
        columns[at].name = view.columns.get(place).map_or(name, |name| Arc::from(name.as_str()));
        (columns[at].named, columns[at].starred) = (true, true);
    }
    Ok(Some(columns.into()))
}

fn invalid(view: &ViewDescriptor) -> SqlError {
    let (schema, name) = (view.schema.as_str(), view.name.as_str());
    SqlError::new(code::ER_VIEW_INVALID, &[schema.into(), name.into()])
}
