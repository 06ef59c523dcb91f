//! Attributes of a connection: what a client says of itself.

use crate::error::{Error, Result};
use crate::packet::{Decoder, put_lenenc_bytes};

/// The most that all attributes of a connection may take, bytes.
pub const ATTRIBUTES_MAX_BYTES: usize = (64 << 10) - 1;

/// The most attributes of a connection that are kept. Clients send about ten;
/// the bound is on what a short packet can take in memory before anybody has
/// logged in.
pub const ATTRIBUTES_MAX: usize = 1024;

/// Names and values, in the order of the client.
pub type Attributes = Vec<(String, String)>;

/// Reads the block of attributes, which is behind its length. Like MySQL, it
/// minds the block's length only, and keeps the attributes in front of one that
/// is cut short.
pub(super) fn decode(from: &mut Decoder<'_>) -> Result<Attributes> {
    let block = from.lenenc_bytes()?;
    if block.len() > ATTRIBUTES_MAX_BYTES {
        return Err(Error::malformed());
    }
    let mut block = Decoder::new(block);
    let mut attributes = Vec::new();
    while !block.is_empty() {
        let mut text =
            || block.lenenc_bytes().map(|text| String::from_utf8_lossy(text).into_owned());
        match (text(), text()) {
            (Ok(name), Ok(value)) if attributes.len() < ATTRIBUTES_MAX => {
                attributes.push((name, value));
            }
            _ => break,
        }
    }
    Ok(attributes)
}

pub(super) fn encode(attributes: &Attributes, out: &mut Vec<u8>) {
    let mut block = Vec::new();
    for (name, value) in attributes {
        put_lenenc_bytes(&mut block, name.as_bytes());
        put_lenenc_bytes(&mut block, value.as_bytes());
    }
    put_lenenc_bytes(out, &block);
}
