//! Statements that read and change rows: bound, planned, run.

use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_protocol::Capabilities;
use firn_mysql_protocol::result::{Columns, Response, Summary};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Cx, Row, Settings};
use firn_mysql_semantics::{SqlType, Value};

use super::relations::CatalogRelations;
use super::statement::{Done, Ended, Outcome};
use super::tables::SessionTables;
use super::transaction::Unit;
use super::values::VariablesScope;
use super::{Session, from_transaction};
use crate::bind::{
    BoundDelete, BoundInsert, BoundSelect, BoundUpdate, ItemNames, Statement, StatementScope,
};
use crate::execute::{self, DeletePlan, InsertPlan, Reading, SelectRun, Storing, UpdatePlan, View};
use crate::output::{self, ValueWriter};
use crate::plan::{SelectPlan, StepRows};
use crate::table::OpenTable;
use crate::txn::{LockKey, LockMode, LockWait};
use crate::variables::SqlMode;

/// How often a statement is planned again because a table changed meanwhile.
const REPLANS_MAX: u32 = 20;

/// Values of a statement's parameters.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) values: Vec<Value>,
    pub(crate) types: Vec<SqlType>,
}

/// A SELECT, with the columns that the client is told of.
pub(crate) struct QueryPlan {
    pub(crate) select: SelectPlan,
    pub(crate) columns: Columns,
    pub(crate) writers: Vec<ValueWriter>,
}

impl Session {
    /// What a statement is bound with.
    pub(super) fn bind<T>(
        &self,
        sql: &[u8],
        types: &[SqlType],
        bind: impl FnOnce(&Statement<'_>) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let tables = SessionTables::new(self);
        let variables = VariablesScope::new(&self.values);
        let statement = Statement {
            sql,
            settings: &self.settings,
            tables: &tables,
            variables: &variables,
            params: types,
        };
        bind(&statement).map_err(|error| variables.explain(error))
    }

    /// Binds and plans a SELECT.
    pub(crate) fn plan_query(
        &mut self,
        sql: &[u8],
        query: &ast::Query,
        types: &[SqlType],
    ) -> Result<QueryPlan, SqlError> {
        let mut select = self.bind(sql, types, |statement| BoundSelect::bind(statement, query))?;
        for warning in std::mem::take(&mut select.warnings) {
            self.warnings.warn(warning);
        }
        let results = self.result_charset();
        let columns: Vec<_> = select
            .items
            .iter()
            .map(|item| output::column_of(item, &select.tables, results))
            .collect();
        let writers = select
            .items
            .iter()
            .map(|item| ValueWriter::new(&item.node.ty, item.zerofill, results))
            .collect();
        let select = SelectPlan::new(select)?;
        Ok(QueryPlan { select, columns: Columns::new(&columns), writers })
    }

    /// SELECT
    pub(crate) async fn query(
        &mut self,
        sql: &[u8],
        query: &ast::Query,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let mut unit = self.unit();
        let planned = self.settled_query(sql, query, arguments, &mut unit).await;
        let result = match planned {
            Ok(plan) => self.run_query(&plan, arguments, &mut unit, response).await,
            Err(error) => Err(error),
        };
        self.end_unit(unit, result).await
    }

    /// A plan whose tables are locked against changes of their definitions.
    async fn settled_query(
        &mut self,
        sql: &[u8],
        query: &ast::Query,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<QueryPlan, Ended> {
        for _ in 0..REPLANS_MAX {
            let mark = self.warnings.mark();
            let plan = self.plan_query(sql, query, &arguments.types)?;
            let tables = tables_of(&plan.select);
            if self.lock_tables(unit, &tables, LockMode::IntentionShared).await? {
                return Ok(plan);
            }
            self.warnings.rewind(mark);
        }
        Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into())
    }

    /// Locks the definitions of tables. `false` if one of them is no longer what the plan
    /// was made for.
    pub(super) async fn lock_tables(
        &self,
        unit: &mut Unit,
        tables: &[Arc<OpenTable>],
        mode: LockMode,
    ) -> Result<bool, Ended> {
        let seconds = self.values.variables.hot().lock_wait_timeout;
        let wait = LockWait::For(std::time::Duration::from_secs(seconds));
        let write = mode == LockMode::IntentionExclusive;
        for table in tables {
            if table.temporary {
                unit.transaction.cover(table.descriptor().space());
                continue;
            }
            self.may_use(table, write)?;
            let key = LockKey::Table(u64::from(table.descriptor().id));
            let locked = unit.transaction.lock(key, mode, wait).await;
            locked.map_err(|error| from_transaction(&error))?;
        }
        let snapshot = self.server.catalog.snapshot();
        Ok(tables.iter().filter(|table| !table.temporary).all(|table| {
            let descriptor = table.descriptor();
            snapshot
                .table_by_id(descriptor.id)
                .is_some_and(|now| now.descriptor.version == descriptor.version)
        }))
    }

    /// The same tables, and those that foreign keys lead to from them.
    pub(super) fn with_related(
        &self,
        tables: Vec<Arc<OpenTable>>,
    ) -> Result<Vec<Arc<OpenTable>>, SqlError> {
        let relations = CatalogRelations::new(self);
        let mut all = tables.clone();
        for table in &tables {
            all.extend(relations.reached(table)?);
        }
        Ok(all)
    }

    async fn run_query(
        &mut self,
        plan: &QueryPlan,
        arguments: &Arguments,
        unit: &mut Unit,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let select = &plan.select.select;
        let (reading, wait) = match select.locking {
            Some((update, wait)) => {
                let mode = if update { LockMode::Exclusive } else { LockMode::Shared };
                let wait = match wait {
                    ast::LockWait::Wait => self.lock_wait(),
                    ast::LockWait::NoWait => LockWait::NoWait,
                    ast::LockWait::SkipLocked => LockWait::Skip,
                };
                (Reading::Locking(mode), wait)
            }
            None if !unit.single
                && unit.transaction.plain_read() == crate::txn::PlainRead::Share
                && !plan.select.steps.is_empty() =>
            {
                (Reading::Locking(LockMode::Shared), self.lock_wait())
            }
            None => (Reading::Snapshot, self.lock_wait()),
        };
        let status = self.status_flags_in(unit);
        let limit = self.values.variables.hot().sql_select_limit;
        let settings = Arc::clone(&self.settings);
        let mut view = View::new(&mut unit.transaction, reading, wait);
        let mut run = SelectRun::new(&plan.select, &arguments.values).limited(limit);
        if !select.into.is_empty() {
            return self.set_variables(plan, run, view, &settings).await;
        }
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let mut rows = response.rows(&plan.columns)?;
        while let Some(values) = run.next(&mut view, &mut cx).await? {
            for ((writer, item), value) in plan.writers.iter().zip(&select.items).zip(values) {
                output::put(&mut rows, writer, &item.node, value)?;
            }
            rows.end_row().await?;
        }
        let count = rows.count();
        let summary = Summary { warnings: cx.warnings.packet_count(), ..Summary::new(status) };
        rows.end(&summary)?;
        let found = if select.calc_found_rows { run.found_rows() } else { count };
        self.values.found_rows = found;
        self.values.row_count = -1;
        Ok(Outcome::Sent)
    }

    /// SELECT … INTO @a, …
    async fn set_variables(
        &mut self,
        plan: &QueryPlan,
        mut run: SelectRun<'_>,
        mut view: View<'_>,
        settings: &Settings,
    ) -> Result<Outcome, Ended> {
        let select = &plan.select.select;
        if select.into.len() != select.items.len() {
            let error = code::ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT;
            return Err(SqlError::new(error, &[]).into());
        }
        let mut cx = Cx::new(settings, &mut self.values, &mut self.warnings);
        let row = run.next(&mut view, &mut cx).await?.map(<[Value]>::to_vec);
        let Some(row) = row else {
            self.warnings.warn(SqlError::new(code::ER_SP_FETCH_NO_DATA, &[]));
            return Ok(Done::default().into());
        };
        if run.next(&mut view, &mut cx).await?.is_some() {
            return Err(SqlError::new(code::ER_TOO_MANY_ROWS, &[]).into());
        }
        for ((name, item), value) in select.into.iter().zip(&select.items).zip(row) {
            use firn_mysql_semantics::expr::Session as _;
            self.values.set_user_variable(name, value, item.node.ty);
        }
        self.values.row_count = 1;
        Ok(Done { affected: 1, ..Done::default() }.into())
    }

    /// DO
    pub(crate) async fn run_do(
        &mut self,
        sql: &[u8],
        list: &[ast::Expr],
        arguments: &Arguments,
    ) -> Result<Outcome, Ended> {
        for expr in list {
            let node = self.bind_expression(sql, expr, &arguments.types)?;
            let settings = Arc::clone(&self.settings);
            let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
            node.eval(&mut cx, Row { columns: &[], params: &arguments.values })?;
        }
        Ok(Done::default().into())
    }

    /// An expression without columns.
    pub(crate) fn bind_expression(
        &mut self,
        sql: &[u8],
        expr: &ast::Expr,
        types: &[SqlType],
    ) -> Result<firn_mysql_semantics::expr::Node, SqlError> {
        let (node, warnings) = self.bind(sql, types, |statement| {
            let scope = StatementScope {
                tables: &[],
                items: &[],
                clause: std::cell::Cell::new("field list"),
                item_names: std::cell::Cell::new(ItemNames::Hidden),
                aggregates: None,
                aggregates_start: 0,
                new_row: None,
                variables: statement.variables,
                settings: statement.settings,
                params: statement.params,
            };
            let binder = Binder::new(statement.settings, &scope, statement.params);
            let node = binder.bind(expr)?;
            Ok((node, binder.take_warnings()))
        })?;
        warnings.into_iter().for_each(|warning| self.warnings.warn(warning));
        Ok(node)
    }

    /// What storing depends on.
    pub(super) fn storing<'z>(
        &self,
        zone: &'z firn_mysql_semantics::temporal::zone::TimeZone,
        ignore: bool,
        single_row: bool,
    ) -> Storing<'z> {
        let micros = self.values.variables.statement_time_micros();
        let now = zone
            .from_utc(micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000) as u32)
            .unwrap_or_default();
        Storing {
            strict: self.settings.strict && !ignore,
            ignore,
            single_row,
            zone,
            now,
            zero_is_a_value: self
                .values
                .variables
                .hot()
                .sql_mode
                .has(SqlMode::NO_AUTO_VALUE_ON_ZERO),
        }
    }

    pub(super) fn refuse_in_read_only(&self) -> Result<(), SqlError> {
        if self.read_only && (self.explicit || self.in_transaction()) {
            return Err(SqlError::new(code::ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, &[]));
        }
        Ok(())
    }

    /// INSERT and REPLACE
    pub(crate) async fn insert(
        &mut self,
        sql: &[u8],
        insert: &ast::Insert,
        arguments: &Arguments,
    ) -> Result<Outcome, Ended> {
        self.refuse_in_read_only()?;
        let mut unit = self.unit();
        let result = self.insert_in(sql, insert, arguments, &mut unit).await;
        self.end_unit(unit, result).await
    }

    async fn insert_in(
        &mut self,
        sql: &[u8],
        insert: &ast::Insert,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<Outcome, Ended> {
        let mut plan = None;
        for _ in 0..REPLANS_MAX {
            let bound =
                self.bind(sql, &arguments.types, |statement| BoundInsert::bind(statement, insert))?;
            let one = InsertPlan::new(bound)?;
            let read = one.query.as_ref().map(tables_of).unwrap_or_default();
            let target = self.with_related(vec![Arc::clone(&one.insert.table)])?;
            if self.lock_tables(unit, &target, LockMode::IntentionExclusive).await?
                && self.lock_tables(unit, &read, LockMode::IntentionShared).await?
            {
                plan = Some(one);
                break;
            }
        }
        let Some(mut plan) = plan else {
            return Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into());
        };
        for warning in std::mem::take(&mut plan.insert.warnings) {
            self.warnings.warn(warning);
        }
        let single_row = match &insert.source {
            ast::InsertSource::Values(rows) => rows.len() == 1,
            ast::InsertSource::Set(_) => true,
            ast::InsertSource::Query(_) => false,
        };
        let zone = self.values.variables.zone().clone();
        let storing = self.storing(&zone, insert.ignore, single_row);
        let found_rows = self.login.capabilities.contains(Capabilities::FOUND_ROWS);
        let settings = Arc::clone(&self.settings);
        let wait = self.lock_wait();
        let reading = Reading::Locking(LockMode::Exclusive);
        let relations = CatalogRelations::new(self);
        let mut view = View::new(&mut unit.transaction, reading, wait).relating(&relations);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let done =
            execute::insert(&plan, &storing, found_rows, &arguments.values, &mut view, &mut cx)
                .await?;
        if let Some(id) = done.first_id {
            self.values.variables.facts.last_insert_id = id;
        }
        self.values.row_count = done.affected.cast_signed();
        let info = if single_row {
            String::new()
        } else {
            format!(
                "Records: {}  Duplicates: {}  Warnings: {}",
                done.records,
                done.duplicates,
                self.warnings.total()
            )
        };
        let last_insert_id = done.first_id.or(done.given_id).unwrap_or(0);
        Ok(Done { affected: done.affected, last_insert_id, info, ..Done::default() }.into())
    }

    /// UPDATE
    pub(crate) async fn update(
        &mut self,
        sql: &[u8],
        update: &ast::Update,
        arguments: &Arguments,
    ) -> Result<Outcome, Ended> {
        self.refuse_in_read_only()?;
        let mut unit = self.unit();
        let result = self.update_in(sql, update, arguments, &mut unit).await;
        self.end_unit(unit, result).await
    }

    async fn update_in(
        &mut self,
        sql: &[u8],
        update: &ast::Update,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<Outcome, Ended> {
        let mut plan = None;
        for _ in 0..REPLANS_MAX {
            let bound =
                self.bind(sql, &arguments.types, |statement| BoundUpdate::bind(statement, update))?;
            let one = UpdatePlan::new(bound)?;
            let tables = self.with_related(tables_of(&one.rows))?;
            if self.lock_tables(unit, &tables, LockMode::IntentionExclusive).await? {
                plan = Some(one);
                break;
            }
        }
        let Some(plan) = plan else {
            return Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into());
        };
        let zone = self.values.variables.zone().clone();
        let storing = self.storing(&zone, update.ignore, true);
        let settings = Arc::clone(&self.settings);
        let wait = self.lock_wait();
        let reading = Reading::Locking(LockMode::Exclusive);
        let relations = CatalogRelations::new(self);
        let mut view = View::new(&mut unit.transaction, reading, wait).relating(&relations);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let done = execute::update(&plan, &storing, &arguments.values, &mut view, &mut cx).await?;
        let found_rows = self.login.capabilities.contains(Capabilities::FOUND_ROWS);
        let affected = if found_rows { done.matched } else { done.changed };
        self.values.row_count = affected.cast_signed();
        let info = format!(
            "Rows matched: {}  Changed: {}  Warnings: {}",
            done.matched,
            done.changed,
            self.warnings.total()
        );
        Ok(Done { affected, info, ..Done::default() }.into())
    }

    /// DELETE
    pub(crate) async fn delete(
        &mut self,
        sql: &[u8],
        delete: &ast::Delete,
        arguments: &Arguments,
    ) -> Result<Outcome, Ended> {
        self.refuse_in_read_only()?;
        let mut unit = self.unit();
        let result = self.delete_in(sql, delete, arguments, &mut unit).await;
        self.end_unit(unit, result).await
    }

    async fn delete_in(
        &mut self,
        sql: &[u8],
        delete: &ast::Delete,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<Outcome, Ended> {
        let mut plan = None;
        for _ in 0..REPLANS_MAX {
            let bound =
                self.bind(sql, &arguments.types, |statement| BoundDelete::bind(statement, delete))?;
            let one = DeletePlan::new(bound)?;
            let tables = self.with_related(tables_of(&one.rows))?;
            if self.lock_tables(unit, &tables, LockMode::IntentionExclusive).await? {
                plan = Some(one);
                break;
            }
        }
        let Some(plan) = plan else {
            return Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into());
        };
        let settings = Arc::clone(&self.settings);
        let wait = self.lock_wait();
        let reading = Reading::Locking(LockMode::Exclusive);
        let relations = CatalogRelations::new(self);
        let mut view = View::new(&mut unit.transaction, reading, wait).relating(&relations);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let deleted = execute::delete(&plan, &arguments.values, &mut view, &mut cx).await?;
        self.values.row_count = deleted.cast_signed();
        Ok(Done { affected: deleted, ..Done::default() }.into())
    }
}

/// The tables on the engine that a plan reads.
fn tables_of(plan: &SelectPlan) -> Vec<Arc<OpenTable>> {
    let mut tables = Vec::new();
    for step in &plan.steps {
        match &step.rows {
            StepRows::Stored(table) => tables.push(Arc::clone(table)),
            StepRows::Derived(inner) => tables.extend(tables_of(inner)),
            StepRows::Virtual(_) => {}
        }
    }
    tables
}
