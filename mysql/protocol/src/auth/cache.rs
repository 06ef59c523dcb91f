//! Passwords that were right, so that the next login is quick.

use std::collections::HashMap;

use parking_lot::RwLock;

use super::Account;
use super::caching_sha2::{CachedDigest, sha256};

/// The most accounts that are remembered; at that, all are forgotten.
const ACCOUNTS_MAX: usize = 1 << 16;

/// Remembers a digest of the password of each `caching_sha2_password` account
/// that has logged in. An account whose stored password changes is forgotten by
/// itself.
#[derive(Debug, Default)]
pub struct PasswordCache {
    digests: RwLock<HashMap<[u8; 32], CachedDigest>>,
}

fn key(account: &Account, auth_string: &[u8]) -> [u8; 32] {
    sha256(&[account.user.as_bytes(), &[0], account.host.as_bytes(), &[0], auth_string])
}

impl PasswordCache {
    /// What is remembered of the account's password whose stored form this is.
    pub fn get(&self, account: &Account, auth_string: &[u8]) -> Option<CachedDigest> {
        self.digests.read().get(&key(account, auth_string)).copied()
    }

    /// Remembers that password.
    pub fn insert(&self, account: &Account, auth_string: &[u8], digest: CachedDigest) {
        let mut digests = self.digests.write();
        if digests.len() >= ACCOUNTS_MAX {
            digests.clear();
        }
        digests.insert(key(account, auth_string), digest);
    }

    /// Forgets every account (`FLUSH PRIVILEGES`).
    pub fn clear(&self) {
        self.digests.write().clear();
    }
}
