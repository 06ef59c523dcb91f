//! The server's first packet: handshake version 10.

use super::NONCE_BYTES;
use crate::error::{Error, Result, SqlError};
use crate::flags::{Capabilities, StatusFlags};
use crate::packet::{Decoder, put_zero_terminated};

/// What a server says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Greeting {
    /// Version of the server.
    pub version: String,
    /// Number of the connection.
    pub connection_id: u32,
    /// Random bytes for hashing passwords, none of them zero.
    pub nonce: [u8; NONCE_BYTES],
    /// What the server can.
    pub capabilities: Capabilities,
    /// Low byte of the server's default collation id.
    pub collation: u8,
    /// State of the session.
    pub status: StatusFlags,
    /// The authentication plugin that is tried first.
    pub plugin: String,
}

impl Greeting {
    /// Appends the packet's payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(10);
        put_zero_terminated(out, self.version.as_bytes());
        out.extend_from_slice(&self.connection_id.to_le_bytes());
        out.extend_from_slice(&self.nonce[..8]);
        out.push(0);
        let [low0, low1, high0, high1] = self.capabilities.0.to_le_bytes();
        out.extend_from_slice(&[low0, low1, self.collation]);
        out.extend_from_slice(&self.status.0.to_le_bytes());
        // The nonce's length counts its closing zero byte.
        out.extend_from_slice(&[high0, high1, NONCE_BYTES as u8 + 1]);
        out.extend_from_slice(&[0; 10]);
        put_zero_terminated(out, &self.nonce[8..]);
        put_zero_terminated(out, self.plugin.as_bytes());
    }

    /// Reads a packet's payload; an ERR packet, which a server may send
    /// instead, is that error.
    pub fn decode(payload: &[u8]) -> Result<Self> {
        let mut from = Decoder::new(payload);
        match from.u8()? {
            10 => {}
            0xff => return Err(Error::Sql(crate::client::decode_error(from)?)),
            _ => return Err(Error::Protocol(SqlError::bad_handshake())),
        }
        let version = String::from_utf8_lossy(from.zero_terminated()?).into_owned();
        let connection_id = from.u32()?;
        let mut nonce = [0; NONCE_BYTES];
        nonce[..8].copy_from_slice(from.bytes(8)?);
        from.u8()?;
        let low = u32::from(from.u16()?);
        let collation = from.u8()?;
        let status = StatusFlags(from.u16()?);
        let capabilities = Capabilities(low | u32::from(from.u16()?) << 16);
        from.u8()?;
        from.bytes(10)?;
        nonce[8..].copy_from_slice(from.bytes(NONCE_BYTES - 8)?);
        from.u8()?;
        let plugin = if capabilities.contains(Capabilities::PLUGIN_AUTH) {
            String::from_utf8_lossy(from.zero_terminated_or_rest()).into_owned()
        } else {
            String::new()
        };
        Ok(Self { version, connection_id, nonce, capabilities, collation, status, plugin })
    }
}
