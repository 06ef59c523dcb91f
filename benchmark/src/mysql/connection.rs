//! A connection as workloads use it: numbered statements, in either protocol.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Error, ErrorKind, Result};
use firn_mysql_protocol::client::{Client, ClientConfig, PreparedStatement, ResultSet, Skipped};
use firn_mysql_protocol::command::{Parameter, ParameterValue};
use firn_mysql_protocol::tls::ClientTls;
use firn_mysql_protocol::{Capabilities, ColumnType, Error as ProtocolError};
use tokio::net::TcpStream;

use super::config::Protocol;

/// A server that says nothing for so long is given up.
const ANSWER_MAX: Duration = Duration::from_secs(300);

/// What a server answers that does not prepare such a statement: MySQL, for
/// BEGIN. sysbench too sends it as text then.
const NOT_PREPARABLE: u16 = 1295;

/// Errors after which a transaction is tried again: deadlock, lock wait
/// timeout, row changed since it was read.
const RETRIED: [u16; 3] = [1213, 1205, 1020];

/// Who logs in where.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// Numeric address and port.
    pub(crate) address: std::net::SocketAddr,
    pub(crate) user: String,
    pub(crate) password: String,
    /// Statements with which a connection begins.
    pub(crate) session: Vec<String>,
}

/// Why an event did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server asks to try again, by this error.
    Retry(u16),
    /// Anything else.
    Fatal(Error),
}

impl From<ProtocolError> for Failure {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Sql(e) if RETRIED.contains(&e.number) => Self::Retry(e.number),
            other => Self::Fatal(unavailable("the server", &other)),
        }
    }
}

pub(crate) fn unavailable(what: &str, error: &ProtocolError) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{what}: {error}"))
}

impl Login {
    /// Logs in.
    pub(crate) async fn client(&self, schema: Option<&str>) -> Result<Client> {
        let failed = |why: String| {
            Error::new(ErrorKind::Unavailable, format!("connecting to {}: {why}", self.address))
        };
        let stream =
            TcpStream::connect(self.address).await.map_err(|error| failed(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| failed(error.to_string()))?;
        let mut config = ClientConfig {
            user: self.user.clone(),
            password: self.password.clone().into_bytes(),
            schema: schema.map(str::to_owned),
            host: self.address.ip().to_string(),
            tls: ClientTls::Disabled,
            allow_public_key_retrieval: true,
            connect_timeout: Duration::from_secs(60),
            answer_timeout: ANSWER_MAX,
            ..ClientConfig::default()
        };
        // What a plain client sends: nothing that costs either side more.
        config.capabilities = Capabilities::LONG_PASSWORD
            | Capabilities::LONG_FLAG
            | Capabilities::TRANSACTIONS
            | Capabilities::MULTI_RESULTS
            | Capabilities::PS_MULTI_RESULTS
            | Capabilities::PLUGIN_AUTH
            | Capabilities::DEPRECATE_EOF;
        let connected = Client::connect(stream, &config).await;
        let mut client = connected.map_err(|error| failed(error.to_string()))?;
        for sql in &self.session {
            let done = client.query_and_skip(sql.as_bytes()).await;
            done.map_err(|error| unavailable(sql, &error))?;
        }
        Ok(client)
    }
}

/// A statement with its placeholders.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    sql: String,
}

impl Statement {
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into() }
    }

    /// The text with values in it. No literal of a workload holds a `?`.
    pub(crate) fn write(&self, values: &[ParameterValue<'_>], out: &mut Vec<u8>) {
        out.clear();
        let mut values = values.iter();
        for part in self.sql.split_inclusive('?') {
            let Some(before) = part.strip_suffix('?') else {
                out.extend_from_slice(part.as_bytes());
                continue;
            };
            out.extend_from_slice(before.as_bytes());
            write_literal(values.next().unwrap_or(&ParameterValue::Null), out);
        }
    }
}

fn write_literal(value: &ParameterValue<'_>, out: &mut Vec<u8>) {
    use std::io::Write;
    // Writing to memory does not fail.
    let _ = match value {
        ParameterValue::Int(n) => write!(out, "{n}"),
        ParameterValue::UInt(n) => write!(out, "{n}"),
        ParameterValue::Double(n) => write!(out, "{n:?}"),
        ParameterValue::Bytes(text) => {
            out.push(b'\'');
            for byte in *text {
                if matches!(byte, b'\'' | b'\\') {
                    out.push(b'\\');
                }
                out.push(*byte);
            }
            out.push(b'\'');
            Ok(())
        }
        _ => {
            out.extend_from_slice(b"NULL");
            Ok(())
        }
    };
}

/// Integers go as INT where they fit, as sysbench binds them.
fn parameter(value: ParameterValue<'_>) -> Parameter<'_> {
    let mut parameter = Parameter::new(value);
    if let ParameterValue::Int(n) = value
        && i32::try_from(n).is_ok()
    {
        parameter.kind = ColumnType::Long;
    }
    parameter
}

/// See the module.
pub(crate) struct Connection {
    client: Client,
    statements: Arc<[Statement]>,
    /// For each statement that is executed; the others go as text.
    prepared: Vec<Option<PreparedStatement>>,
    text: Vec<u8>,
    /// Statements answered so far.
    pub(crate) queries: u64,
}

impl Connection {
    /// Logs in and prepares what has to be.
    pub(crate) async fn open(
        login: &Login,
        schema: &str,
        statements: Arc<[Statement]>,
        protocol: Protocol,
    ) -> Result<Self> {
        let mut client = login.client(Some(schema)).await?;
        let mut prepared = Vec::new();
        if protocol == Protocol::Prepared {
            for statement in statements.iter() {
                prepared.push(match client.prepare(statement.sql.as_bytes()).await {
                    Ok(ready) => Some(ready),
                    Err(ProtocolError::Sql(error)) if error.number == NOT_PREPARABLE => None,
                    Err(error) => return Err(unavailable(&statement.sql, &error)),
                });
            }
        }
        Ok(Self { client, statements, prepared, text: Vec::new(), queries: 0 })
    }

    /// Carries out a statement by its number, and keeps no row.
    pub(crate) async fn run(
        &mut self,
        statement: usize,
        values: &[ParameterValue<'_>],
    ) -> std::result::Result<Skipped, Failure> {
        let done = match self.prepared.get(statement) {
            Some(Some(prepared)) => {
                let parameters: Vec<_> = values.iter().map(|value| parameter(*value)).collect();
                self.client.execute_and_skip(prepared, &parameters).await?
            }
            _ => {
                self.statements[statement].write(values, &mut self.text);
                self.client.query_and_skip(&self.text).await?
            }
        };
        self.queries += 1;
        Ok(done)
    }

    /// Carries out text.
    pub(crate) async fn text(&mut self, sql: &[u8]) -> std::result::Result<Skipped, Failure> {
        let done = self.client.query_and_skip(sql).await?;
        self.queries += 1;
        Ok(done)
    }

    /// Ends what an error has left of a transaction.
    pub(crate) async fn rollback(&mut self) -> std::result::Result<(), Failure> {
        self.text(b"ROLLBACK").await.map(drop)
    }

    /// Carries out a statement by its number; gives the rows, and their columns.
    pub(crate) async fn rows(
        &mut self,
        statement: usize,
        values: &[ParameterValue<'_>],
    ) -> std::result::Result<ResultSet, Failure> {
        let outcome = match self.prepared.get(statement) {
            Some(Some(prepared)) => {
                let parameters: Vec<_> = values.iter().map(|value| parameter(*value)).collect();
                self.client.execute(prepared, &parameters, false, |_| false).await?
            }
            _ => {
                self.statements[statement].write(values, &mut self.text);
                self.client.query(&self.text).await?
            }
        };
        let mut results = self.client.read_all(outcome).await?;
        self.queries += 1;
        Ok(if results.is_empty() { ResultSet::default() } else { results.swap_remove(0) })
    }

    /// Says goodbye.
    pub(crate) async fn close(self) {
        // Whoever closes a connection does not care how it went.
        let _ = self.client.quit().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_holds_its_values() {
        let mut out = Vec::new();
        let statement = Statement::new("UPDATE t SET c=? WHERE id=?");
        statement.write(&[ParameterValue::Bytes(b"it's \\"), ParameterValue::Int(-7)], &mut out);
        assert_eq!(String::from_utf8_lossy(&out), "UPDATE t SET c='it\\'s \\\\' WHERE id=-7");
        statement.write(&[], &mut out);
        assert_eq!(String::from_utf8_lossy(&out), "UPDATE t SET c=NULL WHERE id=NULL");
        Statement::new("BEGIN").write(&[], &mut out);
        assert_eq!(out, b"BEGIN");
    }

    #[test]
    fn only_conflicts_are_tried_again() {
        use firn_mysql_protocol::SqlError;
        for (number, again) in [(1213, true), (1205, true), (1020, true), (1062, false)] {
            let error = ProtocolError::Sql(SqlError::new(number, b"HY000", "x"));
            assert_eq!(matches!(Failure::from(error), Failure::Retry(_)), again, "{number}");
        }
    }
}
