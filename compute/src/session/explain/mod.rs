//! EXPLAIN: which way a statement runs.
//!
//! A statement is bound and planned as if it ran, and the plan is told in MySQL's three
//! shapes: [`table`], [`tree`] and [`json`]; [`operations`] is the tree as JSON. `rows` and
//! `filtered` are what the plan was chosen by; where nothing was known there is NULL. Trees and
//! JSON have no estimates.
//! EXPLAIN ANALYZE runs a query and says what each step gave, and how long it took.
//! [`connection`] is for what another connection runs.
//! [`outline`] has the numbers of the blocks, [`rewritten`] the text of note 1003.

mod connection;
mod json;
mod operations;
mod outline;
mod print;
mod rewritten;
mod step;
mod table;
mod tree;
mod windows;

use std::collections::BTreeSet;
use std::sync::Arc;

use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_protocol::result::Response;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Node, Op, Row};
use firn_mysql_semantics::{Derivation, SqlType, Value};

use self::outline::{Outline, place};
use super::Session;
use super::run::Arguments;
use super::show::{Filter, Shown};
use super::statement::{Done, Ended, Outcome};
use crate::bind::{BoundDelete, BoundInsert, BoundSelect, BoundUpdate, InsertSource};
use crate::execute::{DeletePlan, InsertPlan, Measures, UpdatePlan};
use crate::information_schema::cell::text;
use crate::plan::{DerivedPlan, Lacking, SelectPlan, SetPlan, Step, StepRows, SubqueryPlan};
use crate::variables::id;
use crate::vector::{self, Executor};

/// The note that has the statement with all of its names.
const REWRITTEN: u16 = 1003;

/// What is explained.
pub(crate) enum Explained {
    Select(Box<SelectPlan>),
    /// The table, the query that gives the rows, and what values ask for.
    Insert {
        table: String,
        replace: bool,
        query: Option<Box<SelectPlan>>,
        subqueries: Vec<SubqueryPlan>,
    },
    Update(Box<UpdatePlan>),
    Delete(Box<DeletePlan>),
}

impl Explained {
    /// The query that the statement is, or searches by.
    fn plan(&self) -> Option<&SelectPlan> {
        match self {
            Self::Select(plan) => Some(plan),
            Self::Insert { query, .. } => query.as_deref(),
            Self::Update(update) => Some(&update.rows),
            Self::Delete(delete) => Some(&delete.rows),
        }
    }

    /// How rows are changed, and of which steps.
    fn changes(&self) -> Option<(&'static str, Vec<usize>)> {
        match self {
            Self::Update(update) => Some(("UPDATE", update.targets.clone())),
            Self::Delete(delete) => Some(("DELETE", delete.targets.clone())),
            _ => None,
        }
    }

    fn verb(&self) -> &'static str {
        match self {
            Self::Select(_) => "select",
            Self::Insert { replace: true, .. } => "replace",
            Self::Insert { .. } => "insert",
            Self::Update(_) => "update",
            Self::Delete(_) => "delete",
        }
    }
}

/// FORMAT
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Table,
    Tree,
    Json,
    /// JSON of version 2.
    Operations,
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

    /// What its columns are known by.
    fn columns(self) -> &'static str {
        if self == Self::Table { "explain" } else { "explain text" }
    }
}

/// Whether there are window functions in a query, or in one within it.
fn windowed(plan: &SelectPlan) -> bool {
    fn rows(plan: &DerivedPlan) -> bool {
        let set = |set: &SetPlan| set.parts.iter().any(|part| windowed(&part.plan));
        match plan {
            DerivedPlan::Query { plan, .. } => windowed(plan),
            DerivedPlan::Set(parts) => set(parts),
            DerivedPlan::Shared(shared) => rows(shared.rows()),
            DerivedPlan::Recursive(recursive) => set(&recursive.seed),
            DerivedPlan::Working(_) | DerivedPlan::JsonTable(_) => false,
        }
    }
    let derived = |step: &Step| matches!(&step.rows, StepRows::Derived(plan) if rows(plan));
    !plan.select.windows.is_empty()
        || plan.steps.iter().any(derived)
        || plan.subqueries.iter().any(|one| windowed(&one.plan))
}

/// Blocks that read nothing, since a condition without columns is false.
fn impossible(explained: &Explained, cx: &mut Cx<'_>, arguments: &Arguments) -> BTreeSet<usize> {
    fn known(node: &Node) -> bool {
        let own = match &node.op {
            Op::Call(call) => call.function.deterministic,
            Op::Column(_) | Op::Subquery { .. } | Op::UserVariable(_) | Op::Assign(_) => false,
            _ => true,
        };
        own && node.args.iter().all(known)
    }
    let mut found = BTreeSet::new();
    let Some(plan) = explained.plan() else { return found };
    plan.each(&mut |plan| {
        let row = Row { columns: &[], params: &arguments.values };
        let mut fails =
            |node: &&Node| known(node) && node.eval_truth(cx, row).is_ok_and(|it| it != Some(true));
        if plan.constant.iter().any(|node| fails(&node)) {
            found.insert(place(plan));
        }
    });
    found
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
        let format = self.explain_format(explain)?;
        let statement = match &explain.target {
            ast::ExplainTarget::Statement(statement) => statement,
            ast::ExplainTarget::Connection(_) if explain.into.is_some() => {
                let number = code::ER_EXPLAIN_INTO_FOR_CONNECTION_NOT_SUPPORTED;
                return Err(SqlError::new(number, &[]).into());
            }
            ast::ExplainTarget::Connection(id) => {
                let Some(explained) = self.explained_of(*id).await? else {
                    return Ok(Done::default().into());
                };
                let rows = self.told(format, &explained, None, None, &Arguments::default());
                let shown = Shown::new(format.columns(), rows);
                return self.send_shown(sql, shown, Filter::None, arguments, response).await;
            }
        };
        if explain.schema.is_some() {
            return Err(SqlError::not_supported_yet("EXPLAIN FOR SCHEMA").into());
        }
        let (explained, measures) = if explain.analyze {
            if !matches!(statement.kind, S::Query(_)) {
                return Err(SqlError::not_supported_yet("EXPLAIN ANALYZE of this statement").into());
            }
            let (plan, measures) = self.measured(sql, &statement.kind, arguments).await?;
            (Explained::Select(plan), Some(measures))
        } else {
            self.lacking = Lacking::default();
            let mut explained = self.explained(sql, statement, arguments)?;
            if self.gather_lacking().await {
                explained = self.explained(sql, statement, arguments)?;
            }
            (explained, None)
        };
        let rewritten = self.rewritten(sql, statement, &arguments.types);
        let rows =
            self.told(format, &explained, measures.as_ref(), rewritten.as_deref(), arguments);
        if format == Format::Table && explained.plan().is_some_and(windowed) {
            self.warnings.note(SqlError::new(code::ER_WINDOW_EXPLAIN_JSON, &[]));
        }
        let executor = Executor::from_index(self.values.variables.hot().firn_executor);
        let told = match &explained {
            Explained::Select(plan) => vector::told(plan, executor),
            // What changes rows reads them one by one.
            _ => None,
        };
        if let Some(told) = told.filter(|_| !explain.analyze) {
            self.warnings.note(SqlError::with_message(REWRITTEN, told));
        }
        if let Some(query) = rewritten.filter(|_| !explain.analyze) {
            self.warnings.note(SqlError::with_message(REWRITTEN, query));
        }
        if let Some(name) = &explain.into {
            use firn_mysql_semantics::expr::Session as _;
            let Some(Value::Bytes(plan)) = rows.into_iter().flatten().next() else {
                return Ok(Done::default().into());
            };
            let collation = self.settings.connection_collation;
            let length = u32::try_from(plan.len()).unwrap_or(u32::MAX);
            let ty = SqlType::varchar(length, collation, Derivation::Implicit);
            let name = name.as_str().to_ascii_lowercase();
            self.values.set_user_variable(&name, Value::Bytes(plan), ty);
            return Ok(Done::default().into());
        }
        let shown = Shown::new(format.columns(), rows);
        self.send_shown(sql, shown, Filter::None, arguments, response).await
    }

    fn explain_format(&self, explain: &ast::Explain) -> Result<Format, SqlError> {
        let version = self.values.variables.setting(id::explain_json_format_version).as_u64();
        let named = match &explain.format {
            Some(name) => Some(Format::by_name(name.as_str()).ok_or_else(|| {
                let name = name.as_str().into();
                SqlError::new(code::ER_UNKNOWN_EXPLAIN_FORMAT, &[name])
            })?),
            None => None,
        };
        let usual = || {
            let definition = &id::explain_format.definition().shape;
            let set = self.values.variables.setting(id::explain_format).shown(definition);
            Format::by_name(&set).unwrap_or(Format::Table)
        };
        if explain.into.is_some() {
            let number = match named {
                None => Some((code::ER_EXPLAIN_INTO_IMPLICIT_FORMAT_NOT_SUPPORTED, "")),
                Some(Format::Table) => {
                    Some((code::ER_EXPLAIN_INTO_FORMAT_NOT_SUPPORTED, "TRADITIONAL"))
                }
                Some(Format::Tree) => Some((code::ER_EXPLAIN_INTO_FORMAT_NOT_SUPPORTED, "TREE")),
                Some(_) => None,
            };
            match number {
                Some((number, "")) => return Err(SqlError::new(number, &[])),
                Some((number, name)) => return Err(SqlError::new(number, &[name.into()])),
                None => {}
            }
        }
        let format = match (explain.analyze, named) {
            (true, Some(Format::Table)) => {
                return Err(SqlError::not_supported_yet("EXPLAIN ANALYZE with TRADITIONAL format"));
            }
            (true, None) => match usual() {
                Format::Json => Format::Json,
                _ => Format::Tree,
            },
            (_, named) => named.unwrap_or_else(usual),
        };
        match (format, version) {
            (Format::Json, 2) => Ok(Format::Operations),
            (Format::Json, _) if explain.analyze => {
                let number = code::ER_EXPLAIN_ANALYZE_JSON_FORMAT_VERSION_NOT_SUPPORTED;
                Err(SqlError::new(number, &[]))
            }
            (format, _) => Ok(format),
        }
    }

    fn told(
        &mut self,
        format: Format,
        explained: &Explained,
        measures: Option<&Measures>,
        rewritten: Option<&str>,
        arguments: &Arguments,
    ) -> Vec<Vec<Value>> {
        let settings = Arc::clone(&self.settings);
        let mark = self.warnings.mark();
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let impossible = impossible(explained, &mut cx, arguments);
        self.warnings.rewind(mark);
        let outline = Outline::new(explained, impossible);
        let told = match format {
            Format::Table => return table::rows(explained, &outline),
            Format::Json => json::text(explained, &outline),
            Format::Tree => tree::lines(&tree::root(explained, &outline), measures),
            Format::Operations => {
                let root = tree::root(explained, &outline);
                operations::text(&root, measures, rewritten, explained.verb())
            }
        };
        vec![vec![text(told)]]
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
                let mut bound = self.bind(sql, types, |one| BoundSelect::bind(one, query))?;
                self.learn(&mut bound, &arguments.values);
                Explained::Select(Box::new(SelectPlan::new(bound)?))
            }
            S::Insert(insert) => {
                let mut bound = self.bind(sql, types, |one| BoundInsert::bind(one, insert))?;
                if let InsertSource::Query(select) = &mut bound.source {
                    self.learn_for_change(select, &arguments.values);
                }
                let plan = InsertPlan::new(bound)?;
                let name = &plan.insert.table.descriptor().name;
                Explained::Insert {
                    table: name.clone(),
                    replace: insert.replace,
                    query: plan.query.map(Box::new),
                    subqueries: plan.subqueries,
                }
            }
            S::Update(update) => {
                let mut bound = self.bind(sql, types, |one| BoundUpdate::bind(one, update))?;
                self.learn_for_change(&mut bound.rows, &arguments.values);
                Explained::Update(Box::new(UpdatePlan::new(bound)?))
            }
            S::Delete(delete) => {
                let mut bound = self.bind(sql, types, |one| BoundDelete::bind(one, delete))?;
                self.learn_for_change(&mut bound.rows, &arguments.values);
                Explained::Delete(Box::new(DeletePlan::new(bound)?))
            }
            _ => return Err(SqlError::not_supported_yet("EXPLAIN of this statement")),
        })
    }
}
