//! A client's login.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::{Client, Reading, decode_error};
use crate::auth::{AuthPlugin, caching_sha2, encrypt_password, native};
use crate::compress::Compression;
use crate::error::{Error, Result, SqlError};
use crate::flags::Capabilities;
use crate::handshake::{Attributes, ChangeUser, Greeting, HandshakeResponse, NONCE_BYTES};
use crate::packet::{Channel, Decoder, Stream, Timeouts};
use crate::result::Summary;
use crate::tls::{ClientIdentity, ClientTls};

/// Who logs in, and how.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Name of the account.
    pub user: String,
    /// Its password; empty for none.
    pub password: Vec<u8>,
    /// Schema to use.
    pub schema: Option<String>,
    /// Name of the server, for its certificate.
    pub host: String,
    /// Whether and how TLS is used.
    pub tls: ClientTls,
    /// The certificate that a server gets which asks for one.
    pub identity: Option<Arc<ClientIdentity>>,
    /// Nobody can listen in, even without TLS: a Unix socket.
    pub local: bool,
    /// Compression, if the server offers it.
    pub compression: Option<Compression>,
    /// Attributes of the connection.
    pub attributes: Attributes,
    /// Low byte of the collation id of the connection.
    pub collation: u8,
    /// The plugin that is tried first; `None` takes the server's.
    pub plugin: Option<AuthPlugin>,
    /// Capabilities that are used if the server has them, besides those that
    /// the other settings need.
    pub capabilities: Capabilities,
    /// Without TLS, asks the server for its RSA key. Who can change packets on
    /// the way could answer with a key of their own.
    pub allow_public_key_retrieval: bool,
    /// Longest packet of the server, bytes.
    pub packet_max_bytes: usize,
    /// For the login.
    pub connect_timeout: Duration,
    /// Between the parts of a packet.
    pub read_timeout: Duration,
    /// For the server to take what it is sent, as long as it takes nothing.
    pub write_timeout: Duration,
    /// For the server to begin an answer, and each packet of it. It must be
    /// longer than the longest statement runs. When it is over, the call fails
    /// with [`Error::Io`] of the kind `TimedOut`, and the connection is no
    /// longer usable; the server may still be at work.
    pub answer_timeout: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        use Capabilities as C;
        Self {
            user: String::new(),
            password: Vec::new(),
            schema: None,
            host: String::new(),
            tls: ClientTls::default(),
            identity: None,
            local: false,
            compression: None,
            attributes: Vec::new(),
            collation: 255,
            plugin: None,
            capabilities: C::LONG_PASSWORD
                | C::LONG_FLAG
                | C::TRANSACTIONS
                | C::MULTI_RESULTS
                | C::PS_MULTI_RESULTS
                | C::PLUGIN_AUTH
                | C::PLUGIN_AUTH_LENENC
                | C::CONNECT_ATTRS
                | C::SESSION_TRACK
                | C::DEPRECATE_EOF
                | C::QUERY_ATTRIBUTES,
            allow_public_key_retrieval: false,
            packet_max_bytes: 1 << 30,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            // As long as a server waits for a client.
            answer_timeout: Duration::from_secs(8 * 3600),
        }
    }
}

/// What a plugin makes of a password.
fn auth_response(plugin: &str, password: &[u8], nonce: &[u8; NONCE_BYTES]) -> Result<Vec<u8>> {
    match AuthPlugin::from_name(plugin) {
        Some(AuthPlugin::CachingSha2Password) => Ok(caching_sha2::scramble(password, nonce)),
        Some(AuthPlugin::NativePassword) => Ok(native::scramble(password, nonce)),
        None => Err(Error::Sql(SqlError::plugin_not_loaded(plugin))),
    }
}

impl ClientConfig {
    fn wanted(&self, offered: Capabilities) -> Capabilities {
        use Capabilities as C;
        let mut wanted = self.capabilities | C::PROTOCOL_41 | C::SECURE_CONNECTION;
        wanted.set(C::CONNECT_WITH_DB, self.schema.is_some());
        wanted.set(C::COMPRESS, self.compression == Some(Compression::Zlib));
        wanted.set(C::ZSTD, matches!(self.compression, Some(Compression::Zstd(_))));
        wanted.set(C::SSL, !matches!(self.tls, ClientTls::Disabled));
        wanted & offered
    }
}

impl Client {
    /// Logs in over `stream`.
    pub async fn connect(stream: impl Stream + 'static, config: &ClientConfig) -> Result<Self> {
        timeout(config.connect_timeout, Self::log_in(stream, config))
            .await
            .map_err(|_| Error::Io(std::io::ErrorKind::TimedOut.into()))?
    }

    async fn log_in(stream: impl Stream + 'static, config: &ClientConfig) -> Result<Self> {
        let timeouts = Timeouts { read: config.read_timeout, write: config.write_timeout };
        let mut channel = Channel::new(Box::new(stream), config.packet_max_bytes, timeouts);
        let greeting = Greeting::decode(&channel.read_packet(config.connect_timeout).await?)?;
        let capabilities = config.wanted(greeting.capabilities);
        let tls = capabilities.contains(Capabilities::SSL);
        if !tls && !matches!(config.tls, ClientTls::Disabled | ClientTls::Preferred) {
            return Err(Error::Sql(SqlError::new(
                2026,
                b"HY000",
                "SSL connection error: SSL is required but the server doesn't support it",
            )));
        }
        let plugin = match config.plugin {
            Some(plugin) => plugin.name().to_owned(),
            // A plugin that is not known here: the server will switch.
            None if AuthPlugin::from_name(&greeting.plugin).is_none() => {
                AuthPlugin::NativePassword.name().to_owned()
            }
            None => greeting.plugin.clone(),
        };
        let response = HandshakeResponse {
            capabilities,
            packet_max_bytes: u32::try_from(config.packet_max_bytes).unwrap_or(u32::MAX),
            collation: config.collation,
            user: config.user.clone().into_bytes(),
            auth_response: auth_response(&plugin, &config.password, &greeting.nonce)?,
            schema: config.schema.clone().map(String::into_bytes),
            plugin: Some(plugin.clone()),
            attributes: config.attributes.clone(),
            zstd_level: match config.compression {
                Some(Compression::Zstd(level)) => level.clamp(1, 22) as u8,
                _ => 0,
            },
        };
        if tls {
            channel.output.begin();
            response.encode_ssl_request(channel.output.bytes());
            channel.output.end();
            channel.flush().await?;
            let identity = config.identity.as_deref();
            let connect = |stream| config.tls.connect(stream, &config.host, identity);
            channel.upgrade(connect).await?;
        }
        channel.output.begin();
        response.encode(channel.output.bytes());
        channel.output.end();
        channel.flush().await?;
        let mut client = Self {
            channel,
            capabilities,
            nonce: greeting.nonce,
            greeting,
            secure: tls || config.local,
            password: config.password.clone(),
            allow_public_key_retrieval: config.allow_public_key_retrieval,
            answer_timeout: config.answer_timeout,
            columns: Vec::new(),
            binary: false,
            reading: Reading::Rest,
            summary: Summary::default(),
        };
        client.finish_auth(plugin).await?;
        client.channel.read_ahead();
        if let Some(compression) = config.compression
            && (capabilities.contains(Capabilities::COMPRESS)
                || capabilities.contains(Capabilities::ZSTD))
        {
            client.channel.compress(compression);
        }
        Ok(client)
    }

    /// Answers the server until it is content.
    async fn finish_auth(&mut self, mut plugin: String) -> Result<()> {
        loop {
            let payload = self.read().await?;
            let Some((&first, rest)) = payload.split_first() else {
                return Err(Error::malformed());
            };
            match first {
                0x00 => {
                    self.summary = Summary::decode_ok(rest, self.capabilities)?;
                    self.reading = Reading::Nothing;
                    return Ok(());
                }
                0xff => {
                    let error = decode_error(Decoder::new(rest))?;
                    // After a change of user that is refused the old login goes on.
                    self.reading = Reading::Nothing;
                    return Err(Error::Sql(error));
                }
                0xfe => {
                    let mut from = Decoder::new(rest);
                    plugin = String::from_utf8_lossy(from.zero_terminated()?).into_owned();
                    self.nonce.copy_from_slice(from.bytes(NONCE_BYTES)?);
                    let answer = auth_response(&plugin, &self.password, &self.nonce)?;
                    self.answer(&answer).await?;
                }
                0x01 if plugin == AuthPlugin::CachingSha2Password.name() => match rest {
                    [0x03] => {}
                    [0x04] => self.send_password().await?,
                    _ => return Err(Error::malformed()),
                },
                _ => return Err(Error::malformed()),
            }
        }
    }

    async fn answer(&mut self, payload: &[u8]) -> Result<()> {
        self.channel.output.packet(payload);
        self.channel.flush().await
    }

    async fn send_password(&mut self) -> Result<()> {
        if self.secure {
            let password = [&self.password[..], &[0]].concat();
            return self.answer(&password).await;
        }
        if !self.allow_public_key_retrieval {
            return Err(Error::Sql(SqlError::new(
                2061,
                b"HY000",
                "Authentication plugin 'caching_sha2_password' reported error: Authentication \
                 requires secure connection.",
            )));
        }
        self.answer(&[0x02]).await?;
        let key: Bytes = self.read_checked().await?;
        let Some((0x01, pem)) = key.split_first() else { return Err(Error::malformed()) };
        let encrypted = encrypt_password(pem, &self.password, &self.nonce)?;
        self.answer(&encrypted).await
    }

    /// COM_CHANGE_USER: another account, and a new session.
    pub async fn change_user(
        &mut self,
        user: &str,
        password: &[u8],
        schema: Option<&str>,
    ) -> Result<()> {
        self.password = password.to_vec();
        let plugin = match AuthPlugin::from_name(&self.greeting.plugin) {
            Some(plugin) => plugin.name().to_owned(),
            None => AuthPlugin::NativePassword.name().to_owned(),
        };
        let change = ChangeUser {
            user: user.into(),
            // As MySQL's library: the server asks for it.
            auth_response: Vec::new(),
            schema: schema.map(|schema| schema.as_bytes().to_vec()),
            collation: Some(u16::from(self.greeting.collation)),
            plugin: Some(plugin.clone()),
            attributes: Vec::new(),
        };
        let capabilities = self.capabilities;
        self.send(crate::CommandByte::ChangeUser, |out| change.encode(capabilities, out)).await?;
        self.finish_auth(plugin).await
    }
}
