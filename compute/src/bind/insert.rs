//! INSERT and REPLACE, bound.

use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Node, Result};

use super::duplicates::{Duplicates, Target, plain_query};
use super::from::FoundTable;
use super::scope::{ScopeTable, StatementScope};
use super::statement::{Statement, not_yet};
use super::{Block, BoundSelect, BoundSubquery, TableSource, ViewCheck};
use crate::accounts::{Command, Privileges};
use crate::table::{Default, OpenTable};

/// INSERT or REPLACE into one table.
pub(crate) struct BoundInsert {
    /// The table.
    pub(crate) table: Arc<OpenTable>,
    /// The columns that are given, by place.
    pub(crate) columns: Vec<usize>,
    /// What they get.
    pub(crate) source: InsertSource,
    /// REPLACE.
    pub(crate) replace: bool,
    /// IGNORE.
    pub(crate) ignore: bool,
    /// ON DUPLICATE KEY UPDATE: over the old row, and behind it the new one.
    pub(crate) on_duplicate: Vec<(usize, Given)>,
    /// What ON DUPLICATE KEY UPDATE reads of the query's tables: places behind both rows, of
    /// what the query gives beyond the columns.
    pub(crate) beside: Vec<usize>,
    /// Subqueries in the values, and in ON DUPLICATE KEY UPDATE.
    pub(crate) subqueries: Vec<BoundSubquery>,
    /// What must hold for rows of a view.
    pub(crate) checks: Vec<ViewCheck>,
    /// Deprecated forms.
    pub(crate) warnings: Vec<SqlError>,
}

/// Where new rows come from.
pub(crate) enum InsertSource {
    /// Lists of values, over the row that is being made.
    Values(Vec<Vec<Given>>),
    /// A query.
    Query(Box<BoundSelect>),
}

/// What a column gets.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    /// DEFAULT
    Default,
    /// A value.
    Value(Node),
}

impl BoundInsert {
    /// Binds an INSERT or REPLACE.
    ///
    /// # Errors
    /// MySQL's for unknown names, wrong numbers of values, values for generated columns.
    pub(crate) fn bind(statement: &Statement<'_>, insert: &ast::Insert) -> Result<Self> {
        if !insert.partitions.is_empty() {
            return not_yet("PARTITION");
        }
        let block = Block::default();
        let (found, checks) = written(statement, &block, insert)?;
        let table = stored(&found)?;
        let scope_table = scope_of(&found, 0);
        let columns = match &insert.source {
            ast::InsertSource::Set(assignments) => {
                let names: Vec<_> = assignments.iter().map(|one| one.column.clone()).collect();
                targets(&scope_table, &names)?
            }
            _ if insert.columns.is_empty() => starred(&scope_table),
            _ => targets(&scope_table, &insert.columns)?,
        };
        let named = match &insert.source {
            ast::InsertSource::Set(_) => true,
            _ => !insert.columns.is_empty(),
        };
        if named {
            columns.iter().for_each(|at| found.used.column(*at, Privileges::INSERT));
        } else {
            found.used.every_column(Privileges::INSERT);
        }
        let mut warnings = Vec::new();
        let source = match &insert.source {
            source if value_rows(source).is_some() => {
                let rows = value_rows(source).unwrap_or_default();
                let tables = [scope_table.clone()];
                let scope = scope(statement, &block, &tables, None);
                let binder = Binder::new(statement.settings, &scope, statement.params);
                let mut bound = Vec::with_capacity(rows.len());
                for (at, row) in rows.iter().enumerate() {
                    // `()` is a row of defaults, if no columns are named.
                    if row.len() != columns.len() && !(row.is_empty() && insert.columns.is_empty())
                    {
                        return Err(SqlError::new(
                            code::ER_WRONG_VALUE_COUNT_ON_ROW,
                            &[(at as u64 + 1).into()],
                        ));
                    }
                    let given = columns
                        .iter()
                        .zip(row)
                        .map(|(column, expr)| given(&table, *column, expr, &binder));
                    bound.push(given.collect::<Result<Vec<_>>>()?);
                }
                warnings.extend(binder.take_warnings());
                InsertSource::Values(bound)
            }
            ast::InsertSource::Values(_) => InsertSource::Values(Vec::new()),
            ast::InsertSource::Set(assignments) => {
                let tables = [scope_table.clone()];
                let scope = scope(statement, &block, &tables, None);
                let binder = Binder::new(statement.settings, &scope, statement.params);
                let row = columns
                    .iter()
                    .zip(assignments)
                    .map(|(column, assignment)| given(&table, *column, &assignment.value, &binder));
                InsertSource::Values(vec![row.collect::<Result<Vec<_>>>()?])
            }
            ast::InsertSource::Query(query) => {
                let select = BoundSelect::bind(statement, query)?;
                if select.items.len() != columns.len() {
                    return Err(SqlError::new(code::ER_WRONG_VALUE_COUNT_ON_ROW, &[1u64.into()]));
                }
                for column in &columns {
                    refuse_generated(&table, *column)?;
                }
                InsertSource::Query(Box::new(select))
            }
        };
        let target = Target { statement, block: &block, table: &table, found: &found };
        let source_tables = match &source {
            InsertSource::Query(select) if plain_query(insert).is_some() => &select.tables[..],
            _ => &[],
        };
        let Duplicates { given: on_duplicate, beside } =
            target.duplicates(insert, &columns, source_tables)?;
        let source = match (source, plain_query(insert)) {
            (InsertSource::Query(select), Some(query)) if !beside.is_empty() => {
                InsertSource::Query(Box::new(target.widened(query, &select, &beside)?))
            }
            (source, _) => source,
        };
        let width = 2 * table.columns.len();
        let beside = beside.into_iter().map(|place| width + place).collect();
        let subqueries = block.take_subqueries();
        let id = table.descriptor().id;
        super::change::refuse_reading_by_name(&subqueries, &(id, Arc::clone(&found.name)))?;
        // Those of the grammar come first.
        warnings.splice(0..0, block.take_warnings());
        Ok(Self {
            table,
            columns,
            source,
            replace: insert.replace,
            ignore: insert.ignore,
            on_duplicate,
            beside,
            subqueries,
            checks,
            warnings,
        })
    }
}

/// Rows of values: `VALUES ROW(…), …` is no query here, for it may say DEFAULT.
fn value_rows(source: &ast::InsertSource) -> Option<&[Vec<ast::Expr>]> {
    match source {
        ast::InsertSource::Values(rows) => Some(rows),
        ast::InsertSource::Query(query) => match &query.body {
            ast::QueryBody::Values(rows)
                if query.with.is_none()
                    && query.order_by.is_empty()
                    && query.limit.is_none()
                    && query.into.is_none() =>
            {
                Some(rows)
            }
            _ => None,
        },
        ast::InsertSource::Set(_) => None,
    }
}

/// The table that is written, by itself or through a view.
fn written(
    statement: &Statement<'_>,
    block: &Block,
    insert: &ast::Insert,
) -> Result<(FoundTable, Vec<ViewCheck>)> {
    let statement = &statement.commanding(command(insert));
    let found = statement.find_table(&insert.table, statement.command)?;
    let TableSource::View(view) = &found.source else { return Ok((found, Vec::new())) };
    match super::view::simple(statement, block, view, 0)? {
        Some(simple) => Ok((simple.found, simple.checks)),
        None => Err(SqlError::new(
            code::ER_NON_INSERTABLE_TABLE,
            &[view.name.as_str().into(), "INSERT".into()],
        )),
    }
}

/// What is wanted of the table.
fn command(insert: &ast::Insert) -> Command {
    let mut all = Privileges::INSERT;
    if insert.replace {
        all = all.with(Privileges::DELETE);
    }
    if !insert.on_duplicate.is_empty() {
        all = all.with(Privileges::UPDATE);
    }
    Command::of(all)
}

/// The scope of values of a table's own statement.
pub(super) fn scope<'a>(
    statement: &Statement<'a>,
    block: &'a Block,
    tables: &'a [ScopeTable],
    new_row: Option<usize>,
) -> StatementScope<'a> {
    StatementScope { new_row, ..StatementScope::of_tables(*statement, block, tables, "field list") }
}

/// The table on the engine that a statement changes.
pub(super) fn stored(found: &FoundTable) -> Result<Arc<OpenTable>> {
    match &found.source {
        TableSource::Stored(table) => Ok(Arc::clone(table)),
        _ => Err(SqlError::new(
            code::ER_NON_UPDATABLE_TABLE,
            &[(&*found.name).into(), "INSERT".into()],
        )),
    }
}

/// A table as a statement's names mean it.
pub(super) fn scope_of(found: &FoundTable, start: usize) -> ScopeTable {
    ScopeTable {
        schema: Arc::clone(&found.schema),
        table: Arc::clone(&found.name),
        alias: Arc::clone(&found.name),
        start,
        columns: Arc::clone(&found.columns),
        optional: false,
        merged: Vec::new(),
        used: found.used.clone(),
    }
}

fn starred(table: &ScopeTable) -> Vec<usize> {
    let columns = table.columns.iter().enumerate();
    columns.filter(|(_, column)| column.starred).map(|(at, _)| at).collect()
}

fn targets(table: &ScopeTable, names: &[ast::ColumnRef]) -> Result<Vec<usize>> {
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let column = target(table, name)?;
        if columns.contains(&column) {
            return Err(SqlError::new(
                code::ER_FIELD_SPECIFIED_TWICE,
                &[(&*table.columns[column].name).into()],
            ));
        }
        columns.push(column);
    }
    Ok(columns)
}

/// The column that is changed.
pub(super) fn target(table: &ScopeTable, name: &ast::ColumnRef) -> Result<usize> {
    let own = name.qualifier.as_ref().is_none_or(|qualifier| {
        table.alias.as_ref() == qualifier.table.as_str()
            && qualifier.schema.as_ref().is_none_or(|s| table.schema.as_ref() == s.as_str())
    });
    table
        .columns
        .iter()
        .position(|column| own && column.named && super::scope::same(column, name.name.as_str()))
        .ok_or_else(|| SqlError::unknown_column(&full(name), "field list"))
}

fn full(name: &ast::ColumnRef) -> String {
    match &name.qualifier {
        Some(qualifier) => format!("{}.{}", qualifier.table.as_str(), name.name.as_str()),
        None => name.name.as_str().to_owned(),
    }
}

fn refuse_generated(table: &OpenTable, column: usize) -> Result<()> {
    let descriptor = table.descriptor();
    if descriptor.columns[column].generated.is_none() {
        return Ok(());
    }
    Err(SqlError::new(
        code::ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN,
        &[(&descriptor.columns[column].name).into(), (&descriptor.name).into()],
    ))
}

/// What a column is given.
pub(super) fn given(
    table: &OpenTable,
    column: usize,
    expr: &ast::Expr,
    binder: &Binder<'_>,
) -> Result<Given> {
    match &expr.kind {
        ast::ExprKind::Default => return Ok(Given::Default),
        ast::ExprKind::DefaultOf(name) => {
            let names = table.columns.iter();
            let of = names
                .enumerate()
                .find(|(_, one)| super::scope::same(one, name.name.as_str()))
                .map(|(at, _)| at)
                .ok_or_else(|| SqlError::unknown_column(name.name.as_str(), "field list"))?;
            refuse_generated(table, column)?;
            return default_of(table, of).map(Given::Value);
        }
        _ => {}
    }
    refuse_generated(table, column)?;
    Ok(Given::Value(binder.bind(expr)?))
}

/// DEFAULT(column)
fn default_of(table: &OpenTable, column: usize) -> Result<Node> {
    let ty = table.columns[column].ty;
    let value = match &table.defaults[column] {
        Default::Value(value) => value.clone(),
        Default::None => return Err(SqlError::no_default(&table.columns[column].name)),
        Default::Now => return not_yet("DEFAULT() of a column that defaults to the present"),
        Default::Expr(_) => {
            return Err(SqlError::new(code::ER_DEFAULT_AS_VAL_GENERATED, &[]));
        }
    };
    Ok(Node::value(value, ty))
}
