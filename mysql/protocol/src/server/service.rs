//! What a server implements.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::auth::Account;
use crate::command::Parameter;
use crate::error::{Result, SqlError};
use crate::flags::{Capabilities, StatusFlags};
use crate::handshake::Attributes;
use crate::result::{Column, Columns, Response};
use crate::tls::Secured;

/// Where a connection comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Address or name of the host, as clients are told of it.
    pub host: String,
    /// Address of the host; `None` for a Unix socket.
    pub address: Option<IpAddr>,
    /// TCP port; 0 for a Unix socket.
    pub port: u16,
    /// Nobody can listen in: a Unix socket. Passwords may be sent as they are.
    pub local: bool,
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        // An IPv4 client of an IPv6 socket keeps its IPv4 address.
        let ip = address.ip().to_canonical();
        Self { host: ip.to_string(), address: Some(ip), port: address.port(), local: false }
    }
}

impl Peer {
    /// A client on a Unix socket.
    pub fn unix() -> Self {
        Self { host: "localhost".into(), address: None, port: 0, local: true }
    }
}

/// Ends one connection from outside: KILL, or the end of the server. Clones
/// are for the same connection.
#[derive(Clone, Debug)]
pub struct ConnectionControl {
    ended: Arc<watch::Sender<Option<End>>>,
}

/// How a connection is ended from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// Without a word.
    Killed,
    /// With error 1053.
    Shutdown,
}

impl Default for ConnectionControl {
    fn default() -> Self {
        Self { ended: Arc::new(watch::Sender::new(None)) }
    }
}

impl ConnectionControl {
    /// Ends the connection: at once if it waits for a command, else after the
    /// command. The session itself has to stop a statement that runs.
    pub fn kill(&self) {
        self.ended.send_replace(Some(End::Killed));
    }

    /// As [`kill`](Self::kill), and the client is told that the server stops
    /// (1053): in place of an answer if it waits for none.
    pub fn shut_down(&self) {
        self.ended.send_if_modified(|end| {
            let first = end.is_none();
            if first {
                *end = Some(End::Shutdown);
            }
            first
        });
    }

    /// Whether the connection was ended.
    pub fn is_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Waits for [`kill`](Self::kill) or [`shut_down`](Self::shut_down).
    pub async fn ended(&self) {
        let mut receiver = self.ended.subscribe();
        // The sender lives as long as `self`.
        let _ = receiver.wait_for(Option::is_some).await;
    }

    /// What the client is told.
    pub(super) fn last_words(&self) -> crate::error::Result<()> {
        match *self.ended.borrow() {
            Some(End::Shutdown) => Err(crate::error::Error::Sql(SqlError::server_shutdown())),
            Some(End::Killed) | None => Ok(()),
        }
    }
}

/// A client that has proved who it is.
#[derive(Clone, Debug)]
pub struct Login {
    /// Number of the connection.
    pub connection_id: u32,
    /// The account.
    pub account: Account,
    /// Name that the client gave.
    pub user: String,
    /// Where it comes from.
    pub peer: Peer,
    /// Schema it wants to use.
    pub schema: Option<String>,
    /// What the connection can. `FOUND_ROWS`, `IGNORE_SPACE`, `NO_SCHEMA`,
    /// `INTERACTIVE` and `CAN_HANDLE_EXPIRED_PASSWORDS` are for the session.
    pub capabilities: Capabilities,
    /// Collation id of the connection.
    pub collation: u16,
    /// Attributes of the connection.
    pub attributes: Attributes,
    /// The connection is encrypted.
    pub tls: bool,
    /// What is known of its encryption.
    pub secured: Option<Secured>,
    /// Ends the connection.
    pub control: ConnectionControl,
}

/// A server, as its connections know it.
pub trait Service: Send + Sync + 'static {
    /// What a login opens.
    type Session: Session;

    /// The account that this user has, coming from there; `None` if there is
    /// none. An error refuses the client.
    fn lookup(
        &self,
        user: &str,
        peer: &Peer,
    ) -> impl Future<Output = Result<Option<Account>, SqlError>> + Send;

    /// A client of an account gave its password, or a wrong one, for which it is refused.
    ///
    /// # Errors
    /// What a client is refused with whatever it gave: that its account is blocked.
    fn proved(&self, account: &Account, peer: &Peer, right: bool) -> Result<(), SqlError> {
        let _ = (account, peer, right);
        Ok(())
    }

    /// Opens a session for a client that has proved who it is. An error
    /// refuses it: a locked account, no such schema, too many connections.
    fn open(&self, login: Login) -> impl Future<Output = Result<Self::Session, SqlError>> + Send;
}

/// Statements of one COM_QUERY.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Text, in the character set of the client.
    pub sql: &'a [u8],
    /// Attributes of the query.
    pub attributes: &'a [Parameter<'a>],
    /// The text may hold several statements.
    pub multi_statements: bool,
}

/// One execution of a prepared statement.
#[derive(Clone, Copy, Debug)]
pub struct Execution<'a> {
    /// Values of the placeholders, as many as the statement has.
    pub parameters: &'a [Parameter<'a>],
    /// Attributes of the query.
    pub attributes: &'a [Parameter<'a>],
    /// The client fetches the rows later; they are kept until it has.
    pub cursor: bool,
}

/// A statement, prepared.
#[derive(Clone, Debug)]
pub struct Prepared<S> {
    /// The session's own part.
    pub statement: S,
    /// One for each placeholder.
    pub parameters: Vec<Column>,
    /// Columns of the result; none if it has no rows.
    pub columns: Columns,
    /// Warnings of preparing it.
    pub warnings: u16,
}

/// A session: it carries out the commands of one login, one after the other.
///
/// A returned [`Error::Sql`](crate::Error::Sql) is sent to the client; any
/// other error ends the connection.
pub trait Session: Send {
    /// A prepared statement.
    type Statement: Send;

    /// State of the session, for answers that are not the session's own.
    fn status(&self) -> StatusFlags;

    /// How long the client may send nothing (`wait_timeout`).
    fn idle_timeout(&self) -> Duration {
        Duration::from_secs(28_800)
    }

    /// COM_QUERY.
    fn query(
        &mut self,
        query: Query<'_>,
        response: &mut Response<'_>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// COM_STMT_PREPARE.
    fn prepare(
        &mut self,
        sql: &[u8],
    ) -> impl Future<Output = Result<Prepared<Self::Statement>>> + Send;

    /// COM_STMT_EXECUTE.
    fn execute(
        &mut self,
        statement: &mut Self::Statement,
        execution: Execution<'_>,
        response: &mut Response<'_>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// COM_INIT_DB. Gives the summary that is sent.
    fn init_db(
        &mut self,
        schema: &[u8],
    ) -> impl Future<Output = Result<crate::result::Summary>> + Send;

    /// COM_FIELD_LIST: the columns of a table whose names are like `pattern`,
    /// each with its default value.
    fn field_list(
        &mut self,
        table: &[u8],
        pattern: &[u8],
    ) -> impl Future<Output = Result<Vec<(Column, Option<Vec<u8>>)>>> + Send;

    /// COM_STATISTICS: a line of text.
    fn statistics(&mut self) -> impl Future<Output = Result<String>> + Send;

    /// COM_PROCESS_KILL.
    fn kill(&mut self, connection_id: u32) -> impl Future<Output = Result<()>> + Send;

    /// COM_DEBUG.
    fn debug(&mut self) -> impl Future<Output = Result<()>> + Send;

    /// COM_RESET_CONNECTION: rolls back, drops temporary tables, forgets user
    /// variables, sets system variables to their defaults. Prepared statements
    /// are gone already.
    fn reset(&mut self) -> impl Future<Output = Result<()>> + Send;

    /// The end: releases what the session holds. Also before COM_CHANGE_USER.
    fn close(self) -> impl Future<Output = ()> + Send;
}
