//! CREATE, ALTER, DROP and RENAME USER, roles, GRANT and REVOKE, SET PASSWORD.

use std::sync::Arc;

use firn_mysql_parser::ast::{
    AlterUser, AlterUserAction, SetPassword, SetRole, StatementKind as S, User, UserOption,
};
use firn_mysql_protocol::result::Response;
use firn_mysql_semantics::error::{SqlError, code};

use super::Session;
use super::locks::TableLocks;
use super::run::Arguments;
use super::show::{Filter, Shown};
use super::statement::{Done, Ended, Outcome};
use crate::accounts::{AccountContext, AccountName, Directory, Objects, RandomPassword};
use crate::catalog::{CatalogSnapshot, Relation};
use crate::information_schema::cell::{number, text};
use crate::information_schema::{definition, schema};
use crate::variables::id;

/// What there is to grant privileges on.
struct CatalogObjects(Arc<CatalogSnapshot>);

impl Objects for CatalogObjects {
    fn has_table(&self, database: &str, table: &str) -> bool {
        match schema(database) {
            Some(schema) => definition::table(schema, table).is_some(),
            None => self.0.relation(database, table).is_some(),
        }
    }

    fn has_column(&self, database: &str, table: &str, column: &str) -> bool {
        if let Some(definition) = definition::table(database, table) {
            let mut names = definition.columns.iter().map(|column| column.name);
            return names.any(|name| name.to_lowercase() == column);
        }
        match self.0.relation(database, table) {
            Some(Relation::Table(table)) => {
                let mut shown = table.descriptor.columns.iter().filter(|column| !column.hidden);
                shown.any(|own| own.name.to_lowercase() == column)
            }
            Some(Relation::View(view)) => {
                view.columns.iter().any(|own| own.to_lowercase() == column)
            }
            None => false,
        }
    }

    /// There are no routines.
    fn has_routine(&self, _: bool, _: &str, _: &str) -> bool {
        false
    }
}

/// Chance that nobody can foresee.
fn secret_random() -> Result<u64, SqlError> {
    let mut bytes = [0; 8];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => Ok(u64::from_le_bytes(bytes)),
        Err(_) => Err(SqlError::with_message(code::ER_UNKNOWN_ERROR, "No random bytes")),
    }
}

impl Session {
    /// A statement that changes accounts. It commits what is open; its change is durable,
    /// and every session goes by it, when it ends.
    pub(crate) async fn change_accounts(
        &mut self,
        sql: &[u8],
        kind: &S,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        self.commit_open().await?;
        let passwords = self.changed_accounts(kind).await?;
        if let S::AlterUser(alter) = kind {
            self.unblock(alter)?;
        }
        if passwords.is_empty() {
            return Ok(Done::default().into());
        }
        let row = |one: &RandomPassword| {
            let name = &one.account;
            vec![text(&name.user), text(&name.host), text(&one.password), number(1)]
        };
        let shown = Shown::new("generated passwords", passwords.iter().map(row).collect());
        self.send_shown(sql, shown, Filter::None, &Arguments::default(), response).await
    }

    /// Accounts that are unlocked, or that count wrong passwords in another way, begin anew.
    fn unblock(&self, alter: &AlterUser) -> Result<(), SqlError> {
        let AlterUserAction::Users { users, settings } = &alter.action else { return Ok(()) };
        let anew = |option: &UserOption| {
            matches!(
                option,
                UserOption::AccountUnlock
                    | UserOption::FailedLoginAttempts(_)
                    | UserOption::PasswordLockDays(_)
            )
        };
        if settings.options.iter().any(anew) {
            for spec in users {
                let name = AccountName::of(&spec.user, self.access().account())?;
                self.server.failures.forget(&name);
            }
        }
        Ok(())
    }

    async fn changed_accounts(&mut self, kind: &S) -> Result<Vec<RandomPassword>, SqlError> {
        self.change_directory(|all, cx| match kind {
            S::CreateUser(create) => all.create_user(create, cx),
            S::AlterUser(alter) => all.alter_user(alter, cx),
            S::SetPassword(set) => Ok(all.set_password(set, cx)?.into_iter().collect()),
            S::DropUser { if_exists, users } => {
                all.drop_accounts(false, *if_exists, users, cx).map(|()| Vec::new())
            }
            S::DropRole { if_exists, roles } => {
                all.drop_accounts(true, *if_exists, roles, cx).map(|()| Vec::new())
            }
            S::RenameUser(pairs) => all.rename_users(pairs, cx).map(|()| Vec::new()),
            S::CreateRole { if_not_exists, roles } => {
                all.create_roles(*if_not_exists, roles, cx).map(|()| Vec::new())
            }
            S::SetDefaultRole { roles, users } => {
                all.set_default_role(roles, users, cx).map(|()| Vec::new())
            }
            S::Grant(grant) => all.grant(grant, cx).map(|()| Vec::new()),
            S::Revoke(revoke) => all.revoke(revoke, cx).map(|()| Vec::new()),
            _ => Err(SqlError::not_supported_yet("this statement about accounts")),
        })
        .await
    }

    /// The passwords of a SET.
    pub(super) async fn set_passwords(&mut self, list: &[&SetPassword]) -> Result<(), SqlError> {
        self.change_directory(|all, cx| {
            list.iter().try_for_each(|set| all.set_password(set, cx).map(drop))
        })
        .await
    }

    async fn change_directory<T: Send>(
        &mut self,
        change: impl FnOnce(&mut Directory, &mut AccountContext<'_>) -> Result<T, SqlError> + Send,
    ) -> Result<T, SqlError> {
        if self.table_locks == TableLocks::Everything {
            return Err(SqlError::new(code::ER_CANT_UPDATE_WITH_READLOCK, &[]));
        }
        let server = Arc::clone(&self.server);
        let access = self.rights.access.clone();
        let variables = &self.values.variables;
        let chars = variables.setting(id::generated_random_password_length).as_u64();
        let database = variables.database().map(str::to_owned);
        let objects = CatalogObjects(server.catalog.snapshot());
        let mut cx = AccountContext {
            access: &access,
            database: database.as_deref(),
            objects: &objects,
            now_ms: server.env.unix_ms(),
            random: &secret_random,
            random_password_chars: usize::try_from(chars).unwrap_or(usize::MAX),
            require_current: server.globals.get(id::password_require_current).as_bool(),
            password_history: server.globals.get(id::password_history).as_u64(),
            password_reuse_days: server.globals.get(id::password_reuse_interval).as_u64(),
            warnings: &mut self.warnings,
        };
        let done = server.accounts.change(|all| change(all, &mut cx)).await?;
        self.refresh_access();
        let directory = server.accounts.directory();
        if let Some(own) = directory.get(self.access().account()) {
            self.rights.must_change_password &= own.expired;
        }
        Ok(done)
    }

    /// SET ROLE
    pub(crate) fn set_role(&mut self, set: &SetRole) -> Result<Outcome, Ended> {
        let directory = self.server.accounts.directory();
        self.rights.access.set_role(&directory, set)?;
        self.values.set_current_role(&self.rights.access.current_role());
        Ok(Done::default().into())
    }

    /// SHOW GRANTS
    pub(super) fn show_grants(
        &self,
        user: Option<&User>,
        using: &[User],
    ) -> Result<Shown, SqlError> {
        let directory = self.server.accounts.directory();
        let rows = directory.show_grants(user, using, self.access())?;
        let name = self.named_account(user)?;
        let rows = rows.iter().map(|row| vec![text(row)]).collect();
        Ok(Shown::new("grants", rows).named(0, &format!("Grants for {name}")))
    }

    /// SHOW CREATE USER
    pub(super) fn show_create_user(&self, user: &User) -> Result<Shown, SqlError> {
        let directory = self.server.accounts.directory();
        let hex = self.values.variables.hot().print_identified_with_as_hex;
        let made = directory.show_create_user(user, hex, self.access())?;
        let name = self.named_account(Some(user))?;
        let shown = Shown::new("create user", vec![vec![text(made)]]);
        Ok(shown.named(0, &format!("CREATE USER for {name}")))
    }

    /// The name of an account as headings have it.
    fn named_account(&self, user: Option<&User>) -> Result<String, SqlError> {
        let current = self.access().account();
        let name = match user {
            Some(user) => AccountName::of(user, current)?,
            None => current.clone(),
        };
        Ok(format!("{}@{}", name.user, name.host))
    }
}
