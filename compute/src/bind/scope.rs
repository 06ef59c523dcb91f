//! What names mean in a statement: its tables' columns, in one flat row.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_protocol::ColumnFlags;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Column, Node, Result, Scope};
use firn_mysql_semantics::value::Bytes;
use firn_mysql_semantics::{SqlType, Value};
use firn_table::descriptor::same_name;

use super::aggregate::Aggregate;
use super::grouping::GroupingScope;
use super::used::Used;
use super::{Block, Statement, Windowing};
use crate::accounts::Privileges;
use crate::catalog::ResolvedColumn;

/// A column of a table in FROM.
#[derive(Debug, Clone)]
pub(crate) struct ScopeColumn {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Its type.
    pub(crate) ty: SqlType,
    /// Of ENUM and SET: the members in the column's character set.
    pub(crate) members: Option<Arc<[Bytes]>>,
    /// As the client is told of it: keys, AUTO_INCREMENT and so on.
    pub(crate) flags: ColumnFlags,
    /// Numbers are shown with zeros in front, up to this many digits.
    pub(crate) zerofill: Option<u8>,
    /// Names reach it. Columns of functional indexes are reached by none.
    pub(crate) named: bool,
    /// Part of `*`.
    pub(crate) starred: bool,
    /// As error texts print it, if it is computed by a query in FROM that a server merges
    /// into the one around it.
    pub(crate) printed: Option<Arc<str>>,
    /// The column of a table that it is, through queries in FROM.
    pub(crate) origin: Option<Arc<Origin>>,
}

/// The table that a column is of.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The table's database.
    pub(crate) schema: Arc<str>,
    /// The table.
    pub(crate) table: Arc<str>,
}

/// A table in FROM.
#[derive(Debug, Clone)]
pub(crate) struct ScopeTable {
    /// Its database; empty for derived tables.
    pub(crate) schema: Arc<str>,
    /// Its own name.
    pub(crate) table: Arc<str>,
    /// The name it has in the statement.
    pub(crate) alias: Arc<str>,
    /// Place of its first column in the flat row.
    pub(crate) start: usize,
    /// Its columns.
    pub(crate) columns: Arc<[ScopeColumn]>,
    /// It may be missing from a row: the far side of an outer join.
    pub(crate) optional: bool,
    /// Columns that a USING or NATURAL has merged into an earlier table's.
    pub(crate) merged: Vec<usize>,
    /// What the statement wants of it.
    pub(crate) used: Used,
}

impl ScopeTable {
    /// The column of a table that one of these is; none of what a query has computed.
    pub(crate) fn origin(&self, at: usize) -> Option<Origin> {
        let column = self.columns.get(at)?;
        if let Some(origin) = &column.origin {
            return Some(Origin::clone(origin));
        }
        let (schema, table) = (Arc::clone(&self.schema), Arc::clone(&self.table));
        (!schema.is_empty()).then_some(Origin { schema, table })
    }

    /// The type of a column as the statement sees it.
    pub(crate) fn column_type(&self, at: usize) -> SqlType {
        let ty = self.columns[at].ty;
        ty.with_nullable(ty.nullable || self.optional)
    }

    /// A column by the name that its table has in the statement.
    pub(super) fn resolved(&self, column: usize) -> ResolvedColumn {
        let renamed = self.schema.is_empty() || self.alias != self.table;
        ResolvedColumn {
            schema: (!renamed).then(|| Arc::clone(&self.schema)),
            table: Arc::clone(&self.alias),
            column: Arc::clone(&self.columns[column].name),
        }
    }

    fn is(&self, qualifier: &ast::Qualifier) -> bool {
        let same = |schema: &str| match &*self.schema {
            super::from::INFORMATION_SCHEMA => self.schema.eq_ignore_ascii_case(schema),
            own => own == schema,
        };
        *self.alias == *qualifier.table.as_str()
            && qualifier.schema.as_ref().is_none_or(|schema| same(schema.as_str()))
    }
}

/// What names mean now.
pub(crate) struct StatementScope<'a> {
    /// The statement, or the query within it.
    pub(crate) statement: Statement<'a>,
    /// What its query block gathers.
    pub(crate) block: &'a Block,
    /// Tables in the order of FROM.
    pub(crate) tables: &'a [ScopeTable],
    /// Items of the select list that ORDER BY, GROUP BY and HAVING may name: their
    /// names, types, and places in the flat row.
    pub(crate) items: &'a [NamedItem],
    /// The clause that is being bound, as errors name it.
    pub(crate) clause: Cell<&'static str>,
    /// Whether names of items come before those of columns, after them, or not at all.
    pub(crate) item_names: Cell<ItemNames>,
    /// Aggregates that were met so far; `None` where there may be none.
    pub(crate) aggregates: Option<&'a RefCell<Vec<Aggregate>>>,
    /// Place of the first aggregate's result in the flat row.
    pub(crate) aggregates_start: usize,
    /// Calls of GROUPING that were met so far; `None` where there may be none.
    pub(crate) groupings: Option<GroupingScope<'a>>,
    /// In HAVING: places of the columns that it may name itself. Queries within may name all.
    pub(super) having: RefCell<Option<Vec<usize>>>,
    /// Whether there may be window functions.
    pub(crate) windowing: Windowing<'a>,
    /// Not in the clause that is being bound.
    pub(crate) refuses_windows: Cell<bool>,
    /// `VALUES(column)` and the new row's alias in ON DUPLICATE KEY UPDATE: place of
    /// the new row's first column.
    pub(crate) new_row: Option<usize>,
}

/// An item of the select list.
#[derive(Debug, Clone)]
pub(crate) struct NamedItem {
    pub(crate) name: Box<str>,
    pub(crate) ty: SqlType,
    pub(crate) members: Option<Arc<[Bytes]>>,
    /// Place of its value in the flat row.
    pub(crate) place: usize,
    /// It was given by AS, or is an expression: a column of the same name comes first
    /// where columns do.
    pub(crate) aliased: bool,
    /// Of a plain column: which one of which table.
    pub(crate) column: Option<(usize, usize)>,
}

/// Where names of items stand against those of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemNames {
    /// WHERE, ON and the select list itself.
    Hidden,
    /// ORDER BY.
    First,
    /// GROUP BY and HAVING.
    Last,
}

impl<'a> StatementScope<'a> {
    /// The scope of expressions over tables alone.
    pub(crate) fn of_tables(
        statement: Statement<'a>,
        block: &'a Block,
        tables: &'a [ScopeTable],
        clause: &'static str,
    ) -> Self {
        Self {
            statement,
            block,
            tables,
            items: &[],
            clause: Cell::new(clause),
            item_names: Cell::new(ItemNames::Hidden),
            aggregates: None,
            aggregates_start: 0,
            groupings: None,
            having: RefCell::default(),
            windowing: Windowing::Refused,
            refuses_windows: Cell::new(false),
            new_row: None,
        }
    }

    fn full_name(name: &ast::ColumnRef) -> String {
        let mut full = String::new();
        if let Some(qualifier) = &name.qualifier {
            if let Some(schema) = &qualifier.schema {
                full.push_str(schema.as_str());
                full.push('.');
            }
            full.push_str(qualifier.table.as_str());
            full.push('.');
        }
        full.push_str(name.name.as_str());
        full
    }

    /// The table and the column of a name, by their places.
    pub(crate) fn find(&self, name: &ast::ColumnRef) -> Result<Option<(usize, usize)>> {
        self.find_in(self.tables, name)
    }

    fn find_in(
        &self,
        tables: &[ScopeTable],
        name: &ast::ColumnRef,
    ) -> Result<Option<(usize, usize)>> {
        let mut found = None;
        for (at, table) in tables.iter().enumerate() {
            if name.qualifier.as_ref().is_some_and(|qualifier| !table.is(qualifier)) {
                continue;
            }
            let wanted = name.name.as_str();
            let column = table
                .columns
                .iter()
                .position(|column| column.named && same_name(&column.name, wanted));
            let Some(column) = column else { continue };
            if name.qualifier.is_none() && table.merged.contains(&column) {
                continue;
            }
            if found.is_some() {
                return Err(SqlError::ambiguous_column(&Self::full_name(name), self.clause.get()));
            }
            found = Some((at, column));
        }
        Ok(found)
    }

    fn item(&self, name: &ast::ColumnRef) -> Result<Option<Column>> {
        if name.qualifier.is_some() {
            return Ok(None);
        }
        let mut found: Option<&NamedItem> = None;
        for item in self.items.iter().filter(|item| same_name(&item.name, name.name.as_str())) {
            // An expression of that name is meant, whatever else has it.
            if item.column.is_none() && item.aliased {
                found = Some(item);
                break;
            }
            match found {
                // The same column twice is no question.
                Some(one) if one.column == item.column => {}
                Some(_) => {
                    let full = Self::full_name(name);
                    return Err(SqlError::ambiguous_column(&full, self.clause.get()));
                }
                None => found = Some(item),
            }
        }
        Ok(found.map(|item| Column {
            index: item.place,
            ty: item.ty,
            name: item.name.clone(),
            members: item.members.clone(),
        }))
    }

    /// A column as expressions take it.
    pub(crate) fn column_at(&self, table: usize, column: usize) -> Column {
        let table = &self.tables[table];
        let definition = &table.columns[column];
        let mut full = definition.printed.as_deref().map_or_else(String::new, str::to_owned);
        let merged = !full.is_empty();
        for part in [&table.schema, &table.alias, &definition.name] {
            if part.is_empty() || merged {
                continue;
            }
            if !full.is_empty() {
                full.push('.');
            }
            full.push('`');
            full.push_str(part);
            full.push('`');
        }
        Column {
            index: table.start + column,
            ty: table.column_type(column),
            name: full.into_boxed_str(),
            members: definition.members.clone(),
        }
    }
}

impl StatementScope<'_> {
    /// What a name means in the query itself; `within` a query in it?
    fn own(&self, name: &ast::ColumnRef, within: bool) -> Result<Option<Column>> {
        if self.item_names.get() == ItemNames::First
            && let Some(column) = self.item(name)?
        {
            return Ok(Some(column));
        }
        let last = match self.item_names.get() {
            // Two items of that name are in question even where a column comes before them.
            ItemNames::Last => self.item(name)?,
            _ => None,
        };
        let found = match self.find(name) {
            // Of several columns none comes before an item.
            Err(_) if last.is_some() => return Ok(last),
            found => found?,
        };
        if let Some((table, column)) = found {
            let place = self.tables[table].start + column;
            let hidden = self.having.borrow().as_ref().is_some_and(|all| !all.contains(&place));
            if hidden && !within {
                return Ok(last);
            }
            self.tables[table].used.column(column, Privileges::SELECT);
            self.note(name, table, column);
            return Ok(Some(self.column_at(table, column)));
        }
        Ok(last)
    }

    /// Keeps what a name means.
    pub(super) fn note(&self, name: &ast::ColumnRef, table: usize, column: usize) {
        if let Some(names) = self.statement.names {
            names.column(name, self.tables[table].resolved(column));
        }
    }

    /// What a name means in the query, or else in those around it.
    fn lookup(&self, name: &ast::ColumnRef, within: bool) -> Result<Option<Column>> {
        if let Some(column) = self.own(name, within)? {
            return Ok(Some(column));
        }
        let Some(outer) = self.statement.outer else { return Ok(None) };
        Ok(outer.lookup(name, true)?.map(|column| self.block.import(column)))
    }
}

impl Scope for StatementScope<'_> {
    fn column(&self, name: &ast::ColumnRef) -> Result<Column> {
        let found = self.lookup(name, false)?;
        found.ok_or_else(|| SqlError::unknown_column(&Self::full_name(name), self.clause.get()))
    }

    fn special(&self, expr: &ast::Expr) -> Option<Result<Node>> {
        match &expr.kind {
            ast::ExprKind::Aggregate(aggregate) => Some(self.aggregate(aggregate)),
            ast::ExprKind::Call(call) if call.window.is_some() => {
                call.window.as_ref().map(|window| self.window_call(call, window))
            }
            ast::ExprKind::Call(call)
                if call.schema.is_none() && call.name.as_str() == "grouping" =>
            {
                Some(self.grouping(&call.args))
            }
            ast::ExprKind::Values(name) => Some(self.new_value(name)),
            ast::ExprKind::Subquery(query) => Some(self.scalar(query)),
            ast::ExprKind::Exists(query) => Some(self.exists(query)),
            ast::ExprKind::InQuery(asked) => Some(self.in_query(asked)),
            ast::ExprKind::Quantified(asked) => Some(self.quantified(asked)),
            _ => None,
        }
    }

    fn user_variable(&self, name: &str) -> Option<SqlType> {
        self.statement.variables.user_variable(name)
    }

    fn system_variable(&self, name: &str) -> Option<SqlType> {
        self.statement.variables.system_variable(name)
    }
}

impl StatementScope<'_> {
    pub(super) fn aggregate(&self, aggregate: &ast::Aggregate) -> Result<Node> {
        if let Some(over) = &aggregate.over {
            return self.window_aggregate(aggregate, over);
        }
        if let Some(outer) = self.outer_aggregate(aggregate)? {
            return Ok(outer);
        }
        let Some(list) = self.aggregates else {
            return Err(SqlError::new(code::ER_INVALID_GROUP_FUNC_USE, &[]));
        };
        // Operands are of rows, not of groups: no aggregates inside, no items.
        let clause = self.clause.get();
        let inner = Self::of_tables(self.statement, self.block, self.tables, clause);
        let binder = Binder::new(self.statement.settings, &inner, self.statement.params);
        let bound = Aggregate::bind(aggregate, &binder)?;
        let (ty, name) = (bound.ty, bound.name(aggregate).into_boxed_str());
        let mut list = list.borrow_mut();
        list.push(bound);
        Ok(Node::column(Column {
            index: self.aggregates_start + list.len() - 1,
            ty,
            name,
            members: None,
        }))
    }

    fn new_value(&self, name: &ast::ColumnRef) -> Result<Node> {
        // Of the changed table, whatever other tables are there.
        let tables = if self.new_row.is_some() { &self.tables[..1] } else { self.tables };
        let found = self.find_in(tables, name)?;
        let Some((table, column)) = found else {
            return Err(SqlError::unknown_column(&Self::full_name(name), self.clause.get()));
        };
        let known = self.column_at(table, column);
        let Some(start) = self.new_row else {
            // Outside of ON DUPLICATE KEY UPDATE it is NULL.
            let ty = known.ty.with_nullable(true);
            return Ok(Node::value(Value::Null, ty));
        };
        self.block.warn(SqlError::new(
            code::ER_WARN_DEPRECATED_SYNTAX,
            &["VALUES function".into(), NEW_ROW_ALIAS.into()],
        ));
        let ty = known.ty.with_nullable(true);
        Ok(Node::column(Column { index: start + column, ty, ..known }))
    }
}

/// What to use in place of VALUES(column).
const NEW_ROW_ALIAS: &str = "an alias (INSERT INTO ... VALUES (...) AS alias) and replace \
    VALUES(col) in the ON DUPLICATE KEY UPDATE clause with alias.col";

/// Whether a column has this name.
pub(super) fn same(column: &ScopeColumn, name: &str) -> bool {
    same_name(&column.name, name)
}
