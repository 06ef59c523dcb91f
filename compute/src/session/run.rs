//! Statements that read and change rows: bound, planned, run.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_protocol::Capabilities;
use firn_mysql_protocol::result::{Response, Summary};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Cx, Row, Settings};
use firn_mysql_semantics::{SqlType, Value};

use super::compiled::{Compiled, QueryPlan, Work};
use super::locks::TableLocks;
use super::relations::CatalogRelations;
use super::statement::{Done, Ended, Outcome, within};
use super::transaction::Unit;
use super::{Session, from_transaction};
use crate::bind::{Block, Destination, InsertSource, Locked, StatementScope, has_query};
use crate::execute::{
    self, DeletePlan, InsertPlan, Measures, ReadCounts, Reading, SelectRun, Storing, UpdatePlan,
    View,
};
use crate::output;
use crate::plan::{RangePlan, SelectPlan, StepRows};
use crate::table::OpenTable;
use crate::txn::{LockKey, LockMode, LockWait};
use crate::variables::{Counter, SqlMode};
use crate::vector::Executor;

/// How often a statement is planned again because a table changed meanwhile.
const REPLANS_MAX: u32 = 20;

/// Values of a statement's parameters.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) values: Vec<Value>,
    pub(crate) types: Vec<SqlType>,
}

impl Session {
    /// SELECT, INSERT, REPLACE, UPDATE and DELETE
    pub(crate) async fn rows_statement(
        &mut self,
        sql: &[u8],
        statement: &S,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let is_query = matches!(statement, S::Query(_));
        if !is_query {
            self.refuse_in_read_only()?;
        }
        let limit_ms = self.time_limit_ms(is_query);
        let (env, interrupt) = (self.server.env.clone(), self.process.interrupt.clone());
        let run = pin!(async {
            let mut unit = self.unit();
            let result = match self.settled(sql, statement, arguments, &mut unit).await {
                Ok(compiled) => self.run(&compiled, arguments, &mut unit, response).await,
                Err(error) => Err(error),
            };
            self.end_unit(unit, result).await
        });
        within(limit_ms, &env, &interrupt, run).await
    }

    /// `max_execution_time`, which is for queries.
    pub(super) fn time_limit_ms(&self, is_query: bool) -> u64 {
        if is_query { self.values.variables.hot().max_execution_time } else { 0 }
    }

    /// The statement compiled, its tables locked against changes of their definitions.
    async fn settled(
        &mut self,
        sql: &[u8],
        statement: &S,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<Compiled, Ended> {
        for _ in 0..REPLANS_MAX {
            let mark = self.warnings.mark();
            let (types, values) = (&arguments.types, &arguments.values);
            let mut compiled = self.compile(sql, statement, types, values)?;
            if self.gather_lacking().await {
                self.warnings.rewind(mark);
                compiled = self.compile(sql, statement, types, values)?;
            }
            if Box::pin(self.lock_tables(unit, &compiled.tables)).await? {
                return Ok(compiled);
            }
            self.warnings.rewind(mark);
        }
        Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into())
    }

    /// Runs a statement that was compiled before; `None` if it has to be compiled again.
    pub(crate) async fn run_compiled(
        &mut self,
        compiled: &Compiled,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Option<Result<Outcome, Ended>> {
        match &compiled.work {
            Work::Query(plan) => {
                if let Some(result) = self.run_point(compiled, plan, arguments, response).await {
                    return Some(result);
                }
            }
            _ => {
                if let Err(error) = self.refuse_in_read_only() {
                    return Some(Err(error.into()));
                }
            }
        }
        let mut unit = self.unit();
        // A snapshot by itself keeps what it shows, and a table that is changed behind its
        // back keeps the rows that it had: only who reads several times needs locks.
        let settled =
            if unit.single && compiled.is_plain_read() && self.table_locks == TableLocks::None {
                unit.transaction.snapshot();
                Ok(self.server.catalog.epoch() == compiled.epoch)
            } else {
                Box::pin(self.lock_tables(&mut unit, &compiled.tables)).await
            };
        let result = match settled {
            Ok(true) => self.run(compiled, arguments, &mut unit, response).await,
            Ok(false) => {
                let ended = self.end_unit(unit, Ok(())).await;
                return ended.err().map(Err);
            }
            Err(error) => Err(error),
        };
        Some(self.end_unit(unit, result).await)
    }

    /// Locks the definitions of tables. `false` if one of them is no longer what the plan
    /// was made for.
    pub(super) async fn lock_tables(
        &self,
        unit: &mut Unit,
        tables: &[(Arc<OpenTable>, LockMode)],
    ) -> Result<bool, Ended> {
        let seconds = self.values.variables.hot().lock_wait_timeout;
        let wait = LockWait::For(std::time::Duration::from_secs(seconds));
        // Plain reads of SERIALIZABLE transactions lock rows.
        let shares = !unit.single && unit.transaction.plain_read() == crate::txn::PlainRead::Share;
        let locked_as = |mode: LockMode| match mode {
            LockMode::IntentionShared if shares => LockMode::RowsLocked,
            mode => mode,
        };
        for (table, mode) in tables {
            if table.temporary {
                unit.transaction.cover(table.descriptor().space());
                continue;
            }
            self.may_use(table, *mode == LockMode::IntentionExclusive)?;
            let (key, mode) = (LockKey::Table(u64::from(table.descriptor().id)), locked_as(*mode));
            // Who has very many rows has the table: it is waited for as for rows.
            let escalated = mode != LockMode::IntentionShared
                && self.server.transactions.locks().is_escalated(&key);
            let wait = if escalated { self.lock_wait() } else { wait };
            let locked = unit.transaction.lock(key, mode, wait).await;
            locked.map_err(|error| from_transaction(&error))?;
        }
        // An index that was made, or rows that were copied, after the snapshot: it does not
        // see them.
        let snapshot = self.server.catalog.snapshot();
        if let Some(seq) = unit.transaction.snapshot_seq() {
            let valid = |(table, mode): &(Arc<OpenTable>, LockMode)| {
                table.temporary
                    || locked_as(*mode) != LockMode::IntentionShared
                    || seq >= snapshot.rows_since(table.descriptor().id)
            };
            if !tables.iter().all(valid) {
                return Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into());
            }
        }
        Ok(tables.iter().filter(|(table, _)| !table.temporary).all(|(table, _)| {
            let descriptor = table.descriptor();
            snapshot
                .table_by_id(descriptor.id)
                .is_some_and(|now| now.descriptor.version == descriptor.version)
        }))
    }

    /// By itself in memory: what is around it is copied from call to call.
    async fn run(
        &mut self,
        compiled: &Compiled,
        arguments: &Arguments,
        unit: &mut Unit,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        if !knows_indexes(&compiled.work, unit) {
            return Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into());
        }
        match &compiled.work {
            Work::Query(plan) => match self.read_as_range(plan, unit) {
                Some(range) => {
                    Box::pin(self.run_range(plan, range, arguments, unit, response)).await
                }
                None => Box::pin(self.run_query(plan, arguments, unit, response)).await,
            },
            Work::Insert(plan) => Box::pin(self.run_insert(plan, arguments, unit)).await,
            Work::Update(plan) => Box::pin(self.run_update(plan, arguments, unit)).await,
            Work::Delete(plan) => Box::pin(self.run_delete(plan, arguments, unit)).await,
        }
    }

    /// How a query reads that locks nothing itself.
    fn plain_reading(plan: &QueryPlan, unit: &Unit) -> Reading {
        let shares = !unit.single
            && unit.transaction.plain_read() == crate::txn::PlainRead::Share
            && !plan.select.steps.is_empty();
        if shares { Reading::Locking(LockMode::Shared) } else { Reading::Snapshot }
    }

    /// A query's view of a transaction.
    fn query_view<'t>(&self, plan: &QueryPlan, unit: &'t mut Unit) -> View<'t> {
        let plain = Self::plain_reading(plan, unit);
        let mut view = View::new(&mut unit.transaction, plain, self.lock_wait());
        let _ = view.enter(&plan.select.select);
        view
    }

    /// Runs a query for EXPLAIN ANALYZE: its rows go nowhere.
    pub(super) async fn measured(
        &mut self,
        sql: &[u8],
        statement: &S,
        arguments: &Arguments,
    ) -> Result<(Box<SelectPlan>, Measures), Ended> {
        let limit_ms = self.time_limit_ms(true);
        let (env, interrupt) = (self.server.env.clone(), self.process.interrupt.clone());
        let run = pin!(async {
            let mut unit = self.unit();
            let result = match self.settled(sql, statement, arguments, &mut unit).await {
                Ok(compiled) => self.measured_in(compiled, arguments, &mut unit).await,
                Err(error) => Err(error),
            };
            self.end_unit(unit, result).await
        });
        within(limit_ms, &env, &interrupt, run).await
    }

    async fn measured_in(
        &mut self,
        compiled: Compiled,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<(Box<SelectPlan>, Measures), Ended> {
        let Work::Query(plan) = compiled.work else {
            return Err(SqlError::not_supported_yet("EXPLAIN ANALYZE of this statement").into());
        };
        let measures = Measures::new(self.server.env.clone());
        // What is measured is known by its place in memory.
        let settings = Arc::clone(&self.settings);
        let mut view = self.query_view(&plan, unit).measuring(measures);
        let plan = Box::new(plan.select);
        let limit = self.values.variables.hot().sql_select_limit;
        let mut run = SelectRun::new(&plan, &arguments.values).limited(limit);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        while run.next(&mut view, &mut cx).await?.is_some() {}
        drop((run, cx));
        let measures = view.into_measures();
        let measures = measures.unwrap_or_else(|| Measures::new(self.server.env.clone()));
        Ok((plan, measures))
    }

    fn executor(&self) -> Executor {
        Executor::from_index(self.values.variables.hot().firn_executor)
    }

    /// The range of one table that a query reads, if it is read as such.
    fn read_as_range<'q>(&self, plan: &'q QueryPlan, unit: &Unit) -> Option<&'q RangePlan> {
        let over_batches = match self.executor() {
            Executor::Direct => false,
            Executor::Auto => plan.select.select.grouped && plan.select.costs.favour_batches(),
            Executor::Vector => true,
        };
        let plain = !plan.locks && Self::plain_reading(plan, unit) == Reading::Snapshot;
        plan.range.as_ref().filter(|_| plain && !over_batches)
    }

    async fn run_query(
        &mut self,
        plan: &QueryPlan,
        arguments: &Arguments,
        unit: &mut Unit,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let select = &plan.select.select;
        let executor = self.executor();
        let status = self.status_flags_in(unit);
        let limit = self.values.variables.hot().sql_select_limit;
        let settings = Arc::clone(&self.settings);
        let mut view = self.query_view(plan, unit).by(executor);
        let mut run = SelectRun::new(&plan.select, &arguments.values).limited(limit);
        match &select.into {
            Destination::Client => {}
            Destination::Variables(names) => {
                return Box::pin(self.set_variables(plan, names, run, view, &settings)).await;
            }
            Destination::Outfile(_) | Destination::Dumpfile(_) => {
                return Box::pin(self.write_file(plan, run, view, &settings)).await;
            }
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
        let reads = Arc::clone(view.reads());
        self.count_reads(&reads);
        let batches = view.over_batches();
        if batches.blocks + batches.scans > 0 {
            let copied = batches.copied_rows.load(Ordering::Relaxed);
            let read = batches.read_rows.load(Ordering::Relaxed);
            for (counter, count) in [
                (Counter::FirnVectorBlocks, batches.blocks),
                (Counter::FirnVectorScans, batches.scans),
                (Counter::FirnVectorGivenUp, batches.given_up),
                (Counter::FirnVectorRowsCopied, copied),
                (Counter::HandlerReadRndNext, read),
            ] {
                self.counters.add(&self.server.counters, counter, count);
            }
        }
        self.values.found_rows = found;
        self.values.row_count = -1;
        Ok(Outcome::Sent)
    }

    /// Counts how rows were read.
    pub(super) fn count_reads(&mut self, reads: &ReadCounts) {
        for (counter, count) in reads.counted() {
            self.counters.add(&self.server.counters, counter, count);
        }
    }

    /// SELECT … INTO @a, …
    async fn set_variables(
        &mut self,
        plan: &QueryPlan,
        names: &[String],
        mut run: SelectRun<'_>,
        mut view: View<'_>,
        settings: &Settings,
    ) -> Result<Outcome, Ended> {
        let select = &plan.select.select;
        if names.len() != select.items.len() {
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
        for ((name, item), value) in names.iter().zip(&select.items).zip(row) {
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
            if has_query(expr) {
                self.scalar(sql, expr, arguments).await?;
                continue;
            }
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
            let block = Block::without_queries();
            let scope = StatementScope::of_tables(*statement, &block, &[], "field list");
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
            each_row: false,
            altering: false,
            zone,
            now,
            numbering: {
                let hot = self.values.variables.hot();
                (hot.auto_increment_increment, hot.auto_increment_offset)
            },
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
    pub(super) async fn run_insert(
        &mut self,
        plan: &InsertPlan,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<Outcome, Ended> {
        let single_row = match &plan.insert.source {
            InsertSource::Values(rows) => plan.query.is_none() && rows.len() == 1,
            InsertSource::Query(_) => false,
        };
        let zone = self.values.variables.zone().clone();
        let storing = self.storing(&zone, plan.insert.ignore, single_row);
        let found_rows = self.login.capabilities.contains(Capabilities::FOUND_ROWS);
        let settings = Arc::clone(&self.settings);
        let wait = self.lock_wait();
        let reading = Reading::Locking(LockMode::Exclusive);
        let relations = CatalogRelations::new(self);
        let mut view = View::new(&mut unit.transaction, reading, wait).relating(&relations);
        self.values.given_id = None;
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let reads = Arc::clone(view.reads());
        let (params, mut done) = (&arguments.values, execute::Inserted::default());
        let result = execute::insert(plan, &storing, params, &mut view, &mut cx, &mut done).await;
        self.count_reads(&reads);
        // Rows that were written before it failed count here.
        if let Some(id) = done.first_id() {
            self.values.variables.facts.last_insert_id = id;
        }
        result?;
        let affected = done.affected(found_rows);
        self.values.row_count = affected.cast_signed();
        let info = if single_row {
            String::new()
        } else {
            format!(
                "Records: {}  Duplicates: {}  Warnings: {}",
                done.records,
                done.duplicates(found_rows, plan.insert.ignore),
                self.warnings.total()
            )
        };
        let told = done.first_id().or(self.values.given_id);
        // Rows of a query are forgotten before ON DUPLICATE KEY UPDATE tells of them.
        let forgotten = plan.query.is_some() && !plan.insert.on_duplicate.is_empty();
        let last = if forgotten { 0 } else { done.told_id() };
        let last_insert_id = told.unwrap_or(last);
        Ok(Done { affected, last_insert_id, info, ..Done::default() }.into())
    }

    /// UPDATE
    async fn run_update(
        &mut self,
        plan: &UpdatePlan,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<Outcome, Ended> {
        self.refuse_unsafe(&plan.rows, &plan.targets)?;
        let zone = self.values.variables.zone().clone();
        let storing = Storing { each_row: true, ..self.storing(&zone, plan.ignore, false) };
        let settings = Arc::clone(&self.settings);
        let wait = self.lock_wait();
        let reading = Reading::Locking(LockMode::Exclusive);
        let relations = CatalogRelations::new(self);
        let mut view = View::new(&mut unit.transaction, reading, wait).relating(&relations);
        self.values.given_id = None;
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let reads = Arc::clone(view.reads());
        let done = execute::update(plan, &storing, &arguments.values, &mut view, &mut cx).await?;
        self.count_reads(&reads);
        let found_rows = self.login.capabilities.contains(Capabilities::FOUND_ROWS);
        let affected = if found_rows { done.matched } else { done.changed };
        self.values.row_count = affected.cast_signed();
        let info = format!(
            "Rows matched: {}  Changed: {}  Warnings: {}",
            done.matched,
            done.changed,
            self.warnings.total()
        );
        let last_insert_id = self.values.given_id.unwrap_or(0);
        Ok(Done { affected, last_insert_id, info, ..Done::default() }.into())
    }

    /// DELETE
    async fn run_delete(
        &mut self,
        plan: &DeletePlan,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<Outcome, Ended> {
        self.refuse_unsafe(&plan.rows, &plan.targets)?;
        let settings = Arc::clone(&self.settings);
        let wait = self.lock_wait();
        let reading = Reading::Locking(LockMode::Exclusive);
        let relations = CatalogRelations::new(self);
        let mut view = View::new(&mut unit.transaction, reading, wait).relating(&relations);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let reads = Arc::clone(view.reads());
        let deleted = execute::delete(plan, &arguments.values, &mut view, &mut cx).await?;
        self.count_reads(&reads);
        self.values.row_count = deleted.cast_signed();
        Ok(Done { affected: deleted, ..Done::default() }.into())
    }
}

/// Whether the snapshot of a plain read is not older than the indexes that it uses.
fn knows_indexes(work: &Work, unit: &Unit) -> bool {
    let (Work::Query(plan), Some(seq)) = (work, unit.transaction.snapshot_seq()) else {
        return true;
    };
    let mut all = true;
    plan.select.each(&mut |plan| {
        let locks = plan.select.locking.is_some();
        for step in &plan.steps {
            // What is locked is read as it is now.
            if locks && step.locked != Locked::Not {
                continue;
            }
            if let (StepRows::Stored(table), Some(access)) = (&step.rows, &step.access) {
                let has = |index| table.numbers.has_index(index, seq.0);
                all &= access.indexes().all(has);
            }
        }
    });
    all
}
