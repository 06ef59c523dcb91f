//! Commands, carried out.

use super::authenticate::{Claim, Exchange};
use super::connection::Connection;
use super::service::{Execution, Prepared, Query, Service, Session};
use super::statements::Statement;
use crate::command::{Command, Execute, PARAMETERS_MAX, Parameter, decode_parameters};
use crate::error::{Error, Result, SqlError};
use crate::flags::{Capabilities, StatusFlags};
use crate::handshake::ChangeUser;
use crate::packet::{Decoder, PacketBuffer, put_lenenc_bytes};
use crate::result::{Columns, Response, Summary, put_eof, put_error, put_ok};

/// Wrong passwords in COM_CHANGE_USER before the connection ends.
const FAILED_CHANGES_MAX: u32 = 3;

/// What comes after a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    Continue,
    Quit,
}

/// Carries out one command. Its answer is in the write buffer afterwards, as
/// far as it was not sent yet. An error ends the connection.
pub(super) async fn carry_out<S: Service>(
    connection: &mut Connection<S>,
    payload: &[u8],
) -> Result<Flow> {
    let capabilities = connection.login.capabilities;
    let command = Command::decode(payload, capabilities)?;
    match connection.answer(command).await {
        Ok(flow) => Ok(flow),
        Err(Error::Sql(error)) => {
            put_error(&mut connection.channel.output, capabilities, &error);
            Ok(Flow::Continue)
        }
        Err(error) => Err(error),
    }
}

impl<S: Service> Connection<S> {
    fn session(&mut self) -> Result<&mut S::Session> {
        self.session.as_mut().ok_or(Error::Misuse("no session"))
    }

    async fn answer(&mut self, command: Command<'_>) -> Result<Flow> {
        match command {
            Command::Query { sql, attributes } => self.query(sql, &attributes).await?,
            Command::Execute(execute) => self.execute(execute).await?,
            // By themselves, so that a connection is not as large as the largest of them.
            other => return Box::pin(self.answer_other(other)).await,
        }
        Ok(Flow::Continue)
    }

    async fn answer_other(&mut self, command: Command<'_>) -> Result<Flow> {
        match command {
            Command::Query { .. } | Command::Execute(_) => {
                return Err(Error::Misuse("a command that is answered elsewhere"));
            }
            Command::Quit => return Ok(Flow::Quit),
            Command::Prepare(sql) => self.prepare(sql).await?,
            Command::Close(id) => self.statements.remove(id),
            Command::SendLongData { statement, parameter, data } => {
                self.statements.append_long_data(statement, parameter, data);
            }
            Command::Reset(id) => {
                self.statements.get(id)?.cursor = None;
                self.statements.clear_long_data(id);
                self.put_ok();
            }
            Command::Fetch { statement, rows } => self.fetch(statement, rows).await?,
            Command::Ping => self.put_ok(),
            Command::InitDb(schema) => {
                let summary = self.session()?.init_db(schema).await?;
                put_ok(&mut self.channel.output, self.login.capabilities, &summary);
            }
            Command::FieldList { table, pattern } => self.field_list(table, pattern).await?,
            Command::Statistics => {
                let line = self.session()?.statistics().await?;
                self.channel.output.packet(line.as_bytes());
            }
            Command::ProcessKill(id) => {
                self.session()?.kill(id).await?;
                self.put_ok();
            }
            Command::Debug => {
                self.session()?.debug().await?;
                self.put_eof();
            }
            Command::SetMultiStatements(on) => {
                self.login.capabilities.set(Capabilities::MULTI_STATEMENTS, on);
                self.put_eof();
            }
            Command::ResetConnection => {
                self.statements.clear();
                self.session()?.reset().await?;
                self.put_ok();
            }
            Command::ChangeUser(change) => return self.change_user(change).await,
            Command::Unknown(_) => return Err(Error::Sql(SqlError::unknown_command())),
        }
        Ok(Flow::Continue)
    }

    fn status(&self) -> StatusFlags {
        self.session.as_ref().map_or(StatusFlags::EMPTY, Session::status)
    }

    fn put_ok(&mut self) {
        let summary = Summary::new(self.status());
        put_ok(&mut self.channel.output, self.login.capabilities, &summary);
    }

    fn put_eof(&mut self) {
        let summary = Summary::new(self.status());
        put_eof(&mut self.channel.output, self.login.capabilities, &summary);
    }

    async fn query(&mut self, sql: &[u8], attributes: &[Parameter<'_>]) -> Result<()> {
        let capabilities = self.login.capabilities;
        let multi_statements = capabilities.contains(Capabilities::MULTI_STATEMENTS);
        let query = Query { sql, attributes, multi_statements };
        let session = self.session.as_mut().ok_or(Error::Misuse("no session"))?;
        let mut response = Response::new(&mut self.channel, capabilities, false);
        let handled = session.query(query, &mut response).await;
        response.conclude(handled).await?;
        Ok(())
    }

    async fn prepare(&mut self, sql: &[u8]) -> Result<()> {
        self.statements.check_room()?;
        let Prepared { statement, parameters, columns, warnings } =
            self.session()?.prepare(sql).await?;
        if parameters.len() > PARAMETERS_MAX {
            return Err(Error::Sql(SqlError::too_many_placeholders()));
        }
        let id = self.statements.insert(statement, parameters.len());
        let capabilities = self.login.capabilities;
        let output = &mut self.channel.output;
        output.begin();
        let out = output.bytes();
        out.push(0);
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&(columns.len() as u16).to_le_bytes());
        out.extend_from_slice(&(parameters.len() as u16).to_le_bytes());
        out.push(0);
        out.extend_from_slice(&warnings.to_le_bytes());
        if capabilities.contains(Capabilities::OPTIONAL_RESULTSET_METADATA) {
            out.push(1);
        }
        output.end();
        let end = Summary::new(self.status());
        let output = &mut self.channel.output;
        put_definitions(output, capabilities, &Columns::new(&parameters), &end);
        put_definitions(output, capabilities, &columns, &end);
        Ok(())
    }

    async fn execute(&mut self, execute: Execute<'_>) -> Result<()> {
        let capabilities = self.login.capabilities;
        let id = execute.statement;
        let kept = self.statements.get(id)?;
        kept.cursor = None;
        if let Some(error) = kept.long_data_error.take() {
            self.statements.clear_long_data(id);
            return Err(Error::Sql(error));
        }
        let Statement { statement, parameter_count, types, long_data, .. } = kept;
        let all = read_parameters(&execute, capabilities, *parameter_count, types, long_data)?;
        let (parameters, attributes) = all.split_at(*parameter_count);
        let execution = Execution { parameters, attributes, cursor: execute.cursor };

        let session = self.session.as_mut().ok_or(Error::Misuse("no session"))?;
        let mut response = Response::new(&mut self.channel, capabilities, true);
        if execute.cursor {
            response = response.with_cursor(self.config.cursor_max_bytes);
        }
        let handled = session.execute(statement, execution, &mut response).await;
        let cursor = response.conclude(handled).await?;
        drop(all);
        kept.cursor = cursor;
        self.statements.clear_long_data(id);
        Ok(())
    }

    async fn fetch(&mut self, id: u32, rows: u32) -> Result<()> {
        let mut status = self.status();
        let kept = self.statements.get(id)?;
        let Some(cursor) = &mut kept.cursor else {
            return Err(Error::Sql(SqlError::no_open_cursor(id)));
        };
        for _ in 0..rows {
            let Some(row) = cursor.next_row() else { break };
            self.channel.output.packet(row);
            self.channel.flush_if_large().await?;
        }
        if cursor.is_at_end() {
            status.set(StatusFlags::LAST_ROW_SENT, true);
            kept.cursor = None;
        } else {
            status.set(StatusFlags::CURSOR_EXISTS, true);
        }
        let end = Summary::new(status);
        put_eof(&mut self.channel.output, self.login.capabilities, &end);
        Ok(())
    }

    async fn field_list(&mut self, table: &[u8], pattern: &[u8]) -> Result<()> {
        let fields = self.session()?.field_list(table, pattern).await?;
        for (column, default) in &fields {
            let output = &mut self.channel.output;
            output.begin();
            column.encode(output.bytes());
            match default {
                Some(value) => put_lenenc_bytes(output.bytes(), value),
                None => output.bytes().push(0xfb),
            }
            output.end();
            self.channel.flush_if_large().await?;
        }
        self.put_eof();
        Ok(())
    }

    async fn change_user(&mut self, change: ChangeUser) -> Result<Flow> {
        let user = String::from_utf8_lossy(&change.user).into_owned();
        let claim = Claim {
            user: &user,
            auth_response: &change.auth_response,
            plugin: change.plugin.as_deref(),
            may_wait: true,
        };
        let exchange = Exchange {
            channel: &mut self.channel,
            config: &self.config,
            capabilities: self.login.capabilities,
            nonce: &self.nonce,
            peer: &self.login.peer,
            tls: self.login.tls,
        };
        let account = match exchange.run(&*self.service, claim).await {
            Ok(account) => account,
            // The old login stays, for a client that mistyped.
            Err(Error::Sql(error)) => {
                put_error(&mut self.channel.output, self.login.capabilities, &error);
                self.failed_changes += 1;
                let over = self.failed_changes >= FAILED_CHANGES_MAX;
                return Ok(if over { Flow::Quit } else { Flow::Continue });
            }
            Err(error) => return Err(error),
        };
        self.failed_changes = 0;
        self.statements.clear();
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        self.login.account = account;
        self.login.user = user;
        self.login.schema =
            change.schema.map(|schema| String::from_utf8_lossy(&schema).into_owned());
        self.login.attributes = change.attributes;
        if let Some(collation) = change.collation {
            self.login.collation = collation;
        }
        match self.service.open(self.login.clone()).await {
            Ok(session) => self.session = Some(session),
            Err(error) => {
                put_error(&mut self.channel.output, self.login.capabilities, &error);
                return Ok(Flow::Quit);
            }
        }
        self.put_ok();
        Ok(Flow::Continue)
    }
}

/// Placeholders first, then attributes.
fn read_parameters<'a>(
    execute: &Execute<'a>,
    capabilities: Capabilities,
    parameter_count: usize,
    types: &mut Vec<crate::command::ParameterType>,
    long_data: &'a crate::command::LongData,
) -> Result<Vec<Parameter<'a>>> {
    let mut from = Decoder::new(execute.parameters);
    let named = capabilities.contains(Capabilities::QUERY_ATTRIBUTES);
    if parameter_count == 0 && !(named && execute.counted) {
        return Ok(Vec::new());
    }
    // With query attributes there is a count and there are names, whether the
    // flag says so or not.
    let count = if named { from.lenenc()? } else { parameter_count as u64 };
    if count < parameter_count as u64 {
        return Err(Error::malformed());
    }
    decode_parameters(&mut from, count, parameter_count, types, named, Some(long_data))
}

/// The definitions of a prepared statement, and their end.
fn put_definitions(
    output: &mut PacketBuffer,
    capabilities: Capabilities,
    columns: &Columns,
    end: &Summary,
) {
    if columns.is_empty() {
        return;
    }
    for payload in columns.payloads() {
        output.packet(payload);
    }
    if !capabilities.contains(Capabilities::DEPRECATE_EOF) {
        put_eof(output, capabilities, end);
    }
}
