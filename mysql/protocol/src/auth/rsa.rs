//! The server's RSA key: a password can be sent under it without TLS.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use super::xor_with;
use crate::error::SqlError;
use crate::handshake::NONCE_BYTES;

/// An RSA key pair for `caching_sha2_password`.
pub struct RsaKeyPair {
    private: OaepPrivateDecryptingKey,
    public_pem: String,
}

impl std::fmt::Debug for RsaKeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RsaKeyPair").finish_non_exhaustive()
    }
}

fn failed(what: &str) -> SqlError {
    SqlError::unknown(format!("RSA: {what}"))
}

impl RsaKeyPair {
    /// A new key of 2,048 bits. Takes some tenths of a second of CPU.
    pub fn generate() -> Result<Self, SqlError> {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048)
            .map_err(|_| failed("no key could be made"))?;
        Self::new(key)
    }

    /// The key in this PEM text, as PKCS#8 ("BEGIN PRIVATE KEY").
    pub fn from_pem(pem: &[u8]) -> Result<Self, SqlError> {
        let der = rustls_pki_types::PrivatePkcs8KeyDer::from_pem_slice(pem)
            .map_err(|_| failed("no PKCS#8 private key in the PEM text"))?;
        let key = PrivateDecryptingKey::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|_| failed("the private key is not usable"))?;
        Self::new(key)
    }

    fn new(key: PrivateDecryptingKey) -> Result<Self, SqlError> {
        let der: PublicKeyX509Der<'_> =
            key.public_key().as_der().map_err(|_| failed("no public key"))?;
        let public_pem = to_pem(der.as_ref());
        let private =
            OaepPrivateDecryptingKey::new(key).map_err(|_| failed("the key is not usable"))?;
        Ok(Self { private, public_pem })
    }

    /// The public key, as PEM text.
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// Bytes of an encrypted password.
    pub fn size_bytes(&self) -> usize {
        self.private.key_size_bytes()
    }

    /// The password, with its closing zero byte, that a client encrypted.
    /// Takes about a millisecond of CPU.
    pub(crate) fn decrypt_password(
        &self,
        encrypted: &[u8],
        nonce: &[u8; NONCE_BYTES],
    ) -> Option<Vec<u8>> {
        let mut out = vec![0; self.private.min_output_size()];
        let plain = self.private.decrypt(&OAEP_SHA1_MGF1SHA1, encrypted, &mut out, None).ok()?;
        let mut password = plain.to_vec();
        xor_with(&mut password, nonce);
        Some(password)
    }
}

/// The other side of [`RsaKeyPair::decrypt_password`]: `password` with a zero
/// byte, under the server's public key.
pub(crate) fn encrypt_password(
    public_pem: &[u8],
    password: &[u8],
    nonce: &[u8; NONCE_BYTES],
) -> Result<Vec<u8>, SqlError> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(public_pem)
        .map_err(|_| failed("no public key in the PEM text"))?;
    let key = PublicEncryptingKey::from_der(&der)
        .map_err(|_| failed("the public key is not readable"))?;
    let key =
        OaepPublicEncryptingKey::new(key).map_err(|_| failed("the public key is not usable"))?;
    let mut plain = [password, &[0]].concat();
    xor_with(&mut plain, nonce);
    let mut out = vec![0; key.ciphertext_size()];
    let encrypted = key
        .encrypt(&OAEP_SHA1_MGF1SHA1, &plain, &mut out, None)
        .map_err(|_| failed("the password is too long for the key"))?;
    Ok(encrypted.to_vec())
}

fn to_pem(der: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    // 48 bytes give a line of 64 characters.
    for line in der.chunks(48) {
        for group in line.chunks(3) {
            let mut bytes = [0; 4];
            bytes[1..1 + group.len()].copy_from_slice(group);
            let bits = u32::from_be_bytes(bytes);
            for i in 0..4 {
                let digit = ALPHABET[(bits >> (18 - 6 * i)) as usize & 63];
                pem.push(if i <= group.len() { char::from(digit) } else { '=' });
            }
        }
        pem.push('\n');
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_every_length_come_through() {
        let key = RsaKeyPair::generate().unwrap();
        let nonce = *b"0123456789abcdefghij";
        assert_eq!(key.size_bytes(), 256);
        // OAEP with SHA-1 leaves 214 of 256 bytes.
        for len in [0, 1, 2, 20, 21, 100, 213] {
            let password = vec![b'p'; len];
            let sent = encrypt_password(key.public_pem().as_bytes(), &password, &nonce).unwrap();
            let mut got = key.decrypt_password(&sent, &nonce).unwrap();
            assert_eq!(got.pop(), Some(0));
            assert_eq!(got, password);
        }
        let pem = key.public_pem().as_bytes();
        assert!(encrypt_password(pem, &[b'p'; 214], &nonce).is_err());
        assert!(key.decrypt_password(&[1; 256], &nonce).is_none());
        assert!(key.decrypt_password(&[1; 3], &nonce).is_none());
    }
}
