//! The client's side of a connection.

mod commands;
mod connect;
mod row;

pub use commands::{Outcome, PreparedStatement, ResultSet};
pub use connect::ClientConfig;
pub use row::Row;

use std::time::Duration;

use bytes::Bytes;

use crate::error::{Error, Result, SqlError};
use crate::flags::{Capabilities, CommandByte};
use crate::handshake::{Greeting, NONCE_BYTES};
use crate::packet::{Channel, Decoder};
use crate::result::{Column, Summary};

/// How long a client waits for an answer: as long as it takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(365 * 86_400);

/// A connection to a server, logged in. One command runs at a time: its
/// results are read to their end before the next one.
pub struct Client {
    channel: Channel,
    greeting: Greeting,
    capabilities: Capabilities,
    nonce: [u8; NONCE_BYTES],
    secure: bool,
    password: Vec<u8>,
    allow_public_key_retrieval: bool,
    /// Columns of the result that is being read.
    columns: Vec<Column>,
    /// Rows of that result are binary.
    binary: bool,
    reading: Reading,
    /// What the last result ended with.
    summary: Summary,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reading {
    Nothing,
    Rows,
    Infile,
}

/// Reads an ERR packet behind its first byte.
pub(crate) fn decode_error(mut from: Decoder<'_>) -> Result<SqlError> {
    let number = from.u16()?;
    let mut sqlstate = *b"HY000";
    if let Some((state, text)) = from.rest().strip_prefix(b"#").and_then(|r| r.split_at_checked(5))
    {
        sqlstate.copy_from_slice(state);
        from = Decoder::new(text);
    }
    let message = String::from_utf8_lossy(from.rest()).into_owned();
    Ok(SqlError::new(number, &sqlstate, message))
}

impl Client {
    /// What the server said of itself.
    pub fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// What the connection can.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Columns of the present result.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What the last result ended with.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Starts a command whose payload `put` writes.
    async fn send(&mut self, command: CommandByte, put: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        if self.reading != Reading::Nothing {
            return Err(Error::Misuse("the result before was not read to its end"));
        }
        self.channel.reset_sequence();
        self.channel.output.begin();
        self.channel.output.bytes().push(command as u8);
        put(self.channel.output.bytes());
        self.channel.output.end();
        self.channel.finish_exchange().await
    }

    async fn read(&mut self) -> Result<Bytes> {
        self.channel.read_packet(ANSWER_TIMEOUT).await.map_err(|error| match error {
            // A server's packet over our own limit: the exchange is out of step.
            Error::Sql(error) => Error::Protocol(error),
            other => other,
        })
    }

    /// Reads a packet; an ERR packet becomes an error.
    async fn read_checked(&mut self) -> Result<Bytes> {
        let payload = self.read().await?;
        if payload.first() == Some(&0xff) {
            self.reading = Reading::Nothing;
            return Err(Error::Sql(decode_error(Decoder::new(&payload[1..]))?));
        }
        Ok(payload)
    }

    /// Reads an OK packet, or the EOF packet that some commands answer with.
    async fn read_ok(&mut self) -> Result<()> {
        let payload = self.read_checked().await?;
        self.summary = match payload.first() {
            Some(0x00) => Summary::decode_ok(&payload[1..], self.capabilities)?,
            Some(0xfe) => self.decode_end(&payload)?,
            _ => return Err(Error::malformed()),
        };
        Ok(())
    }

    /// Reads what ends rows.
    fn decode_end(&self, payload: &[u8]) -> Result<Summary> {
        if self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            Summary::decode_ok(&payload[1..], self.capabilities)
        } else {
            Summary::decode_eof(&payload[1..])
        }
    }

    /// Whether a packet among rows ends them: it looks like a row whose first
    /// value is very long, but is short.
    fn is_end(&self, payload: &[u8]) -> bool {
        let max = if self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            crate::packet::FRAME_MAX_BYTES
        } else {
            9
        };
        payload.first() == Some(&0xfe) && payload.len() < max
    }
}
