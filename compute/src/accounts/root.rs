//! How `root` gets in.

use firn_mysql_protocol::auth::AuthPlugin;
use firn_mysql_semantics::error::{SqlError, code};

use super::account::{AccountName, Record};
use super::directory::Directory;
use super::privilege::{DYNAMIC, Privileges};

/// What a server that starts makes of `root`.
#[derive(Clone, PartialEq, Eq)]
pub enum RootLogin {
    /// New accounts begin with `root`, without a password, from this machine alone: the
    /// developer's default.
    Developer,
    /// A `root` without a password, or one that is not there yet, gets this one, and may
    /// come from anywhere. One that has a password keeps it.
    Password(Box<str>),
    /// Strangers can reach the server: `root` must have a password.
    MustHavePassword,
}

/// Does not show the password.
impl std::fmt::Debug for RootLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Developer => "Developer",
            Self::Password(_) => "Password",
            Self::MustHavePassword => "MustHavePassword",
        })
    }
}

/// Hosts that a `root` has.
const HOSTS: [&str; 2] = ["localhost", "%"];

fn root(host: &str) -> AccountName {
    AccountName::new("root", host)
}

impl Record {
    /// An account that may do everything, without a password.
    fn administrator() -> Record {
        let mut record = Record::default();
        record.grants.global = Privileges::GLOBAL;
        record.grants.dynamic = DYNAMIC.iter().map(|name| ((*name).to_owned(), true)).collect();
        record.proxies.insert(AccountName::new("", ""), true);
        record
    }
}

impl Directory {
    /// The developer's default: `root`, without a password, from this machine alone.
    pub fn developer() -> Directory {
        Directory::new([(root("localhost"), Record::administrator())])
    }

    /// Makes `root` what it is to be, at `now_ms` since 1970; `false` if that is what it
    /// is already.
    ///
    /// # Errors
    ///
    /// 1105 for a `root` without a password that must have one; 1819 for a password
    /// that cannot be stored.
    pub fn settle_root(&mut self, login: &RootLogin, now_ms: u64) -> Result<bool, SqlError> {
        let open: Vec<AccountName> = HOSTS
            .into_iter()
            .map(root)
            .filter(|name| self.get(name).is_some_and(|record| record.auth_string.is_empty()))
            .collect();
        let empty = self.iter().next().is_none();
        match login {
            RootLogin::Developer if empty => {
                *self = Directory::developer();
                Ok(true)
            }
            RootLogin::MustHavePassword if empty || !open.is_empty() => {
                Err(SqlError::with_message(
                    code::ER_UNKNOWN_ERROR,
                    "root has no password: set mysql_root_password, or listen on a loopback address alone",
                ))
            }
            RootLogin::Password(password) if empty || !open.is_empty() => {
                let plugin = AuthPlugin::CachingSha2Password;
                let stored = plugin.stored_form(password.as_bytes()).map_err(|error| {
                    SqlError::signal(error.number, error.sqlstate, error.message)
                })?;
                for name in HOSTS.into_iter().map(root) {
                    let mut record = match self.get(&name) {
                        Some(_) if !open.contains(&name) => continue,
                        Some(record) => Record::clone(record),
                        None => Record::administrator(),
                    };
                    record.auth_string.clone_from(&stored);
                    record.plugin = plugin.name().to_owned();
                    record.changed_ms = now_ms;
                    self.insert(name, record);
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
