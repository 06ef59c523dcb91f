//! CREATE VIEW: its query, bound, and as the catalog keeps it.

use std::cell::Cell;

use firn_mysql_parser::ast;
use firn_mysql_semantics::SqlType;
use firn_mysql_semantics::error::{SqlError, code};

use super::Session;
use super::run::Arguments;
use super::tables::SessionTables;
use crate::bind::{self, BoundSelect, FoundTable, Statement, VariableTypes, ViewChain};
use crate::catalog::{
    CatalogChange, CatalogSnapshot, Resolutions, ViewBody, ViewDescriptor, canonical_query,
    plan_create_view,
};

/// Remembers that a variable was asked for.
#[derive(Default)]
struct Refused(Cell<bool>);

impl VariableTypes for Refused {
    fn user_variable(&self, _: &str) -> Option<SqlType> {
        self.0.set(true);
        None
    }

    fn system_variable(&self, _: &str) -> Option<SqlType> {
        self.0.set(true);
        None
    }
}

impl Session {
    /// The change of CREATE VIEW, or of ALTER VIEW.
    pub(super) fn planned_view(
        &mut self,
        sql: &[u8],
        view: &ast::View,
        alter: bool,
        snapshot: &CatalogSnapshot,
        arguments: &Arguments,
    ) -> Result<CatalogChange, SqlError> {
        let (text, columns) = self.view_query(sql, view, arguments)?;
        let columns: Vec<&str> = columns.iter().map(|name| &**name).collect();
        let hot = self.values.variables.hot();
        let (charset, collation) =
            (hot.character_set_client.name(), hot.collation_connection.name());
        let body = ViewBody {
            query: &text,
            columns: &columns,
            charset_client: charset,
            collation_connection: collation,
        };
        self.planned(|facts, warnings, _| {
            plan_create_view(snapshot, view, &body, alter, facts, warnings)
        })
    }

    /// The query of a view with all of its names, and the names of its columns.
    fn view_query(
        &self,
        sql: &[u8],
        view: &ast::View,
        arguments: &Arguments,
    ) -> Result<(String, Vec<Box<str>>), SqlError> {
        let query = &*view.query;
        if query.into.is_some() {
            return Err(SqlError::new(code::ER_VIEW_SELECT_CLAUSE, &["INTO".into()]));
        }
        let (names, numbers, refused) = (Resolutions::default(), Cell::new(0), Refused::default());
        let tables = SessionTables::new(self);
        let schema = match &view.name.schema {
            Some(schema) => schema.as_str(),
            None => self.values.variables.database().unwrap_or_default(),
        };
        let chain =
            ViewChain { schema, name: view.name.name.as_str(), definer: None, around: None };
        let plain = Statement::new(sql, &self.settings, &tables, &refused, &[], &numbers);
        let statement = Statement { names: Some(&names), view: Some(&chain), ..plain };
        let bound = BoundSelect::bind(&statement, query);
        if refused.0.get() || !arguments.types.is_empty() {
            return Err(SqlError::new(code::ER_VIEW_SELECT_VARIABLE, &[]));
        }
        let bound = bound.map_err(|error| match error.number() {
            // Until it is made, there is none.
            code::ER_VIEW_RECURSIVE => SqlError::no_such_table(schema, view.name.name.as_str()),
            _ => error,
        })?;
        tables.allowed()?;
        let columns = bound.items.iter().map(|item| item.name.clone()).collect();
        Ok((canonical_query(query, &names, &self.settings), columns))
    }

    /// A view as a table.
    pub(super) fn bound_view(&self, view: &ViewDescriptor) -> Result<FoundTable, SqlError> {
        self.bind(b"", &[], |statement| bind::view_table(statement, view))
    }
}

/// The text of a view's query where its own database is the current one: names of that
/// database are left out.
pub(super) fn without_schema(query: &str, schema: &str) -> String {
    let prefix = format!("{}.`", firn_mysql_parser::quote_name(schema));
    let mut out = String::with_capacity(query.len());
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with(&prefix) {
            rest = &rest[prefix.len() - 1..];
            continue;
        }
        let end = match first {
            '\'' => quoted(rest, '\'', true),
            '`' => quoted(rest, '`', false),
            other => other.len_utf8(),
        };
        out.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    out
}

/// Whether all tables of a query are of one database, as its text has them.
pub(super) fn names_one_schema(query: &str, schema: &str) -> bool {
    // What is left has no name of three parts, and no table of another database.
    let short = without_schema(query, schema);
    let mut rest = short.as_str();
    let mut parts = 0;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' => quoted(rest, '\'', true),
            '`' => quoted(rest, '`', false),
            other => other.len_utf8(),
        };
        match first {
            '`' => parts += 1,
            '.' if parts > 0 => {}
            _ => parts = 0,
        }
        if parts > 2 {
            return false;
        }
        rest = &rest[end..];
    }
    true
}

/// Bytes up to behind the closing quote.
fn quoted(text: &str, quote: char, escapes: bool) -> usize {
    let mut escaped = false;
    for (at, one) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if escapes && one == '\\' {
            escaped = true;
        } else if one == quote {
            return at + one.len_utf8();
        }
    }
    text.len()
}
