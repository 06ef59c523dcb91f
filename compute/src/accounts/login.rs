//! What an account says about a login whose password was right.

use firn_mysql_protocol::tls::Secured;
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
    /// How it is encrypted, and the certificate of the client.
    pub secured: Option<&'a Secured>,
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

impl Require {
    fn is_met(&self, facts: &LoginFacts<'_>) -> bool {
        let certificate = facts.secured.and_then(|secured| secured.certificate.as_ref());
        match self {
            Self::None => true,
            Self::Ssl => facts.tls,
            Self::X509 => certificate.is_some(),
            Self::Items { subject, issuer, cipher } => {
                let is = |wanted: &Option<String>, given: &str| {
                    wanted.as_ref().is_none_or(|wanted| wanted == given)
                };
                let used = facts.secured.map_or("", |secured| &secured.cipher);
                is(cipher, used)
                    && certificate
                        .is_some_and(|one| is(issuer, &one.issuer) && is(subject, &one.subject))
            }
        }
    }
}

impl Record {
    /// Whether a login is taken.
    ///
    /// # Errors
    ///
    /// 3118 if the account is locked, 1045 if it wants TLS or a certificate that is not
    /// there, 1862 if the password has expired and the client does not understand that.
    pub fn check_login(
        &self,
        name: &AccountName,
        facts: &LoginFacts<'_>,
    ) -> Result<LoginState, SqlError> {
        if self.locked {
            let args = [name.user.as_str().into(), facts.host.into()];
            return Err(SqlError::new(code::ER_ACCOUNT_HAS_BEEN_LOCKED, &args));
        }
        if !self.require.is_met(facts) {
            return Err(SqlError::access_denied(&name.user, facts.host, facts.using_password));
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
