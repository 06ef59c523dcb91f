//! SHOW.

use super::{Expr, Ident, Limit, ObjectName, RoutineKind, Scope, Text, User};

#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    Databases(ShowFilter),
    Tables {
        extended: bool,
        full: bool,
        schema: Option<Ident>,
        filter: ShowFilter,
    },
    TableStatus {
        schema: Option<Ident>,
        filter: ShowFilter,
    },
    OpenTables {
        schema: Option<Ident>,
        filter: ShowFilter,
    },
    Triggers {
        full: bool,
        schema: Option<Ident>,
        filter: ShowFilter,
    },
    Events {
        schema: Option<Ident>,
        filter: ShowFilter,
    },
    Columns {
        extended: bool,
        full: bool,
        table: ObjectName,
        filter: ShowFilter,
    },
    Index {
        extended: bool,
        table: ObjectName,
        filter: Option<Expr>,
    },
    Variables {
        scope: Option<Scope>,
        filter: ShowFilter,
    },
    Status {
        scope: Option<Scope>,
        filter: ShowFilter,
    },
    CharacterSet(ShowFilter),
    Collation(ShowFilter),
    RoutineStatus(RoutineKind, ShowFilter),
    RoutineCode(RoutineKind, ObjectName),
    Create(ShowCreate, ObjectName),
    CreateDatabase {
        if_not_exists: bool,
        name: Ident,
    },
    CreateUser(User),
    Grants {
        user: Option<User>,
        using: Vec<User>,
    },
    Privileges,
    ProcessList {
        full: bool,
    },
    Engines,
    Engine {
        name: Option<Ident>,
        what: EngineInfo,
    },
    Plugins,
    Warnings(Option<Limit>),
    Errors(Option<Limit>),
    CountWarnings,
    CountErrors,
    Profiles,
    Profile {
        kinds: Vec<ProfileKind>,
        query: Option<u64>,
        limit: Option<Limit>,
    },
    BinaryLogs,
    BinaryLogStatus,
    BinlogEvents {
        file: Option<Text>,
        position: Option<u64>,
        limit: Option<Limit>,
    },
    RelaylogEvents {
        file: Option<Text>,
        position: Option<u64>,
        limit: Option<Limit>,
        channel: Option<Text>,
    },
    Replicas,
    ReplicaStatus(Option<Text>),
}

/// LIKE or WHERE.
#[derive(Debug, Clone, PartialEq)]
pub enum ShowFilter {
    None,
    Like(Text),
    Where(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowCreate {
    Table,
    View,
    Procedure,
    Function,
    Trigger,
    Event,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineInfo {
    Status,
    Mutex,
    Logs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileKind {
    Cpu,
    Memory,
    BlockIo,
    ContextSwitches,
    PageFaults,
    Ipc,
    Swaps,
    Source,
    All,
}
