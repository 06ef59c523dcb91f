//! LOAD DATA, bound.

use firn_mysql_parser::ast;
use firn_mysql_semantics::expr::{Binder, Result};

use super::Block;
use super::insert::{BoundInsert, Given, InsertSource, given, scope, scope_of, stored, target};
use super::statement::{Statement, not_yet};
use crate::accounts::{Command, Privileges};

/// LOAD DATA: what each field of a line goes to, and what is set behind them.
pub(crate) struct BoundLoad {
    /// The rows that come of it.
    pub(crate) insert: BoundInsert,
    /// In the order of the fields.
    pub(crate) fields: Vec<LoadTarget>,
    /// SET, in its order.
    pub(crate) set: Vec<(usize, Given)>,
}

/// What a field goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoadTarget {
    /// A column, by place.
    Column(usize),
    /// A user variable, by its name in lower case.
    Variable(String),
}

impl BoundLoad {
    /// Binds LOAD DATA. User variables that fields go to are texts by then.
    ///
    /// # Errors
    /// MySQL's for unknown names and values for generated columns.
    pub(crate) fn bind(statement: &Statement<'_>, load: &ast::Load, ignore: bool) -> Result<Self> {
        if !load.partitions.is_empty() {
            return not_yet("PARTITION");
        }
        let found = statement.find_table(&load.table, Command::of(Privileges::INSERT))?;
        let table = stored(&found)?;
        let tables = [scope_of(&found, 0)];
        let mut fields = Vec::with_capacity(load.columns.len());
        for column in &load.columns {
            fields.push(match column {
                ast::LoadColumn::Column(name) => LoadTarget::Column(target(&tables[0], name)?),
                ast::LoadColumn::Variable(name) => {
                    LoadTarget::Variable(name.as_str().to_lowercase())
                }
            });
        }
        if load.columns.is_empty() {
            let columns = table.columns.iter().enumerate();
            let starred = columns.filter(|(_, column)| column.starred);
            fields.extend(starred.map(|(at, _)| LoadTarget::Column(at)));
        }
        let block = Block::without_queries();
        let scope = scope(statement, &block, &tables, None);
        let binder = Binder::new(statement.settings, &scope, statement.params);
        let mut set = Vec::with_capacity(load.set.len());
        for assignment in &load.set {
            let column = target(&tables[0], &assignment.column)?;
            set.push((column, given(&table, column, &assignment.value, &binder)?));
        }
        let warnings = binder.take_warnings();
        let mut columns: Vec<usize> = fields
            .iter()
            .filter_map(|field| match field {
                LoadTarget::Column(at) => Some(*at),
                LoadTarget::Variable(_) => None,
            })
            .chain(set.iter().map(|(at, _)| *at))
            .collect();
        columns.sort_unstable();
        columns.dedup();
        let replace = load.duplicates == Some(ast::Duplicates::Replace);
        let insert = BoundInsert {
            table,
            columns,
            source: InsertSource::Values(Vec::new()),
            replace,
            ignore: ignore && !replace,
            on_duplicate: Vec::new(),
            beside: Vec::new(),
            subqueries: Vec::new(),
            checks: Vec::new(),
            warnings,
        };
        Ok(Self { insert, fields, set })
    }
}
