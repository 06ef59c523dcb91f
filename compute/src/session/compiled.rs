//! Statements that read and change rows, bound and planned.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use firn_engine::Db;
use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_protocol::result::Columns;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Node, Op};
use firn_mysql_semantics::{Derivation, SqlType, TypeKind, Value};

use super::Session;
use super::relations::CatalogRelations;
use super::tables::SessionTables;
use super::values::VariablesScope;
use crate::bind::{
    BoundDelete, BoundInsert, BoundSelect, BoundUpdate, Given, InsertSource, Locked, Statement,
    Uses,
};
use crate::execute::{DeletePlan, InsertPlan, UpdatePlan};
use crate::output::{self, ValueWriter};
use crate::plan::{Lacking, PointPlan, RangePlan, SelectPlan, StepRows, merge};
use crate::plan_cache::{self, Setting, TEXT_LENGTH};
use crate::statistics::{TableStatistics, rows_now};
use crate::table::OpenTable;
use crate::txn::LockMode;
use crate::variables::{Counter, SqlMode, counter_of};

/// A SELECT, with the columns that the client is told of.
pub(crate) struct QueryPlan {
    pub(crate) select: SelectPlan,
    /// It locks rows, or a query within it does.
    pub(crate) locks: bool,
    pub(crate) columns: Columns,
    pub(crate) writers: Vec<ValueWriter>,
    /// It reads one row, and computes nothing.
    pub(crate) point: Option<PointPlan>,
    /// It reads rows of one table, and computes nothing of them but sums.
    pub(crate) range: Option<RangePlan>,
}

/// What a statement does.
pub(crate) enum Work {
    Query(QueryPlan),
    Insert(InsertPlan),
    Update(UpdatePlan),
    Delete(DeletePlan),
}

/// A statement that can be run, again and again while it is fresh.
pub(crate) struct Compiled {
    pub(crate) work: Work,
    /// Tables that it uses, those that foreign keys lead to included, and how.
    pub(crate) tables: Vec<(Arc<OpenTable>, LockMode)>,
    /// What it counts as.
    pub(crate) counter: Option<Counter>,
    /// What it was bound with.
    pub(crate) setting: Setting,
    /// The catalog that it was bound with; `None` if that was changing.
    pub(crate) epoch: Option<u64>,
    /// Types of its parameters.
    pub(crate) types: Vec<SqlType>,
    /// What it wants of its tables.
    pub(crate) uses: Uses,
    /// Nothing in it is of this one session or moment.
    pub(crate) shared: bool,
    /// Nothing but the values of its parameters counts, wherever they are.
    pub(crate) direct: bool,
    /// Parameters in its conditions that literals would not be compared as.
    pub(crate) converted: Vec<usize>,
    /// Tables whose size its plan was chosen by, and how many rows they had.
    sized: Vec<(Arc<OpenTable>, u64)>,
    /// How often it was run.
    runs: AtomicU32,
}

/// The tables on the engine that a plan reads.
pub(crate) fn tables_of(plan: &SelectPlan) -> Vec<Arc<OpenTable>> {
    let mut tables = Vec::new();
    plan.each(&mut |plan| {
        for step in &plan.steps {
            if let StepRows::Stored(table) = &step.rows {
                tables.push(Arc::clone(table));
            }
        }
    });
    tables
}

/// Tables of which a query that locks others reads plain rows alone.
fn plain_tables(plan: &SelectPlan, tables: &mut [(Arc<OpenTable>, LockMode)]) {
    let mut locked = Vec::new();
    plan.each(&mut |plan| {
        for step in plan.steps.iter().filter(|step| step.locked != Locked::Not) {
            if let StepRows::Stored(table) = &step.rows {
                locked.push(table.descriptor().id);
            }
        }
    });
    for (table, mode) in tables {
        if !locked.contains(&table.descriptor().id) {
            *mode = LockMode::IntentionShared;
        }
    }
}

/// The tables by whose size a plan was chosen.
fn sized(plan: &SelectPlan) -> Vec<(Arc<OpenTable>, u64)> {
    let mut tables = Vec::new();
    plan.each(&mut |plan| {
        for step in &plan.steps {
            if let (StepRows::Stored(table), Some(known)) = (&step.rows, &step.known) {
                tables.push((Arc::clone(table), known.rows as u64));
            }
        }
    });
    tables
}

impl Compiled {
    /// Whether the session would compile it to the same.
    pub(crate) fn is_fresh(&self, setting: &Setting, types: &[SqlType], epoch: u64) -> bool {
        let same = |(one, other): (&SqlType, &SqlType)| {
            one == other || (self.direct && *one == without_length(*other))
        };
        self.epoch == Some(epoch)
            && self.setting == *setting
            && self.types.len() == types.len()
            && self.types.iter().zip(types).all(same)
    }

    /// Whether tables have grown or shrunk so much since it was planned that another plan may
    /// be better. That is looked at now and then: the 16th time that it runs, the 32nd, and so
    /// on up to each 4096th.
    pub(crate) fn is_outgrown(&self, db: &Db) -> bool {
        if self.sized.is_empty() {
            return false;
        }
        let runs = self.runs.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let looks = runs >= 16 && (runs.is_power_of_two() || runs.is_multiple_of(4096));
        let outgrown = |(table, rows): &(Arc<OpenTable>, u64)| {
            let then = TableStatistics { rows: *rows, ..TableStatistics::default() };
            then.is_stale(rows_now(db, table))
        };
        looks && self.sized.iter().any(outgrown)
    }

    /// It reads committed rows only, and locks none.
    pub(crate) fn is_plain_read(&self) -> bool {
        match &self.work {
            Work::Query(plan) => !plan.locks,
            _ => false,
        }
    }
}

/// Types of parameters of any length.
pub(super) fn general(types: &[SqlType]) -> Vec<SqlType> {
    types.iter().map(|ty| without_length(*ty)).collect()
}

/// The type of a string of any length, for parameters of which only the value counts.
fn without_length(ty: SqlType) -> SqlType {
    let is_text = ty.kind == TypeKind::Varchar && ty.derivation == Derivation::Coercible;
    if is_text { SqlType { length: TEXT_LENGTH, ..ty } } else { ty }
}

impl Session {
    /// What compiling depends on, beside the statement and the catalog.
    pub(super) fn setting(&self) -> Setting {
        Setting {
            settings: Arc::clone(&self.settings),
            results: self.result_charset(),
            foreign_key_checks: self.values.variables.hot().foreign_key_checks,
        }
    }

    /// What a statement is bound with. With the result comes whether it depends on
    /// nothing that is of this session alone, and what it wants of its tables, which is
    /// allowed.
    pub(super) fn bind_shared<T>(
        &self,
        sql: &[u8],
        types: &[SqlType],
        bind: impl FnOnce(&Statement<'_>) -> Result<T, SqlError>,
    ) -> Result<(T, bool, Uses), SqlError> {
        let tables = SessionTables::new(self);
        let variables = VariablesScope::new(&self.values);
        let numbers = std::cell::Cell::new(0);
        let statement = Statement::new(sql, &self.settings, &tables, &variables, types, &numbers);
        let statement = Statement { full_group: self.groups_fully(), ..statement };
        let bound = bind(&statement).map_err(|error| variables.explain(error))?;
        let uses = tables.allowed()?;
        Ok((bound, !variables.were_asked() && !tables.are_private(), uses))
    }

    /// ONLY_FULL_GROUP_BY
    fn groups_fully(&self) -> bool {
        self.values.variables.hot().sql_mode.has(SqlMode::ONLY_FULL_GROUP_BY)
    }

    /// As [`Self::bind_shared`], for once.
    pub(super) fn bind<T>(
        &self,
        sql: &[u8],
        types: &[SqlType],
        bind: impl FnOnce(&Statement<'_>) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        self.bind_shared(sql, types, bind).map(|(bound, ..)| bound)
    }

    fn warn_of(&mut self, rows: &mut BoundSelect) {
        for warning in std::mem::take(&mut rows.warnings) {
            self.warnings.warn(warning);
        }
    }

    /// Plans a SELECT.
    fn planned_query(&mut self, mut select: BoundSelect) -> Result<QueryPlan, SqlError> {
        self.warn_of(&mut select);
        let results = self.result_charset();
        let mut columns: Vec<_> = select
            .items
            .iter()
            .map(|item| output::column_of(item, &select.tables, results))
            .collect();
        let writers = select
            .items
            .iter()
            .map(|item| ValueWriter::new(&item.node.ty, item.zerofill, results))
            .collect();
        output::tell_of_kept(&select, &mut columns);
        merge(&mut select);
        let select = SelectPlan::new(select)?;
        output::tell_of_gathered(&select, &mut columns);
        let (point, range) = (PointPlan::of(&select), RangePlan::of(&select));
        let mut locks = false;
        select.each(&mut |plan| locks |= plan.select.locking.is_some());
        Ok(QueryPlan { select, locks, columns: Columns::new(&columns), writers, point, range })
    }

    /// Binds and plans a SELECT.
    pub(crate) fn plan_query(
        &mut self,
        sql: &[u8],
        query: &ast::Query,
        types: &[SqlType],
    ) -> Result<QueryPlan, SqlError> {
        let bind = |one: &Statement<'_>| BoundSelect::bind(one, query);
        let (select, ..) = self.bind_shared(sql, types, bind)?;
        self.planned_query(select)
    }

    /// Binds and plans a statement that reads or changes rows, for these values of its
    /// parameters first.
    ///
    /// # Errors
    /// MySQL's for what does not make sense; 1235 for other statements.
    pub(crate) fn compile(
        &mut self,
        sql: &[u8],
        statement: &S,
        types: &[SqlType],
        params: &[Value],
    ) -> Result<Compiled, SqlError> {
        self.count(Counter::FirnCompiled);
        // Before anything of the catalog is read: see `Catalog::epoch`.
        let epoch = self.server.catalog.epoch();
        let read = |plan: &SelectPlan, mode: LockMode| -> Vec<_> {
            tables_of(plan).into_iter().map(|table| (table, mode)).collect()
        };
        let before = self.warnings.total();
        self.lacking = Lacking::default();
        let mut converted = Vec::new();
        let (work, tables, shared, nested, uses) = match statement {
            S::Query(query) => {
                let bind = |one: &Statement<'_>| BoundSelect::bind(one, query);
                let (mut select, shared, uses) = self.bind_shared(sql, types, bind)?;
                self.learn(&mut select, params);
                let nested = select.is_nested();
                convert(&select.filter, &mut converted);
                // What others refuse to bind is not for them.
                let lax = !self.groups_fully() && (select.grouped || select.distinct);
                let plan = self.planned_query(select)?;
                let shared = shared && !lax && plan.select.select.into.is_client();
                let mode =
                    if plan.locks { LockMode::RowsLocked } else { LockMode::IntentionShared };
                let mut tables = read(&plan.select, mode);
                if plan.locks {
                    plain_tables(&plan.select, &mut tables);
                }
                (Work::Query(plan), tables, shared, nested, uses)
            }
            S::Insert(insert) => {
                let (mut insert, shared, uses) =
                    self.bind_shared(sql, types, |one| BoundInsert::bind(one, insert))?;
                for warning in std::mem::take(&mut insert.warnings) {
                    self.warnings.warn(warning);
                }
                if let InsertSource::Query(select) = &mut insert.source {
                    self.learn_for_change(select, params);
                }
                let mut nested = !insert.subqueries.is_empty();
                match &insert.source {
                    InsertSource::Values(rows) => {
                        rows.iter().flatten().for_each(|one| convert_given(one, &mut converted));
                    }
                    InsertSource::Query(select) => {
                        nested |= select.is_nested();
                        convert(&select.filter, &mut converted);
                    }
                }
                let plan = InsertPlan::new(insert)?;
                let mut tables = self.changed(vec![Arc::clone(&plan.insert.table)])?;
                let sources = plan.query.iter();
                tables.extend(sources.flat_map(|query| read(query, LockMode::RowsLocked)));
                let subqueries = plan.subqueries.iter();
                tables.extend(subqueries.flat_map(|one| read(&one.plan, LockMode::RowsLocked)));
                (Work::Insert(plan), tables, shared, nested, uses)
            }
            S::Update(update) => {
                let (mut update, shared, uses) =
                    self.bind_shared(sql, types, |one| BoundUpdate::bind(one, update))?;
                self.warn_of(&mut update.rows);
                self.learn_for_change(&mut update.rows, params);
                let nested = update.rows.is_nested();
                convert(&update.rows.filter, &mut converted);
                let given = update.assignments.iter().map(|(_, _, given)| given);
                given.for_each(|one| convert_given(one, &mut converted));
                let plan = UpdatePlan::new(update)?;
                let tables = self.changed(tables_of(&plan.rows))?;
                (Work::Update(plan), tables, shared, nested, uses)
            }
            S::Delete(delete) => {
                let (mut delete, shared, uses) =
                    self.bind_shared(sql, types, |one| BoundDelete::bind(one, delete))?;
                self.warn_of(&mut delete.rows);
                self.learn_for_change(&mut delete.rows, params);
                let nested = delete.rows.is_nested();
                convert(&delete.rows.filter, &mut converted);
                let plan = DeletePlan::new(delete)?;
                let tables = self.changed(tables_of(&plan.rows))?;
                (Work::Delete(plan), tables, shared, nested, uses)
            }
            _ => return Err(SqlError::not_supported_yet("this statement")),
        };
        let sized = match &work {
            Work::Query(plan) if plan.point.is_some() => Vec::new(),
            Work::Query(plan) => sized(&plan.select),
            Work::Insert(plan) => plan.query.as_ref().map_or_else(Vec::new, sized),
            Work::Update(plan) => sized(&plan.rows),
            Work::Delete(plan) => sized(&plan.rows),
        };
        Ok(Compiled {
            sized,
            runs: AtomicU32::new(0),
            work,
            tables,
            counter: counter_of(statement),
            setting: self.setting(),
            epoch,
            types: types.to_vec(),
            uses,
            // What binding warns of would be missing the next time.
            shared: shared && epoch.is_some() && self.warnings.total() == before,
            direct: !nested && converted.is_empty(),
            converted,
        })
    }

    /// Tables that are changed, and those that foreign keys lead to from them.
    pub(super) fn changed(
        &self,
        tables: Vec<Arc<OpenTable>>,
    ) -> Result<Vec<(Arc<OpenTable>, LockMode)>, SqlError> {
        let relations = CatalogRelations::new(self);
        let mut all = tables.clone();
        for table in &tables {
            all.extend(relations.reached(table)?);
        }
        Ok(all.into_iter().map(|table| (table, LockMode::IntentionExclusive)).collect())
    }
}

/// See [`plan_cache::converted`].
fn convert<'n>(conditions: impl IntoIterator<Item = &'n Node>, converted: &mut Vec<usize>) {
    conditions.into_iter().for_each(|one| plan_cache::converted(one, converted));
}

/// The same of what a column gets: a parameter that is all of it is taken as it is.
fn convert_given(given: &Given, converted: &mut Vec<usize>) {
    if let Given::Value(node) = given
        && !matches!(node.op, Op::Param(_))
    {
        plan_cache::converted(node, converted);
    }
}
