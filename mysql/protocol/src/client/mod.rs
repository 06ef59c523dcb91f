//! The client's side of a connection.

mod commands;
mod connect;
mod row;

pub use commands::{Outcome, PreparedStatement, ResultSet, Skipped};
pub use connect::ClientConfig;
pub use row::Row;

use std::io;
use std::time::Duration;

use bytes::Bytes;

use crate::error::{Error, Result, SqlError};
use crate::flags::{Capabilities, CommandByte};
use crate::handshake::{Greeting, NONCE_BYTES};
use crate::packet::{Channel, Decoder};
use crate::result::{Column, Summary};

/// A connection to a server, logged in. One command runs at a time: its
/// results are read to their end before the next one.
///
/// After an error that [is fatal](Error::is_fatal), and after a call whose
/// future was dropped before its end, what comes next on the wire is not known:
/// every later call fails with [`Error::Io`] of the kind `NotConnected`.
pub struct Client {
    channel: Channel,
    greeting: Greeting,
    capabilities: Capabilities,
    nonce: [u8; NONCE_BYTES],
    secure: bool,
    password: Vec<u8>,
    allow_public_key_retrieval: bool,
    /// For the first byte of each packet.
    answer_timeout: Duration,
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
    /// The rest of an exchange. A call that finds this follows one that failed
    /// or was dropped.
    Rest,
}

fn broken() -> Error {
    let text = "an earlier call on this connection failed or was dropped";
    Error::Io(io::Error::new(io::ErrorKind::NotConnected, text))
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
        self.begin_exchange()?;
        self.channel.output.begin();
        self.channel.output.bytes().push(command as u8);
        put(self.channel.output.bytes());
        self.channel.output.end();
        self.channel.finish_exchange().await
    }

    /// Makes ready to send a command. Whoever reads its answer to the end, or
    /// to the point where the caller goes on, says so in `reading`.
    fn begin_exchange(&mut self) -> Result<()> {
        match self.reading {
            Reading::Nothing => self.reading = Reading::Rest,
            Reading::Rest => return Err(broken()),
            _ => return Err(Error::Misuse("the result before was not read to its end")),
        }
        self.channel.reset_sequence();
        Ok(())
    }

    async fn read(&mut self) -> Result<Bytes> {
        self.channel.read_packet(self.answer_timeout).await.map_err(|error| match error {
            // A server's packet over our own limit: the exchange is out of step.
            Error::Sql(error) => Error::Protocol(error),
            Error::Io(error)
                if error.kind() == io::ErrorKind::TimedOut && self.channel.is_at_rest() =>
            {
                let text = format!("no answer from the server within {:?}", self.answer_timeout);
                Error::Io(io::Error::new(io::ErrorKind::TimedOut, text))
            }
            other => other,
        })
    }

    /// Reads a packet; an ERR packet becomes an error.
    async fn read_checked(&mut self) -> Result<Bytes> {
        let payload = self.read().await?;
        if payload.first() == Some(&0xff) {
            let error = decode_error(Decoder::new(&payload[1..]))?;
            self.reading = Reading::Nothing;
            return Err(Error::Sql(error));
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
        self.reading = Reading::Nothing;
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
