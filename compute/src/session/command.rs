//! The protocol's commands.

use std::pin::pin;
use std::time::Duration;

use firn_engine::{remote_span, root_span, trace};
use firn_mysql_parser::Parser;
use firn_mysql_parser::ast::{self, StatementKind};
use firn_mysql_protocol::command::{Parameter, ParameterValue};
use firn_mysql_protocol::result::{Column, Columns, Response, StateChange, Summary};
use firn_mysql_protocol::server::{self, Execution, Prepared, Query};
use firn_mysql_protocol::{ColumnType, Error, Result, StatusFlags};
use firn_mysql_semantics::SqlType;
use firn_mysql_semantics::error::{SqlError, code};
use tracing::{Instrument, Span};

use super::known::Plans;
use super::run::Arguments;
use super::statement::Ended;
use super::{Session, from_parser, parameters, preparable, to_protocol};
use crate::variables::Counter;

/// What a session keeps of a prepared statement.
pub struct PreparedStatement {
    sql: Vec<u8>,
    statement: ast::Statement,
    plans: Plans,
}

fn sent(error: &SqlError) -> Error {
    Error::Sql(to_protocol(error))
}

impl From<Ended> for Error {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Sql(error) => sent(&error),
            Ended::Connection(error) => error,
        }
    }
}

/// The query attribute in which a client names its own span.
const TRACEPARENT: &[u8] = b"traceparent";

/// Runs a command within its span.
async fn traced<T>(
    run: impl Future<Output = std::result::Result<T, Ended>>,
    span: Span,
) -> std::result::Result<T, Ended> {
    let result = run.instrument(span.clone()).await;
    match &result {
        // Its text may show data.
        Err(Ended::Sql(error)) => trace::failed(&span, &format_args!("error {}", error.number())),
        Err(Ended::Connection(error)) => trace::failed(&span, error),
        Ok(_) => {}
    }
    result
}

/// Whether a text without a statement has a comment.
fn is_comment(text: &[u8]) -> bool {
    text.iter().any(|byte| !byte.is_ascii_whitespace() && *byte != b';')
}

impl Session {
    /// The span of a command: within the client's, if it names one.
    fn span(&self, command: &'static str, attributes: &[Parameter<'_>]) -> Span {
        if !trace::is_on() {
            return Span::none();
        }
        let named = attributes.iter().find(|attribute| attribute.name == TRACEPARENT);
        if let Some(ParameterValue::Bytes(parent)) = named.map(|attribute| attribute.value) {
            return remote_span!(
                parent,
                "statement",
                otel.kind = "server",
                otel.name = command,
                connection = self.id,
            );
        }
        root_span!(
            &self.server.env,
            "statement",
            otel.kind = "server",
            otel.name = command,
            connection = self.id,
        )
    }

    /// Carries out the statements of a text, one after the other.
    async fn run_text(
        &mut self,
        sql: &[u8],
        several: bool,
        response: &mut Response<'_>,
    ) -> std::result::Result<(), Ended> {
        // Clients in C send the end of their string, too.
        let sql = self.in_utf8(sql.strip_suffix(b"\0").unwrap_or(sql))?;
        if self.run_known(&sql, response).await? {
            return Ok(());
        }
        let mut from = 0;
        loop {
            self.parser.set_mode(self.values.variables.parser_options().mode);
            let parsed = self.parser.parse_next(&sql, from);
            let parsed = match parsed {
                Ok(parsed) => parsed,
                // What is only a comment is carried out; what is nothing at all is not.
                Err(error) if error.code() == code::ER_EMPTY_QUERY && is_comment(&sql[from..]) => {
                    self.warnings.clear();
                    response.ok(&Summary::new(self.status_flags()))?;
                    return Ok(());
                }
                Err(error) => return Err(self.failed(from_parser(&error)).into()),
            };
            if parsed.params > 0 {
                let near = String::from_utf8_lossy(&sql[from..]).into_owned();
                let at = near.find('?').unwrap_or_default();
                return Err(self.failed(SqlError::parse_error(&near[at..], 1)).into());
            }
            let rest = sql[parsed.end..].iter().all(u8::is_ascii_whitespace);
            if !rest && !several {
                let near = String::from_utf8_lossy(&sql[parsed.end..]).trim_start().to_owned();
                let line = sql[..parsed.end].iter().filter(|byte| **byte == b'\n').count();
                return Err(self.failed(SqlError::parse_error(&near, line as u32 + 1)).into());
            }
            if from == 0 && self.run_kept(&sql, &parsed.statement, response).await? {
                return Ok(());
            }
            self.statement(&sql, &parsed.statement, &Arguments::default(), response).await?;
            if rest {
                return Ok(());
            }
            from = parsed.end;
        }
    }

    /// An error before a statement began is its only condition.
    fn failed(&mut self, error: SqlError) -> SqlError {
        self.warnings.clear();
        self.warnings.push(firn_mysql_semantics::error::Level::Error, error.clone());
        error
    }
}

impl server::Session for Session {
    type Statement = PreparedStatement;

    fn status(&self) -> StatusFlags {
        self.status_flags()
    }

    fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.values.variables.hot().wait_timeout)
    }

    async fn query(&mut self, query: Query<'_>, response: &mut Response<'_>) -> Result<()> {
        self.working("Query", Some(query.sql));
        let span = self.span("query", query.attributes);
        let result = {
            let run = pin!(self.run_text(query.sql, query.multi_statements, response));
            traced(run, span).await
        };
        self.working("Sleep", None);
        Ok(result?)
    }

    async fn prepare(&mut self, sql: &[u8]) -> Result<Prepared<PreparedStatement>> {
        let sql = self.in_utf8(sql).map_err(|error| sent(&error))?.into_owned();
        self.admit_command().map_err(|error| sent(&error))?;
        self.warnings.clear();
        self.count(Counter::ComStmtPrepare);
        self.parser.set_mode(self.values.variables.parser_options().mode);
        let parsed = self.parser.parse_next(&sql, 0);
        let parsed = parsed.map_err(|error| sent(&from_parser(&error)))?;
        if !sql[parsed.end..].iter().all(u8::is_ascii_whitespace) {
            let near = String::from_utf8_lossy(&sql[parsed.end..]).into_owned();
            return Err(sent(&SqlError::parse_error(near.trim_start(), 1)));
        }
        preparable::check(&parsed.statement.kind).map_err(|error| sent(&error))?;
        let types = vec![SqlType::NULL; parsed.params as usize];
        let columns = match &parsed.statement.kind {
            StatementKind::Query(query) => {
                self.begin_settings();
                let plan = self.plan_query(&sql, query, &types).map_err(|error| sent(&error))?;
                if plan.select.select.into.is_client() { plan.columns } else { Columns::default() }
            }
            _ => Columns::default(),
        };
        let parameter = Column::new("?", ColumnType::VarString, 63, 0);
        Ok(Prepared {
            parameters: vec![parameter; parsed.params as usize],
            columns,
            warnings: self.warnings.packet_count(),
            statement: PreparedStatement { sql, statement: parsed.statement, plans: Plans::new() },
        })
    }

    async fn execute(
        &mut self,
        statement: &mut PreparedStatement,
        execution: Execution<'_>,
        response: &mut Response<'_>,
    ) -> Result<()> {
        self.working("Execute", Some(&statement.sql));
        self.count(Counter::ComStmtExecute);
        let connection = self.connection_collation();
        let (values, types) = execution
            .parameters
            .iter()
            .map(|parameter| parameters::value_of(parameter, connection))
            .unzip();
        let arguments = Arguments { values, types };
        let PreparedStatement { sql, statement, plans } = statement;
        let span = self.span("execute", execution.attributes);
        let result = {
            let run = pin!(self.run_prepared(sql, statement, plans, &arguments, response));
            traced(run, span).await
        };
        self.working("Sleep", None);
        Ok(result?)
    }

    async fn init_db(&mut self, schema: &[u8]) -> Result<Summary> {
        let name = String::from_utf8_lossy(schema).into_owned();
        self.admit_command().map_err(|error| sent(&error))?;
        self.warnings.clear();
        match self.use_schema(&name).await {
            Ok(_) => {
                let changes = vec![StateChange::Schema(name)];
                Ok(Summary { changes, ..Summary::new(self.status_flags()) })
            }
            Err(ended) => Err(ended.into()),
        }
    }

    async fn field_list(
        &mut self,
        table: &[u8],
        pattern: &[u8],
    ) -> Result<Vec<(Column, Option<Vec<u8>>)>> {
        let (table, pattern) = (String::from_utf8_lossy(table), String::from_utf8_lossy(pattern));
        self.admit_command().map_err(|error| sent(&error))?;
        self.columns_of(&table, &pattern).map_err(|error| sent(&error))
    }

    async fn statistics(&mut self) -> Result<String> {
        Ok(self.statistics_line())
    }

    async fn kill(&mut self, connection_id: u32) -> Result<()> {
        match self.server.processes.get(connection_id) {
            Some(process) => {
                self.may_kill(&process).map_err(|error| sent(&error))?;
                process.kill(false);
                Ok(())
            }
            None => {
                let id = u64::from(connection_id).into();
                Err(sent(&SqlError::new(code::ER_NO_SUCH_THREAD, &[id])))
            }
        }
    }

    async fn debug(&mut self) -> Result<()> {
        Ok(())
    }

    async fn reset(&mut self) -> Result<()> {
        self.roll_back_open();
        self.drop_all_temporary().await;
        self.values.reset();
        self.warnings.clear();
        self.parser = Parser::new(self.values.variables.parser_options());
        self.unlock_tables();
        self.prepared.clear();
        self.counters.clear();
        self.locks = self.server.lock_set(self.id);
        Ok(())
    }

    async fn close(mut self) {
        self.roll_back_open();
        self.drop_all_temporary().await;
        self.server.processes.remove(self.id);
    }
}
