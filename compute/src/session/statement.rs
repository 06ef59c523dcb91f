//! Which statement does what.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Env, TaskClass};
use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_protocol::result::Response;
use firn_mysql_semantics::error::SqlError;
use parking_lot::Mutex;

use super::admin::Care;
use super::run::Arguments;
use super::{Session, hinted};
use crate::txn::{Interrupt, Why};

/// What a statement that sends no rows says of itself.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) affected: u64,
    pub(crate) last_insert_id: u64,
    pub(crate) info: String,
    pub(crate) changes: Vec<firn_mysql_protocol::result::StateChange>,
}

/// How a statement ended.
pub(crate) enum Outcome {
    /// An OK packet is to be sent.
    Done(Done),
    /// Its rows were sent.
    Sent,
}

impl From<Done> for Outcome {
    fn from(done: Done) -> Self {
        Self::Done(done)
    }
}

impl Session {
    /// Carries out one statement and sends its answer.
    pub(crate) async fn statement(
        &mut self,
        sql: &[u8],
        statement: &ast::Statement,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<(), Ended> {
        self.begin_statement(statement);
        let outcome = match self.admit(&statement.kind) {
            // By itself, so that a connection is not as large as the largest statement.
            Ok(()) => Box::pin(self.dispatch(sql, statement, arguments, response)).await,
            Err(error) => Err(error.into()),
        };
        self.answer(outcome, response).await
    }

    pub(super) async fn dispatch(
        &mut self,
        sql: &[u8],
        statement: &ast::Statement,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        if hinted::is_hinted(&statement.kind) {
            let given_back = self.set_by_hints(sql, &statement.kind);
            let run = Box::pin(self.carry_out(sql, statement, arguments, response));
            let outcome = run.await;
            self.give_back(given_back);
            return outcome;
        }
        self.carry_out(sql, statement, arguments, response).await
    }

    async fn carry_out(
        &mut self,
        sql: &[u8],
        statement: &ast::Statement,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        self.authorize(&statement.kind)?;
        match &statement.kind {
            rows @ (S::Query(_) | S::Insert(_) | S::Update(_) | S::Delete(_)) => {
                Box::pin(self.rows_statement(sql, rows, arguments, response)).await
            }
            S::Load(load) => Box::pin(self.load(sql, load, arguments, response)).await,
            S::Do(list) => Box::pin(self.run_do(sql, list, arguments)).await,
            S::Use(name) => self.use_schema(name.as_str()).await,

            S::Begin(begin) => self.start_transaction(begin).await,
            S::Commit(completion) => self.commit(completion).await,
            S::Rollback(completion) => self.rollback(completion).await,
            S::Savepoint(name) => self.savepoint(name.as_str()).await,
            S::RollbackTo(name) => self.rollback_to(name.as_str()).await,
            S::ReleaseSavepoint(name) => self.release_savepoint(name.as_str()),

            S::Set(_) | S::SetNames(_) | S::SetCharacterSet(_) | S::SetTransaction { .. } => {
                Box::pin(self.set(statement)).await
            }
            S::CreateUser(_)
            | S::AlterUser(_)
            | S::DropUser { .. }
            | S::RenameUser(_)
            | S::CreateRole { .. }
            | S::DropRole { .. }
            | S::Grant(_)
            | S::Revoke(_)
            | S::SetPassword(_)
            | S::SetDefaultRole { .. } => {
                Box::pin(self.change_accounts(sql, &statement.kind, response)).await
            }
            S::SetRole(set) => self.set_role(set),
            S::Show(show) => Box::pin(self.show(sql, show, arguments, response)).await,
            S::Explain(explain) => Box::pin(self.explain(sql, explain, arguments, response)).await,
            S::Describe(describe) => Box::pin(self.describe(sql, describe, response)).await,

            // There are no hosts to forget.
            S::TruncateTable(name) if self.is_host_cache(name) => Ok(Done::default().into()),
            S::CreateDatabase(_)
            | S::AlterDatabase(_)
            | S::DropDatabase { .. }
            | S::CreateTable(_)
            | S::AlterTable(_)
            | S::DropTable(_)
            | S::TruncateTable(_)
            | S::RenameTable(_)
            | S::CreateIndex(_)
            | S::DropIndex(_)
            | S::CreateView(_)
            | S::AlterView(_)
            | S::DropView(_) => Box::pin(self.define(sql, statement, arguments)).await,

            S::DropTrigger { if_exists, name } => {
                Box::pin(self.drop_trigger(*if_exists, name)).await
            }
            S::Kill { query, id } => self.kill_process(sql, *query, id, arguments).await,
            S::Flush { what, .. } => Box::pin(self.flush(what)).await,
            S::StartReplica(_) | S::StopReplica { .. } | S::Reset(_) => {
                Box::pin(self.replication(&statement.kind)).await
            }
            S::Shutdown => {
                self.server.ask_to_stop();
                Ok(Done::default().into())
            }
            S::AnalyzeTable(analyze) => match &analyze.histogram {
                None => Box::pin(self.care(sql, Care::Analyze, &analyze.tables, response)).await,
                Some(asked) => {
                    Box::pin(self.histograms(sql, &analyze.tables, asked, response)).await
                }
            },
            S::CheckTable(check) => {
                Box::pin(self.care(sql, Care::Check, &check.tables, response)).await
            }
            S::OptimizeTable { tables, .. } => {
                Box::pin(self.care(sql, Care::Optimize, tables, response)).await
            }
            S::RepairTable(repair) => {
                Box::pin(self.care(sql, Care::Repair, &repair.tables, response)).await
            }
            S::Prepare { name, source } => self.prepare_named(name.as_str(), source),
            S::Execute { name, using } => self.execute_named(name.as_str(), using, response).await,
            S::Deallocate(name) => self.deallocate_named(name.as_str()),
            S::LockTables(list) => Box::pin(self.lock_tables_by_name(list)).await,
            S::UnlockTables => Box::pin(self.unlock_tables_statement()).await,

            _ => Err(SqlError::not_supported_yet(name_of(&statement.kind)).into()),
        }
    }
}

/// Runs a statement that is told to end after so many milliseconds; 0: never.
pub(super) async fn within<T>(
    limit_ms: u64,
    env: &Env,
    interrupt: &Interrupt,
    run: impl Future<Output = T>,
) -> T {
    if limit_ms == 0 {
        return run.await;
    }
    // A task of its own: what computes or sleeps does not look at a timer. Once the
    // statement is over, nobody may interrupt the next one.
    let over = Arc::new(Mutex::new(false));
    let (timer, watched, interrupt) = (env.clone(), Arc::clone(&over), interrupt.clone());
    let watch = env.spawn(TaskClass::Foreground, "time limit", async move {
        timer.sleep(Duration::from_millis(limit_ms)).await;
        let over = watched.lock();
        if !*over {
            interrupt.set(Why::TimeLimit);
        }
    });
    let outcome = run.await;
    *over.lock() = true;
    watch.abort();
    outcome
}

/// How a statement can fail.
pub(crate) enum Ended {
    /// The client is told.
    Sql(SqlError),
    /// The connection is gone, or its stream is spoilt.
    Connection(firn_mysql_protocol::Error),
}

impl From<SqlError> for Ended {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<firn_mysql_protocol::Error> for Ended {
    fn from(error: firn_mysql_protocol::Error) -> Self {
        Self::Connection(error)
    }
}

/// What a statement that is not built is called.
fn name_of(kind: &S) -> &'static str {
    match kind {
        S::Call(_) => "CALL",
        S::Handler(_) => "HANDLER",
        S::ImportTable(_) => "IMPORT TABLE",
        S::Help(_) => "HELP",
        S::CreateRoutine(_) | S::AlterRoutine(_) | S::DropRoutine { .. } => "stored routines",
        S::CreateLoadable(_) => "loadable functions",
        S::CreateTrigger(_) => "triggers",
        S::CreateEvent(_) | S::AlterEvent(_) | S::DropEvent { .. } => "events",
        S::Xa(_) => "XA",
        _ => "this statement",
    }
}
