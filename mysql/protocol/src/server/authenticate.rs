//! The exchange that proves who a client is.

use std::sync::Arc;

use bytes::Bytes;

use super::config::ServerConfig;
use super::service::{Peer, Service};
use crate::auth::{Account, AuthPlugin, PASSWORD_MAX_BYTES, caching_sha2, native};
use crate::error::{Error, Result, SqlError};
use crate::flags::Capabilities;
use crate::handshake::NONCE_BYTES;
use crate::packet::{Channel, put_zero_terminated};

/// First byte of a packet that continues the exchange.
const MORE_DATA: u8 = 0x01;
/// The client's request for the RSA key.
const PUBLIC_KEY_REQUEST: &[u8] = &[0x02];
/// The remembered password was right.
const FAST_AUTH_DONE: u8 = 0x03;
/// The password itself is needed.
const FULL_AUTH_NEEDED: u8 = 0x04;
/// First byte of a packet that changes the plugin.
const SWITCH_PLUGIN: u8 = 0xfe;

/// Who a client says it is, and its first proof.
pub(super) struct Claim<'a> {
    pub(super) user: &'a str,
    pub(super) auth_response: &'a [u8],
    pub(super) plugin: Option<&'a str>,
    /// A client without a proof waits to be asked for one, as MySQL's library does
    /// in COM_CHANGE_USER.
    pub(super) may_wait: bool,
}

/// What the exchange runs over.
pub(super) struct Exchange<'a> {
    pub(super) channel: &'a mut Channel,
    pub(super) config: &'a Arc<ServerConfig>,
    pub(super) capabilities: Capabilities,
    pub(super) nonce: &'a [u8; NONCE_BYTES],
    pub(super) peer: &'a Peer,
    pub(super) tls: bool,
}

enum Verdict {
    Right,
    Wrong { using_password: bool },
}

impl Verdict {
    fn of(right: bool, using_password: bool) -> Self {
        if right { Self::Right } else { Self::Wrong { using_password } }
    }
}

impl Exchange<'_> {
    /// The account, if the client has its password; else error 1045.
    pub(super) async fn run<S: Service>(
        mut self,
        service: &S,
        claim: Claim<'_>,
    ) -> Result<Account> {
        let found = service.lookup(claim.user, self.peer).await?;
        let known = found.is_some();
        // An unknown user goes through the same exchange, against a password
        // that nobody has, so that nothing tells the two apart.
        let account = found.unwrap_or_else(|| self.nobody(claim.user));
        let response = self.response_for(&account, &claim).await?;
        let verdict = match account.plugin {
            AuthPlugin::NativePassword => {
                let mut stored = account.auth_strings();
                let right = stored.any(|one| native::verify(one, &response, self.nonce));
                Verdict::of(right, !response.is_empty())
            }
            AuthPlugin::CachingSha2Password => self.caching_sha2(&account, response).await?,
        };
        if known {
            let right = matches!(verdict, Verdict::Right);
            service.proved(&account, self.peer, right).map_err(Error::Sql)?;
        }
        match verdict {
            Verdict::Right if known => Ok(account),
            Verdict::Right => Err(self.denied(claim.user, true)),
            Verdict::Wrong { using_password } => Err(self.denied(claim.user, using_password)),
        }
    }

    fn denied(&self, user: &str, using_password: bool) -> Error {
        Error::Sql(SqlError::access_denied(user, &self.peer.host, using_password))
    }

    fn nobody(&self, user: &str) -> Account {
        let plugin = self.config.default_plugin;
        // Well formed, and the digest of nothing that is known.
        let auth_string = match plugin {
            AuthPlugin::CachingSha2Password => [&b"$A$005$"[..], &[b'.'; 63]].concat(),
            AuthPlugin::NativePassword => [&b"*"[..], &[b'0'; 40]].concat(),
        };
        let second_auth_string = Vec::new();
        Account { user: user.into(), host: String::new(), plugin, auth_string, second_auth_string }
    }

    /// The client's proof for the account's plugin. Asks again if the first
    /// one was made for another.
    async fn response_for(&mut self, account: &Account, claim: &Claim<'_>) -> Result<Bytes> {
        let plugin = account.plugin;
        let made_for = claim.plugin.unwrap_or(AuthPlugin::NativePassword.name());
        let has_password = !account.auth_string.is_empty();
        let waits = claim.may_wait
            && claim.auth_response.is_empty()
            && has_password
            && self.capabilities.contains(Capabilities::PLUGIN_AUTH);
        if made_for == plugin.name() && !waits {
            return Ok(Bytes::copy_from_slice(claim.auth_response));
        }
        if !self.capabilities.contains(Capabilities::PLUGIN_AUTH) {
            return Err(Error::Sql(SqlError::auth_mode_not_supported()));
        }
        let output = &mut self.channel.output;
        output.begin();
        output.bytes().push(SWITCH_PLUGIN);
        put_zero_terminated(output.bytes(), plugin.name().as_bytes());
        put_zero_terminated(output.bytes(), self.nonce);
        output.end();
        self.read_answer().await
    }

    /// Sends what was written and waits for the client.
    async fn read_answer(&mut self) -> Result<Bytes> {
        self.channel.flush().await?;
        match self.channel.read_packet(self.config.connect_timeout).await {
            Err(Error::Sql(_)) => Err(Error::Protocol(SqlError::bad_handshake())),
            other => other,
        }
    }

    async fn caching_sha2(&mut self, account: &Account, response: Bytes) -> Result<Verdict> {
        // No password is no bytes, or the zero byte that would end one.
        if matches!(&response[..], [] | [0]) {
            return Ok(Verdict::of(account.auth_string.is_empty(), false));
        }
        if account.auth_string.is_empty() {
            return Ok(Verdict::Wrong { using_password: true });
        }
        if response.len() != caching_sha2::SCRAMBLE_BYTES {
            return Err(Error::Protocol(SqlError::bad_handshake()));
        }
        let cache = &self.config.password_cache;
        let mut known = account.auth_strings().filter_map(|stored| cache.get(account, stored));
        if known.any(|cached| caching_sha2::verify_cached(&cached, &response, self.nonce)) {
            self.channel.output.packet(&[MORE_DATA, FAST_AUTH_DONE]);
            return Ok(Verdict::Right);
        }
        self.channel.output.packet(&[MORE_DATA, FULL_AUTH_NEEDED]);
        let answer = self.read_answer().await?;
        self.check_password(account, answer).await
    }

    /// The slow way: the client sends the password itself, over a secure
    /// stream as it is, else under our RSA key.
    async fn check_password(&mut self, account: &Account, mut answer: Bytes) -> Result<Verdict> {
        let secure = self.tls || self.peer.local;
        if !secure && answer == PUBLIC_KEY_REQUEST {
            let config = Arc::clone(self.config);
            let pem =
                slowly(self.config, move || config.rsa_key().map(|k| k.public_pem().to_owned()));
            let pem = pem.await??;
            let output = &mut self.channel.output;
            output.begin();
            output.bytes().push(MORE_DATA);
            output.bytes().extend_from_slice(pem.as_bytes());
            output.end();
            answer = self.read_answer().await?;
        }
        let (config, nonce) = (Arc::clone(self.config), *self.nonce);
        let stored: Vec<Vec<u8>> = account.auth_strings().map(<[u8]>::to_vec).collect();
        let check = move || -> Result<_, SqlError> {
            let password = if secure {
                answer.to_vec()
            } else {
                let key = config.rsa_key()?;
                match key.decrypt_password(&answer, &nonce) {
                    Some(password) => password,
                    None => return Ok(None),
                }
            };
            let Some((0, password)) = password.split_last() else { return Ok(None) };
            if password.len() > PASSWORD_MAX_BYTES {
                return Ok(None);
            }
            let right = stored.into_iter().find(|one| caching_sha2::verify(one, password));
            Ok(right.map(|stored| (stored, caching_sha2::cached_digest(password))))
        };
        let right = slowly(self.config, check).await??;
        if let Some((stored, digest)) = &right {
            self.config.password_cache.insert(account, stored, *digest);
        }
        Ok(Verdict::of(right.is_some(), true))
    }
}

/// Runs work that would hold up other connections on a thread of its own, of
/// which there are few. No permit is held while a client is waited for.
async fn slowly<T: Send + 'static>(
    config: &ServerConfig,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let _permit = config.slow_checks.acquire().await.map_err(std::io::Error::other)?;
    Ok(tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?)
}
