//! UPDATE and DELETE, bound.

use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Result};

use super::from::From;
use super::insert::{Given, given, scope};
use super::select::{BoundSelect, LimitBound, OrderBy};
use super::statement::Statement;
use super::{Block, Destination, Groupings, TableSource, ViewCheck, Windows, conjuncts};
use crate::accounts::{Command, Privileges};
use crate::hints;

/// UPDATE: the rows that it reads, and what it gives to which columns.
pub(crate) struct BoundUpdate {
    /// The rows: a SELECT without items.
    pub(crate) rows: BoundSelect,
    /// Table (among the scope's), column, and value, in the order of SET.
    pub(crate) assignments: Vec<(usize, usize, Given)>,
    /// What must hold for rows of views, by table.
    pub(crate) checks: Vec<(usize, ViewCheck)>,
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
        match &update.with {
            Some(with) => {
                super::with::bind(statement, with, &mut |inner| Self::update(inner, update))
            }
            None => Self::update(statement, update),
        }
    }

    fn update(statement: &Statement<'_>, update: &ast::Update) -> Result<Self> {
        let block = Block::default();
        let command = match &update.tables[..] {
            [ast::TableRef::Table(_)] => Command::of(Privileges::UPDATE),
            // Which of them are changed is known only when their columns are.
            _ => Command { or: Privileges::UPDATE, ..Command::READ },
        };
        let mut from = From::bind(&statement.commanding(command), &block, &update.tables)?;
        let hints = &update.hints;
        let hinted = hints::block::carry_out(hints, statement.sql, &from.tables, &mut from.sources);
        if from.tables.len() > 1 && (!update.order_by.is_empty() || update.limit.is_some()) {
            let (clause, of) = if update.order_by.is_empty() {
                ("UPDATE", "LIMIT")
            } else {
                ("UPDATE", "ORDER BY")
            };
            return Err(SqlError::new(code::ER_WRONG_USAGE, &[clause.into(), of.into()]));
        }
        let mut assignments = Vec::with_capacity(update.assignments.len());
        let mut stored = Vec::new();
        {
            let scope = scope(statement, &block, &from.tables, None);
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
                stored.push((open.descriptor().id, Arc::clone(&from.tables[table].alias)));
                from.tables[table].used.column(column, Privileges::UPDATE);
                assignments.push((table, column, given(open, column, &one.value, &binder)?));
            }
        }
        let checks = from.checks.clone();
        let filter = update.filter.as_ref();
        let mut rows =
            read(statement, &block, from, filter, &update.order_by, update.limit.as_ref())?;
        rows.warnings.extend(hinted);
        refuse_reading(&rows.subqueries, &stored)?;
        Ok(Self { rows, assignments, checks, ignore: update.ignore })
    }
}

impl BoundDelete {
    /// Binds a DELETE.
    ///
    /// # Errors
    /// MySQL's for unknown names and for what cannot be changed.
    pub(crate) fn bind(statement: &Statement<'_>, delete: &ast::Delete) -> Result<Self> {
        match &delete.with {
            Some(with) => {
                super::with::bind(statement, with, &mut |inner| Self::delete(inner, delete))
            }
            None => Self::delete(statement, delete),
        }
    }

    fn delete(statement: &Statement<'_>, delete: &ast::Delete) -> Result<Self> {
        let block = Block::default();
        let single = delete.targets.is_empty();
        let command = if single { Command::of(Privileges::DELETE) } else { Command::READ };
        let mut from = From::bind(&statement.commanding(command), &block, &delete.tables)?;
        let hints = &delete.hints;
        let hinted = hints::block::carry_out(hints, statement.sql, &from.tables, &mut from.sources);
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
        let mut stored = Vec::new();
        for &at in &targets {
            from.tables[at].used.whole(Privileges::DELETE);
            let source = from.sources.iter().find(|source| source.table == at);
            let Some(TableSource::Stored(open)) = source.map(|source| &source.rows) else {
                return Err(SqlError::new(
                    code::ER_NON_UPDATABLE_TABLE,
                    &[(&*from.tables[at].alias).into(), "DELETE".into()],
                ));
            };
            stored.push((open.descriptor().id, Arc::clone(&from.tables[at].alias)));
        }
        let filter = delete.filter.as_ref();
        let mut rows =
            read(statement, &block, from, filter, &delete.order_by, delete.limit.as_ref())?;
        rows.warnings.extend(hinted);
        refuse_reading(&rows.subqueries, &stored)?;
        Ok(Self { rows, targets, ignore: delete.ignore })
    }
}

/// 1093 for subqueries that read a table which the statement changes: `stored` are the
/// ids of those tables, and their names in the statement.
pub(super) fn refuse_reading(
    subqueries: &[super::BoundSubquery],
    stored: &[(u32, Arc<str>)],
) -> Result<()> {
    refuse(subqueries, stored, |_, _| true)
}

/// The same for INSERT and REPLACE, which may read their table under another name.
pub(super) fn refuse_reading_by_name(
    subqueries: &[super::BoundSubquery],
    stored: &(u32, Arc<str>),
) -> Result<()> {
    refuse(subqueries, std::slice::from_ref(stored), |alias, name| alias == name)
}

fn refuse(
    subqueries: &[super::BoundSubquery],
    stored: &[(u32, Arc<str>)],
    same: fn(&str, &str) -> bool,
) -> Result<()> {
    for subquery in subqueries {
        let query = &subquery.query;
        for source in &query.sources {
            let TableSource::Stored(open) = &source.rows else { continue };
            let id = open.descriptor().id;
            let alias = query.tables.get(source.table).map_or("", |table| &*table.alias);
            let found = stored.iter().find(|(one, name)| *one == id && same(alias, name));
            if let Some((_, name)) = found {
                return Err(SqlError::new(code::ER_UPDATE_TABLE_USED, &[(&**name).into()]));
            }
        }
        refuse(&query.subqueries, stored, same)?;
    }
    Ok(())
}

/// The rows that a change reads.
fn read(
    statement: &Statement<'_>,
    block: &Block,
    from: From,
    filter: Option<&ast::Expr>,
    order_by: &[ast::OrderItem],
    limit: Option<&ast::Limit>,
) -> Result<BoundSelect> {
    let From { tables, sources, mut conditions, len, .. } = from;
    let (mut order, mut cut, mut warnings) = (Vec::new(), None, Vec::new());
    {
        let scope = scope(statement, block, &tables, None);
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
            cut = Some(LimitBound { rows, offset: None, about: None });
        }
        warnings.extend(binder.take_warnings());
        warnings.extend(block.take_warnings());
    }
    Ok(BoundSelect {
        tables,
        sources,
        filter: conditions,
        group_by: Vec::new(),
        rollup: None,
        grouped: false,
        aggregates: Vec::new(),
        aggregates_start: len,
        groupings: Groupings::default(),
        windows: Windows::default(),
        items: Vec::new(),
        items_start: len,
        having: None,
        order_by: order,
        distinct: false,
        limit: cut,
        calc_found_rows: false,
        locking: None,
        apart: false,
        into: Destination::Client,
        subqueries: block.take_subqueries(),
        outer: Vec::new(),
        outer_start: len,
        row_len: len,
        warnings,
    })
}
