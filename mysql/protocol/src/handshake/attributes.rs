//! Attributes of a connection: what a client says of itself.

use crate::error::{Error, Result};
use crate::packet::{Decoder, put_lenenc_bytes};

/// The most that all attributes of a connection may take, bytes.
pub const ATTRIBUTES_MAX_BYTES: usize = 64 << 10;

/// Names and values, in the order of the client.
pub type Attributes = Vec<(String, String)>;

/// Reads the block of attributes, which is behind its length.
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
        attributes.push((text()?, text()?));
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
