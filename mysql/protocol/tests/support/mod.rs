//! A server in memory that answers a few made-up statements, for tests of the
//! wire by our own client and by others.
//!
//! Statements: `types` (a row of every type), `nulls`, `rows N`, `bytes N`,
//! `echo TEXT`, `params` (what was bound, as text), `attributes`, `affected N`,
//! `schema`, `use X`, `warn`, `error`, `fail_in_row`, `infile NAME`, `who`, and
//! several of them with `;`. A prepared `echo ? ? …` gives its parameters back.
#![allow(dead_code, unreachable_pub)]

pub mod client;
pub mod raw;
mod statement;
pub mod types;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use firn_mysql_protocol::auth::{Account, AuthPlugin};
use firn_mysql_protocol::command::Parameter;
use firn_mysql_protocol::result::{Column, Columns, Response, StateChange, Summary};
use firn_mysql_protocol::server::{
    ConnectionControl, Execution, Login, Peer, Prepared, Query, ServerConfig, Service, Session,
    serve,
};
use firn_mysql_protocol::{ColumnType, Error, Result, SqlError, StatusFlags};
use tokio::net::TcpListener;

/// Accounts and connections.
pub struct Memory {
    accounts: HashMap<String, Account>,
    controls: Mutex<HashMap<u32, ConnectionControl>>,
    next_id: AtomicU32,
    /// How connections ended that did not end in order.
    pub failures: Mutex<Vec<String>>,
}

impl Memory {
    /// Accounts `sha` and `native` with the password `secret`, `empty` and
    /// `native_empty` with none, and `other` with the password `other`.
    pub fn new() -> Arc<Self> {
        let mut accounts = HashMap::new();
        for (user, password, plugin) in [
            ("sha", "secret", AuthPlugin::CachingSha2Password),
            ("native", "secret", AuthPlugin::NativePassword),
            ("empty", "", AuthPlugin::CachingSha2Password),
            ("native_empty", "", AuthPlugin::NativePassword),
            ("other", "other", AuthPlugin::CachingSha2Password),
        ] {
            let auth_string = plugin.stored_form(password.as_bytes()).unwrap();
            let account = Account {
                user: user.into(),
                host: "%".into(),
                plugin,
                auth_string,
                second_auth_string: Vec::new(),
            };
            accounts.insert(user.to_owned(), account);
        }
        Arc::new(Self {
            accounts,
            controls: Mutex::default(),
            next_id: AtomicU32::new(1),
            failures: Mutex::default(),
        })
    }

    /// Serves connections until the task is dropped.
    pub async fn listen(self: Arc<Self>, config: Arc<ServerConfig>, listener: TcpListener) {
        loop {
            let Ok((stream, address)) = listener.accept().await else { continue };
            // Without this, small answers wait for the client's acknowledgement.
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            let (service, config) = (Arc::clone(&self), Arc::clone(&config));
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let control = ConnectionControl::default();
                service.controls.lock().unwrap().insert(id, control.clone());
                // A task of its own, so that a panic of it is seen.
                let served = tokio::spawn(serve(
                    Arc::clone(&service),
                    config,
                    stream,
                    address.into(),
                    id,
                    control,
                ));
                let Ok(served) = served.await else {
                    return service.failures.lock().unwrap().push("panicked".into());
                };
                if let Err(error) = served {
                    service.failures.lock().unwrap().push(error.to_string());
                }
                service.controls.lock().unwrap().remove(&id);
            });
        }
    }
}

impl Memory {
    /// Fails if a connection has panicked.
    pub fn assert_no_panic(&self) {
        assert!(!self.failures.lock().unwrap().iter().any(|failure| failure == "panicked"));
    }
}

/// Starts a server on a free port; gives its address.
pub async fn start(config: ServerConfig) -> (std::net::SocketAddr, Arc<Memory>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let memory = Memory::new();
    tokio::spawn(Arc::clone(&memory).listen(Arc::new(config), listener));
    (address, memory)
}

impl Service for Memory {
    type Session = MemorySession;

    async fn lookup(&self, user: &str, _: &Peer) -> Result<Option<Account>, SqlError> {
        Ok(self.accounts.get(user).cloned())
    }

    async fn open(&self, login: Login) -> Result<MemorySession, SqlError> {
        let controls = self.controls.lock().unwrap().clone();
        let mut session = MemorySession { schema: None, controls, login };
        if let Some(schema) = session.login.schema.clone() {
            session.use_schema(&schema)?;
        }
        Ok(session)
    }
}

/// One session.
pub struct MemorySession {
    schema: Option<String>,
    controls: HashMap<u32, ConnectionControl>,
    login: Login,
}

impl MemorySession {
    fn use_schema(&mut self, schema: &str) -> Result<(), SqlError> {
        if schema == "missing" {
            return Err(SqlError::new(1049, b"42000", format!("Unknown database '{schema}'")));
        }
        self.schema = Some(schema.to_owned());
        Ok(())
    }

    fn summary(&self) -> Summary {
        Summary::new(self.status())
    }

    /// One row of one string.
    async fn one(&self, response: &mut Response<'_>, name: &str, value: &[u8]) -> Result<()> {
        let columns = Columns::new(&[text_column(name)]);
        let mut rows = response.rows(&columns)?;
        rows.bytes(value)?;
        rows.end_row().await?;
        rows.end(&self.summary())
    }
}

/// A column of text.
pub fn text_column(name: &str) -> Column {
    Column::new(name, ColumnType::VarString, 255, 1024)
}

/// A statement to be executed.
pub struct MemoryStatement {
    sql: String,
}

impl Session for MemorySession {
    type Statement = MemoryStatement;

    fn status(&self) -> StatusFlags {
        StatusFlags::AUTOCOMMIT
    }

    async fn query(&mut self, query: Query<'_>, response: &mut Response<'_>) -> Result<()> {
        let sql = String::from_utf8_lossy(query.sql).into_owned();
        if !query.multi_statements {
            return self.run(&sql, &[], query.attributes, response).await;
        }
        for statement in sql.split(';').filter(|s| !s.trim().is_empty()) {
            self.run(statement, &[], query.attributes, response).await?;
        }
        Ok(())
    }

    async fn prepare(&mut self, sql: &[u8]) -> Result<Prepared<MemoryStatement>> {
        let sql = String::from_utf8_lossy(sql).into_owned();
        let count = sql.matches('?').count();
        let placeholder = Column::new("?", ColumnType::VarString, 255, 65_535);
        let parameters = vec![placeholder; count];
        Ok(Prepared {
            columns: self.columns_of(&sql, count),
            statement: MemoryStatement { sql },
            parameters,
            warnings: 0,
        })
    }

    async fn execute(
        &mut self,
        statement: &mut MemoryStatement,
        execution: Execution<'_>,
        response: &mut Response<'_>,
    ) -> Result<()> {
        let Execution { parameters, attributes, .. } = execution;
        self.run(&statement.sql, parameters, attributes, response).await
    }

    async fn init_db(&mut self, schema: &[u8]) -> Result<Summary> {
        let schema = String::from_utf8_lossy(schema).into_owned();
        self.use_schema(&schema)?;
        Ok(Summary { changes: vec![StateChange::Schema(schema)], ..self.summary() })
    }

    async fn field_list(
        &mut self,
        table: &[u8],
        _: &[u8],
    ) -> Result<Vec<(Column, Option<Vec<u8>>)>> {
        if table != b"t" {
            return Err(Error::Sql(SqlError::new(
                1146,
                b"42S02",
                format!("Table 'test.{}' doesn't exist", String::from_utf8_lossy(table)),
            )));
        }
        Ok(vec![(text_column("a"), Some(b"x".to_vec())), (text_column("b"), None)])
    }

    async fn statistics(&mut self) -> Result<String> {
        Ok("Uptime: 1  Threads: 1".into())
    }

    async fn kill(&mut self, connection_id: u32) -> Result<()> {
        match self.controls.get(&connection_id) {
            Some(control) => control.kill(),
            None => {
                let text = format!("Unknown thread id: {connection_id}");
                return Err(Error::Sql(SqlError::new(1094, b"HY000", text)));
            }
        }
        Ok(())
    }

    async fn debug(&mut self) -> Result<()> {
        Ok(())
    }

    async fn reset(&mut self) -> Result<()> {
        self.schema = None;
        Ok(())
    }

    async fn close(self) {}
}

/// `name=value` of each parameter, joined.
fn describe(parameters: &[Parameter<'_>]) -> String {
    let parts: Vec<_> = parameters
        .iter()
        .map(|p| format!("{}={:?}", String::from_utf8_lossy(&p.name), p.value))
        .collect();
    parts.join("|")
}
