//! What a session may do: looked at before every statement.

use firn_mysql_parser::ast::{SetItem, StatementKind as S};
use firn_mysql_semantics::error::SqlError;

use super::Session;
use crate::accounts::{Access, must_change_password};
use crate::server::LimitedUse;

/// What a login gave a session.
pub(crate) struct Rights {
    /// Its privileges.
    pub(crate) access: Access,
    /// The password has expired: nothing but to change it.
    pub(crate) must_change_password: bool,
    /// Counts statements, if the account has limits.
    pub(crate) limited: Option<LimitedUse>,
}

impl Session {
    /// Who it is, as the process list has it.
    pub(crate) fn user(&self) -> &str {
        &self.process.user
    }

    /// What the session may do.
    pub(crate) fn access(&self) -> &Access {
        &self.rights.access
    }

    /// Takes over what has been granted and revoked since the last statement.
    #[inline]
    pub(crate) fn refresh_access(&mut self) {
        if self.server.accounts.version() != self.rights.access.directory_version() {
            self.renew_access();
        }
    }

    #[cold]
    fn renew_access(&mut self) {
        let directory = self.server.accounts.directory();
        self.rights.access.refresh(&directory);
        self.values.set_access(&self.rights.access);
    }

    /// Whether the account may run statements of this kind now.
    ///
    /// # Errors
    /// 1226, 1820.
    pub(crate) fn admit(&mut self, kind: &S) -> Result<(), SqlError> {
        self.admit_kind(is_update(kind), changes_password(kind))
    }

    /// The same for a statement of which no more is known.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub(crate) fn admit_kind(
        &mut self,
        is_update: bool,
        changes_password: bool,
    ) -> Result<(), SqlError> {
        self.refresh_access();
        if self.rights.must_change_password && !changes_password {
            return Err(must_change_password());
        }
        if let Some(limited) = &self.rights.limited {
            limited.statement(is_update, self.server.uptime_ms())?;
        }
        Ok(())
    }

    /// Commands that are no statements.
    ///
    /// # Errors
    /// 1820.
    pub(crate) fn admit_command(&mut self) -> Result<(), SqlError> {
        self.refresh_access();
        if self.rights.must_change_password { Err(must_change_password()) } else { Ok(()) }
    }
}

fn changes_password(kind: &S) -> bool {
    match kind {
        S::AlterUser(_) | S::SetPassword(_) => true,
        S::Set(items) => items.iter().all(|item| matches!(item, SetItem::Password(_))),
        _ => false,
    }
}

/// What MAX_UPDATES_PER_HOUR counts.
fn is_update(kind: &S) -> bool {
    matches!(
        kind,
        S::Insert(_)
            | S::Update(_)
            | S::Delete(_)
            | S::Load(_)
            | S::CreateTable(_)
            | S::AlterTable(_)
            | S::DropTable(_)
            | S::TruncateTable(_)
            | S::RenameTable(_)
            | S::CreateIndex(_)
            | S::DropIndex(_)
            | S::CreateDatabase(_)
            | S::AlterDatabase(_)
            | S::DropDatabase { .. }
            | S::CreateView(_)
            | S::AlterView(_)
            | S::DropView(_)
            | S::CreateUser(_)
            | S::AlterUser(_)
            | S::DropUser { .. }
            | S::RenameUser(_)
            | S::CreateRole { .. }
            | S::DropRole { .. }
            | S::Grant(_)
            | S::Revoke(_)
    )
}
