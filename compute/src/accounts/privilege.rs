//! Privileges: the static ones as bits, the dynamic ones by name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of static privileges.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Privileges(u32);

macro_rules! privileges {
    ($($bit:literal $name:ident $words:literal;)*) => {
        #[allow(missing_docs, reason = "the names are MySQL's")]
        impl Privileges {
            $(pub const $name: Privileges = Privileges(1 << $bit);)*
        }

        /// In the order of SHOW GRANTS.
        const NAMES: &[(Privileges, &str)] = &[$((Privileges::$name, $words),)*];
    };
}

privileges! {
    0 SELECT "SELECT";
    1 INSERT "INSERT";
    2 UPDATE "UPDATE";
    3 DELETE "DELETE";
    4 CREATE "CREATE";
    5 DROP "DROP";
    6 RELOAD "RELOAD";
    7 SHUTDOWN "SHUTDOWN";
    8 PROCESS "PROCESS";
    9 FILE "FILE";
    10 GRANT_OPTION "GRANT OPTION";
    11 REFERENCES "REFERENCES";
    12 INDEX "INDEX";
    13 ALTER "ALTER";
    14 SHOW_DATABASES "SHOW DATABASES";
    15 SUPER "SUPER";
    16 CREATE_TEMPORARY_TABLES "CREATE TEMPORARY TABLES";
    17 LOCK_TABLES "LOCK TABLES";
    18 EXECUTE "EXECUTE";
    19 REPLICATION_SLAVE "REPLICATION SLAVE";
    20 REPLICATION_CLIENT "REPLICATION CLIENT";
    21 CREATE_VIEW "CREATE VIEW";
    22 SHOW_VIEW "SHOW VIEW";
    23 CREATE_ROUTINE "CREATE ROUTINE";
    24 ALTER_ROUTINE "ALTER ROUTINE";
    25 CREATE_USER "CREATE USER";
    26 EVENT "EVENT";
    27 TRIGGER "TRIGGER";
    28 CREATE_TABLESPACE "CREATE TABLESPACE";
    29 CREATE_ROLE "CREATE ROLE";
    30 DROP_ROLE "DROP ROLE";
}

/// The dynamic privileges, which are global alone.
pub const DYNAMIC: &[&str] = &[
    "ALLOW_NONEXISTENT_DEFINER",
    "APPLICATION_PASSWORD_ADMIN",
    "AUDIT_ABORT_EXEMPT",
    "AUDIT_ADMIN",
    "AUTHENTICATION_POLICY_ADMIN",
    "BACKUP_ADMIN",
    "BINLOG_ADMIN",
    "BINLOG_ENCRYPTION_ADMIN",
    "CLONE_ADMIN",
    "CONNECTION_ADMIN",
    "ENCRYPTION_KEY_ADMIN",
    "FIREWALL_EXEMPT",
    "FLUSH_OPTIMIZER_COSTS",
    "FLUSH_PRIVILEGES",
    "FLUSH_STATUS",
    "FLUSH_TABLES",
    "FLUSH_USER_RESOURCES",
    "GROUP_REPLICATION_ADMIN",
    "GROUP_REPLICATION_STREAM",
    "INNODB_REDO_LOG_ARCHIVE",
    "INNODB_REDO_LOG_ENABLE",
    "OPTIMIZE_LOCAL_TABLE",
    "PASSWORDLESS_USER_ADMIN",
    "PERSIST_RO_VARIABLES_ADMIN",
    "REPLICATION_APPLIER",
    "REPLICATION_SLAVE_ADMIN",
    "RESOURCE_GROUP_ADMIN",
    "RESOURCE_GROUP_USER",
    "ROLE_ADMIN",
    "SENSITIVE_VARIABLES_OBSERVER",
    "SERVICE_CONNECTION_ADMIN",
    "SESSION_VARIABLES_ADMIN",
    "SET_ANY_DEFINER",
    "SHOW_ROUTINE",
    "SYSTEM_USER",
    "SYSTEM_VARIABLES_ADMIN",
    "TABLE_ENCRYPTION_ADMIN",
    "TELEMETRY_LOG_ADMIN",
    "TRANSACTION_GTID_TAG",
    "XA_RECOVER_ADMIN",
];

impl Privileges {
    /// None: USAGE.
    pub const NONE: Privileges = Privileges(0);
    /// All that can be global.
    pub const GLOBAL: Privileges = Privileges((1 << 31) - 1);
    /// All that a database can have.
    pub const DATABASE: Privileges = Privileges(
        Self::TABLE.0
            | Self::CREATE_TEMPORARY_TABLES.0
            | Self::LOCK_TABLES.0
            | Self::EXECUTE.0
            | Self::CREATE_ROUTINE.0
            | Self::ALTER_ROUTINE.0
            | Self::EVENT.0,
    );
    /// All that a table can have.
    pub const TABLE: Privileges = Privileges(
        Self::COLUMN.0
            | Self::DELETE.0
            | Self::CREATE.0
            | Self::DROP.0
            | Self::GRANT_OPTION.0
            | Self::INDEX.0
            | Self::ALTER.0
            | Self::CREATE_VIEW.0
            | Self::SHOW_VIEW.0
            | Self::TRIGGER.0,
    );
    /// All that a column can have.
    pub const COLUMN: Privileges =
        Privileges(Self::SELECT.0 | Self::INSERT.0 | Self::UPDATE.0 | Self::REFERENCES.0);
    /// All that a routine can have.
    pub const ROUTINE: Privileges =
        Privileges(Self::EXECUTE.0 | Self::ALTER_ROUTINE.0 | Self::GRANT_OPTION.0);

    /// A privilege by its words, in upper case; USAGE is none of them.
    pub fn by_name(words: &str) -> Option<Privileges> {
        NAMES.iter().find(|(_, name)| *name == words).map(|(privilege, _)| *privilege)
    }

    /// Whether all of `other` are among them.
    pub const fn has(self, other: Privileges) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is among them.
    pub const fn has_any(self, other: Privileges) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Privileges) -> Privileges {
        Privileges(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Privileges) -> Privileges {
        Privileges(self.0 & !other.0)
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Privileges) -> Privileges {
        Privileges(self.0 & other.0)
    }

    /// Their words, in the order of SHOW GRANTS.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(one, _)| self.has(*one)).map(|(_, name)| *name)
    }

    /// One by one.
    pub fn each(self) -> impl Iterator<Item = (Privileges, &'static str)> {
        NAMES.iter().copied().filter(move |(one, _)| self.has(*one))
    }
}

impl fmt::Debug for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Serialize for Privileges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for Privileges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().try_fold(Privileges::NONE, |all, name| {
            let unknown = || serde::de::Error::custom(format!("no such privilege: {name}"));
            Privileges::by_name(name).map(|one| all.with(one)).ok_or_else(unknown)
        })
    }
}
