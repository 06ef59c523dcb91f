//! `mysql_native_password`: SHA-1, twice stored, once and twice sent.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

use super::{equal, xor_with};
use crate::handshake::NONCE_BYTES;

/// Bytes that a client sends.
pub const SCRAMBLE_BYTES: usize = 20;

fn sha1(parts: &[&[u8]]) -> [u8; SCRAMBLE_BYTES] {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    let mut out = [0; SCRAMBLE_BYTES];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// What a client sends: `SHA1(password) xor SHA1(nonce, SHA1(SHA1(password)))`.
pub fn scramble(password: &[u8], nonce: &[u8; NONCE_BYTES]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = sha1(&[password]);
    let mut out = sha1(&[nonce, &sha1(&[&once])]).to_vec();
    xor_with(&mut out, &once);
    out
}

/// `*` and the hex digits of `SHA1(SHA1(password))`.
pub(super) fn stored_form(password: &[u8]) -> Vec<u8> {
    let twice = sha1(&[&sha1(&[password])]);
    let hex = twice.iter().flat_map(|b| [b >> 4, b & 15]);
    let digits = hex.map(|digit| b"0123456789ABCDEF"[usize::from(digit)]);
    std::iter::once(b'*').chain(digits).collect()
}

fn decode_stored(stored: &[u8]) -> Option<[u8; SCRAMBLE_BYTES]> {
    let digits = stored.strip_prefix(b"*").filter(|d| d.len() == 2 * SCRAMBLE_BYTES)?;
    let mut out = [0; SCRAMBLE_BYTES];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |b: u8| char::from(b).to_digit(16);
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(out)
}

/// Whether what a client sent belongs to the stored password.
pub fn verify(stored: &[u8], sent: &[u8], nonce: &[u8; NONCE_BYTES]) -> bool {
    if stored.is_empty() || sent.is_empty() {
        return stored.is_empty() && sent.is_empty();
    }
    let Some(twice) = decode_stored(stored) else { return false };
    if sent.len() != SCRAMBLE_BYTES {
        return false;
    }
    let mut once = sha1(&[nonce, &twice]);
    xor_with(&mut once, sent);
    equal(&sha1(&[&once]), &twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_is_that_of_a_server() {
        // MariaDB and MySQL 5.7: SELECT PASSWORD('password').
        assert_eq!(stored_form(b"password"), b"*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
    }

    #[test]
    fn only_the_password_is_accepted() {
        let nonce = *b"0123456789abcdefghij";
        let stored = stored_form(b"secret");
        assert!(verify(&stored, &scramble(b"secret", &nonce), &nonce));
        assert!(!verify(&stored, &scramble(b"Secret", &nonce), &nonce));
        assert!(!verify(&stored, &scramble(b"secret", &nonce), b"0123456789abcdefghiJ"));
        assert!(!verify(&stored, b"", &nonce));
        assert!(!verify(&stored, b"short", &nonce));
        assert!(!verify(b"", &scramble(b"secret", &nonce), &nonce));
        assert!(verify(b"", b"", &nonce));
        assert!(!verify(b"*not hex", &scramble(b"secret", &nonce), &nonce));
    }
}
