//! CREATE, ALTER, DROP and RENAME USER, CREATE and DROP ROLE, SET PASSWORD,
//! SET DEFAULT ROLE. Each changes everything or nothing: on errors the directory is
//! to be thrown away.

use firn_mysql_parser::ast::{
    self, AlterUser, AlterUserAction, Auth, CreateUser, OldPassword, Secret, SetPassword, SetRole,
    User,
};
use firn_mysql_semantics::error::{SqlError, code};

use super::access::not_granted;
use super::account::{AccountName, Record};
use super::directory::{Directory, cannot};
use super::passwords::{authenticate, changed, check_old};
use super::settings::apply_settings;
use super::statement::{AccountContext, RandomPassword};

type Result<T> = std::result::Result<T, SqlError>;

impl Directory {
    /// CREATE USER; the passwords that were made up.
    ///
    /// # Errors
    ///
    /// 1227, 1396, 1470, 1524, 1819, 1827, 3523, 3982; 1235 for several factors.
    pub fn create_user(
        &mut self,
        create: &CreateUser,
        cx: &mut AccountContext<'_>,
    ) -> Result<Vec<RandomPassword>> {
        cx.access.check_any(&["CREATE USER"])?;
        let mut roles = Vec::new();
        for role in &create.default_roles {
            let role = cx.name(role)?;
            if self.get(&role).is_none() {
                return Err(unknown_role(&role));
            }
            roles.push(role);
        }
        let (mut there, mut generated) = (Vec::new(), Vec::new());
        for spec in &create.users {
            let name = cx.name(&spec.user)?;
            if self.get(&name).is_some() {
                if create.if_not_exists {
                    cx.note(code::ER_USER_ALREADY_EXISTS, &name);
                } else {
                    there.push(name);
                }
                continue;
            }
            let mut record = Record { changed_ms: cx.now_ms, ..Record::default() };
            if spec.auth.len() > 1 || spec.initial.is_some() {
                return Err(SqlError::not_supported_yet("authentication by several factors"));
            }
            apply_settings(&mut record, &create.settings)?;
            if let Some(auth) = spec.auth.first() {
                let expired = record.expired;
                generated.extend(authenticate(&name, &mut record, auth, cx)?);
                record.expired = expired;
            }
            for role in &roles {
                record.roles.insert(role.clone(), false);
                record.default_roles.insert(role.clone());
            }
            self.insert(name, record);
        }
        if there.is_empty() { Ok(generated) } else { Err(cannot("CREATE USER", &there)) }
    }

    /// CREATE ROLE.
    ///
    /// # Errors
    ///
    /// 1227, 1396, 1470.
    pub fn create_roles(
        &mut self,
        if_not_exists: bool,
        roles: &[User],
        cx: &mut AccountContext<'_>,
    ) -> Result<()> {
        cx.access.check_any(&["CREATE USER", "CREATE ROLE"])?;
        let mut there = Vec::new();
        for role in roles {
            let name = cx.name(role)?;
            if self.get(&name).is_none() {
                self.insert(name, Record { changed_ms: cx.now_ms, ..Record::role() });
            } else if if_not_exists {
                cx.note(code::ER_USER_ALREADY_EXISTS, &name);
            } else {
                there.push(name);
            }
        }
        if there.is_empty() { Ok(()) } else { Err(cannot("CREATE ROLE", &there)) }
    }

    /// DROP USER, or DROP ROLE.
    ///
    /// # Errors
    ///
    /// 1227, 1396, 1470.
    pub fn drop_accounts(
        &mut self,
        roles: bool,
        if_exists: bool,
        users: &[User],
        cx: &mut AccountContext<'_>,
    ) -> Result<()> {
        let (operation, privileges): (_, &[&str]) = if roles {
            ("DROP ROLE", &["CREATE USER", "DROP ROLE"])
        } else {
            ("DROP USER", &["CREATE USER"])
        };
        cx.access.check_any(privileges)?;
        let mut missing = Vec::new();
        for user in users {
            let name = cx.name(user)?;
            if let Some(record) = self.get(&name) {
                cx.may_change(record)?;
            }
            if self.remove(&name).is_some() {
                self.rename_role(&name, None);
            } else if if_exists {
                cx.note(code::ER_USER_DOES_NOT_EXIST, &name);
            } else {
                missing.push(name);
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(cannot(operation, &missing)) }
    }

    /// RENAME USER.
    ///
    /// # Errors
    ///
    /// 1227, 1396, 1470, 3532.
    pub fn rename_users(
        &mut self,
        pairs: &[(User, User)],
        cx: &mut AccountContext<'_>,
    ) -> Result<()> {
        cx.access.check_any(&["CREATE USER"])?;
        let mut failed = Vec::new();
        for (from, to) in pairs {
            let (from, to) = (cx.name(from)?, cx.name(to)?);
            if self.is_role(&from) || self.is_role(&to) {
                return Err(SqlError::new(code::ER_RENAME_ROLE, &[]));
            }
            if let Some(record) = self.get(&from) {
                cx.may_change(record)?;
            }
            if self.get(&to).is_some() {
                failed.push(from);
                continue;
            }
            match self.remove(&from) {
                Some(record) => {
                    self.insert(to.clone(), Record::clone(&record));
                    self.rename_role(&from, Some(&to));
                }
                None => failed.push(from),
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(cannot("RENAME USER", &failed)) }
    }

    /// ALTER USER; the passwords that were made up.
    ///
    /// # Errors
    ///
    /// As CREATE USER, and 3530, 3891, 3892, 3893.
    pub fn alter_user(
        &mut self,
        alter: &AlterUser,
        cx: &mut AccountContext<'_>,
    ) -> Result<Vec<RandomPassword>> {
        match &alter.action {
            AlterUserAction::Users { users, settings } => {
                let (mut missing, mut generated) = (Vec::new(), Vec::new());
                for spec in users {
                    let name = cx.name(&spec.user)?;
                    let own_password = cx.is_own(&name)
                        && spec.auth.as_ref().is_some_and(|auth| auth.plugin.is_none())
                        && *settings == ast::UserSettings::default();
                    if !own_password {
                        cx.access.check_any(&["CREATE USER"])?;
                    }
                    if !spec.factors.is_empty() {
                        let what = "authentication by several factors";
                        return Err(SqlError::not_supported_yet(what));
                    }
                    let Some(record) = self.get_mut(&name) else {
                        if alter.if_exists {
                            cx.note(code::ER_USER_DOES_NOT_EXIST, &name);
                        } else {
                            missing.push(name);
                        }
                        continue;
                    };
                    if !own_password {
                        cx.may_change(record)?;
                    }
                    if spec.auth.is_some() || spec.old.discard {
                        check_old(&name, record, &spec.old, cx)?;
                    }
                    if let Some(auth) = &spec.auth {
                        generated.extend(changed(&name, record, auth, spec.old.retain, cx)?);
                    }
                    apply_settings(record, settings)?;
                }
                if missing.is_empty() { Ok(generated) } else { Err(cannot("ALTER USER", &missing)) }
            }
            AlterUserAction::Own { auth, old } => {
                let name = cx.access.account().clone();
                let record = self
                    .get_mut(&name)
                    .ok_or_else(|| cannot("ALTER USER", std::slice::from_ref(&name)))?;
                check_old(&name, record, old, cx)?;
                Ok(changed(&name, record, auth, old.retain, cx)?.into_iter().collect())
            }
            AlterUserAction::DefaultRole { user, roles } => {
                self.set_default_role(roles, std::slice::from_ref(user), cx)?;
                Ok(Vec::new())
            }
            AlterUserAction::Registration { .. } => {
                Err(SqlError::not_supported_yet("authentication by several factors"))
            }
        }
    }

    /// SET PASSWORD; the password if it was made up.
    ///
    /// # Errors
    ///
    /// 1044, 1131, 1133, 1819, 3891, 3892, 3893.
    pub fn set_password(
        &mut self,
        set: &SetPassword,
        cx: &mut AccountContext<'_>,
    ) -> Result<Option<RandomPassword>> {
        let name = match &set.user {
            Some(user) => cx.name(user)?,
            None => cx.access.account().clone(),
        };
        if !cx.is_own(&name) && !cx.access.has_any(&["CREATE USER"]) {
            return Err(cx.access.database_denied("mysql"));
        }
        if name.user.is_empty() && cx.is_own(&name) {
            return Err(SqlError::new(code::ER_PASSWORD_ANONYMOUS_USER, &[]));
        }
        let none = || SqlError::new(code::ER_PASSWORD_NO_MATCH, &[]);
        let record = self.get_mut(&name).ok_or_else(none)?;
        if !cx.is_own(&name) {
            cx.may_change(record)?;
        }
        let (replace, retain) = (set.replace.clone(), set.retain);
        check_old(&name, record, &OldPassword { replace, retain, discard: false }, cx)?;
        let secret = match &set.password {
            Some(password) => Secret::Password(password.clone()),
            None => Secret::Random,
        };
        changed(&name, record, &Auth { plugin: None, secret }, retain, cx)
    }

    /// SET DEFAULT ROLE and ALTER USER … DEFAULT ROLE.
    ///
    /// # Errors
    ///
    /// 1227, 1470, 3523, 3530.
    pub fn set_default_role(
        &mut self,
        set: &SetRole,
        users: &[User],
        cx: &mut AccountContext<'_>,
    ) -> Result<()> {
        for user in users {
            let name = cx.name(user)?;
            if !cx.is_own(&name) {
                cx.access.check_any(&["CREATE USER"])?;
            }
            let wanted = match set {
                SetRole::Roles(roles) => {
                    Some(roles.iter().map(|role| cx.name(role)).collect::<Result<Vec<_>>>()?)
                }
                _ => None,
            };
            let Some(record) = self.get_mut(&name) else {
                match (set, wanted.as_ref().and_then(|roles| roles.first())) {
                    (SetRole::None, _) => continue,
                    (_, Some(role)) => return Err(not_granted(role, &name)),
                    _ => return Err(unknown_role(&name)),
                }
            };
            record.default_roles = match (set, wanted) {
                (_, Some(roles)) => {
                    if let Some(role) = roles.iter().find(|role| !record.roles.contains_key(role)) {
                        return Err(not_granted(role, &name));
                    }
                    roles.into_iter().collect()
                }
                (SetRole::All, None) => record.roles.keys().cloned().collect(),
                _ => std::collections::BTreeSet::new(),
            };
        }
        Ok(())
    }
}

/// 3523.
pub(super) fn unknown_role(name: &AccountName) -> SqlError {
    let args = [name.user.as_str().into(), name.host.as_str().into()];
    SqlError::new(code::ER_UNKNOWN_AUTHID, &args)
}
