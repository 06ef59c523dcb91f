//! `caching_sha2_password`: slow SHA-256 stored, quick SHA-256 sent and cached.

use aws_lc_rs::digest::{Context, SHA256};

use super::sha_crypt::{DIGEST_CHARS, sha256_crypt};
use super::{PASSWORD_MAX_BYTES, equal, xor_with};
use crate::handshake::NONCE_BYTES;

/// Bytes that a client sends.
pub const SCRAMBLE_BYTES: usize = 32;

/// `SHA256(SHA256(password))`: what the server remembers of a password that
/// was right, to check the next login quickly.
pub type CachedDigest = [u8; SCRAMBLE_BYTES];

/// Rounds that a new password is stored with.
const ROUNDS: u32 = 5000;
/// Rounds of a stored password that are still worked off.
const ROUNDS_MAX: u32 = 0xfff * 1000;

pub(super) fn sha256(parts: &[&[u8]]) -> [u8; SCRAMBLE_BYTES] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut out = [0; SCRAMBLE_BYTES];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// What a client sends: `SHA256(password) xor SHA256(SHA256(SHA256(password)), nonce)`.
pub fn scramble(password: &[u8], nonce: &[u8; NONCE_BYTES]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = sha256(&[password]);
    let mut out = sha256(&[&sha256(&[&once]), nonce]).to_vec();
    xor_with(&mut out, &once);
    out
}

/// What the server remembers of a password.
pub fn cached_digest(password: &[u8]) -> CachedDigest {
    sha256(&[&sha256(&[password])])
}

/// Whether what a client sent belongs to the remembered password.
pub fn verify_cached(cached: &CachedDigest, sent: &[u8], nonce: &[u8; NONCE_BYTES]) -> bool {
    if sent.len() != SCRAMBLE_BYTES {
        return false;
    }
    let mut once = sha256(&[cached, nonce]);
    xor_with(&mut once, sent);
    equal(&sha256(&[&once]), cached)
}

/// `$A$005$`, the salt, and the digest.
pub(super) fn stored_form(password: &[u8], salt: &[u8; NONCE_BYTES]) -> Vec<u8> {
    let mut out = format!("$A${:03X}$", ROUNDS / 1000).into_bytes();
    out.extend_from_slice(salt);
    out.extend_from_slice(&sha256_crypt(password, salt, ROUNDS));
    out
}

/// Whether `password` is the stored one. Takes milliseconds of CPU.
pub fn verify(stored: &[u8], password: &[u8]) -> bool {
    if stored.is_empty() || password.is_empty() {
        return stored.is_empty() && password.is_empty();
    }
    let Some((rounds, salt, digest)) = decode_stored(stored) else { return false };
    password.len() <= PASSWORD_MAX_BYTES && equal(&sha256_crypt(password, salt, rounds), digest)
}

fn decode_stored(stored: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (thousands, rest) = stored.strip_prefix(b"$A$")?.split_at_checked(3)?;
    let thousands = u32::from_str_radix(str::from_utf8(thousands).ok()?, 16).ok()?;
    let (salt, digest) = rest.strip_prefix(b"$")?.split_at_checked(NONCE_BYTES)?;
    let rounds = (thousands * 1000).min(ROUNDS_MAX);
    (digest.len() == DIGEST_CHARS && rounds > 0).then_some((rounds, salt, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_is_accepted() {
        let nonce = *b"0123456789abcdefghij";
        let cached = cached_digest(b"secret");
        assert!(verify_cached(&cached, &scramble(b"secret", &nonce), &nonce));
        assert!(!verify_cached(&cached, &scramble(b"Secret", &nonce), &nonce));
        assert!(!verify_cached(&cached, &scramble(b"secret", &nonce), b"0123456789abcdefghiJ"));
        assert!(!verify_cached(&cached, b"", &nonce));

        let stored = stored_form(b"secret", &nonce);
        assert!(verify(&stored, b"secret"));
        assert!(!verify(&stored, b"Secret"));
        assert!(!verify(&stored, b""));
        assert!(!verify(&stored, &[b'x'; PASSWORD_MAX_BYTES + 1]));
        assert!(!verify(b"", b"secret"));
        assert!(verify(b"", b""));
        assert!(!verify(b"$A$005$too short", b"secret"));
        assert!(!verify(b"$A$+05$01234567890123456789", b"secret"));
    }
}
