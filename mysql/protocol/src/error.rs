//! What ends a statement and what ends a connection.

use std::borrow::Cow;

/// An error as the protocol carries it: MySQL's number, SQLSTATE and wording.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("ERROR {number} ({}): {message}", String::from_utf8_lossy(.sqlstate))]
pub struct SqlError {
    /// MySQL's error number.
    pub number: u16,
    /// Five characters of SQLSTATE.
    pub sqlstate: [u8; 5],
    /// The text, in UTF-8.
    pub message: Cow<'static, str>,
}

impl SqlError {
    /// An error with these parts.
    pub fn new(number: u16, sqlstate: &[u8; 5], message: impl Into<Cow<'static, str>>) -> Self {
        Self { number, sqlstate: *sqlstate, message: message.into() }
    }

    /// 1045: wrong password, or no such account.
    pub fn access_denied(user: &str, host: &str, using_password: bool) -> Self {
        let using = if using_password { "YES" } else { "NO" };
        let (user, host) = (cut(user, 48), cut(host, 64));
        let text = format!("Access denied for user '{user}'@'{host}' (using password: {using})");
        Self::new(1045, b"28000", text)
    }

    /// 1043: the handshake made no sense.
    pub fn bad_handshake() -> Self {
        Self::new(1043, b"08S01", "Bad handshake")
    }

    /// 1053: the server stops.
    pub fn server_shutdown() -> Self {
        Self::new(1053, b"08S01", "Server shutdown in progress")
    }

    /// 1047: a command that does not exist, or not here.
    pub fn unknown_command() -> Self {
        Self::new(1047, b"08S01", "Unknown command")
    }

    /// 1153: a packet over the connection's `max_allowed_packet`.
    pub fn packet_too_large() -> Self {
        Self::new(1153, b"08S01", "Got a packet bigger than 'max_allowed_packet' bytes")
    }

    /// 1156: a packet whose sequence number is not the next one.
    pub fn packets_out_of_order() -> Self {
        Self::new(1156, b"08S01", "Got packets out of order")
    }

    /// 1157: a compressed packet that does not unpack to what it promised.
    pub fn uncompress_failed() -> Self {
        Self::new(1157, b"08S01", "Couldn't uncompress communication packet")
    }

    /// 1835: a packet that does not hold what its command needs.
    pub fn malformed_packet() -> Self {
        Self::new(1835, b"HY000", "Malformed communication packet.")
    }

    /// 1243: no statement of that number in this session.
    pub fn unknown_statement(id: u32) -> Self {
        let text =
            format!("Unknown prepared statement handler ({id}) given to mysql_stmt_precheck");
        Self::new(1243, b"HY000", text)
    }

    /// 1421: a fetch from a statement without a cursor.
    pub fn no_open_cursor(id: u32) -> Self {
        Self::new(1421, b"HY000", format!("The statement ({id}) has no open cursor."))
    }

    /// 1390: more than 65,535 placeholders.
    pub fn too_many_placeholders() -> Self {
        Self::new(1390, b"HY000", "Prepared statement contains too many placeholders")
    }

    /// 1461: the limit of prepared statements is reached.
    pub fn too_many_statements(limit: usize) -> Self {
        let text = format!(
            "Can't create more than max_prepared_stmt_count statements (current value: {limit})"
        );
        Self::new(1461, b"42000", text)
    }

    /// 1041: no memory is left for this.
    pub fn out_of_resources() -> Self {
        Self::new(
            1041,
            b"HY000",
            "Out of memory; check if mysqld or some other process uses all available memory; \
             if not, you may have to use 'ulimit' to allow mysqld to use more memory or you can \
             add more swap space",
        )
    }

    /// 1251: the client cannot do what the account's plugin needs.
    pub fn auth_mode_not_supported() -> Self {
        Self::new(
            1251,
            b"08004",
            "Client does not support authentication protocol requested by server; consider \
             upgrading MySQL client",
        )
    }

    /// 1524: an account names a plugin that does not exist here.
    pub fn plugin_not_loaded(plugin: &str) -> Self {
        Self::new(1524, b"HY000", format!("Plugin '{plugin}' is not loaded"))
    }

    /// 3948: LOAD DATA LOCAL without the client's consent.
    pub fn local_files_disabled() -> Self {
        Self::new(
            3948,
            b"42000",
            "Loading local data is disabled; this must be enabled on both the client and server \
             sides",
        )
    }

    /// 4031: nothing came from the client for too long.
    pub fn idle_too_long() -> Self {
        Self::new(
            4031,
            b"HY000",
            "The client was disconnected by the server because of inactivity. See wait_timeout \
             and interactive_timeout for configuring this behavior.",
        )
    }

    /// 1235: understood, but not done here.
    pub fn not_supported(what: &str) -> Self {
        let text = format!("This version of MySQL doesn't yet support '{what}'");
        Self::new(1235, b"42000", text)
    }

    /// 1105: anything without a number of its own.
    pub fn unknown(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(1105, b"HY000", message)
    }
}

/// The first `max` characters.
fn cut(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).map_or(text, |(end, _)| &text[..end])
}

/// Why a call on a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement failed; the connection lives on. A server's handler
    /// returns these to have them sent; a client gets those of its server.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The peer broke the protocol. A server sends the error, then closes.
    #[error("the peer broke the protocol: {0}")]
    Protocol(SqlError),
    /// The peer went away, or the network did.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// A caller used the interface wrongly, for example too few columns in a row.
    #[error("misuse: {0}")]
    Misuse(&'static str),
}

impl Error {
    /// The packet does not hold what it must.
    pub(crate) fn malformed() -> Self {
        Self::Protocol(SqlError::malformed_packet())
    }

    /// Whether the connection can be used further.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::Sql(_))
    }
}

/// Result of a call on a connection.
pub type Result<T, E = Error> = std::result::Result<T, E>;
