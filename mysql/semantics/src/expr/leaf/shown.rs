//! Texts as the server's messages about dates show them where it takes their bytes
//! as they are, whatever their character set.

/// Bytes taken for utf8mb4: a zero, or a character that breaks off, ends them; what
/// is no character, or one beyond the first plane, is `?`.
pub(crate) fn bytes_as_utf8mb4(mut bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    while let Some(lead) = bytes.first().copied().filter(|lead| *lead != 0) {
        let length = match lead {
            0..0xc2 => 1,
            0xc2..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        let Some(sequence) = bytes.get(..length) else { break };
        let taken = match std::str::from_utf8(sequence) {
            Ok(character) if length < 4 => {
                out.push_str(character);
                length
            }
            Ok(_) => {
                out.push('?');
                length
            }
            Err(_) => {
                out.push('?');
                1
            }
        };
        bytes = bytes.get(taken..).unwrap_or_default();
    }
    out
}

/// Bytes taken for utf8mb3: each that begins no character is `?`, and a character that
/// breaks off ends them.
pub(crate) fn bytes_as_message(mut bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    while let Some(lead) = bytes.first() {
        let length = match lead {
            0xc2..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 1,
        };
        let Some(sequence) = bytes.get(..length) else { break };
        let taken = match std::str::from_utf8(sequence) {
            Ok(character) => {
                out.push_str(character);
                length
            }
            Err(_) => {
                out.push('?');
                1
            }
        };
        bytes = bytes.get(taken..).unwrap_or_default();
    }
    out
}

/// At most 127 bytes, taken for utf8mb3: a zero ends them, and each byte of what is
/// no character is `?`.
pub(crate) fn bytes_as_utf8mb3(bytes: &[u8]) -> String {
    let bytes = bytes.get(..127).unwrap_or(bytes);
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character.len_utf8() {
                4 => out.push_str("????"),
                _ => out.push(character),
            }
        }
        out.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    out
}
