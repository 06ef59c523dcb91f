//! What an account says about a login whose password was right.

use firn_mysql_semantics::error::{SqlError, code};

use super::account::{AccountName, Record, Require};

/// What a login may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginState {
    /// All that was granted.
    Open,
    /// Nothing but to change its password; all else is error 1820.
    MustChangePassword,
}

/// What is known of a connection that logs in.
#[derive(Debug, Clone, Copy)]
pub struct LoginFacts<'a> {
    /// Where it comes from, as messages have it.
    pub host: &'a str,
    /// It is encrypted.
    pub tls: bool,
    /// It gave a password.
    pub using_password: bool,
    /// Its client understands an expired password.
    pub can_handle_expired: bool,
    /// `disconnect_on_expired_password`
    pub disconnect_on_expired: bool,
    /// `default_password_lifetime`, days.
    pub lifetime_days: u64,
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

impl Record {
    /// Whether a login is taken.
    ///
    /// # Errors
    ///
    /// 3118 if the account is locked, 1045 if it wants TLS that is not there, 1862 if
    /// the password has expired and the client does not understand that; 1235 if it
    /// wants a certificate.
    pub fn check_login(
        &self,
        name: &AccountName,
        facts: &LoginFacts<'_>,
    ) -> Result<LoginState, SqlError> {
        if self.locked {
            let args = [name.user.as_str().into(), facts.host.into()];
            return Err(SqlError::new(code::ER_ACCOUNT_HAS_BEEN_LOCKED, &args));
        }
        match self.require {
            Require::None => {}
            _ if !facts.tls => {
                return Err(SqlError::access_denied(&name.user, facts.host, facts.using_password));
            }
            Require::Ssl => {}
            Require::X509 | Require::Items { .. } => {
                return Err(SqlError::not_supported_yet("certificates of clients"));
            }
        }
        if !self.must_change_password(facts.now_ms, facts.lifetime_days) {
            return Ok(LoginState::Open);
        }
        if facts.disconnect_on_expired && !facts.can_handle_expired {
            return Err(SqlError::new(code::ER_MUST_CHANGE_PASSWORD_LOGIN, &[]));
        }
        Ok(LoginState::MustChangePassword)
    }
}

/// 1820: what a session hears whose password has expired.
pub fn must_change_password() -> SqlError {
    SqlError::new(code::ER_MUST_CHANGE_PASSWORD, &[])
}
