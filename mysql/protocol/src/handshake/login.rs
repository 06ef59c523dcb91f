//! Who a client wants to be: its handshake response, and COM_CHANGE_USER.

use super::attributes::{self, Attributes};
use crate::error::{Error, Result, SqlError};
use crate::flags::Capabilities;
use crate::packet::{Decoder, put_lenenc_bytes, put_zero_terminated};

/// The part of a handshake response that asks for TLS, bytes.
pub const SSL_REQUEST_BYTES: usize = 32;

/// The client's answer to the greeting.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HandshakeResponse {
    /// What the client can and wants.
    pub capabilities: Capabilities,
    /// The longest packet the client takes, bytes.
    pub packet_max_bytes: u32,
    /// Low byte of the collation id of the connection.
    pub collation: u8,
    /// Name of the account.
    pub user: Vec<u8>,
    /// What the plugin makes of the password and the nonce.
    pub auth_response: Vec<u8>,
    /// Schema to use.
    pub schema: Option<Vec<u8>>,
    /// The plugin that made `auth_response`.
    pub plugin: Option<String>,
    /// Attributes of the connection.
    pub attributes: Attributes,
    /// Level of compression, if zstd is wanted.
    pub zstd_level: u8,
}

/// What is common to the request for TLS and the response.
fn decode_prefix(from: &mut Decoder<'_>) -> Result<(Capabilities, u32, u8)> {
    let capabilities = Capabilities(from.u32()?);
    // The old protocol had two bytes here; who speaks it is refused.
    if !capabilities.contains(Capabilities::PROTOCOL_41 | Capabilities::SECURE_CONNECTION) {
        return Err(bad_handshake());
    }
    let packet_max_bytes = from.u32()?;
    let collation = from.u8()?;
    from.bytes(23)?;
    Ok((capabilities, packet_max_bytes, collation))
}

fn bad_handshake() -> Error {
    Error::Protocol(SqlError::bad_handshake())
}

impl HandshakeResponse {
    /// Whether this packet asks for TLS.
    pub fn is_ssl_request(payload: &[u8]) -> bool {
        Decoder::new(payload).u32().is_ok_and(|bits| Capabilities(bits).contains(Capabilities::SSL))
    }

    /// Reads a packet's payload; `offered` is what the server can. Anything
    /// wrong is a bad handshake (error 1043).
    pub fn decode(payload: &[u8], offered: Capabilities) -> Result<Self> {
        Self::decode_fields(payload, offered).map_err(|_| bad_handshake())
    }

    fn decode_fields(payload: &[u8], offered: Capabilities) -> Result<Self> {
        let mut from = Decoder::new(payload);
        let (wanted, packet_max_bytes, collation) = decode_prefix(&mut from)?;
        let capabilities = wanted & offered;
        let mut this = Self { capabilities, packet_max_bytes, collation, ..Self::default() };
        this.user = from.zero_terminated()?.to_vec();
        // The form is what the client says, even if the server did not offer it.
        this.auth_response = if wanted.contains(Capabilities::PLUGIN_AUTH_LENENC) {
            from.lenenc_bytes()?.to_vec()
        } else {
            let len = from.u8()?;
            from.bytes(usize::from(len))?.to_vec()
        };
        if wanted.contains(Capabilities::CONNECT_WITH_DB) && !from.is_empty() {
            let schema = from.zero_terminated_or_rest();
            this.schema = (!schema.is_empty()).then(|| schema.to_vec());
        }
        if wanted.contains(Capabilities::PLUGIN_AUTH) && !from.is_empty() {
            let plugin = from.zero_terminated_or_rest();
            this.plugin = Some(String::from_utf8_lossy(plugin).into_owned());
        }
        if wanted.contains(Capabilities::CONNECT_ATTRS) && !from.is_empty() {
            this.attributes = attributes::decode(&mut from)?;
        }
        if wanted.contains(Capabilities::ZSTD) && !from.is_empty() {
            this.zstd_level = from.u8()?;
        }
        Ok(this)
    }

    /// Appends the packet that asks for TLS.
    pub fn encode_ssl_request(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.capabilities.0.to_le_bytes());
        out.extend_from_slice(&self.packet_max_bytes.to_le_bytes());
        out.push(self.collation);
        out.extend_from_slice(&[0; 23]);
    }

    /// Appends the packet's payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.encode_ssl_request(out);
        put_zero_terminated(out, &self.user);
        if self.capabilities.contains(Capabilities::PLUGIN_AUTH_LENENC) {
            put_lenenc_bytes(out, &self.auth_response);
        } else {
            out.push(self.auth_response.len() as u8);
            out.extend_from_slice(&self.auth_response);
        }
        if self.capabilities.contains(Capabilities::CONNECT_WITH_DB) {
            put_zero_terminated(out, self.schema.as_deref().unwrap_or_default());
        }
        if self.capabilities.contains(Capabilities::PLUGIN_AUTH) {
            let plugin = self.plugin.as_deref().unwrap_or_default();
            put_zero_terminated(out, plugin.as_bytes());
        }
        if self.capabilities.contains(Capabilities::CONNECT_ATTRS) {
            attributes::encode(&self.attributes, out);
        }
        if self.capabilities.contains(Capabilities::ZSTD) {
            out.push(self.zstd_level);
        }
    }
}

/// COM_CHANGE_USER behind its first byte: another account on this connection.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChangeUser {
    /// Name of the account.
    pub user: Vec<u8>,
    /// What the plugin makes of the password and the connection's nonce.
    pub auth_response: Vec<u8>,
    /// Schema to use.
    pub schema: Option<Vec<u8>>,
    /// Collation id of the connection; `None` keeps it.
    pub collation: Option<u16>,
    /// The plugin that made `auth_response`.
    pub plugin: Option<String>,
    /// Attributes of the connection.
    pub attributes: Attributes,
}

impl ChangeUser {
    /// Reads a packet's payload.
    pub fn decode(payload: &[u8], capabilities: Capabilities) -> Result<Self> {
        let mut from = Decoder::new(payload);
        let mut this = Self { user: from.zero_terminated()?.to_vec(), ..Self::default() };
        let len = from.u8()?;
        this.auth_response = from.bytes(usize::from(len))?.to_vec();
        let schema = from.zero_terminated()?;
        this.schema = (!schema.is_empty()).then(|| schema.to_vec());
        if !from.is_empty() {
            this.collation = Some(from.u16()?);
        }
        if capabilities.contains(Capabilities::PLUGIN_AUTH) && !from.is_empty() {
            let plugin = from.zero_terminated_or_rest();
            this.plugin = Some(String::from_utf8_lossy(plugin).into_owned());
        }
        if capabilities.contains(Capabilities::CONNECT_ATTRS) && !from.is_empty() {
            this.attributes = attributes::decode(&mut from)?;
        }
        Ok(this)
    }

    /// Appends the packet's payload.
    pub fn encode(&self, capabilities: Capabilities, out: &mut Vec<u8>) {
        put_zero_terminated(out, &self.user);
        out.push(self.auth_response.len() as u8);
        out.extend_from_slice(&self.auth_response);
        put_zero_terminated(out, self.schema.as_deref().unwrap_or_default());
        out.extend_from_slice(&self.collation.unwrap_or(255).to_le_bytes());
        if capabilities.contains(Capabilities::PLUGIN_AUTH) {
            put_zero_terminated(out, self.plugin.as_deref().unwrap_or_default().as_bytes());
        }
        if capabilities.contains(Capabilities::CONNECT_ATTRS) {
            attributes::encode(&self.attributes, out);
        }
    }
}
