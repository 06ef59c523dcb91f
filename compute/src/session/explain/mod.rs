//! EXPLAIN: which way a statement runs.
//!
//! A statement is bound and planned as if it ran, and the plan is told in MySQL's three
//! shapes: [`table`], [`tree`] and [`json`]. How many rows a step gives is not estimated:
//! where MySQL has a guess there is NULL, or nothing.

mod json;
mod step;
mod table;
mod tree;

use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_protocol::result::Response;
use firn_mysql_semantics::error::{SqlError, code};

use super::Session;
use super::run::Arguments;
use super::show::{Filter, Shown};
use super::statement::{Ended, Outcome};
use crate::bind::{BoundDelete, BoundInsert, BoundSelect, BoundUpdate};
use crate::execute::{DeletePlan, InsertPlan, UpdatePlan};
use crate::information_schema::cell::text;
use crate::plan::SelectPlan;
use crate::variables::id;

/// What is explained.
pub(crate) enum Explained {
    Select(SelectPlan),
    /// The table, and the query that gives the rows.
    Insert {
        table: String,
        replace: bool,
        query: Option<SelectPlan>,
    },
    Update(SelectPlan),
    Delete(SelectPlan),
}

impl Explained {
    /// The steps, and what kind of statement they are of.
    fn rows(&self) -> (Option<&SelectPlan>, &'static str) {
        match self {
            Self::Select(plan) => (Some(plan), "SIMPLE"),
            Self::Insert { query, .. } => (query.as_ref(), "SIMPLE"),
            Self::Update(plan) => (Some(plan), "UPDATE"),
            Self::Delete(plan) => (Some(plan), "DELETE"),
        }
    }
}

/// FORMAT
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Table,
    Tree,
    Json,
}

impl Format {
    fn by_name(name: &str) -> Option<Self> {
        Some(match &*name.to_ascii_uppercase() {
            "TRADITIONAL" | "TRADITIONAL_STRICT" => Self::Table,
            "TREE" => Self::Tree,
            "JSON" => Self::Json,
            _ => return None,
        })
    }
}

impl Session {
    /// EXPLAIN
    pub(crate) async fn explain(
        &mut self,
        sql: &[u8],
        explain: &ast::Explain,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        if explain.analyze {
            return Err(SqlError::not_supported_yet("EXPLAIN ANALYZE").into());
        }
        if explain.into.is_some() {
            return Err(SqlError::not_supported_yet("EXPLAIN … INTO").into());
        }
        if explain.schema.is_some() {
            return Err(SqlError::not_supported_yet("EXPLAIN FOR SCHEMA").into());
        }
        let format = match &explain.format {
            Some(name) => Format::by_name(name.as_str()).ok_or_else(|| {
                let name = name.as_str().into();
                SqlError::new(code::ER_UNKNOWN_EXPLAIN_FORMAT, &[name])
            })?,
            None => {
                let definition = &id::explain_format.definition().shape;
                let set = self.values.variables.setting(id::explain_format).shown(definition);
                Format::by_name(&set).unwrap_or(Format::Table)
            }
        };
        let ast::ExplainTarget::Statement(statement) = &explain.target else {
            return Err(SqlError::not_supported_yet("EXPLAIN FOR CONNECTION").into());
        };
        let explained = self.explained(sql, statement, arguments)?;
        let shown = match format {
            Format::Table => Shown::new("explain", table::rows(&explained)),
            Format::Tree => Shown::new("explain text", vec![vec![text(tree::lines(&explained))]]),
            Format::Json => Shown::new("explain text", vec![vec![text(json::text(&explained))]]),
        };
        self.send_shown(sql, shown, Filter::None, arguments, response).await
    }

    fn explained(
        &mut self,
        sql: &[u8],
        statement: &ast::Statement,
        arguments: &Arguments,
    ) -> Result<Explained, SqlError> {
        let types = &arguments.types;
        Ok(match &statement.kind {
            S::Query(query) => {
                let bound = self.bind(sql, types, |one| BoundSelect::bind(one, query))?;
                Explained::Select(SelectPlan::new(bound)?)
            }
            S::Insert(insert) => {
                let bound = self.bind(sql, types, |one| BoundInsert::bind(one, insert))?;
                let plan = InsertPlan::new(bound)?;
                let name = &plan.insert.table.descriptor().name;
                Explained::Insert {
                    table: name.clone(),
                    replace: insert.replace,
                    query: plan.query,
                }
            }
            S::Update(update) => {
                let bound = self.bind(sql, types, |one| BoundUpdate::bind(one, update))?;
                Explained::Update(UpdatePlan::new(bound)?.rows)
            }
            S::Delete(delete) => {
                let bound = self.bind(sql, types, |one| BoundDelete::bind(one, delete))?;
                Explained::Delete(DeletePlan::new(bound)?.rows)
            }
            _ => return Err(SqlError::not_supported_yet("EXPLAIN of this statement")),
        })
    }
}
