//! JSON_STORAGE_SIZE as MySQL counts it.

use super::error::JsonError;
use super::view::{JsonRef, Kind};

/// What JSON_STORAGE_SIZE says: the bytes of MySQL's own binary form, not of ours.
///
/// # Errors
/// If the bytes are corrupt.
pub fn storage_size(document: JsonRef<'_>) -> Result<usize, JsonError> {
    // The first byte tells the type.
    Ok(1 + size(document)?)
}

/// The bytes of a value in the smaller format if it fits, else in the larger one.
fn size(value: JsonRef<'_>) -> Result<usize, JsonError> {
    match value.kind()? {
        Kind::Array(_) | Kind::Object(_) => {
            let small = container(value, 2)?;
            if small.fits { Ok(small.bytes) } else { Ok(container(value, 4)?.bytes) }
        }
        scalar => Ok(scalar_size(&scalar)),
    }
}

struct Container {
    bytes: usize,
    /// Whether all offsets fit into two bytes.
    fits: bool,
}

fn container(value: JsonRef<'_>, width: usize) -> Result<Container, JsonError> {
    let mut fits = true;
    let bytes = match value.kind()? {
        Kind::Array(array) => {
            fits &= array.len() <= 0xffff;
            let mut bytes = 2 * width + array.len() * (1 + width);
            for element in array.iter() {
                bytes += entry(element?, width, bytes, &mut fits)?;
            }
            bytes
        }
        Kind::Object(object) => {
            fits &= object.len() <= 0xffff;
            let mut bytes = 2 * width + object.len() * (width + 2 + 1 + width);
            for member in object.iter() {
                bytes += member?.0.len();
            }
            for member in object.iter() {
                bytes += entry(member?.1, width, bytes, &mut fits)?;
            }
            bytes
        }
        _ => 0,
    };
    Ok(Container { bytes, fits: fits && bytes <= 0xffff })
}

/// The bytes of a value beside its entry.
fn entry(
    value: JsonRef<'_>,
    width: usize,
    offset: usize,
    fits: &mut bool,
) -> Result<usize, JsonError> {
    let inline = match value.kind()? {
        Kind::Null | Kind::Bool(_) => true,
        Kind::Int(value) => {
            if width == 2 {
                i16::try_from(value).is_ok()
            } else {
                i32::try_from(value).is_ok()
            }
        }
        Kind::UInt(value) => {
            if width == 2 {
                u16::try_from(value).is_ok()
            } else {
                u32::try_from(value).is_ok()
            }
        }
        _ => false,
    };
    if inline {
        return Ok(0);
    }
    *fits &= offset <= 0xffff;
    size(value)
}

fn scalar_size(kind: &Kind<'_>) -> usize {
    match *kind {
        Kind::Null | Kind::Bool(_) => 1,
        Kind::Int(value) => match value {
            -0x8000..=0x7fff => 2,
            -0x8000_0000..=0x7fff_ffff => 4,
            _ => 8,
        },
        Kind::UInt(value) => match value {
            0..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        },
        Kind::Double(_) => 8,
        Kind::String(text) => varint_len(text.len()) + text.len(),
        // Type, length, then precision, scale and four bytes for each nine digits.
        Kind::Decimal(value) => {
            let part = |digits: usize| digits / 9 * 4 + [0, 1, 1, 2, 2, 3, 3, 4, 4][digits % 9];
            let scale = usize::from(value.scale());
            let mut whole = usize::from(value.digits()) - scale;
            if whole == 1 && value.each_digit().next() == Some(0) && scale > 0 {
                whole = 0;
            }
            2 + 2 + part(whole) + part(scale)
        }
        Kind::Date(_) | Kind::Time(_) | Kind::DateTime(_) | Kind::Timestamp(_) => 2 + 8,
        Kind::Opaque { bytes, .. } => 1 + varint_len(bytes.len()) + bytes.len(),
        Kind::Array(_) | Kind::Object(_) => 0,
    }
}

fn varint_len(mut value: usize) -> usize {
    let mut len = 1;
    while value >= 0x80 {
        value >>= 7;
        len += 1;
    }
    len
}
