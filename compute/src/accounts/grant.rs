//! GRANT and REVOKE. Each changes everything or nothing: on errors the directory is to
//! be thrown away.

use firn_mysql_parser::ast::{Grant, GrantWhat, Revoke, User};
use firn_mysql_semantics::error::{SqlError, code};

use super::access::denied;
use super::account::{AccountName, Grants, Record};
use super::directory::Directory;
use super::privilege::Privileges;
use super::statement::AccountContext;
use super::users::unknown_role;
use super::wanted::{Level, Wanted};

type Result<T> = std::result::Result<T, SqlError>;

impl Directory {
    /// GRANT.
    ///
    /// # Errors
    ///
    /// 1044, 1045, 1046, 1054, 1142, 1143, 1144, 1146, 1149, 1221, 1227, 1305, 1370,
    /// 1410, 1698, 3523, 3619, 4027; 1235 for AS.
    pub fn grant(&mut self, grant: &Grant, cx: &mut AccountContext<'_>) -> Result<()> {
        if grant.as_user.is_some() {
            return Err(SqlError::not_supported_yet("GRANT … AS"));
        }
        match &grant.what {
            GrantWhat::Privileges { privileges, on } => {
                let mut wanted = Wanted::of(privileges, on, cx)?;
                wanted.check_objects(cx)?;
                wanted.check_level(false, cx)?;
                for user in &grant.to {
                    self.granted(user, cx)?;
                    wanted.check_names(false, cx)?;
                }
                wanted.check_granter(cx)?;
                // Dynamic privileges have it each for itself.
                let statics = !wanted.privileges.is_empty() || wanted.dynamic.is_empty();
                if grant.option && statics {
                    wanted.privileges = wanted.privileges.with(Privileges::GRANT_OPTION);
                }
                let option = grant.option || wanted.privileges.has(Privileges::GRANT_OPTION);
                for user in &grant.to {
                    let record = self.granted(user, cx)?;
                    add(&mut record.grants, &wanted, option);
                }
                Ok(())
            }
            GrantWhat::Roles(roles) => {
                for user in &grant.to {
                    let name = cx.name(user)?;
                    for role in roles {
                        self.grant_role(&cx.name(role)?, &name, grant.option, cx)?;
                    }
                }
                Ok(())
            }
            GrantWhat::Proxy(of) => {
                let of = cx.name(of)?;
                self.check_proxy(&of, cx)?;
                for user in &grant.to {
                    let record = self.granted(user, cx)?;
                    *record.proxies.entry(of.clone()).or_default() |= grant.option;
                }
                Ok(())
            }
        }
    }

    fn granted(&mut self, user: &User, cx: &AccountContext<'_>) -> Result<&mut Record> {
        let none = || SqlError::new(code::ER_CANT_CREATE_USER_WITH_GRANT, &[]);
        self.get_mut(&cx.name(user)?).ok_or_else(none)
    }

    fn grant_role(
        &mut self,
        role: &AccountName,
        to: &AccountName,
        option: bool,
        cx: &AccountContext<'_>,
    ) -> Result<()> {
        self.check_role_admin(role, cx)?;
        for name in [to, role] {
            if self.get(name).is_none() {
                return Err(unknown_role(name));
            }
        }
        if self.reaches(role, to) {
            let (to, role) = (to.to_string(), role.to_string());
            let args = [(&to).into(), (&role).into()];
            return Err(SqlError::new(code::ER_ROLE_GRANTED_TO_ITSELF, &args));
        }
        if let Some(record) = self.get_mut(to) {
            // Granted again without the option, it mostly keeps it in MySQL, too.
            *record.roles.entry(role.clone()).or_default() |= option;
        }
        Ok(())
    }

    fn check_role_admin(&self, role: &AccountName, cx: &AccountContext<'_>) -> Result<()> {
        let own = self.get(cx.access.account());
        let admin = own.and_then(|own| own.roles.get(role)).copied().unwrap_or(false);
        if admin || cx.access.has_any(&["ROLE_ADMIN", "SUPER"]) {
            return Ok(());
        }
        Err(denied("WITH ADMIN, ROLE_ADMIN, SUPER"))
    }

    fn check_proxy(&self, of: &AccountName, cx: &AccountContext<'_>) -> Result<()> {
        let own = self.get(cx.access.account());
        let anybody = AccountName::new("", "");
        let may = own.is_some_and(|own| {
            [of, &anybody].into_iter().any(|name| own.proxies.get(name) == Some(&true))
        });
        if may || cx.is_own(of) {
            return Ok(());
        }
        Err(cx.access.proxy_denied())
    }

    /// REVOKE.
    ///
    /// # Errors
    ///
    /// As GRANT, and 1141, 1147, 1269, 1403.
    pub fn revoke(&mut self, revoke: &Revoke, cx: &mut AccountContext<'_>) -> Result<()> {
        match &revoke.what {
            None => {
                cx.access.check_any(&["CREATE USER"])?;
                let mut missing = false;
                for user in &revoke.from {
                    let name = cx.name(user)?;
                    match self.get_mut(&name) {
                        Some(record) => record.grants = Grants::default(),
                        None if revoke.ignore_unknown_user => warn_unknown(&name, cx),
                        None => missing = true,
                    }
                }
                if missing { Err(SqlError::new(code::ER_REVOKE_GRANTS, &[])) } else { Ok(()) }
            }
            Some(GrantWhat::Privileges { privileges, on }) => {
                let mut wanted = Wanted::of(privileges, on, cx)?;
                wanted.check_level(revoke.if_exists, cx)?;
                wanted.check_granter(cx)?;
                let mut known = 0;
                for user in &revoke.from {
                    let name = cx.name(user)?;
                    let Some(record) = self.get_mut(&name) else {
                        if revoke.ignore_unknown_user {
                            warn_unknown(&name, cx);
                            continue;
                        }
                        return Err(match wanted.level {
                            Level::Global if wanted.all => {
                                SqlError::new(code::ER_REVOKE_GRANTS, &[])
                            }
                            _ => no_grant(&name, &wanted.level),
                        });
                    };
                    known += 1;
                    wanted.check_misuse()?;
                    if take(&mut record.grants, &wanted) {
                        continue;
                    }
                    let error = no_grant(&name, &wanted.level);
                    if !revoke.if_exists {
                        return Err(error);
                    }
                    cx.warnings.warn(error);
                }
                // MySQL warns for each account.
                for _ in 0..known {
                    wanted.check_names(true, cx)?;
                }
                Ok(())
            }
            Some(GrantWhat::Roles(roles)) => {
                for user in &revoke.from {
                    let name = cx.name(user)?;
                    for role in roles {
                        self.revoke_role(&cx.name(role)?, &name, revoke, cx)?;
                    }
                }
                Ok(())
            }
            Some(GrantWhat::Proxy(of)) => {
                let of = cx.name(of)?;
                self.check_proxy(&of, cx)?;
                for user in &revoke.from {
                    let name = cx.name(user)?;
                    let record = self.get_mut(&name);
                    if record.and_then(|record| record.proxies.remove(&of)).is_none() {
                        return Err(no_grant(&name, &Level::Global));
                    }
                }
                Ok(())
            }
        }
    }

    fn revoke_role(
        &mut self,
        role: &AccountName,
        from: &AccountName,
        revoke: &Revoke,
        cx: &mut AccountContext<'_>,
    ) -> Result<()> {
        self.check_role_admin(role, cx)?;
        if self.get(from).is_none() {
            if revoke.ignore_unknown_user {
                warn_unknown(from, cx);
                return Ok(());
            }
            return Err(unknown_role(from));
        }
        if self.get(role).is_none() {
            let error = unknown_role(role);
            if !revoke.if_exists {
                return Err(error);
            }
            cx.warnings.warn(error);
            return Ok(());
        }
        if let Some(record) = self.get_mut(from) {
            record.roles.remove(role);
            record.default_roles.remove(role);
        }
        Ok(())
    }
}

fn warn_unknown(name: &AccountName, cx: &mut AccountContext<'_>) {
    let error = SqlError::new(code::ER_USER_DOES_NOT_EXIST, &[name.user.as_str().into()]);
    cx.warnings.warn(error);
}

fn no_grant(name: &AccountName, level: &Level) -> SqlError {
    let (user, host) = (name.user.as_str().into(), name.host.as_str().into());
    match level {
        Level::Global | Level::Database(_) => {
            SqlError::new(code::ER_NONEXISTING_GRANT, &[user, host])
        }
        Level::Table(_, table) => {
            SqlError::new(code::ER_NONEXISTING_TABLE_GRANT, &[user, host, table.into()])
        }
        Level::Routine(_, _, name) => {
            SqlError::new(code::ER_NONEXISTING_PROC_GRANT, &[user, host, name.into()])
        }
    }
}

fn add(grants: &mut Grants, wanted: &Wanted, option: bool) {
    let privileges = wanted.privileges;
    let nothing = privileges.is_empty() && wanted.columns.is_empty();
    match &wanted.level {
        Level::Global => {
            grants.global = grants.global.with(privileges);
            for name in &wanted.dynamic {
                *grants.dynamic.entry((*name).to_owned()).or_default() |= option;
            }
        }
        _ if nothing => {}
        Level::Database(database) => {
            let one = grants.databases.entry(database.clone()).or_default();
            *one = one.with(privileges);
        }
        Level::Table(database, table) => {
            let tables = grants.tables.entry(database.clone()).or_default();
            let one = tables.entry(table.clone()).or_default();
            one.privileges = one.privileges.with(privileges);
            for (column, privilege) in &wanted.columns {
                let column = one.columns.entry(column.clone()).or_default();
                *column = column.with(*privilege);
            }
        }
        Level::Routine(procedure, database, name) => {
            let all = if *procedure { &mut grants.procedures } else { &mut grants.functions };
            let routines = all.entry(database.clone()).or_default();
            let one = routines.entry(name.to_lowercase()).or_default();
            *one = one.with(privileges);
        }
    }
}

/// Takes privileges away; `false` if some of them were not there.
fn take(grants: &mut Grants, wanted: &Wanted) -> bool {
    let privileges = wanted.privileges;
    // ALL is whatever there is.
    let all_there = |own: Privileges| wanted.all || own.has(privileges);
    match &wanted.level {
        Level::Global if wanted.all => {
            *grants = Grants::default();
            true
        }
        Level::Global => {
            grants.global = grants.global.without(privileges);
            for name in &wanted.dynamic {
                grants.dynamic.remove(*name);
            }
            true
        }
        Level::Database(_) if wanted.is_usage() => true,
        Level::Database(database) => {
            let Some(one) = grants.databases.get_mut(database) else { return false };
            let there = all_there(*one);
            *one = one.without(privileges);
            if one.is_empty() {
                grants.databases.remove(database);
            }
            there
        }
        Level::Table(database, table) => {
            let Some(tables) = grants.tables.get_mut(database) else { return false };
            let Some(one) = tables.get_mut(table) else { return false };
            let has = |(column, privilege): &(String, Privileges)| {
                one.columns.get(column).is_some_and(|own| own.has(*privilege))
            };
            let there = all_there(one.anywhere()) && wanted.columns.iter().all(has);
            one.privileges = one.privileges.without(privileges);
            for own in one.columns.values_mut() {
                *own = own.without(privileges);
            }
            for (column, privilege) in &wanted.columns {
                if let Some(own) = one.columns.get_mut(column) {
                    *own = own.without(*privilege);
                }
            }
            one.columns.retain(|_, own| !own.is_empty());
            if one.is_empty() {
                tables.remove(table);
            }
            grants.tables.retain(|_, tables| !tables.is_empty());
            there
        }
        Level::Routine(procedure, database, name) => {
            let all = if *procedure { &mut grants.procedures } else { &mut grants.functions };
            let Some(routines) = all.get_mut(database) else { return false };
            let Some(one) = routines.get_mut(&name.to_lowercase()) else { return false };
            let there = all_there(*one);
            *one = one.without(privileges);
            routines.retain(|_, one| !one.is_empty());
            all.retain(|_, routines| !routines.is_empty());
            there
        }
    }
}
