//! ON DUPLICATE KEY UPDATE, bound.

use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Result};

use super::from::FoundTable;
use super::insert::{Given, given, scope, scope_of, target};
use super::scope::ScopeTable;
use super::statement::{Statement, not_yet};
use super::{Block, BoundSelect, Used, columns_of};
use crate::accounts::Privileges;
use crate::table::OpenTable;

/// The table of an INSERT.
pub(super) struct Target<'a> {
    pub(super) statement: &'a Statement<'a>,
    pub(super) block: &'a Block,
    pub(super) table: &'a Arc<OpenTable>,
    pub(super) found: &'a FoundTable,
}

/// What a row in the way gets.
pub(super) struct Duplicates {
    /// Columns and their values: over the old row, the new one, and the query's flat row.
    pub(super) given: Vec<(usize, Given)>,
    /// The places of the query's flat row that they read.
    pub(super) beside: Vec<usize>,
}

/// The query of an INSERT whose tables ON DUPLICATE KEY UPDATE can name: one SELECT without
/// GROUP BY.
pub(super) fn plain_query(insert: &ast::Insert) -> Option<(&ast::Query, &ast::Select)> {
    match &insert.source {
        ast::InsertSource::Query(query) => match &query.body {
            ast::QueryBody::Select(select) if select.group_by.is_none() => Some((query, select)),
            _ => None,
        },
        _ => None,
    }
}

impl Target<'_> {
    /// Binds ON DUPLICATE KEY UPDATE. `columns` are those that the statement gives,
    /// `source` the tables of its query.
    ///
    /// # Errors
    /// MySQL's for unknown names and those that two tables have.
    pub(super) fn duplicates(
        &self,
        insert: &ast::Insert,
        columns: &[usize],
        source: &[ScopeTable],
    ) -> Result<Duplicates> {
        if insert.on_duplicate.is_empty() {
            return Ok(Duplicates { given: Vec::new(), beside: Vec::new() });
        }
        let width = self.table.columns.len();
        let mut tables = vec![scope_of(self.found, 0)];
        if let Some(alias) = &insert.alias {
            let (name, renamed) = &**alias;
            let mut new = scope_of(self.found, width);
            new.alias = Arc::from(name.as_str());
            new.schema = Arc::from("");
            new.used = Used::default();
            if !renamed.is_empty() && renamed.len() != columns.len() {
                return Err(SqlError::new(code::ER_INSERT_INFO, &[]));
            }
            // Columns that the statement gives are all that the new row has.
            let mut list = new.columns.to_vec();
            for (at, column) in list.iter_mut().enumerate() {
                column.named &= columns.contains(&at);
            }
            for (column, name) in columns.iter().zip(renamed) {
                list[*column].name = Arc::from(name.as_str());
            }
            new.columns = list.into();
            tables.push(new);
        }
        for table in source {
            tables.push(ScopeTable { start: 2 * width + table.start, ..table.clone() });
        }
        let scope = scope(self.statement, self.block, &tables, Some(width));
        let binder = Binder::new(self.statement.settings, &scope, self.statement.params);
        let given = insert
            .on_duplicate
            .iter()
            .map(|assignment| {
                let column = target(&tables[0], &assignment.column)?;
                self.found.used.column(column, Privileges::UPDATE);
                Ok((column, given(self.table, column, &assignment.value, &binder)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut beside = Vec::new();
        for (_, given) in &given {
            if let Given::Value(node) = given {
                columns_of(node, &mut |place| beside.extend(place.checked_sub(2 * width)));
            }
        }
        beside.sort_unstable();
        beside.dedup();
        Ok(Duplicates { given, beside })
    }

    /// The query again, giving the columns at these places of its flat row as well.
    ///
    /// # Errors
    /// 1235 where more columns would change what the query gives.
    pub(super) fn widened(
        &self,
        (query, select): (&ast::Query, &ast::Select),
        bound: &BoundSelect,
        beside: &[usize],
    ) -> Result<BoundSelect> {
        if bound.distinct || bound.grouped || !bound.windows.is_empty() {
            return not_yet(
                "columns of a DISTINCT, aggregated or windowed query in ON DUPLICATE KEY UPDATE",
            );
        }
        let mut select = select.clone();
        for place in beside {
            let mut tables = bound.tables.iter().rev();
            let Some(table) = tables.find(|table| table.start <= *place) else {
                return not_yet("such a column in ON DUPLICATE KEY UPDATE");
            };
            let ident = |text: &str| ast::Ident { text: text.into(), span: query.span };
            let schema = (!table.schema.is_empty()).then(|| ident(&table.schema));
            let name = &table.columns[*place - table.start].name;
            let kind = ast::ExprKind::Column(ast::ColumnRef {
                qualifier: Some(Box::new(ast::Qualifier { schema, table: ident(&table.alias) })),
                name: ident(name),
            });
            let expr = ast::Expr { kind, span: query.span };
            select.items.push(ast::SelectItem::Expr { expr, alias: None });
        }
        let body = ast::QueryBody::Select(Box::new(select));
        BoundSelect::bind(self.statement, &ast::Query { body, ..query.clone() })
    }
}
