//! UPDATE and DELETE, bound.

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Result};

use super::from::From;
use super::insert::{Given, given, scope};
use super::select::{BoundSelect, LimitBound, OrderBy};
use super::statement::{Statement, not_yet};
use super::{TableSource, conjuncts};

/// UPDATE: the rows that it reads, and what it gives to which columns.
pub(crate) struct BoundUpdate {
    /// The rows: a SELECT without items.
    pub(crate) rows: BoundSelect,
    /// Table (among the scope's), column, and value, in the order of SET.
    pub(crate) assignments: Vec<(usize, usize, Given)>,
    /// IGNORE
    pub(crate) ignore: bool,
}

/// DELETE: the rows that it reads, and the tables that they are deleted from.
pub(crate) struct BoundDelete {
    /// The rows: a SELECT without items.
    pub(crate) rows: BoundSelect,
    /// Tables among the scope's.
    pub(crate) targets: Vec<usize>,
    /// IGNORE
    pub(crate) ignore: bool,
}

impl BoundUpdate {
    /// Binds an UPDATE.
    ///
    /// # Errors
    /// MySQL's for unknown names and for what cannot be changed.
    pub(crate) fn bind(statement: &Statement<'_>, update: &ast::Update) -> Result<Self> {
        if update.with.is_some() {
            return not_yet("WITH");
        }
        let from = From::bind(statement, &update.tables)?;
        if from.tables.len() > 1 && (!update.order_by.is_empty() || update.limit.is_some()) {
            let (clause, of) = if update.order_by.is_empty() {
                ("UPDATE", "LIMIT")
            } else {
                ("UPDATE", "ORDER BY")
            };
            return Err(SqlError::new(code::ER_WRONG_USAGE, &[clause.into(), of.into()]));
        }
        let mut assignments = Vec::with_capacity(update.assignments.len());
        {
            let scope = scope(statement, &from.tables, None);
            let binder = Binder::new(statement.settings, &scope, statement.params);
            for one in &update.assignments {
                let Some((table, column)) = scope.find(&one.column)? else {
                    let name = one.column.name.as_str();
                    return Err(SqlError::unknown_column(name, "field list"));
                };
                let source = from.sources.iter().find(|source| source.table == table);
                let Some(TableSource::Stored(open)) = source.map(|source| &source.rows) else {
                    return Err(SqlError::new(
                        code::ER_NON_UPDATABLE_TABLE,
                        &[(&*from.tables[table].alias).into(), "UPDATE".into()],
                    ));
                };
                assignments.push((table, column, given(open, column, &one.value, &binder)?));
            }
        }
        let filter = update.filter.as_ref();
        let rows = read(statement, from, filter, &update.order_by, update.limit.as_ref())?;
        Ok(Self { rows, assignments, ignore: update.ignore })
    }
}

impl BoundDelete {
    /// Binds a DELETE.
    ///
    /// # Errors
    /// MySQL's for unknown names and for what cannot be changed.
    pub(crate) fn bind(statement: &Statement<'_>, delete: &ast::Delete) -> Result<Self> {
        if delete.with.is_some() {
            return not_yet("WITH");
        }
        let from = From::bind(statement, &delete.tables)?;
        let mut targets = Vec::new();
        if delete.targets.is_empty() {
            targets.push(0);
        }
        for name in &delete.targets {
            let wanted = name.name.as_str();
            let found = from.tables.iter().position(|table| {
                table.alias.as_ref() == wanted
                    && name.schema.as_ref().is_none_or(|s| table.schema.as_ref() == s.as_str())
            });
            let Some(at) = found else {
                return Err(SqlError::new(
                    code::ER_UNKNOWN_TABLE,
                    &[wanted.into(), "MULTI DELETE".into()],
                ));
            };
            targets.push(at);
        }
        for &at in &targets {
            let source = from.sources.iter().find(|source| source.table == at);
            if !matches!(source.map(|source| &source.rows), Some(TableSource::Stored(_))) {
                return Err(SqlError::new(
                    code::ER_NON_UPDATABLE_TABLE,
                    &[(&*from.tables[at].alias).into(), "DELETE".into()],
                ));
            }
        }
        let filter = delete.filter.as_ref();
        let rows = read(statement, from, filter, &delete.order_by, delete.limit.as_ref())?;
        Ok(Self { rows, targets, ignore: delete.ignore })
    }
}

/// The rows that a change reads.
fn read(
    statement: &Statement<'_>,
    from: From,
    filter: Option<&ast::Expr>,
    order_by: &[ast::OrderItem],
    limit: Option<&ast::Limit>,
) -> Result<BoundSelect> {
    let From { tables, sources, mut conditions, len } = from;
    let (mut order, mut cut, mut warnings) = (Vec::new(), None, Vec::new());
    {
        let scope = scope(statement, &tables, None);
        let binder = Binder::new(statement.settings, &scope, statement.params);
        if let Some(filter) = filter {
            scope.clause.set("where clause");
            conjuncts(binder.bind(filter)?, &mut conditions);
        }
        scope.clause.set("order clause");
        for item in order_by {
            let node = binder.bind(&item.expr)?;
            order.push(OrderBy { node, descending: item.descending });
        }
        if let Some(limit) = limit {
            let rows = binder.bind(&limit.rows)?;
            cut = Some(LimitBound { rows, offset: None });
        }
        warnings.extend(binder.take_warnings());
    }
    Ok(BoundSelect {
        tables,
        sources,
        filter: conditions,
        group_by: Vec::new(),
        grouped: false,
        aggregates: Vec::new(),
        aggregates_start: len,
        items: Vec::new(),
        items_start: len,
        having: None,
        order_by: order,
        distinct: false,
        limit: cut,
        calc_found_rows: false,
        locking: None,
        into: Vec::new(),
        row_len: len,
        warnings,
    })
}
