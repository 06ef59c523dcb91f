//! KILL, FLUSH, and statements that look after tables.

use std::time::Duration;

use firn_mysql_parser::ast::{self, Flush, FlushLock, FlushOption};
use firn_mysql_protocol::result::Response;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Row};
use firn_mysql_semantics::{Value, error::Warnings};

use super::Session;
use super::from_transaction;
use super::run::Arguments;
use super::show::{Filter, Shown};
use super::statement::{Done, Ended, Outcome};
use super::tables::SessionTables;
use crate::bind::{BoundSelect, TableSource, Tables as _};
use crate::catalog::Relation;
use crate::execute::{Reading, SelectRun, View, engine_error};
use crate::information_schema::cell::text;
use crate::plan::SelectPlan;
use crate::server::Process;
use crate::table::OpenTable;
use crate::txn::{IsolationLevel, LockWait, OwnerId};

/// OPTIMIZE TABLE ends if no merge of the table went on for so long: nobody merges.
const SETTLE_PATIENCE: Duration = Duration::from_secs(120);

/// Which statement looks after tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    Analyze,
    Check,
    Optimize,
    Repair,
}

impl Care {
    fn word(self) -> &'static str {
        match self {
            Self::Analyze => "analyze",
            Self::Check => "check",
            Self::Optimize => "optimize",
            Self::Repair => "repair",
        }
    }
}

impl Session {
    /// Whether the session may end another.
    ///
    /// # Errors
    /// 1095.
    pub(crate) fn may_kill(&self, process: &Process) -> Result<(), SqlError> {
        let access = self.access();
        if process.user == self.user() {
            return Ok(());
        }
        if access.has_any(&["SUPER", "CONNECTION_ADMIN"]) {
            return Ok(());
        }
        Err(SqlError::new(code::ER_KILL_DENIED_ERROR, &[u64::from(process.id).into()]))
    }

    /// KILL
    pub(crate) async fn kill_process(
        &mut self,
        sql: &[u8],
        query: bool,
        id: &ast::Expr,
        arguments: &Arguments,
    ) -> Result<Outcome, Ended> {
        let node = self.bind_expression(sql, id, &arguments.types)?;
        let settings = std::sync::Arc::clone(&self.settings);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let value =
            node.run(&mut cx, Row { columns: &[], params: &arguments.values })?.into_owned();
        let id = match value {
            Value::Int(id) => u64::try_from(id).ok(),
            Value::UInt(id) => Some(id),
            Value::Bytes(text) => {
                std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok())
            }
            _ => None,
        };
        let process =
            id.and_then(|id| u32::try_from(id).ok()).and_then(|id| self.server.processes.get(id));
        let Some(process) = process else {
            let id = id.unwrap_or_default().into();
            return Err(SqlError::new(code::ER_NO_SUCH_THREAD, &[id]).into());
        };
        self.may_kill(&process)?;
        process.kill(query);
        if process.id == self.id {
            return Err(SqlError::query_interrupted().into());
        }
        Ok(Done::default().into())
    }

    /// FLUSH. What is written is durable when its statement ends, and nothing is kept that
    /// would have to be read again: most forms have nothing to do.
    pub(crate) async fn flush(&mut self, what: &Flush) -> Result<Outcome, Ended> {
        match what {
            Flush::Tables { tables, lock: FlushLock::WithReadLock } if tables.is_empty() => {
                return self.lock_everything().await;
            }
            Flush::Tables { tables, lock: FlushLock::WithReadLock } => {
                return self.lock_for_reading(tables).await;
            }
            Flush::Tables { lock: FlushLock::ForExport, .. } => {
                return Err(SqlError::not_supported_yet("FLUSH TABLES … FOR EXPORT").into());
            }
            Flush::Tables { tables, lock: FlushLock::None } => {
                self.commit_open().await?;
                for name in tables {
                    SessionTables::unchecked(self).table(name)?;
                }
            }
            Flush::Options(options) => {
                self.commit_open().await?;
                if options.contains(&FlushOption::UserResources) {
                    self.server.usage.clear();
                }
                if options.contains(&FlushOption::Privileges) {
                    self.server.failures.clear();
                }
                if options.contains(&FlushOption::Status) {
                    self.counters.clear();
                }
                if options.iter().any(|one| matches!(one, FlushOption::RelayLogs(Some(_)))) {
                    return Err(SqlError::not_supported_yet("replication channels").into());
                }
            }
        }
        Ok(Done::default().into())
    }

    /// ANALYZE, CHECK, OPTIMIZE and REPAIR TABLE.
    pub(crate) async fn care(
        &mut self,
        sql: &[u8],
        care: Care,
        tables: &[ast::ObjectName],
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        self.commit_open().await?;
        let mut rows = Vec::new();
        for name in tables {
            let (schema, table) = self.full_name(name)?;
            let full = format!("{schema}.{table}");
            for (kind, message) in self.care_for(sql, care, name, &schema, &table).await? {
                rows.push(vec![text(&full), text(care.word()), text(kind), text(message)]);
            }
        }
        let shown = Shown::new("admin", rows);
        self.send_shown(sql, shown, Filter::None, &Arguments::default(), response).await
    }

    /// Kinds and texts of what there is to say of one table.
    async fn care_for(
        &mut self,
        sql: &[u8],
        care: Care,
        name: &ast::ObjectName,
        schema: &str,
        table: &str,
    ) -> Result<Vec<(&'static str, String)>, SqlError> {
        let failed = |error: &SqlError| {
            let status = if error.number() == code::ER_NO_SUCH_TABLE {
                "Operation failed"
            } else {
                "Corrupt"
            };
            vec![("Error", error.message().to_owned()), ("status", status.to_owned())]
        };
        let found = SessionTables::unchecked(self).table(name);
        let found = match found {
            Ok(found) => found.source,
            Err(error) => return Ok(failed(&error)),
        };
        let ok = ("status", "OK".to_owned());
        let catalog = self.server.catalog.snapshot();
        if !matches!(catalog.relation(schema, table), Some(Relation::Table(_))) {
            if care == Care::Check {
                return Ok(vec![ok]);
            }
            let arguments = [schema.into(), table.into(), "BASE TABLE".into()];
            let error = SqlError::new(code::ER_WRONG_OBJECT, &arguments);
            let status = ("status", "Operation failed".to_owned());
            return Ok(vec![("Error", error.message().to_owned()), status]);
        }
        match care {
            Care::Analyze => {
                if let TableSource::Stored(table) = &found {
                    self.analyze(table).await?;
                }
                Ok(vec![ok])
            }
            Care::Check => match self.read_whole(sql, name).await {
                Ok(()) => Ok(vec![ok]),
                Err(error) if error.number() == code::ER_QUERY_INTERRUPTED => Err(error),
                Err(error) => Ok(failed(&error)),
            },
            Care::Optimize => {
                if let TableSource::Stored(table) = &found {
                    match self.settle(table).await {
                        Ok(()) => self.analyze(table).await?,
                        Err(error) if error.number() == code::ER_QUERY_INTERRUPTED => {
                            return Err(error);
                        }
                        Err(error) => return Ok(failed(&error)),
                    }
                }
                Ok(vec![ok])
            }
            Care::Repair => {
                let note = "The storage engine for the table doesn't support repair";
                Ok(vec![("note", note.to_owned())])
            }
        }
    }

    /// Brings a table's rows to the bottom level, where its column copies are.
    async fn settle(&self, table: &OpenTable) -> Result<(), SqlError> {
        let space = table.codec.table().space();
        let db = self.server.transactions.db();
        let interrupt = &self.process.interrupt;
        tokio::select! {
            biased;
            _ = interrupt.interrupted() => {
                interrupt.check().map_err(|error| from_transaction(&error))
            }
            settled = db.settle(space, SETTLE_PATIENCE) => settled.map_err(engine_error),
        }
    }

    /// Reads and decodes all rows of a table.
    async fn read_whole(&mut self, sql: &[u8], name: &ast::ObjectName) -> Result<(), SqlError> {
        let query = ast::Query {
            with: None,
            body: ast::QueryBody::Table(name.clone()),
            order_by: Vec::new(),
            limit: None,
            locking: Vec::new(),
            into: None,
            span: ast::Span::default(),
        };
        let bound = self.bind(sql, &[], |one| BoundSelect::bind(one, &query))?;
        let plan = SelectPlan::new(bound)?;
        let owner = OwnerId(u64::from(self.id));
        let interrupt = self.process.interrupt.clone();
        let isolation = IsolationLevel::ReadCommitted;
        let mut transaction = self.server.transactions.begin(owner, isolation, interrupt);
        let mut view = View::new(&mut transaction, Reading::Snapshot, LockWait::NoWait);
        let settings = std::sync::Arc::clone(&self.settings);
        let mut warnings = Warnings::default();
        let mut cx = Cx::new(&settings, &mut self.values, &mut warnings);
        let mut run = SelectRun::new(&plan, &[]);
        while run.next(&mut view, &mut cx).await?.is_some() {}
        Ok(())
    }
}
