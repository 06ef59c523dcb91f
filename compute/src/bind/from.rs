//! FROM: tables, and how they are joined.

use std::cell::Cell;
use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Node, Result, Settings};

use super::scope::{ItemNames, ScopeColumn, ScopeTable, StatementScope};
use super::statement::{Statement, not_yet};
use super::{BoundSelect, conjuncts};
use crate::table::OpenTable;

/// Tables of one statement: no more than MySQL joins.
const TABLES_MAX: usize = 61;

/// Tables by name, as the session sees them.
pub(crate) trait Tables {
    /// A table, a view, or a table of `information_schema`.
    ///
    /// # Errors
    /// 1046 without a database, 1049, 1146.
    fn table(&self, name: &ast::ObjectName) -> Result<FoundTable>;
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
}

/// Where rows come from.
pub(crate) enum TableSource {
    /// A table on the engine.
    Stored(Arc<OpenTable>),
    /// Rows that the server makes up when asked.
    #[allow(dead_code, reason = "information_schema is being built")]
    Virtual(Arc<dyn VirtualTable>),
    /// A query in FROM.
    Derived(Box<BoundSelect>),
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
}

impl From {
    /// Binds a FROM clause.
    pub(crate) fn bind(statement: &Statement<'_>, list: &[ast::TableRef]) -> Result<Self> {
        let mut from = Self::default();
        for item in list {
            from.add(statement, item)?;
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
        self.tables.push(ScopeTable {
            schema: found.schema,
            table: found.name,
            alias,
            start,
            columns,
            optional: false,
            merged: Vec::new(),
        });
        let (rows, on) = (found.source, Vec::new());
        self.sources.push(Source { table, rows, kind: JoinKind::Inner, on, hints });
        Ok(table)
    }

    fn add(&mut self, statement: &Statement<'_>, item: &ast::TableRef) -> Result<()> {
        match item {
            ast::TableRef::Table(factor) => {
                if !factor.partitions.is_empty() {
                    return not_yet("PARTITION");
                }
                if factor.sample.is_some() {
                    return not_yet("TABLESAMPLE");
                }
                let found = statement.tables.table(&factor.name)?;
                let alias = match &factor.alias {
                    Some(alias) => Arc::from(alias.as_str()),
                    None => Arc::clone(&found.name),
                };
                self.push(found, alias, factor.hints.clone())?;
                Ok(())
            }
            ast::TableRef::Join(join) => self.join(statement, join),
            ast::TableRef::List(list) => list.iter().try_for_each(|item| self.add(statement, item)),
            ast::TableRef::Derived(derived) => self.derived(statement, derived),
            ast::TableRef::JsonTable(_) => not_yet("JSON_TABLE"),
        }
    }

    fn derived(&mut self, statement: &Statement<'_>, derived: &ast::Derived) -> Result<()> {
        if derived.lateral {
            return not_yet("LATERAL");
        }
        let query = BoundSelect::bind(statement, &derived.query)?;
        if !derived.columns.is_empty() && derived.columns.len() != query.items.len() {
            return Err(SqlError::new(code::ER_VIEW_WRONG_LIST, &[]));
        }
        let columns = query.items.iter().enumerate().map(|(at, item)| ScopeColumn {
            name: match derived.columns.get(at) {
                Some(name) => Arc::from(name.as_str()),
                None => Arc::from(&*item.name),
            },
            ty: item.node.ty,
            members: item.members.clone(),
            flags: firn_mysql_protocol::ColumnFlags::EMPTY,
            zerofill: None,
            named: true,
            starred: true,
        });
        let alias: Arc<str> = Arc::from(derived.alias.as_str());
        let found = FoundTable {
            schema: Arc::from(""),
            name: Arc::clone(&alias),
            columns: columns.collect(),
            source: TableSource::Derived(Box::new(query)),
        };
        self.push(found, alias, Vec::new())?;
        Ok(())
    }

    fn join(&mut self, statement: &Statement<'_>, join: &ast::Join) -> Result<()> {
        let before = self.tables.len();
        self.add(statement, &join.left)?;
        let middle = self.tables.len();
        self.add(statement, &join.right)?;
        let end = self.tables.len();
        let outer = match join.kind {
            ast::JoinKind::Inner | ast::JoinKind::Straight => None,
            ast::JoinKind::Left => Some(middle..end),
            ast::JoinKind::Right => Some(before..middle),
        };
        if let Some(side) = &outer {
            if side.len() != 1 {
                return not_yet("outer joins with several tables on the optional side");
            }
            self.tables[side.start].optional = true;
        }
        let condition = match &join.condition {
            ast::JoinCondition::None => Vec::new(),
            ast::JoinCondition::On(expr) => {
                let node = self.bind_on(statement, expr, before)?;
                let mut list = Vec::new();
                conjuncts(node, &mut list);
                list
            }
            ast::JoinCondition::Using(names) => {
                let names = names.iter().map(|name| name.as_str().to_owned()).collect();
                self.using(statement, names, before, middle)?
            }
            ast::JoinCondition::Natural => {
                let names = self.common(before, middle);
                self.using(statement, names, before, middle)?
            }
        };
        let Some(side) = outer else {
            self.conditions.extend(condition);
            return Ok(());
        };
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
    fn bind_on(&self, statement: &Statement<'_>, expr: &ast::Expr, first: usize) -> Result<Node> {
        let scope = StatementScope {
            tables: &self.tables[first..],
            items: &[],
            clause: Cell::new("on clause"),
            item_names: Cell::new(ItemNames::Hidden),
            aggregates: None,
            aggregates_start: 0,
            new_row: None,
            variables: statement.variables,
            settings: statement.settings,
            params: statement.params,
        };
        Binder::new(statement.settings, &scope, statement.params).bind(expr)
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
        names: Vec<String>,
        before: usize,
        middle: usize,
    ) -> Result<Vec<Node>> {
        let mut conditions = Vec::with_capacity(names.len());
        for name in names {
            let left = self.one_of(before..middle, &name)?;
            let right = self.one_of(middle..self.tables.len(), &name)?;
            conditions.push(self.equal(statement.settings, left, right)?);
            // The column stands once: that of the side which is always there.
            let (optional, column) = if self.tables[left.0].optional { left } else { right };
            self.tables[optional].merged.push(column);
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
        settings: &Settings,
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
        let scope = StatementScope {
            tables: &self.tables,
            items: &[],
            clause: Cell::new("on clause"),
            item_names: Cell::new(ItemNames::Hidden),
            aggregates: None,
            aggregates_start: 0,
            new_row: None,
            variables: &super::variables::NoVariables,
            settings,
            params: &[],
        };
        Binder::new(settings, &scope, &[]).bind(&expr)
    }
}
