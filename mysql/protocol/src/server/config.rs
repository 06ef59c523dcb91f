//! Settings of a server's side.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::auth::{AuthPlugin, PasswordCache, RsaKeyPair};
use crate::error::SqlError;
use crate::flags::Capabilities;
use crate::packet::Timeouts;
use crate::tls::ServerTls;

/// The MySQL whose protocol this is, as clients read it from the version.
pub const VERSION_PREFIX: &str = "8.4.7";

/// `8.4.x-Firn-` and the version of this crate.
pub fn default_version() -> String {
    format!("{VERSION_PREFIX}-Firn-{}", env!("CARGO_PKG_VERSION"))
}

/// Settings of a server, and what its connections share. Make one per server.
#[derive(Debug)]
pub struct ServerConfig {
    /// Version of the server, as clients see it.
    pub version: String,
    /// Certificate and key; `None` offers no TLS.
    pub tls: Option<ServerTls>,
    /// Refuses connections without TLS, except over Unix sockets.
    pub require_secure_transport: bool,
    /// RSA key for passwords without TLS. Without one, a key is made when the
    /// first client asks.
    pub rsa_key: OnceLock<RsaKeyPair>,
    /// The plugin that a client is asked to try first.
    pub default_plugin: AuthPlugin,
    /// Collation id of connections whose client does not say; 255 is
    /// utf8mb4_0900_ai_ci.
    pub default_collation: u8,
    /// Offers zlib compression.
    pub zlib: bool,
    /// Offers zstd compression.
    pub zstd: bool,
    /// Offers LOAD DATA LOCAL.
    pub local_infile: bool,
    /// From the connection's start to the end of its login (`connect_timeout`).
    pub connect_timeout: Duration,
    /// Between the parts of a packet (`net_read_timeout`).
    pub read_timeout: Duration,
    /// For a client to take some of what it is sent (`net_write_timeout`).
    pub write_timeout: Duration,
    /// Longest packet of a client, bytes (`max_allowed_packet`).
    pub packet_max_bytes: usize,
    /// Prepared statements of one connection.
    pub statements_max: usize,
    /// Long data of all prepared statements of one connection, bytes.
    pub long_data_max_bytes: usize,
    /// Rows of one cursor, bytes. They are held in memory.
    pub cursor_max_bytes: usize,
    /// Passwords that were right.
    pub password_cache: PasswordCache,
    /// How many passwords are checked the slow way at the same time.
    pub slow_checks: Arc<Semaphore>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        Self {
            version: default_version(),
            tls: None,
            require_secure_transport: false,
            rsa_key: OnceLock::new(),
            default_plugin: AuthPlugin::CachingSha2Password,
            default_collation: 255,
            zlib: true,
            zstd: true,
            local_infile: true,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            packet_max_bytes: 64 << 20,
            statements_max: 16_382,
            long_data_max_bytes: 128 << 20,
            cursor_max_bytes: 64 << 20,
            password_cache: PasswordCache::default(),
            slow_checks: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl ServerConfig {
    /// What this server offers to its clients.
    pub fn capabilities(&self) -> Capabilities {
        use Capabilities as C;
        let mut offered = [
            C::FOUND_ROWS,
            C::LONG_FLAG,
            C::CONNECT_WITH_DB,
            C::NO_SCHEMA,
            C::ODBC,
            C::IGNORE_SPACE,
            C::PROTOCOL_41,
            C::INTERACTIVE,
            C::IGNORE_SIGPIPE,
            C::TRANSACTIONS,
            C::RESERVED,
            C::SECURE_CONNECTION,
            C::MULTI_STATEMENTS,
            C::MULTI_RESULTS,
            C::PS_MULTI_RESULTS,
            C::PLUGIN_AUTH,
            C::CONNECT_ATTRS,
            C::PLUGIN_AUTH_LENENC,
            C::CAN_HANDLE_EXPIRED_PASSWORDS,
            C::SESSION_TRACK,
            C::DEPRECATE_EOF,
            C::OPTIONAL_RESULTSET_METADATA,
            C::QUERY_ATTRIBUTES,
        ]
        .into_iter()
        .fold(C::LONG_PASSWORD, C::with);
        offered.set(C::SSL, self.tls.is_some());
        offered.set(C::COMPRESS, self.zlib);
        offered.set(C::ZSTD, self.zstd);
        offered.set(C::LOCAL_FILES, self.local_infile);
        offered
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        Timeouts { read: self.read_timeout, write: self.write_timeout }
    }

    /// The RSA key; makes it if there is none yet, which takes a while.
    pub(crate) fn rsa_key(&self) -> Result<&RsaKeyPair, SqlError> {
        if let Some(key) = self.rsa_key.get() {
            return Ok(key);
        }
        let made = RsaKeyPair::generate()?;
        Ok(self.rsa_key.get_or_init(|| made))
    }
}
