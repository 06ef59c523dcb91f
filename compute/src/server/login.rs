//! Which account a client is, and whether that takes it.

use firn_mysql_protocol::Capabilities;
use firn_mysql_protocol::server::{Login, Peer};
use firn_mysql_semantics::error::SqlError;

use super::Server;
use crate::accounts::{Access, AccountName, ClientHost, LoginFacts, LoginState};
use crate::session::Rights;
use crate::variables::id;

/// Where a client comes from.
pub(super) fn host_of(peer: &Peer) -> ClientHost {
    peer.address.map_or_else(ClientHost::local, ClientHost::of_address)
}

impl Server {
    /// What a client that has proved who it is may do.
    ///
    /// # Errors
    /// Why its account does not take it: 1045, 1203, 1226, 1862, 3118.
    pub(super) fn admit(&self, login: &Login) -> Result<Rights, SqlError> {
        let directory = self.accounts.directory();
        let name = AccountName::new(&login.account.user, &login.account.host);
        let using_password = !login.account.auth_string.is_empty();
        let Some(record) = directory.get(&name) else {
            // Dropped since it was looked up.
            return Err(SqlError::access_denied(&login.user, &login.peer.host, using_password));
        };
        let globals = self.globals.settings();
        let facts = LoginFacts {
            host: &login.peer.host,
            tls: login.tls,
            secured: login.secured.as_ref(),
            using_password,
            can_handle_expired: login
                .capabilities
                .contains(Capabilities::CAN_HANDLE_EXPIRED_PASSWORDS),
            disconnect_on_expired: globals.get(id::disconnect_on_expired_password).as_bool(),
            lifetime_days: globals.get(id::default_password_lifetime).as_u64(),
            now_ms: self.env.unix_ms(),
        };
        let state = record.check_login(&name, &facts)?;
        let limited = {
            let everybody = globals.get(id::max_user_connections).as_u64();
            self.usage.connect(&name, record.limits, everybody, self.uptime_ms())?
        };
        let all_roles = globals.get(id::activate_all_roles_on_login).as_bool();
        let access = Access::new(&directory, name, &login.peer.host, using_password, all_roles);
        Ok(Rights {
            access,
            must_change_password: state == LoginState::MustChangePassword,
            limited,
        })
    }
}
