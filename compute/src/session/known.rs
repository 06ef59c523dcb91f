//! Statements that were compiled before.
//!
//! A text is looked up by its shape; a prepared statement keeps what it was compiled to,
//! for each kind of parameters that it was given.

use std::sync::Arc;

use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_protocol::result::{Response, Summary};

use super::compiled::{Compiled, Work};
use super::run::Arguments;
use super::statement::{Ended, Outcome, within};
use super::{Session, hinted};
use crate::plan_cache;

/// Kinds of parameters for which a prepared statement keeps a plan.
const PREPARED_PLANS_MAX: usize = 4;

/// What a prepared statement was compiled to, the newest last.
pub(crate) type Plans = Vec<Arc<Compiled>>;

/// Whether a text may begin a statement that is kept.
fn may_be_kept(sql: &[u8]) -> bool {
    let first = sql.iter().find(|byte| !byte.is_ascii_whitespace());
    first.is_some_and(|byte| {
        matches!(byte.to_ascii_lowercase(), b's' | b'i' | b'u' | b'd' | b'r' | b'/')
    })
}

impl Session {
    /// Carries out a text that was compiled before; `false` if it was not, or has to be
    /// compiled again. The text's shape is left in `self.shape`.
    pub(super) async fn run_known(
        &mut self,
        sql: &[u8],
        response: &mut Response<'_>,
    ) -> Result<bool, Ended> {
        if !self.read_shape(sql) {
            return Ok(false);
        }
        let Some(epoch) = self.server.catalog.epoch() else { return Ok(false) };
        self.begin_settings();
        let setting = self.setting();
        let Some(found) = self.server.plans.find(sql, &self.shape, &setting, epoch) else {
            return Ok(false);
        };
        let Some(arguments) = self.literal_arguments(&found.free) else { return Ok(false) };
        self.run_again(&found.plan, &arguments, response).await
    }

    /// Carries out what is compiled; `false` if it has to be compiled again.
    async fn run_again(
        &mut self,
        compiled: &Compiled,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<bool, Ended> {
        self.refresh_access();
        if !compiled.uses.is_current(self.access())
            || compiled.is_outgrown(self.server.transactions.db())
        {
            return Ok(false);
        }
        self.begin_counted(compiled.counter, false);
        if let Err(error) = self.admit_kind(!matches!(compiled.work, Work::Query(_)), false) {
            self.answer(Err(error.into()), response).await?;
            return Ok(true);
        }
        if let Err(error) = compiled.uses.check(self.access()) {
            self.answer(Err(error.into()), response).await?;
            return Ok(true);
        }
        let limit_ms = self.time_limit_ms(matches!(compiled.work, Work::Query(_)));
        let outcome = if limit_ms == 0 {
            self.run_compiled(compiled, arguments, response).await
        } else {
            let (env, interrupt) = (self.server.env.clone(), self.process.interrupt.clone());
            let run = self.run_compiled(compiled, arguments, response);
            Box::pin(within(limit_ms, &env, &interrupt, run)).await
        };
        match outcome {
            Some(outcome) => {
                self.answer(outcome, response).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Reads the shape of a text. `false` if nothing is to be looked up by it.
    fn read_shape(&mut self, sql: &[u8]) -> bool {
        self.shape.key.clear();
        // Names may be those of tables that only this session has.
        let private = !self.temporary.is_empty();
        if private || !may_be_kept(sql) || sql.len() > plan_cache::TEXT_BYTES_MAX {
            return false;
        }
        self.parser.set_mode(self.values.variables.parser_options().mode);
        let read = self.parser.shape(sql, 0, &mut self.shape);
        let whole = read.is_ok() && sql[self.shape.end..].iter().all(u8::is_ascii_whitespace);
        if !whole || self.shape.key.len() > plan_cache::SHAPE_BYTES_MAX {
            self.shape.key.clear();
            return false;
        }
        true
    }

    /// The literals of `self.shape` that are parameters, as such.
    fn literal_arguments(&self, free: &[usize]) -> Option<Arguments> {
        let connection = self.settings.connection_collation;
        let mut arguments = Arguments {
            values: Vec::with_capacity(free.len()),
            types: Vec::with_capacity(free.len()),
        };
        for at in free {
            let (_, literal) = self.shape.literals.get(*at)?;
            let (value, ty) = plan_cache::argument_of(literal, connection)?;
            arguments.values.push(value);
            arguments.types.push(ty);
        }
        Some(arguments)
    }

    /// Compiles the statement of `self.shape` for the plan cache, and carries it out;
    /// `false` if it is none that is kept.
    pub(super) async fn run_kept(
        &mut self,
        sql: &[u8],
        statement: &ast::Statement,
        response: &mut Response<'_>,
    ) -> Result<bool, Ended> {
        let rows =
            matches!(statement.kind, S::Query(_) | S::Insert(_) | S::Update(_) | S::Delete(_));
        if self.shape.key.is_empty() || !rows || hinted::is_hinted(&statement.kind) {
            return Ok(false);
        }
        self.begin_settings();
        let connection = self.settings.connection_collation;
        // Which literals are no parameters, binding says: it is asked once for each shape.
        let mut stay = self.server.plans.which_stay(&self.shape);
        for _ in 0..2 {
            let mut kind = statement.kind.clone();
            let free: Arc<[usize]> =
                plan_cache::into_parameters(&mut kind, &self.shape, connection, &stay).into();
            let Some(arguments) = self.literal_arguments(&free) else { return Ok(false) };
            let mark = self.warnings.mark();
            let mut compiled = self.compile(sql, &kind, &arguments.types, &arguments.values);
            self.warnings.rewind(mark);
            if self.gather_lacking().await {
                compiled = self.compile(sql, &kind, &arguments.types, &arguments.values);
                self.warnings.rewind(mark);
            }
            // What is wrong with the statement, it is told when it is compiled as it is.
            let Some(compiled) = compiled.ok().filter(|one| one.shared) else { return Ok(false) };
            let Some(epoch) = compiled.epoch else { return Ok(false) };
            if compiled.converted.is_empty() {
                let compiled = Arc::new(compiled);
                let (setting, plan) = (compiled.setting.clone(), Arc::clone(&compiled));
                self.server.plans.keep(sql, &self.shape, free, setting, epoch, plan);
                return self.run_again(&compiled, &arguments, response).await;
            }
            stay.resize(self.shape.literals.len(), false);
            compiled.converted.iter().for_each(|at| stay[free[*at]] = true);
        }
        Ok(false)
    }

    /// Carries out a prepared statement.
    pub(super) async fn run_prepared(
        &mut self,
        sql: &[u8],
        statement: &ast::Statement,
        plans: &mut Plans,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<(), Ended> {
        let rows =
            matches!(statement.kind, S::Query(_) | S::Insert(_) | S::Update(_) | S::Delete(_));
        if !rows || hinted::is_hinted(&statement.kind) {
            return self.statement(sql, statement, arguments, response).await;
        }
        self.begin_settings();
        let setting = self.setting();
        if let Some(epoch) = self.server.catalog.epoch().filter(|_| self.temporary.is_empty()) {
            self.refresh_access();
            let access = self.access();
            plans.retain(|plan| plan.epoch == Some(epoch) && plan.uses.is_current(access));
            let fresh = plans.iter().find(|plan| plan.is_fresh(&setting, &arguments.types, epoch));
            if let Some(plan) = fresh.map(Arc::clone) {
                if self.run_again(&plan, arguments, response).await? {
                    return Ok(());
                }
                plans.retain(|one| !Arc::ptr_eq(one, &plan));
            }
            let mut compiled = self.compiled_for(sql, &statement.kind, arguments);
            if self.gather_lacking().await {
                compiled = self.compiled_for(sql, &statement.kind, arguments);
            }
            if let Some(plan) = compiled {
                if plans.len() >= PREPARED_PLANS_MAX {
                    plans.remove(0);
                }
                plans.push(Arc::clone(&plan));
                if self.run_again(&plan, arguments, response).await? {
                    return Ok(());
                }
            }
        }
        self.statement(sql, statement, arguments, response).await
    }

    /// A prepared statement, compiled for parameters of any length if that does not
    /// matter; `None` if it is not to be kept.
    fn compiled_for(
        &mut self,
        sql: &[u8],
        kind: &S,
        arguments: &Arguments,
    ) -> Option<Arc<Compiled>> {
        let Arguments { types, values } = arguments;
        let mark = self.warnings.mark();
        let general = super::compiled::general(types);
        let mut compiled = None;
        if general != *types {
            let of_any_length = self.compile(sql, kind, &general, values).ok();
            compiled = of_any_length.filter(|one| one.direct);
        }
        if compiled.is_none() {
            compiled = self.compile(sql, kind, types, values).ok();
        }
        self.warnings.rewind(mark);
        compiled.filter(|one| one.shared).map(Arc::new)
    }

    /// Sends what a statement that sends no rows has to say.
    pub(super) async fn answer(
        &mut self,
        outcome: Result<Outcome, Ended>,
        response: &mut Response<'_>,
    ) -> Result<(), Ended> {
        let outcome = self.end_statement(outcome).await?;
        if let Outcome::Done(done) = outcome {
            let summary = Summary {
                affected_rows: done.affected,
                last_insert_id: done.last_insert_id,
                status: self.status_flags(),
                warnings: self.warnings.packet_count(),
                info: done.info.into(),
                changes: done.changes,
            };
            response.ok(&summary)?;
        }
        Ok(())
    }
}
