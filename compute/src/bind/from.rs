//! FROM: tables, and how they are joined.

use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Node, Result, printed};

use super::scope::{ScopeColumn, ScopeTable, StatementScope};
use super::statement::{Statement, not_yet};
use super::{
    Block, BoundSelect, BoundSet, JsonTable, Recursive, Shared, Used, ViewChain, ViewCheck,
    conjuncts,
};
use crate::accounts::Command;
use crate::catalog::ViewDescriptor;
use crate::plan::Known;
use crate::table::OpenTable;

/// Tables of one statement: no more than MySQL joins.
const TABLES_MAX: usize = 61;

/// Its tables have names in any case.
pub(super) const INFORMATION_SCHEMA: &str = "information_schema";

/// Tables by name, as the session sees them.
pub(crate) trait Tables {
    /// A table, a view, or a table of `information_schema`.
    ///
    /// # Errors
    /// 1046 without a database, 1049, 1146.
    fn table(&self, name: &ast::ObjectName) -> Result<FoundTable>;

    /// A query locks the rows that it reads as if they were to be changed.
    fn rows_are_locked(&self) {}

    /// The same, for a command; in a view's query with the view's rights.
    ///
    /// # Errors
    /// As [`Self::table`], and what is denied.
    fn table_for(
        &self,
        name: &ast::ObjectName,
        command: Command,
        view: Option<&ViewChain<'_>>,
    ) -> Result<FoundTable> {
        let _ = (command, view);
        self.table(name)
    }
}

/// A table that a name stands for.
pub(crate) struct FoundTable {
    /// Its database.
    pub(crate) schema: Arc<str>,
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Its columns.
    pub(crate) columns: Arc<[ScopeColumn]>,
    /// Where its rows are.
    pub(crate) source: TableSource,
    /// What the statement wants of it.
    pub(crate) used: Used,
}

/// Where rows come from.
pub(crate) enum TableSource {
    /// A table on the engine.
    Stored(Arc<OpenTable>),
    /// Rows that the server makes up when asked.
    #[allow(dead_code, reason = "information_schema is being built")]
    Virtual(Arc<dyn VirtualTable>),
    /// A query in FROM, or what became one.
    Derived(Box<Derived>),
    /// A view: its query is bound where it is used.
    View(Arc<ViewDescriptor>),
}

/// Rows of a query.
pub(crate) enum Derived {
    /// A query's; what it takes from the row around it, over that row.
    Query { query: Box<BoundSelect>, outer: Vec<Node>, lateral: bool },
    /// Those of several queries.
    Set(BoundSet),
    /// A common table that is read once, wherever it is named.
    Shared(Arc<Shared>),
    /// A common table that is made from itself.
    Recursive(Box<Recursive>),
    /// The rows of the step before, within such a one: its number.
    Working(usize),
    /// JSON_TABLE
    JsonTable(Box<JsonTable>),
}

/// A table whose rows the server makes up.
pub(crate) trait VirtualTable: Send + Sync {
    /// All of its rows now.
    ///
    /// # Errors
    /// What the session may not see.
    fn rows(&self) -> Result<Vec<Vec<Value>>>;
}

/// How a table is joined to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    /// Rows for which the condition holds.
    Inner,
    /// The same, and one of NULLs where there is none.
    Left,
}

/// How rows of a table are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Locked {
    /// As those of all tables of its query are.
    #[default]
    AsAll,
    /// FOR UPDATE OF and FOR SHARE OF name other tables.
    Not,
    /// By a clause that names it: FOR UPDATE, else FOR SHARE.
    Own(bool, ast::LockWait),
}

/// A table of the statement, in the order in which they are read.
pub(crate) struct Source {
    /// Its place among the scope's tables.
    pub(crate) table: usize,
    /// Where its rows are.
    pub(crate) rows: TableSource,
    /// How it is joined.
    pub(crate) kind: JoinKind,
    /// Conditions of a LEFT join. Those of others are conditions of the statement.
    pub(crate) on: Vec<Node>,
    /// USE, FORCE and IGNORE INDEX.
    pub(crate) hints: Vec<ast::IndexHint>,
    /// STRAIGHT_JOIN: it is read behind those before it.
    pub(crate) straight: bool,
    /// Tables that hints have read before it.
    pub(crate) after: Vec<usize>,
    /// A hint keeps a query in FROM as it is.
    pub(crate) apart: bool,
    /// How its rows are locked.
    pub(crate) locked: Locked,
    /// What is known of the table, once somebody has asked.
    pub(crate) known: Option<Known>,
}

/// FROM, bound.
#[derive(Default)]
pub(crate) struct From {
    /// What names mean.
    pub(crate) tables: Vec<ScopeTable>,
    /// What is read, in order.
    pub(crate) sources: Vec<Source>,
    /// Conditions of inner joins.
    pub(crate) conditions: Vec<Node>,
    /// Places of the flat row that are taken.
    pub(crate) len: usize,
    /// What must hold for rows that are written through views, by table.
    pub(crate) checks: Vec<(usize, ViewCheck)>,
    /// Tables before this one are not seen by what is lateral: they are on the other side of
    /// a RIGHT JOIN.
    pub(super) hidden: usize,
    /// Conditions of views, by table.
    pub(super) filters: Vec<(usize, Vec<Node>)>,
    /// Tables and columns in the order of `*`.
    star: Vec<(usize, usize)>,
}

impl From {
    /// Binds a FROM clause.
    pub(crate) fn bind(
        statement: &Statement<'_>,
        block: &Block,
        list: &[ast::TableRef],
    ) -> Result<Self> {
        let mut from = Self::default();
        for item in list {
            from.add(statement, block, item)?;
        }
        block.order_star(&from.star);
        for (table, filter) in std::mem::take(&mut from.filters) {
            let source = from.sources.iter_mut().find(|source| source.table == table);
            match source {
                Some(source) if source.kind == JoinKind::Left => source.on.extend(filter),
                _ => from.conditions.extend(filter),
            }
        }
        Ok(from)
    }

    /// Adds one table under a name.
    pub(crate) fn push(
        &mut self,
        found: FoundTable,
        alias: Arc<str>,
        hints: Vec<ast::IndexHint>,
    ) -> Result<usize> {
        if self.tables.len() >= TABLES_MAX {
            let limit = (TABLES_MAX as u64).into();
            return Err(SqlError::new(code::ER_TOO_MANY_TABLES, &[limit]));
        }
        let taken = |table: &&ScopeTable| table.alias == alias && table.schema == found.schema;
        if self.tables.iter().any(|table| taken(&table)) {
            return Err(SqlError::new(code::ER_NONUNIQ_TABLE, &[(&*alias).into()]));
        }
        let table = self.tables.len();
        let columns = found.columns;
        let start = self.len;
        self.len += columns.len();
        self.star.extend((0..columns.len()).map(|column| (table, column)));
        self.tables.push(ScopeTable {
            schema: found.schema,
            table: found.name,
            alias,
            start,
            columns,
            optional: false,
            merged: Vec::new(),
            used: found.used,
        });
        let (rows, on) = (found.source, Vec::new());
        self.sources.push(Source {
            known: None,
            table,
            rows,
            kind: JoinKind::Inner,
            on,
            hints,
            straight: false,
            after: Vec::new(),
            apart: false,
            locked: Locked::default(),
        });
        Ok(table)
    }

    fn add(
        &mut self,
        statement: &Statement<'_>,
        block: &Block,
        item: &ast::TableRef,
    ) -> Result<()> {
        match item {
            ast::TableRef::Table(factor) => {
                if !factor.partitions.is_empty() {
                    return not_yet("PARTITION");
                }
                if factor.sample.is_some() {
                    return not_yet("TABLESAMPLE");
                }
                let found = match super::with::find(statement, &factor.name) {
                    Some(common) => common.table(statement, block)?,
                    None => statement.find_table(&factor.name, statement.command)?,
                };
                let alias = match &factor.alias {
                    Some(alias) => Arc::from(alias.as_str()),
                    // It is found in any case, and named as it was written.
                    None if &*found.schema == INFORMATION_SCHEMA => {
                        Arc::from(factor.name.name.as_str())
                    }
                    None => Arc::clone(&found.name),
                };
                if let Some(names) = statement.names {
                    names.table(&**factor, Arc::clone(&found.schema));
                }
                let hints = factor.hints.clone();
                let TableSource::View(view) = &found.source else {
                    self.push(found, alias, hints)?;
                    return Ok(());
                };
                let Some(simple) = super::view::simple(statement, block, view, self.len)? else {
                    self.push(super::view_table(statement, view)?, alias, hints)?;
                    return Ok(());
                };
                let table = self.push(simple.found, alias, hints)?;
                self.filters.push((table, simple.filter));
                self.checks.extend(simple.checks.into_iter().map(|check| (table, check)));
                Ok(())
            }
            ast::TableRef::Join(join) => self.join(statement, block, join),
            ast::TableRef::List(list) => {
                list.iter().try_for_each(|item| self.add(statement, block, item))
            }
            ast::TableRef::Derived(derived) => self.derived(statement, block, derived),
            ast::TableRef::JsonTable(table) => self.json_table(statement, block, table),
        }
    }

    fn derived(
        &mut self,
        statement: &Statement<'_>,
        block: &Block,
        derived: &ast::Derived,
    ) -> Result<()> {
        // What is around the query is around its derived tables, too; LATERAL ones see
        // the tables before them.
        let seen = if derived.lateral { &self.tables[self.hidden..] } else { &[] };
        let scope = StatementScope::of_tables(*statement, block, seen, "field list");
        let outer = (derived.lateral || statement.outer.is_some()).then_some(&scope);
        let mut query =
            BoundSelect::bind(&Statement { outer, ..statement.deeper()? }, &derived.query)?;
        query.warn_in(block);
        let columns = columns_of_query(&query, &derived.columns)?;
        let alias: Arc<str> = Arc::from(derived.alias.as_str());
        let outer = query.outer.iter().cloned().map(Node::column).collect();
        let query = Box::new(BoundSelect { apart: true, ..query });
        let rows = Derived::Query { query, outer, lateral: derived.lateral };
        let found = FoundTable {
            schema: Arc::from(""),
            name: Arc::clone(&alias),
            columns,
            source: TableSource::Derived(Box::new(rows)),
            used: Used::default(),
        };
        self.push(found, alias, Vec::new())?;
        Ok(())
    }

    fn join(&mut self, statement: &Statement<'_>, block: &Block, join: &ast::Join) -> Result<()> {
        let before = self.tables.len();
        let (first, conditions) = (self.len, self.conditions.len());
        let star = self.star.len();
        self.add(statement, block, &join.left)?;
        let star = star..self.star.len();
        let middle = self.tables.len();
        let (second, conditions_between) = (self.len, self.conditions.len());
        let hidden = self.hidden;
        if join.kind == ast::JoinKind::Right {
            self.hidden = middle;
        }
        self.add(statement, block, &join.right)?;
        self.hidden = hidden;
        let end = self.tables.len();
        if join.kind == ast::JoinKind::Straight {
            let right = self.sources.iter_mut().filter(|source| source.table >= middle);
            right.for_each(|source| source.straight = true);
        }
        let outer = match join.kind {
            ast::JoinKind::Inner | ast::JoinKind::Straight => None,
            ast::JoinKind::Left => Some(middle..end),
            ast::JoinKind::Right => Some(before..middle),
        };
        if let Some(side) = &outer {
            self.tables[side.clone()].iter_mut().for_each(|table| table.optional = true);
        }
        let condition = match &join.condition {
            ast::JoinCondition::None => Vec::new(),
            ast::JoinCondition::On(expr) => {
                let node = self.bind_on(statement, block, expr, before)?;
                let mut list = Vec::new();
                conjuncts(node, &mut list);
                list
            }
            ast::JoinCondition::Using(names) => {
                let names = names.iter().map(|name| name.as_str().to_owned()).collect();
                self.using(statement, block, join, names, before..middle, star)?
            }
            ast::JoinCondition::Natural => {
                let names = self.common(before, middle);
                self.using(statement, block, join, names, before..middle, star)?
            }
        };
        let Some(side) = outer else {
            self.conditions.extend(condition);
            return Ok(());
        };
        if side.len() > 1 {
            let (places, inner) = match join.kind {
                ast::JoinKind::Right => (first..second, conditions..conditions_between),
                _ => (second..self.len, conditions_between..self.conditions.len()),
            };
            let inner = self.conditions.drain(inner).collect();
            return self.nest(statement, block, side, places, inner, condition);
        }
        let optional = side.start;
        let at = self.sources.iter().position(|source| source.table == optional);
        let at = at.expect("every table has a source");
        // The optional side is read behind the other.
        let mut source = self.sources.remove(at);
        source.kind = JoinKind::Left;
        source.on = condition;
        self.sources.push(source);
        Ok(())
    }

    /// An ON clause sees the tables of its join.
    fn bind_on(
        &self,
        statement: &Statement<'_>,
        block: &Block,
        expr: &ast::Expr,
        first: usize,
    ) -> Result<Node> {
        let tables = &self.tables[first..];
        let scope = StatementScope::of_tables(*statement, block, tables, "on clause");
        let binder = Binder::new(statement.settings, &scope, statement.params);
        let bound = binder.bind(expr)?;
        binder.take_warnings().into_iter().for_each(|warning| block.warn(warning));
        Ok(bound)
    }

    /// Columns that both sides have, for NATURAL.
    fn common(&self, before: usize, middle: usize) -> Vec<String> {
        let mut names = Vec::new();
        for table in &self.tables[before..middle] {
            for (at, column) in table.columns.iter().enumerate() {
                let merged = table.merged.contains(&at);
                if column.named && column.starred && !merged {
                    let both = self.tables[middle..].iter().any(|right| {
                        right.columns.iter().any(|other| {
                            other.named && other.starred && super::scope::same(other, &column.name)
                        })
                    });
                    if both {
                        names.push(column.name.to_string());
                    }
                }
            }
        }
        names
    }

    fn using(
        &mut self,
        statement: &Statement<'_>,
        block: &Block,
        join: &ast::Join,
        names: Vec<String>,
        left: std::ops::Range<usize>,
        left_star: std::ops::Range<usize>,
    ) -> Result<Vec<Node>> {
        let (before, middle) = (left.start, left.end);
        let all = self.star.split_off(left_star.start);
        let (left_star, right_star) = all.split_at(left_star.len());
        // Columns in common come first, in the order of the side that is always there.
        let mut sides = [left_star.to_vec(), right_star.to_vec()];
        if join.kind == ast::JoinKind::Right {
            sides.reverse();
        }
        let mut conditions = Vec::with_capacity(names.len());
        let mut pairs = Vec::new();
        let mut common = Vec::new();
        for name in names {
            let left = self.one_of(before..middle, &name)?;
            let right = self.one_of(middle..self.tables.len(), &name)?;
            conditions.push(self.equal(statement, block, left, right)?);
            let resolved = |(table, column): (usize, usize)| self.tables[table].resolved(column);
            pairs.push((resolved(left), resolved(right)));
            // The column stands once: that of the side which is always there.
            let (gone, stays) =
                if self.tables[left.0].optional { (left, right) } else { (right, left) };
            self.tables[gone.0].merged.push(gone.1);
            let place = sides[0].iter().position(|one| *one == gone || *one == stays);
            common.push((place, gone, stays));
        }
        common.sort_by_key(|(place, ..)| *place);
        for side in &mut sides {
            side.retain(|one| common.iter().all(|(_, gone, stays)| one != gone && one != stays));
        }
        self.star.extend(common.into_iter().map(|(_, _, stays)| stays));
        self.star.extend(sides.into_iter().flatten());
        if let Some(names) = statement.names {
            names.join(join, pairs);
        }
        Ok(conditions)
    }

    fn one_of(&self, tables: std::ops::Range<usize>, name: &str) -> Result<(usize, usize)> {
        let mut found = None;
        for at in tables {
            let table = &self.tables[at];
            for (column, definition) in table.columns.iter().enumerate() {
                let here = definition.named && super::scope::same(definition, name);
                if !here || table.merged.contains(&column) {
                    continue;
                }
                if found.is_some() {
                    return Err(SqlError::ambiguous_column(name, "from clause"));
                }
                found = Some((at, column));
            }
        }
        found.ok_or_else(|| SqlError::unknown_column(name, "from clause"))
    }

    fn equal(
        &self,
        statement: &Statement<'_>,
        block: &Block,
        left: (usize, usize),
        right: (usize, usize),
    ) -> Result<Node> {
        let name = |(table, column): (usize, usize)| {
            let table = &self.tables[table];
            let ident = |text: &str| ast::Ident { text: text.into(), span: ast::Span::default() };
            let schema = (!table.schema.is_empty()).then(|| ident(&table.schema));
            let qualifier = ast::Qualifier { schema, table: ident(&table.alias) };
            let column = ast::ColumnRef {
                qualifier: Some(Box::new(qualifier)),
                name: ident(&table.columns[column].name),
            };
            ast::Expr { kind: ast::ExprKind::Column(column), span: ast::Span::default() }
        };
        let binary = ast::Binary { op: ast::BinaryOp::Eq, left: name(left), right: name(right) };
        let span = ast::Span::default();
        let expr = ast::Expr { kind: ast::ExprKind::Binary(Box::new(binary)), span };
        let scope = StatementScope::of_tables(*statement, block, &self.tables, "on clause");
        Binder::new(statement.settings, &scope, &[]).bind(&expr)
    }
}

/// The columns of a query as a table's; `names` are theirs, if there are any.
///
/// # Errors
/// 1353 if there are not as many names, 1060 if two columns have one name.
pub(super) fn columns_of_query(
    query: &BoundSelect,
    names: &[ast::Ident],
) -> Result<Arc<[ScopeColumn]>> {
    if !names.is_empty() && names.len() != query.items.len() {
        return Err(SqlError::new(code::ER_VIEW_WRONG_LIST, &[]));
    }
    let columns: Vec<ScopeColumn> = query
        .items
        .iter()
        .enumerate()
        .map(|(at, item)| ScopeColumn {
            name: match names.get(at) {
                Some(name) => Arc::from(name.as_str()),
                None => Arc::from(&*item.name),
            },
            ty: super::made::column_type(query, item),
            members: item.members.clone(),
            printed: query.is_plain().then(|| Arc::from(printed(&item.node))),
            flags: firn_mysql_protocol::ColumnFlags::EMPTY,
            zerofill: item.zerofill,
            named: true,
            starred: true,
            origin: item
                .column
                .and_then(|(table, at)| query.tables[table].origin(at))
                .map(Arc::new),
        })
        .collect();
    for (at, column) in columns.iter().enumerate() {
        if columns.iter().take(at).any(|other| super::scope::same(other, &column.name)) {
            return Err(SqlError::new(code::ER_DUP_FIELDNAME, &[(&*column.name).into()]));
        }
    }
    Ok(columns.into())
}

impl Derived {
    /// Calls `each` with every expression over the row around.
    pub(crate) fn outer(&mut self, each: &mut dyn FnMut(&mut Node)) {
        match self {
            Self::Query { outer, .. } => outer.iter_mut().for_each(each),
            Self::Set(set) => set.outer(each),
            Self::Recursive(recursive) => recursive.outer(each),
            Self::JsonTable(table) => each(&mut table.document),
            Self::Shared(_) | Self::Working(_) => {}
        }
    }

    /// Whether it may give something else each time it is read.
    pub(super) fn is_volatile(&mut self) -> bool {
        match self {
            Self::Query { query, .. } => query.is_volatile(),
            Self::Set(set) => set.is_volatile(),
            Self::Recursive(recursive) => recursive.is_volatile(),
            // Its document is looked at with the expressions around.
            Self::JsonTable(_) | Self::Shared(_) | Self::Working(_) => false,
        }
    }
}

/// Where no table can stand.
pub(crate) struct NoTables;

impl Tables for NoTables {
    fn table(&self, _: &ast::ObjectName) -> Result<FoundTable> {
        Err(SqlError::new(code::ER_NO_TABLES_USED, &[]))
    }
}
