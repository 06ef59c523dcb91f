//! Passwords: what is stored, what is sent, how the two are compared.

mod cache;
pub mod caching_sha2;
pub mod native;
mod rsa;
mod sha_crypt;

pub use cache::PasswordCache;
pub use rsa::RsaKeyPair;
pub(crate) use rsa::encrypt_password;

use aws_lc_rs::rand::SecureRandom;

use crate::error::SqlError;
use crate::handshake::NONCE_BYTES;

/// The longest password, bytes.
pub const PASSWORD_MAX_BYTES: usize = 256;

/// How an account's password is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum AuthPlugin {
    /// `caching_sha2_password`, MySQL's default.
    CachingSha2Password,
    /// `mysql_native_password`, for old clients.
    NativePassword,
}

impl AuthPlugin {
    /// The plugin's name, as MySQL has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CachingSha2Password => "caching_sha2_password",
            Self::NativePassword => "mysql_native_password",
        }
    }

    /// The plugin of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::CachingSha2Password, Self::NativePassword].into_iter().find(|p| p.name() == name)
    }

    /// What is stored for `password`, as in `mysql.user.authentication_string`:
    /// `$A$005$` with salt and digest, `*` with 40 hex digits, or nothing for no
    /// password. Takes milliseconds of CPU for `caching_sha2_password`.
    pub fn stored_form(self, password: &[u8]) -> Result<Vec<u8>, SqlError> {
        if password.is_empty() {
            return Ok(Vec::new());
        }
        if password.len() > PASSWORD_MAX_BYTES {
            return Err(SqlError::new(
                1819,
                b"HY000",
                "Your password does not satisfy the current policy requirements",
            ));
        }
        match self {
            Self::CachingSha2Password => Ok(caching_sha2::stored_form(password, &nonce()?)),
            Self::NativePassword => Ok(native::stored_form(password)),
        }
    }
}

/// An account, as the server stores it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Name of the account.
    pub user: String,
    /// Host pattern of the account.
    pub host: String,
    /// How its password is checked.
    pub plugin: AuthPlugin,
    /// The stored form of its password; empty for no password.
    pub auth_string: Vec<u8>,
    /// The stored form of a second password, which is as good; empty for none.
    pub second_auth_string: Vec<u8>,
}

impl Account {
    /// The stored forms of its passwords: an account without one has none.
    pub(crate) fn auth_strings(&self) -> impl Iterator<Item = &[u8]> {
        let second = Some(&self.second_auth_string[..]).filter(|second| !second.is_empty());
        std::iter::once(&self.auth_string[..]).chain(second)
    }
}

/// Random bytes that a client's text can carry: 7 bits, neither 0 nor `$`.
pub(crate) fn nonce() -> Result<[u8; NONCE_BYTES], SqlError> {
    let mut bytes = [0; NONCE_BYTES];
    aws_lc_rs::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| SqlError::unknown("No random numbers"))?;
    for byte in &mut bytes {
        *byte &= 0x7f;
        if matches!(*byte, 0 | b'$') {
            *byte += 1;
        }
    }
    Ok(bytes)
}

/// `a` with `b`, repeated, exclusive-ored into it.
fn xor_with(a: &mut [u8], b: &[u8]) {
    for (byte, key) in a.iter_mut().zip(b.iter().cycle()) {
        *byte ^= key;
    }
}

fn equal(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}
