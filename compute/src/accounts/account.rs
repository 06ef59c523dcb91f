//! An account or role, as it is kept and stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use firn_mysql_parser::ast;
use firn_mysql_protocol::auth;
use firn_mysql_semantics::error::{SqlError, code};
use serde::{Deserialize, Serialize};

use super::privilege::Privileges;

/// Most characters of a user's name.
const USER_MAX_CHARS: usize = 32;
/// Most characters of a host's.
const HOST_MAX_CHARS: usize = 255;

/// The name of an account or role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountName {
    /// The user; empty is anybody.
    pub user: String,
    /// The host pattern, in lower case.
    pub host: String,
}

impl AccountName {
    /// A name.
    pub fn new(user: &str, host: &str) -> AccountName {
        AccountName { user: user.to_owned(), host: host.to_lowercase() }
    }

    /// What a statement names; `current` is CURRENT_USER.
    ///
    /// # Errors
    ///
    /// 1470 for names that are too long.
    pub fn of(user: &ast::User, current: &AccountName) -> Result<AccountName, SqlError> {
        let ast::User::Named { name, host } = user else { return Ok(current.clone()) };
        let long = |text: &str, what: &str, most: usize| {
            let args = [text.into(), what.into(), (most as i64).into()];
            SqlError::new(code::ER_WRONG_STRING_LENGTH, &args)
        };
        if name.chars().count() > USER_MAX_CHARS {
            return Err(long(name, "user name", USER_MAX_CHARS));
        }
        let host = host.as_deref().unwrap_or("%");
        if host.chars().count() > HOST_MAX_CHARS {
            return Err(long(host, "host name", HOST_MAX_CHARS));
        }
        Ok(AccountName::new(name, host))
    }

    /// As messages have it: `'user'@'host'`.
    pub fn quoted(&self) -> String {
        format!("'{}'@'{}'", self.user, self.host)
    }
}

/// As statements are printed: with backticks.
impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", backticked(&self.user), backticked(&self.host))
    }
}

/// A name between backticks.
pub(super) fn backticked(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// What a client has to prove beside its password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Require {
    /// Nothing.
    #[default]
    None,
    /// TLS.
    Ssl,
    /// A certificate.
    X509,
    /// A certificate of a subject, an issuer, a cipher.
    Items {
        /// SUBJECT
        subject: Option<String>,
        /// ISSUER
        issuer: Option<String>,
        /// CIPHER
        cipher: Option<String>,
    },
}

/// When a password has to be changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lifetime {
    /// As `default_password_lifetime` says.
    #[default]
    Default,
    /// Never.
    Never,
    /// After so many days.
    Days(u64),
}

/// Whether who changes a password has to know the old one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequireCurrent {
    /// As `password_require_current` says.
    #[default]
    Default,
    /// Yes.
    Yes,
    /// No.
    Optional,
}

/// Privileges on a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableGrant {
    /// On all of it.
    pub privileges: Privileges,
    /// On columns, by name in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Privileges>,
}

impl TableGrant {
    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.privileges.is_empty() && self.columns.is_empty()
    }

    /// What some column has, or the table.
    pub fn anywhere(&self) -> Privileges {
        self.columns.values().fold(self.privileges, |all, one| all.with(*one))
    }
}

/// What an account or a role has been granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    /// `*.*`
    pub global: Privileges,
    /// Dynamic privileges, and whether with grant option.
    pub dynamic: BTreeMap<String, bool>,
    /// By pattern of a database's name.
    pub databases: BTreeMap<String, Privileges>,
    /// By database, then table.
    pub tables: BTreeMap<String, BTreeMap<String, TableGrant>>,
    /// By database, then name in lower case.
    pub procedures: BTreeMap<String, BTreeMap<String, Privileges>>,
    /// The same.
    pub functions: BTreeMap<String, BTreeMap<String, Privileges>>,
}

/// An account or a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// How its password is checked: a plugin's name.
    pub plugin: String,
    /// The stored form of its password; nothing for no password.
    pub auth_string: Vec<u8>,
    /// A second password, which is as good: the one before, that was retained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub second_auth_string: Vec<u8>,
    /// Passwords that may not be used again: when they were set, milliseconds since 1970,
    /// and their stored forms, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_passwords: Vec<(u64, Vec<u8>)>,
    /// What it has been granted.
    #[serde(default)]
    pub grants: Grants,
    /// Roles it has been granted, and whether with admin option.
    #[serde(default, with = "as_pairs")]
    pub roles: BTreeMap<AccountName, bool>,
    /// Those that are active from the start.
    #[serde(default)]
    pub default_roles: BTreeSet<AccountName>,
    /// Accounts it may act as, and whether with grant option.
    #[serde(default, with = "as_pairs")]
    pub proxies: BTreeMap<AccountName, bool>,
    /// What a client has to prove.
    #[serde(default)]
    pub require: Require,
    /// MAX_QUERIES_PER_HOUR, MAX_UPDATES_PER_HOUR, MAX_CONNECTIONS_PER_HOUR,
    /// MAX_USER_CONNECTIONS; 0 is no limit.
    #[serde(default)]
    pub limits: [u64; 4],
    /// Nobody may log in.
    #[serde(default)]
    pub locked: bool,
    /// The password has to be changed now.
    #[serde(default)]
    pub expired: bool,
    /// When it has to be changed.
    #[serde(default)]
    pub lifetime: Lifetime,
    /// When it was changed: milliseconds since 1970.
    #[serde(default)]
    pub changed_ms: u64,
    /// PASSWORD HISTORY
    #[serde(default)]
    pub history: Option<u64>,
    /// PASSWORD REUSE INTERVAL, days.
    #[serde(default)]
    pub reuse_days: Option<u64>,
    /// PASSWORD REQUIRE CURRENT
    #[serde(default)]
    pub require_current: RequireCurrent,
    /// FAILED_LOGIN_ATTEMPTS; 0 is without limit.
    #[serde(default)]
    pub failed_attempts: u64,
    /// PASSWORD_LOCK_TIME, days; `None` is UNBOUNDED.
    #[serde(default)]
    pub lock_days: Option<u64>,
    /// ATTRIBUTE: a JSON object.
    #[serde(default)]
    pub attribute: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Maps whose keys are no text, as lists of pairs.
mod as_pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::AccountName;

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<AccountName, bool>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<AccountName, bool>, D::Error> {
        Ok(Vec::<(AccountName, bool)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Default for Record {
    fn default() -> Record {
        Record {
            plugin: auth::AuthPlugin::CachingSha2Password.name().to_owned(),
            auth_string: Vec::new(),
            second_auth_string: Vec::new(),
            used_passwords: Vec::new(),
            grants: Grants::default(),
            roles: BTreeMap::new(),
            default_roles: BTreeSet::new(),
            proxies: BTreeMap::new(),
            require: Require::None,
            limits: [0; 4],
            locked: false,
            expired: false,
            lifetime: Lifetime::Default,
            changed_ms: 0,
            history: None,
            reuse_days: None,
            require_current: RequireCurrent::Default,
            failed_attempts: 0,
            lock_days: Some(0),
            attribute: None,
        }
    }
}

impl Record {
    /// A role: an account that nobody can log in to.
    pub fn role() -> Record {
        Record { locked: true, expired: true, ..Record::default() }
    }

    /// Whether the password has to be changed, at `now_ms` since 1970, where
    /// `default_password_lifetime` is so many days.
    pub fn must_change_password(&self, now_ms: u64, default_days: u64) -> bool {
        let days = match self.lifetime {
            Lifetime::Default => default_days,
            Lifetime::Never => 0,
            Lifetime::Days(days) => days,
        };
        let age_days = now_ms.saturating_sub(self.changed_ms) / 86_400_000;
        self.expired || (days > 0 && age_days > days)
    }

    /// Whether `password` is its password.
    pub fn is_password(&self, password: &[u8]) -> bool {
        self.is_stored(&self.auth_string, password)
    }

    /// Whether `stored` is a stored form of `password`.
    pub(super) fn is_stored(&self, stored: &[u8], password: &[u8]) -> bool {
        match auth::AuthPlugin::from_name(&self.plugin) {
            Some(auth::AuthPlugin::CachingSha2Password) => {
                auth::caching_sha2::verify(stored, password)
            }
            Some(plugin @ auth::AuthPlugin::NativePassword) => {
                plugin.stored_form(password).is_ok_and(|form| form == stored)
            }
            None => false,
        }
    }
}
