//! One connection, from its greeting to its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::authenticate::{Claim, Exchange};
use super::config::ServerConfig;
use super::dispatch::{Flow, carry_out};
use super::service::{ConnectionControl, Login, Peer, Service, Session};
use super::statements::Statements;
use crate::auth::nonce;
use crate::compress::Compression;
use crate::error::{Error, Result, SqlError};
use crate::flags::{Capabilities, StatusFlags};
use crate::handshake::{Greeting, HandshakeResponse, NONCE_BYTES};
use crate::packet::{Channel, Stream};
use crate::result::{Summary, put_error, put_ok};

/// Longest packet of a client that has not logged in, bytes.
const LOGIN_PACKET_MAX_BYTES: usize = 128 << 10;
/// How long a connection that ends with an error waits for its client to read it.
const LINGER: Duration = Duration::from_secs(2);

/// A connection that is logged in.
pub(super) struct Connection<S: Service> {
    pub(super) service: Arc<S>,
    pub(super) config: Arc<ServerConfig>,
    pub(super) channel: Channel,
    /// `None` only while another login replaces it.
    pub(super) session: Option<S::Session>,
    pub(super) statements: Statements<<S::Session as Session>::Statement>,
    pub(super) login: Login,
    pub(super) nonce: [u8; NONCE_BYTES],
    /// COM_CHANGE_USER with a wrong password.
    pub(super) failed_changes: u32,
}

/// Runs a connection until its client leaves, breaks the protocol, or is
/// killed through `control`. `connection_id` is what the client sees as its
/// number.
///
/// An error says why a connection ended that its client did not end in order;
/// the client has been told, if it could be. Dropping the future cuts the
/// connection.
pub async fn serve<S: Service>(
    service: Arc<S>,
    config: Arc<ServerConfig>,
    stream: impl Stream + 'static,
    peer: Peer,
    connection_id: u32,
    control: ConnectionControl,
) -> Result<()> {
    let channel = Channel::new(Box::new(stream), LOGIN_PACKET_MAX_BYTES, config.timeouts());
    // What is needed at the beginning, at the end, and while a command runs is
    // boxed: a connection that waits takes no room for it.
    let mut connection =
        Box::pin(establish(service, config, channel, peer, connection_id, control)).await?;
    let outcome = connection.run().await;
    Box::pin(connection.end(outcome)).await
}

/// From the greeting to a session that is open.
async fn establish<S: Service>(
    service: Arc<S>,
    config: Arc<ServerConfig>,
    mut channel: Channel,
    peer: Peer,
    connection_id: u32,
    control: ConnectionControl,
) -> Result<Box<Connection<S>>> {
    let login = log_in(&service, &config, &mut channel, peer, connection_id, control);
    let opened = match timeout(config.connect_timeout, login).await {
        Ok(opened) => opened,
        // As a server does: no word, the connection is gone.
        Err(_) => return Err(Error::Io(io::ErrorKind::TimedOut.into())),
    };
    let (login, session, nonce) = match opened {
        Ok(opened) => opened,
        Err(error) => return Err(end_with(&mut channel, error).await),
    };
    let statements =
        Statements::new(config.statements_max, config.long_data_max_bytes, config.packet_max_bytes);
    Ok(Box::new(Connection {
        service,
        config,
        channel,
        session: Some(session),
        statements,
        login,
        nonce,
        failed_changes: 0,
    }))
}

/// Refuses a connection before its greeting, for example with "Too many
/// connections".
pub async fn refuse(
    config: &ServerConfig,
    stream: impl Stream + 'static,
    error: &SqlError,
) -> Result<()> {
    let mut channel = Channel::new(Box::new(stream), LOGIN_PACKET_MAX_BYTES, config.timeouts());
    put_error(&mut channel.output, Capabilities::EMPTY, error);
    channel.flush().await?;
    channel.close(LINGER).await;
    Ok(())
}

/// Tells the client why it is cut off, if there is something to tell.
async fn end_with(channel: &mut Channel, error: Error) -> Error {
    if let Error::Sql(sql) | Error::Protocol(sql) = &error {
        put_error(&mut channel.output, Capabilities::PROTOCOL_41, sql);
        if channel.flush().await.is_ok() {
            channel.close(LINGER).await;
        }
    }
    error
}

/// From the greeting to the OK packet that ends the login.
async fn log_in<S: Service>(
    service: &Arc<S>,
    config: &Arc<ServerConfig>,
    channel: &mut Channel,
    peer: Peer,
    connection_id: u32,
    control: ConnectionControl,
) -> Result<(Login, S::Session, [u8; NONCE_BYTES])> {
    let offered = config.capabilities();
    let nonce = nonce()?;
    let greeting = Greeting {
        version: config.version.clone(),
        connection_id,
        nonce,
        capabilities: offered,
        collation: config.default_collation,
        status: StatusFlags::AUTOCOMMIT,
        plugin: config.default_plugin.name().into(),
    };
    channel.output.begin();
    greeting.encode(channel.output.bytes());
    channel.output.end();
    channel.flush().await?;

    let mut payload = read_login_packet(channel, config).await?;
    let mut secured = None;
    if let Some(server_tls) = &config.tls
        && HandshakeResponse::is_ssl_request(&payload)
    {
        let server_tls = server_tls.clone();
        let told = &mut secured;
        let accept = |stream| async move {
            let (stream, secured) = server_tls.accept(stream).await?;
            *told = Some(secured);
            Ok(stream)
        };
        channel.upgrade(accept).await?;
        payload = read_login_packet(channel, config).await?;
    }
    let tls = secured.is_some();
    let response = HandshakeResponse::decode(&payload, offered)?;
    drop(payload);
    if config.require_secure_transport && !tls && !peer.local {
        return Err(Error::Sql(SqlError::new(
            3159,
            b"HY000",
            "Connections using insecure transport are prohibited while \
             --require_secure_transport=ON.",
        )));
    }

    let capabilities = response.capabilities;
    let user = String::from_utf8_lossy(&response.user).into_owned();
    let claim = Claim {
        user: &user,
        auth_response: &response.auth_response,
        plugin: response.plugin.as_deref(),
        may_wait: false,
    };
    let exchange = Exchange { channel, config, capabilities, nonce: &nonce, peer: &peer, tls };
    let account = exchange.run(&**service, claim).await?;

    let collation = match response.collation {
        0 => config.default_collation,
        given => given,
    };
    let login = Login {
        connection_id,
        account,
        user,
        peer,
        schema: response.schema.map(|schema| String::from_utf8_lossy(&schema).into_owned()),
        capabilities,
        collation: u16::from(collation),
        attributes: response.attributes,
        tls,
        secured,
        control,
    };
    let session = service.open(login.clone()).await?;
    put_ok(&mut channel.output, capabilities, &Summary::new(session.status()));
    channel.finish_exchange().await?;

    channel.read_ahead();
    channel.packet_max_bytes = config.packet_max_bytes;
    if capabilities.contains(Capabilities::COMPRESS) {
        channel.compress(Compression::Zlib);
    } else if capabilities.contains(Capabilities::ZSTD) {
        channel.compress(Compression::Zstd(i32::from(response.zstd_level.clamp(1, 22))));
    }
    Ok((login, session, nonce))
}

async fn read_login_packet(channel: &mut Channel, config: &ServerConfig) -> Result<Bytes> {
    match channel.read_packet(config.connect_timeout).await {
        Err(Error::Sql(_)) => Err(Error::Protocol(SqlError::bad_handshake())),
        other => other,
    }
}

impl<S: Service> Connection<S> {
    /// One command after the other.
    async fn run(&mut self) -> Result<()> {
        let control = self.login.control.clone();
        loop {
            let Some(session) = &self.session else { return Ok(()) };
            self.channel.reset_sequence();
            let idle = session.idle_timeout();
            let payload = tokio::select! {
                biased;
                payload = self.channel.read_command(idle) => payload,
                () = control.ended() => {
                    self.channel.answer_ahead();
                    return control.last_words();
                }
            };
            let flow = match payload {
                Ok(payload) => Box::pin(carry_out(self, &payload)).await?,
                // Too long a packet: it was skipped.
                Err(Error::Sql(error)) => {
                    put_error(&mut self.channel.output, self.login.capabilities, &error);
                    Flow::Continue
                }
                Err(Error::Io(error)) => return self.lost(error),
                Err(error) => return Err(error),
            };
            self.channel.finish_exchange().await?;
            if flow == Flow::Quit {
                return Ok(());
            }
            if control.is_ended() {
                self.channel.answer_ahead();
                return control.last_words();
            }
        }
    }

    /// Closes the session, and tells the client if there is something to tell.
    async fn end(mut self: Box<Self>, outcome: Result<()>) -> Result<()> {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(end_with(&mut self.channel, error).await),
        }
    }

    /// No command came.
    fn lost(&mut self, error: io::Error) -> Result<()> {
        match error.kind() {
            io::ErrorKind::TimedOut if self.channel.is_at_rest() => {
                self.channel.answer_ahead();
                Err(Error::Sql(SqlError::idle_too_long()))
            }
            io::ErrorKind::UnexpectedEof if self.channel.is_at_rest() => Ok(()),
            _ => Err(Error::Io(error)),
        }
    }
}
