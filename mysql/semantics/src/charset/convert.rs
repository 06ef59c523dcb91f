//! From one set to another.

use super::decode::{Decode, with_decoder};
use super::encode::encode;
use super::{
    AsciiDecoder, ByteDecoder, Charset, Encoding, Gbk, GbkDecoder, NotSupported, Single,
    SingleDecoder, Ucs2, Utf8mb3, Utf8mb4, Utf16, Utf16le, Utf32,
};

/// Appends `text`, read as `from`, as text of `to`: what `to` lacks and what is no
/// character becomes `?`, as MySQL does it. Returns how many became so.
///
/// To and from `binary` bytes are copied; to a set of wider characters, zeros are put
/// before them until they fill characters.
///
/// # Errors
///
/// [`NotSupported`] for a set that is known by name only, unless both are the same.
pub fn convert(
    text: &[u8],
    from: &Charset,
    to: &Charset,
    out: &mut Vec<u8>,
) -> Result<usize, NotSupported> {
    if from == to || to.is_binary() {
        out.extend_from_slice(text);
        return Ok(0);
    }
    if from.is_binary() {
        let over = text.len() % to.min_bytes();
        if over > 0 {
            out.resize(out.len() + to.min_bytes() - over, 0);
        }
        out.extend_from_slice(text);
        return Ok(0);
    }
    from.supported()?;
    to.supported()?;
    let unchanged = (from.min_bytes() == 1 && to.min_bytes() == 1 && text.is_ascii())
        && keeps_ascii(from)
        && keeps_ascii(to);
    if unchanged || (from.encoding() == Encoding::Utf8mb3 && to.encoding() == Encoding::Utf8mb4) {
        out.extend_from_slice(text);
        return Ok(0);
    }
    out.reserve(text.len());
    with_decoder!(from, decoder => each(text, decoder, to.encoding(), out))
}

/// All but `swe7`, which has letters in place of some signs.
fn keeps_ascii(set: &Charset) -> bool {
    set.name() != "swe7"
}

fn each(mut text: &[u8], decoder: impl Decode, to: Encoding, out: &mut Vec<u8>) -> usize {
    let mut replaced = 0;
    while !text.is_empty() {
        let unit = decoder.first(text);
        text = text.get(unit.len..).unwrap_or(&[]);
        if !unit.is_valid() || !encode(to, unit.code, out) {
            encode(to, u32::from(b'?'), out);
            replaced += 1;
        }
    }
    replaced
}
