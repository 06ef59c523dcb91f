//! Users, roles, privileges.

use super::{Ident, ObjectName, RoutineKind, Text};

/// An account or a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// CURRENT_USER
    Current,
    /// Without a host it is `%`.
    Named { name: Text, host: Option<Text> },
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateUser {
    pub if_not_exists: bool,
    pub users: Vec<UserSpec>,
    pub default_roles: Vec<User>,
    pub settings: UserSettings,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterUser {
    pub if_exists: bool,
    pub action: AlterUserAction,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterUserAction {
    Users {
        users: Vec<AlterUserSpec>,
        settings: UserSettings,
    },
    /// `USER() …`: the one that is logged in.
    Own {
        auth: Auth,
        old: OldPassword,
    },
    DefaultRole {
        user: User,
        roles: SetRole,
    },
    Registration {
        user: Option<User>,
        factors: Vec<RegistrationStep>,
    },
}

/// A step of `2 FACTOR INITIATE REGISTRATION` and its like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationStep {
    Initiate(u64),
    Finish(u64, Text),
    Unregister(u64),
}

#[derive(Debug, Clone, PartialEq)]
pub struct UserSpec {
    pub user: User,
    /// One per factor; none is the default way without a password.
    pub auth: Vec<Auth>,
    /// INITIAL AUTHENTICATION
    pub initial: Option<Auth>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterUserSpec {
    pub user: User,
    pub auth: Option<Auth>,
    pub old: OldPassword,
    pub factors: Vec<FactorChange>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum FactorChange {
    Add(u64, Auth),
    Modify(u64, Auth),
    Drop(u64),
}

/// IDENTIFIED …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    pub plugin: Option<Ident>,
    pub secret: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    None,
    /// BY 'text'
    Password(Text),
    /// BY RANDOM PASSWORD
    Random,
    /// AS: what the plugin stores.
    Hash(super::Bytes),
}

/// What becomes of the password before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OldPassword {
    /// REPLACE 'text'
    pub replace: Option<Text>,
    pub retain: bool,
    pub discard: bool,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserSettings {
    pub require: Option<Require>,
    pub limits: Vec<(ResourceLimit, u64)>,
    pub options: Vec<UserOption>,
    /// COMMENT, else ATTRIBUTE, and its text.
    pub attribute: Option<(bool, Text)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Require {
    None,
    Ssl,
    X509,
    /// CIPHER, ISSUER, SUBJECT
    Items(Vec<(RequireItem, Text)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequireItem {
    Cipher,
    Issuer,
    Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceLimit {
    QueriesPerHour,
    UpdatesPerHour,
    ConnectionsPerHour,
    UserConnections,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserOption {
    AccountLock,
    AccountUnlock,
    PasswordExpire,
    PasswordExpireDefault,
    PasswordExpireNever,
    PasswordExpireDays(u64),
    /// None is DEFAULT, here and below.
    PasswordHistory(Option<u64>),
    PasswordReuseDays(Option<u64>),
    /// CURRENT: None, CURRENT DEFAULT, CURRENT OPTIONAL.
    PasswordRequireCurrent,
    PasswordRequireCurrentDefault,
    PasswordRequireCurrentOptional,
    FailedLoginAttempts(u64),
    /// None is UNBOUNDED.
    PasswordLockDays(Option<u64>),
}

/// Which roles SET ROLE and DEFAULT ROLE turn on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetRole {
    None,
    Default,
    All,
    AllExcept(Vec<User>),
    Roles(Vec<User>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    pub what: GrantWhat,
    pub to: Vec<User>,
    /// WITH GRANT OPTION, or WITH ADMIN OPTION for roles.
    pub option: bool,
    pub as_user: Option<GrantAs>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GrantAs {
    pub user: User,
    pub with_role: Option<SetRole>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum GrantWhat {
    /// Privileges on something; none is ALL.
    Privileges {
        privileges: Vec<Privilege>,
        on: GrantOn,
    },
    Roles(Vec<User>),
    Proxy(User),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Revoke {
    pub if_exists: bool,
    pub ignore_unknown_user: bool,
    /// None: ALL PRIVILEGES, GRANT OPTION.
    pub what: Option<GrantWhat>,
    pub from: Vec<User>,
}

/// A privilege: its words in upper case (`SELECT`, `CREATE ROUTINE`), or the name
/// of a dynamic one as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privilege {
    pub name: Text,
    pub columns: Vec<Ident>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantOn {
    /// None is TABLE, or whatever the name is.
    pub routine: Option<RoutineKind>,
    pub level: GrantLevel,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantLevel {
    /// `*.*`
    Global,
    /// `*`
    CurrentSchema,
    /// `schema.*`
    Schema(Ident),
    Object(ObjectName),
}
