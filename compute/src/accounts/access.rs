//! What a session may do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_mysql_parser::ast::SetRole;
use firn_mysql_semantics::error::{SqlError, code};

use super::account::{AccountName, Grants, TableGrant};
use super::directory::Directory;
use super::host;
use super::privilege::Privileges;

type Result<T> = std::result::Result<T, SqlError>;

/// The rights of a session: its account's and those of its active roles.
#[derive(Debug, Clone)]
pub struct Access {
    /// Where the client comes from, as messages have it.
    host: Box<str>,
    /// It logged in with a password.
    using_password: bool,
    rights: Arc<Rights>,
}

impl Access {
    /// Of a session that begins, with its default roles (all, if `all_roles`).
    pub fn new(
        directory: &Directory,
        account: AccountName,
        client_host: &str,
        using_password: bool,
        all_roles: bool,
    ) -> Access {
        let roles = directory.get(&account).map(|record| {
            if all_roles {
                record.roles.keys().cloned().collect()
            } else {
                record.default_roles.clone()
            }
        });
        let rights = directory.rights(&account, &roles.unwrap_or_default());
        Access { host: client_host.into(), using_password, rights }
    }

    /// An account's and those of some of its roles: to be shown, or as the definer of
    /// a view.
    pub fn with_roles(
        directory: &Directory,
        account: AccountName,
        roles: &BTreeSet<AccountName>,
    ) -> Access {
        let host = account.host.as_str().into();
        Access { host, using_password: false, rights: directory.rights(&account, roles) }
    }

    /// All that was granted, to the account and to its active roles.
    pub fn grants(&self) -> &Grants {
        &self.rights.grants
    }

    /// Whether it may do everything with every database and table.
    #[inline]
    pub fn may_all(&self) -> bool {
        self.rights.all
    }

    /// Another one whenever account, active roles or privileges are others: what was
    /// allowed once is allowed as long as it stays. Sessions of one account with the
    /// same roles have the same.
    #[inline]
    pub fn version(&self) -> u64 {
        self.rights.version
    }

    /// The version of the directory that it is of.
    #[inline]
    pub fn directory_version(&self) -> u64 {
        self.rights.directory
    }

    /// Takes over what has been granted and revoked since; `true` if that was anything.
    /// Cheap if nothing was.
    pub fn refresh(&mut self, directory: &Directory) -> bool {
        if self.rights.directory == directory.version() {
            return false;
        }
        self.rights = directory.rights(&self.rights.account, &self.rights.roles);
        true
    }

    /// The account.
    pub fn account(&self) -> &AccountName {
        &self.rights.account
    }

    /// Where the client comes from, as messages have it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// CURRENT_ROLE()
    pub fn current_role(&self) -> String {
        let names: Vec<String> = self.rights.roles.iter().map(ToString::to_string).collect();
        if names.is_empty() { "NONE".to_owned() } else { names.join(",") }
    }

    /// Active roles.
    pub fn roles(&self) -> impl Iterator<Item = &AccountName> {
        self.rights.roles.iter()
    }

    /// Active roles, and theirs.
    pub fn all_roles(&self) -> &BTreeSet<AccountName> {
        &self.rights.reached
    }

    /// SET ROLE.
    ///
    /// # Errors
    ///
    /// 3530 for roles that have not been granted.
    pub fn set_role(&mut self, directory: &Directory, set: &SetRole) -> Result<()> {
        let record = directory.get(self.account());
        let granted: BTreeSet<AccountName> =
            record.map(|record| record.roles.keys().cloned().collect()).unwrap_or_default();
        let named = |users: &[_]| -> Result<BTreeSet<AccountName>> {
            users.iter().map(|user| AccountName::of(user, self.account())).collect()
        };
        let roles = match set {
            SetRole::None => BTreeSet::new(),
            SetRole::Default => {
                record.map(|record| record.default_roles.clone()).unwrap_or_default()
            }
            SetRole::All => granted,
            SetRole::AllExcept(users) => &granted - &named(users)?,
            SetRole::Roles(users) => {
                let roles = named(users)?;
                if let Some(role) = roles.difference(&granted).next() {
                    return Err(not_granted(role, self.account()));
                }
                roles
            }
        };
        self.rights = directory.rights(self.account(), &roles);
        Ok(())
    }

    /// Whether it has all of these everywhere.
    pub fn has(&self, privileges: Privileges) -> bool {
        self.rights.grants.global.has(privileges)
    }

    /// Whether it has one of these everywhere: static or dynamic, by name.
    pub fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| match Privileges::by_name(name) {
            Some(privilege) => self.has(privilege),
            None => self.rights.grants.dynamic.contains_key(*name),
        })
    }

    pub(super) fn may_grant_dynamic(&self, name: &str) -> bool {
        self.rights.grants.dynamic.get(name).copied().unwrap_or(false)
    }

    /// Wants one of these everywhere.
    ///
    /// # Errors
    ///
    /// 1227.
    pub fn check_any(&self, names: &[&str]) -> Result<()> {
        if self.has_any(names) {
            return Ok(());
        }
        Err(denied(&names.join(", ")))
    }

    /// What it has on all of a database.
    pub fn on_database(&self, database: &str) -> Privileges {
        self.rights.grants.global.with(on_database(&self.rights.grants.databases, database))
    }

    pub(super) fn table(&self, database: &str, table: &str) -> Option<&TableGrant> {
        self.rights.grants.tables.get(database)?.get(table)
    }

    /// What it has on all of a table.
    pub fn on_table(&self, database: &str, table: &str) -> Privileges {
        let own = self.table(database, table).map_or(Privileges::NONE, |one| one.privileges);
        self.on_database(database).with(own)
    }

    /// Wants these on all of a database.
    ///
    /// # Errors
    ///
    /// 1044.
    pub fn check_database(&self, need: Privileges, database: &str) -> Result<()> {
        if self.on_database(database).has(need) {
            return Ok(());
        }
        Err(self.database_denied(database))
    }

    /// 1044.
    pub fn database_denied(&self, database: &str) -> SqlError {
        SqlError::database_access_denied(&self.account().user, &self.account().host, database)
    }

    /// Wants to use a database.
    ///
    /// # Errors
    ///
    /// 1044.
    pub fn check_use(&self, database: &str) -> Result<()> {
        let anything = |map: &BTreeMap<String, _>| map.contains_key(database);
        let sees = self.may_all()
            || self.sees_by_privileges(database)
            || self.rights.grants.tables.contains_key(database)
            || anything(&self.rights.grants.procedures)
            || anything(&self.rights.grants.functions);
        if sees { Ok(()) } else { Err(self.database_denied(database)) }
    }

    /// Whether a database is listed.
    pub fn sees_database(&self, database: &str) -> bool {
        self.has(Privileges::SHOW_DATABASES) || self.check_use(database).is_ok()
    }

    /// Whether a table is listed: something is granted on it or on one of its columns.
    pub fn sees_table(&self, database: &str, table: &str) -> bool {
        self.may_all() || self.check_any_on_table(Privileges::SELECT, database, table).is_ok()
    }

    /// What it has on a column, name in lower case.
    pub fn on_column(&self, database: &str, table: &str, column: &str) -> Privileges {
        let own = self.table(database, table).and_then(|grant| grant.columns.get(column));
        let all = self.on_table(database, table).with(own.copied().unwrap_or_default());
        all.and(Privileges::COLUMN)
    }

    /// Global privileges that say nothing of databases do not show them.
    fn sees_by_privileges(&self, database: &str) -> bool {
        let of_databases = Privileges::DATABASE.without(Privileges::GRANT_OPTION);
        self.on_database(database).has_any(of_databases)
    }

    /// Wants these on all of a table.
    ///
    /// # Errors
    ///
    /// 1142.
    pub fn check_table(&self, need: Privileges, database: &str, table: &str) -> Result<()> {
        let missing = need.without(self.on_table(database, table));
        if missing.is_empty() { Ok(()) } else { Err(self.table_denied(missing, table)) }
    }

    /// Wants something on a table or on one of its columns: to have it listed.
    ///
    /// # Errors
    ///
    /// 1142, as for `command`.
    pub fn check_any_on_table(
        &self,
        command: Privileges,
        database: &str,
        table: &str,
    ) -> Result<()> {
        let columns = self.table(database, table).map_or(Privileges::NONE, TableGrant::anywhere);
        let any = self.on_table(database, table).with(columns);
        let of_table = any.and(Privileges::TABLE.without(Privileges::GRANT_OPTION));
        if of_table.is_empty() { Err(self.table_denied(command, table)) } else { Ok(()) }
    }

    /// Wants one privilege on these columns of a table, names in lower case; without
    /// columns, on any of them.
    ///
    /// # Errors
    ///
    /// 1143 for the first column without; 1142 if there is none with. For `*` MySQL
    /// gives 1142 in any case.
    pub fn check_columns<'a>(
        &self,
        need: Privileges,
        database: &str,
        table: &str,
        columns: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        if self.on_table(database, table).has(need) {
            return Ok(());
        }
        let grant = self.table(database, table).filter(|grant| grant.anywhere().has(need));
        let Some(grant) = grant else { return Err(self.table_denied(need, table)) };
        for column in columns {
            let own = grant.columns.get(column).copied().unwrap_or_default();
            if !own.with(self.on_table(database, table)).has(need) {
                let need = words(need);
                let args = [
                    (&need).into(),
                    self.account().user.as_str().into(),
                    (&*self.host).into(),
                    column.into(),
                    table.into(),
                ];
                return Err(SqlError::new(code::ER_COLUMNACCESS_DENIED_ERROR, &args));
            }
        }
        Ok(())
    }

    /// Wants these on a routine.
    ///
    /// # Errors
    ///
    /// 1370.
    pub fn check_routine(
        &self,
        need: Privileges,
        procedure: bool,
        database: &str,
        name: &str,
    ) -> Result<()> {
        let routines = if procedure { &self.grants().procedures } else { &self.grants().functions };
        let own = routines.get(database).and_then(|map| map.get(&name.to_lowercase()));
        let missing =
            need.without(self.on_database(database)).without(own.copied().unwrap_or_default());
        if missing.is_empty() {
            return Ok(());
        }
        let routine = format!("{database}.{name}");
        let missing = words(missing);
        let args = [
            (&missing).into(),
            self.account().user.as_str().into(),
            (&*self.host).into(),
            (&routine).into(),
        ];
        Err(SqlError::new(code::ER_PROCACCESS_DENIED_ERROR, &args))
    }

    /// 1142.
    pub(crate) fn table_denied(&self, missing: Privileges, table: &str) -> SqlError {
        self.table_denied_to(&words(missing), table)
    }

    /// 1142 for what is more than privileges.
    pub(crate) fn table_denied_to(&self, missing: &str, table: &str) -> SqlError {
        let args = [
            missing.into(),
            self.account().user.as_str().into(),
            (&*self.host).into(),
            table.into(),
        ];
        SqlError::new(code::ER_TABLEACCESS_DENIED_ERROR, &args)
    }

    /// 1698.
    pub(super) fn proxy_denied(&self) -> SqlError {
        let args = [self.account().user.as_str().into(), (&*self.host).into()];
        SqlError::new(code::ER_ACCESS_DENIED_NO_PASSWORD_ERROR, &args)
    }

    /// 1045.
    pub(crate) fn denied(&self) -> SqlError {
        SqlError::access_denied(&self.account().user, &self.account().host, self.using_password)
    }
}

/// What an account may do with some of its roles. Sessions share it.
#[derive(Debug)]
pub(super) struct Rights {
    account: AccountName,
    /// Active roles.
    roles: BTreeSet<AccountName>,
    /// The same, and theirs.
    reached: BTreeSet<AccountName>,
    grants: Grants,
    /// All that a database or a table can have, everywhere.
    all: bool,
    /// See [`Access::version`].
    version: u64,
    /// The version of the directory that this is of.
    directory: u64,
}

impl Rights {
    pub(super) fn new(
        directory: &Directory,
        account: &AccountName,
        roles: &BTreeSet<AccountName>,
    ) -> Rights {
        static VERSIONS: AtomicU64 = AtomicU64::new(0);
        let mut rights = Rights {
            account: account.clone(),
            roles: BTreeSet::new(),
            reached: BTreeSet::new(),
            grants: Grants::default(),
            all: false,
            version: VERSIONS.fetch_add(1, Ordering::Relaxed) + 1,
            directory: directory.version(),
        };
        let Some(record) = directory.get(account) else { return rights };
        merge(&mut rights.grants, &record.grants);
        let granted = roles.iter().filter(|role| record.roles.contains_key(role));
        rights.roles = granted.cloned().collect();
        rights.reached = reached(directory, &rights.roles);
        for role in &rights.reached {
            if let Some(record) = directory.get(role) {
                merge(&mut rights.grants, &record.grants);
            }
        }
        let everything = Privileges::DATABASE.without(Privileges::GRANT_OPTION);
        rights.all = rights.grants.global.has(everything);
        rights
    }
}

/// Roles and theirs.
fn reached(directory: &Directory, roles: &BTreeSet<AccountName>) -> BTreeSet<AccountName> {
    let (mut seen, mut next) = (BTreeSet::new(), roles.clone());
    while let Some(role) = next.pop_first() {
        if let Some(record) = directory.get(&role)
            && seen.insert(role)
        {
            next.extend(record.roles.keys().cloned());
        }
    }
    seen
}

/// Privileges as 1142 has them.
fn words(privileges: Privileges) -> String {
    let word = |name| if name == "GRANT OPTION" { "GRANT" } else { name };
    privileges.names().map(word).collect::<Vec<_>>().join(", ")
}

/// 1227.
pub(super) fn denied(privileges: &str) -> SqlError {
    SqlError::new(code::ER_SPECIFIC_ACCESS_DENIED_ERROR, &[privileges.into()])
}

/// 3530.
pub(super) fn not_granted(role: &AccountName, to: &AccountName) -> SqlError {
    let args = [
        role.user.as_str().into(),
        role.host.as_str().into(),
        to.user.as_str().into(),
        to.host.as_str().into(),
    ];
    SqlError::new(code::ER_ROLE_NOT_GRANTED, &args)
}

/// The privileges of the pattern that says most about a database's name: the name
/// itself, else the one whose first wildcard stands last.
fn on_database(patterns: &BTreeMap<String, Privileges>, database: &str) -> Privileges {
    if let Some(privileges) = patterns.get(database) {
        return *privileges;
    }
    let taken = patterns.iter().filter(|(pattern, _)| {
        host::wild(database.as_bytes(), pattern.as_bytes(), host::Case::Matters)
    });
    let rank = |pattern: &str| host::first_wildcard(pattern).unwrap_or(usize::MAX);
    taken.max_by_key(|(pattern, _)| rank(pattern)).map_or(Privileges::NONE, |(_, one)| *one)
}

fn merge(into: &mut Grants, from: &Grants) {
    into.global = into.global.with(from.global);
    for (name, option) in &from.dynamic {
        *into.dynamic.entry(name.clone()).or_default() |= *option;
    }
    add(&mut into.databases, &from.databases);
    for (database, tables) in &from.tables {
        let all = into.tables.entry(database.clone()).or_default();
        for (table, grant) in tables {
            let one = all.entry(table.clone()).or_default();
            one.privileges = one.privileges.with(grant.privileges);
            add(&mut one.columns, &grant.columns);
        }
    }
    for (into, from) in
        [(&mut into.procedures, &from.procedures), (&mut into.functions, &from.functions)]
    {
        for (database, routines) in from {
            add(into.entry(database.clone()).or_default(), routines);
        }
    }
}

fn add(into: &mut BTreeMap<String, Privileges>, from: &BTreeMap<String, Privileges>) {
    for (name, privileges) in from {
        let one = into.entry(name.clone()).or_default();
        *one = one.with(*privileges);
    }
}
