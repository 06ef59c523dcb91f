//! All accounts and roles at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firn_mysql_protocol::auth;
use firn_mysql_semantics::error::{SqlError, code};
use parking_lot::Mutex;

use super::access::Rights;
use super::account::{AccountName, Record};
use super::host::{self, ClientHost};

/// Accounts with active roles whose rights are kept; at that, all are made anew.
const RIGHTS_MAX: usize = 4096;

/// Rights by account and active roles: those of one directory, and of no copy.
#[derive(Debug, Default)]
struct KnownRights(Mutex<BTreeMap<WithRoles, Arc<Rights>>>);

/// An account and its active roles.
type WithRoles = (AccountName, BTreeSet<AccountName>);

impl Clone for KnownRights {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// All accounts. A copy shares the records.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    accounts: BTreeMap<AccountName, Arc<Record>>,
    /// In the order in which a client's is looked for.
    order: Arc<[AccountName]>,
    /// Another one after every change.
    version: u64,
    rights: KnownRights,
}

impl Directory {
    /// Accounts as they were stored.
    pub fn new(accounts: impl IntoIterator<Item = (AccountName, Record)>) -> Directory {
        let accounts = accounts.into_iter().map(|(name, record)| (name, Arc::new(record)));
        let mut directory =
            Directory { accounts: accounts.collect(), version: 1, ..Directory::default() };
        directory.sort();
        directory
    }

    fn sort(&mut self) {
        let mut order: Vec<AccountName> = self.accounts.keys().cloned().collect();
        order.sort_by_cached_key(host::order);
        self.order = order.into();
    }

    /// Another one after every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    fn changed(&mut self) {
        self.version += 1;
        self.rights = KnownRights::default();
    }

    /// What an account may do with those of these roles that it has been granted.
    pub(super) fn rights(
        &self,
        account: &AccountName,
        roles: &BTreeSet<AccountName>,
    ) -> Arc<Rights> {
        let key = (account.clone(), roles.clone());
        let mut known = self.rights.0.lock();
        if let Some(rights) = known.get(&key) {
            return Arc::clone(rights);
        }
        if known.len() >= RIGHTS_MAX {
            known.clear();
        }
        let rights = Arc::new(Rights::new(self, account, roles));
        known.insert(key, Arc::clone(&rights));
        rights
    }

    /// The account of a client: of those whose host takes it, the most specific one of
    /// this user or of anybody.
    pub fn find(&self, user: &str, from: &ClientHost) -> Option<(&AccountName, &Arc<Record>)> {
        let name = self
            .order
            .iter()
            .find(|name| (name.user.is_empty() || name.user == user) && from.is_like(&name.host))?;
        Some((name, self.accounts.get(name)?))
    }

    /// The same, as the protocol wants it.
    pub fn lookup(&self, user: &str, from: &ClientHost) -> Option<auth::Account> {
        let (name, record) = self.find(user, from)?;
        Some(auth::Account {
            user: name.user.clone(),
            host: name.host.clone(),
            plugin: auth::AuthPlugin::from_name(&record.plugin)?,
            auth_string: record.auth_string.clone(),
            second_auth_string: record.second_auth_string.clone(),
        })
    }

    /// The record of an account.
    pub fn get(&self, name: &AccountName) -> Option<&Arc<Record>> {
        self.accounts.get(name)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&AccountName, &Arc<Record>)> {
        self.accounts.iter()
    }

    pub(super) fn get_mut(&mut self, name: &AccountName) -> Option<&mut Record> {
        self.changed();
        self.accounts.get_mut(name).map(Arc::make_mut)
    }

    pub(super) fn insert(&mut self, name: AccountName, record: Record) {
        self.accounts.insert(name, Arc::new(record));
        self.changed();
        self.sort();
    }

    pub(super) fn remove(&mut self, name: &AccountName) -> Option<Arc<Record>> {
        let removed = self.accounts.remove(name);
        self.changed();
        self.sort();
        removed
    }

    /// Takes a role from everybody, or gives it another name.
    pub(super) fn rename_role(&mut self, role: &AccountName, to: Option<&AccountName>) {
        self.changed();
        for record in self.accounts.values_mut() {
            let named = record.roles.contains_key(role)
                || record.default_roles.contains(role)
                || record.proxies.contains_key(role);
            if !named {
                continue;
            }
            let record = Arc::make_mut(record);
            for map in [&mut record.roles, &mut record.proxies] {
                if let (Some(option), Some(to)) = (map.remove(role), to) {
                    map.insert(to.clone(), option);
                }
            }
            if let (true, Some(to)) = (record.default_roles.remove(role), to) {
                record.default_roles.insert(to.clone());
            }
        }
    }

    /// Whether somebody has been granted it.
    pub(super) fn is_role(&self, name: &AccountName) -> bool {
        self.accounts.values().any(|record| record.roles.contains_key(name))
    }

    /// Whether `role` is `name`, or has it among its roles, or theirs.
    pub(super) fn reaches(&self, role: &AccountName, name: &AccountName) -> bool {
        let mut seen = Vec::new();
        let mut next = vec![role.clone()];
        while let Some(role) = next.pop() {
            if role == *name {
                return true;
            }
            if !seen.contains(&role) {
                let roles = self.get(&role).map(|record| record.roles.keys().cloned());
                next.extend(roles.into_iter().flatten());
                seen.push(role);
            }
        }
        false
    }
}

/// 1396: an operation that failed for these accounts.
pub(super) fn cannot(operation: &str, names: &[AccountName]) -> SqlError {
    let list = names.iter().map(AccountName::quoted).collect::<Vec<_>>().join(",");
    SqlError::new(code::ER_CANNOT_USER, &[operation.into(), (&list).into()])
}
